"""How fast `pactc lsp` answers on a long pact: every kind of request, timed at the client.

A pact of 2,000 lines as `pactc fmt` writes it, and one of 2,000 lines of one declaration each, with an empty
line behind nine of them, and twice as many characters.  The server is the real process, over its standard
input and output; a client waits from the first byte of the request to the last of the answer.  Every
request is made right after an edit of the pact, while the server is about to check it or does: that is when
an editor asks.

    python benchmarks/bench_lsp.py [--lines 2000] [--rounds 30] [--write]
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bench_front import pact
from measure import Row, cpu, markdown, write

import pactlang
from pactlang.fmt import format_pact
from pactlang.source import Source

HERE = Path(__file__).parent
TARGET = 50  # milliseconds
GROUP = 9  # declarations between two empty lines
URI = "file:///bench.pact"
CLAUSE = """
clause small_{n} "A refund above {n} EUR needs a human." {{
  dimension bond
  severity  critical
  when      tool == "issue_refund_{n}" && has(args.amount)
  require   args.amount <= cap_{n} && tool_calls.all(t, t.name in tools)
  on violation {{ block "A colleague will look at this."; alert "refunds" }}
}}

let cap_{n} = {n}.5
"""
HEAD = 'pact large "1.0.0"\n  "Many promises."\n\nlet tools = ["lookup_order", "handover"]\n'
TAIL = """clause last {
  when tool_calls.exists(t, t.name == "x") && kind == "chat"
  require latency <= 8s
}
"""


def formatted(lines: int) -> str:
    """A pact of so many lines in the one style."""
    text, n = HEAD, 0
    while text.count("\n") + CLAUSE.count("\n") + TAIL.count("\n") < lines:
        n += 1
        text += CLAUSE.format(n=n)
    styled, _ = format_pact(Source("x", text + "\n" + TAIL))
    assert styled is not None
    return styled


def dense(lines: int) -> str:
    """A pact of so many lines, each a declaration, in groups with an empty line between."""
    made = pact(lines // 8).splitlines()
    groups = [
        "\n".join(made[at : at + GROUP]) for at in range(0, lines * GROUP // (GROUP + 1) - GROUP, GROUP)
    ]
    return "\n\n".join([*groups, TAIL])


class Server:
    """The process, asked by hand: a client's own time would be part of the figures."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "pactlang.cli", "lsp"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.id = 0
        self.size = 0
        self.notes: list[dict[str, Any]] = []

    def send(self, method: str, params: Any, id: int | None = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params} | ({} if id is None else {"id": id})
        body = json.dumps(message).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        length = 0
        while (line := self.process.stdout.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        self.size = length
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        return message

    def ask(self, method: str, params: Any) -> Any:
        self.id += 1
        self.send(method, params, self.id)
        while (message := self.read()).get("id") != self.id:
            self.notes.append(message)
        if "error" in message:
            raise SystemExit(f"{method}: {message['error']}")
        return message["result"]

    def busy(self) -> float:
        """Milliseconds of processor time that the server's threads have taken."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(each.read_text().split()[0]) for each in tasks) / 1e6

    def until(self, method: str, version: int) -> None:
        """Wait for a notification about this version of the file."""
        while True:
            message = self.notes.pop(0) if self.notes else self.read()
            if message.get("method") == method and message["params"].get("version") == version:
                return


def requests(text: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What is asked: a name, the method, the parameters beside the file."""
    lines = text.splitlines()
    last = len(lines) - 3  # `when tool_calls.exists(...`
    assert "tool_calls.exists" in lines[last], lines[last]

    def at(word: str, line: int = last) -> dict[str, Any]:
        return {"position": {"line": line, "character": lines[line].index(word) + 1}}

    name = next(number for number, line in enumerate(lines) if line.startswith("let "))
    whole = {"start": {"line": last - 40, "character": 0}, "end": {"line": last, "character": 0}}
    yield "hover", "textDocument/hover", at("name ==")
    yield "completion in an expression", "textDocument/completion", at("tool_calls")
    yield "completion behind a dot", "textDocument/completion", at("name ==")
    yield (
        "go to definition",
        "textDocument/definition",
        at("tools" if "tools " in lines[name] else "cap", name),
    )
    references = {"context": {"includeDeclaration": True}}
    yield (
        "references",
        "textDocument/references",
        {**at("tools" if "tools " in lines[name] else "cap", name), **references},
    )
    yield (
        "rename",
        "textDocument/rename",
        {**at("tools" if "tools " in lines[name] else "cap", name), "newName": "other"},
    )
    yield "outline", "textDocument/documentSymbol", {}
    yield "folding", "textDocument/foldingRange", {}
    yield "colours, all", "textDocument/semanticTokens/full", {}
    yield "colours, 40 lines", "textDocument/semanticTokens/range", {"range": whole}
    yield "code actions", "textDocument/codeAction", {"range": whole, "context": {"diagnostics": []}}
    yield "format", "textDocument/formatting", {"options": {"tabSize": 2, "insertSpaces": True}}


class Times(NamedTuple):
    """Milliseconds that the client waited, and that the server computed."""

    waited: list[float]
    computed: list[float]


def measured(text: str, rounds: int) -> dict[str, Times]:
    """The times of each kind of request, of the first answers after opening, and until diagnostics."""
    server = Server()
    capabilities = {"textDocument": {"completion": {"completionItem": {"snippetSupport": True}}}}
    server.ask("initialize", {"processId": None, "rootUri": None, "capabilities": capabilities})
    server.send("initialized", {})
    found: dict[str, Times] = {}
    file = {"uri": URI}
    started = time.perf_counter()
    server.send(
        "textDocument/didOpen", {"textDocument": {**file, "languageId": "pact", "version": 0, "text": text}}
    )
    server.ask("textDocument/semanticTokens/full", {"textDocument": file})
    found["first colours after opening"] = Times([(time.perf_counter() - started) * 1000], [server.busy()])
    server.until("textDocument/publishDiagnostics", 0)
    found["diagnostics after opening"] = Times([(time.perf_counter() - started) * 1000], [])
    edits = edited(text)
    version = 0
    for _ in range(rounds):
        for name, method, params in requests(text):
            version += 1
            change = {"textDocument": {**file, "version": version}, "contentChanges": [next(edits)]}
            server.send("textDocument/didChange", change)
            if random.random() < 0.5:
                time.sleep(0.16 + random.random() * 0.1)  # into the check
            started, busy = time.perf_counter(), server.busy()
            server.ask(method, {"textDocument": file, **params})
            times = found.setdefault(name, Times([], []))
            times.waited.append((time.perf_counter() - started) * 1000)
            times.computed.append(server.busy() - busy)
    version += 1
    started = time.perf_counter()
    server.send(
        "textDocument/didChange",
        {"textDocument": {**file, "version": version}, "contentChanges": [next(edits)]},
    )
    server.until("textDocument/publishDiagnostics", version)
    found["diagnostics after an edit"] = Times([(time.perf_counter() - started) * 1000], [])
    server.ask("shutdown", None)
    server.send("exit", None)
    server.process.wait(10)
    return found


def edited(text: str) -> Iterator[dict[str, Any]]:
    """Changes: a digit typed into a number in the middle of the pact, and taken away again."""
    lines = text.splitlines()
    number = next(n for n in range(len(lines) // 2, len(lines)) if ".5" in lines[n])
    character = lines[number].index(".5") + 2
    here, there = ({"line": number, "character": character + more} for more in (0, 1))
    while True:
        yield {"range": {"start": here, "end": here}, "text": "5"}
        yield {"range": {"start": here, "end": there}, "text": ""}


def most(times: list[float], share: float = 0.95) -> float:
    """What so many of the times are below."""
    return sorted(times)[int((len(times) - 1) * share)]


def rows(texts: dict[str, str], rounds: int) -> list[Row]:
    found = {name: measured(text, rounds) for name, text in texts.items()}
    made = []
    for request in next(iter(found.values())):
        times = {name: each[request] for name, each in found.items()}
        how = "; ".join(
            f"{name}: waited {most(each.waited, 0.5):.0f}, 95 % {most(each.waited):.0f}"
            for name, each in times.items()
        )
        alone = request.startswith(("first", "diagnostics"))
        worst = max(most(each.computed or each.waited) for each in times.values())
        target = "" if alone else f"<= {TARGET} ms"
        made.append(Row(request, target, f"{worst:.1f} ms", f"ms; {how}", alone or worst <= TARGET))
    return made


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--lines", type=int, default=2000)
    options.add_argument("--rounds", type=int, default=30)
    options.add_argument("--write", action="store_true", help="put the table into README.md")
    options.add_argument("--quick", action="store_true", help="few lines and rounds: does it answer?")
    chosen = options.parse_args()
    if chosen.quick:
        chosen.lines, chosen.rounds = 60, 2
    random.seed(1)
    texts = {"formatted": formatted(chosen.lines), "dense": dense(chosen.lines)}
    sizes = ", ".join(f"{name} {len(text) // 1000} KB" for name, text in texts.items())
    head = (
        f"`{' '.join(['python', 'benchmarks/bench_lsp.py', *sys.argv[1:]])}` on Python"
        f" {platform.python_version()}, {cpu()}, pactlang {pactlang.__version__};"
        f" {chosen.lines:,} lines: {sizes}."
    )
    table = f"{head}\n\n" + markdown(
        rows(texts, chosen.rounds), ["figure", "target", "measured", "met", "how"]
    )
    print(table)
    if chosen.write:
        write(HERE / "README.md", table, "lsp")


if __name__ == "__main__":
    main()
