"""Inputs for the targets: seeds from the corpus, drawn from the grammar, and mutated by their form.

In: a target's name and a seed.  Out: a stream of inputs, the same for the same seed.

An input whose word (how the target ended) is new joins the pool, so that later ones are made of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from pactlang.functions import BUILTINS, OVERLOADS
from pactlang.opcodes import INSTRUCTION_SIZE, SHAPES, Opcode
from pactlang.program import seal
from tests.drawn import VARIABLES, Draw
from tests.fuzz.code import mutate_code, program
from tests.fuzz.sandbox import Feed
from tests.fuzz.score import make_score
from tests.fuzz.sieve import make_sieve
from tests.fuzz.targets import SEPARATOR, Code, sample
from tests.fuzz.windows import make_windows
from tests.two_routes import made, mutated

CORPUS = Path(__file__).parent.parent / "corpus" / "fuzz"
LONGEST = 20_000  # bytes of an input; what is longer is tried in tests/test_hostile.py
POOL = 2000  # inputs that are kept to make others of

NUMBERS = (
    "0 1 -1 2 7 63 64 127 255 256 1000 1024 4095 65535 65536 2147483647 2147483648 4294967295 4294967296 "
    "9007199254740993 9223372036854775807 9223372036854775808 -9223372036854775808 18446744073709551615u "
    "18446744073709551616 0x7fffffffffffffff 1e308 1e309 5e-324 1.7976931348623157e308 0.1 -0.0 1e-400 "
    "99999999999999999999999999999999999999 315576000000 315576000001 253402300799 -62135596801"
).split()
WORDS = (
    "( ) [ ] { } , : ; . ? ?. [? ! - + * / % < <= > >= == != && || in true false null r' b' ' \" ''' \"\"\" \\ // "
    "pact clause record extend let pattern phrases applies when require never severity dimension on violation "
    "block alert store redact keep drop limit list map string int uint double bool bytes timestamp duration dyn "
    "enum type optional_type output input tool tool_calls args usage time model agent cel.bind cel.block has "
    "all exists exists_one existsOne map filter transformList transformMap transformMapEntry optMap optFlatMap "
    "optional.of optional.none orValue or hasValue value matches contains startsWith says size 5m 1h30m 1.5s "
    "2026-01-31T09:30:00Z 9999-12-31T23:59:59.999999999Z +23:59 Europe/Paris ../../etc/passwd UTC "
    "%s %d %.3f %e %x %b %o %% %.100f %.1000000000f (a+)+$ x{1000} (?i) \\pL [^a] \\b (?P<n>a) "
    "10.0.0.1 ::1 10.0.0.0/8 fe80::1%eth0 YWJj luhn iban 4111111111111111 \ud800 \u0000 \u2603 \U0001f600 \ufeff e\u0301 \u200b"
).split(" ") + ["\n", "\r\n", "\t", " "]  # fmt: skip
WORDS += sorted({row.function for row in OVERLOADS if row.function.isidentifier()})
TOKEN = re.compile(r"\w+|\s+|[^\w\s]")


def corpus(target: str) -> list[Path]:
    """The files of a target's corpus, in order."""
    folder = CORPUS / target
    return sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []


def stream(target: str, seed: str, count: int) -> Callable[[], tuple[Iterator[bytes], Feed]]:
    """`count` inputs, the corpus first; -1: without end."""

    def start() -> tuple[Iterator[bytes], Feed]:
        maker = Maker(target, seed)
        return maker.inputs(count), maker.feed

    return start


class Maker:
    """Makes the inputs of one target."""

    def __init__(self, target: str, seed: str) -> None:
        self.target = target
        self.random = Random(f"{target} {seed}")
        self.pool = [path.read_bytes() for path in corpus(target)] or [b""]
        self.seen: set[str] = set()
        self.last = b""

    def inputs(self, count: int) -> Iterator[bytes]:
        """The corpus, then what is made of it."""
        made = 0
        for data in list(self.pool):
            if made == count:
                return
            self.last, made = data, made + 1
            yield data
        while made != count:
            self.last, made = self.make(), made + 1
            yield self.last

    def feed(self, word: str) -> None:
        """How the last input ended."""
        if word and word not in self.seen and len(self.last) <= LONGEST:
            self.seen.add(word)
            if len(self.pool) < POOL:
                self.pool.append(self.last)

    def make(self) -> bytes:
        """One input."""
        rng = self.random
        base = rng.choice(self.pool)
        return MAKE[self.target](base, rng.choice(self.pool), rng)[: 10 * LONGEST]


# Text ----------------------------------------------------------------------------------------


def mutate_text(base: bytes, other: bytes, rng: Random) -> bytes:
    """Some changes of a text, most of them by its words."""
    text, second = (data.decode("utf-8", "surrogateescape") for data in (base, other))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        text = rng.choice(CHANGES)(text, second, rng)[:LONGEST]
    return text.encode("utf-8", "surrogatepass" if rng.random() < 0.5 else "replace")


