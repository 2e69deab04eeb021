"""Clauses that the log has kept to so far, and some that it should.

In: the fields of a record with what was seen in them.  Out: `Promise`s, at most a dozen.

A bound is the largest value seen, rounded up to two digits; a list is every value seen, where they are
few and come again and again.  Each says so, because what was seen is not what ought to be.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pactlang.infer.arguments import Bound
from pactlang.infer.fields import LONGEST, Field
from pactlang.infer.names import snake
from pactlang.infer.write import quoted

FEW = 12  # distinct values of a field that are listed
OFTEN = 5  # times each of them is seen, on average
MOST = 12  # clauses
ENOUGH = 20  # numbers that are seen before a bound is drawn from them
IDENTITIES = ("id", "session", "time", "seq")
SAID = ("output", "answer", "completion", "response", "reply", "content", "text", "message")
FAILURES = ("error", "exception", "error_message", "failure", "error_type")
SUCCESSES = ("ok", "success", "succeeded", "passed")
MONEY = ("cost", "price", "usd", "tokens", "retries", "amount")
UNITS = (("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000))  # microseconds
SECOND = 1_000_000
PER_UNIT = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}


class Promise(NamedTuple):
    """One clause.  `pattern`: the name of a pattern that it needs."""

    name: str
    description: str
    severity: str
    when: str
    promise: str
    pattern: str = ""


def promises(fields: list[Field], count: int, given: Sequence[Bound] = ()) -> list[Promise]:
    """The clauses to begin with, the ones about harm first."""
    found: list[Promise] = []
    others = [field for field in fields if field.name not in IDENTITIES]
    for make in (_no_cards, _no_failures, _succeeds):
        found += (made for field in others for made in make(field, count))
    found += map(_given, given)
    for make in (_quick, _bounded, _listed):
        found += (made for field in others for made in make(field, count))
    return _named_apart(found[:MOST]) or [_something(fields)]


def _named_apart(found: list[Promise]) -> list[Promise]:
    seen: dict[str, int] = {}
    apart = []
    for each in found:
        seen[each.name] = seen.get(each.name, 0) + 1
        apart.append(each if seen[each.name] == 1 else each._replace(name=f"{each.name}_{seen[each.name]}"))
    return apart


def _something(fields: list[Field]) -> Promise:
    """A clause to begin with where nothing is known: that some field is there."""
    top = next((field for field in fields if field.is_nullable), None)
    if top is None:
        return Promise("is_a_record", "Nothing to promise was seen: begin here.", "info", "", "require true")
    return Promise(f"has_{_word(top)}", "Begin here.", "info", "", f"require has({top.name})")


def _word(field: Field) -> str:
    return field.name.replace(".", "_")


def _guard(field: Field) -> str:
    return f"has({field.name})" if field.is_nullable else ""


def _no_cards(field: Field, count: int) -> Iterator[Promise]:
    often = field.name in SAID[5:] and field.shape.longest > 100  # these names stand for other things, too
    if field.kind == "string" and (field.name in SAID[:5] or often):
        description = "Never shows a card number."
        promise = f"never {field.name}.matches(card)"
        yield Promise(f"no_card_in_{_word(field)}", description, "critical", _guard(field), promise, "card")


def _no_failures(field: Field, count: int) -> Iterator[Promise]:
    if field.name in FAILURES and field.is_nullable:
        description = f"{field.shape.present:,} of {count:,} records had one."
        yield Promise("no_failures", description, "major", "", f"never has({field.name})")


def _succeeds(field: Field, count: int) -> Iterator[Promise]:
    if field.name in SUCCESSES and field.kind == "bool":
        yield Promise("succeeds", "", "minor", _guard(field), f"require {field.name} == true")


def _quick(field: Field, count: int) -> Iterator[Promise]:
    if field.kind == "duration" and "(" in field.type and field.shape.high > float("-inf"):
        unit = field.type.partition("(")[2].partition(")")[0]
        most = _rounded(field.shape.high * PER_UNIT[unit])
        if 0 < most <= LONGEST * SECOND:
            bound = _span(most)
            yield Promise(
                f"quick_{_word(field)}", "The longest that was seen, rounded up.", "minor", _guard(field),
                f"require {field.name} <= {bound}",
            )  # fmt: skip


def _bounded(field: Field, count: int) -> Iterator[Promise]:
    if field.kind not in ("int", "double") or field.shape.present < ENOUGH:
        return
    if set(_word(field).split("_")) & set(MONEY) and 0 < field.shape.high < 1e15:
        bound = _bound(field.shape.high, field.kind == "double")
        yield Promise(
            f"bounded_{_word(field)}", "The most that was seen, rounded up.", "minor", _guard(field),
            f"require {field.name} <= {bound}",
        )  # fmt: skip


def _given(bound: Bound) -> Promise:
    when = " && ".join([f"{bound.tool} == {quoted(bound.called)}", *bound.guards])
    return Promise(
        f"bounded_{snake(bound.called)}_{snake(bound.key)}", "The most that was seen, rounded up.", "minor",
        when, f"require {bound.path} <= {_bound(bound.high, bound.is_double)}",
    )  # fmt: skip


def _listed(field: Field, count: int) -> Iterator[Promise]:
    values = field.shape.values
    if field.kind != "string" or not values or field.name in SAID:
        return
    if len(values) <= FEW and field.shape.present >= OFTEN * len(values) and all(map(_is_word, values)):
        names = ", ".join(quoted(str(value)) for value in sorted(map(str, values)))
        promise = f"require {field.name} in [{names}]"
        yield Promise(f"known_{_word(field)}", "All that was seen.", "minor", _guard(field), promise)


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 60 and value.isprintable() and len(value.split()) <= 4


def _rounded(value: float) -> float:
    """Up to two digits that count."""
    if value <= 0 or not math.isfinite(value):
        return 0.0
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(value / step - 1e-9) * step


def _bound(high: float, is_double: bool) -> str:
    """The number rounded up, as it is written."""
    most = float(f"{_rounded(high):.6g}")
    if most < high:  # by what a float cannot say
        most = float(f"{_rounded(high * 1.01):.6g}")
    return repr(most) if is_double else str(math.ceil(most))


def _span(micros: float) -> str:
    """A duration literal, in the largest unit that leaves it whole or short."""
    whole = max(round(micros), 1)
    size = next((size for _, size in UNITS if whole % size == 0 or (size == SECOND and whole > size)), 1_000)
    unit = next(unit for unit, each in UNITS if each == size)
    return f"{whole // size}{unit}" if whole % size == 0 else f"{whole / size:.12g}{unit}"
