# Rows: the slots that a program reads of a record, loaded in one go.
#
# Needs: record.pxi.        Gives: RowSlot, RowField, load_record().

cdef struct RowSlot:
    int32_t base            # the slot that holds the record it is a field of; -1: the call's record
    int32_t layout
    int32_t field           # -1: the record itself

cdef enum RowKind:          # what load_in_place does
    ROW_TEXT                # a str that decoding made: borrowed without a look
    ROW_TEXT_CHECKED
    ROW_DOUBLE
    ROW_INT
    ROW_BOOL
    ROW_TIME                # a number in the kind's unit
    ROW_RECORD              # the record itself
    ROW_OTHER

cdef struct RowField:       # a RowSlot for one binding
    int32_t offset
    int32_t kind
    bint is_null            # null and absent are null
    bint below              # the record is another slot's
    bint quiet              # load_slowly runs no Python code
    FieldSlot* slot
    int32_t base
    int32_t layout


cdef inline bint is_text(Cell* x, PyObject* o, Frame frame) noexcept:
    return is_long_text(x, o, frame) if pact_is_long(o) else pact_is_text(o)

cdef bint is_long_text(Cell* x, PyObject* o, Frame frame) noexcept:
    """Whether a long str is Unicode text, looked through while other threads run; `x` keeps it alive."""
    cdef const void* data = PyUnicode_DATA(o)
    cdef int kind = PyUnicode_KIND(o)
    cdef Py_ssize_t n = PyUnicode_GET_LENGTH(o)
    cdef bint good
    set_object(x, TAG_STRING, o)
    frame.pin()
    with nogil:
        good = pact_no_surrogate(data, kind, n)
    return good

cdef inline bint load_in_place(Cell* x, const RowField* row, PyObject* record, Frame frame, bint quiet) noexcept:
    """Read a slot of a frequent form; false where load_slowly must look.  quiet: no other thread may run."""
    cdef PyObject* o
    cdef long long number
    if row.kind >= ROW_RECORD:
        return False
    o = (<PyObject**>(<char*>record + row.offset))[0]
    if o == NULL:
        return False
    if row.kind == ROW_DOUBLE:
        if PyFloat_CheckExact(<object>o):
            set_double(x, PyFloat_AS_DOUBLE(<object>o))
            return isfinite(x.v.d)
    elif row.kind == ROW_INT:
        if PyLong_CheckExact(<object>o) and pact_int(o, &number) == 0:
            set_int(x, number)
            return True
    elif row.kind == ROW_TEXT_CHECKED:
        if pact_is_narrow(o) or (o != Py_None and (pact_is_text(o) and not pact_is_long(o) if quiet else is_text(x, o, frame))):
            set_object(x, TAG_STRING, o)
            return True
    elif row.kind == ROW_TEXT:
        if o != Py_None:
            set_object(x, TAG_STRING, o)
            return True
    elif row.kind == ROW_TIME:
        if (PyFloat_CheckExact(<object>o) or PyLong_CheckExact(<object>o)) and load_time(x, o, row.slot.kind, frame):
            return True
    elif o == Py_True or o == Py_False:
        set_bool(x, o == Py_True)
        return True
    if o == Py_None and row.is_null:
        x.tag = TAG_NULL
        return True
    return False

cdef int load_record(Frame frame, Binding binding, int count, PyObject* record, bint* collects) noexcept:
    """Fill the first `count` registers from the record; the number of a slot that is refused, or -1.

    collects: set if the garbage collector was on, and is now off: reading some slot may run Python code, and a
    finalizer could change the caller's record.
    """
    cdef int i = 0
    if not pact_load(binding.loads, record, <PactCell*>frame.cells):
        return load_rest(frame, binding.row, NULL, count, record, collects)
    while i < binding.rest_count and load_quietly(frame, &binding.row[binding.rest[i]], binding.rest[i], record):
        i += 1
    if i == binding.rest_count:
        return -1
    return load_rest(frame, binding.row, binding.rest + i, binding.rest_count - i, record, collects)

cdef inline bint load_quietly(Frame frame, const RowField* row, int slot, PyObject* record) noexcept:
    """Fill a register from the record, if that runs no Python code."""
    return load_in_place(&frame.cells[slot], row, record, frame, True) or (
        row.quiet and load_slowly(&frame.cells[slot], row, record, frame)
    )

cdef int load_rest(
    Frame frame, const RowField* row, const int32_t* slots, int count, PyObject* record, bint* collects
) noexcept:
    """Fill these slots' registers, or the first `count`; the number of one that is refused, or -1."""
    cdef int i, slot
    if frame.shared:                            # pin() looks at slots that are not loaded yet
        for i in range(count):
            memset(&frame.cells[i if slots == NULL else slots[i]], 0, sizeof(Cell))
        collects[0] = PyGC_Disable()
    for i in range(count):
        slot = i if slots == NULL else slots[i]
        if not load_in_place(&frame.cells[slot], &row[slot], record, frame, False) and not load_slowly(
            &frame.cells[slot], &row[slot], record, frame
        ):
            return slot
    return -1

cdef bint load_slowly(Cell* x, const RowField* row, PyObject* record, Frame frame) noexcept:
    """What load_in_place does not."""
    if row.below:
        if frame.cells[row.base].tag != TAG_RECORD:
            fail(x, ERR_NULL_OPERAND)
            return True
        record = frame.cells[row.base].v.o
    if row.kind == ROW_RECORD:
        set_object(x, TAG_RECORD, record)
        x.aux = row.layout
        return True
    return load_field(x, record, row.slot, frame)

cdef int row_kind(const FieldSlot* slot, bint trusted) noexcept:
    if slot.offset < 0:
        return ROW_OTHER
    if slot.kind == KIND_STRING:
        return ROW_TEXT if trusted else ROW_TEXT_CHECKED if slot.choices == NULL else ROW_OTHER
    if slot.kind == KIND_DOUBLE:
        return ROW_DOUBLE
    if slot.kind == KIND_INT:
        return ROW_INT
    if KIND_TIMESTAMP <= slot.kind <= KIND_DURATION_NS and unit_of(slot.kind):
        return ROW_TIME
    return ROW_BOOL if slot.kind == KIND_BOOL else ROW_OTHER
