"""What a call costs at worst: figures and formulas worked out by hand, laws on drawn expressions, and what
happens where a call, a pact or an artifact goes beyond."""

from __future__ import annotations

import random
import re
import struct
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
import test_oracle
from hypothesis import given, settings
from hypothesis import strategies as st

import pactlang
from pactlang import ir
from pactlang.build import checked, compile_source, costs_of
from pactlang.check.nesting import MAX_LOOPS
from pactlang.cost import Costs, over_budget, state_costs
from pactlang.cost.formula import MANY_TERMS, Formula, Size, least, most, number, variable
from pactlang.diagnostic import has_errors
from pactlang.evaluator import Evaluator
from pactlang.opcodes import INSTRUCTION, SHAPES, Opcode
from pactlang.program import MOST_COUNTED, Bound, Core, Program, encode, seal
from pactlang.schema import record_of
from pactlang.source import Source

HEADER = r"""pact p "1.0.0" on R
record Row { name: string, ok: bool?, note: string?, size: int = 1, data: dyn?, tags: list(string) = [] }
record R {
  s: string   t: string?   words: list(string) = []   rows: list(Row) = []   by: map(string, int) = {}
  x: dyn?   e: enum("red", "green")   n: int   at: timestamp?   raw: bytes?   deep: list(list(string)) = []
  inside: map(string, Row) = {}
}
pattern digits = r"[0-9]{3}"
phrases spin = ["risk free"]
budget { size words 10 size words.each 64 size rows 20 size s 1024 size t 512 size x 30 size x.each 256
  size by 8 size rows.tags 4 size deep 5 size deep.each 6 }
"""


def module_of(text: str) -> ir.Module:
    module, found = checked(Source("cost.pact", text))
    assert module is not None, found
    return module


def costs(text: str) -> Costs:
    return costs_of(module_of(HEADER + text))


# By hand -----------------------------------------------------------------------------------------
# A clause has one step for what it says; the rest is the expression's.

CASES = [
    ("true", 1, "1"),
    ("n == 1", 2, "2"),
    ("n + 1 == 2", 3, "3"),
    ("n == 1 && n == 2 || n == 3", 6, "6"),
    ("!(n == 1)", 3, "3"),
    ("n == 1 ? n == 2 : n == 3 && n == 4", 6, "6"),
    ("has(t)", 2, "2"),
    ("[n, 2].size() == 2", 6, "6"),  # a list, its two elements, size, ==
    ('{"a": n}["a"] == 1', 5, "5"),
    ('e in ["red", "green"]', 2, "2"),
    ("n in [1, n]", 7, "7"),  # a list, 2, in, 2
    ('s == "a"', 2, "2"),  # of texts that differ in length nothing is compared
    ("s == t", 4, "2 + t/256"),
    ("s < t", 4, "2 + t/256"),
    ("s.contains(t)", 66, "2 + s/16"),
    ("s.startsWith(t)", 34, "2 + t/16"),
    ('s.startsWith("ab")', 2, "2"),
    ('(s + "x").contains(t)', 5 + 64 + 4, "5 + 17·s/256"),  # 3, and 1/16 and 1/256 of the "x", rounded up
    ("words.all(w, w != s)", 22, "2 + 2·words"),
    ("words.exists_one(w, w == s)", 32, "2 + 3·words"),
    ("words.all(w, words.exists(v, v == w))", 2 + 20 + 200, "2 + 2·words + 2·words²"),
    (
        "rows.exists(r, rows.exists(q, q.name == r.name))",
        2 + 20 * 2 + 400 * 4 + 156250,
        "2 + 2·rows + 4·rows² + rows²·rows.name/256",
    ),
    ("words.filter(w, w == s).size() < 3", 34, "4 + 3·words"),
    (
        "words.map(w, w + s).exists(w, w == t)",
        3 + 50 + 43 + 20,
        "3 + 5·words + s·words/256 + t·words/256 + words·words.each/256",
    ),
    ("rows.all(r, r.ok == true)", 62, "2 + 3·rows"),
    (
        "rows.all(r, r.tags.all(g, g == s))",
        2 + 60 + 160 + 320,
        "2 + 3·rows + 2·rows·rows.tags + rows·rows.tags·s/256",
    ),
    ('"a" in words', 12, "2 + words"),
    ('"a" in by', 10, "2 + by"),
    ("by.all(k, by[k] > 1)", 2 + 24 + 1, "2 + 25·by/8"),
    ("x.a.b == 1", 4, "4"),
    ("x == x", 2 + 30 + 31, "2 + x + x.each/256 + x·x.each/256"),
    ("x.all(y, y == 1)", 2 + 60 + 4, "2 + 17·x/8"),
    (
        "deep.all(d, d.all(w, w == s))",
        2 + 10 + 60 + 120,
        "2 + 2·deep + 2·deep·deep.each + deep·deep.each·s/256",
    ),
    ("s.matches(digits)", 2, "2"),
    ("rows.exists(r, r.name.matches(digits))", 2 + 20 * 19 + 250000, "2 + 19·rows + rows·rows.name/8"),
    ("x.says(spin)", 2 + 16 + 32, "18 + x.each/8"),
    ("int(s) == 1", 3 + 16 + 4, "19 + s/256"),
    ("words.all(i, w, w == s || i == n)", 2 + 10 * 5, "2 + 5·words"),
    ("words.transformMap(i, w, w).size() == 3", 2 + 2 + 10 * 4, "4 + 4·words"),
    ("cel.bind(a, n + 1, a == a)", 4, "4"),
    ("optional.of(n).optMap(y, y + 1).hasValue()", 5, "5"),
    ("at.getHours('Europe/Paris') > 3", 3 + 16, "19"),
]


