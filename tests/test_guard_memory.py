"""The guard of a pact that remembers: one line of calls, verdicts as a monitor gives them, amendments."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import pactlang
from pactlang import Guard, Monitor, Outcome
from pactlang.errors import PactError
from pactlang.guard import recall
from pactlang.ledger import Reader

PACT = """
pact shop "1.0.0"
session by session
event verify   when tool == "verify"
event refund   when tool == "refund"
event handover when tool == "handover"
event denied   when tool == "refund" && ok == false
clause verified  { refund only after verify }
clause escalates { severity critical  after denied expect handover within 2 calls
  on violation { alert "desk" } }
clause few       { at most 3 refund per session }
clause works     { keep rate(ok == true) > 0.5 over 10 calls min 2 calls  on violation { pause } }
"""
PACT = PACT.replace("  on violation { pause }", '  on violation { alert "ops" }')
PROGRAM = pactlang.compile(PACT)


def traffic(seed: int, many: int, sessions: int = 5) -> Iterator[dict[str, Any]]:
    """Calls of some sessions: what is done in them, and whether it went well."""
    chance = random.Random(seed)
    for _ in range(many):
        tool = chance.choice(["verify", "refund", "refund", "handover", "look", "look"])
        yield {"session": f"s{chance.randrange(sessions)}", "tool": tool, "ok": chance.random() < 0.6}


def make(guard: Guard, call: dict[str, Any], output: str = "") -> Any:
    """Do a call through the guard's tool wrapper."""

    def tool(**_: Any) -> str:
        if not call["ok"]:
            raise ValueError(call["tool"])
        return output

    wrapped = guard.tool(tool, name=call["tool"])
    with guard.session(call["session"]):
        try:
            wrapped()
        except ValueError:
            pass


def said(verdict: Any) -> dict[str, str]:
    return {name: outcome.name for name, outcome in verdict.outcomes.items()}


# Verdicts -------------------------------------------------------------------------------------------


def test_it_says_what_a_monitor_says() -> None:
    """On the same calls, in the order of their numbers, amendments too."""
    seen: list[Any] = []
    guard = Guard(PROGRAM, on_verdict=seen.append)
    for call in traffic(1, 400):
        make(guard, call)
    guard.close()
    monitor = Monitor(PROGRAM)
    for one in seen:
        record = json.loads(json.dumps(one.call, default=lambda call: pactlang_data(call)))
        assert said(one.verdict) == said(monitor.feed(record))
    assert len(seen) == 400 and guard.counts.judged == 400
    assert guard.figures == {**monitor.counts}
    found = list(monitor.amendments)
    assert guard.counts.amendments == len(found) > 20
    assert guard.counts.violated_later == sum(each.outcome == Outcome.VIOLATED for each in found) > 5


def pactlang_data(call: Any) -> Any:
    import msgspec

    return msgspec.to_builtins(call)


def test_a_large_call_is_not_overtaken() -> None:
    """What comes after it waits behind it, and so has its number."""
    seen: list[Any] = []
    guard = Guard(PROGRAM, on_verdict=seen.append)
    ones = []
    for number in range(60):
        text = "x" * (300_000 if number % 7 == 0 else 10)
        result = guard.call_sync("q", lambda _, text=text: text, session="s")
        ones.append(result.verification)
    guard.close()
    assert [one.call.seq for one in seen] == list(range(60)) and seen == ones
    assert guard.figures["lost"] == guard.figures["late"] == 0 and guard.counts.judged == 60


def test_threads_are_judged_in_the_order_of_their_numbers() -> None:
    seen: list[Any] = []
    guard = Guard(PROGRAM, on_verdict=seen.append)

    def work(seed: int) -> None:
        for number, call in enumerate(traffic(seed, 200, 2)):
            make(guard, call, "y" * 100_000 if number % 40 == 39 else "")

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    guard.close()
    monitor = Monitor(PROGRAM)
    assert len(seen) == 800
    for one in seen:
        assert said(one.verdict) == said(monitor.feed(pactlang_data(one.call)))
    assert monitor.counts["lost"] == monitor.counts["late"] == monitor.counts["duplicates"] == 0


