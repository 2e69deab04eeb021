"""Expressions drawn at random from the typed grammar, read off the overload table.

In: a `random.Random`.  Out: the text of an expression of a wanted type over `VARIABLES`, and bindings.
Every row of the table is used, every macro, every literal; constants lie at the edges of their types,
so that many of the expressions are error values.
"""

from __future__ import annotations

from random import Random
from typing import Any

from pactlang.functions import OPERATORS, OVERLOADS, Overload
from pactlang.schema import Type
from pactlang.types import parse_type
from pactlang.values import NONE, Duration, Timestamp, UInt, some

VARIABLES = {
    "i": "int", "j": "int", "u": "uint", "d": "double", "s": "string", "t": "string", "by": "bytes",
    "yes": "bool", "at": "timestamp", "took": "duration", "ints": "list(int)", "texts": "list(string)",
    "doubles": "list(double)", "counts": "map(string, int)", "names": "map(int, string)",
    "any": "dyn", "bag": "map(string, dyn)", "maybe": "optional_type(int)", "nothing": "null_type",
    "host": "net.IP", "net": "net.CIDR",
}  # fmt: skip
TYPES = {name: parse_type(written) for name, written in VARIABLES.items()}
SIMPLE = (
    "bool int uint double string bytes timestamp duration list(int) list(string) list(double) "
    "map(string,int) map(int,string) optional_type(int) dyn null_type net.IP net.CIDR"
).split()  # fmt: skip

INTS = (0, 1, -1, 2, 3, 7, 63, 64, 200, 2**53, 2**63 - 1, -(2**63))
UINTS = (0, 1, 2, 3, 64, 2**63, 2**64 - 1)
DOUBLES = ("0.0", "-0.0", "1.0", "2.5", "-1.5", "1e300", "9223372036854775808.0", "0.1", "3.0", "(0.0/0.0)")
TEXTS = ("", "a", "abc", "aBc", "é☺", "b,c", " x ", "1", "-1", "5m", "true", "%s %d", "%.2f", "(", "a+", "{}",
         "2026-01-31T09:30:00Z", "Europe/Paris", "10.0.0.1", "10.0.0.0/8", "::1")  # fmt: skip
BYTES = ("b''", "b'abc'", r"b'\xff'", "b'YWJj'")
DURATIONS = ("0s", "5m", "1500ms", "1h30m")
OPERATOR = {function: sign for sign, function in OPERATORS.items()}
ROWS = tuple(row for row in OVERLOADS if row.function not in ("_?._",))


