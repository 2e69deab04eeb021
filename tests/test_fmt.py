"""Formatting: golden cases, and that nothing but white space and needless separators ever changes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random

import golden
import pytest
from drawn_pacts import DrawPact
from hypothesis import given, note, settings
from hypothesis import strategies as st

from pactlang import syntax as s
from pactlang.fmt import format_pact, same
from pactlang.fmt.flow import WIDTH
from pactlang.fmt.layout import lay_out
from pactlang.fmt.outline import outline, types
from pactlang.fmt.words import COMMENT, comments, read_words
from pactlang.parse import parse, parse_with_words
from pactlang.source import Source

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("pactlang/examples", "pactlang/templates", "tests/pacts", "benchmarks")
PACTS = [path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.pact"))]
HEADER = 'pact p "1.0.0"\n'
EXAMPLES = [path for path in PACTS if path.parent.name in ("examples", "templates")]
SEEDS, PER_SEED = 100, 100


def formatted(text: str) -> str:
    written, found = format_pact(Source("case.pact", text))
    assert written is not None, found
    return written


def laid_out(text: str) -> tuple[str, s.Pact, list[str]]:
    """The text in the one style, not yet compared with anything; its tree and its comments."""
    tree, words, found = parse_with_words(Source("case.pact", text))
    assert tree is not None, (found[0], text)
    return lay_out(outline(tree, read_words(text, words, types(tree)))), tree, comments(text, words)


def hold(text: str) -> str:
    """What must be true of any pact; back comes its text in the one style."""
    written, tree, said = laid_out(text)
    twice, again, still = laid_out(written)
    assert same(tree, again)
    assert said == still
    assert twice == written
    assert written.endswith("\n") and not written.endswith("\n\n")
    return written


@golden.parametrize("fmt")
def test_golden(case: golden.Case, request: pytest.FixtureRequest) -> None:
    written = hold(case.sections["pact"])
    assert formatted(case.sections["pact"]) == written
    golden.settle(case, "formatted", written, request)


@pytest.mark.parametrize("path", PACTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_pact_of_the_repository(path: Path) -> None:
    hold(path.read_text("utf-8"))


def test_pacts_of_the_documents() -> None:
    texts = [text for name in ("README.md", "grammar/README.md") for text in _blocks(ROOT / name)]
    parsed = [text for text in texts if parse(Source("case.pact", text))[0] is not None]
    assert len(parsed) > 20
    for text in parsed:
        hold(text)


def _blocks(path: Path) -> list[str]:
    found = re.findall(r"^```pact[^\n]*\n(.*?)^```$", path.read_text("utf-8"), re.M | re.S)
    return [text if re.match("pact |//", text) else HEADER + text for text in found]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_are_in_the_one_style(path: Path) -> None:
    assert formatted(path.read_text("utf-8")) == path.read_text("utf-8")


def test_the_style_shown_is_the_style() -> None:
    shown = (ROOT / "grammar/README.md").read_text("utf-8").partition("### The one style")[2]
    text = shown.split("```pact\n")[1].split("```")[0]
    assert formatted(HEADER + text) == f"{HEADER}\n{text}"


@settings(max_examples=SEEDS, deadline=None)
@given(st.integers(0, 2**32))
def test_ten_thousand_drawn_pacts(seed: int) -> None:
    random = Random(seed)
    for number in range(PER_SEED):
        one = random.getrandbits(64)
        text = DrawPact(Random(one)).pact()
        try:
            hold(text)
        except BaseException:
            note(f"DrawPact(Random({one})), pact {number} of seed {seed}")
            raise


def test_every_form_is_drawn() -> None:
    trees = [laid_out(DrawPact(Random(seed)).pact())[1] for seed in range(400)]
    items = [item for tree in trees for item in tree.items]
    assert {type(item) for item in items} == set(s.Declaration.__args__)
    parts = {type(part) for item in items if isinstance(item, s.Clause) for part in item.items}
    assert parts == set(s.ClauseItem.__args__)
    assert {item.kind for store in items if isinstance(store, s.Store) for item in store.items} == {
        "redact", "drop", "keep", "limit",
    }  # fmt: skip


def test_every_cel_expression(shared: Path) -> None:
    rows = map(json.loads, (shared / "data/cel/cel_conformance.jsonl").open(encoding="utf-8"))
    expressions = [row["expr"] for row in rows if row["proto_free"]]
    assert len(expressions) == 1022
    for expr in expressions:
        hold(f"{HEADER}clause c {{ when a require {expr} }}")
    hold(HEADER + "".join(f"clause c{i} {{ never {expr}\n}}\n" for i, expr in enumerate(expressions)))


def test_line_ends_become_one() -> None:
    text = PACTS[0].read_text("utf-8")
    for end in ("\r\n", "\r"):
        assert formatted(text.replace("\n", end)) == formatted(text)


def test_only_what_has_no_break_is_longer_than_a_line() -> None:
    for path in PACTS:
        lines = formatted(path.read_text("utf-8")).splitlines()
        assert not [line for line in lines if len(COMMENT.sub("", line)) > WIDTH and '"' not in line]


def test_what_cannot_be_parsed_has_no_format() -> None:
    written, found = format_pact(Source("case.pact", HEADER + "clause c { require )"))
    assert written is None
    assert [d.code for d in found] == ["syntax"]


def test_a_deep_and_a_long_expression() -> None:
    for text in ("(" * 150 + "1" + ")" * 150, "[" * 150 + "]" * 150, "a && (b || " * 60 + "c" + ")" * 60,
                 "a ? b : " * 150 + "c", "f(x, " * 100 + "1" + ")" * 100, "aaaaaaaaaa || " * 4000 + "b",
                 "[" + "1, " * 4000 + "2]", "f(" + "aaa.bbb(ccc) && " * 1000 + "d)"):  # fmt: skip
        hold(f"{HEADER}let x = {text}")


def test_same_sees_any_difference() -> None:
    one = laid_out(HEADER + "let x = 1")[1]
    assert same(one, laid_out(HEADER + "let\nx =  1")[1])
    for other in ("let x = 1u", "let x = 1.0", "let y = 1", "let x = 1 let z = 2", "let x = -1"):
        assert not same(one, laid_out(HEADER + other)[1])
