"""`pactc check`: is this a pact, and what is to be said of it.

In: pacts.  Out: their findings and, of each that compiles, one line and, if asked for, what a call costs;
or all of it as JSON.  Of what a pact imports there is a list.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from pactlang.cli.cost import cost_data, priced_of, report
from pactlang.cli.exits import FINE, FOUND
from pactlang.cli.facts import facts, one_line, tagged
from pactlang.cli.imports import listing, listing_data
from pactlang.cli.pacts import Opened, open_pact, show, spread, summary
from pactlang.cli.screen import write_json
from pactlang.diagnostic import ERROR, WARNING

FORMS = ("text", "json", "sarif", "junit", "github")


@click.command("check", short_help="Find the mistakes in pacts.")
@click.argument("pacts", nargs=-1, required=True, metavar="PACT...", type=click.Path(allow_dash=True))
@click.option("--cost", is_flag=True, help="Say what a call costs at worst, clause by clause.")
@click.option("--format", "form", type=click.Choice(FORMS), default="text", show_default=True)
def command(pacts: tuple[str, ...], cost: bool, form: str) -> int:
    """Find the mistakes in pacts (.pact, .pactc, a folder of .pact files, or - for standard
    input).

    Leaves with 1 if one of them has an error; warnings and notes alone leave with 0.
    """
    if cost and form not in ("text", "json"):
        raise click.UsageError("`--cost` goes with `--format text` and `--format json`")
    opened = [open_pact(path) for path in spread(pacts)]
    if form == "json":
        write_json(_data(opened, cost))
    elif form != "text":
        _write(opened, form)
    else:
        for each in opened:
            _report(each, cost)
    return FOUND if any(each.program is None for each in opened) else FINE


def _write(opened: list[Opened], form: str) -> None:
    """In a form for other programs."""
    from pactlang.cli.forms import github, junit, sarif

    if form == "sarif":
        write_json(sarif.findings(opened))
    elif form == "junit":
        junit.write_findings(opened)
    else:
        for line in (line for each in opened for line in github.findings(each)):
            click.echo(line)


def _report(opened: Opened, cost: bool) -> None:
    show(opened, sys.stdout, notes=True)
    if opened.program is None:
        click.echo(f"{opened.name}: {summary(opened)}")
    else:
        click.echo(f"{opened.name}: {one_line(opened.program)}")
        for line in (*listing(opened.program), *tagged(opened.program)):
            click.echo(line)
    if cost and (priced := priced_of(opened)) is not None:
        report(priced)


def _data(opened: list[Opened], cost: bool) -> dict[str, Any]:
    return {
        "ok": all(each.program is not None for each in opened),
        "errors": sum(each.count(ERROR) for each in opened),
        "warnings": sum(each.count(WARNING) for each in opened),
        "pacts": [_pact(each, cost) for each in opened],
    }


def _pact(opened: Opened, cost: bool) -> dict[str, Any]:
    found = [] if opened.source is None else [d.to_json(opened.source) for d in opened.diagnostics]
    program = opened.program
    about = {} if program is None else {**facts(program), **listing_data(program)}
    data = {"file": opened.name, "ok": opened.program is not None, **about, "diagnostics": found}
    priced = priced_of(opened) if cost else None
    return data if priced is None else {**data, "cost": cost_data(priced)}
