"""Check a pact: names become slots, every expression gets a type, every mistake a diagnostic.

In: `syntax.Pact` with its imports merged (`link`), and its `Source`.  Out: `ir.Module`, or None if there is
an error, and diagnostics in source order.

One walk, top down.  An expression that fails gets the type ERROR, which agrees with everything, so one
mistake is reported once.  Lets and events are checked when a clause first uses them, so that slots come
in the order of first use; what no clause uses is checked last, and leaves nothing in the program.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pactlang import ir, syntax
from pactlang.check.alone import check_alone, prefixes
from pactlang.check.pact import Check
from pactlang.diagnostic import Diagnostic, Label
from pactlang.source import Source

__all__ = ["check", "check_alone", "prefixes"]


def check(
    pact: syntax.Pact, source: Source, bases: Mapping[str, bytes | str] | None = MappingProxyType({})
) -> tuple[ir.Module | None, tuple[Diagnostic, ...]]:
    """The typed pact, or None if there is an error; and what was found, in source order.

    bases: files of baselines by their names in the pact, or why there is none; None: for a look at a log that
    is to give them, which needs none.
    """
    try:
        return Check(pact, source, bases).run()
    except RecursionError:
        # The caller had most of Python's stack in use: the limits of `walk` suppose that it is free.
        message = "this pact nests too deeply for the stack that is left"
        return None, (Diagnostic("nested-too-deep", message, Label(pact.name.span)),)
