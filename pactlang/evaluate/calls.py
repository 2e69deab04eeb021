"""What every row of the overload table computes, in plain Python.

In: a function's name and the values of its arguments.  Out: a value, or `Failure` with the word and
the reason of the error value.

The row is found by the arguments' types at run time, so a call on data of unknown shape and a call
that was proved at compile time take the same way.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Any

from pactlang import conversions, extensions
from pactlang.functions import CALENDAR, CLOCK, CONVERSIONS, NUMBERS, ORDERED, fitting
from pactlang.text import compile_re2, position, utf8
from pactlang.values import (
    EPOCH_DAY,
    MAX_INT,
    MAX_UINT,
    MIN_INT,
    NANOS,
    CelType,
    Duration,
    Limit,
    NoOverload,
    Optional,
    OutOfRange,
    Timestamp,
    UInt,
    compare,
    equal,
    is_number,
    make_duration,
    make_timestamp,
    map_key,
    type_name,
    within,
)

Function = Callable[..., Any]

DAY = 86_400  # seconds
MAX_SPAN = 9_223_372_036  # seconds
CYCLE_DAYS, CYCLE_YEARS = 146_097, 400  # after which the Gregorian calendar repeats

# The schema's word for a value's type, by CEL's name of it.
KINDS = {
    "null_type": "null",
    "google.protobuf.Timestamp": "timestamp",
    "google.protobuf.Duration": "duration",
    "optional_type": "optional",
    "net.IP": "ip",
    "net.CIDR": "cidr",
}


# Overloads whose answer hangs on whether a NaN inside a list or a map is a value.
NAN_MATTERS = frozenset({"equals", "not_equals", "in_list"})


class Failure(Exception):
    """Why a call gives an error value: a word and a reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def kind_of(value: object) -> str:
    """The kind of a value, as in `schema.Type.kind`."""
    name = type_name(value)
    return KINDS.get(name, name)


def apply(function: str, args: list[Any], host: bool = False) -> Any:
    """The value of a call.  host: a NaN in a list or map is a value.  Raises Failure."""
    at_list = function in ("_[_]", "_[?_]") and isinstance(args[0], list)
    if at_list and is_number(args[1]) and args[1] == args[1] // 1:
        args = [args[0], int(args[1])]  # a whole double or a uint is an index too
    kinds = tuple(kind_of(value) for value in args)
    row = _row(function, kinds)
    if row is None:
        raise _refused(function, kinds)
    try:
        compute = COMPUTE[row.id]
        return compute(*args, host=host) if row.id in NAN_MATTERS else compute(*args)
    except OutOfRange as error:
        raise Failure("range", str(error)) from None
    except NoOverload as error:
        raise Failure("no-such-overload", str(error)) from None
    except Limit as error:
        raise Failure("limit", str(error)) from None
    except OverflowError:
        raise Failure("range", f"`{function}` is out of range") from None
    except UnicodeError:
        raise Failure("bad-conversion", "these bytes are not UTF-8 text") from None
    except ValueError as error:
        raise Failure("bad-conversion", str(error)) from None


_row = lru_cache(maxsize=4096)(fitting)


def _refused(function: str, kinds: tuple[str, ...]) -> Failure:
    if "null" in kinds:
        return Failure("null-operand", f"{shown(function)} cannot be used on null")
    return Failure("no-such-overload", f"{shown(function)} cannot be used on {' and '.join(kinds)}")


SHOWN = {"_[_]": "[]", "_[?_]": "[?]", "_?._": ".?"}


def shown(function: str) -> str:
    """A function or operator as it is written in a pact."""
    return f"`{SHOWN.get(function, function.strip('_@'))}`"


def brief(value: object) -> str:
    """A value in a message, cut to a length that a line can bear."""
    if isinstance(value, list | dict | Optional):  # which may hold another in very many places
        return type_name(value)
    text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"


# Arithmetic ----------------------------------------------------------------------------------


def _int(value: int) -> int:
    if not MIN_INT <= value <= MAX_INT:
        raise Failure("overflow", "the result does not fit in an int (64 bits)")
    return value


def _uint(value: int) -> UInt:
    if not 0 <= value <= MAX_UINT:
        raise Failure("overflow", "the result does not fit in a uint (64 bits, not below 0)")
    return UInt(value)


def _quotient(a: int, b: int) -> int:
    """Rounded towards zero."""
    if b == 0:
        raise Failure("divide-by-zero", "division by zero")
    return abs(int(a)) // abs(int(b)) * (1 if (a < 0) == (b < 0) else -1)


def _remainder(a: int, b: int) -> int:
    """With the sign of the dividend."""
    if b == 0:
        raise Failure("divide-by-zero", "remainder of a division by zero")
    if b == -1 and a == MIN_INT:  # whose quotient does not fit
        raise Failure("overflow", "the result does not fit in an int (64 bits)")
    return a - b * _quotient(a, b)


