"""Expressions as text: as their author wrote them, or, without the source, written anew.

In: `ir` nodes, the module, the source if there is one.  Out: one line of text.

A constant that came by a `let` is far from the expression it stands in; `alias` finds its name there.
"""

from __future__ import annotations

import re

from pactlang import ir
from pactlang.evaluate import constant, place
from pactlang.explain.show import clipped, printable, shown
from pactlang.source import Source, Span

WIDTH = 200  # characters of one expression
_BLANKS = re.compile(r"\s+")
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)

BINARY = {
    "_+_": "+", "_-_": "-", "_*_": "*", "_/_": "/", "_%_": "%", "_==_": "==", "_!=_": "!=", "_<_": "<",
    "_<=_": "<=", "_>_": ">", "_>=_": ">=", "@in": "in",
}  # fmt: skip
METHODS = {"contains", "startsWith", "endsWith", "matches"}


class Writer:
    """Writes the expressions of one module."""

    def __init__(self, module: ir.Module, source: Source | None) -> None:
        self.module = module
        self.source = source

    def text(self, node: ir.Expr) -> str:
        """The expression in one line."""
        if self.source is None or node.span[1] <= node.span[0]:
            return clipped(printable(self.anew(node)), WIDTH)
        return self.slice(*node.span)

    def slice(self, start: int, end: int) -> str:
        """A part of the source in one line."""
        raw = self.source.slice(Span(start, end)) if self.source is not None else ""
        return clipped(printable(_BLANKS.sub(" ", raw).strip()), WIDTH)

    def path(self, node: ir.Expr) -> str:
        """The field that is read: `args.amount`."""
        return place(node, self.module) or self.text(node)

    def alias(self, part: ir.Expr, whole: ir.Expr) -> str:
        """The name by which `whole` calls its last operand `part`, where that is a `let`'s; or ""."""
        inside = whole.span[0] <= part.span[0] and part.span[1] <= whole.span[1]
        if self.source is None or inside:
            return ""
        found = _NAME.findall(self.slice(*whole.span))
        return found[-1] if found and self.slice(*whole.span).endswith(found[-1]) else ""

    def anew(self, node: ir.Expr) -> str:
        """The expression written anew, with every operand that is no name or constant in parentheses."""
        match node:
            case ir.Const():
                return shown(constant(node), self.module.schema)
            case ir.Slot() | ir.Var():
                return place(node, self.module)
            case ir.Member() | ir.Key():
                return place(node, self.module) or f"{self._operand(node.operand)}.{_last(node)}"
            case ir.Has():
                return f"has({self.anew(node.operand)})"
            case ir.Not():
                return f"!{self._operand(node.operand)}"
            case ir.Logic():
                return f" {node.op} ".join(self._operand(operand) for operand in node.operands)
            case ir.Cond():
                return " ".join(
                    (self._operand(node.test), "?", self._operand(node.yes), ":", self._operand(node.no))
                )
            case ir.Matches():
                pattern = self.module.patterns[node.pattern]
                return f"{self._operand(node.operand)}.matches({pattern.name or repr(pattern.source)})"
            case ir.Says():
                return (
                    f"{self._operand(node.operand)}.says({phrases_name(self.module.phrases[node.phrases])})"
                )
            case ir.ListOf():
                items = (f"{'?' * (i in node.optional)}{self.anew(x)}" for i, x in enumerate(node.items))
                return f"[{', '.join(items)}]"
            case ir.MapOf():
                pairs = (
                    f"{'?' * (i in node.optional)}{self.anew(key)}: {self.anew(value)}"
                    for i, (key, value) in enumerate(node.entries)
                )
                return f"{{{', '.join(pairs)}}}"
            case ir.Comprehension():
                names = [name for name in (node.name, node.second_name) if name]
                inside = [self.anew(part) for part in (node.test, node.body) if part is not None]
                return f"{self._operand(node.source)}.{macro(node)}({', '.join([*names, *inside])})"
            case ir.Bind():
                values = zip(node.names, map(self.anew, node.inits), strict=True)
                body = self.anew(node.body)
                for name, value in reversed(list(values)):
                    body = f"cel.bind({name}, {value}, {body})"
                return body
            case ir.OptionalMap():
                name = "optFlatMap" if node.flat else "optMap"
                return f"{self._operand(node.operand)}.{name}({node.name}, {self.anew(node.body)})"
        return self._call(node)

    def _call(self, node: ir.Call) -> str:
        if node.function in BINARY and len(node.args) == 2:
            left, right = map(self._operand, node.args)
            return f"{left} {BINARY[node.function]} {right}"
        if node.function == "-_":
            return f"-{self._operand(node.args[0])}"
        if node.function == "_[_]":
            return f"{self._operand(node.args[0])}[{self.anew(node.args[1])}]"
        if node.function in METHODS or node.function.startswith("get"):
            return f"{self._operand(node.args[0])}.{node.function}({self._row(node.args[1:])})"
        return f"{node.function}({self._row(node.args)})"

    def _operand(self, node: ir.Expr) -> str:
        text = self.anew(node)
        compound = isinstance(node, ir.Logic | ir.Cond) or (
            isinstance(node, ir.Call) and (node.function in BINARY or node.function == "-_")
        )
        return f"({text})" if compound else text

    def _row(self, nodes: tuple[ir.Expr, ...] | list[ir.Expr]) -> str:
        return ", ".join(map(self.anew, nodes))


def macro(node: ir.Comprehension) -> str:
    """The macro of a comprehension as it is written."""
    if node.macro == "map" and node.second >= 0:
        return "transformList"
    return {"to_map": "transformMap", "to_entries": "transformMapEntry"}.get(node.macro, node.macro)


def _last(node: ir.Member | ir.Key) -> str:
    return node.field if isinstance(node, ir.Member) else node.key


def phrases_name(phrases: ir.Phrases) -> str:
    """The name of a list of phrases, or the list where it has none."""
    return phrases.name or f"[{', '.join(map(repr, phrases.phrases))}]"
