"""Projected Structs: one per record of a schema, with an attribute per field that is read.

In: a `schema.Schema`.  Out: `Layouts`: per record the `LayoutPlan` that tells the machine what its
Struct holds, the form that makes one of data, and the keys that lead to fields under other names.

The annotations let msgspec's JSON decoder take a subset of what the forms of `wire` take, with the
same values.  Where they are narrower (an unsigned int beyond 2^63, a time near the end of its range)
the reader falls back to the forms.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any, ForwardRef, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from pactlang import values
from pactlang.errors import RecordError
from pactlang.opcodes import Kind
from pactlang.records import wire
from pactlang.records.names import SCALAR, SPREAD, Find, Name, aliases_of, find_first, find_members, names_of
from pactlang.records.wire import Form, Misfit
from pactlang.schema import DURATION, TIMESTAMP, Field, Record, Schema, Type
from pactlang.standard import STANDARD, TEXT_OR_INT

Alias = Callable[[str], str]  # a record's name to the word for its Struct


class FieldPlan(Struct, frozen=True):
    """How one read field is held.

    attr: the attribute of the projected Struct; None in it stands for null and absent.  default: the
    CEL value that None stands for if the field is not nullable.  layout: for a record and a list of
    records the index of their layout, else -1.  convert: from what is held to the CEL value, None if
    they are the same; it raises `RecordError` for a time that is none, with the path "$".
    """

    attr: str
    kind: int
    nullable: bool
    default: Any = None
    layout: int = -1
    convert: Form | None = None


class LayoutPlan(Struct, frozen=True):
    """How one record is held: its projected Struct, and its fields in the order of `Schema.reads`."""

    struct: type[Struct]
    fields: tuple[FieldPlan, ...]


class Member(Struct, frozen=True):
    """One read field at work: where it is found, which form it must have, whether it may be missing.

    find: None if the field stands under one key without dots.
    """

    attr: str
    field: Field
    names: tuple[Name, ...]
    form: Form
    optional: bool
    find: Find | None = None

    @property
    def is_dotted(self) -> bool:
        """True if the field's own name has dots."""
        return "." in self.names[0].key

    @property
    def takes_int(self) -> bool:
        """True if an int in the data is read as its digits."""
        return self.form is _TEXT_OR_INT

    @property
    def is_aliased(self) -> bool:
        """True if the value may stand elsewhere than under the first name taken as one key."""
        return self.find is not None

    def identity(self, data: dict[str, Any]) -> Any:
        """What the field holds in data that has nothing else; None where it has nothing that fits."""
        try:
            return _held(self, data)
        except Misfit:
            return None


class Probe(Struct, frozen=True):
    """A key that may lead to an aliased field; the projected Struct keeps it undecoded in `attr`.

    is_marker: its presence shows a value that is spread over keys, which only a whole reading finds.
    """

    attr: str
    key: str
    is_marker: bool


