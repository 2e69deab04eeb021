"""A file of NDJSON to the number of violations of every rule: CPU time per record, 14 and 20 rules.

pactlang over blocks of lines and as `pactc run`, against duckdb and polars with the rules in their own
languages, and against a Python loop over msgspec.  All on one thread; counts are equal on all sides.

    python -m benchmarks --only ndjson
"""

from __future__ import annotations

import importlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import calls
import engines
import rules
from click.testing import CliRunner
from engines import alternation
from measure import Cost, Row, Side, agree, detail, faster, installed, options, parse, race, report
from verdicts import VIOLATED

import pactlang
from pactlang.cli import pactc

HERE = Path(__file__).parent
PACT = HERE / "reference.pact"
REPEATS = 5  # times that the distinct records stand in the file
PART = 10  # plain Python is given one record of so many: the first of the file
READ = 4 << 20  # bytes of a block of lines
WIDTH = 32  # bits of a count in the number that stands for all counts

Counts = Sequence[int]


def packed(counts: Counts) -> int:
    """All counts in one number."""
    return sum(int(count) << WIDTH * number for number, count in enumerate(counts))


# Ours -------------------------------------------------------------------------------------------------


def pact(count: int) -> str:
    """The pact of the first 14 rules, or of all."""
    text = PACT.read_text("utf-8")
    return text if count == rules.RULES else text[: text.index("// Text:")]


def in_blocks(count: int) -> Callable[[Path], Counts]:
    evaluator = pactlang.Evaluator(pactlang.compile(pact(count)))

    def check(path: Path) -> Counts:
        counts: Any = 0
        with path.open("rb") as file:
            while block := file.read(READ):
                block += file.readline()
                counts = counts + (evaluator.check_lines(block).outcomes == VIOLATED).sum(0)
        return counts

    return check


def as_command(count: int, folder: Path) -> Callable[[Path], Counts]:
    """`pactc run`, examples of violations and report included, called in this process as the peers are."""
    program = folder / f"rules{count}.pactc"
    program.write_bytes(pactlang.compile(pact(count)).to_bytes())

    def check(path: Path) -> Counts:
        arguments = ["run", str(program), str(path), "--format", "json"]
        done = CliRunner().invoke(pactc, arguments, standalone_mode=False, catch_exceptions=False)
        return [clause["violated"] for clause in json.loads(done.stdout)["clauses"].values()]

    return check


def in_python(check: Callable[[Any], int], count: int, lines: int) -> Callable[[Path], Counts]:
    """A loop over the first lines; what a careful author writes."""

    def counted(path: Path) -> Counts:
        counts = [0] * count
        with path.open("rb") as file:
            for line in islice(file, lines):
                mask = check(engines.as_struct(line))
                while mask:
                    counts[(mask & -mask).bit_length() - 1] += 1
                    mask &= mask - 1
        return counts

    return counted


# duckdb -----------------------------------------------------------------------------------------------

COLUMNS = {
    "channel": "VARCHAR", "user_tier": "VARCHAR", "model": "VARCHAR", "latency_ms": "DOUBLE",
    "ttft_ms": "DOUBLE", "input_tokens": "BIGINT", "output_tokens": "BIGINT", "max_tokens": "BIGINT",
    "cost_usd": "DOUBLE", "temperature": "DOUBLE", "finish_reason": "VARCHAR",
    "tool_calls": "STRUCT(name VARCHAR, ok BOOLEAN, latency_ms DOUBLE)[]", "retrieved_docs": "BIGINT",
    "language": "VARCHAR", "error": "VARCHAR", "retries": "BIGINT", "output": "VARCHAR",
}  # fmt: skip


