"""A story in one sentence: the fields, their values, and what these were compared with.

In: a `Story`, the module, a `Writer`.  Out: a sentence without the clause's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from pactlang import ir
from pactlang.evaluate import NOT_EVALUATED, Error, TraceNode
from pactlang.explain.found import SEARCHES, find_match, search_name
from pactlang.explain.show import SHOWN, clipped, printable, quoted, shown
from pactlang.explain.story import Atom, Bound, Story, is_literal, place_like, reads, subject, visited
from pactlang.explain.written import BINARY, Writer
from pactlang.opcodes import Outcome
from pactlang.values import Optional

MANY = 4  # comparisons that one sentence names
FIELDS = 3  # fields behind a value that is no field itself
SOURCE = 48  # characters of a loop's source that is no field
OPENING = {
    None: "the pact is not about this call",
    Outcome.UNKNOWN: "cannot be decided",
    Outcome.SKIPPED: "does not apply",
}
TOO_LONG = "its loops are too long to be retold"
SWAPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}

Sides = tuple[TraceNode, str, TraceNode]


def sentence(story: Story, writer: Writer) -> str:
    """What decided, in words, without the clause's name."""
    atoms = story.deciding
    if story.outcome == Outcome.UNKNOWN:
        atoms = tuple(atom for atom in atoms if not isinstance(atom.at.value, bool)) or atoms
    said = said_of(atoms, writer, story.outcome == Outcome.UNKNOWN)
    return said if story.outcome not in OPENING else f"{OPENING[story.outcome]}: {said}"


def said_of(atoms: tuple[Atom, ...], writer: Writer, condition: bool) -> str:
    """What decided; what several comparisons have in common, the turn of a loop, is said once."""
    parts = [(_spot(atom, writer), _say(atom, writer, condition)) for atom in atoms[:MANY]]
    parts = list(dict.fromkeys(parts))
    more = [f"{len(atoms) - MANY} more"] * (len(atoms) > MANY)
    if len({spot for spot, _ in parts}) == 1:
        return parts[0][0] + in_a_row([said for _, said in parts] + more)
    turns = [
        spot + in_a_row([said for _, said in inside]) for spot, inside in groupby(parts, lambda part: part[0])
    ]
    return in_a_row(turns + more)


def in_a_row(parts: list[str]) -> str:
    """Clauses of a sentence, which may hold commas: `a, and b`; `a; b; and c`."""
    if len(parts) < 3:
        return ", and ".join(parts)
    return f"{'; '.join(parts[:-1])}; and {parts[-1]}"


def _spot(atom: Atom, writer: Writer) -> str:
    """`in element 2 of tool_calls, `; "" outside loops."""
    spots = [f"in {_turn(loop, turn, atom.bound, writer)}, " for loop, turn in atom.spots]
    return "".join(spots)


def _turn(loop: TraceNode, turn: TraceNode, bound: Bound, writer: Writer) -> str:
    assert isinstance(loop.node, ir.Comprehension)
    source, key = loop.children[0], ""
    if isinstance(source.value, dict):
        first = turn.item[0] if loop.node.second >= 0 else turn.item
        key = shown(first, writer.module.schema, SOURCE)
    turned = f"entry {key}" if key else f"element {turn.index + 1}"
    return f"{turned} of {_source(source, bound, writer)}"


def _source(source: TraceNode, bound: Bound, writer: Writer) -> str:
    """What a loop goes over: a field, through `orValue`; or what is written there."""
    found, missing = subject(source)
    if place_like(found.node) and not missing:
        return writer.path(found.node, bound)
    return clipped(writer.text(source.node), SOURCE)


# One comparison ------------------------------------------------------------------------------


def _say(atom: Atom, writer: Writer, condition: bool = False) -> str:
    """condition: it had to be true or false."""
    at, bound = atom.at, atom.bound
    node, value = at.node, at.value
    if isinstance(value, Error):
        return _say_error(at, bound, writer)
    match node:
        case ir.Matches() | ir.Says():
            return _say_search(at, bound, writer)
        case ir.Has():
            return f"{writer.path(node.operand, bound)} is {'present' if value else 'missing'}"
        case ir.Comprehension(macro="all" | "exists" | "exists_one"):
            return _say_loop(at, bound, writer)
        case ir.Call() if node.function in SEARCHES and isinstance(at.children[0].value, str):
            return _say_part(at, bound, writer)
    sides = comparison(at, bound)
    if sides is not None and isinstance(value, bool):
        return _say_comparison(at, sides, bound, writer)
    no_bool = ", which is neither true nor false" if condition and not isinstance(value, bool) else ""
    return _head(at, bound, writer) + no_bool + _where([at], bound, writer)


def _say_error(at: TraceNode, bound: Bound, writer: Writer) -> str:
    """The reason, and the fields behind it that the reason does not name."""
    assert isinstance(at.value, Error)
    message = printable(at.value.message)
    return message + _where([at], bound, writer, message)


def _head(at: TraceNode, bound: Bound, writer: Writer) -> str:
    """`args.amount is 62.5`; of a field that is missing, what it counts as."""
    value = shown(at.value, writer.module.schema)
    found, missing = subject(at)
    if not place_like(found.node) or (isinstance(found.node, ir.Var) and found is not at):
        text = writer.named(at.node, bound)
        return f"({text}) is {value}" if isinstance(at.node, ir.Cond | ir.Logic) else f"{text} is {value}"
    name = writer.named(found.node, bound)
    if missing:
        return f"{name} is missing and counts as {value}"
    if isinstance(at.value, Optional):
        inside = shown(at.value.value, writer.module.schema)
        return f"{name} is {inside if at.value.present else 'missing'}"
    return f"{name} is {value}"


