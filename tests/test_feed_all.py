"""Many records in one go: rows say what `feed` says of each, and the monitor is left in the same state."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from random import Random
from typing import Any

import msgspec
import pytest
from drawn_sessions import random_steps
from test_monitor_oracle import amended, drawn

import pactlang
from pactlang import Outcome

FORMS = ("dict", "bytes", "text", "bytearray", "mixed")
TIMED = """pact p "1.0.0" on R
renews 2026-02-01
record R { id: string  session: string?  time: timestamp(s)  tool: string  n: int }
applies when tool != "nothing"
event a when tool == "a"
event b when tool == "b"
clause c { a only after b within 5s }
clause d { after a expect b within 2 calls }
clause e { require n < 5 }
"""
LATE = 1_769_904_000  # 2026-02-01


class Own(msgspec.Struct):
    """A user's own record, read in place."""

    id: str
    time: float
    tool: Any
    n: int
    session: str | None = "s"


def row_of(monitor: pactlang.Monitor, record: Any) -> tuple[list[int], bool, bool]:
    """What `feed` says of a record, as a row of a batch does."""
    names = monitor.machine.names
    try:
        verdict = monitor.feed(record)
    except pactlang.RecordError:
        return [Outcome.UNKNOWN] * len(names), False, False
    if getattr(verdict, "duplicate", False):
        return [Outcome.SKIPPED] * len(names), False, verdict.expired
    said = [verdict.outcome(i) for i in range(len(names))]
    return [Outcome.UNKNOWN] * len(names) if verdict.outside else said, verdict.outside, verdict.expired


def given(records: Iterable[dict[str, Any]], form: str) -> list[Any]:
    made = {"dict": dict, "bytes": msgspec.json.encode, "text": json.dumps}
    made["bytearray"] = lambda r: bytearray(msgspec.json.encode(r))
    made["mixed"] = lambda r: made[FORMS[len(repr(r)) % 4]](r)
    return [made[form](record) for record in records]


def same(program: pactlang.Program, records: list[Any], batch: Any, many: pactlang.Monitor) -> None:
    one = pactlang.Monitor(program)
    rows = [row_of(one, record) for record in records]
    assert batch.outcomes.tolist() == [row for row, _, _ in rows]
    assert batch.outside.tolist() == [outside for _, outside, _ in rows]
    assert batch.expired.tolist() == [expired for _, _, expired in rows]
    assert amended(many) == amended(one)
    assert many.counts == one.counts


@pytest.mark.parametrize("form", FORMS)
def test_rows_say_what_verdicts_say(form: str) -> None:
    for seed in range(30):
        draw, text, program = drawn(7_000_000 + 100 * FORMS.index(form) + seed)
        steps = [each for each in draw.trace(random_steps(Random(seed), 120)) if isinstance(each, dict)]
        records, many = given(steps, form), pactlang.Monitor(program)
        said: list[list[int]] = []
        parts = sorted(Random(seed).choices(range(len(records)), k=2))
        for start, end in zip([0, *parts], [*parts, len(records)], strict=True):
            batch = many.feed_all(records[start:end])
            said += batch.outcomes.tolist()
            assert batch.lines.tolist() == list(range(1, end - start + 1)), text
        whole = pactlang.Monitor(program)
        batch = whole.feed_all(iter(records))
        same(program, records, batch, whole)
        assert batch.outcomes.tolist() == said


@pytest.mark.parametrize("seed", range(20))
def test_lines_say_what_verdicts_say(seed: int) -> None:
    draw, _, program = drawn(8_000_000 + seed)
    lines = [
        msgspec.json.encode(each)
        for each in draw.trace(random_steps(Random(seed), 60))
        if isinstance(each, dict)
    ]
    lines.insert(7, b'{"id": ')
    many = pactlang.Monitor(program)
    batch = many.feed_lines(b"\n \n".join(lines))
    same(program, lines, batch, many)
    assert batch.lines.tolist() == list(range(1, 2 * len(lines), 2))
    assert [fault.line for fault in batch.undecodable] == [15]


def records() -> list[dict[str, Any]]:
    made = [
        {"id": f"r{i}", "time": LATE - 50 + i, "tool": "ab nothing x".split()[i % 3], "n": i % 7}
        for i in range(100)
    ]
    return [{"session": "s", **each} for each in [*made, made[97], {**made[0], "id": "last"}]]


