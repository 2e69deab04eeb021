"""Factors: short strings one of which stands in every text that a pattern matches.

In: a pattern's tree.  Out: `Needed`: strings of sets of bytes, whether one of them is all that is needed,
and how many bytes a match has at most.

Three things are known of a part: the strings that it matches, if they are few (`exact`); or strings one
of which each match begins with, and ends with; and the best strings that stand in each match.  Where two
parts meet, the end of one and the beginning of the other are a string again.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from pactlang.matchers.sample import likely
from pactlang.matchers.syntax import FOREIGN, Either, Mark, Node, One, Row, Times, Wide

String = tuple[int, ...]  # sets of bytes
Strings = tuple[String, ...]

EMPTY: Strings = ((),)
# The letters beyond ASCII that (?i) takes for one of ASCII.  A string with one of them is cut down to it:
# else each k and s would double the strings.
EXOTIC = frozenset(tuple(1 << byte for byte in char.encode()) for char in FOREIGN.values())
WINDOW, HASHED = 8, 4  # bytes that the sieve looks at, by its tables or by a hash
COMPARING, CONFIRMING = 5.0, 2000.0  # nanoseconds, about: to compare a factor, to ask RE2
ONCE = 0.7  # nanoseconds for each byte: a pattern is asked for once in a text, however often it is seen
MAX_PRODUCT = 128  # strings made of two lists of several
MAX_LIST = 20_000  # strings of an alternation
MAX_LENGTH = 32  # bytes of a string that is needed, but not all
MAX_EXACT = 4_000  # bytes of one that is
MAX_BYTES = 1 << 20  # of all strings of a list
SPREAD = 2  # how many lengths of a repetition are told apart


class Needed(NamedTuple):
    """What a match needs.  whole: where one of the strings stands, the pattern matches; `likely`: how
    often one of them stands at a place of a text; `cost`: nanoseconds that it takes to look for them, for
    each byte of a text; `longest`: bytes of a match, None if there is no bound."""

    strings: Strings
    whole: bool
    likely: float
    cost: float
    longest: int | None


class Part(NamedTuple):
    """What is known of a part of a pattern.  `sure`: it matches exactly its strings, wherever it stands."""

    exact: Strings | None
    left: Strings
    right: Strings
    best: Strings
    high: int | None
    sure: bool


def needed(tree: Node) -> Needed | None:
    """The factors of a pattern; None if nothing is known to stand in every match."""
    part = look(tree)
    strings = lean(best_of(part))
    if () in strings:
        return None
    whole = part.sure and part.exact is not None and not EXOTIC & set(part.exact)
    strings = part.exact if whole and part.exact else strings
    return Needed(strings, whole, sum(map(likely, strings)), cost(strings), part.high)


@lru_cache(1 << 14)
def window(string: String, width: int = WINDOW) -> tuple[float, int]:
    """How often the rarest `width` bytes in a row of a string stand at a place of a text, and where they
    are in the string."""
    last = max(0, len(string) - width)
    return min((likely(string[at : at + width]), at) for at in range(last + 1))


def cost(strings: Strings) -> float:
    """Nanoseconds that it takes to look for one of these, for each byte of a text."""
    comparing = sum(COMPARING * window(string)[0] for string in strings)
    seen = CONFIRMING * sum(map(likely, strings))
    return comparing + min(seen, ONCE + seen / 100)


def best_of(part: Part) -> Strings:
    """The rarest strings that stand in every match."""
    if part.exact is not None:
        return tuple(string[:MAX_LENGTH] for string in part.exact)
    return min((part.best, part.left, part.right), key=cost)


def lean(strings: Strings, side: int = 1) -> Strings:
    """Without those that begin (side 1) or end (-1) with another one, or with a part of its language."""
    if len(strings) > MAX_PRODUCT:
        known = set(strings)
        return tuple(s for s in dict.fromkeys(strings) if not any(s[:n] in known for n in range(len(s))))
    kept: list[String] = []
    for string in sorted(dict.fromkeys(strings), key=lambda s: (len(s), -sum(map(int.bit_count, s)))):
        if not any(within(string, other, side) for other in kept):
            kept.append(string)
    return tuple(kept)


def within(string: String, other: String, side: int) -> bool:
    """Whether each text that begins (ends) with `string` begins (ends) with `other`, which is no longer."""
    if not other:
        return True
    end = string[: len(other)] if side > 0 else string[-len(other) :]
    return all(mine & ~its == 0 for mine, its in zip(end, other, strict=True))


def exactly(strings: Strings, sure: bool = True) -> Part:
    return Part(strings, strings, strings, strings, max(map(len, strings)), sure)


def loose(left: Strings, right: Strings, best: Strings, high: int | None) -> Part:
    left = tuple(dict.fromkeys(string[:MAX_LENGTH] for string in left))
    right = tuple(dict.fromkeys(string[-MAX_LENGTH:] for string in right))
    return Part(None, left, right, best, high, False)


def look(node: Node) -> Part:
    """What is known of a node."""
    match node:
        case One(bytes=of):
            return exactly(((of,),))
        case Wide(high=high):
            return loose(EMPTY, EMPTY, EMPTY, high)
        case Mark():
            return exactly(EMPTY, sure=False)
        case Row(parts=parts):
            return in_a_row(parts)
        case Either(parts=parts):
            return either([look(part) for part in parts])
        case Times():
            return times(look(node.part), node.low, node.high)


def in_a_row(nodes: tuple[Node, ...]) -> Part:
    made = exactly(EMPTY)
    for node in nodes:
        made = joined(made, look(node))
    return made


def joined(a: Part, b: Part) -> Part:
    """One after the other."""
    high = None if a.high is None or b.high is None else a.high + b.high
    both = pairs(a.exact, b.exact)
    if both is not None:
        return Part(both, both, both, both, high, a.sure and b.sure)
    left = pairs(a.exact, b.exact or b.left) or (a.exact or a.left)
    right = pairs(a.exact or a.right, b.exact) or (b.exact or b.right)
    middle = pairs(clipped(a.exact or a.right, -1), clipped(b.exact or b.left, 1)) or EMPTY
    best = min((best_of(a), best_of(b), middle), key=cost)
    return loose(left, right, best, high)


def clipped(strings: Strings, side: int) -> Strings:
    """At most half as long as a string that is needed may be: the ends that meet another part."""
    half = MAX_LENGTH // 2
    return lean(tuple(s[:half] if side > 0 else s[-half:] for s in strings), side)


def pairs(a: Strings | None, b: Strings | None) -> Strings | None:
    """Each string of one list before each of the other; None if these are too many."""
    if a is None or b is None:
        return None
    if len(a) * len(b) > (MAX_PRODUCT if min(len(a), len(b)) > 1 else MAX_LIST):
        return None
    if max(map(len, a)) + max(map(len, b)) > MAX_EXACT or size(a) * len(b) + size(b) * len(a) > MAX_BYTES:
        return None
    return tuple(dict.fromkeys(x if x in EXOTIC else y if y in EXOTIC else x + y for x, y in product(a, b)))


def size(strings: Strings) -> int:
    return sum(map(len, strings))


def either(parts: list[Part]) -> Part:
    exact = [part.exact for part in parts if part.exact is not None]
    high = None if any(part.high is None for part in parts) else max(part.high or 0 for part in parts)
    if len(exact) == len(parts) and few(exact):
        strings = union(exact)
        return Part(strings, strings, strings, strings, high, all(part.sure for part in parts))
    return loose(
        some([part.exact or part.left for part in parts]),
        some([part.exact or part.right for part in parts]),
        some([best_of(part) for part in parts]),
        high,
    )


def few(lists: list[Strings]) -> bool:
    return sum(map(len, lists)) <= MAX_LIST and sum(map(size, lists)) <= MAX_BYTES


def some(lists: list[Strings]) -> Strings:
    """All strings of the lists; nothing is known if these are too many."""
    return union(lists) if few(lists) else EMPTY


def union(lists: Iterable[Strings]) -> Strings:
    return tuple(dict.fromkeys(string for strings in lists for string in strings))


def times(part: Part, low: int, high: int | None) -> Part:
    longest = None if high is None or part.high is None else part.high * high
    if high is not None and high - low <= SPREAD and part.exact is not None:
        powers = [power(part.exact, count) for count in range(low, high + 1)]
        if all(p is not None for p in powers) and few([p for p in powers if p is not None]):
            strings = union(p for p in powers if p is not None)
            if len(strings) <= max(MAX_PRODUCT, len(part.exact) + 1):
                return Part(strings, strings, strings, strings, longest, part.sure)
    if low == 0:
        return loose(EMPTY, EMPTY, EMPTY, longest)
    if part.exact is None:
        return loose(part.left, part.right, part.best, longest)
    most = next(p for n in range(min(low, MAX_LENGTH), 0, -1) if (p := power(part.exact, n)) is not None)
    return loose(most, most, most, longest)


def power(strings: Strings, count: int) -> Strings | None:
    """So many in a row; None if these are too many."""
    made: Strings | None = EMPTY
    for _ in range(count):
        made = pairs(made, strings)
        if made is None:
            return None
    return made
