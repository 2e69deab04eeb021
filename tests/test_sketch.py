"""The sketch of numbers: its bound of 1 %, by the true quantiles, and the laws of merging."""

from __future__ import annotations

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pactlang._runtime import Sketch

NUMBERS = st.lists(st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False), min_size=1)
FRACTIONS = [(1, 100), (1, 2), (95, 100), (999, 1000), (1, 1)]


def sketch(numbers: list[float]) -> Sketch:
    made = Sketch()
    made.add(array("d", numbers).tobytes())
    return made


@given(numbers=NUMBERS)
def test_every_quantile_is_within_a_hundredth(numbers: list[float]) -> None:
    made, ordered = sketch(numbers), sorted(numbers)
    for top, bottom in FRACTIONS:
        true, found = ordered[math.ceil(top * len(ordered) / bottom) - 1], made.quantile(top, bottom)
        assert found is not None and abs(found - true) <= abs(true) / 128


@given(parts=st.lists(NUMBERS, min_size=3, max_size=3))
def test_sketches_add_up_in_any_order(parts: list[list[float]]) -> None:
    a, b, c = parts
    whole = sketch([*a, *b, *c])
    for one in (sketch(a).merge(sketch(b)).merge(sketch(c)), sketch(c).merge(sketch(b).merge(sketch(a)))):
        assert one.count == whole.count
        assert [one.quantile(*q) for q in FRACTIONS] == [whole.quantile(*q) for q in FRACTIONS]
    assert Sketch().merge(whole).quantile(1, 2) == whole.merge(Sketch()).quantile(1, 2)


def test_what_is_no_number_is_counted_and_left_out() -> None:
    made = sketch([math.nan, math.inf, -math.inf, -0.0, 1e308, -1e308])
    assert (made.count, made.refused, made.quantile(2, 3)) == (3, 3, 0.0)
    assert Sketch().quantile(1, 2) is None
    for wrong in (lambda: made.add(b"1234567"), lambda: made.merge(made), lambda: made.quantile(0, 1)):
        with pytest.raises(ValueError, match=r"8 bytes|itself|fraction"):
            wrong()
