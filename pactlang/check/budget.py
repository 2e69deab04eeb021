"""`budget { ... }`: what a call may cost, and how large its fields are taken to be.

In: `syntax.Budget`.  Out: `ir.Budget`.  The path of a size leads through lists and maps to the fields
of their elements; what an element is itself is called `each`, what a map's keys are `key`.  A field
that only a budget names is not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pactlang import ir, syntax
from pactlang.check.report import an, suggest
from pactlang.diagnostic import Label
from pactlang.schema import DYN, STRING, Type
from pactlang.source import Span

if TYPE_CHECKING:
    from pactlang.check.walk import Walk

UNITS = {
    "string": "characters", "bytes": "bytes", "list": "elements", "map": "elements", "dyn": "elements",
}  # fmt: skip
LARGEST = 2**31 - 1  # elements or characters of one value: more than a list of the machine holds
MOST_STEPS = 2**63 - 1

# By path: the size, its unit, and where it is written.
Sizes = dict[tuple[str, ...], tuple[int, str, Span]]


class Place:
    """Where a path leads: the type, and the path in its one form."""

    def __init__(self, type: Type, path: tuple[str, ...], base: tuple[str, ...]) -> None:
        self.type, self.path, self.base = type, path, base

    @property
    def record(self) -> str:
        """The record whose fields can be named from here, through lists and maps; "" if there is none."""
        type = self.type
        while type.kind in ("list", "map"):
            type = type.params[-1] if type.params else DYN
        return type.name if type.kind == "record" else ""

    def step(self, word: str) -> Place | None:
        """What the elements, or a map's keys, are; None if `word` does not ask for that."""
        kind, params = self.type.kind, self.type.params
        path = (*self.path, word)
        if word == "each" and kind in ("list", "map"):
            return Place(params[-1] if params else DYN, path, self.base)
        if word == "each" and kind == "dyn":
            return Place(STRING, path, self.base)
        if word == "key" and kind == "map":
            return Place(params[0] if params else STRING, path, self.base)
        return None


class Budget:
    """The check of one `budget`."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.report = walk, walk.report

    def check(self, budget: syntax.Budget) -> ir.Budget:
        """The budget with what is sound of it; the rest is reported."""
        steps: syntax.BudgetSteps | None = None
        sizes: Sizes = {}
        for item in budget.items:
            if isinstance(item, syntax.BudgetSize):
                self._size(item, sizes)
            elif steps is None:
                steps = item
                self._in_range(item.steps, MOST_STEPS)
            else:
                self._twice("steps", item.span, steps.span)
        place = steps.span if steps is not None else budget.span
        return ir.Budget(
            int(steps.steps.value) if steps is not None else None,
            tuple((path, size, unit) for path, (size, unit, _) in sizes.items()),
            (place.start, place.end),
        )

    def _size(self, item: syntax.BudgetSize, sizes: Sizes) -> None:
        place = self._place(item.path)
        if place is None or not self._in_range(item.size, LARGEST):
            return
        if place.type.kind not in (*UNITS, "error"):
            fields = self.walk.slots.fields.get(place.record, {})
            sized = [name for name, field in fields.items() if field.type.kind in UNITS]
            path = self.report.text(item.path.span)
            self.report.error(
                "type-mismatch", f"{an(place.type)} has no size", item.path.span, f"this is {an(place.type)}",
                help=tuple(f"a field of it may have one: `size {path}.{name} N`" for name in sized[:1]),
            )  # fmt: skip
        elif place.path in sizes:
            self._twice(f"size {'.'.join(place.path)}", item.span, sizes[place.path][2])
        else:
            sizes[place.path] = int(item.size.value), UNITS.get(place.type.kind, ""), item.span

    def _place(self, path: syntax.Expr) -> Place | None:
        """Where the path leads; None, reported, if nowhere."""
        if isinstance(path, syntax.Select):
            at = self._place(path.operand)
            word, span = path.field, path.field_span
        else:
            assert isinstance(path, syntax.Name)
            at, word, span = Place(Type("record", name=self.walk.slots.root), (), ()), path.name, path.span
        if at is None or at.type.kind == "error":
            return at
        field = self.walk.slots.fields[at.record].get(word) if at.record else None
        if field is not None:
            return Place(field.type, (*at.base, word), (*at.base, word))
        inner = at.step(word)
        if inner is None:
            self._nothing(at, word, span)
        return inner

    def _nothing(self, at: Place, word: str, span: Span) -> None:
        names = self.walk.slots.fields[at.record] if at.record else {}
        if names:
            label = f"`{at.record}` has no such field"
            self.report.unknown("field", word, span, names, label)
            return
        what = f"{an(at.type)} has no fields"
        more = [name for name in ("each", "key") if at.step(name) is not None]
        hint = suggest(word, span, more)
        if not hint and more:
            hint = {"help": ("write `each` for what it holds",)}
        self.report.error("unknown-field", f"unknown field `{word}`", span, what, **hint)

    def _in_range(self, number: syntax.Number, most: int) -> bool:
        if 0 <= number.value <= most:
            return True
        self.report.error("number-out-of-range", f"the most that can be said here is {most:,}", number.span)
        return False

    def _twice(self, what: str, again: Span, first: Span) -> None:
        self.report.error(
            "duplicate-item", f"`{what}` comes twice", again, "again here",
            related=(Label(first, "first here"),),
        )  # fmt: skip
