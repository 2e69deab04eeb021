"""What a guard takes over at its start: the memories that ended processes have left beside the ledger.

In: a `Keeper`.  Out: a monitor, the numbers of sessions, and amendments that nobody had written down.

Files are restored and added up, since a session belongs to one process; what was stored after them is fed
again.  Where a file is damaged, or two processes have had one session, all that the ledger holds is fed
instead.  What is not there to be fed is a lost call: the next number of its session shows it, and where
sessions have no numbers nothing of any session is known.
"""

from __future__ import annotations

import glob
import logging
import os
from collections.abc import Iterator
from contextlib import suppress

from pactlang.errors import LedgerError, RecordError
from pactlang.evaluator import Monitor
from pactlang.guard.keeper import Held, Keeper, Lock, opened
from pactlang.guard.sessions import Numbers
from pactlang.ledger import Aside, StoredEntry, states
from pactlang.ledger.entry import Withheld
from pactlang.ledger.rules import WHOLE, keys_of
from pactlang.program import Program
from pactlang.verdict import Amendment

TRIES = 100  # of others that start at the same time, and were quicker
FIGURES = ("taken_over", "replayed", "not_stored", "withheld", "damaged", "rebuilt")
log = logging.getLogger("pactlang.guard")


class Unfit(Exception):
    """Files cannot be gone on from; the message says why.  damaged: one is not what was saved."""

    def __init__(self, why: str, damaged: bool = True) -> None:
        super().__init__(why)
        self.damaged = damaged


def inherit(keeper: Keeper) -> None:
    """Give a guard that starts its memory, and enter it in the place of those that it was made of."""
    for _ in range(TRIES):
        if _inherit(keeper):
            return
    raise LedgerError(f"{keeper.ledger.path}: other processes take over every memory that is found")


def _inherit(keeper: Keeper) -> bool:
    path, pact, locks = keeper.ledger.path, keeper.pact, dict[str, Lock]()
    try:
        left: dict[str, int] = {}
        for memory in states.memories(path, pact):
            if _is_left(path, memory, locks):
                left[memory.writer] = memory.covered
            else:
                keeper.shared = True
        heir = Heir(keeper, left, {writer: lock.read() for writer, lock in locks.items()})
        heir.take()
        heir.settle()
        if not keeper.enter(list(left)):
            return False
        for lock in locks.values():
            lock.close()
        heir.figures["damaged"] += _sweep(path)
        heir.tell()
        return True
    finally:
        for lock in locks.values():
            lock.close()


def _is_left(path: str, memory: states.Memory, locks: dict[str, Lock]) -> bool:
    """Whether the process of a memory has ended; then its file is locked by this one."""
    try:
        lock = Lock.take(states.file_of(path, memory.writer))
    except FileNotFoundError:
        return memory.gone
    if lock is not None:
        locks[memory.writer] = lock
    return lock is not None


def _sweep(path: str) -> int:
    """Remove files of memories that were taken over: nobody holds them, and the ledger knows them no more.

    How many are of no writer of this ledger: they stay, and are told of.
    """
    strange = 0
    with suppress(OSError):
        known = {states.file_of(path, writer) for writer in states.writers(path)}
        former = {states.file_of(path, writer) for writer in states.storers(path)}
        for file in glob.glob(glob.escape(states.file_of(path, "")) + "*"):
            if file not in known and (lock := Lock.take(file)) is not None:
                if file in former or _holds_nothing(file, lock):
                    os.unlink(file)
                else:
                    strange += 1
                    log.warning("%s belongs to another ledger: what it holds is not known here", file)
                lock.close()
    return strange


def _holds_nothing(file: str, lock: Lock) -> bool:
    """Whether a file was never put into its place, or is of a writer that has stored nothing."""
    with suppress(ValueError):
        return file.endswith(".new") or opened(lock.read()).number < 0
    return False


