"""Why a clause has the outcome it has: the fields that decided it, the text that was found, a sentence.

In: a module, one of its clauses, the values of a record's slots.  Out: `Evidence`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pactlang import ir
from pactlang.evaluate import NOT_EVALUATED
from pactlang.explain.found import Match, find_match
from pactlang.explain.say import OPENING, TOO_LONG, comparison, is_fixed, sentence
from pactlang.explain.show import opened
from pactlang.explain.story import Atom, Story, reads, tell
from pactlang.explain.written import Writer
from pactlang.opcodes import Outcome
from pactlang.source import Source

BEYOND = (
    "the call takes more steps, or has a longer text to search, than the pact's budget or the machine allows"
)


class Evidence(NamedTuple):
    """What decided a clause.

    values: field as written -> CEL value; of an optional what it holds, None if it is missing.
    matched: the text that was found, if that decided.  threshold: the constant it was compared with,
    None if none.  message: one sentence.
    """

    values: dict[str, Any]
    matched: Match | None
    threshold: Any
    message: str


def evidence(
    module: ir.Module,
    clause: ir.Clause,
    row: Sequence[Any],
    source: Source | None = None,
    outcome: Outcome | None = None,
) -> Evidence:
    """The evidence for a clause's outcome on a record, given as the values of its slots.

    outcome: what the machine said.  It may count further than a trace, which then only repeats it.
    """
    story = tell(module, clause, row)
    if outcome is Outcome.UNKNOWN and story.outcome is not outcome:
        return Evidence({}, None, None, f"{clause.name}: {OPENING[outcome]}: {BEYOND}")
    if outcome is not None and outcome is not Outcome.UNKNOWN and story.outcome is Outcome.UNKNOWN:
        return too_long(clause, outcome)
    return evidence_of(story, clause, Writer(module, source))


def beyond(module: ir.Module, clause: ir.Clause, row: Sequence[Any]) -> bool:
    """Whether a clause that the machine could not decide could be, but for what a call may take."""
    return tell(module, clause, row).outcome is not Outcome.UNKNOWN


def too_long(clause: ir.Clause, outcome: Outcome) -> Evidence:
    """What is left to say where a trace would take too long."""
    return Evidence({}, None, None, f"{clause.name}: {outcome.name.lower()}; {TOO_LONG}")


def evidence_of(story: Story, clause: ir.Clause, writer: Writer) -> Evidence:
    """The same for a clause that has been told."""
    atoms, schema = story.deciding, writer.module.schema
    found = [m for atom in atoms if (m := find_match(atom.at, atom.bound, writer)) is not None]
    values = {
        writer.path(read.at.node, read.bound): opened(read.at.value, schema)
        for atom in atoms
        for read in reads(atom.at, atom.bound)
    }
    bounds = [bound for atom in atoms if (bound := _threshold(atom)) is not NOT_EVALUATED]
    return Evidence(
        values,
        found[0] if found else None,
        bounds[0] if bounds else None,
        f"{clause.name}: {sentence(story, writer)}",
    )


def _threshold(atom: Atom) -> Any:
    """What a comparison compares with, where that is the same on every call; else NOT_EVALUATED."""
    sides = comparison(atom.at, atom.bound)
    right = None if sides is None else sides[2]
    return right.value if right is not None and is_fixed(right, atom.bound) else NOT_EVALUATED
