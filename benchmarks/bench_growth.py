"""How the cost of a call grows with the number of rules, as tables and as a plot.

Rules are comparisons of one field with a constant, on decoded records, each side given the form that it
takes; once all apply to every record, once each is about one of 40 agents.

    python -m benchmarks --only growth
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import calls
import engines
import msgspec
from bench_expressions import broken, fallen
from engines import bits
from growth import draw, grown, panel, table
from measure import Cost, Side, agree, installed, options, parse, race, report
from verdicts import mask, no_bit, ok

import pactlang

COUNTS = (1, 3, 10, 30, 100, 300, 1000)
UNIT = "microseconds per call, at so many rules"
AGENTS = 40

# Rules --------------------------------------------------------------------------------------------------


class Rule(NamedTuple):
    """field <= limit, perhaps only for one agent."""

    field: str
    limit: float
    agent: str | None

    def holds(self, record: Any) -> bool:
        about = self.agent is None or record.agent == self.agent
        return not about or getattr(record, self.field) <= self.limit


LIMITS = (
    ("latency_ms", 2000.0),
    ("cost_usd", 0.05),
    ("input_tokens", 5900),
    ("ttft_ms", 900.0),
    ("output_tokens", 2400),
    ("retries", 2),
)
KINDS = {"latency_ms": "double", "cost_usd": "double", "ttft_ms": "double"}


def made_rules(count: int, guarded: bool) -> list[Rule]:
    """Rules of which no two are the same: every turn through the fields has limits of its own."""
    found = []
    for number in range(count):
        field, limit = LIMITS[number % len(LIMITS)]
        turn = number // len(LIMITS)
        limit = limit + turn if isinstance(limit, int) else round(limit * (1 + turn / 100), 6)
        found.append(Rule(field, limit, f"agent-{number % AGENTS + 1}" if guarded else None))
    return found


def in_pactlang(made: Sequence[Rule]) -> Side:
    fields = "\n".join(f"{name}: {KINDS.get(name, 'int')}" for name, _ in LIMITS)
    clauses = "\n".join(
        f"clause c{n} {{ {when(rule)} require {rule.field} <= {rule.limit} }}" for n, rule in enumerate(made)
    )
    text = f'pact many "1.0.0" on R\nrecord R {{\nagent: string\n{fields}\n}}\n{clauses}\n'
    check = pactlang.Evaluator(pactlang.compile(text)).check
    return Side("pactlang", check, ok, no_bit)


def when(rule: Rule) -> str:
    return "" if rule.agent is None else f'when agent == "{rule.agent}"'


def in_closures(made: Sequence[Rule]) -> Side:
    """A list of functions, each of one comparison with its constants bound."""
    checks = [eval(f"lambda r: {python(rule)}") for rule in made]

    def check(record: Any) -> int:
        return bits([number for number, holds in enumerate(checks) if not holds(record)])

    return Side("Python closures", check)


def python(rule: Rule) -> str:
    about = "" if rule.agent is None else f'r.agent != "{rule.agent}" or '
    return f"{about}r.{rule.field} <= {rule.limit}"


def in_cel(made: Sequence[Rule]) -> Side:
    """cel-expr-python: one list, given a dict of the fields."""
    cel = importlib.import_module("cel_expr_python.cel")
    kinds = {"double": cel.Type.DOUBLE, "int": cel.Type.INT}
    types = {name: kinds[KINDS.get(name, "int")] for name, _ in LIMITS} | {"agent": cel.Type.STRING}
    evaluate = cel.NewEnv(variables=types).compile(f"[{', '.join(map(in_cel_text, made))}]").eval

    def check(record: Any) -> Any:
        return evaluate(data=record).plain_value()

    def dicts(part: Sequence[Any]) -> list[dict[str, Any]]:
        return [{name: getattr(record, name) for name in types} for record in part]

    return Side("CEL C++", check, broken, made=dicts, every=sparse(made))


def in_cel_text(rule: Rule) -> str:
    about = "" if rule.agent is None else f'agent != "{rule.agent}" || '
    return f"{about}{rule.field} <= {rule.limit}"


def in_schema(made: Sequence[Rule]) -> Side:
    """jsonschema-rs: `iter_errors`, a subschema for every rule, given a dict."""
    engine = importlib.import_module("jsonschema_rs")
    errors = engine.Draft202012Validator({"allOf": [subschema(rule) for rule in made]}).iter_errors

    def check(record: Any) -> int:
        return bits([error.schema_path[1] for error in errors(record)])

    def dicts(part: Sequence[Any]) -> list[Any]:
        return [msgspec.to_builtins(record) for record in part]

    return Side("jsonschema-rs", check, made=dicts, every=sparse(made))


def subschema(rule: Rule) -> dict[str, Any]:
    promise = {"properties": {rule.field: {"maximum": rule.limit}}}
    if rule.agent is None:
        return promise
    return {"if": {"properties": {"agent": {"const": rule.agent}}}, "then": promise}


def sparse(made: Sequence[Rule]) -> int:
    """A slow side is asked about fewer records where there are many rules."""
    return max(1, len(made) // 20)


RULE_PEERS = {"cel-expr-python": in_cel, "jsonschema-rs": in_schema}

# The run ------------------------------------------------------------------------------------------------


def by_rules(guarded: bool, records: list[Any], rounds: int, peers: Sequence[str]) -> Callable[[int], Any]:
    def run(count: int) -> dict[str, Cost]:
        made = made_rules(count, guarded)
        wanted = [bits([n for n, rule in enumerate(made) if not rule.holds(each)]) for each in records]
        ours = in_pactlang(made)
        sides = [ours, in_closures(made), *(RULE_PEERS[peer](made) for peer in peers)]
        agree([ours._replace(read=mask, says=int, every=sparse(made)), *sides], records, wanted)
        timed = [
            side._replace(read=fallen, says=int.bit_count) if side.read is broken else side for side in sides
        ]
        return race(timed, records, wanted, rounds)

    return run


def main() -> None:
    chosen = parse(options(__doc__, rounds=3))
    counts = (1, 30) if chosen.quick else COUNTS
    found, _ = installed(list(RULE_PEERS))
    records = [engines.as_struct(line) for line in calls.lines(chosen.records)]
    panels = []
    for section, guarded, title in (
        ("growth", False, "every rule applies"),
        ("growth guarded", True, f"each rule is about one of {AGENTS} agents"),
    ):
        costs = grown(counts, by_rules(guarded, records, chosen.rounds, found))
        panels.append(panel(title, costs))
        rows, columns = table(costs)
        report(section, rows, chosen, list(RULE_PEERS), f"{title.capitalize()}; {UNIT}.", columns)
    if chosen.write:
        draw(
            "rules",
            "Cost of a call against the number of rules",
            "number of rules",
            "microseconds per call",
            panels,
        )


if __name__ == "__main__":
    main()