class Heir:
    """A memory in the making.

    left: writers that have ended, and how far their files go; files: their bytes.
    """

    def __init__(self, keeper: Keeper, left: dict[str, int], files: dict[str, bytes]) -> None:
        self.keeper, self.books, self.left, self.files = keeper, keeper.books, left, files
        self.path, self.program = keeper.ledger.path, keeper.books.program
        self.monitor, self.is_new = Monitor(self.program), True
        self.numbers = Numbers(self.books.numbers.limit)
        self.hides = Hides(self.program)
        state = self.program.core.state
        self.shows = state is not None and state.seq >= 0  # numbers tell of lost calls
        self.lost: set[str] = set()
        self.figures = dict.fromkeys(FIGURES, 0)
        self.resolved: list[Amendment] = []
        self.last: dict[str, int] = {}
        self.time = 0.0

    def take(self) -> None:
        """Take over everything."""
        try:
            for held in self._helds():
                self._add(held)
            self._feed(self.left)
        except Unfit as reason:
            self.figures["damaged"] = int(reason.damaged)
            self._rebuild(str(reason))
        self.figures["taken_over"] = len(self.left)

    def _helds(self) -> Iterator[Held]:
        """What the files hold.  Unfit if one is not what was saved."""
        for writer, covered in self.left.items():
            data = self.files.get(writer)
            if data is None:
                if covered >= 0:
                    raise Unfit(f"the file of {writer} is gone")
                continue
            try:
                held = opened(data)
            except ValueError as error:
                raise Unfit(f"the file of {writer}: {error}") from None
            self._check(held, writer)
            yield held
        if not self.left and not self.keeper.shared and states.writers_of(self.path, self.keeper.pact):
            raise Unfit("there is no file, and there are calls", damaged=False)

    def _check(self, held: Held, writer: str) -> None:
        """The file is that of this writer and of this ledger."""
        link = states.link_at(self.path, writer, held.number) or b""
        kept = link == held.link or states.was_cut(self.path, [writer])
        if held.writer != writer or held.pact != self.keeper.pact or not kept:
            raise Unfit(f"the file of {writer} belongs to another ledger")
        self.left[writer] = held.number

    def _add(self, held: Held) -> None:
        try:
            made = Monitor.restore(self.program, held.state)
        except ValueError as error:
            raise Unfit(f"the file of {held.writer}: {error}") from None
        self.lost |= set(made.lost)
        try:
            self.monitor = made if self.is_new else self.monitor.merge(made)
        except ValueError as error:
            raise Unfit(str(error), damaged=False) from None
        self.is_new = False
        self.numbers.add(held.numbers, held.forgotten, held.key)

    def _rebuild(self, why: str) -> None:
        """Feed all that ended processes have stored."""
        self.figures["rebuilt"] = 1
        alive = {each.writer for each in states.memories(self.path, self.keeper.pact)} - self.left.keys()
        writers = [each for each in states.writers_of(self.path, self.keeper.pact) if each not in alive]
        log.warning("the memory of %s is made anew from %s: %s", self.keeper.pact, self.path, why)
        self.monitor, self.numbers, self.lost = Monitor(self.program), Numbers(self.numbers.limit), set()
        self.resolved.clear()
        self.last.clear()
        self._feed(dict.fromkeys(writers, -1))
        if states.was_cut(self.path, writers):
            self._lose("not_stored", 0, self.books.numbers_sessions and self.shows)
            self.monitor.machine.doubt_all()  # what begins here may have lost its beginning

    # What was stored --------------------------------------------------------------------------------

    def _feed(self, covered: dict[str, int]) -> None:
        self.last = dict(covered)
        for entry in states.entries_after(self.path, covered):
            self.figures["replayed"] += 1
            gap = entry.number - self.last[entry.writer] - 1
            if gap > 0:
                self._lose("not_stored", gap, self.books.numbers_sessions and self.shows)
            self.last[entry.writer] = max(self.last[entry.writer], entry.number)
            self.time = entry.stored if entry.time is None else entry.time
            self._step(entry)
            self.resolved.extend(self.monitor.amendments)
        missing = [states.highest(self.path, each) - last for each, last in self.last.items()]
        if any(gap > 0 for gap in missing):  # nothing that comes will show whose these calls were
            self._lose("not_stored", sum(gap for gap in missing if gap > 0), False)

    def _step(self, entry: StoredEntry) -> None:
        if entry.said.aside is not None:
            self._aside(entry.said.aside)
            return
        known = entry.session is not None and entry.seq is not None and self.books.numbers_sessions
        if known:
            self.numbers.seen(str(entry.session), entry.seq or 0)
        if entry.withheld is not None and self.hides.from_memory(entry.withheld):
            if entry.session is not None and not known:
                self.numbers.skip(entry.session)
            named = entry.session is not None and self.books.numbers_sessions
            self._lose("withheld", 1, named and self.shows)
        elif not entry.said.undecodable:
            with suppress(RecordError):
                self.monitor.feed(entry.call)

    def _aside(self, aside: Aside) -> None:
        if aside.kind == "advance" and aside.time is not None:
            self.monitor.advance(aside.time)
        elif aside.kind == "end" and aside.session is not None:
            self.monitor.end(aside.session)
            self.numbers.end(str(aside.session))
        elif aside.kind == "end":
            self._doubt()
        else:
            told = ((each.id, each.clause) for each in self.resolved)
            same = [n for n, (id, name) in enumerate(told) if aside.id in (None, id) and aside.clause == name]
            if same:
                del self.resolved[same[0]]

    def _lose(self, what: str, many: int, shows: bool) -> None:
        """Calls cannot be fed.  shows: the next number of their sessions tells of it."""
        self.figures[what] += many
        state = self.program.core.state
        self.lost |= {self.books.names[keep.clause] for keep in (() if state is None else state.keeps)}
        if not shows:
            self._doubt()

    def _doubt(self) -> None:
        """Nothing is known of any session, for each may have had the call."""
        self.monitor.machine.forget_all()
        self.monitor.machine.doubt_all()
        self.resolved.extend(self.monitor.amendments)

    # The end ----------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Make it the guard's own, and save it as such."""
        books = self.books
        books.take_over(self.monitor, self.numbers)
        books.lost = tuple(name for name in books.names if name in self.lost)
        books.inherited = self.figures
        self.keeper.put(self.keeper.held())

    def tell(self) -> None:
        """What came out, and was not stored before the process ended, is stored and told now."""
        for found in self.resolved:
            self.books.amend(found, int(self.time * 1e9))
        if self.lost:
            log.warning(
                "%s: what came before is not known of %s", self.program.name, ", ".join(sorted(self.lost))
            )


class Hides:
    """Whether what was withheld of a call is something that the memory of a pact needs."""

    def __init__(self, program: Program) -> None:
        record = program.schema.record(program.schema.root)
        paths = [slot.path for slot in program.schema.slots]
        read = {path[0] if path else "" for path in paths}
        fields = [f.name for f in record.fields if "" in read or f.name in read]
        self.names = {key for field in fields for key in keys_of(record, field)}

    def from_memory(self, withheld: Withheld) -> bool:
        """Whether a withheld field is read."""
        return WHOLE in withheld.fields or any(
            one == other or one.startswith(other + ".") or other.startswith(one + ".")
            for one in withheld.fields
            for other in self.names
        )
