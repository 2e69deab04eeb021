"""Several pacts at once: each says of a call what it says alone, and those that are not about it are counted.

Alone, a pact that cannot decode a call raises; in a fleet it is listed, unless a guard of its code already
tells that the pact is not about the call.
"""

from __future__ import annotations

import contextlib
import json
import random
import struct
import threading
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from test_oracle import HEADER, Draw, accepted, record

import pactlang
from pactlang.build import compile_source
from pactlang.evaluator.guards import guards
from pactlang.evaluator.index import MOST_LENSES, MOST_PEEKS, guards_of, value_of
from pactlang.matchers import scanners
from pactlang.opcodes import INSTRUCTION, Opcode
from pactlang.program import Program
from pactlang.source import Source
from pactlang.verdict import FleetBatch, FleetVerdict

CHECKS = 'clause short { require size(output) < 20 }  clause clean { never output.contains("secret") }'


def pact(guard: str = "", name: str = "p", body: str = CHECKS, head: str = "") -> Program:
    """A pact about calls that `guard` admits."""
    applies = f"applies when {guard}" if guard else ""
    return pactlang.compile(f'pact {name} "1.0.0" {head}\n{applies}\n{body}')


def alone(program: Program, data: Any, check: str = "check") -> Any:
    """What a pact says by itself: outcomes, "outside", or a RecordError's words."""
    try:
        verdict = getattr(pactlang.Evaluator(program), check)(data)
    except pactlang.RecordError as error:
        return error.path, error.reason
    return "outside" if verdict.outside else verdict.outcomes


def together(fleet: pactlang.Fleet, said: FleetVerdict) -> list[Any]:
    """What each pact of a fleet says, in the same words."""
    judged, failed = said.verdicts, said.undecodable
    assert not set(judged) & set(failed)
    assert said.outside == len(fleet) - len(judged) - len(failed)
    return [
        judged[p].outcomes
        if p in judged
        else (failed[p].path, failed[p].reason)
        if p in failed
        else "outside"
        for p in fleet.programs
    ]


def is_guarded(program: Program, data: Any) -> bool:
    """Whether a guard tells that a pact is not about a call, however little of it can be decoded."""
    for lens, values in guards_of(program):
        try:
            if value_of(lens, data, False) not in values:
                return True
        except pactlang.RecordError:
            pass
    return False


def agree(fleet: pactlang.Fleet, data: dict[str, Any]) -> FleetVerdict:
    """Hold a fleet to its pacts, on a dict, on JSON and on MessagePack."""
    try:
        said = fleet.check(data)
    except pactlang.RecordError:
        assert all(isinstance(alone(p, data), tuple) for p in fleet.programs)
        raise
    wanted = [alone(program, data) for program in fleet.programs]
    found = together(fleet, said)
    for program, one, other in zip(fleet.programs, wanted, found, strict=True):
        if isinstance(one, tuple) and other == "outside":
            assert is_guarded(program, data)
        elif isinstance(one, tuple):
            assert isinstance(other, tuple), (one, other)
        else:
            assert one == other, (program, data)
    from_json = fleet.check_json(json.dumps(data))
    assert together(fleet, from_json) == found
    with contextlib.suppress(OverflowError, UnicodeEncodeError):  # what MessagePack cannot hold
        assert together(fleet, fleet.check_msgpack(msgspec.msgpack.encode(data))) == found
    assert (
        said.ok
        is from_json.ok
        is not any(
            isinstance(one, tuple)
            or (
                one != "outside" and {pactlang.Outcome.VIOLATED, pactlang.Outcome.UNKNOWN} & set(one.values())
            )
            for one in found
        )
    )
    return said


# What a fleet says -------------------------------------------------------------------------------------


def test_a_call_is_judged_by_the_pacts_that_are_about_it() -> None:
    ann, bob, everybody = pact('agent == "ann"', "ann"), pact('agent == "bob"', "bob"), pact("", "all")
    fleet = pactlang.Evaluator([ann, bob, everybody])
    assert isinstance(fleet, pactlang.Fleet) and fleet.programs == (ann, bob, everybody) and len(fleet) == 3
    said = fleet.check({"agent": "bob", "output": "the secret is out, and long"})
    assert list(said.verdicts) == [bob, everybody] and said.outside == 1 and not said.ok
    assert [(v.clause, v.digest) for v in said.violations] == [
        (clause, program.digest) for program in (bob, everybody) for clause in ("short", "clean")
    ]
    assert said.unknown == () and said.undecodable == {}
    assert "bob 1.0.0" in repr(said) and "1 outside" in repr(said)
    assert fleet.check({"agent": "eve", "output": "x"}).ok