def sql(text: str) -> str:
    """A literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def violations_in_sql() -> list[str]:
    tools = ", ".join(map(sql, calls.TOOLS))
    return [
        "channel = 'chat' AND NOT latency_ms <= 2000",
        "NOT cost_usd <= 0.05",
        "NOT ttft_ms <= latency_ms",
        "NOT temperature BETWEEN 0 AND 1",
        "NOT input_tokens + output_tokens <= 8000",
        "finish_reason NOT IN ('stop', 'tool_calls', 'length')",
        f"len(list_filter(tool_calls, lambda t: t.name NOT IN ({tools}))) > 0",
        "NOT len(tool_calls) <= 4",
        "finish_reason = 'tool_calls' AND NOT len(tool_calls) > 0",
        "user_tier = 'free' AND NOT (model IN ('gpt-mini', 'gpt-small') AND output_tokens <= 1024)",
        "len(list_filter(tool_calls, lambda t: NOT t.ok AND t.latency_ms > 1000)) > 0",
        "NOT (language IN ('en', 'de', 'fr', 'es', 'pt') OR retrieved_docs > 0)",
        "NOT (error IS NULL OR retries >= 1)",
        "NOT (output_tokens <= max_tokens OR finish_reason = 'length')",
        f"contains(output, {sql(rules.DISCLAIMER)})",
        *(
            f"regexp_matches(output, {sql(pattern)})"
            for pattern in (rules.CARD.pattern, rules.EMAIL.pattern, rules.SSN.pattern, alternation())
        ),
        f"starts_with(output, {sql(rules.APOLOGY)})",
    ]


def in_duckdb(count: int) -> Callable[[Path], Counts]:
    """Typed columns, so that no type is sniffed and no other field is read."""
    connection = importlib.import_module("duckdb").connect()
    connection.execute("SET threads = 1; SET preserve_insertion_order = false")
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in COLUMNS.items())
    counts = ", ".join(f"count(*) FILTER (WHERE {each})" for each in violations_in_sql()[:count])

    def check(path: Path) -> Counts:
        query = f"SELECT {counts} FROM read_ndjson({sql(str(path))}, columns = {{{columns}}})"
        row: Counts = connection.execute(query).fetchone()
        return row

    return check


# polars -----------------------------------------------------------------------------------------------


def violations_in_polars(pl: Any) -> list[Any]:
    c, field, output = pl.col, pl.element().struct.field, pl.col("output").str
    return [
        (c("channel") == "chat") & ~(c("latency_ms") <= 2000),
        ~(c("cost_usd") <= 0.05),
        ~(c("ttft_ms") <= c("latency_ms")),
        ~c("temperature").is_between(0, 1),
        ~(c("input_tokens") + c("output_tokens") <= 8000),
        ~c("finish_reason").is_in(sorted(rules.FINISHES)),
        c("tool_calls").list.eval(~field("name").is_in(calls.TOOLS)).list.any(),
        ~(c("tool_calls").list.len() <= 4),
        (c("finish_reason") == "tool_calls") & ~(c("tool_calls").list.len() > 0),
        (c("user_tier") == "free")
        & ~(c("model").is_in(sorted(rules.FREE_MODELS)) & (c("output_tokens") <= 1024)),
        c("tool_calls").list.eval(~field("ok") & (field("latency_ms") > 1000)).list.any(),
        ~(c("language").is_in(sorted(rules.LANGUAGES)) | (c("retrieved_docs") > 0)),
        ~(c("error").is_null() | (c("retries") >= 1)),
        ~((c("output_tokens") <= c("max_tokens")) | (c("finish_reason") == "length")),
        output.contains(rules.DISCLAIMER, literal=True),
        output.contains(rules.CARD.pattern),
        output.contains(rules.EMAIL.pattern),
        output.contains(rules.SSN.pattern),
        output.contains_any(list(calls.PHRASES)),
        output.starts_with(rules.APOLOGY),
    ]


def in_polars(count: int) -> Callable[[Path], Counts]:
    """A lazy scan with a schema of what is read; the engine that is the quicker for it."""
    pl = importlib.import_module("polars")
    kinds = {"VARCHAR": pl.String, "DOUBLE": pl.Float64, "BIGINT": pl.Int64}
    tool = pl.Struct({"name": pl.String, "ok": pl.Boolean, "latency_ms": pl.Float64})
    schema = {name: kinds.get(kind, pl.List(tool)) for name, kind in COLUMNS.items()}
    if count < rules.RULES:
        del schema["output"]
    sums = [each.sum().alias(str(n)) for n, each in enumerate(violations_in_polars(pl)[:count])]
    engine = "in-memory" if count == rules.RULES else "streaming"

    def check(path: Path) -> Counts:
        row: Counts = pl.scan_ndjson(path, schema=schema).select(sums).collect(engine=engine).row(0)
        return row

    return check


# The run ----------------------------------------------------------------------------------------------


def file_of(path: Path, records: int) -> tuple[list[int], list[int]]:
    """Write the records, over and over; the counts of all lines, and of the first part of them."""
    lines = list(calls.lines(records))
    with path.open("wb") as file:
        for _ in range(REPEATS):
            file.writelines(line + b"\n" for line in lines)
    masks = [rules.check(engines.as_struct(line)) for line in lines] * REPEATS
    return counted(masks), counted(masks[: len(masks) // PART])


def counted(masks: Sequence[int]) -> list[int]:
    return [sum(mask >> number & 1 for mask in masks) for number in range(rules.RULES)]


PEERS = {"duckdb": in_duckdb, "polars": in_polars}


def sides(count: int, folder: Path, records: int, peers: Sequence[str]) -> list[Side]:
    """What counts the first `count` rules of the file; Python those of its first part."""

    def says(number: int) -> Callable[[tuple[Counts, Counts]], int]:
        return lambda wanted: packed(wanted[number][:count])

    check = rules.check if count == rules.RULES else rules.check_numbers
    python = in_python(check, count, records * REPEATS // PART)
    return [
        Side("pactlang", in_blocks(count), packed, says(0)),
        Side("pactc run", as_command(count, folder), packed, says(0)),
        *(Side(name, PEERS[name](count), packed, says(0)) for name in peers),
        Side("msgspec and Python", python, packed, says(1)),
    ]


def per_record(costs: dict[str, Cost], records: int) -> dict[str, Cost]:
    """Of costs of the whole file; Python saw a part."""
    total = records * REPEATS
    parts = {name: total // PART if name == "msgspec and Python" else total for name in costs}
    return {
        name: Cost(name, cost.least / parts[name], cost.median / parts[name], parts[name])
        for name, cost in costs.items()
    }


def rows(count: int, costs: dict[str, Cost], peers: Sequence[str]) -> list[Row]:
    how = detail(costs, "us per record", 1000)
    if not peers:
        return []
    nearest = min((costs[name] for name in peers), key=lambda cost: cost.least)
    times = 2 if count == rules.RULES else 1
    return [
        faster(
            f"NDJSON file to counts, {count} rules, against the quicker of duckdb and polars",
            times,
            nearest / costs["pactlang"],
            f"against {nearest.name}; {how}",
            True,
        ),
        faster(
            f"the same by `pactc run`, {count} rules",
            times,
            nearest / costs["pactc run"],
            f"against {nearest.name}, the same run",
        ),
    ]


def main() -> None:
    os.environ["POLARS_MAX_THREADS"] = "1"
    chosen = parse(options(__doc__, records=20_000, rounds=3))
    found, _ = installed(list(PEERS))
    table: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "calls.jsonl"
        wanted = [file_of(path, chosen.records)]
        for count in (rules.NUMBER_RULES, rules.RULES):
            asked = sides(count, Path(name), chosen.records, found)
            agree(asked, [path], wanted)
            costs = race(asked, [path], wanted, chosen.rounds, warm=False)
            table += rows(count, per_record(costs, chosen.records), found)
    note = f"{chosen.records * REPEATS:,} records, {chosen.records:,} of them distinct."
    report("ndjson", table, chosen, ["msgspec", *PEERS], note)


if __name__ == "__main__":
    main()
