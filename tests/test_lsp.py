"""What the language server knows, asked without a server: places, names, types, completion, edits."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import golden
import meanings
import pytest
from drawn_pacts import DrawPact
from hypothesis import given
from hypothesis import strategies as st

from pactlang.fmt import format_pact
from pactlang.lsp import colours, findings, navigate, outline
from pactlang.lsp.complete import complete
from pactlang.lsp.document import Document
from pactlang.lsp.hover import hover
from pactlang.lsp.knowledge import Knowledge
from pactlang.lsp.lines import Lines, changed
from pactlang.lsp.style import restyled
from pactlang.source import Source

ROOT = Path(__file__).parent.parent
FILES = sorted(p for part in ("pactlang", "benchmarks", "tests") for p in (ROOT / part).rglob("*.pact"))
EXAMPLES = [path for path in FILES if "corpus" not in path.parts]
SOME = 10**9 if os.environ.get("PACT_ALL_PREFIXES") == "1" else 120  # prefixes of a file
CURSOR = "¦"
BASE = """pact p "1.0.0"
let cap = 5.0
pattern card = r"x" check luhn
phrases boasts = ["a b"]
event refund when tool == "issue_refund"
record Item { name: string  price: double? as "unit_price" }
extend Call { items: list(Item) = [], mood: enum("calm", "angry") = "calm" }
clause first "The first." { dimension bond  require args.amount <= cap }
"""


def position(line: int, character: int) -> Any:
    return SimpleNamespace(line=line, character=character)


def edit(start: tuple[int, int], end: tuple[int, int], text: str) -> Any:
    return SimpleNamespace(range=SimpleNamespace(start=position(*start), end=position(*end)), text=text)


def opened(text: str) -> tuple[Document, Knowledge, int]:
    """A document without the cursor's sign, and where that was."""
    at = text.index(CURSOR)
    document = Document("file:///x.pact", text.replace(CURSOR, ""))
    return document, Knowledge(document), at


def applied(text: str, edits: list[dict[str, Any]]) -> str:
    lines = Lines(text)
    spans = [
        (
            lines.offset(position(**e["range"]["start"])),
            lines.offset(position(**e["range"]["end"])),
            e["newText"],
        )
        for e in edits
    ]
    for start, end, new in sorted(spans, reverse=True):
        text = text[:start] + new + text[end:]
    return text


# Places ----------------------------------------------------------------------------------------

ODD = st.text(st.sampled_from("ab\n\r\té€😀\U0010ffff\u2028\x0c\x85\x00\ud800\udc00"), max_size=40)


@given(ODD, st.data())
def test_every_offset_has_a_place_and_comes_back(text: str, data: st.DataObject) -> None:
    lines = Lines(text)
    offset = data.draw(st.integers(0, len(text)))
    line, character = lines.place(offset)
    before = text[lines.starts[line] : offset]
    assert character == len(before.encode("utf-16-le", "surrogatepass")) // 2
    if text[offset - 1 : offset + 1] != "\r\n":  # no editor goes between the two
        assert lines.offset(position(line, character)) == offset


@given(ODD, st.integers(0, 30), st.integers(0, 30))
def test_any_place_is_an_offset(text: str, line: int, character: int) -> None:
    assert 0 <= Lines(text).offset(position(line, character)) <= len(text)


@given(ODD, st.lists(st.tuples(*[st.integers(0, 12)] * 4, ODD), max_size=4))
def test_edits_do_to_units_what_they_say(text: str, edits: list[Any]) -> None:
    text = text.replace("\ud800", "").replace("\udc00", "")
    for a, b, c, d, new in edits:
        new = new.replace("\ud800", "").replace("\udc00", "")
        lines = Lines(text)
        (start, end) = sorted((lines.offset(position(a, b)), lines.offset(position(c, d))))
        assert changed(text, [edit((a, b), (c, d), new)]) == text[:start] + new + text[end:]
        text = text[:start] + new + text[end:]


def test_a_change_without_a_range_is_the_whole_text() -> None:
    assert changed("old", [SimpleNamespace(text="new"), edit((0, 3), (0, 3), "er")]) == "newer"


def test_places_within_a_wide_character_are_its_beginning() -> None:
    lines = Lines("a😀b")
    assert [lines.offset(position(0, n)) for n in range(6)] == [0, 1, 1, 2, 3, 3]


