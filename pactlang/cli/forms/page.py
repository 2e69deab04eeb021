"""One page of HTML that needs nothing else: no network, no fonts, light and dark, narrow and wide.

In: elements.  Out: the bytes of a document.

Texts come from pacts, logs and models.  They go into the tree as text, so every sign that means something
to HTML is written as its entity; and a policy in the head lets no script run but the page's own, named by
its digest, and nothing be loaded from anywhere.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from hashlib import sha256
from importlib import resources
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from pactlang.cli.screen import printable

if TYPE_CHECKING:
    from pactlang.cli.outcome import Outcome

Child = Element | str | None

STYLE = (resources.files(__package__) / "page.css").read_text("utf-8")


def el(tag: str, kind: str = "", *children: Child | Iterable[Child], **attributes: str) -> Element:
    """An element of a class with its children; a text is made fit to be shown."""
    made = Element(tag, {"class": kind} if kind else {})
    for name, value in attributes.items():
        made.set(name.rstrip("_").replace("_", "-"), shown(value))
    for child in children:
        for each in [child] if child is None or isinstance(child, str | Element) else child:
            _put(made, each)
    return made


def _put(made: Element, child: Child) -> None:
    if child is None:
        return
    if isinstance(child, Element):
        made.append(child)
    elif len(made):
        made[-1].tail = (made[-1].tail or "") + shown(child)
    else:
        made.text = (made.text or "") + shown(child)


def shown(text: str) -> str:
    """The text with what is not for display as escapes; line breaks stay."""
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in text.split("\n"))


def document(title: str, body: Iterable[Child], script: str = "") -> bytes:
    """The page.  script: of the program's own; nothing of a log may be in it."""
    digest = base64.b64encode(sha256(script.encode()).digest()).decode()
    allowed = f"script-src 'sha256-{digest}'; " if script else ""
    policy = f"default-src 'none'; style-src 'unsafe-inline'; {allowed}base-uri 'none'; form-action 'none'"
    html = Element("html", {"lang": "en"})
    head = SubElement(html, "head")
    SubElement(head, "meta", {"charset": "utf-8"})
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": policy})
    SubElement(head, "meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    SubElement(head, "meta", {"name": "color-scheme", "content": "light dark"})
    head.append(el("title", "", title))
    SubElement(head, "style").text = STYLE
    main = el("body", "", body)
    html.append(main)
    if script:
        SubElement(main, "script").text = script
    return bytes(b"<!doctype html>\n" + tostring(html, "utf-8", method="html") + b"\n")


def remarks(
    warned: Iterable[tuple[str, str]], notices: Iterable[str], errors: Iterable[str], interrupted: bool
) -> Iterator[Element]:
    """What else is to be said of a run.  warned: (`error` or `warning`, text)."""
    for word, warning in warned:
        yield el("p", "bad" if word == "error" else "warn", f"{word}: {warning}")
    for notice in notices:
        yield el("p", "dim", f"note: {notice}")
    for error in errors:
        yield el("p", "bad", f"error: {error}; the report covers what was read")
    if interrupted:
        yield el("p", "warn", "interrupted: the report covers what was read so far")


def remarks_of(outcome: Outcome) -> Iterator[Element]:
    """The remarks on one run."""
    return remarks(warned(outcome), outcome.notices, outcome.errors, outcome.interrupted)


def warned(outcome: Outcome, side: str = "") -> Iterator[tuple[str, str]]:
    """The warnings of a run; errors, if it judged nothing.  side: what they stand behind."""
    word = "error" if outcome.is_blind else "warning"
    return ((word, side + each) for each in outcome.warnings())


def foot(*more: str) -> Element:
    """Who made the page."""
    from pactlang import __version__

    return el("footer", "", ", ".join([f"pactc {__version__}", *more]))
