"""`pactc init`: what it writes compiles, runs and says what to do; what it may not do it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_tools import LOG, Pactc, pactc

import pactlang
from pactlang.cli import exits
from pactlang.cli.init import TEMPLATES

__all__ = ["pactc"]
TEMPLATE_FILES = Path(pactlang.__file__).parent / "templates"


def test_every_template_is_offered() -> None:
    assert sorted(TEMPLATES) == sorted(path.stem for path in TEMPLATE_FILES.glob("*.pact"))


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_template_passes_its_own_tests(kind: str, pactc: Pactc) -> None:
    made = pactc("init", "--template", kind, "-o", "mine.pact", "--name", "mine")
    assert made.code == exits.FINE
    assert "pactc test mine.pact" in made.out
    assert pactlang.load(pactc.folder / "mine.pact").name == "mine"
    assert pactc("test", "mine.pact").code == exits.FINE
    assert pactc("fmt", "--check", "mine.pact").code == exits.FINE


def test_nothing_is_overwritten_unasked(pactc: Pactc) -> None:
    pactc.write("support.pact", "mine")
    refused = pactc("init")
    assert refused.code == exits.UNABLE
    assert "--force" in refused.err
    assert (pactc.folder / "support.pact").read_text("utf-8") == "mine"
    assert pactc("init", "--force").code == exits.FINE


@pytest.mark.parametrize(
    "arguments",
    [("--template", "support", "--from", "log.jsonl"), ("--name", "a b"), ("--template", "none")],
)
def test_wrong_usage(arguments: tuple[str, ...], pactc: Pactc) -> None:
    assert pactc("init", *arguments).code == exits.UNABLE


def drafted(pactc: Pactc, log: bytes, name: str = "some-log.jsonl") -> Any:
    """The report of the pact that is drafted from a log, on that log."""
    pactc.write(name, log)
    made = pactc("init", "--from", name, "-o", "first.pact", "--force")
    assert made.code == exits.FINE, made.err
    found = pactc("run", "first.pact", name, "--format", "json")
    assert found.code == exits.FINE, found.err
    return found.data


def test_a_log_of_any_shape(pactc: Pactc) -> None:
    report = drafted(pactc, LOG)
    assert report["undecodable"] == 0
    assert report["calls"] == len(LOG.splitlines())
    assert pactlang.load(pactc.folder / "first.pact").name == "some_log"


def test_a_log_is_never_overwritten_and_its_name_can_be_pasted(pactc: Pactc) -> None:
    pactc.write("my log.jsonl", LOG)
    made = pactc("init", "--from", "my log.jsonl", "-o", "my log.jsonl", "--force")
    assert made.code == exits.UNABLE
    assert (pactc.folder / "my log.jsonl").read_bytes() == LOG
    assert "`pactc run my_log.pact 'my log.jsonl'`" in pactc("init", "--from", "my log.jsonl").out


def test_a_log_of_very_many_keys(pactc: Pactc) -> None:
    pactc.write("wide.jsonl", json.dumps({f"key{n}": n for n in range(500)}).encode())
    made = pactc("init", "--from", "wide.jsonl", "-o", "first.pact")
    assert made.code == exits.FINE
    assert "the first 200" in made.out
    assert pactc("run", "first.pact", "wide.jsonl").code == exits.FINE


def test_lines_that_are_no_records_are_told_of(pactc: Pactc) -> None:
    pactc.write("mixed.jsonl", LOG + b"[1]\nnot json\n\n")
    made = pactc("init", "--from", "mixed.jsonl", "-o", "-")
    assert made.code == exits.FINE
    assert made.out.startswith("pact mixed ")
    assert "2 lines" in made.err


@pytest.mark.parametrize(
    "log", [b"", b"\n\n", b"nothing\n", b"[]", b"{}", b"[1, 2]", b"\xff\xfe", b'{"": 1}']
)
def test_a_log_without_a_record(log: bytes, pactc: Pactc) -> None:
    pactc.write("empty.jsonl", log)
    made = pactc("init", "--from", "empty.jsonl", "-o", "first.pact")
    if made.code == exits.FINE:
        assert pactc("check", "first.pact").code == exits.FINE
    else:
        assert made.code == exits.UNABLE
        assert not (pactc.folder / "first.pact").exists()


def test_names_of_call_with_other_values_make_a_record_of_their_own(pactc: Pactc) -> None:
    lines = [{"kind": "llm", "tool": None, "output": "x", "model": "m"} for _ in range(3)]
    drafted(pactc, b"\n".join(json.dumps(line).encode() for line in lines))
    assert pactlang.load(pactc.folder / "first.pact").schema.root == "Entry"


# Calls in another program's form ------------------------------------------------------------------


def attribute(key: str, **value: Any) -> dict[str, Any]:
    return {"key": key, "value": value}


SPANS = [
    {
        "traceId": "t1", "spanId": "s1", "name": "chat", "status": {},
        "startTimeUnixNano": "1774000000000000000", "endTimeUnixNano": "1774000001500000000",
        "attributes": [
            attribute("gen_ai.operation.name", stringValue="chat"),
            attribute("gen_ai.usage.input_tokens", intValue="120"),
            attribute("gen_ai.usage.cost", doubleValue=0.25),
            attribute("gen_ai.response.finish_reasons", arrayValue={"values": [{"stringValue": "stop"}]}),
        ],
        "events": [{"attributes": [attribute("gen_ai.output.messages", stringValue='[{"role": "assistant", "content": "hello"}]')]}],
    },
    {
        "traceId": "t1", "spanId": "s2", "name": "tool", "status": {"code": 2, "message": "boom"},
        "startTimeUnixNano": 1774000002000000000, "endTimeUnixNano": 1774000002000000000,
        "attributes": [
            attribute("gen_ai.operation.name", stringValue="execute_tool"),
            attribute("gen_ai.tool.name", stringValue="refund"),
            attribute("gen_ai.tool.call.arguments", kvlistValue={"values": [attribute("amount", intValue=80)]}),
        ],
    },
]  # fmt: skip
OTLP = json.dumps(
    {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": SPANS}]}]}
).encode()
PRINTED = {
    "name": "chat", "context": {"trace_id": "0x1", "span_id": "0x2"}, "parent_id": None,
    "start_time": "2026-03-20T10:00:00.000000Z", "end_time": "2026-03-20T10:00:01.500000Z",
    "status": {"status_code": "UNSET"},
    "attributes": {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 120},
}  # fmt: skip
OPENAI = {
    "time": "2026-03-20T10:00:00Z",
    "request": {"model": "gpt", "messages": [{"role": "user", "content": "hi"}]},
    "response": {
        "id": "r1", "object": "chat.completion", "model": "gpt-1", "usage": {"prompt_tokens": 120, "completion_tokens": 3},
        "choices": [{"message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
    },
}  # fmt: skip
ANTHROPIC = {
    "request": {"body": {"model": "claude", "messages": [{"role": "user", "content": "hi"}]}},
    "response": {"status": 200, "body": {
        "id": "m1", "type": "message", "role": "assistant", "model": "claude-1", "usage": {"input_tokens": 120, "output_tokens": 3},
        "content": [{"type": "text", "text": "hello"}, {"type": "tool_use", "id": "t", "name": "refund", "input": {"amount": 80}}],
        "stop_reason": "tool_use",
    }},
}  # fmt: skip
PACT = """pact p "1.0.0"
clause chat_is_quick { when kind == "chat" require latency == 1.5s && time > timestamp("2026-01-01T00:00:00Z") }
clause says_hello    { when kind == "chat" && id != "0x2" require output == "hello" }
clause tokens        { when kind == "chat" require usage.input_tokens == 120 }
clause refunds       { when tool == "refund" require args.amount < 50 && ok == true }
clause asks_none     { require tool_calls.all(t, t.args.amount < 50) }
"""


def judged(pactc: Pactc, log: bytes) -> dict[str, list[tuple[int, Any]]]:
    """Clause -> line and id of the calls that break it, or on which it is unknown."""
    pactc.write("p.pact", PACT)
    pactc.write("log.json", log)
    assert pactc("run", "p.pact", "log.json", "--verdicts", "rows.jsonl").code == exits.FINE
    found: dict[str, list[tuple[int, Any]]] = {}
    for line in (pactc.folder / "rows.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        for clause in row["violated"] + row["unknown"]:
            found.setdefault(clause, []).append((row["line"], row["id"]))
    return found


def test_opentelemetrys_export_is_read_as_calls(pactc: Pactc) -> None:
    assert judged(pactc, b"\n" + OTLP + b"\n") == {"refunds": [(2, "s2")]}
    explained = pactc("explain", "p.pact", "log.json", "--call", "s2", "--clause", "refunds")
    assert "80" in explained.out


def test_spans_as_the_sdk_prints_them_are_read_as_calls(pactc: Pactc) -> None:
    slow = {**PRINTED, "end_time": "2026-03-20T10:00:03Z", "context": {"trace_id": "0x1", "span_id": "0x3"}}
    log = json.dumps(PRINTED, indent=4) + "\n" + json.dumps(slow, indent=4) + "\n"
    second = json.dumps(PRINTED, indent=4).count("\n") + 2
    found = judged(pactc, log.encode())
    assert found["chat_is_quick"] == [(second, "0x3")]


def test_pairs_of_requests_and_responses_are_read_as_calls(pactc: Pactc) -> None:
    log = json.dumps(OPENAI) + "\n" + json.dumps(ANTHROPIC) + "\n"
    assert judged(pactc, log.encode()) == {
        "chat_is_quick": [(1, "r1"), (2, "m1")],  # nobody measured them
        "asks_none": [(2, "m1")],
    }


@pytest.mark.parametrize("log", [OTLP, json.dumps(PRINTED).encode(), json.dumps(OPENAI).encode()])
def test_a_pact_is_drafted_from_them(log: bytes, pactc: Pactc) -> None:
    report = drafted(pactc, log)
    assert report["undecodable"] == 0
    assert report["calls"] in (1, 2)
    assert pactlang.load(pactc.folder / "first.pact").schema.root == "Call"


def test_a_record_of_ones_own_is_left_as_it_is(pactc: Pactc) -> None:
    pactc.write(
        "own.pact",
        'pact own "1.0.0" on R record R { request: dyn response: dyn } clause c { require has(response.choices) }',
    )
    pactc.write("log.json", json.dumps(OPENAI).encode())
    report = pactc("run", "own.pact", "log.json", "--format", "json").data
    assert report["clauses"]["c"]["satisfied"] == 1
    assert report["notices"] == []


@pytest.mark.parametrize(
    "line",
    [
        b'{"resourceSpans": 5}', b'{"resourceSpans": [1, {"scopeSpans": {"spans": 3}}]}', b'{"resourceSpans": [', b'{"response": {}}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"attributes": [{"key": 1}, {"key": "a", "value": {"intValue": "x"}}]}]}]}]}',
        b'{"request": {"messages": 7}, "response": {"choices": [null, 3]}}', b'{"request": [], "response": {"choices": []}}',
        b'{"context": {"span_id": 3}, "attributes": {}, "start_time": 5}',
    ],
)  # fmt: skip
def test_what_only_looks_like_it_is_counted_and_never_a_fault(line: bytes, pactc: Pactc) -> None:
    pactc.write("p.pact", PACT)
    pactc.write("log.json", line + b'\n{"id": "after"}\n')
    report = pactc("run", "p.pact", "log.json", "--format", "json").data
    assert report["records"] >= 1
    assert report["calls"] + report["undecodable"] + report["outside"] == report["records"]


# One document in the place of lines ---------------------------------------------------------------

RECORDS = [
    {"id": "a", "output": 'line\nbreak "]}'},
    {"id": "b", "cost": 2.0},
    {"id": "c", "args": {"deep": [1, {"x": "}"}]}},
]


@pytest.mark.parametrize("indent", [None, 1, 4])
@pytest.mark.parametrize("before", ["", "\n\n ", "\t"])
def test_an_array_is_its_records(indent: int | None, before: str, pactc: Pactc) -> None:
    pactc.write("log.json", (before + json.dumps(RECORDS, indent=indent)).encode())
    report = pactc("run", "shop.pact", "log.json", "--format", "json", "--verdicts", "rows.jsonl").data
    assert (report["calls"], report["undecodable"]) == (3, 0)
    rows = [json.loads(line) for line in (pactc.folder / "rows.jsonl").read_text("utf-8").splitlines()]
    text = (pactc.folder / "log.json").read_text("utf-8")
    for row in rows:
        assert f'"id": "{row["id"]}"' in "\n".join(text.split("\n")[row["line"] - 1 :][:3])
    assert [row["violated"] for row in rows] == [[], ["cheap"], []]


@pytest.mark.parametrize("broken", ["[1,", "[{}", "{\n", '{\n"a": 1\n}\nx', "[" * 100_000, "{\n" * 10_000])
def test_what_is_no_document_is_read_as_lines(broken: str, pactc: Pactc) -> None:
    pactc.write("log.json", broken.encode())
    report = pactc("run", "shop.pact", "log.json", "--format", "json").data
    assert (
        report["records"]
        == report["undecodable"]
        == len([line for line in broken.split("\n") if line.strip()])
    )
