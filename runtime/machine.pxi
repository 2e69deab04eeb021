# The machine: runs a verified program over one record.
#
# Owns:  nothing.  Code and constants are the machine's (face.pxi), registers the frame's.
# Needs: everything before it.        Gives: run().
# Trust: code.pxi has proved that registers, targets and numbers are in range and that loops end.
# A clause that is satisfied costs no instruction of its own: its conditions jump on to the next one.

cdef enum:
    FEW = 16                # texts of a set that are compared one by one

cdef struct ConstSet:
    PyObject** items        # borrowed from Machine.kept
    Py_ssize_t* lengths
    int count
    Py_ssize_t longest
    PyObject* whole         # the same as a frozenset


cdef inline int in_set(const ConstSet* texts, PyObject* text, Frame frame) noexcept:
    """1, 0 or -1; few are compared, those of equal length only; many are looked up by hash."""
    cdef int i, result
    cdef Py_ssize_t length = PyUnicode_GET_LENGTH(text)
    if texts.count <= FEW:
        for i in range(texts.count):
            if texts.lengths[i] == length:
                result = same_text(texts.items[i], text, frame)
                if result:
                    return result
        return 0
    if length > texts.longest:          # its hash would go through the whole of it
        return 0
    if not frame.spend(length >> 8):
        return -1
    try:
        return plain_text(text) in <frozenset>texts.whole
    except Exception:
        return -1


cdef void run(Machine m, Frame frame) noexcept:
    """Set the frame's masks for the record whose slots are loaded."""
    run_from(m, frame, m.code, 0)


