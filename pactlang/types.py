"""Types as they are written: `list(int)`, `map(string, dyn)`, `timestamp`.

In: text.  Out: `schema.Type`.  The names are CEL's; `google.protobuf.Timestamp` and its like are known
too, and a type that nobody knows is an abstract one, which only has a name.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from datetime import datetime, timedelta
from difflib import get_close_matches
from types import UnionType
from typing import Any, Union, get_args, get_origin

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

# What Python and JSON call our types.
ELSEWHERE = {"str": "string", "float": "double", "dict": "map", "integer": "int", "boolean": "bool"}

# A type with parameters, and how many it has.
GENERIC = {"list": 1, "map": 2, "optional_type": 1, "type": 1}
WORD = re.compile(r"\s*([A-Za-z_@][\w.@]*|[(),?]|\S)")
MAX_DEPTH = 50


def parse_type(written: object, params: frozenset[str] = frozenset(), abstract: bool = False) -> Type:
    """The type that is written, `int` or `list(string)`, or Python's own: `int`, `datetime`, `list[str]`.

    params: names that stand for any type.  abstract: a name that nobody knows is a type of the user's;
    otherwise only one with a dot is.  Raises ValueError with the reason.
    """
    if isinstance(written, Type):
        return written
    if get_args(written):
        return _generic(written, params, abstract)
    if isinstance(written, Hashable) and written in HOST:
        return HOST[written]
    if not isinstance(written, str):
        raise ValueError(f"expected the name of a type, such as 'list(int)', found {written!r}")
    words = WORD.findall(written)
    found, end = _type(words, 0, params, 0)
    if end != len(words):
        raise ValueError(f"not a type: {written[:100]!r}")
    return found if abstract else _known(found)


def _generic(written: object, params: frozenset[str], abstract: bool) -> Type:
    """`list[str]`, `dict[str, int]`, `int | None`."""
    origin, args = get_origin(written), get_args(written)
    inside = [parse_type(arg, params, abstract) for arg in args if arg is not type(None)]
    if origin in (list, dict) and len(inside) == GENERIC["list" if origin is list else "map"]:
        return Type("list" if origin is list else "map", tuple(inside))
    if origin in (Union, UnionType) and len(inside) == 1 and len(args) == 2:
        return inside[0].optional
    raise ValueError(f"no type of CEL is like {written!r}")


def _known(type: Type) -> Type:
    """The type, all of whose names are known; a name with a dot may be anybody's."""
    if type.kind == "abstract" and "." not in type.name:
        near = get_close_matches(ELSEWHERE.get(type.name, type.name), [*NAMES, *GENERIC], 1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        raise ValueError(f"unknown type `{type.name[:60]}`{hint}")
    for inside in type.params:
        _known(inside)
    return type


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
