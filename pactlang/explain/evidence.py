"""Why a clause has the outcome it has: the fields that decided it, the text that was found, a sentence.

In: a module, one of its clauses, the values of a record's slots.  Out: `Evidence`.

Of `a && b` that is false the first false operand decides; of one that is true all do; errors decide
only where no operand does.  What decides is followed down to the comparisons, and these name fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pactlang import ir
from pactlang.evaluate import NOT_EVALUATED, Error, TraceNode, constant, place, trace, truth
from pactlang.explain.show import SHOWN, excerpt, opened, printable, quoted, shown
from pactlang.explain.written import BINARY, Writer, phrases_name
from pactlang.opcodes import Outcome
from pactlang.source import Source
from pactlang.text import position


class Match(NamedTuple):
    """Text that was found: in `field`, the characters [start, end) of its value; `name` is the
    pattern's or phrase list's name, or the pattern or the phrases themselves."""

    field: str
    start: int
    end: int
    text: str
    name: str


class Evidence(NamedTuple):
    """What decided a clause.

    values: field as written -> CEL value.  matched: the text that was found, if that decided.
    threshold: the constant it was compared with, None if none.  message: one sentence.
    """

    values: dict[str, Any]
    matched: Match | None
    threshold: Any
    message: str


class Atom(NamedTuple):
    """A comparison or the like that decided, and where: `element 2 of tool_calls`, "" outside loops."""

    at: TraceNode
    spot: str


class Story(NamedTuple):
    """A clause on one record: the traces of `applies when`, of `when` and of the promise (None if there
    is none, or it was not needed), what decided, and the outcome: None for a call outside the pact."""

    applies: TraceNode | None
    when: TraceNode | None
    promise: TraceNode | None
    deciding: tuple[Atom, ...]
    outcome: Outcome | None

    @property
    def word(self) -> str:
        """The outcome in a word."""
        return "outside" if self.outcome is None else self.outcome.name.lower()


def tell(module: ir.Module, clause: ir.Clause, row: Sequence[Any]) -> Story:
    """Judge a clause and keep every value on the way."""
    applies = scope(module, row)
    if applies is not None and _truth(applies) is not True:
        return Story(applies, None, None, *_shut(applies, module, None))
    when = None if clause.when is None else trace(clause.when, row, module)
    if when is not None and _truth(when) is not True:
        return Story(applies, when, None, *_shut(when, module, Outcome.SKIPPED))
    promise = trace(clause.promise, row, module)
    outcome = Outcome.VIOLATED if _truth(promise) is clause.never else Outcome.SATISFIED
    if isinstance(_truth(promise), Error):
        outcome = Outcome.UNKNOWN
    return Story(applies, when, promise, tuple(decide(promise, module)), outcome)


def scope(module: ir.Module, row: Sequence[Any]) -> TraceNode | None:
    """The trace of `applies when`; None where the pact is about every call."""
    return None if module.applies is None else trace(module.applies, row, module)


def _truth(at: TraceNode) -> bool | Error:
    return truth(at.node, at.value)


def _shut(
    gate: TraceNode, module: ir.Module, shut: Outcome | None
) -> tuple[tuple[Atom, ...], Outcome | None]:
    """What decided and the outcome, where a condition lets a clause not be asked."""
    outcome = Outcome.UNKNOWN if isinstance(_truth(gate), Error) else shut
    return tuple(decide(gate, module)), outcome


def decide(at: TraceNode, module: ir.Module, spot: str = "") -> Iterator[Atom]:
    """The comparisons (and the like) that gave a condition its value."""
    children = [child for child in at.children if child.value is not NOT_EVALUATED]
    match at.node:
        case ir.Logic():
            chosen = _decisive(at, children)
        case ir.Not() | ir.Cond():
            chosen = children
        case ir.Comprehension() if at.node.macro in ("all", "exists"):
            chosen = _turns(at, children)
        case _:
            chosen = _failed(at, children)
    if not chosen:
        yield Atom(at, spot)
    for child in chosen:
        yield from decide(child, module, _spot(at, child, module) or spot)


def _spot(loop: TraceNode, turn: TraceNode, module: ir.Module) -> str:
    if turn.item is NOT_EVALUATED or not isinstance(loop.node, ir.Comprehension):
        return ""
    source = place(loop.node.source, module)
    return f"element {turn.index + 1}" + (f" of {source}" if source else "")


def _decisive(at: TraceNode, children: list[TraceNode]) -> list[TraceNode]:
    """The operands of `&&` or `||` that gave it its value."""
    if not isinstance(at.value, bool):
        return [child for child in children if not isinstance(child.value, bool)]
    stops = isinstance(at.node, ir.Logic) and at.value is (at.node.op == "||")
    return [child for child in children if child.value is at.value] if stops else children


def _turns(at: TraceNode, children: list[TraceNode]) -> list[TraceNode]:
    """The turn of a loop that stopped it; none where all turns together decided."""
    turns = [child for child in children if child.item is not NOT_EVALUATED]
    if not isinstance(at.value, bool):
        return [turn for turn in turns if not isinstance(turn.value, bool)][:1]
    stops = isinstance(at.node, ir.Comprehension) and at.value is (at.node.macro == "exists")
    return turns[-1:] if stops else []


def _failed(at: TraceNode, children: list[TraceNode]) -> list[TraceNode]:
    """The part that brought an error out of a turn of a loop: it tells which element failed."""
    wrong = [child for child in children if isinstance(child.value, Error) and isinstance(at.value, Error)]
    return [child for child in wrong if any(_is_wrong_turn(part) for part in child.walk())][:1]


def _is_wrong_turn(at: TraceNode) -> bool:
    return at.item is not NOT_EVALUATED and isinstance(at.value, Error)


def evidence(
    module: ir.Module,
    clause: ir.Clause,
    row: Sequence[Any],
    source: Source | None = None,
    outcome: Outcome | None = None,
) -> Evidence:
    """The evidence for a clause's outcome on a record, given as the values of its slots.

    outcome: what the machine said.  It may count further than a trace, which then only repeats it.
    """
    story = tell(module, clause, row)
    if outcome is Outcome.UNKNOWN:
        if story.outcome is not outcome:
            return Evidence({}, None, None, f"{clause.name}: {OPENING[outcome]}: {BEYOND}")
    elif outcome is not None and story.outcome is Outcome.UNKNOWN:
        said = f"{clause.name}: {outcome.name.lower()}; its loops are too long to be retold"
        return Evidence({}, None, None, said)
    return evidence_of(story, module, clause, Writer(module, source))


def beyond(module: ir.Module, clause: ir.Clause, row: Sequence[Any]) -> bool:
    """Whether a clause that the machine could not decide could be, but for what a call may take."""
    return tell(module, clause, row).outcome is not Outcome.UNKNOWN


def evidence_of(story: Story, module: ir.Module, clause: ir.Clause, writer: Writer) -> Evidence:
    """The same for a clause that has been told."""
    atoms = [atom.at for atom in story.deciding]
    found = [match for atom in atoms if (match := find_match(atom, module, writer)) is not None]
    values = {writer.path(r.node): opened(r.value, module.schema) for atom in atoms for r in reads(atom)}
    bounds = [bound for atom in atoms if (bound := _threshold(atom)) is not NOT_EVALUATED]
    return Evidence(
        values,
        found[0] if found else None,
        bounds[0] if bounds else None,
        f"{clause.name}: {sentence(story, module, writer)}",
    )


def reads(at: TraceNode) -> Iterator[TraceNode]:
    """The fields that an expression reads: whole paths, not their beginnings."""
    if at.value is NOT_EVALUATED or isinstance(at.node, ir.Const):
        return
    if place_like(at.node) and not isinstance(at.value, Error):
        yield at
        return
    for child in at.children:
        if child.item is NOT_EVALUATED:
            yield from reads(child)


def place_like(node: ir.Expr) -> bool:
    """True for a field, a key, an element or a loop's variable."""
    if isinstance(node, ir.Call):
        return node.function == "_[_]" and isinstance(node.args[1], ir.Const) and place_like(node.args[0])
    if isinstance(node, ir.Member | ir.Key):
        return place_like(node.operand)
    return isinstance(node, ir.Slot | ir.Var)


