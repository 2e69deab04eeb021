"""`--plot FILE`: the score over time, with its bounds, the pact's bands and what broke critical clauses.

In: a `Scoring` with a history.  Out: a picture, PNG or SVG; the same calls give the same picture.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pactlang.cli.exits import Fault, reason
from pactlang.cli.screen import printable

if TYPE_CHECKING:
    from pactlang.cli.history import Point
    from pactlang.cli.scoring import Scoring

KINDS = (".png", ".svg")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)
SIZE, DOTS = (9.0, 4.5), 150  # inches, and dots per inch
SCORE, BREACH, LINE = "#0d74ce", "#ce2c31", "#8b8d98"
NAMED = 4  # clauses of the legend
LOOK: Any = {
    "svg.hashsalt": "pactlang", "svg.fonttype": "none", "font.size": 10, "axes.spines.top": False,
    "axes.spines.right": False, "axes.edgecolor": LINE,
}  # fmt: skip


def check(path: str) -> None:
    """A `Fault` if no picture can be drawn into this file."""
    if not path.lower().endswith(KINDS):
        raise Fault(f"`--plot {printable(path)}`: a picture is a .png or an .svg file")
    if find_spec("matplotlib") is None:
        raise Fault("`--plot` needs `pip install 'pactlang[plot]'`")


def draw(path: str, scoring: Scoring) -> None:
    """Write the picture.  A `Fault` if it cannot be written."""
    import matplotlib
    from matplotlib.figure import Figure

    assert scoring.history is not None
    points = list(scoring.history.points())
    with matplotlib.rc_context(LOOK):
        figure = Figure(figsize=SIZE, layout="constrained")
        _axes(figure.add_subplot(), scoring, points)
        dated = {"Date": None} if path.lower().endswith(".svg") else {"Software": None}
        try:
            figure.savefig(path, dpi=DOTS, metadata=dated)
        except OSError as error:
            raise Fault(f"cannot write {printable(path)}: {reason(error)}") from error


def _axes(axes: Any, scoring: Scoring, points: list[Point]) -> None:
    plan = scoring.whole.plan
    scale = plan.said.scale
    axes.set_ylim(0, scale * 1.02)
    axes.set_title(_plain(f"{scoring.program.name} {scoring.program.version}"), loc="left")
    axes.set_ylabel(f"score of {scale:,}")
    for name, least in plan.said.bands:
        axes.axhline(least / 10_000, color=LINE, linewidth=0.7, linestyle=(0, (4, 3)), zorder=0)
        axes.annotate(
            _plain(name), (1, least / 10_000), xycoords=("axes fraction", "data"), xytext=(4, 0),
            textcoords="offset points", va="center", color=LINE, annotation_clip=False,
        )  # fmt: skip
    if not points:
        axes.text(0.5, 0.5, "no call has a time", transform=axes.transAxes, ha="center", color=LINE)
        axes.set_xticks([])
        return
    _line(axes, points)
    _breaches(axes, points)
    axes.legend(loc="lower right", frameon=False, fontsize=8)


def _line(axes: Any, points: list[Point]) -> None:
    from matplotlib.dates import ConciseDateFormatter

    times = [_moment(point.time) for point in points]
    low, high = [p.score.lower for p in points], [p.score.upper for p in points]
    sure = f"{points[-1].score.confidence:.0%}"
    axes.fill_between(times, low, high, color=SCORE, alpha=0.18, linewidth=0, label=f"bounds, {sure} sure")
    valued = [(t, p.score.value) for t, p in zip(times, points, strict=True)]
    values = [float("nan") if value is None else value for _, value in valued]
    axes.plot(times, values, color=SCORE, linewidth=1.6, marker="o", markersize=2.5, label="score")
    formatter: Any = ConciseDateFormatter
    axes.xaxis.set_major_formatter(formatter(axes.xaxis.get_major_locator(), tz=UTC))
    if len(times) > 1:
        axes.set_xlim(times[0], times[-1])


def _breaches(axes: Any, points: list[Point]) -> None:
    """A mark for each time at which a critical clause was broken."""
    found: dict[str, list[tuple[datetime, float]]] = {}
    for point in points:
        for clause, time in point.broke:
            value = point.score.lower if point.score.value is None else point.score.value
            found.setdefault(clause, []).append((_moment(time), value))
    for number, (clause, marks) in enumerate(found.items()):
        times, values = zip(*marks, strict=True)
        label = _plain(f"{clause} broken") if number < NAMED else None
        axes.scatter(times, values, marker="xv^sDP*"[number % 7], color=BREACH, s=36, zorder=3, label=label)


def _plain(text: str) -> str:
    """A text that is drawn as it is: `$` begins no formula."""
    return printable(text).replace("$", r"\$")


def _moment(time: int) -> datetime:
    """Microseconds since 1970 as a date; the last one there is for times beyond."""
    try:
        return EPOCH + timedelta(microseconds=time)
    except OverflowError:
        return LATEST
