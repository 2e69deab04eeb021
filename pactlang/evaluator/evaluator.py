"""The evaluator: a program, ready to judge records.

In: a `Program`, and records as dicts, structs or JSON.  Out: verdicts.

It joins the machine with what the machine must not know: how records are decoded, what clauses are
called, and how a violation is explained.  The machine is its base class, so `check` is one call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, overload

import msgspec
from msgspec import Struct

from pactlang._runtime import Binding, JsonMachine, Verdict
from pactlang.errors import PactError, ProgramError, RecordError
from pactlang.matchers import matcher, search, shared
from pactlang.opcodes import SHAPES, Kind, Outcome
from pactlang.program import Program
from pactlang.records import LayoutPlan, Plan, Reader, other_heads, reader_of
from pactlang.schema import Record, Schema, Type
from pactlang.source import Span
from pactlang.values import Timestamp, parse_timestamp
from pactlang.verdict import Batch, Matched, Violation

if TYPE_CHECKING:
    import pyarrow as pa

    from pactlang._runtime import BlockCode
    from pactlang.evaluator.fleet import Fleet

# What a user's own struct may hold directly: forms that need no decoding.
DIRECT: dict[int, tuple[Any, ...]] = {
    Kind.BOOL: (bool,), Kind.INT: (int,), Kind.DOUBLE: (float, int), Kind.STRING: (str,),
    Kind.BYTES: (bytes,), Kind.TIMESTAMP: (str,), Kind.DURATION: (str,),
    Kind.TIMESTAMP_S: (float, int), Kind.TIMESTAMP_MS: (float, int), Kind.TIMESTAMP_US: (float, int),
    Kind.TIMESTAMP_NS: (float, int), Kind.DURATION_S: (float, int), Kind.DURATION_MS: (float, int),
    Kind.DURATION_US: (float, int), Kind.DURATION_NS: (float, int),
}  # fmt: skip


class Evaluator(JsonMachine):
    """Judges calls, one by one and without memory of earlier ones.

    `check(record)` takes a dict or a msgspec Struct, `check_json(bytes)` one JSON object,
    `check_msgpack(bytes)` one MessagePack map, `check_lines(bytes)` many JSON objects, a line each.  The
    verdict is computed before they return.  One evaluator may be used from many threads.

    Raises ProgramError if the program's code does not pass verification; the checks raise RecordError
    for a record that cannot be decoded.  `Evaluator([p1, p2])` is a `Fleet` of several pacts.

    >>> import pactlang
    >>> program = pactlang.compile('pact p "1.0.0" clause short { require size(output) < 20 }')
    >>> pactlang.Evaluator(program).check({"output": "hello"}).ok
    True
    """

    @overload
    def __new__(cls, program: Program) -> Evaluator: ...
    @overload
    def __new__(cls, program: Iterable[Program]) -> Fleet: ...  # type: ignore[misc]  # not of its own class
    def __new__(cls, program: Any) -> Any:
        """An evaluator of one pact; a `Fleet` for several, if this very class is asked for it."""
        if cls is Evaluator and isinstance(program, Iterable):
            from pactlang.evaluator.fleet import Fleet

            return Fleet(program)
        return super().__new__(cls)

    def __init__(self, program: Program) -> None:
        if not isinstance(program, Program):
            raise TypeError(f"expected a Program (pactlang.load makes one), found {type(program).__name__}")
        self.program = program
        core = program.core
        self._refuse_memory(program)
        try:
            self.reader = reader_of(program.schema)
            slots = _row(program.schema)
            self.renews = parse_timestamp(f"{core.renews}T00:00:00Z") if core.renews else None
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise ProgramError(f"the schema is damaged: {error}") from None
        self.has_time = "time" in program.schema.reads.get(program.schema.root, ())
        self.names = tuple(clause.name for clause in program.clauses)
        self.strangers: set[type] = set()  # struct classes that cannot be read directly
        self.decoded = binding = Binding(_plans(self.reader.layouts), _root(program.schema), True)
        self.searches = [shared(g, core.atoms, core.patterns, core.phrases) for g in core.groups]
        atoms = {atom: g for g, group in enumerate(core.groups) for atom in group.atoms}
        try:
            self.prepare(
                core.code,
                program.constants,
                [list(texts) for texts in core.sets],
                slots,
                core.temps,
                len(core.clauses),
                binding,
                [atoms[atom] for atom in range(len(core.atoms))],
                [(g.slot, held.scanner) for g, held in zip(core.groups, self.searches, strict=True)],
                [matcher(atom, core.patterns, core.phrases) for atom in core.matchers],
                search,
                SHAPES,
            )
            if core.bound is not None:
                self.confine(core.bound.steps, list(core.bound.texts))
        except ValueError as error:
            raise ProgramError(f"the code does not pass verification: {error}") from None

    def _refuse_memory(self, program: Program) -> None:
        """An evaluator has no memory; PactError for a pact that needs one."""
        named = next((clause.name for clause in program.clauses if clause.remembers), None)
        if named is not None:
            raise PactError(
                f"clause {named} looks at earlier calls, and an Evaluator has no memory: use Monitor"
            )

    @property
    def code(self) -> bytes:
        """All code that reads records."""
        return self.program.core.code

    # One call ------------------------------------------------------------------------------------

    def plan(self) -> tuple[list[Plan], list[str], Binding] | None:
        """How the machine reads JSON by itself: the plans, texts it will meet, the structs it spares."""
        found = self.reader.plans(self.code)
        texts = [text for text in self.program.constants if type(text) is str]
        texts += [text for texts in self.program.core.sets for text in texts]
        return None if found is None else (found, texts, self.decoded)

    def decode(self, source: bytes | str) -> Struct:
        """The projected struct of one JSON object.  RecordError if it cannot be decoded."""
        return self.reader.from_json(source)

    def check_msgpack(self, data: bytes | bytearray | memoryview) -> Verdict:
        """The verdict on one record as a MessagePack map: as on the same record in JSON, and bytes may also
        be bin, times timestamps.  RecordError if it cannot be decoded."""
        return self.check(self.reader.from_msgpack(data))

    def convert(self, record: Any) -> Struct:
        """The projected struct for a dict, or for a struct that is not read directly."""
        if isinstance(record, Mapping):
            return self.reader.from_dict(record)
        if not isinstance(record, Struct):
            raise RecordError(f"expected a dict or a msgspec Struct, found {type(record).__name__}")
        form = type(record)
        if form not in self.strangers:
            binding = direct_binding(form, self.program.schema, self.reader)
            if binding is None:
                self.strangers.add(form)
            else:
                self.bind(binding)
                return record
        return self.reader.from_struct(record)

    def refuse(self, record: Struct, trusted: bool) -> Verdict:
        """Judge a struct that holds something unforeseen by the slow route, or raise RecordError."""
        return self.check(self.retake(record, trusted))

    def retake(self, record: Struct, trusted: bool) -> Struct:
        """The projected struct for one that holds something unforeseen; RecordError if it is one already."""
        if not trusted:
            return self.reader.from_struct(record)
        self.reader.values(record)
        raise RecordError("a field holds what its type does not allow")

    # Many calls ----------------------------------------------------------------------------------

    def check_lines(self, data: bytes | str, ids: bool = False) -> Batch:
        """Verdicts on NDJSON: a row per line that is not blank; a bad line is a row of UNKNOWN.

        Lines end with a line feed (a carriage return before it belongs to the break); the last one
        may lack it.  ids: keep the calls' ids, in `Batch.ids`.
        """
        from pactlang.evaluator.batch import check_lines

        if isinstance(data, str):
            data = data.encode("utf-8", "surrogatepass")
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"expected the bytes of lines, found {type(data).__name__}")
        return check_lines(self, bytes(data), ids)

    def check_arrow(self, data: Any, threads: int = 1) -> pa.Table:
        """Verdicts on the rows of an Arrow table or record batch, or of whatever has `__arrow_c_stream__`
        (polars and pandas frames, duckdb relations): a table of as many rows.

        Columns: `ok`, `outside`, `expired` (bool), `undecodable` (string, the JSON path and the reason),
        then one per clause, `dictionary<int8, string>` with the values satisfied, violated, skipped and
        unknown, in the order of `Outcome`; null where the call is outside or cannot be decoded.  `ok` is
        null only where it cannot be decoded.  A clause called as one of the first four has the column
        `clause.NAME`.  The schema's metadata name the pact and its digest.

        A column is a field under any of its names; structs are records, lists of structs lists of
        records; null is null.  threads: of which large tables make use; the result does not depend on it.
        Needs the extra `arrow`.  RecordError for what is no valid Arrow data.
        """
        try:
            from pactlang.columns import check_arrow
        except ModuleNotFoundError as error:
            if error.name != "pyarrow":
                raise
            raise PactError("Arrow columns need pyarrow: pip install 'pactlang[arrow]'") from None
        return check_arrow(self, data, threads)

    @cached_property
    def blocks(self) -> BlockCode | None:
        """The program made ready for columns; None if it is not for them."""
        from pactlang.columns.plan import code_of

        return code_of(self)

    def reason(self, record: Any) -> tuple[str, str]:
        """The JSON path and the reason for which the machine refused a projected struct."""
        try:
            self.refuse(record, True)
        except RecordError as error:
            return error.path, error.reason
        raise AssertionError("a refused record is refused")

    # What a verdict says ---------------------------------------------------------------------------

    def outcomes(self, verdict: Verdict) -> dict[str, Outcome]:
        """Clause name -> Outcome in source order; empty for a call outside the pact."""
        if verdict.outside:
            return {}
        return {name: Outcome(verdict.outcome(i)) for i, name in enumerate(self.names)}

    def unknown(self, verdict: Verdict) -> tuple[str, ...]:
        """Names of the clauses that are unknown."""
        return tuple(name for i, name in enumerate(self.names) if verdict.outcome(i) == Outcome.UNKNOWN)

    def expired(self, verdict: Verdict) -> bool:
        """Whether the call came when the pact was due for renewal, or later."""
        if self.renews is None or not self.has_time:
            return False
        return self.is_late(self.projected(verdict.record))

    def is_late(self, struct: Struct) -> bool:
        """Whether a projected struct's time is at or after `renews`, 00:00 UTC; never without a time."""
        time = self.reader.member(struct, "time", "$.time")
        return isinstance(time, Timestamp) and self.renews is not None and time >= self.renews

    def violations(self, verdict: Verdict) -> tuple[Violation, ...]:
        """The broken promises with their evidence."""
        broken = [i for i in range(len(self.names)) if verdict.outcome(i) == Outcome.VIOLATED]
        if not broken:
            return ()
        row = self.row(verdict.record)
        return tuple(self._violation(i, row) for i in broken)

    def _violation(self, number: int, row: list[Any]) -> Violation:
        from pactlang.explain import evidence  # only who asks for evidence pays for its import

        module, info = self.program.module, self.program.clauses[number]
        clause = module.clauses[number]
        try:
            found = evidence(module, clause, row, self.program.source, Outcome.VIOLATED)
        except (AssertionError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise ProgramError(f"the typed tree of clause {info.name} is damaged: {error}") from error
        matched = Matched(*found.matched) if found.matched is not None else None
        return Violation(
            info.name,
            info.severity,
            Span(*clause.promise_span),
            found.values,
            matched,
            found.threshold,
            found.message,
            self.program.digest,
        )

    def row(self, record: Any) -> list[Any]:
        """The CEL values of a record's slots, as `explain` and `evaluate` read them."""
        return self.reader.values(self.projected(record))

    def projected(self, record: Any) -> Struct:
        """A record as it is decoded: itself if it is so already."""
        return record if isinstance(record, self.reader.struct) else self.convert_slowly(record)

    def ident_of(self, record: Any) -> Any:
        """The id of a record; None if it has none that can be read."""
        try:
            return self.reader.identity(self.projected(record))
        except RecordError:
            return None

    def convert_slowly(self, record: Any) -> Struct:
        """The projected struct of any record, also of one that the machine reads directly."""
        if isinstance(record, Mapping):
            return self.reader.from_dict(record)
        return self.reader.from_struct(record)

    def describe(self, verdict: Verdict) -> str:
        """A verdict in one line."""
        if verdict.outside:
            return "<Verdict outside>"
        said = [
            f"{name} {outcome.name.lower()}" for name, outcome in self.outcomes(verdict).items() if outcome
        ]
        return f"<Verdict {'ok' if verdict.ok else 'not ok'}: {', '.join(said) or 'all satisfied'}>"


def _plans(layouts: list[LayoutPlan]) -> list[tuple[type, list[tuple[Any, ...]]]]:
    return [
        (
            plan.struct,
            [(f.attr, int(f.kind), f.nullable, f.default, f.layout, f.convert, None) for f in plan.fields],
        )
        for plan in layouts
    ]


def _root(schema: Schema) -> int:
    return next(i for i, record in enumerate(schema.records) if record.name == schema.root)


def _row(schema: Schema) -> list[tuple[int, int, int]]:
    """Per slot: its base, the record it is a field of, which of the read fields it is (-1: the record)."""
    index = {record.name: i for i, record in enumerate(schema.records)}
    row: list[tuple[int, int, int]] = []
    for number, slot in enumerate(schema.slots):
        if not slot.path:
            row.append((-1, index[schema.root], -1))
            continue
        holder = schema.root if slot.base < 0 else schema.slots[slot.base].type.name
        reads = schema.reads.get(holder, ())
        if holder not in index or slot.path[-1] not in reads:
            raise ProgramError(f"slot {number} reads what its record lacks")
        row.append((slot.base, index[holder], reads.index(slot.path[-1])))
    return row


# A user's own struct, read in place -----------------------------------------------------------------


def direct_binding(form: type[Struct], schema: Schema, reader: Reader) -> Binding | None:
    """Offsets into a user's struct class, if its fields hold what decoding would put there.

    None means: take the slow route.  The machine looks at every value it reads from such a struct;
    one that is unforeseen sends that record the slow way.
    """
    direct = Direct(schema, reader)
    if not direct.record(form, schema.record(schema.root)):
        return None
    try:
        return Binding(direct.filled(), _root(schema), False)
    except TypeError:
        return None


class Direct:
    """The layouts of a user's struct classes, one per record of the schema."""

    def __init__(self, schema: Schema, reader: Reader) -> None:
        self.schema = schema
        self.plans = _plans(reader.layouts)
        self.index = {record.name: i for i, record in enumerate(schema.records)}
        self.found: dict[int, tuple[type, list[tuple[Any, ...]]]] = {}

    def filled(self) -> list[tuple[type, list[tuple[Any, ...]]]]:
        return [self.found.get(i, plan) for i, plan in enumerate(self.plans)]

    def record(self, form: type[Struct], record: Record) -> bool:
        """Lay out one record; False if the class has other names or some field of another form."""
        number = self.index[record.name]
        if number in self.found:
            return self.found[number][0] is form
        own = {f.encode_name: f for f in msgspec.structs.fields(form)}
        wires = {f.name: f.names[0] for f in record.fields}
        if (set(own) - set(wires.values())) & other_heads(record) or any(
            "." in wire for wire in wires.values()
        ):
            return False  # some field may stand under another of its names
        fields: list[tuple[Any, ...]] = []
        self.found[number] = (form, fields)
        for name, plan in zip(self.schema.reads.get(record.name, ()), self.plans[number][1], strict=True):
            field, mine = record.field(name), own.get(wires[name])
            if field is None or (mine is not None and not self.fits(mine.type, plan, field.type)):
                return False
            if mine is None and not field.may_be_absent:
                return False
            choices = frozenset(field.type.values) if field.type.values else None
            fields.append((mine.name if mine is not None else None, *plan[1:6], choices))
        return True

    def fits(self, hint: Any, plan: tuple[Any, ...], form: Type) -> bool:
        """Whether a field annotated with `hint` may hold what the plan foresees."""
        kind, layout, inside = plan[1], plan[4], _without_none(hint)
        if kind in DIRECT:
            return inside in DIRECT[kind] or (
                bool(form.values) and getattr(inside, "__origin__", None) is Literal
            )
        if kind == Kind.DYN or (kind == Kind.MAP and form.params[1].kind == "dyn"):
            return True
        if kind == Kind.LIST and layout >= 0:
            inside = next(iter(getattr(inside, "__args__", ())), None)
        elif kind != Kind.RECORD:
            return False
        is_struct = isinstance(inside, type) and issubclass(inside, Struct)
        return is_struct and self.record(inside, self.schema.records[layout])


def _without_none(hint: Any) -> Any:
    """T for `T | None`, else the hint itself."""
    args = getattr(hint, "__args__", ())
    if type(None) in args and len(args) == 2:
        return next(arg for arg in args if arg is not type(None))
    return hint