class Layout(Struct):
    """One record at work.

    other_names: all names of its read fields but those that are one plain key; `probes` lead to them.
    """

    record: str
    plan: LayoutPlan
    members: tuple[Member, ...]
    other_names: tuple[Name, ...]
    probes: tuple[Probe, ...]
    form: Form
    is_direct: bool  # False: msgspec cannot fill the Struct, since two fields claim one key

    @property
    def heads(self) -> frozenset[str]:
        """The keys of the record under which what is read may begin."""
        own = {head for member in self.members for head in member.names[0].heads}
        return frozenset(own | {probe.key for probe in self.probes})

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Beginnings of further such keys, where a value may be spread over keys."""
        return tuple(probe.key.removesuffix(SPREAD) for probe in self.probes if probe.is_marker)

    def reads(self, name: str) -> bool:
        """True if the field is read."""
        return any(member.field.name == name for member in self.members)

    def member_of(self, name: str) -> Member:
        """The read field of that name; KeyError if there is none."""
        return self.members[self._at(name)]

    def plan_of(self, name: str) -> FieldPlan:
        """The plan of the read field of that name; KeyError if there is none."""
        return self.plan.fields[self._at(name)]

    def _at(self, name: str) -> int:
        for index, member in enumerate(self.members):
            if member.field.name == name:
                return index
        raise KeyError(name)


class Layouts:
    """The layouts of a schema's records, in its order, by index and by name."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._index = {record.name: index for index, record in enumerate(schema.records)}
        self._forms: dict[str, Form] = {}
        self._structs: dict[str, type[Struct]] = {}
        self._members = {record.name: self._members_of(record) for record in schema.records}
        self._probes = {record.name: self._probes_of(record) for record in schema.records}
        for record in schema.records:
            self._structs[record.name] = self._struct(record)
            self._forms[record.name] = _record_form(self._structs[record.name], self._members[record.name])
        self._link()
        self.layouts = tuple(map(self._layout, schema.records))

    def of(self, name: str) -> Layout:
        """The layout of the record called `name`."""
        return self.layouts[self._index[name]]

    # Members

    def _members_of(self, record: Record) -> tuple[Member, ...]:
        read = self.schema.reads.get(record.name, ())
        fields = [field for name in read if (field := record.field(name)) is not None]
        return tuple(self._member(record, field, f"f{index}") for index, field in enumerate(fields))

    def _member(self, record: Record, field: Field, attr: str) -> Member:
        names = names_of(record, field)
        optional = field.may_be_absent or self._reads_as_empty(field.type)
        find = self._find(record, field, names)
        return Member(attr, field, names, self._field_form(record, field), optional, find)

    def _field_form(self, record: Record, field: Field) -> Form:
        is_standard = record.name == "Call" and field == STANDARD["Call"].field(field.name)
        if is_standard and field.name in TEXT_OR_INT:
            return _TEXT_OR_INT
        return wire.form(field.type, self._form_of)

    def _form_of(self, name: str) -> Form:
        return lambda data: self._forms[name](data)

    def _find(self, record: Record, field: Field, names: tuple[Name, ...]) -> Find | None:
        if field.type.kind == "record" and (inner := self._inner_names(record, field)):
            return find_members(field.name, inner)
        if len(names) > 1 or "." in names[0].key:
            return find_first(names)
        return None

    def _inner_names(self, record: Record, field: Field) -> dict[str, tuple[tuple[Name, ...], Form]]:
        """The names that the read fields of a nested record have at the top of the data."""
        nested = self.schema.record(field.type.name)
        found = {}
        for name in self.schema.reads.get(nested.name, ()):
            inner = nested.field(name)
            if inner is not None and (names := aliases_of(record, field.name, name)):
                found[name] = (names, wire.form(inner.type, self._form_of))
        return found

    def _reads_as_empty(self, type_: Type, seen: frozenset[str] = frozenset()) -> bool:
        """True for a record all of whose fields may be absent: then it may be absent itself."""
        if type_.kind != "record" or type_.name in seen:
            return False
        seen |= {type_.name}
        fields = self.schema.record(type_.name).fields
        return all(field.may_be_absent or self._reads_as_empty(field.type, seen) for field in fields)

    # Structs

    def _probes_of(self, record: Record) -> tuple[Probe, ...]:
        taken = {member.names[0].key for member in self._members[record.name]}
        names = self._other_names(record)
        markers = {name.marker for name in names if name.indexed}
        keys = [key for key in self._other_keys(record) if key not in taken]
        return tuple(Probe(f"p{index}", key, key in markers) for index, key in enumerate(keys))

    def _other_names(self, record: Record) -> list[Name]:
        """All names of the read fields but those that are one plain key."""
        found: list[Name] = []
        for member in self._members[record.name]:
            found += member.names if member.is_dotted else member.names[1:]
            if member.field.type.kind == "record":
                found += (n for names, _ in self._inner_names(record, member.field).values() for n in names)
        return found

    def _other_keys(self, record: Record) -> list[str]:
        return list(dict.fromkeys(key for name in self._other_names(record) for key in name.heads))

    def _struct(self, record: Record) -> type[Struct]:
        fields: list[Any] = []
        taken: set[str] = set()
        loaded = {slot.path for slot in self.schema.slots}
        for member in self._members[record.name]:
            key = member.names[0].key
            is_loaded = record.name == self.schema.root and (member.field.name,) in loaded
            unique = key if key not in taken and _is_plain(key) else f"#{member.attr}"
            fields.append(_attribute(member, unique, is_loaded, self._alias))
            taken.add(key)
        for probe in self._probes[record.name]:
            key = probe.key if _is_plain(probe.key) else f"#{probe.attr}"
            fields.append((probe.attr, Raw | UnsetType, msgspec.field(name=key, default=UNSET)))
        return msgspec.defstruct(record.name, fields, kw_only=True, gc=False, eq=True)

    def _alias(self, name: str) -> str:
        """The word that stands for a record's Struct in annotations."""
        return f"record_{self._index[name]}"

    def _link(self) -> None:
        """Let every Struct find the others under the names that its annotations use."""
        for struct in self._structs.values():
            for name, other in self._structs.items():
                setattr(struct, self._alias(name), other)

    # Layouts

    def _layout(self, record: Record) -> Layout:
        members = self._members[record.name]
        plan = LayoutPlan(self._structs[record.name], tuple(map(self._plan, members)))
        return Layout(
            record.name,
            plan,
            members,
            tuple(self._other_names(record)),
            self._probes[record.name],
            self._forms[record.name],
            self._is_direct(record),
        )

    def _is_direct(self, record: Record) -> bool:
        """False where two fields claim one key, of which the Struct can keep only one reading."""
        members = self._members[record.name]
        own = {member.names[0].key: member for member in members}
        others = own.keys() & set(self._other_keys(record))
        hides = any(own[key].field.type.kind not in SCALAR and not own[key].is_dotted for key in others)
        keys = (*own, *(probe.key for probe in self._probes[record.name]))
        return len(own) == len(members) and not hides and all(map(_is_plain, keys))

    def _plan(self, member: Member) -> FieldPlan:
        type_ = member.field.type
        return FieldPlan(
            member.attr,
            _kind(type_),
            type_.nullable,
            self._default(member),
            self._index[_record_name(type_)] if _record_name(type_) else -1,
            _convert(type_),
        )

    def _default(self, member: Member) -> Any:
        field = member.field
        if field.type.nullable or not member.optional:
            return None
        if not field.has_default:
            return self._forms[field.type.name]({})
        return _default_value(field, member.form)


