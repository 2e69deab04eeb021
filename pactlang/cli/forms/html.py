"""The report of a run as one page: a summary, a bar per clause, the broken promises with what was found.

In: an `Outcome`.  Out: the bytes of a page (`page`).  It is searched and filtered where it is read.

It grows with the examples that were kept (`--limit`), and stops at `LARGEST`, of which every clause has
its share: what is left out is counted below its clause.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import resources
from itertools import chain
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, tostring

from pactlang.cli.evidence import clipped, shown
from pactlang.cli.facts import plural
from pactlang.cli.forms.page import Child, document, el, foot, remarks_of
from pactlang.cli.tally import OUTCOMES

if TYPE_CHECKING:
    from pactlang.cli.audit import Audit, Example, Place
    from pactlang.cli.outcome import Counts, Outcome
    from pactlang.verdict import Matched

LARGEST = 20 << 20  # bytes of examples on one page; browsers are slow to search more
AROUND = 600  # characters of a text that are shown on either side of a match
PLACES = 20  # of calls in which the same was found
FILES = 5  # names of files
VALUE = 400  # characters of a value

# The colours of a bar, and what each stands for.
LEGEND = (
    ("s", "satisfied"), ("v", "violated"), ("u", "unknown: the data does not tell"),
    ("k", "skipped: the clause is not about the call"),
)  # fmt: skip

# A section with its head, what was found, one by one, and how many that is.
Group = tuple[Element, Iterator[Element], int]

SCRIPT = (resources.files(__package__) / "search.js").read_text("utf-8")


def page_of(outcome: Outcome) -> bytes:
    """The page, in UTF-8."""
    program = outcome.program
    body: list[Child] = [*_head(outcome), _clauses(outcome), *remarks_of(outcome)]
    if outcome.worst() or any(clause.unknown for clause in outcome.clauses()) or outcome.audit.reasons:
        label = "Search what is below"
        body.append(el("h2", "", "Findings"))
        body.append(el("input", type="search", id="search", placeholder=label, aria_label=label))
        body.append(el("p", "dim", id="found", aria_live="polite"))
        body += _bounded(list(_findings(outcome)))
    else:
        body += _nothing(outcome)
    body.append(foot(f"{outcome.seconds:.2f} s", f"{outcome.per_second():,.0f} calls/s"))
    has_search = any(isinstance(each, Element) and each.get("id") == "search" for each in body)
    return document(f"{program.name} {program.version}: report", body, SCRIPT if has_search else "")


def _nothing(outcome: Outcome) -> Iterator[Element]:
    """What to say where nothing was found."""
    if not outcome.audit.total.records:
        yield el("p", "warn", "No records.")
    elif outcome.all_kept():
        yield el("p", "good", "Every promise was kept.")


def _bounded(groups: list[Group]) -> Iterator[Element]:
    """The groups with as many findings as there is room for; what one needs less, the next ones have."""
    room = LARGEST
    for number, (group, findings, count) in enumerate(groups):
        room -= _fill(group, findings, count, room // (len(groups) - number))
        yield group


def _fill(group: Element, findings: Iterator[Element], count: int, room: int) -> int:
    """Put findings into a group until they need more than `room` bytes.  Returns how many they need."""
    size = 0
    for number, each in enumerate(findings):
        more = len(tostring(each, "utf-8", method="html"))
        if size + more > room:
            many = plural(count - number, "further finding")
            group.append(el("p", "warn", f"{many} would make this page too large and are left out; ",
                            "--format json has them all."))  # fmt: skip
            break
        group.append(each)
        size += more
    return size


# Summary -------------------------------------------------------------------------------------------


def _head(outcome: Outcome) -> Iterator[Element]:
    program, total = outcome.program, outcome.audit.total
    yield el("h1", "", f"{program.name} {program.version}")
    if program.module.description:
        yield el("p", "", program.module.description)
    yield el("p", "dim mono", f"sha256:{program.digest}")
    files = ", ".join(outcome.files[:5]) + (
        f" and {len(outcome.files) - 5} more" if len(outcome.files) > 5 else ""
    )
    yield el("p", "dim", files)
    figures = [("records", total.records, ""), ("calls judged", total.calls, "")]
    if total.outside:
        figures.append(("outside the pact", total.outside, "dim"))
    violated = sum(clause.violated for clause in outcome.clauses())
    unknown = sum(clause.unknown for clause in outcome.clauses())
    if total.duplicates:
        figures.append(("that came before", total.duplicates, "dim"))
    figures.append(("undecodable", total.undecodable, "warn" if total.undecodable else ""))
    figures.append(("promises broken", violated, "bad" if violated else "good"))
    figures.append(("verdicts unknown", unknown, "warn" if unknown else ""))
    yield el("div", "figures", (el("div", "", el("b", kind, f"{n:,}"), name) for name, n, kind in figures))
    if outcome.uncounted():
        yield el("p", "warn", outcome.uncounted())


def _clauses(outcome: Outcome) -> Element:
    head = el(
        "tr", "", (el("th", "number" if name in OUTCOMES else "", name) for name in ("clause", "", *OUTCOMES))
    )
    rows = (_clause(clause, outcome) for clause in outcome.clauses())
    table = el("table", "clauses", el("thead", "", head), el("tbody", "", rows))
    colours = (el("span", "", el("span", "bar", el("i", kind)), word) for kind, word in LEGEND)
    return el("section", "", el("h2", "", "Clauses"), el("div", "scroll", table), el("p", "legend", colours))


def _clause(clause: Counts, outcome: Outcome) -> Element:
    counts = (clause.satisfied, clause.violated, clause.skipped, clause.unknown)
    kinds = ("good", "bad", "dim", "warn")
    has_card = clause.broken or clause.unknown
    name: Child = (
        el("a", "", clause.name, href=f"#{clause.name}", data_clause="") if has_card else clause.name
    )
    said = el("div", "dim", clause.description) if clause.description else None
    badge = el("span", f"badge {clause.severity}", clause.severity)
    cells = (
        el("td", f"number {kind if n else 'dim'}", f"{n:,}", data_word=word)
        for n, kind, word in zip(counts, kinds, OUTCOMES, strict=True)
    )
    return el(
        "tr",
        "",
        el("td", "name", name, " ", badge, said),
        el("td", "shares", _bar(clause, outcome.audit.total.calls)),
        cells,
    )


def _bar(clause: Counts, calls: int) -> Element:
    """The shares of the outcomes; the smallest share that is not nothing can be seen."""
    counts = {"s": clause.satisfied, "v": clause.violated, "u": clause.unknown, "k": clause.skipped}
    said = ", ".join(f"{n:,} {word}" for n, word in zip(
        (clause.satisfied, clause.violated, clause.skipped, clause.unknown), OUTCOMES, strict=True
    ))  # fmt: skip
    bar = el("div", "bar", role="img", title=said, aria_label=said)
    for kind, count in counts.items():
        if count:
            bar.append(el("i", kind, style=f"flex:{max(count / max(calls, 1), 0.015):.5f}"))
    return bar


def _findings(outcome: Outcome) -> Iterator[Group]:
    broken = outcome.worst()
    names = [clause.name for clause in broken]
    for clause in broken:
        yield _group(clause, outcome)
    for clause in outcome.clauses():
        if clause.unknown and clause.name not in names:
            yield _group(clause, outcome)
    if outcome.audit.reasons:
        yield _unreadable(outcome)


def _group(clause: Counts, outcome: Outcome) -> Group:
    """What was found about one clause."""
    audit = outcome.audit
    promise = next(each for each in outcome.program.module.clauses if each.name == clause.name)
    text = outcome.program.source.text[slice(*promise.span)]
    examples, doubts = audit.violations[clause.name], audit.unknowns[clause.name]
    head = el("h3", "", clause.name, " ", el("span", f"badge {clause.severity}", clause.severity))
    counted = [clause.breach] if clause.broken else []
    unknown = f"unknown for {plural(clause.unknown, 'call')}{clause.waits}"
    counted += [unknown] if clause.unknown else []
    said = el("p", "dim", "; ".join(counted) + _shown(clause, len(examples), len(doubts)))
    group = el("section", "", head, said, el("pre", "", text), id=clause.name, data_group="")
    found = chain(_examples(examples), (_doubt(each.place, each.reason) for each in doubts))
    return group, found, len(_alike(examples)) + len(doubts)


def _alike(examples: Sequence[Example]) -> list[list[Example]]:
    """The examples in the order of the log, those that show the same together."""
    groups: dict[str, list[Example]] = {}
    for example in examples:
        found = example.violation
        shows = (found.message, found.values, found.matched)
        groups.setdefault(repr(shows), []).append(example)
    return list(groups.values())


def _examples(examples: Sequence[Example]) -> Iterator[Element]:
    """A card for each that shows something else; how many more there are like it."""
    for first, *others in _alike(examples):
        card = _example(first)
        if others:
            places = ", ".join(f"{each.place.file}:{each.place.line}" for each in others[:PLACES])
            more = f" and {len(others) - PLACES:,} more" if len(others) > PLACES else ""
            said = f"the same in {plural(len(others), 'further call')}: {places}{more}"
            card.append(el("p", "dim", said))
        yield card


def _shown(clause: Counts, examples: int, doubts: int) -> str:
    if examples + doubts < clause.broken + clause.unknown:
        return f"; the first {plural(examples + doubts, 'call')} below; `pactc run --limit N` shows more"
    return ""


def _place(place: Place) -> Element:
    where = f"{place.file}:{place.line}" if place.line else place.file
    return el("span", "mono dim", where if place.id == place.line else f"{where}  {place.id}")


def _example(example: Example) -> Element:
    place, violation, resolved = example
    said = violation.message.removeprefix(f"{violation.clause}: ")
    at = None if resolved is None else el("span", "dim", f"  resolved on {resolved.file}:{resolved.line}")
    card = el("div", "card", _place(place), at, el("p", "", said), data_item="")
    found = violation.matched
    whole = violation.values.get(found.field) if found is not None else None
    rows = [
        el("tr", "", el("td", "mono dim", name), el("td", "mono", shown(value, VALUE)))
        for name, value in violation.values.items()
        if found is None or name != found.field or not isinstance(whole, str)
    ]
    if rows:
        card.append(el("table", "values", el("tbody", "", rows)))
    if found is not None:
        card.append(_marked(found, whole))
    return card


def _marked(found: Matched, whole: object) -> Element:
    """The text with the match marked, as much of it as helps."""
    if not isinstance(whole, str) or whole[found.start : found.end] != found.text:
        return el("pre", "", f"{found.field}: ", el("mark", "", clipped(found.text, AROUND)))
    before, after = whole[: found.start], whole[found.end :]
    head = ("…" if len(before) > AROUND else "") + before[-AROUND:]
    tail = after[:AROUND] + ("…" if len(after) > AROUND else "")
    name = el("span", "dim", f"{found.field}  ({found.name}, {found.start}-{found.end})\n")
    return el("pre", "", name, head, el("mark", "", clipped(found.text, 2 * AROUND)), tail)


def _doubt(place: Place, reason: str) -> Element:
    return el(
        "div",
        "card",
        _place(place),
        " ",
        el("span", "badge warn", "unknown"),
        el("p", "", reason),
        data_item="",
    )


def _unreadable(outcome: Outcome) -> Group:
    audit = outcome.audit
    ranked = sorted(audit.reasons.items(), key=lambda item: -item[1])
    group = el("section", "", el("h3", "warn", "Undecodable records"), data_group="")
    return group, (_reason(path, why, count, audit) for (path, why), count in ranked), len(ranked)


def _reason(path: str, why: str, count: int, audit: Audit) -> Element:
    first = next((u for u in audit.unreadable if (u.path, u.reason) == (path, why)), None)
    where = f", first at {first.file}:{first.line}" if first else ""
    said = f"{plural(count, 'record')}: {path}: {why}" if path else f"{plural(count, 'record')}: {why}"
    return el("div", "card", said, el("span", "dim", where), data_item="")
