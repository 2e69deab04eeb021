"""The ledger: calls are taken in at once and written by a thread, many per commit.

In: `Entry`s.  Out: durable rows, counts, errors that say what is lost.

The one idea: whoever hands over a call pays for an append to a queue; the thread behind it pays for
everything else.  Beyond the bound of the queue the policy that the user chose applies.
"""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import sqlite3
import sys
import time
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from threading import Condition, Event, Lock, Thread
from typing import Any, BinaryIO

from pactlang.errors import LedgerError
from pactlang.ledger.entry import Counts, Entry, Recovery, Segment, StoredEntry, VerifyReport
from pactlang.ledger.file import connect, create_or_check, trouble
from pactlang.ledger.journal import Journal
from pactlang.ledger.read import Reader
from pactlang.ledger.recover import recover
from pactlang.ledger.retain import Retention
from pactlang.ledger.rows import Row, Unfit, make_row
from pactlang.ledger.rules import Rules
from pactlang.ledger.spill import Spill
from pactlang.program import Program

POLICIES = ("spill", "wait", "drop")
BOUND_BYTES = 256 << 20  # of calls in the queue, whatever their number
GROUP = 8_192  # calls per commit
GROUP_BYTES = 32 << 20
IDLE = 5.0  # seconds between two looks at what retention asks for
BACKOFF = (0.05, 2.0)  # seconds before the first and between later attempts at a disk that refuses
log = logging.getLogger("pactlang.ledger")

_LIVE: weakref.WeakSet[Ledger] = weakref.WeakSet()
_ABANDONED: list[object] = []  # connections of a parent process: closing them here could harm it
REFUSALS = (sqlite3.Error, OSError, LedgerError)


