"""Bindings made to hurt: objects that lie, change or take away what is being read end in a clear error."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest
from test_hostile import apart, word

import pactlang
from pactlang.cel import expression
from pactlang.values import IP, Duration, Optional, Timestamp, some

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the sandbox forks")


# Bindings ------------------------------------------------------------------------------------


def deep(depth: int) -> list[Any]:
    value: list[Any] = [1]
    for _ in range(depth):
        value = [value]
    return value


def cycle() -> list[Any]:
    value: list[Any] = [1]
    value.append(value)
    return value


def big(key: str, value: Any) -> dict[str, Any]:
    return {"x": value, "l": [value], "m": {key: value}}


@pytest.mark.parametrize(
    ("text", "given", "wanted"),
    [
        ("x", {"x": 2**70}, "bad-number"),
        ("l[0]", big("k", 2**70), "bad-number"),
        ("m.k", big("k", -(2**70)), "bad-number"),
        ("l", big("k", 2**70), "list"),
        ("x == x", {"x": float("nan")}, "bool"),
        ("x == x", {"x": "\ud800"}, "bool"),
        ("x.matches('a')", {"x": "\ud800"}, "bad-conversion"),
        ("bytes(x)", {"x": "\ud800"}, "bad-conversion"),
        ("strings.quote(x)", {"x": "\ud800"}, "str"),
        ("x == x", {"x": cycle()}, None),
        ("x[1][1][1][0]", {"x": cycle()}, "int"),
        ("x", {"x": cycle()}, "list"),
        ("'%s'.format([x])", {"x": cycle()}, "bad-conversion"),
        ("x in x", {"x": cycle()}, None),
        ("x", {"x": deep(100_000)}, "limit"),
        ("x[0][0]", {"x": deep(100_000)}, "limit"),
        ("x == y", {"x": deep(100_000), "y": deep(100_000)}, None),
        ("'%s'.format([x])", {"x": deep(100_000)}, "bad-conversion"),
        ("size(x)", {"x": deep(100_000)}, "int"),
        ("x", {"x": datetime(2026, 1, 1)}, "TypeError: a datetime needs a time zone to be a timestamp"),
        ("x", {"x": datetime.min.replace(tzinfo=timezone(timedelta(hours=5)))}, "range"),
        ("x", {"x": timedelta.max}, "range"),
        ("x", {"x": object()}, "TypeError: object is no CEL value"),
        ("x", {"x": {1, 2}}, "TypeError: set is no CEL value"),
        ("x", {"x": Timestamp(2**63 - 1)}, "range"),
        ("x - y", {"x": Timestamp(2**62), "y": Timestamp(-(2**62))}, "range"),
        ("x + y", {"x": Duration(2**62), "y": Duration(2**62)}, "range"),
        ("x.getFullYear()", {"x": Timestamp(0, -1)}, "range"),
        ("x.getSeconds()", {"x": Duration(0, 2**31)}, "range"),
        ("x", {"x": Timestamp("a", [])}, "range"),
        ("x.hasValue()", {"x": Optional(1, "yes")}, "TypeError: Optional is no CEL value"),  # type: ignore[arg-type]
        ("x.value()", {"x": some(object())}, "bad-number"),
        ("x", {"x": IP("a", [])}, "TypeError: IP is no CEL value"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_bindings_that_are_no_data(text: str, given: dict[str, Any], wanted: str | None) -> None:
    found = apart(lambda: word(text, given))
    assert found == wanted or (wanted is None and found not in ("bool", "crash"))


class Text(str):
    """A str whose methods lie."""

    def __add__(self, other: object) -> Any:
        return 5

    def __len__(self) -> int:
        return 1 << 62

    def __lt__(self, other: object) -> Any:
        raise ValueError("no order")

    __gt__ = __lt__

    def lower(self) -> Any:
        return self

    def __hash__(self) -> int:
        return 1


class Items(list):  # type: ignore[type-arg]
    """A list whose methods lie."""

    def __add__(self, other: object) -> Any:
        return "no list"

    def __len__(self) -> int:
        return 1 << 40

    def __iter__(self) -> Any:
        return iter("lies")

    def __getitem__(self, at: Any) -> Any:
        raise ValueError("no item")


class Entries(dict):  # type: ignore[type-arg]
    """A dict whose methods lie."""

    def __iter__(self) -> Any:
        return iter(range(3))

    def __len__(self) -> int:
        return 1 << 40

    def __getitem__(self, key: object) -> Any:
        raise ValueError("no entry")

    def items(self) -> Any:
        return [(1, 2)]

    keys = values = items


class Liar:
    """An object that says it is a str, and is asked by code of its own."""

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return str


def test_objects_that_lie_are_read_as_what_they_are_below() -> None:
    given = {"s": Text("ab"), "l": Items([1, 2]), "m": Entries(a=1)}
    for text, value in {
        "s + 'c'": "abc", "size(s)": 2, "s < 'b'": True, "s == 'ab'": True, "s.lowerAscii()": "ab", "s": "ab",
        "l + [3]": [1, 2, 3], "[0] + l": [0, 1, 2], "l.map(x, x)": [1, 2], "size(l)": 2, "l[1]": 2, "2 in l": True,
        "m.map(k, k)": ["a"], "m.a": 1, "size(m)": 1, "'a' in m": True, "m.transformList(k, v, v)": [1],
        "{s: 1}['ab']": 1, "s in ['x', 'ab']": True,
        "s in ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'ab']": True,
    }.items():  # fmt: skip
        assert expression(text).evaluate(given) == value, text
    assert type(expression("s").evaluate(given)) is str
    assert word("x", {"x": Liar()}) == "TypeError: Liar is no CEL value"
    assert word("[x][0]", {"x": Liar()}) == "TypeError: Liar is no CEL value"
    assert word("l[0]", {"l": [Liar()]}) == "bad-number"


class Key(str):
    """A key that runs code when it is compared."""

    act: Callable[[], object]
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        self.act()
        return str.__eq__(self, other)


def key(text: str, act: Callable[[], object]) -> Key:
    made = Key(text)
    made.act = act
    return made


def test_a_key_that_takes_away_what_is_being_read() -> None:
    """Run under the sanitizer (fuzz/README.md), this reads freed memory where something is not held."""

    def case() -> str:
        given: dict[str, Any] = {}
        given["aa"] = ["y" * 200]
        given[key("bb", lambda: (given.pop("aa", None), gc.collect()))] = 3
        assert expression("aa[0] + string(bb)").evaluate(given) == "y" * 200 + "3"

        items = [f"{i}" * 100 for i in range(10)]
        lookup = {key("k", items.clear): 1}
        found = expression("l.map(e, m['k'] == 1 ? e + 'x' : e)").evaluate({"l": items, "m": lookup})
        assert found == ["0" * 100 + "x"]

        left, right = [[{}, ["a" * 100]] for _ in range(2)]
        for side in (left, right):
            side[0] = {key("k", lambda: (left.clear(), right.clear())): ["b" * 50]}
        assert word("l == r || l == r", {"l": left, "r": right}) in ("no-such-overload", "bool", "bad-number")

        items = ["c" * 100, {}, "d" * 100]
        items[1] = {key("k", items.clear): 1}
        assert word("{'k': 1} in l || 'x' in l", {"l": items}) in ("bool", "no-such-overload")

        nest: dict[Any, Any] = {"in": {"deep": ["e" * 100]}}
        nest[key("go", lambda: nest.pop("in", None))] = 1
        assert (
            expression("cel.bind(d, m['in'].deep, m['go'] == 1 ? d[0] : '')").evaluate({"m": nest})
            == "e" * 100
        )
        return "well"

    assert apart(case) == "well"


class Zone(tzinfo):
    """A time zone that runs code when it is asked."""

    act: Callable[[], object] = staticmethod(lambda: None)

    def utcoffset(self, moment: datetime | None) -> timedelta:
        self.act()
        return timedelta(hours=1)


def test_a_time_zone_that_takes_away_what_is_being_read() -> None:
    def case() -> str:
        zone, times = Zone(), [datetime(2026, 1, 1)]
        times[0] = times[0].replace(tzinfo=zone)
        texts = ["a" * 100, "b" * 100]
        zone.act = texts.clear  # type: ignore[method-assign]
        given = {"times": times, "texts": texts}
        found = expression("texts.map(t, times[0] > timestamp(0) ? t : '')").evaluate(given)
        assert found == ["a" * 100]
        pair = [["c" * 100, times[0]], ["c" * 100, times[0]]]
        zone.act = lambda: [side.clear() for side in pair]  # type: ignore[method-assign]
        assert word("l == r", {"l": pair[0], "r": pair[1]}) in ("bool", "no-such-overload", "bad-number")
        return "well"

    assert apart(case) == "well"


def test_an_expression_within_another() -> None:
    """An expression that is evaluated while it is being evaluated, by a key's code, has registers of its own."""
    compiled = expression("m['k'] + x")
    depth, inner = iter(range(30)), []

    def again() -> None:
        at = next(depth, None)
        if at is not None:
            inner.append((at, compiled.evaluate({"m": {key("k", again): 2}, "x": at})))

    assert compiled.evaluate({"m": {key("k", again): 1}, "x": 10}) == 11
    assert sorted(inner) == [(at, 2 + at) for at in range(30)]
    assert compiled.evaluate({"m": {"k": 1}, "x": 1}) == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_interrupt_ends_the_evaluation_and_is_raised(error: type[BaseException]) -> None:
    def interrupt() -> None:
        raise error

    compiled = expression("m['k'] == 1 || l.all(x, x == x)")
    with pytest.raises(error):
        compiled.evaluate({"m": {key("k", interrupt): 1}, "l": [1]})
    assert compiled.evaluate({"m": {"k": 1}, "l": [1]}) is True
    zone = Zone()
    zone.act = interrupt  # type: ignore[method-assign]
    with pytest.raises(error):
        expression("x").evaluate({"x": datetime(2026, 1, 1, tzinfo=zone)})


