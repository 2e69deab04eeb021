"""Put the declarations of imported files into the pact: one space of names, each with one meaning.

In: the files as `gather` leaves them.  Out: the items of the pact, what was overridden and dropped, and
diagnostics.

A file passes on what it declares and what it imports, less what it drops, with what it overrides in its
place.  The same declaration by two ways is one; two declarations of one name are a mistake, unless the file
where they meet overrides or drops that name.
"""

from __future__ import annotations

from typing import NamedTuple

from pactlang import syntax
from pactlang.check.report import listed, suggest
from pactlang.diagnostic import WARNING, Diagnostic, Fix, Label
from pactlang.link.gather import File
from pactlang.program import Dropped, Overridden
from pactlang.source import Span

Named = syntax.Clause | syntax.Let | syntax.Event | syntax.PatternDecl | syntax.PhrasesDecl
Key = tuple[str, str]  # "clause" or "name", and the name: clauses have names of their own
# What a file passes on; two of one name where it declares that name twice, which the checker says.
Names = dict[Key, list[Named]]

WORDS = {
    syntax.Clause: "clause", syntax.Let: "let", syntax.Event: "event", syntax.PatternDecl: "pattern",
    syntax.PhrasesDecl: "phrases",
}  # fmt: skip
# What changes the meaning of a file's clauses, or what is stored of calls, and is not passed on.
STAYS = {syntax.Applies: "applies when", syntax.Session: "session", syntax.Store: "store"}


# Names of all files together, each counted in every file that passes it on.
MOST_NAMES = 200_000


class Merged(NamedTuple):
    """The items of the first file with all that it imports."""

    items: tuple[syntax.Declaration, ...]
    overridden: tuple[Overridden, ...]
    dropped: tuple[Dropped, ...]
    found: tuple[Diagnostic, ...]


def merge(files: tuple[File, ...]) -> Merged:
    """Put together what the first file imports, directly and through others."""
    passed: dict[File, Names] = {}
    merges = []
    for file in _inner_first(files[0]):
        room = MOST_NAMES - sum(map(len, passed.values()))
        merges.append(_Merge(file, passed, room))
        passed[file] = merges[-1].run()
    items = (named for declared in passed[files[0]].values() for named in declared)
    return Merged(
        (*items, *merges[-1].rest),
        tuple(each for one in merges for each in one.overridden),
        tuple(each for one in merges for each in one.dropped),
        tuple(found for one in merges for found in one.found),
    )


def _inner_first(file: File) -> list[File]:
    """A file after all that it imports.  There are no circles: `gather` leaves them out."""
    order: dict[File, None] = {}

    def visit(each: File) -> None:
        for _, other in each.imports:
            if other not in order:
                visit(other)
        order[each] = None

    visit(file)
    return list(order)


def _key(item: Named) -> Key:
    return ("clause" if isinstance(item, syntax.Clause) else "name", item.name.name)


def _called(item: Named) -> str:
    return f"{WORDS[type(item)]} {item.name.name}"


