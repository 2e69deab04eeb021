"""How large a value can be: elements, characters, and what is inside.

In: types with the sizes that a pact declares, and constants.  Out: `Extent`s, whose parts are made when
they are asked for.  A size that is not declared has a default: `DEFAULTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, reduce
from typing import Any

from pactlang import ir
from pactlang.cost.formula import NONE, ONE, Formula, Size, least, most, number, total, variable
from pactlang.schema import DYN, STRING, Schema, Type

ELEMENTS, CHARACTERS, BYTES = "elements", "characters", "bytes"
DEFAULTS = {ELEMENTS: 100, CHARACTERS: 100_000, BYTES: 100_000}

# What a call makes is bounded by the machine's memory for it (MAX_ALLOCATION), at a byte or more for each.
MOST_MADE = number(268_435_456)
NUMBER = number(500)  # characters that `format` makes of a number, 100 digits behind the point among them
WORD = number(64)  # characters of a number, a time, an address, a type's name as text


class Extent:
    """What is known of a value's size; every part is an upper bound.

    items: elements of a list or map; of a dyn value, those of all levels together.  chars: characters
    of a text, bytes of bytes; of a dyn value, of each text in it.  Parts are kept once they are made: an
    extent stands in many others, and they are asked for the same again and again.
    """

    items: Formula = NONE
    chars: Formula = NONE

    @cached_property
    def weight(self) -> Formula:
        """Steps of a comparison with something equal: an element each, and 256 characters."""
        return self.chars.per(256)

    @cached_property
    def each(self) -> Extent:
        """An element of a list, a value of a map."""
        return SCALAR

    @cached_property
    def keys(self) -> Extent:
        """A key of a map."""
        return SCALAR

    @cached_property
    def printed(self) -> Formula:
        """Characters of the value written out, with what stands between its parts."""
        own = NUMBER + self.chars * number(2)
        if not self.items.terms:
            return own
        return own + self.items * (self.each.printed + self.keys.chars * number(2) + number(4))

    def field(self, name: str) -> Extent:
        """A field of a record."""
        return self.each


class Scalar(Extent):
    """A number, a time, a bool: nothing in it grows."""


SCALAR: Extent = Scalar()


class Text(Extent):
    """A text or bytes."""

    def __init__(self, chars: Formula) -> None:
        self.chars = chars


class Many(Extent):
    """A list or a map.  `whole`: what all elements weigh, if that is known better than for each."""

    def __init__(
        self,
        items: Formula,
        each: Callable[[], Extent],
        keys: Extent = SCALAR,
        whole: Formula | None = None,
    ) -> None:
        self.items, self._each, self._keys, self._whole = items, each, keys, whole

    @cached_property
    def weight(self) -> Formula:
        """An element each, and what the elements weigh."""
        return self.items + (self.items * self.each.weight if self._whole is None else self._whole)

    @cached_property
    def each(self) -> Extent:
        """An element, a value."""
        return self._each()

    @cached_property
    def keys(self) -> Extent:
        """A key; of a list there are none."""
        return self._keys


class Anything(Extent):
    """A dyn value: what is in it is a dyn value again, of the same bounds."""

    def __init__(self, items: Formula, chars: Formula) -> None:
        self.items, self.chars = items, chars

    @cached_property
    def weight(self) -> Formula:
        """All elements of all levels, and their texts."""
        return self.items + (self.items + ONE) * self.chars.per(256)

    @cached_property
    def each(self) -> Extent:
        """Part of it."""
        return self

    @cached_property
    def keys(self) -> Extent:
        """A key is a text of it, or a number."""
        return Text(self.chars)

    @cached_property
    def printed(self) -> Formula:
        """All elements of all levels."""
        return (self.items + ONE) * (NUMBER + self.chars * number(2))


class Fields(Extent):
    """A record."""

    def __init__(self, fields: Mapping[str, Callable[[], Extent]]) -> None:
        self._fields = fields

    @cached_property
    def weight(self) -> Formula:
        """A step for each field, and what the fields weigh."""
        return total([number(len(self._fields)), *(self.field(name).weight for name in self._fields)])

    def field(self, name: str) -> Extent:
        """A field; nothing where the record has none of this name."""
        made = self._fields.get(name)
        return SCALAR if made is None else made()


class Pair(Extent):
    """What two values have together: `a + b`, or `c ? a : b`."""

    def __init__(self, a: Extent, b: Extent, join: Callable[[Formula, Formula], Formula]) -> None:
        self.a, self.b, self._join = a, b, join
        self.items, self.chars = join(a.items, b.items), join(a.chars, b.chars)
        self._fields: dict[str, Extent] = {}

    @cached_property
    def weight(self) -> Formula:
        """The heavier one's, or that of both."""
        return self._join(self.a.weight, self.b.weight)

    @cached_property
    def each(self) -> Extent:
        """What is in the one or the other."""
        return either(self.a.each, self.b.each)

    @cached_property
    def keys(self) -> Extent:
        """A key of the one or the other."""
        return either(self.a.keys, self.b.keys)

    @cached_property
    def printed(self) -> Formula:
        """The longer one's, or that of both."""
        return self._join(self.a.printed, self.b.printed)

    def field(self, name: str) -> Extent:
        """A field of the one or the other."""
        if name not in self._fields:
            self._fields[name] = either(self.a.field(name), self.b.field(name))
        return self._fields[name]


