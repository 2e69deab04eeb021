"""The arguments of a function, as data: what a tool was called with, what a model was asked.

In: a function and how it was called.  Out: a dict by parameter names, or the request in it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from pactlang.guard.answers import Unreadable, plain

ASKING = ("messages", "input", "prompt")  # keyword arguments that providers' SDKs take a request in
SKIPPED = ("self", "cls")
Names = tuple[str, ...]


def parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """Names of the positional parameters; none if the function does not tell."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(each.name for each in found if each.kind in positional)


def arguments_of(names: Names, args: tuple[Any, ...], keywords: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as data.  One without a name is `args`; one that is no data is its type's name."""
    named = dict(zip(names, args, strict=False))
    if len(args) > len(names):
        named["args"] = list(args[len(names) :])
    named |= keywords
    return {name: _data(value) for name, value in named.items() if name not in SKIPPED}


def _data(value: Any) -> Any:
    try:
        return plain(value)
    except Unreadable:
        return f"<{type(value).__name__}>"


def request_of(names: Names, args: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
    """What a model was asked: the SDK's keyword arguments, the only argument, or all of them."""
    if any(name in keywords for name in ASKING):
        return keywords
    given = args[1:] if names[:1] and names[0] in SKIPPED else args
    if len(given) == 1 and not keywords:
        return given[0]
    found = arguments_of(names, args, keywords)
    return next(iter(found.values())) if len(found) == 1 else found
