# The sweep: what each instruction does to the rows of a block that reach it.
#
# Needs: blocks.pxi.        Gives: run_block().
# A register's rows are valid (they hold what its tag says), null, an error value, or none of these: then
# nothing is known of them here.  Every instruction looks at these masks, as `run` looks at tags.

cdef void go(Block* b, int32_t target, const uint64_t* rows) noexcept nogil:
    or_into(b.reach + target * b.words, rows, b.words)
    b.live[target] = 1

cdef void leave(Block* b, const uint64_t* rows) noexcept nogil:
    """These rows are open: `run` will judge them."""
    or_into(b.open, rows, b.words)

cdef void branch(Block* b, const Ins* pc, const uint64_t* rows) noexcept nogil:
    """Rows go where `bits` says if they are `good`, else to e; what is known of `none` is nothing."""
    cdef int64_t w
    for w in range(b.words):
        b.good[w] &= ~b.none[w]
        b.held[w] = ~(b.good[w] | b.none[w])
    settled(b, pc, rows, b.good, b.zeros, b.held, False)

cdef void settled(
    Block* b, const Ins* pc, const uint64_t* rows, const uint64_t* valid, const uint64_t* null, const uint64_t* error,
    bint null_answers,
) noexcept nogil:
    """Rows go where `bits` says if they are valid, to e if they are null or an error value; the others are
    open.  null_answers: `bits` are right for null, too."""
    cdef int ways = settle(rows, b.bits, valid, null, error, null_answers, b.t, b.f, b.e, b.none, b.words)
    if ways & 1:
        go(b, pc.t, b.t)
    if ways & 2:
        go(b, pc.f, b.f)
    if ways & 4:
        go(b, pc.e, b.e)
    if ways & 8:
        leave(b, b.none)


# Registers ------------------------------------------------------------------------------------------

cdef inline uint64_t known_of(const Register* r, int64_t w) noexcept nogil:
    return r.valid[w] | r.null[w] | r.error[w]

cdef inline bint is_whole(int tag) noexcept nogil:
    """Whether the lanes are ints as they are."""
    return tag == TAG_INT or tag == TAG_TIMESTAMP or tag == TAG_DURATION

cdef const int64_t* numbers(Block* b, const Register* r, int64_t* room) noexcept nogil:
    """The lanes of numbers; of a constant `room` filled with it."""
    cdef int64_t i
    if not r.constant:
        return r.lanes
    for i in range(b.n):
        room[i] = r.whole.i
    return room

cdef inline int64_t place_of(const Register* r, int64_t start, int64_t i) noexcept nogil:
    """Where a row's text, list or record stands in the register's column."""
    if r.width == 0:
        return start + i
    return r.lanes[i] if r.width == 8 else index_at(r.data, r.width, i)

cdef void begin(Block* b, Register* c, int tag, int32_t column, const uint64_t* rows) noexcept nogil:
    """These rows of c will be written; what others hold stays only if it is of the same form."""
    begin_masks(
        c.valid, c.null, c.error, c.gone, rows, c.tag != tag or (tag >= TAG_STRING and c.column != column), b.words
    )
    c.tag = tag
    c.column = column
    c.width = 8

cdef void copy_lanes(Block* b, int64_t* to, const int64_t* source, const uint64_t* rows) noexcept nogil:
    cdef int64_t w, i
    cdef uint64_t word
    for w in range((b.n + 63) >> 6):
        word = rows[w]
        if word == ~<uint64_t>0:
            memcpy(to + 64 * w, source + 64 * w, 512)
            continue
        while word:
            i = 64 * w + lowest(word)
            word &= word - 1
            to[i] = source[i]


# Conditions -----------------------------------------------------------------------------------------

