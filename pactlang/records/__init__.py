"""Records: from JSON, a dict or a Struct to what a program reads."""

from pactlang.records.layout import FieldPlan, LayoutPlan
from pactlang.records.names import other_heads
from pactlang.records.plan import Plan
from pactlang.records.reader import Reader
from pactlang.records.shared import reader_of

__all__ = ["FieldPlan", "LayoutPlan", "Plan", "Reader", "other_heads", "reader_of"]
