"""Each sentence about session promises as a case: what the naive evaluator says, and the monitor too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from golden import Case, parametrize, settle
from naive import Judged, Naive
from session_cases import play

import pactlang
from pactlang.opcodes import Outcome


class ByMeaning:
    """The naive evaluator as the judge of a case."""

    def __init__(self, program: pactlang.Program) -> None:
        self.naive = Naive(program)
        self.end, self.advance = self.naive.end, self.naive.advance

    def feed(self, record: Mapping[str, Any]) -> tuple[Mapping[str, Outcome], tuple[str, ...], Judged]:
        said = self.naive.feed(record)
        return said.outcomes, said.pending, said

    def resolved(self) -> list[tuple[Any, str, Outcome]]:
        found = list(self.naive.amendments)
        self.naive.amendments.clear()
        return found


@parametrize("sessions")
def test_by_meaning(case: Case, request: pytest.FixtureRequest) -> None:
    program = pactlang.compile(case.sections["pact"])
    settle(case, "said", play(ByMeaning(program), case.sections["calls"]), request)


class ByMachine:
    """The monitor as the judge of a case."""

    def __init__(self, program: pactlang.Program) -> None:
        self.monitor = pactlang.Monitor(program)
        self.end, self.advance = self.monitor.end, self.monitor.advance

    def feed(self, record: Mapping[str, Any]) -> tuple[Mapping[str, Outcome], tuple[str, ...], Any]:
        verdict = self.monitor.feed(record)
        why = self.monitor.machine.why(verdict) if verdict.outcomes else {}
        return verdict.outcomes, tuple(name for name, reason in why.items() if reason == "pending"), verdict

    def resolved(self) -> list[tuple[Any, str, Outcome]]:
        return [(each.id, each.clause, each.outcome) for each in self.monitor.amendments]


@parametrize("sessions")
def test_the_monitor(case: Case) -> None:
    program = pactlang.load(pactlang.compile(case.sections["pact"]).to_bytes())
    assert play(ByMachine(program), case.sections["calls"]) == case.sections["said"]
