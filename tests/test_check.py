"""The checker on the golden cases of `corpus/check`, and what a golden case cannot show."""

from __future__ import annotations

import inspect
import re
import sys
import time
from pathlib import Path

import pytest

from pactlang import ir
from pactlang.check import check
from pactlang.cost import cost, over_budget
from pactlang.diagnostic import Diagnostic
from pactlang.parse import parse
from pactlang.source import Source

CORPUS = Path(__file__).parent / "corpus" / "check"
CASE = re.compile(
    r"^== (?P<title>[^\n]*)\n-- pact --\n(?P<pact>.*?)-- problems --\n(?P<problems>.*?)(?=^== |\Z)",
    re.M | re.S,
)
CASES = {
    f"{path.stem}: {case['title']}": (case["pact"], case["problems"])
    for path in sorted(CORPUS.glob("*.txt"))
    for case in CASE.finditer(path.read_text("utf-8"))
}


def checked(text: str) -> tuple[ir.Module | None, tuple[Diagnostic, ...], Source]:
    source = Source("case.pact", text)
    pact, found = parse(source)
    if pact is None:
        return None, found, source
    module, more = check(pact, source)
    over = over_budget(module, cost(module)) if module is not None else ()
    return module, (*found, *more, *over), source


def module_of(text: str) -> ir.Module:
    module, found, _ = checked(text)
    assert module is not None, found
    return module


def problems(text: str) -> str:
    """One line for each finding: place, level, code."""
    _, found, source = checked(text)
    lines = []
    for d in found:
        start, end = (source.place(at) for at in d.primary.span)
        lines.append(f"{start.line}:{start.column}-{end.line}:{end.column} {d.level} {d.code}\n")
    return "".join(lines)


def mended(text: str) -> str:
    """The text with the first fix carried out."""
    _, found, _ = checked(text)
    fix = next(d.fix for d in found if d.fix is not None)
    return text[: fix.span.start] + fix.replacement + text[fix.span.end :]


@pytest.mark.parametrize("name", CASES)
def test_golden(name: str, request: pytest.FixtureRequest) -> None:
    pact, expected = CASES[name]
    found = problems(pact)
    if request.config.getoption("--update", default=False):
        path = CORPUS / f"{name.partition(':')[0]}.txt"
        old, gap = f"{pact}-- problems --\n", "\n" if expected.endswith("\n\n") or expected == "\n" else ""
        path.write_text(path.read_text("utf-8").replace(old + expected, old + found + gap), "utf-8")
        return
    assert found.strip() == expected.strip()


def test_every_golden_file_has_cases() -> None:
    files = {path.stem for path in CORPUS.glob("*.txt")}
    assert files == {name.partition(":")[0] for name in CASES}


# Fixes ---------------------------------------------------------------------------------------

FIXES = [
    ("latency < 2000", "latency < 2s"),
    ("latency < 1.5", "latency < 1.5s"),
    ("latency > 250", "latency > 250ms"),
    ("cost * 2 > 1.0", "cost * 2.0 > 1.0"),
    ("usage.input_tokens + cost > 1.0", "double(usage.input_tokens) + cost > 1.0"),
    ('kind == "chatt"', 'kind == "chat"'),
    ('"a" in output', 'output.contains("a")'),
    ("outptu == input", "output == input"),
    ("input_tokens > 5", "usage.input_tokens > 5"),
    ("output == 404", 'output == "404"'),
    ('ok == "true"', "ok == true"),
    ('cost < "5 USD"', "cost < 5.0"),
    ('time > "2026-01-01"', 'time > timestamp("2026-01-01T00:00:00Z")'),
    ("len(output) > 5", "size(output) > 5"),
    ('startsWith(output, "x")', 'output.startsWith("x")'),
    ('has(labels["x"])', '"x" in labels'),
    ("args.amount * 1.5 > 2.0", "double(args.amount) * 1.5 > 2.0"),
    ('labels.map(k, k) == "x"', '"x" in labels.map(k, k)'),
    ('labels.map(k, k) != "x"', '!("x" in labels.map(k, k))'),
    ("args.?amount <= 5.0", "args.?amount.orValue(0.0) <= 5.0"),
    ('usage.?input_tokens == 1 || output == ""', 'usage.?input_tokens.orValue(0) == 1 || output == ""'),
    ("true ? output == 'x' : output == 'y'", "output == 'x'"),
    ("output == 'x' && true", "output == 'x'"),
    ("size(output) >= 0 && output == 'x'", "true && output == 'x'"),
    ("output == 'x' || (size(input) > 5 && size(input) < 0)", "output == 'x' || (size(input) > 5 && false)"),
    ('output.matches("costs $5")', r'output.matches("costs \\$5")'),
    ('output.matches(r"costs $5")', r'output.matches(r"costs \$5")'),
]


