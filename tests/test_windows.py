"""Windows over many calls, against `naive_windows`; the laws of merging; bytes; the bounds of estimates."""

from __future__ import annotations

import math
import os
from functools import cache
from random import Random
from typing import Any

import naive_windows
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_windows import ERROR, Naive

from pactlang import ir
from pactlang._runtime import Windows
from pactlang.check import check
from pactlang.emit.windows import GROUPS, Registers, keep_info
from pactlang.fold import fold_module
from pactlang.parse import parse
from pactlang.program import KeepInfo
from pactlang.source import Source
from pactlang.values import Duration, UInt

RECORD = """record R { id: string time: timestamp? a: int? u: uint? x: double? d: duration? ok: bool?
  w: bool? k: int? s: string? y: dyn? }"""
NAMES = ("a", "u", "x", "d", "ok", "w", "k", "s", "y")
SECRET = b"0123456789abcdef"
OUTCOMES = ("satisfied", "violated", "skipped", "unknown")
REASONS = {0: "error", 2: "insufficient", 6: "late", 7: "no time"}


class Kept:
    """The windows of some `keep`s, fed with plain values of fields."""

    def __init__(self, *texts: str) -> None:
        clauses = "".join(f"clause c{i} {{ {text} }}\n" for i, text in enumerate(texts))
        source = Source("p", f'pact p "1.0.0" on R\n{RECORD}\n{clauses}')
        pact, found = parse(source)
        assert pact is not None, found
        module, found = check(pact, source)
        assert module is not None, found
        self.module = fold_module(module)
        self.columns: list[ir.Expr] = []
        registers = Registers(self.register, self.truth)
        self.infos = [self.info(i, clause, registers) for i, clause in enumerate(self.module.clauses)]
        self.windows = self.fresh()
        naive_windows.FIELDS[:] = [slot.name for slot in self.module.schema.slots]

    def info(self, number: int, clause: ir.Clause, registers: Registers) -> KeepInfo:
        assert isinstance(clause.promise, ir.Keep)
        return keep_info(number, clause.when, clause.promise, registers, b"")

    def register(self, node: ir.Expr) -> int:
        if node not in self.columns:
            self.columns.append(node)
        return self.columns.index(node)

    def truth(self, node: ir.Expr | None) -> int:
        return -1 if node is None else self.register(node)

    def fresh(self) -> Windows:
        return Windows([info.table for info in self.infos], len(self.columns), len(self.infos), SECRET)

    def row(self, call: dict[str, Any]) -> list[Any]:
        names = [slot.name for slot in self.module.schema.slots]
        return [call[names[n.slot]] if isinstance(n, ir.Slot) else value_of(n) for n in self.columns]

    def feed(self, time: int | None, call: dict[str, Any], number: int = 0) -> tuple[str, str, bool]:
        outcome, why, fires = self.windows.feed(number, time, self.row(call))
        return OUTCOMES[outcome], REASONS[why] if outcome == 3 else "", bool(fires)

    def naive(self, number: int = 0) -> Naive:
        clause = self.module.clauses[number]
        assert isinstance(clause.promise, ir.Keep)
        limit = clause.promise.limit if clause.promise.limit > 0 else GROUPS
        return Naive(
            clause.promise, clause.when, lambda call: self.windows.group(number, self.row(call)), limit
        )


def value_of(node: ir.Expr) -> Any:
    assert isinstance(node, ir.Const)
    return Duration(*node.value) if node.type.kind == "duration" else node.value


@cache
def compiled(text: str) -> Kept:
    return Kept(text)


def kept_of(text: str) -> Kept:
    """Compiled once, with empty windows."""
    kept = compiled(text)
    kept.windows = kept.fresh()
    naive_windows.FIELDS[:] = [slot.name for slot in kept.module.schema.slots]
    return kept


def call_of(**given: Any) -> dict[str, Any]:
    return {**dict.fromkeys(NAMES), "id": "1", "time": None, **given}


# By its words ----------------------------------------------------------------------------------

