"""From a pact's text to its program: the one place that knows the order of the front half.

In: a `Source` and the `Library` of its imports, or the path of a `.pact` or `.pactc`.  Out: `Program`, and
diagnostics.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from pathlib import Path
from typing import TYPE_CHECKING

from pactlang import program
from pactlang.diagnostic import ERROR, Diagnostic, has_errors, in_order
from pactlang.errors import CompileError, ProgramError
from pactlang.program import Program
from pactlang.source import Source

if TYPE_CHECKING:
    from pactlang.cost import Costs
    from pactlang.ir import Module
    from pactlang.link import Library, Linked
    from pactlang.program import Bound
    from pactlang.syntax import Pact


def compile_source(
    source: Source, library: Library | None = None
) -> tuple[Program | None, tuple[Diagnostic, ...]]:
    """The program, None if a diagnostic is an error; diagnostics in source order.

    Of a pact that imports, their places are in `linked(source, library).source`.
    """
    return compile_linked(linked(source, library))


def checked(source: Source, library: Library | None = None) -> tuple[Module | None, tuple[Diagnostic, ...]]:
    """The typed pact, None if a diagnostic is an error; diagnostics as of `compile_source`."""
    return check_linked(linked(source, library))


def linked(source: Source, library: Library | None = None) -> Linked:
    """A pact parsed, with all that it imports in place; without a library it can import `std/...` only."""
    from pactlang.link import link

    return link(source, library)


def compile_linked(
    whole: Linked, draft: bool = False
) -> tuple[Program | None, tuple[Diagnostic, ...]]:
    """The program, None if a diagnostic is an error; diagnostics in source order; draft as there."""
    from pactlang.emit import emit
    from pactlang.fold import fold_module

    module, found = check_linked(whole, draft)
    if module is None:
        return None, found
    folded = fold_module(module)
    bound, over = bounded(folded)
    if has_errors(over):
        return None, in_order((*found, *over))
    compiled, last = emit(module, whole.source, folded, bound, whole.imports)
    return compiled, in_order((*found, *last))


def check_linked(whole: Linked, draft: bool = False) -> tuple[Module | None, tuple[Diagnostic, ...]]:
    """The typed pact, None if a diagnostic is an error; diagnostics in source order.  draft: for a look at a
    log that is to give the baselines that the pact names."""
    from pactlang.check import check

    pact, source, found = whole.pact, whole.source, whole.found
    if pact is None:
        return None, found
    module, more = check(pact, source, None if draft else whole.bases)
    more = tuple(map(whole.told, more))
    if has_errors(found):
        return None, in_order((*found, *beside(found, more, pact)))
    return module, in_order((*found, *more))


def bounded(folded: Module) -> tuple[Bound | None, tuple[Diagnostic, ...]]:
    """Where the machine is to stop, if the pact has a budget; a diagnostic if its calls may need more."""
    from pactlang.cost import cost, over_budget

    if folded.budget is None:
        return None, ()
    costs = cost(folded)
    return costs.bound, over_budget(folded, costs)


def costs_of(module: Module) -> Costs:
    """What a call costs at worst: of the pact as it is compiled, with its constant parts computed."""
    from pactlang.cost import cost
    from pactlang.fold import fold_module

    return cost(fold_module(module))


def doubting(known: Program) -> Program:
    """The same pact, for calls of which some fields are not known, whatever their types: they are error
    values, and no code relies on their not being so."""
    from pactlang.emit import emit
    from pactlang.fold import fold_module

    folded = fold_module(known.module)
    bound, _ = bounded(folded)
    made, _ = emit(known.module, known.source, folded, bound, known.imports, doubting=True)
    if made is None:
        raise ProgramError("the pact is too large for calls of which fields are not known")
    made.digest = known.digest  # it says the same
    return made


def beside(found: tuple[Diagnostic, ...], more: tuple[Diagnostic, ...], pact: Pact) -> list[Diagnostic]:
    """What the checker says of a pact with mistakes of syntax or of imports, less what those may have
    caused: all about a declaration that holds one, and unknown names where a whole declaration may be
    missing."""
    items = sorted(item.span for item in pact.items)
    starts = [span.start for span in items]
    damaged: set[int] = set()
    missing = False
    for place in (d.primary.span.start for d in found if d.level == ERROR):
        at = bisect_right(starts, place) - 1
        inside = at >= 0 and place <= items[at].end
        damaged |= {at} if inside else set()
        missing = missing or not inside or place == starts[at]
    return [
        d
        for d in more
        if d.level == ERROR
        and bisect_right(starts, d.primary.span.start) - 1 not in damaged
        and not (missing and d.code.startswith("unknown-"))
    ]


def compile(text: str, name: str = "<text>", folder: str | Path | None = None) -> Program:
    """Compile a pact's text.

    Raises CompileError with `.diagnostics` in source order; its text is the terminal rendering.
    `name` stands in messages where a file's name would.  What the text imports is read from `folder`;
    without one it can import `std/...` only.
    """
    if not isinstance(text, str):
        raise TypeError(f"expected a pact's text as a str, found {type(text).__name__}")
    from pactlang.link import Library

    library = Library(None if folder is None else os.fspath(folder))
    return _compiled(linked(Source(name, text), library))


def _compiled(whole: Linked) -> Program:
    compiled, diagnostics = compile_linked(whole)
    if compiled is None:
        raise failure(diagnostics, whole.source)
    return compiled


def failure(diagnostics: tuple[Diagnostic, ...], source: Source) -> CompileError:
    """The exception for a pact that does not compile."""
    from pactlang.render import render_all

    return CompileError(diagnostics, source, render_all(diagnostics, source))


def load(path: str | Path | bytes) -> Program:
    """Load a program: from a `.pact` or `.pactc` file, told apart by its first bytes, or from the
    bytes of an artifact.

    What a `.pact` imports is read from the folder that it is in.  Raises OSError if the file cannot be
    read, CompileError for a pact that does not compile, and ProgramError for an artifact that cannot be
    used.  An artifact is data: nothing in it is executed, and the parser is not imported.
    """
    if isinstance(path, bytes | bytearray | memoryview):
        return program.read(bytes(path))
    data = Path(path).read_bytes()
    if data[:4] == program.MAGIC:
        return program.read(data)
    from pactlang.link import library_of
    from pactlang.parse import read_source

    source, _ = read_source(data, str(path))
    return _compiled(linked(source, library_of(str(path))))
