# Lanes: values of a block's rows, read from columns, moved, computed.
#
# Needs: blocks.pxi, conditions.pxi.        Gives: read_member(), has_field(), move(), calculate(), sizes_of().

cdef void load_lanes(Block* b, int32_t number, const int64_t* at, const uint64_t* rows, Register* c) noexcept nogil:
    """What stands in a column at these positions, into the register.  `at` may be its own lanes."""
    cdef const Column* column = &b.columns[number]
    cdef int64_t w
    if column.valid != NULL:
        gather_bits(column.valid, column.shift, at, rows, b.words, b.held)
    begin(b, c, column.tag, number, rows)
    if column.form == FORM_INTS or column.form == FORM_DOUBLES or column.form == FORM_INDEX64:
        gather_64(<const int64_t*>column.data, at, rows, b.words, c.lanes)
    elif column.form == FORM_BITS:
        gather_bits(<const uint8_t*>column.data, column.shift, at, rows, b.words, c.truth)
    elif column.form == FORM_INDEX32:
        gather_32(<const uint32_t*>column.data, at, rows, b.words, c.lanes)
    elif column.form == FORM_INDEX8:
        gather_8(<const uint8_t*>column.data, at, rows, b.words, c.lanes)
    elif column.form == FORM_INDEX16:
        gather_16(<const uint16_t*>column.data, at, rows, b.words, c.lanes)
    elif c.lanes != at:
        copy_lanes(b, c.lanes, at, rows)
    if column.valid == NULL:
        if column.form != FORM_NONE:
            or_into(c.valid, rows, b.words)
        return
    for w in range(b.words):
        c.null[w] |= rows[w] & ~b.held[w]
        if column.form != FORM_NONE:
            c.valid[w] |= rows[w] & b.held[w]

cdef void read_member(Block* b, const Ins* pc, const Register* a, Register* c, const uint64_t* rows) noexcept nogil:
    """A field of a record; of null, and of an error value, there is none."""
    cdef int64_t w, i
    cdef uint64_t word
    cdef const Column* column = &b.columns[a.column]
    cdef int32_t field
    if (
        a.width == 8 and a.tag == TAG_RECORD and column.layout == <int32_t>(pc.k >> 16)
        and <int32_t>(pc.k & 0xFFFF) < column.count and not any_outside(rows, a.valid, b.words)
    ):                                  # as it is in a loop over records
        load_lanes(b, b.fields[column.inside + (pc.k & 0xFFFF)], a.lanes, rows, c)
        return
    memcpy(b.t, rows, b.words * 8)
    if a.tag != TAG_RECORD or column.layout != <int32_t>(pc.k >> 16) or <int32_t>(pc.k & 0xFFFF) >= column.count:
        for w in range(b.words):
            b.none[w] = a.valid[w]
    else:
        memset(b.none, 0, b.words * 8)
    for w in range(b.words):
        b.f[w] = rows[w] & (b.none[w] | ~known_of(a, w))
        b.good[w] = rows[w] & a.valid[w] & ~b.none[w]
        b.e[w] = rows[w] & (a.null[w] | a.error[w])
        b.bits[w] = rows[w] & (a.null[w] | (a.error[w] & a.gone[w]))
    leave(b, b.f)
    if any_bit(b.good, b.words):
        field = b.fields[column.inside + (pc.k & 0xFFFF)]
        if a.width == 8:
            load_lanes(b, field, a.lanes, b.good, c)
        else:
            for i in range(b.n):
                b.some[i] = b.start + i
            load_lanes(b, field, b.some, b.good, c)
    for w in range(b.words):
        c.valid[w] &= ~(b.e[w] | b.f[w])
        c.null[w] &= ~(b.e[w] | b.f[w])
        c.error[w] = (c.error[w] & ~b.t[w]) | b.e[w]
        c.gone[w] = (c.gone[w] & ~b.t[w]) | b.bits[w]

cdef void has_field(Block* b, const Ins* pc, const Register* a, const uint64_t* rows) noexcept nogil:
    """HAS_MEMBER: whether a field of a record is there and not null."""
    cdef int64_t w, i
    cdef uint64_t word
    cdef const Column* column = &b.columns[a.column]
    cdef bint known = a.tag == TAG_RECORD and column.layout == <int32_t>(pc.k >> 16) and <int32_t>(pc.k & 0xFFFF) < column.count
    cdef const Column* field
    memset(b.bits, 0, b.words * 8)
    for w in range(b.words):
        b.none[w] = ~known_of(a, w) | (0 if known else a.valid[w]) | (a.error[w] & ~a.gone[w])
        b.good[w] = a.valid[w] | a.null[w] | a.gone[w]
    if known:
        field = &b.columns[b.fields[column.inside + (pc.k & 0xFFFF)]]
        for w in range(b.words):
            word = rows[w] & a.valid[w]
            while word:
                i = 64 * w + pact_lowest(word)
                if is_valid(field, place_of(a, b.start, i)):
                    b.bits[w] |= word & (~word + 1)
                word &= word - 1
    branch(b, pc, rows)

