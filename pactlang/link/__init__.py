"""A pact and what it imports as one tree.

In: the `Source` of a pact, and a `Library` in which its imports are found.  Out: `Linked`: a tree without
`import`, `override` and `drop`, the source that its spans point into, and what was found.

Names are one space for the pact and all that it imports, as if all stood in one file: a clause that comes
from elsewhere is checked against this pact's record, and sees what this pact says in place of a `let`.
Every file is read and parsed once, however many others import it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from msgspec.structs import replace

from pactlang.diagnostic import ERROR, Diagnostic, Label, has_errors, in_order
from pactlang.drift.baseline import MOST_BYTES as MOST_OF_BASE
from pactlang.drift.baseline import SUFFIX as BASE
from pactlang.link.gather import gather
from pactlang.link.library import Library, Refused, library_of, std_data, std_names
from pactlang.link.merge import merge
from pactlang.link.paths import wrong_with
from pactlang.program import Imports
from pactlang.source import Source, Span
from pactlang.syntax import Clause, Pact, Watch

__all__ = ["Library", "Linked", "library_of", "link", "std_data", "std_names"]

MOST_BASES = 100  # files of baselines of one pact


class Linked(NamedTuple):
    """A pact with what it imports.

    pact: None where the end of its text was not reached.  found: mistakes of syntax, and of `import`,
    `override` and `drop`.  source: the pact's text and those of the imported files; all spans are places
    in it.  ways: for each imported file the place of the pact's own import that leads to it.  bases: the
    files of baselines that are named, or why there is none.
    """

    pact: Pact | None
    source: Source
    found: tuple[Diagnostic, ...] = ()
    imports: Imports = Imports()
    ways: tuple[Span, ...] = ()
    bases: Mapping[str, bytes | str] = MappingProxyType({})

    @property
    def ok(self) -> bool:
        """True if nothing that was found is an error."""
        return not has_errors(self.found)

    def told(self, found: Diagnostic) -> Diagnostic:
        """A finding in an imported file, with the import that leads there."""
        number = self.source.parts.index(self.source.part(found.primary.span.start)) if self.ways else 0
        if not number or found.level != ERROR:
            return found
        return found._replace(related=(*found.related, Label(self.ways[number - 1], "imported here")))


def link(source: Source, library: Library | None = None) -> Linked:
    """Parse a pact, and put what it imports in the place of its imports.

    Without a library only `std/...` can be imported.
    """
    gathered = gather(source, library or Library())
    main = gathered.files[0]
    if main.pact is None:
        return Linked(None, gathered.source, in_order(gathered.found))
    items, overridden, dropped, more = merge(gathered.files)
    texts = (file.text for file in gathered.source.files)
    files = tuple(zip((file.name for file in gathered.files[1:]), texts, strict=True))
    found = in_order((*gathered.found, *more))
    pact, imports = replace(main.pact, items=items), Imports(files, overridden, dropped)
    bases = baselines(pact, library or Library())
    return Linked(pact, gathered.source, found, imports, gathered.ways, bases)


def baselines(pact: Pact, library: Library) -> dict[str, bytes | str]:
    """What `watch distribution(x) against "NAME"` names: the file NAME.base beside the pact."""
    found: dict[str, bytes | str] = {}
    for item in pact.items:
        for part in item.items if isinstance(item, Clause) else ():
            if isinstance(part, Watch) and part.against is not None:
                name = part.against.value
                if name not in found and len(found) < MOST_BASES:
                    found[name] = _baseline(name, library)
    return found


def _baseline(name: str, library: Library) -> bytes | str:
    wrong = wrong_with(name + ".pact")
    if wrong is not None:
        return wrong.message
    found = library.find(name + BASE, MOST_OF_BASE)
    return found.message if isinstance(found, Refused) else found.data
