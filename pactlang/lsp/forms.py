"""Macros and snippets, said by hand: what no table of the language has.

MACROS: forms and meaning of what looks like a function and binds a variable.  SNIPPETS: the beginnings of
declarations, with the places to fill.
"""

from __future__ import annotations

MACROS: dict[str, tuple[tuple[str, ...], str]] = {
    "has": (("has(field) -> bool", "has(value.key) -> bool"), "it is there, a field not null"),
    "all": (("list.all(x, condition) -> bool", "list.all(i, x, condition) -> bool"), "true for all of them"),
    "exists": (("list.exists(x, condition) -> bool", "list.exists(i, x, condition) -> bool"),
               "true for some element"),
    "exists_one": (("list.exists_one(x, condition) -> bool",), "true for exactly one element"),
    "existsOne": (("list.existsOne(i, x, condition) -> bool",), "true for exactly one element"),
    "filter": (("list.filter(x, condition) -> list",), "the elements for which it is true"),
    "map": (("list.map(x, value) -> list", "list.map(x, condition, value) -> list"), "a value for each"),
    "transformList": (("list.transformList(i, x, value) -> list",), "a value of each element"),
    "transformMap": (("map.transformMap(k, v, value) -> map",), "the keys, each with a new value"),
    "transformMapEntry": (("map.transformMapEntry(k, v, {key: value}) -> map",), "an entry of each entry"),
    "optMap": (("optional.optMap(x, value) -> optional",), "a value of what is inside, if anything is"),
    "optFlatMap": (("optional.optFlatMap(x, optional) -> optional",), "where the value is an optional"),
    "cel.bind": (("cel.bind(x, value, result)",), "the result, in which x is the value"),
    "cel.block": (("cel.block([values], result)",), "the result, in which cel.index(n) is a value"),
    "says": (("string.says(phrases) -> bool",), "a phrase occurs, as whole words of the folded text"),
}  # fmt: skip

# Where it is offered: at a declaration, or at a part of a clause; what is shown; the text with its places.
SNIPPETS: tuple[tuple[str, str, str, str], ...] = (
    ("declaration", "pact", "a pact's header", 'pact ${1:name} "${2:1.0.0}"\n  "${3:What it promises.}"\n$0'),
    ("declaration", "clause", "a clause with a condition",
     'clause ${1:name} "${2:What is promised.}" {\n  severity ${3|critical,major,minor,info|}\n'
     "  when     ${4:true}\n  require  ${0:true}\n}"),
    ("declaration", "clause never", "a clause about what must not be",
     'clause ${1:name} "${2:What never happens.}" {\n  severity ${3|critical,major,minor,info|}\n'
     "  never    ${0:false}\n}"),
    ("declaration", "test", "a test of one call",
     'test "${1:what it shows}" {\n  call { ${2:output}: ${3:""} }\n  expect ${0:ok}\n}'),
    ("declaration", "pattern", "a pattern", 'pattern ${1:name} = r"${0}"'),
    ("declaration", "record", "a record of one's own",
     'record ${1:Name} {\n  ${2:id}: ${3:string}? as "${4:call_id}"\n}$0'),
    ("part", "on violation", "what a breach leads to",
     'on violation { ${1|block,alert,redact,warn,escalate|} ${0} }'),
)  # fmt: skip
