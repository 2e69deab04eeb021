"""Words on a line, and a line that is too long on several.

A line over `WIDTH` columns is broken after the signs that bind least: commas, then `?` and `:`, then
`||`, then `&&`; else inside its brackets.  What goes on hangs below what it belongs to.
"""

from __future__ import annotations

from collections.abc import Sequence

from pactlang.fmt.words import PREFIX, SPACED, SUFFIX, Comment, Word

WIDTH = 100
# Further right than this nothing hangs; it goes back to four columns from the line's beginning.
FURTHEST = 60
# Brackets in brackets deeper than this are not broken any more.
DEEPEST = 25
CALLED = frozenset({"IDENT", "ENUM"})
OPENING, CLOSING = frozenset("([{"), frozenset(")]}")
BREAKS = (frozenset({","}), frozenset("?:"), frozenset({"||"}), frozenset({"&&"}))
RELATIONS = frozenset("== != < <= > >=".split())


def gap(before: Word | None, word: Word) -> str:
    """What stands between two words of a line."""
    if before is None:
        return ""
    if SPACED in (before.role, word.role):
        return " "
    text = word.text
    if before.role == PREFIX or before.text in ("(", "[", "{", ".") or word.role == SUFFIX:
        return ""
    if text in (",", ")", "]", "}"):
        return ""
    if text == "(":
        return "" if before.kind in CALLED else " "
    if text in (".", "["):
        return "" if before.ends_operand else " "
    if text == "{":
        return "" if before.kind == "IDENT" else " "
    return " "


def flat(words: Sequence[Word]) -> str:
    """The words on one line, without their comments."""
    return "".join(gap(before, word) + word.text for before, word in zip((None, *words), words, strict=False))


class Writer:
    """Lines as they come.  A word after a comment always begins a new one, at `hang`."""

    def __init__(self) -> None:
        self.lines: list[list[str]] = []  # text, comment or ""
        self.column = 0
        self.ended = False  # nothing may follow on this line
        self.begun: Word | None = None  # its comments are written already

    def newline(self, indent: int) -> None:
        """Begin a line."""
        self.lines.append([" " * indent, ""])
        self.column, self.ended = indent, False

    def blank(self) -> None:
        """An empty line."""
        self.lines.append(["", ""])

    def comment_line(self, comment: Comment, indent: int) -> None:
        """A comment on a line of its own."""
        self.lines.append([" " * indent, comment])

    def text(self, text: str) -> None:
        """More text on the line."""
        self.lines[-1][0] += text
        at = text.rfind("\n")
        self.column = len(text) - at - 1 if at >= 0 else self.column + len(text)

    def begin(self, word: Word, hang: int) -> None:
        """A new line for a word, below the comments that belong to it."""
        for comment in word.before:
            self.comment_line(comment, hang)
        self.newline(hang)
        self.begun = word

    def _lead(self, word: Word) -> None:
        """The comments above an item, with the empty lines between them."""
        indent = self.column
        self.lines.pop()
        for comment in word.before:
            if comment.blank and comment is not word.before[0]:
                self.blank()
            self.comment_line(comment, indent)
        if word.breaks > 1:
            self.blank()
        self.newline(indent)

    def put(self, before: Word | None, word: Word, hang: int) -> None:
        """A word with its comments; `before` is what stands before it on the line."""
        if word.before and word is not self.begun:
            if before is None and not self.ended:
                self._lead(word)
            else:
                self.begin(word, hang)
        elif self.ended:
            self.newline(hang)
        else:
            self.text(gap(before, word))
        self.text(word.text)
        if word.after is not None:
            self.lines[-1][1] = word.after
            self.ended = True


