"""What to say of a word that cannot follow, in words of the language.

In: the machine at the moment of the mistake, and the word.  Out: one `Diagnostic`.

What could have followed is read off the tables, so a message never contradicts the grammar; the few
texts here only give those words their names, and recognise the commonest slips.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pactlang.diagnostic import Diagnostic, Fix, Label
from pactlang.parse.table import BAD_NUMBER, END, UNTERMINATED
from pactlang.source import Span

if TYPE_CHECKING:
    from pactlang.parse.machine import Machine, Word

NAMES = {
    "IDENT": "a name", "STRING": "a string", "BYTES": "bytes", "INT": "a whole number", "FLOAT": "a number",
    "DURATION": "a duration such as `5m`", "DATE": "a date such as `2027-06-30`", "QUOTED": "a name",
    "RELATION": "an operator", "FACTOR": "an operator", END: "the end of the file",
}  # fmt: skip
PAIRS = {"LBRACE": ("RBRACE", "}"), "LPAR": ("RPAR", ")"), "LSQB": ("RSQB", "]")}
CLOSERS = {"RBRACE": "{", "RPAR": "(", "RSQB": "["}
# Before these words a condition stands, before others a value.
CONDITIONAL = frozenset("when require never where && || !".split())
# Signs and words other languages use, and ours.
SPELLINGS = {
    "and": "&&", "or": "||", "not": "!", "=": "==", "is": "==", "equals": "==", "&": "&&", "|": "||",
    "#": "//", "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "−": "-", "≤": "<=",
    "≥": ">=", "≠": "!=", "×": "*", "÷": "/", "\u00a0": " ", "\u200b": "", "\ufeff": "", "，": ",", "：": ":",
    "（": "(", "）": ")",
}  # fmt: skip
UNITS = {
    "msec": "ms", "msecs": "ms", "millis": "ms", "millisecond": "ms", "milliseconds": "ms",
    "sec": "s", "secs": "s", "second": "s", "seconds": "s", "min": "m", "mins": "m", "minute": "m",
    "minutes": "m", "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "day": "d", "days": "d",
}  # fmt: skip
UNIT_HELP = "the units of time are `ms`, `s`, `m`, `h` and `d`"
# More than this many choices are not listed.
MAX_CHOICES = 5
# How much of the text is quoted in a message.
MAX_SHOWN = 32

_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)([A-Za-z]+)")
# A default of one word, after `=`.
_DEFAULT = re.compile(r"""[ \t]*(-?[\w.]+|"[^"\\\n]*"|'[^'\\\n]*'|\[\]|\{\})""")
_QUOTE = re.compile(r"""[bBrR]{0,2}(\"\"\"|'''|"|')""")


def describe(at: Machine, word: Word) -> Diagnostic:
    """Why `word` cannot stand where it stands."""
    if word.kind == UNTERMINATED:
        return broken(at, word)
    accepted = _accepted(at)
    return (
        _unmatched(at, word, accepted)
        or _unclosed(at, word, accepted)
        or _slip(at, word, accepted)
        or _late_default(at, word)
        or _unknown_part(at, word, accepted)
        or _unexpected(at, word, accepted)
    )


def too_deep(span: Span, limit: int) -> Diagnostic:
    """An expression too deep for the stages that walk over it."""
    message = f"this expression nests more than {limit} levels deep"
    return Diagnostic("nested-too-deep", message, Label(span), help=("give a part of it a name, with `let`",))


# Words that are broken in themselves --------------------------------------------------------------


def broken(at: Machine, word: Word) -> Diagnostic:
    """A string without end, a number with something at its end, or a character of no word."""
    if word.kind == UNTERMINATED:
        return _unterminated(at, word)
    if word.kind == BAD_NUMBER:
        accepted = _accepted(at)  # the version of a pact looks like a number: `1.0.0`
        return _unexpected(at, word, accepted) if accepted == {"STRING"} else _bad_number(at, word.span)
    return _stray(at.slice(word.span), word.span)


def _unterminated(at: Machine, word: Word) -> Diagnostic:
    opening = _QUOTE.match(at.text, word.span.start)
    assert opening is not None  # the lexer saw one
    where = "end of the file" if len(opening[1]) == 3 else "end of the line"
    message = f"this string has no closing `{opening[1]}` before the {where}"
    help = ('a string over several lines stands between `"""`',) if len(opening[1]) == 1 else ()
    return Diagnostic("unterminated-string", message, Label(Span(*opening.span()), "here"), help=help)


