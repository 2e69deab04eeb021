"""The benchmarks compare like with like: the pact, the Python rules and the Cython peer agree.

Nothing is timed here.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

import pactlang
from pactlang import Outcome

FOLDER = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def parts() -> Any:
    """The modules `calls`, `rules` and `peer`, imported as the benchmarks import each other."""
    sys.path.insert(0, str(FOLDER))
    names = ("calls", "rules", "peer")
    try:
        yield [__import__(name) for name in names]
    finally:
        sys.path.remove(str(FOLDER))
        for name in names:
            sys.modules.pop(name, None)


def mask(verdict: pactlang.Verdict) -> int:
    return sum(1 << i for i, outcome in enumerate(verdict.outcomes.values()) if outcome == Outcome.VIOLATED)


def test_the_pact_says_what_the_rules_say(parts: list[ModuleType]) -> None:
    calls, rules, _ = parts
    evaluator = pactlang.Evaluator(pactlang.load(FOLDER / "reference.pact"))
    decoder = msgspec.json.Decoder(rules.Call)
    seen = 0
    for line in calls.lines(600):
        wanted = rules.check(decoder.decode(line))
        verdict = evaluator.check_json(line)
        assert mask(verdict) == wanted
        assert not verdict.unknown
        seen |= wanted
    assert seen.bit_count() >= 15, "the workload breaks too few rules to compare anything"


def test_the_cython_peer_says_what_the_rules_say(parts: list[ModuleType]) -> None:
    calls, rules, peer = parts
    cython = peer.build()
    cython.prepare(rules.Call, rules.ToolCall)
    for record in msgspec.json.decode(b"[" + b",".join(calls.lines(300)) + b"]", type=list[rules.Call]):
        assert cython.check(record) == rules.check_numbers(record)


def test_the_workload_is_the_same_every_time(parts: list[ModuleType]) -> None:
    calls = parts[0]
    assert list(calls.lines(20)) == list(calls.lines(20))
    assert next(calls.lines(1)).startswith(b'{"id":"call-')


def test_a_large_pact_compiles(parts: list[ModuleType]) -> None:
    sys.path.insert(0, str(FOLDER))
    try:
        bench = __import__("bench_foundation")
    finally:
        sys.path.remove(str(FOLDER))
        sys.modules.pop("bench_foundation", None)
    assert len(pactlang.compile(bench.large_pact(200)).clauses) == 200
