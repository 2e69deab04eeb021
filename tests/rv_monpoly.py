"""Formulas of MFOTL, as MonPoly takes them, as expressions of a pact.

In: a formula with free variables, and the finite domain of its log.  Out: an expression on a record with
a list of tuples `e_P` for each predicate P and a field `v_x` for each free variable x.  An assignment of
the free variables is a session, in which the fields v_x are constant; a quantifier is a disjunction over the domain.
What has no counterpart raises `Outside` with the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

TOKEN = re.compile(
    r"""\s*(?:(?P<word>[A-Za-z_]\w*)|(?P<number>-?\d+(?:\.\d*)?)|(?P<text>"[^"]*")|(?P<sign><->|->|<=|>=|[-()\[\].,=<>*+/;?]))"""
)
TEMPORAL = {"ONCE": "once", "PAST_ALWAYS": "historically", "PREVIOUS": "previous"}
AHEAD = {"NEXT", "EVENTUALLY", "ALWAYS", "UNTIL"}
LOOSE = ("SINCE", "EQUIV", "IMPLIES", "OR", "AND")  # binary operators, the loosest first
TIGHTER = dict(zip(LOOSE, (*LOOSE[1:], ""), strict=True))


class Outside(ValueError):
    """A formula, or a part of it, that the language has no counterpart for."""


