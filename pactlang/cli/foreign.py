"""Calls in another program's form, as records in the names of `Call`.

In: the JSON data of one line or document.  Out: the calls it holds, or None if it is a record already.

Known are OpenTelemetry's JSON export (OTLP: `resourceSpans`), the spans that its Python SDK prints, and
pairs of a request to OpenAI or Anthropic and its response.  No pact about `Call` could read anything of
these as they stand, so opening them changes no verdict that meant something.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from pactlang.errors import RecordError

MARKS = (b"esourceSpans", b"esource_spans", b'"span_id"', b'"response"')  # one is in whatever is opened
FAILED = (2, "2", "ERROR", "STATUS_CODE_ERROR")  # a span's status code
NANOS = 1_000_000_000
DEEPEST = 50  # levels of nested values in an attribute
RESPONSES = ("choices", "output", "content")  # what a provider's response has, one or the other

Record = dict[str, Any]


def opened(data: Any) -> list[Record] | None:
    """The calls in one line's data; None where it is a record of calls already, or of something else."""
    if type(data) is not dict:
        return None
    spans = data.get("resourceSpans", data.get("resource_spans"))
    if type(spans) is list:
        return [_otlp(span) for span in _spans(spans)]
    if _is_printed_span(data):
        return [_printed(data)]
    request, response = _bodies(data)
    if type(request) is dict and type(response) is dict and any(key in response for key in RESPONSES):
        return _pair(request, response, data)
    return None


# OpenTelemetry -------------------------------------------------------------------------------------


def _objects(data: Any) -> Iterator[Record]:
    return (each for each in (data if type(data) is list else ()) if type(each) is dict)


def _spans(resources: Any) -> Iterator[Record]:
    for resource in _objects(resources):
        for key in ("scopeSpans", "scope_spans", "instrumentationLibrarySpans"):
            for scope in _objects(resource.get(key)):
                yield from _objects(scope.get("spans"))


def _otlp(span: Record) -> Record:
    """A span of the protocol: attributes are lists of keys and typed values, times counts of nanoseconds."""
    found = _attributes(span)
    for event in _objects(span.get("events")):  # some instrumentations put the messages into events
        found = {**{k: v for k, v in _attributes(event).items() if k.startswith("gen_ai.")}, **found}
    start = _count(_either(span, "startTimeUnixNano", "start_time_unix_nano"))
    end = _count(_either(span, "endTimeUnixNano", "end_time_unix_nano"))
    if start is not None:
        found["start_time_unix_nano"] = start
        if end is not None and end >= start:
            found.setdefault("latency", (end - start) / NANOS)
    return _finished(found, span, _either(span, "spanId", "span_id"), _either(span, "traceId", "trace_id"))


def _is_printed_span(data: Record) -> bool:
    context = data.get("context")
    return type(context) is dict and "span_id" in context and type(data.get("attributes")) is dict


def _printed(span: Record) -> Record:
    """A span as the Python SDK's console exporter prints it: plain attributes, times as texts."""
    found = dict(span["attributes"])
    if type(start := span.get("start_time")) is str:
        found["start_time"] = start
        if (latency := _seconds_between(start, span.get("end_time"))) is not None:
            found.setdefault("latency", latency)
    return _finished(found, span, span["context"]["span_id"], span["context"].get("trace_id"))


def _finished(found: Record, span: Record, id_: Any, trace: Any) -> Record:
    """What a span says of itself beside its attributes, where those do not say it."""
    for key, value in (("span_id", id_), ("trace_id", trace), ("span_name", span.get("name"))):
        if type(value) is str:
            found.setdefault(key, value)
    if not any(found.get(key) for key in ("id", "gen_ai.response.id", "gen_ai.tool.call.id")):
        found["id"] = found.get("span_id")
    status = span.get("status")
    if type(status) is dict and _either(status, "code", "status_code") in FAILED:
        found.setdefault("error.type", _either(status, "message", "description") or "error")
    return found


def _attributes(holder: Record) -> Record:
    pairs = ((each.get("key"), each.get("value")) for each in _objects(holder.get("attributes")))
    return {key: _value(value, 0) for key, value in pairs if type(key) is str}


def _value(value: Any, depth: int) -> Any:
    """OTLP's AnyValue as plain data; None where it is none."""
    if type(value) is not dict or depth > DEEPEST:
        return None
    for key, held in value.items():
        match key.replace("_v", "V"):
            case "stringValue" | "doubleValue" | "boolValue" | "bytesValue":
                return held
            case "intValue":  # a text where the exporter follows the protocol's JSON form
                return _count(held)
            case "arrayValue":
                return [_value(each, depth + 1) for each in _objects(_values(held))]
            case "kvlistValue":
                pairs = ((each.get("key"), each.get("value")) for each in _objects(_values(held)))
                return {str(name): _value(each, depth + 1) for name, each in pairs}
    return None


def _values(held: Any) -> Any:
    return held.get("values") if type(held) is dict else None


def _count(data: Any) -> int | None:
    if type(data) is str and len(data) <= 20 and data.removeprefix("-").isdecimal() and data.isascii():
        return int(data)
    return data if type(data) is int else None


def _either(data: Mapping[str, Any], one: str, other: str) -> Any:
    return data.get(one, data.get(other))


def _seconds_between(start: str, end: Any) -> float | None:
    from datetime import datetime

    try:
        seconds = (datetime.fromisoformat(str(end)) - datetime.fromisoformat(start)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return seconds if seconds >= 0 else None


# Requests and responses ----------------------------------------------------------------------------


def _bodies(data: Record) -> tuple[Any, Any]:
    """The bodies of a request and of its response, without what a recorder or a batch put around them."""
    return _body(data.get("request", data.get("kwargs"))), _body(data.get("response"))


def _body(data: Any) -> Any:
    return data["body"] if type(data) is dict and "body" in data else data


def _pair(request: Record, response: Record, line: Record) -> list[Record] | None:
    from pactlang.guard.answers import read_answer
    from pactlang.guard.call import Call
    from pactlang.guard.requests import read_request

    call = Call(kind="chat")
    try:
        read_request(call, request)
        read_answer(call, response)
        record: Record = msgspec.json.decode(msgspec.json.encode(call))
    except (RecordError, msgspec.MsgspecError, UnicodeError, AttributeError, TypeError, RecursionError):
        return None
    beside = {key: value for key, value in line.items() if key not in ("request", "response", "kwargs")}
    return [{**beside, **record}]


# Lines ---------------------------------------------------------------------------------------------


def is_suspect(data: bytes) -> bool:
    """Whether some line of these bytes may hold calls in another form."""
    return any(mark in data for mark in MARKS)


def opened_line(line: bytes) -> list[bytes] | None:
    """The calls of one line as lines, None if it stays as it is."""
    if not is_suspect(line):
        return None
    try:
        found = opened(msgspec.json.decode(line))
        return None if found is None else [msgspec.json.encode(record) for record in found]
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError):
        return None
