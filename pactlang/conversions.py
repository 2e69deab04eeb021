"""CEL's conversions from and to text, and time zones: the parts of the machine that run in Python.

In: one CEL value.  Out: one CEL value; ValueError if the text does not have the form, OverflowError
if the value is out of range.  Forms are those of cel-spec's language definition.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from pactlang.values import (
    Duration,
    Timestamp,
    UInt,
    format_double,
    format_duration,
    format_timestamp,
    parse_duration,
    parse_timestamp,
)

INT = re.compile(r"[+-]?[0-9]+", re.ASCII)
DOUBLE = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
OFFSET = re.compile(r"([+-]?)([0-9]{1,2}):([0-9]{2})", re.ASCII)
ZONE = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*", re.ASCII)
MAX_ZONE = 64  # characters; the longest name there is has 32
MAX_ABSENT = 100

# Python's datetime ends where CEL's timestamp does, so a zone at either end is asked one cycle of the
# calendar (400 years, in seconds) further in, where it is the same.
CYCLE = 146_097 * 86_400
FIRST_YEARS, LAST_YEARS = -62_135_596_800 + CYCLE, 253_402_300_799 - CYCLE

TRUE = frozenset({"true", "True", "TRUE", "t", "1"})
FALSE = frozenset({"false", "False", "FALSE", "f", "0"})
SPECIAL = {"NaN", "nan", "inf", "+inf", "-inf", "Infinity", "+Infinity", "-Infinity", "Inf", "+Inf", "-Inf"}
MAX_DIGITS = 400  # longer numerals are refused before they are read: reading is quadratic


def to_bool(value: str) -> bool:
    """bool(string): the ten spellings CEL takes."""
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise ValueError(f"not a bool: {value[:40]!r}")


def _integer(value: str) -> int:
    if len(value) > MAX_DIGITS or not INT.fullmatch(value):
        raise ValueError(f"not an int: {value[:40]!r}")
    return int(value)


def to_int(value: str) -> int:
    """int(string)."""
    number = _integer(value)
    if not -(2**63) <= number < 2**63:
        raise OverflowError(value)
    return number


def to_uint(value: str) -> UInt:
    """uint(string)."""
    number = _integer(value)
    if value.startswith("-") or not 0 <= number < 2**64:
        raise OverflowError(value)
    return UInt(number)


def to_double(value: str) -> float:
    """double(string): decimal forms, NaN and infinities."""
    if value not in SPECIAL and (len(value) > MAX_DIGITS or not DOUBLE.fullmatch(value)):
        raise ValueError(f"not a double: {value[:40]!r}")
    return float(value)


def to_string(value: Any) -> str:
    """string(x) of a bool, number, bytes, timestamp or duration."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format_double(value)
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, Timestamp):
        return format_timestamp(value)
    if isinstance(value, Duration):
        return format_duration(value)
    return str(int(value))


def to_bytes(value: str) -> bytes:
    """bytes(string): its UTF-8."""
    return value.encode("utf-8")


def to_timestamp(value: str) -> Timestamp:
    """timestamp(string): RFC 3339 with an offset."""
    return parse_timestamp(value)


def to_duration(value: str) -> Duration:
    """duration(string): "1h30m", "1.5s"."""
    return parse_duration(value)


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    """The zone of that name, None if there is none.  A name is not a path: `ZoneInfo` seeks a file, and in
    its last resort imports a package, by whatever it is given.  It takes long not to find one, so where
    many names are no zones' the list of all is asked first."""
    if len(name) > MAX_ZONE or not ZONE.fullmatch(name):
        return None
    if len(_absent) >= MAX_ABSENT and name not in _zones():
        return None
    try:
        return ZoneInfo(name)
    except (OSError, KeyError, ValueError):
        _absent.append(name)
        return None


_absent: list[str] = []  # names that were sought in vain, as many as MAX_ABSENT


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_offset(seconds: int, zone: str) -> int:
    """Seconds east of UTC at `seconds` since 1970, in a zone such as "Europe/Paris" or "-08:00"."""
    found = OFFSET.fullmatch(zone)
    if found:
        hours, minutes = int(found[2]), int(found[3])
        if hours > 23 or minutes > 59:
            raise ValueError(f"no such offset: {zone[:40]!r}")
        east = hours * 3600 + minutes * 60
        return -east if found[1] == "-" else east
    if zone in ("UTC", "Z"):
        return 0
    known = _zone(zone)
    if known is None:
        raise ValueError(f"no such time zone: {zone[:40]!r}")
    if seconds < FIRST_YEARS:
        seconds += CYCLE
    elif seconds > LAST_YEARS:
        seconds -= CYCLE
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    offset = moment.astimezone(known).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())
