"""`check_arrow`: the verdicts of the record path on Arrow columns, row by row."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from copy import copy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pactlang
from pactlang import Evaluator, RecordError

ROOT = Path(__file__).parent.parent
REFERENCE = (ROOT / "benchmarks" / "reference.pact").read_text("utf-8")
FACTS = ["ok", "outside", "expired", "undecodable"]


def evaluator(fields: str, *clauses: str, more: str = "", head: str = "") -> Evaluator:
    body = "\n".join(f"clause c{i} {{ {text} }}" for i, text in enumerate(clauses))
    return Evaluator(
        pactlang.compile(f'pact p "1.0.0" on R {head}\n{more}\nrecord R {{ {fields} }}\n{body}\n')
    )


def within(value: Any) -> Any:
    """Data as a struct column can hold it: there a null field is an absent one."""
    if isinstance(value, dict):
        return {key: within(each) for key, each in value.items() if each is not None}
    return [within(each) for each in value] if isinstance(value, list) else value


def said(checker: Evaluator, row: dict[str, Any]) -> dict[str, Any]:
    """What the record path says of a row, as a row of the table."""
    try:
        verdict = checker.check(row)
    except RecordError as error:
        reason = f"{error.path}: {error.reason}"
        return {
            **dict.fromkeys(checker.names), "ok": None, "outside": None, "expired": None, "undecodable": reason
        }  # fmt: skip
    outcomes = {name: outcome.name.lower() for name, outcome in verdict.outcomes.items()}
    facts = {"ok": verdict.ok, "outside": verdict.outside, "expired": verdict.expired, "undecodable": None}
    return {**dict.fromkeys(checker.names), **facts, **outcomes}


def same(
    checker: Evaluator, rows: list[dict[str, Any]], table: Any, threads: int = 1, data: Any = within
) -> list[dict[str, Any]]:
    """Both paths agree on all rows; what they say."""
    found = checker.check_arrow(table, threads)
    found.validate(full=True)
    got, wanted = found.to_pylist(), [said(checker, {k: data(v) for k, v in row.items()}) for row in rows]
    assert len(got) == len(wanted)
    for number, pair in enumerate(zip(got, wanted, strict=True)):
        assert pair[0] == pair[1], f"row {number}: {rows[number]}"
    return got


def one(
    kind: str, values: list[Any], *clauses: str, array: pa.Array, rows: list[Any] | None = None
) -> list[Any]:
    """Both paths agree on a table of one column `x`; the outcomes of the first clause."""
    checker = evaluator(f"x: {kind}", *clauses)
    data = [{"x": value} for value in (values if rows is None else rows)]
    return [row["c0"] for row in same(checker, data, pa.table({"x": array}))]


# Columns of one type -----------------------------------------------------------------------------

NUMBERS = [0, 1, -1, 7, 100, None]
INTS = [pa.int8(), pa.int16(), pa.int32(), pa.int64()]
UINTS = [pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]


@pytest.mark.parametrize("form", INTS, ids=str)
@pytest.mark.parametrize("kind", ["int", "int?", "uint?", "double?", "dyn?", "string?"])
def test_ints(form: pa.DataType, kind: str) -> None:
    test = "x == 'a'" if kind == "string?" else "x == 7.0" if kind == "double?" else "x == dyn(7)"
    one(kind, NUMBERS, f"require {test}", "require has(x)", array=pa.array(NUMBERS, form))


@pytest.mark.parametrize("form", UINTS, ids=str)
@pytest.mark.parametrize("kind", ["int", "int?", "uint?", "double?", "dyn?"])
def test_uints(form: pa.DataType, kind: str) -> None:
    values = [0, 1, 7, 200, None, 2**form.bit_width - 1]
    clauses = ("require x < 8u",) if kind == "uint?" else ("require x < 8", "never x == 0")
    one(kind, values, *clauses, array=pa.array(values, form))


@pytest.mark.parametrize("form", [pa.float16(), pa.float32(), pa.float64()], ids=str)
@pytest.mark.parametrize("kind", ["double", "double?", "int?", "dyn?"])
def test_doubles(form: pa.DataType, kind: str) -> None:
    values = [0.0, -0.0, 1.5, -2.25, 1e30, float("nan"), float("inf"), None]
    array = pa.array(values, pa.float64()).cast(form)
    rows = array.cast(pa.float64()).to_pylist()
    one(kind, values, "require dyn(x) <= 1.5", "require dyn(x) > 0.0", array=array, rows=rows)


TEXTS = ["", "a", "chat", "chaT", "né", "日本", "a\0b", None, "x" * 500]
TEXT_FORMS = [
    pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string()),
    pa.dictionary(pa.uint32(), pa.large_string()), pa.dictionary(pa.int64(), pa.string()),
]  # fmt: skip


@pytest.mark.parametrize("form", TEXT_FORMS, ids=str)
@pytest.mark.parametrize("kind", ["string", "string?", 'enum("a", "chat", "né")', "dyn?", "int?", "bytes?"])
def test_texts(form: pa.DataType, kind: str) -> None:
    plain = pa.array(TEXTS, pa.string())
    array = plain.cast(form) if not pa.types.is_dictionary(form) else plain.dictionary_encode().cast(form)
    tests = (
        ("require x == 'chat'", "require x in ['a', 'né']", "require x != 'a'", "never x.contains('ha')",
         "never x.startsWith('ch') || x.matches('h[aT]')", "require size(x) < 4")
        if "string" in kind or "enum" in kind else ("require dyn(x) == dyn('a')",)
    )  # fmt: skip
    one(kind, TEXTS, *tests, array=array)


def test_bytes() -> None:
    values = [b"", b"a", b"\xff\x00", None]
    for form in (pa.binary(), pa.large_binary(), pa.binary_view()):
        one("bytes?", values, "require x == b'a'", "require size(x) < 2", array=pa.array(values, form))
        one("string?", values, "require x == 'a'", array=pa.array(values, form))
    texts = [base64.b64encode(value).decode() if value is not None else None for value in values]
    one("bytes?", values, "require x == b'a'", array=pa.array(texts))


def test_bools_and_nulls() -> None:
    values = [True, False, None] * 50
    one("bool", values, "require x", array=pa.array(values))
    checker = evaluator("x: bool?", "require x", "require !x", "require x == true")
    same(checker, [{"x": value} for value in values[5:99]], pa.table({"x": pa.array(values)}).slice(5, 94))
    for kind in ("int?", "string?", "bool", "dyn?", "list(int)?"):
        one(kind, [None] * 3, "require has(x)", array=pa.nulls(3))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times(unit: str) -> None:
    base = datetime(2026, 1, 1, tzinfo=UTC)
    values = [base, base + timedelta(seconds=1), datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), None]
    for zone in ("UTC", "+02:00", "Europe/Paris"):
        array = pa.array(values, pa.timestamp(unit, zone))
        said = one("timestamp?", values, "require x <= timestamp('2026-01-01T00:00:00Z')", array=array)
        assert said == ["satisfied", "violated", "satisfied", "unknown"]
        one("dyn?", values, "require dyn(x) == timestamp('2026-01-01T00:00:00Z')", array=array)
        one("string?", values, "require x == ''", array=array)
    naive = pa.array([value and value.replace(tzinfo=None) for value in values], pa.timestamp(unit))
    rows = [value and value.replace(tzinfo=None) for value in values]
    one("timestamp?", values, "require has(x)", array=naive, rows=rows)
    spans = [timedelta(0), timedelta(seconds=-3), timedelta(seconds=2), None]
    one("duration?", spans, "require x < 1s", "require x == 2s", array=pa.array(spans, pa.duration(unit)))


def test_times_are_rounded_half_up() -> None:
    nanos = [499, 500, 1499, 1500, -500, -501, None]
    texts = [None if n is None else f"{n}ns" for n in nanos]
    clauses = ("require x == duration('1us')", "require x == 0s", "never x == duration('-1us')")
    one("duration?", nanos, *clauses, array=pa.array(nanos, pa.duration("ns")), rows=texts)
    far = pa.array([2**62, -(2**62), 0], pa.timestamp("s", "UTC"))
    checker = evaluator("x: timestamp?", "require has(x)")
    assert checker.check_arrow(pa.table({"x": far}))["undecodable"].null_count == 1
    checker = evaluator("x: dyn?", "require has(x)")
    assert checker.check_arrow(pa.table({"x": far}))["undecodable"].null_count == 1


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_numbers_as_times(unit: str) -> None:
    numbers = [0, 1, -1, 1_700_000_000, 2**62, -(2**63), None]
    floats = [0.0, 0.5, -1.5, 1e9, 1e300, float("nan"), None]
    for kind in ("timestamp", "duration"):
        test = "x < timestamp('2000-01-01T00:00:00Z')" if kind == "timestamp" else "x < 1s"
        one(f"{kind}({unit})?", numbers, f"require {test}", array=pa.array(numbers, pa.int64()))
        one(f"{kind}({unit})?", floats, f"require {test}", array=pa.array(floats, pa.float64()))


def test_decimals_are_numbers() -> None:
    array = pa.array([Decimal("1.50"), Decimal("2.00"), None], pa.decimal128(6, 2))
    one("double?", [], "require x < 1.75", array=array, rows=[1.5, 2.0, None])
    one("int?", [], "require x < 2", array=array, rows=[1.5, 2.0, None])
    whole = pa.array([Decimal("1"), Decimal("2"), None], pa.decimal128(6, 0))
    one("int?", [], "require x < 2", array=whole, rows=[1, 2, None])


# Records and lists -------------------------------------------------------------------------------

TOOL = "record Tool { name: string  ok: bool?  ms: double }\nrecord Use { i: int?  o: int }"
ROWS: list[dict[str, Any]] = [
    {"use": {"i": 1, "o": 2}, "tools": [{"name": "a", "ok": True, "ms": 1.0}]},
    {"use": None, "tools": None},
    {"use": {"i": None, "o": 2}, "tools": []},
    {"use": {"i": 5}, "tools": [{"name": "b", "ms": 2000.0}, {"name": "a", "ok": False, "ms": 5.5}]},
    {"use": {"o": 7}, "tools": [{"name": None, "ok": True, "ms": 1.0}]},
    {"use": {"o": 7}, "tools": [None]},
    {"use": {"o": 7}, "tools": [{"name": "b", "ms": float("nan")}]},
    {"use": {"i": 2**63 - 1, "o": 1}, "tools": [{"name": "b", "ms": 3.0}] * 9},
]
NESTED = (
    "require tools.all(t, t.name == 'a')", "require tools.exists(t, !t.ok || t.ms > 1000.0)",
    "require use.i + use.o < 8", "never size(tools) > 2", "require tools.exists_one(t, t.name in ['a', 'c'])",
    "require tools.all(t, tools.exists(u, u.ms > t.ms))", "require has(use.i) && has(use)",
    "require tools.filter(t, t.ms > 1.0).size() == 0", "never tools.exists(t, has(t.ok) && t.ms < 2.0)",
)  # fmt: skip


def nested_table(listed: Any = pa.list_, text: pa.DataType | None = None) -> pa.Table:
    tool = pa.struct({"name": text or pa.string(), "ok": pa.bool_(), "ms": pa.float64()})
    schema = pa.schema({"use": pa.struct({"i": pa.int64(), "o": pa.int64()}), "tools": listed(tool)})
    return pa.Table.from_pylist(ROWS, schema)


@pytest.mark.parametrize("lists", [pa.list_, pa.large_list, pa.list_view], ids=lambda f: f.__name__)
@pytest.mark.parametrize("marks", ["", "?"])
def test_nested_records(lists: Any, marks: str) -> None:
    checker = evaluator(f"use: Use{marks}  tools: list(Tool){marks}", *NESTED, more=TOOL)
    table = nested_table(lists)
    same(checker, ROWS, table)
    same(checker, ROWS[2:7], table.slice(2, 5))
    same(checker, ROWS * 40, pa.concat_tables([table] * 40).combine_chunks())
    same(checker, ROWS * 3, pa.concat_tables([table, table.slice(0, 3), table.slice(3), table]))


def test_fixed_size_lists() -> None:
    rows = [{"tools": [ROWS[0]["tools"][0]] * 2}, {"tools": None}, {"tools": [ROWS[3]["tools"][0]] * 2}]
    form = pa.list_(nested_table().schema.field("tools").type.value_type, 2)
    checker = evaluator("use: Use?  tools: list(Tool)?", *NESTED, more=TOOL)
    same(checker, rows, pa.table({"tools": pa.array([row["tools"] for row in rows], form)}))


def test_dyn_maps_and_json() -> None:
    rows = [{"args": {"a": 1, "b": "x"}}, {"args": {"b": "y"}}, {"args": None}, {"args": {"a": 3}}]
    checker = evaluator("args: dyn?", "require args.a < 2", "require has(args.b)", "require args.b == 'x'")
    same(checker, rows, pa.Table.from_pylist(rows))  # a null field of a struct is absent
    mapped = [{"args": {"a": 1, "b": None}}, {"args": {}}, {"args": None}]
    form = pa.map_(pa.string(), pa.int64())
    array = pa.array([None if r["args"] is None else list(r["args"].items()) for r in mapped], form)
    same(checker, mapped, pa.table({"args": array}), data=copy)
    same(checker, mapped[1:], pa.table({"args": array}).slice(1), data=copy)
    declared = evaluator("args: map(string, int?)?", "require args['a'] == 1", "require 'b' in args")
    same(declared, mapped, pa.table({"args": array}), data=copy)
    texts = ['{"a": 1, "b": "x"}', "[1, 2]", "7", None, "{", "9" * 30]
    plain = [{"args": text} for text in texts]
    same(checker, plain, pa.table({"args": pa.array(texts)}))  # a plain string stays a string
    told = checker.check_arrow(pa.table({"args": pa.array(texts, pa.json_())})).to_pylist()
    parsed: list[Any] = [{"a": 1, "b": "x"}, [1, 2], 7, None]
    assert told[:4] == [said(checker, {"args": each}) for each in parsed]
    assert "not JSON" in told[4]["undecodable"]
    assert told[5]["c0"] == "unknown"


def test_names() -> None:
    checker = Evaluator(pactlang.compile(
        'pact p "1.0.0"\nclause a { require usage.input_tokens < 10 }\nclause b { require model == "m" }\n'
        'clause c { require latency < 2s }\nclause d { require session == "7" }\n'
    ))  # fmt: skip
    flat = [{"gen_ai.usage.input_tokens": 5, "gen_ai.request.model": "m"}, {"gen_ai.usage.input_tokens": 50}]
    same(checker, flat, table_of(flat))
    nested = [
        {"usage": {"input_tokens": 5}, "model": "m"},
        {"model": "n"},
        {"gen_ai": {"request": {"model": "m"}}},
    ]
    same(checker, nested, table_of(nested))
    both = [{"model": "m", "gen_ai.request.model": "x"}, {"gen_ai.request.model": "m"}, {"session": 7}]
    same(checker, both, table_of(both))
    dotted = evaluator('x: int as "a.b"', "require x < 3")
    same(dotted, [{"a.b": 1}, {"a": {"b": 5}}], pa.table({"a.b": [1, None], "a": [None, {"b": 5}]}))


def test_absent_columns() -> None:
    checker = evaluator(
        "x: int = 5  y: string?  z: int", "require x == 5", "require !has(y)", "require z > 0"
    )
    same(checker, [{"z": 1}], pa.table({"z": [1]}))
    told = checker.check_arrow(pa.table({"w": [1, 2]}))
    assert told["undecodable"].to_pylist() == ["$.z: a required field is missing"] * 2


# The table that comes out ---------------------------------------------------------------------------


def test_the_columns() -> None:
    text = 'pact p "2.0.0" on R\napplies when x > 0\nrecord R { x: int }\nclause ok { require x > 1 }\nclause b { require x < 9 }'
    checker = Evaluator(pactlang.compile(text))
    table = checker.check_arrow(pa.table({"x": pa.array([0, 1, 2, None])}))
    assert table.column_names == [*FACTS, "clause.ok", "b"]
    assert table.schema.field("b").type == pa.dictionary(pa.int8(), pa.string())
    assert table["clause.ok"].to_pylist() == [None, "violated", "satisfied", None]
    assert table["ok"].to_pylist() == [True, False, True, None]
    assert table["outside"].to_pylist() == [True, False, False, None]
    assert table["undecodable"][3].as_py() == "$.x: expected int, found null"
    assert table.schema.metadata[b"pact_digest"].decode() == checker.program.digest
    assert checker.check_arrow(pa.table({"x": pa.array([], pa.int64())})).num_rows == 0
    assert checker.check_arrow(pa.record_batch({"x": [5]}))["b"].to_pylist() == ["satisfied"]


def test_expiry() -> None:
    text = 'pact p "1.0.0" on R\nrenews 2026-06-01\nrecord R { time: timestamp?  x: int }\nclause a { require x > 0 }'
    checker = Evaluator(pactlang.compile(text))
    times = [datetime(2026, 5, 31, 23, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC), None]
    rows = [{"time": time, "x": 1} for time in times]
    same(checker, rows, pa.Table.from_pylist(rows))


def test_what_speaks_arrow() -> None:
    checker = evaluator("x: string?  y: double", "require x == 'a'", "require y < 2.0")
    rows = [{"x": "a", "y": 1.0}, {"x": None, "y": 3.0}, {"x": "b", "y": 0.0}]
    frame = pl.DataFrame(rows)
    same(checker, rows, frame)
    same(checker, rows, frame.with_columns(pl.col("x").cast(pl.Categorical)))
    with pytest.raises(TypeError):
        checker.check_arrow([1, 2])
    with pytest.raises(ValueError, match="threads"):
        checker.check_arrow(frame, threads=0)


def test_what_is_no_arrow_data() -> None:
    checker = evaluator("x: string", "require x == 'a'")
    offsets = pa.py_buffer(b"".join(n.to_bytes(4, "little") for n in (0, 2**30, 3)))
    wild = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"abc")])
    with pytest.raises(RecordError, match="column x"):
        checker.check_arrow(pa.table({"x": wild}))
    index = pa.Array.from_buffers(pa.int8(), 1, [None, pa.py_buffer(b"\x63")])
    with pytest.raises(RecordError, match="column x"):
        checker.check_arrow(
            pa.table({"x": pa.DictionaryArray.from_arrays(index, pa.array(["a"]), safe=False)})
        )


def test_bytes_that_are_no_utf8() -> None:
    checker = evaluator("x: string", "require x == 'a'")
    raw = pa.array([b"a", b"\xff", b"b"], pa.binary()).view(pa.string())
    told = checker.check_arrow(pa.table({"x": raw})).to_pylist()
    assert [row["c0"] for row in told] == ["satisfied", None, "violated"]
    assert "invalid UTF-8" in told[1]["undecodable"]


def test_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['pyarrow'] = None\nimport pactlang\n"
        "e = pactlang.Evaluator(pactlang.compile('pact p \"1.0.0\" clause c { require size(output) < 20 }'))\n"
        "try: e.check_arrow(None)\nexcept pactlang.PactError as error: print(error)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pip install 'pactlang[arrow]'" in out
    code = "import sys, pactlang; pactlang.Evaluator; assert 'pyarrow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# The reference workload, and tables that Hypothesis makes ----------------------------------------------


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    """A table with every key of the rows as a column."""
    keys = dict.fromkeys(key for row in rows for key in row)
    return pa.table({key: pa.array([row.get(key) for row in rows]) for key in keys})


def encoded(table: pa.Table) -> pa.Table:
    """The same with its words as dictionaries."""
    for name in ("channel", "model", "finish_reason", "user_tier", "language"):
        place = table.column_names.index(name)
        table = table.set_column(place, name, table[name].dictionary_encode())
    return table


def test_the_reference_workload() -> None:
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        import calls
    finally:
        sys.path.pop(0)
    rows = list(calls.records(3000))
    table = pa.Table.from_pylist(rows)
    for text in (REFERENCE, REFERENCE[: REFERENCE.index("// Text:")]):
        checker = Evaluator(pactlang.compile(text))
        same(checker, rows, table)
        same(checker, rows, encoded(table), threads=2)
        same(checker, rows, pl.from_arrow(table))


def test_the_reference_rules_leave_no_row_to_the_record_path(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a row was judged by itself")

    numbers = Evaluator(pactlang.compile(REFERENCE[: REFERENCE.index("// Text:")]))
    numbers.check_arrow(reference_rows(1))
    monkeypatch.setattr(sys.modules["pactlang.columns.judge"], "judge_rows", never)
    for rows in (100, 5000, 70_000):  # less than a block, two, and more than a thread's piece
        table = encoded(reference_rows(100))
        many = pa.concat_tables([table] * (rows // 100)).combine_chunks()
        one, two = numbers.check_arrow(many), numbers.check_arrow(many, threads=2)
        assert one.equals(two)
        assert one["n6"].to_pylist()[:100] == one["n6"].to_pylist()[-100:]
    everything = Evaluator(pactlang.compile(REFERENCE))
    assert everything.check_arrow(reference_rows(100))["t0"].null_count == 0


def reference_rows(count: int) -> pa.Table:
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        import calls
    finally:
        sys.path.pop(0)
    return pa.Table.from_pylist(list(calls.records(count)))


def test_long_lists_and_texts_go_to_the_record_path() -> None:
    checker = evaluator(
        "l: list(T)  a: string  b: string",
        "require l.all(t, t.k >= 0)",
        "require a == b",
        more="record T { k: int }",
    )
    long = "x" * 5000
    rows = [
        {"l": [{"k": i} for i in range(n)], "a": long, "b": long[:-1] + c}
        for n, c in ((0, "x"), (3, "y"), (20000, "x"))
    ]
    same(checker, rows, pa.Table.from_pylist(rows))


def test_dictionaries_of_any_size() -> None:
    checker = evaluator("x: string", "require x in ['7', '40', '70000']", "require x == '31'")
    for size in (1, 31, 32, 300, 70_001):
        words = pa.array([str(i) for i in range(size)])
        indices = [i % size for i in (0, 7, 31, 32, 40, 70_000, size - 1)]
        for form in (
            (pa.int32(), pa.int64())
            if size > 127
            else (pa.int8(), pa.uint8(), pa.int16(), pa.int32(), pa.int64())
        ):
            array = pa.DictionaryArray.from_arrays(pa.array(indices, form), words)
            same(checker, [{"x": str(i)} for i in indices], pa.table({"x": array}))


FIELDS: dict[str, tuple[pa.DataType, Any]] = {
    "a": (pa.int64(), st.one_of(st.none(), st.integers(-3, 3), st.sampled_from([2**63 - 1, -(2**63)]))),
    "b": (pa.int64(), st.one_of(st.none(), st.integers(-3, 3), st.sampled_from([2**63 - 1, -(2**63)]))),
    "u": (pa.uint64(), st.one_of(st.none(), st.integers(0, 4), st.just(2**64 - 1))),
    "x": (pa.float64(), st.one_of(st.none(), st.integers(-2, 2).map(float), st.sampled_from([1e308, float("nan")]))),
    "y": (pa.float64(), st.one_of(st.none(), st.integers(-2, 2).map(float), st.sampled_from([1e308, -1e308]))),
    "p": (pa.bool_(), st.one_of(st.none(), st.booleans())),
    "s": (pa.string(), st.one_of(st.none(), st.sampled_from(["", "a", "b", "ab", "é"]))),
    "d": (pa.dictionary(pa.int32(), pa.string()), st.one_of(st.none(), st.sampled_from(["a", "b", "c", "e"]))),
    "e": (pa.dictionary(pa.int8(), pa.string()), st.one_of(st.none(), st.sampled_from(["a", "b", "zz"]))),
    "t": (pa.timestamp("us", "UTC"), st.one_of(st.none(), st.integers(0, 2).map(lambda n: datetime(2026, 1, 1 + n, tzinfo=UTC)))),
    "l": (pa.list_(pa.struct({"n": pa.dictionary(pa.int32(), pa.string()), "k": pa.int64(), "w": pa.bool_()})),
          st.one_of(st.none(), st.lists(st.fixed_dictionaries({
              "n": st.one_of(st.none(), st.sampled_from(["a", "b"])), "k": st.integers(-2, 2), "w": st.one_of(st.none(), st.booleans()),
          }), max_size=4))),
    "g": (pa.struct({"k": pa.int64(), "q": pa.string()}), st.one_of(st.none(), st.fixed_dictionaries({
        "k": st.one_of(st.none(), st.integers(-1, 1)), "q": st.one_of(st.none(), st.sampled_from(["a", "b"]))}))),
}  # fmt: skip
TYPES = {
    "a": "int?", "b": "int?", "u": "uint?", "x": "double?", "y": "double?", "p": "bool?", "s": "string?",
    "d": "string?", "e": 'enum("a", "b")?', "t": "timestamp?", "l": "list(L)?", "g": "G?",
}  # fmt: skip
RECORDS = "record L { n: string?  k: int  w: bool? }\nrecord G { k: int?  q: string? }"

ATOMS = st.sampled_from([
    "a < b", "a == b", "a <= 2", "1 < a", "a + b < 3", "a - b > 0", "a * b >= 2", "a != 1", "-a < b", "a == x",
    "u > 2u", "u == 1u", "x < y", "x <= 1.0", "x + y > 0.5", "x - y == 0.0", "x * y < 4.0", "x / y < 1.0",
    "double(a) < x", "p", "p == true", "s == 'a'", "s != d", "d == 'a'", "d == s", "e == 'a'", "e == d", "s in ['a', 'é']",
    "d in ['a', 'b']", "a in [1, 2]", "x in [0.5, 1.0]", "has(a)", "has(s)", "has(g.k)", "has(g)", "s < 'b'", "size(s) == 1",
    "s.startsWith('a')", "s.endsWith('b')", "d.startsWith('b')", "s.contains('b')", "t < timestamp('2026-01-02T00:00:00Z')", "t == timestamp('2026-01-02T00:00:00Z')",
    "t - timestamp('2026-01-01T00:00:00Z') > 1h", "size(l) > 1", "l.all(i, i.k > 0)", "l.exists(i, i.n == 'a')",
    "l.exists(i, i.w && i.k < 1)", "l.exists_one(i, i.k == a)", "l.all(i, l.exists(j, j.k > i.k))",
    "l.filter(i, i.w).size() == 1", "l.all(i, i.n in ['a'] || has(i.w))", "g.k > 0", "g.q == 'a'", "g.k + a == 1", "l[0].k == 1",
    "(p ? a : b) > 0", "(a > 0 ? x : y) < 1.0", "(p ? s : d) == 'a'", "[a, b].exists(z, z > 1)", "call.a == 1", "u < 5u && u != 0u",
    "l.map(i, i.k).exists(z, z == a)", "(p ? 1 : 2) == a",
])  # fmt: skip
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("({} && {})".format, inner, inner),
        st.builds("({} || {})".format, inner, inner),
        st.builds("!({})".format, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
        st.builds("l.exists(o, o.k > 0 && {})".format, inner),
    ),
    max_leaves=5,
)
TABLES = st.lists(
    st.fixed_dictionaries({name: strategy for name, (_, strategy) in FIELDS.items()}), min_size=1, max_size=12
)


@settings(max_examples=int(os.environ.get("PACT_SEEDS", "60")), deadline=None)
@given(
    st.lists(CONDITIONS, min_size=1, max_size=6), CONDITIONS, TABLES, st.integers(0, 3), st.integers(1, 80)
)
def test_tables_made_by_hypothesis(
    conditions: list[str], guard: str, rows: list[dict[str, Any]], cut: int, times: int
) -> None:
    clauses = [
        f"when {guard}  require {text}" if i % 3 == 0 else f"never {text}"
        for i, text in enumerate(conditions)
    ]
    fields = "  ".join(f"{name}: {form}" for name, form in TYPES.items())
    try:
        checker = evaluator(fields, *clauses, more=RECORDS)
    except pactlang.CompileError:
        return  # a condition that never holds, say
    schema = pa.schema({name: form for name, (form, _) in FIELDS.items()})
    many = (rows * times)[:200]
    table = pa.Table.from_pylist(many, schema)
    same(checker, many[cut:], table.slice(cut), threads=1 + cut % 2)
