"""What is known at the alarm of a `watch`: since when, how often, and how strong the evidence is.

In: what the machine noted, the promise.  Out: `Alarm`, a sentence.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from pactlang import ir
from pactlang.drift import promised_calls
from pactlang.explain.written import Writer
from pactlang.values import format_timestamp, timestamp_of_micros
from pactlang.verdict import Alarm

LEVEL, HIT = 1 << 28, 1 << 24  # units of the machine: a call's worth of evidence, a hit


def alarm_of(module: ir.Module, clause: ir.Clause, noted: tuple[Any, ...]) -> Alarm:
    """An alarm as the machine notes it."""
    assert isinstance(clause.promise, ir.Watch)
    level, _, began, calls, hits = noted
    line, micros, since, found = (None, None, calls, hits) if began is None else began
    time = None if micros is None else format_timestamp(timestamp_of_micros(micros))
    promised = promised_calls(module.clauses)[clause.name]
    rate = float(Fraction(*clause.promise.rate))
    return Alarm(rate, line, time, since, found / HIT, calls, hits / HIT, level / LEVEL, promised)


def alarm_sentence(watch: ir.Watch, alarm: Alarm, writer: Writer) -> str:
    """Since when, how often, against what, and the evidence."""
    what = watched(watch, writer)
    if alarm.rate == 0:
        return f"`{what}` has come, which never may be"
    since = f" since record {alarm.record:,}" if alarm.record is not None else ""
    since += f" ({alarm.time})" if alarm.time is not None else ""
    return (
        f"`{what}` has risen{since} to {percent(alarm.observed)} ({alarm.hits:,.6g} in "
        f"{alarm.calls:,} {'call' if alarm.calls == 1 else 'calls'}), above {percent(alarm.rate)}; evidence "
        f"{alarm.evidence:,.0f} of {alarm.promised:,}"
    )


def percent(share: float) -> str:
    """`1.5 %`."""
    return f"{100 * share:.3g} %"


def watched(watch: ir.Watch, writer: Writer) -> str:
    """What is watched, as it is written."""
    return writer.text(watch.value) if watch.value is not None else f"{watch.outcome}({watch.clause})"
