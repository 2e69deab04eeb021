"""CEL alone: what `pactlang.expression` accepts, the type it gives an expression, and what comes of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pactlang

TYPES = {
    "when": "timestamp", "gap": "duration", "maybe": "optional_type(int)", "host": "net.IP", "tag": "acme.Label(int)",
    "n": "int", "names": "list(string)", "flag": "bool", "spans": "list(duration)", "any": "dyn",
}  # fmt: skip

# CEL's checker lets null go where a time, an optional, an address or an abstract value goes.
NULLS = [
    ("when == null", "bool"), ("null != gap", "bool"), ("maybe == null", "bool"), ("host == null", "bool"),
    ("tag != null", "bool"), ("[null, when]", "list(timestamp)"), ("[gap, null][1]", "duration"),
    ("[maybe, null]", "list(optional_type(int))"), ("[null, host]", "list(net.IP)"),
    ("{'a': null, 'b': tag}", "map(string, acme.Label(int))"), ("{'a': [when], 'b': [null]}", "map(string, list(timestamp))"),
    ("null in spans", "bool"), ("spans == [null]", "bool"), ("[n, null]", "list(dyn)"), ("[names, null]", "list(dyn)"),
    ("when < null", "bool"), ("null - when", "duration"), ("flag ? null : gap", "duration"),
    ("flag ? [gap] : [null]", "list(duration)"), ("[[null], [null, gap]]", "list(list(duration))"),
]  # fmt: skip
NEVER_NULL = [
    "n == null",
    "names == null",
    "null == 'a'",
    "n < null",
    "null in names",
    "{'a': 1} == null",
    "flag == null",
]


@pytest.mark.parametrize(("written", "type"), NULLS)
def test_null_goes_where_cel_lets_it(written: str, type: str) -> None:
    assert pactlang.expression(written, TYPES).type == type


@pytest.mark.parametrize("written", NEVER_NULL)
def test_null_goes_nowhere_else(written: str) -> None:
    with pytest.raises(pactlang.CompileError):
        pactlang.expression(written, TYPES)


def test_null_among_times_is_an_error_value_where_it_is_used() -> None:
    assert (
        pactlang.expression("[null, gap][0] == gap", TYPES).evaluate(
            {"gap": pactlang.expression("duration('1s')").evaluate()}
        )
        is False
    )
    with pytest.raises(pactlang.ExpressionError) as raised:
        pactlang.expression("[null, when][0] < when", TYPES).evaluate(
            {"when": pactlang.expression("timestamp(0)").evaluate()}
        )
    assert raised.value.code == "null-operand"


def test_in_a_pact_a_field_that_is_never_null_is_not_compared_with_null() -> None:
    pact = 'pact p "1.0.0" on R\nrecord R { t: timestamp }\nclause c { require t != null }'
    with pytest.raises(pactlang.CompileError):
        pactlang.compile(pact)


# Functions that the user declares -------------------------------------------------------------

DECLARED = {
    "text.words": [(["string"], "list(string)")],
    "math.abs": [(["string"], "string")],
    ".size": [(["int"], "int")],
    "later": [(["timestamp"], "bool")],
    "either": [(["A", "A"], "A")],
    "acme.risk.score": [(["string"], "double")],
}


@pytest.mark.parametrize(
    ("written", "container", "type"),
    [
        ("text.words('a b')", "", "list(string)"),  # a name with dots is no method
        ("risk.score('x')", "acme", "double"),
        ("score('x')", "acme.risk", "double"),
        (".acme.risk.score('x')", "acme", "double"),
        ("math.abs('x')", "", "string"),  # beside the overloads that there are
        ("math.abs(-1)", "", "int"),
        ("3.size() + 'x'.size() + size([1])", "", "int"),
        ("later(null)", "", "bool"),
        ("either(null, timestamp(0))", "", "timestamp"),
    ],
)
def test_a_declared_function_is_known_by_its_types(written: str, container: str, type: str) -> None:
    assert pactlang.expression(written, {}, container, functions=DECLARED).type == type


@pytest.mark.parametrize(
    "written", ["text.words(1)", "'a'.words()", "later(3)", "math.abs(true)", "'x'.size('y')"]
)
def test_a_declared_function_takes_what_it_says(written: str) -> None:
    with pytest.raises(pactlang.CompileError):
        pactlang.expression(written, {}, functions=DECLARED)


def test_overloads_of_the_language_still_run_beside_declared_ones() -> None:
    assert pactlang.expression("math.abs(-1) + 'xy'.size()", {}, functions=DECLARED).evaluate() == 3
    with pytest.raises(pactlang.ExpressionError):
        pactlang.expression("math.abs('x')", {}, functions=DECLARED).evaluate()


# The name -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "before",
    [
        "pactlang.Expression",
        "import pactlang.cel",
        "from pactlang import Expression",
        "pactlang.compile",
        "from pactlang.cel import *",
    ],
)
def test_the_function_is_there_whatever_is_imported_before(before: str) -> None:
    script = f"import pactlang\n{before}\nassert pactlang.expression('1 + 1').evaluate() == 2"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# Conversions and members ----------------------------------------------------------------------


@pytest.mark.parametrize("number", ["-0.1", "-0.999", "-1.0", "18446744073709551616.0"])
def test_a_double_below_zero_is_no_uint(number: str) -> None:
    for fold in (True, False):
        with pytest.raises(pactlang.ExpressionError) as raised:
            pactlang.expression(f"uint({number})", {}, fold=fold).evaluate()
        assert raised.value.code == "range"


@pytest.mark.parametrize(
    ("number", "whole"), [("-0.0", 0), ("0.999", 0), ("18446744073709549568.0", 18446744073709549568)]
)
def test_a_double_is_cut_to_a_uint(number: str, whole: int) -> None:
    assert pactlang.expression(f"uint({number})", {}).evaluate() == whole


def test_a_map_whose_keys_are_no_strings_has_no_such_member() -> None:
    assert pactlang.expression("{1: 'a'}.?b", {}).type == "optional_type(string)"
    assert pactlang.expression("{1: 'a'}.?b.hasValue()", {}).evaluate() is False
    assert pactlang.expression("optional.of({true: 1}).?b.orValue(2)", {}).evaluate() == 2
    with pytest.raises(pactlang.CompileError):
        pactlang.expression("{1: 'a'}[?'b']", {})


@pytest.mark.parametrize(
    ("written", "type"),
    [
        ("math.greatest([1, 2])", "int"),
        ("math.least([1.5])", "double"),
        ("math.least([1, 2.5])", "dyn"),
        ("math.least([any])", "dyn"),
    ],
)
def test_the_row_of_just_these_types_gives_the_type(written: str, type: str) -> None:
    assert pactlang.expression(written, TYPES).type == type


# The ends of time: a zone may put them into year 0 or 10000.
@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("timestamp('9999-12-31T23:59:59Z').getHours('Asia/Kolkata')", 5),
        ("timestamp('9999-12-31T23:59:59Z').getDayOfWeek('Pacific/Auckland')", 6),
        ("timestamp('9999-07-31T23:59:59Z').getHours('Europe/Paris')", 1),
        ("timestamp('0001-01-01T00:00:00Z').getDayOfWeek('America/New_York')", 0),
        ("timestamp('0001-01-01T00:00:00Z').getMinutes('America/New_York')", 3),  # local mean time: -4:56:02
        ("timestamp('0001-01-01T00:00:00Z').getFullYear('-08:00')", 0),
        ("timestamp('9999-12-31T23:59:59Z').getFullYear('+08:00')", 10000),
    ],
)
def test_a_zone_is_known_at_the_ends_of_time(written: str, value: int) -> None:
    for fold in (True, False):
        assert pactlang.expression(written, {}, fold=fold).evaluate() == value
