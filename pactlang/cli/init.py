"""`pactc init`: a pact to begin with, from a template or drafted from a log.

In: the name of a template, or a log of any shape.  Out: a .pact file, and what to do next.

A drafted pact is tried on the records that it was drafted from before it is written: where the names of
`Call` fit, it is about `Call`, else about a record of its own.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import msgspec

from pactlang.cli.build import refuse_overwriting, write_whole
from pactlang.cli.exits import FINE, Fault
from pactlang.cli.facts import plural
from pactlang.cli.input import Broken, Input, Overlong, open_inputs
from pactlang.cli.screen import printable, write_bytes

if TYPE_CHECKING:
    from pactlang.infer import Log

TEMPLATES = ("support", "trading", "code", "research")
MOST_BYTES = 64 << 20  # of the log that are read
MISREAD = 0.01  # share of records that a pact about `Call` may fail to read


class Sample(NamedTuple):
    """The beginning of a log: lines that are objects, their shape, and how many lines are none."""

    lines: list[bytes]
    shape: Log
    others: int
    opened: int


@click.command("init", short_help="Write a pact to begin with.")
@click.option("--template", type=click.Choice(TEMPLATES), help="Begin with this kind of agent.")
@click.option("--from", "log", metavar="LOG", type=click.Path(allow_dash=True),
              help="Draft a pact from the records of a log.")  # fmt: skip
@click.option("-o", "--output", metavar="FILE", type=click.Path(allow_dash=True),
              help="Where to write it; - is standard output.  [default: NAME.pact]")  # fmt: skip
@click.option("--name", metavar="NAME", help="What the pact is called.")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def command(template: str | None, log: str | None, output: str | None, name: str | None, force: bool) -> int:
    """Write a pact to begin with: a template with tests, or one drafted from a log.

    LOG is JSON, a record a line or an array, of any shape; OpenTelemetry's JSON export; or pairs of
    requests to OpenAI or Anthropic and their responses.  Without --from it is a template, `support` if
    none is named.
    """
    if template and log:
        raise click.UsageError("`--template` and `--from` are two ways to begin: choose one")
    if name is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise click.UsageError("a pact's name is letters, digits and underscores")
    target = output or f"{name or _stem(log) if log else name or template or TEMPLATES[0]}.pact"
    if log and target != "-":
        refuse_overwriting(target, [log])
    if target != "-" and os.path.exists(target) and not force:
        hint = "`-o FILE` writes another, `--force` overwrites it"
        raise Fault(f"{printable(target)} is there already", hint)
    text, said = _drafted(log, name, target) if log else _template(template or TEMPLATES[0], name, target)
    if target == "-":
        write_bytes(text.encode())
    else:
        write_whole(target, text.encode())
    click.echo(said, err=target == "-")
    return FINE


# Templates -----------------------------------------------------------------------------------------


def _template(kind: str, name: str | None, target: str) -> tuple[str, str]:
    text = (resources.files("pactlang") / "templates" / f"{kind}.pact").read_text("utf-8")
    if name is not None:
        text = re.sub(r"\Apact \w+", f"pact {name}", text)
    shown = printable(target) if target != "-" else f"{kind}.pact"
    return text, f"{shown}: a pact for a {kind} agent, with tests\nnext: edit it, then `pactc test {shown}`"


# From a log ----------------------------------------------------------------------------------------


def _stem(log: str) -> str:
    from pactlang.infer.names import snake

    return "first" if log == "-" else snake(Path(log).name.partition(".")[0])


def _drafted(log: str, name: str | None, target: str) -> tuple[str, str]:
    """The text of the pact that reads most of a log's records, and what to say of it."""
    given = open_inputs([log])[0]
    given.opens = True
    sample = _sample(given)
    if not sample.shape.members:
        raise Fault(f"{given.name} holds no record", "a record is a JSON object, one a line or in an array")
    text, unread = _best(sample, name or _stem(log))
    return text, _said(given, sample, text, unread, target)


def _best(sample: Sample, name: str) -> tuple[str, int]:
    """About `Call` where that reads the records, else about a record of their own shape."""
    from pactlang.fmt import format_pact
    from pactlang.infer import draft
    from pactlang.infer.standard import is_standard
    from pactlang.source import Source

    standard = sample.opened > 0 or is_standard(sample.shape)
    if standard and not sample.opened:
        standard = _misread(sample) <= MISREAD * len(sample.lines)
    text = draft(sample.shape, name, standard)
    styled, _ = format_pact(Source("the draft", text))
    return styled or text, _unread(sample, text)


def _misread(sample: Sample) -> int:
    """How many records a pact about `Call` could not read if it read every field that they have."""
    from pactlang.infer.standard import standard_fields

    names = [field.name for field in standard_fields(sample.shape)[0]]
    asked = " || ".join(f"has({name})" for name in names)
    return _unread(sample, f'pact all "1" clause every {{ require {asked} }}')


def _unread(sample: Sample, text: str) -> int:
    """How many of the sample's records a pact cannot read."""
    from pactlang import Evaluator, compile

    evaluator = Evaluator(compile(text, "the draft"))
    return len(evaluator.check_lines(b"\n".join(sample.lines)).undecodable)


def _sample(given: Input) -> Sample:
    from pactlang.infer import Log

    shape, lines, others = Log(), list[bytes](), 0
    for line in _lines(given):
        data = _object(line)
        if data is None:
            others += 1
            continue
        shape.add(data)
        lines.append(line)
    return Sample(lines, shape, others, given.opened)


def _lines(given: Input) -> Iterator[bytes]:
    """The first lines that are not blank, within bounds."""
    from pactlang.infer import MOST_RECORDS

    count = size = 0
    try:
        for block in given.blocks():
            for line in (b"{" if isinstance(block, Overlong) else block.data).split(b"\n"):
                if line and not line.isspace():
                    yield line
                    count, size = count + 1, size + len(line)
                    if count >= MOST_RECORDS or size >= MOST_BYTES:
                        return
    except Broken as broken:
        if not count:
            raise Fault(str(broken)) from broken


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        data = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return data if type(data) is dict else None


def _said(given: Input, sample: Sample, text: str, unread: int, target: str) -> str:
    shown = "standard output" if target == "-" else printable(target)
    clauses = plural(len(re.findall(r"^clause ", text, re.M)), "clause")
    about = "`Call`" if re.match(r"pact \w+ \"[^\"]*\"\n", text) else "a record of its own"
    lines = [f"{shown}: {clauses} about {about}, drafted from {plural(len(sample.lines), 'record')}"]
    if sample.others:
        verb = "holds" if sample.others == 1 else "hold"
        lines.append(f"{plural(sample.others, 'line')} of {given.name} {verb} no record")
    if sample.shape.open:
        lines.append(f"more keys were seen than it names, which are the first {len(sample.shape.members)}")
    if unread:
        lines.append(f"{plural(unread, 'record')} cannot be read by it: `pactc run` says why")
    if target != "-":
        lines.append(f"next: `pactc run {shlex.quote(shown)} {shlex.quote(given.name)}`, then edit it")
    return "\n".join(lines)
