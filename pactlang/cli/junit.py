"""Results of tests as JUnit's XML, which every continuous integration reads.

In: `Tested` pacts.  Out: a document on standard output: a suite per pact, a case per test.  A pact with
errors is a suite with one case, an error.

Names and values come from pacts: XML has no way to write most control characters, so each is shown as an
escape (`\\x1b`), and what XML itself means by a sign is written as its entity.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.etree import ElementTree as xml

from pactlang.cli.pacts import summary
from pactlang.cli.screen import printable, write_bytes
from pactlang.cli.test import in_short

if TYPE_CHECKING:
    from pactlang.cli.test import Tested
    from pactlang.testing import Report, Result

UNWRITABLE = re.compile("[\ufffe\uffff]")  # the two that XML forbids and terminals do not mind


def write_junit(tested: list[Tested]) -> None:
    """The document, in UTF-8."""
    root = xml.Element("testsuites", name="pactc test")
    for each in tested:
        root.append(_suite(each))
    _count(root, list(root.iter("testcase")))
    xml.indent(root)
    write_bytes(xml.tostring(root, "utf-8", xml_declaration=True) + b"\n")


def _suite(each: Tested) -> xml.Element:
    suite = xml.Element("testsuite", name=_safe(each.opened.name))
    if each.report is None:
        suite.append(_broken(each))
    else:
        suite.extend(_case(each, each.report, result) for result in each.report.results)
    _count(suite, list(suite))
    return suite


def _count(element: xml.Element, cases: list[xml.Element]) -> None:
    element.set("tests", str(len(cases)))
    element.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    element.set("errors", str(sum(case.find("error") is not None for case in cases)))


def _broken(each: Tested) -> xml.Element:
    case = xml.Element("testcase", name="compiles", classname=_safe(each.opened.name))
    error = xml.SubElement(case, "error", type="CompileError", message=summary(each.opened))
    error.text = "\n".join(_findings(each))
    return case


def _findings(each: Tested) -> Iterator[str]:
    source = each.opened.source
    if source is None:
        return
    for found in each.opened.diagnostics:
        line = source.place(found.primary.span.start).line
        yield _safe(f"line {line}: {found.level}: {found.message}")


def _case(each: Tested, report: Report, result: Result) -> xml.Element:
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


def _safe(text: str) -> str:
    return UNWRITABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", printable(text))
