"""What the watches of a pact promise: one false alarm in how many calls.

In: clauses.  Out: numbers of calls.

A detector with the threshold N brings n / N false alarms in n calls on average at most, whatever hangs on
what, and so does a watch with many groups, since each call is one of one group alone (`runtime/drift.h`).
Alarms of several watches add up: together they bring n (1 / N1 + 1 / N2 + ...) at most.

A watch with a number promises that number.  Those without one share a promise: together one false alarm in
`CALLS`, so each of J has J times as many.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from pactlang import ir

# Fields that tell versions of an agent apart, where a record has them.
FIELDS = ("agent_version", "provider", "model", "response_model", "prompt", "tools", "dependencies")
CALLS = 100_000  # of all watches without a number of their own, together
MOST_CALLS = 100_000_000
MOST_SHARING = 150  # watches without a number: then the machine can count what all bins of one have to reach


def is_sure(watch: ir.Watch) -> bool:
    """Whether there is nothing to weigh: the first hit is the alarm, and no alarm is false."""
    return watch.base is None and watch.rate[0] == 0


def promised_calls(clauses: Iterable[ir.Clause]) -> dict[str, int]:
    """Of each watch: one false alarm in how many calls that it looks at."""
    watches = {clause.name: clause.promise for clause in clauses if isinstance(clause.promise, ir.Watch)}
    sharing = sum(watch.calls < 0 for watch in watches.values())
    shared = sharing * CALLS
    return {name: watch.calls if watch.calls > 0 else shared for name, watch in watches.items()}


def pact_calls(clauses: Iterable[ir.Clause]) -> int | None:
    """Of all watches together: one false alarm in so many calls of the pact; None without a watch that can
    give one.  A watch of `above 0.0` gives none: what it promises never to come has come."""
    clauses = list(clauses)
    sure = {c.name for c in clauses if isinstance(c.promise, ir.Watch) and is_sure(c.promise)}
    calls = [n for name, n in promised_calls(clauses).items() if name not in sure]
    return int(1 / sum(Fraction(1, n) for n in calls)) if calls else None
