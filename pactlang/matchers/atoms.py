"""What is sought: text atoms as sources of RE2.

In: the text atoms of a program.  Out: seekers, which know one atom each and can ask for it alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pactlang.ir import Pattern, Phrases
from pactlang.matchers.heavy import weight
from pactlang.program import Atom
from pactlang.text import compile_re2, find_bytes, phrase_pattern


class Seeker:
    """One atom: its RE2 source over the (raw or folded) text, and whether a hit must be confirmed."""

    def __init__(self, atom: Atom, patterns: Sequence[Pattern], phrases: Sequence[Phrases]) -> None:
        self.check = patterns[atom.index].check if atom.kind == "pattern" else ""
        if atom.kind == "pattern":
            self.source = patterns[atom.index].source
        elif atom.kind == "phrases":
            self.source = phrase_pattern(phrases[atom.index].phrases)
        else:
            self.source = "|".join(map(quoted, atom.texts))
        self.weight = weight(self.source) if atom.kind == "pattern" else 0
        self.compiled: Any = None

    def occurs(self, data: Any, start: int = 0, end: int | None = None) -> bool:
        """Whether it occurs in a text's UTF-8; if there is nothing to confirm, between two places of it."""
        if self.compiled is None:
            self.compiled = compile_re2(self.source)
        if self.check:
            return find_bytes(self.compiled, data, self.check) is not None
        return self.compiled.search(data, start, end) is not None


def quoted(literal: str) -> str:
    """The RE2 source of a literal."""
    return "".join(c if c.isalnum() or not c.isascii() else f"\\x{ord(c):02x}" for c in literal)
