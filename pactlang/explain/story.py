"""What gave a clause its outcome: its traces, and the comparisons that decided.

In: a module, one of its clauses, the values of a record's slots.  Out: `Story`.

Of `a && b` that is false the first false operand decides; of one that is true all do; errors decide
only where no operand does.  What decides is followed down: into the turn of a loop, into the body of
`cel.bind`, and from an error value to the part that failed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pactlang import ir
from pactlang.evaluate import NOT_EVALUATED, Error, TraceNode, optional_field, trace, truth
from pactlang.opcodes import Outcome
from pactlang.values import Optional

# What the variables of `cel.bind`, `cel.block` and `optMap` stand for, by their numbers.
Bound = dict[int, TraceNode]


class Atom(NamedTuple):
    """A comparison or the like that decided.  spots: the turns of the loops around it, outermost first,
    each a loop and its turn.  bound: the variables that it can see."""

    at: TraceNode
    spots: tuple[tuple[TraceNode, TraceNode], ...]
    bound: Bound


class Story(NamedTuple):
    """A clause on one record: the traces of `applies when`, of `when` and of the promise (None if there
    is none, or it was not needed), what decided, and the outcome: None for a call outside the pact."""

    applies: TraceNode | None
    when: TraceNode | None
    promise: TraceNode | None
    deciding: tuple[Atom, ...]
    outcome: Outcome | None

    @property
    def word(self) -> str:
        """The outcome in a word."""
        return "outside" if self.outcome is None else self.outcome.name.lower()


def tell(module: ir.Module, clause: ir.Clause, row: Sequence[Any]) -> Story:
    """Judge a clause and keep every value on the way."""
    applies = scope(module, row)
    if applies is not None and _truth(applies) is not True:
        return Story(applies, None, None, *_shut(applies, None))
    when = None if clause.when is None else told(clause.when, row, module)
    if when is not None and _truth(when) is not True:
        return Story(applies, when, None, *_shut(when, Outcome.SKIPPED))
    promise = told(ir.condition(clause), row, module)
    outcome = Outcome.VIOLATED if _truth(promise) is clause.never else Outcome.SATISFIED
    if isinstance(_truth(promise), Error):
        outcome = Outcome.UNKNOWN
    return Story(applies, when, promise, decide(promise), outcome)


def outside(module: ir.Module, row: Sequence[Any]) -> Story:
    """Why a call is outside the pact."""
    applies = scope(module, row)
    return Story(applies, None, None, () if applies is None else decide(applies), None)


def scope(module: ir.Module, row: Sequence[Any]) -> TraceNode | None:
    """The trace of `applies when`; None where the pact is about every call."""
    return None if module.applies is None else told(module.applies, row, module)


def told(expr: ir.Expr, row: Sequence[Any], module: ir.Module) -> TraceNode:
    """The trace of an expression, in which `x.?field` is one part, as it is written."""
    root = trace(expr, row, module)
    for at in root.walk():
        if at.children and optional_field(at.node) is not None:
            asked = at.children[0]
            at.children = [child for child in asked.children if not isinstance(child.node, ir.Slot)]
    return root


def _truth(at: TraceNode) -> bool | Error:
    return truth(at.node, at.value)


def _shut(gate: TraceNode, shut: Outcome | None) -> tuple[tuple[Atom, ...], Outcome | None]:
    """What decided and the outcome, where a condition lets a clause not be asked."""
    return decide(gate), Outcome.UNKNOWN if isinstance(_truth(gate), Error) else shut


# What decided --------------------------------------------------------------------------------


def decide(root: TraceNode) -> tuple[Atom, ...]:
    """The comparisons (and the like) that gave a condition its value, or where its error came from."""
    found = {id(atom.at): atom for atom in _atoms(Atom(root, (), {}))}
    return tuple(found.values())


def _atoms(whole: Atom) -> Iterator[Atom]:
    at, spots, bound = whole
    if isinstance(at.value, Error) and isinstance(at.node, ir.Var) and at.node.index in bound:
        yield from _atoms(Atom(bound[at.node.index], spots, bound))
        return
    chosen = _chosen(at, bound)
    if not chosen:
        yield whole
    inside = with_variables(at, bound)
    for child in chosen:
        turn = ((at, child),) if child.item is not NOT_EVALUATED else ()
        yield from _atoms(Atom(child, spots + turn, inside))


def _chosen(at: TraceNode, bound: Bound) -> list[TraceNode]:
    """The parts that gave a part its value; none where it is the last to be named."""
    children = [child for child in at.children if child.value is not NOT_EVALUATED]
    if isinstance(at.value, Error):
        return _wrong(at, children, bound)
    match at.node:
        case ir.Logic():
            return _decisive(at, children)
        case ir.Not():
            return children
        case ir.Cond() if optional_field(at.node) is None:
            return children
        case ir.Comprehension(macro="all" | "exists"):
            return _turns(at, children)
        case ir.Bind():
            return children[-1:]
        case ir.OptionalMap() | ir.Call(function="orValue"):
            return _of_optional(at, children)
    return []


def _decisive(at: TraceNode, children: list[TraceNode]) -> list[TraceNode]:
    """The operands of `&&` or `||` that gave it its value."""
    stops = isinstance(at.node, ir.Logic) and at.value is (at.node.op == "||")
    return [child for child in children if child.value is at.value] if stops else children


def _turns(at: TraceNode, children: list[TraceNode]) -> list[TraceNode]:
    """The turn of a loop that stopped it; none where all turns together decided."""
    turns = [child for child in children if child.item is not NOT_EVALUATED]
    stops = isinstance(at.node, ir.Comprehension) and at.value is (at.node.macro == "exists")
    return turns[-1:] if stops else []


def _of_optional(at: TraceNode, children: list[TraceNode]) -> list[TraceNode]:
    """Of `x.optMap(v, test).orValue(y)` the test decides; where there is no x, that it is missing, and
    `y`, if it is more than a constant."""
    first, *rest = children
    if isinstance(at.node, ir.OptionalMap):
        return rest if isinstance(rest[0].value if rest else None, bool) else []
    if rest:
        return children if place_like(first.node) and not is_literal(rest[0].node) else []
    body = first.children[-1] if isinstance(first.node, ir.OptionalMap) else None
    return [first] if body is not None and isinstance(body.value, bool) else []


def _wrong(at: TraceNode, children: list[TraceNode], bound: Bound) -> list[TraceNode]:
    """The parts that brought an error value: it came out of one of them, or one is no condition."""
    if isinstance(at.node, ir.Logic):
        return [child for child in children if not isinstance(child.value, bool)]
    if isinstance(at.node, ir.Comprehension):
        tests = [child for child in children if child.node is at.node.test]
        wrong = [child for child in children if isinstance(child.value, Error)]
        return (wrong or [test for test in tests if not isinstance(test.value, bool)])[:1]
    if isinstance(at.node, ir.Bind):
        return children[-1:]
    brought = [c for c in children if c.value is at.value and not _is_turns(c, bound)]
    if not brought and isinstance(at.node, ir.Not | ir.Cond):
        return [child for child in children[:1] if not isinstance(child.value, bool | Error)]
    return brought[:1]


def _is_turns(at: TraceNode, bound: Bound) -> bool:
    """Whether it is the variable of a loop, whose value stands on the line of the turn."""
    return isinstance(at.node, ir.Var) and not _is_bound(at, bound)


def with_variables(at: TraceNode, bound: Bound) -> Bound:
    """The variables that the body of `cel.bind` or `optMap` can see."""
    match at.node:
        case ir.Bind(vars=numbers):
            return bound | dict(zip(numbers, at.children, strict=False))
        case ir.OptionalMap(var=number) if at.children:
            return bound | {number: at.children[0]}
    return bound


# What is read --------------------------------------------------------------------------------


class Read(NamedTuple):
    """A field that was read, and the variables that its path can begin with."""

    at: TraceNode
    bound: Bound


def reads(at: TraceNode, bound: Bound) -> Iterator[Read]:
    """The fields that an expression reads: whole paths, not their beginnings."""
    for part, known in visited(at, bound, into_fields=False):
        if place_like(part.node) and not isinstance(part.value, Error) and not _is_bound(part, known):
            yield Read(part, known)


def visited(at: TraceNode, bound: Bound, into_fields: bool = True) -> Iterator[tuple[TraceNode, Bound]]:
    """The parts that were evaluated, but for the turns of loops; where a variable is used, what it stands
    for, once."""
    open_, met = [(at, bound)], set[int]()
    while open_:
        part, known = open_.pop()
        if part.value is NOT_EVALUATED:
            continue
        yield part, known
        if isinstance(part.node, ir.Var) and part.node.index in known:
            holder = known[part.node.index]
            open_ += [(holder, known)] * (id(holder) not in met)
            met.add(id(holder))
        elif into_fields or not place_like(part.node) or isinstance(part.value, Error):
            inside = with_variables(part, known)
            open_ += [(child, inside) for child in reversed(_used(part))]


def _is_bound(at: TraceNode, bound: Bound) -> bool:
    return isinstance(at.node, ir.Var) and at.node.index in bound


def _used(at: TraceNode) -> list[TraceNode]:
    """The parts that gave a part its value; what a variable stands for counts where it is used."""
    children = [c for c in at.children if c.item is NOT_EVALUATED and c.value is not NOT_EVALUATED]
    if isinstance(at.node, ir.Bind) or (isinstance(at.node, ir.OptionalMap) and len(children) == 2):
        return children[-1:]
    return children


def place_like(node: ir.Expr) -> bool:
    """True for a field, a key, an element, an optional one of these, a variable."""
    match node:
        case ir.Call(function="_[_]" | "_?._" | "_[?_]", args=(operand, ir.Const())):
            return place_like(operand)
        case ir.Member() | ir.Key():
            return place_like(node.operand)
        case ir.Cond():
            return optional_field(node) is not None
    return isinstance(node, ir.Slot | ir.Var)


def is_literal(node: ir.Expr) -> bool:
    """True for a constant, and for a list or a map of constants."""
    match node:
        case ir.ListOf():
            return all(map(is_literal, node.items))
        case ir.MapOf():
            return all(is_literal(part) for entry in node.entries for part in entry)
    return isinstance(node, ir.Const)


def subject(at: TraceNode) -> tuple[TraceNode, bool]:
    """The part whose value this is, looked for through `or`, `orValue` and `value`, and whether it is
    missing, so that another value stands in its place."""
    node = at.node
    if isinstance(node, ir.Call) and node.function in ("or", "orValue", "value") and at.children:
        first = at.children[0]
        if isinstance(first.value, Optional):
            if not first.value.present and node.function == "or" and isinstance(at.value, Optional):
                return subject(at.children[1]) if at.value.present else (at, False)
            found, missing = subject(first)
            return found, missing or not first.value.present
    return at, False
