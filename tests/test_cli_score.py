"""`pactc score`: every call is counted once, the numbers are the scorer's, and what is shown adds up."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from cli_tools import Pactc, pactc

import pactlang
from pactlang.cli import exits

__all__ = ["pactc"]

PLAIN = """pact plain "1.0.0"
clause short { severity minor  require size(output) <= 20 }
clause quick { dimension latency  when has(latency)  require latency <= 2s }
clause clean { severity critical  dimension safety  never output.contains("secret") }
"""
KEEPS = """pact keeps "1.0.0"
session by session
event ask    when tool == "ask"
event answer when tool == "answer"
clause answered { after ask expect answer within 2 calls or 1h }
clause cheap { dimension cost  when has(cost)  require cost < 1.0 }
score { half_life 2d weights { reliability 2, cost 1 } }
"""
START = datetime(2026, 1, 1, tzinfo=UTC)


def records(many: int, seed: int, hours: float = 240.0) -> list[dict[str, Any]]:
    """Calls of two agents with four models, over some days."""
    draw, found = random.Random(seed), list[dict[str, Any]]()
    for at in range(many):
        when = START + timedelta(hours=hours * at / many)
        made: dict[str, Any] = {
            "id": f"c{at}", "session": f"s{at // 7}", "time": when.isoformat(),
            "tool": draw.choice(["ask", "answer", "other"]), "model": draw.choice("abcd"),
            "output": draw.choice(["fine"] * 9 + ["far, far too long to be short"]),
        }  # fmt: skip
        if draw.random() < 0.7:
            made["latency"], made["cost"] = draw.random() * 2.4, draw.random() * 1.2
        if draw.random() < 0.5:
            made["agent"] = draw.choice(["north", "south"])
        found.append(made)
    return found


def lines(found: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in found)


@pytest.fixture
def logged(pactc: Pactc) -> Pactc:
    pactc.write("plain.pact", PLAIN)
    pactc.write("keeps.pact", KEEPS)
    pactc.write("calls.jsonl", lines(records(600, 1)))
    return pactc


def score(logged: Pactc, *arguments: str, stdin: bytes = b"") -> Any:
    done = logged("score", *arguments, "--format", "json", stdin=stdin)
    assert done.code in (exits.FINE, exits.PARTIAL), done.err
    return done.data


def by_hand(text: str, found: list[Any]) -> pactlang.Score:
    """The score of records, verdict by verdict."""
    program = pactlang.compile(text)
    monitor, scorer = pactlang.Monitor(program), pactlang.Scorer(program)
    for number, each in enumerate(found):
        verdict = monitor.feed(each)
        scorer.add(verdict, ("w", number))
        for amendment in monitor.amendments:
            scorer.add(amendment)
    return scorer.score()


# The numbers are the scorer's -------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "text"), [("plain", PLAIN), ("keeps", KEEPS)])
def test_a_log_has_the_score_of_its_verdicts(logged: Pactc, name: str, text: str) -> None:
    found, known = score(logged, f"{name}.pact", "calls.jsonl"), by_hand(text, records(600, 1))
    assert found["numbers"] == known.numbers
    assert json.loads(json.dumps(known.json())).items() <= found.items()
    assert found["records"] == 600 and found["coverage"]["missing"] == found["coverage"]["unchecked"] == 0


@pytest.mark.parametrize("name", ["plain", "keeps"])
def test_the_form_of_the_input_is_nothing(logged: Pactc, name: str) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    data, pact = lines(records(600, 1)), f"{name}.pact"
    logged.write("calls.jsonl.gz", gzip.compress(data))
    logged.write("blank.jsonl", b"\n  \r\n" + data.replace(b"\n", b"\n\n\r\n"))
    logged.write("array.json", json.dumps(records(600, 1)))
    parquet.write_table(
        pa.Table.from_pylist(records(600, 1)), logged.folder / "calls.parquet", row_group_size=70
    )
    logged.write("first.jsonl", lines(records(600, 1)[:250]))
    logged.write("last.jsonl", lines(records(600, 1)[250:]))
    known = score(logged, pact, "calls.jsonl")["numbers"]
    for files in (
        ["calls.jsonl.gz"],
        ["blank.jsonl"],
        ["array.json"],
        ["calls.parquet"],
        ["first.jsonl", "last.jsonl"],
    ):
        found = score(logged, pact, *files)
        assert (found["numbers"], found["coverage"]["missing"]) == (known, 0), files
    assert score(logged, pact, "-", stdin=data)["numbers"] == known


def test_what_cannot_be_read_is_dropped_between_its_neighbours(logged: Pactc) -> None:
    found = lines(records(200, 2)).splitlines(True)
    found[100] = b'{"output": 3, "time": "2026-01-05T00:00:00Z"}\n'
    found[150] = b"not json\n"
    logged.write("bad.jsonl", b"".join(found))
    data = score(logged, "plain.pact", "bad.jsonl")
    assert data["coverage"]["dropped"] == data["undecodable"] == 2
    assert data["coverage"]["calls"] == 198 and data["coverage"]["missing"] == 0
    whole = score(logged, "plain.pact", "calls.jsonl", "bad.jsonl")
    assert (
        whole["lower"] < score(logged, "plain.pact", "calls.jsonl")["lower"]
        or whole["coverage"]["dropped"] == 2
    )
    far = score(logged, "plain.pact", "bad.jsonl", "--now", "2026-03-01")
    assert far["value"] is None or far["upper"] < 1000


def test_an_obligation_that_is_broken_later_counts_when_its_call_was(logged: Pactc) -> None:
    calls = [
        {"id": "p", "session": "s", "time": "2026-01-01T00:00:00Z", "tool": "ask"},
        {"id": "q", "session": "s", "time": "2026-01-03T00:00:00Z", "tool": "other"},
    ]
    logged.write("two.jsonl", lines(calls))
    data = score(logged, "keeps.pact", "two.jsonl")
    (broke,) = data["broken"]
    assert (broke["line"], broke["id"], broke["resolved"]["line"]) == (1, "p", 2)
    assert broke["time"] == "2026-01-01T00:00:00Z"
    assert data["coverage"]["violated"] == 1 and data["coverage"]["waiting"] == 0
    assert data["numbers"] == by_hand(KEEPS, calls).numbers


# What is shown adds up ----------------------------------------------------------------------------


@pytest.mark.parametrize("bands", ["", "score { scale 100 half_life 1d }", "score { scale 7 }"])
def test_value_and_losses_are_the_scale(logged: Pactc, bands: str) -> None:
    logged.write("scaled.pact", PLAIN + bands)
    data = score(logged, "scaled.pact", "calls.jsonl")
    exact = [Decimal(repr(data["value"])), *(Decimal(repr(loss["points"])) for loss in data["losses"])]
    assert sum(round(part, 6) for part in exact) == data["scale"]
    assert {loss["kind"] for loss in data["losses"]} == {"clause", "young"}
    out = logged("score", "scaled.pact", "calls.jsonl").out
    value = re.search(r"^([\d.,]+) of", out, re.M)
    went = out.partition("points went\n")[2].partition("One more day")[0]
    assert value is not None
    shown = [value[1], *re.findall(r"^ +([\d.,]+)  ", went, re.M)]
    assert sum(Decimal(each.replace(",", "")) for each in shown) == data["scale"]


def test_a_cap_is_a_loss_and_its_calls_come_first(logged: Pactc) -> None:
    found = records(600, 1)
    found[590]["output"] = "a secret"
    logged.write("leak.jsonl", lines(found))
    data = score(logged, "plain.pact", "leak.jsonl")
    assert data["value"] == 690 and [cap["clause"] for cap in data["caps"]] == ["clean"]
    assert next(loss["name"] for loss in data["losses"] if loss["kind"] == "cap") == "clean"
    assert round(sum(loss["points"] for loss in data["losses"]), 6) == 310
    why = logged("score", "plain.pact", "leak.jsonl").out.partition("Why under 700")[2]
    assert why.split()[0] == "clean" and "leak.jsonl:591  c590  2026-01-10" in why


def test_the_newest_calls_are_shown_at_most_so_many(logged: Pactc) -> None:
    found = records(600, 1)
    shuffled = [*found]
    random.Random(4).shuffle(shuffled)
    logged.write("shuffled.jsonl", lines(shuffled))
    long = sorted((each["time"] for each in found if each["output"] != "fine"), reverse=True)
    for limit in (0, 1, 4):
        data = score(logged, "plain.pact", "shuffled.jsonl", "--limit", str(limit))
        times = [each["time"] for each in data["broken"] if each["clause"] == "short"]
        same = [datetime.fromisoformat(each) for each in times]
        assert same == [datetime.fromisoformat(each) for each in long[:limit]]
    assert data["numbers"] == score(logged, "plain.pact", "calls.jsonl")["numbers"]


# No call is counted twice -------------------------------------------------------------------------


def test_a_file_given_twice_counts_once(logged: Pactc) -> None:
    once = score(logged, "plain.pact", "calls.jsonl")
    twice = score(logged, "plain.pact", "calls.jsonl", "calls.jsonl")
    assert twice["numbers"] == once["numbers"] and twice["counted_before"] == 600
    assert len(twice["notices"]) == 1


@pytest.mark.parametrize("extra", [[], ["--by", "model"]])
@pytest.mark.parametrize("name", ["plain", "keeps"])
def test_a_log_that_grows_is_gone_on_with(logged: Pactc, name: str, extra: list[str]) -> None:
    found, state = records(600, 1), logged.folder / "kept.state"
    for end in (1, 1, 230, 231, 600):
        logged.write("growing.jsonl", lines(found[:end]))
        data = score(logged, f"{name}.pact", "growing.jsonl", "--state", str(state), *extra)
    known = score(logged, f"{name}.pact", "calls.jsonl", *extra)
    assert data["numbers"] == known["numbers"] and data["counted_before"] == 231
    assert data["coverage"] == known["coverage"]
    told = [[(g["group"], g["numbers"], g["coverage"]) for g in each["groups"]] for each in (data, known)]
    assert told[0] == told[1]


def test_a_log_that_was_turned_over_begins_anew(logged: Pactc) -> None:
    found, state = records(600, 1), str(logged.folder / "kept.state")
    for part in (found[:250], found[250:]):
        logged.write("turning.jsonl", lines(part))
        data = score(logged, "keeps.pact", "turning.jsonl", "--state", state)
    assert data["numbers"] == score(logged, "keeps.pact", "calls.jsonl")["numbers"]


def test_a_log_that_was_changed_is_refused(logged: Pactc) -> None:
    found, state = records(20, 1), logged.folder / "kept.state"
    logged.write("changing.jsonl", lines(found[:10]))
    score(logged, "plain.pact", "changing.jsonl", "--state", str(state))
    held = state.read_bytes()
    found[9]["output"] = "something else"
    logged.write("changing.jsonl", lines(found))
    done = logged("score", "plain.pact", "changing.jsonl", "--state", str(state))
    assert done.code == exits.UNABLE and "changing.jsonl was changed" in done.err
    assert state.read_bytes() == held


def test_states_that_are_none_or_of_something_else(logged: Pactc) -> None:
    state = logged.folder / "kept.state"
    score(logged, "keeps.pact", "calls.jsonl", "--state", str(state))
    good = state.read_bytes()
    for name, data, said in (
        ("keeps", b"", "no state"), ("keeps", good[:-1], "cut short"), ("keeps", good[:30] + b"x" + good[31:], "cut short"),
        ("keeps", good[:8] + b"\x09\x00" + good[10:], "version 9"), ("plain", good, "another"),
    ):  # fmt: skip
        state.write_bytes(data)
        done = logged("score", f"{name}.pact", "calls.jsonl", "--state", str(state))
        assert done.code == exits.UNABLE and said in done.err and state.read_bytes() == data
    state.write_bytes(good)
    done = logged("score", "keeps.pact", "calls.jsonl", "--state", str(state), "--by", "model")
    assert done.code == exits.UNABLE and "--by" in done.err
    done = logged("score", "keeps.pact", "calls.jsonl", "--state", "calls.jsonl")
    assert done.code != exits.FINE and (logged.folder / "calls.jsonl").read_bytes() == lines(records(600, 1))


def test_a_band_that_was_shown_stands_while_the_interval_touches_it(logged: Pactc) -> None:
    state = str(logged.folder / "kept.state")
    first = score(logged, "plain.pact", "calls.jsonl", "--state", state)
    later = score(logged, "plain.pact", "calls.jsonl", "--state", state, "--now", "2026-03-15")
    fresh = score(logged, "plain.pact", "calls.jsonl", "--now", "2026-03-15")
    assert first["band"] == later["band"] == "platinum" != fresh["band"]
    assert later["lower"] == fresh["lower"] < 900 <= later["upper"]


# Ledgers ------------------------------------------------------------------------------------------


def stored(path: Path, text: str, found: list[dict[str, Any]], skip: range = range(0)) -> None:
    """Calls as a guard stores them; an aside comes after every tenth, and takes a number."""
    from pactlang.ledger import Entry, Ledger
    from pactlang.ledger.entry import Aside

    number = 0
    with Ledger(path, pactlang.compile(text)) as ledger:
        for at, each in enumerate(found):
            if at not in skip:
                ledger.put(Entry(json.dumps(each).encode(), "w", number, each["session"], None, None))
            number += 1
            if at % 10 == 9:
                aside = Aside("end", session="nobody")
                ledger.put(Entry(b"", "w", number, None, None, None, aside=aside))
                number += 1


@pytest.mark.parametrize(("name", "text"), [("plain", PLAIN), ("keeps", KEEPS)])
def test_a_ledger_has_the_score_of_its_calls(logged: Pactc, name: str, text: str) -> None:
    stored(logged.folder / "calls.ledger", text, records(600, 1))
    found = score(logged, f"{name}.pact", "calls.ledger")
    assert found["numbers"] == score(logged, f"{name}.pact", "calls.jsonl")["numbers"]
    assert found["coverage"]["missing"] == 0


def test_what_a_ledger_lacks_is_missing_in_every_group(logged: Pactc) -> None:
    stored(logged.folder / "calls.ledger", PLAIN, records(600, 1), range(300, 340))
    found = score(logged, "plain.pact", "calls.ledger", "--by", "model")
    assert found["coverage"]["missing"] == 40 and found["coverage"]["calls"] == 560
    assert [each["coverage"]["missing"] for each in found["groups"]] == [40] * 4
    assert sum(each["coverage"]["calls"] for each in found["groups"]) == 560


def test_what_retention_removed_is_not_missing(logged: Pactc) -> None:
    from pactlang.ledger.retain import Dead, bury

    path = logged.folder / "calls.ledger"
    stored(path, PLAIN, records(600, 1), range(300, 340))
    with sqlite3.connect(path, isolation_level=None) as made:
        for low, high in ((-1, 60), (200, 250), (320, 350)):
            rows = made.execute(
                "SELECT writer, id, digest, said FROM calls WHERE number > ? AND number < ?", (low, high)
            )
            bury(made, [Dead(*row) for row in rows.fetchall()], time.time())
    found = score(logged, "plain.pact", "calls.ledger", "--by", "model")
    assert found["coverage"]["missing"] == 40
    assert [each["coverage"]["missing"] for each in found["groups"]] == [40] * 4


def test_a_ledger_that_grows_is_gone_on_with(logged: Pactc) -> None:
    found, state = records(600, 1), str(logged.folder / "kept.state")
    for name, part in (("a", found[:200]), ("b", found)):
        stored(logged.folder / f"{name}.ledger", KEEPS, part)
        data = score(logged, "keeps.pact", f"{name}.ledger", "--state", state, "--by", "agent")
    known = score(logged, "keeps.pact", "calls.jsonl", "--by", "agent")
    assert data["counted_before"] == 200 and data["numbers"] == known["numbers"]
    assert [g["numbers"] for g in data["groups"]] == [g["numbers"] for g in known["groups"]]


@pytest.mark.parametrize("cut", range(5))
def test_what_a_guard_was_told_is_taken_in_its_place(logged: Pactc, cut: int) -> None:
    """An end of a session resolves what it leaves open, also where a run ended between it and the call."""
    from pactlang.ledger import Entry, Ledger
    from pactlang.ledger.entry import Aside

    pact = KEEPS.replace("1h }", "1h on end violate }")
    logged.write("ends.pact", pact)
    calls = [{"id": "p", "session": "s", "time": "2026-01-01T00:00:00Z", "tool": "ask", "model": "m"},
             {"id": "q", "session": "t", "time": "2026-01-01T00:01:00Z", "tool": "ask"}]  # fmt: skip
    asides = [Aside("advance", time=10), Aside("end", session="s"), Aside("end", session="t")]
    entries: list[Any] = [calls[0], asides[0], asides[1], calls[1], asides[2]]
    data = None
    for end in (cut, 5):
        path = logged.folder / f"{end}.ledger"
        with Ledger(path, pactlang.compile(pact)) as ledger:
            for number, each in enumerate(entries[:end]):
                body = (json.dumps(each).encode(), None) if isinstance(each, dict) else (b"", each)
                ledger.put(Entry(body[0], "w", number, None, None, None, aside=body[1]))
        data = score(logged, "ends.pact", path.name, "--by", "model", "--state", "kept.state")
    assert data is not None
    found = {each["group"]: each["coverage"] for each in data["groups"]}
    assert (found["m"]["violated"], found["m"]["waiting"], found["m"]["missing"]) == (1, 0, 0)
    assert (found[None]["violated"], found[None]["waiting"]) == (1, 0)


# Groups -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "text"), [("plain", PLAIN), ("keeps", KEEPS)])
def test_groups_are_scored_by_themselves(logged: Pactc, name: str, text: str) -> None:
    """A pact that remembers is judged on the whole log, whoever's score the verdicts enter."""
    data = score(logged, f"{name}.pact", "calls.jsonl", "--by", "agent")
    program = pactlang.compile(text)
    monitor, scorers, mine = pactlang.Monitor(program), dict[Any, pactlang.Scorer](), dict[Any, Any]()
    for each in records(600, 1):
        agent = each.get("agent")
        scorers.setdefault(agent, pactlang.Scorer(program)).add(monitor.feed(each))
        mine[each["id"]] = agent
        for amendment in monitor.amendments:
            scorers[mine[amendment.id]].add(amendment)
    found = {each["group"]: each for each in data["groups"]}
    assert set(found) == {"north", "south", None}
    for agent, scorer in scorers.items():
        known = scorer.score(datetime.fromisoformat(data["now"]))
        assert found[agent]["value"] == known.value and found[agent]["coverage"]["missing"] == 0
        assert found[agent]["coverage"]["violated"] == known.coverage.violated
    lowers = [each["lower"] for each in data["groups"]]
    assert lowers == sorted(lowers, reverse=True)


