"""The sieve finds what `bytes.find` finds, with every kernel the processor has."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pactlang._runtime import Sieve
from pactlang.matchers.buckets import sieve

KERNELS = (0, 1, 2)  # what a processor lacks is replaced by what it has
Strings = Sequence[bytes]
BYTES = st.sampled_from(b"abc\x00A\xc3\xa9 \xff")
TEXTS = st.lists(BYTES, max_size=90).map(bytes)
WORDS = st.lists(st.lists(BYTES, min_size=1, max_size=10).map(bytes), min_size=1, max_size=12, unique=True)


def sought(words: Strings, kernel: int) -> Sieve:
    strings = {tuple(1 << byte for byte in word): [number] for number, word in enumerate(words)}
    return sieve(strings, [False] * len(words), kernel)


def found(made: Sieve, text: bytes) -> dict[int, tuple[int, int]]:
    return {owner: (first, last) for owner, first, last in made.find(text) or ()}


def wanted(words: Strings, text: bytes) -> dict[int, tuple[int, int]]:
    return {n: (text.find(w), text.rfind(w)) for n, w in enumerate(words) if w in text}


@pytest.mark.parametrize("kernel", KERNELS)
@settings(deadline=None)
@given(WORDS, TEXTS, st.data())
def test_finds_what_find_finds(kernel: int, words: Strings, text: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    text = text[:at] + data.draw(st.sampled_from(words)) + text[at:]
    assert found(sought(words, kernel), text) == wanted(words, text)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("count", [1, 9, 40, 300, 3000])
def test_finds_each_of_many_words_at_each_place(kernel: int, count: int) -> None:
    rng = random.Random(count)
    words = list({bytes(rng.choices(b"abcdefgh-XYZ", k=rng.randint(3, 12))) for _ in range(count)})
    made = sought(words, kernel)
    for size in range(80):
        text = bytes(rng.choices(b"abcdefgh-XYZ", k=size))
        at = rng.randint(0, size)
        text = text[:at] + rng.choice(words) + text[at:]
        assert found(made, text) == wanted(words, text)


@pytest.mark.parametrize("kernel", KERNELS)
@settings(deadline=None)
@given(st.lists(st.sampled_from("aBk1_ \u00e9"), max_size=60).map("".join))
def test_sets_of_bytes(kernel: int, text: str) -> None:
    digit = sum(1 << byte for byte in b"0123456789")
    either = [1 << ord(c) | 1 << ord(c.upper()) for c in "ab"]
    made = sieve({(digit, digit): [0, 1], (*either, digit): [1]}, [False, False], kernel)
    data = text.encode()
    places = [at for at in range(len(data) - 1) if data[at : at + 2].isdigit()]
    folded = [
        at
        for at in range(len(data) - 2)
        if data[at : at + 2].lower() == b"ab" and data[at + 2 : at + 3].isdigit()
    ]
    both = sorted(places + folded)
    assert found(made, data) == {n: (p[0], p[-1]) for n, p in enumerate((places, both)) if p}


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_text_that_needs_too_many_comparisons_is_refused(kernel: int) -> None:
    made = sieve({(1 << 97,) * 4: list(range(20))}, [False] * 20, kernel)
    assert made.find(b"a" * 100_000) is None


@pytest.mark.parametrize("kernel", KERNELS)
def test_one_place_is_enough_for_a_final_owner(kernel: int) -> None:
    made = sieve({(1 << 97,): [0]}, [True], kernel)
    assert made.find(b"xx" + b"a" * 1_000_000) == [(0, 2, 2)]


@pytest.mark.parametrize(
    "rows",
    [
        [([b"\x00" * 31], 0, 0, [0])],
        [([b"\x00" * 32], 1, 0, [0])],
        [([b"\x00" * 32], 0, 17, [0])],
        [([b"\x00" * 32], 0, 16, [0])],
        [([b"\xff" * 32] * 4, 0, 16, [0])],
        [([b"\x00" * 32], 0, 0, [1])],
        [([], 0, 0, [0])],
        [([b"\x00" * 32] * 5000, 0, 0, [0])],
    ],
)
def test_refuses_what_it_cannot_look_for(rows: list[tuple[list[bytes], int, int, list[int]]]) -> None:
    with pytest.raises(ValueError, match=r"factor|bytes|window"):
        Sieve(rows, b"\0")
