"""Promises over a session: beside reelay, what a clause adds to a call, and a million live sessions.

    python -m benchmarks --only sessions

Every turn begins with an empty memory, made outside the clock.  reelay has a monitor per formula, as it must,
and is given dicts, as it must; ours has one for the ten and is given structs, all of a turn in one batch.  A
step is a second.
"""

from __future__ import annotations

import functools
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from measure import Cost, Row, detail, faster, frozen, options, parse, report, short

import pactlang
from pactlang.cost import state_costs

PEER = "reelay"
LIVE = 1_000_000
SAME = "the same run"
# Formulas in reelay's notation and as conditions of a pact.
PLAIN = [
    ("{a} -> once[0:10]{b}", "!a || once(b, 10s)"),
    ("{c} -> once[0:100]{d}", "!c || once(d, 100s)"),
    ("{a} -> historically[0:10](not {d})", "!a || historically(!d, 10s)"),
    ("{b} -> not (pre(once[0:4]{b}))", "!b || !previous(once(b, 4s))"),
    ("(not {d}) since[0:20] {a}", "since(!d, a, 20s)"),
    ("{c} since {a} or {b}", "since(c, a) || b"),
    ("{d} -> ((not {a}) since {b})", "!d || since(!a, b)"),
    ("once[10:]{a} or {c}", "once_before(a, 10s) || c"),
    ("(once[0:10]{a}) -> ({b} or (once[0:30]{c}))", "!once(a, 10s) || b || once(c, 30s)"),
    ("pre({a}) -> (not {a})", "!previous(a) || !a"),
]
# Ten keyed promises: an event, and what must have come before under the same key.
KEYED = [
    (event, before, span) for event, before in zip("abcdefghij", "bcdefghija", strict=True) for span in (100,)
]


class Step(msgspec.Struct):
    """A record of the propositional trace."""

    session: str
    time: int
    a: bool
    b: bool
    c: bool
    d: bool


class Keyed(msgspec.Struct):
    """A record with an event and the value that it is about."""

    session: str
    time: int
    op: str
    key: str


class Way(NamedTuple):
    """A side: `fresh` makes what a turn begins with; `run` feeds all of it and counts what was violated."""

    name: str
    fresh: Callable[[], Any]
    run: Callable[[Any, Sequence[Any]], int]
    inputs: Sequence[Any]


def plain_pact() -> pactlang.Program:
    clauses = "\n".join(f"clause c{i} {{ require {ours} }}" for i, (_, ours) in enumerate(PLAIN))
    record = "record R { session: string  time: timestamp(s)  a: bool b: bool c: bool d: bool }"
    return pactlang.compile(f'pact plain "1.0.0" on R\n{record}\n{clauses}')


def keyed_pact() -> pactlang.Program:
    events = "\n".join(f'event e_{op} when op == "{op}"' for op in "abcdefghij")
    clauses = "\n".join(
        f"clause c{i} {{ e_{event} only after e_{before} within {span}s same key }}"
        for i, (event, before, span) in enumerate(KEYED)
    )
    record = "record R { session: string  time: timestamp(s)  op: string  key: string }"
    return pactlang.compile(f'pact keyed "1.0.0" on R\n{record}\n{events}\n{clauses}')


def feed(monitor: pactlang.Monitor, steps: Sequence[Any]) -> int:
    """How many verdicts are not ok."""
    judge = monitor.feed
    return sum(not judge(step).ok for step in steps)


def feed_all(monitor: pactlang.Monitor, steps: Sequence[Any]) -> int:
    """The same by a batch; nothing is pending here."""
    found = monitor.feed_all(steps).outcomes
    some = functools.reduce(np.bitwise_or, found.T)  # the codes of violated and unknown alone are odd
    return int(np.count_nonzero(some & 1))


def check(evaluator: pactlang.Evaluator, steps: Sequence[Any]) -> int:
    judge = evaluator.check
    return sum(not judge(step).ok for step in steps)


def drawn(count: int) -> tuple[list[Step], list[Keyed]]:
    rng = random.Random(7)
    plain = [Step("s", at, *(rng.random() < share for share in (0.2, 0.3, 0.5, 0.05))) for at in range(count)]
    keyed = [Keyed("s", at + 1, rng.choice("abcdefghij"), str(rng.randrange(50))) for at in range(count)]
    return plain, keyed


# reelay ------------------------------------------------------------------------------------------------


def peers(patterns: Iterable[str]) -> list[Any]:
    import reelay

    return [reelay.discrete_timed_monitor(pattern=pattern, condense=False) for pattern in patterns]


def data_patterns() -> list[str]:
    return [
        f"forall[k]. {{op: {event}, key: *k}} -> once[0:{span}]{{op: {before}, key: *k}}"
        for event, before, span in KEYED
    ]


