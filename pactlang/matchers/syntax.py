"""The reader of RE2's syntax: what a pattern is made of, in bytes of UTF-8.

In: an RE2 source that RE2 has taken.  Out: a tree of `One`, `Wide`, `Mark`, `Row`, `Either`, `Times`; None
for anything unusual.  It is conservative: a tree's language holds every text that the pattern matches, and
what it does not follow closely is `Wide` (some character) or makes it give up.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_DEPTH = 60
MAX_SOURCE = 1 << 20  # characters
CHARACTER = 4  # bytes of the longest one


class One(NamedTuple):
    """One byte of a set: an int with a bit for each byte."""

    bytes: int


class Wide(NamedTuple):
    """One character, of which nothing is known but how many bytes it has."""

    low: int = 1
    high: int = CHARACTER


class Mark(NamedTuple):
    """A place: `^`, `\\b`.  It has no bytes, and does not hold everywhere."""


class Row(NamedTuple):
    """One after another; none is the empty text."""

    parts: tuple[Node, ...]


class Either(NamedTuple):
    """One of several."""

    parts: tuple[Node, ...]


class Times(NamedTuple):
    """`low` to `high` times; high is None where there is no end."""

    part: Node
    low: int
    high: int | None


Node = One | Wide | Mark | Row | Either | Times


class Unusual(Exception):
    """What the reader does not follow."""


def members(chars: str) -> int:
    """The set of some ASCII characters."""
    found = 0
    for char in chars:
        found |= 1 << ord(char)
    return found


def span(first: str, last: str) -> int:
    """The set of a range of ASCII characters."""
    return (1 << ord(last) + 1) - (1 << ord(first))


def encoded(char: str) -> Row:
    """The bytes of a character."""
    return Row(tuple(One(1 << byte) for byte in char.encode()))


DIGIT = span("0", "9")
LOWER, UPPER = span("a", "z"), span("A", "Z")
WORD = DIGIT | LOWER | UPPER | members("_")
SPACE = members("\t\n\f\r ")
ASCII = (1 << 128) - 1
PERL = {"d": DIGIT, "w": WORD, "s": SPACE}
POSIX = {
    "alnum": DIGIT | LOWER | UPPER, "alpha": LOWER | UPPER, "ascii": ASCII, "blank": members("\t "),
    "cntrl": span("\0", "\x1f") | members("\x7f"), "digit": DIGIT, "graph": span("!", "~"), "lower": LOWER,
    "print": span(" ", "~"), "punct": span("!", "~") & ~(DIGIT | LOWER | UPPER),
    "space": members("\t\n\v\f\r "), "upper": UPPER, "word": WORD,
    "xdigit": DIGIT | span("a", "f") | span("A", "F"),
}  # fmt: skip
CONTROL = {"a": "\a", "f": "\f", "t": "\t", "n": "\n", "r": "\r", "v": "\v"}
# Letters of ASCII that (?i) takes for one beyond it: the Kelvin sign and the long s.
FOREIGN = {"k": "\u212a", "s": "\u017f"}
REPEAT = re.compile(r"\{([0-9]{1,4})(?:(,)([0-9]{0,4}))?\}")
GROUP = re.compile(r"\?(?:P?<[A-Za-z0-9_]+>|([imsU]*)(?:-([imsU]*))?([:)]))")
HEX = re.compile(r"\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})")
OCTAL = re.compile(r"\\(0[0-7]{0,2}|[1-7][0-7]{1,2})")
UNICODE = re.compile(r"\\[pP](?:[A-Za-z]|\{\^?[A-Za-z_]+\})")
CLASS = re.compile(r"\[:(\^?)([a-z]+):\]")


def read(source: str) -> Node | None:
    """The tree of a pattern; None if it is unusual."""
    if len(source) > MAX_SOURCE:
        return None
    try:
        return Reader(source).whole()
    except Unusual:
        return None


class Reader:
    """Reads one source from left to right.  `flags`: those in force."""

    def __init__(self, source: str) -> None:
        self.source, self.at, self.depth = source, 0, 0
        self.flags: frozenset[str] = frozenset()

    def whole(self) -> Node:
        node = self.either()
        if self.at < len(self.source):
            raise Unusual
        return node

    def rest(self, text: str) -> bool:
        return self.source.startswith(text, self.at)

    def take(self, form: re.Pattern[str]) -> re.Match[str] | None:
        """Go behind what has this form, if it stands here."""
        found = form.match(self.source, self.at)
        if found:
            self.at = found.end()
        return found

    def either(self) -> Node:
        """Rows with `|` between them, up to a `)` or the end."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unusual
        rows = [self.row()]
        while self.rest("|"):
            self.at += 1
            rows.append(self.row())
        self.depth -= 1
        return rows[0] if len(rows) == 1 else Either(tuple(rows))

    def row(self) -> Node:
        parts: list[Node] = []
        while self.at < len(self.source) and self.source[self.at] not in "|)":
            parts.append(self.repeated(self.item()))
        return parts[0] if len(parts) == 1 else Row(tuple(parts))

    def repeated(self, node: Node) -> Node:
        while True:
            found = self.take(REPEAT)
            if found:
                low = int(found[1])
                high = low if not found[2] else int(found[3]) if found[3] else None
            elif self.at < len(self.source) and self.source[self.at] in "*+?":
                low, high = {"*": (0, None), "+": (1, None), "?": (0, 1)}[self.source[self.at]]
                self.at += 1
            else:
                return node
            if self.rest("?"):  # prefers less, and matches the same texts
                self.at += 1
            node = Times(node, low, high)

    def item(self) -> Node:
        char = self.source[self.at]
        if char == "\\":
            return self.escape()
        if char == "[":
            return self.char_class()
        self.at += 1
        if char == "(":
            return self.group()
        if char == ".":
            return Wide()
        if char in "^$":
            return Mark()
        if char in "*+?":
            raise Unusual
        return self.literal(char)

    def group(self) -> Node:
        before, found = self.flags, self.take(GROUP)
        if found is None and self.rest("?"):
            raise Unusual
        if found and found[3]:
            self.flags = (before | set(found[1])) - set(found[2] or "")
            if found[3] == ")":
                return Row(())
        node = self.either()
        if not self.rest(")"):
            raise Unusual
        self.at += 1
        self.flags = before
        return node

    def literal(self, char: str) -> Node:
        folds = "i" in self.flags
        if not char.isascii():
            if folds or "\ud800" <= char <= "\udfff":
                return Wide()
            return encoded(char)
        if not (folds and char.isalpha()):
            return One(1 << ord(char))
        both = One(members(char.lower() + char.upper()))
        other = FOREIGN.get(char.lower())
        return both if other is None else Either((both, encoded(other)))

    def escape(self) -> Node:
        char = self.code()
        if char is not None:
            return self.literal(char)
        if self.take(UNICODE):
            return Wide()
        letter = self.source[self.at + 1 : self.at + 2]
        self.at += 2
        if letter and letter in "bBAz":
            return Mark()
        if letter and letter in "dws":
            return self.folded(PERL[letter])
        if letter and letter in "DWS":
            return Wide()
        raise Unusual

    def code(self) -> str | None:
        """The one character that an escape stands for; None if it stands for none."""
        if found := self.take(HEX):
            return chr(min(int(found[1] or found[2], 16), 0x10FFFF))
        if found := self.take(OCTAL):
            return chr(int(found[1], 8))
        letter = self.source[self.at + 1 : self.at + 2]
        if letter in CONTROL or (letter.isascii() and letter and not letter.isalnum() and letter != "_"):
            self.at += 2
            return CONTROL.get(letter, letter)
        return None

    def char_class(self) -> Node:
        self.at += 1
        negated = self.rest("^")
        self.at += negated
        found: int | None = 0
        first = True
        while first or not self.rest("]"):
            if self.at >= len(self.source):
                raise Unusual
            part = self.class_part()
            found = None if found is None or part is None else found | part
            first = False
        self.at += 1
        return Wide() if negated or found is None else self.folded(found)

    def class_part(self) -> int | None:
        """A set of ASCII characters; None if there are others in it."""
        if posix := self.take(CLASS):
            if posix[2] not in POSIX:
                raise Unusual
            return None if posix[1] else POSIX[posix[2]]
        if self.take(UNICODE):
            return None
        letter = self.source[self.at + 1 : self.at + 2] if self.rest("\\") else ""
        if letter and letter in "dwsDWS":
            self.at += 2
            return PERL.get(letter)
        first = last = self.class_char()
        if self.rest("-") and not self.source.startswith("-]", self.at):
            self.at += 1
            last = self.class_char()
        return span(first, last) if first <= last and last.isascii() else None

    def class_char(self) -> str:
        if self.rest("\\"):
            char = self.code()
            if char is None:
                raise Unusual
            return char
        self.at += 1
        return self.source[self.at - 1 : self.at] or "\U0010ffff"

    def folded(self, found: int) -> Node:
        """A class of ASCII characters, under the flags."""
        if not found:
            return Wide()
        if "i" not in self.flags:
            return One(found)
        letters = found & LOWER | (found & UPPER) << 32
        others = [encoded(other) for letter, other in FOREIGN.items() if letters & members(letter)]
        one = One(found | letters | letters >> 32)
        return Either((one, *others)) if others else one