cdef void run_from(Machine m, Frame frame, const Ins* code, int start) noexcept:
    """Go through this code, all of it the machine's own, from here to where it halts."""
    cdef Cell* r = frame.cells
    cdef const Ins* pc = code + start
    cdef const Cell* a
    cdef const Cell* b
    cdef Cell* c
    cdef int result

    frame.used = True
    # Every test below compares `pc.op` with constants, so that C makes one jump table of them all.
    while True:
        a = &r[pc.a]

        # Conditions on typed operands: compare, and go on where it says.
        if pc.op == OP_LE_DOUBLE_K:
            if a.tag == TAG_DOUBLE:
                pc = code + (pc.t if a.v.d <= pc.imm.d else pc.f)
            else:
                pc = code + compare_constant(pc, a, TAG_DOUBLE, frame)
        elif pc.op == OP_LT_DOUBLE_K:
            if a.tag == TAG_DOUBLE:
                pc = code + (pc.t if a.v.d < pc.imm.d else pc.f)
            else:
                pc = code + compare_constant(pc, a, TAG_DOUBLE, frame)
        elif pc.op == OP_GE_DOUBLE_K:
            if a.tag == TAG_DOUBLE:
                pc = code + (pc.t if a.v.d >= pc.imm.d else pc.f)
            else:
                pc = code + compare_constant(pc, a, TAG_DOUBLE, frame)
        elif pc.op == OP_GT_DOUBLE_K:
            if a.tag == TAG_DOUBLE:
                pc = code + (pc.t if a.v.d > pc.imm.d else pc.f)
            else:
                pc = code + compare_constant(pc, a, TAG_DOUBLE, frame)
        elif pc.op == OP_EQ_DOUBLE_K:
            if a.tag == TAG_DOUBLE:
                pc = code + (pc.t if a.v.d == pc.imm.d else pc.f)
            else:
                pc = code + compare_constant(pc, a, TAG_DOUBLE, frame)
        elif pc.op == OP_LE_INT_K:
            if a.tag == TAG_INT:
                pc = code + (pc.t if a.v.i <= pc.imm.i else pc.f)
            else:
                pc = code + compare_constant(pc, a, TAG_INT, frame)
        elif pc.op == OP_LT_INT_K:
            if a.tag == TAG_INT:
                pc = code + (pc.t if a.v.i < pc.imm.i else pc.f)
            else:
                pc = code + compare_constant(pc, a, TAG_INT, frame)
        elif pc.op == OP_GE_INT_K:
            if a.tag == TAG_INT:
                pc = code + (pc.t if a.v.i >= pc.imm.i else pc.f)
            else:
                pc = code + compare_constant(pc, a, TAG_INT, frame)
        elif pc.op == OP_GT_INT_K:
            if a.tag == TAG_INT:
                pc = code + (pc.t if a.v.i > pc.imm.i else pc.f)
            else:
                pc = code + compare_constant(pc, a, TAG_INT, frame)
        elif pc.op == OP_EQ_INT_K:
            if a.tag == TAG_INT:
                pc = code + (pc.t if a.v.i == pc.imm.i else pc.f)
            else:
                pc = code + compare_constant(pc, a, TAG_INT, frame)
        elif pc.op == OP_EQ_STRING:
            b = &r[pc.b]
            if a.tag == TAG_STRING and b.tag == TAG_STRING:
                result = same_text(a.v.o, b.v.o, frame)
                pc = code + (pc.t if result > 0 else pc.f if result == 0 else pc.e)
            else:
                pc = code + compare_any(pc, OP_EQ, a, b, frame)
        elif pc.op == OP_IN_SET:
            if a.tag == TAG_STRING:
                result = in_set(&m.sets[pc.k], a.v.o, frame)
                pc = code + (pc.t if result > 0 else pc.f if result == 0 else pc.e)
            else:
                pc = code + (pc.e if a.tag == TAG_ERROR else pc.f)
        elif pc.op == OP_LE_INT:
            b = &r[pc.b]
            if a.tag == TAG_INT and b.tag == TAG_INT:
                pc = code + (pc.t if a.v.i <= b.v.i else pc.f)
            else:
                pc = code + compare_any(pc, OP_LE, a, b, frame)
        elif pc.op == OP_LT_INT:
            b = &r[pc.b]
            if a.tag == TAG_INT and b.tag == TAG_INT:
                pc = code + (pc.t if a.v.i < b.v.i else pc.f)
            else:
                pc = code + compare_any(pc, OP_LT, a, b, frame)
        elif pc.op == OP_EQ_INT:
            b = &r[pc.b]
            if a.tag == TAG_INT and b.tag == TAG_INT:
                pc = code + (pc.t if a.v.i == b.v.i else pc.f)
            else:
                pc = code + compare_any(pc, OP_EQ, a, b, frame)
        elif pc.op == OP_LE_DOUBLE:
            b = &r[pc.b]
            if a.tag == TAG_DOUBLE and b.tag == TAG_DOUBLE:
                pc = code + (pc.t if a.v.d <= b.v.d else pc.f)
            else:
                pc = code + compare_any(pc, OP_LE, a, b, frame)
        elif pc.op == OP_LT_DOUBLE:
            b = &r[pc.b]
            if a.tag == TAG_DOUBLE and b.tag == TAG_DOUBLE:
                pc = code + (pc.t if a.v.d < b.v.d else pc.f)
            else:
                pc = code + compare_any(pc, OP_LT, a, b, frame)
        elif pc.op == OP_EQ_DOUBLE:
            b = &r[pc.b]
            if a.tag == TAG_DOUBLE and b.tag == TAG_DOUBLE:
                pc = code + (pc.t if a.v.d == b.v.d else pc.f)
            else:
                pc = code + compare_any(pc, OP_EQ, a, b, frame)
        elif pc.op == OP_LE_TIME:
            b = &r[pc.b]
            if a.tag == b.tag and (a.tag == TAG_DURATION or a.tag == TAG_TIMESTAMP):
                pc = code + (pc.t if a.v.i < b.v.i or (a.v.i == b.v.i and a.aux <= b.aux) else pc.f)
            else:
                pc = code + compare_any(pc, OP_LE, a, b, frame)
        elif pc.op == OP_LT_TIME:
            b = &r[pc.b]
            if a.tag == b.tag and (a.tag == TAG_DURATION or a.tag == TAG_TIMESTAMP):
                pc = code + (pc.t if a.v.i < b.v.i or (a.v.i == b.v.i and a.aux < b.aux) else pc.f)
            else:
                pc = code + compare_any(pc, OP_LT, a, b, frame)
        elif pc.op == OP_EQ_TIME:
            b = &r[pc.b]
            pc = code + compare_any(pc, OP_EQ, a, b, frame)

        # Conditions on any operands.
        elif pc.op == OP_EQ or pc.op == OP_LT or pc.op == OP_LE:
            b = &r[pc.b]
            pc = code + compare_any(pc, pc.op, a, b, frame)
        elif pc.op == OP_TEST:
            if a.tag == TAG_BOOL:
                pc = code + (pc.t if a.v.i else pc.f)
            else:
                pc = code + pc.e
        elif pc.op == OP_PRESENT:
            pc = code + (pc.f if absent(a) else pc.t)
        elif pc.op == OP_IN:
            b = &r[pc.b]
            result = contains(a, b, frame)
            pc = code + (pc.t if result > 0 else pc.f if result == 0 else pc.e)
        elif pc.op == OP_ATOM:
            result = m.find_atom(frame, pc.k)
            pc = code + (pc.t if result > 0 else pc.f if result == 0 else pc.e)
        elif pc.op == OP_MATCH:
            result = m.match(frame, pc.k, a)
            pc = code + (pc.t if result > 0 else pc.f if result == 0 else pc.e)
        elif pc.op == OP_HAS_KEY:
            b = &r[pc.b]
            result = has_key(a, b, frame)
            pc = code + (pc.t if result > 0 else pc.f if result == 0 else pc.e)
        elif pc.op == OP_HAS_MEMBER:
            result = has_member(pc, a, frame)
            pc = code + (pc.t if result > 0 else pc.f if result == 0 else pc.e)
        elif pc.op == OP_HAS_VALUE:
            result = holds(a)
            pc = code + (pc.t if result > 0 else pc.f if result == 0 else pc.e)
        elif pc.op == OP_IS_ERROR:
            pc = code + (pc.t if a.tag == TAG_ERROR else pc.f)

        # Outcomes.
        elif pc.op == OP_VIOLATED:
            frame.violated[pc.k >> 6] |= <uint64_t>1 << (pc.k & 63)
            pc = code + pc.t
        elif pc.op == OP_UNKNOWN:
            frame.unknown[pc.k >> 6] |= <uint64_t>1 << (pc.k & 63)
            pc = code + pc.t
        elif pc.op == OP_SKIPPED:
            frame.skipped[pc.k >> 6] |= <uint64_t>1 << (pc.k & 63)
            pc = code + pc.t
        elif pc.op == OP_JUMP:
            pc = code + pc.t
        elif pc.op == OP_HALT:
            return
        elif pc.op == OP_RESULT:
            frame.result = a[0]
            return
        elif pc.op == OP_OUTSIDE:
            frame.outside = True
            return
        elif pc.op == OP_SESSION:
            pc = code + (pc.t if m.enter(frame, a) else pc.f)
        elif pc.op == OP_OPERATE:
            m.operate(frame, pc, a, &r[pc.b], &r[pc.c])
            pc += 1
        elif pc.op == OP_ALL_UNKNOWN:
            frame.doubtful = True
            for result in range(m.clauses):
                frame.unknown[result >> 6] |= <uint64_t>1 << (result & 63)
            return

        # Loops.
        elif pc.op == OP_ITER:
            if start_loop(&r[pc.c], a, frame):
                pc += 1
            else:
                pc = code + pc.e
        elif pc.op == OP_NEXT:
            pc = code + (pc.t if next_element(&r[pc.a], &r[pc.b], pc.k, frame) else pc.f)
            if frame.steps < 0:
                return
        elif pc.op == OP_APPEND:
            b = &r[pc.b]
            pc = code + pc.e if append(&r[pc.a], b, frame) < 0 else pc + 1
        elif (
            pc.op == OP_APPEND_OPTIONAL or pc.op == OP_PUT or pc.op == OP_PUT_OPTIONAL or pc.op == OP_MERGE
        ):
            pc = code + pc.e if extend(pc, &r[pc.a], &r[pc.b], &r[pc.c], frame) < 0 else pc + 1

        # Conditions as values, without a jump.
        elif pc.op == OP_AND:
            pact_combine(<PactCell*>&r[pc.c], <PactCell*>a, <PactCell*>&r[pc.b], pc.k & 3)
            pc += 1
        elif pc.op == OP_OR:
            pact_combine(<PactCell*>&r[pc.c], <PactCell*>a, <PactCell*>&r[pc.b], pc.k & 3 | 4)
            pc += 1
        elif pc.op == OP_NOT:
            pact_say(<PactCell*>&r[pc.c], pact_not(pact_answer(<PactCell*>a)))
            pc += 1
        elif pc.op == OP_EQUALS:
            b = &r[pc.b]
            if a.tag == TAG_STRING and b.tag == TAG_STRING:
                result = same_text(a.v.o, b.v.o, frame)
            else:
                result = equal(a, b, frame, 0)
            pact_say(<PactCell*>&r[pc.c], 2 if result < 0 else result != 0)
            pc += 1
        elif pc.op == OP_JUDGE:
            pact_judge(
                <PactCell*>a, <PactCell*>&r[pc.b], pc.imm.i != 0, <uint64_t>1 << (pc.k & 63),
                &frame.violated[pc.k >> 6], &frame.unknown[pc.k >> 6], &frame.skipped[pc.k >> 6],
            )
            pc += 1

        # Values.
        elif pc.op == OP_ADD_INT:
            b = &r[pc.b]
            if a.tag == TAG_INT and b.tag == TAG_INT:
                arithmetic_int(FN_ADD, &r[pc.c], a.v.i, b.v.i)
            else:
                compute(m, pc, &r[pc.c], frame)
            pc += 1
        elif pc.op == OP_SUBTRACT_INT:
            b = &r[pc.b]
            if a.tag == TAG_INT and b.tag == TAG_INT:
                arithmetic_int(FN_SUBTRACT, &r[pc.c], a.v.i, b.v.i)
            else:
                compute(m, pc, &r[pc.c], frame)
            pc += 1
        elif pc.op == OP_CALL1:
            if pc.k == FN_SIZE and a.tag == TAG_LIST:
                set_int(&r[pc.c], list_size(a.v.o))
            else:
                compute(m, pc, &r[pc.c], frame)
            pc += 1
        elif pc.op == OP_MEMBER:
            member(pc, &r[pc.c], a, frame)
            pc += 1
        elif pc.op == OP_KEY:
            key(&r[pc.c], a, &r[pc.b], frame)
            pc += 1
        elif pc.op == OP_MOVE:
            c = &r[pc.c]
            c[0] = a[0]
            if c.tag == TAG_ITERATOR:
                fail(c, ERR_LIMIT)
            pc += 1
        elif pc.op == OP_SET_BOOL:
            set_bool(&r[pc.c], pc.imm.i != 0)
            pc += 1
            if pc.op == OP_JUMP:                # the end of a condition whose value is wanted
                pc = code + pc.t
        elif pc.op == OP_SET_ERROR:
            fail(&r[pc.c], <int32_t>(pc.imm.i & 0xFF))
            pc += 1
        else:
            compute(m, pc, &r[pc.c], frame)
            pc += 1


