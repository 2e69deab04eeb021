"""Records: what is absent, nested, differently named or no record at all is read, or refused, on each route."""

from __future__ import annotations

import base64
import collections
import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_records import (
    CHOICE,
    NOTHING,
    T0,
    Colour,
    Mine,
    No,
    outcome,
    read,
    reader_for,
    reader_of,
    same,
    schema_of,
    unit,
)

import pactlang
from pactlang.errors import ProgramError, RecordError
from pactlang.opcodes import Kind
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
    record_of,
)
from pactlang.values import NULL_BASE, Duration, UInt

# Absent, null, default ------------------------------------------------------------------------

OPTIONAL = [
    (Field("x", INT.optional), None),
    (Field("x", INT, has_default=True, default=7), 7),
    (Field("x", UINT, has_default=True, default=7), UInt(7)),
    (Field("x", CHOICE, has_default=True, default="chat"), "chat"),
    (Field("x", list_of(INT), has_default=True, default=[]), []),
    (Field("x", map_of(STRING, DYN), has_default=True, default={}), {}),
    (Field("x", DURATION, has_default=True, default="2s"), Duration(2)),
    (Field("x", unit("duration", "ms"), has_default=True, default=1500), Duration(1, 500_000_000)),
    (Field("x", unit("duration", "ms"), has_default=True, default="1.5s"), Duration(1, 500_000_000)),
    (Field("x", DYN.optional), None),
]


@pytest.mark.parametrize(("field", "want"), OPTIONAL, ids=lambda row: str(row)[:30])
@pytest.mark.parametrize("data", [{}, {"x": None}], ids=["absent", "null"])
def test_absent_and_null_read_as_null_or_the_default(field: Field, want: Any, data: dict[str, Any]) -> None:
    reader = reader_of(field)
    for route, given_data in (("json", msgspec.json.encode(data)), ("dict", data)):
        assert same(read(reader, route, given_data)["x"], want)


MISSING = [
    ("x", {}),
    ("x", {"x": None}),
    ("x", {"x.y": 1}),
    ("x.y", {}),
    ("x.y", {"x": None}),
    ("x.y", {"x.y": None}),
    ("x.y", {"x": {"y": None}}),
    ("x.y", {"x": {"z": 1}}),
    ("x.y", {"x": 1}),
]


@pytest.mark.parametrize(("wire", "data"), MISSING, ids=str)
def test_a_required_field_must_be_there(wire: str, data: dict[str, Any]) -> None:
    reader = reader_of(Field("x", INT, (wire,)))
    paths = set()
    for route, given_data in (("json", msgspec.json.encode(data)), ("dict", data)):
        with pytest.raises(RecordError) as caught:
            read(reader, route, given_data)
        paths.add(caught.value.path)
    assert paths == {"$." + wire}


# Nested records -------------------------------------------------------------------------------

USAGE = Record("Usage", (Field("a", INT.optional), Field("b", INT, has_default=True, default=3)))
STEP = Record("Step", (Field("name", STRING), Field("at", TIMESTAMP.optional), Field("n", INT, ("n.n",))))


def both(reader: Reader, data: Any) -> dict[str, Any]:
    """The values, the same by JSON and by dict."""
    found = read(reader, "json", msgspec.json.encode(data))
    assert found == read(reader, "dict", data)
    return found


def both_refuse(reader: Reader, data: Any) -> str:
    paths = set()
    for route, given_data in (("json", msgspec.json.encode(data)), ("dict", data)):
        with pytest.raises(RecordError) as caught:
            read(reader, route, given_data)
        paths.add(caught.value.path)
    assert len(paths) == 1
    return paths.pop()


@pytest.mark.parametrize("data", [{}, {"u": None}, {"u": {}}])
def test_an_absent_record_of_optional_fields_reads_as_an_empty_one(data: dict[str, Any]) -> None:
    values = both(reader_of(Field("u", record_of("Usage")), others=(USAGE,)), data)
    assert (values["u.a"], values["u.b"]) == (None, 3)
    assert values["u"] is not None


