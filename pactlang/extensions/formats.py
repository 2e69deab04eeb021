"""CEL's string.format: a text with clauses, and the values that are written where they stand.

In: a text and a list of values.  Out: the text; ValueError for a clause that is none, for a value that a
clause cannot write and for too few values; Limit for too long a result.

    clause      writes
    %%          a per cent sign
    %s          every value but records, addresses and optionals
    %d          int, uint, and double with as many digits as it needs
    %.3f %.3e   int, uint, double, with 3 digits after the point (6 if not said)
    %b          int, uint, bool in base 2
    %o          int, uint in base 8
    %x %X       int, uint in base 16; string and bytes byte by byte

The one idea: values are written as a stream of short pieces, counted as they come, so neither the depth
of a value nor a list that holds another many times over can do harm.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from math import isfinite, isnan
from operator import itemgetter
from typing import Any

from pactlang.values import (
    MAX_NESTING,
    NANOS,
    CelType,
    Duration,
    Limit,
    OutOfRange,
    Timestamp,
    format_timestamp,
    is_bad_number,
    is_number,
    is_record,
    key_value,
    type_name,
    within,
)

CLAUSE = re.compile(r"%(?:(%)|(?:\.([0-9]*))?(.)?)", re.S)
DEFAULT_PRECISION = 6
MAX_PRECISION = 100
MAX_PIECES = 4_000_000  # of a text: values in values that are written one after another
NO_UTF8 = re.compile("[\udc80-\udcff]+")  # what the error handler `surrogateescape` makes of such bytes


def format_text(text: str, args: list[Any]) -> str:
    """The text with every clause replaced by the next of the values; values left over are ignored."""
    return _joined(_written(text, args))


def _written(text: str, args: list[Any]) -> Iterator[str]:
    end = used = 0
    for found in CLAUSE.finditer(text):
        yield text[end : found.start()]
        end = found.end()
        if found[1]:
            yield "%"
            continue
        write, precision = _clause(found[3], found[2])
        if used == len(args):
            raise ValueError(f"a clause has no value: there are {used} values")
        yield write(args[used], precision)
        used += 1
    yield text[end:]


def _clause(letter: str | None, digits: str | None) -> tuple[Clause, int]:
    if letter is None:
        raise ValueError("the text ends within a clause")
    if letter not in CLAUSES:
        raise ValueError(f"no such clause: `%{letter}`")
    if digits == "":
        raise ValueError(f"a precision without digits: `%.{letter}`")
    precision = DEFAULT_PRECISION if digits is None else int(digits.lstrip("0")[:4] or 0)
    if precision > MAX_PRECISION:
        raise Limit(f"a precision of more than {MAX_PRECISION} digits")
    return CLAUSES[letter], precision


def _joined(pieces: Iterator[str]) -> str:
    """The pieces as one text; Limit before it is made."""
    kept, size = [], 0
    for piece in pieces:
        size = within(size + len(piece))
        kept.append(piece)
        if len(kept) > MAX_PIECES:
            raise Limit(f"the result has more than {MAX_PIECES} pieces")
    return "".join(kept)


def _refused(letter: str, value: object) -> ValueError:
    return ValueError(f"`%{letter}` cannot write a {'record' if is_record(value) else type_name(value)}")


# Values as texts: %s -------------------------------------------------------------------------

Piece = str | list[Any] | dict[Any, Any]  # a piece of text, or a container still to be written


def _any(value: Any, _precision: int) -> str:
    return _joined(_flat(value))


def _flat(value: Any) -> Iterator[str]:
    """The pieces of a value, in order: a stack of streams, one for each container that is open."""
    streams: list[Iterator[Piece]] = [iter([_piece(value)])]
    while streams:
        for piece in streams[-1]:
            if not isinstance(piece, str):
                streams.append(_list_pieces(piece) if isinstance(piece, list) else _map_pieces(piece))
                break
            yield piece
        else:
            streams.pop()
        if len(streams) > MAX_NESTING + 1:
            raise ValueError(f"`%s` cannot write lists and maps more than {MAX_NESTING} deep")


def _piece(value: Any) -> Piece:
    return value if isinstance(value, list | dict) else _scalar(value)


def _list_pieces(items: list[Any]) -> Iterator[Piece]:
    yield "["
    for index, item in enumerate(items):
        if index:
            yield ", "
        yield _piece(item)
    yield "]"


def _map_pieces(entries: dict[Any, Any]) -> Iterator[Piece]:
    """Sorted by the keys as they are written."""
    shown = sorted(((_scalar(key_value(key)), item) for key, item in entries.items()), key=itemgetter(0))
    yield "{"
    for index, (key, item) in enumerate(shown):
        yield f", {key}: " if index else f"{key}: "
        yield _piece(item)
    yield "}"


def _scalar(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int():
            return _whole(value, "d")
        case float():
            return _double(value)
        case bytes():
            return NO_UTF8.sub("\ufffd", value.decode("utf-8", "surrogateescape"))
        case Timestamp():
            return format_timestamp(value)
        case Duration():
            return f"{_double(_seconds(value))}s"
        case CelType():
            return value.name
    raise _refused("s", value)


def _seconds(value: Duration) -> float:
    """CEL writes a duration as the double nearest to its seconds and its nanoseconds."""
    total = value.seconds * NANOS + value.nanos
    seconds, nanos = divmod(abs(total), NANOS)
    length = seconds + nanos / NANOS
    return -length if total < 0 else length


# Numbers -------------------------------------------------------------------------------------


def _whole(value: int, base: str) -> str:
    if is_bad_number(value):
        raise OutOfRange("an integer beyond 64 bits")
    return format(int(value), base)


def _double(value: float) -> str:
    """The fewest digits that read back as the same double, never an exponent."""
    if not isfinite(value):
        return _special(value)
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _special(value: float) -> str:
    return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _decimal(value: Any, _precision: int) -> str:
    if not is_number(value):
        raise _refused("d", value)
    return _double(value) if isinstance(value, float) else _whole(value, "d")


def _rounded(letter: str) -> Clause:
    """%f and %e: rounded from the double's exact value, halves to even."""

    def write(value: Any, precision: int) -> str:
        if not is_number(value):
            raise _refused(letter, value)
        number = float(value)
        return format(number, f".{precision}{letter}") if isfinite(number) else _special(number)

    return write


def _based(letter: str) -> Clause:
    """%b and %o."""

    def write(value: Any, _precision: int) -> str:
        if isinstance(value, bool) and letter == "b":
            return "1" if value else "0"
        if not isinstance(value, int) or isinstance(value, bool):
            raise _refused(letter, value)
        return _whole(value, letter)

    return write


def _hexadecimal(letter: str) -> Clause:
    """%x and %X."""

    def write(value: Any, _precision: int) -> str:
        if isinstance(value, str | bytes):
            data = value.encode("utf-8") if isinstance(value, str) else value
            within(2 * len(data))
            return data.hex() if letter == "x" else data.hex().upper()
        if not isinstance(value, int) or isinstance(value, bool):
            raise _refused(letter, value)
        return _whole(value, letter)

    return write


Clause = Callable[[Any, int], str]

CLAUSES: dict[str, Clause] = {
    "s": _any,
    "d": _decimal,
    "f": _rounded("f"),
    "e": _rounded("e"),
    "b": _based("b"),
    "o": _based("o"),
    "x": _hexadecimal("x"),
    "X": _hexadecimal("X"),
}
