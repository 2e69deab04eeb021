"""Diagnostics as text for a terminal.

In: diagnostics and the `Source` they point into.  Out: text; nothing is printed here.

A diagnostic is a head line, the lines of the source its labels stand on, underlined, and what helps; lines
of another file than the first label's come after those, each file under its name.
Characters are shown in cells: a tab reaches the next multiple of four, an East Asian wide character
takes two, what would be invisible or move the cursor is replaced by a visible sign.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from textwrap import wrap
from typing import NamedTuple
from unicodedata import category, east_asian_width

from pactlang.diagnostic import ERROR, NOTE, WARNING, Diagnostic, Fix, Label
from pactlang.source import Part, Source, Span

TAB = 4
# A line longer than this, in characters, is cut to a window around its labels, which keeps a third
# before the first of them.
MAX_LINE = 120
NARROWEST = 40  # columns; a terminal that has fewer wraps by itself
# Characters of a fix shown with what stands around it, beside those it adds.
MAX_FIX = 80
GUTTER = 4
CUT = "..."
_BREAK = re.compile(r"\s*\n\s*")

RESET, BOLD, BLUE = "\x1b[0m", "\x1b[1m", "\x1b[34m"
LEVEL = {ERROR: "\x1b[31m", WARNING: "\x1b[33m", NOTE: "\x1b[36m"}


class Paint:
    """Puts ANSI colours around text, or leaves it alone.  columns: of the terminal, None if there is none."""

    def __init__(self, color: bool, columns: int | None) -> None:
        self.color = color
        self.columns = columns if columns is None else max(columns, NARROWEST)

    def room(self, gutter: int) -> int | None:
        """Columns right of the line numbers."""
        return None if self.columns is None else self.columns - gutter - len(" | ")

    def fits(self, text: str, start: int, gutter: int) -> bool:
        """Whether a text that starts at a cell right of the line numbers ends before the terminal does."""
        room = self.room(gutter)
        return room is None or start + len(text) <= room

    def __call__(self, text: str, *codes: str) -> str:
        return f"{''.join(codes)}{text}{RESET}" if self.color and text else text


class Mark(NamedTuple):
    """A label on one line: cells [start, end) and its text."""

    start: int
    end: int
    text: str
    primary: bool


def render(diagnostic: Diagnostic, source: Source, color: bool = False, columns: int | None = None) -> str:
    """One diagnostic, without a line break at its end."""
    paint, width = Paint(color, columns), _gutter(diagnostic, source)
    lines = _head(diagnostic, paint)
    for sign, label, labels in _by_file(diagnostic, source):
        place, name = source.place(label.span.start), visible(source.named(label.span.start))
        lines.append(f"{' ' * (width - 2)}{paint(sign, BLUE)} {name}:{place.line}:{place.column}")
        level = LEVEL.get(diagnostic.level, BOLD)
        lines += _excerpts(labels, source.part(label.span.start), width, paint, level)
    notes = [("help", visible(text)) for text in diagnostic.help]
    if diagnostic.fix is not None:
        notes.append(("fix", _fix(diagnostic, diagnostic.fix, source)))
    return "\n".join([*lines, *(line for word, text in notes for line in _note(word, text, width, paint))])


def _head(diagnostic: Diagnostic, paint: Paint) -> list[str]:
    level, code = LEVEL.get(diagnostic.level, BOLD), f"{diagnostic.level}[{diagnostic.code}]"
    first, *more = _wrapped(f"{code}: {visible(diagnostic.message)}", paint.columns, "  ")
    return [paint(code, BOLD, level) + paint(first[len(code) :], BOLD), *(paint(line, BOLD) for line in more)]


def _note(word: str, text: str, width: int, paint: Paint) -> list[str]:
    lead = " " * (width - 2)
    first, *more = _wrapped(f"{lead}= {word}: {text}", paint.columns, " " * (width + len(word) + 2))
    return [f"{lead}{paint('=', BLUE)}{first[width - 1 :]}", *more]


def _wrapped(text: str, columns: int | None, indent: str) -> list[str]:
    """A line, or lines of so many columns, with an indent from the second on."""
    if columns is None or len(text) <= columns:
        return [text]
    return wrap(
        text, columns, subsequent_indent=indent, expand_tabs=False, replace_whitespace=False,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def render_all(
    diagnostics: Iterable[Diagnostic], source: Source, color: bool = False, limit: int | None = None
) -> str:
    """All diagnostics, at most `limit` of them in full, and how many there are; empty if there are none."""
    found = tuple(diagnostics)
    parts = [render(diagnostic, source, color) for diagnostic in found[:limit]]
    more = len(found) - len(parts)
    if more:
        parts.append(f"... and {more} more")
    return "\n\n".join([*parts, summary(found)]) if found else ""


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """`3 errors, 1 warning`."""
    counts = Counter(d.level for d in diagnostics)
    levels = [(counts[level], level) for level in (ERROR, WARNING, NOTE) if counts[level]]
    return ", ".join(f"{count} {level}{'s' if count > 1 else ''}" for count, level in levels)


# The lines of the source --------------------------------------------------------------------------


def _labels(diagnostic: Diagnostic) -> list[tuple[Label, bool]]:
    return [(diagnostic.primary, True), *((label, False) for label in diagnostic.related)]


def _gutter(diagnostic: Diagnostic, source: Source) -> int:
    """Cells for line numbers."""
    last = max(source.place(label.span.start).line for label, _ in _labels(diagnostic))
    return max(GUTTER, len(str(last)))


def _by_file(diagnostic: Diagnostic, source: Source) -> Iterator[tuple[str, Label, list[tuple[Label, bool]]]]:
    """The labels of each file, that of the primary first: a sign, the label to name, all of them."""
    files: dict[int, list[tuple[Label, bool]]] = {}
    for label, primary in _labels(diagnostic):
        files.setdefault(source.part(label.span.start).begin, []).append((label, primary))
    for number, labels in enumerate(files.values()):
        yield ":::" if number else "-->", labels[0][0], labels


def _excerpts(
    labels: Sequence[tuple[Label, bool]], part: Part, width: int, paint: Paint, level: str
) -> list[str]:
    """The lines of one file that have labels, in order, with `...` where lines are left out."""
    file, begin = part
    moved = ((label._replace(span=label.span.moved(-begin)), primary) for label, primary in labels)
    placed = sorted(
        ((file.place(label.span.start).line, label, primary) for label, primary in moved),
        key=lambda entry: (entry[0], entry[1].span),
    )
    lines: list[str] = []
    before = 0
    for number, group in groupby(placed, key=lambda entry: entry[0]):
        if before and number > before + 1:
            lines.append(" " * width + paint(CUT, BLUE))
        on_line = [(label, primary) for _, label, primary in group]
        lines += _excerpt(file, number, on_line, width, paint, level)
        before = number
    return lines


def _excerpt(
    source: Source, number: int, labels: Sequence[tuple[Label, bool]], width: int, paint: Paint, level: str
) -> list[str]:
    """One line of the source, and its labels below it."""
    room = min(MAX_LINE, paint.room(width) or MAX_LINE)
    window, cut_left, cut_right = _window(source, number, labels, room)
    text, cells = _cells(source.slice(window))
    shift = len(CUT) if cut_left else 0
    shown = CUT * cut_left + text + CUT * cut_right
    marks = [_mark(label, primary, window, cells, shift) for label, primary in labels]
    empty = " " * width + paint(" | ", BLUE)
    rows = [empty + row for row in _underlines(marks, width, paint, level)]
    return [row.rstrip() for row in (paint(f"{number:>{width}} | ", BLUE) + shown, *rows)]


def _window(
    source: Source, number: int, labels: Sequence[tuple[Label, bool]], room: int
) -> tuple[Span, bool, bool]:
    """The part of a line to show, and whether it is cut on the left and on the right."""
    starts = source.starts
    start = starts[number - 1]
    end = starts[number] - 1 if number < len(starts) else len(source.text)
    if end > start and source.text[end - 1] == "\r":
        end -= 1
    if end - start <= room:
        return Span(start, end), False, False
    room -= 2 * len(CUT)
    wanted = min((label.span.start for label, primary in labels if primary), default=labels[0][0].span.start)
    near = [label.span.start for label, _ in labels if wanted - room // 3 <= label.span.start <= wanted]
    left = max(start, min(near) - room // 3)
    right = min(end, left + room)
    left = max(start, right - room)
    return Span(left, right), left > start, right < end


def _mark(label: Label, primary: bool, window: Span, cells: list[int], shift: int) -> Mark:
    """Where a label stands in the shown text; at least one cell, and never beyond the window."""
    last = len(cells) - 1
    start = cells[max(0, min(label.span.start - window.start, last))] + shift
    end = cells[max(0, min(label.span.end - window.start, last))] + shift
    return Mark(start, max(end, start + 1), visible(label.text), primary)


def _underlines(marks: list[Mark], width: int, paint: Paint, level: str) -> list[str]:
    """The row of signs with the text of the last label, then a row for each other text, right to left."""
    row: dict[int, str] = {}
    for mark in sorted(marks, key=lambda m: m.primary):
        row.update(dict.fromkeys(range(mark.start, mark.end), "^" if mark.primary else "-"))
    signs = "".join(row.get(cell, " ") for cell in range(max(row) + 1))
    painted = "".join(
        paint("".join(run), level if sign == "^" else BLUE) if sign != " " else "".join(run)
        for sign, run in groupby(signs)
    )
    told = sorted((m for m in marks if m.text), key=lambda m: m.start)
    beside = bool(told) and told[-1].end == len(signs) and paint.fits(told[-1].text, len(signs) + 1, width)
    rows = [f"{painted} {_told(told.pop(), paint, level)}" if beside else painted]
    while told:
        rows += _below(told.pop(), told, width, paint, level)
    return rows


def _below(mark: Mark, others: list[Mark], width: int, paint: Paint, level: str) -> list[str]:
    """The text of a label below its signs, moved to the left where it would not fit."""
    room = paint.room(width)
    start = mark.start if room is None else max(0, min(mark.start, room - len(mark.text)))
    lead = "".join("|" if any(m.start == cell for m in others) else " " for cell in range(start))
    lead = paint(lead, BLUE) * bool(lead.strip()) or lead
    return [lead + _told(mark._replace(text=text), paint, level) for text in _wrapped(mark.text, room, "")]


def _told(mark: Mark, paint: Paint, level: str) -> str:
    return paint(mark.text, level if mark.primary else BLUE)


# Fixes ------------------------------------------------------------------------------------------


def _fix(diagnostic: Diagnostic, fix: Fix, source: Source) -> str:
    """The fix with what stands around it, in one line that is cut if it is long."""
    start, end = _around(diagnostic, fix, source)
    text = source.text[start : fix.span.start] + fix.replacement + source.text[fix.span.end : end]
    text = visible(_BREAK.sub(" ", text))
    if len(text) > MAX_FIX + len(fix.replacement):
        text = text[: MAX_FIX + len(fix.replacement)] + CUT
    title = visible(fix.title)
    return f"{title}: `{text}`" if text and f"`{text}`" not in title else title


def _around(diagnostic: Diagnostic, fix: Fix, source: Source) -> Span:
    """What the fix names, or as much as the labels cover, if that is short and on one line."""
    if fix.around is not None:
        return fix.around
    file, line = source.part(fix.span.start), source.place(fix.span.start).line
    spans = [label.span for label, _ in _labels(diagnostic) if source.part(label.span.start) == file]
    near = [span for span in spans if source.place(span.start).line == line]
    start = min([fix.span.start, *(span.start for span in near)])
    end = max([fix.span.end, *(span.end for span in near)])
    return fix.span if end - start > MAX_FIX or "\n" in source.text[start:end] else Span(start, end)


# Characters --------------------------------------------------------------------------------------


def visible(text: str) -> str:
    """Text on one line, without anything that is invisible or that moves the cursor."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(char) for char in text)


def _cells(text: str) -> tuple[str, list[int]]:
    """The text as shown, and the cell at which each character begins, and the one after the last."""
    cells, shown, at = [0], [], 0
    for char in text:
        sign = " " * (TAB - at % TAB) if char == "\t" else _shown(char)
        at += len(sign) if char == "\t" else _width(sign)
        shown.append(sign)
        cells.append(at)
    return "".join(shown), cells


def _shown(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    return " " if category(char) == "Zs" else "\ufffd"


def _width(char: str) -> int:
    if category(char) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(char) in ("W", "F") else 1