KEEPS = [
    "keep count() <= 5 over 1s",
    "keep count(where w) == 2 over 2s",
    "keep count(a where w) < 3 over 4 calls",
    "when ok keep count(s) <= 3 over 1s by k limit 2",
    "keep rate(ok) >= 0.7 over 1s min 3 calls",
    "keep rate(ok where w) > 0.5 over 5 calls min 2 calls",
    "keep rate(y) <= 0.07 over 2s min 1 calls",
    "keep burn_rate(ok, 0.9) < 5.0 over 1s and 4 calls min 2 calls",
    "keep burn_rate(ok, 0.75) <= 2.0 over 1s and 3s min 1 calls",
    "keep sum(a) <= 20 over 1s by k limit 1",
    "keep sum(x) <= 0.3 over 2s",
    "keep sum(d where w) < 5s over 3 calls",
    "keep sum(u) == 7u over 1s",
    "keep avg(a) <= 2.5 over 1s min 2 calls",
    "keep avg(x) < 0.1 over 4 calls min 1 calls",
    "keep avg(d) >= 1500ms over 2s min 1 calls",
    "keep min(a) >= 0 over 1s",
    "keep max(x) < 2.5 over 5 calls",
    "keep max(d) <= 1999ms over 2s by s",
    "keep max(u) > 3u over 3 calls by k, s limit 2",
    "keep min(x) != 0.1 over 1s",
    "keep p50(a) <= 2 over 1s min 1 calls",
    "keep p90(x) < 0.3 over 6 calls min 2 calls",
    "keep p75(d) > 1s over 2s min 1 calls",
    "keep quantile(u, 0.3) >= 2 over 1s min 1 calls",
    "keep p50(a) == 2 over 5 calls min 1 calls",
    "keep p50(x) != 0.1 over 1s min 1 calls",
    "keep p95(a) < 2.5 over 1s by w min 1 calls",
    "keep distinct(s) <= 2 over 1s",
    "keep distinct(a where ok) < 3 over 4 calls",
    "keep count(where w) * 2 > count() over 1s",
    "keep max(d) - min(d) < 3s over 5 calls",
    "keep sum(k) + 1 > count() over 2s by w limit 2",
    "keep 3 >= count(where ok) over 1s",
]
MICROS = 10**6
TRACES = 15 * int(os.environ.get("PACT_SEEDS", "10"))  # of each promise


STEPS = (0, 0, 1, 40_000, 300_000, 999_999, 1_016_000, -17_000, -500_000, -1_100_000, 9 * MICROS)
VALUES: dict[str, tuple[Any, ...]] = {
    "a": (0, 1, 2, 3, -4, 2**62, -(2**63)), "u": tuple(map(UInt, (0, 1, 3, 7, 2**63 + 1))),
    "x": (0.1, 0.2, 0.3, 2.5, -0.0, -1e17, 2e18, 2.5e-10, 1.5e-9),
    "d": (Duration(1, 0), Duration(1, 500_000_000), Duration(-2, 1000), Duration(4, 0)),
    "ok": (True, False, True), "w": (True, True, False), "k": (1, 2, 3, 4), "s": ("", "a", "b", "ä"),
    "y": (True, False, "no bool"),
}  # fmt: skip
Trace = list[tuple[int | None, dict[str, Any]]]


def trace(chance: Random, errors: bool) -> Trace:
    """Calls with times that are late, equal, backward and missing, and values that are null or errors."""
    time, made = chance.choice([0, -5 * MICROS, 1_760_000_000 * MICROS, 7_258_118_400 * MICROS]), []
    odd = [None, None, ERROR] if errors else [None]
    for _ in range(chance.randint(1, 25)):
        time += chance.choice(STEPS)
        call = call_of(**{name: chance.choice([*values, *odd]) for name, values in VALUES.items()})
        made.append((None if chance.random() < 0.08 else time, call))
    return made


