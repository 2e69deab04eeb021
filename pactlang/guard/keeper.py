"""The memory of a guard, kept beside its ledger.

In: the monitor of a `Recall`, and the ledger that its entries go into.  Out: a file that holds all up to some
entry, and at the next start a monitor that goes on from it.

    PATH.state-WRITER: "PACTKEEP", SHA-256 of the rest, msgpack of `Held`.

The file is written by a thread of its own, put into its place in one step, and only when all that it holds
is durable in the ledger.  Its owner holds a lock on it (`flock`), which ends with the process: who starts
takes over what ended processes have left, feeds what they stored since, and writes it as its own before
theirs is removed.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import stat
import threading
import time
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from pactlang.errors import LedgerError
from pactlang.ledger import Ledger, states

if TYPE_CHECKING:
    from pactlang.guard.recall import Recall

MAGIC = b"PACTKEEP"
EVERY = 10.0  # seconds between two savings, if something was stored
MANY = 50_000  # entries after which it is saved at once
REST = 20  # times as long as a saving took, nothing is saved
PATIENCE = 60.0  # seconds for the ledger to make durable what is to be saved
log = logging.getLogger("pactlang.guard")


class Held(Struct, frozen=True, array_like=True):
    """What a file holds.  number: the last capture in it, -1 for none; link: of the writer's chain after it;
    numbers: of sessions the next ones; forgotten: a filter of those that have none any more, and its key."""

    version: int
    pact: str
    writer: str
    number: int
    link: bytes
    state: bytes
    numbers: dict[str, int]
    forgotten: bytes
    key: bytes


class Lock:
    """A file that is open and locked by this process; the lock is on the file, not on its name."""

    def __init__(self, file: int) -> None:
        self.file = file

    @classmethod
    def take(cls, path: str) -> Lock | None:
        """The lock on a file that nobody holds; None while its owner lives.  FileNotFoundError."""
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = os.fstat(file)
            if found.st_nlink and stat.S_ISREG(found.st_mode):  # to read a pipe would be to wait for ever
                return cls(file)
        except OSError:
            pass
        os.close(file)
        return None

    @classmethod
    def write(cls, path: str, data: bytes) -> Lock:
        """Put a file into its place in one step, durable, and locked before it is there."""
        made = f"{path}.new"
        file = os.open(made, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            with open(file, "wb", closefd=False) as out:
                out.write(data)
            os.fsync(file)
            os.replace(made, path)
        except BaseException:
            os.close(file)
            with suppress(OSError):
                os.unlink(made)
            raise
        _sync_folder(path)
        return cls(file)

    def read(self) -> bytes:
        """All that is in it."""
        with open(self.file, "rb", closefd=False) as file:
            file.seek(0)
            return file.read()

    def close(self) -> None:
        """Let go of it."""
        file, self.file = self.file, -1
        if file >= 0:
            with suppress(OSError):
                os.close(file)


def _sync_folder(path: str) -> None:
    folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def sealed(held: Held) -> bytes:
    """A file's bytes."""
    body = msgspec.msgpack.encode(held)
    return MAGIC + sha256(body).digest() + body


def opened(data: bytes) -> Held:
    """What a file holds; ValueError for what is none, or is damaged."""
    body = data[len(MAGIC) + 32 :]
    if data[: len(MAGIC)] != MAGIC or sha256(body).digest() != data[len(MAGIC) : len(MAGIC) + 32]:
        raise ValueError("it is no saved memory, or was changed or cut short")
    try:
        held = msgspec.msgpack.decode(body, type=Held)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    if held.version != 1:
        raise ValueError(f"version {held.version} is not known here")
    return held


