"""The report of a score as one page: the score and its interval, a bar per dimension, where the points went,
and the calls behind it.

In: a `Card`.  Out: the bytes of a page (`page`).  Bars are boxes of the page: nothing is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from pactlang.cli.facts import plural
from pactlang.cli.forms.page import Child, document, el, foot, remarks_of
from pactlang.cli.scoreboard import (
    Shown,
    absence,
    bounds,
    caps,
    coverage,
    headline,
    label,
    place,
    sentence,
    shown,
    spent,
    title,
)  # fmt: skip
from pactlang.score.shape import rfc3339

if TYPE_CHECKING:
    from pactlang.cli.card import Card, GroupScore
    from pactlang.cli.scoring import Broke
    from pactlang.score import Score

CLAUSES = 50  # whose calls are shown
FILES = 5  # that are named


def page_of(card: Card) -> bytes:
    """The page, in UTF-8."""
    program, score = card.scoring.program, card.score
    body: list[Child] = [*_head(card), *_score(card)]
    if card.scoring.wanted.by is not None:
        body.append(_groups(card))
    body.append(_dimensions(card))
    body += [el("p", "dim", line) for line in coverage(score)]
    body += [*_losses(card), *_broken(card), *remarks_of(card.scoring.outcome), foot()]
    return document(f"{program.name} {program.version}: score", body)


def _head(card: Card) -> Iterator[Element]:
    program, files = card.scoring.program, card.scoring.outcome.files
    yield el("h1", "", f"{program.name} {program.version}")
    if program.module.description:
        yield el("p", "", program.module.description)
    yield el("p", "dim mono", f"sha256:{program.digest}")
    more = f" and {len(files) - FILES} more" if len(files) > FILES else ""
    yield el("p", "dim", ", ".join(files[:FILES]) + more)


def _score(card: Card) -> Iterator[Element]:
    score = card.score
    kind = "good" if score.band and not score.caps else "warn"
    doubt = el("span", "badge warn", "provisional") if score.provisional else None
    band = el("span", f"badge {kind}", score.band or "below all bands")
    yield el("p", "score", el("b", "", headline(card)), " ", band, " ", doubt)
    yield el("p", "", bounds(card))
    bands = card.scoring.whole.plan.said.bands
    yield _range(card, score.value, score.lower, score.upper, "range large", bands)
    for why in (*score.why, *caps(score)):
        yield el("p", "warn", why)


def _range(
    card: Card,
    value: float | None,
    low: float,
    high: float,
    kind: str = "range",
    bands: tuple[tuple[str, int], ...] = (),
) -> Element:
    """An interval on the scale with a value in it, and where bands begin."""
    scale = card.score.scale
    said = f"{card.written(low)} to {card.written(high)}"
    said = said if value is None else f"{card.written(value)}, {said}"
    drawn = el("div", kind, role="img", title=said, aria_label=said)
    for name, least in bands:
        side = "end" if least > 7_500 * scale else ""
        drawn.append(el("u", side, el("span", "", name), style=f"left:{_percent(least / 10_000, scale)}"))
    width = _percent(high - low, scale)
    drawn.append(el("i", "", style=f"left:{_percent(low, scale)};width:max({width},2px)"))
    if value is not None:
        drawn.append(el("b", "", style=f"left:{_percent(value, scale)}"))
    return drawn


def _percent(points: float, scale: int) -> str:
    return f"{100 * points / scale:.3f}%"


# Tables -------------------------------------------------------------------------------------------


def _dimensions(card: Card) -> Element:
    names = ("dimension", "", "weight", "value", "bounds", "calls")
    head = el("tr", "", (el("th", "" if name in names[:2] else "number", name) for name in names))
    rows = (_dimension(card, each) for each in shown(card))
    table = el("table", "clauses", el("thead", "", head), el("tbody", "", rows))
    return el("section", "", el("h2", "", "Dimensions"), el("div", "scroll", table))


def _dimension(card: Card, each: Shown) -> Element:
    absent = each.value is None
    value = "absent" if each.value is None else card.written(each.value)
    cells = (
        ("weight", each.weight, "dim"), ("value", value, "warn" if absent else ""),
        ("bounds", f"{card.written(each.lower)} to {card.written(each.upper)}", "dim"),
        ("calls", f"{each.calls:,}", ""),
    )  # fmt: skip
    return el(
        "tr", "",
        el("td", "name", each.name, el("div", "warn", absence(each)) if absent else None),
        el("td", "shares", _range(card, each.value, each.lower, each.upper)),
        (el("td", f"number {kind}".strip(), text, data_word=word) for word, text, kind in cells),
    )  # fmt: skip


def _groups(card: Card) -> Element:
    by = card.scoring.wanted.by or ""
    names = (by, "", "lower", "value", "upper", "band", "calls")
    head = el("tr", "", (el("th", "" if name in names[:2] else "number", name) for name in names))
    rows = (_group(card, each, by) for each in card.groups)
    table = el("table", "clauses", el("thead", "", head), el("tbody", "", rows))
    return el("section", "", el("h2", "", f"By {by}"), el("div", "scroll", table))


def _group(card: Card, each: GroupScore, by: str) -> Element:
    score = each.score
    cells = (
        ("lower", card.written(score.lower), ""),
        ("value", "none yet" if score.value is None else card.written(score.value), ""),
        ("upper", card.written(score.upper), ""), ("band", _band(score), ""),
        ("calls", f"{score.coverage.calls:,}", ""),
    )  # fmt: skip
    return el(
        "tr", "",
        el("td", "name", label(each.key, by)),
        el("td", "shares", _range(card, score.value, score.lower, score.upper)),
        (el("td", "number", text, data_word=word) for word, text, _ in cells),
    )  # fmt: skip


def _band(score: Score) -> str:
    return (score.band or "-") + (", provisional" if score.provisional else "")


# Where the points went ----------------------------------------------------------------------------


def _losses(card: Card) -> Iterator[Element]:
    if card.score.value is None:
        return
    gone = card.score.scale - card.score.value
    yield el("h2", "", f"Where the other {card.written(gone)} points went")
    rows = [
        el(
            "tr", "",
            el("td", "number", card.written(points)),
            el("td", "shares", _share(points, gone)),
            el("td", "", said),
        )
        for points, said in spent(card)
    ]  # fmt: skip
    yield el("table", "spent", el("tbody", "", rows))
    if card.good_day is not None:
        brings = f"One more day of as many calls, all good, would bring {card.written(card.good_day)}."
        yield el("p", "good" if card.good_day else "dim", brings)


def _share(points: float, gone: float) -> Element:
    share = 0.0 if gone <= 0 else min(1.0, points / gone)
    return el("div", "bar", el("i", "v", style=f"flex:{max(share, 0.005):.5f}"),
              el("i", "none", style=f"flex:{1 - share:.5f}"))  # fmt: skip


def _broken(card: Card) -> Iterator[Element]:
    names = [name for name in card.clauses() if card.broke(name)]
    if names:
        yield el("h2", "", title(card))
    for name in names[:CLAUSES]:
        yield _clause(card, name)
    if len(names) > CLAUSES:
        yield el("p", "dim", f"and {plural(len(names) - CLAUSES, 'clause')} more, in --format json")


def _clause(card: Card, name: str) -> Element:
    loss = next((each for each in card.losses if each.kind == "clause" and each.name == name), None)
    clause = next(each for each in card.scoring.program.clauses if each.name == name)
    head = el("h3", "", name, " ", el("span", f"badge {clause.severity}", clause.severity))
    said = None
    if loss is not None:
        said = el("p", "dim", f"{card.written(loss.points)} points, broken by {plural(loss.broken, 'call')}")
    described = el("p", "", clause.description) if clause.description else None
    cards = (_call(broke) for broke in card.broke(name))
    return el("section", "", head, described, said, cards, id=name)


def _call(broke: Broke) -> Element:
    where = place(broke.example.place)
    when = "" if broke.time is None else f"  {rfc3339(broke.time)}"
    later = broke.example.resolved
    at = None if later is None else el("span", "dim", f"  resolved on {place(later)}")
    return el("div", "card", el("span", "mono dim", where + when), at, el("p", "", sentence(broke)))
