"""Which outcomes of a clause the tests have seen.

In: a `Report`.  Out: `Coverage` per clause.  A clause that no test breaks might as well not be there.
"""

from __future__ import annotations

from typing import NamedTuple

from pactlang import ir
from pactlang.opcodes import Outcome
from pactlang.testing.run import Report, word


class Coverage(NamedTuple):
    """How often a clause came out which way, over all calls of all tests, as amended; `never`: what it could
    have been and was not.  A clause that nothing lets skip cannot be skipped, and unknown is nothing to aim
    at."""

    clause: str
    satisfied: int
    violated: int
    skipped: int
    unknown: int
    never: tuple[str, ...]


def coverage(report: Report) -> tuple[Coverage, ...]:
    """Per clause of the pact what the tests have seen of it."""
    return tuple(_of(clause, report) for clause in report.program.module.clauses)


def _of(clause: ir.Clause, report: Report) -> Coverage:
    counts = dict.fromkeys(Outcome, 0)
    for result in report.results:
        for judged in result.calls:
            if clause.name in judged.outcomes:
                counts[judged.outcomes[clause.name]] += 1
    aims = [Outcome.SATISFIED, Outcome.VIOLATED] + [Outcome.SKIPPED] * _skips(clause)
    never = tuple(word(outcome) for outcome in aims if not counts[outcome])
    satisfied, violated, skipped, unknown = (counts[outcome] for outcome in Outcome)
    return Coverage(clause.name, satisfied, violated, skipped, unknown, never)


def _skips(clause: ir.Clause) -> bool:
    """Whether some call can be none that the clause is about."""
    form = clause.promise
    about_all = not isinstance(form, ir.NamedForm) or isinstance(form.event.condition, ir.Const)
    return clause.when is not None or not about_all
