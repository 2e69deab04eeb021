"""The target of a score's states, and its inputs: bytes of states with numbers changed inside, the hash made right.

A state is refused with a reason, or it can be asked everything, goes on counting, merges with another, and is
written as it was read.
"""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

import msgspec

import pactlang
from pactlang import Scorer
from pactlang.score.losses import losses_of
from pactlang.score.state import MAGIC, VERSION, sealed

PACT = """pact p "1.0.0"
clause a { dimension one severity critical require cost < 1.0 }
clause b { dimension two severity minor require size(output) < 9 }
clause c { dimension two when has(latency) require latency < 1s }
score { half_life 1h weights { one 2, two 1, none 1 } }
"""
HEAD = len(MAGIC) + 2  # bytes before the hash
NUMBERS = (0, 1, -1, 255, 2**20, 2**21, 2**31, 2**42, 2**53, 2**62, 2**63 - 1, -(2**63) + 1)


@cache
def known() -> tuple[pactlang.Program, bytes]:
    """The pact, and a state of some calls in four hours and without time."""
    program = pactlang.compile(PACT)
    monitor, scorer = pactlang.Monitor(program), Scorer(program, "a")
    for at in range(200):
        record: dict[str, Any] = {"output": "x" * (at % 12), "cost": 2.0 if at == 77 else 0.5}
        if at % 9:
            record["time"] = f"2026-01-01T{at // 60:02}:{at % 60:02}:00Z"
        if at % 2:
            record["latency"] = at / 150
        if at % 40 != 7:
            scorer.add(monitor.feed(record), at)
    return program, scorer.to_bytes()


def score_target(data: bytes) -> str:
    """Refused with a reason, or whole."""
    program, state = known()
    try:
        scorer = Scorer.from_bytes(program, data)
    except ValueError:
        return "refused"
    if scorer.to_bytes() != data:
        raise AssertionError("a state is not written as it was read")
    score, losses = scorer.score(), losses_of(scorer.plan, scorer.tally)
    if score.value is not None and not 0 <= score.lower <= score.value <= score.upper <= score.scale:
        raise AssertionError(f"{score!r} does not lie within its bounds")
    if losses.value is not None:
        lost = sum(each.points for each in losses.clauses) + sum(each.young for each in losses.dimensions)
        if losses.value + lost != score.scale and data == state:
            raise AssertionError("losses and value are not the whole scale")
    score.json()
    try:
        merged = Scorer.from_bytes(program, data).merge(Scorer.from_bytes(program, state))
    except ValueError:
        return "has the same calls"
    back = Scorer.from_bytes(program, state).merge(scorer)
    if merged.to_bytes() != back.to_bytes():
        raise AssertionError("the order of merging shows")
    return "merged"


def make_score(one: bytes, other: bytes, rng: Random) -> bytes:
    """A state with some of its numbers changed, the hash made right more often than not."""
    _, state = known()
    base = one if one[: len(MAGIC)] == MAGIC and rng.random() < 0.7 else state
    try:
        parts = msgspec.msgpack.decode(base[HEAD + 32 :])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        parts = msgspec.msgpack.decode(state[HEAD + 32 :])
    for _ in range(rng.randint(1, 4)):
        parts = changed(parts, rng)
    body = msgspec.msgpack.encode(parts)
    if rng.random() < 0.1:
        at = rng.randrange(len(body))
        body = body[:at] + bytes([rng.randrange(256)]) + body[at + rng.randrange(2) :]
    whole = sealed(MAGIC, VERSION, body)
    return whole if rng.random() < 0.95 else whole[:HEAD] + b"\0" + whole[HEAD + 1 :]


def changed(value: Any, rng: Random) -> Any:
    """A value with one place in it changed."""
    if isinstance(value, list) and value and rng.random() < 0.95:
        at = rng.randrange(len(value))
        if rng.random() < 0.05:
            return [*value[:at], *value[at + rng.randrange(2) :], value[at]]
        return [*value[:at], changed(value[at], rng), *value[at + 1 :]]
    if isinstance(value, dict) and value and rng.random() < 0.95:
        key = rng.choice(list(value))
        return {**value, key: changed(value[key], rng)}
    if isinstance(value, int) and rng.random() < 0.7:
        return max(-(2**63), min(2**63 - 1, value + rng.choice((-1, 1, 7, -7, 1000))))
    return rng.choice([rng.choice(NUMBERS), None, b"", bytes(15), "a", [], {}, value])
