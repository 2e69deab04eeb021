"""How to ask first whether a field is there: what a one-click mend of a note about absence writes.

In: a place that may be null, and where it stands.  Out: a `Fix`, or None where none keeps the verdicts.

In a promise the mend is a `when`: the calls that lack the field are skipped.  `has(x) && ...` in the promise
itself would make them breaches of `require`, and kept under `never`.  A let or an event may stand in both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pactlang import ir, syntax
from pactlang.diagnostic import Fix
from pactlang.source import Span

if TYPE_CHECKING:
    from pactlang.check.walk import Scope, Walk


class Admission(NamedTuple):
    """The promise that is being checked: its place, and the condition of its `when`."""

    promise: Span
    when: syntax.Expr | None


def guard(walk: Walk, node: ir.Expr, atom: Span | None) -> Fix | None:
    """The fix that asks for `node` first.  atom: the part of a condition that it stands in."""
    text = walk.text(node)
    if walk.admission is not None:
        fits = isinstance(node, ir.Slot) and not walk.open
        return _admit(walk, text, walk.admission) if fits else None
    if atom is None or walk.open:
        return None
    title = f"ask first whether `{text}` is there"
    return Fix(Span(atom.start, atom.start), f"has({text}) && ", title, atom)


def _admit(walk: Walk, text: str, admission: Admission) -> Fix:
    """`when has(text)`, joined to the `when` that is there."""
    title, (promise, when) = f"judge only the calls that have `{text}`", admission
    if when is None:
        begin = Span(promise.start, promise.start)
        return Fix(begin, f"when has({text}){_break(walk, promise.start)}", title, begin)
    end = Span(when.span.end, when.span.end)
    if isinstance(when, syntax.Conditional) or (isinstance(when, syntax.Logic) and when.op == "||"):
        return Fix(when.span, f"({walk.report.text(when.span)}) && has({text})", title, when.span)
    return Fix(end, f" && has({text})", title, when.span)


def _break(walk: Walk, at: int) -> str:
    """What stands between the lines of the clause: a line break and its indent, if it has lines."""
    before = walk.report.source.text[:at].rpartition("\n")[2]
    return f"\n{before}" if before.isspace() and at > len(before) else "  "


# What a value of a type is where it says nothing.
EMPTY = {"string": '{} != ""', "list": "size({}) > 0", "map": "size({}) > 0"}


def presence(walk: Walk, node: ir.Expr) -> Fix | None:
    """The condition that a field taken for one was probably meant to be: that something is there."""
    if not isinstance(node, ir.Slot | ir.Member):
        return None
    text, span = walk.text(node), walk.span(node)
    if node.type.nullable:
        return Fix(span, f"has({text})", "ask whether it is there")
    empty = EMPTY.get(node.type.kind)
    return Fix(span, empty.format(text), "ask whether it holds something") if empty else None


def note_never(walk: Walk, node: ir.Expr, scope: Scope) -> None:
    """`never status == "error"` is kept where there is no status, as `status != "error"` is true there."""
    parts = node.operands if isinstance(node, ir.Logic) and node.op == "||" else (node,)
    for part in parts:
        if isinstance(part, ir.Call) and part.function == "_==_":
            for place, other in (part.args, part.args[::-1]):
                if may_be_absent(walk, place, other, scope):
                    note_absent(walk, place, "this promise is also kept where `{}` is absent", scope)


def may_be_absent(walk: Walk, place: ir.Expr, other: ir.Expr, scope: Scope) -> bool:
    """Whether a place that is compared with a constant may be null, and null was not thought of."""
    if not place.type.nullable or not isinstance(other, ir.Const) or other.type.kind == "null":
        return False
    return place.type.kind != "dyn" and walk.known.place(place) not in scope.facts


def note_absent(walk: Walk, place: ir.Expr, message: str, scope: Scope) -> None:
    """Say what an absent value comes to."""
    text = walk.text(place)
    walk.report.note(
        "optional-not-equal", message.format(text), walk.span(place), f"`{text}` may be absent",
        fix=guard(walk, place, scope.atom),
    )  # fmt: skip
