"""Compute once, when a pact is compiled, what is the same on every call.

In: a typed expression.  Out: the same expression with its constant parts as constants: `60 * 1000`,
`duration("5m")`, `[1, 2, 3]`.  The typed tree that reports walk is left as it was written.

A part that is an error value stays as it is, so that it is one when it runs; so does whatever could
grow (`MAX_FOLDED`), and whatever costs a loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from pactlang import ir
from pactlang.evaluate import Error, evaluate
from pactlang.functions import CALENDAR, CLOCK, CONVERSIONS, OPERATORS
from pactlang.schema import Type
from pactlang.values import BoolKey, CelType, Duration, Timestamp, UInt

MAX_FOLDED = 10_000  # characters, bytes or elements of one constant

# Functions whose results are about as large as their arguments.
FOLDED = frozenset(
    (*OPERATORS.values(), *CONVERSIONS, *CALENDAR, *CLOCK, "size", "contains", "startsWith", "endsWith")
    + ("type", "hour", "bucket", "lowerAscii", "upperAscii", "trim", "substring", "charAt", "indexOf")
    + tuple(f"math.{name}" for name in "greatest least ceil floor round trunc abs sign sqrt".split())
)


def fold_module(module: ir.Module) -> ir.Module:
    """A pact whose conditions are folded."""
    folding = Folding(module)
    clauses = tuple(
        replace(c, when=c.when and folding.fold(c.when), promise=folding.promise(c.promise))
        for c in module.clauses
    )
    applies = module.applies and folding.fold(module.applies)
    return replace(module, clauses=clauses, applies=applies)


def fold(expr: ir.Expr, module: ir.Module) -> ir.Expr:
    """One expression, folded."""
    return Folding(module).fold(expr)


class Folding:
    """Folds expressions of one module; a tree that stands in many places is folded once."""

    def __init__(self, module: ir.Module) -> None:
        self.module = module
        self.done: dict[int, tuple[ir.Expr, ir.Expr]] = {}  # by identity; the key is kept alive

    def promise(self, promise: ir.Promise) -> ir.Promise:
        """A promise with its expressions folded."""
        if isinstance(promise, ir.Remembering):
            return mapped(promise, self.fold)
        return self.fold(promise)

    def fold(self, node: ir.Expr) -> ir.Expr:
        """The node with its constant parts as constants."""
        if id(node) not in self.done:
            self.done[id(node)] = (node, self._folded(node))
        return self.done[id(node)][1]

    def _folded(self, node: ir.Expr) -> ir.Expr:
        made = self._with_parts(node)
        if not _computable(made):
            return made
        value = evaluate(made, (), self.module)
        return made if isinstance(value, Error) or not fits(value) else constant(made, value)

    def _with_parts(self, node: ir.Expr) -> ir.Expr:
        fold = self.fold
        match node:
            case ir.Const() | ir.Slot() | ir.Var():
                return node
            case ir.Call(args=args):
                return _changed(node, args=tuple(map(fold, args)))
            case ir.Logic(operands=operands):
                return _changed(node, operands=tuple(map(fold, operands)))
            case ir.Cond(test=test, yes=yes, no=no):
                return _changed(node, test=fold(test), yes=fold(yes), no=fold(no))
            case ir.ListOf(items=items):
                return _changed(node, items=tuple(map(fold, items)))
            case ir.MapOf(entries=entries):
                return _changed(node, entries=tuple((fold(k), fold(v)) for k, v in entries))
            case ir.Comprehension(source=source, test=test, body=body):
                folded = {"test": test and fold(test), "body": body and fold(body)}
                return _changed(node, source=fold(source), **folded)
            case ir.Bind(inits=inits, body=body):
                return _changed(node, inits=tuple(map(fold, inits)), body=fold(body))
            case ir.OptionalMap(operand=operand, body=body):
                return _changed(node, operand=fold(operand), body=fold(body))
            case ir.Has():
                return node
            case ir.Operator(operands=operands):
                return _changed(node, operands=tuple(map(fold, operands)))
            case ir.Aggregate(value=value, where=where):
                return _changed(node, value=value and fold(value), where=where and fold(where))
        return _changed(node, operand=fold(node.operand))


def mapped(promise: ir.Remembering, change: Callable[[ir.Expr], ir.Expr]) -> ir.Remembering:
    """A promise about many calls with each of its expressions changed."""

    def named(event: ir.Event) -> ir.Event:
        return replace(event, condition=change(event.condition))

    if isinstance(promise, ir.Keep):
        return replace(promise, comparison=change(promise.comparison), keys=tuple(map(change, promise.keys)))
    if isinstance(promise, ir.Watch):
        value = None if promise.value is None else change(promise.value)
        return replace(promise, value=value, keys=tuple(map(change, promise.keys)))
    made = replace(promise, event=named(promise.event), same=tuple(map(change, promise.same)))
    match made:
        case ir.OnlyAfter():
            return replace(made, after=named(made.after))
        case ir.NeverAfter():
            return replace(made, after=named(made.after), until=made.until and named(made.until))
        case ir.Expect():
            return replace(made, expected=named(made.expected))
        case ir.OnlyFrom():
            sources = tuple((named(event), change(text)) for event, text in made.sources)
            return replace(made, value=change(made.value), sources=sources)
    return made


def as_written(expr: ir.Expr, module: ir.Module) -> ir.Expr:
    """The expression without the `dyn` that the checker puts around what nothing is known of."""
    return _AsWritten(module).fold(expr)


class _AsWritten(Folding):
    """Takes out calls of `dyn` that nobody wrote: they stand where their argument stands."""

    def _folded(self, node: ir.Expr) -> ir.Expr:
        made = self._with_parts(node)
        if isinstance(made, ir.Has) and not isinstance(made.operand, ir.Slot):
            return _changed(made, operand=_changed(made.operand, operand=self.fold(made.operand.operand)))
        if isinstance(made, ir.Call) and made.overload == "to_dyn" and made.args[0].span == made.span:
            return made.args[0]
        return made


def _changed(node: ir.Expr, **parts: Any) -> ir.Expr:
    """The node with other parts; itself where they are the same, so that shared trees stay shared."""
    same = all(_same(getattr(node, name), part) for name, part in parts.items())
    return node if same else replace(node, **parts)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, tuple):
        return all(_same(x, y) for x, y in zip(a, b, strict=True))
    return a is b


def _computable(node: ir.Expr) -> bool:
    """Whether the node's value follows from constants right below it, and may be computed now."""
    match node:
        case ir.Call(function=function, args=args):
            return function in FOLDED and all(isinstance(arg, ir.Const) for arg in args)
        case ir.ListOf(items=items, optional=()):
            return bool(items) and all(isinstance(item, ir.Const) for item in items)
        case ir.MapOf(entries=entries, optional=()):
            return bool(entries) and all(isinstance(x, ir.Const) for entry in entries for x in entry)
        case ir.Not(operand=ir.Const()):
            return True
        case ir.Cond(test=ir.Const()) | ir.Logic():
            parts = (node.yes, node.no) if isinstance(node, ir.Cond) else node.operands
            return all(isinstance(part, ir.Const) for part in parts)
    return False


