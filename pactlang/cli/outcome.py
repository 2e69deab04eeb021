"""What a run came to: the data that both forms of the report are drawn from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pactlang.cli.facts import plural
from pactlang.cli.imports import file_at
from pactlang.cli.screen import printable

if TYPE_CHECKING:
    from pactlang.cli.audit import Audit
    from pactlang.cli.sight import Sight
    from pactlang.cli.timeline import Timeline
    from pactlang.program import Program

ELSEWHERE = "`pactc init --from LOG` drafts a pact that reads what is there"
# What a monitor counts, in words.
FIGURES = {
    "conflicts": "with the number of another call", "late": "that came late", "lost": "lost calls",
    "clock_regressions": "whose time ran back", "evicted": "sessions forgotten for memory",
    "over_limit": "past their session's limit", "over_keys": "forms with too many keys",
    "no_session": "without a session", "dropped_amendments": "resolutions dropped",
}  # fmt: skip
SEVERITIES = ("critical", "major", "minor", "info")  # the gravest first


class Counts(NamedTuple):
    """One clause of a report.  Of the calls on which it is unknown some are pending, on some there was not
    enough evidence.  earlier: calls of an earlier log that turned out to have violated it."""

    name: str
    severity: str
    description: str
    dimension: str
    satisfied: int
    violated: int
    skipped: int
    unknown: int
    pending: int = 0
    insufficient: int = 0
    earlier: int = 0

    @property
    def doubtful(self) -> int:
        """How often it is unknown, and not merely so far."""
        return self.unknown - self.pending - self.insufficient

    @property
    def broken(self) -> int:
        """How often it was violated, by calls of this log or of an earlier one."""
        return self.violated + self.earlier

    @property
    def breach(self) -> str:
        """The same in words."""
        of_earlier = f"violated by {plural(self.earlier, 'call')} of an earlier log"
        said = [f"violated by {plural(self.violated, 'call')}"] if self.violated or not self.earlier else []
        return ", ".join(said + [of_earlier] * bool(self.earlier))

    @property
    def waits(self) -> str:
        """How many of the calls on which it is unknown are so merely for now, in words; or ""."""
        parts = [f"pending for {self.pending:,}"] * bool(self.pending)
        parts += [f"too little evidence for {self.insufficient:,}"] * bool(self.insufficient)
        return f", {' and '.join(parts)} of them" if parts else ""


@dataclass
class Outcome:
    """The audit of all inputs, and how it went.  pact: its path; `errors` name files that broke off."""

    pact: str
    program: Program
    audit: Audit
    files: list[str]
    sight: Sight
    seconds: float = 0.0
    interrupted: bool = False
    errors: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    timeline: Timeline | None = None

    def clauses(self) -> list[Counts]:
        """The clauses in the order of the pact, with their counts."""
        rows = self.audit.total.clauses.tolist()
        waiting = map(self.audit.waiting, range(len(rows)))
        return [
            Counts._make([c.name, c.severity, c.description, c.dimension, *row, *more])
            for c, row, more in zip(self.program.clauses, rows, waiting, strict=True)
        ]

    def place_of(self, clause: str) -> tuple[str, int]:
        """The file that a clause is written in, and its line there."""
        source = self.program.source
        spans = {each.name: each.span for each in self.program.module.clauses}
        at = spans[clause][0]
        return file_at(source, at, self.pact), source.place(at).line

    def worst(self) -> list[Counts]:
        """The clauses that were violated: the gravest first, then the most often violated."""
        broken = [clause for clause in self.clauses() if clause.broken]
        return sorted(broken, key=lambda clause: (SEVERITIES.index(clause.severity), -clause.broken))

    def violated(self, severity: str) -> int:
        """How often clauses of a severity were violated."""
        return sum(clause.broken for clause in self.clauses() if clause.severity == severity)

    def uncounted(self) -> str:
        """What befell sessions, where there is something: `3 lost, 1 late`."""
        said = (f"{count:,} {FIGURES.get(name, name)}" for name, count in self.audit.figures().items())
        return ", ".join(said)

    def per_second(self) -> float:
        """Records per second, reading included."""
        return self.audit.total.records / self.seconds if self.seconds > 0 else 0.0

    @property
    def is_blind(self) -> bool:
        """Whether calls were judged, and no record has anything that the promises are about."""
        return self.sight.is_blind and (self.audit.total.calls > 0 or bool(self._admission()))

    def all_kept(self) -> bool:
        """Nothing broken, left open or unread, and not merely because there was nothing to judge."""
        clauses = self.clauses()
        partial = self.errors or self.interrupted or self.unread() or self._repeated()
        open_ = self.audit.total.undecodable or any(c.broken or c.unknown for c in clauses)
        return any(c.satisfied for c in clauses) and not open_ and not partial

    def unread(self) -> list[tuple[str, str]]:
        """What was judged without being read: the clause, "" for the pact as a whole, and a sentence."""
        if self.is_blind:
            return [("", f"nothing of the log was read: {self.sight.blindness()}; {ELSEWHERE}")]
        admission = self._admission()
        found = [("", admission)] if admission else []
        return found + [
            (clause.name, f"`{printable(clause.name)}` was judged on defaults alone: {self._lacks(clause)}")
            for clause in self.clauses()
            if (clause.satisfied or clause.violated) and self._lacks(clause)
        ]

    def _admission(self) -> str:
        """Why no call was admitted, if that is because of a field that is nowhere; or ""."""
        total = self.audit.total
        return self.sight.admission() if total.outside and not total.calls else ""

    def warnings(self) -> list[str]:
        """What nobody should take for a kept promise, one sentence each."""
        idle = () if self.is_blind or not self.audit.total.calls else self.clauses()
        said = [said for _, said in self.unread()] + [self._repeated()] + [*map(self._idleness, idle)]
        return [each for each in said if each]

    def _repeated(self) -> str:
        """That most records were left out as duplicates, which may be a mistake in the log; or ""."""
        total = self.audit.total
        if total.duplicates <= total.calls + total.outside:
            return ""
        many = f"{total.duplicates:,} of {total.records:,} records"
        return f"{many} were not judged: an earlier call of their session has their `id`, or their `seq`"

    def _idleness(self, clause: Counts) -> str:
        """Why a clause has judged nothing, which may be a mistake in the pact; or ""."""
        if clause.satisfied or clause.violated or clause.pending or clause.insufficient:
            return ""
        why = "could not be decided on any call it applies to" if clause.unknown else "applied to no call"
        lacks = self._lacks(clause)
        return f"`{printable(clause.name)}` {why}" + (f": {lacks}" if lacks else "")

    def _lacks(self, clause: Counts) -> str:
        """Which fields, all that a clause reads, no record has; or ""."""
        return self.sight.lacks(clause.name) if clause.name in self.sight.unread() else ""
