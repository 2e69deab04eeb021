"""The file of a ledger: its tables, and connections to it.

In: a path.  Out: `sqlite3` connections, or a `LedgerError` that says what is wrong with the file.

    SQLite, WAL, synchronous FULL: a commit is durable when it returns, with one fsync.

        runs        one process that has written here, and how it ended
        writers     one chain of captures: how many calls, the last digest
        pacts       the artifacts that judged the calls
        calls       one row per call, in the order of commits
        marks       which calls violated a clause (1) or left it unknown (3)
        tombstones  a stretch of a chain that retention removed: the digests before and after it
        spills      how far files beside the ledger have been taken in
        states      writers whose pact remembers, and how far a file beside the ledger holds their memory
"""

from __future__ import annotations

import os
import sqlite3
import struct
from contextlib import suppress
from urllib.parse import quote

from pactlang.errors import LedgerError

APPLICATION = 0x50414354  # "PACT", where SQLite keeps an application's mark
VERSION = 2  # 1 has no table `states`, and holds calls only
BUSY_MS = 10_000  # how long a writer waits for another process's commit
PAGE = 16_384  # bytes: several calls of a usual size per page
CACHE_KIB = 16_384
NO_ENTRY = ("unable to open", "readonly")  # what SQLite says of files that it may not make
LITTLE = 256 << 10  # bytes free on a file system that is as good as full
MAGIC = b"SQLite format 3\0"

STATES = """CREATE TABLE states (writer TEXT PRIMARY KEY, pact TEXT NOT NULL, run TEXT NOT NULL,
    covered INTEGER NOT NULL) WITHOUT ROWID"""
TABLES = f"""
CREATE TABLE runs (run TEXT PRIMARY KEY, pid INTEGER NOT NULL, host TEXT NOT NULL, birth TEXT NOT NULL,
    started REAL NOT NULL, ended TEXT, dropped INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0);
CREATE TABLE writers (id INTEGER PRIMARY KEY, writer TEXT NOT NULL UNIQUE, run TEXT NOT NULL,
    calls INTEGER NOT NULL, removed INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    digest BLOB NOT NULL);
CREATE TABLE pacts (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    version TEXT NOT NULL, program BLOB NOT NULL);
CREATE TABLE calls (id INTEGER PRIMARY KEY, writer INTEGER NOT NULL, number INTEGER NOT NULL, session TEXT,
    seq INTEGER, time REAL, stored REAL NOT NULL, pact INTEGER NOT NULL, said TEXT NOT NULL,
    call TEXT NOT NULL, withheld TEXT, digest BLOB NOT NULL);
CREATE INDEX calls_writer ON calls (writer);
CREATE INDEX calls_session ON calls (session) WHERE session IS NOT NULL;
CREATE INDEX calls_time ON calls (coalesce(time, stored));
CREATE TABLE marks (clause TEXT NOT NULL, outcome INTEGER NOT NULL, call INTEGER NOT NULL,
    PRIMARY KEY (clause, outcome, call)) WITHOUT ROWID;
CREATE TABLE tombstones (writer INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    calls INTEGER NOT NULL, before BLOB NOT NULL, after BLOB NOT NULL, removed REAL NOT NULL,
    PRIMARY KEY (writer, first)) WITHOUT ROWID;
CREATE TABLE spills (name TEXT PRIMARY KEY, taken INTEGER NOT NULL);
{STATES};
CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), next INTEGER NOT NULL);
INSERT INTO state VALUES (1, 1);
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
"""


def connect(path: str, create: bool = False) -> sqlite3.Connection:
    """A connection that writes; transactions are begun by hand."""
    uri = f"file:{quote(os.path.abspath(path))}?mode={'rwc' if create else 'rw'}"
    made = sqlite3.connect(
        uri, uri=True, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False
    )
    try:
        made.execute("PRAGMA synchronous = FULL")
        made.execute("PRAGMA secure_delete = ON")
        made.execute("PRAGMA wal_autocheckpoint = 0")
        made.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    except sqlite3.Error:
        made.close()
        raise
    return made


def connect_reading(path: str) -> sqlite3.Connection:
    """A connection that cannot write.

    In a folder that cannot be written either, it sees the file alone, if nothing waits in a log beside it.
    """
    uri = f"file:{quote(os.path.abspath(path))}?mode=ro"
    for also in ("", "&immutable=1"):
        made = sqlite3.connect(uri + also, uri=True, timeout=BUSY_MS / 1000, isolation_level=None)
        try:
            made.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except sqlite3.OperationalError as error:
            made.close()
            if also or _has_log(path) or not any(word in str(error) for word in NO_ENTRY):
                raise
        else:
            return made
    raise AssertionError("one of the two connects or raises")


