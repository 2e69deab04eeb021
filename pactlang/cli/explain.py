"""`pactc explain`: one call, one clause after the other, every part of it with its value.

In: a pact, records, and the id or the line of a call.  Out: a drawing, or the same as JSON.  Of a pact that
remembers, the calls before it go through a monitor first, in the order of the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from pactlang.cli.exits import FINE, Fault
from pactlang.cli.input import Broken, Input, Overlong, open_inputs
from pactlang.cli.pacts import usable
from pactlang.cli.screen import console, printable, width_of, write_json
from pactlang.cli.stored import take_step
from pactlang.errors import RecordError

if TYPE_CHECKING:
    from rich.text import Text

    from pactlang._runtime import MonitorVerdict
    from pactlang.evaluator import Evaluator, Monitor
    from pactlang.explain import Memory
    from pactlang.ir import Clause
    from pactlang.ledger import Aside
    from pactlang.program import Program
    from pactlang.verdict import Verdict

OUTCOME = {"satisfied": "green", "violated": "bold red", "skipped": "dim", "unknown": "yellow"}
OTHERS = 5  # calls with the same id that are named
CANDIDATES = 3  # undecodable lines that hold the id and are told of


class Line(NamedTuple):
    """One line of the log.  `untold`: outcome of and reason for clauses that read what a ledger withholds;
    `hidden`: the slots that it withholds; `steps`: what it holds between this call and the next."""

    file: str
    number: int
    text: bytes
    untold: dict[str, tuple[str, str]]
    hidden: tuple[int, ...] = ()
    steps: Sequence[Aside] = ()


class Judge:
    """Who judges the lines: an evaluator, or a monitor that has to see them all."""

    def __init__(self, program: Program, doubts: bool) -> None:
        from pactlang.cli.state import monitor_of
        from pactlang.evaluator import Evaluator

        self.program = program
        remembers = any(clause.remembers for clause in program.clauses)
        self.monitor = monitor_of(program, None, doubts) if remembers else None
        self.evaluator: Evaluator = Evaluator(program) if self.monitor is None else self.monitor.machine
        if self.monitor is not None:
            self.monitor.machine.tells = True

    def pass_over(self, line: Line) -> None:
        """Take a line that comes before the one to be explained."""
        if self.monitor is not None:
            with suppress(RecordError):
                self._fed(self.monitor, line)
            for step in line.steps:
                take_step(self.monitor, step)

    def judge(self, line: Line) -> Judged:
        """What is said of a line.  RecordError if it cannot be decoded."""
        if self.monitor is None:
            reader = self.evaluator.reader
            row = reader.values(reader.from_json(line.text))
            return Judged(self.evaluator.check_json(line.text), row)
        machine, verdict = self.monitor.machine, self._fed(self.monitor, line)
        row = machine.row_of(verdict)
        if verdict.duplicate:
            return Judged(verdict, row, {}, True)
        memory = {name: machine.memory(verdict, number) for number, name in enumerate(machine.names)}
        return Judged(verdict, row, memory)

    def _fed(self, monitor: Monitor, line: Line) -> MonitorVerdict:
        machine = monitor.machine
        if line.hidden:
            return machine.feed_record(machine.reader.from_json(line.text), line.hidden)
        return machine.feed_record(line.text)


class Judged(NamedTuple):
    """A verdict, the values of the slots, and of a pact that remembers what is known by clause."""

    verdict: Verdict
    row: list[Any]
    memory: dict[str, Memory] = {}  # noqa: RUF012  (of a tuple; nobody writes into the default)
    duplicate: bool = False


@click.command("explain", short_help="Show why a call kept or broke a promise.")
@click.argument("pact", metavar="PACT", type=click.Path(allow_dash=True))
@click.argument("records", nargs=-1, required=True, metavar="RECORDS...", type=click.Path(allow_dash=True))
@click.option("--call", metavar="ID", help="The id of the call.")
@click.option("--line", type=click.IntRange(min=1), metavar="N", help="The line of the call, from 1.")
@click.option("--clause", metavar="NAME", multiple=True, help="Explain this clause only; may be repeated.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    pact: str,
    records: tuple[str, ...],
    call: str | None,
    line: int | None,
    clause: tuple[str, ...],
    form: str,
) -> int:
    """Show why a call kept or broke each promise: every part of a clause with its value.

    Of several calls with the id the first counts, and the others are named; where a record has no id, its
    line number is its id.
    """
    if (call is None) == (line is None):
        raise click.UsageError("say which call: `--call ID` or `--line N`")
    if line is not None and len(records) > 1:
        raise click.UsageError("`--line N` needs exactly one file of records")
    if pact == "-" and "-" in records:
        raise Fault("`-` stands for standard input and can be given once")
    inputs = open_inputs(records)
    program = usable(pact)
    for given in inputs:
        given.opens = program.schema.root == "Call"
    judge, clauses = Judge(program, any(given.is_sparse for given in inputs)), _chosen(program, clause)
    if line is not None:
        found = _at(inputs[0], line, judge)
    else:
        found, *others = _called(inputs, str(call), judge)
        _tell_of_others(str(call), found, others)
    _explain(program, clauses, found, judge, form)
    return FINE


def _chosen(program: Program, names: Sequence[str]) -> list[Clause]:
    known = {clause.name: clause for clause in program.module.clauses}
    for name in names:
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, known, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"it has {', '.join(list(known)[:20]) or 'none'}"
            raise Fault(f"`{program.name}` has no clause `{printable(name)}`", printable(hint))
    return [known[name] for name in names] if names else list(known.values())


def _at(given: Input, number: int, judge: Judge) -> Line:
    last = 0
    for line in _lines(given, judge.program):
        if line.number == number:
            return line
        judge.pass_over(line)
        last = line.number
    raise Fault(f"{given.name} has no record on line {number:,}; its last is on line {last:,}")


def _tell_of_others(call: str, found: Line, others: Sequence[Line]) -> None:
    """Name the other calls with the id that was asked for."""
    if not others:
        return
    told = [
        f"line {each.number}" + ("" if each.file == found.file else f" of {each.file}") for each in others
    ]
    more = f" and {len(told) - OTHERS:,} more" if len(told) > OTHERS else ""
    click.echo(
        f"note: the id `{printable(call)}` comes more than once; this is the call on line {found.number}, the"
        f" others are on {', '.join(told[:OTHERS])}{more}: `--line N` explains one of them",
        err=True,
    )


def _called(inputs: Sequence[Input], call: str, judge: Judge) -> list[Line]:
    """The calls with the id; if there is none, lines are told of that hold it or that it numbers."""
    hints: list[str] = []
    calls: list[Line] = []
    for given in inputs:
        for line in _lines(given, judge.program):
            if _is_called(line, call, judge.evaluator, hints):
                calls.append(line if not calls else line._replace(text=b""))
            elif not calls:
                judge.pass_over(line)
    if calls:
        return calls
    raise Fault(f"no call has the id `{printable(call)}`", printable("; ".join(hints)))


def _is_called(line: Line, call: str, evaluator: Evaluator, hints: list[str]) -> bool:
    needle, numbered = call.encode("utf-8", "surrogateescape"), str(line.number) == call
    if needle not in line.text and b"\\" not in line.text and not numbered:
        return False  # an id that is written without escapes would be there
    try:
        found = _identity(evaluator, line)
    except RecordError as error:
        if needle in line.text and len(hints) < CANDIDATES:
            hints.append(f"{line.file}:{line.number} holds it and cannot be decoded: {error}")
        return False
    if str(found) != call and numbered and len(hints) < CANDIDATES:
        hints.append(f"line {call} of {line.file} is the call `{found}`: `--line {call}` explains it")
    return str(found) == call


def _identity(evaluator: Evaluator, line: Line) -> object:
    found = evaluator.reader.identity(evaluator.reader.from_json(line.text))
    return line.number if found is None else found


def _lines(given: Input, program: Program) -> Iterator[Line]:
    """The lines of a file that are not blank; one that is too long is no record anybody can explain."""
    try:
        for block in given.blocks():
            if isinstance(block, Overlong):
                continue
            held = block.withheld
            data = block.data if held is None else held.filled(block.data, program)
            for at, text in enumerate(data.split(b"\n")):
                if text.strip():
                    untold = held.untold(at, program) if held else {}
                    hidden = held.slots(at, program) if held else ()
                    steps = block.steps.get(at + 1, ())
                    yield Line(given.name, block.number(at + 1), text.rstrip(b"\r"), untold, hidden, steps)
    except Broken as broken:
        raise Fault(str(broken)) from broken


def _explain(program: Program, clauses: list[Clause], line: Line, judge: Judge, form: str) -> None:
    try:
        judged = judge.judge(line)
    except RecordError as error:
        raise Fault(f"{line.file}:{line.number} cannot be decoded: {printable(str(error))}") from error
    clauses = [] if judged.verdict.outside or judged.duplicate else clauses
    untold = {**_beyond(program, clauses, judged), **line.untold}
    told, name = Told(program, clauses, judged, untold), _identity(judge.evaluator, line)
    if form == "json":
        write_json(_data(told, line, name))
    else:
        _draw(told, f"{line.file}:{line.number}  {printable(str(name))}")


def _beyond(program: Program, clauses: list[Clause], judged: Judged) -> dict[str, tuple[str, str]]:
    """The conditions that only the machine's limits left undecided, or what came before."""
    from pactlang import explain

    unknown = set(judged.verdict.unknown)
    found: dict[str, tuple[str, str]] = {}
    for clause in clauses:
        if clause.name not in unknown or explain.is_form(clause):
            continue
        why = judged.memory[clause.name].why if judged.memory else explain.ERROR_VALUE
        if why != explain.ERROR_VALUE:
            found[clause.name] = "unknown", f"cannot be decided: {why}"
        elif explain.beyond(program.module, clause, judged.row):
            found[clause.name] = "unknown", explain.BEYOND
    return found


