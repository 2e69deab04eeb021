"""`pactc replay`: every call is compared once, by what finally became of it, and what is said adds up."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from cli_tools import LOG, PACT, Pactc, pactc
from test_cli_score import KEEPS, PLAIN, Tags, lines, records
from test_ledger_cli import store

import pactlang
from pactlang.cli import exits
from pactlang.cli.changes import rest
from pactlang.opcodes import Outcome

__all__ = ["pactc"]
PACTS = Path(__file__).parent / "pacts"
GRAVE = ("critical", "major", "minor", "info")
LOOSE = """pact plain "1.1.0"
clause short { severity info  require size(output) <= 40 }
clause quick { dimension latency  when has(latency)  require latency <= 1s }
clause fine { severity minor  require output == "fine" }
"""
LATER = """pact keeps "2.0.0"
session by session
event ask    when tool == "ask"
event answer when tool == "answer"
clause answered { severity minor  after ask expect answer within 4 calls or 3h }
clause asked { answer only after ask }
clause twice { at most 1 ask per session }
"""
APPLIES = """pact plain "1.2.0"
applies when model != "a"
clause short { severity minor  require size(output) <= 20 }
clause clean { severity critical  dimension safety  never output.contains("more") }
"""
TEXTS = {"plain": PLAIN, "loose": LOOSE, "keeps": KEEPS, "later": LATER, "applies": APPLIES}


@pytest.fixture
def logged(pactc: Pactc) -> Pactc:
    for name, text in TEXTS.items():
        pactc.write(f"{name}.pact", text)
    pactc.write("calls.jsonl", lines(records(600, 1)))
    return pactc


def replay(logged: Pactc, *arguments: str, code: int = exits.FINE, stdin: bytes = b"") -> Any:
    done = logged("replay", *arguments, "--format", "json", stdin=stdin)
    assert done.code == code, done.err
    return done.data


# The same by hand ---------------------------------------------------------------------------------


def judged(text: str, found: list[Any]) -> list[dict[str, str]]:
    """Of each call what finally became of every clause, by a monitor."""
    program = pactlang.compile(text)
    names = [clause.name for clause in program.clauses]
    monitor, said, at = pactlang.Monitor(program), list[dict[str, str]](), dict[Any, int]()
    for number, each in enumerate(found):
        verdict: Any = monitor.feed(each)
        at[each["id"]] = number
        said.append(dict.fromkeys(names, "outside"))
        for clause, name in enumerate(names):
            if not verdict.outside:
                said[number][name] = Outcome(verdict.outcome(clause)).name.lower()
            if monitor.machine.memory(verdict, clause).is_waiting:
                said[number][name] = "waiting"
        for amendment in monitor.amendments:
            said[at[amendment.id]][amendment.clause] = amendment.outcome.name.lower()
    return said


def whole(said: dict[str, str]) -> str:
    order = ("outside", "violated", "unknown", "waiting")
    word = next((word for word in order if word in said.values()), "ok")
    return "broken" if word == "violated" else word


def gravest(text: str, said: dict[str, str]) -> int:
    ranks = {clause.name: GRAVE.index(clause.severity) for clause in pactlang.compile(text).clauses}
    return min((ranks[name] for name, word in said.items() if word == "violated"), default=9)


def matrix(pairs: list[tuple[str, str]]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (old, new), many in Counter(pairs).items():
        found.setdefault(old, {})[new] = many
    return found


@pytest.mark.parametrize("old", TEXTS)
@pytest.mark.parametrize("new", TEXTS)
def test_every_call_is_where_two_monitors_put_it(logged: Pactc, old: str, new: str) -> None:
    calls = records(600, 1)
    one, other = judged(TEXTS[old], calls), judged(TEXTS[new], calls)
    data = replay(logged, f"{old}.pact", f"{new}.pact", "calls.jsonl")
    wholes = [(whole(a), whole(b)) for a, b in zip(one, other, strict=True)]
    assert data["calls"]["outcomes"] == matrix(wholes) and data["records"] == 600
    for clause in data["clauses"]:
        name, pairs = clause["clause"], []
        for at, (a, b) in enumerate(zip(one, other, strict=True)):
            pairs.append((a.get(name, wholes[at][0]), b.get(name, wholes[at][1])))
        assert clause["outcomes"] == matrix(pairs), name
    graves = [
        (gravest(TEXTS[old], a), gravest(TEXTS[new], b)) for a, b in zip(one, other, strict=True) if b and a
    ]
    passing = [b for a, b in wholes if a == "broken"]
    assert data["weaker"] == {
        "broken": len(passing),
        "pass": sum(word in ("ok", "outside") for word in passing),
        "less_grave": sum(a < b < 9 for a, b in graves),
        "not_known": sum(word in ("unknown", "waiting") for word in passing),
    }
    assert data["stricter"]["more_grave"] == sum(b < a < 9 for a, b in graves)
    assert data["stricter"]["broken"] == sum(a in ("ok", "outside") and b == "broken" for a, b in wholes)


@pytest.mark.parametrize(("old", "new"), [("plain", "loose"), ("keeps", "later"), ("later", "plain")])
def test_examples_are_the_first_calls_and_say_what_the_broken_side_says(
    logged: Pactc, old: str, new: str
) -> None:
    calls = records(600, 1)
    one, other = judged(TEXTS[old], calls), judged(TEXTS[new], calls)
    data = replay(logged, f"{old}.pact", f"{new}.pact", "calls.jsonl", "--limit", "4")
    seen = 0
    for flip in data["calls"]["flips"]:
        first = [
            call["id"]
            for call, a, b in zip(calls, one, other, strict=True)
            if (whole(a), whole(b)) == (flip["old"], flip["new"])
        ]
        assert [each["id"] for each in flip["examples"]] == first[:4] and flip["calls"] == len(first)
        if "broken" in (flip["old"], flip["new"]):
            assert all(each["message"] for each in flip["examples"])
            seen += len(first)
    assert seen
    for clause in data["clauses"]:
        for flip in clause["flips"]:
            assert "violated" in (flip["old"], flip["new"]) or clause["change"] in ("same", "changed")
            for each in flip["examples"]:
                assert calls[each["line"] - 1]["id"] == each["id"]


def test_what_came_out_later_says_on_which_call(logged: Pactc) -> None:
    calls = [
        {"id": "p", "session": "s", "time": "2026-01-01T00:00:00Z", "tool": "ask"},
        *(
            {"id": f"q{n}", "session": "s", "time": f"2026-01-01T00:0{n}:00Z", "tool": "other"}
            for n in (1, 2, 3)
        ),
        {"id": "r", "session": "s", "time": "2026-01-01T00:05:00Z", "tool": "answer"},
    ]
    logged.write("late.jsonl", lines(calls))
    done = logged("replay", "keeps.pact", "later.pact", "late.jsonl", "--fail-on", "weaker")
    assert done.code == exits.FOUND and "1 of 1 call" in done.out.splitlines()[0]
    data = replay(logged, "keeps.pact", "later.pact", "late.jsonl")
    (flip,) = next(each["flips"] for each in data["clauses"] if each["clause"] == "answered")
    (example,) = flip["examples"]
    assert (flip["old"], flip["new"], example["id"], example["line"]) == ("violated", "satisfied", "p", 1)
    assert example["resolved"] == {"file": "late.jsonl", "line": 3, "id": "q2"} and example["message"]


# What a replay adds up to ---------------------------------------------------------------------------

TRACES = {
    "airline": "data/traces/taubench/airline_gpt4o_calls.jsonl.gz",
    "airline_calls": "data/traces/taubench/airline_gpt4o_calls.jsonl.gz",
    "agentdojo": "data/traces/agentdojo/calls.jsonl.gz",
    "agentdojo_calls": "data/traces/agentdojo/calls.jsonl.gz",
    "providers": "data/traces/pydantic_ai_cassettes/calls.jsonl.gz",
}


@pytest.mark.parametrize("name", TRACES)
def test_real_calls_add_up_to_the_runs_of_both_pacts(pactc: Pactc, shared: Path, name: str) -> None:
    """A real pact and one without its first clauses, the last one twice as mild: rows add up to what `run`
    counts for the old pact, columns to what it counts for the new one."""
    text, log = (PACTS / f"{name}.pact").read_text(), str(shared / TRACES[name])
    module = pactlang.compile(text).module
    cut = text
    for clause in module.clauses[:2]:
        body = re.compile(rf"^clause {clause.name} .*?^\}}\n|^clause {clause.name} .*\}}\n", re.M | re.S)
        cut = body.sub("", cut, count=1)
    cut = re.sub(r"^test .*?^\}\n", "", cut, flags=re.M | re.S)
    pactc.write("old.pact", text)
    pactc.write("new.pact", cut)
    data = replay(pactc, "old.pact", "new.pact", log)
    runs = [pactc("run", f"{side}.pact", log, "--format", "json").data for side in ("old", "new")]
    kinds = Counter(each["change"] for each in data["clauses"])
    assert kinds == {"same": len(module.clauses) - 2, "gone": 2}
    for clause in data["clauses"]:
        outcomes = clause["outcomes"]
        rows = {word: sum(row.values()) for word, row in outcomes.items()}
        columns = Counter[str]()
        for row in outcomes.values():
            columns.update(row)
        for side, found in zip(runs, (rows, columns), strict=True):
            said = side["clauses"].get(clause["clause"])
            if said is not None:
                unknown = found.get("unknown", 0) + found.get("waiting", 0)
                assert [found.get(word, 0) for word in ("satisfied", "violated", "skipped")] == [
                    said[word] for word in ("satisfied", "violated", "skipped")
                ]
                assert unknown == said["unknown"]
    assert data["stricter"] == {"broken": 0, "more_grave": 0}
    assert data["records"] == runs[0]["records"]


def test_the_score_is_that_of_pactc_score(logged: Pactc) -> None:
    data = replay(logged, "plain.pact", "loose.pact", "calls.jsonl")["score"]
    for side, name in (("old", "plain"), ("new", "loose")):
        known = logged("score", f"{name}.pact", "calls.jsonl", "--format", "json").data
        assert data[side].items() <= known.items()
    assert data["moved"]["value"] == pytest.approx(data["new"]["value"] - data["old"]["value"])
    logged.write("hundred.pact", LOOSE + "score { scale 100 }")
    assert replay(logged, "plain.pact", "hundred.pact", "calls.jsonl")["score"]["moved"]["value"] is None


def test_a_pact_is_neither_weaker_nor_stricter_than_itself(logged: Pactc) -> None:
    for name in TEXTS:
        done = logged("replay", f"{name}.pact", f"{name}.pact", "calls.jsonl", "--fail-on", "any")
        assert done.code == exits.FINE and "not weaker" in done.out.splitlines()[0]


def test_fail_on(logged: Pactc) -> None:
    call = {"id": "a", "output": "far, far too long to be short"}
    logged.write("one.jsonl", lines([call]))
    for old, new, failing in (
        ("plain", "loose", {"stricter", "any"}),
        ("plain", "applies", {"weaker", "unknown", "any"}),
        ("plain", "plain", set[str]()),
        ("applies", "plain", {"stricter", "any"}),
    ):
        for wanted in ("weaker", "stricter", "unknown", "any"):
            code = logged("replay", f"{old}.pact", f"{new}.pact", "calls.jsonl", "--fail-on", wanted).code
            assert (code == exits.FOUND) == (wanted in failing), (old, new, wanted)
    info = PLAIN.replace("severity minor", "severity info")
    logged.write("info.pact", info)
    done = logged("replay", "plain.pact", "info.pact", "one.jsonl", "--fail-on", "weaker")
    assert done.code == exits.FOUND and "less gravely" in done.out.splitlines()[0]
    done = logged("replay", "info.pact", "plain.pact", "one.jsonl", "--fail-on", "weaker")
    assert done.code == exits.FINE and "more gravely" in done.out


def odd(seed: int) -> bytes:
    """Calls with ids that come again, times that are none, sessions that are missing, and lines that are none."""
    draw, found = random.Random(seed), list[bytes]()
    for call in records(draw.randrange(1, 40), seed):
        for key, values in (
            ("id", [None, 3, True, "dup", "dup", [1], 2**70, 1.5]),
            ("time", ["soon", None, 3, "2026-01-01T00:00:60Z", "9999-12-31T00:00:00Z"]),
            ("session", [None, 7, "s0"]),
            ("seq", [0, 1, 1, 5, -1]),
        ):
            if draw.random() < 0.08:
                call[key] = draw.choice(values)
        line = json.dumps(call).encode()
        found.append(draw.choice([b"null", b"[]", b"{", b"  ", b"{}"]) if draw.random() < 0.05 else line)
    return b"{}\n" + b"\n".join(found)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_lines_are_nothing_is_lost(logged: Pactc, seed: int) -> None:
    """Rows and columns of every matrix are what `run` counts of the one and the other pact."""
    logged.write("odd.jsonl", odd(seed))
    old, new = random.Random(seed).choices([*TEXTS], k=2)
    data = logged("replay", f"{old}.pact", f"{new}.pact", "odd.jsonl", "--format", "json").data
    for at, name in enumerate((old, new)):
        ran = logged("run", f"{name}.pact", "odd.jsonl", "--format", "json").data
        for clause in [data["calls"], *data["clauses"]]:
            sums = Counter[str]()
            for row, columns in clause["outcomes"].items():
                for column, many in columns.items():
                    sums[(row, column)[at]] += many
            assert sum(sums.values()) == ran["records"] == data["records"]
            assert sums["unreadable"] == ran["undecodable"] and sums["outside"] == ran["outside"]
            assert sums["repeated"] == ran.get("duplicates", 0)
            if (said := ran["clauses"].get(clause.get("clause"))) is not None:
                for word in ("satisfied", "violated", "skipped"):
                    assert sums[word] == said[word]


# What a ledger does not hold ------------------------------------------------------------------------


def test_what_was_withheld_is_counted_and_named(pactc: Pactc) -> None:
    """By the pact that judged the calls its verdicts stand; the other cannot know what the ledger lacks."""
    pactc.write("stored.pact", f"{PACT}\nstore {{ redact output secret; drop args }}\n")
    pactc.write("other.pact", PACT.replace("1.2.0", "1.3.0").replace("cost < 1.0", "cost < 3.0"))
    store(pactc.folder / "a.ledger", (pactc.folder / "stored.pact").read_text())
    for old, new, side, not_known in (("stored", "other", "new", 2), ("other", "stored", "old", 0)):
        data = replay(pactc, f"{old}.pact", f"{new}.pact", "a.ledger")
        held = {each["clause"]: each["not_held"] for each in data["clauses"]}
        assert {name: sum(e["calls"] for e in found[side]) for name, found in held.items()} == {
            "small_refunds": 3, "no_secrets": 1, "cheap": 0,
        }  # fmt: skip
        assert "`args`" in held["small_refunds"][side][0]["reason"]
        other = "old" if side == "new" else "new"
        assert not any(found[other] for found in held.values())
        assert data["weaker"]["not_known"] == not_known
    assert pactc("replay", "stored.pact", "other.pact", "a.ledger", "--fail-on", "weaker").code == exits.FINE
    done = pactc("replay", "stored.pact", "other.pact", "a.ledger", "--fail-on", "unknown")
    assert done.code == exits.FOUND and "not known" in done.out.splitlines()[0]
    assert "no_secrets  NEW: 1 call, it reads `output`, which the ledger does not hold" in done.out


HELD = """pact held "1.0.0"
session by session
event approve when output.contains("approved")
event refund when tool == "refund"
event ask when tool == "ask"
clause approved { refund only after approve }
clause answered { after ask expect approve within 2 calls }
clause few { at most 1 refund per session }
"""


def test_what_other_calls_lack_is_counted_by_itself(pactc: Pactc) -> None:
    """A pact that remembers: every unknown that would be known from the whole calls has a reason."""
    stored, other = HELD + "store { redact output }\n", HELD.replace("1.0.0", "1.1.0")
    pactc.write("stored.pact", stored)
    pactc.write("other.pact", other)
    draw, calls = random.Random(5), list[dict[str, Any]]()
    with pactlang.Guard(pactlang.compile(stored), pactc.folder / "a.ledger") as guard:
        for at in range(120):
            made = {"id": f"c{at}", "session": f"s{at // 6}", "tool": draw.choice(["ask", "refund", "other"])}
            if draw.random() < 0.4:
                made["output"] = draw.choice(["approved it", "no"])
            calls.append(made)
            guard.record(made)
    data = replay(pactc, "stored.pact", "other.pact", "a.ledger", "--limit", "1")
    known = judged(other, calls)
    for clause in data["clauses"]:
        name, columns = clause["clause"], Counter[str]()
        for row in clause["outcomes"].values():
            columns.update(row)
        whole_calls = sum(said[name] == "unknown" for said in known)
        held = {each["reason"]: each["calls"] for each in clause["not_held"]["new"]}
        assert sum(held.values()) == columns["unknown"] - whole_calls, name
        if name == "approved":
            assert {why.startswith("of other calls") for why in held} == {False, True}
    assert not next(each for each in data["clauses"] if each["clause"] == "few")["not_held"]["new"]


@pytest.mark.parametrize(("old", "new"), [("plain", "loose"), ("keeps", "later"), ("plain", "applies")])
def test_the_other_way_round_is_the_mirror_image(logged: Pactc, old: str, new: str) -> None:
    one = replay(logged, f"{old}.pact", f"{new}.pact", "calls.jsonl")
    other = replay(logged, f"{new}.pact", f"{old}.pact", "calls.jsonl")
    turned = {each["clause"]: each for each in other["clauses"]}
    for clause in [one["calls"], *one["clauses"]]:
        back = turned[clause["clause"]] if "clause" in clause else other["calls"]
        pairs = [(a, b, n) for a, row in clause["outcomes"].items() for b, n in row.items()]
        assert sorted(pairs) == sorted(
            (b, a, n) for a, row in back["outcomes"].items() for b, n in row.items()
        )
        flips = {(each["old"], each["new"]): each["examples"] for each in clause["flips"]}
        for (a, b), examples in flips.items():
            if "unknown" not in (a, b):
                mirrored = next(e for e in back["flips"] if (e["old"], e["new"]) == (b, a))["examples"]
                assert mirrored == examples
    assert one["weaker"]["pass"] == other["stricter"]["broken"]
    assert one["weaker"]["less_grave"] == other["stricter"]["more_grave"]
    moved = one["score"]["moved"]
    assert moved == {name: by and -by for name, by in other["score"]["moved"].items()}


def test_a_broken_promise_about_what_is_held_has_its_evidence(pactc: Pactc) -> None:
    pactc.write("stored.pact", f"{PACT}\nstore {{ redact output secret; drop args }}\n")
    pactc.write("dear.pact", PACT.replace("cost < 1.0", "cost < 0.4"))
    store(pactc.folder / "a.ledger", (pactc.folder / "stored.pact").read_text())
    data = replay(pactc, "stored.pact", "dear.pact", "a.ledger")
    (flip,) = next(each["flips"] for each in data["clauses"] if each["clause"] == "cheap")
    assert "0.5" in flip["examples"][0]["message"]
    ran = pactc("run", "dear.pact", "a.ledger", "--format", "json").data
    assert not any("withheld" in each["message"] for each in ran["violations"])


# What the pacts say ---------------------------------------------------------------------------------


def test_what_all_clauses_have_in_common_is_named(logged: Pactc) -> None:
    assert rest(pactlang.compile(PLAIN), pactlang.compile(APPLIES)) == ["applies when"]
    limited = KEEPS.replace("session by session", "session by session idle 30m").replace("2d", "3d")
    assert rest(pactlang.compile(KEEPS), pactlang.compile(limited)) == ["session", "score"]
    out = logged("replay", "plain.pact", "applies.pact", "calls.jsonl").out
    assert "`applies when`" in out


# The same bytes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "json", "html"])
def test_the_same_inputs_give_the_same_bytes(logged: Pactc, form: str) -> None:
    found = lines(records(600, 1)).splitlines(True)
    found[100] = b"not json\n"
    logged.write("bad.jsonl", b"".join(found))
    store(logged.folder / "a.ledger", f"{PACT}\nstore {{ redact output secret; drop args }}\n")
    said = set()
    for seed in ("0", "1", "77"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "COLUMNS": "90"}
        command = [sys.executable, "-m", "pactlang.cli", "replay", "keeps.pact", "later.pact", "bad.jsonl"]
        made = subprocess.run(
            [*command, "a.ledger", "--format", form], capture_output=True, env=environment, check=False
        )
        assert made.returncode == exits.FINE, made.stderr
        said.add(made.stdout + made.stderr)
    assert len(said) == 1


@pytest.mark.parametrize(("old", "new"), [("plain", "loose"), ("keeps", "later")])
def test_how_the_input_is_cut_is_nothing(
    logged: Pactc, monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    arguments = [f"{old}.pact", f"{new}.pact"]
    known = replay(logged, *arguments, "calls.jsonl")
    parquet.write_table(
        pa.Table.from_pylist(records(600, 1)), logged.folder / "calls.parquet", row_group_size=70
    )
    logged.write("calls.jsonl.gz", gzip.compress(lines(records(600, 1))))
    for name in ("calls.parquet", "calls.jsonl.gz"):
        found = replay(logged, *arguments, name)
        told = json.loads(json.dumps(found).replace(name, "calls.jsonl"))
        assert told["calls"] == known["calls"] and told["clauses"] == known["clauses"]
    cut = logged.start("replay", *arguments, "-", "--format", "json")
    assert cut.stdin is not None
    data, draw = lines(records(600, 1)), random.Random(3)
    while data:
        many = draw.randrange(1, 20_000)
        cut.stdin.write(data[:many])
        cut.stdin.flush()
        data = data[many:]
    out, _ = cut.communicate()
    told = json.loads(out.decode().replace("<stdin>", "calls.jsonl"))
    for key in ("calls", "clauses", "weaker", "stricter"):
        assert told[key] == known[key]


# Forms and bad input ------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", ["50", "72", "100"])
def test_lines_fit_and_have_no_colour_in_a_pipe(
    logged: Pactc, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for old, new in (("plain", "loose"), ("keeps", "later")):
        out = logged("replay", f"{old}.pact", f"{new}.pact", "calls.jsonl").out
        assert "\x1b" not in out
        assert max(map(len, out.splitlines())) <= int(columns)


def test_a_page_is_whole_and_loads_nothing(logged: Pactc) -> None:
    found = records(200, 1)
    for each in found[100:]:
        each["output"] = "</p><script>alert(1)</script> and much more"
        each["id"] = f"<img src=x onerror=alert({each['id']})>"
    logged.write("sharp.jsonl", lines(found))
    for old, new in (("plain", "loose"), ("keeps", "later"), ("plain", "plain")):
        page = logged("replay", f"{old}.pact", f"{new}.pact", "sharp.jsonl", "--format", "html").out
        tags = Tags()
        tags.feed(page)
        assert not tags.open and not tags.loads and "<script>" not in page and "<img" not in page
        first = logged("replay", f"{old}.pact", f"{new}.pact", "sharp.jsonl").out.splitlines()[0]
        assert f">{first}</h1>" in page


def test_names_that_could_move_the_cursor_are_escaped(logged: Pactc) -> None:
    found = records(20, 1)
    for each in found:
        each["output"], each["id"] = "far, far too long \x1b[31m to be short", f"{each['id']}\x1b[2J"
    logged.write("sharp.jsonl", lines(found))
    done = logged("replay", "plain.pact", "loose.pact", "sharp.jsonl")
    assert "\x1b" not in done.out + done.err and "\\x1b" in done.out


def test_records_of_two_kinds_are_read_by_each_as_far_as_it_can(logged: Pactc) -> None:
    own = 'pact own "1.0.0" on Step\nrecord Step { output: string  cost: string? }\n'
    logged.write(
        "own.pact", own + 'clause short { require size(output) <= 20 }\nclause c { require cost != "" }\n'
    )
    data = replay(logged, "plain.pact", "own.pact", "calls.jsonl")
    assert any("`Call`" in said and "`Step`" in said for said in data["notices"])
    dear = sum("cost" in each for each in records(600, 1))
    assert sum(row.get("unreadable", 0) for row in data["calls"]["outcomes"].values()) == dear
    out = logged("replay", "plain.pact", "own.pact", "calls.jsonl").out
    assert "Under NEW" in out and "Under OLD" not in out


def test_the_report_has_the_keys_that_are_documented(logged: Pactc) -> None:
    section = (Path(__file__).parent.parent / "README.md").read_text("utf-8").partition("## Replay\n")[2]
    rows = re.search(r"^\| key \|.*?\n\n", section, re.M | re.S)
    assert rows is not None
    cells = re.findall(r"^\| (`[^|]+) \|", rows[0], re.M)
    keys = {key for cell in cells for key in re.findall(r"`(\w+)`", cell)}
    assert replay(logged, "plain.pact", "loose.pact", "calls.jsonl").keys() == keys


def test_bad_input(logged: Pactc) -> None:
    logged.write("none.pact", 'pact none "1.0.0"\n')
    logged.write("wrong.pact", 'pact none "1.0.0"\nclause a { require ltency < 2s }\n')
    for arguments, said in (
        (("plain.pact", "none.pact", "calls.jsonl"), "none.pact: the pact has no clauses"),
        (("plain.pact", "wrong.pact", "calls.jsonl"), "wrong.pact does not compile"),
        (("plain.pact", "missing.pact", "calls.jsonl"), "missing.pact"),
        (("plain.pact", "loose.pact", "missing.jsonl"), "missing.jsonl"),
        (("plain.pact", "calls.jsonl", "calls.jsonl"), "the pact comes first"),
        (("plain.pact", "-", "-"), "given once"),
        (("-", "-", "calls.jsonl"), "given once"),
        (("plain.pact", "loose.pact"), "RECORDS"),
    ):
        done = logged("replay", *arguments)
        assert done.code == exits.UNABLE and said in done.err and not done.out, arguments
    logged.write("other.jsonl", b'{"x": 1}\n' * 50)
    done = logged("replay", "plain.pact", "loose.pact", "other.jsonl")
    assert done.code == exits.PARTIAL and done.out.startswith("Nothing can be said")
    logged.write("empty.jsonl", b"")
    done = logged("replay", "plain.pact", "loose.pact", "empty.jsonl", "--fail-on", "any")
    assert done.code == exits.FINE and done.out.startswith("Nothing can be said")
    whole = gzip.compress(random.Random(1).randbytes(10) + b"\n" + lines(records(600, 1)))
    logged.write("cut.jsonl.gz", whole[: len(whole) // 2])
    done = logged("replay", "plain.pact", "loose.pact", "cut.jsonl.gz", "--format", "json")
    assert done.code == exits.PARTIAL and len(done.data["errors"]) == 1


def test_a_pact_may_come_by_standard_input_or_be_built(logged: Pactc) -> None:
    known = replay(logged, "plain.pact", "loose.pact", "calls.jsonl")
    told = replay(logged, "plain.pact", "-", "calls.jsonl", stdin=LOOSE.encode())
    assert told["clauses"] == known["clauses"] and told["pacts"]["new"]["file"] == "<stdin>"
    logged("build", "loose.pact", "-o", "loose.pactc")
    assert replay(logged, "plain.pact", "loose.pactc", "calls.jsonl")["clauses"] == known["clauses"]


def test_a_line_that_is_too_long_is_unreadable_on_both_sides(
    logged: Pactc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pactlang.cli.input.Input.blocks.__defaults__", (1000, 2000))
    found = lines(records(20, 1)).splitlines(True)
    found[10] = b'{"output": "' + b"x" * 5000 + b'"}\n'
    logged.write("long.jsonl", b"".join(found))
    data = replay(logged, "plain.pact", "loose.pact", "long.jsonl")
    assert data["calls"]["outcomes"]["unreadable"] == {"unreadable": 1} and data["records"] == 20


def test_the_log_of_run_is_replayed_with_what_was_outside(pactc: Pactc) -> None:
    pactc.write("all.pact", PACT.replace('applies when kind != "ping"\n', ""))
    pactc.write("again.jsonl", LOG)
    data = replay(pactc, "shop.pact", "all.pact", "again.jsonl")
    assert data["other_changes"] == ["applies when"]
    assert data["calls"]["outcomes"]["outside"] == {"ok": 1}
