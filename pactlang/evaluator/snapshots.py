"""Snapshots: a monitor's whole state as bytes, and back, also under a later version of the pact.

In: a monitor.  Out: bytes, or the names of the clauses whose state they lack.

    Snapshot, version 4: "PACTSTAT", SHA-256 of the rest, msgpack of `Saved`.

Units are known by the digest of what they compute, so a clause that moved or got another name keeps its
state, and one that changed does not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from pactlang._runtime import Drift, Windows
    from pactlang.evaluator.monitor import Monitor

MAGIC = b"PACTSTAT"
MOST_VERSIONS = 1_000
VERSION = 5


class Saved(Struct, frozen=True, array_like=True):
    """What a snapshot holds.

    session: digest of what a session is; units: digests, in the order of the saved registers; key: of the
    secret, so that hashes mean the same; amendments: (id, number of the unit, outcome, time of
    the call), not asked for yet; windows, detectors: (digest, bytes) of each `keep` and each `watch`;
    versions: texts of the agent's versions, by the number of their field and their hash.
    """

    version: int
    name: str
    pact: str
    key: bytes
    session: bytes
    units: tuple[bytes, ...]
    sessions: bytes
    undecodable: int
    amendments: tuple[tuple[Any, int, int, int | None], ...] = ()
    windows: tuple[tuple[bytes, bytes], ...] = ()
    detectors: tuple[tuple[bytes, bytes], ...] = ()
    versions: tuple[tuple[int, int, str], ...] = ()


def save(monitor: Monitor) -> bytes:
    """The state of a monitor."""
    state, machine = monitor.program.core.state, monitor.machine
    numbers = {} if state is None else {unit.clause: i for i, unit in enumerate(state.units)}
    saved = Saved(
        VERSION, monitor.program.name, monitor.program.digest, fingerprint(monitor.secret),
        b"" if state is None else state.digest,
        () if state is None else tuple(unit.digest for unit in state.units),
        machine.save(),
        monitor.undecodable,
        tuple((ident, numbers[clause], *rest) for ident, clause, *rest in machine.amended),
        () if state is None else tuple(
            (keep.digest, windows.to_bytes())
            for keep, windows in zip(state.keeps, machine.windows, strict=True)
        ),
        () if state is None else tuple(
            (watch.digest, drift.to_bytes())
            for watch, drift in zip(state.watches, machine.drifts, strict=True)
        ),
        tuple((place, hashed, text) for (place, hashed), text in (machine.version_names or {}).items()),
    )  # fmt: skip
    body = msgspec.msgpack.encode(saved)
    return MAGIC + sha256(body).digest() + body


def fingerprint(secret: bytes) -> bytes:
    """What tells secrets apart and gives none away."""
    return sha256(b"pactlang snapshot" + secret).digest()[:8]


def read(data: bytes) -> Saved:
    """The parts of a snapshot; ValueError if it is none."""
    data = bytes(data)
    if data[: len(MAGIC)] != MAGIC:
        raise ValueError("this is no snapshot of a monitor")
    body = data[len(MAGIC) + 32 :]
    if sha256(body).digest() != data[len(MAGIC) : len(MAGIC) + 32]:
        raise ValueError("the snapshot is cut short or was changed")
    try:
        saved = msgspec.msgpack.decode(body, type=Saved)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"the snapshot is damaged: {error}") from None
    if saved.version != VERSION:
        raise ValueError(f"version {saved.version} of snapshots is not known here")
    return saved


def load(monitor: Monitor, data: bytes) -> tuple[str, ...]:
    """Take over a snapshot; the names of the clauses whose state it lacks."""
    saved = read(data)
    if saved.key != fingerprint(monitor.secret):
        raise ValueError("the snapshot was taken under another secret")
    if saved.name != monitor.program.name:
        raise ValueError(f"the snapshot is of the pact {saved.name[:100]}, not of {monitor.program.name}")
    units = take(monitor, saved, False)
    state, machine = monitor.program.core.state, monitor.machine
    keeps, watches = ((), ()) if state is None else (state.keeps, state.watches)
    windows = load_all(machine.windows, [keep.digest for keep in keeps], saved.windows)
    detectors = load_all(machine.drifts, [watch.digest for watch in watches], saved.detectors)
    take_versions(monitor, saved)
    return lost(monitor, units, windows, detectors)


def take(monitor: Monitor, saved: Saved, adding: bool) -> set[int]:
    """Take over sessions and amendments, all but windows; the units here that were saved."""
    state = monitor.program.core.state
    monitor.undecodable = saved.undecodable + (monitor.undecodable if adding else 0)
    if saved.session != (b"" if state is None else state.digest):
        return set()
    units = () if state is None else state.units
    places = places_of(saved.units, [unit.digest for unit in units])
    monitor.machine.load(saved.sessions, places, adding)
    for ident, number, outcome, time in saved.amendments:
        place = places[number] if 0 <= number < len(places) else -1
        if place >= 0 and units[place].clause >= 0 and 0 <= outcome <= 3:
            monitor.machine.amended.append((ident, units[place].clause, outcome, time))
    return {place for place in places if place >= 0}


def places_of(saved: Sequence[bytes], here: Sequence[bytes]) -> list[int]:
    """For each saved digest its place here, -1 if there is none; of equal ones the first is the first."""
    free: dict[bytes, deque[int]] = {}
    for place, digest in enumerate(here):
        free.setdefault(digest, deque()).append(place)
    return [free[digest].popleft() if free.get(digest) else -1 for digest in saved]


def load_all(
    into: Sequence[Windows] | Sequence[Drift],
    digests: Sequence[bytes],
    saved: Sequence[tuple[bytes, bytes]],
) -> set[int]:
    """Take over the windows of every `keep`, or the detectors of every `watch`, that is unchanged; which of
    them here were saved."""
    places = places_of([digest for digest, _ in saved], digests)
    for place, (_, data) in zip(places, saved, strict=True):
        if place >= 0:
            into[place].load(data)
    return {place for place in places if place >= 0}


def take_versions(monitor: Monitor, saved: Saved) -> None:
    """The texts of versions that are not known here yet."""
    names = monitor.machine.version_names
    for place, hashed, text in saved.versions[:MOST_VERSIONS] if names is not None else ():
        names.setdefault((place, hashed), text)


def lost(monitor: Monitor, units: set[int], keeps: set[int], watches: set[int]) -> tuple[str, ...]:
    """The clauses of which some unit, the windows or the detectors were not saved."""
    state = monitor.program.core.state
    if state is None:
        return ()
    missing = {unit.clause for i, unit in enumerate(state.units) if i not in units}
    missing |= {keep.clause for i, keep in enumerate(state.keeps) if i not in keeps}
    missing |= {watch.clause for i, watch in enumerate(state.watches) if i not in watches}
    names = monitor.machine.names
    if -1 in missing:  # an operator: which clauses hold it is not said, so all that hold any are named
        forms = {unit.clause for unit in state.units if unit.clause >= 0}
        missing |= {clause for clause in state.clauses if clause not in forms}
    return tuple(names[clause] for clause in sorted(missing - {-1}))


def merge(into: Monitor, other: Monitor) -> None:
    """Add the state of another worker of the same pact."""
    if into.program.digest != other.program.digest or into.secret != other.secret:
        raise ValueError("only monitors of one pact, with one secret, can be merged")
    if into.machine.keys & other.machine.keys:
        raise ValueError("a session was seen by both workers")
    state = into.program.core.state
    pairs = list(zip(into.machine.windows or (), other.machine.windows or (), strict=True))
    for keep, (_, theirs) in zip(() if state is None else state.keeps, pairs, strict=True):
        if any(calls for _, calls in keep.windows) and theirs.counts(0)["entered"]:
            name = into.machine.names[keep.clause]
            raise ValueError(f"clause {name} counts the last calls, which several workers have no order of")
    for mine, theirs in pairs:
        mine.merge(theirs)
    for detector, others in zip(into.machine.drifts or (), other.machine.drifts or (), strict=True):
        detector.merge(others)
    take(into, read(save(other)), True)
