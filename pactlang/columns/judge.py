"""The verdicts on one record batch, as codes.

In: an `Evaluator` and a batch as `table.batches` gives it.  Out: `Judged`.

Columns of numbers, bools, texts, records and lists of them go through the machine of blocks.  Rows that
it leaves open, and batches of other columns, are data for the record path, some at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pactlang.columns.data import data_of
from pactlang.columns.plan import Plan, plan_of
from pactlang.errors import RecordError
from pactlang.opcodes import Outcome
from pactlang.verdict import Batch, Undecodable

if TYPE_CHECKING:
    from pactlang._runtime import BlockCode
    from pactlang.evaluator import Evaluator

OPEN = 2  # the state of a row of which the columns say nothing
PIECE = 1 << 16  # rows for one thread at a time
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
    code = evaluator.blocks
    plan = plan_of(evaluator, batch) if code is not None and batch.num_rows else None
    if code is None or plan is None:
        judge_rows(evaluator, batch, np.arange(batch.num_rows), judged)
        return judged
    judge_blocks(code, plan, threads, judged)
    if plan.late is not None:
        judged.expired[:] = plan.late
    left = np.flatnonzero(plan.open | (judged.states == OPEN))
    if len(left):
        judge_rows(evaluator, batch, left, judged)
    return judged


def judge_blocks(code: BlockCode, plan: Plan, threads: int, judged: Judged) -> None:
    """Judge all rows by columns, pieces of them in several threads."""
    rows = len(judged.states)

    def piece(start: int) -> None:
        stop = min(start + PIECE, rows)
        code.run(
            plan.columns, plan.slots, start, stop, judged.outcomes, judged.states, judged.ok.view(np.uint8)
        )

    starts = range(0, rows, PIECE)
    if threads == 1 or len(starts) == 1:
        code.run(plan.columns, plan.slots, 0, rows, judged.outcomes, judged.states, judged.ok.view(np.uint8))
        return
    with ThreadPoolExecutor(min(threads, len(starts))) as pool:
        for _ in pool.map(piece, starts):
            pass


def empty(clauses: int, rows: int) -> Judged:
    """Room for the verdicts on so many rows."""
    outcomes = np.empty((clauses, rows), np.uint8)
    return Judged(outcomes, np.empty(rows, np.int8), np.zeros(rows, np.bool_), np.empty(rows, np.bool_), {})


def batch_of(evaluator: Evaluator, batch: pa.RecordBatch, ids: bool) -> Batch:
    """The verdicts in the form that `check_lines` gives; rows are numbered from 1."""
    judged = judge(evaluator, batch)
    undecodable = [Undecodable(row + 1, path, why) for row, (path, why) in sorted(judged.reasons.items())]
    return Batch(
        judged.outcomes.T,
        evaluator.names,
        undecodable,
        np.arange(1, batch.num_rows + 1),
        judged.states == 0,
        judged.expired,
        ids_of(evaluator, batch) if ids else [],
    )


def ids_of(evaluator: Evaluator, batch: pa.RecordBatch) -> list[Any]:
    """The id of each row, None where it has none that can be read."""
    found = [member for member in evaluator.reader.root.members if member.field.name == "id"]
    if not found:
        return [None] * batch.num_rows
    heads = {head for name in found[0].names for head in name.heads}
    chosen = [name for name in batch.schema.names if name in heads]
    columns = [data_of(batch.column(name)) for name in chosen]
    rows = zip(*columns, strict=True) if columns else ((),) * batch.num_rows
    return [found[0].identity(dict(zip(chosen, row, strict=True))) for row in rows]


def record_of(batch: pa.RecordBatch, row: int) -> dict[str, Any]:
    """One row as a dict."""
    return next(records(batch.slice(row, 1)))


# Row by row ---------------------------------------------------------------------------------------


def judge_rows(evaluator: Evaluator, batch: pa.RecordBatch, rows: NDArray[np.int64], judged: Judged) -> None:
    """Judge these rows of a batch by the record path."""
    step = max(1, min(ROWS, BYTES * max(batch.num_rows, 1) // max(batch.nbytes, 1)))
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        _judge_part(evaluator, taken(batch, part), part, judged)


def taken(batch: pa.RecordBatch, rows: NDArray[np.int64]) -> pa.RecordBatch:
    """These rows of a batch, in order."""
    if len(rows) == rows[-1] - rows[0] + 1:
        return batch.slice(rows[0], len(rows))
    try:
        return batch.take(rows)
    except pa.ArrowNotImplementedError:  # of views, say
        return pa.concat_batches([batch.slice(row, 1) for row in rows.tolist()])


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