def _divide_double(a: float, b: float) -> float:
    if b != 0:
        return a / b
    if a != a or a == 0:
        return float("nan")
    return float("inf") if (a > 0) == (str(b)[0] != "-") else float("-inf")


def _checked(compute: Function, check: Function) -> Function:
    return lambda a, b: check(compute(int(a), int(b)))


def _joined(a: Any, b: Any) -> Any:
    within(len(a) + len(b))
    return a + b


def _arithmetic() -> dict[str, Function]:
    table: dict[str, Function] = {"modulo_int": _checked(_remainder, _int)}
    table["modulo_uint"] = _checked(_remainder, _uint)
    whole: dict[str, Function] = {
        "add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": _quotient,
    }  # fmt: skip
    for word, compute in whole.items():
        table[f"{word}_int"] = _checked(compute, _int)
        table[f"{word}_uint"] = _checked(compute, _uint)
        table[f"{word}_double"] = _divide_double if word == "divide" else compute
    table |= {f"add_{kind}": _joined for kind in ("string", "bytes", "list")}
    table["negate_int"] = lambda a: _int(-a)
    table["negate_double"] = operator.neg
    return table


def _sum(make: Function, sign: int = 1) -> Function:
    return lambda a, b: make(a.seconds + sign * b.seconds, a.nanos + sign * b.nanos)


def _between(a: Timestamp, b: Timestamp) -> Duration:
    """The time between two timestamps: at most 2^63 nanoseconds, as CEL has it."""
    if abs(a.seconds - b.seconds) > MAX_SPAN:
        raise OutOfRange("the time between the two is longer than 292 years")
    return make_duration(a.seconds - b.seconds, a.nanos - b.nanos)


def _times() -> dict[str, Function]:
    return {
        "add_timestamp_duration": _sum(make_timestamp),
        "add_duration_timestamp": _sum(make_timestamp),
        "add_duration": _sum(make_duration),
        "subtract_timestamp": _between,
        "subtract_timestamp_duration": _sum(make_timestamp, -1),
        "subtract_duration": _sum(make_duration, -1),
    }


# Comparison ----------------------------------------------------------------------------------


def same(a: object, b: object, host: bool = False) -> bool:
    """`a == b`; Failure where that hangs on a number that cannot be read."""
    result = equal(a, b, host=host)
    if result is None:
        raise Failure("bad-number", "one of the values holds an integer beyond 64 bits, or is too deep")
    return result


def _comparison() -> dict[str, Function]:
    table: dict[str, Function] = {"equals": same, "not_equals": lambda a, b, host: not same(a, b, host)}
    words: dict[str, Callable[[int], bool]] = {
        "less": lambda order: order == -1,
        "less_equals": lambda order: order in (-1, 0),
        "greater": lambda order: order == 1,
        "greater_equals": lambda order: order in (0, 1),
    }
    for word, holds in words.items():
        ends = [str(kind) for kind in ORDERED] + [f"{a}_{b}" for a in NUMBERS for b in NUMBERS if a is not b]
        table |= {f"{word}_{end}": _ordering(holds) for end in ends}
    return table


def _ordering(holds: Callable[[int], bool]) -> Function:
    def ordered(a: object, b: object) -> bool:
        order = compare(a, b)
        return order is not None and holds(order)

    return ordered


# Containers ----------------------------------------------------------------------------------


def _in_list(item: object, items: list[Any], host: bool = False) -> bool:
    unread: Failure | None = None
    for other in items:
        try:
            if same(item, other, host):
                return True
        except Failure as failure:
            unread = failure
    if unread is not None:
        raise unread
    return False


def _in_map(key: object, source: dict[Any, Any]) -> bool:
    kept = map_key(key)
    return kept is not None and kept in source


def _index_list(items: list[Any], index: int) -> Any:
    if not 0 <= index < len(items):
        raise Failure("index-out-of-range", f"index {brief(index)} is outside a list of {len(items)}")
    return items[index]


def key_in(source: dict[Any, Any], key: object) -> Any:
    """The value under a key; Failure if it is not there."""
    kept = map_key(key)
    if kept is None or kept not in source:
        raise Failure("no-such-key", f"no such key `{brief(key)}`")
    return source[kept]


def _containers() -> dict[str, Function]:
    table: dict[str, Function] = {
        "in_list": _in_list,
        "in_map": _in_map,
        "index_list": _index_list,
        "index_map": key_in,
    }
    sized = ("string", "bytes", "list", "map")
    return table | {f"size_{kind}{end}": len for kind in sized for end in ("", "_method")}


# Text ----------------------------------------------------------------------------------------


def _matches(text: str, pattern: str) -> bool:
    try:
        compiled = compile_re2(pattern)
    except ValueError as error:
        raise Failure("invalid-pattern", f"`{brief(pattern)}` is not an RE2 pattern: {error}") from None
    return compiled.search(utf8(text)) is not None


