"""The machine against the oracle: clauses drawn from the language, judged by both on the same calls.

The oracle (`evaluate.judge`) walks the typed tree in plain Python and shares no code with the machine.
A difference names the clause's text, the call and the seed.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

import pactlang
from pactlang import evaluate
from pactlang.build import compile_source
from pactlang.diagnostic import has_errors
from pactlang.source import Source

HEADER = r"""
pact drawn "1.0.0" on R
record Part { name: string, size: int = 3, ok: bool?, took: duration(ms)?, extra: dyn? }
record Inner { count: int?, rate: double = 0.5, note: string? }
record R {
  i: int   j: int?   u: uint   d: double   e: double?   s: string   t: string?   b: bool
  c: enum("red", "green", "blue")   at: timestamp?   ms: timestamp(ms)   wait: duration(s)
  text: duration?   raw: bytes?   x: dyn?   y: dyn?   parts: list(Part) = []   words: list(string) = []
  by: map(string, int) = {}   inner: Inner   maybe: Inner?
}
pattern digits = r"[0-9]{3}"
pattern card = r"[0-9 -]{8,19}" check luhn
phrases spin = ["risk free", "sure thing"]
"""


class Draw:
    """Expressions of a wanted type, mostly well-typed; what the checker refuses is dropped."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.scope: list[tuple[str, str]] = []

    def pick(self, *options: Any) -> Any:
        return self.rng.choice(options)

    def of(self, kind: str, depth: int) -> str:
        named = [name for name, its in self.scope if its == kind]
        if named and self.rng.random() < 0.4:
            return self.rng.choice(named)
        if depth <= 0 or self.rng.random() < 0.15:
            return self.leaf(kind)
        made: str = getattr(self, kind)(depth - 1)
        return f"({made})"

    def leaf(self, kind: str) -> str:
        return {
            "bool": lambda: self.pick("true", "false", "b", "has(t)", "has(x)", "has(maybe)", "has(maybe.note)"),
            "int": lambda: self.pick("0", "1", "-3", "7", "i", "j", "9223372036854775807", "inner.count", "size(s)",
                                     "size(parts)", "maybe.count", "0x10"),
            "uint": lambda: self.pick("0u", "3u", "u", "18446744073709551615u"),
            "double": lambda: self.pick("0.0", "1.5", "-2.25", "1e300", "d", "e", "inner.rate", "maybe.rate"),
            "string": lambda: self.pick('"a"', '""', '"12345"', "s", "t", "c", '"é"', "inner.note", "maybe.note"),
            "bytes": lambda: self.pick('b"a"', "raw", 'b"\\xff"'),
            "dyn": lambda: self.pick("x", "y", "x.k", "x.deep.k", "x[0]", 'x["k"]', "y.list", "dyn(1)", 'dyn("a")'),
            "time": lambda: self.pick("at", "ms", 'timestamp("2024-02-29T12:00:00Z")', "timestamp(0)"),
            "wait": lambda: self.pick("wait", "text", "1s", "90m", "0s", 'duration("-1.5s")'),
            "list": lambda: self.pick("words", "[1, 2, 3]", "[]", '["a", "b"]', "[1, 2.0, 3u]", "parts", "[s, t]"),
        }[kind]()  # fmt: skip

    def any(self, depth: int) -> str:
        return self.of(
            self.pick("int", "double", "string", "bool", "dyn", "uint", "time", "wait", "bytes", "list"),
            depth,
        )

    def bool(self, depth: int) -> str:
        one = lambda kind: self.of(kind, depth)  # noqa: E731
        kind = self.pick("int", "double", "string", "dyn", "uint", "time", "wait", "bytes", "bool")
        return self.pick(
            lambda: f"{one('bool')} && {one('bool')}",
            lambda: f"{one('bool')} || {one('bool')} || {one('bool')}",
            lambda: f"!{one('bool')}",
            lambda: f"{one('bool')} ? {one('bool')} : {one('bool')}",
            lambda: f"{one(kind)} {self.pick('==', '!=', '<', '<=', '>', '>=')} {one(kind)}",
            lambda: f"{one('int')} {self.pick('<', '<=', '>', '>=', '==')} {one(self.pick('double', 'uint', 'dyn'))}",
            lambda: f"{one(kind)} {self.pick('==', '!=')} null",
            lambda: f"{one('dyn')} {self.pick('==', '!=', '<', '>=')} {one(kind)}",
            lambda: f"{one(kind)} in {one('list')}",
            lambda: 'c in ["red", "blue"] && t in ["a", "b", "c", "d", "e", "f", "g", "h", "i"]',
            lambda: f"{one('string')}.{self.pick('contains', 'startsWith', 'endsWith')}({one('string')})",
            lambda: f"{self.pick('s', 't', 'x.k', 'inner.note')}.matches({self.pick('digits', 'card', one('string'))})",
            lambda: f"{self.pick('s', 't', 'x.k')}.says(spin)",
            lambda: f"s.contains({self.pick(chr(34) + '123' + chr(34), chr(34) + 'a' + chr(34))})",
            lambda: f'["12", "é", "{self.pick("b", "", "a")}"].{self.pick("exists", "all")}'
                    f'(p, {self.pick("s", "t", "inner.note")}.{self.pick("contains", "startsWith", "endsWith")}(p))',
            lambda: self.macro(self.pick("all", "exists", "exists_one"), "bool", depth),
            lambda: f"bool({one('string')})",
            lambda: f"has({self.pick('x.k', 'x.deep.k', 'y.list', 'inner.note', 'at', 'maybe.count')})",
            lambda: f"type({one(kind)}) == type({self.any(depth)})",
            lambda: '"k" in x || 1 in {1: true, "a": false} || s in by',
        )()  # fmt: skip

    def macro(self, name: str, wanted: str, depth: int) -> str:
        var = f"v{len(self.scope)}"
        source, kind = self.pick(
            ("words", "string"), ("[1, 2, 3]", "int"), ("[1.5, 2.5]", "double"), ("y.list", "dyn"), ("x", "dyn"),
            ("by", "string"), ("parts", "part"),
        )  # fmt: skip
        if kind == "part":
            source, kind = self.pick(
                (f"parts.map(p{len(self.scope)}, p{len(self.scope)}.name)", "string"),
                (f"parts.map(p{len(self.scope)}, p{len(self.scope)}.size)", "int"),
                (f"parts.map(p{len(self.scope)}, p{len(self.scope)}.took)", "wait"),
                (f"parts.filter(p{len(self.scope)}, p{len(self.scope)}.ok).map(q, q.extra)", "dyn"),
            )
        self.scope.append((var, kind))
        body = self.of(wanted, depth)
        self.scope.pop()
        return f"{source}.{name}({var}, {body})"

    def number(self, kind: str, depth: int) -> str:
        a, b = self.of(kind, depth), self.of(kind, depth)
        return f"{a} {self.pick('+', '-', '*', '/', *(['%'] if kind != 'double' else []))} {b}"

    def int(self, depth: int) -> str:
        return self.pick(
            lambda: self.number("int", depth),
            lambda: f"-{self.of('int', depth)}",
            lambda: f"int({self.of(self.pick('double', 'string', 'uint', 'time', 'dyn'), depth)})",
            lambda: f"size({self.of(self.pick('string', 'list', 'bytes'), depth)})",
            lambda: f"{self.of('bool', depth)} ? {self.of('int', depth)} : {self.of('int', depth)}",
            lambda: f"{self.of('time', depth)}.{self.pick('getFullYear', 'getMonth', 'getDayOfYear', 'getHours', 'getDayOfWeek', 'getDate', 'getDayOfMonth')}({self.pick('', chr(34) + '-08:00' + chr(34), chr(34) + 'Europe/Paris' + chr(34), chr(34) + 'No/Where' + chr(34))})",
            lambda: f"{self.of('wait', depth)}.{self.pick('getHours', 'getMinutes', 'getSeconds', 'getMilliseconds')}()",
            lambda: f"bucket({self.of('double', depth)}, 0.0, 1.0, {self.of('double', depth)})",
            lambda: f"hour({self.of('time', depth)})",
            lambda: f"[1, 2, 3][{self.of('int', depth)}]",
            lambda: f'{{"a": 1, "b": 2}}[{self.of("string", depth)}]',
        )()  # fmt: skip

    def uint(self, depth: int) -> str:
        return self.pick(
            lambda: self.number("uint", depth),
            lambda: f"uint({self.of(self.pick('int', 'double', 'string'), depth)})",
        )()

    def double(self, depth: int) -> str:
        return self.pick(
            lambda: self.number("double", depth),
            lambda: f"-{self.of('double', depth)}",
            lambda: f"double({self.of(self.pick('int', 'string', 'uint', 'dyn'), depth)})",
        )()

    def string(self, depth: int) -> str:
        return self.pick(
            lambda: f"{self.of('string', depth)} + {self.of('string', depth)}",
            lambda: (
                f"string({self.of(self.pick('int', 'double', 'bool', 'time', 'wait', 'bytes', 'uint', 'dyn'), depth)})"
            ),
            lambda: f"{self.of('bool', depth)} ? {self.of('string', depth)} : {self.of('string', depth)}",
        )()

    def bytes(self, depth: int) -> str:
        return self.pick(
            lambda: f"bytes({self.of('string', depth)})",
            lambda: f"{self.of('bytes', depth)} + {self.of('bytes', depth)}",
        )()

    def dyn(self, depth: int) -> str:
        return self.pick(
            lambda: f"dyn({self.any(depth)})",
            lambda: f"{self.of('dyn', depth)} + {self.of('dyn', depth)}",
            lambda: f"[{self.any(depth)}, {self.any(depth)}][{self.pick('0', '1', '2', 'i')}]",
            lambda: f'{{"k": {self.any(depth)}, {self.pick("1", "true", "2u")}: {self.any(depth)}}}["k"]',
        )()

    def time(self, depth: int) -> str:
        return self.pick(
            lambda: f"{self.of('time', depth)} {self.pick('+', '-')} {self.of('wait', depth)}",
            lambda: f"timestamp({self.of(self.pick('string', 'int'), depth)})",
        )()

    def wait(self, depth: int) -> str:
        return self.pick(
            lambda: f"{self.of('time', depth)} - {self.of('time', depth)}",
            lambda: f"{self.of('wait', depth)} {self.pick('+', '-')} {self.of('wait', depth)}",
            lambda: f"duration({self.of('string', depth)})",
        )()

    def list(self, depth: int) -> str:
        return self.pick(
            lambda: f"[{self.any(depth)}, {self.any(depth)}]",
            lambda: f"{self.of('list', depth)} + {self.of('list', depth)}",
            lambda: self.macro("filter", "bool", depth),
            lambda: self.macro("map", self.pick("int", "string", "bool", "double"), depth),
        )()


