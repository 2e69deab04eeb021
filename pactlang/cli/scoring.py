"""Judge inputs and add the verdicts up: what `pactc score` draws, and whatever else needs scores of a log.

In: a program, inputs.  Out: a `Scoring`: the counts of a run, a scorer of all calls and perhaps one per
group, and the newest calls that broke each clause.  Nothing is printed here.

Each call is counted under its capture number (`captures`), so none is counted twice; a record that cannot be
read is a call that was dropped.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pactlang.cli.audit import Audit, Checked, Example, Place, Resolved
from pactlang.cli.beside import Beside, Told
from pactlang.cli.captures import Capture, Captured, Mark, Piece, captured
from pactlang.cli.exits import Fault
from pactlang.cli.facts import plural
from pactlang.cli.groups import Groups, Key
from pactlang.cli.input import Block, Broken, Input, Overlong
from pactlang.cli.interrupt import Interrupts
from pactlang.cli.memory import Closed, MemoryAudit, Opened, Remembered, broken_later, moment
from pactlang.cli.outcome import Outcome
from pactlang.cli.parquet import Columnar, ParquetInput
from pactlang.cli.progress import Bar
from pactlang.cli.screen import printable
from pactlang.cli.sight import Sight
from pactlang.cli.stored import StoredInput, take_step
from pactlang.cli.tally import VIOLATED
from pactlang.opcodes import Outcome as Judged
from pactlang.score import Scorer
from pactlang.score.plan import Plan
from pactlang.verdict import Amendment

if TYPE_CHECKING:
    from pactlang._runtime import Tally
    from pactlang.cli.history import History
    from pactlang.cli.saved import Saved
    from pactlang.program import Program

EVER = 1 << 62
NEVER = -(1 << 62)


class Wanted(NamedTuple):
    """What a scoring is asked for.

    limit: calls kept per broken clause.  by: a field whose values have scorers of their own.  latest: a time
    (microseconds since 1970) after which no call can have been.  history: scores over time will be asked for.
    """

    limit: int = 3
    by: str | None = None
    latest: int | None = None
    history: bool = False


class Broke(NamedTuple):
    """A call that broke a clause, and when it was (microseconds since 1970, None if nobody knows)."""

    time: int | None
    example: Example


class Scoring:
    """One pact over some inputs.

    pact: its path, as it is shown.  saved: a state to go on from.  doubts: of some calls not all fields are
    known.  A `Fault` for a pact without clauses, and for a field that its record lacks.
    """

    def __init__(
        self,
        pact: str,
        program: Program,
        files: Sequence[str],
        wanted: Wanted,
        saved: Saved | None = None,
        doubts: bool = False,
    ) -> None:
        if not Plan(program).scored:
            raise Fault(f"{pact}: the pact has no clauses that are scored")
        self.program, self.wanted = program, wanted
        self.beside = Beside(program, pact, wanted.by)
        self.audit = _audit(program, saved, doubts)
        self.outcome = Outcome(pact, program, self.audit, list(files), Sight(program))
        self.whole = self._scorer() if saved is None else saved.whole
        self.groups = None if wanted.by is None else Groups(self._scorer)
        self.marks: dict[str, Mark] = {} if saved is None else dict(saved.marks)
        self.waiting: dict[tuple[Any, int], list[Key]] = {} if saved is None else dict(saved.waiting)
        if saved is not None and self.groups is not None:
            self.groups.go_on(dict(saved.groups), saved.whole.tally)
        for scorer in (self.whole, *(saved.groups.values() if saved is not None else ())):
            scorer.latest = scorer.tally.latest = self.latest
        self.known = 0
        self.history = _history(self, saved) if wanted.history else None
        self._broke: dict[str, list[tuple[int, int, Broke]]] = {c.name: [] for c in program.clauses}
        self._seen = 0

    @property
    def latest(self) -> int:
        """The time after which no call can have been."""
        return EVER if self.wanted.latest is None else self.wanted.latest

    def _scorer(self) -> Scorer:
        return Scorer(self.program, latest=self.wanted.latest)

    # What comes in --------------------------------------------------------------------------------

    def feed(self, file: str, block: Block | Columnar, numbering: Captured) -> Checked:
        """Judge a block and count it."""
        self._step(file, block)
        checked = self.audit.feed(file, block)
        told = self.beside.told(block, checked.lines)
        bad = {each.line for each in checked.batch.undecodable}
        times = self._times(checked, told, bad)
        keys = self._keys(told)
        for worker, number in block.asides if isinstance(block, Block) else ():
            self.pass_over(worker, number, number)
        self._count(checked, times, keys, numbering.of(block, checked.lines), bad)
        if isinstance(checked, Remembered):
            self._settle(checked, keys)
        self._keep(checked, times)
        return checked

    def _step(self, file: str, block: Block | Columnar) -> None:
        """Take what a ledger holds before a block's first call, behind calls that were counted before."""
        steps = block.steps.get(0) if isinstance(block, Block) else None
        if not steps or not isinstance(self.audit, MemoryAudit):
            return
        for step in steps:
            take_step(self.audit.monitor, step)
        waiting = self.audit.monitor.machine.amended
        while waiting:
            ident, clause, outcome, time = waiting.popleft()
            event = Closed(0, ident, clause, Judged(outcome), False, time)
            self._close(event, self.audit.resolve(event, Place(file, 0, 0)))

    def overlong(self, file: str, mark: Overlong, numbering: Captured) -> None:
        """Count a line that was too long to be held, as a call that was dropped."""
        self.audit.pass_over(file, mark)
        worker, number = numbering.of_overlong()
        key = None if self.groups is None else self.groups.key(None)
        for tally in self._tallies(key, None, worker, number):
            tally.note("dropped", None, worker, number)

    def pass_over(self, worker: str, first: int, last: int) -> None:
        """Numbers that are of no calls, or of calls that are known to have been removed; those that were
        counted stay so."""
        for begin, end in _gaps(self.whole.tally, worker, first, last):
            self.whole.pass_over((worker, begin), end)
            if self.groups is not None:
                self.groups.pass_over(worker, begin, end)

    def finish(self) -> None:
        """All has been read."""
        self.audit.finish()
        if self.groups is not None:
            self.groups.catch_up()

    def _times(self, checked: Checked, told: list[Told], bad: set[int]) -> list[int | None]:
        """When each call was, as far as it can be; one that cannot be read was between its neighbours."""
        found = [each.time for each in told]
        if isinstance(checked, Remembered):
            known = zip(checked.times, found, strict=True)
            found = [time if time is not None else other for time, other in known]
        found = [None if time is None or time > self.latest else time for time in found]
        if bad:
            around = _neighbours(found)
            rows = zip(checked.lines, found, around, strict=True)
            found = [near if time is None and line in bad else time for line, time, near in rows]
        return found

    def _keys(self, told: list[Told]) -> list[Key | None]:
        groups = self.groups
        if groups is None:
            return [None] * len(told)
        found = list[Key | None]()
        for each in told:
            found.append(key := groups.key(each.value))
            groups.scorer(key)
        return found

    def _count(
        self,
        checked: Checked,
        times: list[int | None],
        keys: list[Key | None],
        captures: list[Capture],
        bad: set[int],
    ) -> None:
        """Add every row to the sums that it belongs to."""
        batch, waits = checked.batch, _waits(checked)
        codes = np.ascontiguousarray(batch.outcomes)
        outside = batch.outside.tolist()
        again = checked.again.tolist() if isinstance(checked, Remembered) else [False] * len(outside)
        for row, (worker, number) in enumerate(captures):
            time, kind = times[row], ""
            if checked.lines[row] in bad:
                kind = "dropped"
            elif again[row] or outside[row]:
                kind = "duplicates" if again[row] else "outside"
            for tally in self._tallies(keys[row], time, worker, number):
                if kind:
                    tally.note(kind, time, worker, number)
                else:
                    tally.add_codes(codes[row], waits.get(row), time, worker, number)

    def _tallies(self, key: Key | None, time: int | None, worker: str, number: int) -> Iterator[Tally]:
        """The sums that a call belongs to."""
        yield self.whole.tally
        if key is not None and self.groups is not None:
            yield self.groups.tally(key, worker, number)
        if self.history is not None:
            yield self.history.tally(time)

    def _settle(self, checked: Remembered, keys: list[Key | None]) -> None:
        """Add what has become of verdicts that waited, to the groups of their calls."""
        resolved = iter(checked.amended)  # in the order of events
        events: list[Opened | Closed] = [*checked.closed, *checked.opened]
        for event in sorted(events, key=moment):
            if isinstance(event, Closed):
                self._close(event, next(resolved)[1])
            elif (key := keys[event.row]) is not None:
                self.waiting.setdefault((event.id, event.clause), []).append(key)

    def _close(self, event: Closed, found: Resolved) -> None:
        self._amend(event, self._group_of((event.id, event.clause)))
        if event.outcome == VIOLATED:
            self._offer(found.clause, event.time, broken_later(self.program, found))

    def _group_of(self, at: tuple[Any, int]) -> Key | None:
        keys = self.waiting.get(at)
        if self.groups is None or not keys:
            return None if self.groups is None else self.groups.key(None)
        key = keys.pop(0)
        if not keys:
            del self.waiting[at]
        return key

    def _amend(self, event: Closed, key: Key | None) -> None:
        name = self.audit.names[event.clause]
        found = Amendment(event.id, name, event.outcome, event.time)
        self.whole.add(found)
        if key is not None and self.groups is not None:
            self.groups.scorer(key).add(found)
        if self.history is not None:
            self.history.amend(found)

    # The newest calls that broke a clause ---------------------------------------------------------

    def _keep(self, checked: Checked, times: list[int | None]) -> None:
        for column in self.whole.plan.scored:
            name = self.audit.names[column]
            rows = checked.rows(column, VIOLATED, EVER)
            newest = heapq.nlargest(self.wanted.limit, rows, lambda row: (_moment(times[row]), row))
            for row in sorted(newest):
                if self._is_newer(name, times[row]):
                    for example in checked.evidence(row, name):
                        self._offer(name, times[row], example)

    def _is_newer(self, clause: str, time: int | None) -> bool:
        held = self._broke[clause]
        return len(held) < self.wanted.limit or _moment(time) >= held[0][0]

    def _offer(self, clause: str, time: int | None, example: Example) -> None:
        self._seen += 1
        if self.wanted.limit and self._is_newer(clause, time):
            held = self._broke[clause]
            push = heapq.heappush if len(held) < self.wanted.limit else heapq.heapreplace
            push(held, (_moment(time), self._seen, Broke(time, example)))

    def broke(self, clause: str) -> list[Broke]:
        """The newest calls that broke a clause, the newest first."""
        return [broke for *_, broke in sorted(self._broke[clause], key=lambda each: each[:2], reverse=True)]


