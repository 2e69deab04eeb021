"""How everything here is measured: what a file of `benchmarks/` needs beside its own question.

In: sides, each one way to the same answers about the same inputs.  Out: what each costs in process CPU
time, and rows of markdown tables in the READMEs.

The one idea: the sides take turns on a block of inputs, every answer is read while the clock runs, and
a side that gives another answer than the reference ends the run.

    chosen = parse(options(__doc__))                       # --records --rounds --quick --write
    agree(sides, inputs, wanted)                           # every answer, one by one
    costs = race(sides, inputs, wanted, chosen.rounds)
    rows = [at_most("20 rules against decoding", 1.45, costs["ours"] / costs["msgspec"], detail(costs))]
    report("rules", rows, chosen, ["msgspec"])             # prints; with --write also into README.md
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
README = HERE / "README.md"
BLOCK = 1000  # inputs of one turn: decoded records of that many are about 5 MB
QUICK = 60  # records of a run that only shows that all sides agree

# What is run ------------------------------------------------------------------------------------------


def options(doc: str | None, records: int = 5000, rounds: int = 15) -> argparse.ArgumentParser:
    """The options that every benchmark has; the first line of its docstring describes it."""
    parser = argparse.ArgumentParser(description=(doc or "").split("\n")[0])
    parser.add_argument("--records", type=int, default=records, help="distinct records")
    parser.add_argument("--rounds", type=int, default=rounds, help="turns of every side")
    parser.add_argument("--quick", action="store_true", help="few records, one round: do all sides agree?")
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    return parser


def parse(parser: argparse.ArgumentParser, pinned: bool = True) -> argparse.Namespace:
    """The options of this run, which stays on one core unless it is not to be pinned."""
    chosen = parser.parse_args()
    if chosen.quick and chosen.write:
        parser.error("--quick measures nothing that is worth writing")
    if chosen.quick:
        chosen.records, chosen.rounds = min(chosen.records, QUICK), 1
    if pinned:
        pin()
    return chosen


def pin() -> None:
    """Stay on one core, if the system lets a process choose; the last of those it may use."""
    if hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def installed(packages: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those of the packages that are installed, and those that are not."""
    found: list[str] = []
    missing: list[str] = []
    for package in packages:
        try:
            version(package)
        except PackageNotFoundError:
            missing.append(package)
        else:
            found.append(package)
    return found, missing


# Sides ------------------------------------------------------------------------------------------------


class Side(NamedTuple):
    """One way to the answers.

    made(part) gives what `check` is called on, outside the clock, from a part of a block's inputs: one
    each, or fewer if it takes several at once.  read(answer) makes a number of an answer, within the
    clock; without it `check` gives the number.  says(wanted) is that number by the reference's answer.
    every: a slow side is asked about one input of so many.
    """

    name: str
    check: Callable[[Any], Any]
    read: Callable[[Any], int] | None = None
    says: Callable[[Any], int] = int
    made: Callable[[Sequence[Any]], Sequence[Any]] = list
    every: int = 1

    def answers(self, made: Sequence[Any]) -> Iterator[int]:
        given = map(self.check, made)
        return given if self.read is None else map(self.read, given)


class Cost(NamedTuple):
    """Nanoseconds per input: the least and the median turn of every block, averaged over the blocks."""

    name: str
    least: float
    median: float
    inputs: int

    def __truediv__(self, other: Cost) -> float:
        """How many times the other's cost this is, by the least turns."""
        return self.least / other.least


def agree(sides: Sequence[Side], inputs: Sequence[Any], wanted: Sequence[Any], block: int = BLOCK) -> None:
    """End the run, with the input, if a side answers something else than it should."""
    for side in sides:
        for start in range(0, len(inputs), block):
            part = inputs[start : start + block : side.every]
            right = [side.says(each) for each in wanted[start : start + block : side.every]]
            made = side.made(part)
            found = list(side.answers(made))
            if len(made) == len(part):
                _compare(side.name, found, right, part)
            elif sum(found) != sum(right):
                raise SystemExit(f"{side.name}: {sum(found)} instead of {sum(right)} from input {start} on")


def _compare(name: str, found: Sequence[int], right: Sequence[int], part: Sequence[Any]) -> None:
    for answer, want, each in zip(found, right, part, strict=True):
        if answer != want:
            raise SystemExit(f"{name}: {answer} instead of {want} on {each!r}")


