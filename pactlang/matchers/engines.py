"""The engines: how several atoms are sought at once in a text's UTF-8.

In: seekers with their atoms' numbers.  Out: functions data -> numbers of the atoms that occur.

An RE2 set answers for all its members at once; it says nothing when its automaton outgrows its memory,
so each set has one member more that matches every text to its end: where that one is missing, the
members are asked one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pactlang.matchers.atoms import Seeker
from pactlang.matchers.fast import Fast, translated

Find = Callable[[Any], Sequence[int] | None]
Engine = Callable[[Any], list[int] | None]
NOTHING: tuple[int, ...] = ()
SET_MEMORY = 64 * 1024 * 1024  # bytes for one set's automaton
EVERYWHERE = r"\z"
TOGETHER = 80  # patterns of one set


class Together:
    """RE2 sets: data -> indexes of the members that occur, before checks; None if they cannot tell.

    Many patterns are several sets: the states of one automaton for all would be too many to be met again.
    """

    def __init__(self, sources: Sequence[str]) -> None:
        self.sets = [(at, Set(sources[at : at + TOGETHER])) for at in range(0, len(sources), TOGETHER)]

    def __call__(self, data: Any) -> list[int] | None:
        found: list[int] = []
        for at, each in self.sets:
            hits = each(data)
            if hits is None:
                return None
            if hits:
                found += [at + hit for hit in hits]
        return found


class Set:
    """The same with one RE2 set."""

    def __init__(self, sources: Sequence[str]) -> None:
        import re2

        options = re2.Options()
        options.log_errors = False
        options.max_mem = SET_MEMORY
        together = re2.Set.SearchSet(options)
        for source in sources:
            together.Add(source)
        self.last = together.Add(EVERYWHERE)
        together.Compile()
        self.match = together.Match

    def __call__(self, data: Any) -> list[int] | None:
        hits: list[int] | None = self.match(data)
        if hits is None or self.last not in hits:
            return None
        hits.remove(self.last)
        return hits


def one_by_one(seekers: Sequence[tuple[int, Seeker]]) -> Find:
    """Ask each atom."""
    return lambda data: [number for number, seeker in seekers if seeker.occurs(data)]


def one_pass(seekers: Sequence[tuple[int, Seeker]]) -> Find:
    """Ask them all at once; confirm the hits of those with a checksum."""
    return asking(seekers, Together([seeker.source for _, seeker in seekers]), one_by_one(seekers))


def together(seekers: Sequence[tuple[int, Seeker]]) -> Find:
    """With RE2: all at once but the heavy ones, which would slow the others."""
    heavy = [(number, seeker) for number, seeker in seekers if seeker.weight]
    light = [(number, seeker) for number, seeker in seekers if not seeker.weight]
    first = one_pass(light) if len(light) > 1 else one_by_one(light)
    return both(first, one_by_one(heavy)) if heavy else first


def both(a: Find, b: Find) -> Find:
    """What either finds."""

    def find(data: Any) -> Sequence[int] | None:
        first, second = a(data), b(data)
        return None if first is None or second is None else [*first, *second]

    return find


def in_fast_pass(seekers: Sequence[tuple[int, Seeker]]) -> Find:
    """With Hyperscan, what it does not take with RE2.  Raises ValueError if it takes nothing."""
    takes = [(n, each) for n, each in seekers if not each.weight and translated(each.source) is not None]
    if not takes:
        raise ValueError("nothing for Hyperscan")
    first = asking(takes, Fast([seeker.source for _, seeker in takes]), together(takes))
    known = {number for number, _ in takes}
    others = [(number, seeker) for number, seeker in seekers if number not in known]
    return both(first, together(others)) if others else first


def asking(seekers: Sequence[tuple[int, Seeker]], engine: Engine, otherwise: Find) -> Find:
    """What an engine finds, confirmed; from `otherwise` if it cannot tell."""

    def find(data: Any) -> Sequence[int] | None:
        hits = engine(data)
        if not hits:
            return NOTHING if hits is not None else otherwise(data)
        found = [seekers[hit] for hit in hits]
        return [number for number, seeker in found if not seeker.check or seeker.occurs(data)]

    return find