# Text that was found --------------------------------------------------------------------------

SEARCHES = ("contains", "startsWith", "endsWith")


def find_match(at: TraceNode, module: ir.Module, writer: Writer) -> Match | None:
    """The text that a search found, None if the node is no search or found nothing."""
    node = at.node
    if at.value is not True or not at.children or not isinstance(at.children[0].value, str):
        return None
    text = at.children[0].value
    if isinstance(node, ir.Matches | ir.Says):
        span, name = at.found, search_name(node, module)
    elif isinstance(node, ir.Call) and node.function in SEARCHES:
        name = str(at.children[1].value)
        start = len(text) - len(name) if node.function == "endsWith" else position(name, text)
        span = start, start + len(name)
    else:
        return None
    if span is None:
        return None
    return Match(writer.path(at.children[0].node), *span, text[slice(*span)], name)


def search_name(node: ir.Matches | ir.Says, module: ir.Module) -> str:
    """The name of a pattern or of a list of phrases, or itself where it has none."""
    if isinstance(node, ir.Says):
        return phrases_name(module.phrases[node.phrases])
    pattern = module.patterns[node.pattern]
    return pattern.name or pattern.source


# The sentence ---------------------------------------------------------------------------------

MANY = 4  # comparisons that one sentence names
OPENING = {
    None: "the pact is not about this call",
    Outcome.UNKNOWN: "cannot be decided",
    Outcome.SKIPPED: "does not apply",
}
BEYOND = (
    "the call takes more steps, or has a longer text to search, than the pact's budget or the machine allows"
)
SWAPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def _comparison(at: TraceNode) -> tuple[TraceNode, str, TraceNode] | None:
    """The two sides of a comparison, a constant on the right."""
    node = at.node
    if not isinstance(node, ir.Call) or len(at.children) != 2:
        return None
    sign = BINARY.get(node.function, "")
    left, right = at.children
    if sign == "in":
        return left, sign, right
    if sign not in SWAPPED:
        return None
    if isinstance(left.node, ir.Const) and not isinstance(right.node, ir.Const):
        return right, SWAPPED[sign], left
    return left, sign, right


