"""Bounds of a score: what is proved in pactlang/score/README.md, held to brute force, oracles and laws."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pactlang.score.exact import SCALE, confidence, ln_gamma, ln_of_sum
from pactlang.score.intervals import (
    KEPT,
    LAST_STEP,
    PRIOR,
    Part,
    Sums,
    composite,
    gather,
    mean_interval,
    solve,
    stake,
    streams,
)
from pactlang.score.rates import excess, version_interval
from pactlang.score.wagers import CAPS, CENTRES, EIGHTHS, FULL, SHARES, TAIL, WEIGHT, allowed, size, wager

UNIT = 10_000
NO_SUMS = (0, 0, 0, 0, 0, 0)
ONE = 1 << SCALE


def weight(phase: int) -> int:
    return round(2 ** (20 + phase / 256))


def sums(calls: list[tuple[int, int]]) -> dict[int, Sums]:
    """Of calls (q, g), as the state has them."""
    found: dict[int, Sums] = {}
    for q, g in calls:
        w = weight(q % 256)
        more = (1, w, w * g, w * w, w * w * g, w * w * g * g)
        found[q // 256] = tuple(map(sum, zip(found.get(q // 256, NO_SUMS), more, strict=True)))  # type: ignore[assignment]
    return found


def even(n: int, hits: int, half_life: int) -> dict[int, Sums]:
    """n calls, evenly in time, of which some, evenly spread, have the observation 1."""
    return sums([(i * 256 // half_life, 1000 * ((i + 1) * hits // n - i * hits // n)) for i in range(n)])


def plain_mean(epochs: dict[int, Sums]) -> Fraction:
    total = sum(s[1] * Fraction(2) ** e for e, s in epochs.items())
    return sum(s[2] * Fraction(2) ** e for e, s in epochs.items()) / total / 1000


CALLS = st.lists(
    st.tuples(st.integers(0, 256 * KEPT - 1), st.sampled_from([0, 0, 600, 900, 1000, 1000, 1000])), min_size=1, max_size=60
)
ALPHAS = st.sampled_from([1e-300, 1e-6, 0.01, 0.05, 0.5, 0.999999])

# The parts of the proof -------------------------------------------------------------------------------


@settings(deadline=None)
@given(
    st.integers(-6, 60),
    st.integers(0, len(CENTRES) - 1),
    st.sampled_from([*range(EIGHTHS), TAIL]),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_a_wager_brings_more_than_is_counted(step: int, centre: int, reach: int, at: float, x: float) -> None:
    """Lemma 2."""
    if not allowed(step, centre, reach):
        return
    least, cap = 0.0 if reach == TAIL else 0.5, CAPS[min(reach, FULL)] / WEIGHT
    v, b, c = least + at * (cap - least), float(size(step)), float(CENTRES[centre])
    hit, hit2, miss, miss2, spread = (each / 2**256 * 1000 for each in wager(step, centre, reach))
    linear = x * hit * WEIGHT * v + (1 - x) * miss * WEIGHT * v
    square = (x * hit2 + (1 - x) * miss2 + x * (1 - x) * spread * 1000) * (WEIGHT * v) ** 2
    gain = math.log1p(b * v * (x - c))
    assert linear + square <= gain + 1e-15 + 1e-12 * abs(gain)
    if x in (0, 1) and reach == FULL and b <= 1:
        assert linear + square > gain - 0.015, "and hardly less, where outcomes are 0 and 1"


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(0, 9)), min_size=1, max_size=9))
def test_a_sum_of_exponentials(terms: list[tuple[float, float]]) -> None:
    """Never above the sum of all, and what is left out does not matter."""
    heights, slopes = [int(height * ONE) for height, _ in terms], [int(slope * ONE) for _, slope in terms]
    height, slope = (each / ONE for each in ln_of_sum(heights, slopes))
    parts = [math.exp(each) for each, _ in terms]
    exact = math.log(sum(parts))
    assert exact - 9 * math.exp(-9) <= height <= exact + 1e-11
    mean = sum(part * slope for part, (_, slope) in zip(parts, terms, strict=True)) / sum(parts)
    assert slope == pytest.approx(mean, abs=0.05)


def test_shares_have_the_sum_1() -> None:
    assert sum(SHARES) == 1
    partial = sum(Fraction(PRIOR, (r + PRIOR) * (r + PRIOR + 1)) for r in range(1000))
    assert partial == 1 - Fraction(PRIOR, 1000 + PRIOR)


def outcomes(n: int) -> list[tuple[float, list[int], list[float]]]:
    """All courses of n calls: probability, observations, and what was to be expected of each."""
    found = []
    for xs in product((0, 400, 1000), repeat=n):
        chance, means = 1.0, []
        for i, x in enumerate(xs):
            last = xs[i - 1] if i else 400
            parts = {0: (0.5, 0.1, 0.4), 400: (0.1, 0.2, 0.7), 1000: (0.0, 0.1, 0.9)}[last]
            chance *= parts[(0, 400, 1000).index(x)]
            means.append(0.4 * parts[1] + parts[2])
        found.append((chance, list(xs), means))
    return found


@pytest.mark.parametrize("times", [[0, 1, 2, 3, 4], [0, 256, 512, 700, 1000], [900, 100, 300, 40, 850]])
def test_stakes_are_fair_at_most(times: list[int]) -> None:
    """Their expectation over all courses of dependent, drifting calls, in any order of times, is at most 1."""
    total = 0.0
    weights = [weight(q % 256) * 2.0 ** (q // 256) for q in times]
    for chance, xs, means in outcomes(len(times)):
        mu = sum(w * m for w, m in zip(weights, means, strict=True)) / sum(weights)
        for stream, mean in zip(streams(sums(list(zip(times, xs, strict=True))), None, max(times)), (mu, 1 - mu), strict=True):
            for step in range(stream.lowest, LAST_STEP + 1):
                for centre in range(len(CENTRES)):
                    if allowed(step, centre, stream.reach):
                        gain, slope = stake(stream, step, centre)
                        total += chance * math.exp((gain - slope * mean) / ONE)
    assert 0.01 < total <= 2


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(CALLS.map(lambda calls: calls[0]), st.floats(0, 1)), min_size=1, max_size=40), st.integers(0, 9))
def test_no_stake_is_said_to_be_more_than_it_is(calls: list[tuple[tuple[int, int], float]], older: int) -> None:
    """Theorem 1 call by call: for any expectations, from the wagers as the README places them."""
    epochs, newest = sums([call for call, _ in calls]), max(q for (q, _), _ in calls)
    first, end = min(epochs) - older, 2.0 ** (newest // 256 + 1)
    total = math.fsum(weight(q % 256) * 2.0 ** (q // 256 - 20) for (q, _), _ in calls)
    mu = math.fsum(weight(q % 256) * 2.0 ** (q // 256 - 20) * m for (q, _), m in calls) / total
    for flip, stream in enumerate(streams(epochs, first, newest)):
        for step in range(stream.lowest, LAST_STEP + 1):
            b = float(size(step)) / end
            for centre in range(len(CENTRES)):
                if not allowed(step, centre, stream.reach):
                    continue
                r, c = step + 2 * (newest // 256 - first) + 6, float(CENTRES[centre])
                terms = [math.log(float(SHARES[centre]) * PRIOR / ((r + PRIOR) * (r + PRIOR + 1)))]
                for (q, g), m in calls:
                    v = weight(q % 256) * 2.0 ** (q // 256 - 20)
                    if b * 2.0 ** (q // 256 + 1) >= float(size(72)) * (1 - 1e-9):
                        x, e = (1 - g / 1000, 1 - m) if flip else (g / 1000, m)
                        terms.append(math.log1p(b * v * (x - c)) - b * v * (e - c))
                gain, slope = stake(stream, step, centre)
                said = (gain - slope * (1 - mu if flip else mu)) / ONE
                assert said <= math.fsum(terms) + 1e-9


# The mean of a stream ---------------------------------------------------------------------------------


@settings(deadline=None)
@given(CALLS, ALPHAS)
def test_bounds_lie_around_the_plain_mean_within_0_and_1(calls: list[tuple[int, int]], alpha: float) -> None:
    epochs = sums(calls)
    low, high = mean_interval(epochs, alpha)
    assert 0 <= low <= plain_mean(epochs) * UNIT <= high <= UNIT


@settings(deadline=None)
@given(CALLS)
def test_surer_is_wider(calls: list[tuple[int, int]]) -> None:
    epochs = sums(calls)
    found = [mean_interval(epochs, alpha) for alpha in (0.5, 0.05, 0.01, 1e-6)]
    assert sorted(low for low, _ in found) == [low for low, _ in found][::-1]
    assert sorted(high for _, high in found) == [high for _, high in found]


@settings(deadline=None)
@given(CALLS, st.integers(-1000, 1000))
def test_only_differences_of_epochs_count(calls: list[tuple[int, int]], shift: int) -> None:
    epochs = sums(calls)
    first, newest = min(epochs) - 3, max(q for q, _ in calls)
    moved = {e + shift: s for e, s in reversed(epochs.items())}
    assert mean_interval(moved, 0.05, first + shift, newest + 256 * shift) == mean_interval(epochs, 0.05, first, newest)


@settings(deadline=None)
@given(CALLS)
def test_the_lack_is_bounded_like_the_observation(calls: list[tuple[int, int]]) -> None:
    low, high = mean_interval(sums(calls), 0.05)
    assert mean_interval(sums([(q, 1000 - g) for q, g in calls]), 0.05) == (UNIT - high, UNIT - low)


@settings(deadline=None)
@given(CALLS, st.integers(0, 100), st.integers(0, 30))
def test_age_and_doubt_about_the_time_widen(calls: list[tuple[int, int]], older: int, later: int) -> None:
    epochs, newest = sums(calls), max(q for q, _ in calls)
    low, high = mean_interval(epochs, 0.05, min(epochs), newest)
    for other in (mean_interval(epochs, 0.05, min(epochs) - older, newest), mean_interval(epochs, 0.05, min(epochs))):
        assert other[0] <= low + 30 and other[1] >= high - 30
    far = mean_interval(epochs, 0.05, min(epochs), newest + 256 * later)
    assert far[0] <= low + 30 and far[1] >= high - 30
    assert mean_interval(epochs, 0.05, newest=newest + 256 * KEPT) == (0, UNIT)


GOLDEN = [
    ((100, 5, 2000), (10, 1908)),
    ((2000, 20, 2000), (37, 231)),
    ((30000, 300, 2000), (57, 179)),
    ((30000, 6000, 2000), (1773, 2252)),
    ((30000, 30000, 2000), (9964, 10000)),
    ((780, 700, 20), (4769, 10000)),
]


@pytest.mark.parametrize(("case", "bounds"), GOLDEN)
def test_golden_bounds(case: tuple[int, int, int], bounds: tuple[int, int]) -> None:
    n, _, half_life = case
    assert mean_interval(even(*case), 0.05, 0, (n - 1) * 256 // half_life) == bounds


def test_more_calls_narrow() -> None:
    widths = [high - low for low, high in (mean_interval(even(n, n // 5, n), 0.05) for n in (50, 200, 1000, 5000))]
    assert sorted(widths, reverse=True) == widths and widths[-1] < widths[0] / 5


def test_graded_observations_are_bounded_by_their_own_variance() -> None:
    def width(g: list[int]) -> int:
        low, high = mean_interval(sums([(i * 256 // 1000, g[i % len(g)]) for i in range(4000)]), 0.05)
        return high - low

    assert width([900]) < width([800, 1000]) < width([1000] * 9 + [0]) * 0.7


def test_hostile_sums() -> None:
    n, w = 1 << 40, weight(255)
    many = dict.fromkeys(range(KEPT), (n, n * w, n * w * 250, n * w * w, n * w * w * 250, n * w * w * 250 * 1000))
    low, high = mean_interval(many, 0.05, 0)
    assert low <= 2500 <= high and high - low <= 4
    assert mean_interval(many, 1e-300, -(10**9)) != (0, UNIT)
    assert mean_interval({}, 0.05) == (0, UNIT)
    assert mean_interval(sums([(0, 0)]), 0.05) == mean_interval(sums([(0, 1000)]), 0.05) == (0, UNIT)
    zeros, ones = sums([(0, 0)] * 5000), sums([(0, 1000)] * 5000)
    assert mean_interval(zeros, 0.05) == (0, UNIT - mean_interval(ones, 0.05)[0])
    assert mean_interval(ones, 0.05)[1] == UNIT and mean_interval(ones, 0.05)[0] > 9900


@pytest.mark.parametrize(
    ("epochs", "first", "newest"),
    [
        ({0: (1, 1 << 20, 1000 << 20, 1 << 40, 1000 << 40, 1000001 << 40)}, None, None),
        ({0: (1, 1 << 20, -1, 1 << 40, 0, 0)}, None, None),
        ({0: (1, 1 << 21, 0, 1 << 40, 0, 0)}, None, None),
        ({0: NO_SUMS}, None, None),
        (sums([(0, 0)]), 1, None),
        (sums([(300, 0)]), None, 255),
        (sums([(0, 0), (256 * KEPT, 0)]), None, None),
    ],
)
def test_impossible_sums_are_an_error(epochs: dict[int, Sums], first: int | None, newest: int | None) -> None:
    with pytest.raises(ValueError, match=r"sums|epoch"):
        mean_interval(epochs, 0.05, first, newest)


@pytest.mark.parametrize("alpha", [0, 1, -0.1, 1.5, math.nan, math.inf])
def test_alpha_lies_between_0_and_1(alpha: float) -> None:
    for bounds in (lambda: mean_interval({}, alpha), lambda: version_interval(1, 0, alpha)):
        with pytest.raises(ValueError, match="alpha"):
            bounds()


# Several dimensions -----------------------------------------------------------------------------------


def part(weight: int, epochs: dict[int, Sums], missing: dict[int, int] | None = None) -> Part:
    return Part(Fraction(weight), epochs, epochs, missing or {})


@settings(deadline=None)
@given(CALLS, st.integers(1, 9))
def test_one_dimension_is_bounded_as_its_mean(calls: list[tuple[int, int]], weight: int) -> None:
    epochs = sums(calls)
    low, high = mean_interval(epochs, 0.05)
    found = composite([part(weight, epochs)], 0.05)
    assert found.each == [(low, high)]
    assert abs(found.whole[0] - low) <= 1 and abs(found.whole[1] - high) <= 1


DIMENSIONS = [(3, even(4000, 3600, 2000)), (1, even(300, 290, 150)), (2, even(9000, 9000, 4500)), (1, even(20, 19, 10))]


def test_dimensions_share_the_risk() -> None:
    """Narrower than with a bound for each that holds for all at once, and no wider than their sum by much."""
    parts = [part(a, epochs) for a, epochs in DIMENSIONS]
    found = composite(parts, 0.05)
    singly = [mean_interval(epochs, 0.05) for _, epochs in DIMENSIONS]
    assert found.each == singly
    at_once = [mean_interval(epochs, 0.05 * a / 7) for a, epochs in DIMENSIONS]
    for side, sign in ((0, 1), (1, -1)):
        wide = sum(a * each[side] for (a, _), each in zip(DIMENSIONS, at_once, strict=True)) / 7
        assert sign * (found.whole[side] - wide) > 2


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=4, max_size=4), st.sampled_from([0.05, 1e-4]))
def test_no_means_that_stand_lie_below_the_whole(shares: list[float], alpha: float) -> None:
    """Theorem 2, tried on means between the bound of each and its plain mean."""
    low = composite([part(a, epochs) for a, epochs in DIMENSIONS], alpha).whole[0]
    level = confidence(alpha, 2)
    means, heights = [], []
    for share, (a, epochs) in zip(shares, DIMENSIONS, strict=True):
        found = gather(streams(epochs, None, None)[0], level)
        least = max(0, solve(found, level + (3 << SCALE)).mean)
        means.append(least + int(share * (int(plain_mean(epochs) * ONE) - least)))
        height = ln_of_sum([s.gain - (s.slope * means[-1] >> SCALE) for s in found], [1] * len(found))[0]
        heights.append(a / 7 * math.exp(min(700, height / ONE)))
    if sum(heights) < 2 / alpha:
        assert sum(a * mean for (a, _), mean in zip(DIMENSIONS, means, strict=True)) / 7 / ONE * UNIT >= low


def test_missing_calls_count_at_their_worst() -> None:
    epochs = even(4000, 3600, 2000)
    low, high = mean_interval(epochs, 0.05)
    newest = max(epochs)
    total = sum(Fraction(s[1]) * Fraction(2) ** (e - newest) for e, s in epochs.items())
    share = total / (total + (1 << 28))
    found = composite([part(1, epochs, {newest: 1 << 28})], 0.05)
    assert found.each[0][0] == pytest.approx(float(low * share), abs=1.01)
    assert found.each[0][1] == pytest.approx(float(UNIT - (UNIT - high) * share), abs=1.01)
    assert found.whole[0] <= found.each[0][0] + 1 and found.whole[1] >= found.each[0][1] - 1


def test_an_absent_dimension_is_from_0_to_1() -> None:
    epochs = even(4000, 3600, 2000)
    low, high = mean_interval(epochs, 0.05)
    found = composite([part(1, epochs), part(1, {}), part(2, {}, {0: 1 << 20})], 0.05)
    assert found.each[1:] == [(0, UNIT)] * 2
    assert found.whole[0] <= low / 4 + 1 and found.whole[1] >= UNIT - (UNIT - high) / 4 - 1
    assert composite([part(1, {})], 0.05).whole == (0, UNIT)


def test_a_dimension_without_weight_has_bounds_of_its_own() -> None:
    parts = [part(a, epochs) for a, epochs in DIMENSIONS]
    found, more = composite(parts, 0.05), composite([*parts, part(0, DIMENSIONS[0][1])], 0.05)
    assert more == (found.whole, [*found.each, found.each[0]])


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [2, -1]])
def test_some_weight_is_above_0(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weight"):
        composite([part(each, {}) for each in weights], 0.05)


# Rates that do not decay ------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers(1, 10**9))
def test_ln_gamma(thousandths: int) -> None:
    x = thousandths / 1000
    assert float(ln_gamma(Decimal(thousandths) / 1000)) == pytest.approx(math.lgamma(x), rel=1e-13, abs=1e-13)


def test_ln_gamma_of_integers_is_that_of_factorials() -> None:
    for n in (1, 2, 5, 23, 24, 25, 100, 170):
        assert abs(ln_gamma(Decimal(n + 1)) - Decimal(math.factorial(n)).ln()) < Decimal("1e-16")


RATES = [
    ((100, 5000), (71, 1558)),
    ((1000, 0), (0, 70)),
    ((10000, 0), (0, 9)),
    ((100000, 20000_000), (1946, 2054)),
    ((1, 1000), (249, UNIT)),
    ((1, 0), (0, 9751)),
    ((0, 0), (0, UNIT)),
    ((1 << 40, 1000 << 38), (2499, 2501)),
]


@pytest.mark.parametrize(("counts", "bounds"), RATES)
def test_golden_rates(counts: tuple[int, int], bounds: tuple[int, int]) -> None:
    assert version_interval(*counts, 0.05) == bounds


@settings(deadline=None)
@given(st.integers(1, 5000), st.floats(0, 1), ALPHAS)
def test_a_rate_is_refuted_if_its_mixture_is(n: int, share: float, alpha: float) -> None:
    """By the formula itself, in floating point; and its reflection in observations."""
    s = round(1000 * n * share)
    low, high = version_interval(n, s, alpha)
    assert version_interval(n, 1000 * n - s, alpha) == (UNIT - high, UNIT - low)
    assert low <= s * UNIT / (1000 * n) <= high
    hits, misses = s / 1000, n - s / 1000
    mixed = math.lgamma(hits + 0.5) + math.lgamma(misses + 0.5) - math.lgamma(n + 1) - math.log(math.pi)
    for rate, refuted in ((low, True), (low + 1, False), (high, True), (high - 1, False)):
        if 0 < rate < UNIT:
            fits = hits * math.log(rate / UNIT) + misses * math.log1p(-rate / UNIT)
            distance = mixed - fits - math.log(1 / alpha)
            inside = low < rate < high
            assert distance < 1e-6 if inside else distance > -1e-6 or not refuted


@pytest.mark.parametrize("counts", [(-1, 0), (1, 1001), (1, -1)])
def test_impossible_counts_are_an_error(counts: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="sums"):
        version_interval(*counts, 0.05)


def test_evidence_of_excess_is_fair_at_most() -> None:
    rate, n = Decimal("0.2"), 8
    total = 0.0
    for xs in product((0, 1), repeat=n):
        chance = 1.0
        epochs: dict[int, tuple[int, int]] = {}
        for i, x in enumerate(xs):
            p = 0.2 if i == 0 or xs[i - 1] else 0.05     # at most the rate, by what came before
            chance *= p if x else 1 - p
            calls, hits = epochs.get(i // 3, (0, 0))
            epochs[i // 3] = (calls + 1, hits + x)
        total += chance * math.exp(float(excess(epochs, rate)))
    assert 0.1 < total <= 1


def test_evidence_of_excess_grows_with_it() -> None:
    one = Decimal("0.01")
    assert excess({}, one) == 0
    assert excess({3: (1000, 5)}, one) < 0
    assert excess({3: (1000, 40)}, one) > 20
    assert excess({0: (100_000, 500), 9: (500, 30)}, one) > 15, "also late, after long good behaviour"
    assert excess({3: (1000, 40)}, one, -100) < excess({3: (1000, 40)}, one)
    assert excess({3: (10, 10)}, Decimal("0.9")) > Decimal("-3")
    for bad in ({0: (1, 2)}, {0: (1, -1)}):
        with pytest.raises(ValueError, match="sums"):
            excess(bad, one)
    for rate in (Decimal(0), Decimal(1)):
        with pytest.raises(ValueError, match="rate"):
            excess({}, rate)
