"""Cases of the suite as values of ours.

In: a row of the file, as `../shared/data/README.md` describes it.  Out: what `pactlang.expression` is
given, and whether what came back is what the row expects.
"""

from __future__ import annotations

import base64
import math
from typing import Any, NamedTuple

import pactlang
from pactlang.types import parse_type
from pactlang.values import CelType, Duration, Optional, Timestamp, UInt, map_key, some

Case = dict[str, Any]

# How CEL's checker begins: the suite writes what it refuses as an error, too.
CHECKERS = "found no matching overload"


class Result(NamedTuple):
    """What came of a case: `passed`, or what was expected and what was got."""

    passed: bool
    expected: str = ""
    got: str = ""


def typed(value: dict[str, Any]) -> Any:
    """A value of the suite as `Expression.evaluate` gives it."""
    found = value.get("v")
    match value["t"]:
        case "int":
            return int(str(found))
        case "uint":
            return UInt(str(found))
        case "double":
            return float(str(found))
        case "bytes":
            return base64.b64decode(str(found))
        case "list":
            return [typed(item) for item in found or ()]
        case "map":
            pairs = [(typed(key), typed(item)) for key, item in found or ()]
            made = dict(pairs)
            return made if len(made) == len(pairs) else {map_key(key): item for key, item in pairs}
        case "type":
            return CelType(str(found))
        case "timestamp":
            return Timestamp(int(value["seconds"]), int(value["nanos"]))
        case "duration":
            return duration(int(value["seconds"]), int(value["nanos"]))
        case "optional":
            return some(typed(found)) if found else Optional()
    return found


def duration(seconds: int, nanos: int) -> Duration:
    """A duration in the one form; the suite's nanos have the sign of the seconds."""
    total = seconds * 10**9 + nanos
    return Duration(*divmod(total, 10**9))


def agree(got: Any, wanted: Any) -> bool:
    """Whether a value is the one that is wanted, types included; a NaN is a NaN."""
    if type(got) is not type(wanted):
        return False
    if isinstance(wanted, float):
        return got == wanted or (math.isnan(got) and math.isnan(wanted))
    if isinstance(wanted, list):
        return len(got) == len(wanted) and all(map(agree, got, wanted))
    if isinstance(wanted, dict):
        rest = list(got.items())
        for key, value in wanted.items():
            at = next((i for i, (k, v) in enumerate(rest) if agree(k, key) and agree(v, value)), None)
            if at is None:
                return False
            del rest[at]
        return not rest
    if isinstance(wanted, Optional):
        return bool(got.present == wanted.present) and agree(got.value, wanted.value)
    return bool(got == wanted)


def build(case: Case, fold: bool) -> pactlang.Expression:
    """The case's expression, compiled.  Raises CompileError."""
    types: dict[str, object] = {}
    functions: dict[str, list[tuple[list[object], object]]] = {}
    for declared in case["type_env"]:
        if declared["kind"] == "ident":
            types[declared["name"]] = declared["type"]
            continue
        for overload in declared["overloads"]:
            name = "." * bool(overload["is_instance"]) + declared["name"]
            params, result = ([p.replace("param:", "") for p in written] for written in
                              (overload["params"], [overload["result"]]))  # fmt: skip
            functions.setdefault(name, []).append((params, result[0]))
    if case["disable_check"]:
        types = dict.fromkeys([*types, *case["bindings"]], "dyn")
    return pactlang.expression(
        case["expr"], types, case["container"] or "", functions=functions,
        check=not case["disable_check"], fold=fold,
    )  # fmt: skip


def run(case: Case, fold: bool = True) -> Result:
    """Run one case."""
    expect = case["expect"]
    expected = "an error" if expect["kind"] == "error" else str(expect.get("value", expect))
    try:
        made = build(case, fold)
    except pactlang.CompileError as error:
        said = error.diagnostics[0]
        if not case["disable_check"] and any(CHECKERS in e["message"] for e in expect.get("errors", ())):
            return Result(True)
        return Result(False, expected, f"does not compile: [{said.code}] {said.message}")
    deduced = expect.get("deduced_type")
    if deduced and not case["disable_check"] and made.type != str(parse_type(deduced, abstract=True)):
        return Result(False, f"the type {deduced}", f"the type {made.type}")
    if case["check_only"]:
        return Result(True)
    try:
        value = made.evaluate({name: typed(value) for name, value in case["bindings"].items()})
    except pactlang.ExpressionError as error:
        return Result(expect["kind"] == "error", expected, f"error[{error.code}]: {error}")
    if expect["kind"] == "error":
        return Result(False, expected, repr(value))
    wanted = typed(expect["value"]) if "value" in expect else True
    return Result(agree(value, wanted), repr(wanted), repr(value))
