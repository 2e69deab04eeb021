"""What in a value says whom or what an action is about: its typed tokens, for `only from`.

In: a CEL value.  Out: a set of `Token`s, or 64-bit hashes of them, and whether these are all.

A token is an e-mail address, a host, a URL, an IBAN, a number or an identifier: what is compared as a
whole, whoever wrote it down.  Plain words are none.  Text is folded and cut at blanks, and each piece is
read on its own: so the same tokens are found in a value and in any text that holds it between blanks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from math import isfinite
from typing import Any, NamedTuple, TypeVar

from pactlang.text import fold, iban
from pactlang.values import MAX_NESTING

T = TypeVar("T")
MAX_CHARS = 1 << 20  # characters of one value that are read
MAX_TOKENS = 4_096  # different tokens of one value that are told
MAX_PIECE = 2_048  # characters between two blanks: what is longer is data, not a name
MAX_PARTS = 1 << 17  # texts, numbers and the like within one value
REMEMBERED = 64  # characters of a piece whose tokens are remembered
MAX_TRIES = 1_000  # groups of four in one text that an IBAN may begin with
PLAIN_DIGITS = 40  # digits and zeros of a number that is told without an exponent


class Token(NamedTuple):
    """A token, normalised.  kind: email, host (any dotted name, a file's too), url, iban, number, id."""

    kind: str
    text: str


def token_hashes(value: Any) -> tuple[list[int], bool]:
    """64-bit hashes of a value's tokens, ascending, the same on every machine; and whether these are all:
    False beyond a bound of this file, and for a value that no token can be read from, such as bytes."""
    found, complete = _collect(value, _hashes_of)
    return sorted(found), complete


def tokens(value: Any) -> tuple[set[Token], bool]:
    """A value's tokens, and whether these are all."""
    found, complete = _collect(value, _tokens_of)
    return set(found), complete


def token_hash(token: Token) -> int:
    """Not keyed: who wants a token of his own to pass for one of n others tries 2**64 / n."""
    data = f"{token.kind}\0{token.text}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")


# Values ------------------------------------------------------------------------------------------


def _collect(value: Any, read: Callable[[str], Iterable[T]]) -> tuple[dict[T, None], bool]:
    """What `read` makes of all pieces of a value, in order."""
    found: dict[T, None] = {}
    complete, room = True, MAX_CHARS
    for count, part in enumerate(_parts(value)):
        if count >= MAX_PARTS:
            return found, False
        text, whole = _text(part, room)
        room -= len(text)
        complete &= whole & _collect_text(text, read, found)
        if len(found) > MAX_TOKENS:
            return dict.fromkeys(list(found)[:MAX_TOKENS]), False
    return found, complete


def _parts(value: Any) -> Iterator[Any]:
    """The texts, numbers and the like of a value, keys too, in order; `...` for what is nested too deep."""
    waiting: list[Iterator[Any]] = [iter((value,))]
    while waiting:
        for part in waiting[-1]:
            inner = _inner(part)
            if inner is not None and len(waiting) <= MAX_NESTING:
                waiting.append(inner)
                break
            yield part if inner is None else ...
        else:
            waiting.pop()


def _inner(value: Any) -> Iterator[Any] | None:
    if isinstance(value, Mapping):
        return chain.from_iterable(value.items())
    return iter(value) if isinstance(value, list | tuple) else None


def _text(value: Any, room: int) -> tuple[str, bool]:
    """One part of a value as text, at most `room` characters of it, and whether that is all."""
    if value is None or isinstance(value, bool):
        return "", True
    if isinstance(value, str):
        return (value, True) if len(value) <= room else (_cut(value, room), False)
    if isinstance(value, float) and isfinite(value):
        return repr(value), True
    if isinstance(value, int) and abs(value) < 1 << 64:  # what is beyond is an error value in CEL
        return str(int(value)), True
    return "", False


def _cut(text: str, room: int) -> str:
    """At most `room` characters, up to a blank, so that no piece is halved."""
    return text[: max(0, *(text.rfind(blank, 0, room) for blank in " \n\t\r"))]


# Texts -------------------------------------------------------------------------------------------

