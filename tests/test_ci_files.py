"""What users put into their pipelines: the GitHub Action and the pre-commit hooks, run as they are written.

Of the action every `run:` step is executed by the shell that it names; only pip is a stand-in, which
writes down what it was asked for.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
PACT = """pact small "1.0.0"

clause short { require size(output) <= 5 }

test "a long one" {
  call { output: "too long" }
  expect violation of short
}
"""
FAILING = PACT.replace("violation of short", "ok")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder to work in, beside one with `pactc`, and with a `python` that only says what pip was asked."""
    tools = tmp_path / "bin"
    tools.mkdir()
    pactc = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m pactlang.cli "$@"\n'
    for name, text in (("pactc", pactc), ("python", f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    (tmp_path / "work/deep/er").mkdir(parents=True)
    return tmp_path


def value(text: Any, inputs: dict[str, str]) -> str:
    """What an expression of the action comes to: an input, or the first that is not empty."""

    def one(match: re.Match[str]) -> str:
        known = {**{f"inputs.{k}": v for k, v in inputs.items()}, "github.action_path": str(ROOT)}
        return next((known[name] for name in re.split(r"\s*\|\|\s*", match[1]) if known[name]), "")

    return re.sub(r"\$\{\{ (.*?) \}\}", one, str(text))


def wanted(step: dict[str, Any], failed: bool, inputs: dict[str, str]) -> bool:
    match step.get("if"):
        case None:
            return not failed
        case "${{ !cancelled() }}":
            return True
        case "${{ inputs.records != '' }}":
            return not failed and inputs["records"] != ""
    raise AssertionError(step["if"])


def act(place: Path, **given: str) -> tuple[list[str], str]:
    """Run the action; the names of the steps that failed, and all that was printed."""
    inputs = {name: about["default"] for name, about in ACTION["inputs"].items()}
    inputs |= {name.replace("_", "-"): text for name, text in given.items()}
    failed: list[str] = []
    printed = ""
    for step in ACTION["runs"]["steps"]:
        if "run" not in step or not wanted(step, bool(failed), inputs):
            continue
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "an input may be a command: it goes through the environment"
        environment = {name: value(text, inputs) for name, text in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=place / "work" / value(step.get("working-directory", "."), inputs), text=True,
            env={**os.environ, "PATH": f"{place / 'bin'}:{os.environ['PATH']}", **environment},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        printed += done.stdout
        if done.returncode:
            failed.append(step["name"])
    return failed, printed


def test_pacts_that_are_right(place: Path) -> None:
    (place / "work/a.pact").write_text(PACT)
    (place / "work/deep/er/b b.pact").write_text(PACT.replace("small", "other"))
    failed, printed = act(place)
    assert not failed, printed
    assert "deep/er/b b.pact: other 1.0.0, 1 clause" in printed
    assert (place / "asked").read_text() == f"-m pip install --quiet --disable-pip-version-check {ROOT}\n"


def test_what_pip_installs_can_be_named(place: Path) -> None:
    (place / "work/a.pact").write_text(PACT)
    assert act(place, pactlang="pactlang==0.1.0")[0] == []
    assert (place / "asked").read_text().endswith("pactlang==0.1.0\n")


def test_a_pact_with_a_mistake_and_a_test_that_fails(place: Path) -> None:
    (place / "work/bad.pact").write_text(PACT.replace("output)", "outptu)"))
    (place / "work/failing.pact").write_text(FAILING)
    failed, printed = act(place)
    assert failed == ["Check", "Test"]
    assert "::error file=bad.pact,line=3,title=unknown-field::unknown field `outptu`" in printed
    assert "::error file=failing.pact,line=7,title=a long one::" in printed


def test_no_pact(place: Path) -> None:
    failed, printed = act(place, pacts="none/*.pact")
    assert failed == ["Check", "Test"]
    assert "::error title=pactc::no pact is called none/*.pact" in printed


def test_a_name_is_no_command_and_no_option(place: Path) -> None:
    (place / "work/a.pact").write_text(PACT)
    (place / "work/--help.pact").write_text(PACT)
    failed, printed = act(place, pacts="$(touch/it) `id` *.pact ;id")
    assert failed == ["Check", "Test"]
    assert "cannot read $(touch/it)" in printed
    assert act(place)[0] == []


@pytest.mark.parametrize(("fail_on", "fails"), [("major", True), ("critical", False), ("", False)])
def test_records(place: Path, fail_on: str, fails: bool) -> None:
    (place / "work/deep/a.pact").write_text(PACT)
    (place / "work/deep/log one.jsonl").write_text('{"id": "x", "output": "too long"}\n')
    failed, printed = act(
        place, pact="a.pact", records="log*.jsonl", fail_on=fail_on, working_directory="deep"
    )
    assert (failed == ["Judge the records"]) == fails, printed
    assert "short  major, violated by 1 call" in printed


def test_records_with_a_report(place: Path) -> None:
    (place / "work/a.pact").write_text(PACT)
    (place / "work/log.jsonl").write_text('{"id": "x", "output": "too long"}\n')
    failed, _ = act(place, pact="a.pact", records="log.jsonl", report="out.json")
    assert failed == ["Judge the records"]
    assert json.loads((place / "work/out.json").read_text())["clauses"]["short"]["violated"] == 1


@pytest.mark.parametrize(("given", "says"), [({}, "records need a pact"), ({"pact": "a.pact"}, "no log is")])
def test_records_without_what_they_need(place: Path, given: dict[str, str], says: str) -> None:
    (place / "work/a.pact").write_text(PACT)
    failed, printed = act(place, records="none*.jsonl", **given)
    assert failed == ["Judge the records"]
    assert says in printed


def test_the_action_is_what_github_takes() -> None:
    assert {"name", "description", "inputs", "runs"} <= set(ACTION)
    assert ACTION["runs"]["using"] == "composite"
    used = set(re.findall(r"inputs\.([\w-]+)", (ROOT / "action.yml").read_text("utf-8")))
    assert used == set(ACTION["inputs"])
    assert all(set(about) == {"description", "default"} for about in ACTION["inputs"].values())


# Hooks -----------------------------------------------------------------------------------------


def hook(place: Path, id: str, *files: str) -> int:
    about = next(hook for hook in HOOKS if hook["id"] == id)
    assert about["language"] == "python"
    assert all(re.search(about["files"], file) for file in files)
    env = {**os.environ, "PATH": f"{place / 'bin'}:{os.environ['PATH']}"}
    command = [*shlex.split(about["entry"]), *files]
    return subprocess.run(command, cwd=place / "work", env=env, capture_output=True).returncode


def test_hooks(place: Path) -> None:
    files = {"good.pact": PACT, "failing.pact": FAILING, "bad.pact": PACT.replace("<=", "<==")}
    for name, text in files.items():
        (place / "work" / name).write_text(text)
    assert hook(place, "pactc-check", "good.pact", "failing.pact") == 0
    assert hook(place, "pactc-check", "good.pact", "bad.pact") == 1
    assert hook(place, "pactc-test", "good.pact") == 0
    assert hook(place, "pactc-test", "good.pact", "failing.pact") == 1
    assert hook(place, "pactc-fmt", "bad.pact") == 1
    (place / "work/loose.pact").write_text(PACT.replace("{ require", "{require"))
    assert hook(place, "pactc-fmt", "loose.pact", "good.pact") == 0
    assert (place / "work/loose.pact").read_text() == PACT


def test_the_hooks_are_what_pre_commit_takes() -> None:
    if find_spec("pre_commit") is None:
        pytest.skip("no pre-commit")
    command = [sys.executable, "-m", "pre_commit", "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")]
    assert subprocess.run(command, capture_output=True).returncode == 0
