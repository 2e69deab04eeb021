"""What of a pact decides its score: dimensions, weights, severities, bands.

In: a `Program`.  Out: `Plan`, and a fresh `Tally` that counts by it.  Two states are of one kind if their
plans have the same digest.
"""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256

import msgspec

from pactlang._runtime import Tally
from pactlang.ir import BANDS, CONFIDENCE, HALF_LIFE, SCALE
from pactlang.ir import Score as Said
from pactlang.program import Program

# What a broken clause takes away of 1000.
SEVERITY = {"info": 0, "minor": 100, "major": 400, "critical": 1000}
LANDMARK = 1_577_836_800_000_000  # 2020-01-01T00:00:00Z, in microseconds
STEPS = 256  # of a half-life
POINT = 10_000  # parts of a point in which bands are written


class Plan:
    """How one pact is scored.

    dimensions: names, those of the weights first.  weights: whole numbers, in their order.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        clauses = program.clauses
        state = program.core.state
        watches = set() if state is None else {watch.clause for watch in state.watches}
        self.scored = [i for i in range(len(clauses)) if i not in watches]  # a watch never is
        self.said = program.core.score or default(dict.fromkeys(clauses[i].dimension for i in self.scored))
        self.dimensions = tuple(name for name, _ in self.said.weights)
        self.weights = tuple(weight for _, weight in self.said.weights)
        number = {name: i for i, name in enumerate(self.dimensions)}
        self.dimension_of = [-1 if i in watches else number[c.dimension] for i, c in enumerate(clauses)]
        self.severities = [SEVERITY[clause.severity] for clause in clauses]
        self.names = tuple(clause.name for clause in clauses)
        self.critical = [i for i in self.scored if clauses[i].severity == "critical"]

    @cached_property
    def digest(self) -> bytes:
        """What identifies states that may be merged: the pact and all that a score hangs on."""
        return sha256(bytes.fromhex(self.program.digest) + msgspec.msgpack.encode(self.said)).digest()

    def tally(self) -> Tally:
        """Sums over no verdicts."""
        return Tally(self.said.half_life, self.severities, self.dimension_of, len(self.dimensions))

    def step_of(self, micros: int) -> int:
        """The step of a time: 256 of them are a half-life, and an epoch."""
        return (micros - LANDMARK) * STEPS // self.said.half_life

    def clauses_of(self, dimension: int) -> tuple[str, ...]:
        """The names of a dimension's clauses."""
        return tuple(name for name, of in zip(self.names, self.dimension_of, strict=True) if of == dimension)

    def band_of(self, points: float) -> str:
        """The band that begins highest at or below a value; "" below all."""
        return next((name for name, least in self.said.bands if least <= points * POINT), "")


def default(dimensions: dict[str, None]) -> Said:
    """The score of a pact that says nothing of one."""
    bands = tuple((name, least * POINT) for name, least in BANDS)
    return Said(SCALE, HALF_LIFE, CONFIDENCE, tuple((name, 1) for name in dimensions), bands)