cdef void compute(Machine m, const Ins* pc, Cell* c, Frame frame) noexcept:
    """The less frequent instructions that make a value."""
    cdef Cell* r = frame.cells
    cdef Cell pair[2]
    if pc.op == OP_CALL1:
        call(pc.k, c, &r[pc.a], 1, frame, m.search)
    elif pc.op == OP_CALL2:
        pair[0] = r[pc.a]
        pair[1] = r[pc.b]
        call(pc.k, c, pair, 2, frame, m.search)
    elif pc.op == OP_CALL_N and not frame.spend(pc.b >> 3):
        fail(c, ERR_LIMIT)
    elif pc.op == OP_CALL_N:
        call(pc.k, c, &r[pc.a], pc.b, frame, m.search)
    elif pc.op == OP_LIST:
        make_list(c, &r[pc.a], pc.b, frame)
    elif pc.op == OP_MAP:
        make_map(c, &r[pc.a], pc.b, frame)
    elif pc.op == OP_POSITION:
        position(c, &r[pc.a], &r[pc.b], frame)
    elif pc.op == OP_ELEMENT:
        if r[pc.a].tag == TAG_MAP:
            pair[0] = r[pc.a]
            pair[1] = r[pc.b]
            key(c, &pair[0], &pair[1], frame)
        else:
            c[0] = r[pc.b]
    else:
        pair[0] = r[pc.a]
        pair[1] = r[pc.b]
        call(
            FN_ADD if pc.op == OP_ADD_INT or pc.op == OP_ADD_DOUBLE
            else FN_MULTIPLY if pc.op == OP_MULTIPLY_DOUBLE else FN_SUBTRACT,
            c, pair, 2, frame, m.search,
        )


