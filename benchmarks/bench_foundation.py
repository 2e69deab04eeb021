"""What one call, one compile, one import, one load and one big file cost.  Prints a markdown table.

Verdicts are compared first, on every record that is timed.  Candidates take turns; a figure is the
minimum of process CPU time over the rounds, so a loaded machine moves ratios little.

    python benchmarks/bench_foundation.py [--records 5000] [--rounds 15] [--gigabytes 1.0]
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import calls
import msgspec
import numpy as np
import peer
import rules

import pactlang

HERE = Path(__file__).parent
REFERENCE = (HERE / "reference.pact").read_text("utf-8")
NUMBERS = REFERENCE[: REFERENCE.index("// Text:")]
VIOLATED = 1
BLOCK = 1000  # records, about 5 MB of objects


class Row(NamedTuple):
    figure: str
    target: str
    measured: str
    how: str
    reached: bool

    @property
    def met(self) -> str:
        return "yes" if self.reached else "no"


def rounds(
    candidates: dict[str, Callable[[Any], object]], inputs: Sequence[Any], count: int, block: int = BLOCK
) -> dict[str, list[int]]:
    """CPU nanoseconds of every candidate over all inputs, in every round; the candidates take turns.

    The inputs are passed in blocks, each twice in a row to one candidate, and the second pass is timed:
    a call is checked when it has just been decoded, so its record is in the cache.
    """
    times: dict[str, list[int]] = {name: [0] * count for name in candidates}
    gc.collect()
    gc.freeze()
    for start in range(0, len(inputs), block):
        part = inputs[start : start + block]
        for turn in range(count):
            for name, check in candidates.items():
                for each in part:
                    check(each)
                before = time.process_time_ns()
                for each in part:
                    check(each)
                times[name][turn] += time.process_time_ns() - before
    return times


def mask(verdict: pactlang.Verdict) -> int:
    return sum(1 << bit for bit, outcome in enumerate(verdict.outcomes.values()) if outcome == VIOLATED)


def agree(found: Sequence[int], wanted: Sequence[int], who: str) -> None:
    wrong = [number for number, pair in enumerate(zip(found, wanted, strict=True)) if pair[0] != pair[1]]
    if wrong:
        raise SystemExit(f"{who}: {len(wrong)} verdicts differ, the first on record {wrong[0]}")


def per_call(times: dict[str, list[int]], inputs: int) -> str:
    return ", ".join(
        f"{name} {min(each) / inputs:,.0f} ({statistics.median(each) / inputs:,.0f})"
        for name, each in times.items()
    )


def decoded(lines: list[bytes], count: int) -> list[Row]:
    """The 14 rules without text, on records that are already Structs."""
    decoder = msgspec.json.Decoder(rules.Call)
    records = [decoder.decode(line) for line in lines]
    cython = peer.build()
    cython.prepare(rules.Call, rules.ToolCall)
    check = pactlang.Evaluator(pactlang.compile(NUMBERS, name="numbers.pact")).check
    wanted = [rules.check_numbers(record) for record in records]
    agree([cython.check(record) for record in records], wanted, "Cython")
    agree([mask(check(record)) for record in records], wanted, "pactlang")
    candidates = {"pactlang": check, "Cython": cython.check, "Python": rules.check_numbers}
    times = rounds(candidates, records, count)
    least = {name: min(each) for name, each in times.items()}
    against_cython, against_python = (
        least["pactlang"] / least["Cython"],
        least["Python"] / least["pactlang"],
    )
    detail = "ns per call: " + per_call(times, len(records))
    return [
        Row(
            "14 rules, decoded record, against hand-written Cython",
            "<= 2.5x",
            f"{against_cython:.2f}x",
            detail,
            against_cython <= 2.5,
        ),
        Row(
            "14 rules, decoded record, against hand-written Python",
            ">= 2x faster",
            f"{against_python:.2f}x faster",
            "same run",
            against_python >= 2,
        ),
    ]


def from_json(lines: list[bytes], count: int) -> list[Row]:
    """All 20 rules from JSON bytes, one call at a time and as a batch of lines."""
    decoder = msgspec.json.Decoder(rules.Call)
    evaluator = pactlang.Evaluator(pactlang.compile(REFERENCE, name="reference.pact"))
    wanted = [rules.check(decoder.decode(line)) for line in lines]
    batch = b"\n".join(lines)
    agree([mask(evaluator.check_json(line)) for line in lines], wanted, "check_json")
    outcomes = evaluator.check_lines(batch).outcomes == VIOLATED
    agree((outcomes @ (1 << np.arange(rules.RULES))).tolist(), wanted, "check_lines")

    def python(line: bytes) -> int:
        return rules.check(decoder.decode(line))

    times = rounds({"check_json": evaluator.check_json, "Python": python}, lines, count)
    times |= rounds({"check_lines": evaluator.check_lines}, [batch], count)
    least = {name: min(each) for name, each in times.items()}
    ratio = least["Python"] / least["check_json"]
    in_batch = least["Python"] / least["check_lines"]
    return [
        Row(
            "20 rules, from JSON bytes, against hand-written Python",
            ">= 10x faster",
            f"{ratio:.1f}x faster",
            f"as a batch {in_batch:.1f}x; ns per call: " + per_call(times, len(lines)),
            ratio >= 10,
        )
    ]


FORMS = (
    'clause c{n} "Promise {n}." {{ severity minor  when tool == "t{n}"  require args.amount <= {n}.5 }}',
    "clause c{n} {{ require usage.input_tokens + usage.output_tokens <= {n} * 100 || !ok }}",
    'pattern p{n} = r"\\bword{n}[0-9]{{2,4}}\\b"  clause c{n} {{ never output.matches(p{n}) }}',
    'clause c{n} {{ never tool_calls.exists(t, t.name == "t{n}" && t.latency > {n}ms) }}',
    'clause c{n} {{ require latency < {n}s  on violation {{ alert "ops" }} }}',
)


def large_pact(clauses: int) -> str:
    body = "\n".join(FORMS[n % len(FORMS)].format(n=n) for n in range(1, clauses + 1))
    return f'pact large "1.0.0"\n{body}\n'


def fresh(count: int, *steps: str) -> list[list[int]]:
    """CPU nanoseconds of every step, in `count` fresh interpreters."""
    timed = "\n".join(f"{step}\nmarks.append(process_time_ns())" for step in steps)
    code = f"from time import process_time_ns\nmarks = [process_time_ns()]\n{timed}\nprint(marks)"
    times: list[list[int]] = [[] for _ in steps]
    for _ in range(count):
        marks = json.loads(subprocess.check_output([sys.executable, "-c", code]))
        for each, start, end in zip(times, marks, marks[1:], strict=False):
            each.append(end - start)
    return times


def ms(times: list[int]) -> str:
    return f"{statistics.median(times) / 1e6:,.1f} ms"


def in_ms(figure: str, limit: int, times: list[int], detail: str) -> Row:
    met = statistics.median(times) < limit * 1e6
    spread = f"median of {len(times)} fresh processes, least {min(times) / 1e6:,.1f} ms; {detail}"
    return Row(figure, f"< {limit:,} ms", ms(times), spread, met)


def starting(folder: Path) -> list[Row]:
    """Compile, import and load, each in fresh interpreters."""
    text, artifact = folder / "large.pact", folder / "large.pactc"
    text.write_text(large_pact(200), "utf-8")
    artifact.write_bytes(pactlang.compile(large_pact(200)).to_bytes())
    compiling = f"pactlang.compile(open({str(text)!r}).read())"
    loading = f"pactlang.load({str(artifact)!r})"
    importing, first, again = fresh(9, "import pactlang", compiling, compiling)
    more, modules, load = fresh(25, "import pactlang", "pactlang.load, pactlang.Evaluator", loading)
    size = f"{artifact.stat().st_size:,} bytes; the modules it needs, imported before, take {ms(modules)}"
    return [
        in_ms("compile a pact of 200 clauses, first thing in a process", 1000, first, f"then {ms(again)}"),
        in_ms("`import pactlang`", 60, importing + more, "nothing but its own names"),
        in_ms("`load` of a `.pactc` of 200 clauses", 10, load, size),
    ]


# A small process that starts the command and prints its peak: a child's figure begins with what its
# parent held when it was started, and the benchmark itself holds a lot.
WATCH = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


def big_file(folder: Path, gigabytes: float) -> Row:
    """Peak memory of `pactc run` over one large JSONL file."""
    log, pact = folder / "big.jsonl", HERE / "reference.pact"
    lines = [line + b"\n" for line in calls.lines(5000)]
    block, written = b"".join(lines), 0
    with log.open("wb") as out:
        while written < gigabytes * 1e9:
            written += out.write(block)
    start = time.perf_counter()
    command = [sys.executable, "-m", "pactlang.cli", "run", str(pact), str(log), "--format", "json"]
    done = subprocess.run([sys.executable, "-c", WATCH, *command], capture_output=True, check=True)
    seconds = time.perf_counter() - start
    wanted = written // len(block) * len(lines)
    found = json.loads(done.stdout)["calls"]
    if found != wanted:
        raise SystemExit(f"pactc run saw {found} of {wanted} calls")
    peak = int(done.stderr.split()[-1]) / 1024
    speed = f"{written / seconds / 1e6:,.0f} MB/s, {wanted / seconds:,.0f} calls/s, {seconds:,.0f} s wall"
    return Row(
        f"peak memory of `pactc run`, {written / 1e9:.1f} GB of JSONL",
        "< 200 MB",
        f"{peak:,.0f} MB",
        speed,
        peak < 200,
    )


def cpu() -> str:
    """What Linux says the processor is."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "")


