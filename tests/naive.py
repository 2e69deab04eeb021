"""Session promises by their meaning: a monitor without registers, to hold the machine to.

In: a program, and records in order.  Out: per record the outcomes, and amendments.  A session is the list
of its calls; every question is answered by `naive_forms` from that list, so that each call costs as much
as all calls before it together.  `keep` is judged by `naive_windows`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import naive_forms
import naive_windows
from msgspec import Struct
from naive_forms import FOREVER, LOST, Call, Duty, alike, duties

from pactlang import ir
from pactlang.errors import RecordError
from pactlang.evaluate import Error, admits, evaluate, truth
from pactlang.evaluate import judge as judge_alone
from pactlang.opcodes import Outcome
from pactlang.program import Program
from pactlang.records import reader_of
from pactlang.values import Timestamp

RECENT = 64  # numbers and ids of a session that duplicates are known by
MOST_LOST = 2_100  # lost calls that are written down one by one; an even number: `expect` takes turns
S, V, SKIP, U = Outcome.SATISFIED, Outcome.VIOLATED, Outcome.SKIPPED, Outcome.UNKNOWN


class Judged(Struct):
    """What a record came to; no outcomes for a duplicate and for a call outside the pact."""

    outcomes: dict[str, Outcome]
    duplicate: bool = False
    late: bool = False
    pending: tuple[str, ...] = ()


class Values:
    """The values of a call's expressions; those of the operators are in its row, behind the slots."""

    def __init__(self, row: list[Any], module: ir.Module) -> None:
        self.row, self.module = row, module

    def value(self, node: ir.Expr) -> Any:
        return evaluate(node, self.row, self.module)

    def truth(self, node: ir.Expr) -> bool | None:
        found = truth(node, self.value(node))
        return None if isinstance(found, Error) else found

    def keys(self, nodes: Sequence[ir.Expr]) -> Any:
        found = [self.value(node) for node in nodes]
        return None if any(each is None or not is_key(each) for each in found) else found


def is_key(value: Any) -> bool:
    """Whether a value can tell one slice from another: no error value, not even deep inside."""
    from pactlang.evaluate.held import unreadable

    return not isinstance(value, Error) and not unreadable(value, False)


class Session:
    """The calls of one key since the last idle time, and what tells a duplicate from a new call."""

    def __init__(self, key: Any) -> None:
        self.key = key
        self.idents: list[Any] = []
        self.numbers: dict[int, str] = {}  # and what they said
        self.last = -1  # the highest number
        self.restarts = False
        self.empty()

    def empty(self) -> None:
        self.calls: list[Call] = []
        self.count = 0  # of calls, lost ones included
        self.time = -FOREVER  # of the last call that had one
        self.clock: float | None = None  # what `advance` said since the last call

    def add(self, call: Call) -> None:
        call.clock, self.clock = self.clock, None
        self.calls.append(call)

    def date(self, now: float) -> None:
        """Calls without a time of their own came no later than the next one that has one."""
        for call in self.calls:
            if call.latest == FOREVER:
                call.latest, call.dated = now, self.count


