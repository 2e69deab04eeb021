"""What a function returned, put into a call: text, tool calls, tokens, model, finish, id.

In: a `Call` and a response.  Out: the call's fields.

The responses of OpenAI's chat completions and responses and of Anthropic's messages are known by
their shape, as dicts or as objects, so no SDK is imported.  Data of any other shape is read as its
JSON; what is neither is an `Unreadable`, never an empty answer that would pass every clause.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from pactlang.errors import RecordError
from pactlang.guard.call import Call, ToolCall

MANY = 10_000  # members that `bulk` looks at before it calls data large


class Unreadable(RecordError):
    """A request or a response that is no data."""


def get(data: Any, name: str) -> Any:
    """A member of a dict or of an object; None if it has none."""
    return data.get(name) if isinstance(data, dict) else getattr(data, name, None)


def read_answer(call: Call, response: Any) -> None:
    """Put a response into the call.  Raises Unreadable."""
    if type(response) is str:
        call.output = response
    elif response is None or read_shape(call, response):
        pass
    elif isinstance(response, (bytes, bytearray, memoryview)):
        call.output = bytes(response).decode("utf-8", "surrogateescape")
    else:
        call.output = as_text(response)


def read_shape(call: Call, response: Any) -> bool:
    """Put a response of a known shape into the call; False if it has none of them."""
    if _is_list(choices := get(response, "choices")):
        _read_choices(call, response, choices)
    elif get(response, "object") == "response" and _is_list(items := get(response, "output")):
        _read_items(call, response, items)
    elif get(response, "type") == "message" and _is_list(blocks := get(response, "content")):
        _read_blocks(call, response, blocks)
    else:
        return False
    return True


def _is_list(data: Any) -> bool:
    return isinstance(data, (list, tuple))


# OpenAI: chat completions ---------------------------------------------------------------------------


def _read_choices(call: Call, response: Any, choices: Any) -> None:
    texts: list[str] = []
    for choice in choices:
        look = dict.get if isinstance(choice, dict) else getattr
        message = look(choice, "message", None)
        if message is None:
            said = look(choice, "text", None)
        else:
            said, asked = _said(message)
            if asked:
                call.tool_calls += [_function(each) for each in asked]
        texts += [said] if isinstance(said, str) else _texts(said)
        call.finish = call.finish or _text(look(choice, "finish_reason", None))
    call.output = texts[0] if len(texts) == 1 else "\n".join(texts)
    read_head(call, response)


def _said(message: Any) -> tuple[Any, Any]:
    """Content or refusal, and tool calls.  `dict.get` and `getattr` are called alike."""
    look = dict.get if isinstance(message, dict) else getattr
    content = look(message, "content", None)
    return content or look(message, "refusal", None), look(message, "tool_calls", None)


def _function(asked: Any) -> ToolCall:
    function = get(asked, "function") or get(asked, "custom") or asked
    args = get(function, "arguments")
    args = get(function, "input") if args is None else args
    return ToolCall(str(get(function, "name")), arguments(args), _text(get(asked, "id")))


def arguments(text: Any) -> Any:
    """The data of a tool call's arguments, which come as JSON text; a text that is not JSON as it is."""
    if not isinstance(text, str):
        return plain(text)
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return text


# OpenAI: responses ----------------------------------------------------------------------------------


def _read_items(call: Call, response: Any, items: Any) -> None:
    texts: list[str] = []
    for item in items:
        match get(item, "type"):
            case "message":
                texts += _texts(get(item, "content"))
            case "function_call" | "custom_tool_call":
                call.tool_calls.append(_item_call(item))
    call.output = "\n".join(texts)
    reason = get(get(response, "incomplete_details"), "reason")
    call.finish = _text(reason) or _text(get(response, "status"))
    if (error := get(response, "error")) is not None:
        call.ok, call.error = False, _text(get(error, "code")) or "error"
    read_head(call, response)


def _item_call(item: Any) -> ToolCall:
    args = get(item, "arguments")
    args = get(item, "input") if args is None else args
    return ToolCall(str(get(item, "name")), arguments(args), _text(get(item, "call_id")))


# Anthropic: messages --------------------------------------------------------------------------------


