"""Do bounds that are looked at after every call hold, and how wide are they beside Wilson's?

    python -m benchmarks --only validity
    python benchmarks/bench_validity.py --streams 1000 --write        minutes

Streams of 0 and 1 (or of graded observations) with a known expectation before each call; their decayed
mean is what has to lie within the bounds after every one of 30,000 calls.  Whether it does is decided by
the same sums in floating point, for all streams at once; `check` holds them to the shipped functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from measure import Row, options, parse, report

from pactlang.score import wagers
from pactlang.score.exact import SCALE
from pactlang.score.intervals import (
    FIRST_STEP,
    KEPT,
    NEAR,
    OLDEST_STEP,
    PRIOR,
    Stream,
    Sums,
    mean_interval,
    stake,
    streams,
)
from pactlang.score.wagers import BITS, CENTRES, EIGHTHS, FULL, SHARES, TAIL, WEIGHT, WHOLE, allowed, size

ALPHA = 0.05
NORMAL = 1.959963984540054  # of ALPHA, two-sided
CALLS = 30_000
HALF_LIFE = 2_000  # calls, where nothing else is said
OTHERS = (200, 20_000)
PEEKS = (2_000, 5_000, 30_000)  # where widths are compared
COMPARED = 20  # streams whose widths are compared
BLOCK = 20  # streams at a time
LAST_STEP = 12  # of the wagers that are looked at; leaving out others could only widen
GRADES = np.array([0.0, 0.6, 0.9, 1.0])

Numbers = np.ndarray[Any, np.dtype[np.float64]]
Calls = tuple[Numbers, Numbers]  # observations and expectations: streams x calls
Truth = Callable[[np.random.Generator, int, int], Calls]

# Truths -----------------------------------------------------------------------------------------------


def by_chance(means: Callable[[Numbers], Numbers]) -> Truth:
    """Calls that are 1 with a probability that is a function of the time, 0 to 1."""

    def draw(rng: np.random.Generator, many: int, calls: int) -> Calls:
        m = np.broadcast_to(means(np.arange(calls) / calls), (many, calls))
        return (rng.random((many, calls)) < m).astype(float), m

    return draw


def answering(rng: np.random.Generator, many: int, calls: int) -> Calls:
    """Failures bring failures: 2 %, and after each one 30 % more for a while."""
    x, m = np.zeros((many, calls)), np.zeros((many, calls))
    mood = np.zeros(many)
    for i in range(calls):
        m[:, i] = np.minimum(0.9, 0.02 + mood)
        x[:, i] = rng.random(many) < m[:, i]
        mood = 0.7 * mood + 0.3 * 0.8 * x[:, i]
    return x, m


def contrary(rng: np.random.Generator, many: int, calls: int) -> Calls:
    """As restless as can be while the bounds are nearly reached, and quiet while they are far."""
    x, m = np.zeros((many, calls)), np.zeros((many, calls))
    ahead, spread = np.zeros(many), np.full(many, 1e-9)
    growth = 2.0 ** (1 / HALF_LIFE)
    for i in range(calls):
        m[:, i] = np.where(np.abs(ahead) > 1.5 * np.sqrt(spread), 0.5, 0.02)
        x[:, i] = rng.random(many) < m[:, i]
        ahead = (ahead + x[:, i] - m[:, i]) / growth
        spread = (spread + m[:, i] * (1 - m[:, i])) / growth**2
    return x, m


def graded(rng: np.random.Generator, many: int, calls: int) -> Calls:
    """Observations of four grades, mostly good."""
    parts = np.array([0.01, 0.04, 0.15, 0.8])
    return rng.choice(GRADES, (many, calls), p=parts), np.full((many, calls), parts @ GRADES)


TRUTHS: dict[str, Truth] = {
    "0.01": by_chance(lambda at: np.full_like(at, 0.01)),
    "0.2": by_chance(lambda at: np.full_like(at, 0.2)),
    "0.02, then 0.12": by_chance(lambda at: np.where(at < 0.5, 0.02, 0.12)),
    "0.001": by_chance(lambda at: np.full_like(at, 0.001)),
    "0.5": by_chance(lambda at: np.full_like(at, 0.5)),
    "0.2, then 0.8": by_chance(lambda at: np.where(at < 0.5, 0.2, 0.8)),
    "drift, 0.01 to 0.3": by_chance(lambda at: 0.01 + 0.29 * at),
    "waves, 0 to 0.2": by_chance(lambda at: 0.1 + 0.1 * np.sin(40 * at)),
    "answering": answering,
    "contrary": contrary,
    "graded": graded,
}
# Sums -------------------------------------------------------------------------------------------------


class Epoch(NamedTuple):
    """One epoch of all streams; sums so far over its calls: streams x calls, for a weight of 1 at its end."""

    w: Numbers
    w2: Numbers
    wx: Numbers
    w2x: Numbers
    w2xx: Numbers
    wm: Numbers
    eighths: np.ndarray[Any, np.dtype[np.int64]]


def features(w: Numbers, w2: Numbers, wx: Numbers, w2x: Numbers, w2xx: Numbers) -> list[Numbers]:
    """Sums of v x, v^2 x, v (1-x), v^2 (1-x), v^2 x (1-x): what the integers of a wager multiply."""
    return [wx, w2x, w - wx, w2 - w2x, w2x - w2xx]


def epochs_of(x: Numbers, m: Numbers, half_life: int) -> list[Epoch]:
    """The calls, cut into half-lives."""
    steps = np.arange(x.shape[1]) * 256 // half_life
    weights = np.array([round(2 ** (20 + i / 256)) / WEIGHT for i in range(256)])
    made = []
    for epoch in range(steps[-1] // 256 + 1):
        own = steps // 256 == epoch
        v, xs, ms = weights[steps[own] % 256], x[:, own], m[:, own]
        all_of = np.ones_like(xs)
        terms = (v * all_of, v * v * all_of, v * xs, v * v * xs, v * v * xs * xs, v * ms)
        sums = [np.cumsum(each, axis=1) for each in terms]
        made.append(Epoch(*sums, steps[own] % 256 * EIGHTHS // 256))
    return made


def exact_sums(xs: Numbers, half_life: int) -> tuple[dict[int, Sums], int]:
    """The state's integers of one stream, and the step of its newest call."""
    steps = [i * 256 // half_life for i in range(len(xs))]
    found: dict[int, list[int]] = {}
    for q, x in zip(steps, xs, strict=True):
        w, g = round(2 ** (20 + q % 256 / 256)), round(1000 * x)
        more = (1, w, w * g, w * w, w * w * g, w * w * g * g)
        found[q // 256] = [a + b for a, b in zip(found.get(q // 256, [0] * 6), more, strict=True)]
    kept = {e: s for e, s in found.items() if e > steps[-1] // 256 - KEPT}
    return {e: (s[0], s[1], s[2], s[3], s[4], s[5]) for e, s in kept.items()}, steps[-1]


# Stakes -----------------------------------------------------------------------------------------------


@cache
def placed(reach: int) -> list[tuple[int, int]]:
    """The wagers that are looked at: steps and centres."""
    every = [(step, c) for step in range(FIRST_STEP, LAST_STEP + 1) for c in range(len(CENTRES))]
    return [each for each in every if allowed(*each, reach)]


@cache
def coefficients(step: int, centre: int, reach: int) -> Numbers:
    """Of a wager, for sums of observations from 0 to 1 and weights up to 1."""
    units = (WEIGHT * WHOLE, WEIGHT**2 * WHOLE, WEIGHT * WHOLE, WEIGHT**2 * WHOLE, WEIGHT**2 * WHOLE**2)
    ints = wagers.wager(step, centre, reach)
    return np.array([each * unit / 2**BITS for each, unit in zip(ints, units, strict=True)])


@cache
def earlier(step: int, centre: int, many: int) -> Numbers:
    """Coefficients of so many epochs before the newest: epochs x 5."""
    made = np.zeros((many, 5))
    for k in range(1, many + 1):
        if k < NEAR:
            made[k - 1] = coefficients(step + 2 * k, centre, FULL)
        elif k <= (OLDEST_STEP - step) // 2:
            far = 2.0 ** -(k - NEAR)
            made[k - 1] = coefficients(step + 2 * NEAR, centre, TAIL) * [far, far**2, far, far**2, far**2]
        else:  # not placed: `heights` has taken their weight to be
            made[k - 1] = np.array([1, 0, 1, 0, 0]) * -float(size(step) * CENTRES[centre]) * 2.0**-k
    return made


def share(step: int, centre: int, age: int) -> float:
    r = step + 2 * age - FIRST_STEP + PRIOR
    return math.log(float(SHARES[centre]) * PRIOR / (r * (r + 1)))


TURNED = [2, 3, 0, 1, 4]  # `features` of what observations lack of 1


class Moment(NamedTuple):
    """Sums at some moments, streams x moments, for a weight of 1 at the end of the newest epoch.

    rows: of the newest epoch, as `features`.  past: of each before it, newest first, for a weight of 1
    at its end: epochs x 5 x streams.  totals: of all epochs, of v, v^2, v x, v m.
    """

    rows: list[Numbers]
    past: Numbers
    totals: list[Numbers]
    reach: int
    age: int

    def flipped(self) -> Moment:
        """Of what observations lack of 1."""
        v, v2, vx, vm = self.totals
        rows, totals = [self.rows[i] for i in TURNED], [v, v2, v - vx, v - vm]
        return self._replace(rows=rows, past=self.past[:, TURNED], totals=totals)


def moments(epochs: list[Epoch]) -> Iterator[Moment]:
    """All moments, those within one eighth of one epoch together."""
    past = np.zeros((0, 5, len(epochs[0].wx)))
    before: list[Numbers] = [np.zeros((1, 1))] * 4
    for age, epoch in enumerate(epochs):
        now = [a + b for a, b in zip(before, (epoch.w, epoch.w2, epoch.wx, epoch.wm), strict=True)]
        for reach in range(EIGHTHS):
            own = epoch.eighths == reach
            if own.any():
                rows = features(*(each[:, own] for each in epoch[:5]))
                yield Moment(rows, past, [each[:, own] for each in now], reach, age)
        past = np.concatenate([[features(*(each[:, -1] for each in epoch[:5]))], past])[: KEPT - 1]
        before = [each[:, -1:] / halved for each, halved in zip(now, (2, 4, 2, 2), strict=True)]


def product(a: Any, b: Numbers) -> Numbers:
    """Of matrices, without the threads of a library, which wait for cores that others use."""
    return np.einsum("ij,jk", np.asarray(a), b)


def heights(moment: Moment, means: Numbers) -> Numbers:
    """ln of every stake if the means are these: wagers x streams x moments."""
    every = placed(moment.reach)
    flat = moment.past.reshape(-1, moment.past.shape[2])
    past = product([earlier(*each, len(moment.past)).ravel() for each in every], flat)
    shares = np.array([share(*each, moment.age) for each in every])
    b = np.array([float(size(step)) for step, _ in every])
    centred = b * np.array([float(CENTRES[centre]) for _, centre in every])
    factors = np.array([[*coefficients(*each, moment.reach), 0, 0] for each in every])
    factors[:, 5], factors[:, 6] = centred, -b
    v = np.broadcast_to(moment.totals[0], means.shape)
    rows = np.array([*(np.broadcast_to(each, means.shape) for each in moment.rows), v, v * means])
    now = product(factors, rows.reshape(7, -1)).reshape(len(every), *means.shape)
    now += (past + shares[:, None])[:, :, None]
    return now


def stakes(moment: Moment, means: Numbers) -> Numbers:
    """The sum of all stakes if the means are these: streams x moments."""
    return np.exp(np.minimum(heights(moment, means), 700)).sum(axis=0)


def refuted(moment: Moment) -> Any:
    """Whether the stakes say at any moment that the truth is not true: streams."""
    v, _, _, vm = moment.totals
    every = heights(moment, np.broadcast_to(vm / v, moment.rows[0].shape))
    level = math.log(2 / ALPHA)
    near = every.max(axis=0) >= level - math.log(len(every))  # else their sum is less, too
    stream, _ = np.nonzero(near)
    found = np.zeros(len(near), bool)
    found[stream[np.exp(every[:, near]).sum(axis=0) >= 2 / ALPHA]] = True
    return found


# Misses and widths ------------------------------------------------------------------------------------


def misses(x: Numbers, m: Numbers, half_life: int) -> tuple[float, float]:
    """The shares of streams whose truth ever lay outside: of our bounds, and of Wilson's."""
    ours, wilson = np.zeros(len(x), bool), np.zeros(len(x), bool)
    for moment in moments(epochs_of(x, m, half_life)):
        for side in (moment, moment.flipped()):
            ours |= refuted(side)
        wilson |= outside_wilson(*moment.totals).any(axis=1)
    return float(ours.mean()), float(wilson.mean())


def outside_wilson(v: Numbers, v2: Numbers, vx: Numbers, vm: Numbers) -> Any:
    """Whether the truth lies outside of Wilson's interval; not asked before there are 30 calls."""
    n, mu = v * v / v2, vm / v
    return (n >= 30) & ((vx / v - mu) ** 2 > NORMAL**2 * mu * (1 - mu) / n)


def wilson_width(epochs: dict[int, Sums]) -> float:
    """At the effective number of calls."""
    top = max(epochs)
    powers = ((1, 2.0), (2, 2.0), (3, 4.0))
    w, g, w2 = (sum(s[i] * by ** (e - top) for e, s in epochs.items()) for i, by in powers)
    n, p = w * w / w2, g / w / 1000
    return 2 * NORMAL / (1 + NORMAL**2 / n) * math.sqrt(p * (1 - p) / n + NORMAL**2 / (4 * n * n))


def stitched_width(calls: int, half_life: int) -> float:
    """Of the stitched boundary (Howard, Ramdas, McAuliffe and Sekhon 2021), by the range of 0 to 1 alone."""
    v = 2.0 ** (np.arange(calls) / half_life)
    spread = max(1.0, float((v * v).sum()) / 4)
    price = math.log(math.log(2 * spread)) + 0.72 * math.log(10.4 / ALPHA)
    return 2 * 1.7 * math.sqrt(spread * price) / float(v.sum())


def widths(x: Numbers, half_life: int) -> list[tuple[float, float]]:
    """At each peek the mean width of our bounds and of the stitched ones, divided by Wilson's."""
    found = []
    for peek in (each for each in PEEKS if each <= x.shape[1]):
        ratios = []
        for stream in x[:, :peek]:
            sums, newest = exact_sums(stream, half_life)
            low, high = mean_interval(sums, ALPHA, 0, newest)
            both = np.array([(high - low) / 10_000, stitched_width(peek, half_life)])
            ratios.append(both / wilson_width(sums))
        ours, stitched = np.mean(ratios, axis=0)
        found.append((float(ours), float(stitched)))
    return found


def check(x: Numbers, m: Numbers, half_life: int) -> None:
    """End the run if these stakes are not the shipped ones, or shipped bounds lie within theirs."""
    calls = 0
    for moment in moments(epochs_of(x, m, half_life)):
        for i, stream in enumerate(x[:, : calls + 1]):
            if (moment.age + moment.reach) % 3:
                continue
            sums, newest = exact_sums(stream, half_life)
            low, high = mean_interval(sums, ALPHA, 0, newest)
            sides = (moment, low), (moment.flipped(), 10_000 - high)
            for (mine, bound), shipped in zip(sides, streams(sums, 0, newest), strict=True):
                _same(_one(mine, i), shipped, bound, f"after {calls + 1} calls")
        calls += moment.rows[0].shape[1]


def _same(mine: Moment, shipped: Stream, bound: int, where: str) -> None:
    half = np.full((1, 1), 0.5)
    for each, height in zip(placed(mine.reach), heights(mine, half)[:, 0, 0], strict=True):
        gain, slope = stake(shipped, *each)
        if abs((gain - slope / 2) / (1 << SCALE) - height) > 1e-9 * max(1.0, abs(height)):
            raise SystemExit(f"{where} the stake {each} is e^{height}, which is not what is shipped")
    if bound and stakes(mine, half * bound / 5_000)[0, 0] < 2 / ALPHA:
        raise SystemExit(f"{where} a bound at {bound} is nearer than these stakes say")


def _one(moment: Moment, i: int) -> Moment:
    """The first moment of one stream."""
    both = moment.rows, moment.totals
    rows, totals = ([each[i % len(each) :][:1, :1] for each in group] for group in both)
    return moment._replace(rows=rows, past=moment.past[:, :, i : i + 1], totals=totals)


def row(name: str, truth: Truth, half_life: int, many: int, calls: int) -> Row:
    """One truth: how often it ever lay outside."""
    rng = np.random.default_rng(sum(map(ord, name)))
    blocks = [min(BLOCK, many - start) for start in range(0, many, BLOCK)]
    seen = [misses(*truth(rng, block, calls), half_life) for block in blocks]
    ours, wilson = np.average(np.array(seen), axis=0, weights=np.array(blocks))
    error = math.sqrt(max(ours, 1 / many) * (1 - ours) / many)
    wide = ", ".join(f"{a:.2f} ({b:.1f})" for a, b in widths(truth(rng, COMPARED, calls)[0], half_life))
    how = f"Wilson's {wilson:.1%}; widths {wide}"
    return Row(f"{name}: ever outside", "<= 5 %", f"{ours:.2%} +- {error:.2%}", how, ours <= ALPHA)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--streams", type=int, default=400, help="streams of each truth")
    chosen = parse(parser)
    for truth, half_life in ((TRUTHS["0.2"], 2000), (graded, 700), (answering, 100)):
        check(*truth(np.random.default_rng(7), 2, 1_000 if chosen.quick else 10_000), half_life)
    cases = [(name, HALF_LIFE, truth) for name, truth in TRUTHS.items()]
    cases += [(f"0.01 with a half-life of {each:,}", each, TRUTHS["0.01"]) for each in OTHERS]
    many, calls = (40, 2 * HALF_LIFE) if chosen.quick else (chosen.streams, CALLS)
    asked = cases[: 2 if chosen.quick else None]
    rows = [row(name, truth, half_life, many, calls) for name, half_life, truth in asked]
    note = (
        f"{many:,} streams of {calls:,} calls each, a half-life of {HALF_LIFE:,} calls, confidence 95 %. "
        f"Widths are multiples of Wilson's after {', '.join(f'{n:,}' for n in PEEKS)} calls; in brackets "
        "those of the stitched boundary."
    )
    report("validity", rows, chosen, note=note)


if __name__ == "__main__":
    main()
