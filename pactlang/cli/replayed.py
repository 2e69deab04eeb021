"""What a replay came to: whether the new pact is weaker on what happened, and the same as JSON data, whose
keys are documented in the README.

In: a `Comparison` of which all has been read.  Out: a `Replay`; dicts and lists that any JSON decoder takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pactlang.cli.changes import rest
from pactlang.cli.evidence import plain
from pactlang.cli.facts import plural
from pactlang.cli.flips import CALLS, OUTCOMES, PASSES, UNTOLD
from pactlang.cli.tally import VIOLATED
from pactlang.score.evidence import NEVER
from pactlang.score.shape import rfc3339

if TYPE_CHECKING:
    from pactlang.cli.audit import Place
    from pactlang.cli.changes import Change
    from pactlang.cli.flips import Comparison, Flip, Track
    from pactlang.cli.scoring import Scoring
    from pactlang.score import Score

SIDES = ("old", "new")


@dataclass(frozen=True)
class Replay:
    """Two judgements of the same calls.  scores: of both at one time, that of the newest call.  rest: what
    differs in the pacts beside their clauses."""

    comparison: Comparison
    scores: tuple[Score, Score]
    rest: list[str]

    @property
    def scorings(self) -> tuple[Scoring, Scoring]:
        """The old side and the new one."""
        old, new = self.comparison.sides
        return old.scoring, new.scoring

    @property
    def broken(self) -> int:
        """Calls that the old pact holds for broken."""
        return int(self.comparison.calls.counts[VIOLATED].sum())

    @property
    def passes(self) -> int:
        """Of these, those that pass under the new one."""
        return self.comparison.calls.total([VIOLATED], PASSES)

    @property
    def untold(self) -> int:
        """Of these, those of which it is not known under the new one."""
        return self.comparison.calls.total([VIOLATED], UNTOLD)

    @property
    def breaks(self) -> int:
        """Calls that pass under the old pact and are broken under the new one."""
        return self.comparison.calls.total(PASSES, [VIOLATED])

    @property
    def is_weaker(self) -> bool:
        """Whether the new pact passes a broken call, or takes one less gravely."""
        return bool(self.passes or self.comparison.softer)

    @property
    def is_stricter(self) -> bool:
        """Whether the new pact breaks a call that passed, or takes a broken one more gravely."""
        return bool(self.breaks or self.comparison.harder)

    @property
    def differs(self) -> bool:
        """Whether any call has another outcome, as a whole or by a clause."""
        return self.is_weaker or self.is_stricter or any(track.flipped for track in self.comparison.tracks)

    @property
    def records(self) -> int:
        """Records that were read, or could not be."""
        return int(self.comparison.calls.counts.sum())

    def clauses(self) -> list[tuple[Change, Track]]:
        """Each name of a clause, and what became of its verdicts."""
        return [*zip(self.comparison.changes, self.comparison.clauses, strict=True)]


def replay_of(comparison: Comparison) -> Replay:
    """A comparison with the scores of both sides at the time of the newest call of either."""
    old, new = (side.scoring for side in comparison.sides)
    newest = max(old.whole.tally.newest, new.whole.tally.newest)
    now = None if newest == NEVER else newest
    scores = old.whole.score(now), new.whole.score(now)
    return Replay(comparison, scores, rest(old.program, new.program))


def answer(replay: Replay) -> str:
    """Whether the new pact is weaker on what happened, in one sentence."""
    for name, scoring in zip(("OLD", "NEW"), replay.scorings, strict=True):
        if scoring.outcome.is_blind:
            return f"Nothing can be said: no record has a field that {name} reads."
    if not replay.records:
        return "Nothing can be said: there are no records."
    held = f"{plural(replay.broken, 'call')} that OLD holds for broken"
    if replay.is_weaker:
        return f"NEW is weaker on what happened: {', '.join(_weaker(replay, held))}."
    if not replay.broken:
        return "NEW is not weaker on what happened: OLD holds no call for broken."
    if replay.untold:
        doubt = f"of {replay.untold:,} of {held} it is not known under NEW"
        return f"NEW is not weaker on what is known; {doubt}."
    which = "the 1 call" if replay.broken == 1 else f"all {replay.broken:,} calls"
    same = f"{which} that OLD holds for broken {_be(replay.broken)} broken under NEW"
    return f"NEW is not weaker on what happened: {same}."


def _weaker(replay: Replay, held: str) -> Iterator[str]:
    many, softer = replay.passes, replay.comparison.softer
    if many:
        yield f"{many:,} of {held} {'passes' if many == 1 else 'pass'} under NEW"
    if softer:
        yield f"{softer:,}{'' if many else f' of {held}'} {_be(softer)} broken less gravely"
    if replay.untold:
        yield f"of {replay.untold:,} it is not known"


def _be(many: int) -> str:
    return "is" if many == 1 else "are"


def reverse(replay: Replay) -> str:
    """Whether the new pact is stricter on what happened, in one sentence."""
    if not replay.is_stricter:
        return "NEW is not stricter: no call that passes under OLD is broken under NEW."
    return f"NEW is stricter: {', '.join(_stricter(replay))}."


def _stricter(replay: Replay) -> Iterator[str]:
    many, harder = replay.breaks, replay.comparison.harder
    if many:
        passing = f"{plural(many, 'call')} that {'passes' if many == 1 else 'pass'} under OLD"
        yield f"{passing} {_be(many)} broken under NEW"
    if harder:
        yield f"{plural(harder, 'broken call')} {_be(harder)} broken more gravely"


# JSON ---------------------------------------------------------------------------------------------


def data(replay: Replay) -> dict[str, Any]:
    """The answer, then the calls, the clauses and the score, then how the run went."""
    comparison, outcomes = replay.comparison, [each.outcome for each in replay.scorings]
    return {
        "format": "pactlang.replay/1",
        "answer": answer(replay),
        "weaker": {
            "broken": replay.broken, "pass": replay.passes, "less_grave": comparison.softer,
            "not_known": replay.untold,
        },
        "stricter": {"broken": replay.breaks, "more_grave": comparison.harder},
        "pacts": _both(_pact(each) for each in replay.scorings),
        "calls": {"outcomes": _matrix(comparison.calls), "flips": _flips(comparison.calls)},
        "clauses": [_clause(replay, *each) for each in replay.clauses()],
        "other_changes": replay.rest,
        "score": _score(*replay.scores),
        "records": replay.records,
        "files": [plain(name) for name in outcomes[0].files],
        "warnings": _both([plain(said) for said in each.warnings()] for each in outcomes),
        "notices": [plain(said) for said in notices(replay)],
        "errors": [plain(said) for said in errors(replay)],
        "interrupted": outcomes[0].interrupted,
    }  # fmt: skip


def notices(replay: Replay) -> list[str]:
    """What there is to say of the inputs, each once."""
    return [*dict.fromkeys(said for each in replay.scorings for said in each.outcome.notices)]


def errors(replay: Replay) -> list[str]:
    """What could not be read, each once."""
    return [*dict.fromkeys(said for each in replay.scorings for said in each.outcome.errors)]


def _both(found: Any) -> dict[str, Any]:
    return dict(zip(SIDES, found, strict=True))


def _pact(scoring: Scoring) -> dict[str, Any]:
    program, total = scoring.program, scoring.audit.total
    return {
        "file": plain(scoring.outcome.pact), "pact": program.name, "version": program.version,
        "digest": program.digest, "record": program.schema.root, "undecodable": total.undecodable,
    }  # fmt: skip


def words(track: Track) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a track's old and new outcomes are called."""
    old, new = (CALLS if at is None else OUTCOMES for at in (track.old, track.new))
    return old, new


