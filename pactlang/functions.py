"""The overload table: every function and operator of the language, stated once.

Read by the checker (which overloads fit), the emitter (which builtin runs), the evaluator (which
Python function computes it) and the language reference.  A row is one CEL overload; rows of one
function share one `Builtin`, which looks at its arguments' tags when it runs, so a call whose types
are known only at run time needs no row of its own.

To add a function: add its rows, a member of `Builtin`, a case in `runtime/builtins.pxi`, and a line
in `evaluate/calls.py` or `extensions/`; a test fails while one of them is missing.
"""

from __future__ import annotations

from enum import IntEnum, auto
from typing import NamedTuple

from pactlang.schema import (
    BOOL,
    BYTES,
    CIDR,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    IP,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    Type,
    list_of,
    map_of,
    optional_of,
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
    CHAR_AT = auto()
    INDEX_OF = auto()
    LAST_INDEX_OF = auto()
    LOWER_ASCII = auto()
    UPPER_ASCII = auto()
    REPLACE = auto()
    SPLIT = auto()
    SUBSTRING = auto()
    TRIM = auto()
    JOIN = auto()
    REVERSE = auto()
    QUOTE = auto()
    FORMAT = auto()
    GREATEST = auto()
    LEAST = auto()
    CEIL = auto()
    FLOOR = auto()
    ROUND = auto()
    TRUNC = auto()
    ABS = auto()
    SIGN = auto()
    SQRT = auto()
    IS_NAN = auto()
    IS_INF = auto()
    IS_FINITE = auto()
    BIT_AND = auto()
    BIT_OR = auto()
    BIT_XOR = auto()
    BIT_NOT = auto()
    BIT_SHIFT_LEFT = auto()
    BIT_SHIFT_RIGHT = auto()
    BASE64_ENCODE = auto()
    BASE64_DECODE = auto()
    TO_IP = auto()
    IS_IP = auto()
    IS_CANONICAL = auto()
    FAMILY = auto()
    IS_UNSPECIFIED = auto()
    IS_LOOPBACK = auto()
    IS_GLOBAL_UNICAST = auto()
    IS_LINK_LOCAL_MULTICAST = auto()
    IS_LINK_LOCAL_UNICAST = auto()
    TO_CIDR = auto()
    IS_CIDR = auto()
    CONTAINS_IP = auto()
    CONTAINS_CIDR = auto()
    MASKED = auto()
    PREFIX_LENGTH = auto()
    OPTIONAL_OF = auto()
    OPTIONAL_NONE = auto()
    OPTIONAL_OF_NON_ZERO = auto()
    OPTIONAL_HAS_VALUE = auto()
    OPTIONAL_VALUE = auto()
    OPTIONAL_OR = auto()
    OPTIONAL_OR_VALUE = auto()
    OPTIONAL_SELECT = auto()
    OPTIONAL_INDEX = auto()
    OPTIONAL_UNWRAP = auto()
    FIRST = auto()
    LAST = auto()


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
OPT_A, OPT_B, OPT_LIST_A, OPT_MAP_AB = map(optional_of, (A, B, LIST_A, MAP_AB))

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
    "bucket": Builtin.BUCKET, "charAt": Builtin.CHAR_AT, "indexOf": Builtin.INDEX_OF,
    "lastIndexOf": Builtin.LAST_INDEX_OF, "lowerAscii": Builtin.LOWER_ASCII,
    "upperAscii": Builtin.UPPER_ASCII, "replace": Builtin.REPLACE, "split": Builtin.SPLIT,
    "substring": Builtin.SUBSTRING, "trim": Builtin.TRIM, "join": Builtin.JOIN,
    "reverse": Builtin.REVERSE, "strings.quote": Builtin.QUOTE, "format": Builtin.FORMAT,
    "math.greatest": Builtin.GREATEST, "math.least": Builtin.LEAST, "math.ceil": Builtin.CEIL,
    "math.floor": Builtin.FLOOR, "math.round": Builtin.ROUND, "math.trunc": Builtin.TRUNC,
    "math.abs": Builtin.ABS, "math.sign": Builtin.SIGN, "math.sqrt": Builtin.SQRT,
    "math.isNaN": Builtin.IS_NAN, "math.isInf": Builtin.IS_INF, "math.isFinite": Builtin.IS_FINITE,
    "math.bitAnd": Builtin.BIT_AND, "math.bitOr": Builtin.BIT_OR, "math.bitXor": Builtin.BIT_XOR,
    "math.bitNot": Builtin.BIT_NOT, "math.bitShiftLeft": Builtin.BIT_SHIFT_LEFT,
    "math.bitShiftRight": Builtin.BIT_SHIFT_RIGHT, "base64.encode": Builtin.BASE64_ENCODE,
    "base64.decode": Builtin.BASE64_DECODE, "ip": Builtin.TO_IP, "isIP": Builtin.IS_IP,
    "ip.isCanonical": Builtin.IS_CANONICAL, "family": Builtin.FAMILY,
    "isUnspecified": Builtin.IS_UNSPECIFIED, "isLoopback": Builtin.IS_LOOPBACK,
    "isGlobalUnicast": Builtin.IS_GLOBAL_UNICAST,
    "isLinkLocalMulticast": Builtin.IS_LINK_LOCAL_MULTICAST,
    "isLinkLocalUnicast": Builtin.IS_LINK_LOCAL_UNICAST, "cidr": Builtin.TO_CIDR,
    "isCIDR": Builtin.IS_CIDR, "containsIP": Builtin.CONTAINS_IP,
    "containsCIDR": Builtin.CONTAINS_CIDR, "masked": Builtin.MASKED,
    "prefixLength": Builtin.PREFIX_LENGTH, "optional.of": Builtin.OPTIONAL_OF,
    "optional.none": Builtin.OPTIONAL_NONE,
    "optional.ofNonZeroValue": Builtin.OPTIONAL_OF_NON_ZERO,
    "hasValue": Builtin.OPTIONAL_HAS_VALUE, "value": Builtin.OPTIONAL_VALUE,
    "or": Builtin.OPTIONAL_OR, "orValue": Builtin.OPTIONAL_OR_VALUE,
    "_?._": Builtin.OPTIONAL_SELECT, "_[?_]": Builtin.OPTIONAL_INDEX,
    "optional.unwrap": Builtin.OPTIONAL_UNWRAP, "unwrapOpt": Builtin.OPTIONAL_UNWRAP,
    "first": Builtin.FIRST, "last": Builtin.LAST,
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
NUMBER_KINDS = frozenset({"int", "uint", "double"})


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
        Overload(f"bucket_{a}_{b}", "bucket", (a, b), INT, variadic=True) for a in NUMBERS for b in NUMBERS
    ]
    rows.append(Overload("bucket_duration", "bucket", (DURATION, DURATION), INT, variadic=True))
    return rows