class Keeper:
    """Saves the memory of one guard.  `shared`: other processes have memories of the pact beside this one."""

    def __init__(self, books: Recall, ledger: Ledger) -> None:
        self.books, self.ledger = books, ledger
        self.pact = books.program.name
        self.shared = False
        self.lock: Lock | None = None
        self.strangers: states.Strangers | None = None
        self._begin()

    def _begin(self) -> None:
        self.wake = threading.Event()
        self.saving = threading.Lock()
        self.thread: threading.Thread | None = None
        self.saved = -1  # the last capture that the file holds
        self.next = MANY
        self.closed = False

    def after_fork(self) -> None:
        """In a child: the file, its lock and the connection are the parent's."""
        if self.lock is not None:
            self.lock.close()
        self.lock, self.strangers, self.shared = None, None, True
        self._begin()

    @property
    def path(self) -> str:
        return states.file_of(self.ledger.path, self.books.writer)

    # Saving -----------------------------------------------------------------------------------------

    def enter(self, former: list[str]) -> bool:
        """Enter this writer in the ledger, in the place of others; False if somebody else has taken one."""
        return states.succeed(self.ledger.path, self.pact, self.books.writer, self.ledger.run, former)

    def enter_child(self) -> None:
        """Enter a writer that begins with nothing."""
        with suppress(sqlite3.Error):
            self.enter([])

    def note(self, number: int) -> None:
        """An entry was stored; save soon if there are many."""
        if self.thread is None:
            self._start()
        if number >= self.next:
            self.next = number + MANY
            self.wake.set()

    def _start(self) -> None:
        with suppress(RuntimeError):  # at the end of the interpreter `close` saves
            self.thread = threading.Thread(target=self._work, name="pactlang-guard-memory", daemon=True)
            self.thread.start()

    def _work(self) -> None:
        pause, wake = EVERY, self.wake
        while not self.closed:
            wake.wait(pause)
            wake.clear()
            if not self.closed and self.books.number - 1 > self.saved:
                begun = time.monotonic()
                self.save()
                pause = max(EVERY, REST * (time.monotonic() - begun))

    def save(self, closing: bool = False) -> None:
        """Save what the guard remembers now; what goes wrong is told in the log, and tried again later."""
        with self.saving:
            try:
                held = self.books.at_rest(self.held)
                self.ledger.flush_sync(PATIENCE)
                self.put(held, closing)
                self.look_around()
            except (OSError, sqlite3.Error, LedgerError, ValueError) as error:
                log.error(
                    "the memory of %s cannot be saved beside %s: %s", self.pact, self.ledger.path, error
                )

    def held(self) -> Held:
        """What there is to save, but for the link; nobody feeds the monitor meanwhile."""
        books = self.books
        numbers, forgotten, key = books.numbers.saved()
        state = books.memory().snapshot()
        return Held(1, self.pact, books.writer, books.number - 1, b"", state, numbers, forgotten, key)

    def put(self, held: Held, closing: bool = False) -> None:
        """Write the file, and enter how far it goes.  All up to there is durable."""
        link = states.link_at(self.ledger.path, held.writer, held.number) or b""
        former, self.lock = self.lock, Lock.write(self.path, sealed(msgspec.structs.replace(held, link=link)))
        if former is not None:
            former.close()
        states.cover(self.ledger.path, held.writer, held.number, closing)
        self.saved = held.number

    def close(self) -> None:
        """Save for the last time, and let go of the file."""
        self.closed = True
        self.wake.set()
        self.save(closing=True)
        if self.lock is not None:
            self.lock.close()
        self.lock = None

    # Others -----------------------------------------------------------------------------------------

    def look_around(self) -> None:
        """See whether others have memories of this pact, too."""
        others = states.memories(self.ledger.path, self.pact)
        self.shared = self.shared or any(each.writer != self.books.writer for each in others)

    def last_of(self, session: str) -> int | None:
        """The number of the last call of a session that is new here; None if it is new everywhere."""
        if not self.shared:
            return None
        try:
            if self.strangers is None:
                self.strangers = states.Strangers(self.ledger.path, self.pact)
            return self.strangers.last(session)
        except sqlite3.Error:
            return None
