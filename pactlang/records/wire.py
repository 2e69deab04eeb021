"""One value of a record: from data to the form that is held, and from there to a CEL value.

In: a `schema.Type`.  Out: `form(type)`, a function from JSON-like data to the held form, and
`value(type)`, a function from the held form to the CEL value (None where they are the same).

The held form is what msgspec's JSON decoder builds into a projected Struct: plain bool, int, float,
str, bytes; a time as its text or as a number in its unit; lists and dicts of these.  A form accepts
what the type table of the language accepts and nothing else; what it refuses it refuses with a
`Misfit`, whose path is put together on the way out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from math import isfinite
from typing import Any

import msgspec

from pactlang import values
from pactlang.schema import DURATION, TIMESTAMP, Type
from pactlang.text import SLICE, slices
from pactlang.values import Duration, Timestamp, UInt

Form = Callable[[Any], Any]


class Misfit(Exception):
    """Data that does not fit its type; `steps` lead from it up to the record, innermost first."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.steps: list[str] = []

    def at(self, step: str) -> Misfit:
        """The same, one step further out."""
        self.steps.append(step)
        return self

    @property
    def path(self) -> str:
        """The JSON path from the record, in characters that can be written."""
        path = "$" + "".join(reversed(self.steps))
        return path.encode("utf-8", "backslashreplace").decode("utf-8")


# What data there is ---------------------------------------------------------------------------

_NAMES: dict[type, str] = {
    type(None): "null",
    bool: "a bool",
    int: "an int",
    float: "a double",
    str: "a string",
    bytes: "bytes",
    list: "a list",
    dict: "an object",
    datetime: "a timestamp",
    timedelta: "a duration",
}

_NARROW: tuple[tuple[Any, Form], ...] = (
    (str, str.__str__),
    (int, int.__pos__),
    (float, float.__pos__),
    (Mapping, dict),
    ((tuple, set, frozenset), list),
    ((bytes, bytearray, memoryview), bytes),
    ((datetime, timedelta), lambda data: data),
)


def expected(what: str, data: Any) -> Misfit:
    """A `Misfit` that says what was expected and what was found."""
    return Misfit(f"expected {what}, found {_NAMES.get(type(data)) or 'a ' + type(data).__name__}")


def plain(data: Any) -> Any:
    """`data` as one of the types that have a name above; a Struct becomes a dict with its wire names.

    What cannot be seen as one of them comes back as it is.
    """
    return data if type(data) in _NAMES else _foreign(data)


def _foreign(data: Any) -> Any:
    try:
        if isinstance(data, msgspec.Struct):
            return _members(data)
        if isinstance(data, Enum):
            return plain(data.value)
        for kind, exact in _NARROW:
            if isinstance(data, kind):
                return exact(data)
        return msgspec.to_builtins(data, builtin_types=(bytes, datetime, timedelta))  # as JSON would hold it
    except Exception:  # whatever a foreign object's own code raises, the object is no data
        return data


def _members(data: msgspec.Struct) -> dict[str, Any]:
    held = (getattr(data, name) for name in data.__struct_fields__)
    members = zip(data.__struct_encode_fields__, held, strict=True)
    found = {name: value for name, value in members if value is not msgspec.UNSET}
    config = data.__struct_config__
    if config.tag_field is not None:
        found[config.tag_field] = config.tag
    return found


def text(data: Any) -> Any:
    """A string that can be written as UTF-8."""
    data = plain(data)
    if type(data) is not str:
        raise expected("string", data)
    if not data.isascii():
        _check_surrogates(data)
    return data


def _check_surrogates(data: str) -> None:
    for number, part in enumerate(slices(data)):
        try:
            part.encode("utf-8")
        except UnicodeEncodeError as error:
            # A byte that is not UTF-8 comes here as U+DC80 to U+DCFF, see `reader.lenient`.
            what = "invalid UTF-8" if 0xDC80 <= ord(part[error.start]) <= 0xDCFF else "a lone surrogate"
            raise Misfit(f"{what} at character {number * SLICE + error.start}") from None


