"""What seeks which atom: the choice for one group, made when its first text comes.

In: the seekers of a group.  Out: `Plan`.  Literals, and patterns that are nothing but a few of them, are the
sieve's alone.  A pattern with a rare factor is asked for where the sieve has seen one.  The others are
sought in every text by an engine, all at once.  Where this is not plainly the fastest way, it is tried on a
sample against one pass of an engine for all.  What is found does not depend on the choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from time import perf_counter_ns
from typing import Any, NamedTuple

from pactlang._runtime import Scanner, Sieve
from pactlang.matchers.atoms import Seeker
from pactlang.matchers.buckets import has_hash, sieve
from pactlang.matchers.engines import Find, Together, in_fast_pass, together
from pactlang.matchers.factors import HASHED, Needed, String, needed, window
from pactlang.matchers.heavy import UNLIMITED, longest
from pactlang.matchers.sample import sample
from pactlang.matchers.syntax import read

COSTLY = 0.6  # nanoseconds for each byte: about what one pattern more costs an engine that runs anyway
ENGINE = 3.0  # what it costs that one runs
MANY = 64  # strings of a pattern that is asked for afterwards
PLAIN = 64  # strings for which nothing is faster than the sieve
FAR = 4096  # bytes of a match: what may be longer is asked for in the whole text
CALL, ALONE, TOGETHER = 1500, 2, 4  # nanoseconds: to ask an engine; for each byte, one pattern or many
TRIED = (500, 3000)  # bytes of the texts that ways are tried on
ROUNDS = 3
SLOW = 60_000_000  # nanoseconds: a way that takes longer is not tried again

Numbered = Sequence[tuple[int, Seeker]]
Seen = Sequence[tuple[int, int, int]]  # owner, where its first factor begins, where its last one does


class Plan(NamedTuple):
    """sieve: None if it has nothing to do; numbers: the atom of each of its owners; confirm(data, seen):
    numbers of the atoms that occur, of those whose factors were seen; rest(data): of those that have no
    factors; whole(data): of the sieve's atoms, for a text that is not for the sieve.  longest: bytes of a
    text beyond which nothing is said."""

    sieve: Sieve | None
    numbers: tuple[int, ...]
    confirm: Callable[[Any, Seen], Sequence[int]]
    rest: Find | None
    whole: Find
    longest: int = UNLIMITED


def plan(seekers: Numbered) -> Plan:
    """The choice for one group."""
    most = longest(sum(seeker.weight for _, seeker in seekers))
    return chosen(seekers)._replace(longest=most)


def chosen(seekers: Numbered) -> Plan:
    """The same, for texts of any length."""
    needs = [(number, seeker, factors(seeker)) for number, seeker in seekers]
    costly = [need.cost for _, _, need in needs if need is not None and need.cost > COSTLY]
    most = ENGINE if sum(costly) <= ENGINE and all(need is not None for _, _, need in needs) else COSTLY
    needs = [(n, seeker, need if need and need.cost <= most else None) for n, seeker, need in needs]
    sifted = [(number, seeker, need) for number, seeker, need in needs if need is not None]
    rest = [(number, seeker) for number, seeker, need in needs if need is None]
    if not rest and sum(len(need.strings) for _, _, need in sifted) <= PLAIN:
        return by_sieve(sifted, together, ())
    return quickest(ways(seekers, sifted, rest), [number for number, _ in seekers])


def ways(
    seekers: Numbered, sifted: Sequence[tuple[int, Seeker, Needed]], rest: Numbered
) -> Iterable[Callable[[], Plan]]:
    """What may be fastest."""
    for engine in (together, in_fast_pass):
        yield partial(by_engine, engine, seekers)
        if sifted and (rest or engine is together):
            yield partial(by_sieve, sifted, engine, rest)
    texts = [each for each in sifted if all(has_hash(s, window(s, HASHED)[1]) for s in each[2].strings)]
    if 0 < len(texts) < len(sifted):
        others = {number for number, _, _ in texts}
        yield partial(by_sieve, texts, together, [each for each in seekers if each[0] not in others])


def by_engine(engine: Callable[[Numbered], Find], seekers: Numbered) -> Plan:
    """Everything by an engine."""
    find = engine(seekers)
    return Plan(None, (), lambda data, seen: (), find, find)


def by_sieve(
    sifted: Sequence[tuple[int, Seeker, Needed]],
    engine: Callable[[Numbered], Find],
    rest: Numbered,
    kernel: int = -1,
) -> Plan:
    """By the sieve what it is good for, the rest by an engine."""
    strings: dict[String, list[int]] = {}
    for owner, (_, _, need) in enumerate(sifted):
        for string in need.strings:
            strings.setdefault(string, []).append(owner)
    final = [need.whole and not seeker.check for _, seeker, need in sifted]
    return Plan(
        sieve(strings, final, kernel),
        tuple(number for number, _, _ in sifted),
        Confirm(sifted),
        engine(rest) if rest else None,
        Later(lambda: together([(number, seeker) for number, seeker, _ in sifted])),
    )


def factors(seeker: Seeker) -> Needed | None:
    """What the sieve can look for; None if that would cost more than it saves."""
    tree = read(seeker.source)
    need = None if tree is None else needed(tree)
    if need is None or need.cost > ENGINE:
        return None
    return need if need.whole or len(need.strings) <= MANY else None


def quickest(made: Iterable[Callable[[], Plan]], numbers: Sequence[int]) -> Plan:
    """The way that takes least time for the sample; those that cannot be gone raise ValueError."""
    plans = []
    for make in made:
        try:
            plans.append(make())
        except ValueError:
            continue
    return min(plans, key=lambda one: taken(one, numbers)) if len(plans) > 1 else plans[0]


def taken(one: Plan, numbers: Iterable[int]) -> float:
    """Nanoseconds that a plan takes for short and long texts, for each byte of them."""
    scan = Scanner(numbers, False, lambda: one).occurring
    whole = sample()
    time = 0.0
    for size in TRIED:
        texts = [whole[at : at + size].decode("utf-8", "ignore") for at in range(0, len(whole) - size, size)]
        time += min(passes(scan, texts)) / (size * len(texts))
    return time


def passes(scan: Callable[[str], object], texts: Sequence[str]) -> Iterable[int]:
    """Nanoseconds of each of some passes over the texts; the first one warms up."""
    for _ in range(ROUNDS + 1):
        begun = perf_counter_ns()
        for text in texts:
            scan(text)
        spent = perf_counter_ns() - begun
        yield spent
        if spent > SLOW:
            return


class Later:
    """A search that is made when it is first needed."""

    def __init__(self, make: Callable[[], Find]) -> None:
        self.make = make
        self.made: Find | None = None

    def __call__(self, data: Any) -> Sequence[int] | None:
        if self.made is None:
            self.made = self.make()
        return self.made(data)


class Confirm:
    """Asks RE2 for the patterns whose factors were seen, near where they were."""

    def __init__(self, sifted: Sequence[tuple[int, Seeker, Needed]]) -> None:
        self.sifted = sifted
        self.light = [owner for owner, (_, seeker, _) in enumerate(sifted) if not seeker.weight]
        self.together = Later(lambda: Together([sifted[owner][1].source for owner in self.light]))

    def __call__(self, data: Any, seen: Seen) -> Sequence[int]:
        if len(seen) > 1:
            seen = self.likely(data, seen)
        return [self.sifted[owner][0] for owner, first, last in seen if self.near(data, owner, first, last)]

    def likely(self, data: Any, seen: Seen) -> Seen:
        """Those that one pass over all places where factors were seen does not rule out, if that pays."""
        places = [self.place(len(data), *each) for each in seen]
        start, end = min(place[0] for place in places), max(place[1] for place in places)
        if sum(CALL + ALONE * (b - a) for a, b in places) < 2 * (CALL + TOGETHER * (end - start)):
            return seen
        found = self.together(data[start:end])
        if found is None:
            return seen
        ruled_out = set(self.light) - {self.light[index] for index in found}
        return [each for each in seen if each[0] not in ruled_out]

    def place(self, size: int, owner: int, first: int, last: int) -> tuple[int, int]:
        """The bytes that hold every match, and a character on either side."""
        longest = self.sifted[owner][2].longest
        if longest is None or longest > FAR:
            return 0, size
        return max(0, first - longest - 4), min(size, last + longest + 4)

    def near(self, data: Any, owner: int, first: int, last: int) -> bool:
        return self.sifted[owner][1].occurs(data, *self.place(len(data), owner, first, last))
