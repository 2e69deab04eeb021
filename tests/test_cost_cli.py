"""`pactc check --cost`, and what reports say of calls that a budget stopped."""

from __future__ import annotations

import json

import msgspec
import pytest
from cli_tools import Pactc, pactc
from test_cost import BOUNDED, CASES, HEADER, calls

import pactlang
from pactlang import ir
from pactlang.cli import exits
from pactlang.explain import BEYOND
from pactlang.program import encode, seal

__all__ = ["pactc"]

PRICED = BOUNDED.lstrip().replace("steps 2000", "steps 1000")


def test_check_cost_is_a_table_where_there_is_room(pactc: Pactc, monkeypatch: pytest.MonkeyPatch) -> None:
    pactc.write("p.pact", PRICED)
    monkeypatch.setenv("COLUMNS", "80")
    shown = pactc("check", "--cost", "p.pact")
    assert shown.code == exits.FINE
    assert [line.rstrip() for line in shown.out.partition("sha256")[2].splitlines()[2:]] == [
        "clause   steps   formula                            passes over texts",
        "─" * 69,
        "names      522   2 + 2·tool_calls + 5·tool_calls²",
        "words        2                                      output: 1",
        "plain        2",
        "",
        "a call     526   6 + 2·tool_calls + 5·tool_calls²   output: 1",
        "budget   1,000",
        "",
        "output           100 characters  declared",
        "tool_calls        10 elements    declared",
        "tool_calls.name   40 characters  declared",
    ]


def test_check_cost_puts_formulas_below_names_where_there_is_none(
    pactc: Pactc, monkeypatch: pytest.MonkeyPatch
) -> None:
    pactc.write("p.pact", PRICED)
    monkeypatch.setenv("COLUMNS", "30")
    lines = pactc("check", "--cost", "p.pact").out.splitlines()
    at = lines.index("names     522")
    assert lines[at : at + 5] == [
        "names     522", "    2 + 2·tool_calls +", "    5·tool_calls²", "words       2", "    passes: output: 1",
    ]  # fmt: skip


@pytest.mark.parametrize("columns", ["20", "40", "80", "120", "1000"])
def test_no_line_is_wider_than_the_terminal(
    pactc: Pactc, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    pactc.write("p.pact", HEADER.replace("pact p", "pact q") + "".join(
        f"clause c{i} {{ require {text} }}\n" for i, (text, _, _) in enumerate(CASES) if text != "true"
    ))  # fmt: skip
    shown = pactc("check", "--cost", "p.pact").out.partition("sha256")[2].splitlines()[2:]
    assert len(shown) > len(CASES)
    named = ("s ", "t ", "by ", "raw ", "deep", "rows", "word", "x ", "x.ea")  # a size is not broken
    assert max(len(line) for line in shown if not line.startswith(named)) <= max(int(columns), 36)


def test_check_cost_of_a_pact_over_its_budget(pactc: Pactc) -> None:
    pactc.write("p.pact", PRICED.replace("steps 1000", "steps 100"))
    found = pactc("check", "--cost", "p.pact")
    assert (
        found.code == exits.FOUND and "error[over-budget]: a call may take 526 steps, 426 more" in found.out
    )
    assert "budget     100" in found.out
    pactc.write("bad.pact", "pact p")
    assert pactc("check", "--cost", "bad.pact").code == exits.FOUND


def test_check_cost_json(pactc: Pactc) -> None:
    pactc.write("p.pact", PRICED)
    assert pactc("build", "p.pact", "-o", "p.pactc").code == exits.FINE
    for path in ("p.pact", "p.pactc"):
        (found,) = pactc("check", "--cost", "--format", "json", path).data["pacts"]
        assert found["cost"]["steps"] == 526 and found["cost"]["budget"] == 1000
        assert found["cost"]["applies"] is None
        assert found["cost"]["clauses"][1] == {
            "clause": "words", "steps": 2, "formula": "2",
            "passes": [{"text": "output", "folded": False, "shared": True, "passes": 1, "formula": "1"}],
        }  # fmt: skip
        assert found["cost"]["sizes"][0] == {
            "field": "output", "size": 100, "unit": "characters", "declared": True,
        }  # fmt: skip
    assert "cost" not in pactc("check", "--format", "json", "p.pact").data["pacts"][0]


def test_a_forged_tree_is_no_fault_of_ours(pactc: Pactc) -> None:
    program = pactlang.compile(PRICED)
    slot = ir.Slot(pactlang.schema.BOOL, (0, 1), 99)
    module = msgspec.structs.replace(
        program.module,
        clauses=tuple(msgspec.structs.replace(c, promise=slot) for c in program.module.clauses),
    )
    annex = msgspec.structs.replace(program.annex, module=encode(module))
    with open("p.pactc", "wb") as file:
        file.write(seal(program.core_bytes, encode(annex)))
    found = pactc("check", "--cost", "p.pactc")
    assert found.code == exits.UNABLE and "its typed tree is damaged" in found.err


def test_reports_say_that_a_call_was_too_large(pactc: Pactc) -> None:
    pactc.write("p.pact", PRICED)
    pactc.write("log.jsonl", json.dumps({"id": "big", "tool_calls": calls(50), "cost": 0.5}) + "\n")
    ran = pactc("run", "p.pact", "log.jsonl", "--format", "json").data
    assert {name: clause["unknown"] for name, clause in ran["clauses"].items()} == {
        "names": 1,
        "words": 1,
        "plain": 1,
    }
    assert {each["reason"] for each in ran["unknowns"]} == {f"cannot be decided: {BEYOND}"}
    told = pactc("explain", "p.pact", "log.jsonl", "--call", "big").out
    assert told.count("unknown") == 3 and BEYOND in told.replace("\n  ", " ")