def test_who_finds_the_line_full_waits_and_does_not_overtake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "BEHIND", 3)
    seen: list[Any] = []
    guard = Guard(PROGRAM, on_verdict=seen.append)

    async def main() -> None:
        async def one(number: int) -> None:
            await guard.call("q", lambda _: "z" * 200_000, session="s")

        await asyncio.gather(*(one(number) for number in range(30)))

    asyncio.run(main())
    for _ in range(30):
        guard.call_sync("q", lambda _: "z" * 200_000, session="s")
    guard.close()
    assert [one.call.seq for one in seen] == list(range(60)) and guard.figures["late"] == 0


def test_a_stream_that_is_collected_within_a_call_is_judged_after_it() -> None:
    guard = Guard(PROGRAM)
    stream = guard.watch(lambda _: iter(["a", "b"]))("q")
    with guard._books.order:  # type: ignore[union-attr]
        guard._books.judging = True  # type: ignore[union-attr]
        del stream
        gc.collect()
        assert guard.counts.calls == 1 and guard.counts.judged == 0
        guard._books.judging = False  # type: ignore[union-attr]
    guard.close()
    assert guard.counts.judged == 1


def test_calls_have_ids_that_amendments_can_name() -> None:
    found: list[Any] = []
    guard = Guard(PROGRAM, on_violation=found.append)
    make(guard, {"session": "s", "tool": "refund", "ok": False})
    for _ in range(2):
        make(guard, {"session": "s", "tool": "look", "ok": True})
    guard.close()
    (later,) = [each for each in found if each.amends]
    assert later.amends[:3] == (f"{guard.writer}:0", "escalates", Outcome.VIOLATED)
    assert later.clause == "escalates" and later.severity == "critical" and later.verdict is None
    assert [action.kind for action in later.consequences] == ["alert"] and "handover" in later.message


def test_consequences_of_keep_fire_once_until_it_is_kept_again() -> None:
    found: list[Any] = []
    guard = Guard(PROGRAM, on_violation=found.append)
    for good in [True, False, False, False, *[True] * 6, *[False] * 7]:
        make(guard, {"session": "s", "tool": "look", "ok": good})
    guard.close()
    fired = [bool(each.consequences) for each in found if each.clause == "works"]
    assert fired[0] and fired.count(True) == 2 and len(fired) > 3


def test_what_is_pending_is_told_to_nobody() -> None:
    unknown: list[Any] = []
    guard = Guard(PROGRAM, on_unknown=unknown.append)
    make(guard, {"session": "s", "tool": "refund", "ok": False})
    guard._books.callbacks.drain()
    assert unknown == [] and guard.counts.unknown == 0
    guard.end("s")
    guard.close()
    assert [(each.clause, each.amends.outcome) for each in unknown] == [("escalates", Outcome.UNKNOWN)]


def test_the_end_of_a_session_and_of_a_deadline() -> None:
    program = pactlang.compile(
        'pact p "1.0.0" event ask when tool == "ask" event answer when tool == "answer"'
        " clause answers { after ask expect answer within 1m  on end violate }"
    )
    found: list[Any] = []
    guard = Guard(program, on_violation=found.append)
    ask = {"tool": "ask", "time": "2026-01-01T10:00:00Z"}
    for session in (1, 2):
        guard.record({**ask, "session": str(session), "id": f"a{session}"})
    guard.advance(datetime(2026, 1, 1, 10, 0, 30, tzinfo=UTC))
    guard.end(2)
    guard.advance(datetime(2026, 1, 1, 10, 1, 1, tzinfo=UTC))
    guard.close()
    assert [each.amends.id for each in found] == ["a2", "a1"]


def test_sessions_by_another_key_are_in_the_order_of_arrival() -> None:
    """Numbers are those of the field `session`; under another key they would look like losses."""
    program = pactlang.compile(
        'pact p "1.0.0" session by agent event v when tool == "v" event r when tool == "r" clause c { r only after v }'
    )
    guard = Guard(program)
    for session, tool in (("a", "v"), ("b", "x"), ("a", "r"), ("c", "x")):
        with guard.session(session, agent="bot"):
            guard.tool(lambda: None, name=tool)()
    guard.close()
    assert guard.counts.judged == 4 and guard.counts.unknown == guard.counts.violated == 0
    assert guard.figures["lost"] == guard.figures["duplicates"] == 0


def test_a_call_twice_is_a_duplicate() -> None:
    guard = Guard(PROGRAM)
    call = {"session": "s", "seq": 0, "tool": "look", "ok": True}
    ones = [guard.record(dict(call)) for _ in range(2)]
    guard.close()
    assert ones[1].wait().duplicate  # type: ignore[attr-defined]
    counts = guard.counts
    assert (counts.calls, counts.judged, counts.duplicates, counts.outside) == (2, 1, 1, 0)


