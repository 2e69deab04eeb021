"""What a report of a score shows: the score, where the points went, and the calls behind it.

In: a `Scoring`.  Out: a `Card`, from which text, JSON and page are drawn.

All points are whole numbers of the ten-thousandth of the scale, and rounded so that value and losses still
add up to the scale.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from pactlang.cli.exits import Fault
from pactlang.cli.screen import printable
from pactlang.score import Score
from pactlang.score.evidence import NEVER
from pactlang.score.losses import Losses, losses_of
from pactlang.score.shape import rfc3339
from pactlang.score.value import UNIT

if TYPE_CHECKING:
    from pactlang.cli.groups import Key
    from pactlang.cli.scoring import Broke, Scoring
    from pactlang.score import Scorer

LOW = 7_000  # of UNIT: below this share of the scale a report says why


class Loss(NamedTuple):
    """What one thing has cost, in points.  kind: `clause`, `young` (a dimension has few calls yet) or `cap`
    (a critical clause takes the rest); name: the clause, or the dimension; broken: how often, ever."""

    kind: str
    name: str
    dimension: str
    points: float
    broken: int = 0


class GroupScore(NamedTuple):
    """The score of one group of calls."""

    key: Key
    score: Score


@dataclass(frozen=True)
class Card:
    """losses: the largest first; with the value they add up to the scale; none without a value.  good_day:
    points that one more day of as many calls, all good, would bring; None where no call has a time.  groups:
    the best lower bound first."""

    scoring: Scoring
    score: Score
    losses: tuple[Loss, ...]
    good_day: float | None
    groups: tuple[GroupScore, ...]

    @property
    def is_low(self) -> bool:
        """Whether there is a value, and it is under `low`."""
        return self.score.value is not None and self.score.value < self.low

    @property
    def low(self) -> float:
        """The points under which a report says why."""
        return LOW * self.score.scale / UNIT

    def clauses(self) -> list[str]:
        """The clauses that have cost something, the dearest first, before all those that cap the score.
        Without a value, all that were broken."""
        if self.score.value is None:
            return [clause.name for clause in self.scoring.program.clauses if self.broke(clause.name)]
        least = min((cap.limit for cap in self.score.caps), default=0.0) if self.has_cap else 0.0
        capping = [cap.clause for cap in self.score.caps if cap.limit == least]
        costly = [loss.name for loss in self.losses if loss.kind == "clause" and loss.points]
        return list(dict.fromkeys([*capping, *costly]))

    @property
    def young(self) -> float:
        """The points that are lost because dimensions have few calls yet."""
        scale, young = self.score.scale, [loss.points for loss in self.losses if loss.kind == "young"]
        return sum(round(points * UNIT / scale) for points in young) * scale / UNIT

    @property
    def has_cap(self) -> bool:
        """Whether a critical clause takes points beyond what it costs."""
        return any(loss.kind == "cap" for loss in self.losses)

    def broke(self, clause: str) -> list[Broke]:
        """The newest calls that broke a clause."""
        return self.scoring.broke(clause)

    def written(self, points: float) -> str:
        """Points with as many decimals as make them exact."""
        return f"{points:,.{decimals(self.score.scale)}f}"


def card_of(scoring: Scoring, now: int | None = None, band: str | None = None) -> Card:
    """The card of a scoring at a time, by default that of the newest call.  A `Fault` for a time before it.

    band: the one that was shown last.
    """
    whole = scoring.whole
    score = _score(whole, now, band)
    losses = losses_of(whole.plan, whole.tally, now)
    groups = () if scoring.groups is None else _groups(scoring, score.now)
    return Card(scoring, score, _losses(score, losses), _good_day(score, losses), groups)


def _score(scorer: Scorer, now: int | None, band: str | None = None) -> Score:
    try:
        return scorer.score(now, band)
    except ValueError as error:
        newest = scorer.tally.newest
        if now is None or newest == NEVER or now >= newest:
            raise Fault(printable(str(error))) from error
        raise Fault(
            f"`--now` is before the newest call, which is of {rfc3339(newest)}",
            "what the score was before is shown by `--plot`",
        ) from error


def _groups(scoring: Scoring, now: int | None) -> tuple[GroupScore, ...]:
    """The scores of all groups at one time, the best lower bound first."""
    assert scoring.groups is not None
    found = [GroupScore(key, _score(each, now)) for key, each in scoring.groups.scorers.items()]
    return tuple(sorted(found, key=lambda each: (-each.score.lower, -each.score.upper, _order(each.key))))


def _order(key: Key) -> tuple[bool, bool, str]:
    return key.is_rest, key.value is None, key.value or ""


def _losses(score: Score, losses: Losses) -> tuple[Loss, ...]:
    if score.value is None:
        return ()
    parts: list[tuple[Loss, Fraction]] = [
        (Loss("clause", each.clause, each.dimension, 0.0, each.broken), each.points)
        for each in losses.clauses
        if each.broken
    ]
    parts += [(Loss("young", each.dimension, each.dimension, 0.0), each.young) for each in losses.dimensions]
    if losses.cap:
        parts.append((Loss("cap", score.caps[0].clause, "", 0.0), losses.cap))
    scale = score.scale
    left = UNIT - round(Fraction(score.value) * UNIT / scale)
    units = apportioned([points * UNIT / scale for _, points in parts], left)
    made = [loss._replace(points=n * scale / UNIT) for (loss, _), n in zip(parts, units, strict=True)]
    return tuple(sorted(made, key=lambda loss: -loss.points))


def _good_day(score: Score, losses: Losses) -> float | None:
    if score.value is None or score.now is None:
        return None
    gained = sum((each.good_day for each in losses.dimensions), Fraction(0))
    gained = max(Fraction(0), gained - losses.cap)  # a cap takes first what is gained
    return round(gained * UNIT / score.scale) * score.scale / UNIT


def apportioned(parts: Iterable[Fraction], total: int) -> list[int]:
    """Whole numbers near the parts that add up to the total: what is over goes to those that lost most by
    being rounded down."""
    exact = list(parts)
    found = [part.__floor__() for part in exact]
    order = sorted(range(len(exact)), key=lambda i: (found[i] - exact[i], i))
    over = total - sum(found)
    if not exact:
        return found
    for i in range(abs(over)):
        place = order[i % len(order)] if over > 0 else order[-1 - i % len(order)]
        found[place] += 1 if over > 0 else -1
    return found


def decimals(scale: int) -> int:
    """Decimals that a ten-thousandth of a scale needs."""
    return next(n for n in range(5) if scale * 10**n % UNIT == 0)
