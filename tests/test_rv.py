"""The monitor against verdicts of other runtime verifiers: reelay's and MonPoly's, on past-time formulas.

Bounds [0, b] and [a, inf), `previous` and the boolean operators are within the language, and with them, where
time is steps, bounds [a, b] with a small a.  With a large one they are outside: their memory grows with it.
"""

from __future__ import annotations

import gzip
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from naive import Naive
from rv_monpoly import Outside, translate
from rv_reelay import TwoSided, expression

import pactlang
from pactlang.opcodes import Outcome


def lines(path: Path) -> Iterator[Any]:
    data = path.read_bytes()
    yield from map(json.loads, (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines())


def compiled(names: Iterable[str], formulas: Iterable[str]) -> pactlang.Program:
    """A clause per formula, on a record with a bool for each proposition."""
    fields = " ".join(f"{name}: bool" for name in names)
    clauses = "".join(f"clause c{i} {{ require {each} }}\n" for i, each in enumerate(formulas))
    record = f'record R {{ session: string = "s"  time: timestamp(s)  {fields} }}\n'
    return pactlang.compile(f'pact rv "1.0.0" on R\n{record}{clauses}')


def records(trace: Mapping[str, str]) -> list[dict[str, Any]]:
    """A record per step, a second apart."""
    names, steps = list(trace), zip(*trace.values(), strict=True)
    return [
        {"time": at, **{name: bit == "1" for name, bit in zip(names, step, strict=True)}}
        for at, step in enumerate(steps)
    ]


def bits(judge: Any, steps: Iterable[dict[str, Any]]) -> list[str]:
    """Per clause a string of 0 and 1; any other outcome is a question mark."""
    letters = {Outcome.SATISFIED: "1", Outcome.VIOLATED: "0"}
    rows = [[letters.get(each, "?") for each in judge.feed(step).outcomes.values()] for step in steps]
    return ["".join(column) for column in zip(*rows, strict=True)]


def translated(formula: str) -> str | None:
    try:
        return expression(formula)
    except TwoSided:
        return None


def test_random_formulas(shared: Path) -> None:
    within = 0
    for case in lines(shared / "data/rv/reelay_oracle/random_past_mtl.jsonl"):
        formula = translated(case["formula"])
        if formula is None:
            continue
        within += 1
        program, steps = compiled(case["trace"], [formula]), records(case["trace"])
        assert bits(pactlang.Monitor(program), steps) == [case["verdict"]], case["id"]
        if case["n"] <= 20:
            assert bits(Naive(program), steps) == [case["verdict"]], case["id"]
    assert within == 380  # all of them


def test_timescales(shared: Path) -> None:
    found: dict[str, int] = {}
    for case in lines(shared / "data/rv/reelay_oracle/timescales_formulas.jsonl.gz"):
        formula = translated(case["formula"])
        found[case["property"]] = found.get(case["property"], 0) + (formula is not None)
        if formula is None:
            continue
        program, steps = compiled(case["trace"], [formula]), records(case["trace"])
        assert bits(pactlang.Monitor(program), steps) == [case["verdict"]], case["id"]
    outside = {name for name, count in found.items() if not count}
    assert sum(found.values()) == 64  # of 72
    assert outside == {"AlwaysBQR1000", "RespondGLB1000"}  # they look back from 300 to 1000 steps


def test_rules_on_real_sessions(shared: Path) -> None:
    sessions = within = 0
    for case in lines(shared / "data/rv/reelay_oracle/taubench_sessions_past_mtl.jsonl.gz"):
        sessions += 1
        rules = [(translated(rule["formula"]), rule["verdict"]) for rule in case["rules"]]
        kept = [(formula, verdict) for formula, verdict in rules if formula is not None]
        program = compiled(case["trace"], [formula for formula, _ in kept])
        assert bits(pactlang.Monitor(program), records(case["trace"])) == [verdict for _, verdict in kept]
        within += len(kept)
    assert (sessions, within) == (136, 136 * 9)


# MonPoly -----------------------------------------------------------------------------------------------

FIRST = (  # why a case is not even looked at, in the order of asking
    ("it stands on files that are not here", lambda case: not case["self_contained"] or not case["log"]),
    ("looks ahead", lambda case: not case["past_only"]),
    ("MonPoly itself refuses it", lambda case: case["kind"] != "verdicts"),
    ("aggregates are promises about many calls", lambda case: case["aggregation"]),
    ("LET", lambda case: case["let"]),
    ("regular expressions over time", lambda case: case["regex"]),
)


def judged(case: Any) -> int:
    """Compare every assignment of the free variables at every time-point; how many answers that were."""
    wanted = {verdict["tp"]: verdict["sat"] for verdict in case["verdicts"]}
    values = [
        value for step in case["log"] for rows in step["events"].values() for row in rows for value in row
    ]
    values += [value for sat in wanted.values() if isinstance(sat, list) for row in sat for value in row]
    domain = sorted({(type(value).__name__, value) for value in values})
    domain_values = [value for _, value in domain] or [0]
    made, free = translate(case["formula"], domain_values)
    assert set(case["free_vars"] or free) == set(free)
    if len(domain_values) ** len(free) > 5000:
        raise Outside("a domain too large to try out")
    names = sorted(set(re.findall(r"\be_(\w+)", made)))
    fields = "".join(f"v_{name}: dyn " for name in free) + "".join(f"e_{name}: dyn " for name in names)
    record = f"record R {{ session: string  time: timestamp(s) {fields} }}"
    program = pactlang.compile(f'pact rv "1.0.0" on R\n{record}\nclause c {{ require {made} }}')
    monitor, answers = pactlang.Monitor(program), 0
    for tp, step in enumerate(case["log"]):
        events = {f"e_{name}": step["events"].get(name, []) for name in names}
        sat = wanted.get(tp, [])
        for row in itertools.product(domain_values, repeat=len(free)):
            bound = {f"v_{name}": value for name, value in zip(free, row, strict=True)}
            said = monitor.feed({"session": json.dumps(row), "time": step["ts"], **bound, **events}).outcomes[
                "c"
            ]
            holds = list(row) in sat if free else sat == "true"
            assert (said == Outcome.SATISFIED) == (holds != case["negate"]), (case["id"], made, tp, row, said)
            answers += 1
    return answers


def test_monpoly(shared: Path) -> None:
    table: Counter[str] = Counter()
    for case in lines(shared / "data/rv/monpoly/cases.jsonl"):
        why = next((reason for reason, there in FIRST if there(case)), "")
        try:
            table[why or ("judged" if judged(case) else "")] += 1
        except Outside as outside:
            table[str(outside)] += 1
    assert table == {
        "judged": 69,
        "looks ahead": 66,
        "aggregates are promises about many calls": 55,
        "MonPoly itself refuses it": 41,
        "functions of its own": 9,
        "it stands on files that are not here": 7,
        "a bound that is open at neither end": 6,
        "a domain too large to try out": 3,
        "LET": 2,
    }
