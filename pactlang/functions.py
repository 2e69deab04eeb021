"""The overload table: every function and operator of the language, stated once.

Read by the checker (which overloads fit), the emitter (which builtin runs), the evaluator (which
Python function computes it) and the language reference.  A row is one CEL overload; rows of one
function share one `Builtin`, which looks at its arguments' tags when it runs, so a call whose types
are known only at run time needs no row of its own.

To add a function: add its rows, a member of `Builtin`, a case in `runtime/builtins.pxi`, and a line
in `evaluate/calls.py`; a test fails while one of them is missing.
"""

from __future__ import annotations

from enum import IntEnum, auto
from typing import NamedTuple

from pactlang.schema import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    Type,
    list_of,
    map_of,
)


class Builtin(IntEnum):
    """What the machine's CALL instruction computes.  Numbers are part of the artifact's format."""

    ADD = 0
    SUBTRACT = auto()
    MULTIPLY = auto()
    DIVIDE = auto()
    MODULO = auto()
    NEGATE = auto()
    EQUAL = auto()
    NOT_EQUAL = auto()
    LESS = auto()
    LESS_EQUAL = auto()
    GREATER = auto()
    GREATER_EQUAL = auto()
    IN = auto()
    INDEX = auto()
    SIZE = auto()
    CONTAINS = auto()
    STARTS_WITH = auto()
    ENDS_WITH = auto()
    MATCHES = auto()
    TO_BOOL = auto()
    TO_INT = auto()
    TO_UINT = auto()
    TO_DOUBLE = auto()
    TO_STRING = auto()
    TO_BYTES = auto()
    TO_TIMESTAMP = auto()
    TO_DURATION = auto()
    TO_TYPE = auto()
    TO_DYN = auto()
    GET_FULL_YEAR = auto()
    GET_MONTH = auto()
    GET_DATE = auto()
    GET_DAY_OF_MONTH = auto()
    GET_DAY_OF_WEEK = auto()
    GET_DAY_OF_YEAR = auto()
    GET_HOURS = auto()
    GET_MINUTES = auto()
    GET_SECONDS = auto()
    GET_MILLISECONDS = auto()
    BUCKET = auto()


class Overload(NamedTuple):
    """One row.  A method's receiver is `params[0]`.  `errs`: may be an error value although every
    argument is a plain value of the right type.  `variadic`: the last parameter may be repeated."""

    id: str
    function: str
    params: tuple[Type, ...]
    result: Type
    method: bool = False
    errs: bool = False
    variadic: bool = False


A, B = Type("param", name="A"), Type("param", name="B")
LIST_A, MAP_AB = list_of(A), map_of(A, B)

OPERATORS = {
    "+": "_+_", "-": "_-_", "*": "_*_", "/": "_/_", "%": "_%_", "==": "_==_", "!=": "_!=_",
    "<": "_<_", "<=": "_<=_", ">": "_>_", ">=": "_>=_", "in": "@in", "neg": "-_", "[]": "_[_]",
}  # fmt: skip

BUILTINS = {
    "_+_": Builtin.ADD, "_-_": Builtin.SUBTRACT, "_*_": Builtin.MULTIPLY, "_/_": Builtin.DIVIDE,
    "_%_": Builtin.MODULO, "-_": Builtin.NEGATE, "_==_": Builtin.EQUAL, "_!=_": Builtin.NOT_EQUAL,
    "_<_": Builtin.LESS, "_<=_": Builtin.LESS_EQUAL, "_>_": Builtin.GREATER,
    "_>=_": Builtin.GREATER_EQUAL, "@in": Builtin.IN, "_[_]": Builtin.INDEX, "size": Builtin.SIZE,
    "contains": Builtin.CONTAINS, "startsWith": Builtin.STARTS_WITH, "endsWith": Builtin.ENDS_WITH,
    "matches": Builtin.MATCHES, "bool": Builtin.TO_BOOL, "int": Builtin.TO_INT,
    "uint": Builtin.TO_UINT, "double": Builtin.TO_DOUBLE, "string": Builtin.TO_STRING,
    "bytes": Builtin.TO_BYTES, "timestamp": Builtin.TO_TIMESTAMP, "duration": Builtin.TO_DURATION,
    "type": Builtin.TO_TYPE, "dyn": Builtin.TO_DYN, "getFullYear": Builtin.GET_FULL_YEAR,
    "getMonth": Builtin.GET_MONTH, "getDate": Builtin.GET_DATE,
    "getDayOfMonth": Builtin.GET_DAY_OF_MONTH, "getDayOfWeek": Builtin.GET_DAY_OF_WEEK,
    "getDayOfYear": Builtin.GET_DAY_OF_YEAR, "getHours": Builtin.GET_HOURS,
    "getMinutes": Builtin.GET_MINUTES, "getSeconds": Builtin.GET_SECONDS,
    "getMilliseconds": Builtin.GET_MILLISECONDS, "hour": Builtin.GET_HOURS,
    "bucket": Builtin.BUCKET,
}  # fmt: skip


