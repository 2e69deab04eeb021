"""The typed tree of a pact: every name resolved, every expression with its type.

In: what `check` proves.  Out: what `emit` turns into instructions and `evaluate` walks.

Nodes are immutable, compare by value, and travel inside the artifact as msgpack (so that `explain`
needs no source and no parser).  `span` points into the pact's source; nodes of a `let` keep the
place where the `let` was written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pactlang.declared import BANDS as BANDS
from pactlang.declared import CONFIDENCE as CONFIDENCE
from pactlang.declared import HALF_LIFE as HALF_LIFE
from pactlang.declared import SCALE as SCALE
from pactlang.declared import Amounts as Amounts
from pactlang.declared import Budget as Budget
from pactlang.declared import Score as Score
from pactlang.declared import StoreRule as StoreRule
from pactlang.declared import Test as Test
from pactlang.declared import TestCall as TestCall
from pactlang.declared import TestExpect as TestExpect
from pactlang.schema import Schema, Type


class Node(Struct, frozen=True, tag=True, tag_field="node", array_like=True):
    """An expression: its type and its place [start, end)."""

    type: Type
    span: tuple[int, int]


class Const(Node, frozen=True):
    """A constant.  `value` by type: bool, int, uint, double, string, bytes, null as they are (a uint
    is an int, a double may be NaN or infinite); a timestamp or duration is (seconds, nanos);
    a type is the type's name."""

    value: Any


class Slot(Node, frozen=True):
    """A value of the pact's record: index into `Schema.slots`."""

    slot: int


class Var(Node, frozen=True):
    """A comprehension's variable.  `index` is its number in the clause: each comprehension has its own."""

    name: str
    index: int


class Member(Node, frozen=True):
    """Field `field` of a record value that is not reached by a slot (an element of a list, say)."""

    operand: Expr
    field: str


class Key(Node, frozen=True):
    """`operand.key` on a map or a dyn value: an error value if the key is not there."""

    operand: Expr
    key: str


class Has(Node, frozen=True):
    """`has(...)`: `operand` is a Slot or Member (present and not null) or a Key (the key is there)."""

    operand: Slot | Member | Key


class Call(Node, frozen=True):
    """A function or operator of the overload table: `function` as in `functions.FUNCTIONS`.

    A method's receiver is the first argument.  `overload` is the id of the overload that was proved,
    or "" where the types are known only at run time.  `or` and `orValue` take their second argument
    only where the first is none.
    """

    function: str
    overload: str
    args: tuple[Expr, ...]


class Logic(Node, frozen=True):
    """`&&` or `||` over two or more operands, with CEL's rule for error values (order does not matter)."""

    op: str
    operands: tuple[Expr, ...]


class Not(Node, frozen=True):
    """`!operand`."""

    operand: Expr


class Cond(Node, frozen=True):
    """`test ? yes : no`."""

    test: Expr
    yes: Expr
    no: Expr


class ListOf(Node, frozen=True):
    """A list literal.  `optional`: the items written `?x`, which are left out if x is none."""

    items: tuple[Expr, ...]
    optional: tuple[int, ...] = ()


class MapOf(Node, frozen=True):
    """A map literal; a key that comes twice is an error value.  `optional`: the entries written `?k: v`."""

    entries: tuple[tuple[Expr, Expr], ...]
    optional: tuple[int, ...] = ()


class Comprehension(Node, frozen=True):
    """`source.macro(var, [test,] body)`: macro is all, exists, exists_one, filter, map, to_map or to_entries.

    filter: `test` decides, `body` is None.  map, to_map, to_entries: `test` may be None.  all, exists,
    exists_one: `test` decides, `body` is None.  to_map keeps the keys and takes the body's values,
    to_entries joins the maps that the body gives.  Over a map the variable takes the keys.  With a
    second variable (`second` >= 0) the first takes indexes or keys, the second elements or values.
    """

    macro: str
    source: Expr
    var: int
    name: str
    test: Expr | None
    body: Expr | None
    second: int = -1
    second_name: str = ""


class Bind(Node, frozen=True):
    """`cel.bind(name, init, body)`, `cel.block([inits], body)`: variables with a value each.

    An init that is an error value does no harm until its variable is used.
    """

    vars: tuple[int, ...]
    names: tuple[str, ...]
    inits: tuple[Expr, ...]
    body: Expr


