"""JSON by the machine's own reader and by msgspec: the first may give up, but must not say anything else.

`agree(evaluator, data)` judges one text on both and raises AssertionError where they differ; it gives
True if the machine's reader took it.  `WIDE` is a pact whose record has a field of every kind; `made`
draws texts for it, `mutated` breaks them.
"""

from __future__ import annotations

import json
import math
from functools import cache
from random import Random
from typing import Any

import msgspec

import pactlang
from pactlang.values import NULL_BASE

WIDE = r"""
pact wide "1.0.0" on R
renews 2026-06-01
record Tool { name: string, ok: bool = true, took: duration(ms)?, args: dyn? }
record Inner { a: int?, b: string?, note: string = "none" }
record Usage { tokens: int?, cost: double = 0.5, inner: Inner, kept: Inner? }
record R {
  id: string   seq: int?   time: timestamp?   session: string?
  kind: enum("chat", "tool", "überlang und mehr als zweiunddreißig Bytes") = "chat"
  n: int   u: uint = 7u   d: double   flag: bool?   name: string   label: string = "x"
  said: string   heard: string?   when: timestamp(ms)?   since: timestamp(ns)?   at: timestamp?
  took: duration(s)?   wait: duration?   raw: bytes?   any: dyn   extra: map(string, dyn) = {}
  numbers: list(double) = []   waits: list(duration(us)) = []   tools: list(Tool) = []
  usage: Usage   spare: Usage?   far: int? as "data.far"   old: string? as "old_name"
}
clause c1 { require n < 10 && u < 9u && d <= 1.5 }
clause c2 { never said.matches(r"[0-9]{4}") }
clause c3 { never said.contains("straße") }
clause c4 { when has(heard) never heard.matches(r"\n") }
clause c5 { when kind == "tool" require name in ["alpha", "beta", "\u00e9"] }
clause c6 { require label.startsWith("x") }
clause c7 { when has(flag) require flag }
clause c8 { when has(when) require when > timestamp("2020-01-01T00:00:00Z") }
clause c9 { when since != null require since > timestamp("2020-01-01T00:00:00Z") }
clause c10 { when has(at) require at < timestamp("2025-01-01T00:00:00Z") }
clause c11 { when has(took) require took < 5s }
clause c12 { when has(wait) require wait < 5s }
clause c13 { when has(raw) require size(raw) < 4 }
clause c14 { require any == null || any == 1 || any == "a" }
clause c15 { require size(extra) < 3 }
clause c16 { require numbers.all(x, x < 10.0) }
clause c17 { require waits.all(x, x < 1s) }
clause c18 { require tools.all(t, t.ok && t.name != "bad" && (t.took == null || t.took < 2s)) }
clause c19 { when has(usage.tokens) require usage.tokens < 100 && usage.cost < 1.0 }
clause c20 { require usage.inner.note == "none" }
clause c21 { when has(usage.kept) require usage.kept.a == 1 }
clause c22 { when has(spare) require spare.cost < 1.0 && spare.inner.note != "some" }
clause c23 { when has(far) require far < 100 }
clause c24 { when has(old) require old != "old" }
"""

# The standard record: ids that may be ints, wire names beside the plain ones, records without fields of their own.
CALL = r"""
pact call "1.0.0"
renews 2026-06-01
clause c1 { never output.matches(r"[0-9]{4}") }
clause c2 { when kind == "tool" require ok == true }
clause c3 { when has(usage.input_tokens) require usage.input_tokens < 1000 }
clause c4 { when has(latency) require latency < 2s }
clause c5 { require tool_calls.all(t, t.name != "shell") }
clause c6 { when has(time) require time > timestamp("2020-01-01T00:00:00Z") }
clause c7 { when has(error) require error != "timeout" }
clause c8 { when tool == "refund" require args.amount <= 50 }
clause c9 { require agent == null || agent != "x" }
clause c10 { require model == null || model in ["a", "b"] || provider != "p" }
"""


@cache
def evaluator_of(pact: str) -> pactlang.Evaluator:
    return pactlang.Evaluator(pactlang.compile(pact))


def said(evaluator: pactlang.Evaluator, judge: Any) -> Any:
    """All that a verdict says, or how its record was refused."""
    try:
        verdict = judge()
    except pactlang.RecordError as error:
        return error.path, error.reason
    violations = tuple(map(repr, verdict.violations))
    return dict(verdict.outcomes), verdict.outside, verdict.ok, verdict.expired, violations


def agree(evaluator: pactlang.Evaluator, data: bytes | str) -> bool:
    reader = evaluator.reader
    slow = said(evaluator, lambda: evaluator.check(reader.from_json(data)))
    assert said(evaluator, lambda: evaluator.check_json(data)) == slow, data
    found = evaluator.peek(data)
    if found is None:
        return False
    wanted = reader.values(reader.from_json(data))
    assert len(found) == len(wanted)
    for mine, theirs in zip(found, wanted, strict=True):
        assert same(mine, theirs), (mine, theirs, data)
    return True