def test_an_unknown_clause_says_whose_it_is() -> None:
    one, other = pact("", "one", "clause c { require args.n < 3 }"), pact("", "other")
    said = pactlang.Fleet([one, other]).check({})
    assert said.unknown == ((one, "c"),) and not said.ok and said.violations == ()


def test_an_empty_fleet_is_about_nothing() -> None:
    fleet = pactlang.Evaluator([])
    said = fleet.check({"agent": "x"})
    assert said.ok and said.verdicts == {} and said.outside == 0 and len(fleet) == 0
    assert fleet.check_json(b"{}").ok
    with pytest.raises(pactlang.RecordError):
        fleet.check_json(b"no")
    with pytest.raises(pactlang.RecordError):
        fleet.check(5)
    batch = fleet.check_lines(b'{}\n\nno\n{"a": 1}')
    assert len(batch) == 3 and batch.batches == {} and [bad.line for bad in batch.undecodable] == [3]


def test_the_same_pact_is_there_once_and_others_of_its_name_are_others() -> None:
    one = pact("", "p")
    again, changed = pactlang.load(one.to_bytes()), pact("", "p", CHECKS.replace("20", "21"))
    fleet = pactlang.Fleet([one, again, changed])
    assert fleet.programs == (one, changed)
    said = fleet.check({"output": "x" * 20})
    assert [verdict.ok for verdict in said.verdicts.values()] == [False, True]
    assert again in fleet and changed in fleet and pact("", "q") not in fleet


@pytest.mark.parametrize("wrong", [5, None, "text", [5], [None], {"a": 1}])
def test_what_is_no_program_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"expected a Program|expected programs"):
        pactlang.Evaluator(wrong)
    with pytest.raises(TypeError):
        pactlang.Fleet(pact())  # type: ignore[arg-type]


def test_a_program_that_does_not_pass_verification_is_named() -> None:
    good = pact("", "good")
    core = replace(good.core, name="bad", code=struct.pack(INSTRUCTION, 1, 0, 0, 0, 9, 0, 0, 0, 0))
    with pytest.raises(pactlang.ProgramError, match=r"bad 1\.0\.0 \("):
        pactlang.Fleet([good, Program(core, good.annex_bytes)])


def test_a_record_that_one_pact_cannot_decode_is_judged_by_the_others() -> None:
    strict = pact("", "strict", "clause c { require usage.input_tokens < 5 }")
    lax = pact("", "lax")
    fleet = pactlang.Fleet([strict, lax])
    data = {"usage": {"input_tokens": "many"}, "output": "short"}
    for said in (fleet.check(data), fleet.check_json(json.dumps(data))):
        assert list(said.verdicts) == [lax] and said.verdicts[lax].ok and not said.ok and said.outside == 0
        assert str(said.undecodable[strict]) == "$.usage.input_tokens: expected int, found a string"
        assert "strict 1.0.0 cannot decode it" in repr(said)
    with pytest.raises(pactlang.RecordError):
        fleet.check_json(b'["no", "object"]')
    with pytest.raises(pactlang.RecordError):
        fleet.check(["no", "object"])


def test_a_guard_that_cannot_be_decoded_is_told_by_all_its_pacts() -> None:
    ann, bob, rest = pact('agent == "ann"', "ann"), pact('agent == "bob"', "bob"), pact('tool == "t"', "tool")
    fleet = pactlang.Fleet([ann, bob, rest])
    said = agree(fleet, {"agent": 5, "tool": "t", "output": ""})
    assert list(said.undecodable) == [ann, bob] and list(said.verdicts) == [rest]
    assert {error.path for error in said.undecodable.values()} == {"$.agent"}


def test_a_defect_that_only_another_tenants_clauses_read_is_not_noticed() -> None:
    fleet = pactlang.Fleet(
        [pact('agent == "ann"', "ann", "clause c { require latency < 1s }"), pact('agent == "bob"', "bob")]
    )
    said = agree(fleet, {"agent": "bob", "latency": "slow", "output": ""})
    assert said.ok and said.outside == 1


