"""The report of a run as JSON data; its keys are documented in the README.

In: `Outcome`.  Out: dicts and lists that any JSON decoder takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pactlang.cli.evidence import plain
from pactlang.cli.outcome import Counts, Outcome

if TYPE_CHECKING:
    from pactlang.cli.audit import Example, Place
    from pactlang.source import Source
    from pactlang.verdict import Alarm


def data(outcome: Outcome) -> dict[str, Any]:
    """Counts first, then examples, then how the run went."""
    audit, total = outcome.audit, outcome.audit.total
    return {
        "pact": {
            "name": outcome.program.name,
            "version": outcome.program.version,
            "digest": outcome.program.digest,
        },
        "files": [plain(name) for name in outcome.files],
        "records": total.records,
        "calls": total.calls,
        "outside": total.outside,
        "undecodable": total.undecodable,
        "duplicates": total.duplicates,
        "figures": audit.figures(),
        "clauses": {clause.name: _clause(clause) for clause in outcome.clauses()},
        "violations": [
            _violation(example, outcome.program.source)
            for clause in outcome.worst()
            for example in audit.violations[clause.name]
        ],
        "unknowns": [
            {"clause": name, **_place(found.place), "reason": plain(found.reason)}
            for name, doubts in audit.unknowns.items()
            for found in doubts
        ],
        "amendments": [
            {
                "clause": found.clause,
                **_place(found.place),
                "outcome": found.outcome.name.lower(),
                "resolved": _place(found.at),
            }
            for found in audit.resolutions()
        ],
        "undecodable_records": [plain(found._asdict()) for found in audit.unreadable],
        "undecodable_reasons": [
            {"path": plain(path), "reason": plain(reason), "records": count}
            for (path, reason), count in sorted(audit.reasons.items(), key=lambda item: -item[1])
        ],
        "unread": outcome.sight.unread(),
        "warnings": [plain(said) for said in outcome.warnings()],
        "notices": [plain(notice) for notice in outcome.notices],
        "errors": [plain(error) for error in outcome.errors],
        "interrupted": outcome.interrupted,
        "seconds": round(outcome.seconds, 6),
        "calls_per_second": round(outcome.per_second(), 1),
    }


def _clause(clause: Counts) -> dict[str, Any]:
    return {
        "satisfied": clause.satisfied,
        "violated": clause.violated,
        "skipped": clause.skipped,
        "unknown": clause.unknown,
        "pending": clause.pending,
        "insufficient": clause.insufficient,
        "violated_earlier": clause.earlier,
        "severity": clause.severity,
        "dimension": clause.dimension,
        "description": clause.description,
    }


def _place(place: Place) -> dict[str, Any]:
    return {"file": plain(place.file), "line": place.line, "id": plain(place.id)}


def _alarm(alarm: Alarm) -> dict[str, Any]:
    """What is known of the change that a watch has told of."""
    changed = [dict(plain(each._asdict())) for each in alarm.changed]
    return {**dict(plain(alarm._asdict())), "observed": alarm.observed, "changed": changed}


def _violation(example: Example, source: Source) -> dict[str, Any]:
    violation = example.violation
    start, file = source.place(violation.span[0]), plain(source.named(violation.span[0]))
    found = violation.matched
    return {
        "clause": violation.clause,
        "severity": violation.severity,
        **_place(example.place),
        "resolved": None if example.resolved is None else _place(example.resolved),
        "message": plain(violation.message),
        "values": plain(violation.values),
        "threshold": plain(violation.threshold),
        "matched": None if found is None else plain(found._asdict()),
        "alarm": None if violation.alarm is None else _alarm(violation.alarm),
        "promise": {"file": file, "line": start.line, "column": start.column},
    }
