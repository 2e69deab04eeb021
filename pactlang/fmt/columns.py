"""Columns: how wide the cells of neighbouring items are.

In: the items of one block.  Out: their `pads`.  Names of neighbouring declarations, parts of a clause
and fields of a record stand below each other; an empty line or a comment ends a run of declarations.
"""

from __future__ import annotations

from collections.abc import Callable

from pactlang.fmt.flow import flat
from pactlang.fmt.outline import FACTS, FIELDS, HEADERS, NAMES, PARTS, REACTIONS, Item

# A type wider than this does not push the `as` of its neighbours away.
WIDEST = 24


def align(items: list[Item], fits: Callable[[Item, int], bool]) -> None:
    """Set the pads of the items of a block, or of the file.

    `fits`: does an item with a block stay on one line if its first cell is so wide?
    """
    for item in items:
        item.pads = [0] * len(item.cells)
    for group in (NAMES, FACTS):
        for run in _runs(items, lambda item, group=group: item.group == group):  # type: ignore[misc]
            _pad(run, 0)
            _pad(run, 1)
    for run in _runs(items, lambda item: item.group == HEADERS and fits(item, 0)):
        _pad(run, 0)
        if not all(fits(item, item.pads[0]) for item in run):
            for item in run:
                item.pads[0] = 0
    for group in (PARTS, FIELDS, REACTIONS):
        _pad([item for item in items if item.group == group], 0)
    _pad([item for item in items if _has_narrow_type(item)], 1)


def _has_narrow_type(item: Item) -> bool:
    return item.group == FIELDS and len(item.cells) > 1 and _width(item, 1) <= WIDEST


def _runs(items: list[Item], wanted: Callable[[Item], bool]) -> list[list[Item]]:
    """Neighbours that are wanted; an empty line or a comment between them parts them."""
    runs: list[list[Item]] = [[]]
    for item in items:
        if not wanted(item):
            runs.append([])
            continue
        if item.blank or item.words[0].before:
            runs.append([])
        runs[-1].append(item)
    return runs


def _pad(items: list[Item], cell: int) -> None:
    having = [item for item in items if len(item.cells) > cell]
    widest = max((_width(item, cell) for item in having), default=0)
    for item in having:
        item.pads[cell] = widest


def _width(item: Item, cell: int) -> int:
    return len(flat(item.cells[cell]))
