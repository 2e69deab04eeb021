"""Why a promise about earlier calls came out as it did: what came, and what should have come before it.

In: a program or module, one of its clauses, the values of the record's slots, and what a monitor knows
(`Memory`).  Out: `Violation`, a sentence, a drawing, JSON data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pactlang import ir
from pactlang.evaluate import NOT_EVALUATED, Error, TraceNode, truth
from pactlang.explain.alarm import Noted, alarm_of, alarm_sentence, percent, watched
from pactlang.explain.draw import Part, Table, room_of
from pactlang.explain.say import OPENING
from pactlang.explain.show import opened, plain, shown, wrapped
from pactlang.explain.story import told
from pactlang.explain.written import Writer, length
from pactlang.opcodes import Outcome
from pactlang.program import Program
from pactlang.source import Source, Span
from pactlang.verdict import Violation

Back = tuple[int | None, int | None]  # calls ago, microseconds ago; None where there is none
ERROR_VALUE = "an error value"  # why a clause is unknown, where state has no part in it
PENDING, INSUFFICIENT = "pending", "insufficient"  # why one is that may yet be known
MOST_NAMES = 4  # of tokens that a sentence tells
WAITING = frozenset({PENDING, INSUFFICIENT})


class Memory(NamedTuple):
    """What a monitor knows of a clause on a call: its outcome, why it is unknown (of all else ""), and of a
    broken form the earlier call that it looks back to, of a `watch` what the machine noted at its alarm, of
    `only from` hashes of the tokens that came from nowhere."""

    outcome: Outcome
    why: str = ""
    back: Back = (None, None)
    noted: Noted | None = None
    strange: Sequence[int] = ()

    @property
    def is_waiting(self) -> bool:
        """Whether it may yet be known, so that nothing is wrong so far."""
        return self.outcome == Outcome.UNKNOWN and self.why in WAITING


def operators_row(row: Sequence[Any], operators: list[Any] | None) -> list[Any]:
    """The slots' values and behind them what the operators said, as `evaluate` takes them."""
    uncertain = Error("uncertain", "what came before in this session leaves it open")
    return [*row, *(uncertain if value is ... else value for value in operators or ())]


def remembered(program: Program, number: int, row: Sequence[Any], memory: Memory) -> Violation:
    """The broken promise of a form, in one sentence."""
    module, info = program.module, program.clauses[number]
    clause = module.clauses[number]
    form = clause.promise
    writer = Writer(module, program.source)
    values = values_of(form, row, writer)
    alarm = alarm_of(module, clause, memory.noted) if memory.noted is not None else None
    said = kept(form, writer) if isinstance(form, ir.Keep) else happened(form, row, memory, module)
    if alarm is not None and isinstance(form, ir.Watch):
        said = alarm_sentence(form, alarm, writer)
    same = ", ".join(f"{name} is {shown(value, module.schema)}" for name, value in values.items())
    message = f"{info.name}: {said}" + (f", where {same}" if same else "")
    return Violation(
        info.name, info.severity, Span(*clause.promise_span), values, None, threshold(form), message,
        program.digest, alarm,
    )  # fmt: skip


def later(program: Program, name: str) -> Violation:
    """The violation of a promise that was pending on a call, and was broken by what came after it."""
    clause = next(each for each in program.module.clauses if each.name == name)
    message = f"{name}: {sentence(clause.promise, (None, None))}"
    return Violation(
        name, clause.severity, Span(*clause.promise_span), {}, None, threshold(clause.promise), message,
        program.digest,
    )  # fmt: skip


def values_of(form: ir.Promise, row: Sequence[Any], writer: Writer) -> dict[str, Any]:
    """The values of the keys, and of the field of `only from`, that are fields of the record."""
    found: dict[str, Any] = {}
    nodes: tuple[ir.Expr, ...] = form.keys if isinstance(form, ir.Population) else ()
    if isinstance(form, ir.Form):
        nodes = (*form.same, *((form.value,) if isinstance(form, ir.OnlyFrom) else ()))
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


def kept(keep: ir.Keep, writer: Writer) -> str:
    """What does not hold, and over which windows."""
    spans = [length(w.nanos) if w.nanos >= 0 else f"the last {w.calls} calls" for w in keep.windows]
    return f"{writer.text(keep.comparison)} does not hold over {' and '.join(spans)}"


