"""Annotations of GitHub's workflows: `::error file=...,line=...::message`.

In: opened pacts, tested pacts, the outcome of a run.  Out: lines.  What would end a line, a property or
the command is written as GitHub asks for it (`%0A`), so that no text of a pact or a log can become a
command of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pactlang.cli.facts import plural
from pactlang.cli.imports import file_at
from pactlang.cli.screen import printable
from pactlang.diagnostic import NOTE

if TYPE_CHECKING:
    from pactlang.cli.outcome import Outcome
    from pactlang.cli.pacts import Opened
    from pactlang.cli.test import Tested
    from pactlang.testing import Report

LEVELS = {"critical": "error", "major": "error", "minor": "warning", "info": "notice"}


def findings(opened: Opened) -> Iterator[str]:
    """A line per error and warning of a pact."""
    source = opened.source
    for found in opened.diagnostics:
        if found.level != NOTE and source is not None:
            at = found.primary.span.start
            file = file_at(source, at, opened.name)
            yield _line(found.level, file, source.place(at).line, found.code, found.message)


def tests(tested: Iterable[Tested]) -> Iterator[str]:
    """A line per finding of a pact, and per expectation that does not hold."""
    for each in tested:
        yield from findings(each.opened)
        if each.report is not None:
            yield from _failures(each.opened.name, each.report)


def _failures(name: str, report: Report) -> Iterator[str]:
    from pactlang.cli.test import in_short
    from pactlang.testing.told import line_of, title

    for result in report.results:
        for failure in result.failures:
            line = line_of(report.program, failure.expect.span)
            yield _line("error", name, line, title(result.name), in_short(failure))


def outcome(outcome: Outcome) -> Iterator[str]:
    """A line per broken promise, at its place in the pact; one for records that could not be read; and for
    clauses that no record has anything for."""
    for name, said in outcome.unread():
        file, line = outcome.place_of(name) if name else (outcome.pact, 1)
        yield _line("error" if outcome.is_blind else "warning", file, line, "unread", said)
    for clause in outcome.worst():
        examples = outcome.audit.violations[clause.name]
        said = clause.breach
        if examples:
            place, violation, _ = examples[0]
            message = violation.message.removeprefix(f"{clause.name}: ")
            said += f", first at {place.file}:{place.line}: {message}"
        file, line = outcome.place_of(clause.name)
        yield _line(LEVELS[clause.severity], file, line, clause.name, said)
    unreadable = outcome.audit.unreadable
    if unreadable:
        first, many = unreadable[0], plural(outcome.audit.total.undecodable, "record")
        said = f"{many} cannot be decoded, first: {first.path}: {first.reason}"
        yield _line("warning", first.file, first.line, "undecodable", said)


def _line(level: str, file: str, line: int, title: str, message: str) -> str:
    return f"::{level} file={_property(file)},line={line},title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
