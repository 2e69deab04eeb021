"""What is said of the thing under the mouse: its declaration, its type, what it costs.

In: a document, an offset, and what the last check found out about costs.  Out: Markdown and the span that
it is about, or None.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pactlang import syntax
from pactlang.functions import FUNCTIONS
from pactlang.lsp import forms, meanings
from pactlang.lsp.document import Document, Place, moved
from pactlang.lsp.facts import CLAUSE, FIELD, RECORD, TYPE, VALUE, VARIABLE, Use, path
from pactlang.lsp.knowledge import Knowledge, Learnt
from pactlang.lsp.segments import Placed
from pactlang.schema import Field, Type
from pactlang.source import Span
from pactlang.standard import STANDARD, WIRES

MOST_LINES = 12  # of a declaration that are shown


class Hover(NamedTuple):
    """Markdown, and the place in the file that it is about."""

    text: str
    span: Span


def hover(document: Document, knowledge: Knowledge, offset: int, costs: Mapping[str, str]) -> Hover | None:
    """What is known of the thing at an offset."""
    found = document.use_at(offset)
    if found is not None:
        placed, use = found
        text = _of_name(document, knowledge, placed, use, costs)
        if text:
            return Hover(text, moved(use.span, placed.shift))
    return _of_value(document.at(offset), knowledge, offset)


def learnt(placed: Placed, knowledge: Knowledge, at: int) -> tuple[Learnt, list[syntax.Node]] | None:
    """The types of the declaration at an offset of the tree, and the nodes around it."""
    for item in placed.segment.items:
        if item.span.start <= at <= item.span.end:
            return knowledge.learn(item), path(item, at)
    return None


def _of_value(placed: Placed, knowledge: Knowledge, offset: int) -> Hover | None:
    """The type of an expression that is no name: of a literal, an operator, a bracket."""
    at = offset - placed.shift
    found = learnt(placed, knowledge, at)
    if found is None:
        return None
    types, nodes = found
    expr = next((node for node in reversed(nodes) if isinstance(node, syntax.Expr)), None)
    type = None if expr is None else types.type(expr)
    if expr is None or type is None:
        return None
    return Hover(_code(str(type)), moved(expr.span, placed.shift))


def _of_name(
    document: Document, knowledge: Knowledge, placed: Placed, use: Use, costs: Mapping[str, str]
) -> str:
    match use.space:
        case "function":
            return function_text(_function_name(placed, use))
        case "variable" | "member":
            return _typed(document, knowledge, placed, use)
        case "dimension":
            return _clauses_of(document, use.name)
        case "severity" | "type" if document.resolve(use) is None:
            return ""
    place = document.resolve(use)
    if place is not None and place.declared.space == FIELD:
        return field_text(knowledge, place.declared.of, use.name)
    if place is not None:
        return _declaration(document, knowledge, place, costs)
    if use.space in (VALUE, FIELD):
        return field_text(knowledge, use.of or knowledge.root, use.name) or _typed(
            document, knowledge, placed, use
        )
    if use.space in (RECORD, TYPE) and use.name in knowledge.records:
        return _code(f"record {use.name}")
    return ""


def _declaration(document: Document, knowledge: Knowledge, place: Place, costs: Mapping[str, str]) -> str:
    text = document.text if not place.imported or document.imported.source is None else None
    if text is None:
        assert document.imported.source is not None
        text = document.imported.source.text
    whole = moved(place.declared.whole, place.shift)
    parts = [_code(_shown(text[whole.start : whole.end]))]
    node = place.declared.node
    if isinstance(node, syntax.Let | syntax.Event):
        value = node.value if isinstance(node, syntax.Let) else node.condition
        type = knowledge.learn(node).type(value)
        parts += [f"`{place.declared.name}` is {_an(type)}"] if type is not None else []
    if place.declared.space == CLAUSE and place.declared.name in costs:
        parts.append(costs[place.declared.name])
    return "\n\n".join(parts)


def _shown(text: str) -> str:
    lines = text.splitlines()
    return "\n".join(lines if len(lines) <= MOST_LINES else [*lines[:MOST_LINES], "..."])


def _typed(document: Document, knowledge: Knowledge, placed: Placed, use: Use) -> str:
    found = learnt(placed, knowledge, use.span.start)
    if found is None:
        return ""
    types, nodes = found
    if use.space == VARIABLE:
        type = types.variable(use.name, use.span)
        return "" if type is None else _code(f"{use.name}: {type}")
    expr = _expression_of(nodes, use.span)
    if expr is None:
        return ""
    if isinstance(expr, syntax.Select):
        receiver = types.type(expr.operand)
        if receiver is not None and receiver.kind == "record":
            return field_text(knowledge, receiver.name, use.name, _path(expr))
    type = types.type(expr)
    return "" if type is None else _code(f"{use.name}: {type}")


def _expression_of(nodes: list[syntax.Node], name: Span) -> syntax.Name | syntax.Select | None:
    """The expression that a name makes: itself, or what is before its dot with it."""
    for node in reversed(nodes):
        if isinstance(node, syntax.Name) or (isinstance(node, syntax.Select) and node.field_span == name):
            return node
    return None


def _path(expr: syntax.Select) -> tuple[str, ...]:
    """`usage.input_tokens` as the path of a field of the record, () for anything else."""
    operand = expr.operand
    return (operand.name, expr.field) if isinstance(operand, syntax.Name) else ()


def field_text(knowledge: Knowledge, record: str, name: str, at: tuple[str, ...] = ()) -> str:
    """A field: its type, its record, its names in the data, what it means."""
    field = knowledge.fields(record).field(name)
    if field is None:
        return ""
    at = at or (name,)
    parts = [_code(f"{name}: {field.type}"), f"from record `{record}`"]
    standard = record in STANDARD and STANDARD[record].field(name) == field
    if standard and ".".join(at) in meanings.FIELDS:
        parts[1] += f": {meanings.FIELDS['.'.join(at)]}"
    if field.has_default:
        parts.append(f"absent in the data, it is `{_default(field)}`")
    elif field.type.nullable:
        parts.append("absent in the data, it is `null`")
    wires = [*field.names, *(wire.key for wire in WIRES.get(at, ()) if standard)]
    parts.append("in the data: " + ", ".join(f"`{wire}`" for wire in dict.fromkeys(wires)))
    return "\n\n".join(parts)


def _default(field: Field) -> str:
    return '"' + field.default + '"' if isinstance(field.default, str) else str(field.default).lower()


def _function_name(placed: Placed, use: Use) -> str:
    """`math.abs` where a namespace is before it, else the name."""
    call = next(
        (
            node
            for item in placed.segment.items
            for node in reversed(path(item, use.span.start))
            if isinstance(node, syntax.Call) and node.name_span == use.span
        ),
        None,
    )
    if call is not None and isinstance(call.target, syntax.Name):
        whole = f"{call.target.name}.{use.name}"
        if whole in FUNCTIONS or whole in forms.MACROS:
            return whole
    return use.name


def function_text(name: str) -> str:
    """A function: its forms, and what it gives."""
    written, meaning = meanings.FUNCTIONS.get(name) or forms.MACROS.get(name) or ((), "")
    if not written:
        return ""
    return _code("\n".join(written)) + (f"\n\n{meaning}" if meaning else "")


def _clauses_of(document: Document, dimension: str) -> str:
    named = [
        place.declared.name
        for place in document.names(CLAUSE)
        if isinstance(place.declared.node, syntax.Clause)
        and any(
            i.name.name == dimension for i in place.declared.node.items if isinstance(i, syntax.Dimension)
        )
    ]
    return f"dimension `{dimension}`: " + ", ".join(f"`{name}`" for name in named[:MOST_LINES])


def _an(type: Type) -> str:
    word = str(type)
    return f"{'an' if word[:1] in 'aeio' else 'a'} `{word}`"


def _code(text: str) -> str:
    return f"```pact\n{text}\n```"