@pytest.mark.parametrize(("text", "steps", "formula"), CASES, ids=[text for text, _, _ in CASES])
def test_by_hand(text: str, steps: int, formula: str) -> None:
    (row,) = costs(f"clause c {{ require {text} }}").clauses
    assert (row.steps.value, formula and str(row.steps)) == (steps, formula)


def test_the_reference_gives_the_right_formulas() -> None:
    page = (Path(__file__).parent.parent / "grammar" / "README.md").read_text("utf-8")
    table = page.partition("| expression | steps |\n| --- | --- |\n")[2].partition("\n\n")[0]
    rows = [re.findall(r"`([^`]+)`|\| (1)\b", line) for line in table.splitlines()]
    assert len(rows) == 5
    for (text, _), (formula, constant), *_ in rows:
        pact = f'pact p "1.0.0" pattern card = "[0-9]" clause c {{ require {text} }}'
        (row,) = costs_of(module_of(pact)).clauses
        alone = Formula({term: count - (not term) for term, count in row.steps.terms.items()})
        assert str(alone).startswith((formula or constant).removesuffix(" + ...")), text


def test_passes_are_shared_by_all_clauses_and_counted_one_by_one_elsewhere() -> None:
    found = costs(
        "applies when s.contains('a')\n"
        "clause k1 { require s.matches(digits) && s.contains('b') && !s.says(spin) }\n"
        "clause k2 { require words.all(w, s.matches(digits)) && (s + t).matches(digits) }\n"
        "clause k3 { require rows.all(r, r.name.matches(digits) || r.tags.exists(g, g.says(spin))) }\n"
    )
    assert [(p.text, p.folded, str(p.times)) for p in found.passes] == [
        ("rows.tags", True, "rows·rows.tags"), ("rows.name", False, "rows"), ("a computed text", False, "1"),
        ("s", False, "1"), ("s", True, "1"),
    ]  # fmt: skip
    assert [[(p.text, p.folded) for p in row.passes] for row in found.rows] == [
        [("s", False)], [("s", False), ("s", True)], [("a computed text", False), ("s", False)],
        [("rows.tags", True), ("rows.name", False)],
    ]  # fmt: skip


def test_a_call_is_the_sum_of_its_rows() -> None:
    found = costs(
        "applies when n == 1\nclause k1 { require s < t }\nclause k2 { when n == 2 require words.all(w, w != s) }"
    )
    assert [(row.name, row.steps.value) for row in found.rows] == [("applies when", 2), ("k1", 4), ("k2", 23)]
    assert (found.steps, str(found.formula)) == (29, "7 + t/256 + 2·words")
    assert found.counted == 2 + (1 + 10)  # of these the comparison and the turns of the loop


