"""One function per stage: bytes in, a word out; it raises where the stage breaks a promise.

The promises: a mistake in what comes from outside is told by the stage's own exception or diagnostics,
never by another; places lie inside the text; an artifact that loads runs; the machine and the plain
evaluator agree; what is done twice gives the same.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any, ClassVar

import msgspec

import pactlang
from pactlang import conversions, text, values
from pactlang._runtime import Binding, Calculator, Scanner
from pactlang.build import compile_source
from pactlang.cel import Expression, Variables, expression, to_host
from pactlang.constants import Constant, constant_value
from pactlang.diagnostic import Diagnostic, has_errors
from pactlang.errors import ProgramError
from pactlang.evaluate import Error, evaluate, judge
from pactlang.extensions import COMPUTE
from pactlang.extensions.formats import format_text
from pactlang.matchers import search
from pactlang.matchers.choose import Plan
from pactlang.opcodes import SHAPES, ErrorCode
from pactlang.parse import parse, parse_expression, parse_with_holes, read_source
from pactlang.render import render_all
from pactlang.source import Source
from pactlang.types import parse_type
from tests.drawn import VARIABLES, bindings
from tests.fuzz.score import score_target
from tests.fuzz.sieve import sieve_target
from tests.fuzz.windows import windows_target
from tests.two_routes import CALL, WIDE, agree, evaluator_of

SEPARATOR = b"\n---\n"  # between an expression and its bindings
COUNTED = 2000  # characters of a program that is not only compiled but judged by both evaluators


def promise(kept: object, *what: object) -> None:
    """Say what is broken, with enough to see why."""
    if not kept:
        raise AssertionError(" ".join(str(part)[:300] for part in what))


# Text ----------------------------------------------------------------------------------------


def parse_target(data: bytes) -> str:
    """Any bytes give a tree or diagnostics that can be shown."""
    source, _ = read_source(data, "fuzzed.pact")
    words = []
    for read in (parse, parse_expression):
        tree, found = read(source)
        _diagnosed(source, tree, found)
        words += ["tree" if tree is not None else "none", *sorted({d.code for d in found})]
    parse_with_holes(source)
    return " ".join(words)


def _diagnosed(source: Source, tree: object, found: tuple[Diagnostic, ...]) -> None:
    promise((tree is None) == has_errors(found), "a tree and errors", found)
    end = len(source.text)
    for diagnostic in found:
        for label in (diagnostic.primary, *diagnostic.related):
            promise(0 <= label.span.start <= label.span.end <= end, "a place outside the text", diagnostic)
    if len(found) < 50:
        render_all(found, source)
        json.dumps([diagnostic.to_json(source) for diagnostic in found])


def check_target(data: bytes) -> str:
    """A pact compiles or is told why not; what compiles loads again and judges as the oracle does."""
    source, unreadable = read_source(data, "fuzzed.pact")
    program, found = compile_source(source)
    if unreadable and program is None:
        return "unreadable"
    _diagnosed(source, program, found)
    if program is None:
        return " ".join(sorted({d.code for d in found}))
    again = pactlang.load(program.to_bytes())
    promise(again == program, "another program after loading")
    evaluator = pactlang.Evaluator(again)
    words = ["compiled"]
    for record in RECORDS:
        words.append(_judged(evaluator, record))
    return " ".join(words)


RECORDS: list[dict[str, Any]] = [
    {},
    {"output": "4111 1111 1111 1111 risk free", "tool": "refund", "args": {"amount": 20, "to": ["a", None]},
     "time": "2026-01-01T10:00:00Z", "tool_calls": [{"name": "search", "latency": 1.5}, {"name": "rm", "ok": True}],
     "usage": {"input_tokens": 7, "output_tokens": 2**62}, "model": "m", "agent": "a", "input": "\u00e9\u2603"},
]  # fmt: skip


def _judged(evaluator: pactlang.Evaluator, record: dict[str, Any]) -> str:
    try:
        verdict = evaluator.check(record)
    except pactlang.RecordError:
        return "bad-record"
    _ = verdict.unknown, verdict.violations, repr(verdict), verdict.expired, verdict.ok
    said = verdict.outcomes
    program = evaluator.program
    if said and len(program.source.text) < COUNTED:
        row = evaluator.row(verdict.record)
        for clause, outcome in zip(program.module.clauses, said.values(), strict=True):
            expected = judge(clause, row, program.module)
            agree = outcome == expected.outcome or "too" in expected.reason
            promise(agree, clause.name, "is", outcome, "but the oracle says", expected)
    return ",".join(sorted({outcome.name for outcome in said.values()}))


# Expressions ---------------------------------------------------------------------------------


def expression_target(data: bytes) -> str:
    """A text and bindings: with and without types the machine gives what the plain evaluator gives."""
    written, _, given = data.partition(SEPARATOR)
    wanted = _bindings(given)
    words = []
    for types in (None, VARIABLES):
        try:
            compiled = expression(written.decode("utf-8", "surrogateescape"), types)
        except pactlang.CompileError as refused:
            promise(has_errors(refused.diagnostics), "refused without an error")
            words.append(refused.diagnostics[0].code)
            continue
        words.append(_evaluated(compiled, wanted))
    return " ".join(words)


def _bindings(given: bytes) -> dict[str, Any]:
    """What follows the separator: JSON, or `seed N` for bindings that tests/drawn.py draws."""
    if given.startswith(b"seed "):
        digits = "".join(filter(str.isdigit, given[5:25].decode("latin-1")))
        return bindings(Random(digits))
    try:
        read = json.loads(given or b"{}")
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _evaluated(compiled: Expression, given: dict[str, Any]) -> str:
    first, second = _outcome(compiled, given), _outcome(compiled, given)
    promise(first == second, compiled.text, "gives", first, "and then", second)
    if first[0] in ("limit", "TypeError"):
        return first[0]
    row = [compiled._bound(i, given) for i in range(len(compiled.variables))]
    plain = evaluate(compiled.node, row, compiled.module)
    if isinstance(plain, Error):
        promise(
            first[0] == plain.code or plain.code == "limit", compiled.text, "gives", first, "oracle:", plain
        )
    else:
        expected = same(to_host(plain))
        promise(first[1] == expected, compiled.text, "gives", first, "oracle:", expected)
    return first[0]


def _outcome(compiled: Expression, given: dict[str, Any]) -> tuple[str, str]:
    try:
        value = compiled.evaluate(given)
    except pactlang.ExpressionError as error:
        promise(0 <= error.span[0] <= error.span[1] <= len(compiled.text), "a place outside the text")
        return error.code, ""
    except TypeError as error:
        promise("CEL" in str(error) or "time zone" in str(error), "a strange TypeError:", error)
        return "TypeError", ""
    return type(value).__name__, same(value)


def same(value: Any) -> str:
    """A text that two values share only if they are the same, NaN included; maps have no order."""
    if isinstance(value, dict):
        return "{" + ", ".join(sorted(f"{key!r}: {same(item)}" for key, item in value.items())) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(same, value)) + "]"
    return f"{type(value).__name__} {value!r}"


# Artifacts and code --------------------------------------------------------------------------

SAMPLE = r"""
pact sample "1.2.3" "Uses every part of a program."
extend Call { tier: enum("free", "pro") = "free" waits: list(duration(ms)) = [] }
let cap = 50.0
pattern card = r"\b\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}\b" check luhn
phrases spin = ["guaranteed returns", "risk free"]
applies when agent != "test"
clause cards { never output.matches(card) }
clause words { never output.says(spin) || output.contains("wire the money") }
clause small { when tool == "refund" require args.amount <= cap && args.to in ["a", "b"] }
clause tools { require tool_calls.all(t, t.name in ["search", "mail"] && (t.latency == null || t.latency < 2s)) }
clause sums { require usage.input_tokens + usage.output_tokens * 2 < 8000 && size(tool_calls.filter(t, t.ok == true)) <= 3 }
clause times { require time > timestamp("2020-01-01T00:00:00Z") && hour(time) < 24 && time.getDayOfWeek() < 7 }
clause mixed { require [1, 2.0, "x"].exists(x, x == args.amount) ? {"a": 1}["a"] == 1 : string(args.amount) != "" }
clause newer { require cel.bind(m, {"a": args.?amount, "b": optional.none()}, m.a.orValue(0) == m["a"].orValue(1))
  && [?args.?to, 1].transformMap(i, x, x).size() > 0 && waits.map(w, w < 1s) != [true]
  && output.split(" ").transformMapEntry(i, s, {s + string(i): s.upperAscii()}).size() >= 0 }
