# Conditions of a block: what a comparison, a membership or a list says of the rows that reach it.
#
# Needs: blocks.pxi.        Gives: go(), branch(), settled(), compare_valid(), test_set(), test_list().
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
            i = 64 * w + pact_lowest(word)
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
            i = 64 * w + pact_lowest(word)
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
                i = 64 * w + pact_lowest(word)
                if is_one_of(column.text + ends[i], ends[i + 1] - ends[i], texts, count):
                    found |= word & (~word + 1)
                word &= word - 1
            b.bits[w] = found
        return True
    for w in range(b.words):
        word = rows[w] & a.valid[w]
        while word:
            i = 64 * w + pact_lowest(word)
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
            i = 64 * w + pact_lowest(word)
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
            i = 64 * w + pact_lowest(word)
            word &= word - 1
            x.tag = a.tag
            x.v.i = a.whole.i if a.constant else a.lanes[i]
            for at in range(c.count):
                if order_numbers(&x, &c.plain[at]) == 0:
                    b.bits[w] |= <uint64_t>1 << (i & 63)
                    break
    branch(b, pc, rows)
