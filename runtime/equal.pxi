# Equality and order of cells, as CEL has them: numbers by value across types, true is not 1, unlike
# types are unequal but have no order.
#
# Gives: equal() -> 1, 0 or -1 (error), order() -> -1, 0, 1, UNORDERED or NO_ORDER (error), contains().

cdef enum:
    UNORDERED = 2       # a NaN is in it: every comparison is false
    NO_ORDER = 3        # types without a common order: an error value

cdef inline bint is_number(const Cell* x) noexcept:
    return TAG_INT <= x.tag <= TAG_DOUBLE


cdef int order_int_double(int64_t a, double b) noexcept nogil:
    """Compare exactly, also where a double cannot hold the int."""
    cdef int64_t whole
    if isnan(b):
        return UNORDERED
    if b >= 9223372036854775808.0:
        return -1
    if b < -9223372036854775808.0:
        return 1
    whole = <int64_t>floor(b)
    if a != whole:
        return -1 if a < whole else 1
    return -1 if b > <double>whole else 0

cdef int order_uint_double(uint64_t a, double b) noexcept nogil:
    cdef uint64_t whole
    if isnan(b):
        return UNORDERED
    if b >= 18446744073709551616.0:
        return -1
    if b < 0:
        return 1
    whole = <uint64_t>floor(b)
    if a != whole:
        return -1 if a < whole else 1
    return -1 if b > floor(b) else 0

cdef inline int flip(int result) noexcept nogil:
    return -result if -1 <= result <= 1 else result

cdef int order_numbers(const Cell* a, const Cell* b) noexcept nogil:
    if a.tag == b.tag:
        if a.tag == TAG_DOUBLE:
            if a.v.d < b.v.d:
                return -1
            if a.v.d > b.v.d:
                return 1
            return 0 if a.v.d == b.v.d else UNORDERED
        if a.tag == TAG_INT:
            return (a.v.i > b.v.i) - (a.v.i < b.v.i)
        return (<uint64_t>a.v.i > <uint64_t>b.v.i) - (<uint64_t>a.v.i < <uint64_t>b.v.i)
    if a.tag == TAG_DOUBLE:
        return flip(order_numbers(b, a))
    if b.tag == TAG_DOUBLE:
        if a.tag == TAG_INT:
            return order_int_double(a.v.i, b.v.d)
        return order_uint_double(<uint64_t>a.v.i, b.v.d)
    if a.v.i < 0 or b.v.i < 0:          # an int below zero, or a uint beyond every int
        if a.tag == TAG_INT:
            return -1
        return 1
    return (a.v.i > b.v.i) - (a.v.i < b.v.i)


cdef int order_objects(PyObject* a, PyObject* b) noexcept:
    """Two texts, or two bytes."""
    cdef object left = <object>a
    cdef object right = <object>b
    try:
        if PyUnicode_Check(a):
            return PyUnicode_Compare(left, right)
        return (left > right) - (left < right)
    except Exception:
        return NO_ORDER

cdef inline bint stands_for(const Cell* a, const Cell* b) noexcept nogil:
    """Whether a is the double after the greatest int (uint), and b that int: no double is, and CEL lets
    the next one stand for it where the two are ordered."""
    if a.tag != TAG_DOUBLE:
        return False
    if b.tag == TAG_INT:
        return a.v.d == 9223372036854775808.0 and b.v.i == INT64_MAX
    return b.tag == TAG_UINT and a.v.d == 18446744073709551616.0 and <uint64_t>b.v.i == UINT64_MAX


cdef int order(const Cell* a, const Cell* b) noexcept:
    """How a stands to b; see the header."""
    if is_number(a) and is_number(b):
        if a.tag != b.tag and (stands_for(a, b) or stands_for(b, a)):
            return 0
        return order_numbers(a, b)
    if a.tag != b.tag:
        return NO_ORDER
    if a.tag == TAG_STRING or a.tag == TAG_BYTES:
        return order_objects(a.v.o, b.v.o)
    if a.tag == TAG_BOOL:
        return (a.v.i > b.v.i) - (a.v.i < b.v.i)
    if a.tag == TAG_TIMESTAMP or a.tag == TAG_DURATION:
        if a.v.i != b.v.i:
            return -1 if a.v.i < b.v.i else 1
        return (a.aux > b.aux) - (a.aux < b.aux)
    return NO_ORDER