def agrees(kept: Kept, text: str, calls: Trace) -> None:
    naive = kept.naive()
    for time, call in calls:
        assert kept.feed(time, call) == naive.feed(time, as_conditions(text, call)), (time, call)


def as_conditions(text: str, call: dict[str, Any]) -> dict[str, Any]:
    """What is no bool is an error where a condition stands; null, too, but for the value of a share."""
    told = {**call, "y": ERROR if isinstance(call["y"], str) else call["y"]}
    for name in ("w", "ok"):
        if f"where {name}" in text or text.startswith(f"when {name}"):
            told[name] = ERROR if told[name] is None else told[name]
    return told


@pytest.mark.parametrize("text", KEEPS)
def test_windows_are_what_the_words_say(text: str) -> None:
    for seed in range(TRACES):
        chance = Random(f"{text} {seed}")
        agrees(kept_of(text), text, trace(chance, errors=seed % 2 == 0))


@settings(max_examples=60, deadline=None)
@given(text=st.sampled_from(KEEPS), chance=st.randoms(use_true_random=False), errors=st.booleans())
def test_windows_are_what_the_words_say_of_any_trace(text: str, chance: Random, errors: bool) -> None:
    agrees(kept_of(text), text, trace(chance, errors))


def test_a_call_that_may_be_in_a_window_makes_unknown_what_it_could_change() -> None:
    kept = kept_of("when ok keep count() <= 2 over 10s by k")
    one, other = call_of(ok=True, k=1), call_of(ok=True, k=2)
    lost = call_of(ok=ERROR, k=1)
    said = [kept.feed(i, call)[0] for i, call in enumerate([one, lost, other, one, other])]
    assert said == ["satisfied", "unknown", "satisfied", "unknown", "satisfied"]
    anywhere = call_of(ok=True, k=ERROR)
    said = [kept.feed(i + 5, call)[0] for i, call in enumerate([anywhere, other, call_of(ok=True, k=3)])]
    assert said == ["unknown", "violated", "satisfied"]
    assert kept.feed(30 * MICROS, one) == ("satisfied", "", False)  # both are long ago
    assert kept.windows.counts(0)["uncertain"] == 2


def test_a_call_that_may_be_among_the_last_ones_is_forgotten_when_so_many_came() -> None:
    kept = kept_of("keep max(a) <= 5 over 3 calls by k")
    calls = [call_of(a=1, k=1), call_of(a=9, k=ERROR), *[call_of(a=1, k=1)] * 4, call_of(a=1, k=2)]
    said = [kept.feed(None, call)[0] for call in calls]
    assert said == ["satisfied", *["unknown"] * 3, "satisfied", "satisfied", "unknown"]
    data, again = kept.windows.to_bytes(), kept.fresh()
    again.load(data)
    assert again.to_bytes() == data


# Merging and bytes -------------------------------------------------------------------------------

MERGED = [
    "keep count(where w) == 2 over 2s by k limit 2",
    "keep rate(ok) >= 0.7 over 1s and 3s min 1 calls",
    "keep sum(x) <= 0.3 over 2s by s limit 1",
    "keep max(d) <= 1999ms over 2s by k",
    "keep p95(d) - p50(d) < 1s over 2s by k limit 1 min 1 calls",
    "keep distinct(s) <= 2 over 1s by w",
    "keep p90(a) <= 2 over 1s min 1 calls",
]


def fed(kept: Kept, calls: Trace) -> Windows:
    kept.windows = kept.fresh()
    for time, call in calls:
        kept.feed(time, call)
    return kept.windows


@pytest.mark.parametrize("text", MERGED)
def test_parts_may_be_merged_in_any_order(text: str) -> None:
    kept = kept_of(text)
    for seed in range(60):
        chance = Random(seed)
        parts = [trace(chance, errors=True) for _ in range(3)]
        a, b, c = (fed(kept, part).to_bytes(False) for part in parts)

        def merged(*data: bytes) -> bytes:
            total = kept.fresh()
            for each in data:
                other = kept.fresh()
                other.load(each)
                total.merge(other)
            return total.to_bytes(False)

        assert merged(a, b, c) == merged(c, b, a) == merged(merged(b, a), c) == merged(b, merged(a, c))
        assert merged(a) == a


