"""Read a pact's text into its syntax tree.

In: the bytes or text of one file.  Out: `syntax.Pact`, or one expression, and diagnostics in source
order; nothing is raised for a mistake in a text.  A tree comes back only if no diagnostic is an error.

Lark computes the tables from `grammar/pact.lark` when the package is built (`tabulate`).
"""

from __future__ import annotations

from typing import Any

from pactlang import syntax
from pactlang.diagnostic import Diagnostic, Label, has_errors, in_order
from pactlang.source import Source, Span

__all__ = [
    "MAX_SOURCE", "parse", "parse_expression", "parse_in_part", "parse_with_holes", "parse_with_words",
    "read_source",
]  # fmt: skip

# Characters of one file.  Past that it is no pact, whatever it is.
MAX_SOURCE = 16 * 1024 * 1024
BOM = "\ufeff"


def read_source(data: bytes, name: str) -> tuple[Source, tuple[Diagnostic, ...]]:
    """Decode a file.  What is wrong with its encoding is reported here, and again by `parse`.

    There is a Source in any case, so that the place can be shown: a byte that is not UTF-8 stands in it
    as one lone surrogate.
    """
    source = Source(name, data.decode("utf-8", "surrogateescape"))
    return source, _unreadable(source, 0)


def parse(source: Source) -> tuple[syntax.Pact | None, tuple[Diagnostic, ...]]:
    """The tree of a whole file, None if a diagnostic is an error."""
    return _whole(*_run(source, "pact"))


def parse_with_holes(source: Source, begin: int = 0) -> tuple[syntax.Pact | None, tuple[Diagnostic, ...]]:
    """Like `parse`, but what could be read comes back also where something could not: what holds a
    mistake is damaged or missing in the tree.  None if the end of the file was not reached.

    begin: where the text to read begins, for the last file of several (`Source.parts`)."""
    return _run(source, "pact", begin=begin)


def parse_expression(source: Source) -> tuple[syntax.Expr | None, tuple[Diagnostic, ...]]:
    """The tree of one expression alone, None if a diagnostic is an error."""
    return _whole(*_run(source, "expression"))


def parse_with_words(
    source: Source,
) -> tuple[syntax.Pact | None, tuple[tuple[str, Span], ...], tuple[Diagnostic, ...]]:
    """Like `parse`, and all words in their order: what each is where it stands (`IDENT`, or `WHEN` where
    it is that keyword), and its span.  Comments and blanks are what lies between."""
    words: list[tuple[str, Span]] = []
    tree, diagnostics = _whole(*_run(source, "pact", words))
    return tree, tuple(words), diagnostics


def parse_in_part(
    source: Source,
) -> tuple[syntax.Pact | None, tuple[tuple[str, Span], ...], tuple[Diagnostic, ...]]:
    """Like `parse_with_words`, but with the tree of `parse_with_holes`.  After a mistake a word may come
    twice: read as one thing and then as another, which counts."""
    words: list[tuple[str, Span]] = []
    tree, diagnostics = _run(source, "pact", words)
    return tree, tuple(words), diagnostics


def _whole(tree: Any, diagnostics: tuple[Diagnostic, ...]) -> tuple[Any, tuple[Diagnostic, ...]]:
    return None if has_errors(diagnostics) else tree, diagnostics


def _run(
    source: Source, start: str, words: list[tuple[str, Span]] | None = None, begin: int = 0
) -> tuple[Any, tuple[Diagnostic, ...]]:
    unreadable = _unreadable(source, begin)
    if any(d.code != "byte-order-mark" for d in unreadable):
        return None, unreadable
    from pactlang.parse.machine import Machine, Recorder
    from pactlang.parse.table import table

    at = begin + len(unreadable)
    if words is None:
        machine = Machine(table(), source, start, at)
    else:
        machine = Recorder(table(), source, start, at, words)
    node = machine.run()
    return node, in_order((*unreadable, *machine.diagnostics))


def _unreadable(source: Source, begin: int) -> tuple[Diagnostic, ...]:
    """What keeps a text from being read as characters: its size, its encoding, a byte-order mark."""
    text = source.text[begin:]
    if len(text) > MAX_SOURCE:
        message = f"a pact is at most {MAX_SOURCE // 2**20} Mi characters long, this one is {len(text):,}"
        return (Diagnostic("source-too-large", message, Label(Span(begin, begin))),)
    bad = _first_surrogate(text)
    if bad is not None:
        return (_not_utf8(text, bad, begin),)
    if text.startswith(BOM):
        message = "the file begins with a byte-order mark"
        help = "save it as UTF-8 without a byte-order mark"
        return (Diagnostic("byte-order-mark", message, Label(Span(begin, begin + 1)), help=(help,)),)
    return ()


def _first_surrogate(text: str) -> int | None:
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return error.start
    return None


def _not_utf8(text: str, at: int, begin: int) -> Diagnostic:
    code = ord(text[at])
    escaped = 0xDC80 <= code <= 0xDCFF
    what = f"the byte 0x{code - 0xDC00:02X}" if escaped else f"the lone surrogate U+{code:04X}"
    utf16 = text[:2] in ("\udcff\udcfe", "\udcfe\udcff")
    help = "the file looks like UTF-16: save it as UTF-8" if utf16 else "save the file as UTF-8"
    place = Label(Span(at, at + 1).moved(begin))
    return Diagnostic("not-utf-8", f"the text is not UTF-8: {what}", place, help=(help,))
