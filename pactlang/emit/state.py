"""What a monitor runs and keeps: the state code and the tables of a pact that remembers.

In: an `Emitter` that has emitted the clauses that one call decides.  Out: `State`.

The state code runs on every call, whatever its clauses say: it finds the session, lets each operator take
the call, inner ones first, and leaves the truth of every event and the value of every key in a register of
its own.  The tables name these registers; the machine goes through them behind the code.
"""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

from msgspec.structs import replace

from pactlang import ir
from pactlang.drift import FIELDS
from pactlang.emit.emitter import Emitter
from pactlang.emit.watches import placed as watch_placed
from pactlang.emit.watches import watch_infos
from pactlang.emit.windows import Registers, keep_info
from pactlang.emit.windows import placed as keep_placed
from pactlang.opcodes import ErrorCode, Opcode, UnitKind
from pactlang.program import Core, State, UnitInfo

OPERATORS = {
    "once": UnitKind.ONCE, "since": UnitKind.SINCE, "previous": UnitKind.PREVIOUS, "count": UnitKind.COUNTED,
}  # fmt: skip
ENDINGS = {"": 0, "violate": 2, "forget": 3}
DIGEST = 16  # bytes
MANY = 8_000  # temporaries, from which on a condition leaves none behind but what it comes to
COMPARED = ("bool", "int", "string")  # what is cheap to compare


class StateCode(NamedTuple):
    """The code, not assembled yet, and the state whose registers have no place yet."""

    code: list[list[int]]
    state: State


def emit(emitter: Emitter) -> StateCode | None:
    """The state code; None for a pact that remembers nothing and says nothing of its score."""
    if emitter.module.session is None:
        return None
    first, emitter.code = emitter.code, []
    made = _Memory(emitter).state()
    found = StateCode(emitter.code, made)
    emitter.code = first
    return found


def core(emitter: Emitter, found: StateCode) -> Core:
    """The core with the state, every register in its place."""
    first, state, place = emitter.core(), found.state, emitter.placed
    emitter.code = found.code
    units = tuple(
        replace(
            unit,
            event=place(unit.event),
            other=place(unit.other),
            until=place(unit.until),
            when=place(unit.when),
            value=place(unit.value),
            same=tuple(map(place, unit.same)),
            sources=tuple((place(a), place(b)) for a, b in unit.sources),
        )
        for unit in state.units
    )
    placed = replace(
        state, code=emitter.assembled(), units=units,
        keeps=tuple(keep_placed(keep, place) for keep in state.keeps),
        watches=tuple(watch_placed(watch, place) for watch in state.watches),
        versions=tuple((name, place(register)) for name, register in state.versions),
        time=place(state.time), seq=place(state.seq), id=place(state.id),
    )  # fmt: skip
    return replace(first, state=placed)


def digest(*parts: object) -> bytes:
    """What identifies parts of a pact: equal where they compute the same."""
    return sha256(b"".join(ir.shape(part) for part in parts)).digest()[:DIGEST]