"""


class Tool(msgspec.Struct):
    """A call of a tool, as a user's own class has it."""

    name: str
    ok: bool | None = None
    latency: Any = None


class Call(msgspec.Struct):
    """A call, as a user's own class has it: read in place where that can be."""

    output: str | None = None
    tool: str | None = None
    agent: str | None = None
    args: Any = None
    tool_calls: list[Tool] = []
    time: str | None = None


STRUCTS = (
    Call(),
    Call(output="4111 1111 1111 1111 risk free", tool="refund", args={"amount": 99.5, "to": "z"},
         tool_calls=[Tool("search", True), Tool("rm")], time="2026-01-01T10:00:00Z"),
    Call(output="\ud800", args={"amount": 2**70, "to": [[[]]]}),
)  # fmt: skip


@cache
def sample() -> pactlang.Program:
    """The program whose artifact is mutated."""
    return pactlang.compile(SAMPLE, "sample.pact")


def artifact_target(data: bytes) -> str:
    """The bytes of a .pactc are refused, or they load, run on records and can be asked everything."""
    try:
        evaluator = pactlang.Evaluator(pactlang.load(data))
    except pactlang.ProgramError as refused:
        return " ".join(str(refused).split()[:4])
    except pactlang.CompileError:
        promise(data[:4] != b"PACT", "an artifact was compiled")
        return "a text"
    for record in (*RECORDS, *STRUCTS):
        try:
            verdict = evaluator.check(record)
            promise(set(verdict.outcomes) <= set(evaluator.names), "a clause that is none")
            _ = verdict.unknown, verdict.violations, repr(verdict), verdict.ok, verdict.expired
        except pactlang.PactError:
            pass
    lines = b"\n".join(json.dumps(record).encode() for record in RECORDS)
    evaluator.check_lines(lines, ids=True)
    return "ran"


