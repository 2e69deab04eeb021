"""What a pact declares beside its clauses, as data without expressions: `store`, `budget`, `score`, tests.

In: what `check` proves.  Out: parts of `ir.Module`, where they are known by `ir`'s names.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class StoreRule(Struct, frozen=True, array_like=True):
    """One line of `store`: what a ledger may hold of a call.

    kind: redact (`field`, and `pattern`, an index into `Module.patterns`, or -1 for the whole field),
    drop (`field`), keep (`amount`: nanoseconds of event time) or limit (`amount`: bytes).
    """

    kind: str
    field: tuple[str, ...] = ()
    pattern: int = -1
    amount: int = 0


class Budget(Struct, frozen=True):
    """What a call may cost, and the sizes that this is reckoned from.

    steps: None if the pact sets no limit of its own.  sizes: (path, most, unit) of fields; the units are
    elements (of lists, maps and dyn values), characters and bytes.  `span` is where the steps are written.
    """

    steps: int | None
    sizes: tuple[tuple[tuple[str, ...], int, str], ...]
    span: tuple[int, int]


# What a score is unless the pact says otherwise.
SCALE, HALF_LIFE, CONFIDENCE = 1000, 7 * 86_400 * 10**6, 950_000
BANDS = (("platinum", 900), ("gold", 750), ("silver", 600), ("bronze", 400))

Amounts = tuple[tuple[str, int], ...]


class Score(Struct, frozen=True, array_like=True):
    """How verdicts become a score.

    scale: the best value.  half_life: microseconds.  confidence: in millionths.  weights: of every
    dimension, in whole numbers that share no factor.  bands: name and least value, in ten-thousandths of a
    point, the highest first.
    """

    scale: int
    half_life: int
    confidence: int
    weights: Amounts
    bands: Amounts


class TestCall(Struct, frozen=True, tag="call", array_like=True):
    """A call that a test feeds: `at` is nanoseconds after the start, None for a second after the last
    call; `fields` by the record's names, each as the JSON data of a log would have it."""

    span: tuple[int, int]
    at: int | None
    fields: dict[str, Any]


class TestExpect(Struct, frozen=True, tag="expect", array_like=True):
    """What a test expects of the call before.  what: ok; or violation, unknown or skipped, of `clauses`."""

    span: tuple[int, int]
    what: str
    clauses: tuple[str, ...] = ()


class Test(Struct, frozen=True, array_like=True):
    """A `test` of the pact; it is part of no verdict."""

    name: str
    span: tuple[int, int]
    steps: tuple[TestCall | TestExpect, ...]
