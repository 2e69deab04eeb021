"""`has` and the comprehensions: `all exists exists_one filter map`.

In: `syntax.Call`.  Out: `ir.Has` and `ir.Comprehension`.  A comprehension's variable stands in its body
only, hides whatever has the same name outside, and has a number of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pactlang import ir, syntax
from pactlang.check.report import an
from pactlang.diagnostic import Fix
from pactlang.schema import BOOL, DYN, Type, list_of

if TYPE_CHECKING:
    from pactlang.check.walk import Scope, Walk

MACROS = frozenset({"all", "exists", "exists_one", "existsOne", "filter", "map"})
TESTS = frozenset({"all", "exists", "exists_one"})


def is_macro(expr: syntax.Call) -> bool:
    """True if a method call is a comprehension over one variable."""
    return expr.function in MACROS and (
        len(expr.args) == 2 or (expr.function == "map" and len(expr.args) == 3)
    )


def has(walk: Walk, expr: syntax.Call, scope: Scope) -> ir.Expr:
    """`has(x.f)`, or `has(f)` for a field of the record."""
    if len(expr.args) != 1:
        walk.report.error(
            "wrong-arguments", f"`has` takes 1 argument, found {len(expr.args)}", expr.name_span
        )
        return walk.error(expr.span)
    arg = expr.args[0]
    operand = _operand(walk, arg, scope)
    if operand.type.kind == "error":
        return walk.error(expr.span)
    if not isinstance(operand, ir.Slot | ir.Member | ir.Key) or _is_whole_record(walk, operand):
        walk.report.error(
            "has-argument", "`has` asks for a field", arg.span, "this is not a field",
            help=('for a key that is no name, write `"key" in x`',), fix=_key_fix(walk, expr, arg),
        )  # fmt: skip
        return walk.error(expr.span)
    _warn_always_there(walk, operand, expr)
    return ir.Has(BOOL, expr.span, operand)


def _operand(walk: Walk, arg: syntax.Expr, scope: Scope) -> ir.Expr:
    """The field that `has` asks for; what it is reached through may be null too."""
    inner = arg
    while isinstance(inner, syntax.Select) and not inner.optional:
        inner = inner.operand
    mark = len(walk.report.found)
    node = walk.infer(arg, scope)
    found = walk.report.found
    if isinstance(inner, syntax.Name) and isinstance(node, ir.Slot | ir.Member):
        found[mark:] = [d for d in found[mark:] if d.code != "unguarded-optional"]
    return node


def _key_fix(walk: Walk, expr: syntax.Call, arg: syntax.Expr) -> Fix | None:
    if not isinstance(arg, syntax.Index):
        return None
    text = f"{walk.report.text(arg.index.span)} in {walk.report.text(arg.operand.span)}"
    return Fix(expr.span, text, "ask for the key")


def _is_whole_record(walk: Walk, node: ir.Expr) -> bool:
    return isinstance(node, ir.Slot) and not walk.slots.slots[node.slot].path


def _warn_always_there(walk: Walk, node: ir.Expr, expr: syntax.Call) -> None:
    if not isinstance(node, ir.Slot) or node.type.nullable or node.type.kind == "dyn":
        return
    slots = walk.slots.slots
    base = slots[node.slot].base
    while base >= 0:
        if slots[base].type.nullable:
            return
        base = slots[base].base
    text = walk.text(node)
    walk.report.warning("always-true", f"`{text}` is always there: it is declared without `?`", expr.span)


def comprehension(walk: Walk, expr: syntax.Call, scope: Scope) -> ir.Expr:
    """`source.macro(variable, [test,] body)`."""
    assert expr.target is not None
    walk.deepen(1, 0, expr.name_span)
    macro = "exists_one" if expr.function == "existsOne" else expr.function
    source = walk.infer(expr.target, scope._replace(atom=None))
    walk.strict(source, scope)
    name = expr.args[0]
    if not isinstance(name, syntax.Name) or name.absolute:
        walk.report.error(
            "macro-variable", f"`{expr.function}` takes the name of a variable first", name.span,
            help=(f"write `list.{expr.function}(x, ...)`",),
        )  # fmt: skip
        return walk.error(expr.span)
    element = _element(walk, source)
    inner, number = _with_variable(walk, scope, name, element)
    test, body = _parts(walk, expr, inner, macro)
    if any(node is not None and node.type.kind == "error" for node in (source, test, body)):
        return walk.error(expr.span)
    type = BOOL if macro in TESTS else list_of(element if body is None else body.type)
    return ir.Comprehension(type, expr.span, macro, source, number, name.name, test, body)


def _with_variable(walk: Walk, scope: Scope, name: syntax.Name, element: Type) -> tuple[Scope, int]:
    number = walk.variables
    walk.variables += 1
    variable = ir.Var(element, name.span, name.name, number)
    return scope._replace(variables={**scope.variables, name.name: variable}, atom=None), number


def _parts(walk: Walk, expr: syntax.Call, scope: Scope, macro: str) -> tuple[ir.Expr | None, ir.Expr | None]:
    if macro != "map":
        return walk.condition(expr.args[1], scope, f"in `{expr.function}`"), None
    if len(expr.args) == 2:
        return None, walk.infer(expr.args[1], scope)
    test = walk.condition(expr.args[1], scope, "in `map`")
    facts = scope.facts | walk.known.when(test, True)
    return test, walk.infer(expr.args[2], scope._replace(facts=facts))


def _element(walk: Walk, source: ir.Expr) -> Type:
    """What the variable holds: a list's elements, a map's keys."""
    type = source.type
    if type.kind in ("list", "map"):
        return type.element
    if type.kind not in ("dyn", "error"):
        walk.report.error(
            "type-mismatch",
            f"expected a list or a map, found {an(type)}",
            walk.span(source),
            f"this is {an(type)}",
        )
        return walk.error(walk.span(source)).type
    return type if type.kind == "error" else DYN
