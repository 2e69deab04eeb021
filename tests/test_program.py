"""The artifact: its form, its determinism, and what happens to bytes that were made to hurt."""

from __future__ import annotations

import json
import random
import re
import struct
import subprocess
import sys
from typing import Any

import msgspec
import pytest

import pactlang
from pactlang import ProgramError, program
from pactlang.functions import Builtin
from pactlang.opcodes import INSTRUCTION, INSTRUCTION_SIZE, Opcode
from pactlang.program import HEADER, Program, seal

PACT = r"""
pact sample "1.2.3" "Uses every part of a program."
extend Call { tier: enum("free", "pro") = "free" }
let cap = 50.0
pattern card = r"\b\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}\b" check luhn
phrases spin = ["guaranteed returns", "risk free"]
applies when agent != "test"
clause cards { never output.matches(card) }
clause words { never output.says(spin) || output.contains("wire the money") }
clause small { severity critical when tool == "refund" require args.amount <= cap && args.to in ["a", "b"]
  on violation { block "no"; alert "x" } }
clause tools { require tool_calls.all(t, t.name in ["search", "mail"] && (t.latency == null || t.latency < 2s)) }
clause sums { require usage.input_tokens + usage.output_tokens * 2 < 8000 && size(tool_calls.filter(t, t.ok == true)) <= 3 }
clause times { require time > timestamp("2020-01-01T00:00:00Z") && hour(time) < 24 && time.getDayOfWeek() < 7 }
clause mixed { require [1, 2.0, "x"].exists(x, x == args.amount) ? {"a": 1}["a"] == 1 : string(args.amount) != "" }
"""
RECORDS: list[dict[str, Any]] = [
    {
        "output": "all fine",
        "tool": "refund",
        "args": {"amount": 20, "to": "a"},
        "time": "2026-01-01T10:00:00Z",
    },
    {"output": "4111 1111 1111 1111 is risk  free", "tool": "refund", "args": {"amount": 99.5, "to": "z"}},
    {
        "tool_calls": [{"name": "search", "latency": 1.5}, {"name": "rm", "ok": True}],
        "usage": {"input_tokens": 7},
    },
    {"tool": "refund", "args": {"amount": "many"}, "usage": {"input_tokens": 2**62, "output_tokens": 2**62}},
    {"agent": "test"},
]


@pytest.fixture(scope="module")
def sample() -> Program:
    return pactlang.compile(PACT, "sample.pact")


def outcomes(compiled: Program) -> list[Any]:
    evaluator = pactlang.Evaluator(compiled)
    return [evaluator.check(record).outcomes for record in RECORDS]


def test_header_is_the_documented_one(sample: Program) -> None:
    rows = re.findall(r"^ +(\d+) +(\d+)  (\S.*)$", program.__doc__ or "", re.M)
    assert [(int(offset), int(size)) for offset, size, _ in rows] == [
        (0, 4),
        (4, 2),
        (6, 2),
        (8, 32),
        (40, 4),
        (44, 4),
    ]
    data = sample.to_bytes()
    magic, version, flags, _, core, annex = HEADER.unpack_from(data)
    assert (magic, version, flags, HEADER.size + core + annex) == (b"PACT", 2, 0, len(data))


def test_same_text_gives_same_bytes_in_another_process(sample: Program) -> None:
    code = "import sys, pactlang; sys.stdout.buffer.write(pactlang.compile(sys.stdin.read(), 'sample.pact').to_bytes())"
    for seed in ("0", "1"):
        made = subprocess.run(
            [sys.executable, "-c", code], input=PACT.encode(), capture_output=True, check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        )  # fmt: skip
        assert made.stdout == sample.to_bytes()


def test_round_trip_judges_the_same(sample: Program) -> None:
    again = pactlang.load(sample.to_bytes())
    assert again == sample and again.digest == sample.digest
    assert outcomes(again) == outcomes(sample)
    assert again.source.text == PACT and again.module == sample.module


