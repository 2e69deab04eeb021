"""MessagePack gives the verdict that the same record gives as JSON or as a dict."""

from __future__ import annotations

import json
import math
import struct
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_fleet import alone, pact

import pactlang
from pactlang.records.packed import unpack
from tests.two_routes import CALL, WIDE, evaluator_of, made, mutated, said

PLAIN = {"id": "1", "n": 1, "d": 0.5, "name": "alpha", "said": "nothing", "any": None, "usage": {}}
pack = msgspec.msgpack.encode


@pytest.fixture(scope="module")
def wide() -> pactlang.Evaluator:
    return evaluator_of(WIDE)


def told(evaluator: pactlang.Evaluator, data: bytes) -> Any:
    return said(evaluator, lambda: evaluator.check_msgpack(data))


@pytest.mark.parametrize("pact", ["R", "Call"])
def test_a_record_has_the_same_verdict_as_json_as_a_dict_and_as_messagepack(pact: str) -> None:
    evaluator, rng, compared = evaluator_of(WIDE if pact == "R" else CALL), Random(2), 0
    for _ in range(1500):
        text = made(rng, pact, rng.choice((0.0, 0.03)))
        try:
            record = json.loads(text)
            data = pack(record)
        except (ValueError, UnicodeEncodeError, OverflowError, msgspec.MsgspecError):
            continue
        as_dict = said(evaluator, lambda record=record: evaluator.check(record))
        assert told(evaluator, data) == as_dict, text
        if "e309" not in text and "Infinity" not in text and "NaN" not in text:
            assert said(evaluator, lambda text=text: evaluator.check_json(text)) == as_dict, text
            compared += 1
    assert compared > 700


def test_what_json_does_not_have(wide: pactlang.Evaluator) -> None:
    rows: list[tuple[str, Any, Any]] = [
        ("raw", b"abc", True),
        ("raw", b"abcd", "c13"),
        ("raw", "YWJjZA==", "c13"),
        ("raw", "no base64", "$.raw"),
        ("d", math.nan, "$.d"),
        ("d", math.inf, "$.d"),
        ("d", 1, True),
        ("d", 2**64 - 1, "c1"),
        ("n", 1.0, "$.n"),
        ("n", 2**63, "$.n"),
        ("u", 2**64 - 1, "c1"),
        ("numbers", [1, math.nan], "$.numbers[1]"),
        ("usage", {"cost": math.nan}, "$.usage.cost"),
        ("name", b"alpha", "$.name"),
        ("at", datetime(2024, 1, 1, tzinfo=UTC), True),
        ("at", datetime(2025, 1, 1, tzinfo=UTC), "c10"),
        ("any", datetime(2025, 1, 1, tzinfo=UTC), "c14"),
        ("any", {1: 2}, "$.any.1"),
        ("any", math.nan, None),
        ("extra", {"a": {b"k": 1}}, "$.extra.a.b'k'"),
        ("other", {1: datetime(2025, 1, 1, tzinfo=UTC), 2: msgspec.msgpack.Ext(5, b"x")}, True),
        ("any", msgspec.msgpack.Ext(5, b"x"), "$.any"),
    ]
    for field, value, wanted in rows:
        data = pack({**PLAIN, field: value})
        found = told(wide, data)
        if isinstance(wanted, str) and wanted.startswith("$"):
            assert found[0] == wanted, (field, value, found)
        elif isinstance(wanted, str):
            assert [name for name, outcome in found[0].items() if outcome].count(wanted) == 1, (
                field,
                value,
                found,
            )
        elif wanted is not None:
            assert found[2], (field, value, found)
        if not isinstance(value, msgspec.msgpack.Ext) and field != "other":
            assert found == said(wide, lambda f=field, v=value: wide.check({**PLAIN, f: v})), (field, value)


def extension(seconds: int, nanos: int, size: int) -> bytes:
    if size == 4:
        return b"\xd6\xff" + struct.pack(">I", seconds)
    if size == 8:
        return b"\xd7\xff" + struct.pack(">Q", nanos << 34 | seconds)
    return b"\xc7\x0c\xff" + struct.pack(">Iq", nanos, seconds)


