"""Overloads: the one that fits the arguments, and what to write where none does.

In: checked arguments.  Out: `ir.Call`.  Everything here follows from the overload table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pactlang import ir, syntax
from pactlang.check.agree import choose, comparable, resolve
from pactlang.check.facts import LENIENT
from pactlang.check.modes import Mode
from pactlang.check.report import an, listed
from pactlang.diagnostic import Fix
from pactlang.extensions.network import to_cidr, to_ip
from pactlang.functions import FUNCTIONS
from pactlang.schema import DYN, Type
from pactlang.values import parse_duration, parse_timestamp

if TYPE_CHECKING:
    from pactlang.check.walk import Scope, Walk

# Conversions of text that are tried when the text is constant, with an example of what they read.
READERS = {
    "duration": (parse_duration, "90s", "a duration"),
    "timestamp": (parse_timestamp, "2026-01-31T12:00:00Z", "a time"),
    "ip": (to_ip, "10.0.0.1", "an address"),
    "cidr": (to_cidr, "10.0.0.0/8", "a network"),
}


def function(
    walk: Walk, expr: syntax.Call, name: str, method: bool, written: Sequence[syntax.Expr], scope: Scope
) -> ir.Expr:
    """A call of the function `name` of the overload table; a method's receiver is written first."""
    return apply(walk, expr, tuple(walk.infer(arg, scope) for arg in written), scope, name, method)


def declared(
    walk: Walk, expr: syntax.Call, name: str, method: bool, written: Sequence[syntax.Expr], scope: Scope
) -> ir.Expr:
    """A call of a function that the user has declared, perhaps beside overloads of the table."""
    args = tuple(walk.infer(arg, scope) for arg in written)
    if any(arg.type.kind == "error" for arg in args):
        return walk.error(expr.span)
    types = tuple(arg.type for arg in args)
    found = choose(walk.functions[name], method, types, walk.nulls)
    if name in FUNCTIONS and (found is None or resolve(name, method, types, walk.nulls) is not None):
        return apply(walk, expr, args, scope, name, method)
    if found is None:
        shown = ", ".join(map(str, types))
        walk.report.error("type-mismatch", f"`{name}` does not take ({shown})", expr.span)
        return walk.error(expr.span)
    return ir.Call(found.result, expr.span, name, found.overload, args)


def apply(
    walk: Walk,
    expr: syntax.Call,
    args: tuple[ir.Expr, ...],
    scope: Scope,
    name: str = "",
    method: bool | None = None,
) -> ir.Expr:
    """The call `expr` of a function of the overload table, with its arguments checked."""
    name, method = name or expr.function, (expr.target is not None) if method is None else method
    if any(arg.type.kind == "error" for arg in args):
        return walk.error(expr.span)
    types = tuple(arg.type for arg in args)
    found = resolve(name, method, types, walk.nulls)
    if found is None and walk.mode is Mode.DYNAMIC:  # which is found out when it runs
        return ir.Call(DYN, expr.span, f"?{name}", "", args)
    if found is None:
        _no_overload(walk, expr, name, method, args)
        return walk.error(expr.span)
    if not _good_constant(walk, name, args):
        return walk.error(expr.span)
    for arg in args if name not in LENIENT else ():
        walk.strict(arg, scope)
    return ir.Call(found.result, expr.span, name, found.overload, args)


def index(walk: Walk, expr: syntax.Index, operand: ir.Expr, key: ir.Expr, scope: Scope) -> ir.Expr:
    """`operand[key]`."""
    if "error" in (operand.type.kind, key.type.kind):
        return walk.error(expr.span)
    walk.strict(operand, scope)
    walk.strict(key, scope)
    found = resolve("_[_]", False, (operand.type, key.type))
    if found is not None:
        return ir.Call(found.result, expr.span, "_[_]", found.overload, (operand, key))
    if operand.type.kind == "map" and comparable(operand.type.element, key.type):
        return ir.Call(operand.type.params[1], expr.span, "_[_]", "", (operand, key))
    _no_index(walk, operand, key)
    return walk.error(expr.span)


