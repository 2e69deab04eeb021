"""The corpus of the fuzz targets, and a fixed number of inputs that they make of it.

Long runs: `python -m tests.fuzz TARGET --seconds N`; what they came to stands in fuzz/README.md.
"""

from __future__ import annotations

import os

import pytest

from tests.fuzz import inputs, sandbox
from tests.fuzz.targets import TARGETS

# Inputs beyond the corpus: together well under a minute on one core.
COUNTS = {
    "parse": 600,
    "check": 400,
    "expression": 800,
    "artifact": 1200,
    "machine": 120,
    "values": 600,
    "records": 500,
    "json": 2000,
    "sieve": 600,
    "windows": 500,
    "score": 400,
}

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the sandbox forks")


def findings(target: str, seed: str, count: int) -> list[str]:
    report = sandbox.run(target, TARGETS[target], inputs.stream(target, seed, count), limit=120)
    assert report.inputs == count
    return [f"{found.data[:2000]!r}\n{found.what[-3000:]}" for found in report.findings]


def test_every_target_has_a_corpus() -> None:
    assert set(COUNTS) == set(TARGETS) == {path.name for path in inputs.CORPUS.iterdir()}
    assert all(inputs.corpus(target) for target in TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_the_corpus_breaks_no_promise(target: str) -> None:
    assert not findings(target, "corpus", len(inputs.corpus(target)))


@pytest.mark.parametrize("target", TARGETS)
def test_some_inputs_break_no_promise(target: str) -> None:
    seed = "1"
    print(f"python -m tests.fuzz {target} --seed {seed} --inputs {COUNTS[target]}")
    count = len(inputs.corpus(target)) + COUNTS[target]
    assert not findings(target, seed, count)


def test_inputs_are_the_same_for_the_same_seed() -> None:
    for target in TARGETS:
        one, other = (list(inputs.stream(target, "7", 60)()[0]) for _ in range(2))
        assert one == other


def test_the_sandbox_sees_what_goes_wrong() -> None:
    """An exception, a crash, a hang and too much memory are findings, and the inputs after them run."""

    def target(data: bytes) -> str:
        if data == b"raise":
            raise ValueError("no")
        if data == b"crash":
            os.abort()
        if data == b"memory":
            bytearray(2**40)
        while data == b"hang":
            pass
        return "well"

    wanted = [b"fine", b"raise", b"fine", b"crash", b"memory", b"hang", b"fine"]
    report = sandbox.run("none", target, lambda: (iter(wanted), lambda word: None), limit=1)
    assert report.inputs == len(wanted)
    assert [found.data for found in report.findings] == [b"raise", b"crash", b"memory", b"hang"]
    assert report.words == {"well": 3}
    raised, crashed, filled, hung = (found.what for found in report.findings)
    assert (
        "ValueError: no" in raised and "signal 6" in crashed and "MemoryError" in filled and "Timeout" in hung
    )
