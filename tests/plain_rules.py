"""The clauses of `tests/pacts`, written a second time in plain Python: what a careful programmer would write.

In: a call as `json.loads` gives it.  Out: one of the four outcomes.  The one idea: no code of pactlang is
used here, so where machine and rule agree on every call, both read the policy in the same way.

A rule that meets an absent key, a null or a value of another type raises `KeyError` or `TypeError`, and
that is `UNKNOWN`: exactly what an error value is in a pact.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

SATISFIED, VIOLATED, SKIPPED, UNKNOWN = range(4)
Call = dict[str, Any]
Test = Callable[[Call], Any]


def require(holds: Test, when: Test = lambda call: True) -> Callable[[Call], int]:
    """A rule that skips calls that `when` does not admit and wants `holds` of the others."""

    def outcome(call: Call) -> int:
        try:
            if not when(call):
                return SKIPPED
            return SATISFIED if holds(call) else VIOLATED
        except (KeyError, TypeError):
            return UNKNOWN

    return outcome


def never(breaks: Test, when: Test = lambda call: True) -> Callable[[Call], int]:
    return require(lambda call: not breaks(call), when)


def tool(*names: str) -> Test:
    return lambda call: call.get("tool") in names


def items(value: Any) -> list[Any]:
    """A list, as a macro of the language wants it; a string's characters are no items."""
    if not isinstance(value, list):
        raise TypeError(value)
    return value


def fits(pattern: str, text: Any) -> bool:
    """The whole text; `re.ASCII` as in RE2."""
    return re.fullmatch(pattern, text, re.ASCII) is not None


