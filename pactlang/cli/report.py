"""The report of a run for people: the counts as a table, then the worst offenders with their evidence.

In: `Outcome`.  Out: text on standard output, as wide as the terminal; notices on standard error.
"""

from __future__ import annotations

import re

import click
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pactlang.cli.audit import Example, Place, Unreadable
from pactlang.cli.evidence import Quote, quote, shown
from pactlang.cli.facts import plural, short
from pactlang.cli.outcome import Counts, Outcome
from pactlang.cli.screen import console, printable
from pactlang.cli.tally import OUTCOMES

SEVERITY = {"critical": "bold red", "major": "red", "minor": "yellow", "info": "cyan"}
REASONS_SHOWN = 10
QUOTED = 100  # columns of a text that is quoted
TABLE_WIDTH = 72  # columns; a narrower terminal gets a list


def report(outcome: Outcome) -> None:
    """Print the report; errors and notices go to standard error, so that a pipe gets the report alone."""
    screen = console()
    head(screen, outcome)
    _counts(screen, outcome)
    _offenders(screen, outcome)
    _unknowns(screen, outcome)
    unreadable(screen, outcome)
    _foot(screen, outcome)
    remarks(outcome)


def remarks(outcome: Outcome) -> None:
    """What is said beside a report, on standard error."""
    for notice in outcome.notices:
        click.echo(f"note: {notice}", err=True)
    for warning in outcome.warnings():
        click.echo(f"{'error' if outcome.is_blind else 'warning'}: {warning}", err=True)
    for error in outcome.errors:
        click.echo(f"error: {error}; the report covers what was read", err=True)
    if outcome.interrupted:
        click.echo("interrupted: the report covers what was read so far", err=True)


def head(screen: Console, outcome: Outcome) -> None:
    """Print which pact and which files, and how many records."""
    program, total = outcome.program, outcome.audit.total
    said = Text(printable(f"{program.name} {program.version}"), "bold")
    said.append(f"  {short(program.digest)}", "not bold dim")
    screen.print(said)
    parts = [plural(total.records, "record"), plural(total.calls, "call")]
    if total.outside:
        parts.append(f"{total.outside:,} outside the pact")
    if total.duplicates:
        parts.append(f"{total.duplicates:,} that came before")
    screen.print(Text(outcome.files[0] if len(outcome.files) == 1 else f"{len(outcome.files)} files"))
    line = Text(", ".join(parts) + ", ")
    line.append(f"{total.undecodable:,} undecodable", "yellow" if total.undecodable else "")
    screen.print(line)
    if outcome.uncounted():
        screen.print(Text(outcome.uncounted(), "yellow"))


def _counts(screen: Console, outcome: Outcome) -> None:
    screen.print()
    if screen.width >= TABLE_WIDTH:
        _table(screen, outcome)
    for clause in outcome.clauses() if screen.width < TABLE_WIDTH else ():
        screen.print(Text.assemble(printable(clause.name), "  ", (clause.severity, _style(clause))))
        parts = (f"{n} {word}" for n, word in zip(_cells(clause), OUTCOMES, strict=True) if n.plain != "0")
        indented(screen, Text(", ".join(parts) or "no calls"), 2)


def _table(screen: Console, outcome: Outcome) -> None:
    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False, header_style="dim")
    table.add_column("clause", overflow="fold", min_width=8)
    table.add_column("severity")
    for name in OUTCOMES:
        table.add_column(name, justify="right", no_wrap=True)
    for clause in outcome.clauses():
        table.add_row(Text(printable(clause.name)), Text(clause.severity, _style(clause)), *_cells(clause))
    screen.print(table)


def _style(clause: Counts) -> str:
    return SEVERITY.get(clause.severity, "") if clause.broken else "dim"


def _cells(clause: Counts) -> list[Text]:
    styles = ("", SEVERITY.get(clause.severity, ""), "dim", "yellow")
    counts = (clause.satisfied, clause.violated, clause.skipped, clause.unknown)
    return [Text(f"{n:,}", style if n else "dim") for n, style in zip(counts, styles, strict=True)]


def _offenders(screen: Console, outcome: Outcome) -> None:
    for clause in outcome.worst():
        screen.print()
        head = Text(printable(clause.name), "bold")
        head.append(f"  {clause.severity}", SEVERITY.get(clause.severity, ""))
        head.append(f", {clause.breach}", "not bold")
        screen.print(head)
        if clause.description:
            indented(screen, Text(printable(clause.description), "italic"), 2)
        for example in outcome.audit.violations[clause.name]:
            _example(screen, example, outcome)


