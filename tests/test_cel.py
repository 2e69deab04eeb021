"""CEL for Python: what `pactlang.expression` takes, gives and says."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pactlang
from pactlang import CompileError, ExpressionError, UInt, expression
from pactlang.evaluate import evaluate
from pactlang.values import CIDR, IP, NONE, CelType, Duration, Timestamp, some


def value(text: str, types: Any = None, **bindings: Any) -> Any:
    return expression(text, types).evaluate(bindings)


# Values in and out -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_value", "text", "expected"),
    [
        (5, "x + 1", 6),
        (UInt(5), "x + 1u", UInt(6)),
        (1.5, "x * 2.0", 3.0),
        (True, "!x", False),
        ("é☺", "size(x)", 2),
        (b"\xff\x00", "size(x)", 2),
        (None, "x == null", True),
        ([1, 2], "x + [3]", [1, 2, 3]),
        ((1, 2), "x + [3]", [1, 2, 3]),
        ({"a": 1}, "x.a", 1),
        (OrderedDict(a=1), "x.a", 1),
        (MappingProxyType({"a": 1}), "x.a", 1),
        ({1: "one"}, "x[1]", "one"),
        ({1: "one"}, "x[1u]", "one"),
        (datetime(2026, 1, 31, 9, 30, 0, 250_000, UTC), "string(x)", "2026-01-31T09:30:00.25Z"),
        (datetime(2026, 1, 31, 9, 30, tzinfo=timezone(timedelta(hours=2))), "x.getHours()", 7),
        (timedelta(hours=1, milliseconds=5), "x", Duration(3600, 5_000_000)),
        (Timestamp(1, 5), "x", Timestamp(1, 5)),
        ([timedelta(seconds=1)], "x[0] == duration('1s')", True),
        ([datetime(1970, 1, 1, tzinfo=UTC)], "x[0]", Timestamp(0)),
        (some(3), "x.value()", 3),
        (NONE, "x.hasValue()", False),
        (IP(4, 0x0A000001), "string(x)", "10.0.0.1"),
        (CIDR(IP(4, 0x0A000001), 8), "x.containsIP('10.9.9.9')", True),
        (CelType("int"), "x == int", True),
        (float("inf"), "x > 1e308", True),
        ([float("nan")], "x[0] == x[0]", False),
    ],
    ids=repr,
)
def test_a_value_comes_in(given_value: Any, text: str, expected: Any) -> None:
    got = value(text, x=given_value)
    assert type(got) is type(expected)
    assert got == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1),
        ("1u", UInt(1)),
        ("1.0", 1.0),
        ("b'a'", b"a"),
        ("null", None),
        ("type(1)", CelType("int")),
        ("type(null)", CelType("null_type")),
        ("timestamp('2026-01-31T09:30:00.000000001Z')", Timestamp(1769851800, 1)),
        ("duration('-1.5s')", Duration(-2, 500_000_000)),
        ("{true: 1, 'a': 2}", {True: 1, "a": 2}),
        ("[{true: 1}]", [{True: 1}]),
        ("optional.of({false: 1})", some({False: 1})),
        ("optional.none()", NONE),
        ("{'a': optional.of(1)}", {"a": some(1)}),
        ("ip('::1')", IP(6, 1)),
        ("cidr('10.0.0.0/8')", CIDR(IP(4, 10 << 24), 8)),
    ],
)
def test_a_value_goes_out(text: str, expected: Any) -> None:
    got = value(text)
    assert type(got) is type(expected)
    assert got == expected
    if isinstance(expected, dict):
        assert [type(key) for key in got] == [type(key) for key in expected]


def test_a_bool_beside_the_number_that_python_takes_it_for() -> None:
    got = value("{true: 'yes', 1: 'one'}")
    assert len(got) == 2
    assert sorted(got.values()) == ["one", "yes"]


def test_times_of_python() -> None:
    assert value("timestamp('2026-01-31T09:30:00.5Z')").datetime() == datetime(
        2026, 1, 31, 9, 30, 0, 500_000, UTC
    )
    assert value("duration('-1.5s')").timedelta() == timedelta(seconds=-1.5)


def test_a_number_becomes_what_its_variable_is_declared_to_be() -> None:
    assert value("x / 2.0", {"x": "double"}, x=5) == 2.5
    assert value("x + 1u", {"x": "uint"}, x=5) == UInt(6)
    with pytest.raises(ExpressionError):
        value("x + 1u", {"x": "uint"}, x=-5)


def test_what_cel_does_not_have_is_refused_by_name() -> None:
    for odd in (object(), {1, 2}, datetime(2026, 1, 1), 1j):
        with pytest.raises(TypeError):
            value("x", x=odd)
    with pytest.raises(ExpressionError) as caught:
        value("x + 1", x=2**63)
    assert caught.value.code == "bad-number"


# Errors ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("args.amount > 1.0", "no-such-key", "no such key `amount` in `args`"),
        ("args['a']['b']", "no-such-key", "no such key `a` in `args`"),
        ("1 / n", "divide-by-zero", "division by zero"),
        ("9223372036854775807 + one", "overflow", "the result does not fit in an int (64 bits)"),
        ("[1][3]", "index-out-of-range", "index 3 is outside a list of 1"),
        ("missing + 1", "unknown-name", "`missing` has no value"),
        ("optional.none().value()", "no-value", "optional.none() holds no value"),
        ("int('x')", "bad-conversion", "not an int: 'x'"),
        ("'a'.matches('(' + s)", "invalid-pattern", None),
        ("nobody(1)", "no-such-overload", None),
        ("size(1)", "no-such-overload", None),
        ("timestamp(0).getHours('Nowhere/Here')", "bad-conversion", "no such time zone: 'Nowhere/Here'"),
    ],
)
def test_an_error_says_what_and_where(text: str, code: str, said: str | None) -> None:
    with pytest.raises(ExpressionError) as caught:
        value(text, args={}, n=0, one=1, s="")
    error = caught.value
    assert error.code == code
    assert said is None or str(error) == said
    assert text[slice(*error.span)] in text
    assert error.source.text == text


def test_an_error_points_at_what_failed() -> None:
    text = "1 + size(items) > 3 && items[9] == 1"
    with pytest.raises(ExpressionError) as caught:
        value(text, items=[1, 2, 3])
    assert text[slice(*caught.value.span)] == "items[9]"


@pytest.mark.parametrize(
    ("text", "types", "code"),
    [
        ("1 +", {}, "syntax"),
        ("x + 1", {}, "unknown-variable"),
        ("x + 'a'", {"x": "int"}, "type-mismatch"),
        ("x.y", {"x": "int"}, "unknown-field"),
        ("nobody(x)", {"x": "int"}, "unknown-function"),
        ("math.nobody(x)", {"x": "int"}, "unknown-function"),
        ("has(x)", {"x": "int"}, "has-argument"),
        ("[1].map(1, 2)", {}, "macro-variable"),
    ],
)
def test_what_cannot_be_right_does_not_compile(text: str, types: dict[str, str], code: str) -> None:
    with pytest.raises(CompileError) as caught:
        expression(text, types)
    if code != "syntax":
        assert [d.code for d in caught.value.diagnostics if d.level == "error"] == [code]
        assert text.split()[0][:1] in str(caught.value)


def test_without_types_nothing_but_syntax_is_refused() -> None:
    for text in ("x + 'a' > 1u", "nobody(1)", "1 + 'a'", "1 && 2", "'a'.size().foo", "[1].b", "{1.5: 2}"):
        made = expression(text)
        assert made.type == "dyn"
        with pytest.raises(ExpressionError):
            made.evaluate({"x": 1})


def test_what_cel_accepts_is_at_most_a_warning() -> None:
    for text in (
        "1 / 0",
        "duration('x')",
        "timestamp('x')",
        "'a'.matches('(')",
        "true || 1 / 0 == 1",
        "1 == 1",
    ):
        made = expression(text, {})
        assert {d.level for d in made.diagnostics} <= {"warning", "note"}
    assert [d.code for d in expression("1 / 0", {}).diagnostics] == ["division-by-zero"]
    assert value("true || 1 / 0 == 1", {}) is True


# Types -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "types", "expected"),
    [
        ("x", {"x": int}, "int"),
        ("x", {"x": datetime}, "timestamp"),
        ("x + y", {"x": "timestamp", "y": timedelta}, "timestamp"),
        ("[]", {}, "list(dyn)"),
        ("[[], [1]]", {}, "list(list(int))"),
        ("[1, 'a']", {}, "list(dyn)"),
        ("{}", {}, "map(dyn, dyn)"),
        ("x.map(k, x[k])", {"x": "map(string, int)"}, "list(int)"),
        ("x.transformMap(k, v, v > 1)", {"x": "map(string, int)"}, "map(string, bool)"),
        ("x.?a", {"x": "map(string, int)"}, "optional_type(int)"),
        ("x.?a.orValue(1)", {"x": "map(string, int)"}, "int"),
        ("optional.none()", {}, "optional_type(dyn)"),
        ("[optional.none(), optional.of(1u)]", {}, "list(optional_type(uint))"),
        ("ip('::1')", {}, "net.IP"),
        ("x ? 1 : 2", {"x": "bool"}, "int"),
        ("cel.bind(a, [1], a + a)", {}, "list(int)"),
        ("math.greatest(1, 2u)", {}, "dyn"),
        ("math.greatest(1, 2)", {}, "int"),
        ("x.a", {"x": dict}, "dyn"),
        ("x", {"x": list[str]}, "list(string)"),
        ("x", {"x": dict[str, list[int]]}, "map(string, list(int))"),
        ("x", {"x": int | None}, "int"),
        ("x", {"x": "acme.Money"}, "acme.Money"),
    ],
)
def test_the_type_is_deduced(text: str, types: dict[str, object], expected: str) -> None:
    assert expression(text, types).type == expected


@pytest.mark.parametrize(
    "odd",
    [
        "list(",
        "list(int",
        "map(int)",
        "list(int))",
        "",
        "(",
        5,
        "int int",
        "str",
        "map(str, int)",
        set[int],
        {"a": int},
        int | str,
    ],
)
def test_a_type_that_is_none_is_refused(odd: object) -> None:
    with pytest.raises(ValueError, match=r"type|parameters"):
        expression("1", {"x": odd})


def test_functions_of_the_user_are_checked() -> None:
    functions = {
        "twice": [(("int",), "int")],
        ".shout": [(("string",), "string")],
        "pair": [(("A", "A"), "list(A)")],
    }
    assert expression("twice(2)", {}, functions=functions).type == "int"
    assert expression("'a'.shout()", {}, functions=functions).type == "string"
    assert expression("pair(1u, 2u)", {}, functions=functions).type == "list(uint)"
    with pytest.raises(CompileError):
        expression("twice('a')", {}, functions=functions)
    with pytest.raises(ExpressionError):
        expression("twice(2)", {}, functions=functions).evaluate()


# Names -------------------------------------------------------------------------------------------


def test_containers() -> None:
    types = {"a.b.x": "int", "a.x": "int", "x": "int"}
    bindings = {"a.b.x": 1, "a.x": 2, "x": 3}
    for container, expected in (("a.b", 1), ("a", 2), ("", 3), ("a.b.c", 1), ("z", 3)):
        assert expression("x", types, container).evaluate(bindings) == expected
        assert expression("x", None, container).evaluate(bindings) == expected
    assert expression(".x", types, "a.b").evaluate(bindings) == 3
    assert expression("a.x", types, "a.b").evaluate(bindings) == 2
    assert expression("[9].map(x, x)", types, "a.b").evaluate(bindings) == [9]
    assert expression("[9].map(x, .x)", types, "a.b").evaluate(bindings) == [3]
    assert expression("greatest(1, 2)", {}, "math").evaluate() == 2


def test_a_variable_hides_a_namespace_and_a_type() -> None:
    assert value("math.abs", math={"abs": 5}) == 5
    assert value("cel.x", cel={"x": 1}) == 1
    assert value("int", {"int": "string"}, int="mine") == "mine"


def test_the_longest_name_wins() -> None:
    types = {"a.b": "map(string, string)", "a.b.c": "string"}
    assert expression("a.b.c", types).evaluate({"a.b.c": "whole", "a.b": {"c": "part"}}) == "whole"
    assert expression("a.b.d", types).evaluate({"a.b.c": "whole", "a.b": {"d": "part"}}) == "part"


# Laziness and order ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cel.bind(x, 1 / zero, true)", True),
        ("cel.block([1 / zero, 2], cel.index(1))", 2),
        ("optional.of(1).orValue(1 / zero)", 1),
        ("optional.of(1).or(optional.of(1 / zero)).value()", 1),
        ("optional.none().optMap(x, 1 / zero).hasValue()", False),
        ("false && 1 / zero == 1", False),
        ("1 / zero == 1 || true", True),
        ("true ? 1 : 1 / zero", 1),
        ("[1, 0].exists(x, 1 / x == 1)", True),
        ("{}.?a.b.?c.orValue('none')", "none"),
    ],
)
def test_what_is_not_needed_does_no_harm(text: str, expected: Any) -> None:
    assert value(text, zero=0) == expected


def test_folding_changes_nothing_but_the_time() -> None:
    for text in (
        "[1, 2, 3].map(x, x * 60 * 60)",
        "{'a': [1, 2]}",
        "1 + 2 * 3 == 7",
        "0.0 / 0.0 == 0.0",
        "[0.0 / 0.0]",
    ):
        folded, plain = (expression(text, {}, fold=fold).evaluate() for fold in (True, False))
        assert repr(folded) == repr(plain)


# Use ---------------------------------------------------------------------------------------------


def test_an_expression_serves_many_threads() -> None:
    made = expression("items.map(x, x + n).filter(x, x % 2 == 0).size() + name.split('a').size()")
    wrong: list[Any] = []

    def work(n: int) -> None:
        for _ in range(300):
            got = made.evaluate({"items": list(range(n)), "n": n, "name": "a" * n})
            if got != len([x for x in range(n) if (x + n) % 2 == 0]) + n + 1:
                wrong.append((n, got))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_bindings_are_not_changed_nor_kept() -> None:
    items = [1, 2]
    made = expression("(items + [3]).map(x, x)")
    assert made.evaluate({"items": items}) == [1, 2, 3]
    assert items == [1, 2]
    result = expression("items").evaluate({"items": items})
    result.append(9)
    assert items == [1, 2]


def test_what_an_expression_says_of_itself() -> None:
    made = expression("a.b > limit", {"a": "map(string, int)", "limit": "int"})
    assert made.variables == ("a", "limit")
    assert made.text == "a.b > limit"
    assert "a.b > limit" in repr(made)
    with pytest.raises(TypeError):
        expression(b"1")  # type: ignore[arg-type]


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_integers_are_of_64_bits(a: int, b: int) -> None:
    for sign, exact in (("+", a + b), ("-", a - b), ("*", a * b)):
        made = SIGNS.setdefault(sign, expression(f"a {sign} b", {"a": "int", "b": "int"}))
        if -(2**63) <= exact < 2**63:
            assert made.evaluate({"a": a, "b": b}) == exact
        else:
            with pytest.raises(ExpressionError) as caught:
                made.evaluate({"a": a, "b": b})
            assert caught.value.code == "overflow"


SIGNS: dict[str, pactlang.Expression] = {}


@given(st.floats(), st.floats())
def test_doubles_are_those_of_ieee_754(a: float, b: float) -> None:
    made = SIGNS.setdefault("/.", expression("a / b", {"a": "double", "b": "double"}))
    got = made.evaluate({"a": a, "b": b})
    if b:
        assert got == a / b or math.isnan(got)
    else:
        assert math.isnan(got) if a == 0 or math.isnan(a) else math.isinf(got)


@pytest.mark.parametrize("text", ["d > 1.0 && k", "d == 1.0 && k", "d && k", "s < 'x' && k", "i in [1] && k"])
def test_what_is_false_is_false_beside_a_variable_without_a_value(text: str) -> None:
    types = {"d": "double", "i": "int", "s": "string", "k": "bool"}
    types |= {"d": "bool"} if text.startswith("d &&") else {}
    for missing in ({}, {"d": None, "s": None, "i": None}, {"d": [], "s": 5, "i": "x"}):
        assert expression(text, types).evaluate({"k": False, **missing}) is False


def test_what_is_false_is_false_beside_a_bound_error() -> None:
    for text in ("cel.bind(x, 1 / n, x > 1 && false)", "[1 / n, 2].exists(x, x > 1 && false) && false"):
        assert value(text, {"n": "int"}, n=0) is False
    pact = 'pact p "1.0.0" clause c { require cel.bind(x, 1 / size(output), x > 1 && false) || true }'
    verdict = pactlang.Evaluator(pactlang.compile(pact)).check({})
    assert verdict.ok
    doubt = 'pact p "1.0.0" clause c { never cel.bind(x, 1 / size(output), x > 1 && false) }'
    assert pactlang.Evaluator(pactlang.compile(doubt)).check({}).ok


class Thief:
    """A key that looks like a variable's name, and empties the bindings when it is compared with it."""

    bindings: dict[Any, Any] | None = None

    def __init__(self, name: str) -> None:
        self.hash = hash(name)

    def __hash__(self) -> int:
        return self.hash

    def __eq__(self, other: object) -> bool:
        if self.bindings is not None:
            self.bindings.pop("a", None)
        return False


