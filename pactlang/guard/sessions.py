"""Which session a call belongs to, and its number in there.

`Scope` is what `with guard.session(...)` sets for all calls inside, also of tasks and of functions
called there.  `Numbers` gives every session its 0, 1, 2, ...

Numbers are kept for the sessions used last.  A session that was forgotten and comes back gets no
numbers any more: a wrong one would make a new call look like a duplicate.
"""

from __future__ import annotations

import contextlib
from contextvars import ContextVar, Token
from typing import Any, NamedTuple

FILTER_BITS = 1 << 23  # 1 MiB: 700,000 forgotten sessions make one new one in 150 seem known


class Facts(NamedTuple):
    """What holds for every call in a scope."""

    session: str | None = None
    agent: str | None = None
    model: str | None = None
    labels: dict[str, Any] | None = None
    fields: dict[str, Any] | None = None


NOWHERE = Facts()
CURRENT: ContextVar[Facts] = ContextVar("pactlang_session", default=NOWHERE)


class Scope:
    """A context: calls inside belong to its session.  What an inner scope leaves out, the outer one says."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._tokens: list[Token[Facts]] = []

    @property
    def id(self) -> str | None:
        """The session's id."""
        return self.facts.session

    def __enter__(self) -> Scope:
        outer = CURRENT.get()
        said = {name: value for name, value in self.facts._asdict().items() if value is not None}
        self._tokens.append(CURRENT.set(outer._replace(**said)))
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(
            ValueError
        ):  # a generator closed from another context: nothing to restore there
            CURRENT.reset(self._tokens.pop())


class Numbers:
    """The next number of each session.  Not safe under threads: the guard's lock is held around it."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.forgotten = 0  # sessions put out of memory so far
        self._next: dict[str, int] = {}  # the session used longest ago first
        self._filter: bytearray | None = None

    def next(self, session: str) -> int | None:
        """The number of the session's next call; None if its count was forgotten."""
        number = self._next.pop(session, None)
        if number is None:
            if self._filter is not None and self._was_forgotten(session):
                return None
            number = 0
            if len(self._next) >= self.limit:
                self._forget()
        self._next[session] = number + 1
        return number

    def _forget(self) -> None:
        session = next(iter(self._next))
        del self._next[session]
        self.forgotten += 1
        if self._filter is None:
            self._filter = bytearray(FILTER_BITS // 8)
        for bit in _bits(session):
            self._filter[bit >> 3] |= 1 << (bit & 7)

    def _was_forgotten(self, session: str) -> bool:
        assert self._filter is not None
        return all(self._filter[bit >> 3] >> (bit & 7) & 1 for bit in _bits(session))


def _bits(session: str) -> tuple[int, ...]:
    first, second = hash(session), hash((session, 1)) | 1
    return tuple((first + turn * second) % FILTER_BITS for turn in range(4))
