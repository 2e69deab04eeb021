"""`store { ... }`: what a ledger may hold of a call.

In: the items of `syntax.Store`.  Out: `ir.StoreRule`s, in the order in which they are written.  They
decide no verdict, so a field that only they name is not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pactlang import ir, syntax
from pactlang.check.report import an, suggest
from pactlang.diagnostic import Label
from pactlang.schema import Field, Type
from pactlang.source import Span

if TYPE_CHECKING:
    from pactlang.check.walk import Walk

TEXTLESS = ("bool", "int", "uint", "double", "bytes", "timestamp", "duration")
MOST = 2**63 - 1  # nanoseconds or bytes: what an artifact can say


class Store:
    """The check of one `store`."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.report = walk, walk.report
        self.first: dict[tuple[str, str, str], Span] = {}

    def check(self, store: syntax.Store) -> tuple[ir.StoreRule, ...]:
        """The rules that are sound; the others are reported."""
        rules = [self._rule(item) for item in store.items]
        return tuple(rule for rule in rules if rule is not None)

    def _rule(self, item: syntax.StoreItem) -> ir.StoreRule | None:
        if self._comes_again(item):
            return None
        if item.field is None:
            return self._bound(item)
        field = self.walk.fields.get(item.field.name)
        if field is None:
            name, span = item.field.name, item.field.span
            self.report.unknown("field", name, span, self.walk.fields, "the record has no such field")
            return None
        pattern = self._pattern(item.pattern, field, item.field.span) if item.pattern is not None else -1
        return None if pattern is None else ir.StoreRule(item.kind, (field.name,), pattern)

    def _bound(self, item: syntax.StoreItem) -> ir.StoreRule | None:
        amount = item.amount or 0
        if 0 < amount <= MOST:
            return ir.StoreRule(item.kind, amount=amount)
        what = "nothing could be kept" if not amount else "that is more than a ledger can count"
        self.report.error("wrong-store", f"`{item.kind}` is out of range: {what}", item.span)
        return None

    def _comes_again(self, item: syntax.StoreItem) -> bool:
        """Whether the same was said before; also warns where a field is dropped already."""
        field, pattern = (part.name if part else "" for part in (item.field, item.pattern))
        first = self.first.setdefault((item.kind, field, pattern), item.span)
        if first is not item.span:
            what = " ".join(filter(None, (item.kind, field, pattern)))
            self.report.error(
                "duplicate-item", f"`{what}` comes twice", item.span, "again here",
                related=(Label(first, "first here"),),
            )  # fmt: skip
            return True
        if item.kind == "redact" and ("drop", field, "") in self.first:
            message = f"`{field}` is dropped: nothing of it is left to redact"
            self.report.warning("unreachable", message, item.span)
        return False

    def _pattern(self, name: syntax.Ident, field: Field, place: Span) -> int | None:
        item = self.walk.names.get(name.name)
        if not isinstance(item, syntax.PatternDecl):
            self._no_pattern(name, item is not None)
            return None
        if not has_text(field.type):
            what = f"a pattern is sought in text, and `{field.name}` is {an(field.type)}"
            help = (f"write `redact {field.name}` or `drop {field.name}`",)
            self.report.error("type-mismatch", what, place, f"this is {an(field.type)}", help=help)
            return None
        check = item.check.name if item.check is not None else ""
        return self.walk.patterns.pattern(item.name.name, item.pattern.value, check)

    def _no_pattern(self, name: syntax.Ident, declared: bool) -> None:
        patterns = [n for n, item in self.walk.names.items() if isinstance(item, syntax.PatternDecl)]
        message = f"`{name.name}` is no pattern" if declared else f"unknown pattern `{name.name}`"
        code = "type-mismatch" if declared else "unknown-pattern"
        self.report.error(code, message, name.span, **suggest(name.name, name.span, patterns))


def has_text(type: Type) -> bool:
    """Whether a value of the type may hold text."""
    return type.kind not in TEXTLESS
