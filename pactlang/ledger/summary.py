"""A ledger in numbers: calls, pacts, outcomes, runs.

In: a connection.  Out: a `Summary`.
"""

from __future__ import annotations

import sqlite3

from msgspec import Struct

from pactlang.errors import PactError
from pactlang.ledger.journal import host, is_alive
from pactlang.ledger.rows import AMENDED, NO_ASIDE, UNKNOWN, VIOLATED
from pactlang.program import read


class PactCount(Struct, frozen=True):
    """A pact and how many of the calls it has judged; `clauses` as its artifact has them."""

    name: str
    version: str
    digest: str
    calls: int
    clauses: tuple[str, ...]


class ClauseCount(Struct, frozen=True):
    """How many calls violated a clause, at once or by an amendment, and for how many it is unknown."""

    clause: str
    violated: int
    unknown: int


class RunCount(Struct, frozen=True):
    """A process that wrote here.  `ended`: closed, lost (it ended without closing) or open; the counts are
    of calls that are in no ledger."""

    run: str
    pid: int
    host: str
    started: float
    ended: str
    dropped: int
    failed: int


class Summary(Struct, frozen=True):
    """`first` and `last`: the calls' times, or when they were stored where they have none."""

    calls: int
    sessions: int
    first: float | None
    last: float | None
    removed: int
    withheld: int
    amendments: int
    pacts: tuple[PactCount, ...]
    clauses: tuple[ClauseCount, ...]
    runs: tuple[RunCount, ...]


TOTALS = (
    "SELECT count(*), count(DISTINCT session), min(coalesce(time, stored)), max(coalesce(time, stored)), "
    f"count(withheld) FROM calls WHERE {NO_ASIDE}"
)
PACTS = (
    "SELECT p.name, p.version, p.digest, (SELECT count(*) FROM calls c WHERE c.pact = p.id "
    f"AND c.{NO_ASIDE}), p.program "
    "FROM pacts p ORDER BY p.id"
)


def summary(made: sqlite3.Connection) -> Summary:
    """What the ledger holds."""
    calls, sessions, first, last, withheld = made.execute(TOTALS).fetchone()
    removed = made.execute("SELECT coalesce(sum(removed), 0) FROM writers").fetchone()[0]
    pacts = tuple(_pact(*row) for row in made.execute(PACTS))
    later = made.execute("SELECT count(*) FROM marks WHERE outcome >= ?", (AMENDED,)).fetchone()[0]
    marked = _marked(made, pacts)
    return Summary(calls, sessions, first, last, removed, withheld, later, pacts, marked, _runs(made))


def _pact(name: str, version: str, digest: str, calls: int, program: bytes) -> PactCount:
    try:
        clauses = tuple(clause.name for clause in read(program).clauses)
    except PactError:
        clauses = ()
    return PactCount(name, version, digest, calls, clauses)


def _marked(made: sqlite3.Connection, pacts: tuple[PactCount, ...]) -> tuple[ClauseCount, ...]:
    """Every clause of every pact, in the order of the pacts, and whatever else was marked."""
    marks = made.execute("SELECT clause, outcome, count(*) FROM marks GROUP BY clause, outcome")
    held = {(clause, outcome): calls for clause, outcome, calls in marks}
    names = dict.fromkeys([name for pact in pacts for name in pact.clauses] + [name for name, _ in held])
    return tuple(_clause(name, [held.get((name, code), 0) for code in range(2 * AMENDED)]) for name in names)


def _clause(name: str, marked: list[int]) -> ClauseCount:
    """What was pending and has come out is unknown no more.  marked: calls by codes."""
    came_out = sum(marked[AMENDED : AMENDED + UNKNOWN])
    violated = marked[VIOLATED] + marked[AMENDED + VIOLATED]
    return ClauseCount(name, violated, max(0, marked[UNKNOWN] - came_out))


def _runs(made: sqlite3.Connection) -> tuple[RunCount, ...]:
    rows = made.execute(
        "SELECT run, pid, host, started, ended, dropped, failed, birth FROM runs ORDER BY started, run"
    ).fetchall()
    return tuple(_run(*row) for row in rows)


def _run(
    run: str, pid: int, place: str, started: float, ended: str | None, dropped: int, failed: int, birth: str
) -> RunCount:
    """One run; whether one on another machine that was not closed is over, nobody here can say."""
    now = "open" if place != host() or is_alive(pid, birth) else "lost"
    return RunCount(run, pid, place, started, ended or now, dropped, failed)
