"""How the machine reads records from JSON by itself: a plan per object, as data.

In: the layouts of a schema, and the code that reads its slots.  Out: what `_runtime.JsonReader` takes,
or None where its fast path cannot follow the names of some field.

A text that is only searched (`ATOM`) is never made a str, and a nested record whose slots alone are
read is no object: which these are is seen from the code.  Whatever C cannot hold is decoded by msgspec
as the projected Struct would have it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct, UnsetType

from pactlang.opcodes import INSTRUCTION, SHAPES, Act, Kind, Opcode
from pactlang.records import wire
from pactlang.records.layout import Layout, Layouts, Member
from pactlang.schema import Schema, Slot

ROLES = {"id": 1, "time": 2}  # fields of the record that a batch asks for
LEVELS = 8  # records within records that are read in place
ELEMENTS = -2  # what the records of a list stand on: they have no slots
LOOKS = (Opcode.PRESENT, Opcode.IS_ERROR)  # instructions that only see whether a register holds something

# key, act, slot, optional, layout, number of the field in it, plan of what is inside, decoder, choices,
# least and greatest number, slots that stand on it, role
Taken = tuple[bytes, int, int, bool, int, int, int, Any, Any, int, int, list[int], int]
Plan = tuple[list[Taken], list[tuple[bytes, bool]]]


class NoPlan(Exception):
    """A schema that the fast path does not follow."""


def plans(layouts: Layouts, schema: Schema, code: bytes) -> list[Plan] | None:
    """The plans, the record's first; None where there can be none."""
    try:
        planner = Planner(layouts, schema, looked_into(code))
        planner.plan(layouts.of(schema.root), -1, 0)
    except NoPlan:
        return None
    return planner.made


def looked_into(code: bytes) -> set[int]:
    """The registers whose values some instruction reads; `ATOM` is none of them."""
    found: set[int] = set()
    for op, a, b, c, *_ in struct.iter_unpack(INSTRUCTION, code):
        shape = SHAPES[op]
        if op not in LOOKS:
            registers = {"a": a, "b": b, "c": c}
            found.update(registers[letter] for letter in shape.reads)
        if shape.run:
            found.update(range(a, a + b))
    return found


