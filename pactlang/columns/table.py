"""Tables in, verdict columns out.

In: data that speaks Arrow.  Out: `batches`, the record batches with the columns that a pact reads, each
of them validated; and `verdicts`, the table that `check_arrow` gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import types

from pactlang._runtime import is_ascii, offsets_rise
from pactlang.columns.data import NotUtf8
from pactlang.columns.plan import raw
from pactlang.errors import RecordError
from pactlang.opcodes import Outcome

if TYPE_CHECKING:
    from pactlang.columns.judge import Judged
    from pactlang.evaluator import Evaluator
    from pactlang.records import Reader
    from pactlang.schema import Type

FACTS = ("ok", "outside", "expired", "undecodable")
OUTCOMES = [outcome.name.lower() for outcome in Outcome]
CODES = pa.dictionary(pa.int8(), pa.string())


# In ---------------------------------------------------------------------------------------------


def batches(data: Any, reader: Reader) -> Iterator[pa.RecordBatch]:
    """The record batches of `data`, with the columns that a pact reads.

    TypeError for what is no table; RecordError for columns that are no valid Arrow data.
    """
    if isinstance(data, pa.RecordBatch):
        yield narrowed(data, reader)
        return
    for batch in as_table(data).to_batches():
        yield narrowed(batch, reader)


def as_table(data: Any) -> pa.Table:
    """A table of whatever speaks Arrow's C interfaces."""
    if isinstance(data, pa.Table):
        return data
    if hasattr(data, "__arrow_c_stream__"):
        return pa.table(data)
    if hasattr(data, "__arrow_c_array__"):
        return pa.Table.from_batches([pa.record_batch(data)])
    raise TypeError(f"expected an Arrow table or record batch, found {type(data).__name__}")


def narrowed(batch: pa.RecordBatch, reader: Reader) -> pa.RecordBatch:
    """The columns that may hold what a pact reads; of two with one name the last, as of JSON keys."""
    chosen = {name: i for i, name in enumerate(batch.schema.names) if is_read(name, reader)}
    if not chosen:  # a batch has as many rows as its columns, so there must be one
        return pa.RecordBatch.from_arrays([pa.nulls(batch.num_rows)], [""])
    columns = [checked(pruned(batch.column(i), name, reader), name) for name, i in chosen.items()]
    return pa.RecordBatch.from_arrays(columns, list(chosen))


def is_read(name: str, reader: Reader) -> bool:
    """Whether a column of that name may hold what a pact reads."""
    return name in reader.heads or name.startswith(reader.prefixes)


def pruned(array: pa.Array, name: str, reader: Reader) -> pa.Array:
    """A column of records without the fields that are not read; any other as it is."""
    types_here = {m.field.type for m in reader.root.members if name in {h for n in m.names for h in n.heads}}
    form = types_here.pop() if len(types_here) == 1 else None
    return array if form is None else of_read_fields(array, form, reader)


def of_read_fields(array: pa.Array, form: Type, reader: Reader) -> pa.Array:
    """A struct, or a list of structs, with the fields of a record that are read."""
    kind = array.type
    if (
        form.kind == "list"
        and (types.is_list(kind) or types.is_large_list(kind))
        and types.is_struct(kind.value_type)
    ):
        values = of_read_fields(array.values, form.params[0], reader)
        made = pa.list_(values.type) if types.is_list(kind) else pa.large_list(values.type)
        buffers = array.buffers()[:2] if array.null_count else [None, array.buffers()[1]]
        return pa.Array.from_buffers(made, len(array), buffers, offset=array.offset, children=[values])
    if form.kind != "record" or not types.is_struct(kind):
        return array
    layout = reader.layout_of(form.name)
    kept = {field.name: i for i, field in enumerate(kind) if field.name in layout.heads}
    if not kept or layout.prefixes:
        return array
    inner = {m.names[0].key: m.field.type for m in layout.members}
    fields = [
        of_read_fields(array.field(i), inner[key], reader) if key in inner else array.field(i)
        for key, i in kept.items()
    ]
    return pa.StructArray.from_arrays(fields, list(kept), mask=array.is_null() if array.null_count else None)


def checked(array: pa.Array, name: str) -> pa.Array:
    """The array, proved to be valid Arrow data: no offset or index in it leads out of its buffers."""
    try:
        validate(array)
        return array
    except pa.ArrowInvalid as error:
        return as_bytes(array, name, error)


