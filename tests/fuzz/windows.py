"""The target of windows and its inputs: a number of a `keep`, saved windows, SEPARATOR, calls of 8 bytes each.

Promises: bytes are refused and leave nothing, or are windows, which are written as they were read; whatever is
fed then is said of it what there is to say; and windows go on from their bytes, and add up, as they were.
"""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

import pactlang
from pactlang._runtime import Windows
from pactlang.opcodes import KeepStep

SEPARATOR = b"\n---\n"
RECORD = "record R { time: timestamp(us) a: int? x: double? ok: bool? k: string? }"
KEEPS = (
    "keep count(where ok) <= 3 over 1s by k limit 2", "keep rate(ok) > 0.5 over 3 calls by k min 1 calls",
    "keep sum(x) - min(x) <= 5.0 over 1s and 100s", "keep max(a) < 9 over 5 calls",
    "keep p90(x) < 2.0 * p50(x) over 1s by a min 1 calls", "keep p95(a) < 3 over 4s and 9 calls min 1 calls",
    "keep distinct(k) < 3 over 1s", "when ok keep distinct(x) < 300 over 1000 calls by k limit 1",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None,
    Exception,
    True,
    False,
    0,
    1,
    -(2**63),
    2**63 - 1,
    1.5,
    -0.0,
    1e308,
    "a",
    "b",
    "",
)
TIMES = (0, 1, 16_000, 17_000, 10**6, -(10**6), 10**15, -(10**15))
MOST = 400  # calls of one input


@cache
def table(number: int) -> tuple[Any, int]:
    """The table of a `keep`, and how many registers it reads."""
    program = pactlang.compile(f'pact p "1.0.0" on R\n{RECORD}\nclause c {{ {KEEPS[number]} }}')
    state = program.core.state
    assert state is not None
    (keep,) = state.keeps
    used = [keep.when, *keep.keys, *(r for figure in keep.figures for r in (figure.value, figure.where))]
    used += [number for what, number, _ in (*keep.left, *keep.right) if what == KeepStep.PUT]
    return keep.table, max(used) + 1


def fresh(number: int) -> Windows:
    made, registers = table(number)
    return Windows([made], registers, 1, b"0123456789abcdef")


def feed(windows: Windows, registers: int, calls: bytes) -> list[tuple[int, int, int]]:
    """What is said of each call: its first byte is how much later it is, the others are values."""
    said, time = [], 1_760_000_000_000_000
    for at in range(0, min(len(calls), 8 * MOST) - 7, 8):
        call = calls[at : at + 8]
        time += TIMES[call[0] % len(TIMES)]
        when = max(-(2**55), min(time, 2**55))
        if call[0] > 250:
            windows.doubt_call(0, when)
            continue
        row = [VALUES[call[1 + i % 7] % len(VALUES)] for i in range(registers)]
        said.append(windows.feed(0, None if call[0] > 245 else when, row))
    return said


def windows_target(data: bytes) -> str:
    """Any bytes are refused or are windows; these go on, are saved and add up."""
    number = data[0] % len(KEEPS) if data else 0
    saved, _, calls = data[1:].partition(SEPARATOR)
    registers, made = table(number)[1], fresh(number)
    word = "new"
    if saved:
        try:
            made.load(saved)
            word = "taken"
        except ValueError:
            word = "refused"
            _kept(made.to_bytes() == fresh(number).to_bytes(), "what was refused left something")
    again = fresh(number)
    again.load(made.to_bytes())
    said = feed(made, registers, calls)
    _kept(feed(again, registers, calls) == said, "they do not go on as they were")
    _kept(again.to_bytes() == made.to_bytes(), "they are not what they were")
    if "calls" not in KEEPS[number].partition(" min ")[0]:
        whole = fresh(number).merge(made).to_bytes(False)
        _kept(made.merge(fresh(number)).to_bytes(False) == whole, "nothing added changes them")
    return f"{number} {word} {sorted({(outcome, why) for outcome, why, _ in said})}"


def _kept(kept: bool, what: str) -> None:
    if not kept:
        raise AssertionError(what)


def make_windows(one: bytes, other: bytes, rng: Random) -> bytes:
    """Windows that were fed, some with bytes changed, and calls; or an input of the pool with other calls."""
    number = rng.randrange(len(KEEPS))
    calls = bytes(rng.randrange(256) for _ in range(8 * rng.choice((1, 5, 30, MOST))))
    if rng.random() < 0.3:
        return one.partition(SEPARATOR)[0] + SEPARATOR + calls
    made = fresh(number)
    feed(made, table(number)[1], calls)
    saved = bytearray(made.to_bytes())
    for _ in range(rng.choice((0, 1, 1, 2, 8))):
        at = rng.randrange(len(saved))
        saved[at] = rng.choice((0, 1, 127, 128, 255, saved[at] ^ 1 << rng.randrange(8)))
    del saved[rng.choice((len(saved), len(saved), rng.randrange(len(saved)))) :]
    more = other.partition(SEPARATOR)[2] if rng.random() < 0.3 else bytes(reversed(calls))
    return bytes([number]) + bytes(saved) + SEPARATOR + more
