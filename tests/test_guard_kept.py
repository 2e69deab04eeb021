"""The memory of a guard that lasts: kill -9, starts, damage, versions of the pact, several processes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_guard_memory import PACT, PROGRAM, make, said, traffic
from test_ledger import edit

import pactlang
from pactlang import Guard, Monitor, Outcome
from pactlang.guard import keeper
from pactlang.ledger import Ledger, Reader

CRASHES = int(os.environ.get("PACT_CRASHES", "12"))
ROOT = Path(__file__).parent.parent

CHILD = f"""
import os, random, sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}]
import pactlang
from pactlang import Guard
from pactlang.guard import keeper
from test_guard_memory import PACT, make, traffic
path, seed = sys.argv[1], int(sys.argv[2])
chance = random.Random(seed)
keeper.EVERY, keeper.MANY = chance.choice([0.01, 0.05, 100]), chance.choice([20, 200, 10**9])
guard = Guard(pactlang.compile(PACT), path)
print("open", flush=True)
for number, call in enumerate(traffic(seed, 10**9)):
    make(guard, call, "x" * 70_000 if chance.random() < 0.01 else "")
    if chance.random() < 0.01:
        guard.end(call["session"])
    if chance.random() < 0.02:
        guard.flush_sync()
"""


def killed(path: Path, seed: int, after: float) -> None:
    """A guard at work, killed so many seconds after its start."""
    command = [sys.executable, "-c", CHILD, str(path), str(seed)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert running.stdout is not None and running.stderr is not None
    assert running.stdout.readline() == b"open\n", running.stderr.read().decode()
    time.sleep(after)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert running.returncode == -signal.SIGKILL


def replayed(path: Path, program: pactlang.Program = PROGRAM) -> Iterator[tuple[Any, Any, list[Any]]]:
    """Every stored call, what one monitor that is never interrupted says of it, and what it amends then."""
    monitor = Monitor(program)
    for entry in Reader(path).entries(asides=True):
        aside = entry.said.aside
        if aside is not None and aside.kind == "end":
            monitor.end(aside.session)
            yield entry, None, list(monitor.amendments)
        elif aside is not None and aside.kind == "advance":
            monitor.advance(aside.time)
            yield entry, None, list(monitor.amendments)
        elif aside is None and not entry.said.undecodable:
            yield entry, monitor.feed(entry.call), list(monitor.amendments)


def assert_as_one_run(path: Path) -> int:
    """The verdicts and amendments in a ledger are those of one run over what it holds; how many calls there are."""
    expected, calls = list[tuple[Any, str, str]](), 0
    for entry, verdict, amendments in replayed(path):
        expected += [(each.id, each.clause, each.outcome.name.lower()) for each in amendments]
        if verdict is not None:
            calls += 1
            kept = (entry.said.violated, entry.said.unknown, entry.said.duplicate)
            now = {
                name: [n for n, o in verdict.outcomes.items() if o.name == name]
                for name in ("VIOLATED", "UNKNOWN")
            }
            assert kept == (tuple(now["VIOLATED"]), tuple(now["UNKNOWN"]), verdict.duplicate), entry
    asides = [entry.said.aside for entry in Reader(path).entries(asides=True)]
    stored = [(a.id, a.clause, a.outcome) for a in asides if a is not None and a.kind == "amendment"]
    assert sorted(stored, key=str) == sorted(expected, key=str)
    return calls


def states(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir() if ".state-" in file.name)


# kill -9 --------------------------------------------------------------------------------------------


def test_killed_at_random_moments_it_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    path, chance = tmp_path / "a.ledger", random.Random(5)
    for crash in range(CRASHES):
        killed(path, crash, chance.random() ** 2 * 0.8)
    guard = Guard(PROGRAM, path)
    for call in traffic(99, 200):
        make(guard, call)
    assert guard.lost == () and guard.figures["damaged"] == 0
    guard.close()
    assert assert_as_one_run(path) > 200 + 20 * CRASHES
    assert Reader(path).verify().ok and len(states(path)) == 1
    assert guard.figures["lost"] == guard.figures["late"] == guard.figures["duplicates"] == 0


def test_a_guard_goes_on_where_the_last_one_was_closed(tmp_path: Path) -> None:
    path, calls = tmp_path / "a.ledger", list(traffic(7, 300))
    whole: list[Any] = []
    at_once = Guard(PROGRAM, on_verdict=whole.append)
    for call in calls:
        make(at_once, call)
    at_once.close()
    parts: list[Any] = []
    for first in range(0, 300, 60):
        with Guard(PROGRAM, path, on_verdict=parts.append) as guard:
            for call in calls[first : first + 60]:
                make(guard, call)
            assert guard.figures["replayed"] == 0 and guard.lost == ()
    assert [said(one.verdict) for one in parts] == [said(one.verdict) for one in whole]
    assert [one.call.seq for one in parts] == [one.call.seq for one in whole]
    assert assert_as_one_run(path) == 300 and len(states(path)) == 1


def test_an_amendment_that_was_not_stored_before_the_end_comes_at_the_start(tmp_path: Path) -> None:
    path, found = tmp_path / "a.ledger", list[Any]()
    with Guard(PROGRAM, path) as guard:
        make(guard, {"session": "s", "tool": "refund", "ok": False})
        for _ in range(2):
            make(guard, {"session": "s", "tool": "look", "ok": True})
        writer = guard.writer
    for name in states(path):
        (tmp_path / name).unlink()
    edit(
        str(path),
        "DELETE FROM marks WHERE outcome >= 4",
        "DELETE FROM calls WHERE said GLOB '{\"aside\"*'",
        "UPDATE states SET covered = -1",
    )
    with Guard(PROGRAM, path, on_violation=found.append) as guard:
        pass
    assert [each.amends[:3] for each in found] == [(f"{writer}:0", "escalates", Outcome.VIOLATED)]
    assert [e.said.aside.id for e in Reader(path).entries(asides=True) if e.said.aside] == [f"{writer}:0"]


# What is damaged, foreign, removed ------------------------------------------------------------------


def left_behind(path: Path, many: int = 100) -> list[dict[str, Any]]:
    """A ledger and a file beside it, of a guard that was closed."""
    calls = list(traffic(11, many))
    with Guard(PROGRAM, path) as guard:
        for call in calls:
            make(guard, call)
    return calls


def cut(data: bytes) -> bytes:
    return data[:-7]


def flipped(data: bytes) -> bytes:
    return data[:90] + bytes([data[90] ^ 4]) + data[91:]


@pytest.mark.parametrize("harm", [cut, flipped, lambda data: b"", lambda data: b"x" * 500, None])
def test_a_damaged_file_is_told_of_and_made_anew_from_the_calls(
    tmp_path: Path, harm: Any, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.ledger"
    left_behind(path)
    file = tmp_path / states(path)[0]
    if harm is None:
        file.unlink()
    else:
        file.write_bytes(harm(file.read_bytes()))
    with Guard(PROGRAM, path) as guard:
        assert guard.figures["damaged"] == 1 and guard.figures["replayed"] >= 100 and guard.lost == ()
        for call in traffic(12, 100):
            make(guard, call)
    assert "made anew" in caplog.text
    assert assert_as_one_run(path) == 200 and len(states(path)) == 1


def test_the_file_of_another_ledger_is_not_taken(tmp_path: Path) -> None:
    one, two = tmp_path / "one.ledger", tmp_path / "two.ledger"
    left_behind(one)
    left_behind(two, 50)
    (tmp_path / states(one)[0]).rename(tmp_path / states(two)[-1])
    with Guard(PROGRAM, two) as guard:
        assert guard.figures["damaged"] == 1
        make(guard, {"session": "s1", "tool": "look", "ok": True})
    assert assert_as_one_run(two) == 51


def test_a_ledger_without_its_last_calls_leaves_every_session_unknown(tmp_path: Path) -> None:
    """They were counted, so somebody has taken them out; what they were is not known."""
    path = tmp_path / "a.ledger"
    with Guard(PROGRAM, path) as guard:
        for name in ("s1", "s2"):
            make(guard, {"session": name, "tool": "verify", "ok": True})
        make(guard, {"session": "s1", "tool": "refund", "ok": True})
    edit(str(path), "DELETE FROM calls WHERE id = (SELECT max(id) FROM calls)")
    with Guard(PROGRAM, path) as guard:
        assert guard.figures["not_stored"] == 1 and "works" in guard.lost
        for name in ("s1", "s2"):
            verdict = guard.record({"session": name, "tool": "refund", "ok": True}).wait()
            assert verdict.outcomes["few"] == Outcome.UNKNOWN


def test_a_memory_whose_ledger_was_taken_away_is_told_of_and_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.ledger"
    left_behind(path)
    (old,) = states(path)
    path.unlink()
    with Guard(PROGRAM, path) as guard:
        assert guard.figures["damaged"] == 1 and guard.figures["replayed"] == 0
    assert "belongs to another ledger" in caplog.text and old in states(path)


def test_a_pipe_in_the_place_of_a_memory_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    left_behind(path, 20)
    os.mkfifo(tmp_path / f"{path.name}.state-0123456789abcdef")
    with Guard(PROGRAM, path) as guard:
        assert guard.figures["damaged"] == 0


def test_a_ledger_put_back_from_yesterday_is_not_gone_on_from(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    left_behind(path, 50)
    edit(str(path), "PRAGMA wal_checkpoint(TRUNCATE)")
    old = path.read_bytes()
    name = states(path)[0]
    left_behind(path, 50)
    later = (tmp_path / states(path)[0]).read_bytes()
    for file in tmp_path.iterdir():
        file.unlink()
    path.write_bytes(old)
    (tmp_path / name).write_bytes(later)
    with Guard(PROGRAM, path) as guard:
        assert guard.figures["damaged"] == 1 and guard.figures["replayed"] >= 50
    assert assert_as_one_run(path) == 50


def test_what_retention_removed_is_unknown_when_the_memory_is_made_anew(tmp_path: Path) -> None:
    program = pactlang.compile(PACT + "store { keep 1h }")
    path = tmp_path / "a.ledger"
    with Guard(program, path) as guard:
        guard.record({"session": "old", "tool": "verify", "ok": True, "time": "2020-01-01T00:00:00Z"})
        guard.record({"session": "gone", "tool": "verify", "ok": True, "time": "2020-01-01T00:00:00Z"})
        make(guard, {"session": "old", "tool": "look", "ok": True})
    with Ledger(path, program) as ledger:
        while ledger._journal.retain():
            pass
        assert ledger.count() == 1 and ledger.verify().removed == 2
    (tmp_path / states(path)[0]).write_bytes(b"")
    with Guard(program, path) as guard:
        for name in ("old", "gone"):
            verdict = guard.record({"session": name, "tool": "refund", "ok": True}).wait()
            assert verdict.outcomes["verified"] == Outcome.UNKNOWN


def test_retention_waits_for_what_no_file_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "EVERY", 1000)
    program = pactlang.compile(PACT + "store { keep 1h }")
    path = tmp_path / "a.ledger"
    guard = Guard(program, path)
    for session in ("a", "b", "c"):
        guard.record({"session": session, "tool": "verify", "ok": True, "time": "2020-01-01T00:00:00Z"})
    guard.flush_sync()
    assert not guard.ledger._journal.retain() and guard.ledger.count() == 3
    guard._books.keeper.save()  # type: ignore[union-attr]
    guard.ledger._journal.retention._next = 0
    while guard.ledger._journal.retain():
        pass
    assert guard.ledger.count() == 0
    guard.close()
    with Guard(program, path) as guard:
        assert guard.record({"session": "b", "tool": "refund", "ok": True}).wait().ok
        assert guard.figures["damaged"] == 0


@pytest.mark.parametrize("store", ["redact output", "drop args", "redact tool", "drop session", "drop seq"])
def test_what_is_withheld_is_a_lost_call_if_it_has_to_be_fed_again(tmp_path: Path, store: str) -> None:
    program = pactlang.compile(PACT + f"store {{ {store} }}")
    path = tmp_path / "a.ledger"
    guard = Guard(program, path)
    make(guard, {"session": "s", "tool": "verify", "ok": True})
    guard.close()
    edit(str(path), "UPDATE states SET covered = -1")
    (tmp_path / states(path)[0]).unlink()
    with Guard(program, path) as guard:
        verdict = guard.record({"session": "s", "tool": "refund", "ok": True}).wait()
        other = guard.record({"session": "t", "tool": "refund", "ok": True}).wait()
        figures = guard.figures
    needed = store not in ("redact output", "drop args")
    assert verdict.outcomes["verified"] == (Outcome.UNKNOWN if needed else Outcome.SATISFIED)
    assert figures["withheld"] == needed
    assert other.outcomes["verified"] == (Outcome.UNKNOWN if store == "drop session" else Outcome.VIOLATED)


def test_a_later_version_of_the_pact_keeps_what_is_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    with Guard(PROGRAM, path) as guard:
        make(guard, {"session": "s", "tool": "verify", "ok": True})
    later = pactlang.compile(PACT.replace('"1.0.0"', '"1.1.0"').replace("at most 3", "at most 2"))
    with Guard(later, path) as guard:
        assert guard.lost == ("few",)
        verdict = guard.record({"session": "s", "tool": "refund", "ok": True}).wait()
        assert verdict.outcomes["verified"] == Outcome.SATISFIED and "few" in verdict.unknown


def test_a_ledger_of_a_pact_that_did_not_remember_is_fed(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    plain = pactlang.compile('pact shop "0.9.0" clause short { require size(output) < 9 }')
    with Guard(plain, path) as guard:
        make(guard, {"session": "s", "tool": "verify", "ok": True})
    with Guard(PROGRAM, path) as guard:
        verdict = guard.record({"session": "s", "tool": "refund", "ok": True}).wait()
        assert verdict.outcomes["verified"] == Outcome.SATISFIED


# Several processes ----------------------------------------------------------------------------------


def test_what_two_processes_left_is_added_up(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    one, two = Guard(PROGRAM, path), Guard(PROGRAM, path)
    for session, guard in (("a", one), ("b", two)):
        make(guard, {"session": session, "tool": "verify", "ok": True})
    one.close()
    two.close()
    assert len(states(path)) == 2
    with Guard(PROGRAM, path) as guard:
        assert guard.figures["taken_over"] == 2 and guard.figures["damaged"] == 0
        for session in ("a", "b"):
            verdict = guard.record({"session": session, "tool": "refund", "ok": True}).wait()
            assert verdict.outcomes["verified"] == Outcome.SATISFIED
    assert len(states(path)) == 1


def test_a_session_that_comes_to_a_second_process_has_an_unknown_past_there(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    one = Guard(PROGRAM, path)
    make(one, {"session": "a", "tool": "verify", "ok": True})
    one.flush_sync()
    two = Guard(PROGRAM, path)
    seen = [two.record({"session": name, "tool": "refund", "ok": True}).wait() for name in ("a", "new")]
    assert [verdict.outcomes["verified"] for verdict in seen] == [Outcome.UNKNOWN, Outcome.VIOLATED]
    two.close()
    one.close()
    with Guard(PROGRAM, path) as guard:
        assert guard.record({"session": "x", "tool": "look", "ok": True}).wait() is not None


def test_a_forked_child_has_a_memory_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    guard = Guard(PROGRAM, path)
    make(guard, {"session": "parent", "tool": "verify", "ok": True})
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            seen = guard.record({"session": "parent", "tool": "refund", "ok": True}).wait()
            make(guard, {"session": "child", "tool": "verify", "ok": True})
            guard.close()
            code = 0 if seen.outcomes["verified"] == Outcome.UNKNOWN else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    verdict = guard.record({"session": "parent", "tool": "refund", "ok": True}).wait()
    assert verdict.outcomes["verified"] == Outcome.SATISFIED
    guard.close()
    with Guard(PROGRAM, path) as guard:
        assert guard.figures["taken_over"] == 2
        verdict = guard.record({"session": "child", "tool": "refund", "ok": True}).wait()
        assert verdict.outcomes["verified"] == Outcome.SATISFIED


def test_what_is_left_is_taken_over_once(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    left_behind(path)
    first, second = Guard(PROGRAM, path), Guard(PROGRAM, path)
    assert (first.figures["taken_over"], second.figures["taken_over"]) == (1, 0)
    first.close()
    second.close()


def test_two_pacts_on_one_ledger_have_a_memory_each(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    other = pactlang.compile(PACT.replace("pact shop", "pact other"))
    for program in (PROGRAM, other):
        with Guard(program, path) as guard:
            make(guard, {"session": "s", "tool": "verify", "ok": True})
            assert guard.figures["taken_over"] == 0
    assert len(states(path)) == 2
    with Guard(other, path) as guard:
        verdict = guard.record({"session": "s", "tool": "refund", "ok": True}).wait()
        assert verdict.outcomes["verified"] == Outcome.SATISFIED and guard.figures["taken_over"] == 1


def test_a_disk_that_refuses_the_file_is_told_of_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.ledger"
    guard = Guard(PROGRAM, path)
    make(guard, {"session": "s", "tool": "verify", "ok": True})

    def refuses(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keeper.Lock, "write", refuses)
    guard.close()
    assert "cannot be saved" in caplog.text
    monkeypatch.undo()
    with Guard(PROGRAM, path) as guard:
        assert guard.figures["replayed"] == 1 and guard.figures["damaged"] == 0
        verdict = guard.record({"session": "s", "tool": "refund", "ok": True}).wait()
        assert verdict.outcomes["verified"] == Outcome.SATISFIED


def test_sessions_of_another_key_are_unknown_after_a_loss(tmp_path: Path) -> None:
    """They have no numbers, so nobody could see that a call is missing."""
    program = pactlang.compile(PACT.replace("session by session", "session by agent"))
    path = tmp_path / "a.ledger"
    guard = Guard(program, path)
    for tool in ("verify", "look", "look"):
        guard.record({"agent": "bot", "tool": tool, "ok": True})
    guard.close()
    (tmp_path / states(path)[0]).unlink()
    edit(str(path), "UPDATE states SET covered = -1", "DELETE FROM calls WHERE number = 1")
    with Guard(program, path) as guard:
        assert guard.figures["not_stored"] == 1
        verdict = guard.record({"agent": "bot", "tool": "refund", "ok": True}).wait()
        assert verdict.outcomes["verified"] == Outcome.UNKNOWN
        verdict = guard.record({"agent": "new", "tool": "refund", "ok": True}).wait()
        assert verdict.outcomes["verified"] == Outcome.UNKNOWN, "the call that is missing may have been its"


def test_what_is_kept_is_json_beside_the_ledger(tmp_path: Path) -> None:
    """`pactc run` on the ledger and the guard count the same after a restart."""
    path = tmp_path / "a.ledger"
    (tmp_path / "shop.pact").write_text(PACT)
    left_behind(path)
    with Guard(PROGRAM, path) as guard:
        for call in traffic(13, 100):
            make(guard, call)
        figures = guard.figures
    command = [
        sys.executable,
        "-m",
        "pactlang.cli",
        "run",
        str(tmp_path / "shop.pact"),
        str(path),
        "--format",
        "json",
    ]
    data = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert data["calls"] == figures["calls"] == 200
