"""`pactc score --state FILE`: what was counted and what is remembered, kept between two runs.

In: a path, a program.  Out: `Saved`, or a `Fault` that says why not; the file, whole or as it was before.

    State, version 1: "PACTSCST", the version in two bytes, SHA-256 of the rest, msgpack of `Kept`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import Struct

from pactlang.cli.captures import Mark
from pactlang.cli.exits import Fault
from pactlang.cli.groups import Key
from pactlang.cli.memory import MemoryAudit
from pactlang.cli.screen import printable
from pactlang.cli.state import read, restored, write
from pactlang.score import Scorer
from pactlang.score.state import sealed, unsealed

if TYPE_CHECKING:
    from pactlang.cli.scoring import Scoring
    from pactlang.program import Program

MAGIC, VERSION = b"PACTSCST", 1


class Saved(NamedTuple):
    """A state.  monitor: its own state, None for a pact that does not remember.  marks: how far each file was
    counted.  waiting: the groups of calls that a clause is pending on.  band: that was shown last."""

    monitor: bytes | None
    whole: Scorer
    by: str | None
    groups: dict[Key, Scorer]
    marks: dict[str, Mark]
    waiting: dict[tuple[Any, int], list[Key]]
    band: str | None


class Kept(Struct, array_like=True):
    """The same as it is written."""

    monitor: bytes | None
    whole: bytes
    by: str | None
    groups: list[tuple[Key, bytes]]
    marks: dict[str, Mark]
    waiting: list[tuple[Any, int, list[Key]]]
    band: str | None


def saved(path: str, program: Program, by: str | None) -> Saved | None:
    """The state in a file, None if there is no such file."""
    data = read(path)
    if data is None:
        return None
    try:
        found = _saved(data, program)
    except (ValueError, msgspec.MsgspecError) as error:
        raise Fault(f"cannot go on from {printable(path)}: {printable(str(error))}") from error
    if found.by != by:
        what = f"`--by {found.by}`" if found.by else "no `--by`"
        raise Fault(f"cannot go on from {printable(path)}: it was made with {what}")
    return found


def _saved(data: bytes, program: Program) -> Saved:
    body = unsealed(MAGIC, VERSION, data, "state of `pactc score`")
    kept = msgspec.msgpack.decode(body, type=Kept)
    whole = Scorer.from_bytes(program, kept.whole)
    groups = {Key(*key): Scorer.from_bytes(program, each) for key, each in kept.groups}
    if kept.monitor is not None:
        restored(program, kept.monitor)
    waiting = {(ident, clause): keys for ident, clause, keys in kept.waiting}
    return Saved(kept.monitor, whole, kept.by, groups, kept.marks, waiting, kept.band)


def save(path: str, scoring: Scoring, band: str | None) -> None:
    """Put the state of a scoring into a file."""
    audit, groups = scoring.audit, scoring.groups
    kept = Kept(
        audit.monitor.snapshot() if isinstance(audit, MemoryAudit) else None,
        scoring.whole.to_bytes(),
        scoring.wanted.by,
        [] if groups is None else [(key, each.to_bytes()) for key, each in groups.scorers.items()],
        scoring.marks,
        [(ident, clause, keys) for (ident, clause), keys in scoring.waiting.items()],
        band,
    )
    write(path, sealed(MAGIC, VERSION, msgspec.msgpack.encode(kept)))
