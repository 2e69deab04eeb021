"""Which session a call belongs to, and its number in there.

`Scope` is what `with guard.session(...)` sets for all calls inside, also of tasks and of functions
called there.  `Numbers` gives every session its 0, 1, 2, ...

Numbers are kept for the sessions used last.  A session that was forgotten and comes back gets no
numbers any more: a wrong one would make a new call look like a duplicate.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar, Token
from hashlib import blake2b
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
        self._key = os.urandom(16)  # so that nobody can choose sessions that seem forgotten

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

    def __iter__(self) -> Iterator[str]:
        return iter(self._next)

    def __contains__(self, session: object) -> bool:
        return session in self._next

    def seen(self, session: str, number: int) -> None:
        """A call of a session had a number: the next one has a higher one."""
        known = self._next.pop(session, 0)
        if len(self._next) >= self.limit:
            self._forget()
        self._next[session] = max(known, number + 1)

    def skip(self, session: str) -> None:
        """A call of a session had a number that is not known."""
        self.seen(session, self._next.get(session, 0))

    def end(self, session: str) -> None:
        """A session is over; what comes under its name is another one, and begins with 0."""
        self._next.pop(session, None)

    def saved(self) -> tuple[dict[str, int], bytes, bytes]:
        """What `add` takes."""
        return dict(self._next), bytes(self._filter or b""), self._key

    def add(self, numbers: dict[str, int], forgotten: bytes, key: bytes) -> None:
        """Take over what another process has saved.  Of two filters one can be kept: then what is in neither
        memory counts as forgotten."""
        for session, number in numbers.items():
            self.seen(session, number - 1)
        if len(forgotten) != FILTER_BITS // 8:
            return
        if self._filter is None:
            self._filter, self._key = bytearray(forgotten), key
        elif key != self._key:
            self._filter = bytearray(b"\xff" * (FILTER_BITS // 8))

    def _forget(self) -> None:
        session = next(iter(self._next))
        del self._next[session]
        self.forgotten += 1
        if self._filter is None:
            self._filter = bytearray(FILTER_BITS // 8)
        for bit in self._bits(session):
            self._filter[bit >> 3] |= 1 << (bit & 7)

    def _was_forgotten(self, session: str) -> bool:
        assert self._filter is not None
        return all(self._filter[bit >> 3] >> (bit & 7) & 1 for bit in self._bits(session))

    def _bits(self, session: str) -> tuple[int, ...]:
        data = session.encode("utf-8", "surrogatepass")
        found = blake2b(data, digest_size=16, key=self._key).digest()
        first, second = int.from_bytes(found[:8], "little"), int.from_bytes(found[8:], "little") | 1
        return tuple((first + turn * second) % FILTER_BITS for turn in range(4))
