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
    table = lark.parse_interactive("", STARTS[0]).parser_state.parse_conf.parse_table
    numbers = _numbers(table)
    states, rules = _states(table, numbers)
    return {
        "terminals": [_terminal(terminal) for terminal in sorted(lark.terminals, key=lambda t: t.name)],
        "rules": [_rule(rule) for rule in rules],
        "states": states,
        "starts": {name: numbers[table.start_states[name]] for name in STARTS},
        "ends": sorted(numbers[state] for state in table.end_states.values()),
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


def _numbers(table: Any) -> dict[int, int]:
    """A number for every state, in the order of a walk from the start states: Lark's own numbers
    change from run to run."""
    from lark.parsers.lalr_analysis import Shift

    walk = [table.start_states[name] for name in STARTS]
    numbers = {state: number for number, state in enumerate(walk)}
    for state in walk:
        for _, (action, target) in sorted(table.states[state].items()):
            if action is Shift and target not in numbers:
                numbers[target] = len(walk)
                walk.append(target)
    return numbers


def _states(table: Any, numbers: dict[int, int]) -> tuple[list[dict[str, int]], list[Any]]:
    """The states in the order of their numbers, and the rules in the order in which they are met."""
    from lark.parsers.lalr_analysis import Shift

    rules: dict[Any, int] = {}

    def code(action: Any, target: Any) -> int:
        return numbers[target] if action is Shift else -1 - rules.setdefault(target, len(rules))

    states = [
        {symbol: code(action, target) for symbol, (action, target) in sorted(table.states[state].items())}
        for state in numbers
    ]
    return states, list(rules)
