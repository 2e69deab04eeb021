"""The machine's own reader of JSON says what msgspec's route says, or gives up."""

from __future__ import annotations

import gzip
import itertools
import json
import math
import threading
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pactlang
from tests.two_routes import (
    BROKEN,
    CALL,
    NUMBERS,
    TEXTS,
    TIMES,
    WIDE,
    agree,
    evaluator_of,
    made,
    mutated,
    said,
)

PLAIN = {"id": "1", "n": 1, "d": 0.5, "name": "alpha", "said": "nothing", "any": None, "usage": {}}


@pytest.fixture(scope="module")
def wide() -> pactlang.Evaluator:
    return evaluator_of(WIDE)


def with_field(name: str, value: str) -> bytes:
    """The plain record with one field written as given."""
    fields = {key: json.dumps(held) for key, held in PLAIN.items()} | {name: value}
    return ("{" + ",".join(f'"{key}":{text}' for key, text in fields.items()) + "}").encode(
        "utf-8", "surrogatepass"
    )


def test_a_plain_record_is_read_by_the_machine(wide: pactlang.Evaluator) -> None:
    assert agree(wide, json.dumps(PLAIN))
    assert agree(wide, json.dumps(PLAIN).encode())
    assert wide.check_json(json.dumps(PLAIN)).record.f0 == "1"


@pytest.mark.parametrize("number", NUMBERS + BROKEN)
@pytest.mark.parametrize("field", ["n", "u", "d", "when", "since", "took", "seq", "far", "other", "any"])
def test_numbers(wide: pactlang.Evaluator, field: str, number: str) -> None:
    agree(wide, with_field(field, number))


def test_plain_numbers_are_read_by_the_machine(wide: pactlang.Evaluator) -> None:
    for field, number in (
        ("n", "-5"),
        ("u", "8"),
        ("d", "0.1"),
        ("d", "3"),
        ("when", "1.5e3"),
        ("d", "0.30000000000000004"),
    ):
        assert agree(wide, with_field(field, number))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_is_read_exactly(number: float) -> None:
    evaluator = evaluator_of('pact p "1.0.0" on R record R { d: double } clause c { require d < 1.0 }')
    found = evaluator.peek(json.dumps({"d": number}))
    assert found is not None or (number == 0.0 and math.copysign(1.0, number) < 0)
    assert found is None or found == [number]


@given(st.integers(0, 2**64), st.integers(-400, 400), st.booleans())
def test_decimals_are_rounded_to_the_nearest_double(digits: int, exponent: int, dot: bool) -> None:
    evaluator = evaluator_of('pact p "1.0.0" on R record R { d: double } clause c { require d < 1.0 }')
    written = f"{digits}.{digits}e{exponent}" if dot else f"{digits}e{exponent}"
    found = evaluator.peek('{"d":' + written + "}")
    assert found == [float(written)] if math.isfinite(float(written)) else found is None


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("field", ["time", "at", "said"])
def test_times(wide: pactlang.Evaluator, field: str, time: str) -> None:
    agree(wide, with_field(field, json.dumps(time)))


@given(st.datetimes(), st.integers(-1439, 1439), st.integers(0, 999))
def test_every_moment_is_read_exactly(moment: Any, offset: int, nanos: int) -> None:
    zone = f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}:{abs(offset) % 60:02}"
    text = f"{moment.isoformat(timespec='microseconds')}{nanos:03}{zone}"
    agree(evaluator_of(WIDE), with_field("at", json.dumps(text)))


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("field", ["id", "name", "said", "heard", "kind", "label", "other", "session"])
def test_texts(wide: pactlang.Evaluator, field: str, text: str, ascii_only: bool) -> None:
    taken = agree(wide, with_field(field, json.dumps(text, ensure_ascii=ascii_only)))
    assert taken or field == "kind"


BAD_TEXTS = [
    rb'"\ud800"', rb'"\udc00"', rb'"\ud800\ud800"', rb'"\ud800\u0041"', rb'"\ud83d\ude0"', rb'"\u00g0"', rb'"\x41"', rb'"\u"',
    b'"\x00"', b'"\x1f"', b'"\n"', b'"\xff"', b'"\xc0\x80"', b'"\xe0\x80\x80"', b'"\xed\xa0\x80"', b'"\xf0\x80\x80\x80"',
    b'"\xf4\x90\x80\x80"', b'"\xf5\x80\x80\x80"', b'"\xc3"', b'"\xe2\x82"', b'"\xf0\x9f\x98"', b'"\x80"', b'"open', b"'a'",
]  # fmt: skip


