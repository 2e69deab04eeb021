# Records: the slots of a msgspec Struct become cells.
#
# Owns:  Binding owns the offsets of one family of struct classes: those that `records.Reader` made,
#        or a user's own whose fields have the same form.
# Needs: value.pxi.        Gives: Binding, load_field().
# Offsets are read from the classes' member descriptors, never computed: msgspec orders fields by name.
# Every load looks at the object's type, so a wrong object in a slot is refused and never misread.

cdef extern from *:
    """
    #include <structmember.h>
    static Py_ssize_t pact_offset(PyObject *descriptor) {
        if (!Py_IS_TYPE(descriptor, &PyMemberDescr_Type)) return -1;
        PyMemberDef *d = ((PyMemberDescrObject *)descriptor)->d_member;
        return d->type == T_OBJECT_EX ? d->offset : -1;
    }
    """
    Py_ssize_t pact_offset(PyObject* descriptor) noexcept

cdef struct FieldSlot:
    Py_ssize_t offset       # in bytes from the struct's start; -1: the class has no such field, read as null
    int32_t kind
    int32_t layout          # of a record, or of a list's records; -1: none
    PyObject* convert       # borrowed from Binding.kept; NULL: none
    Cell default            # borrowed from Binding.kept
    PyObject* choices       # an enum's values as a frozenset, borrowed from Binding.kept; NULL: any
    bint nullable
    bint has_default

cdef struct Layout:
    FieldSlot* fields
    int count
    PyObject* type          # the exact class of its structs
    bint checks             # some field's value may be refused, although decoding let it pass
    PactLoad* loads         # of all fields, by kind


