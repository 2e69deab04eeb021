"""Types and records: what a pact says about the shape of a call.

A `Type` is what an expression has; a `Record` is a named list of `Field`s, each with its type and
the names it has in the data.  A `Slot` is one value that a program reads from a record.

Three marks ride on a type and do not change what it compares with: `nullable` (written `T?`),
`unit` (how a number on the wire becomes a time: "s", "ms", "us", "ns"), and `values` (an enum is a
string whose values are known).
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

SCALARS = ("bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration")
UNITS = ("s", "ms", "us", "ns")

# The record whose fields are the variables of an expression that stands in no pact.
VARIABLES = "@variables"

# How CEL spells the kinds that it calls otherwise.
SPELLED = {"optional": "optional_type", "ip": "net.IP", "cidr": "net.CIDR", "unset": "dyn"}


class Type(Struct, frozen=True, omit_defaults=True):
    """A CEL type, or a record's name.

    kind: bool int uint double string bytes null timestamp duration type dyn list map record
    optional ip cidr param unset abstract error.  `params` are a list's element, a map's key and value,
    an optional's or a type's inside; `name` is a record's, an abstract type's or a type parameter's
    name.  `unset` is the element of an empty list: it becomes whatever it is joined with.
    """

    kind: str
    params: tuple[Type, ...] = ()
    name: str = ""
    nullable: bool = False
    unit: str = ""
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        mark = "?" if self.nullable else ""
        if self.values:
            return "enum(" + ", ".join(f'"{v}"' for v in self.values) + ")" + mark
        if self.kind in ("record", "param"):
            return self.name + mark
        kind = self.name if self.kind == "abstract" else SPELLED.get(self.kind, self.kind)
        if self.params:
            return f"{kind}({', '.join(map(str, self.params))}){mark}"
        return kind + (f"({self.unit})" if self.unit else "") + mark

    @property
    def plain(self) -> Type:
        """The type without its marks (here, not inside its parameters)."""
        if self.nullable or self.unit or self.values:
            return replace(self, nullable=False, unit="", values=())
        return self

    @property
    def optional(self) -> Type:
        """The same type, nullable."""
        return self if self.nullable else replace(self, nullable=True)

    @property
    def element(self) -> Type:
        """What a list holds, or what a map's keys are."""
        return self.params[0] if self.params else DYN


BOOL, INT, UINT, DOUBLE, STRING, BYTES, NULL, TIMESTAMP, DURATION, TYPE, IP, CIDR, DYN, UNSET, ERROR = (
    Type(kind)
    for kind in (
        "bool", "int", "uint", "double", "string", "bytes", "null", "timestamp", "duration", "type",
        "ip", "cidr", "dyn", "unset", "error",
    )
)  # fmt: skip


def list_of(element: Type) -> Type:
    """The type list(element)."""
    return Type("list", (element,))


def map_of(key: Type, value: Type) -> Type:
    """The type map(key, value)."""
    return Type("map", (key, value))


def optional_of(inside: Type) -> Type:
    """CEL's optional_type(inside)."""
    return Type("optional", (inside,))


def record_of(name: str) -> Type:
    """The type of values of the record `name`."""
    return Type("record", name=name)


class Field(Struct, frozen=True, omit_defaults=True):
    """One field: its name in a pact, its type, its names in the data, and its default.

    wires: the keys to look for, in order; a dotted one is tried as one key, then as nesting.
    default: JSON data (a list or a dict stands for an empty one); meaningful if `has_default`.
    """

    name: str
    type: Type
    wires: tuple[str, ...] = ()
    has_default: bool = False
    default: Any = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names in the data; the field's own if none is given."""
        return self.wires or (self.name,)

    @property
    def may_be_absent(self) -> bool:
        """True if data without this field is still a record."""
        return self.type.nullable or self.has_default


class Record(Struct, frozen=True, omit_defaults=True):
    """A named list of fields, in the order of the declaration."""

    name: str
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field | None:
        """The field called `name`, or None."""
        return next((f for f in self.fields if f.name == name), None)


class Slot(Struct, frozen=True, omit_defaults=True):
    """One value a program reads from the pact's record: the path to it and its type.

    path: ("latency",) or ("usage", "input_tokens"); () is the record itself.
    base: the index of the slot that holds the record this one is a field of; -1 is the pact's record.
    """

    path: tuple[str, ...]
    type: Type
    base: int = -1

    @property
    def name(self) -> str:
        """The path as it is written."""
        return ".".join(self.path) or "call"


class Schema(Struct, frozen=True):
    """The records a pact knows, the one it is about, and what it reads of it.

    `reads` gives, for each record, the fields that are read and therefore decoded and checked.
    `slots` is what the machine loads from one call, in this order (a base before what stands on it).
    """

    root: str
    records: tuple[Record, ...]
    slots: tuple[Slot, ...] = ()
    reads: dict[str, tuple[str, ...]] = {}

    def record(self, name: str) -> Record:
        """The record called `name`; KeyError if there is none."""
        for record in self.records:
            if record.name == name:
                return record
        raise KeyError(name)
