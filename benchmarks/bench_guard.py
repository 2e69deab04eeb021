"""What a guard costs on the response path, what holds an event loop, and what lasts.

    python -m benchmarks --only guard                           # the response path
    python benchmarks/bench_guard.py loop
    python benchmarks/bench_guard.py keep                       # the same while a memory is saved
    python benchmarks/bench_guard.py soak [--seconds 300]       # no ledger, as fast as one core judges
    python benchmarks/bench_guard.py store [--seconds 60] [--rate 20000] [--folder F]

Candidates take turns in one event loop; a figure is the least process CPU time per call over the
rounds.  The soaks end by themselves and fail if a call is missing.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import calls
from measure import frozen, options, parse, report

import pactlang
from pactlang import Guard

HERE = Path(__file__).parent
TWENTY = (HERE / "guard.pact").read_text("utf-8")
FIVE = """
pact five "1.0.0"
clause quick    { require latency <= 2s }
clause frugal   { when has(usage.input_tokens)  require usage.input_tokens + usage.output_tokens <= 8000 }
clause ends     { when has(finish)  require finish in ["stop", "tool_calls", "length"] }
clause tools    { require tool_calls.all(t, t.name in ["search", "lookup_order", "calc"]) }
clause polite   { never output.contains("As an AI language model") }
"""
PHRASES = """
pact phrases "1.0.0"
phrases boasts = ["risk free", "guaranteed returns", "no questions asked"]
clause boasts   { never output.says(boasts) }
"""
REMEMBERS = f"""{FIVE}
event asks  when kind == "chat"
event fails when ok == false
event looks when tool_calls.exists(t, t.name == "lookup_order")
clause patient   {{ at most 20 fails per 1h }}
clause careful   {{ asks never after fails until looks }}
clause recovers  {{ after fails expect looks within 3 calls }}
clause steady    {{ require !previous(ok == false) || ok == true }}
clause polite_tools {{ looks only after 1 asks }}
"""
FIELDS = {"channel": "chat", "language": "en", "max_tokens": 4096, "user_tier": "pro"}


class Answer:
    """A chat completion in the shape of OpenAI's SDK."""

    def __init__(self, text: str) -> None:
        self.id, self.model, self.object = "chatcmpl-1", "gpt-mini", "chat.completion"
        self.choices = [Part(message=Part(content=text, tool_calls=None, refusal=None), finish_reason="stop")]
        self.usage = Part(prompt_tokens=900, completion_tokens=300, prompt_tokens_details=None)


class Part:
    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


# The response path ------------------------------------------------------------------------------------


def texts(count: int) -> list[str]:
    return [json.loads(line)["output"] for line in calls.lines(count)]


async def timed(each: Callable[[Any], Awaitable[object]], inputs: list[Any]) -> float:
    begun = time.process_time_ns()
    for one in inputs:
        await each(one)
    return (time.process_time_ns() - begun) / len(inputs)


def done(task: object) -> None:
    pass


async def tasks(fn: Callable[[Any], Any], inputs: list[Any]) -> tuple[float, float]:
    """Creating a task, with a reference kept and a callback; and creating, running and gathering it."""
    begun, kept, created = time.process_time_ns(), set(), 0
    for start in range(0, len(inputs), 100):
        before = time.process_time_ns()
        for one in inputs[start : start + 100]:
            task = asyncio.create_task(fn(one))
            kept.add(task)
            task.add_done_callback(done)
        created += time.process_time_ns() - before
        await asyncio.gather(*kept)
        kept.clear()
    return created / len(inputs), (time.process_time_ns() - begun) / len(inputs)


async def at_once(answer: Any) -> Any:
    return answer