def test_groups_past_the_bound_are_one(logged: Pactc) -> None:
    found = records(600, 1)
    for at, each in enumerate(found):
        each["model"] = f"m{at % 250}"
    logged.write("many.jsonl", lines(found))
    data = score(logged, "plain.pact", "many.jsonl", "--by", "model")
    rest = [each for each in data["groups"] if each["rest"]]
    assert len(data["groups"]) == 201 and len(rest) == 1
    assert sum(each["coverage"]["calls"] for each in data["groups"]) == 600
    assert rest[0]["coverage"]["calls"] == 100 and rest[0]["coverage"]["missing"] == 0
    assert "other" in logged("score", "plain.pact", "many.jsonl", "--by", "model").out


def test_a_record_without_the_field_is_named(logged: Pactc) -> None:
    logged.write(
        "own.pact",
        'pact own "1.0.0" on Step\nrecord Step { output: string }\nclause a { require output != "" }\n',
    )
    done = logged("score", "own.pact", "calls.jsonl", "--by", "model")
    assert done.code == exits.UNABLE and "own.pact:2" in done.err and "`model`" in done.err
    data = score(logged, "own.pact", "calls.jsonl")
    assert data["coverage"]["untimed"] == 600 and data["now"] is None and data["good_day"] is None


def test_version_is_the_agents(logged: Pactc) -> None:
    found = [{**each, "agent_version": "1.1"} for each in records(50, 1)]
    logged.write("versions.jsonl", lines(found))
    for by in ("version", "agent_version"):
        data = score(logged, "plain.pact", "versions.jsonl", "--by", by)
        assert data["by"] == "agent_version" and [each["group"] for each in data["groups"]] == ["1.1"]


