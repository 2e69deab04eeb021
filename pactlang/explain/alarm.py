"""What is known at the alarm of a `watch`: since when, how often, how strong the evidence, what changed then.

In: what the machine noted, the promise.  Out: `Alarm`, a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from pactlang import ir
from pactlang.drift import promised_calls
from pactlang.drift.baseline import names, stability
from pactlang.explain.suspects import suspects
from pactlang.explain.written import Writer
from pactlang.values import format_timestamp, timestamp_of_micros
from pactlang.verdict import Alarm, Changed

LEVEL, HIT = 1 << 28, 1 << 24  # units of the machine: a call's worth of evidence, a hit
MOST_SAID = 3  # changes that a sentence names


class Noted(NamedTuple):
    """An alarm as the machine notes it, and what a monitor knows beside: the texts of versions, and the names
    of the fields that tell them apart."""

    alarm: tuple[Any, ...]
    versions: Mapping[tuple[int, int], str] = {}
    fields: Sequence[str] = ()


def alarm_of(module: ir.Module, clause: ir.Clause, noted: Noted) -> Alarm:
    """An alarm in words and numbers."""
    watch = clause.promise
    assert isinstance(watch, ir.Watch)
    level, part, began, calls, hits, versions, by_part, mixed = noted.alarm
    line, micros, since, found = (None, None, calls, hits) if began is None else began
    time = None if micros is None else format_timestamp(timestamp_of_micros(micros))
    others = [(module.clauses[number].name, last) for number, last in mixed]
    rate, count = watch.rate if watch.base is None else watch.base.rates[part], len(by_part)
    made = Alarm(
        float(Fraction(*rate)), line, time, since, found / HIT, calls, hits / HIT, level / LEVEL / count,
        promised_calls(module.clauses)[clause.name],
        suspects(float(Fraction(*rate)), since, versions, noted.versions, noted.fields),
        tuple(other for other, last in others if other != clause.name and last >= (line or 0)),
    )  # fmt: skip
    if watch.base is None:
        return made
    share = watch.base.counts[part] / max(1, watch.base.calls)
    index = stability(watch.base, [each / HIT for each in by_part]) if watch.base.calls else None
    return made._replace(
        bin=names(watch.base)[part], was=share, stability=index,
        changed=tuple(each._replace(e_value=0.0, named=False) for each in made.changed),
    )  # fmt: skip


def alarm_sentence(watch: ir.Watch, alarm: Alarm, writer: Writer) -> str:
    """Since when, how often, against what, the evidence, and what changed then."""
    what = watched(watch, writer)
    if alarm.rate == 0:
        return f"`{what}` has come, which never may be"
    since = f" since record {alarm.record:,}" if alarm.record is not None else ""
    since += f" ({alarm.time})" if alarm.time is not None else ""
    seen = f"{alarm.hits:,.6g} in {alarm.calls:,} {'call' if alarm.calls == 1 else 'calls'}"
    above = f"above {percent(alarm.rate)}"
    if watch.base is not None and alarm.was is not None:
        above = f"in the baseline {percent(alarm.was)}, at most {percent(alarm.rate)}"
        what += f" is {alarm.bin}`: `it"
    return (
        f"`{what}` has risen{since} to {percent(alarm.observed)} ({seen}), {above}; evidence "
        f"{alarm.evidence:,.0f} of {alarm.promised:,}; {_why(alarm)}"
    ).replace("`it`", "its share")


def _why(alarm: Alarm) -> str:
    """What changed then, if anything is known to have."""
    likely = [each for each in alarm.changed if each.named] or list(alarm.changed)
    found = [_change(each) for each in likely[:MOST_SAID]]
    found += [f"`{name}` has changed, too, so it may be the input mix" for name in alarm.mixed]
    if found:
        return "; ".join(found)
    return "no version changed then: provider-side, or the input mix"


def _change(changed: Changed) -> str:
    before = " or ".join(changed.before)
    said = f"{changed.field} {changed.after} came with record {changed.record:,} (before: {before})"
    if not changed.e_value:
        return said
    beside = f", with others {changed.other_hits:,.6g} in {changed.other_calls:,}"
    strong = f", e-value {changed.e_value:,.3g}"
    weak = "" if changed.named else ", which is not enough to name it"
    seen = f"{changed.hits:,.6g} in {changed.calls:,} calls{beside if changed.other_calls else ''}"
    return f"{said}: {seen}{strong}{weak}"


def percent(share: float) -> str:
    """`1.5 %`."""
    return f"{100 * share:.3g} %"


def watched(watch: ir.Watch, writer: Writer) -> str:
    """What is watched, as it is written."""
    return writer.text(watch.value) if watch.value is not None else f"{watch.outcome}({watch.clause})"