def test_sizes_are_declared_or_assumed() -> None:
    found = costs("clause c { require rows.all(r, r.note.contains(s)) && t.matches(digits) && raw == raw }")
    assert [(s.name, s.most, s.unit, s.declared) for s in found.sizes if not s.declared] == [
        ("raw", 100_000, "bytes", False), ("rows.note", 100_000, "characters", False),
    ]  # fmt: skip
    assert {s.name: (s.most, s.unit) for s in found.sizes if s.declared}["x.each"] == (256, "characters")


# Formulas ----------------------------------------------------------------------------------------

SIZES = [Size(name, most) for name, most in (("a", 3), ("b", 500), ("c", 0), ("d", 77))]


def formulas() -> st.SearchStrategy[Formula]:
    leaves = st.one_of(st.sampled_from(SIZES).map(variable), st.integers(0, 300).map(number))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda pair: pair[0] + pair[1]),
            st.tuples(inner, inner).map(lambda pair: pair[0] * pair[1]),
            st.tuples(inner, inner).map(lambda pair: most(*pair)),
            st.tuples(inner, st.sampled_from([8, 16, 256])).map(lambda pair: pair[0].per(pair[1])),
        ),
        max_leaves=30,
    )


@given(formulas(), formulas(), st.sampled_from([1, 8, 256]))
def test_bounds_stay_bounds(a: Formula, b: Formula, unit: int) -> None:
    assert (a + b).value >= max(a.value, b.value, a.value + b.value - 1)
    assert (a * b).value >= max(a.value - 1, 0) * max(b.value - 1, 0)
    assert most(a, b).value >= max(a.value, b.value)
    assert least(a, b).value == min(a.value, b.value)
    assert a.per(unit).value >= (a.value - 1) // unit
    assert len((a * b + b).terms) <= MANY_TERMS


def test_a_formula_of_many_terms_keeps_its_figure() -> None:
    sizes = [variable(Size(f"f{i}", i)) for i in range(40)]
    whole = number(0)
    for size in sizes:
        whole += size
    assert whole.value == sum(range(40)) and len(whole.terms) <= MANY_TERMS
    assert str(whole).endswith("f39") and whole.constant is False


def test_a_formula_of_many_factors_keeps_its_figure() -> None:
    grown = variable(SIZES[2]) + number(1)  # a size of 0, so nothing else bounds it
    for _ in range(200):
        grown = grown * grown
    assert grown.value == 1 and max(map(len, grown.terms)) <= 16


def test_writing() -> None:
    a, b = variable(SIZES[0]), variable(SIZES[1])
    assert str(number(0)) == "0"
    assert str(a * a * b * number(6) + b.per(16) + number(1234)) == "1,234 + b/16 + 6·a²·b"
    assert (a + b + number(2)).short(2) == "a + b + ..."


# Laws on drawn expressions -----------------------------------------------------------------------


