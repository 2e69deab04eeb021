"""Conversations with a shop's agent, made up: records in the shape of the airline's traces.

In: episodes, one after another.  Out: a session's records, and the clauses of `retail.pact` that it breaks.

An episode is a matter that the user brings up, with an order of its own, so that what it breaks does not
depend on the episodes before it; but for those that all later ones suffer from, which are played last.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Record = dict[str, Any]
USER = "mia_li_3668"
EMAIL = "mia.li@example.com"
LAMP, LAMPS = "4823991557", ("7160999700", "5320792178")  # a product; two of its items


@dataclass
class Conversation:
    """Writes down what is said and done."""

    session: str
    records: list[Record] = field(default_factory=list)
    heard: str = ""  # what the user has said since the agent's last turn
    orders: int = 0

    def user(self, text: str) -> None:
        self.heard = text

    def turn(self, output: str | None, calls: Iterable[str] = ()) -> None:
        messages = [{"role": "user", "content": self.heard}] if self.heard else [{"role": "tool", "ref": "#"}]
        asked = [{"name": name, "arguments": {}} for name in calls]
        self.add(kind="llm", tool=None, input=messages, output=output, tool_calls=asked)
        self.heard = ""

    def says(self, text: str) -> None:
        self.turn(text)

    def does(self, tool: str, output: Any = "done", ok: bool = True, **arguments: Any) -> None:
        """A turn that asks for a tool, and the tool's call."""
        self.turn(None, [tool])
        text = output if isinstance(output, str) else json.dumps(output)
        self.add(kind="tool", tool=tool, input=arguments, output=text, ok=ok)

    def add(self, **fields: Any) -> None:
        step = len(self.records)
        self.records.append(
            {"call_id": f"{self.session}#{step}", "session_id": self.session, "step": step, **fields}
        )

    # What most conversations begin with ------------------------------------------------------------

    def find(self) -> None:
        self.user(f"Hello, I am {EMAIL}.")
        self.does("find_user_id_by_email", USER, email=EMAIL)

    def look(self) -> None:
        """The profile, with its orders and ways to pay."""
        orders = [self.number(n) for n in range(1, 40)]
        profile = {"email": EMAIL, "payment_methods": {"gift_card_1": {"balance": 90}}, "orders": orders}
        self.does("get_user_details", profile, user_id=USER)

    def number(self, n: int) -> str:
        return f"#W{7000000 + n}"

    def order(self, status: str, **others: Any) -> str:
        """Look at the user's next order; gives its id."""
        self.orders += 1
        order = self.number(self.orders)
        items = [{"item_id": LAMPS[0], "product_id": LAMP, "price": 40.0}]
        detail = {"order_id": order, "status": status, "items": items, "paid_by": f"paypal_{self.orders}"}
        self.does("get_order_details", {**detail, **others}, order_id=order)
        return order

    def agrees(self, question: str = "Shall I do that?") -> None:
        self.says(question)
        self.user("Yes, please.")


# Episodes that keep every promise ----------------------------------------------------------------


def cancels(c: Conversation) -> None:
    c.user("I want to cancel my order, I no longer need it.")
    order = c.order("pending")
    c.agrees()
    c.does("cancel_pending_order", order_id=order, reason="no longer needed")
    c.says("It is cancelled.")


def returns(c: Conversation) -> None:
    c.user("I want to return the lamp.")
    order = c.order("delivered")
    c.agrees()
    c.does(
        "return_delivered_order_items", order_id=order, item_ids=[LAMPS[0]], payment_method_id="gift_card_1"
    )
    c.says("You will get an e-mail.")


def exchanges(
    c: Conversation, tool: str = "exchange_delivered_order_items", status: str = "delivered"
) -> None:
    c.user("I want another lamp.")
    order = c.order(status)
    products(c)
    c.agrees("Are these all the items? Shall I go on?")
    swap(c, tool, order)
    c.says("Done.")


def modifies(c: Conversation) -> None:
    exchanges(c, "modify_pending_order_items", "pending")


def pays_otherwise(c: Conversation) -> None:
    c.user("Can I pay with PayPal, as for my last order?")
    order = c.order("pending")
    c.agrees()
    paid = f"paypal_{c.orders}"
    c.does("modify_pending_order_payment", order_id=order, payment_method_id=paid)
    c.says("Done.")


def moves(c: Conversation) -> None:
    c.user("I have moved to 12 Elm Street.")
    c.agrees()
    c.does("modify_user_address", user_id=USER, address1=f"12 Elm Street, {len(c.records)}")
    c.says("Done.")


