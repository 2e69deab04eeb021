# Lists of records in JSON: their structs are made as msgspec would make them.
#
# Owns:  nothing; a list belongs to who asked for it.
# Needs: json.pxi.        Gives: read_list(), read_attribute(), decoded_by_msgspec().
# A struct that is not full yet is known to nobody else.  These give NULL in `at` where the reader gives up.

cdef object decoded_by_msgspec(const JsonField* field, const uint8_t** at, const uint8_t* end):
    """A value as msgspec makes it of its bytes."""
    cdef const uint8_t* start = at[0]
    at[0] = pass_over(start, end)
    if at[0] == NULL:
        return None
    return PyObject_CallOneArg(
        <object>field.decode, PyBytes_FromStringAndSize(<const char*>start, at[0] - start)
    )

cdef object read_list(
    JsonReader reader, const JsonField* field, const uint8_t** at, const uint8_t* end, Frame frame
):
    """A list of records."""
    cdef const uint8_t* p = at[0]
    cdef list made = []
    at[0] = NULL
    if p[0] != c'[' or frame.depth == MAX_LISTS:
        return None
    frame.depth += 1
    p = pact_blanks(p + 1, end)
    if p < end and p[0] == c']':
        at[0] = p + 1
    while at[0] == NULL:
        if p >= end or p[0] != c'{':
            return None
        record = PyType_GenericAlloc(<PyTypeObject*>reader.binding.layouts[field.field.layout].type, 0)
        p = reader.read_object(&reader.plans[field.inner], p + 1, end, frame, <PyObject*>record)
        if p == NULL:
            return None
        made.append(record)
        p = pact_blanks(p, end)
        if p >= end or (p[0] != c',' and p[0] != c']'):
            return None
        if p[0] == c']':
            at[0] = p + 1
        else:
            p = pact_blanks(p + 1, end)
    frame.depth -= 1
    return made

cdef inline void put_attribute(PyObject* record, const JsonField* field, object held) noexcept:
    """Set an attribute that is not set yet."""
    Py_INCREF(held)
    (<PyObject**>(<char*>record + field.field.offset))[0] = <PyObject*>held

cdef const uint8_t* read_attribute(
    JsonReader reader, JsonField* field, PyObject* record, const uint8_t* p, const uint8_t* end, Frame frame
) noexcept:
    """Read a value into a struct's attribute: what decoding would have put there."""
    cdef const uint8_t* at = p
    cdef Cell x
    cdef object held = None
    try:
        if p[0] == c'n' and field.optional and field.act < ACT_REFUSE:
            at = pact_scalar(p, end)
        elif field.act == ACT_LIST:
            held = read_list(reader, field, &at, end, frame)
        elif field.act == ACT_DECODE:
            held = decoded_by_msgspec(field, &at, end)
        elif field.act == ACT_UNIT:
            at = read_unit(&x, field, p, end)
            if at != NULL:
                held = number_object(p, end)
        else:
            at = reader.read_value(&x, field, p, end, frame)
            if at != NULL:
                held = box(&x)
    except BaseException as error:
        frame.stop(error)
        return NULL
    if at != NULL and field.act < ACT_REFUSE:
        put_attribute(record, field, held)
    return at

cdef object number_object(const uint8_t* p, const uint8_t* end):
    """An int or a float, as the number is written."""
    cdef pact_number number
    cdef int64_t whole = 0
    cdef double value = 0.0
    pact_read_number(p, end, &number)
    if pact_int64(&number, &whole):
        return whole
    number_as_double(p, end, &number, &value)
    return value
