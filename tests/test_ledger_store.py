"""`store`: what may not be stored is in no file, what was withheld can be proved, what is old is gone."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from test_ledger import entry, fill, lock

import pactlang
from pactlang.ledger import Entry, Ledger, Reader, StoredEntry
from pactlang.ledger.retain import Clock
from pactlang.ledger.rules import Rules, commitment
from pactlang.program import Program

CARD = "4111 1111 1111 1111"
NO_CARD = "4111 1111 1111 1112"
HEAD = r"""pact p "1.0.0"
pattern card = r"\b(?:\d[ -]?){13,19}\b" check luhn
pattern mail = r"[a-z]+@[a-z.]+"
pattern blank = r"z*"
clause short { require size(output) < 20 }
"""


def compiled(store: str, head: str = HEAD) -> Program:
    return pactlang.compile(f"{head}store {{ {store} }}")


def applied(store: str, call: Any, head: str = HEAD) -> tuple[Any, dict[str, str]]:
    """The call as it is stored, and what was withheld and how."""
    data = call if isinstance(call, bytes) else json.dumps(call).encode()
    left, withheld = Rules(compiled(store, head)).apply(data)
    fields = json.loads(withheld)["fields"] if withheld else {}
    return json.loads(left), {name: kept["how"] for name, kept in fields.items()}


def kept(path: Path, program: Program, *calls: Any, **fields: Any) -> list[StoredEntry]:
    with Ledger(path, program) as ledger:
        for number, call in enumerate(calls):
            ledger.put(entry(number, call=json.dumps(call).encode(), **fields))
    return list(Reader(path).entries())


def bytes_beside(path: Path) -> bytes:
    """All that is in the ledger's folder."""
    return b"".join(file.read_bytes() for file in sorted(path.parent.iterdir()))


# Redaction --------------------------------------------------------------------------------------

CASES: list[tuple[str, Any, Any, dict[str, str]]] = [
    ("redact output card", {"output": f"it is {CARD}."}, {"output": "it is [redacted]."}, {"output": "redacted"}),
    ("redact output card", {"output": f"it is {NO_CARD}."}, {"output": f"it is {NO_CARD}."}, {}),
    ("redact output card", {"output": f"{CARD}, {CARD}"}, {"output": "[redacted], [redacted]"}, {"output": "redacted"}),
    ("redact output card", {"input": CARD}, {"input": CARD}, {}),
    ("redact output mail", {"output": "é a@b.c ü d@e.f ö"}, {"output": "é [redacted] ü [redacted] ö"},
     {"output": "redacted"}),
    ("redact output blank", {"output": "a zz b"}, {"output": "a [redacted] b"}, {"output": "redacted"}),
    ("redact output card; redact output mail", {"output": f"a@b.c {CARD}"}, {"output": "[redacted] [redacted]"},
     {"output": "redacted"}),
    ("redact output", {"output": "secret"}, {"output": "[redacted]"}, {"output": "redacted"}),
    ("redact output", {"output": None}, {"output": None}, {}),
    ("redact cost", {"cost": 1.5}, {"cost": "[redacted]"}, {"cost": "redacted"}),
    ("redact args mail", {"args": {"to": ["a@b.c", 5, {"c@d.e": None}]}},
     {"args": {"to": ["[redacted]", 5, {"[redacted]": None}]}}, {"args": "redacted"}),
    ("redact args mail", {"args": {"to": ["nobody", 5, True, None, 1.5]}},
     {"args": {"to": ["nobody", 5, True, None, 1.5]}}, {}),
    ("redact messages mail", {"messages": [{"role": "user", "content": "a@b.c"}]},
     {"messages": [{"role": "user", "content": "[redacted]"}]}, {"messages": "redacted"}),
    ("drop output", {"output": "x", "input": "y"}, {"input": "y"}, {"output": "dropped"}),
    ("drop output", {"input": "y"}, {"input": "y"}, {}),
    ("drop usage", {"usage": {"input_tokens": 5}, "gen_ai.usage.input_tokens": 5}, {},
     {"usage": "dropped", "gen_ai.usage.input_tokens": "dropped"}),
    ("drop output; redact output card", {"output": CARD}, {}, {"output": "dropped"}),
    ("drop output", {"gen_ai.output.messages": [1], "output.value": "x", "gen_ai.tool.name": "t"},
     {"gen_ai.tool.name": "t"}, {"gen_ai.output.messages": "dropped", "output.value": "dropped"}),
    ("drop output", {"gen_ai": {"output": {"messages": [1], "type": "t"}, "tool": {"name": "t"}}},
     {"gen_ai": {"output": {"type": "t"}, "tool": {"name": "t"}}}, {"gen_ai.output.messages": "dropped"}),
    ("drop output", {"gen_ai": {"output.messages": [1]}}, {"gen_ai": {}}, {"gen_ai.output.messages": "dropped"}),
    ("drop output", {"llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": "x"},
     {}, {"llm.output_messages.0.message.role": "dropped", "llm.output_messages.0.message.content": "dropped"}),
    ("redact session mail", {"session": "a@b.c"}, {"session": "[redacted]"}, {"session": "redacted"}),
]  # fmt: skip


