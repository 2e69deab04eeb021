"""Comprehensions as code: an iterator, and a NEXT to which each turn goes back.

In: `ir.Comprehension`.  Out: branches for `all` and `exists`, a count for `exists_one`, a list or a map
for the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pactlang import ir, schema
from pactlang.opcodes import ErrorCode, Opcode

if TYPE_CHECKING:
    from pactlang.emit.emitter import Emitter

TESTS = frozenset({"all", "exists", "exists_one"})


def loop(emitter: Emitter, node: ir.Comprehension, end: int, e: int) -> int:
    """Start a loop over the source; the label to which each turn goes back.  At the end go to `end`."""
    source = emitter.value(node.source)
    iterator, element, again, body = emitter.temp(), emitter.temp(), emitter.label(), emitter.label()
    emitter.variables[node.var if node.second < 0 else node.second] = element
    emitter.add(Opcode.ITER, source, c=iterator, e=e)
    emitter.here(again)
    kind = node.source.type.element if node.source.type.kind == "list" else schema.DYN
    layout = emitter.layouts[kind.name] + 1 if kind.kind == "record" else 0
    emitter.add(Opcode.NEXT, iterator, element, t=body, f=end, k=layout)
    emitter.here(body)
    if node.second >= 0:
        emitter.variables[node.var] = position = emitter.temp()
        emitter.add(Opcode.POSITION, iterator, source, position)
        if node.source.type.kind != "list":
            emitter.add(Opcode.ELEMENT, source, element, element)
    return again


def quantifier(emitter: Emitter, node: ir.Comprehension, t: int, f: int, e: int) -> None:
    """all, exists: an error of one element counts only if no other element decides."""
    emitter.sure.enter(node)
    assert node.test is not None
    flag = emitter.temp() if emitter.sure.can_fail(node.test) else None
    if flag is not None:
        emitter.add(Opcode.SET_BOOL, c=flag, imm=0)
    end = emitter.label()
    undecided = t if node.macro == "all" else f
    again = loop(emitter, node, end if flag is not None else undecided, e)
    failed = emitter.label() if flag is not None else e
    if node.macro == "all":
        emitter.condition(node.test, again, f, failed)
    else:
        emitter.condition(node.test, t, again, failed)
    if flag is not None:
        emitter.here(failed)
        emitter.add(Opcode.SET_BOOL, c=flag, imm=1)
        emitter.add(Opcode.JUMP, t=again)
        emitter.here(end)
        emitter.add(Opcode.TEST, flag, t=e, f=undecided, e=e)


def exactly_one(emitter: Emitter, node: ir.Comprehension, e: int) -> int:
    """The register that counts the elements for which the test is true."""
    emitter.sure.enter(node)
    assert node.test is not None
    count, end, found = emitter.temp(), emitter.label(), emitter.label()
    emitter.add(Opcode.MOVE, emitter.constant("int", 0), c=count)
    again = loop(emitter, node, end, e)
    emitter.condition(node.test, found, again, e)
    emitter.here(found)
    emitter.add(Opcode.ADD_INT, count, emitter.constant("int", 1), count)
    emitter.add(Opcode.JUMP, t=again)
    emitter.here(end)
    return count


def collect(emitter: Emitter, node: ir.Comprehension, target: int) -> None:
    """filter, map, to_map, to_entries: the list or map in `target`; an error of one element is the
    result."""
    emitter.sure.enter(node)
    end, failed, done, take = emitter.label(), emitter.label(), emitter.label(), emitter.label()
    emitter.add(Opcode.MAP if node.macro.startswith("to_") else Opcode.LIST, c=target)
    again = loop(emitter, node, end, failed)
    if node.test is not None:
        emitter.condition(node.test, take, again, failed)
    emitter.here(take)
    mark = emitter.depth
    item = emitter.variables[node.var] if node.body is None else emitter.value(node.body)
    if node.macro == "to_map":
        emitter.add(Opcode.PUT, target, emitter.variables[node.var], item, e=failed)
    else:
        op = Opcode.MERGE if node.macro == "to_entries" else Opcode.APPEND
        emitter.add(op, target, item, e=failed)
    emitter.depth = mark
    emitter.add(Opcode.JUMP, t=again)
    emitter.here(failed)
    emitter.add(Opcode.SET_ERROR, c=target, imm=ErrorCode.NO_SUCH_OVERLOAD)
    emitter.add(Opcode.JUMP, t=done)
    emitter.here(end)
    emitter.here(done)
