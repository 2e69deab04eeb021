"""The books of a guard: every complete call is numbered, judged, counted, stored and told of here.

In: a `Verification` whose call is complete.  Out: its verdict, an `Entry` for the ledger, and the
findings for the callbacks.  Nothing that goes wrong in here reaches the wrapped call: it is counted.
"""

from __future__ import annotations

import itertools
import secrets
import threading
from collections.abc import Callable
from typing import Any

from pactlang.errors import RecordError
from pactlang.evaluator import Evaluator
from pactlang.guard.answers import bulk
from pactlang.guard.call import Call, encoded
from pactlang.guard.desk import Desk, shielded
from pactlang.guard.findings import Counts, Finding, findings
from pactlang.guard.result import Verification
from pactlang.guard.sessions import Numbers
from pactlang.ledger.entry import Entry
from pactlang.opcodes import Outcome
from pactlang.score import Scorer
from pactlang.values import Timestamp
from pactlang.verdict import Verdict

LARGE = 64 * 1024  # characters that are judged at once; more could hold an event loop for milliseconds
LARGE_FOLDED = 2 * 1024  # the same of texts beyond ASCII, if phrases are sought: folding takes long
LATE = 1_000  # large calls that may wait for their verdict; after that they are judged at once too
VIOLATED, UNKNOWN, SKIPPED = int(Outcome.VIOLATED), int(Outcome.UNKNOWN), int(Outcome.SKIPPED)
KNOWN = 1_000  # different verdicts whose names are kept
TOLD = 10_000  # callbacks that may wait

Told = Callable[[Finding], object]
Names = tuple[str, ...]
Said = tuple[Any, ...]  # the last fields of an `Entry`: violated, unknown, skipped, outside, ...