cdef inline bint absent(const Cell* a) noexcept:
    """Null, or below a record that is null."""
    return a.tag == TAG_NULL or (a.tag == TAG_ERROR and a.aux == ERR_NULL_OPERAND)


cdef int32_t compare_constant(const Ins* pc, const Cell* a, uint32_t tag, Frame frame) noexcept:
    """A comparison with a constant whose operand is not of the type that was foreseen."""
    cdef Cell constant
    cdef int op = pc.op
    constant.tag = tag
    constant.aux = 0
    constant.v.i = pc.imm.i
    if op == OP_LE_INT_K or op == OP_LE_DOUBLE_K:
        return compare_any(pc, OP_LE, a, &constant, frame)
    if op == OP_LT_INT_K or op == OP_LT_DOUBLE_K:
        return compare_any(pc, OP_LT, a, &constant, frame)
    if op == OP_GE_INT_K or op == OP_GE_DOUBLE_K:
        return compare_any(pc, OP_LE, &constant, a, frame)
    if op == OP_GT_INT_K or op == OP_GT_DOUBLE_K:
        return compare_any(pc, OP_LT, &constant, a, frame)
    return compare_any(pc, OP_EQ, a, &constant, frame)

cdef int32_t compare_any(const Ins* pc, int op, const Cell* a, const Cell* b, Frame frame) noexcept:
    """Where to go on after EQ, LT or LE of any two cells."""
    cdef int result
    if op == OP_EQ:
        result = equal(a, b, frame, 0)
        return pc.t if result > 0 else pc.f if result == 0 else pc.e
    result = ordered(a, b, frame)
    if result == NO_ORDER:
        return pc.e
    if result == UNORDERED:
        return pc.f
    return pc.t if (result < 0 if op == OP_LT else result <= 0) else pc.f


