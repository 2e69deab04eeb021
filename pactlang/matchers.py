"""What seeks patterns, phrases and literals in a text: all of one field's in one pass.

In: the text atoms of a program.  Out: functions for the machine: a scanner gives the numbers of the
atoms that occur in a text, a matcher says whether one occurs.

They are built when first used, never stored in an artifact.  An RE2 set answers for all its members
at once; it says nothing when its automaton outgrows its memory, so each set has one member more that
matches every text to its end: where that one is missing, the members are asked one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any

from pactlang.ir import Pattern, Phrases
from pactlang.program import Atom, Group
from pactlang.text import compile_re2, find_bytes, folded_utf8, phrase_pattern, position, utf8

Scanner = Callable[[str], Sequence[int]]
Matcher = Callable[[str], bool]
NOTHING: tuple[int, ...] = ()
SET_MEMORY = 64 * 1024 * 1024  # bytes for one set's automaton
EVERYWHERE = r"\z"


class Seeker:
    """One atom: its RE2 source over the (raw or folded) text, and whether a hit must be confirmed."""

    def __init__(self, atom: Atom, patterns: Sequence[Pattern], phrases: Sequence[Phrases]) -> None:
        self.literal = atom.text if atom.kind == "literal" else None
        self.folded = atom.kind == "phrases"
        self.check = patterns[atom.index].check if atom.kind == "pattern" else ""
        if atom.kind == "pattern":
            self.source = patterns[atom.index].source
        elif atom.kind == "phrases":
            self.source = phrase_pattern(phrases[atom.index].phrases)
        else:
            self.source = "".join(
                c if c.isalnum() or not c.isascii() else f"\\x{ord(c):02x}" for c in atom.text
            )
        self.compiled: Any = None

    def occurs(self, text: str, data: Any) -> bool:
        """Whether it occurs in the text; `data` is the text prepared, and need not be there for a literal."""
        if self.literal is not None:
            return position(self.literal, text) >= 0
        if self.compiled is None:
            self.compiled = compile_re2(self.source)
        return find_bytes(self.compiled, data, self.check) is not None


def scanner(
    group: Group, atoms: Sequence[Atom], patterns: Sequence[Pattern], phrases: Sequence[Phrases]
) -> Scanner:
    """The scanner of one group: text -> numbers of the atoms that occur in it."""
    seekers = [(number, Seeker(atoms[number], patterns, phrases)) for number in group.atoms]

    @cache
    def prepared() -> Scanner:
        return one_pass(seekers) if len(seekers) > 1 else one_by_one(seekers)

    def scan(text: str) -> Sequence[int]:
        return prepared()(text)

    return scan


def one_by_one(seekers: Sequence[tuple[int, Seeker]]) -> Scanner:
    """Ask each atom."""
    if all(seeker.literal is not None for _, seeker in seekers):
        return lambda text: asked(seekers, text, None)
    prepared = preparation(seekers)
    return lambda text: asked(seekers, text, prepared(text))


def preparation(seekers: Sequence[tuple[int, Seeker]]) -> Callable[[str], Any]:
    """What makes of a text the UTF-8 that they search."""
    return folded_utf8 if any(seeker.folded for _, seeker in seekers) else utf8


def asked(seekers: Sequence[tuple[int, Seeker]], text: str, data: Any) -> Sequence[int]:
    """The numbers of those that occur."""
    return [number for number, seeker in seekers if seeker.occurs(text, data)]


def one_pass(seekers: Sequence[tuple[int, Seeker]]) -> Scanner:
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

    def scan(text: str) -> Sequence[int]:
        data = prepared(text)
        hits = match(data)
        if hits is None or last not in hits:
            return asked(seekers, text, data)
        if len(hits) == 1:
            return NOTHING
        found = [seekers[hit] for hit in hits if hit != last]
        return [number for number, seeker in found if not seeker.check or seeker.occurs(text, data)]

    return scan


def matcher(atom: Atom, patterns: Sequence[Pattern], phrases: Sequence[Phrases]) -> Matcher:
    """The matcher of one atom: text -> whether it occurs."""
    scan = one_by_one([(0, Seeker(atom, patterns, phrases))])
    return lambda text: bool(scan(text))


def search(pattern: str, text: str) -> bool:
    """Whether a pattern that became known while running occurs; ValueError if it is no RE2."""
    return dynamic(pattern).search(utf8(text)) is not None


@lru_cache(maxsize=256)
def dynamic(pattern: str) -> Any:
    """A pattern that became known while running, compiled."""
    return compile_re2(pattern)
