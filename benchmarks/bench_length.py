"""How the cost of a text grows with its length: the 6 text rules of the reference, 55 patterns.

pactlang on a record of one text, against the engines on the text itself: Python one by one, RE2 one by
one and as a set, Hyperscan.  No text occurs twice.

    python -m benchmarks --only length
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import calls
import engines
import msgspec
import rules
from growth import draw, grown, panel, table
from measure import Cost, Side, agree, installed, options, parse, race, report
from verdicts import mask, no_bit, ok

import pactlang

HERE = Path(__file__).parent
LENGTHS = (128, 512, 2048, 8192, 32768, 131072)
BUDGET = 4_000_000  # characters of all texts of one length
BLOCK = 400_000  # characters of a block: twice that is less than a second-level cache


class Said(msgspec.Struct):
    output: str


# What is sought, rule by rule, as RE2 writes it.
RULES = (
    (rules.DISCLAIMER,),
    (rules.CARD.pattern,),
    (rules.EMAIL.pattern,),
    (rules.SSN.pattern,),
    tuple(engines.literal(phrase) for phrase in calls.PHRASES),
    ("^" + engines.literal(rules.APOLOGY),),
)
PATTERNS = [(pattern, rule) for rule, patterns in enumerate(RULES) for pattern in patterns]
BITS = [1 << rule for _, rule in PATTERNS]


def wanted_of(said: Said) -> int:
    return rules.check_text(said) >> rules.NUMBER_RULES  # type: ignore[arg-type]  # it reads `output` alone


def texts(part: Sequence[Said]) -> list[str]:
    return [said.output for said in part]


def ours() -> Side:
    whole = (HERE / "reference.pact").read_text("utf-8")
    pact = f'pact said "1.0.0" on Said\nrecord Said {{ output: string }}\n{whole[whole.index("// Text:") :]}'
    return Side("pactlang", pactlang.Evaluator(pactlang.compile(pact)).check, ok, no_bit)


def python() -> Side:
    return Side("Python re and in", wanted_of)


def re2_each() -> Side:
    """Every pattern compiled alone; a rule that is broken needs no more of its patterns."""
    engine = importlib.import_module("re2")
    compiled = [[engine.compile(pattern).search for pattern in patterns] for patterns in RULES]

    def check(text: str) -> int:
        data = text.encode()
        return engines.bits([n for n, each in enumerate(compiled) if any(search(data) for search in each)])

    return Side("RE2, one by one", check, made=texts, every=10)


def together(found: Sequence[int] | None) -> int:
    """The mask of the rules whose patterns these are; a set says None where it has found none."""
    mask = 0
    for number in found or ():
        mask |= BITS[number]
    return mask


def re2_set() -> Side:
    engine = importlib.import_module("re2")
    patterns = engine.Set.SearchSet()
    for pattern, _ in PATTERNS:
        patterns.Add(pattern)
    patterns.Compile()
    return Side("RE2 set", lambda text: patterns.Match(text.encode()), together, made=texts)


def hyperscan() -> Side:
    """One database; every match of a pattern is told once."""
    engine = importlib.import_module("hyperscan")
    flags = engine.HS_FLAG_UTF8 | engine.HS_FLAG_SINGLEMATCH
    sources = [pattern.encode() for pattern, _ in PATTERNS]
    database = engine.Database()
    numbers = list(range(len(sources)))
    database.compile(expressions=sources, ids=numbers, elements=len(sources), flags=[flags] * len(sources))

    def check(text: str) -> int:
        found: list[int] = []
        database.scan(text.encode(), match_event_handler=lambda number, *_: found.append(number))
        return together(found)

    return Side("Hyperscan", check, made=texts)


PEERS = {"google-re2": (re2_each, re2_set), "hyperscan": (hyperscan,)}


def texts_of(length: int, count: int) -> list[Said]:
    """Texts of so many characters, joined from outputs that break no rule; one in ten ends breaking one.

    So every side has to read to the end: a long text of the workload would break all rules early on.
    """
    clean, broken = endless(False), endless(True)
    left, found = "", []
    for number in range(count):
        parts, size = [left], len(left)
        while size < length:
            parts.append(next(clean))
            size += len(parts[-1])
        text = "".join(parts)
        left = text[length:]
        end = next(broken)[:length] if number % 10 == 0 else ""
        found.append(Said(text[: length - len(end)] + end))
    return found


def endless(breaks: bool) -> Iterator[str]:
    """The outputs of the workload that break a text rule, or those that do not."""
    for record in calls.records(10_000_000):
        text = record["output"] + "\n"
        if bool(wanted_of(Said(text))) == breaks:
            yield text


def by_length(rounds: int, peers: Sequence[str], budget: int) -> Callable[[int], dict[str, Cost]]:
    def run(length: int) -> dict[str, Cost]:
        said = texts_of(length, min(5000, max(10, budget // length)))
        wanted = [wanted_of(each) for each in said]
        own = ours()
        sides = [own, python(), *(make() for peer in peers for make in PEERS[peer])]
        agree([own._replace(read=mask, says=int), *sides], said, wanted)
        return race(sides, said, wanted, rounds, block=max(10, BLOCK // length))

    return run


def main() -> None:
    chosen = parse(options(__doc__, rounds=5))
    found, _ = installed(list(PEERS))
    lengths: Any = (128, 2048) if chosen.quick else LENGTHS
    budget = 20_000 if chosen.quick else BUDGET
    costs = grown(lengths, by_length(chosen.rounds, found, budget))
    rows, columns = table(costs)
    note = "Microseconds per text of so many characters; 5,000 texts or 4 million characters each."
    report("length", rows, chosen, list(PEERS), note, columns)
    if chosen.write:
        title, x = "Cost of a text against its length", "length of the text, characters"
        draw("length", title, x, "microseconds per text", [panel("6 rules, 55 patterns", costs)])


if __name__ == "__main__":
    main()
