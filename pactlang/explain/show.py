"""Values made fit to be shown: one line of safe text, or JSON data.

In: CEL values as a row holds them.  Out: text without control characters, of bounded length; JSON data.

Values come from logs: a control character among them could move the cursor, recolour the terminal or
turn text round, so each is written as an escape.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from itertools import accumulate
from math import isfinite
from typing import Any
from unicodedata import east_asian_width

from pactlang.evaluate import member
from pactlang.schema import Schema
from pactlang.values import Optional, UInt, is_record, key_value

SHOWN = 72  # characters of one value
AROUND = 28  # characters of text on each side of a match
MANY = 20  # elements of a list or map that are looked at
LONGEST_LINE = 400  # characters of one level of it
DEEPEST = 6  # levels of nested values that are shown
LONGEST_TEXT = 10_000  # characters of one text in JSON data

# C0 and C1 controls, marks that hide or reverse text, line separators, lone surrogates.
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    """The text with every character that is not for display written as an escape."""
    return UNSAFE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    char = found.group()
    code = ord(char)
    width = 2 if code < 0x100 else 4 if code < 0x10000 else 8
    return NAMED.get(char) or f"\\{'_xxuuxxxU'[width]}{code:0{width}x}"


def clipped(text: str, room: int = SHOWN) -> str:
    """The text, or its beginning and an ellipsis."""
    return text if len(text) <= room else text[: room - 1] + "…"


def cells(text: str) -> int:
    """Columns of a terminal that a text takes."""
    return len(text) if text.isascii() else sum(1 + (east_asian_width(char) in "WF") for char in text)


def fitted(text: str, columns: int) -> str:
    """The text, or as much of its beginning as fits, and an ellipsis."""
    if cells(text) <= columns:
        return text
    ends = accumulate(cells(char) for char in text)
    return text[: sum(end < columns for end in ends)] + "…"


def wrapped(text: str, columns: int) -> list[str]:
    """Lines of a sentence, broken at blanks; those inside a line stay as they are."""
    lines = [""]
    for number, word in enumerate(text.split(" ")):
        longer = f"{lines[-1]} {word}" if number else word
        if cells(longer) <= columns or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def broken(word: str, columns: int) -> list[str]:
    """A word that is longer than a line in parts that are not, parted behind a bracket, comma or dot."""
    parts = []
    while cells(word) > columns:
        ends = accumulate(cells(char) for char in word)
        fits = sum(end <= columns for end in ends)
        good = max(word.rfind(end, fits // 2, fits) for end in "(,.[")
        fits = good + 1 if good > 0 else fits
        parts.append(word[:fits])
        word = word[fits:]
    return [*parts, word]


def quoted(text: str, room: int = SHOWN) -> str:
    """A text in quotes, cut to about `room` characters."""
    safe = printable(text[: room + 1].replace("\\", "\\\\").replace('"', '\\"'))
    return f'"{clipped(safe, room)}"'


def excerpt(text: str, start: int, end: int) -> str:
    """A text in quotes, cut to what stands around [start, end)."""
    first, last = max(0, start - AROUND), min(len(text), max(end, start) + AROUND)
    inside = text[first : min(last, first + 2 * SHOWN)]
    before = "…" if first > 0 else ""
    after = "…" if first + len(inside) < len(text) else ""
    return f'"{before}{printable(inside)}{after}"'


def shown(value: Any, schema: Schema, room: int = SHOWN) -> str:
    """A value in one line, as it would be written in a pact."""
    return quoted(value, room) if isinstance(value, str) else clipped(_line(value, schema, 0), room)


def _line(value: Any, schema: Schema, depth: int) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case UInt():
            return f"{int(value)}u"
        case str():
            return quoted(value)
        case bytes():
            return clipped(f"b{_octets(value[:SHOWN])}")
        case Optional():
            return f"optional.of({_line(value.value, schema, depth + 1)})" if value.present else "none"
    if isinstance(value, list | dict) or is_record(value):
        return _nested(value, schema, depth + 1)
    return printable(str(value))


def _octets(value: bytes) -> str:
    """Bytes in quotes, what is no ASCII as an escape."""
    text = quoted(value.decode("latin-1"))
    return text.encode("ascii", "backslashreplace").decode("ascii")


def _nested(value: Any, schema: Schema, depth: int) -> str:
    if depth > DEEPEST:
        return "…"
    if isinstance(value, list):
        parts = _few((_line(item, schema, depth) for item in value[:MANY]), len(value))
        return f"[{', '.join(parts)}]"
    pairs = list(fields(value, schema).items())
    if not pairs and not isinstance(value, dict):
        return "{…}"  # a record of which no field is read
    lines = _few((f"{_key(key)}: {_line(item, schema, depth)}" for key, item in pairs[:MANY]), len(pairs))
    return f"{{{', '.join(lines)}}}"


def _few(parts: Iterator[str], count: int) -> list[str]:
    """The parts that a line has room for; an ellipsis in the place of others.  What none sees is not made:
    values in values have very many parts."""
    made: list[str] = []
    for part in parts:
        made.append(part)
        if sum(map(len, made)) > LONGEST_LINE:
            break
    return made + ["…"] * (len(made) < count)


def _key(key: Any) -> str:
    return quoted(key) if isinstance(key, str) else str(key_value(key)).lower()


def fields(value: Any, schema: Schema) -> dict[Any, Any]:
    """A map as it is; of a record the fields that are read, by their names."""
    if isinstance(value, dict):
        return value
    record = type(value).__name__
    return {name: _field(value, schema, record, name) for name in schema.reads.get(record, ())}


def _field(value: Any, schema: Schema, record: str, name: str) -> Any:
    try:
        return member(schema, record, value, name)
    except ValueError as error:  # a time that no one can read
        return str(error)


def opened(value: Any, schema: Schema) -> Any:
    """The value with its records as dicts of their read fields; of an optional what it holds, or None."""
    if isinstance(value, Optional):
        return opened(value.value, schema)
    if isinstance(value, list):
        return [opened(item, schema) for item in value]
    if is_record(value):
        return {name: opened(item, schema) for name, item in fields(value, schema).items()}
    return value


def plain(value: Any, schema: Schema, depth: int = 0) -> Any:
    """A value as JSON data: times and addresses as text, bytes as base64, what JSON lacks (NaN, keys) as
    text, of an optional what it holds, or null."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return clipped(value, LONGEST_TEXT).encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value[:LONGEST_TEXT]).decode("ascii")
    if depth > 10 * DEEPEST:
        return "…"
    if isinstance(value, Optional):
        return plain(value.value, schema, depth + 1)
    if isinstance(value, list):
        return [plain(item, schema, depth + 1) for item in value]
    if not isinstance(value, dict) and not is_record(value):
        return printable(str(value))
    return {str(key_value(k)): plain(v, schema, depth + 1) for k, v in fields(value, schema).items()}