def test_pacts_of_other_records_read_the_same_data() -> None:
    calls = pact('agent == "ann"', "calls")
    flights = pact(
        'line == "KL"',
        "flights",
        'record Flight { line: string? as "agent"  bags: int = 0 }\nclause few { require bags < 3 }',
        "on Flight",
    )
    fleet = pactlang.Fleet([calls, flights])
    assert list(agree(fleet, {"agent": "KL", "bags": 4}).verdicts) == [flights]
    assert list(agree(fleet, {"gen_ai.agent.id": "ann", "bags": 4}).verdicts) == [calls]
    assert list(agree(fleet, {"gen_ai": {"agent": {"id": "ann"}}, "agent": None}).verdicts) == [calls]


# Guards ---------------------------------------------------------------------------------------------------

EXTENDED = 'extend Call { tenant: int?  channel: enum("a", "b") = "a"  code: string  size: int = 3 }'


@pytest.mark.parametrize(
    ("guard", "wanted"),
    [
        ('agent == "x"', {"agent": {"x"}}),
        ('"x" == agent', {"agent": {"x"}}),
        ('agent == "x" && tool in ["a", "b"]', {"agent": {"x"}}),
        ('agent in ["x", "y"] && size(output) > 3', {"agent": {"x", "y"}}),
        ('args.k == "v" && agent == "x"', {"agent": {"x"}}),
        ('has(args.k) && args.k > 3 && agent == "x"', {"agent": {"x"}}),
        ('agent == "x" || agent == "y" || agent in ["z"]', {"agent": {"x", "y", "z"}}),
        ('(agent == "x" && tool == "a") || (agent == "y" && tool == "b")', {"agent": {"x", "y"}}),
        ('agent == "x" && (tool == "a" || ok)', {"agent": {"x"}}),
        ('!(agent != "x")', {"agent": {"x"}}),
        ('kind == "tool"', {"kind": {"tool"}}),
        ('channel == "b"', {"channel": {"b"}}),
        ("tenant == 7", {"tenant": {7}}),
        ("tenant in [7, 8] && ok", {"tenant": {7, 8}}),
        ("agent == null", {"agent": {None}}),
        ('agent == "x" && agent == "y"', {}),
        ('agent == "x" || ok', {}),
        ('agent != "x"', {}),
        ('agent.startsWith("x")', {}),
        ('labels.tenant == "x"', {}),
        ("usage.input_tokens == 3", {}),
        ("true", {}),
    ],
)
def test_guards_are_found_in_the_code(guard: str, wanted: dict[str, set[Any]]) -> None:
    program = pact(guard, head="", body=f"{EXTENDED}\n{CHECKS}")
    found = {program.schema.slots[slot].name: set(values) for slot, values in guards(program).items()}
    assert {
        name: values for name, values in found.items() if name in wanted or (not wanted and values)
    } == wanted


def test_a_loop_before_a_guard_hides_it_since_it_may_run_out_of_steps() -> None:
    assert guards(pact('args.exists(k, k == "a") ? agent == "x" : false')) == {}
    assert guards(pact('output.matches("a+") ? agent == "x" : false')) == {}
    assert guards(pact('agent == "x" && args.exists(k, k == "a")')) != {}


def test_a_chain_asks_the_guard_first_wherever_it_is_written() -> None:
    for guard in ('args.exists(k, k == "a") && agent == "x"', 'output.matches("a+") && agent == "x"'):
        assert list(guards(pact(guard)).values()) == [{"x"}]


def test_the_code_decides_and_not_the_tree_beside_it() -> None:
    one, other = pact('agent == "x"'), pact('agent == "y"')
    forged = Program(one.core, other.annex_bytes)
    said = pactlang.Fleet([forged]).check({"agent": "x", "output": ""})
    assert len(said.verdicts) == 1


VALUES: list[Any] = [None, "x", "y", "", "é", "x" * 300, 5, 7, 7.0, True, [], {"a": 1}, "\ud800", 2**70]


@pytest.mark.parametrize("field", ["agent", "tenant", "channel", "code", "size", "kind", "session"])
def test_guards_give_what_the_pact_alone_gives_whatever_the_value(field: str) -> None:
    number = field in ("tenant", "size")
    tests = [f"{field} == 7", f"{field} in [3, 5]"] if number else [f'{field} == "{v}"' for v in "ab"]
    if field not in ("channel", "kind"):
        tests += [f'{field} == "x"', f'{field} in ["x", "y", ""]'] if not number else []
    elif field == "kind":
        tests = ['kind == "other"', 'kind == "tool"']
    bodies = [f"{EXTENDED}\nclause c{n} {{ require args.n < 3 }}" for n in range(2)]
    fleet = pactlang.Fleet([pact(test, body=body) for test in tests for body in bodies])
    for value in VALUES:
        for more in ({}, {"args": {"n": 1}}, {"code": "x"}):
            agree_or_refuse(fleet, {**more, field: value})
    agree_or_refuse(fleet, {})


