"""Expressions as text: as their author wrote them, or, without the source, written anew.

In: `ir` nodes, the module, the source if there is one.  Out: one line of text.

A constant that came by a `let` is far from the expression it stands in; `alias` finds its name there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pactlang import ir
from pactlang.evaluate import constant, optional_field, place
from pactlang.evaluate.traces import BLOCKS_OWN, macro
from pactlang.explain.show import clipped, printable, quoted, shown
from pactlang.explain.story import Bound, is_literal, place_like
from pactlang.functions import FUNCTIONS
from pactlang.source import Source, Span

WIDTH = 200  # characters of one expression
_BLANKS = re.compile(r"\s+")
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)

BINARY = {
    "_+_": "+", "_-_": "-", "_*_": "*", "_/_": "/", "_%_": "%", "_==_": "==", "_!=_": "!=", "_<_": "<",
    "_<=_": "<=", "_>_": ">", "_>=_": ">=", "@in": "in",
}  # fmt: skip


LENGTHS = (
    ("d", 86_400 * 10**9), ("h", 3_600 * 10**9), ("m", 60 * 10**9), ("s", 10**9), ("ms", 10**6),
    ("us", 10**3), ("ns", 1),
)  # fmt: skip


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

    def path(self, node: ir.Expr, bound: Bound | None = None) -> str:
        """The field that is read, `args.amount`, through the variables that stand for one."""
        known, written = bound or {}, place(node, self.module)
        variable = _base(node)
        if isinstance(variable, ir.Var) and variable.index in known and written:
            holder = known[variable.index].node
            if place_like(holder):
                return self.path(holder, known) + written[len(place(variable, self.module)) :]
        return written or self.text(node)

    def named(self, node: ir.Expr, bound: Bound) -> str:
        """A path; a variable with what it stands for, `total (usage.input_tokens + 1)`; or the text."""
        path = self.path(node, bound)
        if isinstance(node, ir.Var) and node.index in bound:
            init = bound[node.index].node
            return path if place_like(init) or is_literal(init) else f"{path} ({self.text(init)})"
        return path

    def alias(self, part: ir.Expr, whole: ir.Expr) -> str:
        """The name by which `whole` calls its last operand `part`, where that is a `let`'s; or ""."""
        inside = whole.span[0] <= part.span[0] and part.span[1] <= whole.span[1]
        if self.source is None or inside:
            return ""
        found = _NAME.findall(self.slice(*whole.span))
        return found[-1] if found and self.slice(*whole.span).endswith(found[-1]) else ""

    def anew(self, node: ir.Expr) -> str:
        """The expression written anew, with every operand that is no name or constant in parentheses."""
        field = optional_field(node)
        if field is not None:
            return self._select(field, "?")
        match node:
            case ir.Const():
                return shown(constant(node), self.module.schema)
            case ir.Slot() | ir.Var():
                return place(node, self.module)
            case ir.Member() | ir.Key():
                return self._select(node)
            case ir.Has():
                return f"has({self.anew(node.operand)})"
            case ir.Not():
                return f"!{self._operand(node.operand)}"
            case ir.Logic():
                return f" {node.op} ".join(self._operand(operand) for operand in node.operands)
            case ir.Cond():
                test, yes, no = map(self._operand, (node.test, node.yes, node.no))
                return f"{test} ? {yes} : {no}"
            case ir.Matches() | ir.Says():
                return self._search(node)
            case ir.ListOf():
                return f"[{', '.join(self._marked(node.items, node.optional))}]"
            case ir.MapOf():
                keys = self._marked([key for key, _ in node.entries], node.optional)
                values = self._row([value for _, value in node.entries])
                return f"{{{', '.join(map(': '.join, zip(keys, values, strict=True)))}}}"
            case ir.Comprehension():
                inside = [part for part in (node.test, node.body) if part is not None]
                return self._method(node.source, macro(node), [*variables(node), *self._row(inside)])
            case ir.Bind():
                return self._bind(node)
            case ir.OptionalMap():
                name = "optFlatMap" if node.flat else "optMap"
                return self._method(node.operand, name, [node.name, self.anew(node.body)])
            case ir.Operator():
                return self._operator(node)
            case ir.Aggregate():
                return self._aggregate(node)
        return self._call(node)

    def _operator(self, node: ir.Operator) -> str:
        within = [] if node.nanos < 0 else [length(node.nanos)]
        return f"{node.kind}{'_before' * node.before}({', '.join([*self._row(node.operands), *within])})"

    def _aggregate(self, node: ir.Aggregate) -> str:
        inside = "" if node.value is None else self.anew(node.value)
        where = "" if node.where is None else f"where {self.anew(node.where)}"
        top, bottom = node.number
        more = "" if top == 0 else f", {top / bottom:g}"
        return f"{node.kind}({' '.join(filter(None, (inside + more, where)))})"

    def _call(self, node: ir.Call) -> str:
        args = node.args
        if node.function in BINARY and len(args) == 2:
            return f"{self._operand(args[0])} {BINARY[node.function]} {self._operand(args[1])}"
        if node.function == "-_":
            return f"-{self._operand(args[0])}"
        if node.function in ("_[_]", "_[?_]"):
            return f"{self._operand(args[0])}[{'?' * (node.function == '_[?_]')}{self.anew(args[1])}]"
        if node.function == "_?._":
            return f"{self._operand(args[0])}.?{_name(str(getattr(args[1], 'value', '')))}"
        if args and _is_method(node):
            return self._method(args[0], node.function, self._row(args[1:]))
        return f"{node.function}({', '.join(self._row(args))})"

    def _bind(self, node: ir.Bind) -> str:
        body = self.anew(node.body)
        if all(name.startswith("cel.index(") for name in node.names):  # names that only a block gives
            return f"cel.block([{', '.join(self._row(node.inits))}], {body})"
        for name, init in zip(reversed(node.names), reversed(node.inits), strict=True):
            body = f"cel.bind({name}, {self.anew(init)}, {body})"
        return body

    def _search(self, node: ir.Matches | ir.Says) -> str:
        if isinstance(node, ir.Says):
            return self._method(node.operand, "says", [phrases_name(self.module.phrases[node.phrases])])
        pattern = self.module.patterns[node.pattern]
        return self._method(node.operand, "matches", [pattern.name or quoted(pattern.source)])

    def _select(self, node: ir.Slot | ir.Member | ir.Key, mark: str = "") -> str:
        """A field, or with `?` as the mark an optional one."""
        if isinstance(node, ir.Slot):
            holder, dot, field = place(node, self.module).rpartition(".")
            return f"{holder}{dot}{mark}{field}"
        name = node.field if isinstance(node, ir.Member) else node.key
        return f"{self._operand(node.operand)}.{mark}{_name(name)}"

    def _method(self, operand: ir.Expr, name: str, args: list[str]) -> str:
        return f"{self._operand(operand)}.{name}({', '.join(args)})"

    def _operand(self, node: ir.Expr) -> str:
        """Text that may stand before a dot or beside an operator."""
        text = self.anew(node)
        compound = isinstance(node, ir.Logic | ir.Cond | ir.Not) and optional_field(node) is None
        if isinstance(node, ir.Call):
            compound = node.function in BINARY or node.function == "-_"
        return f"({text})" if compound or text.startswith("-") else text

    def _marked(self, nodes: Sequence[ir.Expr], optional: tuple[int, ...]) -> list[str]:
        return ["?" * (i in optional) + text for i, text in enumerate(self._row(nodes))]

    def _row(self, nodes: Sequence[ir.Expr]) -> list[str]:
        return list(map(self.anew, nodes))


