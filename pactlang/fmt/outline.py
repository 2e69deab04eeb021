"""The lines and blocks of a pact: what may stand on a line of its own, and what belongs below what.

In: the tree and the words.  Out: the `Item`s of the file.  The tree only says where things begin; what
is written comes from the words, without the separators that say nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from pactlang import syntax as s
from pactlang.fmt.words import SPACED, Word, discard
from pactlang.source import Span

# Kinds of items that stand below each other in columns.
NAMES, FACTS, HEADERS, PARTS, FIELDS, REACTIONS = "names", "facts", "headers", "parts", "fields", "reactions"
# A part of a clause may go on with one of these, so an event spelt like it needs a separator before it.
CONTINUES = frozenset("and by in limit min one or same until within".split())
HEADS = frozenset("DIMENSION SEVERITY WHEN REQUIRE NEVER".split())
OPEN = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


@dataclass(eq=False)
class Block:
    """`{ items }`.  `joint` separates items on one line; `comma`: they have commas on many lines too;
    `continues`: names that would continue the item before them if nothing stood between."""

    open: Word
    items: list[Item]
    close: Word
    joint: str
    comma: bool = False
    was_one_line: bool = False
    continues: frozenset[str] = frozenset()

    def parted(self, at: int) -> bool:
        """Must a separator stand before this item, on a line of its own too?"""
        if at >= len(self.items):
            return False
        word = self.items[at].words[0]
        return word.kind == "IDENT" and word.text in self.continues


@dataclass(eq=False)
class Item:
    """One line: cells that stand in columns, the rest, and perhaps a block at its end."""

    words: list[Word]
    cells: list[list[Word]]
    rest: list[Word]
    block: Block | None = None
    group: str = ""
    pads: list[int] = field(default_factory=list)
    node: object = None

    @property
    def blank(self) -> bool:
        """Was there an empty line before it?"""
        return self.words[0].blank


def types(tree: s.Pact) -> list[Span]:
    """Where types are written."""
    records = (item for item in tree.items if isinstance(item, s.RecordDecl))
    return [field.type.span for record in records for field in record.fields]


def outline(tree: s.Pact, words: list[Word]) -> tuple[list[Item], Word]:
    """The header and the declarations as items, and END with the comments before it."""
    _drop_separators(words)
    starts = [item.span.start for item in tree.items]
    header, *parts = _cut(words[:-1], [words[0].span.start, *starts])
    declarations = [_declaration(node, part) for node, part in zip(tree.items, parts, strict=True)]
    return [Item(header, [], header, node=tree), *declarations], words[-1]


def _drop_separators(words: list[Word]) -> None:
    """No semicolons, and no commas before a closing bracket."""
    kept: list[Word] = []
    words.reverse()  # END first, so that a long file takes linear time
    while words:
        kept.append(words.pop())
        if kept[-1].text == "," and len(kept) > 1:
            _let_pass(kept[-2], kept[-1])
        if not words or len(kept) < 2:
            continue
        if kept[-1].text == ";" or (kept[-1].text == "," and words[-1].text in ("]", "}", ")")):
            kept.append(words[-1])
            discard(kept, len(kept) - 2)
            kept.pop()
    words[:] = kept


def _let_pass(word: Word, comma: Word) -> None:
    """A comment between a word and its comma goes behind the comma."""
    if not comma.before and comma.after is None:
        comma.after, word.after = word.after, None


def _cut(words: list[Word], starts: Iterable[int]) -> list[list[Word]]:
    """The words from each start to the next."""
    begins = set(starts)
    parts: list[list[Word]] = []
    for word in words:
        if word.span.start in begins:
            parts.append([])
        parts[-1].append(word)
    return parts


# Declarations --------------------------------------------------------------------------------


def _declaration(node: s.Declaration, words: list[Word]) -> Item:
    match node:
        case s.Let() | s.PatternDecl() | s.PhrasesDecl() | s.Event():
            return _line(words, [1, 1, 1], NAMES, node)
        case s.Applies():
            return _line(words, [2], "", node)
        case s.Owner() | s.Renews():
            return _line(words, [1], FACTS, node)
        case s.Override(_, s.Clause() as clause):
            return _clause(clause, words)
        case s.Clause():
            return _clause(node, words)
        case s.RecordDecl():
            item = _with_block(words, [f.span.start for f in node.fields], _field, ", ", node)
            item.cells, item.rest, item.group = [item.rest], [], HEADERS
            assert item.block is not None
            item.block.continues = frozenset({"as"})
            return item
        case s.Budget() | s.Store():
            return _with_block(words, [i.span.start for i in node.items], _headed, "; ", node)
        case s.Judge():
            return _judge(node, words)
        case s.Score():
            return _with_block(words, list(_score_starts(words)), _score_item, "; ", node)
        case s.Test():
            steps = {step.span.start: step for step in node.steps}
            return _with_block(words, list(steps), lambda w: _step(w, steps[w[0].span.start]), "; ", node)
    return _line(words, [], "", node)


def _line(words: list[Word], cells: list[int], group: str, node: object = None) -> Item:
    cut, at = [], 0
    for size in cells:
        cut.append(words[at : at + size])
        at += size
    return Item(words, cut, words[at:], group=group, node=node)


def _with_block(words: list[Word], starts: list[int], make: object, joint: str, node: object = None) -> Item:
    """An item that ends with a block; `make` makes an item of the words of each of the block's."""
    opened = next(i for i, word in enumerate(words) if word.text == "{")
    inside, close = words[opened + 1 : -1], words[-1]
    was_one_line = not any(word.breaks or word.before for word in words[opened + 1 :])
    if not inside:
        was_one_line = words[opened].after is None and not close.before
    parts = _cut(inside, starts)
    if joint == ", ":
        parts = _without_commas(parts, close)
    assert callable(make)
    words[opened].role = SPACED
    block = Block(words[opened], [make(part) for part in parts], close, joint, was_one_line=was_one_line)
    return Item(words, [], words[:opened], block, node=node)


