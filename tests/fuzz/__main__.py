"""Run one target: `python -m tests.fuzz TARGET [--seconds N] [--inputs N] [--seed S] [--atheris]`.

The last line says how many inputs ran and how many of them broke a promise; those are saved in
`build/fuzz/TARGET/`.  With --atheris the target runs under atheris (which needs its wheel: Python 3.12 to
3.14), guided by the coverage of the Python code, with the corpus and our own mutation.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
from mmap import mmap
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz import NAMES, sandbox

SAVED = Path("build/fuzz")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=NAMES)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to run (default 60)")
    parser.add_argument("--inputs", type=int, default=-1, help="how many inputs to run, instead")
    parser.add_argument("--seed", default="1", help="what the inputs are made of (default 1)")
    parser.add_argument(
        "--limit", type=float, default=sandbox.SECONDS, help="seconds that one input may take"
    )
    parser.add_argument("--atheris", action="store_true", help="run under atheris")
    parser.add_argument("--words", action="store_true", help="show how often each outcome came")
    args = parser.parse_args()
    return under_atheris(args) if args.atheris else alone(args)


def alone(args: argparse.Namespace) -> int:
    """Run in the sandbox."""
    from tests.fuzz import inputs, targets

    stream = inputs.stream(args.target, args.seed, args.inputs)
    seconds = 1e9 if args.inputs >= 0 else args.seconds
    started = time.monotonic()
    report = sandbox.run(args.target, targets.TARGETS[args.target], stream, seconds, args.limit)
    if args.words:
        for word, count in report.words.most_common(40):
            print(f"{count:8} {word}")
    for finding in report.findings:
        print(f"{save(finding)}\n{finding.what.strip()[-3000:]}\n")
    took, outcomes = time.monotonic() - started, len(report.words)
    print(f"{args.target}: seed {args.seed}, {took:.0f} s, {outcomes} outcomes")
    print(f"{report.inputs} inputs, {len(report.findings)} findings")
    return bool(report.findings)


def save(finding: sandbox.Finding) -> Path:
    """Keep a finding's input under a name of its own."""
    folder = SAVED / finding.target
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / hashlib.sha256(finding.data).hexdigest()[:16]
    path.write_bytes(finding.data)
    return path


def under_atheris(args: argparse.Namespace) -> int:
    """The same target, its inputs chosen by what code they reach; a finding ends the run and is saved.

    libFuzzer ends its process without telling Python, so it has one of its own, which counts in shared memory.
    """
    count = memoryview(mmap(-1, 8)).cast("Q")
    pid = os.fork()
    if pid == 0:
        _fuzz(args, count)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    print(f"{count[0]} inputs, {int(status != 0)} findings")
    return int(status != 0)


def _fuzz(args: argparse.Namespace, count: memoryview) -> None:
    import atheris

    with atheris.instrument_imports(include=["pactlang"]):
        from tests.fuzz import inputs, targets

    function, make = targets.TARGETS[args.target], inputs.MAKE[args.target]
    pool = [path.read_bytes() for path in inputs.corpus(args.target)] or [b""]

    def one(data: bytes) -> None:
        count[0] += 1
        function(data)

    def mutate(data: bytes, size: int, seed: int) -> bytes:
        rng = Random(seed)
        mutated: Any = atheris.Mutate(data, size) if rng.random() < 0.3 else make(data, rng.choice(pool), rng)
        return bytes(mutated[:size])

    place = SAVED / "atheris" / args.target
    for folder in ("crashes", "grown"):
        (place / folder).mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={args.seconds:.0f}", f"-timeout={args.limit:.0f}", "-rss_limit_mb=3000",
        f"-max_len={inputs.LONGEST}", f"-artifact_prefix={place}/crashes/", str(place / "grown"),
        str(inputs.CORPUS / args.target),
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options], one, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
