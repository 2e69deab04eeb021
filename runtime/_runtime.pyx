# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: nonecheck=False, embedsignature=False, binding=False
"""The machine: runs a verified program over one record and says which clauses hold.

Bytes and numbers only: it cannot name a clause, format a message or open a file.
The parts, in order: `value.pxi` (cells), `equal.pxi` (equality and order), `optionals.pxi`,
`extensions.pxi` (functions that run in Python), `builtins.pxi` (the others),
`code.pxi` (a program as flat C arrays, verified once), `steps.pxi` (what fast.h does), `record.pxi` and
`rows.pxi` (a struct's slots become cells), `verdict.pxi`, `text.pxi` (what seeks in texts), `json.pxi`,
`scalars.pxi` and `lists.pxi` (JSON becomes cells), `machine.pxi` (the loop), `fast.pxi`, `plan.pxi` and
`draft.pxi` (plain values without a jump), `face.pxi` and `calculator.pxi` (the classes that Python sees),
`lines.pxi` (verdicts on JSON), `fleet.pxi` (many machines); from `kernels.pxi` to `sweep.pxi`, blocks of
rows.
"""

cimport cython
from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_Check, PyDict_GetItemWithError, PyDict_Size
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.list cimport (
    PyList_Append, PyList_Check, PyList_GET_ITEM, PyList_GET_SIZE, PyList_New, PyList_SET_ITEM,
)
from cpython.long cimport PyLong_Check, PyLong_CheckExact
from cpython.number cimport PyNumber_Index
from cpython.mem cimport (
    PyMem_Free, PyMem_Malloc, PyMem_RawCalloc, PyMem_RawFree, PyMem_Realloc,
)
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from cpython.buffer cimport PyBUF_READ
from cpython.memoryview cimport PyMemoryView_FromMemory
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.math cimport floor, isfinite, isnan
from libc.stdint cimport (
    INT64_MAX, INT64_MIN, UINT64_MAX, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t,
)
from libc.string cimport memcmp, memcpy, memmove, memset

from datetime import datetime, timedelta

from pactlang import conversions
from pactlang.errors import RecordError
from pactlang.extensions import COMPUTE
from pactlang.functions import BUILTINS, fitting
from pactlang.text import folded_utf8, utf8
from pactlang.values import (
    BoolKey, CelType, CIDR, Duration, IP, Limit, NONE, Optional, Timestamp, UInt, from_host, parse_duration,
    parse_timestamp,
)

include "opcodes.pxi"
include "value.pxi"
include "equal.pxi"
include "optionals.pxi"
include "extensions.pxi"
include "builtins.pxi"
include "code.pxi"
include "steps.pxi"
include "record.pxi"
include "rows.pxi"
include "verdict.pxi"
include "text.pxi"
include "json.pxi"
include "scalars.pxi"
include "lists.pxi"
include "making.pxi"
include "machine.pxi"
include "fast.pxi"
include "plan.pxi"
include "draft.pxi"
include "face.pxi"
include "calculator.pxi"
include "lines.pxi"
include "hashing.pxi"
include "units.pxi"
include "windows.pxi"
include "sketch.pxi"
include "figures.pxi"
include "keeps.pxi"
include "drift.pxi"
include "drift_saved.pxi"
include "truths.pxi"
include "monitor_verdict.pxi"
include "monitor.pxi"
include "feeding.pxi"
include "forms.pxi"
include "sessions.pxi"
include "lives.pxi"
include "snapshot.pxi"
include "numbers.pxi"
include "score.pxi"
include "fleet.pxi"
include "kernels.pxi"
include "columns.pxi"
include "blocks.pxi"
include "conditions.pxi"
include "lanes.pxi"
include "sweep.pxi"
