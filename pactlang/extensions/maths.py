"""CEL's math extension: extremes, rounding, signs and bits.

In: CEL numbers.  Out: a CEL number or a bool; OutOfRange for what 64 bits cannot hold and for a shift
by less than 0; ValueError where there is nothing to choose from, or a NaN, which has no order.

The one idea: a table of functions for each of int, uint and double; bits are those of two's complement,
and a shift to the right draws in zeros, also into a negative int.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from pactlang.values import MAX_INT, MAX_UINT, OutOfRange, UInt, compare, is_bad_number, is_number

Function = Callable[..., Any]
KINDS = ("int", "uint", "double")
WORD = 64  # bits


# Extremes ------------------------------------------------------------------------------------


def _extreme(better: int) -> Function:
    """The number that stands to all others as `better` says (1: above, -1: below), the first of equals."""

    def choose(*numbers: Any) -> Any:
        if not numbers:
            raise ValueError("an empty list has neither a greatest nor a least number")
        best = numbers[0]
        for number in numbers:
            if not is_number(number):
                raise ValueError("only numbers have a greatest and a least")
            if is_bad_number(number):
                raise OutOfRange("an integer beyond 64 bits")
            order = compare(number, best)
            if order == 2 and len(numbers) > 1:
                raise ValueError("NaN has no order among numbers")
            best = number if order == better else best
        return best

    return choose


def _extremes(word: str, better: int) -> dict[str, Function]:
    choose = _extreme(better)
    pairs = [f"{a}_{b}" for a in KINDS for b in KINDS]
    table = dict.fromkeys((f"{word}_{end}" for end in [*KINDS, *pairs]), choose)
    table |= {f"{word}_many_{kind}": choose for kind in KINDS}
    return table | {f"{word}_list_{kind}": lambda numbers: choose(*numbers) for kind in (*KINDS, "dyn")}


# Rounding ------------------------------------------------------------------------------------


def _whole(rounded: Callable[[float], float]) -> Callable[[float], float]:
    """Rounding that keeps NaN, infinities and the sign of zero."""
    return lambda value: math.copysign(rounded(value), value) if math.isfinite(value) else value


def _nearest(value: float) -> float:
    """The nearest whole number, halves away from zero."""
    whole = math.trunc(value)
    half_or_more = abs(value - whole) >= 0.5  # exact: a double with a fraction is below 2**52
    return whole + math.copysign(1, value) if half_or_more else whole


def _root(value: float) -> float:
    """The square root; NaN of a number below 0."""
    return math.sqrt(value) if value >= 0 else math.nan


# Signs ---------------------------------------------------------------------------------------


def _absolute_int(value: int) -> int:
    if abs(value) > MAX_INT:
        raise OutOfRange("the result does not fit in an int (64 bits)")
    return abs(value)


def _sign(value: float) -> float:
    """1.0, -1.0, 0.0 or NaN."""
    return value if math.isnan(value) else float((value > 0) - (value < 0))


# Bits ----------------------------------------------------------------------------------------


def _signed(bits: int) -> int:
    """The int whose 64 bits these are."""
    low = bits & MAX_UINT
    return low - 2**WORD if low > MAX_INT else low


def _unsigned(bits: int) -> UInt:
    return UInt(bits & MAX_UINT)


def _shift(left: bool, number: Callable[[int], int]) -> Function:
    def shift(value: int, by: int) -> int:
        if by < 0:
            raise OutOfRange(f"a shift by {by} bits: less than 0")
        low = value & MAX_UINT
        return number(0 if by >= WORD else low << by if left else low >> by)

    return shift


def _bits() -> dict[str, Function]:
    table: dict[str, Function] = {}
    number: Callable[[int], int]
    for kind, number in (("int", _signed), ("uint", _unsigned)):
        for word, compute in (("And", operator.and_), ("Or", operator.or_), ("Xor", operator.xor)):
            table[f"bit{word}_{kind}"] = _after(number, compute)
        table[f"bitNot_{kind}"] = _after(number, operator.invert)
        table[f"bitShiftLeft_{kind}"] = _shift(True, number)
        table[f"bitShiftRight_{kind}"] = _shift(False, number)
    return table


def _after(number: Callable[[int], int], compute: Function) -> Function:
    return lambda *values: number(compute(*map(int, values)))


COMPUTE: dict[str, Function] = {
    **_extremes("greatest", 1),
    **_extremes("least", -1),
    "ceil": _whole(math.ceil),
    "floor": _whole(math.floor),
    "round": _whole(_nearest),
    "trunc": _whole(math.trunc),
    "abs_int": _absolute_int,
    "abs_uint": lambda value: value,
    "abs_double": abs,
    "sign_int": lambda value: (value > 0) - (value < 0),
    "sign_uint": lambda value: UInt(value > 0),
    "sign_double": _sign,
    **{f"sqrt_{kind}": _root for kind in KINDS},
    "isNaN": math.isnan,
    "isInf": math.isinf,
    "isFinite": math.isfinite,
    **_bits(),
}
