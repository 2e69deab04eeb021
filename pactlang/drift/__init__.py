"""Watches: what they promise, and what is made of their alarms.

In: `ir.Watch`.  Out: numbers of calls.
"""

from pactlang.drift.promise import CALLS, MOST_CALLS, pact_calls, promised_calls

__all__ = ["CALLS", "MOST_CALLS", "pact_calls", "promised_calls"]