@pytest.mark.parametrize("held", [lambda: "ab" * 40, lambda: ["ab" * 40], lambda: {"k": "ab" * 40}])
def test_a_key_cannot_take_away_what_was_read(held: Callable[[], Any]) -> None:
    thief = Thief("b")
    bindings = {"a": held(), thief: 1, "b": 1}
    thief.bindings = bindings
    assert expression("[a, b][0]").evaluate(bindings) == held()
    assert "a" not in bindings


def test_times_of_python_inside_a_map_are_times_where_it_is_told_why() -> None:
    made = expression("m.took > 1s && n / zero > 1", {"m": "map(string, dyn)", "n": "int", "zero": "int"})
    bindings = {
        "m": {"took": timedelta(seconds=5), "at": [datetime(2026, 1, 1, tzinfo=UTC)]},
        "n": 1,
        "zero": 0,
    }
    with pytest.raises(ExpressionError) as caught:
        made.evaluate(bindings)
    assert caught.value.code == "divide-by-zero"
    assert "too long" not in made.explain(bindings)


def test_what_is_null_has_no_field() -> None:
    assert value("x.?a.orValue(1)", x=None) == 1
    assert value("x[?0].hasValue()", x=None) is False
    pact = 'pact p "1.0.0" clause c { require args.?amount.orValue(0.0) <= 50.0 && args.?a.?b == optional.none() }'
    assert pactlang.Evaluator(pactlang.compile(pact)).check({}).ok