def _text() -> dict[str, Function]:
    return {
        "contains_string": lambda text, part: position(part, text) >= 0,
        "starts_with_string": str.startswith,
        "ends_with_string": str.endswith,
        "matches": _matches,
        "matches_method": _matches,
    }


# Conversions ---------------------------------------------------------------------------------


def _int_of_double(value: float) -> int:
    if not -(2.0**63) < value < 2.0**63:
        raise OutOfRange("a double beyond what an int (64 bits) holds")
    return int(value)


def _uint_of_double(value: float) -> UInt:
    if not 0.0 <= value < 2.0**64:
        raise OutOfRange("a double beyond what a uint (64 bits, not below 0) holds")
    return UInt(int(value))


def _int_of_uint(value: UInt) -> int:
    if value > MAX_INT:
        raise OutOfRange("a uint beyond what an int (64 bits) holds")
    return int(value)


def _uint_of_int(value: int) -> UInt:
    if value < 0:
        raise OutOfRange("a uint is not below 0")
    return UInt(value)


def _itself(value: Any) -> Any:
    return value


def _conversions() -> dict[str, Function]:
    table: dict[str, Function] = {
        f"{name}_from_{source}": _itself if source is result else getattr(conversions, f"to_{name}")
        for name, (result, sources) in CONVERSIONS.items()
        for source in sources
    }
    return table | {
        "int_from_uint": _int_of_uint,
        "int_from_double": _int_of_double,
        "int_from_timestamp": lambda value: value.seconds,
        "uint_from_int": _uint_of_int,
        "uint_from_double": _uint_of_double,
        "double_from_int": float,
        "double_from_uint": float,
        "timestamp_from_int": make_timestamp,
        "type_of": lambda value: CelType(type_name(value)),
        "to_dyn": _itself,
    }


# Calendar and clock --------------------------------------------------------------------------


def _local(value: Timestamp, zone: str) -> tuple[int, int]:
    return value.seconds + conversions.zone_offset(value.seconds, zone), value.nanos


def _calendar(part: Callable[[date, int], int]) -> Function:
    """A part of the date; years 0 and 10000, which a zone can reach, are those of the next cycle."""

    def read(value: Timestamp, zone: str = "UTC") -> int:
        days = _local(value, zone)[0] // DAY + EPOCH_DAY
        cycles = -1 if days < 1 else 1 if days > date.max.toordinal() else 0
        return part(date.fromordinal(days - cycles * CYCLE_DAYS), cycles * CYCLE_YEARS)

    return read


CALENDAR_PARTS: dict[str, Callable[[date, int], int]] = {
    "getFullYear": lambda day, years: day.year + years,
    "getMonth": lambda day, _: day.month - 1,
    "getDate": lambda day, _: day.day,
    "getDayOfMonth": lambda day, _: day.day - 1,
    "getDayOfWeek": lambda day, _: day.isoweekday() % 7,
    "getDayOfYear": lambda day, _: day.timetuple().tm_yday - 1,
}

# Of a moment: seconds into its unit, and how many of them make the next.
CLOCK_PARTS = {"getHours": (3600, 24), "getMinutes": (60, 60), "getSeconds": (1, 60)}


def _clock(name: str) -> Function:
    def read(value: Timestamp, zone: str = "UTC") -> int:
        seconds, nanos = _local(value, zone)
        if name == "getMilliseconds":
            return nanos // 1_000_000
        unit, count = CLOCK_PARTS[name]
        return seconds // unit % count

    return read


def _length(name: str) -> Function:
    """A duration in whole hours, minutes or seconds, or its milliseconds within the second."""

    def read(value: Duration) -> int:
        total = value.seconds * NANOS + value.nanos
        if name == "getMilliseconds":
            return _quotient(_remainder(total, NANOS), 1_000_000)
        return _quotient(total, CLOCK_PARTS[name][0] * NANOS)

    return read


def _bucket(value: object, *bounds: object) -> int:
    return sum(compare(bound, value) in (-1, 0) for bound in bounds)


def _moments() -> dict[str, Function]:
    table: dict[str, Function] = {}
    for name in CALENDAR + CLOCK:
        read = _calendar(CALENDAR_PARTS[name]) if name in CALENDAR else _clock(name)
        table |= {f"{name}_timestamp": read, f"{name}_zone": read}
    table |= {f"{name}_duration": _length(name) for name in CLOCK}
    table |= {f"bucket_{a}_{b}": _bucket for a in NUMBERS for b in NUMBERS}
    return table | {"hour": table["getHours_timestamp"], "bucket_duration": _bucket}


def _value_of(optional: Optional) -> Any:
    if not optional.present:
        raise Failure("no-value", "optional.none() holds no value")
    return optional.value


COMPUTE: dict[str, Function] = {
    **_arithmetic(), **_times(), **_comparison(), **_containers(), **_text(), **_conversions(), **_moments(),
    **extensions.COMPUTE, "optional_value": _value_of,
}  # fmt: skip
