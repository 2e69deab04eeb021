"""The lines of a drawing: which parts of an expression are drawn, their texts and their values.

In: the trace of an expression, what decided.  Out: `Line`s, a whole before its parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from typing import Any, NamedTuple

from pactlang import ir
from pactlang.evaluate import NOT_EVALUATED, Error, TraceNode
from pactlang.explain.found import around
from pactlang.explain.show import SHOWN, clipped, printable, shown
from pactlang.explain.story import Atom, is_literal, place_like, reads, visited
from pactlang.explain.written import Writer, variables
from pactlang.values import Optional

TURNS = 4  # turns of a loop that are drawn


class Line(NamedTuple):
    """One part of an expression, as it is drawn."""

    depth: int
    text: str
    value: str
    decides: bool


def marked(deciding: Sequence[Atom]) -> set[int]:
    """The parts that decided: comparisons, the fields that they read, the variables that stand for these."""
    found: set[int] = set()
    for atom in deciding:
        found.add(id(atom.at))
        found.update(id(read.at) for read in reads(atom.at, atom.bound))
        found.update(
            id(bound[part.node.index])
            for part, bound in visited(atom.at, atom.bound)
            if isinstance(part.node, ir.Var) and part.node.index in bound
        )
    return found


class Lines:
    """Makes the lines of one story."""

    def __init__(self, deciding: Sequence[Atom], writer: Writer) -> None:
        self.writer = writer
        self.schema = writer.module.schema
        self.deciding = marked(deciding)

    def of(self, at: TraceNode, depth: int, text: str = "") -> Iterator[Line]:
        """A part and, under it, its parts.  text: what stands there, if not the expression's own text."""
        yield Line(depth, text or self.writer.text(at.node), self.value(at), id(at) in self.deciding)
        if at.value is NOT_EVALUATED:
            return
        found = around(at, self.writer)
        for child, name in self.parts(at):
            if found is not None and child is at.children[0]:
                head, *rest = self.of(child, depth + 1, name)
                yield head._replace(value=found)
                yield from rest
            else:
                yield from self.part(child, at, depth + 1, name)
        yield from self.loop(at, depth + 1)

    def parts(self, at: TraceNode) -> Iterator[tuple[TraceNode, str]]:
        """The parts that are drawn, with the texts that they have there ("": their own)."""
        names = at.node.names if isinstance(at.node, ir.Bind) else ()
        for number, child in enumerate(at.children):
            if child.item is not NOT_EVALUATED:
                continue
            if number < len(names):
                yield child, f"{names[number]} = {self.writer.text(child.node)}"
            elif self.says_more(child, at):
                yield child, self.alias(child, at)

    def part(self, at: TraceNode, above: TraceNode, depth: int, name: str) -> Iterator[Line]:
        """A part, and before the body of `optMap` its variable."""
        if isinstance(above.node, ir.OptionalMap) and at is above.children[1] and _is_some(above.children[0]):
            yield Line(depth, above.node.name, self.shown(above.children[0].value.value), False)
            depth += 1
        yield from self.of(at, depth, name)

    def says_more(self, child: TraceNode, above: TraceNode) -> bool:
        """False for what is plain from the line above: a constant, a record on the way to a field."""
        if isinstance(child.node, ir.Var):
            return False  # the line of the turn, or of the variable, has its value
        if place_like(above.node) and isinstance(child.node, ir.Slot):
            missing = isinstance(above.value, Optional) and not above.value.present
            return missing or isinstance(above.value, Error)
        if is_literal(child.node):
            plain = child.value is not NOT_EVALUATED and not isinstance(child.value, Error)
            return not plain or bool(self.alias(child, above))
        return True

    def alias(self, child: TraceNode, above: TraceNode) -> str:
        return self.writer.alias(child.node, above.node) if isinstance(child.node, ir.Const) else ""

    # Loops ---------------------------------------------------------------------------------

    def loop(self, at: TraceNode, depth: int) -> Iterator[Line]:
        """Some turns of a loop, and how many are left out."""
        turns = [child for child in at.children if child.item is not NOT_EVALUATED]
        drawn, before = self.chosen(at, turns), -1
        for index, parts in groupby(turns, lambda turn: turn.index):
            if index in drawn:
                yield from self.gap(at, index - before - 1, "shown", depth)
                yield from self.turn(at, list(parts), depth)
                before = index
        if turns:
            last = turns[-1].index
            yield from self.gap(at, last - before, "shown", depth)
            yield from self.gap(at, len(at.children[0].value) - last - 1, "evaluated", depth)

    def turn(self, loop: TraceNode, parts: list[TraceNode], depth: int) -> Iterator[Line]:
        """One turn of a loop: the values of the variables, then the test, then the body."""
        assert isinstance(loop.node, ir.Comprehension)
        names, first = variables(loop.node), parts[0]
        head = f"{', '.join(names)}, {_unit(loop)} {first.index + 1}"
        decides = any(
            id(part) in self.deciding
            for turn in parts
            for part in turn.walk()
            if isinstance(part.node, ir.Var) and part.node.index in (loop.node.var, loop.node.second)
        )
        yield Line(depth, head, self.item(names, first.item), decides)
        for part in parts:
            yield from self.of(part, depth + 1)

    def item(self, names: list[str], item: Any) -> str:
        """The value of a loop's variable; of two, `i = 0, m = {"role": "user"}`."""
        if len(names) < 2:
            return self.shown(item)
        return clipped(", ".join(f"{n} = {self.shown(v)}" for n, v in zip(names, item, strict=True)), SHOWN)

    def gap(self, loop: TraceNode, count: int, word: str, depth: int) -> Iterator[Line]:
        if count > 0:
            unit = _unit(loop) if count == 1 else {"entry": "entries"}.get(_unit(loop), "elements")
            yield Line(depth, f"{count:,} {unit} not {word}", "", False)

    def chosen(self, loop: TraceNode, turns: list[TraceNode]) -> set[int]:
        """The numbers of the elements that are drawn: what matters most first, then in their order."""
        ranked = sorted(turns, key=lambda turn: self.rank(loop, turn))
        return set(islice(dict.fromkeys(turn.index for turn in ranked), TURNS))

    def rank(self, loop: TraceNode, turn: TraceNode) -> int:
        """0 for an element that decided, 1 for one that failed, 2 for one that was picked out."""
        assert isinstance(loop.node, ir.Comprehension)
        if any(id(part) in self.deciding for part in turn.walk()):
            return 0
        if isinstance(turn.value, Error):
            return 1
        picks = loop.node.macro not in ("all", "exists") and turn.node is loop.node.test
        return 2 if picks and turn.value is True else 3

    # Values --------------------------------------------------------------------------------

    def value(self, at: TraceNode) -> str:
        """A value in words, or why there is none; an error value says why where it came from."""
        if at.value is NOT_EVALUATED:
            return "not evaluated"
        if isinstance(at.value, Error) and any(child.value is at.value for child in at.children):
            return "error"
        return self.shown(at.value)

    def shown(self, value: Any) -> str:
        if isinstance(value, Error):
            return f"error: {printable(value.message)}"
        return shown(value, self.schema)


def _is_some(at: TraceNode) -> bool:
    return isinstance(at.value, Optional) and at.value.present


def _unit(loop: TraceNode) -> str:
    return "entry" if isinstance(loop.children[0].value, dict) else "element"
