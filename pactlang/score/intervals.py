"""Bounds that hold at every moment, for means that may drift, from merged sums alone.

In: per epoch the exact sums of a stream of observations.  Out: bounds in ten-thousandths, rounded outward.

The one idea: many small wagers that the mean is larger than somebody says, placed on every call with its
own weight.  Their stakes together are a fair game at most, so they multiply 1/alpha-fold with a
probability of at most alpha, ever; whoever names a mean so low that they did is wrong.  A lower bound of
the gain follows from the sums.  The theorem, what it assumes and its proof are in README.md beside this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from .exact import SCALE, UNIT, confidence, down, fixed, ln, ln_of_sum
from .wagers import (
    BITS,
    CENTRE_PARTS,
    CENTRES,
    EIGHTHS,
    FULL,
    SHARES,
    SIZE_PARTS,
    TAIL,
    WEIGHT,
    WHOLE,
    Wager,
    allowed,
    size,
    wager,
)

KEPT = 40  # epochs before which a stream keeps nothing
NEAR = 6  # epochs that have a bound each; older ones share one
FIRST_STEP, LAST_STEP = -6, 32  # of wagers that count, the end of the newest epoch weighing 1
OLDEST_STEP = FIRST_STEP + 2 * (KEPT - 1)  # a wager is placed from the epoch on where its step is this
PRIOR = 20  # the larger, the smaller the price of age and the larger that of youth
NEWTON = 4
CLIMB = 24
LEAST = -(1 << 2 * SCALE)  # below every bound
NOTHING = (0, UNIT)

Sums = tuple[int, int, int, int, int, int]  # of one epoch: n, w, w g, w^2, w^2 g, w^2 g^2
Row = tuple[int, int, int, int, int]  # of one epoch: what the integers of a `Wager` multiply
NO_ROW: Row = (0, 0, 0, 0, 0)
TAIL_BITS = 2 * (KEPT - 1 - NEAR)
UNIT_BITS = 21 + KEPT - 1  # of WEIGHT, and of the units of `Stream.weights`
PER_UNIT = 32 * 10 * WHOLE


class Stake(NamedTuple):
    """If the mean is mu, ln of what a wager has made of its share is at least gain - slope * mu.

    In units of 2^-SCALE.
    """

    gain: int
    slope: int

    def refutes(self, level: int) -> int:
        """Every mean below this, if the stake has to reach e^level."""
        return (self.gain - level << SCALE) // self.slope


class Bound(NamedTuple):
    """Where all stakes together have at least e^level, and how steeply ln of them falls; 2^-SCALE each."""

    mean: int
    level: int
    slope: int


class Stream(NamedTuple):
    """One side of a stream, ready to be wagered on.

    near: the NEAR newest epochs, newest first.  tails[k]: the k + 1 epochs before those, in TAIL_BITS.
    weights[k]: WHOLE times the weights of the k + 1 newest epochs, in units of 2^-(KEPT - 1).
    reach: the eighth of the newest epoch that weights have reached.  age: of the newest epoch.
    lowest: the first step whose wagers were placed on nothing that is not kept.  mean: about the mean.
    """

    near: list[Row]
    tails: list[Row]
    weights: list[int]
    reach: int
    age: int
    lowest: int
    mean: float


# The mean of a stream ---------------------------------------------------------------------------------


def mean_interval(
    epochs: Mapping[int, Sums], alpha: float, first: int | None = None, newest: int | None = None
) -> tuple[int, int]:
    """Bounds (low, high), in ten-thousandths, of the decayed mean of what was to be expected of each call.

    epochs: e -> (n, w, w g, w^2, w^2 g, w^2 g^2), sums over calls of weight w 2^e and observation g in
    thousandths; at most the 40 newest.  alpha: the probability that the bounds miss at any moment, ever.
    first: the epoch of the oldest call that was ever counted, by default the oldest of `epochs`.
    newest: 256 e + i of the newest call counted, by default the end of the newest of `epochs`.
    ValueError if no calls can have such sums.
    """
    level = confidence(alpha, 2)
    if not epochs:
        return NOTHING
    low, high = (solve(gather(side, level), level).mean for side in streams(epochs, first, newest))
    return down(low), UNIT - down(high)


def streams(epochs: Mapping[int, Sums], first: int | None, newest: int | None) -> tuple[Stream, Stream]:
    """Both sides of at least one epoch: its observations, and what they lack of 1."""
    top, bottom = max(epochs), min(epochs)
    end = top if newest is None else newest // 256
    start = bottom if first is None else first
    if not (start <= bottom and top <= end and top - bottom < KEPT):
        raise ValueError("an epoch lies before the first, after the newest, or is too old to be kept")
    rows = [(top - each, _row(*epochs[each])) for each in sorted(epochs, reverse=True)]
    reach = newest % 256 * EIGHTHS // 256 if newest is not None and end == top else FULL
    below = _side(rows, reach, top - start, FIRST_STEP + 2 * (end - top))
    flipped = [(far, (miss, miss2, hit, hit2, spread)) for far, (hit, hit2, miss, miss2, spread) in rows]
    return below, _side(flipped, reach, top - start, below.lowest)


def _row(n: int, w: int, wg: int, w2: int, w2g: int, w2gg: int) -> Row:
    """What an epoch's calls multiply the integers of a wager by; ValueError if they cannot exist."""
    fits = n > 0 and n << 20 <= w < n << 21 and n << 40 <= w2 < n << 42
    if not (fits and 0 <= wg <= WHOLE * w and 0 <= w2g <= WHOLE * w2 and 0 <= w2gg <= WHOLE * w2g):
        raise ValueError("no calls can have these sums")
    return wg, w2g, WHOLE * w - wg, WHOLE * w2 - w2g, WHOLE * w2g - w2gg


