"""CEL's extension libraries, one function at a time: what each gives, and what no argument can make it do."""

from __future__ import annotations

import base64
import ctypes
import math
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from ipaddress import ip_address, ip_network
from typing import Any
from unittest.mock import patch

import pytest
from extension_cases import CASES, ERRORS, cidr, ip
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pactlang import values
from pactlang.evaluate.calls import Failure, apply, kind_of
from pactlang.evaluate.calls import same as equal
from pactlang.extensions import COMPUTE
from pactlang.functions import BY_ID, Overload
from pactlang.schema import Type
from pactlang.values import (
    CIDR,
    IP,
    MAX_INT,
    MAX_MADE,
    MAX_UINT,
    MIN_INT,
    NONE,
    CelType,
    Duration,
    Limit,
    Timestamp,
    UInt,
    map_key,
    some,
)  # fmt: skip

ROWS = [BY_ID[name] for name in COMPUTE]


def test_every_function_has_a_case() -> None:
    assert CASES.keys() == COMPUTE.keys()


@pytest.mark.parametrize("name", CASES)
def test_a_function_gives(name: str) -> None:
    """By repr, which tells 1, 1u, 1.0, true and -0.0 apart."""
    for *args, expected in CASES[name]:
        assert repr(COMPUTE[name](*args)) == repr(expected), args


@pytest.mark.parametrize("index", range(len(ERRORS)))
def test_a_function_errs(index: int) -> None:
    name, *args, kind = ERRORS[index]
    with pytest.raises(kind):
        COMPUTE[name](*args)


# Any arguments -------------------------------------------------------------------------------

INTS = st.integers(MIN_INT, MAX_INT) | st.integers(-3, 70)
UINTS = st.builds(UInt, st.integers(0, MAX_UINT) | st.integers(0, 5))
TEXTS = st.text(max_size=12) | st.text("ab%.sdfeboxX0123", max_size=10)
IPS = st.builds(IP, st.just(4), st.integers(0, 2**32 - 1)) | st.builds(
    IP, st.just(6), st.integers(0, 2**128 - 1)
)
CIDRS = IPS.flatmap(lambda a: st.builds(CIDR, st.just(a), st.integers(0, 32 if a.family == 4 else 128)))
SIMPLE: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(), "int": INTS, "uint": UINTS, "double": st.floats(), "string": TEXTS, "bytes": st.binary(max_size=12),
    "ip": IPS, "cidr": CIDRS,
}  # fmt: skip
TIMES = st.builds(Timestamp, st.integers(-(10**10), 10**10), st.integers(0, 999_999_999)) | st.builds(
    Duration, st.integers(-(10**11), 10**11), st.integers(0, 999_999_999)
)
SCALARS = st.one_of(st.none(), TIMES, st.builds(CelType, st.just("int")), *SIMPLE.values())
KEYS = st.one_of(st.booleans(), INTS, UINTS, TEXTS).map(map_key)
ANY = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=3)
        | inner.map(some)
        | st.just(NONE)
    ),
    max_leaves=8,
)


def values_of(type_: Type) -> st.SearchStrategy[Any]:
    """Values of the type of a parameter."""
    if type_.kind == "list":
        return st.lists(values_of(type_.params[0]), max_size=4)
    if type_.kind == "map":
        return st.dictionaries(KEYS, ANY, max_size=4)
    if type_.kind == "optional":
        return st.just(NONE) | values_of(type_.params[0]).map(some)
    return SIMPLE.get(type_.kind, ANY)


def args_of(row: Overload) -> st.SearchStrategy[tuple[Any, ...]]:
    """Arguments of an overload's types."""
    more = st.lists(values_of(row.params[-1]), max_size=2) if row.variadic else st.just([])
    return st.tuples(st.tuples(*map(values_of, row.params)), more).map(lambda pair: (*pair[0], *pair[1]))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_an_overload_keeps_its_word(row: Overload) -> None:
    """It gives what its row says, and errs only if its row says so, in one of two ways."""

    @settings(max_examples=50)  # of 128 overloads each
    @given(args_of(row))
    def holds(args: tuple[Any, ...]) -> None:
        try:
            result = COMPUTE[row.id](*args)
        except (ValueError, OverflowError):
            assert row.errs
            return
        assert row.result.kind in ("param", "dyn", kind_of(result))
        assert not isinstance(result, float | int | str | list) or not values.is_bad_number(result)

    holds()


