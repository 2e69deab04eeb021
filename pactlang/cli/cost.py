"""`pactc check --cost`: what a call costs at worst, as a table, or as JSON data.

In: a pact that is right, or too expensive for its own budget.  Out: a row for each clause, the whole
call, and the sizes that this is reckoned from, as wide as the terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pactlang.cli.exits import Fault
from pactlang.cli.pacts import Opened
from pactlang.cli.screen import console, printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from pactlang.cost import (
        ClauseCost,
        ClauseState,
        Costs,
        Formula,
        StateCosts,
        TextPasses,
        WatchCosts,
        WatchState,
        WindowState,
    )
    from pactlang.ir import Module

HEAD = ("clause", "steps", "formula", "passes over texts")
GAPS = 9  # columns between the four
TERMS = 4  # of a formula that are shown, the largest; a program gets all


class Priced(NamedTuple):
    """What a call of a pact costs, and what it may cost: None if the pact has no budget of steps."""

    costs: Costs
    limit: int | None


def priced_of(opened: Opened) -> Priced | None:
    """The costs of a pact that an artifact holds, or that has no mistakes but its price; else None."""
    from pactlang.build import check_linked, costs_of

    module: Module | None
    if opened.program is not None:
        module = opened.program.module
    else:
        module = None if opened.whole is None else check_linked(opened.whole)[0]
    if module is None:
        return None
    try:
        costs = costs_of(module)
    except (AssertionError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        why = printable(str(error))
        raise Fault(f"cannot use {opened.name}: its typed tree is damaged: {why}") from error
    return Priced(costs, module.budget.steps if module.budget is not None else None)


# For programs ----------------------------------------------------------------------------------


def cost_data(priced: Priced) -> dict[str, Any]:
    """The costs as JSON data."""
    costs = priced.costs
    return {
        "steps": costs.steps,
        "formula": str(costs.formula),
        "budget": priced.limit,
        "passes": _passes(costs.passes),
        "applies": None if costs.applies is None else _row(costs.applies),
        "clauses": [{"clause": clause.name, **_row(clause)} for clause in costs.clauses],
        "sizes": [
            {"field": size.name, "size": size.most, "unit": size.unit, "declared": size.declared}
            for size in costs.sizes
        ],
        "state": None if costs.state is None else _state_data(costs.state),
        "watches": None if costs.watches is None else _watch_data(costs.watches),
        "windows": [_window_data(each) for each in costs.windows],
    }


def _state_data(state: StateCosts) -> dict[str, Any]:
    """Bytes that sessions hold: of each clause that remembers, and of a session in all."""
    clauses = [
        {
            "clause": each.name, "session": each.session, "key": each.key, "keys": each.keys,
            "most": each.most,
        }
        for each in state.clauses
    ]  # fmt: skip
    return {"session": state.session, "recent": state.recent, "clauses": clauses}


def _watch_data(costs: WatchCosts) -> dict[str, Any]:
    """Bytes that detectors hold, and one false alarm in how many calls each promises, and all together."""
    watches = [
        {"clause": each.name, "group": each.group, "groups": each.groups, "false_alarm_in": each.calls}
        for each in costs.watches
    ]
    return {"false_alarm_in": costs.calls, "watches": watches}


def _window_data(each: WindowState) -> dict[str, Any]:
    """Bytes that each group of a `keep` holds."""
    found = each._asdict()
    return {"clause": found.pop("name"), **found}


def _row(clause: ClauseCost) -> dict[str, Any]:
    formula = str(clause.steps)
    return {"steps": clause.steps.value, "formula": formula, "passes": _passes(clause.passes)}


def _passes(passes: Iterable[TextPasses]) -> list[dict[str, Any]]:
    return [
        {
            "text": each.text, "folded": each.folded, "shared": each.shared, "passes": each.times.value,
            "formula": str(each.times),
        }
        for each in passes
    ]  # fmt: skip


# For people ------------------------------------------------------------------------------------


def report(priced: Priced) -> None:
    """Print the table, the sizes, and how the whole call stands to the budget."""
    screen = console()
    screen.print()
    lines = list(_lines(priced))
    if sum(max(map(len, column)) for column in zip(HEAD, *lines, strict=True)) + GAPS <= screen.width:
        screen.print(_table(lines, priced))
    else:
        _list(screen, lines)
    if priced.costs.sizes:
        screen.print()
        _sizes(screen, priced.costs)
    if priced.costs.state is not None:
        screen.print()
        _state(screen, priced.costs.state)
    if priced.costs.watches is not None:
        screen.print()
        _watches(screen, priced.costs.watches)
    if priced.costs.windows:
        screen.print()
        _windows(screen, priced.costs.windows)


class Line(NamedTuple):
    """A row of the table.  The formula is empty where it says no more than the figure."""

    name: str
    steps: str
    formula: str
    passes: str


def _lines(priced: Priced) -> Iterator[Line]:
    costs = priced.costs
    for row in costs.rows:
        yield Line(printable(row.name), f"{row.steps.value:,}", _formula(row.steps), _said(row.passes))
    yield Line("a call", f"{costs.steps:,}", _formula(costs.formula), _said(costs.passes))
    if priced.limit is not None:
        yield Line("budget", f"{priced.limit:,}", "", "")


def _table(lines: Sequence[Line], priced: Priced) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    over = priced.limit is not None and priced.costs.steps > priced.limit
    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False, header_style="dim")
    for name in HEAD:
        table.add_column(name, justify="right" if name == "steps" else "left", no_wrap=True)
    for number, line in enumerate(lines):
        whole = number >= len(priced.costs.rows)
        if number == len(priced.costs.rows):
            table.add_section()
        style = "" if not whole else "red" if over else "bold"
        table.add_row(Text(line.name, style), Text(line.steps, style), Text(line.formula), Text(line.passes))
    return table


def _list(screen: Console, lines: Sequence[Line]) -> None:
    """What does not fit beside one another: name and steps, below them the formula and the passes."""
    from rich.text import Text

    steps = max(len(line.steps) for line in lines)
    name = min(max(len(line.name) for line in lines), screen.width - steps - 2)
    for line in lines:
        screen.print(Text(f"{line.name:<{name}}  {line.steps:>{steps}}"), soft_wrap=True)
        for part in filter(None, (line.formula, line.passes and f"passes: {line.passes}")):
            for each in wrapped(part, screen.width - 4, " + ", ", ", "·"):
                screen.print(Text(f"    {each.rstrip()}"), soft_wrap=True)


def _sizes(screen: Console, costs: Costs) -> None:
    from rich.text import Text

    name = max(len(size.name) for size in costs.sizes)
    most = max(len(f"{size.most:,}") for size in costs.sizes)
    unit = max(len(size.unit) for size in costs.sizes)
    for size in costs.sizes:
        how = "declared" if size.declared else "assumed"
        line = f"{printable(size.name):<{name}}  {size.most:>{most},} {size.unit:<{unit}}  {how}"
        screen.print(Text(line), soft_wrap=True)


def _state(screen: Console, state: StateCosts) -> None:
    """What each clause holds in memory, and a session in all."""
    from rich.text import Text

    rows = [(printable(each.name), _held(each)) for each in state.clauses]
    recent = f", and {state.recent:,} B with its first 64 calls" if state.recent else ""
    rows.append(("a session", f"{state.session:,} B{recent}"))
    room = max(len(name) for name, _ in rows)
    for name, said in rows:
        style = "bold" if name == "a session" else ""
        screen.print(Text.assemble((f"{name:<{room}}", style), f"  {said}"), soft_wrap=True)


def _windows(screen: Console, windows: Sequence[WindowState]) -> None:
    """What the windows of each `keep` hold of a group."""
    from rich.text import Text

    room = max(len(printable(each.name)) for each in windows)
    for each in windows:
        full = f", {each.full:,} B once its calls are there" if each.full > each.group else ""
        most = f", and up to {each.most:,} B with many values" if each.most else ""
        said = f"{each.group:,} B/group, cap {each.groups:,}{full}{most}"
        screen.print(Text(f"{printable(each.name):<{room}}  {said}"), soft_wrap=True)


def _held(clause: ClauseState) -> str:
    """`312 B/session + 56 B/key, cap 1,000`."""
    key = f" + {clause.key:,} B/key, cap {clause.keys:,}" if clause.key else ""
    per = "key" if clause.key else "session"
    return f"{clause.session:,} B/session{key}" + (
        f", and up to {clause.most:,} B/{per} with many calls" if clause.most else ""
    )


def _watches(screen: Console, costs: WatchCosts) -> None:
    """What each watch holds in memory and promises, and all of them together."""
    from rich.text import Text

    rows = [(printable(each.name), _watch(each)) for each in costs.watches]
    if costs.calls is not None:
        rows.append(("all watches", f"at most one false alarm in {costs.calls:,} calls"))
    room = max(len(name) for name, _ in rows)
    for name, said in rows:
        style = "bold" if name == "all watches" else ""
        screen.print(Text.assemble((f"{name:<{room}}", style), f"  {said}"), soft_wrap=True)


def _watch(watch: WatchState) -> str:
    """`536 B/group, cap 1,001; at most one false alarm in 100,000 calls`."""
    held = f"{watch.group:,} B" if watch.groups == 1 else f"{watch.group:,} B/group, cap {watch.groups:,}"
    return held + (f"; at most one false alarm in {watch.calls:,} calls" if watch.calls is not None else "")


def _formula(formula: Formula) -> str:
    return "" if formula.constant else printable(formula.short(TERMS))


def _said(passes: Iterable[TextPasses]) -> str:
    said = ", ".join(f"{p.text}{' folded' if p.folded else ''}: {p.times.value:,}" for p in passes)
    return printable(said)


def wrapped(text: str, width: int, *marks: str) -> list[str]:
    """The text in lines of so many columns, blanks at their ends aside: broken behind the first of the
    marks, in what is still too long behind the next; what has no mark stays as it is."""
    if len(text.rstrip()) <= width or not marks:
        return [text]
    mark, *finer = marks
    lines = [""]
    pieces = text.split(mark)
    for piece in (*(piece + mark for piece in pieces[:-1]), pieces[-1]):
        if lines[-1] and len(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        first, *more = wrapped(piece, width, *finer)
        lines[-1] += first
        lines += more
    return lines
