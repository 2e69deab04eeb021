"""Read and parse a pact and all that it imports, each file once.

In: the `Source` of the first pact, and a `Library`.  Out: `Gathered`: the files, and one `Source` of all.

Files are taken in the order in which their imports stand, what a file imports right behind it.  An import
that leads back to a file that is being read is a cycle; one that leads to a file that was read is that
file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from pactlang import syntax
from pactlang.diagnostic import WARNING, Diagnostic, Fix, Label
from pactlang.link.library import MOST_BYTES, Library, Refused
from pactlang.link.paths import beside, wrong_with
from pactlang.parse import parse_with_holes, read_source
from pactlang.source import Source, Span

MOST_FILES = 100  # that a pact imports, or tries to, all together
DEEPEST = 16  # files of which each imports the next


@dataclass(eq=False)
class File:
    """One file: its tree, None if its end was not reached, and the files that its imports stand for.

    name: relative to the first pact's folder, the same wherever that is.
    """

    name: str
    key: str
    pact: syntax.Pact | None = None
    imports: list[tuple[syntax.Import, File]] = field(default_factory=list)


class Gathered(NamedTuple):
    """The first pact's file, then those that are imported; `ways`: where the first pact imports what leads
    to each of these."""

    files: tuple[File, ...]
    source: Source
    found: tuple[Diagnostic, ...]
    ways: tuple[Span, ...]


def gather(source: Source, library: Library) -> Gathered:
    """Read what a pact imports, and what that imports."""
    run = _Run(source, library)
    run.first()
    return Gathered(tuple(run.files), run.source, tuple(run.found), tuple(run.ways))


class _Run:
    def __init__(self, source: Source, library: Library) -> None:
        self.library = library
        self.source = source
        self.found: list[Diagnostic] = []
        self.files: list[File] = []
        self.by_key: dict[str, File] = {}
        self.open: list[tuple[File, Span]] = []  # the files being read, and where the next is imported
        self.ways: list[Span] = []
        self.missing: set[str] = set()
        self.left = MOST_BYTES

    def first(self) -> None:
        """The pact itself, and all else."""
        name = self.source.name.replace("\\", "/").rpartition("/")[2]
        self._take(File(name, self.library.key(name)), 0)

    def _take(self, file: File, begin: int) -> None:
        self.files.append(file)
        self.by_key[file.key] = file
        file.pact, found = parse_with_holes(self.source, begin)
        self.found += found
        for item in file.pact.items if file.pact is not None else ():
            if isinstance(item, syntax.Import):
                self.open.append((file, item.path.span))
                self._import(file, item)
                self.open.pop()

    def _import(self, importer: File, item: syntax.Import) -> None:
        wrong = wrong_with(item.path.value)
        if wrong is not None:
            return self._refuse("import-path", item, Refused(*wrong))
        name = beside(item.path.value, importer.name)
        known = next((file for file in self.files if file.name == name), None)
        if known is None:
            known = self._find(item, name)
        if known is not None:
            self._note(importer, item, known)
        return None

    def _find(self, item: syntax.Import, name: str) -> File | None:
        """The file of a name that was not met before."""
        if name in self.missing or len(self.missing) + len(self.files) > MOST_FILES + 1:
            return None  # it was said why
        if len(self.missing) + len(self.files) > MOST_FILES or len(self.open) > DEEPEST:
            deep = len(self.open) > DEEPEST
            limit = f"{DEEPEST} files of which each imports the next" if deep else f"{MOST_FILES} files"
            self._miss("too-many-imports", item, name, Refused(f"a pact imports at most {limit}"))
            return None
        found = self.library.find(name, self.left)
        if isinstance(found, Refused):
            self._miss("import-file", item, name, found)
            return None
        if found.key in self.by_key:
            return self.by_key[found.key]
        self.left -= len(found.data)
        file = File(name, found.key)
        self._warn_of_twin(item, name)
        self._add(file, found.data)
        return file

    def _add(self, file: File, data: bytes) -> None:
        """Put the text of a file behind all others, and read it."""
        text, _ = read_source(data, self.library.shown(file.name, self.source.name))
        self.ways.append(self.open[0][1])
        begin = len(self.source.text) + 1
        self.source = Source(self.source.name, self.source.main.text, (*self.source.files, text))
        self._take(file, begin)

    def _note(self, importer: File, item: syntax.Import, file: File) -> None:
        """An import that led to a file: unless it is in a circle, or came before."""
        chain = [other for other, _ in self.open]
        if file in chain:
            return self._cycle(item, chain.index(file))
        first = next((other for other, known in importer.imports if known is file), None)
        if first is not None:
            message, related = f"`{file.name}` is imported twice", (Label(first.path.span, "first here"),)
            label = Label(item.path.span, "again here")
            self.found.append(Diagnostic("import-twice", message, label, related, level=WARNING))
            return None
        importer.imports.append((item, file))
        return None

    def _cycle(self, item: syntax.Import, begin: int) -> None:
        names = [file.name for file, _ in self.open[begin:]]
        chain = " -> ".join(f"`{name}`" for name in (*names, names[0]))
        message = f"`{names[0]}` imports itself" + (", through others" if len(names) > 1 else "")
        related = tuple(Label(span, "is imported here") for _, span in self.open[begin:-1])
        help = (chain, "what several files need can stand in one that each of them imports")
        label = Label(item.path.span, "and so on without end")
        self.found.append(Diagnostic("import-cycle", message, label, related, help))

    def _warn_of_twin(self, item: syntax.Import, name: str) -> None:
        for other in (file.name for file in self.files):
            if other.casefold() == name.casefold():
                message = (
                    f"`{name}` and `{other}` differ in capitals alone: some systems take them for one file"
                )
                self.found.append(Diagnostic("import-twin", message, Label(item.path.span), level=WARNING))

    def _miss(self, code: str, item: syntax.Import, name: str, why: Refused) -> None:
        """Say that there is no such file, once: nothing is looked for twice."""
        self.missing.add(name)
        self._refuse(code, item, why)

    def _refuse(self, code: str, item: syntax.Import, why: Refused) -> None:
        fix = None
        if why.instead:
            fix = Fix(item.path.span, f'"{why.instead}"', f'write `"{why.instead}"`')
        message = f'cannot import "{item.path.value}": {why.message}'
        help = (why.help,) if why.help else ()
        self.found.append(Diagnostic(code, message, Label(item.path.span), (), help, fix))
