"""The 20 reference rules as a careful Python author writes them, over a msgspec Struct.

`check(record)` gives a mask, bit i set where rule i of reference.pact is violated: the verdict that
every engine must agree with.  `check_numbers` has the 14 rules without text, `check_text` the rest.
"""

from __future__ import annotations

import re

import msgspec
from calls import PHRASES, TOOLS


class ToolCall(msgspec.Struct):
    name: str
    args: dict[str, str]
    ok: bool
    latency_ms: float


class Call(msgspec.Struct):
    id: str
    ts: int
    agent: str
    session: str
    model: str
    provider: str
    channel: str
    user_tier: str
    input: str
    output: str
    latency_ms: float
    ttft_ms: float
    input_tokens: int
    output_tokens: int
    cost_usd: float
    temperature: float
    max_tokens: int
    finish_reason: str
    tool_calls: list[ToolCall]
    retrieved_docs: int
    language: str
    error: str | None
    retries: int
    cache_hit: bool
    metadata: dict[str, str]


NUMBER_RULES = 14
RULES = 20
FINISHES = {"stop", "tool_calls", "length"}
ALLOWED_TOOLS = set(TOOLS)
FREE_MODELS = {"gpt-mini", "gpt-small"}
LANGUAGES = {"en", "de", "fr", "es", "pt"}
DISCLAIMER = "As an AI language model"
APOLOGY = "I'm sorry"
CARD = re.compile(r"\b[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}\b")
EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}")
SSN = re.compile(r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b")


def check_numbers(r: Call) -> int:
    mask = 0
    if r.channel == "chat" and not r.latency_ms <= 2000.0:
        mask |= 1
    if not r.cost_usd <= 0.05:
        mask |= 1 << 1
    if not r.ttft_ms <= r.latency_ms:
        mask |= 1 << 2
    if not 0.0 <= r.temperature <= 1.0:
        mask |= 1 << 3
    if not r.input_tokens + r.output_tokens <= 8000:
        mask |= 1 << 4
    finish = r.finish_reason
    if finish not in FINISHES:
        mask |= 1 << 5
    tool_calls = r.tool_calls
    for call in tool_calls:
        if call.name not in ALLOWED_TOOLS:
            mask |= 1 << 6
            break
    if not len(tool_calls) <= 4:
        mask |= 1 << 7
    if finish == "tool_calls" and not len(tool_calls) > 0:
        mask |= 1 << 8
    if r.user_tier == "free" and not (r.model in FREE_MODELS and r.output_tokens <= 1024):
        mask |= 1 << 9
    for call in tool_calls:
        if not call.ok and call.latency_ms > 1000.0:
            mask |= 1 << 10
            break
    if not (r.language in LANGUAGES or r.retrieved_docs > 0):
        mask |= 1 << 11
    if not (r.error is None or r.retries >= 1):
        mask |= 1 << 12
    if not (r.output_tokens <= r.max_tokens or finish == "length"):
        mask |= 1 << 13
    return mask


class Verdict:
    """What a caller is given: the mask, and the record it is about."""

    __slots__ = ("mask", "record")

    def __init__(self, mask: int, record: Call) -> None:
        self.mask = mask
        self.record = record


def verdict_numbers(r: Call) -> Verdict:
    return Verdict(check_numbers(r), r)


def check_text(r: Call) -> int:
    mask = 0
    output = r.output
    if DISCLAIMER in output:
        mask |= 1 << 14
    if CARD.search(output):
        mask |= 1 << 15
    if EMAIL.search(output):
        mask |= 1 << 16
    if SSN.search(output):
        mask |= 1 << 17
    for phrase in PHRASES:
        if phrase in output:
            mask |= 1 << 18
            break
    if output.startswith(APOLOGY):
        mask |= 1 << 19
    return mask


def check(r: Call) -> int:
    return check_numbers(r) | check_text(r)
