"""The reference workload end to end: 20 rules, from JSON bytes to a verdict that is read.

Against decoding alone, with the extra `fast` and in a process that lacks it; against JSON Schema and
hand-written Python; and beside the general engines, each on the form that it takes.

    python -m benchmarks --only rules
"""

from __future__ import annotations

import json
import operator
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import calls
import engines
import rules
from engines import PEERS, Peer
from measure import (
    Cost,
    Row,
    Side,
    agree,
    at_most,
    detail,
    faster,
    installed,
    options,
    parse,
    race,
    report,
    short,
)
from verdicts import joined, mask, masks, ok

import pactlang

HERE = Path(__file__).parent
FAST = "hyperscan"
SAME = "the same run"


class Wanted(NamedTuple):
    """What the reference says of a record, and what decoding it must give."""

    mask: int
    tokens: int


def wanted_of(line: bytes) -> Wanted:
    record = engines.as_struct(line)
    return Wanted(rules.check(record), record.output_tokens)


def is_ok(wanted: Wanted) -> bool:
    return not wanted.mask


def ours() -> pactlang.Evaluator:
    return pactlang.Evaluator(pactlang.compile((HERE / "reference.pact").read_text("utf-8")))


def own_sides(evaluator: pactlang.Evaluator) -> list[Side]:
    """Ours and the decoding of the full record alone, whose result is read too."""
    return [
        Side("pactlang", evaluator.check_json, ok, is_ok),
        Side("msgspec", engines.as_struct, operator.attrgetter("output_tokens"), operator.itemgetter(1)),
    ]


def peer_side(peer: Peer) -> Side:
    return Side(peer.package, peer.from_json, None, lambda wanted: peer.says(wanted.mask), every=peer.every)


def formed_side(peer: Peer) -> Side:
    """The evaluation alone: what the engine takes is made beforehand."""

    def made(part: Sequence[bytes]) -> list[object]:
        return [peer.form(line) for line in part]

    return peer_side(peer)._replace(check=peer.check, made=made)


def headlines(lines: list[bytes], wanted: list[Wanted], rounds: int, peers: list[Peer]) -> dict[str, Cost]:
    """One run of what the targets are about."""
    evaluator = ours()
    mine = own_sides(evaluator)
    agree([Side("pactlang", evaluator.check_json, mask, operator.itemgetter(0))], lines, wanted)
    batch = Side("check_lines", evaluator.check_lines, masks, operator.itemgetter(0), joined)
    sides = [*mine, batch, *(peer_side(peer)._replace(every=1) for peer in peers)]
    agree(sides, lines, wanted)
    return race(sides, lines, wanted, rounds)


def without_fast(chosen: Sequence[str]) -> dict[str, Cost]:
    """The same run in a process in which the extra cannot be imported."""
    command = [sys.executable, __file__, "--without-fast", *chosen]
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return {name: Cost(*each) for name, each in found.items()}


def rows(costs: dict[str, Cost], slower: dict[str, Cost]) -> list[Row]:
    own, how = costs["pactlang"], detail(costs)
    decoding = "20 rules, JSON bytes to verdict, against msgspec decoding the full record alone"
    plain = slower["pactlang"] / slower["msgspec"]
    found = [
        at_most(decoding, 1.45, own / costs["msgspec"], how, True),
        at_most(f"{decoding}, without the extra `fast`", 1.9, plain, detail(slower), True),
    ]
    if "jsonschema-rs" in costs:
        ratio = costs["jsonschema-rs"] / own
        found.append(
            faster(
                "20 rules, JSON bytes to verdict, against jsonschema-rs `iter_errors` on 17 of the rules",
                3,
                ratio,
                SAME,
                True,
            )
        )
    python = costs["hand-written Python"] / own
    return [
        *found,
        faster("20 rules, JSON bytes to verdict, against hand-written Python", 25, python, SAME, True),
    ]


# The general engines ----------------------------------------------------------------------------------


class Line(NamedTuple):
    """A row of the table of engines; microseconds per record."""

    engine: str
    rules: str
    takes: str
    from_json: str
    evaluation: str
    cost: str
    records: str


HEADS = ("engine", "rules", "takes", "from_json", "evaluation", "cost", "records")


def table(lines: list[bytes], wanted: list[Wanted], rounds: int, peers: list[Peer]) -> list[Line]:
    evaluator = ours()
    own = Peer("pactlang", engines.ALL, "the JSON bytes; a Struct", engines.as_struct, evaluator.check)
    first = own_sides(evaluator)[0]
    whole = [first, *(peer_side(peer) for peer in peers)]
    alone = [formed_side(own)._replace(read=ok, says=is_ok), *(formed_side(peer) for peer in peers)]
    agree(whole, lines, wanted)
    agree(alone, lines, wanted)
    ends, parts = race(whole, lines, wanted, rounds), race(alone, lines, wanted, rounds)
    return [line(peer, ends[peer.package], parts[peer.package], ends["pactlang"]) for peer in [own, *peers]]


def line(peer: Peer, end: Cost, part: Cost, own: Cost) -> Line:
    why = f"; {peer.why}" if peer.why else ""
    return Line(
        peer.package,
        f"{peer.rules.bit_count()}{why}",
        peer.takes,
        microseconds(end),
        microseconds(part),
        f"{end / own:,.1f}x",
        f"{end.inputs:,}",
    )


def microseconds(cost: Cost) -> str:
    return f"{short(cost.least / 1000)} ({short(cost.median / 1000)})"


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--without-fast", action="store_true", help=f"as if {FAST} were not installed")
    chosen = parse(parser)
    if chosen.without_fast:
        sys.modules[FAST] = None  # type: ignore[assignment]  # what makes an import fail
    lines = list(calls.lines(chosen.records))
    wanted = [wanted_of(each) for each in lines]
    if chosen.without_fast:
        print(json.dumps(headlines(lines, wanted, chosen.rounds, [])))
        return
    found, _ = installed(list(PEERS))
    peers = [engines.python(), *(PEERS[package]() for package in found)]
    costs = headlines(lines, wanted, chosen.rounds, peers[: 1 + ("jsonschema-rs" in found)])
    same = ["--records", str(chosen.records), "--rounds", str(chosen.rounds)]
    found_rows = rows(costs, without_fast(same))
    report("rules", found_rows, chosen, ["msgspec", "jsonschema-rs", FAST])
    about = (
        "Microseconds per record, the least and in brackets the median; `cost` is from JSON, against ours."
    )
    few = max(1, chosen.rounds // 5)
    report("engines", table(lines, wanted, few, peers), chosen, list(PEERS), about, HEADS)


if __name__ == "__main__":
    main()