def length(nanos: int) -> str:
    """A length of time as a pact writes it: `1h30m`."""
    said = ""
    for unit, size in LENGTHS:
        whole, nanos = divmod(nanos, size)
        said += f"{whole}{unit}" if whole else ""
    return said or "0s"


def _is_method(node: ir.Call) -> bool:
    """Whether a call was written with its first argument before the dot."""
    rows = FUNCTIONS.get(node.function, ())
    proved = [row for row in rows if row.id == node.overload]
    return any(row.method for row in proved or rows)


def _base(node: ir.Expr) -> ir.Expr:
    """What a path begins with."""
    match node:
        case ir.Member() | ir.Key():
            return _base(node.operand)
        case ir.Call(args=(operand, ir.Const())):
            return _base(operand)
        case ir.Cond(test=ir.Has(operand=field)) if optional_field(node) is not None:
            return _base(field)
    return node


def _name(name: str) -> str:
    return name if name.isidentifier() else f"`{name}`"


def variables(node: ir.Comprehension) -> list[str]:
    """The names of a comprehension's variables."""
    return [BLOCKS_OWN.sub(r"cel.\1(\2)", name) for name in (node.name, node.second_name) if name]


def phrases_name(phrases: ir.Phrases) -> str:
    """The name of a list of phrases, or the list where it has none."""
    return phrases.name or f"[{', '.join(map(repr, phrases.phrases))}]"