def agree_or_refuse(fleet: pactlang.Fleet, data: dict[str, Any]) -> None:
    try:
        agree(fleet, data)
    except pactlang.RecordError:
        raise AssertionError(f"{data} is a record") from None


def drawn_guard(draw: Draw, rng: random.Random) -> str:
    """A guard that an index may know, one that it cannot, or both in some order."""
    known = rng.choice(
        ['t == "a"', 't in ["a", "b"]', 's == "12345"', 'c == "red"', 'c in ["red", "blue"]', "i == 7", "j in [2, 7]",
         "j == 2", "t == null", '(t == "a" || t == "b")', '(t == "a" || s == "a")', "b", "has(t)", 'x.k == "a"']
    )  # fmt: skip
    other = draw.of("bool", 2)
    return str(
        rng.choice([known, known, f"{known} && {other}", f"{other} && {known}", f"{known} || {other}", other])
    )


def drawn_fleet(rng: random.Random, count: int) -> list[Program]:
    bodies = accepted(rng, 12)
    programs: list[Program] = []
    while len(programs) < count:
        clauses = "\n".join(f"clause c{i} {{ {body} }}" for i, body in enumerate(rng.sample(bodies, 3)))
        guard = f"applies when {drawn_guard(Draw(rng), rng)}\n" if rng.random() < 0.9 else ""
        text = HEADER.replace(" on R\n", f" on R\n{guard}") + clauses
        compiled, _ = compile_source(Source("drawn.pact", text))
        if compiled is not None:
            programs.append(compiled)
    return programs


def damaged(rng: random.Random, data: dict[str, Any]) -> dict[str, Any]:
    """The same record, with some fields gone or of another type."""
    for key in rng.sample(sorted(data), rng.randrange(3)):
        if rng.random() < 0.4:
            del data[key]
        else:
            data[key] = rng.choice(VALUES[:-2])
    return data


@pytest.mark.parametrize("seed", range(8))
def test_drawn_fleets_say_what_their_pacts_say_alone(seed: int) -> None:
    rng = random.Random(seed)
    fleet = pactlang.Fleet(drawn_fleet(rng, 14))
    data = [damaged(rng, record(rng)) for _ in range(25)]
    judged = sum(len(agree(fleet, each).verdicts) for each in data)
    assert 0 < judged < len(data) * len(fleet)
    agree_in_lines(fleet, data)


# Batches -----------------------------------------------------------------------------------------------------


def agree_in_lines(fleet: pactlang.Fleet, data: Iterable[dict[str, Any]]) -> FleetBatch:
    """Hold `check_lines` to `check_json`, line by line."""
    lines = [json.dumps(each).encode() for each in data]
    batch = fleet.check_lines(b"\n".join(lines))
    found: dict[tuple[Program, int], Any] = {}
    for program, own in batch.batches.items():
        lost = {bad.line for bad in own.undecodable}
        assert not own.outside.any()
        for at, row in zip(own.lines.tolist(), own.outcomes.tolist(), strict=True):
            found[program, at] = "undecodable" if at in lost else dict(zip(own.clauses, row, strict=True))
        found |= {(program, bad.line): (bad.json_path, bad.reason) for bad in own.undecodable}
    assert len(batch) == len(lines)
    for at, line in enumerate(lines, 1):
        for program, said in zip(fleet.programs, together(fleet, fleet.check_json(line)), strict=True):
            told = found.get((program, at), "outside")
            if type(said) is tuple:  # of several defects, either may be the one that is told of
                assert type(told) is tuple
            else:
                assert told == said
    for program in fleet.programs:
        assert batch.outside(program) == len(lines) - sum(key[0] == program for key in found)
    return batch


