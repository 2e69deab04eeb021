"""From the values of a rule to a declaration's node.

In: a rule's span and its values (a word's value is its `Span`).  Out: the node.  One method per rule
or alias of `grammar/pact.lark`, of the same name; those of expressions are in `expressions.py`.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from pactlang import syntax as s
from pactlang.parse.expressions import Expressions, Values
from pactlang.source import Span

# A clause line that starts with one of these is no form about an event.
NOT_EVENTS = frozenset("after at dimension keep never on require severity watch when".split())
BYTE_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12} | {
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40
}  # fmt: skip


class Nodes(Expressions):
    """Builds the nodes of one text."""

    # The file

    def pact(self, span: Span, v: Values) -> s.Pact:
        name, version, record, description, *items = v
        return s.Pact(span, name, version, record, description.value if description else "", tuple(items))

    def owner(self, span: Span, v: Values) -> s.Owner:
        return s.Owner(span, v[0])

    def renews(self, span: Span, v: Values) -> s.Renews:
        written = self._slice(v[0])
        try:
            date.fromisoformat(written)
        except ValueError:
            self.mistake("no-such-day", f"there is no day `{written}`", v[0])
        return s.Renews(span, written)

    def applies(self, span: Span, v: Values) -> s.Applies:
        return s.Applies(span, v[0])

    def budget(self, span: Span, v: Values) -> s.Budget:
        return s.Budget(span, tuple(v))

    def budget_steps(self, span: Span, v: Values) -> s.BudgetSteps:
        return s.BudgetSteps(span, v[0])

    def budget_size(self, span: Span, v: Values) -> s.BudgetSize:
        return s.BudgetSize(span, v[0], v[1])

    def import_(self, span: Span, v: Values) -> s.Import:
        return s.Import(span, v[0])

    def override(self, span: Span, v: Values) -> s.Override:
        return s.Override(span, v[0])

    def drop(self, span: Span, v: Values) -> s.Drop:
        return s.Drop(span, v[0])

    def record(self, span: Span, v: Values) -> s.RecordDecl:
        return s.RecordDecl(span, v[0], tuple(v[1:]))

    def extend(self, span: Span, v: Values) -> s.RecordDecl:
        return s.RecordDecl(span, v[0], tuple(v[1:]), extend=True)

    def field(self, span: Span, v: Values) -> s.FieldDecl:
        name, type, default, wire = v
        return s.FieldDecl(span, name, type, default, wire)

    def plain_type(self, span: Span, v: Values) -> s.TypeRef:
        return s.TypeRef(span, self._slice(v[0]), nullable=v[1] is not None)

    def generic_type(self, span: Span, v: Values) -> s.TypeRef:
        return s.TypeRef(span, self._slice(v[0]), tuple(v[1:-1]), nullable=v[-1] is not None)

    def enum_type(self, span: Span, v: Values) -> s.TypeRef:
        return s.TypeRef(span, "enum", values=tuple(v[:-1]), nullable=v[-1] is not None)

    def let(self, span: Span, v: Values) -> s.Let:
        return s.Let(span, self._named(v[0]), v[1])

    def pattern(self, span: Span, v: Values) -> s.PatternDecl:
        return s.PatternDecl(span, self._named(v[0]), v[1], v[2])

    def phrases(self, span: Span, v: Values) -> s.PhrasesDecl:
        return s.PhrasesDecl(span, self._named(v[0]), v[1])

    def session(self, span: Span, v: Values) -> s.Session:
        return s.Session(span, *v)

    def event(self, span: Span, v: Values) -> s.Event:
        name = self._named(v[0])
        if name.name in NOT_EVENTS:
            message = f"an event cannot be called `{name.name}`: a clause line may begin with that word"
            self.mistake("reserved-word", message, name.span)
        return s.Event(span, name, v[1])

    def _named(self, ident: s.Ident) -> s.Ident:
        """A name that a declaration brings in, and that expressions use bare."""
        self._free(ident.span)
        return ident

    # Clauses

    def clause(self, span: Span, v: Values) -> s.Clause:
        name, description, *items = v
        return s.Clause(span, self._named(name), description.value if description else "", tuple(items))

    def dimension(self, span: Span, v: Values) -> s.Dimension:
        return s.Dimension(span, v[0])

    def severity(self, span: Span, v: Values) -> s.Severity:
        return s.Severity(span, v[0])

    def when(self, span: Span, v: Values) -> s.When:
        return s.When(span, v[0])

    def require(self, span: Span, v: Values) -> s.Require:
        return s.Require(span, v[0])

    def never(self, span: Span, v: Values) -> s.Require:
        return s.Require(span, v[0], never=True)

    def keep(self, span: Span, v: Values) -> s.Keep:
        comparison, *windows, keys, limit, minimum = v
        return s.Keep(span, comparison, tuple(windows), keys or (), limit, minimum)

    def time_window(self, span: Span, v: Values) -> s.Window:
        return s.Window(span, nanos=self._nanos(v[0]))

    def call_window(self, span: Span, v: Values) -> s.Window:
        return s.Window(span, calls=v[0].value)

    def watch(self, span: Span, v: Values) -> s.Watch:
        value, above, calls, keys = v
        return s.Watch(span, value, above, calls=calls, keys=keys or ())

    def against(self, span: Span, v: Values) -> s.Watch:
        return s.Watch(span, v[0], against=v[1])

    def only_after(self, span: Span, v: Values) -> s.OnlyAfter:
        event, fresh, count, after, within, same = v
        return s.OnlyAfter(span, self._event(event), after, fresh is not None, count, within, same or ())

    def never_after(self, span: Span, v: Values) -> s.NeverAfter:
        event, after, until, same = v
        return s.NeverAfter(span, self._event(event), after, until, same or ())

    def only_from(self, span: Span, v: Values) -> s.OnlyFrom:
        value, *sources, same = v
        return s.OnlyFrom(span, value, tuple(sources), same or ())

    def path(self, span: Span, v: Values) -> s.Expr:
        first, *rest = v
        node: s.Expr = s.Name(first, self._free(first))
        for word in rest:
            node = s.Select(first.to(word), node, self._slice(word), word)
        return node

    def _event(self, path: s.Name | s.Select) -> s.Ident:
        if isinstance(path, s.Name):
            return s.Ident(path.span, path.name)
        written = self._slice(path.span)
        self.mistake("not-an-event", f"expected the name of an event, found `{written}`", path.span)
        return s.Ident(path.span, written)

    def at_most(self, span: Span, v: Values) -> s.AtMost:
        count, event, *per, same = v
        return s.AtMost(span, count, event, per[0] if per else None, same or ())

    def within_calls(self, span: Span, v: Values) -> tuple[s.Number, s.Length | None]:
        return v[0], v[1]

    def expect(self, span: Span, v: Values) -> s.Expect:
        trigger, expected, reach, same = v
        calls, within = reach if isinstance(reach, tuple) else (None, reach)
        return s.Expect(span, trigger, expected, calls, within, same or ())

    def consequence(self, span: Span, v: Values) -> s.Consequence:
        return s.Consequence(span, self._slice(v[0]), tuple(v[1:]))

    def repeated(self, span: Span, v: Values) -> s.Consequence:
        count, within, *actions = v
        return s.Consequence(span, "repeated", tuple(actions), count, within)

    def on_end(self, span: Span, v: Values) -> s.OnEnd:
        return s.OnEnd(span, self._slice(v[0]))

    def bare_action(self, span: Span, v: Values) -> s.Action:
        return s.Action(span, self._slice(v[0]))

    def text_action(self, span: Span, v: Values) -> s.Action:
        return s.Action(span, self._slice(v[0]), v[1].value)

    def count_action(self, span: Span, v: Values) -> s.Action:
        return s.Action(span, self._slice(v[0]), v[1].value)

    def name_action(self, span: Span, v: Values) -> s.Action:
        return s.Action(span, self._slice(v[0]), v[1].name)

    def keys(self, span: Span, v: Values) -> tuple[s.Expr, ...]:
        return tuple(v)

    # Store, judge, score, tests

    def store(self, span: Span, v: Values) -> s.Store:
        return s.Store(span, tuple(v))

    def store_redact(self, span: Span, v: Values) -> s.StoreItem:
        return s.StoreItem(span, "redact", field=v[0], pattern=v[1])

    def store_drop(self, span: Span, v: Values) -> s.StoreItem:
        return s.StoreItem(span, "drop", field=v[0])

    def store_keep(self, span: Span, v: Values) -> s.StoreItem:
        return s.StoreItem(span, "keep", amount=v[0].nanos)

    def store_limit(self, span: Span, v: Values) -> s.StoreItem:
        number, unit = v
        size = BYTE_UNITS.get(unit.name)
        if size is None:
            choices = ", ".join(f"`{name}`" for name in BYTE_UNITS)
            message = f"unknown unit of size `{unit.name}`"
            self.mistake("unknown-unit", message, unit.span, f"the units are {choices}")
        return s.StoreItem(span, "limit", amount=int(number.value * (size or 1)))

    def judge(self, span: Span, v: Values) -> s.Judge:
        return s.Judge(span, v[0], tuple(v[1:]))

    def judge_item(self, span: Span, v: Values) -> tuple[str, str | int | float]:
        key, value = v
        return self._slice(key), value.name if isinstance(value, s.Ident) else value.value

    def score(self, span: Span, v: Values) -> s.Score:
        parts: dict[str, Any] = {}
        for name, place, value in v:
            if name in parts:
                self.mistake("duplicate-item", f"a score has only one `{name}`", place)
            parts[name] = value
        return s.Score(span, **parts)

    def scale(self, span: Span, v: Values) -> tuple[str, Span, s.Number]:
        return "scale", span, v[0]

    def half_life(self, span: Span, v: Values) -> tuple[str, Span, s.Length]:
        return "half_life", span, v[0]

    def confidence(self, span: Span, v: Values) -> tuple[str, Span, s.Number]:
        return "confidence", span, v[0]

    def weights(self, span: Span, v: Values) -> tuple[str, Span, Any]:
        return "weights", span, tuple(v)

    def bands(self, span: Span, v: Values) -> tuple[str, Span, Any]:
        return "bands", span, tuple(v)

    def amount(self, span: Span, v: Values) -> tuple[s.Ident, s.Number]:
        return v[0], v[1]

    def test(self, span: Span, v: Values) -> s.Test:
        return s.Test(span, v[0], tuple(v[1:]))

    def test_call(self, span: Span, v: Values) -> s.TestCall:
        return s.TestCall(span, v[0], tuple(v[1:]))

    def test_field(self, span: Span, v: Values) -> tuple[s.Ident, s.Expr]:
        return v[0], v[1]

    def test_ok(self, span: Span, v: Values) -> s.TestExpect:
        return s.TestExpect(span, "ok")

    def test_outcome(self, span: Span, v: Values) -> s.TestExpect:
        return s.TestExpect(span, self._slice(v[0]), tuple(v[1:]))

    def test_skipped(self, span: Span, v: Values) -> s.TestExpect:
        return s.TestExpect(span, "skipped", tuple(v))
