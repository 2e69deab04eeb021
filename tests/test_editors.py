"""What colours a pact: the Pygments lexer and the TextMate grammar, held to the parser and to each other."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from itertools import groupby
from pathlib import Path
from typing import Any

import golden
import pytest
from pygments import token

import pactlang
from pactlang.editors import rules
from pactlang.editors.pygments import TOKENS, PactLexer
from pactlang.editors.textmate import SCOPES, grammar
from pactlang.parse import parse_with_words
from pactlang.source import Source

ROOT = Path(__file__).parent.parent
VSCODE = ROOT / "pactlang/editors/vscode"
SYNTAX = VSCODE / "syntaxes/pact.tmLanguage.json"
FILES = sorted(p for part in ("pactlang", "benchmarks", "tests") for p in (ROOT / part).rglob("*.pact"))
BLOCKS = re.findall(r"^```pact\n(.*?)^```", (ROOT / "grammar/README.md").read_text("utf-8"), re.M | re.S)
PACTS = [*(path.read_bytes().decode("utf-8", "replace") for path in FILES), *BLOCKS]


def lexed(text: str) -> list[tuple[int, Any, str]]:
    return list(PactLexer().get_tokens_unprocessed(text))


@golden.parametrize("highlight")
def test_tokens(case: golden.Case, request: pytest.FixtureRequest) -> None:
    runs = groupby((t for t in lexed(case.sections["pact"]) if t[2].strip()), key=lambda t: t[1])
    lines = (f"{str(kind)[6:]:20} {' '.join(json.dumps(t[2])[1:-1] for t in run)}\n" for kind, run in runs)
    golden.settle(case, "tokens", "".join(lines), request)


@pytest.mark.parametrize("text", PACTS)
def test_every_character_is_kept(text: str) -> None:
    assert "".join(value for _, _, value in lexed(text)) == text


def test_words_of_the_language_are_those_that_the_parser_takes_for_such() -> None:
    words = 0
    for text in PACTS:
        tree, read, _ = parse_with_words(Source("x", text))
        kinds = {at: kind for at, kind, _ in lexed(text)}
        for kind, span in read if tree is not None else ():
            word = text[span.start : span.end]
            if word in rules.KEYWORDS:
                words += 1
                told = kinds[span.start] in token.Keyword or kinds[span.start] is token.Name.Constant
                assert told == (kind != "IDENT"), (word, text[max(0, span.start - 60) : span.end + 40])
    assert words > 1000


def test_no_mistake_of_the_lexer_in_a_pact_that_is_right() -> None:
    for text in PACTS:
        if parse_with_words(Source("x", text))[0] is not None:
            assert not [t for t in lexed(text) if t[1] in token.Error], text


def test_every_word_of_the_grammar_is_coloured() -> None:
    for word in sorted(rules.KEYWORDS - set(rules.CONSTANTS)):
        spelt = any(re.search(rf"\b{word}\b", rule.pattern) for rule in rules.RULES)
        assert spelt, f"no rule has the word {word}"


def test_every_kind_has_a_token_and_a_scope() -> None:
    kinds = {kind for rule in rules.RULES for kind in rule.kinds} | {text.kind for text in rules.TEXTS}
    assert kinds <= set(TOKENS)
    assert kinds - {rules.BLANK} <= set(SCOPES)
    for rule in rules.RULES:
        assert len(rule.kinds) == max(1, re.compile(rule.pattern).groups), rule


def test_a_long_line_takes_linear_time() -> None:
    for piece in ("a.", "(", '"', "r'(?", "1.5", "1m", "{a:", "clause ", "on ", "`", "\\", "=-"):
        assert "".join(t[2] for t in lexed(piece * 20_000)) == piece * 20_000


def test_the_grammar_of_vs_code_is_what_the_rules_say(request: pytest.FixtureRequest) -> None:
    text = json.dumps(grammar(), indent=1) + "\n"
    if request.config.getoption("--update"):
        SYNTAX.write_text(text, "utf-8")
    assert SYNTAX.read_text("utf-8") == text, "run: pytest tests/test_editors.py --update"


def test_the_extension_fits_together() -> None:
    about = json.loads((VSCODE / "package.json").read_text("utf-8"))
    assert about["version"] == pactlang.__version__
    assert "vscode-languageclient" in about["dependencies"]
    language, coloured = about["contributes"]["languages"][0], about["contributes"]["grammars"][0]
    assert coloured["language"] == language["id"]
    assert coloured["scopeName"] == grammar()["scopeName"]
    for path in (about["main"], language["configuration"], coloured["path"]):
        assert (VSCODE / path).is_file()
    json.loads((VSCODE / "language-configuration.json").read_text("utf-8"))
    script = (VSCODE / "extension.js").read_text("utf-8")
    for setting in re.findall(r'\.get\("(\w+)"\)', script):
        assert f"pact.{setting}" in about["contributes"]["configuration"]["properties"]
    for command in about["contributes"]["commands"]:
        assert f'registerCommand("{command["command"]}"' in script


def test_the_lexer_is_the_one_that_is_registered() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["entry-points"]["pygments.lexers"] == {"pact": "pactlang.editors.pygments:PactLexer"}


def test_vs_code_colours_as_pygments_does() -> None:
    """Needs node, and a folder of node modules with vscode-textmate and vscode-oniguruma."""
    modules = os.environ.get("PACT_NODE_MODULES", "")
    if not modules or shutil.which("node") is None:
        pytest.skip("PACT_NODE_MODULES names no folder with vscode-textmate")
    done = subprocess.run(
        ["node", str(ROOT / "tests/textmate.cjs"), modules, str(SYNTAX)],
        input=json.dumps(PACTS), capture_output=True, text=True, check=True,
    )  # fmt: skip
    kinds = {f"{scope}.pact": TOKENS[kind] for kind, scope in SCOPES.items()}
    for text, lines in zip(PACTS, json.loads(done.stdout), strict=True):
        ours = [kind for _, kind, value in lexed(text) for _ in value]
        at = 0
        for line, tokens in zip(text.split("\n"), lines, strict=True):
            units = [kind for start, end, scope in tokens for kind in [kinds.get(scope)] * (end - start)]
            if line.isascii():
                wrong = [i for i, c in enumerate(line) if not c.isspace() and ours[at + i] != units[i]]
                assert not wrong, (line, line[wrong[0] :], ours[at + wrong[0]], units[wrong[0]])
            at += len(line) + 1
