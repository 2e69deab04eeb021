"""Bad input, by name: what is meant to exhaust the stack, the memory or the patience ends in a clear error.

Each case runs in a process of its own with 2 GiB beside what Python needs and with two minutes, so a blow-up
and a hang fail; asserted are the words that say what went wrong, never seconds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import pytest

import pactlang
from pactlang.cel import expression
from tests.fuzz import sandbox

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the sandbox forks")


def apart(case: Callable[[], str]) -> str:
    """The word of a case that runs in a process of its own."""
    said: list[str] = []
    report = sandbox.run("hostile", lambda data: case(), lambda: (iter([b""]), said.append), limit=120)
    assert not report.findings, report.findings[0].what[-3000:]
    return next(iter(report.words))


def word(text: str, given: dict[str, Any] | None = None, types: Any = None) -> str:
    """How an expression ends: the code of its first diagnostic or of its error, or the type of its value."""
    try:
        value = expression(text, types).evaluate(given)
    except pactlang.CompileError as refused:
        assert len(str(refused)) < 100_000
        return refused.diagnostics[0].code
    except pactlang.ExpressionError as error:
        assert len(str(error)) < 1000
        return error.code
    except TypeError as error:
        return f"TypeError: {error}"
    return type(value).__name__


def pact(require: str, record: dict[str, Any] | None = None, before: str = "") -> str:
    """How a pact with this promise ends: the code of a diagnostic, or the outcome of a call."""
    try:
        program = pactlang.compile(f'pact p "1.0.0"\n{before}\nclause c {{ require {require} }}')
    except pactlang.CompileError as refused:
        assert len(str(refused)) < 100_000
        return refused.diagnostics[0].code
    evaluator = pactlang.Evaluator(pactlang.load(program.to_bytes()))
    verdict = evaluator.check(record or {})
    assert all(len(violation.message) < 1000 for violation in verdict.violations)
    return verdict.outcomes["c"].name.lower()


# Nesting -------------------------------------------------------------------------------------

NESTED = {
    "parentheses": ("(", "1", ")"),
    "parentheses that never close": ("(", "", ""),
    "minus signs": ("-", "1", ""),
    "negations": ("!", "true", ""),
    "lists": ("[", "1", "]"),
    "maps": ("{1: ", "1", "}"),
    "ternaries": ("true ? 1 : ", "1", ""),
    "indexes": ("", "x", "[0]"),
    "fields": ("", "x", ".a"),
    "optional fields": ("", "x", ".?a"),
    "calls": ("size(", "x", ")"),
    "methods": ("", "x", ".size()"),
    "sums": ("1 + ", "1", ""),
    "macros": ("[1].map(x, ", "1", ")"),
    "bindings": ("cel.bind(x, ", "1", ", x)"),
    "records": ("a{b: ", "1", "}"),
}


@pytest.mark.parametrize("name", NESTED)
def test_what_is_nested_deep_is_refused_where_it_gets_deep(name: str) -> None:
    before, inside, behind = NESTED[name]

    def case() -> str:
        found = []
        for depth in (10, 1000, 1_000_000):
            text = before * depth + inside + behind * depth
            found.append((word(text, {"x": []}), pact(f"{text} == 1")))
        for shallow in found[0]:
            assert shallow != "nested-too-deep"
        assert found[1] == found[2], found  # a thousand times the text, and the same said of it
        return found[2][0]

    assert apart(case) in ("nested-too-deep", "syntax", "unclosed-bracket", "reserved-word")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("true" + " && true" * 20_000, "bool"),
        ("1" + " + 1" * 1_000_000, "nested-too-deep"),
        ("}" * 1_000_000, "syntax"),
        ("[" + "," * 1_000_000 + "]", "syntax"),
        ("'" + "a" * 1_000_000 + "'", "str"),
        ("'" + r"\x41" * 1_000_000 + "'", "str"),
        ("b'" + "a" * 1_000_000 + "'", "bytes"),
        ("[" + "1, " * 1_000_000 + "]", "too-large"),
        ("[" + "x, " * 100_000 + "]", "too-large"),
        ("{" + ", ".join(f"{i}: 1" for i in range(100_000)) + "}", "too-large"),
        ("math.greatest(" + "1, " * 100_000 + "1)", "too-large"),
        ("[" + ", ".join(f"v{i}" for i in range(70_000)) + "]", "too-large"),
        ("9" * 1_000_000, "number-out-of-range"),
        ("1e" + "9" * 1_000_000, "number-out-of-range"),
        ("'" * 1_000_001, "syntax"),
        ("x" * 1_000_000, "unknown-name"),
        ("\x00" * 1_000_000, "unexpected-character"),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else None,
)
def test_what_is_long(text: str, wanted: str) -> None:
    assert apart(lambda: word(text)) == wanted


def test_long_literals_in_a_pact() -> None:
    assert apart(lambda: pact('output == "' + "a" * 1_000_000 + '"')) == "violated"
    assert apart(lambda: pact("output in [" + '"a", ' * 200_000 + '"b"]', {"output": "b"})) in (
        "too-large",
        "satisfied",
    )


# Text ----------------------------------------------------------------------------------------

PATTERNS = {
    "(a+)+$": "bool",
    "(.*a){25}": "bool",
    "(a|aa)+b": "bool",
    "x{1000}{1000}": "invalid-pattern",
    "(x{1000}){1000}": "invalid-pattern",
    r"\pL{1000}": "invalid-pattern",
    "(" * 100_000
    + ")" * 100_000: "bool",  # RE2 keeps places for every group, unless told that none is asked for
    "(a|" * 50_000: "invalid-pattern",
    "a" * 1_000_000: "invalid-pattern",
    "(?i)" + "[^a]" * 10_000: "bool",
}


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern[:12])
def test_patterns_made_to_hurt(pattern: str) -> None:
    text = "a" * 100_000 + "b"
    assert apart(lambda: word("s.matches(p)", {"s": text, "p": pattern})) == PATTERNS[pattern]
    outcome = apart(lambda: pact("output.matches(q)", {"output": text}, f'pattern q = r"{pattern}"'))
    assert outcome in (
        ("satisfied", "violated") if PATTERNS[pattern] == "bool" else ("bad-pattern", "invalid-pattern")
    )


@pytest.mark.parametrize(
    ("text", "given", "wanted"),
    [
        ("'%.1000000000f'.format([1.0])", {}, "limit"),
        ("'%.100f'.format([1e300])", {}, "str"),
        ("s.format(l)", {"s": "%s" * 100_000, "l": ["a" * 1000] * 100_000}, "limit"),
        ("'%s'.format([l])", {"l": ["a" * 1000] * 100_000}, "limit"),
        ("s.replace('', t)", {"s": "a" * 1_000_000, "t": "b" * 10_000}, "limit"),
        ("'a'.replace('', 'b'.replace('', 'c'.replace('', 'd')))", {}, "str"),
        ("l.join(s)", {"l": ["", "", ""] * 10_000, "s": "a" * 10_000}, "limit"),
        ("l.map(x, s.split(''))", {"l": [0] * 1000, "s": "a" * 1_000_000}, "limit"),
        ("l.map(x, s.upperAscii())", {"l": [0] * 100_000, "s": "é" * 300_000}, "limit"),
        ("int('9223372036854775808')", {}, "range"),
        ("int(s)", {"s": "9" * 1_000_000}, "bad-conversion"),
        ("uint('-0')", {}, "range"),
        ("double(s)", {"s": "9" * 1_000_000}, "bad-conversion"),
        ("duration(s)", {"s": "9" * 1_000_000 + "s"}, "bad-conversion"),
        ("timestamp(s)", {"s": "2026-01-01T00:00:00." + "0" * 1_000_000 + "Z"}, "bad-conversion"),
        ("9223372036854775807 + i", {"i": 1}, "overflow"),
        ("-i", {"i": -(2**63)}, "overflow"),
        ("i / j", {"i": -(2**63), "j": -1}, "overflow"),
        ("i % j", {"i": -(2**63), "j": -1}, "overflow"),
        ("duration('315576000000s') + duration('1ns')", {}, "range"),
        ("duration('-315576000000s') - duration('1ns')", {}, "range"),
        ("timestamp('9999-12-31T23:59:59.999999999Z') + duration('1ns')", {}, "range"),
        ("timestamp('0001-01-01T00:00:00Z') - duration('1ns')", {}, "range"),
        ("timestamp('0001-01-01T00:00:00+01:00')", {}, "range"),
        ("timestamp('0000-01-01T00:00:00Z')", {}, "bad-conversion"),
        ("timestamp('9999-12-31T00:00:00Z') - timestamp('0001-01-01T00:00:00Z')", {}, "range"),
        ("timestamp(253402300799).getFullYear('+23:59')", {}, "int"),
        ("timestamp(i)", {"i": 2**63 - 1}, "range"),
    ],
)  # fmt: skip
def test_values_at_the_edge_and_beyond(text: str, given: dict[str, Any], wanted: str) -> None:
    assert apart(lambda: word(text, given)) == wanted


@pytest.mark.parametrize(
    "zone",
    ["No/Where", "../../etc/passwd", "/etc/passwd", "Europe/../UTC", "a\0b", "", ".", "Europe", "x" * 100_000,
     "10.0." * 2000 + "/a", "tzdata.zoneinfo.x/y", "pactlang.cli/x", "+24:00", "\ud800"],
    ids=ascii,
)  # fmt: skip
def test_zones_that_do_not_exist(zone: str) -> None:
    before = {*sys.modules, "tzdata.zoneinfo"}  # where zoneinfo looks, if tzdata is installed
    assert word("timestamp(0).getHours(z)", {"z": zone}) == "bad-conversion"
    assert not [name for name in set(sys.modules) - before if name.startswith(("tzdata.", "pactlang.cli"))]
    if zone.isprintable() and len(zone) < 1000:
        assert pact(f'time.getHours("{zone}") == 0', {"time": "2026-01-01T00:00:00Z"}) in (
            "unknown",
            "bad-time-zone",
        )


# Work ----------------------------------------------------------------------------------------


def nest(macro: str, depth: int, inside: str, source: str = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]") -> str:
    for i in range(depth):
        inside = f"{source}.{macro}(x{i}, {inside})"
    return inside


def test_loops_that_ask_for_very_many_turns() -> None:
    thousand = {"l": list(range(10_000))}
    assert apart(lambda: word(nest("map", 12, "1"))) == "limit"
    assert apart(lambda: word(nest("all", 12, "true"))) == "limit"
    assert apart(lambda: word("l.map(x, l.map(y, l.map(z, x)))", thousand)) == "limit"
    assert apart(lambda: word("l.all(x, l.all(y, l.all(z, x == x)))", thousand)) == "limit"
    assert (
        apart(lambda: word("l.map(x, l)", {"l": list(range(100_000))})) == "list"
    )  # one list in many places
    assert apart(lambda: pact(nest("all", 12, "true"))) == "unknown"


@pytest.mark.parametrize(
    "body",
    ["s == t", "s <= t", "s < t ? false : true", "bytes(s) <= bytes(t)", "s in [t, t]", "m[t] == 1", "t in m",
     "s.startsWith(t)", "s.contains(t)", "s.matches('(a|b)*c')", "s.matches(p + string(x))", "{s: x} == {t: x}",
     "type(x).size() == 1 || s.lowerAscii() == t", "timestamp(0).getHours('No/' + string(x)) == 0",
     "[x, x, x, x] == [x, x, x]", "{1: x, 2: x, 3: x, 4: x} == {}", "string(bad) == ''"],
)  # fmt: skip
def test_a_turn_of_a_loop_is_charged_for_what_it_does(body: str) -> None:
    """A million turns over texts of a megabyte end, whatever a turn does with them."""
    given = {
        "l": list(range(1_000_000)), "s": "a" * 1_000_000, "t": "a" * 999_999 + "a", "p": "x", "m": {"a" * 1_000_000: 1},
        "bad": b"a" * 1_000_000 + b"\xff",
    }  # fmt: skip
    assert apart(lambda: word(f"l.exists(x, !({body}) && false)", given)) in ("limit", "bool")


def doubled(first: str, step: str, depth: int, last: str) -> str:
    for i in reversed(range(1, depth + 1)):
        last = f"cel.bind(a{i}, {step.replace('#', f'a{i - 1}')}, {last})"
    return f"cel.bind(a0, {first}, {last})"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (doubled("s", "# + #", 60, "a60"), "limit"),
        (doubled("'abc'", "# + #", 60, "a60"), "limit"),
        (doubled("[1]", "# + #", 60, "a60"), "limit"),
        (doubled("bytes(s)", "# + #", 60, "a60"), "limit"),
        (doubled("[1]", "[#, #]", 60, "a60"), "list"),  # little memory: one list in very many places
        (doubled("[1]", "[#, #]", 60, "a60 == [[a59, a59]][0]"), "limit"),
        (doubled("[1]", "[#, #]", 60, "'%s'.format([a60])"), "limit"),
        (doubled("[1]", "[#, #]", 60, "{1: 2}[a60]"), "no-such-key"),
        (doubled("[1]", "[#, #]", 60, "[1][dyn(a60)]"), "no-such-overload"),
        (doubled("{'a': 1}", "{'a': #, 'b': #}", 60, "a60"), "dict"),
        (doubled("optional.of(1)", "optional.of([#, #])", 60, "a60"), "Optional"),
    ],
    ids=range(11),
)
def test_bindings_that_double(text: str, wanted: str) -> None:
    assert apart(lambda: word(text, {"s": "abc"})) == wanted


def test_lets_that_double() -> None:
    def lets(first: str, step: str, depth: int) -> str:
        lines = [f"let a{i} = {step.replace('#', f'a{i - 1}')}" for i in range(1, depth + 1)]
        return "\n".join([f"let a0 = {first}", *lines])

    for first, step in (
        ("output", "# + #"),
        ('"x"', "# + #"),
        ("[1]", "[#, #]"),
        ("[output]", "[#, #]"),
        ("1", "# + #"),
    ):
        said = apart(
            lambda first=first, step=step: pact("a60 == a59", {"output": "x"}, lets(first, step, 60))
        )
        assert said in ("too-large", "unknown", "violated", "type-mismatch", "overflow", "nested-too-deep"), (
            first,
            said,
        )
        said = apart(lambda first=first, step=step: pact("a10 == a9", {"output": "x"}, lets(first, step, 10)))
        assert said in ("violated", "too-large", "type-mismatch"), (first, said)


def test_keys_that_come_twice() -> None:
    assert word("{'a': 1, s: 2}", {"s": "a"}) == "duplicate-key"
    assert word("{1: 1, u: 2}", {"u": 1}) == "duplicate-key"
    assert word("[1, 1].transformMapEntry(i, v, {v: i})") == "duplicate-key"
    assert word("{1: 2, 3: 4}.transformMapEntry(k, v, {'a': v})") == "duplicate-key"
    assert word("{1: 2, 3: 4}.transformMap(k, v, k)") == "dict"