def dense_peers() -> list[Any]:
    import reelay

    return [reelay.dense_timed_monitor(pattern=pattern) for pattern in data_patterns()]


def update_discrete(monitors: list[Any], steps: Sequence[dict[str, Any]]) -> int:
    """How many steps break some formula."""
    updates = [monitor.update for monitor in monitors]
    return sum(sum(not update(step)["value"] for update in updates) > 0 for step in steps)


def update_dense(monitors: list[Any], steps: Sequence[dict[str, Any]]) -> int:
    """The changes that all monitors tell of: each is read, none is joined to the others."""
    updates = [monitor.update for monitor in monitors]
    return sum(len(update(step)) for step in steps for update in updates)


def as_dicts(steps: Sequence[Any], without: Sequence[str]) -> list[dict[str, Any]]:
    made = [msgspec.structs.asdict(step) for step in steps]
    return [{name: value for name, value in each.items() if name not in without} for each in made]


def dense_table(steps: Sequence[dict[str, Any]]) -> list[list[bool]]:
    """Of each step what every formula says: what it said last changed at or before it."""
    columns = []
    for monitor in dense_peers():
        told = [
            change
            for step in [*steps, {**steps[-1], "time": len(steps) + 1}]
            for change in monitor.update(step)
        ]
        column, value, at = [], True, 0
        for moment in range(1, len(steps) + 1):
            while at < len(told) and told[at]["time"] <= moment:
                value = told[at]["value"]
                at += 1
            column.append(value)
        columns.append(column)
    return [list(row) for row in zip(*columns, strict=True)]


def discrete_table(monitors: list[Any], steps: Sequence[dict[str, Any]]) -> list[list[bool]]:
    return [[monitor.update(step)["value"] for monitor in monitors] for step in steps]


def our_table(program: pactlang.Program, steps: Sequence[Any]) -> list[list[bool]]:
    found = pactlang.Monitor(program).feed_all(steps).outcomes != pactlang.Outcome.VIOLATED
    return [list(map(bool, row)) for row in found]


def same(name: str, ours: list[list[bool]], theirs: list[list[bool]]) -> None:
    for at, (left, right) in enumerate(zip(ours, theirs, strict=True)):
        if left != right:
            raise SystemExit(f"{name}: at step {at} ours says {left}, {PEER} {right}")


# Turns --------------------------------------------------------------------------------------------------


def turns(ways: Sequence[Way], rounds: int) -> dict[str, Cost]:
    """What each way costs per record; they take turns, and count the same each time."""
    spent: dict[str, list[float]] = {way.name: [] for way in ways}
    first: dict[str, int] = {}
    with frozen():
        for _ in range(rounds):
            for way in ways:
                state = way.fresh()
                before = time.process_time_ns()
                count = way.run(state, way.inputs)
                spent[way.name].append((time.process_time_ns() - before) / len(way.inputs))
                if first.setdefault(way.name, count) != count:
                    raise SystemExit(f"{way.name}: {count} instead of {first[way.name]} while it was timed")
    return {name: Cost(name, min(each), statistics.median(each), len(each)) for name, each in spent.items()}


