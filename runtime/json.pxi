# JSON: the bytes of one object become cells, with no Python object for what C can hold.
#
# Owns:  JsonReader owns its plans, the tables of keys and a store of short texts.  What it makes for one
#        record (texts, lists, maps) the frame keeps; a SPAN cell borrows from the record's bytes.
# Needs: json.h, value.pxi, record.pxi.        Gives: JsonReader.
# It is a fast path and strict: what is unusual makes it give up, NULL, and then the reader in Python
# decides and words the error.  So it may take only what that one takes, with the same values.

cdef extern from "json.h":
    enum:
        PACT_ESCAPED, PACT_HIGH, PACT_LONE, PACT_BAD, PACT_DONE, PACT_MORE, PACT_VALUE
    ctypedef struct pact_number:
        uint64_t digits
        int32_t exponent
        uint8_t negative
        uint8_t whole
        uint8_t exact
    ctypedef struct pact_passing:
        const uint8_t* at
        uint64_t objects
        int depth
        int state
    void pact_look_at_processor() noexcept nogil
    int pact_string(const uint8_t** at, const uint8_t* end, const uint8_t* limit, uint32_t* seen) noexcept nogil
    int pact_pass(pact_passing* s, const uint8_t* end, const uint8_t* limit) noexcept nogil
    const uint8_t* pact_blanks(const uint8_t* p, const uint8_t* end) noexcept nogil
    const uint8_t* pact_scalar(const uint8_t* p, const uint8_t* end) noexcept nogil
    const uint8_t* pact_read_number(const uint8_t* p, const uint8_t* end, pact_number* x) noexcept nogil
    bint pact_int64(const pact_number* x, int64_t* out) noexcept nogil
    bint pact_double(const pact_number* x, double* out) noexcept nogil
    bint pact_moment(const uint8_t* p, Py_ssize_t size, int64_t* seconds, int64_t* nanos) noexcept nogil
    bint pact_utf8(const uint8_t* p, const uint8_t* end) noexcept nogil
    Py_ssize_t pact_unescape(const uint8_t* p, Py_ssize_t size, uint8_t* out) noexcept nogil
    Py_ssize_t pact_characters(const uint8_t* p, Py_ssize_t size) noexcept nogil
    uint32_t pact_hash(const uint8_t* p, Py_ssize_t size, uint64_t seed) noexcept nogil

cdef extern from "Python.h":
    double PyOS_string_to_double(const char* text, char** end, PyObject* overflow) except? -1.0
    object PyUnicode_New(Py_ssize_t size, uint32_t highest)
    void* text_bytes "PyUnicode_DATA" (object text) noexcept
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL
    object PyBytes_FromStringAndSize(const char* data, Py_ssize_t size)
    object PyObject_CallOneArg(object function, object argument)
    object PyType_GenericAlloc(PyTypeObject* form, Py_ssize_t items)

cdef enum:
    MAX_FIELDS = 256            # of one record; a record with more has no fast path
    MAX_LISTS = 16              # lists of records within each other's records
    MAX_PROBES = 16             # places of a table that a key is looked for in
    KEYS_KEPT = 48              # the order of the keys in the last record
    KEY_SIZE = 44               # bytes of a key that is kept, with its closing quote
    SEEN_WORDS = 4              # MAX_FIELDS bits
    SHORT_TEXTS = 256
    SHORT_TEXT = 32             # bytes
    STRETCH = 65_536            # bytes that are read before other threads may run
    HUGE = 1_048_576            # bytes of a record from which on they may
    LONGEST_NUMBER = 64         # bytes, with the zero at the end
    LONGEST_SPAN = 0x3FFFFFFF   # bytes of a text that stays where it is
    UNREAD = -1                 # the key of no field
    ROLE_ID = 1                 # see Act in opcodes.py for how fields are read
    ROLE_TIME = 2
    SPAN_ESCAPED = 0x40000000   # in the aux of a SPAN, beside its bytes

cdef struct JsonField:
    const uint8_t* key
    Py_ssize_t size
    int32_t act
    int32_t slot                # the register; -1: it is only checked
    int32_t inner               # the plan of a record whose fields are read in place
    int32_t role
    bint optional
    FieldSlot* field            # borrowed from the binding
    Cell absent
    bint may_be_absent
    PyObject* decode            # decodes the value's bytes; borrowed from JsonReader.kept
    PyObject* choices           # a frozenset, borrowed from the same
    int64_t low                 # of a time in a unit
    int64_t high
    int32_t* below              # slots that stand on the record in this one, in order
    int32_t below_count

