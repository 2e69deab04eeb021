"""The report of a replay as one page: whether the new pact is weaker, the calls, the score and the clauses.

In: a `Replay`.  Out: the bytes of a page (`page`), which loads nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from pactlang.cli.changes import SAME
from pactlang.cli.facts import plural
from pactlang.cli.flips import MANY
from pactlang.cli.forms.page import Child, document, el, foot, remarks, warned
from pactlang.cli.replayboard import LACKS, broken, kind, lacking, others, score_rows
from pactlang.cli.replayed import answer, errors, notices, reverse, words
from pactlang.cli.scoreboard import place
from pactlang.cli.tally import VIOLATED
from pactlang.score.shape import rfc3339

if TYPE_CHECKING:
    from pactlang.cli.changes import Change
    from pactlang.cli.flips import Flip, Track
    from pactlang.cli.replayed import Replay

CLAUSES = 100  # whose calls are shown


def page_of(replay: Replay) -> bytes:
    """The page, in UTF-8."""
    program = replay.scorings[1].program
    body: list[Child] = [*_head(replay), _calls(replay), *_score(replay), *_clauses(replay)]
    found = [each for each in replay.clauses() if each[1].flipped]
    body += [_clause(*each) for each in found[:CLAUSES]]
    if len(found) > CLAUSES:
        body.append(el("p", "dim", f"and {plural(len(found) - CLAUSES, 'clause')} more, in --format json"))
    body += [*_lacking(replay), *_said(replay), foot()]
    return document(f"{program.name} {program.version}: replay", body)


def _head(replay: Replay) -> Iterator[Element]:
    yield el("h1", "bad" if replay.is_weaker else "warn" if replay.untold else "", answer(replay))
    if replay.records:
        yield el("p", "", reverse(replay))
    for name, scoring in zip(("OLD", "NEW"), replay.scorings, strict=True):
        said = f"{name}  {scoring.program.name} {scoring.program.version}, {scoring.outcome.pact}"
        yield el("p", "", said, " ", el("span", "dim mono", f"sha256:{scoring.program.digest}"))
    files = replay.scorings[0].outcome.files
    yield el("p", "dim", f"{plural(replay.records, 'record')} of {plural(len(files), 'file')}")


def _table(head: tuple[str, ...], rows: Iterator[Element], left: int = 1) -> Element:
    cells = (el("th", "" if at < left else "number", name) for at, name in enumerate(head))
    table = el("table", "clauses", el("thead", "", el("tr", "", cells)), el("tbody", "", rows))
    return el("div", "scroll", table)


def _row(name: str, cells: tuple[str, ...], left: int = 1) -> Element:
    kinds = ("" if at < left else "number" for at in range(1, len(cells) + 1))
    found = (el("td", kind, text) for kind, text in zip(kinds, cells, strict=True))
    return el("tr", "", el("td", "name", name), found)


def _calls(replay: Replay) -> Element:
    return el("section", "", el("h2", "", "Calls"), _matrix(replay.comparison.calls))


def _matrix(track: Track) -> Element:
    old, new = words(track)
    rows = [a for a in range(MANY) if track.counts[a].any()]
    columns = [b for b in range(MANY) if track.counts[:, b].any()]
    made = (_row(f"OLD {old[a]}", tuple(f"{track.counts[a, b]:,}" for b in columns)) for a in rows)
    return _table(("", *(f"NEW {new[b]}" for b in columns)), made)


def _score(replay: Replay) -> Iterator[Element]:
    old, new = replay.scores
    yield el("h2", "", "Score")
    yield _table(
        ("", "OLD", "NEW", "moved"), (_row(name, tuple(rest)) for name, *rest in score_rows(old, new))
    )
    if new.now is not None:
        yield el("p", "dim", f"at {rfc3339(new.now)}")


def _clauses(replay: Replay) -> Iterator[Element]:
    yield el("h2", "", "Clauses")
    if replay.rest:
        yield el("p", "warn", others(replay))
    rows = (
        _row(change.name, (kind(change), *broken(change, track), f"{track.flipped:,}"), 2)
        for change, track in replay.clauses()
    )
    yield _table(("clause", "text", "broken OLD", "broken NEW", "differ"), rows, 2)


def _clause(change: Change, track: Track) -> Element:
    said = el("span", "badge" if change.kind == SAME else "badge warn", kind(change))
    pairs = (_pair(track, a, b, many) for a, b, many in track.pairs())
    return el("section", "", el("h3", "", change.name, " ", said), _matrix(track), pairs, id=change.name)


def _pair(track: Track, a: int, b: int, many: int) -> Element:
    old, new = words(track)
    said = f"{plural(many, 'call')}: {old[a]} to {new[b]}"
    cards = (_flip(each) for each in track.flips.get((a, b), ()))
    return el("div", "", el("p", "bad" if a == VIOLATED else "", said), cards)


def _flip(flip: Flip) -> Element:
    later = None if flip.resolved is None else el("span", "dim", f"  resolved on {place(flip.resolved)}")
    where = el("span", "mono dim", place(flip.place))
    return el("div", "card", where, later, el("p", "", flip.message) if flip.message else None)


def _lacking(replay: Replay) -> Iterator[Element]:
    found = lacking(replay)
    if found:
        yield el("h2", "", LACKS)
        yield from (el("p", "warn", said) for said in found)


def _said(replay: Replay) -> Iterator[Element]:
    old, new = (scoring.outcome for scoring in replay.scorings)
    both = chain(warned(old, "OLD: "), warned(new, "NEW: "))
    return remarks(both, notices(replay), errors(replay), old.interrupted)
