"""Whether the records of a log have the fields that a pact reads.

In: blocks of lines, or columns.  Out: the clauses that were judged on defaults and absences
alone, as no record has any of their fields, and what to say of it.

A field with a default may be absent from every call, and then a promise about it is kept; where the whole
log lacks it, it is more likely the log of something else.  Only the first records are looked at, and more
of them as long as none has shown anything that the pact reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from pactlang.cli.input import Block
from pactlang.cli.screen import printable
from pactlang.ir import fields_read, promised
from pactlang.records.names import Name, aliases_of, look, names_of
from pactlang.standard import WIRES

if TYPE_CHECKING:
    import pyarrow as pa

    from pactlang.program import Program
    from pactlang.schema import Record

FIRST = 1_000  # records of one file
MOST = 10_000  # records of all files
BYTES = 4 << 20  # of one block: records may be large
KEYS = 12  # that are named


class Sight:
    """What has been seen of the fields that a pact reads.

    `needs`: by clause the fields of the record that it reads, without the clauses that read none.
    `applies`: those by which calls are admitted.
    """

    def __init__(self, program: Program) -> None:
        module, schema = program.module, program.schema
        record = schema.record(schema.root)
        self.needs = {c.name: fields_read(schema, c.when, *promised(c.promise)) for c in module.clauses}
        self.needs = {clause: fields for clause, fields in self.needs.items() if fields}
        self.applies = fields_read(schema, module.applies)
        sought = self.applies.union(*self.needs.values())
        self.missing = {f.name: _names(record, f.name) for f in record.fields if f.name in sought}
        self.keys: dict[str, None] = {}  # of the records, in the order in which they were met
        self.looked = 0
        self.left: dict[str, int] = {}  # records of each file that are still looked at

    def look(self, file: str, block: Block) -> None:
        """Look at records of a block, if something is still to be found."""
        if not any(fields <= self.missing.keys() for fields in (self.applies or {""}, *self.needs.values())):
            return
        left = min(self.left.get(file, FIRST), MOST - self.looked)
        before = self.looked
        for record in _records(block.data, left):
            self._see(record)
        self.left[file] = left - (self.looked - before)
        if self.is_blind and left <= self.looked - before:
            self._search(block.data)

    def look_at_columns(self, schema: pa.Schema) -> None:
        """Look at the columns of a file."""
        self._see({column.name: _column(column.type) for column in schema})

    def _see(self, record: dict[str, Any]) -> None:
        self.looked += 1
        self.keys.update(dict.fromkeys(record))
        for field in [field for field, names in self.missing.items() if _has(record, names)]:
            del self.missing[field]

    def _search(self, data: bytes) -> None:
        """Look at records beyond the first ones that may have a field: the pact reads nothing so far."""
        heads = {head for names in self.missing.values() for name in names for head in name.heads}
        marks = [msgspec.json.encode(head) for head in heads]
        if any(mark in data for mark in marks):
            lines = [line for line in data.split(b"\n") if any(mark in line for mark in marks)]
            for record in _records(b"\n".join(lines), FIRST):
                self._see(record)

    # What was found --------------------------------------------------------------------------------

    def unread(self) -> list[str]:
        """The clauses none of whose fields any record has."""
        if not self.looked:
            return []
        return [name for name, fields in self.needs.items() if fields <= self.missing.keys()]

    @property
    def is_blind(self) -> bool:
        """Whether no record has anything of what the promises are about."""
        return bool(self.needs) and len(self.unread()) == len(self.needs)

    def lacks(self, clause: str) -> str:
        """Why a clause is among the unread ones."""
        return f"{self._none()} has {_or(self.needs[clause])}"

    def admission(self) -> str:
        """Why nothing shows which calls the pact is about, or ""."""
        if not self.looked or not self.applies or not self.applies <= self.missing.keys():
            return ""
        return f"{self._none()} has {_or(self.applies)}, which says what the pact is about"

    def blindness(self) -> str:
        """What to say where the pact reads nothing of the log."""
        sought = _or(set().union(*self.needs.values()))
        there = [f"`{printable(key)}`" for key in list(self.keys)[:KEYS]]
        more = f" and {len(self.keys) - KEYS:,} more" if len(self.keys) > KEYS else ""
        has = f"; the log has {', '.join(there)}{more}" if there else ""
        return f"{self._none()} has a field that this pact reads: {sought}{has}"

    def _none(self) -> str:
        return f"none of the {self.looked:,} records looked at" if self.looked >= FIRST else "no record"


def _or(fields: Iterable[str]) -> str:
    ticked = [f"`{printable(field)}`" for field in sorted(fields)]
    return " or ".join([", ".join(ticked[:-1]), ticked[-1]]) if len(ticked) > 1 else "".join(ticked)


def _names(record: Record, field: str) -> tuple[Name, ...]:
    """The names under which a field may stand in the data; of a nested one also those of its own fields."""
    declared = record.field(field)
    assert declared is not None
    inner = (path for path in WIRES if len(path) > 1 and path[0] == field)
    return (*names_of(record, declared), *(name for path in inner for name in aliases_of(record, *path)))


def _has(record: dict[str, Any], names: tuple[Name, ...]) -> bool:
    return any(
        name.key in record
        or ("." in name.key and look(record, name.key) is not None)
        or (name.indexed and name.marker in record)
        for name in names
    )


def _records(data: bytes, most: int) -> Iterator[dict[str, Any]]:
    """The first records of some lines."""
    decode = msgspec.json.decode
    for line in data[:BYTES].split(b"\n", most)[:most] if most > 0 else ():
        try:
            record = decode(line)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):  # the last one may be cut
            continue
        if type(record) is dict:
            yield record


def _column(type_: pa.DataType) -> Any:
    """What a column may hold: of structs the fields."""
    if not str(type_).startswith("struct<"):
        return True
    return {field.name: _column(field.type) for field in map(type_.field, range(type_.num_fields))}
