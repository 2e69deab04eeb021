"""The scorer: verdicts come in, a score comes out, and scorers of several workers become one.

In: verdicts, rows of a batch, amendments.  Out: `Score`, and the state as bytes.

The sums lie in the machine (`runtime/score.pxi`) and are exact; what is rounded is rounded once, when
somebody asks for the score.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pactlang._runtime import MonitorVerdict, Tally
from pactlang.errors import RecordError
from pactlang.program import Program
from pactlang.score import state
from pactlang.score.plan import Plan
from pactlang.score.shape import Score
from pactlang.values import Timestamp
from pactlang.verdict import Amendment, Batch, Verdict

if TYPE_CHECKING:
    Capture = int | tuple[str, int] | None
    Time = datetime | Timestamp | int

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FOREVER = 2**63 - 1
NEVER = -(2**63 - 1)  # no time
MOST = 2**53  # calls that one state counts


class Scorer:
    """Adds verdicts of one pact up to a score.

    worker: who counts here; capture numbers are each worker's own.  latest: a time after which no call can
    have been; one that says so counts as a call without time, since it would make all others old.

    `add` takes a `Verdict` or an `Amendment`.  `merge` adds another scorer into this one.  The same verdicts
    give the same state, whatever their order and however they were spread over scorers.

    Raises ValueError, and counts nothing, for a verdict of another pact, and for a call that has been
    counted.

    >>> import pactlang
    >>> program = pactlang.compile('pact p "1.0.0" clause short { require size(output) < 9 }')
    >>> monitor, scorer = pactlang.Monitor(program), pactlang.Scorer(program)
    >>> for second in range(500):
    ...     time = f"2026-01-01T00:{second // 60:02}:{second % 60:02}Z"
    ...     scorer.add(monitor.feed({"output": "fine", "time": time}))
    >>> scorer.score().value > 970
    True
    """

    def __init__(self, program: Program, worker: str | None = None, *, latest: Time | None = None) -> None:
        if not isinstance(program, Program):
            raise TypeError(f"expected a Program (pactlang.load makes one), found {type(program).__name__}")
        self.program = program
        self.plan = Plan(program)
        self.worker = worker or ""
        self.latest = FOREVER if latest is None else micros(latest)
        self._begin(self.plan.tally())
        self._number = {name: i for i, name in enumerate(self.plan.names)}

    def _begin(self, tally: Tally) -> None:
        self.tally = tally
        tally.worker, tally.latest = self.worker, self.latest

    # What comes in --------------------------------------------------------------------------------

    def add(self, found: Verdict | Amendment, capture: Capture = None, time: Time | None = None) -> None:
        """Count a verdict, or what has become of one that waited.

        capture: the call's number, of this scorer's worker or as (worker, number); without one the call is
        `unchecked`: nobody can see whether it is counted twice, or whether others are missing.  time: when
        the call was, by default what the verdict knows; without any it weighs as a call now, always.
        """
        if not self.tally.add_known(found, capture, time):
            self._add(found, capture, time)

    def _add(self, found: Verdict | Amendment, capture: Capture, time: Time | None) -> None:
        if isinstance(found, Amendment):
            self._amend(found)
            return
        self._accept(found)
        worker, number = self._numbered(capture)
        when = self._time_of(found) if time is None else self._in_time(micros(time))
        self.tally.add(found, when, worker, number)

    def add_batch(self, batch: Batch, capture: int | None = None, times: Any = None) -> None:
        """Count the rows of a batch, as `add` counts verdicts; what waited comes as amendments.

        capture: number of the first row, from which the others are numbered on.  times: numpy int64 of shape
        (calls,), microseconds since 1970, -(2^63 - 1) for none; by default those that the batch knows
        (`Batch.fed`), and without them all rows count as calls without time.  A line that is no record is
        dropped.
        """
        import numpy as np

        if batch.clauses != self.plan.names:
            raise ValueError("the batch is of another pact")
        fed, rows = batch.fed, len(batch)
        if times is None:
            times = np.full(rows, NEVER, np.int64) if fed is None else fed.times
        if fed is None:
            kinds = np.where(batch.outside, 0, 1).astype(np.int8)
            kinds[np.isin(batch.lines, [each.line for each in batch.undecodable])] = -1
        else:
            kinds = fed.kinds
        waiting = None if fed is None else fed.waiting
        codes = np.ascontiguousarray(batch.outcomes)
        self.tally.add_rows(codes, waiting, np.asarray(times, np.int64), kinds, self.worker, capture)

    def drop(self, capture: Capture = None, time: Time | None = None) -> None:
        """Count a call that was seen and never judged: the bounds take it as the worst, and as the best."""
        worker, number = self._numbered(capture)
        self.tally.note("dropped", None if time is None else self._in_time(micros(time)), worker, number)

    def pass_over(self, capture: Capture, last: int | None = None) -> None:
        """Note a capture number that is of no call, or all from it to `last`: they are not missing."""
        worker, number = self._numbered(capture)
        if number is not None:
            self.tally.pass_over(worker, number, number if last is None else last)

    def _numbered(self, capture: Capture) -> tuple[str, int | None]:
        """Whose number it is, and the number."""
        if not isinstance(capture, tuple):
            return self.worker, capture
        if len(capture) != 2 or not isinstance(capture[0], str):
            raise TypeError("a capture is a number, or a worker's name and a number")
        capture[0].encode()  # a lone surrogate could not be saved
        return capture

    def _amend(self, found: Amendment) -> None:
        number = self._number.get(found.clause)
        if number is None:
            raise ValueError(f"the pact has no clause {found.clause[:100]}")
        time = None if found.time is None else self._in_time(found.time)
        self.tally.amend(number, int(found.outcome), time)

    def _accept(self, verdict: Verdict) -> None:
        """ValueError unless a verdict is of this pact."""
        if isinstance(verdict, Verdict) and verdict.owner is self.tally.owner:
            return
        if not isinstance(verdict, Verdict):
            raise TypeError(f"expected a Verdict or an Amendment, found {type(verdict).__name__}")
        program: Program | None = getattr(verdict.owner, "program", None)
        if program is None or program.digest != self.program.digest:
            raise ValueError("the verdict is of another pact")
        self.tally.owner = verdict.owner

    def _time_of(self, verdict: Verdict) -> int | None:
        """A verdict's time, or its record's."""
        if isinstance(verdict, MonitorVerdict) and verdict.time is not None:
            return self._in_time(verdict.time)
        owner: Any = verdict.owner
        if not owner.has_time:
            return None
        try:
            time = owner.reader.member(verdict.record, "time")
        except (LookupError, AttributeError, RecordError):
            return None
        return self._in_time(micros(time)) if isinstance(time, Timestamp) else None

    def _in_time(self, time: int) -> int | None:
        if time < -FOREVER:
            raise ValueError("a time is 292,000 years before or after 1970 at most")
        return None if time > self.latest else time

    # Scorers together -----------------------------------------------------------------------------

    def merge(self, other: Scorer) -> Scorer:
        """Add what another scorer of the same pact has counted; self.  ValueError, and nothing is changed,
        if both have counted the same call, or if they are of different pacts."""
        if other is self or other.plan.digest != self.plan.digest:
            raise ValueError("only the scores of two scorers of one pact can be merged")
        if self.tally.calls + other.tally.calls + self.tally.amended + other.tally.amended > MOST:
            raise ValueError("together these are more calls than a score can count")
        self.tally.merge(other.tally)
        return self

    def to_bytes(self) -> bytes:
        """The state: the same verdicts give the same bytes."""
        return state.save(self.plan, self.tally)

    @classmethod
    def from_bytes(
        cls, program: Program, data: bytes, worker: str | None = None, *, latest: Time | None = None
    ) -> Scorer:
        """A scorer that goes on from a state.  ValueError if it is damaged, or of another pact."""
        made = cls(program, worker, latest=latest)
        made._begin(state.load(made.plan, data))
        return made

    # What comes out -------------------------------------------------------------------------------

    def score(self, now: Time | None = None, band: str | None = None) -> Score:
        """The score at a time, by default that of the newest call.

        band: the one that was published last; it stands until the interval excludes it.  ValueError for a
        time before the newest call: what was known then is no longer here.
        """
        from pactlang.score.value import score_of  # only who asks pays for the import of decimals

        return score_of(self.plan, self.tally, None if now is None else micros(now), band)

    def __repr__(self) -> str:
        return f"<Scorer of {self.program.name}, {self.tally.calls} calls>"


def micros(time: Time) -> int:
    """A time as microseconds since 1970.  ValueError for a datetime without a time zone."""
    if isinstance(time, int):
        return time
    if not isinstance(time, datetime | Timestamp):
        raise TypeError(f"a time is a datetime or microseconds since 1970, found {type(time).__name__}")
    if isinstance(time, Timestamp):
        return time.seconds * 10**6 + time.nanos // 1000
    if time.tzinfo is None:
        raise ValueError("a time needs a time zone")
    return (time - EPOCH) // timedelta(microseconds=1)
