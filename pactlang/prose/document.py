"""What a text is made of, whatever it is written in.

In: nothing.  Out: blocks, and `Words`: strings, and `Code` for what stands in the pact or the data.
"""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """A name or a value as it is written."""

    text: str


Words = tuple[str | Code, ...]


class Heading(NamedTuple):
    """A heading; the document's own has level 1."""

    level: int
    words: Words
    mark: str = ""  # a word beside it: a clause's severity


class Paragraph(NamedTuple):
    """One paragraph."""

    words: Words


class Items(NamedTuple):
    """A list."""

    items: tuple[Words, ...]


class Table(NamedTuple):
    """Rows under a head."""

    head: tuple[str, ...]
    rows: tuple[tuple[Words, ...], ...]


class Source(NamedTuple):
    """Text of the pact, as it stands there."""

    text: str


Block = Heading | Paragraph | Items | Table | Source


class Document(NamedTuple):
    """A title and what stands below it."""

    title: str
    blocks: tuple[Block, ...]


def words(*parts: str | Code | Words) -> Words:
    """Parts in a row; neighbouring strings are joined."""
    flat: list[str | Code] = []
    for part in parts:
        for each in part if type(part) is tuple else (part,):
            if isinstance(each, str) and flat and isinstance(flat[-1], str):
                flat[-1] += each
            elif each != "":
                flat.append(each)  # type: ignore[arg-type]  # a tuple was taken apart above
    return tuple(flat)


def in_a_row(parts: list[Words], last: str = "and") -> Words:
    """`a`, `a and b`, `a, b and c`."""
    if len(parts) <= 1:
        return parts[0] if parts else ()
    said = parts[0]
    for part in parts[1:-1]:
        said = words(said, ", ", part)
    return words(said, f" {last} ", parts[-1])


def sentence(said: Words) -> Words:
    """The words with a capital at the beginning and a full stop at the end."""
    first = said[0] if said else ""
    if isinstance(first, str):
        said = words(first[:1].upper() + first[1:], said[1:])
    last = said[-1] if said else ""
    return said if isinstance(last, str) and last.endswith((".", "!", "?")) else words(said, ".")
