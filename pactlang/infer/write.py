"""The text of a drafted pact.

In: records or added fields, and promises.  Out: text; `fmt` gives it its style.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pactlang.infer.fields import Declared, Field
    from pactlang.infer.promises import Promise

CARD = r'pattern card = r"\b\d(?:[ -]?\d){12,18}\b" check luhn'
SECTION = "// What each record promises: as far as was seen.  Keep what ought to hold, change the rest."


def quoted(text: str) -> str:
    """A string literal; what cannot be seen, or turns the text around it, as an escape."""
    return "".join(map(_visible, json.dumps(text, ensure_ascii=False)))


def _visible(sign: str) -> str:
    if sign.isprintable():
        return sign
    return f"\\u{ord(sign):04x}" if sign < "\U00010000" else f"\\U{ord(sign):08x}"


def written(
    name: str,
    records: Sequence[Declared] | None,
    added: Sequence[Field],
    promises: Sequence[Promise],
    count: int,
) -> str:
    """The pact's text.  records: its own, the root last; None: it is about `Call`, extended by `added`."""
    root = "" if records is None else f" on {records[-1].name}"
    plural = "record" if count == 1 else "records"
    parts = [f'pact {name} "0.1.0"{root}\n  "A first pact, drafted from {count:,} {plural}."']
    parts += map(_record, reversed(records or ()))
    if added:
        parts.append("extend Call {\n" + "\n".join(map(_field, added)) + "\n}")
    if any(promise.pattern for promise in promises):
        parts.append(f"// 13 to 19 digits count as a card number only if the check digit fits.\n{CARD}")
    parts.append(SECTION + "\n" + "\n\n".join(map(_clause, promises)))
    return "\n\n".join(parts) + "\n"


def _record(record: Declared) -> str:
    return f"record {record.name} {{\n" + "\n".join(map(_field, record.fields)) + "\n}"


def _field(field: Field) -> str:
    wire = "" if field.key == field.name else f" as {quoted(field.key)}"
    note = f"  // {field.note}" if field.note else ""
    return f"  {field.name}: {field.type}{wire}{note}"


def _clause(promise: Promise) -> str:
    said = f" {quoted(promise.description)}" if promise.description else ""
    lines = [f"clause {promise.name}{said} {{"]
    if promise.severity != "major":
        lines.append(f"  severity {promise.severity}")
    if promise.when:
        lines.append(f"  when {promise.when}")
    return "\n".join([*lines, f"  {promise.promise}", "}"])