def _side(rows: list[tuple[int, Row]], reach: int, age: int, lowest: int) -> Stream:
    """One side from its rows, each with its distance from the newest epoch."""
    near, far = [NO_ROW] * NEAR, [NO_ROW] * (KEPT - NEAR)
    weights, hits = [0] * KEPT, 0
    for k, row in rows:
        if k < NEAR:
            near[k] = row
        else:
            far[k - NEAR] = _shifted(row, KEPT - 1 - k)
        hits += row[0] << KEPT - 1 - k
        weights[k] = row[0] + row[2] << KEPT - 1 - k
    weights = list(accumulate(weights))
    tails = list(accumulate(far, _added)) if any(row != NO_ROW for row in far) else []
    return Stream(near, tails, weights, reach, age, lowest, hits / weights[-1])


def _shifted(row: Row, by: int) -> Row:
    """A row of older calls in units of 2^-TAIL_BITS, of the weight at the end of the newest of them."""
    hit, hit2, miss, miss2, spread = row
    once, twice = by + TAIL_BITS // 2, 2 * by
    return hit << once, hit2 << twice, miss << once, miss2 << twice, spread << twice


def _added(one: Row, other: Row) -> Row:
    a, b, c, d, e = one
    v, w, x, y, z = other
    return a + v, b + w, c + x, d + y, e + z


# Several dimensions -----------------------------------------------------------------------------------


class Part(NamedTuple):
    """A dimension of a score.

    weight: at least 0; only its share of all counts.  lower, upper: the sums of its lower and of its upper
    observations; empty if it has none.  missing: e -> sum of the weights of its calls that nobody judged.
    """

    weight: Fraction
    lower: Mapping[int, Sums]
    upper: Mapping[int, Sums]
    missing: Mapping[int, int]


class Intervals(NamedTuple):
    """Bounds (low, high) in ten-thousandths: of the weighted mean of all dimensions, and of each alone."""

    whole: tuple[int, int]
    each: list[tuple[int, int]]


class Half(NamedTuple):
    """One side of a dimension: the share of its weight, that of its calls that were judged, its stakes."""

    share: int
    judged: int
    found: list[Stake]


