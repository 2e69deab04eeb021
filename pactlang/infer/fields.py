"""From shapes to the fields of records: a name, a type with its unit, the name in the data.

In: a `Shape`.  Out: `Declared` records, the nested ones before those that hold them.

A type is taken only if every value seen fits it; where sorts are mixed it is `dyn`.  Units come from
how a key ends (`_ms`) or from where numbers lie (seconds since 1970 are around 1.7 thousand million).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pactlang.infer.log import SESSIONS, STEPS, Log
from pactlang.infer.names import AVOIDED, UPPER, in_and_out, snake, unique
from pactlang.infer.shape import Shape
from pactlang.standard import ENDINGS
from pactlang.values import parse_duration, parse_timestamp

MOMENTS = {"ts", "time", "timestamp", "date", "created", "started", "ended", "at", "start", "end", "when"}
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
LONGEST = 10**9  # seconds, some thirty years: a larger number is no duration, whatever its key says
SPANS = {"latency", "duration", "elapsed", "ttft", "took", "delay", "timeout", "age", "wait", "lag"}
# Where counts since 1970 lie between the years 2001 and 2100, by unit.
ERAS = {"s": (1e9, 4.1e9), "ms": (1e12, 4.1e12), "us": (1e15, 4.1e15), "ns": (1e18, 4.1e18)}
# The fields that give a call its identity, and the keys that are taken for them, the first that fits.
IDENTITY = {
    "id": ("id", "call_id", "request_id", "event_id", "span_id", "uuid", "message_id"),
    "session": SESSIONS,
    "time": ("time", "timestamp", "ts", "created_at", "start_time", "started_at", "created", "datetime"),
}  # fmt: skip
NAIVE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")  # a time without an offset
MIXED_KEYS = 0.2  # an object whose members are mostly absent has keys that are data


class Field(NamedTuple):
    """One field: `type` as it is written, "?" and default included; `key` is its name in the data."""

    name: str
    type: str
    key: str
    shape: Shape
    note: str = ""

    @property
    def is_nullable(self) -> bool:
        """Whether it may be absent."""
        return self.type.endswith("?")

    @property
    def kind(self) -> str:
        """The type without what stands around it."""
        return self.type.rstrip("?").partition("(")[0]


class Declared(NamedTuple):
    """One record."""

    name: str
    fields: list[Field]


def declarations(shape: Shape, name: str = "Entry") -> list[Declared]:
    """The record of these objects, behind the records that it needs."""
    found: list[Declared] = []
    _declare(shape, name, found, {"Call"}, top=True)
    return found


def _declare(shape: Shape, name: str, found: list[Declared], taken: set[str], top: bool = False) -> str:
    name = unique(name, taken)
    fields: list[Field] = []
    plain = in_and_out(name if not top else "", shape.members)
    given = _identity(shape) if top else {}
    names = {*IDENTITY, "seq"} if top else set[str]()  # these mean something: only what they mean bears them
    for key, member in shape.members.items():
        type_, note = _typed(key, member, found, taken) if _is_name(key) else (None, "")
        if type_ is None or _stands_twice(key, shape):
            continue
        if given.get(key) in ("id", "session") and member.kinds == {"string"}:
            type_ = "string"  # texts that look like times are names here
        if member.count < shape.count or member.present < member.count:
            type_ += "?"
        fields.append(
            Field(
                given.get(key) or unique(plain.get(key) or _named(key, type_), names),
                type_,
                key,
                member,
                note,
            )
        )
    found.append(Declared(name, fields))
    return name


def _stands_twice(key: str, shape: Shape) -> bool:
    """Whether `a.b` is a key, and also a member b of a member a: no name in the data tells them apart."""
    node: Shape | None = shape
    for step in key.split("."):
        node = None if node is None else node.members.get(step)
    return "." in key and node is not None


def _is_name(key: str) -> bool:
    """Whether a key can be written as a name in the data: some text, without lone surrogates."""
    return bool(key) and key.encode("utf-8", "replace").decode() == key


def _named(key: str, type_: str) -> str:
    """The name of a field; a unit that its type says is not said twice."""
    name = snake(key)
    stem, _, end = name.rpartition("_")
    if stem in AVOIDED:  # `duration` alone is a type's name
        return name
    return stem if stem and ENDINGS.get(end) and type_.startswith(("duration(", "timestamp(")) else name


def _identity(shape: Shape) -> dict[str, str]:
    """Keys of the data that become `id`, `session`, `time` and `seq`."""
    given: dict[str, str] = {}
    for name, keys in IDENTITY.items():
        for key in keys:
            member = next((k for k in shape.members if snake(k) == key), None)
            if member is not None and member not in given and _may_be(name, member, shape.members[member]):
                given[member] = name
                break
    if (counted := _counted(shape, given)) is not None:
        given[counted] = "seq"
    return given


def _counted(shape: Shape, given: dict[str, str]) -> str | None:
    """The key that numbers the calls of a session without a gap, if one does."""
    session = next((key for key, name in given.items() if name == "session"), None)
    if session is None or not isinstance(shape, Log):
        return None
    keys = (key for step in STEPS for key in shape.members if snake(key) == step and key not in given)
    return next((key for key in keys if shape.is_sequence(session, key)), None)


def _may_be(name: str, key: str, member: Shape) -> bool:
    if name == "time":
        return _moment(key, member) is not None
    return member.kinds == {"string"} or (member.kinds == {"int"} and _number(key, member)[0] == "int")


# Types ---------------------------------------------------------------------------------------------


def _typed(key: str, shape: Shape, found: list[Declared], taken: set[str]) -> tuple[str | None, str]:
    """The type and, where it is a guess, what it rests on; None for what was always null."""
    kinds = shape.kinds
    if not kinds:
        return None, ""
    if kinds <= {"int", "double"}:
        return _number(key, shape)
    if kinds == {"string"}:
        return _text(key, shape)
    if kinds == {"bool"}:
        return "bool", ""
    if kinds == {"list"}:
        return _list(key, shape, found, taken)
    if kinds == {"map"}:
        return _object(key, shape, found, taken)
    return "dyn", "several kinds of values"


def _number(key: str, shape: Shape) -> tuple[str, str]:
    if (moment := _moment(key, shape)) is not None:
        return moment, ""
    words = snake(key).split("_")
    unit = ENDINGS.get(words[-1]) if len(words) > 1 else None
    is_clear = words[-1] != "s" or SPANS & set(words)  # `pages_s` is no time, `latency_s` is
    if unit and is_clear and max(-shape.low, shape.high) <= PER_SECOND[unit] * LONGEST:
        return f"duration({unit})", ""
    if "double" in shape.kinds or not -(2**63) <= shape.low <= shape.high < 2**63:
        return "double", ""
    return "int", ""


def _moment(key: str, shape: Shape) -> str | None:
    """The type of times, if these are some."""
    if shape.kinds == {"string"}:
        return "timestamp" if shape.samples and all(map(_is_timestamp, shape.samples)) else None
    if not shape.kinds or not shape.kinds <= {"int", "double"} or not MOMENTS & set(snake(key).split("_")):
        return None
    era = (unit for unit, (low, high) in ERAS.items() if low <= shape.low and shape.high <= high)
    unit = next(era, None)
    return f"timestamp({unit})" if unit else None


def _text(key: str, shape: Shape) -> tuple[str, str]:
    if _moment(key, shape):
        return "timestamp", ""
    if all(map(_is_duration, shape.samples)):
        return "duration", ""
    naive = bool(shape.samples) and all(map(NAIVE.match, shape.samples))
    return "string", "times without an offset are texts" if naive else ""


def _is_timestamp(text: str) -> bool:
    try:
        parse_timestamp(text)
    except ValueError:
        return False
    return True


def _is_duration(text: str) -> bool:
    try:
        parse_duration(text)
    except ValueError:
        return False
    return text[-1:].isalpha()


def _list(key: str, shape: Shape, found: list[Declared], taken: set[str]) -> tuple[str, str]:
    items = shape.items
    if items is None or not items.kinds:
        return "list(dyn)", "always empty"
    inner, note = _typed(key, items, found, taken)
    if inner is None or items.present < items.count:
        return "list(dyn)", "some elements are null"
    return f"list({inner})", note


def _object(key: str, shape: Shape, found: list[Declared], taken: set[str]) -> tuple[str, str]:
    """A record where the keys are always much the same, else data of any shape."""
    if not shape.members or shape.open or not _is_regular(shape):
        return "dyn", ""
    name = "".join(word.capitalize() for word in snake(key).split("_"))
    return _declare(shape, name if UPPER.fullmatch(name) else f"Part{len(found)}", found, taken), ""


def _is_regular(shape: Shape) -> bool:
    """Whether members are the parts of one thing and not entries of a table."""
    times = [member.count / max(shape.sorts.get("map", 0), 1) for member in shape.members.values()]
    plain = all(snake(key) == key for key in shape.members)
    return plain and len(times) <= 30 and sum(times) / len(times) > MIXED_KEYS


def nested(records: Iterable[Declared]) -> Iterator[Field]:
    """All fields of all records."""
    return (field for record in records for field in record.fields)
