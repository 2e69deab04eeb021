"""The ledger: every judged call, kept where a crash cannot reach it.

In: `Entry`s from a guard.  Out: `Ledger`, which stores them, and `Reader`, which finds and verifies them.

The order of the modules: `entry` (data), `rules` (what may be stored), `rows` (chain and statement),
`file` (tables), `spill`, `retain`, `journal` (transactions), `recover`, `verify`, `read`, `ledger`.
"""

from pactlang.ledger.entry import (
    Aside,
    Counts,
    Entry,
    Kept,
    Recovery,
    Said,
    Segment,
    StoredEntry,
    VerifyReport,
    Withheld,
)
from pactlang.ledger.ledger import Ledger
from pactlang.ledger.read import Reader

__all__ = [
    "Aside", "Counts", "Entry", "Kept", "Ledger", "Reader", "Recovery", "Said", "Segment", "StoredEntry",
    "VerifyReport", "Withheld",
]  # fmt: skip
