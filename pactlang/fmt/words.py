"""The words of a text with their comments, and how close each stands to its neighbours.

In: a text and the words that the parser read.  Out: `Word`s, the last of them END.

A comment on the line of a word belongs to that word; one on a line of its own belongs to the next.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from pactlang.source import Span

Found = Sequence[tuple[str, Span]]

COMMENT = re.compile(r"//[^\r\n]*")
BREAK = re.compile(r"\r\n?|\n")
END = "$END"
# Words that an operand may end with; a `-`, `[` or `.` after them continues it.
OPERANDS = frozenset("IDENT QUOTED INT FLOAT DURATION DATE STRING BYTES TRUE FALSE NULL".split())

# No blank after it (`!x`), none before it (`x?` of a type), blanks inside this brace.
PREFIX, SUFFIX, SPACED = "prefix", "suffix", "spaced"


class Comment(str):
    """A comment's text; `blank`: an empty line was before it."""

    __slots__ = ("blank",)
    blank: bool

    def __new__(cls, text: str, blank: bool = False) -> Comment:
        """Its text loses the blanks at its end."""
        made = super().__new__(cls, text.rstrip(" \t\f"))
        made.blank = blank
        return made


@dataclass(slots=True, eq=False)
class Word:
    """A word as written.  `before`: comments on lines of their own; `after`: one on its line."""

    kind: str
    text: str
    span: Span
    breaks: int = 0  # line breaks since the word or comment before it
    before: list[Comment] = field(default_factory=list)
    after: Comment | None = None
    role: str = ""

    @property
    def ends_operand(self) -> bool:
        """Can an operand end with it?"""
        return self.kind in OPERANDS or self.text in (")", "]", "}")

    @property
    def blank(self) -> bool:
        """Was there an empty line before it, or before the first comment that belongs to it?"""
        return self.before[0].blank if self.before else self.breaks > 1


def comments(text: str, found: Found) -> list[str]:
    """All comments in order, without blanks at their ends."""
    return [comment for word in _attached(text, found) for comment in (*word.before, word.after) if comment]


def read_words(text: str, found: Found, types: Sequence[Span]) -> list[Word]:
    """The words with their comments and roles, and END.  `types`: where types are written, in order."""
    words = _attached(text, found)
    starts = [word.span.start for word in words]
    for span in types:
        for word in words[bisect_left(starts, span.start) : bisect_left(starts, span.end)]:
            word.role = SUFFIX if word.text == "?" else ""
    _roles(words)
    return words


def discard(words: list[Word], at: int) -> None:
    """Take a separator out; its comments go to the word before it or, to keep their order, after it."""
    word = words.pop(at)
    before, after = words[at - 1], words[at]
    if word.after and not word.before and before.after is None:
        before.after = word.after
    else:
        after.before[:0] = [*word.before, *([word.after] if word.after else [])]
    after.breaks = max(after.breaks, word.breaks)


def _attached(text: str, found: Found) -> list[Word]:
    words = [Word(kind, text[span.start : span.end], span) for kind, span in found]
    words.append(Word(END, "", Span(len(text), len(text))))
    at = 0
    before: Word | None = None
    for word in words:
        _attach(text[at : word.span.start], before, word)
        at, before = word.span.end, word
    return words


def _attach(gap: str, before: Word | None, word: Word) -> None:
    """Give the comments of the gap between two words to one or the other."""
    at, own_line = 0, before is None
    for found in COMMENT.finditer(gap):
        breaks = len(BREAK.findall(gap, at, found.start()))
        if breaks or own_line or before is None:
            word.before.append(Comment(found[0], breaks > 1))
        else:
            before.after = Comment(found[0])
        at, own_line = found.end(), True
    word.breaks = len(BREAK.findall(gap, at))


def _roles(words: list[Word]) -> None:
    """Tell the two uses of `-`, `?` and `:` apart, by what is before them and by the brackets."""
    open_conditionals = [0]
    before = ""
    ends = False
    for word in words:
        text = word.text
        if text in ("(", "[", "{"):
            open_conditionals.append(0)
        elif text in (")", "]", "}"):
            open_conditionals.pop()
        elif text == "!" or (text == "-" and not ends) or (text == "?" and before in (".", "[", "{", ",")):
            word.role = PREFIX
        elif text == "?" and word.role != SUFFIX:
            open_conditionals[-1] += 1
        elif text == ":" and open_conditionals[-1]:
            open_conditionals[-1] -= 1
        elif text == ":":
            word.role = SUFFIX
        before, ends = text, word.ends_operand
