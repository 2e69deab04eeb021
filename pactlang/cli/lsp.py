"""`pactc lsp`: what an editor starts to be told about pacts.

In: messages of the Language Server Protocol on standard input.  Out: answers on standard output.
"""

from __future__ import annotations

from importlib.util import find_spec

import click

from pactlang.cli.exits import FINE, Fault

NEEDED = ("pygls", "lsprotocol")


@click.command("lsp", short_help="Tell an editor about pacts (Language Server Protocol).")
@click.option("--stdio", is_flag=True, help="Talk on standard input and output, as it always does.")
def command(stdio: bool) -> int:
    """Tell an editor about pacts, by the Language Server Protocol, on standard input and output.

    Diagnostics with their mends, types and costs, completion, definitions, references, rename, outline,
    folding, colours and the one style.  Editors start it; the extra `lsp` brings what it needs.
    """
    if any(find_spec(name) is None for name in NEEDED):
        raise Fault("`pactc lsp` needs the extra `lsp`", "pip install 'pactlang[lsp]'")
    from pactlang import __version__
    from pactlang.lsp.server import serve

    serve(__version__)
    return FINE