def test_lines_are_sorted_out_and_keep_their_numbers() -> None:
    ann, bob, strict = pact('agent == "ann"', "ann"), pact('agent == "bob"', "bob"), pact("", "all")
    fleet = pactlang.Fleet([ann, bob, strict])
    rows = [
        '{"id": 1, "agent": "bob", "output": "secret"}',
        "",
        "no record",
        '{"id": 2, "agent": "ann", "output": 5}',
        '{"id": 3, "agent": 5}',
        "  \r",
        '{"id": 4, "agent": "bob"}\r',
        '["array"]',
    ]
    batch = fleet.check_lines("\n".join(rows), ids=True)
    assert len(batch) == 6 and [bad.line for bad in batch.undecodable] == [3, 8]
    assert list(batch.batches) == [ann, bob, strict]
    assert batch.batches[bob].lines.tolist() == [1, 5, 7] and batch.batches[bob].ids == ["1", None, "4"]
    assert [bad.line for bad in batch.batches[bob].undecodable] == [5]
    assert [bad.line for bad in batch.batches[ann].undecodable] == [4, 5]
    assert batch.batches[strict].lines.tolist() == [1, 4, 5, 7]
    assert [batch.outside(program) for program in (ann, bob, strict)] == [2, 1, 0]
    assert batch.batches[bob].outcomes[0].tolist() == [0, 1]
    with pytest.raises(TypeError):
        fleet.check_lines(5)  # type: ignore[arg-type]


def test_lines_for_pacts_that_look_at_every_call() -> None:
    fleet = pactlang.Fleet([pact("", "one"), pact("size(tool) > 2", "two")])
    data = [{"tool": "abc", "output": "x"}, {"tool": "a"}, {"tool": None}, {"output": 5}]
    batch = agree_in_lines(fleet, data)
    assert [own.lines.tolist() for own in batch.batches.values()] == [[1, 2, 3, 4], [1, 3, 4]]
    bad = fleet.check_lines(b"no\n{}\n")
    assert [x.line for x in bad.undecodable] == [1] and [len(own) for own in bad.batches.values()] == [1, 1]


# Structs -----------------------------------------------------------------------------------------------------


class Mine(msgspec.Struct):
    agent: Any = None
    output: Any = ""
    code: Any = "c"
    tenant: Any = None


class Odd(msgspec.Struct, rename={"agent": "gen_ai.agent.id"}):
    agent: str
    output: str = ""


class Word(str):
    pass


@pytest.mark.parametrize("value", [*VALUES, Word("x"), b"x"])
def test_a_users_struct_is_looked_at_in_place_and_gives_the_same(value: Any) -> None:
    body = f"{EXTENDED}\n{CHECKS}"
    programs = [pact('agent == "x"', "a", body), pact("tenant == 7", "b", body), pact("", "all", body)]
    fleet = pactlang.Fleet([*programs, pact('code == "x"', "c", body)])
    for mine in (Mine(agent=value), Mine(tenant=value), Mine(code=value), Mine(agent="x", output=value)):
        wanted = [alone(program, mine) for program in fleet.programs]
        found = together(fleet, fleet.check(mine))
        for one, other in zip(wanted, found, strict=True):
            assert one == other or (isinstance(one, tuple) and other == "outside")


def test_a_struct_whose_fields_have_other_names() -> None:
    fleet = pactlang.Fleet([pact('agent == "x"', "a"), pact('agent == "y"', "b")])
    for _ in range(2):
        assert [p.name for p in fleet.check(Odd("x")).verdicts] == ["a"]
        assert [p.name for p in fleet.check(Odd("y")).verdicts] == ["b"]


def test_many_classes_of_structs_are_not_kept_for_ever() -> None:
    fleet = pactlang.Fleet([pact('agent == "x"', "a")])
    for n in range(2500):
        form = msgspec.defstruct(f"S{n}", [("agent", str)])
        assert fleet.check(form("y")).outside == 1
    assert fleet.current.sight_count() <= 1001
    assert fleet.check(Mine(agent="x")).outside == 0


# Bounds -------------------------------------------------------------------------------------------------------


def test_more_fields_than_a_fleet_looks_at() -> None:
    names = [f"f{n}" for n in range(MOST_LENSES + 4)]
    body = "extend Call { " + " ".join(f"{name}: string?" for name in names) + " }\n" + CHECKS
    fleet = pactlang.Fleet([pact(f'{name} == "x"', name, body) for name in names])
    for name in names:
        assert [p.name for p in agree(fleet, {name: "x"}).verdicts] == [name]


def test_fields_of_one_key_that_are_declared_differently() -> None:
    forms = [
        "string?",
        "int?",
        'enum("x", "y")?',
        'string = "x"',
        "int = 7",
        'string? as "k.l"',
        'string? as "k"',
    ]
    programs = [
        pact(f"k{n} == {'7' if 'int' in form else chr(34) + 'x' + chr(34)}", f"p{n}",
             f"extend Call {{ k{n}: {form}{'' if ' as ' in form else f' as {chr(34)}k{chr(34)}' if '=' not in form else ''} }}\n{CHECKS}")
        for n, form in enumerate(forms)
    ]  # fmt: skip
    assert len(programs) > MOST_PEEKS
    fleet = pactlang.Fleet(programs)
    for value in ("x", "y", 7, None, {"l": "x"}):
        agree(fleet, {"k": value})
    agree(fleet, {"k.l": "x"})
    agree(fleet, {})


