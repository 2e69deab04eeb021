"""The ledger: what is put is durable after a flush, is found again, and its chains hold."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import pactlang
from pactlang.errors import LedgerError
from pactlang.ledger import Entry, Ledger, Reader
from pactlang.ledger import ledger as module
from pactlang.program import Program

PACT = 'pact p "1.0.0" clause short { require size(output) < 20 } clause calm { never output == "x" }'


@pytest.fixture(scope="module")
def program() -> Program:
    return pactlang.compile(PACT)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "calls.ledger")


def entry(number: int, /, writer: str = "w", **fields: Any) -> Entry:
    known: dict[str, Any] = {"session": f"s{number % 3}", "seq": number, "time": 1.7e9 + number}
    known |= {"call": json.dumps({"id": str(number), "output": "o" * (number % 30)}).encode()}
    return Entry(**(known | {"writer": writer, "number": number} | fields))


def fill(ledger: Ledger, many: int, first: int = 0, **fields: Any) -> None:
    for number in range(first, first + many):
        ledger.put(entry(number, **fields))


@pytest.fixture
def opened(path: str, program: Program) -> Iterator[Callable[..., Ledger]]:
    made: list[Ledger] = []

    def open_ledger(**options: Any) -> Ledger:
        made.append(Ledger(path, program, **options))
        return made[-1]

    yield open_ledger
    for ledger in made:
        with suppress(LedgerError):
            ledger.close()


def files(path: str) -> list[str]:
    """The names of the ledger's file and of those beside it."""
    return sorted(file.name for file in Path(path).parent.iterdir())


def edit(path: str, *statements: str) -> None:
    """Change the file behind the ledger's back."""
    made = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        made.execute(statement)
    made.close()


# Putting and flushing ---------------------------------------------------------------------------


def test_what_is_flushed_is_there(opened: Callable[..., Ledger], path: str, program: Program) -> None:
    ledger = opened()
    assert ledger.recovery.created and ledger.recovery.clean
    fill(ledger, 100)
    ledger.flush_sync()
    assert ledger.counts[:6] == (100, 100, 0, 0, 0, 0)
    held = list(Ledger.open_read(path).entries())
    assert [e.number for e in held] == list(range(100))
    first = held[0]
    assert (first.writer, first.session, first.seq, first.time, first.pact) == (
        "w", "s0", 0, 1.7e9, program.digest,
    )  # fmt: skip
    assert json.loads(first.call) == {"id": "0", "output": ""} and first.withheld is None


def test_a_flush_of_nothing_returns(opened: Callable[..., Ledger]) -> None:
    ledger = opened()
    ledger.flush_sync()
    ledger.flush_sync(0)
    assert ledger.counts.commits == 0


def test_one_commit_serves_each_flush(opened: Callable[..., Ledger]) -> None:
    ledger = opened(group_ms=1000)
    for burst in range(5):
        fill(ledger, 50, burst * 50)
        ledger.flush_sync()
    assert ledger.counts.commits <= 6 and ledger.counts.durable == 250


def test_a_group_is_written_without_a_flush(opened: Callable[..., Ledger]) -> None:
    ledger = opened()
    fill(ledger, 3)
    end = time.monotonic() + 10
    while ledger.counts.durable < 3 and time.monotonic() < end:
        time.sleep(0.01)
    assert ledger.counts.durable == 3


