"""Constants of a program in their file form: a kind and plain data.

In: a value of `ir.Const`, or a `Constant` of an artifact, which is not to be trusted.  Out: the other.
"""

from __future__ import annotations

import struct
from typing import Any

import msgspec
from msgspec import Struct

from pactlang.errors import ProgramError
from pactlang.values import CelType, Duration, Timestamp, UInt, key_value, map_key


class Constant(Struct, frozen=True, array_like=True):
    """A constant and its kind: bool int uint double string bytes null timestamp duration type list map.

    A double is its 64 bits as an int (NaN has no other exact form); a timestamp or duration is
    (seconds, nanos); a list holds Constants, a map pairs of them.
    """

    kind: str
    value: Any


def make_constant(kind: str, value: Any) -> Constant:
    """The file form of a constant as `ir.Const` holds it."""
    if kind == "double":
        return Constant(kind, struct.unpack("<q", struct.pack("<d", value))[0])
    if kind == "list":
        return Constant(kind, [constant_of(item) for item in value])
    if kind == "map":
        return Constant(kind, [constant_of(x) for k, v in value.items() for x in (key_value(k), v)])
    return Constant(kind, list(value) if isinstance(value, tuple) else value)


# The kind of a constant inside a list or a map, by the class of its value.
KINDS = {
    bool: "bool", int: "int", UInt: "uint", float: "double", str: "string", bytes: "bytes",
    type(None): "null", Timestamp: "timestamp", Duration: "duration", CelType: "type", list: "list",
    dict: "map",
}  # fmt: skip


def constant_of(value: Any) -> Constant:
    """The file form of a CEL value."""
    kind = KINDS[type(value)]
    match value:
        case Timestamp() | Duration():
            return make_constant(kind, (value.seconds, value.nanos))
        case CelType():
            return make_constant(kind, value.name)
    return make_constant(kind, int(value) if isinstance(value, UInt) else value)


def _entries(flat: list[Any]) -> dict[Any, Any]:
    """A map from its keys and values in turn; ValueError for what is no key."""
    keys = [map_key(key) for key in flat[::2]]
    if None in keys or len(set(keys)) != len(keys):
        raise ValueError("these are no keys")
    return dict(zip(keys, flat[1::2], strict=True))


def constant_value(constant: Constant, depth: int = 0) -> Any:
    """The CEL value; ProgramError if the form is not right."""
    kind, value = constant.kind, constant.value
    try:
        if kind in ("list", "map") and depth < 50:
            inner = [constant_value(msgspec.convert(v, Constant), depth + 1) for v in value]
            return inner if kind == "list" else _entries(inner)
        return SCALARS[kind](value)
    except (KeyError, TypeError, ValueError, struct.error, msgspec.MsgspecError, RecursionError):
        raise ProgramError(f"a constant is no {str(kind)[:40]}") from None


def _exactly(form: type) -> Any:
    def same(value: Any) -> Any:
        if type(value) is not form:
            raise TypeError(form)
        return value

    return same


def _int(value: Any) -> int:
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise ValueError(value)
    return value


def _uint(value: Any) -> UInt:
    if type(value) is not int or not 0 <= value < 2**64:
        raise ValueError(value)
    return UInt(value)


def _time(form: type[Timestamp] | type[Duration]) -> Any:
    def made(value: Any) -> Timestamp | Duration:
        seconds, nanos = value
        if type(nanos) is not int or not 0 <= nanos < 10**9 or abs(_int(seconds)) > 2**40:
            raise ValueError(value)
        return form(seconds, nanos)

    return made


def _null(value: Any) -> None:
    if value is not None:
        raise ValueError(value)


SCALARS: dict[str, Any] = {
    "bool": _exactly(bool),
    "int": _int,
    "uint": _uint,
    "double": lambda bits: struct.unpack("<d", struct.pack("<q", bits))[0],
    "string": _exactly(str),
    "bytes": _exactly(bytes),
    "null": _null,
    "timestamp": _time(Timestamp),
    "duration": _time(Duration),
    "type": lambda name: CelType(_exactly(str)(name)),
}
