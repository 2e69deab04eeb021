"""Function calls: what kind of function it is, and what was meant where there is none.

In: `syntax.Call`.  Out: typed nodes.  Functions of the overload table need nothing here; `has`, the
macros, `matches` and `says` are special because of what their arguments may be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pactlang import ir, syntax
from pactlang.check import bindings, keep, macros, overloads, temporal, texts
from pactlang.check.modes import Mode
from pactlang.check.names import dotted
from pactlang.check.report import near, suggest
from pactlang.diagnostic import Fix
from pactlang.functions import FUNCTIONS
from pactlang.schema import DYN
from pactlang.source import Span

if TYPE_CHECKING:
    from pactlang.check.walk import Scope, Walk

# Aggregates over many calls: not for one call.
POPULATION = frozenset(
    "rate sum avg min max quantile distinct burn_rate distribution violated satisfied".split()
)

# What has functions of its own, written `math.abs(x)`.
NAMESPACES = frozenset(name.partition(".")[0] for name in FUNCTIONS if "." in name[1:-1])

# What other languages call our functions.
ELSEWHERE = {
    "len": "size", "length": "size", "count": "size", "includes": "contains", "has_key": "has",
    "lower": "lowerAscii", "upper": "upperAscii", "float": "double", "str": "string", "any": "exists",
    "some": "exists", "every": "all", "match": "matches", "search": "matches", "test": "matches",
    "regex": "matches", "defined": "has", "exists_any": "exists", "mentions": "says",
}  # fmt: skip
OPERATOR_NAMES = frozenset(name for name in FUNCTIONS if not name[0].isalpha())
FUNCTION_NAMES = tuple(name for name in FUNCTIONS if name not in OPERATOR_NAMES)
KNOWN = (*FUNCTION_NAMES, "has", "says", *sorted(macros.MACROS), *sorted(bindings.OPTIONAL_MACROS))


def call(walk: Walk, expr: syntax.Call, scope: Scope) -> ir.Expr:
    """`f(x)` or `x.f(y)`."""
    name = expr.function
    if keep.is_aggregate(walk, expr):
        return keep.aggregate(walk, expr, scope)
    if expr.where is not None:
        return _population(walk, expr)
    if temporal.is_operator(walk, expr):
        return temporal.operator(walk, expr, scope)
    if expr.target is None:
        if name == "has":
            return macros.has(walk, expr, scope)
    elif macros.is_macro(expr):
        return macros.comprehension(walk, expr, scope)
    elif name in bindings.OPTIONAL_MACROS and len(expr.args) == 2:
        return bindings.optional_map(walk, expr, scope)
    elif bindings.is_cel(walk, expr, scope):
        return bindings.call(walk, expr, scope)
    if name in ("matches", "says"):
        return texts.call(walk, expr, scope)
    return _function(walk, expr, scope)


def _function(walk: Walk, expr: syntax.Call, scope: Scope) -> ir.Expr:
    """A function of the overload table or of the user's, with or without its namespace."""
    absolute, before = dotted(expr.target) if expr.target is not None else (expr.absolute, "")
    local = before.partition(".")[0]
    if expr.target is None or (before and (absolute or not walk.resolves(local, scope))):
        name = f"{before}.{expr.function}" if before else expr.function
        for prefix in ("",) if absolute else walk.prefixes:
            whole = prefix + name
            if whole in walk.functions:
                return overloads.declared(walk, expr, whole, False, expr.args, scope)
            if whole in FUNCTIONS and whole not in OPERATOR_NAMES and (before or prefix or _is_global(whole)):
                return overloads.function(walk, expr, whole, False, expr.args, scope)
    if expr.target is not None and not (before in NAMESPACES and not walk.resolves(local, scope)):
        written = (expr.target, *expr.args)
        if expr.function in walk.functions:
            return overloads.declared(walk, expr, expr.function, True, written, scope)
        if expr.function in FUNCTIONS and expr.function not in OPERATOR_NAMES:
            return overloads.function(walk, expr, expr.function, True, written, scope)
    return _unknown(walk, expr, scope)


def _is_global(name: str) -> bool:
    return "." not in name


# What is not there ---------------------------------------------------------------------------


def _population(walk: Walk, expr: syntax.Call) -> ir.Expr:
    name = expr.function
    walk.report.error(
        "population-promise",
        f"`{name}` is about many calls, and this condition is about one",
        expr.name_span,
        help=(f"a promise about many calls is written `keep {name}(...) ... over 1h`",),
    )
    return walk.error(expr.span)


def _unknown(walk: Walk, expr: syntax.Call, scope: Scope) -> ir.Expr:
    name = expr.function
    if expr.target is None and walk.mode is Mode.PACT and (name in POPULATION or keep.is_quantile(name)):
        return _population(walk, expr)
    macro = name in macros.MACROS or name in bindings.OPTIONAL_MACROS
    if expr.target is not None and macro:
        return _wrong_macro(walk, expr)
    namespace = isinstance(expr.target, syntax.Name) and expr.target.name in NAMESPACES
    written = (*(() if expr.target is None or namespace else (expr.target,)), *expr.args)
    args = tuple(walk.infer(arg, scope) for arg in written if not (macro and isinstance(arg, syntax.Name)))
    if walk.mode is Mode.DYNAMIC:  # which is found out when it runs
        return ir.Call(DYN, expr.span, name if name not in FUNCTIONS else f"?{name}", "", args)
    _unknown_function(walk, expr)
    return walk.error(expr.span)


def _wrong_macro(walk: Walk, expr: syntax.Call) -> ir.Expr:
    counts = sorted({*macros.ONE.get(expr.function, ()), *macros.TWO.get(expr.function, ())}) or [2]
    walk.report.error(
        "wrong-arguments",
        f"`{expr.function}` takes {' or '.join(map(str, counts))} arguments, found {len(expr.args)}",
        expr.name_span,
    )
    return walk.error(expr.span)


def _unknown_function(walk: Walk, expr: syntax.Call) -> None:
    name, span = expr.function, expr.name_span
    if name in walk.fields or name in walk.names:
        walk.report.error("unknown-function", f"`{name}` is not a function", span, "this is a value")
        return
    if name in macros.MACROS:
        walk.report.error(
            "unknown-function",
            f"`{name}` is asked of a list or a map",
            span,
            help=(f"write `list.{name}(x, ...)`",),
        )
        return
    if isinstance(expr.target, syntax.Name) and expr.target.name in NAMESPACES:
        whole = f"{expr.target.name}.{name}"
        walk.report.error(
            "unknown-function", f"unknown function `{whole}`", span,
            **suggest(whole, Span(expr.target.span.start, span.end), KNOWN),
        )  # fmt: skip
        return
    other = ELSEWHERE.get(name.lower()) or near(name, KNOWN)
    if other in KNOWN:
        walk.report.error(
            "unknown-function", f"unknown function `{name}`", span,
            help=(f"did you mean `{other}`?",), fix=Fix(span, other, f"write `{other}`"),
        )  # fmt: skip
    else:
        walk.report.error(
            "unknown-function", f"unknown function `{name}`", span, **suggest(name, span, KNOWN)
        )