cdef void compare_k(Block* b, const Ins* pc, const Register* a, int tag, const uint64_t* rows) noexcept nogil:
    """A comparison with the constant in the instruction."""
    cdef int64_t w
    cdef int op = pc.op
    cdef bint same = op == OP_EQ_INT_K or op == OP_EQ_DOUBLE_K
    cdef Register k
    if a.tag != tag or a.constant:
        if a.tag == TAG_NULL or a.tag == TAG_ERROR:     # no row is valid: the kernels need not look
            memset(b.bits, 0, b.words * 8)
        else:
            make_constant(b, &k, tag)
            k.whole.i = pc.imm.i
            if op == OP_GE_INT_K or op == OP_GE_DOUBLE_K:
                compare_rows(b, pc, OP_LE, &k, a, rows)
            elif op == OP_GT_INT_K or op == OP_GT_DOUBLE_K:
                compare_rows(b, pc, OP_LT, &k, a, rows)
            else:
                compare_rows(b, pc, OP_EQ if same else OP_LE if op == OP_LE_INT_K or op == OP_LE_DOUBLE_K else OP_LT, a, &k, rows)
            return
    elif op == OP_LE_DOUBLE_K:
        le_double_k(<const double*>a.lanes, pc.imm.d, b.n, b.bits)
    elif op == OP_LT_DOUBLE_K:
        lt_double_k(<const double*>a.lanes, pc.imm.d, b.n, b.bits)
    elif op == OP_GE_DOUBLE_K:
        ge_double_k(<const double*>a.lanes, pc.imm.d, b.n, b.bits)
    elif op == OP_GT_DOUBLE_K:
        gt_double_k(<const double*>a.lanes, pc.imm.d, b.n, b.bits)
    elif op == OP_EQ_DOUBLE_K:
        eq_double_k(<const double*>a.lanes, pc.imm.d, b.n, b.bits)
    elif op == OP_LE_INT_K:
        le_int_k(a.lanes, pc.imm.i, b.n, b.bits)
    elif op == OP_LT_INT_K:
        lt_int_k(a.lanes, pc.imm.i, b.n, b.bits)
    elif op == OP_GE_INT_K:
        ge_int_k(a.lanes, pc.imm.i, b.n, b.bits)
    elif op == OP_GT_INT_K:
        gt_int_k(a.lanes, pc.imm.i, b.n, b.bits)
    else:
        eq_int_k(a.lanes, pc.imm.i, b.n, b.bits)
    if same:                            # null is equal to no constant of an instruction
        and_into(b.bits, a.valid, b.words)
    settled(b, pc, rows, a.valid, a.null, a.error, same)


cdef void compare_rows(
    Block* b, const Ins* pc, int op, const Register* a, const Register* c, const uint64_t* rows
) noexcept nogil:
    """EQ, LT or LE of any two registers: null equals null and nothing else, and has no order."""
    cdef uint64_t* both = b.both
    pair_masks(
        a.valid, a.null, a.error, c.valid, c.null, c.error, both, both + b.words, both + 2 * b.words, both + 3 * b.words,
        b.words,
    )
    if not compare_valid(b, pc, op, a, c, rows):
        memset(both, 0, b.words * 8)    # what is valid is open
        memset(b.bits, 0, b.words * 8)
    if op == OP_EQ:
        and_into(b.bits, both, b.words)
        or_into(b.bits, both + 3 * b.words, b.words)
    settled(b, pc, rows, both, both + b.words, both + 2 * b.words, op == OP_EQ)

cdef bint compare_valid(Block* b, const Ins* pc, int op, const Register* a, const Register* c, const uint64_t* rows) noexcept nogil:
    """The bits of the rows that are valid in both; false where that is not known."""
    cdef const int64_t* x
    cdef const int64_t* y
    cdef int64_t w
    cdef uint64_t p, q
    if not any_bit(b.both, b.words):
        memset(b.bits, 0, b.words * 8)
        return True
    if a.tag == TAG_STRING and c.tag == TAG_STRING:
        return op == OP_EQ and same_texts(b, pc, a, c, rows)
    if a.tag == TAG_BOOL and c.tag == TAG_BOOL:
        for w in range(b.words):
            p = a.truth[w] if not a.constant else (~<uint64_t>0 if a.whole.i else 0)
            q = c.truth[w] if not c.constant else (~<uint64_t>0 if c.whole.i else 0)
            b.bits[w] = ~(p ^ q) if op == OP_EQ else ~p & q if op == OP_LT else ~p | q
        return True
    if is_number_tag(a.tag) and is_number_tag(c.tag) and (a.tag != c.tag or a.tag == TAG_UINT):
        compare_numbers(b, op, a, c, rows)
        return True
    if a.tag != c.tag or not (is_whole(a.tag) or a.tag == TAG_DOUBLE):
        return False
    x = numbers(b, a, b.some)
    y = numbers(b, c, b.more)
    if a.tag == TAG_DOUBLE:
        if op == OP_EQ:
            eq_double(<const double*>x, <const double*>y, b.n, b.bits)
        elif op == OP_LT:
            lt_double(<const double*>x, <const double*>y, b.n, b.bits)
        else:
            le_double(<const double*>x, <const double*>y, b.n, b.bits)
    elif op == OP_EQ:
        eq_int(x, y, b.n, b.bits)
    elif op == OP_LT:
        lt_int(x, y, b.n, b.bits)
    else:
        le_int(x, y, b.n, b.bits)
    return True

