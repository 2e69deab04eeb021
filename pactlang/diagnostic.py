"""What is wrong with a pact, as data: a stable word code, a message, places and a mend.

Stages return diagnostics and never raise for a mistake in a pact.  `render` turns them into text,
`to_json` into the machine form; nothing here prints.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from pactlang.source import Source, Span

ERROR, WARNING, NOTE = "error", "warning", "note"


class Label(NamedTuple):
    """A place and what is to be said of it."""

    span: Span
    text: str = ""


class Fix(NamedTuple):
    """A mend: put `replacement` in place of `span`; `title` says why in a few words.

    around: what belongs to the mended place, and is shown with it.
    """

    span: Span
    replacement: str
    title: str
    around: Span | None = None


class Diagnostic(NamedTuple):
    """One finding.  `code` is a stable word such as `unknown-field`; `level` error, warning or note."""

    code: str
    message: str
    primary: Label
    related: tuple[Label, ...] = ()
    help: tuple[str, ...] = ()
    fix: Fix | None = None
    level: str = ERROR

    def to_json(self, source: Source) -> dict[str, Any]:
        """The finding as JSON data, with lines and columns from 1 (documented in the README)."""
        data: dict[str, Any] = {
            "code": self.code,
            "level": self.level,
            "message": self.message,
            "file": (file := source.named(self.primary.span.start)),
            **_range(source, self.primary.span),
            "label": self.primary.text,
            "related": [{"text": r.text, **_elsewhere(source, r.span, file)} for r in self.related],
            "help": list(self.help),
            "fix": None,
        }
        if self.fix is not None:
            data["fix"] = {
                "title": self.fix.title,
                "replacement": self.fix.replacement,
                **_elsewhere(source, self.fix.span, file),
            }
        return data


def _elsewhere(source: Source, span: Span, file: str) -> dict[str, Any]:
    """A range, and its file where that is another than the finding's."""
    other = source.named(span.start)
    return {**({} if other == file else {"file": other}), **_range(source, span)}


def _range(source: Source, span: Span) -> dict[str, Any]:
    start, end = source.place(span.start), source.place(span.end)
    return {
        "start": {"line": start.line, "column": start.column},
        "end": {"line": end.line, "column": end.column},
    }


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Diagnostics in source order, each one once."""
    unique = dict.fromkeys(diagnostics)
    return tuple(sorted(unique, key=lambda d: (d.primary.span.start, d.primary.span.end, d.code)))


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """True if any finding forbids the pact to be used."""
    return any(d.level == ERROR for d in diagnostics)
