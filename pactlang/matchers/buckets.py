"""The sieve's tables: which strings are looked for together.

In: strings with their owners.  Out: a `Sieve`.  Each string is sought by its rarest bytes in a row, in
one of the sieve's buckets; strings are put together so that a text's bytes pass a bucket as rarely as can be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pactlang._runtime import Sieve
from pactlang.matchers.factors import HASHED, WINDOW, String, window
from pactlang.matchers.sample import frequencies
from pactlang.matchers.syntax import UPPER

FEW, BUCKETS = 24, 16  # strings for which half of the buckets are enough; buckets
MANY = 64  # strings for which the buckets are too few
ANY = (1 << 256) - 1
LETTERS = UPPER

Halves = tuple[int, int]  # of a set of bytes: the low halves, and the high ones, a bit for each


def sieve(strings: Mapping[String, Iterable[int]], final: Sequence[bool], kernel: int = -1) -> Sieve:
    """The sieve for strings and who owns them.  final: for each owner whether one place is enough."""
    windows = {string: window(string)[1] for string in strings}
    many = len(strings) > MANY
    hashes = {string: window(string, HASHED)[1] for string in strings} if many else {}
    hashed = {string: (at, BUCKETS) for string, at in hashes.items() if has_hash(string, at)}
    rest = {string: at for string, at in windows.items() if string not in hashed}
    placed = assign(rest, BUCKETS if len(rest) > FEW else BUCKETS // 2)
    placed |= hashed
    rows = [
        ([form.to_bytes(32, "little") for form in string], at, bucket, list(strings[string]))
        for string, (at, bucket) in placed.items()
    ]
    return Sieve(rows, bytes(final), kernel)


def has_hash(string: String, at: int) -> bool:
    """Whether each place of the window is one byte, or a letter in both cases."""
    places = string[at : at + HASHED]
    return len(places) == HASHED and all(
        form.bit_count() == 1 or (form.bit_count() == 2 and form >> 32 & form & LETTERS) for form in places
    )


def assign(windows: Mapping[String, int], count: int) -> dict[String, tuple[int, int]]:
    """For each string its window and its bucket: the most frequent first, each where it does least harm."""
    sought = {string: shape(string[at : at + WINDOW]) for string, at in windows.items()}
    order = sorted(sought, key=lambda string: (-passing(sought[string]), windows[string], string))
    shapes: list[tuple[Halves, ...] | None] = [None] * count
    sizes = [0] * count
    placed = {}
    for string in order:
        joined = [merged(have, sought[string]) for have in shapes]
        harm = [
            passing(new) * (sizes[i] + 1) - (0.0 if have is None else passing(have) * sizes[i])
            for i, (new, have) in enumerate(zip(joined, shapes, strict=True))
        ]
        best = min(range(count), key=lambda i: (harm[i], sizes[i]))
        shapes[best] = joined[best]
        sizes[best] += 1
        placed[string] = windows[string], best
    return placed


def shape(places: String) -> tuple[Halves, ...]:
    """The halves of the bytes at each place of a window."""
    return tuple(map(halves, places)) + (halves(ANY),) * (WINDOW - len(places))


def halves(form: int) -> Halves:
    low = high = 0
    for byte in range(256):
        if form >> byte & 1:
            low |= 1 << (byte & 15)
            high |= 1 << (byte >> 4)
    return low, high


def merged(have: tuple[Halves, ...] | None, new: tuple[Halves, ...]) -> tuple[Halves, ...]:
    if have is None:
        return new
    return tuple((a | c, b | d) for (a, b), (c, d) in zip(have, new, strict=True))


def passing(form: tuple[Halves, ...]) -> float:
    """How often a text's bytes pass a bucket of this shape."""
    product = 1.0
    for pair in form:
        if pair not in _passing:
            known, (low, high) = frequencies(), pair
            _passing[pair] = sum(known[b] for b in range(256) if low >> (b & 15) & 1 and high >> (b >> 4) & 1)
        product *= _passing[pair]
    return product


_passing: dict[Halves, float] = {}
