"""What a score says to hostile input: times, numbers, states and calls that were chosen to mislead or to hurt."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from pactlang import Evaluator, Monitor, Scorer, compile
from pactlang.score import state

SECOND = 10**6
BEGIN = 1_790_000_000 * SECOND
CLAUSES = """
clause short { require size(output) <= 20 }
clause clean { severity critical  dimension safety  never output.contains("BAD") }
"""


def pact(more: str = "") -> Any:
    return compile(f'pact p "1.0.0"\n{CLAUSES}\n{more}')


def scored(calls: Any, program: Any = None, **more: Any) -> Scorer:
    """A scorer of (output, time) in their order, numbered."""
    program = program or pact()
    monitor, scorer = Monitor(program), Scorer(program, **more)
    for number, (output, time) in enumerate(calls):
        scorer.add(monitor.feed({"output": output}), number, time)
    return scorer


def some_bad(many: int, time: Any) -> list[tuple[str, int | None]]:
    """Calls a minute apart, one in 50 bad; time: of a bad call, from its own."""
    times = [BEGIN + 60 * SECOND * i for i in range(many)]
    return [("BAD", time(t)) if i % 50 == 0 else ("good", t) for i, t in enumerate(times)]


@pytest.mark.parametrize("half_life", ["1ms", "1s", "36500d"])
def test_a_half_life_of_any_length_is_answered_at_once(half_life: str) -> None:
    """Nothing grows with the number of half-lives between two calls, or up to now."""
    scorer = scored([("good", BEGIN + i) for i in range(100)], pact(f"score {{ half_life {half_life} }}"))
    scorer.add(Monitor(scorer.program).feed({"output": "good"}))  # without time: of now, whenever that is
    score = scorer.score(2**62)
    assert score.lower <= (score.value or 0) <= score.upper


def test_in_the_far_future_nothing_is_left_of_the_evidence() -> None:
    scorer = scored([("good", BEGIN + i * SECOND) for i in range(1000)])
    for now in (BEGIN + 10**6 * 7 * 86_400 * SECOND, 2**62, 2**100):
        score = scorer.score(now)
        assert score.value == score.lower == 500.0


def test_bad_calls_do_not_hide_by_having_no_time() -> None:
    """The cap of a rate is the same whether or not the calls that broke the clause say when they were."""
    open_, hidden = (scored(some_bad(2000, time)).score() for time in (lambda t: t, lambda t: None))
    assert open_.value == hidden.value == 390.0
    assert {cap.why for cap in hidden.caps} == {"rate", "recent"}
    good = scored([(output, None if i % 50 == 0 else t) for i, (output, t) in enumerate(
        ("good", BEGIN + 60 * SECOND * i) for i in range(2000))]).score()  # fmt: skip
    assert good.caps == ()


def test_one_old_date_does_not_let_them_hide() -> None:
    calls = [("good", -(10**15)), *some_bad(2000, lambda t: None)]
    assert "rate" in {cap.why for cap in scored(calls).score().caps}


def test_a_pact_without_clauses_has_no_score() -> None:
    program = compile('pact p "1.0.0"')
    scorer = scored([("good", BEGIN)], program)
    with pytest.raises(ValueError, match="no clauses"):
        scorer.score()


@pytest.mark.parametrize("capture", [1.5, "3", 2**63, 2**70, -1, (1, 2), ("w",), ("w\udcff", 1), ("w", 1.0)])
def test_a_number_that_is_none_is_refused_and_nothing_counted(capture: Any) -> None:
    program = pact()
    scorer, verdict = Scorer(program), Monitor(program).feed({"output": "good"})
    before = scorer.to_bytes()
    for refused in (lambda: scorer.add(verdict, capture, BEGIN), lambda: scorer.drop(capture, BEGIN)):
        with pytest.raises((ValueError, TypeError)):
            refused()
    assert scorer.to_bytes() == before


@pytest.mark.parametrize("time", [1.5e15, "2030-01-01", -(2**70)])
def test_a_time_that_is_none_is_refused_and_nothing_counted(time: Any) -> None:
    program = pact()
    scorer, verdict = Scorer(program), Monitor(program).feed({"output": "good"})
    before = scorer.to_bytes()
    with pytest.raises((ValueError, TypeError)):
        scorer.add(verdict, 0, time)
    with pytest.raises((ValueError, TypeError)):
        scored([("good", BEGIN)]).score(time)
    assert scorer.to_bytes() == before


@pytest.mark.parametrize("capture", [-1, 0, 1, 2, 2**63 - 2, 2**63, 1.5, "1"])
def test_a_batch_counts_wholly_or_not_at_all(capture: Any) -> None:
    program = pact()
    scorer = Scorer(program)
    batch = Evaluator(program).check_lines(b'{"output": "a"}\n{"output": "b"}\n{"output": "c"}\n')
    scorer.drop(2)
    before = scorer.to_bytes()
    with pytest.raises((ValueError, TypeError)):
        scorer.add_batch(batch, capture)
    assert scorer.to_bytes() == before
    scorer.add_batch(batch, 3)
    assert scorer.score().coverage.calls == 3


@pytest.mark.parametrize("times", [[0], [0, 1, 2, 3], [[0, 1, 2]]])
def test_times_of_other_rows_are_refused(times: Any) -> None:
    program = pact()
    scorer = Scorer(program)
    batch = Evaluator(program).check_lines(b'{"output": "a"}\n{"output": "b"}\n{"output": "c"}\n')
    before = scorer.to_bytes()
    with pytest.raises(ValueError, match=r"time|row|dimension|length"):
        scorer.add_batch(batch, times=times)
    assert scorer.to_bytes() == before


def forged(scorer: Scorer, change: Any) -> bytes:
    """A state whose parts were changed, with the right digest."""
    what = (state.MAGIC, state.VERSION)
    tree = msgspec.msgpack.decode(state.unsealed(*what, scorer.to_bytes(), "state of a score"))
    change(tree)
    return state.sealed(*what, msgspec.msgpack.encode(tree))


def late_number(tree: Any) -> None:
    tree[8][0][1][0][3] = 2**62  # the step of the last call


def more_skipped(tree: Any) -> None:
    tree[4][0] = [0, 0, 2**53, 0, None]


@pytest.mark.parametrize("change", [late_number, more_skipped])
def test_a_state_that_no_calls_can_have_is_refused(change: Any) -> None:
    scorer = scored([("good", BEGIN + i) for i in range(10)])
    with pytest.raises(ValueError, match="damaged"):
        Scorer.from_bytes(scorer.program, forged(scorer, change))


def test_the_time_zone_of_now_counts() -> None:
    scorer = scored([("good", BEGIN)])
    assert scorer.score(datetime(2030, 1, 1, tzinfo=UTC)).now == 1_893_456_000 * SECOND


def test_a_good_day_brings_nothing_while_a_cap_takes_it() -> None:
    from pactlang.cli.card import _good_day
    from pactlang.score.losses import losses_of

    scorer = scored(some_bad(2000, lambda t: t))
    losses = losses_of(scorer.plan, scorer.tally)
    assert losses.cap > 0 < sum(each.good_day for each in losses.dimensions)
    assert _good_day(scorer.score(), losses) == 0.0


def test_a_million_million_verdicts_and_one_too_many() -> None:
    """An unnumbered state added to a copy of itself, again and again: 2^40 calls, each exact; then no more."""
    program = compile('pact p "1.0.0" clause short { require size(output) <= 20 }')
    monitor, made = Monitor(program), Scorer(program)
    for output in ("far longer than that is", "", "", ""):
        made.add(monitor.feed({"output": output}))
    for _ in range(38):
        made.merge(Scorer.from_bytes(program, made.to_bytes()))
    score = made.score()
    assert score.coverage.calls == 2**40 and score.coverage.violated == 2**38
    assert score.dimensions[0].value == 0.9 and 0.89 < score.dimensions[0].lower <= 0.9
    for _ in range(13):
        made.merge(Scorer.from_bytes(program, made.to_bytes()))
    before = made.to_bytes()
    with pytest.raises(ValueError, match="more calls"):
        made.merge(Scorer.from_bytes(program, before))
    assert made.to_bytes() == before
