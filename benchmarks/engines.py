"""The reference rules in the engines that people use for such checks, each in its fastest shape.

In: the JSON bytes of a record of calls.py.  Out: the mask of rules.py, for the rules that the engine can
express.  `form` makes of the bytes what the engine takes; the least that it reads, where that is quicker.

Shapes that were tried: one list of conditions, one sum of bits, a compiled condition each; phrases as an
alternation, as a disjunction, and as a list to go through; a dict, a struct, an engine's own context.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypedDict

import msgspec
import rules
from bench_expressions import FIELDS, RULES, broken, environment
from calls import PHRASES, TOOLS

ALL = (1 << rules.RULES) - 1


class Peer(NamedTuple):
    """An engine.  rules: the bits of the mask that it can say; why: what it cannot, and why.

    form(line) gives what it takes, check(form) the mask.  every: a slow one is timed on one record of
    so many.
    """

    package: str
    rules: int
    takes: str
    form: Callable[[bytes], Any]
    check: Callable[[Any], int]
    every: int = 1
    why: str = ""

    def from_json(self, line: bytes) -> int:
        return self.check(self.form(line))

    def says(self, wanted: int) -> int:
        return wanted & self.rules


class Tool(TypedDict):
    name: str
    ok: bool
    latency_ms: float


class Read(TypedDict):
    """What the rules read: decoding no more is quicker, and so is the conversion of the dict."""

    channel: str
    user_tier: str
    model: str
    latency_ms: float
    ttft_ms: float
    input_tokens: int
    output_tokens: int
    max_tokens: int
    cost_usd: float
    temperature: float
    finish_reason: str
    tool_calls: list[Tool]
    retrieved_docs: int
    language: str
    error: str | None
    retries: int
    output: str


as_struct = msgspec.json.Decoder(rules.Call).decode
as_dict = msgspec.json.Decoder(Read).decode


def quoted(texts: Sequence[str]) -> str:
    """A list literal, as most languages write it."""
    return f"[{', '.join(json.dumps(text) for text in texts)}]"


def python() -> Peer:
    return Peer("hand-written Python", ALL, "a msgspec Struct", as_struct, rules.check)


# JSON Schema ------------------------------------------------------------------------------------------

Schema = dict[str, Any]


def on(field: str, **keywords: Any) -> Schema:
    return {"properties": {field: keywords}}


def without(pattern: str) -> Schema:
    return on("output", **{"not": {"pattern": pattern}})


def implies(condition: Schema, promise: Schema) -> Schema:
    return {"if": condition, "then": promise}


def literal(text: str) -> str:
    """A text as a pattern of any engine."""
    return re.sub(r"([\\.^$|?*+()\[\]{}])", r"\\\1", text)


def alternation() -> str:
    return "|".join(map(literal, PHRASES))


def schemas() -> dict[int, Schema]:
    """Rule number -> its schema."""
    failed = {"properties": {"ok": {"const": False}, "latency_ms": {"exclusiveMinimum": 1000.0}}}
    free = {"model": {"enum": sorted(rules.FREE_MODELS)}, "output_tokens": {"maximum": 1024}}
    return {
        0: implies(on("channel", const="chat"), on("latency_ms", maximum=2000.0)),
        1: on("cost_usd", maximum=0.05),
        3: on("temperature", minimum=0.0, maximum=1.0),
        5: on("finish_reason", enum=sorted(rules.FINISHES)),
        6: on("tool_calls", items={"properties": {"name": {"enum": TOOLS}}}),
        7: on("tool_calls", maxItems=4),
        8: implies(on("finish_reason", const="tool_calls"), on("tool_calls", minItems=1)),
        9: implies(on("user_tier", const="free"), {"properties": free}),
        10: on("tool_calls", **{"not": {"contains": failed}}),
        11: {"anyOf": [on("language", enum=sorted(rules.LANGUAGES)), on("retrieved_docs", minimum=1)]},
        12: {"anyOf": [on("error", const=None), on("retries", minimum=1)]},
        14: without(rules.DISCLAIMER),
        15: without(rules.CARD.pattern),
        16: without(rules.EMAIL.pattern),
        17: without(rules.SSN.pattern),
        18: without(alternation()),
        19: without("^" + rules.APOLOGY),
    }


def jsonschema() -> Peer:
    """`iter_errors`: an error says by its path which rule it is of."""
    engine = importlib.import_module("jsonschema_rs")
    numbers, parts = zip(*schemas().items(), strict=True)
    linear = engine.RegexOptions()
    errors = engine.Draft202012Validator({"allOf": list(parts)}, pattern_options=linear).iter_errors

    def check(record: Any) -> int:
        mask = 0
        for error in errors(record):
            mask |= 1 << numbers[error.schema_path[1]]
        return mask

    why = "no comparison of two fields, no arithmetic (2, 4, 13)"
    return Peer("jsonschema-rs", bits(numbers), "any dict", msgspec.json.decode, check, why=why)


def bits(numbers: Sequence[int]) -> int:
    return sum(1 << number for number in numbers)


# CEL --------------------------------------------------------------------------------------------------


def cel_rules() -> list[str]:
    """Every rule as a CEL expression that is true where the rule holds."""
    return [
        *RULES,
        f'!output.contains("{rules.DISCLAIMER}")',
        *(f"!output.matches(r'{each.pattern}')" for each in (rules.CARD, rules.EMAIL, rules.SSN)),
        f"!{quoted(PHRASES)}.exists(p, output.contains(p))",
        f'!output.startsWith("{rules.APOLOGY}")',
    ]


def cpp() -> Peer:
    """Google's C++ implementation, with declared types."""
    cel = importlib.import_module("cel_expr_python.cel")
    env = environment(cel, {**FIELDS, "output": "string"})
    evaluate = env.compile(f"[{', '.join(cel_rules())}]").eval

    def check(record: Any) -> int:
        return broken(evaluate(data=record).plain_value())

    return Peer("cel-expr-python", ALL, "a dict of the fields read", as_dict, check, 2)


