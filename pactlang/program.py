"""A compiled pact: the one value that both halves know, and its file form.

In: what `emit` makes, or the bytes of a `.pactc`.  Out: `Program`, and bytes.

    Program file, version 2.  Integers little-endian.

        offset  size  field
             0     4  magic "PACT"
             4     2  version
             6     2  flags, 0
             8    32  SHA-256 of everything after this field
            40     4  length of the core
            44     4  length of the annex
            48        core, msgpack: schema, constants, code, text atoms, patterns, phrases, clauses
                      annex, msgpack: the typed tree with the tests, the names and texts of the source and
                      of what it imports, what was overridden and dropped

A reader refuses an unknown version; it never guesses.  The digest of the core is a pact's identity:
sources and spans do not count.  Loading runs no code from the file; the machine verifies what it
is given (`runtime/code.pxi`), so the digest guards against accidents and the verifier against intent.
"""

from __future__ import annotations

import struct
from functools import cached_property
from hashlib import sha256
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from pactlang.constants import Constant, constant_value
from pactlang.errors import ProgramError
from pactlang.ir import Action, Module, Pattern, Phrases, Score, StoreRule
from pactlang.opcodes import INSTRUCTION_SIZE, MAX_REGISTERS
from pactlang.schema import Record, Schema, Type
from pactlang.source import Source

T = TypeVar("T")

MAGIC, VERSION = b"PACT", 2
HEADER = struct.Struct("<4sHH32sII")
MAX_BYTES = 64 * 1024 * 1024
MAX_CLAUSES = 100_000
MAX_DEPTH = 250
SEVERITIES = ("critical", "major", "minor", "info")
TEXTS = ("literal", "prefix", "suffix")  # kinds of atoms that are constant texts
# Of an atom: what its group has in common beside the slot.
TOGETHER = {"phrases": "folded", "prefix": "ends", "suffix": "ends"}
STORE = ("redact", "drop", "keep", "limit")
MOST_SCALE = 10**9
MOST_COUNTED = 2**63 - 1  # what a bound can say: the machine counts in 64 bits


class ClauseInfo(Struct, frozen=True, array_like=True):
    """What is known of a clause beside its code.

    remembers: earlier calls decide it, too, so a `Monitor` judges it.  enforceable: it is decided when
    its call is judged; what is not can only be detected.
    """

    name: str
    description: str
    dimension: str
    severity: str
    never: bool
    on_violation: tuple[Action, ...] = ()
    on_unknown: tuple[Action, ...] = ()
    remembers: bool = False
    enforceable: bool = True


class Atom(Struct, frozen=True, array_like=True):
    """Something sought in a text: kind is pattern, phrases (`index` says which), or literal, prefix,
    suffix: one of `texts` stands in the text, begins it, ends it."""

    kind: str
    index: int = -1
    texts: tuple[str, ...] = ()


class Group(Struct, frozen=True, array_like=True):
    """The atoms that are sought together in the text of one slot."""

    slot: int
    atoms: tuple[int, ...]


class Bound(Struct, frozen=True, array_like=True):
    """Where the machine stops: what it counts of one call, and the characters of each slot's text that
    it searches."""

    steps: int
    texts: tuple[int, ...]


class UnitInfo(Struct, frozen=True, array_like=True):
    """What a session remembers for one operator or named form.

    kind: as in `opcodes.UnitKind`.  event, other, until, when: registers of conditions, -1 for what is
    always true; value: of the field of `only from`.  span: microseconds, calls: a number; -1 where there
    is none.  flag: of an operator `_before`, of `previous` that it keeps a bool, of `only after` fresh, of
    `never after` that it has `until`.  ending: what becomes of an obligation that the session's end finds
    open: 0 nothing, 2 violated, 3 skipped.  digest: of what it computes, so that a later version of the
    pact knows its state again.
    """

    kind: int
    clause: int
    event: int = -1
    other: int = -1
    until: int = -1
    when: int = -1
    value: int = -1
    count: int = 0
    calls: int = -1
    span: int = -1
    flag: bool = False
    ending: int = 0
    same: tuple[int, ...] = ()
    sources: tuple[tuple[int, int], ...] = ()
    enums: tuple[str, ...] = ()
    digest: bytes = b""


