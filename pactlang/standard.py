"""The standard record `Call`, and the names its fields have in other people's data.

In: nothing.  Out: `STANDARD`, the records as data, and `WIRES`, where a field of `Call` is found when
the data does not use its own name.

The plain field name always wins.  After it the names of a field are tried in the order of the table
and the first that holds something other than null is taken.  Sources: OpenTelemetry's semantic
conventions for generative AI (`gen_ai.*`, old names of attributes included) and OpenInference's
(`llm.*`, `session.id`, ...).  Both put dots into keys, some exporters make nested objects of them:
both are read.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from pactlang.schema import (
    BOOL,
    DOUBLE,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    Field,
    Record,
    Type,
    list_of,
    map_of,
    record_of,
)

KINDS = ("chat", "tool", "embedding", "retrieval", "agent", "other")

_SECONDS = Type("duration", unit="s", nullable=True)


def _with(name: str, type_: Type, default: Any) -> Field:
    return Field(name, type_, has_default=True, default=default)


_CALL = (
    Field("id", STRING.optional),
    Field("session", STRING.optional),
    Field("agent", STRING.optional),
    Field("agent_version", STRING.optional),
    Field("seq", INT.optional),
    Field("time", TIMESTAMP.optional),
    _with("kind", Type("string", values=KINDS), "other"),
    Field("provider", STRING.optional),
    Field("model", STRING.optional),
    Field("response_model", STRING.optional),
    _with("input", STRING, ""),
    _with("output", STRING, ""),
    Field("messages", list_of(record_of("Message")).optional),
    Field("tool", STRING.optional),
    Field("args", DYN.optional),
    Field("ok", BOOL.optional),
    _with("tool_calls", list_of(record_of("ToolCall")), []),
    Field("latency", _SECONDS),
    Field("first_token", _SECONDS),
    Field("usage", record_of("Usage")),
    Field("cost", DOUBLE.optional),
    Field("finish", STRING.optional),
    Field("error", STRING.optional),
    _with("upstream", map_of(STRING, DYN), {}),
    _with("labels", map_of(STRING, DYN), {}),
    _with("attributes", map_of(STRING, DYN), {}),
)

_MESSAGE = (
    Field("role", STRING),
    Field("content", STRING.optional),
    _with("tool_calls", list_of(record_of("ToolCall")), []),
)

_TOOL_CALL = (
    Field("id", STRING.optional),
    Field("name", STRING),
    Field("args", DYN.optional),
    Field("ok", BOOL.optional),
    Field("latency", _SECONDS),
)

_USAGE = tuple(
    Field(name, INT.optional)
    for name in ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")
)

STANDARD: dict[str, Record] = {
    "Call": Record("Call", _CALL),
    "Message": Record("Message", _MESSAGE),
    "ToolCall": Record("ToolCall", _TOOL_CALL),
    "Usage": Record("Usage", _USAGE),
}

# Units of time by the last word of a name, as in `duration_ms`.
ENDINGS = {
    "ms": "ms", "millis": "ms", "milliseconds": "ms", "us": "us", "micros": "us", "microseconds": "us",
    "ns": "ns", "nanos": "ns", "nanoseconds": "ns", "s": "s", "sec": "s", "secs": "s", "seconds": "s",
}  # fmt: skip

# Fields of `Call` that may hold an int in the data; it is read as its decimal digits, so 7 and "7"
# are one session.
TEXT_OR_INT = ("id", "session")


class Wire(Struct, frozen=True):
    """One name of a field in the data.

    key: dotted; tried as one key, then as nesting.  transform: the function of `telemetry` that turns
    the value found into data of the field, "" for none.  indexed: the value may also be spread over
    keys `KEY.0.message.role`, as OpenInference does.
    """

    key: str
    transform: str = ""
    indexed: bool = False


_ASKED = (
    Wire("gen_ai.input.messages"),
    Wire("llm.input_messages", indexed=True),
)
_ANSWERED = (
    Wire("gen_ai.output.messages"),
    Wire("llm.output_messages", indexed=True),
)


def _each(wires: tuple[Wire, ...], transform: str) -> tuple[Wire, ...]:
    return tuple(Wire(wire.key, transform, wire.indexed) for wire in wires)


def _names(*keys: str) -> tuple[Wire, ...]:
    return tuple(map(Wire, keys))


WIRES: dict[tuple[str, ...], tuple[Wire, ...]] = {
    ("id",): _names("gen_ai.response.id", "gen_ai.tool.call.id"),
    ("session",): _names("gen_ai.conversation.id", "session.id"),
    ("agent",): _names("gen_ai.agent.id", "gen_ai.agent.name", "agent.name"),
    ("agent_version",): _names("gen_ai.agent.version"),
    ("time",): (
        Wire("start_time", "moment"),
        Wire("start_time_unix_nano", "nanoseconds"),
        Wire("startTimeUnixNano", "nanoseconds"),
    ),
    ("kind",): (Wire("gen_ai.operation.name", "operation"), Wire("openinference.span.kind", "span_kind")),
    ("provider",): _names("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"),
    ("model",): _names("gen_ai.request.model", "llm.model_name", "embedding.model_name"),
    ("response_model",): _names("gen_ai.response.model"),
    ("input",): (*_each(_ASKED, "asked_text"), Wire("input.value", "text")),
    ("output",): (
        *_each(_ANSWERED, "answer_text"),
        Wire("gen_ai.tool.call.result", "text"),
        Wire("output.value", "text"),
    ),
    ("messages",): _each(_ASKED, "messages"),
    ("tool",): _names("gen_ai.tool.name", "tool.name"),
    ("args",): (Wire("gen_ai.tool.call.arguments", "json"), Wire("tool.parameters", "json")),
    ("ok",): (Wire("error.type", "failed"), Wire("gen_ai.operation.name", "finished")),
    ("tool_calls",): _each(_ANSWERED, "tool_calls"),
    ("latency",): _names("gen_ai.client.operation.duration"),
    ("first_token",): _names("gen_ai.response.time_to_first_chunk"),
    ("usage", "input_tokens"): _names(
        "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"
    ),
    ("usage", "output_tokens"): _names(
        "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion"
    ),
    ("usage", "cached_tokens"): _names(
        "gen_ai.usage.cached_tokens",
        "gen_ai.usage.cache_read.input_tokens",
        "llm.token_count.prompt_details.cache_read",
    ),
    ("usage", "reasoning_tokens"): _names(
        "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.reasoning.output_tokens",
        "llm.token_count.completion_details.reasoning",
    ),
    ("cost",): _names("gen_ai.usage.cost", "llm.cost.total"),
    ("finish",): (Wire("gen_ai.response.finish_reasons", "first"),),
    ("error",): _names("error.type"),
}