cdef void make_constant(Block* b, Register* r, int tag) noexcept nogil:
    memset(r, 0, sizeof(Register))
    r.constant = True
    r.tag = tag
    point_masks(b, r)

cdef inline int order_any_numbers(const Cell* a, const Cell* b) noexcept nogil:
    return 0 if stands_for(a, b) or stands_for(b, a) else order_numbers(a, b)

cdef inline bint is_number_tag(int tag) noexcept nogil:
    return TAG_INT <= tag <= TAG_DOUBLE

cdef void compare_numbers(Block* b, int op, const Register* a, const Register* c, const uint64_t* rows) noexcept nogil:
    """Numbers of two types, one by one: exact by value."""
    cdef int64_t w, i
    cdef uint64_t word
    cdef Cell x, y
    cdef int found
    memset(b.bits, 0, b.words * 8)
    x.tag = a.tag
    y.tag = c.tag
    for w in range(b.words):
        word = rows[w] & b.both[w]
        while word:
            i = 64 * w + lowest(word)
            word &= word - 1
            x.v.i = a.whole.i if a.constant else a.lanes[i]
            y.v.i = c.whole.i if c.constant else c.lanes[i]
            found = order_numbers(&x, &y) if op == OP_EQ else order_any_numbers(&x, &y)
            if found == 0 and op != OP_LT or found == -1 and op != OP_EQ:
                b.bits[w] |= <uint64_t>1 << (i & 63)


# Texts ----------------------------------------------------------------------------------------------

cdef inline int order_text(const char* x, int64_t m, const Known* y) noexcept nogil:
    """By size, then by bytes."""
    if m != y.size:
        return -1 if m < y.size else 1
    return memcmp(x, y.text, m)

cdef inline bint is_one_of(const char* x, int64_t m, const Known* texts, int count) noexcept nogil:
    cdef int low = 0, middle, found
    if count <= FEW:
        for low in range(count):
            if texts[low].size == m and equal_bytes(x, texts[low].text, m):
                return True
        return False
    while low < count:
        middle = (low + count) // 2
        found = order_text(x, m, &texts[middle])
        if found == 0:
            return True
        if found < 0:
            count = middle
        else:
            low = middle + 1
    return False

cdef bint ask_texts(
    Block* b, int64_t at, const Register* a, const Known* texts, int count, const uint64_t* rows
) noexcept nogil:
    """The bits of the valid texts that are one of these; false where there is no memory."""
    cdef const Column* column = &b.columns[a.column]
    cdef int64_t w, i, size
    cdef uint64_t word, found
    cdef const char* text
    cdef const int32_t* ends
    if count < 0:                       # a set with long texts
        return False
    memset(b.bits, 0, b.words * 8)
    if FORM_INDEX8 <= column.form <= FORM_INDEX64 and b.columns[column.inside].length <= MOST_ANSWERS:
        return ask_dictionary(b, at, a, texts, count, rows)
    if column.form == FORM_TEXT32 and a.width == 0:
        ends = <const int32_t*>column.data + b.start
        for w in range(b.words):
            word = rows[w] & a.valid[w]
            found = 0
            while word:
                i = 64 * w + lowest(word)
                if is_one_of(column.text + ends[i], ends[i + 1] - ends[i], texts, count):
                    found |= word & (~word + 1)
                word &= word - 1
            b.bits[w] = found
        return True
    for w in range(b.words):
        word = rows[w] & a.valid[w]
        while word:
            i = 64 * w + lowest(word)
            word &= word - 1
            size = 0
            text = text_at(b.columns, column, place_of(a, b.start, i), &size)
            if text != NULL and is_one_of(text, size, texts, count):
                b.bits[w] |= <uint64_t>1 << (i & 63)
    return True

