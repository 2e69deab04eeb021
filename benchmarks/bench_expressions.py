"""What one evaluation of a CEL expression costs, beside the CEL engines on PyPI.

The 14 rules without text of rules.py, written as CEL over a dict of the fields they read.  The text is
the same for every engine; types are declared to those that take them.

    python -m benchmarks --only expressions
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

import calls
import msgspec
import rules
from measure import Row, Side, agree, detail, installed, options, parse, race, report

import pactlang

SLOW = 100  # a slow engine is timed on one record of so many, and compared on ten times as many

FIELDS = {
    "channel": "string",
    "user_tier": "string",
    "model": "string",
    "latency_ms": "double",
    "ttft_ms": "double",
    "input_tokens": "int",
    "output_tokens": "int",
    "max_tokens": "int",
    "cost_usd": "double",
    "temperature": "double",
    "finish_reason": "string",
    "tool_calls": "list(map(string, dyn))",
    "retrieved_docs": "int",
    "language": "string",
    "error": "dyn",
    "retries": "int",
}

# In the order of the mask's bits; true where rules.py leaves the bit clear.
RULES = (
    'channel != "chat" || latency_ms <= 2000.0',
    "cost_usd <= 0.05",
    "ttft_ms <= latency_ms",
    "0.0 <= temperature && temperature <= 1.0",
    "input_tokens + output_tokens <= 8000",
    'finish_reason in ["stop", "tool_calls", "length"]',
    'tool_calls.all(t, t.name in ["search", "lookup_order", "get_invoice", "create_ticket", "send_mail",'
    ' "calendar", "calc", "weather"])',
    "size(tool_calls) <= 4",
    'finish_reason != "tool_calls" || size(tool_calls) > 0',
    'user_tier != "free" || model in ["gpt-mini", "gpt-small"] && output_tokens <= 1024',
    "!tool_calls.exists(t, !t.ok && t.latency_ms > 1000.0)",
    'language in ["en", "de", "fr", "es", "pt"] || retrieved_docs > 0',
    "error == null || retries >= 1",
    'output_tokens <= max_tokens || finish_reason == "length"',
)
ONE_LIST = f"[{', '.join(RULES)}]"

Record = dict[str, Any]
Evaluate = Callable[[Any], Any]
Pair = tuple[Evaluate, Evaluate]


class Engine(NamedTuple):
    """One implementation of CEL.

    compile(text) gives a pair: how a dict is evaluated, and how a context is.  context(dict) makes what
    the engine reads without converting anything; for pactlang that is the dict itself.
    """

    name: str
    package: str
    compile: Callable[[str], Pair]
    context: Evaluate
    slow: bool = False

    @property
    def label(self) -> str:
        return f"{self.package} {version(self.package)}"


def ours() -> Engine:
    def compiled(text: str) -> Pair:
        evaluate = pactlang.expression(text, FIELDS).evaluate
        return evaluate, evaluate

    return Engine("pactlang", "pactlang", compiled, lambda record: record)


def environment(cel: Any, fields: dict[str, str]) -> Any:
    """cel-expr-python's declarations of these variables."""
    kinds = {"string": cel.Type.STRING, "double": cel.Type.DOUBLE, "int": cel.Type.INT, "dyn": cel.Type.DYN}
    maps = cel.Type.List(cel.Type.Map(cel.Type.STRING, cel.Type.DYN))
    return cel.NewEnv(variables={name: kinds.get(kind, maps) for name, kind in fields.items()})


def cpp() -> Engine:
    """cel-expr-python: Google's C++ implementation, with its type checker."""
    env = environment(importlib.import_module("cel_expr_python.cel"), FIELDS)

    def compiled(text: str) -> Pair:
        evaluate = env.compile(text).eval
        if text == ONE_LIST:
            return lambda data: evaluate(data=data).plain_value(), lambda made: evaluate(made).plain_value()
        return lambda data: evaluate(data=data).value(), lambda made: evaluate(made).value()

    return Engine("C++", "cel-expr-python", compiled, env.Activation)


def rust() -> Engine:
    """common-expression-language: bindings of the `cel` crate; it takes no types."""
    cel = importlib.import_module("cel")

    def compiled(text: str) -> Pair:
        execute = cel.compile(text).execute
        return execute, execute

    return Engine("Rust", "common-expression-language", compiled, cel.Context)


def pure() -> Engine:
    """cel-python, with its InterpretedRunner: its CompiledRunner does not run."""
    celpy = importlib.import_module("celpy")
    env = celpy.Environment()

    def compiled(text: str) -> Pair:
        evaluate = env.program(env.compile(text)).evaluate
        return lambda record: evaluate(context(record)), evaluate

    def context(record: Record) -> Any:
        return {name: celpy.json_to_cel(value) for name, value in record.items()}

    return Engine("cel-python", "cel-python", compiled, context, slow=True)


PEERS = {"cel-expr-python": cpp, "common-expression-language": rust, "cel-python": pure}