def threshold(form: ir.Promise) -> Any:
    """The number of calls that a form allows or asks for, the share of a watch; None if it has none."""
    if isinstance(form, ir.Watch):
        return form.rate[0] / form.rate[1] if form.base is None else None
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
            return f"no `{form.expected.name}` came {limits(form)} after this `{form.event.name}`"
    return "it does not hold over the window"


def happened(form: ir.Promise, row: Sequence[Any], memory: Memory, module: ir.Module) -> str:
    """What happened, and of `only from` what came from nowhere."""
    said = sentence(form, memory.back)
    if not isinstance(form, ir.OnlyFrom):
        return said
    found = strangers(told(form.value, row, module).value, memory.strange)
    names = ", ".join(f"`{name}`" for name in found[:MOST_NAMES])
    more = f" and {len(found) - MOST_NAMES} more" if len(found) > MOST_NAMES else ""
    return f"{said}: {names}{more}" if names else said


def strangers(value: Any, hashes: Sequence[int]) -> list[str]:
    """The tokens of a value that have one of these hashes, as they are compared."""
    from pactlang.tokens import token_hash, tokens  # only who uses `only from` pays for its import

    wanted = set(hashes)
    if not wanted or value is NOT_EVALUATED or isinstance(value, Error):
        return []
    return sorted(token.text for token in tokens(value)[0] if token_hash(token) in wanted)


def _last(event: ir.Event, back: Back) -> str:
    calls, micros = back
    if calls is None:
        return f" (no `{event.name}` in this session)"
    ago = "" if micros is None else f", {length(micros * 1000)} ago"
    return f" (the last `{event.name}` was {calls} {'call' if calls == 1 else 'calls'} before{ago})"


# Forms, told -----------------------------------------------------------------------------------------


def is_form(clause: ir.Clause) -> bool:
    """Whether a clause is a named form, `keep` or `watch`, which no single call decides."""
    return isinstance(clause.promise, ir.Remembering)


def form_sentence(
    module: ir.Module, clause: ir.Clause, row: Sequence[Any], memory: Memory, source: Source | None = None
) -> str:
    """Why a form came out so, without the clause's name."""
    form = clause.promise
    if isinstance(form, ir.Watch) and memory.outcome in (Outcome.VIOLATED, Outcome.SATISFIED):
        return watch_sentence(module, clause, memory)
    match memory.outcome:
        case Outcome.VIOLATED if isinstance(form, ir.Keep):
            return kept(form, Writer(module, source))
        case Outcome.VIOLATED:
            return happened(form, row, memory, module)
        case Outcome.SATISFIED:
            return "it holds"
        case Outcome.SKIPPED:
            return f"{OPENING[Outcome.SKIPPED]}: {_skipped(module, clause, row)}"
    if memory.why == PENDING and isinstance(form, ir.Expect):
        return f"pending: a `{form.expected.name}` may still come {limits(form)}"
    if memory.why == ERROR_VALUE:
        return f"{OPENING[Outcome.UNKNOWN]}: {_failed(module, clause, row) or memory.why}"
    why = "too little evidence yet" if memory.why == INSUFFICIENT else memory.why
    return f"{OPENING[Outcome.UNKNOWN]}: {why}"


def watch_sentence(module: ir.Module, clause: ir.Clause, memory: Memory) -> str:
    """Of a watch that gives an alarm, or none."""
    writer, watch = Writer(module, None), clause.promise
    assert isinstance(watch, ir.Watch)
    if memory.noted is None:
        if watch.base is not None:
            return f"no alarm: nothing says that `{watched(watch, writer)}` is otherwise than in the baseline"
        rate = percent(watch.rate[0] / watch.rate[1])
        return f"no alarm: nothing says that `{watched(watch, writer)}` is above {rate}"
    return alarm_sentence(watch, alarm_of(module, clause, memory.noted), writer)


def limits(form: ir.Expect) -> str:
    """How long an obligation stays open."""
    calls = f"{form.calls} {'call' if form.calls == 1 else 'calls'}" if form.calls >= 0 else ""
    parts = filter(None, (calls, length(form.nanos) if form.nanos >= 0 else ""))
    return f"within {' or '.join(parts)}"


