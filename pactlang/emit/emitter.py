"""Expressions as code: a condition for its three exits, a value into a register.

In: `ir` nodes.  Out: instructions in `Code`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from pactlang import ir
from pactlang.emit import lazy, loops
from pactlang.emit.code import TEMPS, Code
from pactlang.emit.order import Order
from pactlang.emit.proofs import Certainty, exact_number
from pactlang.functions import BUILTINS
from pactlang.opcodes import ErrorCode, Opcode
from pactlang.program import TOGETHER, Atom, Bound

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


class Emitter(Code):
    """Emits the instructions of a pact's clauses, or of one expression."""

    def __init__(self, module: ir.Module, bound: Bound | None = None) -> None:
        super().__init__(module, bound)
        self.sure = Certainty(module.schema)
        self.order = Order()

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
            if not ir.remembers(clause):
                self.depth = 0
                self.clause(number, clause)
        self.add(Opcode.HALT)

    def clause(self, number: int, clause: ir.Clause) -> None:
        promise = ir.condition(clause)
        after, violated, unknown = self.label(), self.label(), self.label()
        if clause.when is not None:
            admitted, skipped = self.label(), self.label()
            self.condition(clause.when, admitted, skipped, unknown)
            self.here(skipped)
            self.add(Opcode.SKIPPED, t=after, k=number)
            self.here(admitted)
        if clause.never:
            self.condition(promise, violated, after, unknown)
        else:
            self.condition(promise, after, violated, unknown)
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
            case ir.Call() | ir.Comprehension() if (text := ir.sought(node)) is not None:
                self.sought(text[0], Atom(text[1], texts=text[2]), t, f, e)
            case ir.Matches():
                self.sought(node.operand, Atom("pattern", node.pattern), t, f, e)
            case ir.Says():
                self.sought(node.operand, Atom("phrases", node.phrases), t, f, e)
            case ir.Has():
                self.has(node.operand, t, f, e)
            case ir.Comprehension() if node.macro in ("all", "exists"):
                loops.quantifier(self, node, t, f, e)
            case ir.Comprehension(macro="exists_one"):
                count = loops.exactly_one(self, node, e)
                self.add(Opcode.EQ_INT_K, count, t=t, f=f, e=e, imm=1)
            case ir.Bind():
                lazy.bind(self, node)
                self.condition(node.body, t, f, e)
            case ir.Call(function="dyn"):
                self.condition(node.args[0], t, f, e)
            case _:
                self.add(Opcode.TEST, self.value(node), t=t, f=f, e=e)
        self.depth = mark

    def chain(self, operands: tuple[ir.Expr, ...], op: str, t: int, f: int, e: int) -> None:
        """`&&`: the first false decides; `||`: the first true; an error only if nothing decides."""
        if self.sure.decoded:
            operands = self.order.cheap_first(operands)
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
        texts = ir.constant_texts(source)
        if texts is not None:
            number = self.sets.setdefault(texts, len(self.sets))
            self.add(Opcode.IN_SET, self.value(item), t=t, f=f, e=e, k=number)
        else:
            a = self.value(item)
            self.add(Opcode.IN, a, self.value(source), t=t, f=f, e=e)

    def sought(self, operand: ir.Expr, atom: Atom, t: int, f: int, e: int) -> None:
        if isinstance(operand, ir.Slot) and operand.type.kind == "string":
            number = self.atoms.setdefault((operand.slot, atom), len(self.atoms))
            group = self.groups.setdefault((operand.slot, TOGETHER.get(atom.kind, "")), [])
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
            case ir.Operator():
                return self.operators[node.number]
            case ir.Call(function="dyn"):
                return self.value(node.args[0])
        target = self.temp()
        mark = self.depth
        match node:
            case ir.Call(function="or" | "orValue", args=(_, _)):
                lazy.or_else(self, node, target)
            case ir.Call() if node.function not in {*FLIPPED, "@in"} and ir.sought(node) is None:
                self.call(node, target)
            case ir.Bind():
                lazy.bind(self, node)
                self.add(Opcode.MOVE, self.value(node.body), c=target)
            case ir.OptionalMap():
                lazy.optional_map(self, node, target)
            case ir.ListOf() | ir.MapOf() if node.optional:
                lazy.sparse(self, node, target)
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
            case ir.Comprehension() if node.macro not in loops.TESTS:
                loops.collect(self, node, target)
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
        first = TEMPS + self.depth if nodes else 0
        for node in nodes:
            mark = self.depth
            value = self.value(node)
            self.depth = mark
            register = self.temp()
            if value != register:  # a slot, a constant, a variable; what is computed is there already
                self.add(Opcode.MOVE, value, c=register)
        use(first, len(nodes))

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
