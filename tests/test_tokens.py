"""Typed tokens of texts and values: what `only from` compares."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pactlang import tokens as module
from pactlang.tokens import MAX_CHARS, MAX_TOKENS, Token, token_hash, token_hashes, tokens

LONG = 50_000_000


def read(value: Any) -> set[str]:
    """The tokens as `kind:text`; all of them could be read."""
    found, complete = tokens(value)
    assert complete
    return {f"{token.kind}:{token.text}" for token in found}


FOUND = {
    "Write to Bob.X@Example.com, please.": {"email:bob.x@example.com"},
    "<mailto:bob@x.org>;eve@y.org": {"email:bob@x.org", "email:eve@y.org"},
    "ｂｏｂ＠ｘ.org and b\u200bob@x.org": {"email:bob@x.org"},
    "https://www.Foo.com": {"host:www.foo.com"},
    "www.foo.com/": {"host:www.foo.com"},
    "see http://foo.com:80/a%2Db/, foo.com/a-b and FOO.com./a-b#top": {"host:foo.com", "url:foo.com/a-b"},
    "https://foo.com:8443/": {"host:foo.com", "url:foo.com:8443"},
    "(https://foo.com/a?q=1&r=2)": {"host:foo.com", "url:foo.com/a?q=1&r=2"},
    "https://good.com@evil.com/x": {"host:evil.com", "url:evil.com/x"},
    "http://good.com\\@evil.com": {"host:good.com", "host:evil.com"},
    # What a query or a path carries is part of the URL, whatever stands in it.
    "https://foo.com/(secret,words)": {"host:foo.com", "url:foo.com/(secret,words"},
    "foo.com?q=(secret)": {"host:foo.com", "url:foo.com?q=(secret"},
    "https://a.com/x,https://b.com/y": {"host:a.com", "url:a.com/x", "host:b.com", "url:b.com/y"},
    "[text](https://a.com/x) 10.0.0.1": {"host:a.com", "url:a.com/x", "host:10.0.0.1"},
    '{"url":"https://a.com/x","n":[1,2.50]}': {"host:a.com", "url:a.com/x", "number:1", "number:2.5"},
    r'{"text":"one\nhttps://a.com\ntwo"}': {"host:a.com"},
    "IBAN GB29 NWBK 6016 1331 9268 19.": {"iban:gb29nwbk60161331926819"},
    "gb29nwbk60161331926819 AB12 GB29 NWBK 6016 1331 9268 19 today": {
        "iban:gb29nwbk60161331926819",
        "id:ab12",
    },
    "GB28 NWBK 6016 1331 9268 19": {  # the check digits are wrong: no IBAN in print
        "id:gb28", "number:6016", "number:1331", "number:9268", "number:19",
    },
    "US133000000121212121212": {"iban:us133000000121212121212"},  # in one piece, the form alone decides
    "1,100.00 1100 1.1e3 +1100 $1,100, 1100%": {"number:1100"},
    "-5 (-5) 0.50 .5 -0 007": {"number:-5", "number:0.5", "number:0", "number:7"},
    "1234567890123456789012345678901234567890123": {"number:1234567890123456789012345678901234567890123e0"},
    "#W123, W123 or (w123)": {"id:w123"},
    "#general _emphasis_ user_name __init__": {"id:#general", "id:user_name"},
    "report-2024.pdf archive.tar.gz C:\\temp\\a1": {"host:report-2024.pdf", "host:archive.tar.gz", "id:a1"},
    "user_15's 2024-05-15 10:00 15th id:7 a=b1": {
        "id:user_15", "id:2024-05-15", "id:10:00", "id:15th", "number:7", "id:b1",
    },
    "we've 12--15, x1...y2": {"number:12", "number:15", "id:x1", "id:y2"},
    "我有15个 例え.com": {"number:15", "host:例え.com"},
    "@x.com/b1 %y.com/b1": {"host:x.com", "url:x.com/b1", "host:y.com", "url:y.com/b1"},
    # What is hidden from a reader of the text is not hidden from what acts on it.
    "evil\u3002com evil\uff61com https:\\\\evil.com www[.]evil.com": {"host:evil.com"},
    "root@intranet": {"email:root@intranet"},
    "http://2130706433/": {"host:2130706433"},
    "three plain words": set(),
    "and/or e.g. well-known (yes!) 'quoted' don't": set(),
    "": set(),
}  # fmt: skip


@pytest.mark.parametrize("text", FOUND)
def test_texts(text: str) -> None:
    assert read(text) == FOUND[text]


def test_values() -> None:
    assert read({"to": ["a@x.org", {"id_1": 1100.0}], "ok": True, "none": None}) == {
        "email:a@x.org",
        "id:id_1",
        "number:1100",
    }
    assert read(1100) == read(1100.0) == read("1,100.00") == {"number:1100"}
    assert read(0.1 + 0.2) == {"number:0.30000000000000004"}
    assert read(1e22) == read("1e22") == read("1" + "0" * 22)
    assert read(2**64 - 1) == {"number:18446744073709551615"}
    assert read([None, False, [], {}]) == set()


@pytest.mark.parametrize("value", [b"x", float("nan"), float("inf"), 2**64, -(2**64), object()])
def test_what_cannot_be_read_is_said(value: Any) -> None:
    assert tokens(["a1", value]) == ({Token("id", "a1")}, False)


def test_hashes_are_fixed() -> None:
    """They are kept in snapshots, which go from machine to machine."""
    assert token_hash(Token("email", "bob@x.org")) == 3363614165006294466
    assert token_hashes("bob@x.org 15 bob@x.org") == (
        sorted(map(token_hash, (Token("email", "bob@x.org"), Token("number", "15")))),
        True,
    )
    assert token_hashes(None) == ([], True)


def test_kinds_are_apart() -> None:
    assert not tokens("https://5.com")[0] & tokens("5")[0]
    assert token_hash(Token("id", "5")) != token_hash(Token("number", "5"))


# Bounds ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unit", ["a", "1", ".", "a.", "a@", "@", "://", "1,", "#", "é", "\u0301", "gb29", "www.", "a1 ", "gb29 ", "-", "%2"]
)  # fmt: skip
def test_hostile_texts_end_soon(unit: str) -> None:
    start = time.process_time()
    found, complete = token_hashes(unit * (LONG // len(unit)))
    assert not complete and len(found) <= MAX_TOKENS
    token_hashes(unit * (MAX_CHARS // len(unit)))
    for size in (1 << 6, 1 << 11):
        token_hashes(f"{unit * (size // len(unit))} " * (1 << 14 >> size.bit_length()))
    assert time.process_time() - start < 30  # seconds; a quadratic search takes hours


def test_too_many_tokens() -> None:
    found, complete = tokens([f"id{n}" for n in range(MAX_TOKENS + 1)])
    assert (len(found), complete) == (MAX_TOKENS, False)
    assert Token("id", "id0") in found and Token("id", f"id{MAX_TOKENS}") not in found
    assert tokens([f"id{n}" for n in range(MAX_TOKENS)])[1]


def test_long_texts_are_cut_at_a_blank() -> None:
    text = "word " * (MAX_CHARS // 5) + "bob@x.org.evil.com"
    assert tokens(text) == (set(), False)
    assert tokens(["a1 " + "b" * MAX_CHARS, "c3"]) == ({Token("id", "a1"), Token("id", "c3")}, False)


def test_long_pieces_are_data() -> None:
    assert tokens("a1" * 1025) == (set(), False)
    assert tokens("a" * 5000) == (set(), True)
    numbers = ",".join(f"n{n}" for n in range(1000))  # one piece, a list in it
    assert len(read(f"[{numbers}]")) == 1000


def test_nesting_is_bounded() -> None:
    deep: Any = "a1"
    for _ in range(100_000):
        deep = [deep]
    assert tokens(deep) == (set(), False)
    endless: list[Any] = ["a1"]
    endless.append(endless)
    assert tokens(endless) == ({Token("id", "a1")}, False)


# Laws --------------------------------------------------------------------------------------------

PARTS = st.sampled_from(
    "a b1 _ - . .. # / : @ % + , ; ( ) [ ] ' \" x.com www. https:// 10 1,000 e5 gb29 nwbk 6016 \u3042 \u3002 \u00e9 \u200b ? = & \\n".split()
    + [" ", "GB29 NWBK 6016 1331 9268 19"]
)  # fmt: skip
TEXTS = st.lists(PARTS, max_size=12).map("".join) | st.text(max_size=20)
PREFIX = {"url": "https://", "host": "https://"}


@given(TEXTS)
def test_normal_forms_are_idempotent(text: str) -> None:
    for token in tokens(text)[0]:
        assert token in tokens(PREFIX.get(token.kind, "") + token.text)[0], (text, token)


@given(TEXTS, TEXTS, TEXTS)
def test_a_token_is_found_where_it_stands_between_blanks(before: str, text: str, after: str) -> None:
    whole = f"{before} {text} {after}"
    assume("NWBK" not in whole)  # what stands before a printed IBAN may be the begin of another one
    assert tokens(text)[0] <= tokens(whole)[0]


@given(TEXTS)
def test_case_width_and_blanks_change_nothing(text: str) -> None:
    assert tokens(text) == tokens(text.swapcase()) or not text.isascii()
    assert tokens(text) == tokens(f"\n {text}\t")


@given(st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_read_by_value(number: float) -> None:
    assert tokens(number) == tokens(str(number)) == tokens(f"it is {number}.")


@given(st.recursive(TEXTS | st.integers() | st.floats() | st.none() | st.booleans() | st.binary(), st.lists))
def test_hashes_are_of_the_tokens(value: Any) -> None:
    found, complete = tokens(value)
    assert token_hashes(value) == (sorted(map(token_hash, found)), complete)


def test_what_is_remembered_is_bounded() -> None:
    token_hashes(" ".join(f"x{n}" for n in range(MAX_TOKENS)))
    info = module._remembered_hashes.cache_info()
    assert info.maxsize is not None and info.currsize <= info.maxsize
