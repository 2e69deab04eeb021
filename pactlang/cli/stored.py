"""A ledger in the place of a file of records, for `pactc run` and `pactc explain`.

In: a ledger's path.  Out: blocks of lines, a call each, in the order in which they were stored.

What was withheld of a call is not there to be judged.  By the pact that judged it then, the stored
verdict stands; by any other, a clause that reads a withheld field is unknown.  So that the rest can be
decoded, something of the field's type stands in its place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pactlang.cli.exits import Fault
from pactlang.cli.input import CHUNK, LONGEST_LINE, Block, Broken, Input, Overlong
from pactlang.cli.screen import printable
from pactlang.errors import LedgerError
from pactlang.ledger.export import call_line
from pactlang.ledger.retain import removed_numbers
from pactlang.ledger.rules import WHOLE
from pactlang.opcodes import Outcome

if TYPE_CHECKING:
    from pactlang.evaluator import Monitor
    from pactlang.ledger import Aside, Reader, StoredEntry
    from pactlang.program import Program
    from pactlang.schema import Field, Type
    from pactlang.verdict import Batch, Violation

PAGE = 500  # calls of one block, if they are not large
UNREADABLE = b"an answer that could not be read when it was captured"  # stands for such a call; no JSON


class StoredInput(Input):
    """A ledger; its lines are its calls, numbered from 1.

    is_known: asked for captures, it leaves out the calls (writer, number) of which this says that they are
    known already, and counts them in `known`.
    """

    is_sparse = True
    is_known: Callable[[str, int], bool] | None = None
    known = 0

    def check(self) -> str:
        """Why this ledger cannot be read, or ""."""
        from pactlang.ledger import Reader

        try:
            self._reader: Reader = Reader(self.path)
        except LedgerError as error:
            return printable(str(error))
        return ""

    def blocks(self, chunk: int = CHUNK, longest: int = LONGEST_LINE) -> Iterator[Block | Overlong]:
        """The calls of this ledger.  Raises `Broken` after the last one that could be read."""
        page = _Page(self.is_known is not None)
        try:
            for line, entry in self._entries():
                if entry.is_call and page.is_full(entry, chunk):
                    yield page.block()
                page.take(line, entry)
        except LedgerError as error:
            if page.has_some:
                yield page.block()
            raise Broken(f"{self.name} breaks off: {printable(str(error))}") from error
        if page.has_some:
            yield page.block()

    def _entries(self) -> Iterator[tuple[int, StoredEntry]]:
        """What is stored, with the line of a call among the calls."""
        line = 0
        for entry in self._reader.entries(asides=True):
            line += entry.is_call
            if self.is_known is None or not self.is_known(entry.writer, entry.number):
                yield line, entry
            elif entry.is_call:
                self.known += 1

    def removed(self) -> list[tuple[str, int, int]]:
        """Writer, first and last number of calls that retention has removed."""
        with self._reader.connection() as made:
            return removed_numbers(made)


class _Page:
    """Entries on their way into a block.  numbered: somebody wants to know their numbers."""

    def __init__(self, numbered: bool) -> None:
        self.numbered = numbered
        self._clear()

    def _clear(self) -> None:
        self.lines: list[int] = []
        self.held: list[StoredEntry] = []
        self.steps: dict[int, list[Aside]] = {}
        self.asides: list[tuple[str, int]] = []
        self.size = 0  # bytes

    @property
    def has_some(self) -> bool:
        """Whether there is something to be told of: calls, or numbers of what is none."""
        return bool(self.held or (self.numbered and self.asides))

    def is_full(self, entry: StoredEntry, chunk: int) -> bool:
        """Whether a call belongs into the next block."""
        has_room = not self.held or self.size + len(entry.call) <= chunk
        return len(self.held) >= PAGE or not has_room

    def take(self, line: int, entry: StoredEntry) -> None:
        """Add an entry."""
        aside = entry.said.aside
        if aside is not None:
            self.asides.append((entry.writer, entry.number))
            if aside.kind != "amendment":
                self.steps.setdefault(len(self.held), []).append(aside)
            return
        self.lines.append(line)
        self.held.append(entry)
        self.size += len(entry.call)

    def block(self) -> Block:
        """What was taken, and begin anew."""
        made = _block(self.held, self.lines[0] if self.lines else 1, self.steps)
        if self.lines and self.lines[-1] - self.lines[0] >= len(self.lines):
            made = made._replace(numbers=tuple(self.lines))
        if self.numbered:
            captures = tuple((entry.writer, entry.number) for entry in self.held)
            made = made._replace(captures=captures, asides=tuple(self.asides))
        self._clear()
        return made


def take_step(monitor: Monitor, step: Aside) -> None:
    """Let a monitor have what a guard was told between two calls."""
    if step.kind == "advance" and step.time is not None:
        monitor.advance(step.time)
    elif step.kind == "end" and step.session is not None:
        monitor.end(step.session)


def _block(held: Sequence[StoredEntry], first: int, steps: dict[int, list[Aside]]) -> Block:
    withheld = {number: entry for number, entry in enumerate(held) if entry.withheld is not None}
    data = b"".join((UNREADABLE if entry.said.undecodable else call_line(entry)) + b"\n" for entry in held)
    return Block(data, first, Withholding(withheld) if withheld else None, None, steps)


class Withholding:
    """The calls of a block of which something was withheld, by their line in it from 0."""

    def __init__(self, entries: dict[int, StoredEntry]) -> None:
        self.entries = entries

    def filled(self, data: bytes, program: Program) -> bytes:
        """The lines, with something of the right type in the place of what was withheld."""
        lines, reads = data.split(b"\n"), reads_of(program)
        for number, entry in self.entries.items():
            lines[number] = _filled(lines[number], reads.fields(_keys(entry)), program)
        return b"\n".join(lines)

    def slots(self, line: int, program: Program) -> tuple[int, ...]:
        """The slots of a program whose values a call's record does not hold."""
        entry = self.entries.get(line)
        if entry is None:
            return ()
        fields = reads_of(program).fields(_keys(entry))
        slots = enumerate(program.schema.slots)
        return tuple(n for n, slot in slots if fields and (not slot.path or slot.path[0] in fields))

    def hidden(self, line: int, program: Program) -> dict[str, str]:
        """Why clauses are unknown on a call, by their names; none for the pact that judged it."""
        entry = self.entries.get(line)
        if entry is None or entry.pact == program.digest:
            return {}
        reads = reads_of(program)
        return reads.hidden(reads.fields(_keys(entry)))

    def amend(self, batch: Batch, program: Program) -> None:
        """Set the outcomes of these calls to what is known of them."""
        rows = {line - 1: row for row, line in enumerate(batch.lines.tolist())}
        for line, entry in self.entries.items():
            row = rows[line]
            if entry.pact == program.digest:
                batch.outcomes[row] = _stored(entry, batch.clauses)
                batch.outside[row] = entry.said.outside
                continue
            reads = reads_of(program)
            if reads.applies & reads.fields(_keys(entry)):
                batch.outside[row] = False
            hidden = self.hidden(line, program)
            columns = [number for number, name in enumerate(batch.clauses) if name in hidden]
            batch.outcomes[row, columns] = Outcome.UNKNOWN

    def reason(self, line: int, clause: str, program: Program) -> str:
        """Why a clause is unknown on a call; "" if nothing of the call was withheld that has a part in it."""
        entry = self.entries.get(line)
        if entry is None or entry.pact != program.digest:
            return self.hidden(line, program).get(clause, "")
        return "it was unknown when the call was judged; what shows why was withheld"

    def untold(self, line: int, program: Program) -> dict[str, tuple[str, str]]:
        """Outcome of and reason for the clauses that read what was withheld of a call."""
        entry = self.entries.get(line)
        if entry is None:
            return {}
        reads = reads_of(program)
        hidden = reads.hidden(reads.fields(_keys(entry)))
        if entry.pact != program.digest:
            return {clause: ("unknown", why) for clause, why in hidden.items()}
        names = tuple(hidden)
        words = [Outcome(code).name.lower() for code in _stored(entry, names)]
        return {clause: (word, hidden[clause]) for clause, word in zip(names, words, strict=True)}

    def violation(self, line: int, clause: str, program: Program) -> Violation | None:
        """A stored violation whose evidence was withheld; None if nothing of the call was, and for another
        pact, which was broken by what is there."""
        entry = self.entries.get(line)
        if entry is None or entry.pact != program.digest:
            return None
        from pactlang.source import Span
        from pactlang.verdict import Violation

        promise = next(each for each in program.module.clauses if each.name == clause)
        message = f"{clause}: it was violated when the call was judged; what shows it was withheld"
        span = Span(*promise.promise_span)
        return Violation(clause, promise.severity, span, {}, None, None, message, program.digest)


