"""Every command of README.md does what README.md shows.

Files are ```pact blocks whose first line is `// NAME.pact`; they are written to an empty folder, block by
block.  A ```console block holds `$ command` lines, each followed by what it prints; times, digests and sizes
are not compared.  A ```python block is run as it stands; `# prints` is what it prints.
The set-up commands make an environment of their own: here their last step runs with the `pactc` that is
installed; `.ci/run` runs the whole of the test command.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.M | re.S)
PACTS = [text for kind, text in BLOCKS if kind == "pact"]
BROKEN = PACTS[1]  # the first pact as it is first written
SETUP = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
INSTALL = "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && "


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder with the example log where README's commands look for it."""
    path = tmp_path_factory.mktemp("readme")
    (path / "pactlang").symlink_to(ROOT / "pactlang")
    return path


def environment() -> dict[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}


def shell(command: str, cwd: Path) -> tuple[int, str]:
    done = subprocess.run(
        command, shell=True, cwd=cwd, env=environment(), text=True, stdout=-1, stderr=subprocess.STDOUT
    )
    return done.returncode, done.stdout


def steps(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a console block, each with what it prints."""
    for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def steady(text: str) -> str:
    """Without what differs from run to run or from version to version: times, digests, sizes."""
    text = re.sub(r"sha256:[0-9a-f]+", "sha256:#", text)
    text = re.sub(r"[\d.]+ s, [\d,]+ calls/s", "# calls/s", text)
    text = re.sub(r"[\d,]+ bytes", "# bytes", text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def play(folder: Path, blocks: list[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Go through the blocks in order; for each command, the command, what is shown and what is printed."""
    for kind, text in blocks:
        named = re.match(r"// (\w+\.pact)\n", text) if kind == "pact" else None
        if named:
            (folder / named[1]).write_text(text, "utf-8")
        for command, shown in steps(text) if kind == "console" else ():
            code, printed = shell(command, folder)
            assert code in (0, 1), f"$ {command} leaves with {code}: {printed}"
            yield command, shown, "\n".join(line.rstrip() for line in printed.strip().splitlines())


def rewrite(played: list[tuple[str, str, str]]) -> None:
    """Put what was printed into README.md."""
    text = README
    for command, shown, printed in played:
        if steady(shown) != steady(printed):
            after = "\n" if shown.endswith("\n\n") else ""
            text = text.replace(f"$ {command}\n{shown}", f"$ {command}\n{printed}\n{after}", 1)
    (ROOT / "README.md").write_text(text, "utf-8")


def test_the_first_pact_goes_as_told(folder: Path, request: pytest.FixtureRequest) -> None:
    played = list(play(folder, BLOCKS))
    assert len(played) >= 5
    if request.config.getoption("--update"):
        rewrite(played)
    else:
        for command, shown, printed in played:
            assert steady(printed) == steady(shown), f"$ {command}"


@pytest.mark.parametrize("text", [text for text in PACTS if text is not BROKEN])
def test_pacts_compile(text: str) -> None:
    import pactlang

    assert pactlang.compile(text).clauses


def test_the_report_has_the_keys_that_are_documented(folder: Path) -> None:
    _, printed = shell(
        "pactc run pactlang/examples/support.pact pactlang/examples/support.jsonl --format json", folder
    )
    rows = re.search(r"^\| key \|.*?\n\n", README, re.M | re.S)
    assert rows is not None
    keys = {
        key for cell in re.findall(r"^\| (`[^|]+) \|", rows[0], re.M) for key in re.findall(r"`(\w+)`", cell)
    }
    assert json.loads(printed).keys() == keys


@pytest.mark.parametrize("text", [text for kind, text in BLOCKS if kind == "python"])
def test_python_blocks_run(text: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=folder, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    shown = re.findall(r"# prints (.*)$", text, re.M)
    assert done.stdout.splitlines() == shown


def test_the_set_up_commands(folder: Path) -> None:
    job, test = SETUP
    assert job.startswith(INSTALL)
    assert test.startswith(INSTALL)
    run = job.removeprefix(INSTALL).replace(".venv/bin/", "")
    assert shlex.split(run)[0] == "pactc"
    code, printed = shell(run, folder)
    assert code == 0, printed
    assert "small_refunds" in printed
    assert test == f"{job} && .venv/bin/python -m pytest -q -n auto"


def test_ci_runs_the_test_command() -> None:
    pattern = re.search(r"grep -m 1 -E '(.+?)' README.md", (ROOT / ".ci/run").read_text("utf-8"))
    assert pattern is not None
    assert [line for line in README.splitlines() if re.search(pattern[1], line)] == SETUP[1:]


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_exit_codes_are_those_of_the_command() -> None:
    from pactlang.cli import exits

    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.M)}
    assert documented == {
        value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)
    }