cdef bint ask_dictionary(
    Block* b, int64_t at, const Register* a, const Known* texts, int count, const uint64_t* rows
) noexcept nogil:
    """The same by index: the answer for each value of the dictionary is worked out once."""
    cdef const Column* column = &b.columns[a.column]
    cdef int64_t values = b.columns[column.inside].length
    cdef int64_t i, size
    cdef const char* text
    cdef uint8_t* answers = b.answers[at]
    cdef uint32_t few = 0
    if b.answered[at] != column.inside:
        PyMem_RawFree(answers)
        b.answers[at] = answers = <uint8_t*>PyMem_RawCalloc(values + 1, 1)
        if answers == NULL:
            b.answered[at] = -1
            return False
        b.answered[at] = column.inside
        for i in range(values):
            size = 0
            text = text_at(b.columns, &b.columns[column.inside], i, &size)
            answers[i] = text != NULL and is_one_of(text, size, texts, count)
    if values < 32 and (a.width < 8 or a.lanes != <const int64_t*>a.data):
        for i in range(values):
            few |= <uint32_t>answers[i] << i
        if a.width == 8:
            few_rows(a.lanes, few, rows, b.words, b.bits)
        elif a.width == 1:
            few_8(<const uint8_t*>a.data, few, b.n, b.bits)
        elif a.width == 2:
            few_16(<const uint16_t*>a.data, few, b.n, b.bits)
        else:
            few_32(<const uint32_t*>a.data, few, b.n, b.bits)
    elif a.width == 1:
        look_8(<const uint8_t*>a.data, answers, values, b.n, b.bits)
    elif a.width == 2:
        look_16(<const uint16_t*>a.data, answers, values, b.n, b.bits)
    elif a.width == 4:
        look_32(<const uint32_t*>a.data, answers, values, b.n, b.bits)
    else:
        look_64(<const uint64_t*>a.lanes, answers, values, b.n, b.bits)
    return True

cdef bint same_texts(Block* b, const Ins* pc, const Register* a, const Register* c, const uint64_t* rows) noexcept nogil:
    """Whether texts are equal, row by row; a comparison that `run` would count leaves its row open."""
    cdef const char* x
    cdef const char* y
    cdef int64_t w, i, m, n
    cdef uint64_t word
    if a.constant and c.constant:
        memset(b.bits, 255 if order_text(a.known.text, a.known.size, &c.known) == 0 else 0, b.words * 8)
        return True
    if c.constant:
        return ask_texts(b, pc - b.code, a, &c.known, 1, rows)
    if a.constant:
        return ask_texts(b, pc - b.code, c, &a.known, 1, rows)
    memset(b.bits, 0, b.words * 8)
    for w in range(b.words):
        word = rows[w] & b.both[w]
        while word:
            i = 64 * w + lowest(word)
            word &= word - 1
            m = n = 0
            x = text_at(b.columns, &b.columns[a.column], place_of(a, b.start, i), &m)
            y = text_at(b.columns, &b.columns[c.column], place_of(c, b.start, i), &n)
            if m == n and m > LONG_WORDS:
                b.both[w] &= ~(<uint64_t>1 << (i & 63))
            elif x != NULL and y != NULL and m == n and memcmp(x, y, m) == 0:
                b.bits[w] |= <uint64_t>1 << (i & 63)
    return True

cdef void test_set(Block* b, BlockCode m, const Ins* pc, const Register* a, const uint64_t* rows) noexcept nogil:
    """IN_SET: an error value has no answer, and what is no text is not in it."""
    cdef bint asked = True
    memset(b.bits, 0, b.words * 8)
    if a.tag == TAG_STRING and a.constant:
        if m.set_sizes[pc.k] < 0:
            asked = False
        elif is_one_of(a.known.text, a.known.size, m.sets[pc.k], m.set_sizes[pc.k]):
            memset(b.bits, 255, b.words * 8)
    elif a.tag == TAG_STRING:
        asked = ask_texts(b, pc - b.code, a, m.sets[pc.k], m.set_sizes[pc.k], rows)
    and_into(b.bits, a.valid, b.words)
    settled(b, pc, rows, a.valid if asked else b.zeros, a.null, a.error, True)

