"""Many records as NDJSON: a row of outcomes per line.

In: an evaluator and the bytes of lines.  Out: a `Batch`.

The machine reads and judges line after line by itself.  The lines at which its reader gave up are
decoded one by one, which also gives the reason where one is no record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pactlang._runtime import count_lines
from pactlang.errors import RecordError
from pactlang.opcodes import Outcome
from pactlang.verdict import Batch, Undecodable, Verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pactlang.evaluator.evaluator import Evaluator
    from pactlang.evaluator.monitor import Monitor


class Rows(NamedTuple):
    """What is known of the lines, a row each; `ids` is None where nobody asks for them."""

    outcomes: NDArray[np.uint8]
    states: NDArray[np.int8]
    lines: NDArray[np.int64]
    late: NDArray[np.uint8]
    ids: list[Any] | None


def check_lines(evaluator: Evaluator, data: bytes, ids: bool) -> Batch:
    """Judge the lines that are not blank."""
    rows, slow = _judged(evaluator, data, ids and evaluator.reader.has_id)
    undecodable = _judge_slowly(evaluator, slow, rows) if slow else []
    known = rows.ids if rows.ids is not None else [None] * len(rows.lines) if ids else []
    return Batch(
        rows.outcomes,
        evaluator.names,
        undecodable,
        rows.lines,
        rows.states == 0,
        rows.late.astype(bool),
        known,
    )


def feed_lines(monitor: Monitor, data: bytes, ids: bool) -> Batch:
    """Feed the lines that are not blank, one by one, since each may change what is said of the next."""
    import numpy as np

    names, reader = monitor.machine.names, monitor.machine.reader
    rows: list[list[int]] = []
    lines, outside, late = list[int](), list[bool](), list[bool]()
    undecodable, known = list[Undecodable](), list[Any]()
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.isspace() or not line:
            continue
        lines.append(number)
        try:
            verdict = monitor.feed(line)
        except RecordError as error:
            undecodable.append(Undecodable(number, error.path, error.reason))
            verdict = None
        rows.append(_row_of(verdict, len(names)))
        outside.append(verdict is not None and verdict.outside)
        late.append(verdict is not None and verdict.expired)
        if ids:
            known.append(reader.identity(verdict.record) if verdict is not None and reader.has_id else None)
    outcomes = np.array(rows, np.uint8).reshape(len(rows), len(names))
    return Batch(
        outcomes, names, undecodable, np.array(lines, np.int64), np.array(outside, bool),
        np.array(late, bool), known,
    )  # fmt: skip


def _row_of(verdict: Verdict | None, clauses: int) -> list[int]:
    if verdict is None or verdict.outside:
        return [Outcome.UNKNOWN] * clauses
    if getattr(verdict, "duplicate", False):
        return [Outcome.SKIPPED] * clauses
    return [verdict.outcome(i) for i in range(clauses)]


def _judged(evaluator: Evaluator, data: bytes, ids: bool) -> tuple[Rows, list[tuple[int, bytes]]]:
    """The rows that the machine has judged by itself, and those that it has not."""
    import numpy as np

    most = count_lines(data)
    outcomes = np.empty((most, len(evaluator.names)), np.uint8)
    states, late = np.empty(most, np.int8), np.empty(most, np.uint8)
    lines = np.empty(most, np.int64)
    known: list[Any] | None = [] if ids else None
    renews = evaluator.renews.seconds if evaluator.renews is not None and evaluator.has_time else None
    count, slow = evaluator.judge_lines(data, outcomes, states, lines, late, renews, known)
    return Rows(outcomes[:count], states[:count], lines[:count], late[:count], known), slow


def _judge_slowly(evaluator: Evaluator, slow: list[tuple[int, bytes]], rows: Rows) -> list[Undecodable]:
    """Judge the other rows; those that are no records."""
    import numpy as np

    structs, faults = _decoded(evaluator, slow, rows.lines)
    outcomes = np.empty((len(slow), len(evaluator.names)), np.uint8)
    states = np.empty(len(slow), np.int8)
    evaluator.judge_all(structs, outcomes, states)
    places = [row for row, _ in slow]
    rows.outcomes[places], rows.states[places] = outcomes, states
    for row, record, state in zip(places, structs, states, strict=True):
        if state < 0 and record is not None:
            faults.append(Undecodable(int(rows.lines[row]), *evaluator.reason(record)))
        elif state >= 0 and evaluator.has_time and evaluator.renews is not None:
            rows.late[row] = evaluator.is_late(record)
        if rows.ids is not None:
            rows.ids[row] = _identity(evaluator, record)
    return sorted(faults)


def _decoded(
    evaluator: Evaluator, slow: list[tuple[int, bytes]], lines: NDArray[np.int64]
) -> tuple[list[Any], list[Undecodable]]:
    structs: list[Any] = []
    faults: list[Undecodable] = []
    for row, line in slow:
        try:
            structs.append(evaluator.decode(line))
        except RecordError as error:
            structs.append(None)
            faults.append(Undecodable(int(lines[row]), error.path, error.reason))
    return structs, faults


def _identity(evaluator: Evaluator, record: Any) -> Any:
    """The id of a decoded record; None if it has none that can be read."""
    try:
        return None if record is None else evaluator.reader.identity(record)
    except RecordError:
        return None