class Draw:
    """Draws expressions; `depth` bounds how deep they nest."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.locals: list[tuple[str, Type]] = []
        self.count = 0

    def expression(self, depth: int = 4) -> str:
        """Any expression."""
        return self.of(parse_type(self.random.choice(SIMPLE)), depth)

    def of(self, type: Type, depth: int) -> str:
        """An expression of a type; `dyn` is anything."""
        if type.kind == "param":
            type = parse_type(self.random.choice(SIMPLE))
        if type.kind == "dyn" and depth > 0 and self.random.random() < 0.7:
            return f"dyn({self.of(parse_type(self.random.choice(SIMPLE)), depth - 1)})"
        if depth <= 0 or self.random.random() < 0.15:
            return self.leaf(type)
        forms = [self.call, self.call, self.call, self.special, self.special, self.macro]
        for form in self.random.sample(forms, len(forms)):
            made = form(type, depth - 1)
            if made:
                return made
        return self.leaf(type)

    # Leaves ----------------------------------------------------------------------------------

    def leaf(self, type: Type) -> str:
        """A variable or a literal."""
        known = [n for n, t in (*TYPES.items(), *self.locals) if t == type]
        if known and self.random.random() < 0.5:
            return self.random.choice(known)
        choose = self.random.choice
        match type.kind:
            case "bool":
                return choose(("true", "false"))
            case "int":
                value = choose(INTS)
                return f"({value})" if value < 0 else str(value)
            case "uint":
                return f"{choose(UINTS)}u"
            case "double":
                value = choose(DOUBLES)
                return f"({value})" if value[0] == "-" else value
            case "string":
                return f"'{choose(TEXTS)}'"
            case "bytes":
                return choose(BYTES)
            case "null":
                return "null"
            case "timestamp":
                return f"timestamp({choose(('0', '1760000000', '-62135596800', '253402300799'))})"
            case "duration":
                return choose(DURATIONS)
            case "ip":
                return f"ip('{choose(('10.0.0.1', '127.0.0.1', '::1', 'fe80::1'))}')"
            case "cidr":
                return f"cidr('{choose(('10.0.0.0/8', '10.1.2.3/16', '2001:db8::/32'))}')"
            case "optional":
                inside = type.params[0]
                return choose(("optional.none()", f"optional.of({self.leaf(inside)})"))
            case "list":
                items = [self.leaf(type.params[0]) for _ in range(self.random.randint(0, 3))]
                return f"[{', '.join(items)}]"
            case "map":
                keys = dict.fromkeys(self.leaf(type.params[0]) for _ in range(self.random.randint(0, 3)))
                return "{" + ", ".join(f"{key}: {self.leaf(type.params[1])}" for key in keys) + "}"
            case "type":
                return choose(("int", "string", "type(1)", "net.IP", "optional_type"))
        return self.leaf(parse_type(choose(("int", "string", "double", "bool", "list(int)"))))

    # Calls -----------------------------------------------------------------------------------

    def call(self, type: Type, depth: int) -> str:
        """A call of an overload that gives the type."""
        rows = [row for row in ROWS if _gives(row, type)]
        return self.written(self.random.choice(rows), type, depth) if rows else ""

    def written(self, row: Overload, type: Type, depth: int) -> str:
        """A call of this overload."""
        bound: dict[str, Type] = {}
        _bind(row.result, type, bound)
        params = [self._param(param, bound) for param in row.params]
        if row.variadic:
            params += [params[-1]] * self.random.randint(0, 2)
        args = [self.of(param, depth) for param in params]
        sign = OPERATOR.get(row.function)
        if row.function == "_[_]":
            return f"{args[0]}[{args[1]}]"
        if row.function == "_[?_]":
            return f"{args[0]}[?{args[1]}]"
        if row.function == "-_":
            return f"-({args[0]})"
        if sign is not None:
            return f"({args[0]} {sign} {args[1]})"
        if row.method:
            return f"({args[0]}).{row.function}({', '.join(args[1:])})"
        return f"{row.function}({', '.join(args)})"

    def _param(self, param: Type, bound: dict[str, Type]) -> Type:
        if param.kind == "param":
            return bound.setdefault(param.name, parse_type(self.random.choice(("int", "string", "double"))))
        if not param.params:
            return param
        return Type(param.kind, tuple(self._param(inside, bound) for inside in param.params))

    # Syntax ----------------------------------------------------------------------------------

    def special(self, type: Type, depth: int) -> str:
        """Forms that are no calls: logic, ternaries, literals, fields, bindings, optionals."""
        of, choose = self.of, self.random.choice
        boolean = TYPES["yes"]
        if type.kind == "bool" and self.random.random() < 0.5:
            left, right = of(boolean, depth), of(boolean, depth)
            return choose((f"({left} && {right})", f"({left} || {right})", f"!({left})",
                           f"has(bag.{choose('abz')})", f"has(counts.{choose('ab')})"))  # fmt: skip
        form = self.random.randrange(7)
        if form == 0:
            return f"({of(boolean, depth)} ? {of(type, depth)} : {of(type, depth)})"
        if form == 1:
            return self._bound(type, depth)
        if form == 2 and type.kind == "optional":
            name, body = self._variable(type.params[0]), ""
            body = of(type.params[0], depth)
            del self.locals[-1]
            return f"({of(type, depth)}).optMap({name}, {body})"
        if form == 3 and type.kind == "list":
            items = [of(type.params[0], depth), f"?{of(Type('optional', type.params), depth)}"]
            self.random.shuffle(items)
            return f"[{', '.join(items)}]"
        if form == 4 and type.kind == "map":
            key = of(type.params[0], depth)
            return f"{{{key}: {of(type.params[1], depth)}}}"
        if form == 5 and type.kind == "optional":
            return choose(
                (f"counts.?{choose('ab')}", f"{{'a': {of(type.params[0], depth)}}}.?{choose('ab')}")
            )
        if form == 6 and type.kind == "int":
            return f"counts.{choose('abz')}"
        return ""

    def _variable(self, type: Type) -> str:
        self.count += 1
        self.locals.append((f"v{self.count}", type))
        return f"v{self.count}"

    def _bound(self, type: Type, depth: int) -> str:
        inside = parse_type(self.random.choice(SIMPLE))
        init = self.of(inside, depth)
        if self.random.random() < 0.3:
            return f"cel.block([{init}], {self.of(type, depth)} )"
        name = self._variable(inside)
        body = self.of(type, depth)
        del self.locals[-1]
        return f"cel.bind({name}, {init}, {body})"

    def macro(self, type: Type, depth: int) -> str:
        """A comprehension."""
        source_type = parse_type(self.random.choice(("list(int)", "list(string)", "map(string,int)")))
        source, boolean = self.of(source_type, depth), TYPES["yes"]
        two = self.random.random() < 0.4
        first = parse_type("int") if two and source_type.kind == "list" else source_type.params[0]
        names = [self._variable(first)]
        if two:
            names.append(self._variable(source_type.params[-1]))
        try:
            return self._macro(type, depth, source, source_type, names, boolean)
        finally:
            del self.locals[-len(names) :]

    def _macro(
        self, type: Type, depth: int, source: str, source_type: Type, names: list[str], boolean: Type
    ) -> str:
        heads = ", ".join(names)
        test = self.of(boolean, depth)
        if type.kind == "bool":
            macro = self.random.choice(("all", "exists", "existsOne" if len(names) == 2 else "exists_one"))
            return f"({source}).{macro}({heads}, {test})"
        if type.kind == "list" and len(names) == 1 and type == source_type and self.random.random() < 0.5:
            return f"({source}).filter({heads}, {test})"
        if type.kind == "list":
            macro = "transformList" if len(names) == 2 else "map"
            test = f"{test}, " if self.random.random() < 0.5 else ""
            return f"({source}).{macro}({heads}, {test}{self.of(type.params[0], depth)})"
        if type.kind == "map" and len(names) == 2 and self.random.random() < 0.5:
            entry = f"{{{self.of(type.params[0], depth)}: {self.of(type.params[1], depth)}}}"
            return f"({source}).transformMapEntry({heads}, {entry})"
        return ""


def _gives(row: Overload, type: Type) -> bool:
    return _bind(row.result, type, {})


def _bind(result: Type, type: Type, bound: dict[str, Type]) -> bool:
    """Whether a row's result can be the type; what its parameters then are."""
    if result.kind == "param":
        return bound.setdefault(result.name, type) == type
    if result.kind != type.kind or len(result.params) != len(type.params):
        return False
    return all(_bind(r, t, bound) for r, t in zip(result.params, type.params, strict=True))