class OptionalMap(Node, frozen=True):
    """`operand.optMap(name, body)`: none stays none; the body makes a value, or, if `flat`, an optional."""

    operand: Expr
    var: int
    name: str
    body: Expr
    flat: bool = False


class Matches(Node, frozen=True):
    """`operand.matches(pattern)` with a pattern known at compile time: index into `Module.patterns`."""

    operand: Expr
    pattern: int


class Says(Node, frozen=True):
    """`operand.says(phrases)`: index into `Module.phrases`."""

    operand: Expr
    phrases: int


class Operator(Node, frozen=True):
    """An operator over the calls of a session up to this one.

    kind: once (e), since (p, q), previous (x) or count (e); `historically(e)` is `!once(!e)`.  nanos: D,
    -1 where there is none.  before: only calls at least D old take the part of e (of q); else only those
    at most D old.  number: among those of the pact, inner before outer; equal ones have one number.
    """

    kind: str
    operands: tuple[Expr, ...]
    nanos: int = -1
    before: bool = False
    number: int = -1


class Aggregate(Node, frozen=True):
    """A figure over the calls of a window; it stands only in a `Keep`.

    kind: count, rate, sum, avg, min, max, quantile, distinct or burn_rate.  value: what is counted or
    added, None for `count()`.  where: which calls take part, None: all.  number: of a quantile the
    fraction q, of burn_rate the objective, as (numerator, denominator).
    """

    kind: str
    value: Expr | None
    where: Expr | None = None
    number: tuple[int, int] = (0, 1)


Expr = (
    Const | Slot | Var | Member | Key | Has | Call | Logic | Not | Cond | ListOf | MapOf
    | Comprehension | Bind | OptionalMap | Matches | Says | Operator | Aggregate
)  # fmt: skip


def parts(node: Expr) -> tuple[Expr, ...]:
    """The sub-expressions of a node, in the order in which they are written."""
    match node:
        case Call():
            return node.args
        case Logic():
            return node.operands
        case Cond():
            return node.test, node.yes, node.no
        case ListOf():
            return node.items
        case MapOf():
            return tuple(part for entry in node.entries for part in entry)
        case Comprehension():
            return tuple(part for part in (node.source, node.test, node.body) if part is not None)
        case Bind():
            return (*node.inits, node.body)
        case OptionalMap():
            return node.operand, node.body
        case Operator():
            return node.operands
        case Aggregate():
            return tuple(part for part in (node.value, node.where) if part is not None)
        case Const() | Slot() | Var():
            return ()
    return (node.operand,)


def fields_read(schema: Schema, *nodes: Expr | None) -> set[str]:
    """The fields of the pact's record that expressions read; of the record as a whole, all of them."""
    found: set[str] = set()
    todo = [node for node in nodes if node is not None]
    seen: set[int] = set()
    while todo:
        node = todo.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Slot):
            path = schema.slots[node.slot].path
            found |= {path[0]} if path else {field.name for field in schema.record(schema.root).fields}
        todo += parts(node)
    return found


def bare(node: Expr) -> Expr:
    """The node without the `dyn(...)` around it, which changes no value."""
    while isinstance(node, Call) and node.function == "dyn" and len(node.args) == 1:
        node = node.args[0]
    return node


# Searches for texts: of a function the kind that `program.Atom` has.
SOUGHT = {"contains": "literal", "startsWith": "prefix", "endsWith": "suffix"}


def sought(node: Expr) -> tuple[Slot, str, tuple[str, ...]] | None:
    """What is searched, how and for which constant texts, by `f.contains("a")`, `f.startsWith("a")`,
    `f.endsWith("a")` or `["a", "b"].exists(p, f.contains(p))` with a text field f; None for all else."""
    if isinstance(node, Comprehension) and node.macro == "exists" and node.second < 0:
        test, texts = node.test, constant_texts(node.source)
        if texts and isinstance(test, Call) and test.args[1:] and isinstance(test.args[1], Var):
            return _sought(test, texts) if test.args[1].index == node.var else None
        return None
    part = node.args[1] if isinstance(node, Call) and len(node.args) == 2 else None
    if isinstance(node, Call) and isinstance(part, Const) and part.type.kind == "string":
        return _sought(node, (part.value,))
    return None


def _sought(call: Call, texts: tuple[str, ...]) -> tuple[Slot, str, tuple[str, ...]] | None:
    slot = call.args[0]
    if len(call.args) != 2 or call.function not in SOUGHT or not isinstance(slot, Slot):
        return None
    return (slot, SOUGHT[call.function], texts) if slot.type.kind == "string" else None


