"""What the sums say of each dimension at a moment, exactly.

In: a `Tally` and a time.  Out: `Evidence` per dimension in fractions, and the weights of the calls that are
missing.

A call's weight is written in calls now: one that is made at this moment weighs 1, one of a half-life ago 1/2.
Calls without time weigh 1.  If no call has a time, all weigh the same, and nothing fades.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

from pactlang._runtime import SCORE_TABLE, Tally
from pactlang.score.intervals import KEPT, Sums
from pactlang.score.plan import STEPS, Plan

NOW = SCORE_TABLE[0]  # what a call without time weighs, in units of epoch 0
NEVER = -(2**63 - 1)
WHOLE = 1000  # the best observation
AHEAD = 4096  # half-lives after the newest call, from which on no digit of a score changes any more
# In the order of the machine's sums.
CALLS, POINTS, W, W2, PW, PW2, PG, PW2G, PW2GG, LG, LW2G, LW2GG = range(12)


class Evidence(NamedTuple):
    """Of one dimension.

    calls: that say something, points: that have a point observation.  weight, good: of these, the sum of
    weights, and of weights times observations in [0, 1]; in calls now.  effective: how many calls of equal
    weight would say as much.
    """

    calls: int
    points: int
    weight: Fraction
    good: Fraction
    effective: Fraction


class Moment:
    """The sums of a tally as they are at a time."""

    def __init__(self, plan: Plan, tally: Tally, now: int | None) -> None:
        self.plan, self.tally = plan, tally
        self.timed = tally.any
        if self.timed and now is not None and now < tally.newest:
            raise ValueError("the score of a time before the newest call is not known any more")
        self.now = (tally.newest if now is None else now) if self.timed else None
        self.step = 0 if self.now is None else min(plan.step_of(self.now), (tally.top + AHEAD) * STEPS)
        self.rows = tally.epochs()
        self.timeless = tally.without_time()

    @cached_property
    def timed_rows(self) -> list[tuple[int, Any]]:
        """The rows whose calls are weighed against each other, by epoch."""
        if self.timed or self.timeless is None:
            return list(self.rows.items())
        return [(0, self.timeless)]

    # Point values -------------------------------------------------------------------------------

    def evidence(self, dimension: int) -> Evidence:
        """What is known of a dimension."""
        calls = points = 0
        weight = good = squares = Fraction(0)
        for scale, row in self.scaled():
            sums = row[3][dimension]
            calls, points = calls + sums[CALLS], points + sums[POINTS]
            weight += scale * sums[PW]
            good += scale * sums[PG] / WHOLE
            squares += scale * scale * sums[PW2]
        effective = weight * weight / squares if squares else Fraction(0)
        return Evidence(calls, points, weight, good, effective)

    def cost(self, clause: int) -> Fraction:
        """What the broken calls of a clause have cost, in calls now."""
        total = sum((scale * row[4][clause][0] for scale, row in self.scaled()), Fraction(0))
        return total / WHOLE

    def scaled(self) -> list[tuple[Fraction, Any]]:
        """Every row, with what makes calls now of its weights."""
        epoch, at = divmod(self.step, STEPS)
        found = [(1 / power((epoch - e) * STEPS + at), row) for e, row in self.rows.items()]
        if self.timeless is not None:
            found.append((Fraction(1, NOW), self.timeless))
        return found

    # What the bounds are made of --------------------------------------------------------------------

    def lower(self, dimension: int) -> dict[int, Sums]:
        """Sums of the lower observations, epoch by epoch."""
        return {
            epoch: (s[CALLS], s[W], s[LG], s[W2], s[LW2G], s[LW2GG]) for epoch, s in self._sums(dimension)
        }

    def upper(self, dimension: int) -> dict[int, Sums]:
        """Sums of the upper observations: 1 where there is no point observation."""
        found = {}
        for epoch, s in self._sums(dimension):
            w, w2 = s[W] - s[PW], s[W2] - s[PW2]
            found[epoch] = (
                s[CALLS], s[W], s[PG] + WHOLE * w, s[W2], s[PW2G] + WHOLE * w2, s[PW2GG] + WHOLE**2 * w2
            )  # fmt: skip
        return found

    def _sums(self, dimension: int) -> list[tuple[int, Any]]:
        return [(e, row[3][dimension]) for e, row in self.timed_rows if row[3][dimension][CALLS]]

    @property
    def first(self) -> int | None:
        """The epoch of the oldest call ever counted."""
        return self.plan.step_of(self.tally.oldest) // STEPS if self.timed else 0

    @property
    def newest(self) -> int | None:
        """The step of the newest call."""
        return self.plan.step_of(self.tally.newest) if self.timed else 0

    def missing(self, dimension: int) -> dict[int, int]:
        """Epoch -> weight of calls of which nothing is known: dropped, missing by their numbers, or without
        time among others that have one."""
        found = dict(self.lost)
        if self.timed and self.timeless is not None:
            epoch, weight = divmod(self.step, STEPS)
            count = self.timeless[3][dimension][CALLS] + self.timeless[1]
            found[epoch] = found.get(epoch, 0) + count * SCORE_TABLE[weight]
        return {epoch: weight for epoch, weight in found.items() if weight}

    @cached_property
    def lost(self) -> dict[int, int]:
        """The same of calls that were dropped, or are missing by their numbers."""
        found = {epoch: row[2] for epoch, row in self.timed_rows}
        for step, count in self.gaps:
            epoch, at = self._place(step)
            found[epoch] = found.get(epoch, 0) + count * SCORE_TABLE[at]
        return found

    def _place(self, step: int | None) -> tuple[int, int]:
        """The epoch of a step, and its place there; what is older than all sums is taken as the oldest."""
        epoch, at = divmod(self.step if step is None else step, STEPS)
        oldest = self.tally.top - KEPT + 1 if self.timed else 0
        return (epoch, at) if epoch >= oldest else (oldest, STEPS - 1)

    @cached_property
    def gaps(self) -> list[tuple[int | None, int]]:
        """Of every gap between capture numbers: the latest step that its calls can be of, and how many."""
        found = []
        for numbers in self.tally.numbers.values():
            end, late = -1, None
            for first, last, begins, ends in numbers.intervals():
                if first > end + 1:
                    known = [step for step in (late, begins) if step is not None]
                    found.append((max(known, default=None), first - end - 1))
                end, late = last, ends
        return found


def power(step: int) -> Fraction:
    """The weight of a call of a step, in units of epoch 0."""
    epoch, at = divmod(step, STEPS)
    return SCORE_TABLE[at] * Fraction(2) ** epoch
