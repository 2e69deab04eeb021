"""A streamed answer, put together piece by piece as it passes.

In: the chunks of a stream: texts, bytes, or the events of OpenAI's and Anthropic's SDKs.  Out: the
fields of a `Call`, as the whole response would have given them.

Chunks are folded when they pass, so the end of a long stream costs no more than joining its text,
and nobody can change a chunk after it was seen.
"""

from __future__ import annotations

from typing import Any

from pactlang.guard.answers import (
    Unreadable,
    arguments,
    get,
    plain,
    read_answer,
    read_head,
    read_shape,
    read_usage,
)
from pactlang.guard.call import Call, ToolCall

# Events that say nothing that a call holds; those of Anthropic's own stream helper among them.
SILENT = ("response.", "message_", "content_block_", "ping", "text", "input_json", "thinking", "signature")


class Asked:
    """A tool call while its arguments arrive."""

    def __init__(self) -> None:
        self.id: str | None = None
        self.name = ""
        self.args: Any = None
        self.json: list[str] = []

    def finished(self) -> ToolCall:
        args = arguments("".join(self.json)) if any(self.json) else self.args
        return ToolCall(self.name, args, self.id)


class Chunks:
    """Everything of a stream so far; `into` puts it into a call."""

    def __init__(self) -> None:
        self.texts: dict[Any, list[str]] = {}
        self.data: list[bytes] = []
        self.asked: dict[Any, Asked] = {}
        self.head = Call()  # collects id, model, usage and finish
        self.whole: Any = None
        self.stranger = ""

    def add(self, chunk: Any) -> None:
        """Take in one chunk.  It raises nothing: what cannot be read is reported by `into`."""
        if type(chunk) is str:
            self._say(0, chunk)
        elif isinstance(chunk, (bytes, bytearray)):
            self.data.append(bytes(chunk))
        elif isinstance(choices := get(chunk, "choices"), (list, tuple)):
            self._add_choices(chunk, choices)
        elif isinstance(kind := get(chunk, "type"), str):
            self._add_event(kind, chunk)
        elif chunk is not None:
            self.stranger = self.stranger or type(chunk).__name__

    def _say(self, place: Any, text: Any) -> None:
        if isinstance(text, str):
            self.texts.setdefault(place, []).append(text)

    # OpenAI: chat completions

    def _add_choices(self, chunk: Any, choices: Any) -> None:
        read_head(self.head, chunk)
        for choice in choices:
            place = get(choice, "index") or 0
            delta = get(choice, "delta")
            self._say(place, get(choice, "text") if delta is None else get(delta, "content"))
            self._say(place, get(delta, "refusal"))
            for part in get(delta, "tool_calls") or ():
                self._add_function((place, get(part, "index")), part)
            self.head.finish = self.head.finish or get(choice, "finish_reason")

    def _add_function(self, place: Any, part: Any) -> None:
        asked = self.asked.setdefault(place, Asked())
        function = get(part, "function")
        asked.id = asked.id or get(part, "id")
        asked.name += get(function, "name") or ""
        asked.json.append(get(function, "arguments") or "")

    # Events: OpenAI's responses, Anthropic's messages

    def _add_event(self, kind: str, event: Any) -> None:
        match kind:
            case "response.output_text.delta" | "response.refusal.delta":
                self._say((get(event, "output_index"), get(event, "content_index")), get(event, "delta"))
            case "response.output_item.done":
                self._add_item(get(event, "output_index"), get(event, "item"))
            case "response.completed" | "response.incomplete" | "response.failed":
                self.whole = get(event, "response")
            case "message_start":
                read_head(self.head, get(event, "message"))
            case "content_block_start":
                self._add_block(get(event, "index"), get(event, "content_block"))
            case "content_block_delta":
                self._add_delta(get(event, "index"), get(event, "delta"))
            case "message_delta":
                self.head.finish = get(get(event, "delta"), "stop_reason") or self.head.finish
                read_usage(self.head, get(event, "usage"))
            case _:
                self._pass_over(kind)

    def _pass_over(self, kind: str) -> None:
        if not kind.startswith(SILENT):
            self.stranger = self.stranger or kind

    def _add_item(self, place: Any, item: Any) -> None:
        if get(item, "type") == "function_call":
            asked = self.asked.setdefault(place, Asked())
            asked.id, asked.name = get(item, "call_id"), str(get(item, "name"))
            asked.json = [get(item, "arguments") or ""]

    def _add_block(self, place: Any, block: Any) -> None:
        if get(block, "type") == "tool_use":
            asked = self.asked.setdefault(place, Asked())
            asked.id, asked.name, asked.args = get(block, "id"), str(get(block, "name")), get(block, "input")
        self._say(place, get(block, "text") or None)

    def _add_delta(self, place: Any, delta: Any) -> None:
        self._say(place, get(delta, "text"))
        if isinstance(part := get(delta, "partial_json"), str) and place in self.asked:
            self.asked[place].json.append(part)

    # The end

    def weight(self) -> int:
        """Characters so far."""
        return sum(len(text) for texts in self.texts.values() for text in texts) + sum(map(len, self.data))

    def into(self, call: Call) -> None:
        """Put the stream into a call.  Raises Unreadable if a chunk was of no known shape."""
        if self.stranger:
            raise Unreadable(f"a stream of {self.stranger}: give `extract` a function that reads its chunks")
        if self.whole is not None and read_shape(call, self.whole):
            return
        if self.data:
            read_answer(call, b"".join(self.data))
            return
        call.output = "\n".join("".join(texts) for texts in self.texts.values())
        call.tool_calls = [asked.finished() for asked in self.asked.values()]
        for asked in call.tool_calls:
            asked.args = plain(asked.args)
        head = self.head
        call.id, call.response_model = call.id or head.id, head.response_model
        call.usage, call.finish = head.usage, head.finish
