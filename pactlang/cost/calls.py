"""What functions take, and how large their results are.

In: a function of the overload table and the extents of its arguments.  Out: `(steps, Extent)`: steps
beyond the one of the operation itself, an upper bound of what the machine charges (`Frame.spend`), and
of what it makes.  A function that is not told apart here is charged for all it reads and makes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pactlang import ir
from pactlang.cost.extent import (
    SCALAR,
    WORD,
    Extent,
    Scalar,
    Text,
    any_of,
    both,
    either,
    list_of,
    text,
)
from pactlang.cost.formula import NONE, Formula, least, number, total

# Characters for one step.
COMPARED, SOUGHT, SEARCHED, COPIED = 256, 16, 8, 256
PYTHON = number(16)  # to call Python: a search, a conversion, an extension

Args = Sequence[Extent]
Result = tuple[Formula, Extent]


def call(function: str, args: Args, nodes: Sequence[ir.Expr]) -> Result:
    """What a call takes and makes.  `nodes`: the arguments as written, where a constant tells more."""
    if function in QUIET or (function == "hasValue" and nodes[0].type.kind == "optional"):
        return spread(args), SCALAR
    if function in TAKES:
        return TAKES[function](args)
    return general(function, args, nodes)


def spread(args: Args) -> Formula:
    """A call of many arguments looks at each."""
    return number(len(args) // 8)


# Operators -----------------------------------------------------------------------------------


def equal(args: Args) -> Result:
    """`==`, `!=`: no more than the lighter one, since unequal sizes end it."""
    return least(args[0].weight, args[1].weight), SCALAR


def ordered(args: Args) -> Result:
    """`<` and its kin, of texts or bytes."""
    return least(args[0].chars, args[1].chars).per(COMPARED), SCALAR


def inside(args: Args) -> Result:
    """`in`: of a list each element; a map is asked for its key."""
    item, source = args
    return source.items + source.items * least(item.weight, source.each.weight), SCALAR


def added(args: Args) -> Result:
    """`+`: of numbers and times nothing but itself; texts, bytes and lists are copied."""
    a, b = args[0], args[-1]
    if isinstance(a, Scalar) and isinstance(b, Scalar):
        return NONE, SCALAR
    made = both(a, b)
    return made.chars.per(COPIED) + made.items.per(8), made


def element(args: Args) -> Result:
    """`x[i]`, `x[?i]`, `first()`, `last()`."""
    return NONE, args[0].each


# Text ----------------------------------------------------------------------------------------


def contains(args: Args) -> Result:
    """`a.contains(b)`."""
    return args[0].chars.per(SOUGHT), SCALAR


def ends(args: Args) -> Result:
    """`a.startsWith(b)`, `a.endsWith(b)`."""
    return args[1].chars.per(SOUGHT), SCALAR


def searched(chars: Formula) -> Formula:
    """A search for a pattern or phrases."""
    return PYTHON + chars.per(SEARCHED)


def converted(args: Args) -> Result:
    """`int("5")`, `string(1.5)`: through Python if one of the two is a text."""
    return PYTHON + args[0].chars.per(COPIED), SCALAR


def to_text(args: Args) -> Result:
    """`string(x)`."""
    return converted(args)[0], text(args[0].chars + WORD)


def to_bytes(args: Args) -> Result:
    """`bytes(x)`: in UTF-8."""
    return converted(args)[0], text(args[0].chars * number(4))


def part(args: Args) -> Result:
    """A function whose result is no longer than the text it is made of."""
    return read_and_made(args, args[0].chars), Text(args[0].chars)


def letter(args: Args) -> Result:
    """`charAt`."""
    return read_and_made(args, NONE), text(number(1))


def found(args: Args) -> Result:
    """`indexOf`, `isIP`, `math.sqrt`, ...: what comes out is a number or the like."""
    return read_and_made(args, NONE), SCALAR


def replaced(args: Args) -> Result:
    """`replace`: at worst the new text stands before, behind and between all characters."""
    chars = args[0].chars + (args[0].chars + number(1)) * args[2].chars
    return read_and_made(args, chars), text(chars)


def split(args: Args) -> Result:
    """`split`: at worst each character is a text of its own."""
    chars = args[0].chars
    return read_and_made(args, chars) + chars, list_of(chars + number(1), Text(chars), chars.per(COMPARED))


def joined(args: Args) -> Result:
    """`join`: all elements with what stands between them."""
    chars = args[0].items * (args[0].each.chars + (args[1].chars if len(args) > 1 else NONE))
    return read_and_made(args, chars), text(chars)


def grown(times: int, more: int) -> Callable[[Args], Result]:
    """A text that becomes longer by a factor and some characters: quotes, base64."""

    def of(args: Args) -> Result:
        chars = args[0].chars * number(times) + number(more)
        return read_and_made(args, chars), text(chars)

    return of


def formatted(args: Args) -> Result:
    """`"...".format([...])`: the text, and each argument written out once."""
    inserted = args[1].items * args[1].each.printed
    chars = args[0].chars + inserted
    return read_and_made(args, chars), text(chars)


def read_and_made(args: Args, chars: Formula) -> Formula:
    """All texts and elements that are read, and the characters that are made."""
    read = total([arg.chars + arg.items * arg.each.chars for arg in args])
    return PYTHON + total([arg.items for arg in args]) + (read + chars).per(SOUGHT)


# Values --------------------------------------------------------------------------------------


def same(args: Args) -> Result:
    """`dyn(x)`, `optional.of(x)`, `x.value()`: the value itself, or one of them."""
    return NONE, any_of(args)


def listed(args: Args) -> Result:
    """`math.greatest`, `math.least`: of their arguments, or of a list's elements."""
    return spread(args) + read_and_made(args, NONE), SCALAR


