"""The report of a replay for people: whether the new pact is weaker, the calls, the score and the clauses.

In: a `Replay`.  Out: text on standard output, as wide as the terminal; notices on standard error.
"""

from __future__ import annotations

from collections.abc import Iterator

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pactlang.cli.card import decimals
from pactlang.cli.changes import GONE, NEW, SAME, Change
from pactlang.cli.facts import plural, short
from pactlang.cli.flips import MANY, Flip, Track
from pactlang.cli.replayed import Replay, answer, difference, errors, notices, reverse, words
from pactlang.cli.report import indented, unreadable
from pactlang.cli.scoreboard import place
from pactlang.cli.screen import console, printable
from pactlang.cli.tally import UNKNOWN, VIOLATED
from pactlang.score import Score
from pactlang.score.shape import rfc3339

WIDE = 72  # columns; a narrower terminal gets lists
FILES = 5  # that are named


def report(replay: Replay) -> None:
    """Print the report; errors and notices go to standard error, so that a pipe gets the report alone."""
    screen = console()
    _answer(screen, replay)
    _head(screen, replay)
    _score(screen, replay)
    screen.print()
    _matrix(screen, replay.comparison.calls, "calls", 0)
    _clauses(screen, replay)
    _details(screen, replay)
    _hidden(screen, replay)
    _unreadable(screen, replay)
    _remarks(replay)


def _answer(screen: Console, replay: Replay) -> None:
    style = "bold red" if replay.is_weaker else "bold yellow" if replay.untold else "bold"
    indented(screen, Text(answer(replay), style), 0)
    if replay.records:
        indented(screen, Text(reverse(replay)), 0)
    screen.print()


def _head(screen: Console, replay: Replay) -> None:
    for name, scoring in zip(("OLD", "NEW"), replay.scorings, strict=True):
        program = scoring.program
        said = Text(f"{name}  ", "dim")
        said.append(printable(f"{program.name} {program.version}"), "bold")
        said.append(f"  {short(program.digest)}  {scoring.outcome.pact}", "dim")
        indented(screen, said, 0)
    files = replay.scorings[0].outcome.files
    more = f" and {len(files) - FILES} more" if len(files) > FILES else ""
    indented(screen, Text(", ".join(files[:FILES]) + more), 0)
    screen.print(Text(plural(replay.records, "record")))


# The score ----------------------------------------------------------------------------------------


def _score(screen: Console, replay: Replay) -> None:
    old, new = replay.scores
    when = "" if new.now is None else f"at {rfc3339(new.now)}"
    screen.print()
    if screen.width < WIDE:
        screen.print(Text(f"score  {when}", "bold"))
        for row in score_rows(old, new):
            indented(screen, Text(f"{row[0]}  {row[1]} -> {row[2]}" + (f"  {row[3]}" if row[3] else "")), 2)
        return
    table = _table("score", "OLD>", "NEW>", "moved>")
    for row in score_rows(old, new):
        table.add_row(*map(Text, row))
    screen.print(table)
    if when:
        screen.print(Text(when, "dim"))


def score_rows(old: Score, new: Score) -> Iterator[tuple[str, str, str, str]]:
    """Name, old and new value and the difference: of the score, its bounds, its band and each dimension."""
    for name in ("value", "lower", "upper"):
        yield _row(name, old, new, getattr(old, name), getattr(new, name))
    yield "band", _band(old), _band(new), "" if old.band == new.band else "another"
    before = {each.name: each for each in old.dimensions}
    after = {each.name: each for each in new.dimensions}
    for name in dict.fromkeys([*before, *after]):
        values = [_points(side.get(name), of) for side, of in ((before, old), (after, new))]
        row = _row(printable(name), old, new, *values)
        missing = [row[at + 1] if name in side else "none" for at, side in enumerate((before, after))]
        yield row[0], missing[0], missing[1], row[3]


def _band(score: Score) -> str:
    doubt = ", provisional" if score.provisional else ""
    return printable(score.band or "below all bands") + doubt


def _points(dimension: object, score: Score) -> float | None:
    value = getattr(dimension, "value", None)
    return None if value is None else round(value * 10_000) * score.scale / 10_000


def _row(
    name: str, old: Score, new: Score, one: float | None, other: float | None
) -> tuple[str, str, str, str]:
    by = difference(one, other) if old.scale == new.scale else None
    said = "" if by is None else f"{by:+,.{decimals(new.scale)}f}" if by else "0"
    return name, _written(one, old), _written(other, new), said


def _written(points: float | None, score: Score) -> str:
    return "absent" if points is None else f"{points:,.{decimals(score.scale)}f}"


# Calls and clauses --------------------------------------------------------------------------------


def _matrix(screen: Console, track: Track, title: str, columns: int) -> None:
    """How many calls have each pair of outcomes: rows are what the old pact says, columns the new one."""
    old, new = words(track)
    rows = [a for a in range(MANY) if track.counts[a].any()]
    cells = [b for b in range(MANY) if track.counts[:, b].any()]
    if screen.width < WIDE:
        indented(screen, Text(title, "bold"), columns)
        for a in rows:
            for b in cells:
                if track.counts[a, b]:
                    indented(screen, Text(f"{track.counts[a, b]:,}  {old[a]} -> {new[b]}"), columns + 2)
        return
    table = _table(title, *(f"NEW {new[b]}>" for b in cells))
    for a in rows:
        numbers = (Text(f"{track.counts[a, b]:,}", _cell(track, a, b)) for b in cells)
        table.add_row(Text(f"OLD {old[a]}"), *numbers)
    _placed(screen, table, columns)


def _cell(track: Track, old: int, new: int) -> str:
    if not track.counts[old, new]:
        return "dim"
    return ("red" if old == VIOLATED else "bold") if track.differs(old, new) else ""