def _without_commas(parts: list[list[Word]], close: Word) -> list[list[Word]]:
    for i, part in enumerate(parts):
        if part[-1].text == ",":
            following = parts[i + 1][0] if i + 1 < len(parts) else close
            part.append(following)
            discard(part, len(part) - 2)
            part.pop()
    return parts


def _clause(node: s.Clause, words: list[Word]) -> Item:
    parts = {part.span.start: part for part in node.items}
    item = _with_block(words, list(parts), lambda w: _part(w, parts[w[0].span.start]), "  ", node)
    assert item.block is not None
    item.block.continues = CONTINUES
    if not node.description and words[0].kind == "CLAUSE" and len(item.rest) == 2:
        item.cells, item.rest, item.group = [item.rest], [], HEADERS
    return item


def _part(words: list[Word], node: s.ClauseItem) -> Item:
    if isinstance(node, s.Consequence):
        item = _with_block(words, [a.span.start for a in node.actions], _plain, "; ", node)
        if node.on != "repeated":
            item.cells, item.rest, item.group = [item.rest], [], REACTIONS
        return item
    return _line(words, [1], PARTS, node) if words[0].kind in HEADS else _line(words, [], "", node)


def _plain(words: list[Word]) -> Item:
    return _line(words, [], "")


def _headed(words: list[Word]) -> Item:
    return _line(words, [1], FIELDS)


def _field(words: list[Word]) -> Item:
    """`name:` is a cell, and the type with its default where `as` follows."""
    depth, at = 0, len(words)
    for i, word in enumerate(words):
        depth += OPEN.get(word.text, 0)
        if word.kind == "AS" and not depth:
            at = i
    cells = [words[:2], words[2:at]] if at < len(words) else [words[:2]]
    return Item(words, cells, words[at:] if at < len(words) else words[2:], group=FIELDS)


def _judge(node: s.Judge, words: list[Word]) -> Item:
    opened = next(i for i, word in enumerate(words) if word.text == "{")
    starts = [word.span.start for word in words[opened + 1 : -1 : 2]]
    return _with_block(words, starts, _headed, "; ", node)


def _score_starts(words: list[Word]) -> Iterator[int]:
    """Where the parts of a score begin: at its words that follow no amount's number or brace."""
    depth = 0
    for word in words:
        if depth == 1 and word.kind in ("SCALE", "HALF_LIFE", "CONFIDENCE", "WEIGHTS", "BANDS"):
            yield word.span.start
        depth += OPEN.get(word.text, 0)


def _score_item(words: list[Word]) -> Item:
    """`weights { a 1, b 2 }` is filled like a list, with a comma after each amount but the last."""
    if words[0].kind not in ("WEIGHTS", "BANDS"):
        return _headed(words)
    if len(words) > 3:
        words[1].role = words[-1].role = SPACED
    rest = words[:2]
    for word, following in pairwise(words[2:]):
        if word.text == ",":
            continue
        rest.append(word)
        if word.kind in ("INT", "FLOAT") and following.text != "}":
            rest.append(following if following.text == "," else _comma(word))
    rest.append(words[-1])
    return Item(words, [rest[:1]], rest[1:], group=FIELDS)


def _comma(word: Word) -> Word:
    """A comma that was not written; the comment behind `word` is now behind it."""
    made = Word("COMMA", ",", word.span, after=word.after)
    word.after = None
    return made


def _step(words: list[Word], node: object) -> Item:
    if not isinstance(node, s.TestCall):
        return _line(words, [], "", node)
    item = _with_block(words, [name.span.start for name, _ in node.fields], _plain, ", ", node)
    assert item.block is not None
    item.block.comma = True
    for one in item.block.items[:-1]:
        one.rest.append(_comma(one.rest[-1]))
    return item
