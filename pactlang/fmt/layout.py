"""The lines of a pact, from its items.

In: the items of a file.  Out: its text.  A block stays on one line if it was written so and fits;
otherwise every item has a line of its own.
"""

from __future__ import annotations

from itertools import pairwise

from pactlang import syntax as s
from pactlang.fmt.columns import align
from pactlang.fmt.flow import WIDTH, Flow, Writer, flat
from pactlang.fmt.outline import Block, Item
from pactlang.fmt.words import Word

INDENT = 2
# Blanks before a comment on a line with words.
BEFORE_COMMENT = "  "


def lay_out(outlined: tuple[list[Item], Word]) -> str:
    """The text of a file."""
    items, end = outlined
    out = Writer()
    align(items, stays_on_one_line)
    for before, item in pairwise([None, *items]):
        assert item is not None
        if before is not None and (item.blank or _apart(before, item)):
            out.blank()
        _item(out, item, 0)
    _comments(out, end, 0, first=False)
    return "".join(f"{line}\n" for line in _with_comments(out.lines))


def _apart(before: Item, item: Item) -> bool:
    """Must there be an empty line between them?  Yes after the header and around what takes many lines."""
    return isinstance(before.node, s.Pact) or any(
        one.block is not None and not stays_on_one_line(one) for one in (before, item)
    )


# One line ------------------------------------------------------------------------------------


def stays_on_one_line(item: Item, width: int = 0) -> bool:
    """Does an item with a block fit on a line, and was the block on one?  `width`: of its first cell."""
    line = one_line(item)
    if line is None:
        return False
    missing = max(0, width - len(flat(item.cells[0]))) if item.cells else 0
    return len(line) + missing <= WIDTH


def one_line(item: Item) -> str | None:
    """The item on one line, None if it was not written on one or has comments inside."""
    words = item.words
    if any(word.after for word in words[:-1]) or any(word.before for word in words[1:]):
        return None
    if any("\n" in word.text or "\r" in word.text for word in words):
        return None
    if item.block is None:
        return flat([word for cell in item.cells for word in cell] + item.rest)
    inside = _inside(item.block)
    head = flat([word for cell in item.cells for word in cell] + item.rest)
    return None if inside is None else f"{head} {inside}"


def _inside(block: Block) -> str | None:
    if not block.was_one_line:
        return None
    if not block.items:
        return "{}"
    parts = [one_line(item) for item in block.items]
    text = parts[0] or ""
    for at, part in enumerate(parts[1:], 1):
        joint = " " if block.comma else "; " if block.parted(at) and block.joint == "  " else block.joint
        text += f"{joint}{part or ''}"
    return None if None in parts else f"{{ {text} }}"


# Many lines ----------------------------------------------------------------------------------


def _item(out: Writer, item: Item, indent: int, tail: str = "") -> None:
    """A line, or several.  `tail`: the separator behind it."""
    out.newline(indent)
    before: Word | None = None
    for cell, pad in zip(item.cells, item.pads, strict=True):
        start = out.column
        flow = Flow(out, indent, before)
        flow.write(cell, 0)
        before = flow.before
        if not out.ended and (item.rest or item.block):
            out.text(" " * (pad - (out.column - start - (start > indent))))
    flow = Flow(out, indent, before)
    if item.rest:
        if isinstance(item.node, s.Pact):
            _header(flow, item, out)
        else:
            flow.write(item.rest, 2 if item.block else len(tail))
    if item.block is not None:
        _block(out, item, flow, indent)
    if tail:
        out.text(tail)


def _header(flow: Flow, item: Item, out: Writer) -> None:
    """The description of a pact stays on a line of its own if it was on one."""
    *head, last = item.rest
    below = last.breaks or last.before or len(flat(item.rest)) > WIDTH
    if last.kind == "STRING" and len(head) > 2 and below:
        flow.write(head, 0)
        if not last.before:
            out.newline(INDENT)
            flow.before = None
        flow.put([last], INDENT)
    else:
        flow.write(item.rest, 0)


def _block(out: Writer, item: Item, flow: Flow, indent: int) -> None:
    block = item.block
    assert block is not None
    inside = _inside(block) if one_line(item) is not None else None
    if inside is not None and out.column + 1 + len(inside) <= WIDTH and not out.ended:
        out.text(" " + inside)
        _end(out, block.close)
        return
    flow.put([block.open], indent)
    align(block.items, stays_on_one_line)
    for at, part in enumerate(block.items):
        if at and part.blank:
            out.blank()
        _item(out, part, indent + INDENT, (block.joint.strip() or ";") if block.parted(at + 1) else "")
    _comments(out, block.close, indent + INDENT, first=not block.items)
    out.newline(indent)
    out.text("}")
    _end(out, block.close)


def _end(out: Writer, close: Word) -> None:
    if close.after is not None:
        out.lines[-1][1] = close.after
        out.ended = True


def _comments(out: Writer, word: Word, indent: int, first: bool) -> None:
    """The comments before a closing brace or the end."""
    for comment in word.before:
        if comment.blank and not first:
            out.blank()
        out.comment_line(comment, indent)
        first = False


def _with_comments(lines: list[list[str]]) -> list[str]:
    """Text and comment of each line together; comments of neighbouring lines stand below each other."""
    texts: list[str] = []
    run: list[list[str]] = []
    for line in [*lines, ["", ""]]:
        if line[1] and line[0].strip() and (not run or _indent(run[0]) == _indent(line)):
            run.append(line)
            continue
        texts += _run(run)
        run = [line] if line[1] and line[0].strip() else []
        if not run:
            texts.append((line[0] + line[1]).rstrip(" "))
    return texts[:-1]


def _indent(line: list[str]) -> int:
    return len(line[0]) - len(line[0].lstrip())


def _run(lines: list[list[str]]) -> list[str]:
    widths = [len(text.rsplit("\n", 1)[-1]) for text, _ in lines]
    pads = [" " * (max(widths) - width) + BEFORE_COMMENT for width in widths]
    return [text + pad + comment for (text, comment), pad in zip(lines, pads, strict=True)]
