"""The language server: pygls carries the messages, the other modules have the answers.

In: standard input and output.  Out: nothing; `serve` returns when the editor says `exit` or goes away.

Answers are made at once, from the text as it is.  The whole pact is checked by a process beside this one,
some time after the last edit; what it finds is published if the text is still the same, and thrown away if
not.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method
from pygls.uris import to_fs_path

from pactlang.lsp import colours, findings, navigate, outline
from pactlang.lsp.complete import Completion, complete
from pactlang.lsp.document import Document
from pactlang.lsp.findings import Checked
from pactlang.lsp.hover import hover
from pactlang.lsp.knowledge import Knowledge
from pactlang.lsp.lines import changed
from pactlang.lsp.style import Known, learn, restyled, unknown
from pactlang.lsp.worker import Done, Task, Worker

WAIT = 0.15  # seconds without an edit before the pact is checked
LARGEST = 2_000_000  # characters of a file that is checked while it is edited

Json = Any


class Protocol(LanguageServerProtocol):
    """Messages whose texts are kept by `Files`, and whose answers are JSON data already."""

    def _send_response(self, msg_id: Any, result: Any = None, error: Any = None) -> None:
        if error is None and (result is None or isinstance(result, dict | list)):
            self._result_types.pop(msg_id, None)
            self._send_data({"id": msg_id, "jsonrpc": self.VERSION, "result": result})
        else:
            super()._send_response(msg_id, result, error)

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        """A file is opened."""
        files.open(params.text_document.uri, params.text_document.text, params.text_document.version)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        """A file is edited."""
        files.change(params.text_document.uri, params.content_changes, params.text_document.version)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        """A file is closed."""
        files.close(params.text_document.uri)


class File:
    """An open file: its text now, and what the last check found."""

    def __init__(self, uri: str, text: str, version: int | None) -> None:
        self.document = Document(uri, text)
        self.version = version
        self.checked: Checked | None = None
        self.styled: Known = {}
        self.timer: asyncio.TimerHandle | None = None
        self.running = False
        self.edited = False  # since the last check

    @cached_property
    def knowledge(self) -> Knowledge:
        """The names of the text as it is now."""
        return Knowledge(self.document)

    def edit(self, text: str, version: int | None) -> None:
        """Take a new text."""
        self.replace(Document(self.document.uri, text, self.document))
        self.version = version
        self.edited = True

    def replace(self, document: Document) -> None:
        """Take a new document, and forget what was known of the old one."""
        self.document = document
        self.__dict__.pop("knowledge", None)


class Files:
    """The open files by their addresses, and what checks them: a thread that waits for a process."""

    def __init__(self) -> None:
        self.open_files: dict[str, File] = {}
        self.thread = ThreadPoolExecutor(1, "pactc-check")
        self.worker = Worker()

    def __getitem__(self, uri: str) -> File | None:
        return self.open_files.get(uri)

    def open(self, uri: str, text: str, version: int | None) -> None:
        """Keep a file, and check it at once."""
        self.close(uri, quietly=True)
        self.open_files[uri] = File(uri, text, version)
        self.check(uri)

    def change(self, uri: str, changes: Any, version: int | None) -> None:
        """Edit a file, and check it when the edits pause."""
        file = self[uri]
        if file is None:
            return
        file.edit(changed(file.document.text, changes), version)
        if file.timer is not None:
            file.timer.cancel()
        file.timer = asyncio.get_running_loop().call_later(WAIT, self.check, uri)

    def close(self, uri: str, quietly: bool = False) -> None:
        """Forget a file, and what is wrong with it."""
        file = self.open_files.pop(uri, None)
        if file is None:
            return
        if file.timer is not None:
            file.timer.cancel()
        if not quietly:
            publish(uri, [], None)

    def check(self, uri: str) -> None:
        """Start a check of a file's text; one at a time, and none of a text that is gone."""
        file = self[uri]
        if file is None or file.running:
            return
        text = file.document.text
        if len(text) > LARGEST:
            return
        file.running = True
        task = Task(text, to_fs_path(uri) or "", unknown(file.document, file.styled), self._others(uri))
        work = asyncio.get_running_loop().run_in_executor(self.thread, self.worker, task)
        work.add_done_callback(partial(self._done, uri, file))

    def _others(self, uri: str) -> dict[str, str]:
        """The texts of the other open files, by their real paths."""
        paths = {other: to_fs_path(other) for other in self.open_files if other != uri}
        return {os.path.realpath(p): self.open_files[other].document.text for other, p in paths.items() if p}

    def _check_importers(self, uri: str) -> None:
        """What has imports may import the file that was edited."""
        for other, file in self.open_files.items():
            if other != uri and file.document.imported.source is not None:
                file.checked = None
                self.check(other)

    def _done(self, uri: str, file: File, work: asyncio.Future[Done]) -> None:
        file.running = False
        if self[uri] is not file:
            return
        result, styled = work.result()
        learn(file.styled, file.document, styled)
        if result.text != file.document.text:
            if file.timer is None or file.timer.when() < asyncio.get_running_loop().time():
                self.check(uri)
            return
        file.checked = result
        if file.document.imported != result.imported:
            file.document.imported = result.imported
            file.replace(Document(uri, file.document.text, file.document))
        publish(uri, findings.diagnostics(uri, result), file.version)
        if file.edited:
            file.edited = False
            self._check_importers(uri)


