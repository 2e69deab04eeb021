"""What is built, shipped and promised about the package as a whole."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
TOP_LEVEL = {
    "pactlang", "grammar", "runtime", "benchmarks", "tests", "setup.py", "pyproject.toml", "README.md",
    "LICENSE", ".gitignore", ".ci", "action.yml", ".pre-commit-hooks.yaml",
}  # fmt: skip
REBUILD = "run: python setup.py build_ext --inplace"


def tracked() -> list[str]:
    """Files that git knows; the test that asks for them needs a checkout."""
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git checkout")
    return done.stdout.splitlines()


def test_the_native_module_is_there_and_not_older_than_its_sources() -> None:
    from pactlang import _runtime

    built = os.path.getmtime(_runtime.__file__)
    sources = [*ROOT.glob("runtime/*.pyx"), *ROOT.glob("runtime/*.pxi"), ROOT / "runtime/opcodes.pxi"]
    newer = [path.name for path in sources if path.stat().st_mtime > built]
    assert not newer, f"{newer} changed after the native module was built; {REBUILD}"


def test_the_generated_grammar_is_the_grammar() -> None:
    from pactlang._grammar import GRAMMAR, TABLES
    from pactlang.parse.tabulate import tabulate

    assert (ROOT / "grammar/pact.lark").read_text("utf-8") == GRAMMAR, REBUILD
    assert tabulate(GRAMMAR) == json.loads(TABLES), REBUILD


def test_the_generated_enums_are_the_enums() -> None:
    from pactlang.functions import Builtin
    from pactlang.opcodes import Kind, Opcode

    text = (ROOT / "runtime/opcodes.pxi").read_text("utf-8")
    numbers = {name: int(value) for name, value in re.findall(r"^    (\w+) = (-?\d+)$", text, re.M)}
    for prefix, enum in (("OP", Opcode), ("KIND", Kind), ("FN", Builtin)):
        for member in enum:
            assert numbers[f"{prefix}_{member.name}"] == member.value, REBUILD


def test_the_top_level_is_what_the_map_says() -> None:
    assert {name.split("/")[0] for name in tracked()} == TOP_LEVEL


def test_nothing_generated_is_tracked() -> None:
    generated = re.compile(r"\.(so|c|pyc)$|opcodes\.pxi$|_grammar\.py$|egg-info")
    assert not [name for name in tracked() if generated.search(name)]


def test_every_import_of_the_package_is_declared() -> None:
    project = PROJECT["project"]
    extras = [name for name in project["optional-dependencies"] if name not in ("test", "bench")]
    declared = {re.split(r"[<>=\[]", each)[0] for each in project["dependencies"]}
    optional = {re.split(r"[<>=\[]", e)[0] for name in extras for e in project["optional-dependencies"][name]}
    distributions = metadata.packages_distributions()
    needed = set()
    for path in (ROOT / "pactlang").rglob("*.py"):
        if path.name == "tabulate.py":  # runs when the package is built, not when it is used
            continue
        found = re.findall(r"^\s*(?:from|import) (\w+)", path.read_text("utf-8"), re.M)
        needed |= {name for name in found if name not in sys.stdlib_module_names and name != "pactlang"}
    found = {distributions[name][0] for name in needed if name in distributions}
    assert declared <= found <= declared | optional


def test_the_public_names_have_docstrings() -> None:
    import pactlang

    names = [name for name in pactlang.__all__ if not name.startswith("__")]
    assert len(names) <= 24
    for name in names:
        assert (getattr(pactlang, name).__doc__ or "").strip(), name


def test_the_package_is_typed_and_its_native_module_has_a_stub() -> None:
    assert (ROOT / "pactlang/py.typed").exists()
    assert (ROOT / "pactlang/_runtime.pyi").exists()


def test_the_package_data_holds_what_is_imported_from_the_package() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["pactlang"]
    shipped = {path for pattern in patterns for path in (ROOT / "pactlang").glob(pattern)}
    assert set((ROOT / "pactlang/std").iterdir()) <= shipped


@pytest.mark.parametrize("script", ["pactc"])
def test_the_command_is_declared(script: str) -> None:
    module, _, function = PROJECT["project"]["scripts"][script].partition(":")
    assert callable(getattr(__import__(module, fromlist=[function]), function))
