"""Rows: a call as it is written, its place in the writer's chain, and the statement that writes many.

In: an `Entry` and the rules of its pact.  Out: `Row`s, and inside a transaction rows of the table `calls`.

A row's digest is SHA-256 over the digest before it in the writer's chain and the row as msgpack; the
first one stands on the SHA-256 of the writer's name.

Many rows go into one statement: the interpreter's lock is let go once for all of them, so a busy
program in the other threads does not hold up every single row.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from hashlib import sha256
from itertools import chain as joined

import msgspec
from msgspec import Struct, structs
from msgspec.structs import astuple

from pactlang.ledger.entry import Entry, Said
from pactlang.ledger.rules import Rules

VIOLATED, UNKNOWN = 1, 3  # codes of `opcodes.Outcome`, as the table `marks` holds them
AMENDED = 4  # added to the outcome's code where the row is an amendment
OUTCOMES = ("satisfied", "violated", "skipped", "unknown")
NO_ASIDE = "said NOT GLOB '{\"aside\"*'"  # of a row of `calls`: it is a call
LARGEST_CALL = 900 << 20  # bytes; SQLite takes no value of a billion
LARGEST_INT = 2**63
LATEST = 1e12  # seconds since 1970, either way: some 30,000 years
CHUNKS = (1024, 256, 64, 16, 4, 1)  # rows per statement; 12 values each, of at most 32,766
COLUMNS = 12


class Row(Struct, array_like=True):
    """One call as it is written, but for its digest: field by field what is hashed.

    `said` and `withheld` are JSON; `pact` is the digest of the pact that judged it.
    """

    writer: str
    number: int
    session: str | None
    seq: int | None
    time: float | None
    stored: float
    pact: str
    said: str
    call: bytes
    withheld: str | None


class Unfit(Exception):
    """An entry that cannot be stored; the message says why."""


def make_row(entry: Entry, rules: Rules, pact: str, now: float) -> Row:
    """The row of an entry, with the rules of `store` applied.  Raises Unfit."""
    call, session, seq, time = entry.call, entry.session, entry.seq, entry.time
    withheld = None
    if entry.aside is not None:
        return _aside_row(entry, rules, pact, now)
    if type(call) is not bytes or len(call) > LARGEST_CALL:
        raise Unfit(f"a call is at most {LARGEST_CALL:,} bytes of JSON")
    if rules.rules:
        call, withheld = rules.apply(call)
        session, seq, time = rules.session(session), rules.kept("seq", seq), rules.kept("time", time)
    return Row(
        _text(entry.writer),
        _number(entry.number),
        session if session is None else _text(session),
        seq if seq is None else _number(seq),
        time if time is None else _moment(time),
        now,
        pact,
        _said_of(entry),
        call,
        withheld,
    )


def _aside_row(entry: Entry, rules: Rules, pact: str, now: float) -> Row:
    """The row of what is no call: its call is empty."""
    aside, time = entry.aside, entry.time
    assert aside is not None
    kept = structs.replace(aside, id=rules.free("id", aside.id), session=rules.free("session", aside.session))
    said = msgspec.json.encode(Said(aside=kept)).decode()
    at = None if time is None else _moment(time)
    return Row(_text(entry.writer), _number(entry.number), None, None, at, now, pact, said, b"", None)


def _text(text: str) -> str:
    """The text; what of it is no Unicode, as escapes."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _number(number: int) -> int:
    if not -LARGEST_INT <= number < LARGEST_INT:
        raise Unfit(f"{number} does not fit into 64 bits")
    return number


def _moment(time: float) -> float | None:
    """Seconds; None for what is no time."""
    return float(time) if -LATEST < time < LATEST else None


NOTHING = "{}"  # what is said of a call that every clause is satisfied with
_SAID: dict[tuple[tuple[str, ...], ...], str] = {}


def _said_of(entry: Entry) -> str:
    """A verdict as JSON.  Most calls of a program have one of a few."""
    violated, unknown, skipped = key = (entry.violated, entry.unknown, entry.skipped)
    if entry.outside:
        return '{"outside":true}'
    if entry.duplicate or entry.undecodable:
        said = Said(violated, unknown, skipped, False, entry.duplicate, entry.undecodable)
        return msgspec.json.encode(said).decode()
    if key not in _SAID:
        if len(_SAID) > 4096:
            _SAID.clear()
        _SAID[key] = msgspec.json.encode(Said(violated, unknown, skipped)).decode()
    return _SAID[key]


_encode = msgspec.msgpack.Encoder().encode


# The chain -------------------------------------------------------------------------------------


def genesis(writer: str) -> bytes:
    """What a writer's first row stands on."""
    return sha256(b"pactlang ledger\0" + writer.encode()).digest()


def link(before: bytes, row: Row) -> bytes:
    """The digest of a row after the digest `before`."""
    return sha256(before + _encode(row)).digest()