def test_many_threads_put(opened: Callable[..., Ledger]) -> None:
    ledger = opened(bound=100_000)
    threads = [
        threading.Thread(target=fill, args=(ledger, 500, 0), kwargs={"writer": f"w{n}"}) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger.flush_sync()
    report = ledger.verify()
    assert report.ok and report.calls == 4000 and report.missing == 0 and len(report.writers) == 8


def test_close_writes_what_is_left_and_then_refuses(opened: Callable[..., Ledger], path: str) -> None:
    ledger = opened(group_ms=10_000)
    fill(ledger, 10)
    ledger.close()
    ledger.close()
    assert files(path) == ["calls.ledger"]
    assert Reader(path).count() == 10 and ledger.counts.durable == 10
    with pytest.raises(LedgerError, match="closed"):
        ledger.put(entry(11))


def test_the_block_form_closes(path: str, program: Program) -> None:
    with Ledger(path, program) as ledger:
        fill(ledger, 4)
    assert Reader(path).count() == 4


@pytest.mark.parametrize("options", [{"overflow": "hope"}, {"bound": 0}, {"group_ms": -1}])
def test_wrong_options(path: str, program: Program, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="overflow"):
        Ledger(path, program, **options)


ODD = [
    {"session": "half \ud800 pair"}, {"writer": "w\u00e9"}, {"call": b""}, {"call": b"\xff\xfe no json"},
    {"call": b'{"a":"\\ud800"}'}, {"time": float("nan")}, {"time": float("inf")}, {"time": -1e300}, {"seq": None},
    {"time": None}, {"session": None}, {"seq": 2**63 - 1}, {"time": 0.1 + 0.2}, {"call": b"x" * 3_000_000},
    {"violated": ('quo"te', "\u00e4")}, {"outside": True}, {"session": ""}, {"call": b'{"a":"\\u0000"}'},
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:30])
def test_odd_entries_are_stored(opened: Callable[..., Ledger], odd: dict[str, Any]) -> None:
    ledger = opened()
    ledger.put(entry(0))
    ledger.put(entry(1, **odd))
    ledger.flush_sync()
    assert ledger.counts.durable == 2 and ledger.verify().ok
    found = list(ledger.entries())[1]
    assert found.call == odd.get("call", found.call)
    assert found.said.violated == odd.get("violated", ())


@pytest.mark.parametrize("odd", [{"seq": 2**63}, {"number": -(2**70)}, {"call": "text"}, {"time": "now"}])
def test_an_entry_that_cannot_be_stored_takes_no_other_with_it(
    opened: Callable[..., Ledger], odd: dict[str, Any]
) -> None:
    ledger = opened()
    ledger.put(entry(0))
    ledger.put(entry(1, **odd))
    ledger.put(entry(2))
    with pytest.raises(LedgerError, match="1 are lost"):
        ledger.flush_sync()
    assert ledger.counts[:6] == (3, 2, 0, 0, 1, 0)
    assert [e.number for e in ledger.entries()] == [0, 2]
    report = ledger.verify()
    assert report.ok and report.missing == 1


# Finding ----------------------------------------------------------------------------------------


@pytest.fixture
def found(opened: Callable[..., Ledger]) -> Ledger:
    ledger = opened()
    ledger.put(entry(0, violated=("short",)))
    ledger.put(entry(1, unknown=("short",), skipped=("calm",)))
    ledger.put(entry(2, violated=("short", "calm")))
    ledger.put(entry(3, outside=True))
    ledger.put(entry(4, writer="v", time=None))
    ledger.flush_sync()
    return ledger


QUESTIONS: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [0, 1, 2, 3, 4]),
    ({"session": "s0"}, [0, 3]),
    ({"session": "none"}, []),
    ({"clause": "short"}, [0, 2]),
    ({"clause": "short", "outcome": "unknown"}, [1]),
    ({"clause": "calm", "outcome": "skipped"}, [1]),
    ({"clause": "calm", "outcome": "satisfied"}, [0, 4]),
    ({"outcome": "violated"}, [0, 2]),
    ({"outcome": "unknown"}, [1]),
    ({"outcome": "skipped"}, [1]),
    ({"outcome": "satisfied"}, [0, 1, 2, 4]),
    ({"since": 1.7e9 + 2}, [2, 3, 4]),
    ({"until": 1.7e9 + 2}, [0, 1]),
    ({"since": 1.7e9 + 1, "until": 1.7e9 + 3}, [1, 2]),
    ({"writer": "v"}, [4]),
    ({"clause": "short", "session": "s2", "writer": "w"}, [2]),
]


