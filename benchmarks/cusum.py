"""The Bernoulli CUSUM tuned for one change, exactly: run length and delay from its Markov chain.

In: the rates before and after, a wanted run length.  Out: expected calls.  The statistic rises by m - 1 on a
hit and falls by 1 on a miss, never below 0; m is the whole number nearest to what the likelihood ratio of the
two rates asks for (Reynolds and Stoumbos).  It is the yardstick of `bench_drift.py`: it knows the change.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, identity
from scipy.sparse.linalg import spsolve

WARM = 500  # calls before the change, without an alarm


def step(before: float, after: float) -> int:
    """m: one over the reference value."""
    fall = -math.log((1 - after) / (1 - before))
    rise = math.log(after * (1 - before) / (before * (1 - after)))
    return round(rise / fall)


def moves(rate: float, m: int, limit: int) -> csc_matrix:
    """From state to state without an alarm: a column for each state that is left."""
    states = np.arange(limit)
    down, up = np.maximum(states - 1, 0), states + m - 1
    stays = up < limit
    rows, columns = np.concatenate([down, up[stays]]), np.concatenate([states, states[stays]])
    values = np.concatenate([np.full(limit, 1 - rate), np.full(int(stays.sum()), rate)])
    return csc_matrix((values, (rows, columns)), shape=(limit, limit))


def run_lengths(rate: float, m: int, limit: int) -> NDArray[np.float64]:
    """Expected calls to the alarm from each state."""
    chain = moves(rate, m, limit)
    found: NDArray[np.float64] = spsolve((identity(limit) - chain).T.tocsc(), np.ones(limit))
    return found


@cache
def delay(before: float, after: float, wanted: float) -> float:
    """Expected calls from the change to the alarm, at this run length before it: between two limits whose run
    lengths enclose it, in proportion to their logarithms."""
    m = step(before, after)
    low, high = m, 2 * m
    while run_lengths(before, m, high)[0] < wanted:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if run_lengths(before, m, middle)[0] < wanted else (low, middle)
    lengths = [math.log(run_lengths(before, m, limit)[0]) for limit in (low, high)]
    share = (math.log(wanted) - lengths[0]) / (lengths[1] - lengths[0]) if lengths[1] > lengths[0] else 0.0
    delays = [_after(before, after, m, limit) for limit in (low, high)]
    return delays[0] + share * (delays[1] - delays[0])


def _after(before: float, after: float, m: int, limit: int) -> float:
    chain, at = moves(before, m, limit), np.zeros(limit)
    at[0] = 1.0
    for _ in range(WARM):
        at = chain @ at
    return float(at @ run_lengths(after, m, limit) / at.sum())
