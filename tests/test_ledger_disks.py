"""The ledger on disks that refuse, and on files that are no ledgers or damaged."""

from __future__ import annotations

import json
import logging
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from test_ledger import PACT, edit, entry, fill
from test_ledger_crash import forked

import pactlang
from pactlang.errors import LedgerError
from pactlang.ledger import Ledger, Reader
from pactlang.ledger import file as file_module
from pactlang.program import Program


@pytest.fixture(scope="module")
def program() -> Program:
    return pactlang.compile(PACT)


# Disks that refuse --------------------------------------------------------------------------------


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file may grow beyond 2 MiB until the fixture ends."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


def large(number: int) -> Any:
    return entry(number, call=b'{"output":"' + b"z" * 50_000 + b'"}')


def test_a_ledger_of_the_first_format_is_read_and_renewed(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    program = pactlang.compile(PACT)
    with Ledger(path, program) as ledger:
        fill(ledger, 5)
    edit(str(path), "DROP TABLE states", "PRAGMA user_version = 1")
    assert Reader(path).count() == 5 and Reader(path).verify().ok
    with Ledger(path, program) as ledger:
        fill(ledger, 5, 5)
    assert Reader(path).count() == 10 and Reader(path).verify().ok
    assert b"CREATE TABLE states" in path.read_bytes()


@pytest.mark.parametrize("overflow", ["spill", "drop", "wait"])
def test_a_full_disk(
    tmp_path: Path, program: Program, full_disk: None, overflow: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The application goes on, the loss is counted and told, and what was durable stays so."""
    caplog.set_level(logging.CRITICAL)
    ledger = Ledger(tmp_path / "a.ledger", program, bound=50, overflow=overflow)
    refused, number, start = None, 0, time.monotonic()
    while number < 400:
        ledger.put(large(number))
        number += 1
        if number % 20 == 0 and refused is None:
            try:
                ledger.flush_sync(20)
            except LedgerError as error:
                refused = error
    assert time.monotonic() - start < 30
    assert refused is not None and refused.waiting > 0
    assert any(word in str(refused) for word in ("full", "I/O")), refused
    counts = ledger.counts
    assert counts.dropped > 0 and counts.accepted + counts.dropped == 400
    assert counts.accepted == counts.durable + counts.failed + counts.queued
    with pytest.raises(LedgerError, match="are lost"):
        ledger.close()
    counts = ledger.counts
    report = Reader(ledger.path).verify()
    assert report.ok and report.calls == counts.durable > 0


def test_a_disk_that_has_room_again(
    tmp_path: Path, program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    ledger = Ledger(tmp_path / "a.ledger", program, bound=1000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        for number in range(100):
            ledger.put(large(number))
        with pytest.raises(LedgerError):
            ledger.flush_sync(20)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    ledger.flush_sync(30)
    assert ledger.counts.durable == 100 and ledger.counts.failed == 0
    ledger.close()
    assert Reader(ledger.path).verify().ok


def test_what_a_full_database_leaves_comes_in_at_the_next_start(tmp_path: Path, program: Program) -> None:
    """The database refuses to the end; the file beside it takes all, and the next start takes it in."""
    ledger = Ledger(tmp_path / "a.ledger", program, bound=10)
    real = ledger._journal.commit

    def refuse(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    ledger._journal.commit = refuse  # type: ignore[method-assign]
    fill(ledger, 30)
    with pytest.raises(LedgerError, match="disk is full"):
        ledger.flush_sync(10)
    with pytest.raises(
        LedgerError, match="30 calls lie beside it and are taken in at the next start, 0 are lost"
    ):
        ledger.close()
    assert real is not None
    with Ledger(tmp_path / "a.ledger", program) as again:
        assert again.recovery.spills[0].calls == 30
        assert sorted(e.number for e in again.entries()) == list(range(30)) and again.verify().ok


@pytest.mark.parametrize("durable", [False, True])
def test_a_commit_that_fails_is_not_stored_twice(tmp_path: Path, program: Program, durable: bool) -> None:
    """What SQLite says of a failed commit does not tell whether it has reached the disk."""
    ledger = Ledger(tmp_path / "a.ledger", program)
    fill(ledger, 5)
    ledger.flush_sync()
    real, failures = ledger._journal._transaction, [1]

    def transaction(work: Any) -> None:
        if failures and failures.pop():
            if durable:
                real(work)
            ledger._journal._in_doubt = True
            raise sqlite3.OperationalError("disk I/O error")
        real(work)

    ledger._journal._transaction = transaction  # type: ignore[method-assign]
    fill(ledger, 5, 5)
    with pytest.raises(LedgerError, match="I/O"):
        ledger.flush_sync()
    ledger.flush_sync(10)
    fill(ledger, 5, 10)
    ledger.close()
    report = Reader(ledger.path).verify()
    assert report.ok and report.calls == 15 and report.missing == 0


def test_a_disk_without_room(tmp_path: Path, program: Program, caplog: pytest.LogCaptureFixture) -> None:
    """A file system of 2 MiB, where it may be mounted."""
    caplog.set_level(logging.CRITICAL)
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system may be mounted here")
    try:
        ledger = Ledger(place / "a.ledger", program, bound=20)
        for number in range(200):
            ledger.put(large(number))
        with pytest.raises(LedgerError, match=r"disk is full|no space left"):
            ledger.flush_sync(30)
        with pytest.raises(LedgerError, match="are lost"):
            ledger.close()
        counts = ledger.counts
        assert counts.dropped + counts.accepted == 200 and counts.dropped + counts.failed > 100
        subprocess.run(["mount", "-o", "remount,size=16m", str(place)], check=True)
        with Ledger(place / "a.ledger", program) as again:
            assert sum(spill.calls for spill in again.recovery.spills) == counts.queued
            assert again.count() == counts.durable + counts.queued and again.verify().ok
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_read_only_database(tmp_path: Path, program: Program, caplog: pytest.LogCaptureFixture) -> None:
    ledger = Ledger(tmp_path / "a.ledger", program)
    fill(ledger, 5)
    ledger.flush_sync()
    ledger._journal.close()
    real = file_module.connect

    def connect(path: str) -> sqlite3.Connection:
        made = real(path)
        made.execute("PRAGMA query_only = ON")
        return made

    ledger._journal.__class__._open.__globals__["connect"] = connect
    try:
        fill(ledger, 5, 5)
        with pytest.raises(LedgerError, match=r"readonly database; 5 calls wait"):
            ledger.flush_sync(10)
    finally:
        ledger._journal.__class__._open.__globals__["connect"] = real
    ledger.flush_sync(10)
    assert ledger.counts.durable == 10
    assert [r.message for r in caplog.records if "readonly" in r.message]
    ledger.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="another user is needed")
def test_a_folder_that_cannot_be_written(tmp_path: Path, program: Program) -> None:
    path = tmp_path / "a.ledger"
    with Ledger(path, program) as ledger:
        fill(ledger, 5)
    for place, mode in ((path, 0o444), (tmp_path, 0o555)):
        place.chmod(mode)
    for above in tmp_path.parents[:3]:
        above.chmod(above.stat().st_mode | 0o055)

    def work() -> None:
        os.setuid(65534)
        with pytest.raises(LedgerError, match=r"readonly|unable to open"):
            Ledger(path, program)
        with pytest.raises(LedgerError, match="unable to open"):
            Ledger(tmp_path / "new.ledger", program)
        reader = Reader(path)
        assert reader.count() == 5 and reader.verify().ok

    assert forked(work) == 0


# Files that are no ledgers ------------------------------------------------------------------------


def sound(path: Path, program: Program) -> bytes:
    with Ledger(path, program) as ledger:
        fill(ledger, 200)
    return path.read_bytes()


def test_a_newer_ledger(tmp_path: Path, program: Program) -> None:
    path = tmp_path / "a.ledger"
    sound(path, program)
    edit(str(path), "PRAGMA user_version = 3")
    for opening in (lambda: Ledger(path, program), lambda: Reader(path)):
        with pytest.raises(
            LedgerError, match=r"newer version of pactlang \(format 3\); this one reads format 2"
        ):
            opening()


def test_another_database(tmp_path: Path, program: Program) -> None:
    path = tmp_path / "a.ledger"
    edit(str(path), "CREATE TABLE people (name TEXT)")
    for opening in (lambda: Ledger(path, program), lambda: Reader(path)):
        with pytest.raises(LedgerError, match="is an SQLite database, but no ledger"):
            opening()
    made = sqlite3.connect(path)
    assert made.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (1,)
    made.close()


@pytest.mark.parametrize("content", [b"{}\n", b"x" * 5000, b"SQLite format 3\0", b"SQLite"])
def test_no_database(tmp_path: Path, program: Program, content: bytes) -> None:
    path = tmp_path / "a.ledger"
    path.write_bytes(content)
    for opening in (lambda: Ledger(path, program), lambda: Reader(path)):
        with pytest.raises(LedgerError, match=r"is no ledger|is cut short"):
            opening()
    assert path.read_bytes() == content


def test_an_empty_file_becomes_a_ledger(tmp_path: Path, program: Program) -> None:
    path = tmp_path / "a.ledger"
    path.touch()
    assert sound(path, program) and Reader(path).count() == 200


@pytest.mark.parametrize("part", [0.001, 0.3, 0.7, 0.999])
def test_a_ledger_cut_short(tmp_path: Path, program: Program, part: float) -> None:
    path = tmp_path / "a.ledger"
    data = sound(path, program)
    path.write_bytes(data[: int(len(data) * part)])
    for opening in (lambda: Ledger(path, program), lambda: Reader(path)):
        with pytest.raises(LedgerError, match="is cut short"):
            opening()


@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_ledger_is_an_error_or_a_problem(tmp_path: Path, program: Program, seed: int) -> None:
    """Whatever bytes are changed: no other exception, and never a clean bill for changed calls."""
    path, chance = tmp_path / "a.ledger", random.Random(seed)
    data = bytearray(sound(path, program))
    before = [(e.call, e.said, e.number) for e in Reader(path).entries()]
    for _ in range(chance.randrange(1, 40)):
        data[chance.randrange(100, len(data))] = chance.randrange(256)
    path.write_bytes(data)
    try:
        report = Reader(path).verify()
        after = [(e.call, e.said, e.number) for e in Reader(path).entries()]
    except LedgerError:
        return
    assert not report.ok or after == before


def test_a_folder_and_a_missing_file(tmp_path: Path, program: Program) -> None:
    with pytest.raises(LedgerError, match="is a directory"):
        Ledger(tmp_path, program)
    with pytest.raises(LedgerError, match="no such file"):
        Reader(tmp_path / "none.ledger")
    with pytest.raises(LedgerError, match="unable to open"):
        Ledger(tmp_path / "no" / "folder.ledger", program)


def test_a_ledger_that_is_removed_while_it_is_open(tmp_path: Path, program: Program) -> None:
    path = tmp_path / "a.ledger"
    ledger = Ledger(path, program)
    fill(ledger, 5)
    ledger.flush_sync()
    path.unlink()
    fill(ledger, 5, 5)
    with suppress(LedgerError):
        ledger.flush_sync(10)
    with suppress(LedgerError):
        ledger.close()


def test_clocks_that_jump(tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger(tmp_path / "a.ledger", program)
    for number, now in enumerate([1.7e9, 0.0, 4e9, 1.6e9]):
        monkeypatch.setattr(time, "time", lambda now=now: now)
        ledger.put(entry(number, time=now))
        ledger.flush_sync(10)
    monkeypatch.undo()
    assert [e.stored for e in ledger.entries()] == [1.7e9, 0.0, 4e9, 1.6e9]
    assert [e.number for e in ledger.entries(since=1.65e9)] == [0, 2] and ledger.verify().ok
    ledger.close()


def test_what_is_stored_is_json_for_anybody(tmp_path: Path, program: Program) -> None:
    """Other tools read the table `calls`."""
    path = tmp_path / "a.ledger"
    sound(path, program)
    made = sqlite3.connect(path)
    found = made.execute("SELECT json_extract(call, '$.id') FROM calls WHERE number = 7").fetchone()
    assert found == ("7",) and json.loads(made.execute("SELECT said FROM calls").fetchone()[0]) == {}
    made.close()
