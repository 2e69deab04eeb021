"""A million rows in Arrow columns to the verdicts of 14 rules: CPU time per row on one thread.

pactlang's `check_arrow` against polars (words as Categorical and as strings, 14 bool columns and one
mask), duckdb and numpy, and against pactlang's own record path. All violations are counted within the
clock, and the counts are equal on all sides.

    python -m benchmarks --only columns
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["POLARS_MAX_THREADS"] = "1"  # before polars is imported

import calls
import numpy as np
import pyarrow as pa
from measure import Cost, Side, agree, detail, faster, installed, options, parse, race, report

import pactlang

HERE = Path(__file__).parent
TIMES = 50  # how often the distinct records stand in the table
WORDS = ("channel", "model", "finish_reason", "user_tier", "language")
UNREAD = ("input", "output", "metadata")
WIDTH = 32  # bits of a count in the number that stands for all counts
VIOLATED = 1
RULES = 14
PACKAGES = ["pyarrow", "polars", "duckdb", "numpy"]

Counts = Any


def packed(counts: Counts) -> int:
    return sum(int(count) << WIDTH * number for number, count in enumerate(counts))


# The tables -------------------------------------------------------------------------------------------


def table_of(records: int, times: int) -> pa.Table:
    """The workload without the texts that no rule reads, words as strings, in one chunk."""
    rows = [{k: v for k, v in row.items() if k not in UNREAD} for row in calls.records(records)]
    for row in rows:
        for call in row["tool_calls"]:
            del call["args"]
    return pa.concat_tables([pa.Table.from_pylist(rows)] * times).combine_chunks()


def encoded(table: pa.Table) -> pa.Table:
    """The same with its words as dictionaries, as polars exports Categorical."""
    for name in WORDS:
        place = table.column_names.index(name)
        table = table.set_column(place, name, table[name].dictionary_encode())
    place = table.column_names.index("tool_calls")
    listed = table["tool_calls"].chunk(0)
    fields = {field.name: listed.values.field(field.name) for field in listed.type.value_type}
    fields["name"] = fields["name"].dictionary_encode()
    structs = pa.StructArray.from_arrays(list(fields.values()), list(fields))
    return table.set_column(
        place, "tool_calls", pa.ListArray.from_arrays(listed.offsets, structs)
    ).combine_chunks()


# The sides --------------------------------------------------------------------------------------------


def ours(table: pa.Table) -> Side:
    text = (HERE / "reference.pact").read_text("utf-8")
    evaluator = pactlang.Evaluator(pactlang.compile(text[: text.index("// Text:")]))

    def read(verdicts: pa.Table) -> int:
        columns = (verdicts.column(name).chunk(0).indices for name in evaluator.names)
        return packed(np.count_nonzero(np.asarray(column) == VIOLATED) for column in columns)

    return Side("pactlang", evaluator.check_arrow, read, made=lambda _: [table])


def record_path(table: pa.Table, times: int) -> Side:
    """The distinct records as dicts, one by one."""
    text = (HERE / "reference.pact").read_text("utf-8")
    evaluator = pactlang.Evaluator(pactlang.compile(text[: text.index("// Text:")]))
    rows = table.slice(0, len(table) // times).to_pylist()

    def check(_: Any) -> int:
        counts = [0] * RULES
        for row in rows:
            verdict = evaluator.check(row)
            if not verdict.ok:
                for rule in range(RULES):
                    counts[rule] += verdict.outcome(rule) == VIOLATED
        return packed(count * times for count in counts)

    return Side("record path", check, made=lambda _: [rows])


def polars_rules() -> list[Any]:
    """The rules as expressions that are true where one is violated."""
    import polars as pl

    c, each = pl.col, pl.element().struct.field
    tools, size = c("tool_calls"), c("tool_calls").list.len()
    finish = c("finish_reason")
    return [
        (c("channel") == "chat") & (c("latency_ms") > 2000.0),
        c("cost_usd") > 0.05,
        c("ttft_ms") > c("latency_ms"),
        ~c("temperature").is_between(0.0, 1.0),
        c("input_tokens") + c("output_tokens") > 8000,
        ~finish.is_in(["stop", "tool_calls", "length"]),
        tools.list.eval(~each("name").is_in(calls.TOOLS)).list.any(),
        size > 4,
        (finish == "tool_calls") & (size == 0),
        (c("user_tier") == "free")
        & ~(c("model").is_in(["gpt-mini", "gpt-small"]) & (c("output_tokens") <= 1024)),
        tools.list.eval(~each("ok") & (each("latency_ms") > 1000.0)).list.any(),
        ~(c("language").is_in(["en", "de", "fr", "es", "pt"]) | (c("retrieved_docs") > 0)),
        c("error").is_not_null() & (c("retries") < 1),
        ~((c("output_tokens") <= c("max_tokens")) | (finish == "length")),
    ]


def polars_columns(name: str, table: pa.Table) -> Side:
    import polars as pl

    frame = pl.from_arrow(table)
    named = [rule.alias(f"n{number}") for number, rule in enumerate(polars_rules())]
    return Side(
        name,
        lambda given: given.select(named),
        lambda found: packed(found.sum().row(0)),
        made=lambda _: [frame],
    )


def polars_mask(table: pa.Table) -> Side:
    import polars as pl

    frame = pl.from_arrow(table)
    bits = [pl.when(rule).then(1 << number).otherwise(0) for number, rule in enumerate(polars_rules())]
    mask = pl.sum_horizontal(bits).cast(pl.UInt32).alias("mask")

    def read(found: Any) -> int:
        masks = found["mask"].to_numpy()
        return packed(np.count_nonzero(masks & (1 << number)) for number in range(RULES))

    return Side("polars, one mask", lambda given: given.select(mask), read, made=lambda _: [frame])


DUCKDB = """
SELECT count(*) FILTER (channel = 'chat' AND latency_ms > 2000.0), count(*) FILTER (cost_usd > 0.05),
  count(*) FILTER (ttft_ms > latency_ms), count(*) FILTER (NOT temperature BETWEEN 0.0 AND 1.0),
  count(*) FILTER (input_tokens + output_tokens > 8000),
  count(*) FILTER (finish_reason NOT IN ('stop', 'tool_calls', 'length')),
  count(*) FILTER (len(list_filter(tool_calls, lambda t: t.name NOT IN ({tools}))) > 0),
  count(*) FILTER (len(tool_calls) > 4),
  count(*) FILTER (finish_reason = 'tool_calls' AND len(tool_calls) = 0),
  count(*) FILTER (user_tier = 'free' AND NOT (model IN ('gpt-mini', 'gpt-small') AND output_tokens <= 1024)),
  count(*) FILTER (len(list_filter(tool_calls, lambda t: NOT t.ok AND t.latency_ms > 1000.0)) > 0),
  count(*) FILTER (NOT (language IN ('en', 'de', 'fr', 'es', 'pt') OR retrieved_docs > 0)),
  count(*) FILTER (error IS NOT NULL AND retries < 1),
  count(*) FILTER (NOT (output_tokens <= max_tokens OR finish_reason = 'length')) FROM calls
