"""The report of a score as JSON data; its keys are documented in the README.

In: a `Card`.  Out: dicts and lists that any JSON decoder takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pactlang.cli.evidence import plain
from pactlang.score.shape import rfc3339

if TYPE_CHECKING:
    from pactlang.cli.audit import Place
    from pactlang.cli.card import Card, GroupScore
    from pactlang.cli.scoring import Broke


def data(card: Card) -> dict[str, Any]:
    """The score, then where the points went, then the calls behind it, then how the run went."""
    outcome, total = card.scoring.outcome, card.scoring.audit.total
    return {
        **card.score.json(),
        "losses": [plain(loss._asdict()) for loss in card.losses],
        "good_day": card.good_day,
        "broken": [
            _broken(clause.name, clause.severity, clause.dimension, broke)
            for clause in card.scoring.program.clauses
            for broke in card.broke(clause.name)
        ],
        "by": card.scoring.wanted.by,
        "groups": [_group(each) for each in card.groups],
        "files": [plain(name) for name in outcome.files],
        "records": total.records,
        "undecodable": total.undecodable,
        "counted_before": card.scoring.known,
        "warnings": [plain(said) for said in outcome.warnings()],
        "notices": [plain(notice) for notice in outcome.notices],
        "errors": [plain(error) for error in outcome.errors],
        "interrupted": outcome.interrupted,
    }


def _broken(clause: str, severity: str, dimension: str, broke: Broke) -> dict[str, Any]:
    example = broke.example
    return {
        "clause": clause, "severity": severity, "dimension": dimension, **_place(example.place),
        "time": rfc3339(broke.time), "message": plain(example.violation.message),
        "resolved": None if example.resolved is None else _place(example.resolved),
    }  # fmt: skip


def _place(place: Place) -> dict[str, Any]:
    return {"file": plain(place.file), "line": place.line, "id": plain(place.id)}


def _group(each: GroupScore) -> dict[str, Any]:
    return {"group": plain(each.key.value), "rest": each.key.is_rest, **each.score.json()}
