"""The meaning of every expression: a walk over the typed tree with plain Python values.

In: an `ir` expression, the values of the record's slots, the module.  Out: a CEL value, or an
`Error` value that says what went wrong and where.

One walk serves two readers: the tests, which hold the machine to it, and `explain`, which asks it to
keep the value of every sub-expression (`trace`).  Operands that decide nothing are not evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from msgspec.structs import replace

from pactlang import ir
from pactlang.evaluate.calls import Failure, apply, brief, key_in, shown
from pactlang.evaluate.held import known, member, unreadable
from pactlang.evaluate.loops import MAX_TURNS, Loops
from pactlang.evaluate.traces import NOT_EVALUATED, Error, TraceNode, no, place, truth
from pactlang.opcodes import Outcome
from pactlang.schema import VARIABLES
from pactlang.text import compile_re2, find, find_phrase, phrase_pattern
from pactlang.values import NONE, NULL_BASE, CelType, Duration, Optional, Timestamp, UInt, map_key, some

# CEL's names of the types that the schema calls otherwise.
TYPES = {
    "null": "null_type",
    "timestamp": "google.protobuf.Timestamp",
    "duration": "google.protobuf.Duration",
}


def evaluate(
    expr: ir.Expr,
    row: Sequence[Any],
    module: ir.Module,
    vars: dict[int, Any] | None = None,
    turns: int = MAX_TURNS,
) -> Any:
    """The value of an expression, or an `Error`.  row: the values of `module.schema.slots`; turns: of all
    loops together, at most."""
    walk = _Walk(row, module, vars)
    walk.most = turns
    return walk.value(expr)


def trace(
    expr: ir.Expr, row: Sequence[Any], module: ir.Module, vars: dict[int, Any] | None = None
) -> TraceNode:
    """The same, with the value of every sub-expression; what was not needed is NOT_EVALUATED."""
    walk = _Walk(row, module, vars)
    root = walk.open = TraceNode(expr)
    root.value = walk.value(expr)
    _complete(root)
    return root


# Functions that read what a record, list or map holds.
LOOKUPS = frozenset({"_[_]", "_?._", "_[?_]", "first", "last"})


class Judgement(NamedTuple):
    """What a clause says of a call: an `Outcome`, and why if it is UNKNOWN."""

    outcome: Outcome
    reason: str = ""


def judge(clause: ir.Clause, row: Sequence[Any], module: ir.Module) -> Judgement:
    """The outcome of a clause whose pact is about this call."""
    if clause.when is not None:
        admitted = truth(clause.when, evaluate(clause.when, row, module))
        if isinstance(admitted, Error):
            return Judgement(Outcome.UNKNOWN, admitted.message)
        if not admitted:
            return Judgement(Outcome.SKIPPED)
    promise = ir.condition(clause)
    holds = truth(promise, evaluate(promise, row, module))
    if isinstance(holds, Error):
        return Judgement(Outcome.UNKNOWN, holds.message)
    return Judgement(Outcome.VIOLATED if holds == clause.never else Outcome.SATISFIED)


def admits(module: ir.Module, row: Sequence[Any]) -> bool | Error:
    """Whether the pact is about this call; an error makes every clause unknown."""
    if module.applies is None:
        return True
    return truth(module.applies, evaluate(module.applies, row, module))


def _complete(at: TraceNode) -> None:
    """Put the parts that were never evaluated where they belong."""
    if not isinstance(at.node, ir.Comprehension | ir.Has):
        at.children = list(_in_order(at.children, ir.parts(at.node)))
    for child in at.children:
        if child.value is not NOT_EVALUATED:
            _complete(child)


def _in_order(done: list[TraceNode], written: Sequence[ir.Expr]) -> Iterator[TraceNode]:
    """The parts as they are written; a `let` that stands twice is one node, evaluated once or twice."""
    waiting = iter(done)
    child = next(waiting, None)
    for part in written:
        if child is not None and child.node is part:
            yield child
            child = next(waiting, None)
        else:
            yield TraceNode(part)


@lru_cache(maxsize=1024)
def _matcher(source: str) -> Any:
    return compile_re2(source)


@lru_cache(maxsize=1024)
def _phrase_matcher(phrases: tuple[str, ...]) -> Any:
    return compile_re2(phrase_pattern(phrases), groups=True)


def matched(node: ir.Matches | ir.Says, text: str, module: ir.Module) -> tuple[int, int] | None:
    """Where a pattern or a phrase stands in a text, in characters."""
    if isinstance(node, ir.Says):
        return find_phrase(_phrase_matcher(module.phrases[node.phrases].phrases), text)
    pattern = module.patterns[node.pattern]
    return find(_matcher(pattern.source), text, pattern.check)


def constant(node: ir.Const) -> Any:
    """The CEL value of a constant."""
    kind, value = node.type.kind, node.value
    match kind:
        case "uint":
            return UInt(value)
        case "double":
            return float(value)
        case "timestamp":
            return Timestamp(*value)
        case "duration":
            return Duration(*value)
        case "type":
            return CelType(TYPES.get(value, value))
    return value


class _Walk(Loops):
    """One evaluation: the record's values, the variables, and the trace if one is asked for.

    host: the values are Python's own, of an expression without a record, where a NaN is a value.
    """

    def __init__(self, row: Sequence[Any], module: ir.Module, vars: dict[int, Any] | None) -> None:
        self.row = row
        self.module = module
        self.vars = dict(vars or {})
        self.host = module.schema.root == VARIABLES
        self.open: TraceNode | None = None
        self.turns = 0
        self.most = MAX_TURNS

    def value(self, node: ir.Expr) -> Any:
        """The value of the expression at which the trace is open."""
        try:
            return self._compute(node)
        except Failure as failure:
            return Error(failure.code, failure.message, node.span)
        except RecursionError:
            return Error("limit", "this is nested too deep", node.span)

    def at(self, node: ir.Expr) -> Any:
        """The value of a part, kept in the trace."""
        above = self.open
        if above is None:
            return self.value(node)
        here = self.open = TraceNode(node)
        above.children.append(here)
        here.value = self.value(node)
        self.open = above
        return here.value

    def _compute(self, node: ir.Expr) -> Any:
        match node:
            case ir.Const():
                return constant(node)
            case ir.Slot() | ir.Var() | ir.Member() | ir.Key():
                return self._read(node)
            case ir.Call():
                return self._call(node)
            case ir.Logic():
                return self._logic(node)
            case ir.Has():
                return self._has(node.operand)
            case ir.Not():
                value = truth(node.operand, self.at(node.operand))
                return value if isinstance(value, Error) else not value
            case ir.Cond():
                test = truth(node.test, self.at(node.test))
                return test if isinstance(test, Error) else self.at(node.yes if test else node.no)
            case ir.Matches() | ir.Says():
                return self._search(node)
            case ir.Comprehension():
                return self.comprehension(node)
            case ir.Bind():
                return self._bind(node)
            case ir.OptionalMap():
                return self._optional_map(node)
            case ir.ListOf():
                return self._list(node)
            case ir.MapOf():
                return self._map(node)
            case ir.Operator():  # a monitor has found it, and put it behind the slots
                return self.row[len(self.module.schema.slots) + node.number]
        raise Failure("no-such-overload", "a figure over many calls has no value on one")

    # Reading -----------------------------------------------------------------------------------

    def _read(self, node: ir.Slot | ir.Var | ir.Member | ir.Key) -> Any:
        match node:
            case ir.Slot():
                value = self.row[node.slot]
                if isinstance(value, Error):
                    return replace(value, span=node.span)
            case ir.Var():
                value = self.vars[node.index]
            case ir.Member():
                value = self._member(node)
            case ir.Key():
                value = self._key(node)
        if value is NULL_BASE:
            base = place(node, self.module).rpartition(".")[0]
            raise Failure("null-operand", f"`{base}` is null" if base else "its record is null")
        return self._readable(node, value)

    def _readable(self, node: ir.Expr, value: Any) -> Any:
        why = "" if isinstance(value, Error) else unreadable(value, self.host)
        if why:
            where = place(node, self.module)
            raise Failure("bad-number", f"{f'`{where}`' if where else 'this'} {why}")
        return value

    def _member(self, node: ir.Member) -> Any:
        holder = self.at(node.operand)
        if isinstance(holder, Error):
            return holder
        if holder is None:
            raise Failure("null-operand", f"`{place(node.operand, self.module)}` is null")
        try:
            return member(self.module.schema, node.operand.type.name, holder, node.field)
        except ValueError as error:
            raise Failure("bad-conversion", str(error)) from None

    def _key(self, node: ir.Key) -> Any:
        holder = self.at(node.operand)
        if isinstance(holder, Error):
            return holder
        where = place(node.operand, self.module)
        if isinstance(holder, Optional):
            found = apply("_?._", [holder, node.key])
            self._readable(node, found.value)
            return found
        if not isinstance(holder, dict):
            code = "null-operand" if holder is None else "no-such-overload"
            raise Failure(code, f"no key `{node.key}`: `{where or 'this'}` is {no(holder)}")
        if node.key not in holder:
            raise Failure("no-such-key", f"no such key `{node.key}`" + (f" in `{where}`" if where else ""))
        return holder[node.key]

    def _has(self, node: ir.Slot | ir.Member | ir.Key) -> Any:
        if isinstance(node, ir.Slot):
            value = self.row[node.slot]
            if isinstance(value, Error):
                return replace(value, span=node.span)
            self._note(node, value)
            return value is not None and value is not NULL_BASE
        holder = self.at(node.operand)
        if isinstance(holder, Error):
            return holder
        if isinstance(node, ir.Key):
            if isinstance(holder, Optional):
                if not holder.present:
                    return False
                holder = holder.value
            if not isinstance(holder, dict):
                code = "null-operand" if holder is None else "no-such-overload"
                where = place(node.operand, self.module) or "this"
                raise Failure(code, f"`has` needs a map, `{where}` is {no(holder)}")
            return node.key in holder
        return (
            holder is not None
            and member(self.module.schema, node.operand.type.name, holder, node.field) is not None
        )

    def _note(self, node: ir.Expr, value: Any) -> None:
        if self.open is not None:
            self.open.children.append(TraceNode(node, None if value is NULL_BASE else value))

    # Functions ---------------------------------------------------------------------------------

    def _all(self, nodes: Sequence[ir.Expr]) -> Any:
        """The values of all parts, or the first error among them."""
        values = [self.at(node) for node in nodes]
        return next((value for value in values if isinstance(value, Error)), values)

    def _call(self, node: ir.Call) -> Any:
        if node.function in ("or", "orValue") and len(node.args) == 2:
            return self._or_else(node)
        values = self._all(node.args)
        if isinstance(values, Error):
            return values
        if node.function in ("_==_", "_!=_", "@in"):
            pairs = zip(node.args, values, strict=True)
            values = [known(self.module.schema, arg.type, value) for arg, value in pairs]
        if node.function in ("_?._", "_[?_]") and values[0] is None:
            return NONE  # what is absent has nothing
        if node.function == "_[_]" and isinstance(values[0], dict):
            return self._readable(node, self._indexed(node, *values))
        result = self._applied(node, values)
        if node.function not in LOOKUPS:
            return result
        self._readable(node, result.value if isinstance(result, Optional) else result)
        return result

    def _applied(self, node: ir.Call, values: list[Any]) -> Any:
        try:
            return apply(node.function, values, self.host)
        except Failure as failure:
            nulls = (place(arg, self.module) for arg, v in zip(node.args, values, strict=True) if v is None)
            where = next(nulls, "") if failure.code == "null-operand" else ""
            if not where:
                raise
            message = f"`{where}` is null, and {shown(node.function)} cannot be used on null"
            raise Failure(failure.code, message) from None

    def _indexed(self, node: ir.Call, source: dict[Any, Any], key: Any) -> Any:
        try:
            return key_in(source, key)
        except Failure as failure:
            where = place(node.args[0], self.module)
            raise Failure(failure.code, failure.message + (f" in `{where}`" if where else "")) from None

    def _search(self, node: ir.Matches | ir.Says) -> Any:
        text = self.at(node.operand)
        if isinstance(text, Error):
            return text
        if not isinstance(text, str):
            code = "null-operand" if text is None else "no-such-overload"
            word = shown("matches" if isinstance(node, ir.Matches) else "says")
            where = place(node.operand, self.module) or "this"
            raise Failure(code, f"{word} needs a text, `{where}` is {no(text)}")
        found = matched(node, text, self.module)
        if self.open is not None:
            self.open.found = found
        return found is not None

    def _or_else(self, node: ir.Call) -> Any:
        first = self.at(node.args[0])
        if isinstance(first, Error):
            return first
        if not isinstance(first, Optional):
            message = f"{shown(node.function)} is asked of an optional, not {no(first)}"
            raise Failure("no-such-overload", message)
        if first.present:
            return first if node.function == "or" else self._readable(node, first.value)
        other = self.at(node.args[1])
        if isinstance(other, Error | Optional) or node.function == "orValue":
            return other
        raise Failure("no-such-overload", f"`or` takes an optional, not {no(other)}")

    # Literals and variables ----------------------------------------------------------------------

    def _list(self, node: ir.ListOf) -> Any:
        values = self._all(node.items)
        if isinstance(values, Error) or not node.optional:
            return values
        marked = [self._marked(v, i in node.optional) for i, v in enumerate(values)]
        return [optional.value for optional in marked if optional.present]

    def _marked(self, value: Any, optional: bool) -> Optional:
        """What stands in a literal: a value, or, behind a `?`, an optional."""
        if optional and not isinstance(value, Optional):
            raise Failure("no-such-overload", f"an optional stands behind `?`, not {no(value)}")
        return value if optional else some(value)

    def _map(self, node: ir.MapOf) -> Any:
        made: dict[Any, Any] = {}
        for number, entry in enumerate(node.entries):
            pair = self._all(entry)
            if isinstance(pair, Error):
                return pair
            held = self._marked(pair[1], number in node.optional)
            key = map_key(pair[0]) if not isinstance(pair[0], float) else None
            if not held.present:
                continue
            if key is None:
                raise Failure("no-such-overload", "a map's key is a string, a bool or a whole number")
            if key in made:
                raise Failure("duplicate-key", f"the key `{brief(pair[0])}` comes twice")
            made[key] = held.value
        return made

    def _bind(self, node: ir.Bind) -> Any:
        """The body with its variables; an error value harms where its variable is used."""
        for var, init in zip(node.vars, node.inits, strict=True):
            self.vars[var] = self.at(init)
        return self.at(node.body)

    def _optional_map(self, node: ir.OptionalMap) -> Any:
        operand = self.at(node.operand)
        if isinstance(operand, Error):
            return operand
        if not isinstance(operand, Optional):
            raise Failure("no-such-overload", f"`optMap` is asked of an optional, not {no(operand)}")
        if not operand.present:
            return operand
        self.vars[node.var] = self._readable(node, operand.value)
        body = self.at(node.body)
        if isinstance(body, Error):
            return body
        if node.flat and not isinstance(body, Optional):
            raise Failure("no-such-overload", f"`optFlatMap` needs an optional, this is {no(body)}")
        return body if node.flat else some(body)

    # Logic ---------------------------------------------------------------------------

    def _logic(self, node: ir.Logic) -> Any:
        """One deciding operand decides, whatever errors stand beside it."""
        decides = node.op == "||"
        error: Error | None = None
        for operand in node.operands:
            value = truth(operand, self.at(operand))
            if value is decides:
                return decides
            if isinstance(value, Error):
                error = error or value
        return error if error is not None else not decides