cdef void move(Block* b, const Register* a, Register* c, const uint64_t* rows) noexcept nogil:
    cdef int64_t w, i
    cdef uint64_t word
    cdef Register k
    if a == c:
        return
    for w in range(b.words):
        b.f[w] = rows[w] & ~known_of(a, w)
        b.good[w] = rows[w] & a.valid[w]
    if a.tag == TAG_ITERATOR or (a.constant and a.tag >= TAG_STRING and a.tag != TAG_TIMESTAMP and a.tag != TAG_DURATION):
        for w in range(b.words):        # a constant text has no column to stand in
            b.f[w] |= b.good[w]
            b.good[w] = 0
    leave(b, b.f)
    if any_bit(b.good, b.words):
        begin(b, c, a.tag, a.column, b.good)
        for w in range(b.words):
            c.valid[w] |= b.good[w]
        if a.tag == TAG_BOOL:
            for w in range(b.words):
                c.truth[w] = (c.truth[w] & ~b.good[w]) | (a.truth[w] & b.good[w])
        elif a.tag < TAG_STRING or is_whole(a.tag):
            copy_lanes(b, c.lanes, numbers(b, a, b.some), b.good)
        else:
            for w in range(b.words):
                word = b.good[w]
                while word:
                    i = 64 * w + pact_lowest(word)
                    word &= word - 1
                    c.lanes[i] = place_of(a, b.start, i)
    for w in range(b.words):
        c.valid[w] &= ~(rows[w] & ~b.good[w])
        c.null[w] = (c.null[w] & ~rows[w]) | (a.null[w] & rows[w])
        c.error[w] = (c.error[w] & ~rows[w]) | (a.error[w] & rows[w])
        c.gone[w] = (c.gone[w] & ~rows[w]) | (a.gone[w] & rows[w])

cdef void set_truth(Block* b, Register* c, bint value, const uint64_t* rows) noexcept nogil:
    begin(b, c, TAG_BOOL, 0, rows)
    or_into(c.valid, rows, b.words)
    assign(c.truth, rows, value, b.words)

cdef void set_error(Block* b, Register* c, bint gone, const uint64_t* rows) noexcept nogil:
    assign(c.valid, rows, False, b.words)
    assign(c.null, rows, False, b.words)
    assign(c.error, rows, True, b.words)
    assign(c.gone, rows, gone, b.words)

cdef void calculate(Block* b, int fn, const Register* a, const Register* c, Register* to, const uint64_t* rows) noexcept nogil:
    """ADD and its kin of two ints or two doubles; c is a for a function of one.  Null and errors make errors,
    of which kind is not kept."""
    cdef int64_t w, i
    cdef uint64_t word
    cdef bint ints = a.tag == TAG_INT and c.tag == TAG_INT
    cdef bint doubles = a.tag == TAG_DOUBLE and c.tag == TAG_DOUBLE
    cdef const int64_t* x
    cdef const int64_t* y
    for w in range(b.words):
        b.good[w] = rows[w] & a.valid[w] & c.valid[w]
        b.none[w] = rows[w] & (~known_of(a, w) | ~known_of(c, w))
        b.e[w] = rows[w] & ~b.good[w] & ~b.none[w]
    memset(b.bits, 0, b.words * 8)
    x = numbers(b, a, b.some)
    y = numbers(b, c, b.more)
    if ints and (fn == FN_ADD or fn == FN_SUBTRACT):
        add_int(x, y, fn == FN_SUBTRACT, b.n, b.some, b.bits)
    elif doubles and FN_ADD <= fn <= FN_DIVIDE:
        arithmetic_double(<const double*>x, <const double*>y, fn, b.n, <double*>b.some)
    elif ints and (fn == FN_MULTIPLY or fn == FN_NEGATE):
        multiply(b, fn, x, y)
    elif doubles and fn == FN_NEGATE:
        for i in range(b.n):
            (<double*>b.some)[i] = -(<const double*>x)[i]
    elif a.tag == TAG_INT and fn == FN_TO_DOUBLE:
        for i in range(b.n):
            (<double*>b.some)[i] = <double>x[i]
    else:
        for w in range(b.words):
            b.none[w] |= b.good[w]
            b.good[w] = 0
    leave(b, b.none)
    if any_bit(b.good, b.words):
        begin(b, to, TAG_INT if ints and fn != FN_TO_DOUBLE else TAG_DOUBLE, 0, b.good)
        copy_lanes(b, to.lanes, b.some, b.good)
        for w in range(b.words):
            to.valid[w] |= b.good[w]
            b.e[w] |= b.bits[w] & b.good[w]
    for w in range(b.words):
        b.e[w] |= b.none[w]
    set_error(b, to, False, b.e)

