"""What the machine takes on a record that is decoded already: 14 rules without text.

    python -m benchmarks --only machine

Both peers are written by hand for these rules and this record type.  Every side makes a verdict object that
keeps the record, and what the verdict says is read within the clock.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import calls
import engines
import peer
import rules
from measure import Row, Side, agree, at_most, detail, faster, options, parse, race, report
from verdicts import mask, no_bit, ok

import pactlang

REFERENCE = Path(__file__).with_name("reference.pact").read_text("utf-8")
NUMBERS = REFERENCE[: REFERENCE.index("// Text:")]
read_mask = operator.attrgetter("mask")


def by_hand(records: list[Any], rounds: int) -> list[Row]:
    """The 14 rules against the same by hand, in Cython and in Python."""
    cython = peer.build()
    cython.prepare(rules.Call, rules.ToolCall)
    check = pactlang.Evaluator(pactlang.compile(NUMBERS, name="numbers.pact")).check
    wanted = [rules.check_numbers(record) for record in records]
    agree([Side("pactlang", check, mask)], records, wanted)
    sides = [
        Side("pactlang", check, ok, no_bit),
        Side("Cython", cython.verdict, read_mask),
        Side("Python", rules.verdict_numbers, read_mask),
    ]
    agree(sides, records, wanted)
    costs = race(sides, records, wanted, rounds)
    ours, how = costs["pactlang"], detail(costs)
    what = "14 rules, decoded record, a verdict on both sides, against hand-written"
    return [
        at_most(f"{what} Cython", 1.5, ours / costs["Cython"], how, True),
        faster(f"{what} Python", 3, costs["Python"] / ours, how, True),
    ]


def many(count: int) -> Callable[[Any], pactlang.Verdict]:
    """A pact of clauses of which no two are the same, all kept."""
    clauses = "\n".join(f"clause c{n} {{ require latency_ms <= {90_000 + n}.5 }}" for n in range(count))
    return pactlang.Evaluator(
        pactlang.compile(f'pact many "1.0.0" on R\nrecord R {{ latency_ms: double }}\n{clauses}')
    ).check


def blocks(check: Callable[[Any], pactlang.Verdict], record: Any) -> int:
    """Blocks that Python's allocator has given out while one verdict on a call lives, beyond those before."""
    kept = [check(record) for _ in range(100)]
    before = sys.getallocatedblocks()
    kept[0] = check(record)
    kept.append(check(record))
    return sys.getallocatedblocks() - before


def allocated(record: Any) -> Row:
    """What a call that keeps its pact allocates, under 20 and under 200 clauses."""
    few, more = blocks(many(20), record), blocks(many(200), record)
    how = "sys.getallocatedblocks, of a verdict that lives"
    said = f"{few} and {more}"
    return Row(
        "allocated blocks on a call that keeps its pact, 20 and 200 clauses", "equal", said, how, few == more
    )


def main() -> None:
    chosen = parse(options(__doc__))
    records = [engines.as_struct(line) for line in calls.lines(chosen.records)]
    rows = [*by_hand(records, chosen.rounds), allocated(records[0])]
    report("machine", rows, chosen, ["msgspec", "Cython"])


if __name__ == "__main__":
    main()
