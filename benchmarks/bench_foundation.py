"""What one call, one compile, one import, one load and one big file cost.

    python -m benchmarks --only foundation [--gigabytes 1.0]

Compile, import and load are medians over fresh interpreters, peak memory is that of a child process.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import calls
from measure import Row, options, parse, report

import pactlang

HERE = Path(__file__).parent

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
    return Row(figure, f"< {limit:,} ms", ms(times), spread, met, True)


def starting(folder: Path, processes: int) -> list[Row]:
    """Compile, import and load, each in fresh interpreters."""
    text, artifact = folder / "large.pact", folder / "large.pactc"
    text.write_text(large_pact(200), "utf-8")
    artifact.write_bytes(pactlang.compile(large_pact(200)).to_bytes())
    compiling = f"pactlang.compile(open({str(text)!r}).read())"
    loading = f"pactlang.load({str(artifact)!r})"
    importing, first, again = fresh(max(1, processes // 3), "import pactlang", compiling, compiling)
    more, modules, load = fresh(processes, "import pactlang", "pactlang.load, pactlang.Evaluator", loading)
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
        True,
    )


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--gigabytes", type=float, default=1.0, help="of the big file")
    parser.add_argument("--processes", type=int, default=25, help="fresh interpreters")
    chosen = parse(parser)
    if chosen.quick:
        chosen.gigabytes, chosen.processes = min(chosen.gigabytes, 0.005), 1
    with tempfile.TemporaryDirectory() as folder:
        rows = starting(Path(folder), chosen.processes)
        rows.append(big_file(Path(folder), chosen.gigabytes))
    report("foundation", rows, chosen, ["msgspec", "Cython"])


if __name__ == "__main__":
    main()
