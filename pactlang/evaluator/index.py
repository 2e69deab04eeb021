"""The index of a fleet: which fields decide what pacts a call may concern, and how they are read.

In: programs and the guards in their code.  Out: lenses with their tables, and readers of the few fields
that the lenses look at.

A lens is one field as the pacts declare it; pacts that declare it alike share one.  What a lens finds is
what each of its pacts would read: the same names in the data, default and null.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pactlang.evaluator.guards import Value, guards
from pactlang.opcodes import INSTRUCTION, Opcode
from pactlang.program import Core, Program
from pactlang.records import Reader, other_heads, reader_of
from pactlang.schema import Field, Record, Schema, Slot, Type
from pactlang.standard import STANDARD

MOST_LENSES = 8  # fields that a fleet looks at; the same in runtime/fleet.pxi
MOST_PEEKS = 3  # readers that it takes to look at them all
CALL = "Call"


class Lens(NamedTuple):
    """A field that decides.  standard: of the standard record, whose fields have more names in the data."""

    field: Field
    standard: bool

    @property
    def is_text(self) -> bool:
        """Whether it holds a text; else an int."""
        return self.field.type.kind == "string"

    @property
    def default(self) -> Value:
        """What null and absent stand for, None if nothing."""
        found: Value = self.field.default if self.field.has_default else None
        return found

    @property
    def choices(self) -> frozenset[str] | None:
        """An enum's values."""
        return frozenset(self.field.type.values) or None

    def record(self) -> Record:
        """A record that has this field only."""
        return Record(CALL if self.standard else "", (self.field,))

    def peeked(self) -> Field:
        """The field as it is looked at before anybody needs it: what it must be is seen afterwards."""
        if self.standard:
            return self.field
        return Field(self.field.name, Type(self.field.type.kind, nullable=True), self.field.names)


class Guard(NamedTuple):
    """One way to tell that a pact is not about a call: the lens has none of the values."""

    lens: Lens
    values: frozenset[Value]


def guards_of(program: Program) -> tuple[Guard, ...]:
    """The guards of a pact.  The program has passed verification."""
    root = program.schema.record(program.schema.root)
    found = []
    for slot, values in guards(program).items():
        field = root.field(program.schema.slots[slot].path[0])
        if field is not None and len(values) and fits(field):
            standard = root.name == CALL and field == STANDARD[CALL].field(field.name)
            found.append(Guard(Lens(field, standard), values))
    return tuple(found)


def fits(field: Field) -> bool:
    """Whether its default, if any, is of its type, so that looking at it needs no conversion."""
    wanted = {"string": str, "int": int}[field.type.kind]
    return not field.has_default or type(field.default) is wanted


class Peek:
    """A reader of some lenses' fields alone.  lenses: their numbers, in the order of its fields."""

    def __init__(self) -> None:
        self.lenses: list[int] = []
        self.fields: list[Field] = []
        self.first: set[str] = set()  # keys that its fields stand under
        self.other: set[str] = set()  # keys that may lead to them

    def place(self, lens: Lens) -> int | None:
        """The place of the lens's field among this reader's, None if it cannot have one: another field
        claims its key."""
        wanted = lens.peeked()
        if not lens.standard:
            wanted = replace(wanted, name=f"{wanted.names[0]} {wanted.type.kind}")
        for at, field in enumerate(self.fields):
            if field == wanted:
                return at
        first = wanted.names[0]
        other = heads(wanted, lens.standard) - {first}
        if first in self.first | self.other or other & self.first:
            return None
        self.first.add(first)
        self.other |= other
        self.fields.append(wanted)
        return len(self.fields) - 1

    def reader(self) -> Reader:
        """What reads the fields, and nothing else."""
        record = Record(CALL, tuple(self.fields))
        slots = tuple(Slot((field.name,), field.type) for field in self.fields)
        return reader_of(Schema(CALL, (record,), slots, {CALL: tuple(f.name for f in self.fields)}))