def rust() -> Peer:
    """Bindings of the `cel` crate."""
    cel = importlib.import_module("cel")
    total = " + ".join(f"({rule} ? 0 : {1 << number})" for number, rule in enumerate(cel_rules()))
    check = cel.compile(total).execute
    return Peer("common-expression-language", ALL, "a dict of the fields read", as_dict, check, 10)


# Rule engines -----------------------------------------------------------------------------------------


def zen() -> Peer:
    engine = importlib.import_module("zen")
    conditions = [
        'channel != "chat" or latency_ms <= 2000',
        "cost_usd <= 0.05",
        "ttft_ms <= latency_ms",
        "temperature >= 0 and temperature <= 1",
        "input_tokens + output_tokens <= 8000",
        'finish_reason in ["stop", "tool_calls", "length"]',
        f"all(tool_calls, #.name in {quoted(TOOLS)})",
        "len(tool_calls) <= 4",
        'finish_reason != "tool_calls" or len(tool_calls) > 0',
        'user_tier != "free" or (model in ["gpt-mini", "gpt-small"] and output_tokens <= 1024)',
        "none(tool_calls, #.ok == false and #.latency_ms > 1000)",
        'language in ["en", "de", "fr", "es", "pt"] or retrieved_docs > 0',
        "error == null or retries >= 1",
        'output_tokens <= max_tokens or finish_reason == "length"',
        f'not contains(output, "{rules.DISCLAIMER}")',
        *(f"not matches(output, '{each.pattern}')" for each in (rules.CARD, rules.EMAIL, rules.SSN)),
        f"none({quoted(PHRASES)}, contains(output, #))",
        f'not startsWith(output, "{rules.APOLOGY}")',
    ]
    evaluate = engine.compile_expression(f"[{', '.join(conditions)}]").evaluate
    return Peer(
        "zen-engine", ALL, "the JSON bytes", lambda line: line, lambda line: broken(evaluate(line)), 10
    )


