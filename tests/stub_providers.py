"""A server on loopback that answers as OpenAI and Anthropic do: chat completions, responses, messages."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TEXT = ["Your order ", "LC-104233 ", "is on its way."]
ARGUMENTS = ['{"order": ', '"LC-104233", ', '"amount": 70}']
WHOLE = "".join(TEXT)
ASKED = json.loads("".join(ARGUMENTS))


def chat(model: str) -> dict[str, Any]:
    function = {"name": "issue_refund", "arguments": "".join(ARGUMENTS)}
    message = {
        "role": "assistant",
        "content": WHOLE,
        "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
    }
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": f"{model}-2026-01-01",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls", "logprobs": None}],
        "usage": {
            "prompt_tokens": 12,
            "completion_tokens": 7,
            "total_tokens": 19,
            "prompt_tokens_details": {"cached_tokens": 4},
            "completion_tokens_details": {"reasoning_tokens": 3},
        },
    }


def chat_chunks(model: str) -> Iterator[dict[str, Any]]:
    whole = chat(model)
    head = {**whole, "object": "chat.completion.chunk", "usage": None}

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    yield chunk({"role": "assistant", "content": ""})
    yield from (chunk({"content": text}) for text in TEXT)
    name = {
        "index": 0,
        "id": "call_1",
        "type": "function",
        "function": {"name": "issue_refund", "arguments": ""},
    }
    yield chunk({"tool_calls": [name]})
    for part in ARGUMENTS:
        yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": part}}]})
    yield chunk({}, "tool_calls")
    yield {**head, "choices": [], "usage": whole["usage"]}


def response(model: str) -> dict[str, Any]:
    said = {"type": "output_text", "text": WHOLE, "annotations": []}
    message = {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [said],
    }
    asked = {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "call_1",
        "name": "issue_refund",
        "arguments": "".join(ARGUMENTS),
        "status": "completed",
    }
    usage = {
        "input_tokens": 12,
        "output_tokens": 7,
        "total_tokens": 19,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 3},
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": f"{model}-2026-01-01",
        "output": [message, asked],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": usage,
        "error": None,
        "incomplete_details": None,
    }


def response_events(model: str) -> Iterator[dict[str, Any]]:
    whole = response(model)
    started = {**whole, "status": "in_progress", "output": [], "usage": None}
    yield {"type": "response.created", "sequence_number": 0, "response": started}
    for number, text in enumerate(TEXT, 1):
        place = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "logprobs": []}
        yield {"type": "response.output_text.delta", "sequence_number": number, "delta": text, **place}
    item = whole["output"][1]
    yield {"type": "response.output_item.done", "sequence_number": 8, "output_index": 1, "item": item}
    yield {"type": "response.completed", "sequence_number": 9, "response": whole}


def message(model: str) -> dict[str, Any]:
    asked = {"type": "tool_use", "id": "call_1", "name": "issue_refund", "input": ASKED}
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": f"{model}-2026-01-01",
        "content": [{"type": "text", "text": WHOLE}, asked],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": 7, "cache_read_input_tokens": 4},
    }


def message_events(model: str) -> Iterator[dict[str, Any]]:
    whole = message(model)
    begun = {**whole, "content": [], "stop_reason": None, "usage": {**whole["usage"], "output_tokens": 1}}
    yield {"type": "message_start", "message": begun}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    for text in TEXT:
        delta = {"type": "text_delta", "text": text}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    block = {"type": "tool_use", "id": "call_1", "name": "issue_refund", "input": {}}
    yield {"type": "content_block_start", "index": 1, "content_block": block}
    for part in ARGUMENTS:
        delta = {"type": "input_json_delta", "partial_json": part}
        yield {"type": "content_block_delta", "index": 1, "delta": delta}
    yield {"type": "content_block_stop", "index": 1}
    stop = {"stop_reason": "tool_use", "stop_sequence": None}
    yield {"type": "message_delta", "delta": stop, "usage": {"output_tokens": 7}}
    yield {"type": "message_stop"}


ROUTES = {
    "/v1/chat/completions": (chat, chat_chunks),
    "/v1/responses": (response, response_events),
    "/v1/messages": (message, message_events),
}


class Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        whole, pieces = ROUTES[self.path.split("?")[0]]
        if asked["model"] == "busy":
            self._reply(400, "application/json", b'{"error": {"message": "busy", "type": "busy"}}')
        elif asked.get("stream"):
            body = b"".join(self._event(each) for each in pieces(asked["model"]))
            self._reply(200, "text/event-stream", body + b"data: [DONE]\n\n" * ("messages" not in self.path))
        else:
            self._reply(200, "application/json", json.dumps(whole(asked["model"])).encode())

    def _event(self, data: dict[str, Any]) -> bytes:
        named = f"event: {data['type']}\n" if "type" in data else ""
        return f"{named}data: {json.dumps(data)}\n\n".encode()

    def _reply(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served() -> Iterator[str]:
    """The address of a running server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