cdef class Binding:
    """Where the fields of a schema's records lie in one family of struct classes.

    layouts: per record (struct class, [(attribute, kind, nullable, default, layout, convert, choices)]).
    An attribute None means that the class lacks the field: it reads as null or its default.
    trusted: the structs were made by decoding, so that a text is a text; otherwise everything is
    looked at.
    """

    cdef Layout* layouts
    cdef int count
    cdef bint trusted
    cdef public bint host               # values are Python's own: a NaN and a datetime are welcome
    cdef list kept
    cdef RowField* row                  # the slots of the machine that uses this binding
    cdef PactLoad* loads                # the same for those that are plain, by kind
    cdef int32_t* rest                  # the other slots
    cdef int rest_count
    cdef readonly object root           # the struct class of the pact's record
    cdef readonly int root_layout

    def __cinit__(self, list layouts, int root, bint trusted):
        cdef int i, j, k
        if not 0 <= root < len(layouts):
            raise ValueError("no such record")
        self.root_layout = root
        self.root = layouts[root][0]
        self.count = len(layouts)
        self.layouts = <Layout*>PyMem_Malloc((self.count + 1) * sizeof(Layout))
        if self.layouts == NULL:
            raise MemoryError()
        memset(self.layouts, 0, (self.count + 1) * sizeof(Layout))
        self.kept = [layouts]
        self.trusted = trusted
        for i, (struct, fields) in enumerate(layouts):
            self.layouts[i].count = len(fields)
            self.layouts[i].type = <PyObject*>struct
            self.layouts[i].fields = <FieldSlot*>PyMem_Malloc((len(fields) + 1) * sizeof(FieldSlot))
            if self.layouts[i].fields == NULL:
                raise MemoryError()
            for j, field in enumerate(fields):
                self.bind(&self.layouts[i].fields[j], struct, field)
                self.layouts[i].checks |= may_refuse(self.layouts[i].fields[j].kind)
            self.layouts[i].loads = <PactLoad*>allocate((len(fields) + 1) * sizeof(PactLoad))
        for i in range(self.count):
            for j in range(self.layouts[i].count):
                self.check_default(&self.layouts[i].fields[j])
        for i in range(self.count):
            for j in range(self.layouts[i].count):
                self.set_load(&self.layouts[i].loads[j], &self.layouts[i].fields[j], j)
                if self.layouts[i].loads[j].kind == LOAD_RECORDS:      # one level is looked at in place
                    self.layouts[i].loads[j].kind = LOAD_STOP
            sort_loads(self.layouts[i].loads, self.layouts[i].count)
        for i in range(self.count):     # a list of records that are checked is checked itself
            for k in range(self.count):
                for j in range(self.layouts[k].count):
                    if self.layouts[k].fields[j].layout >= 0:
                        self.layouts[k].checks |= self.layouts[self.layouts[k].fields[j].layout].checks

    cdef bind(self, FieldSlot* slot, object struct, tuple field):
        attribute, kind, nullable, default, layout, convert, choices = field
        slot.offset = -1
        slot.kind = kind
        slot.nullable = nullable
        slot.layout = layout if -1 <= layout < self.count else -1
        slot.has_default = default is not None
        slot.convert = NULL
        self.kept.append((default, convert, choices))
        slot.choices = <PyObject*>choices if choices is not None else NULL
        if convert is not None:
            slot.convert = <PyObject*>convert
        unbox(&slot.default, <PyObject*>default, None, None)
        if slot.default.tag == TAG_ERROR and slot.layout >= 0:      # an empty nested record
            set_object(&slot.default, TAG_RECORD, <PyObject*>default)
            slot.default.aux = slot.layout
        if attribute is not None:
            descriptor = getattr(struct, attribute)
            slot.offset = pact_offset(<PyObject*>descriptor)
            if slot.offset < 0:
                raise TypeError(f"{struct.__name__}.{attribute} is no plain struct field")

    cdef check_default(self, FieldSlot* slot):
        """A record that stands for an absent one must be of the class whose offsets are used."""
        cdef PyObject* form
        if slot.has_default and slot.default.tag == TAG_RECORD:
            form = <PyObject*>slot.default.v.o.ob_type
            if self.layouts[slot.layout].type != form:
                slot.has_default = False

    cdef take_row(self, const RowSlot* slots, int count):
        """Prepare the row of slots that load_record reads."""
        cdef int i
        cdef int plain = 0
        cdef RowField* row
        if self.row != NULL:
            raise ValueError("a binding serves one machine")
        self.row = <RowField*>allocate(count * sizeof(RowField))
        self.loads = <PactLoad*>allocate((count + 1) * sizeof(PactLoad))
        self.rest = <int32_t*>allocate(count * sizeof(int32_t))
        for i in range(count):
            row = &self.row[i]
            row.base = slots[i].base
            row.below = row.base >= 0
            row.layout = slots[i].layout
            row.kind = ROW_RECORD
            if slots[i].field >= 0:
                row.slot = &self.layouts[slots[i].layout].fields[slots[i].field]
                row.offset = <int32_t>row.slot.offset
                row.is_null = row.slot.nullable and not row.slot.has_default
                row.kind = ROW_OTHER if row.below else row_kind(row.slot, self.trusted)
            row.quiet = slots[i].field < 0 or self.is_quiet(row.slot)
            self.loads[plain].kind = LOAD_STOP
            if slots[i].field >= 0 and not row.below:
                self.set_load(&self.loads[plain], row.slot, i)
            if self.loads[plain].kind == LOAD_STOP:
                self.rest[self.rest_count] = i
                self.rest_count += 1
            else:
                plain += 1
        self.loads[plain].kind = LOAD_END
        sort_loads(self.loads, plain)

    cdef void set_load(self, PactLoad* load, const FieldSlot* slot, int cell) noexcept:
        """How pact_load reads a field; it stops at one that is not plain."""
        load.kind = LOAD_STOP
        load.cell = cell * sizeof(Cell)
        load.offset = slot.offset
        load.is_null = slot.nullable and not slot.has_default
        if slot.offset < 0 or slot.convert != NULL:
            return
        if slot.kind == KIND_DOUBLE:
            load.kind = LOAD_DOUBLE
        elif slot.kind == KIND_INT:
            load.kind = LOAD_INT
        elif slot.kind == KIND_BOOL:
            load.kind = LOAD_BOOL
        elif slot.kind == KIND_STRING and (self.trusted or slot.choices == NULL):
            load.kind = LOAD_TEXT if self.trusted else LOAD_TEXT_CHECKED
        elif slot.kind == KIND_LIST and (
            slot.layout < 0 or (self.trusted and not self.layouts[slot.layout].checks)
        ):
            load.kind = LOAD_LIST
        elif slot.kind == KIND_LIST and self.layouts[slot.layout].count <= PACT_MANY:
            load.kind = LOAD_RECORDS
            load.loads = self.layouts[slot.layout].loads
            load.type = self.layouts[slot.layout].type

    cdef bint is_quiet(self, const FieldSlot* slot) noexcept:
        """Whether load_field runs no Python code on this field, nor lets another thread run."""
        if slot.kind == KIND_BOOL or slot.kind == KIND_INT or slot.kind == KIND_DOUBLE:
            return True
        if slot.kind == KIND_LIST or slot.kind == KIND_RECORD:
            return slot.convert == NULL and (slot.layout < 0 or self.all_quiet(slot.layout))
        return slot.kind == KIND_STRING and slot.choices == NULL

    cdef bint all_quiet(self, int layout) noexcept:
        """The same of all fields of a record, which are looked at where the record is a user's."""
        cdef int i
        cdef FieldSlot* slot
        if self.trusted and not self.layouts[layout].checks:
            return True
        for i in range(self.layouts[layout].count):
            slot = &self.layouts[layout].fields[i]
            if slot.layout >= 0 or not self.is_quiet(slot):
                return False
        return True

    def __dealloc__(self):
        cdef int i
        PyMem_Free(self.row)
        PyMem_Free(self.loads)
        PyMem_Free(self.rest)
        if self.layouts != NULL:
            for i in range(self.count):
                PyMem_Free(self.layouts[i].fields)
                PyMem_Free(self.layouts[i].loads)
            PyMem_Free(self.layouts)


