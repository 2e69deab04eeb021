"""What a program is, in a few words: for the line of `pactc check` and the head of a report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pactlang.cli.screen import printable

if TYPE_CHECKING:
    from pactlang.program import Program


def facts(program: Program) -> dict[str, Any]:
    """Name, version, digest, clauses and what is read of a record, as JSON data."""
    return {
        "name": program.name,
        "version": program.version,
        "digest": program.digest,
        "record": program.schema.root,
        "clauses": [clause.name for clause in program.clauses],
        "enforceable": [clause.name for clause in program.clauses if clause.enforceable],
        "detect_only": [clause.name for clause in program.clauses if not clause.enforceable],
        "reads": {name: list(fields) for name, fields in program.schema.reads.items()},
    }


def tagged(program: Program) -> Iterator[str]:
    """Of a pact that remembers: which clauses a guard can hold a call back by, and which only tell that
    something has happened.  A clause about one call can always hold it back."""
    if not any(clause.remembers for clause in program.clauses):
        return
    for word, wanted in (("enforceable", True), ("detect-only", False)):
        names = [printable(c.name) for c in program.clauses if c.enforceable is wanted]
        if names:
            yield f"  {word}: {', '.join(names)}"


def one_line(program: Program) -> str:
    """Name, version, number of clauses, records read and digest."""
    clauses = plural(len(program.clauses), "clause")
    head = f"{program.name} {program.version}, {clauses}, reads {_reads(program)}"
    return printable(f"{head}, {short(program.digest)}")


def _reads(program: Program) -> str:
    read = [(name, len(fields)) for name, fields in program.schema.reads.items() if fields]
    return ", ".join(f"{name} ({plural(fields, 'field')})" for name, fields in read) or "nothing"


def short(digest: str) -> str:
    """The beginning of a digest, enough to tell pacts apart at a glance."""
    return f"sha256:{digest[:12]}"


def plural(count: int, word: str) -> str:
    """`1 clause`, `2 clauses`, `1,000 clauses`."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"