# CEL's extension libraries -------------------------------------------------------------------


def _strings() -> list[Overload]:
    def method(id: str, name: str, *params: Type, result: Type = STRING, errs: bool = True) -> Overload:
        return Overload(id, name, (STRING, *params), result, method=True, errs=errs)

    rows = [
        method("char_at", "charAt", INT),
        *(method(f"{i}{end}", n, STRING, *at, result=INT, errs=bool(at))
          for i, n in (("index_of", "indexOf"), ("last_index_of", "lastIndexOf"))
          for end, at in (("", ()), ("_from", (INT,)))),
        *(method(i, n, errs=False) for i, n in (
            ("lower_ascii", "lowerAscii"), ("upper_ascii", "upperAscii"), ("trim", "trim"),
            ("reverse", "reverse"))),
        method("replace", "replace", STRING, STRING),
        method("replace_count", "replace", STRING, STRING, INT),
        method("split", "split", STRING, result=list_of(STRING)),
        method("split_count", "split", STRING, INT, result=list_of(STRING)),
        method("substring_from", "substring", INT),
        method("substring", "substring", INT, INT),
        method("format", "format", list_of(DYN)),
    ]  # fmt: skip
    return [
        *rows,
        Overload("join", "join", (list_of(STRING),), STRING, method=True, errs=True),
        Overload("join_separator", "join", (list_of(STRING), STRING), STRING, method=True, errs=True),
        Overload("quote", "strings.quote", (STRING,), STRING, errs=True),
    ]


