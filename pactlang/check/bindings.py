"""Variables with a value: `cel.bind`, `cel.block`, and the macros of optionals.

In: `syntax.Call`.  Out: `ir.Bind` and `ir.OptionalMap`.  Inside a `cel.block` its values are
`cel.index(n)`, and loops name their variables `cel.iterVar(depth, number)`: what an optimizer writes
where it has taken common parts out of an expression.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pactlang import ir, syntax
from pactlang.check import macros
from pactlang.check.report import an
from pactlang.schema import DYN, Type, optional_of

if TYPE_CHECKING:
    from pactlang.check.walk import Scope, Walk

OPTIONAL_MACROS = frozenset({"optMap", "optFlatMap"})


def is_cel(walk: Walk, expr: syntax.Call, scope: Scope) -> bool:
    """True for `cel.f(...)`, unless `cel` is a name of the user's."""
    target = expr.target
    return isinstance(target, syntax.Name) and target.name == "cel" and not walk.resolves("cel", scope)


def call(walk: Walk, expr: syntax.Call, scope: Scope) -> ir.Expr:
    """`cel.bind(x, init, body)`, `cel.block([...], body)`, `cel.index(n)`, `cel.iterVar(d, n)`."""
    match expr.function, len(expr.args):
        case "bind", 3:
            return _bind(walk, expr, scope)
        case "block", 2:
            return _block(walk, expr, scope)
        case "index", 1:
            return _index(walk, expr, scope)
        case "iterVar" | "accuVar", 2:
            return _variable(walk, expr, macros.variable_name(expr), scope)
    walk.report.error(
        "unknown-function", f"unknown function `cel.{expr.function}` with {len(expr.args)} arguments",
        expr.name_span, help=("there are `cel.bind(x, value, body)` and `cel.block([values], body)`",),
    )  # fmt: skip
    return walk.error(expr.span)


def _bind(walk: Walk, expr: syntax.Call, scope: Scope) -> ir.Expr:
    walk.deepen(1, 0, expr.name_span)
    init = walk.infer(expr.args[1], scope._replace(atom=None))
    variable = macros.new_variable(walk, expr, expr.args[0], init.type)
    if variable is None:
        return walk.error(expr.span)
    body = walk.infer(expr.args[2], macros.with_variables(scope, (variable,)))
    return _made(walk, expr, (variable,), (init,), body)


def _block(walk: Walk, expr: syntax.Call, scope: Scope) -> ir.Expr:
    written = expr.args[0]
    if not isinstance(written, syntax.ListLiteral) or any(item.optional for item in written.items):
        walk.report.error("type-mismatch", "`cel.block` takes a list of values first", written.span)
        return walk.error(expr.span)
    walk.deepen(1, 0, expr.name_span)
    variables: list[ir.Var] = []
    inits: list[ir.Expr] = []
    for number, item in enumerate(written.items):
        inits.append(walk.infer(item.value, macros.with_variables(scope, variables)))
        walk.variables += 1
        name = f"@index:{number}"
        variables.append(ir.Var(inits[-1].type, item.span, name, walk.variables - 1))
    body = walk.infer(expr.args[1], macros.with_variables(scope, variables))
    return _made(walk, expr, tuple(variables), tuple(inits), body)


def _made(
    walk: Walk, expr: syntax.Call, variables: tuple[ir.Var, ...], inits: tuple[ir.Expr, ...], body: ir.Expr
) -> ir.Expr:
    if any(node.type.kind == "error" for node in (*inits, body)):
        return walk.error(expr.span)
    names = tuple(_shown(v.name) for v in variables)
    return ir.Bind(body.type, expr.span, tuple(v.index for v in variables), names, inits, body)


def _shown(name: str) -> str:
    """A variable's name as it is written."""
    return f"cel.index({name.removeprefix('@index:')})" if name.startswith("@index:") else name


def _index(walk: Walk, expr: syntax.Call, scope: Scope) -> ir.Expr:
    number = expr.args[0]
    value = number.value if isinstance(number, syntax.Literal) and number.kind == "int" else -1
    return _variable(walk, expr, f"@index:{value}", scope)


def _variable(walk: Walk, expr: syntax.Call, name: str, scope: Scope) -> ir.Expr:
    found = scope.variables.get(name)
    if found is not None:
        return ir.Var(found.type, expr.span, _shown(name), found.index)
    walk.report.error(
        "unknown-variable", f"`{walk.report.text(expr.span)}` stands for nothing here", expr.span
    )
    return walk.error(expr.span)


def optional_map(walk: Walk, expr: syntax.Call, scope: Scope) -> ir.Expr:
    """`optional.optMap(x, value)`, `optional.optFlatMap(x, optional)`."""
    assert expr.target is not None
    walk.deepen(1, 0, expr.name_span)
    operand = walk.infer(expr.target, scope._replace(atom=None))
    inside = _inside(walk, expr, operand)
    variable = macros.new_variable(walk, expr, expr.args[0], inside)
    if variable is None:
        return walk.error(expr.span)
    body = walk.infer(expr.args[1], macros.with_variables(scope, (variable,)))
    flat = expr.function == "optFlatMap"
    if flat and body.type.kind not in ("optional", "dyn", "error"):
        walk.report.error(
            "type-mismatch", f"`optFlatMap` gives an optional, not {an(body.type)}", walk.span(body),
            help=("`optMap` makes an optional of a value",),
        )  # fmt: skip
        return walk.error(expr.span)
    if any(node.type.kind == "error" for node in (operand, body)) or inside.kind == "error":
        return walk.error(expr.span)
    type = body.type if flat else optional_of(body.type)
    return ir.OptionalMap(type, expr.span, operand, variable.index, variable.name, body, flat)


def _inside(walk: Walk, expr: syntax.Call, operand: ir.Expr) -> Type:
    if operand.type.kind == "optional":
        return operand.type.element
    if operand.type.kind not in ("dyn", "error"):
        walk.report.error(
            "type-mismatch", f"`{expr.function}` is asked of an optional, not of {an(operand.type)}",
            walk.span(operand), f"this is {an(operand.type)}",
        )  # fmt: skip
    return DYN if operand.type.kind == "dyn" else walk.error(expr.span).type
