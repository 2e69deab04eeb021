"""What becomes of data: requests, responses and records are read into the call that is judged.

In: a `Verification` and whatever the application has.  Out: fields of its call.  What cannot be read makes
the call undecodable; nothing is raised into the application.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from pactlang.errors import RecordError
from pactlang.guard.answers import Unreadable, bulk, read_answer
from pactlang.guard.books import LARGE
from pactlang.guard.call import Call
from pactlang.guard.result import Verification
from pactlang.values import parse_timestamp

Extract = Callable[[Any], Any]
Prices = Mapping[str, tuple[float, float]]

PLAIN = (dict, list, tuple, bytes, bytearray)  # data whose size is told before it is read


def read_into(one: Verification, read: Callable[[Any, Any], None], data: Any) -> None:
    """Put data into the call, later if there is much of it; a reader that fails makes it undecodable."""

    if isinstance(data, PLAIN) and bulk(data, LARGE) > LARGE:
        one._late = [*(one._late or ()), functools.partial(_read_now, one, read, data)]
    else:
        _read_now(one, read, data)


def _read_now(one: Verification, read: Callable[[Any, Any], None], data: Any) -> None:
    try:
        read(one.call, data)
    except RecordError as error:
        one.error = one.error or error
    except Exception as error:
        reason = f"{type(error).__name__} while it was read: {error}"
        one.error = one.error or Unreadable(reason)


def extracted(extract: Extract, call: Call, response: Any) -> None:
    found = extract(response)
    if isinstance(found, Mapping):
        set_fields(call, found)
    else:
        read_answer(call, found)


def set_fields(call: Call, fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        try:
            setattr(call, name, value)
        except AttributeError:
            raise TypeError(f"the pact's Call has no field `{name}`") from None


def price_of(call: Call, prices: Prices) -> None:
    """USD from tokens, at the price of the model that answered, or of the one that was asked."""
    price = prices.get(call.response_model or "") or prices.get(call.model or "")
    usage = call.usage
    if price is not None and call.cost is None and usage.input_tokens is not None:
        call.cost = (usage.input_tokens * price[0] + (usage.output_tokens or 0) * price[1]) / 1e6


def read_time(call: Call, one: Verification) -> None:
    """The time of a record that was made elsewhere, whether or not a clause reads it."""
    try:
        at = parse_timestamp(call.time or "")
    except ValueError as error:
        raise RecordError(str(error), "$.time") from None
    one._time = at.seconds * 10**9 + at.nanos
