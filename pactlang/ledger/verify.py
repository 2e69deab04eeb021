"""Verify a ledger: every chain recomputed from its first call, or tombstone, to its end.

In: a connection, in a transaction of its own.  Out: a `VerifyReport`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from heapq import merge
from operator import itemgetter
from typing import Any

import msgspec

from pactlang.ledger.entry import VerifyReport, WriterReport
from pactlang.ledger.rows import Row, genesis, link, marks_of

MOST = 50  # problems that are told of

CALLS = (
    "SELECT c.id, c.number, c.session, c.seq, c.time, c.stored, p.digest, c.said, CAST(c.call AS BLOB), "
    "c.withheld, c.digest FROM calls c LEFT JOIN pacts p ON p.id = c.pact WHERE c.writer = ? ORDER BY c.id"
)
STONES = "SELECT first, last, calls, before, after FROM tombstones WHERE writer = ? ORDER BY first"
WRITERS = "SELECT id, writer, calls, removed, first, last, digest FROM writers ORDER BY id"


def verify(made: sqlite3.Connection) -> VerifyReport:
    """Every chain, the marks, and SQLite's own pages."""
    problems: list[str] = []
    writers: list[WriterReport] = []
    for row in made.execute(WRITERS).fetchall():
        chain = _Chain(made, *row)
        writers.append(chain.verify())
        problems += chain.problems
    problems += _orphans(made)
    problems += [f"SQLite: {row[0]}" for row in made.execute("PRAGMA quick_check(5)") if row[0] != "ok"]
    return VerifyReport(
        sum(w.calls for w in writers), sum(w.removed for w in writers), sum(w.missing for w in writers),
        tuple(writers), tuple(problems[:MOST]),
    )  # fmt: skip


class _Chain:
    """One writer's chain while it is walked."""

    def __init__(
        self, made: sqlite3.Connection, id: int, writer: str, calls: int, removed: int, first: int, last: int,
        digest: bytes,
    ) -> None:  # fmt: skip
        self.made, self.id, self.writer = made, id, writer
        self.expected, self.removed, self.first, self.last, self.end = calls, removed, first, last, digest
        self.problems: list[str] = []
        self.digest = genesis(writer)
        self.calls = self.buried = 0

    def verify(self) -> WriterReport:
        for is_stone, row in self._steps():
            if len(self.problems) >= MOST:
                break
            self._stone(row) if is_stone else self._call(row)
        self._end()
        twice = self._twice()
        missing = max(0, self.last + 1 - self.expected + twice)
        return WriterReport(
            self.writer, self.calls, self.removed, missing, self.first, self.last, self.end.hex()
        )

    def _steps(self) -> Iterator[tuple[bool, tuple[Any, ...]]]:
        stones = ((row[0], True, row) for row in self.made.execute(STONES, (self.id,)))
        calls = ((row[0], False, row) for row in self.made.execute(CALLS, (self.id,)))
        for _, is_stone, row in merge(stones, calls, key=itemgetter(0)):
            yield is_stone, row

    def _call(self, row: tuple[Any, ...]) -> None:
        id, *values, digest = row
        self.calls += 1
        try:
            found = link(self.digest, Row(self.writer, *values))
        except (TypeError, ValueError):
            found = b""
        if found != digest:
            self._complain(f"call {values[0]} is not what was written, or what stood before it is gone")
        self.digest = digest
        self._marks(id, values)

    def _marks(self, id: int, values: list[Any]) -> None:
        try:
            wanted = sorted(mark[:2] for mark in marks_of(values[6], id))
        except msgspec.MsgspecError:
            self._complain(f"the verdict of call {values[0]} is no verdict")
            return
        if wanted:
            for clause, outcome in wanted:
                held = self.made.execute(
                    "SELECT 1 FROM marks WHERE clause = ? AND outcome = ? AND call = ?", (clause, outcome, id)
                )
                if held.fetchone() is None:
                    self._complain(f"the index of clauses does not lead to call {values[0]}")

    def _stone(self, row: tuple[Any, ...]) -> None:
        first, last, calls, before, after = row
        self.buried += calls
        if before != self.digest or last < first:
            self._complain(f"a tombstone for {calls:,} calls does not stand where they stood")
        self.digest = after

    def _end(self) -> None:
        if self.digest != self.end and not self.problems:
            self._complain("its last calls are gone")
        if self.buried != self.removed or self.calls + self.buried != self.expected:
            self._complain(
                f"{self.expected:,} calls were stored and {self.removed:,} removed by retention; "
                f"{self.calls:,} and {self.buried:,} are found"
            )

    def _twice(self) -> int:
        """How many captures are stored a second time."""
        again = "SELECT count(*) - count(DISTINCT number) FROM calls WHERE writer = ?"
        twice = int(self.made.execute(again, (self.id,)).fetchone()[0])
        if twice:
            self._complain(f"{twice:,} captures are stored twice")
        return twice

    def _complain(self, what: str) -> None:
        self.problems.append(f"writer {self.writer}: {what}")


def _orphans(made: sqlite3.Connection) -> list[str]:
    found = made.execute(
        "SELECT count(*) FROM marks WHERE NOT EXISTS (SELECT 1 FROM calls WHERE id = marks.call)"
    ).fetchone()[0]
    strays = "SELECT count(*) FROM calls WHERE writer NOT IN (SELECT id FROM writers)"
    lost = made.execute(strays).fetchone()[0]
    said = [f"the index of clauses leads to {found:,} calls that are not there"] if found else []
    return said + ([f"{lost:,} calls have no writer"] if lost else [])
