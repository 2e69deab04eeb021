"""Parsing: golden mistakes, all of CEL's conformance expressions, hostile text, exact trees."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import golden
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pactlang import syntax as s
from pactlang._grammar import GRAMMAR, TABLES
from pactlang.diagnostic import Diagnostic, has_errors
from pactlang.parse import MAX_SOURCE, parse, parse_expression, read_source
from pactlang.parse.literals import read_bytes, read_duration, read_string, string_end
from pactlang.parse.machine import MAX_DEPTH, MAX_MISTAKES
from pactlang.source import Source, Span

HEADER = 'pact p "1.0.0"\n'
WHOLE = """pact support_agent "2.1.0"
  "Answers billing questions; refunds up to 50 USD; everything else goes to a human."

owner  "payments@acme.example"
renews 2027-06-30
applies when agent == "support" && has(tool)
budget { steps 5000; }

import "std/pii.pact"
override let limit = 3
override clause greets { require output.startsWith("Hello") }
drop clause noisy

extend Call {                               // Call: the standard record
  channel: enum("chat", "email", "voice") = "chat"
  tier:    string?,
  waited:  duration(ms)? as "wait_ms"
  parts:   map(string, list(int)) = {}
  delta:   int = -1
  limits:  list(double?) = []; size2: int
}
record Step { name: string, at: timestamp(s), ok: bool = true as "was.ok", raw: dyn? }

let refund_cap = 50.0
pattern card = r"\\b(?:\\d[ -]?){13,19}\\b" check luhn
phrases spin = ["guaranteed returns", "risk free"]

session by session idle 30m limit 10000 calls

event refund         when tool == "issue_refund"
event refund_denied  when tool == "issue_refund" && !ok
event verify         when tool == "verify_identity" && ok
event confirm        when kind == "chat" && input.matches(r"(?i)\\byes\\b")
event write          when tool in ["issue_refund", "cancel_plan"]
event escalation     when tool == "handover"

clause no_card_numbers "Never shows a card number." {
  dimension security
  severity  critical
  never     output.matches(card)
  on violation { block "I can't share that."; redact; alert "security" retry 2 fallback other }
  on unknown   { allow }
  after 3 violations in 1d { pause; escalate; warn; penalty 5 }
}
clause no_spin { never output.says(spin) }
clause small_refunds { severity major when tool == "issue_refund" require args.amount <= refund_cap }
clause verified_first { refund only after verify within 30m same args.customer }
clause asks_first     { write only after fresh 2 confirm }
clause settled        { refund never after refund_denied until escalation same tool, args }
clause sourced        { refund.args only from user_text.input, tool_text same agent }
clause no_loops       { at most 3 calls per 5m same tool, args }
clause once_only      { at most 1 refund per session }
clause escalates      { after refund_denied expect escalation within 3 calls or 10m on end violate }
clause in_time        { after refund_denied expect escalation within 10m; on end forget }
clause fast { keep p95(latency) <= 2s over 5m and 1000 calls by hour(time), model limit 50 min 30 calls }
clause cheap { keep sum(cost) <= 50.0 over 1h by agent }
clause busy { keep count(where ok) + count(tool where !ok) > 3 over 10 calls }
clause steady { watch violated(small_refunds) above 0.01 one false alarm in 100000 calls by model }
clause same_mix { watch distribution(tool) against "baseline" }

store { redact output card; redact input; drop messages; keep 90d; limit 10 GiB }
judge tone { prompt "Is it polite?" scale likert; sample 0.05 tries 3 }
score {
  scale 1000   half_life 7d   confidence 0.95
  weights { accuracy 14, reliability 13.5, safety 11 }
  bands   { platinum 900, gold 750 }
}

