"""Many patterns at once say what google-re2 says of each alone.

Patterns are those of `data/patterns` in the shared data; texts are real ones, and made from the patterns.
"""

from __future__ import annotations

import gzip
import json
import random
import threading
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pactlang import CompileError, Evaluator
from pactlang import compile as compile_pact
from pactlang._runtime import Scanner
from pactlang.ir import Pattern, Phrases
from pactlang.matchers import choose, fast, scanner
from pactlang.matchers.atoms import Seeker
from pactlang.matchers.choose import Plan, by_engine, by_sieve, factors, together
from pactlang.matchers.engines import in_fast_pass
from pactlang.matchers.factors import needed
from pactlang.matchers.heavy import weight
from pactlang.matchers.syntax import Either, Mark, Node, One, Row, Times, Wide, read
from pactlang.program import Atom, Group
from pactlang.text import compile_re2, find_bytes, fold, phrase_pattern

# Patterns of every kind that the reader knows, and some that it does not.
WRITTEN = [
    "abc", "a|b", "(?i)key", "(?i:s)K", r"\bfoo\b", "^a", "a$", r"\Aab\z", "[a-c]x", "[^a]b", ".b", "(?s).b",
    r"\d{2}-\d", r"\w+@\w+", "a{2,3}b", "(ab)*c", "(ab)+c", "ab?c", r"\pLx", r"[\pL]y", "é", "(?i)É", "[é]a",
    r"\x61b", r"\x{e9}", r"\141", "(?P<n>ab)c", "a(?:b|cd)e", "a(?i)b(?-i)c", "[[:digit:]]x", "[]a]b", "[^]a]b",
    "x*", "", "a||b", "(?i)[a-z]1", "(?i)ſ", "\u212a", r"\Qa.b\E", r"\Cb", "a{0}b", "a{x}", "x{,2}", r"\n\t\v",
    "(?m)^b", "(?m)a$", r"\Bb", "(?U)a+?b", "[a-]b", "[-a]b", r"[\d-]b", r"\.\*", "ab{2}c{1,}", "(a|b)(c|d)(e|f)",
    r"\s", r"\S1", r"\s+x", "[[:^alpha:]]1", "(?i)[k]1", "(?i)st", "a\x00b",
]  # fmt: skip
LETTERS = st.sampled_from("abckKsS1-@ xyz\n\v\x00é\u017f\u212a\u00c9日.")
TEXTS = st.text(LETTERS, max_size=30)


def occurs(source: str, text: str, check: str = "") -> bool:
    return find_bytes(compile_re2(source), text.encode(), check) is not None


@cache
def known(source: str) -> Any:
    return compile_re2(source)._regexp


def alone(sources: Sequence[str], data: bytes) -> tuple[int, ...]:
    """What google-re2 says of each pattern."""
    import re2

    anywhere = re2._Anchor.UNANCHORED
    return tuple(
        n for n, s in enumerate(sources) if known(s).Match(anywhere, data, 0, len(data))[0] != (-1, -1)
    )


def matched(node: Node, rng: random.Random) -> bytes:
    """Some bytes that a tree takes, if no mark and no other letter stands in the way."""
    match node:
        case One(bytes=of):
            return bytes([rng.choice([byte for byte in range(256) if of >> byte & 1])])
        case Wide():
            return rng.choice(["a", "é", "1", "Z", "日"]).encode()
        case Row(parts=parts):
            return b"".join(matched(part, rng) for part in parts)
        case Either(parts=parts):
            return matched(rng.choice(parts), rng)
        case Times(part=part, low=low, high=high):
            count = rng.randint(low, min(low + 2, low + 2 if high is None else high))
            return b"".join(matched(part, rng) for _ in range(count))
    return b""


def mutated(data: bytes, rng: random.Random) -> str:
    """The bytes among others, sometimes with one of them changed."""
    if rng.random() < 0.3 and data:
        at = rng.randrange(len(data))
        data = data[:at] + rng.choice([b"", b"a", b"9", b"-"]) + data[at + 1 :]
    before, after = (rng.choice(["", " ", "x", "é", "\n", "0", "=", "a b"]) for _ in range(2))
    return before + data.decode("utf-8", "ignore") + after


