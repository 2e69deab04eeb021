"""Bounds and evidence from counts in which every call weighs the same.

In: how many calls, and the sum of their observations.  Out: bounds of a rate that does not change, and
evidence that a rate was larger than promised, which may have changed at will.  Both hold at every moment.

Theorems and proofs are in README.md beside this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from .exact import CONTEXT, SCALE, UNIT, confidence, fixed, ln, ln_gamma, ln_of_sum

HALF = Decimal("0.5")  # both parameters of the mixture
WHOLE = 1000  # the observation 1
MARGIN = 1 << SCALE - 30  # of a logarithm: far above the errors of 50 digits for up to 2^62 calls
RATIOS = (Decimal("1.3"), Decimal("1.6"), Decimal(2), Decimal(3), Decimal(5), Decimal(10), Decimal(25))
PRIOR = 8  # the larger, the smaller the price of age and the larger that of youth


def version_interval(n: int, s: int, alpha: float) -> tuple[int, int]:
    """Bounds (low, high), in ten-thousandths, of the rate of n calls whose observations have the sum s.

    s: in thousandths, 0 to 1000 n.  alpha: the probability that the bounds miss at any moment, ever, if
    what is to be expected of a call was the same for all of them.  ValueError for impossible sums.
    """
    level = confidence(alpha)
    if n < 0 or not 0 <= s <= WHOLE * n:
        raise ValueError("no calls can have these sums")
    if not n:
        return 0, UNIT
    hits = Decimal(s) / WHOLE
    against = _against(n, hits, level)
    middle = s * UNIT // (WHOLE * n)
    return _last(0, middle, against), _first(min(UNIT, middle + 1), UNIT, against)


def _against(n: int, hits: Decimal, level: int) -> Callable[[int], bool]:
    """Whether the counts refute a rate of so many ten-thousandths."""
    misses = CONTEXT.subtract(Decimal(n), hits)
    mixed = CONTEXT.subtract(_ln_beta(hits + HALF, misses + HALF), _ln_beta(HALF, HALF))

    def refuted(rate: int) -> bool:
        if (rate == 0 and hits) or (rate == UNIT and misses):
            return True
        fits = CONTEXT.add(_times_ln(hits, rate), _times_ln(misses, UNIT - rate))
        return fixed(CONTEXT.subtract(mixed, fits)) >= level + MARGIN

    return refuted


def _ln_beta(a: Decimal, b: Decimal) -> Decimal:
    both = ln_gamma(CONTEXT.add(a, b))
    return CONTEXT.subtract(CONTEXT.add(ln_gamma(a), ln_gamma(b)), both)


def _times_ln(count: Decimal, rate: int) -> Decimal:
    return CONTEXT.multiply(count, ln(Decimal(rate) / UNIT)) if count else count


def _last(low: int, high: int, refuted: Callable[[int], bool]) -> int:
    """The largest number from low to high that is refuted; low if none is."""
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if refuted(middle) else (low, middle - 1)
    return low


def _first(low: int, high: int, refuted: Callable[[int], bool]) -> int:
    """The smallest number from low to high that is refuted; high if none is."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if refuted(middle) else (middle + 1, high)
    return low


def excess(
    epochs: Mapping[int, tuple[int, int]],
    rate: Decimal,
    first: int | None = None,
    ever: tuple[int, int] | None = None,
) -> Decimal:
    """ln of the evidence that something happened more often than `rate` in some time up to now.

    If before each call its probability was at most `rate`, this is ln(1 / alpha) or more at any moment,
    ever, with probability alpha at most.  epochs: e -> (calls, of which it happened in), at most the 40
    newest.  first: the epoch of the oldest call ever counted, by default the oldest of `epochs`.
    ever: (calls, of which it happened in) of all times and of none, for the stakes from the first epoch on;
    given from the first call without time on that it happened in.
    """
    if not 0 < rate < 1:
        raise ValueError("a rate lies between 0 and 1")
    if not epochs and ever is None:
        return Decimal(0)
    start = (min(epochs) if epochs else 0) if first is None else first
    terms = [term for ratio in RATIOS for term in _since(epochs, rate, ratio, start, ever)]
    height, _ = ln_of_sum([fixed(each) for each in terms], [1] * len(terms))
    return Decimal(height) / (1 << SCALE)


def _since(
    epochs: Mapping[int, tuple[int, int]],
    rate: Decimal,
    ratio: Decimal,
    start: int,
    ever: tuple[int, int] | None,
) -> list[Decimal]:
    """ln of each stake on a rate `ratio` times as high, one for every epoch that it may have begun in."""
    other = min(rate * ratio, (1 + rate) / 2)
    hit, miss = ln(other / rate), ln((1 - other) / (1 - rate))
    total, terms = Decimal(0), []
    for epoch in sorted(epochs, reverse=True):
        n, s = epochs[epoch]
        if not 0 <= s <= n or epoch < start:
            raise ValueError("no calls can have these sums")
        total += s * hit + (n - s) * miss
        r = epoch - start + PRIOR
        if epoch > start or ever is None:
            terms.append(total + ln(Decimal(PRIOR) / (len(RATIOS) * r * (r + 1))))
    if ever is not None:
        n, s = ever
        terms.append(s * hit + (n - s) * miss - ln(Decimal(len(RATIOS) * (PRIOR + 1))))
    return terms
