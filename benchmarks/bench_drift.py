"""How soon a watch gives its alarm, how often a false one, what a call costs: beside CUSUM and river.

    python -m benchmarks --only drift                  # a minute
    python benchmarks/bench_drift.py --runs 2000       # standard errors of 1 to 2 %

The rate is 1 % and rises after 500 calls, for the detectors of river, which learn it first, after 5,000.  A
delay is that of runs without an alarm before.  CUSUM is tuned for the very change of its column, and
computed exactly at the run length that the watch was measured to have.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from cusum import WARM, delay
from measure import frozen, options, parse, report
from numpy.typing import NDArray

from pactlang._runtime import Drift

RATE, CHANGES = 0.01, (0.015, 0.02, 0.03, 0.05, 0.1)
PROMISES = (10_000, 200_000, 10_000_000)
CHUNK, LONGEST = 5_000, 400_000
PEER_RUNS, PEER_WARM, PEER_LONGEST = 60, 5_000, 20_000


class Line(NamedTuple):
    """A detector: false alarms, delays, nanoseconds of CPU by call."""

    detector: str
    run_length: str
    to_1_5: str
    to_2: str
    to_3: str
    to_5: str
    to_10: str
    ns: str


def watch(calls: int) -> Drift:
    return Drift((0, -1, (), 0, -1, 0, ((1, 100),), calls, 0, (), ()), 1, 1, bytes(16))


def flips(random: np.random.Generator, rate: float) -> Iterator[list[bool]]:
    while True:
        yield (random.random(CHUNK) < rate).tolist()


Feed = Callable[[list[bool]], int]  # where in a chunk the first alarm is, -1 if there is none


def ours(calls: int) -> Feed:
    made = watch(calls)
    return lambda values: made.feed(values).find(1)


def peer(make: Callable[[], Any]) -> Feed:
    made = make()

    def feed(values: list[bool]) -> int:
        for i, value in enumerate(values):
            made.update(int(value))
            if made.drift_detected:
                return i
        return -1

    return feed


def run(feed: Feed, chunks: Iterator[list[bool]], most: int = LONGEST) -> int:
    """Calls to the first alarm; `most` where there was none."""
    for start in range(0, most, CHUNK):
        found = feed(next(chunks))
        if found >= 0:
            return start + found + 1
    return most


def lengths(make: Callable[[], Feed], random: np.random.Generator, runs: int, most: int) -> NDArray[np.int64]:
    return np.array([run(make(), flips(random, RATE), most) for _ in range(runs)])


def delays(
    make: Callable[[], Feed], after: float, random: np.random.Generator, runs: int, warm: int = WARM
) -> NDArray[np.int64]:
    found: list[int] = []
    while len(found) < runs:
        feed = make()
        if feed((random.random(warm) < RATE).tolist()) < 0:
            found.append(run(feed, flips(random, after), LONGEST if warm == WARM else PEER_LONGEST))
    return np.array(found)


def mean(values: NDArray[np.int64]) -> str:
    return f"{values.mean():,.0f} +- {values.std() / len(values) ** 0.5:,.0f}"


def late(values: NDArray[np.int64]) -> str:
    """The same; of one that often gives none at all only that."""
    silent = (values >= PEER_LONGEST).mean()
    return f"none in {PEER_LONGEST:,} ({silent:.0%} of runs)" if silent > 0.05 else mean(values)


def cost(feed: Feed, values: list[bool], rounds: int) -> float:
    spent = []
    with frozen():
        for _ in range(rounds):
            before = time.process_time_ns()
            feed(values)
            spent.append(time.process_time_ns() - before)
    return min(spent) / len(values)


def inner(rounds: int) -> float:
    """The detector alone, without Python."""
    made, hits, spent = watch(10**8), bytes(int(i % 100 == 0) for i in range(100_000)), []
    for _ in range(rounds):
        before = time.process_time_ns()
        made.repeat(hits, 1)
        spent.append(time.process_time_ns() - before)
    return min(spent) / len(hits)


def our_lines(runs: int, random: np.random.Generator, rounds: int) -> Iterator[Line]:
    for calls in PROMISES:
        def make(calls: int = calls) -> Feed:
            return ours(calls)

        shown, equal = f"at least {calls:,}", 0.0
        if calls == PROMISES[0]:
            measured = lengths(make, random, runs, LONGEST)
            shown, equal = f"{mean(measured)} (at least {calls:,})", float(measured.mean())
        found = [delays(make, after, random, runs) for after in CHANGES]
        speed = f"{inner(rounds):.1f} in C" if calls == PROMISES[0] else ""
        yield Line(f"`watch`, N = {calls:,}", shown, *map(mean, found), speed)
        if equal:
            exact = [delay(RATE, after, equal) for after in CHANGES]
            ratios = [f"{x:,.0f} ({own.mean() / x - 1:+.0%})" for own, x in zip(found, exact, strict=True)]
            yield Line("CUSUM tuned for each change (ours against it)", f"{equal:,.0f} (exact)", *ratios, "")


def peer_lines(runs: int, random: np.random.Generator, rounds: int) -> Iterator[Line]:
    from river.drift import ADWIN, PageHinkley

    values = (random.random(CHUNK) < RATE).tolist()
    for make in (ADWIN, PageHinkley):
        def side(make: Any = make) -> Feed:
            return peer(make)

        quiet = lengths(side, random, 1, LONGEST // 4 if runs < 20 else LONGEST)
        alarms = "none" if quiet[0] >= LONGEST // 4 else "one"
        few = min(runs, PEER_RUNS)
        found = [delays(side, after, random, few, PEER_WARM) for after in CHANGES]
        name = f"river {make.__name__}, as it comes"
        speed = f"{cost(side(), values, rounds):,.0f}"
        yield Line(name, f"{alarms} in {quiet[0]:,}", *map(late, found), speed)
    speed = f"{cost(ours(10**8), values, rounds):,.0f}"
    yield Line("`watch`, on a list of Python's values", *[""] * 6, speed)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--runs", type=int, default=300, help="of each detector and change")
    chosen = parse(parser)
    runs = 8 if chosen.quick else chosen.runs
    random = np.random.default_rng(7)
    rows = [*our_lines(runs, random, chosen.rounds), *peer_lines(runs, random, chosen.rounds)]
    report("drift", rows, chosen, ["river", "scipy"], columns=Line._fields)


if __name__ == "__main__":
    main()
