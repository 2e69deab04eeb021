"""CEL's optionals: a value that may be there, and reading what may not be there.

In: CEL values.  Out: CEL values; ValueError for the value of none, and for a field of what has none.

The one idea: `at` looks into a list or a map and says some or none; on an optional it looks inside, and
none has none within.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pactlang.values import (
    NONE,
    Duration,
    NoOverload,
    Optional,
    Timestamp,
    is_number,
    is_record,
    map_key,
    some,
    type_name,
)


def of_non_zero(value: Any) -> Optional:
    """The optional that holds the value, none if it is its type's zero: 0, "", [], the epoch, null."""
    return NONE if _is_zero(value) else some(value)


def _is_zero(value: Any) -> bool:
    if isinstance(value, Timestamp | Duration):
        return value.seconds == value.nanos == 0
    if isinstance(value, Optional):
        return not value.present
    plain = value is None or isinstance(value, bool | int | float | str | bytes | list | dict)
    return plain and not value


def value_of(optional: Optional) -> Any:
    """The value that an optional holds."""
    if not optional.present:
        raise ValueError("optional.none() holds no value")
    return optional.value


def or_else(optional: Optional, other: Optional) -> Optional:
    """The first of the two that holds a value."""
    return optional if optional.present else other


def or_value(optional: Optional, other: Any) -> Any:
    """The value that an optional holds, or the other."""
    return optional.value if optional.present else other


def unwrap(optionals: list[Any]) -> list[Any]:
    """The values of those optionals that hold one."""
    if not all(isinstance(item, Optional) for item in optionals):
        raise ValueError("only optionals can be unwrapped")
    return [item.value for item in optionals if item.present]


def first(items: list[Any]) -> Optional:
    """The first element, if there is one."""
    return some(items[0]) if items else NONE


def last(items: list[Any]) -> Optional:
    """The last element, if there is one."""
    return some(items[-1]) if items else NONE


# Looking inside ------------------------------------------------------------------------------


def at(holder: Any, key: Any) -> Optional:
    """The element or the entry, if it is there: `x[?key]`."""
    if _is_none(holder):
        return NONE
    inside = _inside(holder)
    return _at_index(inside, key) if isinstance(inside, list) else _at_key(inside, key)


def select(holder: Any, key: Any) -> Optional:
    """The entry of a map, if it is there: `x.?key`."""
    return NONE if _is_none(holder) else _at_key(_inside(holder), key)


def _is_none(holder: Any) -> bool:
    return isinstance(holder, Optional) and not holder.present


def _inside(holder: Any) -> Any:
    """What an optional holds; anything else is itself."""
    return holder.value if isinstance(holder, Optional) else holder


def _at_index(items: list[Any], index: Any) -> Optional:
    if not is_number(index) or index != index // 1:
        raise NoOverload("the index of a list is a whole number")
    return some(items[int(index)]) if 0 <= index < len(items) else NONE


def _at_key(holder: Any, key: Any) -> Optional:
    if not isinstance(holder, dict):
        raise NoOverload(f"no such key in a {'record' if is_record(holder) else type_name(holder)}")
    kept = map_key(key)
    return some(holder[kept]) if kept is not None and kept in holder else NONE


COMPUTE: dict[str, Callable[..., Any]] = {
    "optional_of": some,
    "optional_none": lambda: NONE,
    "optional_of_non_zero": of_non_zero,
    "optional_has_value": lambda optional: optional.present,
    "optional_value": value_of,
    "optional_or": or_else,
    "optional_or_value": or_value,
    "optional_unwrap": unwrap,
    "optional_unwrap_method": unwrap,
    "first": first,
    "last": last,
    "index_optional_list": at,
    "index_optional_map": at,
    "select_map": select,
    "select_optional_map": select,
    "at_map": at,
    "at_optional_map": at,
    "at_list": at,
    "at_optional_list": at,
}