def bindings(random: Random) -> dict[str, Any]:
    """A value for each variable; one of them may be missing, or of another type."""
    choose = random.choice
    made: dict[str, Any] = {
        "i": choose(INTS), "j": choose(INTS), "u": UInt(choose(UINTS)),
        "d": choose((0.0, 1.0, -2.5, 1e300, float("nan"), float("inf"), 2.0**63)),
        "s": choose(TEXTS), "t": choose(TEXTS), "by": choose((b"", b"abc", b"\xff")), "yes": choose((True, False)),
        "at": choose((Timestamp(0), Timestamp(1_760_000_000, 500_000_000), Timestamp(-1))),
        "took": choose((Duration(0), Duration(90), Duration(-2, 500_000_000))),
        "ints": [choose(INTS) for _ in range(random.randint(0, 4))],
        "texts": [choose(TEXTS) for _ in range(random.randint(0, 4))],
        "doubles": [choose((0.5, float("nan"), -1.0)) for _ in range(random.randint(0, 3))],
        "counts": {key: choose(INTS) for key in "ab"[: random.randint(0, 2)]},
        "names": {choose(INTS): "x" for _ in range(random.randint(0, 3))},
        "any": choose((None, 1, "x", [1, "a"], {"a": 1}, 2.5, True, 2**70, float("nan"))),
        "bag": {"a": choose((None, 1, "x", [1], {"b": 2})), "b": 2.5}, "maybe": choose((NONE, some(choose(INTS)))),
        "nothing": None,
    }  # fmt: skip
    from pactlang.extensions.network import COMPUTE

    made["host"] = COMPUTE["ip_from_string"]("10.0.0.1")
    made["net"] = COMPUTE["cidr_from_string"]("10.0.0.0/8")
    if random.random() < 0.1:
        del made[choose(list(made))]
    if random.random() < 0.1:
        made[choose(list(made))] = choose((None, "x", 5, [], 1.5))
    return made
