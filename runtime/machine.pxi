# The machine: runs a verified program over one record.
#
# Owns:  Machine owns the code, constants and matchers; a run takes a Frame for itself.
# Needs: everything before it.        Gives: run(), Machine.
# Trust: code.pxi has proved that registers, targets and numbers are in range and that loops end.
# A clause that is satisfied costs no instruction of its own: its conditions jump on to the next one.

cdef enum:
    FEW = 16                # texts of a set that are compared one by one

cdef struct ConstSet:
    PyObject** items        # borrowed from Machine.kept
    Py_ssize_t* lengths
    int count
    PyObject* whole         # the same as a frozenset


cdef inline int in_set(const ConstSet* texts, PyObject* text) noexcept:
    """1 or 0; few are compared, those of equal length only; many are looked up by hash."""
    cdef int i
    cdef Py_ssize_t length = PyUnicode_GET_LENGTH(text)
    if texts.count <= FEW:
        for i in range(texts.count):
            if texts.lengths[i] == length and pact_same_text(texts.items[i], text):
                return 1
        return 0
    try:
        return <object>text in <frozenset>texts.whole
    except Exception:
        return -1


cdef void run(Machine m, Frame frame) noexcept:
    """Set the frame's masks for the record whose slots are loaded."""
    cdef Cell* r = frame.cells
    cdef const Ins* code = m.code
    cdef const Ins* pc = code
    cdef const Cell* a
    cdef const Cell* b
    cdef Cell* c
    cdef int result

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
                pc = code + (pc.t if pact_same_text(a.v.o, b.v.o) else pc.f)
            else:
                pc = code + compare_any(pc, OP_EQ, a, b, frame)
        elif pc.op == OP_IN_SET:
            if a.tag == TAG_STRING:
                result = in_set(&m.sets[pc.k], a.v.o)
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
            result = has_key(a, b)
            pc = code + (pc.t if result > 0 else pc.f if result == 0 else pc.e)
        elif pc.op == OP_HAS_MEMBER:
            result = has_member(pc, a, frame)
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
        elif pc.op == OP_OUTSIDE:
            frame.outside = True
            return
        elif pc.op == OP_ALL_UNKNOWN:
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

        # Values.
        else:
            c = &r[pc.c]
            b = &r[pc.b]
            if pc.op == OP_ADD_INT and a.tag == TAG_INT and b.tag == TAG_INT:
                arithmetic_int(FN_ADD, c, a.v.i, b.v.i)
            elif pc.op == OP_SUBTRACT_INT and a.tag == TAG_INT and b.tag == TAG_INT:
                arithmetic_int(FN_SUBTRACT, c, a.v.i, b.v.i)
            elif pc.op == OP_MEMBER:
                member(pc, c, a, frame)
            elif pc.op == OP_CALL1 and pc.k == FN_SIZE and a.tag == TAG_LIST:
                set_int(c, PyList_GET_SIZE(<object>a.v.o))
            elif pc.op == OP_KEY:
                key(c, a, b, frame)
            elif pc.op == OP_MOVE:
                c[0] = a[0]
                if c.tag == TAG_ITERATOR:
                    fail(c, ERR_LIMIT)
            elif pc.op == OP_SET_BOOL:
                set_bool(c, pc.imm.i != 0)
            elif pc.op == OP_SET_ERROR:
                fail(c, <int32_t>(pc.imm.i & 0xFF))
            else:
                compute(m, pc, c, frame)
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
    elif pc.op == OP_CALL_N:
        call(pc.k, c, &r[pc.a], pc.b, frame, m.search)
    elif pc.op == OP_LIST:
        make_list(c, &r[pc.a], pc.b, frame)
    elif pc.op == OP_MAP:
        make_map(c, &r[pc.a], pc.b, frame)
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
    result = order(a, b)
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
    load_field(&x, a.v.o, slot, frame)
    return x.tag != TAG_NULL

