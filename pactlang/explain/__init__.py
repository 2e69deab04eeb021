"""The story of one clause on one call, or of one expression: evidence, a drawing, data for programs.

In: a module, one of its clauses, the values of a record's slots, the source if there is one.
Out: `Evidence`, text, JSON data.  The one idea: trace the expression, then follow what decided it.
"""

from pactlang.explain.alarm import Noted, percent
from pactlang.explain.data import explain_data, scope_data
from pactlang.explain.draw import explain, explain_expression, explain_scope
from pactlang.explain.evidence import BEYOND, Evidence, beyond, evidence
from pactlang.explain.found import Match
from pactlang.explain.remembered import (
    ERROR_VALUE,
    PENDING,
    WAITING,
    Memory,
    explain_form,
    form_data,
    form_events,
    form_sentence,
    is_form,
    later,
    limits,
    operators_row,
    remembered,
)

__all__ = [
    "BEYOND",
    "ERROR_VALUE",
    "PENDING",
    "WAITING",
    "Evidence",
    "Match",
    "Memory",
    "Noted",
    "beyond",
    "evidence",
    "explain",
    "explain_data",
    "explain_expression",
    "explain_form",
    "explain_scope",
    "form_data",
    "form_events",
    "form_sentence",
    "is_form",
    "later",
    "limits",
    "operators_row",
    "percent",
    "remembered",
    "scope_data",
]
