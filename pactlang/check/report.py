"""Findings of one check, and the words they share.

In: what the other modules of `check` find.  Out: `Diagnostic`s.  A finding about something whose type
is already ERROR is never made, so that one mistake is reported once.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TypedDict

from pactlang.diagnostic import ERROR, NOTE, WARNING, Diagnostic, Fix, Label
from pactlang.schema import Type
from pactlang.source import Source, Span

# Longer names are not compared: no near name is worth a quadratic search.
LONGEST_NAME = 64
# Names that one check compares at most: where unknown names are many, and known ones too, the search for
# near ones would take longer than all the rest.
MOST_COMPARED = 30_000


class Report:
    """Collects the findings of one pact, or (`lenient`) of an expression alone."""

    def __init__(self, source: Source, lenient: bool = False) -> None:
        self.source, self.lenient = source, lenient
        self.found: list[Diagnostic] = []
        self.compared = 0

    def error(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        *,
        related: tuple[Label, ...] = (),
        help: tuple[str, ...] = (),
        fix: Fix | None = None,
        level: str = ERROR,
    ) -> None:
        """Add one finding; an error unless `level` says otherwise."""
        self.found.append(Diagnostic(code, message, Label(span, label), related, help, fix, level))

    def warning(
        self, code: str, message: str, span: Span, label: str = "", *, help: tuple[str, ...] = ()
    ) -> None:
        """Add something that is allowed and almost certainly not meant."""
        self.error(code, message, span, label, help=help, level=WARNING)

    def rule(
        self, code: str, message: str, span: Span, label: str = "", *, help: tuple[str, ...] = ()
    ) -> bool:
        """Add a breach of a rule that pacts have beyond CEL's; True if it is an error here."""
        level = WARNING if self.lenient else ERROR
        self.error(code, message, span, label, help=help, level=level)
        return level == ERROR

    def note(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        *,
        help: tuple[str, ...] = (),
        fix: Fix | None = None,
    ) -> None:
        """Add something worth knowing."""
        self.error(code, message, span, label, help=help, fix=fix, level=NOTE)

    def unknown(self, what: str, name: str, span: Span, names: Iterable[str], label: str = "") -> None:
        """An unknown `what` (field, name, function, ...), with the nearest of `names` as a fix."""
        hint: Hint = {}
        if self.compared < MOST_COMPARED:
            candidates = tuple(names)
            self.compared += len(candidates)
            hint = suggest(name, span, candidates)
        self.error(f"unknown-{what}", f"unknown {what} `{name}`", span, label, **hint)

    def text(self, span: Span | tuple[int, int]) -> str:
        """What was written in `span`."""
        return self.source.text[span[0] : span[1]]


def near(name: str, names: Iterable[str]) -> str:
    """The one of `names` that `name` was probably meant to be, or ""."""
    candidates = [n for n in names if n != name]
    same = [n for n in candidates if n.lower().replace("_", "") == name.lower().replace("_", "")]
    if same or len(name) > LONGEST_NAME:
        return same[0] if same else ""
    return next(iter(get_close_matches(name, candidates, 1, 0.7)), "")


class Hint(TypedDict, total=False):
    """Arguments of `Report.error` that say how to mend."""

    help: tuple[str, ...]
    fix: Fix


def suggest(name: str, span: Span, names: Iterable[str]) -> Hint:
    """How to mend a misspelt name: the nearest of `names`, if one is near."""
    other = near(name, names)
    if not other:
        return {}
    return {"help": (f"did you mean `{other}`?",), "fix": Fix(span, other, f"write `{other}`")}


def an(type: Type | str) -> str:
    """A type's name with its article: "an `int`"."""
    word = str(type)
    return f"{'an' if word[:1] in 'aeio' else 'a'} `{word}`"


def listed(words: Iterable[str], last: str = "or") -> str:
    """Words as a list in a sentence: "`a`, `b` or `c`"."""
    ticked = [f"`{w}`" for w in words]
    return f" {last} ".join([", ".join(ticked[:-1]), ticked[-1]]) if len(ticked) > 1 else "".join(ticked)


TIME_PARTS = {
    "year": "getFullYear", "month": "getMonth", "day": "getDayOfMonth", "weekday": "getDayOfWeek",
    "hour": "getHours", "hours": "getHours", "minute": "getMinutes", "minutes": "getMinutes",
    "second": "getSeconds", "seconds": "getSeconds",
    "milliseconds": "getMilliseconds", "ms": "getMilliseconds",
}  # fmt: skip


def field_help(type: Type, field: str) -> tuple[str, ...]:
    """What to write instead of a field that a time or a list does not have."""
    if type.kind in ("timestamp", "duration") and field in TIME_PARTS:
        return (f"write `{TIME_PARTS[field]}()`",)
    if field in ("length", "size", "len"):
        return ("write `size()`",)
    if type.kind == "list":
        return ("ask its elements: `x.exists(e, ...)` or `x.all(e, ...)`",)
    return ()
