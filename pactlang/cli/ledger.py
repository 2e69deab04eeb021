"""`pactc ledger`: what a ledger holds, and whether it holds.

In: a ledger's path and a question.  Out: a summary, calls, lines of JSON, or the findings of a
verification; what is remarked beside goes to standard error.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from pactlang.cli.exits import FINE, FOUND, Fault, reason
from pactlang.cli.facts import plural, short
from pactlang.cli.screen import console, printable, write_bytes, write_json
from pactlang.cli.stored import open_ledger

if TYPE_CHECKING:
    from pactlang.ledger import Reader, StoredEntry
    from pactlang.ledger.entry import Aside
    from pactlang.ledger.summary import RunCount, Summary

OUTCOMES = ("satisfied", "violated", "skipped", "unknown")
FORMS = {"violated": "bold red", "unknown": "yellow", "outside": "dim"}
PAGE = 500  # lines that are written at once


def moment_of(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """A time: RFC 3339, a date, or seconds since 1970; what has no offset is UTC."""
    if value is None:
        return None
    try:
        return float(value)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        what = f"`{printable(value)}` is no time: write it like 2027-06-30 or 2027-06-30T12:00:00Z"
        raise click.BadParameter(what, ctx, param) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def chosen(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which calls."""
    options = (
        click.option("--session", metavar="ID", help="Calls of this session."),
        click.option("--clause", metavar="NAME", help="Calls that violate this clause; see --outcome."),
        click.option("--outcome", type=click.Choice(OUTCOMES),
                     help="Another outcome of the clause, or of any clause."),
        click.option("--since", callback=moment_of, metavar="TIME", help="Calls at or after this time."),
        click.option("--until", callback=moment_of, metavar="TIME", help="Calls before this time."),
        click.option("--writer", metavar="ID", help="Calls captured by this writer."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


ledger_path = click.argument("path", metavar="PATH", type=click.Path())
as_form = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)


@click.group("ledger", short_help="Show, list, export and verify the calls that a guard has stored.")
def command() -> None:
    """Show, list, export and verify the calls that a guard has stored."""


# Show ---------------------------------------------------------------------------------------------


@command.command("show", short_help="What the ledger holds, in numbers.")
@ledger_path
@as_form
def show(path: str, form: str) -> int:
    """What the ledger holds: calls, pacts, broken promises, and processes that ended without closing it."""
    found = open_ledger(path).summary()
    if form == "json":
        write_json(found)
        return FINE
    _draw(found, path)
    for run in found.runs:
        for notice in _notices(run):
            click.echo(f"note: {notice}", err=True)
    return FINE


def _draw(found: Summary, path: str) -> None:
    from rich.text import Text

    screen = console()
    screen.print(Text(printable(path), "bold"), soft_wrap=True)
    for line in _totals(found):
        screen.print(Text(f"  {line}"), soft_wrap=True)
    for pact in found.pacts:
        line = f"  {pact.name} {pact.version}, {short(pact.digest)}: {plural(pact.calls, 'call')}"
        screen.print(Text(printable(line)), soft_wrap=True)
    width = max((len(printable(each.clause)) for each in found.clauses), default=0)
    for each in found.clauses:
        name = f"    {printable(each.clause).ljust(width)}  "
        screen.print(Text.assemble(name, *_marks(each.violated, each.unknown)), soft_wrap=True)


def _totals(found: Summary) -> Iterator[str]:
    line = f"{plural(found.calls, 'call')} of {plural(found.sessions, 'session')}"
    if found.first is not None and found.last is not None:
        line += f", {_moment(found.first)} to {_moment(found.last)}"
    yield line
    if found.withheld:
        yield f"something was withheld of {plural(found.withheld, 'call')}"
    if found.amendments:
        yield f"{plural(found.amendments, 'clause')} came out later"
    if found.removed:
        yield f"{plural(found.removed, 'call')} removed by retention"


def _marks(violated: int, unknown: int) -> list[tuple[str, str]]:
    parts = []
    if violated:
        parts.append((f"{violated:,} violated", FORMS["violated"]))
    if violated and unknown:
        parts.append((", ", ""))
    if unknown:
        parts.append((f"{unknown:,} unknown", FORMS["unknown"]))
    return parts or [("-", "dim")]


def _notices(run: RunCount) -> Iterator[str]:
    process = f"process {run.pid} on {printable(run.host)}"
    if run.ended == "lost":
        yield f"{process} ended without closing the ledger; what it had not flushed is lost"
    if run.dropped:
        yield f"{process} dropped {plural(run.dropped, 'call')} at its bound"
    if run.failed:
        yield f"{process} lost {plural(run.failed, 'call')} that could not be written"


# List ---------------------------------------------------------------------------------------------


@command.command("list", short_help="Calls, one per line.")
@ledger_path
@chosen
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help="At most so many calls.")
@click.option("--count", is_flag=True, help="Print how many calls there are, and nothing else.")
@as_form
def list_calls(path: str, limit: int | None, count: bool, form: str, **question: Any) -> int:
    """Calls in the order in which they were stored, one per line; as JSON, an object per line."""
    reader = _asked(path, question)
    if count:
        judged = question["clause"] is not None or question["outcome"] is not None
        many = reader.count(**question, asides=judged)
        click.echo(many if limit is None else min(many, limit))
        return FINE
    from pactlang.ledger.export import entry_line

    found = reader.entries(**question, asides=True)
    made = (_line(entry) if form == "text" else entry_line(entry) for entry in found)
    _write(made, limit)
    return FINE


