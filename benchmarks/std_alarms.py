"""How often the patterns of `std/` are found in the texts of real runs of agents, and what they find there.

    python benchmarks/std_alarms.py [--show PATTERN] [FILE.jsonl.gz ...]

In: records of calls; without files those of ../shared/data/traces.  Every string in a record is a text,
names of models and numbers of calls too; each is counted once, however often it occurs.  Out: per pattern in
how many texts it is found and how many different strings it finds; with `--show` (or `--show all`) these
strings, each with what stands around it.  What of it is real is said by a person: `pactlang/std/README.md`.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pactlang.build import linked
from pactlang.link import std_data, std_names
from pactlang.source import Source
from pactlang.syntax import PatternDecl
from pactlang.text import compile_re2, find

TRACES = Path(__file__).resolve().parent.parent.parent / "shared/data/traces"
AROUND = 40  # characters that are shown on either side


def patterns() -> dict[str, PatternDecl]:
    """All patterns of `std/`, by file and name."""
    found = {}
    for name in std_names():
        pact = linked(Source(name, (std_data(name) or b"").decode())).pact
        own = (item for item in pact.items if isinstance(item, PatternDecl)) if pact else ()
        found |= {item.name.name: item for item in own}
    return found


def strings(value: Any) -> Iterator[str]:
    """Every string inside a value of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings(part)


def texts(paths: Iterable[Path]) -> dict[str, str]:
    """The different texts of all records, and the folder that each is first found in."""
    found: dict[str, str] = {}
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                for text in strings(json.loads(line)):
                    found.setdefault(text, path.parent.name)
    return found


class Hits(NamedTuple):
    """In how many texts a pattern is found, and what: string -> what stands around it, once per place."""

    texts: int
    found: dict[str, list[str]]


def hits(pattern: PatternDecl, among: dict[str, str]) -> Hits:
    """Everything that a pattern finds: what is found is blanked, and the text searched again."""
    compiled, check = compile_re2(pattern.pattern.value), pattern.check.name if pattern.check else ""
    found, count = defaultdict(list), 0
    for text, folder in among.items():
        span = find(compiled, text, check)
        count += span is not None
        rest = text
        while span is not None:
            start, end = span
            around = text[max(0, start - AROUND) : end + AROUND]
            found[text[start:end]].append(f"{folder}: {around!r}")
            rest = rest[:start] + " " * (end - start) + rest[end:]
            span = find(compiled, rest, check)
    return Hits(count, found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--show", metavar="PATTERN", action="append", default=[])
    options = parser.parse_args()
    among = texts(options.files or sorted(TRACES.rglob("*calls.jsonl.gz")))
    print(f"{len(among):,} texts, {sum(map(len, among)):,} characters")
    for name, pattern in patterns().items():
        count, found = hits(pattern, among)
        share = 100 * count / max(1, len(among))
        print(f"{name:22} {count:7,} texts {share:7.3f} %  {len(found):6,} different")
        for string, places in found.items() if name in options.show or "all" in options.show else ():
            print(f"    {len(places):5,} {string[:80]!r}  {places[0]}")


if __name__ == "__main__":
    main()
