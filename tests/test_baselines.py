"""Distributions that are watched against a baseline: its file, its numbers, what it lacks."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from test_watch import VERSIONED, changed

import pactlang
from pactlang import Monitor, ir
from pactlang.cli import pactc
from pactlang.drift import BaselineError
from pactlang.drift.baseline import measure, part_of, read, sealed, upper, write
from pactlang.verdict import Alarm

DISTRIBUTED = """
clause tools { watch distribution(tool) against "usual" }
clause quick { when has(latency) watch distribution(latency) against "usual" }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a pact and the baseline that was made for it."""
    draws = random.Random(4)
    (tmp_path / "p.pact").write_text(f'pact p "1.0.0"\n{DISTRIBUTED}')
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(usual(draws)) + "\n" for _ in range(3_000)))
    run = CliRunner().invoke(
        pactc,
        [
            "baseline",
            str(tmp_path / "p.pact"),
            str(tmp_path / "log.jsonl"),
            "-o",
            str(tmp_path / "usual.base"),
        ],
    )
    assert run.exit_code == 0, run.output
    return tmp_path


def usual(draws: random.Random) -> dict[str, Any]:
    return {"tool": draws.choice(["a", "b", "b", None]), "latency": draws.expovariate(1)}


def test_a_distribution_is_held_against_its_baseline(folder: Path) -> None:
    program, draws = pactlang.load(folder / "p.pact"), random.Random(5)
    monitor = Monitor(program)
    for _ in range(3_000):
        assert monitor.feed(usual(draws)).ok
    alarms: dict[str, Alarm] = {}
    for _ in range(300):
        found = monitor.feed({"tool": draws.choice(["a", "b", "new"]), "latency": 3 + draws.expovariate(1)})
        for violation in found.violations:
            assert violation.alarm is not None
            alarms.setdefault(violation.clause, violation.alarm)
    assert alarms["tools"].bin == "another text" and alarms["tools"].was == 0
    assert str(alarms["quick"].bin).startswith("above") and alarms["quick"].stability is not None
    assert abs((alarms["tools"].record or 0) - 3_001) < 20
    again = Monitor.restore(pactlang.load(program.to_bytes()), monitor.snapshot())
    assert again.snapshot() == monitor.snapshot() and again.detectors == monitor.detectors


def test_parts_are_the_bins_that_were_counted(folder: Path) -> None:
    """Each value goes to the part that the baseline has counted it in."""
    program = pactlang.load(folder / "p.pact")
    for name, field in (("tools", "tool"), ("quick", "latency")):
        number = next(i for i, clause in enumerate(program.clauses) if clause.name == name)
        watch = program.module.clauses[number].promise
        assert isinstance(watch, ir.Watch) and watch.base is not None
        edges = [*watch.base.edges, *(edge + 1e-9 for edge in watch.base.edges)] or ["a", "b", "c", None]
        for value in edges:
            monitor = Monitor(program)
            seconds = value
            if isinstance(value, float):
                whole, rest = divmod(round(value * 1e6), 10**6)
                seconds = whole + rest * 1000 / 1e9
            monitor.feed({field: seconds})
            state = program.core.state
            assert state is not None
            place = [w.clause for w in state.watches].index(number)
            wanted = part_of(seconds, watch.base.edges, watch.base.texts, watch.base.kind)
            assert (monitor.machine.drifts[place].hits() or []).index(1.0) == wanted


def test_the_numbers_of_a_baseline_are_part_of_the_pact(folder: Path) -> None:
    first = pactlang.load(folder / "p.pact").digest
    assert pactlang.load(folder / "p.pact").digest == first
    bases = read((folder / "usual.base").read_bytes())
    tool = bases["tool"]
    other = sealed(msgspec.structs.replace(tool, counts=tool.counts[::-1]))
    (folder / "usual.base").write_bytes(write([other, bases["latency"]]))
    assert pactlang.load(folder / "p.pact").digest != first


def test_a_share_is_held_to_the_end_of_its_confidence_sequence() -> None:
    assert 0.006 < upper(0, 1_000, 0.05) < 0.008 and 0.0007 < upper(0, 10_000, 0.05) < 0.0009
    assert upper(500, 1_000, 0.05) > 0.53 and upper(1_000, 1_000, 0.05) > 0.99


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.sampled_from("abc")), min_size=100, max_size=200))
def test_baselines_as_files(values: list[Any]) -> None:
    made = [
        measure("x", "texts", values),
        measure("y", "numbers", [None if v is None else ord(v) for v in values]),
    ]
    assert list(read(write(made)).values()) == made and write(read(write(made)).values()) == write(made)
    for base in made:
        shares = zip(base.counts, base.rates, strict=True)
        assert all(n / d > count / base.calls or count == base.calls for count, (n, d) in shares)


@settings(deadline=None)
@given(st.binary(max_size=60), st.integers(0, 2_000), st.integers(0, 255))
def test_hostile_baselines_are_refused(junk: bytes, place: int, value: int) -> None:
    good = write([measure("x", "texts", ["a", None, "b"] * 40)])
    for data in (junk, good[:place], changed(good, place, value), b"[" * 100_000, b'{"format":1}'):
        try:
            found = read(data)
        except BaselineError:
            continue
        assert found == read(good)


def test_what_a_baseline_needs_is_told(folder: Path) -> None:
    def baseline(*arguments: str) -> Any:
        return CliRunner().invoke(pactc, ["baseline", *arguments], standalone_mode=False)

    pact, log, out = (str(folder / name) for name in ("p.pact", "log.jsonl", "o.base"))
    (folder / "few.jsonl").write_text('{"tool": "a"}\n' * 20)
    (folder / "none.pact").write_text('pact p "1.0.0"\nclause c { require ok }\n')
    for arguments in (
        (pact, str(folder / "few.jsonl"), "-o", out), (str(folder / "none.pact"), log, "-o", out),
        (pact, log, "-o", out, "--clause", "other"), (pact, log, "-o", out, "--delta", "2"),
        (pact, log, "-o", pact),
    ):  # fmt: skip
        assert baseline(*arguments).exception is not None
    assert not (folder / "o.base").exists()


def test_reports_hold_what_is_known_of_an_alarm(tmp_path: Path) -> None:
    (tmp_path / "p.pact").write_text(f'pact p "1.0.0"{VERSIONED}')
    calls = [{"ok": i < 300, "model": "m1" if i < 300 else "m2"} for i in range(310)]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(call) + "\n" for call in calls))
    run = CliRunner().invoke(
        pactc,
        ["run", str(tmp_path / "p.pact"), str(tmp_path / "log.jsonl"), "--format", "json"],
        standalone_mode=False,
    )
    found = json.loads(run.stdout)["violations"][0]["alarm"]
    assert (found["record"], found["observed"], found["promised"]) == (301, 1.0, 1000)
    (changed,) = found["changed"]
    assert changed["field"] == "model" and changed["after"] == "m2" and changed["named"]