def either(a: Extent, b: Extent) -> Extent:
    """The extent of a value that is one of two."""
    if a is b or b is SCALAR:
        return a
    return b if a is SCALAR else Pair(a, b, most)


def any_of(extents: Iterable[Extent]) -> Extent:
    """The extent of a value that is one of many."""
    return reduce(either, extents, SCALAR)


def made(amount: Formula) -> Formula:
    """A size of something that the call makes: the machine refuses what is larger."""
    return least(amount, MOST_MADE)


def both(a: Extent, b: Extent) -> Extent:
    """The extent of two values joined."""
    return Pair(a, b, lambda x, y: made(x + y))


def text(chars: Formula) -> Extent:
    """A text that the call makes."""
    return Text(made(chars))


def list_of(items: Formula, each: Extent, whole: Formula | None = None) -> Extent:
    """A list that the call makes."""
    return Many(made(items), lambda: each, whole=whole)


def map_of(items: Formula, keys: Extent, values: Extent) -> Extent:
    """A map that the call makes."""
    return Many(made(items), lambda: values, keys)


def constant(value: Any) -> Extent:
    """The extent of a constant, as `ir.Const` holds it."""
    if isinstance(value, str | bytes):
        return Text(number(len(value)))
    if isinstance(value, list):
        return Many(number(len(value)), lambda: any_of(map(constant, value)))
    if isinstance(value, dict):
        keys = any_of(map(constant, value))
        return Many(number(len(value)), lambda: any_of(map(constant, value.values())), keys)
    return SCALAR


class Sizes:
    """The sizes of a pact's fields: declared, or taken to be what the defaults say."""

    def __init__(self, schema: Schema, budget: ir.Budget | None) -> None:
        self.fields = {record.name: {f.name: f.type for f in record.fields} for record in schema.records}
        sizes = budget.sizes if budget is not None else ()
        self.declared = {path: most for path, most, _ in sizes}
        self.units = {".".join(path): unit for path, _, unit in sizes}

    def of(self, type: Type, path: tuple[str, ...], base: tuple[str, ...] | None = None) -> Extent:
        """The extent of a field at a path.  base: the path to the fields of records in it."""
        base, each = path if base is None else base, (*path, "each")
        match type.kind:
            case "string" if type.values:
                return Text(number(max(map(len, type.values))))
            case "string":
                return Text(self._size(path, CHARACTERS))
            case "bytes":
                return Text(self._size(path, BYTES))
            case "list":
                return Many(self._size(path, ELEMENTS), lambda: self.of(type.element, each, base))
            case "map":
                key, value = type.params if len(type.params) == 2 else (STRING, DYN)
                keys = self.of(key, (*path, "key"), base)
                return Many(self._size(path, ELEMENTS), lambda: self.of(value, each, base), keys)
            case "dyn":
                return Anything(self._size(path, ELEMENTS), self._size(each, CHARACTERS))
            case "optional":
                return self.of(type.element, path, base)
            case "record":
                return self._record(type.name, base)
        return SCALAR

    def _record(self, name: str, base: tuple[str, ...]) -> Extent:
        def field(at: str, type: Type) -> Callable[[], Extent]:
            return lambda: self.of(type, (*base, at))

        return Fields({at: field(at, type) for at, type in self.fields[name].items()})

    def _size(self, path: tuple[str, ...], unit: str) -> Formula:
        name = ".".join(path)
        self.units[name] = unit
        return variable(Size(name, self.declared.get(path, DEFAULTS[unit])))