# Half-typed files ------------------------------------------------------------------------------


def ask_everything(document: Document, offset: int) -> None:
    """Every answer that needs no server; none may raise, and all must be JSON data."""
    knowledge = Knowledge(document)
    hover(document, knowledge, offset, {})
    complete(document, knowledge, offset)
    navigate.definition(document, knowledge, offset)
    navigate.places(document, offset)
    for name in ("other", "when"):
        try:
            navigate.rename(document, knowledge, offset, name)
        except navigate.Refused as refused:
            assert str(refused)
    json.dumps([outline.symbols(document), outline.folds(document), colours.tokens(document)])


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_every_prefix_has_diagnostics_and_answers(path: Path) -> None:
    """All prefixes are parsed, checked and asked about at their end; of a long file a part of them."""
    text = path.read_bytes().decode("utf-8", "replace")
    ends: Sequence[int] = range(len(text) + 1)
    if len(ends) > SOME:
        ends = sorted(random.Random(len(text)).sample(ends, SOME))
    document: Document | None = None
    for end in ends:
        document = Document("file:///x", text[:end], document)
        ask_everything(document, end)
        findings.diagnostics("file:///x", findings.analyse(text[:end], "x.pact"))


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.name for path in EXAMPLES])
def test_every_edit_gives_what_a_fresh_document_gives(path: Path) -> None:
    text, chance = path.read_text("utf-8"), random.Random(7)
    document = Document("file:///x", text)
    for _ in range(60):
        at = chance.randrange(len(text))
        text = (
            text[:at]
            + chance.choice(["", "}", '"', "\n", "x", '"""', "clause "])
            + text[at + chance.randrange(4) :]
        )
        document = Document("file:///x", text, document)
        fresh = Document("file:///x", text)
        assert [p.segment.text for p in document.parts] == [p.segment.text for p in fresh.parts]
        assert "".join(p.segment.text for p in fresh.parts) == text
        assert colours.tokens(document) == colours.tokens(fresh)


@given(ODD, st.integers(0, 40))
def test_odd_characters(text: str, at: int) -> None:
    whole = f'pact p "1"\nclause c {{ require {text}'
    ask_everything(Document("file:///x", whole), min(at, len(whole)))


@pytest.mark.parametrize(
    "piece", ["(", "[", "{", "a.", "!", '"', "clause c {", "\n", "// x\n", '"""', "a?b:", "x.map(y,"]
)
def test_long_texts_of_one_thing(piece: str) -> None:
    text = 'pact p "1"\nclause c { require ' + piece * 5000
    ask_everything(Document("file:///x", text), len(text))


# Hover -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("clause c { require la¦tency <= 8s }", ["latency: duration(s)?", "gen_ai.client.operation.duration", "null"]),
        ("clause c { require usage.in¦put_tokens < 5 }", ["input_tokens: int?", "llm.token_count.prompt"]),
        ("clause c { require items.all(x, x.pri¦ce > 1.0) }", ["price: double?", "record `Item`", "`unit_price`"]),
        ("clause c { require items.all(¦x, x.price > 1.0) }", ["x: Item"]),
        ("clause c { require mo¦od == 'calm' }", ['enum("calm", "angry")', "absent in the data, it is `\"calm\"`"]),
        ("clause c { require cost <= ca¦p }", ["let cap = 5.0", "a `double`"]),
        ("clause c { never output.matches(ca¦rd) }", ['pattern card = r"x" check luhn']),
        ("clause c { never output.says(boa¦sts) }", ['phrases boasts = ["a b"]']),
        ("clause c { require refu¦nd }", ["event refund", "a `bool`"]),
        ("clause c { require output.starts¦With('x') }", ["string.startsWith(string) -> bool", "begins so"]),
        ("clause c { require math.a¦bs(1) == 1 }", ["math.abs(number) -> number"]),
        ("clause c { require items.exi¦sts(x, true) }", ["list.exists(x, condition)"]),
        ("clause c { require args.am¦ount == 1 }", ["amount: dyn"]),
        ("clause c { require 1 ¦+ 1 == 2 }", ["int"]),
        ("clause c { require ca¦ll.tool == 'x' }", ["call: Call"]),
        ("test 'x' { call { to¦ol: 'x' } expect violation of first }", ["tool: string?", "the tool that was called"]),
        ("test 'x' { call {} expect violation of fir¦st }", ["clause first", "at worst 7 steps"]),
        ("clause d { dimension bo¦nd require true }", ["dimension `bond`: `first`, `d`"]),
        ("clause c { never output.says('€😀') || output.contai¦ns('😀') }", ["string.contains(string) -> bool"]),
    ],
)  # fmt: skip
def test_hover(text: str, says: list[str]) -> None:
    document, knowledge, at = opened(BASE + text)
    found = hover(document, knowledge, at, {"first": "at worst 7 steps"})
    assert found is not None
    for said in says:
        assert said in found.text, found.text
    assert found.span.start <= at <= found.span.end