@cache
def patterns(folder: Path) -> tuple[str, ...]:
    """Every pattern of the data that RE2 takes."""
    rows = [
        json.loads(line) for line in (folder / "data/patterns/patterns.jsonl").read_text("utf-8").splitlines()
    ]
    flags = ["".join(flag for flag in row["flags"] if flag in "ims") for row in rows]
    sources = [(f"(?{flag})" if flag else "") + row["regex"] for flag, row in zip(flags, rows, strict=True)]
    return tuple(dict.fromkeys(source for source, row in zip(sources, rows, strict=True) if row["re2_ok"]))


@cache
def real_texts(folder: Path, count: int) -> tuple[str, ...]:
    """Distinct texts of the traces."""
    texts: dict[str, None] = {}
    for path in sorted((folder / "data/traces").glob("*/*calls.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            texts.update(dict.fromkeys(text for line in lines for text in strings(json.loads(line))))
    return tuple(random.Random(count).sample(list(texts), count))


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value:
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings(part)


def numbered(sources: Sequence[str]) -> list[tuple[int, Seeker]]:
    made = [Pattern("", source) for source in sources]
    return [(n, Seeker(Atom("pattern", n), made, ())) for n in range(len(made))]


def scanning(sources: Sequence[str], way: str = "") -> Scanner:
    """The scanner of some patterns; `way`: which of the ways it must go."""
    make = WAYS[way] if way else choose.plan
    return Scanner(range(len(sources)), False, lambda: make(numbered(sources)))


def sifted(seekers: Sequence[tuple[int, Seeker]]) -> Plan:
    """All that can go through the sieve, whatever it costs."""
    needs = [(n, s, needed(tree) if (tree := read(s.source)) else None) for n, s in seekers]
    rest = [(n, s) for n, s, need in needs if need is None]
    return by_sieve([(n, s, need) for n, s, need in needs if need is not None], together, rest)


def fastest(seekers: Sequence[tuple[int, Seeker]]) -> Plan:
    """All that Hyperscan takes."""
    pytest.importorskip("hyperscan")
    takes = [(n, s) for n, s in seekers if fits(s.source)]
    return by_sieve([], lambda _: both(takes, [x for x in seekers if x not in takes]), seekers)


def fits(source: str) -> bool:
    try:
        fast.Fast([source])
    except ValueError:
        return False
    return True


def both(takes: Sequence[tuple[int, Seeker]], others: Sequence[tuple[int, Seeker]]) -> Any:
    parts = [in_fast_pass(takes[at : at + 40]) for at in range(0, len(takes), 40)]
    parts += [together(others)] if others else []
    return lambda data: [number for part in parts for number in part(data) or ()]


WAYS: dict[str, Any] = {
    "sieve": sifted,
    "engine": lambda seekers: by_engine(together, seekers),
    "fast": fastest,
}


# The reader and the factors -------------------------------------------------------------------


@pytest.mark.parametrize("source", WRITTEN)
@settings(deadline=None)
@given(TEXTS, st.randoms(use_true_random=False))
def test_what_matches_holds_a_factor(source: str, text: str, rng: random.Random) -> None:
    tree = read(source)
    need = None if tree is None else needed(tree)
    if tree is None or need is None:
        return
    for each in (text, text + mutated(matched(tree, rng), rng) + text):
        data = each.encode()
        holds = any(stands(string, data) for string in need.strings)
        matches = occurs(source, each)
        assert holds or not matches
        assert matches or not (need.whole and holds)


def stands(string: tuple[int, ...], data: bytes) -> bool:
    places = range(len(data) - len(string) + 1)
    return any(all(of >> data[at + k] & 1 for k, of in enumerate(string)) for at in places)


@pytest.mark.parametrize("source", WRITTEN)
@settings(deadline=None)
@given(TEXTS)
def test_no_match_is_longer_than_its_bound(source: str, text: str) -> None:
    tree = read(source)
    need = None if tree is None else needed(tree)
    found = compile_re2(source).search(text.encode())
    if need is not None and need.longest is not None and found is not None:
        assert found.end() - found.start() <= need.longest


def test_most_real_patterns_have_factors(shared: Path) -> None:
    sources = patterns(shared)
    with_factors = [seeker for _, seeker in numbered(sources) if factors(seeker) is not None]
    assert len(with_factors) > 0.9 * len(sources)


@pytest.mark.parametrize("source", ["(" * 70 + "a" + ")" * 70, r"\Qa\E", "a" * (1 << 20) + "b"])
def test_what_is_unusual_is_not_read(source: str) -> None:
    assert read(source) is None


def test_a_mark_alone_is_no_factor() -> None:
    assert [needed(tree) for tree in (Mark(), Row(()), Wide(), Times(One(2), 0, None))] == [None] * 4


# Verdicts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["", "sieve", "engine", "fast"])
def test_all_patterns_on_real_texts(way: str, shared: Path) -> None:
    sources = patterns(shared)
    scan = scanning(sources, way)
    for text, wanted in judged(shared):
        assert scan.occurring(text) == wanted
        assert scan.occurring(text.encode()) == wanted


@cache
def judged(folder: Path) -> list[tuple[str, tuple[int, ...]]]:
    """Real texts, and what occurs in them."""
    texts = [text[:20_000] for text in real_texts(folder, 300)]
    return [(text, alone(patterns(folder), text.encode())) for text in texts]


@pytest.mark.parametrize("way", ["", "sieve", "engine", "fast"])
def test_all_patterns_on_texts_made_from_them(way: str, shared: Path) -> None:
    scan, seen = scanning(patterns(shared), way), set()
    for text, wanted in made_from(patterns(shared)):
        assert scan.occurring(text) == wanted
        seen |= set(wanted)
    assert len(seen) > 0.7 * len(patterns(shared))


@cache
def made_from(sources: tuple[str, ...]) -> list[tuple[str, tuple[int, ...]]]:
    """A text for each pattern, and what occurs in it."""
    rng, trees = random.Random(5), [read(source) for source in sources]
    texts = [
        "".join(mutated(matched(tree, rng), rng) for _ in range(2)) for tree in trees if tree is not None
    ]
    return [(text, alone(sources, text.encode())) for text in texts]


@pytest.mark.parametrize("way", ["", "sieve", "engine", "fast"])
def test_written_patterns_on_small_texts(way: str) -> None:
    scan, rng = scanning(WRITTEN, way), random.Random(1)
    trees = [tree for source in WRITTEN if (tree := read(source)) is not None]
    for _ in range(1500):
        text = "".join(
            rng.choice("abckKsS1-@ xyz\n\v\x00é\u017f\u212aÉ日.") for _ in range(rng.randint(0, 20))
        )
        text += rng.choice(["", mutated(matched(rng.choice(trees), rng), rng)])
        assert scan.occurring(text) == alone(WRITTEN, text.encode()), repr(text)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "available", lambda: None)
    scan = scanning(WRITTEN)
    assert scan.occurring("(key) abc é") == alone(WRITTEN, "(key) abc é".encode())


def test_eight_threads_at_once(shared: Path) -> None:
    sources = patterns(shared)[:60:2]
    texts = [text[:5_000] for text in real_texts(shared, 120)] + ["x" * 100_000 + "ops_eyJ" + "a" * 250]
    wanted = [alone(sources, text.encode()) for text in texts]
    for way in ("", "sieve", "fast"):
        scan, found = scanning(sources, way), {}

        def work(number: int, scan: Any = scan, found: dict[int, Any] = found) -> None:
            found[number] = [scan.occurring(text) for text in texts]

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert list(found.values()) == [wanted] * 8


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["4111 1111 1111 1111", "4111111111111112", " ", "1", "x"]), max_size=8).map(
        "".join
    )
)
def test_checks_are_held(text: str) -> None:
    card = r"\b[0-9](?:[ -]?[0-9]){12,18}\b"
    made = [Pattern("", card, "luhn"), Pattern("", card)]
    scan = scanner(Group(0, (0, 1)), [Atom("pattern", 0), Atom("pattern", 1)], made, ())
    assert scan.occurring(text) == tuple(n for n in (0, 1) if occurs(card, text, made[n].check))


