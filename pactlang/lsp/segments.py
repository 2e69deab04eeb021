"""A text cut into its declarations, each parsed by itself.

In: a text.  Out: `Segment`s, which together are the text.  A segment's tree, words and names depend on its
own text alone, so an edit costs the parse of what was edited.

A declaration begins at the left margin, outside strings: what a person writes and what `fmt` makes.  Where
that is not so, two declarations are one segment, or one is two; answers get poorer then, and diagnostics,
for which the whole is parsed, stay right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

from pactlang import syntax
from pactlang.diagnostic import Diagnostic
from pactlang.lsp.facts import Facts, facts_of
from pactlang.parse import parse_in_part
from pactlang.parse.table import table
from pactlang.source import Source

# What a declaration is parsed behind.
HEAD = 'pact p "1"\n'
# Characters of a segment that is parsed while somebody waits; a larger one is read by the checker alone.
LARGEST = 200_000

_RAW = r"(?:[bB]?[rR]|[rR][bB])"
_WORDS = "|".join(sorted({"PACT", *table().declarations} - {"DROP"})).lower()
_TEXTS = (
    rf'{_RAW}"""[\s\S]*?(?:"""|\Z)|{_RAW}\'\'\'[\s\S]*?(?:\'\'\'|\Z)|{_RAW}"[^"\r\n]*"?|{_RAW}\'[^\'\r\n]*\'?'
    r'|[bB]?"""(?:[^"\\]|\\[\s\S]|"(?!""))*(?:"""|\Z)|[bB]?\'\'\'(?:[^\'\\]|\\[\s\S]|\'(?!\'\'))*(?:\'\'\'|\Z)'
    r'|[bB]?"(?:[^"\\\r\n]|\\[^\r\n])*"?|[bB]?\'(?:[^\'\\\r\n]|\\[^\r\n])*\'?'
)
_COMMENT = r"//[^\r\n]*"
# A name at the margin that is used there begins nothing: `owner: string`, `session == "x"`.
_START = re.compile(rf"^(?:{_WORDS}|drop(?=[ \t]+clause\b))\b(?![ \t]*(?:[:.(=<>!+*/%&|?,)\]]|-))", re.M)
# A string of several lines, or what could hold the beginning of one.
_LONG = re.compile(rf"{_COMMENT}|\w*?(?:{_TEXTS})")
_PIECES = re.compile(rf"(?P<comment>{_COMMENT})|(?P<text>(?<![A-Za-z0-9_])(?:{_TEXTS}))")


class Segment:
    """A declaration with what follows it up to the next; the first also holds what comes before."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def base(self) -> int:
        """What to take from a span of the tree to get an offset in `text`."""
        return 0 if _header(self.text) else len(HEAD)

    @cached_property
    def source(self) -> Source:
        """The text that is parsed."""
        return Source("", self.text if self.base == 0 else HEAD + self.text)

    @cached_property
    def parsed(self) -> tuple[syntax.Pact | None, dict[int, tuple[str, int]], tuple[Diagnostic, ...]]:
        """The tree, as far as it goes; each word's kind and end by its beginning; mistakes."""
        if len(self.text) > LARGEST:
            return None, {}, ()
        tree, words, found = parse_in_part(self.source)
        return tree, {span.start: (kind, span.end) for kind, span in words}, found

    @cached_property
    def items(self) -> tuple[syntax.Declaration, ...]:
        """The declarations; more than one where some do not begin at the margin."""
        tree = self.parsed[0]
        return () if tree is None else tree.items

    @property
    def pact(self) -> syntax.Pact | None:
        """The header, if it is here."""
        return self.parsed[0] if self.base == 0 else None

    @cached_property
    def facts(self) -> Facts:
        """The names in it."""
        return facts_of(self.pact, self.items)


class Placed(NamedTuple):
    """A segment and where it begins."""

    start: int
    segment: Segment

    @property
    def shift(self) -> int:
        """What to add to a span of the segment's tree to get a place in the file."""
        return self.start - self.segment.base


def segments(text: str, known: Mapping[str, Segment]) -> list[Placed]:
    """The segments of a text; those that are `known` by their text are taken from there."""
    begins = beginnings(text)
    if begins and text.startswith("pact", begins[0]):
        begins = begins[1:]  # what is before the header belongs to it
    starts = [0, *(at for at in begins if at > 0)]
    found = []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        part = text[start:end]
        found.append(Placed(start, known.get(part) or Segment(part)))
    return found


def inside(text: str, at: int) -> tuple[str, int, int]:
    """What an offset of a segment's text is in: ("comment" or "text" or "", its start, its end)."""
    for piece in _PIECES.finditer(text):
        if piece.start() >= at:
            break
        kind = "comment" if piece["comment"] else "text"
        closed = kind == "text" and _is_closed(piece[0])
        if at < piece.end() or (at == piece.end() and not closed):
            return kind, *piece.span()
    return "", at, at


def _is_closed(written: str) -> bool:
    quote = written.lstrip("bBrR")
    long = quote[:3] in ('"""', "'''") and len(quote) > 2
    return len(quote) >= (6 if long else 2) and quote.endswith(quote[:3] if long else quote[0])


def beginnings(text: str) -> list[int]:
    """Where declarations begin at the margin, and the header."""
    starts = [found.start() for found in _START.finditer(text)]
    if '"""' not in text and "'''" not in text:
        return starts
    long = [m.span() for m in _LONG.finditer(text) if "\n" in m[0] or "\r" in m[0]]
    return [at for at in starts if not any(start < at < end for start, end in long)]


def _header(text: str) -> bool:
    return any(
        text.startswith("pact", at) and not text[at + 4 : at + 5].isalpha() for at in beginnings(text)[:1]
    )