@pytest.mark.parametrize(
    "text", ["cla¦use c { require true }", "clause c { require tr¦ue } // a", "// to¦ol"]
)
def test_hover_of_nothing(text: str) -> None:
    document, knowledge, at = opened(BASE + text)
    found = hover(document, knowledge, at, {})
    assert found is None or "bool" in found.text


def test_the_words_of_the_reference(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update"):
        meanings.MODULE.write_text(meanings.module(), "utf-8")
    assert meanings.MODULE.read_text("utf-8") == meanings.module(), "run: pytest tests/test_lsp.py --update"


# Completion ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "there", "absent"),
    [
        ("¦", ["clause", "let", "test"], ["when", "latency", "pact"]),
        ("clause c { ¦", ["when", "require", "severity", "refund", "on violation"], ["latency", "clause", "cap"]),
        ("clause c {\n  sev¦\n}", ["severity"], []),
        ("clause c { severity ¦", ["critical", "major", "minor", "info"], ["bond"]),
        ("clause c { dimension ¦", ["bond", "latency", "safety"], ["critical"]),
        ("clause c { when ¦", ["latency", "cap", "refund", "has", "math", "size"], ["card", "boasts", "when", "startsWith"]),
        ("clause c { require usage.¦", ["input_tokens"], ["latency", "startsWith"]),
        ("clause c { require usage.inp¦ > 3 }", ["input_tokens"], ["latency"]),
        ("clause c { require output.¦", ["startsWith", "matches", "says", "size"], ["getHours", "exists", "all"]),
        ("clause c { require time.¦", ["getHours"], ["startsWith"]),
        ("clause c { require items.¦", ["exists", "all", "size", "first"], ["startsWith"]),
        ("clause c { require items.all(x, x.¦", ["name", "price"], ["latency"]),
        ("clause c { require items.all(x, items.exists(y, ¦", ["x", "y", "latency"], []),
        ("clause c { require items[0].¦", ["name", "price"], ["startsWith"]),
        ("clause c { require has(model) ? items.all(x, x.¦", ["price"], []),
        ("clause c { require math.¦", ["abs", "greatest"], ["latency"]),
        ("clause c { never output.matches(¦", ["card"], ["boasts"]),
        ("clause c { never output.says(¦", ["boasts"], ["card"]),
        ("clause c { require mood == ¦", ['"calm"', '"angry"'], []),
        ("clause c { require mood == \"¦", ["calm", "angry"], ["latency"]),
        ("clause c { require mood == \"c¦\" }", ["calm"], ["latency"]),
        ("clause c { require mood in [\"calm\", \"¦", ["angry"], []),
        ("clause c { on ¦", ["violation", "unknown"], ["when"]),
        ("clause c { on violation { ¦", ["block", "alert"], ["require"]),
        ("clause c { refund only after ¦", ["refund", "fresh"], ["latency"]),
        ("record R { x: ¦", ["string", "duration", "Item"], ["latency"]),
        ("test \"t\" { call { ¦", ["mood", "tool"], ["cap"]),
        ("test \"t\" { call { mood: \"¦", ["calm"], []),
        ("test \"t\" { call {} expect ¦", ["ok", "violation", "skipped"], ["first"]),
        ("test \"t\" { call {} expect violation of ¦", ["first"], ["ok"]),
        ("pattern q = r\"x\" check ¦", ["luhn", "iban"], []),
        ("drop clause ¦", ["first"], []),
        ("extend ¦", ["Call", "Item"], ["latency"]),
        ("clause c { require true } // when ¦", [], ["latency", "when"]),
        ("clause c { require output == \"a ¦", [], ["latency"]),
        ("clause c { require 12¦", [], ["latency"]),
    ],
)  # fmt: skip
def test_completion(text: str, there: list[str], absent: list[str]) -> None:
    for rest in ("", "\n\nclause z { require true }\n"):
        document, knowledge, at = opened(BASE + text + rest)
        found = complete(document, knowledge, at)
        labels = [item.label for item in found.items]
        assert set(there) <= set(labels), (rest, labels)
        assert not set(absent) & set(labels)
        assert len(set(labels)) == len(labels)
        assert found.span.start <= at <= found.span.end


