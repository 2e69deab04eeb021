"""The process that checks, so that no answer has to share its interpreter with a check.

In: pickled `Task`s on standard input, from the server that started it.  Out: a pickled `Done` for each on
standard output.  It ends when its input does, so it never outlives the server.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from threading import Lock
from typing import IO, NamedTuple

from pactlang.diagnostic import has_errors
from pactlang.lsp.findings import Checked, analyse
from pactlang.lsp.style import Part, style

COMMAND = "from pactlang.lsp.worker import main; main()"


class Task(NamedTuple):
    """A text, the path of its file, and the parts of it whose style is not known;
    the texts of the other files that are open, by their real paths."""

    text: str
    path: str
    parts: tuple[Part, ...]
    texts: dict[str, str]


class Done(NamedTuple):
    """What is wrong with the text, and the style of its parts if nothing is."""

    checked: Checked
    styled: dict[str, str | None]


def carry_out(task: Task) -> Done:
    """Check a text, and format its parts."""
    checked = analyse(task.text, task.path, task.texts)
    wanted = () if has_errors(checked.found) else task.parts
    return Done(checked, {part.text: style(part) for part in wanted})


def main() -> None:
    """Carry out tasks until there are no more."""
    tasks, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing but answers goes there
    while True:
        try:
            task = pickle.load(tasks)
        except EOFError:
            return
        pickle.dump(carry_out(task), answers)
        answers.flush()


class Worker:
    """The process, started when it is first needed and again if it is gone."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.lock = Lock()

    def __call__(self, task: Task) -> Done:
        """Have a task carried out; blocks until it is.  Without a process it is done here."""
        with self.lock:
            for _ in range(2):
                try:
                    return self._ask(task)
                except (OSError, EOFError, pickle.UnpicklingError):
                    self.stop()
        return carry_out(task)

    def _ask(self, task: Task) -> Done:
        if self.process is None:
            command = [sys.executable, "-c", COMMAND]
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        asked, answered = self.process.stdin, self.process.stdout
        assert asked is not None and answered is not None
        _send(task, asked)
        done = pickle.load(answered)
        assert isinstance(done, Done)
        return done

    def stop(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


def _send(task: Task, stream: IO[bytes]) -> None:
    pickle.dump(task, stream)
    stream.flush()
