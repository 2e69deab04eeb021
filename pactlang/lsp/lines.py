"""Places in a text as an editor counts them: lines, and UTF-16 units from the line's beginning.

A line ends with `\\n`, `\\r\\n` or `\\r`.  Offsets are of characters.  A place beyond a line is the line's
end, one beyond the text the text's end, one within a character that takes two units that character's
beginning.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Any, Protocol

from pactlang.source import Span

_BREAK = re.compile(r"\r\n?|\n")


class Position(Protocol):
    """A line and a unit of it, both from 0, as LSP's `Position` has them."""

    line: int
    character: int


class Lines:
    """The lines of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(found.end() for found in _BREAK.finditer(text))]
        self.plain = text.isascii()

    def line(self, number: int) -> tuple[int, int]:
        """Where a line begins, and where its text ends."""
        start = self.starts[number]
        if number + 1 == len(self.starts):
            return start, len(self.text)
        end = self.starts[number + 1]
        return start, end - (2 if self.text[end - 2 : end] == "\r\n" else 1)

    def offset(self, position: Position) -> int:
        """The offset of a position."""
        if position.line >= len(self.starts):
            return len(self.text)
        start, end = self.line(max(0, position.line))
        units = max(0, position.character)
        line = "" if self.plain else self.text[start:end]
        if self.plain or line.isascii():
            return min(start + units, end)
        for at, char in enumerate(line):
            units -= 2 if char > "\uffff" else 1
            if units < 0:
                return start + at
        return end

    def place(self, offset: int) -> tuple[int, int]:
        """The line and the unit of an offset, both from 0."""
        offset = max(0, min(offset, len(self.text)))
        number = bisect_right(self.starts, offset) - 1
        start = self.starts[number]
        if self.plain:
            return number, offset - start
        before = self.text[start:offset]
        return number, len(before) if before.isascii() else units(before)

    def position(self, offset: int) -> dict[str, int]:
        """A `Position` as JSON data."""
        line, character = self.place(offset)
        return {"line": line, "character": character}

    def range(self, span: Span | tuple[int, int]) -> dict[str, Any]:
        """A `Range` as JSON data."""
        return {"start": self.position(span[0]), "end": self.position(span[1])}


def units(text: str) -> int:
    """How many UTF-16 units a text has."""
    return len(text) + sum(char > "\uffff" for char in text)


def changed(text: str, changes: Any) -> str:
    """The text after the changes of a `didChange`, one after the other."""
    for change in changes:
        range = getattr(change, "range", None)
        if range is None:
            text = change.text
            continue
        lines = Lines(text)
        start, end = lines.offset(range.start), lines.offset(range.end)
        text = text[: min(start, end)] + change.text + text[max(start, end) :]
    return text
