"""The table `states`: which writers have a memory, and how much of what they stored a file beside the ledger
holds of it.

In: connections and names of writers.  Out: rows, and the entries that no such file covers.

A file is that of a writer: PATH.state-WRITER.  Its owner holds a lock on it, as on a spill file.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from heapq import merge
from operator import attrgetter
from typing import NamedTuple

from pactlang.ledger.entry import StoredEntry
from pactlang.ledger.file import connect
from pactlang.ledger.journal import host, is_alive
from pactlang.ledger.read import SELECT, entry_of


class Memory(NamedTuple):
    """A writer whose pact remembers.  covered: the last capture that its file holds, -1 for none.  gone: its
    process has ended, as far as the table knows."""

    writer: str
    covered: int
    gone: bool


def memories(path: str, pact: str) -> list[Memory]:
    """The memories of a pact, by its name."""
    with closing(connect(path)) as made:
        rows = made.execute(
            "SELECT s.writer, s.covered, s.run, r.pid, r.host, r.birth, r.ended FROM states s "
            "LEFT JOIN runs r ON r.run = s.run WHERE s.pact = ? ORDER BY s.writer",
            (pact,),
        ).fetchall()
    return [Memory(writer, covered, _is_gone(*run)) for writer, covered, *run in rows]


def writers(path: str) -> list[str]:
    """All writers that have a memory."""
    with closing(connect(path)) as made:
        return [row[0] for row in made.execute("SELECT writer FROM states")]


def _is_gone(run: str, pid: int | None, place: str | None, birth: str | None, ended: str | None) -> bool:
    if not run or pid is None or ended is not None or place != host():
        return True
    return not is_alive(pid, birth or "")


def succeed(path: str, pact: str, writer: str, run: str, former: Sequence[str]) -> bool:
    """Enter a memory that has taken over others, which are no more.

    False, and nothing is done, if one of them was taken by somebody else.
    """
    with closing(connect(path)) as made:
        made.execute("BEGIN IMMEDIATE")
        for name in former:
            if made.execute("DELETE FROM states WHERE writer = ?", (name,)).rowcount != 1:
                made.execute("ROLLBACK")
                return False
        made.execute("INSERT OR REPLACE INTO states VALUES (?, ?, ?, -1)", (writer, pact, run))
        made.execute("COMMIT")
    return True


def cover(path: str, writer: str, number: int, closed: bool) -> None:
    """A writer's file holds everything up to a capture; closed: nothing will come any more."""
    with closing(connect(path)) as made:
        made.execute(
            "UPDATE states SET covered = ?, run = iif(?, '', run) WHERE writer = ?", (number, closed, writer)
        )


def link_at(path: str, writer: str, number: int) -> bytes | None:
    """The link of a writer's chain after the last entry up to a capture; None if there is none, or none any
    more."""
    with closing(connect(path)) as made:
        found = _last(made, writer, number)
    return None if found is None else found[1]


def _last(made: sqlite3.Connection, writer: str, number: int) -> tuple[int, bytes] | None:
    """id and link of the last entry of a writer up to a capture."""
    found: tuple[int, bytes] | None = made.execute(
        "SELECT c.id, c.digest FROM calls c WHERE c.writer = "
        "(SELECT id FROM writers WHERE writer = ?) AND c.number <= ? ORDER BY c.id DESC LIMIT 1",
        (writer, number),
    ).fetchone()
    return found


def storers(path: str) -> list[str]:
    """All writers that have stored anything, whether or not it is still there."""
    with closing(connect(path)) as made:
        return [row[0] for row in made.execute("SELECT writer FROM writers")]


def highest(path: str, writer: str) -> int:
    """The last capture that a writer has stored, whether or not it is still there; -1 for none."""
    with closing(connect(path)) as made:
        found = made.execute("SELECT last FROM writers WHERE writer = ?", (writer,)).fetchone()
    return -1 if found is None else int(found[0])


def was_cut(path: str, writers: Sequence[str]) -> bool:
    """Whether retention has removed calls of some of these writers."""
    with closing(connect(path)) as made:
        rows = made.execute("SELECT writer FROM writers WHERE removed > 0").fetchall()
    return not {row[0] for row in rows}.isdisjoint(writers)


def writers_of(path: str, pact: str) -> list[str]:
    """Who has stored calls that a pact of this name judged."""
    with closing(connect(path)) as made:
        rows = made.execute(
            "SELECT writer FROM writers WHERE id IN (SELECT DISTINCT writer FROM calls WHERE pact IN "
            "(SELECT id FROM pacts WHERE name = ?))",
            (pact,),
        ).fetchall()
    return [row[0] for row in rows]


def entries_after(path: str, covered: dict[str, int]) -> Iterator[StoredEntry]:
    """What writers have stored after a capture of each, in the order of commits."""
    with closing(connect(path)) as made:
        made.execute("BEGIN")
        yield from merge(*(_after(made, *one) for one in covered.items()), key=attrgetter("id"))


def _after(made: sqlite3.Connection, writer: str, number: int) -> Iterator[StoredEntry]:
    last = _last(made, writer, number)
    question = f"{SELECT} WHERE w.writer = ? AND c.id > ? ORDER BY c.id"
    for row in made.execute(question, (writer, last[0] if last else 0)):
        yield entry_of(row)


class Strangers:
    """Looks for sessions of a pact in what others have stored."""

    def __init__(self, path: str, pact: str) -> None:
        self.pact = pact
        self.made = connect(path)

    def last(self, session: str) -> int | None:
        """The highest number of a session; None if nobody has stored calls of it."""
        found = self.made.execute(
            "SELECT max(coalesce(seq, 0)) FROM calls WHERE session = ? AND pact IN "
            "(SELECT id FROM pacts WHERE name = ?)",
            (session, self.pact),
        ).fetchone()
        return None if found is None else found[0]


def file_of(path: str, writer: str) -> str:
    """The file that holds a writer's memory."""
    return f"{os.fspath(path)}.state-{writer}"