def unwrapped(args: Args) -> Result:
    """`optional.unwrap`: the elements that are there."""
    return read_and_made(args, NONE) + args[0].items, args[0]


def selected(args: Args, nodes: Sequence[ir.Expr]) -> Result:
    """`x.?f`: a field, or what is under a key."""
    name = nodes[-1].value if isinstance(nodes[-1], ir.Const) else None
    return NONE, args[0].field(name) if isinstance(name, str) else args[0].each


def general(function: str, args: Args, nodes: Sequence[ir.Expr]) -> Result:
    """Functions that look at constants, and those that nobody told apart."""
    if function == "_?._":
        return selected(args, nodes)
    chars = WORD + total([arg.chars for arg in args])
    return spread(args) + read_and_made(args, chars), either(text(chars), any_of(args))


# The machine computes these itself, and nothing in them grows.
QUIET = frozenset("_-_ _*_ _/_ _%_ -_ size bucket optional.none".split())
SCALARS = (
    "math.ceil math.floor math.round math.trunc math.abs math.sign math.sqrt math.isNaN math.isInf "
    "math.isFinite math.bitAnd math.bitOr math.bitXor math.bitNot math.bitShiftLeft math.bitShiftRight "
    "family isUnspecified isLoopback isGlobalUnicast isLinkLocalMulticast isLinkLocalUnicast masked "
    "prefixLength indexOf lastIndexOf ip isIP ip.isCanonical cidr isCIDR containsIP containsCIDR hasValue"
).split()
CALENDAR = (
    "getFullYear getMonth getDate getDayOfMonth getDayOfWeek getDayOfYear getHours getMinutes getSeconds "
    "getMilliseconds hour".split()
)

TAKES: dict[str, Callable[[Args], Result]] = {
    **dict.fromkeys(("_==_", "_!=_"), equal),
    **dict.fromkeys(("_<_", "_<=_", "_>_", "_>=_"), ordered),
    "@in": inside, "_+_": added,
    **dict.fromkeys(("_[_]", "_[?_]", "first", "last"), element),
    "contains": contains,
    **dict.fromkeys(("startsWith", "endsWith"), ends),
    "matches": lambda args: (searched(args[0].chars), SCALAR),
    **dict.fromkeys(("bool", "int", "uint", "double", "timestamp", "duration"), converted),
    "string": to_text, "bytes": to_bytes,
    "type": lambda args: (NONE, Text(WORD)),
    **dict.fromkeys(CALENDAR, lambda args: (PYTHON if len(args) > 1 else NONE, SCALAR)),
    **dict.fromkeys(("lowerAscii", "upperAscii", "trim", "reverse", "substring", "base64.decode"), part),
    "charAt": letter,
    **dict.fromkeys(SCALARS, found),
    "format": formatted,
    "replace": replaced, "split": split, "join": joined,
    "strings.quote": grown(2, 2), "base64.encode": grown(2, 4),
    **dict.fromkeys(("math.greatest", "math.least"), listed),
    **dict.fromkeys(("dyn", "optional.of", "value", "or", "orValue"), same),
    "optional.ofNonZeroValue": lambda args: (read_and_made(args, NONE), args[0]),
    **dict.fromkeys(("optional.unwrap", "unwrapOpt"), unwrapped),
}  # fmt: skip
