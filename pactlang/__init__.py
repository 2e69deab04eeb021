"""pactlang: every call of an AI agent answers to a contract.

    program = pactlang.load("support.pact")
    verdict = pactlang.Evaluator(program).check(call)

A `.pact` file says what each call must satisfy; `compile` and `load` make a `Program` of it, and an
`Evaluator` judges calls with it, a `Monitor` by what came before them, too.  `expression` is CEL alone.
See README.md, and grammar/README.md for the language.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pactlang.build import compile, load
    from pactlang.cel import Expression, expression
    from pactlang.errors import (
        CompileError,
        ExpressionError,
        LedgerError,
        PactError,
        ProgramError,
        RecordError,
    )
    from pactlang.evaluator import Evaluator, Fleet, Monitor
    from pactlang.guard import Guard
    from pactlang.ledger import Ledger
    from pactlang.program import Program
    from pactlang.values import UInt
    from pactlang.verdict import Amendment, Batch, Outcome, Verdict, Violation

__version__ = "0.1.0"

_HOMES = {
    "compile": "build", "load": "build", "CompileError": "errors", "PactError": "errors",
    "ProgramError": "errors", "RecordError": "errors", "Evaluator": "evaluator", "Fleet": "evaluator",
    "Monitor": "evaluator", "Amendment": "verdict", "Score": "score", "Scorer": "score",
    "Guard": "guard", "Ledger": "ledger", "LedgerError": "errors", "Program": "program",
    "Expression": "cel", "ExpressionError": "errors", "expression": "cel",
    "UInt": "values", "Batch": "verdict", "Outcome": "verdict", "Verdict": "verdict", "Violation": "verdict",
}  # fmt: skip

__all__ = [
    "Amendment", "Batch", "CompileError", "Evaluator", "Expression", "ExpressionError", "Fleet", "Guard",
    "Ledger", "LedgerError", "Monitor", "Outcome", "PactError", "Program", "ProgramError", "RecordError",
    "Score", "Scorer", "UInt", "Verdict", "Violation", "compile", "expression", "load",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import pactlang` costs next to nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'pactlang' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"pactlang.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, also those that nobody has used yet."""
    return sorted({*__all__, "__version__", "__doc__", "__name__", "__path__"})