def engines() -> tuple[list[Engine], list[str]]:
    """Ours first, then the peers that are installed; and the packages that are not."""
    found, missing = installed(list(PEERS))
    return [ours(), *(PEERS[package]() for package in found)], missing


def records(count: int) -> tuple[list[Record], list[int]]:
    """Dicts of the fields that the rules read, and the verdict of rules.py on each."""
    dicts, verdicts = [], []
    for record in calls.records(count):
        dicts.append({name: record[name] for name in FIELDS})
        verdicts.append(rules.check_numbers(msgspec.convert(record, rules.Call)))
    return dicts, verdicts


# Ways of asking ---------------------------------------------------------------------------------------


def broken(held: Sequence[Any]) -> int:
    """The mask of the rules that do not hold."""
    mask, bit = 0, 1
    for holds in held:
        if not holds:
            mask |= bit
        bit += bit
    return mask


def each_of(evaluate: Sequence[Evaluate]) -> Evaluate:
    """How many of these do not hold."""

    def check(given: Any) -> int:
        number = 0
        for one in evaluate:
            if not one(given):
                number += 1
        return number

    return check


def made_once(context: Evaluate, check: Evaluate) -> Evaluate:
    return lambda record: check(context(record))


def fallen(held: Sequence[Any]) -> int:
    """How many of a list do not hold."""
    return len(held) - held.count(True)


def sides(engine: Engine) -> dict[str, Side]:
    """Way of asking -> what answers it.  Every answer is read: those that do not hold are counted."""
    apart = [engine.compile(rule) for rule in RULES]
    on_dict, on_context = engine.compile(ONE_LIST)
    dicts, contexts = each_of([one for one, _ in apart]), each_of([one for _, one in apart])
    once = dicts if engine.package == "pactlang" else made_once(engine.context, contexts)
    every = SLOW if engine.slow else 1

    def prebuilt(part: Sequence[Any]) -> list[Any]:
        return [engine.context(record) for record in part]

    return {
        "rules, dict": Side(engine.name, dicts, None, int.bit_count, every=every),
        "rules, once": Side(engine.name, once, None, int.bit_count, every=every),
        "rules, context": Side(engine.name, contexts, None, int.bit_count, prebuilt, every),
        "list, dict": Side(engine.name, on_dict, fallen, int.bit_count, every=every),
        "list, context": Side(engine.name, on_context, fallen, int.bit_count, prebuilt, every),
    }


def compare(engine: Engine, given: Sequence[Record], wanted: Sequence[int]) -> int:
    """Hold every way of asking an engine to the verdicts of rules.py; how many records it saw."""
    count = -(-len(given) * 10 // SLOW) if engine.slow else len(given)
    apart = [engine.compile(rule) for rule in RULES]
    whole = engine.compile(ONE_LIST)
    ways: dict[str, Evaluate] = {
        "rules, dict": lambda record: [each(record) for each, _ in apart],
        "rules, context": lambda record: [
            each(made) for made in [engine.context(record)] for _, each in apart
        ],
        "list, dict": whole[0],
        "list, context": lambda record: whole[1](engine.context(record)),
    }
    sides = [Side(f"{engine.package} ({way})", ask, broken) for way, ask in ways.items()]
    agree(sides, given[:count], wanted[:count])
    return count


QUESTIONS = (
    ("rules, dict", "14 rules one by one, each given the dict", 20, len(RULES)),
    ("rules, once", "14 rules one by one, a context made of the dict once per record", 20, len(RULES)),
    ("rules, context", "14 rules one by one, contexts prebuilt by the peers", 3, len(RULES)),
    ("list, dict", "the 14 rules as one list, given the dict", 20, 1),
    ("list, context", "the 14 rules as one list, contexts prebuilt by the peers", 3, 1),
)


def measured(
    found: Sequence[Engine], given: Sequence[Record], wanted: Sequence[int], rounds: int
) -> Iterator[Row]:
    """A row for every question; ours is the first engine."""
    offered = [sides(engine) for engine in found]
    for question, figure, target, evaluations in QUESTIONS:
        costs = race([each[question] for each in offered], given, wanted, rounds)
        own, *others = costs.values()
        nearest = min(others, key=lambda cost: cost.least)
        ratio, bold = nearest / own, question == "rules, once"
        how = f"against {nearest.name}; {detail(costs, 'ns per evaluation', evaluations)}"
        yield Row(figure, f">= {target}x faster", f"{ratio:.1f}x faster", how, ratio >= target, bold)


def main() -> None:
    chosen = parse(options(__doc__, rounds=7))
    found, _ = engines()
    if len(found) == 1:
        raise SystemExit("no peer is installed: pip install -e '.[bench]'")
    given, wanted = records(chosen.records)
    seen = ", ".join(f"{engine.label} ({compare(engine, given, wanted):,})" for engine in found)
    note = f"Verdicts were compared on so many records: {seen}."
    report("expressions", list(measured(found, given, wanted, chosen.rounds)), chosen, list(PEERS), note)


if __name__ == "__main__":
    main()
