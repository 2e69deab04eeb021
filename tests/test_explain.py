"""Evidence and drawings: the golden cases of `corpus/explain`, and what holds for every record."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from unicodedata import bidirectional, category

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pactlang import ir
from pactlang.check import check
from pactlang.evaluate import judge
from pactlang.explain import Evidence, Match, evidence, explain, explain_data, explain_scope, scope_data
from pactlang.explain.show import cells
from pactlang.opcodes import Outcome
from pactlang.parse import parse
from pactlang.records import Reader
from pactlang.source import Source
from pactlang.values import Duration

CORPUS = Path(__file__).parent / "corpus" / "explain"
CASE = re.compile(
    r"^== (?P<title>[^\n]*)\n-- pact --\n(?P<pact>.*?)-- record --\n(?P<record>.*?)-- story --\n"
    r"(?P<story>.*?)(?=^== |\Z)",
    re.M | re.S,
)
CASES = {
    f"{path.stem}: {case['title']}": (path, case)
    for path in sorted(CORPUS.glob("*.txt"))
    for case in CASE.finditer(path.read_text("utf-8"))
}

Row = list[Any]


@cache
def compiled(text: str) -> tuple[ir.Module, Reader, Source]:
    source = Source("case.pact", text)
    pact, found = parse(source)
    assert pact is not None, found
    module, found = check(pact, source)
    assert module is not None, found
    return module, Reader(module.schema), source


def checked(text: str, record: dict[str, Any]) -> tuple[ir.Module, Row, Source]:
    module, reader, source = compiled(text)
    return module, reader.values(reader.from_dict(record)), source


def story(text: str, record: str) -> str:
    module, row, source = checked(text, json.loads(record))
    return "\n\n".join(explain(module, clause, row, source) for clause in module.clauses) + "\n"


@pytest.mark.parametrize("name", CASES)
def test_golden(name: str, request: pytest.FixtureRequest) -> None:
    path, case = CASES[name]
    told = story(case["pact"], case["record"])
    if request.config.getoption("--update", default=False):
        text = path.read_text("utf-8")
        head = case.group()[: case.start("story") - case.start()]
        path.write_text(text.replace(case.group(), f"{head}{told}\n"), "utf-8")
    else:
        assert told.strip() == case["story"].strip()


def test_every_golden_file_has_cases() -> None:
    assert {path.stem for path in CORPUS.glob("*.txt")} == {name.partition(":")[0] for name in CASES}


# Evidence ------------------------------------------------------------------------------------

PACT = r"""
pact p "1.0.0"
let cap = 50.0
pattern card = r"\b(?:\d[ -]?){13,19}\b" check luhn
phrases spin = ["guaranteed returns"]
"""


def evidence_for(clause: str, record: dict[str, Any], with_source: bool = True) -> Evidence:
    module, row, source = checked(f"{PACT}clause c {{ {clause} }}", record)
    return evidence(module, module.clauses[0], row, source if with_source else None)


def test_evidence_names_what_decided_and_the_threshold() -> None:
    found = evidence_for("require args.amount <= cap", {"args": {"amount": 62.5}})
    assert found == Evidence({"args.amount": 62.5}, None, 50.0, "c: args.amount is 62.5, not <= 50.0 (cap)")


def test_evidence_without_the_source() -> None:
    found = evidence_for("require args.amount <= cap", {"args": {"amount": 62.5}}, with_source=False)
    assert found == Evidence({"args.amount": 62.5}, None, 50.0, "c: args.amount is 62.5, not <= 50.0")


@pytest.mark.parametrize(
    ("clause", "record", "message"),
    [
        ("require latency < 2s", {"latency": 2.5}, "latency is 2.5s, not < 2s"),
        ("require 2s > latency", {"latency": 2.5}, "latency is 2.5s, not < 2s"),
        ("never cost > 1.0", {"cost": 3}, "cost is 3.0, which is > 1.0"),
        ("require kind == 'chat'", {"kind": "tool"}, "kind is \"tool\", not 'chat'"),
        ("never tool == 'rm'", {"tool": "rm"}, 'tool is "rm"'),
        ("require tool in ['a', 'b']", {"tool": "rm"}, 'tool is "rm", not in ["a", "b"]'),
        ("require ok == true", {"ok": False}, "ok is false, not true"),
        ("require has(tool)", {}, "tool is missing"),
        ("never has(error)", {"error": "timeout"}, "error is present"),
        ("require args.a == args.b", {"args": {"a": 1, "b": 2}}, "args.a is 1, not args.b, which is 2"),
        ("require size(output) < 3", {"output": "abc"}, 'size(output) is 3, not < 3, where output is "abc"'),
        (
            "require output.startsWith('Dear')",
            {"output": "Yo"},
            'output is "Yo", which does not start with "Dear"',
        ),
        ("never output.contains('x')", {"output": "axe"}, 'output contains "x"'),
        ("never output.matches('a+')", {"output": "baa"}, 'output holds "aa" (a+) at 1-3'),
        ("require output.matches('^a')", {"output": "baa"}, "output does not match ^a"),
        ("require args.deep.x", {"args": {"deep": {"x": False}}}, "args.deep.x is false"),
        ("require args.list[1] == 1", {"args": {"list": [1, 2]}}, "args.list[1] is 2, not 1"),
        (
            "require tool_calls.all(t, has(t.ok))",
            {"tool_calls": [{"name": "n"}]},
            "in element 1 of tool_calls, t.ok is missing",
        ),
        ("require tool_calls.exists(t, has(t.ok))", {}, "tool_calls is empty"),
        (
            "require tool_calls.exists(t, t.name == 'x')",
            {"tool_calls": [{"name": "n"}]},
            "t.name == 'x' holds for no t in tool_calls, which is [{\"name\": \"n\"}]",
        ),
        ("require args.amount <= 5.0", {"args": {}}, "cannot be decided: no such key `amount` in `args`"),
        (
            "require size(args.list.filter(x, x > 1)) < 9",
            {"args": {"list": [1, 2, "x"]}},
            "cannot be decided: in element 3 of args.list, `>` cannot be used on string and int, where x is "
            '"x"',
        ),
        ("require args.amount <= 5.0", {}, "cannot be decided: no key `amount`: `args` is null"),
        (
            "require latency < 2s && args.x == 1",
            {"args": {"x": 1}},
            "cannot be decided: `latency` is null, and `<` cannot be used on null",
        ),
        ("when cost > 1.0 require ok == true", {"cost": 0}, "does not apply: cost is 0.0, not > 1.0"),
        ("require cost < 1.0 && ok == true", {"cost": 0.5, "ok": False}, "ok is false, not true"),
        (
            "require cost < 1.0 || ok == true || kind == 'chat'",
            {"cost": 1.5, "kind": "tool", "ok": False},
            "cost is 1.5, not < 1.0; ok is false, not true; and kind is \"tool\", not 'chat'",
        ),
        (
            "never cost > 1.0 && latency > 1s && ok == true && kind == 'chat' && has(tool) && has(error)",
            {"cost": 2, "latency": 2, "ok": True, "kind": "chat", "tool": "t", "error": "timeout"},
            'cost is 2.0, which is > 1.0; latency is 2s, which is > 1s; ok is true; kind is "chat"; and 2 more',
        ),
        (
            "require cost < 1.0 || kind == 'chat'",
            {"cost": 1.5, "kind": "tool"},
            "cost is 1.5, not < 1.0, and kind is \"tool\", not 'chat'",
        ),
    ],
)  # fmt: skip
def test_sentences(clause: str, record: dict[str, Any], message: str) -> None:
    assert evidence_for(clause, record).message == f"c: {message}"


CALL = {
    "args": {"amount": 62.5, "tags": ["a", "b"], "limits": {"eur": 50, "usd": 70}},
    "usage": {"input_tokens": 7000, "output_tokens": 2000},
    "messages": [{"role": "user"}, {"role": "system"}],
    "tool_calls": [{"name": "t"}] * 9,
}


@pytest.mark.parametrize(
    ("clause", "values", "threshold", "message"),
    [
        (
            "require args.?amount.orValue(0.0) <= cap",
            {"args.amount": 62.5}, 50.0, "args.amount is 62.5, not <= 50.0 (cap)",
        ),
        (
            "require args.?total.orValue(99.0) <= 50.0",
            {"args.total": None}, 50.0, "args.total is missing and counts as 99.0, not <= 50.0",
        ),
        (
            'require messages.all(i, m, i > 0 || m.role == "system")',
            {"i": 0, "m.role": "user"}, 0,
            'in element 1 of messages, i is 0, not > 0, and m.role is "user", not "system"',
        ),
        (
            "require cel.bind(total, usage.input_tokens + usage.output_tokens, total < 8000)",
            {"usage.input_tokens": 7000, "usage.output_tokens": 2000}, 8000,
            "total (usage.input_tokens + usage.output_tokens) is 9000, not < 8000, where usage.input_tokens is "
            "7000 and usage.output_tokens is 2000",
        ),
        (
            "never tool_calls.exists(i, t, i > 5)",
            {"i": 6}, 5, "in element 7 of tool_calls, i is 6, which is > 5",
        ),
        (
            'require args.?tags.orValue([]).all(t, t in ["a"])',
            {"t": "b"}, ["a"], 'in element 2 of args.tags, t is "b", not in ["a"]',
        ),
        (
            "require args.limits.all(k, v, v <= 60)",
            {"v": 70}, 60, 'in entry "usd" of args.limits, v is 70, not <= 60',
        ),
    ],
)  # fmt: skip
def test_evidence_of_what_is_new_in_cel(
    clause: str, values: dict[str, Any], threshold: Any, message: str
) -> None:
    assert evidence_for(clause, CALL) == Evidence(values, None, threshold, f"c: {message}")


def test_a_loop_too_long_to_be_retold_has_the_machines_outcome() -> None:
    clause = "never args.xs.all(x, args.xs.all(y, x + y >= 0))"
    module, row, source = checked(f"{PACT}clause c {{ {clause} }}", {"args": {"xs": list(range(400))}})
    drawn = explain(module, module.clauses[0], row, source, None, Outcome.VIOLATED)
    assert drawn == "c: violated\n  its loops are too long to be retold"
    data = explain_data(module, module.clauses[0], row, source, Outcome.VIOLATED)
    assert (data["outcome"], data["message"]) == (
        "violated",
        "c: violated; its loops are too long to be retold",
    )


def test_a_match_is_a_span_of_the_raw_text() -> None:
    output = "é: 4111 1111 1111 1111, guaran\u200bteed\n RETURNS"
    found = evidence_for("never output.matches(card)", {"output": output})
    assert found.matched == Match("output", 3, 22, "4111 1111 1111 1111", "card")
    found = evidence_for("never output.says(spin)", {"output": output})
    assert found.matched == Match("output", 24, 44, "guaran\u200bteed\n RETURNS", "spin")
    found = evidence_for("never output.endsWith('NS')", {"output": output})
    assert found.matched == Match("output", 42, 44, "NS", "NS")
    assert evidence_for("never output.matches(card)", {"output": "none"}).matched is None


def test_values_are_those_that_decided() -> None:
    record = {"latency": 1.0, "cost": 5.0, "tool_calls": [{"name": "a"}, {"name": "b", "ok": False}]}
    assert evidence_for("require latency < 2s && cost < 1.0", record).values == {"cost": 5.0}
    assert evidence_for("require cost < 1.0 && latency < 2s", record).values == {"cost": 5.0}
    both = {"latency": Duration(1), "cost": 5.0}
    assert evidence_for("never latency < 2s && cost > 1.0", record).values == both
    found = evidence_for(
        "require size(tool_calls) < 2 && tool_calls.all(t, t.ok != false && t.name != 'c')", record
    )
    assert found.values == {"tool_calls": [{"name": "a", "ok": None}, {"name": "b", "ok": False}]}
    assert found.threshold == 2


def test_a_drawing_is_as_wide_as_the_terminal() -> None:
    text = f"{PACT}clause c {{ never output.matches(card) || size(output) > 5 && output.contains('x') }}"
    module, row, source = checked(text, {"output": "word " * 50 + "4111 1111 1111 1111" + " word" * 50})
    for width in (60, 80, 120):
        lines = explain(module, module.clauses[0], row, source, width).splitlines()
        assert max(map(len, lines)) <= width
        assert any("4111" in line for line in lines)


def test_wide_characters_take_two_columns() -> None:
    text = f"{PACT}clause c {{ never output.matches('日本') || input == '日本語' }}"
    module, row, source = checked(text, {"input": "日本語" * 30, "output": "テキスト " * 40 + "日本"})
    for columns in (60, 80):
        lines = explain(module, module.clauses[0], row, source, columns).splitlines()
        assert max(map(cells, lines)) <= columns
    drawn = [line for line in explain(module, module.clauses[0], row, source).splitlines() if "true" in line]
    assert len({cells(line[: line.index("true")]) for line in drawn}) == 1


def test_the_scope_as_data() -> None:
    module, row, source = checked('pact p "1.0.0" applies when kind == "chat" clause c { require ok }',
                                  {"kind": "tool"})  # fmt: skip
    told = scope_data(module, row, source)
    assert told is not None
    assert (told["text"], told["value"], told["decides"]) == ('kind == "chat"', False, True)
    assert explain_data(module, module.clauses[0], row, source)["outcome"] == "outside"
    drawn = explain_scope(module, row, source).splitlines()
    assert drawn[:2] == ["outside the pact", '  the pact is not about this call: kind is "tool", not "chat"']
    module, row, source = checked(f"{PACT}clause c {{ require ok == true }}", {})
    assert scope_data(module, row, source) is None


# Every record --------------------------------------------------------------------------------

EVERY = r"""
pact p "1.0.0"
let big = args.amount > 5
pattern word = "[a-c]+"
phrases said = ["a b", "c"]
clause a { when !big || has(args.x) require args.list.all(x, x > 0 || string(x) == "a") }
clause b { never output.matches(word) && !output.says(said) || output.contains("\u001b") }
clause c { require tool in ["a", "b"] ? latency < 1s : size(input + output) <= 4 }
clause d { require tool_calls.map(t, t.name).exists(n, n == tool) && has(usage.input_tokens) }
clause e { require {"k": args.k}["k"] == [1, 2] && args[tool] != 2.5 && dyn(args.flag) }
clause f { require args.?amount.orValue(0.0) <= 5.0 && args.?list.optMap(l, size(l) < 2).orValue(true) }
clause g { require tool_calls.all(i, t, i > 0 || t.?name.orValue("") == tool) }
clause h { never cel.bind(n, size(input + output), n > 9 && args.all(k, v, k != "x" || v == n)) }
clause i { require size([?args.?k, ?usage.?input_tokens]) < 2 || args.transformMap(k, v, k > "k", [v]) == {} }
"""
DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=40),
    lambda inside: (
        st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(["x", "k", "\x1b"]), inside)
    ),
    max_leaves=5,
)
TEXT = st.text(
    st.sampled_from("abc \x1b[31m\n\u202e\u200b\x07é😀\u2028") | st.characters(codec="utf-8"), max_size=120
)
CALLS = st.fixed_dictionaries(
    {"input": TEXT, "output": TEXT},
    optional={
        "tool": st.sampled_from(["a", "x", "amount", "\x1b]0;x\x07"]),
        "latency": st.floats(0, 100),
        "args": st.dictionaries(st.sampled_from(["amount", "x", "list", "k", "flag", "a"]), DATA),
        "tool_calls": st.lists(st.fixed_dictionaries({"name": TEXT}), max_size=40),
    },
)


def moves_the_screen(char: str) -> bool:
    """A control character, a line separator, a lone surrogate, or a mark that reverses text."""
    return category(char) in ("Cc", "Zl", "Zp", "Cs") or bidirectional(char) in (
        "LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI",
    )  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(CALLS, st.booleans())
def test_every_record_has_a_story_that_is_safe_to_print(call: dict[str, Any], with_source: bool) -> None:
    module, row, source = checked(EVERY, call)
    for clause in module.clauses:
        given = source if with_source else None
        drawn = explain(module, clause, row, given)
        data = explain_data(module, clause, row, given)
        outcome = judge(clause, row, module).outcome.name.lower()
        assert drawn.startswith(f"{clause.name}: {outcome}\n")
        assert data["outcome"] == outcome
        assert json.loads(msgspec.json.encode(data))
        assert not [char for char in drawn.replace("\n", "") + data["message"] if moves_the_screen(char)]
        assert all(len(line) < 400 for line in drawn.splitlines())


def test_a_long_text_and_a_deep_value_are_cut() -> None:
    deep: Any = 1
    for _ in range(100):
        deep = {"k": [deep] * 2} if len(str(deep)) < 2000 else [deep]
    record = {
        "output": "a" * 1_000_000 + " 4111 1111 1111 1111 " + "b" * 1_000_000,
        "args": {"k": deep, "n": [1] * 99},
    }
    module, row, source = checked(
        f"{PACT}clause a {{ never output.matches(card) }} clause b {{ require args.k == args.n }}", record
    )
    for clause in module.clauses:
        assert len(explain(module, clause, row, source)) < 2_000
        assert len(msgspec.json.encode(explain_data(module, clause, row, source))) < 100_000
