"""CEL values: equality and order obey their laws, and the text of times reads back."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from pactlang.values import (
    MAX_DURATION,
    MAX_INT,
    MAX_TIME,
    MAX_UINT,
    MIN_TIME,
    NANOS,
    BoolKey,
    CelType,
    Duration,
    OutOfRange,
    Timestamp,
    UInt,
    compare,
    duration_of_micros,
    equal,
    format_double,
    format_duration,
    format_timestamp,
    key_value,
    map_key,
    parse_duration,
    parse_timestamp,
    rounded_duration,
    rounded_timestamp,
    timestamp_of_micros,
    type_name,
    unit_number,
)

INTS = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([2**53, 2**53 + 1, 2**63 - 1, -(2**63), 0, 1])
UINTS = (st.integers(0, 2**64 - 1) | st.sampled_from([2**63, 2**64 - 1, 1])).map(UInt)
DOUBLES = st.floats() | st.sampled_from([2.0**53, 2.0**63, -(2.0**63), 2.0**64, 1.0, 0.0, -0.0])
NUMBERS = INTS | UINTS | DOUBLES
NANO = st.integers(0, NANOS - 1)
TIMES = st.builds(Timestamp, st.integers(MIN_TIME, MAX_TIME), NANO)
LENGTHS = st.builds(Duration, st.integers(-MAX_DURATION, MAX_DURATION - 1), NANO)
SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), NUMBERS, st.text(max_size=3), st.binary(max_size=3), TIMES, LENGTHS,
    st.sampled_from([CelType("int"), CelType("string")]),
)  # fmt: skip
KEYS = st.booleans() | INTS | UINTS | st.text(max_size=2)
VALUES = st.recursive(
    SCALARS,
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(KEYS, inside, max_size=3).map(lambda d: {map_key(k): v for k, v in d.items()})
    ),
    max_leaves=6,
)


def has_nan(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(has_nan, value))
    if isinstance(value, dict):
        return any(map(has_nan, value.values()))
    return isinstance(value, float) and value != value


@given(VALUES)
def test_a_value_equals_itself_unless_a_nan_is_in_it(value: Any) -> None:
    assert equal(value, value) is (True if not has_nan(value) else False if value != value else None)


@given(VALUES, VALUES)
def test_equality_is_symmetric(a: Any, b: Any) -> None:
    assert equal(a, b) is equal(b, a)


def stand_for_each_other(a: Any, b: Any) -> bool:
    """In an order, the double after the greatest int (uint) stands for it."""
    pairs = {(float, 2.0**63): (int, MAX_INT), (float, 2.0**64): (UInt, MAX_UINT)}
    one, other = (type(a), a), (type(b), b)
    return pairs.get(one) == other or pairs.get(other) == one


@given(NUMBERS, NUMBERS)
def test_numbers_compare_exactly_by_value(a: Any, b: Any) -> None:
    if a != a or b != b:
        assert compare(a, b) == 2
        assert equal(a, b) is False
        return
    infinite = [x for x in (a, b) if x in (float("inf"), float("-inf"))]
    left, right = (a, b) if infinite else (Fraction(a), Fraction(b))
    exact = 0 if stand_for_each_other(a, b) else (left > right) - (left < right)
    assert compare(a, b) == exact
    assert equal(a, b) is (left == right)


@given(NUMBERS | st.text(max_size=2) | st.booleans(), NUMBERS | st.text(max_size=2) | st.booleans())
def test_equal_keys_are_one_key_and_others_are_not(a: Any, b: Any) -> None:
    first, second = map_key(a), map_key(b)
    if first is not None and second is not None:
        assert (first == second) is equal(a, b)
        assert (first != second) or hash(first) == hash(second)


@given(KEYS)
def test_a_key_gives_its_value_back(key: Any) -> None:
    assert key_value(map_key(key)) == key
    assert type(key_value(map_key(key))) is type(key)


@given(SCALARS, SCALARS)
def test_an_order_is_an_order(a: Any, b: Any) -> None:
    order, back = compare(a, b), compare(b, a)
    if order is None or order == 2:
        assert back == order
    else:
        assert back == -order
        assert (order == 0) is equal(a, b) or stand_for_each_other(a, b)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (True, 1, False),
        (False, 0, False),
        (1, 1.0, True),
        (UInt(1), 1, True),
        (2**53 + 1, 2.0**53, False),
        (None, None, True),
        (None, False, False),
        ("a", b"a", False),
        (Timestamp(1), Duration(1), False),
        ([1, 2.0], [1.0, UInt(2)], True),
        ([True], [1], False),
        ({"a": 1}, {"a": 1.0}, True),
        ({1: "x"}, {UInt(1): "x"}, True),
        ({BoolKey(True): "x"}, {1: "x"}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([2**70], [2**70], None),
        ([2**70, 1], [2**70, 2], False),
        (2**64, 1, None),
        (float("nan"), float("nan"), False),
        ([float("nan")], [1], None),
        ([float("nan"), 1], [1, 2], False),
    ],
)
def test_equality(a: object, b: object, same: bool | None) -> None:
    assert equal(a, b) is same


def test_deep_nesting_is_refused_and_not_followed() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert equal(deep, deep) is None


class Point(Struct):
    x: int
    y: object


class Other(Struct):
    x: int
    y: object


def test_records_are_equal_by_their_fields() -> None:
    assert equal(Point(1, [2.0]), Point(1, [2])) is True
    assert equal(Point(1, True), Point(1, 1)) is False
    assert equal(Point(1, 2), Other(1, 2)) is False
    assert equal(Point(1, 2), {"x": 1, "y": 2}) is False
    assert type_name(Point(1, 2)) == "map"


# Times ---------------------------------------------------------------------------------------


@given(TIMES)
def test_a_timestamp_reads_back(value: Timestamp) -> None:
    assert parse_timestamp(format_timestamp(value)) == value


@given(LENGTHS)
def test_a_duration_reads_back(value: Duration) -> None:
    assert parse_duration(format_duration(value)) == value


@pytest.mark.parametrize(
    ("text", "seconds", "nanos"),
    [
        ("1970-01-01T00:00:00Z", 0, 0),
        ("1970-01-01t00:00:01z", 1, 0),
        ("1970-01-01 00:00:00.5Z", 0, 500_000_000),
        ("1970-01-01T01:00:00+01:00", 0, 0),
        ("1969-12-31T23:59:59.999999999-00:00", -1, 999_999_999),
        ("0001-01-01T00:00:00Z", MIN_TIME, 0),
        ("9999-12-31T23:59:59.000000001Z", MAX_TIME, 1),
    ],
)
def test_timestamps(text: str, seconds: int, nanos: int) -> None:
    assert parse_timestamp(text) == Timestamp(seconds, nanos)


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-01-31", "2026-01-31T09:30:00", "2026-01-31T09:30Z", "2026-02-30T00:00:00Z",
        "2026-01-31T24:00:00Z", "2026-01-31T23:59:60Z", "2026-01-31T09:30:00.Z", " 2026-01-31T09:30:00Z",
        "2026-01-31T09:30:00.1234567890Z", "2026-01-31T09:30:00+1:00", "2026-01-31T09:30:00+24:00",
        "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "2026-01-31T09:30:00Z\n",
        "२०२६-01-31T09:30:00Z", "2026-1-31T09:30:00Z",
    ],
)  # fmt: skip
def test_what_is_no_timestamp(text: str) -> None:
    with pytest.raises(ValueError, match=r"RFC 3339|time of day|day is out|month|year"):
        parse_timestamp(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"])
def test_moments_outside_the_calendar(text: str) -> None:
    with pytest.raises(OutOfRange):
        parse_timestamp(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0", "0s"),
        ("1h30m", "5400s"),
        ("1.5s", "1.5s"),
        ("-2ms", "-0.002s"),
        ("+1us", "0.000001s"),
        ("1µs1μs", "0.000002s"),
        (".5h", "1800s"),
        ("1.s", "1s"),
        ("0.0000000019s", "0.000000001s"),
        ("315576000000s", "315576000000s"),
        ("-315576000000s", "-315576000000s"),
    ],
)
def test_durations(text: str, shown: str) -> None:
    assert format_duration(parse_duration(text)) == shown


@pytest.mark.parametrize(
    "text", ["", "1", "s", "1 s", "1d", "1s ", "--1s", "1.2.3s", "1e3s", "１s", "0" * 999 + "s"]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["315576000001s", "315576000000.000000001s", "-315576000000.1s"])
def test_durations_out_of_range(text: str) -> None:
    with pytest.raises(OutOfRange):
        parse_duration(text)


SCALE = {"s": Fraction(10**6), "ms": Fraction(1000), "us": Fraction(1), "ns": Fraction(1, 1000)}


@given(st.integers(-(10**18), 10**18), st.sampled_from(list(SCALE)))
def test_ints_in_a_unit_are_exact_and_round_half_up(number: int, unit: str) -> None:
    assert unit_number(number, unit) == floor(number * SCALE[unit] + Fraction(1, 2))


@given(st.floats(-1e9, 1e9), st.sampled_from(list(SCALE)))
def test_doubles_in_a_unit_are_off_by_at_most_their_own_precision(number: float, unit: str) -> None:
    exact = Fraction(number) * SCALE[unit]
    assert abs(unit_number(number, unit) - exact) <= Fraction(1, 2) + abs(exact) * Fraction(1, 2**52)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), True, "1", None])
def test_what_is_no_number_of_units(number: Any) -> None:
    with pytest.raises(ValueError, match="number"):
        unit_number(number, "s")


def test_micros_become_times_and_are_checked() -> None:
    assert timestamp_of_micros(-1) == Timestamp(-1, 999_999_000)
    assert duration_of_micros(1_500_000) == Duration(1, 500_000_000)
    with pytest.raises(OutOfRange):
        timestamp_of_micros((MAX_TIME + 1) * 10**6)
    with pytest.raises(OutOfRange):
        duration_of_micros(-(MAX_DURATION * 10**6) - 1)


@given(TIMES, LENGTHS)
def test_rounding_is_to_the_nearest_microsecond(moment: Timestamp, length: Duration) -> None:
    for value, rounded in ((length, rounded_duration(length)), (moment, _rounded(moment))):
        off = (rounded.seconds - value.seconds) * NANOS + rounded.nanos - value.nanos
        assert -500 < off <= 500
        assert rounded.nanos % 1000 == 0


def _rounded(moment: Timestamp) -> Timestamp:
    try:
        return rounded_timestamp(moment)
    except OutOfRange:  # the last half microsecond of the year 9999
        return Timestamp(MAX_TIME + 1, 0)


# Numbers as text ------------------------------------------------------------------------------


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_reads_back(value: float) -> None:
    assert float(format_double(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (-0.0045, "-0.0045"),
        (123456.0, "123456"),
        (1e6, "1e+06"),
        (1.5e300, "1.5e+300"),
        (0.0001, "0.0001"),
        (1e-5, "1e-05"),
        (-0.0, "-0"),
        (float("nan"), "NaN"),
        (float("inf"), "+Inf"),
        (float("-inf"), "-Inf"),
    ],
)
def test_doubles_as_text(value: float, text: str) -> None:
    assert format_double(value) == text