def tries_again(c: Conversation) -> None:
    """A change that the tool refuses needs no second yes: nothing has been changed."""
    c.user("Please send my order to 12 Elm Street.")
    order = c.order("pending")
    c.agrees()
    c.does("modify_pending_order_address", "Error", ok=False, order_id=order, address1="12 Elm")
    c.does("modify_pending_order_address", order_id=order, address1="12 Elm Street")
    c.says("Done.")


def products(c: Conversation) -> None:
    variants = {item: {"available": True} for item in LAMPS}
    c.does("get_product_details", {"variants": variants}, product_id=LAMP, asked=len(c.records))


def swap(c: Conversation, tool: str, order: str, new: str = LAMPS[1], **others: Any) -> None:
    arguments = {
        "order_id": order,
        "item_ids": [LAMPS[0]],
        "new_item_ids": [new],
        "payment_method_id": "gift_card_1",
    }
    c.does(tool, **{**arguments, **others})


# Episodes that break some ------------------------------------------------------------------------


def cancels_unasked(c: Conversation) -> None:
    c.user("What about my last orders?")
    for _ in range(2):  # a yes that no change has used may be left for the first
        c.does("cancel_pending_order", order_id=c.order("pending"), reason="no longer needed")
    c.says("I have cancelled them.")


def takes_yes_back(c: Conversation) -> None:
    c.user("Cancel my order.")
    order = c.order("pending")
    c.agrees()
    c.says("Really?")
    c.user("Wait, not yet.")
    c.does("cancel_pending_order", order_id=order, reason="no longer needed")
    c.says("It is cancelled.")


def two_for_one_yes(c: Conversation) -> None:
    c.user("Cancel both orders.")
    orders = [c.order("pending"), c.order("pending")]
    c.agrees()
    for order in orders:
        c.does("cancel_pending_order", order_id=order, reason="ordered by mistake")
    c.says("Both are cancelled.")


def cancels_what_is_processed(c: Conversation) -> None:
    c.user("Cancel my order.")
    order = c.order("processed")
    c.agrees()
    c.does("cancel_pending_order", "Error", ok=False, order_id=order, reason="no longer needed")
    c.says("That is not possible.")


def cancels_another_than_seen(c: Conversation) -> None:
    c.user("Cancel my order.")
    c.order("pending")
    c.orders += 1
    c.agrees()
    c.does("cancel_pending_order", order_id=c.number(c.orders), reason="no longer needed")
    c.says("It is cancelled.")


def cancels_for_weather(c: Conversation) -> None:
    c.user("Cancel my order, it rains.")
    order = c.order("pending")
    c.agrees()
    c.does("cancel_pending_order", order_id=order, reason="it rains")
    c.says("It is cancelled.")


def returns_what_is_pending(c: Conversation) -> None:
    c.user("I want to return the lamp.")
    order = c.order("pending")
    c.agrees()
    c.does(
        "return_delivered_order_items", order_id=order, item_ids=[LAMPS[0]], payment_method_id="gift_card_1"
    )
    c.says("Done.")


def returns_to_a_new_card(c: Conversation) -> None:
    c.user("Return it, and put the money on my new credit card.")
    order = c.order("delivered")
    c.agrees()
    c.does(
        "return_delivered_order_items",
        order_id=order,
        item_ids=[LAMPS[0]],
        payment_method_id="credit_card_77",
    )
    c.says("Done.")


def returns_a_stranger_item(c: Conversation) -> None:
    c.user("Return the chair.")
    order = c.order("delivered")
    c.agrees()
    c.does(
        "return_delivered_order_items",
        order_id=order,
        item_ids=["1111111111"],
        payment_method_id="gift_card_1",
    )
    c.says("Done.")


def exchanges_for_nothing_known(c: Conversation) -> None:
    c.user("I want another lamp.")
    order = c.order("delivered")
    c.agrees("Are these all the items? Shall I go on?")
    swap(c, "exchange_delivered_order_items", order, new="9999999999")
    c.says("Done.")


def exchanges_unreminded(c: Conversation) -> None:
    c.user("I want another lamp.")
    order = c.order("delivered")
    products(c)
    c.agrees()
    swap(c, "exchange_delivered_order_items", order)
    c.says("Done.")


def modifies_twice(c: Conversation) -> None:
    c.user("I want another lamp.")
    order = c.order("pending")
    for new in LAMPS:
        products(c)
        c.agrees("Are these all the items? Shall I go on?")
        swap(c, "modify_pending_order_items", order, new=new)
    c.says("Done.")


def cancels_what_it_cancelled(c: Conversation) -> None:
    cancels(c)
    c.user("Send it to 12 Elm Street.")
    c.agrees()
    c.does(
        "modify_pending_order_address",
        "Error",
        ok=False,
        order_id=c.number(c.orders),
        address1="12 Elm Street",
    )
    c.says("That is not possible.")


