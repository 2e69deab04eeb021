"""One clause on one call, drawn: every part of the expression with its value, and what decided.

In: a module, one of its clauses, the values of a record's slots, the source if there is one.
Out: text for a terminal, or the same as JSON data.

A line is a part of the expression; parts stand under the whole they belong to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from pactlang import ir
from pactlang.evaluate import NOT_EVALUATED, Error, TraceNode
from pactlang.explain.evidence import (
    Story,
    around,
    decide,
    evidence_of,
    place_like,
    reads,
    scope,
    sentence,
    tell,
)
from pactlang.explain.show import cells, fitted, plain, printable, shown, wrapped
from pactlang.explain.written import Writer
from pactlang.source import Source
from pactlang.values import type_name

MARK = ">"  # before a line that decided
WORD = 8  # columns of `when`, `require` and `never`
COLUMN = 56  # characters of an expression before its value
TURNS = 4  # turns of a loop that are drawn
UNBOUNDED = 10**9  # columns where the output is no terminal
NARROWEST = 50  # columns; in fewer a drawing says nothing

Part = tuple[str, TraceNode]  # `when`, `require` ... and the condition that stands after it


class Line(NamedTuple):
    """One part of an expression, as it is drawn."""

    depth: int
    text: str
    value: str
    decides: bool


def explain(
    module: ir.Module,
    clause: ir.Clause,
    row: Sequence[Any],
    source: Source | None = None,
    width: int | None = None,
) -> str:
    """The clause with the value of every part; `>` marks what decided.  width: columns of the terminal."""
    story, writer = tell(module, clause, row), Writer(module, source)
    parts = [("never" if clause.never else "require", story.promise or TraceNode(clause.promise))]
    if story.when is not None:
        parts.insert(0, ("when", story.when))
    if story.applies is not None and story.when is story.promise is None:  # it decided by itself
        parts = [("applies when", story.applies), *parts * (story.outcome is not None)]
    return "\n".join([f"{clause.name}: {story.word}", *_told(story, parts, module, writer, width)])


def explain_scope(
    module: ir.Module, row: Sequence[Any], source: Source | None = None, width: int | None = None
) -> str:
    """`applies when` with the value of every part, for a call that is outside the pact."""
    story, writer = _outside(module, row), Writer(module, source)
    parts = [] if story.applies is None else [("applies when", story.applies)]
    return "\n".join(["outside the pact", *_told(story, parts, module, writer, width)])


def _outside(module: ir.Module, row: Sequence[Any]) -> Story:
    applies = scope(module, row)
    return Story(applies, None, None, () if applies is None else tuple(decide(applies, module)), None)


def _told(story: Story, parts: list[Part], module: ir.Module, writer: Writer, width: int | None) -> list[str]:
    """The sentence, then the drawing."""
    room = UNBOUNDED if width is None else max(width, NARROWEST)
    said = wrapped(sentence(story, module, writer), room - 2)
    return [*(f"  {line}" for line in said), "", *_Drawing(story, module, writer, room).table(parts)]


class _Drawing:
    """The lines of one story, in so many columns."""

    def __init__(self, story: Story, module: ir.Module, writer: Writer, room: int) -> None:
        self.module = module
        self.writer = writer
        self.room = room
        self.deciding = {id(atom.at) for atom in story.deciding}
        self.deciding |= {id(read) for atom in story.deciding for read in reads(atom.at)}

    def table(self, parts: list[Part]) -> list[str]:
        """The lines of `when` and of `require` or `never`, values in one column."""
        rows = [
            (word if number == 0 else "", line)
            for word, root in parts
            for number, line in enumerate(self.lines(root, 0))
        ]
        first = max([WORD, *(len(word) + 1 for word, _ in parts)])
        inside = self.room - first - 7  # a mark, and blanks between
        column = max([0, *(2 * line.depth + cells(line.text) for _, line in rows)])
        longest = max((cells(line.value) for _, line in rows), default=0)
        column = min(column, COLUMN, max(inside * 3 // 5, inside - longest))
        return [self.row(f"{word:<{first}}", line, column, inside - column) for word, line in rows]

    def row(self, word: str, line: Line, column: int, room: int) -> str:
        """One line of the drawing."""
        mark = MARK if line.decides else " "
        text = fitted(" " * (2 * line.depth) + line.text, column)
        gap = " " * (column - cells(text) + 2)
        return f"  {mark} {word} {text}{gap}{fitted(line.value, room)}".rstrip()

    def lines(self, at: TraceNode, depth: int, alias: str = "") -> Iterator[Line]:
        """A part and, under it, its parts.  alias: the `let` by whose name it stands there."""
        yield Line(depth, alias or self.writer.text(at.node), self.value(at), id(at) in self.deciding)
        if at.value is NOT_EVALUATED:
            return
        text = around(at, self.module, self.writer)
        for child in at.children:
            if child.item is not NOT_EVALUATED or not self.says_more(child, at):
                continue
            for number, line in enumerate(self.lines(child, depth + 1, self.alias(child, at))):
                cut = number == 0 and text is not None and child is at.children[0]
                yield line._replace(value=text) if cut and text is not None else line
        yield from self.loop(at, depth + 1)

    def turn(self, loop: TraceNode, at: TraceNode, depth: int) -> Iterator[Line]:
        """One turn of a loop: the variable's value, then the test."""
        assert isinstance(loop.node, ir.Comprehension)
        item = self.shown(at.item)
        yield Line(depth, f"{loop.node.name}, element {at.index + 1}", item, False)
        yield from self.lines(at, depth + 1)

    def loop(self, at: TraceNode, depth: int) -> Iterator[Line]:
        """Some turns of a loop, and how many are left out between them."""
        turns = [child for child in at.children if child.item is not NOT_EVALUATED]
        drawn, before = self.chosen(at, turns), -1
        for turn in turns:
            if turn.index in drawn:
                yield from _gap(turn.index - before - 1, depth)
                yield from self.turn(at, turn, depth)
                before = turn.index
        if turns:
            yield from _gap(turns[-1].index - before, depth)

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

    def says_more(self, child: TraceNode, above: TraceNode) -> bool:
        """False for what is plain from the line above: a constant, a record on the way to a field."""
        if isinstance(child.node, ir.Var):
            return False  # the line of the element has its value
        if place_like(above.node) and isinstance(child.node, ir.Slot):
            return isinstance(above.value, Error)
        if isinstance(child.node, ir.Const):
            return bool(self.alias(child, above))
        if isinstance(child.node, ir.ListOf):
            return not all(isinstance(item, ir.Const) for item in child.node.items)
        return True

    def alias(self, child: TraceNode, above: TraceNode) -> str:
        return self.writer.alias(child.node, above.node) if isinstance(child.node, ir.Const) else ""

    def value(self, at: TraceNode) -> str:
        """A value in words, or why there is none."""
        if at.value is NOT_EVALUATED:
            return "not evaluated"
        return self.shown(at.value)

    def shown(self, value: Any) -> str:
        if isinstance(value, Error):
            return f"error: {printable(value.message)}"
        return shown(value, self.module.schema)


