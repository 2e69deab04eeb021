# Builtins: the functions of the overload table, dispatched on their arguments' tags.
#
# Needs: value.pxi, equal.pxi.        Gives: call(), add_int() and its kin.
# An argument that is an error value makes the result that error; null makes it `null operand`; any
# other type without an overload `no such overload`.  Conversions from and to text, and calendars in
# time zones, run in Python: they are rare and are not on the typed path.

cdef extern from *:
    bint __builtin_add_overflow(int64_t a, int64_t b, int64_t* out) noexcept nogil
    bint __builtin_sub_overflow(int64_t a, int64_t b, int64_t* out) noexcept nogil
    bint __builtin_mul_overflow(int64_t a, int64_t b, int64_t* out) noexcept nogil
    bint uadd "__builtin_add_overflow" (uint64_t a, uint64_t b, uint64_t* out) noexcept nogil
    bint usub "__builtin_sub_overflow" (uint64_t a, uint64_t b, uint64_t* out) noexcept nogil
    bint umul "__builtin_mul_overflow" (uint64_t a, uint64_t b, uint64_t* out) noexcept nogil

cdef enum:
    NANOS = 1_000_000_000
    DAY = 86_400                        # seconds
    MIN_TIME = -62_135_596_800          # 0001-01-01T00:00:00Z, seconds since 1970
    MAX_TIME = 253_402_300_799          # 9999-12-31T23:59:59Z
    MAX_DURATION = 315_576_000_000      # seconds: 10,000 years, both ways
    MIN_SPAN = -9_223_372_036           # seconds between two timestamps: 2^63 ns, as CEL has it
    MAX_SPAN = 9_223_372_036


cdef void set_time(Cell* out, uint32_t tag, int64_t seconds, int64_t nanos) noexcept:
    """A timestamp or duration from seconds and nanos in (-1e9, 2e9), brought to the one form; checked."""
    if nanos < 0:
        nanos += NANOS
        seconds -= 1
    elif nanos >= NANOS:
        nanos -= NANOS
        seconds += 1
    if tag == TAG_TIMESTAMP:
        if seconds < MIN_TIME or seconds > MAX_TIME:
            fail(out, ERR_RANGE)
            return
    elif seconds < -MAX_DURATION or seconds > MAX_DURATION or (seconds == MAX_DURATION and nanos):
        fail(out, ERR_RANGE)
        return
    out.tag = tag
    out.v.i = seconds
    out.aux = <int32_t>nanos


cdef void arithmetic(int fn, Cell* out, const Cell* a, const Cell* b) noexcept:
    """Both are ints, both uints or both doubles."""
    cdef int64_t i = 0
    cdef uint64_t u = 0
    if a.tag == TAG_DOUBLE:
        if fn == FN_ADD:
            set_double(out, a.v.d + b.v.d)
        elif fn == FN_SUBTRACT:
            set_double(out, a.v.d - b.v.d)
        elif fn == FN_MULTIPLY:
            set_double(out, a.v.d * b.v.d)
        elif fn == FN_DIVIDE:
            set_double(out, a.v.d / b.v.d)
        else:
            fail(out, ERR_NO_SUCH_OVERLOAD)
    elif a.tag == TAG_INT:
        arithmetic_int(fn, out, a.v.i, b.v.i)
    else:
        arithmetic_uint(fn, out, <uint64_t>a.v.i, <uint64_t>b.v.i)

cdef void arithmetic_int(int fn, Cell* out, int64_t a, int64_t b) noexcept:
    cdef int64_t result = 0
    cdef bint over
    if fn == FN_ADD:
        over = __builtin_add_overflow(a, b, &result)
    elif fn == FN_SUBTRACT:
        over = __builtin_sub_overflow(a, b, &result)
    elif fn == FN_MULTIPLY:
        over = __builtin_mul_overflow(a, b, &result)
    elif b == 0:
        fail(out, ERR_DIVIDE_BY_ZERO)
        return
    elif a == INT64_MIN and b == -1:
        over = True
    else:
        over = False
        result = a / b if fn == FN_DIVIDE else a % b        # C's: towards zero, sign of the dividend
    if over:
        fail(out, ERR_OVERFLOW)
    else:
        set_int(out, result)

