"""`watch` over a rate: what is promised, held exactly; the machine, held to plain Python; bad input."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import comb
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_watch import ERROR, FACTOR, LEVEL, Detector, Levels, factors, outcomes

import pactlang
from pactlang import Monitor
from pactlang._runtime import Drift
from pactlang.build import compile_source
from pactlang.cost.watches import group_size
from pactlang.drift import CALLS, pact_calls, promised_calls
from pactlang.explain.suspects import _named, e_value
from pactlang.source import Source
from pactlang.verdict import Alarm, Changed

SECRET = bytes(16)
RATES = [Fraction(1, 100), Fraction(1, 2), Fraction(9, 10), Fraction(1, 10**12), Fraction(999, 1000)]
rates = st.fractions(Fraction(1, 10**6), Fraction(999, 1000), max_denominator=10**6)


def drift(rate: Fraction = Fraction(1, 100), calls: int = 1000, keys: tuple[int, ...] = ()) -> Drift:
    """The detectors of a watch over the first of three registers."""
    rates = ((rate.numerator, rate.denominator),)
    return Drift((0, -1, keys, 0, -1, 0, rates, calls, 0, (), ()), 3, 2, SECRET)


@cache
def compiled(text: str, head: str = 'pact p "1.0.0"\n') -> pactlang.Program:
    return pactlang.compile(head + text)


def problems(text: str) -> list[tuple[str, str]]:
    _, found = compile_source(Source("p.pact", f'pact p "1.0.0"\n{text}'))
    return [(d.level, d.code) for d in found if d.level == "error"]


# What is promised ------------------------------------------------------------------------------------


@settings(deadline=None)
@given(rates, st.lists(st.integers(0, 2**50), min_size=8, max_size=8))
def test_a_call_adds_one_on_average_at_most(rate: Fraction, levels: list[int]) -> None:
    """Whatever the levels are: so it holds of calls that hang on each other, however they do."""
    miss, hit = (Levels(rate, levels).take(x) for x in (0, 1))
    assert (1 - rate) * miss + rate * hit <= sum(levels) + LEVEL


@settings(deadline=None)
@given(rates, st.lists(st.integers(0, 2**50), min_size=8, max_size=8), st.floats(0, 1))
def test_a_share_counts_for_no_more_than_hits_that_come_as_often(
    rate: Fraction, levels: list[int], x: float
) -> None:
    miss, share, hit = (Levels(rate, levels).take(each) for each in (0, x, 1))
    assert share <= (1 - Fraction(x)) * miss + Fraction(x) * hit + 8


@pytest.mark.parametrize(("rate", "depth"), [(Fraction(1, 5), 16), (Fraction(1, 2), 12), (Fraction(9, 10), 12)])
def test_all_sequences_of_calls_keep_the_promise(rate: Fraction, depth: int) -> None:
    """Every sequence of hits and misses, with its exact weight: the level at the first alarm, or at the end, is
    at most the number of calls until then; alarms in n calls are at most n / N."""
    for calls in (2, 5, 20):
        level, until, alarms = _weighed(rate, calls * LEVEL, depth)
        assert level <= until * LEVEL
        assert alarms <= Fraction(depth, calls)


def _weighed(rate: Fraction, limit: int, depth: int) -> tuple[Fraction, Fraction, Fraction]:
    """Averages: the levels at the first alarm or the end, its call, and alarms in all.  Weights are whole."""
    level = until = alarms = 0
    yes, whole = rate.numerator, rate.denominator
    todo = [((0,) * 8, 0, whole**depth, False)]
    while todo:
        levels, n, weight, rung = todo.pop()
        if n == depth:
            if not rung:
                level, until = level + weight * sum(levels), until + weight * n
            continue
        for x, share in ((0, whole - yes), (1, yes)):
            made, part = Levels(rate, levels), weight * share // whole
            total = made.take(x)
            if total >= limit and x:
                alarms += part
                if not rung:
                    level, until = level + part * total, until + part * (n + 1)
                todo.append(((0,) * 8, n + 1, part, True))
            else:
                todo.append((tuple(made.levels), n + 1, part, rung))
    return Fraction(level, whole**depth), Fraction(until, whole**depth), Fraction(alarms, whole**depth)


def test_watches_without_a_number_share_a_promise() -> None:
    text = "".join(f"clause c{i} {{ watch !has(ok) above 0.{i} }}\n" for i in range(1, 5))
    clauses = compiled(text).module.clauses
    assert set(promised_calls(clauses).values()) == {4 * CALLS}
    assert pact_calls(clauses) == CALLS
    more = compiled(text + "clause d { watch has(ok) above 0.5 one false alarm in 100000 calls }").module.clauses
    assert promised_calls(more)["d"] == CALLS and pact_calls(more) == CALLS // 2
    sure = compiled("clause c { watch !has(ok) above 0.0 }").module.clauses
    assert pact_calls(sure) is None and pact_calls(()) is None


# The machine -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", RATES)
def test_factors_are_rounded_down(rate: Fraction) -> None:
    assert drift(rate).factors == factors(rate)
    assert all((1 - rate) * miss + rate * hit <= FACTOR for miss, hit in factors(rate))


@settings(deadline=None)
@given(rates, st.lists(st.one_of(st.booleans(), st.floats(0, 1), st.none()), max_size=80), st.integers(1, 30))
def test_machine_and_plain_python_agree(rate: Fraction, values: list[Any], calls: int) -> None:
    detector = Detector(rate, calls)
    said = [detector.take(ERROR if value is None else value) for value in values]
    made = drift(rate, calls)
    assert [("quiet", "alarm", "doubt")[code] for code in made.feed(values)] == said
    levels = made.levels() or ([0] * 8, [0] * 8)
    assert [[round(x * LEVEL) for x in each] for each in levels] == [detector.low.levels, detector.high.levels]


def watched(text: str, records: list[dict[str, Any]]) -> list[str]:
    """What the clause `w` says of each record."""
    monitor = Monitor(compiled(text))
    return [monitor.feed(record).outcomes["w"].name.lower() for record in records]


HEAD = "extend Call { x: dyn?  on: dyn }\n"
values = st.one_of(st.none(), st.booleans(), st.sampled_from([0, 1, 2, -1, 0.5, 1.5, "text"]))
flags = st.sampled_from([True, True, True, False, "no bool"])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(flags, st.sampled_from(["a", "b", None]), values), max_size=60))
def test_whole_watches_agree_with_plain_python(calls: list[tuple[Any, Any, Any]]) -> None:
    text = HEAD + "clause w { when on watch x above 0.25 one false alarm in 3 calls by model }"
    records = [{"x": x, "on": on, "model": model} for on, model, x in calls]
    wanted = [(ERROR if on == "no bool" else on, model, x) for on, model, x in calls]
    assert watched(text, records) == list(outcomes(Fraction(1, 4), 3, wanted))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(["good", "bad", "off", "broken"]), max_size=60), st.booleans())
def test_outcomes_of_other_clauses_are_watched(calls: list[str], violated: bool) -> None:
    word = "violated" if violated else "satisfied"
    text = HEAD + 'clause c { when on require x == "good" }\n'
    text += f"clause w {{ watch {word}(c) above 0.25 one false alarm in 3 calls }}"
    shown = {"good": (True, "good"), "bad": (True, "bad"), "off": (False, ""), "broken": ("no bool", "")}
    records = [{"on": shown[call][0], "x": shown[call][1]} for call in calls]
    seen: dict[str, Any] = {"good": not violated, "bad": violated, "off": None, "broken": ERROR}
    assert watched(text, records) == list(outcomes(Fraction(1, 4), 3, [(True, 0, seen[c]) for c in calls]))


def test_a_watch_may_look_at_one_that_stands_behind_it() -> None:
    text = "clause w { watch violated(v) above 0.0 }\nclause v { watch has(ok) && !ok above 0.0 }"
    assert watched(text, [{"ok": True}, {"ok": False}, {}]) == ["satisfied", "violated", "satisfied"]


def test_what_cannot_be_read_never_hides_a_rise() -> None:
    """Errors alone make no alarm, but say that they might be one, once for every rise that they could be."""
    made = drift(Fraction(1, 10), 5)
    assert list(made.feed([None] * 12)).count(2) >= 2 and 1 not in made.feed([None] * 12)
    assert 1 in drift(Fraction(1, 10), 5).feed([None, None, 1, 1, 1, 1, 1])


def test_a_share_that_is_no_number_is_unknown() -> None:
    text = "on R\nrecord R { x: double }\nclause a { watch math.sqrt(x) above 0.1 one false alarm in 1000 calls }"
    monitor = Monitor(pactlang.compile(f'pact p "1.0.0" {text}'))
    said = [monitor.feed({"x": x}).outcomes["a"].name for x in (0.25, -1.0, 4.0, 0.25)]
    assert said == ["SATISFIED", "UNKNOWN", "UNKNOWN", "SATISFIED"]


def test_the_first_hit_is_the_alarm_above_nothing() -> None:
    assert watched("clause w { watch !ok above 0.0 }", [{"ok": True}, {"ok": False}, {"ok": False}]) == [
        "satisfied", "violated", "violated",
    ]  # fmt: skip


def test_groups_past_the_most_are_one() -> None:
    text = "clause w { watch has(ok) && !ok above 0.1 one false alarm in 20 calls by model }"
    monitor = Monitor(compiled(text))
    for i in range(1_000):
        monitor.feed({"model": f"m{i}", "ok": True})
    said = [monitor.feed({"model": f"n{i}", "ok": False}).outcomes["w"].name for i in range(20)]
    assert "VIOLATED" in said
    assert monitor.detectors["w"]["other"] == 20 and monitor.detectors["w"]["groups"] == 1_000


# The alarm ---------------------------------------------------------------------------------------------


def alarm_after(quiet: int) -> pactlang.Violation:
    text = "clause w { watch has(ok) && !ok above 0.01 one false alarm in 1000 calls }"
    monitor = Monitor(compiled(text))
    for i in range(quiet + 100):
        verdict = monitor.feed({"ok": i < quiet, "time": f"2026-01-01T{i // 3600:02}:{i // 60 % 60:02}:{i % 60:02}Z"})
        if verdict.violations:
            return verdict.violations[0]
    raise AssertionError("no alarm")


@pytest.mark.parametrize("quiet", [0, 7, 500])
def test_an_alarm_says_since_when(quiet: int) -> None:
    found = alarm_after(quiet)
    assert found.alarm is not None
    assert found.alarm.record == quiet + 1
    assert found.alarm.time == f"2026-01-01T00:{quiet // 60:02}:{quiet % 60:02}Z"
    assert found.alarm.observed == 1 and found.alarm.calls == found.alarm.hits
    assert found.alarm.in_all == quiet + found.alarm.calls and found.alarm.hits_in_all == found.alarm.hits
    assert found.alarm.evidence >= found.alarm.promised == 1000
    assert found.threshold == 0.01 and f"record {quiet + 1:,}" in found.message


def test_consequences_fire_at_every_alarm() -> None:
    monitor = Monitor(compiled('clause w { watch !ok above 0.0 on violation { alert "x" pause } }'))
    verdict: Any = monitor.feed({"ok": False})
    assert verdict.fired == (0,) and monitor.program.clauses[0].on_violation[1].kind == "pause"
    assert not monitor.program.clauses[0].enforceable


# State -------------------------------------------------------------------------------------------------

STATEFUL = """
extend Call { x: dyn? }
clause c { require x == true }
clause w { watch x above 0.1 one false alarm in 10 calls by model }
clause v { watch violated(c) above 0.2 one false alarm in 20 calls }
"""
records = st.fixed_dictionaries(
    {"x": st.sampled_from([True, False, None, 0.25, "text"]), "model": st.sampled_from(["a", "b", None])}
)


@settings(deadline=None, max_examples=30)
@given(st.lists(records, max_size=25))
def test_a_monitor_goes_on_from_a_snapshot_at_every_call(calls: list[dict[str, Any]]) -> None:
    program = compiled(STATEFUL)
    whole, parts = Monitor(program), Monitor(program)
    for call in calls:
        parts = Monitor.restore(program, parts.snapshot())
        assert parts.feed(call).outcomes == whole.feed(call).outcomes
    assert parts.snapshot() == whole.snapshot() and parts.detectors == whole.detectors


def test_a_later_version_keeps_the_watches_that_are_unchanged() -> None:
    old = Monitor(compiled(STATEFUL))
    for i in range(30):
        old.feed({"x": i % 3 == 0, "model": "a"})
    changed = STATEFUL.replace("above 0.2", "above 0.3").replace("clause w", "clause renamed")
    new = Monitor.restore(compiled(changed), old.snapshot())
    assert new.lost == ("v",)
    assert new.detectors["renamed"] == old.detectors["w"] and new.detectors["v"]["used"] == 0
    other = Monitor.restore(compiled(STATEFUL.replace("x == true", "x == false")), old.snapshot())
    assert other.lost == ("v",)  # it looked at what is another promise now


feeds = st.lists(st.tuples(st.integers(1, 3), st.lists(st.sampled_from([0, 1, None, 0.5]), max_size=9)), max_size=5)


def fed(parts: list[tuple[int, list[float | None]]]) -> Drift:
    made = drift(Fraction(1, 10), 50, (1,))
    for group, xs in parts:
        made.feed(xs, group=group)
    return made


@settings(deadline=None)
@given(feeds, feeds, feeds)
def test_detectors_of_workers_add_up_in_any_order(a: Any, b: Any, c: Any) -> None:
    def levels(*parts: Drift) -> list[Any]:
        first, *rest = parts
        for each in rest:
            first.merge(each)
        return [first.levels(group) for group in (1, 2, 3)]

    left = levels(fed(a).merge(fed(b)), fed(c))
    assert left == levels(fed(a), fed(b).merge(fed(c))) == levels(fed(c), fed(b), fed(a))
    assert levels(fed(a), fed([])) == levels(fed(a)) == levels(fed([]), fed(a))


@settings(deadline=None)
@given(feeds)
def test_detectors_as_bytes(parts: Any) -> None:
    made, again = fed(parts), fed([])
    again.load(made.to_bytes())
    assert again.to_bytes() == made.to_bytes()
    assert [again.levels(g) for g in (1, 2, 3)] == [made.levels(g) for g in (1, 2, 3)]


def test_merged_monitors_go_on_together() -> None:
    program = compiled("clause w { watch has(ok) && !ok above 0.01 one false alarm in 1000 calls }")
    one, two = Monitor(program), Monitor(program)
    for monitor in (one, two):
        for i in range(200):
            monitor.feed({"ok": i < 198, "session": str(id(monitor))})
    assert one.detectors["w"]["alarms"] == two.detectors["w"]["alarms"] == 0
    one.merge(two)
    assert one.detectors["w"]["used"] == 400
    said = [one.feed({"ok": False}).outcomes["w"].name for _ in range(3)]
    assert "VIOLATED" in said


def test_the_size_that_is_printed_is_the_size() -> None:
    assert [Drift.group_size(n) for n in (1, 14)] == [group_size(n) for n in (1, 14)]


# Bad input ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("clause w { watch !ok above 1.0 }", "out-of-range"),
        ("clause w { watch !ok above -0.1 }", "out-of-range"),
        ("clause w { watch !ok above 1 }", "out-of-range"),
        ("clause w { watch !ok above cost }", "out-of-range"),
        ("clause w { watch !ok above 0.0000000000001 }", "out-of-range"),
        ('clause w { watch !ok above "much" }', "out-of-range"),
        ("clause w { watch !ok above 0.1 one false alarm in 0 calls }", "out-of-range"),
        ("clause w { watch !ok above 0.1 one false alarm in 100000001 calls }", "out-of-range"),
        ("clause w { watch !ok above 0.1 by id, id, id, id, id, id, id, id, id }", "out-of-range"),
        ("clause w { watch tool above 0.1 }", "wrong-operand"),
        ("clause w { watch rate(ok) above 0.1 }", "population-promise"),
        ("clause w { watch violated(v) above 0.1 }", "unknown-clause"),
        ("clause w { watch violated(1) above 0.1 }", "wrong-arguments"),
        ("clause w { watch violated() above 0.1 }", "wrong-arguments"),
        ("clause w { watch violated(w) above 0.1 }", "cycle"),
        (
            "event e when true\nclause v { after e expect e within 3 calls }\n"
            "clause w { watch violated(v) above 0.1 }",
            "wrong-operand",
        ),
        ('clause w { watch distribution(tool) against "tools" }', "no-baseline"),
        ("clause w { watch ok against \"tools\" }", "wrong-arguments"),
        ("clause w { watch distribution(args) against \"tools\" }", "wrong-operand"),
        ('clause w { watch !ok above 0.1 on violation { block } }', "wrong-consequence"),
        ("clause w { watch !ok above 0.1; watch ok above 0.1 }", "two-promises"),
        ("clause w { watch !ok above 0.1 on end violate }", "wrong-consequence"),
    ],
)
def test_mistakes_are_told(text: str, code: str) -> None:
    assert ("error", code) in problems(text)


def test_cycles_of_watches_are_told() -> None:
    names = ["a", "b", "c", "a"]
    text = "".join(f"clause {x} {{ watch violated({y}) above 0.1 }}\n" for x, y in pairwise(names))
    assert {code for _, code in problems(text)} == {"cycle"}
    assert problems(text.replace("violated(a)", "!ok")) == []


TABLE: tuple[Any, ...] = (0, -1, (), 0, -1, 0, ((1, 100),), 1000, 0, (), ())


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, 2), (0, -1), (1, 3), (1, -2), (2, (3,)), (2, (-1,)), (2, (0,) * 9), (3, 3), (3, -1), (4, 0), (4, 1),
        (5, 2), (6, ((1, 1),)), (6, ((-1, 100),)), (6, ((1, 10**13),)), (6, ()), (6, ((1, 2),) * 2), (7, 0),
        (7, 10**8 + 1), (7, -1), (8, 1), (8, 2), (8, 3), (8, -1), (9, (1.0,)), (9, (1,)), (10, ("a",)), (10, (1,)),
    ],
)  # fmt: skip
def test_hostile_tables_are_refused(place: int, value: Any) -> None:
    table = (*TABLE[:place], value, *TABLE[place + 1 :])
    with pytest.raises((ValueError, OverflowError)):
        Drift(table, 3, 2, SECRET)


@settings(deadline=None)
@given(st.binary(max_size=400), st.integers(0, 400), st.integers(0, 255))
def test_hostile_bytes_are_refused_or_whole(junk: bytes, place: int, value: int) -> None:
    made = fed([(1, [1, 0, None]), (2, [0.5])])
    good = made.to_bytes()
    for data in (junk, b"PDRIFT2\0" + junk, good[:place], good + b"x", changed(good, place, value)):
        again = fed([(3, [1])])
        try:
            again.load(data)
        except ValueError:
            assert again.tallies["groups"] == 0 and again.tallies["used"] == 0
        else:
            again.feed([1, 0, 1, None] * 50, group=1)
            assert again.tallies["groups"] <= 3


def changed(data: bytes, place: int, value: int) -> bytes:
    place %= len(data)
    return data[:place] + bytes([value]) + data[place + 1 :]


def test_levels_never_overflow() -> None:
    made = drift(Fraction(1, 10**12), 10**8)
    other = drift(Fraction(1, 10**12), 10**8)
    for _ in range(200):
        made.merge(other)
        other.feed([1] * 5)
    assert 1 in made.feed([1] * 3)


def test_a_monitor_under_another_pact_is_not_merged() -> None:
    with pytest.raises(ValueError, match="pact"):
        drift().merge(drift(Fraction(1, 50)))
    made = drift()
    with pytest.raises(ValueError, match="pact"):
        made.merge(made)


def test_artifacts_hold_watches() -> None:
    program = compiled(STATEFUL)
    again = pactlang.load(program.to_bytes())
    assert again == program and len(again.core.state.watches) == 2  # type: ignore[union-attr]
    module = msgspec.msgpack.decode(program.annex.module, type=type(program.module))
    assert module == program.module


# What changed ------------------------------------------------------------------------------------------

VERSIONED = """
extend Call { prompt: string? }
clause w { watch has(ok) && !ok above 0.01 one false alarm in 1000 calls }
"""


def change(before: dict[str, Any], after: list[dict[str, Any]], quiet: int = 500) -> Alarm:
    """The first alarm: of calls that are well, then of ones that mostly fail on the first of `after`."""
    monitor = Monitor(compiled(VERSIONED))
    for i in range(quiet + 400):
        new = after[i % len(after)]
        call = {"ok": i < quiet or new is not after[0], **(before if i < quiet else new)}
        verdict = monitor.feed(call)
        if verdict.violations:
            found = verdict.violations[0].alarm
            assert found is not None
            return found
    raise AssertionError("no alarm")


def test_an_alarm_names_what_changed() -> None:
    (found,) = change({"model": "m1", "prompt": "p"}, [{"model": "m2", "prompt": "p"}]).changed
    assert (found.field, found.before, found.after, found.record) == ("model", ("m1",), "m2", 501)
    assert found.named and found.calls == found.hits and found.other_calls == 0 and found.e_value > 100


def test_versions_side_by_side_are_told_apart() -> None:
    """A model on half of the calls: its own calls fail, the others do not."""
    (found,) = change({"model": "m1"}, [{"model": "m2"}, {"model": "m1"}]).changed
    assert (found.after, found.before, found.other_hits) == ("m2", ("m1",), 0.0)
    assert found.named and abs(found.other_calls - found.calls) <= 1


def test_what_changed_together_is_named_together() -> None:
    found = change({"model": "m1", "prompt": "p"}, [{"model": "m2", "prompt": "q"}]).changed
    assert [each.field for each in found] == ["model", "prompt"] and found[0].e_value == found[1].e_value


def test_without_a_new_version_none_is_named() -> None:
    assert change({"model": "m1"}, [{"model": "m1"}]).changed == ()
    early = change({"model": "m1"}, [{"model": "m1"}], 0)
    assert early.changed == () and early.record == 1


def test_a_new_version_of_the_pact_is_a_change() -> None:
    old = Monitor(compiled(VERSIONED))
    for _ in range(500):
        old.feed({"ok": True})
    new = Monitor.restore(compiled(VERSIONED, 'pact p "1.0.1"\n'), old.snapshot())
    for _ in range(5):
        verdict = new.feed({"ok": False})
        if verdict.violations:
            break
    alarm = verdict.violations[0].alarm
    assert alarm is not None
    assert [each.field for each in alarm.changed] == ["pact"]
    assert alarm.changed[0].before[0].startswith("1.0.0") and alarm.changed[0].after.startswith("1.0.1")


def test_an_e_value_is_one_on_average_at_most() -> None:
    """Exactly, over all sequences of calls of ten."""
    for rate in (0.05, 0.3, 0.9):
        mean = sum(comb(10, s) * rate**s * (1 - rate) ** (10 - s) * e_value(rate, 10, s) for s in range(11))
        assert mean <= 1 + 1e-9


@settings(deadline=None)
@given(st.lists(st.floats(0, 1e6), max_size=8))
def test_e_bh_names_those_that_are_strong_enough(values: list[float]) -> None:
    ranked = sorted(values, reverse=True)
    found = _named([Changed("f", (), "", 0, 0, 0, 0, 0, value, False) for value in ranked])
    named = [each.e_value for each in found if each.named]
    assert named == ranked[: len(named)]
    assert not named or named[-1] >= len(values) / (0.05 * len(named))
    assert all(ranked[k - 1] < len(values) / (0.05 * k) for k in range(len(named) + 1, len(values) + 1))