def heads(field: Field, standard: bool) -> set[str]:
    """The keys at the top of the data under which a field may stand."""
    own = {head for name in field.names for head in (name, name.partition(".")[0])}
    return own | (other_heads(Record(CALL, (field,))) if standard else set())


class Index(NamedTuple):
    """always: numbers of the pacts that look at every call.  lenses, and per lens the table value -> numbers.
    peeks: (reader, [(lens, attribute)])."""

    always: list[int]
    lenses: list[Lens]
    tables: list[dict[Value, list[int]]]
    peeks: list[tuple[Reader, list[tuple[int, str]]]]


def index(guarded: Iterable[tuple[Guard, ...]]) -> Index:
    """The index of pacts, from the guards of each, in their order.

    Each pact stands in the table of one lens: the one that tells most values apart.
    """
    many = list(guarded)
    ranked = ranking(many)
    lenses, placed = places(ranked)
    tables: list[dict[Value, list[int]]] = [{} for _ in lenses]
    numbers = {lens: number for number, lens in enumerate(lenses)}
    order = {lens: rank for rank, lens in enumerate(ranked)}
    always = []
    for pact, found in enumerate(many):
        usable = [guard for guard in found if guard.lens in numbers]
        if not usable:
            always.append(pact)
            continue
        best = min(usable, key=lambda guard: order[guard.lens])
        for value in best.values:
            tables[numbers[best.lens]].setdefault(value, []).append(pact)
    return Index(always, lenses, tables, placed)


def ranking(many: list[tuple[Guard, ...]]) -> list[Lens]:
    """The lenses, first the one that tells most values apart."""
    values: dict[Lens, set[Value]] = {}
    for found in many:
        for guard in found:
            values.setdefault(guard.lens, set()).update(guard.values)
    return sorted(values, key=lambda lens: -len(values[lens]))


def places(ranked: list[Lens]) -> tuple[list[Lens], list[tuple[Reader, list[tuple[int, str]]]]]:
    """The lenses that there is room for, and the readers of their fields."""
    lenses: list[Lens] = []
    peeks = [Peek() for _ in range(MOST_PEEKS)]
    found: list[list[tuple[int, str]]] = [[] for _ in peeks]
    for lens in ranked[:MOST_LENSES]:
        for peek, looks in zip(peeks, found, strict=True):
            at = peek.place(lens)
            if at is not None:
                looks.append((len(lenses), f"f{at}"))
                lenses.append(lens)
                break
    return lenses, [(peek.reader(), looks) for peek, looks in zip(peeks, found, strict=True) if looks]


def eye(schema: Schema) -> Program:
    """A program that looks at every slot and judges nothing."""
    count = len(schema.slots)
    code = [(Opcode.TEST, at, 0, 0, at + 1, at + 1, at + 1, 0, 0) for at in range(count)]
    code.append((Opcode.HALT, 0, 0, 0, 0, 0, 0, 0, 0))
    packed = b"".join(struct.pack(INSTRUCTION, *each) for each in code)
    return Program(Core("", "", "", schema, (), (), packed, 0, (), (), (), (), (), ()), b"")


# A user's own struct ---------------------------------------------------------------------------------


def looks_at(form: type[Struct], lenses: list[Lens]) -> list[tuple[int, str | None]] | None:
    """Per lens the attribute of a user's struct class that holds its field; None if the field might stand
    elsewhere too, or under a name that has to be looked for."""
    own = {field.encode_name: field.name for field in msgspec.structs.fields(form)}
    found: list[tuple[int, str | None]] = []
    for number, lens in enumerate(lenses):
        first = lens.field.names[0]
        others = heads(lens.field, lens.standard) - {first}
        if "." in first or others & set(own):
            return None
        found.append((number, own.get(first)))
    return found


def value_of(lens: Lens, data: Any, is_json: bool) -> Value:
    """What a lens finds in one record, read for it alone.  RecordError where its pacts cannot decode it."""
    record = lens.record()
    reader = reader_of(Schema(record.name, (record,), reads={record.name: (lens.field.name,)}))
    struct = reader.from_json(data) if is_json else reader.from_dict(data)
    value: Value = reader.member(struct, lens.field.name)
    return value
