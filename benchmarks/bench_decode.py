"""From the bytes of a record to its verdict, beside what decoding alone costs.

14 rules that read no text and all 20, from JSON and from MessagePack, one call each and as lines; by
the machine's own reader and by the projected Struct that msgspec decodes; against msgspec decoding the
whole record, the same from MessagePack, and the floor: a Struct without fields.

    python -m benchmarks --only decode
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import calls
import msgspec
import rules
from measure import Cost, Row, Side, agree, at_most, detail, options, parse, race, report
from verdicts import joined, mask, masks, no_bit, ok

import pactlang

REFERENCE = (Path(__file__).parent / "reference.pact").read_text("utf-8")
NUMBERS = REFERENCE[: REFERENCE.index("// Text:")].replace("  output:         string\n", "")


class Nothing(msgspec.Struct):
    """A record of which nothing is wanted."""


def nothing(_: Any) -> int:
    """What is read of a decoded record, and what must be."""
    return 0


def packed(part: Sequence[bytes]) -> list[bytes]:
    """The records as MessagePack."""
    return [msgspec.msgpack.encode(msgspec.json.decode(line)) for line in part]


def lines(evaluator: pactlang.Evaluator) -> Callable[[bytes], int]:
    return lambda data: masks(evaluator.check_lines(data))


def alone() -> list[Side]:
    """Decoding without a verdict."""
    return [
        Side("msgspec", msgspec.json.Decoder(rules.Call).decode, nothing, nothing),
        Side("floor", msgspec.json.Decoder(Nothing).decode, nothing, nothing),
        Side(
            "msgspec from MessagePack", msgspec.msgpack.Decoder(rules.Call).decode, nothing, nothing, packed
        ),
    ]


def ours(evaluator: pactlang.Evaluator) -> list[Side]:
    """All ways from bytes to a verdict."""
    from_json, check = evaluator.reader.from_json, evaluator.check
    return [
        Side("check_json", evaluator.check_json, ok, no_bit),
        Side("projected Struct", lambda line: check(from_json(line)), ok, no_bit),
        Side("check_msgpack", evaluator.check_msgpack, ok, no_bit, packed),
        Side("check_lines", lines(evaluator), made=joined),
    ]


def compared(evaluator: pactlang.Evaluator, data: list[bytes], wanted: list[int]) -> None:
    """Every mask, on every way in."""
    taken = sum(evaluator.peek(line) is not None for line in data)
    if taken != len(data):
        raise SystemExit(f"the machine's reader left {len(data) - taken} records to msgspec")
    every = [
        Side("check_json", evaluator.check_json, mask),
        Side("projected Struct", lambda line: evaluator.check(evaluator.reader.from_json(line)), mask),
        Side("check_msgpack", evaluator.check_msgpack, mask, made=packed),
        Side("check_lines", lines(evaluator), made=joined),
    ]
    agree(every, data, wanted)


def rows(count: int, costs: dict[str, Cost], limit: float, goal: float) -> list[Row]:
    """The figures of 14 or 20 rules; `goal` is what one call is to reach."""
    full, how = costs["msgspec"], detail(costs)
    figure = f"{count} rules, JSON bytes to verdict, against msgspec decoding the whole record"
    each = "against decoding the whole record from MessagePack"
    return [
        at_most(figure, goal, costs["check_json"] / full, how),
        at_most(
            f"{count} rules, lines to a batch, against the same",
            limit,
            costs["check_lines"] / full,
            "same run",
        ),
        at_most(
            f"{count} rules, MessagePack to verdict, {each}",
            2.5,
            costs["check_msgpack"] / costs["msgspec from MessagePack"],
            "same run",
        ),
        at_most(
            f"{count} rules, the machine's reader against the projected Struct",
            1,
            costs["check_json"] / costs["projected Struct"],
            "same run",
        ),
    ]


def main() -> None:
    chosen = parse(options(__doc__))
    data = list(calls.lines(chosen.records))
    decode = msgspec.json.Decoder(rules.Call).decode
    found: list[Row] = []
    for text, check, count, limit, goal in (
        (NUMBERS, rules.check_numbers, rules.NUMBER_RULES, 1.0, 0.6),
        (REFERENCE, rules.check, rules.RULES, 1.45, 1.45),
    ):
        evaluator = pactlang.Evaluator(pactlang.compile(text))
        wanted = [check(decode(line)) for line in data]
        compared(evaluator, data, wanted)
        costs = race([*ours(evaluator), *alone()], data, wanted, chosen.rounds)
        found += rows(count, costs, limit, goal)
        if count == rules.NUMBER_RULES:
            floor = costs["check_json"] / costs["floor"]
            found.append(
                at_most("14 rules, JSON bytes to verdict, against the floor", 1.3, floor, "same run")
            )
    report("decode", found, chosen, ["msgspec"])


if __name__ == "__main__":
    main()
