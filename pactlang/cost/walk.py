"""The walk that adds up: of every node what it takes, and how large its value can be.

In: `ir.Expr`.  Out: `Work` and `Extent`.  Both operands of `&&` and `||` count, and of `?:` the larger
branch: that is the worst case, whatever the call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import NamedTuple

from pactlang import ir
from pactlang.cost import calls
from pactlang.cost.extent import SCALAR, Extent, Sizes, any_of, constant, either, list_of, map_of
from pactlang.cost.formula import NONE, ONE, Formula, most, number, total


class Text(NamedTuple):
    """A text that is searched: a field as written, or where no field is, what makes it.

    folded: for phrases.  shared: a field of the record, which all clauses search in one pass.
    """

    name: str
    folded: bool
    shared: bool


class Work(NamedTuple):
    """What something takes: steps; of these what the machine counts itself; passes over each text."""

    steps: Formula
    counted: Formula
    passes: Mapping[Text, Formula]

    def __add__(self, other: Work) -> Work:  # type: ignore[override]
        passes = self.passes
        if other.passes:
            passes = {**passes}
            for text, count in other.passes.items():
                passes[text] = ONE if text.shared else passes.get(text, NONE) + count
        return Work(self.steps + other.steps, self.counted + other.counted, passes)

    def times(self, turns: Formula) -> Work:
        """The same in each of so many turns; a field of the record is still searched once."""
        passes = {text: count if text.shared else count * turns for text, count in self.passes.items()}
        return Work(self.steps * turns, self.counted * turns, passes)

    def charged(self, charge: Formula) -> Work:
        """And work inside one operation, which the machine counts."""
        return Work(self.steps + charge, self.counted + charge, self.passes) if charge.terms else self


NOTHING = Work(NONE, NONE, {})
OPERATION = Work(ONE, NONE, {})
Found = tuple[Work, Extent]


def all_of(works: Iterable[Work]) -> Work:
    """One after the other."""
    return reduce(Work.__add__, works, NOTHING)


def larger(a: Work, b: Work) -> Work:
    """Either: of each figure the larger."""
    texts = {**a.passes, **b.passes}
    passes = {text: most(a.passes.get(text, NONE), b.passes.get(text, NONE)) for text in texts}
    return Work(most(a.steps, b.steps), most(a.counted, b.counted), passes)


class Walk:
    """Adds up expressions of one pact."""

    def __init__(self, module: ir.Module, sizes: Sizes) -> None:
        self.module, self.sizes = module, sizes
        self.slots = [sizes.of(slot.type, slot.path) for slot in module.schema.slots]
        self.variables: dict[int, Extent] = {}
        self.names: dict[int, str] = {}  # of a variable: the field whose elements it takes

    def clause(self, *conditions: ir.Expr | None) -> Work:
        """A clause, or `applies when`: a step for what it says, and its conditions."""
        self.variables.clear()
        self.names.clear()
        return OPERATION + all_of(self.node(each)[0] for each in conditions if each is not None)

    def node(self, node: ir.Expr) -> Found:
        """What an expression takes, and its value's extent."""
        match node:
            case ir.Const():
                return NOTHING, constant(node.value)
            case ir.Slot():
                return NOTHING, self.slots[node.slot]
            case ir.Var():
                return NOTHING, self.variables[node.index]
            case ir.Member():
                work, record = self.node(node.operand)
                return OPERATION + work, record.field(node.field)
            case ir.Key():
                work, source = self.node(node.operand)
                return OPERATION + work, source.each
            case ir.Has():
                inner = NOTHING if isinstance(node.operand, ir.Slot) else self.node(node.operand.operand)[0]
                return OPERATION + inner, SCALAR
            case ir.Call():
                return self.call(node)
            case ir.Logic():
                joints = number(len(node.operands) - 1)
                return Work(joints, NONE, {}) + all_of(self.node(each)[0] for each in node.operands), SCALAR
            case ir.Not():
                return OPERATION + self.node(node.operand)[0], SCALAR
            case ir.Cond():
                (test, _), (yes, a), (no, b) = map(self.node, (node.test, node.yes, node.no))
                return OPERATION + test + larger(yes, no), either(a, b)
            case ir.ListOf() | ir.MapOf():
                return self.literal(node)
            case ir.Comprehension():
                return self.loop(node)
            case ir.Bind():
                works = []
                for var, init in zip(node.vars, node.inits, strict=True):
                    work, self.variables[var] = self.node(init)
                    works.append(OPERATION + work)
                body, result = self.node(node.body)
                return all_of(works) + body, result
            case ir.OptionalMap():
                work, self.variables[node.var] = self.node(node.operand)
                body, result = self.node(node.body)
                return OPERATION + work + body, result
            case ir.Operator() | ir.Aggregate():
                return OPERATION + all_of(self.node(each)[0] for each in ir.parts(node)), SCALAR
            case ir.Matches():
                return self.search(node.operand, folded=False), SCALAR
            case ir.Says():
                return self.search(node.operand, folded=True), SCALAR

    # Operations --------------------------------------------------------------------------------

    def call(self, node: ir.Call) -> Found:
        if (text := ir.sought(node)) is not None and text[1] == "literal":
            return self.search(text[0], folded=False), SCALAR
        texts = constant_texts(node.args[1]) if node.function == "@in" else ()
        if texts:  # a set: its texts are compared with those of their length
            compared = number(sum(len(text) // calls.COMPARED for text in texts))
            return (OPERATION + self.node(node.args[0])[0]).charged(compared), SCALAR
        works, args = self.nodes(node.args)
        charge, result = calls.call(node.function, args, node.args)
        if node.function == "matches":
            works += Work(NONE, NONE, {self.text(node.args[0], False): ONE})
        return (OPERATION + works).charged(charge), result

    def nodes(self, nodes: Iterable[ir.Expr]) -> tuple[Work, list[Extent]]:
        """What expressions take together, and the extents of their values."""
        found = [self.node(node) for node in nodes]
        return all_of(work for work, _ in found), [extent for _, extent in found]

    def literal(self, node: ir.ListOf | ir.MapOf) -> Found:
        """A list or a map: a step for itself and for each element."""
        if isinstance(node, ir.ListOf):
            work, items = self.nodes(node.items)
            result = list_of(number(len(items)), any_of(items), total([each.weight for each in items]))
        else:
            keys, names = self.nodes(key for key, _ in node.entries)
            values, items = self.nodes(value for _, value in node.entries)
            work, result = keys + values, map_of(number(len(items)), any_of(names), any_of(items))
        return (OPERATION + work).charged(number(len(items))), result

    def search(self, operand: ir.Expr, folded: bool) -> Work:
        """A pattern, phrases or a constant text: together with all others of a field of the record;
        in any other text by itself."""
        work, extent = self.node(operand)
        text = self.text(operand, folded)
        found = OPERATION + work + Work(NONE, NONE, {text: ONE})
        return found if text.shared else found.charged(calls.searched(extent.chars))

    def text(self, node: ir.Expr, folded: bool) -> Text:
        """The text that is searched, by the name of its field."""
        shared = isinstance(node, ir.Slot) and node.type.kind == "string"
        return Text(self.named(node) or "a computed text", folded, shared)

    def named(self, node: ir.Expr) -> str:
        """The path of a field, also of a list's elements; "" for anything else."""
        match node:
            case ir.Slot():
                return self.module.schema.slots[node.slot].name
            case ir.Var():
                return self.names.get(node.index, "")
            case ir.Member(operand=operand, field=name) | ir.Key(operand=operand, key=name):
                outer = self.named(operand)
                return f"{outer}.{name}" if outer else ""
        return ""

    # Loops -------------------------------------------------------------------------------------

    def loop(self, node: ir.Comprehension) -> Found:
        """A step for itself, one for each turn, and what a turn does; a loop that is a search is one."""
        if (text := ir.sought(node)) is not None:
            if text[1] == "literal":
                return self.search(text[0], folded=False), SCALAR
            return OPERATION.charged(number(sum(len(each) // calls.SOUGHT for each in text[2]))), SCALAR
        work, source = self.node(node.source)
        self.enter(node, source)
        works, results = self.nodes(part for part in (node.test, node.body) if part is not None)
        made = results[-1] if node.body is not None else SCALAR
        turn = (works + self.keeps(node)).charged(ONE)
        if node.macro == "to_map":
            turn = turn.charged(ONE)
        elif node.macro == "to_entries":
            turn = turn.charged(made.items)
        charge = ONE if node.source.type.kind == "list" else ONE + source.items.per(8)
        return work.charged(charge) + turn.times(source.items), self.gathered(node, source, made)

    def enter(self, node: ir.Comprehension, source: Extent) -> None:
        """The variables of a loop: over a list its elements, over a map its keys; of two the first is
        an index or a key."""
        kind = node.source.type.kind
        first = {"list": source.each, "map": source.keys}.get(kind, either(source.each, source.keys))
        if node.second >= 0:
            first = SCALAR if kind == "list" else source.keys
            self.variables[node.second], self.names[node.second] = source.each, self.named(node.source)
        elif kind == "list":
            self.names[node.var] = self.named(node.source)
        self.variables[node.var] = first

    def keeps(self, node: ir.Comprehension) -> Work:
        """Steps of a turn for a second variable, and to keep what it gives."""
        kept = node.macro not in ("all", "exists")
        return Work(number((node.second >= 0) + kept), NONE, {})

    def gathered(self, node: ir.Comprehension, source: Extent, made: Extent) -> Extent:
        """What the loop makes."""
        match node.macro:
            case "filter":
                return list_of(source.items, self.variables[node.var])
            case "map":
                return list_of(source.items, made)
            case "to_map":
                return map_of(source.items, self.variables[node.var], made)
            case "to_entries":
                return map_of(source.items * made.items, made.keys, made.each)
        return SCALAR


def is_text(node: ir.Expr) -> bool:
    """True for a constant text."""
    return isinstance(node, ir.Const) and isinstance(node.value, str) and node.type.kind == "string"


def constant_texts(node: ir.Expr) -> tuple[str, ...]:
    """The texts of a constant list of nothing else."""
    if isinstance(node, ir.Const) and isinstance(node.value, list):
        values = node.value
    elif isinstance(node, ir.ListOf) and not node.optional and all(map(is_text, node.items)):
        values = [item.value for item in node.items if isinstance(item, ir.Const)]
    else:
        return ()
    return tuple(values) if all(isinstance(value, str) for value in values) else ()