# Blanks in all but name: quotes and brackets of JSON, which no name or URL holds.
_BLANKS = str.maketrans(dict.fromkeys('"<>{}`\\', " "))
_ESCAPED_BLANK = re.compile(r"\\+[nrt]")  # in JSON that is a text
_DOT = re.compile("(?<=\\w)\u3002(?=[a-z0-9])")  # a full stop of Chinese: browsers take it for a dot
_AROUND = ".,;:!?'()[]*-"  # stands around words: without it most pieces are seen to be plain
_IN_LISTS = re.compile(r"[,;()\[\]]")
# An IBAN as it is printed, in fours.  Looked for at each word anew: the word before may look like its begin.
_PRINTED = re.compile(
    r"(?<!\w)(?=([a-z]{2}[0-9]{2}(?: [a-z0-9]{4}(?!\w)){2,7}(?: [a-z0-9]{1,3}(?!\w))?))"
)  # fmt: skip


def _collect_text(text: str, read: Callable[[str], Iterable[T]], found: dict[T, None]) -> bool:
    """Put what `read` makes of a text's pieces into `found`; whether that is all."""
    pieces, complete = _pieces(text)
    for piece in pieces:
        for part in (piece,) if len(piece) <= MAX_PIECE else _IN_LISTS.split(piece):
            if len(part) <= MAX_PIECE:
                found.update(dict.fromkeys(read(part)))
            elif not part.isalpha():
                complete = False
        if len(found) > MAX_TOKENS:
            return False
    return complete


def _pieces(text: str) -> tuple[list[str], bool]:
    """The different pieces of a text that may hold a token, in order, and whether these are all."""
    spaced = _spaced(text)
    pieces, complete = _not_plain(spaced), True
    if any(piece[-4:-2].isalpha() and piece[-2:].isdigit() for piece in pieces):
        spaced, complete = _join_ibans(spaced)
        pieces = _not_plain(spaced)
    return pieces, complete


def _not_plain(text: str) -> list[str]:
    return [
        piece
        for piece in dict.fromkeys(text.split())
        if not piece.isalpha() and not piece.strip(_AROUND).isalpha()
    ]


def _spaced(text: str) -> str:
    folded = fold(text)
    if "\\" in folded:
        folded = _ESCAPED_BLANK.sub(" ", folded)
    if "\u3002" in folded:
        folded = _DOT.sub(".", folded)
    return folded.translate(_BLANKS)


def _join_ibans(text: str) -> tuple[str, bool]:
    """The text with the blanks taken out of printed IBANs whose check digits fit; whether all were tried."""
    done: list[str] = []
    at = 0
    for tries, match in enumerate(_PRINTED.finditer(text)):
        if tries >= MAX_TRIES:
            return "".join((*done, text[at:])), False
        size = _iban_size(match[1]) if match.start() >= at else 0
        if size:
            done += (text[at : match.start()], match[1][:size].replace(" ", ""))
            at = match.start() + size
    return "".join((*done, text[at:])), True


def _iban_size(text: str) -> int:
    """Characters of the longest IBAN that a text in fours begins with, whole groups only; 0: none."""
    size = len(text)
    while size > 9:
        if iban(text[:size]):
            return size
        size = text.rfind(" ", 0, size)
    return 0


# Pieces ------------------------------------------------------------------------------------------

