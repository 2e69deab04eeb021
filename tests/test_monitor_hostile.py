"""Artifacts and snapshots made to hurt a monitor: refused with a reason, or harmless."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, tzinfo
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from test_monitor import FORMS, trace

import pactlang
from pactlang import program as programs
from pactlang.evaluator import snapshots
from pactlang.program import State

ROUNDS = 1_500
NUMBERS = (-(2**63), -2, -1, 0, 1, 2, 63, 64, 65, 1000, 1001, 65_535, 2**31, 2**40, 2**63 - 1)
FROM = """pact p "1.0.0" on R
record R { id: string? session: string? time: timestamp? tool: string? args: dyn? kind: enum("a", "b") }
event pay when tool == "a"
event asked when tool == "b"
clause k { pay.args.k only from asked.args same kind }
clause l { require once(pay, 3m) || count(pay, 3m) < 2 || previous(kind) == "a" }
clause m { after pay expect asked within 2 calls or 1m same args.k }
"""


def fed(monitor: pactlang.Monitor, records: list[dict[str, Any]]) -> None:
    for record in records:
        monitor.feed(record)
    monitor.advance(2**62)
    monitor.end("s1")
    for amendment in monitor.amendments:
        assert amendment.clause in monitor.machine.names
    monitor.snapshot()


def sealed(saved: snapshots.Saved) -> bytes:
    body = msgspec.msgpack.encode(saved)
    return snapshots.MAGIC + sha256(body).digest() + body


@pytest.mark.parametrize("text", [FORMS, FROM], ids=["forms", "sources"])
def test_changed_snapshots(text: str) -> None:
    program = pactlang.compile(text)
    whole = pactlang.Monitor(program)
    records = trace(40)
    fed(whole, records[:20])
    for record in records:
        whole.feed(record)
    saved, draw, refused = snapshots.read(whole.snapshot()), random.Random(7), 0
    for _ in range(ROUNDS):
        data = bytearray(saved.sessions)
        for _ in range(draw.choice([1, 1, 2, 5])):
            at = draw.randrange(0, len(data) - 8, 4)
            if draw.random() < 0.5:
                data[at : at + 8] = draw.choice(NUMBERS).to_bytes(8, "little", signed=True)
            else:
                data[at] = draw.randrange(256)
        if draw.random() < 0.1:
            del data[draw.randrange(len(data)) :]
        try:
            monitor = pactlang.Monitor.restore(program, sealed(replace(saved, sessions=bytes(data))))
        except ValueError:
            refused += 1
            continue
        fed(monitor, records)
    assert 0 < refused < ROUNDS


def changed(state: State, draw: random.Random) -> State:
    """The state with a number that no compiler writes."""
    field = draw.choice(["time", "seq", "id", "idle", "limit", "clauses", "units", "units", "units", "code"])
    if field == "units":
        units = list(state.units)
        at = draw.randrange(len(units))
        units[at] = with_number(units[at], draw)
        if draw.random() < 0.1:
            draw.shuffle(units)
        return replace(state, units=tuple(units))
    if field == "clauses":
        return replace(state, clauses=(*state.clauses, draw.choice(NUMBERS)))
    if field == "code":
        code = bytearray(state.code)
        code[draw.randrange(len(code))] = draw.randrange(256)
        return replace(state, code=bytes(code))
    return replace(state, **{field: draw.choice(NUMBERS)})


def with_number(unit: Any, draw: random.Random) -> Any:
    name = draw.choice(
        ["kind", "clause", "event", "other", "until", "when", "value", "count", "calls", "span", "ending",
         "same", "sources", "enums"]
    )  # fmt: skip
    number = draw.choice(NUMBERS)
    made = {"same": (number,), "sources": ((number, 3),), "enums": ("a",)}.get(name, number)
    return replace(unit, **{name: made})


@pytest.mark.parametrize("text", [FORMS, FROM], ids=["forms", "sources"])
def test_changed_artifacts(text: str) -> None:
    program, draw, refused = pactlang.compile(text), random.Random(11), 0
    state = program.core.state
    assert state is not None
    for _ in range(ROUNDS):
        core = replace(program.core, state=changed(state, draw))
        try:
            data = programs.seal(programs.encode(core), program.annex_bytes)
            monitor = pactlang.Monitor(programs.read(data), memory=20_000)
        except (pactlang.ProgramError, OverflowError):
            refused += 1
            continue
        fed(monitor, trace(25))
    assert 0 < refused < ROUNDS


def test_long_ids_and_keys() -> None:
    monitor = pactlang.Monitor(pactlang.compile(FORMS))
    long = "x" * 2_000_000
    record = {**trace(1)[0], "tool": "a", "args": {"k": long}, "id": long, "session": long}
    monitor.feed(record)
    assert pactlang.Monitor.restore(monitor.program, monitor.snapshot()).counts == monitor.counts
    assert monitor.machine.sizes[1] < 50_000


def test_times_of_every_age() -> None:
    monitor = pactlang.Monitor(pactlang.compile(FORMS))
    for time in (
        "1970-01-01T00:00:00Z",
        "2200-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ):
        for tool in "ab":
            monitor.feed({"session": "s", "time": time, "tool": tool, "args": {"k": 1}})
    assert monitor.counts["clock_regressions"] == 2
    assert pactlang.Monitor.restore(monitor.program, monitor.snapshot()).counts == monitor.counts


def test_many_keys_stay_in_bounds() -> None:
    monitor = pactlang.Monitor(pactlang.compile(FORMS), memory=2_000_000)
    for i in range(20_000):
        monitor.feed({"session": f"s{i}", "tool": "a", "args": {"k": i}})
    for i in range(3_000):
        monitor.feed({"session": "one", "tool": "a", "args": {"k": i}})
    counts = monitor.counts
    assert monitor.machine.sizes[1] < 2_500_000
    assert counts["evicted"] > 0
    assert counts["over_keys"] > 0


def test_a_call_within_a_call_is_refused() -> None:
    class Zone(tzinfo):
        """A time zone that feeds the monitor when it is asked."""

        def utcoffset(self, when: datetime | None) -> timedelta:
            monitor.feed({"session": "s"})
            return timedelta(0)

    monitor = pactlang.Monitor(pactlang.compile(FORMS))
    with pytest.raises(pactlang.RecordError) as refused:  # it does not wait for itself
        monitor.feed({"session": "s", "time": datetime(2026, 1, 1, tzinfo=Zone())})
    assert "while it judges" in str(refused.value.__context__ or refused.value.__cause__)
    monitor.feed({"session": "s", "tool": "a"})
    assert monitor.counts["calls"] == 1


# Numbers of calls at the edge of 64 bits -------------------------------------------------------------

EDGE = """pact p "1.0.0"
session by session limit 3 calls
event verify when tool == "v"
event refund when tool == "r"
clause verified { refund only after verify }
clause answered { after refund expect verify within 3 calls }
"""


def call(tool: str, session: str = "s", **more: Any) -> dict[str, Any]:
    return {"session": session, "tool": tool, **more}


def test_more_lost_calls_than_can_be_counted_stay_past_the_limit() -> None:
    monitor = pactlang.Monitor(pactlang.compile(EDGE))
    monitor.feed(call("x", id="1"))
    monitor.feed(call("x", id="2"))
    for record in (call("v", seq=2**63 - 1), call("v", id="3"), call("r", id="4")):
        assert set(monitor.feed(record).outcomes.values()) == {pactlang.Outcome.UNKNOWN}
    assert monitor.counts["over_limit"] == 3


def test_more_lost_calls_than_can_be_counted_leave_all_unknown() -> None:
    monitor = pactlang.Monitor(pactlang.compile(EDGE.replace("limit 3 calls", "")))
    monitor.feed(call("x", id="1"))
    monitor.feed(call("r", id="2"))
    verdict = monitor.feed(call("r", seq=2**63 - 1))
    assert verdict.outcomes["verified"] == pactlang.Outcome.UNKNOWN
    assert [each.outcome for each in monitor.amendments] == [pactlang.Outcome.UNKNOWN]


def test_lost_calls_of_many_sessions_are_never_fewer_than_before() -> None:
    monitor, counted = pactlang.Monitor(pactlang.compile(EDGE)), 0
    for number in range(8):
        monitor.feed(call("r", f"s{number}", seq=2**63 - 1))
        assert monitor.counts["lost"] >= max(counted, 2**62)
        counted = monitor.counts["lost"]


# What users hand over by mistake -----------------------------------------------------------------------


@pytest.mark.parametrize("time", [None, 1.5, True, "2026-01-01T10:00:00Z", [1]])
def test_a_time_of_no_kind_is_refused_with_what_is_wanted(time: Any) -> None:
    monitor = pactlang.Monitor(pactlang.compile(EDGE))
    with pytest.raises(TypeError, match="datetime"):
        monitor.advance(time)


@pytest.mark.parametrize("time", [2**63, -(2**63) - 1, 10**30])
def test_a_time_beyond_all_range_is_refused(time: int) -> None:
    with pytest.raises(ValueError, match="time"):
        pactlang.Monitor(pactlang.compile(EDGE)).advance(time)


@pytest.mark.parametrize(
    ("memory", "error"), [("1 GB", TypeError), (1.5, TypeError), (2**64, ValueError), (-1, ValueError)]
)
def test_a_memory_of_no_size_is_refused(memory: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="memory"):
        pactlang.Monitor(pactlang.compile(EDGE), memory=memory)


def test_a_duplicate_does_not_look_like_a_pass() -> None:
    monitor = pactlang.Monitor(pactlang.compile(EDGE))
    monitor.feed(call("r", id="1"))
    shown = repr(monitor.feed(call("r", id="1")))
    assert "duplicate" in shown and "satisfied" not in shown
