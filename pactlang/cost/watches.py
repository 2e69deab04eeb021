"""What the detectors of a pact's watches hold, and what they promise together.

In: `ir.Module`.  Out: `WatchCosts`.  The size of a group is that of `runtime/drift.h`, with its two places
in a table; the tests hold the two to each other.
"""

from __future__ import annotations

from typing import NamedTuple

from pactlang import ir
from pactlang.drift import is_sure, pact_calls, promised_calls

GROUP, PART, PLACES, VERSIONS = 64, 464, 48, 16 * 88  # bytes
MOST_GROUPS = 1_000


class WatchState(NamedTuple):
    """What a watch holds: bytes of each group, how many groups there can be, and one false alarm in how many
    calls it promises; None for one that is told of no alarm that is false."""

    name: str
    group: int
    groups: int
    calls: int | None


class WatchCosts(NamedTuple):
    """The watches, and what all together promise: one false alarm in so many calls of the pact."""

    watches: tuple[WatchState, ...]
    calls: int | None


def group_size(parts: int) -> int:
    """Bytes of one group of so many parts."""
    return GROUP + PART * parts + PLACES + VERSIONS


def watch_costs(module: ir.Module) -> WatchCosts | None:
    """What a checked pact's watches hold and promise; None if it has none."""
    calls = promised_calls(module.clauses)
    rows = tuple(
        WatchState(
            clause.name,
            group_size(1 if watch.base is None else len(watch.base.rates)),
            MOST_GROUPS + 1 if watch.keys else 1,
            None if is_sure(watch) else calls[clause.name],
        )
        for clause in module.clauses
        if isinstance(watch := clause.promise, ir.Watch)
    )  # fmt: skip
    return WatchCosts(rows, pact_calls(module.clauses)) if rows else None
