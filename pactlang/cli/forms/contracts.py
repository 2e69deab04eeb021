"""A pact in plain language, as a page of HTML and as Markdown.

In: `prose.Document`.  Out: bytes, or text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from pactlang.cli.forms.page import Child, document, el, shown
from pactlang.prose import Block, Code, Document, Heading, Items, Paragraph, Source, Table, Words

# What Markdown, or HTML inside it, may take for more than itself; some signs only where a line begins.
SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&$]|^[-+=]|(?<=^\d)[.)])")
FENCE = re.compile(r"`+")


# HTML ----------------------------------------------------------------------------------------------


def html(said: Document) -> bytes:
    """One page, in UTF-8."""
    return document(said.title, [_element(block) for block in said.blocks])


def _spans(words: Words) -> Iterator[Child]:
    return (el("code", "", each.text) if isinstance(each, Code) else each for each in words)


def _element(block: Block) -> Element:
    match block:
        case Heading():
            mark = el("span", f"badge {block.mark}", block.mark) if block.mark else None
            return el(f"h{block.level}", "section" if block.level > 2 else "", _spans(block.words), " ", mark)
        case Paragraph():
            return el("p", "", _spans(block.words))
        case Items():
            return el("ul", "", (el("li", "", _spans(item)) for item in block.items))
        case Source():
            return el("details", "", el("summary", "dim", "as written"), el("pre", "", block.text))
        case Table():
            head = el("thead", "", el("tr", "", (el("th", "", name) for name in block.head)))
            rows = (el("tr", "", (el("td", "", _spans(cell)) for cell in row)) for row in block.rows)
            return el("div", "scroll", el("table", "", head, el("tbody", "", rows)))


# Markdown ------------------------------------------------------------------------------------------


def markdown(said: Document) -> str:
    """CommonMark with tables."""
    return "\n\n".join(map(_text, said.blocks)) + "\n"


def _text(block: Block) -> str:
    match block:
        case Heading():
            mark = f" ({block.mark})" if block.mark else ""
            return f"{'#' * block.level} {_line(block.words)}{mark}"
        case Paragraph():
            return _line(block.words)
        case Items():
            return "\n".join(f"- {_line(item)}" for item in block.items)
        case Source():
            fence = "`" * max(3, 1 + max(map(len, FENCE.findall(block.text)), default=0))
            return f"{fence}pact\n{shown(block.text)}\n{fence}"
        case Table():
            rows = [
                [*block.head],
                ["---"] * len(block.head),
                *([_cell(cell) for cell in row] for row in block.rows),
            ]
            return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _line(words: Words) -> str:
    return "".join(_code(each.text) if isinstance(each, Code) else _plain(each) for each in words)


def _cell(words: Words) -> str:
    """A line in a table, where even code may not hold a bar."""
    return "".join(
        _code(each.text).replace("|", "\\|") if isinstance(each, Code) else _plain(each) for each in words
    )


def _plain(text: str) -> str:
    return SPECIAL.sub(r"\\\1", " ".join(shown(text).split("\n")))


def _code(text: str) -> str:
    """Between more backticks in a row than it holds."""
    text = " ".join(shown(text).split("\n"))
    fence = "`" * (1 + max(map(len, FENCE.findall(text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") or not text.strip() else ""
    return f"{fence}{pad}{text}{pad}{fence}"
