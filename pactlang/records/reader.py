"""Read one record on any route: JSON bytes, MessagePack, a dict, a user's Struct.

In: a `schema.Schema`.  Out: a `Reader`.  Every failure is a `RecordError`.

JSON goes through msgspec's decoder straight into the projected Struct.  What that refuses is read
again by the forms, from data parsed leniently: so a defect in a field that nobody reads is not
noticed, and the reason for a defect in one that is read is the same on every route.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import astuple

from pactlang.errors import ProgramError, RecordError
from pactlang.records.layout import FieldPlan, Layout, LayoutPlan, Layouts, Member
from pactlang.records.packed import plain, unpack
from pactlang.records.plan import Plan, plans
from pactlang.records.wire import Misfit
from pactlang.schema import Schema, Slot, Type
from pactlang.values import NULL_BASE

Step = Callable[[Any], None]  # finishes a Struct that msgspec decoded; a Misfit has it read again
Load = Callable[[Struct, list[Any]], Any]  # a slot's value, from the record and the slots before it


class Reader:
    """Decodes records of one schema.  It has no state: threads may share it.

    layouts: what the machine needs to read a decoded record, parallel to `schema.records`.  struct:
    the projected Struct of the pact's record.  paths: per slot its JSON path, in the names of the data.
    heads: the keys of the data under which what is read may begin; so may keys that begin with one of the
    prefixes.
    """

    def __init__(self, schema: Schema) -> None:
        """Raises ProgramError for a schema that contradicts itself, as only a forged artifact holds."""
        self.schema = schema
        try:
            self._prepare(schema)
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError, Misfit) as error:
            raise ProgramError(f"the schema contradicts itself: {error}") from None

    def _prepare(self, schema: Schema) -> None:
        for index, slot in enumerate(schema.slots):
            if slot.base >= index:
                raise ValueError(f"slot {index} stands on a later one")
        self._all = Layouts(schema)
        self._root = self._all.of(schema.root)
        self._by_struct = {layout.plan.struct: layout for layout in self._all.layouts}
        self.layouts: list[LayoutPlan] = [layout.plan for layout in self._all.layouts]
        self.struct = self._root.plan.struct
        self.paths = [self._path(slot) for slot in schema.slots]
        self.heads, self.prefixes = self._root.heads, self._root.prefixes
        self._loads = [self._load(slot, path) for slot, path in zip(schema.slots, self.paths, strict=True)]
        steps = (_other_names_step(self._root), _digits_step(self._root))
        self._steps = tuple(step for step in steps if step is not None)
        self._decode, self._decode_packed = self._decoder()
        packed = (_no_other_names_step(self._root), _digits_step(self._root), _plain_step(schema))
        self._packed_steps = tuple(step for step in packed if step is not None)

    # Routes

    def from_json(self, data: bytes | bytearray | memoryview | str) -> Struct:
        """The record in JSON bytes, or in their text."""
        try:
            struct: Struct = self._decode(data)
            for step in self._steps:
                step(struct)
            return struct
        except (msgspec.MsgspecError, Misfit, UnicodeError, RecursionError, TypeError):
            return self._reread(data)

    def from_msgpack(self, data: bytes | bytearray | memoryview) -> Struct:
        """The record in the bytes of one MessagePack map."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise RecordError(f"expected MessagePack, found a {type(data).__name__}")
        try:
            struct: Struct = self._decode_packed(data)
            for step in self._packed_steps:
                step(struct)
            return struct
        except (msgspec.MsgspecError, Misfit, UnicodeError, RecursionError, TypeError):
            return self._from_data(unpack(bytes(data)))

    def from_dict(self, data: Mapping[str, Any]) -> Struct:
        """The record in a dict, under the names that JSON would have."""
        return self._from_data(data)

    def from_struct(self, data: Struct) -> Struct:
        """The record in a Struct of the user's, under the names that it would have in JSON."""
        return self._from_data(data)

    def _from_data(self, data: Any) -> Struct:
        try:
            struct: Struct = self._root.form(data)
        except Misfit as misfit:
            raise RecordError(misfit.reason, misfit.path) from None
        except RecursionError:
            raise RecordError("nested too deeply") from None
        except RuntimeError:  # a dict that another thread writes to
            raise RecordError("it changed while it was read") from None
        return struct

    def _reread(self, data: Any) -> Struct:
        try:
            parsed = msgspec.json.decode(data)
        except (msgspec.MsgspecError, UnicodeError, RecursionError, TypeError):
            parsed = lenient(data)
        return self._from_data(parsed)

    def _decoder(self) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
        """msgspec's decoders of JSON and MessagePack, or where a record has names that only the forms can
        follow, a refusal."""
        nested = [layout for layout in self._all.layouts if layout is not self._root]
        if not self._root.is_direct or any(m.is_aliased for layout in nested for m in layout.members):
            return _no_decoder, _no_decoder
        return msgspec.json.Decoder(self.struct).decode, msgspec.msgpack.Decoder(self.struct).decode

    def plans(self, code: bytes) -> list[Plan] | None:
        """How the machine reads JSON by itself for the code that reads the slots; None if it cannot."""
        nested = [layout for layout in self._all.layouts if layout is not self._root]
        if any(member.is_aliased for layout in nested for member in layout.members):
            return None
        return plans(self._all, self.schema, code)

    @property
    def root(self) -> Layout:
        """The layout of the pact's record."""
        return self._root

    def layout_of(self, name: str) -> Layout:
        """The layout of the record called `name`."""
        return self._all.of(name)

    # Values

    def values(self, struct: Struct) -> list[Any]:
        """The CEL values of a decoded record, parallel to `schema.slots`.

        A slot under a null record holds `NULL_BASE`.  Raises `RecordError` for a text that is no time.
        """
        held: list[Any] = []
        for load in self._loads:
            held.append(load(struct, held))
        return held

    def member(self, struct: Struct, name: str, path: str = "$") -> Any:
        """The CEL value of a field of a decoded record, a nested one too; KeyError if it is not read."""
        return _value(struct, self._by_struct[type(struct)].plan_of(name), path)

    @property
    def has_id(self) -> bool:
        """Whether records have a field `id`."""
        return self._root.reads("id")

    def identity(self, struct: Struct) -> Any:
        """The value of the field `id`, None if there is none."""
        return self.member(struct, "id", "$.id") if self.has_id else None

    def _load(self, slot: Slot, path: str) -> Load:
        if not slot.path:
            return lambda struct, held: struct
        plan, base = self._owner(slot).plan_of(slot.path[-1]), slot.base

        def load(struct: Struct, held: list[Any]) -> Any:
            owner = struct if base < 0 else held[base]
            return NULL_BASE if owner is None or owner is NULL_BASE else _value(owner, plan, path)

        return load

    def _owner(self, slot: Slot) -> Layout:
        """The layout of the record that the slot is a field of."""
        return self._root if slot.base < 0 else self._all.of(self.schema.slots[slot.base].type.name)

    def _path(self, slot: Slot) -> str:
        if not slot.path:
            return "$"
        before = "$" if slot.base < 0 else self._path(self.schema.slots[slot.base])
        return before + self._owner(slot).member_of(slot.path[-1]).names[0].step


