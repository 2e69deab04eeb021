"""Session promises in the tools: `pactc test`, `pactc check` and what they print."""

from __future__ import annotations

import re

import pytest
from cli_tools import Pactc, pactc
from hypothesis import given, settings
from hypothesis import strategies as st

import pactlang
from pactlang.cli import exits
from pactlang.cost import state_costs
from pactlang.cost.state import FIXED
from pactlang.opcodes import Outcome
from pactlang.testing import check_tests, coverage, run_tests

__all__ = ["pactc"]

PACT = """pact p "1.0.0"
event verify when tool == "verify"
event refund when tool == "refund"
event denied when tool == "refund" && ok == false
event handover when tool == "handover"
clause verified { refund only after verify within 30m same args.customer }
clause escalates { after denied expect handover within 3 calls or 10m }
clause steady { when has(cost) require !once(denied, 1h) || cost < 1.0 }
clause few { at most 4 calls per session }
"""

# `pactc test` ---------------------------------------------------------------------------------------


def outcomes(text: str) -> list[str]:
    """Per call of the only test the first letters of its outcomes."""
    (result,) = run_tests(pactlang.compile(text)).results
    return ["".join(o.name[0].lower() for o in judged.outcomes.values()) for judged in result.calls]


def test_a_test_remembers_its_own_calls_only() -> None:
    report = check_tests(PACT + """
    test "in order" {
      call { tool: "verify", args: { "customer": "c" } }
      call { tool: "refund", args: { "customer": "c" } } expect ok
      call { tool: "refund", args: { "customer": "d" } } expect violation of verified
      call at 31m { tool: "refund", args: { "customer": "c" } } expect violation of verified
      call at 31m { tool: "refund" } expect unknown of verified expect violation of few
    }
    test "afresh" { call { tool: "refund", args: { "customer": "c" } } expect violation of verified }
    """)  # fmt: skip
    assert report.ok


def test_what_is_pending_is_ok_and_what_it_comes_to_counts_for_its_call() -> None:
    text = PACT + """
    test "waits" { call { tool: "refund", ok: false, args: { "customer": "c" }, cost: 0.1 } %s %s }
    """
    ok = text.replace("refund only after verify within 30m same args.customer", "at most 9 refund per 1h")
    assert check_tests(ok % ("expect ok expect unknown of escalates", "")).ok
    assert check_tests(ok % ("expect violation of escalates", "call {} call {} call {}")).ok
    assert check_tests(ok % ("expect ok", 'call { tool: "handover" } expect skipped escalates')).ok
    assert check_tests(ok % ("expect violation of escalates", "call at 11m {} expect ok")).ok


def test_a_field_left_out_is_a_maybe() -> None:
    text = """pact p "1.0.0" on R
    record R { id: string? session: string? tool: string  n: int }
    event a when tool == "a"
    event b when tool == "b" && n > 1
    clause c { a only after b }
    clause d { require n > 0 || once(b) }
    test "t" { call { n: 2 } call { tool: "a" } call { tool: "b", n: 2 } call { tool: "a" } }
    """
    assert outcomes(text) == ["us", "uu", "ss", "ss"]


def test_the_same_id_again_is_no_call() -> None:
    report = run_tests(pactlang.compile(PACT + 'test "t" { call {} call { id: "1" } expect skipped few }'))
    (result,) = report.results
    assert result.calls[1].duplicate and result.calls[1].outcomes == {}
    assert not result.ok and result.failures[0].wrong[0].found.startswith("not judged")


def test_coverage_counts_what_was_resolved() -> None:
    text = PACT + 'test "t" { call { tool: "refund", ok: false } call { tool: "handover" } expect ok }'
    seen = {each.clause: each for each in coverage(run_tests(pactlang.compile(text)))}
    assert (seen["escalates"].satisfied, seen["escalates"].unknown) == (1, 0)
    assert seen["escalates"].never == ("violated",)
    assert seen["few"].never == ("violated",)


def test_a_failure_says_which_earlier_call(pactc: Pactc) -> None:
    test = """test "t" {
      call { tool: "verify", args: { "customer": "c" } }
      call at 31m { tool: "refund", args: { "customer": "c" }, ok: false, cost: 3.0 }
      expect ok
      call {} expect violation of escalates
    }"""
    pactc.write("p.pact", PACT + test)
    ran = pactc("test", "p.pact", "--coverage")
    assert ran.code == exits.FOUND
    assert "the last `verify` was 1 call before, 31m ago" in ran.out
    assert re.search(r"verify +tool == \"verify\" +false", ran.out)
    assert "escalates  unknown (pending)" in ran.out
    assert "this call is no `denied`" in ran.out
    (found,) = pactc("test", "p.pact", "--format", "json").data["pacts"][0]["tests"]
    why = {each["clause"]: each for failure in found["failures"] for each in failure["why"]}
    assert why["verified"]["back"] == {"calls": 1, "seconds": 1860.0}
    assert why["steady"]["outcome"] == "violated"
    for form in ("junit", "github"):
        assert pactc("test", "p.pact", "--format", form).code == exits.FOUND