class FigureInfo(Struct, frozen=True, array_like=True):
    """What a window keeps of one aggregate.

    kind, form: as in `opcodes`.  value, where: registers, -1 where there is none.  minimum: the values that
    an answer needs.  below: of BELOW the threshold that values lie below, as key, in two words; number: q,
    or the objective, as a fraction.
    """

    kind: int
    form: int = 0
    value: int = -1
    where: int = -1
    minimum: int = 1
    below: tuple[int, int] = (0, 0)
    number: tuple[int, int] = (0, 1)


class TermInfo(Struct, frozen=True, array_like=True):
    """A comparison in integers: figure * b against a (times the number of values, if scaled); a is two
    words, the high one signed."""

    figure: int
    comparison: int
    a: tuple[int, int]
    b: int = 1
    scaled: bool = False


class KeepInfo(Struct, frozen=True, array_like=True):
    """The tables of one `keep`.

    windows: (microseconds of a pane, 0) or (0, calls).  All terms must hold (not all, if `negated`); without
    terms `left` and `right` are computed, steps of (what, register, figure or function, arguments), and
    compared.  digest: of what it computes, so that a later version of the pact knows its windows again.
    """

    clause: int
    when: int
    keys: tuple[int, ...]
    limit: int
    windows: tuple[tuple[int, int], ...]
    figures: tuple[FigureInfo, ...]
    terms: tuple[TermInfo, ...] = ()
    negated: bool = False
    left: tuple[tuple[int, int, int], ...] = ()
    right: tuple[tuple[int, int, int], ...] = ()
    comparison: int = 0
    digest: bytes = b""

    @property
    def table(self) -> tuple[Any, ...]:
        """The same without the digest, in plain tuples: what the machine's `Windows` takes."""
        figures = tuple(msgspec.structs.astuple(figure) for figure in self.figures)
        terms = tuple(msgspec.structs.astuple(term) for term in self.terms)
        return (
            self.clause, self.when, self.keys, self.limit, self.windows, figures, terms, self.negated,
            self.left, self.right, self.comparison,
        )  # fmt: skip


class WatchInfo(Struct, frozen=True, array_like=True):
    """The tables of one `watch`.

    value: the register of X, -1 where `of` says at which clause's outcome it looks: a hit is that it is
    violated (outcome 1) or satisfied (0).  rates: P of each part as a fraction; calls: one false alarm in so
    many.  kind, edges, texts: the parts are those of `opcodes.WatchKind`.
    digest: of what it computes, so that a later version of the pact knows its detectors again.
    """

    clause: int
    when: int
    keys: tuple[int, ...]
    value: int
    of: int
    outcome: int
    rates: tuple[tuple[int, int], ...]
    calls: int
    kind: int = 0
    edges: tuple[float, ...] = ()
    texts: tuple[str, ...] = ()
    digest: bytes = b""

    @property
    def table(self) -> tuple[Any, ...]:
        """The same without the digest, in plain tuples: what the machine's `Drift` takes."""
        return msgspec.structs.astuple(self)[:-1]


class State(Struct, frozen=True, array_like=True):
    """What a monitor needs beside: the code that runs with a session, and what sessions remember.

    time, seq, id: registers, -1 where the record has none.  idle: microseconds, limit: calls; -1 where the
    pact says nothing.  clauses: numbers of those that need a session.  digest: of what a session is.
    keeps, watches: the tables of promises about many calls; a watch that looks at another stands behind it.
    versions: names and registers of the fields that tell versions of the agent apart.
    """

    code: bytes
    time: int
    seq: int
    id: int
    idle: int
    limit: int
    units: tuple[UnitInfo, ...]
    clauses: tuple[int, ...]
    digest: bytes = b""
    keeps: tuple[KeepInfo, ...] = ()
    watches: tuple[WatchInfo, ...] = ()
    versions: tuple[tuple[str, int], ...] = ()


