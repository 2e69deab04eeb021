"""A drafted pact compiles, reads every record that it was drafted from, and says what was seen."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pactlang
from pactlang.infer import draft, learn

TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["2026-01-01T00:00:00Z", "2026-01-01 00:00", "1.5s", "a", "b", "x" * 200, "2026-13-01T00:00:00Z"]
    ),
)
NUMBERS = st.one_of(
    st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.just(1_774_000_000_123)
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
KEYS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        ["id", "call_id", "session", "time", "ts", "latency_ms", "latency", "type", "import", "output", "in",
         "a.b", "a", "kind", "tool", "gen_ai.request.model", "user-id", "userId", "user_id", "ok", "error", "cost", "turn", "index", "args",
         "tool_input", "amount"]
    ),
)  # fmt: skip
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=10,
)
RECORDS = st.lists(st.dictionaries(KEYS, DATA, max_size=6), min_size=1, max_size=6)


def unread(text: str, records: list[Any]) -> list[str]:
    lines = b"\n".join(json.dumps(record).encode() for record in records)
    batch = pactlang.Evaluator(pactlang.compile(text)).check_lines(lines)
    return [f"{found.json_path}: {found.reason}" for found in batch.undecodable]


def reading_all(text: str) -> str:
    """The pact with a clause that reads every field of its record."""
    record = pactlang.compile(text).schema.record("Entry")
    asked = [f"has(call.`{field.name}`)" for field in record.fields]
    return text + f"\nclause reads_all {{ require {' || '.join(asked) or 'true'} }}\n"


@settings(max_examples=400, deadline=None)
@given(RECORDS)
def test_a_draft_reads_every_record_it_was_drafted_from(records: list[dict[str, Any]]) -> None:
    shape = learn(records)
    if not shape.members:
        with pytest.raises(ValueError, match="no record"):
            draft(shape, "p")
        return
    assert unread(reading_all(draft(shape, "p", standard=False)), records) == []
    draft_of_calls = draft(shape, "p", standard=True)
    pactlang.compile(draft_of_calls)


def drafted(records: list[dict[str, Any]]) -> dict[str, str]:
    """Name -> type of the root's fields, with the name in the data behind an `@`."""
    program = pactlang.compile(draft(learn(records), "p", standard=False))
    return {f.name: f"{f.type}" + (f" @{f.names[0]}" if f.names[0] != f.name else "") for f in program.module.schema.record("Entry").fields}  # fmt: skip


@pytest.mark.parametrize(
    ("key", "values", "expected"),
    [
        ("latency_ms", [1, 2.5], ("latency", "duration(ms) @latency_ms")),
        ("took_seconds", [1, 2], ("took", "duration(s) @took_seconds")),
        ("items", [1, 2], ("items", "int")),
        ("created_at", [1_774_000_000, 1_774_000_001], ("time", "timestamp(s) @created_at")),
        ("ended", [1_774_000_000_000], ("ended", "timestamp(ms)")),
        ("ended", [3], ("ended", "int")),
        ("when", ["2026-01-01T00:00:00+02:00"], ("when_value", "timestamp @when")),
        ("seen", ["2026-01-01T00:00:00"], ("seen", "string")),
        ("wait", ["1.5s", "2m"], ("wait", "duration")),
        ("score", [1, 2.5], ("score", "double")),
        ("big", [2**63], ("big", "double")),
        ("mixed", [1, "a"], ("mixed", "dyn")),
        ("maybe", [None, "a"], ("maybe", "string?")),
        ("flag", [True, False], ("flag", "bool")),
        ("tags", [["a"], []], ("tags", "list(string)")),
        ("holes", [["a", None]], ("holes", "list(dyn)")),
        ("ID", ["2026-01-01T00:00:00Z"], ("id", "string @ID")),
        ("session_id", ["1s", "2s"], ("session", "string @session_id")),
        ("id", [2**63], ("id_2", "double @id")),
        ("requestId", ["a", "b"], ("id", "string @requestId")),
        ("conversation-id", ["a", "a"], ("session", "string @conversation-id")),
        ("user", [{"name": "ann"}, {"name": "bob"}], ("user", "User")),
        ("call", [{"a": 1}], ("call_value", "Call2 @call")),
        ("odd \u202e", [1], ("odd", "int @odd \u202e")),
        ("byId", [{"a1": 1}, {"b2": 2}, {"c3": 3}, {"d4": 4}, {"e5": 5}, {"f6": 6}], ("by_id", "dyn @byId")),
    ],
)
def test_types_units_and_names(key: str, values: list[Any], expected: tuple[str, str]) -> None:
    assert drafted([{key: value} for value in values]) == dict([expected])


