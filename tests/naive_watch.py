"""`watch` in plain Python: exact fractions and lists, as the reference says it, for one watch.

In: P, N, and calls as (admitted, key, X), each of which may be `ERROR`; X may be None.  Out: outcomes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import cache
from typing import Any

ERROR = "error"
ODDS = (150, 200, 280, 400, 600, 900, 1400, 2500)
SHARES = (14, 10, 8, 8, 8, 7, 6, 3)  # of 64
LEVEL, FACTOR, HIT = 1 << 28, 1 << 40, 1 << 24
MOST_GROUPS = 1_000


@cache
def factors(rate: Fraction) -> list[tuple[int, int]]:
    """(L(0), L(1)) of each alternative, in 2^-40, rounded down."""
    found = []
    for odds in ODDS:
        m = Fraction(odds, 100)
        below = 1 + (m - 1) * rate
        found.append((int(FACTOR / below), int(FACTOR * m / below)))
    return found


class Levels:
    """The eight levels of one reading."""

    def __init__(self, rate: Fraction, levels: Iterable[int] = (0,) * 8) -> None:
        self.rate, self.factors, self.levels = rate, factors(rate), list(levels)

    def take(self, x: float) -> int:
        """By one X; their sum."""
        share = int(x * HIT)  # of a hit
        for k, (miss, hit) in enumerate(self.factors):
            factor = miss + ((hit - miss) * share >> 24)
            self.levels[k] = (self.levels[k] + LEVEL * SHARES[k] // 64) * factor >> 40
        return sum(self.levels)


class Detector:
    """One group: what cannot be read is no hit (`low`) and is one (`high`)."""

    def __init__(self, rate: Fraction, calls: int) -> None:
        self.rate, self.limit = rate, calls * LEVEL
        self.low, self.high = Levels(rate), Levels(rate)

    def take(self, x: Any) -> str:
        """By one X: alarm, doubt (it would be one if what cannot be read were hits) or quiet."""
        low, high = (0.0, 1.0) if x == ERROR else (float(x), float(x))
        if self.rate == 0:
            return "alarm" if int(low * HIT) > 0 else "doubt" if x == ERROR else "quiet"
        alarm, doubt = self.low.take(low) >= self.limit and int(low * HIT) > 0, self.high.take(high) >= self.limit and int(high * HIT) > 0
        if alarm:
            self.low, self.high = Levels(self.rate), Levels(self.rate)
            return "alarm"
        if doubt:
            self.high = Levels(self.rate, self.low.levels)
        return "doubt" if doubt else "quiet"


def outcomes(rate: Fraction, calls: int, records: Iterable[tuple[Any, Any, Any]]) -> Iterator[str]:
    """What the watch says of each call."""
    groups: dict[Any, Detector] = {}
    for admitted, key, x in records:
        if admitted == ERROR:
            yield "unknown"
        elif not admitted or x is None:
            yield "skipped"
        elif key == ERROR:
            yield "unknown"
        else:
            usual = isinstance(x, bool) or (isinstance(x, int | float) and 0 <= x <= 1)
            name = key if key in groups or len(groups) < MOST_GROUPS else "other groups"
            detector = groups.setdefault(name, Detector(rate, calls))
            said = detector.take(x if usual else ERROR)
            yield "violated" if said == "alarm" else "unknown" if said == "doubt" or not usual else "satisfied"
