"""Hyperscan, where the extra `fast` is installed: many patterns in one pass over an ASCII text.

In: sources of RE2.  Out: `Fast`: data -> indexes of those that occur; None for a text that it does not take.

The meaning is RE2's.  Only ASCII texts are searched, so that what the two engines make of other letters
does not matter, and only patterns in whose syntax both are known to agree: `translated` writes `$` and `\\s`
as RE2 means them, and refuses the rest.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Any

LARGE = 1 << 20  # bytes of a text that is looked through for other letters in one step
MAX_PATTERNS = 40  # whose database is made in about a tenth of a second
SPACE = r"\t\n\f\r "
TOKEN = re.compile(
    r"\\[pP]\{\^?[A-Za-z_]+\}|\\[pP][A-Za-z]|\\x\{[0-9A-Fa-f]+\}|\\x..|\\.|\[\^?\]?|\(\?P?<\w+>|\(\?[a-zA-Z-]*[:)]"
    r"|\{[0-9]+(?:,[0-9]*)?\}\??|[*+?]\??|.",
    re.S,
)
# Escapes that both read alike, beside signs: what they stand for, or a class.
ALIKE = frozenset("dDwWbAzafntrx")
DOUBTFUL = ("\0", "{,", "[:", "[.", "[=")
REPEATS = frozenset("*+?{")


def available() -> Any:
    """The module hyperscan, or None."""
    try:
        import hyperscan
    except ImportError:
        return None
    return hyperscan


def translated(source: str) -> str | None:
    """The pattern as Hyperscan must read it to mean what RE2 means; None where that is not certain."""
    if not source.isascii() or any(part in source for part in DOUBTFUL):
        return None
    made: list[str] = []
    inside = repeated = lines = anchored = False
    for found in TOKEN.finditer(source):
        token = found[0]
        again = token[0] in REPEATS and not inside and (token[0] != "{" or len(token) > 1)
        if again and repeated:
            return None
        repeated = again
        written = token_of(token, inside)
        if written is None:
            return None
        made.append(written)
        lines = lines or (token.startswith("(?") and token[2:3] not in "<P" and "m" in token)
        anchored = anchored or (token in "^$" and not inside)
        if inside:
            inside = token != "]"
        elif token[0] == "[":
            inside = True
    return None if lines and anchored else "".join(made)  # where lines begin, the two do not agree


def token_of(token: str, inside: bool) -> str | None:
    """One part of a pattern, in Hyperscan's syntax."""
    if token[0] == "\\":
        return escape_of(token, inside)
    if token.startswith("(?") and not token.startswith(("(?<", "(?P<")):
        return token if set(token[2:-1]) <= set("ims-") else None
    return r"\z" if token == "$" and not inside else token


def escape_of(token: str, inside: bool) -> str | None:
    letter = token[1:2]
    if letter == "s":
        return SPACE if inside else f"[{SPACE}]"
    if letter == "S" and not inside:
        return f"[^{SPACE}]"
    if letter in ALIKE and not (inside and letter in "bAz"):
        return token
    return token if letter.isascii() and not letter.isalnum() and letter != "_" and letter else None


class Fast:
    """A Hyperscan database.  Raises ValueError for patterns that it does not take, before any search."""

    def __init__(self, sources: Sequence[str]) -> None:
        hyperscan = available()
        written = [translated(source) for source in sources]
        if hyperscan is None or len(sources) > MAX_PATTERNS or any(source is None for source in written):
            raise ValueError("not for Hyperscan")
        flags = hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_ALLOWEMPTY
        self.database, self.scratch = hyperscan.Database(), hyperscan.Scratch
        try:
            self.database.compile(
                expressions=[source.encode() for source in written if source is not None],
                ids=list(range(len(sources))),
                elements=len(sources),
                flags=[flags] * len(sources),
            )
        except Exception as error:  # hyperscan.error, or what the wrapper says of sizes
            raise ValueError(str(error)[:200]) from None
        self.own = threading.local()  # a Scratch serves one search at a time

    def __call__(self, data: Any) -> list[int] | None:
        if len(data) > LARGE or not bytes(data).isascii():
            return None
        found: list[int] = []
        add = found.append
        if not hasattr(self.own, "scratch"):
            self.own.scratch = self.scratch(self.database)
        self.database.scan(data, lambda number, *_: add(number), scratch=self.own.scratch)
        return found
