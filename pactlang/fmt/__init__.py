"""Write a pact in the one style.

In: a `Source`.  Out: its text as it should look, or None and diagnostics where it cannot be parsed.

Words stay as they are written; only what is between them changes, and separators that say nothing.
`words` ties comments to words, `outline` finds the lines and blocks, `columns` says what stands below
what, `layout` writes the lines, `flow` breaks those that are too long.  At the end the new text is
parsed again and compared: a text that would mean something else is never given out.
"""

from __future__ import annotations

from pactlang.diagnostic import Diagnostic
from pactlang.fmt.layout import lay_out
from pactlang.fmt.outline import outline, types
from pactlang.fmt.same import same
from pactlang.fmt.words import comments, read_words
from pactlang.parse import parse_with_words
from pactlang.source import Source

__all__ = ["format_pact", "same"]


def format_pact(source: Source) -> tuple[str | None, tuple[Diagnostic, ...]]:
    """The text in the one style, None if a diagnostic is an error.

    Formatting what is formatted changes nothing; the tree stays the same up to spans, and so do the
    comments.  Raises RuntimeError if that failed, which is a fault of this module.
    """
    tree, found, diagnostics = parse_with_words(source)
    if tree is None:
        return None, diagnostics
    written = lay_out(outline(tree, read_words(source.text, found, types(tree))))
    again, words, _ = parse_with_words(Source(source.name, written))
    if not same(tree, again) or comments(source.text, found) != comments(written, words):
        raise RuntimeError(f"formatting would change what {source.name} says")
    return written, diagnostics
