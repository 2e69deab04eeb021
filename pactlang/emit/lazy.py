"""What is computed once, or only where it is needed: bindings, optionals, literals with gaps.

In: `ir.Bind`, `ir.OptionalMap`, the calls `or` and `orValue`, literals with optional parts.  Out: code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pactlang import ir
from pactlang.functions import Builtin
from pactlang.opcodes import ErrorCode, Opcode

if TYPE_CHECKING:
    from pactlang.emit.emitter import Emitter


def bind(emitter: Emitter, node: ir.Bind) -> None:
    """Give each variable its value, which may be an error value."""
    for var, init in zip(node.vars, node.inits, strict=True):
        register = emitter.temp()
        mark = emitter.depth
        emitter.add(Opcode.MOVE, emitter.value(init), c=register)
        emitter.depth = mark
        emitter.variables[var] = register


def optional_map(emitter: Emitter, node: ir.OptionalMap, target: int) -> None:
    """What the optional holds goes through the body; none stays none."""
    held, empty, failed, done = emitter.label(), emitter.label(), emitter.label(), emitter.label()
    operand, inside = emitter.value(node.operand), emitter.temp()
    emitter.variables[node.var] = inside
    emitter.add(Opcode.HAS_VALUE, operand, t=held, f=empty, e=failed)
    emitter.here(held)
    emitter.add(Opcode.CALL1, operand, c=inside, k=Builtin.OPTIONAL_VALUE)
    body = emitter.value(node.body)
    if node.flat:
        emitter.add(Opcode.CALL2, body, body, target, k=Builtin.OPTIONAL_OR)  # looks that it is an optional
    else:
        emitter.add(Opcode.CALL1, body, c=target, k=Builtin.OPTIONAL_OF)
    emitter.add(Opcode.JUMP, t=done)
    emitter.here(failed)
    emitter.add(Opcode.CALL1, operand, c=target, k=Builtin.OPTIONAL_VALUE)  # the error of it
    emitter.add(Opcode.JUMP, t=done)
    emitter.here(empty)
    emitter.add(Opcode.MOVE, operand, c=target)
    emitter.here(done)


def or_else(emitter: Emitter, node: ir.Call, target: int) -> None:
    """`or`, `orValue`: the second argument is needed only where the first is none."""
    held, empty, failed, done = emitter.label(), emitter.label(), emitter.label(), emitter.label()
    operand = emitter.value(node.args[0])
    emitter.add(Opcode.HAS_VALUE, operand, t=held, f=empty, e=failed)
    emitter.here(empty)
    mark = emitter.depth
    other = emitter.value(node.args[1])
    if node.function == "or":
        emitter.add(Opcode.CALL2, other, other, target, k=Builtin.OPTIONAL_OR)
    else:
        emitter.add(Opcode.MOVE, other, c=target)
    emitter.depth = mark
    emitter.add(Opcode.JUMP, t=done)
    emitter.here(failed)
    emitter.add(Opcode.CALL1, operand, c=target, k=Builtin.OPTIONAL_VALUE)  # the error of it
    emitter.add(Opcode.JUMP, t=done)
    emitter.here(held)
    if node.function == "or":
        emitter.add(Opcode.MOVE, operand, c=target)
    else:
        emitter.add(Opcode.CALL1, operand, c=target, k=Builtin.OPTIONAL_VALUE)
    emitter.here(done)


def sparse(emitter: Emitter, node: ir.ListOf | ir.MapOf, target: int) -> None:
    """A literal some of whose parts are left out where they are none."""
    failed, done = emitter.label(), emitter.label()
    a_list = isinstance(node, ir.ListOf)
    emitter.add(Opcode.LIST if a_list else Opcode.MAP, c=target)
    for number, part in enumerate(node.items if isinstance(node, ir.ListOf) else node.entries):
        mark = emitter.depth
        if isinstance(part, tuple):
            key = emitter.value(part[0])
            op = Opcode.PUT_OPTIONAL if number in node.optional else Opcode.PUT
            emitter.add(op, target, key, emitter.value(part[1]), e=failed)
        else:
            op = Opcode.APPEND_OPTIONAL if number in node.optional else Opcode.APPEND
            emitter.add(op, target, emitter.value(part), e=failed)
        emitter.depth = mark
    emitter.add(Opcode.JUMP, t=done)
    emitter.here(failed)
    emitter.add(Opcode.SET_ERROR, c=target, imm=ErrorCode.NO_SUCH_OVERLOAD)
    emitter.here(done)
