"""How deep loops nest.

In: `ir.Expr`.  Out: a number.  The turns of loops inside one another multiply, so their depth is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pactlang import ir

MAX_LOOPS = 12


def loops(node: ir.Expr) -> int:
    """The most loops that stand inside one another in an expression."""
    if not isinstance(node, ir.Comprehension):
        return max(map(loops, parts(node)), default=0)
    inside = [part for part in (node.test, node.body) if part is not None]
    return max(loops(node.source), 1 + max(map(loops, inside), default=0))


def parts(node: ir.Expr) -> Iterator[ir.Expr]:
    """The expressions that a node is made of."""
    for name in node.__struct_fields__:
        yield from found(getattr(node, name))


def found(value: Any) -> Iterator[ir.Expr]:
    """The expressions in a field of a node."""
    if isinstance(value, ir.Node):
        yield value  # type: ignore[misc]  # every node is one of `Expr`
    elif isinstance(value, tuple):
        for each in value:
            yield from found(each)