cdef void test_list(Block* b, const Ins* pc, const Register* a, const Register* c, const uint64_t* rows) noexcept nogil:
    """IN a constant list of numbers, bools and texts; any other source leaves its rows open."""
    cdef PyObject* items
    cdef int64_t w, i, at
    cdef uint64_t word
    cdef Cell x
    memset(b.bits, 0, b.words * 8)
    for w in range(b.words):
        b.good[w] = a.valid[w]
        b.none[w] = ~a.valid[w]
    if not (c.constant and c.plain and is_number_tag(a.tag)):
        memset(b.none, 255, b.words * 8)
        branch(b, pc, rows)
        return
    for w in range(b.words):
        word = rows[w] & a.valid[w]
        while word:
            i = 64 * w + lowest(word)
            word &= word - 1
            x.tag = a.tag
            x.v.i = a.whole.i if a.constant else a.lanes[i]
            for at in range(c.count):
                if order_numbers(&x, &c.plain[at]) == 0:
                    b.bits[w] |= <uint64_t>1 << (i & 63)
                    break
    branch(b, pc, rows)


# Values ---------------------------------------------------------------------------------------------

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
                i = 64 * w + lowest(word)
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
                    i = 64 * w + lowest(word)
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
            i = 64 * w + lowest(word)
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
            i = 64 * w + lowest(word)
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
                i = 64 * w + lowest(word)
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
                i = 64 * w + lowest(word)
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


# Loops ----------------------------------------------------------------------------------------------

cdef void start_loops(Block* b, BlockCode m, const Ins* pc, const Register* a, Register* c, const uint64_t* rows) noexcept nogil:
    """ITER: the rows with a list go on behind it; a very long list leaves its row open."""
    cdef const Column* column = &b.columns[a.column]
    cdef int64_t w, i
    cdef uint64_t word
    for w in range(b.words):
        b.good[w] = rows[w] & a.valid[w]
        b.none[w] = rows[w] & ~known_of(a, w)
        b.e[w] = rows[w] & (a.null[w] | a.error[w])
    if a.tag != TAG_LIST or a.constant:
        for w in range(b.words):
            b.none[w] |= b.good[w]
            b.good[w] = 0
    else:
        measure(b, a, c.sizes, b.good)
        le_int_k(c.sizes, m.longest, b.n, b.bits)
        for w in range(b.words):
            b.none[w] |= b.good[w] & ~b.bits[w]
            b.good[w] &= b.bits[w]
        c.tag = TAG_ITERATOR
        c.column = column.inside
        if a.width == 0 and WIDTHS[column.form] == 4:
            starts_32(<const int32_t*>column.data + b.start, b.n, c.lanes)
        elif a.width == 0:
            memcpy(c.lanes, <const int64_t*>column.data + b.start, b.n * 8)
        else:
            for w in range(b.words):
                word = b.good[w]
                while word:
                    i = 64 * w + lowest(word)
                    word &= word - 1
                    c.lanes[i] = offset_at(column, place_of(a, b.start, i))
        memset(c.null, 0, b.words * 8)
        memset(c.error, 0, b.words * 8)
        memcpy(c.valid, b.good, b.words * 8)
    leave(b, b.none)
    if any_bit(b.e, b.words):
        go(b, pc.e, b.e)
    if any_bit(b.good, b.words):
        go(b, <int32_t>(pc - b.code) + 1, b.good)
    b.loops[pc - b.code + 1].turn = 0

cdef void next_turn(Block* b, const Ins* pc, const Register* a, Register* c, const uint64_t* rows) noexcept nogil:
    """NEXT: rows whose list has a further element go to t with it, the others to f."""
    cdef Loop* loop = &b.loops[pc - b.code]
    cdef int ways
    ways = more(a.sizes, loop.turn, rows, b.words, b.good, b.f)
    if ways & 1:
        if b.columns[a.column].form == FORM_RECORD and b.columns[a.column].valid == NULL:
            begin(b, c, TAG_RECORD, a.column, b.good)
            plus(a.lanes, loop.turn, b.good, b.words, c.lanes)
            or_into(c.valid, b.good, b.words)
        else:
            plus(a.lanes, loop.turn, b.good, b.words, b.some)
            load_lanes(b, a.column, b.some, b.good, c)
        go(b, pc.t, b.good)
    if ways & 2:
        go(b, pc.f, b.f)
    loop.turn += 1


# Text atoms -----------------------------------------------------------------------------------------

