"""Judge Arrow columns: the same program, the same verdicts, a column per clause.

In: a table, a record batch, or whatever speaks Arrow's C stream interface (polars, pandas, duckdb).
Out: a `pyarrow.Table` of verdicts, a row for each.

What is not columns of numbers, bools, texts and records goes through the record path row by row; it
is the measure of the fast one.  pyarrow is the extra `arrow` and is imported when it is first needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pactlang.columns.judge import batch_of, judge, record_of, records
from pactlang.columns.table import batches, is_read, misfit_of, narrowed, verdicts

if TYPE_CHECKING:
    import pyarrow as pa

    from pactlang.evaluator import Evaluator

__all__ = [
    "batch_of", "batches", "check_arrow", "is_read", "judge", "misfit_of", "narrowed", "record_of",
    "records", "verdicts",
]  # fmt: skip


def check_arrow(evaluator: Evaluator, data: Any, threads: int = 1) -> pa.Table:
    """The verdicts on the rows of `data`; see `Evaluator.check_arrow`."""
    if threads < 1:
        raise ValueError("threads must be at least 1")
    judged = [judge(evaluator, batch, threads) for batch in batches(data, evaluator.reader)]
    return verdicts(evaluator, judged)
