"""The story of one clause on one call: evidence, a drawing for people, data for programs.

In: a module, one of its clauses, the values of a record's slots, the source if there is one.
Out: `Evidence`, text, JSON data.  The one idea: trace the expression, then follow what decided it.
"""

from pactlang.explain.draw import explain, explain_data, explain_scope, scope_data
from pactlang.explain.evidence import BEYOND, Evidence, Match, beyond, evidence

__all__ = [
    "BEYOND", "Evidence", "Match", "beyond", "evidence", "explain", "explain_data", "explain_scope",
    "scope_data",
]  # fmt: skip
