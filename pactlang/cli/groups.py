"""A scorer for every value of a field, and the numbers of calls that are another's.

In: calls with a value and a capture number, one after another.  Out: scorers, at most `MOST` and one for
the rest.

Of each scorer the other groups' calls are no missing calls: before it counts one it passes over all that
have come since its last.  A call that is missing altogether may be of any group, and is missing in each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pactlang._runtime import Tally
from pactlang.score import Scorer

MOST = 200  # groups; a score of one takes some milliseconds and kilobytes
LONGEST = 200  # characters of a value that are told apart

Runs = list[list[int]]


class Key(NamedTuple):
    """A group: of a value, of the records without one (None), or of all values past the bound."""

    value: str | None
    is_rest: bool = False


REST = Key(None, True)


class Groups:
    """The scorers by group.  make: an empty one."""

    def __init__(self, make: Callable[[], Scorer]) -> None:
        self.make = make
        self.scorers: dict[Key, Scorer] = {}
        self._runs: dict[str, Runs] = {}  # of each worker the numbers of all groups, as they came
        self._reached: dict[tuple[Key, str], tuple[int, int]] = {}  # run, and the next number in it

    def key(self, value: str | None) -> Key:
        """The group of a value."""
        key = Key(None if value is None else value[:LONGEST])
        if key in self.scorers or len(self.scorers) - (REST in self.scorers) < MOST:
            return key
        return REST

    def scorer(self, key: Key) -> Scorer:
        """The scorer of a group, made when it is first asked for."""
        found = self.scorers.get(key)
        if found is None:
            found = self.scorers[key] = self.make()
        return found

    def tally(self, key: Key, worker: str, number: int) -> Tally:
        """The sums of a group, which counts the next call."""
        scorer, runs = self.scorer(key), self._runs.setdefault(worker, [])
        self._catch_up(key, scorer, worker, runs)
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
        self._reached[key, worker] = len(runs) - 1, number + 1
        return scorer.tally

    def pass_over(self, worker: str, first: int, last: int) -> None:
        """Numbers that are of no calls: they are missing in no group."""
        self._runs.setdefault(worker, []).append([first, last])

    def catch_up(self) -> None:
        """Let every group know of all calls."""
        for key, scorer in self.scorers.items():
            for worker, runs in self._runs.items():
                self._catch_up(key, scorer, worker, runs)

    def _catch_up(self, key: Key, scorer: Scorer, worker: str, runs: Runs) -> None:
        at, number = self._reached.get((key, worker), (0, 0))
        while at < len(runs):
            first, last = max(number, runs[at][0]), runs[at][1]
            if first <= last:
                scorer.tally.pass_over(worker, first, last)
            at, number = at + 1, 0
        if runs:
            self._reached[key, worker] = len(runs) - 1, runs[-1][1] + 1

    def go_on(self, scorers: dict[Key, Scorer], whole: Tally) -> None:
        """Go on from scorers that know of all calls that have been counted."""
        self.scorers = scorers
        for worker, numbers in whole.numbers.items():
            self._runs[worker] = runs = [[first, last] for first, last, *_ in numbers.intervals()]
            for key in scorers:
                self._reached[key, worker] = len(runs) - 1, runs[-1][1] + 1
