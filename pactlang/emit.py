"""Turn a checked pact into a program: conditions become branches, values registers.

In: `ir.Module` and its `Source`.  Out: `Program` or None, and diagnostics.

The one idea: a condition is compiled *for its three exits*, where to go on true, on false and on an
error value, so `&&`, `||`, `!` and `?:` cost no instruction, and a clause that holds goes straight on
to the next clause.  CEL's rule that `false && error` is false in either order needs memory only where
an operand that is not the last can be an error value: one flag register per chain.

Registers are numbered in three ranges until the end, when the number of constants is known.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import msgspec

from pactlang import ir, schema
from pactlang.diagnostic import Diagnostic, Label
from pactlang.functions import BUILTINS, Builtin
from pactlang.opcodes import INSTRUCTION, MAX_REGISTERS, ErrorCode, Opcode
from pactlang.program import (
    Annex,
    Atom,
    Bound,
    ClauseInfo,
    Constant,
    Core,
    Group,
    Program,
    encode,
    make_constant,
)
from pactlang.source import Source, Span

CONSTANTS, TEMPS = 1 << 20, 1 << 21  # where the two later ranges begin until they are placed
MAX_INSTRUCTIONS = 2_000_000

TESTS = frozenset({"all", "exists", "exists_one"})
FLIPPED = {"_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_", "_==_": "_==_", "_!=_": "_!=_"}
WITH_CONSTANT = {
    ("int", "_==_"): Opcode.EQ_INT_K, ("int", "_<_"): Opcode.LT_INT_K, ("int", "_<=_"): Opcode.LE_INT_K,
    ("int", "_>_"): Opcode.GT_INT_K, ("int", "_>=_"): Opcode.GE_INT_K,
    ("double", "_==_"): Opcode.EQ_DOUBLE_K, ("double", "_<_"): Opcode.LT_DOUBLE_K,
    ("double", "_<=_"): Opcode.LE_DOUBLE_K, ("double", "_>_"): Opcode.GT_DOUBLE_K,
    ("double", "_>=_"): Opcode.GE_DOUBLE_K,
}  # fmt: skip
TYPED = {
    "int": (Opcode.EQ_INT, Opcode.LT_INT, Opcode.LE_INT),
    "double": (Opcode.EQ_DOUBLE, Opcode.LT_DOUBLE, Opcode.LE_DOUBLE),
    "string": (Opcode.EQ_STRING, Opcode.LT, Opcode.LE),
    "timestamp": (Opcode.EQ_TIME, Opcode.LT_TIME, Opcode.LE_TIME),
    "duration": (Opcode.EQ_TIME, Opcode.LT_TIME, Opcode.LE_TIME),
}
ANY = (Opcode.EQ, Opcode.LT, Opcode.LE)
ARITHMETIC = {
    "add_int": Opcode.ADD_INT, "subtract_int": Opcode.SUBTRACT_INT, "add_double": Opcode.ADD_DOUBLE,
    "subtract_double": Opcode.SUBTRACT_DOUBLE, "multiply_double": Opcode.MULTIPLY_DOUBLE,
}  # fmt: skip


def emit(
    module: ir.Module, source: Source, folded: ir.Module | None = None, bound: Bound | None = None
) -> tuple[Program | None, tuple[Diagnostic, ...]]:
    """The program for a checked pact; None, with a diagnostic, if it is too large for the machine.

    folded: the same pact with its constant parts computed.  Reports walk `module`.  bound: where the
    machine is to stop, if the pact has a budget.
    """
    emitter = Emitter(folded or module, bound)
    emitter.pact()
    if emitter.too_large:
        return None, (too_large("pact", module.clauses[-1].span, "split it into several pacts"),)
    annex = Annex(encode(module), source.name.replace("\\", "/").rpartition("/")[2], source.text)
    return Program(emitter.core(), encode(annex)), ()


def emit_expression(expr: ir.Expr, module: ir.Module) -> tuple[Core | None, tuple[Diagnostic, ...]]:
    """The code for one expression of a module without clauses."""
    emitter = Emitter(module)
    emitter.add(Opcode.RESULT, emitter.value(expr))
    emitter.add(Opcode.HALT)
    if emitter.too_large:
        return None, (too_large("expression", expr.span, "make it shorter"),)
    return emitter.core(), ()


def too_large(what: str, span: tuple[int, int], help: str) -> Diagnostic:
    """What is said of code that the machine cannot hold."""
    label = Label(Span(*span), "up to here")
    return Diagnostic("too-large", f"the {what} is too large to compile", label, help=(help,))


class Emitter:
    """The program under construction."""

    def __init__(self, module: ir.Module, bound: Bound | None = None) -> None:
        self.module, self.bound = module, bound
        self.code: list[list[Any]] = []  # op, a, b, c, label t, label f, label e, k, imm
        self.labels: list[int] = []  # label -> instruction
        self.constants: dict[bytes, tuple[int, Constant]] = {}
        self.sets: dict[tuple[str, ...], int] = {}
        self.atoms: dict[tuple[int, Atom], int] = {}
        self.groups: dict[tuple[int, bool], list[int]] = {}
        self.matchers: dict[Atom, int] = {}
        self.variables: dict[int, int] = {}  # comprehension variable -> register
        self.layouts = {record.name: i for i, record in enumerate(module.schema.records)}
        self.sure = Certainty(module.schema.slots)
        self.depth = self.temps = 0

    # Parts of the program ----------------------------------------------------------------------

    @property
    def registers(self) -> int:
        return len(self.module.schema.slots) + len(self.constants) + self.temps

    @property
    def too_large(self) -> bool:
        return self.registers > MAX_REGISTERS or len(self.code) > MAX_INSTRUCTIONS

    def core(self) -> Core:
        module = self.module
        return Core(
            module.name,
            module.version,
            module.renews,
            module.schema,
            tuple(constant for _, constant in self.constants.values()),
            tuple(self.sets),
            self.assembled(),
            self.temps,
            tuple(atom for _, atom in self.atoms),
            tuple(Group(slot, tuple(atoms)) for (slot, _), atoms in self.groups.items()),
            tuple(self.matchers),
            module.patterns,
            module.phrases,
            tuple(
                ClauseInfo(
                    c.name, c.description, c.dimension, c.severity, c.never, c.on_violation, c.on_unknown
                )
                for c in module.clauses
            ),
            module.store,
            self.bound,
        )

    def assembled(self) -> bytes:
        """The instructions as bytes, with every register and label in its place."""
        slots = len(self.module.schema.slots)
        temps = slots + len(self.constants)

        def place(register: int) -> int:
            if register >= TEMPS:
                return register - TEMPS + temps
            return register - CONSTANTS + slots if register >= CONSTANTS else register

        pack = struct.Struct(INSTRUCTION).pack
        return b"".join(
            pack(op, place(a), place(b), place(c), *(self.labels[x] if x >= 0 else 0 for x in jumps), k, imm)
            for op, a, b, c, *jumps, k, imm in self.code
        )

    def add(
        self, op: Opcode, a: int = 0, b: int = 0, c: int = 0, *, t: int = -1, f: int = -1, e: int = -1,
        k: int = 0, imm: int = 0,
    ) -> None:  # fmt: skip
        self.code.append([int(op), a, b, c, t, f, e, k, imm])

    def label(self) -> int:
        self.labels.append(-1)
        return len(self.labels) - 1

    def here(self, label: int) -> None:
        self.labels[label] = len(self.code)

    def temp(self) -> int:
        self.depth += 1
        self.temps = max(self.temps, self.depth)
        return TEMPS + self.depth - 1

    def constant(self, kind: str, value: Any) -> int:
        constant = make_constant(kind, value)
        key = msgspec.msgpack.encode(constant)
        index, _ = self.constants.setdefault(key, (len(self.constants), constant))
        return CONSTANTS + index

    # Clauses -----------------------------------------------------------------------------------

    def pact(self) -> None:
        if self.module.applies is not None:
            inside, outside, unknown = self.label(), self.label(), self.label()
            self.condition(self.module.applies, inside, outside, unknown)
            self.here(outside)
            self.add(Opcode.OUTSIDE)
            self.here(unknown)
            self.add(Opcode.ALL_UNKNOWN)
            self.here(inside)
        for number, clause in enumerate(self.module.clauses):
            self.clause(number, clause)
        self.add(Opcode.HALT)

    def clause(self, number: int, clause: ir.Clause) -> None:
        self.depth = 0
        after, violated, unknown = self.label(), self.label(), self.label()
        if clause.when is not None:
            admitted, skipped = self.label(), self.label()
            self.condition(clause.when, admitted, skipped, unknown)
            self.here(skipped)
            self.add(Opcode.SKIPPED, t=after, k=number)
            self.here(admitted)
        if clause.never:
            self.condition(clause.promise, violated, after, unknown)
        else:
            self.condition(clause.promise, after, violated, unknown)
        self.here(violated)
        self.add(Opcode.VIOLATED, t=after, k=number)
        self.here(unknown)
        self.add(Opcode.UNKNOWN, t=after, k=number)
        self.here(after)

    # Conditions: code for three exits ------------------------------------------------------------

    def condition(self, node: ir.Expr, t: int, f: int, e: int) -> None:
        """Emit code that goes to label t, f or e.  What follows is reached by label only."""
        mark = self.depth
        match node:
            case ir.Logic():
                self.chain(node.operands, node.op, t, f, e)
            case ir.Not():
                self.condition(node.operand, f, t, e)
            case ir.Cond():
                yes, no = self.label(), self.label()
                self.condition(node.test, yes, no, e)
                self.here(yes)
                self.condition(node.yes, t, f, e)
                self.here(no)
                self.condition(node.no, t, f, e)
            case ir.Call() if node.function in FLIPPED:
                self.comparison(node.function, node.args[0], node.args[1], t, f, e)
            case ir.Call(function="@in"):
                self.membership(node.args[0], node.args[1], t, f, e)
            case ir.Call() if self.is_sought(node):
                text = node.args[1].value  # type: ignore[union-attr]
                self.sought(node.args[0], Atom("literal", text=text), t, f, e)
            case ir.Matches():
                self.sought(node.operand, Atom("pattern", node.pattern), t, f, e)
            case ir.Says():
                self.sought(node.operand, Atom("phrases", node.phrases), t, f, e)
            case ir.Has():
                self.has(node.operand, t, f, e)
            case ir.Comprehension() if node.macro in ("all", "exists"):
                self.quantifier(node, t, f, e)
            case ir.Comprehension(macro="exists_one"):
                count = self.exactly_one(node, e)
                self.add(Opcode.EQ_INT_K, count, t=t, f=f, e=e, imm=1)
            case ir.Bind():
                self.bind(node)
                self.condition(node.body, t, f, e)
            case ir.Call(function="dyn"):
                self.condition(node.args[0], t, f, e)
            case _:
                self.add(Opcode.TEST, self.value(node), t=t, f=f, e=e)
        self.depth = mark

    def chain(self, operands: tuple[ir.Expr, ...], op: str, t: int, f: int, e: int) -> None:
        """`&&`: the first false decides; `||`: the first true; an error only if nothing decides."""
        flag = self.temp() if any(self.sure.can_fail(x) for x in operands[:-1]) else None
        if flag is not None:
            self.add(Opcode.SET_BOOL, c=flag, imm=0)
        end = self.label()
        for i, operand in enumerate(operands):
            last = i == len(operands) - 1
            proceed = end if last and flag is not None else (t if op == "&&" else f) if last else self.label()
            failed = self.label() if not last and self.sure.can_fail(operand) else e
            if op == "&&":
                self.condition(operand, proceed, f, failed)
            else:
                self.condition(operand, t, proceed, failed)
            if failed is not e and flag is not None:
                self.here(failed)
                self.add(Opcode.SET_BOOL, c=flag, imm=1)
            if not last:
                self.here(proceed)
        self.here(end)
        if flag is not None:
            self.add(Opcode.TEST, flag, t=e, f=t if op == "&&" else f, e=e)

    def comparison(self, function: str, left: ir.Expr, right: ir.Expr, t: int, f: int, e: int) -> None:
        if function == "_!=_":
            return self.comparison("_==_", left, right, f, t, e)
        left, right = ir.bare(left), ir.bare(right)
        if isinstance(left, ir.Const) and not isinstance(right, ir.Const):
            return self.comparison(FLIPPED[function], right, left, t, f, e)
        kind = left.type.kind
        number = exact_number(right, kind)
        if number is not None:
            imm = number if kind == "int" else struct.unpack("<q", struct.pack("<d", number))[0]
            return self.add(WITH_CONSTANT[kind, function], self.value(left), t=t, f=f, e=e, imm=imm)
        equal, less, less_equal = TYPED.get(kind, ANY) if kind == right.type.kind else ANY
        a, b = self.value(left), self.value(right)
        if function in ("_>_", "_>=_"):
            a, b = b, a
        op = equal if function == "_==_" else less if function in ("_<_", "_>_") else less_equal
        return self.add(op, a, b, t=t, f=f, e=e)

    def membership(self, item: ir.Expr, source: ir.Expr, t: int, f: int, e: int) -> None:
        texts = constant_texts(source)
        if texts is not None:
            number = self.sets.setdefault(texts, len(self.sets))
            self.add(Opcode.IN_SET, self.value(item), t=t, f=f, e=e, k=number)
        else:
            a = self.value(item)
            self.add(Opcode.IN, a, self.value(source), t=t, f=f, e=e)

    def is_sought(self, node: ir.Call) -> bool:
        """True for a literal sought in a text field: it joins the field's one pass."""
        match node:
            case ir.Call(function="contains", args=(ir.Slot(), ir.Const() as part)):
                return part.type.kind == "string"
        return False

    def sought(self, operand: ir.Expr, atom: Atom, t: int, f: int, e: int) -> None:
        if isinstance(operand, ir.Slot) and operand.type.kind == "string":
            number = self.atoms.setdefault((operand.slot, atom), len(self.atoms))
            group = self.groups.setdefault((operand.slot, atom.kind == "phrases"), [])
            if number not in group:
                group.append(number)
            self.add(Opcode.ATOM, t=t, f=f, e=e, k=number)
        else:
            number = self.matchers.setdefault(atom, len(self.matchers))
            self.add(Opcode.MATCH, self.value(operand), t=t, f=f, e=e, k=number)

    def has(self, operand: ir.Expr, t: int, f: int, e: int) -> None:
        if isinstance(operand, ir.Key):
            a = self.value(operand.operand)
            self.add(Opcode.HAS_KEY, a, self.constant("string", operand.key), t=t, f=f, e=e)
        elif isinstance(operand, ir.Member):
            self.add(Opcode.HAS_MEMBER, self.value(operand.operand), t=t, f=f, e=e, k=self.member(operand))
        else:
            self.add(Opcode.PRESENT, self.value(operand), t=t, f=f)

    # Comprehensions ------------------------------------------------------------------------------

    def loop(self, node: ir.Comprehension, end: int, e: int) -> int:
        """Start a loop over the source; the label to which each turn goes back.  At the end go to `end`."""
        source = self.value(node.source)
        iterator, element, again, body = self.temp(), self.temp(), self.label(), self.label()
        self.variables[node.var if node.second < 0 else node.second] = element
        self.add(Opcode.ITER, source, c=iterator, e=e)
        self.here(again)
        kind = node.source.type.element if node.source.type.kind == "list" else schema.DYN
        layout = self.layouts[kind.name] + 1 if kind.kind == "record" else 0
        self.add(Opcode.NEXT, iterator, element, t=body, f=end, k=layout)
        self.here(body)
        if node.second >= 0:
            self.variables[node.var] = position = self.temp()
            self.add(Opcode.POSITION, iterator, source, position)
            if node.source.type.kind != "list":
                self.add(Opcode.ELEMENT, source, element, element)
        return again

    def quantifier(self, node: ir.Comprehension, t: int, f: int, e: int) -> None:
        """all, exists: an error of one element counts only if no other element decides."""
        assert node.test is not None
        flag = self.temp() if self.sure.can_fail(node.test) else None
        if flag is not None:
            self.add(Opcode.SET_BOOL, c=flag, imm=0)
        end = self.label()
        undecided = t if node.macro == "all" else f
        again = self.loop(node, end if flag is not None else undecided, e)
        failed = self.label() if flag is not None else e
        if node.macro == "all":
            self.condition(node.test, again, f, failed)
        else:
            self.condition(node.test, t, again, failed)
        if flag is not None:
            self.here(failed)
            self.add(Opcode.SET_BOOL, c=flag, imm=1)
            self.add(Opcode.JUMP, t=again)
            self.here(end)
            self.add(Opcode.TEST, flag, t=e, f=undecided, e=e)

    def exactly_one(self, node: ir.Comprehension, e: int) -> int:
        """The register that counts the elements for which the test is true."""
        assert node.test is not None
        count, end, found = self.temp(), self.label(), self.label()
        self.add(Opcode.MOVE, self.constant("int", 0), c=count)
        again = self.loop(node, end, e)
        self.condition(node.test, found, again, e)
        self.here(found)
        self.add(Opcode.ADD_INT, count, self.constant("int", 1), count)
        self.add(Opcode.JUMP, t=again)
        self.here(end)
        return count

    def collect(self, node: ir.Comprehension, target: int) -> None:
        """filter, map, to_map, to_entries: the list or map in `target`; an error of one element is the
        result."""
        end, failed, done, take = self.label(), self.label(), self.label(), self.label()
        self.add(Opcode.MAP if node.macro.startswith("to_") else Opcode.LIST, c=target)
        again = self.loop(node, end, failed)
        if node.test is not None:
            self.condition(node.test, take, again, failed)
        self.here(take)
        mark = self.depth
        item = self.variables[node.var] if node.body is None else self.value(node.body)
        if node.macro == "to_map":
            self.add(Opcode.PUT, target, self.variables[node.var], item, e=failed)
        else:
            op = Opcode.MERGE if node.macro == "to_entries" else Opcode.APPEND
            self.add(op, target, item, e=failed)
        self.depth = mark
        self.add(Opcode.JUMP, t=again)
        self.here(failed)
        self.add(Opcode.SET_ERROR, c=target, imm=ErrorCode.NO_SUCH_OVERLOAD)
        self.add(Opcode.JUMP, t=done)
        self.here(end)
        self.here(done)

    # Variables with a value ------------------------------------------------------------------------

    def bind(self, node: ir.Bind) -> None:
        """Give each variable its value, which may be an error value."""
        for var, init in zip(node.vars, node.inits, strict=True):
            register = self.temp()
            mark = self.depth
            self.add(Opcode.MOVE, self.value(init), c=register)
            self.depth = mark
            self.variables[var] = register

    def optional_map(self, node: ir.OptionalMap, target: int) -> None:
        """What the optional holds goes through the body; none stays none."""
        held, empty, failed, done = self.label(), self.label(), self.label(), self.label()
        operand, inside = self.value(node.operand), self.temp()
        self.variables[node.var] = inside
        self.add(Opcode.HAS_VALUE, operand, t=held, f=empty, e=failed)
        self.here(held)
        self.add(Opcode.CALL1, operand, c=inside, k=Builtin.OPTIONAL_VALUE)
        body = self.value(node.body)
        if node.flat:
            self.add(Opcode.CALL2, body, body, target, k=Builtin.OPTIONAL_OR)  # looks that it is an optional
        else:
            self.add(Opcode.CALL1, body, c=target, k=Builtin.OPTIONAL_OF)
        self.add(Opcode.JUMP, t=done)
        self.here(failed)
        self.here(empty)
        self.add(Opcode.MOVE, operand, c=target)
        self.here(done)

    def or_else(self, node: ir.Call, target: int) -> None:
        """`or`, `orValue`: the second argument is needed only where the first is none."""
        held, empty, failed, done = self.label(), self.label(), self.label(), self.label()
        operand = self.value(node.args[0])
        self.add(Opcode.HAS_VALUE, operand, t=held, f=empty, e=failed)
        self.here(empty)
        mark = self.depth
        other = self.value(node.args[1])
        if node.function == "or":
            self.add(Opcode.CALL2, other, other, target, k=Builtin.OPTIONAL_OR)
        else:
            self.add(Opcode.MOVE, other, c=target)
        self.depth = mark
        self.add(Opcode.JUMP, t=done)
        self.here(failed)
        self.add(Opcode.CALL1, operand, c=target, k=Builtin.OPTIONAL_VALUE)  # the error of it
        self.add(Opcode.JUMP, t=done)
        self.here(held)
        if node.function == "or":
            self.add(Opcode.MOVE, operand, c=target)
        else:
            self.add(Opcode.CALL1, operand, c=target, k=Builtin.OPTIONAL_VALUE)
        self.here(done)

    def sparse(self, node: ir.ListOf | ir.MapOf, target: int) -> None:
        """A literal some of whose parts are left out where they are none."""
        failed, done = self.label(), self.label()
        a_list = isinstance(node, ir.ListOf)
        self.add(Opcode.LIST if a_list else Opcode.MAP, c=target)
        for number, part in enumerate(node.items if isinstance(node, ir.ListOf) else node.entries):
            mark = self.depth
            if isinstance(part, tuple):
                key = self.value(part[0])
                op = Opcode.PUT_OPTIONAL if number in node.optional else Opcode.PUT
                self.add(op, target, key, self.value(part[1]), e=failed)
            else:
                op = Opcode.APPEND_OPTIONAL if number in node.optional else Opcode.APPEND
                self.add(op, target, self.value(part), e=failed)
            self.depth = mark
        self.add(Opcode.JUMP, t=done)
        self.here(failed)
        self.add(Opcode.SET_ERROR, c=target, imm=ErrorCode.NO_SUCH_OVERLOAD)
        self.here(done)

    # Values: code that leaves a result in a register ----------------------------------------------

    def value(self, node: ir.Expr) -> int:
        """Emit code for the value and go on behind it; the register that holds it."""
        match node:
            case ir.Slot():
                return node.slot
            case ir.Const():
                return self.constant(node.type.kind, node.value)
            case ir.Var():
                return self.variables[node.index]
            case ir.Call(function="dyn"):
                return self.value(node.args[0])
        target = self.temp()
        mark = self.depth
        match node:
            case ir.Call(function="or" | "orValue", args=(_, _)):
                self.or_else(node, target)
            case ir.Call() if node.function not in {*FLIPPED, "@in"} and not self.is_sought(node):
                self.call(node, target)
            case ir.Bind():
                self.bind(node)
                self.add(Opcode.MOVE, self.value(node.body), c=target)
            case ir.OptionalMap():
                self.optional_map(node, target)
            case ir.ListOf() | ir.MapOf() if node.optional:
                self.sparse(node, target)
            case ir.Member():
                self.add(Opcode.MEMBER, self.value(node.operand), c=target, k=self.member(node))
            case ir.Key():
                a = self.value(node.operand)
                self.add(Opcode.KEY, a, self.constant("string", node.key), target)
            case ir.ListOf():
                self.run(node.items, lambda first, n: self.add(Opcode.LIST, first, n, target))
            case ir.MapOf():
                flat = tuple(part for entry in node.entries for part in entry)
                self.run(flat, lambda first, n: self.add(Opcode.MAP, first, n, target))
            case ir.Comprehension() if node.macro not in TESTS:
                self.collect(node, target)
            case ir.Cond():
                self.choose(node, target)
            case _:
                self.truth(node, target)
        self.depth = mark
        return target

    def call(self, node: ir.Call, target: int) -> None:
        builtin = BUILTINS.get(node.function, -1)
        if builtin < 0:  # nobody knows it
            self.add(Opcode.SET_ERROR, c=target, imm=ErrorCode.UNKNOWN_NAME)
        elif node.overload in ARITHMETIC:
            a = self.value(node.args[0])
            self.add(ARITHMETIC[node.overload], a, self.value(node.args[1]), target)
        elif len(node.args) == 1:
            self.add(Opcode.CALL1, self.value(node.args[0]), c=target, k=builtin)
        elif len(node.args) == 2:
            a = self.value(node.args[0])
            self.add(Opcode.CALL2, a, self.value(node.args[1]), target, k=builtin)
        else:
            self.run(node.args, lambda first, n: self.add(Opcode.CALL_N, first, n, target, k=builtin))

    def run(self, nodes: tuple[ir.Expr, ...], use: Callable[[int, int], None]) -> None:
        """Values in adjacent registers, then what uses them."""
        registers = [self.temp() for _ in nodes]
        for register, node in zip(registers, nodes, strict=True):
            mark = self.depth
            self.add(Opcode.MOVE, self.value(node), c=register)
            self.depth = mark
        use(registers[0] if registers else 0, len(registers))

    def choose(self, node: ir.Cond, target: int) -> None:
        yes, no, failed, done = self.label(), self.label(), self.label(), self.label()
        self.condition(node.test, yes, no, failed)
        for label, branch in ((yes, node.yes), (no, node.no)):
            self.here(label)
            mark = self.depth
            self.add(Opcode.MOVE, self.value(branch), c=target)
            self.depth = mark
            self.add(Opcode.JUMP, t=done)
        self.here(failed)
        self.add(Opcode.SET_ERROR, c=target, imm=ErrorCode.NO_SUCH_OVERLOAD)
        self.here(done)

    def truth(self, node: ir.Expr, target: int) -> None:
        """A condition as a value."""
        yes, no, failed, done = self.label(), self.label(), self.label(), self.label()
        self.condition(node, yes, no, failed)
        for label, imm in ((yes, 1), (no, 0)):
            self.here(label)
            self.add(Opcode.SET_BOOL, c=target, imm=imm)
            self.add(Opcode.JUMP, t=done)
        self.here(failed)
        self.add(Opcode.SET_ERROR, c=target, imm=ErrorCode.NO_SUCH_OVERLOAD)
        self.here(done)

    def member(self, node: ir.Member) -> int:
        """The number of a field: its record's layout and its place among the fields that are read."""
        name = node.operand.type.name
        return self.layouts[name] << 16 | self.module.schema.reads[name].index(node.field)


