"""From evidence to the score: its value, bounds, band and caps.

In: a plan, a tally, a time.  Out: `Score`.

The value is made of exact fractions and rounded once, half to even, to a ten-thousandth of the scale; the
bounds are rounded outward.  So the same calls give the same score on every platform.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from hashlib import sha256

import msgspec

from pactlang._runtime import Tally
from pactlang.score.evidence import Evidence, Moment
from pactlang.score.intervals import Intervals, Part, composite
from pactlang.score.plan import Plan
from pactlang.score.rates import excess, version_interval
from pactlang.score.shape import Cap, Coverage, Dimension, Score
from pactlang.score.state import known, saved

UNIT = 10_000  # parts of the scale that are told apart
PRIOR = 20  # calls as of a mean of 1/2 that every dimension begins with: there is no benefit of doubt
ENOUGH = 30  # effective calls, below which a dimension is absent
SHARE, HALF_WIDTH = Fraction(4, 5), Fraction(1, 10)  # what a score that is not provisional needs
RECENT, OFTEN = 6_900, 3_900  # of UNIT: what critical clauses leave of the scale
RATE = Decimal("0.0001")  # how often a critical clause may be broken
MILLION = 1_000_000


def score_of(plan: Plan, tally: Tally, now: int | None, band: str | None) -> Score:
    """The score at a time; `band` is the one that was published last."""
    if not plan.dimensions:
        raise ValueError("the pact has no clauses that are scored")
    moment = Moment(plan, tally, now)
    evidence = [moment.evidence(i) for i in range(len(plan.dimensions))]
    intervals = bounds(moment)
    caps = caps_of(moment)
    limit = min((round(cap.limit * UNIT) for cap in caps), default=UNIT)
    exact = value_of(plan, evidence)
    value = None if exact is None else min(limit, rounded(exact))
    low, high = around(intervals.whole, value)
    low, high = min(low, limit), min(high, limit)
    share = share_of(plan, evidence)
    why = doubts(share, low, high)
    return Score(
        plan.program.name, plan.program.version, plan.program.digest, plan.said.scale,
        plan.said.confidence / MILLION, moment.now,
        None if value is None else value * plan.said.scale / UNIT,
        low * plan.said.scale / UNIT, high * plan.said.scale / UNIT,
        banded(plan, low, high, band), bool(why), why,
        tuple(dimension(moment, i, found, intervals) for i, found in enumerate(evidence)),
        coverage(moment, share), known(tally.newest), known(tally.oldest), tuple(caps),
        numbers_of(plan, tally),
    )  # fmt: skip


# Values -----------------------------------------------------------------------------------------------


def present(found: Evidence) -> bool:
    """Whether a dimension has evidence enough to count."""
    return found.effective >= ENOUGH


def mean(found: Evidence) -> Fraction:
    """The decayed mean of a dimension, with the calls that it begins with."""
    return (found.good + Fraction(PRIOR, 2)) / (found.weight + PRIOR)


def value_of(plan: Plan, evidence: list[Evidence]) -> Fraction | None:
    """The weighted mean of the dimensions with evidence, 0 to 1."""
    parts = [(a, mean(e)) for a, e in zip(plan.weights, evidence, strict=True) if a and present(e)]
    return sum(a * m for a, m in parts) / Fraction(sum(a for a, _ in parts)) if parts else None


def rounded(x: Fraction) -> int:
    """In ten-thousandths, half to even."""
    return round(x * UNIT)


def share_of(plan: Plan, evidence: list[Evidence]) -> Fraction:
    """Of all weights, those of the dimensions with evidence."""
    kept = sum(a for a, e in zip(plan.weights, evidence, strict=True) if present(e))
    return Fraction(kept, sum(plan.weights))


# Bounds -----------------------------------------------------------------------------------------------


def bounds(moment: Moment) -> Intervals:
    """Of the whole, and of every dimension, also of those without weight."""
    parts = [
        Part(Fraction(a), moment.lower(i), moment.upper(i), moment.missing(i))
        for i, a in enumerate(moment.plan.weights)
    ]
    alpha = float(1 - Fraction(moment.plan.said.confidence, MILLION))
    return composite(parts, alpha, moment.first, moment.newest)


def around(interval: tuple[int, int], value: int | None) -> tuple[int, int]:
    """Bounds that a value lies within: where evidence is old or thin, it lies nearer to the middle."""
    low, high = interval
    return (low, high) if value is None else (min(low, value), max(high, value))


def doubts(share: Fraction, low: int, high: int) -> tuple[str, ...]:
    """Why a score is provisional."""
    found = []
    if share < SHARE:
        found.append(f"evidence for {float(share):.0%} of the weights, {float(SHARE):.0%} are needed")
    if Fraction(high - low, 2 * UNIT) > HALF_WIDTH:
        width = f"{(high - low) / UNIT:.0%} of the scale, {float(2 * HALF_WIDTH):.0%} may be"
        found.append(f"the interval is {width}")
    return tuple(found)


def banded(plan: Plan, low: int, high: int, band: str | None) -> str:
    """The band of the lower bound; one that was published stands while the interval touches it."""
    scale, bands = plan.said.scale, plan.said.bands
    begins = {"": 0, **dict(bands)}
    if band is not None and band not in begins:
        raise ValueError(f"the pact has no band {band[:100]}")
    if band is not None:
        above = [least for _, least in bands if least > begins[band]] if band else [b for _, b in bands]
        end = min(above, default=UNIT * scale + 1)
        if high * scale >= begins[band] and low * scale < end:
            return band
    return plan.band_of(low * scale / UNIT)


# Critical clauses -------------------------------------------------------------------------------------


def caps_of(moment: Moment) -> list[Cap]:
    """What critical clauses leave of the scale, the lowest first."""
    found = [test(moment, clause) for clause in moment.plan.critical for test in (often, recent)]
    return sorted(filter(None, found), key=lambda cap: (cap.limit, -(cap.until or 0), cap.clause))


def recent(moment: Moment, clause: int) -> Cap | None:
    """A critical clause was broken less than a half-life ago, or by a call without time."""
    plan, counts = moment.plan, moment.tally.clause_counts()[clause]
    violated, last = counts[0], counts[4]
    timeless = moment.timeless is not None and moment.timeless[4][clause][1] > 0
    until = None if last is None else last + plan.said.half_life
    late = until is not None and moment.now is not None and moment.now <= until
    if not violated or not (late or timeless):
        return None
    return Cap(RECENT / UNIT, plan.names[clause], "recent", None if timeless else until)


def often(moment: Moment, clause: int) -> Cap | None:
    """A critical clause is broken more often than a pact may suffer.

    All critical clauses share the doubt that the confidence leaves: none of them may be capped wrongly with
    a probability above it, ever.  Where calls without time broke it, one stake is on all calls that ever
    were: who leaves times out escapes nothing.
    """
    plan = moment.plan
    counts = {}
    for epoch, row in moment.timed_rows:
        _, broken, untold = row[4][clause]
        counts[epoch] = max(row[0] - untold, broken), broken
    ever = None
    if moment.timed and moment.timeless is not None and moment.timeless[4][clause][1]:
        violated, unknown, skipped, waiting, _ = moment.tally.clause_counts()[clause]
        ever = max(moment.tally.calls - unknown - skipped - waiting, violated), violated
    if ever is None and not any(broken for _, broken in counts.values()):
        return None
    alpha = Decimal(MILLION - plan.said.confidence) / MILLION
    if excess(counts, RATE, moment.first, ever) < (len(plan.critical) / alpha).ln():
        return None
    return Cap(OFTEN / UNIT, plan.names[clause], "rate", None)


# What it rests on -------------------------------------------------------------------------------------


def dimension(moment: Moment, number: int, found: Evidence, intervals: Intervals) -> Dimension:
    """One dimension, told."""
    plan = moment.plan
    there = present(found)
    value = rounded(mean(found)) if there else None
    low, high = around(intervals.each[number], value)
    return Dimension(
        plan.dimensions[number], plan.weights[number] / sum(plan.weights),
        None if value is None else value / UNIT, low / UNIT, high / UNIT, not there,
        found.points, float(round(found.effective, 1)), plan.clauses_of(number), since(moment, number),
    )  # fmt: skip


def since(moment: Moment, number: int) -> tuple[float, float] | None:
    """Bounds of a dimension's mean since the pact is what it is, if it has not changed since."""
    points, total = moment.tally.totals()[number]
    if not points:
        return None
    alpha = float(1 - Fraction(moment.plan.said.confidence, MILLION))
    low, high = version_interval(points, total, alpha)
    return low / UNIT, high / UNIT


def coverage(moment: Moment, share: Fraction) -> Coverage:
    """What was counted, and what was not."""
    tally, every = moment.tally, moment.tally.clause_counts()
    counts = [every[i] for i in moment.plan.scored]
    violated, unknown, skipped, waiting = map(sum, list(zip(*counts, strict=True))[:4] or [()] * 4)
    satisfied = tally.calls * len(counts) - violated - unknown - skipped - waiting
    missing = sum(count for _, count in moment.gaps)
    timeless = () if moment.timeless is None else (moment.timeless,)
    weighed = sum(row[0] for row in (*moment.rows.values(), *timeless))
    return Coverage(
        tally.calls, tally.outside, tally.duplicates, tally.dropped, missing, tally.unchecked, tally.untimed,
        tally.calls - weighed,
        satisfied, violated, unknown, skipped, waiting, float(share),
    )  # fmt: skip


def numbers_of(plan: Plan, tally: Tally) -> str:
    """A digest of all sums; the lists of capture numbers do not enter it."""
    state = saved(plan, tally)
    return sha256(msgspec.msgpack.encode(msgspec.structs.replace(state, numbers=()))).hexdigest()
