"""Which values a field must have for a pact to be about a call at all, found in the pact's code.

In: a `Program`.  Out: for some slots the values without which `applies when` is false.

The code decides, not the typed tree beside it: what is skipped because of a guard must be what the
machine would call outside.  The beginning of the code is gone through backwards, from the last
`OUTSIDE`; for each instruction it is worked out which values of each slot leave another way open than
to be outside.  Where something stands that may take long, or that is not understood, nothing is
concluded.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from pactlang.opcodes import INSTRUCTION, INSTRUCTION_SIZE, Opcode
from pactlang.program import Program

Value = str | int | None  # of a field that is read: None is null
Facts = dict[int, frozenset[Value]]  # slot -> values that may lead elsewhere than to OUTSIDE; absent: any

MOST_INSTRUCTIONS = 2_000  # of a condition that is gone through
LONGEST = 255  # characters of a text that is compared at no cost (`same_text` in runtime/equal.pxi)
NULL: frozenset[Value] = frozenset((None,))

COMPARISONS = {
    Opcode.EQ_INT, Opcode.LT_INT, Opcode.LE_INT, Opcode.EQ_DOUBLE, Opcode.LT_DOUBLE, Opcode.LE_DOUBLE,
    Opcode.EQ_STRING, Opcode.EQ_TIME, Opcode.LT_TIME, Opcode.LE_TIME, Opcode.EQ, Opcode.LT, Opcode.LE,
}  # fmt: skip
WITH_NUMBER = {
    Opcode.EQ_INT_K, Opcode.LT_INT_K, Opcode.LE_INT_K, Opcode.GT_INT_K, Opcode.GE_INT_K,
    Opcode.EQ_DOUBLE_K, Opcode.LT_DOUBLE_K, Opcode.LE_DOUBLE_K, Opcode.GT_DOUBLE_K, Opcode.GE_DOUBLE_K,
}  # fmt: skip
TESTS = {Opcode.TEST, Opcode.HAS_KEY, Opcode.HAS_MEMBER, Opcode.HAS_VALUE}  # of any operand, at no cost
TWO_WAYS = {Opcode.PRESENT, Opcode.IS_ERROR}
STEPS = {Opcode.SET_BOOL, Opcode.SET_ERROR, Opcode.MOVE, Opcode.KEY, Opcode.MEMBER}


class Ins(NamedTuple):
    """One instruction, as `opcodes.INSTRUCTION` lays it out."""

    op: int
    a: int
    b: int
    c: int
    t: int
    f: int
    e: int
    k: int
    imm: int


class Wanted(NamedTuple):
    """A test that holds if the slot has one of the values."""

    slot: int
    values: frozenset[Value]


def guards(program: Program) -> Facts:
    """Per slot the values without which the pact is not about a call; only slots that hold a text or an
    int of the pact's own record, and only where the program proves it."""
    prologue = beginning(program.core.code)
    if not prologue:
        return {}
    after: list[Facts | None] = [None] * len(prologue)  # None: certainly outside
    reader = Reading(program)
    for i in range(len(prologue) - 1, -1, -1):
        after[i] = facts(i, prologue[i], after, reader)
    return after[0] or {}


def beginning(code: bytes) -> list[Ins]:
    """The instructions up to the last `OUTSIDE`; empty if there is none, or too many."""
    last = code[::INSTRUCTION_SIZE].rfind(Opcode.OUTSIDE)
    while (
        last >= 0
        and Ins(*struct.unpack_from(INSTRUCTION, code, last * INSTRUCTION_SIZE)).op != Opcode.OUTSIDE
    ):
        last = code[: last * INSTRUCTION_SIZE : INSTRUCTION_SIZE].rfind(Opcode.OUTSIDE)
    if not 0 <= last < MOST_INSTRUCTIONS:
        return []
    return list(map(Ins._make, struct.iter_unpack(INSTRUCTION, code[: (last + 1) * INSTRUCTION_SIZE])))


def facts(i: int, ins: Ins, after: list[Facts | None], reader: Reading) -> Facts | None:
    """What is known before instruction i, from what is known behind it."""

    def at(target: int) -> Facts | None:
        return after[target] if i < target < len(after) else {}

    if ins.op == Opcode.OUTSIDE:
        return None
    if ins.op == Opcode.JUMP:
        return at(ins.t)
    if ins.op in STEPS:
        return at(i + 1)
    ways = reader.ways(ins)
    if not ways:
        return {}
    known = joined([at(target) for target in ways])
    wanted = reader.wanted(ins)
    if wanted is not None:
        known = narrowed(known, wanted, at(ins.t), at(ins.f))
    return known


