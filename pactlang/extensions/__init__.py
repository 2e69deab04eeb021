"""CEL's extension libraries: strings, math, encoders, network and optionals, in plain Python.

In: CEL values of the types that the overload's row names.  Out: a CEL value; `OutOfRange` for an index
or a number out of range, `Limit` for a result that is too long, else ValueError.

The one idea: one table from the id of an overload to the function that computes it, and every function
takes time in proportion to what comes in and what goes out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pactlang.extensions import encoders, maths, network, optionals, strings

COMPUTE: dict[str, Callable[..., Any]] = {
    **strings.COMPUTE, **maths.COMPUTE, **encoders.COMPUTE, **network.COMPUTE, **optionals.COMPUTE,
}  # fmt: skip

__all__ = ["COMPUTE"]