# Over time ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_chart_is_drawn_and_is_the_same_each_time(logged: Pactc, kind: str) -> None:
    pytest.importorskip("matplotlib")
    pictures = []
    for name in ("one", "two"):
        score(logged, "plain.pact", "calls.jsonl", "--plot", f"{name}.{kind}")
        pictures.append((logged.folder / f"{name}.{kind}").read_bytes())
    assert pictures[0] == pictures[1] and len(pictures[0]) > 5000
    assert pictures[0].startswith(b"\x89PNG" if kind == "png" else b"<?xml")
    if kind == "svg":
        assert all(name in pictures[0] for name in (b"platinum", b"bronze", b"plain 1.0.0"))
    own = 'pact own "1.0.0" on Step\nrecord Step { output: string }\nclause a$x { require true }\n'
    logged.write("own.pact", own.replace("a$x", "a"))
    score(logged, "own.pact", "calls.jsonl", "--plot", f"none.{kind}")


def test_a_chart_needs_its_extra_and_a_kind(logged: Pactc, monkeypatch: pytest.MonkeyPatch) -> None:
    done = logged("score", "plain.pact", "calls.jsonl", "--plot", "chart.gif")
    assert done.code == exits.UNABLE and ".svg" in done.err
    monkeypatch.setattr("pactlang.cli.plot.find_spec", lambda name: None)
    done = logged("score", "plain.pact", "calls.jsonl", "--plot", "chart.png")
    assert done.code == exits.UNABLE and "pactlang[plot]" in done.err
    assert not (logged.folder / "chart.png").exists()


