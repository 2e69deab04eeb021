"""Read a ledger: calls by session, clause and time, counts, segments, the chains.

In: a path and what is wanted.  Out: `StoredEntry`s in the order in which they were committed.

Readers hold nothing up and see a state between two commits; each question has a connection of its own.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import msgspec

from pactlang.errors import LedgerError
from pactlang.ledger.entry import SAID, WITHHELD, Segment, StoredEntry, VerifyReport
from pactlang.ledger.export import call_line, entry_line
from pactlang.ledger.file import check, connect_reading, look, trouble
from pactlang.ledger.recover import segments
from pactlang.ledger.rows import AMENDED, NO_ASIDE, OUTCOMES
from pactlang.ledger.summary import Summary, summary
from pactlang.ledger.verify import verify
from pactlang.opcodes import Outcome

PAGE = 500  # calls that are fetched at once

SELECT = (
    "SELECT c.id, w.writer, c.number, c.session, c.seq, c.time, c.stored, p.digest, c.said, "
    "CAST(c.call AS BLOB), c.withheld, c.digest FROM calls c JOIN writers w ON w.id = c.writer "
    "JOIN pacts p ON p.id = c.pact"
)


class Reader:
    """A ledger that is only read.  LedgerError if the file is none, is newer or is damaged."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        if not os.path.exists(self.path):
            raise LedgerError(f"cannot open {self.path}: no such file")
        look(self.path)
        with self.connection() as made:
            check(made, self.path)

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """A connection for one question; what SQLite complains of becomes a LedgerError."""
        try:
            made = connect_reading(self.path)
            try:
                yield made
            finally:
                made.close()
        except (sqlite3.Error, OSError) as error:
            raise trouble(self.path, error) from error

    def entries(
        self,
        *,
        session: str | None = None,
        clause: str | None = None,
        outcome: str | None = None,
        since: float | None = None,
        until: float | None = None,
        writer: str | None = None,
        asides: bool = False,
    ) -> Iterator[StoredEntry]:
        """The calls that fit all that is given, oldest commit first.

        clause: those that it is violated by, or has another `outcome` on (satisfied, violated, skipped,
        unknown).  outcome alone: calls on which some clause has it.  since, until: seconds since 1970 of
        the call's time, or of its storing where it has none; `until` is not included.  asides: also what
        is no call, such as amendments; of these a clause and an outcome are those that came out.
        """
        where, values = conditions(session, clause, outcome, since, until, writer, asides)
        question, last = f"{SELECT} WHERE {where} AND c.id > ? ORDER BY c.id LIMIT {PAGE}", 0
        with self.connection() as made:
            made.execute("BEGIN")
            while True:
                rows = made.execute(question, (*values, last)).fetchall()
                yield from map(entry_of, rows)
                if len(rows) < PAGE:
                    return
                last = rows[-1][0]

    def count(self, **chosen: Any) -> int:
        """How many calls fit; the arguments of `entries`."""
        names = ("session", "clause", "outcome", "since", "until", "writer", "asides")
        strange = sorted(set(chosen) - set(names))
        if strange:
            raise TypeError(f"unknown arguments: {', '.join(strange)}")
        where, values = conditions(*(chosen.get(name) for name in names))
        with self.connection() as made:
            found = made.execute(
                f"SELECT count(*) FROM calls c JOIN writers w ON w.id = c.writer WHERE {where}", values
            ).fetchone()
        return int(found[0])

    def export(self, out: BinaryIO, *, calls: bool = False, **chosen: Any) -> int:
        """Write the calls that fit, one JSON object per line, and say how many they were.

        calls: the call alone, without its verdict.  The other arguments are those of `entries`.
        """
        line, many = call_line if calls else entry_line, 0
        for entry in self.entries(**chosen):
            out.write(line(entry) + b"\n")
            many += 1
        return many

    def summary(self) -> Summary:
        """What the ledger holds, in numbers."""
        with self.connection() as made:
            made.execute("BEGIN")
            return summary(made)

    def segments(self) -> tuple[Segment, ...]:
        """The captures that are stored, as runs without a gap."""
        with self.connection() as made:
            return segments(made)

    def verify(self) -> VerifyReport:
        """Recompute every chain."""
        with self.connection() as made:
            made.execute("BEGIN")
            return verify(made)


def conditions(
    session: str | None, clause: str | None, outcome: str | None, since: float | None, until: float | None,
    writer: str | None, asides: bool | None = False,
) -> tuple[str, list[object]]:  # fmt: skip
    """The WHERE of a question, over `calls c` and `writers w`, and its values."""
    parts, values = ["1" if asides else f"c.{NO_ASIDE}"], list[object]()
    moment = "coalesce(c.time, c.stored)"
    for text, value in (
        ("c.session = ?", session), ("w.writer = ?", writer),
        (f"{moment} >= ?", since), (f"{moment} < ?", until),
    ):  # fmt: skip
        if value is not None:
            parts.append(text)
            values.append(value)
    if clause is not None or outcome is not None:
        text, more = _judged(clause, outcome or "violated")
        also, later = _amended(clause, outcome or "violated")
        parts.append(f"({text} OR {also})")
        values += [*more, *later]
    return " AND ".join(parts), values


_MARKED = {"violated": int(Outcome.VIOLATED), "unknown": int(Outcome.UNKNOWN)}


def _amended(clause: str | None, outcome: str) -> tuple[str, list[object]]:
    """Amendments with an outcome."""
    code = AMENDED + OUTCOMES.index(outcome)
    if clause is None:
        return "c.id IN (SELECT call FROM marks WHERE outcome = ?)", [code]
    return "c.id IN (SELECT call FROM marks WHERE clause = ? AND outcome = ?)", [clause, code]


def _judged(clause: str | None, outcome: str) -> tuple[str, list[object]]:
    """Calls with an outcome."""
    if outcome in _MARKED:
        if clause is None:
            return "c.id IN (SELECT call FROM marks WHERE outcome = ?)", [_MARKED[outcome]]
        return "c.id IN (SELECT call FROM marks WHERE clause = ? AND outcome = ?)", [clause, _MARKED[outcome]]
    if outcome == "skipped":
        return _in("skipped", clause), [clause] if clause is not None else []
    if outcome == "satisfied":
        return _satisfied(clause)
    raise ValueError(f"an outcome is satisfied, violated, skipped or unknown, not {outcome!r}")


def _in(outcome: str, clause: str | None) -> str:
    if clause is None:
        return f"json_array_length(c.said, '$.{outcome}') > 0"
    return f"EXISTS (SELECT 1 FROM json_each(c.said, '$.{outcome}') j WHERE j.value = ?)"


def _satisfied(clause: str | None) -> tuple[str, list[object]]:
    others = ("outside", "duplicate", "aside")
    inside = " AND ".join(f"json_extract(c.said, '$.{key}') IS NULL" for key in others)
    others = ("violated", "unknown", "skipped")
    if clause is None:
        return inside, []
    return " AND ".join([inside, *(f"NOT {_in(other, clause)}" for other in others)]), [clause] * 3


def entry_of(row: tuple[Any, ...]) -> StoredEntry:
    """A row that `SELECT` has found."""
    said, call, withheld, digest = row[8:]
    id, writer, number, session, seq, time, stored, pact = row[:8]
    try:
        kept = WITHHELD.decode(withheld) if withheld else None
        verdict = SAID.decode(said)
    except (msgspec.MsgspecError, TypeError) as error:
        raise LedgerError(f"call {number} of writer {writer} is damaged: {error}") from error
    return StoredEntry(id, writer, number, session, seq, time, stored, pact, verdict, call, kept, digest)
