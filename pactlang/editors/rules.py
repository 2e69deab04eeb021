"""The rules by which a pact is coloured: regular expressions that Python and Oniguruma read alike.

In: the words of the grammar.  Out: `RULES`, tried in their order at each place, and `TEXTS`, the forms of
a string.  A rule looks at one line.  Words of the language are words only where they stand like one:
not behind a dot, not before an operator that takes a value.
"""

from __future__ import annotations

from typing import NamedTuple

from pactlang.check.clauses import ACTIONS, SEVERITIES
from pactlang.check.shapes import TYPE_NAMES
from pactlang.parse.table import table

# What a piece of text is.
COMMENT, ESCAPE, NUMBER, DURATION, DATE = "comment", "escape", "number", "duration", "date"
DECLARATION, PART, WORD, ACTION, CONSTANT = "declaration", "part", "word", "action", "constant"
PACT, CLAUSE, RECORD, NAME, FIELD, TYPE = "pact", "clause", "record", "name", "field", "type"
FUNCTION, VALUE, CHOICE, OPERATOR, SIGN, BLANK = "function", "value", "choice", "operator", "sign", "blank"
STRING, PATTERN = "string", "pattern"


class Rule(NamedTuple):
    """A regular expression, and what each of its groups is; without groups, what all of it is."""

    pattern: str
    kinds: tuple[str, ...]


class Text(NamedTuple):
    """A form of string: how it begins and ends (a short one ends with its line, too), and what an escape
    in it looks like."""

    begin: str
    end: str
    escape: str
    kind: str


KEYWORDS = frozenset(table().keywords)
CONSTANTS = ("true", "false", "null")
# Words that a value may follow at once, so that what comes behind them tells little.
STRONG = ("when", "require", "never", "keep", "watch", "in", "applies")
OUTCOMES = ("ok", "violation", "unknown", "skipped")
NAMED = ("let", "pattern", "phrases")  # NAME = ...
BLOCKS = ("store", "score", "budget", "weights", "bands")

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_AT = r"(?<![A-Za-z0-9_.])"
_END = r"(?![A-Za-z0-9_])"
# What is before a name, or follows one, and never a word of the language.
_TAKEN = r"(?<![-+*/%<>=!&|] )"
_USED = r"(?!\s*(?:[.(\[)\]:,?<>+*/%&|=!]|-(?!\d)|in\s))"
_PLAIN = r"""\\(?:[abfnrtv\\?"'`]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2})"""
_PATTERN = r"\\(?:[pP]\{\^?\w+\}|x\{[0-9a-fA-F]+\}|.)|\(\?[A-Za-z<>:\-]*|\[\^?|[\](){}|*+?^$.]"


def _words(words: object) -> str:
    assert not isinstance(words, str)
    return "|".join(sorted(words, key=lambda word: (-len(word), word)))  # type: ignore[call-overload]


def _head(words: object, name: str, behind: str = "") -> Rule:
    """A word that declares, and the name behind it."""
    return Rule(rf"{_AT}({_words(words)})(\s+)({_NAME}){behind}", (DECLARATION, BLANK, name))


def _soft() -> list[str]:
    return sorted(KEYWORDS - {*CONSTANTS, *STRONG, *ACTIONS})


