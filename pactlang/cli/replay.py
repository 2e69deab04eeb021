"""`pactc replay`: what a new pact says of what happened, beside what the old one says.

In: two pacts, files of records, ledgers.  Out: a report, and an exit code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from pactlang.cli import exits
from pactlang.cli.input import Input, open_inputs
from pactlang.cli.score import micros
from pactlang.cli.screen import printable, write_bytes, write_json

if TYPE_CHECKING:
    from pactlang.cli.replayed import Replay

FORMS = ("text", "json", "html")
FAIL_ON = ("weaker", "stricter", "unknown", "any")


@click.command("replay", short_help="Judge a log by two versions of a pact, side by side.")
@click.argument("old", metavar="OLD", type=click.Path(allow_dash=True))
@click.argument("new", metavar="NEW", type=click.Path(allow_dash=True))
@click.argument("records", nargs=-1, required=True, metavar="RECORDS...", type=click.Path(allow_dash=True))
@click.option("--format", "form", type=click.Choice(FORMS), default="text", show_default=True)
@click.option("--fail-on", type=click.Choice(FAIL_ON),
              help="Leave with 1 if NEW is weaker, or stricter, on what happened; with `unknown` if it is"
              " weaker or that is not known of some call; with `any` if some verdict differs.")  # fmt: skip
@click.option("--latest", metavar="TIME", callback=micros,
              help="No call was later: one that says so counts as one without a time.")  # fmt: skip
@click.option("--limit", type=click.IntRange(min=0), default=3, show_default=True, metavar="N",
              help="Calls to show per clause and pair of outcomes.")  # fmt: skip
def command(
    old: str,
    new: str,
    records: tuple[str, ...],
    form: str,
    fail_on: str | None,
    latest: int | None,
    limit: int,
) -> int:
    """Judge the same calls by two pacts (.pact or .pactc) and say what differs: which calls were broken and
    pass, which passed and are broken, by which clauses, and how the score moves.

    RECORDS are what `pactc run` reads: files of JSON, one record per line, Parquet files, ledgers; - is
    standard input.  NEW is weaker if a call that OLD holds for broken passes under NEW, or is broken less
    gravely.  What a ledger does not hold is unknown, and counted.
    """
    if (old, new, *records).count("-") > 1:
        raise exits.Fault("`-` stands for standard input and can be given once")
    replay = examine(old, new, open_inputs(records, columns=True), limit, latest)
    if form == "json":
        from pactlang.cli.replayed import data

        write_json(data(replay))
    elif form == "html":
        from pactlang.cli.forms.replay import page_of

        write_bytes(page_of(replay))
    else:
        from pactlang.cli.replayboard import report

        report(replay)
    return exit_code(replay, fail_on)


def examine(old: str, new: str, inputs: Sequence[Input], limit: int, latest: int | None) -> Replay:
    """Judge all inputs by both pacts, in one pass."""
    from pactlang.cli.flips import Comparison
    from pactlang.cli.pacts import usable
    from pactlang.cli.replayed import replay_of
    from pactlang.cli.scoring import Scoring, Wanted, read, shown_path

    names, doubts = [given.name for given in inputs], any(given.is_sparse for given in inputs)
    programs = [usable(path) for path in (old, new)]
    one, other = (
        Scoring(shown_path(path), program, names, Wanted(0, latest=latest), doubts=doubts)
        for path, program in zip((old, new), programs, strict=True)
    )
    comparison = Comparison(one, other, limit)
    read(inputs, [one, other], comparison.take)
    comparison.finish()
    roots = [printable(each.schema.root) for each in programs]
    if roots[0] != roots[1]:
        about = f"OLD is about records `{roots[0]}`, NEW about `{roots[1]}`"
        one.outcome.notices.append(f"{about}: each reads of a record what it knows")
    return replay_of(comparison)


def exit_code(replay: Replay, fail_on: str | None) -> int:
    """What a replay amounts to: an interrupt outweighs a finding, that outweighs what could not be read."""
    from pactlang.cli.run import exit_code as of_one

    codes = [of_one(scoring.outcome, ()) for scoring in replay.scorings]
    if exits.INTERRUPTED in codes:
        return exits.INTERRUPTED
    found = {
        "weaker": replay.is_weaker, "stricter": replay.is_stricter,
        "unknown": replay.is_weaker or replay.untold > 0, "any": replay.differs,
    }  # fmt: skip
    return exits.FOUND if fail_on is not None and found[fail_on] else max(codes)
