"""Constants of a declared type: what stands for a field in the call of a test.

In: an expression that must be a constant, and the type of its field.  Out: the JSON data that a log
would have for it, under the names of the data; or a finding with, where there is one, the mend.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from pactlang import syntax
from pactlang.check.report import Report, an, listed, near
from pactlang.check.shapes import LIMITS, NANOS, SIGNED, as_data
from pactlang.diagnostic import Fix, Label
from pactlang.schema import DYN, Field, Record, Type
from pactlang.source import Span
from pactlang.values import Duration, Timestamp, parse_duration, parse_timestamp

Named = Iterable[tuple[str, Span, syntax.Expr]]  # a field, where its name stands, its constant

TIMES: dict[str, Callable[[str], Timestamp | Duration]] = {
    "timestamp": parse_timestamp, "duration": parse_duration,
}  # fmt: skip
DATALESS = ("bytes", "timestamp", "duration")  # what JSON has no value of its own for
PLAIN = re.compile(r"-?[0-9]+(?P<rest>\.[0-9]+)?")
SHORT = 200  # characters of a text that a mend may quote


class Wrong(Exception):
    """The constant is none, and that has been reported."""


class Constants:
    """Reads constants of the fields of some records."""

    def __init__(self, report: Report, records: Iterable[Record]) -> None:
        self.report = report
        self.records = {record.name: record for record in records}

    def fields(self, record: str, written: Named) -> dict[str, tuple[Field, Any]]:
        """The data of fields by name; those with a mistake are reported and left out."""
        known = {field.name: field for field in self.records[record].fields}
        found: dict[str, tuple[Field, Any]] = {}
        first: dict[str, Span] = {}
        for name, span, value in written:
            if name not in known:
                self.report.unknown("field", name, span, known, f"`{record}` has no such field")
            elif name in first:
                self._again(name, span, first[name])
            else:
                first[name] = span
                self._field(known[name], value, found)
        return found

    def _field(self, field: Field, value: syntax.Expr, found: dict[str, tuple[Field, Any]]) -> None:
        found[field.name] = (field, None)  # it is given, if not well
        try:
            data = self.data(value, field.type)
            if data is None and field.type == DYN:  # further in, null may stand
                self._no_null(value, field.type)
            found[field.name] = (field, data)
        except Wrong:
            return

    def _again(self, name: str, span: Span, first: Span) -> None:
        self.report.error(
            "duplicate-field", f"`{name}` is given twice", span, "again here",
            related=(Label(first, "first given here"),),
        )  # fmt: skip

    def data(self, written: syntax.Expr, type: Type) -> Any:
        """The constant as data; Wrong (reported) if it is none of the type."""
        match written:
            case syntax.Literal(kind="null"):
                return self._null(written, type)
            case syntax.Literal():
                return self._literal(written, written.kind, written.value, type)
            case syntax.Unary(op="-", operand=syntax.Literal(kind=kind, value=value)) if kind in SIGNED:
                return self._literal(written, kind, -value, type)
            case syntax.ListLiteral():
                return self._list(written, type)
            case syntax.MapLiteral():
                return self._map(written, type)
            case syntax.StructLiteral() if type.kind == "record" and written.type_name == type.name:
                if not any(init.optional for init in written.fields):
                    inits = [(init.field, init.span, init.value) for init in written.fields]
                    return self._record(inits, type.name, written.span)
            case syntax.Call(function="timestamp" | "duration", args=(syntax.Literal(kind="string"),)):
                return self._time(written, type)
        raise self._no_constant(written)

    def _no_constant(self, written: syntax.Expr) -> Wrong:
        self.report.error(
            "not-a-constant", "a test gives its fields constants", written.span, "this must be computed",
            help=("write the value itself: a literal, a list or a map of them",),
        )  # fmt: skip
        return Wrong()

    # Lists, maps, records ------------------------------------------------------------------------

    def _list(self, written: syntax.ListLiteral, type: Type) -> list[Any]:
        if type.kind not in ("list", "dyn", "error"):
            raise self._mismatch(written.span, "list", type)
        element = type.params[0] if type.params else DYN
        if any(item.optional for item in written.items):
            raise self._no_constant(written)
        return [self.data(item.value, element) for item in written.items]

    def _map(self, written: syntax.MapLiteral, type: Type) -> dict[str, Any]:
        if type.kind not in ("map", "record", "dyn", "error"):
            raise self._mismatch(written.span, "map", type)
        named = [self._key(entry) for entry in written.entries]
        if type.kind == "record":
            return self._record(named, type.name, written.span)
        inside = type.params[1] if len(type.params) == 2 else DYN
        data: dict[str, Any] = {}
        for name, span, value in named:
            if name in data:
                self.report.error("duplicate-field", f'the key "{name}" comes twice', span, "again here")
            data[name] = self.data(value, inside)
        return data

    def _key(self, entry: syntax.Entry) -> tuple[str, Span, syntax.Expr]:
        key = entry.key
        if isinstance(key, syntax.Literal) and key.kind == "string" and not entry.optional:
            return key.value, key.span, entry.value
        name = key.name if isinstance(key, syntax.Name) else None
        fix = None if name is None else Fix(key.span, f'"{name}"', "write the key in quotes")
        self.report.error("map-key", "a key of data is a string in quotes", key.span, fix=fix)
        raise Wrong

    def _record(self, written: Named, record: str, span: Span) -> dict[str, Any]:
        found = self.fields(record, written)
        for field in self.records[record].fields:
            if field.name not in found and self._is_needed(field):
                self.report.error(
                    "missing-field", f"`{record}` needs the field `{field.name}`", span,
                    help=(f"only a field of the call itself may be left out: it is {an(field.type)}",),
                )  # fmt: skip
        return {field.names[0]: data for field, data in found.values()}

    def _is_needed(self, field: Field) -> bool:
        """False if data without the field is a record: one that is absent may read as an empty one."""
        if field.may_be_absent or field.type.kind != "record":
            return not field.may_be_absent
        return any(self._is_needed(inner) for inner in self.records[field.type.name].fields)

    # Scalars -------------------------------------------------------------------------------------

    def _literal(self, written: syntax.Expr, kind: str, value: Any, type: Type) -> Any:
        if type.kind == "dyn" and (kind in DATALESS or kind == "uint"):
            raise self._dataless(written, kind)
        if kind != type.kind and type.kind not in ("dyn", "error"):
            raise self._mismatch(written.span, kind, type, self._mend(written, kind, value, type))
        if type.values and value not in type.values:
            raise self._no_choice(written, value, type)
        return self._counted(written, as_data(value, kind, type.unit), kind)

    def _counted(self, written: syntax.Expr, data: Any, kind: str) -> Any:
        """The data, if it is no number beyond 64 bits; a time may be one of nanoseconds."""
        low, high = LIMITS.get(kind, LIMITS["int"])
        if isinstance(data, int) and not low <= data <= high:
            self.report.error("number-out-of-range", "the number does not fit into 64 bits", written.span)
            raise Wrong
        return data

    def _null(self, written: syntax.Expr, type: Type) -> None:
        if not type.nullable and type.kind not in ("dyn", "error"):
            self._no_null(written, type)

    def _no_null(self, written: syntax.Expr, type: Type) -> None:
        self.report.error(
            "type-mismatch", f"expected {an(type)}, found null", written.span, "this is null",
            help=("a field that is left out reads as its default or, without one, as an error value",),
        )  # fmt: skip
        raise Wrong

    def _mismatch(self, span: Span, kind: str, type: Type, fix: Fix | None = None) -> Wrong:
        self.report.error(
            "type-mismatch", f"expected {an(type)}, found {an(kind)}", span, f"this is {an(kind)}", fix=fix
        )
        return Wrong()

    def _no_choice(self, written: syntax.Expr, value: str, type: Type) -> Wrong:
        shown = value if len(value) <= SHORT else f"{value[:SHORT]}..."
        other = near(value, type.values)
        fix = Fix(written.span, f'"{other}"', "write that value") if other else None
        self.report.error(
            "enum-value", f'"{shown}" is not one of the values of the enum', written.span,
            help=(f"its values are {listed(type.values)}",), fix=fix,
        )  # fmt: skip
        return Wrong()

    def _dataless(self, written: syntax.Expr, kind: str) -> Wrong:
        text = self.report.text(written.span)[:-1]
        fix = Fix(written.span, text, "write the number without `u`") if kind == "uint" else None
        self.report.error(
            "type-mismatch", f"data of a `dyn` cannot hold {an(kind)}", written.span, fix=fix,
            help=("a record that comes as JSON has texts and plain numbers there",),
        )  # fmt: skip
        return Wrong()

    def _mend(self, written: syntax.Expr, kind: str, value: Any, type: Type) -> Fix | None:
        """How a constant of a near type is written as one of the right type."""
        text = _mended(kind, value, type, self.report.text(written.span))
        return None if text is None else Fix(written.span, text, f"write {an(type.plain)}")

    def _time(self, written: syntax.Call, type: Type) -> Any:
        kind, literal = written.function, written.args[0]
        assert isinstance(literal, syntax.Literal)
        try:
            time = TIMES[kind](literal.value)
        except ValueError as error:
            self.report.error(f"bad-{kind}", f"this is no {kind}: {error}", literal.span)
            raise Wrong from None
        if type.kind == "dyn":
            raise self._dataless(written, kind)
        if type.kind not in (kind, "error"):
            raise self._mismatch(written.span, kind, type)
        return self._counted(written, time_data(time, type), kind)


def time_data(time: Timestamp | Duration, type: Type) -> Any:
    """A time as the data of a field: its text, or a number in the field's unit."""
    if isinstance(time, Timestamp) and not type.unit:
        return str(time)
    return as_data(time.seconds * NANOS["s"] + time.nanos, "duration", type.unit)