def test_an_exception_in_the_callers_code_is_an_error_value() -> None:
    def fail() -> None:
        raise RuntimeError("no")

    compiled = expression("m['k']")
    with pytest.raises(pactlang.ExpressionError):
        compiled.evaluate({"m": {key("k", fail): 1}})
    assert compiled.evaluate({"m": {"k": 1}}) == 1
    with pytest.raises(pactlang.ExpressionError):
        compiled.evaluate({"m": {}})
    assert compiled.evaluate({"m": {"k": 2}}) == 2


def test_bindings_that_change_in_another_thread() -> None:
    """Half the threads evaluate, half take the values away and put others there."""

    def case() -> str:
        given: dict[str, Any] = {"l": [], "m": {}, "s": ""}
        compiled = expression(
            "l.map(x, x.matches('a+') ? x.upperAscii() + s : string(m.size()) + x).size() + m.size()"
        )
        stop, wrong = threading.Event(), []

        def change() -> None:
            number = 0
            while not stop.is_set():
                number += 1
                given["l"][:] = [f"a{number}" * 20, f"b{number}" * 20] * (number % 5)
                given["s"] = f"s{number}" * 30
                given["m"] = {f"k{number}": [number]}
                given["l"].clear()
                given["l"] = [f"a{number}" * 10]

        def compute() -> None:
            try:
                for _ in range(4000):
                    try:
                        if not isinstance(compiled.evaluate(given), int):
                            wrong.append("no int")
                    except pactlang.ExpressionError as error:
                        wrong.append(error.code)
            except BaseException as error:
                wrong.append(repr(error))

        before = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)
        changing = [threading.Thread(target=change) for _ in range(2)]
        computing = [threading.Thread(target=compute) for _ in range(4)]
        for thread in (*changing, *computing):
            thread.start()
        for thread in computing:
            thread.join()
        stop.set()
        for thread in changing:
            thread.join()
        sys.setswitchinterval(before)
        assert not wrong, set(wrong)
        return "well"

    assert apart(case) == "well"


