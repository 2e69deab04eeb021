"""A whole pact: header, declarations and clauses, in the order in which they must be known.

In: `syntax.Pact`.  Out: `ir.Module`.  Records first, then names, then conditions; last whatever no
clause uses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec.structs import replace

from pactlang import ir, syntax
from pactlang.check import texts
from pactlang.check.budget import Budget
from pactlang.check.clauses import Clauses
from pactlang.check.names import names_of
from pactlang.check.patterns import Patterns
from pactlang.check.reads import Slots, schema_of
from pactlang.check.report import Report
from pactlang.check.score import Score
from pactlang.check.session import session
from pactlang.check.shapes import Shapes
from pactlang.check.store import Store
from pactlang.check.tests import Tests
from pactlang.check.walk import Limit, Walk
from pactlang.diagnostic import Diagnostic, Label, has_errors, in_order
from pactlang.drift import FIELDS
from pactlang.schema import Record
from pactlang.source import Source, Span
from pactlang.standard import STANDARD

SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")

# What stands in a pact and changes no verdict of a call: it may stand there before it is carried out.
LATER = {
    syntax.Judge: "`judge`",
}  # fmt: skip
ONCE = {
    syntax.Owner: "owner", syntax.Renews: "renews", syntax.Applies: "applies when", syntax.Score: "score",
    syntax.Session: "session", syntax.Store: "store", syntax.Budget: "budget",
}  # fmt: skip


class Check:
    """The check of one pact."""

    def __init__(
        self, pact: syntax.Pact, source: Source, bases: Mapping[str, bytes | str] | None
    ) -> None:
        self.pact, self.report, self.bases = pact, Report(source), bases
        self.patterns = Patterns(self.report)

    def run(self) -> tuple[ir.Module | None, tuple[Diagnostic, ...]]:
        """The typed pact and the findings."""
        self._header()
        module = self._body()
        found = in_order(self.report.found)
        return (None if has_errors(found) else module), found

    def _body(self) -> ir.Module | None:
        shapes = Shapes(self.report, STANDARD)
        shapes.declare(item for item in self.pact.items if isinstance(item, syntax.RecordDecl))
        root = shapes.root(self.pact.record)
        if not root:
            return None
        shapes.check_identity(root)
        records = shapes.reached(root)
        slots = Slots(root, records)
        walk = Walk(
            self.report, slots, self.patterns, names_of(self.pact.items, slots.fields[root], self.report)
        )
        applies = self._applies(walk)
        clauses = self._clauses(walk, applies)
        sessions = self._session(walk, clauses)
        self._unused(walk)
        store = self._store(walk)
        budget = self._budget(walk)
        score = self._score(clauses)
        tests = self._tests(records)
        if has_errors(self.report.found):
            return None
        module = self._module(slots, records, applies, clauses, store, budget, sessions)
        return replace(module, tests=tests, score=score)

    def _module(
        self,
        slots: Slots,
        records: tuple[Record, ...],
        applies: ir.Expr | None,
        clauses: list[ir.Clause],
        store: tuple[ir.StoreRule, ...],
        budget: ir.Budget | None,
        session: ir.Session | None,
    ) -> ir.Module:
        used = [node for c in clauses for node in (c.when, *ir.promised(c.promise)) if node is not None]
        used += [] if session is None else [session.key]
        if any(isinstance(clause.promise, ir.Watch) for clause in clauses):
            taken = ((slot.type, number) for number, slot in enumerate(slots.slots) if slot.path[0] in FIELDS)
            used += [ir.Slot(type, (0, 0), number) for type, number in taken]
        return ir.Module(
            name=self.pact.name.name,
            version=self.pact.version.value,
            description=self.pact.description,
            owner=next((i.owner.value for i in self.pact.items if isinstance(i, syntax.Owner)), ""),
            renews=next((i.date for i in self.pact.items if isinstance(i, syntax.Renews)), ""),
            schema=schema_of(slots, records, [*([applies] if applies is not None else []), *used]),
            applies=applies,
            patterns=tuple(self.patterns.patterns),
            phrases=tuple(self.patterns.phrases),
            clauses=tuple(clauses),
            store=store,
            budget=budget,
            session=session,
        )

    # Header --------------------------------------------------------------------------------

    def _header(self) -> None:
        version = self.pact.version
        if SEMVER.fullmatch(version.value) is None:
            self.report.warning(
                "version", f'"{version.value}" is not a semantic version', version.span,
                help=('write it like "1.4.0"',),
            )  # fmt: skip
        first: dict[type, Span] = {}
        for item in self.pact.items:
            self._look_at(item, first)
        if not any(isinstance(item, syntax.Clause) for item in self.pact.items):
            self.report.warning("no-clauses", "this pact promises nothing", self.pact.name.span)

    def _look_at(self, item: syntax.Declaration, first: dict[type, Span]) -> None:
        kind = type(item)
        if kind in ONCE and kind in first:
            self.report.error(
                "duplicate-item", f"`{ONCE[kind]}` comes twice", item.span, "again here",
                related=(Label(first[kind], "first here"),),
            )  # fmt: skip
        if kind in LATER and kind not in first:
            self.report.warning(
                "not-yet-used", f"{LATER[kind]} is read but not used by this version of pactc", item.span
            )
        first.setdefault(kind, item.span)

    # Conditions ----------------------------------------------------------------------------

    def _applies(self, walk: Walk) -> ir.Expr | None:
        written = next((item for item in self.pact.items if isinstance(item, syntax.Applies)), None)
        if written is None:
            return None
        walk.clause()
        walk.operators.closed = "`applies when`"
        try:
            return walk.condition(written.condition, walk.nowhere, "after `applies when`")
        except Limit as limit:
            self._limit(walk, limit)
            return None
        finally:
            walk.operators.closed = ""

    def _clauses(self, walk: Walk, applies: ir.Expr | None) -> list[ir.Clause]:
        written = {item.name.name: item for item in self.pact.items if isinstance(item, syntax.Clause)}
        clauses = Clauses(walk, applies, self._dimensions(), written, self.bases)
        found, first = list[ir.Clause](), dict[str, Span]()
        for item in self.pact.items:
            if not isinstance(item, syntax.Clause):
                continue
            name, span = item.name.name, item.name.span
            if name in first:
                self.report.error(
                    "duplicate-clause", f"clause `{name}` is declared twice", span, "again here",
                    related=(Label(first[name], "first declared here"),),
                )  # fmt: skip
            first.setdefault(name, span)
            if walk.full:
                break
            clause = clauses.check(item)
            if clause is not None:
                found.append(clause)
        return found

    def _dimensions(self) -> frozenset[str] | None:
        """The dimensions that have a weight; None if the pact gives no weights."""
        score = next((item for item in self.pact.items if isinstance(item, syntax.Score)), None)
        if score is None or score.weights is None:
            return None
        return frozenset(name.name for name, _ in score.weights)

    def _unused(self, walk: Walk) -> None:
        """Check what no clause has used; nothing of it enters the program."""
        slots, counts, operators = len(walk.slots.slots), self.patterns.counts(), len(walk.operators.found)
        for name, item in walk.names.items():
            if walk.full:
                break
            walk.clause()
            try:
                if isinstance(item, syntax.PatternDecl | syntax.PhrasesDecl):
                    texts.declaration(walk, item)
                elif name not in walk.values and name not in walk.named_in_keep:
                    walk.first(item)
            except Limit as limit:
                self._limit(walk, limit)
        walk.slots.forget(slots)
        self.patterns.forget(counts)
        walk.operators.forget(operators)

    def _session(self, walk: Walk, clauses: list[ir.Clause]) -> ir.Session | None:
        """What a session is; checked, too, where no clause needs one."""
        written = next((item for item in self.pact.items if isinstance(item, syntax.Session)), None)
        needed = next((c.promise_span for c in clauses if _of_session(c)), None)
        try:
            span = None if needed is None else Span(*needed)
            scored = any(isinstance(item, syntax.Score) for item in self.pact.items)
            made = session(walk, written, clauses, span, scored)
            if made is None and written is not None and written.key is not None:
                slots = len(walk.slots.slots)
                walk.clause()
                walk.infer(written.key, walk.nowhere)
                walk.slots.forget(slots)
        except Limit as limit:
            self._limit(walk, limit)
            return None
        return made

    def _store(self, walk: Walk) -> tuple[ir.StoreRule, ...]:
        stores = (item for item in self.pact.items if isinstance(item, syntax.Store))
        return tuple(rule for item in stores for rule in Store(walk).check(item))

    def _budget(self, walk: Walk) -> ir.Budget | None:
        written = next((item for item in self.pact.items if isinstance(item, syntax.Budget)), None)
        return None if written is None else Budget(walk).check(written)

    def _score(self, clauses: list[ir.Clause]) -> ir.Score | None:
        written = next((item for item in self.pact.items if isinstance(item, syntax.Score)), None)
        return None if written is None else Score(self.report, (c.dimension for c in clauses)).check(written)

    def _tests(self, records: tuple[Record, ...]) -> tuple[ir.Test, ...]:
        """The tests; what they name is looked up in the source, so that a clause with a mistake counts."""
        clauses = [item.name.name for item in self.pact.items if isinstance(item, syntax.Clause)]
        tests = Tests(self.report, records, clauses)
        return tuple(tests.check(item) for item in self.pact.items if isinstance(item, syntax.Test))

    def _limit(self, walk: Walk, limit: Limit) -> None:
        self.report.error(limit.code, limit.message, limit.span)
        walk.open.clear()


def _of_session(clause: ir.Clause) -> bool:
    """Whether a clause remembers calls of its session; `keep` and `watch` look at calls of all sessions."""
    if isinstance(clause.promise, ir.Form):
        return True
    parts = ir.nodes(clause.when, *ir.promised(clause.promise))
    return any(isinstance(node, ir.Operator) for node in parts)
