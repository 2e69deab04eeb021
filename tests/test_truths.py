"""State code without jumps says what state code with jumps says; many forms what each says alone."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from drawn_sessions import DrawSessions, random_steps
from test_monitor_oracle import amended, drawn

import pactlang
from pactlang.build import compile_source
from pactlang.emit import state
from pactlang.opcodes import INSTRUCTION_SIZE, Opcode
from pactlang.source import Source

PLAIN = {Opcode.NOT, Opcode.AND, Opcode.OR, Opcode.EQUALS, Opcode.JUDGE}


def operations(program: pactlang.Program) -> set[int]:
    code = program.core.state.code if program.core.state else b""
    return {code[at] for at in range(0, len(code), INSTRUCTION_SIZE)}


def said(program: pactlang.Program, steps: list[Any]) -> tuple[Any, Any]:
    monitor = pactlang.Monitor(program)
    batch = monitor.feed_all([each for each in steps if isinstance(each, dict)])
    return batch.outcomes.tolist(), amended(monitor)


def with_jumps(text: str, monkeypatch: pytest.MonkeyPatch) -> pactlang.Program:
    """What a pact is compiled to where registers are scarce."""
    with monkeypatch.context() as patch:
        patch.setattr(state, "MANY", 0)
        jumping = pactlang.compile(text)
    assert not operations(jumping) & PLAIN
    return jumping


@pytest.mark.parametrize("part", range(4))
def test_with_jumps_and_without(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(40):
        draw, text, program = drawn(9_000_000 + 1_000 * part + seed)
        jumping = with_jumps(text, monkeypatch)
        for turn in range(4):
            steps = list(draw.trace(random_steps(Random(seed + turn), 40)))
            assert said(program, steps) == said(jumping, steps), text


def condition(rng: Random, depth: int) -> str:
    """A condition on fields, most of which may be null."""
    atoms = [
        "a",
        "b",
        "once(a, 5s)",
        "since(a, b)",
        "previous(b)",
        'k == "x"',
        '"y" != k',
        "n == 3",
        "a == b",
    ]
    if depth == 0 or rng.random() < 0.2:
        return rng.choice(atoms)
    one, two, three = (condition(rng, depth - 1) for _ in range(3))
    return rng.choice([f"!({one})", f"({one} && {two})", f"({one} || {two} || {three})"])


@pytest.mark.parametrize("seed", range(40))
def test_conditions_on_what_may_be_null(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = Random(seed)
    lines = [
        'pact p "1.0.0" on R',
        "record R { session: string time: timestamp(s) a: bool? b: bool? k: string? n: int? }",
        *(f"event e{i} when {condition(rng, 2)}" for i in range(2)),
        "clause f { e0 only after e1 }",
        *(
            f"clause c{i} {{ {rng.choice(['', f'when {condition(rng, 1)} '])}"
            f"{rng.choice(['require', 'never'])} {condition(rng, 3)} && once(e0) }}"
            for i in range(4)
        ),
    ]
    program = pactlang.compile("\n".join(lines))
    assert operations(program) >= {Opcode.AND, Opcode.JUDGE}
    steps = [
        {
            "session": "s", "time": at, "k": rng.choice(["x", "y", "x" * 300, None]), "n": rng.choice([3, 4, None]),
            "a": rng.choice([True, False, None]), "b": rng.choice([True, False, None]),
        }
        for at in range(100)
    ]  # fmt: skip
    assert said(program, steps) == said(with_jumps("\n".join(lines), monkeypatch), steps)


def many_forms(seed: int, count: int) -> tuple[DrawSessions, list[str], list[str]]:
    """Lines before the clauses of a drawn pact, and so many forms that compile."""
    draw = DrawSessions(Random(seed))
    draw.timed = draw.sliced = True
    while True:
        head = [line for line in draw.text().splitlines() if not line.startswith("clause")]
        if compile_source(Source("p", "\n".join([*head, "clause c { at most 1 e0 per session }"])))[0]:
            break
    forms: list[str] = []
    while len(forms) < count:
        form = draw.clause()
        if compile_source(Source("p", "\n".join([*head, f"clause c {{ {form} }}"])))[0]:
            forms.append(form)
    return draw, head, forms


@pytest.mark.parametrize("seed", range(3))
def test_more_clauses_than_a_word_has_bits(seed: int) -> None:
    draw, head, forms = many_forms(seed, 150)
    clauses = [f"clause c{i} {{ {form} }}" for i, form in enumerate(forms)]
    whole = pactlang.compile("\n".join([*head, *clauses]))
    steps = list(draw.trace(random_steps(Random(seed), 80)))
    outcomes, resolved = said(whole, steps)
    for i, clause in enumerate(clauses):
        remembers = (
            "clause other { at most 9 calls per session }"  # that calls come twice is known by sessions
        )
        alone, its = said(pactlang.compile("\n".join([*head, clause, remembers])), steps)
        assert [row[i] for row in outcomes] == [row[0] for row in alone], clause
        assert [each for each in resolved if each[1] == f"c{i}"] == its


def test_short_and_long_keys_of_sessions() -> None:
    """The session is found by the value of its key, whatever object holds it, and whatever came between."""
    monitor = pactlang.Monitor(
        pactlang.compile('pact p "1.0.0" event a when tool == "a" clause c { at most 2 a per session }')
    )
    keys = ["s", "t", "s" * 128, "t" * 128, "s" * 129, "s" * 4_000, "\u00e9", "\u0394", "e\u0301"]
    for turn in range(3):
        for key in [*keys, *keys[::-1]]:
            for _ in range(turn):
                fresh = key.encode().decode()
                verdict = monitor.feed({"session": fresh, "tool": "x"})
                assert verdict.outcomes["c"] == pactlang.Outcome.SKIPPED
    assert monitor.counts["sessions"] == len(keys)
    for key in keys:
        for wanted in (0, 0, 1):
            verdict = monitor.feed({"session": key.encode().decode(), "tool": "a"})
            assert verdict.outcomes["c"] == wanted
        assert monitor.end(key)
        assert monitor.feed({"session": key, "tool": "a"}).outcomes["c"] == 0
