"""Scanners and matchers for the machine.

In: the text atoms of a program.  Out: a `Scanner` for each group, a function text -> bool for an atom
that is sought in a text that is no slot.  What seeks is made when the first text comes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from pactlang._runtime import Scanner
from pactlang.ir import Pattern, Phrases
from pactlang.matchers.atoms import Seeker
from pactlang.matchers.choose import Plan, plan
from pactlang.program import Atom, Group
from pactlang.text import compile_re2, folded_utf8, position, utf8

Matcher = Callable[[str], bool]
ENDS = {"prefix": "startswith", "suffix": "endswith"}


def scanner(
    group: Group, atoms: Sequence[Atom], patterns: Sequence[Pattern], phrases: Sequence[Phrases]
) -> Scanner:
    """The scanner of one group."""

    kinds = {atoms[number].kind for number in group.atoms}
    if kinds <= set(ENDS):
        return Scanner(group.atoms, False, [(atoms[n].kind == "suffix", atoms[n].texts) for n in group.atoms])

    def make() -> Plan:
        return plan([(number, Seeker(atoms[number], patterns, phrases)) for number in group.atoms])

    return Scanner(group.atoms, "phrases" in kinds, make)


def matcher(atom: Atom, patterns: Sequence[Pattern], phrases: Sequence[Phrases]) -> Matcher:
    """The matcher of one atom: text -> whether it occurs."""
    if atom.kind == "literal":
        return lambda text: any(position(part, text) >= 0 for part in atom.texts)
    if atom.kind in ENDS:
        return lambda text: getattr(text, ENDS[atom.kind])(atom.texts)
    seeker = Seeker(atom, patterns, phrases)
    prepared = folded_utf8 if atom.kind == "phrases" else utf8
    return lambda text: seeker.occurs(prepared(text))


def search(pattern: str, text: str) -> bool:
    """Whether a pattern that became known while running occurs; ValueError if it is no RE2."""
    return dynamic(pattern).search(utf8(text)) is not None


@lru_cache(maxsize=256)
def dynamic(pattern: str) -> Any:
    """A pattern that became known while running, compiled."""
    return compile_re2(pattern)
