"""`--verdicts OUT`: a row per record, in the order of the log, as lines of JSON or as a Parquet file.

In: `Row`s.  Out: `file`, `line`, `id`, and then either `violated` and `unknown` (names of clauses), or
`outside`, or `undecodable` with the JSON path and the reason.  A line of JSON has the keys that say
something; in Parquet, `id` is text and what does not apply is null.

Of a pact that remembers a row may say `duplicate` instead, or be an `amendment` to an earlier one: a clause,
its outcome, and the line of the call on which that came out.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Any, BinaryIO

import msgspec

from pactlang.cli.audit import Row
from pactlang.cli.evidence import plain
from pactlang.cli.exits import Fault, reason
from pactlang.cli.screen import printable

GROUP = 50_000  # rows of a Parquet file that are written together


class Rows:
    """The file of rows, written as the run goes; without a path nothing is written."""

    def __init__(self, path: str | None, remembers: bool = False) -> None:
        self.path, self.remembers = path, remembers
        self.encoder = msgspec.json.Encoder()
        self.file: BinaryIO | None = None
        self.table: _Table | None = None

    @property
    def is_open(self) -> bool:
        """Whether rows are asked for."""
        return self.file is not None

    def __enter__(self) -> Rows:
        if self.path is not None:
            try:
                if self.path.endswith(".parquet"):
                    _need_arrow()
                self.file = open(self.path, "wb")
                self.table = _Table(self.file, self.remembers) if self.path.endswith(".parquet") else None
            except (OSError, ValueError) as error:
                raise self._fault(error) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: TracebackType | BaseException | None) -> None:
        if self.file is None:
            return
        try:
            if self.table is not None:
                self.table.close()
            self.file.close()
        except OSError as error:
            if kind is None:
                raise self._fault(error) from error

    def write(self, rows: Iterable[Row]) -> None:
        """Append rows.  A `Fault` if the disk is full, say."""
        if self.file is None:
            return
        try:
            if self.table is not None:
                self.table.add(map(_row, rows))
            else:
                self.file.write(self.encoder.encode_lines([_row(row) for row in rows]))
        except OSError as error:
            raise self._fault(error) from error

    def _fault(self, error: Exception) -> Fault:
        return Fault(f"cannot write {printable(self.path or '')}: {reason(error)}")


def _row(row: Row) -> dict[str, Any]:
    data: dict[str, Any] = {"file": row.place.file, "line": row.place.line, "id": plain(row.place.id)}
    if row.unreadable is not None:
        data["undecodable"] = dict(zip(("path", "reason"), map(plain, row.unreadable), strict=True))
    elif row.amendment is not None:
        found = row.amendment
        clause, outcome = found.clause, found.outcome.name.lower()
        data["amendment"] = {"clause": clause, "outcome": outcome, "line": found.at.line}
    elif row.duplicate:
        data["duplicate"] = True
    elif row.outside:
        data["outside"] = True
    else:
        data["violated"], data["unknown"] = row.violated, row.unknown
    return data


def _need_arrow() -> None:
    from importlib.util import find_spec

    if find_spec("pyarrow") is None:
        raise Fault("a Parquet file needs `pip install 'pactlang[arrow]'`")


class _Table:
    """Rows on their way into a Parquet file."""

    def __init__(self, file: BinaryIO, remembers: bool) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        names = pa.list_(pa.dictionary(pa.int32(), pa.string()))
        fault = pa.struct([("path", pa.string()), ("reason", pa.string())])
        self.schema = pa.schema(
            [("file", pa.dictionary(pa.int32(), pa.string())), ("line", pa.int64()), ("id", pa.string()),
             ("violated", names), ("unknown", names), ("outside", pa.bool_()), ("undecodable", fault)]
        )  # fmt: skip
        if remembers:
            parts = [("clause", pa.string()), ("outcome", pa.string()), ("line", pa.int64())]
            self.schema = self.schema.append(pa.field("duplicate", pa.bool_()))
            self.schema = self.schema.append(pa.field("amendment", pa.struct(parts)))
        self.held: list[dict[str, Any]] = []
        self.writer = parquet.ParquetWriter(file, self.schema)

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        for row in rows:
            self.held.append({"outside": False, "duplicate": False, **row, "id": str(row["id"])})
            if len(self.held) >= GROUP:
                self._flush()

    def close(self) -> None:
        self._flush()
        self.writer.close()

    def _flush(self) -> None:
        import pyarrow as pa

        if self.held:
            self.writer.write_table(pa.Table.from_pylist(self.held, self.schema))
            self.held.clear()
