"""The whole pact: what it is about, each clause, what is read and stored, what a breach costs.

In: a `Program`.  Out: a `Document`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pactlang import ir
from pactlang.explain import form_events
from pactlang.explain.written import Writer
from pactlang.program import Program
from pactlang.prose.clauses import WEIGHTS, consequences, decided, promised
from pactlang.prose.conditions import CHECKS, Speaker
from pactlang.prose.document import (
    Block,
    Code,
    Document,
    Heading,
    Items,
    Paragraph,
    Source,
    Table,
    Words,
    in_a_row,
    sentence,
    words,
)
from pactlang.prose.forms import watches_together
from pactlang.score.plan import POINT, Plan
from pactlang.score.value import ENOUGH, OFTEN, PRIOR, RATE, RECENT, UNIT

NANOS = 1_000_000_000
SPANS = ((86_400 * NANOS, "day"), (3_600 * NANOS, "hour"), (60 * NANOS, "minute"), (NANOS, "second"))
SIZES = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "bytes"))


def contract(program: Program) -> Document:
    """The pact in plain language.  Raises ProgramError if the artifact's typed tree cannot be read."""
    module = program.module
    speaker = Speaker(Writer(module, program.source))
    title = f"{module.name} {module.version}"
    parts = (
        _head(program),
        _about(module, speaker),
        _sessions(module, speaker),
        _clauses(program, speaker),
        _costs(module),
        _scored(program),
        _reads(program),
    )
    blocks = [block for part in (*parts, _stored(module), _sought(module), _tests(module)) for block in part]
    return Document(title, tuple(blocks))


def _head(program: Program) -> Iterator[Block]:
    module = program.module
    yield Heading(1, (f"{module.name} {module.version}",))
    if module.description:
        yield Paragraph((module.description,))
    facts: list[Words] = []
    if module.owner:
        facts.append(words("Owner: ", Code(module.owner), "."))
    if module.renews:
        facts.append(
            (f"To be renewed on {module.renews}; after that a verdict says that the pact is expired.",)
        )
    facts.append(words("About records of the form ", Code(program.schema.root), "."))
    facts.append(words("Identity: ", Code(f"sha256:{program.digest}"), "."))
    yield Items(tuple(facts))
    yield Paragraph(
        (
            "Every call gets one verdict per clause: satisfied, violated, skipped (the clause is not about "
            "this call) or unknown (the data does not tell: a value that the clause needs is missing, or of "
            "another kind). Unknown never counts as satisfied.",
        )
    )


def _about(module: ir.Module, speaker: Speaker) -> Iterator[Block]:
    if module.applies is not None:
        yield Heading(2, ("What it is about",))
        yield Paragraph(sentence(words("it is about calls of which ", speaker.say(module.applies))))


# Clauses -------------------------------------------------------------------------------------------


def _sessions(module: ir.Module, speaker: Speaker) -> Iterator[Block]:
    """What a session is, and what the events are that promises are about."""
    session = module.session
    if session is None or isinstance(session.key, ir.Const):
        return
    yield Heading(2, ("What is remembered",))
    facts = [words("A session is all calls with the same ", speaker.name(session.key), ", in their order.")]
    if session.idle >= 0:
        facts.append((f"After {_amount(session.idle, SPANS)} without a call a new one begins.",))
    if session.limit >= 0:
        facts.append((f"After {session.limit:,} calls nothing more is known of one.",))
    facts.append(("Without a session, and after calls that were lost, a promise about it is unknown.",))
    events = {
        event.name: event.condition
        for clause in module.clauses
        for event, _ in form_events(clause.promise)
        if event.name != "calls"
    }
    for name, node in events.items():
        facts.append(words(Code(name), ": a call of which ", speaker.say(node), "."))
    yield Items(tuple(facts))


def _clauses(program: Program, speaker: Speaker) -> Iterator[Block]:
    module = program.module
    moments = {decided(clause, program.schema) for clause in module.clauses}
    dimensions = {clause.dimension for clause in module.clauses}
    yield Heading(2, ("What is promised",))
    if common := _common(moments, dimensions, len(module.clauses)):
        yield Paragraph(common)
    if together := watches_together(module):
        yield Paragraph(together)
    for clause in module.clauses:
        yield Heading(3, (clause.name,), clause.severity)
        if clause.description:
            yield Paragraph((clause.description,))
        yield Paragraph(promised(clause, speaker))
        facts = [] if len(moments) == 1 and common else [decided(clause, program.schema)]
        facts += consequences(clause)
        facts += [] if len(dimensions) == 1 and common else [(f"It counts as {clause.dimension}.",)]
        if facts:
            yield Items(tuple(facts))
        if text := program.source.text[slice(*clause.span)]:
            yield Source(text)


def _common(moments: set[Words], dimensions: set[str], count: int) -> Words:
    """What holds of every clause, where there are several."""
    if count < 2:
        return ()
    said = [f"Every promise: {_lower(next(iter(moments)))}"] if len(moments) == 1 else []
    said += [f"Every promise counts as {next(iter(dimensions))}."] if len(dimensions) == 1 else []
    return words(" ".join(said)) if said else ()


def _lower(said: Words) -> str:
    text = "".join(part if isinstance(part, str) else part.text for part in said)
    return text[:1].lower() + text[1:]


