"""`test "name" { ... }`: the pact's own examples, with what is expected of them.

In: `syntax.Test`, the records, the clauses' names.  Out: `ir.Test`, whose calls are data as a log would
hold it.  Tests decide no verdict, so a field that only they name is not read.
"""

from __future__ import annotations

from collections.abc import Iterable

from pactlang import ir, syntax
from pactlang.check.constants import Constants
from pactlang.check.report import Report
from pactlang.diagnostic import Label
from pactlang.schema import Record
from pactlang.source import Span

MOST = 2**63 - 1  # nanoseconds: what an artifact can say


class Tests:
    """The check of a pact's tests; the first of `records` is the pact's."""

    def __init__(self, report: Report, records: tuple[Record, ...], clauses: Iterable[str]) -> None:
        self.report, self.root = report, records[0].name
        self.constants = Constants(report, records)
        self.clauses = dict.fromkeys(clauses)
        self.first: dict[str, Span] = {}

    def check(self, test: syntax.Test) -> ir.Test:
        """One test; what is wrong with it is reported."""
        self._name(test.name)
        if not any(isinstance(step, syntax.TestExpect) for step in test.steps):
            self.report.warning(
                "no-expect", "this test expects nothing", test.name.span,
                help=("add `expect ok`, or `expect violation of CLAUSE`",),
            )  # fmt: skip
        self._order(test)
        return ir.Test(test.name.value, test.span, tuple(self._step(step) for step in test.steps))

    def _name(self, name: syntax.Text) -> None:
        first = self.first.setdefault(name.value, name.span)
        if first is not name.span:
            self.report.error(
                "duplicate-test", "two tests have this name", name.span, "again here",
                related=(Label(first, "first here"),),
            )  # fmt: skip

    def _order(self, test: syntax.Test) -> None:
        """What is expected is expected of the call before."""
        if test.steps and isinstance(test.steps[0], syntax.TestExpect):
            self.report.error(
                "expect-before-call", "there is no call yet of which this could be expected",
                test.steps[0].span, help=("write `call { ... }` before it",),
            )  # fmt: skip

    def _step(self, step: syntax.TestCall | syntax.TestExpect) -> ir.TestCall | ir.TestExpect:
        if isinstance(step, syntax.TestCall):
            return self._call(step)
        for name in step.clauses:
            if name.name not in self.clauses:
                self.report.unknown("clause", name.name, name.span, self.clauses, "no clause has this name")
        return ir.TestExpect(step.span, step.what, tuple(name.name for name in step.clauses))

    def _call(self, call: syntax.TestCall) -> ir.TestCall:
        if call.at is not None and call.at.nanos > MOST:
            self.report.error("number-out-of-range", "a test lasts 292 years at most", call.at.span)
        written = ((name.name, name.span, value) for name, value in call.fields)
        found = self.constants.fields(self.root, written)
        return ir.TestCall(
            call.span,
            None if call.at is None else call.at.nanos,
            {name: data for name, (_, data) in found.items()},
        )