def _example(screen: Console, example: Example, outcome: Outcome) -> None:
    place, violation = example.place, example.violation
    said = printable(violation.message.removeprefix(f"{violation.clause}: "))
    heading = _heading(place, outcome)
    if example.resolved is not None:
        heading.append(f"  resolved on {_where(example.resolved, outcome)}", "dim")
    indented(screen, heading, 2)
    indented(screen, Text(said), 4)
    room = min(screen.width, QUOTED) - 8
    found = quote(violation, room - len(violation.matched.field if violation.matched else ""))
    for name, value in violation.values.items():
        if not _says_value(said, printable(name)) and (found is None or printable(name) != found.field):
            indented(screen, Text.assemble((f"{printable(name)} = ", "dim"), shown(value)), 4)
    if found is not None:
        _quoted(screen, found)


def _says_value(said: str, name: str) -> bool:
    """True if the sentence gives the value of a field: `cost is 0.5`, but not `tool is present`."""
    return re.search(rf"(?<![\w.]){re.escape(name)} is (?!present)", said) is not None


def _quoted(screen: Console, found: Quote) -> None:
    """The text with marks below the match, as a diagnostic has them."""
    label = f"{found.field}: "
    marks = "^" * max(cell_len(found.match), 1)
    text = Text.assemble((label, "dim"), found.before, (found.match, "bold red"), found.after)
    indented(screen, text, 4)
    indented(screen, Text(marks, "red"), 4 + cell_len(label + found.before))


def _heading(place: Place, outcome: Outcome) -> Text:
    if not place.line:  # of an earlier log
        return Text.assemble((place.file, "cyan"), f"  {printable(str(place.id))}")
    where = Text(_where(place, outcome), "cyan")
    if place.id != place.line:
        where.append(f"  {printable(str(place.id))}", "default")
    return where


def _where(place: Place | Unreadable, outcome: Outcome) -> str:
    """The file is said once, in the head, where there is only one."""
    return f"line {place.line}" if len(outcome.files) == 1 else f"{place.file}:{place.line}"


def _unknowns(screen: Console, outcome: Outcome) -> None:
    unknown = [clause for clause in outcome.clauses() if clause.unknown]
    for clause in unknown:
        screen.print()
        head = Text(printable(clause.name), "bold")
        head.append(f"  unknown for {plural(clause.unknown, 'call')}{clause.waits}", "not bold yellow")
        screen.print(head)
        for found in outcome.audit.unknowns[clause.name]:
            indented(screen, _heading(found.place, outcome), 2)
            indented(screen, Text(printable(found.reason)), 4)


def unreadable(screen: Console, outcome: Outcome) -> None:
    """Print why records could not be read, the most common reasons first."""
    audit = outcome.audit
    if not audit.reasons:
        return
    screen.print()
    screen.print(Text("Undecodable", "bold yellow"))
    ranked = sorted(audit.reasons.items(), key=lambda item: -item[1])
    for (path, why), count in ranked[:REASONS_SHOWN]:
        kept = (u for u in audit.unreadable if (u.path, u.reason) == (path, why))
        first = next((_where(u, outcome) for u in kept), "")
        line = Text(f"{plural(count, 'record')}: ")
        line.append(printable(f"{path}: {why}" if path else why))
        line.append(f", first at {first}" if first else "", "dim")
        indented(screen, line, 2)
    if len(ranked) > REASONS_SHOWN:
        rest = sum(count for _, count in ranked[REASONS_SHOWN:])
        indented(screen, Text(f"{plural(rest, 'record')} for other reasons", "dim"), 2)


def indented(screen: Console, text: Text, columns: int) -> None:
    """Print the text in lines that fit, each with so many blanks before it and none after it."""
    for line in text.wrap(screen, max(screen.width - columns, 1), overflow="fold"):
        line.rstrip()
        line.pad_left(columns)
        screen.print(line, soft_wrap=True)


def _foot(screen: Console, outcome: Outcome) -> None:
    total = outcome.audit.total
    screen.print()
    if not total.records:
        screen.print(Text("No records.", "yellow"))
    elif outcome.is_blind:
        said = "Nothing of the log was read: no record has a field that this pact reads."
        screen.print(Text(said, "bold red"))
    elif outcome.all_kept():
        screen.print(Text("Every promise was kept.", "green"))
    speed = f"{outcome.seconds:.2f} s, {outcome.per_second():,.0f} calls/s"
    screen.print(Text(speed, "dim"))
