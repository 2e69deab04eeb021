"""What a pact reads of a record: slots, and the fields that are decoded.

In: paths met while expressions are checked, then the finished expressions.  Out: `Schema.slots` in
order of first use, and `Schema.reads`.  A record that is used as a value (compared, put into a list)
reads all its fields; one that is only passed through does not.
"""

from __future__ import annotations

from collections.abc import Iterable

from pactlang import ir
from pactlang.check.shapes import IDENTITY, records_in
from pactlang.schema import DYN, Field, Record, Schema, Slot, Type

# Functions that look at their first argument from outside: a list's length, a value's type.
OUTSIDE = frozenset({"size", "type"})


class Slots:
    """The slots of a pact, numbered as they are met."""

    def __init__(self, root: str, records: Iterable[Record]) -> None:
        self.root = root
        self.fields = {record.name: {f.name: f for f in record.fields} for record in records}
        self.slots: list[Slot] = []
        self.index: dict[tuple[str, ...], int] = {}

    def record(self) -> int:
        """The slot of the record itself."""
        return self._slot((), Type("record", name=self.root), -1)

    def field(self, base: int, name: str, type: Type) -> int:
        """The slot of field `name` of the record in slot `base` (-1: the pact's record)."""
        path = self.slots[base].path if base >= 0 else ()
        return self._slot((*path, name), type, base if path else -1)

    def declare(self, name: str) -> None:
        """A field that nobody has declared: a variable that is known only when an expression runs."""
        self.fields[self.root].setdefault(name, Field(name, DYN))

    def _slot(self, path: tuple[str, ...], type: Type, base: int) -> int:
        if path not in self.index:
            self.index[path] = len(self.slots)
            self.slots.append(Slot(path, type, base))
        return self.index[path]

    def forget(self, count: int) -> None:
        """Drop the slots from number `count` on: what used them is not part of the program."""
        for slot in self.slots[count:]:
            del self.index[slot.path]
        del self.slots[count:]


def schema_of(slots: Slots, records: tuple[Record, ...], used: Iterable[ir.Expr]) -> Schema:
    """The schema of a pact whose expressions are `used`."""
    reads = _Reads(slots)
    reads.fields[slots.root].update(name for name in IDENTITY if name in slots.fields[slots.root])
    for expr in used:
        reads.walk(expr, True)
    # In the order of the declaration, so that the order of clauses does not change what is decoded.
    ordered = {r.name: tuple(f.name for f in r.fields if f.name in reads.fields[r.name]) for r in records}
    return Schema(slots.root, records, tuple(slots.slots), ordered)


class _Reads:
    def __init__(self, slots: Slots) -> None:
        self.slots = slots
        self.fields: dict[str, set[str]] = {name: set() for name in slots.fields}
        self.whole: set[str] = set()
        self.seen: set[tuple[int, bool]] = set()

    def walk(self, node: ir.Expr | None, whole: bool) -> None:
        """Note what `node` reads; `whole`: its value is looked at, fields and all."""
        # Expressions of a `let` are shared, so each is walked once for each way it is used.
        if node is None or (id(node), whole) in self.seen:
            return
        self.seen.add((id(node), whole))
        if whole:
            self._deep(node.type)
        match node:
            case ir.Slot(slot=slot):
                self._path(slot)
            case ir.Member(operand=operand, field=field):
                self.fields[operand.type.name].add(field)
                self.walk(operand, False)
            case ir.Has(operand=operand):
                self.walk(operand, False)
            case ir.Comprehension():
                self._comprehension(node, whole)
            case ir.Call():
                self._call(node, whole)
            case _:
                self._parts(node, whole)

    def _comprehension(self, node: ir.Comprehension, whole: bool) -> None:
        self.walk(node.source, whole and node.macro == "filter")
        self.walk(node.test, True)
        self.walk(node.body, whole)

    def _call(self, node: ir.Call, whole: bool) -> None:
        outside = node.function in OUTSIDE or any(_null(arg) for arg in node.args)
        for at, arg in enumerate(node.args):
            self.walk(arg, whole if node.function == "_[_]" and at == 0 else not outside)

    def _parts(self, node: ir.Expr, whole: bool) -> None:
        match node:
            case ir.Logic(operands=parts):
                self._all(parts, True)
            case ir.ListOf(items=parts):
                self._all(parts, whole)
            case ir.MapOf(entries=entries):
                self._all((key for key, _ in entries), True)
                self._all((value for _, value in entries), whole)
            case ir.Cond(test=test, yes=yes, no=no):
                self.walk(test, True)
                self._all((yes, no), whole)
            case ir.Key(operand=operand):
                self.walk(operand, whole)
            case ir.Bind(inits=inits, body=body):
                self._all(inits, True)
                self.walk(body, whole)
            case ir.OptionalMap(operand=operand, body=body):
                self.walk(operand, True)
                self.walk(body, whole)
            case ir.Operator() | ir.Aggregate():
                self._all(ir.parts(node), True)
            case ir.Not(operand=operand) | ir.Matches(operand=operand) | ir.Says(operand=operand):
                self.walk(operand, True)

    def _all(self, parts: Iterable[ir.Expr], whole: bool) -> None:
        for part in parts:
            self.walk(part, whole)

    def _path(self, index: int) -> None:
        name = self.slots.root
        for step in self.slots.slots[index].path:
            self.fields[name].add(step)
            name = self.slots.fields[name][step].type.name or name

    def _deep(self, type: Type) -> None:
        for name in records_in(type):
            if name not in self.whole:
                self.whole.add(name)
                self.fields[name].update(self.slots.fields[name])
                for field in self.slots.fields[name].values():
                    self._deep(field.type)


def _null(node: ir.Expr) -> bool:
    return isinstance(node, ir.Const) and node.type.kind == "null"
