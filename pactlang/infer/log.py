"""What many records look like, and what one must see them in order, or field beside field, to know.

In: records as JSON data, in the order of the log.  Out: a `Log`, the `Shape` of all of them, which also
knows the arguments of each tool, and which keys count the calls of a session.
"""

from __future__ import annotations

from typing import Any

import msgspec

from pactlang.infer.names import snake
from pactlang.infer.shape import Shape

# Keys, as `snake` writes them, by what they hold; the first that a record has is taken.
TOOLS = ("tool", "tool_name", "gen_ai_tool_name", "function_name", "function", "action", "name")
ARGUMENTS = (
    "args", "arguments", "tool_input", "tool_args", "tool_arguments", "parameters", "params", "input",
    "gen_ai_tool_call_arguments", "tool_parameters",
)  # fmt: skip
SESSIONS = ("session", "session_id", "conversation_id", "conversation", "thread_id", "chat_id", "trace_id")
STEPS = (
    "seq", "sequence", "sequence_number", "turn", "turn_index", "turn_id", "step", "step_index", "index",
    "message_index", "call_index",
)  # fmt: skip
MOST_TOOLS = 64  # tools whose arguments are told apart


class Log(Shape):
    """The shape of records.

    arguments: what tools were called with, by the keys of the tool and of its arguments and by the name
    of the tool.  A pair of keys that holds anything else in some record is still in it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.arguments: dict[tuple[str, str], dict[str, Shape]] = {}
        self._next: dict[tuple[str, str], dict[str | int, int]] = {}
        self._broken: set[tuple[str, str]] = set()

    def add(self, data: Any) -> None:
        """Count one record."""
        super().add(data)
        if isinstance(data, dict):
            names = {snake(key): key for key in data}
            self._called(data, names)
            self._stepped(data, names)

    def is_sequence(self, session: str, key: str) -> bool:
        """Whether a key counts the calls of every session 0, 1, 2, ..., and some session has two."""
        last = self._next.get((session, key), {})
        everywhere = all(self.members[each].present == self.count for each in (session, key))
        return (session, key) not in self._broken and everywhere and max(last.values(), default=0) > 1

    def _called(self, data: dict[str, Any], names: dict[str, str]) -> None:
        tool = next((names[n] for n in TOOLS if n in names and isinstance(data[names[n]], str)), None)
        held = next((names[n] for n in ARGUMENTS if n in names and data[names[n]] is not None), None)
        if tool is None or held is None:
            return
        tools = self.arguments.setdefault((tool, held), {})
        if data[tool] in tools or len(tools) < MOST_TOOLS:
            tools.setdefault(data[tool], Shape(1)).add(_decoded(data[held]))

    def _stepped(self, data: dict[str, Any], names: dict[str, str]) -> None:
        for session in (names[n] for n in SESSIONS if n in names):
            for key in (names[n] for n in STEPS if n in names):
                pair, name = (session, key), data[session]
                due = self._next.setdefault(pair, {})
                if (
                    type(data[key]) is not int
                    or type(name) not in (str, int)
                    or data[key] != due.get(name, 0)
                ):
                    self._broken.add(pair)
                else:
                    due[name] = data[key] + 1


def _decoded(held: Any) -> Any:
    """Arguments that are written as JSON in a text, as OpenTelemetry has them."""
    if not isinstance(held, str) or held[:1] != "{":
        return held
    try:
        return msgspec.json.decode(held)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return held