def constant_texts(node: Expr) -> tuple[str, ...] | None:
    """The texts of a constant list that holds nothing else, and something; None for all else."""
    if isinstance(node, Const) and isinstance(node.value, list) and node.value:
        return tuple(node.value) if all(isinstance(text, str) for text in node.value) else None
    if not isinstance(node, ListOf) or not node.items or node.optional:
        return None
    items = [item.value for item in node.items if isinstance(item, Const) and item.type.kind == "string"]
    return tuple(items) if len(items) == len(node.items) else None


class Pattern(Struct, frozen=True, array_like=True):
    """An RE2 expression; with `check`, a match counts only if its letters and digits pass it."""

    name: str
    source: str
    check: str = ""


class Phrases(Struct, frozen=True, array_like=True):
    """A list of phrases, as written."""

    name: str
    phrases: tuple[str, ...]


class Action(Struct, frozen=True, omit_defaults=True):
    """One consequence: block, redact, retry, fallback, alert, warn, escalate, pause, penalty, allow."""

    kind: str
    value: str | int | None = None


HOLDING = frozenset({"block", "redact", "retry", "fallback"})  # actions that need the call to wait


class Event(Struct, frozen=True, array_like=True):
    """A condition under its name; `calls`, which every call is, has the condition true."""

    name: str
    condition: Expr


class Form(Struct, frozen=True, tag=True, tag_field="node", array_like=True):
    """A promise about the order of calls in a session.  `same` slices the session by the values of these
    expressions.  Numbers of calls and nanoseconds are -1 where the form has none."""

    same: tuple[Expr, ...]


class OnlyAfter(Form, frozen=True):
    """`event only after [fresh] [count] after [within nanos]`."""

    event: Event
    after: Event
    fresh: bool
    count: int
    nanos: int


class NeverAfter(Form, frozen=True):
    """`event never after after [until until]`."""

    event: Event
    after: Event
    until: Event | None


class AtMost(Form, frozen=True):
    """`at most count event per nanos`, or per session (-1)."""

    event: Event
    count: int
    nanos: int


class Expect(Form, frozen=True):
    """`after event expect expected within calls or nanos`.  on_end: violate, forget or ""."""

    event: Event
    expected: Event
    calls: int
    nanos: int
    on_end: str


class OnlyFrom(Form, frozen=True):
    """`event.field only from sources`: `value` is the field, a source an event and its text."""

    event: Event
    value: Expr
    sources: tuple[tuple[Event, Expr], ...]


class Window(Struct, frozen=True, array_like=True):
    """One window of `keep`: `nanos` of event time, or the last `calls`; the other is -1."""

    nanos: int
    calls: int


class Keep(Struct, frozen=True, tag=True, tag_field="node", array_like=True):
    """`keep comparison over windows by keys limit N min N calls`.

    comparison: a comparison (`Call` of `_<_`, `_<=_`, `_>_`, `_>=_`, `_==_` or `_!=_`) between arithmetic
    over aggregates and constants.  limit, minimum: -1 where they are not written.
    """

    comparison: Expr
    windows: tuple[Window, ...]
    keys: tuple[Expr, ...]
    limit: int
    minimum: int


class Base(Struct, frozen=True, array_like=True):
    """How `of` was distributed over a log of `calls` values.

    kind: numbers (bins between `edges`, then one for null) or texts (one for each of `texts`, then null, then
    all others).  counts: how often each was hit; rates: the share that it is held to, as a fraction.  delta:
    the probability that some share of the log is above that.  digest: of all this, in hex.
    """

    of: str
    kind: str
    edges: tuple[float, ...]
    texts: tuple[str, ...]
    counts: tuple[int, ...]
    rates: tuple[tuple[int, int], ...]
    calls: int
    delta: tuple[int, int]
    digest: str


class Watch(Struct, frozen=True, tag=True, tag_field="node", array_like=True):
    """`watch value above rate one false alarm in calls by keys`.

    value: a bool or a number from 0 to 1; None where `clause` is looked at, whose outcome `outcome`
    (violated, satisfied) counts as a hit.  rate: P as a fraction, in [0, 1).  calls: -1 where they are not
    written: then the watches of the pact without a number share one promise.  base: of `watch
    distribution(value) against "..."`, what it is held against.
    """

    value: Expr | None
    clause: str
    outcome: str
    rate: tuple[int, int]
    calls: int
    keys: tuple[Expr, ...]
    base: Base | None = None


