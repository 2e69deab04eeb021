"""Ctrl-C that never cuts a block in two.

While records are judged the wish is kept until the block is counted; while a read waits, perhaps for
ever, it is granted at once.  A second Ctrl-C is granted at once anywhere.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from typing import Any, TypeVar

T = TypeVar("T")


class Interrupts:
    """A context in which `each` walks an iterator and raises KeyboardInterrupt between its steps only."""

    def __init__(self) -> None:
        self.asked = False
        self.waiting = False
        self._before: Any = None

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def each(self, items: Iterator[T]) -> Iterator[T]:
        """The items; the caller's work on one of them is not interrupted."""
        while True:
            self.waiting = True  # first: a wish that comes after the look at `asked` is granted at once
            try:
                if self.asked:
                    raise KeyboardInterrupt
                item = next(items)
            except StopIteration:
                return
            finally:
                self.waiting = False
            yield item

    def _ask(self, *_: object) -> None:
        if self.waiting or self.asked:
            raise KeyboardInterrupt
        self.asked = True
