"""The ledger when things go wrong: kill -9, spill files, forks, ends of interpreters.

`PACT_CRASHES=200 pytest tests/test_ledger_crash.py -k random_moment` kills at 200 moments instead of 15.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from test_ledger import PACT, fill, lock

import pactlang
from pactlang.ledger import Ledger, Reader
from pactlang.ledger.spill import Spill
from pactlang.program import Program

CRASHES = int(os.environ.get("PACT_CRASHES", "15"))
ROOT = Path(__file__).parent.parent

CHILD = f"""
import itertools, os, random, sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}]
import pactlang
from pactlang.ledger import Ledger
from test_ledger import entry
path, writer, seed, bound, first = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
chance = random.Random(seed)
ledger = Ledger(path, pactlang.compile({PACT!r}), bound=bound, group_ms=chance.choice([0, 1, 5]))
def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())
say("open", ledger.recovery.calls)
number, flushes = first, 0
while True:
    for _ in range(chance.randrange(1, 200)):
        ledger.put(entry(number, writer=writer, call=b'{{"output":"' + b"x" * chance.randrange(3000) + b'"}}'))
        number += 1
    ledger.flush_sync()
    flushes += 1
    say("flushed", number - first, flushes, ledger.counts.commits)
"""


@pytest.fixture(scope="module")
def program() -> Program:
    return pactlang.compile(PACT)


def child(script: str, *arguments: object, **options: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def killed(path: Path, writer: str, seed: int, after: float, bound: int = 100_000) -> int:
    """How many calls a child had flushed when it was killed, `after` seconds after its first flush."""
    running = child(CHILD, path, writer, seed, bound, 0)
    assert running.stdout is not None and running.stderr is not None
    said = [running.stdout.readline() for _ in range(2)]
    assert said[0].startswith(b"open"), running.stderr.read().decode()
    time.sleep(after)
    running.send_signal(signal.SIGKILL)
    rest, _ = running.communicate()
    assert running.returncode == -signal.SIGKILL
    lines = [line.split() for line in (said[1] + rest).split(b"\n")]
    flushed = [line for line in lines if line[:1] == [b"flushed"] and len(line) == 4]
    return int(flushed[-1][1])


# kill -9 ------------------------------------------------------------------------------------------


def test_killed_at_a_random_moment(tmp_path: Path, program: Program) -> None:
    """Every flushed call is there, every chain holds, and the next start says what happened, once."""
    path, chance, missing = tmp_path / "a.ledger", random.Random(1), 0
    for crash in range(CRASHES):
        flushed = killed(path, f"w{crash}", crash, chance.random() * 0.3, chance.choice([20, 100_000]))
        left = [name for name in os.listdir(tmp_path) if "spill" in name]
        with Ledger(path, program) as ledger:
            recovery = ledger.recovery
        assert len(recovery.ended) == 1 and len(recovery.spills) == len(left), recovery
        ended = recovery.ended[0]
        assert ended.segments == tuple(s for s in Reader(path).segments() if s.writer == f"w{crash}")
        assert ended.segments[0].first == 0 and ended.segments[0].calls >= flushed
        taken, missing = sum(spill.calls for spill in recovery.spills), missing + ended.missing
        assert sum(s.calls for s in ended.segments) >= flushed + (taken if ended.missing else 0)
        assert left or not ended.missing, "only what was in memory when later calls were spilled"
        assert len(recovery.sentences()) == 1 + len(left)
        assert not [name for name in os.listdir(tmp_path) if "spill" in name]
    report = Reader(path).verify()
    assert report.ok and report.missing == missing and len(report.writers) == CRASHES
    with Ledger(path, program) as ledger:
        assert ledger.recovery.clean


def test_two_writers_at_once_one_of_them_killed(tmp_path: Path, program: Program) -> None:
    path = tmp_path / "a.ledger"
    with Ledger(path, program) as ledger:
        putting = threading.Thread(target=fill, args=(ledger, 20_000), kwargs={"writer": "here"})
        putting.start()
        flushed = killed(path, "there", 7, 0.3)
        putting.join()
        with Ledger(path, program) as third:
            assert len(third.recovery.ended) == 1, "this process lives"
    report = Reader(path).verify()
    assert report.ok and report.missing == 0
    assert Reader(path).count(writer="here") == 20_000 and Reader(path).count(writer="there") >= flushed


def test_one_commit_per_acknowledged_flush(tmp_path: Path) -> None:
    running = child(CHILD, tmp_path / "a.ledger", "w", 3, 100_000, 0)
    assert running.stdout is not None
    lines = [running.stdout.readline().split() for _ in range(30)]
    running.kill()
    running.communicate()
    _, _, flushes, commits = lines[-1]
    assert int(commits) <= int(flushes) * 2, "a group that was under way, and the one for the flush"


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace counts the calls of fsync")
def test_one_fsync_per_flush(tmp_path: Path) -> None:
    script = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}]
import pactlang
from pactlang.ledger import Ledger
from test_ledger import entry
ledger = Ledger(sys.argv[1], pactlang.compile({PACT!r}), group_ms=60_000)
open(sys.argv[1] + ".begun", "w").close()
for number in range(40):
    ledger.put(entry(number))
    ledger.flush_sync()
open(sys.argv[1] + ".done", "w").close()
assert ledger.counts.commits == 40
"""
    log, path = tmp_path / "log", tmp_path / "a.ledger"
    traced = ["strace", "-f", "-o", str(log), "-e", "trace=fsync,fdatasync,open,openat", sys.executable]
    done = subprocess.run([*traced, "-c", script, str(path)], capture_output=True, timeout=120)
    if b"ptrace" in done.stderr or not log.exists():
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr.decode()
    text = log.read_text("utf-8", "replace")
    between = text[text.index(".begun") : text.index(".done")]
    assert 40 <= between.count("fsync(") + between.count("fdatasync(") <= 42, "and the head of the log"


