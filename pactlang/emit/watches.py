"""The tables of `watch`: what its detectors look at, and what they promise.

In: `ir.Watch`, and whoever puts values into registers of their own.  Out: `program.WatchInfo`.

The outcome of another clause is no register: the machine knows it when all that stands before a watch has
judged the call.  So a watch that looks at another stands behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from pactlang import ir
from pactlang.drift import promised_calls
from pactlang.emit.windows import Registers
from pactlang.opcodes import WatchKind
from pactlang.program import WatchInfo

KINDS = {"": WatchKind.RATE, "numbers": WatchKind.NUMBERS, "texts": WatchKind.TEXTS}


def watch_infos(
    module: ir.Module, registers: Registers, digest: Callable[..., bytes]
) -> tuple[WatchInfo, ...]:
    """The tables of all watches, one that looks at another behind it."""
    numbers = {clause.name: number for number, clause in enumerate(module.clauses)}
    calls = promised_calls(module.clauses)
    return tuple(
        WatchInfo(
            numbers[clause.name],
            registers.truth(clause.when),
            tuple(map(registers.value, watch.keys)),
            -1 if watch.value is None else registers.value(watch.value),
            numbers.get(watch.clause, -1),
            int(watch.outcome == "violated"),
            (watch.rate,) if watch.base is None else watch.base.rates,
            calls[clause.name],
            KINDS["" if watch.base is None else watch.base.kind],
            () if watch.base is None else watch.base.edges,
            () if watch.base is None else watch.base.texts,
            digest(*_identity(module.clauses, clause, watch)),
        )
        for clause, watch in in_order(module.clauses)
    )


def in_order(clauses: tuple[ir.Clause, ...]) -> Iterator[tuple[ir.Clause, ir.Watch]]:
    """The watches, each behind the one that it looks at; there is no cycle."""
    waiting = {c.name: (c, c.promise) for c in clauses if isinstance(c.promise, ir.Watch)}
    while waiting:
        ready = [name for name, (_, watch) in waiting.items() if watch.clause not in waiting]
        yield from (waiting.pop(name) for name in ready)


def _identity(clauses: tuple[ir.Clause, ...], clause: ir.Clause, watch: ir.Watch) -> list[object]:
    """What its detectors have seen hangs on, the clauses that it looks at with it."""
    named = {each.name: each for each in clauses}
    found: list[object] = [clause.when, replace(watch, calls=-1, clause="")]
    while watch.clause:
        seen = named[watch.clause]
        found += [seen.when, seen.promise, seen.never]
        if not isinstance(seen.promise, ir.Watch):
            break
        watch = seen.promise
    return found


def placed(info: WatchInfo, place: Callable[[int], int]) -> WatchInfo:
    """The tables with every register in its place; `place` leaves -1 alone."""
    return replace(info, when=place(info.when), keys=tuple(map(place, info.keys)), value=place(info.value))
