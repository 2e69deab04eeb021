# JSON's texts, numbers and times: each reads one value into a cell and gives what comes behind it, or NULL.
#
# Owns:  nothing; a SPAN borrows from the record's bytes, or from the frame's scratch.
# Needs: json.pxi.        Gives: end_of_string(), pass_over(), read_span() and its kin, scan_span().
# Where a record is huge, other threads run while C goes through it; its bytes cannot change.

cdef inline const uint8_t* end_of_string(const uint8_t* p, const uint8_t* end, uint32_t* seen) noexcept:
    """From behind a quote to the closing one, or NULL."""
    cdef int result
    if end - p <= HUGE:
        return p if pact_string(&p, end, end, seen) == PACT_DONE else NULL
    result = pact_string(&p, end, p + STRETCH, seen)
    if result == PACT_MORE:
        with nogil:
            result = pact_string(&p, end, end, seen)
    return p if result == PACT_DONE else NULL

cdef inline const uint8_t* pass_over(const uint8_t* p, const uint8_t* end) noexcept:
    """Behind a value that nobody reads, or NULL."""
    cdef uint32_t seen = 0
    if p[0] == c'"':
        p = end_of_string(p + 1, end, &seen)
        if p != NULL:
            p += 1
        return p
    if p[0] != c'{' and p[0] != c'[':
        return pact_scalar(p, end)
    return pass_over_many(p, end)

cdef const uint8_t* pass_over_many(const uint8_t* p, const uint8_t* end) noexcept:
    cdef pact_passing passing
    cdef int result
    passing.at = p
    passing.objects = 0
    passing.depth = 0
    passing.state = PACT_VALUE
    result = pact_pass(&passing, end, p + STRETCH if end - p > HUGE else end)
    if result == PACT_MORE:
        with nogil:
            result = pact_pass(&passing, end, end)
    return passing.at if result == PACT_DONE else NULL

cdef const uint8_t* read_span(Cell* x, const uint8_t* p, const uint8_t* end) noexcept:
    """A text that is only searched: it stays where it is."""
    cdef uint32_t seen = 0
    cdef const uint8_t* start = p + 1
    cdef bint good = True
    if p[0] != c'"':
        return NULL
    p = end_of_string(start, end, &seen)
    if p == NULL or seen & PACT_LONE or p - start > LONGEST_SPAN:
        return NULL
    if seen & PACT_HIGH and p - start > HUGE:
        with nogil:
            good = pact_utf8(start, p)
    elif seen & PACT_HIGH:
        good = pact_utf8(start, p)
    set_object(x, TAG_SPAN, <PyObject*>start)
    x.aux = <int32_t>(p - start) | (SPAN_ESCAPED if seen & PACT_ESCAPED else 0)
    return p + 1 if good else NULL

cdef const uint8_t* read_int(Cell* x, const uint8_t* p, const uint8_t* end, bint is_uint) noexcept:
    cdef pact_number number
    cdef int64_t value
    p = pact_read_number(p, end, &number)
    if p == NULL or not pact_int64(&number, &value) or (is_uint and value < 0):
        return NULL
    set_int(x, value)
    if is_uint:
        x.tag = TAG_UINT
    return p

cdef const uint8_t* number_as_double(const uint8_t* p, const uint8_t* end, pact_number* number, double* out) noexcept:
    cdef const uint8_t* start = p
    cdef char text[LONGEST_NUMBER]
    cdef Py_ssize_t size
    p = pact_read_number(p, end, number)
    if p == NULL:
        return NULL
    if pact_double(number, out):
        return p
    size = p - start
    if size >= LONGEST_NUMBER or (number.negative and number.digits == 0):
        return NULL
    memcpy(text, start, size)
    text[size] = 0
    try:
        out[0] = PyOS_string_to_double(text, NULL, NULL)
    except Exception:
        return NULL
    return p if isfinite(out[0]) else NULL

cdef const uint8_t* read_double(Cell* x, const uint8_t* p, const uint8_t* end) noexcept:
    cdef pact_number number
    cdef double value
    p = number_as_double(p, end, &number, &value)
    if p != NULL:
        set_double(x, value)
    return p

cdef const uint8_t* read_moment(Cell* x, const uint8_t* p, const uint8_t* end) noexcept:
    """A timestamp in RFC 3339."""
    cdef uint32_t seen = 0
    cdef const uint8_t* start = p + 1
    cdef int64_t seconds, nanos
    if p[0] != c'"':
        return NULL
    p = end_of_string(start, end, &seen)
    if p == NULL or seen or not pact_moment(start, p - start, &seconds, &nanos):
        return NULL
    set_time(x, TAG_TIMESTAMP, seconds, (nanos + 500) / 1000 * 1000)
    return p + 1 if x.tag != TAG_ERROR else NULL

cdef const uint8_t* read_unit(Cell* x, const JsonField* field, const uint8_t* p, const uint8_t* end) noexcept:
    """A time that is a number in the unit of its kind."""
    cdef pact_number number
    cdef double value
    cdef int64_t whole
    cdef const uint8_t* behind = pact_read_number(p, end, &number)
    if behind == NULL:
        return NULL
    if number.whole:
        if not pact_int64(&number, &whole) or not field.low <= whole <= field.high:
            return NULL
        return behind if time_of_int(x, whole, field.field.kind) else NULL
    p = number_as_double(p, end, &number, &value)
    if p == NULL or not <double>field.low <= value <= <double>field.high:
        return NULL
    return p if time_of_double(x, value, field.field.kind) else NULL


# Texts that are only searched -------------------------------------------------------------------

cdef int scan_span(Cell* x, Scanner scanner, int64_t longest, int group, Frame frame) noexcept:
    """Search a SPAN; its escapes are resolved when the first group asks."""
    cdef Py_ssize_t size = x.aux & ~SPAN_ESCAPED
    cdef uint8_t* out
    if x.aux & SPAN_ESCAPED:
        if frame.scratch_used == 0 and not frame.reserve(frame.source_size):
            return 0
        out = frame.scratch + frame.scratch_used
        size = pact_unescape(<const uint8_t*>x.v.o, size, out)
        frame.scratch_used += size
        x.v.o = <PyObject*>out
        x.aux = <int32_t>size
    if size > longest and pact_characters(<const uint8_t*>x.v.o, size) > longest:
        return 0
    try:
        if scanner.scan(None, <const char*>x.v.o, size, frame.atoms):
            frame.groups[group] = 1
    except BaseException as error:
        frame.stop(error)
    return 0
