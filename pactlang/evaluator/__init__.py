"""Pacts at work on calls: the evaluator of one pact.

In: programs and records.  Out: verdicts.
"""

from pactlang.evaluator.evaluator import Evaluator

__all__ = ["Evaluator"]
