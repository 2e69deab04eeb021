"""Types as they are written: `list(int)`, `map(string, dyn)`, `timestamp`.

In: text.  Out: `schema.Type`.  The names are CEL's; `google.protobuf.Timestamp` and its like are known
too, and a type that nobody knows is an abstract one, which only has a name.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from pactlang.schema import (
    BOOL,
    BYTES,
    CIDR,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    IP,
    NULL,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    Type,
)

NAMES = {
    "bool": BOOL, "int": INT, "uint": UINT, "double": DOUBLE, "string": STRING, "bytes": BYTES,
    "null": NULL, "null_type": NULL, "timestamp": TIMESTAMP, "google.protobuf.Timestamp": TIMESTAMP,
    "duration": DURATION, "google.protobuf.Duration": DURATION, "type": TYPE, "dyn": DYN, "any": DYN,
    "google.protobuf.Any": DYN, "google.protobuf.Value": DYN, "net.IP": IP, "net.CIDR": CIDR,
}  # fmt: skip
HOST: dict[Any, Type] = {
    bool: BOOL, int: INT, float: DOUBLE, str: STRING, bytes: BYTES, type(None): NULL, datetime: TIMESTAMP,
    timedelta: DURATION, list: Type("list", (DYN,)), dict: Type("map", (DYN, DYN)), object: DYN, Any: DYN,
}  # fmt: skip

# A type with parameters, and how many it has.
GENERIC = {"list": 1, "map": 2, "optional_type": 1, "type": 1}
WORD = re.compile(r"\s*([A-Za-z_@][\w.@]*|[(),?]|\S)")
MAX_DEPTH = 50


def parse_type(written: object, params: frozenset[str] = frozenset()) -> Type:
    """The type that is written, `int` or `list(string)`, or Python's own, such as `int` or `datetime`.

    params: names that stand for any type.  Raises ValueError with the reason.
    """
    if isinstance(written, Type):
        return written
    if written in HOST:
        return HOST[written]
    if not isinstance(written, str):
        raise ValueError(f"expected the name of a type, found {written!r}")
    words = WORD.findall(written)
    found, end = _type(words, 0, params, 0)
    if end != len(words):
        raise ValueError(f"not a type: {written[:100]!r}")
    return found


def _type(words: list[str], at: int, params: frozenset[str], depth: int) -> tuple[Type, int]:
    name = words[at] if at < len(words) else ""
    if not name[:1].isidentifier() and name[:1] != "@":
        raise ValueError(f"expected the name of a type, found {name!r}")
    if depth > MAX_DEPTH:
        raise ValueError("the type is nested too deep")
    inside, at = _inside(words, at + 1, params, depth)
    found = _named(name, tuple(inside), params)
    if at < len(words) and words[at] == "?":
        return found.optional, at + 1
    return found, at


def _inside(words: list[str], at: int, params: frozenset[str], depth: int) -> tuple[list[Type], int]:
    """The types in parentheses that stand at `at`, if any do."""
    inside: list[Type] = []
    if at >= len(words) or words[at] != "(":
        return inside, at
    while words[at] != ")":
        found, at = _type(words, at + 1, params, depth + 1)
        inside.append(found)
        if at >= len(words) or words[at] not in ",)":
            raise ValueError("a type's parameters end with `)`")
    return inside, at + 1


def _named(name: str, inside: tuple[Type, ...], params: frozenset[str]) -> Type:
    if name in params:
        return Type("param", name=name)
    if name == "type":
        return TYPE
    if name in GENERIC:
        if len(inside) not in (0, GENERIC[name]):
            raise ValueError(f"`{name}` takes {GENERIC[name]} type{'s' * (GENERIC[name] > 1)}")
        kind = "optional" if name == "optional_type" else name
        return Type(kind, inside or (DYN,) * GENERIC[name])
    if name in NAMES and not inside:
        return NAMES[name]
    return Type("abstract", inside, name)
