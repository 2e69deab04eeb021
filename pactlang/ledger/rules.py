"""What `store` says, carried out on a call before anything of it is written.

In: a program, and the JSON of a call.  Out: the JSON that may be stored, and what was withheld.

A field is withheld under every name it may have in the data, so text that stands under a telemetry
name does not slip through; everything else keeps its bytes.  For each withheld value a commitment
stays: HMAC-SHA-256 over its canonical JSON, keyed with a random salt of the call.  Who has the original
can show that it is the one that was judged; who has only the ledger can try guesses, no more.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

import msgspec

from pactlang.ledger.entry import Kept, Withheld
from pactlang.program import Program
from pactlang.records.names import aliases_of
from pactlang.schema import Field, Record
from pactlang.standard import WIRES
from pactlang.text import CHECKS, LONGEST_NUMBER, compile_re2

REDACTED = "[redacted]"
WHOLE = "*"  # the key that stands for a call which could not be looked into
SALT_BYTES = 16

N = TypeVar("N", int, float)
Blank = Callable[[str], str]
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


class Rule(NamedTuple):
    """One field that is withheld, under its names in the data; `blank` None: the whole of it."""

    field: str
    how: str
    keys: tuple[str, ...]
    blank: Blank | None


class Rules:
    """The `store` of one program.  `keep`: seconds of event time; `limit`: bytes; None: no bound."""

    def __init__(self, program: Program) -> None:
        core = program.core
        record = core.schema.record(core.schema.root)
        self.rules = tuple(
            Rule(r.field[0], _HOW[r.kind], keys_of(record, r.field[0]), _blank(program, r.pattern))
            for r in core.store
            if r.field
        )
        self.keep = min((r.amount / 1e9 for r in core.store if r.kind == "keep"), default=None)
        self.limit = min((r.amount for r in core.store if r.kind == "limit"), default=None)
        self._plans: dict[str, tuple[tuple[Rule, str], ...]] = {}

    def apply(self, call: bytes) -> tuple[bytes, str | None]:
        """The call as it may be stored, and `Withheld` as JSON if anything was."""
        if not self.rules:
            return call, None
        try:
            return self._apply(_decode(call), _encode)
        except (msgspec.MsgspecError, UnicodeError, RecursionError, OverflowError):
            return self._slowly(call)

    def kept(self, field: str, value: N | None) -> N | None:
        """A number as it may be stored beside the call."""
        return None if any(rule.field == field for rule in self.rules) else value

    def free(self, field: str, value: Any) -> Any:
        """A value of a field that stands beside no call; None if anything is withheld of such fields."""
        return None if any(rule.field == field for rule in self.rules) else value

    def session(self, session: str | None) -> str | None:
        """The session as it may be stored beside the call."""
        for rule in self.rules:
            if rule.field == "session" and session is not None:
                session = None if rule.how == "dropped" else (rule.blank or _all)(session)
        return session

    def _slowly(self, call: bytes) -> tuple[bytes, str | None]:
        """A call that msgspec refuses: half a surrogate pair, a very long number, no JSON at all."""
        try:
            data = json.loads(call)
            if type(data) is dict:
                return self._apply(data, lambda held: json.dumps(held).encode())
        except (ValueError, RecursionError):
            pass
        return b"{}", _withheld({WHOLE: ("dropped", call.decode("utf-8", "surrogateescape"))})

    def _apply(self, data: dict[str, Any], encode: Callable[[Any], bytes]) -> tuple[bytes, str | None]:
        found: dict[str, tuple[str, Any]] = {}
        for key in list(data):
            for rule, rest in self._plan(key):
                if key in data:
                    _touch(rule, data, key, rest, key, found)
        return encode(data), _withheld(found) if found else None

    def _plan(self, key: str) -> tuple[tuple[Rule, str], ...]:
        """The rules that are about a key of the data, and how the names go on inside it."""
        if key not in self._plans:
            if len(self._plans) > 4096:
                self._plans.clear()
            self._plans[key] = tuple((r, rest) for r in self.rules for rest in _rests(r.keys, key))
        return self._plans[key]


_HOW = {"redact": "redacted", "drop": "dropped"}


def keys_of(record: Record, name: str) -> tuple[str, ...]:
    """The names that a field of the record, or a part of it, may have in the data."""
    field: Field | None = record.field(name)
    paths = [path for path in WIRES if path[0] == name]
    aliases = [alias.key for path in paths for alias in aliases_of(record, *path)]
    return tuple(dict.fromkeys((*(field.names if field else ()), *aliases)))


def _rests(keys: tuple[str, ...], key: str) -> Iterator[str]:
    """The empty text if `key` is one of `keys` or lies below one; else how each goes on below `key`."""
    if any(key == name or key.startswith(name + ".") for name in keys):
        yield ""
        return
    for name in keys:
        if name.startswith(key + "."):
            yield name[len(key) + 1 :]


def _touch(
    rule: Rule, holder: dict[str, Any], key: str, rest: str, path: str, found: dict[str, tuple[str, Any]]
) -> None:
    """Carry out a rule on `holder[key]`, or on what stands below it under the name `rest`."""
    value = _plain(holder[key])
    if rest:
        if type(value) is dict:
            holder[key] = value
            for inner in list(value):
                for further in _rests((rest,), inner):
                    _touch(rule, value, inner, further, f"{path}.{inner}", found)
        return
    if value is None:
        return
    left = _left(rule, value)
    if left is value:
        return
    if left is None:
        del holder[key]
    else:
        holder[key] = left
    original = found[path][1] if path in found else value
    found[path] = (rule.how, original)


def _left(rule: Rule, value: Any) -> Any:
    """What a rule leaves of a value; None: nothing; the value itself: all of it."""
    if rule.how == "dropped":
        return None
    if rule.blank is None:
        return value if value == REDACTED else REDACTED
    return _blanked(value, rule.blank)


def _blanked(value: Any, blank: Blank) -> Any:
    """The value with its texts blanked, keys of objects too; the value itself if none changed."""
    if type(value) is str:
        left = blank(value)
        return value if left == value else left
    if type(value) is list:
        items = [_blanked(item, blank) for item in value]
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    if type(value) is dict:
        made = {_blanked(key, blank): _blanked(item, blank) for key, item in value.items()}
        same = len(made) == len(value) and all(k in value and made[k] is value[k] for k in made)
        return value if same else made
    return value


def _plain(value: Any) -> Any:
    return json.loads(bytes(value)) if isinstance(value, msgspec.Raw) else value


def _all(text: str) -> str:
    return REDACTED


def _blank(program: Program, pattern: int) -> Blank | None:
    """The function that blanks a pattern's matches; None where the whole field is meant."""
    if pattern < 0:
        return None
    held = program.core.patterns[pattern]
    compiled = compile_re2(held.source)
    passes = CHECKS.get(held.check)

    def blank(text: str) -> str:
        return blank_matches(compiled, text, passes)

    return blank


