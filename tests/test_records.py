"""Records: one type table, three routes in, the same value or the same refusal on each."""

from __future__ import annotations

import enum
import functools
import json
import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from pactlang.errors import RecordError
from pactlang.records import Reader
from pactlang.schema import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    Field,
    Record,
    Schema,
    Slot,
    Type,
    list_of,
    map_of,
)
from pactlang.values import Duration, Timestamp, UInt


def schema_of(*records: Record, reads: dict[str, tuple[str, ...]] | None = None) -> Schema:
    """A schema that reads every field (or `reads`) of the records; the first is the pact's."""
    reads = reads or {record.name: tuple(f.name for f in record.fields) for record in records}
    schema = Schema(records[0].name, records, (), reads)
    slots: list[Slot] = []
    _add_slots(schema, schema.root, (), -1, slots)
    return Schema(schema.root, records, tuple(slots), reads)


def _add_slots(schema: Schema, name: str, at: tuple[str, ...], base: int, slots: list[Slot]) -> None:
    for field in schema.record(name).fields:
        if field.name in schema.reads.get(name, ()):
            slots.append(Slot((*at, field.name), field.type, base))
            if field.type.kind == "record" and len(at) < 3:
                _add_slots(schema, field.type.name, slots[-1].path, len(slots) - 1, slots)


def reader_of(*fields: Field, others: tuple[Record, ...] = ()) -> Reader:
    return Reader(schema_of(Record("R", fields), *others))


@functools.cache
def reader_for(type_: Type) -> Reader:
    return reader_of(Field("x", type_, ("the_x",)))


def read(reader: Reader, route: str, data: Any) -> dict[str, Any]:
    """The values by slot name; `data` is JSON bytes, a dict, or a Struct."""
    struct = getattr(reader, "from_" + route)(data)
    return dict(zip((s.name for s in reader.schema.slots), reader.values(struct), strict=True))


def unit(kind: str, unit: str) -> Type:
    return Type(kind, unit=unit)


