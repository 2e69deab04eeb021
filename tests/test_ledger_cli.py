"""`pactc ledger`, and a ledger in the place of a file of records."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from cli_tools import COUNTS, PACT, RECORDS, Pactc, pactc
from test_ledger import edit

import pactlang
from pactlang.ledger import Entry, Ledger, Reader

__all__ = ["pactc"]
STORE = "store { redact output secret; drop args }"
STORED = f"{PACT}\n{STORE}\n"
OTHER = PACT.replace("1.2.0", "1.3.0")


def store(path: Path, pact: str, records: list[dict[str, Any]] = RECORDS, writer: str = "w") -> None:
    """Judge records by a pact and store them, as a guard does."""
    program = pactlang.compile(pact)
    evaluator = pactlang.Evaluator(program)
    with Ledger(path, program) as ledger:
        for number, record in enumerate(records):
            verdict = evaluator.check(record)
            names: dict[str, list[str]] = {"violated": [], "unknown": [], "skipped": [], "satisfied": []}
            for name, outcome in evaluator.outcomes(verdict).items():
                names[outcome.name.lower()].append(name)
            said = {key: tuple(names[key]) for key in ("violated", "unknown", "skipped")}
            call = json.dumps(record).encode()
            session = f"s{number % 2}"
            ledger.put(
                Entry(
                    call,
                    writer,
                    number,
                    session,
                    number // 2,
                    1.7e9 + number,
                    **said,
                    outside=verdict.outside,
                )
            )


@pytest.fixture
def kept(pactc: Pactc) -> Path:
    path = pactc.folder / "calls.ledger"
    store(path, PACT)
    return path


@pytest.fixture
def withheld(pactc: Pactc) -> Path:
    path = pactc.folder / "calls.ledger"
    pactc.write("stored.pact", STORED)
    pactc.write("other.pact", OTHER)
    store(path, STORED)
    return path


def counts(data: Any) -> dict[str, tuple[int, ...]]:
    outcomes = ("satisfied", "violated", "skipped", "unknown")
    return {name: tuple(clause[word] for word in outcomes) for name, clause in data["clauses"].items()}


# show, list, export, verify -----------------------------------------------------------------------


def test_show(pactc: Pactc, kept: Path) -> None:
    shown = pactc("ledger", "show", "calls.ledger")
    assert shown.code == 0 and shown.err == ""
    assert "7 calls of 2 sessions, 2023-11-14T22:13:20.000Z to 2023-11-14T22:13:26.000Z" in shown.out
    assert "shop 1.2.0, sha256:" in shown.out and "small_refunds  1 violated, 1 unknown" in shown.out
    data = pactc("ledger", "show", "calls.ledger", "--format", "json").data
    assert data["calls"] == 7 and data["pacts"][0]["clauses"] == ["small_refunds", "no_secrets", "cheap"]
    assert data["clauses"][1] == {"clause": "no_secrets", "violated": 1, "unknown": 0}
    assert [run["ended"] for run in data["runs"]] == ["closed"]


def test_show_says_what_was_lost(pactc: Pactc, kept: Path) -> None:
    edit(str(kept), "UPDATE runs SET ended = NULL, pid = 4194999, dropped = 3, failed = 2")
    shown = pactc("ledger", "show", "calls.ledger")
    assert (
        "ended without closing" in shown.err
        and "dropped 3 calls" in shown.err
        and "lost 2 calls" in shown.err
    )
    assert "ended" not in shown.out


def test_list(pactc: Pactc, kept: Path) -> None:
    listed = pactc("ledger", "list", "calls.ledger")
    lines = listed.out.splitlines()
    assert listed.code == 0 and len(lines) == 7
    assert lines[0] == "2023-11-14T22:13:20.000Z  w:0  session s0 #0  ok"
    assert lines[4].endswith("violated no_secrets, cheap") and lines[5].endswith("outside")
    assert lines[3].endswith("unknown small_refunds")


QUESTIONS = [
    ([], 7),
    (["--session", "s1"], 3),
    (["--clause", "cheap"], 1),
    (["--clause", "small_refunds", "--outcome", "unknown"], 1),
    (["--clause", "small_refunds", "--outcome", "skipped"], 3),
    (["--outcome", "violated"], 2),
    (["--since", "2023-11-14T22:13:22Z"], 5),
    (["--since", "1700000002", "--until", "2023-11-14T22:13:24"], 2),
    (["--until", "2023-11-14"], 0),
    (["--since", "2023-11-15T00:13:22+02:00"], 5),
    (["--writer", "x"], 0),
    (["--limit", "2"], 2),
    (["--limit", "0"], 0),
]


@pytest.mark.parametrize(("options", "many"), QUESTIONS, ids=lambda value: str(value))
def test_count_prints_the_bare_number(pactc: Pactc, kept: Path, options: list[str], many: int) -> None:
    counted = pactc("ledger", "list", "calls.ledger", "--count", *options)
    assert (counted.code, counted.out, counted.err) == (0, f"{many}\n", "")
    assert len(pactc("ledger", "list", "calls.ledger", *options).out.splitlines()) == many


def test_list_as_json(pactc: Pactc, kept: Path) -> None:
    lines = pactc("ledger", "list", "calls.ledger", "--format", "json").out.splitlines()
    first = json.loads(lines[4])
    assert first["call"] == RECORDS[4] and first["violated"] == ["no_secrets", "cheap"]
    assert first["capture"] == {"writer": "w", "number": 4} and first["withheld"] is None
    assert len(first["digest"]) == 64


def test_export(pactc: Pactc, kept: Path) -> None:
    whole = pactc("ledger", "export", "calls.ledger")
    assert whole.err == "" and [json.loads(line)["call"] for line in whole.out.splitlines()] == RECORDS
    said = pactc("ledger", "export", "calls.ledger", "-o", "out.jsonl", "--calls", "--session", "s1")
    assert (said.code, said.out, said.err) == (0, "", "3 calls written to out.jsonl\n")
    lines = (pactc.folder / "out.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == RECORDS[1::2]
    assert pactc("run", "shop.pact", "out.jsonl").code == 0


def test_export_does_not_write_over_the_ledger(pactc: Pactc, kept: Path) -> None:
    assert "the ledger itself" in pactc("ledger", "export", "calls.ledger", "-o", "calls.ledger").err
    assert "cannot write" in pactc("ledger", "export", "calls.ledger", "-o", "no/where").err
    assert Reader(kept).count() == 7


def test_verify(pactc: Pactc, kept: Path) -> None:
    found = pactc("ledger", "verify", "calls.ledger")
    assert (found.code, found.out) == (0, "every chain holds: 7 calls of 1 writer\n")
    data = pactc("ledger", "verify", "calls.ledger", "--format", "json").data
    assert data["ok"] and data["calls"] == 7 and data["writers"][0]["writer"] == "w"
    edit(str(kept), "UPDATE calls SET call = '{}' WHERE number = 3")
    found = pactc("ledger", "verify", "calls.ledger")
    assert found.code == 1 and "problem: writer w: call 3 is not what was written" in found.out
    assert pactc("ledger", "verify", "calls.ledger", "--format", "json").code == 1


def test_a_missing_capture_is_told_of(pactc: Pactc) -> None:
    with Ledger(pactc.folder / "gap.ledger", pactlang.compile(PACT)) as ledger:
        for number in (0, 3):
            ledger.put(Entry(b"{}", "w", number, None, None, None))
    assert (
        pactc("ledger", "verify", "gap.ledger").out == "every chain holds: 2 calls of 1 writer, 2 missing\n"
    )


WRONG = [
    (["show", "none"], "cannot open none: no such file"),
    (["list", "log.jsonl"], "is no ledger: it is not an SQLite database"),
    (["verify", "."], "is a directory"),
    (["list", "calls.ledger", "--clause", "cheep"], "has a clause `cheep`"),
    (["list", "calls.ledger", "--since", "yesterday"], "is no time"),
    (["list", "calls.ledger", "--outcome", "fine"], "Invalid value"),
    (["list"], "Missing argument"),
    (["find"], "No such command"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=lambda value: str(value))
def test_wrong_use(pactc: Pactc, kept: Path, arguments: list[str], message: str) -> None:
    done = pactc("ledger", *arguments)
    assert done.code == 2 and message in done.err and done.out == ""


@pytest.mark.parametrize("question", ["show", "list", "export", "verify"])
def test_a_newer_ledger(pactc: Pactc, kept: Path, question: str) -> None:
    edit(str(kept), "PRAGMA user_version = 9")
    done = pactc("ledger", question, "calls.ledger")
    assert done.code == 2 and "newer version of pactlang (format 9)" in done.err


def test_nothing_moves_the_cursor(pactc: Pactc) -> None:
    evil = "\x1b[2J\u202e"
    with Ledger(pactc.folder / "evil.ledger", pactlang.compile(PACT)) as ledger:
        ledger.put(Entry(b"{}", evil, 0, evil, 0, 1e11, violated=(evil,)))
    for question in ("show", "list", "verify", "export"):
        done = pactc("ledger", question, "evil.ledger")
        assert "\x1b[2J" not in done.out + done.err and (question == "export" or "\u202e" not in done.out)


def test_reading_changes_nothing(pactc: Pactc, kept: Path) -> None:
    before = kept.read_bytes()
    for question in ("show", "list", "export", "verify"):
        assert pactc("ledger", question, "calls.ledger").code == 0
    assert pactc("run", "shop.pact", "calls.ledger").code == 0
    assert kept.read_bytes() == before


# In the place of records --------------------------------------------------------------------------


def test_run_takes_a_ledger(pactc: Pactc, kept: Path) -> None:
    data = pactc.run("calls.ledger", "--format", "json").data
    assert counts(data) == COUNTS and (data["calls"], data["outside"], data["undecodable"]) == (6, 1, 0)
    plain = pactc.run("log.jsonl", "--format", "json").data
    for key in ("violations", "unknowns"):
        places = [{k: v for k, v in each.items() if k != "file"} for each in data[key]]
        assert places == [{k: v for k, v in each.items() if k != "file"} for each in plain[key]]
    both = pactc.run("calls.ledger", "log.jsonl", "--format", "json").data
    assert both["calls"] == 12


def test_the_same_pact_says_again_what_it_said(pactc: Pactc, withheld: Path) -> None:
    stored = list(Reader(withheld).entries())
    assert [bool(entry.withheld) for entry in stored] == [False, True, True, True, True, False, False]
    data = pactc("run", "stored.pact", "calls.ledger", "--format", "json").data
    assert counts(data) == COUNTS and data["outside"] == 1
    messages = {each["clause"]: each["message"] for each in data["violations"]}
    assert messages["no_secrets"].endswith("what shows it was withheld") and len(messages) == 3
    assert data["unknowns"][0]["reason"].endswith("what shows why was withheld")
    assert pactc("run", "stored.pact", "calls.ledger", "--fail-on", "critical").code == 1


def test_another_pact_does_not_know_what_was_withheld(pactc: Pactc, withheld: Path) -> None:
    data = pactc("run", "other.pact", "calls.ledger", "--format", "json", "--verdicts", "rows.jsonl").data
    assert counts(data) == {
        "small_refunds": (0, 0, 3, 3),
        "no_secrets": (5, 0, 0, 1),
        "cheap": (1, 1, 4, 0),
    }
    reasons = {each["clause"]: each["reason"] for each in data["unknowns"]}
    assert reasons["no_secrets"] == "it reads `output`, which the ledger does not hold"
    assert reasons["small_refunds"] == "it reads `args`, which the ledger does not hold"
    rows = [json.loads(line) for line in (pactc.folder / "rows.jsonl").read_text().splitlines()]
    assert rows[4]["unknown"] == ["no_secrets"] and rows[4]["violated"] == ["cheap"]


def test_what_decides_the_scope_is_withheld(pactc: Pactc) -> None:
    pactc.write("other.pact", OTHER)
    store(pactc.folder / "a.ledger", f"{PACT}\nstore {{ drop kind }}\n")
    data = pactc("run", "other.pact", "a.ledger", "--format", "json").data
    held = [record for record in RECORDS if "kind" in record]
    assert data["outside"] == 0 and data["calls"] == len(RECORDS)
    assert all(clause["unknown"] >= len(held) for clause in data["clauses"].values())


STRICT = """pact strict "1.0.0" on R
record R { id: int  text: string  many: list(string)  when: timestamp(s)  kind: enum("a", "b")  part: Part }
record Part { size: int }
clause k1 { require size(many) < 2 && part.size < 5 && kind == "a" && when > timestamp("2020-01-01T00:00:00Z") }
clause k2 { require id < 5 }
"""


@pytest.mark.parametrize("how", ["drop", "redact"])
def test_required_fields_that_are_withheld_leave_the_rest_readable(pactc: Pactc, how: str) -> None:
    record = {"id": 1, "text": "t", "many": ["x"], "when": 1.7e9, "kind": "a", "part": {"size": 3}}
    rules = "; ".join(f"{how} {name}" for name in ("text", "many", "when", "kind", "part"))
    store(pactc.folder / "a.ledger", f"{STRICT}\nstore {{ {rules} }}", [record])
    pactc.write("strict.pact", STRICT)
    data = pactc("run", "strict.pact", "a.ledger", "--format", "json").data
    assert data["undecodable"] == 0
    assert counts(data) == {"k1": (0, 0, 0, 1), "k2": (1, 0, 0, 0)}


def test_explain_takes_a_ledger(pactc: Pactc, kept: Path) -> None:
    told = pactc("explain", "shop.pact", "calls.ledger", "--call", "b")
    plain = pactc("explain", "shop.pact", "log.jsonl", "--call", "b")
    assert told.code == 0 and told.out.partition("\n")[2] == plain.out.partition("\n")[2]


def test_explain_says_what_was_withheld(pactc: Pactc, withheld: Path) -> None:
    told = pactc("explain", "other.pact", "calls.ledger", "--line", "5")
    assert "no_secrets: unknown\n  it reads `output`, which the ledger does not hold" in told.out
    assert "cheap: violated" in told.out
    again = pactc("explain", "stored.pact", "calls.ledger", "--call", "e", "--format", "json").data
    outcomes = {clause["clause"]: clause["outcome"] for clause in again["clauses"]}
    assert outcomes == {"small_refunds": "skipped", "no_secrets": "violated", "cheap": "violated"}


def test_a_damaged_ledger_among_records(pactc: Pactc, kept: Path) -> None:
    pactc.write("other.db", b"")
    edit("other.db", "CREATE TABLE t (a)")
    assert "no ledger" in pactc.run("other.db").err
    made = sqlite3.connect(kept)
    made.execute("UPDATE calls SET said = '?' WHERE number = 4")
    made.commit()
    made.close()
    done = pactc.run("calls.ledger")
    assert done.code in (2, 3) and "Traceback" not in done.err
