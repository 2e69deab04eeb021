"""How often each clause was satisfied, violated, skipped and unknown.

In: batches of verdicts.  Out: `Tally`, whose sums are those of the language: per clause satisfied +
violated + skipped + unknown = calls, and calls + outside + undecodable + duplicates = records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pactlang.verdict import Batch

OUTCOMES = ("satisfied", "violated", "skipped", "unknown")
VIOLATED, UNKNOWN = 1, 3


class Tally(NamedTuple):
    """Counts of records, and `clauses`: int64 of shape (clauses, 4), columns as in `OUTCOMES`."""

    calls: int
    outside: int
    undecodable: int
    clauses: NDArray[np.int64]
    duplicates: int = 0

    @property
    def records(self) -> int:
        return self.calls + self.outside + self.undecodable + self.duplicates

    def plus(self, other: Tally) -> Tally:
        """The tally of both; `none(n)` changes nothing."""
        return Tally(
            self.calls + other.calls,
            self.outside + other.outside,
            self.undecodable + other.undecodable,
            self.clauses + other.clauses,
            self.duplicates + other.duplicates,
        )


def none(clauses: int) -> Tally:
    """The tally of nothing, for a pact of so many clauses."""
    return Tally(0, 0, 0, np.zeros((clauses, len(OUTCOMES)), np.int64))


def overlong(clauses: int) -> Tally:
    """The tally of one record that was too long to be read."""
    return none(clauses)._replace(undecodable=1)


def tally(batch: Batch, again: NDArray[np.bool_] | None = None) -> Tally:
    """The tally of one batch.  again: the rows of duplicates, if there can be some."""
    judged = admitted(batch)
    duplicates = 0
    if again is not None and again.any():
        judged &= ~again
        duplicates = int(again.sum())
    rows = batch.outcomes if judged.all() else batch.outcomes[judged]
    counts = np.stack([(rows == code).sum(axis=0) for code in range(len(OUTCOMES))], axis=1)
    undecodable = len(batch.undecodable)
    outside = len(judged) - len(rows) - undecodable - duplicates
    return Tally(len(rows), outside, undecodable, counts.astype(np.int64), duplicates)


def admitted(batch: Batch) -> NDArray[np.bool_]:
    """Per row: it is a call with outcomes, neither outside the pact nor undecodable."""
    judged = ~batch.outside
    if batch.undecodable:
        judged &= ~np.isin(batch.lines, [line for line, _, _ in batch.undecodable])
    return judged
