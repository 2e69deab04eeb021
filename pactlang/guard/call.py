"""The standard record `Call` as classes, ready to be judged and to be written.

In: nothing.  Out: `Call` and what it holds, a class with the fields that a pact adds, the time and
the JSON of a call.

A field that is not set is not written, and reads as null or its default.  So a call that is decoded
from its JSON gets the verdict that the object got.
"""

from __future__ import annotations

import json
import time
from typing import Any, Literal, cast

import msgspec
from msgspec import Struct

from pactlang.schema import Field, Schema
from pactlang.standard import STANDARD

Kind = Literal["chat", "tool", "embedding", "retrieval", "agent", "other"]


class Usage(Struct, omit_defaults=True):
    """Tokens."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class ToolCall(Struct, omit_defaults=True):
    """A tool that an answer asked for."""

    name: str
    args: Any = None
    id: str | None = None
    ok: bool | None = None
    latency: float | None = None  # seconds


class Message(Struct, omit_defaults=True):
    """One message of a request."""

    role: str
    content: str | None = None
    tool_calls: list[ToolCall] = []


class Call(Struct, omit_defaults=True, kw_only=True):
    """One LLM or tool call.  Times in seconds, `time` as RFC 3339, `cost` in USD."""

    id: str | None = None
    session: str | None = None
    agent: str | None = None
    agent_version: str | None = None
    seq: int | None = None
    time: str | None = None
    kind: Kind = "other"
    provider: str | None = None
    model: str | None = None
    response_model: str | None = None
    input: str = ""
    output: str = ""
    messages: list[Message] | None = None
    tool: str | None = None
    args: Any = None
    ok: bool | None = None
    tool_calls: list[ToolCall] = []
    latency: float | None = None
    first_token: float | None = None
    usage: Usage = msgspec.field(default_factory=Usage)
    cost: float | None = None
    finish: str | None = None
    error: str | None = None
    upstream: dict[str, Any] = {}
    labels: dict[str, Any] = {}
    attributes: dict[str, Any] = {}


_HINTS: dict[str, Any] = {"bool": bool, "int": int, "double": float, "string": str}


def call_class(schema: Schema) -> type[Call]:
    """`Call`, with the fields that the pact's `extend Call` adds; each is None until it is set."""
    known = STANDARD["Call"]
    added = [field for field in schema.record(schema.root).fields if known.field(field.name) is None]
    if not added:
        return Call
    fields = [(field.name, _hint(field) | None, None) for field in added]
    wires = {field.name: field.names[0] for field in added if field.names[0] != field.name}
    form = msgspec.defstruct(
        "Call", fields, bases=(Call,), kw_only=True, omit_defaults=True, rename=wires or None
    )
    return cast(type[Call], form)


def _hint(field: Field) -> Any:
    return Any if field.type.values or field.type.unit else _HINTS.get(field.type.kind, Any)


# Time -----------------------------------------------------------------------------------------------

_second = (-1, "")  # the last whole second and its text: calls come many to a second


def moment(nanos: int) -> str:
    """RFC 3339 in UTC, to the microsecond, of nanoseconds since 1970."""
    global _second
    micros = nanos // 1000
    whole = micros // 1_000_000
    known, text = _second
    if known != whole:
        text = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(whole))
        _second = (whole, text)
    return text + str(micros % 1_000_000 + 1_000_000)[1:] + "Z"


# JSON -----------------------------------------------------------------------------------------------

_encode = msgspec.json.Encoder().encode


def encoded(call: Any) -> bytes:
    """The call's JSON.  Lone surrogates become escapes, and so stay what they are: undecodable."""
    try:
        return _encode(call)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(call)).encode()
