"""What an evaluation leaves behind: error values, and the value of every sub-expression.

In: `ir` nodes.  Out: `Error`, `TraceNode`, and the words for what is read and what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from pactlang import ir
from pactlang.evaluate.calls import kind_of


class Error(Struct, frozen=True):
    """An error value.  code: a word such as `no-such-key`; span: of the expression that failed."""

    code: str
    message: str
    span: tuple[int, int] = (0, 0)

    def __str__(self) -> str:
        return self.message


class NotEvaluated:
    """What stands for the value of an expression that was never needed; there is one."""

    def __repr__(self) -> str:
        return "NOT_EVALUATED"


NOT_EVALUATED = NotEvaluated()


class TraceNode:
    """An expression, its value and its parts.

    A comprehension's children are its source and then its turns: each turn is the trace of the test
    (or the body) with the variable's value in `item` and its number in `index`; of many turns the
    first, the last and the first that came out true, false or as an error are kept.  `found` is where
    a pattern or a phrase stands, None if nowhere.
    """

    __slots__ = ("children", "found", "index", "item", "node", "value")

    def __init__(self, node: ir.Expr, value: Any = NOT_EVALUATED) -> None:
        self.node = node
        self.value = value
        self.children: list[TraceNode] = []
        self.item: Any = NOT_EVALUATED
        self.index = -1
        self.found: tuple[int, int] | None = None

    def walk(self) -> Iterator[TraceNode]:
        """This node and all below it, a node before its parts."""
        yield self
        for child in self.children:
            yield from child.walk()


def truth(expr: ir.Expr, value: Any) -> bool | Error:
    """The value of a condition; anything but a bool is an error."""
    if isinstance(value, bool | Error):
        return value
    if value is None:
        return Error("null-operand", "null is neither true nor false", expr.span)
    return Error("no-such-overload", "this is neither true nor false", expr.span)


def place(node: ir.Expr, module: ir.Module) -> str:
    """The path that a node reads, without the question marks of optionals: `args.amount`, `args.list[0]`;
    "" if it is no path."""
    match node:
        case ir.Slot():
            return module.schema.slots[node.slot].name
        case ir.Var():
            return BLOCKS_OWN.sub(r"cel.\1(\2)", node.name)
        case ir.Member():
            return _under(node.operand, node.field, module)
        case ir.Key():
            return _under(node.operand, node.key, module)
        case ir.Cond():
            field = optional_field(node)
            return "" if field is None else place(field, module)
        case ir.Call(function="_?._", args=(operand, ir.Const(value=str() as key))):
            return _under(operand, key, module)
        case ir.Call(function="_[_]" | "_[?_]", args=(operand, ir.Const(value=str() | int() as key))):
            under = place(operand, module)
            return under and f"{under}[{_literal(key)}]"
    return ""


# A variable of cel.block's own, `@iterVar:[0, 1]`.
BLOCKS_OWN = re.compile(r"^@(\w+):\[(.*)\]$")


def _under(holder: ir.Expr, name: str, module: ir.Module) -> str:
    under = place(holder, module)
    return under and f"{under}.{name if name.isidentifier() else f'`{name}`'}"


def _literal(key: str | int) -> str:
    """An index or a key as it is written."""
    if isinstance(key, str):
        return '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(key).lower()


def optional_field(node: ir.Expr) -> ir.Slot | ir.Member | None:
    """The record's field that was written as `x.?field`; None if the node is anything else."""
    match node:
        case ir.Cond(test=ir.Has(operand=ir.Slot() | ir.Member() as field), no=ir.Call(args=())):
            return field if node.test.span == node.span == node.no.span else None
    return None


def macro(node: ir.Comprehension) -> str:
    """The macro of a comprehension as it is written."""
    forms = {"to_map": "transformMap", "to_entries": "transformMapEntry"}
    if node.second >= 0:
        forms |= {"map": "transformList", "exists_one": "existsOne"}
    return forms.get(node.macro, node.macro)


def no(value: Any) -> str:
    """What a value is that is not what is needed."""
    kind = kind_of(value)
    return kind if kind == "null" else f"a{'n' * (kind[0] in 'aeio')} {kind}"