def _threshold(at: TraceNode) -> Any:
    """The constant that a comparison compares with; NOT_EVALUATED if there is none."""
    sides = _comparison(at)
    if sides is None:
        return NOT_EVALUATED
    right = sides[2]
    if isinstance(right.node, ir.Const):
        return constant(right.node)
    if isinstance(right.node, ir.ListOf) and all(isinstance(item, ir.Const) for item in right.node.items):
        return right.value
    return NOT_EVALUATED


def sentence(story: Story, module: ir.Module, writer: Writer) -> str:
    """What decided, in words, without the clause's name."""
    atoms = story.deciding
    if story.outcome == Outcome.UNKNOWN:
        atoms = tuple(atom for atom in atoms if not isinstance(atom.at.value, bool)) or atoms
    parts = list(dict.fromkeys(_say(atom, module, writer) for atom in atoms[:MANY]))
    said = in_a_row(parts + [f"{len(atoms) - MANY} more"] * (len(atoms) > MANY))
    return said if story.outcome not in OPENING else f"{OPENING[story.outcome]}: {said}"


def in_a_row(parts: list[str]) -> str:
    """Clauses of a sentence, which may hold commas: `a, and b`; `a; b; and c`."""
    if len(parts) < 3:
        return ", and ".join(parts)
    return f"{'; '.join(parts[:-1])}; and {parts[-1]}"


def _say(atom: Atom, module: ir.Module, writer: Writer) -> str:
    said = _say_plainly(atom.at, module, writer)
    return f"in {atom.spot}, {said}" if atom.spot else said


def _say_plainly(at: TraceNode, module: ir.Module, writer: Writer) -> str:
    node, value = at.node, at.value
    if isinstance(value, Error):
        return printable(value.message)
    match node:
        case ir.Matches() | ir.Says():
            return _say_search(at, module, writer)
        case ir.Has():
            return f"{writer.path(node.operand)} is {'present' if value else 'missing'}"
        case ir.Comprehension():
            return _say_loop(at, module, writer)
    sides = _comparison(at)
    if sides is not None and isinstance(value, bool):
        return _say_comparison(at, sides, module, writer)
    if isinstance(node, ir.Call) and node.function in SEARCHES:
        return _say_part(at, writer)
    return f"{writer.path(node)} is {shown(value, module.schema)}" + _where(at, module, writer)