def _read_blocks(call: Call, response: Any, blocks: Any) -> None:
    call.output = "\n".join(_texts(blocks))
    call.tool_calls += [
        ToolCall(str(get(block, "name")), plain(get(block, "input")), _text(get(block, "id")))
        for block in blocks
        if get(block, "type") == "tool_use"
    ]
    call.finish = _text(get(response, "stop_reason"))
    read_head(call, response)


# What they share ------------------------------------------------------------------------------------


def read_head(call: Call, response: Any) -> None:
    """id, model and usage."""
    look = dict.get if isinstance(response, dict) else getattr
    call.id = call.id or _text(look(response, "id", None))
    call.response_model = _text(look(response, "model", None)) or call.response_model
    if (usage := look(response, "usage", None)) is not None:
        read_usage(call, usage)


def read_usage(call: Call, usage: Any) -> None:
    """Tokens under the names of either provider; what is not there stays as it is."""
    to, look = call.usage, dict.get if isinstance(usage, dict) else getattr
    if type(asked := look(usage, "prompt_tokens", None)) is int:
        told, before = look(usage, "completion_tokens", None), look(usage, "prompt_tokens_details", None)
        after = look(usage, "completion_tokens_details", None)
        cached = None
    else:
        asked, told = look(usage, "input_tokens", None), look(usage, "output_tokens", None)
        before, after = get(usage, "input_tokens_details"), get(usage, "output_tokens_details")
        cached = look(usage, "cache_read_input_tokens", None)
    cached = cached if before is None else get(before, "cached_tokens")
    reasoning = None if after is None else get(after, "reasoning_tokens")
    to.input_tokens = asked if type(asked) is int else to.input_tokens
    to.output_tokens = told if type(told) is int else to.output_tokens
    to.cached_tokens = cached if type(cached) is int else to.cached_tokens
    to.reasoning_tokens = reasoning if type(reasoning) is int else to.reasoning_tokens


def _text(data: Any) -> str | None:
    return data if isinstance(data, str) else None


def _texts(content: Any) -> list[str]:
    """The texts of a content: itself, or those of its parts; a refusal is a text too."""
    if isinstance(content, str):
        return [content]
    if not isinstance(content, (list, tuple)):
        return []
    found = (part if isinstance(part, str) else get(part, "text") or get(part, "refusal") for part in content)
    return [text for text in found if isinstance(text, str)]


def text_of(content: Any) -> str | None:
    """A message's content as one text, a line per part; None if it has none."""
    texts = _texts(content)
    return "\n".join(texts) if texts else None


# Any other data -------------------------------------------------------------------------------------


def plain(data: Any) -> Any:
    """Data as JSON has it: objects of any library as dicts."""
    try:
        return msgspec.to_builtins(data, enc_hook=_dumped)
    except (TypeError, ValueError, NotImplementedError, RecursionError):
        raise _no_data(data) from None


def as_text(data: Any) -> str:
    """The JSON text of any data.  Raises Unreadable."""
    try:
        return msgspec.json.encode(data, enc_hook=_dumped).decode()
    except (TypeError, ValueError, NotImplementedError, RecursionError):
        raise _no_data(data) from None


def _no_data(data: Any) -> Unreadable:
    return Unreadable(f"a {type(data).__name__} is no data: give `extract` a function that reads it")


def _dumped(data: Any) -> Any:
    """An object of a library of data classes, pydantic's above all, as its data."""
    dump = getattr(data, "model_dump", None)
    if dump is None:
        raise NotImplementedError(type(data).__name__)
    return dump(mode="json")


def bulk(data: Any, bound: int) -> int:
    """Characters in data, or some number beyond `bound` as soon as that is sure."""
    total, left, stack = 0, MANY, [data]
    while stack and total <= bound:
        each = stack.pop()
        if isinstance(each, (str, bytes, bytearray)):
            total += len(each)
        elif isinstance(each, Mapping):
            left -= len(each)
            stack += [*each.keys(), *each.values()] if left > 0 else ()
        elif isinstance(each, (list, tuple)):
            left -= len(each)
            stack += each if left > 0 else ()
        total = bound + 1 if left <= 0 else total
    return total