def _audit(program: Program, saved: Saved | None, doubts: bool) -> Audit:
    """What judges: a monitor for a pact that remembers."""
    names = tuple(clause.name for clause in program.clauses)
    if not any(clause.remembers for clause in program.clauses):
        from pactlang.evaluator import Evaluator

        return Audit(Evaluator(program), names, 0)
    from pactlang.cli.state import restored

    return MemoryAudit(restored(program, None if saved is None else saved.monitor, doubts), program, 0)


def _history(scoring: Scoring, saved: Saved | None) -> History:
    """An empty history, or one that begins with a copy of what was counted before."""
    from pactlang.cli.history import History

    if saved is None:
        return History(scoring._scorer)
    return History(scoring._scorer, Scorer.from_bytes(scoring.program, saved.whole.to_bytes()))


def _moment(time: int | None) -> int:
    return NEVER if time is None else time


def _waits(checked: Checked) -> dict[int, NDArray[np.uint8]]:
    """Of rows on which some unknown is not the last word: a mark per clause."""
    found: dict[int, NDArray[np.uint8]] = {}
    for row, clause in checked.unsettled if isinstance(checked, Remembered) else ():
        if row not in found:
            found[row] = np.zeros(len(checked.batch.clauses), np.uint8)
        found[row][clause] = 1
    return found