cdef void key(Cell* c, const Cell* a, const Cell* b, Frame frame) noexcept:
    cdef PyObject* found
    if a.tag != TAG_MAP:
        refuse(c, a, 1)
        return
    found = find_key(a, b)
    if found == NULL:
        fail(c, ERR_NO_SUCH_KEY)
    else:
        unbox(c, found, frame.binding)


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
        try:
            keys = list(<dict>source.v.o)
        except Exception:
            return False
        if frame.own(keys, 8 * len(keys)) < 0:
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
        unbox(element, items, frame.binding)
    return True

cdef int append(Cell* target, const Cell* value, Frame frame) noexcept:
    if value.tag == TAG_ERROR or target.tag != TAG_LIST or target.aux != OWNED_LIST:
        return -1
    frame.allocated += 8
    if frame.allocated > MAX_ALLOCATION:
        return -1
    try:
        PyList_Append(<object>target.v.o, box(value))
    except Exception:
        return -1
    return 0

cdef void make_list(Cell* c, const Cell* items, int count, Frame frame) noexcept:
    cdef int i
    cdef list made
    try:
        made = []
        for i in range(count):
            if items[i].tag == TAG_ERROR:
                fail(c, items[i].aux)
                return
            made.append(box(&items[i]))
        frame.give(c, TAG_LIST, made, 8 * count + 64)
        if c.tag == TAG_LIST:
            c.aux = OWNED_LIST
    except Exception:
        fail(c, ERR_LIMIT)

