"""Do two trees say the same?  Everything is compared but where it stands."""

from __future__ import annotations

from pactlang.source import Span
from pactlang.syntax import Node


def same(one: object, other: object) -> bool:
    """Are two nodes, or tuples of them, equal up to spans?"""
    if isinstance(one, Span) and isinstance(other, Span):
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, Node):
        return all(same(getattr(one, name), getattr(other, name)) for name in one.__struct_fields__)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other