def fits(value: Any, depth: int = 0) -> bool:
    """Whether a value may be a constant of an artifact: small, and of a type that has a file form."""
    if isinstance(value, str | bytes):
        return len(value) <= MAX_FOLDED
    if isinstance(value, float):
        return not depth or value == value  # a NaN in a list would not be told from bad data
    if isinstance(value, list | dict):
        inside = value if isinstance(value, list) else [*value.values(), *value]
        return depth < 20 and len(value) <= MAX_FOLDED and all(fits(x, depth + 1) for x in inside)
    return value is None or isinstance(value, bool | int | Timestamp | Duration | CelType | BoolKey)


def constant(node: ir.Expr, value: Any) -> ir.Const:
    """The constant that stands for `node`."""
    return ir.Const(_type(node.type, value), node.span, plain(value))


def _type(type: Type, value: Any) -> Type:
    """The type of a constant, which says what form its value has: that of the value where `type` is dyn."""
    kinds = {bool: "bool", int: "int", float: "double", str: "string", bytes: "bytes", list: "list"}
    if type.kind != "dyn":
        return type
    name = kinds.get(value.__class__) or value.__class__.__name__.lower()
    return Type({"dict": "map", "nonetype": "null", "celtype": "type"}.get(name, name))


def plain(value: Any) -> Any:
    """A value as `ir.Const` holds it."""
    if isinstance(value, Timestamp | Duration):
        return (value.seconds, value.nanos)
    return value.name if isinstance(value, CelType) else int(value) if isinstance(value, UInt) else value