@pytest.mark.parametrize(("question", "numbers"), QUESTIONS, ids=lambda value: str(value))
def test_questions(found: Ledger, question: dict[str, Any], numbers: list[int]) -> None:
    assert [e.number for e in found.entries(**question)] == numbers
    assert found.count(**question) == len(numbers)


def test_wrong_questions(found: Ledger) -> None:
    with pytest.raises(ValueError, match="an outcome is"):
        found.count(outcome="fine")
    with pytest.raises(TypeError, match="colour"):
        found.count(colour="red")


def test_reading_while_writing_sees_one_state(opened: Callable[..., Ledger]) -> None:
    ledger = opened()
    fill(ledger, 1200)
    ledger.flush_sync()
    reading = ledger.entries()
    next(reading)
    fill(ledger, 100, 1200)
    ledger.flush_sync()
    assert 1 + sum(1 for _ in reading) == 1200
    assert ledger.count() == 1300


def test_segments(opened: Callable[..., Ledger]) -> None:
    ledger = opened()
    for number in (0, 1, 2, 5, 6, 9):
        ledger.put(entry(number))
    ledger.put(entry(0, writer="v"))
    ledger.flush_sync()
    segments = ledger.segments()
    assert [(s.writer, s.first, s.last, s.calls) for s in segments] == [
        ("w", 0, 2, 3), ("w", 5, 6, 2), ("w", 9, 9, 1), ("v", 0, 0, 1),
    ]  # fmt: skip
    assert segments[-1].digest == ledger.verify().writers[-1].digest
    assert ledger.verify().missing == 4


# Chains -----------------------------------------------------------------------------------------

