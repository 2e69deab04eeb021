# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# The 14 rules without text, written by hand in Cython for one record type: the peer that the machine
# is held to.
#
# It reads the same slots by member offset, takes no attribute lookup and boxes nothing but the mask.
# Needs: `prepare(Call, ToolCall)` once.  Trusts: fields hold exactly the types of rules.py.

cimport cython
from cpython.object cimport PyObject
from libc.string cimport memcmp

cdef extern from *:
    """
    #include <structmember.h>
    #define SLOT(record, offset) (*(PyObject **)((char *)(record) + (offset)))
    static Py_ssize_t offset_of(PyObject *member) {
        return ((PyMemberDescrObject *)member)->d_member->offset;
    }
    static int same(PyObject *text, const char *ascii, Py_ssize_t length) {
        return PyUnicode_GET_LENGTH(text) == length && PyUnicode_IS_ASCII(text)
            && memcmp(PyUnicode_DATA(text), ascii, length) == 0;
    }
    """
    PyObject* SLOT(PyObject* record, Py_ssize_t offset) nogil
    Py_ssize_t offset_of(PyObject* member)
    int same(PyObject* text, const char* ascii, Py_ssize_t length) nogil
    double PyFloat_AS_DOUBLE(PyObject* x) nogil
    long long PyLong_AsLongLong(PyObject* x)
    Py_ssize_t PyList_GET_SIZE(PyObject* x) nogil
    PyObject* PyList_GET_ITEM(PyObject* x, Py_ssize_t i) nogil
    PyObject* Py_None
    PyObject* Py_True

cdef struct Offsets:
    Py_ssize_t channel, user_tier, model, latency_ms, ttft_ms, input_tokens, output_tokens, max_tokens
    Py_ssize_t cost_usd, temperature, finish_reason, tool_calls, retrieved_docs, language, error, retries
    Py_ssize_t tool_name, tool_ok, tool_latency_ms

cdef Offsets at


cdef Py_ssize_t member(record, str name) except -1:
    return offset_of(<PyObject*>record.__dict__[name])


def prepare(call, tool):
    """Read the offsets of the fields from the member descriptors."""
    at.channel = member(call, "channel")
    at.user_tier = member(call, "user_tier")
    at.model = member(call, "model")
    at.latency_ms = member(call, "latency_ms")
    at.ttft_ms = member(call, "ttft_ms")
    at.input_tokens = member(call, "input_tokens")
    at.output_tokens = member(call, "output_tokens")
    at.max_tokens = member(call, "max_tokens")
    at.cost_usd = member(call, "cost_usd")
    at.temperature = member(call, "temperature")
    at.finish_reason = member(call, "finish_reason")
    at.tool_calls = member(call, "tool_calls")
    at.retrieved_docs = member(call, "retrieved_docs")
    at.language = member(call, "language")
    at.error = member(call, "error")
    at.retries = member(call, "retries")
    at.tool_name = member(tool, "name")
    at.tool_ok = member(tool, "ok")
    at.tool_latency_ms = member(tool, "latency_ms")


cdef bint allowed(PyObject* name):
    return (same(name, "search", 6) or same(name, "lookup_order", 12) or same(name, "get_invoice", 11)
            or same(name, "create_ticket", 13) or same(name, "send_mail", 9) or same(name, "calendar", 8)
            or same(name, "calc", 4) or same(name, "weather", 7))


cdef bint spoken(PyObject* language):
    return (same(language, "en", 2) or same(language, "de", 2) or same(language, "fr", 2)
            or same(language, "es", 2) or same(language, "pt", 2))


@cython.final
@cython.no_gc
@cython.freelist(64)
cdef class Verdict:
    """What a caller is given: the mask, and the record it is about."""
    cdef readonly int mask
    cdef readonly object record


def verdict(record):
    """A Verdict on a record."""
    cdef Verdict made = Verdict.__new__(Verdict)
    made.mask = judge(record)
    made.record = record
    return made


def check(record):
    """The mask of violated rules, as rules.check_numbers gives it."""
    return judge(record)


cdef int judge(record):
    cdef PyObject* r = <PyObject*>record
    cdef PyObject* finish = SLOT(r, at.finish_reason)
    cdef PyObject* calls = SLOT(r, at.tool_calls)
    cdef PyObject* model
    cdef PyObject* call
    cdef double latency = PyFloat_AS_DOUBLE(SLOT(r, at.latency_ms))
    cdef double temperature = PyFloat_AS_DOUBLE(SLOT(r, at.temperature))
    cdef long long tokens_out = PyLong_AsLongLong(SLOT(r, at.output_tokens))
    cdef Py_ssize_t i, n = PyList_GET_SIZE(calls)
    cdef int mask = 0
    if same(SLOT(r, at.channel), "chat", 4) and not latency <= 2000.0:
        mask |= 1
    if not PyFloat_AS_DOUBLE(SLOT(r, at.cost_usd)) <= 0.05:
        mask |= 1 << 1
    if not PyFloat_AS_DOUBLE(SLOT(r, at.ttft_ms)) <= latency:
        mask |= 1 << 2
    if not (0.0 <= temperature <= 1.0):
        mask |= 1 << 3
    if not PyLong_AsLongLong(SLOT(r, at.input_tokens)) + tokens_out <= 8000:
        mask |= 1 << 4
    if not (same(finish, "stop", 4) or same(finish, "tool_calls", 10) or same(finish, "length", 6)):
        mask |= 1 << 5
    for i in range(n):
        if not allowed(SLOT(PyList_GET_ITEM(calls, i), at.tool_name)):
            mask |= 1 << 6
            break
    if not n <= 4:
        mask |= 1 << 7
    if same(finish, "tool_calls", 10) and not n > 0:
        mask |= 1 << 8
    if same(SLOT(r, at.user_tier), "free", 4):
        model = SLOT(r, at.model)
        if not ((same(model, "gpt-mini", 8) or same(model, "gpt-small", 9)) and tokens_out <= 1024):
            mask |= 1 << 9
    for i in range(n):
        call = PyList_GET_ITEM(calls, i)
        if SLOT(call, at.tool_ok) != Py_True and PyFloat_AS_DOUBLE(SLOT(call, at.tool_latency_ms)) > 1000.0:
            mask |= 1 << 10
            break
    if not (spoken(SLOT(r, at.language)) or PyLong_AsLongLong(SLOT(r, at.retrieved_docs)) > 0):
        mask |= 1 << 11
    if not (SLOT(r, at.error) == Py_None or PyLong_AsLongLong(SLOT(r, at.retries)) >= 1):
        mask |= 1 << 12
    if not (tokens_out <= PyLong_AsLongLong(SLOT(r, at.max_tokens)) or same(finish, "length", 6)):
        mask |= 1 << 13
    return mask
