"""CEL's values in Python, what makes two of them equal, and how times are read and written.

In: Python objects.  Out: Python objects.  bool, int, float, str, bytes, None, list and dict stand for
themselves; this file adds what Python lacks: `UInt`, `Timestamp`, `Duration`, `CelType`, and dict keys
that keep true apart from 1.

Numbers compare exactly by value across int, uint and double; true is never 1.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import floor, isfinite, isnan
from typing import Any, Final

from msgspec import Struct

NANOS = 1_000_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1).toordinal()
MIN_TIME = -62_135_596_800  # 0001-01-01T00:00:00Z in seconds since 1970
MAX_TIME = 253_402_300_799  # 9999-12-31T23:59:59Z
MAX_DURATION = 315_576_000_000  # seconds, both ways: 10,000 years
MIN_INT, MAX_INT, MAX_UINT = -(2**63), 2**63 - 1, 2**64 - 1
MAX_NESTING = 200  # depth of lists and maps that are compared or written out
MAX_COMPARED = 4_000_000  # pairs of values that one comparison may look at
MAX_MADE = 32 * 1024 * 1024  # characters, bytes or elements that one call may make

# Factor from a unit to microseconds; nanoseconds are divided by 1000, since 1e-3 has no exact double.
UNIT_SCALE = {"s": 1_000_000, "ms": 1_000, "us": 1}


class OutOfRange(OverflowError, ValueError):
    """A number or a time beyond what its type can hold."""


class NoOverload(ValueError):
    """An argument that no overload takes, which its type alone does not show."""


class Limit(ValueError):
    """A text, bytes or a list longer than `MAX_MADE`."""


def within(size: int) -> int:
    """The size of what is about to be made; Limit if that is too much."""
    if size > MAX_MADE:
        raise Limit(f"the result is longer than {MAX_MADE} elements")
    return size


class UInt(int):
    """A CEL uint.  Python's arithmetic on it gives plain ints."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{int(self)}u"


