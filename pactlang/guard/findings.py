"""What a guard reports: its counts, and what it tells callbacks.

In: verdicts.  Out: `Counts`, and a `Finding` per broken or undecided promise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from pactlang.ir import Action
from pactlang.opcodes import Outcome
from pactlang.program import Program
from pactlang.verdict import Verdict, Violation


class Counts(Struct):
    """How many there were: `judged + outside + undecodable = calls`, once every verdict is there.

    failed: the function raised or was cancelled.  violated, unknown: calls with such a clause.
    unstored: calls that the ledger did not take.  unnumbered: calls of sessions whose numbers were
    forgotten.  callbacks_failed, callbacks_dropped: callbacks that raised, or that were not called
    because too many waited.
    """

    calls: int = 0
    judged: int = 0
    outside: int = 0
    undecodable: int = 0
    failed: int = 0
    violated: int = 0
    unknown: int = 0
    unstored: int = 0
    unnumbered: int = 0
    callbacks_failed: int = 0
    callbacks_dropped: int = 0


class Finding(Struct):
    """One clause that a call violates, or that could not be decided for it.

    violation: the evidence; None for an unknown clause.  consequences: what the pact wants done.
    """

    clause: str
    severity: str
    outcome: Outcome
    consequences: tuple[Action, ...]
    violation: Violation | None
    verdict: Verdict
    call: Any

    @property
    def message(self) -> str:
        """It in one sentence."""
        return self.violation.message if self.violation else f"{self.clause} could not be decided"


def findings(program: Program, verdict: Verdict, call: Any) -> Iterator[Finding]:
    """What a verdict complains of, in the order of the source."""
    evidence = {violation.clause: violation for violation in verdict.violations}
    for number, clause in enumerate(program.clauses):
        outcome = Outcome(verdict.outcome(number))
        if outcome in (Outcome.VIOLATED, Outcome.UNKNOWN):
            actions = clause.on_violation if outcome is Outcome.VIOLATED else clause.on_unknown
            found = evidence.get(clause.name)
            yield Finding(clause.name, clause.severity, outcome, actions, found, verdict, call)
