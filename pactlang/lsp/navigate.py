"""From a name to its declaration, to its other places, and to another name.

In: a document and an offset.  Out: spans; for a rename the edits, or why there are none.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pactlang import syntax
from pactlang.lsp.document import Document, Place, moved
from pactlang.lsp.facts import CLAUSE, FIELD, FUNCTION, MEMBER, RECORD, TYPE, VALUE, VARIABLE, Use
from pactlang.lsp.hover import learnt
from pactlang.lsp.knowledge import Knowledge
from pactlang.lsp.segments import Placed
from pactlang.parse.expressions import RESERVED
from pactlang.parse.table import table
from pactlang.source import Span

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What is spelt alike in two spaces is one thing: a type's name and a record's, a field and its bare name.
SAME = {VALUE: (VALUE,), CLAUSE: (CLAUSE,), RECORD: (RECORD, TYPE), TYPE: (RECORD, TYPE)}
# Names that stand alone, without a dot or a keyword before them that tells their space.
BARE = frozenset({VALUE, VARIABLE})
NAMES = frozenset({VALUE, VARIABLE, CLAUSE, RECORD, TYPE})


class Refused(Exception):
    """A rename that would change what the pact says; the message tells why."""


class Target(NamedTuple):
    """A place in this file, or in an imported one: the offset is of the linked source then."""

    span: Span
    imported: bool = False


def definition(document: Document, knowledge: Knowledge, offset: int) -> Target | None:
    """Where the name at an offset is declared."""
    found = document.use_at(offset)
    if found is None:
        return _file(document, offset)
    placed, use = found
    if use.space == VARIABLE and use.binder is not None:
        return Target(moved(use.binder, placed.shift))
    place = _member(document, knowledge, placed, use) if use.space == MEMBER else document.resolve(use)
    return None if place is None else Target(place.span, place.imported)


def _file(document: Document, offset: int) -> Target | None:
    """The beginning of the file that an import at the offset names."""
    source, placed = document.imported.source, document.at(offset)
    for item in placed.segment.items:
        whole = moved(item.span, placed.shift)
        if isinstance(item, syntax.Import) and source is not None and whole.start <= offset <= whole.end:
            for part, way in zip(source.parts[1:], document.imported.ways, strict=True):
                if whole.start <= way.start <= whole.end:
                    return Target(Span(part.begin, part.begin), True)
    return None


def _member(document: Document, knowledge: Knowledge, placed: Placed, use: Use) -> Place | None:
    """The declaration of a field behind a dot, by the type before the dot."""
    found = learnt(placed, knowledge, use.span.start)
    if found is None:
        return None
    types, nodes = found
    for node in reversed(nodes):
        if isinstance(node, syntax.Select) and node.field_span == use.span:
            type = types.type(node.operand)
            return None if type is None else document.find(FIELD, f"{type.name}.{use.name}")
    return None


def places(document: Document, offset: int) -> tuple[Use, list[Span]] | None:
    """The name at an offset, and all its places; of a name behind a dot or a function only those that are
    spelt so."""
    found = document.use_at(offset)
    if found is None:
        return None
    placed, use = found
    if use.space == VARIABLE:
        near = placed.segment.facts.uses
        return use, [
            moved(u.span, placed.shift) for u in near if u.space == VARIABLE and u.binder == use.binder
        ]
    return use, [moved(u.span, shift) for shift, u in _alike(document, use)]


def _alike(document: Document, use: Use) -> list[tuple[int, Use]]:
    if use.space == FIELD or (use.space == VALUE and _is_field(document, use.name)):
        record = use.of or document.root
        own = document.used[VALUE, use.name] if record == document.root else []
        fields = [each for each in document.used[FIELD, use.name] if (each[1].of or document.root) == record]
        return sorted([*own, *fields], key=lambda each: each[0] + each[1].span.start)
    spaces = SAME.get(use.space, (use.space,))
    return [each for space in spaces for each in document.used.get((space, use.name), ())]


def _is_field(document: Document, name: str) -> bool:
    return document.find(VALUE, name) is None


def renamable(document: Document, offset: int) -> tuple[Use, Span]:
    """The name at an offset, if it can be renamed, and where it stands.  Raises Refused."""
    found = document.use_at(offset)
    if found is None:
        raise Refused("there is no name here")
    placed, use = found
    if use.space == VARIABLE:
        return use, moved(use.span, placed.shift)
    place = document.resolve(use)
    if place is None or (use.space in (FIELD, MEMBER, FUNCTION)) or place.declared.space == FIELD:
        what = "a field has the name of the data" if place is not None or use.space in (FIELD, MEMBER) else ""
        raise Refused(
            f"`{use.name}` is not declared by this pact" if not what else f"{what}: rename it with `as`"
        )
    if place.imported:
        raise Refused(f"`{use.name}` is declared in a file that this one imports")
    return use, moved(use.span, placed.shift)


def rename(document: Document, knowledge: Knowledge, offset: int, name: str) -> list[Span]:
    """The places to write `name` to.  Raises Refused where the pact would mean something else, or nothing."""
    use, _ = renamable(document, offset)
    if name == use.name:
        return []
    if not NAME.fullmatch(name):
        raise Refused("a name is made of letters, digits and `_`, and begins with no digit")
    if name in RESERVED or name == "call":
        raise Refused(f"`{name}` is a word that the language keeps for itself")
    taken = _taken(document, knowledge, use, name) or _mixed(document, offset, use, name)
    if taken:
        raise Refused(f"`{name}` is {taken}")
    found = places(document, offset)
    assert found is not None
    spans = sorted(set(found[1]))
    if name in table().keywords:
        _still_readable(document, spans, name)
    return spans


def _mixed(document: Document, offset: int, use: Use, name: str) -> str:
    """What the new name would be taken for, or would take something else for."""
    if use.space == VARIABLE:
        near = document.at(offset).segment.facts.uses
        return (
            "used in this declaration already" if any(u.name == name for u in near if u.space in BARE) else ""
        )
    spaces = SAME.get(use.space, (use.space,))
    if any(document.used.get((space, name)) for space in spaces):
        return "used elsewhere in this pact, for something that it does not declare"
    hidden = any(name in each.hidden for _, each in _alike(document, use))
    return "a variable where it would stand" if hidden else ""


def _taken(document: Document, knowledge: Knowledge, use: Use, name: str) -> str:
    if use.space == VARIABLE:
        return ""
    space = RECORD if use.space == TYPE else use.space
    place = document.find(space, name)
    if place is not None:
        return f"a {place.declared.kind} already"
    if space == VALUE and name in knowledge.walk.fields:
        return "a field of the record"
    if space == RECORD and name in knowledge.records:
        return "a record already"
    return ""


def _still_readable(document: Document, spans: list[Span], name: str) -> None:
    """A word of the language is a name only where the grammar has no use for the word: read the new text."""
    text, at = "", 0
    for span in spans:
        text += document.text[at : span.start] + name
        at = span.end
    after = Document(document.uri, text + document.text[at:], document)
    if _mistakes(after) > _mistakes(document) or len(_words(after, name)) != len(spans):
        raise Refused(f"`{name}` is a word of the language where it would stand")


def _words(document: Document, name: str) -> list[Use]:
    return [
        use
        for each in document.parts
        for use in each.segment.facts.uses
        if use.name == name and use.space in NAMES
    ]


def _mistakes(document: Document) -> int:
    return sum(len(part.segment.parsed[2]) for part in document.parts)