def test_a_null_record_is_a_null_base() -> None:
    reader = reader_of(Field("u", record_of("Usage").optional), others=(USAGE,))
    values = both(reader, {})
    assert values["u"] is None
    assert values["u.a"] is values["u.b"] is NULL_BASE


def test_a_record_with_a_required_field_must_be_there() -> None:
    needy = Record("Needy", (Field("a", INT), Field("b", INT.optional)))
    reader = reader_of(Field("u", record_of("Needy")), others=(needy,))
    assert both_refuse(reader, {}) == "$.u"
    assert both_refuse(reader, {"u": {"b": 1}}) == "$.u.a"
    assert both_refuse(reader, {"u": []}) == "$.u"


def test_lists_of_records() -> None:
    reader = reader_of(Field("steps", list_of(record_of("Step"))), others=(STEP,))
    good = {"name": "a", "n": {"n": 1}, "at": "2026-01-01T00:00:00Z"}
    (step,) = both(reader, {"steps": [good]})["steps"]
    assert reader.member(step, "name") == "a"
    assert reader.member(step, "at") == T0
    assert reader.member(step, "n") == 1
    assert both_refuse(reader, {"steps": [good, {"name": "b", "n.n": "x"}]}) == "$.steps[1].n.n"
    assert both_refuse(reader, {"steps": [good, {**good, "at": "x"}]}) == "$.steps[1].at"
    assert both_refuse(reader, {"steps": [good, None]}) == "$.steps[1]"


def test_records_may_hold_themselves() -> None:
    node = Record(
        "R",
        (
            Field("v", INT),
            Field("next", record_of("R").optional),
            Field("all", list_of(record_of("R")), has_default=True, default=[]),
        ),
    )
    reader = Reader(schema_of(node))
    values = both(reader, {"v": 1, "next": {"v": 2, "all": [{"v": 3}]}})
    assert (values["v"], values["next.v"], values["next.next"]) == (1, 2, None)
    assert both_refuse(reader, {"v": 1, "next": {"v": 2, "all": [{"v": "3"}]}}) == "$.next.all[0].v"


def test_only_what_is_read_is_decoded() -> None:
    record = Record("R", (Field("a", INT), Field("b", INT), Field("c", record_of("Usage"))))
    reader = Reader(schema_of(record, USAGE, reads={"R": ("b", "c"), "Usage": ("a",)}))
    values = both(reader, {"a": "no int", "b": 1, "c": {"b": "no int", "a": 2}})
    assert values["b"] == 1
    assert values["c.a"] == 2


@pytest.mark.parametrize(
    "unread", [rb'"\ud800"', b'"\xff"', rb'["\ude00\ud83d"]', b"1e999", b"1" * 5000, b'"\xed\xa0\x80"']
)
def test_a_defect_in_what_is_not_read_is_not_noticed(unread: bytes) -> None:
    reader = reader_of(Field("x", STRING))
    assert read(reader, "json", b'{"y":%s,"x":"fine"}' % unread)["x"] == "fine"


# Names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        {"a.b.c": 1},
        {"a": {"b.c": 1}},
        {"a": {"b": {"c": 1}}},
        {"a.b.c": 1, "a": {"b": {"c": 2}}},
        {"a.b.c": None, "a": {"b": {"c": 1}}},
    ],
)
def test_a_dotted_name_is_one_key_or_nesting(data: dict[str, Any]) -> None:
    assert both(reader_of(Field("x", INT, ("a.b.c",))), data)["x"] == 1


def test_dotted_names_below_one_object() -> None:
    reader = reader_of(Field("x", INT, ("t.in",)), Field("y", INT.optional, ("t.out",)))
    values = both(reader, {"t": {"in": 1, "out": 2, "cached": "?"}})
    assert (values["x"], values["y"]) == (1, 2)
    assert both_refuse(reader, {"t": {"in": 1, "out": "2"}}) == "$.t.out"
    assert both_refuse(reader, {"t": {"out": 2}}) == "$.t.in"


