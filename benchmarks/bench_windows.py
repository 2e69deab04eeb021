"""Promises over many calls: what a window update costs, a sketch beside others, a merge of two states.

    python -m benchmarks --only windows

The windows are fed in C with the values of one call, a millisecond apart, so that panes come and go; what is
judged is said.  The sketches get the same numbers, and their quantiles are compared with the true ones first:
ddsketch takes them one by one, which is all that it can, KLL as a numpy array.
"""

from __future__ import annotations

import math
import random
import statistics
import time
from array import array
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from measure import Row, frozen, options, parse, report, short

import pactlang
from pactlang._runtime import Sketch, Windows
from pactlang.opcodes import FigureKind

HEAD = 'pact p "1.0.0" on R\nrecord R { time: timestamp(us) x: double? ok: bool? k: string? n: int? }\n'
REGISTERS = 64  # at least as many as any table here names
TARGET = 40  # nanoseconds of an update per clause and group
KEEPS = {
    "count": "keep count(where ok) <= 1000000 over 1h", "rate": "keep rate(ok) > 0.5 over 1h",
    "sum": "keep sum(x) <= 1e15 over 1h", "p95 against a constant": "keep p95(x) < 2.0 over 1h",
    "rate of the last 1,000 calls": "keep rate(ok) > 0.5 over 1000 calls",
    "rate by a text": "keep rate(ok) > 0.5 over 1h by k",
    "rate by a number": "keep rate(ok) > 0.5 over 1h by n",
    "distinct texts": "keep distinct(k) < 5 over 1h",
    "two quantiles' values": "keep p99(x) < 9.0 * p50(x) over 1h",
}  # fmt: skip
FRACTIONS = ((1, 2), (95, 100), (99, 100))


class Kept(NamedTuple):
    """One `keep`'s windows, and the values of its registers."""

    windows: Windows
    row: list[Any]


def kept(text: str, key: Any = "support-agent-7") -> Kept:
    """Empty windows, and a value for each register that the table names: conditions are true."""
    state = pactlang.compile(f"{HEAD}clause c {{ {text} }}").core.state
    assert state is not None
    (keep,) = state.keeps
    row: list[Any] = [None] * REGISTERS
    for each in keep.keys:
        row[each] = key
    for figure in keep.figures:
        if figure.value >= 0:
            row[figure.value] = key if figure.kind == FigureKind.DISTINCT else 1.5 if figure.form else True
        if figure.where >= 0:
            row[figure.where] = True
    return Kept(Windows([keep.table], REGISTERS, 1, b"0" * 16), row)


def updates(chosen: Any) -> list[Row]:
    """Nanoseconds of an update, in turns."""
    made = {name: kept(text) for name, text in KEEPS.items()}
    made["rate by a number"] = kept(KEEPS["rate by a number"], 7)
    count = chosen.records * 100
    spent: dict[str, list[float]] = {name: [] for name in made}
    for name, each in made.items():
        outcome = each.windows.feed(0, 0, each.row)[0]
        if outcome not in (0, 3):
            raise SystemExit(f"{name}: the window says {outcome}")
    at = 0
    with frozen():
        for _ in range(chosen.rounds):
            at += count
            for name, each in made.items():
                before = time.process_time_ns()
                each.windows.repeat(0, at * 1000, 1000, each.row, count)
                spent[name].append((time.process_time_ns() - before) / count)
    rows = []
    for name, times in spent.items():
        least = min(times)
        how = f"ns per clause and group: {short(least)} ({short(statistics.median(times))}); `{KEEPS[name]}`"
        bold = name in ("rate", "rate by a text")
        rows.append(
            Row(f"a window update: {name}", f"<= {TARGET} ns", f"{least:.1f} ns", how, least <= TARGET, bold)
        )
    return rows


def sketches(chosen: Any) -> list[Row]:
    """A number into a sketch, in a batch loop."""
    import numpy
    from datasketches import kll_doubles_sketch
    from ddsketch import DDSketch

    rng = random.Random(5)
    numbers = [math.exp(rng.gauss(0, 2)) for _ in range(chosen.records * 20)]
    data, column = array("d", numbers).tobytes(), numpy.array(numbers)

    def ours() -> Sketch:
        made = Sketch()
        made.add(data)
        return made

    def ddsketch() -> Any:
        made = DDSketch(0.01)
        for number in numbers:
            made.add(number)
        return made

    def kll() -> Any:
        made = kll_doubles_sketch(200)
        made.update(column)
        return made

    close(numbers, ours().quantile, ddsketch().get_quantile_value)
    ways: dict[str, Callable[[], Any]] = {"ours": ours, "ddsketch": ddsketch, "datasketches KLL": kll}
    spent: dict[str, list[float]] = {name: [] for name in ways}
    with frozen():
        for _ in range(chosen.rounds):
            for name, way in ways.items():
                before = time.process_time_ns()
                way()
                spent[name].append((time.process_time_ns() - before) / len(numbers))
    least = {name: min(times) for name, times in spent.items()}
    said = (f"{name} {short(least[name])} ({short(statistics.median(t))})" for name, t in spent.items())
    mine, best = least["ours"], min(least["ddsketch"], least["datasketches KLL"])
    return [
        Row("a number into a sketch, in a batch loop", "<= 25 ns", f"{mine:.1f} ns",
            f"ns per number: {', '.join(said)}", mine <= 25, True),
        Row("the same against the faster of ddsketch and KLL", "faster", f"{best / mine:.1f}x faster",
            "the same run", best > mine),
    ]  # fmt: skip


def close(numbers: Sequence[float], *asked: Callable[..., Any]) -> None:
    """End the run where ours or ddsketch is not within 1 % of a true quantile.  (KLL promises ranks.)"""
    ordered = sorted(numbers)
    for top, bottom in FRACTIONS:
        true = ordered[math.ceil(top * len(ordered) / bottom) - 1]
        for found in (asked[0](top, bottom), asked[1](top / bottom)):
            if abs(found - true) > 0.0101 * true:
                raise SystemExit(f"the quantile {top}/{bottom} is {found}, not {true}")


def merges(chosen: Any) -> list[Row]:
    """Two states of one keep, each of full windows, into one."""
    rows = []
    for name in ("rate", "two quantiles' values"):
        spent = []
        for round in range(max(3, chosen.rounds)):
            one, other = kept(KEEPS[name]), kept(KEEPS[name])
            column = next(i for i, value in enumerate(one.row) if value is not None)
            for each, seed in ((one, round), (other, round + 1)):
                rng = random.Random(seed)
                numbers = array("d", [math.exp(rng.gauss(0, 1)) for _ in range(6_100)]).tobytes()
                if name == "rate":
                    each.windows.repeat(0, 0, 600_000, each.row, 6_100)
                else:
                    each.windows.feed_column(0, 0, 600_000, each.row, column, numbers)
            before = time.process_time_ns()
            one.windows.merge(other.windows)
            spent.append((time.process_time_ns() - before) / 1000)
        least = min(spent)
        how = f"us: {short(least)} ({short(statistics.median(spent))}); a group of 61 panes, 6,100 calls each"
        rows.append(Row(f"a merge of two windows: {name}", "< 50 us", f"{least:.1f} us", how, least < 50))
    return rows


def main() -> None:
    chosen = parse(options(__doc__))
    rows = [*updates(chosen), *sketches(chosen), *merges(chosen)]
    report("windows", rows, chosen, ["ddsketch", "datasketches"])


if __name__ == "__main__":
    main()
