"""Pacts at work on calls: the evaluator of one pact, and of several.

In: programs and records.  Out: verdicts.  In order: `evaluator` (one pact), `monitor` (one that remembers
earlier calls), `guards` (which values a call must have, from a pact's code), `index` (what a fleet looks at
first), `fleet` (several pacts), `lines` (many calls for several pacts).
"""

from pactlang.evaluator.evaluator import Evaluator
from pactlang.evaluator.fleet import Fleet
from pactlang.evaluator.monitor import Monitor, Remembering

__all__ = ["Evaluator", "Fleet", "Monitor", "Remembering"]
