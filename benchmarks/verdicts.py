"""Verdicts of pactlang in the form in which rules.py gives its own: bit i set where rule i is violated.

`mask` and `masks` are for comparing; `ok` and `no_bit` are what is read of a verdict while it is timed.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence

import numpy as np

import pactlang

VIOLATED = 1

ok = operator.attrgetter("ok")


def no_bit(wanted: int) -> bool:
    """What `Verdict.ok` must be by the reference's mask."""
    return not wanted


def mask(verdict: pactlang.Verdict) -> int:
    return sum(1 << bit for bit, outcome in enumerate(verdict.outcomes.values()) if outcome == VIOLATED)


def masks(batch: pactlang.Batch) -> int:
    """The sum of the masks of a batch."""
    return int(((batch.outcomes == VIOLATED) @ (1 << np.arange(batch.outcomes.shape[1]))).sum())


def joined(lines: Sequence[bytes]) -> list[bytes]:
    """The lines as one input."""
    return [b"\n".join(lines)]
