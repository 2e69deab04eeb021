"""Macros and snippets, said by hand: what no table of the language has.

MACROS: forms and meaning of what looks like a function and is none: it binds a variable, or looks at earlier
calls of the session (OPERATORS).  SNIPPETS: the beginnings of
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
    "once": (("once(e) -> bool", "once(e, 5m) -> bool"),
             "e held on this call or an earlier one of the session, not longer ago"),
    "once_before": (("once_before(e, 5m) -> bool",), "e held on a call at least so long ago"),
    "historically": (("historically(e) -> bool", "historically(e, 5m) -> bool"),
                     "e held on every call of the session so far, this one included"),
    "historically_before": (("historically_before(e, 5m) -> bool",),
                            "e held on every call at least so long ago"),
    "since": (("since(p, q) -> bool", "since(p, q, 5m) -> bool"),
              "q held on some call, and p on every later one up to this"),
    "since_before": (("since_before(p, q, 5m) -> bool",), "the same, q at least so long ago"),
    "previous": (("previous(bool) -> bool", "previous(x) -> x?"),
                 "what it was on the call before; false or null on the first"),
    "count": (("count(e) -> int", "count(e, 5m) -> int"), "on how many calls e held, this one included"),
    "violated": (("watch violated(clause) above 0.01",), "whether it was violated; null where skipped"),
    "satisfied": (("watch satisfied(clause) above 0.99",), "whether it was satisfied; null where skipped"),
    "distribution": (('watch distribution(x) against "NAME"',),
                     "how x is distributed, against the file NAME.base that `pactc baseline` writes"),
    "says": (("string.says(phrases) -> bool",), "a phrase occurs, as whole words of the folded text"),
}  # fmt: skip

# The operators over a session, which stand in a condition of a clause, outside comprehensions.
OPERATORS = (
    "once", "once_before", "historically", "historically_before", "since", "since_before", "previous",
    "count",
)  # fmt: skip

# Where it is offered: at a declaration, or at a part of a clause; what is shown; the text with its places.
SNIPPETS: tuple[tuple[str, str, str, str], ...] = (
    ("declaration", "pact", "a pact's header", 'pact ${1:name} "${2:1.0.0}"\n  "${3:What it promises.}"\n$0'),
    ("declaration", "clause", "a clause with a condition",
     'clause ${1:name} "${2:What is promised.}" {\n  severity ${3|critical,major,minor,info|}\n'
     "  when     ${4:true}\n  require  ${0:true}\n}"),
    ("declaration", "clause never", "a clause about what must not be",
     'clause ${1:name} "${2:What never happens.}" {\n  severity ${3|critical,major,minor,info|}\n'
     "  never    ${0:false}\n}"),
    ("declaration", "clause only after", "a clause about what must come before",
     'clause ${1:name} { ${2:event} only after ${3:other} within ${0:30m} }'),
    ("declaration", "clause never after", "a clause about what must not come before",
     'clause ${1:name} { ${2:event} never after ${0:other} }'),
    ("declaration", "clause at most", "a clause about how often",
     'clause ${1:name} { at most ${2:3} ${3:calls} per ${0:session} }'),
    ("declaration", "clause expect", "a clause about what must follow",
     'clause ${1:name} { after ${2:event} expect ${3:other} within ${0:3 calls} }'),
    ("declaration", "clause only from", "a clause about where a value comes from",
     'clause ${1:name} { ${2:event}.${3:args} only from ${4:other}.${0:input} }'),
    ("declaration", "clause watch", "a clause that tells when a rate rises",
     'clause ${1:name} { watch ${2:violated(${3:other})} above ${0:0.01} one false alarm in 100000 calls }'),
    ("declaration", "event", "an event", 'event ${1:name} when ${0:tool == ""}'),
    ("declaration", "session", "what a session is", 'session by ${1:session} idle ${0:30m}'),
    ("declaration", "test", "a test of one call",
     'test "${1:what it shows}" {\n  call { ${2:output}: ${3:""} }\n  expect ${0:ok}\n}'),
    ("declaration", "pattern", "a pattern", 'pattern ${1:name} = r"${0}"'),
    ("declaration", "record", "a record of one's own",
     'record ${1:Name} {\n  ${2:id}: ${3:string}? as "${4:call_id}"\n}$0'),
    ("part", "on violation", "what a breach leads to",
     'on violation { ${1|block,alert,redact,warn,escalate|} ${0} }'),
)  # fmt: skip
