"""The sieve's target and its inputs: words, a line each, SEPARATOR, the text that they are sought in.

A word behind `~` is sought in either case of its ASCII letters.  Every kernel must find what Python's `in`,
`find` and `re` find, and where; a text that needs too many comparisons may be given up.
"""

from __future__ import annotations

import re
from random import Random

from pactlang.matchers.buckets import sieve

SEPARATOR = b"\n---\n"
MOST = 60  # words of one sieve
LONGEST = 40  # bytes of a word
ALPHABETS = (b"ab", b"abcdefgh-XYZ", b"aA\x00\xff\xc3\xa9 ", bytes(range(256)))


def parts(data: bytes) -> tuple[list[bytes], bytes]:
    """The words, each once, and the text."""
    head, _, text = data.partition(SEPARATOR)
    words = dict.fromkeys(word[:LONGEST] for word in head.split(b"\n"))
    return [word for word in words if word.lstrip(b"~")][:MOST], text


def places(word: bytes) -> tuple[int, ...]:
    """A word as sets of bytes, a bit per byte."""
    if not word.startswith(b"~"):
        return tuple(1 << byte for byte in word)
    each = (word[at : at + 1] for at in range(1, len(word)))
    return tuple(1 << ord(byte.lower()) | 1 << ord(byte.upper()) for byte in each)


def wanted(word: bytes, text: bytes) -> tuple[int, int] | None:
    """Where a word begins for the first and the last time."""
    if not word.startswith(b"~"):
        return (text.find(word), text.rfind(word)) if word in text else None
    found = [match.start() for match in re.finditer(b"(?i)(?=" + re.escape(word[1:]) + b")", text)]
    return (found[0], found[-1]) if found else None


def sieve_target(data: bytes) -> str:
    """Every kernel finds what Python finds; or gives up, all of them on the same."""
    words, text = parts(data)
    strings: dict[tuple[int, ...], list[int]] = {}
    for number, word in enumerate(words):
        strings.setdefault(places(word), []).append(number)
    if not strings:
        return "no words"
    right = {n: found for n, word in enumerate(words) if (found := wanted(word, text))}
    said = ""
    for kernel in (0, 1, 2):
        for final in (False, True)[: 1 + (len(text) % 3 == kernel)]:
            made = sieve(strings, [final] * len(words), kernel).find(text)
            if made is None:
                said = "given up"
                continue
            found = {owner: (first, last) for owner, first, last in made}
            if found.keys() != right.keys() or (found != right and not final):
                raise AssertionError(f"kernel {kernel} {final} {words} {text!r}: {found}, not {right}"[:2000])
    return said or f"{min(len(words), 9)} {len(right).bit_length()} {len(text).bit_length()}"


def make_sieve(one: bytes, other: bytes, rng: Random) -> bytes:
    """Drawn words and a text in which some of them stand, or those of others mixed."""
    if rng.random() < 0.3:
        words, _ = parts(one)
        _, text = parts(other)
    else:
        letters = rng.choice(ALPHABETS)
        count = rng.choice((1, 2, 9, 40, MOST))
        words = [
            bytes(rng.choices(letters, k=rng.choice((1, 2, 3, 4, 8, 12, LONGEST)))) for _ in range(count)
        ]
        text = bytes(rng.choices(letters, k=rng.choice((0, 1, 7, 31, 32, 63, 64, 65, 200, 3000))))
    words = [b"~" + word if rng.random() < 0.1 else word for word in words]
    for word in rng.choices(words, k=rng.randrange(4)) if words else ():
        at = rng.choice((0, len(text), rng.randint(0, len(text))))
        text = text[:at] + rng.choice((word, word[:-1], word.upper(), word * 3)) + text[at:]
    return b"\n".join(words) + SEPARATOR + text
