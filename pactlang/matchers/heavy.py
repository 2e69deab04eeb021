"""Patterns whose automaton explodes: those that an engine cannot search in constant time for each byte.

In: a pattern's source.  Out: its weight, 0 for all but such patterns.

An engine keeps a state for each set of places in a pattern where a match may stand.  A counted repetition
such as `x.{50}y` may stand at any of its counts at once, wherever the text has many x, and so has 2^50 sets:
what begins it is short, and may stand again in what is counted.  RE2 then searches without states, which
takes microseconds for each byte, and a set of such patterns takes far longer than each alone.  So they are
asked alone, and only in texts short enough.  This depends on nothing but the pattern and the text's length.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pactlang.matchers.syntax import WORD, Either, Mark, Node, One, Row, Times, Wide, read

FEW = 8  # a count that makes no harm
LONG = 3  # bytes that stand before a repetition often enough to make it harmless
EACH = 100  # weight of any, beside its count: about 30 nanoseconds for each byte of a text
MAX_WORK = 1 << 26  # weight times bytes of a text: about two seconds
UNLIMITED = 1 << 62
AT_WORDS = re.compile(r"(?:\(\?[ims]+\))*\\[bA]")


@lru_cache(1 << 12)
def weight(source: str) -> int:
    """What a byte of a text costs where the pattern's automaton explodes; 0 where it does not."""
    tree = read(source)
    if tree is None:  # not understood: it counts if it repeats anything
        return EACH + len(source) if "{" in source else 0
    begins = opening(tree)
    if isinstance(tree, Row) and AT_WORDS.match(source):  # no match begins within a word
        begins &= ~WORD
    count = explosive(tree, 0, begins)
    return EACH + count if count else 0


def longest(weights: int) -> int:
    """Bytes of a text in which patterns of so much weight are sought."""
    return MAX_WORK // weights if weights else UNLIMITED


def opening(node: Node) -> int:
    """The bytes that a match may begin with."""
    match node:
        case One(bytes=of):
            return of
        case Wide():
            return (1 << 256) - 1
        case Mark():
            return 0
        case Times(part=part):
            return opening(part)
        case Either(parts=parts):
            return _all_of(parts)
        case Row(parts=parts):
            first = next((n for n, part in enumerate(parts) if least(part)), len(parts) - 1)
            return _all_of(parts[: first + 1])


def _all_of(parts: tuple[Node, ...]) -> int:
    found = 0
    for part in parts:
        found |= opening(part)
    return found


def least(node: Node) -> int:
    """Bytes of the shortest match."""
    match node:
        case One():
            return 1
        case Wide(low=low):
            return low
        case Mark():
            return 0
        case Times(part=part, low=low):
            return low * least(part)
        case Either(parts=parts):
            return min(map(least, parts))
        case Row(parts=parts):
            return sum(map(least, parts))


def explosive(node: Node, before: int, begins: int) -> int:
    """The counts of repetitions that explode, if so many bytes stand before the node."""
    match node:
        case Row(parts=parts):
            found = 0
            for part in parts:
                found += explosive(part, before, begins)
                before += least(part)
                begins |= opening(part) if loops(part) else 0
            return found
        case Either(parts=parts):
            return sum(explosive(part, before, begins) for part in parts)
        case Times(part=part, low=low, high=high):
            count = low if high is None else high
            if count > FEW and (loops(part) or (0 < before < LONG and begins & opening(part))):
                return count
            return explosive(part, before, begins) * max(1, count)
    return 0


def loops(node: Node) -> bool:
    """Whether a part has texts of any length."""
    match node:
        case Times(part=part, high=high):
            return high is None or loops(part)
        case Row(parts=parts) | Either(parts=parts):
            return any(map(loops, parts))
    return False
