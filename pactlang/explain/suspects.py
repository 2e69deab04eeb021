"""What changed when a rate rose: which fields of the agent's version came new, and how strong that is.

In: the versions that a detector has seen, as the machine notes them; what the watch promises.  Out:
`Changed`, the strongest first.

A value of a field that came shortly before the change, or after it, is a candidate.  Its e-value weighs the
calls with that value since it came, against the promise that their rate is P at most; the calls with other
values since then stand beside it.  It began at a moment that its own calls did not choose, so its mean under
the promise is 1 at most at any time; only its present value is used, never its highest so far.  Which
candidates are named is decided by the e-BH procedure at 5 % (Wang and Ramdas): of those that are named,
however they hang on each other, at most 5 % do not break the promise on average.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pactlang.verdict import Changed

LEVEL = 0.05  # of e-BH
NEAR = 100  # calls before the change within which a version may have brought it
HIT = 1 << 24
ODDS = (1.5, 2.0, 2.8, 4.0, 6.0, 9.0, 14.0, 25.0)
SHARES = (14, 10, 8, 8, 8, 7, 6, 3)  # of 64


def e_value(rate: float, calls: int, hits: float) -> float:
    """The mixture of eight alternatives on calls since a fixed moment; at most e^700."""
    logs = [
        hits * math.log(m) - calls * math.log1p((m - 1) * rate) + math.log(share / 64)
        for m, share in zip(ODDS, SHARES, strict=True)
    ]
    top = max(logs)
    return math.exp(min(top, 700)) * sum(math.exp(x - top) for x in logs)


def suspects(
    rate: float,
    since: int,
    versions: Sequence[tuple[Any, ...]],
    names: Mapping[tuple[int, int], str],
    fields: Sequence[str],
) -> tuple[Changed, ...]:
    """Those of an alarm.  since: calls since the change.  fields: names of the first fields, in order."""
    found: list[Changed] = []
    for place in (*range(len(fields)), len(versions[0][0]) - 1 if versions else 0):
        name = "pact" if versions and place == len(versions[0][0]) - 1 else fields[place]
        values = {version[0][place] for version in versions}
        for value in values if len(values) > 1 else ():
            made = _candidate(rate, since, versions, place, value)
            if made is None:
                continue
            others = [_shown(names, place, other) for other in sorted(values - {value})]
            found.append(Changed(name, tuple(others), _shown(names, place, value), *made, named=False))
    return _named(sorted(found, key=lambda each: (-each.e_value, each.field, each.after)))


def _candidate(
    rate: float, since: int, versions: Sequence[tuple[Any, ...]], place: int, value: int
) -> tuple[int, int, float, int, float, float] | None:
    """Record, calls, hits, others' calls and hits, e-value; None if the value was there before the change."""
    own = [version for version in versions if version[0][place] == value]
    came = max(version[3] for version in own)  # calls since its first one
    if came > since + max(NEAR, since):
        return None
    first = max(own, key=lambda version: version[3])
    calls, hits = sum(version[5][0] for version in own), sum(version[5][1] for version in own) / HIT
    whole_calls, whole_hits = (first[5][i] + first[6][i] for i in (0, 1))
    e = e_value(rate, calls, hits)
    return first[1], calls, hits, whole_calls - calls, whole_hits / HIT - hits, e


def _named(found: list[Changed]) -> tuple[Changed, ...]:
    """e-BH: the k largest, for the greatest k of which the k-th is at least m / (k 5 %)."""
    most = max((k for k, each in enumerate(found, 1) if each.e_value >= len(found) / (k * LEVEL)), default=0)
    return tuple(each._replace(named=k < most) for k, each in enumerate(found))


def _shown(names: Mapping[tuple[int, int], str], place: int, value: int) -> str:
    return names.get((place, value), "?") if value else "none"
