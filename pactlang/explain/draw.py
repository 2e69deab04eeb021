"""One clause on one call, or one expression, drawn: every part with its value, and what decided.

In: a module, one of its clauses (or an expression), the values of a record's slots, the source if there
is one.  Out: text for a terminal.

A line is a part of the expression; parts stand under the whole they belong to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from pactlang import ir
from pactlang.evaluate import NOT_EVALUATED, Error, TraceNode
from pactlang.explain.lines import Line, Lines
from pactlang.explain.say import TOO_LONG, sentence
from pactlang.explain.show import broken, cells, fitted, wrapped
from pactlang.explain.story import Atom, Story, decide, outside, tell, told
from pactlang.explain.written import Writer
from pactlang.opcodes import Outcome
from pactlang.source import Source

MARK = ">"  # before a line that decided
WORD = 8  # columns of `when`, `require` and `never`
COLUMN = 56  # characters of an expression before its value
PIECES = 4  # lines of a whole expression that is longer
UNBOUNDED = 10**9  # columns where the output is no terminal
NARROWEST = 50  # columns; in fewer a drawing says nothing

Part = tuple[str, TraceNode]  # `when`, `require` ... and the condition that stands after it


def explain(
    module: ir.Module,
    clause: ir.Clause,
    row: Sequence[Any],
    source: Source | None = None,
    width: int | None = None,
    outcome: Outcome | None = None,
) -> str:
    """The clause with the value of every part; `>` marks what decided.

    width: columns of the terminal.  outcome: what the machine said, which may count further than a trace.
    """
    story, writer = tell(module, clause, row), Writer(module, source)
    if outcome is not None and story.outcome is Outcome.UNKNOWN is not outcome:
        return f"{clause.name}: {outcome.name.lower()}\n  {TOO_LONG}"
    parts = [("never" if clause.never else "require", story.promise or TraceNode(ir.condition(clause)))]
    if story.when is not None:
        parts.insert(0, ("when", story.when))
    if story.applies is not None and story.when is story.promise is None:  # it decided by itself
        parts = [("applies when", story.applies), *parts * (story.outcome is not None)]
    return "\n".join([f"{clause.name}: {story.word}", *_told(story, parts, writer, width)])


def explain_scope(
    module: ir.Module, row: Sequence[Any], source: Source | None = None, width: int | None = None
) -> str:
    """`applies when` with the value of every part, for a call that is outside the pact."""
    story, writer = outside(module, row), Writer(module, source)
    parts = [] if story.applies is None else [("applies when", story.applies)]
    return "\n".join(["outside the pact", *_told(story, parts, writer, width)])


def explain_expression(
    module: ir.Module,
    expr: ir.Expr,
    row: Sequence[Any],
    source: Source | None = None,
    width: int | None = None,
    value: Any = NOT_EVALUATED,
) -> str:
    """An expression with the value of every part; `>` marks what decided, or where an error came from.

    width: columns of the terminal.  value: what the machine said, which may count further than a trace.
    """
    root = told(expr, row, module)
    table = Table(decide(root), Writer(module, source), room_of(width))
    if isinstance(root.value, Error) and value is not NOT_EVALUATED:
        root = TraceNode(expr, value)
        return "\n".join([*table.drawn([("", root)]), f"  {TOO_LONG}"])
    return "\n".join(table.drawn([("", root)]))


def _told(story: Story, parts: list[Part], writer: Writer, width: int | None) -> list[str]:
    """The sentence, then the drawing."""
    room = room_of(width)
    said = wrapped(sentence(story, writer), room - 2)
    return [*(f"  {line}" for line in said), "", *Table(story.deciding, writer, room).drawn(parts)]


def room_of(width: int | None) -> int:
    """The columns that a drawing may take."""
    return UNBOUNDED if width is None else max(width, NARROWEST)


class Layout(NamedTuple):
    """Columns of a table: of the word before an expression (0: no words), of the text, of the value."""

    word: int
    text: int
    value: int


class Table:
    """The lines of one story, in so many columns."""

    def __init__(self, deciding: Sequence[Atom], writer: Writer, room: int) -> None:
        self.lines = Lines(deciding, writer)
        self.room = room

    def drawn(self, parts: list[Part]) -> list[str]:
        """The lines of `when` and of `require` or `never`, values in one column."""
        rows = [
            (word if number == 0 else "", line)
            for word, root in parts
            for number, line in enumerate(self.lines.of(root, 0))
        ]
        layout = self.layout(rows)
        return [text for word, line in rows for text in self.row(word, line, layout)]

    def layout(self, rows: list[tuple[str, Line]]) -> Layout:
        """Text as wide as it needs, values as wide as they need, and of the rest the text 3 parts in 5."""
        words = max((len(word) + 1 for word, _ in rows if word), default=0)
        first = max(WORD, words) if words else 0
        inside = self.room - (first + 7 if first else 4)  # a mark, and blanks between
        column = max([0, *(2 * line.depth + cells(line.text) for _, line in rows)])
        longest = max((cells(line.value) for _, line in rows), default=0)
        column = min(column, COLUMN, max(inside * 3 // 5, inside - longest))
        return Layout(first, column, inside - column)

    def row(self, word: str, line: Line, layout: Layout) -> Iterator[str]:
        """One line of the drawing; of a whole expression and of a reason more, if they are long."""
        mark = MARK if line.decides else " "
        head = f"  {mark} {word:<{layout.word}} " if layout.word else f"{mark} "
        for text, value in zip_longest(_pieces(line, layout.text), _reason(line, layout.value), fillvalue=""):
            gap = " " * (layout.text - cells(text) + 2)
            yield f"{head}{text}{gap}{value}".rstrip()
            head = " " * len(head)


def _reason(line: Line, columns: int) -> list[str]:
    """The value of a line, cut; why it is an error value, in as many lines as that takes."""
    if not line.value.startswith("error: ") or cells(line.value) <= columns:
        return [fitted(line.value, columns)]
    words = " ".join(part for word in line.value.split(" ") for part in broken(word, columns))
    return wrapped(words, columns)


def _pieces(line: Line, column: int) -> list[str]:
    """The text of a line: what is too long is cut, or, of a whole expression, goes on in further lines."""
    text = " " * min(2 * line.depth, column // 2) + line.text
    if line.depth or cells(text) <= column:
        return [fitted(text, column)]
    words = " ".join(part for word in text.split(" ") for part in broken(word, column - 4))
    first, *rest = wrapped(words, column - 4)
    pieces = [first, *(f"    {piece}" for piece in rest)]
    if len(pieces) > PIECES:
        pieces[PIECES - 1 :] = [" ".join([pieces[PIECES - 1], "…"])]
    return [fitted(piece, column) for piece in pieces]
