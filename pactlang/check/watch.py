"""Population promises: `watch X above P one false alarm in N calls by K`, or a distribution.

In: `syntax.Watch`, the pact's clauses, the files of its baselines.  Out: `ir.Watch`, or None.  X is a bool
or a number from 0 to 1, or what another clause came to: `violated(C)`, `satisfied(C)`.  P is a constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from pactlang import ir, syntax
from pactlang.check.agree import NUMBERS
from pactlang.check.keep import MOST_KEYS
from pactlang.check.report import an
from pactlang.diagnostic import Fix
from pactlang.drift import MOST_CALLS, MOST_SHARING, BaselineError
from pactlang.drift.baseline import SUFFIX, draft, read

if TYPE_CHECKING:
    from pactlang.check.walk import Scope, Walk

OUTCOMES = ("violated", "satisfied")
# Of a distribution: how values of a type are put into bins.
KINDS = {
    "bool": "numbers", "int": "numbers", "uint": "numbers", "double": "numbers", "duration": "numbers",
    "string": "texts",
}  # fmt: skip
WATCHED = NUMBERS | {"bool", "dyn"}
FINEST = 10**12  # of P: what is above it has more decimals


class Watches:
    """Checks the `watch`es of one pact."""

    def __init__(
        self,
        walk: Walk,
        scope: Scope,
        clauses: Mapping[str, syntax.Clause],
        bases: Mapping[str, bytes | str] | None,
    ) -> None:
        """scope: with what `when` says of the calls that are looked at.  bases: as of `check`."""
        self.walk, self.report, self.scope, self.clauses = walk, walk.report, scope, clauses
        self.bases = bases

    def check(self, watch: syntax.Watch, name: str) -> ir.Watch | None:
        """The promise of the clause `name`; None if a part of it failed."""
        if not self._few(watch):
            return None
        if watch.against is not None or watch.above is None:
            return self._distribution(watch)
        value, outcome, clause = None, "", ""
        if (looked := _outcome(watch)) is not None:
            outcome, clause = looked.function, self._clause(looked, name)
        else:
            value = self._value(watch.value)
        rate, calls, keys = self._rate(watch.above), self._calls(watch.calls), self._keys(watch)
        if (value is None and not clause) or rate is None or calls is None or keys is None:
            return None
        return ir.Watch(value, clause, outcome, rate, calls, keys)

    def _few(self, watch: syntax.Watch) -> bool:
        """Whether watches without a number are not too many to share a promise."""
        watches = [_watch(clause) for clause in self.clauses.values()]
        sharing = [each for each in watches if each is not None and each.calls is None]
        if len(sharing) <= MOST_SHARING or watch is not sharing[MOST_SHARING]:
            return True
        self.report.error(
            "out-of-range", f"expected at most {MOST_SHARING} watches without `one false alarm in N calls`",
            watch.span,
        )  # fmt: skip
        return False

    # A distribution ------------------------------------------------------------------------

    def _distribution(self, watch: syntax.Watch) -> ir.Watch | None:
        written = _distributed(watch)
        if written is None:
            self.report.error(
                "wrong-arguments", "expected `distribution(x)` before `against`", watch.value.span,
                help=('write it like `watch distribution(latency) against "usual"`',),
            )  # fmt: skip
            return None
        node = self.walk.infer(written, self.scope)
        kind = KINDS.get(node.type.kind, "")
        if node.type.kind == "error":
            return None
        if not kind or any(isinstance(part, ir.Operator) for part in ir.nodes(node)):
            self.report.error(
                "wrong-operand",
                "`distribution` is about a number, a length of time, a bool or a text of one call, found "
                f"{an(node.type.plain)}",
                written.span,
            )  # fmt: skip
            return None
        of = " ".join(self.report.text(written.span).split())
        base = self._base(watch, of, kind)
        return None if base is None else ir.Watch(node, "", "", (0, 1), -1, (), base)

    def _base(self, watch: syntax.Watch, of: str, kind: str) -> ir.Base | None:
        """What is known of the distribution: from the file that is named."""
        assert watch.against is not None
        if self.bases is None:
            return draft(of, kind)
        name = watch.against.value
        data, why = self.bases.get(name, "there is no such file"), ""
        if isinstance(data, bytes):
            try:
                base = read(data).get(of)
            except BaselineError as error:
                why = str(error)
            else:
                if base is not None and base.kind == kind:
                    return base
                why = f"it holds nothing about `{of}`" if base is None else f"there `{of}` is of another type"
        else:
            why = data
        self.report.error(
            "no-baseline", f"cannot use the baseline {name}{SUFFIX}: {why}", watch.against.span,
            help=(f"make it with `pactc baseline PACT RECORDS -o {name}{SUFFIX}`",),
        )  # fmt: skip
        return None

    # What is watched -----------------------------------------------------------------------

    def _value(self, written: syntax.Expr) -> ir.Expr | None:
        if isinstance(written, syntax.Call) and written.function == "rate" and len(written.args) == 1:
            text = self.report.text(written.args[0].span)
            self.report.error(
                "population-promise", "`watch` is about the rate already: write what it is the rate of",
                written.span, fix=Fix(written.span, text, f"watch `{text}`"),
            )  # fmt: skip
            return None
        node = self.walk.infer(written, self.scope)
        if node.type.kind == "error":
            return None
        if node.type.kind in WATCHED:
            return node
        self.report.error(
            "wrong-operand",
            f"`watch` is about a condition or a number from 0 to 1, found {an(node.type.plain)}",
            written.span, help=("write a condition, like `watch latency > 2s above 0.05`",),
        )  # fmt: skip
        return None

    def _clause(self, looked: syntax.Call, name: str) -> str:
        """The clause that is looked at; "" where it cannot be."""
        args = looked.args
        if len(args) != 1 or not isinstance(args[0], syntax.Name):
            self.report.error(
                "wrong-arguments", f"`{looked.function}` takes the name of a clause", looked.span
            )
            return ""
        seen, span = args[0].name, args[0].span
        if seen not in self.clauses:
            self.report.unknown("clause", seen, span, self.clauses, "no clause has this name")
            return ""
        if any(isinstance(item, syntax.Expect) for item in self.clauses[seen].items):
            self.report.error(
                "wrong-operand", f"whether `{seen}` holds is not known on the call itself", span,
                "this is decided by later calls", help=("watch a promise that is decided at once",),
            )  # fmt: skip
            return ""
        return "" if self._cycle(name, seen, looked) else seen

    def _cycle(self, name: str, seen: str, looked: syntax.Call) -> bool:
        """Whether a watch looks at itself, if only through others."""
        chain = [name, seen]
        while (item := _watch(self.clauses.get(chain[-1]))) is not None and chain[-1] not in chain[:-1]:
            inner = _outcome(item)
            if inner is None or len(inner.args) != 1 or not isinstance(inner.args[0], syntax.Name):
                return False
            chain.append(inner.args[0].name)
        if chain[-1] not in chain[:-1]:
            return False
        said = " -> ".join(f"`{each}`" for each in chain[chain.index(chain[-1]) :])
        self.report.error("cycle", f"a watch looks at itself: {said}", looked.span)
        return True

    # Numbers -------------------------------------------------------------------------------

    def _rate(self, written: syntax.Expr) -> tuple[int, int] | None:
        """P as a fraction: a decimal as it is written."""
        node = self.walk.infer(written, self.walk.nowhere)
        if node.type.kind == "error":
            return None
        found = Fraction(-1)
        if isinstance(node, ir.Const) and node.type.kind in NUMBERS and abs(node.value) <= 1:
            found = Fraction(repr(node.value) if node.type.kind == "double" else int(node.value))
        if 0 <= found < 1 and found.denominator <= FINEST:
            return found.numerator, found.denominator
        self.report.error(
            "out-of-range", "expected a share: a constant from 0 on, below 1, of twelve decimals at most",
            written.span, help=("of a hundred calls one is `0.01`; `0.0` means that it never may be",),
        )  # fmt: skip
        return None

    def _calls(self, number: syntax.Number | None) -> int | None:
        """N, -1 where it is not written."""
        if number is None:
            return -1
        if isinstance(number.value, int) and 1 <= number.value <= MOST_CALLS:
            return number.value
        self.report.error(
            "out-of-range", f"expected a whole number of calls from 1 to {MOST_CALLS:,}", number.span
        )
        return None

    def _keys(self, watch: syntax.Watch) -> tuple[ir.Expr, ...] | None:
        keys = tuple(self.walk.infer(key, self.scope) for key in watch.keys)
        if len(keys) > MOST_KEYS:
            self.report.error(
                "out-of-range", f"expected at most {MOST_KEYS} keys, found {len(keys)}", watch.keys[-1].span
            )
            return None
        return None if any(key.type.kind == "error" for key in keys) else keys


def _distributed(watch: syntax.Watch) -> syntax.Expr | None:
    """x of `distribution(x)`; None if it is not that."""
    value = watch.value
    if not isinstance(value, syntax.Call) or value.function != "distribution" or value.target is not None:
        return None
    return value.args[0] if len(value.args) == 1 else None


def _outcome(watch: syntax.Watch) -> syntax.Call | None:
    """`violated(C)` or `satisfied(C)`, if that is what is watched."""
    value = watch.value
    if isinstance(value, syntax.Call) and value.target is None and value.function in OUTCOMES:
        return value
    return None


def _watch(clause: syntax.Clause | None) -> syntax.Watch | None:
    items = () if clause is None else clause.items
    return next((item for item in items if isinstance(item, syntax.Watch)), None)