class Books:
    """What a guard keeps: numbers, counts, the ledger, and two threads for what must not hold a call up."""

    def __init__(
        self,
        evaluator: Evaluator,
        ledger: Any,
        sessions: int,
        on_violation: Told | None,
        on_unknown: Told | None,
        on_verdict: Callable[[Verification], object] | None,
    ) -> None:
        self.evaluator, self.ledger = evaluator, ledger
        self.names = evaluator.names
        core = evaluator.program.core
        self.folds = any(atom.kind == "phrases" for atom in (*core.atoms, *core.matchers))
        self.told = {Outcome.VIOLATED: on_violation, Outcome.UNKNOWN: on_unknown}
        self.tells = on_violation is not None or on_unknown is not None
        self.on_verdict = on_verdict
        self.numbers = Numbers(sessions)
        self.known: dict[tuple[int, ...], Said] = {}  # outcomes of all clauses -> what is stored of them
        self.counts = Counts()
        self.late = Desk("pactlang-guard-late", LATE)
        self.callbacks = Desk("pactlang-guard-callbacks", TOLD)
        self._check: Callable[[Any], Verdict] = evaluator.check
        self.scorer = Scorer(evaluator.program)
        self.waits = getattr(ledger, "overflow", "") == "wait"
        self._new_writer()

    def _new_writer(self) -> None:
        self.writer, self.number = secrets.token_hex(8), 0
        self.scored = itertools.count()  # calls, where no ledger numbers them
        self.lock = threading.Lock()

    def after_fork(self) -> None:
        """Begin anew in a child: another writer, no threads, and what waits is the parent's business."""
        self._new_writer()
        self.counts = Counts()
        self.scorer = Scorer(self.scorer.program)
        self.late.reset()
        self.callbacks.reset()

    lost: tuple[str, ...] = ()  # clauses whose past is not known

    def close(self) -> None:
        """Nothing lasts but what is in the ledger."""

    @property
    def figures(self) -> dict[str, int]:
        """What a monitor has counted."""
        return {}

    # One call -------------------------------------------------------------------------------------

    def settle(self, one: Verification) -> None:
        """Number a complete call in the order of completion, and judge it now or, if it is large, soon."""
        call = one.call
        with self.lock:
            self.counts.calls += 1
            if call.ok is False:
                self.counts.failed += 1
            if call.session is not None and call.seq is None:
                call.seq = self._next(call.session)
        one._place = (call.session, call.seq)
        large = one._late is not None or self.is_large(call)
        if large or self.waits:
            self.dispatch(one, large)
        else:
            self.judge(one)

    def is_large(self, call: Call) -> bool:
        """Whether its verdict could take milliseconds."""
        size = weight(call)
        return size > LARGE or (size > LARGE_FOLDED and self.folds and _beyond_ascii(call) > LARGE_FOLDED)

    def settle_data(self, one: Verification) -> None:
        """The same for a record that was made elsewhere: a dict under whatever names."""
        data = one.call
        session, seq = self._head(one)
        with self.lock:
            self.counts.calls += 1
            if session is not None and seq is None and one.error is None:
                seq = self._next(session)
                one.call = {**data, "seq": seq}
        one._place = (None if session is None else str(session), seq)
        self.dispatch(one, bulk(data, LARGE) > LARGE)

    def _head(self, one: Verification) -> tuple[Any, Any]:
        """Session and number of a record that was made elsewhere; its time is taken over."""
        reader = self.evaluator.reader
        try:
            held = reader.from_dict(one.call)
            session, seq, at = (_held(reader, held, name) for name in ("session", "seq", "time"))
            one._time = at.seconds * 10**9 + at.nanos if isinstance(at, Timestamp) else one._time
        except RecordError as error:
            one.error = error
            return None, None
        return session, seq

    def _next(self, session: str) -> int | None:
        number = self.numbers.next(session)
        self.counts.unnumbered += number is None
        return number

    def dispatch(self, one: Verification, large: bool) -> None:
        """Judge a numbered call; on another thread, while that keeps up, if it would hold this one up."""
        late = large or (self.waits and self.full())
        if not (late and self.late.put(shielded(self.judge, one, failed=one.finish))):
            self.judge(one)

    def full(self) -> bool:
        """Whether the ledger would make the next call wait."""
        return self.ledger is not None and bool(self.ledger.full)

    def judge(self, one: Verification) -> None:
        """Give a numbered call its verdict, store it, and tell of what was found."""
        self._decide(one)
        self._count(one)
        if self.ledger is not None:
            self._store(one)
        self._score(one)
        one.finish()
        if self.on_verdict is not None or (self.tells and one.verdict is not None and not one.verdict.ok):
            self._tell(one)

    def _decide(self, one: Verification) -> None:
        try:
            if one._late is not None:
                for read in one._late:
                    read()
            if one.error is None:
                one.verdict = self._check(one.call)
        except RecordError as error:
            one.error = error
        except Exception as error:  # a fault of ours must not become the application's
            one.error = RecordError(f"not judged: {type(error).__name__}: {error}")

    def _count(self, one: Verification) -> None:
        verdict, counts = one.verdict, self.counts
        with self.lock:
            if verdict is None:
                counts.undecodable += 1
            elif verdict.outside:
                counts.outside += 1
            else:
                counts.judged += 1
                if not verdict.ok:
                    codes = list(map(verdict.outcome, range(len(self.names))))
                    counts.violated += VIOLATED in codes
                    counts.unknown += UNKNOWN in codes

    def _score(self, one: Verification) -> None:
        """Add what is known of a call to the score, under the number that it is stored by.

        Without the lock, which would cost more: a tally runs no Python code while it adds or is copied.
        """
        try:
            number = next(self.scored) if self.ledger is None else one.capture and one.capture[1]
            if one.verdict is None:
                self.scorer.tally.note("dropped", one._time // 1000, self.writer, number)
            else:
                self.scorer.tally.add(one.verdict, one._time // 1000, self.writer, number)
        except Exception:  # a fault of ours must not become the application's
            with self.lock:
                self.counts.unscored += 1

    def scored_so_far(self) -> Scorer:
        """A copy of the sums: asking them takes milliseconds, which no call is to wait for."""
        return Scorer(self.scorer.program).merge(self.scorer)

    # The ledger -----------------------------------------------------------------------------------

    def _store(self, one: Verification) -> None:
        try:
            data, said = encoded(one.call), self._said(one.verdict)
            session, seq = one._place
            with self.lock:  # numbers go into the ledger in their order
                number, self.number = self.number, self.number + 1
                one.capture = (self.writer, number)
                self.ledger.put(Entry(data, self.writer, number, session, seq, one._time / 1e9, *said))
        except Exception:
            with self.lock:
                self.counts.unstored += 1

    def _said(self, verdict: Verdict | None) -> Said:
        """Violated, unknown and skipped clauses, and whether it is outside; all unknown if not judged."""
        if verdict is None:
            return (), self.names, (), False
        if verdict.outside:
            return (), (), (), True
        codes = tuple(map(verdict.outcome, range(len(self.names))))
        known = self.known.get(codes)
        if known is None:
            violated, unknown, skipped = (self._named(codes, code) for code in (VIOLATED, UNKNOWN, SKIPPED))
            known = violated, unknown, skipped, False
            if len(self.known) < KNOWN:
                self.known[codes] = known
        return known

    def _named(self, codes: tuple[int, ...], wanted: int) -> Names:
        return tuple(name for name, code in zip(self.names, codes, strict=True) if code == wanted)

    # Callbacks ------------------------------------------------------------------------------------

    def _tell(self, one: Verification) -> None:
        self._tell_by(self._tell_all, one)

    def _tell_by(self, work: Callable[..., object], *args: Any) -> None:
        """Have callbacks called on their own thread."""
        if not self.callbacks.put(shielded(work, *args, failed=self._callback_failed)):
            with self.lock:
                self.counts.callbacks_dropped += 1

    def _tell_all(self, one: Verification) -> None:
        if self.on_verdict is not None:
            shielded(self.on_verdict, one, failed=self._callback_failed)()
        if not self.tells or one.verdict is None or one.verdict.ok:
            return
        for finding in findings(self.evaluator.program, one.verdict, one.call):
            callback = self.told[finding.outcome]
            if callback is not None:
                shielded(callback, finding, failed=self._callback_failed)()

    def _callback_failed(self) -> None:
        with self.lock:
            self.counts.callbacks_failed += 1


def _held(reader: Any, held: Any, name: str) -> Any:
    """A field of a decoded record, None where the pact's record has no such field."""
    try:
        return reader.member(held, name)
    except KeyError:
        return None


def _beyond_ascii(call: Call) -> int:
    """Characters of the texts that are not ASCII."""
    texts = call.input, call.output, *(message.content or "" for message in call.messages or ())
    return sum(len(text) for text in texts if not text.isascii())


def weight(call: Call) -> int:
    """Characters in a call, or some number beyond LARGE as soon as that is sure."""
    total = len(call.input) + len(call.output)
    if call.messages:
        total += sum(len(message.content or "") for message in call.messages)
    if call.args is not None:
        total += bulk(call.args, LARGE)
    for asked in call.tool_calls:
        total += bulk(asked.args, LARGE)
    if call.attributes or call.labels:
        total += bulk([call.attributes, call.labels], LARGE)
    return total
