"""`pactc run`: which promises the calls of a log kept, and which they broke.

In: a pact and files of records.  Out: a report, perhaps a file of verdicts, and an exit code.  A pact that
remembers is judged by a monitor, in the order of the files; its state may be kept for the next run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

from pactlang.cli import exits
from pactlang.cli.audit import Audit
from pactlang.cli.build import refuse_overwriting
from pactlang.cli.facts import plural
from pactlang.cli.follow import Live
from pactlang.cli.input import Block, Broken, Input, Overlong, open_inputs
from pactlang.cli.interrupt import Interrupts
from pactlang.cli.memory import MemoryAudit
from pactlang.cli.outcome import SEVERITIES, Outcome
from pactlang.cli.pacts import usable
from pactlang.cli.parquet import Columnar, ParquetInput
from pactlang.cli.progress import Bar
from pactlang.cli.rows import Rows
from pactlang.cli.screen import console, printable, write_bytes, write_json
from pactlang.cli.sight import Sight

if TYPE_CHECKING:
    from pactlang.program import Program

# What makes a run fail.  `unknown`: any broken promise, and whatever could not be judged.
FAIL_ON = {"critical": SEVERITIES[:1], "major": SEVERITIES[:2], "any": SEVERITIES, "unknown": SEVERITIES}


FORMS = ("text", "json", "html", "sarif", "junit", "github")


@click.command("run", short_help="Judge every call of a log.")
@click.argument("pact", metavar="PACT", type=click.Path(allow_dash=True))
@click.argument("records", nargs=-1, required=True, metavar="RECORDS...", type=click.Path(allow_dash=True))
@click.option("--format", "form", type=click.Choice(FORMS), default="text", show_default=True)
@click.option("--verdicts", metavar="OUT", type=click.Path(),
              help="Write a row per record, to OUT.jsonl or OUT.parquet: file, line, id, broken and"
              " unknown clauses.")  # fmt: skip
@click.option("--fail-on", type=click.Choice(list(FAIL_ON)),
              help="Leave with 1 if a promise of this severity, or a graver one, is broken; with `unknown`"
              " also if a clause or a record could not be judged.")  # fmt: skip
@click.option("--follow", is_flag=True,
              help="Wait for more at the end of the log, and show what is found as it comes.")  # fmt: skip
@click.option("--session", metavar="ID",
              help="Show what happened in this session instead, call by call.")  # fmt: skip
@click.option("--state", metavar="FILE", type=click.Path(),
              help="Go on from the state in FILE, if it is there, and save it there at the end.")  # fmt: skip
@click.option("--limit", type=click.IntRange(min=0), default=3, show_default=True, metavar="N",
              help="Examples to show per clause.")  # fmt: skip
def command(
    pact: str,
    records: tuple[str, ...],
    form: str,
    verdicts: str | None,
    fail_on: str | None,
    follow: bool,
    session: str | None,
    state: str | None,
    limit: int,
) -> int:
    """Judge every call of a log by the clauses of a pact (.pact or .pactc).

    RECORDS are files of JSON, one record per line, plain or packed, or Parquet files; - is standard input
    (JSON).  Files of any size are read in bounded memory.  A record that cannot be read is counted and
    named, never dropped.  At the end of a log no session ends: what is pending stays so.
    """
    if pact == "-" and "-" in records:
        raise exits.Fault("`-` stands for standard input and can be given once")
    if follow and (len(records) != 1 or form != "text"):
        raise click.UsageError("`--follow` goes with one file of records and `--format text`")
    inputs = open_inputs(records, columns=True)
    inputs[0].follows = follow
    if session is not None and (follow or form not in ("text", "json")):
        raise click.UsageError("`--session` goes with `--format text` and `--format json`")
    for path in filter(None, (verdicts, state)):
        refuse_overwriting(path, [pact, *records])
    outcome = examine(pact, inputs, Wanted(verdicts, limit, session, state))
    if outcome.timeline is None:
        _write(outcome, form)
    elif form == "json":
        write_json(outcome.timeline.data())
    else:
        outcome.timeline.report(outcome)
    return exit_code(outcome, FAIL_ON[fail_on] if fail_on else (), doubt=fail_on == "unknown")


def _write(outcome: Outcome, form: str) -> None:
    """The report in the form asked for."""
    if form == "text":
        from pactlang.cli.report import report

        report(outcome)
        return
    from pactlang.cli.data import data
    from pactlang.cli.forms import github, html, junit, sarif

    if form == "json":
        write_json(data(outcome))
    elif form == "sarif":
        write_json(sarif.outcome(outcome))
    elif form == "junit":
        junit.write_outcome(outcome)
    elif form == "html":
        write_bytes(html.page_of(outcome))
    else:
        for line in github.outcome(outcome):
            click.echo(line)


class Wanted(NamedTuple):
    """What a run is asked for: a file of rows, examples per clause, a session, a file for the state."""

    verdicts: str | None
    limit: int
    session: str | None = None
    state: str | None = None


def examine(pact: str, inputs: Sequence[Input], wanted: Wanted) -> Outcome:
    """Judge all inputs.  Ends early, with what there is, when a person interrupts."""
    program = usable(pact)
    shown = "<stdin>" if pact == "-" else printable(pact)
    remembers = any(clause.remembers for clause in program.clauses)
    begin = _remembering if remembers else _plain
    outcome = begin(shown, program, inputs, wanted)
    start = time.perf_counter()
    live = Live(console()) if inputs[0].follows else None
    bars = () if live else inputs
    with Rows(wanted.verdicts, remembers) as rows, Bar(bars) as bar, Interrupts() as interrupts:
        try:
            for given in inputs:
                given.opens = program.schema.root == "Call"
                _examine_one(given, outcome, rows, bar, interrupts, live)
        except KeyboardInterrupt:
            outcome.interrupted = True
    outcome.audit.finish()
    outcome.seconds = time.perf_counter() - start
    if wanted.state is not None and isinstance(outcome.audit, MemoryAudit):
        _keep(outcome, wanted.state, inputs[0].follows)
    return outcome


def _plain(pact: str, program: Program, inputs: Sequence[Input], wanted: Wanted) -> Outcome:
    from pactlang import Evaluator

    for option, value in (("--session", wanted.session), ("--state", wanted.state)):
        if value is not None:
            raise exits.Fault(f"`{option}` is for pacts that remember calls, and `{program.name}` does not")
    names = tuple(clause.name for clause in program.clauses)
    audit = Audit(Evaluator(program), names, wanted.limit, every=wanted.verdicts is not None)
    return Outcome(pact, program, audit, [given.name for given in inputs], Sight(program))


def _remembering(pact: str, program: Program, inputs: Sequence[Input], wanted: Wanted) -> Outcome:
    """The same through a monitor, which goes on from a state if there is one."""
    from pactlang.cli.state import monitor_of
    from pactlang.cli.timeline import Timeline

    monitor = monitor_of(program, wanted.state, any(given.is_sparse for given in inputs))
    timeline = None if wanted.session is None else Timeline(monitor, wanted.session)
    every = wanted.verdicts is not None
    audit = MemoryAudit(monitor, program, wanted.limit, every, timeline)
    outcome = Outcome(pact, program, audit, [given.name for given in inputs], Sight(program))
    outcome.timeline = timeline
    if monitor.lost:
        lost = ", ".join(map(printable, monitor.lost))
        outcome.notices.append(f"of {lost} the state knows no past: then they were not as they are")
    return outcome


def _keep(outcome: Outcome, path: str, follows: bool) -> None:
    """Save the state, if it is that of a whole log."""
    from pactlang.cli.state import save

    assert isinstance(outcome.audit, MemoryAudit)
    if outcome.interrupted and not follows:
        outcome.notices.append(f"{printable(path)} was left as it was, since the log was not read to its end")
        return
    save(outcome.audit.monitor, path)


def _examine_one(
    given: Input, outcome: Outcome, rows: Rows, bar: Bar, interrupts: Interrupts, live: Live | None
) -> None:
    audit = outcome.audit
    before = audit.total.records - audit.total.undecodable
    try:
        for block in interrupts.each(_blocks(given, audit)):
            if isinstance(block, Overlong):
                rows.write([audit.pass_over(given.name, block)])
            else:
                checked = audit.feed(given.name, block)
                if isinstance(block, Block) and not given.is_sparse:
                    outcome.sight.look(given.name, block)
                if rows.is_open:
                    rows.write(checked.all_rows())
                if live is not None:
                    live.show(checked)
            bar.at(given, audit.total.records)
    except Broken as broken:
        outcome.errors.append(str(broken))
    if isinstance(given, ParquetInput) and given.schema is not None:
        outcome.sight.look_at_columns(given.schema)
    if isinstance(given, ParquetInput) and before == audit.total.records - audit.total.undecodable:
        outcome.errors += filter(None, [given.complaint(audit)])
    if given.bom:
        outcome.notices.append(f"{given.name} begins with a byte-order mark, which was passed over")
    if given.opened:
        many = plural(given.opened, "line")
        outcome.notices.append(f"{given.name}: {many} in another program's form, read as calls")
    bar.done(given)


def _blocks(given: Input, audit: Audit) -> Iterator[Block | Overlong | Columnar]:
    """What an input holds; of a file of columns those that the pact reads."""
    if isinstance(given, ParquetInput):
        given.reader = audit.evaluator.reader
        return given.columns()
    return given.blocks()


def exit_code(outcome: Outcome, severities: Sequence[str], doubt: bool = False) -> int:
    """What the run amounts to; an interrupt outweighs a broken promise, that outweighs a broken file."""
    total = outcome.audit.total
    if outcome.interrupted:
        return exits.INTERRUPTED
    if any(outcome.violated(severity) for severity in severities):
        return exits.FOUND
    if doubt and (total.undecodable or any(clause.doubtful for clause in outcome.clauses())):
        return exits.FOUND
    if outcome.errors:
        return exits.PARTIAL if total.records else exits.UNABLE
    if outcome.is_blind or (total.undecodable and total.undecodable == total.records):
        return exits.PARTIAL
    return exits.FINE
