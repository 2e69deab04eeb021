"""What a guarded call gives back: the response at once, the verdict when it is there.

Small calls are verified before the response is released, so their verdict is there already; awaiting
it costs nothing.  The verdict on a large text or on a stream comes later.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

from msgspec import Struct

from pactlang.verdict import Verdict

R = TypeVar("R")
_lock = threading.Lock()  # guards the callbacks of verifications that are not done


class Verification(Struct, eq=False):
    """The verdict on one call, perhaps not there yet.  Await it, or `wait` for it in a thread.

    .done: whether it is there.  .verdict: the Verdict, None until it is there.  .error: why there is
    none, a RecordError.  .call: the complete record.  .capture: (writer, number), its place in the
    order of everything this writer stored; None until then.
    """

    call: Any
    _time: int  # nanoseconds since 1970
    _start: float = 0.0  # seconds of the monotonic clock
    _place: tuple[str | None, int | None] = (None, None)  # session and number in it
    _late: list[Callable[[], object]] | None = None  # reading that is put off: large data
    _extract: Callable[[Any], Any] | None = None
    _then: list[Callable[[], object]] | None = None
    done: bool = False
    verdict: Verdict | None = None
    error: Exception | None = None
    capture: tuple[str, int] | None = None

    def result(self) -> Verdict:
        """The verdict.  Raises RecordError if the call cannot be judged, RuntimeError if it is not done."""
        if self.verdict is not None:
            return self.verdict
        if self.error is not None:
            raise self.error
        raise RuntimeError("the call is not verified yet")

    def wait(self, seconds: float | None = None) -> Verdict:
        """The verdict, waited for in this thread.  Raises TimeoutError."""
        event = threading.Event()
        if not self.done and not self.then(event.set) and not event.wait(seconds):
            raise TimeoutError("the call is not verified yet")
        return self.result()

    def __await__(self) -> Generator[Any, None, Verdict]:
        if not self.done:
            loop = asyncio.get_running_loop()
            future = loop.create_future()
            if not self.then(lambda: loop.call_soon_threadsafe(_wake, future)):
                yield from future
        return self.result()

    def then(self, callback: Callable[[], object]) -> bool:
        """Call it, in whatever thread, when done; True, and no call, if that is now."""
        with _lock:
            if self.done:
                return True
            self._then = [*(self._then or ()), callback]
            return False

    def finish(self) -> None:
        """Mark it done.  The guard calls this once, when all attributes are set."""
        self.done = True
        if self._then is None:
            return
        with _lock:
            waiting, self._then = self._then or [], None
        for callback in waiting:
            with contextlib.suppress(RuntimeError):  # the loop that waited is closed
                callback()


def after_fork() -> None:
    """In a child: nobody holds the lock."""
    global _lock
    _lock = threading.Lock()


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class Result(Struct, Generic[R], eq=False):
    """The response of the wrapped function, and its verification."""

    response: R
    verification: Verification

    @property
    def verdict(self) -> Verdict | None:
        """The verdict if it is there already."""
        return self.verification.verdict

    @property
    def call(self) -> Any:
        """The record of the call."""
        return self.verification.call

    def __repr__(self) -> str:
        return f"<Result {type(self.response).__name__}, {self.verification.verdict or 'not verified yet'}>"