def _where(at: TraceNode, module: ir.Module, writer: Writer) -> str:
    """The fields behind a value that is no field itself."""
    if place_like(at.node):
        return ""
    known = {writer.path(read.node): shown(read.value, module.schema, SHOWN) for read in reads(at)}
    return "".join(f", where {field} is {value}" for field, value in list(known.items())[:2])


def _say_comparison(
    at: TraceNode, sides: tuple[TraceNode, str, TraceNode], module: ir.Module, writer: Writer
) -> str:
    left, sign, right = sides
    head = f"{writer.path(left.node)} is {shown(left.value, module.schema)}"
    other = _other(at, right, module, writer)
    if sign in ("==", "!="):
        same = at.value is (sign == "==")
        if same and isinstance(right.node, ir.Const):
            return head
        return f"{head}, {'the same as' if same else 'not'} {other}"
    return f"{head}, {'which is' if at.value else 'not'} {sign} {other}" + _inner(left, module, writer)


def _other(at: TraceNode, right: TraceNode, module: ir.Module, writer: Writer) -> str:
    """The right side: a constant as written, with its name; anything else with its value."""
    value = shown(right.value, module.schema)
    if not isinstance(right.node, ir.Const | ir.ListOf):
        return f"{writer.path(right.node)}, which is {value}"
    alias = writer.alias(right.node, at.node)
    text = writer.text(right.node) if isinstance(right.node, ir.Const) else value
    return f"{text} ({alias})" if alias else text


def _inner(left: TraceNode, module: ir.Module, writer: Writer) -> str:
    return "" if place_like(left.node) else _where(left, module, writer)


def _say_search(at: TraceNode, module: ir.Module, writer: Writer) -> str:
    node = at.node
    assert isinstance(node, ir.Matches | ir.Says)
    field, name = writer.path(node.operand), quoted_name(search_name(node, module))
    found = find_match(at, module, writer)
    if found is None:
        return f"{field} {'says nothing of' if isinstance(node, ir.Says) else 'does not match'} {name}"
    text = quoted(found.text)
    verb = "says" if isinstance(node, ir.Says) else "holds"
    return f"{field} {verb} {text} ({name}) at {found.start}-{found.end}"


def quoted_name(name: str) -> str:
    """A name as it is; a pattern or a list cut to one line."""
    return name if name.isidentifier() else quoted(name)[1:-1] or '""'


PARTS = {"contains": "contain", "startsWith": "start with", "endsWith": "end with"}
THIRD = {"contains": "contains", "startsWith": "starts with", "endsWith": "ends with"}


def _say_part(at: TraceNode, writer: Writer) -> str:
    node = at.node
    assert isinstance(node, ir.Call)
    field, part = writer.path(node.args[0]), quoted(str(at.children[1].value))
    if at.value:
        return f"{field} {THIRD[node.function]} {part}"
    text = quoted(str(at.children[0].value), 40)
    return f"{field} is {text}, which does not {PARTS[node.function]} {part}"


def _say_loop(at: TraceNode, module: ir.Module, writer: Writer) -> str:
    """A loop that no single turn decided."""
    node = at.node
    assert isinstance(node, ir.Comprehension)
    source = writer.path(node.source)
    turns = [child for child in at.children if child.item is not NOT_EVALUATED]
    if not turns:
        return f"{source} is empty"
    test = writer.text(turns[-1].node)
    if node.macro in ("all", "exists"):
        return f"{test} {'holds for every' if at.value else 'holds for no'} {node.name} in {source}"
    return f"{writer.text(node)} is {shown(at.value, module.schema)}"


def around(at: TraceNode, module: ir.Module, writer: Writer) -> str | None:
    """The text under a search, cut to what stands around the match."""
    found = find_match(at, module, writer)
    if found is None:
        return None
    return excerpt(at.children[0].value, found.start, found.end)
