"""How fast text becomes a Program, and whether that is linear in its size.

Pacts of one declaration a line, in many forms: arithmetic, texts, patterns, macros, arguments, lets.
The same with a mistake on every line, once of meaning (the checker finds it), once of form (the parser
does).  Every figure comes from a process of its own that has compiled something before.

    python -m benchmarks --only front
"""

from __future__ import annotations

import json
import re
import subprocess
import sys

from measure import Row, options, parse, report

TARGET = 120  # KB per second
LINEAR = 0.5  # of the smallest pact's speed, that the largest must reach
KINDS = {
    "right": "text to Program",
    "meaning": "text to diagnostics, a mistake of meaning on every line",
    "form": "text to diagnostics, a mistake of form on every line",
}

# A line each, {n} its number.  What it refers to has the number {d}, of the last line that declared one.
FORMS = (
    "let cap{n} = {n}.5 * 2.0 + 1.25",
    'let tools{n} = ["search", "t{n}", "lookup_order", "handover"]',
    'pattern p{n} = r"\\bword{n}[0-9]{{2,4}}\\b"',
    'phrases f{n} = ["guaranteed delivery {n}", "risk free"]',
    'clause c{n} "Promise {n}." {{ severity minor  when tool == "t{n}"  require args.amount <= cap{d} }}',
    "clause c{n} {{ require usage.input_tokens + 2 * usage.output_tokens <= {n} * 100 || ok != true }}",
    "clause c{n} {{ never output.matches(p{d}) }}",
    "clause c{n} {{ dimension scope_honesty  never output.says(f{d}) }}",
    'clause c{n} {{ never tool_calls.exists(t, t.name == "t{n}" && t.latency > {n}ms) }}',
    'clause c{n} {{ when has(latency)  require latency < {n}s + 250ms  on violation {{ alert "ops" }} }}',
    "clause c{n} {{ require tool_calls.all(t, t.name in tools{d} || size(t.name) < {n}) }}",
    'clause c{n} {{ when kind == "tool" && has(args.to)  require string(args.to).startsWith("LC-{n}") }}',
    'clause c{n} {{ never output.contains("as an AI model {n}") || output.endsWith("{n}!") }}',
    "clause c{n} {{ require size(tool_calls.filter(t, t.ok == false).map(t, t.name)) <= {n} % 7 + 1 }}",
    "clause c{n} {{ when has(cost)  require cost * 1000.0 / double(size(output) + {n}) <= cap{d} - 0.5 }}",
    'clause c{n} {{ when has(model)  require (model == "m{n}" ? 0.5 : 1.5) * {n}.0 < cap{d} * 40.0 }}',
    'clause c{n} "Or else." {{ require has(error) ? error != "late{n}" : finish in ["stop", "length"] }}',
    'clause c{n} {{ require labels.all(k, size(k) < {n} + 8) && !("secret{n}" in labels) }}',
)

# A mistake of meaning: what is replaced in a line, and by what.  The first that fits is made.
MEANING = (
    (r"has\(latency\)", "has(latancy)"),
    (r"output\.", "outptu."),
    (r"args\.amount <= \w+", "args.amount <= nothing"),
    (r"t\.name", "t.nmae"),
    (r"usage\.input_tokens", "usage.input_token"),
    (r'kind == "tool"', "kind == 4"),
    (r"cost \* 1000\.0", 'cost * "many"'),
    (r"has\(model\)", "has(modle)"),
    (r"has\(error\)", "size(error, 2)"),
    (r"labels\.all", "labels.every"),
    (r"\* 2\.0", "* 2"),
    (r'"search"', "serach"),
    (r"\[0-9\]", "(?=x)"),
    (r'"risk free"', '""'),
)
# And of form.
FORM = (
    (r"has\(", "has(("),
    (r" <= ", " <= <= "),
    (r"never output", "never never output"),
    (r"exists\(t, ", "exists(t,, "),
    (r"require ", "requires "),
    (r"= \[", "= [[ ,"),
    (r"= r", "r"),
    (r"\* 2\.0", "* * 2.0"),
)


