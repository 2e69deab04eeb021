"""`pactc explain`: one call, one clause after the other, every part of it with its value.

In: a pact, records, and the id or the line of a call.  Out: a drawing, or the same as JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from pactlang.cli.exits import FINE, Fault
from pactlang.cli.input import Broken, Input, Overlong, open_inputs
from pactlang.cli.pacts import usable
from pactlang.cli.screen import console, printable, width_of, write_json
from pactlang.errors import RecordError

if TYPE_CHECKING:
    from rich.text import Text

    from pactlang.evaluator import Evaluator
    from pactlang.ir import Clause
    from pactlang.program import Program
    from pactlang.verdict import Verdict

OUTCOME = {"satisfied": "green", "violated": "bold red", "skipped": "dim", "unknown": "yellow"}
OTHERS = 5  # calls with the same id that are named
CANDIDATES = 3  # undecodable lines that hold the id and are told of


class Line(NamedTuple):
    """One line of the log.  `untold`: outcome of and reason for clauses that read what a ledger withholds."""

    file: str
    number: int
    text: bytes
    untold: dict[str, tuple[str, str]]


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
    from pactlang import Evaluator

    program = usable(pact)
    for given in inputs:
        given.opens = program.schema.root == "Call"
    evaluator, clauses = Evaluator(program), _chosen(program, clause)
    if line is not None:
        found = _at(inputs[0], line, program)
    else:
        found, *others = _called(inputs, str(call), evaluator)
        _tell_of_others(str(call), found, others)
    _explain(program, clauses, found, evaluator, form)
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


def _at(given: Input, number: int, program: Program) -> Line:
    last = 0
    for line in _lines(given, program):
        if line.number == number:
            return line
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


def _called(inputs: Sequence[Input], call: str, evaluator: Evaluator) -> list[Line]:
    """The calls with the id; if there is none, lines are told of that hold it or that it numbers."""
    needle = call.encode("utf-8", "surrogateescape")
    hints: list[str] = []
    calls: list[Line] = []
    for given in inputs:
        for line in _lines(given, evaluator.program):
            numbered = str(line.number) == call
            if needle not in line.text and b"\\" not in line.text and not numbered:
                continue  # an id that is written without escapes would be there
            try:
                found = _identity(evaluator, line)
            except RecordError as error:
                if needle in line.text and len(hints) < CANDIDATES:
                    hints.append(f"{line.file}:{line.number} holds it and cannot be decoded: {error}")
                continue
            if str(found) == call:
                calls.append(line if not calls else line._replace(text=b""))
            elif numbered and len(hints) < CANDIDATES:
                hints.append(f"line {call} of {line.file} is the call `{found}`: `--line {call}` explains it")
    if calls:
        return calls
    raise Fault(f"no call has the id `{printable(call)}`", printable("; ".join(hints)))


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
                    yield Line(given.name, block.number(at + 1), text.rstrip(b"\r"), untold)
    except Broken as broken:
        raise Fault(str(broken)) from broken


def _explain(program: Program, clauses: list[Clause], line: Line, evaluator: Evaluator, form: str) -> None:
    try:
        row = evaluator.reader.values(evaluator.reader.from_json(line.text))
    except RecordError as error:
        raise Fault(f"{line.file}:{line.number} cannot be decoded: {printable(str(error))}") from error
    verdict = evaluator.check_json(line.text)
    outside = verdict.outside
    untold = {**_beyond(program, clauses, row, verdict), **line.untold}
    told = Told(program, [] if outside else clauses, row, verdict, untold)
    if form == "json":
        write_json(_data(told, line, _identity(evaluator, line)))
    else:
        _draw(told, f"{line.file}:{line.number}  {printable(str(_identity(evaluator, line)))}")


def _beyond(
    program: Program, clauses: list[Clause], row: list[Any], verdict: Verdict
) -> dict[str, tuple[str, str]]:
    """The clauses that only the machine's limits left undecided."""
    from pactlang import explain

    unknown = set(verdict.unknown)
    found = (c for c in clauses if c.name in unknown and explain.beyond(program.module, c, row))
    return {clause.name: ("unknown", explain.BEYOND) for clause in found}


class Told(NamedTuple):
    """A call to be told of: the values of its slots, and the clauses, none for a call outside the pact.

    untold: outcome of and reason for clauses that cannot be explained.
    """

    program: Program
    clauses: list[Clause]
    row: list[Any]
    verdict: Verdict
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
        known = self.verdict.outcomes.get(clause.name)
        return explain.explain_data(self.program.module, clause, self.row, self.program.source, known)

    def drawing(self, clause: Clause, width: int | None) -> str:
        """A clause as text: its name and outcome, then all else."""
        from pactlang import explain

        if clause.name in self.untold:
            word, why = self.untold[clause.name]
            return f"{clause.name}: {word}\n  {why}"
        outcome = self.verdict.outcomes.get(clause.name)
        return explain.explain(self.program.module, clause, self.row, self.program.source, width, outcome)


def _data(told: Told, line: Line, name: object) -> dict[str, Any]:
    from pactlang import explain

    module, source = told.program.module, told.program.source
    return {
        "file": line.file,
        "line": line.number,
        "id": name,
        "outside": told.verdict.outside,
        "applies": explain.scope_data(module, told.row, source),
        "clauses": [told.clause_data(clause) for clause in told.clauses],
    }


def _draw(told: Told, head: str) -> None:
    from rich.text import Text

    from pactlang import explain

    screen, module, source = console(), told.program.module, told.program.source
    width = width_of(screen)
    screen.print(Text(head, "cyan"), soft_wrap=True)
    drawings = [told.drawing(clause, width) for clause in told.clauses]
    if told.verdict.outside:
        drawings = [explain.explain_scope(module, told.row, source, width)]
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