def a_friends_order(c: Conversation) -> None:
    c.user("And cancel #W1234567, a friend's.")
    c.does("get_order_details", {"order_id": "#W1234567", "status": "pending"}, order_id="#W1234567")
    c.agrees()
    c.does("cancel_pending_order", order_id="#W1234567", reason="no longer needed")
    c.says("It is cancelled.")


def a_friends_profile(c: Conversation) -> None:
    c.user("My friend is tom_ito_1.")
    c.does("get_user_details", {"orders": []}, user_id="tom_ito_1")
    c.says("I see.")


def two_calls_at_once(c: Conversation) -> None:
    c.user("Which lamps are there, and which chairs?")
    c.turn(None, ["get_product_details", "get_product_details"])


def talks_and_acts(c: Conversation) -> None:
    c.user("Which lamps are there?")
    c.turn("I look that up.", ["get_product_details"])


def loops(c: Conversation) -> None:
    c.user("What kinds of things are there?")
    for _ in range(3):
        c.does("list_all_product_types", {"Lamp": LAMP})
    c.says("Lamps.")


# The last of a conversation ----------------------------------------------------------------------


def hands_over(c: Conversation) -> None:
    c.user("I want a job.")
    c.does("transfer_to_human_agents", summary="wants a job")
    c.says("YOU ARE BEING TRANSFERRED TO A HUMAN AGENT. PLEASE HOLD ON.")


def hands_over_silently(c: Conversation) -> None:
    c.user("I want a job.")
    c.does("transfer_to_human_agents", summary="wants a job")


def works_after_handing_over(c: Conversation) -> None:
    hands_over(c)
    cancels(c)


def finds_another_user(c: Conversation) -> None:
    c.user("My friend is tom@example.com.")
    c.does("find_user_id_by_email", "tom_ito_1", email="tom@example.com")
    c.says("I cannot talk of others.")


def ends(c: Conversation) -> None:
    c.user("Thank you.")
    c.says("You are welcome.")


Episode = Callable[[Conversation], None]
KEPT: tuple[Episode, ...] = (cancels, returns, exchanges, modifies, pays_otherwise, moves, tries_again)
# Episode -> the clauses that it breaks, wherever it stands after the user is known and has agreed once.
BROKEN: dict[Episode, set[str]] = {
    cancels_unasked: {"asks_last", "asks_each_time"},
    takes_yes_back: {"asks_last"},
    two_for_one_yes: {"asks_each_time"},
    cancels_what_is_processed: {"pending_orders_only"},
    cancels_another_than_seen: {"pending_orders_only"},
    cancels_for_weather: {"cancels_for_a_reason"},
    returns_what_is_pending: {"delivered_orders_only"},
    returns_to_a_new_card: {"pays_by_known_methods"},
    returns_a_stranger_item: {"old_items_are_in_the_order"},
    exchanges_for_nothing_known: {"new_items_exist"},
    exchanges_unreminded: {"reminds_of_all_items"},
    modifies_twice: {"items_change_once", "closed_after_items"},
    cancels_what_it_cancelled: {"closed_after_cancel"},
    a_friends_order: {"orders_are_the_users"},
    a_friends_profile: {"acts_for_the_user_found"},
    two_calls_at_once: {"one_call_at_a_time"},
    talks_and_acts: {"talks_or_acts"},
    loops: {"no_loops"},
}
LAST: dict[Episode, set[str]] = {
    ends: set(),
    hands_over: set(),
    hands_over_silently: {"says_that_it_hands_over"},
    works_after_handing_over: {"hands_over_for_good"},
    finds_another_user: {"one_user_only"},
}


def conversation(
    session: str, episodes: Iterable[Episode], last: Episode = ends
) -> tuple[list[Record], set[str]]:
    """A session's records, and the clauses that it breaks."""
    c = Conversation(session)
    c.find()
    c.look()
    cancels(c)
    broken = set(LAST[last])
    for episode in (*episodes, last):
        episode(c)
        broken |= BROKEN.get(episode, set())
    return c.records, broken


def of_a_stranger(session: str) -> tuple[list[Record], set[str]]:
    """Nobody has been asked who he is, or for a yes."""
    c = Conversation(session)
    c.user("Cancel my last order.")
    order = c.order("pending")
    c.does("cancel_pending_order", order_id=order, reason="no longer needed")
    return c.records, {
        "knows_the_user_first",
        "orders_are_the_users",
        "asks_first",
        "asks_last",
        "asks_each_time",
    }
