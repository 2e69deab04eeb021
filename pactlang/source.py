"""A pact's text and places in it.

In: the bytes or text of one file, or of a pact and what it imports.  Out: `Source`, and `Span`s that point
into it.

A span counts characters (code points), never bytes; lines and columns are counted from 1 and are
computed only when something is shown.  The texts of imported files stand behind the pact's own, so that
a place in any of them is one number; `part` tells which file it is in.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple


class Span(NamedTuple):
    """A half-open range of characters [start, end) in one source."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The range from the start of this span to the end of `other`."""
        return Span(self.start, other.end)

    def moved(self, by: int) -> Span:
        """The range so many characters further on."""
        return Span(self.start + by, self.end + by)


class Place(NamedTuple):
    """A line and a column, both from 1; the column counts characters."""

    line: int
    column: int


class Part(NamedTuple):
    """One file of a source, and the offset of its first character there."""

    file: Source
    begin: int


def _begin(part: Part) -> int:
    return part.begin


class Source:
    """One file's name and text; or, where it imports others (`files`), all their texts in this order.

    `parts`: the files, itself first; empty if it imports none.
    """

    def __init__(self, name: str, text: str, files: Sequence[Source] = ()) -> None:
        self.name = name
        self.text: str = "\n".join([text, *(file.text for file in files)])
        self.parts: list[Part] = []
        begin = 0
        for file in (Source(name, text), *files) if files else ():
            self.parts.append(Part(file, begin))
            begin += len(file.text) + 1

    @property
    def main(self) -> Source:
        """The file itself, without what it imports."""
        return self.parts[0].file if self.parts else self

    @property
    def files(self) -> tuple[Source, ...]:
        """The files that are imported."""
        return tuple(part.file for part in self.parts[1:])

    def part(self, offset: int) -> Part:
        """The file that an offset is in."""
        if not self.parts:
            return Part(self, 0)
        return self.parts[max(0, bisect_right(self.parts, offset, key=_begin) - 1)]

    def named(self, offset: int) -> str:
        """The name of the file that an offset is in."""
        return self.part(offset).file.name

    @cached_property
    def starts(self) -> list[int]:
        """Offset of the first character of every line."""
        starts, text = [0], self.text
        at = text.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = text.find("\n", at + 1)
        return starts

    def place(self, offset: int) -> Place:
        """The place of a character offset in its file; an offset past the end is the end."""
        file, begin = self.part(offset)
        if file is not self:
            return file.place(offset - begin)
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self.starts, offset)
        return Place(line, offset - self.starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The text of a line (from 1), without its line break."""
        start = self.starts[number - 1]
        end = self.starts[number] if number < len(self.starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    def slice(self, span: Span) -> str:
        """The text of a span."""
        return self.text[span.start : span.end]
