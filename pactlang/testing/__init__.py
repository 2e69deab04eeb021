"""A pact's own tests: its `test` blocks are run, and what fails is told with the reason.

In: a program, or a pact's text or path.  Out: `Report`, or an AssertionError that says what went wrong.

    def test_the_pact():
        pactlang.testing.check_tests("support.pact")
"""

from __future__ import annotations

from pathlib import Path

from pactlang import build
from pactlang.program import Program
from pactlang.testing.coverage import Coverage, coverage
from pactlang.testing.feed import Judged
from pactlang.testing.run import Failure, Report, Result, Wrong, run_tests
from pactlang.testing.told import told

__all__ = [
    "Coverage", "Failure", "Judged", "Report", "Result", "Wrong", "check_tests", "coverage", "run_tests",
    "told",
]  # fmt: skip


def check_tests(pact: str | Path | Program) -> Report:
    """Run the tests of a pact: a `Program`, the path of a `.pact` or `.pactc`, or a pact's text.

    A str is a path if it ends with `.pact` or `.pactc`.  Raises AssertionError if a test fails or there
    is none, CompileError for a pact that does not compile, OSError for a file that cannot be read.
    """
    report = run_tests(pact if isinstance(pact, Program) else _program(pact))
    if not report.results:
        raise AssertionError(f"the pact {report.program.name} has no tests")
    if report.failed:
        failed = ("\n".join(told(report, result)) for result in report.results if not result.ok)
        raise AssertionError("\n\n".join([report.summary, *failed]))
    return report


def _program(pact: str | Path) -> Program:
    if isinstance(pact, Path) or pact.endswith((".pact", ".pactc")):
        return build.load(pact)
    return build.compile(pact)
