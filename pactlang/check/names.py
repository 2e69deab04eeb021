"""The names a pact declares: lets, events, patterns, phrases.

In: declarations.  Out: one table by name, with duplicates and hidden fields reported.  Cycles are found
when the values are checked (`lets`).
"""

from __future__ import annotations

from collections.abc import Iterable

from pactlang import syntax
from pactlang.check.report import Report
from pactlang.diagnostic import Label

Named = syntax.Let | syntax.Event | syntax.PatternDecl | syntax.PhrasesDecl


def names_of(items: Iterable[syntax.Declaration], fields: Iterable[str], report: Report) -> dict[str, Named]:
    """The table of the names that `items` declare, for a record with `fields`; the first one counts."""
    table: dict[str, Named] = {}
    hidden = frozenset(fields)
    for item in items:
        if not isinstance(item, Named):
            continue
        first = table.setdefault(item.name.name, item)
        if first is item:
            _check_name(item, hidden, report)
        else:
            report.error(
                "duplicate-name", f"`{item.name.name}` is declared twice", item.name.span, "again here",
                related=(Label(first.name.span, "first declared here"),),
            )  # fmt: skip
    return table


def _check_name(item: Named, fields: frozenset[str], report: Report) -> None:
    name, span = item.name.name, item.name.span
    if name == "call":
        report.error("reserved-word", "`call` is the record itself; choose another name", span)
    elif name in fields:
        report.error(
            "hidden-field", f"`{name}` hides the field `{name}` of the record", span, "choose another name"
        )


def dotted(expr: syntax.Expr) -> tuple[bool, str]:
    """Whether `a.b.c` begins with a dot, and its text; "" for anything but names and dots."""
    names = []
    while isinstance(expr, syntax.Select) and not expr.optional:
        names.append(expr.field)
        expr = expr.operand
    if not isinstance(expr, syntax.Name):
        return False, ""
    return expr.absolute, ".".join([expr.name, *reversed(names)])
