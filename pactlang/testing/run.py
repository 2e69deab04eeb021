"""Run the tests of a pact and hold what comes out to what is expected.

In: a program; its tests are in its typed tree.  Out: `Report`.  Clauses that an `expect` does not name
are free; `expect ok` names them all.

An `expect` is about the call before it, and holds or not when the test has ended: a verdict that is
pending when the call is judged, and resolved by a later call, is what it was resolved to.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from typing import NamedTuple

from pactlang import ir
from pactlang.build import doubting
from pactlang.evaluator import Evaluator, Monitor
from pactlang.opcodes import Outcome
from pactlang.program import Program
from pactlang.testing.feed import Feed, Judged

OUTCOMES = {"violation": Outcome.VIOLATED, "unknown": Outcome.UNKNOWN, "skipped": Outcome.SKIPPED}
AMISS = (Outcome.VIOLATED, Outcome.UNKNOWN)  # what `expect ok` rules out


class Wrong(NamedTuple):
    """A clause that came out otherwise: `found` and `expected` are outcomes in a word."""

    clause: str
    found: str
    expected: str


class Failure(NamedTuple):
    """An `expect` that does not hold: of which call, and the clauses that came out otherwise.  There are
    none of these if `ok` was expected of a call that cannot be read."""

    expect: ir.TestExpect
    judged: Judged
    wrong: tuple[Wrong, ...]


class Result(NamedTuple):
    """One test: its calls, and the expectations that do not hold."""

    test: ir.Test
    calls: tuple[Judged, ...]
    failures: tuple[Failure, ...]

    @property
    def ok(self) -> bool:
        """True if all that is expected holds."""
        return not self.failures

    @property
    def name(self) -> str:
        """The test's name."""
        return self.test.name


class Report(NamedTuple):
    """All tests of a pact, in the order of its text."""

    program: Program
    results: tuple[Result, ...]

    @property
    def passed(self) -> int:
        """How many tests passed."""
        return sum(result.ok for result in self.results)

    @property
    def failed(self) -> int:
        """How many tests failed."""
        return len(self.results) - self.passed

    @property
    def ok(self) -> bool:
        """True if no test failed."""
        return not self.failed

    @property
    def summary(self) -> str:
        """`3 passed, 1 failed`."""
        return f"{self.passed:,} passed, {self.failed:,} failed"


def run_tests(program: Program) -> Report:
    """Run every test of a pact, each on its own: on a monitor of its own, where the pact remembers."""
    if any(clause.remembers for clause in program.clauses):
        doubted = doubting(program) if program.module.tests else program  # a call may leave fields out
        judges: Iterator[Evaluator] = (Monitor(doubted).machine for _ in program.module.tests)
    else:
        judges = repeat(Evaluator(program))
    return Report(program, tuple(map(_run, judges, program.module.tests)))


def _run(evaluator: Evaluator, test: ir.Test) -> Result:
    feed, calls = Feed(evaluator), list[Judged]()
    expected: list[tuple[ir.TestExpect, Judged]] = []
    for step in test.steps:
        if isinstance(step, ir.TestCall):
            calls.append(feed.call(step))
        elif calls:
            expected.append((step, calls[-1]))
    failures = (_failure(expect, judged) for expect, judged in expected)
    return Result(test, tuple(calls), tuple(failure for failure in failures if failure is not None))


def _failure(expect: ir.TestExpect, judged: Judged) -> Failure | None:
    wrong = tuple(_wrong(expect, judged))
    return Failure(expect, judged, wrong) if wrong or judged.unreadable else None


def _wrong(expect: ir.TestExpect, judged: Judged) -> Iterator[Wrong]:
    if expect.what == "ok":
        waiting = judged.waiting
        for clause, outcome in judged.outcomes.items():
            if outcome in AMISS and clause not in waiting:
                yield Wrong(clause, word(outcome), "neither violated nor unknown")
        return
    wanted = OUTCOMES.get(expect.what)
    for clause in expect.clauses:
        found = judged.outcomes.get(clause)
        if found is None or found != wanted:
            yield Wrong(clause, _word_of(judged, found), word(wanted))


def _word_of(judged: Judged, found: Outcome | None) -> str:
    if found is not None or judged.unreadable:
        return word(found)
    if judged.duplicate:
        return "not judged: the call came before"
    return "outside the pact" if judged.outside else "no clause of the pact"


def word(outcome: Outcome | None) -> str:
    """An outcome in a word."""
    return "not judged" if outcome is None else outcome.name.lower()
