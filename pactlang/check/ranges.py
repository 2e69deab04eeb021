"""Conditions that contradict each other, and alternatives that leave nothing out.

In: typed conditions.  Out: whether they can all hold; whether one of them always does.  The one idea: a
condition on one slot and constants says which values the slot may have, an interval or a set; conditions
that must all hold leave what is in all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from pactlang import ir
from pactlang.check.facts import constant

FLIPPED = {"_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_", "_==_": "_==_", "_!=_": "_!=_"}
OPPOSITE = {"_<_": "_>=_", "_<=_": "_>_", "_>_": "_<=_", "_>=_": "_<_", "_==_": "_!=_", "_!=_": "_==_"}
ORDERED = frozenset({"int", "uint", "double", "timestamp", "duration"})


class Range(NamedTuple):
    """An interval; None is no bound.  An open end is not part of it."""

    low: Any = None
    low_open: bool = False
    high: Any = None
    high_open: bool = False

    def meet(self, other: Range) -> Range:
        """What is in both."""
        low, high = self[:2], self[2:]
        if other.low is not None and (low[0] is None or (other.low, other.low_open) > low):
            low = other[:2]
        lower = other.high is not None and (
            high[0] is None or (other.high, not other.high_open) < (high[0], not high[1])
        )
        if lower:
            high = other[2:]
        return Range(*low, *high)

    @property
    def empty(self) -> bool:
        """True if no value is in it."""
        if self.low is None or self.high is None:
            return False
        return bool(self.low > self.high) or (self.low == self.high and (self.low_open or self.high_open))


RANGES: dict[str, Callable[[Any], Range]] = {
    "_<_": lambda v: Range(high=v, high_open=True), "_<=_": lambda v: Range(high=v),
    "_>_": lambda v: Range(low=v, low_open=True), "_>=_": lambda v: Range(low=v),
    "_==_": lambda v: Range(v, False, v, False),
}  # fmt: skip


def conjuncts(node: ir.Expr | None) -> list[ir.Expr]:
    """The conditions that must all hold for `node` to hold."""
    if node is None:
        return []
    if isinstance(node, ir.Logic) and node.op == "&&":
        return [inner for operand in node.operands for inner in conjuncts(operand)]
    return [node]


def contradiction(conditions: Iterable[ir.Expr]) -> bool:
    """True if the conditions cannot all be true."""
    return _conflict([(condition, True) for condition in conditions])


def tautology(alternatives: Iterable[ir.Expr]) -> bool:
    """True if one of them is true whatever the record holds, as long as none is an error value."""
    alternatives = list(alternatives)
    slots = [_slot(node) for node in alternatives]
    sure = all(slot is not None and not slot.type.nullable for slot in slots)
    return sure and _conflict([(node, False) for node in alternatives])


def _conflict(conditions: Iterable[tuple[ir.Expr, bool]]) -> bool:
    sets: dict[int, frozenset[str]] = {}
    ranges: dict[int, Range] = {}
    for node, truth in conditions:
        if constant(node) is (not truth):
            return True
        place = _slot(node)
        if place is None:
            continue
        slot = place.slot
        texts, interval = _texts(node, truth), _range(node, truth)
        if texts is not None:
            sets[slot] = sets.get(slot, texts) & texts
            if not sets[slot]:
                return True
        if interval is not None:
            ranges[slot] = ranges.get(slot, Range()).meet(interval)
            if ranges[slot].empty:
                return True
    return False


def flipped(node: ir.Expr) -> tuple[str, ir.Expr, ir.Expr] | None:
    """A comparison with the constant on the right: its function and its sides."""
    if not isinstance(node, ir.Call) or len(node.args) != 2:
        return None
    left, right = node.args
    if isinstance(left, ir.Const) and node.function in FLIPPED:
        return FLIPPED[node.function], right, left
    return node.function, left, right


def _slot(node: ir.Expr) -> ir.Slot | None:
    """The slot that a comparison with constants is about."""
    sides = flipped(node)
    return sides[1] if sides is not None and isinstance(sides[1], ir.Slot) else None


def _range(node: ir.Expr, truth: bool) -> Range | None:
    """The interval in which the slot lies where the comparison came out so."""
    sides = flipped(node)
    if sides is None or not isinstance(sides[2], ir.Const):
        return None
    function, place, other = sides[0], sides[1], sides[2]
    function = function if truth else OPPOSITE.get(function, "")
    comparable = {place.type.kind, other.type.kind} <= ORDERED and other.value == other.value
    return RANGES[function](other.value) if comparable and function in RANGES else None


def _texts(node: ir.Expr, truth: bool) -> frozenset[str] | None:
    """The texts that the slot may be; None if they are not known."""
    sides = flipped(node)
    if sides is None or sides[0] not in ("_==_", "_!=_", "@in"):
        return None
    named = _constants(sides[2])
    if named is None:
        return None
    if (sides[0] != "_!=_") == truth:
        return named
    values = sides[1].type.values
    return frozenset(values) - named if values else None


def _constants(node: ir.Expr) -> frozenset[str] | None:
    items = node.items if isinstance(node, ir.ListOf) else (node,)
    texts = [item.value for item in items if isinstance(item, ir.Const) and isinstance(item.value, str)]
    return frozenset(texts) if texts and len(texts) == len(items) else None
