"""Panes of a watch: what workers count by the clock adds up, whoever counted it."""

from __future__ import annotations

from fractions import Fraction
from math import comb
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_watch import LEVEL, SHARES, factors
from test_watch import drift, rates

from pactlang.drift import Panes
from pactlang.drift.panes import _through

calls_at = st.lists(st.tuples(st.integers(-(10**12), 10**12), st.sampled_from([0.0, 1.0, 0.25])), max_size=30)


def panes(calls: list[tuple[int, float]]) -> Panes:
    made = Panes()
    for time, value in calls:
        made.add(time, value)
    return made


@settings(deadline=None)
@given(calls_at, calls_at, calls_at)
def test_panes_add_up_in_any_order(a: Any, b: Any, c: Any) -> None:
    whole = panes([*a, *b, *c])
    left, right = panes(a).merge(panes(b)).merge(panes(c)), panes(a).merge(panes(b).merge(panes(c)))
    assert whole == left == right == panes(c).merge(panes(a)).merge(panes(b)) == panes([*c, *b, *a])
    assert panes(a).merge(Panes()) == panes(a) == Panes().merge(panes(a))
    assert Panes.from_bytes(whole.to_bytes()) == whole and whole.to_bytes() == left.to_bytes()
    assert list(whole.alarms(Fraction(1, 10), 5)) == list(right.alarms(Fraction(1, 10), 5))


def test_only_the_newest_panes_are_kept() -> None:
    many = [(i * 60_000_000, 1.0) for i in range(3_000)]
    kept, parts = panes(many), Panes()
    for k in range(7):
        parts.merge(panes(many[k::7]))
    assert kept == parts and sorted(kept.panes) == list(range(3_000 - 1_024, 3_000))


@settings(deadline=None)
@given(rates, st.lists(st.integers(0, 2**50), min_size=8, max_size=8), st.integers(1, 4))
def test_a_pane_adds_its_calls_on_average_at_most(rate: Fraction, levels: list[int], n: int) -> None:
    mean = Fraction(0)
    for s in range(n + 1):
        weight = comb(n, s) * rate**s * (1 - rate) ** (n - s)
        mean += weight * sum(
            _through(level + n * LEVEL * share // 64, pair, n, s << 24)
            for level, pair, share in zip(levels, factors(rate), SHARES, strict=True)
        )
    assert mean <= sum(levels) + n * LEVEL


def test_panes_of_one_call_are_the_detector() -> None:
    values = [0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.5, 1.0] * 5
    said = drift(Fraction(1, 10), 50).feed(values)
    found = list(panes([(i * 60_000_000, x) for i, x in enumerate(values)]).alarms(Fraction(1, 10), 50))
    assert [rise.time // 60_000_000 - 1 for rise in found] == [i for i, code in enumerate(said) if code == 1]


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_hostile_panes_are_refused_or_whole(junk: bytes) -> None:
    good = panes([(0, 1.0), (10**9, 0.5)]).to_bytes()
    for data in (junk, b"PPANES1\0" + junk, good[:-1], good + junk):
        try:
            made = Panes.from_bytes(data)
        except ValueError:
            continue
        assert made.to_bytes() == data
    with pytest.raises(ValueError, match="from 0 to 1"):
        Panes().add(0, float("nan"))
