"""A condition in words.

In: an `ir` expression that is true or false, and which of the two is to be said.  Out: `Words` such as
`` `args.amount` is at most `50.0` ``.

Negation goes inwards (De Morgan), so that no sentence says "not (a and b)".  Whatever has no words here is
shown as code: "`code` is true".
"""

from __future__ import annotations

from pactlang import ir
from pactlang.evaluate import constant
from pactlang.explain.show import shown
from pactlang.explain.written import Writer, length
from pactlang.prose.document import Code, Words, in_a_row, words
from pactlang.schema import Type

MANY = 12  # values of a list that are named one by one
VALUE = 120  # characters of one value

# sign -> words if it holds, words if it does not; of moments other words are used
COMPARED = {
    "_<_": ("is less than", "is at least"),
    "_<=_": ("is at most", "is more than"),
    "_>_": ("is more than", "is at most"),
    "_>=_": ("is at least", "is less than"),
    "_==_": ("is", "is not"),
    "_!=_": ("is not", "is"),
}
MOMENTS = {
    "_<_": ("is before", "is not before"),
    "_<=_": ("is not after", "is after"),
    "_>_": ("is after", "is not after"),
    "_>=_": ("is not before", "is before"),
}
SOUGHT = {
    "contains": ("contains", "does not contain"),
    "startsWith": ("begins with", "does not begin with"),
    "endsWith": ("ends with", "does not end with"),
}
CHECKS = {"luhn": "whose check digit fits (Luhn)", "iban": "whose check digits fit (IBAN)"}


