"""Guard: wrap the calls of an agent, answer at once, judge every call.  See `guard.guard`."""

from pactlang.guard.call import Call, Message, ToolCall, Usage
from pactlang.guard.findings import Counts, Finding
from pactlang.guard.guard import Guard
from pactlang.guard.result import Result, Verification

__all__ = ["Call", "Counts", "Finding", "Guard", "Message", "Result", "ToolCall", "Usage", "Verification"]