def against_reelay(chosen: Any) -> list[Row]:
    plain, keyed = drawn(chosen.records)
    plain_dicts, keyed_dicts = as_dicts(plain, ("session", "time")), as_dicts(keyed, ("session", "time"))
    dense_dicts = as_dicts(keyed, ("session",))
    same(
        "propositional",
        our_table(plain_pact(), plain),
        discrete_table(peers(p for p, _ in PLAIN), plain_dicts),
    )
    ours = our_table(keyed_pact(), keyed)
    same("keyed", ours, discrete_table(peers(data_patterns()), keyed_dicts))
    same("keyed, dense", ours, dense_table(dense_dicts))
    plain_program, keyed_program, few = plain_pact(), keyed_pact(), max(1, chosen.records // 5)
    ways = [
        Way("propositional", lambda: pactlang.Monitor(plain_program), feed_all, plain),
        Way("the same call by call", lambda: pactlang.Monitor(plain_program), feed, plain),
        Way("reelay, propositional", lambda: peers(p for p, _ in PLAIN), update_discrete, plain_dicts[:few]),
        Way("keyed", lambda: pactlang.Monitor(keyed_program), feed_all, keyed),
        Way("keyed call by call", lambda: pactlang.Monitor(keyed_program), feed, keyed),
        Way("reelay, keyed", lambda: peers(data_patterns()), update_discrete, keyed_dicts[:few]),
        Way("reelay, keyed, dense", dense_peers, update_dense, dense_dicts[:few]),
    ]
    costs = turns(ways, chosen.rounds)
    how = "ns per clause and call, 10 clauses: " + ", ".join(
        f"{cost.name} {short(cost.least / 10)} ({short(cost.median / 10)})" for cost in costs.values()
    )
    ours, keyed_ours = costs["propositional"], costs["keyed"]
    theirs = costs["reelay, propositional"]
    dense, discrete = costs["reelay, keyed, dense"], costs["reelay, keyed"]
    return [
        faster(f"propositional session clauses against {PEER}", 40, theirs / ours, how, True),
        faster(f"keyed session clauses against {PEER}, dense time", 100, dense / keyed_ours, SAME, True),
        faster(f"keyed session clauses against {PEER}, discrete time", 100, discrete / keyed_ours, SAME),
    ]  # fmt: skip


# What a clause adds -----------------------------------------------------------------------------------------

FORMS = (
    "e_a only after e_b", "e_b never after e_c until e_d", "at most 3 e_a per 10s",
    "e_c only after fresh e_a", "after e_d expect e_a within 3 calls", "e_a only after 2 e_c within 60s",
    "at most 100 e_b per session", "e_d never after e_a until e_b", "e_c only after e_d within 30s",
    "after e_a expect e_c within 20s",
)  # fmt: skip
HEAD = """pact added "1.0.0" on R
record R { session: string  time: timestamp(s)  a: bool b: bool c: bool d: bool }
event e_a when a
event e_b when b
event e_c when c
event e_d when d
"""


def with_forms(times: int) -> pactlang.Program:
    clauses = (f"clause c{n}_{i} {{ {form} }}" for n in range(times) for i, form in enumerate(FORMS))
    return pactlang.compile(HEAD + "\n".join(clauses))


def on_events() -> pactlang.Program:
    """Ten call promises on the events of the ten forms."""
    pairs = ("ab", "bc", "aa", "ca", "da", "ac", "bb", "da", "cd", "ac")
    return pactlang.compile(
        HEAD + "\n".join(f"clause c{i} {{ require !({x} && {y}) }}" for i, (x, y) in enumerate(pairs))
    )


def added(chosen: Any) -> list[Row]:
    plain, _ = drawn(chosen.records)
    ten, thirty, alone = with_forms(1), with_forms(3), on_events()
    ways = [
        Way("10 session clauses", lambda: pactlang.Monitor(ten), feed, plain),
        Way("30 session clauses", lambda: pactlang.Monitor(thirty), feed, plain),
        Way("10 call clauses", lambda: pactlang.Evaluator(alone), check, plain),
    ]
    costs = turns(ways, chosen.rounds)
    few, many, calls = (costs[way.name].least for way in ways)
    how = f"the slope from 10 to 30; {detail(costs)}"
    return [
        _adds("what one more session clause adds to a call", (many - few) / 20, how),
        _adds(
            "the same of ten, with all that a monitor does for a call, per clause", (few - calls) / 10, SAME
        ),
    ]


def _adds(figure: str, nanoseconds: float, how: str) -> Row:
    return Row(figure, "<= 60 ns", f"{nanoseconds:.1f} ns", how, nanoseconds <= 60, True)


# A million sessions -----------------------------------------------------------------------------------------


def resident() -> int:
    """Bytes that this process holds."""
    pages = Path("/proc/self/statm").read_text("utf-8").split()[1]
    return int(pages) * 4096


def live(count: int) -> None:
    """Feed two calls of each session; print the bytes and numbers of sessions."""
    monitor = pactlang.Monitor(with_forms(1), memory=1 << 32)
    monitor.feed(Step("first", 0, True, True, True, True))
    before = resident()
    for at in range(2):
        for number in range(count):
            monitor.feed(Step(f"session-{number:08}", at, True, False, at > 0, False))
    print(json.dumps([(resident() - before) / count, monitor.counts["sessions"], monitor.counts["evicted"]]))


def million(chosen: Any) -> list[Row]:
    count = LIVE if not chosen.quick else 2_000
    command = [sys.executable, __file__, "--live", str(count)]
    each, sessions, evicted = json.loads(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout
    )
    if (sessions, evicted) != (count + 1, 0):
        raise SystemExit(f"{sessions} sessions are live, {evicted} were evicted")
    costs = state_costs(with_forms(1).module)
    assert costs is not None
    whole, off = each * LIVE / 1e9, each / costs.session - 1
    how = f"{short(each)} bytes of the resident set per session, two calls each, in a process of its own"
    return [
        Row("1,000,000 live sessions of a 10-clause pact", "< 1 GB", f"{whole:.2f} GB", how, whole < 1, True),
        Row("bytes of a session against what `pactc check --cost` prints", "within 20 %", f"{off:+.0%}",
            f"printed {costs.session}, measured {short(each)}", abs(off) <= 0.2),
    ]  # fmt: skip


def main() -> None:
    if sys.argv[1:2] == ["--live"]:
        live(int(sys.argv[2]))
        return
    chosen = parse(options(__doc__))
    rows = [*against_reelay(chosen), *added(chosen), *million(chosen)]
    report("sessions", rows, chosen, [PEER])


if __name__ == "__main__":
    main()