cdef void arithmetic_uint(int fn, Cell* out, uint64_t a, uint64_t b) noexcept:
    cdef uint64_t result = 0
    cdef bint over = False
    if fn == FN_ADD:
        over = uadd(a, b, &result)
    elif fn == FN_SUBTRACT:
        over = usub(a, b, &result)
    elif fn == FN_MULTIPLY:
        over = umul(a, b, &result)
    elif b == 0:
        fail(out, ERR_DIVIDE_BY_ZERO)
        return
    else:
        result = a / b if fn == FN_DIVIDE else a % b
    if over:
        fail(out, ERR_OVERFLOW)
    else:
        set_uint(out, result)


cdef void add(int fn, Cell* out, const Cell* a, const Cell* b, Frame frame) noexcept:
    """+, - where the operands are no numbers: times, and + of texts, bytes and lists."""
    cdef int64_t sign = 1 if fn == FN_ADD else -1
    cdef bint left = a.tag == TAG_TIMESTAMP
    cdef bint right = b.tag == TAG_TIMESTAMP
    if (left or a.tag == TAG_DURATION) and (right or b.tag == TAG_DURATION):
        if fn == FN_ADD and left and right or fn == FN_SUBTRACT and right and not left:
            fail(out, ERR_NO_SUCH_OVERLOAD)
        elif left and right and not MIN_SPAN <= a.v.i - b.v.i <= MAX_SPAN:
            fail(out, ERR_RANGE)
        else:
            set_time(
                out,
                TAG_TIMESTAMP if left != right else TAG_DURATION,
                a.v.i + sign * b.v.i,
                a.aux + sign * b.aux,
            )
    elif fn == FN_ADD and a.tag == b.tag and (a.tag == TAG_STRING or a.tag == TAG_BYTES or a.tag == TAG_LIST):
        join(out, a, b, frame)
    else:
        fail(out, ERR_NO_SUCH_OVERLOAD)

cdef void join(Cell* out, const Cell* a, const Cell* b, Frame frame) noexcept:
    cdef object made, rest
    cdef uint32_t tag = a.tag
    cdef Py_ssize_t size
    try:
        if tag == TAG_LIST:
            size = PyList_GET_SIZE(<object>a.v.o) + PyList_GET_SIZE(<object>b.v.o)
        elif tag == TAG_STRING:
            size = PyUnicode_GET_LENGTH(a.v.o) + PyUnicode_GET_LENGTH(b.v.o)
        else:
            size = PyBytes_GET_SIZE(<object>a.v.o) + PyBytes_GET_SIZE(<object>b.v.o)
        if not frame.spend(size >> (3 if tag == TAG_LIST else 8)):
            fail(out, ERR_LIMIT)
            return
        size = (8 if tag == TAG_LIST else 4) * size + 64
        if frame.allocated + size > MAX_ALLOCATION:
            frame.limited = True
            fail(out, ERR_LIMIT)
            return
        if tag == TAG_STRING:
            made = PyUnicode_Concat(<object>a.v.o, <object>b.v.o)
        elif tag == TAG_BYTES:
            made = <object>a.v.o + <object>b.v.o
        else:
            frame.pin()                 # a new list may set off the collector
            made = PyList_GetSlice(<object>a.v.o, 0, PyList_GET_SIZE(<object>a.v.o))
            rest = PyList_GetSlice(<object>b.v.o, 0, PyList_GET_SIZE(<object>b.v.o))
            PyList_SetSlice(made, PyList_GET_SIZE(made), PyList_GET_SIZE(made), rest)
        frame.give(out, tag, made, size)
    except Exception:
        fail(out, ERR_LIMIT)


cdef void compare(int fn, Cell* out, const Cell* a, const Cell* b, Frame frame) noexcept:
    """The comparisons as values; the machine's branches call order() and equal() themselves."""
    cdef int result
    if fn == FN_EQUAL or fn == FN_NOT_EQUAL:
        result = equal(a, b, frame, 0)
        if result < 0:
            refuse(out, a, 1)
            if b.tag == TAG_ERROR:
                fail(out, b.aux)
        else:
            set_bool(out, (result == 1) == (fn == FN_EQUAL))
        return
    result = order(a, b)
    if result == UNORDERED:
        set_bool(out, False)
    elif fn == FN_LESS:
        set_bool(out, result < 0)
    elif fn == FN_LESS_EQUAL:
        set_bool(out, result <= 0)
    elif fn == FN_GREATER:
        set_bool(out, result > 0)
    else:
        set_bool(out, result >= 0)


