"""The guard in bad company: functions that fail, callbacks that block, clocks that jump, large data,
threads, forks, and the end of the interpreter.  Nothing is lost, nobody is held up."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pactlang
from pactlang import Evaluator, Guard
from pactlang import text as text_module
from pactlang.guard import Finding
from pactlang.guard import guard as guard_module
from pactlang.ledger import Ledger, Reader

PACT = r"""
pact shop "1.0.0"
pattern card = r"\b(?:\d[ -]?){13,19}\b" check luhn
phrases boasts = ["risk free"]
clause no_cards  { never output.matches(card) }
clause no_boasts { never output.says(boasts) }
clause no_bad    { never output.contains("wire the money") }
clause works     { require ok == true }
clause quick     { when has(latency)  require latency >= 0s && latency < 1h }
"""
PROGRAM = pactlang.compile(PACT)
CARD = "card 4111 1111 1111 1111"


def stored(path: Path) -> list[dict[str, Any]]:
    return [json.loads(entry.call) for entry in Reader(path).entries()]


def broken(verification: Any) -> list[str]:
    return [violation.clause for violation in verification.wait(60).violations]


# Functions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(3)])
def test_what_a_function_raises_passes_through_and_is_recorded(tmp_path: Path, error: BaseException) -> None:
    def fails(_: Any) -> Any:
        raise error

    async def fails_async(_: Any) -> Any:
        raise error

    path = tmp_path / "calls.ledger"
    with Guard(PROGRAM, path) as guard:
        for call in (
            lambda: guard.call_sync("q", fails),
            lambda: guard.watch(fails)("q"),
            lambda: guard.tool(fails)(1),
        ):
            with pytest.raises(type(error)) as raised:
                call()
            assert raised.value is error
        if isinstance(error, Exception):
            with pytest.raises(type(error)):
                asyncio.run(guard.call("q", fails_async))
        assert guard.counts.failed == guard.counts.violated == guard.counts.calls
    for call in stored(path):
        assert (call["ok"], call["error"]) == (False, type(error).__name__)


def test_a_function_that_hangs_is_recorded_when_it_is_cancelled() -> None:
    guard = Guard(PROGRAM)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(guard.call("q", lambda _: asyncio.sleep(3600)), 0.02)
        watched = asyncio.create_task(guard.watch(asyncio.sleep)(3600))
        await asyncio.sleep(0.01)
        watched.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watched

    asyncio.run(main())
    assert (guard.counts.calls, guard.counts.failed, guard.counts.violated) == (2, 2, 2)


def test_a_stream_that_is_cancelled_is_a_failed_call() -> None:
    guard = Guard(PROGRAM)

    async def slow(_: Any) -> Any:
        yield CARD
        await asyncio.sleep(3600)

    async def read(response: Any) -> None:
        async for _ in response:
            pass

    async def main() -> Any:
        result = await guard.call("q", slow)
        task = asyncio.create_task(read(result.response))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return result

    result = asyncio.run(main())
    assert (result.call.ok, result.call.error, result.call.output) == (False, "CancelledError", CARD)
    assert broken(result.verification) == ["no_cards", "works"]


def test_bytes_are_text_and_other_bytes_are_undecodable(tmp_path: Path) -> None:
    path = tmp_path / "calls.ledger"
    with Guard(PROGRAM, path) as guard:
        assert broken(guard.call_sync("q", lambda _: CARD.encode()).verification) == ["no_cards"]
        result = guard.call_sync("q", lambda _: b"\xff\xfe")
        with pytest.raises(pactlang.RecordError, match="UTF-8"):
            result.verification.result()
        assert result.response == b"\xff\xfe" and guard.counts.undecodable == 1 and guard.counts.unstored == 0
    entries = list(Reader(path).entries())
    assert len(entries) == 2 and set(entries[1].said.unknown) == {clause.name for clause in PROGRAM.clauses}
    with pytest.raises(pactlang.RecordError, match="UTF-8"):
        Evaluator(PROGRAM).check_json(entries[1].call)


# Large data -----------------------------------------------------------------------------------------


class Pulse:
    """The longest time for which the loop did not run."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def beat(self) -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0)
            now = time.perf_counter()
            self.longest, last = max(self.longest, now - last), now