@pytest.mark.parametrize("before", [0, 1, 15, 16, 31, 32, 63, 64, 200])
@pytest.mark.parametrize("bad", BAD_TEXTS)
def test_texts_that_are_none(wide: pactlang.Evaluator, bad: bytes, before: int) -> None:
    for field in ("id", "name", "said", "heard", "other"):
        data = with_field(field, "@").replace(b"@", bad[:1] + b"x" * before + bad[1:])
        agree(wide, data)
        agree(wide, data.replace(b"x", b"\xc3\xa9"))


def test_every_place_of_what_ends_a_run_of_characters(wide: pactlang.Evaluator) -> None:
    for length, tail in itertools.product(range(140), ('"', "\\n", "é", "\x01")):
        agree(wide, with_field("said", '"' + "a" * length + tail + "bb" + '"'))
        agree(wide, with_field("other", '"' + "a" * length + tail + "bb" + '"'))


def test_cut_at_every_byte(wide: pactlang.Evaluator) -> None:
    data = made(Random(5), "R", 0.0).encode()
    for end in range(len(data)):
        agree(wide, data[:end])
        agree(wide, data[:end].decode("utf-8", "ignore"))


def test_blanks_and_what_stands_around(wide: pactlang.Evaluator) -> None:
    data = json.dumps(PLAIN).encode()
    for before, after in itertools.product((b"", b" ", b"\r\n\t", b"\xef\xbb\xbf", b"\0", b"\x0b"), repeat=2):
        agree(wide, before + data + after)
    for data in (
        b"",
        b" ",
        b"{",
        b"{}",
        b"[]",
        b"null",
        b"1",
        b'"a"',
        b"{,}",
        b'{"n"}',
        b'{"n":}',
        b'{"n":1,}',
        b"{}{}",
    ):
        agree(wide, data)


@pytest.mark.parametrize("pact", ["R", "Call"])
def test_made_records(pact: str) -> None:
    evaluator, rng = evaluator_of(WIDE if pact == "R" else CALL), Random(1)
    taken = sum(agree(evaluator, made(rng, pact, 0.0)) for _ in range(600))
    assert taken > 200
    for _ in range(2000):
        agree(evaluator, made(rng, pact).encode("utf-8", "surrogatepass"))
    for _ in range(3000):
        agree(evaluator, mutated(rng, made(rng, pact, 0.01).encode("utf-8", "surrogatepass")))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner)
                    | st.dictionaries(st.text() | st.sampled_from(["id", "n", "usage"]), inner)))  # fmt: skip
def test_any_json_in_any_field(value: Any) -> None:
    for field in (
        "n",
        "said",
        "any",
        "usage",
        "spare",
        "tools",
        "extra",
        "other",
        "data.far",
        "data",
        "time",
    ):
        agree(evaluator_of(WIDE), with_field(field, json.dumps(value)))


def test_keys_of_every_length_and_repeated(wide: pactlang.Evaluator) -> None:
    for length in range(1, 80):
        agree(wide, with_field("k" * length, "1"))
    for key, value in itertools.product(
        ("n", "\\u006e", "other", "data.far", "usage"), ("1", "null", "{}", '"a"')
    ):
        agree(wide, json.dumps(PLAIN).encode()[:-1] + f',"{key}":{value}}}'.encode())


def test_nesting(wide: pactlang.Evaluator) -> None:
    for depth in (1, 62, 63, 64, 65, 200, 3000, 100_000):
        for opening, closing in (("[", "]"), ('{"a":', "}")):
            agree(wide, with_field("other", opening * depth + "1" + closing * depth))
        agree(wide, with_field("other", "[" * depth))


def test_large_records() -> None:
    evaluator = evaluator_of(WIDE)
    for field in ("said", "other", "name"):
        assert agree(evaluator, with_field(field, '"' + "long text\\n" * 200_000 + '"'))
        agree(evaluator, with_field(field, '"' + "é" * 1_100_000 + '"'))
        agree(evaluator, with_field(field, '"' + "a" * 1_500_000 + '\\ud800"'))
        agree(evaluator, with_field(field, '"' + "a" * 1_500_000))
    assert agree(evaluator, with_field("other", "[" + '{"a":["b\\n",1]},' * 100_000 + "1]"))
    many = ",".join(f'"k{i}":{i}' for i in range(100_000))
    assert agree(evaluator, json.dumps(PLAIN)[:-1] + "," + many + "}")