def _matrix(track: Track) -> dict[str, dict[str, int]]:
    """Old outcome to new outcome to number of calls, where there are some."""
    old, new = words(track)
    found: dict[str, dict[str, int]] = {}
    for (a, b), many in np.ndenumerate(track.counts):
        if many:
            found.setdefault(old[a], {})[new[b]] = int(many)
    return found


def _flips(track: Track) -> list[dict[str, Any]]:
    old, new = words(track)
    return [
        {
            "old": old[a], "new": new[b], "calls": many,
            "examples": [_flip(each) for each in track.flips.get((a, b), ())],
        }
        for a, b, many in track.pairs()
    ]  # fmt: skip


def _flip(flip: Flip) -> dict[str, Any]:
    later = None if flip.resolved is None else _place(flip.resolved)
    return {**_place(flip.place), "message": plain(flip.message), "resolved": later}


def _place(place: Place) -> dict[str, Any]:
    return {"file": plain(place.file), "line": place.line, "id": plain(place.id)}


def _clause(replay: Replay, change: Change, track: Track) -> dict[str, Any]:
    sides, numbers = replay.comparison.sides, (change.old, change.new)
    severities = (
        None if at is None else side.program.clauses[at].severity
        for side, at in zip(sides, numbers, strict=True)
    )
    hidden = (
        [] if at is None else [{"reason": why, "calls": n} for why, n in sorted(side.hidden[at].items())]
        for side, at in zip(sides, numbers, strict=True)
    )
    return {
        "clause": change.name, "change": change.kind, "parts": list(change.parts),
        "digest": _both(each or None for each in change.digests), "severity": _both(severities),
        "outcomes": _matrix(track), "flips": _flips(track), "not_held": _both(hidden),
    }  # fmt: skip


def _score(old: Score, new: Score) -> dict[str, Any]:
    return {"now": rfc3339(new.now), "old": old.json(), "new": new.json(), "moved": moved(old, new)}


def moved(old: Score, new: Score) -> dict[str, float | None]:
    """By how many points value and bounds moved; null where one side has none, and between two scales."""
    pairs = {name: (getattr(old, name), getattr(new, name)) for name in ("value", "lower", "upper")}
    return {name: difference(*pair) if old.scale == new.scale else None for name, pair in pairs.items()}


def difference(old: float | None, new: float | None) -> float | None:
    """Points from one to the other, of which there are at most ten decimals."""
    return None if old is None or new is None else round(new - old, 10)