cdef inline int ordered(const Cell* a, const Cell* b, Frame frame) noexcept:
    """order(), and what it costs where the two are long."""
    if a.tag == TAG_STRING and b.tag == TAG_STRING:
        if not frame.spend(min(PyUnicode_GET_LENGTH(a.v.o), PyUnicode_GET_LENGTH(b.v.o)) >> 8):
            return NO_ORDER
    elif a.tag == TAG_BYTES and b.tag == TAG_BYTES:
        if not frame.spend(min(PyBytes_GET_SIZE(<object>a.v.o), PyBytes_GET_SIZE(<object>b.v.o)) >> 8):
            return NO_ORDER
    return order(a, b)

cdef inline int same_text(PyObject* a, PyObject* b, Frame frame) noexcept:
    """1 if two texts are equal, 0 if not, -1 when the call has used up its steps."""
    cdef Py_ssize_t length = PyUnicode_GET_LENGTH(a)
    if length > 255 and length == PyUnicode_GET_LENGTH(b) and not frame.spend(length >> 8):
        return -1
    return pact_same_text(a, b)


cdef int equal(const Cell* a, const Cell* b, Frame frame, int depth) noexcept:
    """1 if a equals b, 0 if not, -1 if one of them is, or holds, an error value."""
    if a.tag == TAG_ERROR or b.tag == TAG_ERROR:
        return -1
    if is_number(a) and is_number(b):
        return order_numbers(a, b) == 0
    if a.tag != b.tag:
        return 0
    if a.tag == TAG_STRING:
        return same_text(a.v.o, b.v.o, frame)
    if a.tag == TAG_NULL:
        return 1
    if a.tag == TAG_BOOL:
        return a.v.i == b.v.i
    if a.tag == TAG_TIMESTAMP or a.tag == TAG_DURATION:
        return a.v.i == b.v.i and a.aux == b.aux
    if a.tag == TAG_BYTES and not frame.spend(PyBytes_GET_SIZE(<object>a.v.o) >> 8):
        return -1
    if a.tag == TAG_BYTES or a.tag == TAG_TYPE or a.tag == TAG_OPAQUE:
        return <object>a.v.o == <object>b.v.o
    if depth > MAX_NESTING:
        return -1
    if a.tag == TAG_OPTIONAL:
        return equal_optionals(a, b, frame, depth)
    if a.tag == TAG_LIST:
        return equal_lists(a, b, frame, depth)
    if a.tag == TAG_MAP:
        return equal_maps(a, b, frame, depth)
    if a.tag == TAG_RECORD:
        return equal_records(a, b, frame, depth)
    return -1

cdef int equal_optionals(const Cell* a, const Cell* b, Frame frame, int depth) noexcept:
    cdef Cell x, y
    if not (holds(a) and holds(b)):
        return holds(a) == holds(b)
    optional_value(&x, a, frame)
    optional_value(&y, b, frame)
    return equal(&x, &y, frame, depth + 1)

cdef int equal_lists(const Cell* a, const Cell* b, Frame frame, int depth) noexcept:
    cdef list left = <list>a.v.o
    cdef list right = <list>b.v.o
    cdef Py_ssize_t i
    cdef int same
    cdef int result = 1
    cdef Py_ssize_t count = PyList_GET_SIZE(left)
    cdef object mine, other             # held: reading a key of Python's may run code that empties a list
    cdef Cell x, y
    if count != PyList_GET_SIZE(right):
        return 0
    if not frame.spend(count):
        return -1
    for i in range(count):
        if i >= PyList_GET_SIZE(left) or i >= PyList_GET_SIZE(right):
            return -1
        mine = <object>PyList_GET_ITEM(left, i)
        other = <object>PyList_GET_ITEM(right, i)
        read(&x, <PyObject*>mine, frame)
        read(&y, <PyObject*>other, frame)
        same = equal(&x, &y, frame, depth + 1)
        if same == 0:
            return 0
        if same < 0:
            result = -1
    return result

cdef int equal_maps(const Cell* a, const Cell* b, Frame frame, int depth) noexcept:
    cdef dict left = <dict>a.v.o
    cdef dict right = <dict>b.v.o
    cdef int same
    cdef int result = 1
    cdef Cell x, y
    cdef object key, value, other
    cdef PyObject* found
    if PyDict_Size(left) != PyDict_Size(right):
        return 0
    if not frame.spend(PyDict_Size(left)):
        return -1
    frame.pin()
    try:
        for key, value in left.items():
            if not frame.asks(<PyObject*>key):
                return -1
            found = PyDict_GetItemWithError(right, key)
            if found == NULL:
                return 0
            other = <object>found
            read(&x, <PyObject*>value, frame)
            read(&y, <PyObject*>other, frame)
            same = equal(&x, &y, frame, depth + 1)
            if same == 0:
                return 0
            if same < 0:
                result = -1
    except BaseException as error:
        frame.stop(error)
        return -1
    return result

