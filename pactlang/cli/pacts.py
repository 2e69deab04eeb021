"""Open a pact for a command: the text of a `.pact` file or a built `.pactc`, told by the first bytes.

In: a path (`-` is standard input, whose imports are read from the working directory; `std/...` is what
comes with pactlang, unless there is such a file).  Out: `Opened`, whose program is None where the text has
errors.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from pactlang.cli.exits import Fault, reason
from pactlang.cli.screen import console, printable, width_of
from pactlang.diagnostic import NOTE, Diagnostic
from pactlang.errors import ProgramError
from pactlang.source import Source

if TYPE_CHECKING:
    from pactlang.link import Linked
    from pactlang.program import Program

BUILT = b"PACT"  # what every artifact begins with
DRAWN = 100  # findings that are drawn; beyond that nobody reads
LARGEST = 256 << 20  # bytes of a pact that are read; more than any person writes


class Opened(NamedTuple):
    """A pact as far as it goes.  `source` is None for an artifact and for bytes that are not text; `whole`
    is the tree with what it imports."""

    name: str
    program: Program | None
    source: Source | None
    diagnostics: tuple[Diagnostic, ...]
    built: bool
    whole: Linked | None = None

    def count(self, level: str) -> int:
        """How many findings are of this level."""
        return sum(d.level == level for d in self.diagnostics)


def read_bytes(path: str) -> tuple[bytes, str]:
    """The bytes of a pact and the name to show for it; a `Fault` if there are none or too many."""
    name = "<stdin>" if path == "-" else printable(path)
    try:
        if path == "-":
            data = sys.stdin.buffer.read(LARGEST + 1)
        elif path.startswith("std/") and not os.path.exists(path):
            data = _packaged(path)
        else:
            with open(path, "rb") as file:
                data = file.read(LARGEST + 1)
    except (OSError, ValueError, AttributeError) as error:
        raise Fault(f"cannot read {name}: {reason(error)}") from error
    if len(data) > LARGEST:
        raise Fault(f"cannot read {name}: it is larger than 256 MiB, which no pact is")
    return data, name


def _packaged(path: str) -> bytes:
    from pactlang.link import std_data, std_names

    data = std_data(path)
    if data is None:
        raise Fault(f"cannot read {printable(path)}: no such file", f"pactlang has {', '.join(std_names())}")
    return data


def spread(paths: Sequence[str]) -> list[str]:
    """The paths, with every .pact file below a folder in its place, in the order of their names."""
    found: list[str] = []
    for path in paths:
        inside = sorted(map(str, Path(path).rglob("*.pact"))) if os.path.isdir(path) else [path]
        if not inside:
            raise Fault(f"there is no .pact file in {printable(path)}")
        found += inside
    return found


def open_pact(path: str) -> Opened:
    """Read and compile, or read and verify; an artifact that cannot be used is a `Fault`."""
    data, name = read_bytes(path)
    if data.startswith(BUILT):
        return _load(data, name)
    from pactlang.build import compile_linked, linked
    from pactlang.link import library_of
    from pactlang.parse import read_source

    source, _ = read_source(data, name)
    whole = linked(source, library_of("" if path == "-" else path))
    program, diagnostics = compile_linked(whole)
    return Opened(name, program, whole.source, diagnostics, False, whole)


def _load(data: bytes, name: str) -> Opened:
    from pactlang import load

    try:
        program = load(data)
    except ProgramError as error:
        raise Fault(f"cannot use {name}: {printable(str(error))}") from error
    return Opened(name, program, None, (), True)


def usable(path: str) -> Program:
    """The program of a pact that is to be run; its findings go to standard error, errors end the command."""
    opened = open_pact(path)
    show(opened, sys.stderr, notes=False)
    if opened.program is None:
        records = opened.source is not None and opened.source.text.lstrip().startswith(("{", "["))
        hint = "this looks like a file of records; the pact comes first" if records else ""
        raise Fault(f"{opened.name} does not compile: {summary(opened)}", hint)
    return opened.program


def show(opened: Opened, stream: TextIO, notes: bool) -> None:
    """Draw the findings of a pact, the first of them if there are very many; notes if they are wanted."""
    found = [d for d in opened.diagnostics if notes or d.level != NOTE]
    if not found or opened.source is None:
        return
    from pactlang.render import render

    screen = console(stream)
    colour, columns = screen.color_system is not None, width_of(screen)
    for diagnostic in found[:DRAWN]:
        stream.write(render(diagnostic, opened.source, colour, columns) + "\n\n")
    if len(found) > DRAWN:
        stream.write(f"... and {len(found) - DRAWN:,} more\n\n")


def summary(opened: Opened) -> str:
    """How many errors, warnings and notes, in words."""
    from pactlang.render import summary as counted

    return counted(opened.diagnostics)
