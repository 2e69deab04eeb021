"""The score of a guard: the same as of a scorer that is given the same verdicts."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import pactlang
from pactlang import Guard, Scorer

PLAIN = """pact p "1.0.0"
clause short { dimension safety require size(output) < 9 }
clause cheap { dimension cost severity minor when has(cost) require cost < 1.0 }
score { half_life 1d }
"""
REMEMBERS = """pact p "1.0.0"
event ask when tool == "ask"
event answer when tool == "answer"
clause short { dimension safety require size(output) < 9 }
clause answered { dimension care after ask expect answer within 1 calls }
score { half_life 1d }
"""
START = datetime(2026, 1, 1, tzinfo=UTC)


def calls(count: int) -> list[dict[str, Any]]:
    return [
        {
            "id": str(at), "session": f"s{at % 7}", "output": "far too long" if at % 11 == 0 else "",
            "tool": "ask" if at % 3 == 0 else "answer", "cost": at % 13 / 10,
            "time": (START + timedelta(minutes=at)).isoformat(),
        }
        for at in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("text", [PLAIN, REMEMBERS])
@pytest.mark.parametrize("stored", [False, True])
def test_the_score_is_that_of_the_verdicts(text: str, stored: bool, tmp_path: Path) -> None:
    program = pactlang.compile(text)
    monitor, wanted = pactlang.Monitor(program), Scorer(program)
    with Guard(program, ledger=tmp_path / "ledger" if stored else None) as guard:
        for at, record in enumerate(calls(400)):
            guard.record(record)
            wanted.add(monitor.feed({**record, "seq": at // 7}), at)
            for amendment in monitor.amendments:
                wanted.add(amendment)
        score, right = guard.score(), wanted.score()
        assert (score.value, score.lower, score.upper) == (right.value, right.lower, right.upper)
        assert score.dimensions == right.dimensions
        assert score.coverage == right.coverage and score.coverage.missing == 0
        assert Scorer.from_bytes(program, guard.score_state()).score() == score


def test_workers_add_up() -> None:
    program = pactlang.compile(PLAIN)
    guards, records = [Guard(program) for _ in range(3)], calls(300)
    for at, record in enumerate(records):
        guards[at % 3].record(record)
    whole = Scorer(program)
    for guard in guards:
        whole.merge(Scorer.from_bytes(program, guard.score_state()))
    assert whole.score().coverage.calls == 300 and whole.score().coverage.missing == 0
    with pytest.raises(ValueError, match="both"):
        whole.merge(Scorer.from_bytes(program, guards[0].score_state()))
    for guard in guards:
        guard.close()


def test_asking_while_calls_come_in() -> None:
    program = pactlang.compile(PLAIN)
    with Guard(program) as guard:
        records = calls(2000)

        def work(part: int) -> None:
            for record in records[part::4]:
                guard.record(record)

        threads = [threading.Thread(target=work, args=(part,)) for part in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            guard.score()
        guard.flush_sync()
        assert guard.score().coverage.calls == 2000


def test_a_record_that_cannot_be_read_is_dropped_in_the_open() -> None:
    program = pactlang.compile(PLAIN)
    with Guard(program) as guard:
        guard.record(calls(1)[0])
        guard.record({"output": 7, "time": START.isoformat()})
        guard.flush_sync()
        assert guard.score().coverage.dropped == 1


def test_a_fault_of_the_score_is_counted_and_reaches_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    with Guard(pactlang.compile(PLAIN)) as guard:
        monkeypatch.setattr(guard._books, "scorer", None)
        guard.record(calls(1)[0])
        assert guard.counts.judged == 1 and guard.counts.unscored == 1
