"""Operators: which operands fit, and what to write where they do not.

In: `syntax.Unary` and `syntax.Binary`.  Out: typed nodes.  A mistake gets a fix wherever the operands
say what was meant: a number against a duration its unit, an int among doubles a decimal point.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pactlang import ir, syntax
from pactlang.check.agree import NUMBERS, comparable, resolve
from pactlang.check.guards import may_be_absent, note_absent
from pactlang.check.report import an, listed, suggest
from pactlang.diagnostic import Fix, Label
from pactlang.functions import OPERATORS
from pactlang.schema import BOOL, Type
from pactlang.source import Span
from pactlang.standard import ENDINGS

if TYPE_CHECKING:
    from pactlang.check.walk import Scope, Walk

ORDERING = frozenset({"<", "<=", ">", ">="})
ARITHMETIC = frozenset({"+", "-", "*", "/", "%"})
VERBS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "take the remainder of"}
DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
NUMBER = re.compile(r"-?\d+(\.\d+)?")
NANOS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def unary(walk: Walk, expr: syntax.Unary, scope: Scope) -> ir.Expr:
    """`!x` and `-x`; a minus before a number is part of the number."""
    if expr.op == "!":
        node = walk.truth(expr.operand, scope, "after `!`")
        return walk.error(expr.span) if node.type.kind == "error" else ir.Not(BOOL, expr.span, node)
    match expr.operand:
        case syntax.Literal(kind="int" | "double" | "duration" as kind, value=value):
            walk.grow(1, 1, expr.span)
            return walk.constant(kind, -value, expr.span)
    node = walk.infer(expr.operand, scope)
    return operation(walk, "-_", "-", expr.span, (node,), scope)


def binary(walk: Walk, expr: syntax.Binary, scope: Scope) -> ir.Expr:
    """`a op b`."""
    left, right = walk.infer(expr.left, scope), walk.infer(expr.right, scope)
    if "error" in (left.type.kind, right.type.kind):
        return walk.error(expr.span)
    match expr.op:
        case "==" | "!=":
            return _equality(walk, expr, left, right, scope)
        case "in":
            return _membership(walk, expr, left, right, scope)
    _look_at_arithmetic(walk, expr, left, right)
    return operation(walk, OPERATORS[expr.op], expr.op, expr.span, (left, right), scope)


def operation(
    walk: Walk, function: str, op: str, span: Span, args: tuple[ir.Expr, ...], scope: Scope
) -> ir.Expr:
    """An operator for which null is an error value."""
    if any(arg.type.kind == "error" for arg in args):
        return walk.error(span)
    found = resolve(function, False, tuple(arg.type for arg in args), walk.nulls)
    if found is None:
        _no_operation(walk, op, span, args)
        return walk.error(span)
    for arg in args:
        walk.strict(arg, scope)
    if (
        op in ("/", "%") and _zero(args[1]) and found.result.kind != "double"
        and walk.report.rule("division-by-zero", "division by zero", walk.span(args[1]), "this is zero")
    ):  # fmt: skip
        return walk.error(span)
    return ir.Call(found.result, span, function, found.overload, args)


# Equality and membership ---------------------------------------------------------------------


def _equality(walk: Walk, expr: syntax.Binary, left: ir.Expr, right: ir.Expr, scope: Scope) -> ir.Expr:
    if not comparable(left.type, right.type, walk.nulls):
        unlike(walk, expr.span, left, right)
        return walk.error(expr.span)
    if not all([_in_enum(walk, left, right), _in_enum(walk, right, left)]):
        return walk.error(expr.span)
    if expr.op == "!=":
        for place, other in ((left, right), (right, left)):
            if may_be_absent(walk, place, other, scope):
                note_absent(walk, place, "this is also true where `{}` is absent", scope)
    word = "equals" if expr.op == "==" else "not_equals"
    loose = "dyn" in (left.type.kind, right.type.kind)
    return ir.Call(BOOL, expr.span, OPERATORS[expr.op], "" if loose else word, (left, right))


def _in_enum(walk: Walk, place: ir.Expr, other: ir.Expr) -> bool:
    """False (reported) if `other` is a constant that the enum `place` can never be."""
    values = place.type.values
    if not values or not isinstance(other, ir.Const) or other.value is None or other.value in values:
        return True
    span, text = Span(*other.span), f'"{other.value}"'
    hint = suggest(str(other.value), span, values)
    fix = Fix(span, f'"{hint["fix"].replacement}"', "write one of its values") if hint else None
    walk.report.error(
        "enum-value", f"`{walk.text(place)}` is never {text}", walk.span(other), "not one of its values",
        help=(f"its values are {listed(values)}",), fix=fix,
    )  # fmt: skip
    return False


def _membership(walk: Walk, expr: syntax.Binary, left: ir.Expr, right: ir.Expr, scope: Scope) -> ir.Expr:
    walk.strict(right, scope)
    kind = right.type.kind
    if kind not in ("list", "map", "dyn"):
        _not_a_container(walk, expr, left, right)
        return walk.error(expr.span)
    if kind != "dyn" and not comparable(left.type, right.type.element, walk.nulls):
        walk.report.error(
            "type-mismatch", f"{an(left.type.plain)} is never in {an(right.type.plain)}", walk.span(left),
            f"this is {an(left.type)}", related=(Label(walk.span(right), f"this is {an(right.type)}"),),
        )  # fmt: skip
        return walk.error(expr.span)
    items = right.items if isinstance(right, ir.ListOf) else ()
    if not all(_in_enum(walk, left, item) for item in items):
        return walk.error(expr.span)
    overload = "" if "dyn" in (kind, left.type.kind) else f"in_{kind}"
    return ir.Call(BOOL, expr.span, "@in", overload, (left, right))


def _not_a_container(walk: Walk, expr: syntax.Binary, left: ir.Expr, right: ir.Expr) -> None:
    fix = None
    if right.type.kind == "string" and left.type.kind == "string":
        text = f"{walk.text(right)}.contains({walk.text(left)})"
        fix = Fix(expr.span, text, "ask whether the text contains it")
    walk.report.error(
        "type-mismatch", f"`in` looks into a list or a map, not into {an(right.type)}", walk.span(right),
        f"this is {an(right.type)}", fix=fix,
    )  # fmt: skip


# What is wrong with two operands -------------------------------------------------------------


def unlike(walk: Walk, span: Span, left: ir.Expr, right: ir.Expr) -> None:
    """Report a comparison of two types that have nothing in common."""
    for one, other in ((left, right), (right, left)):
        if one.type.kind == "null":
            _never_null(walk, one, other)
            return
    place, other = (
        (right, left) if isinstance(left, ir.Const) and not isinstance(right, ir.Const) else (left, right)
    )
    walk.report.error(
        "type-mismatch", _cannot_compare(left.type, right.type), walk.span(other),
        f"this is {an(other.type)}",
        related=(_origin(walk, place),), help=_mismatch_help(walk, place, other),
        fix=_meant(walk, place, other) or _meant(walk, other, place) or _looked_into(walk, span, left, right),
    )  # fmt: skip


def _never_null(walk: Walk, null: ir.Expr, place: ir.Expr) -> None:
    text = walk.text(place)
    empty = place.type.kind == "string"
    walk.report.error(
        "never-null", f"`{text}` is never null", walk.span(null),
        f"`{text}` is {an(place.type)}, without `?`",
        fix=Fix(Span(*null.span), '""', "compare with the empty text") if empty else None,
    )  # fmt: skip


def _cannot_compare(left: Type, right: Type) -> str:
    kinds = {left.kind, right.kind}
    if "duration" in kinds and kinds & NUMBERS:
        return "cannot compare a duration with a number"
    if "timestamp" in kinds and kinds & NUMBERS:
        return "cannot compare a time with a number"
    return f"cannot compare `{left.plain}` with `{right.plain}`"


def _origin(walk: Walk, node: ir.Expr) -> Label:
    text = walk.text(node)
    if isinstance(node, ir.Slot):
        return Label(walk.span(node), f"`{text}` is {an(node.type)}, from record `{walk.slots.root}`")
    return Label(walk.span(node), f"this is {an(node.type)}")


def _mismatch_help(walk: Walk, place: ir.Expr, other: ir.Expr) -> tuple[str, ...]:
    for node in (place, other):
        text = walk.text(node)
        if node.type.kind == "type" and text in walk.fields:
            return (f"`{text}` is a type's name here; the field is `call.{text}`",)
    if place.type.kind == "duration" and other.type.kind in NUMBERS:
        return ("a duration is written with its unit: `500ms`, `2s`, `5m`",)
    if place.type.kind in NUMBERS and other.type.kind in ("duration", "timestamp"):
        return (_declared(walk, place, other.type.kind),)
    if place.type.kind == "list":
        return ("to look into a list, write `x in list`",)
    return ()


def _declared(walk: Walk, place: ir.Expr, kind: str) -> str:
    """How a number that is a time is declared; the unit as its name in the data says."""
    text = walk.text(place)
    if not isinstance(place, ir.Slot | ir.Member):
        forms = listed(f"{kind}({unit})" for unit in NANOS)
        return f"a number becomes a {kind} where its field is declared: {forms}"
    field = walk.fields.get(text)
    names = field.names if field is not None else (text,)
    words = [re.split(r"[._-]|(?<=[a-z])(?=[A-Z])", name)[-1].lower() for name in (text, *names)]
    unit = next((ENDINGS[word] for word in words if word in ENDINGS), "")
    if unit:
        return f"if `{text}` counts {NAMES[unit]}, declare it as `{kind}({unit})`"
    return f"declare `{text}` with the unit that it counts: {listed(f'{kind}({unit})' for unit in NANOS)}"


def _meant(walk: Walk, place: ir.Expr, other: ir.Expr) -> Fix | None:
    """What was probably meant by `other`, given what it stands against; a let is mended in its place."""
    span, value = Span(*other.span), other.value if isinstance(other, ir.Const) else None
    kind = place.type.kind
    if place.type.kind == "type" and walk.text(place) in walk.fields:
        return Fix(walk.span(place), f"call.{walk.text(place)}", "name the field of the record")
    if value is None or (isinstance(value, bool) and kind != "string"):
        return None
    if kind == "duration" and other.type.kind in NUMBERS:
        return duration_fix(span, value, place.type.unit)
    if isinstance(value, str) and other.type.kind == "string":
        return _from_text(span, value, kind)
    if kind == "string" and other.type.kind in NUMBERS | {"bool"}:
        return Fix(span, f'"{walk.report.text(span)}"', "write it as text")
    if kind == "bool" and value in (0, 1):
        return Fix(span, "true" if value else "false", "write `true` or `false`")
    return None


def _looked_into(walk: Walk, span: Span, left: ir.Expr, right: ir.Expr) -> Fix | None:
    """A list that stands against one of its elements; an optional that stands against a value."""
    for one, other in ((left, right), (right, left)):
        text, value = walk.text(one), walk.text(other)
        if one.type.kind == "list" and comparable(one.type.element, other.type):
            unequal = walk.report.text(span)[len(walk.text(left)) :].lstrip().startswith("!=")
            inside = f"{value} in {text}"
            return Fix(span, f"!({inside})" if unequal else inside, "look into the list")
        if one.type.kind == "optional" and comparable(one.type.element, other.type):
            zero = ZEROS.get(other.type.kind, value)
            return Fix(walk.span(one), f"{text}.orValue({zero})", "say what stands for an absent value")
    return None


# What stands for a value that is not there, until the author knows better.
ZEROS = {"int": "0", "uint": "0u", "double": "0.0", "string": '""', "bool": "false", "duration": "0s"}


def _from_text(span: Span, value: str, kind: str) -> Fix | None:
    number = NUMBER.match(value)
    if kind in NUMBERS and number:
        text = number.group() if kind != "double" or number.group(1) else f"{number.group()}.0"
        return Fix(span, text, "write the number without quotes")
    if kind == "bool" and value in ("true", "false"):
        return Fix(span, value, "write it without quotes")
    if kind == "timestamp" and DATE.match(value):
        return Fix(span, _moment(value), "write the text as a time")
    if kind == "duration" and re.fullmatch(r"(\d+(\.\d+)?(h|m|s|ms|us|ns))+", value):
        return Fix(span, value, "write the duration without quotes")
    return None


def _moment(value: str) -> str:
    return f'timestamp("{value}T00:00:00Z")' if DATE.fullmatch(value) else f'timestamp("{value}")'


def duration_fix(span: Span, value: object, unit: str) -> Fix | None:
    """A number as the duration it probably is.

    Where the data says milliseconds (or less), that.  Seconds are what most data says without a word,
    but nobody waits for 2000 of them: from 100 on, a number is read as milliseconds.
    """
    if not isinstance(value, int | float) or value != value or abs(value) > 1e12:
        return None
    if unit in ("", "s"):
        unit = "ms" if value >= 100 else "s"
    text = as_duration(round(value * NANOS[unit]))
    return Fix(span, text, f"write the duration with its unit, if {value:g} means {NAMES[unit]}")


NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}


def as_duration(nanos: int) -> str:
    """A duration as it is written in a pact: whole seconds if it is that, else the unit that fits."""
    unit = next(u for u in ("s", "ms", "us", "ns") if nanos % NANOS[u] == 0)
    return f"{nanos // NANOS[unit]}{unit}" if nanos < 10**9 or unit == "s" else f"{nanos / 10**9:.10g}s"


def unlike_branches(walk: Walk, yes: ir.Expr, no: ir.Expr) -> None:
    """Report `c ? a : b` with two types."""
    walk.report.error(
        "type-mismatch", f"both sides of `:` must be of one type: `{yes.type.plain}` or `{no.type.plain}`?",
        walk.span(no), f"this is {an(no.type)}",
        related=(Label(walk.span(yes), f"this is {an(yes.type)}"),),
        fix=_as_number(walk, yes, no), help=("to allow either, write `dyn(...)` around one of them",),
    )  # fmt: skip


# Arithmetic and order ------------------------------------------------------------------------


def _no_operation(walk: Walk, op: str, span: Span, args: tuple[ir.Expr, ...]) -> None:
    if len(args) == 1:
        walk.report.error(
            "type-mismatch", f"`-` takes a number, not {an(args[0].type)}", walk.span(args[0]),
            f"this is {an(args[0].type)}",
        )  # fmt: skip
    elif op in ORDERING:
        _no_order(walk, op, span, *args)
    else:
        _no_arithmetic(walk, op, *args)


def _no_order(walk: Walk, op: str, span: Span, left: ir.Expr, right: ir.Expr) -> None:
    if left.type.kind != right.type.kind and "null" not in (left.type.kind, right.type.kind):
        unlike(walk, span, left, right)
        return
    kind = (left if left.type.kind == "null" or right.type.kind == "dyn" else right).type.plain
    walk.report.error("type-mismatch", f"`{op}` has no meaning for {an(kind)}", span, "no order is defined")


def _no_arithmetic(walk: Walk, op: str, left: ir.Expr, right: ir.Expr) -> None:
    kinds = {left.type.kind, right.type.kind}
    if kinds <= NUMBERS:
        fix = _as_number(walk, left, right)
    elif "string" in kinds and op == "+":
        fix = _as_text(walk, left) or _as_text(walk, right)
    elif op in ("+", "-"):
        fix = _unit_fix(left, right) or _unit_fix(right, left) or _element_fix(walk, left, right)
    else:
        fix = None
    walk.report.error(
        "type-mismatch", f"cannot {VERBS[op]} `{left.type.plain}` and `{right.type.plain}`",
        walk.span(right), f"this is {an(right.type)}", related=(_origin(walk, left),), fix=fix,
        help=_arithmetic_help(op, kinds),
    )  # fmt: skip


def _arithmetic_help(op: str, kinds: set[str]) -> tuple[str, ...]:
    if "null" in kinds:
        return ("null is not a number; guard with `has(...)`",)
    if "duration" in kinds and op in ("*", "/"):
        return ("durations add and subtract, and compare; they do not multiply",)
    return ()


def _as_number(walk: Walk, left: ir.Expr, right: ir.Expr) -> Fix | None:
    """The fix for two unlike numbers: the double wins, else the int is made what the other one is."""
    if not {left.type.kind, right.type.kind} <= NUMBERS:
        return None
    wanted = "double" if "double" in (left.type.kind, right.type.kind) else "uint"
    odd = left if right.type.kind == wanted else right
    text, span = walk.report.text(odd.span), Span(*odd.span)  # a number of a let: where it is written
    if isinstance(odd, ir.Const) and text.isdigit():
        return Fix(span, f"{text}.0" if wanted == "double" else f"{text}u", f"write {an(wanted)}")
    if wanted == "uint" and odd.type.kind == "int":
        odd = left if odd is right else right
        wanted = "int"
    return Fix(walk.span(odd), f"{wanted}({walk.text(odd)})", f"convert it to {an(wanted)}")


def _as_text(walk: Walk, node: ir.Expr) -> Fix | None:
    if node.type.kind == "string" or node.type.kind in ("list", "map", "record", "null"):
        return None
    return Fix(walk.span(node), f"string({walk.text(node)})", "convert it to text")


def _unit_fix(place: ir.Expr, other: ir.Expr) -> Fix | None:
    if place.type.kind not in ("duration", "timestamp") or not isinstance(other, ir.Const):
        return None
    return (
        duration_fix(Span(*other.span), other.value, place.type.unit) if other.type.kind in NUMBERS else None
    )


def _element_fix(walk: Walk, left: ir.Expr, right: ir.Expr) -> Fix | None:
    if left.type.kind != "list" or right.type.kind != left.type.element.kind:
        return None
    return Fix(walk.span(right), f"[{walk.text(right)}]", "add a list")


def _look_at_arithmetic(walk: Walk, expr: syntax.Binary, left: ir.Expr, right: ir.Expr) -> None:
    if expr.op not in ARITHMETIC:
        return
    kinds = {left.type.kind, right.type.kind}
    if "dyn" in kinds and kinds & NUMBERS:
        _note_dyn(walk, *((left, right) if left.type.kind == "dyn" else (right, left)))
    if expr.op in ("/", "%") and _zero(right) and right.type.kind == "double":
        walk.report.warning("division-by-zero", "division by zero", walk.span(right), "this is zero")


def _note_dyn(walk: Walk, node: ir.Expr, other: ir.Expr) -> None:
    text, span, kind = walk.text(node), walk.span(node), other.type.kind
    walk.report.note(
        "dyn-arithmetic", f"unless `{text}` is {an(kind)} in the data, this is an error value", span,
        "its type is known only when the pact runs", fix=Fix(span, f"{kind}({text})", "convert it"),
    )  # fmt: skip


def _zero(node: ir.Expr) -> bool:
    return isinstance(node, ir.Const) and node.type.kind in NUMBERS and node.value == 0