def clauses(records: list[dict[str, Any]], standard: bool | None = None) -> dict[str, str]:
    program = pactlang.compile(draft(learn(records), "p", standard))
    text = program.source.text
    return {c.name: text[slice(*c.promise_span)] for c in program.module.clauses}


def test_nothing_of_a_log_turns_the_text_of_a_draft() -> None:
    text = draft(learn([{"a\u202eb": "x", "kind": "\u2066y"}] * 20), "p", standard=False)
    assert all(sign.isprintable() or sign == "\n" for sign in text)


def test_a_record_of_very_many_keys_is_read_by_the_first_of_them() -> None:
    records = [{f"key{n}": n for n in range(5_000)}, {f"key{n}": n for n in range(0, 5_000, 2)}]
    text = draft(learn(records), "p", standard=False)
    assert unread(reading_all(text), records) == []
    assert re.search(r"key199: +int\?\n", text)
    assert re.search(r"key198: +int\n", text)


def test_promises_come_from_what_was_seen() -> None:
    records = [
        {"model": "abc"[n % 3], "latency_ms": 100 + n, "cost": n / 100, "output": "hi", "error": None, "n": n}
        for n in range(50)
    ]
    records[7]["error"] = "timeout"
    assert clauses(records, False) == {
        "no_card_in_output": "never output.matches(card)",
        "no_failures": "never has(error)",
        "quick_latency": "require latency <= 150ms",
        "bounded_cost": "require cost <= 0.49",
        "known_model": 'require model in ["a", "b", "c"]',
    }


def test_values_that_do_not_come_again_are_not_listed() -> None:
    assert "known_model" not in clauses([{"model": f"m{n}", "output": ""} for n in range(50)], False)


def test_the_names_of_the_standard_record_are_known() -> None:
    calls = [{"gen_ai.request.model": "a", "gen_ai.usage.input_tokens": 5, "team": "x"} for _ in range(25)]
    program = pactlang.compile(draft(learn(calls), "p"))
    assert program.schema.root == "Call"
    assert str(program.module.schema.record("Call").field("team").type) == "string?"  # type: ignore[union-attr]
    assert clauses(calls)["bounded_usage_input_tokens"] == "require usage.input_tokens <= 5"


@pytest.mark.parametrize(
    "path",
    ["agentdojo/calls", "agentdojo/sessions", "taubench/airline_gpt4o_calls", "pydantic_ai_cassettes/calls"],
)
def test_real_logs(path: str, shared: Path) -> None:
    with gzip.open(shared / f"data/traces/{path}.jsonl.gz") as file:
        records = [json.loads(line) for line in file]
    assert unread(reading_all(draft(learn(records), "p", standard=False)), records) == []


def test_a_shape_is_bounded() -> None:
    shape = learn({f"key{n}": n for n in range(k * 50, k * 50 + 50)} for k in range(100))
    assert shape.open
    assert list(shape.members) == [f"key{n}" for n in range(200)]
    nested = learn({"a": {f"key{n}": n}} for n in range(300)).members["a"]
    assert nested.open
    assert not nested.members
    deep: Any = 1
    for _ in range(500):
        deep = {"a": deep}
    assert unread(reading_all(draft(learn([deep]), "p", standard=False)), [deep]) == []


def test_names_that_a_reader_of_the_log_knows_again() -> None:
    records = [{"conversation": f"c{n % 3}", "duration_ms": 448.4 + n} for n in range(30)]
    text = draft(learn(records), "shop")
    assert 'session: string as "conversation"' in text
    assert "duration_ms: duration(ms)" in text


# What tools are given -------------------------------------------------------------------------------


def called(tool: str, args: Any, times: int = 6) -> list[dict[str, Any]]:
    return [{"tool_name": tool, "tool_input": args} for _ in range(times)]


def bounded(records: list[dict[str, Any]], standard: bool | None = False) -> dict[str, str]:
    return {name: text for name, text in clauses(records, standard).items() if name.startswith("bounded_")}


