"""The walk over expressions: names become slots, every node gets a type.

In: `syntax.Expr` and the scope it stands in.  Out: `ir.Expr`.  An expression that fails gets the type
ERROR, which agrees with everything.

A let or an event stands for its expression.  It is checked when it is first used; its tree is shared
by later uses unless it depends on where it stands (on what is known not to be null, or because each
comprehension has a variable of its own).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from msgspec.structs import replace

from pactlang import ir, syntax
from pactlang.check import calls, guards, operators, optionals, overloads
from pactlang.check.agree import agree, join
from pactlang.check.facts import NOTHING, Facts, Known
from pactlang.check.modes import Mode
from pactlang.check.names import Named, dotted
from pactlang.check.patterns import Patterns
from pactlang.check.reads import Slots
from pactlang.check.report import Hint, Report, an, field_help, listed, suggest
from pactlang.check.temporal import Operators
from pactlang.diagnostic import ERROR as ERROR_LEVEL
from pactlang.diagnostic import Fix
from pactlang.functions import Overload
from pactlang.schema import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    ERROR,
    INT,
    NULL,
    STRING,
    TYPE,
    UINT,
    UNSET,
    Field,
    Type,
    list_of,
    map_of,
    optional_of,
)
from pactlang.source import Span

# Nodes of one clause with its lets written out, of a whole pact, and how deep they nest.
MAX_CLAUSE, MAX_PACT, MAX_DEPTH = 50_000, 1_000_000, 150

# A record with more fields than this is not listed in a message.
MANY_FIELDS = 12

# Notes that depend on where an expression stands.
CONTEXTUAL = frozenset({"unguarded-optional", "optional-not-equal"})

LITERALS = {
    "bool": BOOL, "int": INT, "uint": UINT, "double": DOUBLE, "string": STRING, "bytes": BYTES, "null": NULL,
}  # fmt: skip
MAP_KEYS = frozenset({"bool", "int", "uint", "string", "dyn", "error"})

# CEL's names of types as values, and the name that `type(x)` has for each.
TYPE_VALUES = {
    **{n: n for n in "bool int uint double string bytes list map null_type type optional_type".split()},
    "net.IP": "net.IP", "net.CIDR": "net.CIDR",
    "timestamp": "google.protobuf.Timestamp", "google.protobuf.Timestamp": "google.protobuf.Timestamp",
    "duration": "google.protobuf.Duration", "google.protobuf.Duration": "google.protobuf.Duration",
}  # fmt: skip


class Scope(NamedTuple):
    """Where an expression stands: variables, what is not null, and the condition it is part of."""

    variables: Mapping[str, ir.Var] = {}
    facts: Facts = NOTHING
    atom: Span | None = None


class Expansion(NamedTuple):
    """A checked let or event.  `shared`: its tree is the same wherever it stands."""

    node: ir.Expr
    size: int
    depth: int
    shared: bool


class Limit(Exception):
    """A clause that is too large or too deep; ends its check."""

    def __init__(self, code: str, message: str, span: Span) -> None:
        super().__init__(message)
        self.code, self.message, self.span = code, message, span


NOWHERE = Scope()


class Walk:
    """Checks expressions: those of a pact clause by clause, or one alone (`mode`).

    prefixes: what may stand before a bare name, the longest first: the containers of an expression.
    functions: rows for functions that the user has declared.
    """

    nowhere = NOWHERE

    def __init__(
        self,
        report: Report,
        slots: Slots,
        patterns: Patterns,
        names: Mapping[str, Named],
        mode: Mode = Mode.PACT,
        prefixes: tuple[str, ...] = ("",),
        functions: Mapping[str, tuple[Overload, ...]] | None = None,
    ) -> None:
        self.report, self.slots, self.patterns, self.names = report, slots, patterns, names
        self.mode, self.prefixes, self.functions = mode, prefixes, functions or {}
        self.fields: Mapping[str, Field] = slots.fields[slots.root]
        self.known = Known(lambda index: slots.slots[index].path)
        self.operators = Operators()
        self.aggregates = False  # whether they may stand here
        self.named_in_keep: set[str] = set()  # lets: checked, and not to be checked outside
        self.values: dict[str, Expansion] = {}
        self.open: list[str] = []
        self.admission: guards.Admission | None = None  # of the promise that is being checked
        self.wrong: set[str] = set()
        # By identity, since equal nodes may stand in many places; the node is kept so that its id is its own.
        self.uses: dict[int, tuple[ir.Expr, Span]] = {}
        self.size = self.total = self.depth = self.deepest = self.variables = 0

    @property
    def nulls(self) -> bool:
        """True if null goes where CEL's own checker lets it go."""
        return self.mode is Mode.CHECKED

    @property
    def full(self) -> bool:
        """True if the pact is too large: its last clause said so."""
        return self.total > MAX_PACT

    def clause(self) -> None:
        """Begin a clause: sizes and variables are counted anew."""
        self.size = self.depth = self.variables = 0
        self.admission = None
        self.wrong.clear()
        self.uses.clear()

    # Nodes ---------------------------------------------------------------------------------

    def infer(self, expr: syntax.Expr, scope: Scope) -> ir.Expr:
        """The typed tree of `expr`.  Raises Limit where the clause grows too large."""
        depth = self.depth
        self.deepen(1, 1, expr.span)
        node = self._infer(expr, scope)
        self.depth = depth
        if node.type.kind == "unset":
            return replace(node, type=DYN)
        return loosened(node) if self.mode is Mode.DYNAMIC else node

    def deepen(self, levels: int, size: int, span: Span) -> None:
        """Go down in the tree, where `size` nodes are made; `infer` comes up again.

        A level stands for about four Python frames.
        """
        self.depth += levels
        self.deepest = max(self.deepest, self.depth)
        self.grow(size, 0, span)

    def _infer(self, expr: syntax.Expr, scope: Scope) -> ir.Expr:
        match expr:
            case syntax.Literal(kind=kind, value=value):
                return self.constant(kind, value, expr.span)
            case syntax.Name():
                return self._name(expr, scope)
            case syntax.Select():
                return self._select(expr, scope)
            case syntax.Call():
                return calls.call(self, expr, scope)
            case syntax.Binary():
                return operators.binary(self, expr, scope)
            case syntax.Logic():
                return self._logic(expr, scope)
            case syntax.Unary():
                return operators.unary(self, expr, scope)
            case syntax.Index():
                return self._index(expr, scope)
            case syntax.Conditional():
                return self._conditional(expr, scope)
            case syntax.ListLiteral():
                return self._list(expr, scope)
            case syntax.MapLiteral():
                return self._map(expr, scope)
            case syntax.StructLiteral():
                return self.unsupported(f"`{expr.type_name}{{...}}`", expr.span)

    def grow(self, size: int, depth: int, span: Span) -> None:
        """Count `size` nodes, the deepest `depth` levels below this one."""
        self.size += size
        self.total += size
        if self.depth + depth > MAX_DEPTH:
            raise Limit("nested-too-deep", f"this nests more than {MAX_DEPTH} levels deep", span)
        if self.size > MAX_CLAUSE:
            message = f"with its lets written out, this has more than {MAX_CLAUSE} parts"
            raise Limit("too-large", message, span)
        if self.total > MAX_PACT:
            message = f"with its lets written out, this pact has more than {MAX_PACT} parts"
            raise Limit("too-large", message, span)

    def once(self, name: str) -> bool:
        """True the first time that a clause gets `name` wrong."""
        new = name not in self.wrong
        self.wrong.add(name)
        return new

    def span(self, node: ir.Expr) -> Span:
        """Where `node` stands in the clause: for a let, where its name was written last."""
        use = self.uses.get(id(node))
        return Span(*node.span) if use is None else use[1]

    def text(self, node: ir.Expr) -> str:
        """What is written where `node` stands."""
        return self.report.text(self.span(node))

    def error(self, span: Span) -> ir.Expr:
        """The node of an expression whose mistake has been reported."""
        return ir.Const(ERROR, span, None)

    def unsupported(self, what: str, span: Span, *help: str) -> ir.Expr:
        """Report a part of the language that is not there yet."""
        verb = "are" if "promises" in what else "is"
        self.report.error(
            "unsupported", f"{what} {verb} not supported by this version of pactc", span, help=help
        )
        return self.error(span)

    def condition(self, expr: syntax.Expr, scope: Scope, what: str) -> ir.Expr:
        """`expr` as a condition: a bool, or a `dyn` that must be one when the pact runs."""
        return self.truth(expr, scope._replace(atom=expr.span), what)

    def truth(self, expr: syntax.Expr, scope: Scope, what: str) -> ir.Expr:
        """The same for an expression that is only a part of the condition, as after `!`."""
        node = self.infer(expr, scope)
        if node.type.kind not in ("bool", "dyn", "error"):
            self.report.error(
                "not-a-condition", f"expected a condition {what}, found {an(node.type)}", expr.span,
                "this is neither true nor false", fix=guards.presence(self, node),
            )  # fmt: skip
            return self.error(expr.span)
        self.strict(node, scope)
        return node

    def strict(self, node: ir.Expr, scope: Scope) -> None:
        """Note that `node` is used where null is an error value, unless it is known not to be null."""
        if not node.type.nullable or node.type.kind == "dyn":
            return
        if self.known.place(node) in scope.facts:
            return
        text = self.text(node)
        named = isinstance(node, ir.Slot | ir.Member)
        self.report.note(
            "unguarded-optional", f"`{text}` may be absent here", self.span(node),
            "where it is absent, this is an error value",
            help=(f"`when has({text})` skips the calls that lack it",) if isinstance(node, ir.Slot) else (),
            fix=guards.guard(self, node, scope.atom) if named else None,
        )  # fmt: skip

    def constant(self, kind: str, value: object, span: Span) -> ir.Expr:
        """A constant of a literal's kind."""
        if isinstance(value, int) and kind == "duration":
            return ir.Const(DURATION, span, divmod(value, 10**9))
        return ir.Const(LITERALS[kind], span, value)

    # Names ---------------------------------------------------------------------------------

    def _name(self, expr: syntax.Name, scope: Scope) -> ir.Expr:
        name, span = expr.name, expr.span
        if not expr.absolute and name in scope.variables:
            variable = scope.variables[name]
            return ir.Var(variable.type, span, name, variable.index)
        match self.names.get(name):
            case syntax.Let() | syntax.Event() as item:
                return self._value(item, expr, scope)
            case syntax.PatternDecl():
                return self._not_a_value("pattern", name, span, f"x.matches({name})")
            case syntax.PhrasesDecl():
                return self._not_a_value("list of phrases", name, span, f"x.says({name})")
        if self.mode is Mode.PACT:
            if name == "call":
                return ir.Slot(self.slots.slots[self.slots.record()].type, span, self.slots.record())
            if name in TYPE_VALUES:
                return ir.Const(TYPE, span, TYPE_VALUES[name])
        found = self._qualified(name, span, expr.absolute)
        if found is not None:
            return found
        if self.mode is Mode.DYNAMIC:
            self.slots.declare(name)
            return ir.Slot(DYN, span, self.slots.field(-1, name, DYN))
        if self.once(name):
            self._unknown_name(name, span, scope)
        return self.error(span)

    def _qualified(self, name: str, span: Span, absolute: bool = False) -> ir.Expr | None:
        """What a name with or without dots stands for, in the innermost container that has it."""
        for prefix in ("",) if absolute else self.prefixes:
            whole = prefix + name
            if whole in self.fields:
                field = self.fields[whole]
                return ir.Slot(field.type, span, self.slots.field(-1, whole, field.type))
            if whole in TYPE_VALUES:
                return ir.Const(TYPE, span, TYPE_VALUES[whole])
        return None

    def _not_a_value(self, what: str, name: str, span: Span, example: str) -> ir.Expr:
        code = f"{what.split()[-1]}-as-value"
        self.report.error(code, f"`{name}` is a {what}, not a value", span, help=(f"use it as `{example}`",))
        return self.error(span)

    def _unknown_name(self, name: str, span: Span, scope: Scope) -> None:
        nested = {
            inner: f"{field.name}.{inner}"
            for field in self.fields.values()
            if field.type.kind == "record"
            for inner in self.slots.fields[field.type.name]
        }
        if name in nested:
            path = nested[name]
            self.report.error(
                "unknown-field", f"unknown field `{name}`", span,
                help=(f"did you mean `{path}`?",), fix=Fix(span, path, f"write `{path}`"),
            )  # fmt: skip
            return
        known = chain(scope.variables, self.names, self.fields, nested.values(), TYPE_VALUES)
        if self.mode is Mode.PACT:
            self.report.unknown("field", name, span, known, "no field, let or event has this name")
        else:
            self.report.unknown("variable", name, span, known, "no variable of this name is declared")

    def _value(self, item: syntax.Let | syntax.Event, use: syntax.Name, scope: Scope) -> ir.Expr:
        name = item.name.name
        if name in self.open:
            return self._cycle(name, item)
        self.deepen(1, 0, use.span)
        if self.aggregates and name not in self.values:
            return self._of_many(item, use, scope)
        known = self.values.get(name) or self.first(item)
        if known.node.type == ERROR:
            return self.error(use.span)
        node = known.node
        if known.shared:
            self.grow(known.size, known.depth, use.span)
        else:
            node = self._expand(item, scope.facts, node.type.kind == "bool")
        self.uses[id(node)] = (node, use.span)
        return node

    def _of_many(self, item: syntax.Let | syntax.Event, use: syntax.Name, scope: Scope) -> ir.Expr:
        """A let that may hold aggregates: its tree is for this place alone; a mistake is kept for all."""
        start = len(self.report.found)
        node = self._expand(item, scope.facts, False)
        self.named_in_keep.add(item.name.name)
        if any(d.level == ERROR_LEVEL for d in self.report.found[start:]):
            self.values[item.name.name] = Expansion(self.error(item.span), 0, 0, True)
        self.uses[id(node)] = (node, use.span)
        return node

    def _cycle(self, name: str, item: syntax.Let | syntax.Event) -> ir.Expr:
        chain = [*self.open[self.open.index(name) :], name]
        self.report.error(
            "cycle", f"`{name}` is defined by itself: {' -> '.join(f'`{n}`' for n in chain)}", item.name.span
        )
        return self.error(item.span)

    def first(self, item: syntax.Let | syntax.Event) -> Expansion:
        """Check a let or an event for the first time, by itself."""
        report, start, size, variables = self.report.found, len(self.report.found), self.size, self.variables
        deepest, self.deepest = self.deepest, self.depth
        node = self._expand_first(item)
        new = report[start:]
        failed = any(d.level == ERROR_LEVEL for d in new)
        shared = self.variables == variables and not any(d.code in CONTEXTUAL for d in new)
        report[start:] = [d for d in new if d.code not in CONTEXTUAL]
        if failed:
            node = self.error(item.span)
        found = Expansion(node, self.size - size, self.deepest - self.depth, shared)
        # A tree with variables is not kept: each use makes its own, with numbers of its own.
        self.size, self.variables, self.deepest = size, variables, max(deepest, self.deepest)
        self.values[item.name.name] = found
        return found

    def _expand_first(self, item: syntax.Let | syntax.Event) -> ir.Expr:
        depth, opened = self.depth, len(self.open)
        try:
            return self._expand(item, NOTHING, False)
        except Limit as limit:
            self.report.error(limit.code, limit.message, limit.span)
            self.depth = depth
            del self.open[opened:]
            return self.error(item.span)

    def _expand(self, item: syntax.Let | syntax.Event, facts: Facts, boolean: bool) -> ir.Expr:
        self.open.append(item.name.name)
        if isinstance(item, syntax.Event):
            node = self.condition(item.condition, Scope(facts=facts), "after `when`")
        else:
            node = self.infer(item.value, Scope(facts=facts, atom=item.value.span if boolean else None))
        self.open.pop()
        return node

    # Fields --------------------------------------------------------------------------------

    def _select(self, expr: syntax.Select, scope: Scope) -> ir.Expr:
        if expr.optional:
            return optionals.select(self, expr, scope)
        if self.is_record(expr.operand, scope):
            return self.root_field(expr)
        absolute, name = dotted(expr)
        root = name.partition(".")[0]
        local = root in scope.variables or (self.mode is Mode.PACT and self.resolves(root, scope))
        if name and (absolute or not local):
            found = self._qualified(name, expr.span, absolute)
            if found is not None:
                return found
        return self.member(self.infer(expr.operand, scope), expr, scope)

    def resolves(self, name: str, scope: Scope) -> bool:
        """True if a bare `name` stands for a value here."""
        return name in scope.variables or name in self.names or name in self.fields

    def is_record(self, expr: syntax.Expr, scope: Scope) -> bool:
        """True for `call`, the pact's record."""
        named = isinstance(expr, syntax.Name) and expr.name == "call" and "call" not in scope.variables
        return named and self.mode is Mode.PACT

    def root_field(self, expr: syntax.Select) -> ir.Expr:
        """`call.field`: reads the field, not the record."""
        field = self._field(self.slots.root, expr)
        if field is None:
            return self.error(expr.span)
        return ir.Slot(field.type, expr.span, self.slots.field(-1, field.name, field.type))

    def _field(self, record: str, expr: syntax.Select) -> Field | None:
        """The field of a record that `expr` names; None (reported once in a clause) if there is none."""
        fields = self.slots.fields[record]
        if expr.field not in fields and self.once(f"{record}.{expr.field}"):
            few: Hint = {}
            if len(fields) <= MANY_FIELDS:
                few = {"help": (f"its fields are {listed(fields, 'and')}",)}
            self.report.error(
                "unknown-field", f"unknown field `{expr.field}`", expr.field_span, f"not in `{record}`",
                **(suggest(expr.field, expr.field_span, fields) or few),
            )  # fmt: skip
        return fields.get(expr.field)

    def member(self, operand: ir.Expr, expr: syntax.Select, scope: Scope) -> ir.Expr:
        """`operand.field`."""
        type = operand.type
        if type.kind == "error":
            return self.error(expr.span)
        if type.kind == "record":
            return self._record_member(operand, expr, scope)
        if optionals.is_of_record(operand):
            return optionals.through(self, operand, expr, scope)
        inside = type.element if type.kind == "optional" else type
        if inside.kind in ("dyn", "unset") or (inside.kind == "map" and self._takes_text(inside)):
            self.strict(operand, scope)
            found = inside.params[1] if inside.params else DYN
            found = found if inside is type else optional_of(found)
            return ir.Key(found, expr.span, operand, expr.field)
        self.report.error(
            "unknown-field", f"unknown field `{expr.field}`: {an(type.plain)} has no fields", expr.field_span,
            help=field_help(type, expr.field),
        )  # fmt: skip
        return self.error(expr.span)

    def _takes_text(self, type: Type) -> bool:
        """Whether the keys of a map may be text; CEL looks when it runs."""
        return type.element.kind in ("string", "dyn", "unset") or self.mode is not Mode.PACT

    def _record_member(self, operand: ir.Expr, expr: syntax.Select, scope: Scope) -> ir.Expr:
        field = self._field(operand.type.name, expr)
        if field is None:
            return self.error(expr.span)
        self.strict(operand, scope)
        if isinstance(operand, ir.Slot):
            return ir.Slot(field.type, expr.span, self.slots.field(operand.slot, field.name, field.type))
        return ir.Member(field.type, expr.span, operand, field.name)

    def _index(self, expr: syntax.Index, scope: Scope) -> ir.Expr:
        if expr.optional:
            return optionals.index(self, expr, scope)
        operand, index = self.infer(expr.operand, scope), self.infer(expr.index, scope)
        return overloads.index(self, expr, operand, index, scope)

    # Shapes of expressions -----------------------------------------------------------------

    def _logic(self, expr: syntax.Logic, scope: Scope) -> ir.Expr:
        operands, facts, truth = [], scope.facts, expr.op == "&&"
        for written in expr.operands:
            what = "on each side of" if len(expr.operands) == 2 else "between"
            node = self.condition(written, scope._replace(facts=facts), f"{what} `{expr.op}`")
            operands.append(node)
            facts = facts | self.known.when(node, truth)
        if any(node.type == ERROR for node in operands):
            return self.error(expr.span)
        return ir.Logic(BOOL, expr.span, expr.op, tuple(operands))

    def _conditional(self, expr: syntax.Conditional, scope: Scope) -> ir.Expr:
        test = self.condition(expr.test, scope, "before `?`")
        decides = scope.atom == expr.span
        yes, no = (
            self.infer(
                written,
                scope._replace(
                    facts=scope.facts | self.known.when(test, truth), atom=written.span if decides else None
                ),
            )
            for written, truth in ((expr.yes, True), (expr.no, False))
        )
        type = agree(yes.type, no.type, self.nulls)
        if type is None:
            operators.unlike_branches(self, yes, no)
            return self.error(expr.span)
        if ERROR in (test.type, type):
            return self.error(expr.span)
        return ir.Cond(type, expr.span, test, yes, no)

    def _list(self, expr: syntax.ListLiteral, scope: Scope) -> ir.Expr:
        inner = scope._replace(atom=None)
        items = tuple(self.infer(item.value, inner) for item in expr.items)
        marked = optionals.marked(expr.items)
        element = self.joined(
            [optionals.inner(self, x) if i in marked else x.type for i, x in enumerate(items)]
        )
        if element == ERROR:
            return self.error(expr.span)
        return ir.ListOf(list_of(element), expr.span, items, marked)

    def _map(self, expr: syntax.MapLiteral, scope: Scope) -> ir.Expr:
        inner = scope._replace(atom=None)
        keys = tuple(self._key(entry.key, inner) for entry in expr.entries)
        values = tuple(self.infer(entry.value, inner) for entry in expr.entries)
        marked = optionals.marked(expr.entries)
        key = self.joined([node.type for node in keys])
        value = self.joined(
            [optionals.inner(self, x) if i in marked else x.type for i, x in enumerate(values)]
        )
        if ERROR in (key, value):
            return self.error(expr.span)
        return ir.MapOf(map_of(key, value), expr.span, tuple(zip(keys, values, strict=True)), marked)

    def joined(self, types: Sequence[Type]) -> Type:
        """The type of an element that is any of `types`; of none, not known yet."""
        if not types:
            return UNSET
        found = types[0]
        for type in types[1:]:
            if type != found:
                found = join(found, type, self.nulls)
        return found

    def _key(self, expr: syntax.Expr, scope: Scope) -> ir.Expr:
        node = self.infer(expr, scope)
        if node.type.kind in MAP_KEYS:
            return node
        wrong = self.report.rule(
            "map-key", f"{an(node.type)} cannot be a key of a map", expr.span,
            help=("keys are of type `string`, `int`, `uint` or `bool`",),
        )  # fmt: skip
        return self.error(expr.span) if wrong else node


def loosened(node: ir.Expr) -> ir.Expr:
    """The node as one whose type is known only when it runs."""
    if node.type.kind in ("dyn", "error"):
        return node
    if isinstance(node, ir.Const):
        return ir.Call(DYN, node.span, "dyn", "to_dyn", (node,))
    return replace(node, type=DYN)