def test_two_fields_may_read_one_key() -> None:
    reader = reader_of(
        Field("x", INT, ("k",)), Field("y", DYN, ("k",)), Field("z", INT.optional, ("w.q",)), Field("w", DYN)
    )
    values = both(reader, {"k": 1, "w": {"q": 5}})
    assert values == {"x": 1, "y": 1, "z": 5, "w": {"q": 5}}


def test_duplicate_keys_the_last_wins() -> None:
    reader = reader_of(Field("x", INT), Field("y", INT, ("t.in",)))
    values = read(reader, "json", b'{"x":1,"t":{"in":1,"in":2},"x":3,"t":{"in":5}}')
    assert (values["x"], values["y"]) == (3, 5)


# What is no record ----------------------------------------------------------------------------

NO_JSON = [
    b"", b"  ", b"{", b'{"x":1', b'{"x":1}}', b'{"x":1} {"x":1}', b"{'x':1}", b'{"x":1,}', b'{"x":01}',
    b'{"x":NaN}',
    b'{"x":-Infinity}', b"nul", b'\xef\xbb\xbf{"x":1}', b"\xff", b'{"x":"\x01"}', b'{"x":"\\q"}', b'"',
    b"\x00",
    '{"x":1}'.encode("utf-16"),
]  # fmt: skip


@pytest.mark.parametrize("data", NO_JSON, ids=repr)
def test_what_is_not_json_is_refused(data: bytes) -> None:
    with pytest.raises(RecordError, match="not JSON") as caught:
        reader_of(Field("x", INT)).from_json(data)
    assert caught.value.path == "$"


@pytest.mark.parametrize("data", [b"[]", b"5", b'"x"', b"null", b"true", b"1.5"], ids=repr)
def test_a_record_is_an_object(data: bytes) -> None:
    with pytest.raises(RecordError, match="expected object, found") as caught:
        reader_of(Field("x", INT.optional)).from_json(data)
    assert caught.value.path == "$"


@pytest.mark.parametrize("opening", [b"[", b'{"x":', b'{"x":[', b'{"y":'], ids=repr)
@pytest.mark.parametrize("type_", [DYN, INT, map_of(STRING, DYN)], ids=str)
def test_deep_nesting_is_refused(opening: bytes, type_: Type) -> None:
    with pytest.raises(RecordError):
        reader_of(Field("x", type_)).from_json(opening * 100_000)


@pytest.mark.parametrize("data", [None, 5, [], "x", NOTHING, Mine], ids=repr)
def test_no_wrong_python_object_crashes(data: Any) -> None:
    reader = reader_of(Field("x", INT))
    for route in (reader.from_dict, reader.from_struct, reader.from_json):
        with pytest.raises(RecordError):
            route(data)


class Hostile(dict[str, Any]):
    def keys(self) -> Any:
        raise ZeroDivisionError


def test_a_mapping_that_raises_is_no_data() -> None:
    with pytest.raises(RecordError):
        reader_of(Field("x", INT)).from_dict({"x": Hostile()})


# A user's Struct ------------------------------------------------------------------------------


class Usage(msgspec.Struct, rename={"a": "tokens"}):
    a: int
    unset: int | msgspec.UnsetType = msgspec.UNSET


class Mixed(msgspec.Struct, rename="camel", tag_field="kind", tag="llm"):
    the_time: datetime
    the_usage: Usage
    how_long: timedelta = timedelta(seconds=1)
    raw_bytes: bytes = b"\xff"
    colour: Colour = Colour.RED


def test_a_users_struct_is_read_under_its_names_in_json() -> None:
    usage = Record("U", (Field("tokens", INT), Field("unset", INT.optional)))
    reader = reader_of(
        Field("time", TIMESTAMP, ("theTime",)),
        Field("usage", record_of("U"), ("theUsage",)),
        Field("latency", DURATION, ("howLong",)),
        Field("raw", BYTES, ("rawBytes",)),
        Field("colour", CHOICE),
        Field("kind", STRING),
        others=(usage,),
    )
    values = read(reader, "struct", Mixed(datetime(2026, 1, 1, tzinfo=UTC), Usage(5)))
    assert values["time"] == T0
    assert (values["usage.tokens"], values["usage.unset"]) == (5, None)
    assert (values["latency"], values["raw"]) == (Duration(1), b"\xff")
    assert (values["colour"], values["kind"]) == ("chat", "llm")
    wrong = Mixed("2026-01-01T00:00:00Z", Usage("5"))  # type: ignore[arg-type]
    with pytest.raises(RecordError) as caught:
        reader.from_struct(wrong)
    assert caught.value.path == "$.theUsage.tokens"


