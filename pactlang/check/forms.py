"""The named forms of session promises: `only after`, `never after`, `at most`, `expect`, `only from`.

In: the syntax of a form.  Out: an `ir.Form` with its events resolved, or None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pactlang import ir, syntax
from pactlang.check.report import an
from pactlang.schema import BOOL
from pactlang.source import Span

if TYPE_CHECKING:
    from pactlang.check.walk import Walk

MOST = 1_000  # N of a form: what a ring of times per session may hold
EVERY = "calls"  # the event that every call is
TEXTS = ("string", "dyn", "list", "map", "error")

Written = syntax.OnlyAfter | syntax.NeverAfter | syntax.AtMost | syntax.Expect | syntax.OnlyFrom


class Forms:
    """Checks the forms of one pact."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.report = walk, walk.report

    def check(self, form: Written, on_end: str) -> ir.NamedForm | None:
        """The form; None if it names no event, or a number is out of range."""
        same = tuple(map(self._key, form.same))
        match form:
            case syntax.OnlyAfter():
                return self._only_after(form, same)
            case syntax.NeverAfter():
                event, after = self._event(form.event), self._event(form.after)
                until = None if form.until is None else self._event(form.until)
                if event is None or after is None or (form.until is not None and until is None):
                    return None
                return ir.NeverAfter(same, event, after, until)
            case syntax.AtMost():
                event, count = self._event(form.event, every=True), self._number(form.count, 0)
                per = -1 if form.per is None else form.per.nanos
                return None if event is None or count is None else ir.AtMost(same, event, count, per)
            case syntax.Expect():
                return self._expect(form, same, on_end)
            case syntax.OnlyFrom():
                return self._only_from(form, same)

    def _only_after(self, form: syntax.OnlyAfter, same: tuple[ir.Expr, ...]) -> ir.NamedForm | None:
        event, after = self._event(form.event), self._event(form.after)
        count = 1 if form.count is None else self._number(form.count, 1)
        if event is None or after is None or count is None:
            return None
        within = -1 if form.within is None else form.within.nanos
        return ir.OnlyAfter(same, event, after, form.fresh, count, within)

    def _expect(self, form: syntax.Expect, same: tuple[ir.Expr, ...], on_end: str) -> ir.NamedForm | None:
        trigger, expected = self._event(form.trigger), self._event(form.expected)
        calls = -1 if form.calls is None else self._number(form.calls, 1, 10**9)
        if trigger is None or expected is None or calls is None:
            return None
        within = -1 if form.within is None else form.within.nanos
        return ir.Expect(same, trigger, expected, calls, within, on_end)

    def _only_from(self, form: syntax.OnlyFrom, same: tuple[ir.Expr, ...]) -> ir.NamedForm | None:
        value = self._field_of(form.value)
        sources = [self._field_of(source) for source in form.sources]
        if value is None or None in sources:
            return None
        found = tuple(source for source in sources if source is not None)
        return ir.OnlyFrom(same, value[0], value[1], found)

    def _key(self, written: syntax.Expr) -> ir.Expr:
        """A key of `same`: where it is null, the call's event may be in any slice."""
        node = self.walk.infer(written, self.walk.nowhere)
        self.walk.strict(node, self.walk.nowhere)
        return node

    # Names ---------------------------------------------------------------------------------

    def _event(self, name: syntax.Ident, every: bool = False) -> ir.Event | None:
        item = self.walk.names.get(name.name)
        if item is None and every and name.name == EVERY:
            return ir.Event(EVERY, ir.Const(BOOL, name.span, True))
        if not isinstance(item, syntax.Event):
            self._no_event(name, item is not None)
            return None
        condition = self.walk.infer(syntax.Name(name.span, name.name), self.walk.nowhere)
        return None if condition.type.kind == "error" else ir.Event(name.name, condition)

    def _no_event(self, name: syntax.Ident, known: bool) -> None:
        if known or name.name in self.walk.fields:
            self.report.error(
                "not-an-event", f"`{name.name}` is not an event", name.span, "this form is about events",
                help=(f"declare one: `event EVENT when {name.name} ...`",),
            )  # fmt: skip
            return
        events = [key for key, item in self.walk.names.items() if isinstance(item, syntax.Event)]
        self.report.unknown("event", name.name, name.span, events, "no event has this name")

    def _field_of(self, path: syntax.Expr) -> tuple[ir.Event, ir.Expr] | None:
        """The event and the field of `event.field`."""
        names: list[syntax.Select] = []
        node = path
        while isinstance(node, syntax.Select):
            names.append(node)
            node = node.operand
        if not isinstance(node, syntax.Name):
            return None
        event = self._event(syntax.Ident(node.span, node.name))
        if not names:
            self.report.error(
                "no-text", f"`{node.name}` is an event; which of its texts is meant?", path.span,
                help=(f"write `{node.name}.FIELD`, such as `{node.name}.output`",),
            )  # fmt: skip
            return None
        text = self._text(names, node.span)
        return None if event is None or text is None else (event, text)

    def _text(self, names: list[syntax.Select], start: Span) -> ir.Expr | None:
        """The field behind the event's name: text, or data with texts in it."""
        first, *rest = reversed(names)
        written: syntax.Expr = syntax.Select(
            first.span, syntax.Name(start, "call"), first.field, first.field_span, first.optional
        )
        for name in rest:
            written = syntax.Select(name.span, written, name.field, name.field_span, name.optional)
        node = self.walk.infer(written, self.walk.nowhere)
        if node.type.kind not in TEXTS:
            self.report.error("no-text", f"expected a text, found {an(node.type)}", written.span)
        return node if node.type.kind in TEXTS and node.type.kind != "error" else None

    def _number(self, number: syntax.Number, least: int, most: int = MOST) -> int | None:
        if isinstance(number.value, int) and least <= number.value <= most:
            return number.value
        self.report.error(
            "out-of-range", f"expected a whole number from {least} to {most:,}", number.span
        )  # fmt: skip
        return None