def test_what_is_no_optional_has_no_opt_map() -> None:
    for text in (
        "x.optMap(v, v + 1)",
        "x.optFlatMap(v, optional.of(v))",
        "x.or(optional.of(1))",
        "x.orValue(1)",
    ):
        for types in (None, {"x": "optional_type(int)"}):
            with pytest.raises(ExpressionError):
                expression(text, types).evaluate({"x": 5})


def test_the_plain_evaluator_reads_a_variable_as_it_is_declared() -> None:
    for text, types, bound in (
        ("math.bitOr(1u, x)", {"x": "uint"}, {"x": 5}),
        ("x + 1u", {"x": "uint"}, {"x": 0}),
        ("x * 2.0", {"x": "double"}, {"x": 5}),
        ("x * 2.0", {"x": "double"}, {"x": UInt(5)}),
    ):
        made = expression(text, types)
        assert repr(made.evaluate(bound)) == repr(evaluate(made.node, made._row(bound), made.module))
    made = expression("math.bitOr(1u, x) / zero == 1u", {"x": "uint", "zero": "uint"})
    with pytest.raises(ExpressionError) as caught:
        made.evaluate({"x": 5, "zero": 0})
    assert caught.value.code == "divide-by-zero"
    with pytest.raises(ExpressionError):
        expression("x + 1u", {"x": "uint"}).evaluate({"x": -5})
    for kind in ("double", "uint"):  # beyond 64 bits it is no number of CEL's, whatever is declared
        with pytest.raises(ExpressionError) as caught:
            expression("x == x", {"x": kind}).evaluate({"x": 2**70})
        assert caught.value.code == "bad-number"
