"""A promise about the order of calls, or about many of them, in words.

In: `ir.Form`, `ir.Keep` or `ir.Watch`, the module's `Speaker`.  Out: `Words`.
"""

from __future__ import annotations

from pactlang import ir
from pactlang.drift import is_sure, pact_calls
from pactlang.explain import limits, percent
from pactlang.explain.written import length
from pactlang.prose.conditions import Speaker
from pactlang.prose.document import Code, Words, in_a_row, words

ENDINGS = {"violate": "broken", "forget": "forgotten", "": "never known"}


def remembered(form: ir.Remembering, speaker: Speaker) -> Words:
    """What is promised."""
    if isinstance(form, ir.Keep):
        said, keys = _kept(form, speaker), form.keys
    elif isinstance(form, ir.Watch):
        said, keys = _watched(form, speaker), form.keys
    else:
        said, keys = _ordered(form, speaker), form.same
    if not keys:
        return said
    named = in_a_row([(speaker.name(key),) for key in keys])
    return words(said, ", looked at for each value of ", named, " alone")


def _ordered(form: ir.NamedForm, speaker: Speaker) -> Words:
    name = Code(form.event.name)
    match form:
        case ir.OnlyAfter():
            times = f", at least {form.count} times" if form.count > 1 else ""
            fresh = words(", anew since the last ", name) if form.fresh else ()
            return words(name, " comes only after ", Code(form.after.name), times, *fresh, _ago(form.nanos))
        case ir.NeverAfter():
            until = () if form.until is None else words(", until ", Code(form.until.name), " has come")
            return words(name, " never comes after ", Code(form.after.name), *until)
        case ir.AtMost():
            per = "in one session" if form.nanos < 0 else f"within {length(form.nanos)}"
            what = "calls" if form.event.name == "calls" else name
            return words(f"at most {form.count:,} ", what, f" {per}")
        case ir.Expect():
            ends = f"; if the session ends first, it is {ENDINGS[form.on_end]}"
            return words("after ", name, ", ", Code(form.expected.name), f" comes {limits(form)}{ends}")
        case ir.OnlyFrom():
            sources = [words(speaker.name(text), " of ", Code(event.name)) for event, text in form.sources]
            text = words("what ", speaker.name(form.value), " of ", name, " names")
            came = " (addresses, numbers, identifiers) was named before in "
            return words(text, came, in_a_row(sources, "or"))


def _ago(nanos: int) -> str:
    return f", not longer than {length(nanos)} ago" if nanos >= 0 else ""


def _kept(form: ir.Keep, speaker: Speaker) -> Words:
    spans = [
        f"the last {window.calls:,} calls" if window.nanos < 0 else f"the last {length(window.nanos)}"
        for window in form.windows
    ]
    return words(speaker.say(form.comparison), f" over {' and over '.join(spans)}")


def watches_together(module: ir.Module) -> Words:
    """What all watches of a pact promise together; nothing where there is but one, or none."""
    count, calls = sum(isinstance(c.promise, ir.Watch) for c in module.clauses), pact_calls(module.clauses)
    if count < 2 or calls is None:
        return ()
    return (f"All watches together give at most one false alarm in {calls:,} calls, on average.",)


def _watched(form: ir.Watch, speaker: Speaker) -> Words:
    """What is watched, and how much of it there may be."""
    if form.base is not None and form.value is not None:
        said = speaker.say(form.value)
        return words(said, f" is distributed as in {form.base.calls:,} calls before; a change gives an alarm")
    top, bottom = form.rate
    share = f"{percent(top / bottom)} of the calls"
    if form.value is None:
        done = "broken" if form.outcome == "violated" else "kept"
        by = f"at most {share} that it is about" if top else "no call"
        return words(Code(form.clause), f" is {done} by {by}", _promise(form))
    said = speaker.say(form.value)
    if form.value.type.kind == "bool":
        most = f"at most {share}" if top else "no call"
        return words(f"of {most} it is true that ", said, _promise(form))
    return words(said, f" is at most {top / bottom:g} on average", _promise(form))


def _promise(form: ir.Watch) -> str:
    if is_sure(form):
        return "; the first one is an alarm"
    if form.calls < 0:
        return "; a rise gives an alarm"
    return f"; a rise gives an alarm, with at most one false alarm in {form.calls:,} calls"