def _bad_number(at: Machine, span: Span) -> Diagnostic:
    written = at.slice(span)
    amount = _AMOUNT.fullmatch(written)
    if amount is None or amount[2] in ("e", "E", "x"):
        message = f"{shown(written)} is not a number"
        plain = written.replace("_", "")
        fix = Fix(span, plain, "write the digits without `_`") if plain.isdigit() else None
        return Diagnostic("malformed-number", message, Label(span), fix=fix)
    message = f"unknown unit {shown(amount[2])} after {shown(amount[1])}"
    unit = UNITS.get(amount[2].lower())
    fix = Fix(span, amount[1] + unit, "use the short unit") if unit else None
    if amount[2].lower() in ("w", "week", "weeks") and amount[1].isdigit() and len(amount[1]) < 9:
        fix = Fix(span, f"{int(amount[1]) * 7}d", "count days")
    return Diagnostic("unknown-unit", message, Label(span), help=(UNIT_HELP,), fix=fix)


def _stray(written: str, span: Span) -> Diagnostic:
    first = written[0]
    if len(written) > 1 and first in "“”„‘’" and written[-1] in "“”‘’":
        sign = SPELLINGS[first]
        fix = Fix(span, sign + written[1:-1] + sign, "use the plain sign")
        return Diagnostic("unexpected-character", f"strings stand between `{sign}`", Label(span), fix=fix)
    name = f"`{first}`" if first.isprintable() and not first.isspace() else f"U+{ord(first):04X}"
    message = f"the character {name} cannot stand here"
    if first in SPELLINGS:
        title = "use the plain sign" if SPELLINGS[first] else "take it out"
        fix = Fix(Span(span.start, span.start + 1), SPELLINGS[first], title)
        return Diagnostic("unexpected-character", message, Label(span), fix=fix)
    help = ("names are made of the letters a to z and A to Z, digits and `_`",) if first.isalpha() else ()
    return Diagnostic("unexpected-character", message, Label(span), help=help)


# Brackets ---------------------------------------------------------------------------------------


def _unclosed(at: Machine, word: Word, accepted: set[str]) -> Diagnostic | None:
    """A bracket is open, and the word shows that its end was forgotten."""
    if not at.opened or "INT" in accepted:
        return None
    opened = at.opened[-1]
    closer, sign = PAIRS[opened.kind]
    opening = at.text[opened.span.start]
    if word.kind == END or at.begins_declaration(word.span):
        found = found_(at, word)
        message, label = f"this `{opening}` is never closed", f"{found} comes before its `{sign}`"
        end = Label(word.span, label) if word.kind != END else None
        help = (f"expected `{sign}` before {found}",)
        return Diagnostic(
            "unclosed-bracket", message, Label(opened.span), (end,) if end else (), help=() if end else help
        )
    if word.kind in CLOSERS and closer in accepted:
        message = f"expected `{sign}`, found {found_(at, word)}"
        return Diagnostic(
            "unclosed-bracket", message, Label(word.span), (Label(opened.span, f"this `{opening}` is open"),)
        )
    return None


def _unmatched(at: Machine, word: Word, accepted: set[str]) -> Diagnostic | None:
    if word.kind not in CLOSERS or "INT" in accepted or any(PAIRS[o.kind][0] == word.kind for o in at.opened):
        return None
    message = f"{found_(at, word)} closes nothing: there is no open `{CLOSERS[word.kind]}`"
    return Diagnostic("unmatched-bracket", message, Label(word.span))


# Slips ------------------------------------------------------------------------------------------


_SAFE_DOT = re.compile(r"(?<=[\w\])])\?\.(?=[A-Za-z_])")
_SWAPPED = re.compile(r"=[<>]|=[ \t]+=")


