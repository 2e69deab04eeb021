"""Costs that grow: measured step by step, as a table and as a plot.

In: the steps, and what is run at each.  Out: rows with a column per step, and a PNG with a line per side
on logarithmic scales.  It has a ground of its own, so that it reads the same on light and on dark pages;
colours stay apart for colour-blind eyes, and each line has a mark of its own too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from measure import Cost, short

FOLDER = Path(__file__).parent / "plots"
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7a5c00", "#56b4e9"]
MARKS = "osD^vP"
INK, FAINT, GROUND = "#24292f", "#d0d7de", "#ffffff"

Grown = dict[str, dict[int, Cost]]  # side -> step -> cost


def grown(steps: Sequence[int], run: Callable[[int], Mapping[str, Cost]]) -> Grown:
    """What every side costs at every step."""
    found: Grown = {}
    for step in steps:
        for name, cost in run(step).items():
            found.setdefault(name, {})[step] = cost
    return found


class Line:
    """A row of a table: a side, and its cost in microseconds at every step."""

    def __init__(self, side: str, costs: Mapping[int, Cost]) -> None:
        self.side = side
        for step, cost in costs.items():
            setattr(self, f"{step:,}", short(cost.least / 1000))


def table(costs: Grown) -> tuple[list[Line], list[str]]:
    """The rows, and the names of their columns."""
    steps = [f"{step:,}" for step in next(iter(costs.values()))]
    return [Line(side, each) for side, each in costs.items()], ["side", *steps]


def panel(title: str, costs: Grown) -> Panel:
    """A panel of these costs in microseconds."""
    lines = {side: [(step, cost.least / 1000) for step, cost in each.items()] for side, each in costs.items()}
    return Panel(title, lines)


class Panel(NamedTuple):
    """Name of a line -> its points; lines of the same name have one colour in all panels."""

    title: str
    lines: dict[str, Sequence[tuple[float, float]]]


def draw(name: str, title: str, x: str, y: str, panels: Sequence[Panel]) -> Path:
    """Write plots/NAME.png; x and y say what is measured, in which unit."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    names = list(dict.fromkeys(name for panel in panels for name in panel.lines))
    style = {"font.size": 11, "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK}
    with mpl.rc_context(style):
        figure, all_axes = plt.subplots(
            1, len(panels), figsize=(5 * len(panels) + 2.6, 4.6), sharey=True, squeeze=False, layout="tight"
        )
        for axes, panel in zip(all_axes[0], panels, strict=True):
            _panel(axes, panel, names, x)
        all_axes[0][0].set_ylabel(y)
        figure.suptitle(title, fontsize=13, fontweight="bold", color=INK)
        _legend(figure, all_axes[0], names)
        FOLDER.mkdir(exist_ok=True)
        path = FOLDER / f"{name}.png"
        figure.savefig(path, dpi=130, facecolor=GROUND, metadata={"Software": None})
        plt.close(figure)
    return path


def _panel(axes: Any, panel: Panel, names: Sequence[str], x: str) -> None:
    for name, points in panel.lines.items():
        number = names.index(name)
        axes.plot(
            *zip(*points, strict=True),
            color=COLOURS[number],
            marker=MARKS[number],
            markersize=5,
            linewidth=2.6 if number == 0 else 1.6,
            label=name,
            zorder=10 - number,
        )
    axes.set(xscale="log", yscale="log", xlabel=x, title=panel.title)
    ticks = sorted({point[0] for points in panel.lines.values() for point in points})
    axes.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks], rotation=0)
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.grid(color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK)
    axes.spines[["top", "right"]].set_visible(False)


def _legend(figure: Any, all_axes: Sequence[Any], names: Sequence[str]) -> None:
    """Beside the last panel, in the order in which its lines end."""
    lines = {line.get_label(): line for axes in all_axes for line in axes.get_lines()}
    ends = {name: line.get_ydata()[-1] for name, line in lines.items()}
    order = sorted(names, key=lambda name: -ends[name])
    all_axes[-1].legend(
        [lines[name] for name in order], order, loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False
    )