FIXES += [
    ("tool", "has(tool)"),
    ("output == '' || output", "output == '' || output != \"\""),
    ("latency < 5 sec", "latency < 5s"),
    ("latency < 5 ms && output == ''", "latency < 5ms && output == ''"),
]


def test_an_optional_is_come_by() -> None:
    (finding,) = checked('pact p "1.0.0" clause a { require error.value() == "x" }')[1]
    assert "`call.?error`" in finding.help[0]


FIELDS = [
    ('n: "5"', "n: 5"),
    ("n: 5.0", "n: 5"),
    ("n: 5u", "n: 5"),
    ("d: 1", "d: 1.0"),
    ('d: "-1"', "d: -1.0"),
    ('d: "1.5"', "d: 1.5"),
    ("u: 5", "u: 5u"),
    ('u: "5"', "u: 5u"),
    ("s: 404", 's: "404"'),
    ("s: true", 's: "true"'),
    ('b: "true"', "b: true"),
    ("l: 5", "l: 5ms"),
    ("l: 1.5", "l: 1.5ms"),
    ('l: "1.5s"', 'l: duration("1.5s")'),
    ('t: "2026-01-01T00:00:00Z"', 't: timestamp("2026-01-01T00:00:00Z")'),
    ('k: "charm"', 'k: "chart"'),
    ('x: {key: "a"}', 'x: {"key": "a"}'),
    ("x: [5u]", "x: [5]"),
]
MENDLESS = ['n: "5.5"', "n: 5.5", 'b: "yes"', 'u: "-5"', "u: -5", "d: 0x10", "l: 1e3", 'd: "1e3"', "n: null"]
TESTED = """pact p "1.0.0" on R
record R {{ n: int d: double? u: uint? s: string b: bool? l: duration(ms)? t: timestamp? k: enum("chart", "z")?
  x: dyn?}}
clause a {{ require n > 0 }}
test "t" {{ call {{ {} }} expect ok }}
"""


@pytest.mark.parametrize(("wrong", "right"), FIELDS)
def test_fix_of_a_constant(wrong: str, right: str) -> None:
    text = TESTED.format(wrong)
    _, found, _ = checked(text)
    (finding,) = [d for d in found if d.level == "error"]
    assert finding.fix is not None
    mended = text[: finding.fix.span.start] + finding.fix.replacement + text[finding.fix.span.end :]
    assert mended == text.replace(wrong, right)
    assert not [d for d in checked(mended)[1] if d.level == "error"]


@pytest.mark.parametrize("wrong", MENDLESS)
def test_a_constant_without_a_mend(wrong: str) -> None:
    (finding,) = [d for d in checked(TESTED.format(wrong))[1] if d.level == "error"]
    assert finding.code == "type-mismatch"
    assert finding.fix is None


@pytest.mark.parametrize(("wrong", "right"), FIXES)
def test_fix(wrong: str, right: str) -> None:
    frame = 'pact p "1.0.0"\nclause a {{ require {} }}\n'
    assert mended(frame.format(wrong)) == frame.format(right)
    assert checked(frame.format(right))[0] is not None


ADMITTED = [
    ('require tool != "x"', 'when has(tool)  require tool != "x"'),
    ('never tool == "x"', 'when has(tool)  never tool == "x"'),
    ('never output == "" || "x" == tool', 'when has(tool)  never output == "" || "x" == tool'),
    ("require size(tool) > 5", "when has(tool)  require size(tool) > 5"),
    ("\n  never size(tool) > 5\n", "\n  when has(tool)\n  never size(tool) > 5\n"),
    ("when output != '' require !ok", "when output != '' && has(ok) require !ok"),
    (
        "when output != '' || input == '' require ok",
        "when (output != '' || input == '') && has(ok) require ok",
    ),
    ("when size(tool) > 5 require output == ''", "when has(tool) && size(tool) > 5 require output == ''"),
    ("when tool != 'x' require output == ''", "when has(tool) && tool != 'x' require output == ''"),
]


@pytest.mark.parametrize(("wrong", "right"), ADMITTED)
def test_the_mend_of_an_absence_skips_the_call(wrong: str, right: str) -> None:
    frame = 'pact p "1.0.0"\nclause a {{ {} }}\n'
    assert mended(frame.format(wrong)) == frame.format(right)
    assert not [d for d in checked(frame.format(right))[1] if d.level == "note"]


@pytest.mark.parametrize(
    "text",
    [
        "let long = size(tool) > 5 clause a { require long }",
        "event called when size(tool) > 5 clause a { never called }",
        "clause a { require messages.all(m, size(m.content) < 5) }",
    ],
)
def test_no_mend_changes_what_an_absence_comes_to(text: str) -> None:
    found = [d for d in checked(f'pact p "1.0.0" {text}')[1] if d.primary.text.startswith("where it")]
    assert found
    assert all(d.fix is None for d in found if "messages" not in d.message)