def _value(struct: Struct, plan: FieldPlan, path: str) -> Any:
    held = getattr(struct, plan.attr)
    if held is None:
        return plan.default
    if plan.convert is None:
        return held
    try:
        return plan.convert(held)
    except RecordError as error:
        raise RecordError(error.reason, path + error.path[1:]) from None


def _no_decoder(data: Any) -> Any:
    raise Misfit("names that only the forms can follow")


# Finishing steps ------------------------------------------------------------------------------


def _other_names_step(layout: Layout) -> Step | None:
    """Fill fields that stand under other names, from the keys that msgspec has put aside."""
    aliased = [member for member in layout.members if member.is_aliased]
    required = [member.attr for member in aliased if not member.optional]
    if not aliased:
        return None
    first = len(layout.members)  # the probes are the attributes after the fields
    unset = (UNSET,) * len(layout.probes)

    def step(struct: Any) -> None:
        if astuple(struct)[first:] != unset:
            _fill(struct, layout, aliased)
        for attr in required:
            if getattr(struct, attr) is UNSET:
                raise Misfit("a required field is missing")

    return step


def _no_other_names_step(layout: Layout) -> Step | None:
    """Leave MessagePack with other names of fields in it to the forms."""
    if not layout.probes:
        return None
    first = len(layout.members)
    unset = (UNSET,) * len(layout.probes)
    required = [member.attr for member in layout.members if member.is_aliased and not member.optional]

    def step(struct: Any) -> None:
        if astuple(struct)[first:] != unset or any(getattr(struct, attr) is UNSET for attr in required):
            raise Misfit("another name")

    return step


