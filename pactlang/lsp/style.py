"""The one style, as edits.

In: a document.  Out: `TextEdit`s that make of it what `pactc fmt` would; none where it cannot be parsed.

Nothing in the style reaches over an empty line between declarations, so a file is formatted in the parts that
empty lines make of it, and a part that is the same as before need not be formatted again.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

from pactlang.fmt import format_pact
from pactlang.lsp.document import Document
from pactlang.lsp.segments import HEAD
from pactlang.source import Source

Known = dict[str, str | None]
BLANKS = " \t\f\r\n"
STYLED = 'pact p "1"\n\n'  # how HEAD looks in the style


class Part(NamedTuple):
    """A part of a file; the first has its header."""

    text: str
    first: bool


def restyled(document: Document, known: Known) -> list[dict[str, Any]]:
    """The edits, one for each part that changes.  known: what parts become, which this adds to."""
    learn(known, document, {part.text: style(part) for part in unknown(document, known)})
    found = []
    cuts = [*pieces(document), len(document.text)]
    for start, end in pairwise(cuts):
        before = document.text[start:end]
        after = known[before]
        if after is None:
            return _whole(document)
        after += "\n" if end < len(document.text) else ""
        if after != before:
            found.append({"range": document.lines.range((start, end)), "newText": after})
    return found


def _whole(document: Document) -> list[dict[str, Any]]:
    """One edit, of all of a file whose parts are none by themselves: where `pact` stands on a line alone."""
    after, _ = format_pact(Source("", document.text))
    if after is None or after == document.text:
        return []
    return [{"range": document.lines.range((0, len(document.text))), "newText": after}]


def parts(document: Document) -> list[Part]:
    """The parts of a file."""
    cuts = [*pieces(document), len(document.text)]
    return [Part(document.text[start:end], start == 0) for start, end in pairwise(cuts)]


def unknown(document: Document, known: Known) -> tuple[Part, ...]:
    """The parts of a file whose style is not known."""
    return tuple(part for part in parts(document) if part.text not in known)


def learn(known: Known, document: Document, styled: Known) -> None:
    """Take in the style of parts, and forget what the file has no more."""
    known.update(styled)
    for text in set(known) - {part.text for part in parts(document)}:
        del known[text]


def style(part: Part) -> str | None:
    """A part in the style, without an empty line at its end; None if it cannot be parsed."""
    if part.first:
        return format_pact(Source("", part.text))[0]
    text, _ = format_pact(Source("", f"{HEAD}\n{part.text}"))
    return None if text is None else text.removeprefix(STYLED)


def pieces(document: Document) -> list[int]:
    """Where the parts begin: at declarations, with all comments before them, that an empty line is before."""
    starts = [0]
    text, begins = document.text, document.lines.starts
    for placed in document.parts[1:]:
        number = decl = document.lines.place(placed.start)[0]
        while number and _says_nothing(text[begins[number - 1] : begins[number]]):
            number -= 1
        if number == decl or text[begins[number] : begins[number + 1]].strip(BLANKS):
            continue  # code, or a comment right below code
        while number < decl and not text[begins[number] : begins[number + 1]].strip(BLANKS):
            number += 1
        starts.append(begins[number])
    return starts


def _says_nothing(line: str) -> bool:
    line = line.strip(BLANKS)
    return not line or line.startswith("//")