class Core(Struct, frozen=True, omit_defaults=True):
    """What decides verdicts, and what may be stored of a call (`store`).

    `matchers` are patterns and phrases sought in texts that are no slot.  `bound`: of a pact with a
    budget; without one the machine's own bounds are all there are.  `state`: of one that remembers calls.
    `score`: as the pact says; without it `pactlang.score` has the defaults.
    """

    name: str
    version: str
    renews: str
    schema: Schema
    constants: tuple[Constant, ...]
    sets: tuple[tuple[str, ...], ...]
    code: bytes
    temps: int
    atoms: tuple[Atom, ...]
    groups: tuple[Group, ...]
    matchers: tuple[Atom, ...]
    patterns: tuple[Pattern, ...]
    phrases: tuple[Phrases, ...]
    clauses: tuple[ClauseInfo, ...]
    store: tuple[StoreRule, ...] = ()
    bound: Bound | None = None
    state: State | None = None
    score: Score | None = None


class Overridden(Struct, frozen=True, array_like=True):
    """A declaration that takes the place of imported ones.  kind: clause, let, event, pattern or phrases;
    `span` and `replaced` are places in the source."""

    kind: str
    name: str
    span: tuple[int, int]
    replaced: tuple[tuple[int, int], ...]


class Dropped(Struct, frozen=True, array_like=True):
    """An imported clause that was taken out.  `span`: where that is said; `removed`: what was imported."""

    name: str
    span: tuple[int, int]
    removed: tuple[tuple[int, int], ...]


class Imports(Struct, frozen=True, array_like=True):
    """The files that a pact imports, by name and text, those that they import too; and what was overridden
    and dropped of them, in the pact and in these files."""

    files: tuple[tuple[str, str], ...] = ()
    overridden: tuple[Overridden, ...] = ()
    dropped: tuple[Dropped, ...] = ()


class Annex(Struct, frozen=True, omit_defaults=True):
    """What reports need: the typed tree (msgpack of `ir.Module`), the source's name and text, and what it
    imports."""

    module: bytes
    source_name: str
    source_text: str
    imports: Imports | None = None


class Program:
    """A compiled pact.

    `.name`, `.version`, `.clauses` (names and consequences, in source order), `.digest` (the pact's
    identity, 64 hex digits), `.schema`; `.module` (the typed tree) and `.source` are decoded when
    first asked for.  Equal if their bytes are.
    """

    def __init__(self, core: Core, annex: bytes, core_bytes: bytes | None = None) -> None:
        self.core = core
        self.annex_bytes = annex
        self.core_bytes = core_bytes if core_bytes is not None else encode(core)

    @property
    def name(self) -> str:
        """The pact's name."""
        return self.core.name

    @property
    def version(self) -> str:
        """The pact's version, as written."""
        return self.core.version

    @property
    def schema(self) -> Schema:
        """The records the pact knows, and what it reads."""
        return self.core.schema

    @property
    def clauses(self) -> tuple[ClauseInfo, ...]:
        """The clauses in source order."""
        return self.core.clauses

    @cached_property
    def digest(self) -> str:
        """The pact's identity: SHA-256 of the artifact without sources and spans, in hex."""
        return sha256(self.core_bytes).hexdigest()

    @cached_property
    def annex(self) -> Annex:
        """Typed tree and source.  ProgramError if they cannot be read."""
        return decode(self.annex_bytes, Annex, "annex")

    @cached_property
    def module(self) -> Module:
        """The typed tree, for `explain`.  ProgramError if it does not fit the program."""
        module = decode(self.annex.module, Module, "typed tree")
        if [c.name for c in module.clauses] != [c.name for c in self.clauses] or module.schema != self.schema:
            raise ProgramError("the typed tree is not this program's")
        return module

    @cached_property
    def source(self) -> Source:
        """The pact's text, and behind it those of the files that it imports."""
        files = [Source(name, text) for name, text in self.imports.files]
        return Source(self.annex.source_name, self.annex.source_text, files)

    @property
    def imports(self) -> Imports:
        """What the pact imports, overrides and drops; spans are places in `.source`."""
        return self.annex.imports or Imports()

    @cached_property
    def constants(self) -> list[Any]:
        """The constants as CEL values."""
        return [constant_value(constant) for constant in self.core.constants]

    def to_bytes(self) -> bytes:
        """The artifact: the same input gives the same bytes on every machine."""
        return seal(self.core_bytes, self.annex_bytes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and self.to_bytes() == other.to_bytes()

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"<Program {self.name} {self.version}, {len(self.clauses)} clauses, {self.digest[:12]}>"


def encode(value: Struct) -> bytes:
    """msgpack of a struct: maps in the order of its fields, so the bytes depend on nothing else."""
    return msgspec.msgpack.encode(value, order="deterministic")


def decode(data: bytes, form: type[T], what: str) -> T:
    """A struct from msgpack; ProgramError with the reason."""
    try:
        return msgspec.msgpack.decode(data, type=form)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError, ValueError) as error:
        raise ProgramError(f"the {what} is damaged: {error}") from None


