"""The scorer: laws of its state, the meaning of its numbers, what it refuses."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pactlang
from pactlang import Outcome, Scorer
from pactlang.score.losses import losses_of
from pactlang.verdict import Amendment

PACT = """pact p "1.0.0"
event ask when tool == "ask"
event answer when tool == "answer"
clause no_cards { dimension safety severity critical never output.contains("card") }
clause polite { dimension safety severity minor require output != "" }
clause cheap { dimension cost severity major when has(cost) require cost < 1.0 }
clause quick { dimension latency severity info require latency < 2s }
clause steady { dimension latency when tool == "search" require latency < 1s }
clause answered { dimension care after ask expect answer within 2 calls on end violate }
score { half_life 2d weights { safety 2.5, cost 1, latency 1, care 0.5, bond 0 } }
"""
START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = 86_400 * 10**6


@cache
def program(text: str = PACT) -> pactlang.Program:
    return pactlang.compile(text)


def record(draw: random.Random, time: datetime | None) -> dict[str, Any]:
    """A call that keeps, breaks, skips and confounds clauses."""
    made: dict[str, Any] = {"tool": draw.choice(["ask", "answer", "search", "other"]), "session": "s"}
    made["output"] = draw.choice(["fine"] * 30 + ["", "a card"])
    if draw.random() < 0.8:
        made["latency"] = draw.random() * 2.2
    if draw.random() < 0.5:
        made["cost"] = draw.random() * 1.1
    if time is not None:
        made["time"] = time.isoformat()
    return made


def verdicts(count: int, seed: int, days: float = 30.0, timeless: float = 0.01) -> list[Any]:
    """Verdicts on calls over some days, and the amendments that came with them."""
    draw, monitor, found = random.Random(seed), pactlang.Monitor(program()), list[Any]()
    for at in range(count):
        time = START + timedelta(days=days * at / count)
        found.append(monitor.feed(record(draw, None if draw.random() < timeless else time)))
        found += monitor.amendments
    monitor.end("s")
    return [*found, *monitor.amendments]


def numbered(found: list[Any]) -> list[tuple[Any, int | None]]:
    """Verdicts with capture numbers; amendments have none."""
    number, pairs = 0, list[tuple[Any, int | None]]()
    for each in found:
        pairs.append((each, None if isinstance(each, Amendment) else number))
        number += not isinstance(each, Amendment)
    return pairs


def scorer(pairs: Any, worker: str = "w") -> Scorer:
    made = Scorer(program(), worker)
    for each, capture in pairs:
        made.add(each, capture)
    return made


# The state is a commutative monoid --------------------------------------------------------------------

FEW = numbered(verdicts(60, 1, 200.0, 0.1))
SOME = st.lists(st.sampled_from(range(len(FEW))), unique=True, max_size=20)


def of(places: list[int], worker: str) -> Scorer:
    return scorer([FEW[at] for at in places], worker)


@settings(max_examples=150, deadline=None)
@given(SOME, SOME, SOME)
def test_the_state_is_a_commutative_monoid(a: list[int], b: list[int], c: list[int]) -> None:
    left = of(a, "a").merge(of(b, "b")).merge(of(c, "c"))
    right = of(a, "a").merge(of(b, "b").merge(of(c, "c")))
    swapped = of(c, "c").merge(of(a, "a")).merge(of(b, "b"))
    assert left.to_bytes() == right.to_bytes() == swapped.to_bytes()
    assert left.score() == right.score()
    assert of(a, "a").merge(Scorer(program())).to_bytes() == of(a, "a").to_bytes()
    assert Scorer(program()).merge(of(a, "a")).to_bytes() == of(a, "a").to_bytes()
    back = Scorer.from_bytes(program(), left.to_bytes())
    assert back.to_bytes() == left.to_bytes() and back.score() == left.score()


@settings(max_examples=50, deadline=None)
@given(st.permutations(range(20)), st.integers(0, 20))
def test_order_and_sharding_are_nothing(order: list[int], cut: int) -> None:
    whole = scorer(FEW[:20])
    parts = scorer(FEW[at] for at in order[:cut]).merge(scorer(FEW[at] for at in order[cut:]))
    assert parts.to_bytes() == whole.to_bytes()


def test_a_hundred_shardings_of_many_verdicts() -> None:
    pairs, draw = numbered(verdicts(100_000, 2)), random.Random(3)
    whole = scorer(pairs)
    data, score = whole.to_bytes(), whole.score()
    for _ in range(100):
        parts = [Scorer(program(), "w") for _ in range(draw.randint(1, 12))]
        cuts = sorted(draw.sample(range(len(pairs)), 40))
        for begin, end in zip([0, *cuts], [*cuts, len(pairs)], strict=True):
            add = draw.choice(parts).add
            for each, capture in pairs[begin:end]:
                add(each, capture)
        while len(parts) > 1:
            one = parts.pop(draw.randrange(len(parts)))
            parts.append(one.merge(parts.pop(draw.randrange(len(parts)))))
        assert parts[0].to_bytes() == data
    assert parts[0].score() == score and parts[0].score().numbers == score.numbers


# What the numbers mean ------------------------------------------------------------------------------


def naive(found: list[Any], now: int) -> dict[str, tuple[Fraction, Fraction]]:
    """Per dimension the sum of weights, and of weights times what was lost, from the definition."""
    plan = Scorer(program()).plan
    severity = dict(zip(plan.names, plan.severities, strict=True))
    sums = {name: (Fraction(0), Fraction(0)) for name in plan.dimensions}
    for each in found:
        outcomes = {each.clause: each.outcome} if isinstance(each, Amendment) else each.outcomes
        waiting = {} if isinstance(each, Amendment) else each.owner.why(each)
        weight = Fraction(2) ** 0 if each.time is None else weighed(each.time, now, plan)
        for number, name in enumerate(plan.dimensions):
            own = {c: outcomes[c] for c in plan.clauses_of(number) if c in outcomes and waiting.get(c) != "pending"}
            if any(o in (Outcome.SATISFIED, Outcome.VIOLATED) for o in own.values()):
                lost = min(1000, sum(severity[c] for c, o in own.items() if o == Outcome.VIOLATED))
                before, gone = sums[name]
                sums[name] = before + weight, gone + weight * Fraction(lost, 1000)
    return sums


def weighed(time: int, now: int, plan: Any) -> Fraction:
    from pactlang.score.evidence import power

    steps = [plan.step_of(each) for each in (time, now)]
    return power(steps[0]) / power(steps[1])


def test_the_value_is_what_the_definition_says() -> None:
    found = verdicts(3000, 4, 20.0)
    made = scorer(numbered(found))
    score = made.score()
    sums = naive(found, score.now or 0)
    for each in score.dimensions:
        weight, lost = sums[each.name]
        if each.absent:
            assert each.value is None
            continue
        mean = (weight - lost + 10) / (weight + 20)
        assert each.value == round(mean * 10_000) / 10_000
    there = {each.name: each for each in score.dimensions if not each.absent}
    assert set(there) == {"safety", "cost", "latency", "care"}


def test_losses_and_value_add_up_to_the_scale() -> None:
    made = scorer(numbered(verdicts(3000, 5, 20.0)))
    losses = losses_of(made.plan, made.tally)
    assert losses.value is not None
    lost = sum((each.points for each in losses.clauses), Fraction(0))
    young = sum((each.young for each in losses.dimensions), Fraction(0))
    assert losses.value + lost + young == 1000
    assert lost + young == sum((each.points for each in losses.dimensions), Fraction(0))
    score = made.score()
    assert score.value is not None and abs(Fraction(score.value) + losses.cap - losses.value) <= Fraction(1, 10)


def test_bounds_hold_the_value_and_grow_with_silence() -> None:
    made = scorer(numbered(verdicts(3000, 6, 20.0)))
    score = made.score()
    assert score.now is not None and score.value is not None
    widths = []
    for days in (0, 2, 10, 40):
        later = made.score(score.now + days * DAY)
        assert later.value is None or later.lower <= later.value <= later.upper
        widths.append(later.upper - later.lower)
    assert widths == sorted(widths)
    with pytest.raises(ValueError, match="before"):
        made.score(score.now - 1)


def test_unknown_is_between_the_bounds() -> None:
    """A call whose clauses are all unknown has no point observation; the bounds take it as both."""
    text = 'pact q "1.0.0" clause cheap { require cost < 1.0 } score { half_life 1d }'
    monitor = pactlang.Monitor(program(text))
    known, doubtful = Scorer(program(text), "a"), Scorer(program(text), "a")
    for at in range(2000):
        time = (START + timedelta(seconds=at)).isoformat()
        verdict = monitor.feed({"cost": 0.5, "time": time})
        known.add(verdict, at)
        doubtful.add(monitor.feed({"time": time}) if at % 4 == 0 else verdict, at)
    sure, unsure = known.score(), doubtful.score()
    assert unsure.lower < sure.lower - 100
    assert unsure.upper == pytest.approx(sure.upper, abs=10)
    assert unsure.coverage.unknown == 500 and unsure.dimensions[0].calls == 1500


def test_a_batch_adds_up_as_its_verdicts_do() -> None:
    draw = random.Random(8)
    records: list[Any] = [record(draw, START + timedelta(minutes=5 * at)) for at in range(500)]
    records[70]["time"], records[100:100] = None, [b"{", records[99]]
    records = [{**each, "id": str(each.get("time"))} if isinstance(each, dict) else each for each in records]
    one, many = Scorer(program(), "a"), Scorer(program(), "a")
    monitor = pactlang.Monitor(program())
    for number, each in enumerate(records):
        try:
            one.add(monitor.feed(each), number)
        except pactlang.RecordError:
            one.drop(number)
        for amendment in monitor.amendments:
            one.add(amendment)
    monitor = pactlang.Monitor(program())
    many.add_batch(monitor.feed_all(records), 0)
    for amendment in monitor.amendments:
        many.add(amendment)
    assert many.to_bytes() == one.to_bytes()
    assert one.score().coverage.duplicates == 1 and one.score().coverage.dropped == 1
    with pytest.raises(ValueError, match="already"):
        many.add_batch(monitor.feed_all(records[:3]), 501)
    assert many.to_bytes() == one.to_bytes()
    many.add_batch(monitor.feed_all(records[:3]), 502)


def test_a_batch_of_an_evaluator_has_no_times() -> None:
    evaluator, made = pactlang.Evaluator(good(0).program), good(0)
    lines = "\n".join(['{"output": "", "time": "2026-01-01T00:00:00Z"}', "{", '{"output": "far too long"}'])
    made.add_batch(evaluator.check_lines(lines), 0)
    coverage = made.score().coverage
    assert (coverage.calls, coverage.untimed, coverage.dropped, coverage.violated) == (2, 2, 1, 1)


# Missing calls, and calls that come twice -------------------------------------------------------------


def good(count: int, skip: range = range(0)) -> Scorer:
    text = 'pact q "1.0.0" clause short { require size(output) < 9 } score { half_life 1d }'
    monitor, made = pactlang.Monitor(program(text)), Scorer(program(text), "a")
    for at in range(count):
        verdict = monitor.feed({"output": "", "time": (START + timedelta(minutes=at)).isoformat()})
        if at not in skip:
            made.add(verdict, at)
    return made


def test_hidden_calls_lower_the_score() -> None:
    whole, holed = good(2000).score(), good(2000, range(500, 700)).score()
    assert holed.coverage.missing == 200 and whole.coverage.missing == 0
    assert holed.lower < whole.lower
    assert good(2000, range(0, 50)).score().coverage.missing == 50


def test_numbers_of_no_calls_are_not_missing() -> None:
    made = good(100, range(20, 30))
    made.pass_over(20, 24)
    assert made.score().coverage.missing == 5
    made.pass_over(("a", 25))
    made.pass_over(("b", 0), 9)
    assert made.score().coverage.missing == 4
    data = made.to_bytes()
    for first, last in ((5, None), (15, 22), (28, 40), (99, None)):
        with pytest.raises(ValueError, match="already"):
            made.pass_over(first, last)
    assert made.to_bytes() == data
    made.pass_over(26, 29)
    assert made.score().coverage.missing == 0
    assert len(made.tally.numbers["a"].intervals()) == 1


def test_a_call_is_counted_once() -> None:
    made = good(10)
    verdict = next(iter(verdicts(1, 1)))
    data = made.to_bytes()
    with pytest.raises(ValueError, match="another pact"):
        made.add(verdict, 10)
    again = good(5)
    with pytest.raises(ValueError, match="both"):
        made.merge(again)
    assert made.to_bytes() == data
    with pytest.raises(ValueError, match="one pact"):
        made.merge(Scorer(program()))
    with pytest.raises(ValueError, match="two scorers"):
        made.merge(made)


def test_unnumbered_calls_are_counted_as_such() -> None:
    made = Scorer(program())
    found = verdicts(50, 7, timeless=0.0)
    for each in found:
        made.add(each)
    calls = [each for each in found if not isinstance(each, Amendment)]
    assert made.score().coverage.unchecked == len(calls)
    assert made.score().coverage.missing == 0


def test_calls_outside_the_pact_age_the_others_and_no_more() -> None:
    text = """pact q "1.0.0" applies when tool == "own"
        clause short { require size(output) < 9 } score { half_life 1h }"""
    monitor, made = pactlang.Monitor(program(text)), Scorer(program(text), "a")
    for at in range(60):
        made.add(monitor.feed({"tool": "own", "time": (START + timedelta(minutes=at)).isoformat()}), at)
    made.add(monitor.feed({"tool": "other", "time": (START + timedelta(hours=99)).isoformat()}), 60)
    score = made.score()
    assert score.coverage.outside == 1 and score.coverage.calls == 60
    assert score.value is None and score.lower == 0 and score.upper == 1000
    assert Scorer.from_bytes(program(text), made.to_bytes()).score() == score


def test_a_watch_is_never_scored() -> None:
    text = """pact q "1.0.0"
        clause short { dimension safety require size(output) < 9 }
        clause steady { watch violated(short) above 0.01 one false alarm in 1000 calls }
        clause sudden { dimension safety severity critical watch output == "x" above 0.001 }
        score { half_life 1d weights { safety 1 } }"""
    monitor, made = pactlang.Monitor(program(text)), Scorer(program(text), "a")
    alarms = 0
    for at in range(500):
        output = "far too long" if at > 400 else "x" if at > 380 else ""
        verdict = monitor.feed({"output": output, "time": (START + timedelta(minutes=at)).isoformat()})
        alarms += verdict.outcomes["steady"] == Outcome.VIOLATED
        alarms += verdict.outcomes["sudden"] == Outcome.VIOLATED
        made.add(verdict, at)
    score = made.score()
    assert alarms >= 2 and score.caps == ()
    assert [each.name for each in score.dimensions] == ["safety"]
    assert score.coverage.violated == 99 and score.coverage.satisfied == 401


# Critical clauses -----------------------------------------------------------------------------------


def test_a_critical_breach_caps_the_score_for_a_half_life() -> None:
    monitor, made = pactlang.Monitor(program()), Scorer(program(), "a")
    for at in range(4000):
        output = "a card" if at == 3990 else "fine"
        record = {"output": output, "time": (START + timedelta(minutes=at)).isoformat(), "session": str(at)}
        made.add(monitor.feed({**record, "latency": 0.1, "tool": "search", "cost": 0.1}), at)
    score = made.score()
    assert score.value == 690 and [cap.why for cap in score.caps] == ["recent"]
    assert score.caps[0].clause == "no_cards" and score.caps[0].until is not None
    later = made.score(score.caps[0].until + 1)
    assert later.caps == () and later.value is not None and later.value > 690


def test_critical_breaches_that_keep_coming_cap_it_lower() -> None:
    monitor, made = pactlang.Monitor(program()), Scorer(program(), "a")
    for at in range(4000):
        record = {"output": "a card" if at % 400 == 399 else "fine", "time": (START + timedelta(minutes=at)).isoformat()}
        made.add(monitor.feed({**record, "latency": 0.1, "tool": "search"}), at)
    score = made.score()
    assert score.value == 390 and {cap.why for cap in score.caps} == {"recent", "rate"}


# Bands ------------------------------------------------------------------------------------------------


def test_a_band_stands_until_the_interval_excludes_it() -> None:
    made = good(3000)
    score = made.score()
    assert score.band == "platinum" and not score.provisional
    assert made.score(band="platinum").band == "platinum"
    assert made.score(band="silver").band == "platinum"
    few = good(8).score()
    assert few.lower < 400 and few.band == "" and few.provisional
    assert good(8).score(band="gold").band == "gold"
    with pytest.raises(ValueError, match="no band"):
        made.score(band="tin")


# Bad input --------------------------------------------------------------------------------------------


def test_states_that_are_damaged_or_foreign() -> None:
    data = good(100).to_bytes()
    own = good(0).program
    for changed in (b"", data[:20], data[:-1], data + b"x", data[:60] + b"\0" + data[61:], b"x" + data[1:]):
        with pytest.raises(ValueError, match="state"):
            Scorer.from_bytes(own, changed)
    with pytest.raises(ValueError, match="version 9"):
        Scorer.from_bytes(own, data[:8] + b"\x09\x00" + data[10:])
    with pytest.raises(ValueError, match="another"):
        Scorer.from_bytes(program(), data)


def test_a_time_far_ahead_makes_no_other_call_old() -> None:
    made = Scorer(good(0).program, "a", latest=START + timedelta(days=400))
    monitor = pactlang.Monitor(made.program)
    for at in range(100):
        made.add(monitor.feed({"output": "", "time": (START + timedelta(minutes=at)).isoformat()}), at)
    made.add(monitor.feed({"output": "", "time": "2190-01-01T00:00:00Z"}), 100)
    again = Scorer.from_bytes(made.program, made.to_bytes(), "a", latest=START + timedelta(days=400))
    again.add(monitor.feed({"output": "", "time": "2190-01-01T00:00:00Z"}), 101)
    assert again.score().coverage.untimed == 2
    score = made.score()
    assert score.coverage.untimed == 1 and score.newest == round((START.timestamp() + 99 * 60) * 10**6)


def test_calls_without_any_time_weigh_the_same() -> None:
    monitor, made = pactlang.Monitor(good(0).program), Scorer(good(0).program, "a")
    for at in range(1000):
        made.add(monitor.feed({"output": "far too long" if at < 100 else ""}), at)
    score = made.score()
    assert score.now is None and score.age is None and score.newest is None
    assert score.dimensions[0].value == round(Fraction(1000 - 40 + 10, 1020) * 10_000) / 10_000
    assert 0 < score.lower < score.value < score.upper


def test_negative_and_huge_capture_numbers() -> None:
    made = good(0)
    verdict = pactlang.Monitor(made.program).feed({"output": ""})
    for number in (-1, 2**63 - 1, 2**64):
        with pytest.raises((ValueError, OverflowError)):
            made.add(verdict, number)
    made.add(verdict, 2**62)
    assert made.score().coverage.missing == 2**62


def test_an_old_call_is_counted_and_weighs_nothing() -> None:
    made = good(100)
    before = made.score()
    monitor = pactlang.Monitor(made.program)
    made.add(monitor.feed({"output": "far too long", "time": "1971-01-01T00:00:00Z"}), 100)
    after = made.score()
    assert after.value == before.value and after.coverage.violated == 1
    assert (before.coverage.old, after.coverage.old) == (0, 1)
    ahead = (START + timedelta(days=60)).isoformat()
    made.add(monitor.feed({"output": "", "time": ahead}), 101)
    assert made.score().coverage.old == 101
