"""Text as pacts see it: folded for phrases, searched with RE2, checked by a checksum.

In: strings.  Out: folded strings, RE2 sources, and spans counted in characters of the raw text.

A match in folded text is shown in the raw text by folding the raw text once more in pieces that do
not influence one another: the folded text is the pieces' folds in a row.

A long text is gone through in slices, with `PAUSE` between them: a single step of the interpreter over
the whole of it would hold up every other thread.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from functools import cache, lru_cache
from mmap import mmap
from typing import Any
from unicodedata import category, combining, normalize

# Unicode's Default_Ignorable_Code_Point: what is not shown, and so can hide inside a word.
IGNORABLE = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5),
    (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
# Unicode's White_Space beyond ASCII; ASCII's is \t to \r and the blank.
SPACES = (
    (0x0085, 0x0085), (0x00A0, 0x00A0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029),
    (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000),
)  # fmt: skip


def _class(ranges: Iterable[tuple[int, int]]) -> str:
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


_IGNORED = re.compile(f"[{_class(IGNORABLE)}]+")
_BLANKS = rf"[\t-\r {_class(SPACES)}]"
_BLANK = re.compile(_BLANKS)
_BLANK_RUN = re.compile(f"(?! (?!{_BLANKS})){_BLANKS}+")  # all but a lone blank
_MARKS = re.compile(r"[^\w\0-\u02ff]{33,}")  # all marks that normalisation sorts, and other signs
MAX_ROUNDS = 8  # two settle every text that is known; the bound is against the unknown


def fold(text: str) -> str:
    """The text as `says` compares it: NFKC, default-ignorable characters removed, case folded, each
    run of white space one blank.  Folding a folded text changes nothing."""
    if text.isascii():
        return _fold_ascii(text.lower())
    for _ in range(MAX_ROUNDS):
        folded = _fold_once(text)
        if folded == text:
            break
        text = folded
    return text


def _fold_ascii(text: str) -> str:
    """Each run of white space one blank, in passes over the whole text: far faster than an expression."""
    for blank in "\t\n\v\f\r":
        text = text.replace(blank, " ")
    while "  " in text:  # half as many each time
        text = text.replace("  ", " ")
    return text


def _fold_once(text: str) -> str:
    text = _IGNORED.sub("", text).replace("\uff9e", "\u3099").replace("\uff9f", "\u309a")
    text = normalize("NFKC", _MARKS.sub(_sorted_marks, text))
    return _BLANK_RUN.sub(" ", normalize("NFKC", text.casefold()))


def _sorted_marks(found: re.Match[str]) -> str:
    """A long run of marks in canonical order: `normalize` itself takes quadratic time to sort them."""
    done: list[str] = []
    marks: list[str] = []
    for char in "".join(normalize("NFKD", char) for char in found[0]):
        if combining(char):
            marks.append(char)
        else:
            done += (*sorted(marks, key=combining), char)
            marks.clear()
    return "".join((*done, *sorted(marks, key=combining)))


# Long texts, slice by slice -------------------------------------------------------------------

# What a thread does between two slices: a thread that must not hold up others sets it to a short sleep.
PAUSE: ContextVar[Callable[[], object]] = ContextVar("PAUSE", default=lambda: None)
LONG = SLICE = 1 << 18  # characters of a text that is gone through in slices, and of one of them
FOLDED, FOLDED_ASCII = 1 << 10, 1 << 14  # characters of one slice that is folded
BLOCK = 1 << 20  # bytes that are copied in one step
WORK = 1 << 16  # characters of ASCII that are folded between two pauses
SLOWER = 16  # how many times longer a character of any other text takes


def slices(text: str, overlap: int = 0) -> Iterator[str]:
    """The text in slices; `overlap`: characters of the next one that are shown with each."""
    pause = PAUSE.get()
    for at in range(0, len(text), SLICE):
        yield text[at : at + SLICE + overlap]
        pause()


def utf8(text: str, errors: str = "strict") -> Any:
    """The text in UTF-8: bytes, or a buffer of as many."""
    return text.encode("utf-8", errors) if len(text) <= LONG else _block(slices(text), errors)


def folded_utf8(text: str) -> Any:
    """`fold(text)` in UTF-8: bytes, or a buffer of as many."""
    short = len(text) <= (LONG if text.isascii() else WORK // SLOWER)
    return fold(text).encode() if short else _block(folds(text))


def folds(text: str, size: int = 0) -> Iterator[str]:
    """`fold(text)` in parts, each the fold of about `size` characters.

    It is cut only before characters that nothing before them joins: a run of marks stays whole.
    """
    size = size or (FOLDED_ASCII if text.isascii() else FOLDED)
    pause, worked = PAUSE.get(), 0
    waiting: list[str] = []
    blank = False  # what is folded so far ends with a blank, which takes up the next one
    for at in range(0, len(text) + size, size):
        shown = _IGNORED.sub("", text[at : at + size])
        cut = _last_begin(shown) if at < len(text) else 0
        if cut >= 0:
            part = "".join((*waiting, shown[:cut]))
            folded = fold(part)
            if blank and folded.startswith(" "):
                folded = folded[1:]
            blank = folded.endswith(" ") if folded else blank
            yield folded
            waiting.clear()
            worked += len(folded) if part.isascii() else len(folded) * SLOWER
        waiting.append(shown[max(cut, 0) :])
        worked += size if shown.isascii() else size * SLOWER
        if worked >= WORK:
            pause()
            worked = 0


def _last_begin(text: str) -> int:
    """Where the last character stands that nothing before it joins; -1 if there is none."""
    return next((at for at in range(len(text) - 1, -1, -1) if _begins(text[at])), -1)


def _block(parts: Iterable[str], errors: str = "strict") -> Any:
    """Parts of a text in UTF-8 as one buffer.

    They wait in maps of their own: thousands of small objects would be given back to the system at
    once, when the last of them is freed, and with the interpreter's lock held.
    """
    blocks: list[mmap] = []
    for part in parts:
        data = part.encode("utf-8", errors)
        if not blocks or blocks[-1].tell() + len(data) > len(blocks[-1]):
            blocks.append(mmap(-1, max(BLOCK, len(data))))
        blocks[-1].write(data)
    size = sum(block.tell() for block in blocks)
    if size == 0:
        return b""
    whole, pause = mmap(-1, size), PAUSE.get()
    for block in blocks:
        whole.write(block[: block.tell()])
        block.close()
        pause()
    return whole


def position(literal: str, text: str) -> int:
    """Where a literal stands first in a text, -1 if it does not occur."""
    if len(text) <= LONG:
        return text.find(literal)
    for number, part in enumerate(slices(text, max(len(literal) - 1, 0))):
        if (at := part.find(literal)) >= 0:
            return number * SLICE + at
    return -1


def _characters(data: Any, end: int) -> int:
    """How many characters the first `end` bytes of UTF-8 are."""
    pause, count = PAUSE.get(), 0
    for at in range(0, end, SLICE):
        count += len(data[at : min(at + SLICE, end)].translate(None, _INSIDE))
        pause()
    return count


_INSIDE = bytes(range(0x80, 0xC0))  # bytes that begin no character


# From the folded text back to the raw text ----------------------------------------------------


def folded_span(text: str, start: int, end: int) -> tuple[int, int]:
    """The span of raw `text` that holds characters [start, end) of `fold(text)`.

    A piece of the raw text that folds to several characters is taken whole.
    """
    raw_start, at, pause = 0, 0, PAUSE.get()
    for number, (first, last, size) in enumerate(_pieces(text)):
        if number % 64 == 63:
            pause()
        plain = size == last - first and text[first:last].isascii()  # character by character
        if at <= start < at + size:
            raw_start = first + start - at if plain else first
        if at < end <= at + size:
            return raw_start, max(raw_start, first + end - at if plain else last)
        at += size
    return raw_start, len(text) if start < end else raw_start


# Words of ASCII with one blank between them: each character folds by itself, and so does the next.
_PLAIN_RUN = re.compile(r"(?:[!-~]| (?=[!-~])){1,4096}(?=[!-~])")


def _pieces(text: str) -> Iterator[tuple[int, int, int]]:
    """Start and end of each piece of the raw text, and how many folded characters it gives."""
    first = 0
    while first < len(text):
        run = _PLAIN_RUN.match(text, first)
        last = run.end() if run else _piece_end(text, first)
        yield first, last, last - first if run else _folded_size(text[first:last])
        first = last


def _folded_size(text: str) -> int:
    return len(fold(text)) if len(text) <= FOLDED else sum(map(len, folds(text)))


def _piece_end(text: str, first: int) -> int:
    """Where the smallest piece that starts at `first` ends."""
    pause = PAUSE.get()
    blank = False  # what is read so far ends with a blank, which would take up the next one
    for at in range(first + 1, len(text)):
        before, char = text[at - 1], text[at]
        blank = _ends_blank(before) if _IGNORED.match(before) is None else blank
        if _begins(char) and not (blank and _begins_blank(char)):
            return at
        if (at - first) % FOLDED == 0:
            pause()
    return len(text)


@lru_cache(4096)
def _begins(char: str) -> bool:
    """True if normalisation joins nothing before this character with it or with what follows it."""
    if char.isascii():
        return True
    first = normalize("NFKD", char)[0]
    # Marks, Hangul vowels and finals, and the one letter that ends others (Unicode 16).
    joins = category(first)[0] == "M" or 0x1160 <= ord(first) <= 0x11FF or first == "\U00016d67"
    return not joins and _IGNORED.match(char) is None


@lru_cache(4096)
def _begins_blank(char: str) -> bool:
    return _BLANK.match(normalize("NFKD", char)) is not None


@lru_cache(4096)
def _ends_blank(char: str) -> bool:
    return _BLANK.match(normalize("NFKD", char)[-1]) is not None


# Phrases --------------------------------------------------------------------------------------

WORD = r"\pL\pM\pN_"
UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー々〆]"
NOTHING = r"[^\x{0}-\x{10FFFF}]"


def phrase_pattern(phrases: Iterable[str]) -> str:
    """An RE2 source that finds any of the phrases, as whole words, in folded text.

    The phrase found is the match's one group that took part (`phrase_span`); it is group 1 where all
    phrases have the same need of word boundaries.  A boundary is needed at an end that is a letter,
    mark, digit or underscore, but not of a script that is written without spaces.
    """
    by_ends: dict[tuple[bool, bool], list[str]] = {}
    for phrase in phrases:
        folded = fold(phrase).strip(" ")
        if folded:
            by_ends.setdefault((_bounded(folded[0]), _bounded(folded[-1])), []).append(folded)
    return "|".join(_alternatives(*ends, found) for ends, found in by_ends.items()) or NOTHING


def _alternatives(left: bool, right: bool, phrases: list[str]) -> str:
    # The longest first: RE2 prefers the alternative that is written first.
    ordered = sorted(dict.fromkeys(phrases), key=lambda phrase: (-len(phrase), phrase))
    inside = "|".join(_quote(phrase) for phrase in ordered)
    before = f"(?:^|[^{WORD}])" if left else ""
    after = f"(?:[^{WORD}]|$)" if right else ""
    return f"{before}({inside}){after}"


def _quote(phrase: str) -> str:
    return "".join(c if c.isalnum() or not c.isascii() else f"\\x{ord(c):02x}" for c in phrase)


@lru_cache(4096)
def _bounded(char: str) -> bool:
    """True if a phrase that ends in this character must end where a word ends."""
    return bool(compile_re2(f"[{WORD}]").search(char)) and not compile_re2(UNSPACED).search(char)


def phrase_span(match: Any) -> tuple[int, int]:
    """Where the phrase of a match of `phrase_pattern` stands in the folded text."""
    spans: list[tuple[int, int]] = [match.span(group) for group in range(match.re.groups + 1)]
    return next((span for span in spans[1:] if span != (-1, -1)), spans[0])


def find_phrase(pattern: Any, text: str) -> tuple[int, int] | None:
    """The span in raw `text` of the first phrase, with a compiled `phrase_pattern`; None if none."""
    data = folded_utf8(text)
    match = pattern.search(data)
    if match is None:
        return None
    start, end = phrase_span(match)
    return folded_span(text, _characters(data, start), _characters(data, end))


# Patterns -------------------------------------------------------------------------------------


LONGEST_REASON = 200  # characters: RE2 repeats the part that it refuses, which may be all of it


@cache
def _options(groups: bool) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.never_capture = not groups
    return options


def compile_re2(source: str, groups: bool = False) -> Any:
    """A compiled RE2 expression.  Raises ValueError with RE2's reason if it is none.

    groups: whether anybody asks where its groups matched.  RE2 keeps places for every group of a pattern at
    every point of its automaton, which for a pattern of many parentheses takes gigabytes.
    """
    import re2

    try:
        return re2.compile(source, _options(groups))
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        written = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(written[:LONGEST_REASON]) from None


def luhn(text: str) -> bool:
    """True if the text's letters and digits are two or more digits that pass the Luhn checksum."""
    digits = [c for c in text if c.isalnum()]
    if len(digits) < 2 or not all(c.isascii() and c.isdigit() for c in digits):
        return False
    doubled = (2 * int(c) for c in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(n // 10 + n % 10 for n in doubled)) % 10 == 0


_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")


def iban(text: str) -> bool:
    """True if the text's letters and digits are an IBAN with a right checksum (ISO 13616, mod 97)."""
    plain = "".join(c for c in text.upper() if c.isalnum())
    if _IBAN.fullmatch(plain) is None:
        return False
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


CHECKS = {"luhn": luhn, "iban": iban}

# A match that fails its check is tried again from its second character, so that digits before a card
# number do not hide it; a match longer than any such number is passed over, which keeps time linear.
LONGEST_NUMBER = 64


def find(pattern: Any, text: str, check: str = "") -> tuple[int, int] | None:
    """The span of the first match of a compiled pattern that passes `check` ("", "luhn" or "iban")."""
    data = utf8(text, "surrogatepass")
    found = find_bytes(pattern, data, check)
    return None if found is None else (_characters(data, found[0]), _characters(data, found[1]))


def find_bytes(pattern: Any, data: Any, check: str = "") -> tuple[int, int] | None:
    """The same in a text's UTF-8, counted in bytes."""
    passes, pause = CHECKS.get(check), PAUSE.get()
    at = tries = 0
    while at <= len(data):
        match = pattern.search(data, at)
        if match is None:
            return None
        start, end = match.span()
        if passes is None or passes(str(data[start:end], "utf-8", "replace")):
            return start, end
        at = end if end - start > LONGEST_NUMBER else _next(data, start)
        tries += 1
        if tries % 32 == 0:
            pause()
    return None


def _next(data: bytes, at: int) -> int:
    """Where the next character starts."""
    at += 1
    while at < len(data) and data[at] & 0xC0 == 0x80:
        at += 1
    return at
