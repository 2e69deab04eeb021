"""The grammar as the machine wants it: one row of actions per state, one pattern for all words.

In: the text of `grammar/pact.lark`.  Out: a `Table`, built once per process.

Lark reads the grammar and computes the LALR(1) tables; what is here only rearranges them.  The loop
over them is our own (`machine.py`), because recovery after a mistake needs the stacks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from pactlang._grammar import GRAMMAR
from pactlang.parse.nodes import Nodes

if TYPE_CHECKING:
    from lark import Lark
    from lark.grammar import Rule
    from lark.lexer import TerminalDef

END = "$END"
# What no terminal takes: a string that does not end, a number with something at its end, a stray sign.
UNTERMINATED, BAD_NUMBER, OTHER = "UNTERMINATED", "BAD_NUMBER", "OTHER"
# The beginning of a string.  Where it ends is found by `literals.string_end`, not by the grammar's
# pattern: a repeated group takes hundreds of bytes for each escape while it matches.
QUOTE, STRINGS = "QUOTE", ("STRING", "BYTES")
BLANK, COMMENT = "BLANK", "COMMENT"
STARTS = ("pact", "expression")
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
    chains: dict[tuple[int, int, str], int]


def table() -> Table:
    """The table of the grammar; the first call builds it."""
    with _building:
        return _build()


@cache
def _build() -> Table:
    lark = _lark()
    terminals = list(lark.terminals)
    keywords = {t.pattern.value: t.name for t in terminals if _is_word(t)}
    words, kinds = _lexer([t for t in terminals if not _is_word(t) and t.name != CONTEXTUAL])
    contextual = next(t.pattern.to_regexp() for t in terminals if t.name == CONTEXTUAL)
    actions, gotos = _rows(lark)
    start = {name: lark.parse_interactive("", name).parser_state.position for name in STARTS}
    written = {t.name: t.pattern.value for t in terminals if t.pattern.type == "str"}
    return Table(
        actions, gotos, start, words, kinds, keywords, re.compile(contextual), written,
        _declarations(actions), {},
    )  # fmt: skip


def _declarations(actions: list[dict[str, int | Reduction]]) -> frozenset[str]:
    """The words that begin a declaration: what can follow a complete one."""
    rows = [set(row) for row in actions if "OWNER" in row and "CLAUSE" in row]
    return frozenset.intersection(*map(frozenset, rows)) - {END, "SEMICOLON"}


def _lark() -> Lark:
    """The grammar's tables.  Lark is imported here and nowhere else; its lexers stay unbuilt."""
    from lark import Lark
    from lark.lexer import Lexer

    class Unused(Lexer):
        __future_interface__ = 1

        def __init__(self, conf: object) -> None: ...

        def lex(self, lexer_state: Any, parser_state: Any) -> Any:
            raise NotImplementedError

    return Lark(GRAMMAR, parser="lalr", lexer=Unused, start=list(STARTS), maybe_placeholders=True)


def _is_word(terminal: TerminalDef) -> bool:
    return terminal.pattern.type == "str" and str(terminal.pattern.value).isidentifier()


def _lexer(terminals: Sequence[TerminalDef]) -> tuple[re.Pattern[str], list[str]]:
    """One pattern for every word and sign, after blanks; and the kind of each of its groups.

    Order as in Lark: priority, then what may be longest; strings and broken numbers come before names.
    At the end of the text END matches nothing, and elsewhere OTHER takes one character: it never fails.
    """
    blank = next(t.pattern.to_regexp() for t in terminals if t.name == BLANK)
    wanted = [t for t in terminals if t.name != BLANK and t.name not in STRINGS]
    wanted.sort(key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name))
    choices = [(t.name, t.pattern.to_regexp()) for t in wanted]
    first = sum(t.priority > 0 for t in wanted)
    choices[first:first] = [(QUOTE, _QUOTE), (BAD_NUMBER, _BROKEN_NUMBER)]
    choices += [(END, r"\Z"), (OTHER, r"[\s\S]")]
    pattern = f"(?:{blank})?(?:{'|'.join(f'({regexp})' for _, regexp in choices)})"
    return re.compile(pattern), ["", *(name for name, _ in choices)]


def _rows(lark: Lark) -> tuple[list[dict[str, int | Reduction]], list[dict[str, int]]]:
    from lark.parsers.lalr_analysis import Shift

    parse_table = lark.parse_interactive("", STARTS[0]).parser_state.parse_conf.parse_table
    states = parse_table.states
    reductions: dict[Rule, Reduction] = {}
    actions: list[dict[str, int | Reduction]] = [{} for _ in states]
    gotos: list[dict[str, int]] = [{} for _ in states]
    for state, row in states.items():
        for symbol, (action, target) in row.items():
            if action is not Shift:
                if target not in reductions:
                    reductions[target] = _reduction(target)
                actions[state][symbol] = reductions[target]
            elif symbol.isupper() or symbol == END:
                actions[state][symbol] = target
            else:
                gotos[state][symbol] = target
    for end in parse_table.end_states.values():
        actions[end][END] = end
    return actions, gotos


# From a rule to the function that builds its value ---------------------------------------------


def _reduction(rule: Rule) -> Reduction:
    origin, size = str(rule.origin.name), len(rule.expansion)
    pick, single = _picker(rule)
    listing = origin.startswith("_")
    passes = single and rule.options.expand1 and not rule.alias
    build = _gather(pick, rule) if listing else _pass(pick) if passes else _node(rule.alias or origin, pick)
    return Reduction(origin, size, build, int((rule.alias or origin) in DEEPER), passes and size == 1)


Pick = Callable[[list[Any]], list[Any]]


def _picker(rule: Rule) -> tuple[Pick, bool]:
    """What of a rule's values its builder gets: no dropped signs, None for an option that is absent,
    and the elements of a list instead of the list.  Also: is it always exactly one value?"""
    steps: list[tuple[int, bool]] = []  # index (-1: None), is it a list
    index = 0
    for absent in rule.options.empty_indices or [False] * len(rule.expansion):
        if absent:
            steps.append((-1, False))
            continue
        symbol: Any = rule.expansion[index]
        if not (symbol.is_term and symbol.filter_out):
            steps.append((index, not symbol.is_term and symbol.name.startswith("_")))
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
    if rule.expansion[0].name != rule.origin.name:
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