def same(a: Any, b: Any) -> bool:
    """Equal with types, in depth; NaN is NaN, -0.0 is not 0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return repr(a) == repr(b)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(map(same, a.values(), b.values()))
    return bool(a == b)


class No:
    """A row that must be refused, at this path below the field."""

    def __init__(self, path: str = "") -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"No({self.path!r})"


NO = No()
T0 = Timestamp(1_767_225_600)  # 2026-01-01T00:00:00Z
CHOICE = Type("string", values=("chat", "tool"))
DEEP = {"a": [1, 2.5, None, True, {"b": "ü😀"}]}

# type, JSON text, what is expected
JSON_ROWS: list[tuple[Type, str, Any]] = [
    (BOOL, "true", True),
    (BOOL, "false", False),
    (BOOL, "1", NO),
    (BOOL, '"true"', NO),
    (BOOL, "null", NO),
    (STRING, '"ü😀"', "ü😀"),
    (STRING, r'"\ud83d\ude00"', "😀"),
    (STRING, r'"\u0000"', "\0"),
    (STRING, r'"\ud800"', NO),
    (STRING, r'"a\udc00b"', NO),
    (STRING, r'"\ude00\ud83d"', NO),
    (STRING, "5", NO),
    (STRING, "[]", NO),
    (STRING, "{}", NO),
    (CHOICE, '"tool"', "tool"),
    (CHOICE, '"Tool"', NO),
    (CHOICE, "0", NO),
    (INT, "0", 0),
    (INT, "-0", 0),
    (INT, "9223372036854775807", 2**63 - 1),
    (INT, "-9223372036854775808", -(2**63)),
    (INT, "9223372036854775808", NO),
    (INT, "-9223372036854775809", NO),
    (INT, "1" + "0" * 400, NO),
    (INT, "1" + "0" * 4999, NO),
    (INT, "5.0", NO),
    (INT, "1e3", NO),
    (INT, '"5"', NO),
    (INT, "true", NO),
    (UINT, "0", UInt(0)),
    (UINT, "9223372036854775808", UInt(2**63)),
    (UINT, "18446744073709551615", UInt(2**64 - 1)),
    (UINT, "18446744073709551616", NO),
    (UINT, "-1", NO),
    (UINT, "5.0", NO),
    (DOUBLE, "1.5", 1.5),
    (DOUBLE, "5", 5.0),
    (DOUBLE, "-0.0", -0.0),
    (DOUBLE, "1e3", 1000.0),
    (DOUBLE, "9007199254740993", 9007199254740992.0),
    (DOUBLE, "1" + "0" * 30, 1e30),
    (DOUBLE, "5e-324", 5e-324),
    (DOUBLE, "1e400", NO),
    (DOUBLE, "1" + "0" * 400, NO),
    (DOUBLE, "1" + "0" * 4999, NO),
    (DOUBLE, '"1.5"', NO),
    (DOUBLE, "true", NO),
    (BYTES, '"aGk="', b"hi"),
    (BYTES, '""', b""),
    (BYTES, '"aGk"', NO),
    (BYTES, '"_-8="', NO),
    (BYTES, '"aG k="', NO),
    (BYTES, "[104]", NO),
    (TIMESTAMP, '"2026-01-01T00:00:00Z"', T0),
    (TIMESTAMP, '"2026-01-01t00:00:00z"', T0),
    (TIMESTAMP, '"2026-01-01 01:30:00+01:30"', T0),
    (TIMESTAMP, '"2025-12-31T23:00:00.000-01:00"', T0),
    (TIMESTAMP, '"2026-01-01T00:00:00.1234564Z"', Timestamp(T0.seconds, 123_456_000)),
    (TIMESTAMP, '"2026-01-01T00:00:00.1234565Z"', Timestamp(T0.seconds, 123_457_000)),
    (TIMESTAMP, '"2025-12-31T23:59:59.9999995Z"', T0),
    (TIMESTAMP, '"1969-12-31T23:59:59.9999995Z"', Timestamp(0)),
    (TIMESTAMP, '"2024-02-29T00:00:00Z"', Timestamp(1_709_164_800)),
    (TIMESTAMP, '"0001-01-01T00:00:00Z"', Timestamp(-62_135_596_800)),
    (TIMESTAMP, '"9999-12-31T23:59:59Z"', Timestamp(253_402_300_799)),
    (TIMESTAMP, '"9999-12-31T23:59:59.9999999Z"', NO),
    (TIMESTAMP, '"0001-01-01T00:00:00+00:01"', NO),
    (TIMESTAMP, '"0000-01-01T00:00:00Z"', NO),
    (TIMESTAMP, '"2023-02-29T00:00:00Z"', NO),
    (TIMESTAMP, '"2026-13-01T00:00:00Z"', NO),
    (TIMESTAMP, '"2026-01-01T24:00:00Z"', NO),
    (TIMESTAMP, '"2026-06-30T23:59:60Z"', NO),
    (TIMESTAMP, '"2026-01-01T00:00:00"', NO),
    (TIMESTAMP, '"2026-01-01"', NO),
    (TIMESTAMP, '"2026-01-01T00:00:00+0100"', NO),
    (TIMESTAMP, '"2026-01-01T00:00:00+24:00"', NO),
    (TIMESTAMP, '"2026-01-01T00:00:00Z "', NO),
    (TIMESTAMP, '"２026-01-01T00:00:00Z"', NO),
    (TIMESTAMP, "1767225600", NO),
    (unit("timestamp", "s"), "1767225600", T0),
    (unit("timestamp", "s"), "1767225600.25", Timestamp(T0.seconds, 250_000_000)),
    (unit("timestamp", "ms"), "1767225600000", T0),
    (unit("timestamp", "us"), "1767225600000001", Timestamp(T0.seconds, 1_000)),
    (unit("timestamp", "ns"), "1767225600000000499", T0),
    (unit("timestamp", "ns"), "1767225600000000500", Timestamp(T0.seconds, 1_000)),
    (unit("timestamp", "ns"), "-500", Timestamp(0)),
    (unit("timestamp", "ns"), "-501", Timestamp(-1, 999_999_000)),
    (unit("timestamp", "ns"), "10000000000000000000", Timestamp(10**10)),
    (unit("timestamp", "s"), "253402300799", Timestamp(253_402_300_799)),
    (unit("timestamp", "s"), "253402300799.5", Timestamp(253_402_300_799, 500_000_000)),
    (unit("timestamp", "s"), "253402300800", NO),
    (unit("timestamp", "s"), "-62135596801", NO),
    (unit("timestamp", "s"), "1e300", NO),
    (unit("timestamp", "ms"), "1e308", NO),
    (unit("timestamp", "ms"), '"1767225600000"', NO),
    (unit("timestamp", "ms"), "true", NO),
    (DURATION, '"1.5s"', Duration(1, 500_000_000)),
    (DURATION, '"1h30m"', Duration(5400)),
    (DURATION, '"-1.5s"', Duration(-2, 500_000_000)),
    (DURATION, '"1500ns"', Duration(0, 2_000)),
    (DURATION, '"-1500ns"', Duration(-1, 999_999_000)),
    (DURATION, '"0"', Duration(0)),
    (DURATION, '"1.s"', Duration(1)),
    (DURATION, '"315576000000s"', Duration(315_576_000_000)),
    (DURATION, '"315576000001s"', NO),
    (DURATION, '"-315576000001s"', NO),
    (DURATION, '"1.5"', NO),
    (DURATION, '"1 s"', NO),
    (DURATION, '"1d"', NO),
    (DURATION, '"P1D"', NO),
    (DURATION, '""', NO),
    (DURATION, "1.5", NO),
    (unit("duration", "s"), "1.5", Duration(1, 500_000_000)),
    (unit("duration", "ms"), "732.018", Duration(0, 732_018_000)),
    (unit("duration", "ms"), "0.0005", Duration(0, 1_000)),
    (unit("duration", "ms"), "-0.0005", Duration(0)),
    (unit("duration", "us"), "2.5", Duration(0, 3_000)),
    (unit("duration", "us"), "-2.5", Duration(-1, 999_998_000)),
    (unit("duration", "ns"), "499.9", Duration(0)),
    (unit("duration", "s"), "315576000000", Duration(315_576_000_000)),
    (unit("duration", "s"), "315576000000.5", NO),
    (unit("duration", "s"), "-315576000001", NO),
    (unit("duration", "ns"), "315576000000000000000", Duration(315_576_000_000)),
    (unit("duration", "s"), '"1.5s"', NO),
    (DYN, json.dumps(DEEP), DEEP),
    (DYN, "5", 5),
    (DYN, "5.0", 5.0),
    (DYN, "1e2", 100.0),
    (DYN, "-0.0", -0.0),
    (DYN, "18446744073709551616", 2**64),
    (DYN, "-9223372036854775809", -(2**63) - 1),
    (DYN, r'{"a":["x","\ud800"]}', No(".a[1]")),
    (DYN, r'{"\ud800":1}', No(r".\ud800")),
    (DYN, '{"a":1,"b":2,"a":3}', {"a": 3, "b": 2}),
    (list_of(INT), "[1,2]", [1, 2]),
    (list_of(INT), "[]", []),
    (list_of(INT), "[1,2.0]", No("[1]")),
    (list_of(INT), "[1,null]", No("[1]")),
    (list_of(INT.optional), "[1,null]", [1, None]),
    (list_of(INT), '{"0":1}', NO),
    (list_of(DOUBLE), "[1,2.5]", [1.0, 2.5]),
    (list_of(UINT), "[1,18446744073709551615]", [UInt(1), UInt(2**64 - 1)]),
    (list_of(TIMESTAMP), '["2026-01-01T00:00:00Z"]', [T0]),
    (list_of(TIMESTAMP), '["2026-01-01T00:00:00Z","now"]', No("[1]")),
    (list_of(list_of(STRING)), '[["a"],["b",1]]', No("[1][1]")),
    (list_of(unit("duration", "ms")), "[1,2.5]", [Duration(0, 1_000_000), Duration(0, 2_500_000)]),
    (map_of(STRING, INT), '{"a":1,"b":2}', {"a": 1, "b": 2}),
    (map_of(STRING, INT), '{"a":1,"b":"2"}', No(".b")),
    (map_of(STRING, DURATION), '{"a":"1s"}', {"a": Duration(1)}),
    (map_of(STRING, DURATION), '{"a":"1x"}', No(".a")),
    (map_of(STRING, DYN), '{"a":{"b":1.0}}', {"a": {"b": 1.0}}),
    (map_of(STRING, INT), "[1]", NO),
]


class Colour(enum.StrEnum):
    RED = "chat"


class Number(enum.IntEnum):
    ONE = 1


class Opaque:
    """An object of no JSON type, with a name that does not change from process to process."""

    def __repr__(self) -> str:
        return "opaque"


NOTHING = Opaque()


class Inner(msgspec.Struct, rename="camel"):
    first_name: str
    left_out: str | msgspec.UnsetType = msgspec.UNSET


CYCLE: list[Any] = []
CYCLE.append(CYCLE)
PARIS = timezone(timedelta(hours=1, seconds=30))

# type, Python data, what is expected: on the dict and the Struct route only
PYTHON_ROWS: list[tuple[Type, Any, Any]] = [
    (DOUBLE, math.nan, NO),
    (DOUBLE, math.inf, NO),
    (DOUBLE, 10**400, NO),
    (DYN, math.nan, math.nan),
    (DYN, [math.inf], [math.inf]),
    (DYN, 10**400, 10**400),
    (DYN, (1, 2), [1, 2]),
    (DYN, b"hi", b"hi"),
    (DYN, {1: 2}, No(".1")),
    (DYN, {"a": NOTHING}, No(".a")),
    (DYN, Inner("x"), {"firstName": "x"}),
    (DYN, Colour.RED, "chat"),
    (DYN, CYCLE, None),
    (STRING, "\ud800", NO),
    (STRING, Colour.RED, "chat"),
    (STRING, b"x", NO),
    (CHOICE, Colour.RED, "chat"),
    (INT, Number.ONE, 1),
    (INT, Decimal(1), NO),
    (BYTES, b"hi", b"hi"),
    (BYTES, bytearray(b"hi"), b"hi"),
    (TIMESTAMP, datetime(2026, 1, 1, tzinfo=UTC), T0),
    (TIMESTAMP, datetime(2026, 1, 1, 1, 0, 30, tzinfo=PARIS), T0),
    (TIMESTAMP, datetime(2026, 1, 1, 0, 0, 0, 5, tzinfo=UTC), Timestamp(T0.seconds, 5_000)),
    (TIMESTAMP, datetime(2026, 1, 1), NO),
    (TIMESTAMP, datetime(1, 1, 1, tzinfo=PARIS), NO),
    (TIMESTAMP, datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))), NO),
    (unit("timestamp", "s"), datetime(2026, 1, 1, tzinfo=UTC), NO),
    (DURATION, timedelta(seconds=1.5), Duration(1, 500_000_000)),
    (DURATION, timedelta(microseconds=-1), Duration(-1, 999_999_000)),
    (DURATION, timedelta.max, NO),
    (unit("duration", "s"), timedelta(1), NO),
    (unit("duration", "s"), math.nan, NO),
    (unit("duration", "s"), math.inf, NO),
    (DYN, datetime(2026, 1, 1, tzinfo=UTC), T0),
    (DYN, timedelta(seconds=1), Duration(1)),
    (DYN, datetime(2026, 1, 1), NO),
    (list_of(INT), (1, 2), [1, 2]),
    (map_of(STRING, INT), {"a": 1, 2: 3}, No(".2")),
]

Mine = msgspec.defstruct("Mine", [("x", Any, msgspec.field(name="the_x"))])
FIELD = ("x", ("the_x",))


def outcome(reader: Reader, route: str, data: Any) -> Any:
    try:
        return read(reader, route, data)["x"]
    except RecordError as error:
        return No(error.path) if error.reason else None


def agree(got: Any, want: Any) -> None:
    if isinstance(want, No):
        assert isinstance(got, No), f"accepted as {got!r}"
        assert got.path == "$.the_x" + want.path
    else:
        assert same(got, want), f"{got!r} is not {want!r}"


@pytest.mark.parametrize(("type_", "text", "want"), JSON_ROWS, ids=lambda row: str(row)[:40])
def test_every_route_reads_the_same(type_: Type, text: str, want: Any) -> None:
    reader = reader_for(type_)
    line = b'{"other":"\xff","the_x":' + text.encode("utf-8", "surrogatepass") + b"}"
    data = _loads(text)
    agree(outcome(reader, "json", line), want)
    agree(outcome(reader, "json", f'{{"the_x":{text}}}'), want)
    agree(outcome(reader, "dict", {"the_x": data}), want)
    agree(outcome(reader, "struct", Mine(data)), want)


def _loads(text: str) -> Any:
    return json.loads(text, parse_int=lambda digits: int(digits) if len(digits) < 4000 else 10**4000)


@pytest.mark.parametrize(("type_", "data", "want"), PYTHON_ROWS, ids=lambda row: str(row)[:40])
def test_python_data_reads_the_same_in_dict_and_struct(type_: Type, data: Any, want: Any) -> None:
    reader = reader_for(type_)
    if data is CYCLE:
        with pytest.raises(RecordError, match="nested too deeply"):
            reader.from_dict({"the_x": data})
        return
    agree(outcome(reader, "dict", {"the_x": data}), want)
    agree(outcome(reader, "struct", Mine(data)), want)