def _skipped(module: ir.Module, clause: ir.Clause, row: Sequence[Any]) -> str:
    if clause.when is not None and truth(clause.when, told(clause.when, row, module).value) is False:
        return "`when` is false"
    form = clause.promise
    if isinstance(form, ir.Form):
        event = form.event
        if truth(event.condition, told(event.condition, row, module).value) is False:
            return f"this call is no `{event.name}`"
    if isinstance(form, ir.Watch):
        return "there is no value on this call"
    return "an obligation of an earlier call is open" if isinstance(form, ir.Expect) else "`when` is false"


def _failed(module: ir.Module, clause: ir.Clause, row: Sequence[Any]) -> str:
    """What is an error value on this call."""
    for name, root in form_parts(module, clause, row):
        if isinstance(root.value, Error):
            return f"`{name}` is an error value: {root.value.message}"
    return ""


def form_parts(module: ir.Module, clause: ir.Clause, row: Sequence[Any]) -> list[Part]:
    """What a form looks at on this call: `when`, each event under its name, its keys."""
    parts = [("when", clause.when)] if clause.when is not None else []
    for event, text in form_events(clause.promise):
        parts.append((event.name, event.condition))
        parts += [(f"{event.name}.", text)] if text is not None else []
    parts += [("same", key) for key in clause.promise.same] if isinstance(clause.promise, ir.Form) else []
    if isinstance(clause.promise, ir.Watch) and clause.promise.value is not None:
        parts.append(("watch", clause.promise.value))
    parts += [("by", key) for key in clause.promise.keys] if isinstance(clause.promise, ir.Population) else []
    return [(name, told(node, row, module)) for name, node in parts]


def form_events(form: ir.Promise) -> Iterator[tuple[ir.Event, ir.Expr | None]]:
    """The events that a form is about, and of `only from` their texts; none of a condition."""
    match form:
        case ir.OnlyAfter() | ir.NeverAfter():
            yield form.event, None
            yield form.after, None
            if isinstance(form, ir.NeverAfter) and form.until is not None:
                yield form.until, None
        case ir.AtMost():
            yield form.event, None
        case ir.Expect():
            yield form.event, None
            yield form.expected, None
        case ir.OnlyFrom():
            yield form.event, form.value
            yield from form.sources


def explain_form(
    module: ir.Module,
    clause: ir.Clause,
    row: Sequence[Any],
    memory: Memory,
    source: Source | None = None,
    width: int | None = None,
) -> str:
    """A form on one call: what it came to and why, and its events and keys with their values."""
    room = room_of(width)
    said = wrapped(form_sentence(module, clause, row, memory, source), room - 2)
    parts = form_parts(module, clause, row)
    drawn = Table((), Writer(module, source), room).drawn(parts)
    head = f"{clause.name}: {memory.outcome.name.lower()}"
    return "\n".join([head, *(f"  {line}" for line in said), *([""] if drawn else []), *drawn])


def form_data(
    module: ir.Module, clause: ir.Clause, row: Sequence[Any], memory: Memory, source: Source | None = None
) -> dict[str, Any]:
    """The same as JSON data: `clause severity outcome message why back parts`, where a part has the `name`
    of an event or `when`, `same`, `by`, and `text state value`."""
    writer, calls, micros = Writer(module, source), *memory.back
    said = form_sentence(module, clause, row, memory, source)
    back = None if calls is None else {"calls": calls, "seconds": None if micros is None else micros / 1e6}
    parts = form_parts(module, clause, row)
    return {
        "clause": clause.name,
        "severity": clause.severity,
        "outcome": memory.outcome.name.lower(),
        "message": f"{clause.name}: {said}",
        "why": memory.why,
        "back": back,
        "parts": [{"name": name, **_part(root, writer)} for name, root in parts],
    }


def _part(root: TraceNode, writer: Writer) -> dict[str, Any]:
    text = writer.text(root.node)
    if root.value is NOT_EVALUATED or isinstance(root.value, Error):
        why = root.value.message if isinstance(root.value, Error) else ""
        return {"text": text, "state": "error" if why else "not evaluated", "message": why}
    return {"text": text, "state": "value", "value": plain(root.value, writer.module.schema)}