class Timestamp(Struct, frozen=True, order=True, gc=False):
    """A moment: seconds since 1970-01-01T00:00Z plus nanos, 0 <= nanos < 1e9."""

    seconds: int
    nanos: int = 0

    def __str__(self) -> str:
        return format_timestamp(self)

    def datetime(self) -> datetime:
        """The same as a datetime in UTC, nanoseconds cut off."""
        return EPOCH + timedelta(seconds=self.seconds, microseconds=self.nanos // 1000)


class Duration(Struct, frozen=True, order=True, gc=False):
    """A length of time: seconds plus nanos, 0 <= nanos < 1e9; -0.5s is (-1, 500000000)."""

    seconds: int
    nanos: int = 0

    def __str__(self) -> str:
        return format_duration(self)

    def timedelta(self) -> timedelta:
        """The same as a timedelta, nanoseconds cut off."""
        return timedelta(seconds=self.seconds, microseconds=self.nanos // 1000)


class CelType(Struct, frozen=True, gc=False):
    """A type as a value, by CEL's name for it: `int`, `null_type`, `google.protobuf.Timestamp`."""

    name: str

    def __str__(self) -> str:
        return self.name


class Optional(Struct, frozen=True, gc=False):
    """CEL's optional: `present` and a value, or neither (`NONE`)."""

    value: Any = None
    present: bool = False

    def __str__(self) -> str:
        return f"optional.of({self.value})" if self.present else "optional.none()"


NONE: Final = Optional()


def some(value: Any) -> Optional:
    """The optional that holds `value`."""
    return Optional(value, True)


class IP(Struct, frozen=True, gc=False):
    """An address of family 4 or 6, as a number."""

    family: int
    number: int

    def __str__(self) -> str:
        return format_ip(self)


class CIDR(Struct, frozen=True, gc=False):
    """A network: an address, host bits included, and the length of the prefix."""

    ip: IP
    prefix: int

    def __str__(self) -> str:
        return f"{self.ip}/{self.prefix}"


class BoolKey(Struct, frozen=True, gc=False):
    """A bool as a dict's key: Python's True would be the key 1."""

    value: bool


class NullBase:
    """What stands in a slot whose record is null; there is one, `NULL_BASE`."""

    def __repr__(self) -> str:
        return "NULL_BASE"


NULL_BASE: Final = NullBase()

TYPE_NAMES: dict[type, str] = {
    type(None): "null_type", bool: "bool", int: "int", UInt: "uint", float: "double", str: "string",
    bytes: "bytes", Timestamp: "google.protobuf.Timestamp", Duration: "google.protobuf.Duration",
    list: "list", dict: "map", CelType: "type", Optional: "optional_type", IP: "net.IP",
    CIDR: "net.CIDR",
}  # fmt: skip


def type_name(value: object) -> str:
    """CEL's name of a value's type; a record is a map."""
    return TYPE_NAMES.get(type(value), "map")


def from_host(value: object) -> Any:
    """The CEL value of a Python object that is none itself: an aware datetime, a timedelta, a tuple, a
    mapping.  TypeError for anything else; OutOfRange for a datetime outside years 1 to 9999."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError("a datetime needs a time zone to be a timestamp")
        since = value - EPOCH
        return make_timestamp(since.days * 86_400 + since.seconds, since.microseconds * 1000)
    if isinstance(value, timedelta):
        return make_duration(value.days * 86_400 + value.seconds, value.microseconds * 1000)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple | list):
        return list(value)
    raise TypeError(f"{type(value).__name__} is no CEL value")


# Keys ----------------------------------------------------------------------------------------


def map_key(value: object) -> Hashable | None:
    """The dict key under which a CEL value is kept, None if it cannot be a key.

    Strings are their own keys, so a JSON object is a map as it is; 1, 1u and 1.0 are one key.
    """
    if isinstance(value, bool):
        return BoolKey(value)
    if isinstance(value, str | int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None


def key_value(key: object) -> object:
    """The CEL value that a dict key stands for."""
    return key.value if isinstance(key, BoolKey) else key


# Equality and order --------------------------------------------------------------------------


def is_number(value: object) -> bool:
    """True for int, uint and double; a bool is no number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_bad_number(value: object) -> bool:
    """True for an integer that neither int nor uint can hold."""
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return not (0 <= value <= MAX_UINT if isinstance(value, UInt) else MIN_INT <= value <= MAX_INT)


def equal(
    a: object, b: object, depth: int = 0, host: bool = False, seen: list[int] | None = None
) -> bool | None:
    """CEL's `a == b`.  Values of unlike types are unequal; NaN equals nothing.

    None where the answer hangs on what cannot be read (an integer beyond 64 bits; inside a list, map or
    record also a NaN, unless the values are the `host`'s), on nesting deeper than `MAX_NESTING`, or on
    more than `MAX_COMPARED` pairs: a list may hold another in many places, and that one a third.

    seen: how many pairs were looked at so far.
    """
    if is_bad_number(a) or is_bad_number(b) or (depth and not host and (a != a or b != b)):
        return None
    if is_number(a) and is_number(b):
        return a == b
    if type_name(a) != type_name(b):
        return False
    if isinstance(a, list | dict | Optional) or is_record(a) or is_record(b):
        return None if depth > MAX_NESTING else _equal_parts(a, b, depth + 1, host, seen or [0])
    return a == b


def is_record(value: object) -> bool:
    """True for a record: a Struct that is none of the types above."""
    return isinstance(value, Struct) and type(value) not in TYPE_NAMES


def _equal_parts(a: Any, b: Any, depth: int, host: bool, seen: list[int]) -> bool | None:
    if isinstance(a, Optional):
        if not (a.present and b.present):
            return bool(a.present == b.present)
        host = host or isinstance(a.value, float)  # which a NaN may be
        return _all_equal([(a.value, b.value)], depth, host, seen)
    if isinstance(a, list):
        return len(a) == len(b) and _all_equal(zip(a, b, strict=True), depth, host, seen)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and _all_equal(((a[key], b[key]) for key in a), depth, host, seen)
    if type(a) is not type(b):
        return False
    parts = ((getattr(a, name), getattr(b, name)) for name in a.__struct_fields__)
    return _all_equal(parts, depth, host, seen)


def _all_equal(
    pairs: Iterable[tuple[object, object]], depth: int, host: bool, seen: list[int]
) -> bool | None:
    """False if any pair differs, whatever else cannot be told; else None if one cannot be told."""
    result: bool | None = True
    for a, b in pairs:
        seen[0] += 1
        if seen[0] > MAX_COMPARED:
            return None
        same = equal(a, b, depth, host, seen)
        if same is False:
            return False
        if same is None:
            result = None
    return result


# The greatest int and uint, which no double is: in an order the next one stands for them, as in CEL.
LARGEST = {2.0**63: MAX_INT, 2.0**64: MAX_UINT}


def order_numbers(a: Any, b: Any) -> int:
    """-1, 0 or 1 as two numbers stand to each other by value; 2 if one is a NaN."""
    if a != a or b != b:
        return 2
    if isinstance(a, float) != isinstance(b, float):
        whole, double = (b, a) if isinstance(a, float) else (a, b)
        if LARGEST.get(double) == whole and isinstance(whole, UInt) == (double > 2.0**63):
            return 0
    return int(a > b) - int(a < b)


ORDERED = (bool, str, bytes, Timestamp, Duration)


def compare(a: Any, b: Any) -> int | None:
    """-1, 0 or 1 as `a` stands to `b`; 2 if a NaN is in it, so that every comparison is false.

    None where the types have no common order.
    """
    if is_number(a) and is_number(b):
        return order_numbers(a, b)
    if type(a) is not type(b) or not isinstance(a, ORDERED):
        return None
    return int(a > b) - int(a < b)


# Timestamps ----------------------------------------------------------------------------------

RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)


def parse_timestamp(text: str) -> Timestamp:
    """RFC 3339 with an offset, up to nine fraction digits, years 1 to 9999.

    Raises ValueError; OutOfRange if the moment itself lies outside years 1 to 9999.
    """
    found = RFC3339.fullmatch(text)
    if found is None:
        raise ValueError("not an RFC 3339 time with an offset, such as 2026-01-31T09:30:00Z")
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    fraction, sign, off_hour, off_minute = found.groups()[6:]
    if hour > 23 or minute > 59 or second > 59 or int(off_hour or 0) > 23 or int(off_minute or 0) > 59:
        raise ValueError("no such time of day")
    days = date(year, month, day).toordinal() - EPOCH_DAY
    offset = (int(off_hour or 0) * 60 + int(off_minute or 0)) * (-60 if sign == "-" else 60)
    seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
    return make_timestamp(seconds, int((fraction or "").ljust(9, "0")))


def make_timestamp(seconds: int, nanos: int = 0) -> Timestamp:
    """A timestamp from any seconds and nanos; OutOfRange outside years 1 to 9999."""
    seconds, nanos = seconds + nanos // NANOS, nanos % NANOS
    if not MIN_TIME <= seconds <= MAX_TIME:
        raise OutOfRange("a timestamp outside years 1 to 9999")
    return Timestamp(seconds, nanos)


def format_timestamp(value: Timestamp) -> str:
    """RFC 3339 in UTC with the shortest exact fraction: `2026-01-31T09:30:00.5Z`."""
    day = date.fromordinal(EPOCH_DAY + value.seconds // 86_400)
    minutes, second = divmod(value.seconds % 86_400, 60)
    clock = f"{minutes // 60:02}:{minutes % 60:02}:{second:02}"
    return f"{day.isoformat()}T{clock}{_fraction(value.nanos)}Z"


def _fraction(nanos: int) -> str:
    return f".{nanos:09}".rstrip("0") if nanos else ""


# Durations -----------------------------------------------------------------------------------

UNIT_NANOS = {"h": 3600 * NANOS, "m": 60 * NANOS, "s": NANOS, "ms": 1_000_000, "us": 1_000, "ns": 1}
UNIT_NANOS |= dict.fromkeys(("\u00b5s", "\u03bcs"), 1_000)  # the micro sign, the Greek letter
PART = r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(h|ms|m|us|\u00b5s|\u03bcs|ns|s)"
DURATION = re.compile(rf"([+-]?)(0|(?:{PART})+)")
DURATION_PART = re.compile(PART)
MAX_DURATION_TEXT = 256  # characters; keeps the arithmetic on hostile text small


def parse_duration(text: str) -> Duration:
    """CEL's form: `1h30m`, `1.5s`, `-2ms`, `0`.  Digits below a nanosecond are cut off.

    Raises ValueError; OutOfRange beyond 315576000000s.
    """
    found = DURATION.fullmatch(text) if len(text) <= MAX_DURATION_TEXT else None
    if found is None:
        raise ValueError("not a duration, such as 1.5s or 1h30m")
    nanos = sum(int(Decimal(n) * UNIT_NANOS[unit]) for n, unit in DURATION_PART.findall(found[2]))
    return make_duration(0, -nanos if found[1] == "-" else nanos)


def make_duration(seconds: int, nanos: int = 0) -> Duration:
    """A duration from any seconds and nanos; OutOfRange beyond 315576000000s."""
    seconds, nanos = seconds + nanos // NANOS, nanos % NANOS
    if not -MAX_DURATION <= seconds <= MAX_DURATION or (seconds == MAX_DURATION and nanos):
        raise OutOfRange("a duration beyond 315576000000s")
    return Duration(seconds, nanos)


def format_duration(value: Duration) -> str:
    """Seconds with the shortest exact fraction: `-1.5s`."""
    total = value.seconds * NANOS + value.nanos
    seconds, nanos = divmod(abs(total), NANOS)
    return f"{'-' if total < 0 else ''}{seconds}{_fraction(nanos)}s"


# Times of a record: microseconds ------------------------------------------------------------


def unit_number(value: int | float, unit: str) -> int:
    """Microseconds that a number in "s", "ms", "us" or "ns" stands for, rounded half up.

    An int is exact; a float x is floor(x * scale + 0.5).  ValueError for NaN, infinity and bool.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not a number")
    if isinstance(value, int):
        return (value + 500) // 1000 if unit == "ns" else value * UNIT_SCALE[unit]
    if isnan(value) or not isfinite(value):
        raise ValueError("not a finite number")
    scaled = value / 1000.0 if unit == "ns" else value * UNIT_SCALE[unit]
    if not isfinite(scaled):
        raise OutOfRange("a time beyond every range")
    return floor(scaled + 0.5)


def timestamp_of_micros(micros: int) -> Timestamp:
    """The timestamp so many microseconds after 1970; OutOfRange outside years 1 to 9999."""
    return make_timestamp(micros // 1_000_000, micros % 1_000_000 * 1000)


def duration_of_micros(micros: int) -> Duration:
    """The duration of so many microseconds; OutOfRange beyond 315576000000s."""
    return make_duration(micros // 1_000_000, micros % 1_000_000 * 1000)


def rounded_timestamp(value: Timestamp) -> Timestamp:
    """The timestamp rounded half up to microseconds, as records hold it."""
    return make_timestamp(value.seconds, (value.nanos + 500) // 1000 * 1000)


def rounded_duration(value: Duration) -> Duration:
    """The duration rounded half up to microseconds, as records hold it."""
    return make_duration(value.seconds, (value.nanos + 500) // 1000 * 1000)


# Numbers as text -----------------------------------------------------------------------------


def format_double(value: float) -> str:
    """The shortest text that reads back as the same double; an exponent below 1e-4 and from 1e6 on."""
    if not isfinite(value):
        return "NaN" if isnan(value) else "+Inf" if value > 0 else "-Inf"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    return _digits(bool(sign), "".join(map(str, digits)), int(exponent))


def _digits(negative: bool, digits: str, exponent: int) -> str:
    """Decimal text of +-digits * 10**exponent."""
    lead = len(digits) + exponent - 1  # power of ten of the first digit
    if digits == "0":
        text = "0"
    elif lead < -4 or lead >= 6:
        tail = f".{digits[1:]}" if len(digits) > 1 else ""
        text = f"{digits[0]}{tail}e{'-' if lead < 0 else '+'}{abs(lead):02}"
    elif exponent >= 0:
        text = digits + "0" * exponent
    elif lead >= 0:
        text = f"{digits[: lead + 1]}.{digits[lead + 1 :]}"
    else:
        text = f"0.{'0' * (-lead - 1)}{digits}"
    return "-" + text if negative else text


# Addresses as text ---------------------------------------------------------------------------


def format_ip(value: IP) -> str:
    """Dotted decimal, or RFC 5952's one form of an IPv6 address."""
    from ipaddress import IPv4Address, IPv6Address  # here, so that values stay cheap to import

    return str(IPv4Address(value.number) if value.family == 4 else IPv6Address(value.number))