# Spill files that were left -----------------------------------------------------------------------


def left_spill(path: Path, program: Program, rows: int) -> Path:
    """A ledger, and beside it the spill file of a process that has ended."""
    ledger = Ledger(path, program, bound=1)
    locked = lock(str(path))
    fill(ledger, rows + 1)
    assert ledger._spill is not None
    copy = path.with_name("copy")
    shutil.copy(ledger._spill.path, copy)
    locked.close()
    ledger.close()
    os.unlink(path)
    for other in path.parent.glob(path.name + "-*"):
        other.unlink()
    Ledger(path, program).close()
    return copy.rename(f"{path}.spill-dead-1")


@pytest.mark.parametrize("cut", [0, 1, 7, 8, 50])
def test_a_spill_file_cut_short(tmp_path: Path, program: Program, cut: int) -> None:
    path = tmp_path / "a.ledger"
    spill = left_spill(path, program, 20)
    size = spill.stat().st_size
    os.truncate(spill, size - cut)
    with Ledger(path, program) as ledger:
        (report,) = ledger.recovery.spills
        assert report.calls == (20 if not cut else 19) and (report.cut > 0) == (cut > 0)
        assert ("cut short" in ledger.recovery.sentences()[0]) == (cut > 0)
        assert ledger.count() == report.calls and ledger.verify().ok
    assert not spill.exists()