def same(mine: Any, theirs: Any) -> bool:
    if mine is ...:
        return isinstance(theirs, msgspec.Struct)
    if theirs is NULL_BASE:
        return mine is None
    if mine is None and type(theirs) is int:  # in dyn data: an error value when it is read
        return not -(2**63) <= theirs < 2**63
    if isinstance(mine, bytes) and isinstance(theirs, str):
        return bool(json.loads(b'"' + mine + b'"') == theirs)
    if type(mine) is not type(theirs):
        return False
    if isinstance(mine, float) and (mine != mine or mine == 0.0):
        return theirs != theirs or (math.copysign(1.0, mine) == math.copysign(1.0, theirs) and mine == theirs)
    return bool(mine == theirs)


# Texts ----------------------------------------------------------------------------------------------

TEXTS = ("", "a", "alpha", "beta", "é", "chat", "tool", "x", "none", "straße 1234", "one\ntwo", 'q"uo\\te', "\x00",
         "\U0001f600", "überlang und mehr als zweiunddreißig Bytes", "年" * 20, "y" * 31, "y" * 32, "y" * 33,
         "plain text of some length, and more of it, until it is longer than sixty-four bytes 1234", "\u2028\ufffe")  # fmt: skip
NUMBERS = (
    "0",
    "1",
    "-1",
    "7",
    "10",
    "99",
    "1.5",
    "0.1",
    "-0",
    "-0.0",
    "1e3",
    "1E+2",
    "1e-3",
    "2.50",
    "123456789.123456789",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "9007199254740993",
    "9007199254740993.0",
    "1e22",
    "1e23",
    "1e308",
    "1e309",
    "5e-324",
    "1e-400",
    "0.30000000000000004",
    "1.7976931348623157e308",
    "2.2250738585072011e-308",
    "123456789012345678901234567890",
    "0.00000000000000000000000000012345",
    "1" * 70,
    "1700000000000",
    "253402300799999",
    "253402300800000",
)
BROKEN = ("01", "1.", ".5", "1e", "+1", "NaN", "Infinity", "0x10")  # fmt: skip
TIMES = ("2026-05-31T23:59:59Z", "2026-06-01T00:00:00+00:00", "2024-02-29T12:00:00.123456789+05:30", "2023-02-29T00:00:00Z",
         "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59.9999996Z", "2024-01-01 00:00:00z", "2024-01-01T00:00:60Z",
         "2024-01-01T00:00:00", "2024-01-01T24:00:00Z", "1969-12-31T23:59:59.5-23:59", "2024-1-01T00:00:00Z",
         "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00.1234567890Z", "+024-01-01T00:00:00Z")  # fmt: skip
WAITS = ("1.5s", "90s", "1h2m", "-3ms", "1d", "", "1s2h", "999999999999s")
BYTES = ("", "YQ==", "YWJjZGU=", "a", "YQ", "é")


def text(rng: Random, value: str, wild: float = 0.0) -> str:
    """A JSON string, in one of its spellings; now and then what is none."""
    way = rng.random()
    if way < 0.5:
        return json.dumps(value, ensure_ascii=False)
    if way < 0.8:
        return json.dumps(value)
    if rng.random() >= wild:
        return '"' + "".join(rng.choice((c, f"\\u{ord(c):04X}")) if 32 < ord(c) < 127 and c not in '"\\' else
                             json.dumps(c, ensure_ascii=rng.random() < 0.5)[1:-1] for c in value) + '"'  # fmt: skip
    return rng.choice(
        ('"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\u0041"', '"a\\q"', '"a\\u12"', '"\t"', '"\\/"', '"open')
    )


def anything(rng: Random, wild: float, depth: int = 0) -> str:
    way = rng.random()
    if depth > 3 or way < 0.6:
        number = rng.choice(BROKEN if rng.random() < wild else NUMBERS)
        return rng.choice((number, text(rng, rng.choice(TEXTS), wild), "true", "false", "null"))
    items = [anything(rng, wild, depth + 1) for _ in range(rng.randrange(4))]
    if way < 0.8:
        return "[" + rng.choice((",", " , ")).join(items) + "]"
    return "{" + ",".join(text(rng, rng.choice(TEXTS)) + ":" + item for item in items) + "}"


