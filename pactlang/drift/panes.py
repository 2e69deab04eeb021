"""What a watch has seen, by panes of the clock: for who reads many workers at once.

In: times and values of calls, in any order, on any number of workers.  Out: `Panes`, which add up; levels and
alarms, the same on every machine however the calls were spread.

A pane is a minute of event time, which no outcome can choose.  Its n calls with s hits take a level L to
(L + n times its share) times its factor, so that the eight levels grow by n at most on average
(`runtime/drift.h`): an alarm when they reach N keeps the same promise.  Within a pane the order of the
calls is not known; where a hit is a share, the factor is the least that any such shares can have, which
keeps the promise, too.

Only the newest panes that hold something are kept.  What falls away takes part in no level, and that only
lowers them.  Which panes these are does not depend on how states were merged: a pane among the newest of all
is among the newest of each state that has it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

WIDTH = 60_000_000  # microseconds
MOST_PANES = 1_024
HIT = 1 << 24  # a hit; values are rounded down to that
LEVEL, FACTOR = 1 << 28, 1 << 40
ODDS = (150, 200, 280, 400, 600, 900, 1400, 2500)  # of the alternatives, in hundredths
SHARES = (14, 10, 8, 8, 8, 7, 6, 3)  # of what a call adds, in 64ths
MAGIC = b"PPANES1\0"
ROW = struct.Struct("<qqq")
BITS = 64  # of a rounded factor


class Rise(NamedTuple):
    """An alarm: microseconds at which its pane ended, and at which the change probably began; calls and hits
    since then; the levels together, in calls."""

    time: int
    began: int
    calls: int
    hits: float
    evidence: float


class Panes:
    """Calls and hits of a watch by the minute; `merge` adds those of another worker.

    >>> panes = Panes()
    >>> panes.add(1_767_225_600_000_000, 1.0)
    >>> panes.merge(Panes()).calls
    1
    """

    def __init__(self, panes: Mapping[int, tuple[int, int]] | None = None) -> None:
        self.panes = _newest(dict(panes or {}))

    @property
    def calls(self) -> int:
        """Calls that are kept."""
        return sum(n for n, _ in self.panes.values())

    def add(self, time: int, value: float) -> None:
        """A call at so many microseconds since 1970: a number from 0 to 1.  ValueError for any other."""
        if not 0 <= value <= 1:
            raise ValueError("a number from 0 to 1")
        pane = time // WIDTH
        n, s = self.panes.get(pane, (0, 0))
        self.panes[pane] = n + 1, s + int(value * HIT)
        if len(self.panes) > MOST_PANES:
            self.panes = _newest(self.panes)

    def merge(self, other: Panes) -> Panes:
        """Add another worker's panes into these, exactly; self."""
        for pane, (n, s) in list(other.panes.items()):
            mine = self.panes.get(pane, (0, 0))
            self.panes[pane] = mine[0] + n, mine[1] + s
        self.panes = _newest(self.panes)
        return self

    def alarms(self, rate: Fraction, calls: int) -> Iterator[Rise]:
        """The alarms of the panes that are kept: above `rate`, one false alarm in so many calls."""
        factors = _factors(rate)
        levels, runs = [0] * len(ODDS), [0] * len(ODDS)
        starts: list[tuple[int, int, int]] = [(0, 0, 0)] * len(ODDS)
        seen = hits = 0
        for pane in sorted(self.panes):
            n, s = self.panes[pane]
            for k, pair in enumerate(factors):
                share = LEVEL * SHARES[k] // 64
                if runs[k] <= share:
                    runs[k], starts[k] = share, (pane, seen, hits)
                levels[k] = _through(levels[k] + n * share, pair, n, s)
                runs[k] = _through(runs[k], pair, n, s)
            seen, hits = seen + n, hits + s
            if s and sum(levels) >= calls * LEVEL:
                began, then, before = starts[max(range(len(ODDS)), key=levels.__getitem__)]
                evidence = sum(levels) / LEVEL
                yield Rise((pane + 1) * WIDTH, began * WIDTH, seen - then, (hits - before) / HIT, evidence)
                levels, runs = [0] * len(ODDS), [0] * len(ODDS)

    def to_bytes(self) -> bytes:
        """The panes as bytes: the same for the same calls, whatever their order."""
        return MAGIC + b"".join(ROW.pack(pane, *self.panes[pane]) for pane in sorted(self.panes))

    @classmethod
    def from_bytes(cls, data: bytes) -> Panes:
        """What `to_bytes` gave.  ValueError for anything else."""
        if data[: len(MAGIC)] != MAGIC or (len(data) - len(MAGIC)) % ROW.size:
            raise ValueError("these are no panes")
        rows = list(ROW.iter_unpack(data[len(MAGIC) :]))
        ordered = all(a[0] < b[0] for a, b in pairwise(rows))
        if not ordered or len(rows) > MOST_PANES or not all(n > 0 and 0 <= s <= n * HIT for _, n, s in rows):
            raise ValueError("the panes are damaged")
        return cls({pane: (n, s) for pane, n, s in rows})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Panes) and self.panes == other.panes

    __hash__ = None  # type: ignore[assignment]  # panes change


def _newest(panes: dict[int, tuple[int, int]]) -> dict[int, tuple[int, int]]:
    if len(panes) <= MOST_PANES:
        return panes
    return {pane: panes[pane] for pane in sorted(panes)[-MOST_PANES:]}


def _factors(rate: Fraction) -> list[tuple[int, int]]:
    """(L(0), L(1)) of each alternative, in 2^-40, rounded down."""
    top, bottom = rate.numerator, rate.denominator
    found = []
    for odds in ODDS:
        whole = 100 * bottom + (odds - 100) * top
        found.append(((100 * bottom * FACTOR) // whole, (odds * bottom * FACTOR) // whole))
    return found


def _through(level: int, pair: tuple[int, int], n: int, s: int) -> int:
    """A level after n calls with hits of s in all: hits, misses, one part of a hit; each rounded down."""
    whole, part = divmod(s, HIT)
    miss, hit = pair
    misses = n - whole - (part > 0)
    for factor, times in ((hit, whole), (miss, misses)):
        mantissa, shift = _power(factor, times)
        level = _shifted(level * mantissa, shift)
    return level * (miss + ((hit - miss) * part >> 24)) >> 40 if part else level


def _power(factor: int, times: int) -> tuple[int, int]:
    """(factor / 2^40) ** times, rounded down: a whole number, and by how many bits it is too large."""
    result, shift, base, down = 1, 0, factor, 40
    while times:
        if times & 1:
            result, shift = _rounded(result * base, shift + down)
        base, down = _rounded(base * base, 2 * down)
        times >>= 1
    return result, shift


def _rounded(value: int, shift: int) -> tuple[int, int]:
    over = max(0, value.bit_length() - BITS)
    return value >> over, shift - over


def _shifted(value: int, shift: int) -> int:
    return value >> shift if shift >= 0 else value << min(-shift, 4096)
