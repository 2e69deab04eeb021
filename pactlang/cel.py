"""CEL for Python: one expression, compiled once, evaluated on any number of bindings.

In: an expression's text, the types of its variables.  Out: `Expression`, whose `evaluate` gives Python
values; the types that Python lacks stand in `pactlang.values`.  It runs on the machine that runs pacts;
only where the result is an error value does the plain-Python evaluator walk the tree once more, to say
what went wrong and where.

| CEL | from Python | to Python |
| --- | --- | --- |
| bool, int, double, string, bytes, null | bool, int, float, str, bytes, None | the same |
| uint | `UInt`; int, where `uint` is declared | `UInt`, an int |
| list | list; a tuple that is a variable | list |
| map | dict, any mapping that is a variable | dict |
| timestamp | `Timestamp`, an aware datetime | `Timestamp`, which has `.datetime()` |
| duration | `Duration`, timedelta | `Duration`, which has `.timedelta()` |
| type | `CelType` | `CelType`, whose str is CEL's name |
| optional | `Optional` | `Optional`, with `.present` and `.value` |
| net.IP, net.CIDR | `IP`, `CIDR` | the same, whose str is the address |
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from msgspec import Struct

from pactlang import ir
from pactlang._runtime import Binding, Calculator
from pactlang.constants import constant_value
from pactlang.diagnostic import Diagnostic
from pactlang.errors import ExpressionError
from pactlang.evaluate import Error, evaluate
from pactlang.functions import Overload
from pactlang.matchers import matcher, scanner, search
from pactlang.opcodes import SHAPES, ErrorCode, Tag
from pactlang.program import Core
from pactlang.schema import Type
from pactlang.source import Source
from pactlang.types import parse_type
from pactlang.values import (
    MAX_NESTING,
    BoolKey,
    Optional,
    OutOfRange,
    UInt,
    from_host,
    is_bad_number,
    is_number,
    key_value,
)

# Turns of loops after which it is not sought any further why a value is an error value.
MAX_EXPLAINED = 100_000

# The tags of declared types into which a number of another type is made.
WANTED = {"double": Tag.DOUBLE, "uint": Tag.UINT}

Declared = Mapping[str, Iterable[tuple[Iterable[object], object]]]


class Variables(Struct):
    """The record of an expression without one: its variables come from a dict, not from a struct."""


def expression(
    text: str,
    types: Mapping[str, object] | None = None,
    container: str = "",
    *,
    functions: Declared | None = None,
    check: bool = True,
    fold: bool = True,
) -> Expression:
    """Compile a CEL expression.

    types: name of a variable -> its type, as CEL writes it (`"list(int)"`, `"timestamp"`) or a Python
    type (`int`, `datetime`).  With types, whatever cannot be right is refused now, and a name that is
    not declared is an error; a name may have dots.  Without types (None), or with check=False, nothing
    is refused before it runs.  container: the namespace in which names are resolved, such as `"a.b"`.
    functions: name -> (types of the arguments, type of the result) pairs; they can be checked, and are
    an error value when they run.  fold: compute constant parts now.

    Raises CompileError, with `.diagnostics`, for an expression that is not CEL or does not check.

    >>> expression("x * 2 + 1", {"x": "int"}).evaluate({"x": 20})
    41
    >>> expression("['a', 'b'].exists(s, s == name)").evaluate({"name": "b"})
    True
    """
    from pactlang.build import failure

    if not isinstance(text, str):
        raise TypeError(f"expected an expression's text as a str, found {type(text).__name__}")
    source = Source("<expression>", text)
    variables = {
        name: parse_type(written, abstract=bool(functions)) for name, written in (types or {}).items()
    }
    dynamic = types is None or not check
    found, diagnostics = compiled(source, variables, container, _rows(functions), dynamic, fold)
    if found is None:
        raise failure(diagnostics, source)
    return Expression(source, *found, container if types is None else "", diagnostics)


def compiled(
    source: Source,
    variables: Mapping[str, Type],
    container: str,
    functions: Mapping[str, tuple[Overload, ...]],
    dynamic: bool,
    folded: bool,
) -> tuple[tuple[ir.Expr, ir.Module, Core] | None, tuple[Diagnostic, ...]]:
    """The typed tree, its module and its code; None if there is an error; and diagnostics."""
    from pactlang.check import check_alone
    from pactlang.emit import emit_expression
    from pactlang.fold import fold
    from pactlang.parse import parse_expression

    tree, problems = parse_expression(source)
    if tree is None:
        return None, problems
    checked, more = check_alone(tree, source, variables, container, functions, dynamic)
    if checked is None:
        return None, (*problems, *more)
    node, module = checked
    core, last = emit_expression(fold(node, module) if folded else node, module)
    return None if core is None else (node, module, core), (*problems, *more, *last)


def _rows(functions: Declared | None) -> dict[str, tuple[Overload, ...]]:
    """The user's functions as rows of an overload table; a name that begins with a dot is a method."""
    made: dict[str, list[Overload]] = {}
    for written, overloads in (functions or {}).items():
        name, method = written.removeprefix("."), written.startswith(".")
        for params, result in overloads:
            free = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
            types = tuple(parse_type(param, free, True) for param in params)
            row = Overload(f"{name}_{len(made)}", name, types, parse_type(result, free, True), method)
            made.setdefault(name, []).append(row)
    return {name: tuple(rows) for name, rows in made.items()}


