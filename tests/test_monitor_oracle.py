"""The monitor against the naive evaluator: drawn pacts, and traces that Hypothesis makes, judged by both, call by
call.

A difference names the pact and the step, on the plainest trace that Hypothesis finds.  `PACT_TRACES` says how
many traces are made.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import Any

import msgspec
import pytest
from drawn_sessions import DrawSessions, Step
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naive import Naive

import pactlang
from pactlang import ir
from pactlang.build import compile_source
from pactlang.diagnostic import has_errors
from pactlang.opcodes import Outcome
from pactlang.source import Source

TRACES = int(os.environ.get("PACT_TRACES", "5000"))
PARTS = 20  # tests among which the traces are divided
PACTS = max(5, TRACES // PARTS // 6)  # of each part
LENGTH = 32
STEP = 28  # bytes that a step is drawn from
U = Outcome.UNKNOWN
Pact = tuple[DrawSessions, str, pactlang.Program]


@cache
def drawn(seed: int) -> Pact:
    """A pact that compiles."""
    rng = Random(seed)
    while True:
        draw = DrawSessions(rng)
        text = draw.text()
        compiled, problems = compile_source(Source("drawn.pact", text))
        assert (compiled is None) == has_errors(problems), text
        if compiled is not None:
            return draw, text, pactlang.load(compiled.to_bytes())


def traces(longest: int = LENGTH) -> st.SearchStrategy[list[bytes]]:
    """The bytes of a trace: those of what holds of all its calls, and of each step."""
    step = st.binary(min_size=STEP, max_size=STEP)
    return st.integers(2, longest + 1).flatmap(lambda size: st.lists(step, min_size=size, max_size=size))


def each_trace(count: int, longest: int = LENGTH) -> Callable[[Callable[..., None]], None]:
    """Run a function on so many pacts and traces; one that fails is made as plain as can be."""

    def run(check: Callable[..., None]) -> None:
        quiet = [HealthCheck.too_slow, HealthCheck.data_too_large]
        plain = settings(max_examples=count, deadline=None, suppress_health_check=quiet, database=None)
        plain(given(number=st.integers(0, PACTS - 1), steps=traces(longest), json=st.booleans())(check))()

    return run


def amended(monitor: pactlang.Monitor) -> list[tuple[Any, str, Outcome]]:
    return [each[:3] for each in monitor.amendments]


def step(judge: Any, each: Step, json: bool = False) -> Any:
    """Feed a record, or do what else a step says; the verdict, if there is one."""
    if isinstance(each, tuple):
        getattr(judge, each[0])(each[1])
        return None
    return judge.feed(msgspec.json.encode(each) if json else each)


def compare(
    monitor: pactlang.Monitor, naive: Naive, steps: Sequence[Step], json: bool, loose: Sequence[str] = ()
) -> Counter[Outcome]:
    """Both say the same on every step: outcomes, what is known of the call, amendments; and count the same.
    loose: clauses of which the monitor may know less."""
    said: Counter[Outcome] = Counter()
    for at, each in enumerate(steps):
        wanted, verdict = step(naive, each), step(monitor, each, json)
        if wanted is not None:
            known = {name: U if name in loose and said == U else wanted.outcomes[name]
                     for name, said in verdict.outcomes.items()}  # fmt: skip
            assert verdict.outcomes == known and len(known) == len(wanted.outcomes), at
            assert (verdict.duplicate, verdict.late) == (wanted.duplicate, wanted.late), at
            assert wanted.duplicate or list(verdict.fired or ()) == naive.fired, at
            said.update(wanted.outcomes.values())
        found, amendments = naive.amendments, amended(monitor)
        if isinstance(each, tuple):  # of several sessions, in no order
            found, amendments = sorted(found, key=repr), sorted(amendments, key=repr)
        assert amendments == found, at
        said.update(outcome for _, _, outcome in found)
        naive.amendments.clear()
    counts = monitor.counts
    assert counts["conflicts"] <= naive.counts["conflicts"]  # of calls long ago it is not known
    assert {name: counts[name] for name in naive.counts if name not in UNLIKE} == {
        name: count for name, count in naive.counts.items() if name not in UNLIKE
    }
    return said


UNLIKE = ("conflicts", "over_keys")  # what the two do not count alike


def story(number: int, text: str, steps: Sequence[Step], failure: AssertionError) -> str:
    """What to look at when the two differ."""
    return "\n".join(
        [f"pact {number}", text, *(f"{i:3} {each}" for i, each in enumerate(steps)), str(failure)]
    )


@pytest.mark.parametrize("part", range(PARTS))
def test_the_monitor_says_what_is_meant(part: int) -> None:
    said: Counter[Outcome] = Counter()

    def check(number: int, steps: list[bytes], json: bool) -> None:
        nonlocal said
        draw, text, program = drawn(part * 10_000 + number)
        calls = list(draw.trace(steps))
        try:
            said += compare(pactlang.Monitor(program), Naive(program), calls, json)
        except AssertionError as failure:
            raise AssertionError(story(number, text, calls, failure)) from None

    each_trace(TRACES // PARTS)(check)
    assert all(said[outcome] * 20 > said.total() for outcome in Outcome), said


@pytest.mark.parametrize("part", range(PARTS))
def test_the_monitor_says_what_is_meant_where_little_is_kept(part: int) -> None:
    """With few keys and few times the bounds are reached; what is beyond them is unknown.  Of `only from`, which
    keeps a call's tokens in an order of its own, an answer may be unknown."""
    said: Counter[Outcome] = Counter()

    def check(number: int, steps: list[bytes], json: bool) -> None:
        nonlocal said
        draw, text, program = drawn(part * 10_000 + number)
        monitor, calls = pactlang.Monitor(program), list(draw.trace(steps))
        monitor.machine.keep_less(keys=1, times=4, tokens=3)
        loose = [c.name for c in program.module.clauses if isinstance(c.promise, ir.OnlyFrom)]
        try:
            said += compare(monitor, Naive(program, keys=1, times=4), calls, json, loose)
        except AssertionError as failure:
            raise AssertionError(story(number, text, calls, failure)) from None

    each_trace(TRACES // PARTS // 5)(check)
    assert TRACES < 5_000 or all(said[outcome] for outcome in Outcome), said


def test_bounds_are_reached_where_little_is_kept() -> None:
    program = pactlang.compile("""pact p "1.0.0"
        event pay when tool == "pay"
        clause once_each { at most 1 pay per session same model }
        clause few { require count(tool == "pay", 1h) < 9 }""")
    monitor = pactlang.Monitor(program)
    monitor.machine.keep_less(keys=1, times=4, tokens=3)
    calls: list[Step] = [
        {"session": "s", "seq": at, "tool": "pay", "model": "ab"[at % 2], "time": f"2026-01-01T00:0{at}:00Z"}
        for at in range(8)
    ]
    said = compare(monitor, Naive(program, keys=1, times=4), calls, json=False)
    assert monitor.counts["over_keys"] > 0 and said[U] > 4


@pytest.mark.parametrize("part", range(PARTS))
def test_saved_and_restored_at_every_call(part: int) -> None:
    """A monitor that is saved and restored between all steps says what one says that never was."""

    def check(number: int, steps: list[bytes], json: bool) -> None:
        draw, text, program = drawn(1_000_000 + part * 10_000 + number)
        plain = kept = pactlang.Monitor(program)
        kept = pactlang.Monitor.restore(program, kept.snapshot())
        for at, each in enumerate(draw.trace(steps)):
            said, again = step(plain, each, json), step(kept, each, json)
            same = said is None or (said.outcomes, said.fired) == (again.outcomes, again.fired)
            assert same and amended(plain) == amended(kept), f"pact {number}, step {at}\n{text}"
            kept = pactlang.Monitor.restore(program, kept.snapshot())
        assert kept.counts == plain.counts

    each_trace(TRACES // PARTS // 5)(check)


@pytest.mark.parametrize("part", range(PARTS))
def test_what_is_evicted_is_unknown_or_the_same(part: int) -> None:
    """Where memory is short, no answer is another one; it may only be unknown."""
    evicted = known = 0

    def check(number: int, steps: list[bytes], json: bool) -> None:
        nonlocal evicted, known
        draw, text, program = drawn(2_000_000 + part * 10_000 + number)
        monitor, naive = pactlang.Monitor(program, memory=1), Naive(program)
        sound = {c.name for c in program.module.clauses if not isinstance(c.promise, ir.Expect)}
        for at, each in enumerate(draw.trace(steps, tidy=True)):
            wanted, said = naive.feed(each).outcomes, step(monitor, each, json).outcomes
            for name, outcome in said.items():
                fitting = outcome in (wanted[name], U)
                assert fitting or name not in sound, f"pact {number}, step {at}: {name}\n{text}\n{each}"
                known += outcome != U and name in sound
        evicted += monitor.counts["evicted"]

    each_trace(max(10, TRACES // PARTS // 25), 2 * LENGTH)(check)
    assert evicted and known, "nothing was tried"
