"""The whole pact, checked: diagnostics, their mends, what each clause costs, what imports bring in.

In: a text and the path of its file.  Out: `Checked`, plain data that says which text it is about.  This is
what runs in the background; `analyse` never raises for a text.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pactlang.build import check_linked, costs_of, linked
from pactlang.cost import ClauseCost, over_budget
from pactlang.diagnostic import ERROR, WARNING, Diagnostic, Fix, in_order
from pactlang.fold import fold_module
from pactlang.ir import Module
from pactlang.link import Library, Linked
from pactlang.lsp.document import Imported
from pactlang.lsp.lines import Lines
from pactlang.source import Source, Span

LEVELS = {"error": 1, "warning": 2, "note": 3}
SHOWN = 1000  # diagnostics that an editor is given; nobody reads more


class Checked(NamedTuple):
    """What a check has found.  costs: a sentence for each clause, none where the pact has a mistake."""

    text: str
    found: tuple[Diagnostic, ...]
    costs: Mapping[str, str]
    imported: Imported = Imported()


def analyse(text: str, path: str, texts: Mapping[str, str] | None = None) -> Checked:
    """Check a text as the file `path`; "" if it has none.  texts: those of other open files, by their real
    paths, which imports see as they are on the screen."""
    folder = os.path.dirname(path) if os.path.isabs(path) else None
    whole = linked(Source(path, text), Library(folder, texts))
    module, found = check_linked(whole)
    imported = _imported(whole)
    if module is None:
        return Checked(text, found, {}, imported)
    costs, over = _costs(module)
    return Checked(text, in_order((*found, *over)), costs, imported)


def _imported(whole: Linked) -> Imported:
    if whole.pact is None or not whole.source.files:
        return Imported()
    begin = whole.source.parts[1].begin
    items = tuple(item for item in whole.pact.items if item.span.start >= begin)
    return Imported(items, whole.source, whole.ways)


def _costs(module: Module) -> tuple[dict[str, str], tuple[Diagnostic, ...]]:
    costs = costs_of(module)
    over = () if module.budget is None else over_budget(fold_module(module), costs)
    whole = costs.steps
    share = {row.name: _sentence(row, whole) for row in costs.clauses}
    return share, over


def _sentence(row: ClauseCost, whole: int) -> str:
    steps = row.steps.value
    said = f"at worst {steps:,} step{'' if steps == 1 else 's'} of the call's {whole:,}"
    if not row.steps.constant:
        said += f" = `{row.steps.short(4)}`"
    searched = [f"`{each.text}`{' folded' if each.folded else ''}" for each in row.passes]
    return said + (f"; searches {', '.join(searched)}" if searched else "")


def diagnostics(uri: str, checked: Checked) -> list[dict[str, Any]]:
    """The findings as LSP's `Diagnostic`s."""
    places = Places(uri, checked)
    return [diagnostic(places, found) for found in checked.found[:SHOWN]]


class Places:
    """Where spans of a pact and of what it imports are, for an editor."""

    def __init__(self, uri: str, checked: Checked) -> None:
        self.uri, self.lines, self.imported = uri, Lines(checked.text), checked.imported

    def number(self, span: Span) -> int:
        """The number of the file that a span is in; 0 is the pact itself."""
        source = self.imported.source
        return 0 if source is None else source.parts.index(source.part(span.start))

    def location(self, span: Span) -> dict[str, Any]:
        """The file and the range."""
        number, source = self.number(span), self.imported.source
        if not number or source is None:
            return {"uri": self.uri, "range": self.lines.range(span)}
        file, begin = source.parts[number]
        range = Lines(file.text).range((span.start - begin, span.end - begin))
        return {"uri": uri_of(file.name), "range": range}


def uri_of(name: str) -> str:
    """The address of an imported file; `std/...` comes with the package."""
    path = Path(name) if os.path.isabs(name) else Path(__file__).parent.parent / name
    return path.as_uri()


def diagnostic(places: Places, found: Diagnostic) -> dict[str, Any]:
    """One finding, with the label at its place and what helps below its message.  One in an imported file
    is shown at the import that leads there."""
    lines, number = places.lines, places.number(found.primary.span)
    related = found.related
    at = found.primary.span
    if number:
        related = (found.primary._replace(text=found.primary.text or "here"), *related)
        at = places.imported.ways[number - 1]
    said = [found.message, *filter(None, [found.primary.text]), *(f"help: {text}" for text in found.help)]
    data: dict[str, Any] = {
        "range": lines.range(_visible(lines, at)),
        "severity": LEVELS[found.level],
        "code": found.code,
        "source": "pactc",
        "message": "\n".join(said),
    }
    if related:
        data["relatedInformation"] = [
            {"location": places.location(each.span), "message": each.text or "here"} for each in related
        ]
    return data


def _visible(lines: Lines, span: Span) -> Span:
    """A place of no width, widened by a character of its line: an editor underlines nothing else."""
    if span.start < span.end:
        return span
    first, last = lines.line(lines.place(span.start)[0])
    if span.start < last:
        return Span(span.start, span.start + 1)
    return Span(max(first, span.start - 1), span.start)


def actions(uri: str, checked: Checked, start: int, end: int, kinds: Iterable[str]) -> list[dict[str, Any]]:
    """The mends of what is found between two offsets, and one for all that the file has."""
    places, wanted = Places(uri, checked), tuple(kinds)
    own = [found for found in checked.found[:SHOWN] if found.fix and not places.number(found.fix.span)]
    made = []
    if _asked("quickfix", wanted):
        for found in own:
            touched = found.primary.span.start <= end and start <= found.primary.span.end
            if found.fix is not None and touched:
                made.append(_action(places, [found.fix], found.fix.title, "quickfix", [found]))
    mended = [found for found in own if found.level in (ERROR, WARNING)]
    fixes = apart(found.fix for found in mended if found.fix is not None)
    if fixes and _asked("source.fixAll", wanted):
        count = (
            f"all {len(fixes)} mistakes that have a mend" if len(fixes) > 1 else "the mistake that has a mend"
        )
        made.append(_action(places, fixes, f"fix {count}", "source.fixAll", []))
    if len(fixes) > 1 and made and made[0]["kind"] == "quickfix":
        made.append({**made[-1], "kind": "quickfix"}) if made[-1]["kind"] == "source.fixAll" else None
    return made


def _asked(kind: str, wanted: tuple[str, ...]) -> bool:
    """True if nothing is asked for, or the kind or one above it."""
    return not wanted or any(kind == each or kind.startswith(f"{each}.") for each in wanted)


def apart(fixes: Iterable[Fix]) -> list[Fix]:
    """Fixes that do not touch each other, the first of those that do."""
    kept: list[Fix] = []
    for fix in sorted(fixes, key=lambda fix: fix.span):
        if (
            not kept
            or fix.span.start > kept[-1].span.end
            or (fix.span.start == kept[-1].span.end < fix.span.end)
        ):
            kept.append(fix)
    return kept


def _action(
    places: Places, fixes: list[Fix], title: str, kind: str, about: list[Diagnostic]
) -> dict[str, Any]:
    edits = [{"range": places.lines.range(fix.span), "newText": fix.replacement} for fix in fixes]
    data: dict[str, Any] = {
        "title": title[:1].upper() + title[1:], "kind": kind, "edit": {"changes": {places.uri: edits}},
    }  # fmt: skip
    if about:
        data["diagnostics"] = [diagnostic(places, found) for found in about]
        data["isPreferred"] = True
    return data