def _neighbours(times: list[int | None]) -> list[int | None]:
    """For each place the later of the nearest times before and behind it."""
    before: list[int | None] = []
    last = None
    for time in times:
        last = time if time is not None else last
        before.append(last)
    behind, last = list[int | None](), None
    for time in reversed(times):
        last = time if time is not None else last
        behind.append(last)
    pairs = zip(before, reversed(behind), strict=True)
    return [max((time for time in pair if time is not None), default=None) for pair in pairs]


def _gaps(tally: Tally, worker: str, first: int, last: int) -> list[tuple[int, int]]:
    """The numbers from the first to the last that are not there yet, as intervals."""
    found = []
    for begin, end, *_ in tally.numbers[worker].intervals() if worker in tally.numbers else ():
        if end < first or begin > last:
            continue
        if begin > first:
            found.append((first, begin - 1))
        first = end + 1
    return [*found, (first, last)] if first <= last else found


# Inputs -------------------------------------------------------------------------------------------


Seen = Callable[[Sequence[Checked]], None]


def read(inputs: Sequence[Input], scorings: Sequence[Scoring], seen: Seen | None = None) -> bool:
    """Feed all inputs to all scorings, block by block; false if a person interrupted.

    The first scoring says what has been counted before.  seen: is given what each made of a block, row by
    row the same.  What there is to say of an input stands in the outcomes of all.
    """
    whole = True
    with Bar(inputs) as bar, Interrupts() as interrupts:
        try:
            for given in inputs:
                _read_one(given, scorings, bar, interrupts, seen)
        except KeyboardInterrupt:
            whole = False
    for scoring in scorings:
        scoring.outcome.interrupted = not whole
        scoring.finish()
    return whole


