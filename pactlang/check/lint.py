"""What a condition says in vain: branches that are never taken, comparisons that come out one way.

In: a checked condition.  Out: warnings, each with what to write instead.  All of it is allowed, and
almost certainly not meant.  The condition as a whole is looked at where its clause is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pactlang import ir
from pactlang.check.facts import COMPARE, constant
from pactlang.check.ranges import RANGES, Range, conjuncts, contradiction, flipped, tautology
from pactlang.diagnostic import WARNING, Fix

if TYPE_CHECKING:
    from pactlang.check.walk import Walk

# What functions give, at least and at most.
BOUNDS = {
    "size": Range(0), "indexOf": Range(-1), "lastIndexOf": Range(-1), "hour": Range(0, False, 23),
    "getMonth": Range(0, False, 11), "getDate": Range(1, False, 31), "getDayOfMonth": Range(0, False, 30),
    "getDayOfWeek": Range(0, False, 6), "getDayOfYear": Range(0, False, 365),
    "prefixLength": Range(0, False, 128),
}  # fmt: skip
# Of a timestamp; of a duration they are as long as it is.
CLOCK_BOUNDS = {
    "getHours": Range(0, False, 23), "getMinutes": Range(0, False, 59), "getSeconds": Range(0, False, 59),
    "getMilliseconds": Range(0, False, 999),
}  # fmt: skip


def look(walk: Walk, root: ir.Expr, whole: bool = False) -> None:
    """Warn of what is said in vain below a condition; `whole`: and of the condition itself."""
    for node in _below(root):
        match node:
            case ir.Cond():
                _branches(walk, node)
            case ir.Logic():
                _idle_parts(walk, node)
                if node is not root or whole:
                    _chain(walk, node)
            case ir.Call() if node.function in COMPARE and len(node.args) == 2:
                _comparison(walk, node)


def _below(root: ir.Expr) -> Iterator[ir.Expr]:
    """Every node once, though a let's tree may stand in many places."""
    todo, seen = [root], set[int]()
    while todo:
        node = todo.pop()
        if id(node) not in seen:
            seen.add(id(node))
            yield node
            todo += ir.parts(node)


def _say(walk: Walk, code: str, node: ir.Expr, message: str, fix: Fix | None, *help: str) -> None:
    walk.report.error(code, message, walk.span(node), help=help, fix=fix, level=WARNING)


def _branches(walk: Walk, node: ir.Cond) -> None:
    known = constant(node.test)
    if known is None:
        return
    taken, dead = (node.yes, node.no) if known else (node.no, node.yes)
    fix = Fix(walk.span(node), walk.text(taken), "write the branch that is taken")
    message = f"this is never taken: `{walk.text(node.test)}` is always {_word(known)}"
    _say(walk, "unreachable", dead, message, fix)


def _word(value: bool) -> str:
    return "true" if value else "false"


def _idle_parts(walk: Walk, node: ir.Logic) -> None:
    """Parts of a chain that are `true` between `&&`, or `false` between `||`."""
    neutral = node.op == "&&"
    idle = [part for part in node.operands if constant(part) is neutral]
    rest = [part for part in node.operands if constant(part) is not neutral]
    for part in idle:
        text = f" {node.op} ".join(walk.text(other) for other in rest) or _word(neutral)
        message = f"this changes nothing: it is always {_word(neutral)}"
        _say(walk, f"always-{_word(neutral)}", part, message, Fix(walk.span(node), text, "leave it out"))


def _chain(walk: Walk, node: ir.Logic) -> None:
    """A chain whose parts contradict each other, or leave nothing out."""
    neutral = node.op == "&&"
    if constant(node) is None and (contradiction(conjuncts(node)) if neutral else tautology(node.operands)):
        other = "||" if neutral else "&&"
        text = f" {other} ".join(walk.text(part) for part in node.operands)
        fix = Fix(walk.span(node), text, f"write `{other}`, if that is what was meant")
        message = "no value is like this" if neutral else "every value is like this"
        _say(walk, f"always-{_word(not neutral)}", node, message, fix)


def _comparison(walk: Walk, node: ir.Call) -> None:
    """A comparison of something with itself, or with what it can never reach."""
    left, right = node.args
    place = walk.known.place(left)
    simple = left.type.kind not in ("double", "dyn", "list", "map", "record") and not left.type.nullable
    if place is not None and place == walk.known.place(right) and simple:
        known = node.function in ("_==_", "_<=_", "_>=_")
        _one_way(walk, node, known, f"`{walk.text(left)}` is compared with itself")
        return
    sides = flipped(node)
    within = None if sides is None else _bounds(sides[1])
    if sides is None or within is None or not isinstance(sides[2], ir.Const):
        return
    settled = _settled(sides[0], within, sides[2])
    if settled is not None:
        ends = f"from {within.low} on" if within.high is None else f"{within.low} to {within.high}"
        subject = walk.text(sides[1])
        _one_way(walk, node, settled, f"this is always {_word(settled)}: `{subject}` is {ends}")


def _one_way(walk: Walk, node: ir.Call, known: bool, message: str) -> None:
    fix = Fix(walk.span(node), _word(known), "write what it is")
    _say(walk, f"always-{_word(known)}", node, message, fix)


def _bounds(node: ir.Expr) -> Range | None:
    """The least and the greatest value of an expression, where its type or its function says."""
    if not isinstance(node, ir.Call):
        return Range(0) if node.type.kind == "uint" and not node.type.nullable else None
    moment = bool(node.args) and node.args[0].type.kind == "timestamp"
    return BOUNDS.get(node.function) or (CLOCK_BOUNDS.get(node.function) if moment else None)


def _settled(function: str, within: Range, bound: ir.Const) -> bool | None:
    """How the comparison of a value within the range comes out, None if that depends."""
    if bound.type.kind not in ("int", "uint", "double") or function not in (*RANGES, "_!=_"):
        return None
    asked = RANGES["_==_" if function == "_!=_" else function](bound.value)
    if within.meet(asked).empty:
        return function == "_!=_"
    low_in = asked.low is None or (within.low, False) >= (asked.low, asked.low_open)
    high_in = asked.high is None or (within.high is not None and within.high < asked.high)
    return True if low_in and high_in and function != "_!=_" else None