# Forms --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", ["60", "72", "100"])
@pytest.mark.parametrize("extra", [[], ["--by", "model"]])
def test_lines_fit_and_have_no_colour_in_a_pipe(
    logged: Pactc, monkeypatch: pytest.MonkeyPatch, columns: str, extra: list[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    out = logged("score", "plain.pact", "calls.jsonl", *extra).out
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) <= int(columns)


def test_a_text_without_unicode_has_bars_of_ascii(logged: Pactc) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    made = logged.start("score", "plain.pact", "calls.jsonl", env=environment)
    out, err = made.communicate()
    assert made.returncode == 0, err
    assert re.search(rb"[.]+=*o=+", out) and b"\\u" not in out and b"\\x" not in out


class Tags(HTMLParser):
    """What a page loads, and whether its tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.loads = list[str](), list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [name for name, _ in attrs if name in ("src", "srcset")]
        if tag not in ("meta", "input", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_page_is_whole_and_loads_nothing(logged: Pactc) -> None:
    found = records(600, 1)
    for each in found[500:]:
        each["output"] = "</p><script>alert(1)</script> and much more"
        each["model"] = "<img src=x onerror=alert(2)>"
    logged.write("sharp.jsonl", lines(found))
    for extra in ([], ["--by", "model"]):
        page = logged("score", "plain.pact", "sharp.jsonl", "--format", "html", *extra).out
        tags = Tags()
        tags.feed(page)
        assert not tags.open and not tags.loads and "<script>" not in page and "<img" not in page


# Bad input ----------------------------------------------------------------------------------------


def test_an_empty_log_has_no_score(logged: Pactc) -> None:
    logged.write("empty.jsonl", b"")
    for form in ("text", "html"):
        done = logged("score", "plain.pact", "empty.jsonl", "--format", form)
        assert done.code == exits.FINE and "no score yet" in done.out
    data = score(logged, "plain.pact", "empty.jsonl", "--by", "model", "--state", "empty.state")
    assert data["value"] is None and data["losses"] == data["groups"] == data["broken"] == []
    assert (data["lower"], data["upper"], data["provisional"]) == (0, 1000, True)
    again = score(logged, "plain.pact", "calls.jsonl", "--by", "model", "--state", "empty.state")
    assert again["records"] == 600


def test_a_pact_without_clauses_cannot_be_scored(logged: Pactc) -> None:
    logged.write("none.pact", 'pact none "1.0.0"\n')
    done = logged("score", "none.pact", "calls.jsonl")
    assert done.code == exits.UNABLE and "none.pact" in done.err and "no clauses" in done.err
    watch = 'watch tool == "x" above 0.01 one false alarm in 1000 calls'
    logged.write("none.pact", f'pact none "1.0.0"\nclause steady {{ {watch} }}\n')
    done = logged("score", "none.pact", "calls.jsonl")
    assert done.code == exits.UNABLE and "no clauses" in done.err
    assert "How it is scored" not in logged("docs", "none.pact").out
    logged.write("watched.pact", f"{PLAIN}clause steady {{ dimension safety  {watch} }}\n")
    data = score(logged, "watched.pact", "calls.jsonl")
    known = score(logged, "plain.pact", "calls.jsonl")
    assert (data["value"], data["coverage"]) == (known["value"], known["coverage"])


def test_now_is_not_before_the_newest_call(logged: Pactc) -> None:
    done = logged("score", "plain.pact", "calls.jsonl", "--now", "2026-01-02")
    assert done.code == exits.UNABLE and "2026-01-10" in done.err
    for wrong in ("soon", "nan", "inf", "1e300", "2026-13-01"):
        assert logged("score", "plain.pact", "calls.jsonl", "--now", wrong).code == exits.UNABLE
    data = score(logged, "plain.pact", "calls.jsonl", "--now", "2026-02-01T00:00:00Z")
    assert data["now"] == "2026-02-01T00:00:00Z" and data["age"] > 20 * 86_400


def test_a_call_of_the_far_future_makes_all_others_old_unless_it_is_told_not_to(logged: Pactc) -> None:
    found = records(600, 1)
    found[300]["time"] = "2190-01-01T00:00:00Z"
    logged.write("future.jsonl", lines(found))
    data = score(logged, "plain.pact", "future.jsonl")
    assert data["value"] is None and any("--latest" in said for said in data["notices"])
    data = score(logged, "plain.pact", "future.jsonl", "--latest", "2027-01-01", "--plot", "future.svg")
    assert data["value"] is not None and data["coverage"]["untimed"] == 1 and not data["notices"]
    assert data["newest"].startswith("2026-01-10")


def test_what_is_later_than_can_be_stays_so_with_a_state(logged: Pactc) -> None:
    """A clause that came out later has the time of its call, and that is one that cannot be."""
    calls = [{"id": "p", "session": "s", "time": "2190-01-01T00:00:00Z", "tool": "ask", "model": "m"},
             {"id": "q", "session": "s", "time": "2026-01-01T00:01:00Z", "tool": "other", "model": "m"},
             {"id": "r", "session": "s", "time": "2026-01-01T00:02:00Z", "tool": "other", "model": "m"}]  # fmt: skip
    for end in (1, 3):
        logged.write("late.jsonl", lines(calls[:end]))
        options = ("--by", "model", "--state", "kept.state", "--latest", "2027-01-01")
        data = score(logged, "keeps.pact", "late.jsonl", *options)
    assert data["newest"] == data["groups"][0]["newest"] == "2026-01-01T00:02:00Z"
    assert data["coverage"]["violated"] == data["groups"][0]["coverage"]["violated"] == 1


def test_times_that_run_backward_change_nothing(logged: Pactc) -> None:
    logged.write("backward.jsonl", lines(records(600, 1)[::-1]))
    known = score(logged, "plain.pact", "calls.jsonl")
    assert score(logged, "plain.pact", "backward.jsonl")["numbers"] == known["numbers"]


def test_a_file_that_breaks_off_is_scored_as_far_as_it_goes(logged: Pactc) -> None:
    whole = gzip.compress(random.Random(1).randbytes(10) + b"\n" + lines(records(600, 1)))
    logged.write("cut.jsonl.gz", whole[: len(whole) // 2])
    done = logged("score", "plain.pact", "cut.jsonl.gz", "--format", "json")
    assert done.code == exits.PARTIAL and done.data["errors"]
    assert done.data["coverage"]["dropped"] >= 1 and done.data["coverage"]["calls"] > 50


def test_a_log_of_something_else_is_said_to_be_so(logged: Pactc) -> None:
    logged.write("other.jsonl", b'{"x": 1}\n' * 50)
    done = logged("score", "plain.pact", "other.jsonl")
    assert done.code == exits.PARTIAL and "nothing of the log was read" in done.err
    assert logged("score", "plain.pact", "missing.jsonl").code == exits.UNABLE
    assert logged("score", "plain.pact", "-", "-").code == exits.UNABLE
    assert logged("score", "-", "-").code == exits.UNABLE
