"""What a pact imports, and what it makes of that: a list below the line of `pactc check`.

In: a `Program`.  Out: lines of safe text, or JSON data; of each declaration that is overridden both texts,
of each clause that is dropped the text that is gone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pactlang.cli.facts import plural
from pactlang.cli.screen import printable
from pactlang.source import Span

if TYPE_CHECKING:
    from pactlang.program import Imports, Program
    from pactlang.source import Source

LINES = 40  # of one declaration that are shown
CHARACTERS = 200  # of one line


def file_at(source: Source, offset: int, name: str) -> str:
    """The path of the file that a place is in.  name: the path of the pact; an artifact knows imported files
    by their paths from the folder that it is in."""
    part = source.part(offset)
    if not part.begin:
        return name
    own = part.file.name
    return own if source.name == name or own.startswith("std/") else os.path.join(os.path.dirname(name), own)


def listing(program: Program) -> Iterator[str]:
    """The list for people; nothing if the pact imports nothing."""
    imports = program.imports
    for each in _files(program, imports):
        yield f"  imports   {printable(each['file'])}, {plural(len(each['clauses']), 'clause')}"
    for change in _changes(program.source, imports):
        verb = "overrides" if change["to"] else "drops    "
        yield f"  {verb} {change['what']} at {_place(change['at'])}"
        for old in change["from"]:
            yield f"    of {_place(old)}"
            yield from _text("-", old["text"])
        if change["to"]:
            yield from _text("+", change["to"])


def listing_data(program: Program) -> dict[str, Any]:
    """The list for programs: `imports`, `overrides` and `drops`."""
    changes = list(_changes(program.source, program.imports))
    return {
        "imports": list(_files(program, program.imports)),
        "overrides": [change for change in changes if change["to"]],
        "drops": [change for change in changes if not change["to"]],
    }


def _files(program: Program, imports: Imports) -> Iterator[dict[str, Any]]:
    """Every imported file, and the clauses that the pact has from it."""
    from_file: dict[int, list[str]] = {}
    source = program.source
    for clause in program.module.clauses if imports.files else ():
        from_file.setdefault(source.part(clause.span[0]).begin, []).append(clause.name)
    for part in source.parts[1:]:
        yield {"file": part.file.name, "clauses": from_file.get(part.begin, [])}


def _changes(source: Source, imports: Imports) -> Iterator[dict[str, Any]]:
    for each in imports.overridden:
        old = [_declared(source, span) for span in each.replaced]
        at = _declared(source, each.span)
        new = at.pop("text")
        yield {"what": f"{each.kind} {each.name}", "at": at, "from": old, "to": new}
    for gone in imports.dropped:
        old = [_declared(source, span) for span in gone.removed]
        at = _declared(source, gone.span)
        del at["text"]
        yield {"what": f"clause {gone.name}", "at": at, "from": old, "to": None}


def _declared(source: Source, span: tuple[int, int]) -> dict[str, Any]:
    where = {"file": source.named(span[0]), "line": source.place(span[0]).line}
    return {**where, "text": source.slice(Span(*span))}


def _place(at: dict[str, Any]) -> str:
    return printable(f"{at['file']}:{at['line']}")


def _text(sign: str, text: str) -> Iterator[str]:
    lines = text.splitlines()
    for line in lines[:LINES]:
        shown = printable(line.expandtabs(4))
        yield f"    {sign} {shown[:CHARACTERS]}{'...' if len(shown) > CHARACTERS else ''}".rstrip()
    if len(lines) > LINES:
        yield f"    {sign} ... and {plural(len(lines) - LINES, 'more line')}"
