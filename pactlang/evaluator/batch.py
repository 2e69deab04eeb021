"""Many records at once: a row of outcomes for each.

In: an evaluator and the bytes of lines; a monitor and these, or a list of records.  Out: a `Batch`.

The machine reads and judges line after line by itself.  The lines at which its reader gave up are
decoded one by one, which also gives the reason where one is no record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pactlang._runtime import Feeding, count_lines
from pactlang.errors import RecordError
from pactlang.verdict import Batch, Fed, Undecodable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pactlang.evaluator.evaluator import Evaluator
    from pactlang.evaluator.monitor import Monitor


TURN = 4096  # records that are fed before other threads have their turn


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


def feed_all(monitor: Monitor, records: list[Any], ids: bool) -> Batch:
    """Feed records one by one, since each may change what is said of the next."""
    import numpy as np

    lines = np.arange(1, len(records) + 1)
    rows = _Fed(monitor, len(records), ids)
    while rows.feeding.records(records, TURN):
        pass
    return rows.batch(lines)


def feed_lines(monitor: Monitor, data: bytes, ids: bool) -> Batch:
    """Feed the lines that are not blank."""
    import numpy as np

    most = count_lines(data)
    rows, lines = _Fed(monitor, most, ids), np.empty(most, np.int64)
    at = number = 0
    while at < len(data):
        at, number = rows.feeding.lines(data, at, number, lines, TURN)
    return rows.batch(lines)


class _Fed:
    """The rows of a batch that is fed."""

    def __init__(self, monitor: Monitor, most: int, ids: bool) -> None:
        import numpy as np

        machine = monitor.machine
        self.monitor, self.names = monitor, machine.names
        self.outcomes = np.empty((most, len(machine.names)), np.uint8)
        self.waiting = np.zeros((most, len(machine.names)), np.uint8)
        self.times = np.empty(most, np.int64)
        self.states, self.late = np.empty(most, np.int8), np.empty(most, np.uint8)
        renews = machine.renews.seconds if machine.renews is not None and machine.has_time else None
        self.feeding = Feeding(
            machine, self.outcomes, self.waiting, self.times, self.states, self.late, renews,
            [] if ids else None,
        )  # fmt: skip

    def batch(self, lines: NDArray[np.int64]) -> Batch:
        """What was said; the numbers of the rows' lines come from the caller."""
        feeding, count = self.feeding, self.feeding.row
        faults = [Undecodable(int(lines[row]), each.path, each.reason) for row, each in feeding.faults]
        self.monitor.undecodable += len(faults)
        return Batch(
            self.outcomes[:count], self.names, faults, lines[:count], self.states[:count] == 0,
            self.late[:count].astype(bool), feeding.ids or [],
            Fed(self.waiting[:count], self.times[:count], self.states[:count]),
        )  # fmt: skip


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
            rows.ids[row] = None if record is None else evaluator.ident_of(record)
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
