"""`--follow`: a log that is still being written, and what is found in it, as it comes.

In: the path of a file.  Out: a stream that waits at the end for more; and a line of text per broken
promise, per verdict that is unknown and per record that cannot be read.

A file that is replaced or cut short, as log rotation does, is read anew from its beginning, after what
was left of the old one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from rich.console import Console
from rich.text import Text

from pactlang.cli.screen import printable
from pactlang.cli.tally import UNKNOWN, VIOLATED
from pactlang.opcodes import Outcome

if TYPE_CHECKING:
    from pactlang.cli.audit import Checked, Place

PAUSE = 0.2  # seconds between two looks at a file that has not grown
STYLE = {"critical": "bold red", "major": "red", "minor": "yellow", "info": "cyan"}
ALL = 1 << 62


class Followed:
    """The bytes of a file and what is appended to it; `read` waits, and never comes to an end."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.file: BinaryIO = open(path, "rb", buffering=0)  # noqa: SIM115  (closed by who reads)
        self.in_line = False  # the last byte that was read is not the end of a line

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, as soon as there are some."""
        while not (data := self.file.read(size)):
            if not self._is_over():
                time.sleep(PAUSE)
            elif (
                data := self.file.read(size) or self._turn_over()
            ):  # it may have grown before it was replaced
                break
        self.in_line = not data.endswith(b"\n")
        return data

    def tell(self) -> int:
        """Bytes read of the file as it is now."""
        return self.file.tell()

    def close(self) -> None:
        """Read no more."""
        self.file.close()

    def _is_over(self) -> bool:
        """Whether another file has taken the place of this one, or it has become shorter."""
        mine = os.fstat(self.file.fileno())
        try:
            now = os.stat(self.path)
        except OSError:  # between the removal of the old file and the making of the new one
            return False
        return (now.st_ino, now.st_dev) != (mine.st_ino, mine.st_dev) or mine.st_size < self.file.tell()

    def _turn_over(self) -> bytes:
        """Begin anew.  Returns the end of a line that was begun, so that no two lines become one."""
        old, self.file = self.file, open(self.path, "rb", buffering=0)  # noqa: SIM115  (closed by who reads)
        old.close()
        return b"\n" if self.in_line else b""


class Live:
    """Says what is found in each block."""

    def __init__(self, screen: Console) -> None:
        self.screen = screen

    def show(self, checked: Checked) -> None:
        """A line per finding, in the order of the log."""
        found = sorted(self._findings(checked), key=lambda each: each[0])
        for _, text in found:
            self.screen.print(text, soft_wrap=True)

    def _findings(self, checked: Checked) -> Iterator[tuple[int, Text]]:
        for line, path, reason in checked.batch.undecodable:
            where = f"{checked.file}:{checked.block.number(line)}"
            yield (
                line,
                Text.assemble(
                    (where, "cyan"), ("  undecodable  ", "bold yellow"), printable(f"{path}: {reason}")
                ),
            )
        for row, found in checked.amended:
            if found.outcome is not Outcome.SATISFIED:
                word, at = found.outcome.name.lower(), f"came out on {found.at.file}:{found.at.line}"
                style = STYLE["major"] if found.outcome is Outcome.VIOLATED else "yellow"
                yield checked.lines[row], _line(found.place, word, style, f"{found.clause}: {at}")
        for column, name in enumerate(checked.batch.clauses):
            severity = checked.evaluator.program.clauses[column].severity
            for row in checked.rows(column, VIOLATED, ALL):
                for place, violation, _ in checked.evidence(row, name):
                    yield checked.lines[row], _line(place, severity, STYLE[severity], violation.message)
            for row in checked.rows(column, UNKNOWN, ALL):
                doubt = checked.doubt(row, column)
                yield checked.lines[row], _line(doubt.place, "unknown", "yellow", f"{name}: {doubt.reason}")


def _line(place: Place, word: str, style: str, message: str) -> Text:
    id_ = "" if place.id == place.line else f"  {printable(str(place.id))}"
    return Text.assemble(
        (f"{place.file}:{place.line}", "cyan"), id_, (f"  {word}  ", style), printable(message)
    )
