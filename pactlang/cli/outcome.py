"""What a run came to: the data that both forms of the report are drawn from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pactlang.cli.imports import file_at
from pactlang.cli.tally import VIOLATED

if TYPE_CHECKING:
    from pactlang.cli.audit import Audit
    from pactlang.program import Program

SEVERITIES = ("critical", "major", "minor", "info")  # the gravest first


class Counts(NamedTuple):
    """One clause of a report."""

    name: str
    severity: str
    description: str
    dimension: str
    satisfied: int
    violated: int
    skipped: int
    unknown: int


@dataclass
class Outcome:
    """The audit of all inputs, and how it went.  pact: its path; `errors` name files that broke off."""

    pact: str
    program: Program
    audit: Audit
    files: list[str]
    seconds: float = 0.0
    interrupted: bool = False
    errors: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def clauses(self) -> list[Counts]:
        """The clauses in the order of the pact, with their counts."""
        rows = self.audit.total.clauses.tolist()
        return [
            Counts(c.name, c.severity, c.description, c.dimension, *row)
            for c, row in zip(self.program.clauses, rows, strict=True)
        ]

    def place_of(self, clause: str) -> tuple[str, int]:
        """The file that a clause is written in, and its line there."""
        source = self.program.source
        spans = {each.name: each.span for each in self.program.module.clauses}
        at = spans[clause][0]
        return file_at(source, at, self.pact), source.place(at).line

    def worst(self) -> list[Counts]:
        """The clauses that were violated: the gravest first, then the most often violated."""
        broken = [clause for clause in self.clauses() if clause.violated]
        return sorted(broken, key=lambda clause: (SEVERITIES.index(clause.severity), -clause.violated))

    def violated(self, severity: str) -> int:
        """How often clauses of a severity were violated."""
        columns = [i for i, c in enumerate(self.program.clauses) if c.severity == severity]
        return int(self.audit.total.clauses[columns, VIOLATED].sum())

    def per_second(self) -> float:
        """Records per second, reading included."""
        return self.audit.total.records / self.seconds if self.seconds > 0 else 0.0
