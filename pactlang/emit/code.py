"""Instructions on their way to being a program: registers, labels, constants, text atoms.

In: instructions whose registers and jumps are not placed yet.  Out: `Core`.  Registers are numbered in
three ranges until the end, when the number of constants is known.
"""

from __future__ import annotations

import struct
from typing import Any

import msgspec

from pactlang import ir
from pactlang.constants import Constant, make_constant
from pactlang.opcodes import INSTRUCTION, MAX_REGISTERS, Opcode
from pactlang.program import Atom, Bound, ClauseInfo, Core, Group, State

CONSTANTS, TEMPS = 1 << 20, 1 << 21  # where the two later ranges begin until they are placed
MAX_INSTRUCTIONS = 2_000_000
MAX_TOGETHER = 2_000  # patterns in one text: they are made ready in a few seconds, when the first text comes


class Code:
    """The program under construction."""

    def __init__(self, module: ir.Module, bound: Bound | None = None) -> None:
        self.module, self.bound = module, bound
        self.code: list[list[Any]] = []  # op, a, b, c, label t, label f, label e, k, imm
        self.labels: list[int] = []  # label -> instruction
        self.constants: dict[bytes, tuple[int, Constant]] = {}
        self.sets: dict[tuple[str, ...], int] = {}
        self.atoms: dict[tuple[int, Atom], int] = {}
        self.groups: dict[tuple[int, str], list[int]] = {}
        self.matchers: dict[Atom, int] = {}
        self.variables: dict[int, int] = {}  # comprehension variable -> register
        self.layouts = {record.name: i for i, record in enumerate(module.schema.records)}
        self.depth = self.temps = 0
        self.state: State | None = None
        self.operators: dict[int, int] = {}  # number of an operator -> the register of what it says

    @property
    def registers(self) -> int:
        return len(self.module.schema.slots) + len(self.constants) + self.temps

    @property
    def too_large(self) -> bool:
        return self.registers > MAX_REGISTERS or len(self.code) > MAX_INSTRUCTIONS

    @property
    def crowded(self) -> tuple[str, int] | None:
        """A text in which too many patterns are sought, and how many."""
        atoms = [atom for _, atom in self.atoms]
        for (slot, _), group in self.groups.items():
            count = sum(atoms[number].kind == "pattern" for number in group)
            if count > MAX_TOGETHER:
                return self.module.schema.slots[slot].name, count
        return None

    def core(self) -> Core:
        module = self.module
        return Core(
            module.name,
            module.version,
            module.renews,
            module.schema,
            tuple(constant for _, constant in self.constants.values()),
            tuple(self.sets),
            self.assembled(),
            self.temps,
            tuple(atom for _, atom in self.atoms),
            tuple(Group(slot, tuple(atoms)) for (slot, _), atoms in self.groups.items()),
            tuple(self.matchers),
            module.patterns,
            module.phrases,
            tuple(
                ClauseInfo(
                    c.name,
                    c.description,
                    c.dimension,
                    c.severity,
                    c.never,
                    c.on_violation,
                    c.on_unknown,
                    ir.remembers(c),
                    ir.enforceable(c),
                )
                for c in module.clauses
            ),
            module.store,
            self.bound,
            self.state,
        )

    def placed(self, register: int) -> int:
        """The number of a register, now that those of all constants are known; -1 stays."""
        slots = len(self.module.schema.slots)
        if register >= TEMPS:
            return register - TEMPS + slots + len(self.constants)
        return register - CONSTANTS + slots if register >= CONSTANTS else register

    def assembled(self) -> bytes:
        """The instructions as bytes, with every register and label in its place."""
        place = self.placed
        pack = struct.Struct(INSTRUCTION).pack
        return b"".join(
            pack(op, place(a), place(b), place(c), *(self.labels[x] if x >= 0 else 0 for x in jumps), k, imm)
            for op, a, b, c, *jumps, k, imm in self.code
        )

    def add(
        self, op: Opcode, a: int = 0, b: int = 0, c: int = 0, *, t: int = -1, f: int = -1, e: int = -1,
        k: int = 0, imm: int = 0,
    ) -> None:  # fmt: skip
        self.code.append([int(op), a, b, c, t, f, e, k, imm])

    def label(self) -> int:
        self.labels.append(-1)
        return len(self.labels) - 1

    def here(self, label: int) -> None:
        self.labels[label] = len(self.code)

    def temp(self) -> int:
        self.depth += 1
        self.temps = max(self.temps, self.depth)
        return TEMPS + self.depth - 1

    def constant(self, kind: str, value: Any) -> int:
        constant = make_constant(kind, value)
        key = msgspec.msgpack.encode(constant)
        index, _ = self.constants.setdefault(key, (len(self.constants), constant))
        return CONSTANTS + index