def seal(core: bytes, annex: bytes) -> bytes:
    """The file around two msgpack bodies, with the right lengths and digest."""
    rest = struct.pack("<II", len(core), len(annex)) + core + annex
    return struct.pack("<4sHH32s", MAGIC, VERSION, 0, sha256(rest).digest()) + rest


def read(data: bytes) -> Program:
    """A program from the bytes of an artifact.

    Raises ProgramError, and nothing else, with the reason.  The code itself is verified by the
    machine that runs it; `check` here proves that every number in the core is in range.
    """
    core, annex = unseal(data)
    program = Program(decode(core, Core, "core"), annex, core)
    check(program)
    return program


def unseal(data: bytes) -> tuple[bytes, bytes]:
    """The two bodies of an artifact whose header and digest are right; ProgramError otherwise."""
    if data[:4] != MAGIC:
        raise ProgramError("not a compiled pact: it does not begin with PACT")
    if len(data) < HEADER.size:
        raise ProgramError("the file is cut short")
    if len(data) > MAX_BYTES:
        raise ProgramError(f"the file is larger than {MAX_BYTES} bytes")
    _, version, flags, digest, core_size, annex_size = HEADER.unpack_from(data)
    if version != VERSION or flags:
        raise ProgramError(f"version {version} with flags {flags}: this pactc reads version {VERSION}")
    if len(data) != HEADER.size + core_size + annex_size:
        raise ProgramError("the file is cut short or has something behind its end")
    if sha256(memoryview(data)[40:]).digest() != digest:
        raise ProgramError("the file was changed: its digest is not right")
    return data[HEADER.size : HEADER.size + core_size], data[HEADER.size + core_size :]


def check(program: Program) -> None:
    """Prove what the machine's verifier does not see; ProgramError with the reason."""
    core = program.core
    if len(core.code) % INSTRUCTION_SIZE:
        raise ProgramError("the code is cut short")
    if not 0 <= core.temps <= MAX_REGISTERS:
        raise ProgramError("too many registers")
    if len(core.clauses) > MAX_CLAUSES:
        raise ProgramError("too many clauses")
    names = [c.name for c in core.clauses]
    if len(set(names)) != len(names):
        raise ProgramError("a clause comes twice")
    if any(c.severity not in SEVERITIES for c in core.clauses):
        raise ProgramError("a clause has an unknown severity")
    check_schema(core.schema)
    check_text(core)
    check_store(core)
    check_bound(core)
    check_score(core)
    program.constants  # noqa: B018  (decodes them, and raises if one is no value)


def check_schema(schema: Schema) -> None:
    """Every name in the schema stands for something, and no record holds itself."""
    records = {record.name: record for record in schema.records}
    if len(records) != len(schema.records) or schema.root not in records:
        raise ProgramError("the schema's records are not right")
    for record in schema.records:
        fields = {field.name for field in record.fields}
        if len(fields) != len(record.fields) or not set(schema.reads.get(record.name, ())) <= fields:
            raise ProgramError(f"the fields of {record.name} are not right")
    if set(schema.reads) - set(records):
        raise ProgramError("the schema reads a record it does not know")
    ended: set[str] = set()
    for name in records:
        check_depth(name, records, (), ended)
    for i, slot in enumerate(schema.slots):
        if not -1 <= slot.base < i:
            raise ProgramError(f"slot {i} stands on no record")


