"""Feed records to an evaluator and keep what a report needs: counts, examples, what could not be read.

In: blocks of lines, or of rows of columns.  Out: an `Audit`, which grows with the pact and with `limit`,
never with the log.

A batch says only which clause was violated where; the evidence of an example is computed by checking
its line once more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pactlang.cli.input import LONGEST_LINE, Block, Overlong
from pactlang.cli.tally import UNKNOWN, VIOLATED, Tally, admitted, none, overlong, tally
from pactlang.errors import RecordError
from pactlang.opcodes import Outcome

if TYPE_CHECKING:
    from pactlang.cli.parquet import Columnar
    from pactlang.evaluator import Evaluator
    from pactlang.verdict import Batch, Violation

UNREADABLE_KEPT = 20  # undecodable records that are listed one by one
REASONS_KEPT = 50  # distinct reasons that are counted by themselves
OTHER = ("", "other reasons")


class Place(NamedTuple):
    """Where a call stands: its file, its line from 1, its id (the line where it has none)."""

    file: str
    line: int
    id: str | int


class Example(NamedTuple):
    """One violation, with its evidence.  resolved: the call on which it came out, if that was a later one."""

    place: Place
    violation: Violation
    resolved: Place | None = None


class Undecided(NamedTuple):
    """One call on which a clause is unknown, and why."""

    place: Place
    reason: str


class Unreadable(NamedTuple):
    """A record that could not be decoded."""

    file: str
    line: int
    path: str
    reason: str


class Row(NamedTuple):
    """One record of the log: the clauses it violated and those that are unknown, or why it has none; or what
    a clause that was pending on a call was resolved to."""

    place: Place
    violated: list[str]
    unknown: list[str]
    outside: bool = False
    unreadable: tuple[str, str] | None = None  # JSON path and reason
    duplicate: bool = False
    amendment: Resolved | None = None


class Resolved(NamedTuple):
    """What a clause that was pending on a call has come to, and the call on which it did."""

    place: Place
    clause: str
    outcome: Outcome
    at: Place


class Audit:
    """The state of one run.

    limit: the number of examples kept per clause and outcome.  every: each call's row will be asked for.
    """

    def __init__(
        self, evaluator: Evaluator, clauses: tuple[str, ...], limit: int, every: bool = False
    ) -> None:
        self.every = every
        self.evaluator = evaluator
        self.names = clauses
        self.limit = limit
        self.total: Tally = none(len(clauses))
        self.violations: dict[str, list[Example]] = {name: [] for name in clauses}
        self.unknowns: dict[str, list[Undecided]] = {name: [] for name in clauses}
        self.unreadable: list[Unreadable] = []
        self.reasons: dict[tuple[str, str], int] = {}

    def waiting(self, clause: int) -> tuple[int, int, int]:
        """On how many of the calls so far a clause is pending, on how many evidence is insufficient, and how
        many calls of an earlier log have turned out to violate it."""
        return 0, 0, 0

    def figures(self) -> dict[str, int]:
        """What else was counted, where it is not 0; only what remembers calls has more to count."""
        return {}

    def resolutions(self) -> list[Resolved]:
        """What was pending and has come out, the first of each clause."""
        return []

    def finish(self) -> None:
        """The log has ended."""

    def feed(self, file: str, block: Block | Columnar) -> Checked:
        """Judge a block and count it."""
        checked = judged(self.evaluator, file, block, self.every)
        self.total = self.total.plus(tally(checked.batch))
        for line, path, reason in checked.batch.undecodable:
            self._unreadable(Unreadable(file, block.number(line), path, reason))
        self._examples(checked)
        return checked

    def pass_over(self, file: str, mark: Overlong) -> Row:
        """Count a line that was too long to be held."""
        reason = f"the line is {mark.size:,} bytes long, more than {LONGEST_LINE >> 20} MiB"
        self.total = self.total.plus(overlong(len(self.names)))
        self._unreadable(Unreadable(file, mark.line, "$", reason))
        return Row(Place(file, mark.line, mark.line), [], [], unreadable=("$", reason))

    def _unreadable(self, found: Unreadable) -> None:
        if len(self.unreadable) < UNREADABLE_KEPT:
            self.unreadable.append(found)
        key = (found.path, found.reason)
        if key not in self.reasons and len(self.reasons) >= REASONS_KEPT:
            key = OTHER
        self.reasons[key] = self.reasons.get(key, 0) + 1

    def _examples(self, checked: Checked) -> None:
        for column, name in enumerate(self.names):
            for row in checked.rows(column, VIOLATED, self.limit - len(self.violations[name])):
                self.violations[name] += checked.evidence(row, name)
            for row in checked.rows(column, UNKNOWN, self.limit - len(self.unknowns[name])):
                self.unknowns[name].append(checked.doubt(row, column))


def judged(evaluator: Evaluator, file: str, block: Block | Columnar, every: bool) -> Checked:
    """A block of lines, or of rows of columns, with its verdicts."""
    if isinstance(block, Block):
        return Checked(evaluator, file, block, every)
    from pactlang.cli.parquet import CheckedColumns

    return CheckedColumns(evaluator, file, block, every)


class Checked:
    """A block with its verdicts, and with all ids if every row will be asked for."""

    def __init__(self, evaluator: Evaluator, file: str, block: Block, every: bool = False) -> None:
        self.evaluator = evaluator
        self.file = file
        if block.withheld is not None:
            block = block._replace(data=block.withheld.filled(block.data, evaluator.program))
        self.block: Block | Columnar = block
        self.batch: Batch = evaluator.check_lines(block.data, every)
        if block.withheld is not None:
            block.withheld.amend(self.batch, evaluator.program)
        self.admitted = admitted(self.batch)
        self.lines: list[int] = self.batch.lines.tolist()
        self._ends: list[int] = []
        self.amended: list[tuple[int, Resolved]] = []

    def rows(self, column: int, outcome: int, most: int) -> list[int]:
        """The first rows, at most so many, in which a clause had this outcome."""
        if most <= 0:
            return []
        hits = np.flatnonzero((self.batch.outcomes[:, column] == outcome) & self.admitted)
        return [int(row) for row in hits[:most]]

    def text(self, row: int) -> bytes:
        """The line of a row, without its line break."""
        assert isinstance(self.block, Block)
        if not self._ends:
            ends = np.flatnonzero(np.frombuffer(self.block.data, np.uint8) == ord("\n"))
            self._ends = [-1, *ends.tolist(), len(self.block.data)]
        line = self.lines[row]
        return self.block.data[self._ends[line - 1] + 1 : self._ends[line]]

    def struct(self, row: int) -> Any:
        """The decoded record of a row.  RecordError if it cannot be decoded."""
        return self.evaluator.reader.from_json(self.text(row))

    def place(self, row: int) -> Place:
        """Where the call of a row stands."""
        line = self.block.number(self.lines[row])
        found = self.batch.ids[row] if self.batch.ids else self.identity(row)
        return Place(self.file, line, found if isinstance(found, str | int) else line)

    def evidence(self, row: int, clause: str) -> list[Example]:
        """The violation of a clause in a row."""
        place = self.place(row)
        if (held := self.block.withheld) is not None:
            stored = held.violation(self.lines[row] - 1, clause, self.evaluator.program)
            if stored is not None:
                return [Example(place, stored)]
        verdict = self.evaluator.check(self.struct(row))
        return [Example(place, violation) for violation in verdict.violations if violation.clause == clause]

    def doubt(self, row: int, column: int) -> Undecided:
        """Why a clause is unknown in a row."""
        from pactlang.explain import evidence

        program, reader = self.evaluator.program, self.evaluator.reader
        if (held := self.block.withheld) is not None:
            why = held.reason(self.lines[row] - 1, program.clauses[column].name, program)
            if why:
                return Undecided(self.place(row), why)
        values = reader.values(self.struct(row))
        clause = program.module.clauses[column]
        found = evidence(program.module, clause, values, program.source, Outcome.UNKNOWN)
        reason = found.message.removeprefix(f"{program.clauses[column].name}: ")
        return Undecided(self.place(row), reason)

    def identity(self, row: int) -> Any:
        """The id of a row's call, None where it has none or cannot be decoded."""
        try:
            return self.evaluator.reader.identity(self.struct(row))
        except RecordError:
            return None

    def all_rows(self) -> Iterator[Row]:
        """Every record of the block in the order of its lines."""
        faults = {line: (path, reason) for line, path, reason in self.batch.undecodable}
        violated, unknown = self._named(VIOLATED), self._named(UNKNOWN)
        outside = self.batch.outside.tolist()
        for row, line in enumerate(self.lines):
            if line in faults:
                number = self.block.number(line)
                yield Row(Place(self.file, number, number), [], [], unreadable=faults[line])
            else:
                yield Row(self.place(row), violated.get(row, []), unknown.get(row, []), outside[row])

    def _named(self, outcome: int) -> dict[int, list[str]]:
        """For each call that has this outcome somewhere: the clauses, in the order of the pact."""
        found: dict[int, list[str]] = {}
        hits = (self.batch.outcomes == outcome) & self.admitted[:, None]
        for row, column in zip(*(axis.tolist() for axis in np.nonzero(hits)), strict=True):
            found.setdefault(row, []).append(self.batch.clauses[column])
        return found
