"""What a pact that remembers holds in memory, known before it runs.

In: `ir.Module`.  Out: `StateCosts`: bytes per session and per key of each clause that remembers, and of a
session as a whole.

The sizes are those of `runtime/units.pxi` and `runtime/state.h` on a machine of 64 bits; the tests hold the
two to each other.  A clause with keys has a set of registers for each, one for keys that have not come yet,
and a place in a table.  What grows with the calls, and not with sessions or keys, has a bound: the times
that `count` keeps, the tokens of `only from`, the last calls among which a duplicate is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pactlang import ir

POINTER = 8
TABLE, ENTRY = 24, 24  # a table, and one place in it
PLACES = 2  # that something takes in a table, which is kept a third to two thirds full
SESSION = 96  # what is known of a session beside its registers
HEAP = 16  # what the allocator keeps of a block, about
FIXED = SESSION + HEAP + PLACES * ENTRY + POINTER  # of a session, beside what clauses hold
PAST = VALUE = 16  # of `once` and `since`; of `previous`
WITNESS, TIME = 16, 8
FORBIDDEN, EXPECTED = 24, 64
SLICES = 40  # what finds the registers of a form's keys
MOST_KEYS = 1_000  # of one form in one session
MOST_COUNTED, COUNTED_HEAD = 1_024, 64  # times that `count` keeps, in both readings
MOST_TOKENS, TOKEN_PLACES = 10_000, 16_384  # that `only from` keeps; places of their table
RECENT, IDENT, CONTENT = 64, 8, 4  # the last calls: of each a hash of its id, or of what it says


class ClauseState(NamedTuple):
    """What a clause holds.

    block: bytes of each session, from its beginning.  session: the same once a key has come.  key: bytes
    of each key, 0 if it has none, and `keys` how many there can be.  most: bytes that come on top in a
    session (of a clause with keys: of one key), with many calls.
    """

    name: str
    block: int
    session: int
    key: int
    keys: int
    most: int


class StateCosts(NamedTuple):
    """What sessions hold.  block: bytes of registers; operators that several clauses use are there once.
    session: bytes of a session in all.  recent: what comes on top with its first 64 calls."""

    clauses: tuple[ClauseState, ...]
    block: int
    session: int
    recent: int


def state_costs(module: ir.Module) -> StateCosts | None:
    """What a checked pact holds of each session; None if no clause needs one."""
    forms = [clause for clause in module.clauses if isinstance(clause.promise, ir.Form)]
    operators = {op.number: op for clause in module.clauses for op in _operators(clause)}
    if not forms and not operators:
        return None
    rows = tuple(row for clause in module.clauses for row in _row(clause))
    block = sum(_room(_operator(op)) for op in operators.values())
    block += sum(row.block for row, form in _of_forms(rows, forms))
    grown = sum(row.session - row.block for row in rows)
    fields = {field.name for field in module.schema.record(module.schema.root).fields}
    recent = RECENT * (CONTENT * ("seq" in fields) + IDENT * ("id" in fields))
    return StateCosts(rows, block, FIXED + block + grown, recent)


def _of_forms(
    rows: tuple[ClauseState, ...], forms: list[ir.Clause]
) -> Iterator[tuple[ClauseState, ir.Clause]]:
    names = {row.name: row for row in rows}
    return ((names[form.name], form) for form in forms)


def _row(clause: ir.Clause) -> Iterator[ClauseState]:
    """The row of a clause that holds something."""
    form = clause.promise
    if isinstance(form, ir.Form):
        yield _form(clause.name, form)
    elif operators := {op.number: op for op in _operators(clause)}:
        block = sum(_room(_operator(op)) for op in operators.values())
        yield ClauseState(clause.name, block, block, 0, 0, sum(map(_times, operators.values())))


def _form(name: str, form: ir.Form) -> ClauseState:
    size, most = _size(form), _tokens(form)
    if not form.same:
        return ClauseState(name, _room(size), _room(size), 0, 0, most)
    held = POINTER + SLICES + size + 3 * HEAP
    return ClauseState(name, POINTER, held, size + HEAP + PLACES * ENTRY, MOST_KEYS, most)


def _room(size: int) -> int:
    """In a block things begin at multiples of 8."""
    return -(-size // 8) * 8


def _operators(clause: ir.Clause) -> Iterator[ir.Operator]:
    promised = ir.promised(clause.promise)
    return (node for node in ir.nodes(clause.when, *promised) if isinstance(node, ir.Operator))


def _operator(op: ir.Operator) -> int:
    if op.kind == "previous":
        return VALUE
    if op.kind == "count":
        return 2 * TIME if op.nanos < 0 else POINTER
    return PAST


def _times(op: ir.Operator) -> int:
    """Bytes of the times that `count(e, D)` keeps, at most."""
    counts = op.kind == "count" and op.nanos >= 0
    return COUNTED_HEAD + 2 * MOST_COUNTED * TIME if counts else 0


def _tokens(form: ir.Form) -> int:
    return TOKEN_PLACES * ENTRY if isinstance(form, ir.OnlyFrom) else 0


def _size(form: ir.Form) -> int:
    """Bytes of one set of registers."""
    match form:
        case ir.OnlyAfter() | ir.AtMost():
            return WITNESS + 2 * TIME * (1 + (form.count if form.nanos >= 0 else 0))
        case ir.NeverAfter():
            return FORBIDDEN
        case ir.Expect():
            return EXPECTED
    return TABLE + 8  # `only from`: a table of tokens, and whether it is whole
