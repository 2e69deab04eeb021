"""The books of a guard whose pact remembers: calls go through a monitor, one by one, in the order of their
numbers.

In: complete calls, ends of sessions, times.  Out: as of `books`, and amendments to verdicts that had to wait.

The one idea: a call is numbered, judged and stored at its place in one line.  A small call is judged at once,
by who brings it; a large one goes to the desk, and until the desk is done with it whatever comes goes there
too, so nobody overtakes and no event loop waits for a large text.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from pactlang import ir
from pactlang._runtime import MonitorVerdict
from pactlang.evaluator import Monitor
from pactlang.guard.answers import bulk
from pactlang.guard.books import LARGE, UNKNOWN, VIOLATED, Books, Said, Told
from pactlang.guard.call import Call
from pactlang.guard.desk import shielded
from pactlang.guard.findings import amended, is_waiting
from pactlang.guard.result import Verification
from pactlang.guard.sessions import Numbers
from pactlang.ledger.entry import Aside, Entry
from pactlang.opcodes import Outcome
from pactlang.program import Program
from pactlang.verdict import Amendment, Verdict

if TYPE_CHECKING:
    from pactlang.guard.keeper import Keeper
    from pactlang.ledger import Ledger

BEHIND = 10_000  # calls that may wait behind a large one; who brings more waits
PATIENCE = 60.0  # seconds for them to be judged, when all is to be saved

T = TypeVar("T")


class Recall(Books):
    """What a guard keeps of a pact that remembers.  `order` is held by who numbers and judges at once."""

    def __init__(
        self,
        monitor: Monitor,
        ledger: Any,
        sessions: int,
        on_violation: Told | None,
        on_unknown: Told | None,
        on_verdict: Callable[[Verification], object] | None,
    ) -> None:
        self.monitor: Monitor | None = monitor
        self.program = monitor.program
        super().__init__(monitor.machine, ledger, sessions, on_violation, on_unknown, on_verdict)
        self.numbers_sessions = _is_session(self.program)
        self.hides_keys = _hides_keys(self.program)
        self._check: Callable[[Any], Verdict] = self._feed
        self.late.bound = sys.maxsize  # `BEHIND` bounds it
        self.keeper: Keeper | None = None
        self.lost: tuple[str, ...] = ()
        self.inherited: dict[str, int] = {}  # what was counted at the start
        self.ledger_waits = self.waits
        self.waits = True  # `guard.call` asks `full` before it ends a call

    def _new_writer(self) -> None:
        super()._new_writer()
        self.order = threading.RLock()  # a stream that is collected in the middle of a call settles one, too
        self.room = threading.Condition(self.order)
        self.behind = 0  # calls at the desk
        self.judging = False

    def after_fork(self) -> None:
        """Begin anew in a child, with an empty memory: sessions of the parent stay with it."""
        super().after_fork()
        self.monitor = None  # it may be in the middle of a call; the child's first call makes another
        if self.keeper is not None:
            self.keeper.after_fork()

    # What lasts -------------------------------------------------------------------------------------

    def keep(self, ledger: Ledger) -> None:
        """Go on from what is kept beside a ledger, and keep it there.  LedgerError."""
        from pactlang.guard.heir import inherit
        from pactlang.guard.keeper import Keeper

        self.keeper = Keeper(self, ledger)
        inherit(self.keeper)

    def take_over(self, monitor: Monitor, numbers: Numbers) -> None:
        """Go on from another memory."""
        self.monitor, self.numbers = monitor, numbers
        self.evaluator, self.names = monitor.machine, monitor.machine.names

    def at_rest(self, look: Callable[[], T]) -> T:
        """Look at the memory when all calls so far are in it, and no other."""
        found, done = list[T](), threading.Event()

        def work(_: object) -> None:
            try:
                found.append(look())
            finally:
                done.set()

        self._bring(_nothing, work, None, True)
        if not done.wait(PATIENCE) or not found:
            raise OSError("the memory is not at rest")
        return found[0]

    def close(self) -> None:
        """Keep it for the last time."""
        keeper, self.keeper = self.keeper, None
        if keeper is not None:
            keeper.close()

    # The line ---------------------------------------------------------------------------------------

    def settle(self, one: Verification) -> None:
        """Number and judge a complete call, now or at its turn."""
        large = one._late is not None or self.is_large(one.call)
        self._bring(self._number, self.judge, one, large)

    def settle_data(self, one: Verification) -> None:
        """The same for a record that was made elsewhere."""
        self._bring(self._number_data, self.judge, one, bulk(one.call, LARGE) > LARGE)

    def _bring(
        self, number: Callable[[Any], object], work: Callable[[Any], object], one: Any, large: bool
    ) -> None:
        """Do some work now, or put it behind what waits."""
        with self.order:
            while self.behind >= BEHIND and not self._is_inside():
                self.room.wait()
            number(one)
            late = self.behind or large or self.judging or self._is_blocked()
            failed = one.finish if isinstance(one, Verification) else _nothing
            if late and self.late.put(shielded(self._at_its_turn, work, one, failed=failed)):
                self.behind += 1
                return
            self.judging = True
            try:
                work(one)
            finally:
                self.judging = False

    def _is_inside(self) -> bool:
        """Whether waiting would be waiting for oneself."""
        return self.judging or self.late.is_here

    def _is_blocked(self) -> bool:
        return self.ledger_waits and self.ledger is not None and bool(self.ledger.full)

    def _at_its_turn(self, work: Callable[[Any], object], one: Any) -> None:
        with self.order:  # what was begun before is done then
            pass
        try:
            work(one)
        finally:
            with self.order:
                self.behind -= 1
                self.room.notify_all()

    def full(self) -> bool:
        """Whether the next call would have to wait for its place."""
        return self.behind >= BEHIND or self._is_blocked()

    # One call ---------------------------------------------------------------------------------------

    def _number(self, one: Verification) -> None:
        call = one.call
        with self.lock:
            self.counts.calls += 1
            if call.ok is False:
                self.counts.failed += 1
            if call.session is not None and call.seq is None and self.numbers_sessions:
                call.seq = self._next(call.session)
        one._place = (call.session, call.seq)

    def _number_data(self, one: Verification) -> None:
        session, seq = self._head(one)
        with self.lock:
            self.counts.calls += 1
            if session is not None and seq is None and one.error is None and self.numbers_sessions:
                seq = self._next(str(session))
                one.call = {**one.call, "seq": seq}
        one._place = (None if session is None else str(session), seq)

    def _next(self, session: str) -> int | None:
        """As of any guard; a session that another process has had has a past that is not known here."""
        if self.keeper is not None and self.keeper.shared and session not in self.numbers:
            last = self.keeper.last_of(session)
            if last is not None:
                self.numbers.seen(session, last)
                _doubt(self.memory(), session)
        return super()._next(session)

    def judge(self, one: Verification) -> None:
        """Give the next call its verdict, store it, tell of it, and of what it resolved."""
        super().judge(one)
        if self.ledger is None:
            self.number += 1
        self._amend(one._time)
        if self.keeper is not None:
            self.keeper.note(self.number)

    def _feed(self, call: Any) -> Verdict:
        """The verdict on the next call.  What an amendment is to name needs an id."""
        if isinstance(call, Call) and call.id is None:
            call.id = f"{self.writer}:{self.number}"
        return self.memory().feed(call)

    def memory(self) -> Monitor:
        """The monitor of this process."""
        if self.monitor is None:
            self.monitor = Monitor(self.program)
            self.evaluator = self.monitor.machine
            for session in self.numbers:
                _doubt(self.monitor, session)  # the parent has them
            if self.keeper is not None:
                self.keeper.enter_child()
        return self.monitor

    @property
    def figures(self) -> dict[str, int]:
        """What the monitor has counted."""
        with self.order:
            return {**self.memory().counts, **self.inherited}

    def _said(self, verdict: Verdict | None) -> Said:
        """A call that the monitor could not take has no place in its memory, and a duplicate no outcomes."""
        if verdict is None:
            return (), self.names, (), False, False, True
        if isinstance(verdict, MonitorVerdict) and verdict.duplicate:
            return (), (), (), False, True
        return super()._said(verdict)

    def _count(self, one: Verification) -> None:
        verdict = one.verdict
        if not isinstance(verdict, MonitorVerdict) or (verdict.outside and not verdict.duplicate):
            super()._count(one)
            return
        with self.lock:
            if verdict.duplicate:
                self.counts.duplicates += 1
                return
            self.counts.judged += 1
            if not verdict.ok:
                codes = list(map(verdict.outcome, range(len(self.names))))
                self.counts.violated += VIOLATED in codes
                self.counts.unknown += any(
                    code == UNKNOWN and not is_waiting(verdict, number) for number, code in enumerate(codes)
                )

    # What comes out later ---------------------------------------------------------------------------

    def end(self, session: Any) -> None:
        """A session is over."""
        self._bring(self._end_number, self._end, session, False)

    def advance(self, micros: int) -> None:
        """It is so late."""
        self._bring(_nothing, self._advance, micros, False)

    def _end_number(self, session: Any) -> None:
        if self.numbers_sessions:
            with self.lock:
                self.numbers.end(str(session))

    def _end(self, session: Any) -> None:
        now = time.time_ns()
        self.memory().end(session)
        self._put(Aside("end", session=None if self.hides_keys else session), now)
        self._amend(now)

    def _advance(self, micros: int) -> None:
        self.memory().advance(micros)
        self._put(Aside("advance", time=micros), micros * 1000)
        self._amend(micros * 1000)

    def _amend(self, nanos: int) -> None:
        """Take up what was pending and has come out."""
        waiting = self.memory().machine.amended
        while waiting:
            ident, number, code, time = waiting.popleft()
            self.amend(Amendment(ident, self.names[number], Outcome(code), time), nanos)

    def amend(self, found: Amendment, nanos: int) -> None:
        """Count, store and tell what came out at some time, in nanoseconds since 1970."""
        with self.lock:
            self.counts.amendments += 1
            self.counts.violated_later += found.outcome == VIOLATED
            self.scorer.add(found)
        self._put(Aside("amendment", found.id, found.clause, found.outcome.name.lower()), nanos)
        if self.told.get(found.outcome) is not None:
            self._tell_by(self._tell_later, self.names.index(found.clause), found)

    def _put(self, aside: Aside, nanos: int) -> None:
        """Store what is no call at its place among them."""
        if self.ledger is None:
            return
        try:
            number, self.number = self.number, self.number + 1
            with self.lock:
                self.scorer.pass_over((self.writer, number))
            self.ledger.put(Entry(b"", self.writer, number, None, None, nanos / 1e9, aside=aside))
        except Exception:
            with self.lock:
                self.counts.unstored += 1

    def _tell_later(self, number: int, found: Amendment) -> None:
        callback = self.told[found.outcome]
        assert callback is not None
        callback(amended(self.program, number, found))


def _nothing(*_: Any) -> None:
    """What is no call is not numbered, and nobody waits for it."""


def _doubt(monitor: Monitor, session: str) -> None:
    """A session that is new here has a past elsewhere.  Its key may be a number, of a record that says so."""
    monitor.machine.doubt_key(session)
    if session.lstrip("-").isdecimal() and len(session) < 20:
        monitor.machine.doubt_key(int(session))


def _is_session(program: Program) -> bool:
    """Whether the pact's sessions are those that are numbered: the field `session` is their key."""
    session, slots = program.module.session, program.module.schema.slots
    if session is None:
        return True
    key = session.key
    return isinstance(key, ir.Slot) and slots[key.slot].path == ("session",)


def _hides_keys(program: Program) -> bool:
    """Whether the ledger may not hold the keys of sessions, since it may not hold what they are made of."""
    module = program.module
    read = {"session"} if module.session is None else set(ir.fields_read(module.schema, module.session.key))
    return any(rule.field and rule.field[0] in read for rule in program.core.store)
