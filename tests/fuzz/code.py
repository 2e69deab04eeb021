"""Code for the machine: programs that look valid, and operands changed for what is almost right.

In: a `random.Random`.  Out: a `Code` with instructions of every operation, loops and jumps as the verifier
wants them, on registers that hold values of every type.
"""

from __future__ import annotations

import struct
from random import Random
from typing import Any

from pactlang.functions import Builtin
from pactlang.opcodes import INSTRUCTION, SHAPES, Opcode
from tests.fuzz.targets import Code

CONSTANTS: list[tuple[str, Any]] = [
    ("int", 0), ("int", 3), ("int", -(2**63)), ("uint", 2**64 - 1), ("double", 0), ("double", 0x7FF8 << 48),
    ("string", "a"), ("string", "%s %d"), ("string", "Europe/Paris"), ("string", "2026-01-31T09:30:00Z"),
    ("string", "(a+)+$"), ("bytes", b"\xff"), ("bool", True), ("null", None), ("timestamp", [253402300799, 999999999]),
    ("duration", [-315576000000, 0]), ("type", "int"),
    ("list", [("int", 1), ("string", "a"), ("list", [("double", 0x3FF8 << 48)])]),
    ("map", [("string", "a"), ("int", 1), ("bool", True), ("list", [])]), ("string", "x" * 300),
]  # fmt: skip
SETS = [["a", "b"], [str(i) for i in range(40)], []]
ENDS = (Opcode.HALT, Opcode.RESULT, Opcode.OUTSIDE, Opcode.ALL_UNKNOWN)
LIMIT = {"clause": 0, "set": len(SETS), "atom": 3, "matcher": 2, "member": 0, "layout": 2}
RANGES = [(0, 65535)] * 4 + [(-(2**31), 2**31 - 1)] * 3 + [(0, 2**32 - 1), (-(2**63), 2**63 - 1)]
PLAIN = [
    op
    for op in Opcode
    if SHAPES[op].k not in ("clause", "member") and op not in (*ENDS, Opcode.ITER, Opcode.NEXT)
]


def program(rng: Random, slots: int, builtins: int) -> Code:
    """A program over so many slots."""
    first = slots + len(CONSTANTS)
    temps = rng.choice((4, 8, 20, 70))
    rows: list[list[int]] = []
    written = list(range(first))  # registers that hold something by now
    open_loops: list[int] = []  # where their NEXT stands
    for _ in range(rng.choice((5, 15, 40, 90))):
        what = rng.random()
        if what < 0.1 and len(open_loops) < 3:
            iterator, element = (rng.randrange(first, first + temps) for _ in range(2))
            rows.append(_row(Opcode.ITER, rng, first, temps, written, c=iterator))
            rows.append(
                _row(Opcode.NEXT, rng, first, temps, written, a=iterator, b=element, k=rng.choice((0, 0, 1)))
            )
            open_loops.append(len(rows) - 1)
        elif what < 0.2 and open_loops:
            _close(rows, open_loops.pop(), rng, first, temps, written)
        elif what < 0.3:
            rows.append(
                _row(
                    Opcode.MAP if rng.random() < 0.5 else Opcode.LIST,
                    rng,
                    first,
                    temps,
                    written,
                    b=rng.choice((0, 2, 4)),
                )
            )
        else:
            rows.append(_row(rng.choice(PLAIN), rng, first, temps, written))
        if "c" in SHAPES[Opcode(rows[-1][0])].writes:
            written += [rows[-1][3]] * 5
    while open_loops:
        _close(rows, open_loops.pop(), rng, first, temps, written)
    rows.append(_row(Opcode.RESULT, rng, first, temps, written, a=rng.choice(written[-4:])))
    rows.append(_row(Opcode.HALT, rng, first, temps, written))
    _jump(rows, rng)
    return Code(
        b"".join(struct.pack(INSTRUCTION, *row) for row in rows), CONSTANTS, SETS, temps, rng.randrange(10_000), rng.random() < 0.3
    )  # fmt: skip


def _close(rows: list[list[int]], at: int, rng: Random, first: int, temps: int, written: list[int]) -> None:
    """End the loop whose NEXT stands there."""
    rows.append(_row(Opcode.JUMP, rng, first, temps, written, t=at))
    rows[at - 1][6] = rows[at][5] = len(rows)  # no list, and the list's end, lead behind the loop


def _row(op: Opcode, rng: Random, first: int, temps: int, written: list[int], **fixed: int) -> list[int]:
    """An instruction whose registers are right; its jumps are set later."""
    shape = SHAPES[op]
    own = lambda: rng.randrange(first, first + temps)  # noqa: E731
    any_of = lambda: rng.choice((rng.choice(written), rng.choice(written), own(), rng.randrange(first)))  # noqa: E731
    operands = {letter: own() if letter in shape.writes else any_of() for letter in "abc"}
    if shape.run:
        operands["b"] = rng.choice((0, 1, 2, 2, 3, 5))
        operands["a"] = rng.randrange(max(1, first + temps - operands["b"]))
    operands |= {"t": -1, "f": -1, "e": -1}
    operands["k"] = (
        rng.randrange(LIMIT.get(shape.k, 0) or 1) if shape.k != "builtin" else int(rng.choice(list(Builtin)))
    )
    operands["imm"] = rng.choice((0, 1, 5, -1, 2**63 - 1, -(2**63), 0x7FF8 << 48))
    operands |= fixed
    return [int(op), *(operands[name] for name in ("a", "b", "c", "t", "f", "e", "k", "imm"))]


def _jump(rows: list[list[int]], rng: Random) -> None:
    """Give each jump that is not set a target further on, mostly near."""
    last = len(rows) - 1
    for i, row in enumerate(rows):
        for letter, at in (("t", 4), ("f", 5), ("e", 6)):
            if row[at] == -1:
                wanted = letter in SHAPES[Opcode(row[0])].jumps
                near = min(last, i + rng.choice((1, 1, 2, 3, 8)))
                if rows[near][0] == Opcode.NEXT and i < near - 1:
                    near -= 1  # into a loop by its ITER: without one it turns until the steps are used up
                row[at] = near if wanted else 0


def mutate_code(code: bytes, rng: Random) -> bytes:
    """Some operands changed, mostly to what is almost right; rows moved, doubled or left out."""
    size = struct.calcsize(INSTRUCTION)
    rows = [list(row) for row in struct.iter_unpack(INSTRUCTION, code[: len(code) // size * size])]
    if not rows:
        return code
    for _ in range(rng.choice((1, 1, 2, 5))):
        row, i = rng.choice(rows), rng.randrange(9)
        low, high = RANGES[i]
        choices = [
            rng.choice(rows)[i],
            row[i] + 1,
            row[i] - 1,
            0,
            rng.randrange(len(rows)),
            low,
            high,
            int(rng.choice(list(Opcode))),
        ]
        row[i] = min(high, max(low, rng.choice(choices)))
    what = rng.random()
    at = rng.randrange(len(rows))
    if what < 0.05:
        rng.shuffle(rows)
    elif what < 0.1:
        del rows[at]
    elif what < 0.2:
        rows.insert(rng.randrange(len(rows)), list(rows[at]))
    return b"".join(struct.pack(INSTRUCTION, *row) for row in rows)
