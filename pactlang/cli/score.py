"""`pactc score`: what the calls of a log amount to, with an interval that holds.

In: a pact, files of records, ledgers.  Out: a report, perhaps a chart and a state for the next run, and an
exit code.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

import click

from pactlang.cli import exits
from pactlang.cli.build import refuse_overwriting
from pactlang.cli.input import open_inputs
from pactlang.cli.ledger import moment_of
from pactlang.cli.screen import printable, write_bytes, write_json

if TYPE_CHECKING:
    from pactlang.cli.card import Card
    from pactlang.cli.scoring import Scoring, Wanted

BY = ("agent", "agent_version", "version", "model")
FORMS = ("text", "json", "html")
LAST = 1e12  # seconds since 1970, either way: some 30,000 years
DAY = 86_400 * 10**6  # microseconds


def micros(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """A time in microseconds since 1970."""
    moment = moment_of(ctx, param, value)
    if moment is None:
        return None
    if not isfinite(moment) or abs(moment) > LAST:
        raise click.BadParameter(f"`{printable(value or '')}` is no time", ctx, param)
    return round(moment * 10**6)


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    options = (
        click.option("--by", type=click.Choice(BY),
                     help="A score for each of the field's values; `version` is `agent_version`."),
        click.option("--format", "form", type=click.Choice(FORMS), default="text", show_default=True),
        click.option("--plot", metavar="FILE", type=click.Path(),
                     help="Draw the score over time into FILE, .png or .svg."),
        click.option("--now", metavar="TIME", callback=micros,
                     help="The score at this time, not before the newest call, which is the default."),
        click.option("--latest", metavar="TIME", callback=micros,
                     help="No call was later: one that says so counts as one without a time."),
        click.option("--state", metavar="FILE", type=click.Path(),
                     help="Go on from the state in FILE, if it is there, and save it there at the end."),
        click.option("--limit", type=click.IntRange(min=0), default=3, show_default=True, metavar="N",
                     help="Calls to show per clause."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.command("score", short_help="Add the verdicts of a log up to a score.")
@click.argument("pact", metavar="PACT", type=click.Path(allow_dash=True))
@click.argument("records", nargs=-1, required=True, metavar="RECORDS...", type=click.Path(allow_dash=True))
@_options
def command(
    pact: str,
    records: tuple[str, ...],
    by: str | None,
    form: str,
    plot: str | None,
    now: int | None,
    latest: int | None,
    state: str | None,
    limit: int,
) -> int:
    """Add the verdicts of a log up to a score, with bounds that hold whenever you look.

    RECORDS are what `pactc run` reads: files of JSON, one record per line, Parquet files, ledgers; - is
    standard input.  A TIME is like 2027-06-30 or 2027-06-30T12:00:00Z.  What the numbers mean is written in
    the pact, or follows from the defaults (`score` in the reference).

    With --state a log may be scored again when it has grown: what was counted is left out.
    """
    from pactlang.cli.scoring import Wanted

    if pact == "-" and "-" in records:
        raise exits.Fault("`-` stands for standard input and can be given once")
    for path in filter(None, (plot, state)):
        refuse_overwriting(path, [pact, *records])
    if plot is not None:
        from pactlang.cli.plot import check

        check(plot)
    field = "agent_version" if by == "version" else by
    scoring, card = examine(pact, records, Wanted(limit, field, latest, plot is not None), state, now)
    _write(card, form)
    if plot is not None:
        from pactlang.cli.plot import draw

        draw(plot, scoring)
    from pactlang.cli.run import exit_code

    return exit_code(scoring.outcome, ())


def examine(
    pact: str, records: Sequence[str], wanted: Wanted, state: str | None, now: int | None
) -> tuple[Scoring, Card]:
    """Judge all inputs and add them up; the state is saved when all is well."""
    from pactlang.cli.card import card_of
    from pactlang.cli.pacts import usable
    from pactlang.cli.saved import save, saved
    from pactlang.cli.scoring import Scoring, read, shown_path

    inputs = open_inputs(records, columns=True)
    program = usable(pact)
    before = None if state is None else saved(state, program, wanted.by)
    doubts = any(given.is_sparse for given in inputs)
    names = [given.name for given in inputs]
    scoring = Scoring(shown_path(pact), program, names, wanted, before, doubts)
    start = time.perf_counter()
    whole = read(inputs, [scoring])
    scoring.outcome.seconds = time.perf_counter() - start
    card = card_of(scoring, now, None if before is None else before.band)
    _warn(scoring)
    if state is not None and whole:
        save(state, scoring, card.score.band)
    elif state is not None:
        left = f"{printable(state)} was left as it was, since the log was not read to its end"
        scoring.outcome.notices.append(left)
    return scoring, card


def _warn(scoring: Scoring) -> None:
    """Say so if a call is of a day that is yet to come: beside it, all others are old."""
    from pactlang.score.shape import rfc3339

    newest = scoring.whole.tally.newest
    if newest > time.time_ns() // 1000 + DAY:
        said = f"the newest call is of {rfc3339(newest)}, which is yet to come, and all others fade beside it"
        scoring.outcome.notices.append(f"{said}; `--latest TIME` counts such a call as one without a time")


def _write(card: Card, form: str) -> None:
    if form == "json":
        from pactlang.cli.scored import data

        write_json(data(card))
    elif form == "html":
        from pactlang.cli.forms import score

        write_bytes(score.page_of(card))
    else:
        from pactlang.cli.scoreboard import report

        report(card)
