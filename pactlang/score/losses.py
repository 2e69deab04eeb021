"""Where the points went: what each clause has cost, exactly.

In: a plan, a tally, a time.  Out: `Losses`, which with the score's value add up to the scale, without a
rest.

The value is linear in what clauses cost, so nothing is left to be shared out: a broken clause costs its
severity, weighted by age and by its dimension's weight, and the calls that every dimension begins with cost
half of what they weigh.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from pactlang._runtime import Tally
from pactlang.score.evidence import AHEAD, NOW, Moment, power
from pactlang.score.plan import STEPS, Plan
from pactlang.score.value import PRIOR, UNIT, caps_of, mean, present, value_of

DAY = 86_400 * 10**6  # microseconds


class ClauseLoss(NamedTuple):
    """What a clause has cost, in points; broken: how often, ever."""

    clause: str
    dimension: str
    points: Fraction
    broken: int


class DimensionLoss(NamedTuple):
    """What a dimension lacks, in points: through its clauses, and through having few calls yet.

    good_day: points that the score would gain by one more day of as many calls as before, all good.
    """

    dimension: str
    points: Fraction
    young: Fraction
    good_day: Fraction


class Losses(NamedTuple):
    """scale = value + clauses + young of every dimension + cap, all in points.

    value: exact, before the cap; None without evidence.  cap: what critical clauses take away beyond that.
    Clauses are sorted by what they have cost, the dearest first.
    """

    value: Fraction | None
    clauses: tuple[ClauseLoss, ...]
    dimensions: tuple[DimensionLoss, ...]
    cap: Fraction


def losses_of(plan: Plan, tally: Tally, now: int | None = None) -> Losses:
    """Where the points went at a time, by default that of the newest call."""
    moment = Moment(plan, tally, now)
    evidence = [moment.evidence(i) for i in range(len(plan.dimensions))]
    value = value_of(plan, evidence)
    scale = plan.said.scale
    total = sum(a for a, e in zip(plan.weights, evidence, strict=True) if present(e))
    clauses: list[ClauseLoss] = []
    dimensions: list[DimensionLoss] = []
    for i, found in enumerate(evidence):
        if not present(found) or not plan.weights[i] or not total:
            continue
        per_call = Fraction(scale * plan.weights[i], total) / (found.weight + PRIOR)
        clauses += clause_losses(moment, i, per_call)
        lacking = Fraction(scale * plan.weights[i], total) * (1 - mean(found))
        gained = per_call * (found.weight - found.good) * (1 - faded(plan))
        dimensions.append(DimensionLoss(plan.dimensions[i], lacking, per_call * PRIOR / 2, gained))
    limit = min((round(cap.limit * UNIT) for cap in caps_of(moment)), default=UNIT)
    worth = None if value is None else value * scale
    cap = Fraction(0) if worth is None else max(Fraction(0), worth - Fraction(limit * scale, UNIT))
    clauses.sort(key=lambda each: (-each.points, each.clause))
    return Losses(worth, tuple(clauses), tuple(dimensions), cap)


def clause_losses(moment: Moment, dimension: int, per_call: Fraction) -> list[ClauseLoss]:
    """What the clauses of one dimension have cost."""
    plan, counts = moment.plan, moment.tally.clause_counts()
    return [
        ClauseLoss(plan.names[i], plan.dimensions[dimension], per_call * moment.cost(i), counts[i][0])
        for i, of in enumerate(plan.dimension_of)
        if of == dimension
    ]


def faded(plan: Plan) -> Fraction:
    """What is left of a call's weight after a day, by the steps in which weights are counted."""
    return NOW / power(min(DAY * STEPS // plan.said.half_life, AHEAD * STEPS))