class Speaker:
    """Says the conditions of one module."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.module = writer.module

    def say(self, node: ir.Expr, holds: bool = True) -> Words:
        """That the condition holds, or that it does not."""
        node = ir.bare(node)
        match node:
            case ir.Not():
                return self.say(node.operand, not holds)
            case ir.Logic():
                return self._joined(node, holds)
            case ir.Cond():
                test, other = self.say(node.test), self.say(node.no, holds)
                return words("if ", test, " then ", self._inner(node.yes, holds), ", otherwise ", other)
            case ir.Has():
                name = Code(self.writer.path(node.operand))
                return words(name, " is present" if holds else " is missing")
            case ir.Matches():
                return self._matches(node, holds)
            case ir.Says():
                return self._says(node, holds)
            case ir.Comprehension(macro="all" | "exists" | "exists_one"):
                return self._loop(node, holds)
            case ir.Const() if isinstance(node.value, bool):
                return ("nothing is asked",) if node.value is holds else ("it is never allowed",)
            case ir.Operator() if node.type.kind == "bool":
                return self._operator(node, holds)
            case ir.Call(function="@in"):
                return self._member(node.args[0], node.args[1], holds)
            case ir.Call() if node.function in SOUGHT and len(node.args) == 2:
                verb = SOUGHT[node.function][not holds]
                return words(self.name(node.args[0]), f" {verb} ", self.value(node.args[1]))
            case ir.Call() if node.function in COMPARED and len(node.args) == 2:
                return self._compared(node, holds)
        return words(self.name(node), " is true" if holds else " is false")

    # Parts -------------------------------------------------------------------------------------

    def name(self, node: ir.Expr) -> Code:
        """A value that is spoken of: a field, or an expression as it is written."""
        return Code(self.writer.path(ir.bare(node)))

    def value(self, node: ir.Expr) -> Words:
        """A value that something is compared with."""
        node = ir.bare(node)
        if isinstance(node, ir.Const):
            return (Code(shown(constant(node), self.module.schema, VALUE)),)
        return (self.name(node),)

    def _inner(self, node: ir.Expr, holds: bool) -> Words:
        """A condition inside another one: several in brackets."""
        said, bare = self.say(node, holds), ir.bare(node)
        while isinstance(bare, ir.Not):
            bare = ir.bare(bare.operand)
        return words("(", said, ")") if isinstance(bare, ir.Logic | ir.Cond | ir.Comprehension) else said

    def _operator(self, node: ir.Operator, holds: bool) -> Words:
        """What was so on an earlier call of the session, or on this one."""
        no, first = "" if holds else "not ", ir.bare(node.operands[0])
        if node.kind == "previous":
            return words(f"on the call before it was {no}so that ", self._inner(first, True))
        span = f" within {length(node.nanos)}" if node.nanos >= 0 else " of the session so far"
        span = f" at least {length(node.nanos)} ago" if node.before else span
        if node.kind == "since":
            since = self._inner(node.operands[1], True)
            return words(f"{no}on some call{span} ", since, ", and ever since ", self._inner(first, True))
        if isinstance(first, ir.Not) and not holds:  # historically(e) is !once(!e)
            return words(f"on every call{span} ", self._inner(first.operand, True))
        return words(f"on some call{span} " if holds else f"on no call{span} ", self._inner(first, True))

    def _joined(self, node: ir.Logic, holds: bool) -> Words:
        parts = [self._inner(operand, holds) for operand in node.operands]
        last = "and" if (node.op == "&&") is holds else "or"
        return in_a_row(parts, last)

    def _compared(self, node: ir.Call, holds: bool) -> Words:
        left, right = ir.bare(node.args[0]), ir.bare(node.args[1])
        sign = node.function
        if isinstance(left, ir.Const) and not isinstance(right, ir.Const):
            left, right = right, left
            sign = sign.translate(str.maketrans("<>", "><"))
        if isinstance(right, ir.Const) and sign in ("_==_", "_!=_"):
            same = (sign == "_==_") is holds
            if isinstance(right.value, bool):
                return self._is(left, "true" if right.value else "false", same)
            if right.type.kind == "null":
                return self._is_null(left, same)
        table = MOMENTS if left.type.kind == "timestamp" and sign in MOMENTS else COMPARED
        return words(self.name(left), f" {table[sign][not holds]} ", self.value(right))

    def _is(self, left: ir.Expr, word: str, same: bool) -> Words:
        """`x != true` is not `x == false`: what is missing is neither."""
        return words(self.name(left), f" is {word}" if same else f" is not {word}")

    def _is_null(self, left: ir.Expr, same: bool) -> Words:
        """A field with `?` that is absent reads as null; elsewhere an absent key is an error, not null."""
        if left.type.nullable:
            return words(self.name(left), " is missing" if same else " is present")
        return self._is(left, "null", same)

    def _member(self, item: ir.Expr, source: ir.Expr, holds: bool) -> Words:
        values = _values(ir.bare(source))
        if values is None:
            return words(self.name(item), " is in " if holds else " is not in ", self.value(source))
        listed = _some_of([self.value(each) for each in values])
        verb = ("is" if holds else "is not") if len(values) == 1 else ("is one of" if holds else "is none of")
        return words(self.name(item), f" {verb} ", listed)

    def _matches(self, node: ir.Matches, holds: bool) -> Words:
        pattern = self.module.patterns[node.pattern]
        what = Code(pattern.name or pattern.source)
        checked = f", {CHECKS[pattern.check]}" if pattern.check in CHECKS else ""
        verb = "holds a match of" if holds else "holds no match of"
        return words(self.name(node.operand), f" {verb} ", what, checked)

    def _says(self, node: ir.Says, holds: bool) -> Words:
        phrases = self.module.phrases[node.phrases]
        some = "says one of" if holds else "says none of"
        if phrases.name:
            return words(self.name(node.operand), f" {some} the phrases ", Code(phrases.name))
        listed: list[Words] = [(Code(f'"{each}"'),) for each in phrases.phrases]
        return words(self.name(node.operand), f" {some} ", _some_of(listed))

    def _loop(self, node: ir.Comprehension, holds: bool) -> Words:
        assert node.test is not None
        names = " and ".join(filter(None, (node.name, node.second_name)))
        each = words(Code(names), " of ", self.name(node.source))
        if node.macro == "exists_one":
            how = "for exactly one " if holds else "not for exactly one "
            return words(how, each, ": ", self.say(node.test))
        everywhere = (node.macro == "all") is holds
        # `all` that fails: for some element the test fails; `exists` that fails: for every one it does.
        return words("for every " if everywhere else "for some ", each, ": ", self.say(node.test, holds))


def _some_of(listed: list[Words]) -> Words:
    """The first of them, and how many more there are."""
    said, more = in_a_row(listed[:MANY], "or"), len(listed) - MANY
    return words(said, f" or one of {more} more") if more > 0 else said


def _values(node: ir.Expr) -> tuple[ir.Expr, ...] | None:
    """The values of a list that is written out."""
    if isinstance(node, ir.ListOf) and not node.optional and node.items:
        return node.items if all(isinstance(ir.bare(item), ir.Const) for item in node.items) else None
    if isinstance(node, ir.Const) and isinstance(node.value, list) and node.value:
        kinds = {bool: "bool", int: "int", float: "double", str: "string"}
        if all(type(value) in kinds for value in node.value):
            return tuple(ir.Const(Type(kinds[type(value)]), node.span, value) for value in node.value)
    return None