def _where(parts: Sequence[TraceNode], bound: Bound, writer: Writer, message: str = "") -> str:
    """The fields behind values that are no fields themselves."""
    known = [field for at in parts for field in fields(at, bound, writer, message)]
    return f", where {' and '.join(list(dict.fromkeys(known))[:FIELDS])}" if known else ""


def fields(at: TraceNode, bound: Bound, writer: Writer, message: str = "") -> list[str]:
    """`args.n is 0` for each field behind a value that neither its own name nor a message names."""
    own = writer.path(subject(at)[0].node, bound)
    known: dict[str, str] = {}
    for read in reads(at, bound):
        path = writer.path(read.at.node, read.bound)
        told = any(f"`{path}{end}" in message for end in "`.[") if message else path == own
        if not told:
            known[path] = f"{path} is {_held(read.at, writer)}"
    return list(known.values())


def _held(read: TraceNode, writer: Writer) -> str:
    """The value of a field; of an optional what it holds."""
    value = read.value
    if isinstance(value, Optional):
        return shown(value.value, writer.module.schema, SHOWN) if value.present else "missing"
    return shown(value, writer.module.schema, SHOWN)


# Comparisons ---------------------------------------------------------------------------------


def comparison(at: TraceNode, bound: Bound) -> Sides | None:
    """The two sides of a comparison, what is the same on every call on the right."""
    node = at.node
    if not isinstance(node, ir.Call) or len(at.children) != 2:
        return None
    sign = BINARY.get(node.function, "")
    left, right = at.children
    if sign == "in":
        return left, sign, right
    if sign not in SWAPPED:
        return None
    if is_fixed(left, bound) and not is_fixed(right, bound):
        return right, SWAPPED[sign], left
    return left, sign, right


def is_fixed(at: TraceNode, bound: Bound) -> bool:
    """Whether a value is the same on every call: nothing of the record goes into it."""
    if at.value is NOT_EVALUATED:
        return False
    for part, known in visited(at, bound):
        own = isinstance(part.node, ir.Var) and part.node.index not in known
        if own or isinstance(part.node, ir.Slot | ir.Comprehension):
            return False
    return True


def _say_comparison(at: TraceNode, sides: Sides, bound: Bound, writer: Writer) -> str:
    left, sign, right = sides
    head, other = _head(left, bound, writer), _other(at, right, bound, writer)
    behind = _where([left] if place_like(right.node) else [left, right], bound, writer)
    if sign in ("==", "!="):
        same = at.value is (sign == "==")
        if same and is_literal(right.node):
            return head + behind
        return f"{head}, {'the same as' if same else 'not'} {other}{behind}"
    return f"{head}, {'which is' if at.value else 'not'} {sign} {other}{behind}"


def _other(at: TraceNode, right: TraceNode, bound: Bound, writer: Writer) -> str:
    """The right side: a constant as written, with its name; anything else with its value."""
    value, node = shown(right.value, writer.module.schema), right.node
    if isinstance(node, ir.Const):
        alias, text = writer.alias(node, at.node), writer.text(node)
        return f"{text} ({alias})" if alias else text
    if isinstance(node, ir.Var) and node.index in bound:
        init = bound[node.index].node
        return f"{value} ({node.name}{'' if is_literal(init) else f' = {writer.text(init)}'})"
    if place_like(node):
        return f"{writer.path(node, bound)}, which is {value}"
    return value if is_fixed(right, bound) else f"{value} ({writer.text(node)})"


# Searches and loops --------------------------------------------------------------------------


def _say_search(at: TraceNode, bound: Bound, writer: Writer) -> str:
    node = at.node
    assert isinstance(node, ir.Matches | ir.Says)
    field = writer.path(subject(at.children[0])[0].node, bound)
    name = quoted_name(search_name(node, writer.module))
    found = find_match(at, bound, writer)
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


def _say_part(at: TraceNode, bound: Bound, writer: Writer) -> str:
    node = at.node
    assert isinstance(node, ir.Call)
    text, part = at.children[0], quoted(str(at.children[1].value))
    field = writer.path(subject(text)[0].node, bound)
    if at.value:
        return f"{field} {THIRD[node.function]} {part}"
    return f"{field} is {quoted(text.value, 40)}, which does not {PARTS[node.function]} {part}"


def _say_loop(at: TraceNode, bound: Bound, writer: Writer) -> str:
    """A loop that no single turn decided."""
    node = at.node
    assert isinstance(node, ir.Comprehension) and node.test is not None
    source = at.children[0]
    name = _source(source, bound, writer)
    if not source.value:
        return f"{name} is empty" + _missing(source, bound, writer)
    names = ", ".join(filter(None, (node.name, node.second_name)))
    test = writer.text(node.test)
    if node.macro == "all":
        return f"{test} holds for every {names} in {name}"
    value = f", which is {shown(source.value, writer.module.schema)}"
    if node.macro == "exists":
        return f"{test} holds for no {names} in {name}{value}"
    return f"{test} {'holds' if at.value else 'does not hold'} for exactly one {names} in {name}{value}"


def _missing(source: TraceNode, bound: Bound, writer: Writer) -> str:
    found, missing = subject(source)
    return f": {writer.path(found.node, bound)} is missing" if missing and place_like(found.node) else ""