def markdown(rows: list[Row], columns: Sequence[str]) -> str:
    """A table of these attributes of the rows."""
    lines = [columns, ["---"] * len(columns)]
    lines += [[str(getattr(row, column)) for column in columns] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write(path: Path, table: str, section: str = "figures") -> None:
    """Put a table between the two marks of a document's section."""
    before, mark, rest = path.read_text("utf-8").partition(f"<!-- {section} -->\n")
    _, end, after = rest.partition(f"<!-- end of {section} -->")
    if not (mark and end):
        raise SystemExit(f"{path} has no place for {section}")
    path.write_text(f"{before}{mark}{table}\n{end}{after}", "utf-8")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--records", type=int, default=5000)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--gigabytes", type=float, default=1.0)
    options.add_argument("--write", action="store_true", help="put the tables into the READMEs")
    chosen = options.parse_args()
    lines = list(calls.lines(chosen.records))
    rows = [*decoded(lines, chosen.rounds), *from_json(lines, max(3, chosen.rounds // 3))]
    with tempfile.TemporaryDirectory() as folder:
        rows += starting(Path(folder))
        if chosen.gigabytes:
            rows.append(big_file(Path(folder), chosen.gigabytes))
    table = markdown(rows, ["figure", "target", "measured", "met", "how"])
    print(table)
    if chosen.write:
        write(HERE / "README.md", table)
        write(HERE.parent / "README.md", markdown(rows, ["figure", "target", "measured"]))


if __name__ == "__main__":
    main()