DAMAGE = {
    "a changed call": "UPDATE calls SET call = replace(call, 'o', 'p') WHERE number = 5",
    "a changed verdict": """UPDATE calls SET said = '{"violated":["calm"]}' WHERE number = 5""",
    "a changed session": "UPDATE calls SET session = 'other' WHERE number = 5",
    "a changed time": "UPDATE calls SET time = time + 1 WHERE number = 5",
    "a call that is gone": "DELETE FROM calls WHERE number = 5",
    "the last call gone": "DELETE FROM calls WHERE number = 19",
    "the first call gone": "DELETE FROM calls WHERE number = 0",
    "two calls exchanged": "UPDATE calls SET number = CASE number WHEN 5 THEN 6 ELSE 5 END WHERE number IN (5, 6)",
    "a digest replaced": "UPDATE calls SET digest = zeroblob(32) WHERE number = 5",
    "a pact replaced": "UPDATE pacts SET digest = 'x'",
    "a call too many": "INSERT INTO calls SELECT 999, writer, 99, session, seq, time, stored, pact, said, call, "
    "withheld, digest FROM calls WHERE number = 19",
    "a false tombstone": "INSERT INTO tombstones VALUES (1, 0, 0, 7, zeroblob(32), zeroblob(32), 0)",
    "an index entry gone": "DELETE FROM marks WHERE call = 1",
    "an index entry too many": "INSERT INTO marks VALUES ('calm', 1, 777)",
    "no verdict": "UPDATE calls SET said = '?' WHERE number = 5",
    "a writer gone": "DELETE FROM writers",
    "a number that comes twice": "UPDATE calls SET number = 4 WHERE number = 5",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_verify_finds(opened: Callable[..., Ledger], path: str, damage: str) -> None:
    ledger = opened()
    ledger.put(entry(0, violated=("short",)))
    fill(ledger, 19, 1)
    ledger.flush_sync()
    assert ledger.verify().ok
    edit(path, DAMAGE[damage])
    report = Reader(path).verify()
    assert not report.ok, damage
    assert all(problem.isprintable() for problem in report.problems)


def test_the_chain_goes_on_where_the_last_process_left_it(opened: Callable[..., Ledger]) -> None:
    for part in range(3):
        ledger = opened()
        fill(ledger, 10, part * 10)
        ledger.close()
    assert ledger.recovery == (False, 20, (), ())
    report = ledger.verify()
    assert report.ok and report.calls == 30 and report.missing == 0


def test_several_ledgers_on_one_file(path: str, program: Program) -> None:
    ledgers = [Ledger(path, program, group_ms=0) for _ in range(4)]
    threads = [
        threading.Thread(target=fill, args=(ledger, 300), kwargs={"writer": f"w{n}"})
        for n, ledger in enumerate(ledgers)
    ]
    for thread in threads:
        thread.start()
    for thread, ledger in zip(threads, ledgers, strict=True):
        thread.join()
        ledger.close()
    report = Reader(path).verify()
    assert report.ok and report.calls == 1200 and report.missing == 0


# Overflow ---------------------------------------------------------------------------------------


def lock(path: str) -> sqlite3.Connection:
    """A connection that keeps every writer waiting until it is closed."""
    made = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    made.execute("BEGIN IMMEDIATE")
    return made


def test_spill_keeps_all_in_order(opened: Callable[..., Ledger], path: str) -> None:
    ledger = opened(bound=10)
    locked = lock(path)
    fill(ledger, 500)
    assert ledger.counts.spilled == 490 and ledger.counts.queued == 500
    locked.close()
    ledger.flush_sync()
    assert [e.number for e in ledger.entries()] == list(range(500))
    assert ledger.counts[:6] == (500, 500, 0, 490, 0, 0)
    fill(ledger, 5, 500)
    ledger.close()
    assert ledger.counts.durable == 505 and ledger.counts.dropped == 0
    assert not [name for name in files(path) if "spill" in name]
    assert Reader(path).verify().ok


def test_spill_under_load(opened: Callable[..., Ledger]) -> None:
    ledger = opened(bound=5, group_ms=0)
    fill(ledger, 20_000)
    ledger.flush_sync()
    report = ledger.verify()
    assert report.ok and report.calls == 20_000 and report.missing == 0 and ledger.counts.spilled > 0
    assert [e.number for e in ledger.entries()] == list(range(20_000))


def test_drop_counts(opened: Callable[..., Ledger], path: str) -> None:
    ledger = opened(bound=10, overflow="drop")
    locked = lock(path)
    fill(ledger, 30)
    assert ledger.counts.dropped == 20 and ledger.counts.accepted == 10
    locked.close()
    ledger.flush_sync()
    ledger.close()
    made = sqlite3.connect(path)
    assert made.execute("SELECT dropped FROM runs").fetchall() == [(20,)]
    made.close()
    assert Reader(path).count() == 10


def test_wait_waits(opened: Callable[..., Ledger], path: str) -> None:
    ledger = opened(bound=10, overflow="wait")
    locked = lock(path)
    fill(ledger, 10)
    assert ledger.full
    putting = threading.Thread(target=fill, args=(ledger, 20, 10))
    putting.start()
    time.sleep(0.2)
    assert putting.is_alive() and ledger.counts.accepted == 10
    locked.close()
    putting.join(20)
    ledger.flush_sync()
    assert not putting.is_alive() and not ledger.full
    assert ledger.counts[:6] == (30, 30, 0, 0, 0, 0)


def test_large_calls_fill_the_queue_by_their_bytes(
    opened: Callable[..., Ledger], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BOUND_BYTES", 1000)
    ledger = opened(overflow="drop")
    locked = lock(path)
    fill(ledger, 5, call=b"x" * 600)
    assert ledger.counts.accepted == 2 and ledger.counts.dropped == 3
    locked.close()
    ledger.flush_sync()


def test_a_flush_that_takes_too_long_says_so(opened: Callable[..., Ledger], path: str) -> None:
    ledger = opened()
    locked = lock(path)
    fill(ledger, 3)
    with pytest.raises(LedgerError, match=r"not durable within 0.1 s; 3 calls wait") as caught:
        ledger.flush_sync(0.1)
    assert caught.value.waiting == 3 and caught.value.lost == 0
    locked.close()
    ledger.flush_sync()
    assert ledger.counts.durable == 3
