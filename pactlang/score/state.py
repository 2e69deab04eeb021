"""The state of a score as bytes, and back.

In: a `Tally`.  Out: bytes, the same for the same verdicts in whatever order, over however many workers and in
whatever tree they were added up.

    State, version 1: "PACTSCOR", the version in two bytes, SHA-256 of the rest, msgpack of `Saved`.

Numbers beyond 64 bits are bytes, little-endian, as short as they can be.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from pactlang._runtime import Tally
from pactlang.score.plan import STEPS, Plan

VERSION = 1
MAGIC = b"PACTSCOR"
NEVER = -(2**63 - 1)
COUNTS = ("calls", "outside", "duplicates", "untimed", "unchecked", "amended", "dropped")
MOST = 2**53  # calls: what every sum has room for

Number = int | bytes
Interval = tuple[int, int, int | None, int | None]


class Row(Struct, frozen=True, array_like=True):
    """The sums of an epoch; of dimensions and clauses only those that have any, by their numbers."""

    epoch: int
    calls: int
    dropped: int
    dropped_weight: Number
    dimensions: dict[int, tuple[Number, ...]]
    clauses: dict[int, tuple[Number, int, int]]


class Saved(Struct, frozen=True, array_like=True):
    """What a state holds.

    clauses: of each violated, unknown, skipped, waiting, and when it was last broken; None where nothing is.
    totals: of each dimension the point observations, of whatever age, and their sum.
    """

    plan: bytes
    counts: tuple[int, ...]
    newest: int | None
    oldest: int | None
    clauses: tuple[tuple[int, int, int, int, int | None] | None, ...]
    totals: tuple[tuple[int, int], ...]
    rows: tuple[Row, ...]
    timeless: Row | None
    numbers: tuple[tuple[str, tuple[Interval, ...]], ...]


def save(plan: Plan, tally: Tally) -> bytes:
    """The bytes of a state."""
    return sealed(MAGIC, VERSION, msgspec.msgpack.encode(saved(plan, tally)))


def sealed(magic: bytes, version: int, body: bytes) -> bytes:
    """A body behind its magic, its version and its hash."""
    return magic + version.to_bytes(2, "little") + sha256(body).digest() + body


def unsealed(magic: bytes, version: int, data: bytes, what: str) -> bytes:
    """The body of what `sealed` made; ValueError if it is not `what`, of another version, or changed."""
    head = len(magic) + 2
    if data[: len(magic)] != magic:
        raise ValueError(f"this is no {what}")
    found = int.from_bytes(data[len(magic) : head], "little")
    if found != version:
        raise ValueError(f"version {found} of states is not known here")
    body = data[head + 32 :]
    if sha256(body).digest() != data[head : head + 32]:
        raise ValueError("the state is cut short or was changed")
    return body


def saved(plan: Plan, tally: Tally) -> Saved:
    """The parts of a state."""
    timeless = tally.without_time()
    return Saved(
        plan.digest, tuple(getattr(tally, name) for name in COUNTS),
        known(tally.newest), known(tally.oldest),
        tuple(counts if any(counts) else None for counts in tally.clause_counts()),
        tuple(tally.totals()),
        tuple(packed(epoch, row) for epoch, row in tally.epochs().items()),
        None if timeless is None else packed(0, timeless),
        tuple((worker, tuple(tally.numbers[worker].intervals())) for worker in sorted(tally.numbers)),
    )  # fmt: skip


def known(time: int) -> int | None:
    """A time in microseconds; None for the mark of none."""
    return None if time == NEVER else time


def packed(epoch: int, row: Any) -> Row:
    """A row without what is zero."""
    calls, dropped, weight, dimensions, clauses = row
    return Row(
        epoch, calls, dropped, short(weight),
        {i: tuple(map(short, sums)) for i, sums in enumerate(dimensions) if any(sums)},
        {i: (short(cost), *counts) for i, (cost, *counts) in enumerate(clauses) if cost or any(counts)},
    )  # fmt: skip


def short(number: int) -> Number:
    """A number as msgpack can hold it."""
    return number if number < 1 << 63 else number.to_bytes((number.bit_length() + 7) // 8, "little")


def load(plan: Plan, data: bytes) -> Tally:
    """A state from its bytes; ValueError with the reason if they are none, or of another pact."""
    state = read(data)
    if state.plan != plan.digest:
        raise ValueError("the state is of another pact, or of another version of this one")
    tally = plan.tally()
    try:
        fill(plan, tally, state)
    except (IndexError, TypeError, OverflowError) as error:
        raise ValueError(f"the state is damaged: {error}") from None
    if save(plan, tally) != bytes(data):
        raise ValueError("the state is damaged: it is not written as it should be")
    return tally


def read(data: bytes) -> Saved:
    """The parts of a state, with the right digest and version."""
    body = unsealed(MAGIC, VERSION, bytes(data), "state of a score")
    try:
        return msgspec.msgpack.decode(body, type=Saved)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"the state is damaged: {error}") from None


def fill(plan: Plan, tally: Tally, state: Saved) -> None:
    """Put what was saved into an empty tally; ValueError for numbers that no calls can have."""
    require(len(state.counts) == len(COUNTS) and len(state.clauses) == len(plan.names))
    for name, count in zip(COUNTS, state.counts, strict=True):
        require(0 <= count <= MOST)
        setattr(tally, name, count)
    judged = state.counts[0] + state.counts[COUNTS.index("amended")]
    for row in (*state.rows, *((state.timeless,) if state.timeless else ())):
        require(all(sums[0] <= judged for sums in row.dimensions.values() if isinstance(sums[0], int)))
    none = (0, 0, 0, 0, None)
    for counts in state.clauses:
        require(counts is None or all(abs(count) <= MOST for count in counts[:4]))
        require(counts is None or (min(counts[:3]) >= 0 and sum(counts[:4]) <= state.counts[0]))
    require(len(state.totals) == len(plan.dimensions))
    require(all(0 <= good <= 1000 * points and points <= MOST for points, good in state.totals))
    tally.take_counts([c or none for c in state.clauses], list(state.totals), state.newest, state.oldest)
    require((state.newest is None) == (state.oldest is None))
    for row in state.rows:
        require(oldest_epoch(plan, state) <= row.epoch <= tally.top)
        tally.take_row(row.epoch, unpacked(plan, row))
    if state.timeless is not None:
        tally.take_row(None, unpacked(plan, state.timeless))
    newest = None if state.newest is None else plan.step_of(state.newest)
    for worker, intervals in state.numbers:
        steps = [step for each in intervals for step in each[2:] if step is not None]
        require(not steps or (newest is not None and max(steps) <= newest))
        tally.take_numbers(worker, list(intervals))


def oldest_epoch(plan: Plan, state: Saved) -> int:
    """The epoch of the oldest call."""
    require(state.oldest is not None)
    return plan.step_of(state.oldest or 0) // STEPS


def unpacked(plan: Plan, row: Row) -> Any:
    """A row with all its zeros."""
    require(0 <= row.calls <= MOST and 0 <= row.dropped <= MOST)
    dimensions = [sums_of(row.dimensions.get(i)) for i in range(len(plan.dimensions))]
    clauses = [clause_of(row.clauses.get(i)) for i in range(len(plan.names))]
    weight = long(row.dropped_weight)
    require(row.dropped << 20 <= weight <= row.dropped << 21)
    return row.calls, row.dropped, weight, dimensions, clauses


def sums_of(sums: Iterable[Number] | None) -> tuple[int, ...]:
    """The twelve sums of a dimension, which must be possible."""
    if sums is None:
        return (0,) * 12
    found = tuple(map(long, sums))
    require(len(found) == 12)
    calls, points, w, w2, pw, pw2, pg, pw2g, pw2gg, lg, lw2g, lw2gg = found
    require(0 <= points <= calls <= MOST)
    require(calls << 20 <= w <= calls << 21 and calls << 40 <= w2 <= calls << 42)
    require(points << 20 <= pw <= min(w, points << 21) and points << 40 <= pw2 <= min(w2, points << 42))
    require(pg <= 1000 * pw and pw2gg <= 1000 * pw2g <= 1_000_000 * pw2)
    require(lg <= 1000 * w and lw2gg <= 1000 * lw2g <= 1_000_000 * w2)
    return found


def clause_of(sums: tuple[Number, int, int] | None) -> tuple[int, int, int]:
    """What a clause has cost in an epoch, and how often it was broken and said nothing."""
    if sums is None:
        return 0, 0, 0
    cost, broken, untold = sums
    require(0 <= broken <= MOST and abs(untold) <= MOST and long(cost) <= 1000 * (broken << 21))
    return long(cost), broken, untold


def long(number: Number) -> int:
    """What `short` made, as an int from 0 on."""
    found = number if isinstance(number, int) else int.from_bytes(number, "little")
    require(0 <= found < 1 << 126)
    return found


def require(holds: bool) -> None:
    """ValueError unless a condition of a state holds."""
    if not holds:
        raise ValueError("the state is damaged: no calls can have these numbers")
