"""Polynomials over the sizes of fields: `6 + 4·tool_calls`.

In: sizes, each with its name and its most.  Out: `Formula`, which adds, multiplies, compares and is
written.  Coefficients are exact and never negative, so a formula is largest where every size is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import reduce
from itertools import groupby
from math import ceil, prod
from typing import NamedTuple

MANY_TERMS = 12  # of more, the smallest become a part of the constant: nobody reads them
MANY_FACTORS = 16  # a term of more is a part of the constant, too

RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Size(NamedTuple):
    """The size of a field: its path as written, and the most that it is taken to be."""

    name: str
    most: int


Term = tuple[Size, ...]


class Formula:
    """A sum of products of sizes.  `value` is what it is at the most, rounded up; it is written exactly."""

    __slots__ = ("terms",)

    def __init__(self, terms: Mapping[Term, int | Fraction]) -> None:
        long = len(terms) > MANY_TERMS or any(len(term) > MANY_FACTORS for term in terms)
        self.terms = folded(terms) if long else terms

    @property
    def value(self) -> int:
        """The figure for the largest sizes."""
        return ceil(sum(figure(term, count) for term, count in self.terms.items()))

    @property
    def sizes(self) -> set[Size]:
        """The sizes that it depends on."""
        return {size for term in self.terms for size in term}

    @property
    def constant(self) -> bool:
        """True if it depends on no size."""
        return all(not term for term in self.terms)

    def __add__(self, other: Formula) -> Formula:
        if not other.terms:
            return self
        if not self.terms:
            return other
        terms = dict(self.terms)
        for term, count in other.terms.items():
            terms[term] = terms.get(term, 0) + count
        return Formula(terms)

    def __mul__(self, other: Formula) -> Formula:
        terms: dict[Term, int | Fraction] = {}
        for left, count in self.terms.items():
            for right, times in other.terms.items():
                term = tuple(sorted(left + right))
                terms[term] = terms.get(term, 0) + count * times
        return Formula(terms)

    def per(self, unit: int) -> Formula:
        """One for every whole `unit`; nothing where the largest sizes do not make one."""
        if self.value < unit:
            return NONE
        if self.constant:
            return number(self.value // unit)
        shares = {term: Fraction(count) / unit for term, count in self.terms.items()}
        return Formula({term: plain(share) if term else ceil(share) for term, share in shares.items()})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Formula) and dict(self.terms) == dict(other.terms)

    def __hash__(self) -> int:
        return hash(frozenset(self.terms.items()))

    def __str__(self) -> str:
        ordered = sorted(self.terms.items(), key=lambda item: (len(item[0]), item[0]))
        return " + ".join(written(term, count) for term, count in ordered) or "0"

    def short(self, most: int) -> str:
        """The largest terms only, of more than so many."""
        ordered = sorted(self.terms, key=lambda term: figure(term, self.terms[term]), reverse=True)
        kept = Formula({term: self.terms[term] for term in ordered[:most]})
        return f"{kept} + ..." if len(ordered) > most else str(kept)

    def share(self, size: Size) -> int:
        """The figure of the terms that a size is part of."""
        return ceil(sum(figure(term, count) for term, count in self.terms.items() if size in term))

    def __repr__(self) -> str:
        return f"<Formula {self}>"


def number(value: int) -> Formula:
    """A formula that is a number."""
    return Formula({(): value} if value else {})


def variable(size: Size) -> Formula:
    """A formula that is a size."""
    return Formula({(size,): 1})


NONE, ONE = number(0), number(1)


def total(formulas: Iterable[Formula]) -> Formula:
    """The sum."""
    return reduce(Formula.__add__, formulas, NONE)


def least(a: Formula, b: Formula) -> Formula:
    """The smaller of two bounds of one thing: both hold."""
    return a if a.value <= b.value else b


def most(a: Formula, b: Formula) -> Formula:
    """What is at least both, for all sizes: of each term the larger coefficient."""
    if a is b or not b.terms:
        return a
    if not a.terms:
        return b
    return Formula({term: max(a.terms.get(term, 0), b.terms.get(term, 0)) for term in {**a.terms, **b.terms}})


def figure(term: Term, count: int | Fraction) -> int | Fraction:
    """What a term is for the largest sizes."""
    return count * prod(size.most for size in term)


def folded(terms: Mapping[Term, int | Fraction]) -> dict[Term, int | Fraction]:
    """The largest terms; the others as a constant."""
    ordered = sorted(terms, key=lambda term: figure(term, terms[term]), reverse=True)
    wanted = [term for term in ordered if 0 < len(term) <= MANY_FACTORS]
    kept = {term: terms[term] for term in wanted[: MANY_TERMS - 1]}
    rest = sum(figure(term, terms[term]) for term in terms if term not in kept)
    return {**kept, (): ceil(rest)}


def plain(count: int | Fraction) -> int | Fraction:
    """A whole fraction as an int."""
    return count.numerator if isinstance(count, Fraction) and count.denominator == 1 else count


def written(term: Term, count: int | Fraction) -> str:
    """`3·tool_calls`, `messages²`, `output/16`, `42`."""
    parts = Fraction(count)
    names = [size.name + power(len(list(same))) for size, same in groupby(term)]
    if parts.numerator != 1 or not names:
        names.insert(0, f"{parts.numerator:,}")
    below = f"/{parts.denominator:,}" if parts.denominator != 1 else ""
    return "·".join(names) + below


def power(exponent: int) -> str:
    """An exponent; nothing for the first."""
    return str(exponent).translate(RAISED) if exponent > 1 else ""