files = Files()
server = LanguageServer(
    "pactc", "0", protocol_cls=Protocol, text_document_sync_kind=types.TextDocumentSyncKind.Incremental
)


def publish(uri: str, found: list[Json], version: int | None) -> None:
    """Tell the editor what is wrong with a file."""
    params = {"uri": uri, "diagnostics": found} | ({} if version is None else {"version": version})
    server.protocol._send_data(
        {"jsonrpc": "2.0", "method": types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, "params": params}
    )


def serve(version: str) -> None:
    """Answer an editor on standard input and output until it goes."""
    logging.basicConfig(stream=sys.stderr, level=logging.ERROR)
    server.protocol.server_info = types.ServerInfo("pactc", version)
    gc.set_threshold(50_000, 50, 50)  # trees have no cycles, and looking for some takes a tenth of a second
    try:
        # Doubles, because pygls closes them, and the process has to flush its own at its end.
        server.start_io(os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb"))
    finally:
        files.worker.stop()
        files.thread.shutdown(wait=False, cancel_futures=True)


# Answers -----------------------------------------------------------------------------------------


@server.feature(types.TEXT_DOCUMENT_HOVER)
def on_hover(params: types.HoverParams) -> Json:
    """What is under the mouse."""
    file = files[params.text_document.uri]
    if file is None:
        return None
    document = file.document
    costs = {} if file.checked is None else file.checked.costs
    found = hover(document, file.knowledge, document.lines.offset(params.position), costs)
    if found is None:
        return None
    contents = {"kind": "markdown", "value": found.text}
    return {"contents": contents, "range": document.lines.range(found.span)}


@server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=[".", '"', "'"]))
def on_completion(params: types.CompletionParams) -> Json:
    """What could stand at the cursor."""
    file = files[params.text_document.uri]
    if file is None:
        return None
    document = file.document
    found = complete(document, file.knowledge, document.lines.offset(params.position))
    return {"isIncomplete": False, "items": _items(found, document)}


def _items(found: Completion, document: Document) -> list[Json]:
    capable = server.client_capabilities.text_document
    item = capable.completion.completion_item if capable and capable.completion else None
    snippets = bool(item and item.snippet_support)
    range = document.lines.range(found.span)
    items = []
    for one in found.items:
        if one.snippet and not snippets and " " in one.label:
            continue
        text = (one.insert or one.label) if snippets or not one.snippet else one.label
        data: dict[str, Any] = {
            "label": one.label, "kind": types.CompletionItemKind[one.kind].value,
            "sortText": one.rank + one.label, "textEdit": {"range": range, "newText": text},
        }  # fmt: skip
        if one.snippet and snippets:
            data["insertTextFormat"] = 2
        if one.detail:
            data["detail"] = one.detail
        if one.text:
            data["documentation"] = {"kind": "markdown", "value": one.text}
        items.append(data)
    return items


@server.feature(types.TEXT_DOCUMENT_DEFINITION)
def on_definition(params: types.DefinitionParams) -> Json:
    """Where a name is declared."""
    file = files[params.text_document.uri]
    if file is None:
        return None
    document = file.document
    target = navigate.definition(document, file.knowledge, document.lines.offset(params.position))
    return None if target is None else _location(document, target)