def create_or_check(path: str) -> bool:
    """Make the file a ledger if there is none; True if it was made.  LedgerError if it is something else."""
    look(path)
    try:
        made = connect(path, create=True)
        try:
            return _prepare(made, path)
        finally:
            made.close()
    except sqlite3.Error as error:
        raise trouble(path, error) from error


def _prepare(made: sqlite3.Connection, path: str) -> bool:
    if made.execute("PRAGMA user_version").fetchone()[0]:
        check(made, path)
        _renew(made)
        return False
    made.execute(f"PRAGMA page_size = {PAGE}")
    made.execute("PRAGMA auto_vacuum = INCREMENTAL")
    made.execute("PRAGMA journal_mode = WAL")
    made.execute("BEGIN IMMEDIATE")
    if made.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        made.execute("ROLLBACK")  # another process was quicker, or it is not ours at all
        check(made, path)
        return False
    for statement in TABLES.split(";\n"):
        made.execute(statement)
    made.execute("COMMIT")
    return True


def _renew(made: sqlite3.Connection) -> None:
    """Make a ledger of format 1 one of format 2."""
    if made.execute("PRAGMA user_version").fetchone()[0] == VERSION:
        return
    made.execute("BEGIN IMMEDIATE")
    if made.execute("PRAGMA user_version").fetchone()[0] != VERSION:
        made.execute(STATES)
        made.execute(f"PRAGMA user_version = {VERSION}")
    made.execute("COMMIT")


def check(made: sqlite3.Connection, path: str) -> None:
    """Raise LedgerError if the database is no ledger, or one of a version that is not known here."""
    mark = made.execute("PRAGMA application_id").fetchone()[0]
    version = made.execute("PRAGMA user_version").fetchone()[0]
    if mark != APPLICATION:
        raise LedgerError(f"{path} is an SQLite database, but no ledger")
    if not 1 <= version <= VERSION:
        raise LedgerError(
            f"{path} was written by a newer version of pactlang (format {version}); "
            f"this one reads format {VERSION}"
        )


def is_database(path: str) -> bool:
    """Whether a file begins as SQLite files do."""
    try:
        with open(path, "rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def look(path: str) -> None:
    """Raise LedgerError if there is a file and its first page shows that it cannot be a whole ledger."""
    try:
        with open(path, "rb") as file:
            head, size = file.read(100), os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        return
    except OSError as error:
        raise LedgerError(f"cannot open {path}: {_lower(error.strerror)}") from error
    if not head:
        return
    if not head.startswith(MAGIC[: len(head)]):
        raise LedgerError(f"{path} is no ledger: it is not an SQLite database")
    if len(head) < 100 or (size < _promised(head) and not _has_log(path)):
        raise LedgerError(f"{path} is cut short: {size:,} bytes of {_promised(head):,} are there")


def _promised(head: bytes) -> int:
    """How long the file's header says it is, in bytes."""
    if len(head) < 100:
        return 100
    page, pages = struct.unpack_from(">H", head, 16)[0], struct.unpack_from(">I", head, 28)[0]
    return int(pages) * (65536 if page == 1 else int(page))


def _has_log(path: str) -> bool:
    with suppress(OSError):
        return os.path.getsize(path + "-wal") > 0
    return False


def trouble(path: str, error: BaseException, waiting: int = 0, lost: int = 0) -> LedgerError:
    """An error of SQLite or of the system, as one that a person understands."""
    if isinstance(error, LedgerError):
        return error
    reason = _lower(error.strerror if isinstance(error, OSError) and error.strerror else str(error))
    if "disk I/O" in reason and _is_full(path):
        reason = "no space left on device"
    word = "damaged: " if isinstance(error, sqlite3.DatabaseError) and "malformed" in reason else ""
    return LedgerError(f"{path}: {word}{reason}", waiting, lost)


def _is_full(path: str) -> bool:
    with suppress(OSError):
        system = os.statvfs(os.path.dirname(os.path.abspath(path)))
        return system.f_bavail * system.f_frsize < LITTLE
    return False


def _lower(reason: str | None) -> str:
    return reason[:1].lower() + reason[1:] if reason else "unknown reason"
