"""Patterns and phrases: checked when the pact is compiled, numbered as they are used.

In: `pattern` and `phrases` declarations, and the strings given to `matches` and `says`.  Out: indexes
into `ir.Module.patterns` and `ir.Module.phrases`.  A pattern is RE2 or it is refused, with the place
inside the string where that can be known.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pactlang import ir
from pactlang.check.anchors import impossible
from pactlang.check.report import Report
from pactlang.diagnostic import WARNING, Fix
from pactlang.source import Span
from pactlang.text import compile_re2

# What RE2 says, and how a reader of patterns would say it.  `{0}` is the piece it stumbled on.
COMPLAINTS = {
    "missing )": "a `(` is never closed",
    "unexpected )": "a `)` closes nothing",
    "missing ]": "a `[` is never closed",
    "no argument for repetition operator": "`{0}` has nothing to repeat",
    "bad repetition operator": "`{0}` repeats a repetition",
    "invalid repetition size": "`{0}` repeats too often; 1000 is the most",
    "invalid character class range": "`{0}` is no range or class of characters",
    "invalid character class": "`{0}` is no class of characters",
    "invalid escape sequence": "`{0}` has no meaning in a pattern",
    "invalid named capture group": "`{0}` is not a name of a group",
    "trailing \\": "the pattern ends in a single backslash",
    "pattern too large - compile failed": "the pattern is too large",
    "invalid UTF-8": "the pattern is not valid text",
}

# Constructs of other dialects, told by how the piece begins; the longer ones first.
FOREIGN = (
    ("(?<=", "look-behind"), ("(?<!", "look-behind"), ("(?=", "look-ahead"), ("(?!", "look-ahead"),
    ("(?>", "an atomic group"), ("(?#", "a comment"), ("(?P", "a reference to a group by name"),
    ("(?|", "a branch reset"), ("(?(", "a condition"), ("(?R", "recursion"), ("(?", "this kind of group"),
)  # fmt: skip
INSTEAD = {
    "look-ahead": "say it with two matches: `x.matches(a) && !x.matches(b)`",
    "look-behind": "say it with two matches: `x.matches(a) && !x.matches(b)`",
    "a back-reference": "patterns run in linear time, so they cannot refer to what was matched",
}

ESCAPE = re.compile(r"\\(?:[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)|[^\\]", re.S)
OPENING = re.compile(r"([rR]?)(\"\"\"|'''|\"|')")


class Patterns:
    """The patterns and phrases that a pact's clauses use, each once."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.patterns: dict[ir.Pattern, int] = {}
        self.phrases: dict[ir.Phrases, int] = {}

    def pattern(self, name: str, source: str, check: str = "") -> int:
        """The index of a pattern that is already known to be good."""
        return self.patterns.setdefault(ir.Pattern(name, source, check), len(self.patterns))

    def saying(self, name: str, phrases: tuple[str, ...]) -> int:
        """The index of a list of phrases."""
        return self.phrases.setdefault(ir.Phrases(name, phrases), len(self.phrases))

    def counts(self) -> tuple[int, int]:
        """How many there are, for `forget`."""
        return len(self.patterns), len(self.phrases)

    def forget(self, counts: tuple[int, int]) -> None:
        """Drop what has been added since `counts`: what used it is not part of the program."""
        self.patterns = {p: i for p, i in self.patterns.items() if i < counts[0]}
        self.phrases = {p: i for p, i in self.phrases.items() if i < counts[1]}

    def check(self, source: str, span: Span) -> bool:
        """True if `source`, written as a string at `span`, is an RE2 pattern; else reported."""
        complaint = complain(source)
        if complaint is None:
            self._look_at_anchors(source, span)
            return True
        message, start, end, help = complaint
        place = inside(self.report.text(span), span, start, end)
        self.report.rule("bad-pattern", f"not a pattern: {message}", place, help=(help,) if help else ())
        return False

    def _look_at_anchors(self, source: str, span: Span) -> None:
        """Warn of a pattern that matches no text, because of a `$` or `^` that was meant as a character."""
        at = impossible(source)
        if at is None:
            return
        written, anchor = self.report.text(span), source[at]
        place = inside(written, span, at, at + 1)
        raw = OPENING.match(written)
        backslash = "\\" if raw is not None and raw.group(1) else "\\\\"
        fix = Fix(place, backslash + anchor, f"write the character `{anchor}`") if anchor in "^$" else None
        message = f"no text matches this: `{anchor}` is where a text {'begins' if anchor == '^' else 'ends'}"
        self.report.error("cannot-match", message, place, fix=fix, level=WARNING)


@lru_cache(maxsize=1024)
def complain(source: str) -> tuple[str, int, int, str] | None:
    """What RE2 has against a pattern: a sentence, the place [start, end) in it, and help; None if nothing."""
    try:
        compile_re2(source)
    except UnicodeEncodeError:
        return "it holds half of a surrogate pair", 0, len(source), ""
    except ValueError as error:
        kind, _, piece = str(error).partition(": ")
        return _explain(source, kind, piece)
    return None


def _explain(source: str, kind: str, piece: str) -> tuple[str, int, int, str]:
    start, end = _locate(source, kind, piece)
    foreign = _foreign(kind, piece)
    if foreign:
        return (
            f"RE2 has no {foreign.removeprefix('a ').removeprefix('an ')} (`{piece}`)",
            start,
            end,
            INSTEAD.get(foreign, "patterns are RE2: syntax at https://github.com/google/re2/wiki/Syntax"),
        )
    template = COMPLAINTS.get(kind, f"{kind} `{{0}}`" if piece else kind)
    return template.replace("{0}", piece), start, end, ""


def _foreign(kind: str, piece: str) -> str:
    if kind == "invalid perl operator":
        return next((name for opening, name in FOREIGN if piece.startswith(opening)), "")
    if kind == "invalid escape sequence" and piece[1:2].isdigit():
        return "a back-reference"
    if kind == "bad repetition operator" and piece[1:] == "+":
        return "a possessive repetition"
    return ""


def _locate(source: str, kind: str, piece: str) -> tuple[int, int]:
    """Where `piece` stands: RE2 names the piece, not the place, so the first one is taken."""
    if kind in ("missing )", "unexpected )"):
        at = _parenthesis(source, kind)
        return at, at + 1
    if kind == "missing ]":
        at = source.rfind(piece)
        return (at, at + 1) if at >= 0 else (0, len(source))
    for unit in re.finditer(r"\\.|.", source, re.S) if piece else ():
        if source.startswith(piece, unit.start()):
            return unit.start(), unit.start() + len(piece)
    return 0, len(source)


def _parenthesis(source: str, kind: str) -> int:
    """The first `(` that is never closed, or the first `)` that closes nothing."""
    stack: list[int] = []
    for token in re.finditer(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()]", source, re.S):
        if token.group() == "(":
            stack.append(token.start())
        elif token.group() == ")" and stack:
            stack.pop()
        elif token.group() == ")" and kind == "unexpected )":
            return token.start()
    return stack[0] if stack else 0


def inside(written: str, span: Span, start: int, end: int) -> Span:
    """The place of characters [start, end) of the string that is written as `written` at `span`."""
    opening = OPENING.match(written)
    if opening is None:
        return span
    body = opening.end()
    if opening.group(1):
        return Span(span.start + body + start, span.start + body + end)
    units = [m.end() for m in ESCAPE.finditer(written, body, len(written) - len(opening.group(2)))]
    ends = [body, *units]
    if end >= len(ends):
        return span
    return Span(span.start + ends[start], span.start + ends[end])