def micros(nanos: int, up: bool = False) -> int:
    """Nanoseconds as whole microseconds, which all times are: -1 stays."""
    return nanos if nanos < 0 else -(-nanos // 1000) if up else nanos // 1000


def is_plain(node: ir.Expr) -> bool:
    """Whether a condition is so cheap that it is computed in full, rather than as far as it is needed."""
    match node:
        case ir.Operator() | ir.Slot():
            return node.type.kind == "bool"
        case ir.Not():
            return is_plain(node.operand)
        case ir.Logic():
            return all(map(is_plain, node.operands))
        case ir.Call(function="_==_" | "_!=_", args=(left, right)):
            sides = ir.bare(left), ir.bare(right)
            return sides[0].type.kind == sides[1].type.kind and all(map(_is_at_hand, sides))
    return False


def _is_at_hand(node: ir.Expr) -> bool:
    """Whether a value lies in a register and is compared at once."""
    return isinstance(node, ir.Slot | ir.Const | ir.Operator) and node.type.kind in COMPARED


class _Memory:
    """Emits the state code of one pact."""

    def __init__(self, emitter: Emitter) -> None:
        self.emitter, self.module = emitter, emitter.module
        self.session = emitter.module.session
        self.truths: dict[bytes, int] = {}
        self.values: dict[bytes, int] = {}
        self.units: list[UnitInfo] = []
        emitter.depth = 0

    def state(self) -> State:
        emitter, session = self.emitter, self.session
        if session is None:
            raise AssertionError("a pact that remembers says what a session is")
        key = self.value(session.key)
        time, seq, ident = (self._field(name) for name in ("time", "seq", "id"))
        go_on, done = emitter.label(), emitter.label()
        registers = Registers(self.value, self.truth)
        emitter.add(Opcode.SESSION, key, t=go_on, f=done)
        emitter.here(go_on)
        for operator in self._operators():
            self._operate(operator)
        for number, clause in enumerate(self.module.clauses):
            if isinstance(clause.promise, ir.Form):
                self._form(number, clause, clause.promise)
        keeps = tuple(
            keep_info(number, clause.when, clause.promise, registers, digest(clause.when, clause.promise))
            for number, clause in enumerate(self.module.clauses)
            if isinstance(clause.promise, ir.Keep)
        )
        watches = watch_infos(self.module, registers, digest)
        versions = self._versions() if watches else ()
        needing = self._clauses()
        emitter.here(done)
        emitter.add(Opcode.HALT)
        return State(
            b"", time, seq, ident, micros(session.idle), session.limit, tuple(self.units), needing,
            digest(session), keeps, watches, versions,
        )  # fmt: skip

    def _versions(self) -> tuple[tuple[str, int], ...]:
        """Names and registers of the fields that tell versions of the agent apart."""
        found = ((name, self._field(name)) for name in FIELDS)
        return tuple((name, register) for name, register in found if register >= 0)

    def _clauses(self) -> tuple[int, ...]:
        """Emit the clauses with operators; the numbers of all that need a session."""
        needing = []
        for number, clause in enumerate(self.module.clauses):
            operators = any(
                isinstance(node, ir.Operator) for node in ir.nodes(clause.when, *ir.promised(clause.promise))
            )
            if operators and not isinstance(clause.promise, ir.Remembering):
                self._clause(number, clause)
            if operators or isinstance(clause.promise, ir.Form):
                needing.append(number)
        return tuple(needing)

    def _clause(self, number: int, clause: ir.Clause) -> None:
        """A clause with operators."""
        emitter, mark, promise = self.emitter, self.emitter.depth, ir.condition(clause)
        if emitter.temps < MANY and is_plain(promise) and (clause.when is None or is_plain(clause.when)):
            when = emitter.constant("bool", True) if clause.when is None else self.truth(clause.when)
            register, negated = self._side(promise)
            emitter.add(Opcode.JUDGE, register, when, k=number, imm=clause.never != negated)
        else:
            emitter.clause(number, clause)
            emitter.depth = mark

    # Registers of their own ---------------------------------------------------------------------

    def value(self, node: ir.Expr) -> int:
        """The register that holds the value of an expression from here on; equal ones share it."""
        shape = ir.shape(node)
        if shape not in self.values:
            self.values[shape] = self._kept(node)
        return self.values[shape]

    def _kept(self, node: ir.Expr) -> int:
        target = self.emitter.temp()
        mark = self.emitter.depth
        self.emitter.add(Opcode.MOVE, self.emitter.value(node), c=target)
        self.emitter.depth = mark
        return target

    def truth(self, node: ir.Expr | None) -> int:
        """The register with what a condition says: a bool, or an error value; -1 if it is always true."""
        if node is None or (isinstance(node, ir.Const) and node.value is True):
            return -1
        shape = ir.shape(node)
        if shape not in self.truths:
            self.truths[shape] = self._condition(node)
        return self.truths[shape]

    def _condition(self, node: ir.Expr) -> int:
        """Computed without a jump where that is cheap: which way a call goes is hard to foresee."""
        if self.emitter.temps < MANY and is_plain(node):
            return self._plain(node)
        return self._branching(node)

    def _plain(self, node: ir.Expr) -> int:
        emitter = self.emitter
        match node:
            case ir.Operator():
                return emitter.operators[node.number]
            case ir.Slot():
                return node.slot
            case ir.Logic():
                op, (found, denied) = (
                    Opcode.AND if node.op == "&&" else Opcode.OR,
                    self._side(node.operands[0]),
                )
                for each in node.operands[1:]:
                    side, negated = self._side(each)
                    found, denied = self._made(op, found, side, denied + 2 * negated), False
                return found
            case ir.Call(function="_==_", args=(left, right)):
                return self._made(Opcode.EQUALS, emitter.value(ir.bare(left)), emitter.value(ir.bare(right)))
        register, negated = self._side(node)
        return self._made(Opcode.NOT, register) if negated else register

    def _side(self, node: ir.Expr) -> tuple[int, bool]:
        """The register of a plain condition, and whether what it says is the contrary."""
        match node:
            case ir.Not():
                register, negated = self._side(node.operand)
                return register, not negated
            case ir.Call(function="_!=_"):
                return self.truth(replace(node, function="_==_")), True
        return self.truth(node), False

    def _made(self, op: Opcode, a: int, b: int = 0, k: int = 0) -> int:
        target = self.emitter.temp()
        self.emitter.add(op, a, b, target, k=k)
        return target

    def _branching(self, node: ir.Expr) -> int:
        emitter, target = self.emitter, self.emitter.temp()
        mark = emitter.depth
        yes, no, failed, done = (emitter.label() for _ in range(4))
        emitter.condition(node, yes, no, failed)
        for label, imm in ((yes, 1), (no, 0)):
            emitter.here(label)
            emitter.add(Opcode.SET_BOOL, c=target, imm=imm)
            emitter.add(Opcode.JUMP, t=done)
        emitter.here(failed)
        emitter.add(Opcode.SET_ERROR, c=target, imm=ErrorCode.UNCERTAIN)
        emitter.here(done)
        emitter.depth = mark
        return target

    def _field(self, name: str) -> int:
        """The register of a field of the record, -1 if it has no such field."""
        slots = self.module.schema.slots
        number = next((i for i, slot in enumerate(slots) if slot.path == (name,)), -1)
        return -1 if number < 0 else self.value(ir.Slot(slots[number].type, (0, 0), number))

    # Operators ----------------------------------------------------------------------------------

    def _operators(self) -> list[ir.Operator]:
        """Every operator once, in the order of their numbers: inner before outer."""
        found: dict[int, ir.Operator] = {}
        roots = [node for c in self.module.clauses for node in (c.when, *ir.promised(c.promise))]
        for node in ir.nodes(*roots):
            if isinstance(node, ir.Operator):
                found.setdefault(node.number, node)
        return [found[number] for number in sorted(found)]

    def _operate(self, node: ir.Operator) -> None:
        emitter, number = self.emitter, len(self.units)
        keeps = node.kind == "previous"
        registers = [self.value(each) if keeps else self._register(each) for each in node.operands]
        target = emitter.temp()
        emitter.operators[node.number] = target
        emitter.add(Opcode.OPERATE, registers[0], registers[-1], target, k=number)
        self.units.append(
            UnitInfo(
                OPERATORS[node.kind], -1, span=micros(node.nanos, node.before),
                flag=node.operands[0].type.kind == "bool" if keeps else node.before,
                enums=node.operands[0].type.values if keeps else (),
                digest=digest(self.session, node),
            )
        )  # fmt: skip

    def _register(self, node: ir.Expr) -> int:
        """A condition's register, also of one that is always true."""
        register = self.truth(node)
        return register if register >= 0 else self.value(node)

    # Forms --------------------------------------------------------------------------------------

    def _form(self, number: int, clause: ir.Clause, form: ir.NamedForm) -> None:
        made = replace(
            self._unit(number, form),
            event=self.truth(form.event.condition), when=self.truth(clause.when),
            same=tuple(map(self.value, form.same)),
            digest=digest(self.session, form),
        )  # fmt: skip
        self.units.append(made)

    def _unit(self, number: int, form: ir.NamedForm) -> UnitInfo:
        match form:
            case ir.OnlyAfter():
                other, span = self.truth(form.after.condition), micros(form.nanos)
                return UnitInfo(
                    UnitKind.ONLY_AFTER, number, other=other, count=form.count, span=span, flag=form.fresh
                )
            case ir.NeverAfter():
                other = self.truth(form.after.condition)
                until = -1 if form.until is None else self.truth(form.until.condition)
                return UnitInfo(
                    UnitKind.NEVER_AFTER, number, other=other, until=until, flag=form.until is not None
                )
            case ir.AtMost():
                return UnitInfo(UnitKind.AT_MOST, number, count=form.count, span=micros(form.nanos))
            case ir.Expect():
                other = self.truth(form.expected.condition)
                return UnitInfo(
                    UnitKind.EXPECT, number, other=other, calls=form.calls, span=micros(form.nanos),
                    ending=ENDINGS[form.on_end],
                )  # fmt: skip
            case ir.OnlyFrom():
                sources = tuple((self._register(e.condition), self.value(text)) for e, text in form.sources)
                return UnitInfo(UnitKind.ONLY_FROM, number, value=self.value(form.value), sources=sources)
