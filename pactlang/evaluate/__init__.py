"""Evaluate checked expressions in plain Python: the oracle of the machine, and the engine of `explain`.

In: `ir` nodes, the values of a record's slots, the module.  Out: CEL values, `Error` values, outcomes,
traces.  The one idea: this walk says what an expression means; the machine must agree with it.
"""

from pactlang.evaluate.held import member
from pactlang.evaluate.traces import NOT_EVALUATED, Error, TraceNode, optional_field, place, truth
from pactlang.evaluate.walk import (
    Judgement,
    admits,
    constant,
    evaluate,
    judge,
    matched,
    trace,
)

__all__ = [
    "NOT_EVALUATED",
    "Error",
    "Judgement",
    "TraceNode",
    "admits",
    "constant",
    "evaluate",
    "judge",
    "matched",
    "member",
    "optional_field",
    "place",
    "trace",
    "truth",
]
