"""The monitor from outside: what it takes, what it gives, what it counts, what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

import pactlang
from pactlang import Outcome
from pactlang.verdict import Amendment

PACT = """pact p "1.0.0"
session by session
event verify when tool == "verify"
event refund when tool == "refund"
event denied when tool == "refund" && ok == false
event handover when tool == "handover"
clause verified { refund only after verify within 30m }
clause escalates { after denied expect handover within 3 calls or 10m on end violate }
clause steady { require !once(denied, 1h) || cost < 1.0 }
"""


FIRST = round(datetime(2026, 1, 1, 0, 1, tzinfo=UTC).timestamp()) * 10**6  # the time of `call(1, ...)`


def monitor(text: str = PACT, **options: Any) -> pactlang.Monitor:
    return pactlang.Monitor(pactlang.compile(text), **options)


def call(minute: int, tool: str, **more: Any) -> dict[str, Any]:
    return {"session": "s", "time": f"2026-01-01T00:{minute:02d}:00Z", "tool": tool, "cost": 0.5, **more}


def words(verdict: Any) -> str:
    return " ".join(outcome.name.lower()[0] for outcome in verdict.outcomes.values())


def test_what_came_before_decides() -> None:
    m = monitor()
    assert words(m.feed(call(0, "verify"))) == "s s s"
    assert words(m.feed(call(30, "refund", ok=True))) == "s s s"
    late = m.feed(call(31, "refund", ok=True))
    assert words(late) == "v s s"
    assert [v.clause for v in late.violations] == ["verified"]
    assert "31m ago" in late.violations[0].message


def test_an_obligation_waits_and_is_resolved() -> None:
    m = monitor()
    m.feed(call(0, "verify"))
    pending = m.feed(call(1, "refund", ok=False, id="r1"))
    assert pending.outcomes["escalates"] == Outcome.UNKNOWN
    assert pending.ok
    m.feed(call(2, "handover"))
    assert list(m.amendments) == [Amendment("r1", "escalates", Outcome.SATISFIED, FIRST)]
    assert list(m.amendments) == []


def test_a_deadline_passes_without_a_call() -> None:
    m = monitor()
    m.feed(call(1, "refund", ok=False, id="r1"))
    m.advance(datetime(2026, 1, 1, 0, 11, tzinfo=UTC))
    assert list(m.amendments) == []
    m.advance(datetime(2026, 1, 1, 0, 11, 0, 1, tzinfo=UTC))
    assert list(m.amendments) == [Amendment("r1", "escalates", Outcome.VIOLATED, FIRST)]


def test_the_end_of_a_session() -> None:
    m = monitor()
    m.feed(call(1, "refund", ok=False, id="7"))
    assert not m.end("other")
    assert m.end("s")
    assert list(m.amendments) == [Amendment("7", "escalates", Outcome.VIOLATED, FIRST)]
    assert m.counts["sessions"] == 0


def test_operators_in_a_condition() -> None:
    m = monitor()
    m.feed(call(1, "refund", ok=False))
    dear = m.feed(call(2, "x", cost=2.0))
    assert dear.outcomes["steady"] == Outcome.VIOLATED
    assert "once(" in dear.violations[0].message


@pytest.mark.parametrize("form", ["dict", "json", "text"])
def test_records_of_every_form(form: str) -> None:
    import json

    m = monitor()
    made = {"dict": dict, "json": lambda r: json.dumps(r).encode(), "text": json.dumps}[form]
    said = [
        words(m.feed(made(call(i, tool, ok=True)))) for i, tool in enumerate(["refund", "verify", "refund"])
    ]
    assert said == ["v s s", "s s s", "s s s"]


def test_lines_are_fed_in_order() -> None:
    import json

    lines = [call(0, "verify"), call(1, "refund", ok=True), {"cost": "no number"}, call(2, "refund", ok=True)]
    batch = monitor().feed_lines("\n".join(map(json.dumps, lines)))
    assert batch.outcomes[:, 0].tolist() == [2, 0, 3, 0]
    assert [fault.line for fault in batch.undecodable] == [3]


def test_no_session_is_unknown() -> None:
    m = monitor()
    verdict = m.feed(call(0, "refund", session=None))
    assert verdict.unknown == ("verified", "escalates", "steady")
    assert m.counts["no_session"] == 1
    assert not verdict.ok


def test_duplicates_are_counted_and_change_nothing() -> None:
    m = monitor()
    m.feed(call(0, "verify", seq=0))
    m.feed(call(1, "refund", seq=1, ok=True))
    again = m.feed(call(1, "refund", seq=1, ok=True))
    assert again.duplicate
    assert again.outcomes == {}
    m.feed(call(1, "refund", seq=1, ok=False))
    counts = m.counts
    assert (counts["duplicates"], counts["conflicts"], counts["calls"]) == (2, 1, 2)


def test_a_lost_call_leaves_the_past_unknown() -> None:
    m = monitor()
    m.feed(call(0, "x", seq=0))
    verdict = m.feed(call(1, "refund", seq=2, ok=True))
    assert verdict.outcomes["verified"] == Outcome.UNKNOWN
    assert m.counts["lost"] == 1


def test_an_evicted_session_is_never_taken_for_a_new_one() -> None:
    m = monitor(memory=100_000)
    m.feed(call(0, "verify"))
    for i in range(2_000):
        m.feed(call(1, "x", session=f"other {i}"))
    assert m.counts["evicted"] > 0
    assert m.feed(call(2, "refund", ok=True)).outcomes["verified"] == Outcome.UNKNOWN


def test_an_evicted_session_does_not_begin_its_limit_anew() -> None:
    limited = PACT.replace("session by session", "session by session limit 100 calls")
    for calls, over in ((100, True), (70, True), (60, False), (3, False)):
        m = monitor(limited, memory=100_000)
        for _ in range(calls):
            m.feed(call(0, "x"))
        for i in range(2_000):
            m.feed(call(1, "x", session=f"other {i}"))
        before = m.counts["over_limit"]
        m = pactlang.Monitor.restore(m.program, m.snapshot(), memory=100_000)
        m.feed(call(2, "verify"))
        verdict = m.feed(call(3, "refund", ok=True))
        assert (m.counts["over_limit"] - before == 2) is over  # 70 may have been 128
        assert (verdict.outcomes["verified"] == Outcome.UNKNOWN) is over


def test_the_filter_of_evicted_keys_is_as_large_as_the_memory_asks() -> None:
    small = monitor(memory=10_000)
    for i in range(20_000):
        small.feed(call(0, "x", session=f"s {i}"))
    filled = small.counts["filter_permille"]
    assert 0 < filled < 20
    saved = small.snapshot()
    large = pactlang.Monitor.restore(small.program, saved, memory=1 << 30)  # 16 MiB, of the same keys
    assert abs(large.counts["filter_permille"] - filled) <= 1
    assert len(large.snapshot()) > len(saved) + 15 * 2**20 - 2**16
    again = pactlang.Monitor.restore(small.program, large.snapshot(), memory=10_000)
    for kept in (small, large, again):
        assert kept.feed(call(2, "refund", session="s 0", ok=True)).outcomes["verified"] == Outcome.UNKNOWN
        assert kept.feed(call(2, "refund", session="new", ok=True)).outcomes["verified"] == Outcome.VIOLATED


def test_one_key_more_than_are_kept_is_unknown_at_once() -> None:
    m = monitor("""pact p "1.0.0"
        event search when tool == "search"
        clause few { at most 1 search per session same args.q }""")
    said = [
        m.feed({"session": "s", "tool": "search", "args": {"q": i}}).outcomes["few"] for i in range(1_002)
    ]
    assert said == [Outcome.SATISFIED] * 1_000 + [Outcome.UNKNOWN] * 2
    assert m.feed({"session": "s", "tool": "search", "args": {"q": 5}}).outcomes["few"] == Outcome.VIOLATED
    assert m.counts["over_keys"] == 1


def test_a_call_of_which_nobody_knows_whether_it_is_the_pacts_may_be_in_its_windows() -> None:
    m = monitor("""pact p "1.0.0"
        applies when args.mine
        event paid when tool == "pay"
        clause few { keep count() <= 1 over 1h }
        clause once_paid { keep count(where once(paid)) <= 1 over 1h }""")
    mine = {"args": {"mine": True}, "tool": "pay"}
    first = m.feed({"session": "s", "time": "2026-01-01T00:00:00Z", **mine})
    assert words(first) == "s s"
    assert words(m.feed({"time": "2026-01-01T00:00:00Z", **mine})) == "v u"  # no session, no `once`
    m = monitor(m.program.source.text)
    assert words(m.feed({"session": "s", "time": "2026-01-01T00:00:00Z", "args": {}})) == "u u"
    assert words(m.feed({"session": "s", "time": "2026-01-01T00:00:01Z", **mine})) == "u u"
    m = pactlang.Monitor.restore(m.program, m.snapshot())
    assert words(m.feed({"session": "s", "time": "2026-01-01T00:00:02Z", **mine})) == "v v"
    assert m.windows["few"]["uncertain"] == 1


def test_what_keys_to_come_may_owe_runs_out_in_a_restored_monitor_too() -> None:
    m = monitor("""pact p "1.0.0"
        event ask when tool == "ask"
        event answer when tool == "answer"
        clause answered { after ask expect answer within 5m same args.k }""")
    m.feed(call(0, "ask", args={"k": None}))  # it may be of any key
    m = pactlang.Monitor.restore(m.program, m.snapshot())
    m.advance(datetime(2026, 1, 1, 0, 9, tzinfo=UTC))
    m.feed(call(1, "ask", args={"k": 1}, id="asked"))
    m.feed(call(1, "answer", args={"k": 1}))
    assert list(m.amendments) == [Amendment("asked", "answered", Outcome.SATISFIED, FIRST)]


def test_what_came_from_nowhere_is_named() -> None:
    m = monitor("""pact p "1.0.0"
        event user when kind == "chat"
        event send when tool == "send"
        clause known { send.args only from user.input }""")
    m.feed({"session": "s", "kind": "chat", "input": "write to bob@acme.example about order_7"})
    args = {"to": "Eve@Evil.example", "text": "order_7 and 12.50"}
    verdict = m.feed({"session": "s", "kind": "tool", "tool": "send", "args": args})
    (found,) = verdict.violations
    assert "`12.5`" in found.message and "`eve@evil.example`" in found.message
    assert "order_7`" not in found.message
    args = {"to": [f"id{i}" for i in range(9)]}
    (found,) = m.feed({"session": "s", "kind": "tool", "tool": "send", "args": args}).violations
    assert "`id3` and 5 more" in found.message


def test_an_evaluator_says_what_to_use() -> None:
    with pytest.raises(pactlang.PactError, match="Monitor"):
        pactlang.Evaluator(pactlang.compile(PACT))


def test_counts_add_up() -> None:
    m = monitor(PACT.replace("session by", 'applies when tool != "nothing"\nsession by'))
    for record in [call(0, "x"), call(1, "nothing"), call(2, "refund", ok=True, seq=0)]:
        m.feed(record)
    with pytest.raises(pactlang.RecordError):
        m.feed(b"{")
    counts = m.counts
    parts = ("calls", "outside", "undecodable", "duplicates")
    assert counts["records"] == sum(counts[part] for part in parts) == 4
    assert counts["outside"] == 1


# Snapshots -----------------------------------------------------------------------------------

FORMS = """pact p "1.0.0" on R
record R { id: string? session: string? seq: int? time: timestamp? tool: string? args: dyn? cost: double? kind: enum("a", "b") = "a" }
event a when tool == "a"
event b when tool == "b"
event text when has(args)
clause k1 { a only after fresh 2 b within 5m same args.k }
clause k2 { a never after b until text }
clause k3 { at most 2 a per 3m }
clause k4 { at most 3 calls per session same tool }
clause k5 { after a expect b within 3 calls or 4m same args.k }
clause k6 { after b expect a within 2 calls on end forget }
clause k7 { require once(a, 3m) || since(b, a) || count(b, 10m) > 2 || previous(kind) == "b" || previous(cost) == 1.0 }
clause k8 { require count(a) < 5 && !previous(cost > 1.0) }
"""


def trace(count: int = 60) -> list[dict[str, Any]]:
    import random

    draw = random.Random(count)
    made: list[dict[str, Any]] = []
    for i in range(count):
        made.append(
            {
                "id": str(draw.randrange(1000)), "session": f"s{draw.randrange(3)}",
                "time": f"2026-01-01T00:{i % 60:02d}:00Z", "tool": draw.choice("abc"),
                "cost": draw.choice([1.0, 2.0, None]), "kind": draw.choice("ab"),
                "args": draw.choice([None, {"k": 1}, {"k": "x"}, {}]),
            }
        )  # fmt: skip
    return made


def said(m: pactlang.Monitor, record: dict[str, Any]) -> Any:
    verdict = m.feed(record)
    return verdict.outcomes, list(m.amendments)


def test_a_snapshot_at_every_call_changes_nothing() -> None:
    program = pactlang.compile(FORMS)
    plain, kept = pactlang.Monitor(program), pactlang.Monitor(program)
    for record in trace(200):
        kept = pactlang.Monitor.restore(program, kept.snapshot())
        assert kept.lost == ()
        assert said(kept, record) == said(plain, record)
        assert kept.counts == plain.counts
        assert kept.machine.sizes == plain.machine.sizes


def test_a_later_version_keeps_what_is_unchanged() -> None:
    m = monitor()
    m.feed(call(0, "verify"))
    text = PACT.replace("within 3 calls or 10m", "within 4 calls").replace(
        "clause verified", "clause renamed"
    )
    later = pactlang.Monitor.restore(pactlang.compile(text), m.snapshot())
    assert later.lost == ("escalates",)
    assert later.feed(call(1, "refund", ok=True)).outcomes["renamed"] == Outcome.SATISFIED


def test_a_clause_that_is_new_has_an_unknown_past() -> None:
    m = monitor(PACT.replace("within 30m", "within 29m"))
    m.feed(call(0, "x"))
    later = pactlang.Monitor.restore(pactlang.compile(PACT), m.snapshot())
    assert later.lost == ("verified",)
    assert later.feed(call(1, "refund", ok=True)).outcomes["verified"] == Outcome.UNKNOWN


def test_damaged_snapshots_are_refused() -> None:
    m = monitor(FORMS)
    for record in trace():
        m.feed(record)
    data = m.snapshot()
    for bad in (b"", b"PACTSTAT", data[:-1], data + b"x", data[:50] + b"\x00" + data[51:]):
        with pytest.raises(ValueError, match="snapshot"):
            pactlang.Monitor.restore(m.program, bad)
    with pytest.raises(ValueError, match="pact"):
        pactlang.Monitor.restore(pactlang.compile(PACT.replace("pact p", "pact q")), data)
    with pytest.raises(ValueError, match="secret"):
        pactlang.Monitor.restore(m.program, data, secret=b"0123456789abcdef")


def test_workers_merge() -> None:
    program = pactlang.compile(FORMS)
    whole, left, right = (pactlang.Monitor(program) for _ in range(3))
    for record in trace(100):
        whole.feed(record)
        (left if record["session"] == "s0" else right).feed(record)
    for m in (whole, left, right):
        list(m.amendments)
    assert left.merge(right) is left
    assert left.counts == whole.counts
    for record in trace(30):
        assert said(left, record) == said(whole, record)
    with pytest.raises(ValueError, match="both"):
        left.merge(right)


@pytest.mark.parametrize("clauses", [1, 3, 70])
def test_a_pact_that_remembers_nothing_is_judged_and_counted(clauses: int) -> None:
    head = 'pact p "1.0.0" applies when args.in != false\n'
    many = "".join(f"clause c{i} {{ require cost < {i}.0 }}\n" for i in range(clauses))
    program = pactlang.compile(head + many)
    monitor = pactlang.Monitor(program)
    said = [monitor.feed({"args": {"in": there}, "cost": 5}) for there in (True, False)]
    assert said[0].outcomes == pactlang.Evaluator(program).check({"args": {"in": True}, "cost": 5}).outcomes
    assert said[0].ok is False and said[1].outside
    counts = monitor.counts
    assert (counts["records"], counts["calls"], counts["outside"]) == (2, 1, 1)


def test_threads_take_turns() -> None:
    from concurrent.futures import ThreadPoolExecutor

    m = monitor(FORMS.replace("clause k1", 'clause k0 { never tool.matches("x+y") }\nclause k1'))
    records = trace(400)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(m.feed, records * 5))
    assert m.counts["calls"] + m.counts["duplicates"] == 2_000
    assert pactlang.Monitor.restore(m.program, m.snapshot()).counts == m.counts


# Windows -------------------------------------------------------------------------------------

KEEPS = """pact p "1.0.0"
clause fast { keep p95(latency) <= 2s over 5m by model min 3 calls }
clause cheap { keep sum(cost) <= 5.0 over 1h by agent }
event failed when has(error)
clause sound { when kind == "tool" keep rate(failed) < 0.5 over 4 calls min 2 calls }
clause after_failure { keep rate(once(failed)) <= 0.5 over 10 calls min 1 calls }
"""


def keep_call(minute: int, **more: Any) -> dict[str, Any]:
    return {
        "session": "s", "time": f"2026-01-01T00:{minute:02d}:00Z", "latency": 1.0, "model": "m", "agent": "a",
        "cost": 1.0, "kind": "tool", **more,
    }  # fmt: skip


def test_windows_judge_the_call_that_ends_them() -> None:
    m = monitor(KEEPS)
    first = m.feed(keep_call(0))
    assert words(first) == "u s u s"
    assert first.ok
    m.feed(keep_call(1))
    assert words(m.feed(keep_call(2, latency=3.0))) == "v s s s"
    assert words(m.feed(keep_call(3, cost=2.5, agent="b"))) == "v s s s"
    over = m.feed(keep_call(4, cost=2.5, error="x"))
    assert words(over) == "v v s s"
    assert over.fired == (1,)
    assert [v.clause for v in over.violations] == ["fast", "cheap"]
    assert over.violations[1].values == {"agent": "a"}
    assert m.windows["cheap"]["entered"] == 5


def test_a_window_that_needs_a_session() -> None:
    m = monitor(KEEPS)
    verdict = m.feed(keep_call(0, session=None))
    assert verdict.outcomes["after_failure"] == Outcome.UNKNOWN
    assert verdict.outcomes["cheap"] == Outcome.SATISFIED


def test_a_day_late() -> None:
    m = monitor(KEEPS)
    m.feed(keep_call(0))
    late = m.feed({**keep_call(0), "time": "2025-12-31T00:00:00Z"})
    assert m.machine.why(late)["cheap"] == "the call comes late"
    assert m.windows["cheap"]["late"] == 1
    assert not late.ok


def test_windows_travel_in_snapshots() -> None:
    program = pactlang.compile(KEEPS)
    plain, kept = pactlang.Monitor(program), pactlang.Monitor(program)
    for i in range(40):
        record = keep_call(
            i, cost=i % 3 / 2, error="x" if i % 7 == 0 else None, kind="chat" if i % 3 else "tool"
        )
        kept = pactlang.Monitor.restore(program, kept.snapshot())
        assert kept.lost == ()
        assert said(kept, record) == said(plain, record)
    later = KEEPS.replace("5.0", "6.0")
    assert pactlang.Monitor.restore(pactlang.compile(later), kept.snapshot()).lost == ("cheap",)


def test_windows_merge() -> None:
    program = pactlang.compile('pact q "1.0.0" clause cheap { keep sum(cost) <= 5.0 over 1h by agent }')
    left, right = pactlang.Monitor(program), pactlang.Monitor(program)
    for i in range(5):
        (left if i % 2 else right).feed({"time": f"2026-01-01T00:0{i}:00Z", "agent": "a", "cost": 1.0})
    left.merge(right)
    assert (
        left.feed({"time": "2026-01-01T00:09:00Z", "agent": "a", "cost": 0.5}).outcomes["cheap"]
        == Outcome.VIOLATED
    )
    calls = pactlang.compile('pact q "1.0.0" clause c { keep sum(cost) <= 5.0 over 5 calls }')
    one, two = pactlang.Monitor(calls), pactlang.Monitor(calls)
    two.feed({"cost": 1.0})
    with pytest.raises(ValueError, match="order"):
        one.merge(two)


def test_clauses_that_say_the_same_keep_a_state_each() -> None:
    head = PACT[: PACT.index("clause")]
    twice = "".join(
        f"clause c{i} {{ after refund expect verify within 3 calls same args.k }}\n" for i in range(2)
    )
    m = monitor(head + twice)
    for at, key in enumerate("aab"):
        m.feed(call(at, "refund", ok=True, args={"k": key}))
    later = pactlang.Monitor.restore(m.program, m.snapshot())
    assert later.lost == ()
    m.feed(call(3, "verify", ok=True, args={"k": "b"}))
    later.feed(call(3, "verify", ok=True, args={"k": "b"}))
    found = list(m.amendments)
    assert {each.clause for each in found} == {"c0", "c1"}
    assert list(later.amendments) == found


def test_only_another_content_of_one_number_is_a_conflict() -> None:
    m = monitor()
    first, other = call(0, "x", seq=0), call(0, "y", seq=0)
    late = call(1, "z", seq=2, ok=None)
    for each in (first, call(5, "x", seq=4, ok=True), late, first, late):
        m.feed(each)
    assert (m.counts["duplicates"], m.counts["late"], m.counts["conflicts"]) == (2, 1, 0)
    m.feed(other)
    assert (m.counts["duplicates"], m.counts["conflicts"]) == (3, 1)