def test_identity_does_not_hang_on_layout(sample: Program) -> None:
    moved = pactlang.compile(
        "// a comment\n" + PACT.replace("clause small", "\n\nclause small"), "other.pact"
    )
    assert moved.digest == sample.digest
    assert moved.to_bytes() != sample.to_bytes()
    assert pactlang.compile(PACT.replace("50.0", "51.0")).digest != sample.digest


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[:3],
        lambda data: data[:47],
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: b"PACt" + data[4:],
        lambda data: data[:4] + b"\x03\x00" + data[6:],
        lambda data: data[:6] + b"\x01\x00" + data[8:],
        lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:],
        lambda data: data[:-5] + bytes([data[-5] ^ 1]) + data[-4:],
    ],
)
def test_spoilt_files_are_refused_with_a_reason(sample: Program, spoil: Any) -> None:
    with pytest.raises(ProgramError) as refused:
        pactlang.load(spoil(sample.to_bytes()))
    assert str(refused.value)


def judge_all(data: bytes) -> str:
    """Load, judge and ask for everything that can be asked; the kind of refusal, or "ran"."""
    try:
        loaded = pactlang.load(data)
        evaluator = pactlang.Evaluator(loaded)
    except ProgramError as refused:
        assert str(refused)
        return "refused"
    for record in RECORDS:
        try:
            verdict = evaluator.check(record)
            assert set(verdict.outcomes) <= set(evaluator.names)
            _ = verdict.unknown, verdict.violations, repr(verdict)
        except pactlang.PactError:
            pass
    evaluator.check_lines(b"\n".join(json.dumps(record).encode() for record in RECORDS))
    return "ran"


def mutate(data: Any, rng: random.Random) -> Any:
    """One place of msgpack data changed for something mean."""
    values = [
        0,
        1,
        -1,
        255,
        65535,
        2**31,
        2**32 - 1,
        2**63,
        -(2**63),
        None,
        True,
        "",
        "x",
        "call",
        b"",
        [],
        {},
        1.5,
        [[]],
    ]
    if isinstance(data, dict) and data and rng.random() < 0.98:
        key = "code" if "code" in data and rng.random() < 0.4 else rng.choice(list(data))
        return {**data, key: mutate(data[key], rng)}
    if isinstance(data, list) and data and rng.random() < 0.95:
        i = rng.randrange(len(data))
        what = rng.random()
        if what < 0.08:
            return data[:i] + data[i + 1 :]
        if what < 0.16:
            return data[:i] + [data[i]] + data[i:]
        return data[:i] + [mutate(data[i], rng)] + data[i + 1 :]
    if isinstance(data, bytes) and len(data) >= INSTRUCTION_SIZE and rng.random() < 0.98:
        return mutate_code(data, rng)
    return rng.choice(values)


def mutate_code(code: bytes, rng: random.Random) -> bytes:
    """One operand of some instructions changed, mostly to what is almost right."""
    rows = [list(row) for row in struct.iter_unpack(INSTRUCTION, code)]
    for _ in range(rng.choice([1, 1, 2, 5])):
        row, i = rng.choice(rows), rng.randrange(9)
        other = rng.choice(rows)[i]
        ranges = [(0, 65535)] * 4 + [(-(2**31), 2**31 - 1)] * 3 + [(0, 2**32 - 1), (-(2**63), 2**63 - 1)]
        low, high = ranges[i]
        near = rng.choice(
            [other, row[i] + 1, row[i] - 1, 0, rng.randrange(len(rows)), low, high, rng.choice(list(Opcode))]
        )
        row[i] = min(high, max(low, int(near)))
    if rng.random() < 0.05:
        rng.shuffle(rows)
    return b"".join(struct.pack(INSTRUCTION, *row) for row in rows)


@pytest.mark.parametrize("seed", range(8))
def test_mutations_with_the_digest_made_right_do_no_harm(sample: Program, seed: int) -> None:
    rng = random.Random(seed)
    core = msgspec.msgpack.decode(sample.core_bytes)
    annex = msgspec.msgpack.decode(sample.annex_bytes)
    tree = msgspec.msgpack.decode(annex["module"])
    seen = {"ran": 0, "refused": 0}
    for _ in range(400):
        if rng.random() < 0.75:
            mean, rest = core, sample.annex_bytes
            for _ in range(rng.choice([1, 1, 2, 3])):
                mean = mutate(mean, rng)
            data = seal(msgspec.msgpack.encode(mean), rest)
        else:
            changed = {**annex, "module": msgspec.msgpack.encode(mutate(tree, rng))}
            data = seal(sample.core_bytes, msgspec.msgpack.encode(changed))
        seen[judge_all(data)] += 1
    assert seen["ran"] > 20 and seen["refused"] > 20


