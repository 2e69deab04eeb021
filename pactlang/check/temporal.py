"""The operators over a session's calls: `once`, `historically`, `since`, `previous`, `count`.

In: `syntax.Call`.  Out: `ir.Operator`, numbered so that equal ones are one.

State sees every call, whatever stands around an operator, so nothing that a guard says is known of its
operands, and it stands in no comprehension.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pactlang import ir, syntax
from pactlang.check.modes import Mode
from pactlang.check.report import an
from pactlang.schema import BOOL, INT, Type

if TYPE_CHECKING:
    from pactlang.check.walk import Scope, Walk

# Of an operator: its operands, and whether they are conditions.
OPERANDS = {"once": 1, "historically": 1, "since": 2, "previous": 1, "count": 1}
BEFORE = "_before"
NAMES = frozenset((*OPERANDS, *(f"{name}{BEFORE}" for name in ("once", "historically", "since"))))
KEPT = frozenset({"bool", "int", "uint", "double", "timestamp", "duration"})  # what `previous` can keep


class Operators:
    """The operators of one pact, each once."""

    def __init__(self) -> None:
        self.found: dict[bytes, ir.Operator] = {}
        self.closed = ""  # where none may stand: said in the message

    def add(self, node: ir.Operator) -> ir.Operator:
        """The operator with its number; equal ones share it."""
        key = ir.shape(node)
        first = self.found.setdefault(key, ir.numbered(node, len(self.found)))
        return ir.numbered(node, first.number)

    def forget(self, count: int) -> None:
        """Drop the operators from number `count` on: what used them is not part of the program."""
        for key in list(self.found)[count:]:
            del self.found[key]


def is_operator(walk: Walk, expr: syntax.Call) -> bool:
    """Whether a call is one of an operator: no function of CEL has such a name."""
    return walk.mode is Mode.PACT and expr.target is None and expr.function in NAMES


def operator(walk: Walk, expr: syntax.Call, scope: Scope) -> ir.Expr:
    """`once(e, D)` and the like."""
    name, before = expr.function.removesuffix(BEFORE), expr.function.endswith(BEFORE)
    wanted = OPERANDS[name]
    if not _placed(walk, expr, scope) or not _counted(walk, expr, wanted, before):
        return walk.error(expr.span)
    operands = tuple(_operand(walk, name, arg) for arg in expr.args[:wanted])
    nanos = _bound(walk, expr.args[wanted]) if len(expr.args) > wanted else -1
    if nanos is None or any(node.type.kind == "error" for node in operands):
        return walk.error(expr.span)
    if name == "historically":
        inner = ir.Operator(BOOL, expr.span, "once", (ir.Not(BOOL, expr.span, operands[0]),), nanos, before)
        return ir.Not(BOOL, expr.span, walk.operators.add(inner))
    type = _type(name, operands[0])
    return walk.operators.add(ir.Operator(type, expr.span, name, operands, nanos, before))


def _placed(walk: Walk, expr: syntax.Call, scope: Scope) -> bool:
    where = walk.operators.closed or ("a comprehension" if scope.variables else "")
    if where:
        walk.report.error(
            "misplaced-operator", f"`{expr.function}` looks at earlier calls, and cannot stand in {where}",
            expr.name_span, help=("give it a name with `let`, outside",) if scope.variables else (),
        )  # fmt: skip
    return not where


def _counted(walk: Walk, expr: syntax.Call, wanted: int, before: bool) -> bool:
    most = wanted + (expr.function != "previous")
    least = most if before else wanted
    if least <= len(expr.args) <= most:
        return True
    forms = {"since": "since(p, q)` or `since(p, q, 5m)", "previous": "previous(x)"}
    name = expr.function
    form = forms.get(name, f"{name}(e, 5m)" if before else f"{name}(e)` or `{name}(e, 5m)")
    if name == "since_before":
        form = "since_before(p, q, 5m)"
    walk.report.error(
        "wrong-arguments", f"`{name}` takes other arguments, found {len(expr.args)}", expr.name_span,
        help=(f"write `{form}`",),
    )  # fmt: skip
    return False


def _operand(walk: Walk, name: str, arg: syntax.Expr) -> ir.Expr:
    if name != "previous":
        return walk.condition(arg, walk.nowhere, f"in `{name}`")
    node = walk.infer(arg, walk.nowhere)
    if node.type.kind in KEPT or node.type.values or node.type.kind == "error":
        return node
    walk.report.error(
        "wrong-operand", f"`previous` keeps numbers, times, bools and enums, found {an(node.type)}",
        arg.span, help=("keep what is asked of it: `previous(x == \"a\")`",),
    )  # fmt: skip
    return walk.error(arg.span)


def _bound(walk: Walk, arg: syntax.Expr) -> int | None:
    """D in nanoseconds; None if it is not a constant duration."""
    node = walk.infer(arg, walk.nowhere)
    if node.type.kind == "error":
        return None
    if isinstance(node, ir.Const) and node.type.kind == "duration":
        seconds, nanos = node.value
        if seconds >= 0:
            return int(seconds * 10**9 + nanos)
    walk.report.error(
        "wrong-operand", "this is not a constant length of time", arg.span, help=("write one like `5m`",)
    )  # fmt: skip
    return None


def _type(name: str, operand: ir.Expr) -> Type:
    if name == "count":
        return INT
    return operand.type.optional if name == "previous" and operand.type.kind != "bool" else BOOL
