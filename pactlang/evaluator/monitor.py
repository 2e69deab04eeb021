"""The monitor: a program, ready to judge calls by what came before them.

In: a `Program`, and records in the order in which the calls were complete.  Out: verdicts, and amendments
to verdicts that had to wait.

State lies in the machine (`runtime/monitor.pxi`); here it gets names, words and evidence.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from pactlang._runtime import MonitorMachine, MonitorVerdict
from pactlang.errors import ProgramError, RecordError
from pactlang.evaluator import snapshots
from pactlang.evaluator.evaluator import Evaluator
from pactlang.opcodes import Outcome
from pactlang.program import Program
from pactlang.values import Timestamp
from pactlang.verdict import Amendment, Batch, Verdict, Violation

if TYPE_CHECKING:
    from datetime import datetime

    from pactlang.explain import Memory, Noted

SECRET = b"pactlang.state/1"  # what keys are hashed with, unless the user has a secret of their own
MEMORY = 1 << 30  # bytes
# Why a clause is unknown, by the numbers of runtime/units.pxi; where it is not by an error value.
WHY = {
    1: "pending", 2: "insufficient", 3: "no session", 4: "too many keys",
    5: "what came before is not known", 6: "the call comes late", 7: "the call has no time",
    8: "it would be an alarm if what could not be read were hits",
}  # fmt: skip
STANDING = {1: "no session", 2: "the call comes late", 3: "the session is past its limit"}


class Remembering(Evaluator, MonitorMachine):
    """The machine of a monitor: an evaluator with state, to be asked by its monitor alone."""

    def __new__(cls, program: Program, memory: int, secret: bytes) -> Any:
        """One machine of one pact."""
        return super().__new__(cls, program)

    def __init__(self, program: Program, memory: int, secret: bytes) -> None:
        super().__init__(program)
        self.amended: deque[tuple[Any, int, int, int | None]] = deque()
        state = program.core.state
        if state is None:
            return
        units = [
            (
                u.kind, u.clause, u.event, u.other, u.until, u.when, u.value, u.count, u.calls, u.span,
                u.flag, u.ending, u.same, u.sources, u.enums,
            )
            for u in state.units
        ]  # fmt: skip
        try:
            self.remember(
                state.code, (state.time, state.seq, state.id), units, list(state.clauses), state.idle,
                state.limit, secret, token_hashes, self.amended, memory, [keep.table for keep in state.keeps],
                [watch.table for watch in state.watches], [register for _, register in state.versions],
                f"{program.version} ({program.digest[:12]})",
            )  # fmt: skip
        except (ValueError, TypeError, OverflowError) as error:
            raise ProgramError(f"the state does not pass verification: {error}") from None

    def _refuse_memory(self, program: Program) -> None:
        """A monitor remembers."""

    @property
    def code(self) -> bytes:
        """All code that reads records: of clauses, and of what sessions remember."""
        state = self.program.core.state
        return self.program.core.code + (b"" if state is None else state.code)

    def outcomes(self, verdict: Verdict) -> dict[str, Outcome]:
        """Clause name -> Outcome in source order; empty for a call outside the pact, and for a duplicate."""
        return {} if is_duplicate(verdict) else super().outcomes(verdict)

    def describe(self, verdict: Verdict) -> str:
        """A verdict in one line."""
        return "<Verdict duplicate>" if is_duplicate(verdict) else super().describe(verdict)

    def unknown(self, verdict: Verdict) -> tuple[str, ...]:
        """Names of the clauses that are unknown."""
        return () if is_duplicate(verdict) else super().unknown(verdict)

    def why(self, verdict: MonitorVerdict) -> dict[str, str]:
        """Of unknown clauses the reason in words."""
        found, state = verdict.reasons or {}, self.program.core.state
        said = {number: WHY[why] for number, why in found.items() if number >= 0}
        if -1 in found and state is not None:
            said |= dict.fromkeys(state.clauses, STANDING[found[-1]])
        unknown = [i for i in range(len(self.names)) if verdict.outcome(i) == Outcome.UNKNOWN]
        return {self.names[i]: said.get(i, "an error value") for i in unknown}

    def memory(self, verdict: MonitorVerdict, number: int) -> Memory:
        """What is known of a clause on a call."""
        from pactlang.explain import Memory

        outcome, name = Outcome(verdict.outcome(number)), self.names[number]
        why = self.why(verdict)[name] if outcome == Outcome.UNKNOWN else ""
        back = (verdict.notes or {}).get(number, (None, None))
        strange = (verdict.strange or {}).get(number, ())
        return Memory(outcome, why, back, self.noted(verdict, number), strange)

    def noted(self, verdict: MonitorVerdict, number: int) -> Noted | None:
        """What is known of the alarm of a watch on a call, if it gave one."""
        from pactlang.explain import Noted

        alarm, state = (verdict.alarms or {}).get(number), self.program.core.state
        if alarm is None or state is None:
            return None
        fields = [name for name, _ in state.versions]
        return Noted(alarm, self.version_names, fields)

    def reason_of(self, verdict: MonitorVerdict, number: int) -> str:
        """Why a clause is unknown on a call, in words."""
        from pactlang.explain import ERROR_VALUE, evidence, form_sentence

        module, memory, row = self.program.module, self.memory(verdict, number), self.row_of(verdict)
        clause = module.clauses[number]
        if self.is_form(number):
            return form_sentence(module, clause, row, memory)
        if memory.why != ERROR_VALUE:
            return f"cannot be decided: {memory.why}"
        found = evidence(module, clause, row, self.program.source, Outcome.UNKNOWN)
        return found.message.removeprefix(f"{clause.name}: ")

    def row_of(self, verdict: MonitorVerdict) -> list[Any]:
        """The CEL values of the slots, with an `Error` for what is hidden, and what the operators said."""
        from pactlang.evaluate import Error
        from pactlang.explain import operators_row

        row = self.row(verdict.record)
        for number in verdict.hidden or ():
            name = ".".join(self.program.schema.slots[number].path) or "call"
            row[number] = Error("not-known", f"`{name}` is not known of this call")
        return operators_row(row, verdict.operators)

    def violations(self, verdict: Verdict) -> tuple[Violation, ...]:
        """The broken promises with their evidence."""
        broken = [i for i in range(len(self.names)) if verdict.outcome(i) == Outcome.VIOLATED]
        if not broken or not isinstance(verdict, MonitorVerdict):
            return super().violations(verdict)
        from pactlang.explain import remembered

        row = self.row_of(verdict)
        return tuple(
            remembered(self.program, i, row, self.memory(verdict, i))
            if self.program.clauses[i].remembers and self.is_form(i)
            else self._violation(i, row)
            for i in broken
        )

    def is_form(self, number: int) -> bool:
        """Whether a clause is a named form, `keep` or `watch`, not a condition."""
        from pactlang.ir import Remembering as Promise

        return isinstance(self.program.module.clauses[number].promise, Promise)


def is_duplicate(verdict: Verdict) -> bool:
    """Whether the call had come before."""
    return isinstance(verdict, MonitorVerdict) and verdict.duplicate


def token_hashes(value: Any) -> tuple[list[int], bool]:
    """The tokens of a value, for `only from`."""
    from pactlang.tokens import token_hashes as found  # only who uses `only from` pays for its import

    return found(value)


class Monitor:
    """Judges calls one by one, with memory of the earlier ones.

    `feed(record)` takes a dict, a msgspec Struct, or the bytes or text of a JSON object, and gives the
    `Verdict`; `feed_all(records)` and `feed_lines(bytes)` take many, and give a `Batch`.  Verdicts that
    wait are resolved later: `amendments` is an iterator over what has been resolved since it was last asked.
    `advance(time)` says how late it is, so that deadlines pass without a call; `end(session)` that a session
    is over.

    One monitor may be used from many threads; calls are judged one at a time, in the order in which they
    come in.  memory: bytes that sessions may take; past it those that have been quiet longest are evicted.
    A 64th of it, at least 1 MiB, on top, is the filter of evicted keys.  `counts["filter_permille"]` says how
    full it is: a new key seems evicted, so that its past is unknown, with the fourth power of that share.
    secret: 16 bytes that the hashes of keys depend on, for services whose keys an attacker chooses.

    Raises ProgramError if the program does not pass verification; `feed` raises RecordError for a record
    that cannot be decoded, and counts it.

    >>> import pactlang
    >>> program = pactlang.compile('''
    ...     pact p "1.0.0"
    ...     event verify when tool == "verify_identity"
    ...     event refund when tool == "issue_refund"
    ...     clause verified { refund only after verify }
    ... ''')
    >>> monitor = pactlang.Monitor(program)
    >>> monitor.feed({"session": "s", "tool": "issue_refund"}).ok
    False
    """

    def __init__(self, program: Program, *, memory: int = MEMORY, secret: bytes = SECRET) -> None:
        if not isinstance(program, Program):
            raise TypeError(f"expected a Program (pactlang.load makes one), found {type(program).__name__}")
        if not isinstance(memory, int):
            raise TypeError(f"memory is a number of bytes, found {type(memory).__name__}")
        if not 0 <= memory < 2**63:
            raise ValueError(f"memory of {memory} bytes")
        if not isinstance(secret, bytes) or len(secret) != 16:
            raise ValueError("a secret is 16 bytes")
        self.program = program
        self.machine = Remembering(program, memory, secret)
        self.secret = secret
        self.undecodable = 0
        self.lost: tuple[str, ...] = ()

    def feed(self, record: Any) -> Verdict:
        """The verdict on the next call.  RecordError if the record cannot be decoded."""
        try:
            return self.machine.feed_record(record)
        except RecordError:
            self.undecodable += 1
            raise

    def feed_all(self, records: Iterable[Any], ids: bool = False) -> Batch:
        """Verdicts on many records, each of a form that `feed` takes: what `feed` says of them, only quicker.

        A row per record, in their order; `Batch.lines` numbers them from 1.  One that cannot be decoded is a
        row of UNKNOWN, a duplicate's row is SKIPPED throughout.  Other threads' calls come before or behind
        a few thousand of them.  ids: keep the calls' ids, in `Batch.ids`.
        """
        from pactlang.evaluator.batch import feed_all

        if isinstance(records, str | bytes | bytearray | memoryview | Mapping | Struct):
            raise TypeError(f"expected many records, found one: {type(records).__name__}")
        return feed_all(self, records if type(records) is list else list(records), ids)

    def feed_lines(self, data: bytes | str, ids: bool = False) -> Batch:
        """Verdicts on NDJSON, in its order: a row per line that is not blank; a bad line is a row of UNKNOWN.

        A duplicate's row is SKIPPED throughout.  ids: keep the calls' ids, in `Batch.ids`.
        """
        from pactlang.evaluator.batch import feed_lines

        if isinstance(data, str):
            data = data.encode("utf-8", "surrogatepass")
        return feed_lines(self, bytes(data), ids)

    def advance(self, time: datetime | Timestamp | int) -> None:
        """It is so late now: a datetime with a time zone, a Timestamp, or microseconds since 1970.

        Obligations that have run out are resolved, and sessions that have been idle too long end.
        """
        self.machine.advance_to(micros_of(time))

    def end(self, session: Any) -> bool:
        """A session is over: what it leaves open is resolved as the pact says.  False if there is none."""
        return self.machine.end_key(session)

    @property
    def amendments(self) -> Iterator[Amendment]:
        """What has been resolved and not been asked for yet, in the order in which it was."""
        waiting = self.machine.amended
        while waiting:
            ident, clause, outcome, time = waiting.popleft()
            yield Amendment(ident, self.machine.names[clause], Outcome(outcome), time)

    # Keeping state ----------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """The whole state: given to `restore`, the same calls get the same verdicts from there on."""
        return snapshots.save(self)

    @classmethod
    def restore(
        cls, program: Program, data: bytes, *, memory: int = MEMORY, secret: bytes = SECRET
    ) -> Monitor:
        """A monitor that goes on where a snapshot was taken.

        It may be of an earlier version of the pact: the state of every clause that is unchanged is kept;
        `lost` names the others, whose past is unknown.  ValueError for what is no snapshot, is damaged, or
        was taken under another secret.
        """
        made = cls(program, memory=memory, secret=secret)
        made.lost = snapshots.load(made, data)
        return made

    def merge(self, other: Monitor) -> Monitor:
        """Add another worker's state into this one; self.  A session belongs to one worker: ValueError, and
        nothing is changed, if both have seen one."""
        snapshots.merge(self, other)
        return self

    @property
    def counts(self) -> dict[str, int]:
        """What was counted: records = calls + outside + undecodable + duplicates, and sessions now."""
        found = dict(self.machine.tallies)
        found["records"] += self.undecodable
        return {**found, "undecodable": self.undecodable}

    @property
    def detectors(self) -> dict[str, dict[str, int]]:
        """Of every `watch`: calls that its detectors used, null and unreadable values, alarms, groups."""
        state, machine = self.program.core.state, self.machine
        watches = () if state is None else state.watches
        return {
            machine.names[watch.clause]: drift.tallies
            for watch, drift in zip(watches, machine.drifts or (), strict=True)
        }

    @property
    def windows(self) -> dict[str, dict[str, int]]:
        """Of every `keep`: calls that entered its windows, null and error arguments, late calls, groups."""
        state, machine = self.program.core.state, self.machine
        keeps = () if state is None else state.keeps
        return {
            machine.names[keep.clause]: windows.counts(0)
            for keep, windows in zip(keeps, machine.windows or (), strict=True)
        }


def micros_of(time: datetime | Timestamp | int) -> int:
    """A time as microseconds since 1970."""
    if isinstance(time, bool) or (not isinstance(time, int | Timestamp) and not hasattr(time, "tzinfo")):
        wanted = "a datetime with a time zone, a Timestamp, or microseconds since 1970"
        raise TypeError(f"a time is {wanted}, found {type(time).__name__}")
    if isinstance(time, int):
        if not -(2**63) <= time < 2**63:
            raise ValueError(f"{time} microseconds are no time: they do not fit into 64 bits")
        return time
    if isinstance(time, Timestamp):
        return time.seconds * 10**6 + time.nanos // 1000
    if time.tzinfo is None:
        raise ValueError("a time needs a time zone")
    return round(time.timestamp() * 10**6)
