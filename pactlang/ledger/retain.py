"""Retention: calls that are too old or too many leave the ledger, and their chain stays whole.

In: the bounds of `store`, an open transaction.  Out: rows removed, in slices, and tombstones.

A tombstone stands for a stretch of one writer's chain: the digest before it and the digest after it, so
what is left can be verified across it.  Age is counted from a call's own time, or from the moment it was
stored where it has none, by a clock that cannot jump while the process runs.
"""

from __future__ import annotations

import sqlite3
import time
from bisect import bisect_left
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from pactlang.ledger.rows import genesis, marks_of

SLICE = 2_000  # calls removed per transaction
ROOM = 0.95  # of the limit that is left when the ledger has grown beyond it
EVERY = 30.0  # seconds between two looks


# Of a row of `calls`: the memory of a guard needs it, and no file beside the ledger holds it yet.
NEEDED = (
    "EXISTS (SELECT 1 FROM states s JOIN writers w ON w.writer = s.writer "
    "WHERE w.id = calls.writer AND calls.number > s.covered)"
)


class Dead(NamedTuple):
    """A call that is to be removed."""

    writer: int
    id: int
    digest: bytes
    said: str


class Stone(NamedTuple):
    """A tombstone: ids of the first and the last call it stands for, how many, the digests around them."""

    first: int
    last: int
    calls: int
    before: bytes
    after: bytes