def _default_value(field: Field, form: Form) -> Any:
    type_ = field.type
    if type_.unit and isinstance(field.default, str):  # written as a text, whatever the data has
        type_ = Type(type_.kind)
        return wire.time_value(type_)(field.default)
    held = form(field.default)
    make = wire.value(type_)
    return make(held) if make else held


def _record_name(type_: Type) -> str:
    if type_.kind == "list":
        type_ = type_.params[0]
    return type_.name if type_.kind == "record" else ""


def _kind(type_: Type) -> Kind:
    if type_.kind in ("list", "map") and wire.value(type_):
        return Kind.CONVERT
    return Kind[f"{type_.kind}_{type_.unit}".rstrip("_").upper()]


def _convert(type_: Type) -> Form | None:
    make = wire.value(type_)
    if make is None:
        return None

    def convert(held: Any) -> Any:
        try:
            return make(held)
        except Misfit as misfit:
            raise RecordError(misfit.reason, misfit.path) from None

    return convert


def _is_plain(key: str) -> bool:
    """Whether msgspec takes a key as a field's name: it must be written in JSON without an escape."""
    return not any(char in '\\"' or char < " " for char in key)


# What msgspec decodes -------------------------------------------------------------------------


def _attribute(member: Member, key: str, is_loaded: bool, alias: Alias) -> tuple[str, Any, Any]:
    """The attribute of a projected Struct: its name, its annotation, its key and default.

    is_loaded: a slot loads the field, and checks it if it is the text of a time.
    """
    annotation = _annotation(member.field.type, alias)
    if member.takes_int:
        annotation = str | _INT
    elif is_loaded and member.field.type.plain in (TIMESTAMP, DURATION) and not member.field.type.unit:
        annotation = str
    if member.optional:
        return member.attr, annotation | None, msgspec.field(name=key, default=None)
    if member.is_aliased:
        return member.attr, annotation | UnsetType, msgspec.field(name=key, default=UNSET)
    return member.attr, annotation, msgspec.field(name=key)


