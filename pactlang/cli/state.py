"""`--state FILE`: what a monitor remembers, kept between two runs.

In: a path.  Out: a monitor that goes on from it; the file, whole or as it was before.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING

from pactlang.cli.exits import Fault, reason
from pactlang.cli.screen import printable

if TYPE_CHECKING:
    from pactlang.evaluator import Monitor
    from pactlang.program import Program


def monitor_of(program: Program, path: str | None, doubts: bool = False) -> Monitor:
    """A monitor, with the state of a file if there is one.  doubts: fields of some calls are not known."""
    data = None if path is None else read(path)
    try:
        return restored(program, data, doubts)
    except ValueError as error:
        raise Fault(f"cannot go on from {printable(path or '')}: {printable(str(error))}") from error


def restored(program: Program, data: bytes | None, doubts: bool = False) -> Monitor:
    """A monitor with a state, if there is one.  ValueError if that is none of this pact."""
    from pactlang.build import doubting
    from pactlang.evaluator import Monitor

    pact = doubting(program) if doubts else program
    return Monitor(pact) if data is None else Monitor.restore(pact, data)


def read(path: str) -> bytes | None:
    """The bytes of a file, None if there is none."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise Fault(f"cannot read {printable(path)}: {reason(error)}") from error


def save(monitor: Monitor, path: str) -> None:
    """Put the state into the place of the file, in one step."""
    write(path, monitor.snapshot())


def write(path: str, data: bytes) -> None:
    """Put bytes into the place of a file, in one step."""
    folder = os.path.dirname(os.path.abspath(path))
    made = ""
    try:
        held, made = tempfile.mkstemp(prefix=".pactc-state-", dir=folder)
        with os.fdopen(held, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(made, path)
    except (OSError, ValueError) as error:
        with suppress(OSError):
            os.unlink(made)
        raise Fault(f"cannot write {printable(path)}: {reason(error)}") from error
