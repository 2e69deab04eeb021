"""What patterns and texts that are made to hurt take: time by byte at 5 MB and at 50 MB.

    python -m benchmarks --only hostile

A set that may take too long for a byte has a budget of characters: beyond it its clauses are unknown, and the
text is not looked through.  So a row with `unknown` says what that answer takes.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import NamedTuple

import msgspec
from measure import frozen, options, parse, report

import pactlang

MILLION = 1_000_000
PATTERNS = {
    "`(a+)+$`": ["(a+)+$"],
    "`(.*a){25}`": ["(.*a){25}"],
    "100 times `x.{n}y`": [f"x.{{{n}}}y" for n in range(1, 101)],
    "`\\b` everywhere": [rf"\b{word}\b" for word in ("a", "ab", "foo", "word")] + [r"\b\w+\b\W\b"],
}
TEXTS: dict[str, Callable[[int], str]] = {
    "`a` repeated": lambda size: "a" * size,
    "`x` repeated": lambda size: "x" * size,
    "words": lambda size: ("The xylophone, a word; foo bar 12. " * (size // 35 + 1))[:size],
}


class Call(msgspec.Struct):
    output: str


class Cost(NamedTuple):
    """ns_5, ns_50: nanoseconds by byte; peak: MB that the process held at most until then, with the text."""

    patterns: str
    text: str
    ns_5: str
    ns_50: str
    said: str
    peak: str


def evaluator(patterns: list[str]) -> pactlang.Evaluator:
    never = 'clause c{} {{ never output.matches(r"{}") }}'
    clauses = "\n".join(never.format(n, pattern) for n, pattern in enumerate(patterns))
    return pactlang.Evaluator(pactlang.compile(f'pact hostile "1.0.0"\n{clauses}'))


def by_byte(check: Callable[[Call], pactlang.Verdict], text: str, rounds: int) -> float:
    """Nanoseconds, the least of the rounds."""
    spent = []
    with frozen():
        for _ in range(rounds):
            call, before = Call(text), time.process_time_ns()
            check(call)
            spent.append(time.process_time_ns() - before)
    return min(spent) / len(text)


def row(patterns: str, text: str, rounds: int, size: int) -> Cost:
    check = evaluator(PATTERNS[patterns]).check
    check(Call(TEXTS[text](1000)))
    large = TEXTS[text](10 * size)
    few, many = by_byte(check, large[:size], rounds), by_byte(check, large, rounds)
    said = {outcome.name.lower() for outcome in check(Call(large)).outcomes.values()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return Cost(patterns, text, f"{few:.3f}", f"{many:.3f}", ", ".join(sorted(said)), f"{peak}")


def main() -> None:
    chosen = parse(options(__doc__))
    size = 50_000 if chosen.quick else 5 * MILLION
    rows = [row(patterns, text, min(chosen.rounds, 5), size) for patterns in PATTERNS for text in TEXTS]
    report("hostile", rows, chosen, columns=Cost._fields)


if __name__ == "__main__":
    main()
