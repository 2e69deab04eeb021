"""Drawing diagnostics: golden texts, and what characters and line lengths do to them."""

from __future__ import annotations

import re
import time

import golden
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pactlang.diagnostic import NOTE, WARNING, Diagnostic, Fix, Label
from pactlang.parse import parse
from pactlang.render import render, render_all, summary, visible
from pactlang.source import Source, Span

REFUNDS = Source(
    "refunds.pact",
    'pact refunds "1.0.0" on Refund\nrecord Refund { amount: double }\nclause small {\n\n'
    '  require amount < "500 EUR"\n}\n',
)


def span_of(source: Source, text: str, after: str = "") -> Span:
    start = source.text.index(text, source.text.index(after))
    return Span(start, start + len(text))


@golden.parametrize("render")
def test_golden(case: golden.Case, request: pytest.FixtureRequest) -> None:
    source = Source("case.pact", case.sections["pact"])
    _, found = parse(source)
    golden.settle(case, "text", render_all(found, source) + "\n", request)


def test_the_shape() -> None:
    wrong = span_of(REFUNDS, '"500 EUR"')
    diagnostic = Diagnostic(
        "type-mismatch",
        "cannot compare `double` with `string`",
        Label(wrong, "this is a `string`"),
        (Label(span_of(REFUNDS, "amount", "require"), "`amount` is a `double`, from record `Refund`"),),
        fix=Fix(wrong, "500.0", "write the number without quotes"),
    )
    assert render(diagnostic, REFUNDS) == (
        "error[type-mismatch]: cannot compare `double` with `string`\n"
        "  --> refunds.pact:5:20\n"
        '   5 |   require amount < "500 EUR"\n'
        "     |           ------   ^^^^^^^^^ this is a `string`\n"
        "     |           `amount` is a `double`, from record `Refund`\n"
        "  = fix: write the number without quotes: `amount < 500.0`"
    )


def test_a_fix_is_shown_with_all_that_belongs_to_it() -> None:
    source = Source("x", "require size(tool) <\n  size(output)")
    at, whole = span_of(source, "tool"), Span(8, len(source.text))
    fix = Fix(Span(8, 8), "has(tool) && ", "ask first", whole)
    drawn = render(Diagnostic("c", "m", Label(at), fix=fix), source)
    assert drawn.endswith("  = fix: ask first: `has(tool) && size(tool) < size(output)`")
    long = Source("x", "f(" + "x" * 500 + ")")
    drawn = render(
        Diagnostic("c", "m", Label(Span(0, 1)), fix=Fix(Span(0, 0), "g && ", "t", Span(0, 503))), long
    )
    assert drawn.endswith(f"  = fix: t: `g && f({'x' * 78}...`")


def test_labels_on_several_lines_and_three_on_one() -> None:
    text = "let a = one + two + three\n\n\nlet b = a\n"
    source = Source("x", text)
    diagnostic = Diagnostic(
        "code",
        "message",
        Label(span_of(source, "two"), "second"),
        (
            Label(span_of(source, "one"), "first"),
            Label(span_of(source, "three"), "third"),
            Label(span_of(source, "b"), "later"),
        ),
        help=("do this",),
        level=WARNING,
    )
    assert render(diagnostic, source) == (
        "warning[code]: message\n"
        "  --> x:1:15\n"
        "   1 | let a = one + two + three\n"
        "     |         ---   ^^^   ----- third\n"
        "     |         |     second\n"
        "     |         first\n"
        "    ...\n"
        "   4 | let b = a\n"
        "     |     - later\n"
        "  = help: do this"
    )


def one_line(text: str, start: int, end: int) -> list[str]:
    return render(Diagnostic("c", "m", Label(Span(start, end), "here")), Source("x", text)).split("\n")[2:]


def test_tabs_and_wide_characters_keep_the_signs_below_their_text() -> None:
    assert one_line("\ta\tb", 3, 4) == ["   1 |     a   b", "     |         ^ here"]
    assert one_line("日本 x", 3, 4) == ["   1 | 日本 x", "     |      ^ here"]
    assert one_line("日本 x", 1, 2) == ["   1 | 日本 x", "     |   ^^ here"]
    assert one_line("e\u0301 x", 3, 4) == ["   1 | e\u0301 x", "     |   ^ here"]


def test_what_is_invisible_is_shown() -> None:
    assert one_line("a\x1b[31m\x00\u202eb\r", 1, 2) == ["   1 | a␛[31m␀\ufffdb", "     |  ^ here"]
    assert visible("a\nb\x7f") == "a␊b\ufffd"
    assert visible("\ud800") == "\ufffd"


