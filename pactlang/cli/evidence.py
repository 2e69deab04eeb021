"""Values of a call made fit to be shown: as JSON data, and as one line of a terminal.

In: CEL values and texts.  Out: JSON data that any decoder takes, and excerpts of bounded length.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from pactlang.cli.screen import printable

if TYPE_CHECKING:
    from pactlang.verdict import Violation

LONGEST_TEXT = 10_000  # characters of one text that go into the JSON report
SHOWN = 60  # characters of a value on a terminal
DEEPEST = 40  # levels of nested data that are shown


def plain(value: Any, depth: int = 0) -> Any:
    """The value as JSON data: times as text, bytes as base64, what JSON lacks (NaN, keys) as text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _whole_characters(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value[:LONGEST_TEXT]).decode("ascii")
    if depth > DEEPEST:
        return "..."
    return _nested(value, depth + 1)


def _nested(value: Any, depth: int) -> Any:
    if isinstance(value, Mapping):
        return {str(plain(k, depth)): plain(v, depth) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each, depth) for each in value]
    if isinstance(value, msgspec.Struct) and type(value).__str__ is object.__str__:
        named = msgspec.structs.fields(value)
        return {field.encode_name: plain(getattr(value, field.name), depth) for field in named}
    return str(value)


def _whole_characters(text: str) -> str:
    """Lone surrogates cannot be written as UTF-8; what is too long says so."""
    text = text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}... ({len(text):,} characters)"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def shown(value: Any, room: int = SHOWN) -> str:
    """The value in one line of at most `room` characters, texts in quotes."""
    if isinstance(value, str):
        body = value[:room]
        return f'"{clipped(printable(body), room - 2, len(value) > room)}"'
    made = plain(value)
    text = made if isinstance(made, str) else msgspec.json.encode(made).decode("utf-8")
    return clipped(printable(text), room)


def clipped(text: str, room: int, more: bool = False) -> str:
    """The text, or its beginning and an ellipsis."""
    return text if len(text) <= room and not more else text[: max(room - 1, 0)] + "…"


class Quote(NamedTuple):
    """A match in its context: what stands before, the match itself, what stands after; all printable."""

    field: str
    before: str
    match: str
    after: str


def quote(violation: Violation, room: int) -> Quote | None:
    """The text that a violation found, in about `room` characters of the text around it; None if it
    is about no text."""
    found = violation.matched
    if found is None:
        return None
    field, match = printable(found.field), clipped(printable(found.text), max(room // 2, 8))
    whole = violation.values.get(found.field)
    if not isinstance(whole, str) or whole[found.start : found.end] != found.text:
        return Quote(field, "", match, "")
    around = max((room - len(match)) // 2 - 1, 4)
    before = _before(whole[: found.start], around)
    return Quote(field, before, match, _after(whole[found.end :], around + max(around - len(before), 0)))


def _before(text: str, room: int) -> str:
    shown = printable(text[-room:])
    return "…" + shown[-room:] if len(text) > room or len(shown) > room else shown


def _after(text: str, room: int) -> str:
    return clipped(printable(text[:room]), room, len(text) > room)