cdef int equal_records(const Cell* a, const Cell* b, Frame frame, int depth) noexcept:
    cdef int field, same
    cdef int result = 1
    cdef Cell x, y
    cdef Layout* layout
    cdef object held                    # reading a time of b runs code that may change a
    if a.aux != b.aux:
        return 0
    layout = &frame.binding.layouts[a.aux]
    for field in range(layout.count):
        if not load_field(&x, a.v.o, &layout.fields[field], frame):
            return -1
        held = box(&x)
        if not load_field(&y, b.v.o, &layout.fields[field], frame):
            return -1
        same = equal(&x, &y, frame, depth + 1)
        if same == 0:
            return 0
        if same < 0:
            result = -1
    return result


cdef int contains(const Cell* item, const Cell* source, Frame frame) noexcept:
    """1 if item is an element of a list or a key of a map, 0 if not, -1 on error."""
    cdef list items
    cdef Py_ssize_t i
    cdef int same
    cdef int result = 0
    cdef Cell x
    if item.tag == TAG_ERROR:
        return -1
    if source.tag == TAG_MAP:
        return has_key(source, item, frame)
    if source.tag != TAG_LIST:
        return -1
    items = <list>source.v.o
    if not frame.spend(PyList_GET_SIZE(items)):
        return -1
    for i in range(PyList_GET_SIZE(items)):
        if i >= PyList_GET_SIZE(items):     # code that ran meanwhile has emptied it
            return -1
        read(&x, <PyObject*>PyList_GET_ITEM(items, i), frame)
        same = equal(item, &x, frame, 0)
        if same == 1:
            return 1
        if same < 0:
            result = -1
    return result


cdef PyObject* find_key(const Cell* source, const Cell* key, Frame frame) noexcept:
    """The value under `key`, or NULL.  Keys that are no string go through the one form in which
    values.py keeps them (numbers by value, bools apart).  A key of the host's may have an `__eq__` of its
    own."""
    cdef object made
    if key.tag == TAG_STRING and not frame.asks(key.v.o):
        return NULL
    frame.pin()
    try:
        made = map_key(key)
        return NULL if made is None else PyDict_GetItemWithError(<dict>source.v.o, made)
    except BaseException as error:
        frame.stop(error)
        return NULL

cdef object map_key(const Cell* key):
    """The hashable form of a key, None if this value cannot be one."""
    if key.tag == TAG_STRING:
        return plain_text(key.v.o)
    if key.tag == TAG_BOOL:
        return BoolKey(key.v.i != 0)
    if key.tag == TAG_INT:
        return key.v.i
    if key.tag == TAG_UINT:
        return UInt(<uint64_t>key.v.i)
    if key.tag == TAG_DOUBLE and isfinite(key.v.d) and floor(key.v.d) == key.v.d:
        return int(key.v.d)
    return None

cdef int has_key(const Cell* source, const Cell* key, Frame frame) noexcept:
    cdef Cell inside
    if source.tag == TAG_OPTIONAL:              # of what it holds; none has nothing
        if not holds(source):
            return 0
        optional_value(&inside, source, frame)
        source = &inside
    if source.tag != TAG_MAP or key.tag == TAG_ERROR:
        return -1
    return find_key(source, key, frame) != NULL


cdef bint list_position(const Cell* at, int64_t* i) noexcept:
    """The index that a number stands for; a double only if it is whole."""
    if at.tag == TAG_INT:
        i[0] = at.v.i
    elif at.tag == TAG_UINT:
        i[0] = at.v.i if at.v.i >= 0 else INT64_MAX
    elif at.tag == TAG_DOUBLE and floor(at.v.d) == at.v.d and -9e18 < at.v.d < 9e18:
        i[0] = <int64_t>at.v.d
    else:
        return False
    return True


cdef inline void refuse(Cell* out, const Cell* args, int n) noexcept:
    """The error for arguments that no overload takes."""
    cdef int i
    for i in range(n):
        if args[i].tag == TAG_ERROR:
            fail(out, args[i].aux)
            return
    for i in range(n):
        if args[i].tag == TAG_NULL:
            fail(out, ERR_NULL_OPERAND)
            return
    fail(out, ERR_NO_SUCH_OVERLOAD)
