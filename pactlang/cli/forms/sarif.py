"""SARIF 2.1.0, which code hosts and editors show at the lines that it names.

In: opened pacts, or the outcome of a run.  Out: the document as JSON data.  A rule of `check` is a
diagnostic's code; a rule of `run` is a clause, its results are the calls that broke it, and the promise's
place in the pact is related to each.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pactlang import __version__
from pactlang.cli.evidence import plain
from pactlang.cli.imports import file_at
from pactlang.cli.screen import printable

if TYPE_CHECKING:
    from pactlang.cli.audit import Example
    from pactlang.cli.outcome import Outcome
    from pactlang.cli.pacts import Opened
    from pactlang.diagnostic import Diagnostic
    from pactlang.source import Source, Span

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {
    "error": "error", "warning": "warning", "note": "note",
    "critical": "error", "major": "error", "minor": "warning", "info": "note",
}  # fmt: skip
MESSAGE = 2_000  # characters of one message

Data = dict[str, Any]


def findings(opened: Iterable[Opened]) -> Data:
    """What `check` found."""
    results = [
        _finding(found, each.name, each.source)
        for each in opened
        if each.source is not None
        for found in each.diagnostics
    ]
    return _document(
        [{"id": code} for code in dict.fromkeys(result["ruleId"] for result in results)], results
    )


def outcome(outcome: Outcome) -> Data:
    """What `run` found: the examples of each broken promise, and the records that could not be read."""
    rules = [
        {
            "id": clause.name,
            "shortDescription": {"text": plain(clause.description) or clause.name},
            "defaultConfiguration": {"level": LEVELS[clause.severity]},
            "properties": {
                "severity": clause.severity, "dimension": clause.dimension, "satisfied": clause.satisfied,
                "violated": clause.violated, "skipped": clause.skipped, "unknown": clause.unknown,
                "pending": clause.pending,
            },
        }
        for clause in outcome.clauses()
    ]  # fmt: skip
    results = [
        _violation(example, outcome)
        for clause in outcome.worst()
        for example in outcome.audit.violations[clause.name]
    ]
    if outcome.audit.unreadable:
        rules.append({"id": "undecodable", "shortDescription": {"text": "A record that cannot be decoded"}})
    results += [
        _result("undecodable", "warning", f"{each.path}: {each.reason}", [_line(each.file, each.line)])
        for each in outcome.audit.unreadable
    ]
    unread = [_unread(name, said, outcome) for name, said in outcome.unread()]
    if unread:
        said = "No record has what the promise is about"
        rules.append({"id": "unread", "shortDescription": {"text": said}})
    return _document(rules, results + unread)


def _unread(name: str, said: str, outcome: Outcome) -> Data:
    file, line = outcome.place_of(name) if name else (outcome.pact, 1)
    return _result("unread", "error" if outcome.is_blind else "warning", said, [_line(file, line)])


def _document(rules: list[Data], results: list[Data]) -> Data:
    driver = {"name": "pactc", "version": __version__, "rules": rules}
    numbers = {rule["id"]: number for number, rule in enumerate(rules)}
    for result in results:
        result["ruleIndex"] = numbers[result["ruleId"]]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(rule: str, level: str, message: str, locations: list[Data]) -> Data:
    text = printable(message)
    text = text if len(text) <= MESSAGE else f"{text[: MESSAGE - 1]}…"
    return {"ruleId": rule, "level": level, "message": {"text": text}, "locations": locations}


def _finding(found: Diagnostic, name: str, source: Source) -> Data:
    message = "\n".join([found.message, *found.help])
    result = _result(
        found.code, LEVELS[found.level], found.message, [_place(name, source, found.primary.span)]
    )
    result["message"]["text"] = "\n".join(map(printable, message.split("\n")))
    if found.related:
        result["relatedLocations"] = [
            {**_place(name, source, label.span), "message": {"text": printable(label.text)}}
            for label in found.related
        ]
    if found.fix is not None:
        change = {
            "deletedRegion": _region(source, found.fix.span),
            "insertedContent": {"text": found.fix.replacement},
        }
        file = _uri(file_at(source, found.fix.span.start, name))
        changes = [{"artifactLocation": {"uri": file}, "replacements": [change]}]
        result["fixes"] = [{"description": {"text": printable(found.fix.title)}, "artifactChanges": changes}]
    return result


def _violation(example: Example, outcome: Outcome) -> Data:
    place, violation = example.place, example.violation
    where = [_line(place.file, max(place.line, 1))]
    result = _result(violation.clause, LEVELS[violation.severity], violation.message, where)
    promise = _place(outcome.pact, outcome.program.source, violation.span)
    result["relatedLocations"] = [{**promise, "message": {"text": "the promise"}}]
    if example.resolved is not None:
        at = _line(example.resolved.file, example.resolved.line)
        result["relatedLocations"].append({**at, "message": {"text": "the call on which it came out"}})
    # An id may come more than once; the line tells its calls apart.
    call = f"{violation.clause}:{printable(str(place.id))}:{place.line}"
    result["partialFingerprints"] = {"call/v2": call}
    return result


def _place(name: str, source: Source, span: Span) -> Data:
    file = _uri(file_at(source, span.start, name))
    return {"physicalLocation": {"artifactLocation": {"uri": file}, "region": _region(source, span)}}


def _region(source: Source, span: Span) -> Data:
    start, end = source.place(span.start), source.place(span.end)
    return {
        "startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column,
    }  # fmt: skip


def _line(file: str, line: int) -> Data:
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(file)}, "region": {"startLine": line}}}


def _uri(name: str) -> str:
    """A relative reference; of standard input, which has none, its usual name."""
    return quote(name.replace("\\", "/").strip("<>") or "-", safe="/._-~+=@,")
