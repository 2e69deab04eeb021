"""Results of tests as annotations of GitHub's workflows: `::error file=...,line=...::message`.

In: `Tested` pacts.  Out: lines.  What would end a line, a property or the command is written as GitHub
asks for it (`%0A`), so that no text of a pact can become a command of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pactlang.cli.screen import printable
from pactlang.cli.test import in_short
from pactlang.diagnostic import NOTE

if TYPE_CHECKING:
    from pactlang.cli.test import Tested
    from pactlang.testing import Report


def annotated(tested: list[Tested]) -> Iterator[str]:
    """A line per finding of a pact, and per expectation that does not hold."""
    for each in tested:
        name, source = each.opened.name, each.opened.source
        for found in each.opened.diagnostics:
            if found.level != NOTE and source is not None:
                line = source.place(found.primary.span.start).line
                yield _line(found.level, name, line, found.code, found.message)
        if each.report is not None:
            yield from _failures(name, each.report)


def _failures(name: str, report: Report) -> Iterator[str]:
    from pactlang.testing.told import line_of, title

    for result in report.results:
        for failure in result.failures:
            line = line_of(report.program, failure.expect.span)
            yield _line("error", name, line, title(result.name), in_short(failure))


def _line(level: str, file: str, line: int, title: str, message: str) -> str:
    return f"::{level} file={_property(file)},line={line},title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
