"""What is sought: text atoms as sources of RE2.

In: the text atoms of a program.  Out: seekers, which know one atom each and can ask for it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pactlang.ir import Pattern, Phrases
from pactlang.program import Atom
from pactlang.text import compile_re2, find_bytes, folded_utf8, phrase_pattern, position, utf8

Prepare = Callable[[str], Any]


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
            self.source = quoted(atom.text)
        self.compiled: Any = None

    def occurs(self, text: str, data: Any) -> bool:
        """Whether it occurs in the text; `data` is the text prepared, and need not be there for a literal."""
        if self.literal is not None:
            return position(self.literal, text) >= 0
        if self.compiled is None:
            self.compiled = compile_re2(self.source)
        return find_bytes(self.compiled, data, self.check) is not None


def quoted(literal: str) -> str:
    """The RE2 source of a literal."""
    return "".join(c if c.isalnum() or not c.isascii() else f"\\x{ord(c):02x}" for c in literal)


def preparation(seekers: Sequence[tuple[int, Seeker]]) -> Prepare:
    """What makes of a text the UTF-8 that they search."""
    return folded_utf8 if any(seeker.folded for _, seeker in seekers) else utf8
