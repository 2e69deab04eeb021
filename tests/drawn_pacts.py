"""Whole pacts drawn at random from the grammar, written as badly as the grammar lets them be.

In: a `random.Random`.  Out: the text of a pact that parses.  Every declaration and every form of a clause
is drawn, also those that this version only reads; comments and white space stand wherever they may.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

NAMES = (
    "a b2 tool args output refund verify _x call_9 limit by same within where calls kind owner clause record"
    " min one or and until as_ ok redact block escalate drop steps size session event scale likert test"
).split()
# An event may not be called so, and CEL keeps the others.
EVENTS = [name for name in NAMES if name not in ("where",)]
INTS = ("0", "1", "3", "17", "10000", "0x1F")
FLOATS = ("0.5", "1.0", ".25", "1e3", "2.5E-2")
LENGTHS = ("5m", "1h30m", "500ms", "7d", "1.5s")
TEXTS = (
    '"a"', "'it is'", 'r"\\d+ // no comment"', '"say \\"x\\""', '""', "r'[{(]'", '"""two\nlines"""', "'''a\r\n b'''",
    '"日本 \\u00e9"', '"' + "long " * 18 + '"',
)  # fmt: skip
SHORT = TEXTS[:6]
BYTES = ("b'x'", 'rb"\\n"', "B'''q'''")
BINARY = "+ - * / % == != < <= > >= in".split()
COMMENTS = (
    "// why",
    "//",
    '// "quote',
    "//  it's {odd}  ",
    "// ende ;,",
    "/// x // y",
    "// é日",
    "//\tt",
    "// \xa0",
    "//\x0b\x85",
)


class DrawPact:
    """Draws the words of one pact; `text` puts them together."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.words: list[str] = []
        self.comments = random.choice((0.0, 0.0, 0.02, 0.1))
        self.spread = random.choice((0.02, 0.1, 0.4))
        self.end = random.choice(("\n", "\n", "\r\n", "\r"))

    # Helpers

    def add(self, *words: str) -> None:
        self.words += words

    def pick(self, *choices: str) -> str:
        return self.random.choice(choices)

    def chance(self, odds: float = 0.5) -> bool:
        return self.random.random() < odds

    def name(self) -> str:
        return self.random.choice(NAMES)

    def many(self, one: Callable[[], None], joint: str = ",", most: int = 3) -> None:
        for i in range(self.random.randint(1, most)):
            if i:
                self.add(joint)
            one()

    def block(self, one: Callable[[], None], joints: tuple[str, ...], most: int = 4) -> None:
        """Items that never need what is between them, or get it."""
        self.add("{")
        for _ in range(self.random.randint(0, most)):
            one()
            self.add(*filter(None, [self.pick(*joints)]))
        self.add("}")

    # Expressions

    def expr(self, depth: int = 2) -> None:
        if self.chance(0.12) and depth > 0:
            self.chain(depth - 1)
            self.add("?")
            self.chain(depth - 1)
            self.add(":")
            self.expr(depth - 1)
        else:
            self.chain(depth)

    def chain(self, depth: int) -> None:
        if depth <= 0 or self.chance(0.4):
            self.sum(depth)
            return
        sign = self.pick("||", "&&")
        for i in range(self.random.choice((2, 2, 3, 5))):
            if i:
                self.add(sign)
            self.sum(depth - 1)

    def sum(self, depth: int) -> None:
        self.unary(depth)
        while self.chance(0.35):
            sign = self.pick(*BINARY)
            self.add(sign)
            self.unary(depth - 1)

    def unary(self, depth: int) -> None:
        if self.chance(0.15):
            self.add(*[self.pick("!", "-")] * self.random.randint(1, 3))
        self.member(depth)

    def member(self, depth: int) -> None:
        self.primary(depth)
        while self.chance(0.3):
            match self.random.randrange(5):
                case 0:
                    self.add(".", self.name())
                case 1:
                    self.add(".", "?", self.name())
                case 2:
                    self.add(".", self.pick("`content-type`", "function", "`a b`"))
                case 3:
                    self.add(".", self.name(), "(")
                    self.arguments(depth - 1)
                    self.add(")")
                case _:
                    self.add("[", *["?"] * self.chance(0.2))
                    self.expr(depth - 1)
                    self.add("]")

    def arguments(self, depth: int) -> None:
        if self.chance(0.8):
            self.many(lambda: self.expr(depth))

    def primary(self, depth: int) -> None:
        kind = self.random.randrange(12) if depth > 0 else self.random.randrange(5)
        match kind:
            case 0 | 1:
                self.add(self.name())
            case 2:
                self.add(self.pick(*INTS, "7u", *FLOATS, *LENGTHS))
            case 3:
                self.add(self.pick(*TEXTS, *BYTES))
            case 4:
                self.add(self.pick("true", "false", "null"))
            case 5:
                self.add("(")
                self.expr(depth - 1)
                self.add(")")
            case 6:
                self.brackets("[", lambda: self.item(depth - 1), "]")
            case 7:
                self.brackets("{", lambda: self.entry(depth - 1), "}")
            case 8:
                self.add(".", self.name(), *(["("] if (called := self.chance()) else []))
                if called:
                    self.arguments(depth - 1)
                    self.add(")")
            case 9:
                self.add("acme", ".", "Type")
                self.brackets("{", lambda: self.init(depth - 1), "}")
            case 10:
                self.add("count", "(", "tool", "where")
                self.expr(depth - 1)
                self.add(")")
            case _:
                self.add("f", "(")
                self.arguments(depth - 1)
                self.add(")")

    def brackets(self, opening: str, one: Callable[[], None], closing: str) -> None:
        self.add(opening)
        if self.chance(0.85):
            self.many(one, most=self.random.choice((2, 2, 3, 12)))
            self.add(*[","] * self.chance(0.2))
        self.add(closing)

    def item(self, depth: int) -> None:
        self.add(*["?"] * self.chance(0.1))
        self.expr(depth)

    def entry(self, depth: int) -> None:
        self.item(depth)
        self.add(":")
        self.expr(depth)

    def init(self, depth: int) -> None:
        self.add(*["?"] * self.chance(0.1), self.name(), ":")
        self.expr(depth)

    # Declarations

    def pact(self) -> str:
        self.add("pact", "p", self.pick('"1.0.0"', "'2'"))
        if self.chance(0.3):
            self.add("on", "Step")
        if self.chance(0.5):
            self.add(self.pick(*TEXTS))
        for _ in range(self.random.randint(0, 4)):
            self.random.choice(self.declarations())()
            self.add(*[";"] * self.chance(0.1))
        return self.text()

    def declarations(self) -> list[Callable[[], None]]:
        return [
            lambda: self.add("owner", self.pick(*SHORT)), lambda: self.add("renews", "2027-06-30"), self.applies,
            self.budget, self.store, self.judge, self.record, self.named, self.named, self.named, self.session,
            self.clause, self.clause, self.clause, self.clause, self.score, self.test,
            lambda: self.add("import", self.pick(*SHORT)), self.override, lambda: self.add("drop", "clause", self.name()),
        ]  # fmt: skip

    def applies(self) -> None:
        self.add("applies", "when")
        self.expr()

    def budget_item(self) -> None:
        if self.chance():
            self.add("steps", self.pick(*INTS))
        else:
            self.add("size", "args", *[".", self.name()] * self.random.randint(0, 2), self.pick(*INTS))

    def budget(self) -> None:
        self.add("budget")
        self.block(self.budget_item, ("", ";", ";;"))

    def store_item(self) -> None:
        match self.random.randrange(4):
            case 0:
                self.add("redact", "output", *["card"] * self.chance())
            case 1:
                self.add("drop", "messages")
            case 2:
                self.add("keep", self.pick(*LENGTHS))
            case _:
                self.add("limit", self.pick(*INTS, *FLOATS), self.pick("KB", "GiB"))

    def store(self) -> None:
        self.add("store")
        self.block(self.store_item, ("", ";"))

    def judge(self) -> None:
        self.add("judge", self.name())
        self.block(
            lambda: self.add(self.name(), self.pick(*TEXTS, *INTS, *FLOATS, *NAMES)), ("", ";")
        )  # fmt: skip

    def type(self, depth: int = 2) -> None:
        match self.random.randrange(4 if depth else 2):
            case 0 | 1:
                self.add(self.pick("string", "int", "dyn", "Step"))
            case 2:
                self.add(self.pick("list", "map"), "(")
                self.many(lambda: self.type(depth - 1), most=2)
                self.add(")")
            case _:
                self.add("enum", "(")
                self.many(lambda: self.add(self.pick(*SHORT)), most=6)
                self.add(*[","] * self.chance(0.2), ")")
        self.add(*["?"] * self.chance(0.3))

    def field(self) -> None:
        self.add(self.pick(*NAMES, "as"), ":")
        self.type()
        if self.chance(0.3):
            self.add("=")
            self.random.choice([
                lambda: self.add(self.pick(*INTS, *FLOATS, *TEXTS, *LENGTHS, "true", "null")),
                lambda: self.add("-", self.pick(*INTS)), lambda: self.add("[", "]"), lambda: self.add("{", "}"),
            ])()  # fmt: skip
        if self.chance(0.4):
            self.add("as", self.pick(*SHORT))
        self.add(*[self.pick(",", ";", ",;")])

    def record(self) -> None:
        self.add(self.pick("record", "extend"), self.pick("Step", "Call"))
        self.block(self.field, ("",), most=6)

    def named(self) -> None:
        match self.random.randrange(4):
            case 0:
                self.add("let", self.name(), "=")
                self.expr()
            case 1:
                self.add(
                    "pattern", self.name(), "=", self.pick(*TEXTS), *["check", "luhn"] * self.chance(0.3)
                )
            case 2:
                self.add("phrases", self.name(), "=")
                self.brackets("[", lambda: self.add(self.pick(*TEXTS)), "]")
            case _:
                self.add("event", self.random.choice([n for n in EVENTS if n not in ("at", "on")]), "when")
                self.expr()

    def override(self) -> None:
        self.add("override")
        self.random.choice([self.named, self.clause])()

    def session(self) -> None:
        self.add("session")
        if self.chance():
            self.add("by")
            self.expr(1)
        if self.chance():
            self.add("idle", self.pick(*LENGTHS))
        if self.chance():
            self.add("limit", self.pick(*INTS), "calls")

    def clause(self) -> None:
        self.add("clause", self.name(), *[self.pick(*TEXTS)] * self.chance(0.3), "{")
        parts = self.random.sample([self.dimension, self.severity, self.when, self.promise, self.reaction,
                                    self.reaction, self.on_end], self.random.choice((1, 2, 3, 5, 7)))  # fmt: skip
        for part in parts:
            before = len(self.words)
            part()
            if self.words[before] in NAMES and before and self.words[before - 1] != "{":
                self.words.insert(before, ";")
        self.add(*[";"] * self.chance(0.2), "}")

    def dimension(self) -> None:
        self.add("dimension", self.name())

    def severity(self) -> None:
        self.add("severity", self.pick("critical", "minor"))

    def when(self) -> None:
        self.add("when")
        self.expr()

    def keys(self, word: str = "same", odds: float = 0.4) -> None:
        if self.chance(odds):
            self.add(word)
            self.many(lambda: self.expr(1))

    def promise(self) -> None:
        self.random.choice([self.require, self.require, self.require, self.keep, self.watch, self.only_after,
                            self.never_after, self.only_from, self.at_most, self.expect])()  # fmt: skip

    def require(self) -> None:
        self.add(self.pick("require", "never"))
        self.expr()

    def window(self) -> None:
        self.add(*([self.pick(*LENGTHS)] if self.chance() else [self.pick(*INTS), "calls"]))

    def keep(self) -> None:
        self.add("keep")
        self.expr(1)
        self.add("over")
        self.many(self.window, "and")
        if self.chance():
            self.keys("by", 1.0)
            self.add(*["limit", "50"] * self.chance())
        self.add(*["min", "30", "calls"] * self.chance())

    def watch(self) -> None:
        self.add("watch")
        self.expr(1)
        if self.chance(0.3):
            self.add("against", self.pick(*SHORT))
            return
        self.add("above")
        self.expr(1)
        self.add(*["one", "false", "alarm", "in", "1000", "calls"] * self.chance())
        self.keys("by")

    def event_name(self) -> str:
        return self.random.choice(EVENTS)

    def only_after(self) -> None:
        self.add(
            self.event_name(),
            "only",
            "after",
            *["fresh"] * self.chance(0.3),
            *["2"] * self.chance(0.3),
            "verify",
        )
        self.add(*["within", self.pick(*LENGTHS)] * self.chance())
        self.keys()

    def never_after(self) -> None:
        self.add(self.event_name(), "never", "after", "denied", *["until", "granted"] * self.chance())
        self.keys()

    def path(self) -> None:
        self.add("user", *[".", "input"] * self.random.randint(0, 2))

    def only_from(self) -> None:
        self.add(self.event_name(), *[".", "args"] * self.random.randint(0, 2), "only", "from")
        self.many(self.path)
        self.keys()

    def at_most(self) -> None:
        self.add(
            "at",
            "most",
            self.pick(*INTS),
            self.pick("calls", "refund"),
            "per",
            self.pick("session", *LENGTHS),
        )
        self.keys()

    def expect(self) -> None:
        self.add("after", "denied", "expect", "handover", "within")
        if self.chance():
            self.add("3", "calls", *["or", self.pick(*LENGTHS)] * self.chance())
        else:
            self.add(self.pick(*LENGTHS))
        self.keys()

    def action(self) -> None:
        self.add(*self.random.choice([
            ["redact"], ["warn"], ["pause"], ["allow"], ["escalate"], ["block"], ["block", self.pick(*SHORT)],
            ["alert", self.pick(*TEXTS)], ["retry", "2"], ["penalty", "5"], ["fallback", self.name()],
        ]))  # fmt: skip

    def reaction(self) -> None:
        if self.chance(0.7):
            self.add("on", self.pick("violation", "unknown"))
        else:
            self.add("after", "3", "violations", "in", self.pick(*LENGTHS))
        self.block(self.action, ("", ";"))

    def on_end(self) -> None:
        self.add("on", "end", self.pick("violate", "forget"))

    def amounts(self) -> None:
        self.block(lambda: self.add(self.name(), self.pick(*INTS, *FLOATS)), ("", ","), most=14)

    def score(self) -> None:
        self.add("score", "{")
        items: list[Callable[[], None]] = [
            lambda: self.add("scale", "1000"), lambda: self.add("half_life", "7d"),
            lambda: self.add("confidence", "0.95"), lambda: (self.add("weights"), self.amounts())[1],
            lambda: (self.add("bands"), self.amounts())[1],
        ]  # fmt: skip
        for item in self.random.sample(items, self.random.randint(0, 5)):
            item()
            self.add(*[";"] * self.chance(0.2))
        self.add("}")

    def test_field(self) -> None:
        self.add(self.name(), ":")
        self.expr(1)

    def step(self) -> None:
        match self.random.randrange(4):
            case 0 | 1:
                self.add("call", *["at", self.pick(*LENGTHS)] * self.chance(0.3))
                self.block(self.test_field, (",",))
            case 2:
                self.add("expect", self.pick("ok", "skipped a, b", "skipped c"))
            case _:
                self.add("expect", self.pick("violation", "unknown"), "of")
                self.many(lambda: self.add(self.name()))

    def test(self) -> None:
        self.add("test", self.pick(*TEXTS))
        self.block(self.step, ("", ";"))

    # White space

    def text(self) -> str:
        parts = [self.space("", "")]
        for word, following in zip(self.words, [*self.words[1:], ""], strict=True):
            parts += [word, self.space(word, following)]
        return "".join(parts)

    def space(self, before: str, after: str) -> str:
        """White space and comments between two words; none only where they do not grow together."""
        text = ""
        while self.chance(self.comments):
            text += self.pick("", " ", self.end, self.end * 2) + self.random.choice(COMMENTS) + self.end
        if self.chance(self.spread):
            text += self.pick(self.end, self.end + "  ", self.end * 3, "\t", "   ", " \f ")
        if text.startswith("/") and before.endswith("/"):
            text = " " + text  # a division sign, not more of the comment
        loose = before[-1:] in ("(", "[", "{", ",", ";", "!") or after[:1] in (")", "]", "}", ",", ";")
        return text or ("" if before == "" or (loose and self.chance()) else " ")