@pytest.mark.parametrize("form", ["dict", "bytes", "own"])
def test_ids_and_time(form: str) -> None:
    program, made = pactlang.compile(TIMED), records()
    fed = [Own(**each) for each in made] if form == "own" else given(made, form)
    many = pactlang.Monitor(program)
    batch = many.feed_all(fed, ids=True)
    same(program, fed, batch, many)
    assert batch.ids == [each["id"] for each in made]
    assert batch.expired.tolist() == [each["time"] >= LATE for each in made]
    lines = pactlang.Monitor(program).feed_lines(b"\n".join(map(msgspec.json.encode, made)), ids=True)
    assert (lines.ids, lines.outcomes.tolist()) == (batch.ids, batch.outcomes.tolist())


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_every_form_in_place(unit: str) -> None:
    """A time that is read in place is what it is by way of a dict, or is refused as there."""
    program = pactlang.compile(
        f'pact p "1.0.0" on R record R {{ session: string  time: timestamp({unit})?  d: duration({unit})? }}'
        'clause c { require time > timestamp("1970-01-02T00:00:00Z") && d < duration("1h") && once(d == d) }'
    )

    class Timed(msgspec.Struct):
        time: float | None
        d: float | None
        session: str = "s"

    class Whole(float):
        pass

    numbers: list[Any] = [
        0,
        1,
        -1,
        86_401,
        86_401.0,
        1e12,
        10**15,
        10**19,
        10**40,
        1e300,
        float("nan"),
        float("inf"),
        None,
    ]
    numbers += [True, "1970-01-03T00:00:00Z", Whole(90_000.0), 0.0000005, 2**62, -(2**63)]
    fed = [Timed(a, b) for a in numbers for b in (numbers[0], a)]
    own, dicts = pactlang.Monitor(program), pactlang.Monitor(program)
    batch = own.feed_all(fed)
    same(program, fed, batch, own)
    wanted = dicts.feed_all([msgspec.structs.asdict(each) for each in fed])
    assert batch.outcomes.tolist() == wanted.outcomes.tolist()
    assert [each.line for each in batch.undecodable] == [each.line for each in wanted.undecodable]


def test_what_is_no_record_is_a_row_of_its_own() -> None:
    program = pactlang.compile(TIMED)
    bad: list[Any] = [b"{", 7, None, {"id": "x"}, "\ud800", Own("y", 1.0, 3, 1), b"[]", object()]
    fed = [each for pair in zip(records(), bad, strict=False) for each in pair]
    many = pactlang.Monitor(program)
    batch = many.feed_all(fed, ids=True)
    same(program, fed, batch, many)
    assert [fault.line for fault in batch.undecodable] == [2 * i + 2 for i in range(len(bad))]
    assert all(fault.reason for fault in batch.undecodable)
    assert [ident is None for ident in batch.ids] == [i % 2 == 1 for i in range(len(fed))]
    assert many.counts["undecodable"] == len(bad)


def test_a_pact_without_memory_and_no_records() -> None:
    many = pactlang.Monitor(pactlang.compile('pact p "1.0.0" clause c { require cost < 1.0 }'))
    assert len(many.feed_all([])) == 0
    assert many.feed_all([{"cost": 2.0}, {"cost": 0.5}]).outcomes.tolist() == [[1], [0]]


@pytest.mark.parametrize("one", [{"tool": "a"}, b"{}", "{}", Own("y", 1.0, "a", 1)])
def test_one_record_is_not_many(one: Any) -> None:
    with pytest.raises(TypeError, match="many records"):
        pactlang.Monitor(pactlang.compile(TIMED)).feed_all(one)


def test_more_records_than_one_turn() -> None:
    """Batches of any length are one batch; ids that wait are numbers of records since the beginning."""
    text = 'pact p "1.0.0"\nevent a when tool == "a"\nclause c { after a expect calls within 9000 calls }'
    text = text.replace("expect calls", "expect b").replace("clause", 'event b when tool == "b"\nclause')
    many = pactlang.Monitor(pactlang.compile(text))
    many.feed({"session": "s", "tool": "x"})
    batch = many.feed_all([{"session": "s", "tool": tool} for tool in ["a", *["x"] * 8_500, "b"]])
    assert len(batch) == 8_502
    assert amended(many) == [(2, "c", Outcome.SATISFIED)]


def test_a_call_within_a_batch_is_refused() -> None:
    class Zone(tzinfo):
        """A time zone that feeds the monitor when it is asked."""

        def utcoffset(self, when: datetime | None) -> timedelta:
            monitor.feed({"session": "s"})
            return timedelta(0)

    monitor = pactlang.Monitor(pactlang.compile('pact p "1.0.0" clause c { require once(cost > 1.0) }'))
    asks = {"session": "s", "time": datetime(2026, 1, 1, tzinfo=Zone())}
    batch = monitor.feed_all([{"session": "s"}, asks, {"session": "s", "cost": 2.0}])
    assert batch.outcomes.tolist() == [[3], [3], [0]]  # a condition on what a call lacks is an error value
    assert [fault.line for fault in batch.undecodable] == [2]
    assert monitor.counts["records"] == 3


def test_a_list_that_changes_while_it_is_fed() -> None:
    """Whatever a record's own code does to the list, what was fed has its row, and nothing else has."""

    class Zone(tzinfo):
        def utcoffset(self, when: datetime | None) -> timedelta:
            del fed[3:]
            return timedelta(0)

    monitor = pactlang.Monitor(pactlang.compile('pact p "1.0.0" clause c { require once(cost > 1.0) }'))
    fed: list[Any] = [{"session": "s", "cost": 2.0} for _ in range(20)]
    fed[1] = {"session": "s", "cost": 0.5, "time": datetime(2026, 1, 1, tzinfo=Zone())}
    batch = monitor.feed_all(fed)
    assert (batch.outcomes.tolist(), batch.lines.tolist()) == ([[0], [0], [0]], [1, 2, 3])
    assert monitor.counts["records"] == 3
