"""MessagePack as data: what the forms read when msgspec's decoder does not take a record.

In: bytes.  Out: the data they spell, or a `RecordError` with the byte where they break off.

What only matters where it is read stays in place: bytes that are no UTF-8 become U+DC80 to U+DCFF, a
key that is no string stands there as what it is.  A timestamp becomes a datetime, rounded half up to
microseconds, which msgspec cuts off.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from pactlang.errors import RecordError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIMESTAMP = -1  # the code of MessagePack's own extension


class Odd:
    """A key that is a list or a map, which Python cannot look up."""


def unpack(data: bytes) -> Any:
    """The data of one message."""
    reading = Reading(data)
    try:
        value = reading.value()
    except RecursionError:
        raise RecordError("nested too deeply") from None
    if reading.at < len(data):
        raise RecordError(f"not MessagePack: more bytes behind it (byte {reading.at})")
    return value


class Reading:
    """A place in a message."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        """The next bytes."""
        end = self.at + count
        if end > len(self.data):
            raise RecordError(f"not MessagePack: it breaks off (byte {len(self.data)})")
        found = self.data[self.at : end]
        self.at = end
        return found

    def number(self, form: struct.Struct) -> Any:
        return form.unpack(self.take(form.size))[0]

    def value(self) -> Any:
        """The value that stands here."""
        head = self.take(1)[0]
        if head < 0x80 or head >= 0xE0:
            return head if head < 0x80 else head - 256
        if head < 0xC0:
            if head < 0x90:
                return self.map(head & 0x0F)
            return self.list(head & 0x0F) if head < 0xA0 else self.text(head & 0x1F)
        read = _READS.get(head)
        if read is None:
            raise RecordError(f"not MessagePack: no value begins with 0x{head:02x} (byte {self.at - 1})")
        return read(self)

    def text(self, size: int) -> str:
        return self.take(size).decode("utf-8", "surrogateescape")

    def list(self, count: int) -> list[Any]:
        return [self.value() for _ in range(count)]

    def map(self, count: int) -> dict[Any, Any]:
        found = {}
        for _ in range(count):
            key = self.value()
            found[Odd() if isinstance(key, list | dict) else key] = self.value()
        return found

    def extension(self, size: int) -> Any:
        code = self.number(_I8)
        data = self.take(size)
        return (moment(data) if code == TIMESTAMP else None) or msgspec.msgpack.Ext(code, data)


def moment(data: bytes) -> datetime | None:
    """The time of a timestamp extension; None where it is none, or none of datetime's."""
    if len(data) == 4:
        seconds, nanos = _U32.unpack(data)[0], 0
    elif len(data) == 8:
        both = _U64.unpack(data)[0]
        seconds, nanos = both & (2**34 - 1), both >> 34
    elif len(data) == 12:
        nanos, seconds = _U32.unpack(data[:4])[0], _I64.unpack(data[4:])[0]
    else:
        return None
    try:
        found = EPOCH + timedelta(seconds=seconds, microseconds=(nanos + 500) // 1000)
    except OverflowError:
        return None
    return found if nanos < 10**9 else None


def plain(held: Any) -> bool:
    """Whether data that msgspec decoded without a type is what the forms would make of it."""
    if isinstance(held, list):
        return all(map(plain, held))
    if isinstance(held, dict):
        return all(type(key) is str and plain(value) for key, value in held.items())
    if isinstance(held, msgspec.Struct):
        return all(plain(getattr(held, name)) for name in held.__struct_fields__)
    return not isinstance(held, datetime | msgspec.msgpack.Ext)


_U8, _U16, _U32, _U64 = (struct.Struct(">" + c) for c in "BHIQ")
_I8, _I16, _I32, _I64 = (struct.Struct(">" + c) for c in "bhiq")
_F32, _F64 = struct.Struct(">f"), struct.Struct(">d")


def _a_number(form: struct.Struct) -> Callable[[Reading], Any]:
    return lambda reading: reading.number(form)


def _sized(read: Callable[[Reading, int], Any], form: struct.Struct) -> Callable[[Reading], Any]:
    return lambda reading: read(reading, reading.number(form))


def _fixed(size: int) -> Callable[[Reading], Any]:
    return lambda reading: reading.extension(size)


_READS: dict[int, Callable[[Reading], Any]] = {
    0xC0: lambda reading: None,
    0xC2: lambda reading: False,
    0xC3: lambda reading: True,
    **{0xC4 + i: _sized(Reading.take, form) for i, form in enumerate((_U8, _U16, _U32))},
    **{0xC7 + i: _sized(Reading.extension, form) for i, form in enumerate((_U8, _U16, _U32))},
    0xCA: _a_number(_F32),
    0xCB: _a_number(_F64),
    **{0xCC + i: _a_number(form) for i, form in enumerate((_U8, _U16, _U32, _U64))},
    **{0xD0 + i: _a_number(form) for i, form in enumerate((_I8, _I16, _I32, _I64))},
    **{0xD4 + i: _fixed(1 << i) for i in range(5)},
    **{0xD9 + i: _sized(Reading.text, form) for i, form in enumerate((_U8, _U16, _U32))},
    **{0xDC + i: _sized(Reading.list, form) for i, form in enumerate((_U16, _U32))},
    **{0xDE + i: _sized(Reading.map, form) for i, form in enumerate((_U16, _U32))},
}
