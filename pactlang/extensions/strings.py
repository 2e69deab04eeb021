"""CEL's strings extension: texts searched, cut and put together.

In: CEL values.  Out: CEL values; OutOfRange for an index outside the text, Limit for too long a result.

The one idea: a text is a sequence of code points, as in Python, so Python's own methods do the work
wherever they mean the same; what a result will measure is known before it is made.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from pactlang.extensions.formats import format_text
from pactlang.values import OutOfRange, within

LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
UPPER = str.maketrans(ascii_lowercase, ascii_uppercase)

# Unicode's White_Space.  Python's strip() takes the separators U+001C to U+001F for spaces too.
SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
SPACES += "\u2028\u2029\u202f\u205f\u3000"

ESCAPES = {
    "\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v",
    "\\": r"\\", '"': r"\"",
}  # fmt: skip
ESCAPED = str.maketrans(ESCAPES)
LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def _index(index: int, end: int) -> int:
    """The index, if it lies in 0 to `end`, both included."""
    if not 0 <= index <= end:
        raise OutOfRange(f"index {index} is out of range")
    return index


# Searching -----------------------------------------------------------------------------------


def char_at(text: str, index: int) -> str:
    """The code point at an index; nothing at the very end."""
    at = _index(index, len(text))
    return text[at : at + 1]


def index_of(text: str, part: str) -> int:
    """Where `part` first stands, -1 if nowhere."""
    return text.find(part)


def index_of_from(text: str, part: str, start: int) -> int:
    """Where `part` first stands from `start` on; the empty text stands at `start`, whatever that is."""
    return text.find(part, _index(start, len(text))) if part else start


def last_index_of(text: str, part: str) -> int:
    """Where `part` last stands, -1 if nowhere."""
    return _last(text, part, len(text))


def last_index_of_from(text: str, part: str, start: int) -> int:
    """Where `part` last stands at `start` or before it; the empty text stands at `start`.

    From the very end nothing is found, as in CEL's own engines.
    """
    if not part:
        return start
    return _last(text, part, start) if _index(start, len(text)) < len(text) else -1


def _last(text: str, part: str, start: int) -> int:
    """Searched forwards in the reversed text: Python's rfind takes len(text) * len(part) at worst."""
    seen = text[: start + len(part)][::-1]
    found = seen.find(part[::-1])
    return -1 if found < 0 else len(seen) - found - len(part)


# Cutting -------------------------------------------------------------------------------------


def substring(text: str, start: int, end: int | None = None) -> str:
    """The code points from `start` to before `end`."""
    stop = len(text) if end is None else _index(end, len(text))
    return text[_index(start, stop) : stop]


def split(text: str, separator: str, count: int = -1) -> list[str]:
    """The parts between separators, at most `count` of them if that is not below 0.

    The empty separator stands between any two code points.
    """
    if count == 0:
        return []
    if not separator:
        return _exploded(text, count)
    return text.split(separator, _parts(text.count(separator) + 1, count) - 1)


def _parts(there: int, count: int) -> int:
    return within(there if count < 0 else min(count, there))


def _exploded(text: str, count: int) -> list[str]:
    size = _parts(len(text), count)
    return [*text[: size - 1], text[size - 1 :]] if size else []


def trim(text: str) -> str:
    """The text without white space at its ends."""
    return text.strip(SPACES)


# Changing ------------------------------------------------------------------------------------


def lower_ascii(text: str) -> str:
    """A to Z in lower case."""
    return text.lower() if text.isascii() else text.translate(LOWER)


def upper_ascii(text: str) -> str:
    """a to z in upper case."""
    return text.upper() if text.isascii() else text.translate(UPPER)


def replace(text: str, old: str, new: str, count: int = -1) -> str:
    """The text with `new` for the first `count` times of `old`, for all of them if that is below 0."""
    there = text.count(old)
    times = there if count < 0 else min(count, there)
    within(len(text) + times * (len(new) - len(old)))
    return text.replace(old, new, times)


def reverse(text: str) -> str:
    """The code points in opposite order."""
    return text[::-1]


def join(texts: list[Any], separator: str = "") -> str:
    """The texts one after another with a separator between them."""
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("`join` needs a list of strings")
    within(sum(map(len, texts)) + len(separator) * max(len(texts) - 1, 0))
    return separator.join(texts)


def quote(text: str) -> str:
    """The text between double quotes, with escapes; what is no character becomes U+FFFD."""
    within(len(text) + sum(map(text.count, ESCAPES)) + 2)
    return '"' + LONE_SURROGATE.sub("\ufffd", text).translate(ESCAPED) + '"'


COMPUTE: dict[str, Callable[..., Any]] = {
    "char_at": char_at,
    "index_of": index_of,
    "index_of_from": index_of_from,
    "last_index_of": last_index_of,
    "last_index_of_from": last_index_of_from,
    "lower_ascii": lower_ascii,
    "upper_ascii": upper_ascii,
    "trim": trim,
    "reverse": reverse,
    "replace": replace,
    "replace_count": replace,
    "split": split,
    "split_count": split,
    "substring_from": substring,
    "substring": substring,
    "format": format_text,
    "join": join,
    "join_separator": join,
    "quote": quote,
}
