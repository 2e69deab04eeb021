"""Where a field's value stands in the data: under its own name, its `as` name, its wire names.

In: data as a dict.  Out: the value and the step of the JSON path that leads to it.

A name with dots is tried as one key and then as nesting, and so again inside: `a.b.c` is the key
`a.b.c`, else `b.c` in the object `a`.  Null under one name leaves the word to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from pactlang.records.telemetry import TRANSFORMS
from pactlang.records.wire import Form, Misfit, plain
from pactlang.schema import Field, Record
from pactlang.standard import STANDARD, WIRES

SPREAD = "0.message.role"  # below a name, the first key of a list that is spread over keys
Find = Callable[[dict[str, Any]], tuple[Any, str]]  # the value (None if there is none) and its step


class Name(Struct, frozen=True):
    """One name of a field.  `yields`: an object here may be the nesting that a later name means."""

    key: str
    transform: Form | None = None
    indexed: bool = False
    yields: bool = False

    @property
    def step(self) -> str:
        """The step of a JSON path."""
        return "." + self.key

    @property
    def heads(self) -> tuple[str, ...]:
        """The keys of the record where the value may begin."""
        head, dot, _ = self.key.partition(".")
        return (self.key, *([head] if dot else []), *([self.marker] if self.indexed else []))

    @property
    def marker(self) -> str:
        """The key whose presence shows that an indexed name is spread over keys."""
        return f"{self.key}.{SPREAD}"


SCALAR = ("bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration")


def names_of(record: Record, field: Field) -> tuple[Name, ...]:
    """The names of a field, in the order in which they are tried."""
    aliases = aliases_of(record, field.name)
    nests = any(alias.key.startswith(field.name + ".") for alias in aliases)
    own = tuple(Name(key, yields=nests and field.type.kind in SCALAR) for key in field.names)
    return own + aliases


def aliases_of(record: Record, *path: str) -> tuple[Name, ...]:
    """The wire names of a field of the standard `Call`; none if the pact has declared it anew."""
    standard = STANDARD["Call"]
    if record.name != standard.name or record.field(path[0]) != standard.field(path[0]):
        return ()
    return tuple(Name(w.key, TRANSFORMS.get(w.transform), w.indexed) for w in WIRES.get(path, ()))


def other_heads(record: Record) -> set[str]:
    """The keys under which a field may stand beside its first name."""
    return {head for field in record.fields for name in names_of(record, field)[1:] for head in name.heads}


def look(data: dict[str, Any], key: str) -> Any:
    """What stands under a name with dots, None if nothing or null."""
    found = data.get(key)
    while found is None and "." in key:
        head, _, key = key.partition(".")
        data = plain(data.get(head))
        if type(data) is not dict:
            return None
        found = data.get(key)
    return found


def find_first(candidates: tuple[Name, ...]) -> Find:
    """The function that takes the first name under which something stands."""
    tries = [(name, name.key, name.key.partition(".")[0], name.transform) for name in candidates]

    def find(data: dict[str, Any]) -> tuple[Any, str]:
        unfit: tuple[Any, str] | None = None
        for name, key, head, transform in tries:
            value = data.get(key)
            if value is None and head in data:
                value = look(data, key)
            if value is None and name.indexed:
                value = _gathered(data, key + ".")
            if value is not None and transform is not None:
                value = _transformed(value, name)
            if value is None:
                continue
            if not name.yields or type(plain(value)) is not dict:
                return value, name.step
            unfit = unfit or (value, name.step)
        return unfit or (None, candidates[0].step)

    return find


def _transformed(value: Any, name: Name) -> Any:
    try:
        return name.transform(value) if name.transform else value
    except Misfit as misfit:
        raise misfit.at(name.step) from None


def _gathered(data: dict[str, Any], prefix: str) -> list[Any] | None:
    """The list that keys such as `PREFIX0.message.role` spell."""
    tree: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(key, str) and key.startswith(prefix):
            _plant(tree, key[len(prefix) :].split("."), value)
    grown = _grown(tree)
    return grown if isinstance(grown, list) else None


def _plant(tree: dict[str, Any], steps: list[str], value: Any) -> None:
    for step in steps[:-1]:
        inner = tree.setdefault(step, {})
        tree = inner if isinstance(inner, dict) else {}
    tree[steps[-1]] = value


def _grown(tree: Any) -> Any:
    """Objects whose keys are all numbers become lists, in the order of the numbers."""
    if type(tree) is not dict:
        return tree
    if tree and all(key.isascii() and key.isdigit() and len(key) < 10 for key in tree):
        return [_grown(tree[key]) for key in sorted(tree, key=int)]
    return {key: _grown(value) for key, value in tree.items()}


def find_members(name: str, members: dict[str, tuple[tuple[Name, ...], Form]]) -> Find:
    """The function for a nested record whose fields also have names at the top of the data.

    members: per field those names, and the form its value must fit.
    """
    finds = {member: (find_first(found), form) for member, (found, form) in members.items()}

    def find(data: dict[str, Any]) -> tuple[Any, str]:
        own = plain(data.get(name))
        if own is not None and type(own) is not dict:
            return own, "." + name
        found = dict(own or {})
        for member, (find_member, form) in finds.items():
            if found.get(member) is None:
                value, step = find_member(data)
                if value is not None:
                    found[member] = _fitted(value, step, form)
        return (found or own), "." + name

    return find


def _fitted(value: Any, step: str, form: Form) -> Any:
    try:
        return form(value)
    except Misfit as misfit:
        raise misfit.at(step) from None
