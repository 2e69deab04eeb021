"""The machine's instructions, tags, field kinds and error codes: one table each, many readers.

`setup.py` writes them as C constants for `runtime/`; `emit` writes instructions, `program` packs and
unpacks them, `runtime/code.pxi` verifies them.  The numbers are part of the artifact's format: add
at the end, never renumber.

One instruction is 32 bytes: op, a, b, c (16 bits), three jump targets t, f, e (32 bits: where to go
on true, false and error), k (32 bits) and imm (64 bits, an int or the bits of a double).  An operand
is the number of a register; registers are, in this order, the record's slots, the constants and the
temporaries.  What an instruction uses of this stands in `SHAPES`.
"""

from enum import IntEnum
from typing import NamedTuple


class Opcode(IntEnum):
    """Instructions.  A typed comparison is a hint: operands of other types take the general path."""

    HALT = 0
    VIOLATED = 1
    UNKNOWN = 2
    SKIPPED = 3
    OUTSIDE = 4
    ALL_UNKNOWN = 5
    JUMP = 6
    TEST = 7
    PRESENT = 8
    EQ_INT = 9
    LT_INT = 10
    LE_INT = 11
    EQ_INT_K = 12
    LT_INT_K = 13
    LE_INT_K = 14
    GT_INT_K = 15
    GE_INT_K = 16
    EQ_DOUBLE = 17
    LT_DOUBLE = 18
    LE_DOUBLE = 19
    EQ_DOUBLE_K = 20
    LT_DOUBLE_K = 21
    LE_DOUBLE_K = 22
    GT_DOUBLE_K = 23
    GE_DOUBLE_K = 24
    EQ_STRING = 25
    EQ_TIME = 26
    LT_TIME = 27
    LE_TIME = 28
    EQ = 29
    LT = 30
    LE = 31
    IN_SET = 32
    IN = 33
    ATOM = 34
    MATCH = 35
    HAS_KEY = 36
    HAS_MEMBER = 37
    ITER = 38
    NEXT = 39
    MOVE = 40
    SET_BOOL = 41
    SET_ERROR = 42
    ADD_INT = 43
    SUBTRACT_INT = 44
    ADD_DOUBLE = 45
    SUBTRACT_DOUBLE = 46
    MULTIPLY_DOUBLE = 47
    CALL1 = 48
    CALL2 = 49
    CALL_N = 50
    MEMBER = 51
    KEY = 52
    LIST = 53
    MAP = 54
    APPEND = 55
    IS_ERROR = 56
    APPEND_OPTIONAL = 57
    PUT = 58
    PUT_OPTIONAL = 59
    MERGE = 60
    POSITION = 61
    ELEMENT = 62
    HAS_VALUE = 63
    RESULT = 64
    SESSION = 65
    OPERATE = 66
    NOT = 67
    AND = 68
    OR = 69
    EQUALS = 70
    JUDGE = 71


class Shape(NamedTuple):
    """What an instruction uses.

    reads, writes: the register operands, as letters ("ab" reads a and b).  `run`: a is the first of
    b registers that are read.  jumps: the targets it takes, as letters; without t it goes on to the
    next instruction.  k: what the number k stands for ("" if unused).
    """

    reads: str
    writes: str
    jumps: str
    picture: str
    k: str = ""
    run: bool = False


_COMPARE = Shape("ab", "", "tfe", "compare a with b, go to t, f or e")
_COMPARE_K = Shape("a", "", "tfe", "compare a with imm, go to t, f or e")
_ARITHMETIC = Shape("ab", "c", "", "c = a op b")