async def path(rounds: int, count: int) -> list[Over]:
    long = [Answer(text) for text in texts(count)]
    short = ["Your order is on its way."] * count
    shop = [Answer("Your order is on its way.")] * count
    five, twenty = Guard(pactlang.compile(FIVE)), Guard(pactlang.compile(TWENTY))
    remembers = Guard(pactlang.compile(REMEMBERS))
    cases: dict[str, tuple[Guard, list[Any], bool, bool]] = {
        "5 clauses, a str": (five, short, False, False),
        "5 clauses, a completion": (five, shop, False, False),
        "5 clauses, a str, in one of 100 sessions": (five, short, False, True),
        "the same and 5 clauses that remember": (remembers, short, False, True),
        "20 rules, a str": (twenty, short, True, False),
        "20 rules, a completion": (twenty, shop, True, False),
        "20 rules, a completion of 1,600 characters": (twenty, long, True, False),
    }
    found: dict[str, list[float]] = {name: [] for name in ("await", "create", "gather", *cases)}
    with frozen():
        for _ in range(rounds):
            found["await"].append(await timed(at_once, short))
            create, gather = await tasks(at_once, short)
            found["create"].append(create)
            found["gather"].append(gather)
            for name, (guard, answers, extended, sessions) in cases.items():
                fields = FIELDS if extended else None
                found[name].append(await through(guard, answers, fields, sessions))
    if remembers.counts.violated or remembers.counts.unknown:
        raise SystemExit("a promise that every call keeps is not kept")
    return overheads({name: min(times) for name, times in found.items()})


async def through(guard: Guard, answers: list[Any], fields: Any, sessions: bool) -> float:
    """Nanoseconds of a call through a guard, of which every one must have been judged."""
    names = itertools.cycle([f"session {number}" for number in range(100)] if sessions else [None])

    def call(answer: Any) -> Awaitable[object]:
        return guard.call("Where is my order?", lambda _: at_once(answer), fields=fields, session=next(names))

    before = guard.counts.judged
    spent = await timed(call, answers)
    if guard.counts.judged - before != len(answers):
        raise SystemExit(f"{before + len(answers) - guard.counts.judged} calls were not judged")
    return spent


class Over(NamedTuple):
    """What a guarded call takes beyond a bare `await`."""

    call: str
    ns: str
    create_task: str
    create_and_gather: str


def overheads(least: dict[str, float]) -> list[Over]:
    bare, create, gather = least.pop("await"), least.pop("create"), least.pop("gather")
    times = {name: ns - bare for name, ns in least.items()}
    return [
        Over(
            "a task: created / created, run and gathered", f"{create:,.0f} / {gather - bare:,.0f}", "1", "1"
        ),
        *(
            Over(name, f"{ns:,.0f}", f"**{ns / create:.2f}**", f"{ns / (gather - bare):.2f}")
            for name, ns in times.items()
        ),
    ]


# Holding the loop -------------------------------------------------------------------------------------


async def loop(sizes: tuple[int, ...]) -> None:
    """The longest time for which the loop stood still while one large answer was judged."""
    guard, folding = Guard(pactlang.compile(TWENTY)), Guard(pactlang.compile(PHRASES))
    print("| answer, characters | longest standstill | without a call | verdict after |")
    print("| --- | --- | --- | --- |")
    mixed = " ".join(texts(200))
    plain = mixed.encode("ascii", "replace").decode()
    for size in sizes:
        await row(guard, size, plain, "ASCII")
        await row(guard, size, mixed, "mixed scripts")
    for size in sizes[-3:]:
        await row(folding, size, mixed, "mixed scripts, folded for phrases")


