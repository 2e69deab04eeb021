"""Whether a log has the names of the standard record `Call`, and which of its fields it fills.

In: a `Shape`.  Out: the fields of `Call` that were seen, under whichever name, and those that are not its.
"""

from __future__ import annotations

from pactlang.infer.fields import Field, declarations
from pactlang.infer.names import AVOIDED, snake
from pactlang.infer.shape import Shape
from pactlang.standard import STANDARD, WIRES

CONVENTIONS = ("gen_ai.", "llm.", "openinference.")  # keys that nobody else begins so
TELLING = ("output", "input", "tool", "messages", "tool_calls")  # one of them is in every log of calls
ENOUGH = 3  # fields of `Call` by its own names
# What opening a span adds.
UNREAD = ("span_id", "trace_id", "span_name", "start_time_unix_nano", "start_time")

# The path of a field by the key that holds it; the first field wins, as `ok` shares a key with others.
BY_KEY: dict[str, tuple[str, ...]] = {}
for _path, _wires in WIRES.items():
    for _wire in _wires:
        BY_KEY.setdefault(_wire.key, _path)


def is_standard(shape: Shape) -> bool:
    """Whether these are calls in the names of `Call`."""
    if any(key.startswith(CONVENTIONS) for key in shape.members):
        return True
    own = [key for key in shape.members if STANDARD["Call"].field(key) is not None]
    return len(own) >= ENOUGH and any(key in TELLING for key in own)


def standard_fields(shape: Shape) -> tuple[list[Field], list[Field]]:
    """The fields of `Call` that the data fills, and plain members by which it could be extended."""
    known: dict[str, Field] = {}
    others = Shape()
    for key, member in shape.members.items():
        for path, held in _paths(key, member):
            _put(known, path, key, held)
        if not _is_known(key):
            others.members[key] = member
    others.count = shape.count + 1  # every added field may be absent: later data need not have it
    return list(known.values()), [f for f in declarations(others)[-1].fields if _is_plain(f)]


def _is_known(key: str) -> bool:
    return key in BY_KEY or STANDARD["Call"].field(key) is not None or key in UNREAD or "." in key


def _is_plain(field: Field) -> bool:
    free = STANDARD["Call"].field(field.name) is None and field.name not in AVOIDED
    return free and field.kind in ("string", "int", "double", "bool") and snake(field.key) == field.key


def _paths(key: str, member: Shape) -> list[tuple[tuple[str, ...], Shape]]:
    if key == "usage":
        return [((key, name), inner) for name, inner in member.members.items()]
    path = BY_KEY.get(key, (key,))
    return [(path, member)]


def _put(known: dict[str, Field], path: tuple[str, ...], key: str, member: Shape) -> None:
    holder = STANDARD["Call"] if len(path) == 1 else STANDARD["Usage"]
    field = holder.field(path[-1])
    name = ".".join(path)
    if field is not None and name not in known and member.present:
        known[name] = Field(name, str(field.type), key, member)
