"""The syntax tree of a `.pact` file: what was written, before any name has a meaning.

Immutable, comparable by value, dumps to JSON (`msgspec.to_builtins`).  Every node has the span of
its text; nodes carry a second span where a diagnostic wants to point at a name alone.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from pactlang.source import Span


class Node(Struct, frozen=True, tag=True, tag_field="node"):
    """Anything written in a pact."""

    span: Span


# Expressions ---------------------------------------------------------------------------------


class Literal(Node, frozen=True):
    """kind: bool int uint double string bytes null duration.  A duration's value is in nanoseconds;
    bytes are bytes; the text of a number is in the source (an int may exceed 64 bits here)."""

    kind: str
    value: Any


class Name(Node, frozen=True):
    """An identifier.  `absolute`: written with a leading dot."""

    name: str
    absolute: bool = False


class Select(Node, frozen=True):
    """`operand.field`, or `operand.?field` if `optional`; the field may have been quoted with backticks."""

    operand: Expr
    field: str
    field_span: Span
    optional: bool = False


class Index(Node, frozen=True):
    """`operand[index]`, or `operand[?index]` if `optional`."""

    operand: Expr
    index: Expr
    optional: bool = False


class Call(Node, frozen=True):
    """`function(args)`, or `target.function(args)`.  `where`: an aggregate's filter, `count(x where e)`."""

    function: str
    name_span: Span
    args: tuple[Expr, ...]
    target: Expr | None = None
    where: Expr | None = None
    absolute: bool = False


class Unary(Node, frozen=True):
    """`!operand` or `-operand`; a run of signs is one node per sign."""

    op: str
    operand: Expr


class Binary(Node, frozen=True):
    """Arithmetic, comparison or `in`: + - * / % == != < <= > >= in."""

    op: str
    left: Expr
    right: Expr
    op_span: Span


class Logic(Node, frozen=True):
    """`a && b && ...` or `a || b || ...`: a whole chain is one node with all its operands."""

    op: str
    operands: tuple[Expr, ...]


class Conditional(Node, frozen=True):
    """`test ? yes : no`."""

    test: Expr
    yes: Expr
    no: Expr


class Item(Node, frozen=True):
    """A list's element; `optional`: written `?value`."""

    value: Expr
    optional: bool = False


class ListLiteral(Node, frozen=True):
    """`[a, b]`."""

    items: tuple[Item, ...]


class Entry(Node, frozen=True):
    """A map's entry; `optional`: written `?key: value`."""

    key: Expr
    value: Expr
    optional: bool = False


class MapLiteral(Node, frozen=True):
    """`{k: v}`."""

    entries: tuple[Entry, ...]


class Init(Node, frozen=True):
    """A field of a struct literal."""

    field: str
    value: Expr
    optional: bool = False


class StructLiteral(Node, frozen=True):
    """`name.space.Type{field: value}`; `type_name` as written, leading dot included."""

    type_name: str
    fields: tuple[Init, ...]


Expr = (
    Literal | Name | Select | Index | Call | Unary | Binary | Logic | Conditional | ListLiteral
    | MapLiteral | StructLiteral
)  # fmt: skip


# Declarations --------------------------------------------------------------------------------


class Ident(Node, frozen=True):
    """A name with its place."""

    name: str


class Text(Node, frozen=True):
    """A string with its place; `value` is unescaped."""

    value: str


class Number(Node, frozen=True):
    """A plain number of a declaration (`limit 10000 calls`), int or float."""

    value: int | float


class Length(Node, frozen=True):
    """A duration of a declaration (`within 30m`), in nanoseconds."""

    nanos: int


class TypeRef(Node, frozen=True):
    """A written type: `string?`, `list(int)`, `enum("a", "b")`, `duration(ms)`, a record's name.

    `args` are type arguments; `values` an enum's strings; a unit is a TypeRef named s, ms, us or ns.
    """

    name: str
    args: tuple[TypeRef, ...] = ()
    values: tuple[Text, ...] = ()
    nullable: bool = False


class FieldDecl(Node, frozen=True):
    """`name: type [= default] [as "wire"]`; `default` is a literal, `[]` or `{}`."""

    name: Ident
    type: TypeRef
    default: Expr | None = None
    wire: Text | None = None


class RecordDecl(Node, frozen=True):
    """`record Name { ... }`, or `extend Name { ... }` if `extend`."""

    name: Ident
    fields: tuple[FieldDecl, ...]
    extend: bool = False


class Owner(Node, frozen=True):
    """`owner "..."`."""

    owner: Text


class Renews(Node, frozen=True):
    """`renews 2027-06-30`; `date` as written, an existing day."""

    date: str


class Applies(Node, frozen=True):
    """`applies when EXPR`."""

    condition: Expr


class BudgetSteps(Node, frozen=True):
    """`steps N`: the most that a call may take."""

    steps: Number


class BudgetSize(Node, frozen=True):
    """`size PATH N`: the most elements or characters of a field; `path` is a dotted name."""

    path: Expr
    size: Number


class Budget(Node, frozen=True):
    """`budget { steps N size PATH N ... }`."""

    items: tuple[BudgetSteps | BudgetSize, ...]


class Let(Node, frozen=True):
    """`let name = expr`."""

    name: Ident
    value: Expr


class PatternDecl(Node, frozen=True):
    """`pattern name = "re2" [check luhn]`."""

    name: Ident
    pattern: Text
    check: Ident | None = None


class PhrasesDecl(Node, frozen=True):
    """`phrases name = ["...", ...]`."""

    name: Ident
    value: Expr


class Session(Node, frozen=True):
    """`session [by KEY] [idle D] [limit N calls]`."""

    key: Expr | None = None
    idle: Length | None = None
    limit: Number | None = None


