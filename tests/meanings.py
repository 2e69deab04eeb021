"""The words of the reference's tables as the module `pactlang/lsp/meanings.py` has them.

In: `grammar/README.md`.  Out: the text of the module.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
MODULE = ROOT / "pactlang/lsp/meanings.py"
HEAD = '''"""What functions and standard fields mean: the reference's words, for an editor.

Written from the tables of `grammar/README.md` by `pytest tests/test_lsp.py --update`.
"""

from __future__ import annotations

'''


def rows(table: str) -> Iterator[list[str]]:
    """The cells of a table's rows."""
    page = (ROOT / "grammar/README.md").read_text("utf-8")
    text = page.split(f"<!-- table: {table} -->")[1].lstrip()
    for line in text.split("\n\n")[0].splitlines()[2:]:
        yield [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def plain(text: str) -> str:
    """Markdown without its links."""
    return re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", text)


def module() -> str:
    """The module's text."""
    functions = {
        name.strip("`"): (tuple(form.strip("`") for form in forms.split("<br>")), plain(meaning))
        for name, forms, meaning in rows("functions")
    }
    fields = {name.strip("`"): plain(meaning) for name, _, _, meaning in rows("fields")}
    lines = [
        "# By name: the forms, and what it gives.",
        "FUNCTIONS: dict[str, tuple[tuple[str, ...], str]] = {",
    ]
    lines += [f"    {name!r}: {said!r}," for name, said in functions.items()]
    lines += ["}", "", "# By the path from the call.", "FIELDS: dict[str, str] = {"]
    lines += [f"    {name!r}: {said!r}," for name, said in fields.items()]
    return HEAD + "\n".join([*lines, "}"]) + "\n"
