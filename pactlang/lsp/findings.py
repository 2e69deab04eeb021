"""The whole pact, checked: diagnostics, their mends, what each clause costs, what imports bring in.

In: a text and the path of its file.  Out: `Checked`, plain data that says which text it is about.  This is
what runs in the background; `analyse` never raises for a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pactlang.build import checked, costs_of
from pactlang.cost import ClauseCost, over_budget
from pactlang.diagnostic import ERROR, WARNING, Diagnostic, Fix, in_order
from pactlang.fold import fold_module
from pactlang.ir import Module
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


def analyse(text: str, path: str) -> Checked:
    """Check a text as the file `path`."""
    source = Source(path, text)
    module, found = checked(source)
    if module is None:
        return Checked(text, found, {})
    costs, over = _costs(module)
    return Checked(text, in_order((*found, *over)), costs)


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
    lines = Lines(checked.text)
    return [diagnostic(uri, lines, found) for found in checked.found[:SHOWN]]


def diagnostic(uri: str, lines: Lines, found: Diagnostic) -> dict[str, Any]:
    """One finding, with the label at its place and what helps below its message."""
    said = [found.message, *filter(None, [found.primary.text]), *(f"help: {text}" for text in found.help)]
    data: dict[str, Any] = {
        "range": lines.range(_visible(lines, found.primary.span)),
        "severity": LEVELS[found.level],
        "code": found.code,
        "source": "pactc",
        "message": "\n".join(said),
    }
    if found.related:
        data["relatedInformation"] = [
            {"location": {"uri": uri, "range": lines.range(each.span)}, "message": each.text or "here"}
            for each in found.related
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
    lines, wanted = Lines(checked.text), tuple(kinds)
    made = []
    if _asked("quickfix", wanted):
        for found in checked.found[:SHOWN]:
            touched = found.primary.span.start <= end and start <= found.primary.span.end
            if found.fix is not None and touched:
                made.append(_action(uri, lines, [found.fix], found.fix.title, "quickfix", [found]))
    mended = [found for found in checked.found if found.fix is not None and found.level in (ERROR, WARNING)]
    fixes = apart(found.fix for found in mended if found.fix is not None)
    if fixes and _asked("source.fixAll", wanted):
        count = (
            f"all {len(fixes)} mistakes that have a mend" if len(fixes) > 1 else "the mistake that has a mend"
        )
        made.append(_action(uri, lines, fixes, f"fix {count}", "source.fixAll", []))
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
    uri: str, lines: Lines, fixes: list[Fix], title: str, kind: str, about: list[Diagnostic]
) -> dict[str, Any]:
    edits = [{"range": lines.range(fix.span), "newText": fix.replacement} for fix in fixes]
    data: dict[str, Any] = {
        "title": title[:1].upper() + title[1:], "kind": kind, "edit": {"changes": {uri: edits}},
    }  # fmt: skip
    if about:
        data["diagnostics"] = [diagnostic(uri, lines, found) for found in about]
        data["isPreferred"] = True
    return data
