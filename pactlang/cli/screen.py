"""What may be written to a terminal, and the two consoles to write it with.

Values, names and messages come from records and files: a control character among them could move the
cursor, recolour the screen or reverse the text.  All of it passes through `printable`.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

# C0 and C1 controls, the marks that reverse or hide text, line separators, lone surrogates.
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
PLAIN_WIDTH = 100  # columns where the output is no terminal


def printable(text: str) -> str:
    """The text with every character that is not for display written as an escape."""
    return UNSAFE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    if char in NAMED:
        return NAMED[char]
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def console(stream: TextIO) -> Console:
    """A console that takes text as it is: no markup, no guessing; colour as the terminal and NO_COLOR say."""
    from rich.console import Console

    options: dict[str, Any] = {"markup": False, "highlight": False, "emoji": False, "soft_wrap": False}
    made = Console(file=stream, **options)
    if not made.is_terminal and "COLUMNS" not in made._environ:
        made = Console(file=stream, width=PLAIN_WIDTH, **options)
    return made


def survive_narrow_encodings() -> None:
    """Let a character that the output's encoding lacks be written as an escape instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
