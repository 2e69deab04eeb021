"""What the windows of `keep` hold in memory, known before a pact runs.

In: `ir.Module`.  Out: a `WindowState` for each `keep`: bytes of one group, with what its figures need.

The sizes are those of `runtime/windows.h` and `runtime/sketches.h` on a machine of 64 bits; the tests hold
the two to each other.  A window of time has 61 panes and their total, a window of calls a ring of its calls.
What hangs on the values, and not on how many there are, has a bound: the different values of `distinct`, and
the buckets of a quantile's value, for numbers that lie within a factor of 4,096.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pactlang import ir
from pactlang.cost.state import ENTRY, HEAP, PLACES

GROUP = 296  # what is known of a group, with four windows
SUM = 32  # of one figure in a pane, or in a total
PANES = 61
RING = 32  # of one figure over calls, without its calls
COUNTER, TOTAL, EXTREME, VALUE = 1, 17, 25, 9  # bytes of one call in a ring, by what the figure keeps
FIRST_CALLS = 16  # that a ring has room for at first; it doubles
MOST_GROUPS = 1_000  # without `limit`
SET = 16_384  # of up to 256 different values; beyond that there are fewer bytes
BAG = 32  # what finds it
ENTRIES = 16  # bytes of an entry of a bag of values, which is a third to two thirds full
BUCKETS = 12 * 64  # of numbers within a factor of 4,096
BUCKET_BAG = 65_536  # a bag of so many


class WindowState(NamedTuple):
    """What the windows of a clause hold.

    group: bytes of each group, from its first call.  full: the same once its rings are full.  groups: how
    many there can be.  most: bytes that come on top of a group with many different values.
    """

    name: str
    group: int
    full: int
    groups: int
    most: int


def window_costs(module: ir.Module) -> tuple[WindowState, ...]:
    """What a checked pact holds of each group of each `keep`."""
    return tuple(
        _keep(clause.name, clause.promise) for clause in module.clauses if isinstance(clause.promise, ir.Keep)
    )


def _keep(name: str, keep: ir.Keep) -> WindowState:
    kinds = list(_kinds(keep))
    fixed = GROUP + HEAP + PLACES * ENTRY * bool(keep.keys)
    first = fixed + sum(_window(window, kinds, FIRST_CALLS) for window in keep.windows)
    full = fixed + sum(_window(window, kinds, window.calls) for window in keep.windows)
    groups = 1 if not keep.keys else keep.limit if keep.limit > 0 else MOST_GROUPS
    return WindowState(name, first, full, groups, sum(_values(window, kinds) for window in keep.windows))


def _kinds(keep: ir.Keep) -> Iterator[int]:
    """What each different figure keeps of a call.  A quantile against a constant is two counts at most."""
    seen: list[ir.Aggregate] = []
    for node in ir.nodes(keep.comparison):
        if not isinstance(node, ir.Aggregate) or node in seen:
            continue
        seen.append(node)
        if node.kind == "quantile" and isinstance(keep.comparison, ir.Call) and _is_counted(keep.comparison):
            yield from [COUNTER] * (2 if keep.comparison.function in ("_==_", "_!=_") else 1)
        else:
            yield {"sum": TOTAL, "avg": TOTAL, "min": EXTREME, "max": EXTREME, "quantile": VALUE,
                   "distinct": -VALUE}.get(node.kind, COUNTER)  # fmt: skip


def _is_counted(comparison: ir.Expr) -> bool:
    """Whether an aggregate is compared with a constant."""
    sides = [ir.bare(side) for side in comparison.args] if isinstance(comparison, ir.Call) else []
    return {type(side) for side in sides} == {ir.Aggregate, ir.Const}


def _window(window: ir.Window, kinds: list[int], calls: int) -> int:
    """Bytes of one window, with room for so many of its calls."""
    if window.calls <= 0:
        return (PANES + 1) * SUM * len(kinds) + 2 * HEAP
    calls = min(calls, window.calls)
    rings = sum(calls * abs(kind) + HEAP * (1 + (kind != COUNTER) + (kind == EXTREME)) for kind in kinds)
    return (RING + SUM) * len(kinds) + 2 * HEAP + rings


def _values(window: ir.Window, kinds: list[int]) -> int:
    """Bytes that hang on how many different values there are."""
    parts = PANES if window.calls <= 0 else 0  # each pane has its own beside the total
    sets = (parts + 1) * (SET + BAG + 2 * HEAP) if parts else _bag(window.calls)
    sketches = parts * (BUCKET_BAG + BAG + 2 * HEAP) + (BUCKETS + BUCKETS // 64) * 8 + BAG + 2 * HEAP
    return sum(sets if kind < 0 else sketches for kind in kinds if kind in (VALUE, -VALUE))


def _bag(values: int) -> int:
    """Bytes of a bag of so many values at most, whose room doubles."""
    room = 8
    while room < 3 * (values + 1):
        room *= 2
    return room * ENTRIES + BAG + 2 * HEAP
