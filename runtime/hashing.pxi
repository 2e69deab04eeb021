# Values as 128-bit keyed hashes: equal values of CEL have equal ones, whatever their form.
#
# Needs: value.pxi, state.h.        Gives: value_hash().
# 5, 5u and 5.0 are one number; a map's entries count in any order.  A value with an error in it, a NaN, a
# null: no hash, so that nobody takes it for another.

cdef extern from "state.h":
    """
    static inline uint64_t state_double_bits(double d) { uint64_t u; memcpy(&u, &d, 8); return u; }
    """
    ctypedef struct state_key:
        uint64_t a
        uint64_t b
    state_key state_sip(const uint64_t* key, uint64_t kind, const void* data, size_t size) noexcept nogil
    uint64_t state_double_bits(double d) noexcept nogil

cdef extern from "Python.h":
    int PyDict_Next(object map, Py_ssize_t* at, PyObject** key, PyObject** value) noexcept

cdef enum:
    WHOLE_NUMBER = 1            # what the hashed bytes are of
    NEGATIVE_NUMBER = 2
    FRACTION = 3
    OTHER = 16                  # and the value's tag


cdef bint value_hash(state_key* out, const uint64_t* key, const Cell* x, Frame frame, int depth) noexcept:
    """False for what has no hash."""
    cdef int64_t parts[2]
    if x.tag == TAG_STRING:
        out[0] = state_sip(key, OTHER + 64 * PyUnicode_KIND(x.v.o), PyUnicode_DATA(x.v.o), PyUnicode_GET_LENGTH(x.v.o) * PyUnicode_KIND(x.v.o))
        return frame.spend(PyUnicode_GET_LENGTH(x.v.o) >> 6)
    if x.tag == TAG_INT or x.tag == TAG_UINT:
        out[0] = state_sip(key, NEGATIVE_NUMBER if x.tag == TAG_INT and x.v.i < 0 else WHOLE_NUMBER, &x.v.i, 8)
        return True
    if x.tag == TAG_DOUBLE:
        return hash_double(out, key, x.v.d)
    if x.tag == TAG_BOOL or x.tag == TAG_TIMESTAMP or x.tag == TAG_DURATION:
        parts[0] = x.v.i
        parts[1] = x.aux if x.tag != TAG_BOOL else 0
        out[0] = state_sip(key, OTHER + x.tag, parts, 16)
        return True
    if x.tag == TAG_BYTES:
        out[0] = state_sip(key, OTHER + x.tag, PyBytes_AS_STRING(<object>x.v.o), PyBytes_GET_SIZE(<object>x.v.o))
        return frame.spend(PyBytes_GET_SIZE(<object>x.v.o) >> 6)
    if depth < MAX_NESTING:
        if x.tag == TAG_LIST:
            return hash_list(out, key, <object>x.v.o, frame, depth)
        if x.tag == TAG_MAP:
            return hash_map(out, key, <object>x.v.o, frame, depth)
    return False


cdef bint hash_double(state_key* out, const uint64_t* key, double value) noexcept:
    cdef uint64_t bits
    cdef int64_t whole
    if isnan(value):
        return False
    if floor(value) == value and -9223372036854775808.0 <= value < 18446744073709551616.0:
        if value < 0:
            whole = <int64_t>value
            out[0] = state_sip(key, NEGATIVE_NUMBER, &whole, 8)
        else:
            bits = <uint64_t>value
            out[0] = state_sip(key, WHOLE_NUMBER, &bits, 8)
        return True
    bits = state_double_bits(value)
    out[0] = state_sip(key, FRACTION, &bits, 8)
    return True


cdef bint hash_list(state_key* out, const uint64_t* key, object items, Frame frame, int depth) noexcept:
    """The hash of the elements' hashes, each taken up in turn."""
    cdef Py_ssize_t i, size = PyList_GET_SIZE(items)
    cdef state_key pair[2]
    cdef Cell cell
    if frame.shared:                    # its owner may change it meanwhile
        items = items[:]
        size = PyList_GET_SIZE(items)
    pair[0] = state_sip(key, OTHER + TAG_LIST, &size, sizeof(size))
    if not frame.spend(size):
        return False
    for i in range(size):
        read(&cell, list_item(<PyObject*>items, i), frame)
        if not hash_inner(&pair[1], key, &cell, frame, depth + 1):
            return False
        pair[0] = state_sip(key, OTHER + TAG_LIST, pair, sizeof(pair))
    out[0] = pair[0]
    return True


cdef bint hash_map(state_key* out, const uint64_t* key, object entries, Frame frame, int depth) noexcept:
    """The sum of the entries' hashes: their order does not count."""
    cdef Py_ssize_t at = 0, size = PyDict_Size(entries)
    cdef PyObject* name
    cdef PyObject* value
    cdef state_key pair[2]
    cdef state_key entry
    cdef uint64_t total[3]
    cdef Cell cell
    if frame.shared:
        entries = dict(entries)
        size = PyDict_Size(entries)
    total[0] = <uint64_t>size
    total[1] = total[2] = 0
    if not frame.spend(size):
        return False
    while PyDict_Next(entries, &at, &name, &value):
        read(&cell, name, frame)
        if not value_hash(&pair[0], key, &cell, frame, depth + 1):
            return False
        read(&cell, value, frame)
        if not hash_inner(&pair[1], key, &cell, frame, depth + 1):
            return False
        entry = state_sip(key, OTHER + TAG_MAP, pair, sizeof(pair))
        total[1] += entry.a
        total[2] += entry.b
    out[0] = state_sip(key, OTHER + TAG_MAP, total, sizeof(total))
    return True


cdef bint hash_inner(state_key* out, const uint64_t* key, const Cell* x, Frame frame, int depth) noexcept:
    """Inside a list or a map null is a value like others."""
    if x.tag == TAG_NULL:
        out[0] = state_sip(key, OTHER + TAG_NULL, NULL, 0)
        return True
    return value_hash(out, key, x, frame, depth)
