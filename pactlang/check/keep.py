"""Population promises: `keep COMPARISON over WINDOWS by KEYS min N calls`.

In: `syntax.Keep`.  Out: `ir.Keep`, or None.  The sides of the comparison are arithmetic over aggregates
and constants; what an aggregate is about is an expression about one call, and no aggregate stands in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pactlang import ir, syntax
from pactlang.check.agree import NUMBERS
from pactlang.check.report import an
from pactlang.diagnostic import Fix
from pactlang.schema import DOUBLE, INT, Type
from pactlang.source import Span

if TYPE_CHECKING:
    from pactlang.check.walk import Scope, Walk

COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})
ADDED = NUMBERS | {"duration", "dyn"}  # what `sum` adds and `avg` averages
ORDERED = ADDED | {"timestamp"}  # what has a least and a greatest
# Of an aggregate: the types that it is about, in words; None: conditions, and anything at all.
ABOUT = {
    "sum": (ADDED, "numbers and durations"), "avg": (ADDED, "numbers and durations"),
    "min": (ORDERED, "numbers and times"), "max": (ORDERED, "numbers and times"),
    "quantile": (ADDED, "numbers and durations"), "rate": ({"bool", "dyn"}, "conditions"),
    "burn_rate": ({"bool", "dyn"}, "conditions"),
}  # fmt: skip
AGGREGATES = frozenset({*ABOUT, "count", "distinct"})
SECOND = {"quantile": "0.95", "burn_rate": "0.999"}  # those with a number behind the value, and an example

# Of a comparison: what may stand around its aggregates.
FUNCTIONS = frozenset("_+_ _-_ _*_ _/_ _%_ -_ double int uint dyn _<_ _<=_ _>_ _>=_ _==_ _!=_".split())

MOST_CALLS = 100_000  # of a window: each group keeps them
MOST_NANOS = 3_660 * 86_400 * 10**9  # ten years
MOST_WINDOWS, MOST_KEYS, MOST_AGGREGATES = 4, 8, 16
MOST_GROUPS = 1_000_000
MOST_DIGITS = 9  # of q and of an objective: exact as a fraction whose product with any count fits


class Keeps:
    """Checks the `keep`s of one pact."""

    def __init__(self, walk: Walk, scope: Scope) -> None:
        """scope: with what `when` says of the calls that are looked at."""
        self.walk, self.report, self.scope = walk, walk.report, scope

    def check(self, keep: syntax.Keep) -> ir.Keep | None:
        """The promise; None if a part of it failed."""
        comparison = self._comparison(keep.comparison)
        windows = self._windows(keep.windows)
        keys = tuple(self.walk.infer(key, self.scope) for key in keep.keys)
        limit = self._number(keep.limit, MOST_GROUPS)
        minimum = self._number(keep.minimum, 10**9)
        if len(keys) > MOST_KEYS:
            self.report.error(
                "out-of-range", f"expected at most {MOST_KEYS} keys, found {len(keys)}", keep.keys[-1].span
            )
            return None
        if comparison is None or windows is None or limit is None or minimum is None:
            return None
        if any(key.type.kind == "error" for key in keys):
            return None
        return ir.Keep(comparison, windows, keys, limit, minimum)

    # The comparison ------------------------------------------------------------------------

    def _comparison(self, written: syntax.Expr) -> ir.Expr | None:
        if not isinstance(written, syntax.Binary) or written.op not in COMPARISONS:
            self.report.error(
                "no-comparison", "expected a comparison after `keep`", written.span,
                help=("write one like `p95(latency) <= 2s` or `rate(ok) >= 0.99`",),
            )  # fmt: skip
            return None
        before, self.walk.aggregates = self.walk.aggregates, True
        node = self.walk.infer(written, self.scope)
        self.walk.aggregates = before
        if node.type.kind == "error":
            return None
        return node if self._only_aggregates(node, written.span) else None

    def _only_aggregates(self, node: ir.Expr, span: Span) -> bool:
        """Whether all that is not constant is an aggregate, and there is one, and not too many."""
        found = 0
        for part in _outside(node):
            if isinstance(part, ir.Aggregate):
                found += 1
            elif isinstance(part, ir.Call) and part.function not in FUNCTIONS:
                self.report.error(
                    "no-comparison", "expected arithmetic over aggregates and constants",
                    self.walk.span(part),
                    help=("`+ - * / %`, `double(...)`, `int(...)` and `uint(...)` may stand here",),
                )  # fmt: skip
                return False
            elif not isinstance(part, ir.Call | ir.Const):
                self.report.error(
                    "not-an-aggregate", f"`{self.walk.text(part)}` is about one call, and this about many",
                    self.walk.span(part), help=("say which of many is meant: `avg(...)`, `max(...)`",),
                )  # fmt: skip
                return False
        if not found:
            self.report.error(
                "not-an-aggregate", "no aggregate stands in this comparison", span,
                help=("write one like `p95(latency)`, `rate(ok)` or `count()`",),
            )  # fmt: skip
        if found > MOST_AGGREGATES:
            self.report.error("out-of-range", f"expected at most {MOST_AGGREGATES} aggregates", span)
        return 0 < found <= MOST_AGGREGATES

    # Numbers -------------------------------------------------------------------------------

    def _windows(self, written: tuple[syntax.Window, ...]) -> tuple[ir.Window, ...] | None:
        if len(written) > MOST_WINDOWS:
            self.report.error(
                "out-of-range", f"expected at most {MOST_WINDOWS} windows, found {len(written)}",
                written[-1].span,
            )  # fmt: skip
            return None
        found = [self._window(window) for window in written]
        good = tuple(window for window in found if window is not None)
        return good if len(good) == len(found) else None

    def _window(self, window: syntax.Window) -> ir.Window | None:
        if window.nanos is not None:
            if 10**6 <= window.nanos <= MOST_NANOS:
                return ir.Window(window.nanos, -1)
            self.report.error("out-of-range", "expected a time from 1ms to 3660d", window.span)
            return None
        calls = window.calls
        if isinstance(calls, int) and 1 <= calls <= MOST_CALLS:
            return ir.Window(-1, calls)
        self.report.error(
            "out-of-range", f"expected a whole number of calls from 1 to {MOST_CALLS:,}", window.span
        )
        return None

    def _number(self, number: syntax.Number | None, most: int) -> int | None:
        """-1 for a number that is not written, None for one that is wrong."""
        if number is None:
            return -1
        if isinstance(number.value, int) and 1 <= number.value <= most:
            return number.value
        self.report.error("out-of-range", f"expected a whole number from 1 to {most:,}", number.span)
        return None


def _outside(node: ir.Expr) -> Iterator[ir.Expr]:
    """The nodes of a comparison that stand in no aggregate."""
    yield node
    for part in () if isinstance(node, ir.Aggregate) else ir.parts(node):
        yield from _outside(part)


# One aggregate -------------------------------------------------------------------------------


def is_quantile(name: str) -> bool:
    """`p95`, `p999`: a percentile."""
    return name[:1] == "p" and name[1:].isdigit()


def is_aggregate(walk: Walk, expr: syntax.Call) -> bool:
    """Whether a call is one of an aggregate, where aggregates may stand."""
    return walk.aggregates and expr.target is None and (
        expr.where is not None or expr.function in AGGREGATES or is_quantile(expr.function)
    )  # fmt: skip


def aggregate(walk: Walk, expr: syntax.Call, scope: Scope) -> ir.Expr:
    """`p95(x where e)` and the like."""
    walk.aggregates = False
    try:
        node = _aggregate(walk, expr, scope)
    finally:
        walk.aggregates = True
    return walk.error(expr.span) if node is None else node


def _aggregate(walk: Walk, expr: syntax.Call, scope: Scope) -> ir.Aggregate | None:
    name = expr.function
    kind = "quantile" if is_quantile(name) else name
    if kind not in AGGREGATES:
        walk.report.unknown("aggregate", name, expr.name_span, (*sorted(AGGREGATES), "p50", "p95", "p99"))
        return None
    wanted = 1 + (name in SECOND)
    if len(expr.args) != wanted and not (name == "count" and not expr.args):
        _wrong_count(walk, expr, wanted)
        return None
    where = None if expr.where is None else walk.condition(expr.where, scope, "after `where`")
    facts = scope.facts if where is None else scope.facts | walk.known.when(where, True)
    value = walk.infer(expr.args[0], scope._replace(facts=facts, atom=None)) if expr.args else None
    number = _fraction(walk, expr, kind)
    if number is None or any(part is not None and part.type.kind == "error" for part in (value, where)):
        return None
    if value is not None and not _fits(walk, expr, kind, value):
        return None
    return ir.Aggregate(_type(kind, value), expr.span, kind, value, where, number)


def _wrong_count(walk: Walk, expr: syntax.Call, wanted: int) -> None:
    name = expr.function
    form = f"{name}(x, {SECOND[name]})" if name in SECOND else f"{name}(x)"
    help = f"write `{form}`" if name != "count" else "write `count()` or `count(where e)`"
    walk.report.error(
        "wrong-arguments", f"`{name}` takes other arguments, found {len(expr.args)}", expr.name_span,
        help=(help,),
    )  # fmt: skip


def _fits(walk: Walk, expr: syntax.Call, kind: str, value: ir.Expr) -> bool:
    span = expr.args[0].span
    if kind == "count" and value.type.kind == "bool":
        text = walk.report.text(span)
        walk.report.error(
            "wrong-operand", "to count the calls of which this is true, say `where`", span,
            fix=Fix(span, f"where {text}", "count where it is true") if expr.where is None else None,
        )  # fmt: skip
        return False
    kinds, words = ABOUT.get(kind, (None, ""))
    if kinds is None or value.type.kind in kinds:
        return True
    walk.report.error(
        "wrong-operand", f"`{expr.function}` is about {words}, found {an(value.type.plain)}", span
    )
    return False


def _fraction(walk: Walk, expr: syntax.Call, kind: str) -> tuple[int, int] | None:
    """q or the objective as a fraction; (0, 1) where there is none, None if it is wrong."""
    if kind not in SECOND:
        return 0, 1
    name = expr.function
    if name not in SECOND:
        return _percentile(walk, expr)
    node = walk.infer(expr.args[1], walk.nowhere)
    if node.type.kind == "error":
        return None
    found = Fraction(0)
    if isinstance(node, ir.Const) and node.type.kind == "double" and abs(node.value) < 1:
        found = Fraction(repr(node.value))
    if 0 < found < 1 and found.denominator <= 10**MOST_DIGITS:
        return found.numerator, found.denominator
    walk.report.error(
        "out-of-range", f"expected a number between 0 and 1, of at most {MOST_DIGITS} digits",
        expr.args[1].span, help=(f"write one like `{SECOND[name]}`",),
    )  # fmt: skip
    return None


def _percentile(walk: Walk, expr: syntax.Call) -> tuple[int, int] | None:
    """`p95` is 95/100, `p999` 999/1000."""
    digits = expr.function[1:]
    found = Fraction(int(digits), 10 ** len(digits)) if len(digits) <= MOST_DIGITS else Fraction(0)
    if len(digits) >= 2 and found:
        return found.numerator, found.denominator
    walk.report.error(
        "out-of-range", f"`{expr.function[:12]}` is no percentile", expr.name_span,
        help=("write one like `p50`, `p95` or `p999`, which is 99.9 %",),
    )  # fmt: skip
    return None


def _type(kind: str, value: ir.Expr | None) -> Type:
    if value is None or kind in ("count", "distinct"):
        return INT
    if kind in ("rate", "burn_rate") or value.type.kind == "dyn":
        return DOUBLE
    if kind == "avg" and value.type.kind in NUMBERS:
        return DOUBLE
    return replace(value.type, nullable=False)
