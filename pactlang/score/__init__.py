"""The score of a pact: what its verdicts add up to, with an interval that holds at every moment.

In: verdicts.  Out: `Scorer`, whose sums are exact and merge, and `Score`, what they say at a time.  What is
proved of the bounds, and how, is in README.md beside this.
"""

from pactlang.score.scorer import Scorer
from pactlang.score.shape import Cap, Coverage, Dimension, Score

__all__ = ["Cap", "Coverage", "Dimension", "Score", "Scorer"]