def test_a_header_is_offered_in_an_empty_file() -> None:
    document, knowledge, at = opened(CURSOR)
    assert [item.label for item in complete(document, knowledge, at).items] == ["pact"]


# Definitions, references, rename -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("clause c { require cost <= ca¦p }", "let cap"), ("clause c { never output.matches(ca¦rd) }", "pattern card"),
        ("clause c { ref¦und only after refund }", "event refund"),
        ("clause c { require items.all(x, x.na¦me == 'a') }", "record Item"),
        ("clause c { require it¦ems.all(x, true) }", "extend Call"),
        ("clause c { require call.it¦ems.all(x, true) }", "extend Call"),
        ("clause c { require items.all(x, ¦x.name == 'a') }", "clause c"),
        ("test 't' { call { it¦ems: [] } expect ok }", "extend Call"),
        ("test 't' { call {} expect violation of fir¦st }", "clause first"),
        ("clause c { watch violated(fir¦st) above 0.01 }", "clause first"), ("extend It¦em { x: int }", "record Item"),
        ("record X { i: list(It¦em) }", "record Item"), ("drop clause fir¦st", "clause first"),
    ],
)  # fmt: skip
def test_definition(text: str, line: str) -> None:
    document, knowledge, at = opened(BASE + text)
    target = navigate.definition(document, knowledge, at)
    assert target is not None
    number = document.lines.place(target.span.start)[0]
    assert document.text.splitlines()[number].startswith(line)


def test_no_definition_of_what_is_not_declared_here() -> None:
    for text in ("clause c { require to¦ol == 'x' }", "clause c { require si¦ze(output) > 1 }", "¦"):
        document, knowledge, at = opened(BASE + text)
        assert navigate.definition(document, knowledge, at) is None


USED = """clause c { when refund  require cost <= cap && [1.0].all(x, x < cap) }
clause d { refund only after fresh refund within 30m same args.cap }
clause e { watch violated(c) above 0.01 }
test "t" { call { cost: 1.0 } expect violation of c, d expect skipped c }
"""


@pytest.mark.parametrize(
    ("old", "new", "count"),
    [("let ca¦p", "ceiling", 4), ("event ref¦und", "money", 4), ("clause ¦c {", "cheap", 4), ("pattern ca¦rd", "digits", 1),
     ("phrases boa¦sts", "spin", 1), ("record It¦em", "Part", 2), (".all(¦x, x", "each", 2), (".all(x, ¦x", "each", 2)],
)  # fmt: skip
def test_rename(old: str, new: str, count: int) -> None:
    text = BASE + USED
    document, knowledge, at = opened(text.replace(old.replace(CURSOR, ""), old, 1))
    spans = navigate.rename(document, knowledge, at, new)
    assert len(spans) == count
    renamed = document.text
    for span in reversed(spans):
        renamed = renamed[: span.start] + new + renamed[span.end :]
    before = findings.analyse(document.text, "x").found
    after = findings.analyse(renamed, "x").found
    assert [d.code for d in after] == [d.code for d in before]
    again = Document("x", renamed)
    back = navigate.rename(
        again, Knowledge(again), spans[0].start, document.text[spans[0].start : spans[0].end]
    )
    assert len(back) == count


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("let ca¦p", "card", "a pattern already"), ("let ca¦p", "latency", "a field of the record"),
        ("let ca¦p", "x", "a variable where it would stand"), ("let ca¦p", "1x", "begins with no digit"),
        ("let ca¦p", "function", "keeps for itself"), ("let ca¦p", "call", "keeps for itself"),
        ("let ca¦p", "a b", "made of letters"), ("clause ¦c {", "first", "a clause already"),
        (".all(¦x, x", "cap", "used in this declaration already"), ("event ref¦und", "when", "word of the language"),
        ("cos¦t", "price", "not declared by this pact"), ("require cost <= ca¦p &&", "nothing_wrong", ""),
        ("all(x, x ¦<", "a", "there is no name here"),
    ],
)  # fmt: skip
def test_a_rename_that_would_change_the_meaning(old: str, new: str, why: str) -> None:
    text = BASE + USED
    document, knowledge, at = opened(text.replace(old.replace(CURSOR, ""), old, 1))
    if not why:
        assert navigate.rename(document, knowledge, at, new)
        return
    with pytest.raises(navigate.Refused, match=why.replace("`", ".")):
        navigate.rename(document, knowledge, at, new)


