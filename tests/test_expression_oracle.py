"""Machine against oracle on expressions of the typed grammar: the same value, or an error value in both.

Each seed draws expressions and bindings (`tests/drawn.py`); each is compiled in checked and in dynamic
mode, as it is and without constant folding, and all that compile must agree.
"""

from __future__ import annotations

import os
from random import Random
from typing import Any

import pytest
from drawn import VARIABLES, Draw, bindings
from hypothesis import given, settings
from hypothesis import strategies as st

import pactlang
from pactlang import Expression
from pactlang.cel import to_host
from pactlang.evaluate import Error, evaluate
from pactlang.values import UInt
from tests.conformance.cases import agree

EACH = 100  # expressions of one seed
SEEDS = int(os.environ.get("PACT_SEEDS", "200"))  # 20,000 expressions, each in two modes
MODES: tuple[dict[str, Any], ...] = ({"types": VARIABLES}, {"types": None})
drawn: dict[str, int] = {"expressions": 0, "values": 0, "errors": 0, "refused": 0}


def compiled(text: str) -> list[Expression]:
    """The expression in every mode that takes it."""
    made = []
    for mode in MODES:
        for fold in (True, False):
            try:
                made.append(pactlang.expression(text, fold=fold, **mode))
            except pactlang.CompileError:
                drawn["refused"] += 1
    return made


def as_declared(given: dict[str, Any]) -> dict[str, Any]:
    """Bindings whose numbers are of their declared types: only checked mode knows those, and converts."""
    made = dict(given)
    if type(made.get("d")) is int and abs(made["d"]) < 2**63:
        made["d"] = float(made["d"])
    if type(made.get("u")) is int and 0 <= made["u"] < 2**63:
        made["u"] = UInt(made["u"])
    return made


def outcome(made: Expression, given: dict[str, Any]) -> tuple[bool, Any]:
    """(failed, value) of the machine, which the oracle must share."""
    failed, value = made.compute(dict(given))
    row = [made._bound(slot, given) for slot in range(len(made.variables))]
    expected = evaluate(made.node, row, made.module)
    assert bool(failed) == isinstance(expected, Error), (made.text, given, value, expected)
    if failed:
        return True, None
    assert agree(to_host(value), to_host(expected)), (made.text, given, value, expected)
    return False, to_host(value)


@settings(max_examples=SEEDS, deadline=None, database=None)
@given(st.integers(0, 2**63))
def test_machine_and_oracle_agree(seed: int) -> None:
    random = Random(seed)
    for _ in range(EACH):
        text, given = Draw(random).expression(), bindings(random)
        every, alike = compiled(text), as_declared(given)
        for made in every:
            outcome(made, given)
        results = [outcome(made, alike) for made in every]
        drawn["expressions"] += 1
        for failed, value in results:
            drawn["errors" if failed else "values"] += 1
            assert failed == results[0][0], (seed, text, given)
            assert failed or agree(value, results[0][1]), (seed, text, given)


def test_enough_was_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\nexpressions drawn: {drawn}")
    if drawn["expressions"]:  # in a process of its own, this test may run without the other
        assert drawn["expressions"] >= 100 * SEEDS
        assert drawn["values"] > drawn["errors"] / 2
        assert drawn["refused"] < drawn["expressions"] / 10
