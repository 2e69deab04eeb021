"""The guard: wraps the calls of an agent, answers at once, judges every call.

In: a `Program`, and the user's own functions.  Out: their responses, untouched, and a verdict on
every call; with a ledger, a record of each that survives.

A call is judged where it ends, on its own thread: that costs less than handing it to another.  Only
what could hold up an event loop is handed on: a large text, the user's callbacks, writing.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import inspect
import logging
import os
import time
import weakref
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import CoroutineType
from typing import Any, TypeVar, cast, overload

import msgspec
from msgspec import Struct

from pactlang.errors import PactError
from pactlang.evaluator import Evaluator, Monitor
from pactlang.evaluator.monitor import micros_of
from pactlang.guard import result
from pactlang.guard.answers import read_answer
from pactlang.guard.bind import arguments_of, parameters, request_of
from pactlang.guard.books import Books, Told
from pactlang.guard.call import Call, call_class, moment
from pactlang.guard.chunks import Chunks
from pactlang.guard.desk import AT_EXIT
from pactlang.guard.findings import Counts
from pactlang.guard.reading import Extract, Prices, extracted, price_of, read_into, read_time, set_fields
from pactlang.guard.recall import Recall
from pactlang.guard.requests import read_request
from pactlang.guard.result import Result, Verification
from pactlang.guard.sessions import CURRENT, NOWHERE, Facts, Scope
from pactlang.guard.streams import AsyncStream, Stream, is_stream
from pactlang.program import Program
from pactlang.score import Score
from pactlang.values import Timestamp

R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

ROOM = 0.005  # seconds between two looks at a full ledger
log = logging.getLogger("pactlang.guard")
_wall, _clock = time.time_ns, time.perf_counter


class Guard:
    """Judges every call that goes through it by one pact.

    guard = Guard(program)
    result = await guard.call("Where is my order?", ask)    # ask(input) is yours
    result.response, await result.verification

    program: a pact about `Call`; with one about a record of its own, `guard.record(call)` judges calls
    that are given as such records, and the other methods raise `PactError`.
    ledger: None, a path, or a `pactlang.ledger.Ledger`.  extract: reads a response of an unusual shape:
    it returns the text, or a dict of fields of `Call`; of a stream it gets the list of chunks.
    prices: model -> (USD per million input tokens, per million output tokens).
    on_violation, on_unknown: called with a `Finding`; on_verdict: with the `Verification` of every call;
    all on one thread of their own.
    sessions: how many sessions' numbers are remembered.

    With a pact that remembers, calls are judged in the order of their numbers; with a ledger, what is
    remembered lasts: the next guard on it, after a crash too, goes on from there.

    It may be used from many threads and event loops.  After a fork the child writes as another writer.
    """

    def __init__(
        self,
        program: Program,
        ledger: Any = None,
        *,
        extract: Extract | None = None,
        prices: Prices | None = None,
        on_violation: Told | None = None,
        on_unknown: Told | None = None,
        on_verdict: Callable[[Verification], object] | None = None,
        sessions: int = 100_000,
    ) -> None:
        self.program = program
        judge = _judge(program)  # first: a pact that it refuses leaves no ledger open
        self.ledger, self._owns_ledger = _opened(ledger, program)
        self._extract, self._prices = extract, dict(prices or {})
        told = on_violation, on_unknown, on_verdict
        self._books = (
            Recall(judge, self.ledger, sessions, *told)
            if isinstance(judge, Monitor)
            else Books(judge, self.ledger, sessions, *told)
        )
        self._is_standard = program.schema.root == "Call"
        if isinstance(self._books, Recall) and self.ledger is not None:
            self._remember(self._books)
        self._form = call_class(program.schema) if self._is_standard else Call
        _guards.add(self)

    # Calls ----------------------------------------------------------------------------------------

    async def call(
        self,
        input: Any,
        fn: Callable[[Any], Any],
        *,
        session: str | int | None = None,
        agent: str | None = None,
        model: str | None = None,
        labels: Mapping[str, Any] | None = None,
        fields: Mapping[str, Any] | None = None,
        extract: Extract | None = None,
    ) -> Result[Any]:
        """Call `fn(input)`, awaiting it if it is to be awaited; its response at once, and the verdict.

        input: a text, a list of messages, or the keyword arguments of a provider's SDK as a dict.
        fields: other fields of the call, such as those that the pact adds.  Whatever `fn` raises
        passes through and is recorded, cancellation too.  A stream is passed through and judged at its
        end.
        """
        one = self._open("chat", input, session, agent, model, labels, fields, extract)
        try:
            response = fn(input)
            if type(response) is CoroutineType or hasattr(type(response), "__await__"):
                response = await response
        except BaseException as error:
            self._fail(one, error)
            raise
        if self._books.waits and self._books.full():
            await self._room()
        return Result(self._close(one, response), one)

    async def _room(self) -> None:
        """Wait, without holding the loop up, while the ledger takes no call."""
        while self._books.full():
            await asyncio.sleep(ROOM)

    def call_sync(
        self,
        input: Any,
        fn: Callable[[Any], R],
        *,
        session: str | int | None = None,
        agent: str | None = None,
        model: str | None = None,
        labels: Mapping[str, Any] | None = None,
        fields: Mapping[str, Any] | None = None,
        extract: Extract | None = None,
    ) -> Result[R]:
        """`call` for code without an event loop; `fn` returns its response, it is not awaited."""
        one = self._open("chat", input, session, agent, model, labels, fields, extract)
        try:
            response = fn(input)
        except BaseException as error:
            self._fail(one, error)
            raise
        return Result(self._close(one, response), one)

    def session(
        self,
        id: str | int | None = None,
        *,
        agent: str | None = None,
        model: str | None = None,
        labels: Mapping[str, Any] | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> Scope:
        """`with guard.session(id, agent=...)`: what holds for every call inside."""
        return Scope(Facts(_text(id), agent, model, _copied(labels), _copied(fields)))

    def record(self, call: Mapping[str, Any] | Struct) -> Verification:
        """Judge and store a complete call that happened elsewhere: a dict or a Struct."""
        if isinstance(call, Call):
            one = Verification(call, _wall())
            if call.time is not None:
                read_into(one, read_time, one)
            self._books.settle(one)
            return one
        data = msgspec.to_builtins(call) if isinstance(call, Struct) else call
        if not isinstance(data, Mapping):
            raise TypeError(f"expected a dict or a msgspec Struct, found {type(call).__name__}")
        one = Verification(data, _wall())
        self._books.settle_data(one)
        return one

    def _refuse_other_records(self) -> None:
        """Only the record of a `Call` can be made of a request and its response."""
        root = self.program.schema.root
        if not self._is_standard:
            raise PactError(
                f"`{self.program.name}` is about {root}, and of a call that is made here only the record Call"
                f" is known: judge each with `guard.record(call)`, where call is a dict as {root} has it"
            )

    # Functions ------------------------------------------------------------------------------------

    @overload
    def watch(self, fn: F, /) -> F: ...

    @overload
    def watch(
        self,
        fn: None = None,
        /,
        *,
        session: str | int | None = None,
        agent: str | None = None,
        model: str | None = None,
        labels: Mapping[str, Any] | None = None,
        extract: Extract | None = None,
    ) -> Callable[[F], F]: ...

    def watch(
        self,
        fn: Any = None,
        /,
        *,
        session: str | int | None = None,
        agent: str | None = None,
        model: str | None = None,
        labels: Mapping[str, Any] | None = None,
        extract: Extract | None = None,
    ) -> Any:
        """Decorate a function, sync or async, that asks a model: it stays as it is, every call is judged.

        The request is its only argument, or the keyword arguments that the providers' SDKs take, so
        `create = guard.watch(client.chat.completions.create)` is a drop-in.
        """
        self._refuse_other_records()

        def watched(fn: F) -> F:
            names = parameters(fn)

            def opened(args: tuple[Any, ...], keywords: dict[str, Any]) -> Verification:
                request = request_of(names, args, keywords)
                return self._open("chat", request, session, agent, model, labels, None, extract)

            return cast(F, self._wrapped(fn, opened))

        return watched if fn is None else watched(fn)

    def tool(self, fn: Any = None, /, *, name: str | None = None) -> Any:
        """Decorate a tool, sync or async: every call of it is judged, with its arguments as `args`."""
        self._refuse_other_records()
        if fn is None:
            return functools.partial(self.tool, name=name)
        names, called = parameters(fn), name or getattr(fn, "__name__", type(fn).__name__)

        def opened(args: tuple[Any, ...], keywords: dict[str, Any]) -> Verification:
            one = self._open("tool", None, None, None, None, None, None, None)
            one.call.tool, one.call.args = called, arguments_of(names, args, keywords)
            return one

        return self._wrapped(fn, opened)

    def _wrapped(self, fn: Callable[..., Any], opened: Callable[..., Verification]) -> Callable[..., Any]:
        async def finish(one: Verification, response: Awaitable[Any]) -> Any:
            try:
                found = await response
            except BaseException as error:
                self._fail(one, error)
                raise
            return self._close(one, found)

        @functools.wraps(fn)
        def wrapped(*args: Any, **keywords: Any) -> Any:
            one = opened(args, keywords)
            try:
                response = fn(*args, **keywords)
            except BaseException as error:
                self._fail(one, error)
                raise
            return finish(one, response) if inspect.isawaitable(response) else self._close(one, response)

        if not inspect.iscoroutinefunction(fn):
            return wrapped

        @functools.wraps(fn)
        async def wrapped_async(*args: Any, **keywords: Any) -> Any:
            return await finish(opened(args, keywords), fn(*args, **keywords))

        return wrapped_async

    # The life of a call ---------------------------------------------------------------------------

    def _open(
        self,
        kind: Any,
        request: Any,
        session: Any,
        agent: str | None,
        model: str | None,
        labels: Mapping[str, Any] | None,
        fields: Mapping[str, Any] | None,
        extract: Extract | None,
    ) -> Verification:
        self._refuse_other_records()
        scope = CURRENT.get()
        if scope is not NOWHERE:
            session = scope.session if session is None else session
            agent = scope.agent if agent is None else agent
            model = scope.model if model is None else model
            labels = {**(scope.labels or {}), **(labels or {})}
            fields = {**(scope.fields or {}), **(fields or {})}
        if session is not None and type(session) is not str:
            session = str(session)
        now = _wall()
        call = self._form(session=session, agent=agent, model=model, time=moment(now), kind=kind)
        one = Verification(call, now)
        one._extract = self._extract if extract is None else extract
        if labels:
            call.labels = dict(labels)
        if fields:
            set_fields(call, fields)
        if type(request) is str:
            call.input = request
        else:
            read_into(one, read_request, request)
        one._start = _clock()
        return one

    def _close(self, one: Verification, response: Any) -> Any:
        """The end of a call that returned: its response, or what stands for a stream."""
        call = one.call
        kind: Any = type(response)
        if kind is str and one._extract is None:
            call.latency = _clock() - one._start
            call.ok, call.output = True, response
        elif is_stream(kind):
            return self._passing(one, response)
        else:
            call.latency = _clock() - one._start
            call.ok = True
            self._read_response(one, response)
        self._settle(one)
        return response

    def _fail(self, one: Verification, error: BaseException) -> None:
        call = one.call
        call.latency = _clock() - one._start
        call.ok, call.error = False, type(error).__name__
        self._settle(one)

    def _settle(self, one: Verification) -> None:
        if self._prices:
            price = functools.partial(price_of, one.call, self._prices)
            price() if one._late is None else one._late.append(price)
        self._books.settle(one)

    def _read_response(self, one: Verification, response: Any) -> None:
        if one._extract is None:
            read_into(one, read_answer, response)
        else:
            read_into(one, functools.partial(extracted, one._extract), response)

    # Streams

    def _passing(self, one: Verification, stream: Any) -> Any:
        chunks = Chunks()
        kept: list[Any] = []
        take = kept.append if one._extract is not None else chunks.add

        def told(chunk: Any) -> None:
            if one.call.first_token is None:
                one.call.first_token = _clock() - one._start
            take(chunk)

        def ended(error: BaseException | None, whole: bool) -> None:
            self._stream_ended(one, chunks if one._extract is None else kept, error, whole)

        return (AsyncStream if hasattr(type(stream), "__anext__") else Stream)(stream, told, ended)

    def _stream_ended(
        self, one: Verification, got: Chunks | list[Any], error: BaseException | None, whole: bool
    ) -> None:
        call = one.call
        call.latency = _clock() - one._start
        call.ok = True if whole else None
        if isinstance(got, Chunks):
            read_into(one, lambda call, chunks: chunks.into(call), got)
        else:
            self._read_response(one, got)
        if error is not None and not isinstance(error, GeneratorExit):
            call.ok, call.error = False, type(error).__name__
        elif not whole:
            call.attributes["stream"] = "closed early"
        self._settle(one)

    # What is there, and the end -------------------------------------------------------------------

    @property
    def counts(self) -> Counts:
        """A copy of the counts so far."""
        with self._books.lock:
            return msgspec.structs.replace(self._books.counts)

    def score(self, now: datetime | Timestamp | int | None = None, band: str | None = None) -> Score:
        """The score of all calls since this guard began, at a time, by default that of the newest call.

        band: the one that was published last (`Scorer.score`).  Numbers are those of the ledger, so that
        `pactc score` on the ledger counts the same calls, and those of earlier guards.
        """
        return self._books.scored_so_far().score(now, band)

    def score_state(self) -> bytes:
        """What the score is made of (`Scorer.to_bytes`), to be merged with that of other workers."""
        return self._books.scored_so_far().to_bytes()

    @property
    def writer(self) -> str:
        """Whom this guard writes as: new in every process."""
        return self._books.writer

    # What a pact remembers ------------------------------------------------------------------------

    def end(self, session: str | int) -> None:
        """A session is over: what is pending in it comes out as the pact says.

        PactError for a pact that remembers nothing; so does `advance`.
        """
        books = self._recall("end")
        books.end(_text(session) if self._is_standard and books.numbers_sessions else session)

    def advance(self, time: datetime | Timestamp | int) -> None:
        """It is so late: a datetime with a time zone, a Timestamp, or microseconds since 1970.

        Deadlines pass, and sessions that have been idle too long end.
        """
        self._recall("advance").advance(micros_of(time))

    @property
    def figures(self) -> dict[str, int]:
        """What the monitor of a pact that remembers has counted (`Monitor.counts`); of any other nothing."""
        return self._books.figures

    @property
    def lost(self) -> tuple[str, ...]:
        """Clauses of which the memory that this guard goes on from knows no past, or not all of it."""
        return self._books.lost

    def _remember(self, books: Recall) -> None:
        """Go on from what is kept beside the ledger."""
        from pactlang.ledger import Ledger

        if not isinstance(self.ledger, Ledger):
            return
        try:
            books.keep(self.ledger)
        except BaseException:
            if self._owns_ledger:
                self.ledger.close()
            raise

    def _recall(self, what: str) -> Recall:
        if not isinstance(self._books, Recall):
            raise PactError(f"`{self.program.name}` looks at no earlier calls: there is nothing to {what}")
        return self._books

    async def flush(self) -> None:
        """Return when everything so far is judged and durable.  A stream that still runs is not awaited."""
        await asyncio.to_thread(self.flush_sync)

    def flush_sync(self) -> None:
        """`flush` for code without an event loop."""
        self._books.late.drain()
        if self.ledger is not None:
            self.ledger.flush_sync()

    def close(self) -> None:
        """Flush, and close the ledger if the guard opened it."""
        self.flush_sync()
        self._books.callbacks.drain(AT_EXIT)
        self._books.close()
        if self._owns_ledger:
            self._owns_ledger = False
            self.ledger.close()
            self.ledger = self._books.ledger = None
        _guards.discard(self)

    def __enter__(self) -> Guard:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Guard:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.close)


def _text(id: str | int | None) -> str | None:
    return None if id is None else str(id)


def _copied(data: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if data is None else dict(data)


def _judge(program: Program) -> Evaluator | Monitor:
    """Who judges calls by a pact: a monitor, if it looks at earlier ones."""
    remembers = any(clause.remembers for clause in program.clauses)
    return Monitor(program) if remembers else Evaluator(program)


# Ledgers, processes ---------------------------------------------------------------------------------


def _opened(ledger: Any, program: Program) -> tuple[Any, bool]:
    """The ledger, and whether the guard has opened it and so closes it."""
    if not isinstance(ledger, (str, Path)):
        return ledger, False
    from pactlang.ledger import Ledger

    return Ledger(ledger, program), True


_guards: weakref.WeakSet[Guard] = weakref.WeakSet()


def _after_fork() -> None:
    result.after_fork()
    for guard in list(_guards):
        guard._books.after_fork()


def _at_exit() -> None:
    for guard in list(_guards):
        try:
            guard.close()
        except PactError as error:  # nobody is left to catch it
            log.error("%s", error)


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
