"""What a session is, for a pact that needs one.

In: `syntax.Session` if the pact has one, and whether a clause remembers.  Out: `ir.Session`.  The slots
of `id`, `seq` and `time`, which give order and age, are taken whether or not a clause names them; so are
those that tell versions of the agent apart, where a clause watches.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pactlang import ir, syntax
from pactlang.drift import FIELDS
from pactlang.source import Span

if TYPE_CHECKING:
    from pactlang.check.walk import Walk

ORDER = ("id", "seq", "time")


def session(
    walk: Walk,
    written: syntax.Session | None,
    clauses: Iterable[ir.Clause],
    needed: Span | None,
    scored: bool = False,
) -> ir.Session | None:
    """The session of a pact; None if no clause remembers one.  needed: the first promise that does.

    scored: the pact says how it is scored, so verdicts are to know the times of their calls.
    """
    clauses = list(clauses)
    if not any(map(ir.remembers, clauses)):
        return _timed(walk) if scored else None
    watches = any(isinstance(clause.promise, ir.Watch) for clause in clauses)
    for name in (*ORDER, *(FIELDS if watches else ())):
        if name in walk.fields and (name in ORDER or walk.fields[name].type.kind == "string"):
            walk.slots.field(-1, name, walk.fields[name].type)
    _times(walk, clauses)
    key = _key(walk, written, needed)
    if key is None:
        return None
    if written is None:
        return ir.Session(key)
    idle = -1 if written.idle is None else written.idle.nanos
    limit = -1 if written.limit is None else _limit(walk, written.limit)
    _notes(walk, written, clauses)
    return ir.Session(key, idle, limit)


def _timed(walk: Walk) -> ir.Session | None:
    """What a pact needs that remembers nothing, so that its verdicts know the times of their calls."""
    if "time" not in walk.fields:
        return None
    walk.slots.field(-1, "time", walk.fields["time"].type)
    return ir.Session(_nobody(walk))


def _nobody(walk: Walk) -> ir.Expr:
    return ir.Const(walk.constant("null", None, Span(0, 0)).type, Span(0, 0), None)


def _key(walk: Walk, written: syntax.Session | None, needed: Span | None) -> ir.Expr | None:
    walk.clause()
    if written is not None and written.key is not None:
        walk.operators.closed = "the key of a session"
        key = walk.infer(written.key, walk.nowhere)
        walk.operators.closed = ""
        return None if key.type.kind == "error" else key
    field = walk.fields.get("session")
    if field is not None:
        span = written.span if written is not None else needed or Span(0, 0)
        return ir.Slot(field.type, span, walk.slots.field(-1, "session", field.type))
    if needed is not None:
        walk.report.error(
            "no-session", "this promise is about a session, and the record has no field `session`", needed,
            help=("name the field with `as`, or write `session by KEY`",),
        )  # fmt: skip
        return None
    return _nobody(walk)


def _limit(walk: Walk, number: syntax.Number) -> int:
    if isinstance(number.value, int) and 1 <= number.value <= 2**40:
        return number.value
    walk.report.error("out-of-range", "expected a whole number from 1 on", number.span)
    return -1


def _times(walk: Walk, clauses: Iterable[ir.Clause]) -> None:
    """Whoever counts in time needs the record's time."""
    if "time" in walk.fields:
        return
    for clause in clauses:
        if _needs_time(clause):
            walk.report.error(
                "no-time", "this counts in time, and the record has no field `time`",
                Span(*clause.promise_span), help=("name the field with `as`, or count calls",),
            )  # fmt: skip


def _needs_time(clause: ir.Clause) -> bool:
    promise = clause.promise
    if isinstance(promise, ir.OnlyAfter | ir.AtMost | ir.Expect) and promise.nanos >= 0:
        return True
    if isinstance(promise, ir.Keep):
        return any(window.nanos >= 0 for window in promise.windows)
    parts = ir.nodes(clause.when, *ir.promised(promise))
    return any(isinstance(node, ir.Operator) and node.nanos >= 0 for node in parts)


def _notes(walk: Walk, written: syntax.Session, clauses: Iterable[ir.Clause]) -> None:
    """An idle session forgets: so says the author, who may have meant otherwise."""
    if written.idle is None:
        return
    for clause in clauses:
        promise = clause.promise
        forever = isinstance(promise, ir.NeverAfter) or (isinstance(promise, ir.AtMost) and promise.nanos < 0)
        if forever:
            walk.report.note(
                "idle-forgets", f"clause `{clause.name}` forgets what came before an idle time",
                Span(*clause.promise_span), "a new session begins with an empty state",
            )  # fmt: skip
