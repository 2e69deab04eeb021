"""Work that is done beside the response path: judging large texts, calling the user's callbacks.

A `Desk` is one daemon thread with a queue, started when it is first needed.  Each has its own, so a
callback that never returns holds up other callbacks and nothing else.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from pactlang.text import PAUSE

AT_EXIT = 5.0  # seconds that what waits gets when a process ends
# Seconds between two slices of a long text.  A thread that gives the interpreter's lock back without a
# sleep has it again before another one wakes up; that one then waits for the switch interval.
BREATH = 0.00005
Job = Callable[[], object]


class Desk:
    """Jobs done in order by one thread.  A job must not raise."""

    def __init__(self, name: str, bound: int) -> None:
        self.name = name
        self.bound = bound  # jobs that may wait
        self.reset()

    def reset(self) -> None:
        """Forget the thread and its jobs: in the child of a fork neither exists."""
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def put(self, job: Job) -> bool:
        """Have it done later; False if too many wait already, or if no thread can be started any more."""
        if self._jobs.qsize() >= self.bound:
            return False
        if self._thread is None and not self._start():
            return False
        self._jobs.put(job)
        return True

    def _start(self) -> bool:
        with self._lock:
            if self._thread is not None:
                return True
            thread = threading.Thread(target=self._work, args=(self._jobs,), name=self.name, daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no more threads, or the interpreter is ending
                return False
            self._thread = thread
            self._drain_at_end_of_child()
            return True

    def _drain_at_end_of_child(self) -> None:
        """A child of `multiprocessing` ends without `atexit`; it has finalizers of its own."""
        util = sys.modules.get("multiprocessing.util")
        if util is not None:
            util.Finalize(None, self.drain, args=(AT_EXIT,), exitpriority=10)

    @staticmethod
    def _work(jobs: SimpleQueue[Job]) -> None:
        PAUSE.set(lambda: time.sleep(BREATH))
        while True:
            job = jobs.get()
            job()
            del job  # it holds a call: do not keep it until the next one comes

    @property
    def is_here(self) -> bool:
        """Whether this is its thread."""
        return self._thread is threading.current_thread()

    def drain(self, seconds: float | None = None) -> bool:
        """Wait until all that was put so far is done; False if that took too long."""
        if self._thread is None or self.is_here:
            return True
        done = threading.Event()
        self._jobs.put(done.set)
        return done.wait(seconds)


def shielded(work: Callable[..., Any], *args: Any, failed: Callable[[], object]) -> Job:
    """A job that never raises; `failed` is called if the work does."""

    def job() -> None:
        try:
            work(*args)
        except Exception:
            failed()

    return job