class Chain(Struct):
    """A writer's chain while a transaction adds to it.  `id` is 0 for a writer that is new."""

    id: int
    calls: int
    first: int
    last: int
    digest: bytes

    def add(self, number: int, row: Row) -> bytes:
        """Add a row and give its digest."""
        self.digest = digest = sha256(self.digest + _encode(row)).digest()
        self.calls += 1
        if number > self.last:
            self.last = number
        if number < self.first or self.first < 0:
            self.first = number
        return digest


def chain_of(made: sqlite3.Connection, writer: str) -> Chain:
    """The chain as it stands in the file."""
    held = made.execute(
        "SELECT id, calls, first, last, digest FROM writers WHERE writer = ?", (writer,)
    ).fetchone()
    return Chain(*held) if held else Chain(0, 0, -1, -1, genesis(writer))


def keep_chain(made: sqlite3.Connection, writer: str, chain: Chain, run: str) -> None:
    """Write the chain's new end."""
    made.execute(
        "UPDATE writers SET calls = ?, first = ?, last = ?, digest = ?, run = ? WHERE id = ?",
        (chain.calls, chain.first, chain.last, chain.digest, run, chain.id),
    )


# Writing ---------------------------------------------------------------------------------------


def write(made: sqlite3.Connection, rows: Sequence[Row], run: str) -> None:
    """Add rows, in this order, inside a transaction that is open."""
    next_id = made.execute("SELECT next FROM state").fetchone()[0]
    chains: dict[str, Chain] = {}
    pacts: dict[str, int] = {}
    values: list[object] = []
    marks: list[object] = []
    for id, row in enumerate(rows, next_id):
        writer, number, session, seq, time, stored, digest, said, call, withheld = astuple(row)
        chain = chains.get(writer) or _chain(made, writer, chains, run)
        pact = pacts.get(digest) or _pact(made, digest, pacts)
        end = chain.add(number, row)
        values += (id, chain.id, number, session, seq, time, stored, pact, said, call, withheld, end)
        if said != NOTHING:
            marks += joined.from_iterable(marks_of(said, id))
    _insert(made, "INSERT INTO calls VALUES", "(?,?,?,?,?,?,?,?,?,CAST(? AS TEXT),?,?)", values, COLUMNS)
    _insert(made, "INSERT OR IGNORE INTO marks VALUES", "(?,?,?)", marks, 3)
    made.execute("UPDATE state SET next = ?", (next_id + len(rows),))
    for writer, chain in chains.items():
        keep_chain(made, writer, chain, run)


def is_stored(made: sqlite3.Connection, row: Row) -> bool:
    """Whether a capture is among the last that its writer has stored."""
    found = made.execute(
        "SELECT 1 FROM (SELECT c.number FROM calls c JOIN writers w ON w.id = c.writer WHERE w.writer = ? "
        "ORDER BY c.id DESC LIMIT 1) WHERE number = ?",
        (row.writer, row.number),
    )
    return found.fetchone() is not None


def _chain(made: sqlite3.Connection, writer: str, chains: dict[str, Chain], run: str) -> Chain:
    chain = chains[writer] = chain_of(made, writer)
    if not chain.id:
        done = made.execute(
            "INSERT INTO writers (writer, run, calls, removed, first, last, digest) VALUES (?,?,0,0,-1,-1,?)",
            (writer, run, chain.digest),
        )
        chain.id = done.lastrowid or 0
    return chain


def _pact(made: sqlite3.Connection, digest: str, pacts: dict[str, int]) -> int:
    found = made.execute("SELECT id FROM pacts WHERE digest = ?", (digest,)).fetchone()
    pacts[digest] = int(found[0]) if found else 0
    return pacts[digest]


def marks_of(said: str, call: int) -> list[tuple[str, int, int]]:
    """The rows of `marks` for a stored verdict."""
    return [(clause, outcome, call) for clause, outcome in _marked(said)]


_MARKED: dict[str, tuple[tuple[str, int], ...]] = {}


def _marked(said: str) -> tuple[tuple[str, int], ...]:
    if said not in _MARKED:
        if len(_MARKED) > 4096:
            _MARKED.clear()
        held = msgspec.json.decode(said, type=Said)
        pairs = [(name, VIOLATED) for name in held.violated] + [(name, UNKNOWN) for name in held.unknown]
        if held.aside is not None and held.aside.outcome in OUTCOMES:
            pairs = [(held.aside.clause, AMENDED + OUTCOMES.index(held.aside.outcome))]
        _MARKED[said] = tuple(pairs)
    return _MARKED[said]


def _insert(made: sqlite3.Connection, head: str, one: str, values: list[object], width: int) -> None:
    at, left = 0, len(values) // width
    for size in CHUNKS:
        while left >= size:
            made.execute(_statement(head, one, size), values[at : at + size * width])
            at, left = at + size * width, left - size


_STATEMENTS: dict[tuple[str, int], str] = {}


def _statement(head: str, one: str, size: int) -> str:
    if (head, size) not in _STATEMENTS:
        _STATEMENTS[head, size] = f"{head} {','.join([one] * size)}"
    return _STATEMENTS[head, size]