cdef void index(Cell* out, const Cell* source, const Cell* at, Frame frame) noexcept:
    cdef int64_t i
    cdef PyObject* found
    if source.tag == TAG_MAP:
        found = find_key(source, at, frame)
        if found == NULL:
            fail(out, ERR_NO_SUCH_KEY)
        else:
            read(out, found, frame)
        return
    if not list_position(at, &i):
        fail(out, ERR_NO_SUCH_OVERLOAD)
    elif i < 0 or i >= PyList_GET_SIZE(<object>source.v.o):
        fail(out, ERR_INDEX_OUT_OF_RANGE)
    else:
        read(out, <PyObject*>PyList_GET_ITEM(<object>source.v.o, i), frame)

cdef void text(int fn, Cell* out, const Cell* a, const Cell* b, Frame frame) noexcept:
    """contains, startsWith, endsWith."""
    cdef str whole, part
    if not frame.spend(PyUnicode_GET_LENGTH(a.v.o if fn == FN_CONTAINS else b.v.o) >> 4):
        fail(out, ERR_LIMIT)
        return
    try:
        whole = plain_text(a.v.o)
        part = plain_text(b.v.o)
        if fn == FN_CONTAINS:
            set_bool(out, part in whole)
        elif fn == FN_STARTS_WITH:
            set_bool(out, whole.startswith(part))
        else:
            set_bool(out, whole.endswith(part))
    except Exception:
        fail(out, ERR_LIMIT)


cdef void size_of(Cell* out, const Cell* x) noexcept:
    if x.tag == TAG_STRING:
        set_int(out, PyUnicode_GET_LENGTH(x.v.o))
    elif x.tag == TAG_LIST:
        set_int(out, PyList_GET_SIZE(<object>x.v.o))
    elif x.tag == TAG_BYTES:
        set_int(out, PyBytes_GET_SIZE(<object>x.v.o))
    elif x.tag == TAG_MAP:
        set_int(out, PyDict_Size(<object>x.v.o))
    else:
        refuse(out, x, 1)


cdef void bucket(Cell* out, const Cell* args, int n) noexcept:
    """How many of the bounds args[1:] are <= args[0]."""
    cdef int i, result
    cdef int64_t count = 0
    cdef bint is_wait = args[0].tag == TAG_DURATION
    for i in range(1, n):
        result = order(&args[i], &args[0])
        if result == NO_ORDER or not (is_wait or is_number(&args[0])):
            refuse(out, args, n)
            return
        count += result <= 0
    set_int(out, count)


# Conversions ----------------------------------------------------------------------------------

cdef void to_int(Cell* out, const Cell* x, bint signed) noexcept:
    """int(x) and uint(x) of a number or a timestamp."""
    cdef double whole
    if x.tag == TAG_DOUBLE:
        whole = x.v.d
        if signed and -9223372036854775808.0 < whole < 9223372036854775808.0:
            set_int(out, <int64_t>whole)
        elif not signed and 0.0 <= whole < 18446744073709551616.0:
            set_uint(out, <uint64_t>whole)
        else:
            fail(out, ERR_RANGE)
    elif x.tag == TAG_TIMESTAMP and signed:
        set_int(out, x.v.i)
    elif (x.tag == TAG_UINT) == (not signed) or x.v.i >= 0:
        if signed:
            set_int(out, x.v.i)
        else:
            set_uint(out, <uint64_t>x.v.i)
    else:
        fail(out, ERR_RANGE)

cdef void to_double(Cell* out, const Cell* x) noexcept:
    if x.tag == TAG_DOUBLE:
        out[0] = x[0]
    elif x.tag == TAG_INT:
        set_double(out, <double>x.v.i)
    else:
        set_double(out, <double><uint64_t>x.v.i)

cdef inline Py_ssize_t chars_of(const Cell* x) noexcept:
    """Characters of a text, bytes of bytes, else 0."""
    if x.tag == TAG_STRING:
        return PyUnicode_GET_LENGTH(x.v.o)
    return PyBytes_GET_SIZE(<object>x.v.o) if x.tag == TAG_BYTES else 0

cdef void convert(int fn, Cell* out, const Cell* x, Frame frame) noexcept:
    """The conversions that need text, through `pactlang.convert`."""
    cdef object made
    if not frame.spend(10 + (chars_of(x) >> 8)):
        fail(out, ERR_LIMIT)
        return
    frame.pin()
    try:
        made = CONVERSIONS[fn](box(x))
        if isinstance(made, float):             # which may be a NaN, that unbox refuses
            set_double(out, made)
        elif isinstance(made, (str, bytes)):
            frame.give(out, TAG_STRING if isinstance(made, str) else TAG_BYTES, made, 4 * len(made) + 64)
        else:
            frame.give_value(out, made)
    except OverflowError:
        fail(out, ERR_RANGE)
    except MemoryError:
        fail(out, ERR_LIMIT)
    except BaseException as error:
        failed(out, ERR_BAD_CONVERSION, error, frame)