class Expression(Calculator):
    """A compiled expression.  Made by `expression`; may be used from many threads.

    `.type`: what it gives, as CEL writes it; `dyn` where that is known only when it runs.
    `.diagnostics`: warnings and notes.  `.variables`: the names that it reads.
    """

    def __init__(
        self,
        source: Source,
        node: ir.Expr,
        module: ir.Module,
        core: Core,
        container: str,
        diagnostics: tuple[Diagnostic, ...],
    ) -> None:
        self.source, self.node, self.module, self.diagnostics = source, node, module, diagnostics
        self.type = str(node.type.plain)
        slots = module.schema.slots
        self.variables = tuple(slot.name for slot in slots)
        binding = Binding([(Variables, [])], 0, True)
        binding.host = True
        atoms = {atom: g for g, group in enumerate(core.groups) for atom in group.atoms}
        self.prepare(
            core.code,
            [_interned(constant_value(constant)) for constant in core.constants],
            [list(texts) for texts in core.sets],
            [(-1, 0, -1)] * len(slots),
            core.temps,
            0,
            binding,
            [atoms[atom] for atom in range(len(core.atoms))],
            [(g.slot, scanner(g, core.atoms, core.patterns, core.phrases)) for g in core.groups],
            [matcher(atom, core.patterns, core.phrases) for atom in core.matchers],
            search,
            SHAPES,
        )
        self._names = [_candidates(slot.name, container) for slot in slots]
        self.name_slots(self._names, [WANTED.get(slot.type.kind, 0) for slot in slots], binding)

    @property
    def text(self) -> str:
        """The expression as it was written."""
        return self.source.text

    def explain(self, bindings: Mapping[str, Any] | None = None, width: int | None = None) -> str:
        """The expression drawn: the value of every part under the whole it belongs to, an optional as
        `optional.of(3)` or `none`; `>` marks what decided, or where an error value came from.

        A part that was not needed says `not evaluated`.  width: columns of the terminal; None cuts long
        texts and values only.  An error value raises nothing here; a value of Python that CEL does not
        have raises TypeError, as in `evaluate`.

        >>> print(expression("x > 0 && y / x > 2").explain({"x": 0, "y": 5}))
          x > 0 && y / x > 2  false
        >   x > 0             false
        >     x               0
            y / x > 2         not evaluated
        """
        from pactlang.explain import explain_expression  # only who asks for a drawing pays for its import

        given = bindings if type(bindings) is dict else dict(bindings or {})
        failed, value = self.compute(given)
        known = {} if failed else {"value": value}
        return explain_expression(self.module, self._written, self._row(given), self.source, width, **known)

    @cached_property
    def _written(self) -> ir.Expr:
        """The tree that the plain evaluator walks, which names in its reasons what is written."""
        from pactlang.fold import as_written

        return as_written(self.node, self.module)

    def _row(self, bindings: dict[str, Any]) -> list[Any]:
        """The variables' values as the plain evaluator reads them."""
        return [self._bound(i, bindings) for i in range(len(self._names))]

    def fault(self, code: int, bindings: dict[str, Any]) -> ExpressionError:
        """Why the value is an error value, found out by the plain evaluator."""
        limit = code == ErrorCode.LIMIT  # which the plain evaluator takes a hundred times as long to reach
        try:
            turns = MAX_EXPLAINED if not limit else 20
            found = evaluate(self._written, self._row(bindings), self.module, turns=turns)
        except Exception:  # the bindings are the caller's: their methods can do anything
            found = None
        if isinstance(found, Error) and limit == (found.code == "limit"):
            return ExpressionError(found.code, found.message, found.span, self.source)
        word = ErrorCode(code).name.lower().replace("_", "-")
        why = "this takes too many steps, or makes too much" if limit else f"the value is an error: {word}"
        return self._because(word, why)

    def _because(self, code: str, message: str) -> ExpressionError:
        return ExpressionError(code, message, self.node.span, self.source)

    def hand_out(self, value: Any) -> Any:
        """A list, a map or an optional as Python has it."""
        try:
            return to_host(value)
        except RecursionError:
            raise self._because("limit", "the value is nested too deep to be given back") from None

    def _bound(self, slot: int, bindings: dict[str, Any]) -> Any:
        """A variable's value as the plain evaluator reads it."""
        name = next((name for name in self._names[slot] if name in bindings), None)
        if name is None:
            return Error("unknown-name", f"`{self.variables[slot][:60]}` has no value")
        kind = self.module.schema.slots[slot].type.kind
        try:
            value = _hosted(bindings[name], 0)
        except TypeError:
            value = bindings[name]
        except OutOfRange as error:
            return Error("range", str(error))
        if isinstance(value, dict) and isinstance(next(iter(value), None), bool):
            value = {BoolKey(key) if isinstance(key, bool) else key: item for key, item in value.items()}
        return _fitted(value, kind)

    def __repr__(self) -> str:
        return f"<Expression {self.source.text[:60]!r}: {self.type}>"


