"""What a score is, as data: `Score` and its parts, and the JSON that other systems read.

In: numbers from `value.py`.  Out: `Score.json()`, whose keys are these fields' names; fractions of the scale
are points there, and times RFC 3339.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Dimension(Struct, frozen=True):
    """One dimension.

    weight: its share of all weights.  value, lower, upper: 0 to 1; value is None without enough evidence,
    and the dimension is then `absent`.  calls: with a point observation.  effective: calls of equal weight
    that would say as much.  clauses: where the evidence comes from.  since: bounds of the mean since the
    pact is what it is, if what is to be expected of a call has not changed since; None without calls.
    """

    name: str
    weight: float
    value: float | None
    lower: float
    upper: float
    absent: bool
    calls: int
    effective: float
    clauses: tuple[str, ...]
    since: tuple[float, float] | None


class Coverage(Struct, frozen=True):
    """What the score rests on.

    Of calls: judged, outside the pact, duplicates, dropped (seen, never judged), missing (by their capture
    numbers), unchecked (without such a number), untimed, old (of another age than the newest call by 40
    half-lives or more, so that they weigh nothing).  Of clauses on judged calls, amendments included:
    satisfied, violated, unknown, skipped, waiting.  share: of the weights, that of dimensions with evidence.
    """

    calls: int
    outside: int
    duplicates: int
    dropped: int
    missing: int
    unchecked: int
    untimed: int
    old: int
    satisfied: int
    violated: int
    unknown: int
    skipped: int
    waiting: int
    share: float


class Cap(Struct, frozen=True):
    """The score is at most `limit` of the scale because of a critical clause.

    why: `recent` (it was broken less than a half-life ago) or `rate` (it is broken more often than once in
    10,000 calls, as sure as the score's confidence).  until: when a recent one ends.
    """

    limit: float
    clause: str
    why: str
    until: int | None


class Score(Struct, frozen=True):
    """The score of a pact at a moment.

    value: 0 to `scale`, None if no dimension has enough evidence.  lower, upper: bounds that hold at every
    moment with `confidence`.  band: by the lower bound, "" below all.  provisional: the evidence does not
    suffice yet, `why` says for what.  now, newest, oldest: microseconds since 1970, None without times.
    digest: the pact's.  numbers: of all that was counted.
    """

    pact: str
    version: str
    digest: str
    scale: int
    confidence: float
    now: int | None
    value: float | None
    lower: float
    upper: float
    band: str
    provisional: bool
    why: tuple[str, ...]
    dimensions: tuple[Dimension, ...]
    coverage: Coverage
    newest: int | None
    oldest: int | None
    caps: tuple[Cap, ...]
    numbers: str

    @property
    def age(self) -> float | None:
        """Seconds from the newest call to now."""
        return None if self.now is None or self.newest is None else (self.now - self.newest) / 10**6

    def json(self) -> dict[str, Any]:
        """The score as plain data, times as text and all values in points."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        for name in ("now", "newest", "oldest"):
            data[name] = rfc3339(getattr(self, name))
        data["age"] = self.age
        for dimension in data["dimensions"]:
            for name in ("value", "lower", "upper"):
                dimension[name] = points(dimension[name], self.scale)
            dimension["since"] = dimension["since"] and [points(x, self.scale) for x in dimension["since"]]
        for cap in data["caps"]:
            cap["limit"], cap["until"] = points(cap["limit"], self.scale), rfc3339(cap["until"])
        return {"format": "pactlang.score/1", **data}

    def __repr__(self) -> str:
        value = "none yet" if self.value is None else f"{self.value:g} of {self.scale}"
        return f"<Score of {self.pact}: {value}, {self.lower:g} to {self.upper:g}>"


def points(share: float | None, scale: int) -> float | None:
    """A fraction of the scale, a whole number of ten-thousandths, in points."""
    return None if share is None else round(share * 10_000) * scale / 10_000


def rfc3339(time: int | None) -> str | None:
    """Microseconds since 1970 as text; None for none, and beyond what dates can say the bare number."""
    if time is None:
        return None
    try:
        return (EPOCH + timedelta(microseconds=time)).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return str(time)
