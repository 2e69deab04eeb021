"""`pactc lsp` as an editor meets it: the real process, asked over stdio by pygls' own client."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pygls")

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

EXAMPLES = Path(__file__).parent.parent / "pactlang/examples"
URI = "file:///tmp/p.pact"
TEXT = """pact p "1.0.0"
let cap = 5.0
clause first "The 😀 first." {
  when    tool == "issue_refund"
  require args.amount <= cap
}
test "a 😀" { call { tool: "issue_refund", args: {"amount": 1.0} } expect ok expect skipped first }
"""
LAST = len(TEXT.splitlines()[6].partition("skipped ")[0].encode("utf-16-le")) // 2 + len("skipped ")
WAIT = 60  # seconds: more than anything takes on a busy machine


class Client(LanguageClient):
    """A client that keeps the newest diagnostics of every file."""

    def __init__(self) -> None:
        super().__init__("tests", "1")
        self.found: dict[tuple[str, int | None], list[lsp.Diagnostic]] = {}
        self.news = asyncio.Event()
        self.messages: list[str] = []

        @self.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def _(params: lsp.PublishDiagnosticsParams) -> None:
            self.found[params.uri, params.version] = list(params.diagnostics)
            self.news.set()

        @self.feature(lsp.WINDOW_SHOW_MESSAGE)
        def _(params: lsp.ShowMessageParams) -> None:
            self.messages.append(params.message)

    async def diagnostics(self, version: int | None, uri: str = URI) -> list[lsp.Diagnostic]:
        async with asyncio.timeout(WAIT):
            while (uri, version) not in self.found:
                self.news.clear()
                await self.news.wait()
        return self.found[uri, version]

    def open(self, text: str, uri: str = URI, version: int = 0) -> None:
        item = lsp.TextDocumentItem(uri, "pact", version, text)
        self.text_document_did_open(lsp.DidOpenTextDocumentParams(item))

    def edit(self, version: int, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        change = lsp.TextDocumentContentChangePartial(
            lsp.Range(lsp.Position(*start), lsp.Position(*end)), text
        )
        document = lsp.VersionedTextDocumentIdentifier(version, URI)
        self.text_document_did_change(lsp.DidChangeTextDocumentParams(document, [change]))


@contextlib.asynccontextmanager
async def running(snippets: bool = True) -> AsyncIterator[Client]:
    client = Client()
    await client.start_io(sys.executable, "-m", "pactlang.cli", "lsp", "--stdio")
    item = lsp.ClientCompletionItemOptions(snippet_support=snippets)
    text = lsp.TextDocumentClientCapabilities(
        completion=lsp.CompletionClientCapabilities(completion_item=item)
    )
    answer = await client.initialize_async(
        lsp.InitializeParams(capabilities=lsp.ClientCapabilities(text_document=text), process_id=os.getpid())
    )
    assert answer.server_info is not None
    assert answer.server_info.name == "pactc"
    assert answer.capabilities.text_document_sync.change == lsp.TextDocumentSyncKind.Incremental
    assert answer.capabilities.position_encoding in (None, lsp.PositionEncodingKind.Utf16)
    client.initialized(lsp.InitializedParams())
    try:
        yield client
        assert client.messages == []
    finally:
        await client.shutdown_async(None)
        client.exit(None)
        await asyncio.wait_for(client._server.wait(), WAIT)
        assert client._server.returncode == 0
        await client.stop()


def run(test: Callable[[Client], Awaitable[None]], **options: Any) -> None:
    async def all_of_it() -> None:
        async with running(**options) as client:
            await asyncio.wait_for(test(client), 4 * WAIT)

    asyncio.run(all_of_it())


def place(line: int, character: int) -> dict[str, Any]:
    return {"text_document": lsp.TextDocumentIdentifier(URI), "position": lsp.Position(line, character)}


def test_diagnostics_follow_the_edits() -> None:
    async def talk(client: Client) -> None:
        client.open(TEXT)
        first = await client.diagnostics(0)
        assert [d.code for d in first] == []
        client.edit(1, (4, 10), (4, 14), "arfs")  # behind the emoji of another line
        client.edit(2, (2, 20), (2, 20), "!!")
        found = await client.diagnostics(2)
        assert (URI, 1) not in client.found, "a stale check was published"
        unknown = next(d for d in found if d.code == "unknown-field")
        assert (unknown.range.start, unknown.range.end) == (lsp.Position(4, 10), lsp.Position(4, 14))
        assert unknown.source == "pactc"
        assert "did you mean `args`?" in unknown.message
        actions = await client.text_document_code_action_async(
            lsp.CodeActionParams(
                lsp.TextDocumentIdentifier(URI), unknown.range, lsp.CodeActionContext([unknown])
            )
        )
        assert [a.kind for a in actions or ()] == ["quickfix", "source.fixAll"]
        edit = actions[0].edit.changes[URI][0]
        assert edit.new_text == "args"
        client.edit(3, (4, 10), (4, 14), edit.new_text)
        assert [d for d in await client.diagnostics(3) if d.severity == lsp.DiagnosticSeverity.Error] == []
        client.text_document_did_close(lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(URI)))
        assert await client.diagnostics(None) == []

    run(talk)


def test_every_kind_of_request() -> None:
    async def talk(client: Client) -> None:
        client.open(TEXT)
        await client.diagnostics(0)
        hover = await client.text_document_hover_async(lsp.HoverParams(**place(2, 8)))
        assert "at worst" in hover.contents.value
        assert hover.range == lsp.Range(lsp.Position(2, 7), lsp.Position(2, 12))
        items = await client.text_document_completion_async(lsp.CompletionParams(**place(4, 15)))
        assert "amount" not in [item.label for item in items.items]
        target = await client.text_document_definition_async(lsp.DefinitionParams(**place(4, 26)))
        assert target.range.start == lsp.Position(1, 4)
        context = lsp.ReferenceContext(True)
        places = await client.text_document_references_async(
            lsp.ReferenceParams(context=context, **place(1, 5))
        )
        assert [p.range.start.line for p in places or ()] == [1, 4]
        marked = await client.text_document_document_highlight_async(
            lsp.DocumentHighlightParams(**place(2, 8))
        )
        assert [(m.range.start.line, m.range.start.character) for m in marked or ()] == [(2, 7), (6, LAST)]
        ready = await client.text_document_prepare_rename_async(lsp.PrepareRenameParams(**place(2, 8)))
        assert ready.placeholder == "first"
        edit = await client.text_document_rename_async(lsp.RenameParams(new_name="cheap", **place(2, 8)))
        assert [e.range.start.character for e in edit.changes[URI]] == [7, LAST]
        file = lsp.TextDocumentIdentifier(URI)
        symbols = await client.text_document_document_symbol_async(lsp.DocumentSymbolParams(file))
        assert [s.name for s in symbols or ()] == ["p", "cap", "first", "a 😀"]
        folds = await client.text_document_folding_range_async(lsp.FoldingRangeParams(file))
        assert [(f.start_line, f.end_line) for f in folds or ()] == [(2, 4)]
        tokens = await client.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(file))
        assert len(tokens.data) % 5 == 0
        assert list(tokens.data[:5]) == [0, 0, 4, 0, 0]
        lines = lsp.Range(lsp.Position(1, 0), lsp.Position(2, 0))
        some = await client.text_document_semantic_tokens_range_async(
            lsp.SemanticTokensRangeParams(file, lines)
        )
        assert 0 < len(some.data) < len(tokens.data)
        options = lsp.FormattingOptions(tab_size=8, insert_spaces=False)
        edits = await client.text_document_formatting_async(lsp.DocumentFormattingParams(file, options))
        assert any('\n\ntest "a 😀" {' in e.new_text for e in edits or ())

    run(talk)


def test_a_rename_that_is_refused_is_an_error_with_the_reason() -> None:
    async def talk(client: Client) -> None:
        client.open(TEXT)
        with pytest.raises(JsonRpcException, match="a field of the record"):
            await client.text_document_rename_async(lsp.RenameParams(new_name="latency", **place(1, 5)))
        with pytest.raises(JsonRpcException, match="not declared by this pact"):
            await client.text_document_prepare_rename_async(lsp.PrepareRenameParams(**place(3, 12)))

    run(talk)


@pytest.mark.parametrize("snippets", [True, False])
def test_completion_while_typing(snippets: bool) -> None:
    async def talk(client: Client) -> None:
        client.open('pact p "1.0.0"\n')
        typed = "clause c { require tool_calls.exists(t, t."
        for column, char in enumerate(typed):
            client.edit(column + 1, (1, column), (1, column), char)
        items = await client.text_document_completion_async(lsp.CompletionParams(**place(1, len(typed))))
        labels = {item.label for item in items.items}
        assert {"name", "args"} <= labels
        client.edit(99, (1, 0), (1, len(typed)), "")
        items = await client.text_document_completion_async(lsp.CompletionParams(**place(1, 0)))
        texts = [item.text_edit.new_text for item in items.items]
        assert any("${1:name}" in text for text in texts) == snippets

    run(talk, snippets=snippets)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.pact")), ids=lambda path: path.name)
def test_a_file_typed_from_its_beginning(path: Path) -> None:
    """Grows by pieces; after each piece the server answers, and at the end it has found what `check` finds."""

    async def talk(client: Client) -> None:
        text = path.read_text("utf-8")
        client.open("")
        version = 0
        for start in range(0, len(text), 97):
            version += 1
            piece = text[start : start + 97]
            before = text[:start]
            at = (before.count("\n"), len(before) - before.rfind("\n") - 1)
            client.edit(version, at, at, piece)
            after = text[: start + 97]
            end = {**place(after.count("\n"), len(after) - after.rfind("\n") - 1)}
            await client.text_document_completion_async(lsp.CompletionParams(**end))
            await client.text_document_hover_async(lsp.HoverParams(**end))
        file = lsp.TextDocumentIdentifier(URI)
        await client.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(file))
        await client.text_document_document_symbol_async(lsp.DocumentSymbolParams(file))
        found = await client.diagnostics(version)
        assert [d for d in found if d.severity == lsp.DiagnosticSeverity.Error] == []

    run(talk)


def test_odd_texts_and_files_that_are_not_open() -> None:
    async def talk(client: Client) -> None:
        texts = [
            "",
            "\x00",
            "\ufeffpact",
            "\ud800",
            "{" * 3000,
            '"""',
            "pact p\r\r\n",
            'pact p "1"\nclause c { require ' + "(" * 900,
        ]
        for version, text in enumerate(texts):
            client.open(text, version=version)
            assert isinstance(await client.diagnostics(version), list)
            await client.text_document_completion_async(lsp.CompletionParams(**place(9, 9)))
            await client.text_document_hover_async(lsp.HoverParams(**place(0, 0)))
        client.text_document_did_close(lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(URI)))
        client.edit(99, (0, 0), (0, 0), "x")
        assert await client.text_document_hover_async(lsp.HoverParams(**place(0, 0))) is None
        assert await client.text_document_rename_async(lsp.RenameParams(new_name="a", **place(0, 0))) is None

    run(talk)


def test_the_process_ends_when_the_editor_is_gone() -> None:
    command = [sys.executable, "-m", "pactlang.cli", "lsp"]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=WAIT)
    assert done.returncode == 0
    done = subprocess.run(command, input=b"Content-Length: 5\r\n\r\nnoise", capture_output=True, timeout=WAIT)
    assert done.returncode == 0


def test_without_the_extra_the_command_says_what_to_install() -> None:
    script = (
        "import sys, importlib.util as u; real = u.find_spec\n"
        "u.find_spec = lambda name, *more: None if name == 'pygls' else real(name, *more)\n"
        "sys.argv = ['pactc', 'lsp']\nfrom pactlang.cli import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=WAIT)
    assert done.returncode == 2
    assert done.stderr == "error: `pactc lsp` needs the extra `lsp`\n  = help: pip install 'pactlang[lsp]'\n"
