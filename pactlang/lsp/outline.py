"""The outline of a file, and what of it can be folded.

In: a document.  Out: `DocumentSymbol`s and `FoldingRange`s, as JSON data.
"""

from __future__ import annotations

from typing import Any

from pactlang import syntax
from pactlang.lsp.document import Document, moved
from pactlang.lsp.facts import KINDS
from pactlang.source import Span

# Numbers of LSP's SymbolKind.
MODULE, CLASS, METHOD, FIELD, CONSTANT, STRUCT, EVENT, PROPERTY = 2, 5, 6, 8, 14, 23, 24, 7
NAMED = {"let": CONSTANT, "event": EVENT, "pattern": PROPERTY, "phrases": PROPERTY}


def symbols(document: Document) -> list[dict[str, Any]]:
    """The declarations in their order, fields of a record below it."""
    found = []
    for placed in document.parts:
        if placed.segment.pact is not None:
            name = placed.segment.pact.name
            if name.name:
                whole = Span(name.span.start, max(name.span.end, placed.segment.pact.version.span.end))
                found.append(_symbol(document, placed.shift, name.name, "pact", MODULE, name.span, whole))
        for item in placed.segment.items:
            found += _item(document, placed.shift, item)
    return found


def _item(document: Document, shift: int, item: syntax.Declaration) -> list[dict[str, Any]]:
    match item:
        case syntax.Override(declaration=inner):
            return _item(document, shift, inner)
        case syntax.Clause(name=name, description=description):
            return [_symbol(document, shift, name.name, description, METHOD, name.span, item.span)]
        case syntax.RecordDecl(name=name, fields=fields):
            made = _symbol(document, shift, name.name, "record", STRUCT, name.span, item.span)
            made["children"] = [
                _symbol(document, shift, each.name.name, "", FIELD, each.name.span, each.span)
                for each in fields
                if each.name.name
            ]
            return [made] if name.name else []
        case syntax.Test(name=text):
            return [_symbol(document, shift, text.value or "test", "test", EVENT, text.span, item.span)]
        case syntax.Let() | syntax.Event() | syntax.PatternDecl() | syntax.PhrasesDecl():
            kind = KINDS[type(item)]
            return [_symbol(document, shift, item.name.name, kind, NAMED[kind], item.name.span, item.span)]
    return []


def _symbol(
    document: Document, shift: int, name: str, detail: str, kind: int, at: Span, whole: Span
) -> dict[str, Any]:
    lines = document.lines
    return {
        "name": " ".join(name.split()) or "?",
        "detail": detail,
        "kind": kind,
        "range": lines.range(moved(whole, shift)),
        "selectionRange": lines.range(moved(at, shift)),
    }


def folds(document: Document) -> list[dict[str, Any]]:
    """Blocks of more than one line, and runs of comments on lines of their own."""
    found = []
    place = document.lines.place
    for placed in document.parts:
        opened: list[int] = []
        for start, (kind, _) in sorted(placed.segment.parsed[1].items()):
            if kind in ("LBRACE", "LSQB", "LPAR"):
                opened.append(start)
            elif kind in ("RBRACE", "RSQB", "RPAR") and opened:
                first, last = place(placed.shift + opened.pop())[0], place(placed.shift + start)[0]
                if last > first + (kind != "RBRACE"):
                    found.append({"startLine": first, "endLine": last - 1})
    return found + _comments(document)


def _comments(document: Document) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    first = -1
    lines = document.lines
    for number in range(len(lines.starts) + 1):
        inside = number < len(lines.starts) and _is_comment(document.text, lines.starts[number])
        if inside and first < 0:
            first = number
        elif not inside and first >= 0:
            if number - 1 > first:
                found.append({"startLine": first, "endLine": number - 1, "kind": "comment"})
            first = -1
    return found


def _is_comment(text: str, at: int) -> bool:
    while text[at : at + 1] in (" ", "\t"):
        at += 1
    return text.startswith("//", at)