class Event(Node, frozen=True):
    """`event name when expr`."""

    name: Ident
    condition: Expr


class Import(Node, frozen=True):
    """`import "path"`."""

    path: Text


class Override(Node, frozen=True):
    """`override` before a clause, let, pattern, phrases or event."""

    declaration: Clause | Let | PatternDecl | PhrasesDecl | Event


class Drop(Node, frozen=True):
    """`drop clause name`."""

    name: Ident


# Clauses -------------------------------------------------------------------------------------


class Dimension(Node, frozen=True):
    """`dimension name`."""

    name: Ident


class Severity(Node, frozen=True):
    """`severity name`."""

    name: Ident


class When(Node, frozen=True):
    """`when expr`."""

    condition: Expr


class Require(Node, frozen=True):
    """`require expr`, or `never expr` if `never`."""

    condition: Expr
    never: bool = False


class Window(Node, frozen=True):
    """One window of `keep`: a duration, or a number of calls."""

    nanos: int | None = None
    calls: int | None = None


class Keep(Node, frozen=True):
    """`keep COMPARISON over W [and W2] [by K [limit N]] [min N calls]`."""

    comparison: Expr
    windows: tuple[Window, ...]
    keys: tuple[Expr, ...] = ()
    limit: Number | None = None
    minimum: Number | None = None


class Watch(Node, frozen=True):
    """`watch X above P [one false alarm in N calls] [by K]`, or `watch distribution(x) against "base"`."""

    value: Expr
    above: Expr | None = None
    against: Text | None = None
    calls: Number | None = None
    keys: tuple[Expr, ...] = ()


class OnlyAfter(Node, frozen=True):
    """`E only after [fresh] [N] F [within D] [same K]`."""

    event: Ident
    after: Ident
    fresh: bool = False
    count: Number | None = None
    within: Length | None = None
    same: tuple[Expr, ...] = ()


class NeverAfter(Node, frozen=True):
    """`E never after Q [until R] [same K]`."""

    event: Ident
    after: Ident
    until: Ident | None = None
    same: tuple[Expr, ...] = ()


class OnlyFrom(Node, frozen=True):
    """`E.field only from S1, S2`: `value` and the sources are dotted names."""

    value: Expr
    sources: tuple[Expr, ...]
    same: tuple[Expr, ...] = ()


class AtMost(Node, frozen=True):
    """`at most N E per D|session [same K]`; the event `calls` is every call; `per` None is the session."""

    count: Number
    event: Ident
    per: Length | None = None
    same: tuple[Expr, ...] = ()


class Expect(Node, frozen=True):
    """`after P expect Q within N calls [or D]`, or `within D` [same K]."""

    trigger: Ident
    expected: Ident
    calls: Number | None = None
    within: Length | None = None
    same: tuple[Expr, ...] = ()


class OnEnd(Node, frozen=True):
    """`on end violate` or `on end forget`."""

    what: str


class Action(Node, frozen=True):
    """block ["text"], redact, retry N, fallback NAME, alert "channel", warn, escalate, pause, penalty N,
    allow."""

    kind: str
    value: str | int | None = None


class Consequence(Node, frozen=True):
    """`on violation { ... }`, `on unknown { ... }`: `on` is violation or unknown.
    `after N violations in D { ... }`: `on` is repeated, with `count` and `within`."""

    on: str
    actions: tuple[Action, ...]
    count: Number | None = None
    within: Length | None = None


ClauseItem = (
    Dimension | Severity | When | Require | Keep | Watch | OnlyAfter | NeverAfter | OnlyFrom | AtMost
    | Expect | OnEnd | Consequence
)  # fmt: skip


class Clause(Node, frozen=True):
    """`clause name ["description"] { items }`."""

    name: Ident
    description: str
    items: tuple[ClauseItem, ...]


# Store, score, tests -------------------------------------------------------------------------


class StoreItem(Node, frozen=True):
    """One line of `store`: kind redact (field, pattern), drop (field), keep (nanos), limit (bytes)."""

    kind: str
    field: Ident | None = None
    pattern: Ident | None = None
    amount: int | None = None


class Store(Node, frozen=True):
    """`store { ... }`."""

    items: tuple[StoreItem, ...]


class Judge(Node, frozen=True):
    """`judge NAME { key value; ... }`: items are (key, value) with value a string, number or name."""

    name: Ident
    items: tuple[tuple[str, str | int | float], ...]


class Score(Node, frozen=True):
    """`score { scale N half_life D confidence P weights { d N, ... } bands { b N, ... } }`."""

    scale: Number | None = None
    half_life: Length | None = None
    confidence: Number | None = None
    weights: tuple[tuple[Ident, Number], ...] | None = None
    bands: tuple[tuple[Ident, Number], ...] | None = None


class TestCall(Node, frozen=True):
    """`call [at D] { field: constant, ... }`."""

    at: Length | None
    fields: tuple[tuple[Ident, Expr], ...]


class TestExpect(Node, frozen=True):
    """`expect ok`, `expect violation of A, B`, `expect unknown of A`, `expect skipped A`."""

    what: str
    clauses: tuple[Ident, ...] = ()


class Test(Node, frozen=True):
    """`test "name" { ... }`."""

    name: Text
    steps: tuple[TestCall | TestExpect, ...]


Declaration = (
    Owner | Renews | Applies | Budget | Store | Judge | RecordDecl | Let | PatternDecl | PhrasesDecl
    | Session | Event | Clause | Score | Test | Import | Override | Drop
)  # fmt: skip


class Pact(Node, frozen=True):
    """A whole file.  `record` is the name after `on`, None for the standard Call."""

    name: Ident
    version: Text
    record: Ident | None
    description: str
    items: tuple[Declaration, ...]
