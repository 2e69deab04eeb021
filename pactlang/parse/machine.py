"""The LALR loop: words in, nodes out, and on with it after a mistake.

In: a `Source` and the `Table`.  Out: the node of the start rule, and diagnostics.

A mistake is reported where the first word stands that cannot follow.  Then words are skipped up to
the next one that plausibly begins something (a keyword, `;`, a closing brace), whatever it cannot
follow is dropped from the stacks, and the loop goes on.  Every recovery shifts a word, so the whole
is linear in the text.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from pactlang.diagnostic import Diagnostic, Label
from pactlang.parse import mistakes
from pactlang.parse.literals import string_end
from pactlang.parse.nodes import Nodes
from pactlang.parse.table import (
    BAD_NUMBER,
    COMMENT,
    CONTEXTUAL,
    END,
    OTHER,
    QUOTE,
    UNTERMINATED,
    Reduction,
    Table,
)
from pactlang.source import Source, Span

# Levels of one expression's tree, and of brackets in brackets.  Later stages recurse over the tree.
MAX_DEPTH = 200
# States on the stack: what MAX_DEPTH levels can need at most, with room to spare.
MAX_STATES = 16 * MAX_DEPTH
# Diagnostics after which the rest of a text is not read.
MAX_MISTAKES = 10_000

# Words passed over after one mistake before the rest of the text is given up.
MAX_SKIPPED = 100_000

OPENING = frozenset({"LBRACE", "LPAR", "LSQB"})
CLOSING = frozenset({"RBRACE", "RPAR", "RSQB"})
# Words that begin a part of a clause even in the middle of a line, when what is before them is broken.
STRONG = frozenset("when require severity dimension".split())

# Of a broken number's possible kinds the first that can stand here takes its place.
BROKEN = {UNTERMINATED: (), BAD_NUMBER: ("DURATION", "INT", "FLOAT"), OTHER: ()}
# Words that continue or make an expression: no place to start again.
WITHIN = frozenset("in true false null where".split())

_BREAK = re.compile(r"[\r\n]")
_COLON = re.compile(r"\s*:")
_OPERAND = re.compile(r"\s*(?:(?!in\b)[\w\"'`!(\[{-]|\.\d)")
_COUNT = re.compile(r"(?<![\w.])count\s*\Z")
_FOLLOWED = re.compile(r"[ \t]+(?!in\b)[\w\"']")
_STRAY = re.compile(r"[“”„][^“”\r\n]*[“”]|[‘’][^‘’\r\n]*[‘’]|[^\x00-\x7f]+|\x00+|[\s\S]")
_span = tuple.__new__


class Stop(Exception):
    """The rest of the text is not worth reading."""


class Word(NamedTuple):
    """A word of the text."""

    kind: str
    span: Span


class Opened(NamedTuple):
    """An open bracket, and how many states there were before it."""

    kind: str
    span: Span
    height: int


class Doubt(NamedTuple):
    """A keyword that was read as a name where it looks like one, and the stacks before it.

    If the text goes wrong right behind it, the keyword was meant, and what is before it does not end.
    """

    word: Word
    last: Word
    before: Word
    stacks: tuple[list[int], list[Any], list[Span], list[int], list[Opened]]


class Machine:
    """One run over one text."""

    def __init__(self, table: Table, source: Source, start: str, at: int = 0) -> None:
        self.table = table
        self.start = start
        self.text = source.text
        self.at = at
        self.diagnostics: list[Diagnostic] = []
        self.nodes = Nodes(source.text, self.report)
        self.states = [table.start[start]]
        self.values: list[Any] = []
        self.spans: list[Span] = []
        self.depths: list[int] = []
        self.opened: list[Opened] = []
        # The word shifted last, the one before it, and how many states there were before the last.
        self.last = self.before = Word("", Span(at, at))
        self.height = 1
        self.doubt: Doubt | None = None
        self.expectations: dict[tuple[int, ...], set[str]] = {}
        # Mistakes up to here, or right behind this word, follow from one that is already reported.
        self.quiet = -1
        self.muted: Word | None = None

    def report(self, diagnostic: Diagnostic) -> None:
        """Take a diagnostic; too many of them end the run."""
        self.diagnostics.append(diagnostic)
        if len(self.diagnostics) >= MAX_MISTAKES:
            span = Span(diagnostic.primary.span.end, diagnostic.primary.span.end)
            message = f"more than {MAX_MISTAKES} mistakes: the rest of the file was not read"
            self.diagnostics.append(Diagnostic("too-many-mistakes", message, Label(span)))
            raise Stop

    def run(self) -> Any:
        """The start rule's node, or None if the text could not be read to its end."""
        try:
            while True:
                word = self._next()
                if not self._reduce(word.kind):
                    self._recover(word)
                elif word.kind != END:
                    self._shift(word)
                else:
                    self.nodes.finish()
                    return self.values[-1]
        except Stop:
            return None

    # Words

    def _next(self) -> Word:
        """The word at hand, in the context of the state on top."""
        while True:
            word = self._scan(self.at)
            accepted = self.table.actions[self.states[-1]]
            if word.kind == "IDENT":
                keyword = self.table.keywords.get(self.slice(word.span))
                if keyword in accepted and self._means_keyword(keyword, word):
                    return Word(keyword, word.span)
            elif word.kind == "INT" and CONTEXTUAL in accepted:
                found = self.table.contextual.match(self.text, word.span.start)
                return Word(CONTEXTUAL, _span(Span, found.span())) if found else word
            elif word.kind in BROKEN:
                mended = self._mend(word)
                if mended is None:
                    continue
                return mended
            return word

    def _scan(self, at: int) -> Word:
        """The next word from `at` on, whatever the context."""
        while True:
            found = self.table.words.match(self.text, at)
            assert found is not None  # END or OTHER always match
            group = found.lastindex or 0
            kind = self.table.kinds[group]
            if kind == QUOTE:
                return self._string(*found.span(group))
            if kind != COMMENT:
                return Word(kind, _span(Span, found.span(group)))
            at = found.end()

    def _string(self, start: int, body: int) -> Word:
        """A string from its prefix on; without an end it reaches to where it would have to end."""
        opening = self.text[start:body].lower()
        quote = opening.lstrip("br")
        end = string_end(self.text, body, quote, "r" in opening)
        if end is not None:
            return Word("BYTES" if "b" in opening else "STRING", Span(start, end))
        found = _BREAK.search(self.text, body) if len(quote) == 1 else None
        return Word(UNTERMINATED, Span(start, found.start() if found else len(self.text)))

    def slice(self, span: Span) -> str:
        """The text of a span."""
        return self.text[span.start : span.end]

    def _means_keyword(self, keyword: str, word: Word) -> bool:
        """Is a word that is spelt like a keyword one?  Yes if that keyword can follow all that is read.

        The row of a state alone would say so too often: rows of rules that several constructs share
        hold what follows any of them.  And `where` right after `(` is CEL's variable of that name,
        unless it is `count(where e)`.
        """
        if not self.accepts(keyword):
            return False
        if keyword != "WHERE" or self.last.kind != "LPAR":
            return True
        end = self.last.span.start
        counts = _COUNT.search(self.text, max(0, end - 16), end)
        return counts is not None and _OPERAND.match(self.text, word.span.end) is not None

    def _mend(self, word: Word) -> Word | None:
        """Report a broken word.  Back comes a word to read in its place, or None: read on behind it."""
        if word.kind == UNTERMINATED:
            self._recover(word)
            return None
        if word.kind == OTHER:
            found = _STRAY.match(self.text, word.span.start)
            assert found is not None  # it takes any character
            word = Word(OTHER, _span(Span, found.span()))
        if word.span.start >= self.quiet:
            self.report(mistakes.broken(self, word))
        self.quiet = max(self.quiet, self._line_end(word.span.start))
        self.muted = self.last
        self.at = word.span.end
        accepted = self.table.actions[self.states[-1]]
        kinds = ("STRING",) if self.text[word.span.start] in "“”„‘’" else BROKEN[word.kind]
        kind = next((kind for kind in kinds if kind in accepted), None)
        return Word(kind, Span(word.span.end, word.span.end)) if kind else None

    def _line_end(self, at: int) -> int:
        end = self.text.find("\n", at)
        return end if end >= 0 else len(self.text)

    # The stacks

    def _reduce(self, kind: str) -> bool:
        """Do what a word of this kind completes; False if such a word cannot follow."""
        actions, states = self.table.actions, self.states
        while True:
            action = actions[states[-1]].get(kind)
            if not isinstance(action, Reduction):
                return action is not None
            if action.unit:
                states[-1] = self._chain(states[-2], states[-1], kind)
            else:
                self._apply(action)

    def _chain(self, below: int, state: int, kind: str) -> int:
        """The state after all reductions of one value to itself: in an expression, ten at a time."""
        key = (below, state, kind)
        known = self.table.chains.get(key)
        if known is None:
            action = self.table.actions[state].get(kind)
            while isinstance(action, Reduction) and action.unit:
                state = self.table.gotos[below][action.origin]
                action = self.table.actions[state].get(kind)
            known = self.table.chains[key] = state
        return known

    def _apply(self, action: Reduction) -> None:
        size, states, spans = action.size, self.states, self.spans
        span = _span(Span, (spans[-size][0], spans[-1][1]))
        depth = max(self.depths[-size:]) + action.grow
        if depth > MAX_DEPTH:
            self._too_deep(self.last.span)
        value = action.build(self.nodes, span, self.values[-size:])
        del states[-size:], spans[-size:], self.values[-size:], self.depths[-size:]
        states.append(self.table.gotos[states[-1]][action.origin])
        spans.append(span)
        self.values.append(value)
        self.depths.append(depth)

    def _shift(self, word: Word) -> None:
        kind, span = word
        states = self.states
        self.height = len(states)
        if kind == "IDENT" and self._is_doubtful(span):
            stacks = (states[:], self.values[:], self.spans[:], self.depths[:], self.opened[:])
            self.doubt = Doubt(word, self.last, self.before, stacks)
        if kind in OPENING:
            self.opened.append(Opened(kind, span, len(states)))
            if len(self.opened) > MAX_DEPTH:
                self._too_deep(span)
        elif kind in CLOSING and self.opened:
            self.opened.pop()
        if len(states) > MAX_STATES:
            self._too_deep(span)
        target = self.table.actions[states[-1]][kind]
        assert isinstance(target, int)  # _reduce said so
        states.append(target)
        self.values.append(span)
        self.spans.append(span)
        self.depths.append(0)
        self.before, self.last = self.last, word
        self.at = span.end

    def _too_deep(self, span: Span) -> None:
        self.report(mistakes.too_deep(span, MAX_DEPTH))
        raise Stop

    # After a mistake

    def accepts(self, kind: str, height: int | None = None) -> bool:
        """Could a word of this kind follow, with this many states on the stack?"""
        actions, gotos = self.table.actions, self.table.gotos
        states = self.states[:height]
        while True:
            action = actions[states[-1]].get(kind)
            if not isinstance(action, Reduction):
                return action is not None
            del states[-action.size :]
            states.append(gotos[states[-1]][action.origin])

    def _recover(self, word: Word) -> None:
        """Report a word that cannot follow, and go to where reading can begin again."""
        doubt = self.doubt
        if doubt is not None and doubt.word in (self.last, self.before):
            word = self._go_back(doubt)
        self._complain(word)
        if word.kind == UNTERMINATED:
            self.quiet = max(self.quiet, word.span.end)
        self._skip(word)

    def _complain(self, word: Word) -> None:
        if word.span.start < self.quiet or self.last is self.muted:
            return
        found = mistakes.describe(self, word)
        if found.primary.span.start >= self.quiet or found.code == "unclosed-bracket":
            self.report(found)

    def _is_doubtful(self, span: Span) -> bool:
        """`clause` at the left margin, `require` anywhere, any part of a clause where a line begins."""
        name = self.slice(span)
        keyword = self.table.keywords.get(name)
        if keyword in self.table.parts:
            return name in STRONG or self._begins_line(span)
        return keyword in self.table.declarations and self._at_margin(span)

    def _go_back(self, doubt: Doubt) -> Word:
        """To before the doubtful word; what was reported since then was a misunderstanding."""
        self.states, self.values, self.spans, self.depths, self.opened = doubt.stacks
        self.last, self.before, self.doubt = doubt.last, doubt.before, None
        if self.quiet > doubt.word.span.start:
            self.quiet = -1
        while self.diagnostics and self.diagnostics[-1].primary.span.start >= doubt.word.span.start:
            self.diagnostics.pop()
        return doubt.word

    def _skip(self, word: Word) -> None:
        """Go on with the first word, from `word` on, that begins something; drop what it cannot follow."""
        braces, first = 0, word
        for _ in range(MAX_SKIPPED):
            if word.kind == END:
                break
            kind, height = self._landing(word, braces)
            if height:
                self._unwind(height)
                self._reduce(kind)
                self._shift(Word(kind, word.span))
                return
            if not braces and word is not first and self._is_unknown_declaration(word):
                self._unwind(self._lowest("OWNER", 1) or self._pretend_header(word.span))
                self.last = Word("", word.span)
                self._complain(word)
            braces += (word.kind == "LBRACE") - (word.kind == "RBRACE" and braces > 0)
            word = self._scan(word.span.end)
        raise Stop

    def _is_unknown_declaration(self, word: Word) -> bool:
        """A name at the left margin, outside all braces, and another word behind it: `claus a {`."""
        if word.kind != "IDENT" or self.start != "pact" or any(o.kind == "LBRACE" for o in self.opened):
            return False
        return self._at_margin(word.span) and _FOLLOWED.match(self.text, word.span.end) is not None

    def _landing(self, word: Word, braces: int) -> tuple[str, int]:
        """The kind a skipped word would have, and the number of states it can follow; 0 if it cannot.

        `braces`: how many were opened since the mistake.  Only a declaration at the margin is
        believed inside them: it means that a closing brace is missing.
        """
        kind, span = word
        if kind == "IDENT" and self.begins_declaration(span):
            kind = self.table.keywords[self.slice(span)]
            return kind, self._lowest(kind, self._floor()) or self._lowest(kind, 1) or self._pretend_header(
                span
            )
        if braces:
            return kind, 0
        if kind in ("RBRACE", "SEMICOLON"):
            return kind, self._lowest(kind, self._floor())
        if kind == "IDENT":
            return self._landing_of_name(span)
        return kind, 0

    def _landing_of_name(self, span: Span) -> tuple[str, int]:
        name, begins = self.slice(span), self._begins_line(span)
        keyword = self.table.keywords.get(name)
        if keyword and name not in WITHIN and (begins or name in STRONG):
            return keyword, self._lowest(keyword, self._floor())
        floor = self._floor()
        if begins and (_COLON.match(self.text, span.end) or _FOLLOWED.match(self.text, span.end)):
            return "IDENT", floor if self._fits("IDENT", floor) else 0
        return "IDENT", 0

    def _floor(self) -> int:
        """The number of states with which the innermost block begins."""
        return max((o.height + 1 for o in self.opened if o.kind == "LBRACE"), default=1)

    def _lowest(self, kind: str, floor: int) -> int:
        """The fewest states, but `floor` at least, that a word of this kind can follow; 0 if none.

        The fewest: a word that begins something stands where the block begins, not within its last,
        broken part.  What is dropped by that is read already, and a broken text gives no tree.
        """
        return next((h for h in range(floor, len(self.states) + 1) if self._fits(kind, h)), 0)

    def _fits(self, kind: str, height: int) -> bool:
        if height > len(self.states) or kind not in self.table.actions[self.states[height - 1]]:
            return False
        return self.accepts(kind, height)

    def _unwind(self, height: int) -> None:
        """Keep the first `height` states and what belongs to them."""
        del self.states[height:]
        del self.values[height - 1 :], self.spans[height - 1 :], self.depths[height - 1 :]
        while self.opened and self.opened[-1].height >= height:
            self.opened.pop()

    def _pretend_header(self, span: Span) -> int:
        """The states after a header, whatever the file says in its place; 0 in a bare expression."""
        if self.start != "pact":
            return 0
        self._unwind(1)
        for kind in ("PACT", "IDENT", "STRING"):
            self._reduce(kind)
            self._shift(Word(kind, Span(span.start, span.start)))
        return len(self.states)

    def _at_margin(self, span: Span) -> bool:
        return span.start == 0 or self.text[span.start - 1] in "\r\n"

    def begins_declaration(self, span: Span) -> bool:
        """Is this the first word of a declaration, at the left margin?"""
        return self._at_margin(span) and self.table.keywords.get(self.slice(span)) in self.table.declarations

    def _begins_line(self, span: Span) -> bool:
        at = span.start - 1
        while at >= 0 and self.text[at] in " \t":
            at -= 1
        return at < 0 or self.text[at] in "\r\n"


class Recorder(Machine):
    """A machine that keeps the words it reads, for who needs the text as it was written."""

    def __init__(
        self, table: Table, source: Source, start: str, at: int, words: list[tuple[str, Span]]
    ) -> None:
        super().__init__(table, source, start, at)
        self.words = words

    def _shift(self, word: Word) -> None:
        self.words.append(word)
        super()._shift(word)
