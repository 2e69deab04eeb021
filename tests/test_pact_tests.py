"""`test` blocks: how calls are fed, what is expected of them, and what a failure says; `pactc test`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as xml

import pytest
from cli_tools import Pactc, pactc
from golden import Case, load, parametrize, settle
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import pactlang
from pactlang import ir
from pactlang.build import compile_source
from pactlang.cli import exits
from pactlang.evaluate import Error, judge
from pactlang.program import Annex, Program, encode
from pactlang.source import Source
from pactlang.testing import Report, check_tests, coverage, run_tests
from pactlang.testing.feed import Feed

__all__ = ["pactc"]

EXAMPLES = Path(pactlang.__file__).parent / "examples"
PACTS = [*sorted(EXAMPLES.glob("*.pact")), *sorted((EXAMPLES.parent / "templates").glob("*.pact"))]

HEAD = """pact p "1.0.0" on R
record R { n: int  s: string?  k: enum("a", "b") = "a"  time: timestamp?  id: int  session: string }
"""


def on_r(text: str) -> str:
    """A pact on the record R."""
    return HEAD + text


def ran(text: str) -> Report:
    return run_tests(pactlang.compile(text))


def outcomes(text: str) -> list[dict[str, str]]:
    """Per call of the only test what came out."""
    (result,) = ran(text).results
    return [{name: o.name.lower() for name, o in judged.outcomes.items()} for judged in result.calls]


# Calls ---------------------------------------------------------------------------------------------


def test_every_call_has_an_id_a_session_and_a_time() -> None:
    text = on_r("""
    clause start { require time == timestamp("2026-01-01T00:00:00Z") }
    clause later { require time == timestamp("2026-01-01T00:05:01Z") }
    clause named { require session == "test" && id == 3 }
    test "t" { call {} call at 5m {} call {} call at 0s { id: 7 } }
    """)
    assert outcomes(text) == [
        {"start": "satisfied", "later": "violated", "named": "violated"},
        {"start": "violated", "later": "violated", "named": "violated"},
        {"start": "violated", "later": "satisfied", "named": "satisfied"},
        {"start": "satisfied", "later": "violated", "named": "violated"},
    ]


def test_a_test_may_give_what_every_call_has() -> None:
    text = on_r("""
    clause mine { require time == timestamp("2027-01-01T00:00:00Z") && session == "x" && id == 9 }
    test "t" { call { time: timestamp("2027-01-01T00:00:00Z"), session: "x", id: 9 } expect ok }
    """)
    assert ran(text).ok


@pytest.mark.parametrize("unit", ["", "(s)", "(ms)", "(us)", "(ns)"])
def test_times_in_every_unit(unit: str) -> None:
    text = f"""pact p "1.0.0" on R
    record R {{ time: timestamp{unit}  session: int }}
    clause c {{ require time == timestamp("2026-01-01T00:00:00.25Z") && session == 1 }}
    test "t" {{ call at 250ms {{ }} expect ok }}
    """
    assert ran(text).ok


def test_each_test_starts_afresh() -> None:
    text = on_r("""
    clause first { require id == 1 && time == timestamp("2026-01-01T00:00:00Z") }
    test "a" { call { } expect ok } test "b" { call { } expect ok }
    """)
    assert ran(text).passed == 2


def test_a_time_beyond_the_calendar_is_no_record() -> None:
    program = pactlang.compile(HEAD + "clause c { require id > 0 }")
    judged = Feed(pactlang.Evaluator(program)).call(ir.TestCall((0, 0), 10**21, {"n": 1}))
    assert judged.unreadable == "$.time: it comes at a timestamp outside years 1 to 9999"


# What is left out ----------------------------------------------------------------------------------

LACKING = """pact p "1.0.0" on R
record In { a: int  b: In2 }
record In2 { c: string }
record R { n: int  d: dyn  l: list(int)  m: map(string, int)  inside: In  k: enum("a", "b")
           t: timestamp  u: duration(ms)  y: bytes  maybe: In?  s: string = "x"  flag: bool  f: double  v: uint }