# Plans ----------------------------------------------------------------------------------------


def test_plans_tell_how_fields_are_held() -> None:
    rows = [
        (INT, Kind.INT, False),
        (UINT, Kind.UINT, True),
        (CHOICE, Kind.STRING, False),
        (TIMESTAMP, Kind.TIMESTAMP, True),
        (unit("duration", "ms"), Kind.DURATION_MS, True),
        (DYN.optional, Kind.DYN, False),
        (list_of(STRING), Kind.LIST, False),
        (list_of(record_of("Usage")), Kind.LIST, False),
        (list_of(TIMESTAMP), Kind.CONVERT, True),
        (map_of(STRING, DYN), Kind.MAP, False),
        (map_of(STRING, UINT), Kind.CONVERT, True),
        (record_of("Usage"), Kind.RECORD, False),
    ]
    fields = [Field(f"x{i}", type_) for i, (type_, _, _) in enumerate(rows)]
    plans = reader_of(*fields, others=(USAGE,)).layouts[0].fields
    for index, (plan, (type_, kind, converts)) in enumerate(zip(plans, rows, strict=True)):
        assert (plan.attr, plan.kind, plan.nullable) == (f"f{index}", kind, type_.nullable)
        assert (plan.convert is not None) is converts
        assert plan.layout == (1 if "Usage" in str(type_) else -1)


def test_identity() -> None:
    reader = reader_of(Field("id", INT.optional), Field("x", INT.optional))
    assert reader.identity(reader.from_dict({"id": 5})) == 5
    assert reader.identity(reader.from_dict({})) is None
    assert reader_of(Field("x", INT)).identity(reader_of(Field("x", INT)).from_dict({"x": 1})) is None


# Round trips ----------------------------------------------------------------------------------

