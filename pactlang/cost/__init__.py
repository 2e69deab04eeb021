"""What a call costs at worst, known before it runs.

In: `ir.Module`.  Out: `Costs`: for each clause, for `applies when` and for the whole call the steps, as
a figure for the declared sizes and as a formula of them, and the passes over each text; and a diagnostic
where this is more than the pact's `budget`.

A *step* is one operation carried out: an operator, a function, a field of an element, a key, a literal
list or map, a loop, a turn of a loop, an element that a loop keeps; and one for what each clause says.
Constants, variables and fields of the record are free, and so is choosing the way.  Inside one
operation a step is

    an element      that a comparison or `in` looks at, or that a literal holds
    8 elements      copied by `+`, or keys that a loop over a map begins with
    256 characters  compared, or copied
    16 characters   looked for by `contains`, `startsWith`, `endsWith`, or read or made by other functions
    8 characters    searched by a pattern or phrases

and 16 steps are a call of Python: a search, a conversion of a text, a calendar in a time zone, and CEL's
extensions for strings, numbers, encodings and networks.

The machine takes at most four instructions for a step, and what it counts itself while it runs (turns of
loops, and work inside one instruction: `Frame.spend`) is never more than `Costs.counted`.  Both are held
to it by the tests.  A *pass* over a text is a search for all patterns, phrases and constant texts that are
sought in one field of the record, by all clauses together; text folded for phrases is a second text.
Passes over other texts are counted one by one, and cost steps, too.

Reading a record is no part of this.  What outlives a call is in `StateCosts` and `WindowState`, in bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pactlang import ir
from pactlang.cost.extent import Sizes
from pactlang.cost.formula import Formula, Size
from pactlang.cost.state import ClauseState, StateCosts, state_costs
from pactlang.cost.walk import Walk, Work, all_of
from pactlang.cost.watches import WatchCosts, WatchState, watch_costs
from pactlang.cost.windows import WindowState, window_costs
from pactlang.diagnostic import Diagnostic, Label
from pactlang.program import MOST_COUNTED, Bound
from pactlang.source import Span

__all__ = [
    "ClauseCost", "ClauseState", "Costs", "Formula", "SizeUsed", "StateCosts", "TextPasses",
    "WatchCosts", "WatchState", "WindowState", "cost", "over_budget", "state_costs",
    "watch_costs", "window_costs",
]  # fmt: skip

NAMED = 3  # clauses that a diagnostic points at


class TextPasses(NamedTuple):
    """How often a text is searched.  folded: as phrases see it.  shared: in one pass by all clauses."""

    text: str
    folded: bool
    shared: bool
    times: Formula


class ClauseCost(NamedTuple):
    """What a clause takes; `place` is where its promise stands."""

    name: str
    steps: Formula
    passes: tuple[TextPasses, ...]
    place: tuple[int, int]


class SizeUsed(NamedTuple):
    """A size that the figures depend on: elements or characters; not declared, it is a default."""

    name: str
    most: int
    unit: str
    declared: bool


class Costs(NamedTuple):
    """What a call costs at worst.

    applies: of `applies when`, None if there is none.  formula: of the whole call.  counted: what the
    machine counts of the steps.  texts: for each slot, the characters that are searched in it.  state: what
    sessions hold, None if the pact remembers nothing.  watches: what detectors hold and promise, None if
    there are none.
    """

    applies: ClauseCost | None
    clauses: tuple[ClauseCost, ...]
    formula: Formula
    passes: tuple[TextPasses, ...]
    sizes: tuple[SizeUsed, ...]
    counted: int
    texts: tuple[int, ...]
    state: StateCosts | None = None
    watches: WatchCosts | None = None
    windows: tuple[WindowState, ...] = ()

    @property
    def rows(self) -> tuple[ClauseCost, ...]:
        """`applies when`, if there is one, and the clauses."""
        return self.clauses if self.applies is None else (self.applies, *self.clauses)

    @property
    def steps(self) -> int:
        """Steps of the whole call: the sum of the rows' figures."""
        return sum(row.steps.value for row in self.rows)

    @property
    def bound(self) -> Bound:
        """Where the machine stops."""
        return Bound(min(self.counted, MOST_COUNTED), self.texts)


