"""Folded text, spans that lead back to the raw text, phrases, checksums."""

from __future__ import annotations

import random
import re
import time
from unicodedata import combining, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pactlang import text as text_module
from pactlang.text import (
    compile_re2,
    find,
    find_phrase,
    fold,
    folded_span,
    folded_utf8,
    folds,
    iban,
    luhn,
    phrase_pattern,
    position,
    utf8,
)

# What normalisation joins, splits, hides or reorders.
TRICKY = st.sampled_from(
    list(
        "\u0345\u0301\u3099\uff9e\u1161\u11a8\u1100\uac00\u09be\u09c7\u200b \u3000\u00b4AßİΣς\ufdfaﬁ\u0130"
        "\u1fb3\u0390\uffa1\uffc2\u0f73\u0344\u2126\u1e9e\u00ad\u0488\u0dd9\u0dca\u0149Ǆ\n\t\ufeff\U000e0041㌀①"
    )
)
TEXTS = st.text(TRICKY | st.characters(codec="utf-8"), max_size=12)


@given(TEXTS)
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(st.characters(max_codepoint=127)))
def test_the_short_way_for_ascii_is_the_long_way(text: str) -> None:
    assert fold(text) == fold(text + "é")[:-1]


@given(st.text("aZ \t\n\v\f\r\x1c", max_size=40))
def test_each_run_of_white_space_is_one_blank(text: str) -> None:
    assert fold(text) == re.sub(r"[\t-\r ]+", " ", text.lower())


@given(TEXTS)
def test_a_span_of_the_whole_fold_holds_all_that_is_shown(text: str) -> None:
    folded = fold(text)
    start, end = folded_span(text, 0, len(folded))
    assert fold(text[start:end]) == folded


@given(TEXTS, st.data())
def test_a_span_of_raw_text_holds_what_was_found_in_the_fold(text: str, data: st.DataObject) -> None:
    folded = fold(text)
    start = data.draw(st.integers(0, len(folded)))
    end = data.draw(st.integers(start, len(folded)))
    first, last = folded_span(text, start, end)
    assert 0 <= first <= last <= len(text)
    assert folded[start:end] in fold(text[first:last])


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Guaranteed  RETURNS", "guaranteed returns"),
        ("gu\u200bar\u00adanteed\u2060", "guaranteed"),
        ("Ｇｕａｒａｎｔｅｅｄ", "guaranteed"),
        ("ﬁne STRASSE straße ẞ", "fine strasse strasse ss"),
        ("a\u00a0\u3000\n b", "a b"),
        (" a ", " a "),
        ("e\u0301 É", "é é"),
        ("a\x1cb", "a\x1cb"),
        ("", ""),
    ],
)
def test_folds(text: str, folded: str) -> None:
    assert fold(text) == folded


# Long texts -----------------------------------------------------------------------------------------

EVERYTHING = [chr(code) for code in range(0x110000)]
MARKS = "\u0301\u0323\u0345\u0f71\u0f72\u0f73\u0344\uff9e\uff9f\u3099\u20dd\u0489\U0001d165"


@given(st.lists(TEXTS, max_size=8).map("".join), st.integers(1, 9))
def test_a_text_folded_in_slices_is_the_folded_text(text: str, size: int) -> None:
    assert "".join(folds(text, size)) == fold(text)


@given(st.text("a \u00a0\u200b\u0301\u00a8", max_size=40), st.integers(1, 5))
def test_slices_join_runs_of_white_space(text: str, size: int) -> None:
    assert "".join(folds(text, size)) == fold(text)


def test_where_a_character_begins_its_fold_begins() -> None:
    changed = [char for char in EVERYTHING if normalize("NFKC", char.casefold()) != char]
    begins = [fold(char) for char in changed if text_module._begins(char)]
    assert len(begins) > 6_000
    assert [folded for folded in begins if folded and not text_module._begins(folded[0])] == []


@given(st.text(MARKS + "e\u1161\u200b", min_size=33, max_size=150), TEXTS, TEXTS)
def test_sorting_a_run_of_marks_first_changes_nothing(marks: str, before: str, after: str) -> None:
    whole, sorts = before + marks + after, text_module._MARKS
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_module, "_MARKS", re.compile("(?!)"))
        plain = fold(whole)
    assert text_module._MARKS is sorts
    assert fold(whole) == plain


def test_a_run_of_marks_is_folded_in_good_time() -> None:
    chance = random.Random(0)
    text = "a" + "".join(chance.choice(MARKS) for _ in range(200_000))
    begun = time.monotonic()
    fold(text)
    assert time.monotonic() - begun < 10  # some 100 s if `normalize` sorts them


def test_every_character_that_is_all_marks_can_be_in_a_run() -> None:
    inside = re.compile(text_module._MARKS.pattern.removesuffix("{33,}"))
    marks = {char for char in EVERYTHING if all(map(combining, normalize("NFKD", char)))}
    assert {char for char in marks if inside.fullmatch(char) is None} == {"\uff9e", "\uff9f"}


@given(
    st.lists(TEXTS | st.sampled_from(["risk  FREE", "4111 1111 1111 1111 "]), max_size=6).map("".join),
    st.integers(1, 5),
    st.sampled_from(["risk free", "e", "\u0301", "111"]),
)
def test_what_is_found_does_not_depend_on_slices(text: str, size: int, sought: str) -> None:
    phrase, card = compile_re2(phrase_pattern([sought])), compile_re2(CARD)

    def answers() -> list[object]:
        spans = [find_phrase(phrase, text), find(card, text, "luhn"), find(compile_re2(r"\pL\S*"), text)]
        return [*spans, position(sought, text), bytes(utf8(text)[:]), bytes(folded_utf8(text)[:])]

    whole = answers()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LONG", "SLICE", "WORK", "FOLDED", "FOLDED_ASCII"):
            patch.setattr(text_module, name, size)
        patch.setattr(text_module, "BLOCK", 3)
        assert answers() == whole


