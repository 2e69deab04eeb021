"""The columns of a batch as the machine of blocks reads them.

In: an `Evaluator` and a validated record batch.  Out: a `Plan`: the columns that the slots stand for, and
the rows that cannot be decoded for sure or not; None where only the record path knows what to do.

Each field that the pact reads is looked for under its names, brought to one of a few forms (64-bit ints,
doubles, bits, texts, indices, lists, records), and checked as decoding checks it.  A row with a value
that its type does not allow is left open: the record path says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import types

from pactlang._runtime import BlockCode, Columns
from pactlang.opcodes import SHAPES, Tag
from pactlang.records.layout import Layout, Member
from pactlang.records.names import Name, aliases_of
from pactlang.schema import Record, Type
from pactlang.values import MAX_DURATION, MAX_TIME, MIN_TIME, Timestamp

if TYPE_CHECKING:
    from pactlang.evaluator import Evaluator

ROWS, ELEMENTS = -1, -2  # a column without a record above it: a value per row, or not


class Form(IntEnum):
    """The forms of `runtime/columns.pxi`."""

    NONE = 0
    BITS = 1
    INTS = 2
    DOUBLES = 3
    TEXT32 = 4
    TEXT64 = 5
    INDEX8 = 6
    INDEX16 = 7
    INDEX32 = 8
    INDEX64 = 9
    LIST32 = 10
    LIST64 = 11
    RECORD = 12


INDEX = {8: Form.INDEX8, 16: Form.INDEX16, 32: Form.INDEX32, 64: Form.INDEX64}
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


class Unfit(Exception):
    """Something that only the record path reads."""


class Plan(NamedTuple):
    """columns: sealed.  slots: the column of each slot.  open: the rows left to the record path.
    late: those on or after the day the pact renews, if it does."""

    columns: Columns
    slots: list[int]
    open: NDArray[np.bool_]
    late: NDArray[np.bool_] | None


def code_of(evaluator: Evaluator) -> BlockCode | None:
    """The program made ready for blocks; None for one that is not for them."""
    program = evaluator.program
    if program.core.bound is not None:  # what a call counts is the record path's to know
        return None
    sets = [list(texts) for texts in program.core.sets]
    code = BlockCode(evaluator, program.core.code, program.constants, sets, SHAPES)
    return None if code.why else code


def plan_of(evaluator: Evaluator, batch: pa.RecordBatch) -> Plan | None:
    """The plan for a batch; None where the record path must read all of it."""
    planner = Planner(evaluator, batch)
    try:
        given = dict(zip(batch.schema.names, batch.columns, strict=True))
        root = planner.record(evaluator.reader.root, given, Holder(batch.num_rows))
        slots = [planner.paths[slot.path] if slot.path else root for slot in evaluator.program.schema.slots]
    except (Unfit, KeyError, pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    planner.columns.seal()
    return Plan(planner.columns, slots, planner.open, planner.late(evaluator.renews))


class Holder(NamedTuple):
    """The record that fields are looked for in: its array (None: the rows), and the column that says where
    it is null.  above: what is over it; gone: null makes error values of its fields."""

    length: int
    array: pa.StructArray | None = None
    above: int = ROWS
    below: int = ROWS
    path: tuple[str, ...] = ()
    gone: bool = False


class Planner:
    """A plan in the making.

    paths: of the record's fields, and of fields of its records, which column they are.
    """

    def __init__(self, evaluator: Evaluator, batch: pa.RecordBatch) -> None:
        self.reader = evaluator.reader
        self.moments: dict[tuple[str, ...], tuple[NDArray[np.int64], pa.Array]] = {}
        self.columns = Columns(batch.num_rows)
        self.open: NDArray[np.bool_] = np.zeros(batch.num_rows, np.bool_)
        self.paths: dict[tuple[str, ...], int] = {}
        self.index = {record.name: i for i, record in enumerate(evaluator.program.schema.records)}

    # Where fields stand -----------------------------------------------------------------------------

    def find(self, names: Sequence[Name], given: dict[str, pa.Array]) -> pa.Array | None:
        """The one array that holds a field; None if none does.  Unfit if it may be several."""
        found = [name for name in names if any(head in given for head in name.heads)]
        spread = any(name.indexed and key.startswith(name.key + ".") for name in names for key in given)
        if spread or len(found) > 1 or (found and found[0].transform is not None):
            raise Unfit
        if not found:
            return None
        key = found[0].key
        if key in given and not (set(found[0].heads) - {key}) & set(given):
            return given[key]
        head, _, rest = key.partition(".")
        if key in given or not types.is_struct(given[head].type):
            raise Unfit
        within = fields_of(given[head])
        if rest not in within or (rest.partition(".")[0] in within and "." in rest):
            raise Unfit
        return within[rest]

    # Records ----------------------------------------------------------------------------------------

    def record(self, layout: Layout, given: dict[str, pa.Array], holder: Holder) -> int:
        """The column of a record, behind those of its fields."""
        fields = [self.field(layout, member, given, holder) for member in layout.members]
        number = self.index[layout.plan.struct.__name__]
        array, above = holder.array, holder.above
        return self.columns.add(
            Tag.RECORD, Form.RECORD, holder.length, 0 if array is None else array.offset, validity(array),
            None, None, -1, fields, number, above, holder.gone, False,
        )  # fmt: skip

    def field(self, layout: Layout, member: Member, given: dict[str, pa.Array], holder: Holder) -> int:
        """The column of a field."""
        form, path = member.field.type, (*holder.path, member.field.name)
        source = (
            self.beside(layout, member, given) if form.kind == "record" else self.find(member.names, given)
        )
        if source is None:
            if not member.optional:
                raise Unfit  # no row is a record
            source = pa.nulls(holder.length)
        if source.null_count:
            self.refuse_nulls(source, holder, member)
        default = layout.plan_of(member.field.name).default if member.optional else None
        column = self.value(form, source, holder.below, path, default, member.takes_int)
        if holder.below != ELEMENTS:
            self.paths[path] = column
        return column

    def beside(self, layout: Layout, member: Member, given: dict[str, pa.Array]) -> pa.Array | None:
        """The struct column of a nested record; made of columns where its fields stand in the rows."""
        own = given.get(member.names[0].key)
        inner = self.reader.layout_of(member.field.type.name)
        names = {
            m.field.name: aliases_of(self.record_of(layout), member.field.name, m.field.name)
            for m in inner.members
        }
        found = {
            name: each
            for name, tried in names.items()
            if tried and (each := self.find(tried, given)) is not None
        }
        if not found:
            return own
        if own is not None:
            raise Unfit
        absent = np.logical_and.reduce([np.asarray(each.is_null()) for each in found.values()])
        return pa.StructArray.from_arrays(list(found.values()), list(found), mask=pa.array(absent))

    def record_of(self, layout: Layout) -> Record:
        return self.reader.schema.record(layout.plan.struct.__name__)

    def refuse_nulls(self, source: pa.Array, holder: Holder, member: Member) -> None:
        """Null in a field that has to be there."""
        if member.optional or member.field.type.kind == "dyn":
            return
        missing = np.asarray(source.is_null())
        if holder.array is not None and holder.array.null_count:
            missing = missing & np.asarray(holder.array.is_valid())
        self.refuse(missing, holder.below)

    def late(self, renews: Timestamp | None) -> NDArray[np.bool_] | None:
        """The rows whose time is at or after the day on which the pact renews."""
        if renews is None or ("time",) not in self.moments:
            return None
        micros, array = self.moments["time",]
        late: NDArray[np.bool_] = (micros >= renews.seconds * 10**6) & np.asarray(array.is_valid())
        return late

    def refuse(self, bad: NDArray[np.bool_], above: int) -> None:
        """Leave rows open; of elements it is not known here whose they are."""
        if not bad.any():
            return
        if above == ELEMENTS:
            raise Unfit
        self.open |= bad

    # Values -----------------------------------------------------------------------------------------

    def value(
        self,
        form: Type,
        array: pa.Array,
        above: int,
        path: tuple[str, ...],
        default: Any,
        takes_int: bool = False,
    ) -> int:
        """The column of values of one type."""
        if isinstance(array.type, pa.BaseExtensionType):
            raise Unfit
        if types.is_null(array.type):
            array = self.typed_nulls(form, len(array))
        kind = form.kind
        if kind in ("bool", "int", "uint", "double", "timestamp", "duration"):
            return self.scalar(form, array, above, path, default)
        if kind == "string":
            return self.texts(form, array, above, default, takes_int)
        if kind == "list":
            return self.lists(form, array, above, default)
        if kind == "record":
            return self.nested(form, array, above, path, default)
        if kind in ("dyn", "bytes", "map") and default is None and fits_dyn(form, array.type):
            return self.add(Tag.NULL, Form.NONE, array, above)
        raise Unfit

    def typed_nulls(self, form: Type, length: int) -> pa.Array:
        """A column of nulls of about the right type."""
        kinds = {"bool": pa.bool_(), "double": pa.float64(), "string": pa.string(), "bytes": pa.binary()}
        if form.kind == "list":
            return pa.nulls(length, pa.list_(pa.null()))
        if form.kind == "record":
            return pa.nulls(length, pa.struct([]))
        if form.kind in ("timestamp", "duration"):
            return (
                pa.nulls(length, pa.timestamp("us", "UTC") if form.kind == "timestamp" else pa.duration("us"))
                if not form.unit
                else pa.nulls(length, pa.int64())
            )
        return pa.nulls(length, kinds.get(form.kind, pa.int64()))

    def add(
        self, tag: int, form: int, array: pa.Array, above: int, inside: int = -1, checks: bool = False
    ) -> int:
        """A column of an array's own buffers."""
        buffers = array.buffers() if form not in (Form.NONE, Form.RECORD) else [array.buffers()[0]]
        data = buffers[1] if len(buffers) > 1 else None
        text = buffers[2] if form in (Form.TEXT32, Form.TEXT64) else None
        return self.columns.add(
            tag,
            form,
            len(array),
            array.offset,
            validity(array),
            data,
            text,
            inside,
            [],
            0,
            above,
            False,
            checks,
        )

    def numbers(self, tag: int, form: int, values: NDArray[Any], array: pa.Array, above: int) -> int:
        """A column of numbers made here; null where `array` is."""
        valid = (
            None
            if not array.null_count
            else pa.py_buffer(np.packbits(np.asarray(array.is_valid()), bitorder="little"))
        )
        data = pa.py_buffer(np.ascontiguousarray(values))
        return self.columns.add(tag, form, len(values), 0, valid, data, None, -1, [], 0, above, False, False)

    def scalar(self, form: Type, array: pa.Array, above: int, path: tuple[str, ...], default: Any) -> int:
        if types.is_dictionary(array.type):
            array = array.dictionary_decode()
        if default is not None and array.null_count:
            array = filled(form, array, default)
        if form.kind == "bool":
            if not types.is_boolean(array.type):
                raise Unfit
            return self.add(Tag.BOOL, Form.BITS, array, above)
        if form.kind == "double":
            return self.doubles(array, above)
        if form.kind in ("int", "uint"):
            return self.ints(form.kind, array, above)
        return self.times(form, array, above, path)

    def doubles(self, array: pa.Array, above: int) -> int:
        if not types.is_float64(array.type):
            if not (types.is_integer(array.type) or types.is_floating(array.type)):
                raise Unfit
            values = raw(array).astype(np.float64)
        elif above != ELEMENTS:
            return self.add(Tag.DOUBLE, Form.DOUBLES, array, above, checks=True)
        else:
            values = raw(array)
        bad = ~np.isfinite(values)
        if bad.any():
            self.refuse(bad & np.asarray(array.is_valid()), above)
        if types.is_float64(array.type):
            return self.add(Tag.DOUBLE, Form.DOUBLES, array, above)
        return self.numbers(Tag.DOUBLE, Form.DOUBLES, values, array, above)

    def ints(self, kind: str, array: pa.Array, above: int) -> int:
        if not types.is_integer(array.type):
            raise Unfit
        tag = Tag.INT if kind == "int" else Tag.UINT
        values = raw(array)
        beyond = (
            values < 0
            if kind == "uint"
            else values > np.uint64(2**63 - 1)
            if values.dtype == np.uint64
            else None
        )
        if beyond is not None and beyond.any():
            self.refuse(beyond & np.asarray(array.is_valid()), above)
        if values.dtype.itemsize == 8:
            return self.add(tag, Form.INTS, array, above)
        return self.numbers(tag, Form.INTS, values.astype(np.int64), array, above)

    def times(self, form: Type, array: pa.Array, above: int, path: tuple[str, ...]) -> int:
        """Times in microseconds, rounded half up; those out of range are refused."""
        if form.unit and (types.is_integer(array.type) or types.is_floating(array.type)):
            micros, good = micros_of(raw(array), form.unit)
        elif (
            not form.unit
            and types.is_timestamp(array.type)
            and form.kind == "timestamp"
            and array.type.tz is not None
        ) or (not form.unit and types.is_duration(array.type) and form.kind == "duration"):
            micros, good = micros_of(raw(array.view(pa.int64())), array.type.unit)
        else:
            raise Unfit
        low, high = (MIN_TIME, MAX_TIME + 1) if form.kind == "timestamp" else (-MAX_DURATION, MAX_DURATION)
        good &= (micros >= low * 10**6) & (micros <= high * 10**6 - (form.kind == "timestamp"))
        if not good.all():
            self.refuse(~good & np.asarray(array.is_valid()), above)
        if form.kind == "timestamp":
            self.moments[path] = micros, array
        tag = Tag.TIMESTAMP if form.kind == "timestamp" else Tag.DURATION
        return self.numbers(tag, Form.INTS, micros, array, above)

    def texts(self, form: Type, array: pa.Array, above: int, default: Any, takes_int: bool) -> int:
        if takes_int and types.is_integer(array.type):
            array = array.cast(pa.string())
        if types.is_string_view(array.type):
            array = array.cast(pa.large_string())
        if types.is_dictionary(array.type) and types.is_string_view(array.type.value_type):
            array = pa.DictionaryArray.from_arrays(
                array.indices, array.dictionary.cast(pa.large_string()), safe=False
            )
        if default is not None and array.null_count:
            array = (array.dictionary_decode() if types.is_dictionary(array.type) else array).fill_null(
                default
            )
        inner = array.type.value_type if types.is_dictionary(array.type) else array.type
        if not (types.is_string(inner) or types.is_large_string(inner)):
            raise Unfit
        if form.values:
            self.refuse_others(form.values, array, above)
        if not types.is_dictionary(array.type):
            return self.add(Tag.STRING, Form.TEXT32 if types.is_string(inner) else Form.TEXT64, array, above)
        if array.dictionary.null_count:
            raise Unfit
        dictionary = self.add(
            Tag.STRING, Form.TEXT32 if types.is_string(inner) else Form.TEXT64, array.dictionary, ELEMENTS
        )
        return self.add(Tag.STRING, INDEX[array.type.index_type.bit_width], array, above, dictionary)

    def refuse_others(self, known: Sequence[str], array: pa.Array, above: int) -> None:
        """Texts that are none of an enum's."""
        words = pa.array(known, array.dictionary.type if types.is_dictionary(array.type) else array.type)
        if types.is_dictionary(array.type):
            good = pc.is_in(array.dictionary, words)
            if good.true_count == len(good):
                return
            good = good.take(array.indices.fill_null(0) if len(good) else array.indices)
        else:
            good = pc.is_in(array, words)
        self.refuse(~np.asarray(good.fill_null(True)) & np.asarray(array.is_valid()), above)

    def lists(self, form: Type, array: pa.Array, above: int, default: Any) -> int:
        if (
            types.is_list_view(array.type)
            or types.is_large_list_view(array.type)
            or types.is_fixed_size_list(array.type)
        ):
            array = array.cast(pa.large_list(array.type.value_type))
        if not (types.is_list(array.type) or types.is_large_list(array.type)):
            raise Unfit
        sizes = np.diff(np.asarray(array.offsets)) if default is not None and array.null_count else None
        if sizes is not None and sizes[np.asarray(array.is_null())].any():
            raise Unfit
        inside = self.elements(form.params[0], array)
        shape = Form.LIST32 if types.is_list(array.type) else Form.LIST64
        return self.columns.add(
            Tag.LIST, shape, len(array), array.offset, None if default is not None else validity(array),
            array.buffers()[1], None, inside, [], 0, above, False, False,
        )  # fmt: skip

    def elements(self, form: Type, array: pa.Array) -> int:
        """The column of a list's elements; only those that some list holds are checked."""
        values = array.values
        if not form.nullable and form.kind != "dyn" and values.null_count and not types.is_null(values.type):
            raise Unfit
        if form.kind == "list":
            raise Unfit
        return self.value(form, values, ELEMENTS, (), None)

    def nested(self, form: Type, array: pa.Array, above: int, path: tuple[str, ...], default: Any) -> int:
        if not types.is_struct(array.type):
            raise Unfit
        gone, below = default is None, above
        if above != ELEMENTS:  # its fields come before it, so another column tells them where it is null
            below = self.columns.add(
                Tag.RECORD, Form.NONE, len(array), array.offset, validity(array), None, None,
                -1, [], 0, above, gone, False,
            )  # fmt: skip
        holder = Holder(len(array), array, above, below, path, gone)
        return self.record(self.reader.layout_of(form.name), fields_of(array), holder)