class Clock:
    """The time of day when it was made, plus what a clock without jumps has counted since."""

    def __init__(self) -> None:
        self.offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Seconds since 1970."""
        return time.monotonic() + self.offset


class Retention:
    """The bounds of one pact: `keep` seconds for its own calls, `limit` bytes for the whole file."""

    def __init__(self, keep: float | None, limit: int | None, pact: str) -> None:
        self.keep, self.limit, self.pact = keep, limit, pact
        self.clock = Clock()
        self._next = 0.0

    @property
    def due(self) -> bool:
        """Whether it is time to look."""
        return (self.keep is not None or self.limit is not None) and time.monotonic() >= self._next

    def remove(self, made: sqlite3.Connection) -> bool:
        """Remove at most a slice inside a transaction; True if there may be more."""
        dead = self._too_old(made) or self._too_many(made)
        bury(made, dead, self.clock.now())
        if not dead:
            self._next = time.monotonic() + EVERY
        return bool(dead)

    def shrink(self, made: sqlite3.Connection) -> None:
        """Give free pages back to the file system."""
        made.executescript("PRAGMA incremental_vacuum")  # `execute` would stop after one page

    def _too_old(self, made: sqlite3.Connection) -> list[Dead]:
        """Calls of pacts with this name; its other versions are meant as well."""
        if self.keep is None:
            return []
        found = made.execute(
            "SELECT writer, id, digest, said FROM calls WHERE coalesce(time, stored) < ? "
            f"AND pact IN (SELECT id FROM pacts WHERE name = ?) AND NOT {NEEDED} LIMIT ?",
            (self.clock.now() - self.keep, self.pact, SLICE),
        )
        return [Dead(*row) for row in found]

    def _too_many(self, made: sqlite3.Connection) -> list[Dead]:
        """The first calls of a file that is larger than its limit."""
        if self.limit is None:
            return []
        used, calls = used_bytes(made), made.execute("SELECT count(*) FROM calls").fetchone()[0]
        if used <= self.limit or not calls:
            return []
        many = min(SLICE, max(1, int(calls * (1 - self.limit * ROOM / used))))
        question = f"SELECT writer, id, digest, said FROM calls WHERE NOT {NEEDED} ORDER BY id LIMIT ?"
        found = made.execute(question, (many,))
        return [Dead(*row) for row in found]


def used_bytes(made: sqlite3.Connection) -> int:
    """Bytes of the file's pages that hold something."""
    pages, free, size = (
        made.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int(pages - free) * int(size)


def bury(made: sqlite3.Connection, dead: list[Dead], now: float) -> None:
    """Remove calls and leave tombstones, inside a transaction."""
    for writer, group in groupby(sorted(dead), itemgetter(0)):
        calls = list(group)
        for stretch in _stretches(made, writer, calls):
            _tombstone(made, writer, stretch, now)
        made.execute("UPDATE writers SET removed = removed + ? WHERE id = ?", (len(calls), writer))
    marks = [mark for one in dead for mark in marks_of(one.said, one.id)]
    made.executemany("DELETE FROM marks WHERE clause = ? AND outcome = ? AND call = ?", marks)
    made.executemany("DELETE FROM calls WHERE id = ?", [(one.id,) for one in dead])


def _stretches(made: sqlite3.Connection, writer: int, dead: list[Dead]) -> list[list[Dead]]:
    """The calls, cut where a call that stays lies between two of them."""
    among = "SELECT id FROM calls WHERE writer = ? AND id BETWEEN ? AND ? ORDER BY id"
    all_ids = [row[0] for row in made.execute(among, (writer, dead[0].id, dead[-1].id))]
    stretches: list[list[Dead]] = []
    last = -1
    for one in dead:
        place = bisect_left(all_ids, one.id)
        if not stretches or place != last + 1:
            stretches.append([])
        stretches[-1].append(one)
        last = place
    return stretches


def _tombstone(made: sqlite3.Connection, writer: int, stretch: list[Dead], now: float) -> None:
    """Set the tombstone of a stretch, and make it one with those that touch it."""
    stone = Stone(stretch[0].id, stretch[-1].id, len(stretch), b"", stretch[-1].digest)
    left, right = _call_before(made, writer, stone.first), _call_after(made, writer, stone.last)
    found = made.execute(
        "SELECT first, last, calls, before, after FROM tombstones "
        "WHERE writer = ? AND first > ? AND first < ?",
        (writer, left[0] if left else -1, right or 2**63 - 1),
    )
    near = [Stone(*row) for row in found]
    stones = sorted([*near, stone], key=lambda one: one.last)
    before = left[1] if left else _beginning(made, writer)
    made.executemany(
        "DELETE FROM tombstones WHERE writer = ? AND first = ?", [(writer, one.first) for one in near]
    )
    calls = sum(one.calls for one in stones)
    first, end = min(one.first for one in stones), stones[-1]
    values = (writer, first, end.last, calls, before, end.after, now)
    made.execute("INSERT INTO tombstones VALUES (?,?,?,?,?,?,?)", values)


def _call_before(made: sqlite3.Connection, writer: int, id: int) -> tuple[int, bytes] | None:
    found: tuple[int, bytes] | None = made.execute(
        "SELECT id, digest FROM calls WHERE writer = ? AND id < ? ORDER BY id DESC LIMIT 1", (writer, id)
    ).fetchone()
    return found


def _call_after(made: sqlite3.Connection, writer: int, id: int) -> int | None:
    found = made.execute(
        "SELECT id FROM calls WHERE writer = ? AND id > ? ORDER BY id LIMIT 1", (writer, id)
    ).fetchone()
    return found[0] if found else None


def _beginning(made: sqlite3.Connection, writer: int) -> bytes:
    return genesis(made.execute("SELECT writer FROM writers WHERE id = ?", (writer,)).fetchone()[0])


def removed_numbers(made: sqlite3.Connection) -> list[tuple[str, int, int]]:
    """Writer, first and last number of the calls that were removed before others of their writer.

    A tombstone says how many calls it stands for; where more numbers are free than that, the rest is missing.
    """
    found = []
    for writer, name, first, last, calls in made.execute(
        "SELECT t.writer, w.writer, t.first, t.last, t.calls FROM tombstones t "
        "JOIN writers w ON w.id = t.writer ORDER BY t.writer, t.first"
    ).fetchall():
        before, after = _number(made, writer, "<", first), _number(made, writer, ">", last)
        begin = 0 if before is None else before + 1
        end = begin + calls - 1 if after is None else min(begin + calls, after) - 1
        if begin <= end:
            found.append((name, begin, end))
    return found


def _number(made: sqlite3.Connection, writer: int, side: str, id: int) -> int | None:
    """The number of the call of a writer next to an id."""
    order = "DESC" if side == "<" else "ASC"
    found = made.execute(
        f"SELECT number FROM calls WHERE writer = ? AND id {side} ? ORDER BY id {order} LIMIT 1", (writer, id)
    ).fetchone()
    return None if found is None else int(found[0])
