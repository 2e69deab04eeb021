"""The reference workload: a seeded stream of LLM call records with 25 fields, about 2.6 KB of JSON each.

`records(n)` yields dicts, `lines(n)` the same as JSON bytes.  About half of them break no rule of
rules.py; texts are English with some accents, other scripts, line breaks and quotation marks.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

SEED = 20240607
WORDS = """
the of and to in a is that for it as was with be by on not he his but at are this have from or had
an they which one you were all her she there would their we him been has when who will no more if
out so said what up its about into than them can only other new some could time these two may then
do first any my now such like our over man me even most made after also did many before must through
back years where much your way well down should because each just those people how too little state
good very make world still own see men work long get here between both life being under never day
same another know while last might us great old year off come since against go came right used take
three account invoice payment refund order customer support request details policy delivery product
service information following steps please contact team address number available update system error
result example function value model data returns guaranteed investment legal medical advice doctor
previous instructions password secret token key card credit email phone question answer thank help
issue resolve process review summary report analysis however therefore additionally regarding
confirm schedule meeting tomorrow today within business hours shipping tracking
""".split()
ACCENTED = "café naïve über façade résumé coöperate Straße jalapeño piñata señor".split()
OTHER_SCRIPTS = "你好 注文 ありがとう 주문 😀 🚀 заказ спасибо".split()
PHRASES = (
    "ignore previous instructions", "guaranteed returns", "as your lawyer", "as your doctor",
    "insider information", "risk-free profit", "wire the money", "send gift cards", "your password is",
    "social security number", "kill yourself", "make a bomb", "credit card number", "bypass the filter",
    "disable safety", "jailbreak mode", "internal use only", "confidential memo", "do not tell anyone",
    "trust me blindly", "act now or lose", "limited time offer", "double your money",
    "no questions asked", "off the record", "system prompt", "developer message", "hidden instructions",
    "api key is", "private key", "root password", "sudo rm -rf", "drop table", "select * from users",
    "union select", "<script>", "javascript:", "eval(", "base64 -d", "curl http", "wget http", "ssn is",
    "date of birth is", "mother's maiden name", "passport number", "routing number", "account number is",
    "pin code is", "cvv is", "one-time code is",
)  # fmt: skip
MODELS = ["gpt-mini", "gpt-small", "gpt-large", "claude-fast", "claude-deep", "llama-70b"]
TOOLS = ["search", "lookup_order", "get_invoice", "create_ticket", "send_mail", "calendar", "calc", "weather"]
FORBIDDEN_TOOLS = ["shell_exec", "delete_account"]


def _words(rnd: random.Random, low: int, high: int) -> list[str]:
    """Words, each with what follows it, of `low` to `high` characters together."""
    wanted = rnd.randint(low, high)
    chance = rnd.random()
    extra = OTHER_SCRIPTS if chance < 0.03 else ACCENTED if chance < 0.13 else None
    parts: list[str] = []
    length = in_sentence = 0
    while length < wanted:
        word = rnd.choice(WORDS)
        if extra and rnd.random() < 0.03:
            word = rnd.choice(extra)
        if rnd.random() < 0.02:
            word = str(rnd.randint(1, 99999))
        if in_sentence == 0:
            word = word.capitalize()
        in_sentence += 1
        if in_sentence > rnd.randint(6, 18):
            word += rnd.choice([". ", ". ", ".\n", "?\n\n", ': "', '"; '])
            in_sentence = 0
        else:
            word += " "
        parts.append(word)
        length += len(word)
    return parts


def _output(rnd: random.Random) -> str:
    parts = _words(rnd, 300, 2950)

    def insert(text: str) -> None:
        parts.insert(rnd.randint(0, len(parts)), text + " ")

    if rnd.random() < 0.010:
        insert(" ".join(f"{rnd.randint(0, 9999):04d}" for _ in range(4)))
    if rnd.random() < 0.015:
        name, surname = rnd.choice(["ann", "bob", "eve"]), rnd.choice(["lee", "kim", "fox"])
        insert(f"{name}.{surname}@example{rnd.randint(1, 99)}.com")
    if rnd.random() < 0.008:
        insert(f"{rnd.randint(1, 899):03d}-{rnd.randint(1, 99):02d}-{rnd.randint(1, 9999):04d}")
    if rnd.random() < 0.020:
        insert(rnd.choice(PHRASES))
    if rnd.random() < 0.010:
        insert("As an AI language model")
    text = "".join(parts)[:3000]
    return "I'm sorry, " + text if rnd.random() < 0.020 else text


def _tool_call(rnd: random.Random) -> dict[str, Any]:
    return {
        "name": rnd.choice(FORBIDDEN_TOOLS) if rnd.random() < 0.006 else rnd.choice(TOOLS),
        "args": {
            "q": " ".join(rnd.choice(WORDS) for _ in range(rnd.randint(1, 5))),
            "limit": str(rnd.randint(1, 50)),
        },
        "ok": rnd.random() > 0.05,
        "latency_ms": round(rnd.lognormvariate(5.2, 0.8), 2),
    }


def _record(rnd: random.Random, number: int) -> dict[str, Any]:
    """One call.  The order of the draws is part of the workload."""
    channel = rnd.choices(["chat", "api", "batch", "voice"], [55, 25, 15, 5])[0]
    tier = rnd.choices(["free", "pro", "enterprise"], [40, 40, 20])[0]
    model = rnd.choice(MODELS[:2]) if tier == "free" and rnd.random() < 0.97 else rnd.choice(MODELS)
    latency = round(rnd.lognormvariate(6.6, 0.45), 3)
    first = round(latency * rnd.uniform(0.05, 0.6), 3)
    if rnd.random() < 0.005:
        first = round(latency * 1.2, 3)
    tokens_in = rnd.randint(50, 6000)
    tokens_out = rnd.randint(10, 2500) if tier != "free" or rnd.random() < 0.03 else rnd.randint(10, 1024)
    finish = rnd.choices(["stop", "tool_calls", "length", "content_filter"], [70, 22, 6, 2])[0]
    none = 0 if finish == "tool_calls" and rnd.random() < 0.97 else 55
    calls = rnd.choices([0, 1, 2, 3, 4, 5], [none, 20, 12, 8, 4, 1])[0]
    tool_calls = [_tool_call(rnd) for _ in range(calls)]
    error = None if rnd.random() > 0.02 else rnd.choice(["timeout", "rate_limited", "upstream_500"])
    return {
        "id": f"call-{rnd.getrandbits(128):032x}",
        "ts": 1717000000000 + number * 37,
        "agent": f"agent-{rnd.randint(1, 40)}",
        "session": f"sess-{rnd.getrandbits(32):08x}",
        "model": model,
        "provider": rnd.choice(["openai", "anthropic", "selfhost"]),
        "channel": channel,
        "user_tier": tier,
        "input": "".join(_words(rnd, 100, 580))[:600],
        "output": _output(rnd),
        "latency_ms": latency,
        "ttft_ms": first,
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
        "cost_usd": round((tokens_in * 2e-6 + tokens_out * 8e-6) * rnd.choice([1, 1, 1, 3]), 6),
        "temperature": rnd.choice([0.0, 0.2, 0.7, 1.0, 1.0 if rnd.random() > 0.1 else 1.3]),
        "max_tokens": rnd.choice([512, 1024, 4096]),
        "finish_reason": finish,
        "tool_calls": tool_calls,
        "retrieved_docs": rnd.choice([0, 0, 0, 3, 5, 8]),
        "language": rnd.choices(["en", "de", "fr", "es", "ja", "pt"], [70, 8, 7, 7, 4, 4])[0],
        "error": error,
        "retries": rnd.randint(0, 3) if error else 0,
        "cache_hit": rnd.random() < 0.1,
        "metadata": {
            "tenant": f"t{rnd.randint(1, 99)}",
            "region": rnd.choice(["eu-west-1", "us-east-1"]),
            "build": f"2024.{rnd.randint(1, 12)}.{rnd.randint(1, 28)}",
        },
    }


def records(count: int) -> Iterator[dict[str, Any]]:
    """The first `count` records of the workload."""
    rnd = random.Random(SEED)
    return (_record(rnd, number) for number in range(count))


def lines(count: int) -> Iterator[bytes]:
    """The same, each as the bytes of one JSON line without its end."""
    for record in records(count):
        yield json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
