"""`pactc fmt`: write pacts in the one style.

In: pacts, folders of them, or standard input.  Out: the same files, rewritten whole or not at all; or
their names (`--check`), or what would change (`--diff`).
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterator
from typing import NamedTuple

import click

from pactlang.cli.build import write_whole
from pactlang.cli.exits import FINE, FOUND, Fault, reason
from pactlang.cli.pacts import BUILT, Opened, read_bytes, show, summary
from pactlang.cli.screen import printable, write_bytes


class Formatted(NamedTuple):
    """A file as it is and as it should look; None if it cannot be parsed."""

    path: str
    opened: Opened
    data: bytes
    text: str | None

    @property
    def changes(self) -> bool:
        """Would it be written?"""
        return self.text is not None and self.text.encode() != self.data


@click.command("fmt", short_help="Write pacts in the one style.")
@click.argument("pacts", nargs=-1, required=True, metavar="PACT...", type=click.Path(allow_dash=True))
@click.option("--check", is_flag=True, help="Write nothing; name the files that would change.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
def command(pacts: tuple[str, ...], check: bool, diff: bool) -> int:
    """Write pacts in the one style: in place, or from standard input (-) to standard output.

    Of a folder every .pact file below it is formatted.  Only white space changes, and separators that
    say nothing; what cannot be parsed is left alone.  There is nothing to configure.

    Leaves with 1 if a pact cannot be parsed and, with --check, if one would change.
    """
    found = [_format(path) for path in _files(pacts)]
    for each in found:
        _complain(each)
        if diff:
            _show_difference(each)
        if check:
            _name(each)
        elif not diff:
            _write(each)
    unread = any(each.text is None for each in found)
    return FOUND if unread or (check and any(each.changes for each in found)) else FINE


def _files(paths: tuple[str, ...]) -> Iterator[str]:
    """The files, in place of a folder those below it, each once."""
    seen: set[str] = set()
    for path in paths:
        for file in _below(path) if path != "-" and os.path.isdir(path) else [path]:
            if (real := file if file == "-" else os.path.realpath(file)) not in seen:
                seen.add(real)
                yield file


def _below(folder: str) -> Iterator[str]:
    def fail(error: OSError) -> None:
        raise Fault(f"cannot read {printable(str(error.filename))}: {reason(error)}") from error

    for parent, folders, names in os.walk(folder, onerror=fail):
        folders.sort()
        yield from (os.path.join(parent, name) for name in sorted(names) if name.endswith(".pact"))


def _format(path: str) -> Formatted:
    from pactlang.fmt import format_pact
    from pactlang.parse import read_source

    data, name = read_bytes(path)
    if data.startswith(BUILT):
        raise Fault(f"{name} is built: only the text of a pact has a style")
    source, _ = read_source(data, name)
    text, diagnostics = format_pact(source)
    return Formatted(path, Opened(name, None, source, diagnostics, False), data, text)


def _complain(each: Formatted) -> None:
    """Why a pact cannot be parsed, on standard error."""
    if each.text is None:
        show(each.opened, sys.stderr, notes=False)
        click.echo(f"{each.opened.name}: {summary(each.opened)}", err=True)


def _name(each: Formatted) -> None:
    if each.changes:
        click.echo(f"would reformat {each.opened.name}", err=each.path == "-")


def _write(each: Formatted) -> None:
    if each.text is None:
        return
    if each.path == "-":
        write_bytes(each.text.encode())
    elif each.changes:
        write_whole(each.path, each.text.encode())
        click.echo(f"reformatted {each.opened.name}")


def _show_difference(each: Formatted) -> None:
    if each.text is None or not each.changes:
        return
    name, before = each.opened.name, each.data.decode("utf-8")
    lines = difflib.unified_diff(_lines(before), _lines(each.text), name, name, lineterm="")
    click.echo("\n".join(printable(line) for line in lines))


def _lines(text: str) -> list[str]:
    """Lines with their ends but a plain line feed, which the difference could not show otherwise."""
    return text.removesuffix("\n").split("\n")