def _arithmetic() -> list[Overload]:
    rows = []
    for sign, word in (("+", "add"), ("-", "subtract"), ("*", "multiply"), ("/", "divide")):
        for kind, errs in ((INT, True), (UINT, True), (DOUBLE, False)):
            rows.append(Overload(f"{word}_{kind}", f"_{sign}_", (kind, kind), kind, errs=errs))
    for kind in (INT, UINT):
        rows.append(Overload(f"modulo_{kind}", "_%_", (kind, kind), kind, errs=True))
    rows += [
        Overload("add_string", "_+_", (STRING, STRING), STRING),
        Overload("add_bytes", "_+_", (BYTES, BYTES), BYTES),
        Overload("add_list", "_+_", (LIST_A, LIST_A), LIST_A),
        Overload("add_timestamp_duration", "_+_", (TIMESTAMP, DURATION), TIMESTAMP, errs=True),
        Overload("add_duration_timestamp", "_+_", (DURATION, TIMESTAMP), TIMESTAMP, errs=True),
        Overload("add_duration", "_+_", (DURATION, DURATION), DURATION, errs=True),
        Overload("subtract_timestamp", "_-_", (TIMESTAMP, TIMESTAMP), DURATION, errs=True),
        Overload("subtract_timestamp_duration", "_-_", (TIMESTAMP, DURATION), TIMESTAMP, errs=True),
        Overload("subtract_duration", "_-_", (DURATION, DURATION), DURATION, errs=True),
        Overload("negate_int", "-_", (INT,), INT, errs=True),
        Overload("negate_double", "-_", (DOUBLE,), DOUBLE),
    ]
    return rows


ORDERED = (BOOL, INT, UINT, DOUBLE, STRING, BYTES, TIMESTAMP, DURATION)
NUMBERS = (INT, UINT, DOUBLE)


def _comparison() -> list[Overload]:
    rows = [
        Overload("equals", "_==_", (A, A), BOOL),
        Overload("not_equals", "_!=_", (A, A), BOOL),
    ]
    for sign, word in (("<", "less"), ("<=", "less_equals"), (">", "greater"), (">=", "greater_equals")):
        rows += [Overload(f"{word}_{k}", f"_{sign}_", (k, k), BOOL) for k in ORDERED]
        rows += [
            Overload(f"{word}_{a}_{b}", f"_{sign}_", (a, b), BOOL)
            for a in NUMBERS
            for b in NUMBERS
            if a is not b
        ]
    return rows


def _containers() -> list[Overload]:
    return [
        Overload("in_list", "@in", (A, LIST_A), BOOL),
        Overload("in_map", "@in", (A, MAP_AB), BOOL),
        Overload("index_list", "_[_]", (LIST_A, INT), A, errs=True),
        Overload("index_map", "_[_]", (MAP_AB, A), B, errs=True),
        *(
            Overload(f"size_{name}{'_method' if method else ''}", "size", (kind,), INT, method=method)
            for name, kind in (("string", STRING), ("bytes", BYTES), ("list", LIST_A), ("map", MAP_AB))
            for method in (False, True)
        ),
    ]


def _text() -> list[Overload]:
    return [
        Overload("contains_string", "contains", (STRING, STRING), BOOL, method=True),
        Overload("starts_with_string", "startsWith", (STRING, STRING), BOOL, method=True),
        Overload("ends_with_string", "endsWith", (STRING, STRING), BOOL, method=True),
        Overload("matches_method", "matches", (STRING, STRING), BOOL, method=True, errs=True),
        Overload("matches", "matches", (STRING, STRING), BOOL, errs=True),
    ]


CONVERSIONS: dict[str, tuple[Type, tuple[Type, ...]]] = {
    "bool": (BOOL, (BOOL, STRING)),
    "int": (INT, (INT, UINT, DOUBLE, STRING, TIMESTAMP)),
    "uint": (UINT, (UINT, INT, DOUBLE, STRING)),
    "double": (DOUBLE, (DOUBLE, INT, UINT, STRING)),
    "string": (STRING, (STRING, BOOL, INT, UINT, DOUBLE, BYTES, TIMESTAMP, DURATION)),
    "bytes": (BYTES, (BYTES, STRING)),
    "timestamp": (TIMESTAMP, (TIMESTAMP, STRING, INT)),
    "duration": (DURATION, (DURATION, STRING)),
}


def _conversions() -> list[Overload]:
    rows = [
        Overload(f"{name}_from_{source}", name, (source,), result, errs=source is not result)
        for name, (result, sources) in CONVERSIONS.items()
        for source in sources
    ]
    rows.append(Overload("type_of", "type", (A,), TYPE))
    rows.append(Overload("to_dyn", "dyn", (A,), DYN))
    return rows


CALENDAR = ("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear")
CLOCK = ("getHours", "getMinutes", "getSeconds", "getMilliseconds")


def _times() -> list[Overload]:
    rows = []
    for name in CALENDAR + CLOCK:
        rows.append(Overload(f"{name}_timestamp", name, (TIMESTAMP,), INT, method=True))
        rows.append(Overload(f"{name}_zone", name, (TIMESTAMP, STRING), INT, method=True, errs=True))
    rows += [Overload(f"{name}_duration", name, (DURATION,), INT, method=True) for name in CLOCK]
    rows.append(Overload("hour", "hour", (TIMESTAMP,), INT))
    rows += [
        Overload(f"bucket_{a}_{b}", "bucket", (a, b), INT, variadic=True)
        for a in NUMBERS
        for b in NUMBERS
    ]
    rows.append(Overload("bucket_duration", "bucket", (DURATION, DURATION), INT, variadic=True))
    return rows


OVERLOADS: tuple[Overload, ...] = (
    *_arithmetic(), *_comparison(), *_containers(), *_text(), *_conversions(), *_times(),
)  # fmt: skip

FUNCTIONS: dict[str, tuple[Overload, ...]] = {
    name: tuple(row for row in OVERLOADS if row.function == name) for name in BUILTINS
}

BY_ID: dict[str, Overload] = {row.id: row for row in OVERLOADS}

MACROS = ("has", "all", "exists", "exists_one", "existsOne", "filter", "map")