cdef void sort_loads(PactLoad* loads, int count) noexcept:
    """Those of a kind one behind the other."""
    cdef int i, j
    cdef PactLoad load
    for i in range(1, count):
        load = loads[i]
        j = i
        while j > 0 and loads[j - 1].kind > load.kind:
            loads[j] = loads[j - 1]
            j -= 1
        loads[j] = load

cdef bint may_refuse(int kind) noexcept:
    return KIND_TIMESTAMP <= kind <= KIND_DURATION_NS or kind == KIND_CONVERT or kind == KIND_UINT


cdef bint load_time(Cell* x, PyObject* o, int kind, Frame frame) noexcept:
    """A timestamp or duration from text, or from a number in the kind's unit; to microseconds, half up."""
    cdef bint is_time = kind <= KIND_TIMESTAMP_NS
    cdef uint32_t tag = TAG_TIMESTAMP if is_time else TAG_DURATION
    cdef int64_t micros, seconds
    cdef long long number
    cdef object parsed
    if unit_of(kind) == 0:
        try:
            if not PyUnicode_Check(o):
                return False
            parsed = <object>o          # held: pinning may run Python code
            frame.pin()
            parsed = parse_timestamp(parsed) if is_time else parse_duration(parsed)
            seconds = parsed.seconds
            micros = (<int64_t>parsed.nanos + 500) / 1000
        except BaseException as error:
            frame.stop(error)
            return False
        set_time(x, tag, seconds, micros * 1000)
        return x.tag != TAG_ERROR
    if PyFloat_CheckExact(<object>o):
        return time_of_double(x, PyFloat_AS_DOUBLE(<object>o), kind)
    return PyLong_CheckExact(<object>o) and pact_int(o, &number) == 0 and time_of_int(x, number, kind)

cdef inline int64_t micros_in(int unit) noexcept:
    return 1_000_000 if unit == 1 else 1000 if unit == 2 else 1

cdef inline int unit_of(int kind) noexcept:
    """0 text, 1 s, 2 ms, 3 us, 4 ns."""
    return kind - (KIND_TIMESTAMP if kind <= KIND_TIMESTAMP_NS else KIND_DURATION)

cdef bint time_of_double(Cell* x, double value, int kind) noexcept:
    """A time from a number in the kind's unit; false where it is out of range."""
    cdef int unit = unit_of(kind)
    value = floor((value / 1e3 if unit == 4 else value * micros_in(unit)) + 0.5)
    return -9.2e18 < value < 9.2e18 and time_of_micros(x, <int64_t>value, kind)