def test_a_hundred_megabytes_are_answered_at_once_and_judged_whole(tmp_path: Path) -> None:
    text = "lorem ipsum " * (100_000_000 // 12) + CARD
    path = tmp_path / "calls.ledger"

    async def main() -> None:
        with Guard(PROGRAM, path) as guard:
            begun = time.perf_counter()
            result = await guard.call("q", lambda _: text)
            assert result.response is text and time.perf_counter() - begun < 0.5
            assert "no_cards" in {v.clause for v in (await result.verification).violations}
            await guard.flush()

    asyncio.run(main())
    (entry,) = Reader(path).entries()
    assert len(entry.call) > len(text) and entry.said.violated == ("no_cards",)


@pytest.mark.parametrize("answer", [lambda: {"text": "x" * 400_000 + CARD}, lambda: [CARD] * 20_000])
def test_large_data_is_read_and_judged_later(answer: Callable[[], Any]) -> None:
    guard = Guard(PROGRAM, prices={"m": (1, 1)})
    result = guard.call_sync(
        {"messages": [{"role": "user", "content": "x" * 300_000}], "model": "m"}, lambda _: answer()
    )
    assert broken(result.verification) == ["no_cards"]
    assert len(result.call.input) == 300_000 and len(result.call.output) > 400_000


MIXED = "Straße № café \u4fdd\u8bc1 e\u0301\u200b \U0001f600 "


@pytest.mark.parametrize(
    "filler",
    ["lorem  ipsum\n", MIXED, " \t", "\u200b", "a" + "\u0301\u0323" * 40],
    ids=["ascii", "mixed", "blank", "ignorable", "marks"],
)
@pytest.mark.parametrize("before", [0, (1 << 18) - 9, (1 << 18) + 40_000])
@pytest.mark.parametrize("planted", ["", CARD, " RISK\u00a0 fr\u00adee ", "wire the money"], ids=range(4))
def test_a_long_text_gets_the_verdict_that_it_gets_as_a_whole(
    filler: str, before: int, planted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (filler * before)[:before] + planted + filler * (20_000 // len(filler))
    one = Guard(PROGRAM).call_sync("q", lambda _: text).verification
    sliced = one.wait(60)
    found = [(violation.clause, violation.matched) for violation in sliced.violations]
    for name in ("LONG", "WORK"):
        monkeypatch.setattr(text_module, name, 1 << 60)
    whole = Evaluator(PROGRAM).check(one.call)
    assert whole.outcomes == sliced.outcomes
    assert [(violation.clause, violation.matched) for violation in whole.violations] == found


@pytest.mark.parametrize("wide", ["\u4fdd", "\U0001f600"])
@pytest.mark.parametrize("at", [0, 4095, 4096, 69_999])
def test_a_lone_surrogate_in_a_long_text_is_undecodable(wide: str, at: int) -> None:
    text = wide * 70_000
    assert Guard(PROGRAM).call_sync("q", lambda _: text).verification.wait(60).ok
    text = text[:at] + "\udc61" + text[at + 1 :]
    with pytest.raises(pactlang.RecordError, match=r"surrogate|UTF-8"):
        Guard(PROGRAM).call_sync("q", lambda _: text).verification.wait(60)


def test_text_that_takes_long_to_fold_is_judged_later() -> None:
    guard = Guard(PROGRAM)
    gate = threading.Event()
    guard._books.late.put(gate.wait)
    done = [guard.call_sync(char * 5_000, len).verification.done for char in "x\u4fdd"]
    gate.set()
    assert done == [True, False]


def test_large_calls_beyond_the_bound_are_judged_at_once() -> None:
    guard = Guard(PROGRAM)
    gate = threading.Event()
    guard._books.late.bound = 3
    guard._books.late.put(gate.wait)
    time.sleep(0.05)
    results = [guard.call_sync("q", lambda _: "x" * 300_000) for _ in range(6)]
    assert [result.verification.done for result in results] == [False] * 3 + [True] * 3
    gate.set()
    guard.flush_sync()
    assert all(result.verification.done for result in results) and guard.counts.judged == 6


# Callbacks ------------------------------------------------------------------------------------------


def test_a_callback_that_raises_is_counted() -> None:
    guard = Guard(PROGRAM, on_violation=lambda finding: 1 / 0)
    assert not guard.call_sync("q", lambda _: CARD).verification.result().ok
    guard.close()
    assert guard.counts.callbacks_failed == 1


def test_a_callback_that_blocks_holds_nobody_up(tmp_path: Path) -> None:
    gate = threading.Event()
    guard = Guard(PROGRAM, tmp_path / "calls.ledger", on_violation=lambda finding: gate.wait(60))
    guard._books.callbacks.bound = 5
    begun = time.perf_counter()
    for _ in range(20):
        assert guard.call_sync("q", lambda _: CARD).verification.done
    guard.flush_sync()
    assert time.perf_counter() - begun < 5
    assert 14 <= guard.counts.callbacks_dropped <= 15
    gate.set()
    guard.close()
    assert len(stored(tmp_path / "calls.ledger")) == 20


def test_a_callback_may_use_the_guard() -> None:
    seen: list[Finding] = []

    def told(finding: Finding) -> None:
        seen.append(finding)
        guard.call_sync("q", str)
        guard.flush_sync()

    guard = Guard(PROGRAM, on_violation=told)
    guard.call_sync("q", lambda _: CARD)
    guard.close()
    assert len(seen) == 1 and guard.counts.calls == 2


# Clocks ---------------------------------------------------------------------------------------------


def test_a_clock_that_jumps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    times = iter(int(seconds * 1e9) for seconds in (1e9, 2e9, 5, 0, 1e9 + 0.25, 4e9))
    monkeypatch.setattr(guard_module, "_wall", lambda: next(times))
    with Guard(PROGRAM, tmp_path / "calls.ledger") as guard:
        calls = [guard.call_sync("q", str, session="s").call for _ in range(6)]
        assert guard.counts.judged == 6 and guard.counts.violated == 0
    assert [call.seq for call in calls] == list(range(6))
    assert [call.time[:19] for call in calls[:3]] == [
        "2001-09-09T01:46:40",
        "2033-05-18T03:33:20",
        "1970-01-01T00:00:05",
    ]
    assert all(0 <= call.latency < 60 for call in calls)
    assert [entry.number for entry in Reader(tmp_path / "calls.ledger").entries()] == list(range(6))


# Ledgers --------------------------------------------------------------------------------------------


def test_every_call_is_stored_with_its_verdict(tmp_path: Path) -> None:
    path = tmp_path / "calls.ledger"

    async def main() -> None:
        async with Guard(PROGRAM, path) as guard:
            result = await guard.call("q", lambda _: CARD, session="s")
            await guard.call("q", lambda _: "fine", session="s")
            assert result.verification.capture == (guard.writer, 0)
            guard.record({"session": "s", "ok": True, "time": "2026-01-01T00:00:00Z", "output": CARD})
            await guard.flush()
            assert guard.ledger.count() == 3

    asyncio.run(main())
    entries = list(Reader(path).entries(session="s"))
    assert [(entry.number, entry.seq, entry.said.violated) for entry in entries] == [
        (0, 0, ("no_cards",)), (1, 1, ()), (2, 2, ("no_cards",)),
    ]  # fmt: skip
    assert entries[2].time == 1767225600.0
    evaluator = Evaluator(PROGRAM)
    for entry in entries:
        verdict = evaluator.check_json(entry.call)
        assert {name for name, code in verdict.outcomes.items() if code == 1} == set(entry.said.violated)
    assert Reader(path).verify().ok


def test_two_guards_on_one_ledger(tmp_path: Path) -> None:
    path = tmp_path / "calls.ledger"
    ledger = Ledger(path, PROGRAM)
    first, second = Guard(PROGRAM, ledger), Guard(PROGRAM, ledger)
    for _ in range(50):
        first.call_sync("q", str, session="a")
        second.call_sync("q", str, session="b")
    first.close()
    second.close()
    assert ledger.count() == 100
    ledger.close()
    numbers: dict[str, list[int]] = {}
    for entry in Reader(path).entries():
        numbers.setdefault(entry.writer, []).append(entry.number)
    assert sorted(numbers.values()) == [list(range(50)), list(range(50))]


def test_a_full_ledger_that_waits_does_not_hold_the_loop_up(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "calls.ledger", PROGRAM, bound=10, overflow="wait")
    guard = Guard(PROGRAM, ledger)
    pulse = Pulse()

    async def main() -> None:
        beat = asyncio.create_task(pulse.beat())
        await asyncio.gather(*(guard.call("q", lambda _: asyncio.sleep(0, "x")) for _ in range(300)))
        beat.cancel()

    asyncio.run(main())
    guard.close()
    ledger.close()
    assert len(stored(tmp_path / "calls.ledger")) == 300


def test_a_ledger_that_fails_does_not_reach_the_call() -> None:
    class Broken:
        def put(self, entry: object) -> None:
            raise OSError("disk")

        def flush_sync(self) -> None:
            pass

    guard = Guard(PROGRAM, Broken())
    assert guard.call_sync("q", str).verification.result().ok
    assert (guard.counts.judged, guard.counts.unstored) == (1, 1)


# Threads, processes ---------------------------------------------------------------------------------


def test_threads_store_without_gaps(tmp_path: Path) -> None:
    path = tmp_path / "calls.ledger"
    with Guard(PROGRAM, path) as guard:
        work = [
            threading.Thread(target=lambda: [guard.call_sync("q", str, session="s") for _ in range(250)])
            for _ in range(4)
        ]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join()
    entries = list(Reader(path).entries())
    assert (
        sorted(entry.number for entry in entries)
        == sorted(entry.seq or 0 for entry in entries)
        == list(range(1000))
    )
    assert Reader(path).verify().ok


SCRIPT = f"""
import os, sys, threading, multiprocessing, time
import pactlang
from pactlang import Guard
path, how = sys.argv[1:]
guard = Guard(pactlang.compile({PACT!r}), path)
big = "x" * 600_000
def calls(session):
    for _ in range(20):
        guard.call_sync("q", str, session=session)
    guard.call_sync("q", lambda _: big, session=session)
calls("parent")
if how == "fork":
    child = os.fork()
    if not child:
        calls("child")
        sys.exit(0)
    os.waitpid(child, 0)
elif how == "multiprocessing":
    child = multiprocessing.get_context("fork").Process(target=calls, args=("child",))
    child.start()
    child.join()
elif how == "thread":
    thread = threading.Thread(target=calls, args=("thread",))
    thread.start()
elif how == "raise":
    raise ValueError("the application fails")
elif how == "exit":
    sys.exit(5)
"""


def run(tmp_path: Path, how: str) -> list[Any]:
    path = tmp_path / "calls.ledger"
    paths = {**os.environ, "PYTHONPATH": str(Path(pactlang.__file__).parent.parent)}
    # That a process with threads forks is what is tried; newer Pythons warn of it.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", SCRIPT, str(path), how]
    done = subprocess.run(command, env=paths, timeout=120, capture_output=True, text=True)
    assert done.stderr == "" or how == "raise", done.stderr
    return list(Reader(path).entries())


@pytest.mark.parametrize("how", ["end", "raise", "exit"])
def test_what_was_accepted_is_stored_when_the_interpreter_ends(tmp_path: Path, how: str) -> None:
    entries = run(tmp_path, how)
    assert [entry.number for entry in entries] == list(range(21))


@pytest.mark.parametrize("how", ["fork", "multiprocessing", "thread"])
def test_forks_and_threads_lose_and_double_nothing(tmp_path: Path, how: str) -> None:
    entries = run(tmp_path, how)
    seen = sorted((entry.session, entry.seq) for entry in entries)
    other = "thread" if how == "thread" else "child"
    assert seen == sorted((name, seq) for name in ("parent", other) for seq in range(21))
    assert len({entry.writer for entry in entries}) == (1 if how == "thread" else 2)


FORK = """
import os, sys, time
import pactlang
from pactlang.ledger import Entry, Ledger, journal
write = journal.write
journal.write = lambda *args: (write(*args), time.sleep(0.4))
ledger = Ledger(sys.argv[1], pactlang.compile('pact p "1.0.0" clause c { require size(output) < 3 }'))
ledger.put(Entry(b"{}", "parent", 0, None, None, None))
time.sleep(0.1)
child = os.fork()
ledger.put(Entry(b"{}", "child" if not child else "parent", 1, None, None, None))
ledger.flush_sync(5)
if child:
    os.waitpid(child, 0)
ledger.close()
"""


def test_a_fork_waits_for_the_end_of_a_transaction(tmp_path: Path) -> None:
    path = tmp_path / "calls.ledger"
    paths = {**os.environ, "PYTHONPATH": str(Path(pactlang.__file__).parent.parent)}
    subprocess.run([sys.executable, "-c", FORK, str(path)], env=paths, timeout=60, check=True)
    assert [entry.writer for entry in Reader(path).entries()].count("child") == 1
    assert Reader(path).count() == 3
