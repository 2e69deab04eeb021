"""The names in a declaration: which it declares, which it uses, and of which space each is.

In: the tree of a segment.  Out: `Facts`, with the tree's spans.  Names of values (lets, events, patterns,
phrases, fields of the pact's record) are one space; clauses, records, fields behind a dot, functions and
variables of macros are others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pactlang import syntax as s
from pactlang.check import bindings, macros
from pactlang.source import Span

VALUE, CLAUSE, RECORD, FIELD, MEMBER = "value", "clause", "record", "field", "member"
FUNCTION, VARIABLE, DIMENSION, SEVERITY, TYPE = "function", "variable", "dimension", "severity", "type"

Locals = dict[str, Span]
# In these the argument is the name of a clause.
OF_CLAUSES = frozenset({"violated", "satisfied"})


class Use(NamedTuple):
    """A name where it stands.  binder: of a variable, where it was bound; hidden: the variables that a
    name there would be taken for; of: the record whose field it is, "" for the pact's own."""

    space: str
    name: str
    span: Span
    binder: Span | None = None
    hidden: frozenset[str] = frozenset()
    of: str = ""


class Declared(NamedTuple):
    """A declaration: its space, what kind of thing it is, its name and all of it."""

    space: str
    kind: str
    name: str
    span: Span
    node: s.Node
    whole: Span
    of: str = ""


class Facts(NamedTuple):
    """What a segment declares and uses; a declaration's own name is a use, too."""

    declared: tuple[Declared, ...]
    uses: tuple[Use, ...]


KINDS: dict[type, str] = {
    s.Let: "let", s.Event: "event", s.PatternDecl: "pattern", s.PhrasesDecl: "phrases",
}  # fmt: skip


def facts_of(pact: s.Pact | None, items: tuple[s.Declaration, ...]) -> Facts:
    """The facts of some declarations, and of a header."""
    declared = tuple(each for item in items for each in _declared(item))
    uses = [Use(each.space, each.name, each.span, of=each.of) for each in declared]
    if pact is not None and pact.record is not None:
        uses.append(Use(RECORD, pact.record.name, pact.record.span))
    for item in items:
        uses += _uses(item, {})
    return Facts(declared, tuple(sorted(dict.fromkeys(uses), key=lambda use: use.span)))


def _declared(item: s.Declaration) -> Iterator[Declared]:
    match item:
        case s.Override(declaration=inner):
            yield from _declared(inner)
        case s.Clause(name=name):
            yield Declared(CLAUSE, "clause", name.name, name.span, item, item.span)
        case s.RecordDecl(name=name, extend=extend):
            if not extend:
                yield Declared(RECORD, "record", name.name, name.span, item, item.span)
            for field in item.fields:
                yield Declared(
                    FIELD, "field", field.name.name, field.name.span, field, field.span, item.name.name
                )
        case s.Let() | s.Event() | s.PatternDecl() | s.PhrasesDecl():
            yield Declared(VALUE, KINDS[type(item)], item.name.name, item.name.span, item, item.span)


