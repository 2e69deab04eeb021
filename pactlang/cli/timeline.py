"""`pactc run --session ID`: what happened in one session, call by call.

In: the verdicts of a run, as they come.  Out: a step per call of the session, as text or as JSON data: its
events, what each clause said, and what came of what was pending.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pactlang.cli.audit import Place, Resolved
from pactlang.cli.evidence import plain
from pactlang.cli.facts import plural
from pactlang.cli.screen import console, printable
from pactlang.evaluate import Error, evaluate, truth
from pactlang.explain import PENDING, Memory
from pactlang.explain.written import length
from pactlang.opcodes import Outcome
from pactlang.values import Timestamp

if TYPE_CHECKING:
    from rich.text import Text

    from pactlang._runtime import MonitorVerdict
    from pactlang.cli.memory import Closed, Remembered
    from pactlang.cli.outcome import Outcome as Ran
    from pactlang.evaluator import Monitor

STYLES = {"satisfied": "green", "violated": "bold red", "unknown": "yellow", "pending": "yellow"}


@dataclass
class Step:
    """One call of the session.  time: microseconds since 1970.  events: those that the call is, True, or
    may be, None.  said: of each clause that is not skipped what is known, and why."""

    place: Place
    time: int | None
    events: dict[str, bool | None]
    said: dict[str, tuple[Memory, str]]
    outside: bool
    duplicate: bool
    late: bool
    later: list[Resolved] = field(default_factory=list)


class Timeline:
    """The steps of one session, in the order in which they came."""

    def __init__(self, monitor: Monitor, session: str) -> None:
        self.machine, self.session = monitor.machine, session
        self.machine.tells = True
        self.module = monitor.program.module
        self.steps: list[Step] = []
        self.pending: dict[tuple[Any, int], list[Step]] = {}
        self.events = {
            event.name: event.condition
            for clause in self.module.clauses
            for event in events_of(clause)
            if event.name != "calls"
        }

    def call(self, checked: Remembered, row: int, verdict: MonitorVerdict) -> None:
        """Take a call of the session."""
        values = self.machine.row_of(verdict)
        if not self._is_ours(values):
            return
        events = {name: self._truth(node, values) for name, node in self.events.items()}
        step = Step(
            checked.place_of(row, verdict), verdict.time,
            {name: said for name, said in events.items() if said is not False},
            {} if verdict.outside or verdict.duplicate else self._said(verdict),
            verdict.outside and not verdict.duplicate, verdict.duplicate, verdict.late,
        )  # fmt: skip
        self.steps.append(step)
        for number, name in enumerate(self.machine.names):
            if name in step.said and step.said[name][0].is_waiting:
                self.pending.setdefault((checked.ident(verdict), number), []).append(step)

    def resolved(self, event: Closed, found: Resolved) -> None:
        """Take what a clause that was pending has come to."""
        steps = self.pending.get((event.id, event.clause))
        if steps:
            steps.pop(0).later.append(found)

    def _is_ours(self, values: list[Any]) -> bool:
        assert self.module.session is not None
        key = evaluate(self.module.session.key, values, self.module)
        return key is not None and not isinstance(key, Error) and str(plain(key)) == self.session

    def _truth(self, node: Any, values: list[Any]) -> bool | None:
        said = truth(node, evaluate(node, values, self.module))
        return None if isinstance(said, Error) else said

    def _said(self, verdict: MonitorVerdict) -> dict[str, tuple[Memory, str]]:
        messages = {violation.clause: violation.message for violation in verdict.violations}
        found = {}
        for number, name in enumerate(self.machine.names):
            memory = self.machine.memory(verdict, number)
            why = messages.get(name, "").removeprefix(f"{name}: ")
            if memory.outcome == Outcome.UNKNOWN:
                why = self.machine.reason_of(verdict, number)
            if memory.outcome != Outcome.SKIPPED:
                found[name] = memory, why
        return found

    # For programs -----------------------------------------------------------------------------------

    def data(self) -> dict[str, Any]:
        """The timeline as JSON data."""
        return {"session": plain(self.session), "calls": [_step(step) for step in self.steps]}

    # For people -------------------------------------------------------------------------------------

    def report(self, ran: Ran) -> None:
        """Print the steps; notices and errors go to standard error."""
        import click

        screen = console()
        for line in self._lines(len(ran.files) == 1):
            screen.print(line, soft_wrap=True)
        for said in (*ran.notices, *(f"{error}; the timeline covers what was read" for error in ran.errors)):
            click.echo(f"note: {said}", err=True)

    def _lines(self, one: bool) -> list[Text]:
        from rich.text import Text

        head = f"session {printable(self.session)}: {plural(len(self.steps), 'call')}"
        lines, before = [Text(head, "bold")], None
        idle = self.module.session.idle if self.module.session is not None else -1
        for step in self.steps:
            gap = None if before is None or step.time is None else step.time - before
            if gap is not None and 0 <= idle < gap * 1000:
                lines += [Text(), Text(f"a new session begins: {length(gap * 1000)} passed", "dim")]
            lines += [Text(), *_shown(step, one, gap)]
            before = step.time if step.time is not None else before
        return lines


def events_of(clause: Any) -> list[Any]:
    """The events that a clause is about."""
    from pactlang.explain import form_events

    return [event for event, _ in form_events(clause.promise)]


def _step(step: Step) -> dict[str, Any]:
    place = step.place
    return {
        "file": plain(place.file), "line": place.line, "id": plain(place.id),
        "time": None if step.time is None else _written(step.time),
        "outside": step.outside, "duplicate": step.duplicate, "late": step.late,
        "events": [name for name, said in step.events.items() if said],
        "perhaps": [name for name, said in step.events.items() if said is None],
        "outcomes": {name: memory.outcome.name.lower() for name, (memory, _) in step.said.items()},
        "why": {name: plain(why) for name, (_, why) in step.said.items() if why},
        "amendments": [
            {
                "clause": found.clause, "outcome": found.outcome.name.lower(), "file": plain(found.at.file),
                "line": found.at.line, "id": plain(found.at.id),
            }
            for found in step.later
        ],
    }  # fmt: skip


def _shown(step: Step, one: bool, gap: int | None) -> list[Text]:
    from rich.text import Text

    place = step.place
    head = Text(f"line {place.line}" if one else f"{place.file}:{place.line}", "cyan")
    if place.id != place.line:
        head.append(f"  {printable(str(place.id))}", "default")
    if step.time is not None:
        head.append(f"  {_written(step.time)}", "dim")
    if gap:
        head.append(f"  {'+' if gap > 0 else '-'}{length(abs(gap) * 1000)}", "dim")
    marks = [name for name, said in step.events.items() if said]
    marks += [f"{name}?" for name, said in step.events.items() if said is None]
    word = next((w for w in ("outside", "duplicate", "late") if getattr(step, w)), "")
    head.append("".join(f"  {mark}" for mark in marks), "bold")
    head.append(f"  {word}" if word else "", "yellow")
    room = max((len(name) for name in step.said), default=0)
    later = {found.clause: found for found in step.later}
    return [head, *(_clause(name, room, *step.said[name], later.get(name), one) for name in step.said)]


def _clause(name: str, room: int, memory: Memory, why: str, later: Resolved | None, one: bool) -> Text:
    from rich.text import Text

    word = "pending" if memory.why == PENDING else memory.outcome.name.lower()
    line = Text(f"    {name:<{room}}  ")
    line.append(word, STYLES[word])
    if later is not None:
        where = f"line {later.at.line}" if one else f"{later.at.file}:{later.at.line}"
        outcome = later.outcome.name.lower()
        line.append(", then ")
        line.append(outcome, STYLES.get(outcome, ""))
        return line.append(f" on {where}")
    return line.append(f": {printable(why.removeprefix('pending: '))}" if why else "", "default")


def _written(micros: int) -> str:
    return str(Timestamp(micros // 10**6, micros % 10**6 * 1000))
