"""What forms and operators mean, decided over the whole history of a session's calls.

In: `Call`s, each with the truth of every event and operand (true, false or None for maybe) and the bounds
of its time.  Out: true, false or None.  Nothing is remembered between two questions: every answer looks
at all calls, once with each maybe read as is worst for the promise, once as is best.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from pactlang import ir
from pactlang.evaluate import Error
from pactlang.tokens import Token, tokens

Truth = bool | None  # None: maybe
FOREVER = math.inf
LOST = "lost"  # the values of a call that nobody saw


class Call(Struct):
    """A call of a session.  number: from 0, lost calls included.  It came between the times `earliest` and
    `latest`, microseconds; `time` is its own, None where it is not known."""

    number: int
    earliest: float
    latest: float
    time: float | None
    values: Any  # of every expression: `Values`, or LOST
    unseen: bool = False  # it was lost before the call that was judged next
    ident: Any = None
    clock: float | None = None  # how late it was said to be before this call
    dated: int = -1  # number of the call since which `latest` is known, if it was not at once
    pending: frozenset[int] = frozenset()  # numbers of clauses whose verdict on this call waits

    @property
    def timeless(self) -> bool:
        return self.values is not LOST and self.time is None

    def truth(self, node: ir.Expr) -> Truth:
        return None if self.values is LOST else self.values.truth(node)

    def keys(self, nodes: Sequence[ir.Expr]) -> Any:
        """The values of `same`; None if one is null or an error value."""
        return None if self.values is LOST else self.values.keys(nodes)


def micros(nanos: int) -> float:
    return nanos // 1000 if nanos >= 0 else FOREVER


def event_of(call: Call, event: ir.Event, same: tuple[ir.Expr, ...] = (), key: Any = None) -> Truth:
    """Whether a call is this event in the slice of a key."""
    there = call.truth(event.condition)
    if not same or there is False:
        return there
    own = call.keys(same)
    if own is None:
        return None
    return there if alike(own, key) else False


def alike(a: Any, b: Any) -> bool:
    """CEL's equality of two lists of keys."""
    from pactlang.evaluate.calls import apply

    return all(apply("_==_", [x, y]) is True for x, y in zip(a, b, strict=True))


def timed(call: Call, there: Truth, nanos: int) -> Truth:
    """An event at an unknown time may be there, for whoever counts in time."""
    return None if there is True and nanos >= 0 and call.timeless else there


def within(call: Call, now: Call, nanos: int, surely: bool) -> bool:
    """Whether a call lies at most so far back: for certain, or possibly."""
    if nanos < 0:
        return True
    oldest, newest = now.latest - call.earliest, now.earliest - call.latest
    return (oldest if surely else newest) <= micros(nanos)


def at_least(call: Call, now: Call, nanos: int, surely: bool) -> bool:
    """Whether it lies at least so far back."""
    oldest, newest = now.latest - call.earliest, now.earliest - call.latest
    return (newest if surely else oldest) >= micros(nanos)


def both(low: bool, high: bool) -> Truth:
    """What two readings say together; what the worst one allows the best one allows too."""
    assert high or not low
    return True if low else None if high else False


# Operators ---------------------------------------------------------------------------------------------


def operator(node: ir.Operator, history: Sequence[Call], times: int = 1_024) -> Any:
    """The value of an operator on the last of these calls, an `Error` where it is not known.  times: how many
    `count` keeps."""
    if node.kind == "previous":
        return previous(node, history)
    if node.kind == "count":
        return count(node, history, times)
    said = both(*(since(node, history, surely) for surely in (True, False)))
    return Error("uncertain", "what came before is not known") if said is None else said


def since(node: ir.Operator, history: Sequence[Call], surely: bool) -> bool:
    """Some call had q, and every later one up to now p; `once(e)` is `since(true, e)`."""
    now = history[-1]
    away = at_least if node.before else within
    for at, call in enumerate(history):
        there = timed(call, call.truth(node.operands[-1]), node.nanos)
        held = node.kind == "once" or all(
            holds(later.truth(node.operands[0]), surely) for later in history[at + 1 :]
        )
        if holds(there, surely) and held and away(call, now, node.nanos, surely):
            return True
    return False


def holds(truth: Truth, surely: bool) -> bool:
    return truth is True or (truth is None and not surely)


def count(node: ir.Operator, history: Sequence[Call], times: int) -> Any:
    least, most = (
        sum(
            holds(timed(call, call.truth(node.operands[0]), node.nanos), surely)
            and within(call, history[-1], node.nanos, surely)
            for call in history
        )
        for surely in (True, False)
    )
    if least != most or (node.nanos >= 0 and most > times):
        return Error("uncertain", "what came before is not known")
    return least


def previous(node: ir.Operator, history: Sequence[Call]) -> Any:
    operand = node.operands[0]
    if len(history) == 1:
        return False if operand.type.kind == "bool" else None
    before = history[-2]
    if before.values is LOST:
        return Error("uncertain", "the call before was lost")
    return before.values.value(operand)


# Forms -------------------------------------------------------------------------------------------------


def judge(form: ir.NamedForm, history: Sequence[Call]) -> Truth:
    """Whether the form holds on the last call, which is its event, in the slice of that call's key."""
    key = history[-1].keys(form.same)
    if form.same and key is None:
        return None
    match form:
        case ir.OnlyAfter():
            decide: Callable[..., bool] = only_after
        case ir.NeverAfter():
            decide = never_after
        case ir.AtMost():
            decide = at_most
        case ir.OnlyFrom():
            if isinstance(history[-1].values.value(form.value), Error):
                return None
            decide = only_from
    return both(decide(form, history, key, False), decide(form, history, key, True))


