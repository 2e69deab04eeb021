"""Session promises told: `pactc explain`, `pactc docs`, the style, and the language server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_tools import Pactc, pactc

import pactlang
from pactlang.cli import exits
from pactlang.fmt import format_pact
from pactlang.lsp import hover
from pactlang.lsp.complete import complete
from pactlang.lsp.document import Document
from pactlang.lsp.knowledge import Knowledge
from pactlang.source import Source

__all__ = ["pactc"]

PACT = """pact p "1.0.0"

session by session idle 2h limit 100 calls

event verify when tool == "verify"
event refund when tool == "refund"
event denied when tool == "refund" && ok == false
event handover when tool == "handover"
event asked when kind == "chat"

clause verified { refund only after fresh 2 verify within 30m same args.customer }
clause after_no { refund never after denied until handover }
clause escalates {
  after denied expect handover within 3 calls or 10m
  on end violate
}
clause few { at most 4 calls per session }
clause known { refund.args only from asked.input, verify.output }
clause steady { when has(cost)  require !once(denied, 1h) && historically(cost < 9.0) || previous(ok == true) }
"""
LOG = [
    {"id": "a", "session": "s", "time": "2026-01-01T00:00:00Z", "tool": "verify", "args": {"customer": "c"}},
    {"id": "b", "session": "s", "time": "2026-01-01T00:01:00Z", "tool": "refund", "ok": False, "cost": 5.0,
     "args": {"customer": "c", "to": "a@b.example"}},
    {"id": "b", "session": "s", "tool": "refund"},
    {"id": "d", "session": None, "tool": "refund", "cost": 1.0, "args": {"customer": "c"}},
]  # fmt: skip


@pytest.fixture
def told(pactc: Pactc) -> Pactc:
    pactc.write("p.pact", PACT)
    pactc.write("log.jsonl", "\n".join(map(json.dumps, LOG)))
    return pactc


def explained(told: Pactc, *arguments: str) -> Any:
    data = told("explain", "p.pact", "log.jsonl", "--format", "json", *arguments).data
    return {clause["clause"]: clause for clause in data["clauses"]}


def test_explain_replays_what_came_before(told: Pactc) -> None:
    shown = told("explain", "p.pact", "log.jsonl", "--call", "b")
    assert shown.code == exits.FINE
    assert "verified: violated" in shown.out and "the last `verify` was 1 call before, 1m ago" in shown.out
    assert "pending: a `handover` may still come within 3 calls or 10m" in shown.out
    found = explained(told, "--call", "b")
    assert {name: clause["outcome"] for name, clause in found.items()} == {
        "verified": "violated", "after_no": "satisfied", "escalates": "unknown", "few": "satisfied",
        "known": "violated", "steady": "violated",
    }  # fmt: skip
    assert found["verified"]["back"] == {"calls": 1, "seconds": 60.0}
    assert [part["name"] for part in found["verified"]["parts"]] == ["refund", "verify", "same"]
    assert found["escalates"]["why"] == "pending"


def test_explain_says_why_nothing_is_known(told: Pactc) -> None:
    found = explained(told, "--line", "4")
    assert found["verified"]["message"].endswith("no session")
    assert found["steady"]["outcome"] == "unknown" and "no session" in found["steady"]["message"]
    again = told("explain", "p.pact", "log.jsonl", "--line", "3")
    assert "came before" in again.out
    assert told("explain", "p.pact", "log.jsonl", "--line", "3", "--format", "json").data["duplicate"]


def test_explain_agrees_with_run(told: Pactc) -> None:
    told("run", "p.pact", "log.jsonl", "--verdicts", "rows.jsonl")
    rows = [json.loads(line) for line in Path("rows.jsonl").read_text().splitlines()]
    for row in (row for row in rows if "violated" in row):
        found = explained(told, "--line", str(row["line"]))
        assert [name for name, c in found.items() if c["outcome"] == "violated"] == row["violated"]
        assert [name for name, c in found.items() if c["outcome"] == "unknown"] == row["unknown"]


def test_docs_say_every_form(told: Pactc) -> None:
    said = " ".join(told("docs", "p.pact").out.split())
    for part in (
        "A session is all calls with the same `session`", "After 2 hours without a call a new one begins",
        "After 100 calls nothing more is known of one",
        "`denied`: a call of which `tool` is `\"refund\"` and `ok` is false",
        "`refund` comes only after `verify`, at least 2 times, anew since the last `refund`, not longer than 30m"
        " ago, looked at for each value of `args.customer` alone",
        "`refund` never comes after `denied`, until `handover` has come",
        "After `denied`, `handover` comes within 3 calls or 10m; if the session ends first, it is broken",
        "it cannot be enforced", "At most 4 calls in one session",
        "was named before in `input` of `asked` or `output` of `verify`",
        "on every call of the session so far `cost` is less than `9.0`",
    ):  # fmt: skip
        assert part.lower() in said.lower(), part
    assert told("docs", "p.pact", "--format", "html").code == exits.FINE


def test_the_style_keeps_them() -> None:
    text, _ = format_pact(Source("p.pact", PACT))
    assert text is not None and format_pact(Source("p.pact", text))[0] == text
    assert pactlang.compile(text).digest == pactlang.compile(PACT).digest


def test_an_editor_knows_events_operators_and_forms() -> None:
    document = Document("file:///p.pact", PACT)
    knowledge = Knowledge(document)
    words = {"once(": "held on this call", "previous(": "call before", "verify within": "event verify"}
    for word, part in words.items():
        found = hover.hover(document, knowledge, PACT.index(word) + 1, {})
        assert found is not None and part in found.text, word
    at = PACT.index("!once") + 1
    labels = {item.label for item in complete(document, knowledge, at).items}
    assert {"once", "since", "count", "verify", "denied"} <= labels
    labels = {item.label for item in complete(document, knowledge, PACT.index("clause few")).items}
    assert {"clause only after", "clause at most", "session", "event"} <= labels
    at = PACT.index("denied until")
    assert "handover" in {item.label for item in complete(document, knowledge, at).items}


def test_a_ledger_is_judged_in_its_order_and_what_it_withholds_is_a_maybe(pactc: Pactc) -> None:
    rules = "store { redact args  drop ok }"
    writes = pactlang.compile(f'pact w "1.0.0" clause c {{ require size(output) < 99 }} {rules}')
    with pactlang.Guard(writes, ledger="l.ledger") as guard:
        for id, tool in (("a", "verify"), ("b", "refund")):
            guard.record({"id": id, "session": "s", "tool": tool, "ok": False, "args": {"customer": "c"}})
    pactc.write(
        "q.pact",
        """pact q "1.0.0"
    event verify when tool == "verify"
    event refund when tool == "refund"
    event denied when tool == "refund" && ok == false
    clause verified { refund only after verify }
    clause one_customer { refund only after verify same args.customer }
    clause steady { require !once(denied) }
    """,
    )
    clauses = pactc("run", "q.pact", "l.ledger", "--format", "json").data["clauses"]
    assert (clauses["verified"]["satisfied"], clauses["verified"]["skipped"]) == (1, 1)
    assert clauses["one_customer"]["unknown"] == clauses["steady"]["unknown"] == 2
    found = pactc("explain", "q.pact", "l.ledger", "--call", "b", "--format", "json").data["clauses"]
    assert [each["outcome"] for each in found] == ["satisfied", "unknown", "unknown"]


FIGURES = """pact p "1.0.0"
clause cheap { keep sum(cost) <= 2.0 over 1h by agent }
clause sound { keep rate(has(error)) < 0.5 over 10 calls min 5 calls }
event ask when tool == "ask"
clause few { at most 9 ask per session }
"""


def test_a_broken_figure_is_told_with_its_promise(pactc: Pactc) -> None:
    pactc.write("f.pact", FIGURES)
    calls = [{"id": f"c{n}", "session": "s", "time": "2026-01-01T00:00:00Z", "cost": 1.5} for n in range(2)]
    pactc.write("f.jsonl", "\n".join(map(json.dumps, calls)))
    said = pactc("explain", "f.pact", "f.jsonl", "--call", "c1").out
    assert "sum(cost) <= 2.0" in said and "1h" in said and "evidence" in said


@pytest.mark.parametrize(("id", "warned"), [("conversation", True), (None, False)])
def test_a_log_whose_ids_name_no_calls_is_warned_about(pactc: Pactc, id: str | None, warned: bool) -> None:
    """All but the first count as duplicates, so next to nothing is judged."""
    pactc.write("f.pact", FIGURES)
    calls = [{"id": id or f"c{n}", "session": "s", "tool": "ask", "cost": 0.1} for n in range(9)]
    pactc.write("f.jsonl", "\n".join(map(json.dumps, calls)))
    told = pactc("run", "f.pact", "f.jsonl", "--format", "json").data
    assert any("8 of 9 records" in warning for warning in told["warnings"]) is warned