def joined(branches: list[Facts | None]) -> Facts | None:
    """What holds whichever way is taken."""
    open_ways = [branch for branch in branches if branch is not None]
    if not open_ways:
        return None
    common = set(open_ways[0]).intersection(*open_ways[1:])
    return {slot: frozenset().union(*(branch[slot] for branch in open_ways)) for slot in common}


def narrowed(known: Facts | None, wanted: Wanted, t: Facts | None, f: Facts | None) -> Facts | None:
    """The same with what a test of a slot adds: its values go to t, all others to f."""
    slot, values = wanted
    if known is None:
        return None
    if f is not None and slot not in f:
        return {s: allowed for s, allowed in known.items() if s != slot}
    passed = frozenset() if t is None else values & t.get(slot, values)
    failed = frozenset() if f is None else f[slot] - values
    return {**known, slot: passed | failed}


class Reading:
    """What the registers of a program hold before it runs: slots and constants."""

    def __init__(self, program: Program) -> None:
        self.slots = program.schema.slots
        self.root = program.schema.record(program.schema.root)
        self.constants = program.constants
        self.sets = program.core.sets

    def ways(self, ins: Ins) -> tuple[int, ...]:
        """The targets of a test that costs next to nothing; empty for any other instruction."""
        if ins.op in TWO_WAYS:
            return ins.t, ins.f
        if ins.op in WITH_NUMBER or ins.op in TESTS:
            return ins.t, ins.f, ins.e
        if ins.op == Opcode.IN_SET:
            return (ins.t, ins.f, ins.e) if self.is_short(*self.sets[ins.k]) else ()
        if ins.op == Opcode.IN:
            return (ins.t, ins.f, ins.e) if self.members(ins) else ()
        if ins.op in COMPARISONS and (self.is_scalar(ins.a) or self.is_scalar(ins.b)):
            return ins.t, ins.f, ins.e
        return ()

    def wanted(self, ins: Ins) -> Wanted | None:
        """What a test asks of a slot: to have one of some values."""
        slot, kind = ins.a, self.kind(ins.a)
        if ins.op == Opcode.IN_SET and kind == "string":
            return Wanted(slot, frozenset(self.sets[ins.k]))
        if ins.op == Opcode.EQ_INT_K and kind == "int":
            return Wanted(slot, frozenset((ins.imm,)))
        if ins.op == Opcode.IN and kind and self.members(ins):
            return Wanted(slot, frozenset(self.members(ins)))
        if ins.op in (Opcode.EQ_STRING, Opcode.EQ):
            return self.equality(ins.a, ins.b) or self.equality(ins.b, ins.a)
        return None

    def equality(self, slot: int, other: int) -> Wanted | None:
        kind, value = self.kind(slot), self.constant(other)
        fits = (
            value is None
            or (kind == "string" and type(value) is str)
            or (kind == "int" and type(value) is int)
        )
        return Wanted(slot, frozenset((value,))) if kind and self.is_scalar(other) and fits else None

    def kind(self, register: int) -> str:
        """string or int, if the register is a slot of the pact's own record that holds one; else ""."""
        if register >= len(self.slots):
            return ""
        slot = self.slots[register]
        field = self.root.field(slot.path[0]) if slot.base < 0 and len(slot.path) == 1 else None
        return field.type.kind if field is not None and field.type.kind in ("string", "int") else ""

    def constant(self, register: int) -> Any:
        """The constant in a register; NotImplemented if there is none."""
        number = register - len(self.slots)
        return self.constants[number] if 0 <= number < len(self.constants) else NotImplemented

    def is_scalar(self, register: int) -> bool:
        """Whether it holds a constant that is compared at no cost."""
        value = self.constant(register)
        return (
            value is None
            or type(value) in (bool, int, float)
            or (type(value) is str and self.is_short(value))
        )

    def members(self, ins: Ins) -> tuple[Value, ...]:
        """The list of texts, or of ints, that `in` looks through; empty if it is none."""
        held = self.constant(ins.b)
        wanted = {"string": str, "int": int}.get(self.kind(ins.a))
        if type(held) is not list or len(held) > LONGEST or any(type(item) is not wanted for item in held):
            return ()
        return tuple(held) if wanted is int or self.is_short(*held) else ()

    @staticmethod
    def is_short(*texts: str) -> bool:
        """Whether texts are so short that they are compared at no cost."""
        return all(len(text) <= LONGEST for text in texts)
