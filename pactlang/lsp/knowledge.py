"""Types, for the one expression that is asked about.

In: a document, and a declaration of it.  Out: the type of every expression in that declaration, and what is
in scope there.  Only names and records are known of the rest of the pact, so an answer takes the time of
a few lines, however long the file is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pactlang import ir, syntax
from pactlang.check.facts import NOTHING
from pactlang.check.names import names_of
from pactlang.check.patterns import Patterns
from pactlang.check.reads import Slots
from pactlang.check.report import Report
from pactlang.check.shapes import Shapes
from pactlang.check.walk import NOWHERE, Limit, Scope, Walk
from pactlang.diagnostic import Diagnostic, Label
from pactlang.schema import Record, Type, record_of
from pactlang.source import Source, Span
from pactlang.standard import STANDARD

if TYPE_CHECKING:
    from pactlang.lsp.document import Document


class Quiet(Report):
    """Takes findings and says nothing: spans of many segments meet here, and nobody reads it."""

    def error(self, code: str, message: str, span: Span, label: str = "", **more: object) -> None:
        level = more.get("level")
        self.found.append(Diagnostic(code, "", Label(span), level=str(level or "error")))

    def unknown(self, what: str, name: str, span: Span, names: object, label: str = "") -> None:
        self.error(f"unknown-{what}", "", span)


class Typed(Walk):
    """A walk that remembers what it has found, but for what stands in lets that are opened on the way."""

    types: dict[tuple[int, int], Type]
    scopes: dict[tuple[int, int], Scope]

    def infer(self, expr: syntax.Expr, scope: Scope) -> ir.Expr:
        node = super().infer(expr, scope)
        if not self.open:
            self.types[expr.span] = node.type
            self.scopes[expr.span] = scope
        return node


class Knowledge:
    """What is known of the names of a document."""

    def __init__(self, document: Document) -> None:
        items = tuple(document.items)
        self.report = Quiet(Source("", ""))
        shapes = Shapes(self.report, STANDARD)
        shapes.declare(item for item in items if isinstance(item, syntax.RecordDecl))
        self.records: dict[str, Record] = shapes.records
        self.root = document.root if document.root in self.records else "Call"
        slots = Slots(self.root, self.records.values())
        names = names_of(items, slots.fields[self.root], self.report)
        self.walk = Typed(self.report, slots, Patterns(self.report), names)

    def learn(self, node: syntax.Node) -> Learnt:
        """The types in a declaration."""
        walk = self.walk
        walk.types, walk.scopes = {}, {}
        for expr, scope in self._roots(node):
            self._infer(expr, scope)
        return Learnt(self, walk.types, walk.scopes)

    def _infer(self, expr: syntax.Expr, scope: Scope) -> ir.Expr | None:
        self.walk.clause()
        try:
            return self.walk.infer(expr, scope)
        except (Limit, RecursionError):
            self.walk.open.clear()
            return None

    def _roots(self, node: object) -> Iterator[tuple[syntax.Expr, Scope]]:
        """The whole expressions in a declaration, and what is known where each stands."""
        if isinstance(node, syntax.Override):
            node = node.declaration
        if not isinstance(node, syntax.Clause):
            yield from ((expr, NOWHERE) for expr in _expressions(node))
            return
        facts = NOTHING
        for item in node.items:
            if isinstance(item, syntax.When):
                condition = self._infer(item.condition, NOWHERE)
                facts = NOTHING if condition is None else self.walk.known.when(condition, True)
        for item in node.items:
            scope = NOWHERE if isinstance(item, syntax.When) else Scope(facts=facts)
            yield from ((expr, scope) for expr in _expressions(item))

    def fields(self, record: str) -> Record:
        """A record by its name."""
        return self.records.get(record) or Record(record, ())


class Learnt:
    """The types of the expressions of one declaration, by their spans."""

    def __init__(
        self,
        knowledge: Knowledge,
        types: dict[tuple[int, int], Type],
        scopes: dict[tuple[int, int], Scope],
    ) -> None:
        self.knowledge, self.types, self.scopes = knowledge, types, scopes

    def type(self, expr: syntax.Expr) -> Type | None:
        """The type of an expression; None if it has a mistake."""
        if expr.span not in self.types and isinstance(expr, syntax.Name) and expr.name == "call":
            return record_of(self.knowledge.root)
        if expr.span not in self.types:  # in the arguments of what this version does not know
            self.knowledge._infer(expr, self.scope(expr.span))
        found = self.types.get(expr.span)
        return None if found is None or found.kind == "error" else found

    def scope(self, span: Span) -> Scope:
        """What is in scope at a span: that of the smallest expression around it."""
        around = [each for each in self.scopes if each[0] <= span.start and span.end <= each[1]]
        return self.scopes[max(around)] if around else NOWHERE

    def variable(self, name: str, near: Span) -> Type | None:
        """The type of a variable, wherever an expression near a place knows it."""
        found = [
            (abs(each[0] - near.start), scope.variables[name].type)
            for each, scope in self.scopes.items()
            if name in scope.variables
        ]
        return min(found, key=lambda each: each[0])[1] if found else None


def _expressions(node: object) -> Iterator[syntax.Expr]:
    """The expressions in a node that are in no other one."""
    if isinstance(node, syntax.Expr):
        yield node
    elif isinstance(node, tuple):
        for part in node:
            yield from _expressions(part)
    elif isinstance(node, syntax.Node):
        for name in node.__struct_fields__[1:]:
            yield from _expressions(getattr(node, name))
