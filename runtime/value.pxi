# Cells: one value each, unboxed where C can hold it, borrowed where Python owns it.
#
# Owns:  Frame owns the objects made during one run (its arena); everything else is borrowed from the
#        record or the program, which outlive the run.
# Gives: Cell, Frame, unbox(), box(), fail().
# A timestamp or duration is `i` seconds and `aux` nanoseconds in [0, 1e9).  An error value has its
# code in `aux`.  A list made by this run has aux OWNED_LIST and may be appended to.

cdef extern from *:
    """
    #define PACT_INT_EXACT(o, out) pact_int(o, out)
    static inline int pact_int(PyObject *o, long long *out) {
        int overflow = 0;
        /* An int of one digit, by far the most frequent, is read in place. */
    #if PY_VERSION_HEX >= 0x030C0000
        if (PyUnstable_Long_IsCompact((PyLongObject *)o)) {
            *out = (long long)PyUnstable_Long_CompactValue((PyLongObject *)o);
            return 0;
        }
    #else
        Py_ssize_t size = Py_SIZE(o);
        if (size == 1 || size == 0) {
            *out = size ? (long long)((PyLongObject *)o)->ob_digit[0] : 0;
            return 0;
        }
    #endif
        *out = PyLong_AsLongLongAndOverflow(o, &overflow);
        return overflow;
    }
    /* Equality of n bytes; up to 16 as two words that may overlap, because a call costs more. */
    static inline int pact_same_bytes(const char *a, const char *b, Py_ssize_t n) {
        uint64_t x, y, v, w;
        uint32_t p, q, r, s;
        if (n > 16) return memcmp(a, b, n) == 0;
        if (n >= 8) {
            memcpy(&x, a, 8); memcpy(&y, b, 8); memcpy(&v, a + n - 8, 8); memcpy(&w, b + n - 8, 8);
            return ((x ^ y) | (v ^ w)) == 0;
        }
        if (n >= 4) {
            memcpy(&p, a, 4); memcpy(&q, b, 4); memcpy(&r, a + n - 4, 4); memcpy(&s, b + n - 4, 4);
            return ((p ^ q) | (r ^ s)) == 0;
        }
        return n == 0 || (a[0] == b[0] && a[n - 1] == b[n - 1] && a[n / 2] == b[n / 2]);
    }
    static inline int pact_same_text(PyObject *a, PyObject *b) {
        if (a == b) return 1;
        Py_ssize_t n = PyUnicode_GET_LENGTH(a);
        if (n != PyUnicode_GET_LENGTH(b) || PyUnicode_KIND(a) != PyUnicode_KIND(b)) return 0;
        return pact_same_bytes((const char *)PyUnicode_DATA(a), (const char *)PyUnicode_DATA(b), n * PyUnicode_KIND(a));
    }
    /* In blocks without a way out: the compiler makes vector instructions of them. */
    static int pact_no_surrogate(const void *data, int kind, Py_ssize_t n) {
        const uint16_t *two = (const uint16_t *)data;
        const uint32_t *four = (const uint32_t *)data;
        for (Py_ssize_t i = 0; i < n;) {
            Py_ssize_t end = n - i > 4096 ? i + 4096 : n;
            uint32_t found = 0;
            if (kind == PyUnicode_2BYTE_KIND)
                for (; i < end; i++) found |= (two[i] & 0xF800u) == 0xD800u;
            else
                for (; i < end; i++) found |= (four[i] & 0xFFFFF800u) == 0xD800u;
            if (found) return 0;
        }
        return 1;
    }
    /* Lone surrogates are no Unicode text; a string of one-byte characters has none. */
    static inline int pact_is_text(PyObject *o) {
        if (!PyUnicode_Check(o)) return 0;
        int kind = PyUnicode_KIND(o);
        if (kind == PyUnicode_1BYTE_KIND) return 1;
        return pact_no_surrogate(PyUnicode_DATA(o), kind, PyUnicode_GET_LENGTH(o));
    }
    static inline int pact_is_narrow(PyObject *o) {
        return PyUnicode_Check(o) && PyUnicode_KIND(o) == PyUnicode_1BYTE_KIND;
    }
    /* A text of which the search takes so long that other threads should run meanwhile. */
    static inline int pact_is_long(PyObject *o) {
        return PyUnicode_Check(o) && PyUnicode_KIND(o) != PyUnicode_1BYTE_KIND && PyUnicode_GET_LENGTH(o) > 65536;
    }
    """
    bint pact_is_text(PyObject* o) noexcept
    bint pact_is_narrow(PyObject* o) noexcept
    bint pact_is_long(PyObject* o) noexcept
    bint pact_no_surrogate(const void* data, int kind, Py_ssize_t n) noexcept nogil
    int pact_int(PyObject* o, long long* out) noexcept
    bint pact_same_text(PyObject* a, PyObject* b) noexcept