def _extremes(word: str) -> list[Overload]:
    """math.greatest, math.least: of numbers of one type that type, of several `dyn`; or of a list.

    NaN has no order, so a double beside another number may err.
    """
    name = f"math.{word}"
    return [
        *(Overload(f"{word}_{a}", name, (a,), a) for a in NUMBERS),
        *(Overload(f"{word}_{a}_{b}", name, (a, b), a if a is b else DYN, errs=DOUBLE in (a, b))
          for a in NUMBERS for b in NUMBERS),
        *(Overload(f"{word}_many_{a}", name, (a, DYN, DYN), DYN, errs=True, variadic=True) for a in NUMBERS),
        *(Overload(f"{word}_list_{a}", name, (list_of(a),), a, errs=True) for a in (*NUMBERS, DYN)),
    ]  # fmt: skip


def _maths() -> list[Overload]:
    rows = [*_extremes("greatest"), *_extremes("least")]
    rows += [Overload(w, f"math.{w}", (DOUBLE,), DOUBLE) for w in ("ceil", "floor", "round", "trunc")]
    rows += [
        Overload(f"{w}_{a}", f"math.{w}", (a,), a, errs=w == "abs" and a is INT)
        for w in ("abs", "sign")
        for a in NUMBERS
    ]
    rows += [Overload(f"sqrt_{a}", "math.sqrt", (a,), DOUBLE) for a in NUMBERS]
    rows += [Overload(w, f"math.{w}", (DOUBLE,), BOOL) for w in ("isNaN", "isInf", "isFinite")]
    rows += [
        Overload(f"{w}_{a}", f"math.{w}", (a, a), a)
        for w in ("bitAnd", "bitOr", "bitXor")
        for a in (INT, UINT)
    ]
    rows += [Overload(f"bitNot_{a}", "math.bitNot", (a,), a) for a in (INT, UINT)]
    rows += [
        Overload(f"{w}_{a}", f"math.{w}", (a, INT), a, errs=True)
        for w in ("bitShiftLeft", "bitShiftRight")
        for a in (INT, UINT)
    ]
    return rows


def _encoders() -> list[Overload]:
    return [
        Overload("base64_encode", "base64.encode", (BYTES,), STRING, errs=True),
        Overload("base64_decode", "base64.decode", (STRING,), BYTES, errs=True),
    ]


IP_TESTS = ("isUnspecified", "isLoopback", "isGlobalUnicast", "isLinkLocalMulticast", "isLinkLocalUnicast")


def _network() -> list[Overload]:
    return [
        Overload("ip_from_string", "ip", (STRING,), IP, errs=True),
        Overload("ip_from_ip", "ip", (IP,), IP),
        Overload("ip_of_cidr", "ip", (CIDR,), IP, method=True),
        Overload("is_ip", "isIP", (STRING,), BOOL),
        Overload("is_canonical", "ip.isCanonical", (STRING,), BOOL, errs=True),
        Overload("family", "family", (IP,), INT, method=True),
        *(Overload(name, name, (IP,), BOOL, method=True) for name in IP_TESTS),
        Overload("cidr_from_string", "cidr", (STRING,), CIDR, errs=True),
        Overload("cidr_from_cidr", "cidr", (CIDR,), CIDR),
        Overload("is_cidr", "isCIDR", (STRING,), BOOL),
        Overload("contains_ip", "containsIP", (CIDR, IP), BOOL, method=True),
        Overload("contains_ip_string", "containsIP", (CIDR, STRING), BOOL, method=True, errs=True),
        Overload("contains_cidr", "containsCIDR", (CIDR, CIDR), BOOL, method=True),
        Overload("contains_cidr_string", "containsCIDR", (CIDR, STRING), BOOL, method=True, errs=True),
        Overload("masked", "masked", (CIDR,), CIDR, method=True),
        Overload("prefix_length", "prefixLength", (CIDR,), INT, method=True),
        Overload("string_from_ip", "string", (IP,), STRING),
        Overload("string_from_cidr", "string", (CIDR,), STRING),
    ]


