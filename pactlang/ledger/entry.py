"""What goes into a ledger and what comes out of it, as data.

In: nothing.  Out: the structs that the rest of the package and its users hand to each other.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from msgspec import Struct


class Aside(Struct, frozen=True, omit_defaults=True):
    """What is kept in the order of calls and is none.

    kind: `amendment` (a clause that was pending on the call `id` has come out), `end` (of the session with
    this key, None where it is withheld) or `advance` (it is `time`, microseconds since 1970).
    """

    kind: str
    id: str | int | None = None
    clause: str = ""
    outcome: str = ""
    session: Any = None
    time: int | None = None


class Entry(Struct, frozen=True):
    """One judged call, as a guard hands it over.

    call: JSON of the complete record, before any rule of `store`.  writer, number: its capture, without
    gaps per writer and counted from 0.  time: seconds since 1970.  aside: it is no call.  The rest is its
    verdict.
    """

    call: bytes
    writer: str
    number: int
    session: str | None
    seq: int | None
    time: float | None
    violated: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    outside: bool = False
    duplicate: bool = False
    undecodable: bool = False
    aside: Aside | None = None


class Said(Struct, frozen=True, omit_defaults=True):
    """A verdict as it is stored; a clause that is not named is satisfied.  duplicate: the call had come
    before.  undecodable: a guard that remembers has not let it into its memory.  aside: it is no call."""

    violated: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    outside: bool = False
    duplicate: bool = False
    undecodable: bool = False
    aside: Aside | None = None


class Kept(Struct, frozen=True):
    """What became of one field: `how` is redacted or dropped; `commitment` is 64 hex digits."""

    how: str
    commitment: str


class Withheld(Struct, frozen=True):
    """What of a call was not stored.  `fields`: key of the data -> what became of it; the key `*` is the
    whole call.  `salt` (hex) belongs to this call alone; see `rules.commitment`."""

    salt: str
    fields: dict[str, Kept]


class StoredEntry(Struct, frozen=True):
    """One stored call.  `stored`: when it was written, seconds since 1970.  `pact`: the digest of the pact
    that judged it.  `digest`: its link of the writer's chain."""

    id: int
    writer: str
    number: int
    session: str | None
    seq: int | None
    time: float | None
    stored: float
    pact: str
    said: Said
    call: bytes
    withheld: Withheld | None
    digest: bytes

    @property
    def is_call(self) -> bool:
        """Whether it is a call, not an aside."""
        return self.said.aside is None

    def matches(self, field: str, value: object) -> bool:
        """Whether `value` is what this field held before it was withheld."""
        from pactlang.ledger.rules import commitment

        kept = self.withheld.fields.get(field) if self.withheld else None
        if self.withheld is None or kept is None:
            return False
        return kept.commitment == commitment(bytes.fromhex(self.withheld.salt), field, value)


class Counts(NamedTuple):
    """What became of the calls given to one ledger: accepted = durable + failed + queued.

    dropped: not accepted, because the bound was reached.  spilled: accepted into the file beside the
    ledger.  failed: accepted and lost for good.  queued: in memory or in that file, not yet durable.
    commits: transactions made durable.
    """

    accepted: int = 0
    durable: int = 0
    dropped: int = 0
    spilled: int = 0
    failed: int = 0
    queued: int = 0
    commits: int = 0


class Segment(NamedTuple):
    """A run of captures of one writer without a gap; `digest` (hex) is the chain's after the last of them."""

    writer: str
    first: int
    last: int
    calls: int
    digest: str


class SpillReport(NamedTuple):
    """A file that an ended process left beside the ledger: calls taken in, bytes at its end cut short."""

    name: str
    calls: int
    cut: int


class Ended(NamedTuple):
    """A process that ended without closing the ledger.  `segments`: what it had made durable; calls that
    it captured later and that are in no spill file are lost."""

    run: str
    pid: int
    segments: tuple[Segment, ...]
    dropped: int

    @property
    def missing(self) -> int:
        """Captures between those that are stored: dropped, or in memory while later ones were spilled."""
        last: dict[str, int] = {}
        gaps = 0
        for segment in self.segments:
            gaps += segment.first - last.get(segment.writer, -1) - 1
            last[segment.writer] = segment.last
        return gaps


class Recovery(NamedTuple):
    """What opening a ledger found.  `created`: there was none."""

    created: bool = False
    calls: int = 0
    ended: tuple[Ended, ...] = ()
    spills: tuple[SpillReport, ...] = ()

    @property
    def clean(self) -> bool:
        """Nobody ended without closing, and nothing was left behind."""
        return not self.ended and not self.spills

    def sentences(self) -> list[str]:
        """The report for people; empty if all was well."""
        said = [_ended(end) for end in self.ended]
        return said + [_spill(spill) for spill in self.spills]


def _ended(end: Ended) -> str:
    flushed = sum(segment.calls for segment in end.segments)
    runs = ", ".join(f"{s.writer} {s.first}..{s.last}" for s in end.segments) or "none"
    missing = f"; {end.missing:,} between them are missing" if end.missing else ""
    dropped = f"; {end.dropped:,} were dropped at its bound" if end.dropped else ""
    return (
        f"process {end.pid} ended without closing the ledger: {flushed:,} calls of it are stored "
        f"(captures {runs}){missing}{dropped}; what it had not flushed by then is lost"
    )


def _spill(spill: SpillReport) -> str:
    cut = f"; its last {spill.cut:,} bytes were cut short and hold no whole call" if spill.cut else ""
    return f"{spill.calls:,} calls were taken in from {spill.name}{cut}"


class WriterReport(NamedTuple):
    """One writer's chain: calls present, calls removed by retention, captures that are missing."""

    writer: str
    calls: int
    removed: int
    missing: int
    first: int
    last: int
    digest: str


class VerifyReport(NamedTuple):
    """What verification found; `problems` are sentences, none if every chain holds."""

    calls: int
    removed: int
    missing: int
    writers: tuple[WriterReport, ...]
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Every chain holds, and the indexes agree with it."""
        return not self.problems


SAID = msgspec.json.Decoder(Said)
WITHHELD = msgspec.json.Decoder(Withheld)
