"""The tables of `keep`: what windows keep of each aggregate, and how they are compared.

In: `ir.Keep`, and whoever puts values into registers of their own.  Out: `program.KeepInfo`.

A comparison of one aggregate with a constant becomes a comparison of integers, exact whatever the numbers:
`rate(ok) >= 0.99` asks whether hits * 100 >= 99 * n.  A constant that is written as a decimal is that
decimal.  All else is computed step by step, as CEL computes it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from msgspec.structs import replace

from pactlang import ir
from pactlang.functions import BUILTINS
from pactlang.opcodes import Comparison, FigureKind, KeepStep, ValueForm
from pactlang.program import FigureInfo, KeepInfo, TermInfo
from pactlang.values import Duration, Timestamp

GROUPS = 1_000  # of a `keep` without `limit`
EVIDENCE = 30  # values that a share, an average and a quantile need
PANES = 60  # a window of time is so many panes, and the newest one

KINDS = {
    "count": FigureKind.COUNTED, "rate": FigureKind.RATE, "burn_rate": FigureKind.BURN, "sum": FigureKind.SUM,
    "avg": FigureKind.AVERAGE, "min": FigureKind.LEAST, "max": FigureKind.MOST,
    "quantile": FigureKind.SKETCH, "distinct": FigureKind.DISTINCT,
}  # fmt: skip
FORMS = {
    "int": ValueForm.INT, "uint": ValueForm.UINT, "double": ValueForm.DOUBLE, "dyn": ValueForm.DOUBLE,
    "duration": ValueForm.DURATION, "timestamp": ValueForm.TIMESTAMP,
}  # fmt: skip
COMPARISONS = {
    "_<_": Comparison.LESS, "_<=_": Comparison.LESS_EQUAL, "_>_": Comparison.GREATER,
    "_>=_": Comparison.GREATER_EQUAL, "_==_": Comparison.EQUAL, "_!=_": Comparison.NOT_EQUAL,
}  # fmt: skip
FLIPPED = {"_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_", "_==_": "_==_", "_!=_": "_!=_"}
LARGEST = 2**62  # of a term's constants
BILLION = 10**9

Steps = tuple[tuple[int, int, int], ...]  # of one side of a comparison


class Registers(NamedTuple):
    """How expressions get registers of their own: `value` of any, `truth` of a condition, which is -1 for one
    that is always true."""

    value: Callable[[ir.Expr], int]
    truth: Callable[[ir.Expr | None], int]


def keep_info(
    clause: int, when: ir.Expr | None, keep: ir.Keep, registers: Registers, digest: bytes
) -> KeepInfo:
    """The tables of one `keep`; emits the code that fills their registers."""
    found = _Tables(registers, keep)
    terms, negated = found.terms(keep.comparison)
    left: Steps = ()
    right: Steps = ()
    comparison = Comparison.LESS
    if not terms and isinstance(keep.comparison, ir.Call):
        comparison = COMPARISONS[keep.comparison.function]
        left, right = (tuple(found.steps(side)) for side in keep.comparison.args)
    return KeepInfo(
        clause,
        registers.truth(when),
        tuple(map(registers.value, keep.keys)),
        keep.limit if keep.limit > 0 else GROUPS,
        tuple(map(_window, keep.windows)),
        tuple(found.figures),
        terms,
        negated,
        left,
        right,
        int(comparison),
        digest,
    )


def placed(info: KeepInfo, place: Callable[[int], int]) -> KeepInfo:
    """The tables with every register in its place; `place` leaves -1 alone."""

    def steps(side: Steps) -> Steps:
        return tuple((what, place(n) if what == KeepStep.PUT else n, count) for what, n, count in side)

    return replace(
        info,
        when=place(info.when),
        keys=tuple(map(place, info.keys)),
        figures=tuple(replace(f, value=place(f.value), where=place(f.where)) for f in info.figures),
        left=steps(info.left),
        right=steps(info.right),
    )


def _window(window: ir.Window) -> tuple[int, int]:
    """The width of a pane in microseconds, whole milliseconds; or calls."""
    if window.calls > 0:
        return 0, window.calls
    return -(-window.nanos // (PANES * 10**6)) * 1000, 0


class _Tables:
    """The figures of one keep, equal ones once."""

    def __init__(self, registers: Registers, keep: ir.Keep) -> None:
        self.registers, self.minimum = registers, keep.minimum
        self.figures: list[FigureInfo] = []

    def figure(self, node: ir.Aggregate, below: int | None = None) -> int:
        """The number of an aggregate's figure."""
        kind = KINDS[node.kind] if below is None else FigureKind.BELOW
        value = -1 if node.value is None else self.registers.value(node.value)
        form = ValueForm.NONE
        if node.value is not None and kind not in (FigureKind.COUNTED, FigureKind.RATE, FigureKind.BURN):
            form = FORMS.get(node.value.type.kind, ValueForm.NONE)
        made = FigureInfo(
            int(kind), int(form), value, self.registers.truth(node.where), self._minimum(node),
            _words(below or 0), node.number,
        )  # fmt: skip
        if made not in self.figures:
            self.figures.append(made)
        return self.figures.index(made)

    def _minimum(self, node: ir.Aggregate) -> int:
        if self.minimum > 0:
            return self.minimum
        if node.kind == "quantile":
            top, bottom = node.number
            return max(EVIDENCE, -(-bottom // (bottom - top)))
        return EVIDENCE if node.kind in ("rate", "avg", "burn_rate") else 1

    # Against a constant ------------------------------------------------------------------------

    def terms(self, node: ir.Expr) -> tuple[tuple[TermInfo, ...], bool]:
        """The terms of `AGGREGATE op CONSTANT`, and whether their meet is negated; none for all else."""
        if not isinstance(node, ir.Call) or len(node.args) != 2:
            return (), False
        left, right, function = ir.bare(node.args[0]), ir.bare(node.args[1]), node.function
        if isinstance(left, ir.Const):
            left, right, function = right, left, FLIPPED[function]
        if not isinstance(left, ir.Aggregate) or not isinstance(right, ir.Const):
            return (), False
        bound = _number(right)
        if bound is None:
            return (), False
        if left.kind == "quantile":
            return self._quantile(left, function, bound, right)
        term = self._term(left, COMPARISONS[function], bound, right)
        return () if term is None else (term,), False

    def _term(self, node: ir.Aggregate, op: Comparison, bound: Fraction, right: ir.Const) -> TermInfo | None:
        scaled = node.kind in ("rate", "avg", "burn_rate")
        kind = "" if node.value is None else node.value.type.kind
        if node.kind == "burn_rate":
            bound *= 1 - Fraction(*node.number)
        elif node.kind in ("sum", "avg") and FORMS[kind] == ValueForm.DOUBLE:
            bound *= BILLION
        elif node.kind in ("min", "max") and FORMS[kind] == ValueForm.DOUBLE:
            if float(right.value if right.type.kind == "double" else bound) != right.value:
                return None
            bound = Fraction(double_key(float(right.value)))
        a, b = bound.numerator, bound.denominator
        if b >= LARGEST or abs(a) >= LARGEST << 62:
            return None
        return TermInfo(self.figure(node), int(op), _words(a), b, scaled)

    def _quantile(
        self, node: ir.Aggregate, function: str, bound: Fraction, right: ir.Const
    ) -> tuple[tuple[TermInfo, ...], bool]:
        """q <= c where at least q n values are; q == c where that is so, and not of the values below c."""
        top, bottom = node.number
        kind = "" if node.value is None else node.value.type.kind
        within, under = thresholds(FORMS[kind], bound, right)

        def at_least(below: int, comparison: Comparison) -> TermInfo:
            return TermInfo(self.figure(node, below), int(comparison), _words(top), bottom, True)

        if function in ("_<=_", "_>_"):
            return (at_least(within, Comparison.GREATER_EQUAL),), function == "_>_"
        if function in ("_<_", "_>=_"):
            return (at_least(under, Comparison.GREATER_EQUAL),), function == "_>=_"
        both = at_least(within, Comparison.GREATER_EQUAL), at_least(under, Comparison.LESS)
        return both, function == "_!=_"

    # Any arithmetic ----------------------------------------------------------------------------

    def steps(self, node: ir.Expr) -> list[tuple[int, int, int]]:
        """A side of the comparison, operands before what takes them."""
        node = ir.bare(node)
        if isinstance(node, ir.Aggregate):
            return [(int(KeepStep.FIGURE), self.figure(node), 0)]
        if isinstance(node, ir.Call):
            inner = [step for arg in node.args for step in self.steps(arg)]
            return [*inner, (int(KeepStep.CALL), BUILTINS[node.function], len(node.args))]
        return [(int(KeepStep.PUT), self.registers.value(node), 0)]


def _words(number: int) -> tuple[int, int]:
    """128 bits as two words, the high one signed."""
    return number >> 64, number & (2**64 - 1)


def _number(node: ir.Const) -> Fraction | None:
    """A constant as windows count: a decimal as it is written; times in microseconds, which may be broken."""
    value = node.value
    if node.type.kind in ("duration", "timestamp"):
        seconds, nanos = (value.seconds, value.nanos) if isinstance(value, Duration | Timestamp) else value
        return Fraction(seconds * BILLION + nanos, 1000)
    if node.type.kind in ("int", "uint"):
        return Fraction(int(value))
    if node.type.kind == "double" and math.isfinite(value):
        return Fraction(repr(value))
    return None


def thresholds(form: ValueForm, bound: Fraction, right: ir.Const) -> tuple[int, int]:
    """Of values as keys those above `c`, and those from `c` on: the first key."""
    if form == ValueForm.DOUBLE:
        return _double_thresholds(bound if right.type.kind != "double" else Fraction(right.value))
    shift = 2**63 if form == ValueForm.UINT else 0
    within, under = math.floor(bound) + 1 - shift, math.ceil(bound) - shift
    return max(-(2**64), min(within, 2**64)), max(-(2**64), min(under, 2**64))


def _double_thresholds(bound: Fraction) -> tuple[int, int]:
    try:
        near = float(bound)
    except OverflowError:
        near = math.inf if bound > 0 else -math.inf
    key = double_key(near)
    if math.isinf(near):
        return (key, key) if near > 0 else (key + 1, key + 1)
    exact = Fraction(near)
    return (key + 1 if exact <= bound else key), (key if exact >= bound else key + 1)


def double_key(value: float) -> int:
    """An int that is in order with a double; of -0.0 that of 0.0."""
    (bits,) = struct.unpack("<q", struct.pack("<d", value + 0.0))
    return int(bits if bits >= 0 else -(2**63) - bits)