def _mended(kind: str, value: Any, type: Type, text: str) -> str | None:
    match kind, type.kind:
        case "int", "double":
            return f"{text}.0" if "x" not in text.lower() else None
        case "double", "int" if value.is_integer() and abs(value) < 2**53:
            return str(int(value))
        case "int", "uint" if value >= 0:
            return f"{text}u"
        case "uint", "int":
            return text[:-1]
        case "int" | "double", "duration" if type.unit in ("s", "ms") and PLAIN.fullmatch(text):
            return text + type.unit
        case "int" | "uint" | "double" | "bool", "string" if not type.values:
            return f'"{text}"'
        case "string", _:
            return _unquoted(value, type.kind)
    return None


def _unquoted(text: str, kind: str) -> str | None:
    """What a text in quotes says, as a constant of another kind."""
    if len(text) > SHORT or not text.isascii() or not text.isprintable():
        return None
    if kind == "bool":
        return text if text in ("true", "false") else None
    if kind in ("int", "uint", "double"):
        return _number(text, kind)
    if kind not in TIMES or '"' in text or "\\" in text:
        return None
    try:
        TIMES[kind](text)
    except ValueError:
        return None
    return f'{kind}("{text}")'


def _number(text: str, kind: str) -> str | None:
    found = PLAIN.fullmatch(text)
    if found is None or (kind == "uint" and text[0] == "-") or (found["rest"] and kind != "double"):
        return None
    return text + ("u" if kind == "uint" else ".0" if kind == "double" and not found["rest"] else "")