def dyn_value(rng: random.Random, depth: int = 3) -> Any:
    kind = rng.randrange(10 if depth else 7)
    if kind < 7:
        return rng.choice([None, True, False, 0, 1, -3, 7, 2**63, 1.5, 0.0, "a", "123", "risk free", 1e300])
    if kind == 7:
        return [dyn_value(rng, depth - 1) for _ in range(rng.randrange(4))]
    keys = ["k", "deep", "list", "a", "1"]
    return {rng.choice(keys): dyn_value(rng, depth - 1) for _ in range(rng.randrange(4))}


def record(rng: random.Random) -> dict[str, Any]:
    texts = [
        "",
        "a",
        "b",
        "12345",
        "call 123",
        "a RISK\u200b free deal",
        "4111 1111",
        "79927398713",
        "é",
        "true",
        "1.5s",
    ]
    made: dict[str, Any] = {
        "i": rng.choice([0, 1, -1, 7, 2**63 - 1, -(2**63)]), "j": rng.choice([None, 2, 7]),
        "u": rng.choice([0, 3, 2**64 - 1]), "d": rng.choice([0.0, -0.0, 1.5, -2.25, 1e308, 3]),
        "e": rng.choice([None, 1.5, 2.0]), "s": rng.choice(texts), "t": rng.choice([None, *texts]),
        "b": rng.random() < 0.5, "c": rng.choice(["red", "green", "blue"]),
        "at": rng.choice([None, "2024-02-29T23:59:59.5Z", "1969-12-31T23:00:00-08:00", "9999-12-31T23:59:59Z"]),
        "ms": rng.choice([0, 1717000000123, 1.5, -1]), "wait": rng.choice([0, 1, 0.5, -2.25, 86400]),
        "text": rng.choice([None, "1.5s", "-1h30m"]), "raw": rng.choice([None, "YQ==", "/w=="]),
        "x": dyn_value(rng), "y": dyn_value(rng), "inner": {"count": rng.choice([None, 4]), "note": rng.choice([None, "a", "123"])},
        "parts": [
            {"name": rng.choice(texts), "ok": rng.choice([None, True, False]), "took": rng.choice([None, 5, 1.5]), "extra": dyn_value(rng, 1)}
            for _ in range(rng.randrange(4))
        ],
        "words": rng.sample(texts, rng.randrange(4)), "by": {key: rng.randrange(5) for key in rng.sample("abk", rng.randrange(3))},
    }  # fmt: skip
    if rng.random() < 0.5:
        made["maybe"] = rng.choice([None, {"count": 3}, {"note": "b", "rate": 2.5}])
    return made