# Times ----------------------------------------------------------------------------------------


def _moment_of(held: str) -> Timestamp:
    return values.rounded_timestamp(values.parse_timestamp(held))


def _span_of(held: str) -> Duration:
    return values.rounded_duration(values.parse_duration(held))


def _moment_of_number(unit: str) -> Form:
    return lambda held: values.timestamp_of_micros(values.unit_number(held, unit))


def _span_of_number(unit: str) -> Form:
    return lambda held: values.duration_of_micros(values.unit_number(held, unit))


def time_value(type_: Type) -> Form:
    """The function from a held time to its CEL value, rounded half up to microseconds; or a `Misfit`."""
    make: Form
    if type_.kind == "timestamp":
        make = _moment_of_number(type_.unit) if type_.unit else _moment_of
    else:
        make = _span_of_number(type_.unit) if type_.unit else _span_of

    def read(held: Any) -> Any:
        try:
            return make(held)
        except ValueError as error:
            raise Misfit(str(error)) from None

    return read


def number_range(type_: Type) -> tuple[int, int]:
    """The numbers of a time type that are surely in range; bounds within 64 bits."""
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[type_.unit]
    is_moment = type_.kind == "timestamp"
    low = values.MIN_TIME if is_moment else -values.MAX_DURATION
    high = values.MAX_TIME if is_moment else values.MAX_DURATION
    return max(low * per_second, values.MIN_INT), min(high * per_second, values.MAX_INT)


_TIMES = ("timestamp", "duration")
_MOMENT, _SPAN = time_value(TIMESTAMP), time_value(DURATION)


def _moment(data: Any) -> Any:
    data = plain(data)
    if isinstance(data, datetime):
        data = _written(data)
    elif type(data) is not str:
        raise expected("timestamp", data)
    _MOMENT(data)
    return data


def _written(data: datetime) -> str:
    """RFC 3339 knows whole minutes of offset only, datetime also seconds: so in UTC."""
    offset = data.utcoffset()
    if offset is None:
        raise Misfit("expected timestamp, found a datetime without offset")
    try:
        return (data.replace(tzinfo=None) - offset).isoformat(timespec="microseconds") + "Z"
    except OverflowError:
        raise Misfit("a timestamp outside years 1 to 9999") from None


def _span(data: Any) -> Any:
    data = plain(data)
    if isinstance(data, timedelta):
        data = f"{data // timedelta(microseconds=1)}us"
    elif type(data) is not str:
        raise expected("duration", data)
    _SPAN(data)
    return data


def _number_of(type_: Type) -> Form:
    check = time_value(type_)

    def read(data: Any) -> Any:
        data = plain(data)
        if type(data) is not int and type(data) is not float:
            raise expected(f"a number of {type_.unit}", data)
        check(data)
        return data

    return read


# Forms: data to what is held ------------------------------------------------------------------


def _bool(data: Any) -> Any:
    data = plain(data)
    if type(data) is not bool:
        raise expected("bool", data)
    return data


def _whole(word: str, low: int, high: int) -> Form:
    def read(data: Any) -> Any:
        data = plain(data)
        if type(data) is not int:
            raise expected(word, data)
        if not low <= data <= high:
            raise Misfit(f"expected {word}, found a number beyond its range")
        return data

    return read


def _double(data: Any) -> Any:
    data = plain(data)
    if type(data) is int:
        try:
            return float(data)
        except OverflowError:
            raise Misfit("expected double, found a number beyond its range") from None
    if type(data) is not float:
        raise expected("double", data)
    if not isfinite(data):
        raise Misfit("expected double, found NaN or an infinity")
    return data


