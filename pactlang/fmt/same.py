"""Do two trees say the same?  Everything is compared but where it stands."""

from __future__ import annotations

from typing import Any

from pactlang.source import Span
from pactlang.syntax import Node


def same(one: object, other: object) -> bool:
    """Are two nodes, or tuples of them, equal up to spans?"""
    waiting: list[tuple[Any, Any]] = [(one, other)]  # no recursion: trees may be deep
    while waiting:
        left, right = waiting.pop()
        if type(left) is not type(right):
            return False
        if isinstance(left, Span):
            continue
        if isinstance(left, Node):
            waiting += [(getattr(left, name), getattr(right, name)) for name in left.__struct_fields__]
        elif isinstance(left, tuple):
            if len(left) != len(right):
                return False
            waiting += zip(left, right, strict=True)
        elif left != right:
            return False
    return True
