"""`score { ... }`: how verdicts become a score.

In: `syntax.Score`, and the dimensions that clauses have.  Out: `ir.Score`, with the defaults of what is left
out.  Numbers are taken as they are written, in decimals: no rounding decides a weight or a band.
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd, isfinite, lcm
from typing import TYPE_CHECKING

from pactlang import ir, syntax
from pactlang.diagnostic import Label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pactlang.check.report import Report

CONFIDENCE = (Fraction(1, 2), Fraction(999_999, 1_000_000))
POINT = 10_000  # parts of a point that a band can name
MOST_DIMENSIONS = 1_000
MOST_SCALE = 10**9
MOST_HALF_LIFE = 36_525 * 86_400 * 10**9  # nanoseconds: a century

Written = tuple[tuple[syntax.Ident, syntax.Number], ...]


class Score:
    """The check of one `score`."""

    def __init__(self, report: Report, dimensions: Iterable[str]) -> None:
        self.report = report
        self.dimensions = tuple(dict.fromkeys(dimensions))

    def check(self, score: syntax.Score) -> ir.Score:
        """The score with what is sound of it; the rest is reported."""
        scale = self._scale(score.scale)
        return ir.Score(
            scale,
            self._half_life(score.half_life),
            self._confidence(score.confidence),
            self._weights(score.weights),
            self._bands(score.bands, scale),
        )

    def _scale(self, number: syntax.Number | None) -> int:
        if number is None:
            return ir.SCALE
        if number.value == int(number.value) and 1 <= number.value <= MOST_SCALE:
            return int(number.value)
        self._wrong(number, f"a scale is a whole number from 1 to {MOST_SCALE:,}")
        return ir.SCALE

    def _half_life(self, length: syntax.Length | None) -> int:
        if length is None:
            return ir.HALF_LIFE
        if 10**6 <= length.nanos <= MOST_HALF_LIFE:
            return length.nanos // 1000
        self._wrong(length, "a half-life is from 1ms to a century")
        return ir.HALF_LIFE

    def _confidence(self, number: syntax.Number | None) -> int:
        if number is None:
            return ir.CONFIDENCE
        value = exact(number)
        if CONFIDENCE[0] <= value <= CONFIDENCE[1]:
            return int(value * 1_000_000)
        self._wrong(number, "a confidence is from 0.5 to 0.999999")
        return ir.CONFIDENCE

    # Tables -------------------------------------------------------------------------------------

    def _weights(self, written: Written | None) -> ir.Amounts:
        if written is None:
            return tuple((name, 1) for name in self.dimensions)
        found = self._amounts("weight", written)
        if len(found) > MOST_DIMENSIONS:
            self._wrong(written[0][1], f"a score has at most {MOST_DIMENSIONS:,} dimensions")
        if found and not any(found.values()):
            self._wrong(written[0][1], "every weight is 0, and something must count")
        return whole(found)

    def _bands(self, written: Written | None, scale: int) -> ir.Amounts:
        if written is None:
            return tuple((name, least * scale * POINT // ir.SCALE) for name, least in ir.BANDS)
        found = self._amounts("band", written)
        taken: dict[Fraction, str] = {}
        for (name, number), value in zip(written, map(exact, (n for _, n in written)), strict=True):
            if value > scale:
                self._wrong(number, f"band `{name.name}` begins above the scale, which ends at {scale:,}")
            elif taken.setdefault(value, name.name) != name.name:
                self._wrong(number, f"`{taken[value]}` and `{name.name}` begin at the same value")
        ordered = sorted(found.items(), key=lambda pair: pair[1], reverse=True)
        return tuple((name, int(value * POINT)) for name, value in ordered)

    def _amounts(self, what: str, written: Written) -> dict[str, Fraction]:
        found: dict[str, Fraction] = {}
        first: dict[str, syntax.Ident] = {}
        for name, number in written:
            before = first.setdefault(name.name, name)
            if before is not name:
                self.report.error(
                    "duplicate-item", f"{what} `{name.name}` comes twice", name.span, "again here",
                    related=(Label(before.span, "first here"),),
                )  # fmt: skip
            value = exact(number)
            if value * POINT != int(value * POINT) or value > MOST_SCALE:
                self._wrong(number, f"a {what} has at most four decimals, and is at most {MOST_SCALE:,}")
                value = Fraction(0)
            found.setdefault(name.name, value)
        return found

    def _wrong(self, node: syntax.Node, message: str) -> None:
        self.report.error("out-of-range", message, node.span)


def exact(number: syntax.Number) -> Fraction:
    """A number as it is written, in decimals; -1 for one that is no number."""
    value = number.value
    if isinstance(value, float) and not isfinite(value):
        return Fraction(-1)
    return Fraction(repr(value))


def whole(amounts: dict[str, Fraction]) -> ir.Amounts:
    """Weights in whole numbers that share no factor: the same shares, whatever they were written in."""
    shared = lcm(*(value.denominator for value in amounts.values())) if amounts else 1
    numbers = [int(value * shared) for value in amounts.values()]
    factor = gcd(*numbers) or 1
    return tuple((name, number // factor) for name, number in zip(amounts, numbers, strict=True))
