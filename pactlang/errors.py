"""The exceptions of the public face; nothing else is raised at a user.

`PactError` is their parent.  A mistake in a pact is a `CompileError` that holds diagnostics, an
unusable artifact a `ProgramError`, an unreadable record a `RecordError`, a ledger that cannot be read
or written a `LedgerError`, an expression without a value an `ExpressionError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pactlang.diagnostic import Diagnostic
    from pactlang.source import Source


class PactError(Exception):
    """Anything pactlang raises on purpose."""


class CompileError(PactError):
    """A pact that does not compile.  `.diagnostics` in source order, `.source` the text they point into."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...], source: Source, rendered: str = "") -> None:
        super().__init__(rendered or "\n".join(f"{d.level}[{d.code}]: {d.message}" for d in diagnostics))
        self.diagnostics = diagnostics
        self.source = source


class ProgramError(PactError):
    """Bytes that are not a program this version can run; the message says why."""


class RecordError(PactError):
    """A record that cannot be decoded.  `.path` is a JSON path such as `$.usage.input_tokens`."""

    def __init__(self, reason: str, path: str = "$") -> None:
        super().__init__(f"{path}: {reason}" if path != "$" else reason)
        self.reason = reason
        self.path = path


class LedgerError(PactError):
    """A ledger that cannot be opened, read or written.  `.waiting` calls are held and will be tried again,
    `.lost` calls are in no ledger and never will be."""

    def __init__(self, message: str, waiting: int = 0, lost: int = 0) -> None:
        super().__init__(message)
        self.waiting = waiting
        self.lost = lost


class ExpressionError(PactError):
    """The value of an expression is an error value.  `.code`: a word such as `no-such-key`; `.span`: where
    in the text, as character offsets; `.source`: the text."""

    def __init__(self, code: str, message: str, span: tuple[int, int], source: Source) -> None:
        super().__init__(message)
        self.code = code
        self.span = span
        self.source = source