def _location(document: Document, target: navigate.Target) -> Json:
    if not target.imported:
        return {"uri": document.uri, "range": document.lines.range(target.span)}
    checked = Checked(document.text, (), {}, document.imported)
    return findings.Places(document.uri, checked).location(target.span)


@server.feature(types.TEXT_DOCUMENT_REFERENCES)
def on_references(params: types.ReferenceParams) -> Json:
    """Where a name is used."""
    return [
        {"uri": params.text_document.uri, "range": range}
        for range in _places(params.text_document, params.position)
    ]


@server.feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
def on_highlight(params: types.DocumentHighlightParams) -> Json:
    """The same, for the name under the cursor."""
    return [{"range": range} for range in _places(params.text_document, params.position)]


def _places(text_document: types.TextDocumentIdentifier, position: types.Position) -> list[Json]:
    file = files[text_document.uri]
    if file is None:
        return []
    lines = file.document.lines
    found = navigate.places(file.document, lines.offset(position))
    return [] if found is None else [lines.range(span) for span in found[1]]


@server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
def on_prepare_rename(params: types.PrepareRenameParams) -> Json:
    """The name that would be replaced."""
    file = files[params.text_document.uri]
    if file is None:
        return None
    lines = file.document.lines
    try:
        use, span = navigate.renamable(file.document, lines.offset(params.position))
    except navigate.Refused as refused:
        raise _said(refused) from None
    return {"range": lines.range(span), "placeholder": use.name}


@server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
def on_rename(params: types.RenameParams) -> Json:
    """The edits that give a name to what has another one."""
    file = files[params.text_document.uri]
    if file is None:
        return None
    document = file.document
    offset = document.lines.offset(params.position)
    try:
        spans = navigate.rename(document, file.knowledge, offset, params.new_name)
    except navigate.Refused as refused:
        raise _said(refused) from None
    edits = [{"range": document.lines.range(span), "newText": params.new_name} for span in spans]
    return {"changes": {document.uri: edits}}


def _said(refused: navigate.Refused) -> Exception:
    from pygls.exceptions import JsonRpcInvalidParams

    return JsonRpcInvalidParams(message=str(refused))


@server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
def on_symbols(params: types.DocumentSymbolParams) -> Json:
    """The outline."""
    file = files[params.text_document.uri]
    return [] if file is None else outline.symbols(file.document)


@server.feature(types.TEXT_DOCUMENT_FOLDING_RANGE)
def on_folds(params: types.FoldingRangeParams) -> Json:
    """What can be folded."""
    file = files[params.text_document.uri]
    return [] if file is None else outline.folds(file.document)


LEGEND = types.SemanticTokensLegend(list(colours.TYPES), list(colours.MODIFIERS))


@server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, LEGEND)
def on_tokens(params: types.SemanticTokensParams) -> Json:
    """What each word is."""
    file = files[params.text_document.uri]
    return {"data": [] if file is None else colours.tokens(file.document)}


@server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE, LEGEND)
def on_tokens_of_range(params: types.SemanticTokensRangeParams) -> Json:
    """What each word on the screen is."""
    file = files[params.text_document.uri]
    if file is None:
        return {"data": []}
    lines = file.document.lines
    start, end = lines.offset(params.range.start), lines.offset(params.range.end)
    return {"data": colours.tokens(file.document, start, end)}


@server.feature(
    types.TEXT_DOCUMENT_CODE_ACTION,
    types.CodeActionOptions([types.CodeActionKind.QuickFix, types.CodeActionKind.SourceFixAll]),
)
def on_actions(params: types.CodeActionParams) -> Json:
    """The mends of what is wrong at a place; none while the text is ahead of the check."""
    file = files[params.text_document.uri]
    if file is None or file.checked is None or file.checked.text != file.document.text:
        return []
    lines = file.document.lines
    start, end = lines.offset(params.range.start), lines.offset(params.range.end)
    return findings.actions(file.document.uri, file.checked, start, end, params.context.only or ())


@server.feature(types.TEXT_DOCUMENT_FORMATTING)
def on_formatting(params: types.DocumentFormattingParams) -> Json:
    """The edits that give the file the one style; none where it cannot be parsed."""
    file = files[params.text_document.uri]
    return [] if file is None else restyled(file.document, file.styled)
