"""What expressions mean in a pact: the rules that pacts add to CEL, and its errors by name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pactlang import ir
from pactlang.check import check
from pactlang.diagnostic import ERROR
from pactlang.evaluate import NOT_EVALUATED, Error, TraceNode, admits, evaluate, judge, trace
from pactlang.evaluate.calls import COMPUTE
from pactlang.functions import BY_ID
from pactlang.opcodes import Outcome
from pactlang.parse import parse
from pactlang.records import Reader
from pactlang.source import Source
from pactlang.values import (
    NULL_BASE,
    BoolKey,
    CelType,
    Duration,
    Timestamp,
    UInt,
    parse_timestamp,
)

Row = dict[str, Any]

RECORD = """
record Item { name: string price: double = 1.5  ok: bool?  took: duration(ms)?  at: timestamp?  n: uint = 7u }
record Usage { tokens: int?  cached: int = 3 }
record R {
  a: dyn?  b: dyn?  i: int = 0  j: int?  d: double = 0.0  s: string = ""  t: string?  yes: bool = true
  u: uint = 0u  by: bytes?  at: timestamp?  took: duration?  items: list(Item) = []  usage: Usage?
  words: list(string) = []  kind: enum("x", "y") = "x"
}
"""


def module_of(text: str) -> ir.Module:
    source = Source("test.pact", text)
    pact, found = parse(source)
    assert pact is not None, [d.message for d in found]
    module, found = check(pact, source)
    assert module is not None, [d.message for d in found if d.level == ERROR]
    return module


def condition(text: str, more: str = "") -> ir.Module:
    return module_of(f'pact p "1" on R\n{RECORD}\n{more}\nclause c {{ require {text}\n }}')


def value_of(text: str, record: Row | None = None, more: str = "") -> Any:
    """The value of an expression on a record given as data."""
    module = condition(f"dyn({text}\n)", more)
    reader = Reader(module.schema)
    call = module.clauses[0].promise
    assert isinstance(call, ir.Call)
    return evaluate(call.args[0], reader.values(reader.from_dict(record or {})), module)


def same(a: Any, b: Any) -> bool:
    """Equal and of the same types all the way down; a NaN is itself."""
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return bool(a == b or (a != a and b != b))


# The overload table --------------------------------------------------------------------------


def test_every_overload_is_computed() -> None:
    assert COMPUTE.keys() == BY_ID.keys()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7 / -2", -3),
        ("-7 % 2", -1),
        ("1 / i", "divide-by-zero"),
        ("1u % u", "divide-by-zero"),
        ("9223372036854775807 + i + 1", "overflow"),
        ("-(i - 9223372036854775807 - 1)", "overflow"),
        ("(i - 9223372036854775807 - 1) / -1", "overflow"),
        ("u - 1u", "overflow"),
        ("1.0 / d", float("inf")),
        ("-1.0 / d", float("-inf")),
        ("1.0 / -d", float("-inf")),
        ("d / d", float("nan")),
        ("[1] + [2, 3]", [1, 2, 3]),
        ("b'a' + b'b'", b"ab"),
        ("size('😀é')", 2),
        ("size(b'\\xff\\x00')", 2),
        ("{'a': 1, 'b': 2}.size()", 2),
        ("[1, 2][2]", "index-out-of-range"),
        ("[1, 2][-1]", "index-out-of-range"),
        ("[1, 2][dyn(1u)]", 2),
        ("[1, 2][dyn(1.5)]", "no-such-overload"),
        ("{1: 'a'}[dyn(1.0)]", "a"),
        ("{'a': 1}['b']", "no-such-key"),
        ("{true: 1, 1: 2}[true]", 1),
        ("{true: 1, dyn(1): 2, 'x': 3}", {BoolKey(True): 1, 1: 2, "x": 3}),
        ("{'a': 1, 'a' + s: 2}", "duplicate-key"),
        ("{dyn(1): 1, dyn(1u): 2}", "duplicate-key"),
        ("{dyn(null): 1}", "no-such-overload"),
        ("2.0 in [1, 2]", True),
        ("true in dyn([1])", False),
        ("dyn([1]) in dyn({'a': 1})", False),
        ("type(u)", CelType("uint")),
        ("type(at) == type(null)", True),
        ("type(took)", CelType("null_type")),
        ("int('-9223372036854775808')", -(2**63)),
        ("int('9223372036854775808')", "range"),
        ("int('1_0')", "bad-conversion"),
        ("int(' 1')", "bad-conversion"),
        ("int(9223372036854775807.0)", "range"),
        ("int(d / d)", "range"),
        ("uint('18446744073709551615')", UInt(2**64 - 1)),
        ("uint(-1.0)", "range"),
        ("double('1e400')", float("inf")),
        ("double('x')", "bad-conversion"),
        ("string(b'\\xff')", "bad-conversion"),
        ("string(1e30)", "1e+30"),
        ("string(3u)", "3"),
        ("string(duration('1h0.5s'))", "3600.5s"),
        ("string(timestamp('2026-01-31T09:30:00.250+02:00'))", "2026-01-31T07:30:00.25Z"),
        ("bool('TRUE') && !bool('f')", True),
        ("bool('yes')", "bad-conversion"),
        ("timestamp(253402300800)", "range"),
        ("duration('400000000000' + 's')", "range"),
        ("duration(s)", "bad-conversion"),
        ("timestamp('9999-12-31T23:59:59Z') + 1s", "range"),
        ("timestamp(10) - timestamp(7)", Duration(3)),
        ("timestamp(10) - 1500ms", Timestamp(8, 500_000_000)),
        ("1m + timestamp(0)", Timestamp(60)),
        ("90s - 2m", Duration(-30)),
        ("'abc'.matches('b+')", True),
        ("'abc'.matches('(' + s)", "invalid-pattern"),
        ("'abc'.contains('') && 'abc'.startsWith('ab') && 'abc'.endsWith('bc')", True),
        ("bucket(5, 1, 5, 10)", 2),
        ("bucket(0.5, 1, 5)", 0),
        ("bucket(90s, 1m, 2m)", 1),
        ("hour(timestamp('2026-01-31T09:30:00Z'))", 9),
        ("s == 'x' ? 1 : 2", 2),
        ("dyn(1) ? 1 : 2", "no-such-overload"),
        ("!dyn('x')", "no-such-overload"),
        ("dyn('a') < dyn(1)", "no-such-overload"),
        ("dyn([1]) < dyn([2])", "no-such-overload"),
        ("dyn(1) + dyn(1.0)", "no-such-overload"),
        ("size(dyn(1))", "no-such-overload"),
    ],
)
def test_functions(text: str, value: Any) -> None:
    found = value_of(text)
    if isinstance(found, Error):
        assert found.code == value, found
    else:
        assert same(found, value)


MOMENT = "timestamp('2024-12-31T23:59:59.987654321Z')"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f"{MOMENT}.getFullYear()", 2024),
        (f"{MOMENT}.getMonth()", 11),
        (f"{MOMENT}.getDate()", 31),
        (f"{MOMENT}.getDayOfMonth()", 30),
        (f"{MOMENT}.getDayOfWeek()", 2),
        (f"{MOMENT}.getDayOfYear()", 365),
        (f"{MOMENT}.getHours()", 23),
        (f"{MOMENT}.getMinutes()", 59),
        (f"{MOMENT}.getSeconds()", 59),
        (f"{MOMENT}.getMilliseconds()", 987),
        (f"{MOMENT}.getFullYear('Asia/Tokyo')", 2025),
        (f"{MOMENT}.getHours('-05:30')", 18),
        (f"{MOMENT}.getHours('05:30')", 5),
        (f"{MOMENT}.getDayOfYear('Europe/Paris')", 0),
        (f"{MOMENT}.getHours('Nowhere/City')", "bad-conversion"),
        (f"{MOMENT}.getHours('../../etc/passwd')", "bad-conversion"),
        (f"{MOMENT}.getHours('+25:00')", "bad-conversion"),
        ("timestamp('0001-01-01T00:00:00Z').getFullYear('-01:00')", 0),
        ("timestamp('9999-12-31T23:00:00Z').getFullYear('+01:00')", 10000),
        ("timestamp('9999-12-31T23:00:00Z').getDayOfWeek('+01:00')", 6),
        ("duration('-3730.75s').getHours()", -1),
        ("duration('-3730.75s').getMinutes()", -62),
        ("duration('-3730.75s').getSeconds()", -3730),
        ("duration('-3730.75s').getMilliseconds()", -750),
    ],
)
def test_calendar(text: str, value: Any) -> None:
    found = value_of(text)
    assert (found.code if isinstance(found, Error) else found) == value


@given(st.datetimes(timezones=st.none()))
def test_calendar_parts_are_those_of_the_date(moment: Any) -> None:
    at = parse_timestamp(moment.isoformat() + "Z")
    parts = {
        "getFullYear": moment.year,
        "getMonth": moment.month - 1,
        "getDate": moment.day,
        "getDayOfWeek": moment.isoweekday() % 7,
        "getDayOfYear": moment.timetuple().tm_yday - 1,
        "getHours": moment.hour,
        "getMinutes": moment.minute,
        "getSeconds": moment.second,
        "getMilliseconds": moment.microsecond // 1000,
    }
    assert {name: COMPUTE[f"{name}_timestamp"](at) for name in parts} == parts


# Null, absence, data of unknown shape ---------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("t == 'x'", False),
        ("t != 'x'", True),
        ("t == null", True),
        ("t in ['x']", False),
        ("has(t)", False),
        ("type(t)", CelType("null_type")),
        ("size(t)", "null-operand"),
        ("j < 3", "null-operand"),
        ("j + 1", "null-operand"),
        ("t.matches('x')", "null-operand"),
        ("t.says(['x'])", "null-operand"),
        ("a.x", "null-operand"),
        ("has(a.x)", "null-operand"),
        ("a['x']", "null-operand"),
        ("a.all(x, true)", "null-operand"),
        ("dyn(t) ? 1 : 2", "null-operand"),
        ("usage.tokens", "null-operand"),
        ("has(usage.tokens)", False),
        ("has(usage)", False),
        ("t.size() > 0 || yes", True),
        ("!yes && t.size() > 0", False),
    ],
)
def test_null(text: str, value: Any) -> None:
    found = value_of(text)
    assert (found.code if isinstance(found, Error) else found) == value


def test_a_field_of_a_record_that_is_null_is_an_error_and_not_there() -> None:
    module = condition("usage.tokens == 1 || has(usage.tokens)")
    row = [NULL_BASE if len(slot.path) == 2 else None for slot in module.schema.slots]
    promise = module.clauses[0].promise
    assert isinstance(promise, ir.Logic)
    left, right = (evaluate(part, row, module) for part in promise.operands)
    assert isinstance(left, Error)
    assert left.code == "null-operand"
    assert right is False


DATA = {"k": 5, "big": 2**70, "nan": float("nan"), "null": None, "list": [1, 2**70], "deep": {"x": [True]}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.k + 1", 6),
        ("a.big", "bad-number"),
        ("a.big == 1", "bad-number"),
        ("a.nan < 1", "bad-number"),
        ("a['big']", "bad-number"),
        ("a.nan == a.nan", "bad-number"),
        ("a['nan'] > 1", "bad-number"),
        ("[double('NaN')][0] > 1.0", "bad-number"),
        ("double('NaN') > 1.0", False),
        ("a.list[1]", "bad-number"),
        ("a.list[0]", 1),
        ("a.list == [1, 2]", "bad-number"),
        ("a.list == [2, 2]", False),
        ("1 in a.list", True),
        ("2 in a.list", "bad-number"),
        ("a.list.exists(x, x == 1)", True),
        ("a.list.all(x, x == 1)", "bad-number"),
        ("a.list.all(x, true)", True),
        ("a.list.filter(x, true)", "bad-number"),
        ("a.list.map(x, 0)", [0, 0]),
        ("size(a.list)", 2),
        ("a.none", "no-such-key"),
        ("has(a.none)", False),
        ("has(a.null)", True),
        ("a.null == null", True),
        ("a.k.x", "no-such-overload"),
        ("has(a.k.x)", "no-such-overload"),
        ("a.deep.x[0]", True),
        ("a.deep.x == [1]", False),
        ("a.k == 5.0", True),
    ],
)
def test_data_of_unknown_shape(text: str, value: Any) -> None:
    module = condition(f"dyn({text})")
    row = [DATA if slot.path == ("a",) else None for slot in module.schema.slots]
    call = module.clauses[0].promise
    assert isinstance(call, ir.Call)
    found = evaluate(call.args[0], row, module)
    assert (found.code if isinstance(found, Error) else found) == value


ITEMS = [
    {"name": "a", "ok": True, "took": 1500, "at": "2026-01-31T09:30:00.0000005Z"},
    {"name": "b", "price": 2, "n": 2},
]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("items[0].took", Duration(1, 500_000_000)),
        ("items[0].at", parse_timestamp("2026-01-31T09:30:00.000001Z")),
        ("items[0].price", 1.5),
        ("items[1].price", 2.0),
        ("items[1].n", UInt(2)),
        ("items[0].n", UInt(7)),
        ("items[1].took", None),
        ("has(items[1].took)", False),
        ("has(items[1].n)", True),
        ("items[1].took > 1s", "null-operand"),
        ("items.exists(x, x.took == 1500ms)", True),
        ("items.filter(x, has(x.took)).map(x, x.name)", ["a"]),
        ("items.map(x, x.price > 1.6, x.name)", ["b"]),
        ("items.exists_one(x, x.ok == true)", True),
        ("items[0] == items[0]", True),
        ("items[0] == items[1]", False),
        ("items[0] in items", True),
        ("items == items", True),
    ],
)
def test_elements_that_are_records(text: str, value: Any) -> None:
    found = value_of(text, {"items": ITEMS})
    if isinstance(found, Error):
        assert found.code == value, found
    else:
        assert same(found, value)


# Logic and loops -----------------------------------------------------------------------------

TRUTHS = ("true", "false", "1 / i == 1")
KLEENE = {"true": True, "false": False, "1 / i == 1": None}


@pytest.mark.parametrize("left", TRUTHS)
@pytest.mark.parametrize("right", TRUTHS)
@pytest.mark.parametrize("third", TRUTHS)
def test_an_error_counts_only_where_nothing_decides(left: str, right: str, third: str) -> None:
    values = [KLEENE[text] for text in (left, right, third)]
    for op, decides in (("&&", False), ("||", True)):
        found = value_of(f"({left}) {op} ({right}) {op} ({third})")
        expected = decides if decides in values else None if None in values else not decides
        assert (None if isinstance(found, Error) else found) is expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1, 0].all(x, 1 / x > 5)", False),
        ("[1, 0].all(x, 1 / x > 0)", "divide-by-zero"),
        ("[0, 1].exists(x, 1 / x > 0)", True),
        ("[0, 1].exists(x, 1 / x > 5)", "divide-by-zero"),
        ("[0, 1].exists_one(x, 1 / x > 0)", "divide-by-zero"),
        ("[0, 1].filter(x, 1 / x > 0)", "divide-by-zero"),
        ("[0, 1].map(x, 1 / x)", "divide-by-zero"),
        ("[1, 2, 3].map(x, x > 1, x * x)", [4, 9]),
        ("[[1, 2], [3]].map(x, x.map(y, y + size(x)))", [[3, 4], [4]]),
        ("{'a': 1, 'b': 2}.filter(k, k == 'b')", ["b"]),
        ("{true: 1}.map(k, k)", [True]),
        ("dyn(1).all(x, true)", "no-such-overload"),
        ("dyn([1]).all(x, dyn(x))", "no-such-overload"),
        ("words.all(w, w.size() > 9)", True),
    ],
)
def test_loops(text: str, value: Any) -> None:
    found = value_of(text)
    assert (found.code if isinstance(found, Error) else found) == value


def test_patterns_and_phrases() -> None:
    more = 'pattern card = r"\\b(?:\\d[ -]?){13,19}\\b" check luhn\nphrases spin = ["risk free"]'
    assert value_of("s.matches(card)", {"s": "no. 4111 1111 1111 1111"}, more) is True
    assert value_of("s.matches(card)", {"s": "no. 4111 1111 1111 1112"}, more) is False
    assert value_of("s.says(spin)", {"s": "it is RISK\u200b\nfree"}, more) is True
    assert value_of("s.says(spin)", {"s": "brisk free"}, more) is False


# Clauses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "promise", "never", "outcome"),
    [
        ("true", "true", "false", Outcome.SATISFIED),
        ("true", "false", "true", Outcome.VIOLATED),
        ("false", "false", "true", Outcome.SKIPPED),
        ("false", "1 / i == 1", "1 / i == 1", Outcome.SKIPPED),
        ("true", "1 / i == 1", "1 / i == 1", Outcome.UNKNOWN),
        ("1 / i == 1", "true", "false", Outcome.UNKNOWN),
        ("dyn(i)", "true", "false", Outcome.UNKNOWN),
        ("true", "dyn(t)", "dyn(t)", Outcome.UNKNOWN),
    ],
)
def test_outcomes(when: str, promise: str, never: str, outcome: Outcome) -> None:
    clauses = f"clause a {{ when {when} require {promise} }} clause b {{ when {when} never {never} }}"
    module = module_of(f'pact p "1" on R\n{RECORD}\n{clauses}')
    reader = Reader(module.schema)
    row = reader.values(reader.from_dict({}))
    assert [judge(clause, row, module).outcome for clause in module.clauses] == [outcome, outcome]
    assert all(bool(judge(c, row, module).reason) is (outcome == Outcome.UNKNOWN) for c in module.clauses)


def test_a_pact_says_which_calls_it_is_about() -> None:
    module = module_of(f'pact p "1" on R\napplies when 6 / i == 3\n{RECORD}\nclause c {{ require yes }}')
    reader = Reader(module.schema)
    found = [admits(module, reader.values(reader.from_dict({"i": i}))) for i in (2, 3, 0)]
    assert found[:2] == [True, False]
    assert isinstance(found[2], Error)
    assert admits(condition("yes"), [True]) is True


# Traces --------------------------------------------------------------------------------------


def traced(text: str, record: Row | None = None) -> TraceNode:
    module = condition(text)
    reader = Reader(module.schema)
    return trace(module.clauses[0].promise, reader.values(reader.from_dict(record or {})), module)


def test_a_trace_shows_what_was_never_needed() -> None:
    root = traced("i == 1 && s == 'x'", {"i": 2})
    assert root.value is False
    assert [child.value for child in root.children] == [False, NOT_EVALUATED]
    root = traced("yes ? i == 0 : s == 'x'")
    assert [child.value for child in root.children] == [True, True, NOT_EVALUATED]


def test_a_trace_of_a_loop_keeps_each_turn_with_its_element() -> None:
    root = traced("[1, 2, 3].all(x, x < 2)")
    turns = root.children[1:]
    assert [(turn.index, turn.item, turn.value) for turn in turns] == [(0, 1, True), (1, 2, False)]


def test_a_trace_of_a_long_loop_keeps_the_turn_that_decided() -> None:
    root = traced("words.all(w, w != 'x')", {"words": ["a"] * 1000 + ["x"]})
    assert len(root.children) < 100
    assert (root.children[-1].index, root.children[-1].value) == (1000, False)


@given(st.integers(-3, 3), st.text(max_size=2))
def test_a_trace_has_the_value_of_the_evaluation(i: int, s: str) -> None:
    text = (
        "(12 / i > 3 || s.matches('^[a-z]')) && (i != 2 || size(s) % 2 == 0) && [1, i].exists(x, 3 / x > 1)"
    )
    module = condition(text)
    reader = Reader(module.schema)
    row = reader.values(reader.from_dict({"i": i, "s": s}))
    promise = module.clauses[0].promise
    root = trace(promise, row, module)
    assert root.value == evaluate(promise, row, module)
    for node in root.walk():
        loop_variable = any(isinstance(part.node, ir.Var) for part in node.walk())
        if node.value is not NOT_EVALUATED and not loop_variable:
            assert node.value == evaluate(node.node, row, module)


def test_errors_say_what_and_where() -> None:
    module = condition("a.amount <= 5.0")
    error = evaluate(module.clauses[0].promise, [{"other": 1}], module)
    assert error.message == "no such key `amount` in `a`"
    promise = module.clauses[0].promise
    assert isinstance(promise, ir.Call)
    assert error.span == promise.args[0].span
