"""CEL's conformance suite: every case that needs no protobuf passes, through the machine and the oracle."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import pactlang
from pactlang.cel import to_host
from pactlang.evaluate import Error, evaluate
from tests.conformance.__main__ import outcomes
from tests.conformance.cases import Case, agree, build, run, typed

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def suite(shared: Path) -> Path:
    return shared / "data/cel/cel_conformance.jsonl"


def cases(path: Path) -> list[Case]:
    rows: list[Case] = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [row for row in rows if row["proto_free"]]


def test_every_case_passes(suite: Path) -> None:
    failures, apart, passed = outcomes(suite)
    assert failures == []
    assert passed == len(cases(suite)) == 1022
    assert sum(apart.values()) == 406


def test_the_oracle_says_the_same(suite: Path) -> None:
    differ = []
    for case in cases(suite):
        if case["check_only"]:
            continue
        made = build(case, fold=False)
        bindings = {name: typed(value) for name, value in case["bindings"].items()}
        row = [made._bound(slot, bindings) for slot in range(len(made.variables))]
        value = evaluate(made.node, row, made.module)
        failed, got = made.compute(bindings)
        if bool(failed) != isinstance(value, Error) or not (failed or agree(to_host(got), to_host(value))):
            differ.append((case["expr"], got, value))
    assert differ == []


# The harness can fail ------------------------------------------------------------------------


def case(**given: Any) -> Case:
    row = {
        "id": "own/case/1", "bindings": {}, "type_env": [], "container": None, "disable_check": False,
        "check_only": False, "proto_free": True, "needs": [],
    }  # fmt: skip
    return {**row, **given}


TRUE = {"kind": "value", "value": {"t": "bool", "v": True}}


@pytest.mark.parametrize(
    ("expr", "expect", "passed"),
    [
        ("1 == 1", TRUE, True),
        ("1 == 2", TRUE, False),
        ("1", {"kind": "value", "value": {"t": "uint", "v": "1"}}, False),
        ("1u", {"kind": "value", "value": {"t": "uint", "v": "1"}}, True),
        ("1.0", {"kind": "value", "value": {"t": "int", "v": "1"}}, False),
        ("[1, 2]", {"kind": "value", "value": {"t": "list", "v": [{"t": "int", "v": "1"}]}}, False),
        ("0.0 / 0.0", {"kind": "value", "value": {"t": "double", "v": "NaN"}}, True),
        ("1 / 0", {"kind": "error"}, True),
        ("1 / 1", {"kind": "error"}, False),
        ("1 +", {"kind": "error"}, False),
        ("1 + 'a'", {"kind": "error"}, False),
        ("1 == 1", {**TRUE, "deduced_type": "int"}, False),
        ("1 == 1", {**TRUE, "deduced_type": "bool"}, True),
        ("x.y", TRUE, False),
    ],
)
def test_a_case(expr: str, expect: dict[str, Any], passed: bool) -> None:
    assert run(case(expr=expr, expect=expect)).passed is passed


def test_the_command(tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    rows = [
        case(expr="1 == 1", expect=TRUE),
        case(expr="1 == 2", expect=TRUE, id="own/wrong/1"),
        case(expr="Msg{}", expect=TRUE, proto_free=False, needs=["proto3"]),
    ]
    file.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    command = [sys.executable, "-m", "tests.conformance", str(file)]
    plain = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert plain.returncode == 1
    assert plain.stdout.splitlines()[-1] == "1 passed, 1 failed"
    assert "own/wrong/1" in plain.stdout
    assert "out of scope: proto3: 1" in plain.stdout
    data = subprocess.run([*command, "--json"], cwd=ROOT, capture_output=True, text=True, check=False)
    report = json.loads(data.stdout)
    assert (report["passed"], report["failed"], report["out_of_scope"]) == (1, 1, {"proto3": 1})
    assert {failure["folding"] for failure in report["failures"]} == {True, False}


def test_bindings_of_the_wrong_type_are_found_out_when_it_runs() -> None:
    made = pactlang.expression("x + 1", {"x": "int"})
    with pytest.raises(pactlang.ExpressionError) as caught:
        made.evaluate({"x": "a"})
    assert caught.value.code == "no-such-overload"
