"""The TextMate grammar for pacts, which VS Code colours with before the language server has answered.

Out: `grammar()`, JSON data.  `pytest tests/test_editors.py --update` writes it into
`vscode/syntaxes/pact.tmLanguage.json`; a test holds the file to it.
"""

from __future__ import annotations

import re
from typing import Any

from pactlang.editors import rules

SCOPES = {
    rules.COMMENT: "comment.line.double-slash",
    rules.ESCAPE: "constant.character.escape",
    rules.NUMBER: "constant.numeric",
    rules.DURATION: "constant.numeric.duration",
    rules.DATE: "constant.numeric.date",
    rules.DECLARATION: "keyword.other.declaration",
    rules.PART: "keyword.control.part",
    rules.WORD: "keyword.other.word",
    rules.ACTION: "keyword.other.action",
    rules.CONSTANT: "constant.language",
    rules.PACT: "entity.name.namespace",
    rules.CLAUSE: "entity.name.function.clause",
    rules.RECORD: "entity.name.type.record",
    rules.NAME: "variable.other.constant",
    rules.FIELD: "variable.other.property",
    rules.TYPE: "support.type",
    rules.FUNCTION: "support.function",
    rules.VALUE: "variable.other",
    rules.CHOICE: "variable.other.enummember.choice",
    rules.OPERATOR: "keyword.operator",
    rules.SIGN: "punctuation",
    rules.STRING: "string.quoted",
    rules.PATTERN: "string.regexp",
}


def grammar() -> dict[str, Any]:
    """The grammar as JSON data."""
    return {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "Pact",
        "scopeName": "source.pact",
        "patterns": [*map(_text, rules.TEXTS), *map(_rule, rules.RULES)],
    }


def _scope(kind: str) -> dict[str, str]:
    return {"name": f"{SCOPES[kind]}.pact"}


def _text(text: rules.Text) -> dict[str, Any]:
    escapes = [{**_scope(rules.ESCAPE), "match": text.escape}]
    return {**_scope(text.kind), "begin": text.begin, "end": text.end, "patterns": escapes}


def _rule(rule: rules.Rule) -> dict[str, Any]:
    if not re.compile(rule.pattern).groups:
        return {**_scope(rule.kinds[0]), "match": rule.pattern}
    captures = {str(group): _scope(kind) for group, kind in enumerate(rule.kinds, 1) if kind != rules.BLANK}
    return {"match": rule.pattern, "captures": captures}
