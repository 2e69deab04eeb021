"""What one evaluation of a CEL expression costs, beside the CEL engines on PyPI.  Prints a markdown table.

The 14 rules without text of rules.py, written as CEL over a dict of the fields they read.  The text is
the same for every engine; types are declared to those that take them.  Verdicts are compared first.
Candidates take turns; a figure is the minimum of process CPU time over the rounds.

    taskset -c 1 python benchmarks/bench_expressions.py [--records 5000] [--rounds 15] [--write]
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import calls
import msgspec
import rules
from measure import Row, cpu, markdown, write

import pactlang

HERE = Path(__file__).parent
BLOCK = 1000  # records of one turn
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


def cpp() -> Engine:
    """cel-expr-python: Google's C++ implementation, with its type checker."""
    cel = importlib.import_module("cel_expr_python.cel")
    kinds = {"string": cel.Type.STRING, "double": cel.Type.DOUBLE, "int": cel.Type.INT, "dyn": cel.Type.DYN}
    maps = cel.Type.List(cel.Type.Map(cel.Type.STRING, cel.Type.DYN))
    env = cel.NewEnv(variables={name: kinds.get(kind, maps) for name, kind in FIELDS.items()})

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
    found, missing = [ours()], []
    for package, make in PEERS.items():
        try:
            version(package)
        except PackageNotFoundError:
            missing.append(package)
        else:
            found.append(make())
    return found, missing


# Verdicts ---------------------------------------------------------------------------------------------


def records(count: int) -> tuple[list[Record], list[int]]:
    """Dicts of the fields that the rules read, and the verdict of rules.py on each."""
    dicts, verdicts = [], []
    for record in calls.records(count):
        dicts.append({name: record[name] for name in FIELDS})
        verdicts.append(rules.check_numbers(msgspec.convert(record, rules.Call)))
    return dicts, verdicts


def compare(engine: Engine, given: Sequence[Record], wanted: Sequence[int]) -> int:
    """Hold every way of asking an engine to the verdicts of rules.py; how many records it saw."""
    count = -(-len(given) * 10 // SLOW) if engine.slow else len(given)
    apart = [engine.compile(rule) for rule in RULES]
    whole = engine.compile(ONE_LIST)
    for record, mask in zip(given[:count], wanted[:count], strict=True):
        made = engine.context(record)
        found = {
            "rules, dict": [each(record) for each, _ in apart],
            "rules, context": [each(made) for _, each in apart],
            "list, dict": list(whole[0](record)),
            "list, context": list(whole[1](made)),
        }
        for way, values in found.items():
            if sum((not value) << bit for bit, value in enumerate(values)) != mask:
                raise SystemExit(f"{engine.package}: another verdict ({way}) on {record}")
    return count


# Times ------------------------------------------------------------------------------------------------


class Candidate(NamedTuple):
    """What is called on every record, or on the context that is made of it beforehand."""

    check: Evaluate
    engine: Engine
    on_contexts: bool = False

    def inputs(self, block: Sequence[Record]) -> list[Any]:
        part = block[::SLOW] if self.engine.slow else block
        return [self.engine.context(record) for record in part] if self.on_contexts else list(part)


def each_of(evaluate: Sequence[Evaluate]) -> Evaluate:
    def check(given: Any) -> None:
        for one in evaluate:
            one(given)

    return check


def made_once(context: Evaluate, evaluate: Sequence[Evaluate]) -> Evaluate:
    def check(record: Record) -> None:
        made = context(record)
        for one in evaluate:
            one(made)

    return check


def candidates(engine: Engine) -> dict[str, Candidate]:
    """Question -> what answers it."""
    apart = [engine.compile(rule) for rule in RULES]
    on_dict, on_context = engine.compile(ONE_LIST)
    dicts, contexts = each_of([one for one, _ in apart]), each_of([one for _, one in apart])
    once = made_once(engine.context, [one for _, one in apart])
    return {
        "rules, dict": Candidate(dicts, engine),
        "rules, once": Candidate(dicts if engine.package == "pactlang" else once, engine),
        "rules, context": Candidate(contexts, engine, True),
        "list, dict": Candidate(on_dict, engine),
        "list, context": Candidate(on_context, engine, True),
    }


def turns(asked: Sequence[Candidate], given: Sequence[Record], rounds: int) -> list[list[float]]:
    """CPU nanoseconds per record of every candidate in every round; they take turns.

    Each passes a block twice in a row, and the second pass is timed: all find it in the cache.
    """
    spent = [[0] * rounds for _ in asked]
    seen = [0] * len(asked)
    gc.collect()
    for start in range(0, len(given), BLOCK):
        inputs = [candidate.inputs(given[start : start + BLOCK]) for candidate in asked]
        gc.freeze()
        for turn in range(rounds):
            for number, (check, *_) in enumerate(asked):
                for one in inputs[number]:
                    check(one)
                before = time.process_time_ns()
                for one in inputs[number]:
                    check(one)
                spent[number][turn] += time.process_time_ns() - before
        gc.unfreeze()
        seen = [before + len(part) for before, part in zip(seen, inputs, strict=True)]
    return [[each / count for each in times] for times, count in zip(spent, seen, strict=True)]


QUESTIONS = (
    ("rules, dict", "14 rules one by one, each given the dict", 20, len(RULES)),
    ("rules, once", "14 rules one by one, a context made of the dict once per record", 20, len(RULES)),
    ("rules, context", "14 rules one by one, contexts prebuilt by the peers", 3, len(RULES)),
    ("list, dict", "the 14 rules as one list, given the dict", 20, 1),
    ("list, context", "the 14 rules as one list, contexts prebuilt by the peers", 3, 1),
)


def measured(found: Sequence[Engine], given: Sequence[Record], rounds: int) -> Iterator[Row]:
    """A row for every question; ours is the first engine."""
    offered = [candidates(engine) for engine in found]
    for question, figure, target, evaluations in QUESTIONS:
        times = turns([each[question] for each in offered], given, rounds)
        own, *others = (min(each) / evaluations for each in times)
        nearest, least = min(zip(found[1:], others, strict=True), key=lambda pair: pair[1])
        detail = ", ".join(
            f"{engine.name} {min(each) / evaluations:,.0f} ({statistics.median(each) / evaluations:,.0f})"
            for engine, each in zip(found, times, strict=True)
        )
        how = f"against {nearest.name}; ns per evaluation: {detail}"
        yield Row(figure, f">= {target}x faster", f"{least / own:.1f}x faster", how, least / own >= target)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--records", type=int, default=5000)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--write", action="store_true", help="put the table into README.md")
    chosen = options.parse_args()
    if len(os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    found, missing = engines()
    if len(found) == 1:
        raise SystemExit("no peer is installed: pip install -e '.[bench]'")
    given, wanted = records(chosen.records)
    seen = [f"{engine.label} ({compare(engine, given, wanted):,})" for engine in found]
    head = [
        f"`{' '.join(['python', 'benchmarks/bench_expressions.py', *sys.argv[1:]])}` on Python"
        f" {platform.python_version()}, {cpu()}, one core. Verdicts were compared on so many records:"
        f" {', '.join(seen)}.",
        *(f"Not installed, and left out: {package}." for package in missing),
    ]
    rows = list(measured(found, given, chosen.rounds))
    table = "\n".join([*head, "", markdown(rows, ["figure", "target", "measured", "met", "how"])])
    print(table)
    if chosen.write:
        write(HERE / "README.md", table, "expressions")


if __name__ == "__main__":
    main()