test "a card number in the answer" {
  call at 5m { output: "Your card is 4111 1111 1111 1111", tool: null }
  expect violation of no_card_numbers, no_spin
  call { }
  expect ok; expect unknown of fast
  expect skipped cheap, fast
}
"""


def pact_of(text: str) -> s.Pact:
    tree, found = parse(Source("case.pact", text))
    assert tree is not None, found
    return tree


def expression(text: str) -> s.Expr:
    tree, found = parse_expression(Source("case.pact", text))
    assert tree is not None, found
    return tree


def plain(node: Any) -> Any:
    """A tree as short nested tuples, without spans."""
    match node:
        case s.Literal(_, _, value):
            return value
        case s.Name(_, name, absolute):
            return f".{name}" if absolute else name
        case s.Select(_, operand, field, _, optional):
            return (plain(operand), ".?" if optional else ".", field)
        case s.Index(_, operand, index, optional):
            return (plain(operand), "[?]" if optional else "[]", plain(index))
        case s.Unary(_, op, operand):
            return (op, plain(operand))
        case s.Binary(_, op, left, right):
            return (plain(left), op, plain(right))
        case s.Logic(_, op, operands):
            return (op, *map(plain, operands))
        case s.Conditional(_, test, yes, no):
            return ("?:", plain(test), plain(yes), plain(no))
        case s.Call(_, name, _, args, target, where, absolute):
            return (
                plain(target),
                ("." if absolute else "") + name,
                *map(plain, args),
                *([("where", plain(where))] if where else []),
            )
        case s.ListLiteral(_, items):
            return [("?", plain(i.value)) if i.optional else plain(i.value) for i in items]
        case s.MapLiteral(_, entries):
            return {("?" if e.optional else "") + str(plain(e.key)): plain(e.value) for e in entries}
        case s.StructLiteral(_, name, fields):
            return (name, {("?" if f.optional else "") + f.field: plain(f.value) for f in fields})
        case None:
            return None
    raise AssertionError(node)


# Golden ------------------------------------------------------------------------------------------


@golden.parametrize("parse")
def test_golden(case: golden.Case, request: pytest.FixtureRequest) -> None:
    source = Source("case.pact", case.sections["pact"])
    tree, found = parse(source)
    assert (tree is None) == has_errors(found)
    golden.settle(case, "problems", golden.problems(found, source), request)


def test_twenty_bad_clauses_give_twenty_diagnostics_in_order() -> None:
    bad = ("require )", "requires x", "never", "require x > 5min", "require (x", 'require "x', "when = 3")
    text = HEADER + "".join(
        f"clause c{n} {{\n  severity major\n  {bad[n % len(bad)]}\n}}\n" for n in range(20)
    )
    source = Source("case.pact", text)
    _, found = parse(source)
    lines = [source.place(d.primary.span.start).line for d in found]
    assert lines == sorted(lines)
    assert {(line - 2) // 4 for line in lines} == set(range(20))
    assert len(found) == 20


# The grammar ---------------------------------------------------------------------------------------


def test_the_grammar_is_strict() -> None:
    from lark import Lark

    Lark(
        GRAMMAR,
        parser="lalr",
        lexer="contextual",
        strict=True,
        start=["pact", "expression"],
        maybe_placeholders=True,
    )


def conformance(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from (row for row in map(json.loads, lines) if row["proto_free"])


def test_every_cel_expression_is_a_pact_expression(shared: Path) -> None:
    rows = list(conformance(shared / "data/cel/cel_conformance.jsonl"))
    assert len(rows) == 1022
    for row in rows:
        expr = row["expr"]
        alone = expression(expr)
        promise = pact_of(f"{HEADER}clause c {{ require {expr} }}").items[0].items[0]
        assert plain(promise.condition) == plain(alone), expr


@pytest.mark.parametrize(
    "text",
    ["", "1 +", "(1", "a b", "1 = 2", "f(1,)", "[1,,2]", "{1}", "a.", "a.1", "a ? b", "a ? b : c : d", "!-1",
     "'", "a[", "as", "x.f(", "1u2", "{a: 1", "A{1: 2}", "a && && b", "#", "a..b", "`a`", "require x", "if",
     "a in", "-", "a !b", "[?]", "a /* 3", "a // b\n c"],
)  # fmt: skip
def test_what_is_no_expression(text: str) -> None:
    tree, found = parse_expression(Source("case.pact", text))
    assert tree is None
    assert has_errors(found)


def test_the_end_of_a_string_is_where_the_grammar_says() -> None:
    patterns = {
        name: re.compile(regexp)
        for name, regexp, *_ in json.loads(TABLES)["terminals"]
        if name in ("STRING", "BYTES")
    }

    @settings(max_examples=2000, deadline=None)
    @given(st.sampled_from(["", "r", "b", "br", "R", "B", "Rb"]), st.text("\"'\\\n\ra", max_size=14))
    def agree(prefix: str, rest: str) -> None:
        opening = re.match("\"\"\"|'''|\"|'", rest)
        if opening is None:
            return
        text = prefix + rest
        end = string_end(text, len(prefix) + opening.end(), opening[0], "r" in prefix.lower())
        found = patterns["BYTES" if "b" in prefix.lower() else "STRING"].match(text)
        assert end == (found.end() if found else None), text

    agree()


# Trees ---------------------------------------------------------------------------------------------


def test_a_whole_pact() -> None:
    tree = pact_of(WHOLE)
    assert (tree.name.name, tree.version.value, tree.record) == ("support_agent", "2.1.0", None)
    assert tree.description.startswith("Answers billing")
    kinds = {type(item) for item in tree.items}
    assert kinds == set(s.Declaration.__args__)
    parts = {type(part) for item in tree.items if isinstance(item, s.Clause) for part in item.items}
    assert parts == set(s.ClauseItem.__args__)
    msgspec.json.encode(msgspec.to_builtins(tree))


def test_spans_are_exact() -> None:
    source = Source("case.pact", WHOLE)
    tree = pact_of(WHOLE)

    def walk(node: Any, outer: Span) -> None:
        if isinstance(node, s.Node):
            assert outer.start <= node.span.start < node.span.end <= outer.end
            text = source.slice(node.span)
            assert text == text.strip()
            if isinstance(node, s.Ident | s.Name):
                assert text.lstrip(".") == node.name
            for field in node.__struct_fields__:
                walk(getattr(node, field), node.span)
        elif isinstance(node, tuple) and not isinstance(node, Span):
            for part in node:
                walk(part, outer)

    walk(tree, Span(0, len(WHOLE)))
    binary = expression("(a + b) * c")
    assert binary.span == Span(0, 11)
    assert isinstance(binary, s.Binary)
    assert binary.left.span == Span(1, 6)
    assert binary.op_span == Span(8, 9)


def test_forms_keep_what_was_written() -> None:
    clauses = {c.name.name: c.items for c in pact_of(WHOLE).items if isinstance(c, s.Clause)}
    asks = clauses["asks_first"][0]
    assert (asks.fresh, asks.count.value, asks.after.name, asks.within) == (True, 2, "confirm", None)
    verified = clauses["verified_first"][0]
    assert (verified.fresh, verified.count, verified.within.nanos) == (False, None, 30 * 60 * 10**9)
    assert [plain(k) for k in verified.same] == [("args", ".", "customer")]
    settled = clauses["settled"][0]
    assert (settled.after.name, settled.until.name, len(settled.same)) == ("refund_denied", "escalation", 2)
    assert [plain(x) for x in clauses["sourced"][0].sources] == [("user_text", ".", "input"), "tool_text"]
    assert clauses["once_only"][0].per is None
    assert clauses["no_loops"][0].event.name == "calls"
    expect = clauses["escalates"][0]
    assert (expect.calls.value, expect.within.nanos) == (3, 600 * 10**9)
    assert (clauses["in_time"][0].calls, clauses["in_time"][0].within.nanos) == (None, 600 * 10**9)
    keep = clauses["fast"][0]
    assert [(w.nanos, w.calls) for w in keep.windows] == [(300 * 10**9, None), (None, 1000)]
    assert (len(keep.keys), keep.limit.value, keep.minimum.value) == (2, 50, 30)
    assert (clauses["cheap"][0].limit, clauses["cheap"][0].minimum) == (None, None)
    assert clauses["steady"][0].calls.value == 100000
    assert clauses["same_mix"][0].against.value == "baseline"
    repeated = clauses["no_card_numbers"][-1]
    assert (repeated.on, repeated.count.value, [a.kind for a in repeated.actions]) == (
        "repeated", 3, ["pause", "escalate", "warn", "penalty"],
    )  # fmt: skip


def test_declarations_keep_what_was_written() -> None:
    items = {type(item): item for item in pact_of(WHOLE).items}
    fields = {f.name.name: f for r in pact_of(WHOLE).items if isinstance(r, s.RecordDecl) for f in r.fields}
    assert fields["tier"].type.nullable
    assert [v.value for v in fields["channel"].type.values] == ["chat", "email", "voice"]
    assert (fields["waited"].type.args[0].name, fields["waited"].wire.value) == ("ms", "wait_ms")
    assert plain(fields["delta"].default) == ("-", 1)
    assert plain(fields["parts"].default) == {}
    assert fields["limits"].type.args[0].nullable
    assert not fields["limits"].type.nullable
    assert (fields["ok"].default.value, fields["ok"].wire.value) == (True, "was.ok")
    assert items[s.Session].limit.value == 10000
    assert [(i.kind, i.amount) for i in items[s.Store].items][-2:] == [
        ("keep", 90 * 86400 * 10**9),
        ("limit", 10 * 2**30),
    ]
    assert items[s.Judge].items == (
        ("prompt", "Is it polite?"),
        ("scale", "likert"),
        ("sample", 0.05),
        ("tries", 3),
    )
    assert [(d.name, n.value) for d, n in items[s.Score].weights][1] == ("reliability", 13.5)
    steps = items[s.Test].steps
    assert steps[0].at.nanos == 300 * 10**9
    assert [type(step).__name__ for step in steps].count("TestExpect") == 4


TREES = [
    ("1 + 2 * 3 - 4", ((1, "+", (2, "*", 3)), "-", 4)),
    ("a || b && c || d", ("||", "a", ("&&", "b", "c"), "d")),
    ("(a && b) && c", ("&&", ("&&", "a", "b"), "c")),
    ("a ? b : c ? d : e", ("?:", "a", "b", ("?:", "c", "d", "e"))),
    ("--a", ("-", ("-", "a"))),
    ("!!a.b", ("!", ("!", ("a", ".", "b")))),
    ("-1", ("-", 1)),
    ("a < b == c in d", ((("a", "<", "b"), "==", "c"), "in", "d")),
    ("a.b.?c[0][?1].`x-y`", ((((("a", ".", "b"), ".?", "c"), "[]", 0), "[?]", 1), ".", "x-y")),
    ("f(1).g(2, x).h()", (((None, "f", 1), "g", 2, "x"), "h")),
    (".a.b + .f(1)", ((".a", ".", "b"), "+", (None, ".f", 1))),
    ("[1, ?x, [],]", [1, ("?", "x"), []]),
    ('{"a": 1, ?b: 2}', {"a": 1, "?b": 2}),
    ("{}", {}),
    (".a.B{c: 1, ?`d e`: {}}", (".a.B", {"c": 1, "?d e": {}})),
    ("a{}", ("a", {})),
    ("count(where x > 1)", (None, "count", ("where", ("x", ">", 1)))),
    ("rate(x where y)", (None, "rate", "x", ("where", "y"))),
    ("f(where) + where", ((None, "f", "where"), "+", "where")),
    ("when + require - clause.never", (("when", "+", "require"), "-", ("clause", ".", "never"))),
    ("call.function.in", (("call", ".", "function"), ".", "in")),
    ("1h30m + 1.5s + 500ms", ((5400 * 10**9, "+", 1500 * 10**6), "+", 500 * 10**6)),
    ("0x1F + 7u + 0xAU + .5", (((31, "+", 7), "+", 10), "+", 0.5)),
    ("1e3 + 1.5E-2 + 2d", ((1000.0, "+", 0.015), "+", 2 * 86400 * 10**9)),
    ("true == null", (True, "==", None)),
    ("2027-06-30", ((2027, "-", 6), "-", 30)),
    ("a // comment\r+ b // c", ("a", "+", "b")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "tree"), TREES)
def test_trees(text: str, tree: Any) -> None:
    assert plain(expression(text)) == tree


STRINGS = [
    ('"a\\n\\t\\\\\\"\\\'\\`\\?"', "a\n\t\\\"'`?"),
    ("'\\a\\b\\f\\r\\v'", "\a\b\f\r\v"), ('"\\x41\\X42\\103\\u00e9\\U0001F600"', "ABCé😀"),
    ('"\\377"', "ÿ"), ('r"\\n\\"', "\\n\\"), ("R'\\d'", "\\d"),
    ('"""a\n"b" \\""""', 'a\n"b" "'), ("'''a\r\nb\rc'''", "a\nb\nc"),
    ('""', ""), ("''''''", ""), ('r"""\\"""', "\\"), ('"日本"', "日本"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), STRINGS)
def test_strings(text: str, value: str) -> None:
    assert expression(text).value == value
    assert read_string(text) == (value, [])


def test_bytes() -> None:
    assert expression('b"\\xff\\377é\\n"').value == b"\xff\xff" + "é".encode() + b"\n"
    assert expression("bR'\\x'").value == b"\\x"
    assert [m.start for m in read_bytes('b"a\\u00e9\\q"')[1]] == [3, 9]


@pytest.mark.parametrize(
    "text", ['"\\ud800"', '"\\udfff"', '"\\U00110000"', '"\\q"', '"\\x4"', '"\\8"', '"\\400"', '"""\\\n"""']
)
def test_escapes_that_do_not_exist(text: str) -> None:
    _, found = parse_expression(Source("case.pact", f" {text}"))
    assert [(d.code, d.primary.span.start) for d in found] == [("invalid-escape", 1 + text.index("\\"))]


def test_durations_are_exact() -> None:
    assert read_duration("0.000000001s") == 1
    assert read_duration("315576000000s") == 315576000000 * 10**9
    assert not isinstance(read_duration("315576000001s"), int)
    assert not isinstance(read_duration("0.0000000001s"), int)


# Hostile text ----------------------------------------------------------------------------------------


def codes(text: str) -> list[str]:
    return [d.code for d in parse(Source("case.pact", text))[1]]


HUGE = 10_000_000
HOSTILE = {
    "parentheses": ("(" * HUGE, "nested-too-deep"),
    "brackets": ("[" * HUGE, "nested-too-deep"),
    "maps": ("{1:" * (HUGE // 3), "nested-too-deep"),
    "nots": ("!" * HUGE, "nested-too-deep"),
    "minuses": ("-" * HUGE, "nested-too-deep"),
    "sums": ("1+" * (HUGE // 2), "nested-too-deep"),
    "fields": ("a" + ".a" * (HUGE // 2), "nested-too-deep"),
    "conditionals": ("a?b:" * (HUGE // 4), "nested-too-deep"),
    "one line of a string": ('"' + "a" * HUGE, "unterminated-string"),
    "lines of a string": ('"""' + "a\n" * (HUGE // 2), "unterminated-string"),
    "digits": ("1" * HUGE, "number-out-of-range"),
    "digits and points": ("1." * (HUGE // 2), "malformed-number"),
    "nul bytes": ("\0" * HUGE, "unexpected-character"),
    "closing braces": ("}" * HUGE, "unmatched-bracket"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_ten_megabytes_end_soon(name: str) -> None:
    text, code = HOSTILE[name]
    start = time.process_time()
    assert code in codes(f"{HEADER}clause c {{ require {text}")
    assert time.process_time() - start < 10


def test_a_mistake_on_every_line_is_linear() -> None:
    def seconds(lines: int) -> float:
        text = HEADER + "clause c { require ) }\n" * lines
        start = time.process_time()
        assert len(codes(text)) == lines
        return time.process_time() - start

    seconds(500)
    assert seconds(8000) < 8 * 4 * max(seconds(1000), 0.01)


def test_too_many_mistakes_and_too_large_a_file() -> None:
    found = codes(HEADER + "clause c { require ) }\n" * (MAX_MISTAKES + 10))
    assert len(found) == MAX_MISTAKES + 1
    assert found[-1] == "too-many-mistakes"
    assert codes(HEADER + " " * MAX_SOURCE) == ["source-too-large"]


def test_depth_is_limited_where_later_stages_would_be() -> None:
    for opening, closing in (("(", ")"), ("[", "]"), ("f(", ")"), ("!", ""), ("1 + ", ""), ("{1: ", "}")):
        assert codes(f"{HEADER}let x = {opening * (MAX_DEPTH - 5)}1{closing * (MAX_DEPTH - 5)}") == []
        assert codes(f"{HEADER}let x = {opening * (MAX_DEPTH + 5)}1{closing * (MAX_DEPTH + 5)}") == [
            "nested-too-deep"
        ]
    assert codes(HEADER + "let x = " + "a && " * 20000 + "b || " * 20000 + "c") == []
    assert codes(HEADER + "let x = [" + "1, " * 20000 + "2]") == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str) -> None:
    text = WHOLE.replace("\n", end)
    assert len(pact_of(text).items) == len(pact_of(WHOLE).items)


def test_bytes_that_are_no_text() -> None:
    for data, code, place in (
        (b"\xef\xbb\xbf" + HEADER.encode(), "byte-order-mark", (1, 1)),
        (HEADER.encode() + b'let a = "\xff"\n', "not-utf-8", (2, 10)),
        (HEADER.encode("utf-16"), "not-utf-8", (1, 1)),
        (HEADER.encode() + b"\xed\xa0\x80", "not-utf-8", (2, 1)),
        (HEADER.encode() + b"let a = 1\n\xe6\x97", "not-utf-8", (3, 1)),
    ):
        source, found = read_source(data, "case.pact")
        assert [d.code for d in found] == [code]
        assert source.place(found[0].primary.span.start) == place
        assert parse(source) == (None, found)
    source, found = read_source(HEADER.encode() + 'let a = "日本"\n'.encode(), "case.pact")
    assert not found
    assert parse(source)[0] is not None
    assert codes(HEADER + "let a = '\ud800'") == ["not-utf-8"]


def check_sane(text: str, found: tuple[Diagnostic, ...], tree: object) -> None:
    assert (tree is None) == has_errors(found)
    for diagnostic in found:
        spans = [diagnostic.primary.span, *(label.span for label in diagnostic.related)]
        spans += [diagnostic.fix.span] if diagnostic.fix else []
        for span in spans:
            assert 0 <= span.start <= span.end <= len(text)
        assert diagnostic.message
        assert "__ANON" not in diagnostic.message
        assert "Token" not in diagnostic.message


PIECES = re.findall(r"\w+|\s+|[^\w\s]", WHOLE)
CHANGES = st.tuples(
    st.integers(0, len(PIECES) - 1), st.sampled_from(["cut", "twice", "swap"]), st.sampled_from(PIECES)
)
SETTINGS = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))