def only_after(form: ir.OnlyAfter, history: Sequence[Call], key: Any, best: bool) -> bool:
    """At least N came since the event before, not too long ago."""
    *earlier, now = history
    start = 0
    for at, call in enumerate(earlier if form.fresh else []):
        if holds(event_of(call, form.event, form.same, key), best):
            start = at + 1  # one on that very call does not count
    fitting = (
        call
        for call in earlier[start:]
        if holds(timed(call, event_of(call, form.after, form.same, key), form.nanos), not best)
        and within(call, now, form.nanos, not best)
    )
    return sum(1 for _ in fitting) >= form.count


def never_after(form: ir.NeverAfter, history: Sequence[Call], key: Any, best: bool) -> bool:
    """No Q came before that was not followed by an R."""
    *earlier, _ = history
    for at, call in enumerate(earlier):
        forbids = holds(event_of(call, form.after, form.same, key), best)
        allowed = form.until is not None and any(
            holds(event_of(later, form.until, form.same, key), not best) for later in earlier[at + 1 :]
        )
        if forbids and not allowed:
            return False
    return True


def at_most(form: ir.AtMost, history: Sequence[Call], key: Any, best: bool) -> bool:
    """This one and those not longer ago than D are at most N."""
    *earlier, now = history
    others = (
        call
        for call in earlier
        if holds(timed(call, event_of(call, form.event, form.same, key), form.nanos), best)
        and within(call, now, form.nanos, best)
    )
    return sum(1 for _ in others) + 1 <= form.count


def only_from(form: ir.OnlyFrom, history: Sequence[Call], key: Any, best: bool) -> bool:
    """Every token of the value was in one of the sources."""
    *earlier, now = history
    found, complete = tokens(now.values.value(form.value))
    return (complete or best) and all(came(form, token, earlier, key, best) for token in found)


def came(form: ir.OnlyFrom, token: Token, earlier: Sequence[Call], key: Any, best: bool) -> bool:
    """Whether some source had the token; one that cannot be read may have had any."""
    for call in earlier:
        for event, text in form.sources:
            if holds(event_of(call, event, form.same, key), not best):
                value = Error("lost", "") if call.values is LOST else call.values.value(text)
                found, complete = (set(), False) if isinstance(value, Error) else tokens(value)
                if token in found or (best and not complete):
                    return True
    return False


def is_kept(form: ir.NamedForm, history: Sequence[Call], key: Any, most: int) -> bool:
    """Whether a key is among those whose calls a session keeps: so many, the first ones that its events had."""
    found: list[Any] = []
    for call in history[:-1]:
        own = call.keys(form.same)
        if own is None or all(call.truth(event.condition) is False for event in taken(form)):
            continue
        if not any(alike(own, other) for other in found):
            found.append(own)
    return len(found) < most or any(alike(key, other) for other in found[:most])


def taken(form: ir.NamedForm) -> list[ir.Event]:
    """The events that a form remembers."""
    match form:
        case ir.OnlyAfter():
            return [form.after, *[form.event] * form.fresh]
        case ir.NeverAfter():
            return [form.after, *([form.until] if form.until is not None else [])]
        case ir.AtMost():
            return [form.event]
        case ir.Expect():
            return [form.event, form.expected]
    return [event for event, _ in form.sources]


# `expect` ----------------------------------------------------------------------------------------------


class Duty(Struct):
    """An obligation in one reading.  closed: the number of the call that closed it; early: before that call
    was judged."""

    opened: Call
    said: str = ""  # kept or broken; "" while it is open
    closed: int = -1
    early: bool = False

    def close(self, said: str, call: Call, early: bool) -> None:
        self.said, self.closed, self.early = said, call.number, early or call.unseen


def duties(
    form: ir.Expect, history: Sequence[Call], key: Any, yes: bool, now: float | None = None
) -> list[Duty]:
    """All obligations of a session in one reading: each maybe is no, or each is yes.  now: it is so late."""
    found: list[Duty] = []
    for call in history:
        if found and not found[-1].said and found[-1].opened.dated < call.number:
            expire(form, found[-1], call, call.clock)
        if found and not found[-1].said:
            expire(form, found[-1], call, call.time)
        duty = found[-1] if found and not found[-1].said else None  # open before this call
        asks, answers = (
            holds(timed(call, event_of(call, event, form.same, key), form.nanos), not yes)
            for event in (form.event, form.expected)
        )
        if duty is not None and answers:
            duty.close("kept", call, False)
        elif duty is not None and 0 <= form.calls <= call.number - duty.opened.number:
            duty.close("broken", call, False)
        if asks and duty is None:
            found.append(Duty(call))
    if found and not found[-1].said and expired(form, found[-1], -1, now):
        found[-1].close("broken", history[-1], False)
    return found


def expire(form: ir.Expect, duty: Duty, call: Call, time: float | None) -> None:
    if expired(form, duty, call.number, time):
        duty.close("broken", call, True)


def expired(form: ir.Expect, duty: Duty, number: int, now: float | None) -> bool:
    """Whether a call of this number and time comes too late to answer."""
    if 0 <= form.calls < number - duty.opened.number:
        return True
    return form.nanos >= 0 and now is not None and now - duty.opened.latest > micros(form.nanos)