SHAPES: dict[Opcode, Shape] = {
    Opcode.HALT: Shape("", "", "", "the verdict is complete"),
    Opcode.VIOLATED: Shape("", "", "t", "clause k is violated, go to t", "clause"),
    Opcode.UNKNOWN: Shape("", "", "t", "clause k is unknown, go to t", "clause"),
    Opcode.SKIPPED: Shape("", "", "t", "clause k is skipped, go to t", "clause"),
    Opcode.OUTSIDE: Shape("", "", "", "the pact is not about this call; halt"),
    Opcode.ALL_UNKNOWN: Shape("", "", "", "every clause is unknown; halt"),
    Opcode.JUMP: Shape("", "", "t", "go to t"),
    Opcode.TEST: Shape("a", "", "tfe", "a is true, false, or no bool"),
    Opcode.PRESENT: Shape("a", "", "tf", "a is present and not null"),
    Opcode.EQ_INT: _COMPARE,
    Opcode.LT_INT: _COMPARE,
    Opcode.LE_INT: _COMPARE,
    Opcode.EQ_INT_K: _COMPARE_K,
    Opcode.LT_INT_K: _COMPARE_K,
    Opcode.LE_INT_K: _COMPARE_K,
    Opcode.GT_INT_K: _COMPARE_K,
    Opcode.GE_INT_K: _COMPARE_K,
    Opcode.EQ_DOUBLE: _COMPARE,
    Opcode.LT_DOUBLE: _COMPARE,
    Opcode.LE_DOUBLE: _COMPARE,
    Opcode.EQ_DOUBLE_K: _COMPARE_K,
    Opcode.LT_DOUBLE_K: _COMPARE_K,
    Opcode.LE_DOUBLE_K: _COMPARE_K,
    Opcode.GT_DOUBLE_K: _COMPARE_K,
    Opcode.GE_DOUBLE_K: _COMPARE_K,
    Opcode.EQ_STRING: _COMPARE,
    Opcode.EQ_TIME: _COMPARE,
    Opcode.LT_TIME: _COMPARE,
    Opcode.LE_TIME: _COMPARE,
    Opcode.EQ: _COMPARE,
    Opcode.LT: _COMPARE,
    Opcode.LE: _COMPARE,
    Opcode.IN_SET: Shape("a", "", "tfe", "a is in constant set k", "set"),
    Opcode.IN: _COMPARE,
    Opcode.ATOM: Shape("", "", "tfe", "text atom k occurs in its slot", "atom"),
    Opcode.MATCH: Shape("a", "", "tfe", "matcher k finds something in a", "matcher"),
    Opcode.HAS_KEY: Shape("ab", "", "tfe", "map a has key b"),
    Opcode.HAS_MEMBER: Shape("a", "", "tfe", "member k of record a is present, not null", "member"),
    Opcode.ITER: Shape("a", "c", "e", "start iterator c over a; a NEXT follows it"),
    Opcode.NEXT: Shape("", "b", "tf", "next of iterator a into b, go to t; at the end to f", "layout"),
    Opcode.MOVE: Shape("a", "c", "", "c = a"),
    Opcode.SET_BOOL: Shape("", "c", "", "c = imm, 0 or 1"),
    Opcode.SET_ERROR: Shape("", "c", "", "c = the error value with code imm"),
    Opcode.ADD_INT: _ARITHMETIC,
    Opcode.SUBTRACT_INT: _ARITHMETIC,
    Opcode.ADD_DOUBLE: _ARITHMETIC,
    Opcode.SUBTRACT_DOUBLE: _ARITHMETIC,
    Opcode.MULTIPLY_DOUBLE: _ARITHMETIC,
    Opcode.CALL1: Shape("a", "c", "", "c = builtin k of a", "builtin"),
    Opcode.CALL2: Shape("ab", "c", "", "c = builtin k of a and b", "builtin"),
    Opcode.CALL_N: Shape("", "c", "", "c = builtin k of the run", "builtin", run=True),
    Opcode.MEMBER: Shape("a", "c", "", "c = member k of record a", "member"),
    Opcode.KEY: Shape("ab", "c", "", "c = a[b] with the key b"),
    Opcode.LIST: Shape("", "c", "", "c = list of the run", run=True),
    Opcode.MAP: Shape("", "c", "", "c = map of the run: keys and values in turn", run=True),
    Opcode.APPEND: Shape("b", "a", "e", "append b to the list a"),
    Opcode.IS_ERROR: Shape("a", "", "tf", "a is an error value"),
    Opcode.APPEND_OPTIONAL: Shape("b", "a", "e", "append what the optional b holds to the list a"),
    Opcode.PUT: Shape("bc", "a", "e", "a[b] = c in the map a, which has no key b"),
    Opcode.PUT_OPTIONAL: Shape("bc", "a", "e", "the same with what the optional c holds"),
    Opcode.MERGE: Shape("b", "a", "e", "put the entries of the map b into the map a"),
    Opcode.POSITION: Shape("ab", "c", "", "c = index, or key, where iterator a over b stands"),
    Opcode.ELEMENT: Shape("ab", "c", "", "c = a[b] of a map a, b itself of a list a"),
    Opcode.HAS_VALUE: Shape("a", "", "tfe", "the optional a holds a value"),
    Opcode.RESULT: Shape("a", "", "", "the expression's value is a; halt"),
    Opcode.SESSION: Shape("a", "", "tf", "the call is of session a, go to t; to f if no more is judged"),
    Opcode.OPERATE: Shape("ab", "c", "", "c = operator k of a and b over the session", "operator"),
    Opcode.NOT: Shape("a", "c", "", "c = !a; an error value of what is no bool"),
    Opcode.AND: Shape("ab", "c", "", "c = a && b, with !a where k has 1, !b where it has 2"),
    Opcode.OR: Shape("ab", "c", "", "c = a || b, with !a where k has 1, !b where it has 2"),
    Opcode.EQUALS: Shape("ab", "c", "", "c = (a == b)"),
    Opcode.JUDGE: Shape("ab", "", "", "clause k promises a (imm 1: that a is false) when b", "clause"),
}