def pact(kilobytes: int, mistakes: str = "right") -> str:
    """A pact of about this size with a line for every declaration, and maybe a mistake on every line."""
    lines: list[str] = []
    size, n = 0, 0
    while size < kilobytes * 1000:
        n += 1
        line = FORMS[(n - 1) % len(FORMS)].format(n=n, d=declared(n))
        if mistakes != "right":
            line = spoilt(line, MEANING if mistakes == "meaning" else FORM)
        lines.append(line)
        size += len(line) + 1
    return 'pact large "1.0.0"\n' + "\n".join(lines) + "\n"


def declared(n: int) -> int:
    """The number of the line before line n that declares what it refers to."""
    form, start = (n - 1) % len(FORMS), (n - 1) // len(FORMS) * len(FORMS)
    refers = re.search(r"(cap|tools|p|f)\{d\}", FORMS[form])
    if refers is None:
        return 0
    word = refers.group(1) + "{n} ="
    return start + 1 + next(i for i, each in enumerate(FORMS) if f" {word}" in each)


def spoilt(line: str, mistakes: tuple[tuple[str, str], ...]) -> str:
    for found, put in mistakes:
        made = re.sub(found, lambda _, put=put: put, line, count=1)
        if made != line:
            return made
    raise SystemExit(f"no mistake fits: {line}")


# Run in a process of its own: the pact on stdin, times and problems on stdout.
COMPILE = """
import gc, json, sys, time
import pactlang
text = sys.stdin.read()
def compiled(text):
    try:
        pactlang.compile(text)
    except pactlang.CompileError as error:
        return [d.primary.span.start for d in error.diagnostics if d.level == "error"]
    return []
compiled(sys.argv[1])
before = time.process_time_ns()
found = compiled(text)
print(json.dumps([time.process_time_ns() - before, found]))
"""


def compile_once(text: str, warm: str) -> tuple[float, list[int]]:
    """CPU seconds of a compile in a fresh process that is warm, and where the errors were."""
    done = subprocess.run(
        [sys.executable, "-c", COMPILE, warm], input=text.encode(), capture_output=True, check=True
    )
    nanoseconds, found = json.loads(done.stdout)
    return nanoseconds / 1e9, found


def lines_with_errors(text: str, found: list[int]) -> float:
    """The share of lines, beside the first, on which there is an error."""
    return len({text.count("\n", 0, start) for start in found}) / (text.count("\n") - 1)


def rows(kind: str, sizes: list[int], rounds: int) -> list[Row]:
    """The speed at each size, and how that of the largest pact stands to that of the smallest."""
    texts, warm = [pact(size, kind) for size in sizes], pact(4, kind)
    least = [float("inf")] * len(sizes)
    shares = [0.0] * len(sizes)
    for _ in range(rounds):  # the sizes take turns
        for i, text in enumerate(texts):
            seconds, found = compile_once(text, warm)
            least[i], shares[i] = min(least[i], seconds), lines_with_errors(text, found)
    if kind == "right" and any(shares):
        raise SystemExit("a pact that should be right is refused")
    speeds = [len(text.encode()) / 1000 / each for text, each in zip(texts, least, strict=True)]
    slowest, ratio = min(speeds), speeds[-1] / speeds[0]
    how = ", ".join(f"{size} KB at {speed:,.0f} KB/s" for size, speed in zip(sizes, speeds, strict=True))
    if kind != "right":
        how += f"; errors on {min(shares):.0%} of the lines"
    linear = f"that: speed at {sizes[-1]} KB over speed at {sizes[0]} KB"
    return [
        Row(KINDS[kind], f">= {TARGET} KB/s", f"{slowest:,.0f} KB/s", how, slowest >= TARGET),
        Row(linear, f">= {LINEAR}", f"{ratio:.2f}", "1 is linear", ratio >= LINEAR),
    ]


def main() -> None:
    parser = options(__doc__, rounds=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 200, 800], help="KB")
    chosen = parse(parser)
    sizes = [2, 4] if chosen.quick else chosen.sizes
    report("front", [row for kind in KINDS for row in rows(kind, sizes, chosen.rounds)], chosen)


if __name__ == "__main__":
    main()