class Wide(test_oracle.Draw):
    """Expressions that also loop with two variables, bind, ask optionals and call extensions."""

    def bool(self, depth: int) -> str:
        one = lambda kind: self.of(kind, depth)  # noqa: E731
        return self.pick(
            lambda: super(Wide, self).bool(depth),
            lambda: super(Wide, self).bool(depth),
            lambda: f"{one('list')}.all(i, w, i < 2 || {one('bool')})",
            lambda: f"by.exists(k, v, k == {one('string')} || v > 2)",
            lambda: f"cel.bind(z, {one('string')}, z + z == {one('string')})",
            lambda: f"optional.of({one('string')}).optMap(z, z + s).orValue('a') == {one('string')}",
            lambda: f"by.transformMap(k, v, {one('string')}) == {{'a': s}}",
            lambda: f"by.transformMapEntry(k, v, {{k: {one('string')}}}).size() == 2",
            lambda: f"{one('list')}.transformList(i, w, {one('string')}) == words",
            lambda: f"{one('string')}.indexOf({one('string')}) > 2 || x.?k.hasValue()",
            lambda: f"[{one('string')}, {one('string')}].join({one('string')}) < {one('string')}",
            lambda: f"{one('list')} == {one('list')} || parts == parts || x == y",
            lambda: f"words.exists(w, words.exists(q, q == w && {one('bool')}))",
            lambda: f"math.greatest({one('int')}, {one('int')}, {one('int')}) == {one('int')}",
            lambda: "c in ['red', 'blue'] && s in words || raw == raw || raw < raw",
        )()

    def string(self, depth: int) -> str:
        one = lambda kind: self.of(kind, depth)  # noqa: E731
        return self.pick(
            lambda: super(Wide, self).string(depth),
            lambda: f"{one('string')}.{self.pick('lowerAscii', 'upperAscii', 'trim', 'reverse')}()",
            lambda: f"{one('string')}.replace({one('string')}, {one('string')})",
            lambda: f"{one('string')}.substring({one('int')})",
            lambda: f"'%s and %d: %s'.format([{one('string')}, {one('int')}, {one('list')}])",
            lambda: f"strings.quote({one('string')}) + base64.encode(bytes({one('string')}))",
            lambda: f"{one('string')}.split({one('string')}).join('--')",
            lambda: f"string(ip({one('string')}))",
        )()

    def list(self, depth: int) -> str:
        return self.pick(
            lambda: super(Wide, self).list(depth),
            lambda: f"{self.of('string', depth)}.split({self.of('string', depth)})",
            lambda: f"[{self.any(depth)}, ?x.?k, ?optional.of({self.any(depth)})]",
        )()


def accepted(rng: random.Random, count: int) -> list[str]:
    """Clause bodies that compile."""
    draw, found = Wide(rng), []
    while len(found) < count:
        body = f"{rng.choice(['require', 'never'])} {draw.of('bool', 3)}"
        if rng.random() < 0.3:
            body = f"when {draw.of('bool', 2)} {body}"
        program, problems = compile_source(
            Source("drawn.pact", test_oracle.HEADER + "clause c { " + body + " }")
        )
        assert (program is None) == has_errors(problems), body
        if program is not None:
            found.append(body)
    return found


def longer(rng: random.Random, value: Any) -> Any:
    """The record with texts and lists that are long enough to be charged for."""
    if isinstance(value, str) and rng.random() < 0.5 and value not in ("red", "green", "blue"):
        return value * rng.choice([1, 40, 300])
    if isinstance(value, dict):
        return {key: longer(rng, each) for key, each in value.items()}
    if isinstance(value, list):
        return [longer(rng, each) for each in value] * rng.choice([1, 1, 5])
    return value


def record(rng: random.Random) -> dict[str, Any]:
    made = test_oracle.record(rng)
    texts = {"c", "at", "text", "raw"}  # not any text will do for these
    return {key: each if key in texts else longer(rng, each) for key, each in made.items()}


class Measure:
    """The sizes of what a record holds, by path, as a budget would declare them."""

    def __init__(self, module: ir.Module) -> None:
        self.records = {r.name: {f.name: f.type for f in r.fields} for r in module.schema.records}
        self.found: dict[tuple[str, ...], int] = {}

    def note(self, path: tuple[str, ...], size: int) -> None:
        self.found[path] = max(size, self.found.get(path, 0))

    def value(self, type: Any, value: Any, path: tuple[str, ...], base: tuple[str, ...]) -> None:
        if type.kind == "record":
            for name, of in self.records[type.name].items():
                inner = (*base, name)
                self.value(of, (value or {}).get(name), inner, inner)
        elif type.kind in ("string", "bytes") and not type.values:
            self.note(path, len(value or ""))
        elif type.kind in ("list", "map"):
            self.note(path, len(value or ()))
            for each in (value or {}).values() if isinstance(value, dict) else value or ():
                self.value(type.params[-1], each, (*path, "each"), base)
            for key in value if isinstance(value, dict) else ():
                self.value(type.params[0], key, (*path, "key"), base)
        elif type.kind == "dyn":
            self.note(path, elements(value))
            self.note((*path, "each"), max(map(len, texts(value)), default=0))