def blank_matches(pattern: Any, text: str, passes: Callable[[str], bool] | None) -> str:
    """The text with every match that passes the check replaced; a match of nothing is none."""
    data = text.encode("utf-8", "surrogatepass")
    parts: list[bytes] = []
    at = kept = 0
    while at < len(data) and (match := pattern.search(data, at)) is not None:
        start, end = match.span()
        if start == end:
            at = _next(data, start)
        elif passes is None or passes(data[start:end].decode("utf-8", "replace")):
            parts += (data[kept:start], REDACTED.encode())
            at = kept = end
        else:
            at = end if end - start > LONGEST_NUMBER else _next(data, start)
    return b"".join((*parts, data[kept:])).decode("utf-8", "surrogatepass") if parts else text


def _next(data: bytes, at: int) -> int:
    """Where the next character starts."""
    at += 1
    while at < len(data) and data[at] & 0xC0 == 0x80:
        at += 1
    return at


# Commitments -----------------------------------------------------------------------------------


def commitment(salt: bytes, field: str, value: object) -> str:
    """The commitment, in hex, to a field's value: HMAC-SHA-256 over its name, a zero byte and its JSON.

    Canonical JSON: keys sorted, no blanks, everything beyond ASCII escaped.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    message = field.encode("utf-8", "surrogatepass") + b"\0" + text.encode()
    return hmac.digest(salt, message, "sha256").hex()


def _withheld(found: dict[str, tuple[str, Any]]) -> str:
    salt = os.urandom(SALT_BYTES)
    fields = {path: Kept(how, commitment(salt, path, value)) for path, (how, value) in found.items()}
    return msgspec.json.encode(Withheld(salt.hex(), fields)).decode()
