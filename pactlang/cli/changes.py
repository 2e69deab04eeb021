"""What two versions of a pact say differently: clauses that are new, gone or changed.

In: two programs.  Out: a `Change` per clause name, and what else of the pact differs.

A clause says what its tree computes: it is compared by a digest in which fields, patterns and phrases stand
for themselves, so neither places, nor the names of events and `let`s, nor the order of clauses count.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from pactlang import ir

if TYPE_CHECKING:
    from pactlang.program import Program
    from pactlang.schema import Slot

SAME, CHANGED, NEW, GONE = "same", "changed", "new", "gone"
# Of a clause, in words of the language.
PARTS = ("when", "promise", "severity", "dimension", "description", "on violation", "on unknown")
LEFT_OUT = frozenset({"span", "number"})  # of an expression: where it is written, and in which order


class Change(NamedTuple):
    """One name of a clause.

    kind: same, changed, new or gone.  parts: what of it changed.  old, new: its number in each pact, None
    where there is none; digests: of what each says, hex, "" likewise.
    """

    name: str
    kind: str
    parts: tuple[str, ...]
    old: int | None
    new: int | None
    digests: tuple[str, str]


def changes(old: Program, new: Program) -> list[Change]:
    """All names of clauses: those of the new pact in its order, then those that are gone."""
    before, after = _said(old), _said(new)
    names = [*after, *(name for name in before if name not in after)]
    return [_change(name, before.get(name), after.get(name)) for name in names]


class _Said(NamedTuple):
    """The number of a clause, and the digests of its parts."""

    number: int
    parts: tuple[bytes, ...]

    @property
    def digest(self) -> str:
        return sha256(b"".join(self.parts)).hexdigest()


def _said(program: Program) -> dict[str, _Said]:
    meaning = Meaning(program)
    clauses = enumerate(program.module.clauses)
    return {clause.name: _Said(number, tuple(meaning.parts(clause))) for number, clause in clauses}


def _change(name: str, old: _Said | None, new: _Said | None) -> Change:
    digests = ("" if old is None else old.digest, "" if new is None else new.digest)
    if old is None or new is None:
        kind, parts = (NEW if old is None else GONE), tuple[str, ...]()
    else:
        both = zip(PARTS, old.parts, new.parts, strict=True)
        parts = tuple(part for part, one, other in both if one != other)
        kind = CHANGED if parts else SAME
    one, other = (None if each is None else each.number for each in (old, new))
    return Change(name, kind, parts, one, other, digests)


def rest(old: Program, new: Program) -> list[str]:
    """What differs beside the clauses and decides verdicts or the score, in words of the language."""
    one, other = Meaning(old), Meaning(new)
    before, after = one.rest(), other.rest()
    return [part for part in before if before[part] != after[part]]


class Meaning:
    """Digests of what the trees of one program compute.  A tree that stands in many places is read once."""

    def __init__(self, program: Program) -> None:
        self.module = program.module
        self._known: dict[int, bytes] = {}

    def parts(self, clause: ir.Clause) -> Iterator[bytes]:
        """The digests of a clause's parts, in the order of `PARTS`."""
        self._begin(clause.when, *ir.promised(clause.promise))
        yield self.of(clause.when)
        yield self.of((clause.never, clause.promise))
        for part in (clause.severity, clause.dimension, clause.description):
            yield self.of(part)
        yield self.of(clause.on_violation)
        yield self.of(clause.on_unknown)

    def rest(self) -> dict[str, bytes]:
        """The digests of what all clauses have in common."""
        module = self.module
        self._begin(module.applies, None if module.session is None else module.session.key)
        return {
            "applies when": self.of(module.applies),
            "session": self.of(module.session),
            "budget": self.of(module.budget and (module.budget.steps, module.budget.sizes)),
            "score": self.of(module.score),
        }

    def _begin(self, *roots: ir.Expr | None) -> None:
        """Read expressions from their leaves up, so that a deep one needs no deep stack."""
        for node in reversed([*ir.nodes(*roots)]):
            self.of(node)

    def of(self, value: Any) -> bytes:
        """The digest of a tree, a part of one, or a plain value."""
        if isinstance(value, msgspec.Struct):
            if id(value) not in self._known:
                self._known[id(value)] = self._joined(self._named(value))
            return self._known[id(value)]
        if isinstance(value, dict):
            return self._joined(["{}", *value.items()])
        if isinstance(value, tuple | list):
            return self._joined(["[]", *value])
        return sha256(msgspec.msgpack.encode(value)).digest()

    def _joined(self, parts: list[Any]) -> bytes:
        return sha256(b"".join(map(self.of, parts))).digest()

    def _named(self, node: msgspec.Struct) -> list[Any]:
        """A node as its kind and what it holds, with what its numbers stand for in their place."""
        match node:
            case ir.Event():
                return ["Event", node.condition]
            case ir.Slot():
                return ["Slot", *self._fields(self.module.schema.slots[node.slot])]
            case ir.Matches():
                pattern = self.module.patterns[node.pattern]
                return ["Matches", node.operand, pattern.source, pattern.check]
            case ir.Says():
                return ["Says", node.operand, self.module.phrases[node.phrases].phrases]
        names = [name for name in node.__struct_fields__ if name not in LEFT_OUT or _is_figure(node, name)]
        looked_at = self._looked_at(node) if isinstance(node, ir.Watch) else None
        return [type(node).__name__, looked_at, *(getattr(node, name) for name in names)]

    def _fields(self, slot: Slot) -> list[Any]:
        """The fields on the way to a value: their names in the data and their defaults count."""
        schema, found = self.module.schema, list[Any]()
        record = schema.record(schema.root)
        for name in slot.path:
            field = record.field(name)
            if field is None:
                break
            found += [name, field.type, field.names, field.has_default, field.default]
            if field.type.kind != "record":
                break
            record = schema.record(field.type.name)
        return [slot.path, *found]

    def _looked_at(self, watch: ir.Watch) -> Any:
        """The promise of the clause that a watch looks at."""
        found = (each for each in self.module.clauses if each.name == watch.clause)
        return next(((each.when, each.never, each.promise) for each in found), None)


def _is_figure(node: msgspec.Struct, name: str) -> bool:
    """Whether `number` is a figure's own, and not the place of an operator among others."""
    return name == "number" and isinstance(node, ir.Aggregate)
