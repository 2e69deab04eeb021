"""What it costs to seek many patterns in one text, beside one pass of RE2 and of Hyperscan.

The 55 patterns of the 6 text rules on the workload's texts; then 3 to 300 patterns in practical use on
texts cut from real traces.  Patterns and traces are those of `../shared/data`.  Hits are compared with
the RE2 set's before anything is timed; Hyperscan is given the patterns that it takes, without the others.

    python -m benchmarks --only text
"""

from __future__ import annotations

import gzip
import importlib
import json
import os
import random
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import bench_length
import calls
import engines
import rules
from measure import Cost, Row, Side, agree, at_most, detail, faster, options, parse, race, report

from pactlang.ir import Pattern
from pactlang.matchers import fast, scanner
from pactlang.program import Atom, Group

SHARED = Path(os.environ.get("PACT_SHARED") or Path(__file__).parent.parent.parent / "shared") / "data"
COUNTS, SIZES = (3, 30, 80, 300), (500, 3000, 30_000)
BYTES = 3_000_000  # of all texts of one size
SLOW = 20  # times fewer of them for the most patterns: as one RE2 set these take 10 us per character


def ours(sources: Sequence[str], extra: bool) -> Side:
    """The scanner that an evaluator uses, with Hyperscan where it pays or without."""
    available = fast.available
    if not extra:
        fast.available = lambda: None
    made = [Pattern("", source) for source in sources]
    atoms = [Atom("pattern", n) for n in range(len(made))]
    scan = scanner(Group(0, tuple(range(len(made)))), atoms, made, ()).occurring
    scan("")
    fast.available = available
    return Side("pactlang" if extra else "without `fast`", scan, number_of)


def number_of(found: Sequence[int] | None) -> int:
    """One number for what was found."""
    return sum(found) + 1000 * len(found) if found else 0


def re2_set(sources: Sequence[str]) -> Side:
    engine = importlib.import_module("re2")
    settings = engine.Options()
    settings.max_mem = 64 << 20
    patterns = engine.Set.SearchSet(settings)
    for source in sources:
        patterns.Add(source)
    patterns.Compile()
    return Side(f"RE2 set of {len(sources)}", lambda text: patterns.Match(text.encode()), number_of)


def hyperscan(sources: Sequence[str]) -> Side | None:
    """One database of the patterns that it takes."""
    try:
        engine = importlib.import_module("hyperscan")
    except ImportError:
        return None
    flags = engine.HS_FLAG_UTF8 | engine.HS_FLAG_SINGLEMATCH | engine.HS_FLAG_ALLOWEMPTY
    database = compiled(engine, [source for source in sources if taken(source, flags)], flags)

    def check(text: str) -> int:
        found: list[int] = []
        database.scan(text.encode(), match_event_handler=lambda number, *_: found.append(number))
        return 0

    return Side("Hyperscan", check, None, lambda wanted: 0)


@cache
def taken(source: str, flags: int) -> bool:
    """Whether Hyperscan takes a pattern."""
    return compiled(importlib.import_module("hyperscan"), [source], flags) is not None


def compiled(engine: Any, sources: Sequence[str], flags: int) -> Any:
    database, numbers = engine.Database(), list(range(len(sources)))
    try:
        written = [source.encode() for source in sources]
        settings = [flags] * len(numbers)
        database.compile(expressions=written, ids=numbers, elements=len(numbers), flags=settings)
    except Exception:
        return None
    return database


def patterns() -> list[str]:
    """Patterns in practical use that RE2 takes, and the phrases of the workload."""
    rows = [json.loads(line) for line in (SHARED / "patterns/patterns.jsonl").open(encoding="utf-8")]
    flags = ["".join(flag for flag in row["flags"] if flag in "ims") for row in rows]
    sources = [(f"(?{flag})" if flag else "") + row["regex"] for flag, row in zip(flags, rows, strict=True)]
    known = [source for source, row in zip(sources, rows, strict=True) if row["re2_ok"]]
    shuffled = random.Random(0).sample(known, len(known))
    return list(dict.fromkeys([*shuffled, *map(engines.literal, calls.PHRASES), *more()]))


def more() -> Iterator[str]:
    """Enough to make 300."""
    yield from (rules.CARD.pattern, rules.EMAIL.pattern, rules.SSN.pattern)
    yield from (rf"\btoken{n}-[0-9a-f]{{16}}\b" for n in range(40))


def trace_text() -> str:
    """Every distinct text of the traces, in a mixed order."""
    found: dict[str, None] = {}
    for path in sorted((SHARED / "traces").glob("*/*calls.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                found.update(dict.fromkeys(strings(json.loads(line))))
    texts = list(found)
    random.Random(1).shuffle(texts)
    return "\n".join(texts)


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value:
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings(part)


def cut(text: str, size: int, records: int) -> list[str]:
    """Distinct texts of so many characters."""
    count = max(20, min(records, BYTES // size, len(text) // size))
    return [text[n * size : (n + 1) * size] for n in range(count)]


def of_the_rules(records: int, rounds: int) -> Row:
    """The 6 text rules: an RE2 set knows 55 patterns, pactlang is given the phrases as one."""
    texts = [record["output"] for record in calls.records(records)]
    sources = [pattern for pattern, _ in bench_length.PATTERNS]
    sides = [ours(sources, True), ours(sources, False), re2_set(sources)]
    costs = compared(sides, texts, rounds)
    best = costs["RE2 set of 55"] / costs["pactlang"]
    return faster("6 text rules, 55 patterns, against an RE2 set of them", 2.2, best, detail(costs), True)


def compared(sides: list[Side], texts: Sequence[str], rounds: int) -> dict[str, Cost]:
    """The last side but Hyperscan is the reference."""
    judge = next(side for side in sides if side.name.startswith("RE2"))
    wanted = list(judge.answers(texts))
    agree(sides, texts, wanted)
    return race(sides, texts, wanted, rounds)


def at_points(sources: Sequence[str], text: str, records: int, rounds: int) -> Iterator[Row]:
    for count in COUNTS:
        some = sources[:count]
        sides = [ours(some, True), ours(some, False), re2_set(some), hyperscan(some)]
        if count == COUNTS[-1]:
            sides.append(re2_set(sources[:30])._replace(read=lambda found: 0, says=lambda wanted: 0))
        most = records // SLOW if count == COUNTS[-1] else records
        for size in SIZES:
            texts = cut(text, size, most)
            costs = compared([side for side in sides if side is not None], texts, rounds)
            peers = [costs[name] for name in (f"RE2 set of {count}", "Hyperscan") if name in costs]
            least = min(peers, key=lambda cost: cost.least)
            figure = f"{count} patterns, {size:,} characters, against {least.name.split(' of')[0]}"
            yield at_most(figure, 1.15, costs["pactlang"] / least, f"{len(texts):,} texts; {detail(costs)}")
            if count == COUNTS[-1] and size == 3000:
                ratio = costs["pactlang"] / costs["RE2 set of 30"]
                figure = "300 patterns, 3,000 characters, against an RE2 set of 30"
                yield at_most(figure, 1.6, ratio, "same run", True)


def main() -> None:
    chosen = parse(options(__doc__, rounds=5))
    rows = [of_the_rules(chosen.records, chosen.rounds)]
    if SHARED.is_dir():
        rows += at_points(patterns(), trace_text(), chosen.records, chosen.rounds)
    report("text", rows, chosen, ["google-re2", "hyperscan"])


if __name__ == "__main__":
    main()
