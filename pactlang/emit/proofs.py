"""What is known of an expression before it runs: that it is no error value, that it is a constant.

In: `ir` nodes.  Out: proofs; what is not proved counts as unknown.
"""

from __future__ import annotations

from typing import Any

from pactlang import ir, schema


def risky_slots(slots: tuple[schema.Slot, ...]) -> frozenset[int]:
    """The slots whose value may be an error value: those below a record that may be null."""
    risky: set[int] = set()
    for i, slot in enumerate(slots):
        if slot.base >= 0 and (slot.base in risky or slots[slot.base].type.nullable):
            risky.add(i)
    return frozenset(risky)


class Certainty:
    """What can be proved never to be an error value."""

    def __init__(self, known: schema.Schema) -> None:
        # Decoding has made what a pact reads be of its type; nobody has looked at a variable's value.
        self.decoded = known.root != schema.VARIABLES
        self.risky = risky_slots(known.slots)
        self.elements: set[int] = set()  # variables that take what decoding has made

    def enter(self, loop: ir.Comprehension) -> None:
        """Note the variables of a loop that is about to be emitted."""
        if self.decoded and isinstance(loop.source, ir.Slot | ir.Member):
            self.elements |= {loop.var, loop.second}

    def can_fail(self, node: ir.Expr) -> bool:
        """False only where no error value can arise: what is not proved counts as failing."""
        match node:
            case ir.Const():
                return False
            case ir.Slot() | ir.Var():
                return node.type.nullable or self.can_compare_fail(node)
            case ir.Has(operand=ir.Slot()):
                return not self.decoded
            case ir.Logic():
                return any(self.can_fail(operand) for operand in node.operands)
            case ir.Not():
                return self.can_fail(node.operand)
            case ir.Matches(operand=ir.Slot() as operand) | ir.Says(operand=ir.Slot() as operand):
                return self.can_fail(operand) or operand.type.kind != "string"
            case ir.Call(function="_==_" | "_!=_"):
                return any(self.can_compare_fail(arg) for arg in node.args)
            case ir.Call(function="_<_" | "_<=_" | "_>_" | "_>=_" | "contains" | "startsWith" | "endsWith"):
                return any(self.can_fail(arg) for arg in node.args)
            case ir.Call(function="@in", args=(item, source)):
                return self.can_compare_fail(item) or ir.constant_texts(source) is None
            case _:
                return True

    def can_compare_fail(self, node: ir.Expr) -> bool:
        """Like can_fail for `==` and `in`, to which null is a plain value."""
        unsure = node.type.kind not in schema.SCALARS or not self.decoded
        if isinstance(node, ir.Slot):
            return unsure or node.slot in self.risky
        if isinstance(node, ir.Var):
            return unsure or node.index not in self.elements
        return self.can_fail(node)


def exact_number(node: ir.Expr, kind: str) -> Any:
    """The constant as a value of `kind` (int or double) if that is the same number, else None."""
    if (
        not isinstance(node, ir.Const)
        or node.type.kind not in ("int", "double")
        or kind not in ("int", "double")
    ):
        return None
    if node.type.kind == kind:
        return node.value
    if kind == "double" and float(node.value) == node.value:
        return float(node.value)
    return None
