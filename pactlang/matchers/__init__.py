"""What seeks patterns, phrases and literals in a text: all of one field's in one pass.

In: the text atoms of a program.  Out: what the machine asks: `scanner`, `matcher`, `search`.

Engines are built when first used and never stored in an artifact.  In order: `atoms` (what is sought),
`engines` (how several are sought at once), `scanner` (what the machine is given).
"""

from pactlang.matchers.scanner import matcher, scanner, search

__all__ = ["matcher", "scanner", "search"]
