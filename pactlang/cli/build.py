"""`pactc build`: a pact as an artifact, the same bytes from the same text everywhere.

In: a pact's text.  Out: a `.pactc` file that appears whole or not at all.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from pathlib import Path

import click

from pactlang.cli.exits import FINE, FOUND, Fault, reason
from pactlang.cli.facts import one_line
from pactlang.cli.pacts import open_pact, show, summary
from pactlang.cli.screen import printable, write_bytes


@click.command("build", short_help="Compile a pact to a .pactc file.")
@click.argument("pact", metavar="PACT", type=click.Path(allow_dash=True))
@click.option("-o", "--output", metavar="OUT.pactc", type=click.Path(allow_dash=True),
              help="Where to write: beside the pact, ending in .pactc, by default; - is stdout.")  # fmt: skip
def command(pact: str, output: str | None) -> int:
    """Compile a pact to a .pactc file, which `run` and `explain` load without compiling.

    The same text gives the same bytes on any machine.  Leaves with 1 if the pact has an error; nothing
    is written then.
    """
    opened = open_pact(pact)
    output = output or _beside(pact)
    if opened.built:
        raise Fault(f"{opened.name} is built already")
    show(opened, sys.stderr, notes=False)
    if opened.program is None:
        click.echo(f"{opened.name}: {summary(opened)}", err=True)
        return FOUND
    data = opened.program.to_bytes()
    if output == "-":
        write_bytes(data)
        return FINE
    refuse_overwriting(output, [pact])
    write_whole(output, data)
    click.echo(f"{printable(output)}: {one_line(opened.program)}, {len(data):,} bytes")
    return FINE


def _beside(pact: str) -> str:
    if pact == "-":
        raise Fault("a pact from standard input needs a place to go", "say `-o OUT.pactc`")
    return str(Path(pact).with_suffix(".pactc"))


def refuse_overwriting(output: str, inputs: list[str]) -> None:
    """A `Fault` if the output is one of the files that are read."""
    for path in inputs:
        if path != "-" and os.path.exists(output) and os.path.exists(path) and os.path.samefile(output, path):
            raise Fault(f"{printable(output)} is also an input and would be overwritten")


def write_whole(output: str, data: bytes) -> None:
    """Put the bytes there in one step: a reader sees the old file or the new one, never a part."""
    try:
        target = os.path.realpath(output)
        if os.path.exists(target) and not stat.S_ISREG(os.stat(target).st_mode):
            Path(target).write_bytes(data)  # a pipe or a device is written to, not replaced
        else:
            _replace(target, data)
    except OSError as error:
        raise Fault(f"cannot write {printable(output)}: {reason(error)}") from error


def _replace(target: str, data: bytes) -> None:
    handle, part = tempfile.mkstemp(prefix=".", suffix=".part", dir=os.path.dirname(target))
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(handle)
            os.fchmod(handle, _mode(target))
        os.replace(part, target)
    except BaseException:
        os.unlink(part)
        raise


def _mode(target: str) -> int:
    """The permissions of the file that is replaced, or those a new file gets."""
    if os.path.exists(target):
        return stat.S_IMODE(os.stat(target).st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