@pytest.mark.parametrize(("store", "call", "left", "how"), CASES, ids=[f"{c[0]}: {c[1]}"[:60] for c in CASES])
def test_rules(store: str, call: Any, left: Any, how: dict[str, str]) -> None:
    assert applied(store, call) == (left, how)


def test_a_field_of_an_own_record_under_its_names() -> None:
    head = """pact p "1.0.0" on Step
    record Step { answer: string? as "raw.answer"  cost: double? }
    clause cheap { require has(cost) }
    """
    assert applied("drop answer", {"raw.answer": "x"}, head) == ({}, {"raw.answer": "dropped"})
    assert applied("drop answer", {"raw": {"answer": "x"}}, head) == ({"raw": {}}, {"raw.answer": "dropped"})
    assert applied("drop answer", {"answer": "x"}, head)[1] == {}


def test_what_is_not_withheld_keeps_its_bytes() -> None:
    call = b'{"a": 1.0, "big": 123456789012345678901234567890, "e": 1e5, "output": "x", "u": "\\u00e9"}'
    left, _ = Rules(compiled("drop output")).apply(call)
    assert left == b'{"a":1.0,"big":123456789012345678901234567890,"e":1e5,"u":"\\u00e9"}'


def test_a_key_that_comes_twice_hides_nothing() -> None:
    left, _ = Rules(compiled("redact output card")).apply(f'{{"output": "{CARD}", "output": "x"}}'.encode())
    assert json.loads(left) == {"output": "x"} and b"4111" not in left


def test_without_rules_the_bytes_stay() -> None:
    call = b' { "output" : "x" , "output" : 1e5 } '
    assert Rules(pactlang.compile(HEAD)).apply(call) == (call, None)


@pytest.mark.parametrize(
    "call", [b"", b"no json", b"[1]", b'"text"', b"\xff", b'{"output": ', b"[" * 100_000]
)
def test_what_cannot_be_looked_into_is_not_stored(call: bytes) -> None:
    left, withheld = Rules(compiled("redact output card")).apply(call)
    assert left == b"{}" and withheld is not None
    assert list(json.loads(withheld)["fields"]) == ["*"]


def test_half_a_surrogate_pair_is_looked_into() -> None:
    left, how = applied("redact output card", b'{"output": "\\ud800 ' + CARD.encode() + b'", "x": "\\udc00"}')
    assert left == {"output": "\ud800 [redacted]", "x": "\udc00"} and how == {"output": "redacted"}


def test_a_search_takes_linear_time() -> None:
    call = {"output": "1 " * 20_000}
    start = time.perf_counter()
    applied("redact output card", call)
    assert time.perf_counter() - start < 10


# In the file ------------------------------------------------------------------------------------


