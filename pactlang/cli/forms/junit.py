"""JUnit's XML, which every continuous integration reads.

In: opened pacts, tested pacts, the outcome of a run.  Out: a document on standard output.  `check`: a suite
with a case per pact; `test`: a suite per pact, a case per test; `run`: a suite with a case per clause, and
one for the records that could not be read.  A clause that no record has anything for is no success.

Names and values come from pacts and logs: XML has no way to write most control characters, so each is
shown as an escape (`\\x1b`), and what XML itself means by a sign is written as its entity.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from xml.etree import ElementTree as xml

from pactlang.cli.facts import plural
from pactlang.cli.imports import file_at
from pactlang.cli.pacts import summary
from pactlang.cli.screen import printable, write_bytes

if TYPE_CHECKING:
    from pactlang.cli.audit import Place
    from pactlang.cli.outcome import Counts, Outcome
    from pactlang.cli.pacts import Opened
    from pactlang.cli.test import Tested
    from pactlang.testing import Report, Result

UNWRITABLE = re.compile("[\ufffe\uffff]")  # the two that XML forbids and terminals do not mind


def write_findings(opened: Iterable[Opened]) -> None:
    """What `check` found, in UTF-8."""
    suite = xml.Element("testsuite", name="pactc check")
    suite.extend(_compiles(each) for each in opened)
    _write("pactc check", [suite])


def write_tests(tested: Iterable[Tested]) -> None:
    """What `test` found, in UTF-8."""
    _write("pactc test", map(_suite, tested))


def write_outcome(outcome: Outcome) -> None:
    """What `run` found, in UTF-8."""
    program = outcome.program
    suite = xml.Element("testsuite", name=_safe(f"{program.name} {program.version}"))
    suite.extend(_clause(clause, outcome) for clause in outcome.clauses())
    suite.append(_records(outcome))
    _write("pactc run", [suite])


def _write(name: str, suites: Iterable[xml.Element]) -> None:
    root = xml.Element("testsuites", name=name)
    for suite in suites:
        _count(suite, list(suite))
        root.append(suite)
    _count(root, list(root.iter("testcase")))
    xml.indent(root)
    write_bytes(xml.tostring(root, "utf-8", xml_declaration=True) + b"\n")


def _count(element: xml.Element, cases: list[xml.Element]) -> None:
    element.set("tests", str(len(cases)))
    element.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    element.set("errors", str(sum(case.find("error") is not None for case in cases)))
    element.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))


# Pacts ---------------------------------------------------------------------------------------------


def _compiles(opened: Opened) -> xml.Element:
    case = xml.Element("testcase", name="compiles", classname=_safe(opened.name))
    if opened.program is None:
        error = xml.SubElement(case, "error", type="CompileError", message=summary(opened))
        error.text = "\n".join(_findings(opened))
    elif opened.diagnostics:
        xml.SubElement(case, "system-out").text = "\n".join(_findings(opened))
    return case


def _findings(opened: Opened) -> Iterator[str]:
    source = opened.source
    if source is None:
        return
    for found in opened.diagnostics:
        at = found.primary.span.start
        file = file_at(source, at, "")
        where = f"{file}, line" if file else "line"
        yield _safe(f"{where} {source.place(at).line}: {found.level}: {found.message}")


def _suite(each: Tested) -> xml.Element:
    suite = xml.Element("testsuite", name=_safe(each.opened.name))
    if each.report is None:
        suite.append(_compiles(each.opened))
    else:
        suite.extend(_case(each, each.report, result) for result in each.report.results)
    return suite


def _case(each: Tested, report: Report, result: Result) -> xml.Element:
    from pactlang.cli.test import in_short
    from pactlang.testing import told
    from pactlang.testing.told import line_of, title

    case = xml.Element(
        "testcase", name=_safe(title(result.name)), classname=_safe(report.program.name),
        file=_safe(each.opened.name), line=str(line_of(report.program, result.test.span)),
    )  # fmt: skip
    if result.failures:  # one per case is all that every reader takes
        message = "; ".join(in_short(failure) for failure in result.failures)
        failure = xml.SubElement(case, "failure", type="AssertionError", message=_safe(message))
        failure.text = "\n".join(_safe(line) for line in told(report, result))
    return case


# Runs ----------------------------------------------------------------------------------------------


def _clause(clause: Counts, outcome: Outcome) -> xml.Element:
    file, line = outcome.place_of(clause.name)
    case = xml.Element(
        "testcase", name=_safe(clause.name), classname=_safe(outcome.program.name), file=_safe(file),
        line=str(line),
    )  # fmt: skip
    if clause.broken:
        message = clause.breach
        failure = xml.SubElement(case, "failure", type=clause.severity, message=message)
        failure.text = "\n".join(
            _said(each.place, each.violation.message) for each in outcome.audit.violations[clause.name]
        )
    elif clause.doubtful:
        error = xml.SubElement(case, "error", message=f"unknown for {plural(clause.unknown, 'call')}")
        error.text = "\n".join(_said(*found) for found in outcome.audit.unknowns[clause.name])
    elif clause.unknown:
        message = f"unknown for {plural(clause.unknown, 'call')} so far"
        xml.SubElement(case, "skipped", message=message)
    elif not clause.satisfied:
        xml.SubElement(case, "skipped", message="it applied to no call")
    elif clause.name in outcome.sight.unread():
        xml.SubElement(case, "skipped", message=_safe(outcome.sight.lacks(clause.name)))
    return case


def _records(outcome: Outcome) -> xml.Element:
    case = xml.Element("testcase", name="records", classname=_safe(outcome.program.name))
    if outcome.audit.reasons or outcome.errors:
        message = f"{plural(outcome.audit.total.undecodable, 'record')} cannot be decoded"
        error = xml.SubElement(case, "error", message=message)
        said = [f"{each.file}:{each.line}: {each.path}: {each.reason}" for each in outcome.audit.unreadable]
        error.text = "\n".join(map(_safe, (*outcome.errors, *said)))
    elif outcome.is_blind:
        xml.SubElement(case, "error", message=_safe(outcome.warnings()[0]))
    return case


def _said(place: Place, message: str) -> str:
    return _safe(f"{place.file}:{place.line} {place.id}: {message}")


def _safe(text: str) -> str:
    return UNWRITABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", printable(text))