def test_a_damaged_frame_ends_a_spill_file(tmp_path: Path, program: Program) -> None:
    path = tmp_path / "a.ledger"
    spill = left_spill(path, program, 20)
    data = bytearray(spill.read_bytes())
    data[len(data) // 2] ^= 1
    spill.write_bytes(data)
    with Ledger(path, program) as ledger:
        (report,) = ledger.recovery.spills
        assert 5 < report.calls < 15 and report.cut > 100 and ledger.verify().ok


@pytest.mark.parametrize("content", [b"", b"PACT", b"no spill file at all, but long enough"])
def test_what_is_no_spill_file(tmp_path: Path, program: Program, content: bytes) -> None:
    path = tmp_path / "a.ledger"
    Path(f"{path}.spill-x-1").write_bytes(content)
    with Ledger(path, program) as ledger:
        assert ledger.recovery.spills[0].calls == 0


def test_a_spill_file_is_taken_in_once(
    tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the commit and before the file is removed: the next start knows."""
    path = tmp_path / "a.ledger"
    spill = left_spill(path, program, 20)
    copy = spill.read_bytes()
    monkeypatch.setattr(Spill, "close", lambda self, remove: os.close(self.file))
    monkeypatch.setattr("pactlang.ledger.journal.Journal.forget", lambda self, name: None)
    Ledger(path, program).close()
    monkeypatch.undo()
    assert spill.read_bytes() == copy
    with Ledger(path, program) as ledger:
        assert ledger.count() == 20 and ledger.recovery.spills[0].calls == 0
    assert not spill.exists() and Reader(path).verify().ok


def test_the_spill_file_of_a_living_process_is_left_alone(tmp_path: Path, program: Program) -> None:
    path = tmp_path / "a.ledger"
    Ledger(path, program).close()
    spill = Spill.create(f"{path}.spill-alive-1")
    with Ledger(path, program) as ledger:
        assert ledger.recovery.clean
    assert os.path.exists(spill.path)
    spill.close(remove=True)


def test_a_large_frame_comes_back(tmp_path: Path, program: Program) -> None:
    ledger = Ledger(tmp_path / "a.ledger", program, bound=1)
    locked = lock(ledger.path)
    fill(ledger, 3, call=b'{"output":"' + b"y" * 9_000_000 + b'"}')
    locked.close()
    ledger.flush_sync()
    assert ledger.counts.durable == 3 and ledger.counts.spilled == 2 and ledger.verify().ok
    ledger.close()


# Forks and ends -----------------------------------------------------------------------------------


def forked(work: Any) -> int:
    """The exit code of a forked child that does `work`."""
    pid = os.fork()
    if pid == 0:
        code = 1
        with suppress(BaseException):
            work()
            code = 0
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("busy", [False, True])
def test_a_fork_begins_anew(tmp_path: Path, program: Program, busy: bool) -> None:
    ledger = Ledger(tmp_path / "a.ledger", program, group_ms=0 if busy else 60_000)
    fill(ledger, 500, writer="parent")

    def work() -> None:
        assert ledger.counts == (0, 0, 0, 0, 0, 0, 0)
        fill(ledger, 50, writer="child")
        ledger.flush_sync(60)
        assert ledger.counts.durable == 50
        ledger.close()

    assert forked(work) == 0
    fill(ledger, 500, 500, writer="parent")
    ledger.close()
    report = Reader(ledger.path).verify()
    assert report.ok and report.missing == 0
    assert Reader(ledger.path).count(writer="child") == 50 and report.calls == 1050


def test_a_fork_while_spilling(tmp_path: Path, program: Program) -> None:
    ledger = Ledger(tmp_path / "a.ledger", program, bound=2)
    locked = lock(ledger.path)
    fill(ledger, 50, writer="parent")

    def work() -> None:
        fill(ledger, 1, writer="child")
        os._exit(0)

    assert forked(work) == 0
    locked.close()
    ledger.flush_sync()
    assert ledger.counts.durable == 50 and ledger.verify().ok
    ledger.close()


def _put_in_child(ledger: Ledger) -> None:
    fill(ledger, 30, writer="child")


def test_a_child_of_multiprocessing_flushes_at_its_end(tmp_path: Path, program: Program) -> None:
    ledger = Ledger(tmp_path / "a.ledger", program)
    process = multiprocessing.get_context("fork").Process(target=_put_in_child, args=(ledger,))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert ledger.count(writer="child") == 30
    ledger.close()


ENDS = {
    "the end of the program": "",
    "sys.exit": "sys.exit(0)",
    "an exception": "raise ValueError('as it is')",
    "a put in an exit handler": "atexit.register(lambda: ledger.put(entry(50)))",
    "a thread that goes on": "threading.Thread(target=lambda: (time.sleep(0.2), ledger.put(entry(50)))).start()",
}


@pytest.mark.parametrize("end", ENDS)
def test_the_end_of_the_interpreter_flushes(tmp_path: Path, end: str) -> None:
    script = f"""
import atexit, sys, threading, time
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}]
import pactlang
from pactlang.ledger import Ledger
from test_ledger import entry
ledger = Ledger(sys.argv[1], pactlang.compile({PACT!r}), group_ms=60_000)
for number in range(50):
    ledger.put(entry(number))
{ENDS[end]}
"""
    running = child(script, tmp_path / "a.ledger")
    _, said = running.communicate(timeout=60)
    assert (b"Traceback" in said) == (end == "an exception"), said
    assert Reader(tmp_path / "a.ledger").count() == 50 + ("put" in ENDS[end])
    with Ledger(tmp_path / "a.ledger", pactlang.compile(PACT)) as ledger:
        assert ledger.recovery.clean
