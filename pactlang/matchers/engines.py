"""The engines: how several atoms are sought at once.

In: seekers with their atoms' numbers.  Out: functions text -> numbers of the atoms that occur.

An RE2 set answers for all its members at once; it says nothing when its automaton outgrows its memory,
so each set has one member more that matches every text to its end: where that one is missing, the
members are asked one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pactlang.matchers.atoms import Seeker, preparation

Find = Callable[[str], Sequence[int]]
NOTHING: tuple[int, ...] = ()
SET_MEMORY = 64 * 1024 * 1024  # bytes for one set's automaton
EVERYWHERE = r"\z"


def one_by_one(seekers: Sequence[tuple[int, Seeker]]) -> Find:
    """Ask each atom."""
    if all(seeker.literal is not None for _, seeker in seekers):
        return lambda text: asked(seekers, text, None)
    prepared = preparation(seekers)
    return lambda text: asked(seekers, text, prepared(text))


def asked(seekers: Sequence[tuple[int, Seeker]], text: str, data: Any) -> Sequence[int]:
    """The numbers of those that occur."""
    return [number for number, seeker in seekers if seeker.occurs(text, data)]


def one_pass(seekers: Sequence[tuple[int, Seeker]]) -> Find:
    """Ask them all at once; confirm the hits of those with a checksum."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = SET_MEMORY
    together = re2.Set.SearchSet(options)
    for _, seeker in seekers:
        together.Add(seeker.source)
    last = together.Add(EVERYWHERE)
    together.Compile()
    match, prepared = together.Match, preparation(seekers)

    def find(text: str) -> Sequence[int]:
        data = prepared(text)
        hits = match(data)
        if hits is None or last not in hits:
            return asked(seekers, text, data)
        if len(hits) == 1:
            return NOTHING
        found = [seekers[hit] for hit in hits if hit != last]
        return [number for number, seeker in found if not seeker.check or seeker.occurs(text, data)]

    return find
