"""A progress bar on standard error, on a terminal only.

In: inputs and what has been read of them.  Out: nothing that a file or a pipe would ever hold.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pactlang.cli.evidence import clipped
from pactlang.cli.input import Input

if TYPE_CHECKING:
    from rich.progress import Progress

NAME = 24  # characters of a file's name beside the bar


class Bar:
    """How far the run has come, in stored bytes; a bar without an end where a length is not known."""

    def __init__(self, inputs: Sequence[Input]) -> None:
        self.before = 0
        sizes = [given.size for given in inputs]
        self.total = None if None in sizes else sum(size for size in sizes if size is not None)
        self.progress = _progress() if sys.stderr is not None and sys.stderr.isatty() else None
        self.task = None if self.progress is None else self.progress.add_task("", total=self.total, calls=0)

    def __enter__(self) -> Bar:
        if self.progress is not None:
            self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.progress is not None:
            self.progress.stop()

    def at(self, given: Input, records: int) -> None:
        """A block of `given` has been judged; `records` so far, over all inputs."""
        if self.progress is not None and self.task is not None:
            done = self.before + given.position
            name = clipped(given.name.rpartition("/")[2], NAME)
            self.progress.update(self.task, completed=done, description=name, calls=records)

    def done(self, given: Input) -> None:
        """All of `given` has been read."""
        self.before += given.size or 0


def _progress() -> Progress:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    from pactlang.cli.screen import console

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[calls]:,} records", markup=False),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console(sys.stderr), transient=True, refresh_per_second=8)
