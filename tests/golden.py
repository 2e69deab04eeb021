"""Golden cases: text files with the input and what is expected, rewritten by `pytest --update`.

    == an unknown field is reported once, even when used twice
    -- pact --
    pact refunds "1.0.0"
    -- problems --
    4:11-4:18 error unknown-field

A file holds several cases, a case any number of named sections.  An empty line ends a case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from pactlang.diagnostic import Diagnostic
from pactlang.source import Source

CORPUS = Path(__file__).resolve().parent / "corpus"
TITLE = re.compile(r"^== (.+)\n", re.M)
SECTION = re.compile(r"^-- (\w+) --\n", re.M)


class Case(NamedTuple):
    """One case; each section's text ends with a line break, or is empty."""

    path: Path
    title: str
    sections: dict[str, str]


def load(stage: str) -> list[Case]:
    """All cases of a stage, in the order of their files."""
    return [case for path in sorted((CORPUS / stage).glob("*.txt")) for case in read(path)]


def read(path: Path) -> list[Case]:
    """The cases of a file; one without a section, or twice the same title, is a mistake in the file."""
    _, *parts = TITLE.split(path.read_bytes().decode("utf-8"))
    cases = []
    for title, body in zip(parts[::2], parts[1::2], strict=True):
        head, *texts = SECTION.split(body)
        assert texts, f"{path.name}: {title}: no section"
        assert not head.strip(), f"{path.name}: {title}: text before the first section"
        sections = dict(zip(texts[::2], texts[1::2], strict=True))
        last = texts[-2]
        sections[last] = sections[last].rstrip("\n") + "\n" if sections[last].strip() else ""
        cases.append(Case(path, title, sections))
    assert len({case.title for case in cases}) == len(cases), f"{path.name}: two cases of one title"
    return cases


def parametrize(stage: str) -> pytest.MarkDecorator:
    """Runs a test once for each case of a stage, as its argument `case`."""
    cases = load(stage)
    assert cases, f"no cases for {stage}"
    return pytest.mark.parametrize("case", cases, ids=[f"{c.path.stem}: {c.title}" for c in cases])


def settle(case: Case, section: str, found: str, request: pytest.FixtureRequest) -> None:
    """Compare with what is expected, or with `--update` write what was found in its place."""
    if request.config.getoption("--update"):
        write(case, section, found)
        return
    assert found == case.sections.get(section), f"{case.path.name}: {case.title}"


def write(case: Case, section: str, found: str) -> None:
    """Put one section of one case into its file."""
    cases = [
        c._replace(sections={**c.sections, section: found}) if c.title == case.title else c
        for c in read(case.path)
    ]
    blocks = (
        f"== {c.title}\n" + "".join(f"-- {name} --\n{text}" for name, text in c.sections.items())
        for c in cases
    )
    case.path.write_bytes("\n".join(blocks).encode())


def problems(diagnostics: Iterable[Diagnostic], source: Source) -> str:
    """One line for each finding: its place, level and code.  Wording is asserted in `render` alone."""
    lines = []
    for found in diagnostics:
        start, end = source.place(found.primary.span.start), source.place(found.primary.span.end)
        lines.append(f"{start.line}:{start.column}-{end.line}:{end.column} {found.level} {found.code}\n")
    return "".join(lines)
