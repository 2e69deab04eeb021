"""Exit codes, and the one exception that ends a command with a sentence.

Every code has one meaning for all commands; `HELP` is what `pactc --help` prints of them.
"""

from __future__ import annotations

import click

FINE = 0
# Errors (check, build, fmt, test), another style (fmt --check); a failed test (test); a broken promise
# that --fail-on asks about (run); a broken chain (ledger).
FOUND = 1
UNABLE = 2
PARTIAL = 3
FAULT = 70  # EX_SOFTWARE of sysexits.h
INTERRUPTED = 130  # 128 + SIGINT
CLOSED_PIPE = 141  # 128 + SIGPIPE

HELP = """\b
Exit codes:
    0  done, and nothing to complain of
    1  check, build, fmt, test: the pact has errors; fmt --check: it has another style;
       test: a test fails;
       run: a promise is broken (--fail-on);
       replay: the new pact is weaker, or what else --fail-on asks about;
       ledger verify: what is stored is not what was written
    2  not done: wrong usage, a file that cannot be read or written,
       a pact that does not compile (run, score, replay, explain), no such call (explain)
    3  done in part: an input breaks off, none of its records is readable, or (run,
       score, replay) none has a field that the pact reads
   70  a fault in pactc itself (PACT_DEBUG=1 shows where)
  130  interrupted
  141  the reader of the output went away
"""


class Fault(click.ClickException):
    """Ends the command: `message` is shown after `error:`, `hint` below it."""

    exit_code = UNABLE

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def reason(error: BaseException) -> str:
    """Why an operation failed, in words for a person: the system's own, without numbers and classes."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[0].lower() + error.strerror[1:]
    return str(error) or type(error).__name__
