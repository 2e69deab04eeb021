"""Calls of a test, fed one by one to whoever judges them.

In: a machine, which is a monitor's where the pact remembers; the calls of one test.  Out: `Judged`.

A call has what the test does not write: session "test", ids "1", "2", ... and a time.  A field that is
required and left out would make the record undecodable; here its place is held by a value that fits,
and whatever reads it finds an error value: a monitor is told which values are hidden from it; where there
is none, the plain evaluator judges such a call, and the machine that judges in production every other one.

`Feed` is one run of one test: it has the number and the time of the calls, and what was said of those
whose verdicts may yet be amended.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pactlang import ir
from pactlang.errors import RecordError
from pactlang.evaluate import Error, admits, judge
from pactlang.evaluator import Evaluator, Remembering
from pactlang.explain import PENDING, Memory
from pactlang.opcodes import Outcome
from pactlang.schema import Field, Schema, Type
from pactlang.values import OutOfRange, make_timestamp

START = 1_767_225_600  # 2026-01-01T00:00Z in seconds since 1970
SECOND = 10**9
NANOS = {"s": SECOND, "ms": 10**6, "us": 10**3, "ns": 1}
SESSION = "test"

# Data that fits a type, where its value is never looked at.
STAND_INS: dict[str, Any] = {
    "bool": False, "int": 0, "uint": 0, "double": 0.0, "string": "", "bytes": "", "duration": "0s",
    "timestamp": "2026-01-01T00:00:00Z", "dyn": 0, "list": [], "map": {},
}  # fmt: skip


class Judged(NamedTuple):
    """A call and what was said of it.

    outcomes: by clause, empty for a call that is outside the pact, that is no record or that had come
    before.  row: the values of the schema's slots, with an `Error` for what was left out, and behind them
    what operators said; empty if the call is no record, and then `unreadable` says why.  memory: of a
    pact that remembers what is known by clause.  Amendments are put into both as they come.
    """

    call: ir.TestCall
    outcomes: dict[str, Outcome]
    outside: bool
    row: list[Any]
    unreadable: str = ""
    memory: dict[str, Memory] = {}  # noqa: RUF012  (of a tuple; nobody writes into the default)
    duplicate: bool = False

    @property
    def waiting(self) -> set[str]:
        """Clauses that are unknown and may yet be known."""
        return {name for name, memory in self.memory.items() if memory.is_waiting}


class Feed:
    """One run of one test: a fresh judge, and the number and time of the calls."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator, self.schema = evaluator, evaluator.program.schema
        self.count, self.time = 0, -SECOND
        self.named: dict[Any, Judged] = {}  # calls by their ids
        if isinstance(evaluator, Remembering):
            evaluator.tells = True

    def call(self, call: ir.TestCall) -> Judged:
        """Judge the next call."""
        self.count += 1
        self.time = self.time + SECOND if call.at is None else call.at
        try:
            return self._judge(call, *self._record(call))
        except RecordError as error:
            return Judged(call, {}, False, [], str(error))

    def _record(self, call: ir.TestCall) -> tuple[dict[str, Any], dict[str, Error]]:
        """The call as data, and the fields that it lacks."""
        record: dict[str, Any] = {}
        missing: dict[str, Error] = {}
        given = {**self._given(), **call.fields}
        for field in self.schema.record(self.schema.root).fields:
            if field.name in given:
                record[field.names[0]] = given[field.name]
            elif not fits_empty(field, self.schema):
                record[field.names[0]] = stand_in(field.type, self.schema)
                missing[field.name] = Error("left-out", f"`{field.name}` is left out of this call")
        return record, missing

    def _given(self) -> dict[str, Any]:
        """What the test gives every call: `id`, `session` and `time`, where the record has them."""
        fields = {field.name: field.type for field in self.schema.record(self.schema.root).fields}
        given = {"id": str(self.count), "session": SESSION}
        found: dict[str, Any] = {
            name: text if fields[name].kind != "int" else self.count if name == "id" else 1
            for name, text in given.items()
            if name in fields
        }
        if "time" in fields:
            found["time"] = moment(self.time, fields["time"])
        return found

    def _judge(self, call: ir.TestCall, record: dict[str, Any], missing: dict[str, Error]) -> Judged:
        if isinstance(self.evaluator, Remembering):
            return self._remember(self.evaluator, call, record, missing)
        if missing:
            return self._judge_plainly(call, record, missing)
        verdict = self.evaluator.check(record)
        return Judged(call, self.evaluator.outcomes(verdict), verdict.outside, self.evaluator.row(record))

    def _remember(
        self, machine: Remembering, call: ir.TestCall, record: dict[str, Any], missing: dict[str, Error]
    ) -> Judged:
        lost = {number: _lost(slot.path, missing) for number, slot in enumerate(self.schema.slots) if missing}
        verdict = machine.feed_record(record, tuple(number for number, why in lost.items() if why))
        row = machine.row_of(verdict)
        for number, why in lost.items():
            row[number] = why or row[number]
        outcomes = machine.outcomes(verdict)
        known = {name: machine.memory(verdict, i) for i, name in enumerate(machine.names) if name in outcomes}
        judged = Judged(call, outcomes, verdict.outside, row, "", known, verdict.duplicate)
        if outcomes:
            ident = machine.reader.identity(verdict.record) if machine.reader.has_id else None
            self.named[machine.line if ident is None else ident] = judged
        self._amend(machine)
        return judged

    def _amend(self, machine: Remembering) -> None:
        """Put what was resolved to the call that it is about."""
        while machine.amended:
            ident, clause, outcome, _ = machine.amended.popleft()
            name, judged = machine.names[clause], self.named.get(ident)
            if judged is not None and judged.memory[name].why == PENDING:
                judged.outcomes[name] = Outcome(outcome)
                why = "its session ended first" if outcome == Outcome.UNKNOWN else ""
                judged.memory[name] = Memory(Outcome(outcome), why)

    def _judge_plainly(self, call: ir.TestCall, record: dict[str, Any], missing: dict[str, Error]) -> Judged:
        module, row = self.evaluator.program.module, self.evaluator.row(record)
        for number, slot in enumerate(self.schema.slots):
            row[number] = _lost(slot.path, missing) or row[number]
        about = admits(module, row)
        if about is False:
            return Judged(call, {}, True, row)
        if isinstance(about, Error):
            return Judged(call, dict.fromkeys(self.evaluator.names, Outcome.UNKNOWN), False, row)
        return Judged(call, {c.name: judge(c, row, module).outcome for c in module.clauses}, False, row)