RULES: tuple[Rule, ...] = (
    Rule(r"//[^\r\n]*", (COMMENT,)),
    Rule(r"`[A-Za-z0-9_.\-/ ]+`", (FIELD,)),
    Rule(rf"{_AT}(renews)(\s+)(\d{{4}}-\d{{2}}-\d{{2}}){_END}", (DECLARATION, BLANK, DATE)),
    Rule(rf"(?<![A-Za-z0-9_])(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+{_END}", (DURATION,)),
    Rule(rf"(?<![A-Za-z0-9_])(?:\d*\.\d+(?:[eE][+\-]?\d+)?|\d+[eE][+\-]?\d+){_END}", (NUMBER,)),
    Rule(rf"(?<![A-Za-z0-9_])(?:0x[0-9a-fA-F]+|\d+)[uU]?{_END}", (NUMBER,)),
    Rule(rf"{_AT}(override|drop)(?=\s+(?:clause|let|pattern|phrases|event)\s)", (DECLARATION,)),
    _head(("pact",), PACT, r"""(?=\s+[rR]?["'])"""),
    _head(("clause",), CLAUSE),
    _head(("record", "extend"), RECORD, r"(?=\s*(?:\{|$))"),
    _head(NAMED, NAME, r"(?=\s*=(?!=))"),
    _head(("event",), NAME, r"(?=\s+when\s)"),
    _head(("judge",), NAME, r"(?=\s*(?:\{|$))"),
    Rule(rf"""{_AT}(owner|import|test)(?=\s+[rR]?["'])""", (DECLARATION,)),
    Rule(rf"{_AT}(applies)(\s+)(when){_END}", (DECLARATION, BLANK, DECLARATION)),
    Rule(rf"{_AT}({_words(BLOCKS)})(?=\s*\{{)", (DECLARATION,)),
    Rule(rf"^([ \t]*)(session){_END}{_USED}", (BLANK, DECLARATION)),
    Rule(rf"{_AT}(severity)(\s+)({_words(SEVERITIES)}){_END}", (PART, BLANK, CHOICE)),
    Rule(rf"{_AT}(dimension)(\s+)({_NAME})", (PART, BLANK, CHOICE)),
    Rule(rf"{_AT}(on)(\s+)(violation|unknown|end){_END}", (PART, BLANK, PART)),
    Rule(rf"{_AT}(on)(\s+)([A-Z][A-Za-z0-9_]*)", (DECLARATION, BLANK, RECORD)),
    Rule(rf"{_AT}(expect)(\s+)({_words(OUTCOMES)}){_END}(?!\s+within)", (PART, BLANK, CHOICE)),
    Rule(rf"{_AT}(call)(?=\s*(?:\{{|at\s))", (PART,)),
    Rule(rf"^([ \t]*)({_NAME})(?=\s*:)", (BLANK, FIELD)),
    Rule(rf"([{{,])(\s*)({_NAME})(?=\s*:)", (SIGN, BLANK, FIELD)),
    Rule(rf"(\.\??)({_NAME})(?=\s*\()", (SIGN, FUNCTION)),
    Rule(rf"(\.\??)({_NAME})", (SIGN, FIELD)),
    Rule(rf"{_AT}(?:{_words(STRONG)}){_END}(?!\s*(?:[.,:)\]=]|[<>!]=))", (PART,)),
    Rule(rf"{_AT}(?:{_words(CONSTANTS)}){_END}", (CONSTANT,)),
    Rule(rf"{_AT}(?:{_words(TYPE_NAMES)}){_END}(?!\s*:)", (TYPE,)),
    Rule(rf"{_AT}{_TAKEN}(?:{_words(ACTIONS)}){_END}{_USED}", (ACTION,)),
    Rule(rf"{_AT}{_TAKEN}(?:{_words(_soft())}){_END}{_USED}", (WORD,)),
    Rule(rf"{_NAME}(?=\s*\()", (FUNCTION,)),
    Rule(_NAME, (VALUE,)),
    Rule(r"&&|\|\||[<>=!]=|[-+*/%<>!?=]", (OPERATOR,)),
    Rule(r"[{}()\[\],;.:]", (SIGN,)),
)

_FREE = r"(?<![A-Za-z0-9_])"
_RAW = rf"{_FREE}(?:[bB]?[rR]|[rR][bB])"
TEXTS: tuple[Text, ...] = tuple(
    Text(prefix + quote, end, escape, kind)
    for prefix, escape, kind in ((_RAW, _PATTERN, PATTERN), (rf"(?:{_FREE}[bB])?", _PLAIN + r"|\\.", STRING))
    for quote, end in (('"""', '"""'), ("'''", "'''"), ('"', '"|$'), ("'", "'|$"))
)
