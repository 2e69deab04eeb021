"""The benchmarks compare like with like: the pact, the Python rules, the Cython peer and the engines of
CEL agree.

What is timed here is so on a few records, to see that it runs.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

import pactlang
from pactlang import Outcome

FOLDER = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def parts() -> Any:
    """The modules `calls`, `rules` and `peer`, imported as the benchmarks import each other."""
    sys.path.insert(0, str(FOLDER))
    names = ("calls", "rules", "peer")
    try:
        yield [__import__(name) for name in names]
    finally:
        sys.path.remove(str(FOLDER))
        for name in names:
            sys.modules.pop(name, None)


def mask(verdict: pactlang.Verdict) -> int:
    return sum(1 << i for i, outcome in enumerate(verdict.outcomes.values()) if outcome == Outcome.VIOLATED)


def test_the_pact_says_what_the_rules_say(parts: list[ModuleType]) -> None:
    calls, rules, _ = parts
    evaluator = pactlang.Evaluator(pactlang.load(FOLDER / "reference.pact"))
    decoder = msgspec.json.Decoder(rules.Call)
    seen = 0
    for line in calls.lines(600):
        wanted = rules.check(decoder.decode(line))
        verdict = evaluator.check_json(line)
        assert mask(verdict) == wanted
        assert not verdict.unknown
        seen |= wanted
    assert seen.bit_count() >= 15, "the workload breaks too few rules to compare anything"


def test_the_cython_peer_says_what_the_rules_say(parts: list[ModuleType]) -> None:
    calls, rules, peer = parts
    cython = peer.build()
    cython.prepare(rules.Call, rules.ToolCall)
    for record in msgspec.json.decode(b"[" + b",".join(calls.lines(300)) + b"]", type=list[rules.Call]):
        assert cython.check(record) == rules.check_numbers(record)


def test_the_workload_is_the_same_every_time(parts: list[ModuleType]) -> None:
    calls = parts[0]
    assert list(calls.lines(20)) == list(calls.lines(20))
    assert next(calls.lines(1)).startswith(b'{"id":"call-')


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """The benchmark whose name is the parameter."""
    before = set(sys.modules)
    sys.path.insert(0, str(FOLDER))
    try:
        yield importlib.import_module(request.param)
    finally:
        sys.path.remove(str(FOLDER))
        for name in set(sys.modules) - before:
            if (FOLDER / f"{name}.py").exists():
                del sys.modules[name]


@pytest.mark.parametrize("bench", ["bench_foundation"], indirect=True)
def test_a_large_pact_compiles(bench: ModuleType) -> None:
    assert len(pactlang.compile(bench.large_pact(200)).clauses) == 200


@pytest.mark.parametrize("bench", ["bench_expressions"], indirect=True)
@pytest.mark.parametrize(
    "package", ["pactlang", "cel-expr-python", "common-expression-language", "cel-python"]
)
def test_an_engine_of_cel_says_what_the_rules_say(bench: ModuleType, package: str) -> None:
    found, missing = bench.engines()
    if package in missing:
        pytest.skip(f"{package} is not installed: the extra `bench`")
    engine = next(engine for engine in found if engine.package == package)
    given, wanted = bench.records(50 if engine.slow else 600)
    assert bench.compare(engine, given, wanted) >= 5
    with pytest.raises(SystemExit, match="another verdict"):
        bench.compare(engine, given, [mask ^ 1 for mask in wanted])


@pytest.mark.parametrize("bench", ["bench_expressions"], indirect=True)
def test_expressions_are_timed(bench: ModuleType) -> None:
    found, _ = bench.engines()
    rows = list(bench.measured([found[0], *(found[1:] or found)], bench.records(3)[0], 1))
    assert len(rows) == len(bench.QUESTIONS)
    assert all(row.measured.endswith("x faster") for row in rows)


@pytest.mark.parametrize("bench", ["bench_front"], indirect=True)
def test_the_front_half_is_timed(bench: ModuleType) -> None:
    for kind in bench.KINDS:
        speed, ratio = bench.rows(kind, [2, 4], 1)
        assert speed.measured.endswith(" KB/s")
        assert float(ratio.measured) > 0
        assert ("errors on 100% of the lines" in speed.how) == (kind != "right")


@pytest.mark.parametrize("section", ["figures", "expressions", "front"])
@pytest.mark.parametrize("bench", ["measure"], indirect=True)
def test_a_table_finds_its_place(bench: ModuleType, section: str, tmp_path: Path) -> None:
    copy = tmp_path / "README.md"
    copy.write_text((FOLDER / "README.md").read_text("utf-8"), "utf-8")
    bench.write(copy, "| new |", section)
    assert f"<!-- {section} -->\n| new |\n<!-- end of {section} -->" in copy.read_text("utf-8")
