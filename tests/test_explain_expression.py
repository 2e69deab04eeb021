"""Drawings of expressions without a pact: golden cases, and expressions drawn at random.

The cases of `corpus/explain_alone` give the variables as a CEL map; the random ones are those of
`drawn.py`, whose seeds a failure names.
"""

from __future__ import annotations

from random import Random
from typing import Any

import golden
import pytest
from drawn import VARIABLES, Draw, bindings

from pactlang.cel import Expression, expression
from pactlang.errors import CompileError, ExpressionError
from pactlang.explain.show import cells, shown
from pactlang.explain.written import Writer


@golden.parametrize("explain_alone")
def test_golden(case: golden.Case, request: pytest.FixtureRequest) -> None:
    given = expression(case.sections["bindings"]).evaluate()
    text = case.sections["expression"].strip()
    golden.settle(case, "drawing", expression(text).explain(given) + "\n", request)


def answer(compiled: Expression, given: dict[str, Any]) -> str | ExpressionError:
    """What the machine says: the value as a drawing shows it, or the error."""
    try:
        return shown(compiled.evaluate(given), compiled.module.schema)
    except ExpressionError as error:
        return error


def drawn(seed: int, depth: int) -> tuple[Random, Expression] | None:
    """An expression, None if it does not compile; and the generator, for bindings."""
    random = Random(seed)
    try:
        return random, expression(Draw(random).expression(depth), VARIABLES)
    except CompileError:
        return None


def agrees(drawing: str, said: str | ExpressionError) -> bool:
    """Whether the first line has the value; of an error, whether some line says why."""
    if isinstance(said, str):
        return drawing.splitlines()[0].endswith(f"  {said}")
    return "  error" in drawing.splitlines()[0] and f"error: {str(said).rstrip()}" in drawing


@pytest.mark.parametrize("part", range(4))
def test_a_drawing_has_the_machines_value(part: int) -> None:
    count = 0
    for seed in range(500 * part, 500 * part + 500):
        made = drawn(seed, 4)
        if made is None:
            continue
        random, compiled = made
        for _ in range(2):
            given = bindings(random)
            drawing, said = compiled.explain(given), answer(compiled, given)
            assert agrees(drawing, said), f"seed {seed}: {compiled.text}\non {given}\n{drawing}\n{said!r}"
            assert all(cells(line) <= 80 for line in compiled.explain(given, 80).splitlines())
            count += 1
    assert count > 900


def test_an_expression_written_anew_means_the_same() -> None:
    for seed in range(10_000, 10_500):
        made = drawn(seed, 4)
        if made is None:
            continue
        random, compiled = made
        text = Writer(compiled.module, None).anew(compiled._written)
        if "…" in text:
            continue  # a long constant
        again, given = expression(text, VARIABLES), bindings(random)
        one, other = answer(compiled, given), answer(again, given)
        assert str(one) == str(other), f"seed {seed}: {compiled.text}\nanew: {text}\non {given}"


DEEP = {
    "a sum": lambda n: "(" * n + "x" + " + 1)" * n,
    "a list": lambda n: "[" * n + "x" + "]" * n,
    "variables": lambda n: "".join(f"cel.bind(v{i}, x, " for i in range(n)) + "v0" + ")" * n,
    "loops": lambda n: "".join(f"[x].all(v{i}, " for i in range(n)) + "b" + ")" * n,
    "optionals": lambda n: "m" + ".?k" * n,
    "doubled variables": lambda n: (
        "".join(f"cel.bind(v{i + 1}, {f'v{i} + v{i}' if i else 'x'}, " for i in range(n)) + f"v{n}" + ")" * n
    ),
}


@pytest.mark.parametrize("name", DEEP)
def test_a_deep_expression_is_drawn(name: str) -> None:
    compiled = expression(DEEP[name](12 if name == "loops" else 50))
    lines = compiled.explain({"x": 1, "b": True, "m": {}}, 80).splitlines()
    assert len(lines) < 2_000
    assert all(len(line) <= 80 for line in lines)


def test_a_value_that_cel_does_not_have_is_refused() -> None:
    with pytest.raises(TypeError):
        expression("x").explain({"x": object()})


def test_a_loop_that_is_too_long_to_be_retold_says_so() -> None:
    many = list(range(400))
    compiled = expression("xs.all(x, xs.all(y, x + y >= 0))")
    assert compiled.evaluate({"xs": many}) is True
    assert compiled.explain({"xs": many}) == (
        "  xs.all(x, xs.all(y, x + y >= 0))  true\n  its loops are too long to be retold"
    )
