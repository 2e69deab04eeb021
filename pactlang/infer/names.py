"""Names for what a log calls otherwise.

In: keys of JSON data.  Out: names that a pact can use as they stand.
"""

from __future__ import annotations

import re
from collections.abc import Container

UPPER = re.compile(r"[A-Z][A-Za-z0-9]*")
# Words that CEL reserves, constants, names of types, and words that begin a line of a pact or a clause.
AVOIDED = frozenset(
    """
    as break const continue else false for function if import in let loop null package namespace return
    true var void while bool bytes double duration dyn int list map string timestamp type uint optional net
    math strings base64 call when require never keep watch at after on dimension severity enum
    """.split()
)


def snake(key: str) -> str:
    """`requestId`, `request-id` and `gen_ai.request.id` in small letters and underscores."""
    key = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", key)
    name = re.sub(r"[^A-Za-z0-9]+", "_", key).strip("_").lower()
    if not name or name[0].isdigit():
        name = f"field_{name}".rstrip("_")
    return name


def safe(name: str) -> str:
    """The name, or one beside it that means nothing else."""
    return f"{name}_value" if name in AVOIDED else name


def in_and_out(parent: str, keys: Container[str]) -> dict[str, str]:
    """Names for `in`, a word of CEL, and for an `out` beside it: `input_tokens` and `output_tokens` where
    they count tokens, else `input`; none where another key has that name already."""
    if "in" not in keys:
        return {}
    end = "_tokens" if {"tokens", "token", "usage"} & set(snake(parent).split("_")) else ""
    named = {"in": f"input{end}", "out": f"output{end}"}
    return {key: name for key, name in named.items() if name not in keys and (end or key == "in")}


def unique(name: str, taken: set[str]) -> str:
    """The name with a number behind it if others have it; it is taken from now on."""
    name = safe(name)
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}_{number}" if name[:1].islower() else f"{name}{number}"
    taken.add(found)
    return found
