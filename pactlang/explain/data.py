"""The story of a clause as JSON data, for programs.

In: a module, one of its clauses, the values of a record's slots.  Out: dicts and lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pactlang import ir
from pactlang.evaluate import NOT_EVALUATED, Error, TraceNode
from pactlang.explain.evidence import evidence_of, too_long
from pactlang.explain.show import plain
from pactlang.explain.story import outside, tell
from pactlang.explain.written import Writer
from pactlang.opcodes import Outcome
from pactlang.source import Source
from pactlang.values import type_name


def explain_data(
    module: ir.Module,
    clause: ir.Clause,
    row: Sequence[Any],
    source: Source | None = None,
    outcome: Outcome | None = None,
) -> dict[str, Any]:
    """The story as JSON data: `clause outcome message values matched threshold when promise`, where a
    condition is `text span state value decides children` (state: value, error or not evaluated).

    A turn of a loop has also `element` (from 1) and `item`, of two variables a list; turns that decide
    nothing may be left out.  A value of `cel.bind` has the variable's `name`.

    outcome: what the machine said, which may count further than a trace; `promise` is then an error.
    """
    story, writer = tell(module, clause, row), Writer(module, source)
    found, word = evidence_of(story, clause, writer), story.word
    if outcome is not None and story.outcome is Outcome.UNKNOWN is not outcome:
        found, word = too_long(clause, outcome), outcome.name.lower()
    deciding = {id(atom.at) for atom in story.deciding}
    schema = module.schema
    return {
        "clause": clause.name,
        "severity": clause.severity,
        "outcome": word,
        "message": found.message,
        "values": {name: plain(value, schema) for name, value in found.values.items()},
        "matched": None if found.matched is None else found.matched._asdict(),
        "threshold": plain(found.threshold, schema),
        "when": None if story.when is None else _data(story.when, writer, deciding),
        "never": clause.never,
        "promise": _data(story.promise or TraceNode(ir.condition(clause)), writer, deciding),
    }


def scope_data(module: ir.Module, row: Sequence[Any], source: Source | None = None) -> dict[str, Any] | None:
    """`applies when` as JSON data, a condition as above; None where the pact is about every call."""
    story, writer = outside(module, row), Writer(module, source)
    if story.applies is None:
        return None
    return _data(story.applies, writer, {id(atom.at) for atom in story.deciding})


def _data(at: TraceNode, writer: Writer, deciding: set[int]) -> dict[str, Any]:
    schema = writer.module.schema
    data: dict[str, Any] = {"text": writer.text(at.node), "span": list(at.node.span)}
    if at.value is NOT_EVALUATED:
        data["state"] = "not evaluated"
    elif isinstance(at.value, Error):
        data |= {"state": "error", "error": at.value.code, "message": at.value.message}
    else:
        data |= {"state": "value", "type": type_name(at.value), "value": plain(at.value, schema)}
    data["decides"] = id(at) in deciding
    if at.item is not NOT_EVALUATED:
        data["element"] = at.index + 1
        data["item"] = _item(at.item, writer)
    data["children"] = [_data(child, writer, deciding) for child in at.children]
    for name, child in zip(_names(at.node), data["children"], strict=False):
        child["name"] = name
    return data


def _item(item: Any, writer: Writer) -> Any:
    if isinstance(item, list):
        return [_item(part, writer) for part in item]
    return str(item) if isinstance(item, Error) else plain(item, writer.module.schema)


def _names(node: ir.Expr) -> tuple[str, ...]:
    return node.names if isinstance(node, ir.Bind) else ()