UNITS = 'pact p "1.0.0" on R record R {{ {} }} clause a {{ require {} }}'


@pytest.mark.parametrize(
    ("field", "condition", "help"),
    [
        ("duration_ms: double", "duration_ms < 5s", "if `duration_ms` counts milliseconds, declare it as `duration(ms)`"),
        ("tookUs: int", "5s > tookUs", "if `tookUs` counts microseconds, declare it as `duration(us)`"),
        ('took: int as "took.seconds"', "took < 5s", "if `took` counts seconds, declare it as `duration(s)`"),
        ("at_ns: int", 'at_ns > timestamp("2026-01-01T00:00:00Z")', "if `at_ns` counts nanoseconds, declare it as"),
        ("took: double", "took < 5s", "declare `took` with the unit that it counts: `duration(s)`, `duration(ms)`"),
        ("took: double", "took * 2.0 < 5s", "a number becomes a duration where its field is declared"),
    ],
)  # fmt: skip
def test_a_number_against_a_time_is_declared_with_its_unit(field: str, condition: str, help: str) -> None:
    (finding,) = checked(UNITS.format(field, condition))[1]
    assert finding.code == "type-mismatch"
    assert finding.help[0].startswith(help)


def test_a_field_of_call_under_another_name_needs_a_record() -> None:
    text = 'pact p "1.0.0" extend Call { tool: string? as "tool_name" } clause a { require output == "" }'
    (finding,) = checked(text)[1]
    assert finding.code == "duplicate-field"
    assert "declare a record" in finding.help[1]


def test_a_fix_reaches_a_field_that_bears_a_types_name() -> None:
    text = 'pact p "1.0.0" on R record R { type: string } clause a { require type == "x" }'
    assert "require call.type ==" in mended(text)


# Slots and reads -----------------------------------------------------------------------------


def test_slots_come_in_order_of_first_use_with_the_base_before() -> None:
    module = module_of(
        'pact p "1.0.0"\nlet many = usage.output_tokens\nevent unused when cost > 1.0\n'
        'clause a { when has(usage.input_tokens) require usage.input_tokens < 5 && output != "" }\n'
        "clause b { require many == 5 && output != input }\n"
    )
    assert [(slot.name, slot.base) for slot in module.schema.slots] == [
        ("usage", -1),
        ("usage.input_tokens", 0),
        ("output", -1),
        ("usage.output_tokens", 0),
        ("input", -1),
    ]
    assert module.schema.reads["Call"] == ("id", "session", "seq", "time", "input", "output", "usage")
    assert module.schema.reads["Usage"] == ("input_tokens", "output_tokens")


def test_a_list_of_records_is_read_for_what_its_elements_are_asked() -> None:
    module = module_of(
        'pact p "1.0.0" clause a { require messages.all(m, m.role == "x") && size(tool_calls) < 2 }'
    )
    assert module.schema.reads["Message"] == ("role",)
    assert module.schema.reads["ToolCall"] == ()
    assert [slot.name for slot in module.schema.slots] == ["messages", "tool_calls"]


def test_a_record_used_as_a_value_is_read_whole() -> None:
    module = module_of(
        'pact p "1.0.0" clause a { require messages == [] && usage != null }'.replace("&& usage != null", "")
    )
    assert module.schema.reads["Message"] == ("role", "content", "tool_calls")
    assert module.schema.reads["ToolCall"] == ("id", "name", "args", "ok", "latency")


def test_the_whole_record() -> None:
    module = module_of(
        'pact p "1.0.0" on R record R { a: int s: S } record S { b: int } clause x { require [call] == [] }'
    )
    assert module.schema.reads == {"R": ("a", "s"), "S": ("b",)}
    assert module.schema.slots[0].path == ()
    module = module_of(
        'pact p "1.0.0" on R record R { a: int s: S } record S { b: int } clause x { require call.a > 1 }'
    )
    assert module.schema.reads == {"R": ("a",), "S": ()}


def test_what_no_clause_uses_is_not_in_the_program() -> None:
    module = module_of(
        'pact p "1.0.0" pattern a = "x" pattern b = "y" phrases c = ["z"] let l = cost\n'
        "clause k { never output.matches(b) && output.matches(b) }"
    )
    assert [p.name for p in module.patterns] == ["b"]
    assert module.phrases == ()
    assert module.schema.reads["Call"] == ("id", "session", "seq", "time", "output")


# Trees ---------------------------------------------------------------------------------------