cdef void make_map(Cell* c, const Cell* items, int count, Frame frame) noexcept:
    cdef int i
    cdef dict made
    cdef object name
    try:
        made = {}
        for i in range(count):
            if items[i].tag == TAG_ERROR:
                fail(c, items[i].aux)
                return
        for i in range(count // 2):
            name = map_key(&items[2 * i])
            if name is None or items[2 * i].tag == TAG_DOUBLE:
                fail(c, ERR_NO_SUCH_OVERLOAD)
                return
            if name in made:
                fail(c, ERR_DUPLICATE_KEY)
                return
            made[name] = box(&items[2 * i + 1])
        frame.give(c, TAG_MAP, made, 64 * count + 64)
    except Exception:
        fail(c, ERR_LIMIT)


# The class that Python sees ----------------------------------------------------------------------

cdef class Machine:
    """A loaded program.  A subclass knows names: it is the `owner` of verdicts.

    `prepare` verifies and takes over a program's parts; ValueError says what is wrong with them.
    `check(record)` judges a struct whose class is bound; for any other record it asks
    `self.convert(record)` for one.  Safe in threads: each run has its own frame.
    """

    cdef Ins* code
    cdef int code_count
    cdef int words
    cdef int clauses
    cdef int registers
    cdef int slot_count
    cdef int atom_count
    cdef int group_count
    cdef RowSlot* slots
    cdef Cell* constants
    cdef int constant_count
    cdef ConstSet* sets
    cdef int set_count
    cdef int* atom_group
    cdef int* group_slot
    cdef int64_t max_steps
    cdef list scanners
    cdef list matchers
    cdef object search
    cdef list kept
    cdef Frame spare                    # what the next run takes; runs in other threads make their own
    cdef dict bindings
    cdef Binding recent                 # the binding of the last record

    def prepare(
        self, bytes code, list constants, list sets, list slots, int temps, int clauses,
        Binding binding, list atoms, list groups, list matchers, object search, dict shapes,
    ):
        """Take over a program's parts.

        code: instructions; constants: CEL values; sets: lists of texts; slots: (base, layout, field);
        atoms: the group of each text atom; groups: (slot, scanner), where scanner(text) gives the
        numbers of the atoms that occur; matchers: functions text -> bool; search(pattern, text).
        """
        cdef Limits limits
        cdef int i, j
        if self.code != NULL:
            raise ValueError("a machine is prepared once")
        if len(code) % sizeof(Ins):
            raise ValueError("the code is cut short")
        self.kept = [code, constants, sets]
        self.code_count = len(code) // sizeof(Ins)
        self.clauses = clauses
        self.words = max(1, (clauses + 63) // 64)
        self.slot_count = len(slots)
        self.constant_count = len(constants)
        self.registers = self.slot_count + self.constant_count + temps
        self.atom_count = len(atoms)
        self.group_count = len(groups)
        if self.registers > 65_535:
            raise ValueError("too many registers")
        self.code = <Ins*>allocate(len(code))
        memcpy(self.code, PyBytes_AS_STRING(code), len(code))
        self.take_slots(slots, binding)
        self.take_constants(constants, binding)
        self.take_sets(sets)
        self.take_atoms(atoms, groups)
        self.scanners = [scanner for _, scanner in groups]
        self.matchers = matchers
        self.search = search
        binding.take_row(self.slots, self.slot_count)
        self.bindings = {binding.root: binding}
        limits.registers = self.registers
        limits.first_temp = self.slot_count + self.constant_count
        limits.clauses = clauses
        limits.sets = len(sets)
        limits.atoms = len(atoms)
        limits.matchers = len(matchers)
        problem = verify(self.code, self.code_count, &limits, binding, shapes)
        if problem is not None:
            raise ValueError(problem)
        self.max_steps = MAX_STEPS // self.longest_loop()

    cdef int longest_loop(self):
        """Instructions of the longest loop: steps are turns of loops, and time is turns times this."""
        cdef int i, back
        cdef int longest = 10
        for i in range(self.code_count):
            for back in (self.code[i].t, self.code[i].f, self.code[i].e):
                if back <= i and i - back > longest:
                    longest = i - back
        return longest // 10

    cdef take_slots(self, list slots, Binding binding):
        cdef int i
        self.slots = <RowSlot*>allocate(len(slots) * sizeof(RowSlot))
        for i, (base, layout, field) in enumerate(slots):
            if not (-1 <= base < i and 0 <= layout < binding.count):
                raise ValueError(f"slot {i}: no such record")
            if not -1 <= field < binding.layouts[<int>layout].count:
                raise ValueError(f"slot {i}: no such field")
            holder = binding.root_layout if base < 0 else self.record_layout(base, binding)
            if holder != layout:
                raise ValueError(f"slot {i}: not a field of its record")
            self.slots[i].base = base
            self.slots[i].layout = layout
            self.slots[i].field = field

    cdef int record_layout(self, int slot, Binding binding):
        """The record that slot holds; -1 if it holds none."""
        cdef RowSlot* row = &self.slots[slot]
        if row.field < 0:
            return row.layout
        if binding.layouts[row.layout].fields[row.field].kind != KIND_RECORD:
            return -1
        return binding.layouts[row.layout].fields[row.field].layout

    cdef take_constants(self, list constants, Binding binding):
        cdef int i
        self.constants = <Cell*>allocate(len(constants) * sizeof(Cell))
        for i in range(len(constants)):
            unbox(&self.constants[i], <PyObject*>constants[i], None)
            if self.constants[i].tag == TAG_ERROR:
                raise ValueError(f"constant {i} is no value")

    cdef take_sets(self, list sets):
        cdef int i, j
        self.sets = <ConstSet*>allocate(len(sets) * sizeof(ConstSet))
        self.set_count = len(sets)
        for i in range(len(sets)):
            whole = frozenset(sets[i])
            self.kept.append(whole)
            self.sets[i].whole = <PyObject*>whole
            self.sets[i].count = len(sets[i])
            self.sets[i].items = <PyObject**>allocate(len(sets[i]) * sizeof(PyObject*))
            self.sets[i].lengths = <Py_ssize_t*>allocate(len(sets[i]) * sizeof(Py_ssize_t))
            for j in range(len(sets[i])):
                if type(sets[i][j]) is not str:
                    raise ValueError(f"set {i} holds what is no text")
                self.sets[i].items[j] = <PyObject*>sets[i][j]
                self.sets[i].lengths[j] = len(sets[i][j])

    cdef take_atoms(self, list atoms, list groups):
        cdef int i
        self.atom_group = <int*>allocate(len(atoms) * sizeof(int))
        self.group_slot = <int*>allocate(len(groups) * sizeof(int))
        for i in range(len(atoms)):
            if not 0 <= atoms[i] < len(groups):
                raise ValueError(f"atom {i}: no such group")
            self.atom_group[i] = atoms[i]
        for i in range(len(groups)):
            if not 0 <= groups[i][0] < self.slot_count:
                raise ValueError(f"group {i}: no such slot")
            self.group_slot[i] = groups[i][0]

    def __dealloc__(self):
        cdef int i
        if self.sets != NULL:
            for i in range(self.set_count):
                PyMem_Free(self.sets[i].items)
                PyMem_Free(self.sets[i].lengths)
        PyMem_Free(self.sets)
        PyMem_Free(self.code)
        PyMem_Free(self.slots)
        PyMem_Free(self.constants)
        PyMem_Free(self.atom_group)
        PyMem_Free(self.group_slot)

    def bind(self, Binding binding):
        """Read structs of another class directly from now on."""
        if binding.count != (<Binding>next(iter(self.bindings.values()))).count:
            raise ValueError("a binding of another schema")
        binding.take_row(self.slots, self.slot_count)
        self.bindings = {**self.bindings, binding.root: binding}

    cdef Frame take_frame(self):
        cdef Frame frame
        cdef Py_ssize_t fixed = self.slot_count + self.constant_count
        if self.spare is not None:
            frame = self.spare
            self.spare = None
            return frame
        frame = Frame(self.registers, fixed, self.words, self.atom_count, self.group_count)
        memcpy(frame.cells + self.slot_count, self.constants, self.constant_count * sizeof(Cell))
        return frame

    cdef int judge(self, Frame frame, Binding binding, PyObject* record) except -2:
        """Load and run; the slot that was refused, or -1."""
        cdef int refused
        frame.binding = binding
        frame.shared = not binding.trusted
        frame.outside = False
        frame.steps = self.max_steps
        frame.allocated = 0
        if frame.shared:                        # pin() looks at slots that are not loaded yet
            memset(frame.cells, 0, self.slot_count * sizeof(Cell))
        if self.words == 1:
            frame.violated[0] = frame.violated[1] = frame.violated[2] = 0
        else:
            memset(frame.violated, 0, 3 * self.words * sizeof(uint64_t))
        if self.group_count:
            memset(frame.atoms, 0, self.atom_count + self.group_count)
        refused = load_row(frame, binding.row, self.slot_count, record)
        if refused < 0:
            run(self, frame)
            if frame.steps < 0:                 # a loop was cut short: what it said does not count
                self.doubt(frame)
        return refused

    cdef void doubt(self, Frame frame) noexcept:
        cdef int clause
        memset(frame.violated, 0, 3 * self.words * sizeof(uint64_t))
        for clause in range(self.clauses):
            frame.unknown[clause >> 6] |= <uint64_t>1 << (clause & 63)

    cdef void give_back(self, Frame frame):
        cdef Py_ssize_t i
        if frame.owned_count:
            frame.drop_owned()
        for i in range(frame.fixed, frame.size):
            frame.cells[i].tag = TAG_ERROR
        self.spare = frame

    cpdef Verdict check(self, record):
        """The verdict on one record: a struct, or a dict.  RecordError if it cannot be decoded."""
        cdef PyObject* found
        cdef Binding binding = self.recent
        cdef Frame frame
        cdef Verdict verdict
        cdef int refused
        if binding is None or <PyObject*>binding.root != <PyObject*>(<PyObject*>record).ob_type:
            found = PyDict_GetItemWithError(self.bindings, type(record))
            if found == NULL:
                record = self.convert(record)
                found = PyDict_GetItemWithError(self.bindings, type(record))
                if found == NULL:
                    raise TypeError(f"no record: {type(record).__name__}")
            binding = self.recent = <Binding>found
        frame = self.take_frame()
        refused = self.judge(frame, binding, <PyObject*>record)
        if refused >= 0:
            self.give_back(frame)
            return self.refuse(record, binding.trusted)
        verdict = Verdict.__new__(Verdict)
        verdict.owner = self
        verdict.record = record
        verdict.outside = frame.outside
        verdict.words = self.words
        if self.words == 1:
            verdict.masks = verdict.small
            verdict.small[0] = frame.violated[0]
            verdict.small[1] = frame.violated[1]
            verdict.small[2] = frame.violated[2]
        else:
            verdict.large = (<char*>frame.violated)[: 3 * self.words * sizeof(uint64_t)]
            verdict.masks = <uint64_t*>PyBytes_AS_STRING(verdict.large)
        self.give_back(frame)
        return verdict

    def refuse(self, record, bint trusted):
        """A loaded record was refused: convert a user's own, or say why.  The subclass knows how."""
        raise ValueError("refused")

    def convert(self, record):
        """A struct of a bound class for this record.  The subclass knows how."""
        raise TypeError("no record")

    def judge_all(self, list records, uint8_t[:, ::1] outcomes, int8_t[::1] states):
        """Judge structs of a bound class; None stands for a line that could not be decoded.

        outcomes: a row of outcome codes per record.  states: 1 judged, 0 outside, -1 refused or None.
        A row that is not judged is UNKNOWN throughout.
        """
        cdef Frame frame = self.take_frame()
        cdef Py_ssize_t i
        cdef int clause
        cdef object record
        if outcomes.shape[0] < len(records) or states.shape[0] < len(records) or outcomes.shape[1] != self.clauses:
            raise ValueError("the arrays do not fit the records")
        for i in range(len(records)):
            record = records[i]
            states[i] = -1
            if record is not None and self.judge(frame, <Binding>self.bindings[type(record)], <PyObject*>record) < 0:
                states[i] = not frame.outside
            for clause in range(self.clauses):
                outcomes[i, clause] = OUTCOME_UNKNOWN
                if states[i] == 1:
                    outcomes[i, clause] = mask_outcome(frame.violated, self.words, clause)
            frame.drop_owned()
        self.give_back(frame)

    # Text ---------------------------------------------------------------------------------------

    cdef int find_atom(self, Frame frame, uint32_t atom) noexcept:
        """1 if the atom occurs, 0 if not, -1 if its slot holds no text.  A group is scanned once."""
        cdef int group = self.atom_group[atom]
        cdef const Cell* x = &frame.cells[self.group_slot[group]]
        cdef uint32_t hit
        if frame.groups[group] == 0:
            frame.groups[group] = 2
            frame.pin()
            if x.tag == TAG_STRING:
                try:
                    for hit in self.scanners[group](<object>x.v.o):
                        if hit < <uint32_t>self.atom_count:
                            frame.atoms[hit] = 1
                    frame.groups[group] = 1
                except Exception:
                    pass
        return frame.atoms[atom] if frame.groups[group] == 1 else -1

    cdef int match(self, Frame frame, uint32_t matcher, const Cell* x) noexcept:
        if x.tag != TAG_STRING:
            return -1
        frame.pin()
        try:
            return bool(self.matchers[matcher](<object>x.v.o))
        except Exception:
            return -1


cdef void* allocate(Py_ssize_t size) except NULL:
    cdef void* block = PyMem_Malloc(size + 8)
    if block == NULL:
        raise MemoryError()
    memset(block, 0, size + 8)
    return block
