"""The fast form of a program, and the index on its guards: they say what the generic code says.

A machine with `generic` set does without both.  The oracle of test_oracle.py judges the machine as a whole.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from test_oracle import HEADER, accepted, record

import pactlang
from pactlang import evaluate
from pactlang.build import compile_source
from pactlang.source import Source


def pair(text: str) -> tuple[pactlang.Evaluator, pactlang.Evaluator]:
    """The machine as it is, and one that goes through the generic code only."""
    program = pactlang.load(pactlang.compile(text).to_bytes())
    fast, generic = pactlang.Evaluator(program), pactlang.Evaluator(program)
    generic.generic = True
    assert generic.fast_counts is None
    return fast, generic


def say(evaluator: pactlang.Evaluator, given: Any) -> Any:
    """The outcomes of a record, or the path at which it is refused."""
    try:
        verdict = evaluator.check(given)
    except pactlang.RecordError as error:
        return error.path, error.reason
    return "outside" if verdict.outside else tuple(verdict.outcomes.values())


def compiling(draw: Callable[[], str], count: int) -> str:
    """So many clauses that compile, each tried alone."""
    made: list[str] = []
    while len(made) < count:
        clause = f"clause c{len(made)} {{ {draw()} }}"
        if compile_source(Source("drawn.pact", Simple.HEADER + clause))[0] is not None:
            made.append(clause)
    return "\n".join(made)


class Simple:
    """Clauses of tests that the fast form knows, on fields that may be null."""

    HEADER = """
    pact simple "1.0.0" on R
    record Part { name: string, ok: bool, size: int, cost: double?, note: string? }
    record Inner { count: int?, rate: double, kind: string? }
    record R {
      i: int  j: int?  d: double  e: double?  s: string  t: string?  b: bool  f: bool?
      c: enum("red", "green", "blue")  wait: duration(s)  slow: duration(ms)?  at: timestamp?
      parts: list(Part) = []  more: list(Part)?  words: list(string) = []  inner: Inner  maybe: Inner?
    }
    """
    TEXTS = (
        "",
        "a",
        "b",
        "é",
        "日本",
        "longer than eight",
        "longer than 8",
        "exactly8",
        "a text of forty characters, give or take",
        "x" * 40,
    )

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def test(self, depth: int = 2) -> str:
        pick, text = self.rng.choice, lambda: f'"{self.rng.choice(self.TEXTS)}"'
        op, number = pick(["<", "<=", ">", ">=", "==", "!="]), pick(["-1", "0", "1", "2", "7"])
        if depth and self.rng.random() < 0.5:
            joint = pick([" && ", " || "])
            made = joint.join(self.test(depth - 1) for _ in range(pick([2, 2, 3])))
            return f"{pick(['', '!'])}({made})"
        return pick(
            [
                f"{pick(['i', 'j', 'i + j', 'i - 1', 'inner.count', 'maybe.count', 'size(s)', 'size(parts)'])} {op} {number}",
                f"{pick(['d', 'e', 'd + e', 'd * 2.0', 'inner.rate', 'maybe.rate'])} {op} {pick(['0.0', '1.5', '2.5'])}",
                f"i {op} j", f"d {op} e", f"wait {op} {pick(['1s', '500ms'])}", "wait < slow",
                f"{pick(['s', 't', 'c', 'inner.kind', 'maybe.kind'])} {pick(['==', '!='])} {text()}",
                f"{pick(['s', 't', 'c', 'inner.kind'])} in [{text()}, {text()}, {text()}]",
                'c in ["red", "blue"]', "b", "f", "!b", f"has({pick(['t', 'j', 'maybe', 'at', 'maybe.kind'])})",
                f"{pick(['parts', 'more'])}.{pick(['all', 'exists', 'exists_one'])}(p, {self.part()})",
                f"words.exists(w, w == {text()})", 's.contains("a")', "s.startsWith(t)",
            ]
        )  # fmt: skip

    def part(self, depth: int = 1) -> str:
        pick, text = self.rng.choice, lambda: f'"{self.rng.choice(self.TEXTS)}"'
        if depth and self.rng.random() < 0.6:
            return f"({self.part(0)} {pick(['&&', '||'])} {self.part(0)})"
        return pick(
            ["p.ok", "!p.ok", f"p.name == {text()}", f"p.name in [{text()}, {text()}]", "p.size > 2", "p.cost < 1.5",
             "p.size + 1 == 3", "has(p.note)", f"p.note != {text()}", "size(p.name) > 3", "p.size < i"]
        )  # fmt: skip

    def clauses(self, count: int) -> str:
        def clause() -> str:
            when = f"when {self.test(1)} " if self.rng.random() < 0.5 else ""
            return f"{when}{self.rng.choice(['require', 'never'])} {self.test()}"

        return compiling(clause, count)

    def record(self) -> dict[str, Any]:
        pick = self.rng.choice

        def part() -> dict[str, Any]:
            note, cost = pick([None, *self.TEXTS]), pick([None, 1.0, 2.0])
            return {
                "name": pick(self.TEXTS),
                "ok": pick([True, False]),
                "size": pick([0, 2, 3]),
                "cost": cost,
                "note": note,
            }

        def inner() -> dict[str, Any]:
            return {"count": pick([None, 0, 2]), "rate": pick([0.0, 2.0]), "kind": pick([None, *self.TEXTS])}

        return {
            "i": pick([0, 1, 2, 7, -(2**63), 2**63 - 1]), "j": pick([None, 0, 1, 7, 2**63 - 1]),
            "d": pick([0.0, -0.0, 1.5, 1e308, 2]), "e": pick([None, 1.5, 1e308]), "s": pick(self.TEXTS),
            "t": pick([None, *self.TEXTS]), "b": pick([True, False]), "f": pick([None, True, False]),
            "c": pick(["red", "green", "blue"]), "wait": pick([0, 1, 0.5]), "slow": pick([None, 1000, 200]),
            "at": pick([None, "2024-02-29T23:59:59Z"]), "parts": [part() for _ in range(pick([0, 1, 3]))],
            "more": pick([None, [], [part(), part()]]), "words": self.rng.sample(self.TEXTS, 2),
            "inner": inner(), "maybe": pick([None, inner()]),
        }  # fmt: skip


@pytest.mark.parametrize("seed", range(10))
def test_simple_clauses_come_out_as_in_the_generic_code(seed: int) -> None:
    draw = Simple(random.Random(seed))
    fast, generic = pair(Simple.HEADER + draw.clauses(150))
    assert fast.fast_counts is not None
    assert fast.fast_counts["whole"] > 30
    module = fast.program.module
    said = set()
    for number in range(60):
        data = draw.record()
        assert say(fast, data) == say(generic, data), data
        if number < 15:
            verdict = fast.check(data)
            row = fast.row(verdict.record)
            expected = [evaluate.judge(clause, row, module).outcome for clause in module.clauses]
            assert list(verdict.outcomes.values()) == expected
            said |= set(expected)
    assert said == set(pactlang.Outcome)


@pytest.mark.parametrize("seed", range(4))
def test_any_clauses_come_out_as_in_the_generic_code(seed: int) -> None:
    rng = random.Random(seed)
    clauses = "\n".join(f"clause c{i} {{ {body} }}" for i, body in enumerate(accepted(rng, 80)))
    applies = rng.choice(
        ["", "applies when b", 'applies when c == "red" || maybe.count > 2', "applies when s.contains(t)"]
    )
    fast, generic = pair(HEADER + applies + "\n" + clauses)
    for _ in range(60):
        data = record(rng)
        assert say(fast, data) == say(generic, data), data


# Structs of the caller's -----------------------------------------------------------------------------


class Part(msgspec.Struct):
    name: str
    ok: bool
    size: int
    cost: float | None = None
    note: str | None = None


class Inner(msgspec.Struct):
    count: int | None
    rate: float
    kind: str | None


class R(msgspec.Struct):
    i: int
    j: int | None
    d: float
    e: float | None
    s: str
    t: str | None
    b: bool
    f: bool | None
    c: str
    wait: float
    slow: float | None
    at: str | None
    parts: list[Part]
    more: list[Part] | None
    words: list[str]
    inner: Inner
    maybe: Inner | None


class Text(str):
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        raise AssertionError("C asks for the characters, not for an opinion")

    __hash__ = str.__hash__


class Whole(int):
    pass


WRONG: list[Any] = [None, 1, -1, 2.5, "a", "é", "\ud800", True, b"x", [], {}, Text("a"), Text("longer than eight"), Whole(7), float("nan"),
                    float("inf"), 2**70, object(), [1], [None], [Part("a", True, 1)], [Part(1, 2, "x")], Part("a", True, 1)]  # type: ignore[arg-type]  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_a_struct_of_the_callers_may_hold_anything(seed: int) -> None:
    draw = Simple(random.Random(seed))
    fast, generic = pair(Simple.HEADER + draw.clauses(40))
    for _ in range(150):
        given = msgspec.convert(draw.record(), R, strict=False)
        if draw.rng.random() < 0.7:
            part = draw.rng.choice([given, given, given.inner, *given.parts])
            field = draw.rng.choice(part.__struct_fields__)
            setattr(part, field, draw.rng.choice(WRONG))
        if draw.rng.random() < 0.1:
            delattr(given, draw.rng.choice(R.__struct_fields__))
        assert say(fast, given) == say(generic, given), given


# The index -------------------------------------------------------------------------------------------


def guarded(rng: random.Random, count: int) -> str:
    draw = Simple(rng)

    def clause() -> str:
        text = lambda: f'"{rng.choice(Simple.TEXTS)}"'  # noqa: E731
        guard = rng.choice([f"t == {text()}", f"s in [{text()}, {text()}]", f"i == {rng.randrange(3)}", "b", "!b", "f",
                            'c == "red"', f"maybe.kind == {text()}", f"j == {rng.randrange(3)}"])  # fmt: skip
        shape = rng.choice(
            ["{guard}", "{guard} && {test}", "{test} && {guard}", "{test} || {guard}", "!({guard})", "{test}"]
        )
        when = shape.format(guard=guard, test=draw.test(1))
        return f"when {when} {rng.choice(['require', 'never'])} {draw.test(1)}"

    return compiling(clause, count)


@pytest.mark.parametrize("seed", range(8))
def test_an_index_on_guards_changes_no_outcome(seed: int) -> None:
    rng = random.Random(seed)
    fast, generic = pair(Simple.HEADER + guarded(rng, 260))
    assert fast.fast_counts is not None
    assert fast.fast_counts["guarded"] > 50
    draw = Simple(rng)
    for number in range(60):
        data = draw.record()
        given = msgspec.convert(data, R, strict=False) if number % 2 else data
        assert say(fast, given) == say(generic, given), data


def test_an_index_leaves_the_clauses_of_other_values_alone() -> None:
    clauses = "\n".join(
        f'clause c{i} {{ when agent == "a{i % 50}" require cost < {i}.5 }}' for i in range(500)
    )
    fast, generic = pair(f'pact p "1.0.0" on R record R {{ agent: string?, cost: double }}\n{clauses}')
    assert fast.fast_counts is not None
    assert fast.fast_counts["guarded"] == 500
    for agent in ("a7", "a49", "other", None):
        data = {"agent": agent, "cost": 60.0}
        outcomes = say(fast, data)
        assert outcomes == say(generic, data)
        judged = [number for number, outcome in enumerate(outcomes) if outcome != pactlang.Outcome.SKIPPED]
        assert judged == [n for n in range(500) if agent == f"a{n % 50}"]


def test_many_calls_come_out_as_one_by_one() -> None:
    draw = Simple(random.Random(1))
    fast, generic = pair(Simple.HEADER + draw.clauses(70))
    lines = b"\n".join(msgspec.json.encode(draw.record()) for _ in range(50))
    assert (fast.check_lines(lines).outcomes == generic.check_lines(lines).outcomes).all()


def test_a_limit_stops_a_loop_of_the_fast_form_as_it_does_the_generic_one() -> None:
    text = 'pact p "1.0.0" on R record P { n: int } record R { parts: list(P) } clause c { require parts.all(p, p.n < 5) }'
    fast, generic = pair(text)
    for machine in (fast, generic):
        machine.confine(100, [0])
    for size in (0, 1, 98, 99, 100, 101, 500):
        data = {"parts": [{"n": 1}] * size}
        assert say(fast, data) == say(generic, data)
        assert fast.last_steps == generic.last_steps


def test_a_call_that_keeps_its_pact_allocates_as_much_under_200_clauses_as_under_20() -> None:
    def allocated(count: int) -> int:
        clauses = "\n".join(f"clause c{n} {{ when b require d <= {n}.5 }}" for n in range(count))
        check = pactlang.Evaluator(pactlang.compile(Simple.HEADER + clauses)).check
        given = msgspec.convert(Simple(random.Random(0)).record(), R, strict=False)
        given.d = 0.0
        kept = [check(given) for _ in range(200)]  # more than Cython keeps for reuse
        before = sys.getallocatedblocks()
        kept[0] = check(given)
        return sys.getallocatedblocks() - before

    assert allocated(200) == allocated(20)


def test_what_is_cheap_and_decides_saves_a_loop() -> None:
    clause = "clause c { when words.exists(w, w.contains(t)) && i > 0 require words.all(w, w == s) || b }"
    fast, generic = pair(Simple.HEADER + clause)
    data = {**Simple(random.Random(0)).record(), "words": ["a"] * 50, "t": "z", "b": True}
    for i in (0, 1):
        assert say(fast, {**data, "i": i}) == say(generic, {**data, "i": i}) == (pactlang.Outcome.SKIPPED,)
        for machine in (fast, generic):
            assert (machine.last_steps > 0) == (i > 0)