def cost(module: ir.Module) -> Costs:
    """The worst case of a checked pact, for the sizes that it declares and the defaults of the others."""
    sizes = Sizes(module.schema, module.budget)
    walk = Walk(module, sizes)
    applies = None if module.applies is None else walk.clause(module.applies)
    works = [walk.clause(clause.when, *ir.promised(clause.promise)) for clause in module.clauses]
    whole = all_of(works if applies is None else [applies, *works])
    rows = tuple(
        ClauseCost(clause.name, work.steps, passes(work), clause.promise_span)
        for clause, work in zip(module.clauses, works, strict=True)
    )
    gate = None
    if applies is not None and module.applies is not None:
        gate = ClauseCost("applies when", applies.steps, passes(applies), module.applies.span)
    return Costs(
        gate,
        rows,
        whole.steps,
        passes(whole),
        tuple(used(sizes, sized([whole], walk))),
        sum(work.counted.value for work in ([applies] if applies else []) + works),
        tuple(extent.chars.value for extent in walk.slots),
        state_costs(module),
        watch_costs(module),
        window_costs(module),
    )


def passes(work: Work) -> tuple[TextPasses, ...]:
    """The texts that are searched, the most often searched first."""
    found = [TextPasses(*text, count) for text, count in work.passes.items()]
    return tuple(sorted(found, key=lambda each: (-each.times.value, each.text, each.folded)))


def sized(works: Iterable[Work], walk: Walk) -> set[Size]:
    """The sizes that the figures depend on, those of searched texts among them."""
    formulas = [formula for work in works for formula in (work.steps, *work.passes.values())]
    searched = {text.name for work in works for text in work.passes if text.shared}
    slots = zip(walk.module.schema.slots, walk.slots, strict=True)
    formulas += [extent.chars for slot, extent in slots if slot.name in searched]
    return {size for formula in formulas for size in formula.sizes}


def used(sizes: Sizes, found: set[Size]) -> Iterable[SizeUsed]:
    """The sizes for a reader: what is declared, and what else the figures depend on."""
    known = {".".join(path): most for path, most in sizes.declared.items()}
    for name, most in sorted({**known, **dict(found)}.items()):
        yield SizeUsed(name, most, sizes.units[name], name in known)


def over_budget(module: ir.Module, costs: Costs) -> tuple[Diagnostic, ...]:
    """The finding where a call may take more steps than the pact's budget has; none if it may not."""
    budget = module.budget
    if budget is None or budget.steps is None or costs.steps <= budget.steps:
        return ()
    dearest = sorted(costs.rows, key=lambda row: -row.steps.value)[:NAMED]
    return (
        Diagnostic(
            "over-budget",
            f"a call may take {costs.steps:,} steps, {costs.steps - budget.steps:,} more than the budget has",
            Label(Span(*budget.span), "the budget"),
            tuple(Label(Span(*row.place), f"`{row.name}`: {shown(row.steps)}") for row in dearest),
            (*assumed(costs), "`pactc check --cost` shows what each clause takes"),
        ),
    )


def shown(formula: Formula) -> str:
    """The figure, and the formula where it says more."""
    return f"{formula.value:,}" + ("" if formula.constant else f" = {formula.short(2)}")


def assumed(costs: Costs) -> list[str]:
    """What could be declared to make the worst case smaller: what matters most, first."""
    shares = {size.name: costs.formula.share(size) for size in costs.formula.sizes}
    found = [size for size in costs.sizes if not size.declared and size.name in shares]
    return [
        f"`{size.name}` is taken to have {size.most:,} {size.unit}; "
        f"if it never has, say so: `size {size.name} N`"
        for size in sorted(found, key=lambda size: -shares[size.name])[:NAMED]
    ]