async def row(guard: Guard, size: int, text: str, kind: str) -> None:
    whole = (text * (size // len(text) + 1))[:size]
    idle, _ = await standstill(guard, None)
    stood, after = await standstill(guard, whole)
    figures = f"**{stood * 1e3:.1f} ms** | {idle * 1e3:.1f} ms | {after * 1e3:,.0f} ms"
    print(f"| {size:,} {kind} | {figures} |")


async def standstill(guard: Guard, text: str | None) -> tuple[float, float]:
    fields = FIELDS if guard.program.name == "guarded" else None

    async def judged() -> None:
        await (await guard.call("q", lambda _: text, fields=fields)).verification

    return await beating(asyncio.sleep(0.3) if text is None else judged())


async def keep(sizes: tuple[int, ...]) -> None:
    """The longest time for which the loop stood still while the memory of so many sessions was saved."""
    print("| sessions | longest standstill | without a saving | saved after | bytes |")
    print("| --- | --- | --- | --- | --- |")
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            guard = Guard(pactlang.compile(REMEMBERS), Path(folder) / "keep.ledger", sessions=2 * size)
            for number in range(size):
                await guard.call("q", lambda _: "An answer.", session=f"session {number}")
            await guard.flush()
            idle, _ = await beating(asyncio.sleep(0.3))
            stood, after = await beating(asyncio.to_thread(guard._books.keeper.save))  # type: ignore[attr-defined]  # its own thread's work
            kept = sum(file.stat().st_size for file in Path(folder).glob("*.state-*"))
            times = f"**{stood * 1e3:.1f} ms** | {idle * 1e3:.1f} ms | {after * 1e3:,.0f} ms"
            print(f"| {size:,} | {times} | {kept:,} |")
            guard.close()


async def beating(work: Awaitable[object]) -> tuple[float, float]:
    """The longest time between two turns of the loop, and how long the work took."""
    gaps: list[float] = []

    async def beat() -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0)
            now = time.perf_counter()
            gaps.append(now - last)
            last = now

    task = asyncio.create_task(beat())
    await asyncio.sleep(0.05)
    gaps.clear()
    begun = time.perf_counter()
    await work
    after = time.perf_counter() - begun
    task.cancel()
    return max(gaps, default=after), after


# Soaks ------------------------------------------------------------------------------------------------


def resident() -> float:
    """Resident memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


async def soak(seconds: float) -> None:
    """Call after call, no ledger: memory must not grow."""
    guard, answers = Guard(pactlang.compile(TWENTY)), [Answer(text) for text in texts(2000)]
    begun, made, samples = time.monotonic(), 0, []
    while time.monotonic() - begun < seconds:
        for answer in answers:
            await guard.call("q", lambda _, answer=answer: answer, fields=FIELDS, session=made % 50_000)
            made += 1
        samples.append(resident())
    spent = time.monotonic() - begun
    counts, warm = guard.counts, samples[len(samples) // 5 :]
    assert counts.calls == counts.judged == made, counts
    print(f"{made:,} calls in {spent:.0f} s, {made / spent:,.0f}/s, all judged; ", end="")
    print(
        f"resident {warm[0]:.0f} MB after a fifth, {warm[-1]:.0f} MB at the end, at most {max(warm):.0f} MB"
    )


async def store(seconds: float, rate: int, folder: str) -> None:
    """A fixed rate of calls into SQLite: none may be missing."""
    from pactlang.ledger import Reader

    program = pactlang.compile(FIVE)
    path = Path(folder) / "soak.ledger"
    guard = Guard(program, path)
    answers = [Answer(text[:400]) for text in texts(1000)]
    begun, made, late, peak = time.monotonic(), 0, 0.0, 0.0
    while made < seconds * rate and time.monotonic() - begun < 5 * seconds:
        due = begun + made / rate
        late = max(late, time.monotonic() - due)
        for answer in answers[:200]:
            await guard.call("q", lambda _, answer=answer: answer, session=made % 1000)
            made += 1
        peak = max(peak, resident())
        await asyncio.sleep(max(0.0, begun + made / rate - time.monotonic()))
    spent = time.monotonic() - begun
    await guard.flush()
    flushed = time.monotonic() - begun
    counts, ledger = guard.counts, guard.ledger.counts
    guard.close()
    kept = Reader(path).count()
    print(f"{made:,} calls in {spent:.1f} s ({made / spent:,.0f}/s), durable after {flushed:.1f} s; ", end="")
    print(
        f"stored {kept:,}, lost {made - kept}, spilled {ledger.spilled:,}, {ledger.commits:,} commits, ",
        end="",
    )
    print(f"{path.stat().st_size / 1e6:,.0f} MB, at most {late:.1f} s behind, {peak:.0f} MB resident")
    if kept != made or counts.unstored:
        raise SystemExit("calls are missing")


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("what", nargs="?", default="path", choices=["path", "loop", "keep", "soak", "store"])
    parser.add_argument("--count", type=int, default=2000, help="calls of a round")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--rate", type=int, default=20_000)
    parser.add_argument("--folder")
    chosen = parse(parser, pinned=not {"loop", "keep", "soak", "store"} & set(sys.argv))
    if chosen.what == "path":
        found = asyncio.run(path(chosen.rounds, 50 if chosen.quick else chosen.count))
        report("guard", found, chosen, columns=Over._fields)
    elif chosen.what == "loop":
        asyncio.run(loop((100_000, 250_000, 1_000_000, 10_000_000, 100_000_000)))
    elif chosen.what == "keep":
        asyncio.run(keep((1_000, 10_000, 100_000)))
    elif chosen.what == "soak":
        asyncio.run(soak(chosen.seconds or 300))
    else:
        with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
            asyncio.run(store(chosen.seconds or 60, chosen.rate, folder))


if __name__ == "__main__":
    main()