def _slip(at: Machine, word: Word, accepted: set[str]) -> Diagnostic | None:
    """A sign or word of another language."""
    if at.last.kind == "FACTOR" and at.before.kind in ("INT", "FLOAT") and at.slice(at.last.span) == "%":
        return _percent(at)
    if (spaced := _spaced_unit(at, word)) is not None:
        return spaced
    swapped = _swapped(at, word)
    if swapped is not None:
        return swapped
    joins = at.slice(word.span) in ("and", "or")  # which nothing else can be where no name can stand
    places = [word] if "RELATION" in accepted or (joins and "IDENT" not in accepted) else []
    places += [read for read in (at.last, at.before) if read.kind == "IDENT"]  # `a and b`: read as a name
    place = next((p for p in places if at.slice(p.span) in SPELLINGS), None)
    if place is None:
        return None
    written = at.slice(place.span)
    ours = SPELLINGS[written]
    message = f"`{written}` is written `{ours}`"
    return Diagnostic("syntax", message, Label(place.span), fix=Fix(place.span, ours, "replace it"))


def _spaced_unit(at: Machine, word: Word) -> Diagnostic | None:
    """`5 sec`: a number and a unit in two words; the second may have been read already."""
    pairs = ((at.last, word.span), (at.before, at.last.span))
    for number, unit in pairs:
        written = at.slice(unit).lower()
        ours = written if written in UNITS.values() else UNITS.get(written)
        if ours is not None and number.kind in ("INT", "FLOAT") and number.span.end <= unit.start:
            span = Span(number.span.start, unit.end)
            message = f"{shown(at.slice(span))} is written `{at.slice(number.span)}{ours}`"
            fix = Fix(span, f"{at.slice(number.span)}{ours}", "write the duration in one word")
            return Diagnostic("unknown-unit", message, Label(span), help=(UNIT_HELP,), fix=fix)
    return None


def _swapped(at: Machine, word: Word) -> Diagnostic | None:
    """Signs in the wrong order: `=<`, and `a?.b`, which other languages have for `a.?b`."""
    line = at.text.rfind("\n", 0, word.span.start) + 1
    found = _SAFE_DOT.search(at.text, line, word.span.end) or _SWAPPED.match(at.text, word.span.start)
    if found is None:
        return None
    ours = {"?.": ".?", "=<": "<=", "=>": ">="}.get(found[0], "==")
    message = f"`{found[0]}` is written `{ours}`"
    span = Span(*found.span())
    return Diagnostic("syntax", message, Label(span), fix=Fix(span, ours, "replace it"))


def _late_default(at: Machine, word: Word) -> Diagnostic | None:
    """`x: int as "w" = 0`: the default of a field after its name in the data."""
    if at.slice(word.span) != "=" or at.last.kind != "STRING" or at.slice(at.before.span) != "as":
        return None
    default = _DEFAULT.match(at.text, word.span.end)
    end = default.end() if default else word.span.end
    named = at.before.span.to(at.last.span)
    mended = f"= {default[1]} {at.slice(named)}" if default else ""
    return Diagnostic(
        "syntax", "the default of a field goes before `as`", Label(Span(word.span.start, end)),
        (Label(named, "its name in the data"),),
        fix=Fix(Span(named.start, end), mended, "write the default first") if default else None,
    )  # fmt: skip


def _percent(at: Machine) -> Diagnostic:
    span = at.before.span.to(at.last.span)
    share = float(at.slice(at.before.span).rstrip("uU")) / 100 if len(at.slice(at.before.span)) < 20 else 0.0
    fix = Fix(span, f"{share:g}", "write the share as a number") if share else None
    return Diagnostic("syntax", "there is no percent sign after a number", Label(span), fix=fix)


def _unknown_part(at: Machine, word: Word, accepted: set[str]) -> Diagnostic | None:
    """`requires x` in a clause: the first word was read as an event's name, so the mistake is there."""
    if "ONLY" not in accepted or at.last.kind != "IDENT" or at.height >= len(at.states):
        return None
    if near(at.slice(word.span), keywords(at, accepted)):
        return None
    name, parts = at.slice(at.last.span), keywords(at, _accepted(at, at.height))
    message = f"{shown(name)} does not begin a part of a clause"
    guess = near(name, parts)
    help = (f"did you mean `{guess}`?",) if guess else (f"a part begins with {listed(sorted(parts), 99)}",)
    fix = Fix(at.last.span, guess, "replace the word") if guess else None
    return Diagnostic("unknown-keyword", message, Label(at.last.span), help=help, fix=fix)


