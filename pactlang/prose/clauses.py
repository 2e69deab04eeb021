"""What one clause says: its promise, when it can be decided, what a breach brings.

In: `ir.Clause`, the module's `Speaker`.  Out: `Words`.
"""

from __future__ import annotations

from pactlang import ir
from pactlang.prose.conditions import Speaker
from pactlang.prose.document import Code, Words, in_a_row, sentence, words
from pactlang.prose.forms import remembered
from pactlang.schema import Schema
from pactlang.standard import STANDARD

# The weight of a breach among 1000, as the score takes it.
WEIGHTS = {"critical": 1000, "major": 400, "minor": 100, "info": 0}
# Fields of `Call` that are known before the call runs; fields that a pact adds are, too.
BEFORE = frozenset(
    "id session seq time agent agent_version kind provider model input messages tool args upstream"
    " attributes".split()
)


def promised(clause: ir.Clause, speaker: Speaker) -> Words:
    """The promise as a sentence."""
    form = clause.promise
    if isinstance(form, ir.Remembering):
        said = remembered(form, speaker)
    else:
        said = speaker.say(form, not clause.never)
    if clause.when is not None:
        return sentence(words("when ", speaker.say(clause.when), ": ", said))
    return sentence(said)


def decided(clause: ir.Clause, schema: Schema) -> Words:
    """When it is known whether the promise is kept, and so what a guard can do about it."""
    if isinstance(clause.promise, ir.Expect):
        return ("Detected by what comes after the call; it cannot be enforced.",)
    if isinstance(clause.promise, ir.Population):
        return ("Detected over many calls; no single one is held back.",)
    early = is_early(clause, schema)
    moment = "before the call runs" if early else "when the answer is there"
    if any(action.kind in ir.HOLDING for action in clause.on_violation):
        return (f"To be enforced {moment}.",)
    return (f"Detected {moment}; nothing is held back.",)


def is_early(clause: ir.Clause, schema: Schema) -> bool:
    """Whether it reads only what is known before the call."""
    if schema.root != "Call":
        return False
    read = ir.fields_read(schema, clause.when, *ir.promised(clause.promise))
    return all(name in BEFORE or STANDARD["Call"].field(name) is None for name in read)


def consequences(clause: ir.Clause) -> list[Words]:
    """What follows a breach, and what follows when it cannot be decided."""
    found = [words("If it is broken, ", in_a_row([_action(each) for each in clause.on_violation]), ".")]
    found = found if clause.on_violation else []
    done = [_action(each) for each in clause.on_unknown]
    if _blocks_unasked(clause):
        done.append(("the call is blocked, too",))
    if done:
        found.append(words("If it cannot be decided, ", in_a_row(done), "."))
    return found


def _blocks_unasked(clause: ir.Clause) -> bool:
    """Whether it blocks what cannot be decided only because it blocks a breach."""
    said = {action.kind for action in clause.on_unknown}
    return not said & {"block", "allow"} and any(action.kind == "block" for action in clause.on_violation)


def _action(action: ir.Action) -> Words:
    value = Code(f'"{action.value}"' if isinstance(action.value, str) else str(action.value))
    match action.kind:
        case "block" if action.value is not None:
            return words("the call is blocked with ", value)
        case "alert" | "fallback":
            said = "an alert goes to " if action.kind == "alert" else "the answer comes from "
            return words(said, value)
        case "retry":
            return words("the call is tried again, at most ", value, " times")
        case "penalty":
            return words("a penalty of ", value, " is due")
    return (SAID.get(action.kind, action.kind),)


SAID = {
    "block": "the call is blocked", "redact": "what was found is blanked", "warn": "a warning is given",
    "escalate": "a person is asked", "pause": "further calls are refused until a person resumes them",
    "allow": "the call is let through",
}  # fmt: skip