@settings(deadline=None)
@given(TEXTS, st.lists(st.text("abk s", min_size=1, max_size=4).filter(str.strip), min_size=1, max_size=4))
def test_phrases(text: str, said: list[str]) -> None:
    scan = scanner(Group(0, (0,)), [Atom("phrases", 0)], (), [Phrases("", tuple(said))])
    assert bool(scan.occurring(text)) == occurs(phrase_pattern(said), fold(text))


@settings(deadline=None)
@given(
    st.lists(st.text("ab\x00é", min_size=1, max_size=3), min_size=1, max_size=5, unique=True),
    st.text("ab\x00é"),
)
def test_literals(parts: list[str], text: str) -> None:
    atoms = [Atom("literal", texts=(part,)) for part in parts]
    scan = scanner(Group(0, tuple(range(len(parts)))), atoms, (), ())
    assert scan.occurring(text) == tuple(n for n, part in enumerate(parts) if part in text)


PARTS = st.lists(st.text("abé", max_size=3), min_size=1, max_size=4).map(tuple)


@settings(deadline=None)
@given(PARTS, PARTS, st.text("abé", max_size=8))
def test_ends(begins: tuple[str, ...], ends: tuple[str, ...], text: str) -> None:
    atoms = [Atom("prefix", texts=begins), Atom("suffix", texts=ends)]
    scan = scanner(Group(0, (0, 1)), atoms, (), ())
    wanted = tuple(n for n, yes in enumerate((text.startswith(begins), text.endswith(ends))) if yes)
    assert scan.occurring(text) == wanted == scan.occurring(text.encode())