# Phrases --------------------------------------------------------------------------------------------


def found(phrases: list[str], text: str) -> str | None:
    span = find_phrase(compile_re2(phrase_pattern(phrases), groups=True), text)
    return None if span is None else text[slice(*span)]


@pytest.mark.parametrize(
    ("phrases", "text", "match"),
    [
        (["risk free"], "It is RISK\u00a0 \nfree!", "RISK\u00a0 \nfree"),
        (["risk free"], "risk freely", None),
        (["risk free"], "brisk free", None),
        (["risk free"], "_risk free", None),
        (["risk free"], "risk free\u0489", None),
        (["risk free"], "r\u200bisk fr\u00adee", "r\u200bisk fr\u00adee"),
        (["café"], "CAFE\u0301", "CAFE\u0301"),
        (["a"], "a", "a"),
        (["保证收益"], "我们保证收益哦", "保证收益"),
        (["ธนาคาร"], "ไปธนาคารนี้", "ธนาคาร"),
        (["$100"], "a$100.", "$100"),
        (["$100"], "$1000", None),
        (["c++"], "C++11", "C++"),
        (["free", "保证"], "freely 保证了", "保证"),
        (["a b", "a b c"], "x a b c", "a b c"),
        (["  spaced  out "], "spaced out", "spaced out"),
        ([], "anything", None),
        (["", "\u200b"], "anything", None),
        (["(a|b)*"], "say (A|B)* now", "(A|B)*"),
    ],
)
def test_phrases(phrases: list[str], text: str, match: str | None) -> None:
    assert found(phrases, text) == match


@given(TEXTS.filter(lambda text: fold(text).strip(" ") != ""), TEXTS, TEXTS)
def test_a_phrase_is_found_where_it_stands_as_words(phrase: str, before: str, after: str) -> None:
    text = before + ". " + phrase + " ." + after
    if fold(phrase).strip(" ") in fold(text):  # a mark at its start would join what stands before
        span = find_phrase(compile_re2(phrase_pattern([phrase]), groups=True), text)
        assert span is not None
        assert fold(phrase).strip(" ") in fold(text[slice(*span)])


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("4111 1111 1111 1111", True),
        ("4111-1111-1111-1111", True),
        ("4111 1111 1111 1112", False),
        ("79927398713", True),
        ("79927398710", False),
        ("4111 1111 1111 111a", False),
        ("0", False),
        ("", False),
        ("٤١١١١١١١١١١١١١١١", False),
    ],
)
def test_luhn(text: str, good: bool) -> None:
    assert luhn(text) is good


@given(st.text("0123456789", min_size=1, max_size=30), st.integers(0, 9))
def test_luhn_has_one_right_digit_and_sees_one_wrong_one(body: str, wrong: int) -> None:
    right = [digit for digit in "0123456789" if luhn(body + digit)]
    assert len(right) == 1
    assert luhn(body + str(wrong)) is (str(wrong) == right[0])


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("DE89 3704 0044 0532 0130 00", True),
        ("gb82 west 1234 5698 7654 32", True),
        ("GB82 WEST 1234 5698 7654 31", False),
        ("DE89", False),
        ("8937 0400 4405 3201 3000", False),
    ],
)
def test_iban(text: str, good: bool) -> None:
    assert iban(text) is good


CARD = r"\b(?:\d[ -]?){13,19}\b"


@pytest.mark.parametrize(
    ("text", "check", "match"),
    [
        ("card 4111 1111 1111 1111.", "luhn", "4111 1111 1111 1111"),
        ("é 4111 1111 1111 1112 then 4111 1111 1111 1111", "luhn", "4111 1111 1111 1111"),
        ("ref 1234 4111 1111 1111 1111", "luhn", "4111 1111 1111 1111"),
        ("4111 1111 1111 1112", "luhn", None),
        ("4111 1111 1111 1112", "", "4111 1111 1111 1112"),
        ("", "luhn", None),
    ],
)
def test_the_search_goes_on_after_a_match_that_fails_its_check(
    text: str, check: str, match: str | None
) -> None:
    span = find(compile_re2(CARD), text, check)
    assert (None if span is None else text[slice(*span)]) == match


@pytest.mark.parametrize("pattern", ["", "x*", r"\b", ".*", CARD])
def test_a_search_ends_in_good_time_whatever_the_text(pattern: str) -> None:
    begun = time.monotonic()
    for text in ("1 " * 5_000, "é" * 10_000, "4111 1111 1111 1112 " * 500):
        find(compile_re2(pattern), text, "luhn")
    assert time.monotonic() - begun < 5


@given(st.text(max_size=20), st.sampled_from(["[a-z]+", r"\d", ".", "é|ß", "$"]))
def test_spans_count_characters(text: str, pattern: str) -> None:
    span = find(compile_re2(pattern), text)
    if span is not None:
        assert compile_re2(pattern).search(text).span() == span


def test_a_pattern_that_is_not_re2_says_so_quietly(capfd: pytest.CaptureFixture[str]) -> None:
    for source in ("(?=a)", r"(a)\1", "(", "a{2,1}", "[z-a]", "\ud800"):
        with pytest.raises(ValueError, match=r"."):
            compile_re2(source)
    assert capfd.readouterr().err == ""
