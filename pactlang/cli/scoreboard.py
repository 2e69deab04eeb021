"""The report of a score for people: the score and its interval, a bar per dimension, where the points went,
and the calls behind it.

In: a `Card`.  Out: text on standard output, as wide as the terminal; notices on standard error.
"""

from __future__ import annotations

from typing import NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pactlang.cli.audit import Place
from pactlang.cli.card import Card, GroupScore, Loss
from pactlang.cli.evidence import clipped
from pactlang.cli.facts import plural
from pactlang.cli.groups import MOST, Key
from pactlang.cli.report import SEVERITY, head, indented, remarks, unreadable
from pactlang.cli.scoring import Broke
from pactlang.cli.screen import console, printable
from pactlang.score import Cap, Score
from pactlang.score.shape import rfc3339
from pactlang.score.value import ENOUGH, PRIOR

WIDE = 72  # columns; a narrower terminal gets a list
BAR = 30  # columns of a bar beside other columns
CLAUSES = 5  # whose calls are shown
NAME = 40  # characters of a group's value


# What became of calls, in words.
CALLS = {
    "outside": "outside the pact", "duplicates": "that came before", "dropped": "not readable",
    "missing": "missing", "unchecked": "without a number", "untimed": "without a time",
    "old": "too old to weigh anything",
}  # fmt: skip


class Signs(NamedTuple):
    """What a bar is drawn with: outside the interval, within it, the value."""

    off: str
    within: str
    value: str


SIGNS, ASCII = Signs("·", "━", "●"), Signs(".", "=", "o")


def report(card: Card) -> None:
    """Print the report; errors and notices go to standard error, so that a pipe gets the report alone."""
    screen = console()
    head(screen, card.scoring.outcome)
    screen.print()
    _score(screen, card)
    if card.scoring.wanted.by is not None:
        _groups(screen, card)
    else:
        _dimensions(screen, card)
        _coverage(screen, card)
        _losses(screen, card)
        _broken(screen, card)
    if card.scoring.audit.reasons:
        unreadable(screen, card.scoring.outcome)
    remarks(card.scoring.outcome)


# The score ----------------------------------------------------------------------------------------


def _score(screen: Console, card: Card) -> None:
    score = card.score
    said = Text(headline(card), "bold")
    said.append(f"  {score.band or 'below all bands'}", _band_style(score))
    if score.provisional:
        said.append(", provisional", "not bold yellow")
    screen.print(said)
    indented(screen, Text(bounds(card)), 0)
    if screen.width < WIDE or card.scoring.wanted.by is None:
        screen.print(bar(score, score.value, score.lower, score.upper, _room(screen), _signs(screen)))
    for why in (*score.why, *caps(score)):
        _hung(screen, Text("  "), Text(why, "yellow"))


def headline(card: Card) -> str:
    """The value of the scale; or that there is none."""
    score = card.score
    if score.value is None:
        return f"no score yet, of {score.scale:,}"
    return f"{card.written(score.value)} of {score.scale:,}"


def bounds(card: Card) -> str:
    """The interval, in words."""
    score = card.score
    sure = f"{100 * score.confidence:.6f}".rstrip("0").rstrip(".")
    between = f"between {card.written(score.lower)} and {card.written(score.upper)}"
    when = "" if score.now is None else f", at {rfc3339(score.now)}"
    return f"{between} with {sure} % confidence{when}"


def caps(score: Score) -> list[str]:
    """Why critical clauses leave only a part of the scale: the lowest caps, and how many others there are."""
    least = min((cap.limit for cap in score.caps), default=1.0)
    found = [capped(cap) for cap in score.caps if cap.limit == least]
    others = [cap for cap in score.caps if cap.limit > least]
    if others:
        found.append(f"and without that at most {others[0].limit:.0%}: {plural(len(others), 'cap')} more")
    return found


def capped(cap: Cap) -> str:
    """Why a critical clause leaves only a part of the scale."""
    most = f"at most {cap.limit:.0%} of the scale: `{printable(cap.clause)}`"
    if cap.why == "rate":
        return f"{most} is broken more often than once in 10,000 calls"
    return f"{most} was broken" + ("" if cap.until is None else f", until {rfc3339(cap.until)}")


def _band_style(score: Score) -> str:
    return "green" if score.band and not score.caps else "not bold yellow"


def _room(screen: Console) -> int:
    return min(screen.width, WIDE) - 2


def _signs(screen: Console) -> Signs:
    return ASCII if screen.options.ascii_only else SIGNS


def bar(score: Score, value: float | None, low: float, high: float, room: int, signs: Signs) -> Text:
    """An interval, and a value in it, on a line as long as the scale."""
    last = room - 1
    begin, end = (round(x / score.scale * last) for x in (low, high))
    text = Text(signs.off * begin, "dim")
    text.append(signs.within * (end - begin + 1), "cyan")
    text.append(signs.off * (last - end), "dim")
    if value is None:
        return text
    at = round(value / score.scale * last)
    return Text.assemble(text[:at], (signs.value, "bold"), text[at + 1 :])


