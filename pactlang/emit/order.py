"""Which operands of `&&` and `||` come first: those that take no loop and no search.

In: operands as they were written.  Out: the same, cheap ones first, otherwise in their order.  By CEL's rule
the outcome of a chain does not depend on the order of its operands, nor whether it is an error value; which
error value it is does, and no clause tells that.
"""

from __future__ import annotations

from pactlang import ir
from pactlang.functions import OPERATORS

CHEAP = frozenset((*OPERATORS.values(), "size", "dyn", "has"))


class Order:
    """Ranks expressions; each is looked at once."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[ir.Expr, int]] = {}  # by identity; the expression is kept alive

    def cheap_first(self, operands: tuple[ir.Expr, ...]) -> tuple[ir.Expr, ...]:
        """The operands, those of a lower rank first."""
        return tuple(sorted(operands, key=self.rank))

    def rank(self, node: ir.Expr) -> int:
        """0: some instructions; 1: a call; 2: goes through a text or list, or makes one."""
        if id(node) not in self.known:
            inside = max(map(self.rank, ir.parts(node)), default=0)
            self.known[id(node)] = (node, max(own_rank(node), inside))
        return self.known[id(node)][1]


def own_rank(node: ir.Expr) -> int:
    match node:
        case ir.Comprehension() | ir.Matches() | ir.Says() | ir.Call(function="contains" | "matches"):
            return 2
        case ir.Call(function=function):
            return 0 if function in CHEAP else 1
        case ir.ListOf() | ir.MapOf() | ir.OptionalMap():
            return 1
    return 0