class Planner:
    """Makes the plans of one schema; `made` are those it has."""

    def __init__(self, layouts: Layouts, schema: Schema, read: set[int]) -> None:
        self.layouts = layouts
        self.read = read
        self.slots = schema.slots
        self.index = {record.name: i for i, record in enumerate(schema.records)}
        self.made: list[Plan] = []
        self.elements: dict[str, int] = {}  # record -> plan of those in lists
        self.standing: dict[int, dict[str, int]] = {}  # base -> field -> slot
        for number, slot in enumerate(schema.slots):
            self._place(number, slot)

    def _place(self, number: int, slot: Slot) -> None:
        fields = self.standing.setdefault(slot.base, {})
        if not slot.path or slot.path[-1] in fields:
            raise NoPlan  # the record itself is a value; or a forged artifact
        fields[slot.path[-1]] = number

    def plan(self, layout: Layout, base: int, level: int) -> int:
        """Make the plan of an object whose fields stand on the slot `base`; its number."""
        if not layout.is_direct or (level and any(member.is_aliased for member in layout.members)):
            raise NoPlan
        number = len(self.made)
        fields: list[Taken] = []
        self.made.append((fields, self._refused(layout)))
        for place, member in enumerate(layout.members):
            fields.append(self._field(layout, place, member, base, level))
        return number

    def _refused(self, layout: Layout) -> list[tuple[bytes, bool]]:
        """Keys that lead to a field under another name; some only where an object stands there."""
        whole = {name.key for name in layout.other_names}
        return [
            (probe.key.encode(), probe.key not in whole and not probe.is_marker) for probe in layout.probes
        ]

    def _field(self, layout: Layout, place: int, member: Member, base: int, level: int) -> Taken:
        slot = self.standing.get(base, {}).get(member.field.name, -1)
        kind, type_ = layout.plan.fields[place].kind, member.field.type
        record = self.index[layout.record]
        act = self._act_in_list(member, kind) if base == ELEMENTS else self._act(member, kind, slot)
        inner, decode = -1, None
        if act == Act.RECORD and level < LEVELS:
            inner = self.plan(self.layouts.of(type_.name), slot, level + 1)
        elif act == Act.LIST:
            inner = self._element(type_.params[0].name)
        elif act in (Act.RECORD, Act.DECODE):
            act, decode = Act.DECODE, decoder(layout.plan.struct, member.attr)
        choices = frozenset(type_.values) if type_.values else None
        low, high = wire.number_range(type_) if type_.unit else (0, 0)
        below = [] if slot < 0 else self._below(slot)
        role = 0 if level or act >= Act.RECORD else ROLES.get(member.field.name, 0)
        key = member.names[0].key.encode()
        return (
            key,
            act,
            slot,
            member.optional,
            record,
            place,
            inner,
            decode,
            choices,
            low,
            high,
            below,
            role,
        )

    def _element(self, name: str) -> int:
        """The plan of the records of a list, which may hold lists of their own kind."""
        if name not in self.elements:
            self.elements[name] = len(self.made)
            self.plan(self.layouts.of(name), ELEMENTS, 1)
        return self.elements[name]

    def _act_in_list(self, member: Member, kind: int) -> Act:
        if kind == Kind.STRING:
            return Act.TEXT
        if kind in (Kind.BOOL, Kind.INT, Kind.DOUBLE):
            return _ACTS[kind]
        act = _ACTS.get(kind, Act.DECODE)
        return Act.LIST if self._is_of_records(member, kind) else act if act == Act.UNIT else Act.DECODE

    def _is_of_records(self, member: Member, kind: int) -> bool:
        inside = member.field.type.element
        return (
            kind == Kind.LIST
            and inside.kind == "record"
            and not inside.nullable
            and self.layouts.of(inside.name).is_direct
        )

    def _act(self, member: Member, kind: int, slot: int) -> Act:
        if kind == Kind.STRING:
            is_text = member.field.type.values or slot in self.read
            return Act.TEXT if is_text else Act.SPAN
        if kind == Kind.RECORD:
            return Act.RECORD if slot >= 0 and slot not in self.read else Act.DECODE
        if slot >= 0 and self._is_of_records(member, kind):
            return Act.LIST
        return _ACTS.get(kind, Act.DECODE)

    def _below(self, slot: int) -> list[int]:
        """The slots that stand on a slot, and those on them, in order."""
        found: list[int] = []
        for below in self.standing.get(slot, {}).values():
            found += [below, *self._below(below)]
        return sorted(found)


def decoder(form: type[Struct], attr: str) -> Callable[[bytes], Any]:
    """What makes of the bytes of one value what the attribute of a projected Struct would hold."""
    field = next(field for field in msgspec.structs.fields(form) if field.name == attr)
    hint: Any = field.type
    kept = [arg for arg in getattr(hint, "__args__", ()) if arg is not UnsetType]
    if UnsetType in getattr(hint, "__args__", ()):
        hint = kept[0]
        for arg in kept[1:]:
            hint |= arg
    return msgspec.json.Decoder(hint).decode


_ACTS: dict[int, Act] = {
    Kind.BOOL: Act.BOOL,
    Kind.INT: Act.INT,
    Kind.UINT: Act.UINT,
    Kind.DOUBLE: Act.DOUBLE,
    Kind.TIMESTAMP: Act.MOMENT,
    **{
        kind: Act.UNIT
        for kind in Kind
        if Kind.TIMESTAMP < kind < Kind.DURATION or Kind.DURATION < kind <= Kind.DURATION_NS
    },
}
