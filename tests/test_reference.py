"""grammar/README.md and runtime/README.md say what is so.

    ```pact [LEVEL=CODE ...]   compiles, with these findings and no others; a block that does not begin
                               with `pact` gets a header; one that begins with `// NAME.pact` is a file
                               that others import
    ```calls                   `JSON -> CLAUSE OUTCOME, ...`, `-> outside` or `-> undecodable PATH: REASON`,
                               for the pact above
    ```session                 the same, fed in order to one monitor of the pact above; a clause may be `pending`,
                               a call `-> duplicate`; behind `;` stands what was resolved, `ID CLAUSE OUTCOME`
    ```cel                     `EXPR -> VALUE`, `-> error [WORD]` or `-> refused CODE`, in a pact on the call of
                               the ```json block; what reads nothing of the call has the same value alone
    ```alone                   the same, by `pactlang.expression` without variables
    ```python                  runs, and prints what stands behind `# prints`
    ```data                    `TYPE from JSON -> VALUE` or `-> refused`; `from nothing` leaves it out

Tables are made from the sources (`reference_tables`); `--update` writes them anew.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from reference_tables import ROOT, by_hand, failing, refreshed, tables

import pactlang
from pactlang import ir
from pactlang._runtime import MonitorVerdict
from pactlang.build import compile_source
from pactlang.diagnostic import Diagnostic
from pactlang.evaluate import Error, evaluate
from pactlang.functions import FUNCTIONS, MACROS
from pactlang.link import Library
from pactlang.program import Program
from pactlang.source import Source

PAGES = [ROOT / "grammar" / "README.md", ROOT / "runtime" / "README.md"]
REFERENCE = PAGES[0].read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)([^\n]*)\n(.*?)^```$", REFERENCE, re.M | re.S)
CALL = next(text for kind, _, text in BLOCKS if kind == "json")


def lines(kind: str) -> list[tuple[str, str]]:
    """What stands left and right of the arrow, in every line of the blocks of one kind."""
    found = [line for block, _, text in BLOCKS if block == kind for line in text.splitlines()]
    parts = (line.rpartition(" -> ") for line in found if line.strip())
    return [(left.strip(), right.strip()) for left, _, right in parts]


def whole(text: str) -> str:
    """A pact: the text itself, or the text below a header."""
    return text if text.startswith(("pact ", "// ")) else f'pact example "1.0.0"\n{text}'


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The blocks that are files, in the working directory."""
    folder = tmp_path_factory.mktemp("reference")
    for kind, _, text in BLOCKS:
        if kind == "pact" and (named := re.match(r"// (\w+\.pact)\n", text)):
            (folder / named[1]).write_text(text, "utf-8")
    with contextlib.chdir(folder):
        yield


def compiled(text: str) -> tuple[Program | None, tuple[Diagnostic, ...]]:
    program, found = compile_source(Source("<reference>", whole(text)), Library("."))
    return program, tuple(d for d in found if d.code != "no-clauses" or "clause" in text)


# Blocks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("marks", "text"), [(marks, text) for kind, marks, text in BLOCKS if kind == "pact"])
def test_pacts(marks: str, text: str) -> None:
    program, found = compiled(text)
    assert [f"{d.level}={d.code}" for d in found] == marks.split(), found
    assert (program is None) == ("error=" in marks)


def judged() -> Iterator[tuple[str, str, str]]:
    """Each line of a ```calls block with the pact above it."""
    above = ""
    for kind, _, text in BLOCKS:
        above = text if kind == "pact" else above
        for line in text.splitlines() if kind == "calls" else ():
            call, _, verdict = line.rpartition(" -> ")
            yield above, call, verdict


@pytest.mark.parametrize(("pact", "call", "verdict"), list(judged()))
def test_calls(pact: str, call: str, verdict: str) -> None:
    evaluator = pactlang.Evaluator(pactlang.compile(whole(pact), folder="."))
    try:
        found = evaluator.check_json(call)
    except pactlang.RecordError as error:
        assert verdict == f"undecodable {error}"
        return
    said = ", ".join(f"{name} {outcome.name.lower()}" for name, outcome in found.outcomes.items())
    assert verdict == (said or "outside")


def fed() -> Iterator[tuple[str, str]]:
    """Each ```session block with the pact above it."""
    above = ""
    for kind, _, text in BLOCKS:
        above = text if kind == "pact" else above
        if kind == "session":
            yield above, text


def told(monitor: pactlang.Monitor, call: str) -> str:
    """What a monitor says of a call, as a ```session block has it."""
    verdict = monitor.feed(call)
    assert isinstance(verdict, MonitorVerdict)
    why = monitor.machine.why(verdict)
    words = {name: outcome.name.lower() for name, outcome in verdict.outcomes.items()}
    words |= {name: "pending" for name in words if why.get(name) == "pending"}
    said = "duplicate" if verdict.duplicate else ", ".join(map(" ".join, words.items())) or "outside"
    later = [f"{each.id} {each.clause} {each.outcome.name.lower()}" for each in monitor.amendments]
    return "; ".join([said, *later])


