"""A streamed answer on its way through: passed on piece by piece, captured, verified at its end.

In: what the wrapped function returned, and what to tell of it.  Out: an object that stands for it.

The stand-in hands on everything else that is asked of it (`close`, `response`, `get_final_message`,
...) to the stream itself.  Its end is reported once, however it comes: exhausted, failed, closed
early, or dropped without a word.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import lru_cache
from typing import Any

Told = Callable[[Any], None]
Ended = Callable[[BaseException | None, bool], None]  # the error, and whether the stream came to its end


@lru_cache(maxsize=1024)
def is_stream(kind: type) -> bool:
    """Whether responses of this type hand out their pieces one by one, in a loop or in an async one."""
    if hasattr(kind, "__anext__"):
        return True
    return hasattr(kind, "__next__") and not issubclass(kind, io.IOBase)


class _Passing:
    """What both stand-ins share: one stream, and whether its end was reported."""

    def __init__(self, stream: Any, told: Told, ended: Ended) -> None:
        self._stream, self._told, self._ended = stream, told, ended
        self._open = True

    def __getattr__(self, name: str) -> Any:
        if name == "_stream":  # it was never set: do not ask for ever
            raise AttributeError(name)
        return getattr(self._stream, name)

    def _end(self, error: BaseException | None, whole: bool) -> None:
        if self._open:
            self._open = False
            self._ended(error, whole)

    def __del__(self) -> None:
        if self.__dict__.get("_open"):
            self._end(None, False)


class Stream(_Passing):
    """Stands for an iterator or a generator."""

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Any:
        return self._step(self._stream.__next__)

    def send(self, value: Any) -> Any:
        return self._step(lambda: self._stream.send(value))

    def throw(self, *error: Any) -> Any:
        return self._step(lambda: self._stream.throw(*error))

    def _step(self, step: Callable[[], Any]) -> Any:
        try:
            chunk = step()
        except StopIteration:
            self._end(None, True)
            raise
        except BaseException as error:
            self._end(error, False)
            raise
        self._told(chunk)
        return chunk

    def close(self) -> None:
        try:
            close = getattr(self._stream, "close", None)
            if close is not None:
                close()
        finally:
            self._end(None, False)

    def __enter__(self) -> Stream:
        if hasattr(self._stream, "__enter__"):
            self._stream.__enter__()
        return self

    def __exit__(self, *raised: Any) -> Any:
        try:
            return self._stream.__exit__(*raised) if hasattr(self._stream, "__exit__") else None
        finally:
            self._end(raised[1], False)


class AsyncStream(_Passing):
    """Stands for an async iterator or an async generator."""

    def __aiter__(self) -> AsyncStream:
        return self

    async def __anext__(self) -> Any:
        return await self._step(self._stream.__anext__())

    async def asend(self, value: Any) -> Any:
        return await self._step(self._stream.asend(value))

    async def athrow(self, *error: Any) -> Any:
        return await self._step(self._stream.athrow(*error))

    async def _step(self, step: Any) -> Any:
        try:
            chunk = await step
        except StopAsyncIteration:
            self._end(None, True)
            raise
        except BaseException as error:
            self._end(error, False)
            raise
        self._told(chunk)
        return chunk

    async def close(self) -> None:
        """The name that the providers' SDKs have for it."""
        await self._close("close", "aclose")

    async def aclose(self) -> None:
        await self._close("aclose", "close")

    async def _close(self, *names: str) -> None:
        try:
            close = next((found for name in names if (found := getattr(self._stream, name, None))), None)
            if close is not None:
                await close()
        finally:
            self._end(None, False)

    async def __aenter__(self) -> AsyncStream:
        if hasattr(self._stream, "__aenter__"):
            await self._stream.__aenter__()
        return self

    async def __aexit__(self, *raised: Any) -> Any:
        try:
            return await self._stream.__aexit__(*raised) if hasattr(self._stream, "__aexit__") else None
        finally:
            self._end(raised[1], False)