def _candidates(name: str, container: str) -> tuple[str, ...]:
    """The names under which a variable that nobody declared may be bound: the container's come first."""
    from pactlang.check import prefixes

    return tuple(sys.intern(prefix + name) for prefix in prefixes(container))


def _hosted(value: Any, depth: int) -> Any:
    """A value with the times of Python in it as CEL has them, as the machine reads them one by one."""
    if isinstance(value, datetime | timedelta):
        return from_host(value)
    if isinstance(value, list | dict) and depth < MAX_NESTING:
        if isinstance(value, list):
            return [_hosted(item, depth + 1) for item in value]
        return {key: _hosted(item, depth + 1) for key, item in value.items()}
    return from_host(value) if depth == 0 else value


def _fitted(value: Any, kind: str) -> Any:
    """A number as its variable's declared type has it, as the machine's `fit` makes it."""
    if not is_number(value) or is_bad_number(value):
        return value
    if kind == "double":
        return float(value)
    return UInt(value) if kind == "uint" and isinstance(value, int) and value >= 0 else value


def _interned(value: Any) -> Any:
    """A text as a dict is likely to hold it as a key: the look-up is then a comparison of pointers."""
    return sys.intern(value) if isinstance(value, str) else value


def to_host(value: Any, done: dict[int, Any] | None = None) -> Any:
    """A list, a map or an optional as Python has it: a bool is a dict's key as it is, unless the number
    that Python takes it for is a key too.

    done: what was made of the parts so far, by identity.  What stands in many places is made once: few
    doublings make a value whose copy would fill any memory.
    """
    done = {} if done is None else done
    if not isinstance(value, list | dict | Optional):
        return value
    if id(value) in done:
        return done[id(value)]
    if isinstance(value, Optional):
        return Optional(to_host(value.value, done), value.present)
    made: Any
    if isinstance(value, list):
        made = done[id(value)] = []
        made.extend(to_host(item, done) for item in value)
        return made
    made = done[id(value)] = {}
    keys = [key_value(key) if isinstance(key, BoolKey) else key for key in value]
    names = keys if len(set(keys)) == len(keys) else list(value)
    made.update((key, to_host(item, done)) for key, item in zip(names, value.values(), strict=True))
    return made