cdef extern from "Python.h":
    int PyGC_Disable() noexcept
    int PyGC_Enable() noexcept
    bint PyUnicode_Check(PyObject* o) noexcept
    bint PyUnicode_CheckExact(PyObject* o) noexcept
    Py_ssize_t PyUnicode_GET_LENGTH(PyObject* o) noexcept
    int PyUnicode_KIND(PyObject* o) noexcept
    const void* PyUnicode_DATA(PyObject* o) noexcept
    Py_ssize_t list_size "PyList_GET_SIZE" (PyObject* o) noexcept      # without a reference taken and dropped
    PyObject* list_item "PyList_GET_ITEM" (PyObject* o, Py_ssize_t i) noexcept
    bint PyType_IsSubtype(PyTypeObject* a, PyTypeObject* b) noexcept
    PyObject* Py_None
    PyObject* Py_True
    PyObject* Py_False
    unsigned long long PyLong_AsUnsignedLongLong(object o) except? 0xFFFFFFFFFFFFFFFF

cdef enum:
    OWNED_LIST = 1
    # Bounds of one run, against an artifact or a record made to hurt.
    MAX_STEPS = 20_000_000          # turns of all loops, and elements compared, of one call
    MAX_ALLOCATION = 268_435_456    # bytes of values made by one call
    MAX_NESTING = 200               # depth of lists and maps that are compared

cdef union Payload:
    int64_t i
    double d
    PyObject* o

cdef struct Cell:
    Payload v
    uint32_t tag
    int32_t aux


cdef inline void fail(Cell* x, int32_t code) noexcept:
    """Make x the error value with this code."""
    x.tag = TAG_ERROR
    x.aux = code
    x.v.i = 0

cdef inline void set_bool(Cell* x, bint value) noexcept:
    x.tag = TAG_BOOL
    x.aux = 0
    x.v.i = value

cdef inline void set_int(Cell* x, int64_t value) noexcept:
    x.tag = TAG_INT
    x.aux = 0
    x.v.i = value

cdef inline void set_uint(Cell* x, uint64_t value) noexcept:
    x.tag = TAG_UINT
    x.aux = 0
    x.v.i = <int64_t>value

cdef inline void set_double(Cell* x, double value) noexcept:
    x.tag = TAG_DOUBLE
    x.aux = 0
    x.v.d = value

cdef inline void set_object(Cell* x, uint32_t tag, PyObject* value) noexcept:
    x.tag = tag
    x.aux = 0
    x.v.o = value


cdef void unbox(Cell* x, PyObject* o, Binding records) noexcept:
    """Read a CEL value from a Python object that outlives the run; what is no CEL value is an error.

    records: knows the structs that are records; None where there can be none.
    """
    cdef long long number
    if o == Py_None:
        x.tag = TAG_NULL
        x.aux = 0
    elif PyUnicode_CheckExact(o):
        set_object(x, TAG_STRING, o)
    elif o == Py_True:
        set_bool(x, True)
    elif o == Py_False:
        set_bool(x, False)
    elif PyLong_CheckExact(<object>o):
        if pact_int(o, &number):
            fail(x, ERR_BAD_NUMBER)
        else:
            set_int(x, number)
    elif PyFloat_CheckExact(<object>o):
        set_double(x, PyFloat_AS_DOUBLE(<object>o))
        if isnan(x.v.d) and not (records is not None and records.host):
            fail(x, ERR_BAD_NUMBER)     # no data holds a NaN that could be read
    elif PyDict_Check(<object>o):
        set_object(x, TAG_MAP, o)
    elif PyList_Check(<object>o):
        set_object(x, TAG_LIST, o)
    else:
        unbox_rare(x, o, records)


