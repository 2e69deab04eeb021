"""What may be written to a terminal, and the consoles to write it with.

Values, names and messages come from records and files: a control character among them could move the
cursor, recolour the screen or reverse the text.  All of it passes through `printable`.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from typing import TYPE_CHECKING, NoReturn, TextIO

if TYPE_CHECKING:
    from rich.console import Console

# C0 and C1 controls, marks that reverse or hide text, line separators, lone surrogates.
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
UNBOUNDED = 1_000_000  # columns where the output is no terminal: programs read lines, not columns


def printable(text: str) -> str:
    """The text with every character that is not for display written as an escape."""
    return UNSAFE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    if char in NAMED:
        return NAMED[char]
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def console(stream: TextIO | None = None) -> Console:
    """A console that takes text as it is; colour as the terminal and NO_COLOR say.  None: standard output."""
    from rich.console import Console

    stream = sys.stdout if stream is None else stream
    made = Console(file=stream, width=_width(stream), markup=False, highlight=False, emoji=False)
    made.on_broken_pipe = _broken_pipe  # type: ignore[method-assign]  # rich would leave by itself, with 1
    return made


def _width(stream: TextIO) -> int | None:
    """Columns of a line; None: as rich finds them.  COLUMNS=0 says nothing, as in other programs."""
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said) > 0:
        return int(said)
    if not stream.isatty():
        return UNBOUNDED
    return shutil.get_terminal_size().columns if said else None


def width_of(screen: Console) -> int | None:
    """Columns of a terminal, or what COLUMNS says; None where nothing limits a line."""
    return None if screen.width == UNBOUNDED else screen.width


def _broken_pipe() -> NoReturn:
    raise BrokenPipeError


def prepare_outputs() -> None:
    """Let a character that an output's encoding lacks be written as an escape instead of failing, and
    let an output that the caller closed take what is written to it."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def write_json(data: object) -> None:
    """JSON for programs, two blanks of indent, UTF-8 whatever the terminal's encoding, on standard output."""
    import msgspec

    write_bytes(msgspec.json.format(msgspec.json.encode(data), indent=2) + b"\n")


def write_bytes(data: bytes) -> None:
    """All of the data to standard output; an unbuffered one takes a part at a time."""
    sys.stdout.flush()
    rest = memoryview(data)
    while rest:
        rest = rest[sys.stdout.buffer.write(rest) :]
    sys.stdout.buffer.flush()