@pytest.mark.parametrize("text", MERGED)
def test_the_order_within_a_window_does_not_matter(text: str) -> None:
    kept = kept_of(text)
    for seed in range(40):
        chance = Random(seed)
        calls = [(chance.randint(0, 900_000), call) for _, call in trace(chance, errors=True)]
        whole = fed(kept, calls).to_bytes(False)
        chance.shuffle(calls)
        assert fed(kept, calls).to_bytes(False) == whole
        cut = chance.randint(0, len(calls))
        assert fed(kept, calls[:cut]).merge(fed(kept, calls[cut:])).to_bytes(False) == whole


@pytest.mark.parametrize("text", KEEPS)
def test_windows_go_on_from_their_bytes(text: str) -> None:
    kept = kept_of(text)
    for seed in range(8):
        calls = trace(Random(seed), errors=True)
        kept.windows = kept.fresh()
        said = [kept.feed(*each) for each in calls]
        kept.windows = kept.fresh()
        for each, expected in zip(calls, said, strict=True):
            data, kept.windows = kept.windows.to_bytes(), kept.fresh()
            kept.windows.load(data)
            assert kept.windows.to_bytes() == data
            assert kept.feed(*each) == expected


def test_windows_of_calls_are_not_merged() -> None:
    kept = kept_of("keep count() <= 5 over 3 calls")
    other = fed(kept, [(None, call_of())])
    mine = kept.fresh()
    with pytest.raises(ValueError, match="cannot be merged"):
        mine.merge(other)
    assert mine.merge(kept.fresh()).to_bytes() == kept.fresh().to_bytes()


def test_windows_of_another_pact_or_secret_are_not_merged() -> None:
    kept = kept_of("keep count() <= 5 over 1s")
    for other in (
        kept_of("keep count() <= 5 over 2s").windows,
        Windows(kept.windows.tables, len(kept.columns), 1, b"f" * 16),
        kept.windows,
    ):
        with pytest.raises(ValueError, match="another"):
            kept.windows.merge(other)


@pytest.mark.parametrize("text", KEEPS)
def test_no_bytes_do_harm(text: str) -> None:
    """Whatever is read is refused or is windows: they are written again, go on and merge."""
    kept = kept_of(text)
    chance = Random(text)
    whole = fed(kept, trace(chance, errors=True)).to_bytes()
    for _ in range(120):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(data))
            data[at] = chance.choice([0, 1, 255, 127, 128, data[at] ^ 1 << chance.randrange(8)])
        data = data[: chance.choice([len(data), len(data), chance.randrange(len(data))])]
        kept.windows = kept.fresh()
        try:
            kept.windows.load(bytes(data))
        except ValueError:
            assert kept.windows.to_bytes() == kept.fresh().to_bytes()
            continue
        again = kept.windows.to_bytes()
        kept.feed(1_760_000_000 * MICROS, call_of(a=1, x=0.1, d=Duration(1, 0), ok=True, w=True, k=1))
        other = kept.fresh()
        other.load(again)
        assert other.to_bytes() == again


# Estimates ---------------------------------------------------------------------------------------


def value_is(kept: Kept, calls: Trace) -> str:
    kept.windows = kept.fresh()
    for time, call in calls:
        said = kept.feed(time, call)[0]
    return said