class Naive:
    """As `Monitor`: `feed`, `end`, `advance`, `amendments`, `counts`."""

    def __init__(self, program: Program, keys: int = 1_000, times: int = 1_024) -> None:
        """keys: how many of a form a session keeps; times: how many `count` keeps."""
        self.module = module = program.module
        self.most_keys, self.most_times = keys, times
        self.windows = {i: windows_of(clause) for i, clause in enumerate(module.clauses) if is_keep(clause)}
        self.fired: list[int] = []  # numbers of the `keep`s whose consequences fire on the last call
        self.reader = reader_of(program.schema)
        self.sessions: list[Session] = []
        self.amendments: list[tuple[Any, str, Outcome]] = []
        self.counts = dict.fromkeys(
            "records calls outside undecodable duplicates conflicts late lost clock_regressions over_limit no_session"
            " over_keys".split(),
            0,
        )
        self.operators = sorted(
            {node.number: node for node in self._nodes() if isinstance(node, ir.Operator)}.items()
        )
        self.slots = {slot.path[0]: i for i, slot in enumerate(module.schema.slots) if len(slot.path) == 1}

    def _nodes(self) -> Iterator[ir.Expr]:
        for clause in self.module.clauses:
            yield from ir.nodes(clause.when, *ir.promised(clause.promise))

    def feed(self, record: Mapping[str, Any]) -> Judged:
        """The outcomes of the next record; RecordError if it cannot be decoded."""
        self.counts["records"] += 1
        self.fired = []
        try:
            row = self.reader.values(self.reader.from_dict(record))
        except RecordError:
            self.counts["undecodable"] += 1
            raise
        admitted = admits(self.module, row)
        if self.module.session is None:
            return self._decided(row, admitted, None)
        session = self._session(row)
        if session is None:
            self.counts["no_session"] += any(map(needs_session, self.module.clauses))
            return self._decided(row, admitted, None)
        standing, lost = self._placed(session, row)
        if standing == "duplicate":
            self.counts["duplicates"] += 1
            return Judged({}, duplicate=True)
        if standing == "late":
            self.counts["late"] += 1
            return self._decided(row, admitted, None, late=True)
        return self._next(session, row, admitted, lost)

    def _value(self, row: list[Any], name: str) -> Any:
        found = row[self.slots[name]] if name in self.slots else None
        return None if isinstance(found, Error) else found

    def _time(self, row: list[Any]) -> int | None:
        found = self._value(row, "time")
        return found.seconds * 10**6 + found.nanos // 1000 if isinstance(found, Timestamp) else None

    # Which session, which place --------------------------------------------------------------------

    def _session(self, row: list[Any]) -> Session | None:
        """The call's session; it begins anew after an idle time."""
        assert self.module.session is not None
        key = Values(row, self.module).keys([self.module.session.key])
        if key is None:
            return None
        session = next((each for each in self.sessions if alike(each.key, key)), None)
        if session is None:
            session = Session(key)
            self.sessions.append(session)
        time, idle = self._time(row), self.module.session.idle
        if idle >= 0 and time is not None and time - session.time > idle // 1000 and session.time > -FOREVER:
            self._amend(self._ended(session, time))
            session.empty()
            session.restarts = True
        return session

    def _placed(self, session: Session, row: list[Any]) -> tuple[str, int]:
        """Whether the call is new, a duplicate or late, and how many were lost before it."""
        number, ident = self._value(row, "seq"), self._value(row, "id")
        if number is not None and number >= 0:
            return self._numbered(session, number, repr(row))
        if ident is not None:
            if ident in session.idents[-RECENT:]:
                return "duplicate", 0
            session.idents.append(ident)
        return "", 0

    def _numbered(self, session: Session, number: int, content: str) -> tuple[str, int]:
        if session.restarts and number <= session.last:  # the new session counts from 0
            session.numbers, session.last = {}, -1
        session.restarts = False
        if number > session.last:
            lost = number - session.last - 1
            session.last = number
            session.numbers[number] = content
            return "", lost
        seen = number in session.numbers and session.last - number < RECENT
        self.counts["conflicts"] += seen and session.numbers[number] != content
        session.numbers.setdefault(number, content)
        return "duplicate" if seen else "late", 0

    def _next(self, session: Session, row: list[Any], admitted: bool | Error, lost: int) -> Judged:
        """A new call of a session: what it says, and what the session makes of it."""
        assert self.module.session is not None
        limit = self.module.session.limit
        time = self._time(row)
        if 0 <= limit <= session.count + lost:
            self.counts["over_limit"] += 1
            self.counts["lost"] += lost
            session.count += lost
            session.time = max(session.time, -FOREVER if time is None else time)
            self._amend([(number, call, U) for number, call, _ in self._asked(session)])
            return self._decided(row, admitted, None)
        if time is not None and time < session.time:
            self.counts["clock_regressions"] += 1
        now = None if time is None else max(time, session.time)
        if now is not None and admitted is not False:
            session.date(now)
        before = len(session.calls)
        self._lose(session, lost, now)
        if admitted is False:
            self._resolve(session, before, early=True)
            return self._decided(row, admitted, None)
        call = self._call(session, row, admitted, now)
        self._resolve(session, before, early=True)
        judged = self._decided(row, admitted, None if call.values is LOST else session)
        self._resolve(session, len(session.calls) - 1, early=False)
        return judged

    def _call(self, session: Session, row: list[Any], admitted: bool | Error, now: float | None) -> Call:
        """Write the call down; one of which nobody can say whether it is the pact's as one that was lost."""
        lost, latest = isinstance(admitted, Error), FOREVER if now is None else now
        earliest = session.time if lost or now is None else now
        values = LOST if lost else Values(row, self.module)
        call = Call(session.count, earliest, latest, now, values, ident=self._ident(row))
        session.add(call)
        session.count += 1
        session.time = session.time if now is None else now
        start = len(self.module.schema.slots)
        for number, node in () if lost else self.operators:
            row += [Error("unset", "")] * (start + number + 1 - len(row))
            row[start + number] = naive_forms.operator(node, session.calls, self.most_times)
        return call

    def _ident(self, row: list[Any]) -> Any:
        found = self._value(row, "id")
        return self.counts["records"] if found is None else found

    def _lose(self, session: Session, lost: int, now: float | None) -> None:
        """Calls that nobody saw, between the last one and this one."""
        self.counts["lost"] += lost
        written = lost if lost <= MOST_LOST else MOST_LOST - (lost & 1)
        for number in range(session.count + lost - written, session.count + lost):
            latest = FOREVER if now is None else now
            session.add(Call(number, session.time, latest, None, LOST, unseen=True))
        session.count += lost

    # Outcomes ----------------------------------------------------------------------------------------

    def _decided(
        self, row: list[Any], admitted: bool | Error, session: Session | None, late: bool = False
    ) -> Judged:
        """session: None where clauses that remember are unknown."""
        if admitted is False:
            self.counts["outside"] += 1
            return Judged({}, late=late)
        self.counts["calls"] += 1
        found = {}
        for number, clause in enumerate(self.module.clauses):
            doubtful = isinstance(admitted, Error) or (session is None and needs_session(clause))
            if is_keep(clause):
                found[clause.name] = self._keep(number, row, doubtful)
            elif doubtful:
                found[clause.name] = U
            elif isinstance(clause.promise, ir.Form):
                assert session is not None
                found[clause.name] = self._form(number, clause, session)
            else:
                found[clause.name] = judge_alone(clause, row, self.module).outcome
        pending = () if session is None else session.calls[-1].pending
        return Judged(found, late=late, pending=tuple(self.module.clauses[i].name for i in sorted(pending)))

    def _keep(self, number: int, row: list[Any], doubtful: bool) -> Outcome:
        if doubtful:
            self.windows[number].doubt(self._time(row))
            return U
        said, _, fires = self.windows[number].feed(self._time(row), Values(row, self.module))
        self.fired += [number] * fires
        return Outcome[said.upper()]

    def _form(self, number: int, clause: ir.Clause, session: Session) -> Outcome:
        call, form = session.calls[-1], clause.promise
        assert isinstance(form, ir.Form)
        admitted = True if clause.when is None else call.truth(clause.when)
        if admitted is False:
            return SKIP
        event = call.truth(form.event.condition)
        if admitted is None or event is None:
            return U
        if event is False:
            return SKIP
        key = call.keys(form.same) if form.same else None
        if key is not None and not naive_forms.is_kept(form, session.calls, key, self.most_keys):
            return U
        if isinstance(form, ir.Expect):
            return self._expected(number, form, session)
        held = naive_forms.judge(form, session.calls)
        return {True: S, False: V, None: U}[held]

    # `expect` ------------------------------------------------------------------------------------------

    def _expected(self, number: int, form: ir.Expect, session: Session) -> Outcome:
        """Pending where both readings open an obligation, skipped where both have one."""
        call = session.calls[-1]
        key = call.keys(form.same)
        if (form.same and key is None) or (form.nanos >= 0 and call.timeless):
            return U
        opened = [
            any(duty.opened is call for duty in duties(form, session.calls, key, yes))
            for yes in (False, True)
        ]
        if all(opened):
            call.pending |= {number}
        return SKIP if not any(opened) else U

    def _resolve(self, session: Session, start: int, early: bool) -> None:
        """Amend what was resolved by the calls from `start` on: before the last one was judged, or after."""
        first = session.calls[start].number if start < len(session.calls) else FOREVER
        found = []
        for number, call, pair in self._asked(session):
            last = max(pair, key=lambda duty: (duty.closed, not duty.early))
            if all(duty.said for duty in pair) and last.closed >= first and last.early == early:
                found.append((number, call, came_to(pair)))
        self._amend(found)

    def _asked(self, session: Session, now: float | None = None) -> Iterator[tuple[int, Call, list[Duty]]]:
        """Every call whose verdict is pending, with its obligation in both readings."""
        for call in session.calls:
            for number in sorted(call.pending):
                form = self.module.clauses[number].promise
                assert isinstance(form, ir.Expect)
                key = call.keys(form.same)
                every = (duties(form, session.calls, key, yes, now) for yes in (False, True))
                yield number, call, [next(duty for duty in each if duty.opened is call) for each in every]

    def _amend(self, found: list[tuple[int, Call, Outcome]]) -> None:
        for number, call, outcome in sorted(found, key=lambda each: (each[0], each[1].number)):
            call.pending -= {number}
            self.amendments.append((call.ident, self.module.clauses[number].name, outcome))

    def _ended(self, session: Session, now: float | None) -> list[tuple[int, Call, Outcome]]:
        """The session is over: what has not run out by then ends as the pact says."""
        found = []
        for number, call, pair in self._asked(session, now):
            form = self.module.clauses[number].promise
            assert isinstance(form, ir.Expect)
            for duty in pair:
                duty.said = duty.said or {"violate": "broken", "forget": "dropped", "": ""}[form.on_end]
            found.append((number, call, came_to(pair)))
        return found

    def end(self, key: Any) -> bool:
        """A session is over."""
        session = next((each for each in self.sessions if alike(each.key, [key])), None)
        if session is None:
            return False
        self._amend(self._ended(session, None))
        self.sessions.remove(session)
        return True

    def advance(self, now: int) -> None:
        """It is so late, in microseconds: what has run out is broken; idle sessions end."""
        idle = -1 if self.module.session is None else self.module.session.idle
        found = []
        for session in list(self.sessions):
            if idle >= 0 and session.time > -FOREVER and now - session.time > idle // 1000:
                found += self._ended(session, now)
                self.sessions.remove(session)
                continue
            session.clock = now if session.clock is None else max(now, session.clock)
            for number, call, pair in self._asked(session, now):
                if all(duty.said for duty in pair):
                    found.append((number, call, came_to(pair)))
        self._amend(found)


def is_keep(clause: ir.Clause) -> bool:
    return isinstance(clause.promise, ir.Keep)


def needs_session(clause: ir.Clause) -> bool:
    parts = ir.nodes(clause.when, *ir.promised(clause.promise))
    return isinstance(clause.promise, ir.Form) or any(isinstance(node, ir.Operator) for node in parts)


def windows_of(clause: ir.Clause) -> naive_windows.Naive:
    """The windows of a `keep`; its groups are known by their keys, in the order in which they come."""
    keep, seen = clause.promise, list[Any]()
    assert isinstance(keep, ir.Keep)

    def rank(values: Any) -> int:
        keys = [values.value(key) for key in keep.keys]
        seen.extend([keys] if not any(alike(keys, other) for other in seen) else [])
        return next(i for i, other in enumerate(seen) if alike(keys, other))

    return naive_windows.Naive(keep, clause.when, rank, keep.limit if keep.limit > 0 else 1_000)


def came_to(pair: Sequence[Duty]) -> Outcome:
    """What two readings of one obligation say together."""
    kept, broken, dropped = ("kept",) * 2, ("broken",) * 2, ("dropped",) * 2
    return {kept: S, broken: V, dropped: SKIP}.get(tuple(duty.said for duty in pair), U)
