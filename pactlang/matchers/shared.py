"""One scanner for all programs that seek the same things in a text.

In: the text atoms of programs.  Out: scanners, each held by those who use it: the engine of a scanner is
made once, when the first text comes to any of them, and goes with the last of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakValueDictionary

from pactlang._runtime import Scanner
from pactlang.ir import Pattern, Phrases
from pactlang.matchers.scanners import scanner
from pactlang.program import Atom, Group


class Held:
    """A scanner, for as long as somebody holds this."""

    def __init__(self, scanner: Scanner) -> None:
        self.scanner = scanner


_held: WeakValueDictionary[Any, Held] = WeakValueDictionary()


def shared(
    group: Group, atoms: Sequence[Atom], patterns: Sequence[Pattern], phrases: Sequence[Phrases]
) -> Held:
    """The scanner of one group, the same for groups that have equal atoms under equal numbers."""
    key = tuple((number, sought(atoms[number], patterns, phrases)) for number in group.atoms)
    held = _held.get(key)
    if held is None:
        held = _held.setdefault(key, Held(scanner(group, atoms, patterns, phrases)))
    return held


def sought(atom: Atom, patterns: Sequence[Pattern], phrases: Sequence[Phrases]) -> tuple[Any, ...]:
    """What an atom seeks, whatever it is called."""
    if atom.kind == "pattern":
        return atom.kind, patterns[atom.index].source, patterns[atom.index].check
    if atom.kind == "phrases":
        return atom.kind, phrases[atom.index].phrases
    return atom.kind, atom
