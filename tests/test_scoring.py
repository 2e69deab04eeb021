"""What `pactc score` is made of: rounded parts, groups, a history."""

from __future__ import annotations

import random
from datetime import datetime
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st
from test_cli_score import PLAIN, records

import pactlang
from pactlang.cli.card import apportioned, decimals
from pactlang.cli.groups import Groups, Key
from pactlang.cli.history import History


@settings(max_examples=200, deadline=None)
@given(st.lists(st.fractions(0, 3000), min_size=1, max_size=12), st.integers(0, 20_000))
def test_rounded_parts_add_up(parts: list[Fraction], total: int) -> None:
    found = apportioned(parts, total)
    assert sum(found) == total and len(found) == len(parts)
    if total == round(sum(parts)):
        assert all(abs(whole - part) <= 1 for whole, part in zip(found, parts, strict=True))


@given(st.integers(1, 10**9))
def test_written_points_are_exact(scale: int) -> None:
    places = decimals(scale)
    assert Fraction(scale, 10_000) * 10**places % 1 == 0
    assert places == 0 or Fraction(scale, 10_000) * 10 ** (places - 1) % 1 != 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=40), st.randoms())
def test_every_group_knows_of_all_numbers(calls: list[tuple[str, int]], draw: random.Random) -> None:
    """However calls and gaps come, a group's missing calls are those that nobody has seen."""
    program = pactlang.compile(PLAIN)
    groups, whole = Groups(lambda: pactlang.Scorer(program)), pactlang.Scorer(program)
    numbers, at = list[tuple[str, int]](), -1
    for group, gap in calls:
        at += 1 + gap
        numbers.append((group, at))
    if draw.random() < 0.3:
        draw.shuffle(numbers)
    for group, number in numbers:
        for tally in (whole.tally, groups.tally(Key(group), "w", number)):
            tally.note("outside", None, "w", number)
    groups.catch_up()
    missing = whole.score().coverage.missing
    assert all(each.score().coverage.missing == missing for each in groups.scorers.values())
    assert all(
        each.tally.numbers["w"].intervals() == whole.tally.numbers["w"].intervals()
        for each in groups.scorers.values()
    )


def test_the_last_point_of_a_history_is_the_score() -> None:
    program = pactlang.compile(PLAIN)
    monitor, history, whole = (
        pactlang.Monitor(program),
        History(lambda: pactlang.Scorer(program)),
        pactlang.Scorer(program),
    )
    found = records(600, 1)
    found[20]["output"] = "secret"
    shuffled = [*enumerate(found)]
    random.Random(1).shuffle(shuffled)
    for number, each in shuffled:
        verdict = monitor.feed(each)
        micros = round(datetime.fromisoformat(each["time"]).timestamp() * 10**6)
        whole.add(verdict, ("w", number))
        history._scorer(micros).add(verdict, ("w", number))
    points = list(history.points())
    assert 30 <= len(points) <= 240 and points == sorted(points, key=lambda point: point.time)
    assert points[-1].score.numbers == whole.score().numbers
    assert [name for point in points for name, _ in point.broke] == ["clean"]
    assert points[0].score.upper - points[0].score.lower > points[-1].score.upper - points[-1].score.lower


def test_a_history_goes_on_from_what_was_counted_before() -> None:
    program = pactlang.compile(PLAIN)
    monitor, before, whole = pactlang.Monitor(program), pactlang.Scorer(program), pactlang.Scorer(program)
    found = [(at, each, monitor.feed(each)) for at, each in enumerate(records(600, 1))]
    for at, _, verdict in found:
        whole.add(verdict, ("w", at))
        if at < 300:
            before.add(verdict, ("w", at))
    history = History(lambda: pactlang.Scorer(program), before)
    for at, each, verdict in found[300:]:
        micros = round(datetime.fromisoformat(each["time"]).timestamp() * 10**6)
        history._scorer(micros).add(verdict, ("w", at))
    points = list(history.points())
    assert points[0].score == before.score() and points[-1].score == whole.score()