cdef bint time_of_int(Cell* x, int64_t number, int kind) noexcept:
    cdef int unit = unit_of(kind)
    cdef int64_t micros
    if unit == 4:
        micros = number / 1000
        number = number % 1000
        if number < 0:
            number += 1000
            micros -= 1
        micros += number >= 500
    elif __builtin_mul_overflow(number, micros_in(unit), &micros):
        return False
    return time_of_micros(x, micros, kind)

cdef bint time_of_micros(Cell* x, int64_t micros, int kind) noexcept:
    cdef int64_t seconds = micros / 1_000_000
    cdef uint32_t tag = TAG_TIMESTAMP if kind <= KIND_TIMESTAMP_NS else TAG_DURATION
    set_time(x, tag, seconds, micros % 1_000_000 * 1000)
    return x.tag != TAG_ERROR


cdef bint load_double(Cell* x, PyObject* o) noexcept:
    if PyFloat_CheckExact(<object>o):
        set_double(x, PyFloat_AS_DOUBLE(<object>o))
        return isfinite(x.v.d)
    if PyLong_CheckExact(<object>o):
        try:
            set_double(x, float(<object>o))
            return True
        except OverflowError:
            return False
    return False

cdef bint load_int(Cell* x, PyObject* o, int kind) noexcept:
    cdef long long number
    if not PyLong_CheckExact(<object>o):
        if kind != KIND_UINT or not isinstance(<object>o, UInt):
            return False
    try:
        if kind == KIND_UINT:
            set_uint(x, PyLong_AsUnsignedLongLong(<object>o))
            return True
        if pact_int(o, &number):
            return False
        set_int(x, number)
        return True
    except Exception:
        return False

cdef bint is_record(PyObject* o, int number, Frame frame) noexcept:
    """Whether an object is a record of this layout; where that is not sure, every field is looked at."""
    cdef Layout* layout = &frame.binding.layouts[number]
    cdef object held = <object>o        # reading a time runs Python code
    cdef Cell scratch
    cdef Cell cells[PACT_MANY]
    cdef int i
    if <PyObject*>o.ob_type != layout.type:
        return False
    if frame.binding.trusted and not layout.checks:
        return True
    if layout.count <= PACT_MANY and pact_load(layout.loads, o, <PactCell*>cells):
        return True
    for i in range(layout.count):
        if not (
            load_plain(&scratch, o, &layout.fields[i], False)
            or load_field(&scratch, o, &layout.fields[i], frame)
        ):
            return False
    return True

cdef bint load_list(Cell* x, PyObject* o, FieldSlot* slot, Frame frame) noexcept:
    """A list, and its records."""
    cdef Py_ssize_t i
    cdef object held = <object>o        # reading a time runs Python code
    if not PyList_Check(held):
        return False
    set_object(x, TAG_LIST, o)
    if slot.layout < 0 or (frame.binding.trusted and not frame.binding.layouts[slot.layout].checks):
        return True
    for i in range(list_size(o)):
        if i >= list_size(o) or not is_record(list_item(o, i), slot.layout, frame):
            return False
    return True

cdef bint load_converted(Cell* x, PyObject* o, FieldSlot* slot, Frame frame) noexcept:
    cdef object held = <object>o
    frame.pin()
    try:
        if frame.allocated > MAX_ALLOCATION:
            return False
        frame.give_value(x, (<object>slot.convert)(held))
        if PyList_Check(held) or PyDict_Check(held):
            frame.allocated += weight(held)             # a converted element and its place
        return x.tag != TAG_ERROR
    except BaseException as error:
        frame.stop(error)
        return False


cdef bint is_choice(PyObject* o, const FieldSlot* slot) noexcept:
    """Whether a text is one of an enum's values."""
    try:
        return slot.choices == NULL or <object>o in <frozenset>slot.choices
    except Exception:
        return False

