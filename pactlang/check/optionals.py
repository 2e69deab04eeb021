"""What may be missing: `x.?f`, `x[?k]`, elements and entries written with `?`.

In: syntax nodes.  Out: calls of the overload table's `_?._` and `_[?_]`; for a field of a record, the
question whether it is there and then its value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pactlang import ir, syntax
from pactlang.check.agree import comparable, resolve
from pactlang.check.modes import Mode
from pactlang.check.report import an
from pactlang.schema import BOOL, STRING, Type, optional_of

if TYPE_CHECKING:
    from pactlang.check.walk import Scope, Walk


def select(walk: Walk, expr: syntax.Select, scope: Scope) -> ir.Expr:
    """`operand.?field`."""
    plain = syntax.Select(expr.span, expr.operand, expr.field, expr.field_span)
    if walk.is_record(expr.operand, scope):
        return _of_field(walk, walk.root_field(plain), expr)
    operand = walk.infer(expr.operand, scope)
    if operand.type.kind == "record":
        return _of_field(walk, walk.member(operand, plain, scope), expr)
    if is_of_record(operand):
        return through(walk, operand, plain, scope)
    key = ir.Const(STRING, expr.field_span, expr.field)
    return _looked_up(walk, "_?._", expr, operand, key, scope)


def _of_field(walk: Walk, field: ir.Expr, expr: syntax.Select) -> ir.Expr:
    """A record's field: an optional of it where it is present and not null, else none."""
    if not isinstance(field, ir.Slot | ir.Member):
        return walk.error(expr.span)
    type = optional_of(field.type.plain if field.type.kind != "record" else field.type)
    there = ir.Has(BOOL, expr.span, field)
    some = ir.Call(type, expr.span, "optional.of", "optional_of", (field,))
    none = ir.Call(type, expr.span, "optional.none", "optional_none", ())
    return ir.Cond(type, expr.span, there, some, none)


def is_of_record(operand: ir.Expr) -> bool:
    """True for an optional that holds a record."""
    return operand.type.kind == "optional" and operand.type.element.kind == "record"


def through(walk: Walk, operand: ir.Expr, expr: syntax.Select, scope: Scope) -> ir.Expr:
    """`optional.field` where the optional holds a record: an optional again."""
    walk.variables += 1
    held = ir.Var(operand.type.element, operand.span, "@held", walk.variables - 1)
    body = _of_field(walk, walk.member(held, expr, scope), expr)
    if body.type.kind == "error":
        return walk.error(expr.span)
    return ir.OptionalMap(body.type, expr.span, operand, held.index, walk.text(operand), body, True)


def index(walk: Walk, expr: syntax.Index, scope: Scope) -> ir.Expr:
    """`operand[?index]`."""
    operand, key = walk.infer(expr.operand, scope), walk.infer(expr.index, scope)
    return _looked_up(walk, "_[?_]", expr, operand, key, scope)


def _looked_up(
    walk: Walk,
    function: str,
    expr: syntax.Select | syntax.Index,
    operand: ir.Expr,
    key: ir.Expr,
    scope: Scope,
) -> ir.Expr:
    if "error" in (operand.type.kind, key.type.kind):
        return walk.error(expr.span)
    found = resolve(function, False, (operand.type, key.type), walk.nulls)
    if found is not None:
        return ir.Call(found.result, expr.span, function, found.overload, (operand, key))
    inside = operand.type.element if operand.type.kind == "optional" else operand.type
    anyhow = function == "_?._" and walk.mode is Mode.CHECKED  # as CEL's checker, which asks for no key
    if inside.kind == "map" and (anyhow or comparable(inside.element, key.type)):
        return ir.Call(optional_of(inside.params[1]), expr.span, function, "", (operand, key))
    wrong = key if inside.kind in ("list", "map") else operand
    walk.report.error(
        "type-mismatch", f"`{walk.report.text(expr.span)}` needs a list or a map and its key",
        walk.span(wrong), f"this is {an(wrong.type)}",
    )  # fmt: skip
    return walk.error(expr.span)


def inner(walk: Walk, node: ir.Expr) -> Type:
    """The type of what stands behind a `?`: what an optional holds."""
    if node.type.kind in ("dyn", "error"):
        return node.type
    if node.type.kind == "optional":
        return node.type.element
    walk.report.error(
        "type-mismatch", f"expected an optional behind `?`, found {an(node.type)}", walk.span(node),
        help=("`optional.of(x)` makes one",),
    )  # fmt: skip
    return walk.error(walk.span(node)).type


def marked(items: Sequence[syntax.Item | syntax.Entry]) -> tuple[int, ...]:
    """Which items are written with a `?`."""
    return tuple(i for i, item in enumerate(items) if item.optional)