def check_depth(name: str, records: dict[str, Record], above: tuple[str, ...], ended: set[str]) -> None:
    """Records that hold records end somewhere, at most MAX_DEPTH below the first.  `ended`: those of
    which that is known."""
    if name in ended:
        return
    if name in above or len(above) > MAX_DEPTH or name not in records:
        raise ProgramError(f"the record {name[:40]} holds itself, or is not there")
    for field in records[name].fields:
        for inner in record_names(field.type, 0):
            check_depth(inner, records, (*above, name), ended)
    ended.add(name)


def record_names(form: Type, depth: int) -> set[str]:
    """The records that a type mentions."""
    if depth > MAX_DEPTH:
        raise ProgramError("a type is nested too deep")
    own = {form.name} if form.kind == "record" else set()
    return own.union(*(record_names(inside, depth + 1) for inside in form.params))


def check_text(core: Core) -> None:
    """Atoms name patterns and phrases that exist, and belong to one group each."""
    for atom in (*core.atoms, *core.matchers):
        many = {"pattern": len(core.patterns), "phrases": len(core.phrases)}.get(atom.kind, 0)
        if not (atom.texts if atom.kind in TEXTS else 0 <= atom.index < many):
            raise ProgramError("a text atom stands for nothing")
    seen = sorted(atom for group in core.groups for atom in group.atoms)
    if seen != list(range(len(core.atoms))):
        raise ProgramError("the text atoms are not grouped")
    for group in core.groups:
        kinds = {TOGETHER.get(core.atoms[atom].kind, "") for atom in group.atoms}
        if len(kinds) > 1:
            raise ProgramError("a group of text atoms is of two kinds")
    if any(not 0 <= group.slot < len(core.schema.slots) for group in core.groups):
        raise ProgramError("a group of text atoms has no slot")


def check_store(core: Core) -> None:
    """Rules of storage name patterns and fields that exist."""
    fields = {field.name for field in core.schema.record(core.schema.root).fields}
    for rule in core.store:
        named = rule.kind in ("redact", "drop")
        if rule.kind not in STORE or named != (len(rule.field) == 1) or not set(rule.field) <= fields:
            raise ProgramError("a rule of storage is about nothing")
        if not -1 <= rule.pattern < len(core.patterns) or not 0 <= rule.amount < 2**63:
            raise ProgramError("a number of a rule of storage is out of range")


def check_bound(core: Core) -> None:
    """A bound says something of every slot, in numbers that the machine can count to."""
    bound = core.bound
    if bound is None:
        return
    if len(bound.texts) != len(core.schema.slots):
        raise ProgramError("the bound is of another record")
    if not all(0 <= number <= MOST_COUNTED for number in (bound.steps, *bound.texts)):
        raise ProgramError("a number of the bound is out of range")


def check_score(core: Core) -> None:
    """A score has a scale, weights for all dimensions that clauses have, and bands within it."""
    score = core.score
    if score is None:
        return
    weights, bands = dict(score.weights), [least for _, least in score.bands]
    if not (1 <= score.scale <= MOST_SCALE and 1 <= score.half_life <= MOST_COUNTED):
        raise ProgramError("the scale or the half-life of the score is out of range")
    if not 500_000 <= score.confidence < 1_000_000:
        raise ProgramError("the confidence of the score is out of range")
    watched = set() if core.state is None else {watch.clause for watch in core.state.watches}
    scored = {c.dimension for i, c in enumerate(core.clauses) if i not in watched}
    if len(weights) != len(score.weights) or not scored <= set(weights):
        raise ProgramError("the weights of the score are not right")
    if not any(weights.values()) or not all(0 <= weight <= MOST_COUNTED for weight in weights.values()):
        raise ProgramError("a weight of the score is out of range")
    if bands != sorted(set(bands), reverse=True) or not all(0 <= b <= score.scale * 10_000 for b in bands):
        raise ProgramError("the bands of the score are not in order")