# Outline, folding, colours ---------------------------------------------------------------------


def test_outline_and_folds() -> None:
    document = Document(
        "x", BASE + 'test "a\tb" {\n  call {\n    tool: "x"\n  }\n  expect ok\n}\n// one\n// two\n// three\n'
    )
    found = outline.symbols(document)
    names = [symbol["name"] for symbol in found]
    assert names == ["p", "cap", "card", "boasts", "refund", "Item", "Call", "first", "a b"]
    assert [child["name"] for child in found[5]["children"]] == ["name", "price"]
    lines = [(fold["startLine"], fold["endLine"]) for fold in outline.folds(document)]
    assert sorted(lines) == [(8, 12), (9, 10), (14, 16)]


def test_colours_know_names_from_words() -> None:
    document = Document(
        "x", 'pact p "1"\nlet within = 1\nclause c { require within == 1 && math.abs(retries) > 0 }\n'
    )
    data = colours.tokens(document)
    lines = document.text.splitlines()
    line = column = 0
    found = {}
    for at in range(0, len(data), 5):
        line, column = line + data[at], data[at + 1] + (column if not data[at] else 0)
        found[lines[line][column : column + data[at + 2]], line] = colours.TYPES[data[at + 3]]
    assert found["within", 1] == found["within", 2] == "variable"
    assert found["math", 2] == "namespace"
    assert (found["abs", 2], found["retries", 2], found["clause", 2], found["c", 2]) == (
        "method", "property", "keyword", "function",
    )  # fmt: skip


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.name for path in EXAMPLES])
def test_colours_of_a_part_are_those_of_the_whole(path: Path) -> None:
    document = Document("x", path.read_text("utf-8"))
    whole = colours.tokens(document)
    assert len(whole) % 5 == 0
    assert min(whole[0::5]) >= 0
    part = colours.tokens(document, len(document.text) // 2, len(document.text) // 2 + 300)
    text = ",".join(map(str, part[5:]))
    assert text in ",".join(map(str, whole))


# Mends, style ----------------------------------------------------------------------------------


def test_mends_one_by_one_and_all_at_once() -> None:
    text = BASE + 'clause c { require modle == "x" }\nclause d { require latency < 200 || tol == "y" }\n'
    checked = findings.analyse(text, "x")
    at = text.index("modle")
    found = findings.actions("u", checked, at, at, ())
    assert [action["kind"] for action in found] == ["quickfix", "source.fixAll", "quickfix"]
    assert "require model" in applied(text, found[0]["edit"]["changes"]["u"])
    mended = applied(text, found[1]["edit"]["changes"]["u"])
    assert "error" not in [d.level for d in findings.analyse(mended, "x").found], mended
    only = findings.actions("u", checked, at, at, ["source.fixAll"])
    assert [action["kind"] for action in only] == ["source.fixAll"]
    assert [a["kind"] for a in findings.actions("u", checked, 0, 0, ["quickfix"])] == []


def test_diagnostics_have_places_codes_and_what_belongs_to_them() -> None:
    text = 'pact p "1"\nlet a = 1 // 😀é\nlet a = 1\nlet b = "😀" == 2\n'
    found = findings.diagnostics("u", findings.analyse(text, "x"))
    twice = next(d for d in found if d["code"] == "duplicate-name")
    assert twice["range"] == {"start": {"line": 2, "character": 4}, "end": {"line": 2, "character": 5}}
    assert twice["relatedInformation"][0]["location"]["range"]["start"] == {"line": 1, "character": 4}
    unlike = next(d for d in found if d["code"] == "type-mismatch")
    assert unlike["range"]["start"]["character"] == 16  # the face before it takes two units


@pytest.mark.parametrize("text", [
    *(path.read_bytes().decode("utf-8", "replace") for path in FILES),
    *(text for case in golden.load("fmt") for text in case.sections.values()),
])  # fmt: skip
def test_the_style_is_that_of_fmt(text: str) -> None:
    wanted, _ = format_pact(Source("x", text))
    edits = restyled(Document("x", text), {})
    assert applied(text, edits) == (text if wanted is None else wanted)


@pytest.mark.parametrize("seed", range(60))
def test_the_style_of_drawn_pacts_is_that_of_fmt(seed: int) -> None:
    text = DrawPact(random.Random(seed)).pact()
    wanted, _ = format_pact(Source("x", text))
    assert applied(text, restyled(Document("x", text), {})) == wanted
    assert json.dumps(colours.tokens(Document("x", text)))


# Imports ---------------------------------------------------------------------------------------

LIMITS = 'pact limits "1.0.0"\nlet cap = 5.0 // 😀\n\nclause small "Small." { when has(cost)  require cost <= cap }\n'
MAIN = """pact main "1.0.0"
import "limits.pact"
import "std/payment.pact"
override let cap = 7.0
clause mine { when has(cost)  require cost < cap * 2.0 }
test "t" { call { cost: 1.0 } expect skipped small }
"""


def imported(tmp_path: Path, main: str = MAIN, limits: str = LIMITS) -> tuple[Document, findings.Checked]:
    (tmp_path / "limits.pact").write_text(limits, "utf-8")
    checked = findings.analyse(main, str(tmp_path / "main.pact"))
    before = Document("file:///main.pact", main)
    before.imported = checked.imported
    return Document("file:///main.pact", main, before), checked


def test_what_is_imported_is_known(tmp_path: Path) -> None:
    document, checked = imported(tmp_path)
    assert not [d for d in checked.found if d.level == "error"]
    knowledge = Knowledge(document)
    labels = {item.label for item in complete(document, knowledge, document.text.index("small }")).items}
    assert {"mine", "small"} <= labels
    found = hover(document, knowledge, document.text.index("small }") + 1, checked.costs)
    assert found is not None
    assert 'clause small "Small."' in found.text
    assert "at worst" in found.text
    over = hover(document, knowledge, document.text.index("cap * 2") + 1, {})
    assert over is not None
    assert "let cap = 7.0" in over.text


def test_definitions_lead_into_other_files(tmp_path: Path) -> None:
    document, checked = imported(tmp_path)
    knowledge = Knowledge(document)
    places = findings.Places("file:///main.pact", checked)
    target = navigate.definition(document, knowledge, document.text.index("small }"))
    assert target is not None
    location = places.location(target.span)
    assert location["uri"] == (tmp_path / "limits.pact").as_uri()
    assert location["range"]["start"] == {"line": 3, "character": 7}
    target = navigate.definition(document, knowledge, document.text.index("std/") + 1)
    assert target is not None
    assert places.location(target.span)["uri"].endswith("pactlang/std/payment.pact")
    with pytest.raises(navigate.Refused, match="file that this one imports"):
        navigate.rename(document, knowledge, document.text.index("small }"), "other")


def test_a_mistake_in_an_imported_file_is_shown_at_the_import(tmp_path: Path) -> None:
    _, checked = imported(tmp_path, limits=LIMITS.replace("cost <=", "csot <="))
    found = findings.diagnostics("file:///main.pact", checked)
    wrong = next(d for d in found if d["code"] == "unknown-field")
    assert wrong["range"]["start"]["line"] == 1
    related = wrong["relatedInformation"][0]["location"]
    assert related["uri"] == (tmp_path / "limits.pact").as_uri()
    assert related["range"]["start"]["line"] == 3
    assert findings.actions("u", checked, 0, len(MAIN), ()) == []


def test_an_open_file_is_imported_as_it_is_on_the_screen(tmp_path: Path) -> None:
    path = tmp_path / "limits.pact"
    path.write_text(LIMITS, "utf-8")
    texts = {os.path.realpath(path): LIMITS.replace("clause small", "clause tiny")}
    checked = findings.analyse(MAIN, str(tmp_path / "main.pact"), texts)
    assert "unknown-clause" in [d.code for d in checked.found]


def test_files_of_std_are_offered() -> None:
    document, knowledge, at = opened('pact p "1"\nimport "' + CURSOR + '"\n')
    assert "std/payment.pact" in [item.label for item in complete(document, knowledge, at).items]
