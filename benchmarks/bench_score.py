"""What it costs to add a verdict to a score, to merge two states, and how large they are.

    python -m benchmarks --only score

The peer keeps the same sums in Python's whole numbers, by the definition, so both come to the same state of
every dimension.  The pact has 12 dimensions and 50 clauses, a fifth of which are skipped on a call and one in
twenty broken; the calls are spread over 12 half-lives, or over 40.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from measure import Row, Side, agree, detail, faster, options, parse, race, report, short

import pactlang
from pactlang import Outcome, Scorer
from pactlang._runtime import SCORE_TABLE
from pactlang.score.evidence import PG, PW
from pactlang.score.plan import LANDMARK

DIMENSIONS, CLAUSES = 12, 50
HALF_LIFE = 86_400 * 10**6  # microseconds
START = datetime(2026, 1, 1, tzinfo=UTC)
MICROSECONDS = 1000  # nanoseconds


def pact() -> pactlang.Program:
    severities = ("info", "minor", "major")
    clauses = "\n".join(
        f"clause c{i} {{ dimension d{i % DIMENSIONS} severity {severities[i % 3]}"
        f" when c[{i}] != 2 require c[{i}] == 0 }}"
        for i in range(CLAUSES)
    )
    weights = ", ".join(f"d{i} {i + 1}" for i in range(DIMENSIONS))
    return pactlang.compile(
        f'pact p "1.0.0" on R\nrecord R {{ time: timestamp\nc: list(int) }}\n{clauses}\n'
        f"score {{ half_life 1d weights {{ {weights} }} }}"
    )


def verdicts(program: pactlang.Program, count: int, half_lives: int) -> list[Any]:
    draw, monitor = random.Random(1), pactlang.Monitor(program)
    step = timedelta(microseconds=HALF_LIFE * half_lives // count)
    kinds = [0] * 15 + [1] + [2] * 4
    return [
        monitor.feed({"time": (START + i * step).isoformat(), "c": draw.choices(kinds, k=CLAUSES)})
        for i in range(count)
    ]


class Plain:
    """The peer: the sums of point observations per dimension and epoch."""

    def __init__(self, scorer: Scorer) -> None:
        plan = scorer.plan
        self.members = [
            [i for i, of in enumerate(plan.dimension_of) if of == d] for d in range(len(plan.dimensions))
        ]
        self.severities = plan.severities
        self.sums: dict[tuple[int, int], list[int]] = {}
        self.seen: set[int] = set()

    def add(self, verdict: Any, number: int) -> int:
        self.seen.add(number)
        epoch, at = divmod((verdict.time - LANDMARK) * 256 // HALF_LIFE, 256)
        weight = SCORE_TABLE[at]
        outcomes = [verdict.outcome(i) for i in range(CLAUSES)]
        for dimension, members in enumerate(self.members):
            lost = known = 0
            for i in members:
                if outcomes[i] <= Outcome.VIOLATED:
                    known = 1
                    lost += self.severities[i] * (outcomes[i] == Outcome.VIOLATED)
            if known:
                g = 1000 - min(1000, lost)
                s = self.sums.setdefault((epoch, dimension), [0, 0, 0, 0, 0])
                w2 = weight * weight
                s[0] += weight
                s[1] += weight * g
                s[2] += w2
                s[3] += w2 * g
                s[4] += w2 * g * g
        return number


def same(scorer: Scorer, plain: Plain) -> None:
    """End the run unless both have the same sums."""
    for epoch, row in scorer.tally.epochs().items():
        for dimension, sums in enumerate(row[3]):
            mine = plain.sums.get((epoch, dimension), [0] * 5)
            if [sums[PW], sums[PG]] != mine[:2]:
                raise SystemExit(f"epoch {epoch}, dimension {dimension}: {sums} and {mine}")


def adding(program: pactlang.Program, found: Sequence[Any], chosen: Any) -> list[Row]:
    """Adding verdicts, beside the peer."""
    scorer, plain = Scorer(program, "w"), Plain(Scorer(program))
    for number, verdict in enumerate(found):
        scorer.add(verdict, number)
        plain.add(verdict, number)
    same(scorer, plain)
    inputs = list(enumerate(found))
    numbers = [number for number, _ in inputs]
    sides = [
        Side("pactlang", lambda part: added(Scorer(program, "w"), part), made=lambda part: [part],
             says=lambda wanted: wanted),
        Side("Python", lambda part: added(Plain(scorer), part), made=lambda part: [part], every=1),
    ]  # fmt: skip
    agree(sides, inputs, numbers)
    costs = race(sides, inputs, numbers, chosen.rounds)
    each = costs["pactlang"].least / CLAUSES
    return [
        faster("a verdict of 50 clauses added, against the same sums in Python", 20,
               costs["Python"] / costs["pactlang"], detail(costs, "ns per verdict"), True),
        Row("the same per clause", "<= 50 ns", f"{short(each)} ns", detail(costs, "ns per clause", CLAUSES),
            each <= 50, True),
    ]  # fmt: skip


def added(to: Any, part: Sequence[tuple[int, Any]]) -> int:
    total = 0
    for number, verdict in part:
        to.add(verdict, number)
        total += number
    return total


def states(program: pactlang.Program, chosen: Any) -> list[Row]:
    """Merging, and the size of states."""
    rows = []
    for half_lives, limit in ((12, 32), (40, 128)):
        halves = [Scorer(program, name) for name in ("a", "b")]
        for number, verdict in enumerate(verdicts(program, chosen.records, half_lives)):
            halves[number % 2].add(verdict, number // 2)
        data, other = halves[0].to_bytes(), halves[1]
        whole = Scorer.from_bytes(program, data).merge(other)
        size = len(whole.to_bytes())
        how = f"{DIMENSIONS} dimensions, {CLAUSES} clauses, {len(whole.tally.epochs())} epochs"
        rows.append(
            Row(f"bytes of a state over {half_lives} half-lives", f"< {limit} KB", f"{size / 1024:.1f} KB",
                how, size < limit * 1024, half_lives == 12)
        )  # fmt: skip
        spent = min(merged(Scorer.from_bytes(program, data), other) for _ in range(200))
        rows.append(
            Row(f"two states of {half_lives} half-lives merged", "< 50 us", f"{spent / MICROSECONDS:.1f} us",
                "the least of 200", spent < 50 * MICROSECONDS, half_lives == 40)
        )  # fmt: skip
        asked = min(scored(whole) for _ in range(5))
        rows.append(Row(f"its score asked for ({half_lives} half-lives)", "", f"{asked / 1e6:.1f} ms",
                        "the least of 5", True))  # fmt: skip
    return rows


def merged(one: Scorer, other: Scorer) -> int:
    before = time.process_time_ns()
    one.merge(other)
    return time.process_time_ns() - before


def scored(scorer: Scorer) -> int:
    before = time.process_time_ns()
    scorer.score()
    return time.process_time_ns() - before


def main() -> None:
    chosen = parse(options(__doc__))
    program = pact()
    found = verdicts(program, chosen.records, 12)
    report("score", [*adding(program, found, chosen), *states(program, chosen)], chosen)


if __name__ == "__main__":
    main()
