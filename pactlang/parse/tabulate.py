"""The LALR tables of the grammar as plain data.

In: the text of `grammar/pact.lark`.  Out: JSON data, which setup.py writes into `pactlang/_grammar.py`.

Computing the tables takes Lark most of a second, reading them a few milliseconds: so they are computed
when the package is built, and Lark is not imported when a pact is compiled.  This file imports nothing
of the package, because setup.py loads it alone.

    terminals  [name, regular expression, written text or null, priority, longest match, its own length]
    rules      [origin, alias or null, expand1, empty indices, [[symbol, is terminal, is dropped], ...]]
    states     per state {symbol: n}: n >= 0 is the next state, n < 0 reduces by rule -n - 1
    starts     start rule -> state, ends: the states in which a text may end
"""

from __future__ import annotations

from typing import Any

STARTS = ("pact", "expression")


def tabulate(text: str) -> dict[str, Any]:
    """The tables of a grammar."""
    from lark import Lark
    from lark.lexer import Lexer

    class Unused(Lexer):
        """Lark's own lexers stay unbuilt: the parser has its own."""

        __future_interface__ = 1

        def __init__(self, conf: object) -> None: ...

        def lex(self, lexer_state: Any, parser_state: Any) -> Any:
            raise NotImplementedError

    lark = Lark(text, parser="lalr", lexer=Unused, start=list(STARTS), maybe_placeholders=True)
    states, rules, ends = _states(lark)
    return {
        "terminals": [_terminal(terminal) for terminal in sorted(lark.terminals, key=lambda t: t.name)],
        "rules": [_rule(rule) for rule in rules],
        "states": states,
        "starts": {name: lark.parse_interactive("", name).parser_state.position for name in STARTS},
        "ends": ends,
    }


def _terminal(terminal: Any) -> list[Any]:
    pattern = terminal.pattern
    written = pattern.value if pattern.type == "str" else None
    rank = [terminal.priority, pattern.max_width, len(pattern.value)]
    return [terminal.name, pattern.to_regexp(), written, *rank]


def _rule(rule: Any) -> list[Any]:
    symbols = [[s.name, s.is_term, bool(s.is_term and s.filter_out)] for s in rule.expansion]
    options = rule.options
    empty = list(options.empty_indices or [])
    return [str(rule.origin.name), rule.alias, bool(options.expand1), empty, symbols]


def _states(lark: Any) -> tuple[list[dict[str, int]], list[Any], list[int]]:
    from lark.parsers.lalr_analysis import Shift

    table = lark.parse_interactive("", STARTS[0]).parser_state.parse_conf.parse_table
    rules: dict[Any, int] = {}
    states: list[dict[str, int]] = [{} for _ in table.states]
    for state, row in sorted(table.states.items()):
        for symbol, (action, target) in sorted(row.items()):
            states[state][symbol] = target if action is Shift else -1 - rules.setdefault(target, len(rules))
    return states, list(rules), sorted(table.end_states.values())