@pytest.mark.parametrize(
    ("seconds", "nanos", "size"),
    [(0, 0, 4), (1_700_000_000, 0, 4), (1_700_000_000, 1499, 8), (1_700_000_000, 1500, 8), (1, 999_999_500, 8),
     (-1, 999_999_999, 12), (-62_135_596_800, 0, 12), (253_402_300_799, 0, 12)],
)  # fmt: skip
def test_timestamps_are_rounded_half_up(
    wide: pactlang.Evaluator, seconds: int, nanos: int, size: int
) -> None:
    data = pack({**PLAIN, "at": "@"})
    head = data[: data.index(b"\xa1@")]
    verdict = wide.check_msgpack(head + extension(seconds, nanos, size) + data[data.index(b"\xa1@") + 2 :])
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    written = f"{moment.replace(tzinfo=None).isoformat()}.{nanos:09}Z"
    slot = next(i for i, slot in enumerate(wide.program.schema.slots) if slot.path == ("at",))
    wanted = wide.check({**PLAIN, "at": written})
    assert wide.row(verdict.record)[slot] == wide.row(wanted.record)[slot]
    assert verdict.outcomes == wanted.outcomes


@pytest.mark.parametrize(
    "data", [extension(253_402_300_800, 0, 12), extension(0, 10**9, 12), b"\xd4\xff\x00", b"\xc7\x00\xff"]
)
def test_timestamps_that_are_none(wide: pactlang.Evaluator, data: bytes) -> None:
    whole = pack({**PLAIN, "at": "@"}).replace(b"\xa1@", data)
    assert told(wide, whole)[0] == "$.at"
    assert told(wide, whole.replace(b"\xa2at", b"\xa2zz"))[2]


def test_defects_where_nobody_reads_are_not_noticed(wide: pactlang.Evaluator) -> None:
    data = pack({**PLAIN, "at": "@", "zz": "éé"}).replace(b"\xc3", b"\xff")
    assert told(wide, data.replace(b"\xa1@", extension(5, 5, 8)))[2]
    bad = pack({**PLAIN, "name": "éé"}).replace(b"\xc3", b"\xff")
    assert told(wide, bad) == ("$.name", "invalid UTF-8 at character 0")


BROKEN = [b"", b"\xc1", b"\x93\x01\x02", b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xffab", b"\x81", b"\x80\x80",
          b"\x90", b"\xc0", b"\x01", b"\xd9", b"\xca\x00", b"\x91" * 100_000, b"\x81\xa1a" * 100_000, b"\x81\x90\x90", b"{}"]  # fmt: skip


@pytest.mark.parametrize("data", BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_record_is_refused_with_a_reason(wide: pactlang.Evaluator, data: bytes) -> None:
    with pytest.raises(pactlang.RecordError) as refused:
        wide.check_msgpack(data)
    assert refused.value.reason


def test_cut_and_changed_at_every_byte(wide: pactlang.Evaluator) -> None:
    rng = Random(4)
    data = pack(json.loads(made(rng, "R", 0.0)))
    for end in range(len(data)):
        with pytest.raises(pactlang.RecordError):
            wide.check_msgpack(data[:end])
    for _ in range(3000):
        found = told(wide, broken := mutated(rng, data))
        try:
            wanted = said(wide, lambda broken=broken: wide.check(unpack(broken)))
        except pactlang.RecordError as error:
            wanted = error.path, error.reason
        if not isinstance(wanted[0], str) or not wanted[1].startswith("expected a dict"):
            assert found == wanted, broken


@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(0, 9), inner)))  # fmt: skip
def test_data_is_read_as_msgspec_reads_it(value: Any) -> None:
    assert unpack(pack(value)) == msgspec.msgpack.decode(pack(value))


@pytest.mark.parametrize("size", [0, 31, 32, 255, 256, 65_535, 65_536])
def test_every_length(size: int) -> None:
    for value in (
        "a" * size,
        b"a" * size,
        [1] * size,
        {str(i): i for i in range(size)},
        msgspec.msgpack.Ext(3, b"a" * size),
    ):
        assert unpack(pack(value)) == value


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_buffers(wide: pactlang.Evaluator, kind: Any) -> None:
    assert wide.check_msgpack(kind(pack(PLAIN))).ok
    with pytest.raises(pactlang.RecordError, match="expected MessagePack, found a str"):
        wide.check_msgpack("{}")  # type: ignore[arg-type]


@pytest.mark.parametrize("guard", ["", 'agent == "a"'])
def test_a_fleet_refuses_what_is_no_messagepack_map(guard: str) -> None:
    fleet = pactlang.Fleet([pact(guard)])
    for data in (b"", b"\x93\x01\x02\x03", b"\xc1", b"\x80\x80", "text", {}):
        with pytest.raises(pactlang.RecordError) as refused:
            fleet.check_msgpack(data)  # type: ignore[arg-type]
        assert alone(pact(guard), data, "check_msgpack") == (refused.value.path, refused.value.reason)
    assert fleet.check_msgpack(bytearray(b"\x81\xa5agent\xa1b")).outside == (1 if guard else 0)
