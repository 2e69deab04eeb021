"""The guard around the real clients of OpenAI and Anthropic, which talk to a server on loopback."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stub_providers import (
    ASKED,
    WHOLE,
    chat,
    chat_chunks,
    message,
    message_events,
    response,
    response_events,
    served,
)

import pactlang
from pactlang import Guard

PACT = """
pact shop "1.0.0"
clause small  { require tool_calls.all(t, t.name != "issue_refund" || t.args.amount <= 50) }
clause tokens { require usage.input_tokens == 12 && usage.output_tokens == 7 && usage.cached_tokens == 4 }
clause told   { require output == "Your order LC-104233 is on its way." && has(finish) }
clause priced { require cost == 0.000026 && response_model == "m-2026-01-01" }
"""
PRICES = {"m": (1.0, 2.0)}
ASK = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Where is my order?"}]
SAY = ASK[1:]


@pytest.fixture
def guard() -> Iterator[Guard]:
    with Guard(pactlang.compile(PACT), prices=PRICES) as made:
        yield made


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served() as at:
        yield at


def openai_client(address: str, kind: str = "AsyncOpenAI") -> Any:
    return getattr(pytest.importorskip("openai"), kind)(
        api_key="none", base_url=f"{address}/v1", max_retries=0
    )


def anthropic_client(address: str, kind: str = "AsyncAnthropic") -> Any:
    return getattr(pytest.importorskip("anthropic"), kind)(api_key="none", base_url=address, max_retries=0)


def holds(call: Any, finish: str, streamed: bool = False) -> None:
    """The call says all that every stub answers."""
    assert call.output == WHOLE and call.ok is True and call.finish == finish and call.kind == "chat"
    assert [(asked.name, asked.args, asked.id) for asked in call.tool_calls] == [
        ("issue_refund", ASKED, "call_1")
    ]
    assert (call.usage.input_tokens, call.usage.output_tokens, call.usage.cached_tokens) == (12, 7, 4)
    assert (call.model, call.response_model, call.cost) == ("m", "m-2026-01-01", 0.000026)
    assert call.id in ("chatcmpl-1", "resp_1", "msg_1")
    assert call.input == "Where is my order?"
    assert call.latency > 0 and (call.first_token is not None) is streamed


def broken(verdict: Any) -> list[str]:
    return [violation.clause for violation in verdict.violations]


async def opened(guard: Guard, request: dict[str, Any], create: Any) -> Any:
    return await guard.call({"model": "m", **request}, lambda asked: create(**asked))


CREATE: dict[str, tuple[Any, Any, dict[str, Any], str]] = {
    "chat": (openai_client, lambda c: c.chat.completions.create, {"messages": ASK}, "tool_calls"),
    "responses": (openai_client, lambda c: c.responses.create, {"input": ASK}, "completed"),
    "messages": (
        anthropic_client,
        lambda c: c.messages.create,
        {"messages": SAY, "max_tokens": 9},
        "tool_use",
    ),
}


@pytest.mark.parametrize("name", CREATE)
def test_one_call(guard: Guard, address: str, name: str) -> None:
    made, create, request, finish = CREATE[name]

    async def main() -> None:
        async with made(address) as client:
            result = await opened(guard, request, create(client))
            assert type(result.response).__name__ in ("ChatCompletion", "Response", "Message")
            assert broken(await result.verification) == ["small"] and not result.verdict.unknown
            holds(result.call, finish)

    asyncio.run(main())


@pytest.mark.parametrize("name", CREATE)
def test_streaming(guard: Guard, address: str, name: str) -> None:
    made, create, request, finish = CREATE[name]

    async def main() -> None:
        async with made(address) as client:
            result = await opened(guard, {**request, "stream": True}, create(client))
            assert result.verdict is None
            chunks = [chunk async for chunk in result.response]
            assert len(chunks) > 4
            assert broken(await result.verification) == ["small"] and not result.verdict.unknown
            holds(result.call, finish, streamed=True)

    asyncio.run(main())


def test_a_watched_method_is_a_drop_in(guard: Guard, address: str) -> None:
    async def main() -> None:
        async with openai_client(address) as client:
            create = guard.watch(client.chat.completions.create)
            answer = await create(model="m", messages=ASK)
            assert answer.choices[0].message.content == WHOLE
            async with await create(model="m", messages=ASK, stream=True) as stream:
                assert [chunk async for chunk in stream]

    asyncio.run(main())
    assert (guard.counts.calls, guard.counts.violated, guard.counts.undecodable) == (2, 2, 0)


def test_the_synchronous_clients(guard: Guard, address: str) -> None:
    with openai_client(address, "OpenAI") as client:
        result = guard.call_sync(
            {"model": "m", "messages": ASK}, lambda a: client.chat.completions.create(**a)
        )
        holds(result.call, "tool_calls")
        result = guard.call_sync(
            {"model": "m", "messages": ASK, "stream": True}, lambda a: client.chat.completions.create(**a)
        )
        assert len(list(result.response)) > 4
        holds(result.call, "tool_calls", streamed=True)


def test_an_error_of_the_provider_passes_through(guard: Guard, address: str) -> None:
    openai = pytest.importorskip("openai")

    async def main() -> None:
        async with openai_client(address) as client:
            create = guard.watch(client.chat.completions.create)
            with pytest.raises(openai.BadRequestError):
                await create(model="busy", messages=ASK)

    asyncio.run(main())
    assert guard.counts.failed == 1


WHOLES = {
    "chat": (chat, "tool_calls"),
    "responses": (response, "completed"),
    "messages": (message, "tool_use"),
}
PIECES = {
    "chat": (chat_chunks, "tool_calls"),
    "responses": (response_events, "completed"),
    "messages": (message_events, "tool_use"),
}


@pytest.mark.parametrize("name", WHOLES)
def test_dicts_are_read_as_objects_are(guard: Guard, name: str) -> None:
    answer, finish = WHOLES[name]
    request = {"model": "m", "messages": ASK}
    holds(guard.call_sync(request, lambda _: answer("m")).call, finish)


@pytest.mark.parametrize("name", PIECES)
def test_streams_of_dicts_are_read_as_objects_are(guard: Guard, name: str) -> None:
    pieces, finish = PIECES[name]
    result = guard.call_sync({"model": "m", "messages": ASK}, lambda _: pieces("m"))
    list(result.response)
    holds(result.call, finish, streamed=True)


def test_the_client_that_the_readme_names(guard: Guard, address: str) -> None:
    openai = pytest.importorskip("openai")
    readme = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
    ((made,), (asks,)) = (re.findall(rf"`{name} = (.+?)`", readme) for name in ("client", "ask"))

    async def asked() -> Any:
        base = {"api_key": "none", "base_url": f"{address}/v1"}
        client = eval(made.replace("()", "(**base)"), {"openai": openai, "base": base})
        ask = eval(asks, {"client": client})
        result = await guard.call({"model": "m", "messages": ASK}, ask)
        return result.response, await result.verification

    response, verdict = asyncio.run(asked())
    assert response.choices[0].message.content == WHOLE
    assert verdict.outcomes["told"] == pactlang.Outcome.SATISFIED
