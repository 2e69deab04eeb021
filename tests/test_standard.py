"""The standard record: its table, and the names it has in OpenTelemetry's and OpenInference's data."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from pactlang.errors import RecordError
from pactlang.records import Reader
from pactlang.records.telemetry import TRANSFORMS
from pactlang.schema import DYN, STRING, Field, Record, Schema, Slot, record_of
from pactlang.standard import STANDARD, WIRES
from pactlang.values import Duration, Timestamp

READS = {record.name: tuple(f.name for f in record.fields) for record in STANDARD.values()}


def _slots() -> tuple[Slot, ...]:
    slots = []
    for field in STANDARD["Call"].fields:
        slots.append(Slot((field.name,), field.type))
        if field.name == "usage":
            base = len(slots) - 1
            slots += [Slot(("usage", f.name), f.type, base) for f in STANDARD["Usage"].fields]
    return tuple(slots)


READER = Reader(Schema("Call", tuple(STANDARD.values()), _slots(), READS))
UNLOADED = Reader(Schema("Call", tuple(STANDARD.values()), (), READS))


def call(data: dict[str, Any]) -> dict[str, Any]:
    """The fields of a call that are neither null nor their default, the same by JSON and by dict."""
    by_json, by_dict = READER.from_json(msgspec.json.encode(data)), READER.from_dict(data)
    found, again = _said(by_json), _said(by_dict)
    assert found == again
    return found


def _said(struct: msgspec.Struct) -> dict[str, Any]:
    values = dict(zip((s.name for s in READER.schema.slots), READER.values(struct), strict=True))
    empty = _nothing()
    return {k: _shown(v) for k, v in values.items() if k != "usage" and v != empty.get(k)}


def _nothing() -> dict[str, Any]:
    return dict(zip((s.name for s in READER.schema.slots), READER.values(READER.from_dict({})), strict=True))


def _shown(value: Any) -> Any:
    """Messages and tool calls as dicts of what they say."""
    if isinstance(value, list):
        return [_shown(item) for item in value]
    names = READS.get(type(value).__name__)
    if names is None:
        return value
    said = {name: _shown(READER.member(value, name)) for name in names}
    return {name: item for name, item in said.items() if item not in (None, [])}


def refused_at(data: dict[str, Any]) -> str:
    paths = set()
    for read, given in ((READER.from_json, msgspec.json.encode(data)), (READER.from_dict, data)):
        with pytest.raises(RecordError) as caught:
            READER.values(read(given))  # type: ignore[operator]
        paths.add(caught.value.path)
    assert len(paths) == 1
    return paths.pop()


def nested(flat: dict[str, Any]) -> dict[str, Any]:
    """The same data with every dot of a key made a level."""
    tree: dict[str, Any] = {}
    for key, value in flat.items():
        *heads, last = key.split(".")
        at = tree
        for head in heads:
            at = at.setdefault(head, {})
        at[last] = value
    return tree


# The table ------------------------------------------------------------------------------------

TABLE = """
id string? | session string? | agent string? | agent_version string? | seq int? | time timestamp?
kind enum("chat", "tool", "embedding", "retrieval", "agent", "other") = "other"
provider string? | model string? | response_model string? | input string = "" | output string = ""
messages list(Message)? | tool string? | args dyn? | ok bool? | tool_calls list(ToolCall) = []
latency duration(s)? | first_token duration(s)? | usage Usage | cost double? | finish string? | error string?
upstream map(string, dyn) = {} | labels map(string, dyn) = {} | attributes map(string, dyn) = {}
"""


def test_call_has_the_fields_of_the_language() -> None:
    rows = [row.strip() for line in TABLE.strip().splitlines() for row in line.split(" | ")]
    written = [
        f"{f.name} {f.type}" + (f" = {json.dumps(f.default)}" if f.has_default else "")
        for f in STANDARD["Call"].fields
    ]
    assert written == rows
    shapes = {name: [f"{f.name} {f.type}" for f in record.fields] for name, record in STANDARD.items()}
    assert shapes["Message"] == ["role string", "content string?", "tool_calls list(ToolCall)"]
    tool_call = ["id string?", "name string", "args dyn?", "ok bool?", "latency duration(s)?"]
    assert shapes["ToolCall"] == tool_call
    assert shapes["Usage"] == [f"{n}_tokens int?" for n in ("input", "output", "cached", "reasoning")]


def test_every_wire_name_leads_to_a_field_by_a_known_transform() -> None:
    for (name, *inner), wires in WIRES.items():
        field = STANDARD["Call"].field(name)
        assert field is not None
        assert not inner or STANDARD[field.type.name].field(inner[0])
        assert all(wire.transform in (*TRANSFORMS, "") for wire in wires)


# Plain names ----------------------------------------------------------------------------------


def test_an_empty_call() -> None:
    values = _nothing()
    assert (values["kind"], values["input"], values["tool_calls"], values["labels"]) == ("other", "", [], {})
    assert values["usage.input_tokens"] is None


def test_plain_names() -> None:
    data = {
        "id": "a", "session": "s", "seq": 3, "time": "2026-01-01T00:00:00Z", "kind": "tool", "tool": "refund",
        "args": {"amount": 1.5}, "ok": True, "latency": 1.5, "usage": {"input_tokens": 7}, "labels": {"x": 1},
    }  # fmt: skip
    said = call(data)
    assert said.pop("time") == Timestamp(1_767_225_600)
    assert said.pop("latency") == Duration(1, 500_000_000)
    assert said.pop("usage.input_tokens") == 7
    assert said == {key: data[key] for key in said}


def test_an_int_identity_is_read_as_its_digits() -> None:
    assert call({"id": 7, "session": -8}) == {"id": "7", "session": "-8"}
    for wrong in (7.0, True, 2**63, []):
        assert refused_at({"id": wrong}) == "$.id"


def test_a_defect_where_nothing_is_loaded_is_found() -> None:
    for data in ({"time": "yesterday"}, {"time": "2023-02-29T00:00:00Z"}, {"latency": 1e300}):
        with pytest.raises(RecordError):
            UNLOADED.from_json(msgspec.json.encode(data))
    assert UNLOADED.from_json(b'{"time":"2024-02-29T00:00:00Z","latency":1.5}')


# OpenTelemetry --------------------------------------------------------------------------------

OTEL = {
    "gen_ai.response.id": "resp-1",
    "gen_ai.conversation.id": "conv-1",
    "gen_ai.agent.id": "support",
    "gen_ai.agent.version": "2",
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-large",
    "gen_ai.response.model": "gpt-large-2026",
    "gen_ai.response.finish_reasons": ["tool_calls", "stop"],
    "gen_ai.client.operation.duration": 0.75,
    "gen_ai.response.time_to_first_chunk": 0.25,
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20,
    "gen_ai.usage.cache_read.input_tokens": 60,
    "gen_ai.usage.reasoning_tokens": 5,
    "gen_ai.usage.cost": 1,
    "gen_ai.input.messages": [
        {"role": "system", "parts": [{"type": "text", "content": "Be kind."}]},
        {"role": "user", "parts": [{"type": "text", "content": "First"}]},
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "c0", "name": "lookup", "arguments": {"q": 1}}],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c0", "response": "42"}]},
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "Refund"},
                {"type": "blob"},
                {"type": "text", "content": "me"},
            ],
        },
    ],
    "gen_ai.output.messages": [
        {
            "role": "assistant",
            "finish_reason": "tool_call",
            "parts": [
                {"type": "reasoning", "content": "hm"},
                {"type": "text", "content": "On it."},
                {"type": "tool_call", "id": "c1", "name": "refund", "arguments": '{"amount": 5}'},
            ],
        }
    ],
}

SAID = {
    "id": "resp-1",
    "session": "conv-1",
    "agent": "support",
    "agent_version": "2",
    "kind": "chat",
    "provider": "openai",
    "model": "gpt-large",
    "response_model": "gpt-large-2026",
    "finish": "tool_calls",
    "latency": Duration(0, 750_000_000),
    "first_token": Duration(0, 250_000_000),
    "usage.input_tokens": 100,
    "usage.output_tokens": 20,
    "usage.cached_tokens": 60,
    "usage.reasoning_tokens": 5,
    "cost": 1.0,
    "ok": True,
    "input": "Refund\nme",
    "output": "On it.",
    "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "First"},
        {"role": "assistant", "tool_calls": [{"id": "c0", "name": "lookup", "args": {"q": 1}}]},
        {"role": "tool"},
        {"role": "user", "content": "Refund\nme"},
    ],
    "tool_calls": [{"id": "c1", "name": "refund", "args": {"amount": 5}}],
}


def as_attributes(data: dict[str, Any]) -> dict[str, Any]:
    """As span attributes: no objects inside, so messages are JSON text."""
    return {key: json.dumps(value) if "messages" in key else value for key, value in data.items()}


def without(data: dict[str, Any], *parts: str) -> dict[str, Any]:
    return {key: value for key, value in data.items() if not any(part in key for part in parts)}


@pytest.mark.parametrize("data", [OTEL, as_attributes(OTEL)], ids=["objects", "attributes"])
def test_opentelemetry_flat(data: dict[str, Any]) -> None:
    assert call(data) == SAID


def test_opentelemetry_nested() -> None:
    assert call(nested(OTEL)) == SAID


def test_a_tool_span() -> None:
    data = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "refund",
        "gen_ai.tool.call.id": "c1",
        "gen_ai.tool.call.arguments": '{"amount": 5.0}',
        "gen_ai.tool.call.result": {"done": True},
        "error.type": "timeout",
    }
    said = {
        "id": "c1", "kind": "tool", "tool": "refund", "args": {"amount": 5.0}, "output": '{"done":true}',
        "ok": False, "error": "timeout",
    }  # fmt: skip
    assert call(data) == said
    assert call(nested(data)) == said


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("chat", "chat"), ("text_completion", "chat"), ("generate_content", "chat"), ("execute_tool", "tool"),
        ("embeddings", "embedding"), ("retrieval", "retrieval"), ("create_agent", "agent"),
        ("invoke_agent", "agent"), ("something_new", None), (5, None),
    ],
)  # fmt: skip
def test_operations(operation: Any, kind: str | None) -> None:
    assert call({"gen_ai.operation.name": operation}).get("kind") == kind


def test_the_plain_name_always_wins() -> None:
    assert call({**OTEL, "model": "mine", "gen_ai.response.id": 5.5, "id": "x"})["model"] == "mine"
    said = call({**OTEL, "usage": {"output_tokens": 1}, "output": "", "ok": False})
    assert (said["usage.output_tokens"], said["usage.input_tokens"]) == (1, 100)
    assert "output" not in said
    assert said["ok"] is False
    assert call({**OTEL, "model": None})["model"] == "gpt-large"


def test_names_are_tried_in_order() -> None:
    assert call({"gen_ai.system": "old", "gen_ai.provider.name": "new"}) == {"provider": "new"}
    assert call({"gen_ai.system": "old", "gen_ai.provider.name": None}) == {"provider": "old"}
    assert call({"gen_ai.usage.prompt_tokens": 3}) == {"usage.input_tokens": 3}


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("gen_ai.usage.input_tokens", "5"),
        ("gen_ai.usage.input_tokens", 5.0),
        ("gen_ai.client.operation.duration", "1s"),
        ("gen_ai.request.model", 5),
        ("gen_ai.usage.cost", "free"),
        ("gen_ai.input.messages", 5),
        ("gen_ai.input.messages", "no JSON"),
        ("start_time_unix_nano", "soon"),
        ("start_time_unix_nano", 10**30),
        ("error.type", 5),
    ],
)
def test_a_wrong_value_is_refused_under_its_own_name(key: str, wrong: Any) -> None:
    assert refused_at({key: wrong}) == "$." + key
    if "." in key:
        assert refused_at(nested({key: wrong})) == "$." + key


def test_times_of_spans() -> None:
    moment = {"time": Timestamp(1_767_225_600, 1_000)}
    assert call({"start_time": "2026-01-01T00:00:00.000001Z"}) == moment
    assert call({"start_time_unix_nano": 1_767_225_600_000_000_500}) == moment
    assert call({"startTimeUnixNano": "1767225600000000500"}) == moment
    assert call({"start_time": 1_767_225_600}) == {}


# OpenInference --------------------------------------------------------------------------------

INFERENCE = {
    "openinference.span.kind": "LLM",
    "session.id": "s1",
    "llm.provider": "anthropic",
    "llm.model_name": "claude-deep",
    "llm.token_count.prompt": 100,
    "llm.token_count.completion": 20,
    "llm.token_count.prompt_details.cache_read": 60,
    "llm.cost.total": 0.5,
    "input.value": "ignored, since messages say more",
    "llm.input_messages.0.message.role": "system",
    "llm.input_messages.0.message.content": "Be kind.",
    "llm.input_messages.1.message.role": "user",
    "llm.input_messages.1.message.contents.0.message_content.type": "text",
    "llm.input_messages.1.message.contents.0.message_content.text": "Refund me",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "On it.",
    "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c1",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "refund",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"amount": 5}',
}

INFERRED = {
    "kind": "chat",
    "session": "s1",
    "provider": "anthropic",
    "model": "claude-deep",
    "usage.input_tokens": 100,
    "usage.output_tokens": 20,
    "usage.cached_tokens": 60,
    "cost": 0.5,
    "input": "Refund me",
    "output": "On it.",
    "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Refund me"}],
    "tool_calls": [{"id": "c1", "name": "refund", "args": {"amount": 5}}],
}


def test_openinference_flat() -> None:
    assert call(INFERENCE) == INFERRED


def test_openinference_nested() -> None:
    function = {"name": "refund", "arguments": {"amount": 5}}
    lists = {
        "llm.input_messages": [
            {"message": {"role": "system", "content": "Be kind."}},
            {"message": {"role": "user", "contents": [_content("Refund me")]}},
        ],
        "llm.output_messages": [
            {
                "message": {
                    "role": "assistant",
                    "content": "On it.",
                    "tool_calls": [{"tool_call": {"id": "c1", "function": function}}],
                }
            }
        ],
    }
    assert call(nested({**without(INFERENCE, "_messages."), **lists})) == INFERRED


def _content(text: str) -> dict[str, Any]:
    return {"message_content": {"type": "text", "text": text}}


def test_openinference_tool_span_nested_under_names_of_fields() -> None:
    data = {
        "openinference.span.kind": "TOOL", "tool.name": "refund", "tool.parameters": '{"amount": 5}',
        "input.value": "in", "output.value": "out", "session.id": 5, "agent.name": "a",
    }  # fmt: skip
    said = {
        "kind": "tool", "tool": "refund", "args": {"amount": 5}, "input": "in", "output": "out",
        "session": "5", "agent": "a",
    }  # fmt: skip
    assert call(data) == said
    assert call(nested(data)) == said
    assert refused_at({"tool": {"title": "x"}}) == "$.tool"


# Other records --------------------------------------------------------------------------------


def test_a_call_may_be_extended_and_nested() -> None:
    extended = Record("Call", (*STANDARD["Call"].fields, Field("tier", STRING.optional)))
    trace = Record("Trace", (Field("first", record_of("Call")), Field("rest", DYN)))
    reads = {"Trace": ("first",), "Call": ("model", "tier", "id")}
    reader = Reader(Schema("Trace", (trace, extended, *list(STANDARD.values())[1:]), (), reads))
    data = {"first": {"gen_ai.request.model": "m", "tier": "gold", "gen_ai": {"response": {"id": 5}}}}
    for struct in (reader.from_json(msgspec.json.encode(data)), reader.from_dict(data)):
        first = struct.f0  # type: ignore[attr-defined]
        assert [reader.member(first, name) for name in reads["Call"]] == ["m", "gold", "5"]


def test_an_own_record_has_only_its_own_names() -> None:
    own = Record("Mine", (Field("model", STRING.optional), Field("id", STRING.optional)))
    reader = Reader(Schema("Mine", (own,), (Slot(("model",), STRING.optional),), {"Mine": ("model", "id")}))
    assert reader.values(reader.from_json(b'{"gen_ai.request.model":"m"}')) == [None]
    with pytest.raises(RecordError):
        reader.from_dict({"id": 5})
