"""What stands where in many records: counts, ranges and a bounded sample of values.

In: JSON data, one record after the other.  Out: a `Shape`, a tree with a node per member.

It grows with the number of members and not with the number of records: `KEPT` distinct values per
node, `MEMBERS` members per object; beyond them an object is one of open keys, which is a map,
and a record is known by its first ones.
"""

from __future__ import annotations

from typing import Any

KEPT = 64  # distinct short texts and numbers that are kept of one node
LONGEST = 80  # characters of a text that is kept as a value
MEMBERS = 200  # members of one object
DEEPEST = 8  # levels of objects that are looked into; below is data of any shape
SORTS = {bool: "bool", int: "int", float: "double", str: "string", list: "list", dict: "map"}


class Shape:
    """What was seen in one place.

    count: values seen there, null among them.  sorts: how often a bool, int, double, string, list, map
    or null.  members: of its objects, by key.  items: the elements of its lists.  values: distinct short
    texts and numbers with their counts, None when there were too many.  low and high: of its numbers.
    """

    def __init__(self, depth: int = 0) -> None:
        self.depth = depth
        self.count = 0
        self.sorts: dict[str, int] = {}
        self.members: dict[str, Shape] = {}
        self.open = False  # keys are data here, or more than are counted
        self.items: Shape | None = None
        self.values: dict[str | int | float, int] | None = {}
        self.low = float("inf")
        self.high = float("-inf")
        self.longest = 0  # characters of a text, elements of a list
        self.distinct = 0  # texts and numbers that were new while they were counted
        self.samples: list[Any] = []  # some texts, whatever their length, from the beginning

    def add(self, data: Any) -> None:
        """Count one value."""
        self.count += 1
        sort = "null" if data is None else SORTS.get(type(data), "dyn")
        self.sorts[sort] = self.sorts.get(sort, 0) + 1
        if sort == "map":
            self._object(data)
        elif sort == "list":
            self._list(data)
        elif sort in ("int", "double", "string"):
            self._value(data)

    @property
    def present(self) -> int:
        """Values that are not null."""
        return self.count - self.sorts.get("null", 0)

    @property
    def kinds(self) -> set[str]:
        """The sorts that were seen, but null."""
        return set(self.sorts) - {"null"}

    def _object(self, data: dict[str, Any]) -> None:
        if self.depth >= DEEPEST:
            self.open = True
        for key, value in data.items():
            if self.open and self.depth:
                return
            if key in self.members or self._has_room():
                self.members.setdefault(key, Shape(self.depth + 1)).add(value)

    def _has_room(self) -> bool:
        """Whether one more member is counted; without room nothing is told apart but in a record itself."""
        if len(self.members) < MEMBERS:
            return True
        self.open = True
        if self.depth:
            self.members.clear()
        return False

    def _list(self, data: list[Any]) -> None:
        self.longest = max(self.longest, len(data))
        if self.items is None:
            self.items = Shape(self.depth + 1)
        for item in data[:MEMBERS]:
            self.items.add(item)

    def _value(self, value: str | int | float) -> None:
        if isinstance(value, str):
            self.longest = max(self.longest, len(value))
            if len(self.samples) < KEPT:
                self.samples.append(value)
        else:
            self.low, self.high = min(self.low, value), max(self.high, value)
        if self.values is None:
            return
        if isinstance(value, str) and len(value) > LONGEST:
            self.values = None
            return
        self.distinct += value not in self.values
        self.values[value] = self.values.get(value, 0) + 1
        if len(self.values) > KEPT:
            self.values = None
