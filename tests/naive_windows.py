"""`keep` by its words: every window gathered anew from all calls so far, in Python's own numbers.

In: a checked `ir.Keep` whose aggregates, keys and `when` are plain fields, and calls as dicts; `ERROR` is an
error value.  Out: per call what is said of it.  Which groups stand alone is settled by `rank`, the hash.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations_with_replacement, product
from typing import Any, NamedTuple

from pactlang import ir
from pactlang.evaluate import Error
from pactlang.values import Duration, Timestamp

ERROR = Exception
PANES = 61
COMPARE = {
    "_<_": operator.lt, "_<=_": operator.le, "_>_": operator.gt, "_>=_": operator.ge, "_==_": operator.eq,
    "_!=_": operator.ne,
}  # fmt: skip
ARITHMETIC = {"_+_": operator.add, "_-_": operator.sub, "_*_": operator.mul}
SHARES = ("rate", "avg", "burn_rate")

Call = Any  # a dict of fields, or whatever has a `value` of expressions


class Entered(NamedTuple):
    """A call that entered the windows of its group, the `at`th of all."""

    at: int
    time: int | None
    group: Any
    call: Call


class Doubt(NamedTuple):
    """A call that may be in the windows of its group, of any (None), or not; before the `at`th one that is."""

    at: int
    time: int | None
    group: Any


class Naive:
    """One promise about many calls."""

    def __init__(self, keep: ir.Keep, when: ir.Expr | None, rank: Callable[[Call], Any], limit: int) -> None:
        self.keep, self.when, self.rank, self.limit = keep, when, rank, limit
        self.calls: list[Entered] = []
        self.doubts: list[Doubt] = []
        self.groups: list[Any] = []
        self.violated: dict[Any, bool] = {}
        self.by_order = any(window.calls > 0 for window in keep.windows)  # which groups stand alone

    def feed(self, time: int | None, call: Call) -> tuple[str, str, bool]:
        """(outcome, reason, whether consequences fire)."""
        admits = True if self.when is None else field(self.when, call)
        timed = [window.nanos for window in self.keep.windows if window.nanos >= 0]
        if admits is False:
            return "skipped", "", False
        if timed and time is None:
            return "unknown", "no time", False
        if any(field(key, call) is ERROR for key in self.keep.keys):
            self.doubts.append(Doubt(len(self.calls), time, None))
            return "unknown", "error", False
        group = self.rank(call) if self.keep.keys else ()
        if admits is not True and self.keep.keys and self.by_order and group not in self.groups[: self.limit]:
            self.doubts.append(Doubt(len(self.calls), time, None))
            return "unknown", "error", False
        if group not in self.groups:
            self.groups.append(group)
            for moved in [g for g in self.violated if g != self.of(g) and g != "other"]:
                self.violated["other"] = self.violated.pop(moved) or self.violated.get("other", False)
        if admits is not True:
            self.doubts.append(Doubt(len(self.calls), time, group))
            return "unknown", "error", False
        of = self.of(group)
        members = [each for each in self.calls if self.of(each.group) == of]
        if len(timed) == len(self.keep.windows) and all(late(time, members, nanos) for nanos in timed):
            return "unknown", "late", False
        self.calls.append(Entered(len(self.calls), time, group, call))
        return self.judged(of, [*members, self.calls[-1]])

    def doubt(self, time: int | None) -> None:
        """A call comes of which nobody knows whether it is in a window."""
        if time is not None or not any(window.nanos >= 0 for window in self.keep.windows):
            self.doubts.append(Doubt(len(self.calls), time, None))

    def of(self, group: Any) -> Any:
        """The group itself, or "other"."""
        ordered = self.groups if self.by_order else sorted(self.groups)
        return group if group == () or group in ordered[: self.limit] else "other"

    def judged(self, of: Any, members: list[Entered]) -> tuple[str, str, bool]:
        mine = [doubt for doubt in self.doubts if doubt.group is None or self.of(doubt.group) == of]
        answers = [
            self.answer(within(members, window), doubted(mine, members, window))
            for window in self.keep.windows
        ]
        if True in answers:
            self.violated[of] = False
            return "satisfied", "", False
        if None in answers:
            return "unknown", "error", False
        if "insufficient" in answers:
            return "unknown", "insufficient", False
        before = self.violated.get(of, False)
        self.violated[of] = True
        return "violated", "", not before

    def answer(self, calls: list[Call], doubts: int | None) -> bool | str | None:
        """Of one window: true, false, None for unknown, or "insufficient".  doubts: how many calls may be in it
        beside these; None: it may be another window."""
        nodes = (node for node in ir.nodes(self.keep.comparison) if isinstance(node, ir.Aggregate))
        figures = {repr(node): Gathered(node, calls) for node in nodes}
        for found in figures.values():
            if found.evidence < minimum(found.node, self.keep.minimum):
                return "insufficient"
            found.errors += doubts or 0
        if doubts is None:
            return None
        comparison = self.keep.comparison
        assert isinstance(comparison, ir.Call)
        simple = sum(map(is_figure, comparison.args)) == 1 and len(figures) == 1
        both_ways = simple and next(iter(figures.values())).node.kind in (
            "count",
            "rate",
            "burn_rate",
            "quantile",
        )
        if not both_ways and any(found.errors for found in figures.values()):
            return None
        bounds = [side(arg, {}) for arg in comparison.args if isinstance(arg, ir.Const)]
        read = [dict(zip(figures, reading, strict=True))
                for reading in product(*(found.readings(bounds) for found in figures.values()))]  # fmt: skip
        said = {self.holds(comparison, reading) for reading in read}
        if comparison.function in ("_==_", "_!=_"):  # between two shares there is every other
            said |= (
                {not each for each in said} if len({self.order(comparison, r) for r in read}) > 1 else set()
            )
        return said.pop() if len(said) == 1 else None

    def order(self, node: ir.Call, values: dict[str, Any]) -> bool:
        left, right = (side(arg, values) for arg in node.args)
        return bool(left < right)

    def holds(self, node: ir.Call, values: dict[str, Any]) -> bool:
        left, right = (side(arg, values) for arg in node.args)
        return bool(COMPARE[node.function](left, right))


def is_figure(node: ir.Expr) -> bool:
    return isinstance(node, ir.Aggregate)


def side(node: ir.Expr, values: dict[str, Any]) -> Any:
    if isinstance(node, ir.Aggregate):
        return values[repr(node)]
    if isinstance(node, ir.Const):
        return plain(node.value, node.type.kind)
    assert isinstance(node, ir.Call)
    return ARITHMETIC[node.function](*(side(arg, values) for arg in node.args))


def plain(value: Any, kind: str) -> Any:
    """A value as a Fraction (times in microseconds), decimals as they are written."""
    if kind in ("duration", "timestamp"):
        seconds, nanos = value if isinstance(value, tuple) else (value.seconds, value.nanos)
        return Fraction(seconds * 10**9 + nanos, 1000)
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(int(value))


def minimum(node: ir.Aggregate, written: int) -> int:
    if written > 0:
        return written
    if node.kind == "quantile":
        return max(30, math.ceil(1 / (1 - Fraction(*node.number))))
    return 30 if node.kind in SHARES else 1


def field(node: ir.Expr, call: Call) -> Any:
    if isinstance(node, ir.Const):
        return node.value
    if not isinstance(call, dict):
        found = call.value(node)
        return ERROR if isinstance(found, Error) else found
    assert isinstance(node, ir.Slot)
    return call[FIELDS[node.slot]]


FIELDS: list[str] = []  # by slot; set by the test


class Gathered:
    """The values of one aggregate in a window."""

    def __init__(self, node: ir.Aggregate, calls: list[Call]) -> None:
        self.node, self.values, self.errors, self.evidence = node, list[Any](), 0, 0
        for call in calls:
            self.take(call)

    def take(self, call: Call) -> None:
        node = self.node
        takes_part = True if node.where is None else field(node.where, call)
        value = True if node.value is None else field(node.value, call)
        if takes_part not in (True, False) or (takes_part and value is ERROR):
            self.errors += 1
            return
        used = takes_part and value is not None
        self.evidence += used or node.kind == "count"
        if used and node.kind in ("sum", "avg") and isinstance(value, float) and abs(value) > 1e18:
            self.evidence -= 1
            self.errors += 1
        elif used:
            self.values.append(value)

    def readings(self, bounds: list[Any]) -> list[Any]:
        """The figure for each way in which the error values may be read: left out, or as any value; of
        those that one may be compared with, `bounds`, the value itself, and one below and above all."""
        kind, node = self.node.kind, self.node
        if kind == "count":
            return [Fraction(len(self.values) + i) for i in range(self.errors + 1)]
        if kind in ("rate", "burn_rate"):
            return [
                self.share(hits, misses) for hits, misses in self.splits() if self.values or hits + misses
            ]
        if kind == "quantile":
            values = [-Fraction(10**400), *bounds, Fraction(10**400)]
            sizes = range(self.errors + 1)
            more = (part for n in sizes for part in combinations_with_replacement(values, n))
            return [self.quantile(list(part)) for part in more]
        if kind == "distinct":
            return [Fraction(len(set(map(told, self.numbers()))))]
        numbers = self.numbers()
        total = sum(map(billionths, numbers)) if kind in ("sum", "avg") else Fraction(0)
        found = {"sum": lambda: total, "avg": lambda: total / len(numbers), "min": lambda: min(numbers),
                 "max": lambda: max(numbers)}  # fmt: skip
        assert node.value is not None
        return [Fraction(found[kind]())]

    def splits(self) -> list[tuple[int, int]]:
        n = self.errors
        return [(i, j) for i in range(n + 1) for j in range(n + 1 - i)]

    def share(self, hits: int, misses: int) -> Fraction:
        wanted = self.node.kind == "rate"
        found = Fraction(self.values.count(wanted) + hits, len(self.values) + hits + misses)
        return found if wanted else found / (1 - Fraction(*self.node.number))

    def quantile(self, more: list[Fraction]) -> Fraction:
        ordered = sorted([*self.numbers(), *more])
        return ordered[math.ceil(Fraction(*self.node.number) * len(ordered)) - 1]

    def numbers(self) -> list[Any]:
        assert self.node.value is not None
        kind = self.node.value.type.kind
        if kind in ("duration", "timestamp", "int", "uint"):
            return [plain(value, kind) for value in self.values]
        return [Fraction(repr(value)) if isinstance(value, float) else value for value in self.values]


def told(value: Any) -> str:
    """A value as text, a number by its value."""
    is_number = isinstance(value, int | float | Fraction) and not isinstance(value, bool)
    return repr(Fraction(value) if is_number else value)


def billionths(number: Fraction) -> Fraction:
    """Half to even, of the double that the decimal stands for."""
    exact = number if number.denominator == 1 else Fraction(float(number))
    return Fraction(round(exact * 10**9), 10**9)


def width(nanos: int) -> int:
    """Microseconds of a pane."""
    return math.ceil(Fraction(nanos, 60 * 10**6)) * 1000


def pane(time: int, nanos: int) -> int:
    return time // width(nanos)


def late(time: int | None, members: list[Entered], nanos: int) -> bool:
    times = [each.time for each in members if each.time is not None]
    assert time is not None
    return bool(times) and pane(time, nanos) <= pane(max(times), nanos) - PANES


def within(members: list[Entered], window: ir.Window) -> list[Call]:
    """The calls of a window: the last ones, or those of the newest pane and the 60 before."""
    if window.calls > 0:
        return [each.call for each in members[-window.calls :]]
    panes = [(pane(each.time, window.nanos), each.call) for each in members if each.time is not None]
    newest = max(at for at, _ in panes)
    return [call for at, call in panes if at > newest - PANES]


def doubted(doubts: list[Doubt], members: list[Entered], window: ir.Window) -> int | None:
    """How many of the doubts may be in a window; None where its end, or its beginning, hangs on one."""
    if window.calls > 0:
        last = max((doubt.at for doubt in doubts), default=-window.calls)
        known = sum(each.at >= last for each in members)
        return 0 if not doubts or known >= window.calls else None
    panes = [pane(doubt.time, window.nanos) for doubt in doubts if doubt.time is not None]
    newest = max(pane(each.time, window.nanos) for each in members if each.time is not None)
    return None if any(at > newest for at in panes) else sum(at > newest - PANES for at in panes)


__all__ = ["ERROR", "Duration", "Naive", "Timestamp"]