cdef void find_atoms(Block* b, BlockCode m, const Ins* pc, const uint64_t* rows) noexcept nogil:
    """ATOM: every group is scanned once per row, for the rows that ask for it."""
    cdef int group = m.machine.atom_group[pc.k]
    cdef const Register* a = &b.r[m.machine.group_slot[group]]
    cdef uint64_t* scanned = b.scanned + group * b.words
    cdef uint64_t* failed = b.failed + group * b.words
    cdef int64_t w
    for w in range(b.words):
        b.none[w] = ~known_of(a, w) | (a.valid[w] if a.tag != TAG_STRING else 0)
        b.good[w] = rows[w] & a.valid[w] & ~b.none[w] & ~scanned[w]
    if any_bit(b.good, b.words):
        with gil:
            scan_rows(b, m, group, a)
    for w in range(b.words):
        scanned[w] |= b.good[w]
        b.good[w] = a.valid[w] & ~failed[w]
        b.bits[w] = b.atoms[pc.k * b.words + w]
    branch(b, pc, rows)

cdef void scan_rows(Block* b, BlockCode m, int group, const Register* a) noexcept:
    cdef const Column* column = &b.columns[a.column]
    cdef Scanner scanner = <Scanner>m.machine.scanners[group]
    cdef int64_t w, i, size, number
    cdef int atom, told
    cdef uint64_t word, bit
    cdef const char* text
    for w in range(b.words):
        word = b.good[w]
        while word:
            i = 64 * w + lowest(word)
            bit = word & (~word + 1)
            word &= word - 1
            size = 0
            text = text_at(b.columns, column, place_of(a, b.start, i), &size)
            try:
                memset(b.found, 0, m.machine.atom_count)
                told = 0 if text == NULL else scanner.scan(None, text, size, b.found)
            except BaseException:
                told = 0
                b.open[w] |= bit
            if not told:
                b.failed[group * b.words + w] |= bit
            for atom in range(m.machine.atom_count):
                if m.machine.atom_group[atom] == group:
                    b.atoms[atom * b.words + w] &= ~bit
                    if b.found[atom]:
                        b.atoms[atom * b.words + w] |= bit


# The pass -------------------------------------------------------------------------------------------

cdef void run_block(BlockCode m, Block* b) noexcept nogil:
    """Set the masks of the block's outcomes."""
    cdef int32_t i = 0
    cdef int32_t loop
    while i < m.count:
        if b.live[i]:
            b.live[i] = 0
            memcpy(b.now, b.reach + i * b.words, b.words * 8)
            memset(b.reach + i * b.words, 0, b.words * 8)
            step(m, b, &m.code[i], b.now)
        loop = m.ends[i]
        while loop >= 0 and not b.live[loop]:
            loop = m.loops[loop].outer
        i = loop if loop >= 0 else i + 1

