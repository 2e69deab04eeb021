"""One JSON document in the place of lines: an array of records, or records written over several lines.

In: the bytes of a file and what its first line looks like.  Out: the records, a line each, with the
number of the line on which each begins; None where the file is no such document after all.

A record is an object, so a file that begins with `[` is no file of lines, nor one whose first line is `{`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec

LARGEST = 64 << 20  # bytes of a document, which is held whole

Numbered = tuple[int, bytes]  # the line on which a record begins, from 1, and the record in one line


def is_document(head: bytes) -> bool:
    """Whether a file that begins so holds a document instead of lines."""
    head = head.lstrip(b" \t\r\n")
    return head.startswith(b"[") or head.partition(b"\n")[0].rstrip() == b"{"


def records(data: bytes) -> list[Numbered] | None:
    """The records of a document; None if it is none."""
    try:
        if data.lstrip(b" \t\r\n").startswith(b"["):
            return list(_elements(data))
        return list(_values(data))
    except (msgspec.MsgspecError, UnicodeError, ValueError, RecursionError):
        return None


def _elements(data: bytes) -> Iterator[Numbered]:
    """The elements of one array, found again in the bytes that they stand in."""
    at, line = 0, 1
    for raw in msgspec.json.decode(data, type=list[msgspec.Raw]):
        element = bytes(raw)
        begin = data.index(element, at)
        line += data.count(b"\n", at, begin)
        yield line, _in_one_line(element)
        at = begin + len(element)
        line += element.count(b"\n")


def _values(data: bytes) -> Iterator[Numbered]:
    """Objects one after the other."""
    text, decoder = data.decode("utf-8"), json.JSONDecoder()
    at, line = _next(text, 0), 1
    line += text.count("\n", 0, at)
    while at < len(text):
        value, end = decoder.raw_decode(text, at)
        if type(value) is not dict:
            raise ValueError("an object was expected")
        yield line, _in_one_line(text[at:end].encode())
        begin = _next(text, end)
        line += text.count("\n", at, begin)
        at = begin


def _next(text: str, at: int) -> int:
    """Where the next value begins: behind white space, and a comma as some tools write it."""
    while at < len(text) and text[at] in " \t\r\n,":
        at += 1
    return at


def _in_one_line(value: bytes) -> bytes:
    """JSON text has line breaks only between its parts."""
    return value.replace(b"\r", b" ").replace(b"\n", b" ")
