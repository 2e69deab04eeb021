"""What can follow an unfinished text, and how it could end.

In: a text that breaks off.  Out: the kinds of word that can stand next, and the fewest words, about, that
make a whole text of it, for who wants to parse what is half typed.
"""

from __future__ import annotations

from typing import NamedTuple

from pactlang.parse.machine import Machine, Stop
from pactlang.parse.table import END, Reduction, Table, table
from pactlang.source import Source

# Tried in this order where a text is to be ended: what closes, then what an open form may want.
ENDINGS = (END, "RPAR", "RSQB", "RBRACE", "COLON", "IDENT", "STRING", "DURATION", "INT", "DATE")
WRITTEN = {"IDENT": "x", "STRING": '""', "DURATION": "1s", "INT": "1", "DATE": "2000-01-01"}
MOST = 400  # words that end a text: two for each bracket, and some


class Ahead(NamedTuple):
    """What can follow a text; the words of the language among it as they are written."""

    kinds: frozenset[str]
    words: tuple[str, ...]
    ending: str


class Prefix(Machine):
    """A machine that reads a text up to its end, which may come anywhere."""

    def read(self) -> list[int] | None:
        """The states at the end; None if a mistake before it leaves nothing to say."""
        try:
            while (word := self._next()).kind != END:
                if self._reduce(word.kind):
                    self._shift(word)
                else:
                    self._recover(word)
        except Stop:
            return None
        return self.states


def ahead(source: Source) -> Ahead | None:
    """What can follow the text; None if it has a mistake at its end."""
    known = table()
    states = Prefix(known, source, "pact").read()
    if states is None:
        return None
    kinds = frozenset(kind for kind in known.actions[states[-1]] if _after(known, states, kind) is not None)
    words = tuple(known.written[kind] for kind in sorted(kinds) if known.written.get(kind, "").isidentifier())
    return Ahead(kinds, words, ending(known, states))


def ending(known: Table, states: list[int]) -> str:
    """Words that make a whole text of one that has led to these states; "" if none are found."""
    words: list[str] = []
    for _ in range(MOST):
        row = known.actions[states[-1]]
        for kind in (*ENDINGS, *sorted(row)):
            following = _after(known, states, kind) if kind in row else None
            if following is not None:
                break
        else:
            return ""
        if kind == END:
            return " ".join(words)
        words.append(WRITTEN.get(kind) or known.written.get(kind, "x"))
        states = following
    return ""


def _after(known: Table, states: list[int], kind: str) -> list[int] | None:
    """The states after a word of this kind, None if it cannot follow."""
    states = states[:]
    while True:
        action = known.actions[states[-1]].get(kind)
        if not isinstance(action, Reduction):
            return None if action is None else [*states, action]
        del states[-action.size :]
        states.append(known.gotos[states[-1]][action.origin])