def test_many_threads_read_at_once() -> None:
    evaluator, rng = pactlang.Evaluator(pactlang.compile(WIDE)), Random(3)
    texts = [made(rng, "R", 0.0) for _ in range(200)] + [
        json.dumps({**PLAIN, "said": "y" * 2_000_000, "x": [1] * 300_000})
    ]
    wanted = [
        said(evaluator, lambda text=text: evaluator.check(evaluator.reader.from_json(text))) for text in texts
    ]
    wrong: list[Any] = []

    def work(seed: int) -> None:
        order = Random(seed).sample(range(len(texts)), len(texts))
        wrong.extend(
            i for i in order if said(evaluator, lambda i=i: evaluator.check_json(texts[i])) != wanted[i]
        )

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# Where the record is kept -----------------------------------------------------------------------


def test_a_verdict_keeps_the_bytes_it_judged(wide: pactlang.Evaluator) -> None:
    data = bytearray(json.dumps({**PLAIN, "n": 50}).encode())
    verdict = wide.check_json(data)
    data[:] = b"x" * len(data)
    assert [violation.clause for violation in verdict.violations] == ["c1"]
    assert verdict.record is verdict.record
    assert wide.check_json(memoryview(json.dumps(PLAIN).encode())).ok


def test_nothing_is_made_where_nobody_looks(wide: pactlang.Evaluator) -> None:
    calls = []

    class Counted(pactlang.Evaluator):
        def decode(self, source: bytes | str) -> Any:
            calls.append(source)
            return super().decode(source)

    evaluator = Counted(pactlang.compile(WIDE))
    verdict = evaluator.check_json(json.dumps(PLAIN))
    assert (verdict.ok, verdict.outcome(0)) == (True, pactlang.Outcome.SATISFIED)
    assert calls == []
    assert verdict.record is not None
    assert len(calls) == 1


# Lines ------------------------------------------------------------------------------------------


def one_by_one(evaluator: pactlang.Evaluator, data: bytes) -> list[Any]:
    """What a batch must say, from its lines each by itself on msgspec's route."""
    rows = []
    for number, line in enumerate(data.split(b"\n"), 1):
        if line and not line.isspace():
            found = said(evaluator, lambda line=line: evaluator.check(evaluator.reader.from_json(line)))
            rows.append((number, found))
    return rows


def as_batch(evaluator: pactlang.Evaluator, data: bytes) -> list[Any]:
    batch = evaluator.check_lines(data, ids=True)
    faults = {fault.line: (fault.json_path, fault.reason) for fault in batch.undecodable}
    assert batch.outcomes.dtype == np.uint8
    assert batch.outcomes.shape == (len(batch), len(evaluator.names))
    rows = []
    for row, line in enumerate(batch.lines.tolist()):
        told: Any = faults.get(line)
        if told is None:
            outcomes = dict(
                zip(batch.clauses, map(pactlang.Outcome, batch.outcomes[row].tolist()), strict=True)
            )
            told = (
                {} if batch.outside[row] else outcomes,
                bool(batch.outside[row]),
                bool(batch.expired[row]),
            )
        rows.append((line, told))
    return rows


@pytest.mark.parametrize("pact", ["R", "Call"])
def test_lines_are_judged_as_one_by_one(pact: str) -> None:
    evaluator, rng = evaluator_of(WIDE if pact == "R" else CALL), Random(7)
    lines = []
    for _ in range(400):
        line = made(rng, pact, 0.01).replace("\n", " ").encode("utf-8", "surrogatepass")
        lines.append(rng.choice((line, line, line + b"\r", mutated(rng, line), b"", b" \t\r", b"\x0b")))
    data = b"\n".join(lines)
    wanted = [
        (number, found if len(found) == 2 else (found[0], found[1], found[3]))
        for number, found in one_by_one(evaluator, data)
    ]
    assert as_batch(evaluator, data) == wanted
    batch = evaluator.check_lines(data, ids=True)
    for row, line in enumerate(batch.lines.tolist()):
        if not any(fault.line == line for fault in batch.undecodable):
            assert batch.ids[row] == evaluator.reader.identity(
                evaluator.reader.from_json(data.split(b"\n")[line - 1])
            )


# Real data --------------------------------------------------------------------------------------


@pytest.mark.parametrize("log", ["taubench/airline_gpt4o", "agentdojo/", "pydantic_ai_cassettes/"])
def test_real_records(shared: Path, log: str) -> None:
    name = f"{log}_calls.jsonl.gz" if not log.endswith("/") else f"{log}calls.jsonl.gz"
    with gzip.open(shared / "data" / "traces" / name) as lines:
        records = [line.replace(b'"kind":"llm"', b'"kind":"chat"') for line in itertools.islice(lines, 400)]
    evaluator, rng = evaluator_of(CALL), Random(11)
    taken = 0
    for record in records:
        taken += agree(evaluator, record)
        agree(evaluator, json.dumps(json.loads(record)))
        for _ in range(5):
            agree(evaluator, mutated(rng, record))
    assert taken > len(records) / 2
