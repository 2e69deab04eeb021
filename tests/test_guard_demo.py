"""`pactc demo` runs without a network, says the same each time, and stores what it says."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pactlang
from pactlang.ledger import Reader

COMMAND = [sys.executable, "-m", "pactlang.cli", "demo"]
PATHS = {**os.environ, "PYTHONPATH": str(Path(pactlang.__file__).parent.parent)}
CLAUSES = [
    clause.name for clause in pactlang.load(Path(pactlang.__file__).parent / "examples" / "demo.pact").clauses
]


def demo(*options: str) -> str:
    done = subprocess.run(
        [*COMMAND, *options],
        env={**PATHS, "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert not done.stderr
    return done.stdout


def table(printed: str) -> dict[str, list[int]]:
    """Clause -> satisfied, violated, skipped, unknown, as the summary says."""
    rows = [line.split() for line in printed.splitlines()]
    return {
        row[0]: [int(n.replace(",", "")) for n in row[2:6]]
        for row in rows
        if len(row) == 7 and row[0] in CLAUSES
    }


def test_the_same_seed_says_the_same() -> None:
    first = demo("--calls", "120", "--seed", "3")
    assert first == demo("--calls", "120", "--seed", "3") != demo("--calls", "120", "--seed", "4")
    assert "120 calls made, 120 judged, 0 undecodable" in first


def test_every_clause_is_seen_at_work() -> None:
    found = table(demo("--calls", "2000"))
    assert list(found) == CLAUSES
    for clause, counts in found.items():
        assert sum(counts) == 2000 and counts[0] and counts[1], clause
    assert found["names_its_order"][3]


def test_the_ledger_holds_what_was_shown(tmp_path: Path) -> None:
    path = tmp_path / "demo.ledger"
    found = table(demo("--calls", "300", "--ledger", str(path)))
    said = [entry.said for entry in Reader(path).entries()]
    assert len(said) == 300
    for clause, (_, violated, skipped, unknown) in found.items():
        kinds = [(clause in one.violated, clause in one.skipped, clause in one.unknown) for one in said]
        assert [sum(column) for column in zip(*kinds, strict=True)] == [violated, skipped, unknown]


def test_a_terminal_gets_a_live_table() -> None:
    master, slave = pty.openpty()
    environment = {**PATHS, "TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    child = subprocess.Popen(
        [*COMMAND, "--calls", "60", "--speed", "300"], stdout=slave, stderr=slave, env=environment
    )
    os.close(slave)
    seen = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:
            break
        if not part:
            break
        seen += part
    os.close(master)
    assert child.wait() == 0
    assert b"60 calls made" in seen and seen.count(b"satisfied") > 1 and b"of 60 calls" in seen
