"""Compare two judgements of the same calls, one by one: which verdicts differ, and how.

In: two scorings, and block by block what each made of it (`take`).  Out: a `Track` of all calls as wholes and
one per name of a clause: how many calls have each pair of outcomes, and the first calls of every pair that
differs.

A call that a clause is pending on is held until it has come out on both sides, or until the log ends.  What
is kept is told by the number of its call, never by how the input was cut into blocks.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pactlang.cli.audit import Checked, Example, Place, Resolved
from pactlang.cli.changes import changes
from pactlang.cli.memory import Closed, Opened, Remembered, broken_later
from pactlang.cli.outcome import SEVERITIES
from pactlang.cli.tally import UNKNOWN, VIOLATED
from pactlang.explain import ERROR_VALUE

if TYPE_CHECKING:
    from pactlang.cli.changes import Change
    from pactlang.cli.scoring import Scoring
    from pactlang.verdict import Violation

# What a clause, or a pact as a whole (`CALLS`), may say of a call.
OUTCOMES = ("satisfied", "violated", "skipped", "unknown", "waiting", "outside", "unreadable", "repeated")
CALLS = ("ok", "broken", "", "unknown", "waiting", "outside", "unreadable", "repeated")
WAITING, OUTSIDE, UNREADABLE, REPEATED = 4, 5, 6, 7
OK = 0
MANY = len(OUTCOMES)
PASSES = (OK, OUTSIDE)  # nothing is held against the call
UNTOLD = (UNKNOWN, WAITING, UNREADABLE, REPEATED)
UNBROKEN = len(SEVERITIES)

Codes = NDArray[np.uint8]
Marks = NDArray[np.bool_]


class Flip(NamedTuple):
    """A call whose outcome differs.  number: of the call among all; message: what the broken side says, or,
    where none is broken, why one does not know; ""."""

    number: int
    place: Place
    message: str
    resolved: Place | None = None


@dataclass
class Track:
    """Pairs of outcomes: of a clause, or of calls as a whole.

    old, new: the clause's number on each side, None: the call as a whole.  counts[a, b]: calls that were a
    and are b.  flips: by pair, the first calls.
    """

    old: int | None
    new: int | None
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros((MANY, MANY), np.int64))
    flips: dict[tuple[int, int], list[Flip]] = field(default_factory=dict)

    def total(self, old: Sequence[int], new: Sequence[int]) -> int:
        """How many calls were one of the first and are one of the second."""
        return int(self.counts[np.ix_(old, new)].sum())

    @property
    def flipped(self) -> int:
        """How many calls have two outcomes."""
        return sum(n for *_, n in self.pairs())

    def differs(self, old: int, new: int) -> bool:
        """Whether a pair is a flip.  Of a clause that one side lacks only what it broke can be one."""
        if self.old is None and self.new is not None:
            return new == VIOLATED != old
        if self.new is None and self.old is not None:
            return old == VIOLATED != new
        return old != new

    def pairs(self) -> list[tuple[int, int, int]]:
        """Old and new outcome with their number of calls, where they differ: what is broken first."""
        found = [(a, b, int(n)) for (a, b), n in np.ndenumerate(self.counts) if n and self.differs(a, b)]
        return sorted(found, key=lambda each: (each[0] != VIOLATED, each[1] != VIOLATED, each[:2]))


class Comparison:
    """Two scorings over the same calls.  limit: calls kept of every pair of outcomes."""

    def __init__(self, old: Scoring, new: Scoring, limit: int) -> None:
        self.limit = limit
        self.sides = (Side(old), Side(new))
        self.changes: list[Change] = changes(old.program, new.program)
        self.calls = Track(None, None)
        self.clauses = [Track(each.old, each.new) for each in self.changes]
        self.softer = self.harder = 0  # calls that are broken on both sides, less gravely or more
        self._held: dict[int, Held] = {}
        self._count = 0

    @property
    def tracks(self) -> list[Track]:
        """Of the calls as wholes, then of the clauses."""
        return [self.calls, *self.clauses]

    def take(self, pair: Sequence[Checked]) -> None:
        """Compare what both sides made of a block."""
        old, new = (side.view(checked, self._count) for side, checked in zip(self.sides, pair, strict=True))
        held = self._hold(old, new)
        for track in self.tracks:
            self._add(track, old, new)
        self._weigh(old.gravest, new.gravest, ~(old.waits(None) | new.waits(None)))
        for number, view in enumerate((old, new)):
            for each in self.sides[number].settle(view, held, number):
                self._release(each)
        self._count += len(old.status)

    def finish(self) -> None:
        """All has been read: what is still pending stays so, and lines too long to be held have been counted
        by both sides."""
        for number in sorted(self._held):
            self._release(self._held[number])
        overlong = self.sides[0].scoring.audit.total.records - self._count
        for track in self.tracks:
            track.counts[UNREADABLE, UNREADABLE] += overlong

    # Calls that are known at once -----------------------------------------------------------------

    def _add(self, track: Track, old: View, new: View) -> None:
        known = ~(old.waits(track.old) | new.waits(track.new))
        one, other = old.said(track.old), new.said(track.new)
        pairs = one.astype(np.int64) * MANY + other
        track.counts += np.bincount(pairs[known], minlength=MANY * MANY).reshape(MANY, MANY)
        if not self.limit:
            return
        for code in np.unique(pairs[known & (one != other)]).tolist():
            pair = divmod(code, MANY)
            if track.differs(*pair):
                for row in np.flatnonzero(known & (pairs == code))[: self.limit].tolist():
                    if self._has_room(track, pair, self._count + row):
                        self._keep(track, pair, self._flip(track, old, new, row))

    def _flip(self, track: Track, old: View, new: View, row: int) -> Flip:
        number = self._count + row
        sides = [(view, at, view.said(at)[row]) for view, at in ((old, track.old), (new, track.new))]
        for view, at, said in sides:
            if said == VIOLATED:
                found = view.evidence(row, at)
                return Flip(number, found.place, sentence(found.violation))
        why = next((view.doubt(row, at) for view, at, said in sides if said == UNKNOWN), "")
        return Flip(number, old.checked.place(row), why)

    def _has_room(self, track: Track, pair: tuple[int, int], number: int) -> bool:
        kept = track.flips.get(pair, [])
        return len(kept) < self.limit or number < kept[-1].number

    def _keep(self, track: Track, pair: tuple[int, int], flip: Flip) -> None:
        kept = track.flips.setdefault(pair, [])
        insort(kept, flip, key=lambda each: each.number)
        del kept[self.limit :]

    def _weigh(self, old: NDArray[np.intp], new: NDArray[np.intp], known: Marks) -> None:
        both = known & (old < UNBROKEN) & (new < UNBROKEN)
        self.softer += int((both & (old < new)).sum())
        self.harder += int((both & (old > new)).sum())

    # Calls that a clause is pending on ------------------------------------------------------------

    def _hold(self, old: View, new: View) -> dict[int, Held]:
        """The calls of a block that something is pending on, by their rows."""
        held: dict[int, Held] = {}
        for row in np.flatnonzero(old.waits(None) | new.waits(None)).tolist():
            sides = (HeldSide(old, row), HeldSide(new, row))
            many = sum(int(view.open[row].sum()) for view in (old, new))
            held[row] = Held(self._count + row, old.checked.place(row), sides, many)
            self._held[self._count + row] = held[row]
        return held

    def _release(self, held: Held) -> None:
        """Count a call whose clauses have come out, or will not."""
        if self._held.pop(held.number, None) is None:
            return
        one, other = held.sides
        self._weigh(one.gravest, other.gravest, np.array([True]))
        for track in self.tracks:
            if not (one.waited(track.old) or other.waited(track.new)):
                continue
            pair = one.said(track.old), other.said(track.new)
            track.counts[pair[0], pair[1]] += 1
            if track.differs(*pair) and self.limit and self._has_room(track, pair, held.number):
                self._keep(track, pair, held.flip(track))


class HeldSide:
    """One side of a call that is held: its outcomes so far, which of them were pending, and the evidence."""

    def __init__(self, view: View, row: int) -> None:
        self.codes, self.open, self.ranks = view.codes[row].copy(), view.open[row].copy(), view.ranks
        self.examples = view.examples(row)

    def waited(self, clause: int | None) -> bool:
        """Whether a clause, or any, was pending."""
        return bool(self.open.any() if clause is None else self.open[clause])

    def said(self, clause: int | None) -> int:
        """The outcome of a clause, or of the call as a whole."""
        return int(status(self.codes[None, :])[0] if clause is None else self.codes[clause])

    @property
    def gravest(self) -> NDArray[np.intp]:
        """The rank of the gravest clause that is broken, alone in an array."""
        return gravest(self.codes[None, :], self.ranks)

    def example(self, clause: int | None) -> Example:
        """The violation of a clause, or of the gravest that is broken."""
        least = min(self.examples, key=lambda each: (self.ranks[each], each))
        return self.examples[least if clause is None else clause]


@dataclass
class Held:
    """A call that something is pending on.  left: verdicts that have not come out."""

    number: int
    place: Place
    sides: tuple[HeldSide, HeldSide]
    left: int

    def flip(self, track: Track) -> Flip:
        """The call, with what the broken side says."""
        for side, at in zip(self.sides, (track.old, track.new), strict=True):
            if side.said(at) == VIOLATED:
                found = side.example(at)
                return Flip(self.number, found.place, sentence(found.violation), found.resolved)
        return Flip(self.number, self.place, "")


# Sides --------------------------------------------------------------------------------------------


class Side:
    """One scoring: what is pending in it, and what it could not know.

    hidden: of each clause, how many calls it could not judge since a ledger lacks fields, of these calls or
    of others that it looks at, by reason.
    """

    def __init__(self, scoring: Scoring) -> None:
        self.scoring, self.program = scoring, scoring.program
        clauses = self.program.clauses
        self.ranks = np.array([SEVERITIES.index(each.severity) for each in clauses], np.intp)
        self.hidden: list[dict[str, int]] = [{} for _ in clauses]
        self._since: dict[int, tuple[int, str]] = {}  # of a clause, the first call that lacks what it reads
        self._open: dict[tuple[Any, int], deque[Held]] = {}

    def view(self, checked: Checked, first: int) -> View:
        """A block with its outcomes, whose first call has the number `first`; what is hidden is counted."""
        made, told = View(checked, self.ranks), set[tuple[int, int]]()
        if (withheld := checked.block.withheld) is not None:
            numbers = {clause: at for at, clause in enumerate(checked.batch.clauses)}
            for row, line in enumerate(checked.lines):
                hidden = withheld.hidden(line - 1, self.program)
                for clause, (_, why) in withheld.untold(line - 1, self.program).items():
                    at = numbers[clause]
                    self._since.setdefault(at, (first + row, why))
                    told.add((row, at))
                    if clause in hidden and made.codes[row, at] == UNKNOWN:
                        self._hide(at, why)
        self._look_around(made, first, told)
        return made

    def _hide(self, clause: int, why: str) -> None:
        self.hidden[clause][why] = self.hidden[clause].get(why, 0) + 1

    def _look_around(self, view: View, first: int, told: set[tuple[int, int]]) -> None:
        """Count what is unknown for what other calls lack, where that may be so."""
        for clause, (since, why) in self._since.items():
            if not self.program.clauses[clause].remembers:
                continue
            for row in np.flatnonzero(view.codes[:, clause] == UNKNOWN).tolist():
                if first + row > since and (row, clause) not in told and view.looks(row, clause):
                    self._hide(clause, f"of other calls {why}")

    def settle(self, view: View, held: dict[int, Held], number: int) -> Iterator[Held]:
        """Go through what a block opened and closed; the calls on which nothing is pending any more."""
        checked = view.checked
        if not isinstance(checked, Remembered):
            return
        events: list[Opened | Closed] = [*checked.closed, *checked.opened]
        for event in sorted(events, key=lambda each: each.row):
            key = event.id, event.clause
            if isinstance(event, Opened):
                if view.open[event.row, event.clause]:
                    self._open.setdefault(key, deque()).append(held[event.row])
            elif key in self._open:
                call = self._open[key].popleft()
                if not self._open[key]:
                    del self._open[key]
                self._close(call, call.sides[number], event, checked.place(event.row))
                if not call.left:
                    yield call

    def _close(self, call: Held, side: HeldSide, event: Closed, at: Place) -> None:
        call.left -= 1
        side.codes[event.clause] = event.outcome
        if event.outcome == UNKNOWN and event.clause in self._since:
            self._hide(event.clause, f"of other calls {self._since[event.clause][1]}")
        if event.outcome == VIOLATED:
            found = Resolved(call.place, self.program.clauses[event.clause].name, event.outcome, at)
            side.examples[event.clause] = broken_later(self.program, found)


class View:
    """What one side says of the calls of a block.

    codes: an outcome per row and clause; open: those that are pending; status: of each call as a whole;
    gravest: the rank of the gravest clause that a call broke.
    """

    def __init__(self, checked: Checked, ranks: NDArray[np.intp]) -> None:
        self.checked = checked
        self.codes, self.open = codes(checked), _open(checked)
        self.status, self.gravest = status(self.codes), gravest(self.codes, ranks)
        self.ranks = ranks

    def said(self, clause: int | None) -> Codes:
        """The outcomes of a clause, or of calls as a whole."""
        return self.status if clause is None else self.codes[:, clause]

    def waits(self, clause: int | None) -> Marks:
        """The rows in which a clause, or any, is pending."""
        return np.asarray(self.open.any(axis=1) if clause is None else self.open[:, clause], bool)

    def evidence(self, row: int, clause: int | None) -> Example:
        """The violation of a clause in a row, or of the gravest that it broke."""
        broken = np.flatnonzero(self.codes[row] == VIOLATED).tolist()
        at = min(broken, key=lambda each: (self.ranks[each], each)) if clause is None else clause
        return self.checked.evidence(row, self.checked.batch.clauses[at])[0]

    def examples(self, row: int) -> dict[int, Example]:
        """All violations in a row."""
        broken = np.flatnonzero(self.codes[row] == VIOLATED).tolist()
        return {clause: self.evidence(row, clause) for clause in broken}

    def looks(self, row: int, clause: int) -> bool:
        """Whether a clause is unknown in a row for what other calls were, and not for an error value."""
        assert isinstance(self.checked, Remembered)
        verdict = self.checked.verdicts.get(row)
        return verdict is not None and self.checked.machine.memory(verdict, clause).why != ERROR_VALUE

    def doubt(self, row: int, clause: int | None) -> str:
        """Why a clause is unknown in a row, or the first that is."""
        at = int(np.flatnonzero(self.codes[row] == UNKNOWN)[0]) if clause is None else clause
        return self.checked.doubt(row, at).reason


def sentence(found: Violation) -> str:
    """What a call did, in one sentence."""
    return found.message.removeprefix(f"{found.clause}: ")


def codes(checked: Checked) -> Codes:
    """An outcome per row and clause, as numbers of `OUTCOMES`."""
    found = checked.batch.outcomes.astype(np.uint8)
    if isinstance(checked, Remembered):
        for row, clause in checked.unsettled:
            if found[row, clause] == UNKNOWN:
                found[row, clause] = WAITING
        found[checked.again] = REPEATED
    found[np.asarray(checked.batch.outside)] = OUTSIDE
    bad = {each.line for each in checked.batch.undecodable}
    found[[row for row, line in enumerate(checked.lines) if line in bad] if bad else []] = UNREADABLE
    return found


def _open(checked: Checked) -> Marks:
    found = np.zeros(checked.batch.outcomes.shape, bool)
    for event in checked.opened if isinstance(checked, Remembered) else ():
        found[event.row, event.clause] = True
    return found


def status(codes: Codes) -> Codes:
    """What is said of each call as a whole, as numbers of `CALLS`."""
    found = np.full(len(codes), OK, np.uint8)
    for outcome in (WAITING, UNKNOWN, VIOLATED):
        found[(codes == outcome).any(axis=1)] = outcome
    apart = codes[:, 0] >= OUTSIDE
    found[apart] = codes[apart, 0]
    return found


def gravest(codes: Codes, ranks: NDArray[np.intp]) -> NDArray[np.intp]:
    """Of each call the rank of the gravest clause that it broke, `UNBROKEN` if none."""
    found: NDArray[np.intp] = np.where(codes == VIOLATED, ranks, UNBROKEN).min(axis=1)
    return found
