"""`pactc test`: the tests that stand in a pact, run.

In: pacts.  Out: per test whether it passed and what did not hold, for people, or as JSON, JUnit's XML or
GitHub's annotations.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from pactlang.cli.exits import FINE, FOUND
from pactlang.cli.facts import plural
from pactlang.cli.pacts import Opened, open_pact, show, spread, summary
from pactlang.cli.screen import console, printable, width_of, write_json

if TYPE_CHECKING:
    from rich.console import Console

    from pactlang.testing import Coverage, Failure, Report, Result

FORMS = ("text", "json", "junit", "github")
OUTCOMES = ("satisfied", "violated", "skipped", "unknown")


class Tested(NamedTuple):
    """A pact and what its tests came to; no report where the pact has errors."""

    opened: Opened
    report: Report | None

    @property
    def results(self) -> tuple[Result, ...]:
        """The tests that ran."""
        return () if self.report is None else self.report.results


@click.command("test", short_help="Run the tests that stand in a pact.")
@click.argument("pacts", nargs=-1, required=True, metavar="PACT...", type=click.Path(allow_dash=True))
@click.option("--coverage", is_flag=True, help="Say which outcomes of each clause the tests have seen.")
@click.option("--format", "form", type=click.Choice(FORMS), default="text", show_default=True)
def command(pacts: tuple[str, ...], coverage: bool, form: str) -> int:
    """Run the tests that stand in pacts (.pact, .pactc, a folder of .pact files, or - for standard
    input).

    A test feeds calls to the pact and says what must come out; a failed one is shown with every part of
    the clause and its value.  Leaves with 1 if a test fails or a pact has errors.
    """
    if coverage and form not in ("text", "json"):
        raise click.UsageError("`--coverage` goes with `--format text` and `--format json`")
    tested = [_run(open_pact(path)) for path in spread(pacts)]
    _write(tested, coverage, form)
    return FINE if all(each.report is not None and each.report.ok for each in tested) else FOUND


def _run(opened: Opened) -> Tested:
    from pactlang.testing import run_tests

    return Tested(opened, None if opened.program is None else run_tests(opened.program))


def _write(tested: list[Tested], coverage: bool, form: str) -> None:
    if form == "json":
        write_json(_data(tested, coverage))
    elif form == "junit":
        from pactlang.cli.forms.junit import write_tests

        write_tests(tested)
    elif form == "github":
        from pactlang.cli.forms import github

        for line in (*github.tests(tested), closing(tested)):
            click.echo(line)
    else:
        _text(tested, coverage)


def closing(tested: list[Tested]) -> str:
    """`3 passed, 1 failed`, and how many pacts could not be tested."""
    results = [result for each in tested for result in each.results]
    passed = sum(result.ok for result in results)
    broken = sum(each.report is None for each in tested)
    line = f"{passed:,} passed, {len(results) - passed:,} failed"
    return f"{line}, {plural(broken, 'pact')} with errors" if broken else line


def in_short(failure: Failure) -> str:
    """What did not hold, in one line."""
    from pactlang.testing.told import expected

    wrong = [f"{w.clause} is {w.found}, expected {w.expected}" for w in failure.wrong]
    if failure.judged.unreadable:
        wrong.insert(0, f"the call cannot be read: {printable(failure.judged.unreadable)}")
    return f"{expected(failure.expect)}: {'; '.join(wrong)}"


# For people ----------------------------------------------------------------------------------------


def _text(tested: list[Tested], coverage: bool) -> None:
    from rich.text import Text

    screen = console()
    for each in tested:
        screen.print(Text(each.opened.name, "cyan"), soft_wrap=True)
        show(each.opened, sys.stdout, notes=False)
        if each.report is None:
            click.echo(f"does not compile: {summary(each.opened)}")
        else:
            _results(screen, each.report)
            if coverage:
                _table(screen, each.report)
        click.echo()
    click.echo(closing(tested))


def _results(screen: Console, report: Report) -> None:
    from rich.text import Text

    from pactlang.testing import told

    for number, result in enumerate(report.results):
        if number and not report.results[number - 1].ok:
            screen.print()
        head, *rest = told(report, result, width_of(screen))
        word, style = (head[:6], "green" if result.ok else "bold red")
        screen.print(Text.assemble((word, style), head[6:]), soft_wrap=True)
        for line in rest:
            screen.print(Text(line), soft_wrap=True)
    if not report.results:
        screen.print(Text("no tests", "yellow"))


def _table(screen: Console, report: Report) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from pactlang.testing import coverage

    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False, header_style="dim")
    table.add_column("clause", overflow="fold", min_width=8)
    for name in OUTCOMES:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("never seen")
    for clause in coverage(report):
        table.add_row(Text(clause.clause), *_counts(clause), Text(", ".join(clause.never), "yellow"))
    screen.print()
    screen.print(table)


def _counts(clause: Coverage) -> list[str]:
    return [f"{getattr(clause, name):,}" for name in OUTCOMES]


# For programs --------------------------------------------------------------------------------------


def _data(tested: list[Tested], coverage: bool) -> dict[str, Any]:
    results = [result for each in tested for result in each.results]
    return {
        "ok": all(each.report is not None and each.report.ok for each in tested),
        "passed": sum(result.ok for result in results),
        "failed": sum(not result.ok for result in results),
        "pacts": [_pact(each, coverage) for each in tested],
    }


def _pact(each: Tested, coverage: bool) -> dict[str, Any]:
    opened, report = each
    found = [] if opened.source is None else [d.to_json(opened.source) for d in opened.diagnostics]
    data = {"file": opened.name, "ok": report is not None and report.ok, "diagnostics": found}
    if report is None:
        return {**data, "tests": []}
    data["tests"] = [_result(report, result) for result in report.results]
    if coverage:
        from pactlang.testing import coverage as covered

        data["coverage"] = [clause._asdict() for clause in covered(report)]
    return data


def _result(report: Report, result: Result) -> dict[str, Any]:
    from pactlang.testing.told import line_of

    return {
        "name": result.name,
        "line": line_of(report.program, result.test.span),
        "ok": result.ok,
        "failures": [_failure(report, failure) for failure in result.failures],
    }


def _failure(report: Report, failure: Failure) -> dict[str, Any]:
    from pactlang.testing.told import expected, line_of

    judged = failure.judged
    return {
        "line": line_of(report.program, failure.expect.span),
        "call_line": line_of(report.program, judged.call.span),
        "expect": expected(failure.expect),
        "outside": judged.outside,
        "unreadable": judged.unreadable,
        "outcomes": {name: outcome.name.lower() for name, outcome in judged.outcomes.items()},
        "wrong": [wrong._asdict() for wrong in failure.wrong],
        "why": list(_why(report, failure)),
    }


def _why(report: Report, failure: Failure) -> Iterator[dict[str, Any]]:
    """What `pactc explain --format json` says of the clauses that came out otherwise."""
    from pactlang.testing.told import reason_data

    program, wrong = report.program, {each.clause for each in failure.wrong}
    for clause in program.module.clauses:
        if clause.name in wrong and clause.name in failure.judged.outcomes:
            yield reason_data(program, clause, failure.judged)
