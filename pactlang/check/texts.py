"""`matches` and `says`: text against patterns and phrases that are known when the pact is compiled.

In: `syntax.Call`, and the `pattern` and `phrases` declarations.  Out: `ir.Matches`, `ir.Says`; a pattern
that is computed from the record stays an ordinary call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pactlang import ir, syntax
from pactlang.check import overloads
from pactlang.check.report import an, suggest
from pactlang.diagnostic import Fix
from pactlang.schema import BOOL
from pactlang.text import CHECKS, fold

if TYPE_CHECKING:
    from pactlang.check.walk import Scope, Walk


def declaration(walk: Walk, item: syntax.PatternDecl | syntax.PhrasesDecl) -> None:
    """Check a declaration, used or not."""
    if isinstance(item, syntax.PhrasesDecl):
        phrases(walk, item)
        return
    walk.patterns.check(item.pattern.value, item.pattern.span)
    if item.check is not None and item.check.name not in CHECKS:
        name, span = item.check.name, item.check.span
        walk.report.error("unknown-check", f"unknown check `{name}`", span, **suggest(name, span, CHECKS))


def call(walk: Walk, expr: syntax.Call, scope: Scope) -> ir.Expr:
    """`x.matches(p)`, `matches(x, p)` or `x.says(p)`."""
    written = (expr.target, *expr.args) if expr.target is not None else expr.args
    if len(written) != 2 or (expr.function == "says" and expr.target is None):
        form = "x.matches(pattern)" if expr.function == "matches" else "x.says(phrases)"
        walk.report.error("wrong-arguments", f"`{expr.function}` is written `{form}`", expr.name_span)
        return walk.error(expr.span)
    operand = walk.infer(written[0], scope)
    if expr.function == "says":
        return _says(walk, expr, operand, written[1], scope)
    return _matches(walk, expr, operand, written[1], scope)


def _declared(walk: Walk, arg: syntax.Expr, scope: Scope) -> syntax.PatternDecl | syntax.PhrasesDecl | None:
    if not isinstance(arg, syntax.Name) or (arg.name in scope.variables and not arg.absolute):
        return None
    item = walk.names.get(arg.name)
    return item if isinstance(item, syntax.PatternDecl | syntax.PhrasesDecl) else None


def _is_text(walk: Walk, operand: ir.Expr, expr: syntax.Call, scope: Scope) -> bool:
    walk.strict(operand, scope)
    if operand.type.kind in ("string", "dyn", "error"):
        return operand.type.kind != "error"
    walk.report.error(
        "type-mismatch", f"`{expr.function}` looks into text, not into {an(operand.type)}",
        walk.span(operand),
        f"this is {an(operand.type)}",
    )  # fmt: skip
    return False


# Patterns ------------------------------------------------------------------------------------


def _matches(walk: Walk, expr: syntax.Call, operand: ir.Expr, arg: syntax.Expr, scope: Scope) -> ir.Expr:
    item = _declared(walk, arg, scope)
    if isinstance(item, syntax.PhrasesDecl):
        _other_function(walk, expr, f"`{item.name.name}` is a list of phrases", "says")
        return walk.error(expr.span)
    if item is not None:
        index = walk.patterns.pattern(
            item.name.name, item.pattern.value, item.check.name if item.check else ""
        )
    else:
        pattern = walk.infer(arg, scope)
        if not isinstance(pattern, ir.Const) or not isinstance(pattern.value, str):
            return overloads.apply(walk, expr, (operand, pattern), scope)
        if not walk.patterns.check(pattern.value, walk.span(pattern)):
            if walk.report.lenient:  # CEL finds out when it runs
                return overloads.apply(walk, expr, (operand, pattern), scope)
            return walk.error(expr.span)
        index = walk.patterns.pattern("", pattern.value)
    if not _is_text(walk, operand, expr, scope):
        return walk.error(expr.span)
    return ir.Matches(BOOL, expr.span, operand, index)


def _other_function(walk: Walk, expr: syntax.Call, what: str, function: str) -> None:
    walk.report.error(
        "type-mismatch", f"{what}: it is used with `{function}`", expr.name_span,
        fix=Fix(expr.name_span, function, f"write `{function}`"),
    )  # fmt: skip


# Phrases -------------------------------------------------------------------------------------


def phrases(walk: Walk, item: syntax.PhrasesDecl) -> tuple[str, ...] | None:
    """The phrases of a declaration; None (reported) if they are not a list of strings."""
    mark = len(walk.report.found)
    value = walk.infer(item.value, walk.nowhere)
    if len(walk.report.found) > mark and value.type.kind == "error":
        return None
    return _strings(walk, value)


def _says(walk: Walk, expr: syntax.Call, operand: ir.Expr, arg: syntax.Expr, scope: Scope) -> ir.Expr:
    item = _declared(walk, arg, scope)
    if isinstance(item, syntax.PatternDecl):
        _other_function(walk, expr, f"`{item.name.name}` is a pattern", "matches")
        return walk.error(expr.span)
    if item is not None:
        name, found = item.name.name, phrases(walk, item)
    else:
        value = walk.infer(arg, scope)
        name, found = "", None if value.type.kind == "error" else _strings(walk, value)
    if found is None or not _is_text(walk, operand, expr, scope):
        return walk.error(expr.span)
    return ir.Says(BOOL, expr.span, operand, walk.patterns.saying(name, found))


def _strings(walk: Walk, value: ir.Expr) -> tuple[str, ...] | None:
    value = ir.bare(value)
    items = tuple(map(ir.bare, value.items)) if isinstance(value, ir.ListOf) else ()
    texts = [item.value for item in items if isinstance(item, ir.Const) and isinstance(item.value, str)]
    if not items or len(texts) != len(items):
        walk.report.error(
            "not-phrases", "expected a list of one or more strings", walk.span(value),
            help=('write `["one phrase", "another"]`, or the name of `phrases`',),
        )  # fmt: skip
        return None
    for item, text in zip(items, texts, strict=True):
        if not fold(text).strip():
            walk.report.error(
                "empty-phrase", "a phrase needs at least one visible character", walk.span(item)
            )
            return None
    return tuple(texts)