def _read_one(
    given: Input, scorings: Sequence[Scoring], bar: Bar, interrupts: Interrupts, seen: Seen | None
) -> None:
    first = scorings[0]
    given.opens = all(each.program.schema.root == "Call" for each in scorings)
    if isinstance(given, ParquetInput):
        given.reader = first.audit.evaluator.reader
        others = (reader for each in scorings for reader in (each.audit.evaluator.reader, each.beside.reader))
        given.also = tuple(others)
    numbering = captured(given, first.marks, first.whole.tally)
    try:
        for block in interrupts.each(numbering.blocks()):
            checked = _take(given, block, scorings, numbering)
            if seen is not None and checked:
                seen(checked)
            bar.at(given, first.audit.total.records)
    except Broken as broken:
        for each in scorings:
            each.outcome.errors.append(str(broken))
    _end(given, scorings, numbering)
    bar.done(given)


def _take(given: Input, block: Piece, scorings: Sequence[Scoring], numbering: Captured) -> list[Checked]:
    """Feed a block to all; what each made of it, nothing of a line that was too long."""
    shared, found = _Shared(numbering), list[Checked]()
    for each in scorings:
        if isinstance(block, Overlong):
            each.overlong(given.name, block, shared)
            continue
        found.append(each.feed(given.name, block, shared))
        if isinstance(block, Block) and not given.is_sparse:
            each.outcome.sight.look(given.name, block)
    return found


class _Shared(Captured):
    """The numbers of one block, the same for all who ask."""

    def __init__(self, numbering: Captured) -> None:
        super().__init__(numbering.given)
        self.numbering = numbering
        self._of: list[Capture] | None = None

    def of(self, block: Block | Columnar, lines: list[int]) -> list[Capture]:
        if self._of is None:
            self._of = self.numbering.of(block, lines)
        return self._of

    def of_overlong(self) -> Capture:
        if self._of is None:
            self._of = [self.numbering.of_overlong()]
        return self._of[0]


def _end(given: Input, scorings: Sequence[Scoring], numbering: Captured) -> None:
    """An input has been read: note how far, and what there is to say of it."""
    for each in scorings:
        notices = each.outcome.notices
        if (mark := numbering.mark()) is not None:
            each.marks[mark[0]] = mark[1]
        each.known += numbering.known
        if numbering.known:
            many = f"{plural(numbering.known, 'record')} of {given.name}"
            notices.append(f"{many} had been counted before, and {_was(numbering.known)} left out")
        if isinstance(given, StoredInput):
            for writer, begin, end in given.removed():
                each.pass_over(writer, begin, end)
        if isinstance(given, ParquetInput) and given.schema is not None:
            each.outcome.sight.look_at_columns(given.schema)
        if given.bom:
            notices.append(f"{given.name} begins with a byte-order mark, which was passed over")
        if given.opened:
            many = plural(given.opened, "line")
            notices.append(f"{given.name}: {many} in another program's form, read as calls")
    if isinstance(given, ParquetInput):
        _complain(given, scorings)


def _complain(given: ParquetInput, scorings: Sequence[Scoring]) -> None:
    """If no row of a file of columns could be read: which column is to blame."""
    for each in scorings:
        total = each.audit.total
        if total.records == total.undecodable:
            given.reader = each.audit.evaluator.reader
            each.outcome.errors += filter(None, [given.complaint(each.audit)])


def _was(many: int) -> str:
    return "was" if many == 1 else "were"


def shown_path(pact: str) -> str:
    """The path of a pact as a report shows it."""
    return "<stdin>" if pact == "-" else printable(pact)
