"""The corpus of session promises: a pact, calls, and what each call came to.

A line of `calls` is the JSON of a record, in which `at` is its time in seconds; `session` is "s" and `id`
the number of the line unless they are given; `"id": null` leaves it out.  Other lines are `end KEY` and
`advance SECONDS`.  `said` has a line per line of `calls`: a letter per clause (s v - ?, and p for what is
pending), or `duplicate`, `outside`; then `late`, and the amendments that came with it: `c(3)=v`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from pactlang.opcodes import Outcome

START = datetime(2026, 1, 1, tzinfo=UTC)
LETTERS = {Outcome.SATISFIED: "s", Outcome.VIOLATED: "v", Outcome.SKIPPED: "-", Outcome.UNKNOWN: "?"}


class Said(Protocol):
    """A verdict, of the monitor or of the naive one."""

    duplicate: bool
    late: bool


class Judge(Protocol):
    """What runs a case."""

    def feed(self, record: Mapping[str, Any]) -> tuple[Mapping[str, Outcome], tuple[str, ...], Said]: ...
    def end(self, key: Any) -> object: ...
    def advance(self, micros: int) -> object: ...
    def resolved(self) -> list[tuple[Any, str, Outcome]]: ...


def play(judge: Judge, calls: str) -> str:
    """The `said` section."""
    return "".join(f"{line}\n" for line in _lines(judge, calls))


def _lines(judge: Judge, calls: str) -> Iterator[str]:
    for number, line in enumerate(calls.splitlines(), 1):
        word, _, rest = line.partition(" ")
        if word == "end":
            judge.end(json.loads(rest))
            said = "end"
        elif word == "advance":
            judge.advance(micros(float(rest)))
            said = "advance"
        else:
            said = _told(*judge.feed(record(json.loads(line), number)))
        yield " ".join([said, *_amended(judge.resolved)])


def _told(outcomes: Mapping[str, Outcome], pending: tuple[str, ...], said: Said) -> str:
    if said.duplicate:
        return "duplicate"
    letters = "".join("p" if name in pending else LETTERS[each] for name, each in outcomes.items())
    return (letters or "outside") + (" late" if said.late else "")


def _amended(resolved: Callable[[], list[tuple[Any, str, Outcome]]]) -> list[str]:
    return [f"{name}({ident})={LETTERS[outcome]}" for ident, name, outcome in resolved()]


def record(written: dict[str, Any], number: int) -> dict[str, Any]:
    """The record of a line."""
    made = {"session": "s", "id": str(number), **written}
    if "at" in made:
        made["time"] = (START + timedelta(seconds=made.pop("at"))).isoformat()
    return made


def micros(seconds: float) -> int:
    return round((START.timestamp() + seconds) * 10**6)
