"""What ended processes left: runs that were not closed, and spill files, which are taken in.

In: a ledger's file, when it is opened for writing.  Out: a `Recovery`, told once: what is reported is
entered in the file.
"""

from __future__ import annotations

import os
import sqlite3
from typing import NamedTuple

from pactlang.ledger.entry import Ended, Recovery, Segment, SpillReport
from pactlang.ledger.journal import Journal, host, is_alive
from pactlang.ledger.spill import Spill, left_behind


class Run(NamedTuple):
    """An entry of the table `runs` that is open."""

    run: str
    pid: int
    host: str
    birth: str
    dropped: int

    @property
    def is_over(self) -> bool:
        """Whether its process is certainly gone; of another machine nobody here can say."""
        return self.host == host() and not is_alive(self.pid, self.birth)


def recover(made: sqlite3.Connection, journal: Journal, path: str, created: bool) -> Recovery:
    """Take in what was left and tell of it.  `made` is a connection that writes."""
    spills = tuple(report for file in left_behind(path) if (report := _take_in(file, journal)) is not None)
    ended = _end_runs(made)
    calls = made.execute("SELECT count(*) FROM calls").fetchone()[0]
    return Recovery(created, calls, ended, spills)


def _take_in(path: str, journal: Journal) -> SpillReport | None:
    """All whole rows of a spill file whose owner has ended; the file is removed when they are durable."""
    spill = Spill.adopt(path)
    if spill is None:
        return None
    offset, calls = journal.taken(spill.name), 0
    try:
        while (taken := spill.read(offset)).rows:
            journal.adopt(taken.rows, (spill.name, taken.offset), run_of(spill.name))
            calls, offset = calls + len(taken.rows), taken.offset
    except BaseException:
        spill.close(remove=False)
        raise
    cut = max(0, spill.size - max(offset, taken.offset))
    spill.close(remove=True)
    journal.forget(spill.name)
    return SpillReport(os.path.basename(path), calls, cut)


def run_of(name: str) -> str:
    """The run whose spill file this is: `LEDGER.spill-RUN-N`."""
    return name.rpartition(".spill-")[2].rpartition("-")[0]


def _end_runs(made: sqlite3.Connection) -> tuple[Ended, ...]:
    """Enter that the runs of dead processes are over, and say what they had made durable."""
    made.execute("BEGIN IMMEDIATE")
    try:
        held = made.execute("SELECT run, pid, host, birth, dropped FROM runs WHERE ended IS NULL").fetchall()
        over = [run for run in (Run(*row) for row in held) if run.is_over]
        ended = tuple(Ended(run.run, run.pid, segments(made, run.run), run.dropped) for run in over)
        made.executemany("UPDATE runs SET ended = 'lost' WHERE run = ?", [(run.run,) for run in over])
        made.execute("COMMIT")
    except BaseException:
        made.execute("ROLLBACK")
        raise
    return ended


ISLANDS = """
SELECT w.writer, i.first, i.last, i.calls, lower(hex(c.digest)) FROM (
    SELECT writer, min(number) AS first, max(number) AS last, count(*) AS calls, max(id) AS id FROM (
        SELECT writer, number, id, number - row_number() OVER (PARTITION BY writer ORDER BY number) AS island
        FROM calls)
    GROUP BY writer, island) i
JOIN calls c ON c.id = i.id JOIN writers w ON w.id = i.writer
WHERE :run IS NULL OR w.run = :run ORDER BY w.id, i.first
"""


def segments(made: sqlite3.Connection, run: str | None = None) -> tuple[Segment, ...]:
    """The captures that are stored, as runs without a gap; of the writers of one run, or of all."""
    return tuple(Segment._make(row) for row in made.execute(ISLANDS, {"run": run}))