class Told(NamedTuple):
    """A call to be told of: the values of its slots, and the clauses, none for a call outside the pact.

    untold: outcome of and reason for clauses that cannot be explained.
    """

    program: Program
    clauses: list[Clause]
    judged: Judged
    untold: dict[str, tuple[str, str]]

    def clause_data(self, clause: Clause) -> dict[str, Any]:
        """A clause as JSON data."""
        from pactlang import explain

        if clause.name in self.untold:
            outcome, why = self.untold[clause.name]
            return {
                "clause": clause.name,
                "severity": clause.severity,
                "outcome": outcome,
                "message": f"{clause.name}: {why}",
            }
        module, source, row = self.program.module, self.program.source, self.judged.row
        if explain.is_form(clause):
            return explain.form_data(module, clause, row, self.judged.memory[clause.name], source)
        known = self.judged.verdict.outcomes.get(clause.name)
        return explain.explain_data(module, clause, row, source, known)

    def drawing(self, clause: Clause, width: int | None) -> str:
        """A clause as text: its name and outcome, then all else."""
        from pactlang import explain

        if clause.name in self.untold:
            word, why = self.untold[clause.name]
            return f"{clause.name}: {word}\n  {why}"
        module, source, row = self.program.module, self.program.source, self.judged.row
        if explain.is_form(clause):
            return explain.explain_form(module, clause, row, self.judged.memory[clause.name], source, width)
        outcome = self.judged.verdict.outcomes.get(clause.name)
        return explain.explain(module, clause, row, source, width, outcome)


