"""The monitor against the naive evaluator: drawn pacts and traces, judged by both, call by call.

A difference names the seed, the pact and the step.  `PACT_TRACES` says how many traces are drawn.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec
import pytest
from drawn_sessions import DrawSessions, Step
from naive import Naive

import pactlang
from pactlang import ir
from pactlang.build import compile_source
from pactlang.diagnostic import has_errors
from pactlang.opcodes import Outcome
from pactlang.source import Source

TRACES = int(os.environ.get("PACT_TRACES", "5000"))
PARTS = 20  # tests among which the traces are divided
PER_PACT = 5
LENGTH = 24
U = Outcome.UNKNOWN


def drawn(seed: int) -> tuple[DrawSessions, str, pactlang.Program]:
    """A pact that compiles."""
    rng = Random(seed)
    while True:
        draw = DrawSessions(rng)
        text = draw.text()
        compiled, problems = compile_source(Source("drawn.pact", text))
        assert (compiled is None) == has_errors(problems), text
        if compiled is not None:
            return draw, text, pactlang.load(compiled.to_bytes())


def amended(monitor: pactlang.Monitor) -> list[tuple[Any, str, Outcome]]:
    return [tuple(each) for each in monitor.amendments]


def step(judge: Any, each: Step, json: bool = False) -> Any:
    """Feed a record, or do what else a step says; the verdict, if there is one."""
    if isinstance(each, tuple):
        getattr(judge, each[0])(each[1])
        return None
    return judge.feed(msgspec.json.encode(each) if json else each)


def compare(program: pactlang.Program, steps: Sequence[Step], json: bool) -> Counter[Outcome]:
    """Both say the same on every step: outcomes, what is known of the call, amendments; and count the same."""
    naive, monitor = Naive(program), pactlang.Monitor(program)
    said: Counter[Outcome] = Counter()
    for at, each in enumerate(steps):
        wanted, verdict = step(naive, each), step(monitor, each, json)
        if wanted is not None:
            assert verdict.outcomes == wanted.outcomes, at
            assert (verdict.duplicate, verdict.late) == (wanted.duplicate, wanted.late), at
            said.update(wanted.outcomes.values())
        found, amendments = naive.amendments, amended(monitor)
        if isinstance(each, tuple):  # of several sessions, in no order
            found, amendments = sorted(found, key=repr), sorted(amendments, key=repr)
        assert amendments == found, at
        said.update(outcome for _, _, outcome in found)
        naive.amendments.clear()
    counts = monitor.counts
    assert counts["conflicts"] <= naive.counts.pop("conflicts")  # of calls long ago it is not known
    assert {name: counts[name] for name in naive.counts} == naive.counts
    return said


def story(seed: int, text: str, steps: Sequence[Step], failure: AssertionError) -> str:
    """What to look at when the two differ."""
    return "\n".join([f"seed {seed}", text, *(f"{i:3} {each}" for i, each in enumerate(steps)), str(failure)])


@pytest.mark.parametrize("part", range(PARTS))
def test_the_monitor_says_what_is_meant(part: int) -> None:
    said: Counter[Outcome] = Counter()
    for number in range(TRACES // PARTS // PER_PACT):
        seed = part * 10_000 + number
        draw, text, program = drawn(seed)
        for turn in range(PER_PACT):
            steps = list(draw.trace(LENGTH))
            try:
                said += compare(program, steps, json=bool(turn % 2))
            except AssertionError as failure:
                raise AssertionError(story(seed, text, steps, failure)) from None
    assert all(said[outcome] * 20 > said.total() for outcome in Outcome), said


@pytest.mark.parametrize("part", range(PARTS))
def test_saved_and_restored_at_every_call(part: int) -> None:
    """A monitor that is saved and restored between all steps says what one says that never was."""
    for number in range(TRACES // PARTS // PER_PACT // 5):
        seed = 1_000_000 + part * 10_000 + number
        draw, text, program = drawn(seed)
        for _ in range(PER_PACT):
            steps = list(draw.trace(LENGTH))
            plain = kept = pactlang.Monitor(program)
            kept = pactlang.Monitor.restore(program, kept.snapshot())
            for at, each in enumerate(steps):
                said, again = step(plain, each), step(kept, each)
                same = said is None or said.outcomes == again.outcomes
                assert same and amended(plain) == amended(kept), f"seed {seed}, step {at}\n{text}\n{steps}"
                kept = pactlang.Monitor.restore(program, kept.snapshot())
            assert kept.counts == plain.counts


@pytest.mark.parametrize("part", range(PARTS))
def test_what_is_evicted_is_unknown_or_the_same(part: int) -> None:
    """Where memory is short, no answer is another one; it may only be unknown."""
    evicted = known = 0
    for number in range(max(10, TRACES // PARTS // 25)):
        seed = 2_000_000 + part * 10_000 + number
        draw, text, program = drawn(seed)
        if program.module.session is None:
            continue
        monitor, naive = pactlang.Monitor(program, memory=1), Naive(program)
        sound = {
            clause.name for clause in program.module.clauses if not isinstance(clause.promise, ir.Expect)
        }
        for at, each in enumerate(draw.trace(2 * LENGTH, tidy=True)):
            wanted, said = naive.feed(each).outcomes, monitor.feed(each).outcomes
            for name, outcome in said.items():
                fitting = outcome in (wanted[name], U)
                assert fitting or name not in sound, f"seed {seed}, step {at}\n{text}\n{each}"
                known += outcome != U and name in sound
        evicted += monitor.counts["evicted"]
    assert evicted and known, "nothing was tried"
