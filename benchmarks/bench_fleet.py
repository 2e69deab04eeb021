"""What a call costs where many pacts are resident and one applies, in time and in memory.

Each tenant has the 20 rules of rules.py as its own pact, `applies when agent == "..."`.  A fleet of each
size is built in a process of its own; all verdicts are those of the pact alone before anything is timed.

    python benchmarks/bench_fleet.py [--records 5000] [--rounds 7] [--write]
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import calls
import msgspec
import rules
from measure import Row, Side, agree, at_most, options, parse, race, report
from msgspec.structs import replace

import pactlang
from pactlang.program import Constant, Program

HERE = Path(__file__).parent
REFERENCE = (HERE / "reference.pact").read_text("utf-8")
SIZES = (1, 10, 100, 1_000, 10_000)
TARGET = 1_000  # the size that the targets are about
MOST_MEMORY = 200  # MB
MARK = "the-tenant"
PLOT = HERE / "plots" / "fleet.png"


def text_of(count: int) -> str:
    """The pact of a tenant, with the first 14 rules or all of them."""
    whole = REFERENCE if count == 20 else REFERENCE[: REFERENCE.index("// Text:")]
    about = f'applies when agent == "{MARK}"\n'
    whole = whole.replace("record BenchTool {", f"{about}record BenchTool {{", 1)
    return whole.replace("record BenchCall {", "record BenchCall {\n  agent: string?", 1)


def tenant(template: Program, number: int) -> Program:
    """The same pact for another tenant, as a platform loads it: from an artifact's bytes."""
    name = f"tenant-{number}"
    own = [Constant(each.kind, name) if each.value == MARK else each for each in template.core.constants]
    core = replace(template.core, name=f"tenant_{number}", constants=tuple(own))
    return pactlang.load(Program(core, template.annex_bytes).to_bytes())


# One size, in a process of its own ------------------------------------------------------------------


class Found(NamedTuple):
    """ns per call of the pact alone and of the fleet, the least over the rounds; memory of programs and
    fleet in MB, all in use; seconds to build the fleet."""

    alone: float
    fleet: float
    memory: float
    building: float


def memory() -> float:
    """The resident set in MB."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096 / 1e6


def measured(size: int, count: int, chosen: argparse.Namespace) -> dict[str, Found]:
    """The figures of a fleet of one size: of JSON and of decoded records."""
    template = pactlang.compile(text_of(count))
    pactlang.Evaluator([tenant(template, 0)])
    before = memory()
    programs = [tenant(template, number) for number in range(size)]
    started = time.process_time()
    fleet = pactlang.Fleet(programs)
    building = time.process_time() - started
    room = used(fleet) - before
    alone = pactlang.Evaluator(programs[size // 2])
    found = {}
    for name, check, inputs in ways(f"tenant-{size // 2}", chosen.records):
        one, many = getattr(alone, check), getattr(fleet, check)
        wanted = [number(one(each)) for each in inputs]
        sides = [Side("alone", one, number), Side("fleet", many, sole)]
        agree(sides, inputs, wanted)
        costs = race(sides, inputs, wanted, chosen.rounds)
        found[name] = Found(costs["alone"].least, costs["fleet"].least, room, building)
    return found


def used(fleet: pactlang.Fleet) -> float:
    """The resident set when every pact has judged a call."""
    record = next(iter(calls.records(1)))
    for at in range(len(fleet)):
        fleet.check_json(msgspec.json.encode({**record, "agent": f"tenant-{at}"}))
    return memory()


def ways(agent: str, records: int) -> Iterator[tuple[str, str, list[Any]]]:
    """The forms in which calls come: how it is called, what checks it, the calls."""
    lines = [msgspec.json.encode({**each, "agent": agent}) for each in calls.records(records)]
    yield "JSON", "check_json", lines
    yield "decoded", "check", [msgspec.json.decode(line, type=rules.Call) for line in lines]


def number(verdict: pactlang.Verdict) -> int:
    """1 if all is well, else 2."""
    return 1 if verdict.ok else 2


def sole(verdict: pactlang.FleetVerdict) -> int:
    """The same of a fleet's verdict."""
    return 1 if verdict.ok else 2


