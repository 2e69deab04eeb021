"""From the values of a rule to the node of an expression, or of a word.

In: a rule's span and its values (a word's value is its `Span`).  Out: the node.  Mistakes inside a
word, or in what only looks like a form, are reported here; the node is built all the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pactlang import syntax as s
from pactlang.diagnostic import NOTE, Diagnostic, Fix, Label
from pactlang.parse.literals import (
    INT_MAX,
    UINT_MAX,
    Malformed,
    read_bytes,
    read_duration,
    read_float,
    read_int,
    read_string,
)
from pactlang.source import Span

Report = Callable[[Diagnostic], None]
Values = list[Any]

# Words CEL keeps; a field may still be called so.
RESERVED = frozenset(
    "as break const continue else false for function if import in let loop namespace null package return"
    " true var void while".split()
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Expressions:
    """Builds nodes from one text; `report` takes what is wrong."""

    def __init__(self, written: str, report: Report) -> None:
        self.written = written
        self.report = report
        # Literals of 2**63: in range with a minus before them, out of range if they still wait at the end.
        self.waiting: set[Span] = set()

    def finish(self) -> None:
        """Report what only the end of the text can tell."""
        for span in self.waiting:
            self._out_of_range(span)

    # Reports and names

    def mistake(
        self, code: str, message: str, span: Span, *help: str, label: str = "", fix: Fix | None = None
    ) -> None:
        self.report(Diagnostic(code, message, Label(span, label), help=help, fix=fix))

    def _malformed(self, code: str, word: Span, found: Malformed) -> None:
        span = Span(word.start + found.start, word.start + found.end)
        self.mistake(code, found.message, span, *filter(None, [found.help]))

    def _out_of_range(self, span: Span) -> None:
        written = self._slice(span)
        shown = written if len(written) <= 24 else written[:20] + "..."
        self.mistake("number-out-of-range", f"`{shown}` does not fit into 64 bits", span)

    def _slice(self, span: Span) -> str:
        return self.written[span[0] : span[1]]

    def _free(self, span: Span) -> str:
        """The name at `span`; a word that CEL reserves is reported."""
        name = self.written[span[0] : span[1]]
        if name in RESERVED:
            message = f"`{name}` is a reserved word and cannot be a name"
            self.mistake("reserved-word", message, span, f"a field of that name is read as `call.{name}`")
        return name

    # Words

    def ident(self, span: Span, v: Values) -> s.Ident:
        return s.Ident(span, self._slice(span))

    def text(self, span: Span, v: Values) -> s.Text:
        return s.Text(span, self._string(span))

    def count(self, span: Span, v: Values) -> s.Number:
        value, unsigned = read_int(self._slice(span)) or (INT_MAX + 1, False)
        if unsigned:
            self.mistake("malformed-number", "a plain number is expected here, without `u`", span)
        elif value > INT_MAX:
            self._out_of_range(span)
        return s.Number(span, value)

    def decimal(self, span: Span, v: Values) -> s.Number:
        return s.Number(span, self._float(span))

    def length(self, span: Span, v: Values) -> s.Length:
        return s.Length(span, self._nanos(span))

    def _string(self, span: Span) -> str:
        value, mistakes = read_string(self._slice(span))
        for found in mistakes:
            self._malformed("invalid-escape", span, found)
        return value

    def _float(self, span: Span) -> float:
        value = read_float(self._slice(span))
        if value is None:
            self.mistake("number-out-of-range", "this is beyond the largest double, 1.8e308", span)
        return value or 0.0

    def _nanos(self, span: Span) -> int:
        nanos = read_duration(self._slice(span))
        if isinstance(nanos, Malformed):
            self._malformed("number-out-of-range", span, nanos)
            return 0
        return nanos

    # Literals

    def int_literal(self, span: Span, v: Values) -> s.Literal:
        value, unsigned = read_int(self._slice(span)) or (UINT_MAX + 1, False)
        if not unsigned and value == INT_MAX + 1:
            self.waiting.add(span)
        elif value > (UINT_MAX if unsigned else INT_MAX):
            self._out_of_range(span)
        return s.Literal(span, "uint" if unsigned else "int", value)

    def float_literal(self, span: Span, v: Values) -> s.Literal:
        return s.Literal(span, "double", self._float(span))

    def duration_literal(self, span: Span, v: Values) -> s.Literal:
        return s.Literal(span, "duration", self._nanos(span))

    def string_literal(self, span: Span, v: Values) -> s.Literal:
        return s.Literal(span, "string", self._string(span))

    def bytes_literal(self, span: Span, v: Values) -> s.Literal:
        value, mistakes = read_bytes(self._slice(span))
        for found in mistakes:
            self._malformed("invalid-escape", span, found)
        return s.Literal(span, "bytes", value)

    def true(self, span: Span, v: Values) -> s.Literal:
        return s.Literal(span, "bool", True)

    def false(self, span: Span, v: Values) -> s.Literal:
        return s.Literal(span, "bool", False)

    def null(self, span: Span, v: Values) -> s.Literal:
        return s.Literal(span, "null", None)

    def negative(self, span: Span, v: Values) -> s.Unary:
        return self.signed(span, [[v[0]], v[1]])

    def empty_list(self, span: Span, v: Values) -> s.ListLiteral:
        return s.ListLiteral(span, ())

    def empty_map(self, span: Span, v: Values) -> s.MapLiteral:
        return s.MapLiteral(span, ())

    # Operators

    def expression(self, span: Span, v: Values) -> s.Expr:
        expr: s.Expr = v[0]
        return expr

    def conditional(self, span: Span, v: Values) -> s.Conditional:
        return s.Conditional(span, v[0], v[1], v[2])

    def either(self, span: Span, v: Values) -> s.Logic:
        return s.Logic(span, "||", tuple(v))

    def both(self, span: Span, v: Values) -> s.Logic:
        return s.Logic(span, "&&", tuple(v))

    def binary(self, span: Span, v: Values) -> s.Binary:
        left, op, right = v
        sign = self._slice(op)
        if sign == "-" and span.end - span.start == 10:
            self._looks_like_a_date(span)
        return s.Binary(span, sign, left, right, op)

    def _looks_like_a_date(self, span: Span) -> None:
        if _DATE.fullmatch(self.written, span.start, span.end):
            message = f"`{self._slice(span)}` is a subtraction here"
            help = 'a day is written `timestamp("' + self._slice(span) + 'T00:00:00Z")`'
            self.report(Diagnostic("date-is-subtraction", message, Label(span), help=(help,), level=NOTE))

    def sign(self, span: Span, v: Values) -> list[Span]:
        return [v[0]]

    def signs(self, span: Span, v: Values) -> list[Span]:
        before: list[Span] = v[0]
        before.append(v[1])
        return before

    def signed(self, span: Span, v: Values) -> s.Unary:
        """`--x`: one node for each sign, the innermost built first."""
        signs, node = v
        if self.waiting and isinstance(node, s.Literal) and self._slice(signs[-1]) == "-":
            self.waiting.discard(node.span)
        for sign in reversed(signs):
            node = s.Unary(Span(sign[0], span[1]), self._slice(sign), node)
        unary: s.Unary = node
        return unary

    # Members and calls

    def select(self, span: Span, v: Values) -> s.Select:
        operand, optional, (name, place) = v
        return s.Select(span, operand, name, place, optional is not None)

    def selector(self, span: Span, v: Values) -> tuple[str, Span]:
        return self._slice(span).strip("`"), span

    def method(self, span: Span, v: Values) -> s.Call:
        target, name, args = v
        return s.Call(span, self._slice(name), name, args or (), target)

    def index(self, span: Span, v: Values) -> s.Index:
        operand, optional, index = v
        return s.Index(span, operand, index, optional is not None)

    def name(self, span: Span, v: Values) -> s.Name:
        return s.Name(span, self._free(span))

    def absolute_name(self, span: Span, v: Values) -> s.Name:
        return s.Name(span, self._free(v[0]), absolute=True)

    def call(self, span: Span, v: Values) -> s.Call:
        name, args, where = v
        return s.Call(span, self._free(name), name, args or (), where=where)

    def absolute_call(self, span: Span, v: Values) -> s.Call:
        return s.Call(span, self._free(v[0]), v[0], v[1] or (), absolute=True)

    def arguments(self, span: Span, v: Values) -> tuple[s.Expr, ...]:
        return tuple(v)

    # Lists, maps, structs

    def list_literal(self, span: Span, v: Values) -> s.ListLiteral:
        return s.ListLiteral(span, v[0] or ())

    def items(self, span: Span, v: Values) -> tuple[s.Item, ...]:
        return tuple(v)

    def item(self, span: Span, v: Values) -> s.Item:
        return s.Item(span, v[1], v[0] is not None)

    def map_literal(self, span: Span, v: Values) -> s.MapLiteral:
        return s.MapLiteral(span, v[0] or ())

    entries = items

    def entry(self, span: Span, v: Values) -> s.Entry:
        optional, key, value = v
        return s.Entry(span, key, value, optional is not None)

    def struct_literal(self, span: Span, v: Values) -> s.StructLiteral:
        named, fields = v
        return s.StructLiteral(span, self._type_name(named), fields or ())

    inits = items

    def init(self, span: Span, v: Values) -> s.Init:
        optional, (name, _), value = v
        return s.Init(span, name, value, optional is not None)

    def _type_name(self, node: s.Expr) -> str:
        """A dotted name, put together again; anything else before `{` is a mistake."""
        parts: list[str] = []
        at = node
        while isinstance(at, s.Select) and not at.optional:
            parts.append(at.field)
            at = at.operand
        if isinstance(at, s.Name):
            parts.append("." + at.name if at.absolute else at.name)
            return ".".join(reversed(parts))
        self.mistake("not-a-type", "expected the name of a type before `{`", node.span)
        return self._slice(node.span)