@SETTINGS
@given(st.text())
def test_any_text_gives_a_tree_or_diagnostics(text: str) -> None:
    for run in (parse, parse_expression):
        tree, found = run(Source("case.pact", text))
        check_sane(text, found, tree)


@SETTINGS
@given(st.lists(st.sampled_from(PIECES), max_size=60), st.booleans())
def test_any_words_give_a_tree_or_diagnostics(words: list[str], header: bool) -> None:
    text = HEADER * header + "".join(words)
    tree, found = parse(Source("case.pact", text))
    check_sane(text, found, tree)


@SETTINGS
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(PIECES) - 1),
            st.sampled_from(["cut", "twice", "swap"]),
            st.sampled_from(PIECES),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_a_mutated_pact_gives_a_tree_or_diagnostics(changes: list[tuple[int, str, str]]) -> None:
    pieces = list(PIECES)
    for at, what, other in changes:
        pieces[at] = "" if what == "cut" else pieces[at] * 2 if what == "twice" else other
    text = "".join(pieces)
    tree, found = parse(Source("case.pact", text))
    check_sane(text, found, tree)


def test_every_prefix_of_a_pact_gives_a_tree_or_diagnostics() -> None:
    for end in range(0, len(WHOLE), 7):
        tree, found = parse(Source("case.pact", WHOLE[:end]))
        check_sane(WHOLE[:end], found, tree)


# Processes and threads --------------------------------------------------------------------------------


def test_lark_is_not_imported_by_a_parse() -> None:
    code = (
        "import sys; from pactlang.parse import parse; from pactlang.source import Source\n"
        "parse(Source('x', 'pact p \"1\"')); assert 'lark' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])


def test_threads_share_one_table() -> None:
    with ThreadPoolExecutor(8) as pool:
        trees = list(pool.map(pact_of, [WHOLE] * 16))
    assert all(tree == trees[0] for tree in trees)
