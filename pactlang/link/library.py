"""Where imports are found: in the folder of the pact, and in `std/`, which comes with pactlang.

In: a name as `paths.beside` makes it.  Out: the bytes of a file, or why there are none.

A file is opened only if it is a regular one and lies, all links followed, in the pact's folder: a pact
from elsewhere reads nothing else of a machine.  What identifies a file is where it lies, not how it is
called, so that one file under two names is one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib.resources import files
from typing import NamedTuple
from unicodedata import normalize

from pactlang.link.paths import STD, SUFFIX

MOST_BYTES = 4 * 1024 * 1024  # of all files that a pact imports
MOST_LISTED = 10_000  # entries of a folder that are looked at
TOO_LARGE = f"what a pact imports is more than {MOST_BYTES // 2**20} MiB together"
OPEN = ("O_NONBLOCK", "O_NOFOLLOW", "O_CLOEXEC", "O_BINARY")


class Found(NamedTuple):
    """A file that can be imported.  key: what tells it from every other."""

    key: str
    data: bytes


class Refused(NamedTuple):
    """Why there is none; `help` says where it was looked for, or what there is instead."""

    message: str
    help: str = ""
    instead: str = ""


class Library:
    """Finds imports.

    folder: where those that are relative begin, None if there is no such place.  texts: what an editor has
    open and has not saved, by `os.path.realpath`; these files are not read.
    """

    def __init__(self, folder: str | None = None, texts: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.texts = texts or {}

    def key(self, name: str) -> str:
        """What identifies the first pact, whose file has this name."""
        return "" if self.folder is None else os.path.realpath(os.path.join(self.folder, name))

    def shown(self, name: str, importer: str) -> str:
        """The name of a file in messages: as that of the first pact, which may have folders before it."""
        return name if name.startswith(STD) else os.path.join(os.path.dirname(importer), name)

    def find(self, name: str, most: int) -> Found | Refused:
        """The file of a name, if it has at most so many bytes."""
        if name.startswith(STD):
            return _packaged(name)
        if self.folder is None:
            help = "a text has no folder of its own: say which with `folder=`"
            return Refused("only `std/...` can be imported here", help)
        try:
            return self._in_folder(self.folder, name, most)
        except FileNotFoundError:
            return self._missing(self.folder, name)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            return Refused("cannot read the file", f"{_joined(self.folder, name)}: {reason}")

    def _in_folder(self, folder: str, name: str, most: int) -> Found | Refused:
        root, path = os.path.realpath(folder), _joined(folder, name)
        real = os.path.realpath(path)
        if os.path.commonpath([root, real]) != root:
            return Refused("a link leads out of the pact's folder", f"{path} is {real}")
        if real in self.texts:
            data = self.texts[real].encode("utf-8", "surrogatepass")
            return Found(real, data) if len(data) <= most else Refused(TOO_LARGE)
        read = _regular(real, most)
        if isinstance(read, Refused):
            return read._replace(help=path)
        other = _spelt(folder, name)
        if other != name:
            return Refused("the file's name is written otherwise", f"it is `{other}`", other)
        return Found(real, read)

    def _missing(self, folder: str, name: str) -> Refused:
        path = _joined(folder, name)
        parent, last = os.path.split(path)
        there = [entry for entry in _entries(parent or ".") if entry.endswith(SUFFIX)]
        close = get_close_matches(last, there, 1, 0.6)
        near = "/".join([*name.split("/")[:-1], close[0]]) if close else ""
        return Refused("there is no such file", f"looked for {path}", near)


def library_of(path: str) -> Library:
    """The library of the pact in this file: the folder that it is in."""
    return Library(os.path.dirname(path) or ".")


def std_names() -> list[str]:
    """The names of all files of `std/`."""
    inside = files("pactlang").joinpath("std").iterdir()
    return sorted(STD + entry.name for entry in inside if entry.name.endswith(SUFFIX))


def std_data(name: str) -> bytes | None:
    """The bytes of a file of `std/`, None if there is no such file."""
    if name not in std_names():
        return None
    return files("pactlang").joinpath(name).read_bytes()


def _joined(folder: str, name: str) -> str:
    return name if folder == os.curdir else os.path.join(folder, name)


def _packaged(name: str) -> Found | Refused:
    data = std_data(name)
    if data is not None:
        return Found(name, data)
    there = std_names()
    close = get_close_matches(name, there, 1, 0.6)
    return Refused("pactlang has no such file", f"there are {', '.join(there)}", close[0] if close else "")


def _regular(path: str, most: int) -> bytes | Refused:
    """The bytes of a regular file.  Anything else is not opened: a pipe would be waited for."""
    unfit = _unfit(os.stat(path).st_mode)
    if unfit is not None:
        return unfit
    handle = os.open(path, os.O_RDONLY | sum(getattr(os, flag, 0) for flag in OPEN))
    with os.fdopen(handle, "rb") as file:
        unfit = _unfit(os.fstat(handle).st_mode)  # it may have changed since
        if unfit is not None:
            return unfit
        data = file.read(most + 1)
    return data if len(data) <= most else Refused(TOO_LARGE)


def _unfit(mode: int) -> Refused | None:
    if stat.S_ISREG(mode):
        return None
    return Refused("this is a folder" if stat.S_ISDIR(mode) else "this is no regular file")


def _spelt(folder: str, name: str) -> str:
    """The name as the file system has it: some take `A.pact` for `a.pact`."""
    spelt = []
    for part in name.split("/"):
        alike = [entry for entry in _entries(folder) if _folded(entry) == _folded(part)]
        exact = not alike or any(normalize("NFC", entry) == normalize("NFC", part) for entry in alike)
        spelt.append(part if exact else alike[0])
        folder = os.path.join(folder, part)
    return "/".join(spelt)


def _entries(folder: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            for _, entry in zip(range(MOST_LISTED), entries, strict=False):
                yield entry.name
    except OSError:
        return


def _folded(name: str) -> str:
    return normalize("NFC", name).casefold()