SCALARS: dict[str, tuple[Type, st.SearchStrategy[Any]]] = {
    "bool": (BOOL, st.booleans()),
    "int": (INT, st.integers(-(2**63), 2**63 - 1)),
    "uint": (UINT, st.integers(0, 2**64 - 1)),
    "double": (DOUBLE, st.floats(allow_nan=False, allow_infinity=False)),
    "string": (STRING, st.text(st.characters(codec="utf-8"))),
    "bytes": (BYTES, st.binary().map(lambda b: base64.b64encode(b).decode())),
    "seconds": (unit("duration", "s"), st.floats(-3e11, 3e11) | st.integers(-3 * 10**11, 3 * 10**11)),
    "nanos": (unit("timestamp", "ns"), st.integers(-(2**70), 2**70)),
}
DATA = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inside: (
        st.lists(inside, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inside, max_size=4)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize("name", SCALARS)
@given(data=st.data())
def test_what_json_says_is_what_a_dict_says(name: str, data: st.DataObject) -> None:
    type_, values = SCALARS[name]
    value = data.draw(st.lists(values | st.none(), max_size=3))
    reader = reader_for(list_of(type_.optional))
    line = msgspec.json.encode({"the_x": value})
    by_json, by_dict = outcome(reader, "json", line), outcome(reader, "dict", {"the_x": value})
    assert same(by_json, by_dict) or (isinstance(by_json, No) and by_json.path == by_dict.path)


@given(DATA)
def test_dyn_data_comes_through_unchanged(data: Any) -> None:
    reader = reader_for(DYN.optional)
    line = json.dumps({"the_x": data}).encode()
    for got in (outcome(reader, "json", line), outcome(reader, "dict", {"the_x": data})):
        assert same(got, data)


TYPES = [
    BOOL,
    INT,
    UINT,
    DOUBLE,
    STRING,
    BYTES,
    TIMESTAMP,
    DURATION,
    unit("timestamp", "ns"),
    CHOICE,
    DYN,
    list_of(STRING),
]


@pytest.mark.parametrize("type_", TYPES, ids=str)
@given(DATA)
def test_any_data_ends_in_a_value_or_a_record_error(type_: Type, data: Any) -> None:
    reader = reader_for(type_)
    by_json = outcome(reader, "json", json.dumps({"the_x": data}).encode())
    by_dict = outcome(reader, "dict", {"the_x": data})
    assert same(by_json, by_dict) or (isinstance(by_json, No) and by_json.path == by_dict.path)


@given(st.binary(max_size=60))
def test_any_bytes_end_in_a_value_or_a_record_error(data: bytes) -> None:
    reader = reader_for(DYN.optional)
    for line in (data, b'{"the_x":' + data + b"}"):
        with contextlib.suppress(RecordError):
            reader.from_json(line)


# Schemas that no compiler makes -----------------------------------------------------------------

FORGED = [
    Schema("R", (), (), {}),
    Schema("R", (Record("R", (Field("x", record_of("Gone")),)),), (), {"R": ("x",)}),
    Schema("R", (Record("R", (Field("x", Type("list")),)),), (), {"R": ("x",)}),
    Schema("R", (Record("R", (Field("x", Type("nothing")),)),), (), {"R": ("x",)}),
    Schema("R", (Record("R", (Field("x", Type("int", unit="s")),)),), (), {"R": ("x",)}),
    Schema("R", (Record("R", (Field("x", INT, has_default=True, default="5"),)),), (), {"R": ("x",)}),
    Schema("R", (Record("R", (Field("x", INT),)),), (Slot(("y",), INT),), {"R": ("x",)}),
    Schema("R", (Record("R", (Field("x", INT),)),), (Slot(("x",), INT, 5),), {"R": ("x",)}),
    Schema("R", (Record("R", (Field("x", INT),)),), (Slot(("x",), INT, 0),), {"R": ("x",)}),
    Schema("R", (Record("R", (Field("x", Type("timestamp", unit="h")),)),), (), {"R": ("x",)}),
]


@pytest.mark.parametrize("schema", FORGED, ids=range(len(FORGED)))
def test_a_schema_that_contradicts_itself_is_no_program(schema: Schema) -> None:
    with pytest.raises(ProgramError, match="the schema contradicts itself"):
        Reader(schema)


def test_odd_names_of_records_and_fields_are_only_names() -> None:
    odd = Record("a b;\n", (Field("ü'\"", INT, ("x y",)), Field("x", INT.optional, ("..",))))
    reader = reader_of(Field("in", record_of("a b;\n")), others=(odd,))
    assert both(reader, {"in": {"x y": 1, "": {"": {"": 5}}}})["in.ü'\""] == 1


def test_data_that_changes_while_it_is_read_is_refused() -> None:
    data: dict[str, Any] = {}

    class Meddler(collections.UserDict[str, Any]):
        def __iter__(self) -> Any:
            data["more"] = 1
            return super().__iter__()

    data["x"] = Meddler(key="value")
    reader = Reader(schema_of(Record("R", (Field("x", DYN),))))
    with pytest.raises(RecordError, match="changed while it was read"):
        reader.from_dict({"x": data})


@pytest.mark.parametrize("key", ['say "hi"', "back\\slash", "tab\there", "unit\x1f", 'a."b"', '"', "\\n.x"])
def test_a_name_in_the_data_may_hold_any_character(key: str) -> None:
    pact = f'pact p "1.0.0" on R record R {{ n: int as {json.dumps(key)} }} clause c {{ require n < 5 }}'
    evaluator = pactlang.Evaluator(pactlang.compile(pact))
    for record in ({key: 3}, {key: 7}):
        assert evaluator.check_json(json.dumps(record)).ok is evaluator.check(record).ok is (record[key] < 5)
    with pytest.raises(pactlang.RecordError):
        evaluator.check_json("{}")
