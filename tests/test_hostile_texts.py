"""Pattern sets and texts made to hurt: the right answer on short texts; on long ones that, or `unknown`.

The sandbox bounds memory; how the time grows is measured by `benchmarks/bench_hostile.py`.
"""

from __future__ import annotations

import os

import pytest
import re2
from test_hostile import apart

import pactlang

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the sandbox forks")

SETS = {
    "nested": ["(a+)+$"],
    "many dots": ["(.*a){25}"],
    "counted": [f"x.{{{n}}}y" for n in range(1, 101)],
    "boundaries": [rf"\b{word}\b" for word in ("a", "ab", "foo", "word")] + [r"\b\w+\b\W\b"],
    "all of them": ["(a+)+$", "(.*a){25}", "x.{50}y", r"\bfoo\b", "[ab]*a[ab]{20}c"],
}
UNITS = ["a", "x", "xy", "ab", "\u00e9", " ", "The xylophone, a word; foo bar 12. "]


def said(patterns: list[str], text: str) -> list[str]:
    """The outcomes of a promise that no pattern matches."""
    never = 'clause c{} {{ never output.matches(r"{}") }}'
    clauses = "\n".join(never.format(n, pattern) for n, pattern in enumerate(patterns))
    program = pactlang.compile(f'pact hostile "1.0.0"\n{clauses}')
    verdict = pactlang.Evaluator(program).check({"output": text})
    return [outcome.name.lower() for outcome in verdict.outcomes.values()]


def right(patterns: list[str], text: str) -> list[str]:
    return ["violated" if re2.search(pattern, text) else "satisfied" for pattern in patterns]


@pytest.mark.parametrize("unit", UNITS, ids=ascii)
@pytest.mark.parametrize("name", SETS)
def test_short_texts_have_the_answer_of_re2(name: str, unit: str) -> None:
    for size in (0, 1, 26, 60, 700):
        text = (unit * size)[:size]
        assert said(SETS[name], text) == right(SETS[name], text)


@pytest.mark.parametrize("unit", UNITS, ids=ascii)
@pytest.mark.parametrize("name", ["nested", "many dots", "counted", "boundaries"])
def test_long_texts_have_that_answer_or_are_unknown(name: str, unit: str) -> None:
    text = (unit * 1_000_000)[:1_000_000]

    def case() -> str:
        found = said(SETS[name], text)
        known = {n for n, outcome in enumerate(found) if outcome != "unknown"}
        wanted = right([SETS[name][n] for n in sorted(known)], text)
        return "as it should" if [found[n] for n in sorted(known)] == wanted else f"{found}, not {wanted}"

    assert apart(case) == "as it should"


def test_a_pact_of_5000_patterns_is_told_to_be_too_large() -> None:
    with pytest.raises(pactlang.CompileError) as refused:
        said([f"{n}[0-9]+" for n in range(5000)], "")
    assert [found.code for found in refused.value.diagnostics] == ["too-large"]
