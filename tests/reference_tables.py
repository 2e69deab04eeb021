"""The tables of grammar/README.md and runtime/README.md that follow from the sources.

A table stands behind the line `<!-- table: NAME -->`.  All of its columns but the last come from the
sources; the last is written by hand and belongs to the row with the same first column.  `TABLES` makes the
columns that come from the sources; `refreshed` puts them into a page and keeps what was written by hand.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from pactlang.functions import FUNCTIONS, OPERATORS, Overload
from pactlang.opcodes import SHAPES, ErrorCode, Kind, Opcode, Tag
from pactlang.schema import Field
from pactlang.standard import STANDARD, WIRES

ROOT = Path(__file__).parent.parent
Row = tuple[str, ...]
LEVELS = ("error", "warning", "note")


# Fields of the standard records ------------------------------------------------------------------


def fields() -> Iterator[Row]:
    """Name, type and other names of every field of `Call`; those of nested records behind it."""
    for field in STANDARD["Call"].fields:
        nested = STANDARD[field.type.name].fields if field.type.name == "Usage" else ()
        for inner in nested:
            yield field_row(f"{field.name}.{inner.name}", inner, (field.name, inner.name))
        if not nested:
            yield field_row(field.name, field, (field.name,))
    for name in ("Message", "ToolCall"):
        for field in STANDARD[name].fields:
            yield field_row(f"{name}.{field.name}", field, ())


def field_row(name: str, field: Field, path: tuple[str, ...]) -> Row:
    default = f" = {msgspec.json.encode(field.default).decode()}" if field.has_default else ""
    keys = ", ".join(f"`{wire.key}`" for wire in WIRES.get(path, ()))
    return f"`{name}`", f"`{field.type}{default}`", keys


# Functions ---------------------------------------------------------------------------------------

SIGNS = {function: sign for sign, function in OPERATORS.items()} | {"_?._": ".?", "_[?_]": "[?]"}
NUMBERS = {"int", "uint", "double"}


def functions() -> Iterator[Row]:
    """Name, and every form with its result."""
    for name, rows in FUNCTIONS.items():
        yield shown(name), "<br>".join(f"`{form}`" for form in forms(rows, SIGNS.get(name, "")))
    yield "`says`", "`string.says(phrases) -> bool`"  # of no overload: its phrases are no value


def shown(function: str) -> str:
    sign = SIGNS.get(function, "")
    odd = {"neg": "-a", "[]": "a[b]", ".?": "a.?f", "[?]": "a[?b]"}
    written = odd.get(sign) or f"a {sign} b"
    return f"`{written if sign else function}`"


def forms(rows: tuple[Overload, ...], sign: str) -> Iterator[str]:
    """One form per line; rows that differ only in the type of number are one form."""
    pairs = {tuple(map(str, row.params)) for row in rows}
    every = {(a, b) for a in NUMBERS for b in NUMBERS}
    crossed = every if every <= pairs else set()
    if crossed:
        across = [row for row in rows if tuple(map(str, row.params)) in crossed]
        one = len({row.result for row in across}) == 1
        yield written(sign, "number", "number", row=across[0], result="" if one else "number")
    found: dict[str, None] = {}
    for row in rows:
        if tuple(map(str, row.params)) not in crossed:
            found[written(sign, *map(str, row.params), row=row)] = None
    yield from merged(list(found), sign)


def written(sign: str, *params: str, row: Overload, result: str = "") -> str:
    rest = ", ".join(params) + (", ..." if row.variadic else "")
    if sign:
        first, last = params[0], params[-1]
        odd = {"neg": f"-{first}", "[]": f"{first}[{last}]", ".?": f"{first}.?f", "[?]": f"{first}[?{last}]"}
        form = odd.get(sign) or f"{first} {sign} {last}"
    elif row.method:
        form = f"{params[0]}.{row.function}({', '.join(params[1:])})"
    else:
        form = f"{row.function}({rest})"
    return f"{form} -> {result or row.result}"


def merged(found: list[str], sign: str) -> Iterator[str]:
    """Conversions to one type from many: `int(int or uint or ...)`; else forms for each type of number."""
    one = [re.fullmatch(r"(\w+)\(([\w.]+)\) -> (\w+)", form) for form in found]
    if sign or len(found) < 2 or not all(one):
        yield from found if sign else of_numbers(found)
        return
    matches = [match for match in one if match]
    yield f"{matches[0][1]}({' or '.join(match[2] for match in matches)}) -> {matches[0][3]}"


def of_numbers(found: list[str]) -> list[str]:
    """Three forms that differ in the type of number alone are one."""
    for form in found:
        alike = [re.sub(r"\bint\b", kind, form) for kind in ("int", "uint", "double")]
        if len(set(alike)) == 3 and set(alike) <= set(found):
            number = re.sub(r"\bint\b", "number", form)
            return of_numbers([number if x == form else x for x in found if x not in alike[1:]])
    return found


def failing() -> set[str]:
    """Functions that may give an error value although their arguments have the right types."""
    return {shown(name) for name, rows in FUNCTIONS.items() if any(row.errs for row in rows)}


# Error values, instructions ----------------------------------------------------------------------


def errors() -> Iterator[Row]:
    """The word of every error value."""
    for code in ErrorCode:
        yield (f"`{code.name.lower().replace('_', '-')}`",)


def instructions() -> Iterator[Row]:
    """Number, name, registers read and written, jumps and k of every instruction."""
    for code in Opcode:
        shape = SHAPES[code]
        reads = " ".join(shape.reads) + ("a .. a+b-1" if shape.run else "")
        jumps = " ".join(shape.jumps)
        yield str(code.value), f"`{code.name}`", reads, shape.writes, jumps, shape.k, shape.picture


def named(enum: type[Kind] | type[Tag]) -> Callable[[], Iterator[Row]]:
    return lambda: ((f"`{member.name}`",) for member in enum)


# Diagnostics -------------------------------------------------------------------------------------

# Who makes a finding, and its level unless the call says otherwise.
MAKERS = {
    "Diagnostic": "error", "Limit": "error", "error": "error", "mistake": "error", "_malformed": "error",
    "_error": "error", "_refuse": "error", "_miss": "error",
    "unknown": "error", "warning": "warning", "note": "note", "rule": "error",
}  # fmt: skip
LENIENT = {"rule"}  # makers whose findings are only warnings where an expression stands alone
NOT_FINDINGS = {"walk.error", "self.error", "at.error"}  # a node, not a finding


def diagnostics() -> Iterator[Row]:
    """Code and levels of everything that the front half reports."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sources():
        for code, level in emitted(path):
            found[code].add(level)
    for code in sorted(found):
        yield f"`{code}`", ", ".join(level for level in LEVELS if level in found[code])