def _splice(text: str, other: str, rng: Random) -> str:
    cut, at = rng.randint(0, len(text)), rng.randint(0, len(other))
    return text[:cut] + other[at:]


def _swap(text: str, other: str, rng: Random) -> str:
    """A word in the place of another, from here, from there or from the language."""
    words = TOKEN.findall(text)
    if not words:
        return rng.choice(WORDS)
    words[rng.randrange(len(words))] = rng.choice((rng.choice(WORDS), rng.choice(NUMBERS), rng.choice(words)))
    return "".join(words)


def _insert(text: str, other: str, rng: Random) -> str:
    at = rng.randint(0, len(text))
    words = TOKEN.findall(other) or [""]
    first = rng.randrange(len(words))
    piece = rng.choice(
        (rng.choice(WORDS), rng.choice(NUMBERS), "".join(words[first : first + rng.randint(1, 9)]))
    )
    return text[:at] + piece + text[at:]


def _delete(text: str, other: str, rng: Random) -> str:
    at = rng.randint(0, len(text))
    return text[:at] + text[at + rng.choice((1, 1, 2, 5, 20, 200)) :]


def _repeat(text: str, other: str, rng: Random) -> str:
    at = rng.randint(0, len(text))
    piece = text[at : at + rng.choice((1, 1, 2, 3, 8, 40))]
    return text[:at] + piece * rng.choice((2, 3, 10, 100, 300)) + text[at:]


def _truncate(text: str, other: str, rng: Random) -> str:
    return text[: rng.randint(0, len(text))]


def _flip(text: str, other: str, rng: Random) -> str:
    at = rng.randint(0, len(text))
    return (
        text[:at]
        + chr(rng.choice((rng.randrange(128), rng.randrange(0x3000), rng.randrange(0x110000))))
        + text[at + 1 :]
    )


def _wrap(text: str, other: str, rng: Random) -> str:
    """A piece within brackets, a macro or a binding."""
    first, last = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
    left, right = rng.choice((("(", ")"), ("[", "]"), ("{1: ", "}"), ("has(", ")"), ("cel.bind(x, ", ", x)"),
                              ("[1, 2].map(x, ", ")"), ("optional.of(", ")"), ("dyn(", ")"), ("-", ""), ("!", "")))  # fmt: skip
    return text[:first] + left + text[first:last] + right + text[last:]


CHANGES = (_splice, _swap, _swap, _swap, _insert, _insert, _delete, _repeat, _truncate, _flip, _wrap)


def make_expression(base: bytes, other: bytes, rng: Random) -> bytes:
    """A drawn expression on drawn bindings, or a mutation of either."""
    seed = b"seed %d" % rng.randrange(10_000)
    if rng.random() < 0.4:
        return Draw(rng).expression(rng.choice((2, 3, 4))).encode("utf-8", "surrogatepass") + SEPARATOR + seed
    text, _, given = base.partition(SEPARATOR)
    drawn = rng.random() < 0.3
    second = (
        Draw(rng).expression(3).encode("utf-8", "surrogatepass") if drawn else other.partition(SEPARATOR)[0]
    )
    if given and rng.random() < 0.2:
        given = json_text(given, rng)
    return mutate_text(text, second, rng).replace(SEPARATOR, b"") + SEPARATOR + (given or seed)


def make_pact(base: bytes, other: bytes, rng: Random) -> bytes:
    """A pact mutated, some with a drawn expression as another clause."""
    if rng.random() < 0.3:
        drawn = Draw(rng).expression(3)
        lets = "\n".join(
            f"let {name} = {_value(rng)}" for name in VARIABLES if re.search(rf"\b{name}\b", drawn)
        )
        clause = f"\n{lets}\nclause drawn {{ require ({drawn}) == ({Draw(rng).expression(2)}) }}\n"
        base += clause.encode("utf-8", "surrogatepass")
    return mutate_text(base, other, rng) if rng.random() < 0.8 else base


def _value(rng: Random) -> str:
    return rng.choice(
        ("1", "2.5", "'a'", "true", "[1, 2]", "{'a': 1}", "b'x'", "5m", "null", "output", "args")
    )


# Data ----------------------------------------------------------------------------------------

ODD: tuple[Any, ...] = (
    0, 1, -1, 255, 65535, 2**31, 2**32 - 1, 2**63, -(2**63), 2**64, None, True, "", "x", "call", "\ud800", [], {}, 1.5,
    1e308, [[]], "2026-01-01T10:00:00Z", "9999-12-31T23:59:59.9999999Z", "-1.5s", "YWJj", {"a": {"a": 1}},
)  # fmt: skip