@pytest.mark.parametrize(("pact", "calls"), list(fed()))
def test_sessions(pact: str, calls: str) -> None:
    monitor = pactlang.Monitor(pactlang.compile(whole(pact)))
    for line in calls.splitlines():
        call, _, verdict = line.rpartition(" -> ")
        assert told(monitor, call) == verdict, call


@pytest.mark.parametrize(("expr", "value"), lines("cel"))
def test_expressions(expr: str, value: str) -> None:
    what, _, word = value.partition(" ")
    if what == "refused":
        assert [d.code for d in compiled(f"clause c {{ require dyn({expr}) == 1 }}")[1]][:1] == [word]
    elif what == "error":
        program = pactlang.compile(whole(f"clause c {{ require dyn({expr}) == 1 }}"))
        assert pactlang.Evaluator(program).check_json(CALL).unknown == ("c",)
        assert error_of(program) == word or not word
    else:
        same = f"clause c {{ require dyn({expr}) == dyn({value}) && type({expr}) == type({value}) }}"
        assert pactlang.Evaluator(pactlang.compile(whole(same))).check_json(CALL).ok


def error_of(program: Program) -> str:
    """The word of the error value that the promise of the only clause has on the example call."""
    evaluator = pactlang.Evaluator(program)
    row = evaluator.reader.values(evaluator.reader.from_json(CALL))
    error = evaluate(program.module.clauses[0].promise, row, program.module)
    assert isinstance(error, Error)
    return error.code


def reads_the_call(expr: str) -> bool:
    """True if an expression has names of the record, so that it says nothing alone."""
    try:
        pactlang.expression(expr, {})
    except pactlang.CompileError as error:
        return any(d.code in ("unknown-variable", "has-argument") for d in error.diagnostics)
    return False


def alone(expr: str, fold: bool) -> str:
    """What an expression gives without a pact: its value as Python shows it, or why it has none."""
    try:
        return repr(pactlang.expression(expr, {}, fold=fold).evaluate())
    except pactlang.ExpressionError as error:
        return f"error {error.code}"
    except pactlang.CompileError as error:
        return f"refused {error.diagnostics[0].code}"


ALONE = [(expr, value) for expr, value in lines("cel") if "refused" not in value and not reads_the_call(expr)]


@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize(("expr", "value"), ALONE + lines("alone"))
def test_expressions_alone(expr: str, value: str, fold: bool) -> None:
    found = alone(expr, fold)
    if value.partition(" ")[0] in ("error", "refused"):
        assert found.startswith(value)
    else:
        assert found == alone(value, fold)


