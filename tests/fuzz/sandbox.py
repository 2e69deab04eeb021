"""Run a target on inputs in a child process with bounds on time and memory.

In: a target's name and a stream of inputs.  Out: `Finding`s, and how many inputs ran.

A child notes each input before it runs it.  If the child dies, is stopped by its clock, or raises, that
input is a finding, and the next child goes on behind it.  Only what `fork` gives is needed, so this runs
on POSIX.
"""

from __future__ import annotations

import faulthandler
import os
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

SECONDS = 20.0  # that one input may take
MEMORY = 2 << 30  # bytes of address space beyond what the process has at the start


class Finding(NamedTuple):
    """An input that broke a promise, and how."""

    target: str
    data: bytes
    what: str


class Report(NamedTuple):
    """What a run came to: how many inputs, the findings, how often each word came out."""

    inputs: int
    findings: list[Finding]
    words: Counter[str]


Feed = Callable[[str], None]  # tells the stream of inputs how the last one ended
Stream = Callable[[], tuple[Iterator[bytes], Feed]]


def run(
    target: str,
    function: Callable[[bytes], str],
    stream: Stream,
    seconds: float = 1e9,
    limit: float = SECONDS,
) -> Report:
    """Run the inputs of a stream until it ends or the time is up.

    stream: makes the inputs, the same each time; called once per child, which passes over those that ran.
    """
    end, total, findings = time.monotonic() + seconds, 0, []
    words: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        while True:
            pid = os.fork()
            if pid == 0:
                _child(place, function, stream, total, end, limit)
            _, status = os.waitpid(pid, 0)
            done = _number(place / "done")
            words.update(_lines(place / "words"))
            total = done
            if status == 0:
                return Report(total, findings, words)
            said = (place / "error").read_text("utf-8", "replace")
            how = (
                f"signal {os.WTERMSIG(status)}"
                if os.WIFSIGNALED(status)
                else f"exit {os.WEXITSTATUS(status)}"
            )
            findings.append(Finding(target, (place / "input").read_bytes(), f"{how}\n{said}"))
            if len(findings) >= 100:
                return Report(total, findings, words)


def _child(
    place: Path, function: Callable[[bytes], str], stream: Stream, skip: int, end: float, limit: float
) -> None:
    """Run inputs until one breaks a promise; never returns."""
    code = 1
    try:
        with open(place / "error", "w") as errors, open(place / "words", "w") as words:
            os.dup2(errors.fileno(), 2)
            faulthandler.enable(errors)
            _bound_memory()
            inputs, feed = stream()
            for number, data in enumerate(inputs):
                if time.monotonic() > end:
                    break
                if number < skip:
                    feed("")
                    continue
                (place / "input").write_bytes(data)
                (place / "done").write_text(str(number + 1))
                faulthandler.dump_traceback_later(limit, exit=True, file=errors)
                word = function(data)
                faulthandler.cancel_dump_traceback_later()
                words.write(word.replace("\n", " ") + "\n")
                words.flush()
                feed(word)
            code = 0
    except BaseException:
        with open(place / "error", "a") as errors:
            traceback.print_exc(file=errors)
    finally:
        os._exit(code)


def _bound_memory() -> None:
    """Bound the address space.  A sanitizer maps terabytes of it, and has a bound of its own."""
    if "asan" in os.environ.get("LD_PRELOAD", ""):
        return
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if sys.platform == "linux" else 0
    bound = pages * os.sysconf("SC_PAGE_SIZE") + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (bound, bound))


def _number(path: Path) -> int:
    return int(path.read_text() or 0) if path.exists() else 0


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8", "replace").splitlines() if path.exists() else []