cdef struct KnownKey:
    int32_t field               # UNREAD: of no field
    uint8_t size                # with the closing quote; 0: none is kept
    uint8_t text[KEY_SIZE]

cdef struct JsonPlan:
    JsonField* fields
    int count                   # those behind `wanted` only make the reader give up
    int wanted
    int16_t* table              # numbers of fields plus 1, by the hash of their keys
    uint32_t mask
    uint64_t seed
    KnownKey* order             # KEYS_KEPT

cdef struct ShortText:
    PyObject* text              # owned
    uint8_t size
    bint stays                  # a text of the program
    uint8_t data[SHORT_TEXT]

pact_look_at_processor()


@cython.final
cdef class JsonReader:
    """Reads records of one schema from JSON, for one machine.

    plans: per object (fields, refused); a field is (key, act, slot, optional, layout, number, inner,
    decode, choices, low, high, below, role), see `pactlang.records.plan`; refused: (key, only objects)
    of keys under which a field may stand that is not read here.  The first plan is the record's.
    """

    cdef JsonPlan* plans
    cdef int count
    cdef ShortText* texts
    cdef list kept
    cdef Binding binding
    cdef readonly bint knows_id         # a field has the role of the id
    cdef readonly bint knows_time

    def __cinit__(self, list plans, Binding binding, list texts, int slots):
        cdef int i
        self.binding = binding
        self.kept = [plans]
        self.plans = <JsonPlan*>allocate(len(plans) * sizeof(JsonPlan))
        self.count = len(plans)
        self.texts = <ShortText*>allocate(SHORT_TEXTS * sizeof(ShortText))
        for i, (fields, refused) in enumerate(plans):
            self.take_plan(&self.plans[i], fields, refused, slots)
        for text in texts:
            self.stay(text)

    def __dealloc__(self):
        cdef int i, j
        if self.plans != NULL:
            for i in range(self.count):
                if self.plans[i].fields != NULL:
                    for j in range(self.plans[i].count):
                        PyMem_Free(self.plans[i].fields[j].below)
                PyMem_Free(self.plans[i].fields)
                PyMem_Free(self.plans[i].table)
                PyMem_Free(self.plans[i].order)
            PyMem_Free(self.plans)
        if self.texts != NULL:
            for i in range(SHORT_TEXTS):
                if self.texts[i].text != NULL:
                    Py_DECREF(<object>self.texts[i].text)
            PyMem_Free(self.texts)

    # Preparation

    cdef take_plan(self, JsonPlan* plan, list fields, list refused, int slots):
        cdef int i
        cdef JsonField* field
        if len(fields) + len(refused) > MAX_FIELDS:
            raise ValueError("too many fields")
        plan.fields = <JsonField*>allocate((len(fields) + len(refused)) * sizeof(JsonField))
        plan.order = <KnownKey*>allocate(KEYS_KEPT * sizeof(KnownKey))
        plan.wanted = len(fields)
        plan.count = len(fields) + len(refused)
        for i, parts in enumerate(fields):
            self.take_field(&plan.fields[i], parts, slots)
        for i, (key, only_objects) in enumerate(refused, len(fields)):
            field = &plan.fields[i]
            self.take_key(field, key)
            field.slot = -1
            field.act = ACT_REFUSE_OBJECT if only_objects else ACT_REFUSE
        self.take_table(plan)

    cdef take_key(self, JsonField* field, bytes key):
        self.kept.append(key)
        field.key = <const uint8_t*>PyBytes_AS_STRING(key)
        field.size = len(key)

    cdef take_field(self, JsonField* field, tuple parts, int slots):
        cdef int i
        key, act, slot, optional, layout, number, inner, decode, choices, low, high, below, role = parts
        self.take_key(field, key)
        if not (-1 <= slot < slots and 0 <= layout < self.binding.count and -1 <= inner < self.count):
            raise ValueError("no such register")
        if not 0 <= number < self.binding.layouts[<int>layout].count or (act in (ACT_RECORD, ACT_LIST) and inner < 0):
            raise ValueError("no such field")
        if act == ACT_LIST and self.binding.layouts[<int>layout].fields[<int>number].layout < 0:
            raise ValueError("a list of no records")
        field.act, field.slot, field.optional, field.inner, field.role = act, slot, optional, inner, role
        field.field = &self.binding.layouts[<int>layout].fields[<int>number]
        field.decode, field.choices = <PyObject*>decode, <PyObject*>choices
        field.low, field.high = low, high
        field.absent.tag = TAG_NULL
        if field.field.has_default:
            field.absent = field.field.default
        field.may_be_absent = optional and (
            field.field.has_default or field.field.nullable or field.field.kind == KIND_DYN
        )
        field.below = <int32_t*>allocate(len(below) * sizeof(int32_t))
        for i in range(len(below)):
            if not 0 <= below[i] < slots:
                raise ValueError("no such register")
            field.below[i] = below[i]
        field.below_count = len(below)
        self.knows_id |= role == ROLE_ID
        self.knows_time |= role == ROLE_TIME

    cdef take_table(self, JsonPlan* plan):
        """A table in which no key is far from its place; ValueError where none of some seeds gives one."""
        cdef uint32_t size = 8
        while size < <uint32_t>(4 * plan.count):
            size *= 2
        plan.mask = size - 1
        plan.table = <int16_t*>allocate((size + MAX_PROBES) * sizeof(int16_t))
        for plan.seed in range(64):
            if self.fill_table(plan):
                return
        raise ValueError("keys that cannot be told apart")

    cdef bint fill_table(self, JsonPlan* plan):
        cdef int i, tries
        cdef uint32_t at
        memset(plan.table, 0, (plan.mask + 1 + MAX_PROBES) * sizeof(int16_t))
        for i in range(plan.count):
            at = pact_hash(plan.fields[i].key, plan.fields[i].size, plan.seed) & plan.mask
            tries = 0
            while plan.table[at]:
                at += 1
                tries += 1
                if tries == MAX_PROBES:
                    return False
            plan.table[at] = i + 1
        return True

    cdef stay(self, str text):
        """Keep a text of the program, so that one in a record is the very same object."""
        cdef Py_ssize_t size
        cdef const uint8_t* data
        cdef ShortText* place
        try:
            data = <const uint8_t*>PyUnicode_AsUTF8AndSize(text, &size)
        except UnicodeError:
            return
        if size > SHORT_TEXT:
            return
        place = &self.texts[pact_hash(data, size, 0) & (SHORT_TEXTS - 1)]
        if place.text == NULL:
            put_short(place, text, data, size)
            place.stays = True

    # Reading

    cdef bint read(self, const uint8_t* p, const uint8_t* end, Frame frame) noexcept:
        """Fill the frame's slots from one object; false where another reader must decide."""
        frame.source_size = end - p
        p = pact_blanks(p, end)
        if p >= end or p[0] != c'{':
            return False
        frame.depth = 0
        p = self.read_object(&self.plans[0], p + 1, end, frame, NULL)
        return p != NULL and pact_blanks(p, end) == end

    cdef const uint8_t* read_object(
        self, JsonPlan* plan, const uint8_t* p, const uint8_t* end, Frame frame, PyObject* record
    ) noexcept:
        """Read an object from behind its brace; what comes behind it, or NULL.

        record: the struct whose attributes are filled; NULL where slots are.
        """
        cdef uint64_t seen[SEEN_WORDS]
        cdef int turn = 0
        cdef int number
        cdef Cell unread
        cdef JsonField* field
        memset(seen, 0, sizeof(seen))
        p = pact_blanks(p, end)
        if p < end and p[0] == c'}':
            return p + 1 if self.fill_absent(plan, seen, frame, record) else NULL
        while p < end and p[0] == c'"':
            p = self.read_key(plan, turn, p + 1, end, &number)
            turn += 1
            if p == NULL:
                return NULL
            p = pact_blanks(p, end)
            if p >= end or p[0] != c':':
                return NULL
            p = pact_blanks(p + 1, end)
            if p >= end:
                return NULL
            if number == UNREAD:
                p = pass_over(p, end)
            elif seen[number >> 6] >> (number & 63) & 1:
                return NULL
            else:
                seen[number >> 6] |= <uint64_t>1 << (number & 63)
                field = &plan.fields[number]
                if record != NULL:
                    p = read_attribute(self, field, record, p, end, frame)
                else:
                    p = self.read_value(
                        &unread if field.slot < 0 else &frame.cells[field.slot], field, p, end, frame
                    )
            if p == NULL:
                return NULL
            p = pact_blanks(p, end)
            if p >= end:
                return NULL
            if p[0] == c'}':
                return p + 1 if self.fill_absent(plan, seen, frame, record) else NULL
            if p[0] != c',':
                return NULL
            p = pact_blanks(p + 1, end)
        return NULL

    cdef inline const uint8_t* read_key(
        self, JsonPlan* plan, int turn, const uint8_t* p, const uint8_t* end, int* number
    ) noexcept:
        """Which field a key is of: most records have their keys in the order of the one before."""
        cdef KnownKey* known = &plan.order[turn]
        if turn < KEYS_KEPT and known.size and end - p >= known.size and same_bytes(p, known.text, known.size):
            number[0] = known.field
            return p + known.size
        return self.find_key(plan, turn, p, end, number)

    cdef const uint8_t* find_key(
        self, JsonPlan* plan, int turn, const uint8_t* p, const uint8_t* end, int* number
    ) noexcept:
        cdef const uint8_t* start = p
        cdef uint32_t seen = 0
        cdef uint32_t at
        cdef Py_ssize_t size
        cdef int found
        cdef KnownKey* known
        p = end_of_string(p, end, &seen)
        if p == NULL or seen & PACT_ESCAPED:
            return NULL
        size = p - start
        at = pact_hash(start, size, plan.seed) & plan.mask
        number[0] = UNREAD
        while plan.table[at]:
            found = plan.table[at] - 1
            if plan.fields[found].size == size and same_bytes(start, plan.fields[found].key, size):
                number[0] = found
                break
            at += 1
        if turn < KEYS_KEPT and size < KEY_SIZE:
            known = &plan.order[turn]
            known.field = number[0]
            known.size = <uint8_t>(size + 1)
            memcpy(known.text, start, size + 1)
        return p + 1

    cdef bint fill_absent(self, JsonPlan* plan, const uint64_t* seen, Frame frame, PyObject* record) noexcept:
        """Give the fields that were not there their null or default."""
        cdef int i
        for i in range(plan.wanted):
            if seen[i >> 6] >> (i & 63) & 1:
                continue
            if record == NULL:
                if not self.be_absent(&plan.fields[i], frame):
                    return False
            elif plan.fields[i].optional:
                put_attribute(record, &plan.fields[i], None)
            else:
                return False
        return True

    cdef bint be_absent(self, JsonField* field, Frame frame) noexcept:
        cdef int i
        if not field.may_be_absent:
            return False
        if field.slot >= 0:
            frame.cells[field.slot] = field.absent
            if field.below_count:
                return self.fill_below(field, frame)
        if field.role == ROLE_TIME:
            frame.moment = field.absent
        elif field.role == ROLE_ID and frame.wants_id and field.absent.tag != TAG_NULL:
            return self.take_id(&field.absent, frame)
        return True

    cdef bint fill_below(self, JsonField* field, Frame frame) noexcept:
        """Load the slots that stand on a record which is an object, or null."""
        cdef int i
        for i in range(field.below_count):
            if not load_slowly(
                &frame.cells[field.below[i]], &self.binding.row[field.below[i]], NULL, frame
            ):
                return False
        return True

    cdef bint take_id(self, const Cell* x, Frame frame) noexcept:
        try:
            frame.ident = box(x)
            return True
        except MemoryError:
            return False

    # Values

    cdef const uint8_t* read_value(
        self, Cell* x, JsonField* field, const uint8_t* p, const uint8_t* end, Frame frame
    ) noexcept:
        """Read a field's value; what comes behind it, or NULL."""
        cdef int act = field.act
        if p[0] == c'n' and (field.optional or act != ACT_DECODE) and act < ACT_REFUSE:
            p = pact_scalar(p, end)
            return p if p != NULL and self.be_absent(field, frame) else NULL
        if act == ACT_TEXT:
            p = self.read_text(x, field, p, end, frame)
        elif act == ACT_SPAN:
            if frame.wants_id and field.role == ROLE_ID:
                p = self.read_text(x, field, p, end, frame)
            else:
                p = read_span(x, p, end)
        elif act == ACT_INT or act == ACT_UINT:
            p = read_int(x, p, end, act == ACT_UINT)
        elif act == ACT_DOUBLE:
            p = read_double(x, p, end)
        elif act == ACT_BOOL:
            set_bool(x, p[0] == c't')
            p = pact_scalar(p, end) if p[0] == c't' or p[0] == c'f' else NULL
        elif act == ACT_RECORD:
            if p[0] != c'{':
                return NULL
            set_object(x, TAG_RECORD, NULL)         # nobody looks into it
            x.aux = field.field.layout
            p = self.read_object(&self.plans[field.inner], p + 1, end, frame, NULL)
        elif act == ACT_MOMENT:
            p = read_moment(x, p, end)
        elif act == ACT_UNIT:
            p = read_unit(x, field, p, end)
        elif act == ACT_LIST or act == ACT_DECODE:
            return self.read_object_of(x, field, p, end, frame)
        elif act == ACT_REFUSE_OBJECT and p[0] != c'{':
            return pass_over(p, end)
        else:
            return NULL
        if field.role and p != NULL:
            if field.role == ROLE_TIME:
                frame.moment = x[0]
            elif frame.wants_id and not self.take_id(x, frame):
                return NULL
        return p

    cdef const uint8_t* read_text(
        self, Cell* x, JsonField* field, const uint8_t* p, const uint8_t* end, Frame frame
    ) noexcept:
        """A text as a str, which the frame keeps."""
        cdef const uint8_t* start
        cdef uint32_t seen = 0
        cdef Py_ssize_t size
        cdef PyObject* text
        if p[0] != c'"':
            return NULL
        start = p + 1
        p = end_of_string(start, end, &seen)
        if p == NULL or seen & PACT_LONE:
            return NULL
        size = p - start
        if seen & PACT_ESCAPED:
            if not frame.reserve(size):
                return NULL
            size = pact_unescape(start, size, frame.scratch)
            start = frame.scratch
            seen |= PACT_HIGH
        try:
            text = self.text_of(start, size, seen & PACT_HIGH, frame)
            if text == NULL or (field.choices != Py_None and <object>text not in <frozenset>field.choices):
                return NULL
        except Exception:                           # what is no UTF-8
            return NULL
        set_object(x, TAG_STRING, text)
        return p + 1

    cdef PyObject* text_of(self, const uint8_t* data, Py_ssize_t size, bint high, Frame frame) except? NULL:
        """The str of some bytes; a short one is mostly there already."""
        cdef ShortText* place = NULL
        cdef object text
        if size <= SHORT_TEXT:
            place = &self.texts[pact_hash(data, size, 0) & (SHORT_TEXTS - 1)]
            if place.text != NULL and place.size == size and same_bytes(place.data, data, size):
                return place.text if place.stays or frame.keep(<object>place.text) == 0 else NULL
        if high:
            text = PyUnicode_DecodeUTF8(<const char*>data, size, NULL)
        else:
            text = PyUnicode_New(size, 127)
            memcpy(text_bytes(text), data, size)
        if frame.keep(text) < 0:
            return NULL
        if place != NULL and not place.stays:
            put_short(place, text, data, size)
        return <PyObject*>text

    cdef const uint8_t* read_object_of(
        self, Cell* x, JsonField* field, const uint8_t* p, const uint8_t* end, Frame frame
    ) noexcept:
        """A value that C cannot hold, as a Python object that the frame keeps."""
        cdef const uint8_t* at = p
        cdef object held
        try:
            if field.act == ACT_LIST:
                held = read_list(self, field, &at, end, frame)
            else:
                held = decoded_by_msgspec(field, &at, end)
            if at == NULL or (
                field.slot >= 0
                and (frame.keep(held) < 0 or not load_value(x, <PyObject*>held, field.field, frame))
            ):
                return NULL
        except BaseException as error:
            frame.stop(error)
            return NULL
        return at if field.slot < 0 or self.fill_below(field, frame) else NULL


cdef extern from *:
    bint same_bytes "pact_same_bytes" (const void* a, const void* b, Py_ssize_t n) noexcept nogil

cdef void put_short(ShortText* place, object text, const uint8_t* data, Py_ssize_t size) noexcept:
    cdef PyObject* before = place.text
    Py_INCREF(text)
    place.text = <PyObject*>text
    place.size = <uint8_t>size
    memcpy(place.data, data, size)
    if before != NULL:
        Py_DECREF(<object>before)
