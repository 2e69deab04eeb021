"""Scores: what is known of an agent by its verdicts, and how surely."""
