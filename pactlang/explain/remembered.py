"""Why a promise about earlier calls is broken: what came, and what should have come before it.

In: a program, one of its clauses, the values of the record's slots, and the earlier call that the form
looks back to.  Out: `Violation`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pactlang import ir
from pactlang.evaluate import Error
from pactlang.explain.show import opened, shown
from pactlang.explain.written import Writer, length
from pactlang.program import Program
from pactlang.source import Span
from pactlang.verdict import Violation

Back = tuple[int | None, int | None]  # calls ago, microseconds ago; None where there is none


def operators_row(row: Sequence[Any], operators: list[Any] | None) -> list[Any]:
    """The slots' values and behind them what the operators said, as `evaluate` takes them."""
    uncertain = Error("uncertain", "what came before in this session leaves it open")
    return [*row, *(uncertain if value is ... else value for value in operators or ())]


def remembered(program: Program, number: int, row: Sequence[Any], back: Back) -> Violation:
    """The broken promise of a form, in one sentence."""
    module, info = program.module, program.clauses[number]
    clause = module.clauses[number]
    form = clause.promise
    writer = Writer(module, program.source)
    values = values_of(form, row, writer)
    said = sentence(form, back)
    same = ", ".join(f"{name} is {shown(value, module.schema)}" for name, value in values.items())
    message = f"{info.name}: {said}" + (f", where {same}" if same else "")
    return Violation(
        info.name, info.severity, Span(*clause.promise_span), values, None, threshold(form), message,
        program.digest,
    )  # fmt: skip


def values_of(form: ir.Promise, row: Sequence[Any], writer: Writer) -> dict[str, Any]:
    """The values of the keys, and of the field of `only from`, that are fields of the record."""
    found: dict[str, Any] = {}
    nodes = (
        (*form.same, *((form.value,) if isinstance(form, ir.OnlyFrom) else ()))
        if isinstance(form, ir.Form)
        else ()
    )
    for node in nodes:
        value = key_value(node, row)
        if not isinstance(value, Error):
            found[writer.path(node)] = opened(value, writer.module.schema)
    return found


def key_value(node: ir.Expr, row: Sequence[Any]) -> Any:
    """The value of a field, or of a key of its data."""
    if isinstance(node, ir.Slot):
        return row[node.slot]
    if isinstance(node, ir.Key):
        source = key_value(node.operand, row)
        return source.get(node.key, MISSING) if isinstance(source, dict) else MISSING
    return MISSING


MISSING = Error("no-such-key", "it is not there")


def threshold(form: ir.Promise) -> Any:
    """The number of calls that a form allows or asks for; None if it has none."""
    return form.count if isinstance(form, ir.AtMost | ir.OnlyAfter) else None


def sentence(form: ir.Promise, back: Back) -> str:
    """What happened."""
    match form:
        case ir.OnlyAfter():
            wanted = f"{form.count} `{form.after.name}`" if form.count > 1 else f"a `{form.after.name}`"
            since = f" since the last `{form.event.name}`" if form.fresh else ""
            within = f" within {length(form.nanos)}" if form.nanos >= 0 else ""
            return (
                f"`{form.event.name}` came without {wanted} before it{since}{within}{_last(form.after, back)}"
            )
        case ir.NeverAfter():
            until = f", and no `{form.until.name}` since" if form.until is not None else ""
            return f"`{form.event.name}` came after a `{form.after.name}`{until}{_last(form.after, back)}"
        case ir.AtMost():
            per = "in this session" if form.nanos < 0 else f"within {length(form.nanos)}"
            what = "calls" if form.event.name == "calls" else f"`{form.event.name}`"
            return f"more than {form.count} {what} {per}{_last(form.event, back)}"
        case ir.OnlyFrom():
            sources = " or ".join(f"`{event.name}`" for event, _ in form.sources)
            return f"`{form.event.name}` has a value that did not come from {sources}"
        case ir.Expect():
            return f"no `{form.expected.name}` came after `{form.event.name}` in time"
    return "it does not hold over the window"


def _last(event: ir.Event, back: Back) -> str:
    calls, micros = back
    if calls is None:
        return f" (no `{event.name}` in this session)"
    ago = "" if micros is None else f", {length(micros * 1000)} ago"
    return f" (the last `{event.name}` was {calls} {'call' if calls == 1 else 'calls'} before{ago})"