def race(
    sides: Sequence[Side],
    inputs: Sequence[Any],
    wanted: Sequence[Any],
    rounds: int,
    block: int = BLOCK,
    warm: bool = True,
) -> dict[str, Cost]:
    """The cost of every side per input; they take turns on every block.

    warm: a side passes the block once before its turn, so that it is in the cache: a call is checked
    when it has just been received or decoded.  The sum of the numbers read must be the reference's.
    """
    least, median, seen = ([0.0] * len(sides) for _ in range(3))
    for start in range(0, len(inputs), block):
        part, right = inputs[start : start + block], wanted[start : start + block]
        runs = [_turn(side, part, right) for side in sides]
        times: list[list[int]] = [[] for _ in sides]
        with frozen():
            for _ in range(rounds):
                for run, spent in zip(runs, times, strict=True):
                    if warm:
                        run()
                    spent.append(run())
        for i, (side, spent) in enumerate(zip(sides, times, strict=True)):
            least[i] += min(spent)
            median[i] += statistics.median(spent)
            seen[i] += len(range(start, min(start + block, len(inputs)), side.every))
    every = zip(sides, least, median, seen, strict=True)
    return {side.name: Cost(side.name, low / n, mid / n, int(n)) for side, low, mid, n in every}


def _turn(side: Side, part: Sequence[Any], wanted: Sequence[Any]) -> Callable[[], int]:
    """What a side does in its turn: nanoseconds of CPU time for its part of the block."""
    made = side.made(part[:: side.every])
    right = sum(side.says(each) for each in wanted[:: side.every])

    def run() -> int:
        before = time.process_time_ns()
        found = sum(side.answers(made))
        spent = time.process_time_ns() - before
        if found != right:
            raise SystemExit(f"{side.name}: {found} instead of {right} while it was timed")
        return spent

    return run


@contextmanager
def frozen() -> Iterator[None]:
    """What lives now is nothing that the garbage collector looks at."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


# Rows and tables --------------------------------------------------------------------------------------


class Row(NamedTuple):
    """A question's answer.  headline: one of those that stand in the main README too."""

    figure: str
    target: str
    measured: str
    how: str
    reached: bool
    headline: bool = False

    @property
    def met(self) -> str:
        return "yes" if self.reached else "no"


COLUMNS = ("figure", "target", "measured", "met", "how")


def at_most(figure: str, limit: float, ratio: float, how: str, headline: bool = False) -> Row:
    """A row for a cost that must not be more than `limit` times another."""
    return Row(figure, f"<= {limit:g}x", f"{ratio:.2f}x", how, ratio <= limit, headline)


def faster(figure: str, times: float, ratio: float, how: str, headline: bool = False) -> Row:
    """A row for a cost of which another is `ratio` times, and must be `times` times or more."""
    digits = 1 if ratio >= 10 else 2
    return Row(figure, f">= {times:g}x faster", f"{ratio:.{digits}f}x faster", how, ratio >= times, headline)


def detail(costs: Mapping[str, Cost], unit: str = "ns per call", scale: float = 1.0) -> str:
    """The least cost of every side, and the median in brackets, divided by `scale` for the unit."""
    each = (f"{c.name} {short(c.least / scale)} ({short(c.median / scale)})" for c in costs.values())
    return f"{unit}: {', '.join(each)}"


def short(value: float) -> str:
    """A number with three digits, or those before the point if they are more."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f}"


def markdown(rows: Sequence[Any], columns: Sequence[str] = COLUMNS) -> str:
    """A table of these attributes of the rows; a headline's figure is bold."""
    lines = [list(columns), ["---"] * len(columns)]
    lines += [[_cell(row, column) for column in columns] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(row: Any, column: str) -> str:
    text = str(getattr(row, column)).replace("|", "\\|")
    return f"**{text}**" if column == "figure" and getattr(row, "headline", False) else text


def machine() -> str:
    """The interpreter, the processor, the system, and what is measured."""
    import pactlang

    system = f"{platform.system()} {platform.release().split('-')[0]}"
    return f"Python {platform.python_version()}, {cpu()}, {system}, pactlang {pactlang.__version__}, one core"


def cpu() -> str:
    """What Linux says the processor is."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "")


def report(
    section: str,
    rows: Sequence[Any],
    chosen: argparse.Namespace,
    packages: Sequence[str] = (),
    note: str = "",
    columns: Sequence[str] = COLUMNS,
) -> None:
    """Print a table under its command, machine and versions; with --write put it into README's section.

    packages: the distributions of the peers.  One that is missing is named, and its row left out by
    whoever asks; a table with a row missing is not written.
    """
    found, missing = installed(packages)
    peers = "".join(f", {package} {version(package)}" for package in found)
    command = " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]])
    head = [f"`{command}` on {machine()}{peers}."]
    head += [note] if note else []
    head += [f"Not installed, and left out: {', '.join(missing)}."] if missing else []
    table = "\n".join([" ".join(head), "", markdown(rows, columns)])
    print(table)
    if chosen.write and missing:
        raise SystemExit(f"{section}: not written, for a peer is missing")
    if chosen.write:
        write(README, table, section)


def write(path: Path, table: str, section: str = "figures") -> None:
    """Put a table between the two marks of a document's section."""
    before, mark, rest = path.read_text("utf-8").partition(f"<!-- {section} -->\n")
    _, end, after = rest.partition(f"<!-- end of {section} -->")
    if not (mark and end):
        raise SystemExit(f"{path} has no place for {section}")
    path.write_text(f"{before}{mark}{table}\n{end}{after}", "utf-8")