def _optionals() -> list[Overload]:
    """`_?._` is `x.?f`, `_[?_]` is `x[?k]`; plain `.f` and `[k]` on an optional give an optional too."""
    rows = [
        Overload("optional_of", "optional.of", (A,), OPT_A),
        Overload("optional_none", "optional.none", (), OPT_A),
        Overload("optional_of_non_zero", "optional.ofNonZeroValue", (A,), OPT_A),
        Overload("optional_has_value", "hasValue", (OPT_A,), BOOL, method=True),
        Overload("optional_value", "value", (OPT_A,), A, method=True, errs=True),
        Overload("optional_or", "or", (OPT_A, OPT_A), OPT_A, method=True),
        Overload("optional_or_value", "orValue", (OPT_A, A), A, method=True),
        Overload("optional_unwrap", "optional.unwrap", (list_of(OPT_A),), LIST_A),
        Overload("optional_unwrap_method", "unwrapOpt", (list_of(OPT_A),), LIST_A, method=True),
        Overload("first", "first", (LIST_A,), OPT_A, method=True),
        Overload("last", "last", (LIST_A,), OPT_A, method=True),
        Overload("index_optional_list", "_[_]", (OPT_LIST_A, INT), OPT_A),
        Overload("index_optional_map", "_[_]", (OPT_MAP_AB, A), OPT_B),
    ]
    for function, word in (("_?._", "select"), ("_[?_]", "at")):
        rows += [
            Overload(f"{word}_map", function, (MAP_AB, A), OPT_B),
            Overload(f"{word}_optional_map", function, (OPT_MAP_AB, A), OPT_B),
        ]
    return rows + [
        Overload("at_list", "_[?_]", (LIST_A, INT), OPT_A),
        Overload("at_optional_list", "_[?_]", (OPT_LIST_A, INT), OPT_A),
    ]


OVERLOADS: tuple[Overload, ...] = (
    *_arithmetic(), *_comparison(), *_containers(), *_text(), *_conversions(), *_times(), *_strings(),
    *_maths(), *_encoders(), *_network(), *_optionals(),
)  # fmt: skip

FUNCTIONS: dict[str, tuple[Overload, ...]] = {
    name: tuple(row for row in OVERLOADS if row.function == name) for name in BUILTINS
}


def fitting(function: str, kinds: tuple[str, ...]) -> Overload | None:
    """The row of `function` that takes values of these kinds (`schema.Type.kind`), None if none does."""
    return next((row for row in FUNCTIONS.get(function, ()) if _fits(row, kinds)), None)


def _fits(row: Overload, kinds: tuple[str, ...]) -> bool:
    params = row.params
    if row.variadic and len(kinds) > len(params):
        last = params[-1].kind  # of numbers, any may follow
        tail = NUMBER_KINDS if last in NUMBER_KINDS else {last} if last != "dyn" else set(kinds)
        if not set(kinds[len(params) :]) <= tail:
            return False
        kinds = kinds[: len(params)]
    if len(params) != len(kinds):
        return False
    return all(p.kind in ("param", "dyn", kind) for p, kind in zip(params, kinds, strict=True))


BY_ID: dict[str, Overload] = {row.id: row for row in OVERLOADS}

MACROS = (
    "has", "all", "exists", "exists_one", "existsOne", "filter", "map", "transformList", "transformMap",
    "transformMapEntry", "optMap", "optFlatMap", "cel.bind", "cel.block",
)  # fmt: skip