def composite(
    parts: Sequence[Part], alpha: float, first: int | None = None, newest: int | None = None
) -> Intervals:
    """Bounds of the weighted mean of dimensions, of which one has a weight at least, and of each alone.

    The whole misses at any moment, ever, with probability alpha; so does each dimension, of which several
    may miss.  Calls that nobody judged count as 0 below and as 1 above; so does a dimension without any.
    `first` and `newest` are those of `mean_interval`, for all dimensions.
    """
    level = confidence(alpha, 2)
    total = sum((part.weight for part in parts), Fraction(0))
    if total <= 0 or min(part.weight for part in parts) < 0:
        raise ValueError("no weight is below 0, and one is above")
    lows: list[Half] = []
    highs: list[Half] = []
    for part in parts:
        share, judged = int(part.weight * (1 << SCALE) / total), _judged(part)
        for halves, side, epochs in ((lows, 0, part.lower), (highs, 1, part.upper)):
            found = gather(streams(epochs, first, newest)[side], level) if epochs else []
            halves.append(Half(share, judged, found))
    whole = down(_least_of_all(lows, level)), UNIT - down(_least_of_all(highs, level))
    each = [(_least(low, level), _least(high, level)) for low, high in zip(lows, highs, strict=True)]
    return Intervals(whole, [(down(low), UNIT - down(high)) for low, high in each])


def _judged(part: Part) -> int:
    """The share of a dimension's calls that were judged, by their weights; 1 if there are none."""
    if not part.missing:
        return 1 << SCALE
    bottom = min([*part.lower, *part.missing])
    kept = sum(sums[1] << e - bottom for e, sums in part.lower.items())
    missing = sum(w << e - bottom for e, w in part.missing.items())
    return (kept << SCALE) // (kept + missing) if kept + missing else 1 << SCALE


def _least(half: Half, level: int) -> int:
    """A lower bound of one dimension."""
    return max(0, solve(half.found, level).mean) * half.judged >> SCALE if half.found else 0


def _least_of_all(halves: list[Half], level: int) -> int:
    """The least weighted mean for which all stakes on all dimensions reach e^level, or less (theorem 2)."""
    counted = [half for half in halves if half.found and half.judged and half.share]
    bounds = [(half, solve(half.found, level)) for half in counted]
    for _ in range(2):
        bounds = [(half, bound) for half, bound in bounds if bound.mean > 0]
        if not bounds:
            return 0
        levels = _levels(bounds, level)
        bounds = [(half, solve(half.found, each)) for (half, _), each in zip(bounds, levels, strict=True)]
    total = 0
    for (half, bound), each in zip(bounds, _levels(bounds, level), strict=True):
        mean = bound.mean - (each - bound.level << SCALE) // bound.slope
        total += half.share * half.judged * mean >> 2 * SCALE
    return total