def test_a_secret_is_in_no_file(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    program = compiled("redact output card; drop input; redact session mail; drop seq; drop time")
    ledger = Ledger(path, program, bound=5)
    locked = lock(str(path))
    for number in range(40):
        call = {"output": f"no {CARD}", "input": "hidden words", "session": "jo@x.y"}
        ledger.put(entry(number, call=json.dumps(call).encode(), session="jo@x.y", seq=987_654, time=1.7e9))
    assert ledger.counts.spilled >= 30
    for _ in range(2):
        held = bytes_beside(path)
        assert CARD.encode() not in held and b"hidden words" not in held and b"jo@x" not in held
        if _ == 0:
            locked.close()
            ledger.flush_sync()
    ledger.close()
    stored = list(Reader(path).entries())
    assert len(stored) == 40 and Reader(path).verify().ok
    assert {(e.session, e.seq, e.time) for e in stored} == {("[redacted]", None, None)}


def test_a_commitment_proves_the_original(tmp_path: Path) -> None:
    program = compiled("redact output card; drop args; drop cost")
    call = {"output": f"it is {CARD}", "args": {"b": [1, 2.5, None], "a": "\u00e9"}, "cost": 5}
    first, second = kept(tmp_path / "a.ledger", program, call, call)
    for field, value in call.items():
        assert first.matches(field, value)
    assert first.matches("args", {"a": "\u00e9", "b": [1, 2.5, None]})
    assert not first.matches("output", "it is [redacted]") and not first.matches("cost", 6)
    assert not first.matches("cost", 5.0) and not first.matches("input", "")
    assert first.withheld and second.withheld and first.withheld.salt != second.withheld.salt
    commitments = [{kept.commitment for kept in w.fields.values()} for w in (first.withheld, second.withheld)]
    assert len(commitments[0]) == 3 and not commitments[0] & commitments[1]


def test_a_commitment_is_what_is_documented() -> None:
    import hashlib
    import hmac

    key, text = b"k" * 16, b'args\0{"a":"\\u00e9","b":1}'
    assert commitment(key, "args", {"b": 1, "a": "\u00e9"}) == hmac.new(key, text, hashlib.sha256).hexdigest()


def test_store_changes_no_verdict_and_only_its_own_digest() -> None:
    plain, other = pactlang.compile(HEAD), compiled("drop output")
    call = {"output": "x" * 50}
    assert (
        pactlang.Evaluator(plain).check(call).unknown == pactlang.Evaluator(other).check(call).unknown == ()
    )
    assert not pactlang.Evaluator(other).check(call).ok
    assert plain.digest != other.digest and plain.core.code == other.core.code
    again = pactlang.load(other.to_bytes())
    assert again.core.store == other.core.store == other.module.store and again.digest == other.digest


# Retention --------------------------------------------------------------------------------------


def wait_until(ledger: Ledger, calls: int) -> None:
    end = time.monotonic() + 20
    while ledger.count() != calls and time.monotonic() < end:
        time.sleep(0.02)
    assert ledger.count() == calls


def aged(number: int, days: float | None, **fields: Any) -> Entry:
    return entry(number, time=None if days is None else time.time() - days * 86_400, **fields)


def test_old_calls_go_and_the_chain_stays(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "a.ledger", compiled("keep 90d"))
    ages = [100, 1, 95, 96, 97, 2, None, 99, 300, 3]
    for number, days in enumerate(ages):
        ledger.put(aged(number, days, violated=("short",)))
    ledger.flush_sync()
    wait_until(ledger, 4)
    report = ledger.verify()
    assert report.ok, report.problems
    assert (report.calls, report.removed, report.missing) == (4, 6, 0)
    assert [e.number for e in ledger.entries(clause="short")] == [1, 5, 6, 9]
    ledger.close()
    with Ledger(tmp_path / "a.ledger", compiled("keep 90d")) as again:
        assert again.recovery.calls == 4 and again.verify().ok


def stones(path: Path) -> list[tuple[int, int, int]]:
    made = sqlite3.connect(path)
    found = made.execute("SELECT first, last, calls FROM tombstones ORDER BY writer, first").fetchall()
    made.close()
    return found


@pytest.mark.parametrize("seed", range(6))
def test_removal_in_any_order_leaves_a_chain(tmp_path: Path, seed: int) -> None:
    import random

    from pactlang.ledger.file import connect
    from pactlang.ledger.retain import Dead, bury

    path, chance = tmp_path / "a.ledger", random.Random(seed)
    with Ledger(path, compiled("keep 90d")) as ledger:
        for number in range(60):
            ledger.put(aged(number, 1, writer=f"w{number % 3}", violated=("short",)))
    made = connect(str(path))
    alive = [Dead(*row) for row in made.execute("SELECT writer, id, digest, said FROM calls")]
    while alive:
        chance.shuffle(alive)
        many = chance.randrange(1, 12)
        dead, alive = alive[:many], alive[many:]
        made.execute("BEGIN IMMEDIATE")
        bury(made, dead, time.time())
        made.execute("COMMIT")
        report = Reader(path).verify()
        assert report.ok, report.problems
        assert report.calls == len(alive) and report.removed == 60 - len(alive)
    made.close()
    assert [stone[2] for stone in stones(path)] == [20, 20, 20]
    with Ledger(path, compiled("keep 90d")) as ledger:
        ledger.put(aged(60, 1, writer="w0"))
    assert Reader(path).verify().ok


def test_a_tombstone_is_no_cover_for_more(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    with Ledger(path, compiled("keep 90d")) as ledger:
        for number in range(10):
            ledger.put(aged(number, 100 if number < 5 else 1))
        ledger.flush_sync()
        wait_until(ledger, 5)
    assert len(stones(path)) == 1
    made = sqlite3.connect(path)
    made.execute("DELETE FROM calls WHERE number = 5")
    made.commit()
    made.close()
    assert not Reader(path).verify().ok


def test_other_pacts_keep_theirs(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    other = compiled("keep 400d", HEAD.replace("pact p", "pact other"))
    newer = compiled("keep 90d; drop input", HEAD.replace("1.0.0", "1.1.0"))
    for program, writer in ((other, "o"), (compiled("limit 1 GB"), "w")):
        with Ledger(path, program) as ledger:
            ledger.put(aged(0, 100, writer=writer))
    with Ledger(path, newer) as ledger:
        ledger.put(aged(0, 1, writer="n"))
        ledger.flush_sync()
        wait_until(ledger, 2)
        assert {e.writer for e in ledger.entries()} == {"o", "n"} and ledger.verify().ok


def test_a_ledger_stays_below_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    ledger = Ledger(path, compiled("limit 1 MiB"))
    for number in range(3_000):
        ledger.put(entry(number, call=json.dumps({"output": "x" * 1000}).encode(), violated=("short",)))
    ledger.flush_sync()
    end, since, count = time.monotonic() + 20, 0, -1
    while ledger.counts.queued or ((since < 20 or count > 1_000) and time.monotonic() < end):
        time.sleep(0.05)
        before, count = count, ledger.count()
        since = since + 1 if count == before else 0
    ledger.close()  # what is kept changes as long as its writer lives
    kept = Ledger.open_read(path)
    report = kept.verify()
    assert report.ok, report.problems
    assert 300 < report.calls < 1_000 and report.calls + report.removed == 3_000 and report.missing == 0
    assert [e.number for e in kept.entries()] == list(range(3_000 - report.calls, 3_000))
    assert path.stat().st_size <= 1 << 20


def test_what_is_removed_is_in_no_file(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    with Ledger(path, compiled("keep 90d")) as ledger:
        for number in range(50):
            ledger.put(aged(number, 100, call=b'{"output": "an old secret"}'))
        ledger.flush_sync()
        wait_until(ledger, 0)
    assert b"an old secret" not in bytes_beside(path)


def test_age_is_counted_by_a_clock_that_cannot_jump(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clock = Clock()
    before = clock.now()
    assert abs(before - time.time()) < 5
    monkeypatch.setattr(time, "time", lambda: 9e9)
    assert clock.now() - before < 5


def test_a_jump_of_the_clock_removes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "a.ledger", compiled("keep 90d"))
    fill(ledger, 10, time=time.time())
    ledger.flush_sync()
    monkeypatch.setattr(time, "time", lambda: 9e9)
    ledger._journal.retention._next = 0
    fill(ledger, 10, 10, time=9e9)
    ledger.flush_sync()
    time.sleep(0.2)
    monkeypatch.undo()
    ledger.put(entry(20, time=time.time() - 1e6))
    ledger.flush_sync()
    assert ledger.count() == 21 and ledger.verify().ok
    ledger.close()