cdef void to_type(Cell* out, const Cell* x, Frame frame) noexcept:
    """Conversion function `fn` where C can do it; others go to convert()."""
    cdef object made
    try:
        if x.tag == TAG_OPAQUE:
            made = CelType("net.IP" if <PyObject*>x.v.o.ob_type == IP_TYPE else "net.CIDR")
        else:
            made = CelType(TYPE_NAMES[x.tag])
        frame.give(out, TAG_TYPE, made, 64)
    except Exception:
        fail(out, ERR_NO_SUCH_OVERLOAD)

TYPE_NAMES = {
    TAG_NULL: "null_type", TAG_BOOL: "bool", TAG_INT: "int", TAG_UINT: "uint", TAG_DOUBLE: "double",
    TAG_STRING: "string", TAG_BYTES: "bytes", TAG_TIMESTAMP: "google.protobuf.Timestamp",
    TAG_DURATION: "google.protobuf.Duration", TAG_LIST: "list", TAG_MAP: "map", TAG_TYPE: "type",
    TAG_RECORD: "map", TAG_OPTIONAL: "optional_type",
}

CONVERSIONS = {
    FN_TO_BOOL: conversions.to_bool, FN_TO_INT: conversions.to_int, FN_TO_UINT: conversions.to_uint,
    FN_TO_DOUBLE: conversions.to_double, FN_TO_STRING: conversions.to_string,
    FN_TO_BYTES: conversions.to_bytes, FN_TO_TIMESTAMP: conversions.to_timestamp,
    FN_TO_DURATION: conversions.to_duration,
}

cdef uint32_t result_tag(int fn) noexcept:
    """What a conversion makes."""
    if fn == FN_TO_BOOL:
        return TAG_BOOL
    if fn == FN_TO_INT:
        return TAG_INT
    if fn == FN_TO_UINT:
        return TAG_UINT
    if fn == FN_TO_DOUBLE:
        return TAG_DOUBLE
    if fn == FN_TO_STRING:
        return TAG_STRING
    if fn == FN_TO_BYTES:
        return TAG_BYTES
    return TAG_TIMESTAMP if fn == FN_TO_TIMESTAMP else TAG_DURATION

cdef bint converts(int fn, uint32_t tag) noexcept:
    """Whether the table has a conversion from this tag."""
    cdef bint number = TAG_INT <= tag <= TAG_DOUBLE
    if tag == result_tag(fn) or tag == TAG_STRING:
        return True
    if fn == FN_TO_INT:
        return number or tag == TAG_TIMESTAMP
    if fn == FN_TO_UINT or fn == FN_TO_DOUBLE:
        return number
    if fn == FN_TO_STRING:
        return number or tag == TAG_BOOL or tag == TAG_BYTES or tag == TAG_TIMESTAMP or tag == TAG_DURATION
    return fn == FN_TO_TIMESTAMP and tag == TAG_INT

cdef void conversion(int fn, Cell* out, const Cell* x, Frame frame) noexcept:
    if not converts(fn, x.tag):
        refuse(out, x, 1)
    elif x.tag == result_tag(fn):
        out[0] = x[0]
    elif x.tag != TAG_STRING and (fn == FN_TO_INT or fn == FN_TO_UINT):
        to_int(out, x, fn == FN_TO_INT)
    elif x.tag != TAG_STRING and fn == FN_TO_DOUBLE:
        to_double(out, x)
    elif x.tag == TAG_INT and fn == FN_TO_TIMESTAMP:
        set_time(out, TAG_TIMESTAMP, x.v.i, 0)
    else:
        convert(fn, out, x, frame)


# Calendar and clock ---------------------------------------------------------------------------

cdef void civil(int64_t days, int64_t* year, int64_t* month, int64_t* day, int64_t* year_day) noexcept:
    """The proleptic Gregorian date of a day number (0 = 1970-01-01).  Years are counted from a first
    of March, so that the leap day is a year's last."""
    cdef int64_t z = days + 719468
    cdef int64_t era = (z if z >= 0 else z - 146096) / 146097
    cdef int64_t of_era = z - era * 146097
    cdef int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365
    cdef int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100)
    cdef int64_t shifted = (5 * of_year + 2) / 153
    cdef bint leap
    day[0] = of_year - (153 * shifted + 2) / 5 + 1
    month[0] = shifted + 3 if shifted < 10 else shifted - 9
    year[0] = year_of_era + era * 400 + (month[0] <= 2)
    leap = year[0] % 4 == 0 and (year[0] % 100 != 0 or year[0] % 400 == 0)
    year_day[0] = of_year - 306 if month[0] <= 2 else of_year + 59 + leap