def _lost(path: tuple[str, ...], missing: dict[str, Error]) -> Error | None:
    """Why a slot has no value; the record as a whole has none if any of its fields lacks."""
    return missing.get(path[0]) if path else next(iter(missing.values()))


def fits_empty(field: Field, schema: Schema) -> bool:
    """True if data without the field is still a record."""
    if field.may_be_absent or field.type.kind != "record":
        return field.may_be_absent
    return all(fits_empty(inner, schema) for inner in schema.record(field.type.name).fields)


def stand_in(type: Type, schema: Schema) -> Any:
    """Data that is of the type."""
    if type.values:
        return type.values[0]
    if type.unit:
        return 0
    if type.kind != "record":
        return STAND_INS[type.kind]
    fields = schema.record(type.name).fields
    return {f.names[0]: stand_in(f.type, schema) for f in fields if not fits_empty(f, schema)}


def moment(nanos: int, type: Type) -> Any:
    """The time so long after the start, as data of a timestamp."""
    if type.unit:
        whole, rest = divmod(START * SECOND + nanos, NANOS[type.unit])
        return whole + rest / NANOS[type.unit] if rest else whole
    try:
        return str(make_timestamp(START, nanos))
    except OutOfRange as error:
        raise RecordError(f"it comes at {error}", "$.time") from None
