"""What `pactc check --cost` says of the windows of `keep`, against what the allocator says that they take."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable

import pytest
from cli_tools import Pactc, pactc

import pactlang
from pactlang.cost import window_costs

__all__ = ["pactc"]
HEAD = (
    'pact p "1.0.0" on R\nrecord R { id: int time: timestamp(us) k: int? x: double? s: string? ok: bool? }\n'
)
GROUPS = 300


class Mallinfo(ctypes.Structure):
    """glibc's `struct mallinfo2`."""

    _fields_ = [(name, ctypes.c_size_t) for name in
                "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()]  # fmt: skip


def allocated() -> int:
    """Bytes that the allocator has given out."""
    try:
        ask = ctypes.CDLL("libc.so.6").mallinfo2
    except (OSError, AttributeError):
        pytest.skip("the allocator does not say what it has given out")
    ask.restype = Mallinfo
    found = ask()
    return int(found.uordblks + found.hblkhd)


def measured(text: str, calls: int, value: Callable[[int], float]) -> tuple[float, pactlang.Program]:
    """Bytes of a group with so many calls."""
    program = pactlang.compile(f"{HEAD}clause c {{ {text} }}")
    monitor = pactlang.Monitor(program)
    (windows,) = monitor.machine.windows
    record = {"id": 0, "time": 0, "k": -1, "x": 1.0, "s": "a", "ok": True}
    monitor.feed(record)
    gc.collect()
    before = allocated()
    for group in range(GROUPS):
        for call in range(calls):
            monitor.feed({**record, "k": group, "x": value(call), "s": str(call), "time": call})
    gc.collect()
    found = allocated() - before
    assert windows.counts(0)["groups"] == GROUPS + 1
    return found / GROUPS, program


KEEPS = [
    ("keep count() <= 5 over 1h by k", 1), ("keep rate(ok) > 0.5 over 1h and 5m by k", 2),
    ("keep sum(x) - min(x) < 5.0 over 1h by k", 1), ("keep p95(x) < 5.0 over 1h by k", 1),
    ("keep p50(x) == 5.0 over 1h by k", 1), ("keep max(x) < 5.0 over 10 calls by k", 20),
    ("keep avg(x) < 5.0 over 200 calls by k", 1), ("keep avg(x) < 5.0 over 200 calls by k", 250),
    ("keep p99(x) < 5.0 over 1000 calls by k", 1100), ("keep max(x) > min(x) over 100 calls by k limit 900", 101),
]  # fmt: skip


@pytest.mark.parametrize(("text", "calls"), KEEPS)
def test_a_group_takes_what_is_printed(text: str, calls: int) -> None:
    bytes_each, program = measured(text, calls, lambda call: 1.0)
    (said,) = window_costs(program.module)
    wanted = said.group if calls <= 16 else said.full
    assert abs(bytes_each / wanted - 1) <= 0.2, (bytes_each, said)


VALUES = [
    "keep distinct(s) < 5 over 1s by k", "keep p99(x) < 2.0 * p50(x) over 1s by k", "keep p99(x) < 2.0 * p50(x) over 300 calls by k",
    "keep distinct(s) < 5 over 300 calls by k",
]  # fmt: skip


@pytest.mark.parametrize("text", VALUES)
def test_many_values_stay_below_what_is_printed(text: str) -> None:
    bytes_each, program = measured(text, 300, lambda call: 1.01 ** (call * 2.7))
    (said,) = window_costs(program.module)
    assert said.group < bytes_each <= 1.2 * (said.full + said.most)


def test_it_is_printed(pactc: Pactc) -> None:
    pactc.write("p.pact", f"{HEAD}clause c {{ keep p95(x) < 5.0 over 1h and 100 calls by k limit 7 }}")
    (found,) = pactc("check", "p.pact", "--cost", "--format", "json").data["pacts"]
    (row,) = found["cost"]["windows"]
    assert row["clause"] == "c" and row["groups"] == 7 and 0 == row["most"] < row["group"] < row["full"]
    said = pactc("check", "p.pact", "--cost").out
    assert f"{row['group']:,} B/group, cap 7" in said
