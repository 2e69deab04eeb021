"""One clause on one call, drawn: every part of the expression with its value, and what decided.

In: a module, one of its clauses, the values of a record's slots, the source if there is one.
Out: text for a terminal, or the same as JSON data.

A line is a part of the expression; parts stand under the whole they belong to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pactlang import ir
from pactlang.evaluate import NOT_EVALUATED, Error, TraceNode
from pactlang.explain.evidence import Story, around, evidence_of, place_like, reads, tell
from pactlang.explain.show import clipped, plain, printable, shown
from pactlang.explain.written import Writer
from pactlang.source import Source
from pactlang.values import type_name

MARK = ">"  # before a line that decided
COLUMN = 56  # characters of an expression before its value
TURNS = 4  # turns of a loop that are drawn


class Line(NamedTuple):
    """One part of an expression, as it is drawn."""

    depth: int
    text: str
    value: str
    decides: bool


def explain(module: ir.Module, clause: ir.Clause, row: Sequence[Any], source: Source | None = None) -> str:
    """The clause with the value of every part; `>` marks what decided."""
    story, writer = tell(module, clause, row), Writer(module, source)
    message = evidence_of(story, module, clause, writer).message
    drawing = _Drawing(story, module, writer)
    parts = [("never" if clause.never else "require", story.promise or TraceNode(clause.promise))]
    if story.when is not None:
        parts.insert(0, ("when", story.when))
    lines = [f"{clause.name}: {story.outcome.name.lower()}", f"  {message.partition(': ')[2]}", ""]
    return "\n".join(lines + drawing.table(parts))


class _Drawing:
    """The lines of one story."""

    def __init__(self, story: Story, module: ir.Module, writer: Writer) -> None:
        self.module = module
        self.writer = writer
        self.deciding = {id(atom.at) for atom in story.deciding}
        self.deciding |= {id(read) for atom in story.deciding for read in reads(atom.at)}

    def table(self, parts: list[tuple[str, TraceNode]]) -> list[str]:
        """The lines of `when` and of `require` or `never`, values in one column."""
        rows = [
            (word if number == 0 else "", line)
            for word, root in parts
            for number, line in enumerate(self.lines(root, 0))
        ]
        width = min(COLUMN, max(2 * line.depth + len(line.text) for _, line in rows))
        return [self.row(word, line, width) for word, line in rows]

    def row(self, word: str, line: Line, width: int) -> str:
        """One line of the drawing."""
        mark = MARK if line.decides else " "
        text = clipped(" " * (2 * line.depth) + line.text, width)
        return f"  {mark} {word:<8} {text:<{width}}  {line.value}".rstrip()

    def lines(self, at: TraceNode, depth: int, alias: str = "") -> Iterator[Line]:
        """A part and, under it, its parts.  alias: the `let` by whose name it stands there."""
        yield Line(depth, alias or self.writer.text(at.node), self.value(at), id(at) in self.deciding)
        if at.value is NOT_EVALUATED:
            return
        text = around(at, self.module, self.writer)
        for child in self.children(at):
            if child.item is not NOT_EVALUATED:
                yield from self.turn(at, child, depth + 1)
                continue
            for number, line in enumerate(self.lines(child, depth + 1, self.alias(child, at))):
                cut = number == 0 and text is not None and child is at.children[0]
                yield line._replace(value=text) if cut and text is not None else line

    def turn(self, loop: TraceNode, at: TraceNode, depth: int) -> Iterator[Line]:
        """One turn of a loop: the variable's value, then the test."""
        assert isinstance(loop.node, ir.Comprehension)
        item = self.shown(at.item)
        yield Line(depth, f"{loop.node.name}, element {at.index + 1}", item, False)
        yield from self.lines(at, depth + 1)

    def children(self, at: TraceNode) -> list[TraceNode]:
        """The parts worth a line: no constant that stands in the text already, few turns of a loop."""
        drawn = [child for child in at.children if self.says_more(child, at)]
        turns = [child for child in drawn if child.item is not NOT_EVALUATED]
        hidden = {id(turn) for turn in turns[:-TURNS]}
        return [child for child in drawn if id(child) not in hidden]

    def says_more(self, child: TraceNode, above: TraceNode) -> bool:
        """False for what is plain from the line above: a constant, a record on the way to a field."""
        if isinstance(child.node, ir.Var) and child.item is NOT_EVALUATED:
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


def explain_data(
    module: ir.Module, clause: ir.Clause, row: Sequence[Any], source: Source | None = None
) -> dict[str, Any]:
    """The same as JSON data: `clause outcome message values matched threshold when promise`, where a
    condition is `text span state value decides children` (state: value, error or not evaluated)."""
    story, writer = tell(module, clause, row), Writer(module, source)
    found = evidence_of(story, module, clause, writer)
    deciding = {id(atom.at) for atom in story.deciding}
    schema = module.schema
    return {
        "clause": clause.name,
        "severity": clause.severity,
        "outcome": story.outcome.name.lower(),
        "message": found.message,
        "values": {name: plain(value, schema) for name, value in found.values.items()},
        "matched": None if found.matched is None else found.matched._asdict(),
        "threshold": plain(found.threshold, schema),
        "when": None if story.when is None else _data(story.when, module, writer, deciding),
        "never": clause.never,
        "promise": _data(story.promise or TraceNode(clause.promise), module, writer, deciding),
    }


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
        data["item"] = str(at.item) if isinstance(at.item, Error) else plain(at.item, module.schema)
    data["children"] = [_data(child, module, writer, deciding) for child in at.children]
    return data
