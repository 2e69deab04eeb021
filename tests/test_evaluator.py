"""The evaluator's face: routes, batches, threads, and structs of the user's own."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
from typing import Any

import msgspec
import numpy as np
import pytest

import pactlang
from pactlang import Outcome, RecordError

PACT = r"""
pact face "1.0.0" on R
record Tool { name: string, took: duration(ms), ok: bool = true }
record R {
  id: string   n: int   cost: double   note: string?   since: timestamp(ns)?
  tools: list(Tool) = []   text: string
}
clause low      { require n < 10 && cost <= 1.5 }
clause named    { severity critical when has(note) require note.startsWith("ok") }
clause quick    { require tools.all(t, t.took < 2s && t.ok) }
clause digits   { never text.matches(r"[0-9]{4}") }
clause recent   { when since != null require since > timestamp("2020-01-01T00:00:00Z") }
"""


class Tool(msgspec.Struct):
    name: str
    took: float
    ok: bool = True


class Own(msgspec.Struct):
    id: str
    n: int
    cost: float
    text: str
    note: str | None = None
    since: int | None = None
    tools: list[Tool] = []
    beside: list[int] = []  # no field of the record


@pytest.fixture(scope="module")
def evaluator() -> pactlang.Evaluator:
    return pactlang.Evaluator(pactlang.compile(PACT))


def drawn(rng: random.Random) -> dict[str, Any]:
    return {
        "id": str(rng.random()), "n": rng.choice([0, 9, 10, 2**63 - 1]), "cost": rng.choice([0.0, 1.5, 2.0]),
        "text": rng.choice(["", "year 2024", "ünïcode 1234", "東京 12"]), "note": rng.choice([None, "ok", "no"]),
        "since": rng.choice([None, 1, 1_700_000_000_000_000_000]),
        "tools": [
            {"name": "a", "took": rng.choice([1.0, 2000.0]), "ok": rng.random() < 0.8} for _ in range(rng.randrange(3))
        ],
    }  # fmt: skip


def test_every_route_gives_the_same_verdict(evaluator: pactlang.Evaluator) -> None:
    rng = random.Random(7)
    for _ in range(300):
        data = drawn(rng)
        text = json.dumps(data).encode()
        own = msgspec.convert(data, Own)
        expected = evaluator.check(data).outcomes
        assert evaluator.check_json(text).outcomes == expected
        assert evaluator.check(own).outcomes == expected
        assert [Outcome(code) for code in evaluator.check_lines(text).outcomes[0]] == list(expected.values())
    assert not evaluator.strangers, "the user's own struct should have been read in place"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"n": "x"}, "$.n"), ({"n": 2**63}, "$.n"), ({"n": 1.5}, "$.n"), ({"n": True}, "$.n"),
        ({"cost": float("nan")}, "$.cost"), ({"cost": float("inf")}, "$.cost"), ({"cost": "1"}, "$.cost"),
        ({"text": None}, "$.text"), ({"text": "\ud800"}, "$.text"), ({"note": 5}, "$.note"),
        ({"tools": [Tool("a", 1.0, None)]}, None), ({"tools": [Tool("a", "1")]}, "$.tools[0].took"),
        ({"tools": None}, None), ({"tools": (1,)}, "$.tools[0]"), ({"tools": [5]}, "$.tools[0]"), ({"since": 2**90}, "$.since"),
    ],
)  # fmt: skip
def test_own_structs_that_lie_about_their_types(
    evaluator: pactlang.Evaluator, change: Any, path: str | None
) -> None:
    own = Own("1", 1, 1.0, "x")
    for name, value in change.items():
        setattr(own, name, value)
    if path is None:
        assert (
            evaluator.check(own).outcomes
            == evaluator.check(msgspec.convert({"id": "1", "n": 1, "cost": 1.0, "text": "x"}, Own)).outcomes
        )
    else:
        with pytest.raises(RecordError) as refused:
            evaluator.check(own)
        assert refused.value.path == path


@pytest.mark.parametrize("record", [None, 5, "x", [], object(), b"{}"])
def test_what_is_no_record(evaluator: pactlang.Evaluator, record: Any) -> None:
    with pytest.raises(RecordError):
        evaluator.check(record)


def test_batch_keeps_line_numbers_and_loses_nothing(evaluator: pactlang.Evaluator) -> None:
    good = json.dumps(drawn(random.Random(1))).encode()
    data = b"\n".join([b"", good, b"{", b"  ", good + b"\r", b'{"id":"1"}', b"[]", b"\xff", good])
    batch = evaluator.check_lines(data)
    assert batch.lines.tolist() == [2, 3, 5, 6, 7, 8, 9]
    assert [(line, path) for line, path, _ in batch.undecodable] == [(3, "$"), (6, "$.n"), (7, "$"), (8, "$")]
    assert batch.outcomes.dtype == np.uint8 and batch.outcomes.shape == (7, 5)
    assert (batch.outcomes[[1, 3, 4, 5]] == Outcome.UNKNOWN).all()
    assert batch.clauses == evaluator.names and len(batch) == 7
    assert len(evaluator.check_lines(b"")) == 0
    assert batch.ids == []
    name = json.loads(good)["id"]
    assert evaluator.check_lines(data, ids=True).ids == [name, None, name, None, None, None, name]


def test_a_violation_carries_its_evidence(evaluator: pactlang.Evaluator) -> None:
    verdict = evaluator.check({"id": "1", "n": 50, "cost": 1, "text": "born 1984", "note": "never"})
    assert not verdict.ok and verdict.unknown == ()
    low, named, digits = verdict.violations
    assert (low.clause, low.severity, low.values, low.threshold) == ("low", "major", {"n": 50}, 10)
    assert PACT[low.span.start : low.span.end].strip().endswith("n < 10 && cost <= 1.5")
    assert named.severity == "critical"
    assert digits.matched is not None and digits.matched[:4] == ("text", 5, 9, "1984")
    assert digits.message and "\n" not in digits.message and digits.digest == evaluator.program.digest


def test_many_clauses_need_more_than_one_mask() -> None:
    clauses = "\n".join(f"clause c{i} {{ require n != {i} }}" for i in range(200))
    evaluator = pactlang.Evaluator(pactlang.compile('pact many "1.0.0" on R record R { n: int }\n' + clauses))
    for n in (0, 63, 64, 127, 128, 199, 200):
        broken = [violation.clause for violation in evaluator.check({"n": n}).violations]
        assert broken == ([f"c{n}"] if n < 200 else [])


def test_calls_outside_the_pact_have_no_outcome() -> None:
    program = pactlang.compile(
        'pact p "1.0.0" on R record R { a: string?, x: dyn? } applies when a == "yes" && x.k == 1 clause c { require a == "no" }'
    )
    evaluator = pactlang.Evaluator(program)
    assert evaluator.check({"a": "other"}).outside and evaluator.check({"a": "other"}).outcomes == {}
    assert evaluator.check({"a": "yes", "x": {"k": 1}}).outcomes == {"c": Outcome.VIOLATED}
    assert evaluator.check({"a": "yes"}).outcomes == {"c": Outcome.UNKNOWN}  # not known to be outside
    batch = evaluator.check_lines(b'{"a":"other"}\n{"a":"yes","x":{"k":1}}')
    assert batch.outside.tolist() == [True, False]


def test_threads_share_an_evaluator(evaluator: pactlang.Evaluator) -> None:
    rng = random.Random(3)
    records = [drawn(rng) for _ in range(200)]
    expected = [evaluator.check(record).outcomes for record in records]
    wrong: list[Any] = []

    def work() -> None:
        for _ in range(10):
            got = [evaluator.check(record).outcomes for record in records]
            if got != expected:
                wrong.append(got)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_record_changed_by_another_thread_does_no_harm(evaluator: pactlang.Evaluator) -> None:
    """Texts are replaced while RE2 runs without the GIL: any verdict will do, a crash will not."""
    own, stop = Own("1", 1, 1.0, "x" * 20_000), threading.Event()

    def spoil() -> None:
        i = 0
        while not stop.is_set():
            i += 1
            own.text, own.note, own.tools = f"{'y' * 20_000}{i}", f"ok {i}", [Tool(f"{i}", 1.0)]

    thread = threading.Thread(target=spoil)
    thread.start()
    for _ in range(3000):
        evaluator.check(own)
    stop.set()
    thread.join()


class OwnUsage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None


class OwnToolCall(msgspec.Struct):
    name: str
    args: Any = None
    ok: bool | None = None


class OwnCall(msgspec.Struct):
    """The standard record as a service would hold it."""

    id: str | None = None
    kind: str = "chat"
    output: str = ""
    tool: str | None = None
    args: Any = None
    latency: float | None = None
    usage: OwnUsage = msgspec.field(default_factory=OwnUsage)
    tool_calls: list[OwnToolCall] = []


STANDARD = r"""
pact standard "1.0.0"
clause chatty { require kind in ["chat", "tool"] && latency < 2s }
clause small  { when tool == "refund" require args.amount <= 50 && args.to != "x" }
clause tokens { require usage.input_tokens < 100 }
clause tools  { require tool_calls.all(t, t.name != "rm" && !has(t.args.force)) }
clause cheap  { require cost == null && model == null }
"""


@pytest.fixture(scope="module")
def standard() -> pactlang.Evaluator:
    return pactlang.Evaluator(pactlang.compile(STANDARD))


def test_the_standard_record_is_read_in_place() -> None:
    standard = pactlang.Evaluator(pactlang.compile(STANDARD))
    rng = random.Random(5)
    for _ in range(300):
        own = OwnCall(
            id="1", kind=rng.choice(["chat", "tool", "other"]), tool=rng.choice([None, "refund"]),
            args=rng.choice([None, {"amount": 5}, {"amount": 70, "to": "x"}, [1], "x", {"amount": {"deep": [1.5, None]}}]),
            latency=rng.choice([None, 0.5, 3.0]), usage=OwnUsage(rng.choice([None, 5, 500])),
            tool_calls=[OwnToolCall(rng.choice(["a", "rm"]), rng.choice([None, {}, {"force": 1}])) for _ in range(rng.randrange(3))],
        )  # fmt: skip
        assert standard.check(own).outcomes == standard.check_json(msgspec.json.encode(own)).outcomes
        assert repr(standard.check(own).violations) == repr(
            standard.check_json(msgspec.json.encode(own)).violations
        )
    assert not standard.strangers


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"kind": "poem"}, "$.kind"), ({"args": {"amount": "\udfff"}}, "$.args.amount"), ({"usage": OwnUsage("x")}, "$.usage.input_tokens"),
        ({"tool_calls": [OwnToolCall("a", {"\ud800": 1})]}, "$.tool_calls[0].args"), ({"usage": 5}, "$.usage"),
    ],
)  # fmt: skip
def test_the_standard_record_with_lies(standard: pactlang.Evaluator, change: Any, path: str) -> None:
    with pytest.raises(RecordError) as refused:
        standard.check(msgspec.structs.replace(OwnCall(), **change))
    assert refused.value.path.startswith(path)


@pytest.mark.parametrize(
    "args", [(1, 2), {1: 2}, {"a": {"b"}}, float("nan"), 2**70, {"amount": float("nan")}]
)
def test_strange_arguments_are_judged_like_a_dict(standard: pactlang.Evaluator, args: Any) -> None:
    own = OwnCall(tool="refund", args=args)
    data = {"kind": "chat", "tool": "refund", "args": args}

    def said(record: Any) -> Any:
        try:
            return standard.check(record).outcomes
        except RecordError as refused:
            return refused.path, refused.reason

    assert said(own) == said(data)


def test_an_absent_usage_reads_as_an_empty_one(standard: pactlang.Evaluator) -> None:
    own = msgspec.structs.replace(OwnCall(), usage=None)
    assert standard.check(own).outcomes == standard.check({"kind": "chat"}).outcomes


class Telemetry(msgspec.Struct, rename={"model": "gen_ai.request.model"}):
    """A struct that holds a field under its wire name is read the slow way."""

    kind: str = "chat"
    model: str | None = None


def test_a_struct_with_wire_names_is_read_like_a_dict(standard: pactlang.Evaluator) -> None:
    assert standard.check(Telemetry(model="m")).outcomes["cheap"] == Outcome.VIOLATED
    assert standard.check({"gen_ai.request.model": "m"}).outcomes["cheap"] == Outcome.VIOLATED
    assert Telemetry in standard.strangers


def test_a_pact_expires_on_the_day_it_renews() -> None:
    text = 'pact p "1.0.0" renews 2026-03-01 clause c { require output != "x" }'
    evaluator = pactlang.Evaluator(pactlang.compile(text))
    calls = [
        {"time": "2026-02-28T23:59:59.999Z"},
        {"time": "2026-03-01T00:00:00Z"},
        {},
        {"time": "2026-03-01T00:30:00+01:00"},
    ]
    assert [evaluator.check(call).expired for call in calls] == [False, True, False, False]
    assert evaluator.check(calls[1]).ok, "expiry changes no outcome"
    lines = b"\n".join([*(json.dumps(call).encode() for call in calls), b"{"])
    assert evaluator.check_lines(lines).expired.tolist() == [False, True, False, False, False]


@pytest.mark.parametrize(
    "call",
    [
        lambda e: pactlang.Evaluator("x.pact"), lambda e: e.check_lines(5), lambda e: pactlang.compile(None),
        lambda e: pactlang.compile(b"pact"),
    ],
)  # fmt: skip
def test_arguments_of_the_wrong_type_are_named(evaluator: pactlang.Evaluator, call: Any) -> None:
    with pytest.raises(TypeError, match=r"expected .* found"):
        call(evaluator)


def test_lines_may_come_as_text(evaluator: pactlang.Evaluator) -> None:
    assert len(evaluator.check_lines("{}\n\ud800\n").undecodable) == 2


def test_the_public_names_are_listed() -> None:
    assert set(pactlang.__all__) <= set(dir(pactlang))
    assert "TYPE_CHECKING" not in dir(pactlang)


class Inner(msgspec.Struct):
    s: str
    n: int | None = None


class Outer(msgspec.Struct):
    a: Inner | None = None
    b: Inner | None = None


def test_nested_records_that_lie_are_refused_and_never_equal() -> None:
    text = 'pact p "1.0.0" on R record R { a: In? b: In? } record In { s: string n: int? } clause same { require a == b }'
    evaluator = pactlang.Evaluator(pactlang.compile(text))
    assert evaluator.check(Outer(Inner("x", 7), Inner("x", 7))).ok
    with pytest.raises(RecordError) as refused:
        evaluator.check(Outer(Inner("x", "junk"), Inner("x", {})))
    assert refused.value.path == "$.a.n"


def test_a_nan_that_the_pact_makes_is_a_value() -> None:
    text = 'pact p "1.0.0" clause a { require double("NaN") != double("NaN") && size([double("NaN")]) == 1 }'
    assert pactlang.Evaluator(pactlang.compile(text)).check({}).ok


def test_evidence_takes_bounded_time() -> None:
    text = (
        'pact p "1.0.0" on R record R { n: list(int) } clause a { require !n.all(i, n.all(j, i + j >= 0)) }'
    )
    (violation,) = pactlang.Evaluator(pactlang.compile(text)).check({"n": list(range(1400))}).violations
    assert "violated" in violation.message


def test_conversions_in_loops_take_bounded_memory() -> None:
    text = (
        'pact p "1.0.0" on R record X { us: list(uint) } record R { n: list(int) xs: list(X) }'
        " clause a { require n.all(i, xs.all(x, size(x.us) > 0)) }"
    )
    evaluator = pactlang.Evaluator(pactlang.compile(text))
    data = {"n": list(range(400)), "xs": [{"us": list(range(2**40, 2**40 + 1000))} for _ in range(100)]}
    assert evaluator.check(data).unknown == ("a",)


MEDDLER = """
import gc, msgspec, pactlang