def _stored(entry: StoredEntry, clauses: tuple[str, ...]) -> list[int]:
    if entry.said.outside:
        return [Outcome.UNKNOWN] * len(clauses)
    said = dict.fromkeys(entry.said.violated, Outcome.VIOLATED)
    said |= dict.fromkeys(entry.said.unknown, Outcome.UNKNOWN)
    said |= dict.fromkeys(entry.said.skipped, Outcome.SKIPPED)
    return [said.get(name, Outcome.SATISFIED) for name in clauses]


# What clauses read --------------------------------------------------------------------------------


class Reads:
    """The fields of its record that a program reads, clause by clause."""

    def __init__(self, program: Program) -> None:
        from pactlang.ir import fields_read, promised
        from pactlang.ledger.rules import keys_of

        self.program = program
        self.record = program.schema.record(program.schema.root)
        self.keys = {field.name: keys_of(self.record, field.name) for field in self.record.fields}
        module, schema = program.module, program.module.schema
        self.applies = frozenset(fields_read(schema, module.applies))
        self.clauses = {
            clause.name: self.applies | fields_read(schema, clause.when, *promised(clause.promise))
            for clause in module.clauses
        }
        self._fields: dict[tuple[str, ...], frozenset[str]] = {}
        self._hidden: dict[frozenset[str], dict[str, str]] = {}

    def fields(self, keys: tuple[str, ...]) -> frozenset[str]:
        """The fields of the record that may be read from some of these keys of the data."""
        if keys not in self._fields:
            self._fields[keys] = frozenset(
                name
                for name, names in self.keys.items()
                if WHOLE in keys or any(_overlap(one, other) for one in names for other in keys)
            )
        return self._fields[keys]

    def hidden(self, fields: frozenset[str]) -> dict[str, str]:
        """The clauses that read some of the fields, and how to say so."""
        if fields not in self._hidden:
            missing = {clause: sorted(reads & fields) for clause, reads in self.clauses.items()}
            self._hidden[fields] = {clause: _why(names) for clause, names in missing.items() if names}
        return self._hidden[fields]