def _line(entry: StoredEntry) -> bytes:
    moment = _moment(entry.stored if entry.time is None else entry.time)
    parts = [moment, f"{entry.writer}:{entry.number}"]
    if entry.session is not None:
        parts.append(f"session {entry.session}" + ("" if entry.seq is None else f" #{entry.seq}"))
    parts.append(_verdict(entry))
    if entry.withheld is not None:
        parts.append(f"withheld: {', '.join(entry.withheld.fields)}")
    return printable("  ".join(parts)).encode()


def _verdict(entry: StoredEntry) -> str:
    if entry.said.aside is not None:
        return _aside(entry.said.aside)
    if entry.said.outside or entry.said.duplicate:
        return "outside" if entry.said.outside else "duplicate"
    said = (("violated", entry.said.violated), ("unknown", entry.said.unknown))
    found = [f"{word} {', '.join(names)}" for word, names in said if names]
    return "; ".join(found) or "ok"


def _aside(aside: Aside) -> str:
    """What stands among the calls and is none."""
    if aside.kind == "amendment":
        return f"amends {'a call' if aside.id is None else aside.id}: {aside.outcome} {aside.clause}"
    if aside.kind == "end":
        return f"session {'(withheld)' if aside.session is None else aside.session} ends"
    return f"it is {_moment((aside.time or 0) / 1e6)}"


def _write(lines: Iterator[bytes], limit: int | None) -> None:
    held: list[bytes] = []
    for number, line in enumerate(lines):
        if limit is not None and number >= limit:
            break
        held.append(line + b"\n")
        if len(held) >= PAGE:
            write_bytes(b"".join(held))
            held.clear()
    write_bytes(b"".join(held))


# Export and verify --------------------------------------------------------------------------------


@command.command("export", short_help="Calls as lines of JSON, to a file or standard output.")
@ledger_path
@chosen
@click.option("-o", "--output", metavar="OUT.jsonl", type=click.Path(), help="Write to this file.")
@click.option("--calls", is_flag=True, help="The calls alone, as `pactc run` reads them.")
def export(path: str, output: str | None, calls: bool, **question: Any) -> int:
    """Calls as lines of JSON: each with its capture, its verdict and its link of the chain."""
    reader = _asked(path, question)
    if output is None:
        from pactlang.ledger.export import call_line, entry_line

        line = call_line if calls else entry_line
        _write((line(entry) for entry in reader.entries(**question, asides=not calls)), None)
        return FINE
    if os.path.exists(output) and os.path.samefile(output, path):
        raise Fault(f"{printable(output)} is the ledger itself")
    try:
        with open(output, "wb") as file:
            many = reader.export(file, calls=calls, **question, asides=not calls)
    except OSError as error:
        raise Fault(f"cannot write {printable(output)}: {reason(error)}") from error
    click.echo(f"{plural(many, 'call')} written to {printable(output)}", err=True)
    return FINE


@command.command("verify", short_help="Recompute every chain.")
@ledger_path
@as_form
def verify(path: str, form: str) -> int:
    """Recompute every writer's chain of digests.  Leaves with 1 if something is not what was written.

    Captures that are missing were dropped or lost before they were stored; they break no chain.
    """
    report = open_ledger(path).verify()
    if form == "json":
        data = report._asdict() | {"ok": report.ok, "writers": [each._asdict() for each in report.writers]}
        write_json(data)
        return FINE if report.ok else FOUND
    for problem in report.problems:
        click.echo(f"problem: {printable(problem)}")
    word = "every chain holds" if report.ok else f"{plural(len(report.problems), 'problem')}"
    removed = f", {report.removed:,} removed by retention" if report.removed else ""
    missing = f", {report.missing:,} missing" if report.missing else ""
    calls, writers = plural(report.calls, "call"), plural(len(report.writers), "writer")
    click.echo(f"{word}: {calls} of {writers}{removed}{missing}")
    return FINE if report.ok else FOUND


def _asked(path: str, question: dict[str, Any]) -> Reader:
    """The ledger; a clause that none of its pacts has is a `Fault`."""
    reader = open_ledger(path)
    clause = question["clause"]
    if clause is not None:
        from difflib import get_close_matches

        known = [each.clause for each in reader.summary().clauses]
        if clause not in known:
            near = get_close_matches(clause, known, 1)
            hint = f"did you mean `{near[0]}`?" if near else ""
            raise Fault(f"no pact of this ledger has a clause `{printable(clause)}`", printable(hint))
    return reader


def _moment(seconds: float) -> str:
    """A time in UTC, to the millisecond."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return f"{seconds:.3f}"
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
