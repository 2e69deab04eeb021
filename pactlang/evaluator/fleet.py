"""Several pacts at once: a call is judged by every pact that is about it.

In: programs, and records on every route.  Out: of one call a `FleetVerdict`, of many a `FleetBatch`.

A platform has thousands of pacts resident, of which a call concerns one or two.  A few fields are looked
at first, the index (`index.py`) says which pacts the call may concern, and only those are asked.  What is
resident is a snapshot that never changes; changing the fleet puts another in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import Any

from msgspec import Struct

from pactlang._runtime import FleetFace, FleetVerdict, Selector, Sight, Verdict
from pactlang.errors import ProgramError, RecordError
from pactlang.evaluator.evaluator import Evaluator
from pactlang.evaluator.index import Guard, Lens, eye, guards_of, index, looks_at, value_of
from pactlang.program import Program
from pactlang.records import Reader, reader_of
from pactlang.records.packed import unpack
from pactlang.schema import Record, Schema
from pactlang.verdict import FleetBatch, Violation

Failure = tuple[tuple[int, ...], RecordError]  # the numbers of pacts that cannot decode a record, and why

NOTHING = Schema("", (Record("", ()),))  # of a record of which nothing is read


class Member:
    """One resident pact: its evaluator, and what its guards are."""

    def __init__(self, program: Program) -> None:
        try:
            self.evaluator = Evaluator(program)
        except ProgramError as error:
            raise ProgramError(f"{program.name} {program.version} ({program.digest[:12]}): {error}") from None
        self.program = program
        self.guards: tuple[Guard, ...] = guards_of(program)


class Snapshot(Selector):
    """The pacts that are resident at one time, by number."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = tuple(members)
        self.nothing = reader_of(NOTHING)
        found = index(member.guards for member in members)
        self.everyone, self.lenses, self.tables = found.always, found.lenses, found.tables
        self.readers = [reader for reader, _ in found.peeks]
        super().__init__(
            self.numbered(self.everyone),
            [self.lens(lens, table) for lens, table in zip(self.lenses, self.tables, strict=True)],
            [
                (Evaluator(eye(reader.schema)), tuple((lens, int(attr[1:])) for lens, attr in looks))
                for reader, looks in found.peeks
            ],
            [reader.from_json for reader in self.readers],
            {reader.struct: Sight(reader.struct, list(looks), True) for reader, looks in found.peeks},
            len(self.members),
        )

    def lens(self, lens: Lens, table: dict[Any, list[int]]) -> tuple[Any, ...]:
        """A lens as the selector takes it."""
        filled = {value: self.numbered(numbers) for value, numbers in table.items()}
        return filled, lens.default, lens.field.type.nullable, lens.choices, lens.is_text

    def numbered(self, numbers: Iterable[int]) -> tuple[tuple[int, Evaluator], ...]:
        """Numbers with their evaluators."""
        return tuple((number, self.members[number].evaluator) for number in numbers)

    # Records that are not looked at in place ---------------------------------------------------------

    def check_unseen(self, record: Any) -> FleetVerdict:
        """Judge a dict, or a struct of a class that is new or has no plain fields."""
        if isinstance(record, Struct) and self.sees(type(record)):
            return self.check(record)
        try:
            looks = [self.read(reader, record) for reader in self.readers or [self.nothing]]
        except RecordError:
            return self.check_slowly(record, False)
        return self.check_looked(record, looks if self.readers else [])

    @staticmethod
    def read(reader: Reader, record: Any) -> Struct:
        """The struct that a reader makes of a dict or a struct."""
        if isinstance(record, Mapping):
            return reader.from_dict(record)
        if isinstance(record, Struct):
            return reader.from_struct(record)
        raise RecordError(f"expected a dict or a msgspec Struct, found {type(record).__name__}")

    def sees(self, form: type[Struct]) -> bool:
        """Whether the fields can be looked at in place; it is remembered."""
        if self.knows(form):
            return False
        looks = looks_at(form, self.lenses)
        try:
            sight = Sight(form, list(looks), False) if looks is not None else None
        except TypeError:
            sight = None
        self.see(form, sight)
        return sight is not None

    def check_msgpack(self, data: bytes) -> FleetVerdict:
        """Judge a MessagePack map; one that somebody cannot decode goes the way of a dict."""
        try:
            looks = [reader.from_msgpack(data) for reader in self.readers or [self.nothing]]
            numbers = self.numbers_among(looks) if self.readers else self.everyone
            if numbers is not None:
                judged = [(n, self.members[n].evaluator.check_msgpack(data)) for n in numbers]
                return FleetVerdict(self, data, judged, ())
        except RecordError:
            self.nothing.from_msgpack(data)  # what is no map is told as a pact alone tells it
        return self.check(unpack(data))

    def check_slowly(self, record: Any, is_json: bool) -> FleetVerdict:
        """Judge a record that somebody cannot decode.  RecordError for what is no record at all."""
        if is_json:
            self.nothing.from_json(record)
        else:
            self.read(self.nothing, record)
        numbers, failed = self.concerned_slowly(record, is_json)
        judged: list[tuple[int, Verdict]] = []
        for number in numbers:
            try:
                evaluator = self.members[number].evaluator
                judged.append((number, evaluator.check_json(record) if is_json else evaluator.check(record)))
            except RecordError as error:
                failed.append(((number,), error))
        return FleetVerdict(self, record, judged, tuple(failed))

    def concerned_slowly(self, record: Any, is_json: bool) -> tuple[list[int], list[Failure]]:
        """The pacts that a record may concern, lens by lens, and those whose lens cannot be decoded."""
        numbers, failed = set(self.everyone), []
        for lens, table in zip(self.lenses, self.tables, strict=True):
            try:
                numbers.update(table.get(value_of(lens, record, is_json), ()))
            except RecordError as error:
                failed.append((tuple(sorted({n for found in table.values() for n in found})), error))
        return sorted(numbers), failed

    # What a verdict says -------------------------------------------------------------------------------

    def verdicts(self, said: FleetVerdict) -> dict[Program, Verdict]:
        """Program -> Verdict."""
        return {self.members[number].program: verdict for number, verdict in said.judged}

    def undecodable(self, said: FleetVerdict) -> dict[Program, RecordError]:
        """Program -> RecordError."""
        found = sorted(((n, error) for numbers, error in said.failed for n in numbers), key=lambda x: x[0])
        return {self.members[number].program: error for number, error in found}

    def violations(self, said: FleetVerdict) -> tuple[Violation, ...]:
        """The broken promises of all pacts with their evidence."""
        return tuple(violation for _, verdict in said.judged for violation in verdict.violations)

    def unknown(self, said: FleetVerdict) -> tuple[tuple[Program, str], ...]:
        """The clauses of all pacts that are unknown."""
        return tuple((program, name) for program, v in self.verdicts(said).items() for name in v.unknown)

    def describe(self, said: FleetVerdict) -> str:
        """A verdict in one line."""
        parts = [f"{p.name} {p.version} {v!r}" for p, v in self.verdicts(said).items()]
        parts += [f"{p.name} {p.version} cannot decode it: {e}" for p, e in self.undecodable(said).items()]
        ok = "ok" if said.ok else "not ok"
        return f"<FleetVerdict {ok}: {'; '.join([*parts, f'{said.outside} outside'])}>"


