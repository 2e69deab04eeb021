"""Comprehensions in plain Python: what a loop makes of the elements of a list or a map.

In: an `ir.Comprehension` whose parts can be evaluated.  Out: a CEL value, or an `Error` value.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

from pactlang import ir
from pactlang.evaluate.calls import Failure, brief
from pactlang.evaluate.held import unreadable
from pactlang.evaluate.traces import Error, TraceNode, macro, no, place, truth
from pactlang.values import key_value, map_key

MAX_TURNS = 20_000_000  # turns of all loops of one evaluation
MAX_TRACED = 50_000  # the same of one that is traced: about two seconds
MAX_ITEMS = 24  # turns of one loop that a trace keeps

Tests = Iterator[tuple[int, Any, bool | Error]]


class Loops:
    """The part of an evaluation that loops."""

    module: ir.Module
    vars: dict[int, Any]
    open: TraceNode | None
    turns: int
    most: int
    host: bool

    @abstractmethod
    def at(self, node: ir.Expr) -> Any:
        """The value of a part, kept in the trace."""

    def comprehension(self, node: ir.Comprehension) -> Any:
        source = self.at(node.source)
        if isinstance(source, Error):
            return source
        if not isinstance(source, list | dict):
            code = "null-operand" if source is None else "no-such-overload"
            where = place(node.source, self.module) or "this"
            raise Failure(code, f"`{macro(node)}` needs a list or a map, `{where}` is {no(source)}")
        if node.second >= 0:
            items = list(enumerate(source) if isinstance(source, list) else source.items())
        else:
            items = list(source)
        outer = self.vars.get(node.var), self.vars.get(node.second)
        try:
            return self._loop(node, items, isinstance(source, dict))
        finally:
            self.vars[node.var], self.vars[node.second] = outer

    def _loop(self, node: ir.Comprehension, items: list[Any], keyed: bool) -> Any:
        match node.macro:
            case "all" | "exists":
                return self._quantifier(node, self._tests(node, items, keyed))
            case "exists_one":
                return self._exactly_one(self._tests(node, items, keyed))
            case "to_map" | "to_entries":
                return self._gather(node, self._tests(node, items, keyed))
        return self._collect(node, self._tests(node, items, keyed))

    def _exactly_one(self, tests: Tests) -> Any:
        count = 0
        for _, _, test in tests:
            if isinstance(test, Error):
                return test
            count += test
        return count == 1

    def _quantifier(self, node: ir.Comprehension, tests: Tests) -> Any:
        decides = node.macro == "exists"
        error: Error | None = None
        for _, _, test in tests:
            if test is decides:
                return decides
            if isinstance(test, Error):
                error = error or test
        return error if error is not None else not decides

    def _gather(self, node: ir.Comprehension, tests: Tests) -> Any:
        """The map that `transformMap` and `transformMapEntry` make; a key may come once."""
        made: dict[Any, Any] = {}
        for index, item, test in tests:
            if isinstance(test, Error) or not test:
                if isinstance(test, Error):
                    return test
                continue
            assert node.body is not None
            value = self._turn(node.body, index, item)
            if isinstance(value, Error):
                return value
            entries = {map_key(self.vars[node.var]): value} if node.macro == "to_map" else value
            if not isinstance(entries, dict) or None in entries:
                raise Failure("no-such-overload", "`transformMapEntry` needs a map for each entry")
            twice = next((key for key in entries if key in made), None)
            if twice is not None:
                raise Failure("duplicate-key", f"the key `{brief(key_value(twice))}` comes twice")
            made |= entries
        return made

    def _collect(self, node: ir.Comprehension, tests: Tests) -> Any:
        made = []
        for index, item, test in tests:
            if isinstance(test, Error):
                return test
            if not test:
                continue
            value = item if node.body is None else self._turn(node.body, index, item)
            if isinstance(value, Error):
                return value
            made.append(value)
        return made

    def _tests(self, node: ir.Comprehension, items: list[Any], keyed: bool) -> Tests:
        """Each item with its number, as the variables read it, and the truth of the test there."""
        for index, item in enumerate(items):
            self.turns += 1
            if self.turns > (self.most if self.open is None else MAX_TRACED):
                raise Failure("limit", "the loops of this expression take too many turns")
            value = self._take(node, item, keyed)
            passes = True if node.test is None else truth(node.test, self._turn(node.test, index, value))
            yield index, value, passes

    def _take(self, node: ir.Comprehension, item: Any, keyed: bool) -> Any:
        """Give the variables what this turn is about; the item as it is shown."""
        if node.second < 0:
            value = self.vars[node.var] = self._item(node, key_value(item) if keyed else item)
            return value
        first = self.vars[node.var] = self._item(node, key_value(item[0]))
        second = self.vars[node.second] = self._item(node, item[1], node.second_name)
        return [first, second]

    def _item(self, node: ir.Comprehension, item: Any, name: str = "") -> Any:
        why = unreadable(item, self.host)
        return Error("bad-number", f"`{name or node.name}` {why}", node.source.span) if why else item

    def _turn(self, node: ir.Expr, index: int, item: Any) -> Any:
        value = self.at(node)
        if self.open is not None:
            turns = self.open.children
            turns[-1].item, turns[-1].index = item, index
            if len(turns) > MAX_ITEMS + 1:  # beside the source
                _forget(turns)
        return value


def _forget(turns: list[TraceNode]) -> None:
    """Drop the turn before the last, if an earlier one came out as it did."""
    came_out = _way(turns[-2].value)
    if any(_way(turn.value) == came_out for turn in turns[1:-2]):
        del turns[-2]


def _way(value: Any) -> bool | type:
    """True, false, an error, or a value of some type."""
    return value if isinstance(value, bool) else type(value)
