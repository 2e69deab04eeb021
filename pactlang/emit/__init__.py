"""Turn a checked pact into a program: conditions become branches, values registers.

In: `ir.Module` and its `Source`.  Out: `Program` or None, and diagnostics.

The one idea: a condition is compiled *for its three exits*, where to go on true, on false and on an
error value, so `&&`, `||`, `!` and `?:` cost no instruction, and a clause that holds goes straight on
to the next clause.  CEL's rule that `false && error` is false in either order needs memory only where
an operand that is not the last can be an error value: one flag register per chain.
"""

from __future__ import annotations

from msgspec.structs import replace

from pactlang import ir
from pactlang.diagnostic import Diagnostic, Label
from pactlang.emit import state
from pactlang.emit.code import MAX_TOGETHER
from pactlang.emit.emitter import Emitter
from pactlang.opcodes import Opcode
from pactlang.program import Annex, Bound, Core, Imports, Program, encode
from pactlang.source import Source, Span

__all__ = ["emit", "emit_expression"]


def emit(
    module: ir.Module,
    source: Source,
    folded: ir.Module | None = None,
    bound: Bound | None = None,
    imports: Imports | None = None,
    doubting: bool = False,
) -> tuple[Program | None, tuple[Diagnostic, ...]]:
    """The program for a checked pact; None, with a diagnostic, if it is too large for the machine.

    folded: the same pact with its constant parts computed.  Reports walk `module`.  bound: where the
    machine is to stop, if the pact has a budget.  imports: what it imports.  doubting: any field of a record
    may be an error value, so nothing is proved of them.
    """
    emitter = Emitter(folded or module, bound)
    emitter.sure.decoded = not doubting
    emitter.pact()
    code = state.emit(emitter)
    if emitter.too_large:
        return None, (too_large("pact", module.clauses[-1].span, "split it into several pacts"),)
    crowded = emitter.crowded
    if crowded is not None:
        return None, (too_many(*crowded, module.clauses[-1].span),)
    annex = Annex(
        module=encode(module),
        source_name=source.name.replace("\\", "/").rpartition("/")[2],
        source_text=source.main.text,
        imports=imports if imports is not None and imports.files else None,
    )
    core = emitter.core() if code is None else state.core(emitter, code)
    return Program(replace(core, score=module.score), encode(annex)), ()


def emit_expression(expr: ir.Expr, module: ir.Module) -> tuple[Core | None, tuple[Diagnostic, ...]]:
    """The code for one expression of a module without clauses."""
    emitter = Emitter(module)
    emitter.add(Opcode.RESULT, emitter.value(expr))
    emitter.add(Opcode.HALT)
    if emitter.too_large:
        return None, (too_large("expression", expr.span, "make it shorter"),)
    return emitter.core(), ()


def too_many(text: str, count: int, span: tuple[int, int]) -> Diagnostic:
    """What is said where more patterns are sought in a text than can be sought together."""
    message = f"{count:,} patterns are sought in `{text}`, and no more than {MAX_TOGETHER:,} can be"
    help = "write several as one, `a|b`, or split the pact"
    return Diagnostic("too-large", message, Label(Span(*span), "up to here"), help=(help,))


def too_large(what: str, span: tuple[int, int], help: str) -> Diagnostic:
    """What is said of code that the machine cannot hold."""
    label = Label(Span(*span), "up to here")
    return Diagnostic("too-large", f"the {what} is too large to compile", label, help=(help,))
