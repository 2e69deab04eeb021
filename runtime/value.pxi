# Cells: one value each, unboxed where C can hold it, borrowed where Python owns it.
#
# Owns:  Frame owns the objects made during one run (its arena); everything else is borrowed from the
#        record or the program, which outlive the run.
# Gives: Cell, Frame, unbox(), read(), box(), fail().
# Between two calls of `pin` no Python code may run: nobody else keeps what the cells borrow.  So C reads
# subclasses of str, list and dict as what they are below, whatever their methods say.
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
    static inline int pact_same_bytes(const void *left, const void *right, Py_ssize_t n) {
        const char *a = (const char *)left, *b = (const char *)right;
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
        return pact_same_bytes(PyUnicode_DATA(a), PyUnicode_DATA(b), n * PyUnicode_KIND(a));
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
    bint equal_bytes "pact_same_bytes" (const char* a, const char* b, Py_ssize_t n) noexcept nogil

cdef extern from "Python.h":
    int PyGC_Disable() noexcept
    int PyGC_Enable() noexcept
    bint PyUnicode_Check(PyObject* o) noexcept
    bint PyUnicode_CheckExact(PyObject* o) noexcept
    object PyUnicode_FromObject(object text)
    object PyUnicode_Concat(object left, object right)
    int PyUnicode_Compare(object left, object right) except? -1
    list PyDict_Keys(object map)
    list PyList_GetSlice(object items, Py_ssize_t low, Py_ssize_t high)
    int PyList_SetSlice(object items, Py_ssize_t low, Py_ssize_t high, object put) except -1
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
    LONG_KEY = 4_096                # characters: comparing a longer key with the one found is counted
    MAX_SCRATCH = 1_048_576         # bytes that a frame keeps for the next record

cdef int64_t MAX_KEYS = 1 << 34        # characters of long keys that one call may look up: some seconds

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


cdef inline void read(Cell* x, PyObject* o, Frame frame) noexcept:
    """`unbox` during a run."""
    unbox(x, o, frame.binding, frame)

cdef void unbox(Cell* x, PyObject* o, Binding records, Frame frame) noexcept:
    """Read a CEL value from a Python object that outlives the run; what is no CEL value is an error.

    records: knows the structs that are records; None where there can be none.  frame: of the run, None
    before there is one.
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
        unbox_rare(x, o, records, frame)


cdef PyObject* UINT_TYPE = <PyObject*>UInt
cdef PyObject* TIMESTAMP_TYPE = <PyObject*>Timestamp
cdef PyObject* DURATION_TYPE = <PyObject*>Duration
cdef PyObject* CEL_TYPE = <PyObject*>CelType
cdef PyObject* BOOL_KEY_TYPE = <PyObject*>BoolKey
cdef PyObject* OPTIONAL_TYPE = <PyObject*>Optional
cdef PyObject* IP_TYPE = <PyObject*>IP
cdef PyObject* CIDR_TYPE = <PyObject*>CIDR

cdef bint set_time_of(Cell* x, uint32_t tag, object value) noexcept:
    """A cell from the parts of a Timestamp or Duration; false if they are none of CEL's."""
    cdef object seconds = value.seconds
    cdef object nanos = value.nanos
    cdef long long whole, rest
    if not (PyLong_CheckExact(seconds) and PyLong_CheckExact(nanos)):
        return False
    if pact_int(<PyObject*>seconds, &whole) or pact_int(<PyObject*>nanos, &rest):
        return False
    if rest < 0 or rest >= NANOS:
        return False
    if tag == TAG_TIMESTAMP and (whole < MIN_TIME or whole > MAX_TIME):
        return False
    if tag == TAG_DURATION and (whole < -MAX_DURATION or whole > MAX_DURATION):
        return False
    x.tag = tag
    x.v.i = whole
    x.aux = <int32_t>rest
    return True

cdef bint is_address(object value) noexcept:
    """Whether the parts of an IP or CIDR are what they should be, so that comparing it runs no code."""
    if <PyObject*>(<PyObject*>value).ob_type == CIDR_TYPE:
        return PyLong_CheckExact(value.prefix) and type(value.ip) is IP and is_address(value.ip)
    return PyLong_CheckExact(value.family) and PyLong_CheckExact(value.number)


cdef void unbox_rare(Cell* x, PyObject* o, Binding records, Frame frame) noexcept:
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
            if not set_time_of(x, TAG_TIMESTAMP if form == TIMESTAMP_TYPE else TAG_DURATION, value):
                fail(x, ERR_RANGE)
        elif form == CEL_TYPE and PyUnicode_CheckExact(<PyObject*>value.name):
            set_object(x, TAG_TYPE, o)
        elif form == OPTIONAL_TYPE and isinstance(value.present, bool):
            set_object(x, TAG_OPTIONAL, o)
        elif (form == IP_TYPE or form == CIDR_TYPE) and is_address(value):
            set_object(x, TAG_OPAQUE, o)
        elif form == BOOL_KEY_TYPE:
            set_bool(x, value.value is True)
        elif isinstance(value, str):
            set_object(x, TAG_STRING, o)
        elif isinstance(value, float):
            set_double(x, value)
        elif isinstance(value, int) and pact_int(o, &number) == 0:
            set_int(x, number)
        elif records is not None and records.host and is_time(value):
            if frame is not None:
                frame.pin()                     # its time zone may be written in Python
            value = from_host(value)            # a time of Python's: read, and not kept
            if not set_time_of(x, TAG_TIMESTAMP if type(value) is Timestamp else TAG_DURATION, value):
                fail(x, ERR_RANGE)
        else:
            fail(x, ERR_BAD_NUMBER)
    except OverflowError:
        fail(x, ERR_RANGE)
    except BaseException as error:
        failed(x, ERR_BAD_NUMBER, error, frame)


cdef inline bint is_time(object value) noexcept:
    """Whether a value is a datetime or a timedelta, whatever its `__class__` says."""
    cdef PyTypeObject* form = (<PyObject*>value).ob_type
    return PyType_IsSubtype(form, <PyTypeObject*>datetime) or PyType_IsSubtype(form, <PyTypeObject*>timedelta)


cdef void failed(Cell* x, int32_t code, object error, Frame frame) noexcept:
    """Make x the error value for an exception.  What is no Exception, such as the user's interrupt, ends the
    run: its caller raises it."""
    fail(x, code)
    if frame is not None:
        frame.stop(error)


cdef inline object plain_text(PyObject* text):
    """The text itself: of a subclass of str a copy, whose methods are those of str."""
    return <object>text if PyUnicode_CheckExact(text) else PyUnicode_FromObject(<object>text)


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
    if x.tag == TAG_STRING:
        return plain_text(x.v.o)
    return <object>x.v.o


cdef Py_ssize_t weight(object value) noexcept:
    """About how many bytes a value takes that was just made."""
    if isinstance(value, str):
        return 4 * PyUnicode_GET_LENGTH(<PyObject*>value) + 64
    if isinstance(value, bytes):
        return PyBytes_GET_SIZE(value) + 64
    if isinstance(value, list):
        return 64 * PyList_GET_SIZE(value) + 64
    if isinstance(value, dict):
        return 64 * PyDict_Size(value) + 64
    return 64


@cython.final
cdef class Frame:
    """The registers of one run, and the objects it made.  A program keeps a few for reuse; a run
    takes one for itself, so runs in several threads never share registers."""

    cdef Cell* cells
    cdef Py_ssize_t size
    cdef Py_ssize_t fixed              # cells before this one are not cleared: slots and constants
    cdef PyObject** held               # per register: what `pin` keeps of it; behind them room to let go
    cdef PyObject** owned
    cdef Py_ssize_t owned_count
    cdef Py_ssize_t owned_size
    cdef Py_ssize_t allocated          # bytes
    cdef bint limited                  # something was refused because a bound was reached
    cdef int64_t steps
    cdef int64_t keys                  # characters of long keys looked up
    cdef Binding binding
    cdef uint64_t* violated            # three masks of `words` words each, in one block
    cdef uint64_t* unknown
    cdef uint64_t* skipped
    cdef uint8_t* atoms
    cdef uint8_t* groups
    cdef Cell result                   # of an expression
    cdef bint outside
    cdef bint doubtful                 # nothing can be said of the whole call
    cdef bint loaded                   # all slots are loaded
    cdef bint pinned                   # and held already
    cdef bint holds_some               # `held` is not empty
    cdef object stopped                # what ended the run: no error value, but an interrupt
    cdef bint shared                   # the record belongs to the caller, who may change it meanwhile
    # Of a record that is read from JSON:
    cdef Py_ssize_t source_size        # bytes of the record
    cdef uint8_t* scratch              # texts without their escapes
    cdef Py_ssize_t scratch_size
    cdef Py_ssize_t scratch_used       # SPAN cells point to what is before it
    cdef int depth                     # of lists of records that are being read
    cdef bint wants_id
    cdef object ident                  # the call's id, if it is wanted
    cdef Cell moment                   # the call's time
    cdef bint used                     # generic code has run, and temporaries are to be cleared
    cdef int32_t* known                # of the fast form: the numbers of this call's texts
    cdef int32_t* todo                 # and the clauses that it leaves to the generic code
    cdef int todo_count

    def __cinit__(self, Py_ssize_t size, Py_ssize_t fixed, Py_ssize_t words, Py_ssize_t atoms, Py_ssize_t groups):
        self.size = size
        self.fixed = fixed
        self.cells = <Cell*>PyMem_Malloc((size + 1) * sizeof(Cell))
        self.held = <PyObject**>PyMem_Malloc((2 * size + 1) * sizeof(PyObject*))
        self.violated = <uint64_t*>PyMem_Malloc(3 * words * sizeof(uint64_t))
        self.atoms = <uint8_t*>PyMem_Malloc(atoms + groups + 1)
        if self.cells == NULL or self.held == NULL or self.violated == NULL or self.atoms == NULL:
            raise MemoryError()
        memset(self.held, 0, (2 * size + 1) * sizeof(PyObject*))
        memset(self.cells, 0, (size + 1) * sizeof(Cell))
        self.unknown = self.violated + words
        self.skipped = self.unknown + words
        self.groups = self.atoms + atoms

    def __dealloc__(self):
        self.drop_owned()
        PyMem_Free(self.cells)
        PyMem_Free(self.held)
        PyMem_Free(self.owned)
        PyMem_Free(self.violated)
        PyMem_Free(self.atoms)
        PyMem_Free(self.scratch)
        PyMem_Free(self.known)

    cdef bint reserve(self, Py_ssize_t size) noexcept:
        """Have room in `scratch`; what SPAN cells point to must not move, so all room is asked for at once."""
        cdef uint8_t* grown
        if self.scratch_size < size:
            grown = <uint8_t*>PyMem_Realloc(self.scratch, size + 4096)
            if grown == NULL:
                return False
            self.scratch = grown
            self.scratch_size = size + 4096
        return True

    cdef void drop_source(self) noexcept:
        """Forget the record's bytes, and much room."""
        self.scratch_used = 0
        if self.scratch_size > MAX_SCRATCH:
            PyMem_Free(self.scratch)
            self.scratch = NULL
            self.scratch_size = 0

    cdef int extend(self, Py_ssize_t cells, Py_ssize_t known, Py_ssize_t todo) except -1:
        """Make room for a fast form: cells behind the registers, numbers and clauses."""
        cdef Cell* grown = <Cell*>PyMem_Realloc(self.cells, (self.size + cells + 1) * sizeof(Cell))
        if grown == NULL:
            raise MemoryError()
        self.cells = grown
        memset(self.cells + self.size, 0, (cells + 1) * sizeof(Cell))
        self.known = <int32_t*>PyMem_Malloc((known + todo + 1) * sizeof(int32_t))
        if self.known == NULL:
            raise MemoryError()
        self.todo = self.known + known
        return 0

    cdef void drop_owned(self) noexcept:
        cdef Py_ssize_t i
        cdef PyObject* kept
        for i in range(self.owned_count):
            Py_DECREF(<object>self.owned[i])
        self.owned_count = 0
        if self.holds_some:
            self.holds_some = False
            for i in range(self.size):
                kept = self.held[i]
                self.held[i] = NULL
                if kept != NULL:
                    Py_DECREF(<object>kept)

    cdef void stop(self, object error) noexcept:
        """Take note of an exception in Python code; all but an Exception ends the run."""
        if not isinstance(error, Exception):
            self.stopped = error
            self.steps = -1

    cdef int own(self, object value, Py_ssize_t size) noexcept:
        """Keep a value that this run made, of about `size` bytes; -1 when it has made too much."""
        return -1 if self.charge(size) < 0 else self.keep(value)

    cdef int charge(self, Py_ssize_t size) noexcept:
        """Charge bytes of a value that this run made or is about to make; -1 when that is too much."""
        self.allocated += size
        if self.allocated <= MAX_ALLOCATION:
            return 0
        self.limited = True
        return -1

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
            unbox(x, <PyObject*>value, self.binding, self)

    cdef void pin(self) noexcept:
        """Hold what the registers borrow: Python code is about to run, and another thread with it, that
        could take it out of the caller's record.  What only an earlier pin held is let go."""
        cdef Py_ssize_t first = self.fixed if self.pinned else 0
        cdef Py_ssize_t i
        cdef PyObject* value
        cdef PyObject** old = self.held + self.size
        cdef uint32_t tag
        cdef bint changed = False
        if not self.shared:
            return
        self.steps -= (self.size - first) >> 6      # a program may have very many registers
        for i in range(first, self.size):
            tag = self.cells[i].tag
            value = self.cells[i].v.o if tag == TAG_STRING or tag == TAG_BYTES or tag >= TAG_LIST else NULL
            if value != self.held[i]:
                old[i] = self.held[i]
                self.held[i] = value
                if value != NULL:
                    Py_INCREF(<object>value)
                changed = True
        self.pinned = self.loaded
        if changed:                                 # now all is held: letting go may run Python code
            self.holds_some = True
            for i in range(first, self.size):
                value = old[i]
                old[i] = NULL
                if value != NULL:
                    Py_DECREF(<object>value)

    cdef inline bint asks(self, PyObject* key) noexcept:
        """Count a text that is looked up in a map, where it may be compared with an equal one; false when
        there were too many.  It is no step: only a call made to hurt looks up gigabytes of keys."""
        cdef Py_ssize_t length
        if not PyUnicode_Check(key):
            return True
        length = PyUnicode_GET_LENGTH(key)
        if length > LONG_KEY:
            self.keys += length
            if self.keys > MAX_KEYS:
                self.steps = -1
                self.limited = True
                return False
        return True

    cdef inline bint spend(self, int64_t steps) noexcept:
        """Charge work inside one instruction; false when the call has used up its steps."""
        self.steps -= steps
        if self.steps < 0:
            self.limited = True
        return self.steps >= 0
