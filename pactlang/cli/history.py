"""The score over time: scorers of panes of event time, and what they amount to one after another.

In: calls in any order.  Out: `Point`s, the oldest first.

Panes are as wide as it takes for there to be at most `MOST` of them: where there are more, the width is
doubled and neighbours are merged, which is exact.  What came out later counts at the time of its call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from pactlang._runtime import Tally
from pactlang.score import Score, Scorer
from pactlang.score.evidence import NEVER

if TYPE_CHECKING:
    from pactlang.verdict import Amendment

MOST = 120  # panes; each point costs a score
SECOND = 10**6  # microseconds


class Point(NamedTuple):
    """The score at a time (microseconds since 1970) of all calls until then.  broke: critical clauses that
    calls since the point before broke, and when the last of these was."""

    time: int
    score: Score
    broke: tuple[tuple[str, int], ...] = ()


class History:
    """make: an empty scorer.  start: what was counted before, if there was something."""

    def __init__(self, make: Callable[[], Scorer], start: Scorer | None = None) -> None:
        self.make, self.start = make, start
        self.width = SECOND
        self.panes: dict[int, Scorer] = {}
        self.timeless = make()

    def tally(self, time: int | None) -> Tally:
        """The sums of the pane that a time lies in."""
        return self._scorer(time).tally

    def amend(self, found: Amendment) -> None:
        """What has become of a verdict that waited."""
        self._scorer(found.time).add(found)

    def _scorer(self, time: int | None) -> Scorer:
        if time is None or time > self.timeless.latest:
            return self.timeless
        at = time // self.width
        if at not in self.panes:
            self.panes[at] = self.make()
            while len(self.panes) > MOST:
                self._widen()
            at = time // self.width
        return self.panes[at]

    def _widen(self) -> None:
        self.width *= 2
        before, self.panes = self.panes, {}
        for at, scorer in sorted(before.items()):
            if at // 2 in self.panes:
                self.panes[at // 2].merge(scorer)
            else:
                self.panes[at // 2] = scorer

    def points(self) -> Iterator[Point]:
        """A point per pane, at the time of its newest call, and one behind each silence; calls that are older
        than what was counted before have none of their own."""
        scorer, band = self._begin(), None
        if (last := scorer.tally.newest) != NEVER:
            yield Point(last, scorer.score())
        for at, pane in sorted(self.panes.items()):
            begin = at * self.width
            if last != NEVER and begin - last > 2 * self.width:
                yield Point(begin, scorer.score(begin, band))
            scorer.merge(pane)
            if (newest := scorer.tally.newest) == last and at != max(self.panes):
                continue
            score, last = scorer.score(band=band), newest
            band = score.band
            yield Point(newest, score, tuple(_critical(pane)))

    def _begin(self) -> Scorer:
        scorer = self.make().merge(self.timeless)
        return scorer if self.start is None else scorer.merge(self.start)


def _critical(pane: Scorer) -> Iterator[tuple[str, int]]:
    counts = pane.tally.clause_counts()
    for clause in pane.plan.critical:
        if (last := counts[clause][4]) is not None:
            yield pane.plan.names[clause], last
