"""Pacts that remember, and traces of calls, drawn so that forms and windows are often decided both ways.

In: a `random.Random`, or bytes that Hypothesis makes (`Chance`).  Out: the text of a pact; steps: a record (a
dict), `("end", KEY)` or `("advance", MICROS)`.  Fields of `x` are missing now and then, `n` and `ok` may be
null, so that events, operands and keys are error values; calls come twice, late, out of time, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, TypeVar

OWN = """pact drawn "1.0.0" on R
record R {
  id: int?  session: string?  seq: int?  time: timestamp?
  k: enum("a", "b", "c")  n: int?  ok: bool?  t: string?  x: dyn?
}
"""
CALL = 'pact drawn "1.0.0"\n'
START = datetime(2026, 1, 1, tzinfo=UTC)
Step = dict[str, Any] | tuple[str, Any]
TEXTS = ("no more", "order_1", "mail a@b.example to 2", "a@b.example, order_1", "order_2 and 1.0", "")
T = TypeVar("T")


class Chance:
    """What is asked of a `Random`, answered by bytes, a byte for each answer; where there are no more, as where
    they are 0, the first option is picked and what is rare does not happen.  So fewer and lower bytes make
    plainer calls."""

    def __init__(self, data: bytes) -> None:
        self.turn(data)

    def turn(self, data: bytes) -> None:
        """From here on other bytes."""
        self.rest = iter(data)

    def random(self) -> float:
        return 1 - (next(self.rest, 0) + 1) / 256

    def choice(self, options: Sequence[T]) -> T:
        return options[next(self.rest, 0) * len(options) >> 8]

    def randrange(self, count: int) -> int:
        return next(self.rest, 0) * count >> 8

    def randint(self, least: int, most: int) -> int:
        return least + self.randrange(most - least + 1)


def random_steps(rng: Random, count: int) -> list[bytes]:
    """What `trace` makes so many steps of."""
    return [rng.randbytes(28) for _ in range(count + 1)]


class DrawSessions:
    """Draws one pact; `text` is it, `trace` makes calls for it."""

    def __init__(self, rng: Random | Chance) -> None:
        self.rng = rng
        self.own = rng.random() < 0.7
        self.idle = rng.random() < 0.25
        self.timed = rng.random() < 0.75  # whether forms count in time
        self.sliced = rng.random() < 0.4

    def pick(self, *options: Any) -> Any:
        return self.rng.choice(options)

    def often(self, share: float) -> bool:
        return self.rng.random() < share

    # Pacts -------------------------------------------------------------------------------------------

    def text(self) -> str:
        lines = [OWN if self.own else CALL]
        lines += ["applies when x.in != false" if self.own else "applies when args.in != false"] * self.often(
            0.1
        )
        rules = ["idle 6s"] * self.idle + [f"limit {self.pick(3, 6, 12)} calls"] * self.often(0.1)
        lines += [f"session {' '.join(rules)}"] * bool(rules)
        lines += [f"event e{i} when {self.event()}" for i in range(4)]
        lines += [f"clause c{i} {{ {self.clause()} }}" for i in range(self.rng.randint(1, 6))]
        return "\n".join(lines)

    def event(self) -> str:
        remembers = [self.operator(1)] * 2
        plain = [f'{self.kind()} == "{k}"' for k in "abc"]
        x = self.data()
        doubtful = [
            f"{x}.p",
            f"{x}.q == true",
            f"{x}.p && {x}.q",
            f'{x}.p || {self.kind()} == "a"',
            "ok == true",
        ]
        numbers = [f"{self.number()} > 1", f"{self.number()} <= 2"]
        return str(self.pick(*plain, *plain, *doubtful, *numbers, *remembers))

    def kind(self) -> str:
        return "k" if self.own else "tool"

    def data(self) -> str:
        return "x" if self.own else "args"

    def number(self) -> str:
        return "n" if self.own else "cost"

    def condition(self, depth: int) -> str:
        if depth <= 0 or self.often(0.4):
            return str(
                self.pick("e0", "e1", "e2", "e3", f"{self.data()}.p", "ok == true", f'{self.kind()} == "b"')
            )
        return str(
            self.pick(
                f"!{self.condition(depth - 1)}" if self.often(0.5) else f"!({self.condition(depth - 1)})",
                f"({self.condition(depth - 1)} && {self.condition(depth - 1)})",
                f"({self.condition(depth - 1)} || {self.condition(depth - 1)})",
                self.operator(depth - 1),
                self.operator(depth - 1),
            )
        )

    def operator(self, depth: int) -> str:
        """Events may not lean on events that lean on them, so operands here are plain unless deep."""
        one, two = self.operand(depth), self.operand(depth)
        span = self.pick("0s", "1s", "2s", "4s")
        forms = [f"once({one})", f"historically({one})", f"since({one}, {two})", f"previous({one})"]
        forms += [f"count({one}) {self.pick('<', '>=', '==')} {self.pick(1, 2, 3)}"]
        kept = f"previous({self.number()})"
        forms += [f"{self.number()} >= {kept}", f"{kept} == null", f"{kept} > 1"]
        if self.timed:
            forms += [f"once({one}, {span})", f"historically({one}, {span})", f"since({one}, {two}, {span})"]
            forms += [f"{name}_before({one}, {span})" for name in ("once", "historically")]
            forms += [f"since_before({one}, {two}, {span})", f"count({one}, {span}) < {self.pick(1, 2, 3)}"]
            forms += ["time - previous(time) <= 1s"]
        return f"({self.pick(*forms)})"

    def operand(self, depth: int) -> str:
        if depth > 0 and self.often(0.35):
            return self.operator(depth - 1)
        x = self.data()
        return str(
            self.pick(
                f'{self.kind()} == "a"',
                f'{self.kind()} != "b"',
                f"{x}.p",
                f"{x}.q == true",
                f"{self.number()} > 1",
            )
        )

    def clause(self) -> str:
        when = f"when {self.condition(2)} " if self.often(0.3) else ""
        if self.often(0.25):
            return when + self.keep()
        return when + (
            self.form() if self.often(0.75) else f"{self.pick('require', 'never')} {self.condition(3)}"
        )

    def keep(self) -> str:
        windows = self.pick("1s", "3s", "5s and 1s", "2 calls", "3 calls", "4s and 3 calls")
        number, few = self.number(), self.pick(1, 2, 3)
        where = f" where {self.condition(1)}" if self.often(0.4) else ""
        compared = self.pick("<=", "<", ">=", ">", "==", "!=")
        some = self.pick(
            f"count({where.removeprefix(' ')}) {compared} {few}",
            f"rate({self.condition(1)}{where}) {compared} 0.5",
            f"rate(ok) {compared} 0.{few}",
            f"burn_rate({self.condition(1)}, 0.75) {compared} {few}.0",
            f"sum({number}{where}) {compared} {few}",
            f"avg({number}{where}) {compared} 1.5",
            f"{self.pick('min', 'max')}({number}{where}) {compared} {few}",
            f"{self.pick('p50', 'p90')}({number}{where}) {compared} {few}",
            f"distinct({self.pick(self.kind(), self.data() + '.k')}{where}) {compared} {few}",
            f"count({where.removeprefix(' ')}) {compared} distinct({self.kind()})",
        )
        keys = self.pick("", "", f" by {self.kind()}", f" by {self.data()}.k", f" by ok, {self.kind()}")
        keys += " limit 2" if keys and "calls" in windows and self.often(0.5) else ""
        return f"keep {some} over {windows}{keys}{self.pick('', f' min {few} calls', ' min 1 calls')}"

    def form(self) -> str:
        e, f, g = (f"e{self.rng.randrange(4)}" for _ in range(3))
        span = f" within {self.pick('0s', '1s', '3s', '5s')}" if self.timed and self.often(0.6) else ""
        several = self.pick("", "", "2 ", "3 ")
        calls = self.pick(1, 2, 3, 5)
        waits = self.pick(f"{calls} calls", *[f"{calls} calls or {calls}s", f"{calls}s"] * self.timed)
        ends = self.pick("", " on end violate", " on end forget")
        per = self.pick("session", *[f"{calls}s"] * 2 * self.timed)
        same = (
            f" same {self.pick(self.kind(), self.data() + '.k', self.data() + '.k', self.number())}"
            if self.sliced and self.often(0.6)
            else ""
        )
        return str(
            self.pick(
                f"{e} only after {self.pick('', 'fresh ')}{several}{f}{span}{same}",
                f"{e} never after {f}{self.pick('', f' until {g}', f' until {g}')}{same}",
                f"at most {self.pick(0, 1, 2, 3)} {self.pick(e, e, 'calls')} per {per}{same}",
                f"after {e} expect {f} within {waits}{same}{ends}",
                f"{e}.{self.value()} only from {f}.{self.told()}{self.pick('', f', {g}.{self.told()}')}{same}",
            )
        )

    def told(self) -> str:
        return "t" if self.own else self.pick("input", "output")

    def value(self) -> str:
        return self.pick(self.told(), self.told(), self.number(), self.data())

    # Traces ------------------------------------------------------------------------------------------

    def trace(self, steps: Sequence[bytes], tidy: bool = False) -> Iterator[Step]:
        """The trace that bytes stand for: what holds of all calls, then a step each.  tidy: no call comes twice,
        nobody ends a session, and there are many sessions."""
        self.rng = Chance(steps[0])
        mode = self.pick("seq", "seq", "id", "id", "bare", "mixed")
        rough = not tidy and self.often(0.7)  # else nothing is lost or out of time
        shaky = self.pick(0.0, 0.05, 0.2)  # how often data is missing
        keys = "stuv" if tidy else self.pick("s", "st", "stu")
        lives = {key: _Life(self.rng, mode, rough) for key in keys}
        now = 0.0
        for number, step in enumerate(steps[1:]):
            self.rng.turn(step)
            if not tidy and self.often(0.03):
                yield self.pick(("end", self.pick(*keys)), ("advance", _micros(now + self.pick(0, 2, 7))))
                continue
            now += self.pick(0, 0, 0, 1, 1, 2, 0.000001, 9 if self.often(0.3) else 3)
            key = self.pick(*keys)
            made = lives[key].next(self, number, now, shaky)
            yield {**made, "session": None if rough and self.often(0.02) else key}

    def fields(self, shaky: float) -> dict[str, Any]:
        """What a call says, apart from its place."""
        x: dict[str, Any] = {}
        for name, options in (("p", (True, False)), ("q", (True, False)), ("k", (1, 1.0, 2, "1", None, [1]))):
            if not self.often(shaky):
                x[name] = self.pick(*options)
        if self.often(0.1):
            x["in"] = self.pick(True, False, None)
        elif not self.often(shaky / 4):
            x["in"] = True
        number = None if self.often(shaky) else self.pick(0, 1, 2, 3)
        said = {
            "ok": self.pick(True, True, False, None),
            self.data(): x,
            self.number(): number,
            self.kind(): self.pick(*"abc"),
        }
        text = self.pick(*TEXTS)
        said |= {"t": text if text else None} if self.own else {self.told(): text}
        if self.often(shaky / 4):
            said[self.data()] = None
        return said


class _Life:
    """The calls of one session key, in the order in which they are sent, and what goes wrong on the way."""

    def __init__(self, rng: Random | Chance, mode: str, rough: bool) -> None:
        self.rng, self.mode, self.rough = rng, mode, rough
        self.seq = 0 if rng.random() < 0.8 or not rough else rng.randint(1, 3)
        self.sent: list[dict[str, Any]] = []
        self.lost: list[int] = []
        self.last = 0.0

    def next(self, draw: DrawSessions, number: int, now: float, shaky: float) -> dict[str, Any]:
        if self.rough and self.sent and draw.often(0.06):
            return self.sent[-1] if draw.often(0.6) else self.rng.choice(self.sent)
        made = draw.fields(shaky)
        place = self.mode if self.mode != "mixed" else draw.pick("seq", "id", "bare")
        if place == "seq":
            made["seq"] = self._number(draw, now)
        if place == "id" or (place == "seq" and draw.often(0.7)):
            made["id"] = number if draw.own else str(number)
        if not (self.rough and draw.often(0.06)):
            early = draw.pick(1, 3, 8) if self.rough and draw.often(0.06) else 0
            made["time"] = (START + timedelta(seconds=max(0.0, now - early))).isoformat()
        self.last = now
        self.sent.append(made)
        return made

    def _number(self, draw: DrawSessions, now: float) -> int:
        if self.rough and self.lost and draw.often(0.1):
            return self.lost.pop()
        if draw.idle and round(now - self.last, 6) > 6 and draw.often(0.5):  # as the clock of the calls has it
            self.seq = 0
        if self.rough and draw.often(0.06):
            gap = draw.pick(1, 1, 2, 3, 70)
            self.lost += range(self.seq, self.seq + min(gap, 3))
            self.seq += gap
        self.seq += 1
        return self.seq - 1


def _micros(seconds: float) -> int:
    return round((START.timestamp() + seconds) * 10**6)
