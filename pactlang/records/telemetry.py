"""What other people's conventions say, as data of the standard record.

In: a value found under a wire name, as Python data.  Out: data for the field, or None if it says
nothing.  `TRANSFORMS` holds the functions under the names that `standard.WIRES` uses.

Messages come in three shapes, all read alike: OpenTelemetry's (`role`, `parts`), the providers' own
(`role`, `content`, `tool_calls`) and OpenInference's (`message.role`, `message.contents`, ...).
Attributes of a span cannot hold objects, so any of them may arrive as JSON text.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from pactlang.records.wire import Misfit, expected, plain

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXT_PARTS = ("text", "input_text", "output_text")

# gen_ai.operation.name; an operation not listed is "other".
OPERATIONS = {
    "chat": "chat",
    "text_completion": "chat",
    "generate_content": "chat",
    "execute_tool": "tool",
    "embeddings": "embedding",
    "retrieval": "retrieval",
    "create_agent": "agent",
    "invoke_agent": "agent",
    "invoke_workflow": "agent",
}

# openinference.span.kind
SPAN_KINDS = {
    "LLM": "chat",
    "TOOL": "tool",
    "EMBEDDING": "embedding",
    "RETRIEVER": "retrieval",
    "AGENT": "agent",
}


def parsed(data: Any) -> Any:
    """The data that JSON text stands for; anything else, and text that is not JSON, as it is."""
    if type(data) is not str:
        return data
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return data


def _one_of(table: dict[str, str]) -> Callable[[Any], str]:
    return lambda data: table.get(data, "other") if isinstance(data, str) else "other"


def _first(data: Any) -> Any:
    data = parsed(plain(data))
    if type(data) is list:
        return data[0] if data else None
    return data


def _text(data: Any) -> Any:
    """Text as it is; other data as its JSON."""
    data = plain(data)
    if type(data) in (dict, list, int, float, bool):
        return msgspec.json.encode(data).decode("utf-8")
    return data


def _moment(data: Any) -> Any:
    """`start_time` is a name that others use for numbers too: only a text or a datetime is a time."""
    data = plain(data)
    return None if type(data) in (int, float, bool, dict, list) else data


def _nanoseconds(data: Any) -> datetime:
    """OTLP counts nanoseconds since 1970 and, in JSON, writes them as digits in a string."""
    data = plain(data)
    if type(data) is str and data.isascii() and data.isdigit() and len(data) <= 20:
        data = int(data)
    if type(data) is not int:
        raise expected("a count of nanoseconds", data)
    try:
        return _EPOCH + timedelta(microseconds=(data + 500) // 1_000)
    except OverflowError:
        raise Misfit("a timestamp outside the years 1 to 9999") from None


# --- Messages ---------------------------------------------------------------------------------


def messages(data: Any) -> list[dict[str, Any]]:
    """Messages of any shape as data of `list(Message)`."""
    data = parsed(plain(data))
    if type(data) is dict:
        data = [data]
    if type(data) is not list:
        raise expected("list of messages", data)
    return [_message(item, index) for index, item in enumerate(data)]


def _message(data: Any, index: int) -> dict[str, Any]:
    data = _object(data, f"[{index}]")
    data = _object(data.get("message", data), f"[{index}]")
    parts = [_object(part, f"[{index}]") for part in _items(data.get("parts"))]
    calls = [part for part in parts if part.get("type") == "tool_call"] + _items(data.get("tool_calls"))
    return {
        "role": data.get("role"),
        "content": _content(data, parts),
        "tool_calls": [_tool_call(call, f"[{index}]") for call in calls],
    }


def _object(data: Any, step: str) -> dict[str, Any]:
    data = plain(data)
    if type(data) is not dict:
        raise expected("object", data).at(step)
    return data


def _items(data: Any) -> list[Any]:
    data = plain(data)
    return data if type(data) is list else []


def _content(data: dict[str, Any], parts: list[dict[str, Any]]) -> str | None:
    """The text parts, one per line; null where there is none."""
    content = plain(data.get("content"))
    if type(content) is str:
        return content
    texts = [_part_text(part) for part in [*parts, *_items(content), *_items(data.get("contents"))]]
    found = [text for text in texts if text is not None]
    return "\n".join(found) if found else None


def _part_text(part: Any) -> str | None:
    part = plain(part)
    if type(part) is not dict:
        return part if type(part) is str else None
    part = plain(part.get("message_content", part))
    if type(part) is not dict or part.get("type") not in (None, *_TEXT_PARTS):
        return None
    found = plain(part.get("text", part.get("content")))
    return found if type(found) is str else None


def _tool_call(data: Any, step: str) -> dict[str, Any]:
    """A tool call of any shape: `arguments` beside the name, under `function`, or under `tool_call`."""
    data = _object(data, step)
    data = _object(data.get("tool_call", data), step)
    function = _object(data.get("function", data), step)
    arguments = next((function[key] for key in ("arguments", "args", "input") if key in function), None)
    return {"id": data.get("id"), "name": function.get("name"), "args": parsed(plain(arguments))}


def asked_text(data: Any) -> str | None:
    """The text of the last message of the user."""
    asked = [message["content"] for message in messages(data) if message["role"] == "user"]
    return next((text for text in reversed(asked) if text is not None), None)


def answer_text(data: Any) -> str | None:
    """The text of the answer: of several choices, the first."""
    answers = messages(data)
    return answers[0]["content"] if answers else None


def answer_tool_calls(data: Any) -> list[dict[str, Any]]:
    """The tool calls that the answer asked for: of several choices, the first's."""
    answers = messages(data)
    return answers[0]["tool_calls"] if answers else []


TRANSFORMS: dict[str, Callable[[Any], Any]] = {
    "operation": _one_of(OPERATIONS),
    "span_kind": _one_of(SPAN_KINDS),
    "first": _first,
    "text": _text,
    "json": lambda data: parsed(plain(data)),
    "moment": _moment,
    "nanoseconds": _nanoseconds,
    "failed": lambda data: False,
    "finished": lambda data: True,
    "messages": messages,
    "asked_text": asked_text,
    "answer_text": answer_text,
    "tool_calls": answer_tool_calls,
}