def value(rng: Random, kind: str, wild: float) -> str:
    """JSON for a field of a kind, now and then of another."""
    if rng.random() < wild:
        return anything(rng, wild)
    if kind.endswith("?") and rng.random() < 0.2:
        return "null"
    kind = kind.rstrip("?")
    if kind == "text":
        return text(rng, rng.choice(TEXTS), wild)
    if kind == "int":
        return rng.choice(("0", "1", "5", "12", "150", "9223372036854775807") if wild == 0 else NUMBERS[:12])
    if kind == "double":
        return rng.choice(NUMBERS[:8] if rng.random() < 0.9 else NUMBERS)
    if kind == "bool":
        return rng.choice(("true", "false"))
    if kind in OBJECTS:
        return made(rng, kind, wild)
    if kind.startswith("["):
        return "[" + ", ".join(value(rng, kind[1:], wild) for _ in range(rng.randrange(3))) + "]"
    choices = {"time": TIMES, "wait": WAITS, "bytes": BYTES, "kind": TEXTS[5:7]}.get(kind)
    if choices and rng.random() < 0.9:
        choices = choices[:3]  # which are good
    return text(rng, rng.choice(choices), wild) if choices else anything(rng, wild)


OBJECTS: dict[str, dict[str, str]] = {
    "R": {
        "id": "text", "seq": "int?", "time": "time?", "session": "text?", "kind": "kind", "n": "int", "u": "int",
        "d": "double", "flag": "bool?", "name": "text", "label": "text", "said": "text", "heard": "text?",
        "when": "double?", "since": "int?", "at": "time?", "took": "double?", "wait": "wait?", "raw": "bytes?",
        "any": "dyn?", "extra": "Map", "numbers": "[double", "waits": "[double", "tools": "[Tool", "usage": "Usage",
        "spare": "Usage?", "data.far": "int?", "data": "dyn", "old_name": "text?", "other": "dyn", "more": "text",
    },
    "Tool": {"name": "text", "ok": "bool", "took": "double?", "args": "dyn", "other": "dyn"},
    "Usage": {"tokens": "int?", "cost": "double", "inner": "Inner", "kept": "Inner?", "other": "dyn"},
    "Inner": {"a": "int?", "b": "text?", "note": "text", "other": "dyn"},
    "Map": {"a": "dyn", "b": "dyn"},
    "Call": {
        "id": "text?", "session": "text?", "seq": "int?", "time": "time?", "kind": "kind", "output": "text", "input": "text",
        "ok": "bool?", "usage": "Tokens", "latency": "double?", "tool_calls": "[Tool", "error": "text?", "tool": "text?",
        "args": "dyn?", "agent": "text?", "model": "text?", "provider": "text?", "attributes": "Map",
        "gen_ai.usage.input_tokens": "int?", "gen_ai.request.model": "text?", "gen_ai": "dyn", "start_time": "time?",
    },
    "Tokens": {"input_tokens": "int?", "output_tokens": "int?", "other": "dyn"},
}  # fmt: skip
RARE = ("data", "gen_ai", "gen_ai.usage.input_tokens", "gen_ai.request.model", "start_time", "data.far")
NEEDED = ("id", "n", "d", "name", "said", "any", "a", "note")


def made(rng: Random, kind: str, wild: float = 0.02) -> str:
    """A JSON object for a record, most of its fields there and of their type."""
    blank = rng.choice(("", "", " ", "\n\t"))
    chosen = [
        key
        for key in OBJECTS[kind]
        if rng.random() < (0.03 if key in RARE else 0.98 if key in NEEDED else 0.75)
    ]
    if rng.random() < 0.3:
        rng.shuffle(chosen)
    if chosen and rng.random() < wild:
        chosen.append(rng.choice(chosen))
    members = []
    for key in chosen:
        name = text(rng, key) if rng.random() < wild else f'"{key}"'
        members.append(f"{name}{blank}:{blank}{value(rng, OBJECTS[kind][key], wild)}")
    return "{" + blank + f"{blank},{blank}".join(members) + "}"


def mutated(rng: Random, data: bytes) -> bytes:
    """The same with something broken: cut, doubled, exchanged, or a byte changed."""
    for _ in range(rng.randrange(1, 4)):
        if not data:
            return data
        at, end = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
        end = min(end, at + 8)
        way = rng.randrange(5)
        if way == 0:
            data = data[:at] + data[end:]
        elif way == 1:
            data = data[:at] + data[at:end] * 2 + data[end:]
        elif way == 2:
            data = data[:at]
        else:
            data = data[:at] + rng.choice(PIECES) + data[(at if way == 3 else min(at + 1, len(data))) :]
    return data


PIECES = (b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"1", b"-", b".", b"e", b" ", b"\n", b"\x00",
          b"\x1f", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98\x80",
          b"\xef\xbb\xbf", b"\\ud800", b"\\u0000", b"\\\"", b"\\\\", b"9999999999", b'"id":"2"', b"//", b"'")  # fmt: skip