@pytest.mark.parametrize("window", ["10s", "5000 calls"])
@pytest.mark.parametrize("kind", ["x", "a", "d"])
def test_the_value_of_a_quantile_is_within_a_hundredth(kind: str, window: str) -> None:
    """Shown by comparing it with itself times 1.01 and 0.99, which is no comparison with a constant."""
    chance = Random(kind)
    make = {
        "x": lambda: math.exp(chance.gauss(0, 9)) * chance.choice([1, 1, -1]),
        "a": lambda: round(math.exp(chance.uniform(0, 40))), "d": lambda: Duration(0, chance.randrange(10**6) * 1000),
    }[kind]  # fmt: skip
    values = [make() for _ in range(3000)]
    ordered = sorted(values, key=lambda v: (v.seconds, v.nanos) if isinstance(v, Duration) else v)
    for q in (0.05, 0.5, 0.95, 0.999):
        true = ordered[math.ceil(q * len(ordered)) - 1]
        number = true.nanos / 1e9 if isinstance(true, Duration) else float(true)
        low, high = sorted((number * 0.99 - 1e-9, number * 1.01 + 1e-9))
        calls = [(i, call_of(**{kind: value})) for i, value in enumerate(values)]
        for bound, op in ((low, ">="), (high, "<=")):
            zero, text = ("- 0s", f"{bound:.9f}s") if kind == "d" else ("+ 0.0", repr(bound))
            figure = f"double(quantile({kind}, {q}))" if kind == "a" else f"quantile({kind}, {q})"
            assert value_is(kept_of(f"keep {figure} {zero} {op} {text} over {window}"), calls) == "satisfied"


@pytest.mark.parametrize("many", [1, 255, 256, 257, 5_000, 12_000, 40_000, 200_000])
def test_distinct_values_are_exact_or_near(many: int) -> None:
    """Four standard errors of 1.6 % are allowed, in one sample per size."""
    near = many if many <= 256 else round(many * 0.064) + 1
    low, high = (many, many) if many <= 256 else (many - near, many + near)
    kept = kept_of(f"keep distinct(a) <= {high} over 1s")
    least = kept_of(f"keep distinct(a) >= {low} over 1s")
    for each in (kept, least):
        row = each.row(call_of(a=0))
        for i in range(many):
            row[0] = i
            said = each.windows.feed(0, i * 2, row)[0]
        assert OUTCOMES[said] == "satisfied"


# Tables ------------------------------------------------------------------------------------------


def test_no_table_is_taken_that_stands_for_nothing() -> None:
    """Each number of each table replaced by others: refused, or fed without harm."""
    for text in (
        "keep rate(ok where w) < 0.5 over 5m by k min 1 calls",
        "keep max(a) - min(a) < 3 over 3 calls",
    ):
        kept = kept_of(text)
        (table,) = kept.windows.tables
        for path in paths(table):
            for number in (-2, -1, 0, 1, 3, 9, 64, 255, 10**6, 2**31, 2**62, -(2**63), 2**63):
                changed = put(table, path, number)
                try:
                    made = Windows([changed], len(kept.columns), 1, SECRET)
                except (ValueError, OverflowError, TypeError):
                    continue
                for time in (0, 10**6, -(10**15)):
                    made.feed(0, time, kept.row(call_of(a=1, ok=True, w=True, k=1)))
                made.load(made.to_bytes())


def paths(value: Any, above: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    if not isinstance(value, tuple):
        return [above]
    return [path for i, part in enumerate(value) for path in paths(part, (*above, i))]


def put(value: Any, path: tuple[int, ...], number: int) -> Any:
    if not path:
        return number
    return (*value[: path[0]], put(value[path[0]], path[1:], number), *value[path[0] + 1 :])


def test_what_was_counted() -> None:
    kept = kept_of("when ok keep sum(a) <= 5 over 1s by k limit 1")
    for time, fields in [
        (0, {"k": 1, "a": 1}), (0, {"k": 2, "a": None}), (0, {"k": ERROR}), (None, {"k": 1}),
        (9 * MICROS, {"k": 1, "a": ERROR}), (9 * MICROS, {"k": 2}), (0, {"k": 1}), (0, {"k": 2, "ok": None}),
    ]:  # fmt: skip
        kept.feed(time, call_of(**{"ok": True, **fields}))
    found = kept.windows.counts(0)
    assert found == {
        "entered": 4, "missing": 2, "errors": 1, "late": 1, "timeless": 1, "uncertain": 2, "groups": 1,
        "other": found["other"],
    }  # fmt: skip
