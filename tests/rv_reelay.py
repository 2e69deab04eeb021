"""Past-time formulas in reelay's notation, as expressions of a pact.

In: `once[0:7](({q}) since[:4] ({r}))`.  Out: `once((since(q, r, 4s)), 7s)`.  A step is a second.

A bound from a > 0 to b, neither open, has no operator of its own.  Where time is steps, it is `previous`,
a times, of the bound from 0 to b - a; beyond `DEEP` of them: `TwoSided`.
"""

from __future__ import annotations

import re

TOKEN = re.compile(r"\s*(?:(\{\w+\})|(->|&&|\|\||!|[()])|([a-z]+)\s*(?:\[(\d*):(\d*)\])?)")
UNARY = {"once": "once", "historically": "historically", "pre": "previous"}
WORDS = {"and": "&&", "or": "||", "not": "!"}


DEEP = 30


class TwoSided(ValueError):
    """A bound that is open at neither end."""


class Parser:
    """Binds, from loose to tight: `->`, or, and, since, the unary operators."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, tuple[str, str]]] = []
        at = 0
        while at < len(text.rstrip()):
            found = TOKEN.match(text, at)
            assert found, text[at:]
            word = found[1] or found[2] or found[3]
            self.tokens.append((WORDS.get(word, word), (found[4] or "", found[5] or "")))
            at = found.end()

    def peek(self) -> str:
        return self.tokens[0][0] if self.tokens else ""

    def implication(self) -> str:
        left = self.chain("||")
        if self.peek() != "->":
            return left
        self.tokens.pop(0)
        return f"(!{left} || {self.implication()})"

    def chain(self, word: str) -> str:
        tighter = (lambda: self.chain("&&")) if word == "||" else self.since
        parts = [tighter()]
        while self.peek() == word:
            self.tokens.pop(0)
            parts.append(tighter())
        return f"({f' {word} '.join(parts)})" if len(parts) > 1 else parts[0]

    def since(self) -> str:
        left = self.unary()
        while self.peek() == "since":
            bound = self.tokens.pop(0)[1]
            left = bounded("since", f"{left}, {self.unary()}", bound)
        return left

    def unary(self) -> str:
        word, bound = self.tokens.pop(0)
        if word == "(":
            inner = self.implication()
            assert self.tokens.pop(0)[0] == ")"
            return inner
        if word == "!":
            return f"(!{self.unary()})"
        return bounded(UNARY[word], self.unary(), bound) if word in UNARY else word.strip("{}")


def bounded(name: str, operands: str, bound: tuple[str, str]) -> str:
    """The operator with `[a:b]`; what is left out is 0 and infinity."""
    low, high = int(bound[0] or 0), bound[1]
    if low and high:
        return two_sided(name, operands, low, int(high))
    if low:
        return f"{name}_before({operands}, {low}s)"
    return f"{name}({operands}, {high}s)" if high else f"{name}({operands})"


def two_sided(name: str, operands: str, low: int, high: int) -> str:
    if low > DEEP:
        raise TwoSided(f"{name}[{low}:{high}]")
    if name == "historically":
        return f"(!{two_sided('once', f'!({operands})', low, high)})"
    made = f"{name}({operands}, {high - low}s)"
    for _ in range(low):
        made = f"previous({made})"
    if name == "since":  # what must hold since then holds on the last steps too
        made = f"({made} && historically({first(operands)}, {low - 1}s))"
    return made


def first(operands: str) -> str:
    """The operand before the comma that stands in no parentheses."""
    depth = 0
    for at, letter in enumerate(operands):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            return operands[:at]
    raise AssertionError(operands)


def expression(formula: str) -> str:
    """The formula as an expression of a pact."""
    parser = Parser(formula)
    made = parser.implication()
    assert not parser.tokens, formula
    return made
