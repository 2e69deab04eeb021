"""The Pygments lexer for pacts: the alias `pact`, files `*.pact`.

Registered as an entry point, so Sphinx, MkDocs, rich and whatever else colours with Pygments find it.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from pygments.lexer import RegexLexer, bygroups
from pygments.token import Comment, Keyword, Literal, Name, Number, Operator, Punctuation, String, Text

from pactlang.editors import rules

TOKENS = {
    rules.COMMENT: Comment.Single,
    rules.ESCAPE: String.Escape,
    rules.NUMBER: Number,
    rules.DURATION: Number,
    rules.DATE: Literal.Date,
    rules.DECLARATION: Keyword.Declaration,
    rules.PART: Keyword,
    rules.WORD: Keyword,
    rules.ACTION: Keyword,
    rules.CONSTANT: Keyword.Constant,
    rules.PACT: Name.Namespace,
    rules.CLAUSE: Name.Function,
    rules.RECORD: Name.Class,
    rules.NAME: Name.Variable,
    rules.FIELD: Name.Attribute,
    rules.TYPE: Keyword.Type,
    rules.FUNCTION: Name.Builtin,
    rules.VALUE: Name,
    rules.CHOICE: Name.Constant,
    rules.OPERATOR: Operator,
    rules.SIGN: Punctuation,
    rules.BLANK: Text.Whitespace,
    rules.STRING: String,
    rules.PATTERN: String.Regex,
}


def _rule(rule: rules.Rule) -> tuple[str, Any]:
    tokens = [TOKENS[kind] for kind in rule.kinds]
    return rule.pattern, bygroups(*tokens) if re.compile(rule.pattern).groups else tokens[0]


def _states() -> dict[str, list[Any]]:
    begins = [(text.begin, TOKENS[text.kind], f"text{n}") for n, text in enumerate(rules.TEXTS)]
    # A rule may begin with the blanks at the start of its line, so they come last, line by line.
    blanks = [(r"[^\S\n]+|\n", Text.Whitespace)]
    states: dict[str, list[Any]] = {"root": [*begins, *map(_rule, rules.RULES), *blanks]}
    for n, text in enumerate(rules.TEXTS):
        kind = TOKENS[text.kind]
        inside = [(r"[\w ,;:@#&~=<>/!%-]+", kind), (r"[\s\S]", kind)]
        states[f"text{n}"] = [(text.end, kind, "#pop"), (text.escape, String.Escape), *inside]
    return states


class PactLexer(RegexLexer):
    """Colours the text of a pact, whole or in part."""

    name = "Pact"
    aliases: ClassVar[list[str]] = ["pact"]
    filenames: ClassVar[list[str]] = ["*.pact"]
    mimetypes: ClassVar[list[str]] = ["text/x-pact"]
    flags = re.MULTILINE
    tokens: ClassVar[dict[str, list[Any]]] = _states()
