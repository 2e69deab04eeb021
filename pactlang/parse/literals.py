"""The values of numbers, durations and strings, as CEL reads them.

In: the text of one word.  Out: its value, or `Malformed` mistakes with places relative to the word.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

INT_MAX = 2**63 - 1
UINT_MAX = 2**64 - 1
# CEL's duration reaches 10,000 years either way; in nanoseconds.
DURATION_MAX = 315_576_000_000 * 10**9
# More digits than this are out of every range, and Python refuses to convert thousands of them.
MAX_DIGITS = 400

NANOS = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9}

_STEP = re.compile(r"(\d+)(?:\.(\d+))?(ms|s|m|h|d)")
_ESCAPE = re.compile(
    r"""\\(?:(?P<plain>[abfnrtv\\?"'`])|[xX](?P<hex>[0-9a-fA-F]{2})|(?P<octal>[0-3][0-7]{2})"""
    r"|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8})|(?P<bad>[\s\S]?))"
)
_PLAIN = dict(zip("abfnrtv\\?\"'`", "\a\b\f\n\r\t\v\\?\"'`", strict=True))
_BREAK = re.compile(r"\r\n?")


# Where a string with this quote may end, and what must be passed over on the way; raw ones have no escapes.
_STOPS = {
    (quote, raw): re.compile(f"{'' if raw else escape}{stop}")
    for raw in (False, True)
    for quote, escape, stop in (
        ('"""', r"\\[\s\S]|", '"""'),
        ("'''", r"\\[\s\S]|", "'''"),
        ('"', r"\\[^\r\n]|", r'["\r\n]'),
        ("'", r"\\[^\r\n]|", r"['\r\n]"),
    )
}


class Malformed(NamedTuple):
    """A mistake inside a word: where (from the word's start), and what."""

    start: int
    end: int
    message: str
    help: str = ""


def read_int(text: str) -> tuple[int, bool] | None:
    """(value, is it uint) of `12`, `0x1F`, `7u`; None if it is far beyond 64 bits.  The sign is not here."""
    unsigned = text[-1:] in ("u", "U")
    digits = text[:-1] if unsigned else text
    if len(digits) > MAX_DIGITS:
        return None
    return int(digits or "0", 16 if digits[:2] == "0x" else 10), unsigned


def read_float(text: str) -> float | None:
    """The double nearest to a decimal; None if it is beyond the largest double."""
    value = float(text or "0")
    return value if math.isfinite(value) else None


def read_duration(text: str) -> int | Malformed:
    """Nanoseconds of `1h30m`, `500ms`, `1.5s`; exact, so a fraction of a nanosecond is a mistake."""
    if len(text) > MAX_DIGITS:
        return Malformed(0, len(text), "a duration is at most 10,000 years")
    nanos = 0
    for step in _STEP.finditer(text):
        whole, fraction, unit = step[1], step[2] or "", step[3]
        amount, rest = divmod(int(whole + fraction) * NANOS[unit], 10 ** len(fraction))
        if rest:
            return Malformed(*step.span(), "a duration is a whole number of nanoseconds")
        nanos += amount
    if nanos > DURATION_MAX:
        return Malformed(0, len(text), "a duration is at most 10,000 years")
    return nanos


def string_end(text: str, at: int, quote: str, raw: bool) -> int | None:
    """The offset behind the closing quote of a string whose body begins at `at`; None if it has none."""
    for stop in _STOPS[quote, raw].finditer(text, at):
        if stop[0][0] != "\\":
            return stop.end() if stop[0] == quote else None
    return None


def read_string(text: str) -> tuple[str, list[Malformed]]:
    """The value of a string as written, quotes and prefix included."""
    body, at, raw = _body(text)
    if raw or "\\" not in body:
        return _one_break(body), []
    mistakes: list[Malformed] = []
    parts = [_decode(part, at, mistakes) for part in _parts(body)]
    return "".join(parts), mistakes


def read_bytes(text: str) -> tuple[bytes, list[Malformed]]:
    """The value of a bytes literal: characters in UTF-8, and `\\xHH` or `\\ooo` as one byte each."""
    body, at, raw = _body(text)
    if raw or "\\" not in body:
        return _one_break(body).encode(), []
    mistakes: list[Malformed] = []
    parts = [_encode(part, at, mistakes) for part in _parts(body)]
    return b"".join(parts), mistakes


def _body(text: str) -> tuple[str, int, bool]:
    """What is between the quotes, where it starts, and whether escapes mean nothing there."""
    quote = len(text) - len(text.lstrip("bBrR"))
    width = 3 if text[quote : quote + 3] in ('"""', "'''") and len(text) >= quote + 6 else 1
    return text[quote + width : len(text) - width], quote + width, "r" in text[:quote].lower()


def _one_break(text: str) -> str:
    """Line breaks within triple quotes read as `\\n`, however the file ends its lines."""
    return _BREAK.sub("\n", text) if "\r" in text else text


def _parts(body: str) -> Iterator[str | re.Match[str]]:
    """Text and escapes in turn."""
    at = 0
    for escape in _ESCAPE.finditer(body):
        if escape.start() > at:
            yield _one_break(body[at : escape.start()])
        yield escape
        at = escape.end()
    yield _one_break(body[at:])


def _decode(part: str | re.Match[str], at: int, mistakes: list[Malformed]) -> str:
    if isinstance(part, str):
        return part
    if part["plain"]:
        return _PLAIN[part["plain"]]
    code = _code_point(part)
    if code is None:
        mistakes.append(_unknown(part, at))
        return ""
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        message = f"`{part[0]}` is not a character of Unicode"
        mistakes.append(Malformed(at + part.start(), at + part.end(), message))
        return ""
    return chr(code)


def _encode(part: str | re.Match[str], at: int, mistakes: list[Malformed]) -> bytes:
    if isinstance(part, str):
        return part.encode()
    if part["plain"]:
        return _PLAIN[part["plain"]].encode()
    if part["short"] or part["long"]:
        message, help = f"`{part[0]}` cannot stand in bytes", "write the bytes one by one, as `\\xHH`"
        mistakes.append(Malformed(at + part.start(), at + part.end(), message, help))
        return b""
    code = _code_point(part)
    if code is None:
        mistakes.append(_unknown(part, at))
        return b""
    return bytes((code,))


def _code_point(escape: re.Match[str]) -> int | None:
    """The number an escape names; None if it is no escape.  An octal one is at most 255 by its form."""
    if escape["octal"]:
        return int(escape["octal"], 8)
    digits = escape["hex"] or escape["short"] or escape["long"]
    return int(digits, 16) if digits else None


def _unknown(escape: re.Match[str], at: int) -> Malformed:
    start, shown = at + escape.start(), escape[0]
    end = at + escape.end()
    if shown[1:] in ("x", "X", "u", "U"):
        count = {"x": 2, "u": 4, "U": 8}[shown[1].replace("X", "x")]
        return Malformed(start, end, f"`{shown}` takes {count} hexadecimal digits")
    if shown[1:].isdigit():
        help = "an octal escape has three digits, 000 to 377"
        return Malformed(start, end, f"`{shown}` is not an escape", help)
    shown = shown if shown[1:].isprintable() else "\\"
    help = "for a backslash write `\\\\`, or put `r` before the string, as in a pattern"
    return Malformed(start, end, f"`{shown}` is not an escape", help)
