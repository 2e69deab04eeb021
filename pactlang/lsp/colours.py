"""Semantic tokens: what each word is where it stands, which regular expressions can only guess.

In: a document, and maybe a span of it.  Out: LSP's list of numbers, five for each token.  A segment's tokens
are found once, for as long as its text stays the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from pactlang.check.calls import NAMESPACES
from pactlang.lsp.document import Document
from pactlang.lsp.facts import (
    CLAUSE,
    DIMENSION,
    FIELD,
    FUNCTION,
    MEMBER,
    RECORD,
    SEVERITY,
    TYPE,
    VALUE,
    VARIABLE,
)
from pactlang.lsp.lines import units
from pactlang.lsp.segments import Segment

TYPES = (
    "keyword", "property", "variable", "function", "class", "type", "enumMember", "namespace", "event",
    "regexp", "parameter", "method",
)  # fmt: skip
MODIFIERS = ("declaration", "readonly")
OF_SPACE = {
    VALUE: "property", CLAUSE: "function", RECORD: "class", FIELD: "property", MEMBER: "property",
    FUNCTION: "method", VARIABLE: "parameter", DIMENSION: "enumMember", SEVERITY: "enumMember", TYPE: "type",
}  # fmt: skip
OF_KIND = {"let": "variable", "event": "event", "pattern": "variable", "phrases": "variable"}

# Start and length in characters, number of the type, bits of the modifiers; sorted.
Token = tuple[int, int, int, int]


def tokens(document: Document, start: int = 0, end: int | None = None) -> list[int]:
    """The tokens of the file, or of what lies between two offsets."""
    found: list[int] = []
    last = end if end is not None else len(document.text)
    line = column = 0
    kinds = {
        name: places[0].declared.kind for (space, name), places in document.declared.items() if space == VALUE
    }
    place = document.lines.place
    for placed in document.parts:
        if placed.start + len(placed.segment.text) <= start or placed.start >= last:
            continue
        for at, length, kind, bits in _resolved(placed.segment, kinds):
            at += placed.shift
            to_line, to_column = place(at)
            size = length if document.lines.plain else units(document.text[at : at + length])
            found += (to_line - line, to_column - column if to_line == line else to_column, size, kind, bits)
            line, column = to_line, to_column
    return found


def _resolved(segment: Segment, kinds: dict[str, str]) -> Iterator[Token]:
    """A segment's tokens; names of values become what they are declared as."""
    for at, length, kind, bits in of_segment(segment):
        if kind == PROPERTY and bits == UNSURE:
            name = segment.source.text[at : at + length]
            declared = kinds.get(name)
            if declared is not None:
                yield at, length, TYPES.index(OF_KIND[declared]), 2
            elif name in NAMESPACES or name == "cel":
                yield at, length, TYPES.index("namespace"), 0
            else:
                yield at, length, PROPERTY, 0
        else:
            yield at, length, kind, bits


PROPERTY = TYPES.index("property")
UNSURE = -1


def of_segment(segment: Segment) -> list[Token]:
    """The tokens of a segment alone, with the spans of its tree."""
    known = segment.__dict__.get("tokens")
    if known is None:
        known = segment.__dict__["tokens"] = sorted({token[0]: token for token in _found(segment)}.values())
    return known


def _found(segment: Segment) -> Iterator[Token]:
    base, last = segment.base, segment.base + len(segment.text)
    for start, (kind, end) in segment.parsed[1].items():
        inside = base <= start and end <= last and kind not in ("IDENT", "QUOTED")
        if inside and segment.source.text[start:end].isidentifier():
            yield start, end - start, 0, 0
    declared = {one.span.start for one in segment.facts.declared}
    for use in segment.facts.uses:
        if base <= use.span.start < use.span.end <= last:
            sure = use.space != VALUE or use.span.start in declared
            bits = 1 if use.span.start in declared else 0 if sure else UNSURE
            yield use.span.start, use.span.end - use.span.start, TYPES.index(OF_SPACE[use.space]), bits
    for one in segment.facts.declared:
        if one.kind in OF_KIND:
            yield one.span.start, one.span.end - one.span.start, TYPES.index(OF_KIND[one.kind]), 3
