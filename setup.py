"""Build `pactlang._runtime`, and write the two generated files it and the package need.

runtime/opcodes.pxi comes from the enums of pactlang/opcodes.py and `Builtin` of pactlang/functions.py;
pactlang/_grammar.py comes from grammar/pact.lark.  Everything else about the project stands in
pyproject.toml.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
from enum import IntEnum
from pathlib import Path
from types import ModuleType

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
os.chdir(ROOT)

# Prefix of an enum's members in C; an enum that is not listed takes its own name.
PREFIX = {"Opcode": "OP", "ErrorCode": "ERR", "Builtin": "FN"}
# Beside the packages and the extension's sources, what a source distribution holds.
SHIPPED = ("grammar/*", "runtime/*.pyx", "runtime/*.pxi", "runtime/*.h", "runtime/*.md", "benchmarks/*",
           "benchmarks/plots/*", "tests/**/*", "action.yml", ".pre-commit-hooks.yaml",
           "pactlang/editors/vscode/*", "pactlang/editors/vscode/syntaxes/*")  # fmt: skip


class Sdist(sdist):
    """A source distribution with the grammar, the tests and the benchmarks in it."""

    def make_distribution(self) -> None:
        found = (path for pattern in SHIPPED for path in Path().glob(pattern) if path.is_file())
        self.filelist.extend(str(path) for path in found if "__pycache__" not in path.parts)
        self.filelist.remove_duplicates()
        super().make_distribution()


def load_enums() -> list[type[IntEnum]]:
    """The enums both sides of the machine share, loaded without running `pactlang/__init__.py`."""
    before = {name for name in sys.modules if name.split(".")[0] == "pactlang"}
    package = ModuleType("pactlang")
    package.__path__ = [str(ROOT / "pactlang")]
    sys.modules.setdefault("pactlang", package)
    try:
        opcodes = importlib.import_module("pactlang.opcodes")
        functions = importlib.import_module("pactlang.functions")
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == "pactlang"]:
            if name not in before:
                del sys.modules[name]
    own = [e for e in vars(opcodes).values() if is_enum(e) and e.__module__ == opcodes.__name__]
    return [*own, functions.Builtin]


def is_enum(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, IntEnum)


def c_prefix(enum: type[IntEnum]) -> str:
    """`Kind` -> KIND, `TextOp` -> TEXT_OP, or what PREFIX says."""
    return PREFIX.get(enum.__name__) or re.sub(r"(?<!^)(?=[A-Z])", "_", enum.__name__).upper()


def opcodes_pxi() -> str:
    lines = ["# Written by setup.py from pactlang/opcodes.py and pactlang/functions.py."]
    for enum in load_enums():
        lines += ["", f"cdef enum:  # {enum.__name__}"]
        lines += [f"    {c_prefix(enum)}_{member.name} = {member.value}" for member in enum]
        lines += [f"    {c_prefix(enum)}_COUNT = {len(enum)}"]
    return "\n".join(lines) + "\n"


def grammar_py() -> str:
    text = Path("grammar/pact.lark").read_text("utf-8")
    spec = importlib.util.spec_from_file_location("tabulate", "pactlang/parse/tabulate.py")
    assert spec is not None
    assert spec.loader is not None
    tabulate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tabulate)
    tables = json.dumps(tabulate.tabulate(text), separators=(",", ":"))
    return (
        '"""The grammar and its tables, written by setup.py from grammar/pact.lark."""\n\n'
        f"GRAMMAR: str = {text!r}\n\nTABLES: str = {tables!r}\n"
    )


def write_if_changed(path: str, text: str) -> None:
    """Leave an equal file alone: its date decides what is built again."""
    target = Path(path)
    if not target.exists() or target.read_text("utf-8") != text:
        target.write_text(text, "utf-8", newline="\n")


write_if_changed("pactlang/_grammar.py", grammar_py())
write_if_changed("runtime/opcodes.pxi", opcodes_pxi())

runtime = Extension(
    "pactlang._runtime",
    ["runtime/_runtime.pyx"],
    depends=["runtime/_runtime.pyx", *sorted(map(str, Path().glob("runtime/*.[ph]*")))],
    include_dirs=["runtime"],
    extra_compile_args=[] if os.name == "nt" else ["-O3"],
)

setup(
    ext_modules=cythonize([runtime], include_path=["runtime"], language_level=3),
    cmdclass={"sdist": Sdist},
)
