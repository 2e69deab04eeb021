"""Lines for a fleet: each pact gets those it may be about.

In: a fleet's snapshot and NDJSON.  Out: a `FleetBatch`.

The lines are sorted first, by the fields that the fleet looks at; then each pact has its lines in one
batch.  A line that is no record at all is told apart from one that a pact cannot decode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pactlang.errors import RecordError
from pactlang.verdict import Batch, FleetBatch, Undecodable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pactlang.evaluator.fleet import Snapshot

Line = tuple[int, bytes]  # its number in the data, from 1


def check_lines(snapshot: Snapshot, data: bytes | str, ids: bool) -> FleetBatch:
    """The verdicts of all pacts on all lines."""
    lines = lines_of(data)
    shares, bad = sorted_out(snapshot, lines)
    batches = {}
    for number in sorted(shares):
        batch = own(snapshot, number, shares[number], bad, ids)
        if len(batch):
            batches[snapshot.members[number].program] = batch
    return FleetBatch(len(lines), batches, [bad[number] for number in sorted(bad)])


def lines_of(data: bytes | str) -> list[Line]:
    """The lines that are not blank."""
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"expected the bytes of lines, found {type(data).__name__}")
    split = enumerate(bytes(data).split(b"\n"), 1)
    return [(number, line) for number, line in split if line and not line.isspace()]


def sorted_out(snapshot: Snapshot, lines: list[Line]) -> tuple[dict[int, list[Line]], dict[int, Undecodable]]:
    """Per pact the lines it may be about, and what is no record."""
    shares: dict[int, list[Line]] = {}
    bad: dict[int, Undecodable] = {}
    for line in lines:
        try:
            concerned = concerned_by(snapshot, line[1])
        except RecordError as error:
            bad[line[0]] = Undecodable(line[0], error.path, error.reason)
            continue
        for number in concerned:
            shares.setdefault(number, []).append(line)
    return shares, bad


def concerned_by(snapshot: Snapshot, line: bytes) -> list[int]:
    """The pacts that a line may concern, those included that cannot decode it.  RecordError if it is no
    record."""
    if not snapshot.readers and snapshot.everyone:
        return snapshot.everyone
    found = snapshot.numbers_of(line)
    if found is None or not snapshot.members:
        snapshot.nothing.from_json(line)
        numbers, failed = snapshot.concerned_slowly(line, True)
        found = sorted({*numbers, *(number for those, _ in failed for number in those)})
    return found


def own(snapshot: Snapshot, number: int, lines: list[Line], bad: dict[int, Undecodable], ids: bool) -> Batch:
    """What one pact says of its lines: a row for each that it is about, or cannot decode.

    Lines that turn out to be no record go to `bad`.
    """
    batch = snapshot.members[number].evaluator.check_lines(b"\n".join(line for _, line in lines), ids)
    places = np.array([place for place, _ in lines], np.int64)
    kept = ~batch.outside
    undecodable = []
    for at, path, reason in batch.undecodable:
        place, line = lines[at - 1]
        if is_record(snapshot, place, line, bad):
            undecodable.append(Undecodable(place, path, reason))
        else:
            kept[at - 1] = False
    return only(batch, kept, places, undecodable)


def is_record(snapshot: Snapshot, place: int, line: bytes, bad: dict[int, Undecodable]) -> bool:
    """Whether a line is a record, though a pact cannot decode it."""
    if place not in bad:
        try:
            snapshot.nothing.from_json(line)
            return True
        except RecordError as error:
            bad[place] = Undecodable(place, error.path, error.reason)
    return False


def only(
    batch: Batch, kept: NDArray[np.bool_], places: NDArray[np.int64], undecodable: list[Undecodable]
) -> Batch:
    """The rows of a batch that are kept, with the lines' own numbers."""
    ids: list[Any] = [known for known, keep in zip(batch.ids, kept, strict=True) if keep] if batch.ids else []
    return Batch(
        batch.outcomes[kept],
        batch.clauses,
        undecodable,
        places[kept],
        batch.outside[kept],
        batch.expired[kept],
        ids,
    )