def _plain_step(schema: Schema) -> Step | None:
    """Leave MessagePack with times, extensions and odd keys in data of unknown shape to the forms."""
    read = [record.field(name) for record in schema.records for name in schema.reads.get(record.name, ())]
    if not any(field is not None and _is_dyn(field.type) for field in read):
        return None

    def step(struct: Any) -> None:
        if not plain(struct):
            raise Misfit("what JSON does not have")

    return step


def _is_dyn(type_: Type) -> bool:
    return type_.kind == "dyn" or any(map(_is_dyn, type_.params))


def _fill(struct: Any, layout: Layout, aliased: list[Member]) -> None:
    data = _put_aside(struct, layout)
    for member in aliased:
        held = getattr(struct, member.attr)
        value, _ = member.find(data) if member.find else (None, "")
        if value is None:
            continue
        if held is None or held is UNSET:
            setattr(struct, member.attr, member.form(value))
        elif member.field.type.kind == "record":
            raise Misfit("two places to put together")


def _put_aside(struct: Any, layout: Layout) -> dict[str, Any]:
    data = {}
    for probe, raw in zip(layout.probes, astuple(struct)[len(layout.members) :], strict=True):
        if raw is not UNSET:
            if probe.is_marker:
                raise Misfit("a value spread over keys")
            data[probe.key] = msgspec.json.decode(raw)
            setattr(struct, probe.attr, UNSET)  # a Raw keeps the whole record's bytes alive
    return data


def _digits_step(layout: Layout) -> Step | None:
    attrs = [member.attr for member in layout.members if member.takes_int]
    if not attrs:
        return None

    def step(struct: Any) -> None:
        for attr in attrs:
            held = getattr(struct, attr)
            if type(held) is int:
                setattr(struct, attr, str(held))

    return step


# Lenient parsing ------------------------------------------------------------------------------


def lenient(data: Any) -> Any:
    """The data of a JSON text with what only matters where it is read left in place.

    Lone surrogates stay, bytes that are not UTF-8 become U+DC80 to U+DCFF, numbers may be of any size.
    Raises `RecordError` for what is no JSON.
    """
    text = _decoded(data)
    try:
        return json.loads(text, parse_int=_int, parse_constant=_refused)
    except json.JSONDecodeError as error:
        at = len(text[: error.pos].encode("utf-8", "surrogateescape"))
        raise RecordError(f"not JSON: {error.msg[:1].lower()}{error.msg[1:]} (byte {at})") from None
    except RecursionError:
        raise RecordError("nested too deeply") from None


def _decoded(data: Any) -> str:
    if isinstance(data, (bytes, bytearray, memoryview)):
        data = bytes(data).decode("utf-8", "surrogateescape")
    if not isinstance(data, str):
        raise RecordError(f"expected JSON, found a {type(data).__name__}")
    if data.startswith("\ufeff"):
        raise RecordError("not JSON: it starts with a byte-order mark")
    if not data.strip():
        raise RecordError("not JSON: it is empty")
    return data


def _int(digits: str) -> int:
    """An int; one of very many digits as some int that is beyond every type as well."""
    if len(digits) < 1_000:
        return int(digits)
    return -(10**999) if digits[0] == "-" else 10**999


def _refused(word: str) -> Any:
    raise RecordError(f"not JSON: {word} is no number there")