def test_truncated_bodies_with_the_digest_made_right(sample: Program) -> None:
    for cut in range(0, len(sample.core_bytes), 37):
        assert judge_all(seal(sample.core_bytes[:cut], sample.annex_bytes)) == "refused"
    for cut in range(0, len(sample.annex_bytes), 97):
        judge_all(seal(sample.core_bytes, sample.annex_bytes[:cut]))


def test_an_endless_loop_ends(sample: Program) -> None:
    """A program whose loop starts over for ever is cut short, and says unknown."""
    core = msgspec.msgpack.decode(sample.core_bytes)
    rows = [list(row) for row in struct.iter_unpack(INSTRUCTION, core["code"])]
    at = next(i for i, row in enumerate(rows) if row[0] == Opcode.NEXT)
    rows[at][5] = at  # the end of the loop is its start
    mean = {**core, "code": b"".join(struct.pack(INSTRUCTION, *row) for row in rows)}
    evaluator = pactlang.Evaluator(pactlang.load(seal(msgspec.msgpack.encode(mean), sample.annex_bytes)))
    verdict = evaluator.check({"tool_calls": [{"name": "mail"}]})
    assert verdict.unknown == evaluator.names


def test_loading_an_artifact_imports_no_parser(sample: Program, tmp_path: Any) -> None:
    path = tmp_path / "sample.pactc"
    path.write_bytes(sample.to_bytes())
    code = (
        "import sys, pactlang\n"
        f"evaluator = pactlang.Evaluator(pactlang.load({str(path)!r}))\n"
        "evaluator.check({'output': 'x'}).violations\n"
        "assert not {'lark', 'pactlang.parse', 'pactlang.check', 'pactlang.emit'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})


def test_a_run_leaves_nothing_that_the_next_one_could_read() -> None:
    """Code that reads a register before it is written finds no value of the record before."""
    compiled = pactlang.compile('pact p "1.0.0" clause a { require output + input == "xx" }')
    core = msgspec.msgpack.decode(compiled.core_bytes)
    slots, first = 2, len(compiled.schema.slots) + len(compiled.core.constants)
    code = [
        [Opcode.CALL2, first, first, first + 1, 0, 0, 0, Builtin.ADD, 0],
        [Opcode.CALL1, first + 1, 0, first + 2, 0, 0, 0, Builtin.SIZE, 0],
        [Opcode.CALL2, 0, 1, first, 0, 0, 0, Builtin.ADD, 0],
        [Opcode.LIST, 0, slots, first + 3, 0, 0, 0, 0, 0],
        [Opcode.CALL2, first + 3, first + 3, first + 3, 0, 0, 0, Builtin.ADD, 0],
        [Opcode.HALT, 0, 0, 0, 0, 0, 0, 0, 0],
    ]
    mean = {**core, "code": b"".join(struct.pack(INSTRUCTION, *row) for row in code), "temps": 6}
    evaluator = pactlang.Evaluator(pactlang.load(seal(msgspec.msgpack.encode(mean), compiled.annex_bytes)))
    calls = [
        {"output": "\u00e9" * (300 + i % 7 * 900), "input": "y" * (300 + i % 5 * 700)} for i in range(2000)
    ]
    lines = b"\n".join(json.dumps(call).encode() for call in calls)
    for _ in range(5):
        evaluator.check_lines(lines)


def test_what_compiles_can_be_loaded() -> None:
    deep = "list(" * 60 + "int" + ")" * 60
    nested = "\n".join(f"record R{i} {{ r: R{i + 1}? }}" for i in range(60)) + "\nrecord R60 { n: int? }"
    for text in (f"on R record R {{ a: {deep}? }}", f"on R0\n{nested}"):
        compiled = pactlang.compile(f'pact p "1.0.0" {text} clause c {{ require true }}')
        assert pactlang.load(compiled.to_bytes()) == compiled


def test_records_that_share_records_are_checked_in_linear_time() -> None:
    many = (
        "\n".join(f"record R{i} {{ a: R{i + 1}? b: R{i + 1}? }}" for i in range(60))
        + "\nrecord R60 { n: int? }"
    )
    compiled = pactlang.compile(f'pact p "1.0.0" on R0\n{many}\nclause c {{ require a.a.a == null }}')
    assert pactlang.load(compiled.to_bytes()) == compiled