def _uses(node: object, known: Locals) -> Iterator[Use]:
    match node:
        case s.Name() | s.Select() | s.Call():
            yield from _named(node, known)
        case s.OnlyAfter(event=event, after=after) | s.NeverAfter(event=event, after=after):
            yield from map(_event, filter(None, (event, after, getattr(node, "until", None))))
            yield from _inside(node, known)
        case s.AtMost(event=event):
            yield from [_event(event)] if event.name != "calls" else []
            yield from _inside(node, known)
        case s.Expect(trigger=trigger, expected=expected):
            yield from (_event(trigger), _event(expected))
            yield from _inside(node, known)
        case s.Dimension(name=name):
            yield Use(DIMENSION, name.name, name.span)
        case s.Severity(name=name):
            yield Use(SEVERITY, name.name, name.span)
        case s.Drop(name=name):
            yield Use(CLAUSE, name.name, name.span)
        case s.TestExpect(clauses=clauses):
            yield from (Use(CLAUSE, name.name, name.span) for name in clauses)
        case s.RecordDecl(name=name, extend=True):
            yield Use(RECORD, name.name, name.span)
            yield from _inside(node, known)
        case s.TypeRef(name=written):
            yield Use(TYPE, written, Span(node.span.start, node.span.start + len(written)))
            yield from _inside(node, known)
        case s.TestCall(fields=fields):
            for name, value in fields:
                yield Use(FIELD, name.name, name.span)
                yield from _uses(value, known)
        case s.StoreItem(field=field, pattern=pattern):
            yield from [Use(FIELD, field.name, field.span)] if field else []
            yield from [Use(VALUE, pattern.name, pattern.span)] if pattern else []
        case s.Score(weights=weights):
            yield from (Use(DIMENSION, name.name, name.span) for name, _ in weights or ())
        case s.Node():
            yield from _inside(node, known)
        case tuple():
            for part in node:
                yield from _uses(part, known)


def _inside(node: s.Node, known: Locals) -> Iterator[Use]:
    for name in node.__struct_fields__[1:]:
        value = getattr(node, name)
        if isinstance(value, s.Node | tuple):
            yield from _uses(value, known)


def _event(name: s.Ident) -> Use:
    return Use(VALUE, name.name, name.span)


def _named(node: s.Name | s.Select | s.Call, known: Locals) -> Iterator[Use]:
    match node:
        case s.Name(name=name, absolute=absolute):
            at = node.span if not absolute else Span(node.span.end - len(name), node.span.end)
            if name in known and not absolute:
                yield Use(VARIABLE, name, at, known[name], frozenset(known))
            else:
                yield Use(VALUE, name, at, None, frozenset(known))
        case s.Select(operand=s.Name(name="call"), field=field, field_span=span) if "call" not in known:
            yield Use(VALUE, "call", node.operand.span)
            yield Use(FIELD, field, span)
        case s.Select(operand=operand, field=field, field_span=span):
            yield from _uses(operand, known)
            yield Use(MEMBER, field, span)
        case s.Call():
            yield from _call(node, known)


def _call(node: s.Call, known: Locals) -> Iterator[Use]:
    if node.target is not None:
        yield from _uses(node.target, known)
    yield Use(FUNCTION, node.function, node.name_span)
    args = node.args
    if node.target is None and node.function in OF_CLAUSES:
        yield from (Use(CLAUSE, arg.name, arg.span) for arg in args if isinstance(arg, s.Name))
        args = tuple(arg for arg in args if not isinstance(arg, s.Name))
    bound, before = _bound(node)
    inner = dict(known)
    for name in args[:bound]:
        if isinstance(name, s.Name):
            inner[name.name] = name.span
            yield Use(VARIABLE, name.name, name.span, name.span, frozenset(known))
    yield from _uses(args[bound : bound + before], known)
    yield from _uses(args[bound + before :], inner)
    yield from _uses(node.where, known)


def _bound(node: s.Call) -> tuple[int, int]:
    """How many of a call's first arguments are variables that it binds, and how many of those behind
    them do not see the variables."""
    if node.target is None:
        return 0, 0
    if macros.is_macro(node):
        return (2 if macros.has_two_variables(node) else 1), 0
    if node.function in bindings.OPTIONAL_MACROS and len(node.args) == 2:
        return 1, 0
    if node.function == "bind" and isinstance(node.target, s.Name) and node.target.name == "cel":
        return 1, 1
    return 0, 0


def path(node: object, at: int) -> list[s.Node]:
    """The nodes that hold an offset, from `node` to the innermost."""
    found: list[s.Node] = []
    todo: list[object] = [node]
    while todo:
        part = todo.pop()
        if isinstance(part, tuple):
            todo += reversed(part)
        elif isinstance(part, s.Node) and part.span.start <= at <= part.span.end:
            found.append(part)
            todo = [getattr(part, name) for name in part.__struct_fields__[:0:-1]]
    return found