# Dimensions ---------------------------------------------------------------------------------------


class Shown(NamedTuple):
    """A dimension in points; it is absent without a value."""

    name: str
    weight: str
    value: float | None
    lower: float
    upper: float
    calls: int
    effective: float


def shown(card: Card) -> list[Shown]:
    """The dimensions, in points."""
    scale = card.score.scale
    return [
        Shown(
            d.name, f"{d.weight:.1%}", None if d.value is None else d.value * scale,
            d.lower * scale, d.upper * scale, d.calls, d.effective,
        )
        for d in card.score.dimensions
    ]  # fmt: skip


def _dimensions(screen: Console, card: Card) -> None:
    screen.print()
    if screen.width < WIDE:
        for each in shown(card):
            _listed(screen, card, each)
        return
    table = _table("dimension", "weight>", "", "value>", "bounds>", "calls>")
    for each in shown(card):
        drawn = bar(card.score, each.value, each.lower, each.upper, BAR, _signs(screen))
        value = Text("absent", "yellow") if each.value is None else Text(card.written(each.value))
        name, calls = Text(printable(each.name)), Text(f"{each.calls:,}")
        table.add_row(name, Text(each.weight, "dim"), drawn, value, _bounds(card, each), calls)
    screen.print(table)
    for each in shown(card):
        if each.value is None:
            indented(screen, Text(absence(each), "yellow"), 2)


def absence(each: Shown) -> str:
    """Why a dimension is absent."""
    worth = f"{plural(each.calls, 'call')} worth {each.effective:,.1f} of today's, {ENOUGH} are needed"
    return f"`{printable(each.name)}` is absent, with {each.weight} of the weights: {worth}"


def _listed(screen: Console, card: Card, each: Shown) -> None:
    said = Text(printable(each.name))
    said.append(f"  {each.weight}  ", "dim")
    said.append_text(Text("absent", "yellow") if each.value is None else Text(card.written(each.value)))
    indented(screen, said, 0)
    drawn = bar(card.score, each.value, each.lower, each.upper, _room(screen), _signs(screen))
    drawn.pad_left(2)
    screen.print(drawn, soft_wrap=True)
    text = Text.assemble(_bounds(card, each), f", {plural(each.calls, 'call')}")
    indented(screen, text if each.value is not None else Text(absence(each), "yellow"), 2)


def _bounds(card: Card, each: Shown) -> Text:
    return Text(f"{card.written(each.lower)} to {card.written(each.upper)}", "dim")


def _table(*columns: str) -> Table:
    """A table of these columns; `>`: numbers."""
    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False, header_style="dim")
    for name in columns:
        right = name.endswith(">")
        if name and not right:
            table.add_column(name, overflow="fold", min_width=8)
        else:
            table.add_column(name.rstrip(">"), justify="right" if right else "left", no_wrap=True)
    return table


def _coverage(screen: Console, card: Card) -> None:
    screen.print()
    for line in coverage(card.score):
        indented(screen, Text(line, "dim"), 0)


def coverage(score: Score) -> list[str]:
    """What the score rests on, in words."""
    found = score.coverage
    verdicts = ("satisfied", "violated", "unknown", "skipped", "waiting")
    said = [f"{getattr(found, name):,} {words}" for name, words in CALLS.items() if getattr(found, name)]
    lines = [", ".join([f"{plural(found.calls, 'call')} counted", *said])]
    told = [f"{getattr(found, name):,} {name}" for name in verdicts if getattr(found, name)]
    lines.append("verdicts: " + (", ".join(told) or "none"))
    lines.append(f"evidence for {found.share:.0%} of the weights")
    if score.newest is not None:
        lines.append(f"calls from {rfc3339(score.oldest)} to {rfc3339(score.newest)}" + _age(score.age))
    return lines


def _age(seconds: float | None) -> str:
    if not seconds:
        return ""
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f", the newest {seconds / length:,.0f} {unit} old"
    return f", the newest {seconds:,.0f} seconds old"


# Where the points went ----------------------------------------------------------------------------


def _losses(screen: Console, card: Card) -> None:
    if not card.losses or card.score.value is None:
        return
    screen.print()
    gone = card.written(card.score.scale - card.score.value)
    screen.print(Text(f"Where the other {gone} points went", "bold"))
    lines = spent(card)
    width = max((len(card.written(points)) for points, _ in lines), default=0)
    for points, said in lines:
        _hung(screen, Text(f"  {card.written(points).rjust(width)}  "), Text(said))
    if card.good_day is not None:
        today = f"One more day of as many calls, all good, would bring {card.written(card.good_day)}."
        indented(screen, Text(today, "green" if card.good_day else "dim"), 2)


def spent(card: Card) -> list[tuple[float, str]]:
    """Where the points went, the most first, each with what it was for."""
    found = [(loss.points, cost(loss)) for loss in card.losses if loss.points and loss.kind != "young"]
    if card.young:
        few = f"few calls yet: every dimension begins with {PRIOR}, half of them broken"
        found.append((card.young, few))
    return sorted(found, key=lambda each: -each[0])


