"""A log that has nothing of what a pact reads: its promises are kept by defaults, and the run says so."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cli_tools import Pactc, pactc

from pactlang.cli import exits

__all__ = ["pactc"]

FOREIGN = [
    {"ts": 1, "answer": "Your card is 4111 1111 1111 1111", "tokens": {"in": 3}},
    {"ts": 2, "question": "?", "tokens": {"output": 3}},
]
SAYS = (
    "no record has a field that this pact reads: `output`; the log has `ts`, `answer`, `tokens`, `question`"
)
TWO = """pact two "1.0.0"
clause no_spin { never output.contains("risk free") }
clause quick { when has(latency)  require latency < 2s }
"""


def lines(*records: dict[str, Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


@pytest.fixture
def cards(pactc: Pactc) -> Pactc:
    pactc.write("cards.pact", 'pact cards "1.0.0"\nimport "std/payment.pact"\n')
    pactc.write("foreign.jsonl", lines(*FOREIGN))
    return pactc


def test_a_foreign_log_is_no_success(cards: Pactc) -> None:
    found = cards("run", "cards.pact", "foreign.jsonl")
    assert found.code == exits.PARTIAL
    assert "Every promise was kept." not in found.out
    assert "Nothing of the log was read" in found.out
    assert f"error: nothing of the log was read: {SAYS}; `pactc init --from LOG`" in found.err


@pytest.mark.parametrize("form", ["json", "html", "sarif", "junit", "github"])
def test_every_report_says_so(cards: Pactc, form: str) -> None:
    found = cards("run", "cards.pact", "foreign.jsonl", "--format", form)
    assert found.code == exits.PARTIAL
    assert SAYS in found.out
    assert "Every promise was kept" not in found.out


def test_reports_for_programs_name_the_clauses(cards: Pactc) -> None:
    found = cards("run", "cards.pact", "foreign.jsonl", "--format", "json")
    assert found.data["unread"] == ["no_card_numbers", "no_ibans"]
    junit = cards("run", "cards.pact", "foreign.jsonl", "--format", "junit").out
    assert 'errors="1" skipped="2"' in junit
    assert "::error file=cards.pact,line=1,title=unread::" in cards(
        "run", "cards.pact", "foreign.jsonl", "--format", "github"
    ).out  # fmt: skip


def test_one_record_with_a_field_is_enough(cards: Pactc) -> None:
    cards.write("mixed.jsonl", lines(*FOREIGN, {"output": ""}))
    found = cards("run", "cards.pact", "mixed.jsonl")
    assert found.code == exits.FINE
    assert "Every promise was kept." in found.out


def test_a_field_that_comes_late_is_found_where_nothing_else_was(cards: Pactc) -> None:
    many = lines(*FOREIGN) * 600
    cards.write("late.jsonl", many + lines({"output": "Yes."}) + many)
    assert cards("run", "cards.pact", "late.jsonl").code == exits.FINE
    cards.write("never.jsonl", many + many)
    found = cards("run", "cards.pact", "never.jsonl")
    assert found.code == exits.PARTIAL
    assert "records looked at has a field that this pact reads" in found.err


@pytest.mark.parametrize(
    "record",
    [
        {"gen_ai.tool.call.result": "x"},
        {"gen_ai": {"tool": {"call": {"result": "x"}}}},
        {"llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": "x"},
    ],
)
def test_a_field_is_known_by_each_of_its_names(cards: Pactc, record: dict[str, Any]) -> None:
    cards.write("named.jsonl", lines(record))
    assert cards("run", "cards.pact", "named.jsonl").code == exits.FINE


def test_one_clause_that_reads_nothing_is_told_of(pactc: Pactc) -> None:
    pactc.write("two.pact", TWO)
    pactc.write("log.jsonl", lines({"latency": 1.5, "answer": "risk free"}))
    found = pactc("run", "two.pact", "log.jsonl")
    assert found.code == exits.FINE
    assert "warning: `no_spin` was judged on defaults alone: no record has `output`" in found.err
    assert "Every promise was kept." not in found.out
    assert found.out.count("no_spin") == 1
    github = pactc("run", "two.pact", "log.jsonl", "--format", "github").out
    assert "::warning file=two.pact,line=2,title=unread::`no_spin` was judged on defaults alone" in github


def test_admission_by_a_field_that_is_nowhere(pactc: Pactc) -> None:
    pactc.write("own.pact", TWO.replace("\n", '\napplies when agent == "shop"\n', 1))
    pactc.write("log.jsonl", lines({"output": "Yes.", "agent_name": "shop"}))
    found = pactc("run", "own.pact", "log.jsonl")
    assert "warning: no record has `agent`, which says what the pact is about" in found.err
    assert "Every promise was kept." not in found.out


def test_constants_and_broken_lines_need_no_field(pactc: Pactc) -> None:
    pactc.write("constant.pact", 'pact constant "1.0.0"\nclause a { require 1 < 2 }\n')
    pactc.write("log.jsonl", lines({"x": 1}))
    assert pactc("run", "constant.pact", "log.jsonl").code == exits.FINE
    pactc.write("two.pact", TWO)
    pactc.write("log.jsonl", "\n[1]\n{\n" + lines({"output": "Yes."}))
    assert pactc("run", "two.pact", "log.jsonl").code == exits.FINE
