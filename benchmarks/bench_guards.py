"""Many clauses, few of which a call concerns: each waits for one of many agents, about 20 for each.

    python -m benchmarks --only guards

Records name an agent each, evenly.  The reference is the same rules in plain Python.
"""

from __future__ import annotations

from typing import Any

import calls
import engines
import msgspec
from growth import draw, grown, panel
from measure import Cost, Side, agree, at_most, detail, options, parse, race, report
from verdicts import mask, no_bit, ok

import pactlang

COUNTS = (20, 60, 200, 600, 2000)
SELECTED = 20
FIELDS = (("latency_ms", 2000.0), ("cost_usd", 0.05), ("input_tokens", 5900), ("retries", 2))


def rule(number: int) -> tuple[str, float]:
    """The field and the limit of a clause."""
    field, limit = FIELDS[number % len(FIELDS)]
    return field, limit + number if isinstance(limit, int) else round(limit * (1 + number / 1000), 6)


def pact(count: int) -> str:
    agents = max(1, count // SELECTED)
    clauses = "\n".join(
        f'clause c{n} {{ when agent == "agent-{n % agents}" require {rule(n)[0]} <= {rule(n)[1]} }}'
        for n in range(count)
    )
    return (
        'pact many "1.0.0" on R\nrecord R { agent: string latency_ms: double cost_usd: double '
        f"input_tokens: int retries: int }}\n{clauses}\n"
    )


def broken(record: Any, count: int) -> int:
    """The mask of violated clauses, by the rules themselves."""
    agents = max(1, count // SELECTED)
    own = range(int(record.agent.removeprefix("agent-")), count, agents)
    return sum(1 << n for n in own if not getattr(record, rule(n)[0]) <= rule(n)[1])


def of_agents(records: list[Any], count: int) -> list[Any]:
    agents = max(1, count // SELECTED)
    return [msgspec.structs.replace(each, agent=f"agent-{i % agents}") for i, each in enumerate(records)]


def guarded(records: list[Any], count: int, rounds: int) -> dict[str, Cost]:
    """The cost of a call under so many clauses, with and without the fast form and its index."""
    mine = of_agents(records, count)
    program = pactlang.compile(pact(count))
    fast, generic = pactlang.Evaluator(program), pactlang.Evaluator(program)
    generic.generic = True
    wanted = [broken(each, count) for each in mine]
    few = max(1, count // 100)
    checks = {"pactlang": fast.check, "no index": generic.check}
    agree([Side(name, check, mask, every=few) for name, check in checks.items()], mine, wanted)
    sides = [Side(name, check, ok, no_bit) for name, check in checks.items()]
    return race(sides, mine, wanted, rounds)


def main() -> None:
    chosen = parse(options(__doc__, rounds=5))
    counts = (20, 200) if chosen.quick else COUNTS
    records = [engines.as_struct(line) for line in calls.lines(chosen.records)]
    costs = grown(counts, lambda count: guarded(records, count, chosen.rounds))
    first, last = counts[0], counts[-1]
    ours = costs["pactlang"]
    how = "; ".join(
        f"{count:,} clauses: {detail({name: each[count] for name, each in costs.items()})}"
        for count in counts
    )
    figure = f"{first} to {last:,} clauses, each guarded by an equality that selects about {SELECTED}: growth"
    row = at_most(figure, 2, ours[last] / ours[first], how, True)
    report("guards", [row], chosen, ["msgspec"])
    if chosen.write:
        title, y = "Clauses that wait for one of many agents", "microseconds per call"
        panels = [panel(f"a call concerns {SELECTED} of them", costs)]
        draw("guards", title, "number of clauses", y, panels)


if __name__ == "__main__":
    main()
