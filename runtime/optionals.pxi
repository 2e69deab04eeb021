# Optionals: `x.?f`, `x[?k]`, and what is read of an optional.
#
# Needs: value.pxi, equal.pxi.        Gives: look_up(), optional_of(), optional_value(), holds().
# An optional is a Python object of values.Optional; what it holds is borrowed from it.

cdef inline void set_none(Cell* out) noexcept:
    set_object(out, TAG_OPTIONAL, <PyObject*>NONE)


cdef void optional_of(Cell* out, const Cell* x, Frame frame) noexcept:
    cdef Cell value = x[0]
    if x.tag == TAG_ERROR:
        out[0] = value
        return
    try:
        frame.give(out, TAG_OPTIONAL, Optional(box(&value), True), 64)
    except Exception:
        fail(out, ERR_LIMIT)


cdef int holds(const Cell* x) noexcept:
    """1 if an optional holds a value, 0 if it is none, -1 if x is no optional."""
    if x.tag != TAG_OPTIONAL:
        return -1
    return x.v.o != <PyObject*>NONE and (<object>x.v.o).present is True


cdef void optional_value(Cell* out, const Cell* x, Frame frame) noexcept:
    """What an optional holds."""
    cdef int held = holds(x)
    cdef object inside
    if held < 0:
        refuse(out, x, 1)
    elif held == 0:
        fail(out, ERR_NO_VALUE)
    else:
        try:
            inside = (<object>x.v.o).value
            if PyFloat_CheckExact(inside):
                set_double(out, PyFloat_AS_DOUBLE(inside))
            else:
                read(out, <PyObject*>inside, frame)
        except Exception:
            fail(out, ERR_LIMIT)


cdef void look_up(Cell* out, const Cell* source, const Cell* key, Frame frame) noexcept:
    """The optional of source[key]; of an optional, of what it holds."""
    cdef Cell inside
    cdef Cell found
    cdef int64_t i
    cdef PyObject* value
    if key.tag == TAG_ERROR:
        out[0] = key[0]
        return
    if source.tag == TAG_OPTIONAL:
        if not holds(source):
            set_none(out)
            return
        optional_value(&inside, source, frame)
        source = &inside
    if source.tag == TAG_MAP:
        value = find_key(source, key, frame)
        if value == NULL:
            set_none(out)
            return
        read(&found, value, frame)
    elif source.tag == TAG_LIST and list_position(key, &i):
        if i < 0 or i >= PyList_GET_SIZE(<object>source.v.o):
            set_none(out)
            return
        read(&found, <PyObject*>PyList_GET_ITEM(<object>source.v.o, i), frame)
    else:
        refuse(out, source, 1)
        return
    optional_of(out, &found, frame)


cdef void end_of_list(int fn, Cell* out, const Cell* source, Frame frame) noexcept:
    """first(), last(): an optional."""
    cdef Py_ssize_t count
    cdef Cell found
    if source.tag != TAG_LIST:
        refuse(out, source, 1)
        return
    count = PyList_GET_SIZE(<object>source.v.o)
    if count == 0:
        set_none(out)
        return
    read(&found, <PyObject*>PyList_GET_ITEM(<object>source.v.o, 0 if fn == FN_FIRST else count - 1), frame)
    optional_of(out, &found, frame)