def _data(told: Told, line: Line, name: object) -> dict[str, Any]:
    from pactlang import explain

    module, source = told.program.module, told.program.source
    return {
        "file": line.file,
        "line": line.number,
        "id": name,
        "outside": told.judged.verdict.outside,
        "duplicate": told.judged.duplicate,
        "applies": explain.scope_data(module, told.judged.row, source),
        "clauses": [told.clause_data(clause) for clause in told.clauses],
    }


def _draw(told: Told, head: str) -> None:
    from rich.text import Text

    from pactlang import explain

    screen, module, source = console(), told.program.module, told.program.source
    width = width_of(screen)
    screen.print(Text(head, "cyan"), soft_wrap=True)
    drawings = [told.drawing(clause, width) for clause in told.clauses]
    if told.judged.verdict.outside:
        drawings = [explain.explain_scope(module, told.judged.row, source, width)]
    if told.judged.duplicate:
        drawings = ["the call came before, and is not judged again"]
    for drawing in drawings:
        first, _, rest = drawing.partition("\n")
        name, _, outcome = first.rpartition(": ")
        title = (
            Text.assemble((name, "bold"), (": ", "bold"), (outcome, OUTCOME.get(outcome, "")))
            if name
            else first
        )
        screen.print()
        screen.print(title, style="" if name else "yellow", soft_wrap=True)
        screen.print(_coloured(rest), soft_wrap=True)


def _coloured(drawing: str) -> Text:
    """What decided in bold, what was not evaluated dim; without colour the marks and the words say it."""
    from rich.text import Text

    lines = []
    for line in drawing.split("\n"):
        dim = line.endswith(("  not evaluated", " not shown"))
        style = "bold" if line.startswith("  > ") else "dim" if dim else ""
        lines.append(Text(line, style))
    return Text("\n").join(lines)