class Tag(IntEnum):
    """What a register holds."""

    ERROR = 0
    NULL = 1
    BOOL = 2
    INT = 3
    UINT = 4
    DOUBLE = 5
    STRING = 6
    BYTES = 7
    TIMESTAMP = 8
    DURATION = 9
    LIST = 10
    MAP = 11
    TYPE = 12
    RECORD = 13
    ITERATOR = 14
    OPTIONAL = 15
    OPAQUE = 16
    SPAN = 17


class Kind(IntEnum):
    """How a decoded field is held: TIMESTAMP and DURATION as text, _S to _NS as a number in that unit."""

    BOOL = 0
    INT = 1
    UINT = 2
    DOUBLE = 3
    STRING = 4
    BYTES = 5
    TIMESTAMP = 6
    TIMESTAMP_S = 7
    TIMESTAMP_MS = 8
    TIMESTAMP_US = 9
    TIMESTAMP_NS = 10
    DURATION = 11
    DURATION_S = 12
    DURATION_MS = 13
    DURATION_US = 14
    DURATION_NS = 15
    DYN = 16
    LIST = 17
    MAP = 18
    RECORD = 19
    CONVERT = 20


class Act(IntEnum):
    """How the JSON reader takes a field: TEXT as a str, SPAN as bytes in the record that are only searched.

    LIST is of records, whose structs are made; DECODE leaves the bytes to msgspec; where a REFUSE key
    stands, or an object under a REFUSE_OBJECT key, another reader must look.  No part of an artifact.
    """

    TEXT = 0
    SPAN = 1
    BOOL = 2
    INT = 3
    UINT = 4
    DOUBLE = 5
    MOMENT = 6
    UNIT = 7
    RECORD = 8
    LIST = 9
    DECODE = 10
    REFUSE = 11
    REFUSE_OBJECT = 12


class ErrorCode(IntEnum):
    """Why a value is an error value."""

    NO_SUCH_OVERLOAD = 0
    NO_SUCH_KEY = 1
    NULL_OPERAND = 2
    OVERFLOW = 3
    DIVIDE_BY_ZERO = 4
    INDEX_OUT_OF_RANGE = 5
    BAD_CONVERSION = 6
    INVALID_PATTERN = 7
    DUPLICATE_KEY = 8
    BAD_NUMBER = 9
    RANGE = 10
    LIMIT = 11
    NO_VALUE = 12
    UNKNOWN_NAME = 13
    UNCERTAIN = 14


class UnitKind(IntEnum):
    """What a session remembers: operators, then named forms."""

    ONCE = 0
    SINCE = 1
    PREVIOUS = 2
    COUNTED = 3
    ONLY_AFTER = 4
    NEVER_AFTER = 5
    AT_MOST = 6
    EXPECT = 7
    ONLY_FROM = 8


class FigureKind(IntEnum):
    """What a window keeps of an aggregate.  BELOW: how many values lie below a threshold, for a quantile
    against a constant; SKETCH: for a quantile's value; BURN: the share of bad calls."""

    COUNTED = 0
    RATE = 1
    BURN = 2
    BELOW = 3
    SUM = 4
    AVERAGE = 5
    LEAST = 6
    MOST = 7
    SKETCH = 8
    DISTINCT = 9


class ValueForm(IntEnum):
    """How the values of an aggregate become integers: as they are; doubles by their order (their sums in
    billionths); durations and times in microseconds."""

    NONE = 0
    INT = 1
    UINT = 2
    DOUBLE = 3
    DURATION = 4
    TIMESTAMP = 5


class KeepStep(IntEnum):
    """A step of a comparison's side: put a register's value, an aggregate's, or call a function."""

    PUT = 0
    FIGURE = 1
    CALL = 2


class WatchKind(IntEnum):
    """What the parts of a watch are: one rate; bins of numbers and one for null; texts, null, other texts."""

    RATE = 0
    NUMBERS = 1
    TEXTS = 2


class Comparison(IntEnum):
    """How the two sides of a `keep` are compared."""

    LESS = 0
    LESS_EQUAL = 1
    GREATER = 2
    GREATER_EQUAL = 3
    EQUAL = 4
    NOT_EQUAL = 5


class Outcome(IntEnum):
    """What a clause says of a call."""

    SATISFIED = 0
    VIOLATED = 1
    SKIPPED = 2
    UNKNOWN = 3


INSTRUCTION = "<HHHHiiiIq"  # struct format: op a b c, t f e, k, imm
INSTRUCTION_SIZE = 32
MAX_REGISTERS = 65_000