cdef void step(BlockCode m, Block* b, const Ins* pc, uint64_t* rows) noexcept nogil:
    """One instruction for the rows that reach it."""
    cdef Register* r = b.r
    cdef const Register* a = &r[pc.a]
    cdef int64_t w
    cdef int op = pc.op
    if OP_EQ_INT_K <= op <= OP_GE_INT_K:
        compare_k(b, pc, a, TAG_INT, rows)
    elif OP_EQ_DOUBLE_K <= op <= OP_GE_DOUBLE_K:
        compare_k(b, pc, a, TAG_DOUBLE, rows)
    elif op == OP_IN_SET:
        test_set(b, m, pc, a, rows)
    elif op == OP_EQ_STRING or op == OP_EQ_INT or op == OP_EQ_DOUBLE or op == OP_EQ_TIME or op == OP_EQ:
        compare_rows(b, pc, OP_EQ, a, &r[pc.b], rows)
    elif op == OP_LT_INT or op == OP_LT_DOUBLE or op == OP_LT_TIME or op == OP_LT:
        compare_rows(b, pc, OP_LT, a, &r[pc.b], rows)
    elif op == OP_LE_INT or op == OP_LE_DOUBLE or op == OP_LE_TIME or op == OP_LE:
        compare_rows(b, pc, OP_LE, a, &r[pc.b], rows)
    elif op == OP_JUMP:
        go(b, pc.t, rows)
    elif op == OP_VIOLATED:
        or_into(b.violated + pc.k * b.words, rows, b.words)
        go(b, pc.t, rows)
    elif op == OP_UNKNOWN:
        or_into(b.unknown + pc.k * b.words, rows, b.words)
        go(b, pc.t, rows)
    elif op == OP_SKIPPED:
        or_into(b.skipped + pc.k * b.words, rows, b.words)
        go(b, pc.t, rows)
    elif op == OP_TEST:
        memcpy(b.bits, a.truth, b.words * 8)
        if a.tag == TAG_BOOL:
            settled(b, pc, rows, a.valid, a.null, a.error, False)
        else:                           # what is no bool
            settled(b, pc, rows, b.zeros, a.null, a.valid, False)
    elif op == OP_PRESENT:
        for w in range(b.words):
            b.good[w] = ~<uint64_t>0
            b.bits[w] = a.valid[w] if a.width >= 0 else ~(a.null[w] | a.error[w])
            b.none[w] = ~(b.bits[w] | a.null[w] | a.gone[w])
        branch(b, pc, rows)
    elif op == OP_IS_ERROR:
        for w in range(b.words):
            b.good[w] = ~<uint64_t>0
            b.bits[w] = a.error[w]
            b.none[w] = ~known_of(a, w)
        branch(b, pc, rows)
    elif op == OP_SET_BOOL:
        set_truth(b, &r[pc.c], pc.imm.i != 0, rows)
        go(b, <int32_t>(pc - b.code) + 1, rows)
    elif op == OP_ATOM:
        find_atoms(b, m, pc, rows)
    elif op == OP_IN:
        test_list(b, pc, a, &r[pc.b], rows)
    elif op == OP_HAS_MEMBER:
        has_field(b, pc, a, rows)
    elif op == OP_NEXT:
        next_turn(b, pc, a, &r[pc.b], rows)
    elif op == OP_ITER:
        start_loops(b, m, pc, a, &r[pc.c], rows)
    elif op == OP_OUTSIDE:
        or_into(b.outside, rows, b.words)
    elif op == OP_ALL_UNKNOWN:
        for w in range(m.clauses):
            or_into(b.unknown + w * b.words, rows, b.words)
    elif op != OP_HALT:
        make_value(b, pc, a, rows)

cdef void make_value(Block* b, const Ins* pc, const Register* a, uint64_t* rows) noexcept nogil:
    """The instructions that write a register and go on behind; others leave their rows open."""
    cdef Register* c = &b.r[pc.c]
    cdef const Register* d = &b.r[pc.b]
    cdef int64_t w
    if pc.op == OP_MEMBER:
        read_member(b, pc, a, c, rows)
    elif pc.op == OP_MOVE:
        move(b, a, c, rows)
    elif pc.op == OP_SET_ERROR:
        set_error(b, c, (pc.imm.i & 0xFF) == ERR_NULL_OPERAND, rows)
    elif pc.op == OP_ADD_INT or pc.op == OP_ADD_DOUBLE:
        calculate(b, FN_ADD, a, d, c, rows)
    elif pc.op == OP_SUBTRACT_INT or pc.op == OP_SUBTRACT_DOUBLE:
        calculate(b, FN_SUBTRACT, a, d, c, rows)
    elif pc.op == OP_MULTIPLY_DOUBLE:
        calculate(b, FN_MULTIPLY, a, d, c, rows)
    elif pc.op == OP_CALL1 and pc.k == FN_SIZE:
        sizes_of(b, a, c, rows)
    elif pc.op == OP_CALL1 and (pc.k == FN_NEGATE or (pc.k == FN_TO_DOUBLE and a.tag == TAG_INT)):
        calculate(b, pc.k, a, a, c, rows)
    elif (
        pc.op == OP_CALL2 and (pc.k == FN_STARTS_WITH or pc.k == FN_ENDS_WITH)
        and a.tag == TAG_STRING and not a.constant and d.constant and d.tag == TAG_STRING
    ):
        test_end(b, pc.k, a, d, c, rows)
    elif pc.op == OP_CALL2 and FN_ADD <= pc.k <= FN_DIVIDE:
        calculate(b, pc.k, a, d, c, rows)
    else:
        leave(b, rows)
        return
    split(rows, b.open, b.t, b.f, b.words)
    go(b, <int32_t>(pc - b.code) + 1, b.f)
