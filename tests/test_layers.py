"""The floors and halves of pactlang/README.md, held to what the modules really import."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "pactlang"
MAP = (PACKAGE / "README.md").read_text("utf-8")
FLOOR = {
    module: int(floor)
    for floor, names in re.findall(r"^\| (\d+) \|[^|]*\| ([^|]+?) \|$", MAP, re.M)
    for module in names.split()
}
HALVES = re.findall(r"^\| (front|back) \| ([^|]+?) \|$", MAP, re.M)
HALF = {name: set(names.split()) for name, names in HALVES}
COMPILED = {"_runtime"}
GENERATED = {"_grammar"}
QUIET = int(re.findall(r"^- Below floor (\d) nothing opens a file", MAP, re.M)[0])
EFFECTS = {"os", "io", "time", "logging", "socket", "subprocess", "tempfile", "shutil"}


def module_of(path: Path) -> str:
    """The module of the map that a file belongs to: `check/names.py` is part of `check`."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = sorted({module_of(path) for path in FILES} - GENERATED)


def sees_only_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def statements(tree: ast.AST) -> list[ast.AST]:
    """Every node but those under `if TYPE_CHECKING`."""
    found = []
    for child in ast.iter_child_nodes(tree):
        found.append(child)
        branches = child.orelse if sees_only_types(child) else [child]
        found += [node for branch in branches for node in statements(branch)]
    return found


def imported(path: Path) -> set[str]:
    """Full dotted names of all that a file imports, at its top or inside a function."""
    names: set[str] = set()
    package = ["pactlang", *path.relative_to(PACKAGE).parts[:-1]]
    for node in statements(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            base = [*above, *filter(None, [node.module])]
            names |= {".".join([*base, alias.name]) for alias in node.names}
    return names


def imports(module: str) -> set[str]:
    """The other modules of the map that `module` imports; the package itself is `__init__`."""
    found = set()
    if module in COMPILED:
        text = "\n".join(path.read_text("utf-8") for path in (PACKAGE.parent / "runtime").glob("*.p*"))
        lines = re.findall(r"^\s*(?:from|import) pactlang(?:\.(\w+)| import (\w+))", text, re.M)
        return {one or other for one, other in lines}
    for path in (path for path in FILES if module_of(path) == module):
        for name in imported(path):
            parts = name.split(".")
            if parts[0] == "pactlang":
                found.add(parts[1] if len(parts) > 1 and parts[1] in FLOOR else "__init__")
    return found - {module}


def test_the_table_lists_every_module_once() -> None:
    listed = re.findall(r"^\| \d+ \|[^|]*\| ([^|]+?) \|$", MAP, re.M)
    assert sorted(" ".join(listed).split()) == sorted({*MODULES, *COMPILED, *GENERATED})


@pytest.mark.parametrize("module", [*MODULES, *COMPILED])
def test_imports_only_go_down(module: str) -> None:
    up = {other for other in imports(module) if FLOOR[other] >= FLOOR[module]}
    assert not up, f"{module} (floor {FLOOR[module]}) imports {sorted(up)}"


@pytest.mark.parametrize("module", sorted(HALF["back"]))
def test_the_back_half_never_imports_the_front_half(module: str) -> None:
    assert not imports(module) & HALF["front"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_lark_is_named_only_by_the_parser(path: Path) -> None:
    names = {name.split(".")[0] for name in imported(path)}
    assert "lark" not in names or module_of(path) == "parse"


@pytest.mark.parametrize("module", [module for module in MODULES if FLOOR[module] < QUIET])
def test_low_floors_touch_nothing_of_the_world(module: str) -> None:
    for path in (path for path in FILES if module_of(path) == module):
        assert not {name.split(".")[0] for name in imported(path)} & EFFECTS, path
        calls = [n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Call)]
        named = {n.func.id for n in calls if isinstance(n.func, ast.Name)}
        assert not named & {"open", "print", "input"}, path


def loaded_after(code: str) -> set[str]:
    """The modules a fresh interpreter holds after `code`."""
    script = f"import sys\n{code}\nprint('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    return set(done.stdout.split())


def test_import_is_light() -> None:
    assert not loaded_after("import pactlang") & {"lark", "numpy", "click", "rich", "re2"}


def test_a_compiled_pact_never_loads_the_parser(tmp_path: Path) -> None:
    import pactlang

    artifact = tmp_path / "tiny.pactc"
    program = pactlang.compile('pact tiny "1.0.0"\nclause short { require size(output) < 3 }')
    artifact.write_bytes(program.to_bytes())
    loaded = loaded_after(
        "import pactlang\n"
        f"program = pactlang.load({str(artifact)!r})\n"
        "verdict = pactlang.Evaluator(program).check({'output': 'long'})\n"
        "assert not verdict.ok\n"
        "assert verdict.violations[0].clause == 'short'\n"
        'batch = pactlang.Evaluator(program).check_lines(b\'{"output": "ok"}\')\n'
        "assert batch.outcomes.shape == (1, 1)"
    )
    assert not {name for name in loaded if name.split(".")[0] == "lark"}
    assert not loaded & {f"pactlang.{module}" for module in HALF["front"]}


def test_the_floors_catch_an_arrow_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FLOOR, "diagnostic", 0)
    assert {other for other in imports("diagnostic") if FLOOR[other] >= 0}
