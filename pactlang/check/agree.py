"""When types agree: comparison, joining, and the choice of an overload.

Everything here is a pure function of types.  `dyn` agrees with everything and is looked at when the
pact runs; ERROR agrees with everything because its mistake has been reported.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from msgspec.structs import replace

from pactlang.functions import FUNCTIONS, Overload
from pactlang.schema import DYN, ERROR, NULL, UNSET, Type

NUMBERS = frozenset({"int", "uint", "double"})
LOOSE = frozenset({"dyn", "error", "unset"})

# Kinds where CEL's checker lets a null be, as it has since a null message could be one of them.  `nulls`
# below asks for that; in a pact a type says with `?` that it may be null.
MAYBE_NULL = frozenset({"timestamp", "duration", "optional", "ip", "cidr", "abstract"})


class Resolved(NamedTuple):
    """A call's result type, and the overload's id ("" if it is chosen when the pact runs)."""

    overload: str
    result: Type


def comparable(left: Type, right: Type, nulls: bool = False) -> bool:
    """True if `==` between the two can be true; numbers compare by value across their types."""
    if left.kind in LOOSE or right.kind in LOOSE:
        return True
    if left.kind == "null" or right.kind == "null":
        other = right if left.kind == "null" else left
        return other.nullable or other.kind == "null" or _lets_null(other, nulls)
    if left.kind in NUMBERS and right.kind in NUMBERS:
        return True
    if left.kind != right.kind or left.name != right.name:
        return False
    return all(comparable(a, b, nulls) for a, b in zip(left.params, right.params, strict=False))


def _lets_null(type: Type, nulls: bool) -> bool:
    return nulls and type.kind in MAYBE_NULL


def join(left: Type, right: Type, nulls: bool = False) -> Type:
    """The type of an element that is one or the other; `dyn` where they are unlike."""
    return _more_general(left, right, nulls) or DYN


def agree(left: Type, right: Type, nulls: bool = False) -> Type | None:
    """The type of `c ? left : right`, or None if the two are unlike; null makes the other one `?`."""
    if left == NULL or right == NULL:
        other = right if left == NULL else left
        return other if other.kind in ("null", "dyn", "error") else other.optional
    return _more_general(left, right, nulls)


def _more_general(left: Type, right: Type, nulls: bool = False) -> Type | None:
    if left == right:
        return left
    if "error" in (left.kind, right.kind):
        return ERROR
    if "unset" in (left.kind, right.kind):
        return right if left.kind == "unset" else left
    if "dyn" in (left.kind, right.kind):
        return DYN
    if NULL in (left, right):
        other = right if left == NULL else left
        return other if _lets_null(other, nulls) else None
    if left.kind != right.kind or left.name != right.name or len(left.params) != len(right.params):
        return None
    params = [_more_general(a, b, nulls) for a, b in zip(left.params, right.params, strict=True)]
    if None in params:
        return None
    return replace(left.plain, params=tuple(p for p in params if p), nullable=left.nullable or right.nullable)


@lru_cache(maxsize=4096)
def resolve(function: str, method: bool, args: tuple[Type, ...], nulls: bool = False) -> Resolved | None:
    """The overload of `function` that takes `args`, or None if there is none."""
    return choose(FUNCTIONS.get(function, ()), method, args, nulls)


def choose(
    rows: Iterable[Overload], method: bool, args: tuple[Type, ...], nulls: bool = False
) -> Resolved | None:
    """The one of `rows` that takes `args`, or None if none does."""
    found = []
    for row in rows:
        bound: dict[str, Type] = {}
        if row.method == method and _takes(row, args, bound, nulls):
            one_kind = row.variadic and row.result == DYN and len({arg.plain for arg in args}) == 1
            found.append((row, args[0].plain if one_kind else _substitute(row.result, bound)))
    if not found:
        return None
    own = [pair for pair in found if pair[0].params == args]  # a row of just these types comes before others
    if len(own) == 1 and not any(arg.kind in LOOSE for arg in args):
        found = own
    results = {result for _, result in found}
    result = results.pop() if len(results) == 1 else DYN
    exact = len(found) == 1 and not any(a.kind in LOOSE or (nulls and a == NULL) for a in args)
    return Resolved(found[0][0].id if exact else "", result)


def _takes(row: Overload, args: tuple[Type, ...], bound: dict[str, Type], nulls: bool) -> bool:
    params = row.params
    if row.variadic and len(args) > len(params):
        tail = args[len(params) :]
        head = args[: len(params)]
        return _takes(row, head, bound, nulls) and all(_same_sort(params[-1], a) for a in tail)
    if len(params) != len(args):
        return False
    return all(_unify(p, a, bound, nulls) for p, a in zip(params, args, strict=True))


def _same_sort(param: Type, arg: Type) -> bool:
    """A repeated parameter takes any number where it takes one."""
    kinds = {arg.kind, param.kind}
    return arg.kind == param.kind or not kinds.isdisjoint(LOOSE) or kinds <= NUMBERS


def _unify(param: Type, arg: Type, bound: dict[str, Type], nulls: bool) -> bool:
    if param.kind == "param":
        known = bound.get(param.name)
        merged = arg if known is None else _more_general(known, arg, nulls)
        bound[param.name] = merged or ERROR
        return merged is not None
    if param.kind == "dyn":
        return True
    if arg.kind in LOOSE:  # what it holds is as loose
        return all(_unify(inside, arg.plain, bound, nulls) for inside in param.params)
    if arg == NULL and _lets_null(param, nulls):
        return True
    if param.kind != arg.kind or param.name != arg.name:
        return False
    if len(param.params) != len(arg.params):
        return False
    return all(_unify(p, a, bound, nulls) for p, a in zip(param.params, arg.params, strict=True))


def _substitute(type: Type, bound: dict[str, Type]) -> Type:
    if type.kind == "param":
        return bound.get(type.name, UNSET)
    if not type.params:
        return type
    return replace(type, params=tuple(_substitute(p, bound) for p in type.params))