NamedForm = OnlyAfter | NeverAfter | AtMost | Expect | OnlyFrom
Population = Keep | Watch  # promises about many calls
Remembering = NamedForm | Population  # what no single call decides
Promise = Expr | Remembering


def promised(promise: Promise) -> tuple[Expr, ...]:
    """The expressions of a promise that are computed on a call, in the order in which they are written."""
    match promise:
        case OnlyAfter():
            return promise.event.condition, promise.after.condition, *promise.same
        case NeverAfter():
            until = () if promise.until is None else (promise.until.condition,)
            return promise.event.condition, promise.after.condition, *until, *promise.same
        case AtMost():
            return promise.event.condition, *promise.same
        case Expect():
            return promise.event.condition, promise.expected.condition, *promise.same
        case OnlyFrom():
            sources = (part for event, text in promise.sources for part in (event.condition, text))
            return promise.event.condition, promise.value, *sources, *promise.same
        case Keep():
            return promise.comparison, *promise.keys
        case Watch():
            return *(() if promise.value is None else (promise.value,)), *promise.keys
    return (promise,)


def shape(node: Any) -> bytes:
    """What an expression or a promise computes, without the places where it is written."""
    return msgspec.msgpack.encode(_placeless(node))


def _placeless(value: Any) -> Any:
    """A tree as lists: names and values, no spans, and events without their names."""
    if isinstance(value, Event):
        return _placeless(value.condition)
    if isinstance(value, Struct):
        left_out = ("span", "number") if isinstance(value, Operator) else ("span",)
        fields = [name for name in value.__struct_fields__ if name not in left_out]
        return [type(value).__name__, *(_placeless(getattr(value, name)) for name in fields)]
    if isinstance(value, tuple | list):
        return [_placeless(part) for part in value]
    return value


def numbered(node: Operator, number: int) -> Operator:
    """The operator with its number."""
    return replace(node, number=number)


def nodes(*roots: Expr | None) -> Iterator[Expr]:
    """Every node of these expressions once, though a `let` may stand in many places."""
    todo = [node for node in reversed(roots) if node is not None]
    seen: set[int] = set()
    while todo:
        node = todo.pop()
        if id(node) not in seen:
            seen.add(id(node))
            yield node
            todo += reversed(parts(node))


def remembers(clause: Clause) -> bool:
    """Whether a clause is judged by what came before, so that one call alone does not decide it."""
    if isinstance(clause.promise, Remembering):
        return True
    return any(isinstance(node, Operator) for node in nodes(clause.when, clause.promise))


def enforceable(clause: Clause) -> bool:
    """Whether a clause is decided when its call is judged, so that a guard can hold the call back."""
    return not isinstance(clause.promise, Expect | Population)


def condition(clause: Clause) -> Expr:
    """The condition of a clause that has one; for clauses that remember nothing."""
    if isinstance(clause.promise, Remembering):
        raise TypeError(f"{clause.name} is judged by what came before")
    return clause.promise


class Session(Struct, frozen=True, array_like=True):
    """What a session is: the calls with the same `key`; a call more than `idle` nanoseconds after the last
    one begins a new session; past `limit` calls nothing is known.  -1 where the pact has no such line."""

    key: Expr
    idle: int = -1
    limit: int = -1


class Clause(Struct, frozen=True):
    """One promise: `when` admits.  A condition must hold (`never`: must not); a form, `keep` and `watch`
    judge by what they have seen of earlier calls."""

    name: str
    description: str
    dimension: str
    severity: str
    span: tuple[int, int]
    promise_span: tuple[int, int]
    never: bool
    when: Expr | None
    promise: Promise
    on_violation: tuple[Action, ...] = ()
    on_unknown: tuple[Action, ...] = ()


class Module(Struct, frozen=True):
    """A checked pact.  `applies` says which calls it is about; None: all.  `store` and `tests` decide no
    verdict.  session: None where no clause needs one."""

    name: str
    version: str
    description: str
    owner: str
    renews: str
    schema: Schema
    applies: Expr | None
    patterns: tuple[Pattern, ...]
    phrases: tuple[Phrases, ...]
    clauses: tuple[Clause, ...]
    store: tuple[StoreRule, ...] = ()
    budget: Budget | None = None
    tests: tuple[Test, ...] = ()
    session: Session | None = None
    score: Score | None = None
