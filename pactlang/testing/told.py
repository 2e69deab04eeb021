"""A failed test in words: what was expected, what came out, and why.

In: a `Report` and one of its results.  Out: lines of safe text, for a terminal or a test runner.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pactlang import ir
from pactlang.explain import (
    BEYOND,
    beyond,
    explain,
    explain_data,
    explain_form,
    explain_scope,
    form_data,
    is_form,
)
from pactlang.explain.show import cells, clipped, printable
from pactlang.opcodes import Outcome
from pactlang.program import Program
from pactlang.testing.feed import Judged
from pactlang.testing.run import Failure, Report, Result, word

NAME = 200  # characters of a test's name that are shown
CALLS = 200  # characters of a call as written


def told(report: Report, result: Result, width: int | None = None) -> Iterator[str]:
    """The lines of one test: whether it passed, and what did not hold.  width: columns of a terminal."""
    yield f"{'ok' if result.ok else 'FAILED':<6}  {title(result.name)}"
    for failure in result.failures:
        yield ""
        yield from _failure(report.program, failure, None if width is None else width - 4)


def title(name: str) -> str:
    """A test's name as it is shown."""
    return clipped(printable(name), NAME)


def line_of(program: Program, span: tuple[int, int]) -> int:
    """The line of the pact's text on which something begins."""
    return program.source.place(span[0]).line


def expected(expect: ir.TestExpect) -> str:
    """The expectation as it is written: `expect violation of a, b`."""
    of = {"violation": "violation of ", "unknown": "unknown of ", "skipped": "skipped "}.get(expect.what, "")
    return f"expect {of}{', '.join(expect.clauses) or printable(expect.what)}"


def _failure(program: Program, failure: Failure, width: int | None) -> Iterator[str]:
    expect, call = failure.expect, failure.judged.call
    yield f"  line {line_of(program, expect.span)}: {expected(expect)}"
    written = " ".join(program.source.text[call.span[0] : call.span[1]].split())
    yield f"  line {line_of(program, call.span)}: {clipped(printable(written), CALLS)}"
    yield ""
    yield from _outcomes(failure)
    if failure.judged.outside:
        yield from _drawn(explain_scope(program.module, failure.judged.row, program.source, width))
    else:
        yield from _reasons(program, failure, width)


def _outcomes(failure: Failure) -> Iterator[str]:
    """What came out per clause."""
    wrong = {each.clause: each for each in failure.wrong}
    judged = failure.judged
    if judged.unreadable:
        yield f"    the call cannot be read: {printable(judged.unreadable)}"
    names = dict.fromkeys([*wrong, *judged.outcomes])
    room = max([0, *map(cells, names)])
    for name in names:
        found = wrong[name].found if name in wrong else word(judged.outcomes[name])
        mark, why = ("-", f", expected {wrong[name].expected}") if name in wrong else (" ", "")
        pending = " (pending)" if name in judged.waiting and found == "unknown" else ""
        yield f"  {mark} {name:<{room}}  {found}{pending}{why}"


def _reasons(program: Program, failure: Failure, width: int | None) -> Iterator[str]:
    wrong = {each.clause for each in failure.wrong}
    for clause in program.module.clauses:
        if clause.name in wrong and clause.name in failure.judged.outcomes:
            yield from _drawn(reason(program, clause, failure, width))


def reason(program: Program, clause: ir.Clause, failure: Failure, width: int | None) -> str:
    """Why a clause came out as it did: the sentence, then the drawing of `pactc explain`."""
    module, judged = program.module, failure.judged
    why = untold(program, clause, judged)
    if why:
        return f"{clause.name}: unknown\n  {why}"
    if is_form(clause):
        return explain_form(module, clause, judged.row, judged.memory[clause.name], program.source, width)
    return explain(module, clause, judged.row, program.source, width)


def untold(program: Program, clause: ir.Clause, judged: Judged) -> str:
    """Why a condition is unknown that its parts do not explain; "" for all else."""
    if is_form(clause) or judged.outcomes[clause.name] != Outcome.UNKNOWN:
        return ""
    if not beyond(program.module, clause, judged.row):
        return ""
    return judged.memory[clause.name].why if clause.name in judged.memory else BEYOND


def reason_data(program: Program, clause: ir.Clause, judged: Judged) -> dict[str, Any]:
    """The same as `pactc explain --format json` says it."""
    module, source = program.module, program.source
    if is_form(clause):
        return form_data(module, clause, judged.row, judged.memory[clause.name], source)
    return explain_data(module, clause, judged.row, source)


def _drawn(drawing: str) -> Iterator[str]:
    yield ""
    for line in drawing.splitlines():
        yield f"    {line}".rstrip()
