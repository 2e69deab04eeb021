"""A pact in plain language, for who reviews it or buys by it.

In: a `Program`.  Out: a `Document` of headings, paragraphs, tables and lists, which `cli` writes as HTML or
Markdown.

`conditions` says an expression in words, `clauses` what a clause promises, when it can be decided and what
a breach brings, `contract` puts the whole together.  What has no words of its own is shown as it is
written: a sentence never says less than the pact does.
"""

from __future__ import annotations

from pactlang.prose.contract import contract
from pactlang.prose.document import Block, Code, Document, Heading, Items, Paragraph, Source, Table, Words

__all__ = [
    "Block",
    "Code",
    "Document",
    "Heading",
    "Items",
    "Paragraph",
    "Source",
    "Table",
    "Words",
    "contract",
]