def _gap(count: int, depth: int) -> Iterator[Line]:
    if count:
        yield Line(depth, f"{count:,} element{'s' * (count > 1)} not shown", "", False)


def explain_data(
    module: ir.Module, clause: ir.Clause, row: Sequence[Any], source: Source | None = None
) -> dict[str, Any]:
    """The same as JSON data: `clause outcome message values matched threshold when promise`, where a
    condition is `text span state value decides children` (state: value, error or not evaluated).  A
    turn of a loop has also `element` (from 1) and `item`; turns that decide nothing may be left out."""
    story, writer = tell(module, clause, row), Writer(module, source)
    found = evidence_of(story, module, clause, writer)
    deciding = {id(atom.at) for atom in story.deciding}
    schema = module.schema
    return {
        "clause": clause.name,
        "severity": clause.severity,
        "outcome": story.word,
        "message": found.message,
        "values": {name: plain(value, schema) for name, value in found.values.items()},
        "matched": None if found.matched is None else found.matched._asdict(),
        "threshold": plain(found.threshold, schema),
        "when": None if story.when is None else _data(story.when, module, writer, deciding),
        "never": clause.never,
        "promise": _data(story.promise or TraceNode(clause.promise), module, writer, deciding),
    }


def scope_data(module: ir.Module, row: Sequence[Any], source: Source | None = None) -> dict[str, Any] | None:
    """`applies when` as JSON data, a condition as above; None where the pact is about every call."""
    story, writer = _outside(module, row), Writer(module, source)
    if story.applies is None:
        return None
    return _data(story.applies, module, writer, {id(atom.at) for atom in story.deciding})


def _data(at: TraceNode, module: ir.Module, writer: Writer, deciding: set[int]) -> dict[str, Any]:
    data: dict[str, Any] = {"text": writer.text(at.node), "span": list(at.node.span)}
    if at.value is NOT_EVALUATED:
        data["state"] = "not evaluated"
    elif isinstance(at.value, Error):
        data |= {"state": "error", "error": at.value.code, "message": at.value.message}
    else:
        data |= {"state": "value", "type": type_name(at.value), "value": plain(at.value, module.schema)}
    data["decides"] = id(at) in deciding
    if at.item is not NOT_EVALUATED:
        data["element"] = at.index + 1
        data["item"] = str(at.item) if isinstance(at.item, Error) else plain(at.item, module.schema)
    data["children"] = [_data(child, module, writer, deciding) for child in at.children]
    return data