def _costs(module: ir.Module) -> Iterator[Block]:
    used = [severity for severity in WEIGHTS if any(c.severity == severity for c in module.clauses)]
    yield Heading(2, ("What a breach costs",))
    yield Paragraph(
        (
            "A call that breaks nothing scores 1000 points in a dimension, such as reliability. Each promise "
            "of that dimension that it breaks takes away as many points as its severity weighs, down to 0.",
        )
    )
    rows = []
    for severity in used:
        names: list[Words] = [(Code(c.name),) for c in module.clauses if c.severity == severity]
        rows.append(((severity,), (str(WEIGHTS[severity]),), in_a_row(names)))
    yield Table(("severity", "weight", "clauses"), tuple(rows))


def _scored(program: Program) -> Iterator[Block]:
    """How verdicts become a score; nothing where no clause is scored."""
    plan = Plan(program)
    if not plan.scored:
        return
    said, sure = plan.said, f"{plan.said.confidence / 10_000:.12g} %"
    yield Heading(2, ("How it is scored",))
    old = _amount(said.half_life * 1000, SPANS)
    mean = (
        f"The score is from 0 to {said.scale:,}: the mean of the dimensions, and of each the mean of its "
        f"calls. After {old} a call weighs half. Every dimension begins with {PRIOR} calls of half the "
        f"points; one with fewer than {ENOUGH} calls is shown as absent."
    )
    yield Paragraph((mean,))
    yield Table(("dimension", "share"), tuple(_shares(plan)))
    holds = f"The bounds of the score hold with {sure} confidence, at every moment. {_bands(plan)}"
    yield Paragraph((holds.rstrip(),))
    if plan.critical:
        names: list[Words] = [(Code(plan.names[i]),) for i in plan.critical]
        recent = f"broken less than {old} ago, it leaves at most {RECENT / UNIT:.0%} of the scale"
        often = f"broken for sure more often than once in {1 / RATE:,.0f} calls, {OFTEN / UNIT:.0%}"
        yield Paragraph(words(*in_a_row(names), f": {recent}; {often}."))


def _shares(plan: Plan) -> Iterator[tuple[Words, ...]]:
    total = sum(plan.weights)
    for name, weight in zip(plan.dimensions, plan.weights, strict=True):
        yield (Code(name),), (f"{weight / total:.1%}",)


def _bands(plan: Plan) -> str:
    bands = [f"{name} from {least / POINT:,.12g} on" for name, least in plan.said.bands]
    return f"The lower one decides the band: {', '.join(bands)}." if bands else ""


# Data ----------------------------------------------------------------------------------------------


def _reads(program: Program) -> Iterator[Block]:
    yield Heading(2, ("What is read of a call",))
    schema = program.schema
    read = [(name, fields) for name, fields in schema.reads.items() if fields]
    if not read:
        yield Paragraph(("Nothing.",))
        return
    yield Paragraph(("Only these fields are looked at; everything else in the data is passed over.",))
    rows: list[tuple[Words, ...]] = []
    for name, fields in read:
        record = schema.record(name)
        for field in fields:
            known = record.field(field)
            path = field if name == schema.root else f"{name}.{field}"
            rows.append(((Code(path),), (Code(str(known.type)),) if known else ()))
    yield Table(("field", "type"), tuple(rows))


def _stored(module: ir.Module) -> Iterator[Block]:
    yield Heading(2, ("What a ledger may store",))
    if not module.store:
        yield Paragraph(("The whole call, without a limit of time or size, where a ledger is kept.",))
        return
    yield Items(tuple(_rule(rule, module) for rule in module.store))


def _rule(rule: ir.StoreRule, module: ir.Module) -> Words:
    name = Code(".".join(rule.field))
    if rule.kind == "drop":
        return words(name, " is never stored.")
    if rule.kind == "redact":
        if rule.pattern < 0:
            return words(name, " is blanked before anything is written.")
        pattern = module.patterns[rule.pattern]
        what = Code(pattern.name or pattern.source)
        return words("In ", name, ", every match of ", what, " is blanked before anything is written.")
    if rule.kind == "keep":
        return (f"A call is kept for {_amount(rule.amount, SPANS)}.",)
    return (f"A ledger holds at most {_amount(rule.amount, SIZES)}.",)


def _amount(amount: int, units: tuple[tuple[int, str], ...]) -> str:
    size, unit = next(((size, unit) for size, unit in units if amount % size == 0), units[-1])
    count = amount / size
    plural = "s" if units is SPANS and count != 1 else ""
    return f"{count:,.12g} {unit}{plural}"


def _sought(module: ir.Module) -> Iterator[Block]:
    """The patterns and phrases that clauses name."""
    rows: list[tuple[Words, ...]] = []
    for pattern in module.patterns:
        if pattern.name:
            checked = CHECKS.get(pattern.check, "")
            rows.append(
                ((Code(pattern.name),), words(Code(pattern.source), f", {checked}" if checked else ""))
            )
    for phrases in module.phrases:
        if phrases.name:
            listed: list[Words] = [(Code(f'"{each}"'),) for each in phrases.phrases]
            rows.append(((Code(phrases.name),), in_a_row(listed, "or")))
    if rows:
        yield Heading(2, ("Patterns and phrases",))
        yield Paragraph(
            (
                "A pattern is a regular expression (RE2). Phrases are found as whole words, however they are "
                "capitalised or spaced.",
            )
        )
        yield Table(("name", "what it finds"), tuple(rows))


def _tests(module: ir.Module) -> Iterator[Block]:
    if module.tests:
        yield Heading(2, ("Examples",))
        names = [
            words(Code(test.name)) if test.name else ("an example without a name",) for test in module.tests
        ]
        yield Paragraph(words("The pact comes with examples that are run as tests: ", in_a_row(names), "."))