# `pactc check` --------------------------------------------------------------------------------------


def test_check_says_what_can_block(pactc: Pactc) -> None:
    pactc.write("p.pact", PACT)
    assert pactc("build", "p.pact", "-o", "p.pactc").code == exits.FINE
    for path in ("p.pact", "p.pactc"):
        shown = pactc("check", path).out
        assert "\n  enforceable: verified, steady, few\n  detect-only: escalates\n" in shown
        (data,) = pactc("check", path, "--format", "json").data["pacts"]
        assert data["enforceable"] == ["verified", "steady", "few"]
        assert data["detect_only"] == ["escalates"]


def test_cost_says_what_sessions_hold(pactc: Pactc) -> None:
    pactc.write("p.pact", PACT)
    shown = pactc("check", "--cost", "p.pact").out
    assert re.search(r"verified +144 B/session \+ 112 B/key, cap 1,000", shown)
    assert re.search(r"a session +[\d,]+ B, and 768 B with its first 64 calls", shown)
    state = pactc("check", "--cost", "p.pact", "--format", "json").data["pacts"][0]["cost"]["state"]
    assert state["clauses"][1] == {"clause": "escalates", "session": 64, "key": 0, "keys": 0, "most": 0}
    pactc.write("q.pact", 'pact q "1.0.0" clause c { require size(output) < 9 }')
    assert pactc("check", "--cost", "q.pact", "--format", "json").data["pacts"][0]["cost"]["state"] is None


PROMISES = [
    "a only after b", "a only after fresh 3 b within 5m", "a never after b until d", "at most 7 a per 1h",
    "at most 7 a per session", "after a expect b within 3 calls", "a.output only from b.input",
    "require once(a) || once(a, 5m)", "require since(a, b) && previous(a)", "require count(a) < 3",
    "require count(a, 5m) < 3 || historically(b)", "require size(output) < 3",
]  # fmt: skip
EVENTS = "".join(f'event {name} when tool == "{name}"\n' for name in "abd")


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(PROMISES), st.booleans()), min_size=1, max_size=8))
def test_what_a_session_holds_is_what_the_machine_holds(promises: list[tuple[str, bool]]) -> None:
    texts = [p + " same args.k" * (keyed and not p.startswith("require")) for p, keyed in promises]
    clauses = "".join(f"clause c{i} {{ {text} }}\n" for i, text in enumerate(texts))
    program = pactlang.compile(f'pact p "1.0.0"\n{EVENTS}{clauses}')
    costs = state_costs(program.module)
    if not any(clause.remembers for clause in program.clauses):
        assert costs is None
        return
    assert costs is not None
    monitor = pactlang.Monitor(program)
    assert monitor.machine.sizes[0] == FIXED + costs.block
    monitor.feed({"session": "s", "tool": "none", "args": {"k": 1}})
    held = monitor.machine.sizes[1]
    assert FIXED + costs.block <= held <= costs.session + sum(row.key for row in costs.clauses)
    monitor.feed({"session": "s", "tool": "b", "args": {"k": 1}, "input": "x"})
    assert monitor.machine.sizes[1] <= costs.session + sum(row.key for row in costs.clauses)


@pytest.mark.parametrize("promise", [p for p in PROMISES if not p.startswith("require")])
def test_a_key_takes_what_is_said(promise: str) -> None:
    program = pactlang.compile(f'pact p "1.0.0"\n{EVENTS}clause c {{ {promise} same args.k }}')
    monitor, costs = pactlang.Monitor(program), state_costs(program.module)
    assert costs is not None
    monitor.feed({"session": "s", "tool": "none"})
    for key in range(10):
        for tool in "ab":
            monitor.feed({"session": "s", "tool": tool, "args": {"k": key}, "input": "x", "output": "x"})
    assert monitor.machine.sizes[1] == costs.session + 10 * costs.clauses[0].key


def test_outcomes_are_in_the_artifact() -> None:
    program = pactlang.compile(PACT)
    assert [clause.enforceable for clause in program.clauses] == [True, False, True, True]
    assert Outcome.UNKNOWN not in pactlang.Monitor(program).feed({"session": "s"}).outcomes.values()
