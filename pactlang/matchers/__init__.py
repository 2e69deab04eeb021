"""What seeks patterns, phrases and literals in a text: all of one field's in one pass.

In: the text atoms of a program.  Out: what the machine asks: `scanner`, `matcher`, `search`.

What seeks is made when the first text comes, and never stored in an artifact.  In order: `atoms` (what is
sought), `syntax` (a pattern's tree), `factors` (strings that stand in every match), `sample` (what is rare in
texts), `buckets` (the sieve's tables), `fast` and `engines` (Hyperscan, RE2), `choose` (which way is taken),
`scanners` (what the machine is given), `shared` (one for all programs).
"""

from pactlang.matchers.scanners import matcher, scanner, search
from pactlang.matchers.shared import shared

__all__ = ["matcher", "scanner", "search", "shared"]
