"""`pactc run` on Parquet: the report of the same calls as JSON lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cli_tools import Pactc, pactc
from pyarrow import parquet

__all__ = ["pactc"]

PACT = """pact p "1.0.0" on R
applies when tool != "skip"
record R { id: string  tool: string?  ms: double  n: int = 3  args: dyn? }
clause fast { severity critical  require ms < 100.0 }
clause few { require n < 5 }
clause small { when has(args)  require args.amount <= 10 }
"""
CALLS: list[dict[str, Any]] = [
    {"id": "a", "tool": "x", "ms": 1.0, "n": 1, "args": {"amount": 3}},
    {"id": "b", "tool": None, "ms": 200.0, "n": 9, "args": None},
    {"id": "c", "tool": "skip", "ms": 1.0, "n": 1, "args": None},
    {"id": "d", "tool": "x", "ms": None, "n": 1, "args": None},
    {"id": "e", "tool": "y", "ms": 5.0, "n": None, "args": {"amount": 30}},
    {"id": "f", "tool": "y", "ms": 5.0, "n": 5, "args": {"other": 1}},
]


def written(folder: Path, rows: list[dict[str, Any]], **options: Any) -> tuple[str, str, str]:
    """The pact, the log as Parquet, the same log as JSON lines."""
    pact, columns, lines = folder / "p.pact", folder / "log.parquet", folder / "log.jsonl"
    pact.write_text(PACT, "utf-8")
    parquet.write_table(pa.Table.from_pylist(rows), columns, **options)
    plain = [{key: value for key, value in row.items() if key != "args" or value is not None} for row in rows]
    lines.write_text("".join(json.dumps(row) + "\n" for row in plain), "utf-8")
    return str(pact), str(columns), str(lines)


def report(pactc: Pactc, pact: str, log: str) -> dict[str, Any]:
    done = pactc("run", pact, log, "--format", "json")
    data: dict[str, Any] = json.loads(done.out.replace(log, "LOG"))
    return data


def without_time(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key not in ("seconds", "calls_per_second", "inputs")}


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_the_report_is_the_same(pactc: Pactc, tmp_path: Path, size: int) -> None:
    pact, columns, lines = written(tmp_path, CALLS * 3, row_group_size=size)
    assert without_time(report(pactc, pact, columns)) == without_time(report(pactc, pact, lines))


def test_rows_are_the_same(pactc: Pactc, tmp_path: Path) -> None:
    pact, columns, lines = written(tmp_path, CALLS)
    outs = []
    for log in (columns, lines):
        out = tmp_path / "out.jsonl"
        pactc("run", pact, log, "--verdicts", str(out))
        outs.append([{**json.loads(line), "file": ""} for line in out.read_text("utf-8").splitlines()])
    assert outs[0] == outs[1]
    assert [row["id"] for row in outs[0]] == ["a", "b", "c", 4, "e", "f"]


def test_a_column_of_another_type_is_named(pactc: Pactc, tmp_path: Path) -> None:
    pact, columns, _ = written(tmp_path, [{"id": "a", "ms": "fast"}, {"id": "b", "ms": "slow"}])
    done = pactc("run", pact, columns)
    assert done.code != 0
    assert "the column ms is string, and the pact reads double" in done.out + done.err


def test_what_is_no_parquet(pactc: Pactc, tmp_path: Path) -> None:
    pact, columns, _ = written(tmp_path, CALLS)
    Path(columns).write_bytes(b"PAR1" + b"x" * 50 + b"PAR1")
    done = pactc("run", pact, columns)
    assert done.code == 2
    assert "damaged" in done.err
    whole = tmp_path / "whole.parquet"
    parquet.write_table(pa.Table.from_pylist(CALLS * 5000), whole, compression="none")
    data = bytearray(whole.read_bytes())
    data[100:200] = b"\xff" * 100
    Path(columns).write_bytes(data)
    assert pactc("run", pact, columns).code in (0, 1, 2, 3)


def test_without_the_extra(pactc: Pactc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pact, columns, _ = written(tmp_path, CALLS)
    monkeypatch.setattr("pactlang.cli.parquet.find_spec", lambda name: None)
    done = pactc("run", pact, columns)
    assert done.code == 2
    assert "pip install 'pactlang[arrow]'" in done.err
