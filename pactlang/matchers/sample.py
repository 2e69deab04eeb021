"""A sample of the texts that pacts are about: what a byte's rarity and an engine's speed are judged by.

It decides which way is fast, never what is found.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise

PROSE = """\
Thank you for your message. I have looked at your order and the parcel left our warehouse on Monday, so it
should arrive within two or three days. If you would like to change the address, please tell me the street,
the number and the postcode, and I will see what can be done. The refund of 49.90 EUR was sent to the card
that you paid with; banks usually need 3-5 business days. Is there anything else that I can help you with?

As for the question about the report: revenue in the second quarter was 12,480,000, about 8% more than in
2024, and the margin rose from 31.2 to 33.5 percent. Our team thinks that the growth will be slower next year
because costs for energy and staff keep rising. However, these figures are not final, and we can't promise
anything. You'll find the details in the attachment; don't hesitate to ask when something isn't clear.

1. Open the settings and choose "Account".
2. Click on "Reset password" and follow the steps.
3. Wait until the e-mail with the link has come (it may take 10 minutes), then sign in again.
"""
CODE = """\
{"id": "call-20391", "model": "large-2", "ok": true, "latency_ms": 1284.5, "tool": "lookup_order",
 "arguments": {"order_id": 77120, "fields": ["status", "items", "total"]}, "error": null}
def total(items, rate=0.19):
    return sum(item.price * item.count for item in items) * (1 + rate)
2025-11-03T14:22:07Z INFO  worker[12]: request served in 0.032 s (status=200, bytes=5120)
[{"order": "W5918442", "item": 9132856470, "price": 15873.2, "at": 1731422400123, "zip": "90210"},
 {"order": "#A4417086", "card_7729153": {"last": "4471"}, "user": "amelia_7726", "phone": "555-0142-881"}]
reservation HAT136, 2024-05-15 20:00:00, flight UA1187 to SFO, gate C12, IBAN DE89370400440532013000
SELECT name, city FROM customers WHERE country = 'DE' ORDER BY name LIMIT 20;
https://www.example.com/help/orders?lang=en&page=2  <p class="note">See <a href="/faq">FAQ</a></p>
"""
OTHER = """\
Natürlich können wir Ihnen die Rechnung noch einmal schicken. Votre commande a été expédiée à l'adresse
indiquée. ¿Podría confirmar el número de pedido? Спасибо за обращение.
您的订单已经发货。 ありがとうございます 🙂
"""
RARE = 0.2  # times that a byte is taken to occur beside what is counted


@cache
def sample() -> bytes:
    """A few KB of text."""
    return (PROSE * 3 + CODE + OTHER).encode()


@cache
def frequencies() -> tuple[float, ...]:
    """How often each byte stands at a place of a text."""
    text = sample()
    return tuple((text.count(byte) + RARE) / (len(text) + 256 * RARE) for byte in range(256))


def _kind(byte: int) -> int:
    """Digits, small letters, capitals, blanks, other signs of ASCII, what is beyond."""
    char = chr(byte)
    if byte >= 128:
        return 5
    tests = (char.isdigit(), char.islower(), char.isupper(), char.isspace(), True)
    return tests.index(True)


KINDS = tuple(_kind(byte) for byte in range(256))
COUNT = max(KINDS) + 1


@cache
def shares(of: int) -> tuple[float, ...]:
    """Of a set of bytes, an int with a bit for each: what part of each kind's occurrences it takes."""
    known, found, whole = frequencies(), [0.0] * COUNT, [0.0] * COUNT
    for byte, kind in enumerate(KINDS):
        whole[kind] += known[byte]
        if of >> byte & 1:
            found[kind] += known[byte]
    return tuple(part / all for part, all in zip(found, whole, strict=True))


@cache
def of_kinds() -> tuple[float, ...]:
    """How often a byte of each kind stands at a place."""
    known = frequencies()
    return tuple(sum(known[b] for b in range(256) if KINDS[b] == kind) for kind in range(COUNT))


@cache
def follows() -> tuple[tuple[float, ...], ...]:
    """How often each kind stands behind each: digits come in runs."""
    counts = [[1.0] * COUNT for _ in range(COUNT)]
    for a, b in pairwise(sample()):
        counts[KINDS[a]][KINDS[b]] += 1
    return tuple(tuple(count / sum(row) for count in row) for row in counts)


@cache
def likely(string: tuple[int, ...]) -> float:
    """How often a string of sets of bytes stands at a place of a text, about."""
    after = follows()
    at = [1.0]
    if string:
        at = [share * part for share, part in zip(of_kinds(), shares(string[0]), strict=True)]
    for of in string[1:]:
        mine = shares(of)
        at = [
            sum(at[j] * after[j][k] for j in range(COUNT)) * mine[k] if mine[k] else 0.0 for k in range(COUNT)
        ]
    return sum(at)