def fields_of(array: pa.StructArray) -> dict[str, pa.Array]:
    """The fields of a struct by name, null where it is null itself."""
    return dict(zip((field.name for field in array.type), array.flatten(), strict=True))


def validity(array: pa.Array | None) -> pa.Buffer | None:
    """The bitmap of what is not null; None if nothing is."""
    if array is None or not array.null_count:
        return None
    return array.buffers()[0]


def raw(array: pa.Array) -> NDArray[Any]:
    """The values of a number column, whatever stands where it is null."""
    width = array.type.bit_width // 8
    form = array.type.to_pandas_dtype()
    if not len(array):
        return np.zeros(0, form)
    return np.frombuffer(array.buffers()[1], form, len(array), array.offset * width)


def micros_of(values: NDArray[Any], unit: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Microseconds, rounded half up, and which of them could be computed."""
    per = PER_SECOND[unit]
    if values.dtype.kind == "f":
        exact = values.astype(np.float64)
        with np.errstate(all="ignore"):
            scaled = np.floor((exact / 1e3 if unit == "ns" else exact * (10**6 // per)) + 0.5)
            good = np.abs(scaled) < 9.2e18
            return np.where(good, scaled, 0).astype(np.int64), good
    beyond = values > np.uint64(2**63 - 1) if values.dtype == np.uint64 else np.zeros(len(values), np.bool_)
    whole = values.astype(np.int64)
    if unit == "ns":
        return whole // 1000 + (whole % 1000 >= 500), ~beyond
    scale = 10**6 // per
    good = ~beyond & (whole <= (2**63 - 1) // scale) & (whole >= -(2**63 - 1) // scale)
    return np.where(good, whole, 0) * scale, good


def filled(form: Type, array: pa.Array, default: Any) -> pa.Array:
    """Nulls as the default; times have theirs in another form."""
    if form.kind in ("timestamp", "duration"):
        raise Unfit
    return array.fill_null(pa.scalar(default, array.type))


def fits_dyn(form: Type, kind: pa.DataType) -> bool:
    """Whether every value of an Arrow type is one of a type that is not read here."""
    if form.kind == "bytes":
        return bool(types.is_binary(kind) or types.is_large_binary(kind))
    if form.kind == "map":
        inside = form.params[1]
        return bool(
            types.is_map(kind)
            and types.is_string(kind.key_type)
            and inside.kind == "dyn"
            and is_json(kind.item_type)
        )
    return is_json(kind)


def is_json(kind: pa.DataType) -> bool:
    """Whether every value of an Arrow type can be data of unknown shape."""
    if types.is_struct(kind):
        return all(is_json(field.type) for field in kind)
    if types.is_dictionary(kind) or types.is_list(kind) or types.is_large_list(kind):
        return is_json(kind.value_type)
    return bool(
        types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind) or types.is_string(kind)
        or types.is_large_string(kind) or types.is_string_view(kind) or types.is_null(kind)
    )  # fmt: skip
