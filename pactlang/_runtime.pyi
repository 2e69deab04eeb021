from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import disjoint_base

from pactlang.opcodes import Outcome
from pactlang.verdict import Violation

BUILTINS: dict[str, Any]
COMPUTE: dict[str, Callable[..., Any]]
CONVERSIONS: dict[int, Callable[[Any], Any]]
TYPE_NAMES: dict[int, str]
__test__: dict[str, str]

@disjoint_base
class Binding:
    host: bool
    def __new__(cls, layouts: list[Any], root: int, trusted: bool) -> Binding: ...
    @property
    def root(self) -> type: ...
    @property
    def root_layout(self) -> int: ...

@disjoint_base
class Frame:
    def __new__(cls, size: int, fixed: int, words: int, atoms: int, groups: int) -> Frame: ...

@disjoint_base
class Verdict:
    @property
    def ok(self) -> bool: ...
    @property
    def outside(self) -> bool: ...
    @property
    def owner(self) -> Machine: ...
    @property
    def record(self) -> Any: ...
    @property
    def outcomes(self) -> Mapping[str, Outcome]: ...
    @property
    def unknown(self) -> tuple[str, ...]: ...
    @property
    def expired(self) -> bool: ...
    @property
    def violations(self) -> tuple[Violation, ...]: ...
    def outcome(self, clause: int) -> int: ...

@disjoint_base
class Machine:
    def prepare(
        self,
        code: bytes,
        constants: list[Any],
        sets: list[list[str]],
        slots: list[tuple[int, int, int]],
        temps: int,
        clauses: int,
        binding: Binding,
        atoms: list[int],
        groups: list[tuple[int, Callable[[str], Sequence[int]]]],
        matchers: list[Callable[[str], bool]],
        search: Callable[[str, str], bool],
        shapes: dict[Any, Any],
    ) -> None: ...
    def confine(self, steps: int, longest: list[int]) -> None: ...
    @property
    def last_steps(self) -> int: ...
    def bind(self, binding: Binding) -> None: ...
    def name_slots(self, names: tuple[tuple[str, ...], ...], tags: list[int], values: Binding) -> None: ...
    def compute(self, bindings: dict[str, Any]) -> tuple[int, Any]: ...
    def check(self, record: Any) -> Verdict: ...
    def refuse(self, record: Any, trusted: bool) -> Any: ...
    def convert(self, record: Any) -> Any: ...
    def judge_all(
        self, records: list[Any], outcomes: NDArray[np.uint8], states: NDArray[np.int8]
    ) -> None: ...
