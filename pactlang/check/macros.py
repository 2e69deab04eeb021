"""`has` and the comprehensions: `all exists exists_one filter map` and their forms with two variables.

In: `syntax.Call`.  Out: `ir.Has` and `ir.Comprehension`.  A comprehension's variable stands in its body
only, hides whatever has the same name outside, and has a number of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pactlang import ir, syntax
from pactlang.check.modes import Mode
from pactlang.check.nesting import MAX_LOOPS, loops
from pactlang.check.report import an
from pactlang.diagnostic import Fix
from pactlang.schema import BOOL, DYN, INT, Type, list_of, map_of

if TYPE_CHECKING:
    from pactlang.check.walk import Scope, Walk

TESTS = frozenset({"all", "exists", "exists_one"})
MAKING = frozenset({"map", "to_map", "to_entries"})

# What a macro is called in the typed tree, where that differs.
FORMS = {
    "existsOne": "exists_one", "transformList": "map", "transformMap": "to_map",
    "transformMapEntry": "to_entries",
}  # fmt: skip
# Macros, and with how many arguments: over one variable, and over two.
ONE = {"all": (2,), "exists": (2,), "exists_one": (2,), "existsOne": (2,), "filter": (2,), "map": (2, 3)}
TWO = {
    "all": (3,), "exists": (3,), "exists_one": (3,), "existsOne": (3,), "transformList": (3, 4),
    "transformMap": (3, 4), "transformMapEntry": (3, 4),
}  # fmt: skip
MACROS = ONE.keys() | TWO.keys()


def is_macro(expr: syntax.Call) -> bool:
    """True if a method call is a comprehension."""
    return len(expr.args) in ONE.get(expr.function, ()) or has_two_variables(expr)


def has_two_variables(expr: syntax.Call) -> bool:
    """True if it is a comprehension over two variables."""
    return len(expr.args) in TWO.get(expr.function, ())


def has(walk: Walk, expr: syntax.Call, scope: Scope) -> ir.Expr:
    """`has(x.f)`, or `has(f)` for a field of the record."""
    if len(expr.args) != 1:
        walk.report.error(
            "wrong-arguments", f"`has` takes 1 argument, found {len(expr.args)}", expr.name_span
        )
        return walk.error(expr.span)
    arg = expr.args[0]
    if walk.mode is not Mode.PACT and not isinstance(arg, syntax.Select):
        operand: ir.Expr = ir.Const(DYN, arg.span, None)
    else:
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
    """`source.macro(variable, [second,] [test,] body)`."""
    assert expr.target is not None
    walk.deepen(1, 0, expr.name_span)
    macro = FORMS.get(expr.function, expr.function)
    source = walk.infer(expr.target, scope._replace(atom=None))
    walk.strict(source, scope)
    count = 2 if has_two_variables(expr) else 1
    types = _elements(walk, source, count)
    variables: list[ir.Var] = []
    for written, type in zip(expr.args[:count], types, strict=True):
        variable = new_variable(walk, expr, written, type)
        if variable is None:
            return walk.error(expr.span)
        variables.append(variable)
    inner = with_variables(scope, variables)
    test, body = _parts(walk, expr, inner, macro, expr.args[count:])
    if any(node is not None and node.type.kind == "error" for node in (source, test, body)):
        return walk.error(expr.span)
    type = _result(macro, types, body)
    var, second = variables[0], variables[-1]
    pair = (second.index, second.name) if count == 2 else ()
    node = ir.Comprehension(type, expr.span, macro, source, var.index, var.name, test, body, *pair)
    return nested(walk, expr, node)


def nested(walk: Walk, expr: syntax.Call, node: ir.Comprehension) -> ir.Expr:
    """The loop, unless it makes too many stand inside one another."""
    if loops(node) <= MAX_LOOPS:
        return node
    message = f"more than {MAX_LOOPS} loops stand inside one another"
    walk.report.error("nested-too-deep", message, expr.name_span, "this is the outermost")
    return walk.error(expr.span)


def new_variable(walk: Walk, expr: syntax.Call, written: syntax.Expr, type: Type) -> ir.Var | None:
    """A variable that the macro `expr` declares; None (reported) if `written` is no name for one."""
    name = variable_name(written)
    if not name:
        walk.report.error(
            "macro-variable", f"`{expr.function}` takes the name of a variable first", written.span,
            help=(f"write `list.{expr.function}(x, ...)`",),
        )  # fmt: skip
        return None
    walk.variables += 1
    return ir.Var(type, written.span, name, walk.variables - 1)


def variable_name(written: syntax.Expr) -> str:
    """The name of a variable where one is declared or used: `x`, or cel.block's own
    `cel.iterVar(depth, number)`; "" for anything else."""
    match written:
        case syntax.Name(name=name, absolute=False):
            return name
        case syntax.Call(target=syntax.Name(name="cel"), function="iterVar" | "accuVar" as kind, args=args):
            numbers = [arg.value for arg in args if isinstance(arg, syntax.Literal) and arg.kind == "int"]
            return f"@{kind}:{numbers}" if len(numbers) == len(args) == 2 else ""
    return ""


def with_variables(scope: Scope, variables: Iterable[ir.Var]) -> Scope:
    """The scope of a macro's body: its variables hide what has the same name outside."""
    return scope._replace(variables={**scope.variables, **{v.name: v for v in variables}}, atom=None)


def _parts(
    walk: Walk, expr: syntax.Call, scope: Scope, macro: str, written: tuple[syntax.Expr, ...]
) -> tuple[ir.Expr | None, ir.Expr | None]:
    """The test and the body; `map` and its kin may do without the test, the others have no body."""
    what = f"in `{expr.function}`"
    if macro not in MAKING:
        return walk.condition(written[0], scope, what), None
    if len(written) == 1:
        return None, _body(walk, macro, written[0], scope)
    test = walk.condition(written[0], scope, what)
    facts = scope.facts | walk.known.when(test, True)
    return test, _body(walk, macro, written[1], scope._replace(facts=facts))


def _body(walk: Walk, macro: str, written: syntax.Expr, scope: Scope) -> ir.Expr:
    body = walk.infer(written, scope)
    if macro != "to_entries" or body.type.kind in ("map", "dyn", "error"):
        return body
    walk.report.error(
        "type-mismatch", f"`transformMapEntry` gives entries of a map, not {an(body.type)}",
        walk.span(body), help=("write `{key: value}`",),
    )  # fmt: skip
    return walk.error(written.span)


def _result(macro: str, types: Sequence[Type], body: ir.Expr | None) -> Type:
    if macro in TESTS:
        return BOOL
    if body is None:
        return list_of(types[0])
    if macro == "to_map":
        return map_of(types[0], body.type)
    return body.type if macro == "to_entries" else list_of(body.type)


def _elements(walk: Walk, source: ir.Expr, count: int) -> tuple[Type, ...]:
    """What the variables hold: elements, or keys; of two: indexes and elements, or keys and values."""
    type = source.type
    if type.kind == "map":
        return type.params[:count]
    if type.kind == "list":
        return (INT, type.element)[-count:]
    if type.kind not in ("dyn", "error"):
        walk.report.error(
            "type-mismatch",
            f"expected a list or a map, found {an(type)}",
            walk.span(source),
            f"this is {an(type)}",
        )
    return (DYN if type.kind == "dyn" else walk.error(walk.span(source)).type,) * count
