"""The benchmarks compare like with like: the pact, the Python rules, the Cython peer and the engines of
CEL agree.

Every question is asked on a few records; nothing here looks at a time.
"""

from __future__ import annotations

import importlib
import os
import re
import subprocess
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
    with pytest.raises(SystemExit, match=r"0 instead of 1 on \{"):
        bench.compare(engine, given, [mask ^ 1 for mask in wanted])


@pytest.mark.parametrize("bench", ["bench_front"], indirect=True)
def test_a_mistake_stands_on_every_line(bench: ModuleType) -> None:
    for kind in bench.KINDS:
        speed, ratio = bench.rows(kind, [2, 4], 1)
        assert speed.measured.endswith(" KB/s")
        assert float(ratio.measured) > 0
        assert ("errors on 100% of the lines" in speed.how) == (kind != "right")


QUESTIONS = sorted(path.stem for path in FOLDER.glob("bench_*.py"))


@pytest.mark.skipif(
    not os.environ.get("PACT_BENCHMARKS"), reason="PACT_BENCHMARKS=1 runs every question: minutes"
)
@pytest.mark.parametrize("question", QUESTIONS)
def test_every_side_of_a_question_agrees(question: str) -> None:
    """On a few records; a side that does not agree ends the run with another exit code."""
    command = [sys.executable, str(FOLDER / f"{question}.py"), "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=FOLDER.parent)
    assert done.returncode == 0, done.stderr
    assert "| --- |" in done.stdout
    if missing := re.findall(r"Not installed, and left out: (.*?)\.$", done.stdout, re.MULTILINE):
        pytest.skip(f"left out, for it is not installed: {', '.join(missing)} (the extra `bench`)")


def side(measure: ModuleType, wrong: int) -> Any:
    """A side that doubles its input, but for one."""
    return measure.Side("doubles", lambda x: 2 * x + (x == wrong))


@pytest.mark.parametrize("bench", ["measure"], indirect=True)
def test_a_wrong_answer_ends_the_run(bench: ModuleType) -> None:
    inputs, wanted = list(range(10)), list(range(0, 20, 2))
    bench.agree([side(bench, -1)], inputs, wanted, block=4)
    with pytest.raises(SystemExit, match="doubles: 15 instead of 14 on 7"):
        bench.agree([side(bench, 7)], inputs, wanted, block=4)
    with pytest.raises(SystemExit, match="while it was timed"):
        bench.race([side(bench, 7)], inputs, wanted, 1, block=4)


@pytest.mark.parametrize("bench", ["measure"], indirect=True)
def test_every_side_takes_its_turns(bench: ModuleType) -> None:
    seen: list[tuple[str, int]] = []
    one = bench.Side("one", lambda x: seen.append(("one", x)) or 1, says=lambda _: 1)
    some = bench.Side("some", lambda x: seen.append(("some", x)) or 1, says=lambda _: 1, every=2)
    costs = bench.race([one, some], [1, 2, 3], [0, 0, 0], 2, block=2, warm=False)
    assert seen == [("one", 1), ("one", 2), ("some", 1)] * 2 + [("one", 3), ("some", 3)] * 2
    assert [costs["one"].inputs, costs["some"].inputs] == [3, 2]
    assert 0 < costs["one"].least <= costs["one"].median


def sections() -> list[str]:
    return re.findall("<!-- end of (.*?) -->", (FOLDER / "README.md").read_text("utf-8"))


@pytest.mark.parametrize("bench", ["measure"], indirect=True)
def test_a_table_finds_its_place(bench: ModuleType, tmp_path: Path) -> None:
    for section in sections():
        copy = tmp_path / f"{section}.md"
        copy.write_text((FOLDER / "README.md").read_text("utf-8"), "utf-8")
        bench.write(copy, "| new |", section)
        assert f"<!-- {section} -->\n| new |\n<!-- end of {section} -->" in copy.read_text("utf-8")


def test_every_question_has_its_place_in_the_readme() -> None:
    text = (FOLDER / "README.md").read_text("utf-8")
    for question in QUESTIONS:
        assert f"`{question}.py`" in text, f"{question}.py stands in no row of benchmarks/README.md"
        written = re.findall(r"report\(\s*\"(\w+)\"", (FOLDER / f"{question}.py").read_text("utf-8"))
        assert set(written) <= set(sections()), question


def test_the_main_readme_shows_the_headlines() -> None:
    """What is bold in the tables of the benchmarks, and nothing else; in the same words."""
    bold = re.findall(
        r"^\| \*\*(.+?)\*\* \| (.+?) \| (.+?) \|", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE
    )
    figures = (FOLDER.parent / "README.md").read_text("utf-8")
    figures = figures[figures.index("<!-- figures -->") : figures.index("<!-- end of figures -->")]
    assert re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", figures, re.MULTILINE)[2:] == bold
