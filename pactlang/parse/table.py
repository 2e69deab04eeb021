"""The grammar as the machine wants it: one row of actions per state, one pattern for all words.

In: `_grammar.TABLES`, the LALR(1) tables that Lark computed when the package was built.  Out: a
`Table`, made once per process.

What is here only rearranges them.  The loop over them is our own (`machine.py`), because recovery
after a mistake needs the stacks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import cache
from threading import Lock
from typing import Any, NamedTuple

from pactlang._grammar import TABLES
from pactlang.parse.nodes import Nodes

END = "$END"
# What no terminal takes: a string that does not end, a number with something at its end, a stray sign.
UNTERMINATED, BAD_NUMBER, OTHER = "UNTERMINATED", "BAD_NUMBER", "OTHER"
# The beginning of a string.  Where it ends is found by `literals.string_end`, not by the grammar's
# pattern: a repeated group takes hundreds of bytes for each escape while it matches.
QUOTE, STRINGS = "QUOTE", ("STRING", "BYTES")
BLANK, COMMENT = "BLANK", "COMMENT"
# Known to the lexer only where the grammar has it next, so that `2027-06-30` stays a subtraction.
CONTEXTUAL = "DATE"

# The rules that put one level of an expression's tree above another.
DEEPER = frozenset(
    "conditional either both binary signs signed select method index call absolute_call list_literal"
    " map_literal struct_literal".split()
)
# Rules whose names Python keeps for itself.
KEYWORDS = frozenset({"import"})

Build = Callable[[Nodes, Any, list[Any]], Any]
_building = Lock()
_QUOTE = r"""(?:[bB]?[rR]?|[rR][bB])(?:\"\"\"|'''|"|')"""
_BROKEN_NUMBER = r"\d[A-Za-z0-9_.]*"


class Terminal(NamedTuple):
    """A word or sign; `written` is its text if it is always the same."""

    name: str
    regexp: str
    written: str | None
    priority: int
    max_width: int
    length: int

    @property
    def is_word(self) -> bool:
        return self.written is not None and self.written.isidentifier()


class Symbol(NamedTuple):
    """A part of a rule; a dropped one has no value for the rule's builder."""

    name: str
    is_terminal: bool
    is_dropped: bool

    @property
    def is_list(self) -> bool:
        return not self.is_terminal and self.name.startswith("_")


class Rule(NamedTuple):
    """A rule of the grammar, as `tabulate` wrote it."""

    origin: str
    alias: str | None
    expand1: bool
    empty: list[bool]
    expansion: list[Symbol]


class Reduction:
    """A rule at work: takes `size` values off the stack and puts one there, for the symbol `origin`.

    `unit`: one value for one value, unchanged.  `grow`: 1 if the tree gets a level deeper by it.
    """

    __slots__ = ("build", "grow", "origin", "size", "unit")

    def __init__(self, origin: str, size: int, build: Build, grow: int, unit: bool) -> None:
        self.origin, self.size, self.build, self.grow, self.unit = origin, size, build, grow, unit


class Table(NamedTuple):
    """`actions[state][terminal]` is the next state (shift) or a Reduction; `gotos[state][rule]` a state."""

    actions: list[dict[str, int | Reduction]]
    gotos: list[dict[str, int]]
    start: dict[str, int]
    words: re.Pattern[str]
    kinds: list[str]
    keywords: dict[str, str]
    contextual: re.Pattern[str]
    written: dict[str, str]
    declarations: frozenset[str]
    parts: frozenset[str]
    chains: dict[tuple[int, int, str], int]


def table() -> Table:
    """The table of the grammar; the first call builds it."""
    with _building:
        return _build()


@cache
def _build() -> Table:
    data = json.loads(TABLES)
    terminals = [Terminal(*row) for row in data["terminals"]]
    keywords = {t.written: t.name for t in terminals if t.written is not None and t.is_word}
    words, kinds = _lexer([t for t in terminals if not t.is_word and t.name != CONTEXTUAL])
    contextual = next(t.regexp for t in terminals if t.name == CONTEXTUAL)
    actions, gotos = _rows(data)
    written = {t.name: t.written for t in terminals if t.written is not None}
    return Table(
        actions, gotos, data["starts"], words, kinds, keywords, re.compile(contextual), written,
        _shared(actions, "OWNER", "CLAUSE"), _shared(actions, "REQUIRE", "DIMENSION"), {},
    )  # fmt: skip


def _shared(actions: list[dict[str, int | Reduction]], one: str, other: str) -> frozenset[str]:
    """The kinds that can stand wherever these two can: the words that begin a declaration, or a part."""
    rows = [frozenset(row) for row in actions if one in row and other in row]
    return frozenset.intersection(*rows) - {END, "SEMICOLON", "RBRACE", "IDENT"}


def _lexer(terminals: Sequence[Terminal]) -> tuple[re.Pattern[str], list[str]]:
    """One pattern for every word and sign, after blanks; and the kind of each of its groups.

    Order as in Lark: priority, then what may be longest; strings and broken numbers come before names.
    At the end of the text END matches nothing, and elsewhere OTHER takes one character: it never fails.
    """
    blank = next(t.regexp for t in terminals if t.name == BLANK)
    wanted = [t for t in terminals if t.name != BLANK and t.name not in STRINGS]
    wanted.sort(key=lambda t: (-t.priority, -t.max_width, -t.length, t.name))
    choices = [(t.name, t.regexp) for t in wanted]
    first = sum(t.priority > 0 for t in wanted)
    choices[first:first] = [(QUOTE, _QUOTE), (BAD_NUMBER, _BROKEN_NUMBER)]
    choices += [(END, r"\Z"), (OTHER, r"[\s\S]")]
    pattern = f"(?:{blank})?(?:{'|'.join(f'({regexp})' for _, regexp in choices)})"
    return re.compile(pattern), ["", *(name for name, _ in choices)]


def _rows(data: dict[str, Any]) -> tuple[list[dict[str, int | Reduction]], list[dict[str, int]]]:
    reductions = [
        _reduction(Rule(origin, alias, expand1, empty, [Symbol(*symbol) for symbol in symbols]))
        for origin, alias, expand1, empty, symbols in data["rules"]
    ]
    actions: list[dict[str, int | Reduction]] = []
    gotos: list[dict[str, int]] = []
    for row in data["states"]:
        here = {symbol: n if n >= 0 else reductions[-1 - n] for symbol, n in row.items()}
        actions.append({symbol: to for symbol, to in here.items() if symbol.isupper() or symbol == END})
        gotos.append({symbol: to for symbol, to in row.items() if not (symbol.isupper() or symbol == END)})
    for end in data["ends"]:
        actions[end][END] = end
    return actions, gotos


# From a rule to the function that builds its value ---------------------------------------------


def _reduction(rule: Rule) -> Reduction:
    origin, size = rule.origin, len(rule.expansion)
    pick, single = _picker(rule)
    listing = origin.startswith("_")
    passes = single and rule.expand1 and not rule.alias
    build = _gather(pick, rule) if listing else _pass(pick) if passes else _node(rule.alias or origin, pick)
    return Reduction(origin, size, build, int((rule.alias or origin) in DEEPER), passes and size == 1)


Pick = Callable[[list[Any]], list[Any]]


def _picker(rule: Rule) -> tuple[Pick, bool]:
    """What of a rule's values its builder gets: no dropped signs, None for an option that is absent,
    and the elements of a list instead of the list.  Also: is it always exactly one value?"""
    steps: list[tuple[int, bool]] = []  # index (-1: None), is it a list
    index = 0
    for absent in rule.empty or [False] * len(rule.expansion):
        if absent:
            steps.append((-1, False))
            continue
        symbol = rule.expansion[index]
        if not symbol.is_dropped:
            steps.append((index, symbol.is_list))
        index += 1
    if steps == [(i, False) for i in range(len(rule.expansion))]:
        return list, len(steps) == 1
    return _pick_steps(steps), len(steps) == 1 and not steps[0][1]


def _pick_steps(steps: list[tuple[int, bool]]) -> Pick:
    def pick(values: list[Any]) -> list[Any]:
        kept: list[Any] = []
        for index, spread in steps:
            if spread:
                kept.extend(values[index])
            else:
                kept.append(None if index < 0 else values[index])
        return kept

    return pick


def _gather(pick: Pick, rule: Rule) -> Build:
    """A helper rule (its name begins with `_`): a list that grows in place while it is read."""
    if rule.expansion[0].name != rule.origin:
        return lambda nodes, span, values: pick(values)

    def extend(nodes: Nodes, span: Any, values: list[Any]) -> list[Any]:
        first: list[Any] = values[0]
        values[0] = ()
        first.extend(pick(values))
        return first

    return extend


def _pass(pick: Pick) -> Build:
    return lambda nodes, span, values: pick(values)[0]


def _node(name: str, pick: Pick) -> Build:
    method: Build = getattr(Nodes, name + "_" if name in KEYWORDS else name)
    if pick is list:
        return method
    return lambda nodes, span, values: method(nodes, span, pick(values))