def validate(array: pa.Array) -> None:
    """What `array.validate(full=True)` proves, with a look at each number instead of several."""
    form = array.type
    if types.is_list(form) or types.is_large_list(form):
        array.validate()
        width = 4 if types.is_list(form) else 8
        if len(array) and not offsets_rise(array.buffers()[1], width, array.offset, len(array)):
            raise pa.ArrowInvalid("the offsets of a list fall")
        validate(array.values)
    elif types.is_struct(form):
        array.validate()
        for i in range(form.num_fields):
            validate(array.field(i))
    elif types.is_dictionary(form) and not array.null_count and len(array):
        array.validate()
        validate(array.dictionary)
        highest = raw(array.indices).view(f"u{form.index_type.bit_width // 8}").max()  # below 0 is beyond
        if highest >= len(array.dictionary):
            raise pa.ArrowInvalid("an index leads out of its dictionary")
    elif not (types.is_string(form) or types.is_large_string(form)) or not is_plain_text(array):
        array.validate(full=True)


def is_plain_text(array: pa.Array) -> bool:
    """Whether strings are surely valid: they rise, and are all ASCII."""
    array.validate()
    width, buffers = (4 if types.is_string(array.type) else 8), array.buffers()
    if not len(array) or not offsets_rise(buffers[1], width, array.offset, len(array)):
        return False
    ends = np.frombuffer(buffers[1], f"i{width}", len(array) + 1, array.offset * width)
    return buffers[2] is None or is_ascii(buffers[2], int(ends[0]), int(ends[-1]))


def as_bytes(array: pa.Array, name: str, error: Exception) -> pa.Array:
    """Strings that are not all UTF-8 as bytes, which are valid; RecordError if something else is wrong."""
    form = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}.get(array.type)
    try:
        assert form is not None
        held = array.view(form)
        held.validate(full=True)
        return pa.ExtensionArray.from_storage(NotUtf8(form), held)
    except (AssertionError, pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise RecordError(f"the column {name} is no valid Arrow data: {error}") from None


def misfit_of(schema: pa.Schema, path: str, reader: Reader) -> str:
    """Both types of the column that a JSON path leads to; "" where it is none that is read."""
    for member in reader.root.members:
        for name in member.names:
            at = schema.get_field_index(name.key)
            if at >= 0 and (path + ".").startswith(f"$.{member.names[0].key}."):
                found = schema.field(at).type
                return f"the column {name.key} is {found}, and the pact reads {member.field.type}"
    return ""


# Out --------------------------------------------------------------------------------------------


def verdicts(evaluator: Evaluator, judged: Sequence[Judged]) -> pa.Table:
    """The verdict columns: the four facts, then one per clause."""
    made = [pa.RecordBatch.from_arrays(columns(each), names(evaluator)) for each in judged]
    return pa.Table.from_batches(made, schema_of(evaluator))


def names(evaluator: Evaluator) -> list[str]:
    """The names of the columns: a clause that is called as a fact has `clause.` before its name."""
    return [*FACTS, *(f"clause.{name}" if name in FACTS else name for name in evaluator.names)]


def schema_of(evaluator: Evaluator) -> pa.Schema:
    """The schema of the verdicts; its metadata say which pact gave them."""
    program = evaluator.program
    forms = [pa.bool_(), pa.bool_(), pa.bool_(), pa.string(), *(CODES for _ in evaluator.names)]
    says = {"pact": program.name, "pact_version": program.version, "pact_digest": program.digest}
    return pa.schema(list(zip(names(evaluator), forms, strict=True)), says)


def columns(judged: Judged) -> list[pa.Array]:
    """The columns of one batch."""
    decided = judged.states >= 0
    valid = None if decided.all() else bits(decided)
    admitted = judged.states == 1
    shown = None if admitted.all() else bits(admitted)
    facts = [
        flags(judged.ok, valid),
        flags(judged.states == 0, valid),
        flags(judged.expired, valid),
        reasons(judged),
    ]
    return [*facts, *(outcomes(row, shown) for row in judged.outcomes)]


def bits(mask: NDArray[np.bool_]) -> pa.Buffer:
    """A validity bitmap."""
    return pa.py_buffer(np.packbits(mask, bitorder="little"))


def flags(values: NDArray[np.bool_], valid: pa.Buffer | None) -> pa.Array:
    return pa.Array.from_buffers(pa.bool_(), len(values), [valid, bits(values)])


def reasons(judged: Judged) -> pa.Array:
    if not judged.reasons:
        return pa.nulls(len(judged.states), pa.string())
    said = {row: f"{path}: {reason}" for row, (path, reason) in judged.reasons.items()}
    return pa.array([said.get(row) for row in range(len(judged.states))], pa.string())


def outcomes(codes: NDArray[np.uint8], shown: pa.Buffer | None) -> pa.Array:
    """One clause: its codes in place, as indices of the four words."""
    indices = pa.Array.from_buffers(pa.int8(), len(codes), [shown, pa.py_buffer(codes)])
    return pa.DictionaryArray.from_arrays(indices, pa.array(OUTCOMES), safe=False)