def test_equal_schemas_have_one_reader() -> None:
    one, two = (pactlang.Evaluator(pact(f'agent == "{name}"', name)) for name in "ab")
    assert one.reader is two.reader
    assert one.check({"agent": "a", "output": ""}).ok and two.check({"agent": "b", "output": ""}).ok


def test_what_seeks_in_texts_is_made_when_a_pact_is_used_and_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    plan = scanners.plan
    monkeypatch.setattr(scanners, "plan", lambda seekers: made.append(seekers) or plan(seekers))
    body = (
        'clause c { never output.matches("unheard[0-9]+") }  clause d { never output.contains("unheard of") }'
    )
    odd = body.replace("unheard of", "unseen")
    fleet = pactlang.Fleet(
        [*(pact(f'agent == "{n}"', f"p{n}", body) for n in range(5)), pact('agent == "odd"', "odd", odd)]
    )
    assert not fleet.check({"agent": "none", "output": "unheard1"}).verdicts and not made
    for n in range(5):
        said = fleet.check({"agent": f"{n}", "output": "unheard1"})
        assert [violation.clause for violation in said.violations] == ["c"]
        assert len(made) == 1
    assert [v.clause for v in fleet.check({"agent": "odd", "output": "unseen"}).violations] == ["d"]
    assert len(made) == 2


# Change and threads --------------------------------------------------------------------------------------------


def test_a_fleet_changes_at_once() -> None:
    ann, bob, eve = (pact(f'agent == "{name}"', name) for name in ("ann", "bob", "eve"))
    fleet = pactlang.Fleet([ann, bob])
    before = fleet.check({"agent": "ann", "output": ""})
    fleet.update(add=[eve, bob], remove=[ann])
    assert fleet.programs == (bob, eve) and ann not in fleet
    assert fleet.check({"agent": "ann"}).outside == 2
    assert list(before.verdicts) == [ann] and before.outside == 1
    with pytest.raises(KeyError, match="ann"):
        fleet.update(add=[pact()], remove=[ann])
    assert fleet.programs == (bob, eve)
    fleet.replace([ann])
    assert fleet.programs == (ann,)
    with pytest.raises(TypeError):
        fleet.update(add=[5])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        fleet.replace(ann)  # type: ignore[arg-type]
    fleet.update(add=[ann], remove=[ann])
    assert fleet.programs == (ann,)


def test_what_stays_is_not_prepared_again() -> None:
    ann, bob = pact('agent == "ann"', "ann"), pact('agent == "bob"', "bob")
    fleet = pactlang.Fleet([ann, bob])
    kept = fleet.current.members[1]
    fleet.replace([pactlang.load(bob.to_bytes())])
    assert fleet.current.members == (kept,)


def in_threads(count: int, work: Callable[[int], None]) -> None:
    problems: list[BaseException] = []

    def one(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems, problems[0]


def test_threads_judge_while_the_fleet_changes() -> None:
    names = [f"t{n}" for n in range(40)]
    programs = [pact(f'agent == "{name}"', name) for name in names]
    fleet = pactlang.Fleet(programs)

    def work(number: int) -> None:
        rng = random.Random(number)
        if number == 0:
            for _ in range(60):
                fleet.replace(rng.sample(programs, 30))
                fleet.update(remove=fleet.programs[:3])
            return
        for _ in range(500):
            name = rng.choice(names)
            data = {"agent": name, "output": "secret"}
            said = rng.choice([fleet.check, lambda d: fleet.check_json(json.dumps(d))])(data)
            assert [p.name for p in said.verdicts] in ([], [name])
            assert said.outside + len(said.verdicts) in (0, 27, 30, 40)
            assert all(v.outcomes["clean"] == pactlang.Outcome.VIOLATED for v in said.verdicts.values())

    in_threads(6, work)


def test_an_opcode_that_is_not_understood_concludes_nothing() -> None:
    program = pact('agent == "x"')
    first = program.core.code[:32]
    code = struct.pack(INSTRUCTION, Opcode.CALL1, 0, 0, 5, 0, 0, 0, 0, 0) + first + program.core.code[32:]
    assert guards(Program(replace(program.core, code=code), program.annex_bytes)) == {}