def _annotation(type_: Type, alias: Alias) -> Any:
    inside = _plain_annotation(type_, alias)
    return inside | None if type_.nullable and type_.kind != "dyn" else inside


def _plain_annotation(type_: Type, alias: Alias) -> Any:
    if type_.kind == "list":
        return list[_annotation(type_.params[0], alias)]  # type: ignore[misc]
    if type_.kind == "map":
        return dict[str, _annotation(type_.params[1], alias)]  # type: ignore[misc]
    if type_.kind == "record":
        return ForwardRef(alias(type_.name))
    if type_.unit:
        return _number(*wire.number_range(type_))
    return Literal[type_.values] if type_.values else _SCALARS[type_.kind]


def _number(low: int, high: int) -> Any:
    bounds = Meta(ge=low, le=high)
    return Annotated[int, bounds] | Annotated[float, bounds]


# Texts that are surely times in range; the forms decide on others (29 February, year 1 and 9999, "1.s").
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"
_DAYS = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)"
    r"|02-(?:0[1-9]|1\d|2[0-8]))"
)
_MOMENTS = rf"(?a)\A[1-8]\d\d\d-{_DAYS}[Tt ]{_CLOCK}:[0-5]\d(?:\.\d{{1,9}})?(?:[Zz]|[+-]{_CLOCK})\Z"
_SPANS = r"(?a)\A[+-]?(?:\d{1,7}h(?:\d{1,7}m)?|\d{1,7}m|(?=\d))(?:\d{1,9}(?:\.\d{1,9})?(?:s|ms|us|ns))?\Z"

_INT = Annotated[int, Meta(ge=values.MIN_INT, le=values.MAX_INT)]
_TEXT_OR_INT = wire.or_null(wire.text_or_int)

_SCALARS: dict[str, Any] = {
    "bool": bool,
    "int": _INT,
    "uint": Annotated[int, Meta(ge=0, le=values.MAX_INT)],  # msgspec's bounds end at 2^63 - 1
    "double": Annotated[float, Meta(ge=-sys.float_info.max, le=sys.float_info.max)],  # no NaN of MessagePack
    "string": str,
    "bytes": bytes,
    "timestamp": Annotated[str, Meta(pattern=_MOMENTS)],
    "duration": Annotated[str, Meta(pattern=_SPANS)],
    "dyn": Any,
}


# The form of a record -------------------------------------------------------------------------


def _record_form(struct: type[Struct], members: tuple[Member, ...]) -> Form:
    def read(data: Any) -> Any:
        data = wire.plain(data)
        if type(data) is not dict:
            raise wire.expected("object", data)
        return struct(**{member.attr: _held(member, data) for member in members})

    return read


def _held(member: Member, data: dict[str, Any]) -> Any:
    if member.find is None:
        key = member.names[0].key
        value, step = data.get(key), "." + key
    else:
        value, step = member.find(data)
    if value is None and member.optional:
        return None
    try:
        if value is None and step[1:] not in data:
            raise Misfit("a required field is missing")
        return member.form(value)
    except Misfit as misfit:
        raise misfit.at(step) from None