cdef bint is_plain(PyObject* o, int depth) noexcept:
    """Whether a user's value is what JSON could have given: no other types, no lone surrogates."""
    cdef object key, value
    cdef long long number
    if o == Py_None or o == Py_True or o == Py_False:
        return True
    if PyUnicode_CheckExact(o):
        return pact_is_text(o)
    if PyLong_CheckExact(<object>o) or PyFloat_CheckExact(<object>o):
        return True
    if depth > MAX_NESTING:
        return False
    try:
        if type(<object>o) is list:
            for value in <list>o:
                if not is_plain(<PyObject*>value, depth + 1):
                    return False
            return True
        if type(<object>o) is dict:
            for key, value in (<dict>o).items():
                if type(key) is not str or not pact_is_text(<PyObject*>key) or not is_plain(<PyObject*>value, depth + 1):
                    return False
            return True
    except Exception:               # it changed meanwhile
        pass
    return False


cdef bint load_field(Cell* x, PyObject* record, FieldSlot* slot, Frame frame) noexcept:
    """Read one field of a struct; false if the object in it is not what its kind says."""
    cdef PyObject* o = NULL
    if slot.offset >= 0:
        o = (<PyObject**>(<char*>record + slot.offset))[0]
    return load_value(x, o, slot, frame)

cdef bint load_value(Cell* x, PyObject* o, FieldSlot* slot, Frame frame) noexcept:
    """Read what a field holds; NULL stands for nothing."""
    cdef int kind = slot.kind
    if o == NULL or o == Py_None:
        x.tag = TAG_NULL
        x.aux = 0
        if slot.has_default:
            x[0] = slot.default
            return True
        return slot.nullable or kind == KIND_DYN
    if kind == KIND_STRING:
        set_object(x, TAG_STRING, o)
        return frame.binding.trusted or (pact_is_text(o) and is_choice(o, slot))
    if kind == KIND_DOUBLE:
        return load_double(x, o)
    if kind == KIND_INT or kind == KIND_UINT:
        return load_int(x, o, kind)
    if kind == KIND_BOOL:
        set_bool(x, o == Py_True)
        return o == Py_True or o == Py_False
    if KIND_TIMESTAMP <= kind <= KIND_DURATION_NS:
        return load_time(x, o, kind, frame) or (slot.convert != NULL and load_converted(x, o, slot, frame))
    if slot.convert != NULL:
        return load_converted(x, o, slot, frame)
    if kind == KIND_DYN:
        unbox(x, o, None, frame)   # dyn data holds no records
        return frame.binding.trusted or is_plain(o, 0)
    if kind == KIND_LIST:
        return load_list(x, o, slot, frame)
    if kind == KIND_MAP:
        set_object(x, TAG_MAP, o)
        return PyDict_Check(<object>o) and (frame.binding.trusted or is_plain(o, 0))
    if kind == KIND_RECORD and slot.layout >= 0:
        set_object(x, TAG_RECORD, o)
        x.aux = slot.layout
        return is_record(o, slot.layout, frame)
    if kind == KIND_BYTES:
        set_object(x, TAG_BYTES, o)
        return PyBytes_CheckExact(<object>o)
    return False

cdef inline bint load_plain(Cell* x, PyObject* record, const FieldSlot* slot, bint trusted) noexcept:
    """Read a field of a plain kind in place; false where load_field must look."""
    cdef PyObject* o
    cdef long long number
    if slot.offset < 0:
        return False
    o = (<PyObject**>(<char*>record + slot.offset))[0]
    if o == NULL or o == Py_None:
        return False
    if slot.kind == KIND_STRING:
        if trusted or (slot.choices == NULL and pact_is_text(o)):
            set_object(x, TAG_STRING, o)
            return True
    elif slot.kind == KIND_DOUBLE:
        if PyFloat_CheckExact(<object>o):
            set_double(x, PyFloat_AS_DOUBLE(<object>o))
            return isfinite(x.v.d)
    elif slot.kind == KIND_INT:
        if PyLong_CheckExact(<object>o) and pact_int(o, &number) == 0:
            set_int(x, number)
            return True
    elif slot.kind == KIND_BOOL:
        if o == Py_True or o == Py_False:
            set_bool(x, o == Py_True)
            return True
    return False