def elements(value: Any) -> int:
    inside = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return len(inside) + sum(map(elements, inside))


def texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inside = (
        [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    )
    return [text for each in inside for text in texts(each)]


def with_sizes(module: ir.Module, records: list[dict[str, Any]]) -> ir.Module:
    """The module with a budget that declares just what the records hold."""
    measure = Measure(module)
    for each in records:
        measure.value(record_of(module.schema.root), each, (), ())
    sizes = tuple((path, most, "elements") for path, most in measure.found.items())
    return msgspec.structs.replace(module, budget=ir.Budget(None, sizes, (0, 0)))


def limited(program: Program, bound: Bound | None) -> Evaluator:
    """The program's evaluator, with another bound."""
    core = msgspec.structs.replace(program.core, bound=bound)
    return Evaluator(pactlang.load(Program(core, program.annex_bytes).to_bytes()))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_the_machine_never_counts_more_than_was_reckoned(seed: int) -> None:
    """Each clause alone, for records of just the declared sizes; and the bound changes no verdict."""
    rng = random.Random(seed)
    records = [record(rng) for _ in range(3)]
    for body in accepted(rng, 6):
        text = test_oracle.HEADER + "clause c { " + body + " }"
        program = pactlang.compile(text)
        reckoned = costs_of(with_sizes(program.module, records))
        free, bound = limited(program, None), limited(program, reckoned.bound)
        for each in records:
            outcomes = free.check(each).outcomes
            assert free.last_steps <= reckoned.counted, body
            assert bound.check(each).outcomes == outcomes, body
        assert reckoned.counted <= reckoned.steps


def longest_path(program: Program) -> int:
    """The most instructions of a run whose loops have one turn."""
    code = list(struct.iter_unpack(INSTRUCTION, program.core.code))
    longest = [0] * (len(code) + 1)
    for at in reversed(range(len(code))):
        op, _, _, _, t, f, e, _, _ = code[at]
        jumps = SHAPES[Opcode(op)].jumps
        targets = [{"t": t, "f": f, "e": e}[letter] for letter in jumps]
        if "t" not in jumps and op != Opcode.HALT:
            targets.append(at + 1)
        # Back to a NEXT: the turn was the only one, so the NEXT goes to its end.
        ahead = [longest[each] if each > at else 1 + longest[code[each][5]] for each in targets]
        longest[at] = 1 + max(ahead, default=0)
    return longest[0]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_a_step_is_at_most_four_instructions(seed: int) -> None:
    rng = random.Random(seed)
    empty: list[dict[str, Any]] = [
        {"s": "", "words": [""], "parts": [{"name": ""}], "by": {"": 1}, "x": [""], "y": [""], "inner": {}}
    ]
    for body in accepted(rng, 8):
        if "[]" in body:
            continue  # a loop over it has no turn at all
        program = pactlang.compile(test_oracle.HEADER + "clause c { " + body + " }")
        steps = costs_of(with_sizes(program.module, empty)).steps
        assert longest_path(program) <= 4 * steps, body


# Beyond the sizes ----------------------------------------------------------------------------------

BOUNDED = r"""
pact p "1.0.0"
budget { steps 2000 size tool_calls 10 size tool_calls.name 40 size output 100 }
clause names { require tool_calls.all(t, tool_calls.exists_one(u, u.name == t.name)) }
clause words { never output.matches(r"[0-9]{16}") }
clause plain { require cost < 1.0 }
"""


def calls(count: int) -> list[dict[str, str]]:
    return [{"name": f"t{i}"} for i in range(count)]


def test_a_call_of_the_declared_sizes_is_judged() -> None:
    evaluator = Evaluator(pactlang.compile(BOUNDED))
    verdict = evaluator.check({"tool_calls": calls(10), "output": "x" * 100, "cost": 0.5})
    assert verdict.ok and not verdict.unknown
    assert evaluator.last_steps == costs_of(module_of(BOUNDED)).counted == 1 + 10 * (1 + 1 + 10)


def test_a_larger_call_is_unknown_after_bounded_work() -> None:
    evaluator = Evaluator(pactlang.compile(BOUNDED))
    for count in (11, 2000, 100_000):
        verdict = evaluator.check({"tool_calls": calls(count), "cost": 0.5})
        assert verdict.unknown == ("names", "words", "plain")
        assert evaluator.last_steps == 122  # one more than was reckoned: the turn that was refused
    assert evaluator.check({"tool_calls": calls(3), "cost": 0.5}).ok


def test_a_longer_text_is_not_searched() -> None:
    evaluator = Evaluator(pactlang.compile(BOUNDED))
    verdict = evaluator.check({"output": "1" * 101, "cost": 0.5})
    assert verdict.unknown == ("words",)
    assert evaluator.check({"output": "1" * 100, "cost": 0.5}).outcomes["words"] == pactlang.Outcome.VIOLATED
    batch = evaluator.check_lines(b'{"output": "%s", "cost": 0.5}' % (b"1" * 101))
    assert batch.outcomes.tolist() == [[0, 3, 0]]


def test_without_a_budget_nothing_changes() -> None:
    program = pactlang.compile(BOUNDED.replace("budget {", "// budget {"))
    assert program.core.bound is None
    assert Evaluator(program).check({"tool_calls": calls(100), "output": "x" * 1000, "cost": 0.5}).ok


def test_over_budget_says_what_to_do() -> None:
    module = module_of(BOUNDED.replace("steps 2000", "steps 300"))
    (found,) = over_budget(module, costs_of(module))
    assert found.code == "over-budget" and "526 steps, 226 more" in found.message
    assert [label.text.partition(":")[0] for label in found.related] == ["`names`", "`words`", "`plain`"]
    assert found.related[0].text == "`names`: 522 = 2·tool_calls + 5·tool_calls² + ..."


def test_work_inside_one_instruction_is_bounded_too() -> None:
    long = "x" * 3000
    for promise, record in [
        ("words.all(w, w == s)", {"words": [long] * 9, "s": long[:-1] + "y"}),
        ("words.all(w, w <= s)", {"words": [long] * 9, "s": long}),
        ('by.all(k, by.all(l, l != "a"))', {"by": {str(i): i for i in range(500)}}),
        ("words == words && words + words == words", {"words": ["a"] * 500}),
    ]:
        text = f"{HEADER} clause c {{ require {promise} }} clause d {{ require n == 0 }}"
        evaluator = Evaluator(pactlang.compile(text))
        base = {"s": "", "n": 0}
        assert not evaluator.check(base).unknown
        assert evaluator.check({**base, **record}).unknown == ("c", "d"), promise


# Artifacts -----------------------------------------------------------------------------------------


def forged(bound: Any) -> bytes:
    program = pactlang.compile(BOUNDED)
    core = msgspec.msgpack.decode(program.core_bytes)
    core["bound"] = bound
    return seal(msgspec.msgpack.encode(core), program.annex_bytes)


SLOTS = len(pactlang.compile(BOUNDED).schema.slots)
FINE = [100] * SLOTS


@pytest.mark.parametrize(
    "bound",
    [
        [-1, FINE], [2**63, FINE], [2**64 - 1, FINE], [1, []], [1, [*FINE, 1]], [1, [-1] * SLOTS],
        [1, [2**63] * SLOTS], ["1", FINE], [1.5, FINE], [True, FINE], [1], {}, [], 7, [1, None],
    ],
)  # fmt: skip
def test_a_bound_that_is_none_is_refused(bound: Any) -> None:
    with pytest.raises(pactlang.ProgramError):
        pactlang.load(forged(bound))


def test_a_bound_may_be_anything_else() -> None:
    call = {"tool_calls": calls(3), "cost": 0.5}
    assert Evaluator(pactlang.load(forged(None))).check(call).ok
    assert Evaluator(pactlang.load(forged([MOST_COUNTED, [MOST_COUNTED] * SLOTS]))).check(call).ok
    none = Evaluator(pactlang.load(forged([0, [0] * SLOTS])))
    assert none.check(call).unknown == ("names", "words", "plain")
    assert none.check({"output": "x", "cost": 0.5}).unknown == ("names", "words", "plain")


def test_the_bound_is_part_of_the_identity_and_travels() -> None:
    program = pactlang.compile(BOUNDED)
    again = pactlang.load(program.to_bytes())
    assert again.core.bound == program.core.bound == costs_of(module_of(BOUNDED)).bound
    assert program.digest != pactlang.compile(BOUNDED.replace("tool_calls 10", "tool_calls 11")).digest
    assert program.digest == pactlang.compile(BOUNDED.replace("steps 2000", "steps 3000")).digest


def test_a_core_without_a_bound_is_what_it_was() -> None:
    program = pactlang.compile(BOUNDED.replace("budget {", "// budget {"))
    assert "bound" not in msgspec.msgpack.decode(program.core_bytes)
    assert encode(msgspec.msgpack.decode(program.core_bytes, type=Core)) == program.core_bytes


def test_loops_inside_one_another() -> None:
    def nested(depth: int) -> str:
        return "words.all(w, " * depth + "w == s" + ")" * depth

    assert costs(f"clause c {{ require {nested(MAX_LOOPS)} }}").steps > 10**MAX_LOOPS
    module, found = checked(Source("x", HEADER + f"clause c {{ require {nested(MAX_LOOPS + 1)} }}"))
    assert module is None and [d.code for d in found] == ["nested-too-deep"]


CHAINS = [
    ("s", "{0}.replace(t, {0})"), ("s", "{0} + {0}"), ("s", "'%s%s'.format([{0}, {0}])"),
    ("words", "n == 1 ? {0} : (n == 2 ? {0} + {0} : words)"), ("x", "n == 1 ? {0} : (n == 2 ? {0}.a : y)"),
    ("by", "n == 1 ? {0} : (n == 2 ? {0} : {{s: n}})"), ("[s]", "{0} + {0}.map(w, w + s)"),
    ("dyn(s)", "dyn([[{0}, {0}], {0}])"), ("s", "n == 1 ? {0} : {0}.split(t).join({0})"),
]  # fmt: skip


@pytest.mark.parametrize("size", [0, 1024])
@pytest.mark.parametrize(("start", "step"), CHAINS)
def test_a_pact_made_to_hurt_is_reckoned_at_once(start: str, step: str, size: int) -> None:
    """Values that double in each of forty bindings."""
    depth = 40
    values = [start, *(step.format(f"v{i}") for i in range(depth - 1))]
    binds = "".join(f"cel.bind(v{i}, {value}, " for i, value in enumerate(values))
    last = f"v{depth - 1}"
    promise = f"{binds}'%s'.format([{last}]) == s && dyn({last}) == x{')' * depth}"
    pact = HEADER.replace("x: dyn?", "x: dyn?  y: dyn?").replace("size s 1024", f"size s {size}")
    module = module_of(f"{pact} clause c {{ require {promise} }}")
    before = time.process_time()
    assert costs_of(module).steps > depth
    assert time.process_time() - before < 2


def test_a_session_takes_what_is_printed() -> None:
    """Bytes of a session's registers are those of the machine, whatever forms and operators there are."""
    clauses = (
        "e only after f", "e only after fresh 3 f within 5s", "e never after f", "e never after f until g",
        "at most 3 e per 10s", "at most 3 e per session", "after e expect f within 3 calls or 2s on end violate",
        "require once(a) && since(a, b, 3s) && !previous(a) && count(a) < 5",
    )  # fmt: skip
    head = """pact p "1.0.0" on R
    record R { session: string time: timestamp(s) a: bool b: bool c: bool }
    event e when a
    event f when b
    event g when c
    """
    for place in range(len(clauses) + 1):
        chosen = [place] if place < len(clauses) else range(len(clauses))
        some = [f"clause c{i} {{ {clauses[i]} }}" for i in chosen]
        program = pactlang.compile(head + "\n".join(some))
        costs = state_costs(program.module)
        assert costs is not None
        assert costs.session == pactlang.Monitor(program).machine.sizes[0], some