@settings(deadline=None)
@given(TEXTS, st.sampled_from(WRITTEN))
def test_what_hyperscan_is_given_means_what_re2_means(text: str, source: str) -> None:
    pytest.importorskip("hyperscan")
    if fits(source) and text.isascii():
        assert bool(fast.Fast([source])(text.encode())) == occurs(source, text)


# Bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "heavy"),
    [
        ("x.{50}y", True), ("[ab]*a[ab]{20}c", True), ("(.*a){25}", True), ("a[ab]{20}c", True), (r"\Qx\E.{50}y", True),
        ("(a+)+$", False), ("[ab]{30}c", False), ("AKIA[0-9A-Z]{16}", False), (r"\b[12]\d{9}\b", False),
        (r"\b(a)|x.{20}y", True), (r"(\ba|b).{20}y", True), ("a.{3}b", False), (r"\Qx\E", False),
    ],
)  # fmt: skip
def test_which_patterns_explode(source: str, heavy: bool) -> None:
    assert bool(weight(source)) == heavy


HARD = [
    ["(a+)+$"],
    ["(.*a){25}"],
    [f"x.{{{n}}}y" for n in range(1, 101)],
    [r"\b\w\b.\b"],
    ["[ab]*a[ab]{20}c"],
]


@pytest.mark.parametrize("sources", HARD)
@pytest.mark.parametrize("text", ["a", "ab", "xy", "x a", "é"])
def test_hard_patterns_on_hard_texts(sources: list[str], text: str) -> None:
    scan = scanning(sources)
    short = text * 300
    assert scan.occurring(short) == alone(sources, short.encode())
    for count in (20_000, 5_000_000):
        begun = time.monotonic()
        found = scan.occurring(text * count)
        assert time.monotonic() - begun < 60  # less than a second; more than an hour if it explodes
        light = not any(map(weight, sources))
        assert not (found is None and light)


def test_beyond_its_budget_a_clause_is_unknown() -> None:
    evaluator = Evaluator(compile_pact(
        'pact p "1.0.0" on R record R { s: string } '
        'clause a { never s.matches("x.{50}y") } clause b { never s.startsWith("x") }'
    ))  # fmt: skip
    assert evaluator.check({"s": "xx"}).unknown == ()
    verdict = evaluator.check({"s": "x" * 1_000_000})
    assert verdict.unknown == ("a",)
    assert [violation.clause for violation in verdict.violations] == ["b"]


def test_a_field_with_too_many_patterns_is_refused() -> None:
    clauses = " ".join(f'clause c{n} {{ never s.matches("w{n}x") }}' for n in range(2_001))
    with pytest.raises(CompileError) as refused:
        compile_pact(f'pact p "1.0.0" on R record R {{ s: string }} {clauses}')
    assert [found.code for found in refused.value.diagnostics] == ["too-large"]
    assert "2,001 patterns" in refused.value.diagnostics[0].message


def test_thousands_of_patterns_are_prepared_in_good_time() -> None:
    sources = [rf"\bw{n}x[0-9]{{2,4}}\b" for n in range(2_000)]
    begun = time.monotonic()
    assert scanning(sources).occurring("a w77, w1999x123 b") == (1999,)
    assert time.monotonic() - begun < 60
