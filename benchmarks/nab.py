"""The Numenta Anomaly Benchmark by its standard profile: a courtesy figure, for what a watch is not for.

    python benchmarks/nab.py SERIES.jsonl.gz

In: a line of JSON for each series: `ts`, `v`, `anomaly_windows`.  Out: the score by N.  A series wanders, and
there is no promise to hold it to: a watch over its distribution learns how it is from the first 15 %, and
anew from the 300 values behind each alarm, during which it says nothing.  100 is every window at its
beginning and no false alarm, 0 is no alarm at all.
"""

from __future__ import annotations

import gzip
import json
import math
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from pactlang._runtime import Drift
from pactlang.drift.baseline import FEWEST, measure, part_of

LEARN, PROBATION, SHARE = 300, 750, 0.15
MISSED, FALSE = 1.0, 0.11  # what a window without an alarm, and a false alarm, cost


class Series(NamedTuple):
    """Values, where the probation ends, and the first and last index of each window."""

    values: list[float]
    start: int
    windows: list[tuple[int, int]]


def series(line: dict[str, Any]) -> Series:
    times, start = [_time(t) for t in line["ts"]], min(int(SHARE * len(line["v"])), PROBATION)
    ends = [(_time(a), _time(b)) for a, b in line["anomaly_windows"]]
    spans = ([i for i, t in enumerate(times) if a <= t <= b] for a, b in ends)
    return Series(line["v"], start, [(s[0], s[-1]) for s in spans if s and s[0] >= start])


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text[:19])


def alarms(given: Series, calls: int) -> Iterator[int]:
    """Where a watch with this N gives an alarm."""
    values, at = given.values, given.start
    known: Sequence[float] = values[:at]
    while at < len(values) and len(known) >= FEWEST:
        base = measure("v", "numbers", known)
        made = Drift((0, -1, (), 0, -1, 0, base.rates, calls, 1, base.edges, ()), 1, 1, bytes(16))
        parts = (part_of(value, base.edges, (), "numbers") for value in values[at:])
        found = next((i for i, part in enumerate(parts) if made.feed([1.0], bin=part) == b"\1"), None)
        if found is None:
            return
        at += found
        yield at
        known, at = values[at + 1 : at + 1 + LEARN], at + 1 + LEARN


def score(given: Series, found: Sequence[int]) -> float:
    """The sum that the benchmark gives to these alarms."""
    best: dict[int, float] = {}
    lost = 0.0
    for i in found:
        inside = next((k for k, (a, b) in enumerate(given.windows) if a <= i <= b), None)
        if inside is None:
            lost += FALSE * _late(i, given.windows)
            continue
        a, b = given.windows[inside]
        gain = _sigmoid(-(b - i + 1) / (b - a + 1)) / _sigmoid(-1.0)
        best[inside] = max(gain, best.get(inside, gain))
    return sum(best.values()) + lost - MISSED * (len(given.windows) - len(best))


def _late(i: int, windows: Sequence[tuple[int, int]]) -> float:
    """How bad a false alarm is: less so right behind a window."""
    before = [(a, b) for a, b in windows if b < i]
    if not before:
        return -1.0
    a, b = before[-1]
    behind = (i - b) / max(1, b - a)
    return _sigmoid(behind) if behind <= 3 else -1.0


def _sigmoid(y: float) -> float:
    return 2 / (1 + math.exp(5 * y)) - 1


def main() -> None:
    with gzip.open(sys.argv[1], "rt") as file:
        given = [series(json.loads(line)) for line in file]
    windows = sum(len(each.windows) for each in given)
    print(f"{len(given)} series, {windows} windows")
    for calls in (10_000, 100_000, 1_000_000, 10_000_000):
        found = [list(alarms(each, calls)) for each in given]
        total = sum(score(each, said) for each, said in zip(given, found, strict=True))
        points = 100 * (total + MISSED * windows) / ((1 + MISSED) * windows)
        print(f"N = {calls:,}: {points:.1f}, {sum(map(len, found))} alarms")


if __name__ == "__main__":
    main()
