"""What a guard reports: its counts, and what it tells callbacks.

In: verdicts.  Out: `Counts`, and a `Finding` per broken or undecided promise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from pactlang._runtime import MonitorVerdict
from pactlang.ir import Action
from pactlang.opcodes import Outcome
from pactlang.program import Program
from pactlang.verdict import Amendment, Verdict, Violation

WAITING = (1, 2)  # pending, insufficient: reasons of `MonitorVerdict` for what is not wrong so far


class Counts(Struct):
    """How many there were: judged + outside + undecodable + duplicates = calls, once every verdict is there.

    failed: the function raised or was cancelled.  violated, unknown: calls with such a clause.
    unstored: calls that the ledger did not take, unscored: that are not in the score.  unnumbered: calls of
    sessions whose numbers were forgotten.  callbacks_failed, callbacks_dropped: callbacks that raised, or
    that were not called because too many waited.  duplicates: calls that had come before.  amendments:
    clauses that were pending on a call and have come out, violated_later: those of them that were broken.
    """

    calls: int = 0
    judged: int = 0
    outside: int = 0
    undecodable: int = 0
    failed: int = 0
    violated: int = 0
    unknown: int = 0
    unstored: int = 0
    unscored: int = 0
    unnumbered: int = 0
    callbacks_failed: int = 0
    callbacks_dropped: int = 0
    duplicates: int = 0
    amendments: int = 0
    violated_later: int = 0


class Finding(Struct):
    """One clause that a call violates, or that could not be decided for it.

    violation: the evidence; None for an unknown clause.  consequences: what the pact wants done; of a `keep`
    none while its group stays violated.  amends: of a promise that was pending on an earlier call, that
    call's id and what came out; then there is no verdict and no call.
    """

    clause: str
    severity: str
    outcome: Outcome
    consequences: tuple[Action, ...]
    violation: Violation | None
    verdict: Verdict | None
    call: Any
    amends: Amendment | None = None

    @property
    def message(self) -> str:
        """It in one sentence."""
        return self.violation.message if self.violation else f"{self.clause} could not be decided"


def findings(program: Program, verdict: Verdict, call: Any) -> Iterator[Finding]:
    """What a verdict complains of, in the order of the source; of what may yet come out nothing."""
    evidence = {violation.clause: violation for violation in verdict.violations}
    known = verdict if isinstance(verdict, MonitorVerdict) else None
    for number, clause in enumerate(program.clauses):
        outcome = Outcome(verdict.outcome(number))
        if outcome in (Outcome.VIOLATED, Outcome.UNKNOWN):
            if known is not None and is_waiting(known, number):
                continue
            actions = clause.on_violation if outcome is Outcome.VIOLATED else clause.on_unknown
            if known is not None and outcome is Outcome.VIOLATED and _goes_on(program, known, number):
                actions = ()
            found = evidence.get(clause.name)
            yield Finding(clause.name, clause.severity, outcome, actions, found, verdict, call)


def amended(program: Program, number: int, amendment: Amendment) -> Finding:
    """What is to be told of a promise that was pending, and was broken or will not be known."""
    from pactlang.explain import later

    clause, broken = program.clauses[number], amendment.outcome is Outcome.VIOLATED
    actions = clause.on_violation if broken else clause.on_unknown
    found = later(program, clause.name) if broken else None
    return Finding(
        clause.name, clause.severity, amendment.outcome, actions, found, None, None, amendment
    )  # fmt: skip


def is_waiting(verdict: MonitorVerdict, number: int) -> bool:
    """Whether a clause that is unknown may yet be known."""
    return verdict.reasons is not None and verdict.reasons.get(number) in WAITING


def _goes_on(program: Program, verdict: MonitorVerdict, number: int) -> bool:
    """Whether a `keep` was violated before this call already."""
    state = program.core.state
    keeps = () if state is None else state.keeps
    return any(keep.clause == number for keep in keeps) and number not in (verdict.fired or ())
