"""What could stand at the cursor.

In: a document and an offset.  Out: `Item`s with the span that they replace.  The text before the cursor is
parsed to know which words can follow; then a name is put at the cursor and the text is ended as shortly as
the grammar allows, and the tree of that says what the name would be: a field behind a dot, a dimension, a
clause of a test.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pactlang import syntax
from pactlang.check.calls import NAMESPACES
from pactlang.check.clauses import ACTIONS, SEVERITIES
from pactlang.check.shapes import TYPE_NAMES
from pactlang.functions import FUNCTIONS, Overload
from pactlang.link import std_names
from pactlang.lsp import forms, meanings
from pactlang.lsp.document import Document, moved
from pactlang.lsp.facts import CLAUSE, DIMENSION, VALUE, path
from pactlang.lsp.hover import field_text, function_text
from pactlang.lsp.knowledge import Knowledge, Learnt
from pactlang.lsp.segments import Placed, Segment, inside
from pactlang.parse import parse_in_part
from pactlang.parse.ahead import Ahead, ahead
from pactlang.schema import Type
from pactlang.source import Source, Span
from pactlang.text import CHECKS

# The dimensions that a pact may give weights to, beside those that it names itself.
DIMENSIONS = (
    "accuracy", "reliability", "safety", "self_audit", "security", "bond", "latency", "scope_honesty",
    "cost_efficiency", "model_compliance", "runtime_compliance", "harness_stability",
)  # fmt: skip
MARK = "zz_here_zz"
_WORD = re.compile(r"[A-Za-z0-9_]*\Z")
_REST = re.compile(r"[A-Za-z0-9_]*")
_DOT = re.compile(r"\.\??[ \t]*\Z")
# Ranks: what is nearest comes first.
NEAR, OWN, GIVEN, CALLED, WORDS = "1", "2", "3", "4", "5"
METHODS = tuple(row for rows in FUNCTIONS.values() for row in rows if row.method)


class Item(NamedTuple):
    """One thing that could stand here.  `kind` as LSP names it; `insert` if it is other than the label."""

    label: str
    kind: str
    detail: str = ""
    text: str = ""
    rank: str = OWN
    insert: str = ""
    snippet: bool = False


class Completion(NamedTuple):
    """The items, and what of the file they take the place of."""

    items: tuple[Item, ...]
    span: Span


class Spot(NamedTuple):
    """The cursor's place: the tree of the text with a mark there, and the nodes around the mark."""

    ahead: Ahead
    nodes: list[syntax.Node]
    item: syntax.Declaration | None


def complete(document: Document, knowledge: Knowledge, offset: int) -> Completion:
    """What could stand at an offset."""
    placed = document.at(offset)
    at = offset - placed.start
    kind, start, end = inside(placed.segment.text, at)
    if kind == "comment":
        return Completion((), Span(offset, offset))
    if kind == "text":
        return _in_text(document, knowledge, placed, at, start, end)
    word = _WORD.search(placed.segment.text, 0, at)
    assert word is not None
    rest = _REST.match(placed.segment.text, at)
    begin, last = word.start(), rest.end() if rest else at
    span = Span(placed.start + begin, placed.start + last)
    if word[0][:1].isdigit():
        return Completion((), span)
    found = _unique(_items(document, knowledge, placed.segment, begin))
    return Completion(found, span)