cdef void calendar(int fn, Cell* out, int64_t seconds, int32_t nanos) noexcept:
    """A part of the date or the time of day; `seconds` are local seconds since 1970."""
    cdef int64_t days = seconds / DAY
    cdef int64_t rest = seconds % DAY
    cdef int64_t year, month, day, year_day
    if rest < 0:
        rest += DAY
        days -= 1
    if fn == FN_GET_HOURS:
        set_int(out, rest / 3600)
    elif fn == FN_GET_MINUTES:
        set_int(out, rest / 60 % 60)
    elif fn == FN_GET_SECONDS:
        set_int(out, rest % 60)
    elif fn == FN_GET_MILLISECONDS:
        set_int(out, nanos / 1_000_000)
    elif fn == FN_GET_DAY_OF_WEEK:
        set_int(out, ((days + 4) % 7 + 7) % 7)
    else:
        civil(days, &year, &month, &day, &year_day)
        if fn == FN_GET_FULL_YEAR:
            set_int(out, year)
        elif fn == FN_GET_MONTH:
            set_int(out, month - 1)
        elif fn == FN_GET_DATE:
            set_int(out, day)
        elif fn == FN_GET_DAY_OF_MONTH:
            set_int(out, day - 1)
        else:
            set_int(out, year_day)

cdef void clock(int fn, Cell* out, const Cell* x) noexcept:
    """A duration in whole hours, minutes or seconds, or its milliseconds part; towards zero."""
    cdef int64_t seconds = x.v.i
    cdef int64_t nanos = x.aux
    if seconds < 0 and nanos:
        seconds += 1
        nanos -= NANOS
    if fn == FN_GET_HOURS:
        set_int(out, seconds / 3600)
    elif fn == FN_GET_MINUTES:
        set_int(out, seconds / 60)
    elif fn == FN_GET_SECONDS:
        set_int(out, seconds)
    elif fn == FN_GET_MILLISECONDS:
        set_int(out, nanos / 1_000_000)
    else:
        fail(out, ERR_NO_SUCH_OVERLOAD)

cdef void time_part(int fn, Cell* out, const Cell* args, int n, Frame frame) noexcept:
    cdef int64_t offset = 0
    if args[0].tag == TAG_DURATION and n == 1:
        clock(fn, out, args)
    elif args[0].tag != TAG_TIMESTAMP or (n == 2 and args[1].tag != TAG_STRING):
        refuse(out, args, n)
    else:
        if n == 2:
            if not frame.spend(10):
                fail(out, ERR_LIMIT)
                return
            frame.pin()
            try:
                offset = conversions.zone_offset(args[0].v.i, plain_text(args[1].v.o))
            except BaseException as error:
                failed(out, ERR_BAD_CONVERSION, error, frame)
                return
        calendar(fn, out, args[0].v.i + offset, args[0].aux)


# The one entry --------------------------------------------------------------------------------

cdef void optional(int fn, Cell* out, const Cell* args, int n, Frame frame) noexcept:
    """The functions of optionals; `or` and `orValue` of two values (the emitter makes them lazy)."""
    cdef int held
    if fn == FN_OPTIONAL_NONE and n == 0:
        set_none(out)
    elif fn == FN_OPTIONAL_OF and n == 1:
        optional_of(out, &args[0], frame)
    elif fn == FN_OPTIONAL_VALUE and n == 1:
        optional_value(out, &args[0], frame)
    elif fn == FN_OPTIONAL_HAS_VALUE and n == 1 and args[0].tag == TAG_OPTIONAL:
        set_bool(out, holds(&args[0]))
    elif (fn == FN_OPTIONAL_OR or fn == FN_OPTIONAL_OR_VALUE) and n == 2:
        held = holds(&args[0])
        if held < 0 or (fn == FN_OPTIONAL_OR and args[1].tag != TAG_OPTIONAL):
            refuse(out, args, n)
        elif held and fn == FN_OPTIONAL_OR_VALUE:
            optional_value(out, &args[0], frame)
        else:
            out[0] = args[0] if held else args[1]
    elif (fn == FN_OPTIONAL_SELECT or fn == FN_OPTIONAL_INDEX) and n == 2 and args[0].tag == TAG_NULL:
        if args[1].tag == TAG_ERROR:
            out[0] = args[1]
        else:
            set_none(out)               # what is absent has nothing
    elif (fn == FN_OPTIONAL_SELECT or fn == FN_OPTIONAL_INDEX) and n == 2:
        look_up(out, &args[0], &args[1], frame)
    elif (fn == FN_FIRST or fn == FN_LAST) and n == 1:
        end_of_list(fn, out, &args[0], frame)
    else:
        extension(fn, out, args, n, frame)