cdef PyObject* UINT_TYPE = <PyObject*>UInt
cdef PyObject* TIMESTAMP_TYPE = <PyObject*>Timestamp
cdef PyObject* DURATION_TYPE = <PyObject*>Duration
cdef PyObject* CEL_TYPE = <PyObject*>CelType
cdef PyObject* BOOL_KEY_TYPE = <PyObject*>BoolKey
cdef PyObject* OPTIONAL_TYPE = <PyObject*>Optional
cdef PyObject* IP_TYPE = <PyObject*>IP
cdef PyObject* CIDR_TYPE = <PyObject*>CIDR

cdef void unbox_rare(Cell* x, PyObject* o, Binding records) noexcept:
    """What `unbox` does not meet every day: records, CEL's own types, and subclasses of Python's."""
    cdef PyObject* form = <PyObject*>o.ob_type
    cdef int i
    cdef object value
    cdef long long number
    if records is not None:
        for i in range(records.count):
            if records.layouts[i].type == form:
                set_object(x, TAG_RECORD, o)
                x.aux = i
                return
    value = <object>o
    try:
        if PyBytes_CheckExact(value):
            set_object(x, TAG_BYTES, o)
        elif form == UINT_TYPE:
            set_uint(x, PyLong_AsUnsignedLongLong(value))
        elif form == TIMESTAMP_TYPE or form == DURATION_TYPE:
            x.tag = TAG_TIMESTAMP if form == TIMESTAMP_TYPE else TAG_DURATION
            x.v.i = value.seconds
            x.aux = value.nanos
        elif form == CEL_TYPE:
            set_object(x, TAG_TYPE, o)
        elif form == OPTIONAL_TYPE:
            set_object(x, TAG_OPTIONAL, o)
        elif form == IP_TYPE or form == CIDR_TYPE:
            set_object(x, TAG_OPAQUE, o)
        elif form == BOOL_KEY_TYPE:
            set_bool(x, value.value)
        elif isinstance(value, str):
            set_object(x, TAG_STRING, o)
        elif isinstance(value, float):
            set_double(x, value)
        elif isinstance(value, int) and pact_int(o, &number) == 0:
            set_int(x, number)
        elif records is not None and records.host and isinstance(value, (datetime, timedelta)):
            value = from_host(value)            # a time of Python's: read, and not kept
            x.tag = TAG_TIMESTAMP if isinstance(value, Timestamp) else TAG_DURATION
            x.v.i = value.seconds
            x.aux = value.nanos
        else:
            fail(x, ERR_BAD_NUMBER)
    except Exception:
        fail(x, ERR_BAD_NUMBER)


cdef object box(const Cell* x):
    """The Python object for a cell.  An error value is None (callers look at the tag first)."""
    cdef object made
    if x.tag == TAG_BOOL:
        return x.v.i != 0
    if x.tag == TAG_INT:
        return x.v.i
    if x.tag == TAG_DOUBLE:
        return x.v.d
    if x.tag == TAG_UINT:
        return UInt(<uint64_t>x.v.i)
    if x.tag == TAG_TIMESTAMP:
        return Timestamp(x.v.i, x.aux)
    if x.tag == TAG_DURATION:
        return Duration(x.v.i, x.aux)
    if x.tag == TAG_NULL or x.tag == TAG_ERROR or x.tag == TAG_ITERATOR:
        return None
    return <object>x.v.o


cdef Py_ssize_t weight(object value):
    """About how many bytes a value takes that was just made."""
    if isinstance(value, (str, bytes)):
        return 4 * len(value) + 64
    if isinstance(value, (list, dict)):
        return 64 * len(value) + 64
    return 64


