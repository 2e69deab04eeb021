"""Values as a record holds them: read from a projected Struct, made CEL values by their type.

In: a record's Struct (or its default, a dict), the schema.  Out: CEL values.

A list of records keeps its Structs, as in the machine; their fields are read when asked for.  To be
compared, a record becomes a `Known`: its name and its fields' values.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from pactlang.schema import Field, Schema, Type
from pactlang.values import (
    TYPE_NAMES,
    UInt,
    duration_of_micros,
    is_bad_number,
    is_record,
    parse_duration,
    parse_timestamp,
    rounded_duration,
    rounded_timestamp,
    timestamp_of_micros,
    unit_number,
)


class Known(Struct, frozen=True):
    """A record's fields as CEL values, to be compared with another's."""

    record: str
    values: list[Any]


def member(schema: Schema, record: str, holder: Any, name: str) -> Any:
    """The CEL value of a field of a record value.  ValueError if its time cannot be read."""
    field = schema.record(record).field(name)
    assert field is not None  # the checker has proved it
    if isinstance(holder, dict):
        raw = next((holder[key] for key in field.names if holder.get(key) is not None), None)
    else:
        raw = getattr(holder, f"f{schema.reads[record].index(name)}", None)
    return _default(field) if raw is None else settle(field.type, raw)


def _default(field: Field) -> Any:
    if field.type.nullable:
        return None
    if not field.has_default:
        return {} if field.type.kind == "record" else None
    text_time = field.type.unit and isinstance(field.default, str)
    return settle(Type(field.type.kind) if text_time else field.type, field.default)


def settle(type_: Type, raw: Any) -> Any:
    """The CEL value that a held form stands for."""
    kind = type_.kind
    if raw is None:
        return None
    if kind == "uint":
        return UInt(raw)
    if kind == "double" and isinstance(raw, int):
        return float(raw)
    if kind in ("timestamp", "duration"):
        return _time(type_, raw)
    if kind == "list":
        return [settle(type_.params[0], item) for item in raw]
    if kind == "map":
        return {key: settle(type_.params[1], item) for key, item in raw.items()}
    return raw


def _time(type_: Type, raw: Any) -> Any:
    moment = type_.kind == "timestamp"
    if isinstance(raw, str):
        return rounded_timestamp(parse_timestamp(raw)) if moment else rounded_duration(parse_duration(raw))
    if isinstance(raw, int | float):
        micros = unit_number(raw, type_.unit or "s")
        return timestamp_of_micros(micros) if moment else duration_of_micros(micros)
    return raw


def known(schema: Schema, type_: Type, value: Any) -> Any:
    """The value with its records made comparable."""
    if type_.kind == "record" and (is_record(value) or isinstance(value, dict)):
        names = schema.reads.get(type_.name, ())
        fields = {name: schema.record(type_.name).field(name) for name in names}
        return Known(
            type_.name,
            [known(schema, f.type, member(schema, type_.name, value, n)) for n, f in fields.items() if f],
        )
    if type_.kind == "list" and isinstance(value, list) and type_.element.kind in ("record", "list"):
        return [known(schema, type_.element, item) for item in value]
    return value


def unreadable(value: Any, host: bool = False) -> str:
    """Why what a record, list or map holds is no CEL value, "" if it is one: an integer beyond 64 bits,
    a NaN (but for values of the `host`, Python), an object of Python's."""
    if value is None or isinstance(value, bool | str):
        return ""
    if isinstance(value, float):
        return "is not a number (NaN)" if value != value and not host else ""
    if is_bad_number(value):
        return "is an integer beyond 64 bits"
    known_type = type(value) in TYPE_NAMES or isinstance(value, int | Struct | list | dict)
    return "" if known_type else "is no CEL value" if host else "is no data that a pact can read"