def test_memory_does_not_grow_with_the_number_of_evaluations() -> None:
    """Everything a run made is let go when it ends, also where it failed."""
    cases = [
        ("l.map(x, m['k'] + x + s)", {"l": ["a"] * 50, "m": {"k": "v"}, "s": "é"}),
        ("l.map(x, timestamp(x))", {"l": ["2026-01-01T00:00:00Z", "no time"]}),
        ("[optional.of(l), optional.none()].map(o, o.orValue([]))", {"l": [[1], {"a": 2}]}),
        ("l.transformMapEntry(i, v, {v: [i]}) == m['no']", {"l": ["a", "b"], "m": {}}),
    ]
    made = [(expression(text), given) for text, given in cases]
    counts = []
    for _ in range(4):
        for compiled, given in made * 100:
            try:
                compiled.evaluate(given)
            except pactlang.ExpressionError:
                pass
        gc.collect()
        counts.append(sys.getallocatedblocks())
    assert counts[-1] - counts[1] < 500, counts


def test_the_moment_of_a_datetime_is_that_of_utc() -> None:
    assert expression("x == timestamp('2026-01-01T00:00:00Z')").evaluate(
        {"x": datetime(2026, 1, 1, tzinfo=UTC)}
    )
    assert expression("l[0] == timestamp('2025-12-31T23:00:00Z')").evaluate(
        {"l": [datetime(2026, 1, 1, tzinfo=Zone())]}
    )
