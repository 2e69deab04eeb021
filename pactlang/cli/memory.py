"""Feed records to a monitor, in order, and keep what a report needs beside the counts: what was pending and
what it came to.

In: blocks of lines, or of rows of columns.  Out: a `MemoryAudit`, and a `Remembered` per block.

A verdict cannot be asked for twice of a monitor, so the verdicts that say something are kept until their
block is done.  What is pending is kept until it is resolved; at the end of the log nothing ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pactlang.cli.audit import Audit, Checked, Example, Place, Resolved, Row, Undecided
from pactlang.cli.input import Block
from pactlang.cli.tally import UNKNOWN, tally
from pactlang.errors import RecordError
from pactlang.opcodes import Outcome
from pactlang.verdict import Batch, Undecodable, Violation

if TYPE_CHECKING:
    from pactlang._runtime import MonitorVerdict
    from pactlang.cli.parquet import Columnar
    from pactlang.cli.timeline import Timeline
    from pactlang.evaluator import Monitor
    from pactlang.program import Program

FIGURES = (
    "conflicts", "late", "lost", "clock_regressions", "evicted", "over_limit", "over_keys", "no_session",
    "dropped_amendments",
)  # fmt: skip
EARLIER = "an earlier log"
ENDED = "it will not be known: its session ended, or was forgotten, before it came out"


class Opened(NamedTuple):
    """A clause that is pending on the call of a row."""

    row: int
    id: Any
    clause: int


class Closed(NamedTuple):
    """An amendment, the row on which it came, or behind which, and the time of its call."""

    row: int
    id: Any
    clause: int
    outcome: Outcome
    behind: bool = False
    time: int | None = None


class MemoryAudit(Audit):
    """The state of one run through a monitor.

    pact: the program as it was given, which the monitor's may say in other words.  timeline: of one session,
    if it is asked for.
    """

    def __init__(
        self,
        monitor: Monitor,
        pact: Program,
        limit: int,
        every: bool = False,
        timeline: Timeline | None = None,
    ) -> None:
        super().__init__(monitor.machine, monitor.machine.names, limit, every)
        self.monitor, self.pact, self.timeline = monitor, pact, timeline
        self.open: dict[tuple[Any, int], list[Place]] = {}
        self.before = monitor.counts
        self.earlier = np.zeros(len(self.names), np.int64)
        self.amended: dict[str, list[Resolved]] = {name: [] for name in self.names}
        self.insufficient = np.zeros(len(self.names), np.int64)

    def feed(self, file: str, block: Block | Columnar) -> Checked:
        """Judge a block, call by call, and count it."""
        made = Remembered if isinstance(block, Block) else RememberedRows
        checked = made(self, file, block)
        self.total = self.total.plus(tally(checked.batch, checked.again))
        self.insufficient += checked.insufficient
        for line, path, reason in checked.batch.undecodable:
            self._unreadable_at(file, block.number(line), path, reason)
        self._settle(checked)
        self._examples(checked)
        return checked

    def _unreadable_at(self, file: str, line: int, path: str, reason: str) -> None:
        from pactlang.cli.audit import Unreadable

        self._unreadable(Unreadable(file, line, path, reason))

    def _settle(self, checked: Remembered) -> None:
        """Go through what was opened and closed, in the order in which it was."""
        events: list[Opened | Closed] = [*checked.closed, *checked.opened]
        for event in sorted(events, key=moment):
            if isinstance(event, Opened):
                places = self.open.setdefault((event.id, event.clause), [])
                places.append(checked.place(event.row))
            else:
                self._close(checked, event)

    def _close(self, checked: Remembered, event: Closed) -> None:
        checked.amended.append((event.row, self.resolve(event, checked.place(event.row))))

    def resolve(self, event: Closed, at: Place) -> Resolved:
        """Count what a clause that was pending has come to; at: the call on which it did."""
        name = self.names[event.clause]
        places = self.open.get((event.id, event.clause))
        place = places.pop(0) if places else Place(EARLIER, 0, event.id)
        if places is not None:
            self.total.clauses[event.clause, UNKNOWN] -= 1
            self.total.clauses[event.clause, event.outcome] += 1
        elif event.outcome == Outcome.VIOLATED:
            self.earlier[event.clause] += 1
        if not places:
            self.open.pop((event.id, event.clause), None)
        found = Resolved(place, name, event.outcome, at)
        if self.timeline is not None:
            self.timeline.resolved(event, found)
        self._show(found)
        return found

    def _show(self, found: Resolved) -> None:
        """Keep what was resolved, if there is room for it."""
        name = found.clause
        if len(self.amended[name]) < self.limit:
            self.amended[name].append(found)
        if found.outcome == Outcome.VIOLATED and len(self.violations[name]) < self.limit:
            self.violations[name].append(broken_later(self.pact, found))
        elif found.outcome == Outcome.UNKNOWN and len(self.unknowns[name]) < self.limit:
            self.unknowns[name].append(Undecided(found.place, ENDED))

    def waiting(self, clause: int) -> tuple[int, int, int]:
        """How many obligations of the log are open, how many verdicts lack evidence, and how many obligations
        of an earlier log were broken."""
        pending = sum(len(places) for (_, number), places in self.open.items() if number == clause)
        return pending, int(self.insufficient[clause]), int(self.earlier[clause])

    def finish(self) -> None:
        """The log has ended, and no session with it: name what is pending."""
        from pactlang.explain import PENDING, Memory, form_sentence

        memory, module = Memory(Outcome.UNKNOWN, PENDING), self.pact.module
        for (_, number), places in self.open.items():
            found = self.unknowns[self.names[number]]
            said = form_sentence(module, module.clauses[number], (), memory)
            found += [Undecided(place, said) for place in places[: max(0, self.limit - len(found))]]

    def resolutions(self) -> list[Resolved]:
        """What was pending and has come out, the first of each clause."""
        return [found for each in self.amended.values() for found in each]

    def figures(self) -> dict[str, int]:
        """What the monitor has counted in this run, where it is not 0."""
        now = self.monitor.counts
        return {name: now[name] - self.before[name] for name in FIGURES if now[name] != self.before[name]}


def broken_later(program: Program, found: Resolved) -> Example:
    """A promise that was pending on a call and came out broken."""
    from pactlang.explain import later

    return Example(found.place, later(program, found.clause), found.at)


class Remembered(Checked):
    """A block with its verdicts: those that say something are kept.

    again: the rows of duplicates.  times: each row's, microseconds since 1970, or None.  opened, closed: what
    became pending, and what was resolved, by rows.  amended: what was resolved, with the places of the calls.
    """

    def __init__(self, audit: MemoryAudit, file: str, block: Block | Columnar) -> None:
        self.audit, self.evaluator, self.file = audit, audit.monitor.machine, file
        self.machine = audit.monitor.machine
        self._ends = []
        self.verdicts: dict[int, MonitorVerdict] = {}
        self.opened, self.closed = list[Opened](), list[Closed]()
        self.times = list[int | None]()
        self.amended: list[tuple[int, Resolved]] = []
        self.insufficient = np.zeros(len(audit.names), np.int64)
        self.unsettled: set[tuple[int, int]] = set()  # row and clause: unknown, and nothing is wrong so far
        self.block = self._take(block)
        self._judge()

    def _take(self, block: Block | Columnar) -> Block | Columnar:
        if block.withheld is None or not isinstance(block, Block):
            return block
        return block._replace(data=block.withheld.filled(block.data, self.audit.pact))

    def _records(self) -> Iterator[tuple[int, Any]]:
        """The number in the block and the record of each row."""
        assert isinstance(self.block, Block)
        for number, line in enumerate(self.block.data.split(b"\n"), 1):
            if line and not line.isspace():
                yield number, line

    def _judge(self) -> None:
        names, every = self.audit.names, self.audit.every
        rows, flags = list[list[int]](), list[tuple[bool, bool, bool]]()
        faults, ids = list[Undecodable](), list[Any]()
        self.lines = []
        for row, (number, record) in enumerate(self._records()):
            self.lines.append(number)
            verdict = None
            try:
                verdict = self._feed(number, record)
            except RecordError as error:
                faults.append(Undecodable(number, error.path, error.reason))
            self._note(row, verdict)
            self._step(number, row)
            rows.append(_codes(verdict, len(names)))
            flags.append(_flags(verdict))
            if every:
                ids.append(None if verdict is None else self._id(verdict))
        table = np.array(flags, bool).reshape(len(rows), 3)
        outcomes = np.array(rows, np.uint8).reshape(len(rows), len(names))
        lines = np.array(self.lines, np.int64)
        self.batch = Batch(outcomes, names, faults, lines, table[:, 0], table[:, 1], ids)
        self.again = table[:, 2]
        if (held := self.block.withheld) is not None:
            held.amend(self.batch, self.audit.pact)
        undecodable = np.isin(lines, [fault.line for fault in faults])
        self.admitted = ~(self.batch.outside | self.again | undecodable)

    def _feed(self, number: int, record: Any) -> MonitorVerdict:
        """The verdict on the next record, of which a ledger may hold only a part."""
        hidden = () if (held := self.block.withheld) is None else held.slots(number - 1, self.audit.pact)
        if not hidden:
            return self.audit.monitor.feed(record)  # type: ignore[return-value]  # a monitor's verdict
        return self.machine.feed_record(self.evaluator.reader.from_json(record), hidden)

    def _step(self, number: int, row: int) -> None:
        """Take what a ledger holds between this call and the next; what comes out then came out here."""
        if not isinstance(self.block, Block) or not self.block.steps:
            return
        from pactlang.cli.stored import take_step

        for step in self.block.steps.get(number, ()):
            take_step(self.audit.monitor, step)
        self._resolved(row, behind=True)

    def _note(self, row: int, verdict: MonitorVerdict | None) -> None:
        """Keep what was resolved by a call, what it leaves open, and the verdict if it is needed."""
        self._resolved(row)
        self.times.append(None if verdict is None else verdict.time)
        if verdict is None:
            return
        if verdict.reasons:
            self._wait(row, verdict)
        if not verdict.ok:
            self.verdicts[row] = verdict
        if self.audit.timeline is not None:
            self.audit.timeline.call(self, row, verdict)

    def _resolved(self, row: int, behind: bool = False) -> None:
        waiting = self.machine.amended
        while waiting:
            ident, clause, outcome, time = waiting.popleft()
            self.closed.append(Closed(row, ident, clause, Outcome(outcome), behind, time))

    def _wait(self, row: int, verdict: MonitorVerdict) -> None:
        for number in verdict.reasons or ():
            if number < 0 or not (memory := self.machine.memory(verdict, number)).is_waiting:
                continue
            self.unsettled.add((row, number))
            if memory.why == "pending":
                self.opened.append(Opened(row, self.ident(verdict), number))
            else:
                self.insufficient[number] += 1

    def _id(self, verdict: MonitorVerdict) -> Any:
        reader = self.evaluator.reader
        return reader.identity(verdict.record) if reader.has_id else None

    def ident(self, verdict: MonitorVerdict) -> Any:
        """What an amendment calls the call that was just judged: its id, or its number where it has none."""
        found = self._id(verdict)
        return self.machine.line if found is None else found

    def place_of(self, row: int, verdict: MonitorVerdict) -> Place:
        """Where the call that was just judged stands."""
        line, found = self.block.number(self.lines[row]), self._id(verdict)
        return Place(self.file, line, found if isinstance(found, str | int) else line)

    # What a report asks ---------------------------------------------------------------------------

    def rows(self, column: int, outcome: int, most: int) -> list[int]:
        """The first rows, at most so many, in which a clause had this outcome, and not for now only."""
        found = super().rows(column, outcome, len(self.lines) if outcome == UNKNOWN else most)
        if outcome == UNKNOWN:
            found = [row for row in found if (row, column) not in self.unsettled]
        return found[: max(most, 0)]

    def evidence(self, row: int, clause: str) -> list[Example]:
        """The violation of a clause in a row."""
        place = self.place(row)
        if (held := self.block.withheld) is not None:
            stored = held.violation(self.lines[row] - 1, clause, self.audit.pact)
            if stored is not None:
                return [Example(place, stored)]
        verdict = self.verdicts.get(row)
        found: tuple[Violation, ...] = () if verdict is None else verdict.violations
        return [Example(place, violation) for violation in found if violation.clause == clause]

    def doubt(self, row: int, column: int) -> Undecided:
        """Why a clause is unknown in a row."""
        name = self.audit.names[column]
        if (held := self.block.withheld) is not None:
            why = held.reason(self.lines[row] - 1, name, self.audit.pact)
            if why:
                return Undecided(self.place(row), why)
        verdict = self.verdicts.get(row)
        why = "" if verdict is None else self.machine.reason_of(verdict, column)
        return Undecided(self.place(row), why)

    def all_rows(self) -> Iterator[Row]:
        """Every record of the block in the order of its lines, and behind it what it resolved."""
        later: dict[int, list[Resolved]] = {}
        for row, found in self.amended:
            later.setdefault(row, []).append(found)
        again = self.again.tolist()
        for row, said in enumerate(super().all_rows()):
            yield said._replace(violated=[], unknown=[], duplicate=True) if again[row] else said
            for found in later.get(row, ()):
                yield Row(found.place, [], [], amendment=found)


class RememberedRows(Remembered):
    """A block of rows of columns with its verdicts."""

    def _take(self, block: Block | Columnar) -> Block | Columnar:
        from pactlang.columns import narrowed

        assert not isinstance(block, Block)
        self.narrow = narrowed(block.data, self.evaluator.reader)
        return block

    def _records(self) -> Iterator[tuple[int, Any]]:
        from pactlang.columns import records

        return enumerate(records(self.narrow), 1)

    def struct(self, row: int) -> Any:
        """The decoded record of a row."""
        from pactlang.columns import record_of

        return self.evaluator.reader.from_dict(record_of(self.narrow, row))


def moment(event: Opened | Closed) -> tuple[int, bool]:
    """When in a block something was opened or closed."""
    return event.row, isinstance(event, Closed) and event.behind


def _codes(verdict: MonitorVerdict | None, clauses: int) -> list[int]:
    if verdict is None or verdict.outside:
        return [UNKNOWN] * clauses
    if verdict.duplicate:
        return [Outcome.SKIPPED] * clauses
    return [verdict.outcome(number) for number in range(clauses)]


def _flags(verdict: MonitorVerdict | None) -> tuple[bool, bool, bool]:
    """Outside the pact, expired, a duplicate."""
    if verdict is None:
        return False, False, False
    return verdict.outside and not verdict.duplicate, verdict.expired, verdict.duplicate