def _levels(bounds: list[tuple[Half, Bound]], level: int) -> list[int]:
    """What each dimension's stakes reach where the weighted mean is least, by their tangents."""
    pulls = [(half.judged << SCALE) // bound.slope for half, bound in bounds]
    total = sum(half.share * pull for (half, _), pull in zip(bounds, pulls, strict=True)) >> SCALE
    return [level + fixed(ln(Decimal(pull) / total)) for pull in pulls]


# One wager, and all together --------------------------------------------------------------------------


def stake(stream: Stream, step: int, centre: int) -> Stake:
    """What the sums say of one wager, with its share of all that is staked."""
    last = (OLDEST_STEP - step) // 2
    total = _gain(wager(step, centre, stream.reach), stream.near[0])
    for k in range(1, NEAR):
        if stream.near[k] is not NO_ROW:
            total += _gain(wager(step + 2 * k, centre, FULL), stream.near[k])
    if stream.tails:
        total += _gain(wager(step + 2 * NEAR, centre, TAIL), stream.tails[last - NEAR]) >> TAIL_BITS
    b, unit = SIZE_PARTS[step % 2] << SCALE, PER_UNIT << UNIT_BITS + step // 2
    centred = b * CENTRE_PARTS[centre] * stream.weights[last] // unit
    slope = b * 10 * stream.weights[-1] // unit + 1
    return Stake((total >> BITS - SCALE) + centred + _share(step + 2 * stream.age, centre), slope)


def _gain(wager: Wager, row: Row) -> int:
    a, b, c, d, e = wager
    v, w, x, y, z = row
    return a * v + b * w + c * x + d * y + e * z


@lru_cache(4096)
def _share(step: int, centre: int) -> int:
    """ln of a wager's part of all that is staked; at step 0 the end of the first epoch weighs 1.

    PRIOR / ((r + PRIOR) (r + PRIOR + 1)) over r = 0, 1, .. has the sum 1.
    """
    r = step - FIRST_STEP + PRIOR
    return fixed(ln(SHARES[centre] * PRIOR / (r * (r + 1)))) - 1


def solve(found: list[Stake], level: int) -> Bound:
    """The least mean that is not refuted, or less: below 0 if none is."""
    if not found:
        return Bound(-1, 0, 1)
    mean = max(each.refutes(level) for each in found)
    height, slope = _together(found, mean)
    for _ in range(NEWTON):
        if mean <= 0 or (height - level) << 20 < slope:
            break
        mean += (height - level << SCALE) // slope
        height, slope = _together(found, mean)
    return Bound(mean, height, slope)


def _together(found: list[Stake], mean: int) -> tuple[int, int]:
    """ln of the sum of the stakes if the mean is this, and how steeply it falls there.

    It is convex in the mean, so Newton's steps from where it is high enough never lead too far.
    """
    heights = [gain - (slope * mean >> SCALE) - 1 for gain, slope in found]
    return ln_of_sum(heights, [slope for _, slope in found])


def gather(stream: Stream, level: int) -> list[Stake]:
    """The wagers that matter: those around the one that refutes most.  Leaving others out is safe."""
    known: dict[tuple[int, int], Stake] = {}

    def refuted(place: tuple[int, int]) -> int:
        if not (stream.lowest <= place[0] <= LAST_STEP and allowed(*place, stream.reach)):
            return LEAST
        if place not in known:
            known[place] = stake(stream, *place)
        return known[place].refutes(level)

    best = _first_guess(stream, level / (1 << SCALE))
    for _ in range(CLIMB):
        step, centre = best
        best = max([best, (step - 1, centre), (step + 1, centre)], key=refuted)
        if best == (step, centre):
            break
    step, centre = best
    for near in range(step - 2, step + 3):
        for other in range(max(0, centre - 1), min(len(CENTRES), centre + 2)):
            refuted((near, other))
    return list(known.values())


def _first_guess(stream: Stream, level: float) -> tuple[int, int]:
    """The step and the centre that are about best for calls that go by chance alone."""
    m = stream.mean
    centre = min(range(len(CENTRES)), key=lambda each: abs(CENTRE_PARTS[each] / 10 - m))
    spread = 0.0  # added up one by one: `sum` rounds otherwise in some versions of Python
    for k, row in enumerate(stream.near):
        spread += _square(row, m) / 4**k
    step = stream.lowest
    while step < LAST_STEP and not (allowed(step, centre, stream.reach) and _cautious(step, spread, level)):
        step += 1
    return step, centre


def _cautious(step: int, spread: float, level: float) -> bool:
    """False if the stake would vary more than it has to grow."""
    b = float(size(step))
    return b * b * spread <= 2 * (level + 5)


def _square(row: Row, m: float) -> float:
    """About the sum of v^2 (x - m)^2 of an epoch, for a weight of 1 at its end."""
    total = row[1] * (1 - m) * (1 - m) + row[3] * m * m - row[4] / WHOLE
    return max(0.0, total) / (WHOLE * WEIGHT * WEIGHT)
