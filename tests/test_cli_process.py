"""`pactc` as a process: pipes, signals, terminals, encodings, memory."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from cli_tools import COUNTS, LOG, Pactc, pactc

from pactlang.cli import exits

__all__ = ["pactc"]


def test_a_closed_pipe_ends_quietly(pactc: Pactc) -> None:
    pactc.write("many.pact", Path("shop.pact").read_text() + "".join(
        f"clause c{i} {{ require size(output) < 10000 }}\n" for i in range(1500)
    ))  # fmt: skip
    for form in ("text", "json"):
        process = pactc.start("run", "many.pact", "log.jsonl", "--format", form)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.wait(60) == exits.CLOSED_PIPE
        assert b"rror" not in process.stderr.read()


def test_a_full_disk_is_told_of(pactc: Pactc) -> None:
    with open("/dev/full", "wb") as full:
        process = pactc.start("run", "shop.pact", "log.jsonl", stdout=full)
        _, err = process.communicate()
    assert process.returncode == exits.UNABLE
    assert err.decode().splitlines()[-1] == "error: cannot write to standard output: no space left on device"


def test_standard_input_that_is_closed(pactc: Pactc) -> None:
    done = subprocess.run(
        f"{sys.executable} -m pactlang.cli run shop.pact - <&-", shell=True, capture_output=True, check=False
    )
    assert done.returncode == exits.UNABLE
    assert done.stderr == b"error: standard input is closed\n"


def test_outputs_that_are_closed(pactc: Pactc) -> None:
    command = f"{sys.executable} -m pactlang.cli run shop.pact log.jsonl --fail-on any"
    for closed in (">&-", "2>&-", ">&- 2>&-"):
        done = subprocess.run(f"{command} {closed}", shell=True, capture_output=True, check=False)
        assert done.returncode == exits.FOUND
        assert b"Traceback" not in done.stderr


def test_an_interrupt_while_waiting_reports_what_was_read(pactc: Pactc) -> None:
    process = pactc.start("run", "shop.pact", "-", "--format", "json", "--verdicts", "rows.jsonl")
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(LOG)
    process.stdin.flush()
    deadline = time.monotonic() + 20
    while not Path("rows.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    data = json.loads(process.stdout.read())
    assert process.wait(20) == exits.INTERRUPTED
    assert data["interrupted"] is True
    assert data["records"] == 7
    assert data["clauses"]["cheap"]["violated"] == COUNTS["cheap"][1]
    assert len(Path("rows.jsonl").read_text().splitlines()) == 7


def test_an_interrupt_while_judging_keeps_the_sums(pactc: Pactc) -> None:
    pactc.write("big.jsonl", LOG * 40_000)
    process = pactc.start("run", "shop.pact", "big.jsonl", "--verdicts", "rows.jsonl")
    while not Path("rows.jsonl").exists():
        time.sleep(0.01)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == exits.INTERRUPTED, err
    assert b"interrupted: the report covers what was read so far" in err
    head = re.search(r"([\d,]+) records, ([\d,]+) calls, ([\d,]+) outside", out.decode())
    assert head is not None
    records, calls, outside = (int(n.replace(",", "")) for n in head.groups())
    assert 0 < records == calls + outside < 280_000
    assert len(Path("rows.jsonl").read_bytes().splitlines()) == records


def test_an_encoding_without_our_letters(pactc: Pactc) -> None:
    pactc.write("u.jsonl", json.dumps({"id": "grün→", "output": "sk-a é"}, ensure_ascii=False))
    env = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    out, err = pactc.start("run", "shop.pact", "u.jsonl", env=env).communicate()
    assert b"gr\\xfcn\\u2192" in out, err
    out, _ = pactc.start("run", "shop.pact", "u.jsonl", "--format", "json", env=env).communicate()
    assert json.loads(out)["violations"][0]["id"] == "grün→"


def on_a_terminal(pactc: Pactc, *arguments: str, **env: str) -> str:
    """Everything that `pactc` writes to a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    env = os.environ | {"TERM": "xterm-256color", "COLUMNS": "80"} | env
    process = pactc.start(*arguments, stdin=theirs, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    said = b""
    while select.select([ours], [], [], 60)[0]:
        try:
            data = os.read(ours, 65536)
        except OSError:  # how Linux says that the other side is closed
            break
        said += data
    process.wait(60)
    os.close(ours)
    return said.decode()


def test_colour_on_a_terminal_unless_it_is_not_wanted(pactc: Pactc) -> None:
    coloured = on_a_terminal(pactc, "run", "shop.pact", "log.jsonl")
    assert re.search(r"\x1b\[[\d;]*31m", coloured)
    plain = on_a_terminal(pactc, "run", "shop.pact", "log.jsonl", NO_COLOR="1")
    assert not re.search(r"\x1b\[[\d;]*3[1-7]m", plain)
    assert "small_refunds" in plain
    assert max(len(re.sub(r"\x1b\[[\d;?]*\w", "", line)) for line in re.split("[\r\n]+", plain)) <= 80


def test_a_progress_bar_on_a_terminal_only(pactc: Pactc) -> None:
    pactc.write("big.jsonl", LOG * 8_000)
    assert "━" in on_a_terminal(pactc, "run", "shop.pact", "big.jsonl")
    process = pactc.start("run", "shop.pact", "big.jsonl")
    out, err = process.communicate()
    assert b"\x1b" not in out + err
    assert err == b""


def peak(*arguments: str) -> tuple[int, subprocess.CompletedProcess[str]]:
    """The most memory, in bytes, that a run of `pactc` had at a time; its own, whoever started it."""
    code = (
        "import atexit, sys\nfrom pactlang.cli import main\n"
        "atexit.register(lambda: sys.stderr.write(open('/proc/self/status').read()))\n"
        f"main({list(arguments)!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return int(re.findall(r"VmHWM:\s+(\d+) kB", done.stderr)[0]) << 10, done


def test_memory_does_not_grow_with_the_log(pactc: Pactc) -> None:
    peaks = []
    for times in (6_000, 60_000):
        pactc.write("big.jsonl", LOG * times)
        most, done = peak("run", "shop.pact", "big.jsonl")
        assert f"{7 * times:,} records" in done.stdout
        peaks.append(most)
    assert peaks[1] - peaks[0] < 8 << 20
    assert peaks[1] < 200 << 20


def test_a_gzip_bomb_needs_little_memory(pactc: Pactc) -> None:
    deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [deflate.compress(b"0" * (1 << 20)) for _ in range(400)]
    pactc.write("bomb.gz", b"".join([*parts, deflate.flush()]))
    most, done = peak("run", "shop.pact", "bomb.gz", "--format", "json")
    data = json.loads(done.stdout)
    assert done.returncode == exits.PARTIAL
    assert data["undecodable"] == 1
    assert "more than 64 MiB" in data["undecodable_records"][0]["reason"]
    assert most < 200 << 20


@pytest.mark.parametrize("module", ["click", "rich", "numpy"])
def test_the_package_does_without_the_terminal(module: str) -> None:
    code = f"import sys, pactlang; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
