"""One expression that stands in no pact: CEL as CEL has it.

In: `syntax.Expr`, the variables and functions that are declared, the container.  Out: the typed tree
and a module to run it in (whose record's fields are the variables), or None, and diagnostics.

Without declarations nothing is refused before it runs, and every name is a variable.
"""

from __future__ import annotations

from collections.abc import Mapping

from pactlang import ir, syntax
from pactlang.check.lint import look
from pactlang.check.modes import Mode
from pactlang.check.patterns import Patterns
from pactlang.check.reads import Slots, schema_of
from pactlang.check.report import Report
from pactlang.check.walk import Limit, Walk
from pactlang.diagnostic import Diagnostic, Label, has_errors, in_order
from pactlang.functions import Overload
from pactlang.schema import VARIABLES, Field, Record, Type
from pactlang.source import Source

Checked = tuple[ir.Expr, ir.Module]


def check_alone(
    expr: syntax.Expr,
    source: Source,
    variables: Mapping[str, Type],
    container: str = "",
    functions: Mapping[str, tuple[Overload, ...]] | None = None,
    dynamic: bool = False,
) -> tuple[Checked | None, tuple[Diagnostic, ...]]:
    """The typed expression with its module, or None if there is an error; and what was found."""
    report = Report(source, lenient=True)
    record = Record(VARIABLES, tuple(Field(name, type) for name, type in variables.items()))
    slots, patterns = Slots(VARIABLES, (record,)), Patterns(report)
    mode = Mode.DYNAMIC if dynamic else Mode.CHECKED
    walk = Walk(report, slots, patterns, {}, mode, prefixes(container), functions)
    try:
        node = walk.infer(expr, walk.nowhere)
    except Limit as limit:
        report.error(limit.code, limit.message, limit.span)
    except RecursionError:
        message = "this expression nests too deeply for the stack that is left"
        return None, (Diagnostic("nested-too-deep", message, Label(expr.span)),)
    else:
        look(walk, node, whole=True)
    found = in_order(report.found)
    if has_errors(found):
        return None, found
    known = Record(VARIABLES, tuple(slots.fields[VARIABLES].values()))
    schema = schema_of(slots, (known,), (node,))
    module = ir.Module(
        "", "", "", "", "", schema, None, tuple(patterns.patterns), tuple(patterns.phrases), ()
    )
    return (node, module), found


def prefixes(container: str) -> tuple[str, ...]:
    """What may stand before a bare name: for `a.b` that is `a.b.`, `a.` and nothing."""
    parts = container.split(".") if container else []
    return tuple(".".join(parts[:end]) + "." if end else "" for end in range(len(parts), -1, -1))
