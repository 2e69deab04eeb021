# The sweep: one pass over the code, each instruction for all rows of a block that reach it.
#
# Needs: conditions.pxi, lanes.pxi.        Gives: run_block().

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
                    i = 64 * w + pact_lowest(word)
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
            i = 64 * w + pact_lowest(word)
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
