"""Try an installed pactlang from outside the source tree: the bundled example must run.

    python tests/try_wheel.py PACTC

Run by `.ci/run` with the interpreter of a clean environment and the `pactc` installed there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pactlang

EXAMPLES = Path(pactlang.__file__).parent / "examples"
OUTCOMES = ("satisfied", "violated", "skipped", "unknown")
PACT, LOG = EXAMPLES / "support.pact", EXAMPLES / "support.jsonl"


def pactc(program: str, *arguments: object, code: int = 0) -> bytes:
    done = subprocess.run([program, *map(str, arguments)], capture_output=True)
    assert done.returncode == code, (arguments, done.returncode, done.stderr.decode())
    assert b"Traceback" not in done.stderr
    return done.stdout


def main(program: str) -> None:
    assert "site-packages" in pactlang.__file__, f"{pactlang.__file__} is not the installed package"
    artifact = Path(tempfile.mkdtemp()) / "support.pactc"
    pactc(program, "check", PACT)
    pactc(program, "build", PACT, "-o", artifact)
    reports = [json.loads(pactc(program, "run", p, LOG, "--format", "json")) for p in (PACT, artifact)]
    assert reports[0]["clauses"] == reports[1]["clauses"]
    report = reports[0]
    lines = len(LOG.read_bytes().splitlines())
    assert report["undecodable"] == 2
    assert report["calls"] + report["undecodable"] == lines
    for counts in report["clauses"].values():
        assert sum(counts[outcome] for outcome in OUTCOMES) == report["calls"]
    assert report["clauses"]["small_refunds"]["violated"] == 3
    pactc(program, "run", PACT, LOG, "--fail-on", "critical", code=1)
    batch = pactlang.Evaluator(pactlang.load(artifact)).check_lines(LOG.read_bytes())
    assert batch.outcomes.shape == (lines, len(batch.clauses))
    guarded = pactlang.compile('pact guarded "1.0.0" import "std/pii.pact" import "std/secrets.pact"')
    assert "no_card_numbers" in [clause.name for clause in guarded.clauses]
    pactc(program, "test", "std/pii.pact", "std/secrets.pact")
    print(f"as expected: {report['calls']} calls, {len(report['clauses'])} clauses, from {EXAMPLES.parent}")


if __name__ == "__main__":
    main(sys.argv[1])