cdef void call(int fn, Cell* out, const Cell* args, int n, Frame frame, object search) noexcept:
    """out = builtin fn of n arguments.  `out` may be one of them.  `search` finds a dynamic pattern."""
    cdef Cell result
    cdef int found
    fail(&result, ERR_LIMIT)
    if fn <= FN_MODULO and n == 2:
        if is_number(args) and args[0].tag == args[1].tag:
            arithmetic(fn, &result, &args[0], &args[1])
        elif args[0].tag <= TAG_NULL or args[1].tag <= TAG_NULL or fn > FN_SUBTRACT:
            refuse(&result, args, n)
        else:
            add(fn, &result, &args[0], &args[1], frame)
    elif fn == FN_NEGATE and n == 1:
        if args[0].tag == TAG_DOUBLE:
            set_double(&result, -args[0].v.d)
        elif args[0].tag == TAG_INT:
            arithmetic_int(FN_SUBTRACT, &result, 0, args[0].v.i)
        else:
            refuse(&result, args, n)
    elif FN_EQUAL <= fn <= FN_GREATER_EQUAL and n == 2:
        if fn > FN_NOT_EQUAL and ordered(&args[0], &args[1], frame) == NO_ORDER:
            refuse(&result, args, n)
        else:
            compare(fn, &result, &args[0], &args[1], frame)
    elif fn == FN_IN and n == 2:
        found = contains(&args[0], &args[1], frame)
        if found < 0:
            refuse(&result, args, n)
        else:
            set_bool(&result, found)
    elif fn == FN_INDEX and n == 2:
        if args[0].tag == TAG_OPTIONAL:
            look_up(&result, &args[0], &args[1], frame)
        elif args[1].tag == TAG_ERROR or not (args[0].tag == TAG_MAP or args[0].tag == TAG_LIST):
            refuse(&result, args, n)
        else:
            index(&result, &args[0], &args[1], frame)
    elif fn == FN_SIZE and n == 1:
        size_of(&result, &args[0])
    elif FN_CONTAINS <= fn <= FN_MATCHES and n == 2:
        if args[0].tag != TAG_STRING or args[1].tag != TAG_STRING:
            refuse(&result, args, n)
        elif fn == FN_MATCHES and not frame.spend((PyUnicode_GET_LENGTH(args[0].v.o) >> 3) + 10):
            fail(&result, ERR_LIMIT)
        elif fn == FN_MATCHES:
            frame.pin()
            try:
                set_bool(&result, search(plain_text(args[1].v.o), plain_text(args[0].v.o)))
            except UnicodeError:            # a lone surrogate is no character
                fail(&result, ERR_BAD_CONVERSION)
            except BaseException as error:
                failed(&result, ERR_INVALID_PATTERN, error, frame)
        else:
            text(fn, &result, &args[0], &args[1], frame)
    elif fn == FN_TO_STRING and n == 1 and args[0].tag == TAG_OPAQUE:
        extension(fn, &result, args, n, frame)
    elif FN_TO_BOOL <= fn <= FN_TO_DURATION and n == 1:
        conversion(fn, &result, &args[0], frame)
    elif fn == FN_TO_TYPE and n == 1:
        if args[0].tag == TAG_ERROR:
            result = args[0]
        else:
            to_type(&result, &args[0], frame)
    elif fn == FN_TO_DYN and n == 1:
        result = args[0]
    elif FN_GET_FULL_YEAR <= fn <= FN_GET_MILLISECONDS and (n == 1 or n == 2):
        time_part(fn, &result, args, n, frame)
    elif fn == FN_BUCKET and n >= 2:
        bucket(&result, args, n)
    elif FN_OPTIONAL_OF <= fn <= FN_LAST:
        optional(fn, &result, args, n, frame)
    elif fn > FN_BUCKET:
        extension(fn, &result, args, n, frame)
    else:
        refuse(&result, args, n)
    out[0] = result