def sources() -> list[Path]:
    stages = ("parse/*.py", "check/*.py", "cost/*.py", "emit/*.py", "link/*.py", "build.py")
    return [path for stage in stages for path in (ROOT / "pactlang").glob(stage)]


def emitted(path: Path) -> Iterator[tuple[str, str]]:
    """(code, level) of every call in a file that makes a finding."""
    for function in ast.walk(ast.parse(path.read_text("utf-8"))):
        for call in ast.walk(function) if isinstance(function, ast.FunctionDef) else ():
            name = ast.unparse(call.func) if isinstance(call, ast.Call) and call.args else ""
            maker = name.rpartition(".")[2]
            if isinstance(call, ast.Call) and maker in MAKERS and name not in NOT_FINDINGS:
                level = level_of(call) or MAKERS[maker]
                prefix = "unknown-" if maker == "unknown" else ""
                levels = {level, "warning"} if maker in LENIENT else {level}
                yield from ((prefix + code, x) for code in codes(call.args[0], function) for x in levels)


def level_of(call: ast.Call) -> str:
    """The level that a call names; "" if it names none, or hands on its caller's."""
    words = [ast.unparse(keyword.value).lower() for keyword in call.keywords if keyword.arg == "level"]
    return words[0] if words and words[0] in LEVELS else ""


def codes(node: ast.expr, function: ast.AST) -> Iterator[str]:
    """The words that a code can be: a constant, a variable's constants, or what a template makes."""
    match node:
        case ast.Constant(value=str(word)):
            yield word
        case ast.Name(id=name):
            for part in ast.walk(function):
                if isinstance(part, ast.Assign) and [ast.unparse(t) for t in part.targets] == [name]:
                    yield from codes(part.value, function)
        case ast.IfExp(body=body, orelse=other):
            yield from codes(body, function)
            yield from codes(other, function)
        case ast.JoinedStr():
            yield from MADE.get(ast.unparse(node), ())


# What the templates for codes make.
MADE = {
    "f'nothing-to-{verb}'": ("nothing-to-override", "nothing-to-drop"),
    "f'bad-{function}'": ("bad-cidr", "bad-duration", "bad-ip", "bad-timestamp"),
    "f'{what.split()[-1]}-as-value'": ("pattern-as-value", "phrases-as-value"),
}


# Pages -------------------------------------------------------------------------------------------

TABLES: dict[str, tuple[Row, Callable[[], Iterator[Row]]]] = {
    "fields": (("field", "type", "other names in the data", "meaning"), fields),
    "functions": (("function", "forms", "value"), functions),
    "errors": (("error value", "when"), errors),
    "diagnostics": (("code", "level", "meaning"), diagnostics),
    "instructions": (("number", "name", "reads", "writes", "jumps", "k", "what it does"), instructions),
    "tags": (("tag", "what the cell holds"), named(Tag)),
    "kinds": (("kind", "what the struct holds"), named(Kind)),
}
WHOLLY_GENERATED = {"instructions"}
MARK = re.compile(r"^<!-- table: (\w+) -->\n(?:\n(\|.*?\|\n)(?=\n|\Z))?", re.M | re.S)


def cells(line: str) -> list[str]:
    return [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def line(row: Row) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |\n"


def by_hand(table: str) -> dict[str, str]:
    """The last column of a table as it stands on a page, by the first."""
    return {cells(text)[0]: cells(text)[-1] for text in table.splitlines()[2:]}


def refreshed(page: str) -> str:
    """The page with its tables made anew."""

    def table(found: re.Match[str]) -> str:
        header, rows = TABLES[found[1]]
        kept = by_hand(found[2] or "")
        lines = [header, ("---",) * len(header)]
        lines += (row if found[1] in WHOLLY_GENERATED else (*row, kept.get(row[0], "")) for row in rows())
        return f"<!-- table: {found[1]} -->\n\n" + "".join(map(line, lines))

    return MARK.sub(table, page)


def tables(page: str) -> dict[str, str]:
    """The tables of a page, by name."""
    return {found[1]: found[2] or "" for found in MARK.finditer(page)}
