"""What is known where an expression stands: places that are not null, conditions that are constant.

In: typed expressions.  Out: for an expression that came out true (or false), the places that are then
not null.  A place is a path from the record, or from a comprehension's variable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from pactlang import ir
from pactlang.schema import Type

Place = tuple[str, ...]
Facts = frozenset[Place]
NOTHING: Facts = frozenset()

# Operators for which null is an ordinary value, and functions that take any value.
LENIENT = frozenset(
    {"_==_", "_!=_", "@in", "type", "dyn", "optional.of", "optional.ofNonZeroValue", "orValue"}
)

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "_==_": eq, "_!=_": ne, "_<_": lt, "_<=_": le, "_>_": gt, "_>=_": ge,
}  # fmt: skip
PLAIN = frozenset({"bool", "int", "uint", "double", "string"})


class Known:
    """Reads facts off expressions; `paths` gives the path of a slot."""

    def __init__(self, path: Callable[[int], tuple[str, ...]]) -> None:
        self.path = path

    def place(self, node: ir.Expr) -> Place | None:
        """The place that `node` reads, or None if it computes something."""
        match node:
            case ir.Slot(slot=slot):
                return ("call", *self.path(slot))
            case ir.Var(index=index):
                return (f"${index}",)
            case ir.Member(operand=operand, field=name) | ir.Key(operand=operand, key=name):
                base = self.place(operand)
                return None if base is None else (*base, name)
        return None

    def present(self, node: ir.Expr) -> Facts:
        """That `node` is not null, and neither is anything it is reached through."""
        place = self.place(node)
        return NOTHING if place is None else frozenset(place[:end] for end in range(1, len(place) + 1))

    def when(self, node: ir.Expr, truth: bool) -> Facts:
        """What is not null where `node` has come out as `truth`."""
        match node:
            case ir.Has(operand=operand):
                return self.present(operand) if truth else NOTHING
            case ir.Not(operand=operand):
                return self.when(operand, not truth)
            case ir.Logic(op=op, operands=operands):
                return self._logic(operands, truth, every=(op == "&&") == truth)
            case ir.Call():
                return self._call(node, truth)
            case ir.Matches(operand=operand) | ir.Says(operand=operand):
                return self.present(operand)
            case ir.Slot() | ir.Member() | ir.Var():
                return self.present(node)
        return NOTHING

    def _logic(self, operands: Iterable[ir.Expr], truth: bool, every: bool) -> Facts:
        found = [self.when(operand, truth) for operand in operands]
        return NOTHING.union(*found) if every else found[0].intersection(*found[1:])

    def _call(self, node: ir.Call, truth: bool) -> Facts:
        if node.function in ("_==_", "_!=_"):
            left, right = node.args
            return self._equality(left, right, (node.function == "_==_") == truth)
        if node.function == "@in":
            item, source = node.args
            return self.present(item) if truth and surely(source.type.element) else NOTHING
        if node.function in LENIENT:
            return NOTHING
        return NOTHING.union(*map(self._used, node.args))

    def _used(self, node: ir.Expr) -> Facts:
        """What is not null where `node`, an argument of a strict function, has a value."""
        if isinstance(node, ir.Call) and node.function not in LENIENT:
            return NOTHING.union(*map(self._used, node.args))
        return self.present(node)

    def _equality(self, left: ir.Expr, right: ir.Expr, equal: bool) -> Facts:
        found = NOTHING
        for one, other in ((left, right), (right, left)):
            if surely(other.type) if equal else other.type.kind == "null":
                found |= self.present(one)
        return found


def surely(type: Type) -> bool:
    """True if a value of the type is never null."""
    return not type.nullable and type.kind not in ("null", "dyn", "error")


def constant(node: ir.Expr) -> bool | None:
    """True or false if the condition is that whatever the record holds; None if it depends."""
    match node:
        case ir.Const(value=bool(value)):
            return value
        case ir.Not(operand=operand):
            inner = constant(operand)
            return None if inner is None else not inner
        case ir.Logic(op=op, operands=operands):
            return _constant_logic(operands, op == "||")
        case ir.Cond(test=test, yes=yes, no=no):
            chosen = constant(test)
            return None if chosen is None else constant(yes if chosen else no)
        case ir.Call(function=function, args=(ir.Const() as left, ir.Const() as right)):
            if function in COMPARE and left.type.kind == right.type.kind and left.type.kind in PLAIN:
                return COMPARE[function](left.value, right.value)
    return None


def _constant_logic(operands: Iterable[ir.Expr], decisive: bool) -> bool | None:
    """The value of `&&` (`||`): false (true) decides alone, else all must be known."""
    found = [constant(operand) for operand in operands]
    if decisive in found:
        return decisive
    return None if None in found else not decisive
