"""Function calls: what kind of function it is, and what was meant where there is none.

In: `syntax.Call`.  Out: typed nodes.  Functions of the overload table need nothing here; `has`, the
macros, `matches` and `says` are special because of what their arguments may be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pactlang import ir, syntax
from pactlang.check import macros, overloads, texts
from pactlang.check.report import near, suggest
from pactlang.diagnostic import Fix
from pactlang.functions import FUNCTIONS

if TYPE_CHECKING:
    from pactlang.check.walk import Scope, Walk

# Aggregates over many calls, and operators over the calls of a session: not for one call.
POPULATION = frozenset(
    "rate sum avg min max quantile distinct burn_rate distribution violated satisfied".split()
)
TEMPORAL = frozenset("once historically since previous count once_before since_before".split())

# CEL's extensions that are not there yet, by the form of the call.
LATER_METHODS = frozenset(
    "charAt indexOf lastIndexOf lowerAscii upperAscii replace split substring trim join format reverse "
    "orValue or value hasValue optMap optFlatMap first last transformList transformMap transformMapEntry "
    "sort sortBy flatten slice distinct containsIP containsCIDR family prefixLength masked".split()
)
LATER_FUNCTIONS = frozenset("ip cidr isIP isCIDR optional_type".split())
NAMESPACES = frozenset("math strings cel base64 optional lists sets regex proto ip cidr net".split())

# What other languages call our functions.
ELSEWHERE = {
    "len": "size", "length": "size", "count": "size", "includes": "contains", "has_key": "has",
    "lower": "lowerAscii", "upper": "upperAscii", "float": "double", "str": "string", "any": "exists",
    "some": "exists", "every": "all", "match": "matches", "search": "matches", "test": "matches",
    "regex": "matches", "defined": "has", "exists_any": "exists", "mentions": "says",
}  # fmt: skip
OPERATOR_NAMES = frozenset(name for name in FUNCTIONS if not name[0].isalpha())
FUNCTION_NAMES = tuple(name for name in FUNCTIONS if name not in OPERATOR_NAMES)
KNOWN = (*FUNCTION_NAMES, "has", "says", *sorted(macros.MACROS))


def call(walk: Walk, expr: syntax.Call, scope: Scope) -> ir.Expr:
    """`f(x)` or `x.f(y)`."""
    name = expr.function
    if expr.where is not None:
        return _population(walk, expr)
    if expr.target is None:
        if name == "has":
            return macros.has(walk, expr, scope)
    elif macros.is_macro(expr):
        return macros.comprehension(walk, expr, scope)
    elif _is_namespace(walk, expr.target, scope):
        return walk.unsupported(f"`{walk.report.text(expr.target.span)}.{name}`", expr.name_span)
    if name in ("matches", "says"):
        return texts.call(walk, expr, scope)
    if name not in FUNCTIONS or name in OPERATOR_NAMES:
        return _unknown(walk, expr, scope)
    return overloads.function(walk, expr, scope)


# What is not there ---------------------------------------------------------------------------


def _is_namespace(walk: Walk, target: syntax.Expr, scope: Scope) -> bool:
    return (
        isinstance(target, syntax.Name)
        and target.name in NAMESPACES
        and not walk.resolves(target.name, scope)
    )


def _population(walk: Walk, expr: syntax.Call) -> ir.Expr:
    name = expr.function
    walk.report.error(
        "population-promise",
        f"`{name}` is about many calls, and this condition is about one",
        expr.name_span,
        help=(f"a promise about many calls is written `keep {name}(...) ... over 1h`",),
    )
    return walk.error(expr.span)


def is_quantile(name: str) -> bool:
    """`p95`, `p999`: a percentile."""
    return name[:1] == "p" and name[1:].isdigit()


def _unknown(walk: Walk, expr: syntax.Call, scope: Scope) -> ir.Expr:
    name = expr.function
    if expr.target is None:
        if name in POPULATION or is_quantile(name):
            return _population(walk, expr)
        if name in TEMPORAL:
            return walk.unsupported("session promises", expr.name_span, f"`{name}` looks at earlier calls")
        if name in LATER_FUNCTIONS:
            return walk.unsupported(f"`{name}`", expr.name_span)
    elif name in LATER_METHODS or name in macros.MACROS:
        count = f" with {len(expr.args)} arguments" if name in macros.MACROS else ""
        return walk.unsupported(f"`{name}`{count}", expr.name_span)
    for arg in (expr.target, *expr.args):
        if arg is not None and not (name in macros.MACROS and isinstance(arg, syntax.Name)):
            walk.infer(arg, scope)
    _unknown_function(walk, expr)
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