def _unexpected(at: Machine, word: Word, accepted: set[str]) -> Diagnostic:
    expected, after = _expected(at, accepted), _after(at)
    message = f"expected {expected}{after}, found {found_(at, word)}"
    words = keywords(at, accepted)
    guess = near(at.slice(word.span), words) if word.kind == "IDENT" else None
    if guess is None:
        return Diagnostic("syntax", message, Label(word.span), fix=_quotes(at, word, accepted))
    fix = Fix(word.span, guess, "replace the word")
    return Diagnostic(
        "unknown-keyword", message, Label(word.span), help=(f"did you mean `{guess}`?",), fix=fix
    )


def _quotes(at: Machine, word: Word, accepted: set[str]) -> Fix | None:
    """Put quotes around a text that lacks them, or take them from a name."""
    written = at.slice(word.span)
    if accepted == {"STRING"} and word.kind in ("IDENT", "INT", "FLOAT", "DURATION", "DATE", BAD_NUMBER):
        return Fix(word.span, f'"{written}"', "write the text in quotes")
    if accepted == {"IDENT"} and word.kind == "STRING" and re.fullmatch(r"(['\"])[A-Za-z_]\w*\1", written):
        return Fix(word.span, written[1:-1], "write the name without quotes")
    return None


# What could follow ------------------------------------------------------------------------------


def _accepted(at: Machine, height: int | None = None) -> set[str]:
    states = at.states[:height]
    key = tuple(states)
    known = at.expectations.get(key)
    if known is None:
        row = at.table.actions[states[-1]]
        known = at.expectations[key] = {kind for kind in row if at.accepts(kind, height)}
    return known


def _expected(at: Machine, accepted: set[str]) -> str:
    if {"CLAUSE", "OWNER"} <= accepted:
        return "a declaration such as `clause`" if "ON" not in accepted else "a declaration"
    if {"REQUIRE", "DIMENSION"} <= accepted and "RELATION" not in accepted:
        return "a part of a clause such as `require`, or `}`"
    if {"INT", "LPAR", "STRING"} <= accepted:
        return "a condition" if at.slice(at.last.span) in CONDITIONAL else "a value"
    if "RELATION" in accepted:
        closers = [sign for kind, sign in (*PAIRS.values(), ("COMMA", ",")) if kind in accepted]
        return listed(["an operator", *(f"`{sign}`" for sign in closers)]) if at.opened else "an operator"
    if {"BLOCK", "ALERT"} <= accepted:
        return "an action such as `block`, or `}`"
    choices = {_name(at, kind) for kind in accepted - {"SEMICOLON", "OPTIONAL"} or accepted}
    return listed(sorted(choices, key=lambda n: (n[0] == "`", n)))


def _name(at: Machine, kind: str) -> str:
    return NAMES.get(kind) or f"`{at.table.written[kind]}`"


def _after(at: Machine) -> str:
    written = at.slice(at.last.span)
    return f" after {shown(written)}" if written else ""


def found_(at: Machine, word: Word) -> str:
    """The word as a message names it."""
    return "the end of the file" if word.kind == END else shown(at.slice(word.span))


def shown(written: str) -> str:
    """Text in backticks, on one line and not too long."""
    line = "".join(c if c.isprintable() else " " for c in written[: MAX_SHOWN + 1])
    return f"`{line[:MAX_SHOWN]}...`" if len(line) > MAX_SHOWN else f"`{line}`"


def listed(choices: list[str], limit: int = MAX_CHOICES) -> str:
    """`a`, `b` or `c`."""
    if len(choices) > limit:
        return ", ".join(choices[:limit]) + " or the like"
    return " or ".join([", ".join(choices[:-1]), choices[-1]] if len(choices) > 1 else choices)


def keywords(at: Machine, accepted: Iterable[str]) -> list[str]:
    """The accepted kinds that are words."""
    return [at.table.written[k] for k in accepted if at.table.written.get(k, "").isidentifier()]


def near(written: str, choices: Iterable[str]) -> str | None:
    """The choice that is most like what was written, if one is."""
    from difflib import get_close_matches

    if len(written) > MAX_SHOWN:
        return None
    return next(iter(get_close_matches(written.lower(), sorted(choices), 1, 0.72)), None)