class Parser:
    """bound: values of the variables that a quantifier has bound."""

    def __init__(self, text: str, domain: Sequence[Any]) -> None:
        self.tokens: list[tuple[str, str]] = []
        self.domain, self.bound = domain, dict[str, Any]()
        self.free: list[str] = []
        at = 0
        while text[at:].strip():
            found = TOKEN.match(text, at)
            if not found:
                raise Outside("notation of its own")
            self.tokens.append((found.lastgroup or "", found[found.lastgroup or 0]))
            at = found.end()

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[ahead][1] if len(self.tokens) > ahead else ""

    def take(self, *wanted: str) -> str:
        if not self.tokens or (wanted and self.peek() not in wanted):
            raise Outside("notation of its own")
        return self.tokens.pop(0)[1]

    def formula(self, level: str = "SINCE") -> str:
        """A chain of one binary operator, or what binds tighter."""
        if not level:
            return self.unary()
        left = self.formula(TIGHTER[level])
        while self.peek() == level:
            self.take()
            if level == "SINCE":
                low, high = self.interval()
                left = bounded("since", f"{left}, {self.formula(TIGHTER[level])}", low, high)
                continue
            right = self.formula(TIGHTER[level] if level != "IMPLIES" else level)
            left = {
                "EQUIV": f"(({left}) == ({right}))",
                "IMPLIES": f"(!{left} || {right})",
                "OR": f"({left} || {right})",
                "AND": f"({left} && {right})",
            }[level]
        return left

    def unary(self) -> str:
        word = self.peek()
        if word in AHEAD:
            raise Outside("looks ahead")
        if word == "NOT":
            self.take()
            return f"(!{self.unary()})"
        if word in TEMPORAL:
            self.take()
            low, high = self.interval()
            return bounded(TEMPORAL[word], self.formula("EQUIV"), low, high)
        if word in ("EXISTS", "FORALL"):
            return self.quantifier(self.take())
        if word in ("TRUE", "FALSE"):
            return self.take().lower()
        if word == "(":
            return self.parentheses()
        if self.peek(1) == "(" and self.tokens[0][0] == "word":
            return self.predicate()
        return self.comparison()

    def parentheses(self) -> str:
        """A formula, or the first term of a comparison."""
        before, free = list(self.tokens), list(self.free)
        try:
            self.take("(")
            inner = self.formula()
            self.take(")")
            if self.peek() not in ("=", "<", "<=", ">", ">=", "+", "-", "*", "/"):
                return f"({inner})"
        except Outside:
            pass
        self.tokens, self.free = before, free
        return self.comparison()

    def predicate(self) -> str:
        name = self.take()
        if name in ("tp", "ts", "i2f", "f2i", "i2s", "s2i", "f2s", "s2f"):
            raise Outside("functions of its own")
        self.take("(")
        terms = []
        while self.peek() != ")":
            terms.append(self.term())
            if self.peek() != ")":
                self.take(",")
        self.take(")")
        return f"([{', '.join(terms)}] in e_{name})"

    def quantifier(self, word: str) -> str:
        names = [self.take()]
        while self.peek() == ",":
            self.take()
            names.append(self.take())
        self.take(".")
        if len(self.domain) ** len(names) > 200:
            raise Outside("a domain too large to write out")
        return self.each(names, " || " if word == "EXISTS" else " && ")

    def each(self, names: Sequence[str], joint: str) -> str:
        if not names:
            return self.formula("EQUIV")
        before, hidden, made = list(self.tokens), self.bound.get(names[0]), []
        for value in self.domain:
            self.tokens, self.bound[names[0]] = list(before), value
            made.append(self.each(names[1:], joint))
        del self.bound[names[0]]
        if hidden is not None:
            self.bound[names[0]] = hidden
        return f"({joint.join(made)})"

    def comparison(self) -> str:
        left = self.term()
        if self.peek() in ("MATCHES", "SUBSTRING"):
            raise Outside("functions of its own")
        sign = self.take("=", "<", "<=", ">", ">=")
        return f"({left} {'==' if sign == '=' else sign} {self.term()})"

    def term(self, level: int = 0) -> str:
        signs = (("+", "-"), ("*", "/"))
        if level == len(signs):
            return self.atom()
        left = self.term(level + 1)
        while self.peek() in signs[level]:
            left = f"({left} {self.take()} {self.term(level + 1)})"
        return left

    def atom(self) -> str:
        if self.peek() == "(":
            self.take()
            inner = self.term()
            self.take(")")
            return inner
        kind, word = self.tokens.pop(0) if self.tokens else ("", "")
        if kind in ("number", "text"):
            return word.rstrip(".")
        if kind != "word" or self.peek() == "(":
            raise Outside("functions of its own" if kind == "word" else "notation of its own")
        if word in self.bound:
            return json.dumps(self.bound[word])
        if word not in self.free:
            self.free.append(word)
        return f"v_{word}"

    def interval(self) -> tuple[int, int | None]:
        """[low, high] in whole seconds, closed; high is None without an end."""
        if self.peek() not in ("[", "("):
            return 0, None
        if self.peek() == "(" and not (self.tokens[1][0] == "number" and self.peek(2) == ","):
            return 0, None
        opens = self.take("[", "(")
        low = self.take()
        self.take(",")
        high = self.take()
        closes = self.take("]", ")")
        if not re.fullmatch(r"\d+", low) or not re.fullmatch(r"\d+|\*", high):
            raise Outside("a bound that is not whole seconds")
        first = int(low) + (opens == "(")
        return first, None if high == "*" else int(high) - (closes == ")")


def bounded(name: str, operands: str, low: int, high: int | None) -> str:
    """The operator with a closed interval; timestamps are whole seconds."""
    if name == "previous":
        made = f"previous({operands})"
        age = "(time - previous(time))"
        made += f" && {age} >= {low}s" * (low > 0) + (f" && {age} <= {high}s" if high is not None else "")
        return f"({made})"
    if low and high is not None:
        raise Outside("a bound that is open at neither end")
    if low:
        return f"{name}_before({operands}, {low}s)"
    return f"{name}({operands})" if high is None else f"{name}({operands}, {high}s)"


def translate(formula: str, domain: Sequence[Any]) -> tuple[str, list[str]]:
    """The expression, and the free variables in the order of their first place."""
    parser = Parser(formula, domain)
    made = parser.formula()
    if parser.tokens:
        raise Outside("notation of its own")
    return made, parser.free
