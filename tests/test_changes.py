"""What of a pact has changed: by what its clauses say, not by names, places and order."""

from __future__ import annotations

import pactlang
from pactlang.cli.changes import changes


def kinds(old: str, new: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    found = changes(pactlang.compile(old), pactlang.compile(new))
    return {each.name: (each.kind, each.parts) for each in found if each.kind != "same"}


def test_names_places_and_order_are_no_change() -> None:
    old = """pact p "1.0.0"
pattern a = "x+"
pattern b = "y+"
let cap = 20
event e when tool == "ask"
clause one { never output.matches(b) }
clause two { require size(output) <= cap && !output.matches(a) }
clause three { at most 1 e per session }
"""
    new = """pact p "1.0.1"
let most = 20
pattern c = "y+"
pattern q = "x+"
event f when tool == "ask"

clause three { at most 1 f per session }
clause two   { require size(output) <= most && !output.matches(q) }
clause one   { never   output.matches(c) }
"""
    assert kinds(old, new) == {}
    assert kinds(old, new.replace('"y+"', '"z+"')) == {"one": ("changed", ("promise",))}
    assert kinds(old, new.replace("most = 20", "most = 21")) == {"two": ("changed", ("promise",))}
    assert kinds(old, new.replace('== "ask"', '== "asks"')) == {"three": ("changed", ("promise",))}
    mild = new.replace("clause one   {", 'clause one "Why." { severity info')
    assert kinds(old, mild) == {"one": ("changed", ("severity", "description"))}
    assert kinds(old, new.replace("clause one", "clause uno")) == {"uno": ("new", ()), "one": ("gone", ())}


def test_what_a_field_is_and_what_a_watch_looks_at_are_part_of_it() -> None:
    text = """pact p "1.0.0" on R
record R { a: int = 3  b: string }
clause one { require a < 4 }
clause two { require b != "" }
clause three { watch violated(two) above 0.1 one false alarm in 1000 calls }
"""
    assert kinds(text, text.replace("= 3", "= 5")) == {"one": ("changed", ("promise",))}
    assert kinds(text, text.replace("= 3", '= 3 as "c"')) == {"one": ("changed", ("promise",))}
    assert set(kinds(text, text.replace('b != ""', 'b != "x"'))) == {"two", "three"}


def test_deep_and_wide_expressions_take_no_deep_stack() -> None:
    twice = "".join(f"let x{n} = x{n - 1} && x{n - 1}\n" for n in range(1, 12))
    text = f'pact p "1.0.0"\nlet x0 = output != ""\n{twice}clause one {{ require x11 }}\n'
    assert kinds(text, text) == {}
    deep = f'pact p "1.0.0"\nclause one {{ require {"!" * 60}{"(" * 60}output != ""{")" * 60} }}\n'
    assert kinds(deep, deep) == {}