def _bytes(data: Any) -> Any:
    data = plain(data)
    if type(data) is bytes:
        return data
    if type(data) is not str:
        raise expected("base64 text", data)
    try:
        return msgspec.convert(data, bytes)
    except (msgspec.ValidationError, UnicodeError):
        raise Misfit("expected base64 text, found another string") from None


def _choice(known: tuple[str, ...]) -> Form:
    words = ", ".join(f'"{value}"' for value in known)

    def read(data: Any) -> Any:
        data = text(data)
        if data not in known:
            found = data if len(data) <= 40 else data[:40] + "..."
            raise Misfit(f'expected one of {words}, found "{found}"')
        return data

    return read


def text_or_int(data: Any) -> Any:
    """A string, or an int as its decimal digits."""
    data = plain(data)
    return str(_WHOLE(data)) if type(data) is int else text(data)


def dyn(data: Any) -> Any:
    """Data of unknown shape, copied: strings and keys are checked, numbers stay as they are.

    An int beyond 64 bits or a NaN is an error when it is read, not here.  bytes stay bytes, datetimes
    and timedeltas (which only Python data can hold) become CEL timestamps and durations.
    """
    data = plain(data)
    read = _DYN.get(type(data))
    if read is not None:
        return read(data)
    if isinstance(data, datetime):
        return _MOMENT(_moment(data))
    if type(data) not in _NAMES:
        raise expected("JSON data", data)
    return data


def _list_of(element: Form) -> Form:
    def read(data: Any) -> Any:
        data = plain(data)
        if type(data) is not list:
            raise expected("list", data)
        items = []
        for index, item in enumerate(data):
            try:
                items.append(element(item))
            except Misfit as misfit:
                raise misfit.at(f"[{index}]") from None
        return items

    return read


def _map_of(element: Form) -> Form:
    def read(data: Any) -> Any:
        data = plain(data)
        if type(data) is not dict:
            raise expected("object", data)
        members = {}
        for key, item in data.items():
            try:
                members[text(key)] = element(item)
            except Misfit as misfit:
                raise misfit.at(f".{key}") from None
        return members

    return read


def or_null(inside: Form) -> Form:
    """The form that also takes null."""
    return lambda data: None if data is None else inside(data)


_DYN: dict[type, Form] = {
    str: text,
    list: _list_of(dyn),
    dict: _map_of(dyn),
    timedelta: lambda data: _SPAN(_span(data)),
}

_WHOLE = _whole("int", values.MIN_INT, values.MAX_INT)

_FORMS: dict[str, Form] = {
    "bool": _bool,
    "int": _WHOLE,
    "uint": _whole("uint", 0, values.MAX_UINT),
    "double": _double,
    "string": text,
    "bytes": _bytes,
    "timestamp": _moment,
    "duration": _span,
    "dyn": dyn,
}


def form(type_: Type, record: Callable[[str], Form]) -> Form:
    """The function from data to what is held for a type; `record` gives it for a record's name."""
    if type_.kind == "list":
        inside = _list_of(form(type_.params[0], record))
    elif type_.kind == "map":
        inside = _map_of(form(type_.params[1], record))
    elif type_.kind == "record":
        inside = record(type_.name)
    elif type_.unit:
        inside = _number_of(type_)
    else:
        inside = _choice(type_.values) if type_.values else _FORMS[type_.kind]
    return or_null(inside) if type_.nullable else inside


# Values: what is held to what CEL sees --------------------------------------------------------


def value(type_: Type) -> Form | None:
    """The function from what is held to the CEL value; None if they are the same.

    It raises `Misfit` only for a time that no form has seen, which the JSON decoder leaves as it is.
    """
    inside = _value(type_)
    return or_null(inside) if inside and type_.nullable else inside


def _value(type_: Type) -> Form | None:
    if type_.kind == "uint":
        return UInt
    if type_.kind in _TIMES:
        return time_value(type_)
    if type_.kind in ("list", "map") and (element := value(type_.params[-1])):
        return _list_of(element) if type_.kind == "list" else _map_of(element)
    return None