def _unique(items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple({item.label: item for item in reversed([*items])}.values())[::-1]


def _spot(segment: Segment, begin: int, mark: str = MARK, bare: bool = False) -> Spot | None:
    """The segment's text up to `begin`, a mark, and an end.  bare: with no header before it."""
    before = segment.text[:begin] if bare else segment.source.text[: begin + segment.base]
    here = ahead(Source("", before))
    if here is None:
        return None
    ended = ahead(Source("", before + mark))
    text = f"{before}{mark} {ended.ending if ended is not None else here.ending}"
    tree, _, _ = parse_in_part(Source("", text))
    nodes = [] if tree is None else path(tree, begin + segment.base + 1)
    item = next((node for node in nodes if isinstance(node, syntax.Declaration)), None)
    return Spot(here, nodes, item)


def _items(document: Document, knowledge: Knowledge, segment: Segment, begin: int) -> Iterator[Item]:
    bare = (
        document.pact is None and segment is document.parts[0].segment and not _written(segment.text, begin)
    )
    spot = _spot(segment, begin, bare=bare)
    if spot is None:
        return
    if _DOT.search(segment.text, 0, begin):
        yield from _behind_dot(knowledge, spot)
        return
    last = spot.nodes[-1] if spot.nodes else None
    if "IDENT" in spot.ahead.kinds:
        if isinstance(last, syntax.Name) and spot.item is not None:
            yield from _values(document, knowledge, spot, last)
        else:
            yield from _names(document, knowledge, spot)
    yield from _words(spot.ahead)


def _written(text: str, at: int) -> str:
    """What is written before an offset, beside comments."""
    return re.sub(r"//[^\r\n]*", "", text[:at]).strip()


# Words of the language ---------------------------------------------------------------------------


def _words(here: Ahead) -> Iterator[Item]:
    place = "declaration" if "CLAUSE" in here.kinds else "part" if "SEVERITY" in here.kinds else ""
    if "PACT" in here.kinds:
        place = "declaration"
    for where, label, detail, text in forms.SNIPPETS:
        if where == place and ("PACT" in here.kinds) == (label == "pact"):
            yield Item(label, "Snippet", detail, rank=NEAR, insert=text, snippet=True)
    for word in here.words:
        kind = "EnumMember" if word in ACTIONS else "Keyword"
        yield Item(word, kind, rank=WORDS, insert=f"{word} ")


# Behind a dot ------------------------------------------------------------------------------------


def _behind_dot(knowledge: Knowledge, spot: Spot) -> Iterator[Item]:
    select = next((node for node in reversed(spot.nodes) if isinstance(node, syntax.Select)), None)
    if select is None or spot.item is None:
        return
    operand = select.operand
    if isinstance(operand, syntax.Name) and not knowledge.walk.resolves(operand.name, knowledge.walk.nowhere):
        for name in sorted(
            name for name in (*FUNCTIONS, *forms.MACROS) if name.startswith(f"{operand.name}.")
        ):
            yield _function(name, name.partition(".")[2])
    type = knowledge.learn(spot.item).type(operand)
    if type is None:
        return
    inner = type.element if type.kind == "optional" else type
    if inner.kind == "record":
        for field in knowledge.fields(inner.name).fields:
            text = field_text(knowledge, inner.name, field.name)
            yield Item(field.name, "Field", str(field.type), text, NEAR)
    if not select.optional:
        yield from _methods(type)


def _methods(type: Type) -> Iterator[Item]:
    """Functions that are asked of a value of this type."""
    for name in dict.fromkeys(row.function for row in METHODS if _takes(row, type)):
        if "." not in name and name[0].isalpha():
            yield _function(name, name, CALLED)
    if type.kind in ("string", "dyn"):
        yield _function("says", "says", CALLED)
    if type.kind in ("list", "map", "dyn"):
        for name in ("all", "exists", "exists_one", "filter", "map", "transformList", "transformMap"):
            if type.kind != "list" or name != "transformMap":
                yield _function(name, name, GIVEN)
    if type.kind == "optional":
        yield from (_function(name, name, GIVEN) for name in ("optMap", "optFlatMap"))


def _takes(row: Overload, type: Type) -> bool:
    return type.kind == "dyn" or row.params[0].kind in ("param", type.kind)


def _function(name: str, label: str, rank: str = CALLED) -> Item:
    found = meanings.FUNCTIONS.get(name) or forms.MACROS.get(name)
    detail = found[0][0] if found else ""
    return Item(label, "Function", detail, function_text(name), rank, f"{label}($0)", True)


# In an expression --------------------------------------------------------------------------------


def _values(document: Document, knowledge: Knowledge, spot: Spot, name: syntax.Name) -> Iterator[Item]:
    assert spot.item is not None
    types = knowledge.learn(spot.item)
    call = _argument_of(spot.nodes)
    if call in ("matches", "says"):
        kind = "pattern" if call == "matches" else "phrases"
        yield from (item._replace(rank="0") for item in _declared(document) if item.detail.startswith(kind))
    if call in ("violated", "satisfied"):
        yield from _clauses(document)
    yield from _choices(_expected(spot.nodes, types), "")
    if isinstance(spot.item, syntax.Test):
        yield from (Item(word, "Keyword", rank=WORDS) for word in ("true", "false", "null"))
        return
    for variable, var in types.scope(name.span).variables.items():
        yield Item(variable, "Variable", str(var.type), rank=NEAR)
    for field in knowledge.fields(knowledge.root).fields:
        text = field_text(knowledge, knowledge.root, field.name)
        yield Item(field.name, "Field", str(field.type), text)
    yield from (item for item in _declared(document) if item.detail.startswith(("let", "event")))
    yield Item("call", "Variable", knowledge.root, rank=GIVEN)
    yield _function("has", "has")
    if not types.scope(name.span).variables:
        yield from (_function(operator, operator) for operator in forms.OPERATORS)
    for function in FUNCTIONS:
        if (
            "." not in function
            and function[0].isalpha()
            and any(not row.method for row in FUNCTIONS[function])
        ):
            yield _function(function, function)
    yield from (
        Item(space, "Module", rank=CALLED, insert=f"{space}.") for space in sorted({*NAMESPACES, "cel"})
    )


def _argument_of(nodes: list[syntax.Node]) -> str:
    """The function of which the mark is an argument itself."""
    for node in reversed(nodes[:-1]):
        if isinstance(node, syntax.Call):
            return node.function if nodes[-1] in node.args else ""
    return ""


def _declared(document: Document) -> Iterator[Item]:
    for place in document.names(VALUE):
        one = place.declared
        text = document.text if not place.imported or document.imported.source is None else ""
        whole = moved(one.whole, place.shift)
        detail = " ".join(text[whole.start : whole.end].split())[:80] or one.kind
        kind = {"let": "Constant", "event": "Event"}.get(one.kind, "Value")
        yield Item(one.name, kind, detail if detail.startswith(one.kind) else one.kind, rank=GIVEN)


def _clauses(document: Document) -> Iterator[Item]:
    for place in document.names(CLAUSE):
        node = place.declared.node
        text = node.description if isinstance(node, syntax.Clause) else ""
        yield Item(place.declared.name, "Method", "clause", text, NEAR)


# Names of other spaces ---------------------------------------------------------------------------


def _names(document: Document, knowledge: Knowledge, spot: Spot) -> Iterator[Item]:
    last = spot.nodes[-1] if spot.nodes else None
    around = spot.nodes[-2] if len(spot.nodes) > 1 else None
    match around, last:
        case syntax.Severity(), _:
            yield from (
                Item(name, "EnumMember", "severity", rank=f"0{n}") for n, name in enumerate(SEVERITIES)
            )
        case ((syntax.Dimension() | syntax.Score()), _):
            known = [*DIMENSIONS, *(name for space, name in document.used if space == DIMENSION)]
            yield from (
                Item(each, "EnumMember", "dimension") for each in dict.fromkeys(known) if each != MARK
            )
        case ((syntax.TestExpect() | syntax.Drop()), _):
            yield from _clauses(document)
        case (syntax.TestCall(), _) | (syntax.StoreItem(), _):
            colon = ": " if isinstance(around, syntax.TestCall) else ""
            for field in knowledge.fields(knowledge.root).fields:
                text = field_text(knowledge, knowledge.root, field.name)
                yield Item(field.name, "Field", str(field.type), text, insert=field.name + colon)
        case _, syntax.TypeRef():
            yield from (Item(name, "TypeParameter", "type") for name in TYPE_NAMES)
            yield from (Item(name, "Struct", "record") for name in knowledge.records)
        case ((syntax.Pact() | syntax.RecordDecl(extend=True)), _):
            if "CLAUSE" not in spot.ahead.kinds:
                yield from (Item(name, "Struct", "record") for name in knowledge.records)
        case syntax.PatternDecl(check=syntax.Ident(name=name)), _ if name == MARK:
            yield from (Item(check, "EnumMember", "check") for check in CHECKS)
        case _:
            if "DIMENSION" in spot.ahead.kinds or isinstance(around, EVENT_FORMS):
                yield from (item for item in _declared(document) if item.detail.startswith("event"))


EVENT_FORMS = (syntax.OnlyAfter, syntax.NeverAfter, syntax.AtMost, syntax.Expect)


# In a string -------------------------------------------------------------------------------------


def _in_text(
    document: Document, knowledge: Knowledge, placed: Placed, at: int, start: int, end: int
) -> Completion:
    """The values of an enum, where a string is compared with one, or is one's default."""
    written = placed.segment.text[start:end]
    quote = written.lstrip("bBrR")[:1]
    opened = start + written.index(quote) + 1
    closed = end - 1 if len(written) > opened - start and written.endswith(quote) else end
    span = Span(placed.start + opened, placed.start + max(closed, at))
    if at < opened or "\n" in written:
        return Completion((), Span(placed.start + at, placed.start + at))
    spot = _spot(placed.segment, start, f'"{MARK}"')
    if spot is None or spot.item is None:
        return Completion((), span)
    if isinstance(spot.item, syntax.Import):
        return Completion(tuple(Item(name, "File", "pattern pack") for name in std_names()), span)
    return Completion(_unique(_choices(_expected(spot.nodes, knowledge.learn(spot.item)), quote)), span)


def _choices(type: Type | None, quote: str) -> Iterator[Item]:
    """The values of an enum; within quotes, or with them."""
    for value in () if type is None else type.values:
        yield Item(value if quote else f'"{value}"', "EnumMember", "value", rank="0")
    if type is not None and type.kind == "bool" and not quote:
        yield from (Item(word, "Keyword", rank="0") for word in ("true", "false"))


def _expected(nodes: list[syntax.Node], types: Learnt) -> Type | None:
    """The type that a value at the mark is held against: of the other side, of the field."""
    mark = nodes[-1]
    for node in reversed(nodes[:-1]):
        match node:
            case syntax.Binary(op="==" | "!=", left=left, right=right):
                return types.type(left if right is mark else right) if mark in (left, right) else None
            case syntax.Binary(op="in", left=left):
                return types.type(left) if left is not mark else None
            case syntax.TestCall(fields=fields):
                name = next((name.name for name, value in fields if value is mark), "")
                field = types.knowledge.fields(types.knowledge.root).field(name)
                return None if field is None else field.type
            case syntax.FieldDecl(type=written):
                return Type("string", values=tuple(text.value for text in written.values))
            case syntax.ListLiteral() | syntax.Item():
                continue
            case _:
                return None
    return None
