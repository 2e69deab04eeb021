"""What a function was asked, put into a call: messages, the last user text, the model.

In: a `Call` and a request: a text, a list of messages, or the keyword arguments of a provider's SDK
as a dict.  Out: the call's fields.  Any other data is read as its JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pactlang.guard.answers import arguments, as_text, get, plain, text_of
from pactlang.guard.call import Call, Message, ToolCall


def read_request(call: Call, request: Any) -> None:
    """Put a request into the call.  Raises Unreadable."""
    if type(request) is str:
        call.input = request
    elif request is None:
        pass
    elif isinstance(request, (list, tuple)) and request and all(get(each, "role") for each in request):
        _read_messages(call, request)
    elif isinstance(request, Mapping) and (
        "messages" in request or "input" in request or "prompt" in request
    ):
        _read_keywords(call, request)
    elif isinstance(request, (bytes, bytearray)):
        call.input = bytes(request).decode("utf-8", "surrogateescape")
    else:
        call.input = as_text(request)


def _read_keywords(call: Call, request: Mapping[str, Any]) -> None:
    """The arguments of chat completions, responses and messages alike."""
    model = request.get("model")
    call.model = call.model or (model if isinstance(model, str) else None)
    asked = request.get("messages")
    asked = request.get("input", request.get("prompt")) if asked is None else asked
    read_request(call, None if isinstance(asked, Mapping) else asked)
    instructions = text_of(request.get("system")) or text_of(request.get("instructions"))
    if instructions is not None:
        call.messages = [Message("system", instructions), *(call.messages or [Message("user", call.input)])]


def _read_messages(call: Call, messages: Any) -> None:
    call.messages = [_message(each) for each in messages]
    for message in reversed(call.messages):
        if message.role == "user" and message.content is not None:
            call.input = message.content
            break


def _message(data: Any) -> Message:
    content = get(data, "content")
    asked = [_tool_call(each, "function") for each in get(data, "tool_calls") or ()]
    if isinstance(content, (list, tuple)):
        asked += [_tool_call(part, "") for part in content if get(part, "type") == "tool_use"]
    return Message(str(get(data, "role")), _content(content), asked)


def _content(content: Any) -> str | None:
    """The texts of a message, those that a tool gave back among them."""
    if not isinstance(content, (list, tuple)):
        return text_of(content)
    texts = (text_of(get(part, "content")) or text_of([part]) for part in content)
    found = [text for text in texts if text is not None]
    return "\n".join(found) if found else None


def _tool_call(data: Any, within: str) -> ToolCall:
    function = get(data, within) or data
    args = get(function, "arguments")
    args = plain(get(function, "input")) if args is None else arguments(args)
    id_ = get(data, "id")
    return ToolCall(str(get(function, "name")), args, id_ if isinstance(id_, str) else None)