def accepted(rng: random.Random, count: int) -> list[str]:
    """Clause bodies that compile, each tried alone so that one refusal costs one clause."""
    draw, found = Draw(rng), []
    while len(found) < count:
        body = f"{rng.choice(['require', 'never'])} {draw.of('bool', 3)}"
        if rng.random() < 0.3:
            body = f"when {draw.of('bool', 2)} {body}"
        compiled, problems = compile_source(Source("drawn.pact", HEADER + "clause c { " + body + " }"))
        assert (compiled is None) == has_errors(problems), body
        if compiled is not None:
            found.append(body)
    return found


@pytest.mark.parametrize("seed", range(12))
def test_machine_and_oracle_agree(seed: int) -> None:
    rng = random.Random(seed)
    bodies = accepted(rng, 60)
    clauses = "\n".join(f"clause c{i} {{ {body} }}" for i, body in enumerate(bodies))
    program = pactlang.load(pactlang.compile(HEADER + clauses).to_bytes())
    evaluator = pactlang.Evaluator(program)
    said = set()
    for _ in range(40):
        data = record(rng)
        verdict = evaluator.check(data)
        row = evaluator.row(verdict.record)
        for body, clause, outcome in zip(
            bodies, program.module.clauses, verdict.outcomes.values(), strict=True
        ):
            expected = evaluate.judge(clause, row, program.module)
            assert outcome == expected.outcome, f"seed {seed}: {body}\non {data}\noracle: {expected}"
            said.add(outcome)
    assert said == set(pactlang.Outcome)
