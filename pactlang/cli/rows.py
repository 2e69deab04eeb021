"""`--verdicts OUT.jsonl`: a row per record, in the order of the log.

In: `Row`s.  Out: lines of JSON: `file`, `line`, `id`, and then either `violated` and `unknown` (names of
clauses), or `outside: true`, or `undecodable` with the JSON path and the reason.
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


class Rows:
    """The file of rows, written as the run goes; without a path nothing is written."""

    def __init__(self, path: str | None) -> None:
        self.path = path
        self.encoder = msgspec.json.Encoder()
        self.file: BinaryIO | None = None

    def __enter__(self) -> Rows:
        if self.path is not None:
            try:
                self.file = open(self.path, "wb")
            except (OSError, ValueError) as error:
                raise self._fault(error) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: TracebackType | BaseException | None) -> None:
        if self.file is None:
            return
        try:
            self.file.close()
        except OSError as error:
            if kind is None:
                raise self._fault(error) from error

    def write(self, rows: Iterable[Row]) -> None:
        """Append rows.  A `Fault` if the disk is full, say."""
        if self.file is None:
            return
        try:
            self.file.write(self.encoder.encode_lines([self._row(row) for row in rows]))
        except OSError as error:
            raise self._fault(error) from error

    def _row(self, row: Row) -> dict[str, Any]:
        data: dict[str, Any] = {"file": row.place.file, "line": row.place.line, "id": plain(row.place.id)}
        if row.unreadable is not None:
            data["undecodable"] = dict(zip(("path", "reason"), map(plain, row.unreadable), strict=True))
        elif row.outside:
            data["outside"] = True
        else:
            data["violated"], data["unknown"] = row.violated, row.unknown
        return data

    def _fault(self, error: Exception) -> Fault:
        return Fault(f"cannot write {printable(self.path or '')}: {reason(error)}")
