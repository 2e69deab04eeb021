"""`pactc baseline`: how what a pact watches was distributed over a log, for `watch distribution ... against`.

In: a pact, files of records.  Out: a file of baselines, one for each distribution that the pact watches.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from pactlang.cli.build import refuse_overwriting, write_whole
from pactlang.cli.exits import FINE, Fault
from pactlang.cli.pacts import BUILT, Opened, read_bytes, show, summary
from pactlang.cli.screen import printable

if TYPE_CHECKING:
    from pactlang.ir import Base, Clause, Watch
    from pactlang.program import Program

MOST_VALUES = 10_000_000  # that are held in memory


@click.command("baseline", short_help="Measure what a pact watches the distribution of.")
@click.argument("pact", metavar="PACT", type=click.Path(allow_dash=True))
@click.argument("records", metavar="RECORDS...", nargs=-1, required=True, type=click.Path(allow_dash=True))
@click.option("-o", "--output", metavar="NAME.base", required=True, type=click.Path(),
              help="The file, which stands beside the pact.")  # fmt: skip
@click.option("--clause", "named", metavar="NAME", multiple=True,
              help="Measure for this clause only; may be repeated.")  # fmt: skip
@click.option("--delta", metavar="P", default="0.05", show_default=True,
              help="How probable it may be that a share of the log is above what it is held to.")  # fmt: skip
def command(pact: str, records: tuple[str, ...], output: str, named: tuple[str, ...], delta: str) -> int:
    """Measure how what a pact watches was distributed over a log.

    For each `watch distribution(x) against "NAME"` of the pact: bins chosen on the first third of the values,
    counted on the rest. The file holds no record, only edges, the commonest texts, and counts.
    """
    from pactlang.drift.baseline import BaselineError, measure, write

    share = _share(delta)
    refuse_overwriting(output, [pact, *records])
    program = _drafted(pact)
    wanted = _wanted(program, named)
    values = _values(program, wanted, records)
    found: dict[str, Base] = {}
    for clause, watch in wanted:
        assert watch.base is not None
        of, kind = watch.base.of, watch.base.kind
        try:
            found[of] = measure(of, kind, values[clause.name], share)
        except BaselineError as error:
            raise Fault(f"no baseline of `{printable(of)}`: {error}") from error
        bins, calls = len(found[of].counts), found[of].calls
        many = len(values[clause.name])
        click.echo(f"{printable(of)}: {bins} bins, counted on {calls:,} of {many:,} values")
    write_whole(output, write(found.values()))
    return FINE


def _share(text: str) -> Fraction:
    try:
        share = Fraction(text)
    except (ValueError, ZeroDivisionError):
        share = Fraction(0)
    if not Fraction(1, 10**6) <= share <= Fraction(1, 2):
        raise click.UsageError("--delta takes a probability from 0.000001 to 0.5")
    return share


def _drafted(path: str) -> Program:
    """The pact without its baselines."""
    data, name = read_bytes(path)
    if data.startswith(BUILT):
        raise Fault(f"{name} is compiled already, with its baselines: give the .pact file")
    from pactlang.build import compile_linked, linked
    from pactlang.link import library_of
    from pactlang.parse import read_source

    source, _ = read_source(data, name)
    whole = linked(source, library_of("" if path == "-" else path))
    program, found = compile_linked(whole, draft=True)
    opened = Opened(name, program, whole.source, found, False, whole)
    if program is None:
        import sys

        show(opened, sys.stderr, notes=False)
        raise Fault(f"{name} does not compile: {summary(opened)}")
    return program


def _wanted(program: Program, named: tuple[str, ...]) -> list[tuple[Clause, Watch]]:
    from pactlang.ir import Watch

    found = [
        (clause, clause.promise)
        for clause in program.module.clauses
        if isinstance(clause.promise, Watch) and clause.promise.base is not None
    ]
    unknown = set(named) - {clause.name for clause, _ in found}
    if unknown:
        raise Fault(f"no clause {printable(min(unknown))} watches a distribution")
    if not found:
        raise Fault(f"{program.name} watches no distribution", 'write `watch distribution(x) against "NAME"`')
    return [(clause, watch) for clause, watch in found if not named or clause.name in named]


class _Values:
    """Of each clause its values on the calls that it admits, in the order of the records."""

    def __init__(self, program: Program, wanted: list[tuple[Clause, Watch]]) -> None:
        from pactlang.evaluator import Monitor

        self.machine, self.module, self.wanted = Monitor(program).machine, program.module, wanted
        self.found: dict[str, list[Any]] = {clause.name: [] for clause, _ in wanted}
        self.records = self.undecodable = self.unreadable = 0

    def feed(self, data: bytes) -> None:
        """The lines of a block."""
        from pactlang.errors import RecordError

        for line in data.split(b"\n"):
            if not line or line.isspace():
                continue
            self.records += 1
            try:
                row = self.machine.row(self.machine.reader.from_json(line))
            except RecordError:
                self.undecodable += 1
            else:
                self._take(row)

    def _take(self, row: list[Any]) -> None:
        from pactlang.evaluate import Error, evaluate, truth
        from pactlang.values import Duration

        applies = self.module.applies
        if applies is not None and truth(applies, evaluate(applies, row, self.module)) is not True:
            return
        for clause, watch in self.wanted:
            when, value = clause.when, watch.value
            if when is not None and truth(when, evaluate(when, row, self.module)) is not True:
                continue
            x = None if value is None else evaluate(value, row, self.module)
            if isinstance(x, Error):
                self.unreadable += 1
            elif len(self.found[clause.name]) < MOST_VALUES:
                self.found[clause.name].append(
                    x.seconds + x.nanos / 1e9 if isinstance(x, Duration) else x
                )


def _values(
    program: Program, wanted: list[tuple[Clause, Watch]], records: tuple[str, ...]
) -> dict[str, list[Any]]:
    from pactlang.cli.input import Overlong, open_inputs

    values = _Values(program, wanted)
    for source in open_inputs(records):
        for block in source.blocks():
            if isinstance(block, Overlong):
                values.undecodable += 1
            else:
                values.feed(block.data)
    said = f"{values.records:,} records, {values.undecodable:,} undecodable"
    click.echo(said + (f", {values.unreadable:,} error values left out" if values.unreadable else ""))
    return values.found