@pytest.mark.parametrize("text", [text for kind, _, text in BLOCKS if kind == "python"])
def test_python(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(text, {})
    assert capsys.readouterr().out.splitlines() == re.findall(r"# prints (.*)$", text, re.M)


def called(node: object) -> Iterator[str]:
    """The functions of the overload table that a typed tree calls."""
    if isinstance(node, ir.Call):
        yield node.function
    if isinstance(node, tuple):
        parts = node
    else:
        parts = tuple(getattr(node, name) for name in getattr(node, "__struct_fields__", ()))
    for part in parts:
        yield from called(part)


def test_every_function_and_macro_has_an_example() -> None:
    used: set[str] = set()
    for expr, value in lines("cel"):
        if not value.startswith("refused"):
            program = pactlang.compile(whole(f"clause c {{ require dyn({expr}) == 1 }}"))
            used |= {*called(program.module.clauses[0].promise), *re.findall(r"([\w.]+)\(", expr)}
    used |= {name.rpartition(".")[2] for name in used}
    assert not {name for name in (*FUNCTIONS, *MACROS, "says") if name not in used}


@pytest.mark.parametrize(("given", "value"), lines("data"))
def test_data(given: str, value: str) -> None:
    declared, _, data = (part.strip() for part in given.rpartition(" from "))
    equal = "true" if value == "refused" else f"dyn(x) == dyn({value}) && type(x) == type({value})"
    text = f'pact p "1.0.0" on R\nrecord R {{ x: {declared} }}\nclause c {{ require {equal} && x == x }}'
    record = "{}" if data == "nothing" else f'{{"x": {data}}}'
    evaluator = pactlang.Evaluator(pactlang.compile(text))
    if value == "refused":
        with pytest.raises(pactlang.RecordError):
            evaluator.check_json(record)
    else:
        assert evaluator.check_json(record).ok


def test_every_block_is_of_a_kind_that_is_run() -> None:
    assert {kind for kind, _, _ in BLOCKS} == {
        "pact", "calls", "session", "cel", "alone", "python", "data", "json",
    }  # fmt: skip


# Tables ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_tables_follow_the_sources(page: Path, request: pytest.FixtureRequest) -> None:
    text = page.read_text("utf-8")
    if request.config.getoption("--update"):
        page.write_text(refreshed(text), "utf-8")
    else:
        assert text == refreshed(text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_every_row_says_what_it_means(page: Path) -> None:
    for name, table in tables(page.read_text("utf-8")).items():
        assert table, name
        assert not [key for key, meaning in by_hand(table).items() if not meaning], name


def test_functions_that_can_fail_say_when() -> None:
    said = {name for name, text in by_hand(tables(REFERENCE)["functions"]).items() if "error" in text}
    assert said == failing() - {"`bytes`"}  # text always has a UTF-8


def test_every_code_has_a_golden_case() -> None:
    """What the front half was seen to say, against what its sources seem to say."""
    known = {key.strip("`") for key in by_hand(tables(REFERENCE)["diagnostics"])}
    cases = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests/corpus").glob("*/*.txt"))
    seen = set(re.findall(r"^\d+:\d+-\d+:\d+ \w+ ([\w-]+)$", cases, re.M))
    seen |= set(re.findall(r"^(?:error|warning|note)\[([\w-]+)\]: ", cases, re.M))
    assert seen <= known
    # Of these the text is not one that a golden file can hold.
    assert known - seen == {
        "byte-order-mark", "not-utf-8", "source-too-large", "too-many-imports", "too-many-mistakes",
    }  # fmt: skip


def test_limits_are_those_of_the_sources() -> None:
    from pactlang.check.nesting import MAX_LOOPS
    from pactlang.check.walk import MAX_CLAUSE, MAX_DEPTH, MAX_PACT
    from pactlang.cli.input import LONGEST_LINE
    from pactlang.evaluate.calls import MAX_SPAN
    from pactlang.extensions.formats import MAX_PRECISION
    from pactlang.link.gather import DEEPEST, MOST_FILES
    from pactlang.link.library import MOST_BYTES
    from pactlang.link.merge import MOST_NAMES
    from pactlang.parse import MAX_SOURCE, machine
    from pactlang.program import MAX_BYTES
    from pactlang.values import MAX_DURATION_TEXT, MAX_MADE, MAX_NESTING

    cell = (ROOT / "runtime" / "value.pxi").read_text("utf-8")
    steps, bytes_made = (
        int(re.findall(rf"{name} = ([\d_]+)", cell)[0]) for name in ("MAX_STEPS", "MAX_ALLOCATION")
    )
    told = re.findall(r"\| ([^|]+) \|$", REFERENCE.partition("## Limits")[2].partition("\n##")[0], re.M)[2:]
    assert told == [
        f"{MAX_SOURCE >> 20} Mi characters", f"{machine.MAX_DEPTH} levels", f"{MAX_DEPTH} levels",
        f"{MAX_CLAUSE:,}", f"{MAX_PACT:,}", f"{machine.MAX_MISTAKES:,}", f"{LONGEST_LINE >> 20} MiB",
        f"{MAX_LOOPS}", f"{steps:,}", f"{bytes_made >> 20} MiB", f"{MAX_MADE:,}", f"{MAX_NESTING}",
        "10,000 years", f"{MAX_SPAN // (1461 * 86_400 // 4)} years", f"{MAX_PRECISION}",
        f"{MAX_DURATION_TEXT}", "years 1 to 9999", f"{MOST_FILES}", f"{DEEPEST}",
        f"{MOST_BYTES >> 20} MiB", f"{MOST_NAMES:,}", f"{MAX_BYTES >> 20} MiB",
    ]  # fmt: skip


def test_identity_is_blind_to_what_changes_no_verdict() -> None:
    text = next(text for kind, _, text in BLOCKS if kind == "pact")
    identity = pactlang.compile(text).digest
    commented = "\n".join(f"  {line} // a comment" for line in text.splitlines())
    assert pactlang.compile(commented).digest == identity
    assert pactlang.compile(text.replace("50.0", "51.0")).digest != identity


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        text = page.read_text("utf-8")
        for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([\w-]+))?\)", text):
            path = page.parent / target if target else page
            assert path.exists(), target
            headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.M) if anchor else []
            names = [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]
            assert not anchor or anchor in names, anchor


@pytest.mark.parametrize("text", [text for kind, _, text in BLOCKS if kind == "pact" and "\ntest " in text])
def test_tests_of_pacts_pass(text: str) -> None:
    from pactlang.testing import check_tests

    assert check_tests(whole(text)).passed
