"""Fuzzing: a target per stage, inputs made for it, and a sandbox in which they run.

    python -m tests.fuzz TARGET [--seconds N | --inputs N] [--seed S] [--atheris]

A target (`targets.py`) is a function from bytes to a word that says how it ended; it raises only where a
promise is broken.  Inputs (`inputs.py`) come from the corpus, from `tests/drawn.py` and from mutation that
knows the input's form.  The sandbox (`sandbox.py`) runs them in a child process with bounds on time and
memory, so that a crash, a hang and a blow-up are findings too.  What the runs found: README.md here.
"""

NAMES = (
    "parse", "check", "expression", "artifact", "machine", "values", "records", "json", "sieve", "windows", "score",
)  # fmt: skip