def outcomes_agree(count: int) -> None:
    """End the run if a fleet says anything else of a call than its pacts alone."""
    template = pactlang.compile(text_of(count))
    programs = [tenant(template, number) for number in range(50)]
    alone, fleet = [pactlang.Evaluator(program) for program in programs], pactlang.Fleet(programs)
    for at, record in enumerate(calls.records(500)):
        data = {**record, "agent": f"tenant-{at % 55}"}
        own = {e.program: e.check(data).outcomes for e in alone if not e.check(data).outside}
        for said in (fleet.check(data), fleet.check_json(msgspec.json.encode(data))):
            if {program: verdict.outcomes for program, verdict in said.verdicts.items()} != own:
                raise SystemExit(f"the fleet says {said} of {data}")


# All sizes ---------------------------------------------------------------------------------------------


def in_processes(sizes: Sequence[int], count: int, chosen: argparse.Namespace) -> dict[int, dict[str, Found]]:
    """The figures of every size."""
    found = {}
    for size in sizes:
        command = [sys.executable, __file__, "--size", str(size), "--rules", str(count)]
        command += ["--records", str(chosen.records), "--rounds", str(chosen.rounds)]
        said = json.loads(subprocess.check_output(command).splitlines()[-1])
        found[size] = {name: Found(*each) for name, each in said.items()}
    return found


def rows(found: dict[int, dict[str, Found]], count: int, sizes: Sequence[int]) -> list[Row]:
    """The rows of the table: per form the target, and what the other sizes cost."""
    target = TARGET if TARGET in found else sizes[-1]
    made = []
    for name in ("JSON", "decoded"):
        costs = {size: each[name] for size, each in found.items()}
        each = "; ".join(f"{size:,}: {c.fleet:,.0f} ({c.alone:,.0f})" for size, c in costs.items())
        ratio = found[target][name].fleet / found[target][name].alone
        figure = f"{target:,} pacts of {count} clauses, one applies, {name}, against that one alone"
        how = f"ns per call by size, alone in brackets: {each}"
        made.append(at_most(figure, 1.5, ratio, how, count == 20))
    return made


def memory_row(found: dict[int, dict[str, Found]], sizes: Sequence[int]) -> Row:
    target = TARGET if TARGET in found else sizes[-1]
    by_size = {size: each["JSON"] for size, each in found.items()}
    each = "; ".join(f"{n:,}: {f.memory:,.1f} MB, {f.building:,.2f} s" for n, f in by_size.items())
    size = found[target]["JSON"].memory
    figure = f"memory of {target:,} pacts of 20 clauses"
    how = f"resident set with the programs when each has judged a call, CPU time to build the fleet: {each}"
    return Row(figure, f"< {MOST_MEMORY} MB", f"{size:,.0f} MB", how, size < MOST_MEMORY, True)


def draw(found: dict[int, dict[int, dict[str, Found]]]) -> None:
    """Cost of a call and memory against the number of resident pacts."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (cost, room) = pyplot.subplots(1, 2, figsize=(10, 4), constrained_layout=True)
    for count, by_size in found.items():
        for name in ("JSON", "decoded"):
            many = [each[name].fleet / 1000 for each in by_size.values()]
            (line,) = cost.plot(list(by_size), many, "o-", label=f"{count} rules, {name}")
            alone = [each[name].alone / 1000 for each in by_size.values()]
            cost.plot(list(by_size), alone, ":", color=line.get_color())
    room.plot(list(found[20]), [each["JSON"].memory for each in found[20].values()], "o-")
    cost.set(xscale="log", yscale="log", xlabel="resident pacts", title="µs per call; dotted: alone")
    room.set(xscale="log", yscale="log", xlabel="resident pacts of 20 clauses", title="memory, MB")
    cost.legend()
    for panel in (cost, room):
        panel.grid(alpha=0.3)
    PLOT.parent.mkdir(exist_ok=True)
    figure.savefig(PLOT, dpi=110)


def main() -> None:
    parser = options(__doc__, rounds=7)
    parser.add_argument("--size", type=int, help="measure a fleet of this size, and print JSON")
    parser.add_argument("--rules", type=int, default=20, help="of its pacts: 20 or 14")
    chosen = parse(parser)
    if chosen.size:
        print(json.dumps(measured(chosen.size, chosen.rules, chosen)))
        return
    sizes = SIZES[:2] if chosen.quick else SIZES
    found = {}
    for count in (20, 14):
        outcomes_agree(count)
        found[count] = in_processes(sizes, count, chosen)
    table = [row for count, each in found.items() for row in rows(each, count, sizes)]
    report("fleet", [*table, memory_row(found[20], sizes)], chosen)
    if chosen.write:
        draw(found)


if __name__ == "__main__":
    main()
