"""Which call is which: a number for every record of an input, so that none is counted twice.

In: an input, and what has been counted of it before.  Out: its blocks without the records that were, and
per record a worker and a number.

A ledger's calls have these already.  Of a file the worker is its name and the beginning of the digest of its
first record, so a log that was turned over begins anew, and one that has grown goes on where it ended.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from pactlang.cli.exits import Fault
from pactlang.cli.input import Block, Input, Overlong
from pactlang.cli.parquet import Columnar, ParquetInput
from pactlang.cli.stored import StoredInput

if TYPE_CHECKING:
    from pactlang._runtime import Tally

DIGITS = 16  # hex digits of a digest: 64 bits tell the logs of one name apart
FOOT = 1 << 16  # bytes at the end of a Parquet file, which say what is in it

Capture = tuple[str, int]
Piece = Block | Overlong | Columnar  # of an input
Lines = range | list[int]


class Mark(NamedTuple):
    """How far a file was counted: how many records, and the digest of the last of them."""

    records: int
    digest: str


def captured(given: Input, marks: Mapping[str, Mark], tally: Tally) -> Captured:
    """The numbering of an input.  marks: of the files that were counted; tally: of all calls that were."""
    return Stored(given, tally) if isinstance(given, StoredInput) else Numbered(given, marks)


class Captured(ABC):
    """The records of an input, with numbers.

    known: records that were left out because they have been counted.
    """

    known = 0

    def __init__(self, given: Input) -> None:
        self.given = given

    def blocks(self) -> Iterator[Piece]:
        """The blocks of the input, without what is known."""
        given = self.given
        return given.columns() if isinstance(given, ParquetInput) else given.blocks()

    @abstractmethod
    def of(self, block: Block | Columnar, lines: list[int]) -> list[Capture]:
        """Worker and number of the records of a block; lines: their numbers in it, from 1."""

    @abstractmethod
    def of_overlong(self) -> Capture:
        """The same of a line that was too long to be held."""

    def mark(self) -> tuple[str, Mark] | None:
        """The worker, and how far its file has been counted."""
        return None


class Stored(Captured):
    """A ledger: its calls are numbered by who captured them."""

    def of_overlong(self) -> Capture:
        """There is none: a ledger has no lines."""
        raise AssertionError("a line in a ledger")

    def __init__(self, given: StoredInput, tally: Tally) -> None:
        super().__init__(given)
        self.ledger = given
        held = {worker: numbers.intervals() for worker, numbers in tally.numbers.items()}
        self._ends = {worker: [each[1] for each in found] for worker, found in held.items()}
        self._firsts = {worker: [each[0] for each in found] for worker, found in held.items()}
        given.is_known = self._is_known

    def _is_known(self, writer: str, number: int) -> bool:
        firsts = self._firsts.get(writer)
        at = bisect_right(firsts, number) if firsts else 0
        return at > 0 and number <= self._ends[writer][at - 1]

    def blocks(self) -> Iterator[Piece]:
        """The blocks of the ledger, without what is known."""
        yield from self.given.blocks()
        self.known = self.ledger.known

    def of(self, block: Block | Columnar, lines: list[int]) -> list[Capture]:
        """Worker and number of the calls of a block."""
        assert isinstance(block, Block) and block.captures is not None
        return [block.captures[line - 1] for line in lines]


class Numbered(Captured):
    """A file: its records are numbered in their order, from 0."""

    def __init__(self, given: Input, marks: Mapping[str, Mark]) -> None:
        super().__init__(given)
        self.marks = marks
        self.worker = ""
        self.count = 0  # records that have been met
        self.digest = ""  # of the last of them
        self.before: Mark | None = None
        self._numbers = 0  # records that have been given a number

    def blocks(self) -> Iterator[Piece]:
        """The blocks of the file, without what is known."""
        for block in super().blocks():
            lines = _records(block)
            if not len(lines):
                continue
            if not self.worker:
                self._begin(_digest(block, lines, 0, self.given))
            new = self._fresh(block, lines)
            self.count += len(lines)
            self.digest = _digest(block, lines, len(lines) - 1, self.given)
            if new is not None:
                yield new

    def _begin(self, digest: str) -> None:
        self.worker = f"{self.given.name}#{digest}"
        self.before = self.marks.get(self.worker)

    def _fresh(self, block: Piece, lines: Lines) -> Piece | None:
        """What of a block has not been counted; a Fault if what was is not what it was."""
        begin, before = self.count, self.before
        if before is None or begin >= before.records:
            return block
        known = min(before.records - begin, len(lines))
        is_last = begin + known == before.records
        if is_last and _digest(block, lines, known - 1, self.given) != before.digest:
            raise Fault(
                f"{self.given.name} was changed since its first {before.records:,} records were counted",
                "a log may grow, or begin anew with another first record",
            )
        self.known += known
        self._numbers += known
        return None if known == len(lines) else _behind(block, lines, known)

    def of(self, block: Block | Columnar, lines: list[int]) -> list[Capture]:
        """Worker and number of the records of a block."""
        first = self._numbers
        self._numbers += len(lines)
        return [(self.worker, first + row) for row in range(len(lines))]

    def of_overlong(self) -> Capture:
        """The same of a line that was too long to be held."""
        self._numbers += 1
        return self.worker, self._numbers - 1

    def mark(self) -> tuple[str, Mark] | None:
        """The worker, and how far its file has been counted."""
        if not self.worker or (self.before is not None and self.count < self.before.records):
            return None
        return self.worker, Mark(self._numbers, self.digest)


def _records(block: Piece) -> Lines:
    """Where the records of a block are: lines from 0, or rows."""
    if isinstance(block, Overlong):
        return range(1)
    if isinstance(block, Columnar):
        return range(block.data.num_rows)
    return [at for at, line in enumerate(block.data.split(b"\n")) if line and not line.isspace()]


def _digest(block: Piece, lines: Lines, at: int, given: Input) -> str:
    """The digest of one record of a block; a Parquet file is known by its end."""
    if isinstance(block, Columnar):
        return _foot(given.path)
    data = b"%d" % block.size if isinstance(block, Overlong) else block.data.split(b"\n")[lines[at]].strip()
    return sha256(data).hexdigest()[:DIGITS]


def _foot(path: str) -> str:
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - FOOT))
        return sha256(b"%d" % size + file.read()).hexdigest()[:DIGITS]


def _behind(block: Piece, lines: Lines, known: int) -> Piece:
    """A block without its first records."""
    if isinstance(block, Columnar):
        return block._replace(data=block.data.slice(known), first=block.first + known)
    assert isinstance(block, Block)
    cut = lines[known]
    data = b"\n".join(block.data.split(b"\n")[cut:])
    if block.numbers is not None:
        return block._replace(data=data, numbers=block.numbers[cut:])
    return block._replace(data=data, first=block.first + cut)