def _no_index(walk: Walk, operand: ir.Expr, key: ir.Expr) -> None:
    span = walk.span(key)
    if operand.type.kind == "record":
        text = f"{walk.text(operand)}.{key.value}" if isinstance(key, ir.Const) else "record.field"
        walk.report.error(
            "type-mismatch",
            f"the fields of {an(operand.type)} are read with a dot",
            span,
            help=(f"write `{text}`",),
        )
    elif operand.type.kind in ("list", "map"):
        wanted = "int" if operand.type.kind == "list" else operand.type.element
        walk.report.error(
            "type-mismatch", f"{an(operand.type.plain)} is indexed by {an(wanted)}, not {an(key.type)}", span
        )
    else:
        walk.report.error("type-mismatch", f"{an(operand.type)} has no elements", walk.span(operand))


def _good_constant(walk: Walk, function: str, args: tuple[ir.Expr, ...]) -> bool:
    """False (reported) if a constant text is converted to a time or an address that it is not."""
    if function not in READERS or not isinstance(args[0], ir.Const) or not isinstance(args[0].value, str):
        return True
    read, example, what = READERS[function]
    try:
        read(args[0].value)
    except ValueError:
        return not walk.report.rule(
            f"bad-{function}", f'"{args[0].value}" is not {what}', walk.span(args[0]),
            help=(f'write it like "{example}"',),
        )  # fmt: skip
    return True


def _no_overload(walk: Walk, expr: syntax.Call, name: str, method: bool, args: tuple[ir.Expr, ...]) -> None:
    rows = [row for row in FUNCTIONS[name] if row.method == method]
    if not rows:
        _wrong_form(walk, expr)
        return
    counts = sorted({len(row.params) for row in rows})
    if len(args) not in counts and not any(row.variadic and len(args) > len(row.params) for row in rows):
        _wrong_count(walk, expr, name, [count - method for count in counts])
        return
    at, fitting = _first_misfit(name, method, args, walk.nulls)
    walk.report.error(
        "type-mismatch", f"`{name}` does not take {an(args[at].type)}{' here' * (len(args) > 1)}",
        walk.span(args[at]), f"this is {an(args[at].type)}",
        help=_what_fits(walk, args[at], fitting),
    )  # fmt: skip


def _what_fits(walk: Walk, arg: ir.Expr, fitting: list[str]) -> tuple[str, ...]:
    """What a function takes; where that is an optional, how to come by one."""
    if set(fitting) != {"optional"}:
        return (f"it takes {listed(dict.fromkeys(fitting))}",) if fitting else ()
    text = walk.text(arg)
    name = text.rpartition(".")
    is_field = isinstance(arg, ir.Slot | ir.Member | ir.Key)
    made = f"{name[0] or 'call'}.?{name[2]}" if is_field else f"optional.of({text})"
    return (f"it takes an optional, such as `{made}`; `{text}` itself is compared as it is",)


def _first_misfit(name: str, method: bool, args: tuple[ir.Expr, ...], nulls: bool) -> tuple[int, list[str]]:
    """The first argument that no overload takes after the ones before it, and what would fit there."""
    for at in range(len(args)):
        types = tuple(arg.type if i <= at else DYN for i, arg in enumerate(args))
        if resolve(name, method, types, nulls) is None:
            before = (*types[:at], DYN, *types[at + 1 :])
            return at, _fitting(name, method, before, at)
    return 0, []


def _fitting(name: str, method: bool, types: tuple[Type, ...], at: int) -> list[str]:
    found = []
    for row in FUNCTIONS[name]:
        if row.method == method and at < len(row.params) and resolve(name, method, types) is not None:
            param = row.params[at]
            if resolve(name, method, (*types[:at], param, *types[at + 1 :])) is not None:
                found.append(param.kind if param.kind != "param" else "dyn")
    return found


def _wrong_form(walk: Walk, expr: syntax.Call) -> None:
    name, text = expr.function, walk.report.text
    if expr.target is None and expr.args:
        first, *rest = expr.args
        form = f"{text(first.span)}.{name}({', '.join(text(arg.span) for arg in rest)})"
    elif expr.target is not None:
        form = f"{name}({', '.join(text(arg.span) for arg in (expr.target, *expr.args))})"
    else:
        form = f"x.{name}(...)"
    walk.report.error(
        "wrong-form", f"`{name}` is written `{form}`", expr.span,
        fix=Fix(expr.span, form, "write it so") if expr.args or expr.target is not None else None,
    )  # fmt: skip


def _wrong_count(walk: Walk, expr: syntax.Call, name: str, counts: list[int]) -> None:
    wanted = " or ".join(str(count) for count in counts)
    plural = "" if wanted == "1" else "s"
    walk.report.error(
        "wrong-arguments",
        f"`{name}` takes {wanted} argument{plural}, found {len(expr.args)}",
        expr.name_span,
    )
