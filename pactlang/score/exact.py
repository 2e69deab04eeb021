"""Functions of real numbers that give the same digits on every platform.

In: integers and decimals.  Out: decimals.  `decimal` rounds ln and exp correctly, whatever the machine;
the library of C does not, so nothing here calls it.
"""

from __future__ import annotations

import decimal
from decimal import Decimal
from functools import lru_cache

LONG = decimal.Context(prec=100, rounding=decimal.ROUND_HALF_EVEN, Emax=999_999, Emin=-999_999)
CONTEXT = decimal.Context(prec=50, rounding=decimal.ROUND_HALF_EVEN, Emax=999_999, Emin=-999_999)
SCALE = 64  # real numbers are integers of 2^-SCALE
SLACK = 1 << SCALE - 30  # 1e-9: far more than all rounding errors of a bound together
UNIT = 10_000  # bounds are integers of this part of 1

NEGLIGIBLE = 9 << SCALE
STEP = SCALE - 7  # bits of a 128th
LN_STEP = SCALE - 5  # of a 32nd

SHIFTED = 24  # Stirling's series starts here
BERNOULLI = ((1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510))
PI = Decimal("3.14159265358979323846264338327950288419716939937511")


def ln(x: Decimal | int) -> Decimal:
    """The natural logarithm, to 50 digits."""
    return CONTEXT.ln(Decimal(x))


def fixed(x: Decimal) -> int:
    """In units of 2^-SCALE, rounded down."""
    return int((x * (1 << SCALE)).to_integral_value(decimal.ROUND_FLOOR, CONTEXT))


def confidence(alpha: float, sides: int = 1) -> int:
    """ln(sides / alpha), in units of 2^-SCALE."""
    if not 0 < alpha < 1:
        raise ValueError("alpha lies between 0 and 1")
    return -fixed(ln(Decimal(alpha) / sides))


def ln_of_sum(heights: list[int], slopes: list[int]) -> tuple[int, int]:
    """ln of the sum of the exponentials, and the mean of the slopes by their parts in it; 2^-SCALE each.

    Exponentials that are e^9 times less than the largest are left out.
    """
    most = max(heights)
    total, weighted = 0, 0
    for height, slope in zip(heights, slopes, strict=True):
        if most - height < NEGLIGIBLE:
            part = _exp_of_minus(most - height)
            total += part
            weighted += part * slope
    return most + _ln(total), weighted // total


def _exp_of_minus(x: int) -> int:
    """exp(-x) for 0 <= x < NEGLIGIBLE, all in units of 2^-SCALE; wrong by less than 1e-12."""
    f = x & (1 << STEP) - 1
    series = (1 << SCALE) - f
    power = f * f >> SCALE
    series += power // 2
    power = power * f >> SCALE
    series -= power // 6
    series += (power * f >> SCALE) // 24
    return series * _stair(x >> STEP) >> SCALE


def _ln(x: int) -> int:
    """ln(x) for x >= 1, all in units of 2^-SCALE; wrong by less than 1e-13.

    ln(x / y) = 2 (z + z^3/3 + z^5/5 + ..) with z = (x - y) / (x + y), here below 1/64.
    """
    i = x >> LN_STEP
    y = i << LN_STEP
    z = (x - y << SCALE) // (x + y)
    square = z * z >> SCALE
    cube = z * square >> SCALE
    return _ln_stair(i) + 2 * (z + cube // 3 + (cube * square >> SCALE) // 5)


@lru_cache(4096)
def _ln_stair(i: int) -> int:
    """ln(i / 32)."""
    return fixed(ln(Decimal(i) / (1 << SCALE - LN_STEP)))


@lru_cache(1024)
def _stair(i: int) -> int:
    """exp(-i / 128)."""
    return fixed(CONTEXT.exp(Decimal(-i) / (1 << SCALE - STEP)))


@lru_cache(1024)
def ln_gamma(x: Decimal) -> Decimal:
    """ln Gamma(x) for x > 0, to an error below 1e-17 (of the value, where that is above 1).

    Gamma(x) = Gamma(x + k) / (x (x+1) .. (x+k-1)); for x >= SHIFTED Stirling's series of eight terms is
    wrong by less than its ninth, 43867 / (798 * 18 * 17 * 24^17) < 7e-23.
    """
    product, y = Decimal(1), x
    with decimal.localcontext(CONTEXT):
        while y < SHIFTED:
            product, y = product * y, y + 1
        total = (y - Decimal("0.5")) * ln(y) - y + ln(2 * PI) / 2
        for k, (above, below) in enumerate(BERNOULLI, 1):
            total += Decimal(above) / (below * 2 * k * (2 * k - 1) * y ** (2 * k - 1))
        return total - ln(product)


def down(x: int) -> int:
    """In parts of UNIT, rounded down: at most x, which is in units of 2^-SCALE, and within [0, 1]."""
    return min(UNIT, max(0, (x - SLACK) * UNIT >> SCALE))
