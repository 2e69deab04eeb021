"""The support agent of `pactc demo`: a seeded model, a small shop, and the tools between them.

In: a `Guard` and a seed.  Out: conversations that really run, call by call, without a network.

The model answers in the shape of OpenAI's chat completions.  It is good at its work and, at times,
not: it boasts, repeats a card number, refunds too much, forgets an order's number, asks for a tool
that nobody gave it.  The shop has a fault of its own: some orders cannot be found.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from pactlang.guard import Guard

MODEL = "larkspur-mini"
PRICES = {MODEL: (3.0, 12.0)}  # USD per million tokens
SYSTEM = "You are the support agent of Larkspur Cycles. Be kind, be brief, use your tools."
WISHES = {
    "refund": "My {item} from order {order} arrived damaged. I'd like {amount:.2f} EUR back.",
    "where": "Where is my order {order}? I am waiting for a {item}.",
    "move": "Please send order {order} to {street} instead.",
    "card": "Which card did I pay order {order} with? I think it ends in 1111.",
    "praise": "Is the {item} of order {order} any good? Will it last?",
}
ITEMS = ("bell", "saddle", "rear light", "bike lock", "pannier", "helmet")
STREETS = ("12 Mill Lane", "4 Harbour Street", "77 Station Road")
CARD = "4111 1111 1111 1111"
MISTAKE = 0.12  # how often the model does the wrong thing where it can


class Refused(Exception):
    """A tool that cannot do what it was asked."""


class Shop:
    """Orders, and what an agent may do with them."""

    def __init__(self, rng: random.Random) -> None:
        self.orders = {
            f"LC-{rng.randrange(100_000, 999_999)}": {
                "item": rng.choice(ITEMS),
                "paid": rng.randrange(10, 120),
            }
            for _ in range(40)
        }
        self.refunded = 0.0

    def lookup_order(self, order: str) -> dict[str, Any]:
        """What was ordered, and what was paid."""
        if order not in self.orders:
            raise Refused("no such order")
        return {"order": order, **self.orders[order], "status": "shipped"}

    def issue_refund(self, order: str | None = None, amount: float = 0.0) -> dict[str, Any]:
        """Send money back."""
        self.refunded += amount
        return {"order": order, "refunded": amount}

    def change_address(self, order: str, street: str) -> dict[str, Any]:
        """Send the order elsewhere."""
        return {"order": order, "street": street}

    async def handover(self, reason: str) -> str:
        """Have a person look at it."""
        await asyncio.sleep(0)
        return f"a colleague takes over: {reason}"


class Model:
    """Answers chats: a tool call first where one is needed, then words.  Seeded, so a run can be repeated."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.answers = 0

    async def complete(self, request: dict[str, Any]) -> dict[str, Any]:
        """One chat completion.  `request` is what a client of OpenAI's would send, and the wish behind it."""
        wish, turn = request["metadata"]["wish"], request["messages"]
        await asyncio.sleep(0)
        if turn[-1]["role"] == "user":
            return self._completion(turn, None, [self._tool(wish)])
        return self._completion(turn, self._words(wish), [])

    def _slips(self) -> bool:
        return self.rng.random() < MISTAKE

    def _tool(self, wish: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        order = {"order": wish["order"].replace("-", " ") if self._slips() else wish["order"]}
        match wish["kind"]:
            case "refund" if wish["amount"] > 50 and not self._slips():
                return "handover", {"reason": "a refund above 50 EUR"}
            case "refund":
                return "issue_refund", {**({} if self._slips() else order), "amount": wish["amount"]}
            case "move":
                return "change_address", {**order, "street": wish["street"]}
            case "card" if self._slips():
                return "read_payment_data", order
            case _:
                return "lookup_order", order

    def _words(self, wish: dict[str, Any]) -> str:
        match wish["kind"]:
            case "refund":
                return "I am sorry about that. Your refund is on its way, or with a colleague who decides."
            case "where":
                promise = " You have our guaranteed delivery." if self._slips() else ""
                return f"Order {wish['order']} has left our house and should be with you soon.{promise}"
            case "move":
                return f"Done: order {wish['order']} now goes to {wish['street']}."
            case "card":
                return (
                    f"You paid with {CARD}."
                    if self._slips()
                    else "I can't see payment data, and that's good."
                )
            case _:
                praise = "unbreakable" if self._slips() else "well liked by our customers"
                return f"The {wish['item']} is {praise}."

    def _completion(
        self, turn: list[dict[str, Any]], content: str | None, asked: list[tuple[str, dict[str, Any]]]
    ) -> dict[str, Any]:
        self.answers += 1
        calls = [
            {"id": f"call-{self.answers}", "function": {"name": name, "arguments": json.dumps(args)}}
            for name, args in asked
        ]
        words = sum(len(str(message["content"]).split()) for message in turn)
        usage = {"prompt_tokens": 260 + 2 * words, "completion_tokens": self.rng.randrange(20, 90)}
        message = {"role": "assistant", "content": content, "tool_calls": calls or None}
        finish = "tool_calls" if calls else "stop"
        choice = {"index": 0, "message": message, "finish_reason": finish}
        return {"id": f"chat-{self.answers}", "model": MODEL, "choices": [choice], "usage": usage}


class Agent:
    """Serves one customer after the other through a guard."""

    def __init__(self, guard: Guard, seed: int) -> None:
        self.guard = guard
        self.rng = random.Random(seed)
        self.shop = Shop(self.rng)
        self.model = Model(self.rng)
        names = ("lookup_order", "issue_refund", "change_address", "handover")
        self.tools = {name: guard.tool(getattr(self.shop, name)) for name in names}

    async def serve(self) -> AsyncGenerator[None, None]:
        """Customers without end; a step per call."""
        number = 0
        while True:
            number += 1
            with self.guard.session(f"customer-{number}", agent="support"):
                async with aclosing(self._converse(self._wish())) as calls:
                    async for _ in calls:
                        yield

    def _wish(self) -> dict[str, Any]:
        order = self.rng.choice(list(self.shop.orders))
        kind = self.rng.choices(list(WISHES), (6, 3, 2, 2, 2))[0]
        amount = round(self.rng.uniform(5, 95), 2)
        facts = {"order": order, "item": self.shop.orders[order]["item"], "amount": amount}
        facts["street"] = self.rng.choice(STREETS)
        return {"kind": kind, "text": WISHES[kind].format(**facts), **facts}

    async def _converse(self, wish: dict[str, Any]) -> AsyncGenerator[None, None]:
        messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": wish["text"]}]
        for _ in range(2):
            request = {"model": MODEL, "messages": messages, "metadata": {"wish": wish}}
            result = await self.guard.call(request, self.model.complete)
            message = result.response["choices"][0]["message"]
            messages.append(message)
            yield
            for asked in message["tool_calls"] or ():
                found = await self._use(asked["function"])
                messages.append({"role": "tool", "tool_call_id": asked["id"], "content": found})
                if asked["function"]["name"] in self.tools:
                    yield

    async def _use(self, function: dict[str, str]) -> str:
        tool = self.tools.get(function["name"])
        if tool is None:
            return "there is no such tool"
        try:
            found = tool(**json.loads(function["arguments"]))
            return str(await found if asyncio.iscoroutine(found) else found)
        except Refused as error:
            return str(error)
