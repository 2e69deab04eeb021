"""`pactc docs`: sentences that say what the clause says, in two forms that no text of a pact can break."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import golden
import pytest
from cli_tools import Pactc, pactc
from hypothesis import given, settings
from hypothesis import strategies as st
from test_cli_forms import HOSTILE, Page
from test_oracle import HEADER, accepted

import pactlang
from pactlang.cli import exits
from pactlang.cli.forms import contracts
from pactlang.prose import Document, Heading, Items, Paragraph, Table, contract

__all__ = ["pactc"]

ROOT = Path(__file__).resolve().parent.parent
HEAD = """pact p "1.0.0" on R
record R { n: int  s: string?  ok: bool?  text: string  latency: duration  moment: timestamp  items: list(Item)  data: dyn }
record Item { name: string  size: int }
"""


def said(document: Document) -> str:
    """The part about the clauses, without the facts that all clauses share."""
    lines = (
        contracts.markdown(document).partition("## What is promised\n")[2].partition("\n## ")[0].split("\n")
    )
    kept = [line for line in lines if line and not line.startswith(("clause ", "```", "  ", "}"))]
    return "\n".join(kept) + "\n"


@golden.parametrize("prose")
def test_golden(case: golden.Case, request: pytest.FixtureRequest) -> None:
    document = contract(pactlang.compile(HEAD + case.sections["pact"]))
    golden.settle(case, "said", said(document), request)


PACTS = [
    path
    for folder in ("pactlang/examples", "pactlang/templates", "tests/pacts")
    for path in sorted((ROOT / folder).glob("*.pact"))
]


@pytest.mark.parametrize("path", PACTS, ids=lambda path: path.name)
def test_every_pact_of_the_repository_in_both_forms(path: Path, pactc: Pactc) -> None:
    program = pactlang.load(path)
    for target in ("out.html", "out.md"):
        assert pactc("docs", str(path), "-o", target).code == exits.FINE
    page = Page(Path("out.html").read_text("utf-8"))
    text = Path("out.md").read_text("utf-8")
    for clause in program.clauses:
        assert clause.name in page.shown
        assert clause.name.replace("_", "\\_") in text
    for name in program.schema.reads[program.schema.root]:
        assert f"`{name}`" in text
    again = pactc("docs", "-", "--format", "markdown")
    assert again.code == exits.UNABLE


def test_a_built_pact_says_the_same(pactc: Pactc) -> None:
    assert pactc("build", "shop.pact", "-o", "shop.pactc").code == exits.FINE
    assert pactc("docs", "shop.pactc").out == pactc("docs", "shop.pact").out


def test_what_is_stored_and_what_a_breach_costs() -> None:
    text = contracts.markdown(
        contract(
            pactlang.compile(
                'pact p "1.0.0"\npattern card = r"[0-9]{16}"\n'
                "store { redact output card; redact input; drop messages; keep 90d; limit 10 GiB }\n"
                "clause a { severity critical require ok == true }\nclause b { severity minor require ok == true }\n"
                "clause early { require tool != 'x' on violation { block } }\n"
                "clause late { require output != '' on violation { block } }\n"
            )
        )
    )
    for sentence in (
        "In `output`, every match of `card` is blanked", "`input` is blanked", "`messages` is never stored",
        "kept for 90 days", "at most 10 GiB", "| critical | 1000 | `a` |", "| minor | 100 | `b` |",
    ):  # fmt: skip
        assert sentence in text
    assert "before the call runs" in text.partition("### early")[2].partition("###")[0]
    assert "when the answer is there" in text.partition("### late")[2].partition("###")[0]


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**32))
def test_every_clause_of_a_drawn_pact_has_a_sentence(seed: int) -> None:
    clauses = (f"clause c{n} {{ {body} }}" for n, body in enumerate(accepted(Random(seed), 6)))
    program = pactlang.compile(HEADER + "\n".join(clauses))
    document = contract(program)
    headings = [
        block.words[0] for block in document.blocks if isinstance(block, Heading) and block.level == 3
    ]
    assert headings == [clause.name for clause in program.clauses]
    Page(contracts.html(document).decode())
    for block in document.blocks:
        rows = (
            block.rows if isinstance(block, Table) else ((block.items,) if isinstance(block, Items) else ())
        )
        for words in (
            [block.words] if isinstance(block, Paragraph) else [cell for row in rows for cell in row]
        ):
            assert all(len(part) > 0 for part in words)
    assert contracts.markdown(document).count("\n### ") == len(program.clauses)


def test_no_text_of_a_pact_becomes_markup() -> None:
    quoted = "".join(f"\\u{ord(c):04x}" if not c.isalnum() and ord(c) < 0x10000 else c for c in HOSTILE)
    pact = (
        f'pact p "{quoted}" "{quoted}"\nowner "{quoted}"\nphrases bad = ["{quoted}"]\n'
        f'clause c "{quoted}" {{ never output.says(bad) || output.contains("{quoted}") on violation {{ block "{quoted}" }} }}\n'
        f'test "{quoted}" {{ call {{ output: "x" }} expect ok }}\n'
    )
    document = contract(pactlang.compile(pact))
    page = Page(contracts.html(document).decode())
    assert not [tag for tag, _ in page.tags if tag in ("script", "img")]
    text = contracts.markdown(document)
    outside = re.sub(r"```+.*?\n```+\n|(`+)[^`].*?\1", "", text, flags=re.S)
    assert not re.search(r"(?<!\\)<", outside)
    assert not any(sign in text for sign in ("\u202e", "\x00", "\x1b"))


@pytest.mark.parametrize("arguments", [("-o", "out.txt"), ("-o", "shop.pact"), ("--format", "pdf")])
def test_wrong_usage(arguments: tuple[str, ...], pactc: Pactc) -> None:
    before = (pactc.folder / "shop.pact").read_bytes()
    assert pactc("docs", "shop.pact", *arguments).code == exits.UNABLE
    assert (pactc.folder / "shop.pact").read_bytes() == before