"""


def duckdb_counts(table: pa.Table) -> Side:
    import duckdb

    connection = duckdb.connect(config={"threads": 1})
    connection.register("given", table)
    connection.execute("CREATE TABLE calls AS SELECT * FROM given")
    query = DUCKDB.format(tools=", ".join(f"'{name}'" for name in calls.TOOLS))
    return Side("duckdb", lambda given: given.execute(query).fetchone(), packed, made=lambda _: [connection])


def numpy_masks(table: pa.Table) -> Side:
    """The rules over arrays, with the code of every word known beforehand."""
    values = {name: np.asarray(table[name].chunk(0)) for name in table.column_names if name in NUMBERS}
    codes = {name: table[name].chunk(0) for name in WORDS}
    indices = {name: np.asarray(each.indices) for name, each in codes.items()}
    listed = table["tool_calls"].chunk(0)
    tools, ok = listed.values.field("name"), np.asarray(listed.values.field("ok"))
    late, owner = np.asarray(listed.values.field("latency_ms")), np.asarray(listed.offsets)
    has_error = np.asarray(table["error"].is_valid())

    def among(name: str, words: list[str]) -> Any:
        return np.isin(codes[name].dictionary.to_pylist(), words)[indices[name]]

    def any_of(mask: Any) -> Any:
        return np.diff(np.concatenate([[0], np.cumsum(mask)])[owner]) > 0

    def check(v: dict[str, Any]) -> list[Any]:
        sizes, finish = np.diff(owner), indices["finish_reason"]
        code = {word: i for i, word in enumerate(codes["finish_reason"].dictionary.to_pylist())}
        forbidden = ~np.isin(tools.dictionary.to_pylist(), calls.TOOLS)[np.asarray(tools.indices)]
        return [
            among("channel", ["chat"]) & (v["latency_ms"] > 2000.0),
            v["cost_usd"] > 0.05,
            v["ttft_ms"] > v["latency_ms"],
            (v["temperature"] < 0.0) | (v["temperature"] > 1.0),
            v["input_tokens"] + v["output_tokens"] > 8000,
            ~among("finish_reason", ["stop", "tool_calls", "length"]),
            any_of(forbidden),
            sizes > 4,
            (finish == code["tool_calls"]) & (sizes == 0),
            among("user_tier", ["free"])
            & ~(among("model", ["gpt-mini", "gpt-small"]) & (v["output_tokens"] <= 1024)),
            any_of(~ok & (late > 1000.0)),
            ~(among("language", ["en", "de", "fr", "es", "pt"]) | (v["retrieved_docs"] > 0)),
            has_error & (v["retries"] < 1),
            ~((v["output_tokens"] <= v["max_tokens"]) | (finish == code["length"])),
        ]

    return Side("numpy", check, lambda masks: packed(map(np.count_nonzero, masks)), made=lambda _: [values])


NUMBERS = {
    "latency_ms", "cost_usd", "ttft_ms", "temperature", "input_tokens", "output_tokens", "retrieved_docs",
    "retries", "max_tokens",
}  # fmt: skip


# The questions ----------------------------------------------------------------------------------------


def compared(sides: list[Side], rounds: int) -> dict[str, Cost]:
    """All sides on the same rows, their counts equal."""
    first = sides[0]
    made = first.made([0])
    wanted = [next(iter(first.answers(made)))]
    agree(sides, [0], wanted, block=1)
    return race(sides, [0], wanted, rounds, block=1)


def wall(check: Callable[[], Any], rounds: int) -> float:
    """The least seconds of a call, on all cores."""
    least = float("inf")
    for _ in range(rounds):
        before = time.perf_counter()
        check()
        least = min(least, time.perf_counter() - before)
    return least


def threads(table: pa.Table, rounds: int) -> str:
    """How two threads stand to one, by the clock on the wall."""
    if not hasattr(os, "sched_setaffinity"):
        return ""
    pinned = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    text = (HERE / "reference.pact").read_text("utf-8")
    evaluator = pactlang.Evaluator(pactlang.compile(text[: text.index("// Text:")]))
    one, two = (wall(lambda n=n: evaluator.check_arrow(table, threads=n), rounds) for n in (1, 2))
    os.sched_setaffinity(0, pinned)
    return f"; two threads take {two / one:.2f} of one's time"


def main() -> None:
    chosen = parse(options(__doc__, records=20_000, rounds=7))
    times = 1 if chosen.quick else TIMES
    strings = table_of(chosen.records, times)
    words, rows = encoded(strings), len(strings)
    sides = [
        ours(words),
        polars_columns("polars", words),
        polars_mask(words),
        numpy_masks(words),
        duckdb_counts(strings),
    ]
    costs = compared([*sides, record_path(strings, times)], chosen.rounds)
    rest = {name: cost for name, cost in costs.items() if name != "record path"}
    slow = costs["record path"]
    plain = compared([ours(strings), polars_columns("polars", strings)], chosen.rounds)
    best = min(costs["polars"].least, costs["polars, one mask"].least)
    against = plain["polars"] / plain["pactlang"]
    by_row = slow.least * times / costs["pactlang"].least
    shown = [
        faster(
            "14 rules over 1,000,000 Arrow rows, words as dictionaries, against the best of polars",
            2,
            best / costs["pactlang"].least,
            detail(rest, "ns per row", rows) + threads(words, chosen.rounds),
            True,
        ),
        faster("the same, words as strings", 1, against, detail(plain, "ns per row", rows)),
        faster(
            "the same rows as dicts, one by one: the record path",
            1,
            by_row,
            f"ns per row: record path {slow.least * times / rows:,.0f}",
        ),
    ]
    report("columns", shown, chosen, installed(PACKAGES)[0])


if __name__ == "__main__":
    main()