def rule_engine() -> Peer:
    engine = importlib.import_module("rule_engine")
    texts = [
        'channel != "chat" or latency_ms <= 2000',
        "cost_usd <= 0.05",
        "ttft_ms <= latency_ms",
        "temperature >= 0 and temperature <= 1",
        "input_tokens + output_tokens <= 8000",
        'finish_reason in ["stop", "tool_calls", "length"]',
        f"[t for t in tool_calls if not (t.name in {quoted(TOOLS)})].is_empty",
        "tool_calls.length <= 4",
        'finish_reason != "tool_calls" or tool_calls.length > 0',
        'user_tier != "free" or (model in ["gpt-mini", "gpt-small"] and output_tokens <= 1024)',
        "[t for t in tool_calls if not t.ok and t.latency_ms > 1000].is_empty",
        'language in ["en", "de", "fr", "es", "pt"] or retrieved_docs > 0',
        "error == null or retries >= 1",
        'output_tokens <= max_tokens or finish_reason == "length"',
        f'not ("{rules.DISCLAIMER}" in output)',
        *(f"not (output =~~ {json.dumps(e.pattern)})" for e in (rules.CARD, rules.EMAIL, rules.SSN)),
        f"[p for p in {quoted(PHRASES)} if p in output].is_empty",
        f'not (output =~ "{rules.APOLOGY}.*")',
    ]
    context = engine.Context(resolver=engine.resolve_attribute)
    matches = [engine.Rule(text, context=context).matches for text in texts]

    def check(record: rules.Call) -> int:
        return broken([holds(record) for holds in matches])

    return Peer("rule-engine", ALL, "a msgspec Struct", as_struct, check, 10)


def star(phrase: str) -> str:
    """A phrase in a pattern of `like`, where a star is anything."""
    return phrase.replace("*", "\\*")


FORBIDDEN = {
    0: 'context.channel == "chat" && !(context.latency <= 2000000)',
    1: "!(context.cost <= 50000)",
    2: "!(context.ttft <= context.latency)",
    3: "!(context.temperature >= 0 && context.temperature <= 1000)",
    4: "!(context.input_tokens + context.output_tokens <= 8000)",
    5: '!(["stop", "tool_calls", "length"].contains(context.finish_reason))',
    6: f"!({quoted(TOOLS)}.containsAll(context.tools))",
    7: "!(context.tool_count <= 4)",
    8: 'context.finish_reason == "tool_calls" && !(context.tool_count > 0)',
    9: 'context.user_tier == "free" && !(["gpt-mini", "gpt-small"].contains(context.model)'
    " && context.output_tokens <= 1024)",
    11: '!(["en", "de", "fr", "es", "pt"].contains(context.language) || context.retrieved_docs > 0)',
    12: '!(context.error == "" || context.retries >= 1)',
    13: '!(context.output_tokens <= context.max_tokens || context.finish_reason == "length")',
    14: f'context.output like "*{rules.DISCLAIMER}*"',
    18: " || ".join(f'context.output like "*{star(phrase)}*"' for phrase in PHRASES),
    19: f'context.output like "{rules.APOLOGY}*"',
}
SAME = """
channel input_tokens output_tokens max_tokens finish_reason user_tier model language retrieved_docs retries
output
""".split()


def cedar_request(line: bytes) -> dict[str, str]:
    """Cedar has no floating numbers, no null and no length of a set: Python makes what stands for them."""
    record = as_struct(line)
    context = {name: getattr(record, name) for name in SAME}
    context |= {
        "latency": round(record.latency_ms * 1000),
        "ttft": round(record.ttft_ms * 1000),
        "cost": round(record.cost_usd * 1_000_000),
        "temperature": round(record.temperature * 1000),
        "tools": [call.name for call in record.tool_calls],
        "tool_count": len(record.tool_calls),
        "error": record.error or "",
    }
    who = {"principal": 'User::"a"', "action": 'Action::"call"', "resource": 'Model::"m"'}
    return {**who, "context": msgspec.json.encode(context).decode()}


def cedar() -> Peer:
    """A policy that forbids, for every rule; the reasons of a denial are the rules that are broken."""
    engine = importlib.import_module("cedarpy")
    policies = [
        f'@id("{number}") forbid(principal, action, resource) when {{ {condition} }};'
        for number, condition in FORBIDDEN.items()
    ]
    prepared = engine.PolicySet.from_str("\n".join([*policies, "permit(principal, action, resource);"]))
    entities = engine.Entities.from_json_str("[]")

    def check(request: Any) -> int:
        found = engine.is_authorized(request, prepared, entities).diagnostics
        return bits([int(number) for number in found.id_annotations_by_reason.values()])

    why = "no quantifiers over records (10), no regular expressions (15-17)"
    takes = "a request with JSON text, numbers scaled to integers by Python"
    return Peer("cedarpy", bits(list(FORBIDDEN)), takes, cedar_request, check, 10, why)


PEERS = {
    "jsonschema-rs": jsonschema,
    "cel-expr-python": cpp,
    "common-expression-language": rust,
    "zen-engine": zen,
    "cedarpy": cedar,
    "rule-engine": rule_engine,
}
