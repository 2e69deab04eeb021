"""Text that a search found: where it stands, and what stands around it.

In: the trace of a search.  Out: `Match`, or an excerpt.
"""

from __future__ import annotations

from typing import NamedTuple

from pactlang import ir
from pactlang.evaluate import TraceNode
from pactlang.explain.show import excerpt
from pactlang.explain.story import Bound, subject
from pactlang.explain.written import Writer, phrases_name
from pactlang.text import position

SEARCHES = ("contains", "startsWith", "endsWith")


class Match(NamedTuple):
    """Text that was found: in `field`, the characters [start, end) of its value; `name` is the
    pattern's or phrase list's name, or the pattern or the phrases themselves."""

    field: str
    start: int
    end: int
    text: str
    name: str


def find_match(at: TraceNode, bound: Bound, writer: Writer) -> Match | None:
    """The text that a search found, None if the node is no search or found nothing."""
    node = at.node
    if at.value is not True or not at.children or not isinstance(at.children[0].value, str):
        return None
    text = at.children[0].value
    if isinstance(node, ir.Matches | ir.Says):
        span, name = at.found, search_name(node, writer.module)
    elif isinstance(node, ir.Call) and node.function in SEARCHES:
        name = str(at.children[1].value)
        start = len(text) - len(name) if node.function == "endsWith" else position(name, text)
        span = start, start + len(name)
    else:
        return None
    if span is None:
        return None
    field = writer.path(subject(at.children[0])[0].node, bound)
    return Match(field, *span, text[slice(*span)], name)


def search_name(node: ir.Matches | ir.Says, module: ir.Module) -> str:
    """The name of a pattern or of a list of phrases, or itself where it has none."""
    if isinstance(node, ir.Says):
        return phrases_name(module.phrases[node.phrases])
    pattern = module.patterns[node.pattern]
    return pattern.name or pattern.source


def around(at: TraceNode, writer: Writer) -> str | None:
    """The text under a search, cut to what stands around the match; None if nothing was found."""
    found = find_match(at, {}, writer)
    return None if found is None else excerpt(at.children[0].value, found.start, found.end)
