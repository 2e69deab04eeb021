"""`pactc demo`: a support agent at work, guarded live.

In: how many calls, a seed, a speed, perhaps a ledger.  Out: on a terminal a table that lives, else a
line per finding; at the end a summary.  The same seed gives the same calls and the same verdicts.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import aclosing, nullcontext
from importlib import resources
from typing import TYPE_CHECKING, Any

import click

from pactlang.cli import exits
from pactlang.cli.facts import plural
from pactlang.cli.screen import console, printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from pactlang.guard import Guard, Verification
    from pactlang.program import Program

SHOWN = 8  # findings on the live screen
PACE = 25.0  # calls per second on a terminal
WORDS = ("satisfied", "violated", "skipped", "unknown")


@click.command("demo", short_help="Watch a small agent work under a guard.")
@click.option("--calls", type=click.IntRange(min=1), default=200, show_default=True, metavar="N",
              help="Calls to make.")  # fmt: skip
@click.option("--seed", type=int, default=3, show_default=True, metavar="S",
              help="The same seed gives the same calls.")  # fmt: skip
@click.option("--speed", type=click.FloatRange(min=0), metavar="X",
              help="Calls per second, 0 without pause.  [default: 25 on a terminal, else 0]")  # fmt: skip
@click.option("--ledger", type=click.Path(dir_okay=False), metavar="PATH",
              help="Store the calls in this ledger.")  # fmt: skip
def command(calls: int, seed: int, speed: float | None, ledger: str | None) -> int:
    """Run a support agent with tools, wrapped in a guard, and watch its calls being judged.

    The agent, its model and its tools are part of pactlang and need no network.  The pact it works
    under is `examples/demo.pact` of the package.
    """
    from pactlang import Guard, compile

    text = resources.files("pactlang").joinpath("examples/demo.pact").read_text("utf-8")
    program = compile(text, name="demo.pact")
    screen = console()
    show = Show(program, screen, calls)
    from pactlang.cli.shop import PRICES

    guard = Guard(program, ledger, prices=PRICES, on_verdict=show.see)
    pace = speed if speed is not None else PACE if screen.is_terminal else 0.0
    interrupted = False
    with show.live():
        try:
            asyncio.run(_work(guard, calls, seed, pace))
        except KeyboardInterrupt:
            interrupted = True
        guard.close()
    show.summary(guard, ledger)
    return exits.INTERRUPTED if interrupted else exits.FINE


async def _work(guard: Guard, calls: int, seed: int, pace: float) -> None:
    from pactlang.cli.shop import Agent

    begun, done = time.monotonic(), 0
    async with aclosing(Agent(guard, seed).serve()) as steps:
        async for _ in steps:
            done += 1
            if done >= calls:
                return
            wait = begun + done / pace - time.monotonic() if pace else 0.0
            if wait > 0:
                await asyncio.sleep(wait)


class Show:
    """What has been seen so far: per clause its outcomes, and the newest findings."""

    def __init__(self, program: Program, screen: Console, calls: int) -> None:
        self.program, self.screen, self.wanted = program, screen, calls
        self.outcomes = {clause.name: [0, 0, 0, 0] for clause in program.clauses}
        self.newest: deque[Any] = deque(maxlen=SHOWN)
        self.calls = self.findings = 0
        self.severity = {clause.name: clause.severity for clause in program.clauses}

    def see(self, one: Verification) -> None:
        """Take in the verdict on one call; the guard calls this, in order."""
        self.calls += 1
        if one.verdict is None:
            return
        for clause, outcome in one.verdict.outcomes.items():
            self.outcomes[clause][outcome] += 1
        for violation in one.verdict.violations:
            self._find(one, violation.clause, violation.message.removeprefix(f"{violation.clause}: "))
        for clause in one.verdict.unknown:
            self._find(one, clause, "could not be decided")

    def _find(self, one: Verification, clause: str, message: str) -> None:
        from rich.text import Text

        from pactlang.cli.report import SEVERITY

        call = one.call
        what = call.tool or call.kind
        line = Text.assemble(
            (f"{call.session} call {call.seq}", "cyan"), f"  {printable(what)}  ",
            (clause, SEVERITY.get(self.severity[clause], "")), f"  {printable(message)}",
        )  # fmt: skip
        self.findings += 1
        self.newest.append(line)
        if not self.screen.is_terminal:
            self.screen.print(line, soft_wrap=True)

    # The screen

    def live(self) -> Any:
        """A context in which the screen follows; nothing where there is no terminal."""
        if not self.screen.is_terminal:
            return nullcontext()
        from rich.live import Live

        return Live(get_renderable=self._render, console=self.screen, refresh_per_second=12, transient=True)

    def _render(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        broken = sum(found[1] for found in self.outcomes.values())
        head = Text.assemble((f"{self.program.name} {self.program.version}", "bold"), f"  {self.calls:,} of ")
        head.append(f"{plural(self.wanted, 'call')}, {broken:,} broken promises")
        feed = [Text.assemble("  ", line) for line in self.newest]
        for line in feed:
            line.no_wrap, line.overflow = True, "ellipsis"
        return Group(head, self._table(), *feed)

    def _table(self) -> RenderableType:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        from pactlang.cli.report import SEVERITY

        table = Table(
            box=box.SIMPLE, pad_edge=False, show_edge=False, header_style="dim", padding=(0, 1, 0, 0)
        )
        table.add_column("clause", overflow="fold", min_width=8)
        table.add_column("severity")
        for name in (*WORDS, "coverage"):
            table.add_column(name, justify="right", no_wrap=True)
        for clause, found in self.outcomes.items():
            severity = self.severity[clause]
            style = SEVERITY.get(severity, "") if found[1] else "dim"
            cells = [
                Text(f"{n:,}", s if n else "dim")
                for n, s in zip(found, ("", style, "dim", "yellow"), strict=True)
            ]
            table.add_row(Text(clause), Text(severity, style), *cells, Text(coverage(found), "dim"))
        return table

    def summary(self, guard: Guard, ledger: str | None) -> None:
        """The end of the run: all counts."""
        from rich.text import Text

        self.screen.print()
        counts = guard.counts
        made = f"{plural(counts.calls, 'call')} made, {counts.judged:,} judged"
        self.screen.print(Text(f"{made}, {counts.undecodable:,} undecodable", "bold"))
        line = f"{counts.violated:,} break a promise, {counts.unknown:,} have one that could not be decided"
        self.screen.print(Text(f"{line}, {counts.failed:,} failed"))
        self.screen.print()
        self.screen.print(self._table())
        if ledger is not None:
            kept = counts.calls - counts.unstored
            self.screen.print(Text(f"{printable(ledger)} holds {plural(kept, 'call')} of this run"))


def coverage(outcomes: list[int]) -> str:
    """The share of calls on which a clause was decided."""
    calls = sum(outcomes)
    return f"{(outcomes[0] + outcomes[1]) / calls:.0%}" if calls else "-"