def mutate_data(data: Any, rng: Random, odd: tuple[Any, ...] = ODD) -> Any:
    """One place of nested data changed for something mean."""
    if isinstance(data, dict) and data and rng.random() < 0.97:
        key = rng.choice(list(data))
        if rng.random() < 0.05:
            return {name: item for name, item in data.items() if name != key}
        return {**data, key: mutate_data(data[key], rng, odd)}
    if isinstance(data, list) and data and rng.random() < 0.95:
        i, what = rng.randrange(len(data)), rng.random()
        if what < 0.16:
            return data[:i] + [data[i]] * (0 if what < 0.08 else rng.choice((2, 2, 50))) + data[i + 1 :]
        return data[:i] + [mutate_data(data[i], rng, odd)] + data[i + 1 :]
    if isinstance(data, bytes) and len(data) >= INSTRUCTION_SIZE and len(data) % INSTRUCTION_SIZE == 0:
        return mutate_code(data, rng)
    return rng.choice(odd)


def json_text(text: bytes, rng: Random) -> bytes:
    """JSON with one place changed; other text is mutated as text."""
    try:
        return json.dumps(mutate_data(json.loads(text), rng)).encode()
    except (ValueError, RecursionError):
        return mutate_text(text, b"{}", rng)


def make_records(base: bytes, other: bytes, rng: Random) -> bytes:
    """Lines of JSON, mutated as data or as text."""
    lines = base.split(b"\n")[:20]
    i = rng.randrange(len(lines))
    lines[i] = json_text(lines[i], rng) if rng.random() < 0.8 else mutate_text(lines[i], other, rng)
    if rng.random() < 0.2:
        lines += other.split(b"\n")[:5]
    return rng.choice((b"\n", b"\n", b"\r\n")).join(lines)


def make_json(base: bytes, other: bytes, rng: Random) -> bytes:
    """A record for one of the pacts of `two_routes`, whole or broken; or one of the pool, broken again."""
    if rng.random() < 0.5:
        base = made(rng, rng.choice(("R", "Call")), 0.02).encode("utf-8", "surrogatepass")
    if rng.random() < 0.3:
        base = json_text(base, rng)
    return mutated(rng, base) if rng.random() < 0.7 else base


def make_artifact(base: bytes, other: bytes, rng: Random) -> bytes:
    """An artifact changed inside, with the digest made right; now and then in its bytes."""
    if rng.random() < 0.03:
        at = rng.randrange(len(base) or 1)
        return base[:at] + bytes((rng.randrange(256),)) + base[at + 1 :]
    program = _artifact(base)
    core, annex = program if program else (sample().core_bytes, sample().annex_bytes)
    try:
        if rng.random() < 0.8:
            mean = msgspec.msgpack.decode(core)
            for _ in range(rng.choice((1, 1, 2, 3))):
                mean = _mutate_core(mean, rng)
            return seal(msgspec.msgpack.encode(mean), annex)
        outside = msgspec.msgpack.decode(annex)
        tree = mutate_data(msgspec.msgpack.decode(outside["module"]), rng, (*ODD[:10], *ODD[10:]))
        return seal(core, msgspec.msgpack.encode({**outside, "module": msgspec.msgpack.encode(tree)}))
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return seal(core[: rng.randrange(len(core) or 1)], annex)


def _mutate_core(core: Any, rng: Random) -> Any:
    if isinstance(core, dict) and isinstance(core.get("code"), bytes) and rng.random() < 0.5:
        return {**core, "code": mutate_code(core["code"], rng)}
    odd = tuple(value for value in ODD if value != 2**64 and value != "\ud800")
    return mutate_data(core, rng, odd)


def _artifact(data: bytes) -> tuple[bytes, bytes] | None:
    if len(data) < 48 or data[:4] != b"PACT":
        return None
    size = int.from_bytes(data[40:44], "little")
    return data[48 : 48 + size], data[48 + size :]


def make_machine(base: bytes, other: bytes, rng: Random) -> bytes:
    """Code that looks valid, or code of the pool with some operands changed."""
    if rng.random() < 0.5:
        return msgspec.msgpack.encode(program(rng, len(VARIABLES), len(BUILTINS)))
    try:
        code = msgspec.msgpack.decode(base, type=Code)
    except msgspec.MsgspecError:
        return msgspec.msgpack.encode(program(rng, len(VARIABLES), len(BUILTINS)))
    code.code = mutate_code(code.code, rng) if code.code else code.code
    code.seed = rng.choice((code.seed, rng.randrange(10_000)))
    code.evil = rng.random() < 0.3
    return msgspec.msgpack.encode(code)


MAKE: dict[str, Callable[[bytes, bytes, Random], bytes]] = {
    "parse": mutate_text,
    "check": make_pact,
    "expression": make_expression,
    "artifact": make_artifact,
    "machine": make_machine,
    "values": mutate_text,
    "records": make_records,
    "json": make_json,
    "sieve": make_sieve,
    "windows": make_windows,
    "score": make_score,
}
assert set(SHAPES) == set(Opcode)
