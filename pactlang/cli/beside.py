"""What of a record a score needs beside its verdict: when the call was, and whom a table is by.

In: a program, blocks.  Out: per record its time and the value of a field, whether the pact reads them or
not.

A time in the common form is read by itself; any other way to write one, as the pact would read it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from pactlang.cli.exits import Fault
from pactlang.cli.imports import file_at
from pactlang.cli.input import Block
from pactlang.cli.screen import printable
from pactlang.errors import RecordError
from pactlang.records import Reader
from pactlang.values import Timestamp

if TYPE_CHECKING:
    from pactlang.cli.parquet import Columnar
    from pactlang.program import Program

COMMON = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Told(NamedTuple):
    """Of one record: microseconds since 1970, and the value of the field; None where there is none."""

    time: int | None
    value: str | None


NOTHING = Told(None, None)


class Beside:
    """Reads `time`, if the pact's record has it, and perhaps one more field.

    field: a `Fault` if the record has none of that name.
    """

    def __init__(self, program: Program, pact: str, field: str | None = None) -> None:
        schema = program.schema
        names = {each.name for each in schema.record(schema.root).fields}
        if field is not None and field not in names:
            raise Fault(f"{place_of_record(program, pact)}: `{schema.root}` has no field `{field}`")
        self.has_time = "time" in names
        self.field = field
        read = tuple(name for name in ("time", field) if name is not None and name in names)
        reads = {**dict.fromkeys(schema.reads, ()), schema.root: tuple(dict.fromkeys(read))}
        self.reader = Reader(msgspec.structs.replace(schema, slots=(), reads=reads))
        plan = self.reader.root.plan
        self._attr = plan.fields[read.index("time")].attr if self.has_time else ""

    def told(self, block: Block | Columnar, lines: list[int]) -> list[Told]:
        """What the records of a block say; lines: their numbers in it, from 1."""
        if not self.has_time and self.field is None:
            return [NOTHING] * len(lines)
        if isinstance(block, Block):
            data = block.data.split(b"\n")
            return [self._told(self.reader.from_json, data[line - 1]) for line in lines]
        from pactlang.columns import narrowed, records

        try:
            rows = list(records(narrowed(block.data, self.reader)))
        except RecordError:
            return [NOTHING] * len(lines)
        return [self._told(self.reader.from_dict, row) for row in rows]

    def _told(self, read: Any, data: Any) -> Told:
        try:
            struct = read(data)
        except RecordError:
            return NOTHING
        time = self._time(struct) if self.has_time else None
        return Told(time, None if self.field is None else self._value(struct, self.field))

    def _time(self, struct: Any) -> int | None:
        held = getattr(struct, self._attr)
        if type(held) is str and COMMON.fullmatch(held):
            try:
                return (datetime.fromisoformat(held) - EPOCH) // MICROSECOND
            except (ValueError, OverflowError):
                pass  # such as a leap second
        try:
            time = self.reader.member(struct, "time")
        except RecordError:
            return None
        return time.seconds * 10**6 + time.nanos // 1000 if isinstance(time, Timestamp) else None

    def _value(self, struct: Any, field: str) -> str | None:
        try:
            value = self.reader.member(struct, field)
        except RecordError:
            return None
        return None if value is None else str(value)


def place_of_record(program: Program, pact: str) -> str:
    """Where a pact says of which records it is: file and line."""
    source = program.source
    at = source.text.find(f"record {program.schema.root}")
    if at < 0:
        return pact
    return f"{printable(file_at(source, at, pact))}:{source.place(at).line}"