clause n { require n > 0 }
clause d { require d == 1 }
clause has_d { require has(d.a) }
clause l { require size(l) == 0 }
clause m { require m.all(k, k == "") }
clause inside { require inside.b.c == "" }
clause k { require k == "a" }
clause t { require t > timestamp("2020-01-01T00:00:00Z") }
clause u { require u < 5s }
clause y { require size(y) == 0 }
clause flag { require flag }
clause f { require f < 1.0 }
clause v { require v == 0u }
clause whole { require [call].exists(c, c.n == 0) }
clause either { require s == "x" || n > 0 }
clause not_there { when n > 0  require s == "x" }
clause maybe { require !has(maybe) }
clause s { require s == "x" }
test "t" { call { } }
"""


def test_what_reads_a_field_that_is_left_out_is_unknown() -> None:
    (found,) = outcomes(LACKING)
    known = {name: outcome for name, outcome in found.items() if outcome != "unknown"}
    assert known == {"either": "satisfied", "maybe": "satisfied", "s": "satisfied"}


def test_a_field_that_is_left_out_is_an_error_for_has_too() -> None:
    text = HEAD + "clause c { require has(n) }\n" + 'test "t" { call { } }'
    program, found = compile_source(Source("t", text))
    if program is not None:  # where the language lets one ask
        assert outcomes(text) == [{"c": "unknown"}], found


def test_a_scope_that_reads_what_is_left_out() -> None:
    text = HEAD + 'applies when n > 0 && s != "out"\nclause c { require id > 0 }\n'
    assert outcomes(text + 'test "t" { call { s: "in" } call { s: "out" } call { n: 1, s: "in" } }') == [
        {"c": "unknown"},
        {},
        {"c": "satisfied"},
    ]


def test_only_what_is_read_can_be_lacking() -> None:
    text = 'pact p "1.0.0" on R\nrecord R { a: int  b: list(R2) }\nrecord R2 { x: int }\n'
    assert ran(text + 'clause c { require a > 0 }\ntest "t" { call { a: 1 } expect ok }').ok


NUMBERS = st.integers(-3, 8)
FIELDS = st.fixed_dictionaries(
    {"n": NUMBERS},
    optional={"s": st.sampled_from(["", "out", "abc"]), "k": st.sampled_from("ab"), "d": st.none() | NUMBERS},
)
SAME = pactlang.compile("""pact p "1.0.0" on R
record R { n: int  s: string?  k: enum("a", "b") = "a"  d: dyn?  time: timestamp?  id: string? }
applies when s != "out"
clause small { when k == "a" require n < 5 }
clause text { never s.contains("b") && n > 0 }
clause data { require d <= 3 }
clause early { require time < timestamp("2026-01-01T00:00:03Z") }
""")
EVALUATOR = pactlang.Evaluator(SAME)


@settings(max_examples=300, deadline=None)
@given(st.lists(FIELDS, max_size=5))
def test_complete_records_come_out_as_in_production(calls: list[dict[str, Any]]) -> None:
    feed = Feed(EVALUATOR)
    for number, fields in enumerate(calls):
        judged = feed.call(ir.TestCall((0, 0), None, fields))
        record = {"id": str(number + 1), "time": f"2026-01-01T00:00:0{number}Z", **fields}
        verdict = EVALUATOR.check_json(json.dumps(record))
        assert (judged.outcomes, judged.outside) == (verdict.outcomes, verdict.outside)
        if not verdict.outside:  # and as the plain evaluator says, which judges what is not complete
            plainly = {c.name: judge(c, judged.row, SAME.module).outcome for c in SAME.module.clauses}
            assert plainly == verdict.outcomes
        assert not any(isinstance(value, Error) for value in judged.row)


def test_what_a_forged_artifact_feeds_is_no_record() -> None:
    test = ir.Test("t", (0, 0), (ir.TestCall((0, 0), None, {"n": "five"}), ir.TestExpect((0, 0), "ok")))
    nonsense = ir.Test(
        "u", (0, 9**9), (ir.TestCall((-5, 2), 5, {"n": 1, "x": [1]}), ir.TestExpect((9, 9), "odd", ("no",)))
    )
    module = replace(SAME.module, tests=(test, nonsense))
    forged = Program(SAME.core, encode(Annex(encode(module), "", "")))
    report = run_tests(pactlang.load(forged.to_bytes()))
    assert [result.failures[0].judged.unreadable for result in report.results] == [
        "$.n: expected int, found a string", "",
    ]  # fmt: skip
    with pytest.raises(AssertionError, match="the call cannot be read"):
        check_tests(forged)


@pytest.mark.parametrize(
    "text", [case.sections["pact"] for case in load("check") if "\ntest " in case.sections["pact"]]
)
def test_what_the_checker_lets_through_can_be_read(text: str) -> None:
    program, _ = compile_source(Source("t", text))
    for result in run_tests(program).results if program is not None else ():
        assert not [judged.unreadable for judged in result.calls if judged.unreadable]


# Expectations --------------------------------------------------------------------------------------

TWO = HEAD + 'clause a { require n < 5 }\nclause b { when has(s) require s == "x" }\n'


@pytest.mark.parametrize(
    ("call", "expect", "holds"),
    [
        ("n: 1", "ok", True),
        ("n: 9", "ok", False),
        ("", "ok", False),
        ("n: 9", "violation of a", True),
        ("n: 1", "violation of a", False),
        ("n: 9", "violation of a, b", False),
        ('n: 9, s: "y"', "violation of a, b", True),
        ("", "violation of a", False),
        ("", "unknown of a", True),
        ("n: 9", "unknown of a", False),
        ("n: 9", "skipped b", True),
        ("n: 9", "skipped a", False),
        ('n: 1, s: "x"', "skipped b", False),
    ],
)
def test_expect(call: str, expect: str, holds: bool) -> None:
    assert ran(f'{TWO}test "t" {{ call {{ {call} }} expect {expect} }}').ok is holds


def test_expect_is_about_the_call_before() -> None:
    assert ran(TWO + 'test "t" { call { n: 9 } expect violation of a call { n: 1 } expect ok expect ok }').ok


def test_a_call_outside_the_pact_is_ok_and_nothing_else() -> None:
    text = TWO + 'applies when n > 0\ntest "t" { call { n: 0 } expect ok expect skipped b }'
    (failure,) = ran(text).results[0].failures
    assert [wrong.found for wrong in failure.wrong] == ["outside the pact"]


def test_coverage_counts_all_calls() -> None:
    report = ran(TWO + 'test "t" { call { n: 9 } call { } } test "u" { call { n: 8, s: "x" } }')
    assert [tuple(row) for row in coverage(report)] == [
        ("a", 0, 2, 0, 1, ("satisfied",)),
        ("b", 1, 0, 2, 0, ("violated",)),
    ]


# The artifact --------------------------------------------------------------------------------------


def test_tests_are_no_part_of_the_identity_and_travel_in_the_artifact() -> None:
    text = TWO + 'test "t" { call { n: 1, s: null } expect ok }'
    program, bare = pactlang.compile(text), pactlang.compile(TWO)
    assert program.digest == bare.digest
    assert program.core_bytes == bare.core_bytes
    assert run_tests(pactlang.load(program.to_bytes())).passed == 1


def test_from_python(tmp_path: Path) -> None:
    text = TWO + 'test "t" { call { n: 1 } expect ok }'
    path = tmp_path / "a.pact"
    path.write_text(text)
    for pact in (text, path, str(path), pactlang.compile(text)):
        assert check_tests(pact).summary == "1 passed, 0 failed"
    with pytest.raises(AssertionError, match=r"0 passed, 1 failed\n\nFAILED  t\n(.|\n)*n is 9, not < 5"):
        check_tests(text.replace("n: 1", "n: 9"))
    with pytest.raises(AssertionError, match="no tests"):
        check_tests(TWO)
    with pytest.raises(pactlang.CompileError):
        check_tests(text.replace("n: 1", "m: 1"))
    with pytest.raises(FileNotFoundError):
        check_tests(str(tmp_path / "b.pact"))


# The examples --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PACTS, ids=lambda path: path.stem)
def test_examples_see_every_clause_kept_and_broken(path: Path) -> None:
    report = check_tests(path)
    assert not [row for row in coverage(report) if row.never]


def clauses(path: Path) -> list[Any]:
    text = path.read_text("utf-8")
    return [pytest.param(text, c, id=f"{path.stem}-{c.name}") for c in pactlang.compile(text).module.clauses]


CLAUSES = [param for path in PACTS for param in clauses(path)]


@pytest.mark.parametrize(("text", "clause"), CLAUSES)
def test_no_clause_of_an_example_can_be_deleted(text: str, clause: Any, pactc: Pactc) -> None:
    pactc.write("mutant.pact", text[: clause.span[0]] + text[clause.span[1] :])
    found = pactc("test", "mutant.pact")
    assert found.code == exits.FOUND
    assert f"unknown clause `{clause.name}`" in found.out


@pytest.mark.parametrize(("text", "clause"), CLAUSES)
@pytest.mark.parametrize("promise", ["require true", "require false"])
def test_no_promise_of_an_example_can_be_given_up_or_made_unbearable(
    text: str, clause: Any, promise: str
) -> None:
    start, end = clause.promise_span
    report = ran(text[:start] + promise + text[end:])
    wrong = {w.clause for result in report.results for failure in result.failures for w in failure.wrong}
    assert wrong == {clause.name}


# pactc test ----------------------------------------------------------------------------------------


@parametrize("test")
def test_output(case: Case, pactc: Pactc, request: pytest.FixtureRequest) -> None:
    pactc.write("case.pact", case.sections["pact"])
    options = case.sections.get("options", "").split()
    found = pactc("test", "case.pact", *options)
    settle(case, "output", f"{found.out.rstrip()}\n[exit {found.code}]\n", request)


GOOD = TWO + 'test "t" { call { n: 1 } expect ok }\n'
BAD = TWO + 'test "t" { call { n: 9 } expect ok }\ntest "u" { call { n: 9 } expect violation of a }\n'


def test_exit_codes(pactc: Pactc) -> None:
    pactc.write("good.pact", GOOD)
    pactc.write("bad.pact", BAD)
    pactc.write("broken.pact", GOOD.replace("n < 5", "m < 5"))
    for form in ("text", "json", "junit", "github"):
        assert pactc("test", "good.pact", "--format", form).code == exits.FINE
        assert pactc("test", "good.pact", "bad.pact", "--format", form).code == exits.FOUND
        assert pactc("test", "broken.pact", "--format", form).code == exits.FOUND
    assert pactc("test", "-", stdin=GOOD.encode()).code == exits.FINE
    assert pactc("test").code == exits.UNABLE
    assert pactc("test", "nowhere.pact").code == exits.UNABLE
    assert pactc("test", "good.pact", "--coverage", "--format", "junit").code == exits.UNABLE
    assert "1 passed, 0 failed, 1 pact with errors" in pactc("test", "good.pact", "broken.pact").out


def test_an_artifact_brings_its_tests(pactc: Pactc) -> None:
    pactc.write("bad.pact", BAD)
    pactc("build", "bad.pact")
    found = pactc("test", "bad.pactc")
    assert found.code == exits.FOUND
    assert "n is 9, not < 5" in found.out


def test_no_tests(pactc: Pactc) -> None:
    found = pactc("test", "shop.pact")
    assert found.code == exits.FINE
    assert found.out == "shop.pact\nno tests\n\n0 passed, 0 failed\n"


def test_json(pactc: Pactc) -> None:
    pactc.write("bad.pact", BAD)
    data = pactc("test", "bad.pact", "--format", "json", "--coverage").data
    assert (data["ok"], data["passed"], data["failed"]) == (False, 1, 1)
    (pact,) = data["pacts"]
    assert [(test["name"], test["line"], test["ok"]) for test in pact["tests"]] == [
        ("t", 5, False), ("u", 6, True),
    ]  # fmt: skip
    (failure,) = pact["tests"][0]["failures"]
    assert failure["outcomes"] == {"a": "violated", "b": "skipped"}
    assert failure["why"][0]["message"] == "a: n is 9, not < 5"
    assert pact["coverage"][0]["never"] == ["satisfied"]


def test_junit(pactc: Pactc) -> None:
    pactc.write("bad.pact", BAD)
    pactc.write("broken.pact", GOOD.replace("n < 5", "m < 5"))
    root = xml.fromstring(pactc("test", "bad.pact", "broken.pact", "--format", "junit").out)
    assert (root.tag, root.get("tests"), root.get("failures"), root.get("errors")) == (
        "testsuites", "3", "1", "1",
    )  # fmt: skip
    suite, broken = root.findall("testsuite")
    case = suite.findall("testcase")[0]
    assert (case.get("name"), case.get("classname"), case.get("file"), case.get("line")) == (
        "t", "p", "bad.pact", "5",
    )  # fmt: skip
    failure = case.find("failure")
    assert failure is not None
    assert "n is 9, not < 5" in (failure.text or "")
    assert len(broken.findall("testcase/error")) == 1


HOSTILE = "<script>alert(1)</script> ]]> & \" ' % \x1b[31m\x07\r\n::error::x,y:z \u202e \ufffe\uffff \x00"


def literal(text: str) -> str:
    """The text as a string of a pact."""
    return json.dumps(text)


def hostile(name: str, value: str) -> str:
    clause = "clause c { never s.contains('script') || size(s) > 1000 }\n"
    test = f"test {literal(name)} {{ call {{ s: {literal(value)} }} expect ok }}\n"
    return on_r(clause + test)


@pytest.mark.parametrize("form", ["text", "json", "junit", "github"])
def test_hostile_texts_stay_texts(pactc: Pactc, form: str) -> None:
    pactc.write("evil.pact", hostile(HOSTILE, HOSTILE * 50))
    out = pactc("test", "evil.pact", "--format", form).out
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f]", out)
    assert form == "json" or "\u202e" not in out  # JSON is for programs
    if form == "json":
        assert json.loads(out)["pacts"][0]["tests"][0]["name"] == HOSTILE
    if form == "junit":
        (case,) = xml.fromstring(out).iter("testcase")
        assert (case.get("name") or "").startswith(
            "<script>alert(1)</script> ]]> & \" ' % \\x1b[31m\\x07\\r\\n"
        )
        assert "<script" not in out
    if form == "github":
        first, last = out.splitlines()
        assert first.startswith("::error file=evil.pact,line=4,title=<script>")
        assert "%25 \\x1b[31m" in first
        assert "\\r\\n%3A%3Aerror%3A%3Ax%2Cy%3Az" in first
        assert last == "0 passed, 1 failed"


@pytest.mark.parametrize("form", ["text", "json", "junit", "github"])
def test_texts_of_a_megabyte(pactc: Pactc, form: str) -> None:
    pactc.write("large.pact", hostile("n" * 1_000_000, "v" * 1_000_000))
    found = pactc("test", "large.pact", "--format", form)
    assert found.code == exits.FOUND
    assert len(found.out) < (1_100_000 if form == "json" else 10_000)


def test_a_file_with_a_hostile_name(pactc: Pactc) -> None:
    pactc.write("a,b\x1b::c%.pact", BAD)
    found = pactc("test", "a,b\x1b::c%.pact", "--format", "github")
    assert found.out.startswith("::error file=a%2Cb\\x1b%3A%3Ac%25.pact,line=5,title=t::expect ok: ")
    xml.fromstring(pactc("test", "a,b\x1b::c%.pact", "--format", "junit").out)


def test_the_terminal_decides_how_wide(pactc: Pactc, monkeypatch: pytest.MonkeyPatch) -> None:
    pactc.write("large.pact", hostile("name", "v " * 5000))
    monkeypatch.setenv("COLUMNS", "60")
    lines = pactc("test", "large.pact").out.splitlines()
    assert max(len(line) for line in lines if "satisfied" not in line and "call {" not in line) <= 60