class Flow:
    """Writes the words of one item after what the writer has of it already."""

    def __init__(self, out: Writer, indent: int, before: Word | None) -> None:
        self.out = out
        self.indent = indent
        self.before = before

    def write(self, words: Sequence[Word], tail: int) -> None:
        """All the words; `tail` columns follow them."""
        start = self.out.column + (self.before is not None)
        self._flow(words, self._hang(start), tail, 0)

    def _hang(self, column: int) -> int:
        return column if column <= FURTHEST and not self.out.ended else self.indent + 4

    def _flow(self, words: Sequence[Word], hang: int, tail: int, depth: int) -> None:
        first = words[0]
        if self.out.ended or (first.before and self.before is not None and first is not self.out.begun):
            self._newline(words, hang)
        if depth > DEEPEST or self._fits(words, tail):
            self.put(words, hang)
            return
        signs = _weakest(words)
        if signs is None:
            self._last_resort(words, hang, tail, depth)
        elif signs is BREAKS[0]:
            self._fill(_split(words, signs), hang, tail, depth)
        else:
            self._stack(_split(words, signs), hang, tail, depth)

    def put(self, words: Sequence[Word], hang: int) -> None:
        """Words without any break but after comments."""
        for word in words:
            self.out.put(self.before, word, hang)
            self.before = word

    def _fits(self, words: Sequence[Word], tail: int) -> bool:
        """On this line, as it stands?  No if a comment breaks it."""
        begun = self.out.begun
        if (
            self.out.ended
            or any(w.before and w is not begun for w in words)
            or any(w.after for w in words[:-1])
        ):
            return False
        text = gap(self.before, words[0]) + flat(words)
        first, *more = text.split("\n")
        rest = max(map(len, more), default=0)
        return max(self.out.column + len(first) + (0 if more else tail), rest) <= WIDTH

    def _stack(self, parts: list[Sequence[Word]], hang: int, tail: int, depth: int) -> None:
        """One below the other."""
        for part in parts:
            if part is not parts[0]:
                self._newline(part, hang)
            self._flow(part, hang + 2, tail if part is parts[-1] else 0, depth + 1)

    def _fill(self, parts: list[Sequence[Word]], hang: int, tail: int, depth: int) -> None:
        """As many on a line as it takes."""
        for part in parts:
            after = tail if part is parts[-1] else 0
            if part is not parts[0] and (self.out.ended or part[0].before):
                self._newline(part, hang)
                self._flow(part, hang + 2, after, depth + 1)
            elif part is not parts[0] and not self._fits(part, after):
                if self._column(part) > FURTHEST or self._would_fit(part, hang, after):
                    self._newline(part, hang)
                self._flow(part, max(hang, self._column(part)), after, depth + 1)
            else:
                self._flow(part, hang + 2, after, depth + 1)

    def _column(self, part: Sequence[Word]) -> int:
        return self.out.column + len(gap(self.before, part[0]))

    def _would_fit(self, part: Sequence[Word], hang: int, tail: int) -> bool:
        return hang + len(flat(part)) + tail <= WIDTH

    def _newline(self, part: Sequence[Word], hang: int) -> None:
        self.out.begin(part[0], hang)
        self.before = None

    def _last_resort(self, words: Sequence[Word], hang: int, tail: int, depth: int) -> None:
        """After a comparison if that is enough, else inside brackets."""
        parts = _split(words, RELATIONS)
        if len(parts) == 2 and self._fits(parts[0], 0) and self._would_fit(parts[1], hang + 2, tail):
            self._stack(parts, hang, tail, depth)
        else:
            self._brackets(words, hang, tail, depth)

    def _brackets(self, words: Sequence[Word], hang: int, tail: int, depth: int) -> None:
        """Break inside the brackets that need it."""
        at = 0
        while at < len(words):
            if words[at].text not in OPENING:
                self.put(words[at : at + 1], hang)
                at += 1
                continue
            close = _closing(words, at)
            behind = len(flat(words[close:])) if close < len(words) else 0
            self.put(words[at : at + 1], hang)
            inside = words[at + 1 : close]
            if inside:
                spaced = int(words[at].role == SPACED)
                self._flow(inside, self._hang(self.out.column + spaced), behind + spaced + tail, depth + 1)
            self.put(words[close : close + 1], hang)
            at = close + 1


def _weakest(words: Sequence[Word]) -> frozenset[str] | None:
    """The signs that bind least, of those outside all brackets; the last word counts for nothing."""
    depth = 0
    found: set[str] = set()
    for word in words[:-1]:
        depth += (word.text in OPENING) - (word.text in CLOSING)
        if not depth and not word.role:
            found.add(word.text)
    return next((signs for signs in BREAKS if signs & found), None)


def _split(words: Sequence[Word], signs: frozenset[str]) -> list[Sequence[Word]]:
    """Parts that end with one of the signs, outside all brackets."""
    parts: list[Sequence[Word]] = []
    depth = start = 0
    for at, word in enumerate(words):
        depth += (word.text in OPENING) - (word.text in CLOSING)
        if not depth and word.text in signs and not word.role:
            parts.append(words[start : at + 1])
            start = at + 1
    if start < len(words):
        parts.append(words[start:])
    return parts


def _closing(words: Sequence[Word], at: int) -> int:
    depth = 0
    for i in range(at, len(words)):
        depth += (words[i].text in OPENING) - (words[i].text in CLOSING)
        if not depth:
            return i
    raise AssertionError("brackets are matched in what was parsed")