def test_an_empty_span_and_one_past_the_end_get_one_sign() -> None:
    assert one_line("abc", 3, 3) == ["   1 | abc", "     |    ^ here"]
    assert one_line("abc\n", 4, 4) == ["   2 |", "     | ^ here"]
    assert one_line("abc\ndef", 1, 6) == ["   1 | abc", "     |  ^^ here"]


def test_a_long_line_is_cut_around_its_label() -> None:
    text = "x" * 500 + "BAD" + "y" * 500
    shown, signs = one_line(text, 500, 503)
    assert len(shown) < 150
    assert shown[signs.index("^") :].startswith("BAD")
    assert "...x" in shown
    assert shown.endswith("y...")


def test_a_narrow_terminal_is_never_overrun() -> None:
    text = "clause a { " + " && ".join(f"field_{n} > {n}" for n in range(40)) + " }"
    source = Source("x", text)
    told = "this is a label of several words that does not fit beside"
    for columns in (40, 60, 80, 120):
        for at in (0, 11, 200, len(text) - 9):
            first, second = Label(Span(at, at + 8), told), Label(Span(max(at - 9, 0), max(at - 2, 1)), told)
            fix = Fix(Span(at, at), "has(x) && ", "ask first", Span(at, len(text)))
            diagnostic = Diagnostic("some-code", "a message " * 12, first, (second,), ("help " * 40,), fix)
            drawn = render(diagnostic, source, columns=columns)
            assert max(map(len, drawn.splitlines())) <= columns
            assert drawn.count("this is a label") == 2
            shown, signs = drawn[drawn.index("   1 |") :].splitlines()[:2]
            assert shown[signs.index("^") :].startswith(text[at : at + 8])


def test_a_label_that_does_not_fit_beside_its_sign_stands_below() -> None:
    source = Source("x", "let a = " + "b" * 40 + " + c")
    drawn = render(Diagnostic("c", "m", Label(Span(51, 52), "a text of some words")), source, columns=60)
    assert drawn.splitlines()[2:] == [
        f"   1 | {source.text}",
        "     | " + " " * 51 + "^",
        "     | " + " " * 33 + "a text of some words",
    ]


def test_ten_thousand_findings_on_one_line_of_a_megabyte() -> None:
    source = Source("x", "a " * 500_000)
    found = [Diagnostic("c", "m", Label(Span(n * 50, n * 50 + 1))) for n in range(10_000)]
    start = time.process_time()
    text = render_all(found, source)
    assert time.process_time() - start < 20
    assert text.endswith("10000 errors")


def test_summary_and_limit() -> None:
    error = Diagnostic("c", "m", Label(Span(0, 1)))
    found = [error, error._replace(level=WARNING), error, error._replace(level=NOTE), error]
    assert summary(found) == "3 errors, 1 warning, 1 note"
    text = render_all(found, REFUNDS, limit=2)
    assert text.count("-->") == 2
    assert text.endswith("\n\n... and 3 more\n\n3 errors, 1 warning, 1 note")
    assert render_all([], REFUNDS) == ""


def test_colours_add_nothing_but_colours() -> None:
    _, found = parse(Source("x", 'pact p "1"\nclause a { requires x\n  require x > 5min }\nlet = 3\n'))
    source = Source("x", 'pact p "1"\nclause a { requires x\n  require x > 5min }\nlet = 3\n')
    painted = render_all(found, source, color=True)
    assert "\x1b[31m" in painted
    plain = "\n".join(line.rstrip() for line in re.sub(r"\x1b\[\d+m", "", painted).split("\n"))
    assert plain == "\n".join(line.rstrip() for line in render_all(found, source).split("\n"))


PLACES = st.tuples(st.integers(0, 80), st.integers(0, 80), st.text(max_size=9))


@settings(max_examples=300, deadline=None)
@given(
    st.text(),
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80), st.text(max_size=9)), min_size=1, max_size=5),
)
def test_any_text_and_places_can_be_drawn(text: str, places: list[tuple[int, int, str]]) -> None:
    source = Source("x", text)
    labels = [Label(Span(min(a, b), max(a, b)), told) for a, b, told in places]
    fix = Fix(labels[-1].span, text, "mend")
    drawn = render(Diagnostic("c", text, labels[0], tuple(labels[1:]), (text,), fix), source)
    assert all(char == "\n" or char.isprintable() for char in drawn)
