"""Arrow arrays as lists of plain data: what the record path is given.

In: an array that has been validated.  Out: a Python list of the same length, of JSON-like data.

Null is None.  A null field of a struct is left out: in Arrow nothing else can say that it is absent.
A number of a decimal column is an int where the scale is 0, else the nearest double.  A column of the
extension type `arrow.json` is parsed; a plain string stays a string.  Times are rounded half up to
microseconds, as on every route.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from pactlang.errors import RecordError
from pactlang.records.reader import lenient

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NAIVE = datetime(1970, 1, 1)  # stands for every time without a zone; a pact takes none
TO_MICROS = {"s": 1_000_000, "ms": 1_000, "us": 1}


def misfit(what: str) -> Any:
    """Something that no form takes; a reason calls it by this name."""
    return type(what, (), {"__slots__": ()})()


FAR = misfit("time that is out of range")
NO_JSON = misfit("text that is not JSON")
NO_KEY = misfit("key that is not a string")


def data_of(array: pa.Array) -> list[Any]:
    """The data of an array."""
    for is_one, read in READERS:
        if is_one(array.type):
            return read(array)
    return list(array.to_pylist())


def _is_json(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.JsonType)


def _jsons(array: pa.Array) -> list[Any]:
    return [None if text is None else _parsed(text) for text in data_of(array.storage)]


def _parsed(text: str) -> Any:
    try:
        return lenient(text)
    except RecordError:
        return NO_JSON


def _is_extension(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.BaseExtensionType)


def _storage(array: pa.Array) -> list[Any]:
    return data_of(array.storage)


class NotUtf8(pa.ExtensionType):  # type: ignore[misc]  # pyarrow has no types
    """Strings some of which are not UTF-8, as bytes."""

    def __init__(self, storage: pa.DataType) -> None:
        super().__init__(storage, "pactlang.not_utf8")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage: pa.DataType, serialized: bytes) -> NotUtf8:
        return cls(storage)


def _is_not_utf8(kind: pa.DataType) -> bool:
    return isinstance(kind, NotUtf8)


def _decoded(array: pa.Array) -> list[Any]:
    held = array.storage.to_pylist()
    return [None if each is None else each.decode("utf-8", "surrogateescape") for each in held]


def _chosen(array: pa.DictionaryArray) -> list[Any]:
    values = data_of(array.dictionary)
    return [None if index is None else values[index] for index in array.indices.to_pylist()]


def _is_list(kind: pa.DataType) -> bool:
    return bool(
        types.is_list(kind)
        or types.is_large_list(kind)
        or types.is_fixed_size_list(kind)
        or types.is_list_view(kind)
        or types.is_large_list_view(kind)
    )


def _lists(array: pa.Array) -> list[Any]:
    return _cut(data_of(array.flatten()), array)


def _cut(items: list[Any], array: pa.Array) -> list[Any]:
    """The items of all lists in a row, cut into lists."""
    made: list[Any] = []
    at = 0
    for size in pc.list_value_length(array).to_pylist():
        made.append(None if size is None else items[at : at + size])
        at += size or 0
    return made


def _structs(array: pa.StructArray) -> list[Any]:
    names = [field.name for field in array.type]
    parts = [data_of(part) for part in array.flatten()]
    rows = zip(*parts, strict=True) if parts else ((),) * len(array)
    valid = array.is_valid().to_pylist()
    return [
        {name: each for name, each in zip(names, row, strict=True) if each is not None} if present else None
        for row, present in zip(rows, valid, strict=True)
    ]


def _maps(array: pa.MapArray) -> list[Any]:
    ends = array.offsets.to_pylist()
    spans = pairwise(ends)
    keys, items = data_of(array.keys), data_of(array.items)
    valid = array.is_valid().to_pylist()
    return [
        dict(zip(map(_key, keys[a:b]), items[a:b], strict=True)) if present else None
        for (a, b), present in zip(spans, valid, strict=True)
    ]


def _key(key: Any) -> Any:
    return key if isinstance(key, str) else NO_KEY


def _halves(array: pa.Array) -> list[Any]:
    return list(array.cast(pa.float64()).to_pylist())


def _decimals(array: pa.Array) -> list[Any]:
    make: Callable[[Any], Any] = int if array.type.scale <= 0 else float
    return [None if each is None else make(each) for each in array.to_pylist()]


def _micros(array: pa.Array) -> list[Any]:
    unit = array.type.unit
    numbers = array.view(pa.int64()).to_pylist()
    if unit == "ns":
        return [None if each is None else (each + 500) // 1000 for each in numbers]
    scale = TO_MICROS[unit]
    return [None if each is None else each * scale for each in numbers]


def _moments(array: pa.Array) -> list[Any]:
    if array.type.tz is None:
        return [NAIVE if present else None for present in array.is_valid().to_pylist()]
    return [None if each is None else _after(EPOCH, each) for each in _micros(array)]


def _durations(array: pa.Array) -> list[Any]:
    return [None if each is None else _after(None, each) for each in _micros(array)]


def _after(start: datetime | None, micros: int) -> Any:
    try:
        span = timedelta(microseconds=micros)
        return span if start is None else start + span
    except OverflowError:
        return FAR


def _run_ends(array: pa.Array) -> list[Any]:
    return data_of(pc.run_end_decode(array))


Read = Callable[[Any], list[Any]]
READERS: tuple[tuple[Callable[[Any], bool], Read], ...] = (
    (_is_json, _jsons),
    (_is_not_utf8, _decoded),
    (_is_extension, _storage),
    (types.is_dictionary, _chosen),
    (_is_list, _lists),
    (types.is_struct, _structs),
    (types.is_map, _maps),
    (types.is_timestamp, _moments),
    (types.is_duration, _durations),
    (types.is_float16, _halves),
    (types.is_decimal, _decimals),
    (types.is_run_end_encoded, _run_ends),
)