def risky_slots(slots: tuple[schema.Slot, ...]) -> frozenset[int]:
    """The slots whose value may be an error value: those below a record that may be null."""
    risky: set[int] = set()
    for i, slot in enumerate(slots):
        if slot.base >= 0 and (slot.base in risky or slots[slot.base].type.nullable):
            risky.add(i)
    return frozenset(risky)


class Certainty:
    """What can be proved never to be an error value."""

    def __init__(self, slots: tuple[schema.Slot, ...]) -> None:
        self.risky = risky_slots(slots)

    def can_fail(self, node: ir.Expr) -> bool:
        """False only where no error value can arise: what is not proved counts as failing."""
        match node:
            case ir.Const():
                return False
            case ir.Slot() | ir.Var():
                return node.type.nullable or self.can_compare_fail(node)
            case ir.Has(operand=ir.Slot()):
                return False
            case ir.Logic():
                return any(self.can_fail(operand) for operand in node.operands)
            case ir.Not():
                return self.can_fail(node.operand)
            case ir.Matches(operand=ir.Slot() as operand) | ir.Says(operand=ir.Slot() as operand):
                return self.can_fail(operand) or operand.type.kind != "string"
            case ir.Call(function="_==_" | "_!=_"):
                return any(self.can_compare_fail(arg) for arg in node.args)
            case ir.Call(function="_<_" | "_<=_" | "_>_" | "_>=_" | "contains" | "startsWith" | "endsWith"):
                return any(self.can_fail(arg) for arg in node.args)
            case ir.Call(function="@in", args=(item, source)):
                return self.can_compare_fail(item) or constant_texts(source) is None
            case _:
                return True

    def can_compare_fail(self, node: ir.Expr) -> bool:
        """Like can_fail for `==` and `in`, to which null is a plain value."""
        if isinstance(node, ir.Slot):
            return node.slot in self.risky or node.type.kind not in schema.SCALARS
        if isinstance(node, ir.Var):
            return node.type.kind not in schema.SCALARS
        return self.can_fail(node)


def exact_number(node: ir.Expr, kind: str) -> Any:
    """The constant as a value of `kind` (int or double) if that is the same number, else None."""
    if (
        not isinstance(node, ir.Const)
        or node.type.kind not in ("int", "double")
        or kind not in ("int", "double")
    ):
        return None
    if node.type.kind == kind:
        return node.value
    if kind == "double" and float(node.value) == node.value:
        return float(node.value)
    return None


def constant_texts(node: ir.Expr) -> tuple[str, ...] | None:
    """The texts of a list literal that holds nothing else."""
    if isinstance(node, ir.Const) and isinstance(node.value, list) and node.value:
        return tuple(node.value) if all(isinstance(text, str) for text in node.value) else None
    if not isinstance(node, ir.ListOf) or not node.items or node.optional:
        return None
    if all(isinstance(item, ir.Const) and item.type.kind == "string" for item in node.items):
        return tuple(item.value for item in node.items)  # type: ignore[union-attr]
    return None