def test_numbers_that_a_tool_is_given_are_bounded() -> None:
    records = [*called("refund", {"id": "a", "amount": 3.1}), *called("refund", {"id": "b", "amount": 371})]
    records += called("lookup", {"id": "c"})
    assert bounded(records) == {"bounded_refund_amount": "require tool_input.amount <= 380.0"}
    text = draft(learn(records), "p", standard=False)
    assert 'when tool_name == "refund" && has(tool_input.amount)' in text
    rows = [{"tool_name": tool, "tool_input": {"id": "c", "amount": 999}} for tool in ("lookup", "refund")]
    evaluator = pactlang.Evaluator(pactlang.compile(text))
    broken = [[found.clause for found in evaluator.check(row).violations] for row in rows]
    assert broken == [[], ["bounded_refund_amount"]]


@pytest.mark.parametrize(
    "args",
    [
        {"order": 5}, {"amount": -3}, {"amount": 0}, {"amount": 10**30}, {"amount": "5"}, {"amount": None}, {},
        {"\u91d1\u984d": 5}, {"other": 7}, {"amount_id": 7}, 5, "text", [1], None,
    ],
)  # fmt: skip
def test_what_is_no_amount_is_not_bounded(args: Any) -> None:
    records = [*called("refund", args), *called("\u9001\u91d1", {"x": "y"})]
    assert bounded(records) == {}
    assert unread(reading_all(draft(learn(records), "p", standard=False)), records) == []


def test_ids_and_moments_are_no_quantities_and_other_numbers_need_many() -> None:
    records = [
        {
            "tool": "t",
            "args": {"ref": 5, "ticket": 70_000 + n, "made": 1_774_000_000 + n, "level": n % 7, "code_2": n},
        }
        for n in range(30)
    ]
    assert bounded(records) == {"bounded_t_level": "require args.level <= 6"}


def test_the_arguments_that_are_given_most_often_come_first() -> None:
    records = [{"tool": f"t{n}", "args": {"amount": n + 1}} for n in range(9) for _ in range(5 + n)]
    assert list(bounded(records)) == [f"bounded_t{n}_amount" for n in (8, 7, 6, 5)]


def test_arguments_of_any_shape_are_asked_for_before_they_are_read() -> None:
    records = [*called("refund", {"amount": 5}), *called("say", "hello")]
    assert bounded(records) == {"bounded_refund_amount": "require tool_input.amount <= 5"}
    evaluator = pactlang.Evaluator(pactlang.compile(draft(learn(records), "p", standard=False)))
    assert all(evaluator.check(record).ok for record in [*records, {"tool_name": "refund", "tool_input": {}}])


def test_arguments_of_the_standard_record() -> None:
    records = [{"gen_ai.tool.name": "refund", "gen_ai.tool.call.arguments": '{"amount": 80}'}] * 6
    assert bounded(records, None) == {"bounded_refund_amount": "require args.amount <= 80"}


# The number of a call in its session ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("turns", "name"),
    [
        ("a0 b0 a1 b1 a2", "seq"), ("a0 b0", "turn"), ("a0 a2", "turn"), ("a1 a2", "turn"), ("a1 a0", "turn"),
        ("a0 a0", "turn"), ("a0 a1 b1", "turn"),
    ],
)  # fmt: skip
def test_turns_without_a_gap_are_the_order_of_a_session(turns: str, name: str) -> None:
    records = [{"chat_id": turn[0], "turn": int(turn[1])} for turn in turns.split()]
    as_key = " @turn" if name == "seq" else ""
    assert drafted(records) == {"session": "string @chat_id", name: f"int{as_key}"}
    assert "seq" not in drafted([*records, {"chat_id": "a"}])
    assert "seq" not in drafted([*records, {"turn": 0}])
    assert "seq" not in drafted([{"turn": record["turn"]} for record in records])


# Words of CEL ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ({"tokens": {"in": 1, "out": 2}}, ["input_tokens", "output_tokens"]),
        ({"usage": {"in": 1, "input_tokens": 2}}, ["in_value", "input_tokens"]),
        ({"disk": {"in": 1, "out": 2}}, ["input", "out"]),
        ({"disk": {"in": 1, "input": 2}}, ["in_value", "input"]),
    ],
)
def test_in_has_a_name_that_says_what_it_is(data: dict[str, Any], names: list[str]) -> None:
    program = pactlang.compile(draft(learn([data]), "p", standard=False))
    (inner,) = [
        record for record in program.module.schema.records if record.name in ("Tokens", "Usage", "Disk")
    ]
    assert [field.name for field in inner.fields] == names
    assert inner.fields[0].names[0] == "in"


def test_a_key_that_stands_twice_is_left_out() -> None:
    records = [{"a": {"b": 5}}, {"a.b": [1]}]
    assert unread(reading_all(draft(learn(records), "p", standard=False)), records) == []