class Fleet(FleetFace):
    """Judges calls by several pacts: each call by those whose `applies when` admits it.

    `Evaluator([p1, p2])` is the same.  `check(record)` takes a dict or a msgspec Struct,
    `check_json(bytes)` one JSON object, `check_msgpack(bytes)` one MessagePack map, `check_lines(bytes)`
    many JSON objects, a line each.  One fleet may be used from many threads, also while it is changed.

    A pact's identity is its digest: the same pact given twice is there once.  Different pacts of one name
    and version are different pacts.  A fleet may be empty.

    Raises ProgramError, with the pact's name, if a program's code does not pass verification.

    >>> import pactlang
    >>> form = 'pact {0} "1.0.0" applies when agent == "{0}" clause short {{ require size(output) < 20 }}'
    >>> fleet = pactlang.Evaluator([pactlang.compile(form.format(name)) for name in ("ann", "bob")])
    >>> verdict = fleet.check({"agent": "bob", "output": "hello"})
    >>> [program.name for program in verdict.verdicts], verdict.outside, verdict.ok
    (['bob'], 1, True)
    """

    def __init__(self, programs: Iterable[Program] = ()) -> None:
        self._lock = Lock()
        self.replace(programs)

    @property
    def programs(self) -> tuple[Program, ...]:
        """The resident pacts in their order."""
        return tuple(member.program for member in self._members.values())

    @property
    def _members(self) -> dict[str, Member]:
        return {member.program.digest: member for member in self._snapshot.members}

    @property
    def _snapshot(self) -> Snapshot:
        snapshot: Snapshot = self.current
        return snapshot

    def __len__(self) -> int:
        return self._snapshot.total

    def __contains__(self, program: object) -> bool:
        return isinstance(program, Program) and program.digest in self._members

    def __repr__(self) -> str:
        return f"<Fleet of {len(self)} pacts>"

    def check_msgpack(self, data: bytes | bytearray | memoryview) -> FleetVerdict:
        """What the pacts that are about a call say of one MessagePack map; as `Evaluator.check_msgpack`."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise RecordError(f"expected MessagePack, found a {type(data).__name__}")
        return self._snapshot.check_msgpack(bytes(data))

    # Many calls ------------------------------------------------------------------------------------

    def check_lines(self, data: bytes | str, ids: bool = False) -> FleetBatch:
        """Verdicts on NDJSON: a `Batch` for each pact that is about some line.

        Lines end with a line feed (a carriage return before it belongs to the break); the last one
        may lack it.  ids: keep the calls' ids, in each `Batch.ids`.
        """
        from pactlang.evaluator.lines import check_lines  # only who has lines pays for numpy

        return check_lines(self._snapshot, data, ids)

    # Change ----------------------------------------------------------------------------------------

    def update(self, add: Iterable[Program] = (), remove: Iterable[Program] = ()) -> None:
        """Remove pacts and add others, at once: a call sees all of the change or nothing of it.

        What is added comes last in the order.  KeyError for a pact to remove that is not there; then, as
        when a program does not pass verification, nothing is changed.
        """
        gone, new = list(remove), list(add)
        with self._lock:
            members = self._members
            for program in gone:
                if members.pop(checked(program).digest, None) is None:
                    raise KeyError(
                        f"{program.name} {program.version} ({program.digest[:12]}) is not in the fleet"
                    )
            self._take(members, new)

    def replace(self, programs: Iterable[Program]) -> None:
        """Let these be the resident pacts, at once.  Those that were there stay prepared."""
        if isinstance(programs, Program):
            raise TypeError("expected programs, found one Program")
        new = list(programs)
        with self._lock:
            self._take({}, new, self._members if self.current is not None else {})

    def _take(
        self, members: dict[str, Member], new: Sequence[Program], known: Mapping[str, Member] = {}
    ) -> None:
        for program in new:
            if checked(program).digest in members:
                continue
            old = known.get(program.digest)
            members[program.digest] = old if old and old.program == program else Member(program)
        self.current = Snapshot(list(members.values()))


def checked(program: Any) -> Program:
    """The program; TypeError if it is none."""
    if not isinstance(program, Program):
        raise TypeError(f"expected a Program (pactlang.load makes one), found {type(program).__name__}")
    return program