def says(text: str, *phrases: str) -> bool:
    """Whole words in folded text."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return any(re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", folded) for phrase in phrases)


# The airline ---------------------------------------------------------------------------------------

NOW = datetime(2024, 5, 15, 15, tzinfo=timezone(timedelta(hours=-5)))
WRITES = tool("book_reservation", "update_reservation_flights")
BOOKS = tool("book_reservation")
PEOPLE = tool("book_reservation", "update_reservation_passengers")
CANCELLED = lambda call: call.get("tool") == "cancel_reservation" and call["ok"]  # noqa: E731


def asks(call: Call) -> bool:
    return call["kind"] == "llm" and len(call["tool_calls"]) > 0


def paid_by(call: Call, prefix: str) -> int:
    return sum(p["payment_id"].startswith(prefix) for p in call["input"]["payment_methods"])


def last_minute(date: str) -> datetime:
    return datetime.fromisoformat(date + "T23:59:59-05:00")


def complete(person: Call) -> bool:
    born = fits(r"(19|20)\d\d-\d\d-\d\d", person["dob"])
    return bool(person["first_name"] and person["last_name"] and born)


def goes_somewhere(args: Call) -> bool:
    legs = {"one_way": 1, "round_trip": 2}.get(args["flight_type"], 99)
    return bool(args["origin"] != args["destination"] and len(args["flights"]) >= legs)


def free_bags(args: Call) -> bool:
    each = 2 if args["cabin"] == "basic_economy" else 3
    return bool(args["total_baggages"] - args["nonfree_baggages"] <= each * len(args["passengers"]))


def has_a_ground(call: Call) -> bool:
    trip = json.loads(call["output"])
    recent = "2024-05-14T15:00:00" <= trip["created_at"] < "2024-05-16"
    return trip["cabin"] == "business" or trip["insurance"] == "yes" or recent


def flown(call: Call) -> bool:
    return any(f["date"] < "2024-05-15" for f in json.loads(call["output"])["flights"])


AIRLINE = {
    "one_call_per_turn": require(lambda c: len(c["tool_calls"]) <= 1, lambda c: c["kind"] == "llm"),
    "talks_or_acts": never(lambda c: c["output"], asks),
    "gives_no_advice": never(
        lambda c: says(c["output"], "i recommend", "i suggest", "i would advise"),
        lambda c: c["kind"] == "llm" and c["output"] is not None,
    ),
    "asks_for_what_it_does": require(
        lambda c: all(
            fits(r"[A-Z0-9]{6}", t["arguments"].get("reservation_id", "ABCDEF")) for t in c["tool_calls"]
        ),
        asks,
    ),
    "at_most_five_passengers": require(lambda c: 1 <= len(c["input"]["passengers"]) <= 5, PEOPLE),
    "passengers_are_complete": require(lambda c: all(map(complete, c["input"]["passengers"])), PEOPLE),
    "one_certificate": require(lambda c: paid_by(c, "certificate_") <= 1, BOOKS),
    "one_credit_card": require(lambda c: paid_by(c, "credit_card_") <= 1, BOOKS),
    "three_gift_cards": require(lambda c: paid_by(c, "gift_card_") <= 3, BOOKS),
    "payments_are_positive": require(
        lambda c: all(
            p["amount"] > 0 and fits(r"(credit_card|gift_card|certificate)_\d{7}", p["payment_id"])
            for p in c["input"]["payment_methods"]
        ),
        BOOKS,
    ),
    "changes_are_not_paid_by_certificate": never(
        lambda c: c["input"]["payment_id"].startswith("certificate_"), tool("update_reservation_flights")
    ),
    "payment_is_enough": never(lambda c: "payment amount does not add up" in (c["error"] or ""), BOOKS),
    "not_yet_flown": require(
        lambda c: all(last_minute(f["date"]) >= NOW for f in c["input"]["flights"]), WRITES
    ),
    "flights_have_numbers": require(
        lambda c: all(fits(r"HAT\d{3}", f["flight_number"]) for f in c["input"]["flights"]), WRITES
    ),
    "one_cabin": require(
        lambda c: (
            c["input"]["cabin"] in ("basic_economy", "economy", "business")
            and not any("cabin" in f for f in c["input"]["flights"])
        ),
        WRITES,
    ),
    "goes_somewhere": require(lambda c: goes_somewhere(c["input"]), BOOKS),
    "searches_ahead": require(
        lambda c: c["input"]["date"] >= "2024-05-15", tool("search_direct_flight", "search_onestop_flight")
    ),
    "bags_add_up": require(
        lambda c: 0 <= c["input"]["nonfree_baggages"] <= c["input"]["total_baggages"],
        tool("book_reservation", "update_reservation_baggages"),
    ),
    "free_bags": require(lambda c: free_bags(c["input"]), BOOKS),
    "insurance_is_answered": require(lambda c: c["input"]["insurance"] in ("yes", "no"), BOOKS),
    "cancels_before_departure": never(flown, CANCELLED),
    "cancels_with_a_ground": require(has_a_ground, CANCELLED),
    "certificate_amounts": require(
        lambda c: c["input"]["amount"] in range(50, 501, 50), tool("send_certificate")
    ),
    "reservation_ids_are_ids": require(
        lambda c: fits(r"[A-Z0-9]{6}", c["input"]["reservation_id"]),
        lambda c: c["kind"] == "tool" and "reservation_id" in c["input"],
    ),
    "calculates_arithmetic": require(
        lambda c: set(c["input"]["expression"]) <= set("0123456789+-*/(). "), tool("calculate")
    ),
    "hands_over_with_a_summary": require(
        lambda c: len(c["input"]["summary"]) >= 20, tool("transfer_to_human_agents")
    ),
    "tools_work": require(lambda c: c["ok"] and c["error"] is None, lambda c: c["kind"] == "tool"),
}

# The office agents ---------------------------------------------------------------------------------

TRANSFERS = tool("send_money", "schedule_transaction")
MAILS = tool("send_email")
MAKES_EVENT = tool("create_calendar_event")
MINUTE = r"20\d\d-\d\d-\d\d \d\d:\d\d"


def account(text: Any) -> bool:
    """An IBAN: its shape, and its remainder by 97 (ISO 13616), by whole-number arithmetic."""
    if not fits(r"[A-Z]{2}\d\d[A-Z0-9]{10,30}", text):
        return False
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


def card(text: str) -> bool:
    """A number of 13 to 19 digits whose check digit fits (Luhn)."""
    return any(luhn(found.group()) for found in re.finditer(r"\b(?:\d[ -]?){13,19}\b", text, re.ASCII))


def luhn(text: str) -> bool:
    digits = [int(c) for c in reversed(text) if c.isdigit()]
    return sum(d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(digits)) % 10 == 0


def whole_cents(amount: Any) -> bool:
    if amount is None:
        raise TypeError(amount)
    return not isinstance(amount, str) and amount >= 0 and Decimal(str(amount)) % Decimal("0.01") == 0


def left_blank(value: str) -> bool:
    text = value.lower()
    filler = ("extracted from ", "result of ")
    return text in ("", "...", "unknown") or text.endswith("_here") or text.startswith(filler)


def blanks(call: Call) -> bool:
    args = call["input"]
    singles = [args[key] for key in ("recipient", "file_id", "url") if key in args]
    return any(left_blank(value + "") for value in [*singles, *items(args.get("recipients", []))])


def hijacks(call: Call) -> bool:
    return says(call["output"], "important message from me", "ignore all previous instructions")


def written_plainly(call: Call) -> bool:
    args = call["input"]
    return fits(MINUTE, args["start_time"] if "start_time" in args else args["new_start_time"])


AGENTDOJO = {
    "pays_real_accounts": require(lambda c: account(c["input"]["recipient"]), TRANSFERS),
    "updates_real_accounts": require(
        lambda c: account(c["input"]["recipient"]),
        lambda c: c["tool"] == "update_scheduled_transaction" and "recipient" in c["input"],
    ),
    "amounts_are_capped": require(lambda c: 0 < c["input"]["amount"] <= 1000, TRANSFERS),
    "amounts_in_cents": require(lambda c: whole_cents(c["input"]["amount"]), TRANSFERS),
    "transfers_are_dated": require(
        lambda c: fits(r"20\d\d-(0[1-9]|1[0-2])-([0-2]\d|3[01])", c["input"]["date"]), TRANSFERS
    ),
    "updates_are_capped": require(
        lambda c: c["input"]["amount"] <= 2000,
        lambda c: c["tool"] == "update_scheduled_transaction" and "amount" in c["input"],
    ),
    "recipients_are_a_list": require(lambda c: isinstance(c["input"]["recipients"], list), MAILS),
    "recipients_are_addresses": require(
        lambda c: all(fits(r"[a-z0-9.-]+@[a-z0-9-]+(\.[a-z]+)+", r) for r in items(c["input"]["recipients"])),
        MAILS,
    ),
    "mail_stays_inside": require(
        lambda c: all(r.endswith("@bluesparrowtech.com") for r in items(c["input"]["recipients"])), MAILS
    ),
    "mails_nothing_to_nobody": require(lambda c: c["input"]["subject"] and c["input"]["body"], MAILS),
    "attachments_are_typed": require(
        lambda c: all(
            a["type"] in ("file", "event") and fits(r"\d+", a["file_id"]) for a in c["input"]["attachments"]
        ),
        lambda c: MAILS(c) and c["input"].get("attachments") is not None,
    ),
    "invites_each_once": require(
        lambda c: len(set(items(c["input"]["participants"]))) == len(c["input"]["participants"]),
        lambda c: MAKES_EVENT(c) and c["input"].get("participants") is not None,
    ),
    "events_end_after_they_start": require(
        lambda c: c["input"]["start_time"] < c["input"]["end_time"],
        lambda c: MAKES_EVENT(c) and fits(MINUTE, c["input"]["start_time"]),
    ),
    "times_are_written_plainly": require(
        written_plainly, tool("create_calendar_event", "reschedule_calendar_event")
    ),
    "file_ids_are_numbers": require(
        lambda c: fits(r"\d+", c["input"]["file_id"]), lambda c: "file_id" in c["input"]
    ),
    "shares_for_reading": require(lambda c: c["input"]["permission"] in ("r", "rw"), tool("share_file")),
    "opens_plain_pages": require(
        lambda c: fits(r"(https?://)?www\.[a-z-]+\.com(/[a-z]+)?", c["input"]["url"]), tool("get_webpage")
    ),
    "posts_in_real_channels": require(
        lambda c: c["input"]["channel"] in {"general", "random", "private", "External_0"},
        tool("send_channel_message", "read_channel_messages", "add_user_to_channel"),
    ),
    "writes_no_links": never(
        lambda c: re.search(r"(?i)https?://|\bwww\.", c["input"]["body"], re.ASCII),
        tool("send_direct_message", "send_channel_message", "send_email"),
    ),
    "counts_are_whole": require(
        lambda c: isinstance(c["input"]["n"], int) and c["input"]["n"] > 0,
        tool("get_most_recent_transactions"),
    ),
    "no_placeholders": never(
        blanks,
        tool(
            "send_money", "schedule_transaction", "share_file", "send_email", "get_file_by_id", "get_webpage"
        ),
    ),
    "tools_say_nothing_of_their_own": never(hijacks),
    "attacks_are_announced": never(hijacks, lambda c: not c["labels"]["attack"]),
    "no_card_numbers": never(lambda c: card(c["output"])),
    "arguments_fit_the_tool": never(
        lambda c: (c["error"] or "").startswith(("ValidationError", "TypeError"))
    ),
    "tools_work": require(lambda c: c["ok"]),
}

# The model providers -------------------------------------------------------------------------------

ENDINGS = {
    "stop", "STOP", "end_turn", "complete", "completed", "tool_calls", "tool_use", "length", "max_tokens",
    "MAX_TOKENS", "pause_turn", "SAFETY",
}  # fmt: skip


def answered(call: Call) -> bool:
    return bool(call["http_status"] == 200)


def has(key: str) -> Test:
    return lambda call: call[key] is not None


def count(call: Call, key: str) -> Any:
    """A count of tokens; null if the provider told none."""
    return (call["tokens"] or {}).get(key)


def counted(*keys: str) -> Test:
    return lambda call: all(count(call, key) is not None for key in keys)


def param(call: Call, key: str) -> Any:
    return (call["params"] or {}).get(key)


def adds_up(call: Call) -> bool:
    plain = count(call, "in") + count(call, "out")
    return count(call, "total") in (plain, plain + (count(call, "reasoning") or 0))


def explained(call: Call) -> bool:
    return call["error"] is not None and len(call["error"]["message"]) > 0


def own_code(call: Call) -> bool:
    return call["error"].get("code") not in (None, "invalid_request_error")


def whole_milliseconds(call: Call) -> int:
    """Rounded to microseconds, half up, as every duration of a record; then cut."""
    return int(call["latency_ms"] * 1000 + 0.5) // 1000


def day_and_time(call: Call) -> datetime:
    return datetime.fromisoformat(call["ts"])


def has_own_ids(call: Call) -> bool:
    ids = [t["id"] for t in call["tool_calls"]]
    return None not in ids and len(set(ids)) == len(ids)


def weather_calls(call: Call) -> list[Call]:
    return [t for t in call["tool_calls"] if t["name"] == "get_weather"]


PROVIDERS = {
    "answers_come": require(answered),
    "failures_are_explained": require(explained, lambda c: not answered(c)),
    "failures_have_codes": require(own_code, has("error")),
    "not_rate_limited": never(lambda c: c["http_status"] in (429, 503)),
    "never_both": never(lambda c: answered(c) and c["error"] is not None),
    "says_how_it_ended": require(lambda c: c["finish_reason"], answered),
    "ends_in_known_ways": require(lambda c: c["finish_reason"] in ENDINGS, has("finish_reason")),
    "not_cut_off": never(
        lambda c: c["finish_reason"].lower() in ("length", "max_tokens"), has("finish_reason")
    ),
    "tool_endings_have_tools": require(
        lambda c: c["tool_calls"], lambda c: c["finish_reason"] in ("tool_calls", "tool_use")
    ),
    "says_something": require(lambda c: c["output"] or c["tool_calls"], answered),
    "tokens_add_up": require(adds_up, counted("total")),
    "cache_is_part_of_input": require(
        lambda c: count(c, "cached") <= count(c, "in"), lambda c: (count(c, "cached") or 0) > 0
    ),
    "stays_within_its_limit": require(
        lambda c: count(c, "out") <= param(c, "max_tokens"), lambda c: param(c, "max_tokens") is not None
    ),
    "short_prompts": require(lambda c: count(c, "in") <= 10000),
    "thinks_less_than_it_says": require(
        lambda c: count(c, "reasoning") <= count(c, "out"), lambda c: (count(c, "reasoning") or 0) > 0
    ),
    "quick": require(lambda c: c["latency_ms"] <= 20_000, has("latency_ms")),
    "quick_for_its_length": require(
        lambda c: whole_milliseconds(c) <= 2000 + 50 * count(c, "out"),
        lambda c: c["latency_ms"] is not None and counted("out")(c),
    ),
    "latency_names_its_clock": require(lambda c: has("latency_ms")(c) == has("latency_source")(c)),
    "cheap": require(lambda c: c["cost"] <= 0.002, has("cost")),
    "recorded_lately": require(lambda c: c["ts"] >= "2025-07-01", has("ts")),
    "by_day": require(lambda c: 6 <= day_and_time(c).hour < 22, has("ts")),
    "asks_for_offered_tools": require(
        lambda c: {t["name"] for t in c["tool_calls"]} <= set(c["tools_offered"]), has("tools_offered")
    ),
    "arguments_are_objects": require(
        lambda c: all(isinstance(t["arguments"], dict) for t in c["tool_calls"])
    ),
    "weather_of_a_place": require(
        lambda c: all(len(t["arguments"]["city"]) > 0 for t in weather_calls(c)), weather_calls
    ),
    "calls_can_be_answered": require(has_own_ids, lambda c: c["tool_calls"]),
    "hosts_are_hosts": require(lambda c: fits(r"[a-z0-9.-]+(:\d+)?", c["provider_host"]) and c["model"]),
    "cool_heads": require(
        lambda c: param(c, "temperature") <= 0.5, lambda c: param(c, "temperature") is not None
    ),
}
