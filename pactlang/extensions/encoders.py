"""CEL's encoders extension: base64.

In: bytes or their base64.  Out: the other; ValueError for a text that is no base64.

The one idea: the standard alphabet; padding may be left out, but not be wrong; ends of lines are passed
over, as in Go.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from typing import Any

from pactlang.values import within

BASE64 = re.compile(r"([A-Za-z0-9+/]*)(={0,2})")


def base64_encode(data: bytes) -> str:
    """Base64 with padding."""
    within(4 * ((len(data) + 2) // 3))
    return b2a_base64(data, newline=False).decode("ascii")


def base64_decode(text: str) -> bytes:
    """The bytes; bits left over at the end are ignored."""
    found = BASE64.fullmatch(text.replace("\r", "").replace("\n", ""))
    missing = -len(found[1]) % 4 if found else 3
    if found is None or missing == 3 or len(found[2]) not in (0, missing):
        raise ValueError("not base64")
    return a2b_base64(found[1] + "=" * missing)


COMPUTE: dict[str, Callable[..., Any]] = {"base64_encode": base64_encode, "base64_decode": base64_decode}
