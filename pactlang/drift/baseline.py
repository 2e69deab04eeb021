"""Baselines: how something was distributed over a log, for `watch distribution(x) against "NAME"`.

In: values of a log, the bytes of a file.  Out: `ir.Base`, the bytes of a file.

The bins are chosen on the first third of the values, and how often each was hit is counted on the rest, so
that no bin was chosen for what it is counted by.  What a detector holds a bin to is the upper end of a
confidence sequence for its share (beta-binomial, a = b = 1/2), at `delta` divided by the number of bins: with
probability 1 - delta all shares of the log lie below, and then the promise of the watch holds.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from hashlib import sha256
from typing import Any

from pactlang.ir import Base

FORMAT = "pactlang baseline, version 1"
SUFFIX = ".base"
MOST_BYTES = 1 << 20
FEWEST = 100  # values of a baseline
TEXTS = 16  # that have a bin of their own
SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)  # of the values below an edge
DELTA = Fraction(1, 20)
NANO = 10**9
MOST_PARTS = 24


class BaselineError(ValueError):
    """Why a file is no baseline, or a log gives none."""


def draft(of: str, kind: str) -> Base:
    """A baseline of nothing, to look at a log with."""
    return Base(of, kind, (), (), (0, 0), ((1, 2), (1, 2)), 0, (1, 20), "")


def measure(of: str, kind: str, values: Sequence[Any], delta: Fraction = DELTA) -> Base:
    """The baseline of numbers, or of texts; None is a value.  BaselineError for too few."""
    if len(values) < FEWEST:
        raise BaselineError(f"{len(values)} values are too few: a baseline needs {FEWEST}")
    first, rest = values[: len(values) // 3], values[len(values) // 3 :]
    edges = _edges([x for x in first if x is not None]) if kind == "numbers" else ()
    texts = _texts(first) if kind == "texts" else ()
    hits = Counter(part_of(value, edges, texts, kind) for value in rest)
    counts = tuple(hits[part] for part in range(len(edges) + len(texts) + 2))
    alpha = float(delta) / len(counts)
    rates = tuple(_nanos(upper(count, len(rest), alpha)) for count in counts)
    return sealed(Base(of, kind, edges, texts, counts, rates, len(rest), delta.as_integer_ratio(), ""))


def part_of(value: Any, edges: Sequence[float], texts: Sequence[str], kind: str) -> int:
    """The bin of a value: of numbers those between edges, then that of null; of texts each its own, then that
    of null and that of all others."""
    if kind == "texts":
        return len(texts) if value is None else texts.index(value) if value in texts else len(texts) + 1
    return len(edges) + 1 if value is None else sum(value > edge for edge in edges)


def _edges(values: Iterable[float]) -> tuple[float, ...]:
    """Nearest-rank quantiles, each once."""
    ranked = sorted(map(float, values))
    return tuple(sorted({ranked[max(0, math.ceil(q * len(ranked)) - 1)] for q in SHARES})) if ranked else ()


def _texts(values: Iterable[str | None]) -> tuple[str, ...]:
    found = Counter(value for value in values if value is not None)
    return tuple(text for text, _ in sorted(found.items(), key=lambda item: (-item[1], item[0]))[:TEXTS])


def _nanos(share: float) -> tuple[int, int]:
    return min(math.ceil(share * NANO), NANO - 1), NANO


def upper(count: int, calls: int, alpha: float) -> float:
    """The upper end of the confidence sequence for a share, after so many hits in so many calls."""
    evidence = _log_beta(0.5 + count, 0.5 + calls - count) - _log_beta(0.5, 0.5) + math.log(alpha)
    low, high = count / calls, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        against = count * math.log(middle) if count else 0.0
        against += (calls - count) * math.log1p(-middle) if middle < 1 and count < calls else 0.0
        low, high = (middle, high) if evidence < against else (low, middle)
    return high


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def names(base: Base) -> list[str]:
    """What each part is, in words."""
    if base.kind == "texts":
        return [*(json.dumps(text, ensure_ascii=False) for text in base.texts), "null", "another text"]
    if not base.edges:
        return ["a number", "null"]
    between = [f"above {a:.6g}, up to {b:.6g}" for a, b in zip(base.edges, base.edges[1:], strict=False)]
    return [f"up to {base.edges[0]:.6g}", *between, f"above {base.edges[-1]:.6g}", "null"]


def stability(base: Base, hits: Sequence[float]) -> float:
    """The population stability index of hits against the baseline; it describes, and decides nothing"""
    total, found = sum(hits), 0.0
    for hit, count in zip(hits, base.counts, strict=True):
        now, then = (hit + 0.5) / (total + 1), (count + 0.5) / (base.calls + 1)
        found += (now - then) * math.log(now / then)
    return found


# The file ----------------------------------------------------------------------------------------------


def sealed(base: Base) -> Base:
    """The baseline with its digest."""
    body = json.dumps(_data(base), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    made = sha256(f"{FORMAT}\n{body}".encode()).hexdigest()
    return Base(
        base.of, base.kind, base.edges, base.texts, base.counts, base.rates, base.calls, base.delta, made
    )


def _data(base: Base) -> dict[str, Any]:
    return {
        "of": base.of, "kind": base.kind, "edges": list(base.edges), "texts": list(base.texts),
        "counts": list(base.counts), "most": [f"{n / d:.9f}" for n, d in base.rates], "calls": base.calls,
        "delta": f"{base.delta[0] / base.delta[1]:.9f}",
    }  # fmt: skip


def write(bases: Iterable[Base]) -> bytes:
    """The file of some baselines."""
    found = [{**_data(base), "digest": base.digest} for base in bases]
    text = json.dumps({"format": FORMAT, "distributions": found}, ensure_ascii=False, indent=2)
    return (text + "\n").encode()


def read(data: bytes) -> dict[str, Base]:
    """The baselines of a file by what they are of.  BaselineError for what `write` would not write."""
    try:
        whole = json.loads(data.decode("utf-8"))
        if not isinstance(whole, dict) or whole.get("format") != FORMAT:
            raise BaselineError(f"it is no {FORMAT}")
        bases = [_base(entry) for entry in whole["distributions"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        why = str(error) if isinstance(error, BaselineError) else f"it is damaged ({type(error).__name__})"
        raise BaselineError(why) from None
    return {base.of: base for base in bases}


def _base(entry: dict[str, Any]) -> Base:
    made = Base(
        str(entry["of"]), str(entry["kind"]), tuple(map(float, entry["edges"])),
        tuple(map(str, entry["texts"])), tuple(map(int, entry["counts"])),
        tuple((round(Fraction(most) * NANO), NANO) for most in entry["most"]), int(entry["calls"]),
        Fraction(entry["delta"]).as_integer_ratio(), "",
    )  # fmt: skip
    parts = (len(made.texts) if made.kind == "texts" else len(made.edges)) + 2
    ordered = all(a < b for a, b in zip(made.edges, made.edges[1:], strict=False)) and len(
        set(made.texts)
    ) == len(made.texts)
    shares = all(0 < n < d for n, d in made.rates) and all(map(math.isfinite, made.edges))
    sizes = parts == len(made.counts) == len(made.rates) <= MOST_PARTS
    if made.kind not in ("numbers", "texts") or not sizes:
        raise BaselineError("its bins do not fit each other")
    counted = min(made.counts) >= 0 and sum(made.counts) == made.calls >= 1
    if not ordered or not shares or not counted:
        raise BaselineError("a number of it is out of range")
    if sealed(made).digest != entry["digest"]:
        raise BaselineError("it was changed: its digest is not right")
    return sealed(made)