class _Merge:
    """The merge of one file, when all that it imports is merged."""

    def __init__(self, file: File, passed: dict[File, Names], room: int) -> None:
        self.items = () if file.pact is None else file.pact.items
        self.imports = {id(item): (passed[other], other) for item, other in file.imports}
        self.room = room
        self.names: Names = {}
        self.rest: list[syntax.Declaration] = []
        self.found: list[Diagnostic] = []
        self.overridden: list[Overridden] = []
        self.dropped: list[Dropped] = []
        # What comes by imports: several declarations where they disagree, each with its import.
        self.brought: dict[Key, list[tuple[Named, syntax.Import]]] = {}
        self.settled: dict[Key, Span] = {}

    def run(self) -> Names:
        """The names that the file passes on."""
        for item in self.items:
            if isinstance(item, syntax.Import) and id(item) in self.imports:
                self._bring(item)
        for item in self.items:
            match item:
                case syntax.Import():
                    self._import(item)
                case syntax.Override():
                    self._override(item)
                case syntax.Drop():
                    self._drop(item)
                case syntax.Clause() | syntax.Let() | syntax.Event():
                    self._declare(item)
                case syntax.PatternDecl() | syntax.PhrasesDecl():
                    self._declare(item)
                case _:
                    self.rest.append(item)
        for each in self.dropped:
            self.names.pop(("clause", each.name), None)
        self._refuse_two_meanings()
        return self.names

    def _bring(self, item: syntax.Import) -> None:
        names, other = self.imports[id(item)]
        self.room -= len(names)
        if self.room < 0:
            message = f"a pact imports at most {MOST_NAMES:,} names, counted anew in every file"
            self._error("too-many-imports", message, item.path.span, "")
            del self.imports[id(item)]
            return
        for key, (named, *_) in names.items():
            known = self.brought.setdefault(key, [])
            if all(before is not named for before, _ in known):
                known.append((named, item))
        stays = [STAYS[type(each)] for each in other.pact.items if type(each) in STAYS] if other.pact else []
        if stays:
            message = f"importing `{other.name}` leaves {listed(stays, 'and')} behind"
            help = "what is imported is lets, patterns, phrases, events and clauses; all else is said here"
            label = Label(item.path.span)
            self.found.append(Diagnostic("left-behind", message, label, help=(help,), level=WARNING))

    def _import(self, item: syntax.Import) -> None:
        names, _ = self.imports.get(id(item), ({}, None))
        for key, (named, *_) in names.items():
            self.names.setdefault(key, [named])

    def _declare(self, item: Named) -> None:
        key, brought = _key(item), self.brought.get(_key(item))
        if brought is None or key in self.settled:
            self.names.setdefault(key, []).append(item)
            return
        fix = Fix(Span(item.span.start, item.span.start), "override ", f"write `override {_called(item)}`")
        self._error(
            "duplicate-import", f"`{_called(item)}` is declared here and imported", item.name.span,
            "again here", *(Label(named.name.span, "comes from here") for named, _ in brought),
            help="give it another name, or say that it takes the place of what is imported",
            fix=fix if any(type(named) is type(item) for named, _ in brought) else None,
        )  # fmt: skip
        self.names[key] = [item]
        self.settled[key] = item.name.span

    def _override(self, item: syntax.Override) -> None:
        new = item.declaration
        key, brought = _key(new), self.brought.get(_key(new), [])
        if key in self.settled:
            self._twice(item.span, self.settled[key], _called(new))
            self.names.setdefault(key, [new])
            return
        self.names[key] = [new]
        if not brought:
            self._nothing(new.name, key[0], "override", f"no import brings a `{_called(new)}`")
        elif all(type(old) is not type(new) for old, _ in brought):
            old = brought[0][0]
            self._error(
                "wrong-override", f"`{_called(new)}` cannot take the place of `{_called(old)}`",
                new.name.span, f"this is a `{WORDS[type(new)]}`", Label(old.name.span, "comes from here"),
            )  # fmt: skip
        else:
            self.settled[key] = item.span
            replaced = tuple(old.span for old, _ in brought)
            self.overridden.append(Overridden(WORDS[type(new)], key[1], item.span, replaced))

    def _drop(self, item: syntax.Drop) -> None:
        key = ("clause", item.name.name)
        brought = self.brought.get(key, [])
        if key in self.settled:
            self._twice(item.span, self.settled[key], f"clause {item.name.name}")
        elif not brought:
            self._nothing(item.name, "clause", "drop", f"no import brings a `clause {item.name.name}`")
        else:
            self.settled[key] = item.span
            removed = tuple(old.span for old, _ in brought)
            self.dropped.append(Dropped(item.name.name, item.span, removed))

    def _refuse_two_meanings(self) -> None:
        for key, brought in self.brought.items():
            if len(brought) > 1 and key not in self.settled:
                (first, _), (second, item) = brought[:2]
                drop = f", or drop it: `drop {_called(second)}`" if key[0] == "clause" else ""
                self._error(
                    "duplicate-import", f"`{key[1]}` comes by two imports and means two things",
                    item.path.span, "the second is imported here", Label(first.name.span, "one"),
                    Label(second.name.span, "the other"),
                    help=f"say here which it is: `override {_called(second)} ...`{drop}",
                )  # fmt: skip

    def _nothing(self, name: syntax.Ident, space: str, verb: str, message: str) -> None:
        names = [known for kind, known in self.brought if kind == space]
        hint = suggest(name.name, name.span, names)
        plain = ("without `override` it is a declaration of its own",) if verb == "override" else ()
        label, help = Label(name.span, f"there is nothing to {verb}"), hint.get("help", plain)
        self.found.append(Diagnostic(f"nothing-to-{verb}", message, label, (), help, hint.get("fix")))

    def _twice(self, span: Span, first: Span, what: str) -> None:
        message = f"it is said twice what becomes of `{what}`"
        self._error("duplicate-override", message, span, "again here", Label(first, "first here"))

    def _error(
        self, code: str, message: str, span: Span, label: str, *related: Label, help: str = "",
        fix: Fix | None = None,
    ) -> None:  # fmt: skip
        found = Diagnostic(code, message, Label(span, label), related, (help,) if help else (), fix)
        self.found.append(found)
