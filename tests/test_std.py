"""The pattern packs that come with pactlang: their own tests, and that these tests miss nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pactlang
from pactlang.build import compile_linked, linked
from pactlang.fmt import format_pact
from pactlang.link import Library, std_data, std_names
from pactlang.source import Source
from pactlang.syntax import Clause, PatternDecl
from pactlang.testing import check_tests, run_tests

STD = Path(pactlang.__file__).parent / "std"
NAMES = std_names()


def text_of(name: str) -> str:
    return (std_data(name) or b"").decode()


def own(name: str, kind: type[PatternDecl] | type[Clause]) -> list[PatternDecl | Clause]:
    pact = linked(Source(name, text_of(name))).pact
    assert pact is not None
    inside = len(text_of(name))
    return [item for item in pact.items if isinstance(item, kind) and item.span.end <= inside]


PATTERNS = [(name, item) for name in NAMES for item in own(name, PatternDecl)]
CLAUSES = [(name, item) for name in NAMES for item in own(name, Clause)]


@pytest.mark.parametrize("name", NAMES)
def test_its_own_tests_pass(name: str) -> None:
    assert check_tests(STD.parent / name).passed >= 2


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_to_be_said_of_it(name: str) -> None:
    assert compile_linked(linked(Source(name, text_of(name))))[1] == ()


@pytest.mark.parametrize("name", NAMES)
def test_it_is_in_the_one_style(name: str) -> None:
    assert format_pact(Source(name, text_of(name)))[0] == text_of(name)


def test_names_are_such_as_no_field_has() -> None:
    names = [item.name.name for _, item in PATTERNS]
    assert len(set(names)) == len(names)
    assert all(name.endswith("_shape") for name in names)


def test_all_of_it_can_be_imported_together() -> None:
    text = 'pact all "1.0.0"\n' + "".join(f'import "{name}"\n' for name in NAMES)
    assert len(pactlang.compile(text).clauses) == len(CLAUSES)


def failing(text: str) -> int:
    made, _ = compile_linked(linked(Source("std/changed.pact", text), Library()))
    return 1 if made is None else run_tests(made).failed


@pytest.mark.parametrize(("name", "item"), PATTERNS, ids=[item.name.name for _, item in PATTERNS])
def test_no_pattern_can_be_taken_out_or_find_everything(name: str, item: PatternDecl) -> None:
    text, (start, end) = text_of(name), item.pattern.span
    assert failing(text[:start] + r'r"\x{10ffff}"' + text[end:])
    assert failing(text[:start] + 'r"."' + text[end : item.span.start] + text[max(end, item.span.end) :])


def alternatives(source: str) -> list[tuple[int, int]]:
    """The spans of everything between `|` in one pair of parentheses, or in the whole."""
    spans, starts, depth_starts = [], [0], []
    for token in re.finditer(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?[:i]*|[()|]", source):
        if token[0].startswith("("):
            depth_starts.append(starts)
            starts = [token.end()]
        elif token[0] == "|":
            spans.append((starts[-1], token.start()))
            starts.append(token.end())
        elif token[0] == ")":
            if len(starts) > 1:
                spans.append((starts[-1], token.start()))
            starts = depth_starts.pop()
    if len(starts) > 1:
        spans.append((starts[-1], len(source)))
    return spans


def test_alternatives() -> None:
    assert [r"a|(?:b|c\|)[|)]|d"[a:b] for a, b in alternatives(r"a|(?:b|c\|)[|)]|d")] == [
        "a", "b", r"c\|", r"(?:b|c\|)[|)]", "d",
    ]  # fmt: skip


CHOICES = [
    (name, item, span)
    for name, item in PATTERNS
    if item.name.name != "iban_shape"  # tried country by country
    for span in alternatives(item.pattern.value)
]


@pytest.mark.parametrize(
    ("name", "item", "span"),
    CHOICES,
    ids=[f"{i.name.name} {i.pattern.value[s:e]}" for _, i, (s, e) in CHOICES],
)
def test_no_alternative_can_be_taken_out(name: str, item: PatternDecl, span: tuple[int, int]) -> None:
    text, value = text_of(name), item.pattern.value
    written = text[item.pattern.span.start : item.pattern.span.end]
    changed = value[: span[0]] + r"\x{10ffff}" + value[span[1] :]
    start = item.pattern.span.start
    assert value in written
    assert failing(text[:start] + written.replace(value, changed) + text[item.pattern.span.end :])


def test_a_pack_can_be_bent_to_a_pact() -> None:
    made = pactlang.compile("""
    pact shop "1.0.0"
    import "std/pii.pact"
    drop clause no_ip_addresses
    override pattern us_phone_shape = r"\\b555-\\d{4}\\b"
    override clause no_emails {
      never output.replace("help@shop.example", "").matches(email_shape)
      on violation { block }
    }
    """)
    verdict = pactlang.Evaluator(made).check({"id": "1", "output": "help@shop.example, 555-0199, 192.0.2.1"})
    assert [violation.clause for violation in verdict.violations] == ["no_phone_numbers"]


LENGTHS = {
    "NO": 15, "BE": 16, "DK": 18, "FI": 18, "FK": 18, "FO": 18, "GL": 18, "NL": 18, "SD": 18, "MK": 19,
    "SI": 19, "AT": 20, "BA": 20, "EE": 20, "KZ": 20, "LT": 20, "LU": 20, "MN": 20, "XK": 20, "CH": 21,
    "HR": 21, "LI": 21, "LV": 21, "BG": 22, "BH": 22, "CR": 22, "DE": 22, "GB": 22, "GE": 22, "IE": 22,
    "ME": 22, "RS": 22, "VA": 22, "AE": 23, "GI": 23, "IL": 23, "IQ": 23, "OM": 23, "SO": 23, "TL": 23,
    "AD": 24, "CZ": 24, "ES": 24, "MD": 24, "PK": 24, "RO": 24, "SA": 24, "SE": 24, "SK": 24, "TN": 24,
    "VG": 24, "LY": 25, "PT": 25, "ST": 25, "IS": 26, "TR": 26, "BI": 27, "DJ": 27, "FR": 27, "GR": 27,
    "IT": 27, "MC": 27, "MR": 27, "SM": 27, "AL": 28, "AZ": 28, "BY": 28, "CY": 28, "DO": 28, "GT": 28,
    "HN": 28, "HU": 28, "LB": 28, "NI": 28, "PL": 28, "SV": 28, "BR": 29, "EG": 29, "PS": 29, "QA": 29,
    "UA": 29, "JO": 30, "KW": 30, "MU": 30, "YE": 30, "MT": 31, "SC": 31, "LC": 32, "RU": 33,
}  # fmt: skip


def account(country: str, length: int) -> str:
    """An account number with the right check digits."""
    body = ("0A1B2C3D4E5F6G7H8I9J" * 2)[: length - 4]
    digits = "".join(str(int(char, 36)) for char in f"{body}{country}00")
    return f"{country}{98 - int(digits) % 97:02}{body}"


@pytest.mark.parametrize("country", LENGTHS)
def test_accounts_of_every_country(country: str) -> None:
    found = pactlang.Evaluator(pactlang.compile('pact p "1.0.0" import "std/payment.pact"'))
    right = account(country, LENGTHS[country])
    grouped = " ".join(right[at : at + 4] for at in range(0, len(right), 4))
    wrong = [account(country, LENGTHS[country] + by) for by in (-1, 1)]
    for text in (right, grouped, f"Pay {grouped} BIC ABCDEFGH by Friday"):
        assert not found.check({"id": "1", "output": text}).ok, text
    for text in (*wrong, right.lower(), f"x{right}", account("US", LENGTHS[country])):
        assert found.check({"id": "1", "output": text}).ok, text
