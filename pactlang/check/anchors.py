"""Patterns that can match no text: an anchor stands where the text can neither begin nor end.

In: an RE2 pattern.  Out: the place of the anchor.  `costs $5` asks for a `5` behind the end of the text;
what was meant is `costs \\$5`.

A sequence is read from left to right; what matters is whether something has surely been taken from the
text before a `^`, or is surely taken behind a `$`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

TOKEN = re.compile(
    r"(?P<start>\^|\\A)|(?P<end>\$|\\z)|(?P<zero>\\[bB])|(?P<class>\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\])"
    r"|(?P<quoted>\\Q.*?(?:\\E|$))|(?P<open>\((?:\?(?:P?<\w+>|[imsU-]*(?P<ends>[:)])))?)|(?P<close>\))|(?P<bar>\|)"
    r"|(?P<char>\\[pP](?:\{\^?\w+\}|\w)|\\x\{[0-9A-Fa-f]+\}|\\x[0-9A-Fa-f]{2}|\\.|.)",
    re.S,
)
REPEAT = re.compile(r"(?:([*?])|\+|\{(\d+)(?:,\d*)?\})[?+]?")
FLAGS = re.compile(r"\(\?[a-zA-Z]*m")  # with it `^` and `$` stand at lines
MAX_DEPTH = 100


class State(NamedTuple):
    """What is sure at a place in a pattern: that something was taken; where a `$` stood."""

    taken: bool = False
    ended: int = -1


def impossible(pattern: str) -> int | None:
    """The place of an anchor for which the pattern matches no text; None if there is none."""
    if FLAGS.search(pattern):
        return None
    reader = _Reader(pattern)
    reader.alternatives(State(), 0)
    return reader.dead


class _Reader:
    def __init__(self, pattern: str) -> None:
        self.pattern, self.at = pattern, 0
        self.dead: int | None = None

    def alternatives(self, before: State, depth: int) -> State | None:
        """The state behind `a|b|c`, None if none of them can match; then `dead` is why."""
        alive: list[State] = []
        dead: list[int] = []
        while True:
            self.dead = None
            after = self._sequence(before, depth)
            if after is None:
                dead += [] if self.dead is None else [self.dead]
            else:
                alive.append(after)
            if self.pattern[self.at : self.at + 1] != "|":
                break
            self.at += 1
        self.dead = None if alive or not dead else dead[0]
        if not alive:
            return None
        ends = {state.ended for state in alive}
        return State(all(s.taken for s in alive), ends.pop() if len(ends) == 1 else -1)

    def _sequence(self, state: State, depth: int) -> State | None:
        """The state behind a sequence, None if it cannot match."""
        dead: int | None = None
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            found = TOKEN.match(self.pattern, self.at)
            if found is None or depth > MAX_DEPTH:
                self.at = len(self.pattern)
                return state
            self.at = found.end()
            after = self._element(found, state, depth)
            if self._repeats_from() == 0:
                continue
            if dead is None and after is None:
                dead = self.dead
            state = after or state
        self.dead = dead
        return None if dead is not None else state

    def _element(self, found: re.Match[str], state: State, depth: int) -> State | None:
        """The state behind one element, None where it cannot stand; then `dead` is why."""
        self.dead = None
        if found["start"] is not None:
            self.dead = found.start()
            return None if state.taken else state
        if found["end"] is not None:
            return State(state.taken, found.start())
        if found["zero"] is not None or found["ends"] == ")":
            return state
        if found["open"] is not None:
            after = self.alternatives(state, depth + 1)
            self.at += self.pattern[self.at : self.at + 1] == ")"
            return after
        if found["quoted"] is not None and len(found["quoted"]) <= 4:
            return state
        self.dead = state.ended
        return None if state.ended >= 0 else State(True)

    def _repeats_from(self) -> int:
        """How often the element at hand comes at least; its repetition is read."""
        found = REPEAT.match(self.pattern, self.at)
        if found is None:
            return 1
        self.at = found.end()
        return 0 if found[1] else int(found[2] or 1)
