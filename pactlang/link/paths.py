"""What an `import` may say: a path below the importing file's folder, the same on every system.

In: the path as written.  Out: what is wrong with it, if anything.  Nothing is opened here.
"""

from __future__ import annotations

from typing import NamedTuple
from unicodedata import category, normalize

STD = "std/"
SUFFIX = ".pact"
LONGEST = 200  # characters of a path


class Wrong(NamedTuple):
    """What is wrong with a path; `instead`: what to write, if that is known."""

    message: str
    help: str = ""
    instead: str = ""


def wrong_with(path: str) -> Wrong | None:
    """Why a path cannot be imported, whatever there is at that place; None if it can."""
    parts = path.split("/")
    if not path:
        return Wrong("the path is empty", 'an import names a file: `import "refunds.pact"`')
    if len(path) > LONGEST:
        return Wrong(f"the path is longer than {LONGEST} characters")
    if "\\" in path:
        return Wrong("a path has no backslashes", "folders are parted by `/`", path.replace("\\", "/"))
    if any(category(char)[0] == "C" for char in path):
        return Wrong("the path has a character that cannot be seen")
    if normalize("NFKC", path) != path:
        plain = normalize("NFKC", path)
        return Wrong("the path has a character that some systems take for another", instead=plain)
    if path.startswith("/") or (len(path) > 1 and path[1] == ":"):
        return Wrong("the path is absolute", "a path is relative to the file that imports")
    if ".." in parts:
        help = "a pact imports what is in its folder, or below it"
        return Wrong("the path leaves the folder by `..`", help)
    if "" in parts or "." in parts:
        what = "an empty part" if "" in parts else "a `.` for the folder it is in"
        return Wrong(f"the path has {what}", instead="/".join(part for part in parts if part.strip(".")))
    if not path.endswith(SUFFIX) or parts[-1] == SUFFIX:
        return Wrong(f"the path does not end in `{SUFFIX}`", instead=path + SUFFIX if "." not in path else "")
    return None


def beside(path: str, importer: str) -> str:
    """The name of the file that `importer` calls `path`; both names are relative to the first pact's
    folder, or begin with `std/`."""
    folder = importer.rpartition("/")[0]
    return path if path.startswith(STD) or not folder else f"{folder}/{path}"
