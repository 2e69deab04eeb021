"""Watches: what they promise, what they are held against, and what several workers have seen.

In: `ir.Watch`, values of a log, times and values of calls.  Out: numbers of calls, baselines, panes.
"""

from pactlang.drift.baseline import BaselineError
from pactlang.drift.panes import Panes, Rise
from pactlang.drift.promise import (
    CALLS,
    FIELDS,
    MOST_CALLS,
    MOST_SHARING,
    is_sure,
    pact_calls,
    promised_calls,
)

__all__ = [
    "CALLS",
    "FIELDS",
    "MOST_CALLS",
    "MOST_SHARING",
    "BaselineError",
    "Panes",
    "Rise",
    "is_sure",
    "pact_calls",
    "promised_calls",
]