def test_what_remembers_nothing_has_no_sessions_to_end() -> None:
    guard = Guard(pactlang.compile('pact p "1.0.0" clause c { require size(output) < 9 }'))
    assert guard.figures == {}
    for attempt in (lambda: guard.end("s"), lambda: guard.advance(0)):
        with pytest.raises(PactError, match="no earlier calls"):
            attempt()


def test_a_fork_begins_with_an_empty_memory(tmp_path: Path) -> None:
    guard = Guard(PROGRAM)
    make(guard, {"session": "s", "tool": "verify", "ok": True})
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            assert guard.figures["calls"] == 0
            make(guard, {"session": "t", "tool": "look", "ok": True})
            code = 0 if guard.figures["calls"] == 1 else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    make(guard, {"session": "s", "tool": "refund", "ok": True})
    guard.close()
    assert guard.counts.violated == 0 and guard.figures["calls"] == 2


# The ledger -----------------------------------------------------------------------------------------


def test_the_ledger_keeps_amendments_among_the_calls(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    guard = Guard(PROGRAM, path)
    for call in traffic(3, 300):
        make(guard, call)
    guard.end("s1")
    guard.advance(2**52)
    counts = guard.counts
    guard.close()
    reader = Reader(path)
    assert reader.verify().ok and reader.verify().missing == 0
    kept = list(reader.entries(asides=True))
    asides = [entry.said.aside for entry in kept if entry.said.aside]
    assert [entry.number for entry in kept] == list(range(len(kept)))
    assert reader.count() == len(list(reader.entries())) == 300 == sum(entry.is_call for entry in kept)
    assert [each.kind for each in asides].count("amendment") == counts.amendments > 10
    assert [each.session for each in asides if each.kind == "end"] == ["s1"]
    assert [each.time for each in asides if each.kind == "advance"] == [2**52]
    summary = reader.summary()
    assert summary.calls == 300 and summary.amendments == counts.amendments
    later = next(each for each in summary.clauses if each.clause == "escalates")
    assert later.violated == counts.violated_later == reader.count(clause="escalates", asides=True)
    assert reader.count(clause="escalates") == 0
    ids = {json.loads(entry.call)["id"] for entry in reader.entries(clause="escalates", outcome="unknown")}
    assert {each.id for each in asides if each.kind == "amendment"} <= ids


def test_pactc_run_on_the_ledger_says_the_same(tmp_path: Path) -> None:
    path, out = tmp_path / "a.ledger", tmp_path / "rows.jsonl"
    (tmp_path / "shop.pact").write_text(PACT)
    guard = Guard(PROGRAM, path)
    for call in traffic(4, 300):
        make(guard, call)
    guard.record({"session": "s1", "seq": 0, "tool": "look"})  # its number came before
    guard.record({"session": "s1", "tool": 5})
    guard.close()
    done = pactc("run", tmp_path / "shop.pact", path, "--format", "json", "--verdicts", out, "--limit", "1000")
    data = json.loads(done.stdout)
    reader, counts = Reader(path), guard.counts
    assert data["duplicates"] == counts.duplicates == 1 and data["undecodable"] == counts.undecodable == 1
    assert data["calls"] == counts.judged == 300
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    ran = [row for row in rows if "amendment" not in row]
    for row, entry in zip(ran, reader.entries(), strict=True):
        if "undecodable" not in row and "duplicate" not in row:
            assert (tuple(row["violated"]), tuple(row["unknown"])) == (entry.said.violated, entry.said.unknown)
    stored = [e.said.aside for e in reader.entries(asides=True) if e.said.aside is not None]
    assert [(each["id"], each["clause"]) for each in data["amendments"]] == [(a.id, a.clause) for a in stored]
    assert [each["outcome"] for each in data["amendments"]] == [each.outcome for each in stored]


def test_the_ledger_lists_and_exports_amendments(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    guard = Guard(PROGRAM, path)
    make(guard, {"session": "s", "tool": "refund", "ok": False})
    make(guard, {"session": "s", "tool": "handover", "ok": True})
    guard.end("s")
    guard.close()
    listed = pactc("ledger", "list", path).stdout
    assert f"amends {guard.writer}:0: satisfied escalates" in listed and "session s ends" in listed
    assert pactc("ledger", "list", path, "--count").stdout == "2\n"
    rows = [json.loads(line) for line in pactc("ledger", "export", path).stdout.splitlines()]
    assert [row.get("aside", {}).get("kind") for row in rows] == [None, None, "amendment", "end"]
    calls = pactc("ledger", "export", path, "--calls").stdout.splitlines()
    assert len(calls) == 2 and all("tool" in json.loads(line) for line in calls)
    assert "1 clause came out later" in pactc("ledger", "show", path).stdout


def test_what_may_not_be_stored_is_in_no_aside(tmp_path: Path) -> None:
    program = pactlang.compile(PACT + "store { drop session; drop id }")
    path = tmp_path / "a.ledger"
    guard = Guard(program, path)
    make(guard, {"session": "secret", "tool": "refund", "ok": False})
    guard.end("secret")
    guard.close()
    kept = list(Reader(path).entries(asides=True))
    assert [entry.said.aside and entry.said.aside.kind for entry in kept] == [None, "end", "amendment"]
    assert b"secret" not in path.read_bytes() and all(e.said.aside.id is None for e in kept if e.said.aside)


def pactc(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pactlang.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_ends_and_times_in_the_ledger_are_heeded_by_pactc(tmp_path: Path) -> None:
    """They stand between two calls; a session that ended begins with 0 when it comes again."""
    pact = PACT.replace("2 calls\n", "2 calls  on end violate\n")
    (tmp_path / "shop.pact").write_text(pact)
    path = tmp_path / "a.ledger"
    guard = Guard(pactlang.compile(pact), path)
    for tool in ("verify", "refund"):
        make(guard, {"session": "s", "tool": tool, "ok": tool == "verify"})
    guard.end("s")
    again = guard.record({"session": "s", "tool": "refund", "ok": True, "id": "again"}).wait()
    guard.close()
    assert [name for name, outcome in again.outcomes.items() if outcome == Outcome.VIOLATED] == ["verified"]
    done = pactc("run", tmp_path / "shop.pact", path, "--format", "json")
    data = json.loads(done.stdout)
    assert data["duplicates"] == 0 and data["figures"] == {}
    assert {name: found["violated"] for name, found in data["clauses"].items()} == {
        "verified": 1, "escalates": 1, "few": 0, "works": 1,
    }  # fmt: skip
    told = pactc("explain", tmp_path / "shop.pact", path, "--call", "again", "--format", "json")
    clauses = {each["clause"]: each["outcome"] for each in json.loads(told.stdout)["clauses"]}
    assert clauses["verified"] == "violated"


# Real pacts -----------------------------------------------------------------------------------------


def real(shared: Path, name: str) -> Iterator[dict[str, Any]]:
    """Calls of a trace; of the large one the first ones."""
    files = {"agentdojo": "agentdojo/calls.jsonl.gz", "airline": "taubench/airline_gpt4o_calls.jsonl.gz"}
    data = (shared / "data/traces" / files[name]).read_bytes()
    return map(json.loads, gzip.decompress(data).splitlines()[:6000])


@pytest.mark.parametrize("name", ["agentdojo", "airline"])
def test_real_pacts_through_a_guard(tmp_path: Path, shared: Path, name: str) -> None:
    """The guard, a monitor, and `pactc run` on the guard's ledger say the same of every call."""
    file = Path(__file__).parent / "pacts" / f"{name}.pact"
    program = pactlang.compile(file.read_text())
    path, out = tmp_path / "a.ledger", tmp_path / "rows.jsonl"
    monitor, guard, calls = Monitor(program), Guard(program, path), 0
    for call in real(shared, name):
        calls += 1
        assert said(guard.record(call).wait()) == said(monitor.feed(call))
    guard.close()
    assert guard.counts.judged == calls > 2000
    later = [(each.id, each.clause, each.outcome.name.lower()) for each in monitor.amendments]
    kept = [e.said.aside for e in Reader(path).entries(asides=True) if e.said.aside is not None]
    assert [(each.id, each.clause, each.outcome) for each in kept] == later
    done = pactc("run", file, path, "--verdicts", out, "--format", "json")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    for row, entry in zip([row for row in rows if "amendment" not in row], Reader(path).entries(), strict=True):
        assert tuple(row["violated"]) == entry.said.violated and tuple(row["unknown"]) == entry.said.unknown
    assert len([row for row in rows if "amendment" in row]) == len(later)