def cost(loss: Loss) -> str:
    """What some points were lost for."""
    name = printable(loss.name)
    if loss.kind == "cap":
        return f"{name} is critical and was broken: that caps the score"
    return f"{name} ({printable(loss.dimension)}), broken by {plural(loss.broken, 'call')}"


def _hung(screen: Console, first: Text, text: Text) -> None:
    """A text behind a beginning, its further lines below it."""
    room = len(first)
    for line in text.wrap(screen, max(screen.width - room, 1), overflow="fold"):
        line.rstrip()
        screen.print(first + line, soft_wrap=True)
        first = Text(" " * room)


def title(card: Card) -> str:
    """What the calls below it are there for."""
    if card.is_low:
        return f"Why under {card.low:,g}"
    return "What cost most" if card.score.value is not None else "What was broken"


def _broken(screen: Console, card: Card) -> None:
    names = [name for name in card.clauses() if card.broke(name)]
    if not names:
        return
    screen.print()
    screen.print(Text(title(card), "bold"))
    for name in names[:CLAUSES]:
        _clause(screen, card, name)
    if len(names) > CLAUSES:
        more = f"and {plural(len(names) - CLAUSES, 'clause')} more, in `--format json`"
        indented(screen, Text(more, "dim"), 2)


def _clause(screen: Console, card: Card, name: str) -> None:
    loss = next((each for each in card.losses if each.kind == "clause" and each.name == name), None)
    clause = next(each for each in card.scoring.program.clauses if each.name == name)
    said = Text(printable(name))
    said.append(f"  {clause.severity}", SEVERITY.get(clause.severity, ""))
    if loss is not None:
        said.append(f", {card.written(loss.points)} points, {plural(loss.broken, 'call')}", "dim")
    indented(screen, said, 2)
    for broke in card.broke(name):
        indented(screen, _where(broke), 4)
        indented(screen, Text(sentence(broke)), 6)


def sentence(broke: Broke) -> str:
    """What a call did, in one sentence."""
    found = broke.example.violation
    return printable(found.message.removeprefix(f"{found.clause}: "))


def place(at: Place) -> str:
    """File, line and id of a call."""
    where = f"{at.file}:{at.line}" if at.line else at.file
    return where if at.id == at.line else f"{where}  {printable(str(at.id))}"


def _where(broke: Broke) -> Text:
    said = Text(place(broke.example.place), "cyan")
    if broke.time is not None:
        said.append(f"  {rfc3339(broke.time)}", "dim")
    if broke.example.resolved is not None:
        said.append(f"  resolved on {place(broke.example.resolved)}", "dim")
    return said


# Groups -------------------------------------------------------------------------------------------


def label(key: Key, by: str) -> str:
    """What a group is called."""
    if key.is_rest:
        return f"other (past {MOST})"
    return f"no {by}" if key.value is None else clipped(printable(key.value), NAME)


def _groups(screen: Console, card: Card) -> None:
    by = card.scoring.wanted.by or ""
    screen.print()
    rows = [*card.groups, GroupScore(Key("all"), card.score)]
    if screen.width < WIDE:
        for each in rows[:-1]:
            _listed_group(screen, card, each, by)
        return
    table = _table(by, "", "lower>", "value>", "upper>", "band", "calls>")
    for each in rows:
        score, is_all = each.score, each is rows[-1]
        plain = not is_all and each.key.value is not None
        name = Text("all" if is_all else label(each.key, by), "" if plain else "dim")
        drawn = bar(score, score.value, score.lower, score.upper, BAR - 6, _signs(screen))
        value = Text("none yet", "yellow") if score.value is None else Text(card.written(score.value))
        numbers = [Text(card.written(score.lower), "bold"), value, Text(card.written(score.upper))]
        table.add_row(name, drawn, *numbers, _band(score), Text(f"{score.coverage.calls:,}"))
    screen.print(table)
    if any(each.key.is_rest for each in card.groups):
        rest = f"There are more than {MOST} values: those that came later are counted together, as `other`."
        indented(screen, Text(rest, "yellow"), 0)


def _band(score: Score) -> Text:
    doubt = Text("?" if score.provisional else "", "yellow")
    return Text(printable(score.band) or "-", _band_style(score)) + doubt


def _listed_group(screen: Console, card: Card, each: GroupScore, by: str) -> None:
    score = each.score
    said = Text(label(each.key, by))
    said.append(f"  {'none yet' if score.value is None else card.written(score.value)}  ")
    indented(screen, said + _band(score), 0)
    drawn = bar(score, score.value, score.lower, score.upper, _room(screen), _signs(screen))
    drawn.pad_left(2)
    screen.print(drawn, soft_wrap=True)
    low, high = card.written(score.lower), card.written(score.upper)
    indented(screen, Text(f"{low} to {high}, {plural(score.coverage.calls, 'call')}", "dim"), 2)
