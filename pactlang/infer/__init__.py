"""A first pact from a log: what the records look like, and what they have kept to so far.

In: records as JSON data.  Out: the text of a pact that reads such records.

Three steps: `shape` counts what stands where, `fields` turns that into the fields of a record (names,
types, units, names in the data), `promises` proposes clauses from the values that were seen.  It is a
beginning to edit, so every guess stands in plain sight and says what it rests on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pactlang.infer.arguments import bounds
from pactlang.infer.fields import declarations
from pactlang.infer.log import Log
from pactlang.infer.promises import promises
from pactlang.infer.shape import Shape
from pactlang.infer.standard import is_standard, standard_fields
from pactlang.infer.write import written

__all__ = ["Log", "Shape", "draft", "learn"]

MOST_RECORDS = 20_000  # records that are looked at


def learn(records: Iterable[Any]) -> Log:
    """The shape of records."""
    shape = Log()
    for number, record in enumerate(records):
        if number >= MOST_RECORDS:
            break
        shape.add(record)
    return shape


def draft(shape: Log, name: str, standard: bool | None = None) -> str:
    """The text of a pact called `name` about records of this shape; it may need formatting.

    standard: whether the pact is about the record `Call`; None: if the data has its names.  Raises
    ValueError if no record was seen.
    """
    if not shape.members:
        raise ValueError("no record has a field")
    if is_standard(shape) if standard is None else standard:
        fields, added = standard_fields(shape)
        return written(
            name, None, added, promises(fields, shape.count, bounds(shape, fields, ())), shape.count
        )
    records = declarations(shape)
    fields = records[-1].fields
    found = promises(fields, shape.count, bounds(shape, fields, records[:-1]))
    return written(name, records, [], found, shape.count)
