"""One process's hold on a ledger's file: transactions, checkpoints, and its entry in the table `runs`.

In: rows.  Out: commits.  Used by one thread at a time; a failure closes the connection, and the next
call opens a new one.
"""

from __future__ import annotations

import os
import sqlite3
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import RLock

from pactlang.ledger.file import connect
from pactlang.ledger.retain import Retention
from pactlang.ledger.rows import Row, is_stored, write
from pactlang.program import Program

LARGEST_LOG = 32 << 20  # bytes of write-ahead log after which it is copied into the file


class Journal:
    """Writes to one ledger under the name of one run.  `commits`: transactions of calls made durable."""

    def __init__(self, path: str, program: Program, run: str, retention: Retention) -> None:
        self.path = path
        self.program = program
        self.run = run
        self.retention = retention
        self.commits = 0
        self._made: sqlite3.Connection | None = None
        self._logged = (0, 0)
        self._entered = False
        self._in_doubt = False  # a commit has failed, and may yet have reached the disk
        self._gone: list[tuple[str]] = []
        self.still = RLock()  # held while a lock on the file is held, and by who forks
        _JOURNALS.add(self)

    def begin(self) -> None:
        """Enter this run and its pact.  Raises sqlite3.Error."""

        self._transaction(lambda made: None)

    def _enter(self, made: sqlite3.Connection) -> None:
        made.execute(
            "INSERT OR IGNORE INTO runs (run, pid, host, birth, started) VALUES (?,?,?,?,?)",
            (self.run, os.getpid(), host(), birth(os.getpid()), time.time()),
        )
        pact = self.program
        made.execute(
            "INSERT OR IGNORE INTO pacts (digest, name, version, program) VALUES (?,?,?,?)",
            (pact.digest, pact.name, pact.version, pact.to_bytes()),
        )

    def commit(self, rows: Sequence[Row], taken: tuple[str, int] | None, dropped: int, failed: int) -> None:
        """Make rows durable.  `taken`: this run's spill file and how far these rows go into it."""

        def add(made: sqlite3.Connection) -> None:
            if not (self._in_doubt and rows and is_stored(made, rows[-1])):
                write(made, rows, self.run)
            _note_taken(made, taken)
            self._lose(made, dropped, failed)

        self._transaction(add)
        self._logged = (dropped, failed)
        self.commits += 1
        self._checkpoint()

    def adopt(self, rows: Sequence[Row], taken: tuple[str, int], run: str) -> None:
        """Make rows durable that another run has left in a spill file."""

        def add(made: sqlite3.Connection) -> None:
            write(made, rows, run)
            _note_taken(made, taken)

        self._transaction(add)
        self._checkpoint()

    def taken(self, name: str) -> int:
        """How far a spill file has been taken in."""
        held = self._open().execute("SELECT taken FROM spills WHERE name = ?", (name,)).fetchone()
        return held[0] if held else 0

    def forget(self, name: str) -> None:
        """A spill file is gone; the next transaction says so."""
        self._gone.append((name,))

    def retain(self) -> bool:
        """Remove a slice of what may no longer be kept; True if there may be more."""
        if not self.retention.due:
            return False
        more = False

        def remove(made: sqlite3.Connection) -> None:
            nonlocal more
            more = self.retention.remove(made)

        self._transaction(remove)
        if not more:
            with self.still:
                self.retention.shrink(self._open())
        self._checkpoint()
        return more

    def end(self, dropped: int, failed: int) -> None:
        """Enter that this run has closed the ledger."""

        def leave(made: sqlite3.Connection) -> None:
            self._lose(made, dropped, failed)
            made.execute("UPDATE runs SET ended = 'closed' WHERE run = ?", (self.run,))

        self._transaction(leave)

    def close(self) -> None:
        """Let go of the file; a later call opens it anew."""
        made, self._made = self._made, None
        if made is not None:
            with suppress(sqlite3.Error):
                made.close()

    def abandon(self) -> sqlite3.Connection | None:
        """The connection, never to be touched again: it belongs to the process before a fork."""
        made, self._made = self._made, None
        return made

    def _open(self) -> sqlite3.Connection:
        if self._made is None:
            self._made = connect(self.path)
        return self._made

    def _transaction(self, work: Callable[[sqlite3.Connection], None]) -> None:
        with self.still:
            self._transact(work)

    def _transact(self, work: Callable[[sqlite3.Connection], None]) -> None:
        try:
            made = self._open()
            made.execute("BEGIN IMMEDIATE")
            if not self._entered:
                self._enter(made)
            made.executemany("DELETE FROM spills WHERE name = ?", self._gone)
            work(made)
            made.execute("COMMIT")
        except BaseException:
            self._in_doubt = True
            self._abort()
            raise
        self._entered, self._in_doubt = True, False
        self._gone.clear()

    def _abort(self) -> None:
        if self._made is not None and self._made.in_transaction:
            with suppress(sqlite3.Error):
                self._made.execute("ROLLBACK")
        self.close()

    def _lose(self, made: sqlite3.Connection, dropped: int, failed: int) -> None:
        if (dropped, failed) != self._logged:
            made.execute("UPDATE runs SET dropped = ?, failed = ? WHERE run = ?", (dropped, failed, self.run))

    def _checkpoint(self) -> None:
        """Copy a long log into the file.  What is in the log is durable already, so a failure waits."""
        with self.still, suppress(OSError, sqlite3.Error):
            if os.path.getsize(self.path + "-wal") > LARGEST_LOG:
                self._open().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()


# SQLite keeps the locks of a process in its memory: a child that is forked inside a transaction would
# find the file locked, for ever, by a connection that it does not have.  So who forks waits for its end.
_JOURNALS: weakref.WeakSet[Journal] = weakref.WeakSet()
_STILL: list[Journal] = []
_FORKING = RLock()  # one fork at a time: guards _STILL


def _before_fork() -> None:
    _FORKING.acquire()
    _STILL[:] = list(_JOURNALS)
    for journal in _STILL:
        journal.still.acquire()


def _after_fork() -> None:
    for journal in _STILL:
        journal.still.release()
    _STILL.clear()
    _FORKING.release()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)


def _note_taken(made: sqlite3.Connection, taken: tuple[str, int] | None) -> None:
    if taken is not None:
        made.execute("INSERT OR REPLACE INTO spills VALUES (?, ?)", taken)


def host() -> str:
    """The name of this machine."""
    return os.uname().nodename


def birth(pid: int) -> str:
    """When a process began, as the kernel tells it; "" where it does not: tells a process from a later one
    with its number."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return ""


def is_alive(pid: int, born: str) -> bool:
    """Whether the process with this number is still the one that began then."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return birth(pid) == born
