"""Run `pactc` in this process or in one of its own, on a small pact and a small log."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

PACT = r"""pact shop "1.2.0" on Step "Small refunds, no secrets."

record Step {
  id:     string?
  kind:   enum("chat", "tool", "ping") = "chat"
  tool:   string?
  args:   dyn?
  output: string = ""
  cost:   double?
}

applies when kind != "ping"

pattern secret = r"sk-[a-z0-9]+"

clause small_refunds "A refund above 50 needs a human." {
  severity critical
  when     tool == "refund"
  require  args.amount <= 50
}

clause no_secrets { never output.matches(secret) }

clause cheap {
  severity minor
  when     has(cost)
  require  cost < 1.0
}
"""

BROKEN = 'pact shop "1.0.0"\nclause a { require ltency < 2s }\nclause b { require latency < 2000 }\n'

RECORDS: list[dict[str, Any]] = [
    {"id": "a", "output": "hello", "cost": 0.5},
    {"id": "b", "kind": "tool", "tool": "refund", "args": {"amount": 80}},
    {"id": "c", "kind": "tool", "tool": "refund", "args": {"amount": 20}},
    {"id": "d", "kind": "tool", "tool": "refund", "args": {}},
    {"id": "e", "output": "your key is sk-abc123, keep it", "cost": 2.0},
    {"id": "f", "kind": "ping"},
    {"output": "no id"},
]
LOG = "".join(json.dumps(record) + "\n" for record in RECORDS).encode()
COUNTS = {
    "small_refunds": (1, 1, 3, 1),
    "no_secrets": (5, 1, 0, 0),
    "cheap": (1, 1, 4, 0),
}


class Result(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


class Pactc:
    """`pactc(*arguments)` in a folder that holds shop.pact and log.jsonl."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.folder, self.monkeypatch, self.capsys = folder, monkeypatch, capsys
        monkeypatch.chdir(folder)
        monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
        for name in ("PACT_DEBUG", "NO_COLOR", "FORCE_COLOR", "COLUMNS"):
            monkeypatch.delenv(name, raising=False)
        self.write("shop.pact", PACT)
        self.write("log.jsonl", LOG)

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Result:
        from pactlang.cli import main

        self.monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main(arguments)
        said = self.capsys.readouterr()
        assert "Traceback" not in said.err
        return Result(left.value.code or 0, said.out, said.err)  # type: ignore[arg-type]

    def run(self, *arguments: str, stdin: bytes = b"") -> Result:
        return self("run", "shop.pact", *arguments, stdin=stdin)

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        """`pactc` as a process of its own."""
        command = [sys.executable, "-m", "pactlang.cli", *arguments]
        options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        return subprocess.Popen(command, **options)


@pytest.fixture
def pactc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Pactc:
    return Pactc(tmp_path, monkeypatch, capsys)