cdef void test_end(Block* b, int fn, const Register* a, const Register* d, Register* c, const uint64_t* rows) noexcept nogil:
    """STARTS_WITH and ENDS_WITH of a constant text, as a bool."""
    cdef int64_t w, i, size
    cdef uint64_t word
    cdef const char* text
    memset(b.bits, 0, b.words * 8)
    for w in range(b.words):
        b.good[w] = rows[w] & a.valid[w]
        b.none[w] = rows[w] & ~known_of(a, w)
        b.e[w] = rows[w] & ~b.good[w] & ~b.none[w]
        word = b.good[w]
        while word:
            i = 64 * w + pact_lowest(word)
            size = 0
            text = text_at(b.columns, &b.columns[a.column], place_of(a, b.start, i), &size)
            if text != NULL and size >= d.known.size:
                if fn == FN_ENDS_WITH:
                    text += size - d.known.size
                if memcmp(text, d.known.text, d.known.size) == 0:
                    b.bits[w] |= word & (~word + 1)
            word &= word - 1
    leave(b, b.none)
    begin(b, c, TAG_BOOL, 0, b.good)
    for w in range(b.words):
        c.valid[w] |= b.good[w]
        c.truth[w] = (c.truth[w] & ~b.good[w]) | (b.bits[w] & b.good[w])
        b.e[w] |= b.none[w]
    set_error(b, c, False, b.e)

cdef void multiply(Block* b, int fn, const int64_t* x, const int64_t* y) noexcept nogil:
    """x * y, or -x; the bits say where it leaves 64 bits."""
    cdef int64_t w, i
    cdef uint64_t word
    cdef bint over
    for w in range(b.words):
        word = b.good[w]
        while word:
            i = 64 * w + pact_lowest(word)
            if fn == FN_NEGATE:
                over = __builtin_sub_overflow(0, x[i], &b.some[i])
            else:
                over = __builtin_mul_overflow(x[i], y[i], &b.some[i])
            if over:
                b.bits[w] |= word & (~word + 1)
            word &= word - 1

cdef void measure(Block* b, const Register* a, int64_t* out, const uint64_t* rows) noexcept nogil:
    """The sizes of lists, or of texts in bytes."""
    cdef const Column* column = &b.columns[a.column]
    cdef int64_t w, i, place
    cdef uint64_t word
    if a.width == 0 and WIDTHS[column.form] == 4:
        sizes_32(<const int32_t*>column.data + b.start, b.n, out)
    elif a.width == 0:
        sizes_64(<const int64_t*>column.data + b.start, b.n, out)
    else:
        for w in range(b.words):
            word = rows[w]
            while word:
                i = 64 * w + pact_lowest(word)
                word &= word - 1
                place = place_of(a, b.start, i)
                out[i] = offset_at(column, place + 1) - offset_at(column, place)

cdef void sizes_of(Block* b, const Register* a, Register* c, const uint64_t* rows) noexcept nogil:
    """SIZE of lists; of texts in characters."""
    cdef int64_t w, i, size, at
    cdef uint64_t word
    cdef const char* text
    for w in range(b.words):
        b.good[w] = rows[w] & a.valid[w]
        b.none[w] = rows[w] & ~known_of(a, w)
        b.e[w] = rows[w] & ~b.good[w] & ~b.none[w]
    if a.constant or (a.tag != TAG_LIST and a.tag != TAG_STRING):
        for w in range(b.words):
            b.none[w] |= b.good[w]
            b.good[w] = 0
    elif a.tag == TAG_LIST and a != c and (c.tag != TAG_INT or not any_outside(c.valid, rows, b.words)):
        begin(b, c, TAG_INT, 0, b.good)     # no other row holds anything there
        measure(b, a, c.lanes, b.good)
        or_into(c.valid, b.good, b.words)
        memset(b.good, 0, b.words * 8)
    elif a.tag == TAG_LIST:
        measure(b, a, b.some, b.good)
    else:
        for w in range(b.words):
            word = b.good[w]
            while word:
                i = 64 * w + pact_lowest(word)
                word &= word - 1
                b.some[i] = size = 0
                text = text_at(b.columns, &b.columns[a.column], place_of(a, b.start, i), &size)
                for at in range(size):
                    b.some[i] += (<uint8_t>text[at] & 0xC0) != 0x80
    leave(b, b.none)
    if any_bit(b.good, b.words):
        begin(b, c, TAG_INT, 0, b.good)
        copy_lanes(b, c.lanes, b.some, b.good)
        for w in range(b.words):
            c.valid[w] |= b.good[w]
    for w in range(b.words):
        b.e[w] |= b.none[w]
    set_error(b, c, False, b.e)
