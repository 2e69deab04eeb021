"""The guard: what it captures, what it says of it, and that it says what everybody else says."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

import pactlang
from pactlang import Evaluator, Guard, PactError, RecordError
from pactlang.guard import Call, Finding, ToolCall, Usage

PACT = r"""
pact shop "1.0.0"
extend Call { channel: string = "chat"  tier: string?  score: double? }
pattern card = r"\b(?:\d[ -]?){13,19}\b" check luhn
phrases boasts = ["risk free"]
clause no_cards {
  severity critical
  never output.matches(card)
  on violation { block "No."; alert "security" }
}
clause no_boasts { never output.says(boasts) }
clause small    { when tool == "issue_refund"  require args.amount <= 50  on unknown { warn } }
clause works    { when kind == "tool"  require ok == true }
clause quick    { when has(latency)  require latency <= 2s }
clause known    { require tool_calls.all(t, t.name in ["lookup", "issue_refund"] && has(t.args)) }
clause cheap    { when has(usage.input_tokens)  require usage.input_tokens + usage.output_tokens <= 100 }
clause asked    { when has(messages)  require messages.exists(m, m.role == "user") }
clause gold     { when channel == "email"  require tier == "gold" }
clause first    { when seq == 0  require session == "s" && time > timestamp("2020-01-01T00:00:00Z") }
clause labelled { when has(labels.truth)  require labels.truth == "yes" }
"""
PROGRAM = pactlang.compile(PACT)


@pytest.fixture
def guard() -> Any:
    with Guard(PROGRAM) as made:
        yield made


def drawn(rng: random.Random) -> dict[str, Any]:
    """A call of the standard record, at times one that breaks promises or lacks fields."""
    texts = ["", "hello", "card 4111 1111 1111 1111", "It is Risk\u200b FREE", "naïve 東京", "x" * 3000]
    choices: dict[str, list[Any]] = {
        "id": ["a", "7"], "session": ["s", "t"], "agent": ["bot"], "seq": [0, 3],
        "time": ["2026-01-01T00:00:00Z", "2019-05-05T05:05:05.123456Z"], "kind": ["chat", "tool", "other"],
        "model": ["m"], "input": texts, "output": texts, "tool": ["issue_refund", "lookup"],
        "args": [{"amount": 20}, {"amount": 70.5}, {"amount": "x"}, {}, [1], "text", 2**70],
        "ok": [True, False], "latency": [0.5, 3.0, 2], "cost": [0.1],
        "tool_calls": [[{"name": "lookup", "args": {"a": 1}}], [{"name": "rm"}], [{"name": "lookup"}]],
        "usage": [{"input_tokens": 50, "output_tokens": 60}, {"input_tokens": 1}, {}],
        "messages": [[{"role": "user", "content": "hi"}], [{"role": "system"}]],
        "channel": ["chat", "email"], "tier": ["gold", "free"], "labels": [{"truth": "yes"}, {"truth": 3}],
    }  # fmt: skip
    return {name: rng.choice(values) for name, values in choices.items() if rng.random() < 0.7}


def as_call(guard: Guard, data: dict[str, Any]) -> Call:
    return msgspec.convert(data, guard._form)


# Equality -------------------------------------------------------------------------------------------


def test_guard_evaluator_and_pactc_run_say_the_same(guard: Guard, tmp_path: Path) -> None:
    rng, evaluator = random.Random(5), Evaluator(PROGRAM)
    calls = [{**drawn(rng), "id": str(number)} for number in range(300)]
    calls = [
        call | {"seq": 1} if "session" in call else call for call in calls
    ]  # else the guard numbers them
    said = [guard.record(as_call(guard, call)).result().outcomes for call in calls]
    assert [guard.record(call).result().outcomes for call in calls] == said
    assert [evaluator.check(call).outcomes for call in calls] == said
    written = [msgspec.json.encode(as_call(guard, call)) for call in calls]
    assert [evaluator.check_json(line).outcomes for line in written] == said
    assert rows(tmp_path, written) == [
        (sorted(c for c, o in each.items() if o == 1), sorted(c for c, o in each.items() if o == 3))
        for each in said
    ]
    assert len({tuple(each.values()) for each in said}) > 50


def rows(folder: Path, lines: list[bytes]) -> list[tuple[list[str], list[str]]]:
    """Violated and unknown clauses per call, as `pactc run` says."""
    (folder / "shop.pact").write_text(PACT, "utf-8")
    (folder / "log.jsonl").write_bytes(b"\n".join(lines))
    command = [
        sys.executable,
        "-m",
        "pactlang.cli",
        "run",
        "shop.pact",
        "log.jsonl",
        "--verdicts",
        "out.jsonl",
    ]
    paths = {**os.environ, "PYTHONPATH": str(Path(pactlang.__file__).parent.parent)}
    subprocess.run(command, cwd=folder, env=paths, check=True, capture_output=True)
    found = map(json.loads, (folder / "out.jsonl").read_text("utf-8").splitlines())
    return [(sorted(row["violated"]), sorted(row["unknown"])) for row in found]


def test_what_the_guard_captures_reads_back_as_it_was_judged(guard: Guard) -> None:
    evaluator = Evaluator(PROGRAM)
    answers = [
        "fine",
        b"bytes \xff",
        {"a": 1},
        ["x", None],
        5,
        None,
        "lone \ud800",
        "card 4111 1111 1111 1111",
    ]
    for answer in answers:
        result = guard.call_sync(
            "q", lambda _, answer=answer: answer, session="s", fields={"channel": "email"}
        )
        from pactlang.guard.call import encoded

        data = encoded(result.call)
        if result.verdict is None:
            with pytest.raises(RecordError):
                evaluator.check_json(data)
        else:
            assert evaluator.check_json(data).outcomes == result.verdict.outcomes


# Ways to call ---------------------------------------------------------------------------------------


def test_an_async_call_is_answered_and_judged_at_once(guard: Guard) -> None:
    async def ask(question: str) -> str:
        await asyncio.sleep(0.01)
        return f"re: {question}"

    async def main() -> None:
        result = await guard.call("hi", ask, session="s", agent="bot", model="m", labels={"truth": "yes"})
        assert result.response == "re: hi"
        assert result.verification.done and result.verdict is not None and result.verdict.ok
        assert await result.verification is result.verdict
        call = result.call
        assert (call.input, call.output, call.kind, call.ok) == ("hi", "re: hi", "chat", True)
        assert (call.session, call.seq, call.agent, call.model, call.labels) == (
            "s",
            0,
            "bot",
            "m",
            {"truth": "yes"},
        )
        assert 0.01 <= call.latency < 1 and call.time.endswith("Z")

    asyncio.run(main())


def test_a_plain_function_and_a_callable_object(guard: Guard) -> None:
    class Agent:
        async def __call__(self, question: str) -> str:
            return "async object"

    async def main() -> None:
        assert (await guard.call("q", str.upper)).response == "Q"
        assert (await guard.call("q", Agent())).response == "async object"

    asyncio.run(main())
    assert guard.call_sync("q", str.upper).verification.wait(1).ok


def test_sessions_number_their_calls_without_gaps(guard: Guard) -> None:
    def seq(**said: Any) -> tuple[str | None, int | None]:
        call = guard.call_sync("q", str, **said).call
        return call.session, call.seq

    assert [seq(session="a"), seq(session="b"), seq(session="a"), seq()] == [
        ("a", 0),
        ("b", 0),
        ("a", 1),
        (None, None),
    ]
    with guard.session("a", agent="outer", labels={"x": 1}, fields={"tier": "gold"}) as scope:
        assert scope.id == "a" and seq() == ("a", 2) and seq(session=7) == ("7", 0)
        with guard.session(agent="inner"):
            call = guard.call_sync("q", str, labels={"y": 2}).call
            assert (call.session, call.agent, call.labels, call.tier) == (
                "a",
                "inner",
                {"x": 1, "y": 2},
                "gold",
            )
    assert seq() == (None, None)


def test_seq_is_the_order_of_completion(guard: Guard) -> None:
    async def wait(seconds: float) -> str:
        await asyncio.sleep(seconds)
        return str(seconds)

    async def main() -> list[Any]:
        calls = (guard.call(s, lambda _, s=s: wait(s), session="s") for s in (0.05, 0.01, 0.03))
        return await asyncio.gather(*calls)

    assert [result.call.seq for result in asyncio.run(main())] == [2, 0, 1]


def test_scopes_do_not_leak_between_tasks(guard: Guard) -> None:
    async def one(name: str) -> set[str | None]:
        with guard.session(name):
            found = set()
            for _ in range(20):
                found.add((await guard.call("q", lambda _: asyncio.sleep(0, "r"))).call.session)
            return found

    async def main() -> list[set[str | None]]:
        return await asyncio.gather(*(one(str(n)) for n in range(5)))

    assert asyncio.run(main()) == [{str(n)} for n in range(5)]


def test_forgotten_sessions_get_no_numbers() -> None:
    guard = Guard(PROGRAM, sessions=10)
    for name in range(100):
        assert guard.call_sync("q", str, session=name).call.seq == 0
    assert guard.call_sync("q", str, session=99).call.seq == 1
    assert guard.call_sync("q", str, session=3).call.seq is None
    assert guard.counts.unnumbered == 1


def test_watch_keeps_a_function_what_it_was(guard: Guard) -> None:
    @guard.watch
    def ask(question: str) -> str:
        """Asks."""
        return question.upper()

    @guard.watch(agent="bot", model="m", labels={"truth": "no"})
    async def ask_async(question: str, *, depth: int) -> str:
        return f"{question} {depth}"

    assert ask("hi") == "HI" and ask.__name__ == "ask" and ask.__doc__ == "Asks."
    assert asyncio.run(ask_async("hi", depth=2)) == "hi 2"
    assert asyncio.iscoroutinefunction(ask_async) and not asyncio.iscoroutinefunction(ask)
    assert (guard.counts.calls, guard.counts.violated) == (2, 1)


def test_a_tool_is_a_call_with_its_arguments() -> None:
    seen: list[Finding] = []
    guard = Guard(PROGRAM, on_violation=seen.append)

    @guard.tool
    def issue_refund(order: str, amount: float, session: object = None) -> dict[str, Any]:
        return {"done": amount}

    class Shop:
        @guard.tool(name="issue_refund")
        async def refund(self, order: str, amount: float) -> str:
            return "done"

    with guard.session("s"):
        assert issue_refund("LC-1", amount=70, session=object()) == {"done": 70}
        assert asyncio.run(Shop().refund("LC-1", 80.0)) == "done"
    guard.close()
    first, second = (found.call for found in seen)
    assert (first.kind, first.tool, first.ok, first.seq) == ("tool", "issue_refund", True, 0)
    assert (
        first.args == {"order": "LC-1", "amount": 70, "session": "<object>"} and first.output == '{"done":70}'
    )
    assert second.args == {"order": "LC-1", "amount": 80.0}


def test_record_takes_dicts_structs_and_foreign_names(guard: Guard) -> None:
    told = {
        "gen_ai.conversation.id": "s",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "issue_refund",
        "gen_ai.tool.call.arguments": '{"amount": 70}',
        "start_time": "2026-01-01T00:00:00Z",
    }
    verdict = guard.record(told).result()
    assert [violation.clause for violation in verdict.violations] == ["small"]
    one = guard.record(
        Call(session="s", output="hi", usage=Usage(input_tokens=1), tool_calls=[ToolCall("lookup")])
    )
    assert one.call.seq == 1 and [v.clause for v in one.result().violations] == ["known"]
    with pytest.raises(RecordError, match="expected"):
        guard.record({"output": 5}).result()
    with pytest.raises(RecordError, match="RFC 3339"):
        guard.record(Call(time="yesterday")).result()
    with pytest.raises(TypeError):
        guard.record("text")  # type: ignore[arg-type]
    assert guard.counts.undecodable == 2


def test_a_pact_on_its_own_record_judges_records_only() -> None:
    guard = Guard(
        pactlang.compile(
            'pact p "1.0.0" on R record R { n: int session: string? } clause c { require n < 3 }'
        )
    )
    assert not guard.record({"n": 5, "session": "s"}).result().ok
    with pytest.raises(PactError, match="is about R"):
        guard.call_sync("q", str)


def test_a_field_that_the_pact_lacks_is_a_mistake_before_the_call(guard: Guard) -> None:
    with pytest.raises(TypeError, match="no field `teir`"):
        guard.call_sync("q", lambda _: pytest.fail("called"), fields={"teir": "gold"})


# Reading --------------------------------------------------------------------------------------------


def test_extract_reads_what_no_shape_fits(guard: Guard) -> None:
    class Answer:
        said = "card 4111 1111 1111 1111"

    result = guard.call_sync("q", lambda _: Answer(), extract=lambda answer: answer.said)
    assert isinstance(result.response, Answer) and not result.verification.result().ok
    found = {"output": "ok", "usage": Usage(input_tokens=3), "score": 0.5}
    result = guard.call_sync("q", lambda _: Answer(), extract=lambda _: found)
    assert (result.call.output, result.call.usage.input_tokens, result.call.score) == ("ok", 3, 0.5)


def test_an_answer_that_is_no_data_is_never_a_pass(guard: Guard) -> None:
    result = guard.call_sync("q", lambda _: object())
    assert result.verdict is None
    with pytest.raises(RecordError, match="extract"):
        result.verification.result()
    result = guard.call_sync("q", lambda _: "x", extract=lambda _: 1 / 0)
    with pytest.raises(RecordError, match="ZeroDivisionError"):
        result.verification.wait()
    assert guard.counts.undecodable == 2 and guard.counts.judged == 0


def test_messages_are_read_before_the_function_can_change_them(guard: Guard) -> None:
    messages = [{"role": "user", "content": [{"type": "text", "text": "first"}]}]

    def ask(asked: Any) -> str:
        asked.append({"role": "assistant", "content": "later"})
        return "x"

    call = guard.call_sync(messages, ask).call
    assert call.input == "first" and len(call.messages) == 1


# Streams --------------------------------------------------------------------------------------------


def pieces(_: Any) -> Any:
    yield "card 4111 "
    yield "1111 1111 "
    yield "1111"


async def pieces_async(_: Any) -> Any:
    for piece in pieces(_):
        yield piece


def test_a_stream_passes_and_is_judged_whole(guard: Guard) -> None:
    result = guard.call_sync("q", pieces)
    assert next(result.response) == "card 4111 " and not result.verification.done
    assert list(result.response) == ["1111 1111 ", "1111"]
    assert [v.clause for v in result.verification.wait(1).violations] == ["no_cards"]

    async def main() -> None:
        result = await guard.call("q", pieces_async)
        waiting = asyncio.create_task(_verdict(result))
        assert len([piece async for piece in result.response]) == 3
        assert not (await waiting).ok and result.call.ok is True and result.call.first_token is not None

    asyncio.run(main())


async def _verdict(result: Any) -> Any:
    return await result.verification


@pytest.mark.parametrize("how", ["close", "with", "drop"])
def test_a_stream_closed_early_is_judged_as_far_as_it_came(guard: Guard, how: str) -> None:
    result = guard.call_sync("q", pieces)
    next(result.response)
    if how == "close":
        result.response.close()
    elif how == "with":
        with result.response:
            pass
    else:
        result.response = None
    call = result.call
    assert result.verification.wait(1).ok and call.output == "card 4111 "
    assert call.ok is None and call.attributes == {"stream": "closed early"}


def test_a_stream_that_fails_is_a_failed_call(guard: Guard) -> None:
    async def failing(_: Any) -> Any:
        yield "card 4111 1111 1111 1111"
        raise OSError("gone")

    async def main() -> None:
        result = await guard.call("q", failing)
        with pytest.raises(OSError, match="gone"):
            async for _ in result.response:
                pass
        assert not (await result.verification).ok
        assert (result.call.ok, result.call.error) == (False, "OSError")

    asyncio.run(main())
    assert guard.counts.failed == 1


def test_a_generator_keeps_send_and_throw(guard: Guard) -> None:
    def echo(_: Any) -> Any:
        got = yield "a"
        try:
            yield got
        except KeyError:
            yield "caught"

    stream = guard.call_sync("q", echo).response
    assert next(stream) == "a" and stream.send("b") == "b" and stream.throw(KeyError()) == "caught"


def test_a_stream_of_strange_chunks_needs_extract(guard: Guard) -> None:
    result = guard.call_sync("q", lambda _: iter([object(), object()]))
    list(result.response)
    with pytest.raises(RecordError, match="extract"):
        result.verification.result()
    result = guard.call_sync("q", lambda _: iter([1, 2]), extract=lambda chunks: f"{len(chunks)} chunks")
    list(result.response)
    assert result.call.output == "2 chunks"


# Callbacks ------------------------------------------------------------------------------------------


def test_callbacks_get_evidence_and_consequences() -> None:
    violated: list[Finding] = []
    unknown: list[Finding] = []
    guard = Guard(PROGRAM, on_violation=violated.append, on_unknown=unknown.append)
    guard.call_sync("q", lambda _: "card 4111 1111 1111 1111")
    guard.tool(lambda amount: "done", name="issue_refund")(amount="much")
    guard.close()
    (found,) = violated
    assert found.clause == "no_cards" and found.severity == "critical" and "4111" in found.message
    assert [(action.kind, action.value) for action in found.consequences] == [
        ("block", "No."),
        ("alert", "security"),
    ]
    assert [(each.clause, [a.kind for a in each.consequences]) for each in unknown] == [("small", ["warn"])]


def test_threads_share_a_guard() -> None:
    guard = Guard(PROGRAM)

    def work() -> None:
        for _ in range(500):
            guard.call_sync("q", str, session="s")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert guard.counts.calls == guard.counts.judged == 2000
    assert guard.call_sync("q", str, session="s").call.seq == 2000


OTHER = 'pact own "1.0.0" on Entry record Entry { answer: string } clause a { require size(answer) < 5 }'


def test_a_pact_about_another_record_takes_finished_calls() -> None:
    guard = Guard(pactlang.compile(OTHER))
    for attempt in (
        lambda: guard.call_sync("?", lambda asked: "!"),
        lambda: guard.tool(len),
        lambda: guard.watch(len),
    ):
        with pytest.raises(PactError, match=r"`own` is about Entry.*`guard\.record\(call\)`"):
            attempt()
    guard.record({"answer": "A long one."})
    assert guard.counts.violated == 1


def test_a_pact_that_is_refused_leaves_no_ledger_open(tmp_path: Path) -> None:
    program = pactlang.compile('pact p "1.0.0" clause c { require size(output) < 3 }')
    program.core = msgspec.structs.replace(program.core, code=program.core.code[:-1])
    with pytest.raises(pactlang.ProgramError):
        Guard(program, ledger=tmp_path / "calls.ledger")
    assert not (tmp_path / "calls.ledger").exists()
