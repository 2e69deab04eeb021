"""The bundled pacts on the bundled log: every broken promise was planted, and every plant is found.

The log has 201 lines: 196 calls of one exporter, 3 in OpenTelemetry's names (`otel-1` to `otel-3`), and two
lines that are no records: line 59 (`"latency": "fast"`) and line 132 (cut off).
"""

from __future__ import annotations

from pathlib import Path

import pytest

import pactlang
from pactlang import Outcome

EXAMPLES = Path(pactlang.__file__).parent / "examples"
LOG = (EXAMPLES / "support.jsonl").read_bytes()

# Per pact and clause, the lines that break it, with what was planted there.
BROKEN = {
    "support": {
        "small_refunds": [15, 62, 200],  # 349.00, 64.50 and, under gen_ai names, 79.00 EUR
        "no_card_numbers": [23],  # line 37 has 16 digits that fail the checksum: a tracking number
        "no_boasts": [45, 53, 153],  # line 53 hides a zero-width space in "unbreakable"
        "asks_known_tools": [105],  # delete_customer
        "tools_work": [70, 106, 141],  # a timeout, a refusal, an amount given as text
        "quick_answers": [115],  # 11.482 s
        "cheap_answers": [115],  # 0.027 USD
        "says_something": [130],  # an empty answer
    },
    "privacy": {
        "no_card_numbers": [23],
        "no_bank_accounts": [122],
        "no_staff_mail": [148],
        "keeps_secrets": [],
    },
    "tools": {
        "names_its_order": [],
        "refund_is_complete": [85],  # no amount
        "failure_is_named": [],
        "no_slow_tools": [70],  # 30.004 s
    },
}
UNKNOWN = {("support", "small_refunds"): [85, 141]}  # no amount; the amount is a string


@pytest.mark.parametrize("name", BROKEN)
def test_what_was_planted_is_found(name: str) -> None:
    program = pactlang.load(EXAMPLES / f"{name}.pact")
    batch = pactlang.Evaluator(program).check_lines(LOG)
    bad = {found.line for found in batch.undecodable}
    assert list(batch.clauses) == list(BROKEN[name])
    for column, clause in enumerate(batch.clauses):
        rows = [
            (line, code)
            for line, code, outside in zip(batch.lines, batch.outcomes[:, column], batch.outside, strict=True)
            if line not in bad and not outside
        ]
        assert [line for line, code in rows if code == Outcome.VIOLATED] == BROKEN[name][clause], clause
        unknown = [line for line, code in rows if code == Outcome.UNKNOWN]
        assert unknown == UNKNOWN.get((name, clause), []), clause


def test_a_line_is_bad_only_for_a_pact_that_reads_the_bad_field() -> None:
    places = {}
    for name in BROKEN:
        batch = pactlang.Evaluator(pactlang.load(EXAMPLES / f"{name}.pact")).check_lines(LOG)
        places[name] = [(found.line, found.json_path) for found in batch.undecodable]
    assert places == {
        "support": [(59, "$.latency"), (132, "$")],
        "privacy": [(132, "$")],
        "tools": [(59, "$.latency"), (132, "$")],
    }


def test_compiled_pacts_give_the_same_verdicts() -> None:
    for name in BROKEN:
        program = pactlang.load(EXAMPLES / f"{name}.pact")
        again = pactlang.load(program.to_bytes())
        one, other = (pactlang.Evaluator(each).check_lines(LOG) for each in (program, again))
        assert (one.outcomes == other.outcomes).all()
        assert one.undecodable == other.undecodable