def test_each_comprehension_has_its_own_variable() -> None:
    module = module_of(
        'pact p "1.0.0" let l = [1].exists(x, x > 0)\n'
        "clause a { require [2].all(x, l && [x].exists(x, x > 1)) && l }"
    )
    found: list[int] = []

    def walk(node: object) -> None:
        if isinstance(node, ir.Comprehension):
            found.append(node.var)
        for name in getattr(node, "__struct_fields__", ()):
            value = getattr(node, name)
            for part in value if isinstance(value, tuple) else (value,):
                walk(part)

    walk(module.clauses[0].promise)
    assert sorted(found) == [0, 1, 2, 3]


def test_a_minus_belongs_to_its_number() -> None:
    module = module_of('pact p "1.0.0" clause a { require cost > -9223372036854775808 && latency > -1.5s }')
    text = repr(module.clauses[0].promise)
    assert "value=-9223372036854775808" in text
    assert "value=(-2, 500000000)" in text


def test_an_overload_is_named_where_it_is_proved() -> None:
    module = module_of('pact p "1.0.0" clause a { require size(output) < 3 && args.a < 3 && size(args) > 1 }')
    promise = module.clauses[0].promise
    assert isinstance(promise, ir.Logic)
    overloads = [part.overload for part in promise.operands if isinstance(part, ir.Call)]
    assert overloads == ["less_int", "", "greater_int"]


def test_consequences_are_data() -> None:
    clause = module_of(
        'pact p "1.0.0" clause a "No cards." { severity critical dimension security\n'
        'never output.matches("[0-9]{16}")\n'
        'on violation { block "no"; redact; alert "sec" } on unknown { allow } }'
    ).clauses[0]
    assert clause.never
    assert (clause.description, clause.severity, clause.dimension) == ("No cards.", "critical", "security")
    assert [(a.kind, a.value) for a in clause.on_violation] == [
        ("block", "no"),
        ("redact", None),
        ("alert", "sec"),
    ]
    assert [a.kind for a in clause.on_unknown] == ["allow"]


# Size and speed ------------------------------------------------------------------------------


def test_deep_expressions_and_long_chains_of_lets_end_in_a_diagnostic() -> None:
    deep = "!" * 400 + "true"
    chain = "\n".join(f"let a{n} = a{n - 1} + 1" for n in range(1, 400))
    for body in (f"clause x {{ require {deep} }}", f"let a0 = 1\n{chain}\nclause x {{ require a399 > 1 }}"):
        module, found, _ = checked(f'pact p "1.0.0"\n{body}\n')
        assert module is None
        assert {d.code for d in found if d.level == "error"} == {"nested-too-deep"}


def test_lets_that_double_end_in_one_diagnostic() -> None:
    lets = "\n".join(f"let a{n} = a{n - 1} + a{n - 1}" for n in range(1, 30))
    module, found, _ = checked(f'pact p "1.0.0"\nlet a0 = cost\n{lets}\nclause x {{ require a29 > 1.0 }}\n')
    assert module is None
    assert [d.code for d in found if d.level == "error"] == ["too-large"]


def test_two_hundred_clauses_take_well_under_half_a_second() -> None:
    clauses = "".join(
        f'clause c{n} {{ when tool == "t{n}" require has(usage.input_tokens) && usage.input_tokens < {n} '
        f'&& messages.all(m, m.role != "x{n}" || m.content == "a") }}\n'
        for n in range(200)
    )
    source = Source("many.pact", f'pact p "1.0.0"\n{clauses}')
    pact, _ = parse(source)
    assert pact is not None
    start = time.process_time()
    module, _ = check(pact, source)
    assert time.process_time() - start < 0.5
    assert module is not None
    assert len(module.clauses) == 200


def test_a_pact_that_grows_too_large_is_reported_once() -> None:
    lets = "let a = [1, 2, 3, 4, 5, 6, 7, 8, 9]\n" + "".join(
        f"let {b} = [{', '.join([a] * 9)}]\n" for a, b in ("ab", "bc", "cd")
    )
    clauses = "".join(f"clause c{n} {{ require size(d) > {n} }}\n" for n in range(200))
    _, found, _ = checked(f'pact p "1.0.0"\n{lets}{clauses}')
    assert [d.code for d in found] == ["too-large"]


def test_a_full_stack_ends_in_a_diagnostic() -> None:
    text = f'pact p "1.0.0"\nclause a {{ require {"(1 > 0 ? " * 100}true{" : false)" * 100} }}\n'
    source = Source("case.pact", text)
    pact, _ = parse(source)
    assert pact is not None

    def check_at(levels: int) -> set[str]:
        if levels:
            return check_at(levels - 1)
        return {d.code for d in check(pact, source)[1]}

    room = sys.getrecursionlimit() - len(inspect.stack())
    assert check_at(room - 200) == {"nested-too-deep"}
    assert check_at(10) == {"always-true"}