class Code(msgspec.Struct):
    """What the target `machine` runs: instructions and what they name."""

    code: bytes
    constants: list[tuple[str, Any]]
    sets: list[list[str]]
    temps: int
    seed: int
    evil: bool = False


class Bare(Calculator):
    """A machine without a program."""


def asked(rest: Any) -> Plan:
    """A plan without a sieve."""
    return Plan(None, (), lambda data, seen: (), rest, rest)


def machine_target(data: bytes) -> str:
    """Code is refused, or it runs on bindings, twice with the same result."""
    try:
        code = msgspec.msgpack.decode(data, type=Code)
        constants = [constant_value(Constant(kind, value)) for kind, value in code.constants]
    except (msgspec.MsgspecError, ProgramError, UnicodeDecodeError, RecursionError, ValueError) as refused:
        return type(refused).__name__
    if not 0 <= code.temps <= 5000:
        return "many temps"
    machine = Bare()
    binding = Binding([(Variables, [])], 0, True)
    binding.host = True
    slots = [(-1, 0, -1)] * len(VARIABLES)
    matchers: list[Any] = [lambda text: "a" in text, lambda text: 1 // 0]
    groups = [
        (4, Scanner([0, 1], False, lambda: asked(lambda data: [0, 1] if len(data) else []))),
        (4, Scanner([2], False, lambda: asked(lambda data: [2**40]))),
    ]
    try:
        machine.prepare(
            code.code, constants, code.sets, slots, code.temps, 0, binding, [0, 0, 1], groups, matchers, search, SHAPES,
        )  # fmt: skip
    except ValueError as refused:
        return " ".join(word for word in str(refused).split() if not any(map(str.isdigit, word)))
    machine.name_slots([(name,) for name in VARIABLES], [0] * len(slots), binding)
    return _computed(machine, code)


def _computed(machine: Bare, code: Code) -> str:
    made = []
    for _ in range(1 if code.evil else 2):
        given = bindings(Random(code.seed))
        if code.evil:
            Evil.target = given
            given = {Evil(name): _evil(value) for name, value in given.items()}
            Evil.target = given
        try:
            failed, value = machine.compute(given)
        except TypeError as error:
            promise("CEL" in str(error), "a strange TypeError:", error)
            return "TypeError"
        finally:
            Evil.target = {}
        made.append((failed, value if failed else same(to_host(value))))
    promise(made[0] == made[-1], "first", made[0], "and then", made[-1])
    known = made[0][0] == 1 and made[0][1] in set(ErrorCode)
    return str(ErrorCode(made[0][1])) if known else "value" if made[0][0] == 0 else "error"


class Evil(str):
    """A text that, whenever it is compared as a key, changes what is being read."""

    target: ClassVar[dict[Any, Any]] = {}
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        for value in Evil.target.values():
            if isinstance(value, list):
                value.clear()
            elif isinstance(value, dict) and len(value) > 2:
                value.popitem()
        return str.__eq__(self, other)

    def __add__(self, other: object) -> Any:
        return 5

    def __len__(self) -> int:
        return 1 << 62


def _evil(value: Any) -> Any:
    if isinstance(value, dict):
        return {Evil(key) if isinstance(key, str) else key: item for key, item in value.items()}
    return Evil(value) if type(value) is str else value


# Values --------------------------------------------------------------------------------------


def values_target(data: bytes) -> str:
    """Conversions of a text give a value or ValueError, and what is written reads back."""
    written = data.decode("utf-8", "surrogatepass" if len(data) % 2 else "replace") if _decodes(data) else ""
    words = [name for name, convert in CONVERT.items() if _converts(convert, written)]
    promise(text.fold(text.fold(written)) == text.fold(written), "folding twice differs:", ascii(written))
    if len(written) < 200:
        folded = text.fold(written)
        for start in range(0, len(folded), 7):
            first, last = text.folded_span(written, start, min(start + 3, len(folded)))
            promise(0 <= first <= last <= len(written), "a span outside the text", ascii(written))
    return " ".join(words)


def _decodes(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass" if len(data) % 2 else "replace")
    except UnicodeDecodeError:
        return False
    return True


def _converts(convert: Callable[[str], Any], written: str) -> bool:
    try:
        convert(written)
    except (ValueError, OverflowError):
        return False
    return True


def _round(read: Callable[[str], Any], write: Callable[[Any], str]) -> Callable[[str], Any]:
    def both(written: str) -> None:
        value = read(written)
        again = read(write(value))
        promise(again == value or again != again, ascii(written), "gives", value, "and then", again)

    return both


def _host(written: str) -> Any:
    """The wall clock of 1970 in a zone, by machine and oracle."""
    east = conversions.zone_offset(0, written)
    promise(abs(east) < 86_400 and isinstance(east, int), "a strange offset", east)


ARGS = [1, -1, values.UInt(2**64 - 1), 1.5, math.nan, "x", b"\xff", None, True, [1, {"a": [2.5]}], {}]

CONVERT: dict[str, Callable[[str], Any]] = {
    "timestamp": _round(values.parse_timestamp, values.format_timestamp),
    "duration": _round(values.parse_duration, values.format_duration),
    "double": _round(conversions.to_double, values.format_double),
    "int": conversions.to_int,
    "uint": conversions.to_uint,
    "bool": conversions.to_bool,
    "bytes": lambda written: _round(lambda text: text.encode(), lambda data: data.decode())(written),
    "zone": _host,
    "format": lambda written: format_text(written, ARGS),
    "format one": lambda written: [
        _converts(lambda text, arg=arg: format_text(text, [arg]), written) for arg in ARGS
    ],
    "pattern": lambda written: search(written, "aab 12 \u00e9\n" * 50),
    "base64": lambda written: COMPUTE["base64_decode"](written),
    "ip": lambda written: COMPUTE["ip_from_string"](written),
    "cidr": lambda written: COMPUTE["cidr_from_string"](written),
    "type": lambda written: parse_type(written),
    "luhn": text.luhn,
    "iban": text.iban,
}


# Records -------------------------------------------------------------------------------------


@cache
def judging() -> pactlang.Evaluator:
    """The sample's evaluator."""
    return pactlang.Evaluator(pactlang.load(sample().to_bytes()))


def records_target(data: bytes) -> str:
    """Lines are judged as one by one; a line that cannot be decoded has its reason."""
    evaluator = judging()
    batch = evaluator.check_lines(data, ids=True)
    lines = [line for line in data.split(b"\n") if line and not line.isspace()]
    promise(len(batch) == len(lines), "a line is missing")
    bad = {entry.line for entry in batch.undecodable}
    words = set()
    for row, line in enumerate(lines[:50]):
        try:
            verdict = evaluator.check_json(line)
        except pactlang.RecordError as error:
            promise(int(batch.lines[row]) in bad and str(error), "decoded among many:", line)
            words.add(re.sub(r"[0-9]+|`.*", "", error.reason)[:30])
            continue
        promise(int(batch.lines[row]) not in bad, "decoded only alone:", line)
        alone = [int(outcome) for outcome in verdict.outcomes.values()]
        promise(not alone or alone == list(batch.outcomes[row]), "another verdict among many:", line)
        _ = verdict.violations, verdict.expired
        words.add("outside" if verdict.outside else "".join(map(str, alone)))
    return " ".join(sorted(words)[:3])


def json_target(data: bytes) -> str:
    """The machine's own reader of JSON says what msgspec's route says, or gives up."""
    words = []
    for pact in (WIDE, CALL):
        try:
            words.append("read" if agree(evaluator_of(pact), data) else "left")
        except AssertionError as differ:
            promise(False, "two routes differ:", str(differ)[:300])
    return " ".join(words)


TARGETS: dict[str, Callable[[bytes], str]] = {
    "parse": parse_target,
    "check": check_target,
    "expression": expression_target,
    "artifact": artifact_target,
    "machine": machine_target,
    "values": values_target,
    "records": records_target,
    "json": json_target,
    "sieve": sieve_target,
    "windows": windows_target,
    "score": score_target,
}