cdef inline FieldSlot* member_slot(const Ins* pc, const Cell* a, Frame frame) noexcept:
    """The field that k names, if a is a record of its layout."""
    cdef int layout = pc.k >> 16
    if a.tag != TAG_RECORD or a.aux != layout:
        return NULL
    return &frame.binding.layouts[layout].fields[pc.k & 0xFFFF]

cdef inline void member(const Ins* pc, Cell* c, const Cell* a, Frame frame) noexcept:
    cdef FieldSlot* slot = member_slot(pc, a, frame)
    cdef PyObject* record = a.v.o           # c may be a
    cdef Cell x
    if slot == NULL:
        fail(c, a.aux if a.tag == TAG_ERROR else ERR_NULL_OPERAND)
        return
    if load_plain(c, record, slot, frame.binding.trusted):
        return
    if not load_field(&x, record, slot, frame):
        fail(&x, ERR_BAD_NUMBER)
    c[0] = x

cdef int has_member(const Ins* pc, const Cell* a, Frame frame) noexcept:
    cdef FieldSlot* slot = member_slot(pc, a, frame)
    cdef Cell x
    if slot == NULL:
        return 0 if absent(a) else -1
    if not load_field(&x, a.v.o, slot, frame):
        return -1
    return x.tag != TAG_NULL

cdef void key(Cell* c, const Cell* a, const Cell* b, Frame frame) noexcept:
    cdef PyObject* found
    if a.tag == TAG_OPTIONAL:
        look_up(c, a, b, frame)
        return
    if a.tag != TAG_MAP:
        refuse(c, a, 1)
        return
    found = find_key(a, b, frame)
    if found == NULL:
        fail(c, ERR_NO_SUCH_KEY)
    else:
        read(c, found, frame)


# Loops -----------------------------------------------------------------------------------------
# An iterator holds the list (for a map, a list of its keys made at the start) in v.o, and in aux the
# position.  Lists of more than 2^31 elements are refused.

cdef bint start_loop(Cell* iterator, const Cell* source, Frame frame) noexcept:
    cdef object keys
    if source.tag == TAG_LIST:
        if PyList_GET_SIZE(<object>source.v.o) > 0x7FFFFFFF:
            return False
        iterator.v.o = source.v.o
    elif source.tag == TAG_MAP:
        frame.pin()                     # a new list may set off the collector
        try:
            keys = PyDict_Keys(<object>source.v.o)
        except Exception:
            return False
        if frame.own(keys, 8 * len(keys)) < 0 or not frame.spend(len(keys) >> 3):
            return False
        iterator.v.o = <PyObject*>keys
    else:
        return False
    iterator.tag = TAG_ITERATOR
    iterator.aux = 0
    return True

cdef inline bint next_element(Cell* iterator, Cell* element, uint32_t layout, Frame frame) noexcept:
    """False at the end, and when the call has used up its turns: then `frame.steps` is below 0.

    layout: the record that the elements are, plus 1; 0 if they are something else.
    """
    cdef PyObject* items
    cdef int32_t at
    frame.steps -= 1
    if iterator.tag != TAG_ITERATOR or frame.steps < 0:
        return False
    items = iterator.v.o
    at = iterator.aux
    if at >= PyList_GET_SIZE(<object>items):
        return False
    iterator.aux = at + 1
    items = <PyObject*>PyList_GET_ITEM(<object>items, at)
    if layout and <PyObject*>items.ob_type == frame.binding.layouts[layout - 1].type:
        element.tag = TAG_RECORD
        element.aux = layout - 1
        element.v.o = items
    else:
        read(element, items, frame)
    return True

cdef int append(Cell* target, const Cell* value, Frame frame) noexcept:
    if value.tag == TAG_ERROR or target.tag != TAG_LIST or target.aux != OWNED_LIST:
        return -1
    if frame.charge(8 if value.tag >= TAG_LIST or value.tag == TAG_STRING or value.tag == TAG_BYTES else 40) < 0:
        return -1
    try:
        PyList_Append(<object>target.v.o, box(value))
    except Exception:
        return -1
    return 0