class Ledger:
    """Keeps calls with their verdicts in an SQLite file.

    bound: calls held in memory.  overflow: what happens beyond it: `spill` (into a file beside the
    ledger), `wait` (put waits), `drop` (counted).  group_ms: how long calls are gathered for one commit.
    One ledger serves many threads; several processes may have the same file open.  In a process that was
    forked it begins anew, without what the parent has in its queue.

    Raises LedgerError if the file is no ledger, or cannot be opened for writing.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        program: Program,
        *,
        bound: int = 100_000,
        overflow: str = "spill",
        group_ms: float = 5,
    ) -> None:
        if overflow not in POLICIES or bound < 1 or group_ms < 0:
            raise ValueError(f"overflow: {', '.join(POLICIES)}; bound: at least 1; group_ms: at least 0")
        self.path = os.fspath(path)
        self.program = program
        self.bound, self.overflow, self.group = bound, overflow, group_ms / 1000
        self.rules = Rules(program)
        self._begin()
        self.recovery = self._recover()
        _LIVE.add(self)

    def _begin(self) -> None:
        """The state of a process that has put nothing yet."""
        self._lock = Lock()
        self._changed = Condition(self._lock)  # there is something to do, or something was done
        self._hurry = Event()  # somebody waits: gather no longer
        self._queue: deque[Entry] = deque()  # what `put` appends to
        self._batch: deque[Entry] = deque()  # what the thread has taken over and not yet made durable
        self._held = self._bytes = 0  # calls, and bytes of calls, in both
        self._spill: Spill | None = None
        self._spilled_to = 0  # bytes of the spill file that are durable
        self._spill_refused = False
        self._accepted = self._durable = self._dropped = self._spilled = self._failed = 0
        self._refusal: BaseException | None = None
        self._refusals = self._wanted = self._spills = 0
        self._idle = self._closed = False
        self._thread: Thread | None = None
        self._name = secrets.token_hex(6)
        retention = Retention(self.rules.keep, self.rules.limit, self.program.name)
        self._journal = Journal(self.path, self.program, self._name, retention)

    def _recover(self) -> Recovery:
        created = create_or_check(self.path)
        try:
            self._journal.begin()
            made = connect(self.path)
            try:
                return recover(made, self._journal, self.path, created)
            finally:
                made.close()
                self._journal.close()
        except REFUSALS as error:
            raise trouble(self.path, error) from error

    # Putting -----------------------------------------------------------------------------------

    def put(self, entry: Entry) -> None:
        """Take a call.  Returns at once, unless the policy is `wait` and the queue is full."""
        with self._lock:
            if self._closed:
                raise LedgerError(f"{self.path} is closed")
            if self._held >= self.bound or self._spill is not None or self._bytes >= BOUND_BYTES:
                self._beyond(entry)
            else:
                self._append(entry)
            if self._idle:
                self._changed.notify_all()
            elif self._thread is None:
                self._start()

    def _append(self, entry: Entry) -> None:
        self._queue.append(entry)
        self._held += 1
        self._bytes += len(entry.call)
        self._accepted += 1

    def _beyond(self, entry: Entry) -> None:
        """A call that the queue has no room for; the lock is held."""
        if self.overflow == "wait" and self._wait_for_room():
            self._append(entry)
        elif self.overflow == "spill" and self._append_to_spill(entry):
            self._accepted += 1
        else:
            self._dropped += 1

    @property
    def full(self) -> bool:
        """Whether a call put now would have to wait; never while the disk refuses, which may not end."""
        return (self._held >= self.bound or self._bytes >= BOUND_BYTES) and self._refusal is None

    def _wait_for_room(self) -> bool:
        """Wait until there is room; False if none can be hoped for."""
        while self._held >= self.bound or self._bytes >= BOUND_BYTES:
            if not self.full or self._closed:
                return False
            if self._thread is None:
                self._start()
            self._hurry.set()
            self._changed.wait(0.05)
        return True

    def _append_to_spill(self, entry: Entry) -> bool:
        try:
            if self._spill is None:
                self._spills += 1
                self._spill = Spill.create(f"{self.path}.spill-{self._name}-{self._spills}")
                self._spilled_to = 0
            self._spill.append(self._row(entry, time.time()))
        except (OSError, Unfit) as error:
            if not self._spill_refused:  # once for each time that it begins
                log.error("calls cannot be written beside the ledger %s: %s", self.path, error)
            self._spill_refused = True
            return False
        self._spill_refused = False
        self._spilled += 1
        return True

    def _row(self, entry: Entry, now: float) -> Row:
        return make_row(entry, self.rules, self.program.digest, now)

    # Waiting -----------------------------------------------------------------------------------

    def flush_sync(self, timeout: float | None = None) -> None:
        """Return when everything put so far is durable.

        Raises LedgerError if the disk refuses or the time (in seconds) is over: calls that wait are held
        and tried again, lost ones are counted in the error and in `counts`.
        """
        end = None if timeout is None else time.monotonic() + timeout
        with self._lock:
            target, refusals, failed = self._accepted, self._refusals, self._failed
            self._wanted = max(self._wanted, target)
            while self._durable + self._failed < target:
                self._push()
                left = None if end is None else end - time.monotonic()
                if self._refusals != refusals or self._closed:
                    raise self._error(self._reason())
                if left is not None and left <= 0:
                    raise self._error(f"not durable within {timeout:g} s")
                self._changed.wait(left)
            if self._failed != failed:
                raise self._error("calls could not be stored")

    def _push(self) -> None:
        """Have the thread write now."""
        if self._thread is None:
            self._start()
        self._hurry.set()
        if self._idle:
            self._changed.notify_all()

    def close(self) -> None:
        """Write what is left and let go of the file.  Raises LedgerError if calls are not durable then."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._hurry.set()
            self._changed.notify_all()
        _LIVE.discard(self)
        if self._thread is not None and self._thread.is_alive():
            self._thread.join()
        else:
            self._write_or_note()
        self._finish()

    def _finish(self) -> None:
        """The thread has ended: keep what it could not write, and enter the end of this run."""
        with self._lock:
            self._rescue()
            with suppress(*REFUSALS):
                self._journal.end(self._dropped, self._failed)
            self._journal.close()
            if self._spill is not None:
                self._spill.close(remove=False)
            self._changed.notify_all()
            if self._durable < self._accepted:
                raise self._error(self._reason())

    def _rescue(self) -> None:
        """Calls that the database refused go into a spill file; if that is refused too they are lost."""
        for entry in (*self._batch, *self._queue):
            if not self._append_to_spill(entry):
                self._failed += 1
        self._batch.clear()
        self._queue.clear()
        self._held = self._bytes = 0
        if self._spill is not None:
            with suppress(OSError):
                self._spill.sync()

    def _reason(self) -> str:
        if self._refusal is None:
            return "it was closed"
        return str(trouble(self.path, self._refusal)).removeprefix(f"{self.path}: ")

    def _error(self, reason: str) -> LedgerError:
        waiting = self._accepted - self._durable - self._failed
        held = "wait and are tried again"
        if self._closed:
            held = "lie beside it and are taken in at the next start"
        return LedgerError(
            f"{self.path}: {reason}; {waiting:,} calls {held}, {self._failed + self._dropped:,} are lost",
            waiting,
            self._failed + self._dropped,
        )

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Writing -----------------------------------------------------------------------------------

    def _start(self) -> None:
        """Start the thread; at the very end of the interpreter there is none, and `close` writes itself."""
        with suppress(RuntimeError):
            self._thread = Thread(target=self._work, name="pactlang-ledger", daemon=True)
            self._thread.start()
        _at_end_of_child(self)

    def _work(self) -> None:
        while True:
            self._wait_for_calls()
            self._write_or_note()
            with self._lock:
                if self._closed:
                    return
                if self._refusal is not None:
                    self._changed.wait(BACKOFF[min(self._refusals, len(BACKOFF)) - 1])

    def _wait_for_calls(self) -> None:
        with self._lock:
            if not (self._held or self._spill or self._closed):
                self._idle = True
                self._changed.wait(IDLE)
                self._idle = False
            urgent = self._closed or self._wanted > self._durable + self._failed
        if not urgent:
            self._hurry.wait(self.group)
        self._hurry.clear()

    def _write_or_note(self) -> None:
        """Write all there is; if the disk refuses, note it and wake those who wait."""
        try:
            self._write_all()
        except Exception as error:  # whatever it is, those who wait must learn of it
            with self._lock:
                if self._refusal is None or not isinstance(error, REFUSALS):
                    log.error("the ledger %s refuses calls: %s", self.path, error)
                self._refusal = error
                self._refusals += 1
                self._changed.notify_all()
        else:
            self._refusal = None

    def _write_all(self) -> None:
        while self._take_over():
            while self._batch:
                self._write_group()
        while self._spill is not None and self._write_spilled(self._spill):
            pass
        while self._journal.retain() and not (self._held or self._closed):
            pass

    def _take_over(self) -> bool:
        """Make what was put the batch to write; True if there is one."""
        if not self._batch:
            with self._lock:
                self._batch, self._queue = self._queue, self._batch
        return bool(self._batch)

    def _write_group(self) -> None:
        """One commit: the first calls of the batch."""
        rows: list[Row] = []
        taken = size = unfit = 0
        now = time.time()
        for entry in self._batch:
            if taken >= GROUP or size >= GROUP_BYTES:
                break
            taken += 1
            size += len(entry.call)
            try:
                rows.append(self._row(entry, now))
            except (Unfit, ValueError, TypeError, AttributeError) as error:
                unfit += 1
                log.error("a call cannot be stored: %s", error)
        self._journal.commit(rows, None, self._dropped, self._failed + unfit)
        for _ in range(taken):
            self._batch.popleft()
        self._done(len(rows), unfit, taken, size)

    def _write_spilled(self, spill: Spill) -> bool:
        """One commit from the spill file; False when it is through and the queue takes over again."""
        taken = spill.read(self._spilled_to)
        if taken.rows:
            self._journal.commit(taken.rows, (spill.name, taken.offset), self._dropped, self._failed)
            self._spilled_to = taken.offset
            self._done(len(taken.rows), 0, 0, 0)
            return True
        with self._lock:
            if taken.offset < spill.size and spill.read(taken.offset).rows:
                return True
            self._spill = None
            waiting = self._accepted - self._durable - self._failed - self._held
            lost = waiting if taken.offset < spill.size else 0  # frames that the disk gave back damaged
            self._failed += lost
        spill.close(remove=not lost)
        self._journal.forget(spill.name)
        return False

    def _done(self, durable: int, failed: int, left: int, size: int) -> None:
        with self._lock:
            self._durable += durable
            self._failed += failed
            self._held -= left
            self._bytes -= size
            self._changed.notify_all()

    # Knowing -----------------------------------------------------------------------------------

    @property
    def counts(self) -> Counts:
        """What became of the calls put so far."""
        with self._lock:
            waiting = self._accepted - self._durable - self._failed
            return Counts(
                self._accepted, self._durable, self._dropped, self._spilled, self._failed, waiting,
                self._journal.commits,
            )  # fmt: skip

    @property
    def run(self) -> str:
        """The name under which this process writes."""
        return self._name

    @staticmethod
    def open_read(path: str | os.PathLike[str]) -> Reader:
        """A ledger to read from; nothing about the file changes.  LedgerError if it is none."""
        return Reader(path)

    def entries(self, **chosen: Any) -> Iterator[StoredEntry]:
        """The calls that are durable; see `Reader.entries`."""
        return Reader(self.path).entries(**chosen)

    def count(self, **chosen: Any) -> int:
        """How many calls are durable; see `Reader.entries`."""
        return Reader(self.path).count(**chosen)

    def export(self, out: BinaryIO, **chosen: Any) -> int:
        """The durable calls as lines of JSON; see `Reader.export`."""
        return Reader(self.path).export(out, **chosen)

    def segments(self) -> tuple[Segment, ...]:
        """The captures that are durable, as runs without a gap."""
        return Reader(self.path).segments()

    def verify(self) -> VerifyReport:
        """Recompute every chain."""
        return Reader(self.path).verify()


# Ends and forks --------------------------------------------------------------------------------


def _close(ledger: Ledger) -> None:
    """Close at the end of a process; a loss is reported, for nobody is left to catch it."""
    try:
        ledger.close()
    except LedgerError as error:
        log.error("%s", error)


def _close_all() -> None:
    for ledger in list(_LIVE):
        _close(ledger)


def _close_weakly(held: weakref.ref[Ledger]) -> None:
    ledger = held()
    if ledger is not None:
        _close(ledger)


def _at_end_of_child(ledger: Ledger) -> None:
    """A child of `multiprocessing` ends without `atexit`; it has finalizers of its own."""
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.Finalize(None, _close_weakly, args=(weakref.ref(ledger),), exitpriority=0)


def _after_fork() -> None:
    for ledger in list(_LIVE):
        _ABANDONED.append(ledger._journal.abandon())
        if ledger._spill is not None:
            with suppress(OSError):
                os.close(ledger._spill.file)
        ledger._begin()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_after_fork)
