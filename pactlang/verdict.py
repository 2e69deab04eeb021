"""What a pact says: of one call a `Verdict`, of many a `Batch`, of one broken promise a `Violation`.

The machine makes verdicts as bit masks (`runtime/verdict.pxi`); names and evidence are put to them
when somebody asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pactlang._runtime import FleetVerdict, Verdict
from pactlang.opcodes import Outcome
from pactlang.source import Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pactlang.program import Program

__all__ = [
    "Alarm",
    "Amendment",
    "Batch",
    "Changed",
    "FleetBatch",
    "FleetVerdict",
    "Matched",
    "Outcome",
    "Undecodable",
    "Verdict",
    "Violation",
]


class Matched(NamedTuple):
    """Text that was found: in `field` (as written), the characters [start, end) of its value.

    `name` is the pattern's or phrase list's name, or the pattern itself where it has none.
    """

    field: str
    start: int
    end: int
    text: str
    name: str


class Changed(NamedTuple):
    """A field of the agent's version that took a new value when a rate rose: its `field`, the values `before`
    and `after`, and the number of the `record` with which it came.

    calls, hits: with the new value since then; other_calls, other_hits: with others.  e_value: the evidence
    of these calls alone against what is promised, 1 on average at most as long as that is kept.  named:
    whether the e-BH procedure at 5 % names it among all that changed.
    """

    field: str
    before: tuple[str, ...]
    after: str
    record: int
    calls: int
    hits: float
    other_calls: int
    other_hits: float
    e_value: float
    named: bool


class Alarm(NamedTuple):
    """What is known at the alarm of a `watch`.

    rate: what is promised, P.  record, time: where the change probably began, the number of the record that
    the monitor was given (from 1) and its event time (RFC 3339); None if it is not known.  calls, hits: since
    then; in_all, hits_in_all: since the detector last began anew.  evidence: what the detector has come to,
    in calls; at `promised` it gives an alarm.  changed: what else changed then, the strongest first;
    mixed: clauses that watch a distribution and gave an alarm since the change.  bin: of a distribution, the
    part that has risen, whose share was `was` in the baseline; stability: the population stability index
    since the last alarm, which only describes.
    """

    rate: float
    record: int | None
    time: str | None
    calls: int
    hits: float
    in_all: int
    hits_in_all: float
    evidence: float
    promised: int
    changed: tuple[Changed, ...] = ()
    mixed: tuple[str, ...] = ()
    bin: str | None = None
    was: float | None = None
    stability: float | None = None

    @property
    def observed(self) -> float:
        """The rate since the change."""
        return self.hits / self.calls if self.calls else 0.0


class Violation(NamedTuple):
    """One broken promise and its evidence.

    clause: its name.  severity: critical, major, minor or info.  span: the promise's characters in
    the pact's source.  values: what decided it, source text -> value.  matched: the text that was
    found, if that decided.  threshold: the constant it was compared with, if any.  message: all of it
    in one sentence.  digest: the pact's.  alarm: of a `watch`, what is known of the change.
    """

    clause: str
    severity: str
    span: Span
    values: dict[str, Any]
    matched: Matched | None
    threshold: Any
    message: str
    digest: str
    alarm: Alarm | None = None


class Amendment(NamedTuple):
    """A verdict that had to wait: of the call with this id, or with this number (from 1) where it has
    none, the clause has come out so; UNKNOWN if it will never be known.

    time: the call's, in microseconds since 1970; None if it has none.
    """

    id: Any
    clause: str
    outcome: Outcome
    time: int | None = None


class Undecodable(NamedTuple):
    """A line that is no record: its number in the data (from 1), the JSON path and the reason."""

    line: int
    json_path: str
    reason: str


class Fed(NamedTuple):
    """What a monitor knows of the rows of a batch beside their outcomes.

    waiting: numpy uint8 of shape (calls, clauses), 1 where unknown is not the last word (`pending`,
    `insufficient`).  times: numpy int64, microseconds since 1970, -(2^63 - 1) where a call has none; known of
    pacts that remember calls or have a `score`.  kinds: numpy int8, 1 judged, 0 outside, 2 a duplicate, -1
    no record.
    """

    waiting: NDArray[np.uint8]
    times: NDArray[np.int64]
    kinds: NDArray[np.int8]


class Batch:
    """Verdicts on many calls.

    outcomes: numpy uint8 of shape (calls, clauses), codes of `Outcome`; the row of a line that could
    not be decoded, or of a call that is outside the pact, is UNKNOWN throughout.
    clauses: the columns' names.  undecodable: `Undecodable` per bad line.
    lines: numpy int64 (calls,), the line number in the data (from 1) of each row.
    outside: numpy bool (calls,), True where the pact is not about the call.
    expired: numpy bool (calls,), True where the call came on or after the day the pact renews.
    ids: per row the call's id, None where it has none; empty unless they were asked for.
    fed: what a monitor knows beside; None of any other batch.
    """

    def __init__(
        self,
        outcomes: NDArray[np.uint8],
        clauses: tuple[str, ...],
        undecodable: list[Undecodable],
        lines: NDArray[np.int64],
        outside: NDArray[np.bool_],
        expired: NDArray[np.bool_],
        ids: list[Any],
        fed: Fed | None = None,
    ) -> None:
        self.outcomes = outcomes
        self.clauses = clauses
        self.undecodable = undecodable
        self.lines = lines
        self.outside = outside
        self.expired = expired
        self.ids = ids
        self.fed = fed

    def __len__(self) -> int:
        return len(self.lines)


class FleetBatch:
    """Verdicts of several pacts on many calls.

    records: how many there were.  batches: Program -> `Batch`, of the pacts that are about some call or
    could not decode one, in the order of the fleet; a row per such call, `Batch.lines` says which.
    undecodable: `Undecodable` per line that is no record at all, whatever the pact.
    """

    def __init__(self, records: int, batches: dict[Program, Batch], undecodable: list[Undecodable]) -> None:
        self.records = records
        self.batches = batches
        self.undecodable = undecodable

    def __len__(self) -> int:
        return self.records

    def outside(self, program: Program) -> int:
        """How many calls a pact of the fleet is not about."""
        batch = self.batches.get(program)
        return self.records - len(self.undecodable) - (len(batch) if batch is not None else 0)