_LAST: list[Reads] = []
PROGRAMS = 2  # of one command, at most


def reads_of(program: Program) -> Reads:
    """What a program reads."""
    for known in _LAST:
        if known.program is program:
            return known
    _LAST[:] = [Reads(program), *_LAST][:PROGRAMS]
    return _LAST[0]


def _keys(entry: StoredEntry) -> tuple[str, ...]:
    return tuple(entry.withheld.fields) if entry.withheld else ()


def _why(names: Sequence[str]) -> str:
    listed = " and ".join(f"`{name}`" for name in names)
    return f"it reads {listed}, which the ledger does not hold"


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(other + ".") or other.startswith(one + ".")


def _filled(line: bytes, fields: frozenset[str], program: Program) -> bytes:
    record = program.schema.record(program.schema.root)
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return line
    if type(data) is not dict:
        return line
    for field in record.fields:
        if field.name in fields:
            _fill(data, field, program)
    return json.dumps(data).encode()


def _fill(data: dict[str, Any], field: Field, program: Program) -> None:
    data.pop(field.names[0], None)
    if not field.may_be_absent:
        data[field.names[0]] = _something(field.type, program)


def _something(type: Type, program: Program) -> Any:
    """Some value of a type, as JSON data."""
    if type.nullable:
        return None
    if type.kind == "record":
        fields = program.schema.record(type.name).fields
        return {f.names[0]: _something(f.type, program) for f in fields if not f.may_be_absent}
    if type.values:
        return type.values[0]
    if type.unit:
        return 0
    return SOMETHING.get(type.kind)


SOMETHING: dict[str, Any] = {
    "bool": False, "int": 0, "uint": 0, "double": 0, "string": "", "bytes": "", "list": [], "map": {},
    "timestamp": "1970-01-01T00:00:00Z", "duration": "0s",
}  # fmt: skip


def open_ledger(path: str) -> Reader:
    """A ledger to read; a `Fault` if it is none."""
    from pactlang.ledger import Reader

    try:
        return Reader(path)
    except LedgerError as error:
        raise Fault(printable(str(error))) from error