class R(msgspec.Struct):
    n: object = None
    t: str = "x"

class Meddler:
    def __init__(self, record):
        self.record, self.me = record, self
    def __del__(self):
        self.record.t = "new" + str(id(self))
        self.record.n[:] = [f"k{i}" for i in range(50)]

evaluator = pactlang.Evaluator(pactlang.compile('''pact p "1.0.0" on R record R { n: dyn? t: string }
    clause a { require n.all(i, [t, i, t].exists(z, z == i) && t != "q") }'''))
gc.set_threshold(1)
for k in range(4000):
    record = R([f"s{k}-{i}" for i in range(200)], f"t{k}")
    gc.disable()
    Meddler(record)
    gc.enable()
    evaluator.check(record)
    assert gc.isenabled()
"""


def test_a_finalizer_that_changes_the_record_does_no_harm() -> None:
    """Allocations inside a run could collect garbage, and a finalizer reach into what the run borrows."""
    paths = {**os.environ, "PYTHONPATH": ":".join(sys.path), "PYTHONMALLOC": "debug"}
    subprocess.run([sys.executable, "-c", MEDDLER], check=True, timeout=120, env=paths)


def test_a_text_longer_than_all_of_a_large_set_is_not_in_it() -> None:
    names = [f"name{number}" for number in range(40)]
    program = pactlang.compile(f'pact p "1.0.0"\nclause known {{ require output in {json.dumps(names)} }}')
    evaluator = pactlang.Evaluator(program)
    for text, known in (("name39", True), ("name7", True), ("name40", False), ("name39x", False)):
        assert evaluator.check({"output": text}).ok is known
    assert not evaluator.check({"output": "name39" * 1_000_000}).ok


def test_literals_of_one_field_are_sought_together() -> None:
    clauses = 'clause a { never output.contains("one") }\nclause b { never output.contains("two") }'
    evaluator = pactlang.Evaluator(pactlang.compile(f'pact p "1.0.0"\n{clauses}'))
    for text, broken in (("", []), ("one", ["a"]), ("é two", ["b"]), ("onetwo" * 200_000, ["a", "b"])):
        said = evaluator.check({"output": text}).outcomes
        assert said == {name: Outcome.VIOLATED if name in broken else Outcome.SATISFIED for name in "ab"}
