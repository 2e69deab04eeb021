"""Record declarations become `schema.Record`s: types, defaults, names in the data.

In: the `record` and `extend` declarations of a pact, and the standard records.  Out: every record
that the pact's record reaches, that one first.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping

from pactlang import syntax
from pactlang.check.report import Report, an, listed, suggest
from pactlang.diagnostic import Fix, Label
from pactlang.schema import (
    DYN,
    ERROR,
    SCALARS,
    STRING,
    UNITS,
    Field,
    Record,
    Type,
    list_of,
    map_of,
    record_of,
)
from pactlang.source import Span

NANOS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
# What to do about a field of `Call` that has another name in the data.
OTHER_NAMES = (
    "its names in the data are fixed: its own, OpenTelemetry's and OpenInference's",
    'for a log with other names, declare a record: `pact NAME "1.0.0" on Entry`, `record Entry { ... }`;'
    " `pactc init --from LOG` writes one",
)
TYPE_NAMES = (*SCALARS, "dyn", "list", "map", "enum")

# What other languages call our types.
ELSEWHERE = {
    "str": "string", "text": "string", "char": "string", "integer": "int", "long": "int",
    "number": "double", "float": "double", "decimal": "double", "boolean": "bool", "datetime": "timestamp",
    "date": "timestamp", "time": "timestamp", "timedelta": "duration", "any": "dyn", "object": "dyn",
    "json": "dyn", "array": "list", "dict": "map", "binary": "bytes", "unsigned": "uint",
}  # fmt: skip

# The fields that give identity, slicing, order and event time, and what they may be.
IDENTITY = {"id": ("string", "int"), "session": ("string", "int"), "seq": ("int",), "time": ("timestamp",)}


class Shapes:
    """The records of one pact."""

    def __init__(self, report: Report, standard: Mapping[str, Record]) -> None:
        self.report = report
        self.records: dict[str, Record] = dict(standard)
        self.places: dict[str, Span] = {}
        self.empty: list[tuple[Span, str]] = []  # defaults `{}` of records, judged when all are known

    def declare(self, declarations: Iterable[syntax.RecordDecl]) -> None:
        """Take in all records, in any order; extensions come after what they extend."""
        declarations = list(declarations)
        own = [d for d in declarations if not d.extend]
        for declaration in own:
            self._name(declaration)
        for declaration in own:
            if self.places[declaration.name.name] == declaration.name.span:
                self._add(declaration, ())
        for declaration in declarations:
            if declaration.extend:
                self._extend(declaration)
        self._refuse_recursion()
        for span, name in self.empty:
            self._check_empty(span, name)

    def root(self, name: syntax.Ident | None) -> str:
        """The name of the record that the pact is about; "" (reported) if there is no such record."""
        if name is None:
            return "Call"
        if name.name in self.records:
            return name.name
        self.report.unknown("record", name.name, name.span, self.records, "no record has this name")
        return ""

    def reached(self, root: str) -> tuple[Record, ...]:
        """The record `root` and all that its fields lead to, in order of first mention."""
        found: dict[str, Record] = {}
        todo = [root]
        while todo:
            name = todo.pop(0)
            if name not in found:
                found[name] = self.records[name]
                todo += [inner for field in found[name].fields for inner in records_in(field.type)]
        return tuple(found.values())

    def check_identity(self, root: str) -> None:
        """`id`, `session`, `seq` and `time` have types that can be what they stand for."""
        for field in self.records[root].fields:
            wanted = IDENTITY.get(field.name)
            place = self.places.get(f"{root}.{field.name}")
            if wanted and place and field.type.kind not in (*wanted, "error"):
                self.report.error(
                    "identity-type",
                    f"`{field.name}` must be {listed(wanted)}, it is {an(field.type)}",
                    place,
                    help=("rename the field and give its name in the data with `as`",),
                )

    def _name(self, declaration: syntax.RecordDecl) -> None:
        name, span = declaration.name.name, declaration.name.span
        if name in TYPE_NAMES:
            self.report.error("reserved-word", f"`{name}` is a type's name; a record needs another", span)
        elif name == "Call":
            self.report.error(
                "duplicate-record", "`Call` is the standard record", span, "this name is taken",
                help=("write `extend Call { ... }` to add fields to it",),
            )  # fmt: skip
        elif name in self.places:
            first = Label(self.places[name], "first declared here")
            self.report.error(
                "duplicate-record", f"record `{name}` is declared twice", span, "again here", related=(first,)
            )
        self.places.setdefault(name, span)
        self.records[name] = self.records[name] if name == "Call" else Record(name, ())

    def _add(self, declaration: syntax.RecordDecl, inherited: tuple[Field, ...]) -> None:
        name = declaration.name.name
        if name == "Call" and not declaration.extend:
            return
        fields = {field.name: field for field in inherited}
        for written in declaration.fields:
            self._add_field(name, written, fields)
        self.records[name] = Record(name, tuple(fields.values()))

    def _add_field(self, record: str, written: syntax.FieldDecl, fields: dict[str, Field]) -> None:
        name, span = written.name.name, written.name.span
        key = f"{record}.{name}"
        if name in fields:
            first = self.places.get(key)
            self.report.error(
                "duplicate-field", f"`{record}` already has a field `{name}`", span, "again here",
                related=(Label(first, "first declared here"),) if first else (),
                help=() if first or record != "Call" else OTHER_NAMES,
            )  # fmt: skip
            return
        self.places[key] = span
        field = self.field(written)
        self._refuse_shared_wire(field, written, fields)
        fields[name] = field

    def _refuse_shared_wire(
        self, field: Field, written: syntax.FieldDecl, fields: Mapping[str, Field]
    ) -> None:
        for other in fields.values():
            shared = set(field.names) & set(other.names)
            if shared:
                self.report.error(
                    "duplicate-wire",
                    f"`{field.name}` and `{other.name}` are both read from `{min(shared)}` in the data",
                    written.wire.span if written.wire else written.name.span,
                )
                return

    def _extend(self, declaration: syntax.RecordDecl) -> None:
        name = declaration.name.name
        if name not in self.records:
            self.report.unknown("record", name, declaration.name.span, self.records, "nothing to extend")
            return
        self._add(declaration, self.records[name].fields)

    def field(self, written: syntax.FieldDecl) -> Field:
        """One declared field."""
        type = self.typed(written.type)
        wires = (written.wire.value,) if written.wire else ()
        if written.wire and not written.wire.value:
            self.report.error("empty-name", "a name in the data cannot be empty", written.wire.span)
        if written.default is None:
            return Field(written.name.name, type, wires)
        if type.nullable:
            self._refuse_default(written, written.default)
            return Field(written.name.name, type, wires)
        return Field(written.name.name, type, wires, True, self._default(written.default, type))

    def _refuse_default(self, written: syntax.FieldDecl, default: syntax.Expr) -> None:
        mark = Span(written.type.span.end - 1, written.type.span.end)
        self.report.error(
            "optional-default",
            f"`{written.name.name}` has both `?` and a default, so it could never be null",
            default.span,
            "a default is what an absent field reads as",
            related=(Label(mark, "`?` says that an absent field reads as null"),),
            help=("keep one of the two",),
        )

    def typed(self, ref: syntax.TypeRef) -> Type:
        """A written type; ERROR (reported) if there is no such type."""
        type = self._typed(ref)
        return type.optional if ref.nullable and type != ERROR else type

    def _typed(self, ref: syntax.TypeRef) -> Type:
        match ref.name:
            case "enum":
                return self._enum(ref)
            case "list":
                return list_of(self.typed(ref.args[0])) if self._takes(ref, 1, "list(string)") else ERROR
            case "map":
                return self._map(ref)
            case "timestamp" | "duration" if ref.args:
                return self._with_unit(ref)
            case name if name in SCALARS or name == "dyn":
                return Type(name) if self._takes(ref, 0, name) else ERROR
            case name if name in self.records:
                return record_of(name) if self._takes(ref, 0, name) else ERROR
        return self._unknown_type(ref)

    def _unknown_type(self, ref: syntax.TypeRef) -> Type:
        name = ref.name
        span = Span(ref.span.start, ref.span.start + len(name))
        known = ELSEWHERE.get(name.lower())
        if known:
            self.report.error(
                "unknown-type", f"unknown type `{name}`", span,
                help=(f"the type is called `{known}` here",), fix=Fix(span, known, f"write `{known}`"),
            )  # fmt: skip
        else:
            self.report.unknown("type", name, span, (*TYPE_NAMES, *self.records))
        return ERROR

    def _refuse_recursion(self) -> None:
        """A record may not hold itself, not even in a list: the shape of a call is finite."""
        done: set[str] = set()
        for start in self.places:
            if start in self.records and start not in done:
                self._descend(start, done)

    def _descend(self, start: str, done: set[str]) -> None:
        path, open_fields = [start], [iter(self.records[start].fields)]
        while path:
            field = next(open_fields[-1], None)
            if field is None:
                done.add(path.pop())
                open_fields.pop()
                continue
            for inner in records_in(field.type):
                if inner in path:
                    self._recursive(path[-1], field.name, inner)
                elif inner not in done:
                    path.append(inner)
                    open_fields.append(iter(self.records[inner].fields))

    def _recursive(self, record: str, field: str, inner: str) -> None:
        place = self.places.get(f"{record}.{field}") or self.places[inner]
        self.report.error(
            "recursive-record", f"`{inner}` holds itself through `{record}.{field}`", place,
            help=("declare the field as `dyn`",),
        )  # fmt: skip

    def _takes(self, ref: syntax.TypeRef, count: int, example: str) -> bool:
        if len(ref.args) == count:
            return True
        wanted = f"takes {count} type{'s' * (count != 1)} in parentheses" if count else "takes no parentheses"
        self.report.error("wrong-type", f"`{ref.name}` {wanted}", ref.span, help=(f"write `{example}`",))
        return False

    def _map(self, ref: syntax.TypeRef) -> Type:
        if not self._takes(ref, 2, "map(string, dyn)"):
            return ERROR
        key, value = (self.typed(arg) for arg in ref.args)
        if key not in (STRING, ERROR):
            self.report.error("wrong-type", f"a map's keys are strings, not {an(key)}", ref.args[0].span)
        return map_of(STRING, value)

    def _enum(self, ref: syntax.TypeRef) -> Type:
        values = tuple(text.value for text in ref.values)
        if not values:
            self.report.error("wrong-type", "an `enum` names at least one value", ref.span)
        for at, text in enumerate(ref.values):
            if text.value in values[:at]:
                self.report.error("duplicate-value", f'the value "{text.value}" comes twice', text.span)
        return Type("string", values=tuple(dict.fromkeys(values)))

    def _with_unit(self, ref: syntax.TypeRef) -> Type:
        unit = ref.args[0].name
        if len(ref.args) == 1 and unit in UNITS:
            return Type(ref.name, unit=unit)
        self.report.error(
            "wrong-unit", f"`{ref.name}` takes one of the units {listed(UNITS)}", ref.args[0].span,
            **suggest(unit, ref.args[0].span, UNITS),
        )  # fmt: skip
        return ERROR

    def _default(self, written: syntax.Expr, type: Type) -> object:
        """The default as JSON data of the declared type; None (reported) if it is not of that type."""
        if type == ERROR:
            return None
        if type.kind == "timestamp":
            self.report.error(
                "wrong-default", f"{an(type)} has no literal, so it takes no default", written.span,
                help=("a field that may be absent is marked with `?`",),
            )  # fmt: skip
            return None
        match written:
            case syntax.ListLiteral(items=()) if type.kind in ("list", "dyn"):
                return []
            case syntax.MapLiteral(entries=()) if type.kind in ("map", "dyn"):
                return {}
            case syntax.MapLiteral(entries=()) if type.kind == "record":
                self.empty.append((written.span, type.name))
                return {}
            case syntax.Literal():
                return self._literal(written, written.kind, written.value, type)
            case syntax.Unary(op="-", operand=syntax.Literal(kind=kind, value=value)) if kind in SIGNED:
                return self._literal(written, kind, -value, type)
        self.report.error(
            "wrong-default", f"a default of {an(type)} is a literal, `[]` or `{{}}`", written.span
        )
        return None

    def _check_empty(self, span: Span, name: str) -> None:
        missing = next((f for f in self.records[name].fields if not f.may_be_absent), None)
        if missing is not None:
            self.report.error(
                "wrong-default", f"an empty `{name}` is not possible: `{missing.name}` must be there", span
            )

    def _literal(self, written: syntax.Expr, kind: str, value: object, type: Type) -> object:
        if type.kind == "double" and kind == "int":
            self.report.error(
                "wrong-default", "a default of a `double` has a decimal point", written.span,
                fix=Fix(written.span, f"{value}.0", "write the number with a decimal point"),
            )  # fmt: skip
            return None
        if kind != type.kind and type != DYN:
            self.report.error(
                "wrong-default", f"expected {an(type)} as the default, found {an(kind)}", written.span
            )
            return None
        if type.values and value not in type.values:
            self.report.error(
                "enum-value", f'"{value}" is not one of the values of the enum', written.span,
                help=(f"its values are {listed(type.values)}",),
            )  # fmt: skip
        data = as_data(value, kind, type.unit)
        low, high = LIMITS.get(kind, LIMITS["int"])  # a duration may be a number of nanoseconds
        if isinstance(data, int) and not low <= data <= high:
            self.report.error("number-out-of-range", f"{data} does not fit into 64 bits", written.span)
        return data


SIGNED = ("int", "double", "duration")
LIMITS = {"int": (-(2**63), 2**63 - 1), "uint": (0, 2**64 - 1)}


def as_data(value: object, kind: str, unit: str) -> object:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if kind != "duration" or not isinstance(value, int):
        return value
    if not unit:
        seconds, nanos = divmod(abs(value), 10**9)
        return f"{'-' if value < 0 else ''}{seconds}.{nanos:09}".rstrip("0").rstrip(".") + "s"
    whole, rest = divmod(value, NANOS[unit])
    return value / NANOS[unit] if rest else whole


def records_in(type: Type) -> list[str]:
    """Names of the records that a value of the type holds."""
    if type.kind == "record":
        return [type.name]
    return [name for param in type.params for name in records_in(param)]
