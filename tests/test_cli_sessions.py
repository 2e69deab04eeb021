"""`pactc run` on pacts that remember: in order, through a monitor, with its state kept if asked for."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from cli_tools import Pactc, pactc

import pactlang
from pactlang.cli import exits

__all__ = ["pactc"]

PACT = """pact p "1.0.0"
applies when tool != "ping"
session by session idle 2h
event verify when tool == "verify"
event refund when tool == "refund"
event denied when tool == "refund" && ok == false
event handover when tool == "handover"
clause verified { severity critical  refund only after verify within 30m }
clause escalates { after denied expect handover within 3 calls or 10m }
clause few { at most 3 calls per session }
clause cheap { when has(cost) require cost < 5.0 || once(verify) }
"""


def call(id: str | None, minute: int, tool: str | None, session: str | None = "s", **more: Any) -> str:
    clock = f"2026-01-01T{minute // 60:02d}:{minute % 60:02d}:00Z"
    return json.dumps({"id": id, "session": session, "time": clock, "tool": tool, **more})


LOG = [
    call("a", 0, "verify"), call("b", 31, "refund", ok=False), call("b", 31, "refund", ok=False),
    call("x", 31, "refund", "t", ok=False, cost=9.0), call("c", 42, None), "{", call("p", 42, "ping"),
    call(None, 43, "refund", None), call("d", 43, None), call("e", 300, "refund", ok=True),
]  # fmt: skip


@pytest.fixture
def logged(pactc: Pactc) -> Pactc:
    pactc.write("p.pact", PACT)
    pactc.write("log.jsonl", "\n".join(LOG))
    return pactc


def run(logged: Pactc, *arguments: str, log: str = "log.jsonl") -> Any:
    return logged("run", "p.pact", log, "--format", "json", "--limit", "99", *arguments).data


def steady(data: dict[str, Any]) -> dict[str, Any]:
    """What a report says of the log: not how long it took, nor what the files are called."""
    left_out = ("seconds", "calls_per_second", "files", "sight", "unread")
    text = json.dumps({key: value for key, value in data.items() if key not in left_out})
    return json.loads(text)  # type: ignore[no-any-return]


def test_counts_add_up_and_nothing_ends_with_the_log(logged: Pactc) -> None:
    data = run(logged)
    parts = ("calls", "outside", "undecodable", "duplicates")
    assert data["records"] == len(LOG) == sum(data[part] for part in parts)
    assert (data["duplicates"], data["outside"], data["undecodable"]) == (1, 1, 1)
    outcomes = ("satisfied", "violated", "skipped", "unknown")
    for clause in data["clauses"].values():
        assert sum(clause[word] for word in outcomes) == data["calls"]
    escalates = data["clauses"]["escalates"]
    assert (escalates["violated"], escalates["unknown"], escalates["pending"]) == (1, 2, 1)
    assert data["figures"] == {"no_session": 1}


def test_violations_name_the_earlier_call_and_amendments_their_own(logged: Pactc) -> None:
    data = run(logged)
    found = {(v["clause"], v["id"]): v for v in data["violations"]}
    assert "31m ago" in found["verified", "b"]["message"]
    late = found["escalates", "b"]
    assert late["line"] == 2 and late["resolved"]["line"] == 5
    assert data["amendments"] == [
        {"clause": "escalates", "file": "log.jsonl", "line": 2, "id": "b", "outcome": "violated",
         "resolved": {"file": "log.jsonl", "line": 5, "id": "c"}}
    ]  # fmt: skip
    why = {(u["clause"], u["id"]): u["reason"] for u in data["unknowns"]}
    assert "no session" in why["verified", 8]
    assert why["escalates", "x"].startswith("pending")
    assert ("escalates", "b") not in why


def test_every_form_of_the_report(logged: Pactc) -> None:
    text = logged("run", "p.pact", "log.jsonl").out
    assert "1 that came before" in text and "1 without a session" in text
    assert "resolved on line 5" in text and "pending for 1 of them" in text
    for form in ("html", "sarif", "junit", "github"):
        assert "escalates" in logged("run", "p.pact", "log.jsonl", "--format", form).out


def test_what_is_pending_is_no_doubt(logged: Pactc) -> None:
    logged.write("short.jsonl", call("a", 0, "refund", ok=False))
    logged.write("q.pact", PACT.replace("refund only after verify within 30m", "at most 9 refund per 1h"))
    ran = logged("run", "q.pact", "short.jsonl", "--fail-on", "unknown")
    assert ran.code == exits.FINE and "pending" in ran.out
    assert logged("run", "q.pact", "log.jsonl", "--fail-on", "unknown").code == exits.FOUND


def test_rows_and_columns(logged: Pactc) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    run(logged, "--verdicts", "rows.jsonl")
    rows = [json.loads(line) for line in Path("rows.jsonl").read_text().splitlines()]
    assert len(rows) == len(LOG) + 1
    assert rows[2] == {"file": "log.jsonl", "line": 3, "id": "b", "duplicate": True}
    amendment = {"clause": "escalates", "outcome": "violated", "line": 5}
    assert rows[5] == {"file": "log.jsonl", "line": 2, "id": "b", "amendment": amendment}
    run(logged, "--verdicts", "rows.parquet")
    table = parquet.read_table("rows.parquet").to_pylist()
    assert [row["duplicate"] for row in table].count(True) == 1
    assert table[5]["amendment"] == amendment

    keys = ("id", "session", "time", "tool", "ok", "cost")
    records = [json.loads(line) for line in LOG if line != "{"]
    columns = [{key: record.get(key) for key in keys} for record in records]
    logged.write("same.jsonl", "\n".join(map(json.dumps, columns)))
    parquet.write_table(pa.Table.from_pylist(columns), "log.parquet")
    text = steady(run(logged, log="same.jsonl"))
    assert json.loads(json.dumps(steady(run(logged, log="log.parquet"))).replace(".parquet", ".jsonl")) == (
        json.loads(json.dumps(text).replace("same.jsonl", "log.jsonl"))
    )


def test_a_timeline_of_one_session(logged: Pactc) -> None:
    shown = logged("run", "p.pact", "log.jsonl", "--session", "s").out
    assert "session s: 7 calls" in shown
    assert "pending, then violated on line 5" in shown
    assert "a new session begins: 4h17m passed" in shown
    data = logged("run", "p.pact", "log.jsonl", "--session", "s", "--format", "json").data
    assert [step["line"] for step in data["calls"]] == [1, 2, 3, 5, 7, 9, 10]
    assert data["calls"][1]["events"] == ["refund", "denied"]
    assert data["calls"][2]["duplicate"]
    assert data["calls"][1]["amendments"] == [
        {"clause": "escalates", "outcome": "violated", "file": "log.jsonl", "line": 5, "id": "c"}
    ]
    assert data["calls"][1]["outcomes"]["verified"] == "violated"
    assert logged("run", "p.pact", "log.jsonl", "--session", "s", "--format", "html").code == 2


# State ----------------------------------------------------------------------------------------------


def test_a_run_goes_on_where_the_last_one_was(logged: Pactc) -> None:
    whole = run(logged)
    for cut in range(1, len(LOG)):
        Path("state").unlink(missing_ok=True)
        logged.write("one.jsonl", "\n".join(LOG[:cut]))
        logged.write("two.jsonl", "\n".join(LOG[cut:]))
        one, two = (run(logged, "--state", "state", log=name) for name in ("one.jsonl", "two.jsonl"))
        for word in ("satisfied", "skipped"):
            assert [c[word] for c in whole["clauses"].values()] == [
                a[word] + b[word]
                for a, b in zip(one["clauses"].values(), two["clauses"].values(), strict=True)
            ]
        broken = {(v["clause"], v["id"]) for v in whole["violations"]}
        found = {(v["clause"], v["id"]) for each in (one, two) for v in each["violations"]}
        assert found == broken


def test_a_state_that_cannot_be_used(logged: Pactc) -> None:
    assert logged("run", "p.pact", "log.jsonl", "--state", "state").code == exits.FINE
    data = Path("state").read_bytes()
    for bad in (b"", data[:-1], data[:40], b"x" * 100):
        logged.write("state", bad)
        ran = logged("run", "p.pact", "log.jsonl", "--state", "state")
        assert ran.code == exits.UNABLE and "state" in ran.err
        assert Path("state").read_bytes() == bad
    logged.write("state", data)
    logged.write("p.pact", PACT.replace("at most 3", "at most 4"))
    assert "of few the state knows no past" in logged("run", "p.pact", "log.jsonl", "--state", "state").err
    assert logged("run", "p.pact", "log.jsonl", "--state", "no/such/folder").code == exits.UNABLE
    assert logged("run", "p.pact", "log.jsonl", "--state", "log.jsonl").code != exits.FINE
    ran = logged("run", "shop.pact", "log.jsonl", "--state", "state")
    assert ran.code == exits.UNABLE and "remember" in ran.err


def test_following_a_log_keeps_its_state(logged: Pactc) -> None:
    log = logged.write("live.jsonl", LOG[0] + "\n")
    process = logged.start("run", "p.pact", "live.jsonl", "--follow", "--state", "state")
    try:
        time.sleep(1.0)
        with log.open("a") as file:
            file.write("\n".join(LOG[1:5]) + "\n")
        assert process.stdout is not None
        seen = [process.stdout.readline()]
        while seen[-1] and b"came out on" not in seen[-1]:
            seen.append(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        out = b"".join(seen) + out
    finally:
        process.kill()
    assert b"31m ago" in out and b"escalates: came out on live.jsonl:5" in out
    restored = pactlang.Monitor.restore(pactlang.compile(PACT), Path("state").read_bytes())
    assert restored.counts["duplicates"] == 1


def test_a_run_says_what_a_monitor_says(logged: Pactc) -> None:
    chance = random.Random(7)
    tools = ["verify", "refund", "handover", "x"]
    lines = [
        call(f"i{chance.randrange(150)}", minute // 2, chance.choice(tools), chance.choice("abc"),
             ok=chance.choice([True, False, None]), cost=chance.choice([None, 1.0, 9.0]))
        for minute in range(300)
    ]  # fmt: skip
    logged.write("many.jsonl", "\n".join(lines))
    run(logged, "--verdicts", "rows.jsonl", log="many.jsonl")
    rows = [json.loads(line) for line in Path("rows.jsonl").read_text().splitlines()]
    monitor = pactlang.Monitor(pactlang.compile(PACT))
    wanted: list[Any] = []
    for line in lines:
        verdict = monitor.feed(line)
        broken = [name for name, outcome in verdict.outcomes.items() if outcome == pactlang.Outcome.VIOLATED]
        wanted.append("duplicate" if verdict.duplicate else (broken, list(verdict.unknown)))  # type: ignore[attr-defined]
        wanted += [(a.id, a.clause, a.outcome.name.lower()) for a in monitor.amendments]
    found: list[Any] = []
    for row in rows:
        if "amendment" in row:
            found.append((row["id"], row["amendment"]["clause"], row["amendment"]["outcome"]))
        else:
            found.append("duplicate" if "duplicate" in row else (row["violated"], row["unknown"]))
    assert found == wanted


def test_a_run_that_is_killed_leaves_the_state_as_it_was(logged: Pactc) -> None:
    """Run again, it says all that a run says which nobody has killed, and leaves the same state."""
    chance = random.Random(8)
    tools = ["verify", "refund", "handover", None]
    lines = [
        call(f"n{n}", n // 40, chance.choice(tools), f"s{chance.randrange(40)}", ok=chance.random() < 0.5)
        for n in range(24_000)
    ]
    logged.write("first.jsonl", "\n".join(lines[:12_000]))
    logged.write("second.jsonl", "\n".join(lines[12_000:]))
    run(logged, "--state", "whole", log="first.jsonl")
    begun = Path("whole").read_bytes()
    whole = steady(run(logged, "--state", "whole", "--verdicts", "whole.jsonl", log="second.jsonl"))
    logged.write("state", begun)
    for _ in range(5):
        arguments = ("second.jsonl", "--state", "state", "--verdicts", "rows.jsonl")
        process = logged.start("run", "p.pact", *arguments)
        time.sleep(0.05 + chance.random() * 0.4)
        process.kill()
        process.communicate()
        assert Path("state").read_bytes() in (begun, Path("whole").read_bytes())
        if Path("state").read_bytes() != begun:
            logged.write("state", begun)  # it was done
    found = steady(run(logged, "--state", "state", "--verdicts", "rows.jsonl", log="second.jsonl"))
    assert found == whole and Path("state").read_bytes() == Path("whole").read_bytes()
    assert Path("rows.jsonl").read_bytes() == Path("whole.jsonl").read_bytes()