# With a scheme; or a dotted name that a path or a query follows.  The next one of a list ends it.
_URL = re.compile(
    r"(?:(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,20}://"
    r"|(?<![\w.@%+-])[\w-]++(?:\.[\w-]++)++(?::[0-9]{1,5}+)?+(?=[/?]))"
    r"(?:(?![,;](?:[a-z]{2,10}://|www\.)).)*+"
)
_URL_END = "/.,;:!?'*_)]|"  # what may stand behind one, or makes no other of it
_URL_PARTS = re.compile(r"([a-z0-9+.-]+://)?([^/?#]*)([^#]*)")
_ESCAPE = re.compile(r"%[0-9a-f]{2}")
_UNRESERVED = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._~")
_DEFAULT_PORTS = {"http://": ":80", "https://": ":443"}
_EMAIL = re.compile(r"(?<![\w.+%-])[.+%-]*+(\w[\w.+%-]*+@\w[\w-]*+(?:\.\w[\w-]*+)*+)")
_THOUSANDS = re.compile(r"(?<![\d,.\[])\d{1,3}(?:,\d{3})++(?!,?\d)")
_WORD = re.compile(r"(?:[\w#/.%+-]|(?<=\d):(?=\d))+")
_RUNS = re.compile(r"--+|\.\.+|//+|[+%#-]/|/[+%#-]")  # between words, not in one
_BEFORE, _BEHIND = "#-./+%_", "#-./+%_"
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,4})?")
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)*\.[^\W\d_][\w-]+|[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_IBAN = re.compile(r"[a-z]{2}[0-9]{2}[a-z0-9]{10,30}")
_DENSE = re.compile("[\u2e80-\U0010ffff]+")  # scripts that set no blanks between words


def _tokens_of(piece: str) -> Iterable[Token]:
    return _remembered(piece) if len(piece) <= REMEMBERED else tuple(_tokens(piece))


@lru_cache(1 << 13)
def _remembered(piece: str) -> tuple[Token, ...]:
    return tuple(_tokens(piece))


def _hashes_of(piece: str) -> Iterable[int]:
    return _remembered_hashes(piece) if len(piece) <= REMEMBERED else map(token_hash, _tokens(piece))


@lru_cache(1 << 13)
def _remembered_hashes(piece: str) -> tuple[int, ...]:
    return tuple(map(token_hash, _tokens(piece)))


def _tokens(piece: str) -> Iterator[Token]:
    """The tokens of what stands between two blanks: URLs, then addresses in the rest, then words."""
    at = 0
    for match in _URL.finditer(piece):
        yield from _outside_urls(piece[at : match.start()])
        yield from _url(match[0])
        at = match.end()
    yield from _outside_urls(piece[at:])


def _url(text: str) -> Iterator[Token]:
    """The host, and host, path and query, without what differs between two ways to write one URL."""
    scheme, authority, rest = _URL_PARTS.match(text).groups(default="")  # type: ignore[union-attr]
    place = authority.rpartition("@")[2].removesuffix(_DEFAULT_PORTS.get(scheme, " "))
    host, _, port = place.partition(":")
    host = host.rstrip(_URL_END)
    if not host:
        return
    yield Token("host", host)
    path = _ESCAPE.sub(_unescaped, rest).rstrip(_URL_END)
    if path or port:
        yield Token("url", f"{host}:{port}{path}" if port else f"{host}{path}")


def _unescaped(found: re.Match[str]) -> str:
    char = chr(int(found[0][1:], 16)).lower()
    return char if char in _UNRESERVED else found[0]


def _outside_urls(text: str) -> Iterator[Token]:
    at = 0
    for match in _EMAIL.finditer(text) if "@" in text else ():
        yield from _words(text[at : match.start()])
        yield Token("email", match[1].rstrip("-"))
        at = match.end()
    yield from _words(text[at:])


def _words(text: str) -> Iterator[Token]:
    if "," in text:
        text = _THOUSANDS.sub(lambda found: found[0].replace(",", ""), text)
    for joined in _WORD.findall(text):
        for word in _RUNS.split(joined):
            yield from _word(word)


def _word(word: str) -> Iterator[Token]:
    """The token that a word is; none if it is plain."""
    word = word.rstrip(_BEHIND)
    bare = word.lstrip(_BEFORE)
    if (number := _NUMBER.fullmatch(word) or _NUMBER.fullmatch(bare)) is not None:
        yield Token("number", _decimal(number[0]))
    elif _IBAN.fullmatch(bare):
        yield Token("iban", bare)
    elif _URL.fullmatch(bare):  # behind a sign that no URL begins with
        yield from _url(bare)
    elif _HOST.fullmatch(bare):
        yield Token("host", bare)
    elif _DENSE.search(bare):
        for part in _DENSE.split(bare):
            yield from _word(part)
    elif "_" in bare or any(map(str.isdigit, bare)):
        yield Token("id", bare)
    elif bare and "#" in word[: -len(bare)]:
        yield Token("id", f"#{bare}")


def _decimal(text: str) -> str:
    """A number by value: `1100`, `1100.0` and `1.1e3` are one."""
    sign, digits, exponent = Decimal(text).as_tuple()
    if not isinstance(exponent, int):
        return text
    plain = "".join(map(str, digits)).lstrip("0")
    shown = plain.rstrip("0")
    exponent += len(plain) - len(shown)
    if not shown:
        return "0"
    return ("-" if sign else "") + _placed(shown, exponent)


def _placed(digits: str, exponent: int) -> str:
    if max(len(digits) + exponent, -exponent) > PLAIN_DIGITS:
        return f"{digits}e{exponent}"
    if exponent >= 0:
        return digits + "0" * exponent
    digits = digits.rjust(1 - exponent, "0")
    return f"{digits[:exponent]}.{digits[exponent:]}"