CODES = {
    "no-value",
    "no-such-overload",
    "null-operand",
    "bad-conversion",
    "range",
    "no-such-key",
    "index-out-of-range",
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_no_data_breaks_a_call(row: Overload) -> None:
    """Called by its name on values of any types it gives a value or a failure."""

    @settings(max_examples=25)
    @given(st.lists(ANY, min_size=len(row.params), max_size=len(row.params) + row.variadic))
    def holds(args: list[Any]) -> None:
        try:
            apply(row.function, args)
        except Failure as failure:
            assert failure.code in CODES

    holds()


# Sizes ---------------------------------------------------------------------------------------

HALF = MAX_MADE // 2 + 1


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("replace", ("aaaa", "", "x" * (MAX_MADE // 4))),
        ("replace_count", ("aaaa", "a", "x" * HALF, 2)),
        ("join_separator", ([""] * 3, "x" * HALF)),
        ("join", (["x" * HALF] * 2,)),
        ("split", ("x" * (MAX_MADE + 1), "")),
        ("quote", ('"' * HALF,)),
        ("format", ("%s%s", ["x" * HALF] * 2)),
        ("format", ("%s", [["x" * HALF] * 2])),
        ("format", ("%x", [b"x" * HALF])),
        ("base64_encode", (bytes(MAX_MADE // 4 * 3 + 1),)),
    ],
)
def test_nothing_grows_beyond_the_limit(name: str, args: tuple[Any, ...]) -> None:
    with pytest.raises(Limit):
        COMPUTE[name](*args)
    with pytest.raises(Failure) as found:
        apply(BY_ID[name].function, list(args))
    assert found.value.code == "limit"


def test_the_limit_itself_may_be_reached() -> None:
    assert len(COMPUTE["join"](["x" * (MAX_MADE // 2)] * 2)) == MAX_MADE


MAKERS = (
    "replace",
    "replace_count",
    "join",
    "join_separator",
    "split",
    "split_count",
    "quote",
    "format",
    "base64_encode",
)


@pytest.mark.parametrize("name", MAKERS)
def test_the_limit_is_exact(name: str) -> None:
    """With a limit of 8, what is longer errs and nothing else does."""

    @given(args_of(BY_ID[name]))
    def holds(args: tuple[Any, ...]) -> None:
        try:
            free = COMPUTE[name](*args)
        except ValueError:
            return
        with patch.object(values, "MAX_MADE", 8):
            try:
                bound = COMPUTE[name](*args)
            except Limit:
                assert len(free) > 8
            else:
                assert bound == free and len(free) <= 8

    holds()


def test_a_list_that_holds_another_many_times_over_cannot_fill_the_memory() -> None:
    much: list[Any] = []
    for _ in range(100):
        much = [much, much]  # 2**100 lists
    with patch.object(values, "MAX_MADE", 10_000), pytest.raises(Limit):
        COMPUTE["format"]("%s", [much])


# Texts ---------------------------------------------------------------------------------------

AB = st.text("ab", max_size=12)


@given(AB | st.text(), st.text("ab", max_size=3))
def test_searching_is_pythons(text: str, part: str) -> None:
    assert COMPUTE["index_of"](text, part) == text.find(part)
    assert COMPUTE["last_index_of"](text, part) == text.rfind(part)
    for start in range(len(text)):
        assert COMPUTE["index_of_from"](text, part, start) == (text.find(part, start) if part else start)
        before = text.rfind(part, 0, start + len(part))
        assert COMPUTE["last_index_of_from"](text, part, start) == (before if part else start)


@given(AB | st.text(), st.text("ab", max_size=2), TEXTS, st.integers(-2, 9))
def test_replacing_and_splitting_are_pythons(text: str, part: str, new: str, count: int) -> None:
    assert COMPUTE["replace"](text, part, new) == text.replace(part, new)
    assert COMPUTE["replace_count"](text, part, new, count) == text.replace(part, new, max(count, -1))
    parts = COMPUTE["split_count"](text, part, count)
    assert part.join(parts) == (text if count else "")
    assert parts == COMPUTE["split"](text, part) if count < 0 else len(parts) <= count
    if part:
        assert COMPUTE["split"](text, part) == text.split(part)


@given(st.text())
def test_ascii_case_leaves_the_rest_alone(text: str) -> None:
    for name, change in (("lower_ascii", str.lower), ("upper_ascii", str.upper)):
        assert COMPUTE[name](text) == "".join(change(c) if c.isascii() else c for c in text)


@given(st.text('ab\\"\n\t\a☺', max_size=12))
def test_a_quoted_text_reads_back(text: str) -> None:
    quoted = COMPUTE["quote"](text)
    assert quoted[0] == quoted[-1] == '"'
    assert quoted[1:-1].replace("☺", "\\u263a").encode().decode("unicode_escape") == text


# Numbers as texts ----------------------------------------------------------------------------

DOUBLES = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-4000, 4000).map(lambda n: n / 8)


@given(DOUBLES, st.integers(0, 100))
@example(2.5, 0)
@example(-0.5, 0)
@example(5e-324, 100)
@example(1.7976931348623157e308, 100)
def test_fixed_digits_round_the_exact_value(number: float, precision: int) -> None:
    with localcontext(prec=2000, rounding=ROUND_HALF_EVEN):
        exact = Decimal(number).quantize(Decimal(1).scaleb(-precision))
        assert COMPUTE["format"](f"%.{precision}f", [number]) == f"{exact:f}"


@given(DOUBLES, st.integers(0, 100))
def test_formats_are_those_of_c(number: float, precision: int) -> None:
    room = ctypes.create_string_buffer(600)
    for letter in "fe":
        clause = f"%.{precision}{letter}"
        ctypes.CDLL(None).snprintf(room, len(room), clause.encode(), ctypes.c_double(number))
        assert COMPUTE["format"](clause, [number]) == room.value.decode()


@given(DOUBLES)
def test_a_double_is_written_to_be_read_back(number: float) -> None:
    text = COMPUTE["format"]("%s", [number])
    assert repr(float(text)) == repr(number)
    assert set(text) <= set("-.0123456789")
    assert text == COMPUTE["format"]("%d", [number])


@given(INTS, st.sampled_from([("b", 2), ("o", 8), ("x", 16), ("X", 16), ("d", 10), ("s", 10)]))
def test_an_int_is_written_to_be_read_back(number: int, clause: tuple[str, int]) -> None:
    assert int(COMPUTE["format"](f"<%{clause[0]}>", [number])[1:-1], clause[1]) == number


@given(st.binary())
def test_bytes_show_what_is_text_in_them(data: bytes) -> None:
    text = COMPUTE["format"]("%s", [data])
    text.encode()
    try:
        assert text == data.decode()
    except UnicodeDecodeError:
        assert "\ufffd" in text


# Numbers -------------------------------------------------------------------------------------


def in_c(number: int) -> int:
    return ctypes.c_int64(number).value


@given(INTS, INTS, st.integers(0, 63))
def test_bits_are_those_of_c(a: int, b: int, by: int) -> None:
    raw = ctypes.c_uint64(a).value
    assert COMPUTE["bitShiftLeft_int"](a, by) == in_c(raw << by)
    assert COMPUTE["bitShiftRight_int"](a, by) == in_c(raw >> by)
    assert COMPUTE["bitShiftRight_uint"](UInt(raw), by) == raw >> by
    for word, compute in {"And": int.__and__, "Or": int.__or__, "Xor": int.__xor__}.items():
        assert COMPUTE[f"bit{word}_int"](a, b) == in_c(compute(a, b))
    assert COMPUTE["bitNot_int"](COMPUTE["bitNot_int"](a)) == a


@given(DOUBLES)
def test_rounding_is_exact(number: float) -> None:
    exact = Decimal(number)
    for name, mode in (
        ("ceil", "ROUND_CEILING"), ("floor", "ROUND_FLOOR"), ("round", "ROUND_HALF_UP"), ("trunc", "ROUND_DOWN"),
    ):  # fmt: skip
        result = COMPUTE[name](number)
        assert isinstance(result, float)
        assert Decimal(result) == exact.to_integral_value(mode)
        assert result != 0 or math.copysign(1, result) == math.copysign(1, number)


@given(st.lists(st.one_of(INTS, UINTS, DOUBLES), min_size=1, max_size=6))
def test_an_extreme_is_the_first_that_no_other_exceeds(numbers: list[Any]) -> None:
    assert COMPUTE["greatest_list_dyn"](numbers) is max(numbers)
    assert COMPUTE["least_list_dyn"](numbers) is min(numbers)


# Encoders, network ---------------------------------------------------------------------------


@given(st.binary(max_size=100))
def test_base64_reads_back(data: bytes) -> None:
    text = COMPUTE["base64_encode"](data)
    assert text == base64.b64encode(data).decode()
    lines = "\r\n".join(text[at : at + 7] for at in range(0, len(text), 7))
    assert COMPUTE["base64_decode"](text) == COMPUTE["base64_decode"](text.rstrip("=")) == data
    assert COMPUTE["base64_decode"](lines) == data


@given(IPS, st.integers(0, 8))
def test_an_address_is_the_librarys(address: IP, zeros: int) -> None:
    if address.family == 6:  # with runs of zeros
        address = IP(6, address.number >> 16 * zeros << 8 * zeros)
    there = ip_address(address.number if address.family == 4 else address.number.to_bytes(16, "big"))
    text = COMPUTE["string_from_ip"](address)
    assert ip_address(text) == there
    assert text == str(there)
    if address.family == 4 or there.ipv4_mapped is None:
        assert COMPUTE["ip_from_string"](text) == address
        assert COMPUTE["is_canonical"](text)
    assert COMPUTE["isLoopback"](address) == there.is_loopback
    assert COMPUTE["isUnspecified"](address) == there.is_unspecified
    assert COMPUTE["isLinkLocalUnicast"](address) == there.is_link_local


@given(CIDRS, IPS, st.integers(0, 128))
def test_a_network_is_the_librarys(network: CIDR, other: IP, bits: int) -> None:
    there = ip_network(str(network), strict=False)
    masked = COMPUTE["masked"](network)
    assert str(masked) == str(there)
    near = IP(network.ip.family, network.ip.number ^ (1 << bits % (32 if network.ip.family == 4 else 128)))
    for address in (other, near, network.ip):
        assert COMPUTE["contains_ip"](network, address) == (ip_address(str(address)) in there)
    inner = CIDR(near, min(bits, 32 if near.family == 4 else 128))
    subnet = there.version == near.family and ip_network(str(inner), strict=False).subnet_of(there)
    assert COMPUTE["contains_cidr"](network, inner) == subnet


@given(st.text("0123456789abcdef:.%/F", max_size=24))
@example("1:2:3:4:5:6:1.2.3.4")
def test_an_address_that_is_read_is_one_for_the_library(text: str) -> None:
    if COMPUTE["is_ip"](text):
        there = ip_address(text)
        assert COMPUTE["ip_from_string"](text) in (
            IP(there.version, int(there)),
            IP(4, int(there) & 0xFFFF_FFFF),
        )
    else:
        with pytest.raises(ValueError, match=r"."):
            COMPUTE["ip_from_string"](text)


# Equality ------------------------------------------------------------------------------------


def test_optionals_are_equal_as_what_they_hold_is() -> None:
    assert equal(NONE, NONE) and equal(some(1), some(1.0)) and equal(some([some(UInt(2))]), some([some(2)]))
    assert not equal(NONE, some(None)) and not equal(some(None), NONE)
    assert not equal(some(True), some(1)) and not equal(some([1]), some([True])) and not equal(some(1), 1)


def test_addresses_are_equal_by_value() -> None:
    assert equal(ip("::ffff:c0a8:1"), ip("192.168.0.1")) and equal(ip("2001:db8::1"), ip("2001:DB8::1"))
    assert not equal(ip("::"), ip("0.0.0.0")) and not equal(cidr("10.0.0.1/8"), cidr("10.0.0.0/8"))