cdef class Frame:
    """The registers of one run, and the objects it made.  A program keeps a few for reuse; a run
    takes one for itself, so runs in several threads never share registers."""

    cdef Cell* cells
    cdef Py_ssize_t size
    cdef Py_ssize_t fixed              # cells before this one are not cleared: slots and constants
    cdef PyObject** owned
    cdef Py_ssize_t owned_count
    cdef Py_ssize_t owned_size
    cdef Py_ssize_t allocated          # bytes
    cdef int64_t steps
    cdef Binding binding
    cdef uint64_t* violated            # three masks of `words` words each, in one block
    cdef uint64_t* unknown
    cdef uint64_t* skipped
    cdef uint8_t* atoms
    cdef uint8_t* groups
    cdef Cell result                   # of an expression
    cdef bint outside
    cdef bint loaded                   # all slots are loaded
    cdef bint pinned                   # and owned already
    cdef bint shared                   # the record belongs to the caller, who may change it meanwhile

    def __cinit__(self, Py_ssize_t size, Py_ssize_t fixed, Py_ssize_t words, Py_ssize_t atoms, Py_ssize_t groups):
        self.size = size
        self.fixed = fixed
        self.cells = <Cell*>PyMem_Malloc((size + 1) * sizeof(Cell))
        self.violated = <uint64_t*>PyMem_Malloc(3 * words * sizeof(uint64_t))
        self.atoms = <uint8_t*>PyMem_Malloc(atoms + groups + 1)
        if self.cells == NULL or self.violated == NULL or self.atoms == NULL:
            raise MemoryError()
        memset(self.cells, 0, (size + 1) * sizeof(Cell))
        self.unknown = self.violated + words
        self.skipped = self.unknown + words
        self.groups = self.atoms + atoms

    def __dealloc__(self):
        self.drop_owned()
        PyMem_Free(self.cells)
        PyMem_Free(self.owned)
        PyMem_Free(self.violated)
        PyMem_Free(self.atoms)

    cdef void drop_owned(self) noexcept:
        cdef Py_ssize_t i
        for i in range(self.owned_count):
            Py_DECREF(<object>self.owned[i])
        self.owned_count = 0

    cdef int own(self, object value, Py_ssize_t size) noexcept:
        """Keep a value that this run made, of about `size` bytes; -1 when it has made too much."""
        self.allocated += size
        return -1 if self.allocated > MAX_ALLOCATION else self.keep(value)

    cdef int keep(self, object value) noexcept:
        """Keep a value alive until the run ends; -1 where there is no memory."""
        cdef PyObject** grown
        if self.owned_count == self.owned_size:
            self.owned_size = self.owned_size * 2 + 16
            grown = <PyObject**>PyMem_Realloc(self.owned, self.owned_size * sizeof(PyObject*))
            if grown == NULL:
                self.owned_size = self.owned_count
                return -1
            self.owned = grown
        Py_INCREF(value)
        self.owned[self.owned_count] = <PyObject*>value
        self.owned_count += 1
        return 0

    cdef void give(self, Cell* x, uint32_t tag, object value, Py_ssize_t size) noexcept:
        """Set x to an object that this run made, of about `size` bytes."""
        if self.own(value, size) < 0:
            fail(x, ERR_LIMIT)
        else:
            set_object(x, tag, <PyObject*>value)

    cdef void give_value(self, Cell* x, object value) noexcept:
        """Set x to any CEL value that this run made as a Python object."""
        if PyFloat_CheckExact(value):           # which may be a NaN, that unbox refuses
            set_double(x, PyFloat_AS_DOUBLE(value))
        elif self.own(value, weight(value)) < 0:
            fail(x, ERR_LIMIT)
        else:
            unbox(x, <PyObject*>value, self.binding)

    cdef void pin(self) noexcept:
        """Own what the registers borrow: Python code is about to run, and another thread with it, that
        could take it out of the caller's record."""
        cdef Py_ssize_t i
        cdef uint32_t tag
        if self.shared:
            for i in range(0 if not self.pinned else self.fixed, self.size):
                tag = self.cells[i].tag
                if tag == TAG_STRING or tag == TAG_BYTES or tag >= TAG_LIST:
                    self.keep(<object>self.cells[i].v.o)
            self.pinned = self.loaded

    cdef inline bint spend(self, int64_t steps) noexcept:
        """Charge work inside one instruction; false when the call has used up its steps."""
        self.steps -= steps
        return self.steps >= 0
