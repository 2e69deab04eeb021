"""One open file: its text, and what its segments say together.

In: a text, and what the last check found of the files that it imports.  Out: lookups: the segment at a place,
what a name is declared as, where it is used.  A document is never changed: an edit makes a new one, which
takes over the segments that stayed the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from pactlang import syntax
from pactlang.lsp.facts import CLAUSE, FIELD, RECORD, VALUE, Declared, Use
from pactlang.lsp.lines import Lines
from pactlang.lsp.segments import Placed, segments
from pactlang.source import Source, Span


class Imported(NamedTuple):
    """What a pact's imports bring in: declarations with spans in `source`, behind the pact's own text.
    ways: for each of the source's files the place of the pact's own import that leads to it."""

    items: tuple[syntax.Declaration, ...] = ()
    source: Source | None = None
    ways: tuple[Span, ...] = ()


class Place(NamedTuple):
    """A declaration in the file (`shift` makes its spans places there), or in one that is imported."""

    declared: Declared
    shift: int
    imported: bool = False

    @property
    def span(self) -> Span:
        """Where its name stands."""
        return moved(self.declared.span, self.shift)


class Document:
    """The text of a file at one moment."""

    def __init__(self, uri: str, text: str, before: Document | None = None) -> None:
        self.uri, self.text = uri, text
        self.imported: Imported = Imported() if before is None else before.imported
        known = {} if before is None else {each.segment.text: each.segment for each in before.parts}
        self.parts: list[Placed] = segments(text, known)

    @cached_property
    def lines(self) -> Lines:
        """Its lines."""
        return Lines(self.text)

    def at(self, offset: int) -> Placed:
        """The segment that holds an offset."""
        low, high = 0, len(self.parts)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.parts[middle].start <= offset else (low, middle)
        return self.parts[low]

    @cached_property
    def pact(self) -> syntax.Pact | None:
        """The header."""
        return next((each.segment.pact for each in self.parts if each.segment.pact is not None), None)

    @property
    def items(self) -> Iterator[syntax.Declaration]:
        """All declarations, those of imported files last."""
        for each in self.parts:
            for item in each.segment.items:
                yield item.declaration if isinstance(item, syntax.Override) else item
        yield from self.imported.items

    @cached_property
    def declared(self) -> dict[tuple[str, str], list[Place]]:
        """Declarations by space and name; fields by `Record.field`."""
        found: defaultdict[tuple[str, str], list[Place]] = defaultdict(list)
        for each in self.parts:
            for one in each.segment.facts.declared:
                found[one.space, key(one)].append(Place(one, each.shift))
        if self.imported.items:
            from pactlang.lsp.facts import facts_of

            for one in facts_of(None, self.imported.items).declared:
                found[one.space, key(one)].append(Place(one, 0, True))
        return found

    def find(self, space: str, name: str) -> Place | None:
        """The declaration of a name; the first one counts."""
        places = self.declared.get((space, name))
        return places[0] if places else None

    def names(self, space: str) -> Iterator[Place]:
        """All declarations of a space, each name once."""
        return (places[0] for (each, _), places in self.declared.items() if each == space)

    @cached_property
    def used(self) -> dict[tuple[str, str], list[tuple[int, Use]]]:
        """Uses by space and name, each with what its span is to be moved by."""
        found: defaultdict[tuple[str, str], list[tuple[int, Use]]] = defaultdict(list)
        for each in self.parts:
            for use in each.segment.facts.uses:
                found[use.space, use.name].append((each.shift, use))
        return found

    def use_at(self, offset: int) -> tuple[Placed, Use] | None:
        """The name at an offset, or right before it."""
        placed = self.at(offset)
        at = offset - placed.shift
        for use in placed.segment.facts.uses:
            if use.span.start <= at <= use.span.end:
                return placed, use
        return None

    def resolve(self, use: Use) -> Place | None:
        """The declaration that a name stands for; None for a variable, a function, a standard field."""
        match use.space:
            case "value":
                return self.find(VALUE, use.name) or self.find(FIELD, f"{self.root}.{use.name}")
            case "field":
                return self.find(FIELD, f"{use.of or self.root}.{use.name}")
            case "type":
                return self.find(RECORD, use.name)
            case "clause" | "record" as space:
                return self.find(CLAUSE if space == CLAUSE else RECORD, use.name)
        return None

    @property
    def root(self) -> str:
        """The name of the record that the pact is about."""
        record = None if self.pact is None else self.pact.record
        return "Call" if record is None else record.name


def key(one: Declared) -> str:
    """What a declaration is looked up by in its space."""
    return f"{one.of}.{one.name}" if one.space == FIELD else one.name


def moved(span: Span, by: int) -> Span:
    """A span so much further on."""
    return Span(span.start + by, span.end + by)
