"""What a wager on one call is sure to bring, as a sum that needs only merged sums of many calls.

In: the size of a wager, the centre it is placed on.  Out: `Wager`, five integers that bound the logarithm
of its gain from below, call by call.

A wager of size b and centre c multiplies a stake by 1 + b v (x - c) when a call of weight v has the
observation x.  Its logarithm is not a sum of powers of v and x; the polynomials here lie below it for
every x in [0, 1] and every v in the range of weights of an epoch (README.md, lemma 2).

Sizes are known by a step h: step h is SIZES[h % 2] / 2^(h // 2) where the end of an epoch weighs 1.
"""

from __future__ import annotations

import decimal
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from .exact import LONG

SIZE_PARTS = (30, 21)  # of 32: a step is a factor of 1.4, two are the 2 of an epoch
CENTRE_PARTS = (0, 2, 5, 8, 10)  # of 10
SIZES = tuple(Decimal(part) / 32 for part in SIZE_PARTS)
CENTRES = tuple(Decimal(part) / 10 for part in CENTRE_PARTS)
MOST = Decimal("0.9375")  # of b v c, so that no outcome loses all
SHARES = tuple(Decimal(share) for share in ("0.35", "0.1", "0.1", "0.1", "0.35"))  # of the stake

EIGHTHS = 8
CAPS = (1143481, 1246975, 1359836, 1482911, 1617126, 1763489, 1923098, 1 << 21)  # ceil(2^20 * 2^((k+1)/8))
FULL = EIGHTHS - 1
TAIL = EIGHTHS  # calls of any weight from 0 to that of an epoch's end

BITS = 256  # coefficients are integers of 2^-BITS; the smallest counts are below 2^-140
WEIGHT = 1 << 21  # the weight at the end of an epoch
WHOLE = 1000  # the observation 1


class Wager(NamedTuple):
    """ln(1 + b v (x - c)) >= the sum of these times v x, v^2 x, v (1-x), v^2 (1-x), v^2 x (1-x).

    In units of 2^-BITS, for weights and observations as the sums have them (of WEIGHT and WHOLE).
    """

    hit: int
    hit2: int
    miss: int
    miss2: int
    spread: int


def size(step: int) -> Decimal:
    """The size of a wager at this step, where the end of an epoch weighs 1."""
    half, odd = divmod(step, 2)
    return SIZES[odd] * Decimal(2) ** -half


@lru_cache(4096)
def allowed(step: int, centre: int, reach: int) -> bool:
    """True if weights up to the end of this eighth of an epoch cannot lose all."""
    return size(step) * CENTRES[centre] * CAPS[min(reach, FULL)] <= MOST * WEIGHT


@lru_cache(65536)
def wager(step: int, centre: int, reach: int) -> Wager:
    """The bound for calls of an epoch up to its eighth `reach`; TAIL: for older calls of any weight."""
    with decimal.localcontext(LONG):
        gain, loss = size(step) * (1 - CENTRES[centre]), size(step) * CENTRES[centre]
        cap = Decimal(CAPS[min(reach, FULL)]) / WEIGHT
        least = Decimal(0) if reach == TAIL else Decimal("0.5")
        hit, hit2 = _touching(gain, (least + cap) / 2)
        miss, miss2 = _through(loss, least, cap)
        spread = _spread(gain, loss, least, cap)
        whole = WEIGHT * WHOLE
        return Wager(
            _floor(hit / whole),
            _floor(hit2 / (whole * WEIGHT)),
            _floor(miss / whole),
            _floor(miss2 / (whole * WEIGHT)),
            _floor(spread / (whole * WEIGHT * WHOLE)),
        )


def _touching(gain: Decimal, v: Decimal) -> tuple[Decimal, Decimal]:
    """p, q: p u + q u^2 touches ln(1 + gain u) at 0 from its side and at v; below it for every u >= 0."""
    value, slope = LONG.ln(1 + gain * v), gain / (1 + gain * v)
    q = (slope - value / v) / v
    return value / v - q * v, q


def _through(loss: Decimal, least: Decimal, cap: Decimal) -> tuple[Decimal, Decimal]:
    """p, q: p u + q u^2 meets ln(1 - loss u) at 0, least and cap (0: touches); below between."""
    at_cap = LONG.ln(1 - loss * cap) / cap
    at_least = LONG.ln(1 - loss * least) / least if least else -loss
    q = (at_cap - at_least) / (cap - least)
    return at_cap - q * cap, q


def _spread(gain: Decimal, loss: Decimal, least: Decimal, cap: Decimal) -> Decimal:
    """The least of k(v) / v^2 over the weights, k as in lemma 2: by its convexity, over a tangent."""
    if not least:
        return Decimal(0)
    v, b = (least + cap) / 2, gain + loss
    up = 1 + gain * v
    k = LONG.ln(up) - LONG.ln(1 - loss * v) - b * v / up
    rise = gain / up + loss / (1 - loss * v) - b / up + b * v * gain / (up * up)
    value, slope = k / (v * v), rise / (v * v) - 2 * k / (v * v * v)
    return max(Decimal(0), value - abs(slope) * (cap - least) / 2)


def _floor(x: Decimal) -> int:
    """In units of 2^-BITS, at most x, whose error is below 1e-60 of it: a size is above 1e-12, and of 100
    digits the differences of logarithms above lose at most 3 * 12."""
    return int(x * 2**BITS * (1 - x.copy_sign(Decimal(1)) * Decimal("1e-60"))) - 2