def _placed(screen: Console, table: Table, columns: int) -> None:
    with screen.capture() as captured:
        screen.print(table, width=max(screen.width - columns, 20))
    for line in captured.get().splitlines():
        screen.print(Text(" " * columns) + Text.from_ansi(line), soft_wrap=True)


def _table(*columns: str) -> Table:
    """A table of these columns; `>`: numbers."""
    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False, header_style="dim")
    for name in columns:
        right = name.endswith(">")
        table.add_column(name.rstrip(">"), justify="right" if right else "left", overflow="fold")
    return table


def _clauses(screen: Console, replay: Replay) -> None:
    screen.print()
    if replay.rest:
        indented(screen, Text(others(replay), "yellow"), 0)
        screen.print()
    rows = [(change, track, *broken(change, track)) for change, track in replay.clauses()]
    if screen.width < WIDE:
        for change, track, old, new in rows:
            if change.kind != SAME or track.flipped:
                indented(screen, Text.assemble((printable(change.name), "bold"), f"  {kind(change)}"), 0)
                indented(screen, Text(f"broken {old} -> {new}, {track.flipped:,} differ"), 2)
        same = sum(change.kind == SAME and not track.flipped for change, track, *_ in rows)
        indented(screen, Text(f"{plural(same, 'clause')} as before, in every verdict", "dim"), 0)
        return
    table = _table("clause", "text", "broken OLD>", "broken NEW>", "differ>")
    for change, track, old, new in rows:
        cells = Text(old), Text(new), Text(f"{track.flipped:,}", "bold" if track.flipped else "dim")
        text = Text(kind(change), "dim" if change.kind == SAME else "")
        table.add_row(Text(printable(change.name)), text, *cells)
    screen.print(table)


def others(replay: Replay) -> str:
    """What else of the pact is another, in a sentence."""
    listed = ", ".join(f"`{part}`" for part in replay.rest)
    return f"beside the clauses, what the pact says of {listed} is another"


def broken(change: Change, track: Track) -> tuple[str, str]:
    """How often a clause was broken on each side; `-` where there is none."""
    old = "-" if change.old is None else f"{int(track.counts[VIOLATED].sum()):,}"
    return old, "-" if change.new is None else f"{int(track.counts[:, VIOLATED].sum()):,}"


def kind(change: Change) -> str:
    """What became of a clause's text, in words."""
    return f"{change.kind}: {', '.join(change.parts)}" if change.parts else change.kind


def _details(screen: Console, replay: Replay) -> None:
    """The clauses whose verdicts differ, each with its matrix and the first calls."""
    for change, track in replay.clauses():
        if not track.flipped:
            continue
        screen.print()
        screen.print(Text.assemble((printable(change.name), "bold"), f"  {kind(change)}"))
        if screen.width >= WIDE:
            _matrix(screen, track, _corner(change), 2)
        for a, b, many in track.pairs():
            _pair(screen, track, (a, b), many)


def _corner(change: Change) -> str:
    return {NEW: "calls", GONE: "clause"}.get(change.kind, "")


def _pair(screen: Console, track: Track, pair: tuple[int, int], many: int) -> None:
    old, new = words(track)
    said = f"{plural(many, 'call')}: {old[pair[0]]} -> {new[pair[1]]}"
    indented(screen, Text(said, "red" if pair[0] == VIOLATED else ""), 2)
    if VIOLATED in pair or UNKNOWN in pair:
        for flip in track.flips.get(pair, ()):
            _flip(screen, flip)


def _flip(screen: Console, flip: Flip) -> None:
    where = Text(place(flip.place), "cyan")
    if flip.resolved is not None:
        where.append(f"  resolved on {place(flip.resolved)}", "dim")
    indented(screen, where, 4)
    if flip.message:
        indented(screen, Text(printable(flip.message)), 6)


LACKS = "Not known for what the ledger lacks"


def lacking(replay: Replay) -> list[str]:
    """What could not be known because a ledger does not hold it, a sentence per clause and reason."""
    return [
        f"{printable(side.program.clauses[at].name)}  {name}: {plural(many, 'call')}, {why}"
        for name, side in zip(("OLD", "NEW"), replay.comparison.sides, strict=True)
        for at, reasons in enumerate(side.hidden)
        for why, many in sorted(reasons.items())
    ]


def _hidden(screen: Console, replay: Replay) -> None:
    found = lacking(replay)
    if not found:
        return
    screen.print()
    screen.print(Text(LACKS, "bold yellow"))
    for said in found:
        indented(screen, Text(printable(said)), 2)


def _unreadable(screen: Console, replay: Replay) -> None:
    """Why records could not be read: once, if both sides say the same."""
    old, new = (scoring.outcome for scoring in replay.scorings)
    if old.audit.reasons == new.audit.reasons:
        unreadable(screen, old)
        return
    for name, outcome in (("OLD", old), ("NEW", new)):
        if outcome.audit.reasons:
            screen.print()
            screen.print(Text(f"Under {name}", "bold"), end="")
            unreadable(screen, outcome)


def _remarks(replay: Replay) -> None:
    """What is said beside the report, on standard error."""
    for notice in notices(replay):
        click.echo(f"note: {notice}", err=True)
    for name, scoring in zip(("OLD", "NEW"), replay.scorings, strict=True):
        for warning in scoring.outcome.warnings():
            click.echo(f"{'error' if scoring.outcome.is_blind else 'warning'}: {name}: {warning}", err=True)
    for error in errors(replay):
        click.echo(f"error: {error}; the report covers what was read", err=True)
    if replay.scorings[0].outcome.interrupted:
        click.echo("interrupted: the report covers what was read so far", err=True)
