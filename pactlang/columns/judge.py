"""The verdicts on one record batch, as codes.

In: an `Evaluator` and a batch as `table.batches` gives it.  Out: `Judged`.

The rows are data for the record path; a block of them at a time, so that what is made of them stays
small.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pactlang.columns.data import data_of
from pactlang.errors import RecordError
from pactlang.opcodes import Outcome

if TYPE_CHECKING:
    import pyarrow as pa

    from pactlang.evaluator import Evaluator

ROWS = 4096  # that are data at one time
BYTES = 16 << 20  # of them, about


class Judged(NamedTuple):
    """Verdicts on the rows of one batch.

    outcomes: uint8 of shape (clauses, rows), codes of `Outcome`; of a row that is not judged UNKNOWN.
    states: int8 per row, 1 judged, 0 outside, -1 undecodable.  expired: bool per row.  ok: bool per
    row, nothing violated and nothing unknown.  reasons: per undecodable row the JSON path and why.
    """

    outcomes: NDArray[np.uint8]
    states: NDArray[np.int8]
    expired: NDArray[np.bool_]
    ok: NDArray[np.bool_]
    reasons: dict[int, tuple[str, str]]


def judge(evaluator: Evaluator, batch: pa.RecordBatch, threads: int = 1) -> Judged:
    """The verdicts on a batch."""
    judged = empty(len(evaluator.names), batch.num_rows)
    judge_rows(evaluator, batch, np.arange(batch.num_rows), judged)
    return judged


def empty(clauses: int, rows: int) -> Judged:
    """Room for the verdicts on so many rows."""
    outcomes = np.empty((clauses, rows), np.uint8)
    return Judged(
        outcomes, np.empty(rows, np.int8), np.zeros(rows, np.bool_), np.empty(rows, np.bool_), {}
    )


# Row by row ---------------------------------------------------------------------------------------


def judge_rows(evaluator: Evaluator, batch: pa.RecordBatch, rows: NDArray[np.int64], judged: Judged) -> None:
    """Judge these rows of a batch by the record path."""
    step = max(1, min(ROWS, BYTES * max(batch.num_rows, 1) // max(batch.nbytes, 1)))
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        whole = len(part) == part[-1] - part[0] + 1
        taken = batch.slice(part[0], len(part)) if whole else batch.take(part)
        _judge_part(evaluator, taken, part, judged)


def _judge_part(evaluator: Evaluator, batch: pa.RecordBatch, rows: NDArray[np.int64], judged: Judged) -> None:
    structs: list[Any] = []
    for row, data in zip(rows.tolist(), records(batch), strict=True):
        try:
            structs.append(evaluator.reader.from_dict(data))
        except RecordError as error:
            structs.append(None)
            judged.reasons[row] = (error.path, error.reason)
    outcomes = np.empty((len(rows), len(evaluator.names)), np.uint8)
    states = np.empty(len(rows), np.int8)
    evaluator.judge_all(structs, outcomes, states)
    for i in np.flatnonzero(states < 0).tolist():
        if structs[i] is not None:
            judged.reasons[int(rows[i])] = evaluator.reason(structs[i])
    judged.outcomes[:, rows] = outcomes.T
    judged.states[rows] = states
    judged.ok[rows] = (states == 0) | ~((outcomes & Outcome.VIOLATED) != 0).any(axis=1)  # or UNKNOWN, 3
    if evaluator.renews is not None and evaluator.has_time:
        late = [state >= 0 and evaluator.is_late(s) for s, state in zip(structs, states, strict=True)]
        judged.expired[rows] = late


def records(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    """The rows as dicts."""
    names = batch.schema.names
    columns = [data_of(column) for column in batch.columns]
    rows = zip(*columns, strict=True) if columns else ((),) * batch.num_rows
    for row in rows:
        yield dict(zip(names, row, strict=True))
