"""`pactc docs`: a pact in plain language, for who reviews it or buys by it.

In: a pact.  Out: a page of HTML or a text in Markdown.
"""

from __future__ import annotations

import click

from pactlang.cli.build import refuse_overwriting, write_whole
from pactlang.cli.exits import FINE
from pactlang.cli.pacts import usable
from pactlang.cli.screen import write_bytes

FORMS = {".html": "html", ".htm": "html", ".md": "markdown", ".markdown": "markdown"}


@click.command("docs", short_help="Write a pact in plain language.")
@click.argument("pact", metavar="PACT", type=click.Path(allow_dash=True))
@click.option("-o", "--output", metavar="FILE", default="-", show_default=True,
              type=click.Path(allow_dash=True),
              help="FILE.html or FILE.md; - is standard output.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["html", "markdown"]),
              help="The form.  [default: as FILE ends, else markdown]")  # fmt: skip
def command(pact: str, output: str, form: str | None) -> int:
    """Write a pact (.pact or .pactc) in plain language.

    Every clause as a sentence, when it is decided and what a breach brings, what is read of a call and what
    may be stored of it.
    """
    if form is None:
        ending = next((end for end in FORMS if output.lower().endswith(end)), None)
        if output != "-" and ending is None:
            raise click.UsageError("the file's name says no form: end it in .html or .md, or give `--format`")
        form = FORMS[ending] if ending else "markdown"
    if output != "-":
        refuse_overwriting(output, [pact])
    from pactlang.cli.forms import contracts
    from pactlang.prose import contract

    document = contract(usable(pact))
    data = contracts.html(document) if form == "html" else contracts.markdown(document).encode()
    if output == "-":
        write_bytes(data)
    else:
        write_whole(output, data)
    return FINE
