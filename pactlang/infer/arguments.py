"""Bounds on what tools are called with.

In: the fields of a record, its nested records, and the arguments of each tool in a `Log`.  Out: `Bound`s,
those of the arguments that were given most often first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pactlang.infer.fields import ERAS, Declared, Field
from pactlang.infer.log import Log
from pactlang.infer.names import AVOIDED, snake
from pactlang.infer.shape import Shape

MOST = 4  # bounds
SEEN = 5  # times that an amount is seen before it is bounded
ENOUGH = 20  # times that any other number is
BIGGEST = 1e15
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
AMOUNTS = frozenset(
    """
    amount amounts total subtotal sum price cost fee charge payment refund credit budget usd eur gbp cents
    quantity qty count limit size units shares volume percent percentage discount rate points max maximum
    days hours minutes nights guests passengers bags baggages items top_k n k
    """.split()
)
# What is a number and no quantity: names, places, moments.
NAMES = frozenset(
    """
    id ids uuid number no code key ref zip postcode postal phone account card pin port page offset index
    order user customer ticket year month day lat latitude lon lng longitude x y time timestamp date ts at
    seed version
    """.split()
)


class Bound(NamedTuple):
    """The largest that a tool was given: `tool` and `path` are the names of fields of the record.

    is_double: whether the bound is written as a double.  guards: what must be there, outer before inner.
    """

    tool: str
    called: str
    path: str
    key: str
    high: float
    is_double: bool
    guards: tuple[str, ...]
    seen: int


def bounds(log: Log, fields: Sequence[Field], nested: Sequence[Declared]) -> list[Bound]:
    """Bounds on numbers in arguments, at most a few."""
    by_key = {field.key: field for field in reversed(fields)}
    found = [
        bound
        for (tool_key, key), tools in log.arguments.items()
        if (tool := by_key.get(tool_key)) and tool.kind == "string" and (held := by_key.get(key))
        for called, shape in tools.items()
        if called and called.isprintable() and len(called) <= 60 and shape.kinds == {"map"}
        for bound in _of(tool, called, held, shape, nested)
    ]
    return sorted(found, key=lambda bound: -bound.seen)[:MOST]


def _of(tool: Field, called: str, held: Field, shape: Shape, nested: Sequence[Declared]) -> Iterator[Bound]:
    record = next((each for each in nested if each.name == held.kind), None)
    for key, given in shape.members.items():
        if not (given.kinds and given.kinds <= {"int", "double"} and _is_quantity(key, given)):
            continue
        if record is not None:
            field = next((f for f in record.fields if f.key == key and f.kind in ("int", "double")), None)
            if field is None:
                continue
            path, is_double = f"{held.name}.{field.name}", field.kind == "double"
            guards = (f"has({path})",) if field.is_nullable or held.is_nullable else ()
        elif held.kind == "dyn" and NAME.fullmatch(key) and key not in AVOIDED:
            path, is_double = f"{held.name}.{key}", "double" in given.kinds
            outer = (f"has({held.name})",) if held.is_nullable else ()
            guards = (*outer, f"has({path})", *((f"{path} != null",) if given.present < given.count else ()))
        else:
            continue
        yield Bound(tool.name, called, path, key, given.high, is_double, guards, given.present)


def _is_quantity(key: str, given: Shape) -> bool:
    words = set(snake(key).split("_"))
    if not 0 < given.high < BIGGEST:
        return False
    if words & AMOUNTS:
        return given.present >= SEEN and not words & {"id", "ids"}
    return given.present >= ENOUGH and not words & NAMES and not _looks_like_names(given)


def _looks_like_names(given: Shape) -> bool:
    """Whether numbers are ids, which hardly come again and have many digits, or moments."""
    moments = any(low <= given.low and given.high <= high for low, high in ERAS.values())
    fresh = given.distinct >= 0.9 * min(given.present, 64)
    return moments or ("double" not in given.kinds and fresh and given.low >= 1000)
