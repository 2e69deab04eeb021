"""Logs that are packed with zstd, logs that are still being written, and rows as a Parquet file."""

from __future__ import annotations

import builtins
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from cli_tools import COUNTS, LOG, Pactc, pactc
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from pactlang.cli import exits
from pactlang.cli.input import Block, Broken, Input

__all__ = ["pactc"]


def packed(data: bytes, level: int = 3) -> bytes:
    return zstandard.ZstdCompressor(level=level).compress(data)


def counts(report: Any) -> dict[str, tuple[int, ...]]:
    return {
        name: tuple(clause[word] for word in ("satisfied", "violated", "skipped", "unknown"))
        for name, clause in report["clauses"].items()
    }


# zstd ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [0, 1, 40])
def test_a_packed_log_is_read_frame_after_frame(cut: int, pactc: Pactc) -> None:
    pactc.write("log.jsonl.zst", packed(LOG[:cut]) + packed(LOG[cut:]))
    found = pactc.run("log.jsonl.zst", "--format", "json")
    assert counts(found.data) == COUNTS
    assert found.code == exits.FINE


def test_a_packed_log_that_is_cut_short_or_damaged_is_counted_as_far_as_it_goes(pactc: Pactc) -> None:
    whole = packed(LOG * 3000, level=1) + packed(LOG)
    for bad in (whole[:-5], whole[: len(whole) // 2], whole[:200] + b"\0" * 40 + whole[240:]):
        pactc.write("log.jsonl.zst", bad)
        found = pactc.run("log.jsonl.zst", "--format", "json")
        assert found.code in (exits.PARTIAL, exits.UNABLE)
        assert len(found.data["errors"]) == 1
        assert "zstd" in found.data["errors"][0]


def test_a_frame_that_swells_is_read_in_bounded_memory(pactc: Pactc) -> None:
    """Two GB of blanks in a few hundred KB: one line, too long to be a record."""
    import resource

    packer = zstandard.ZstdCompressor(level=1).compressobj()
    blank = b" " * (1 << 24)
    data = b"".join(packer.compress(blank) for _ in range(128)) + packer.flush()
    pactc.write("log.jsonl.zst", data + packed(b'\n{"id": "after"}\n'))
    report = pactc.run("log.jsonl.zst", "--format", "json").data
    assert (report["calls"], report["undecodable"]) == (1, 1)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2_000_000  # KB, with all of pytest in it


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=5), st.data())
def test_no_bytes_behind_the_mark_are_a_fault(frames: list[bytes], data: st.DataObject) -> None:
    whole = bytearray(b"".join(map(packed, frames)) or packed(b""))
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(4, max(len(whole) - 1, 4))) % len(whole)] ^= data.draw(
            st.integers(1, 255)
        )
    path = Path("/tmp") / f"pact-{os.getpid()}.zst"
    path.write_bytes(bytes(whole))
    try:
        for block in Input(str(path)).blocks():
            assert isinstance(block, Block)
    except Broken:
        pass
    finally:
        path.unlink()


def test_without_the_library_the_extra_is_named(pactc: Pactc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pactlang.cli.input.find_spec", lambda name: None)
    pactc.write("log.jsonl.zst", packed(LOG))
    found = pactc.run("log.jsonl.zst")
    assert found.code == exits.UNABLE
    assert "pactlang[zstd]" in found.err


# --follow ------------------------------------------------------------------------------------------


class Following:
    """`pactc run --follow` as a process, and the lines it has printed so far."""

    def __init__(self, pactc: Pactc, *arguments: str) -> None:
        self.out = pactc.folder / "out.txt"
        with self.out.open("wb") as out:
            self.process = pactc.start(
                "run", "shop.pact", "live.jsonl", "--follow", *arguments, stdout=out, stderr=subprocess.STDOUT
            )

    def text(self) -> str:
        return self.out.read_text("utf-8")

    def wait_for(self, said: str, times: int = 1) -> None:
        end = time.monotonic() + 60
        while self.text().count(said) < times:
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < end, self.text()
            time.sleep(0.02)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


def line(**record: Any) -> bytes:
    return json.dumps(record).encode() + b"\n"


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


@pytest.fixture
def following(pactc: Pactc) -> Any:
    started: list[Following] = []

    def start(*arguments: str) -> Following:
        started.append(Following(pactc, *arguments))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait()


def test_findings_come_while_the_log_is_written(pactc: Pactc, following: Callable[..., Following]) -> None:
    log = pactc.write("live.jsonl", line(id="a", output="sk-abc123"))
    process = following("--verdicts", "rows.jsonl")
    process.wait_for("live.jsonl:1  a  major")
    half = line(id="b", cost=2.0)
    append(log, half[:9])
    append(log, half[9:] + b"nonsense\n")
    process.wait_for("live.jsonl:2  b  minor")
    process.wait_for("live.jsonl:3  undecodable")
    append(log, line(id="c", kind="tool", tool="refund", args={}))
    process.wait_for("live.jsonl:4  c  unknown")
    assert process.stop() == exits.INTERRUPTED
    assert "3 calls" in process.text()
    assert len((pactc.folder / "rows.jsonl").read_text("utf-8").splitlines()) == 4


def test_a_log_that_is_rotated_is_followed(pactc: Pactc, following: Callable[..., Following]) -> None:
    log = pactc.write("live.jsonl", line(id="a", output="sk-abc123"))
    process = following()
    process.wait_for("  a  major")
    log.rename(log.with_suffix(".1"))
    pactc.write("live.jsonl", line(id="b", output="sk-abc123"))
    process.wait_for("  b  major")
    log.write_bytes(b"")  # cut short in place, as `copytruncate` does
    time.sleep(0.5)
    append(log, line(id="c", output="sk-abc123"))
    process.wait_for("  c  major")
    append(log, b'{"id": "hal')  # a line that never ends is no part of the next one
    time.sleep(0.5)
    log.write_bytes(b"")
    time.sleep(0.5)
    append(log, line(id="d", output="sk-abc123"))
    process.wait_for("  d  major")
    assert process.text().count("undecodable") == 1
    assert process.stop() == exits.INTERRUPTED


def test_what_cannot_be_followed(pactc: Pactc) -> None:
    pactc.write("log.jsonl.zst", packed(LOG))
    assert "cannot be followed" in pactc.run("log.jsonl.zst", "--follow").err
    assert pactc.run("log.jsonl", "log.jsonl", "--follow").code == exits.UNABLE
    assert pactc.run("log.jsonl", "--follow", "--format", "json").code == exits.UNABLE
    assert pactc.run("none.jsonl", "--follow").code == exits.UNABLE


# Rows as Parquet -----------------------------------------------------------------------------------


def test_rows_are_the_same_in_both_forms(pactc: Pactc) -> None:
    pactc.write("log.jsonl", LOG + b"nonsense\n")
    for out in ("rows.jsonl", "rows.parquet"):
        assert pactc.run("log.jsonl", "--verdicts", out).code == exits.FINE
    lines = [json.loads(text) for text in Path("rows.jsonl").read_text("utf-8").splitlines()]
    rows = parquet.read_table("rows.parquet").to_pylist()
    blank = {"violated": None, "unknown": None, "outside": False, "undecodable": None}
    assert rows == [{**blank, **each, "id": str(each["id"])} for each in lines]


def test_parquet_without_the_library(pactc: Pactc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *rest: None if name == "pyarrow" else builtins
    )
    found = pactc.run("log.jsonl", "--verdicts", "rows.parquet")
    assert found.code == exits.UNABLE
    assert "pactlang[arrow]" in found.err
    assert not Path("rows.parquet").exists()
