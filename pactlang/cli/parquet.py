"""Parquet files as blocks of rows, in bounded memory.

In: a path.  Out: `Columnar` blocks, with the columns that the pact reads, in the order of the file; and
`CheckedColumns`, such a block with its verdicts.  A row has the number that its line would have.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from pactlang.cli.audit import Audit, Checked
from pactlang.cli.exits import reason
from pactlang.cli.input import Broken, Input
from pactlang.cli.screen import printable
from pactlang.cli.tally import admitted
from pactlang.errors import RecordError

if TYPE_CHECKING:
    import pyarrow as pa

    from pactlang.evaluator import Evaluator
    from pactlang.records import Reader

MAGIC = b"PAR1"
ROWS = 16_384  # of one block; a row group is decoded page by page


class Columnar(NamedTuple):
    """Rows of one file; `first` is the number, from 1, of the first of them."""

    data: pa.RecordBatch
    first: int
    withheld: None = None  # in a file of columns nothing is

    def number(self, line: int) -> int:
        """Where a row of the block, from 1, stands in the file."""
        return self.first + line - 1


class ParquetInput(Input):
    """One Parquet file.  `reader` says what the pact reads, and is set before the first block; `also` what
    somebody else does."""

    also: tuple[Reader, ...] = ()

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.reader: Reader | None = None
        self.share = 0.0
        self.schema: pa.Schema | None = None

    def check(self) -> str:
        """Why this cannot be read as records, or ""."""
        if find_spec("pyarrow") is None:
            return f"cannot read {self.name}: Parquet needs `pip install 'pactlang[arrow]'`"
        fault = super().check()
        if fault:
            return fault
        import pyarrow as pa
        from pyarrow import parquet

        try:
            parquet.ParquetFile(self.path).close()
        except (pa.ArrowException, OSError, ValueError) as error:
            return f"cannot read {self.name}: a Parquet file that is damaged ({printable(str(error))})"
        return ""

    def _foreign(self, head: bytes) -> str:
        return "" if head.startswith(MAGIC) else super()._foreign(head)

    @property
    def position(self) -> int:
        """About how many stored bytes have been read."""
        return int(self.share * (self.size or 0))

    def columns(self) -> Iterator[Columnar]:
        """The rows of this file.  Raises `Broken` after the last block that could be read."""
        import pyarrow as pa
        from pyarrow import parquet

        from pactlang.columns import is_read

        if self.follows:
            raise Broken(f"{self.name} is a Parquet file, and cannot be followed")
        assert self.reader is not None
        readers = (self.reader, *self.also)
        try:
            with parquet.ParquetFile(self.path) as file:
                self.schema = file.schema_arrow
                names = [n for n in self.schema.names if any(is_read(n, reader) for reader in readers)]
                total, first = max(file.metadata.num_rows, 1), 1
                # Without a column that is read there are still rows: any one column counts them.
                for batch in file.iter_batches(ROWS, columns=names or self.schema.names[:1]):
                    yield Columnar(batch, first)
                    first += batch.num_rows
                    self.share = (first - 1) / total
        except (pa.ArrowException, OSError, RecordError) as error:
            said = reason(error) if isinstance(error, OSError) else printable(str(error))
            raise Broken(f"{self.name} breaks off: {said}") from error

    def complaint(self, audit: Audit) -> str:
        """Which column is of another type than the pact reads, if no row could be decoded for it."""
        from pactlang.columns import misfit_of

        found = next((each for each in audit.unreadable if each.file == self.name), None)
        if found is None or self.schema is None or self.reader is None:
            return ""
        said = misfit_of(self.schema, found.path, self.reader)
        return said and f"no row of {self.name} could be read: {said}"


class CheckedColumns(Checked):
    """A block of rows with its verdicts."""

    def __init__(self, evaluator: Evaluator, file: str, block: Columnar, every: bool = False) -> None:
        from pactlang.columns import batch_of, narrowed

        self.evaluator = evaluator
        self.file = file
        self.block = block
        self.narrow = narrowed(block.data, evaluator.reader)
        self.batch = batch_of(evaluator, self.narrow, every)
        self.admitted = admitted(self.batch)
        self.lines: list[int] = self.batch.lines.tolist()

    def struct(self, row: int) -> Any:
        """The decoded record of a row."""
        from pactlang.columns import record_of

        return self.evaluator.reader.from_dict(record_of(self.narrow, row))
