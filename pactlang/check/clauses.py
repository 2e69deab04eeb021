"""Clauses: one promise each, with what admits it and what a breach costs.

In: `syntax.Clause`.  Out: `ir.Clause`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from pactlang import ir, syntax
from pactlang.check.facts import NOTHING, constant
from pactlang.check.forms import Forms, Written
from pactlang.check.guards import Admission, note_never
from pactlang.check.keep import Keeps
from pactlang.check.lint import look
from pactlang.check.ranges import conjuncts, contradiction, tautology
from pactlang.check.report import Hint, Report, listed, suggest
from pactlang.check.walk import Limit, Scope, Walk
from pactlang.check.watch import Watches
from pactlang.diagnostic import Label
from pactlang.source import Span

T = TypeVar("T")

SEVERITIES = ("critical", "major", "minor", "info")

Population = syntax.Keep | syntax.Watch
Promise = syntax.Require | Population | Written

ACTIONS = (
    "block", "redact", "retry", "fallback", "alert", "warn", "escalate", "pause", "penalty", "allow",
)  # fmt: skip
ONCE = frozenset(ACTIONS) - {"alert"}


class Clauses:
    """Checks the clauses of one pact."""

    def __init__(
        self,
        walk: Walk,
        applies: ir.Expr | None,
        dimensions: frozenset[str] | None,
        written: Mapping[str, syntax.Clause],
        bases: Mapping[str, bytes | str] | None,
    ) -> None:
        """written: all clauses of the pact by their names.  bases: as of `check`."""
        self.walk, self.report = walk, walk.report
        self.applies, self.dimensions, self.written, self.bases = applies, dimensions, written, bases

    def check(self, clause: syntax.Clause) -> ir.Clause | None:
        """One clause; None if it is not one promise or a part of it failed."""
        self.walk.clause()
        promise = self._promise(clause)
        self._refuse_repeats(clause)
        if promise is None:
            return None
        try:
            return self._checked(clause, promise)
        except Limit as limit:
            self.report.error(limit.code, limit.message, limit.span)
            self.walk.open.clear()
            return None

    def _checked(self, clause: syntax.Clause, promise: Promise) -> ir.Clause | None:
        if isinstance(promise, syntax.Require):
            return self._call_promise(clause, promise)
        when, ends = self._when(clause), _first(clause.items, syntax.OnEnd)
        form: ir.Remembering | None
        if isinstance(promise, Population):
            form, help = self._population(clause, promise, when), "this is judged on every call"
        else:
            form = Forms(self.walk).check(promise, ends.what if ends is not None else "")
            help = "this form judges what has come before"
        if ends is not None and not isinstance(promise, syntax.Expect):
            self._no_end(ends, help)
        for part in () if form is None else (when, *ir.promised(form)):
            if part is not None and constant(part) is None:
                look(self.walk, part)
        conditions = (when, *(ir.promised(form) if form is not None else ()))
        made = self._clause(clause, promise, when, form or self.walk.error(promise.span), conditions)
        return None if form is None else made

    def _population(
        self, clause: syntax.Clause, promise: Population, when: ir.Expr | None
    ) -> ir.Keep | ir.Watch | None:
        scope = Scope(facts=self.walk.known.when(when, True) if when is not None else NOTHING)
        if isinstance(promise, syntax.Keep):
            return Keeps(self.walk, scope).check(promise)
        return Watches(self.walk, scope, self.written, self.bases).check(promise, clause.name.name)

    def _promise(self, clause: syntax.Clause) -> Promise | None:
        promises = [item for item in clause.items if isinstance(item, Promise)]
        if not promises:
            self.report.error(
                "no-promise", f"clause `{clause.name.name}` promises nothing", clause.name.span,
                help=("add `require CONDITION` or `never CONDITION`",),
            )  # fmt: skip
            return None
        for other in promises[1:]:
            self.report.error(
                "two-promises", "a clause holds one promise", other.span, "this needs a clause of its own",
                related=(Label(promises[0].span, "the first promise"),),
            )  # fmt: skip
        return promises[0]

    def _refuse_repeats(self, clause: syntax.Clause) -> None:
        """Two `when`s, two severities, ..."""
        first: dict[str, Span] = {}
        for item in clause.items:
            word = _word(item)
            if word and word in first:
                self.report.error(
                    "duplicate-item", f"`{word}` comes twice in this clause", item.span, "again here",
                    help=("join the two conditions with `&&`",) if word == "when" else (),
                    related=(Label(first[word], "first here"),),
                )  # fmt: skip
            first.setdefault(word, item.span)

    def _call_promise(self, clause: syntax.Clause, promise: syntax.Require) -> ir.Clause | None:
        when = self._when(clause)
        facts = self.walk.known.when(when, True) if when is not None else NOTHING
        word = "never" if promise.never else "require"
        written = _first(clause.items, syntax.When)
        self.walk.admission = Admission(promise.span, written.condition if written else None)
        condition = self.walk.condition(promise.condition, Scope(facts=facts), f"after `{word}`")
        if promise.never:
            note_never(self.walk, condition, Scope(facts=facts))
        self._warn(clause, promise, when, condition)
        for part in (when, condition):
            if part is not None and constant(part) is None:
                look(self.walk, part)
        ends = _first(clause.items, syntax.OnEnd)
        if ends is not None:
            self._no_end(ends, "a promise about one call is decided at once")
        return self._clause(clause, promise, when, condition, (when, condition))

    def _clause(
        self,
        clause: syntax.Clause,
        promise: Promise,
        when: ir.Expr | None,
        made: ir.Promise,
        conditions: tuple[ir.Expr | None, ...],
    ) -> ir.Clause:
        dimension, severity = self._dimension(clause), self._severity(clause)
        violation, unknown = self._consequences(clause, promise, conditions)
        return ir.Clause(
            name=clause.name.name,
            description=clause.description,
            dimension=dimension,
            severity=severity,
            span=clause.span,
            promise_span=promise.span,
            never=isinstance(promise, syntax.Require) and promise.never,
            when=when,
            promise=made,
            on_violation=violation,
            on_unknown=unknown,
        )

    def _no_end(self, ends: syntax.OnEnd, help: str) -> None:
        self.report.error(
            "wrong-consequence", "`on end` belongs to `after ... expect ...`", ends.span, help=(help,)
        )

    def _when(self, clause: syntax.Clause) -> ir.Expr | None:
        written = _first(clause.items, syntax.When)
        if written is None:
            return None
        return self.walk.condition(written.condition, self.walk.nowhere, "after `when`")

    def _warn(
        self, clause: syntax.Clause, promise: syntax.Require, when: ir.Expr | None, condition: ir.Expr
    ) -> None:
        """What is allowed, and says nothing: conditions that do not depend on the call."""
        if "error" in (condition.type.kind, when.type.kind if when is not None else ""):
            return
        admitted = [*conjuncts(self.applies), *conjuncts(when)]
        if when is not None and contradiction(admitted):
            self.report.warning(
                "unreachable", f"clause `{clause.name.name}` never applies", self.walk.span(when),
                "no call can be like this",
            )  # fmt: skip
            return
        if when is not None and constant(when):
            self.report.warning("always-true", "this admits every call", self.walk.span(when))
        known = constant(condition)
        if known is None and contradiction(conjuncts(condition)):
            known = False
        if (
            known is None
            and condition.type.kind == "bool"
            and contradiction([*admitted, *conjuncts(condition)])
        ):
            known = False
        if known is None and isinstance(condition, ir.Logic) and condition.op == "||":
            known = tautology(condition.operands) or None
        if known is not None:
            self._warn_constant(promise, known)

    def _warn_constant(self, promise: syntax.Require, known: bool) -> None:
        kept = known != promise.never
        code = "always-true" if known else "always-false"
        message = "this promise can never be broken" if kept else "every call it admits breaks this promise"
        self.report.warning(
            code, message, promise.condition.span, f"this is always {'true' if known else 'false'}"
        )

    def _dimension(self, clause: syntax.Clause) -> str:
        written = _first(clause.items, syntax.Dimension)
        name = written.name.name if written else "reliability"
        needed = written is not None or _first(clause.items, syntax.Watch) is None  # no watch is scored
        if needed and self.dimensions is not None and name not in self.dimensions:
            span = written.name.span if written else clause.name.span
            known: Hint = {"help": (f"weights are given for {listed(sorted(self.dimensions), 'and')}",)}
            self.report.error(
                "unknown-dimension", f"dimension `{name}` has no weight in `score`", span,
                **(suggest(name, span, self.dimensions) or known),
            )  # fmt: skip
        return name

    def _severity(self, clause: syntax.Clause) -> str:
        written = _first(clause.items, syntax.Severity)
        if written is None:
            return "major"
        name, span = written.name.name, written.name.span
        if name not in SEVERITIES:
            hint = suggest(name, span, SEVERITIES) or {"help": (f"severities are {listed(SEVERITIES)}",)}
            self.report.error("unknown-severity", f"unknown severity `{name}`", span, **hint)
        return name

    # Consequences --------------------------------------------------------------------------

    def _consequences(
        self, clause: syntax.Clause, promise: Promise, conditions: tuple[ir.Expr | None, ...]
    ) -> tuple[tuple[ir.Action, ...], tuple[ir.Action, ...]]:
        found: dict[str, tuple[ir.Action, ...]] = {}
        for item in clause.items:
            if isinstance(item, syntax.Consequence) and item.on == "repeated":
                self.walk.unsupported("`after N violations`", item.span)
            elif isinstance(item, syntax.Consequence):
                actions = _actions(item, conditions, promise, self.report)
                found.setdefault(item.on, tuple(actions))
        return found.get("violation", ()), found.get("unknown", ())


def _actions(
    item: syntax.Consequence, conditions: tuple[ir.Expr | None, ...], promise: Promise, report: Report
) -> Iterator[ir.Action]:
    seen: set[str] = set()
    for action in item.actions:
        complaint = _too_late(action, promise) or _complaint(action, item.on, conditions, promise)
        if complaint:
            message, help = complaint
            report.error("wrong-consequence", message, action.span, help=(help,) if help else ())
        elif action.kind in seen & ONCE:
            report.error("duplicate-item", f"`{action.kind}` comes twice", action.span, "again here")
        seen.add(action.kind)
        yield ir.Action(action.kind, action.value)


def _too_late(action: syntax.Action, promise: Promise) -> tuple[str, str] | None:
    """Whether an action would have to come before what is promised is known."""
    if action.kind not in ir.HOLDING:
        return None
    if isinstance(promise, syntax.Expect):
        return f"`{action.kind}` comes too late: when this is decided, the call has long been made", (
            "write `alert`, `escalate` or `penalty`"
        )
    if isinstance(promise, Population):
        return f"`{action.kind}` is about one call, and this promise about many", (
            "write `pause`, which refuses further calls, or `alert`"
        )
    return None


def _complaint(
    action: syntax.Action, on: str, conditions: tuple[ir.Expr | None, ...], promise: Promise
) -> tuple[str, str] | None:
    """What is wrong with an action, and what to write instead."""
    match action.kind:
        case "pause" if not isinstance(promise, Population):
            return "`pause` is for promises about many calls", "write `block` or `escalate`"
        case "allow" if on != "unknown":
            return "`allow` belongs to `on unknown`", "without `on violation`, a breach is only reported"
        case "redact" if not any(map(_searches_text, conditions)):
            return (
                "`redact` blanks what a pattern or phrase has found, and this clause has neither",
                "write `block`, or use `matches` or `says` in the clause",
            )
        case "retry" | "penalty" if isinstance(action.value, int) and action.value < 1:
            return f"`{action.kind}` takes a number from 1 on", ""
        case kind if kind not in ACTIONS:
            return f"unknown action `{kind}`", f"actions are {listed(ACTIONS)}"
    return None


def _searches_text(node: ir.Expr | None) -> bool:
    """True if a pattern or phrase is looked for anywhere in `node`."""
    todo, seen = [node], set()
    while todo:
        part = todo.pop()
        if isinstance(part, ir.Matches | ir.Says):
            return True
        if isinstance(part, ir.Node) and id(part) not in seen:
            seen.add(id(part))
            todo += _inside(part)
    return False


def _inside(node: ir.Node) -> Iterator[ir.Expr | None]:
    """The nodes directly inside `node`."""
    for name in node.__struct_fields__[2:]:
        value = getattr(node, name)
        for part in value if isinstance(value, tuple) else (value,):
            yield from part if isinstance(part, tuple) else (part,)


def _word(item: syntax.ClauseItem) -> str:
    match item:
        case syntax.Dimension():
            return "dimension"
        case syntax.Severity():
            return "severity"
        case syntax.When():
            return "when"
        case syntax.Consequence(on=on) if on != "repeated":
            return f"on {on}"
    return ""


def _first(items: Iterable[object], kind: type[T]) -> T | None:
    return next((item for item in items if isinstance(item, kind)), None)
