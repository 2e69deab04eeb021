# Blocks: a verified program over columns, an instruction at a time for a block of rows.
#
# Owns:  BlockCode the code and what its instructions need as bytes; Block (one per run) its registers
#        and masks, in one piece of memory.
# Needs: columns.pxi, kernels.pxi, face.pxi.        Gives: BlockCode.
# The code is a graph whose jumps go forward, but for loops.  So one pass in its order meets every
# instruction after all that lead to it: each has a mask of the rows that reach it, does its work for
# them at once, and hands them on to where they go.  A loop is gone through again while rows come back.
# What a row says is what `run` would say of it, or nothing: an instruction or a value that is not known
# here leaves its rows *open*, and open rows are judged by `run`, one by one.
# No Python object is touched, and no GIL held, but by ATOM.

cdef enum:
    MOST_WORDS = 64         # 4,096 rows: what an instruction costs beside its rows is then small
    MASK_ROOM = 4_194_304   # bytes for the masks of a program's instructions; longer ones have smaller blocks
    LONG_WORDS = 1_024       # bytes: longer texts are not compared here, since `run` counts what they cost
    MOST_ANSWERS = 65_536   # values of a dictionary that a test is worked out for
    MOST_TEMPS = 2_048

cdef struct Known:          # a constant text
    const char* text
    int64_t size

cdef struct Register:
    int32_t tag             # what the valid rows hold; TAG_ERROR: none is valid
    int32_t column          # where texts, lists and records stand
    int32_t width           # of an index in `data`; 0: the row's own position; 8: `lanes`; -1: not readable
    bint constant
    const char* data
    int64_t* lanes          # numbers, times in microseconds, positions
    int64_t* sizes          # of the lists that an iterator goes through
    uint64_t* truth         # bools
    uint64_t* valid
    uint64_t* null
    uint64_t* error
    uint64_t* gone          # of the errors, those of something below a record that is null
    Payload whole           # a constant
    Known known
    Cell* plain             # of a constant list of numbers, its elements
    int64_t count

cdef struct Loop:
    int32_t end             # the last instruction that goes back to it
    int32_t outer           # another loop that ends there, or -1
    int32_t turn

cdef struct Block:
    int64_t start
    int64_t n
    int64_t words
    Register* r
    uint64_t* reach
    uint8_t* live
    uint64_t* all           # the rows there are
    uint64_t* open
    uint64_t* outside
    uint64_t* violated
    uint64_t* unknown
    uint64_t* skipped
    uint64_t* bits          # scratch masks
    uint64_t* good
    uint64_t* t
    uint64_t* f
    uint64_t* e
    uint64_t* none
    uint64_t* held
    uint64_t* both           # four masks of a pair: valid, null, error, both null
    int64_t* some           # scratch numbers
    int64_t* more
    uint8_t** answers       # per instruction: of a test on the values of a dictionary
    int32_t* answered       # and of which column
    uint64_t* nulls         # per column
    Loop* loops
    uint64_t* atoms
    uint64_t* scanned       # per group
    uint64_t* failed
    uint8_t* found
    uint64_t* now           # the rows that reach the instruction that runs
    uint64_t* ones
    uint64_t* zeros
    const Ins* code
    const Column* columns
    const int32_t* fields
    void* memory


cdef class BlockCode:
    """A program made ready for columns.  `why` says what in it is not for blocks, "" if nothing.

    code: verified instructions.  constants: CEL values.  sets: lists of texts.  machine: whose code it is.
    """

    cdef Ins* code
    cdef int count
    cdef int slots
    cdef int registers
    cdef int clauses
    cdef int temps
    cdef Register* constants
    cdef int constant_count
    cdef Known** sets
    cdef int* set_sizes
    cdef int set_count
    cdef Loop* loops
    cdef int32_t* ends              # per instruction: the innermost loop that ends there, or -1
    cdef int64_t longest            # elements of a list that is gone through here
    cdef list kept
    cdef Machine machine
    cdef readonly str why

    def __cinit__(self, Machine machine, bytes code, list constants, list sets, dict shapes):
        cdef int i
        self.machine = machine
        self.kept = [code, constants, sets]
        self.count = len(code) // sizeof(Ins)
        self.slots = machine.slot_count
        self.registers = machine.registers
        self.clauses = machine.clauses
        self.constant_count = len(constants)
        self.temps = self.registers - self.slots - self.constant_count
        self.code = <Ins*>allocate(len(code))
        memcpy(self.code, PyBytes_AS_STRING(code), len(code))
        self.take_constants(constants)
        self.take_sets(sets)
        self.loops = <Loop*>allocate(self.count * sizeof(Loop))
        self.ends = <int32_t*>allocate(self.count * sizeof(int32_t))
        self.why = self.find_loops(shapes)
        if self.temps > MOST_TEMPS:
            self.why = "too many registers"

    def __dealloc__(self):
        cdef int i
        if self.sets != NULL:
            for i in range(self.set_count):
                PyMem_Free(self.sets[i])
        if self.constants != NULL:
            for i in range(self.constant_count):
                PyMem_Free(self.constants[i].plain)
        PyMem_Free(self.code)
        PyMem_Free(self.constants)
        PyMem_Free(self.sets)
        PyMem_Free(self.set_sizes)
        PyMem_Free(self.loops)
        PyMem_Free(self.ends)

    cdef int take_text(self, Known* known, str text) except -1:
        cdef bytes held = text.encode("utf-8")
        self.kept.append(held)
        known.text = PyBytes_AS_STRING(held)
        known.size = len(held)
        return 0

    cdef int take_constants(self, list constants) except -1:
        cdef int i
        cdef Cell x
        cdef Register* r
        self.constants = <Register*>allocate(len(constants) * sizeof(Register))
        for i in range(len(constants)):
            r = &self.constants[i]
            r.constant = True
            r.tag = TAG_ERROR           # open: nothing is known of it here
            x = self.machine.constants[i]
            if x.tag == TAG_STRING and len((<object>x.v.o).encode("utf-8")) <= LONG_WORDS:
                self.take_text(&r.known, <object>x.v.o)
                r.tag = TAG_STRING
            elif x.tag == TAG_NULL or TAG_BOOL <= x.tag <= TAG_DOUBLE:
                r.tag = x.tag
                r.whole = x.v
            elif (x.tag == TAG_TIMESTAMP or x.tag == TAG_DURATION) and x.aux % 1000 == 0:
                r.tag = x.tag
                r.whole.i = x.v.i * 1_000_000 + x.aux // 1000
            elif x.tag == TAG_LIST:
                r.tag = TAG_LIST
                self.take_list(r, <list>x.v.o)
        return 0

    cdef int take_list(self, Register* r, list items) except -1:
        """The elements of a constant list, if all are numbers."""
        cdef int i
        cdef Cell* plain
        if not items or not all(isinstance(each, int | float) and not isinstance(each, bool) for each in items):
            return 0
        plain = <Cell*>allocate(len(items) * sizeof(Cell))
        for i in range(len(items)):
            unbox(&plain[i], <PyObject*>items[i], None, None)
            if not TAG_INT <= plain[i].tag <= TAG_DOUBLE:
                PyMem_Free(plain)
                return 0
        r.plain = plain
        r.count = len(items)
        return 0

    cdef int take_sets(self, list sets) except -1:
        """Each set's texts, in the order of size and bytes; none of a set that has a long one."""
        cdef int i, j
        self.set_count = len(sets)
        self.sets = <Known**>allocate(len(sets) * sizeof(Known*))
        self.set_sizes = <int*>allocate(len(sets) * sizeof(int))
        for i in range(len(sets)):
            texts = sorted((each.encode("utf-8") for each in sets[i]), key=lambda each: (len(each), each))
            self.set_sizes[i] = -1 if max(map(len, texts), default=0) > LONG_WORDS else len(texts)
            self.sets[i] = <Known*>allocate(len(texts) * sizeof(Known))
            for j, text in enumerate(texts):
                self.kept.append(text)
                self.sets[i][j].text = PyBytes_AS_STRING(text)
                self.sets[i][j].size = len(text)
        return 0

    cdef str find_loops(self, dict shapes):
        """Note where loops begin and end; what is wrong if they do not stand within one another."""
        cdef int i, back, depth = 0, deepest = 0
        for i in range(self.count):
            self.ends[i] = self.loops[i].outer = -1
            self.loops[i].end = -1
        for i in range(self.count):
            jumps = shapes[self.code[i].op].jumps
            for letter, back in (("t", self.code[i].t), ("f", self.code[i].f), ("e", self.code[i].e)):
                if letter in jumps and back <= i:
                    self.loops[back].end = i
        within = []                     # the ends of the loops around an instruction
        for i in range(self.count):
            within = [end for end in within if end >= i]
            if self.code[i].op == OP_NEXT and self.loops[i].end >= 0:
                if any(self.loops[i].end > end for end in within):
                    return "loops that cross"
                within.append(self.loops[i].end)
                deepest = max(deepest, len(within))
                problem = self.look_into(i, shapes)
                if problem:
                    return problem
                self.loops[i].outer = self.ends[self.loops[i].end]
                self.ends[self.loops[i].end] = i
        # Turns of all loops, and what `run` counts of comparisons within them, stay far below its bound.
        self.longest = 8
        while self.count * 16 * (self.longest * 2 + 2) ** max(deepest, 1) <= self.machine.max_steps and self.longest < 1 << 20:
            self.longest *= 2
        if deepest and self.count * 16 * (self.longest + 1) ** deepest > self.machine.max_steps:
            return "loops within few steps"
        return ""

    cdef str look_into(self, int begin, dict shapes):
        """A loop is entered at its ITER only, and nothing within writes its iterator."""
        cdef int i, target, end = self.loops[begin].end
        for i in range(self.count):
            inside = begin <= i <= end
            shape = shapes[self.code[i].op]
            for letter, target in (("t", self.code[i].t), ("f", self.code[i].f), ("e", self.code[i].e)):
                if letter in shape.jumps and not inside and begin <= target <= end:
                    return "a jump into a loop"
            if inside:
                for letter, target in (("a", self.code[i].a), ("b", self.code[i].b), ("c", self.code[i].c)):
                    if letter in shape.writes and target == self.code[begin].a:
                        return "a loop that changes its iterator"
        return ""

    def run(self, Columns columns, list slots, int64_t start, int64_t stop,
            uint8_t[:, ::1] outcomes, int8_t[::1] states, uint8_t[::1] ok):
        """Judge the rows [start, stop).

        slots: the column of each slot.  outcomes: a row of codes per clause; states: 1 judged, 0 outside,
        2 open; ok: nothing violated and nothing unknown.  Of an open row nothing else is said.
        """
        cdef Block block
        cdef int32_t* places
        cdef int i
        if self.why or columns.fields == NULL or len(slots) != self.slots:
            raise ValueError(self.why or "the columns are not ready")
        if not 0 <= start <= stop <= columns.rows or min(states.shape[0], ok.shape[0]) < stop:
            raise ValueError("the arrays do not fit the rows")
        if outcomes.shape[0] != self.clauses or (self.clauses and outcomes.shape[1] < stop):
            raise ValueError("the arrays do not fit the rows")
        places = <int32_t*>allocate(self.slots * sizeof(int32_t))
        try:
            for i in range(self.slots):
                if not 0 <= slots[i] < columns.count:
                    raise ValueError("no such column")
                places[i] = slots[i]
            make_block(self, columns, &block)
            try:
                with nogil:
                    while start < stop:
                        block.start = start
                        block.n = min(stop - start, 64 * block.words)
                        load_block(self, columns, places, &block)
                        run_block(self, &block)
                        store_block(self, &block, outcomes, &states[0], &ok[0])
                        start += block.n
            finally:
                for i in range(self.count):
                    PyMem_RawFree(block.answers[i])
                PyMem_RawFree(block.memory)
        finally:
            PyMem_Free(places)


# One block: memory, the rows in, the outcomes out -----------------------------------------------------

cdef char* take_room(char** room, int64_t size) noexcept:
    cdef char* taken = room[0]
    room[0] += (size + 31) & ~31
    return taken

cdef int64_t lay_out_block(BlockCode m, Columns columns, Block* b, char* memory) noexcept:
    """Give every part its place from `memory` on; the size of all."""
    cdef char* room = memory
    cdef int64_t mask = b.words * 8
    cdef int64_t numbers = b.words * 64 * 8
    cdef int i
    cdef Register own
    cdef bint real = memory != NULL
    b.r = <Register*>take_room(&room, m.registers * sizeof(Register))
    b.reach = <uint64_t*>take_room(&room, m.count * mask)
    b.live = <uint8_t*>take_room(&room, m.count)
    b.answers = <uint8_t**>take_room(&room, m.count * sizeof(void*))
    b.answered = <int32_t*>take_room(&room, m.count * sizeof(int32_t))
    b.loops = <Loop*>take_room(&room, m.count * sizeof(Loop))
    b.all = <uint64_t*>take_room(&room, mask)
    b.open = <uint64_t*>take_room(&room, mask)
    b.outside = <uint64_t*>take_room(&room, mask)
    b.violated = <uint64_t*>take_room(&room, m.clauses * mask)
    b.unknown = <uint64_t*>take_room(&room, m.clauses * mask)
    b.skipped = <uint64_t*>take_room(&room, m.clauses * mask)
    b.bits = <uint64_t*>take_room(&room, mask)
    b.good = <uint64_t*>take_room(&room, mask)
    b.t = <uint64_t*>take_room(&room, mask)
    b.f = <uint64_t*>take_room(&room, mask)
    b.e = <uint64_t*>take_room(&room, mask)
    b.none = <uint64_t*>take_room(&room, mask)
    b.held = <uint64_t*>take_room(&room, mask)
    b.both = <uint64_t*>take_room(&room, 4 * mask)
    b.some = <int64_t*>take_room(&room, numbers)
    b.more = <int64_t*>take_room(&room, numbers)
    b.nulls = <uint64_t*>take_room(&room, columns.count * mask)
    b.atoms = <uint64_t*>take_room(&room, m.machine.atom_count * mask)
    b.scanned = <uint64_t*>take_room(&room, m.machine.group_count * mask)
    b.failed = <uint64_t*>take_room(&room, m.machine.group_count * mask)
    b.now = <uint64_t*>take_room(&room, mask)
    b.ones = <uint64_t*>take_room(&room, mask)
    b.zeros = <uint64_t*>take_room(&room, mask)
    b.found = <uint8_t*>take_room(&room, m.machine.atom_count + 1)
    for i in range(m.registers):
        if m.slots <= i < m.slots + m.constant_count:
            if real:
                b.r[i] = m.constants[i - m.slots]
                point_masks(b, &b.r[i])
            continue
        memset(&own, 0, sizeof(Register))
        own.truth = <uint64_t*>take_room(&room, mask)
        own.valid = <uint64_t*>take_room(&room, mask)
        own.null = <uint64_t*>take_room(&room, mask)
        own.error = <uint64_t*>take_room(&room, mask)
        own.gone = <uint64_t*>take_room(&room, mask)
        if i >= m.slots:
            own.lanes = <int64_t*>take_room(&room, numbers)
            own.sizes = <int64_t*>take_room(&room, numbers)
        if real:
            b.r[i] = own
    return room - memory + 32

cdef void point_masks(Block* b, Register* r) noexcept nogil:
    """The masks of a constant: it is the same for all rows."""
    r.valid = b.zeros if r.tag == TAG_ERROR or r.tag == TAG_NULL else b.ones
    r.null = b.ones if r.tag == TAG_NULL else b.zeros
    r.error = r.gone = b.zeros
    r.truth = b.ones if r.whole.i else b.zeros

cdef int make_block(BlockCode m, Columns columns, Block* b) except -1:
    cdef char* memory
    cdef int64_t size
    cdef int i
    memset(b, 0, sizeof(Block))
    b.words = max(1, min(MOST_WORDS, MASK_ROOM // (8 * (m.count + 1)) & ~3))
    size = lay_out_block(m, columns, b, NULL)
    memory = <char*>PyMem_RawCalloc(size + 32, 1)
    if memory == NULL:
        raise MemoryError()
    lay_out_block(m, columns, b, <char*>((<size_t>memory + 31) & ~<size_t>31))
    b.memory = memory
    b.code = m.code
    b.columns = columns.columns
    b.fields = columns.fields
    memset(b.ones, 255, b.words * 8)
    memcpy(b.loops, m.loops, m.count * sizeof(Loop))
    for i in range(m.count):
        b.answered[i] = -1
    return 0


cdef void load_block(BlockCode m, Columns columns, const int32_t* places, Block* b) noexcept nogil:
    """The slots of the rows, and which rows are open from the start."""
    cdef int i
    cdef int64_t w
    for w in range(b.words):
        b.all[w] = ~<uint64_t>0 if 64 * w + 64 <= b.n else ((<uint64_t>1 << (b.n - 64 * w)) - 1 if 64 * w < b.n else 0)
        b.open[w] = b.outside[w] = 0
    memset(b.reach, 0, m.count * b.words * 8)
    memset(b.live, 0, m.count)
    memset(b.violated, 0, m.clauses * b.words * 8)
    memset(b.unknown, 0, m.clauses * b.words * 8)
    memset(b.skipped, 0, m.clauses * b.words * 8)
    memset(b.scanned, 0, m.machine.group_count * b.words * 8)
    memset(b.failed, 0, m.machine.group_count * b.words * 8)
    for i in range(columns.count):
        load_column(&columns.columns[i], b.nulls + i * b.words, b)
    for i in range(m.slots):
        load_slot(columns, places[i], &b.r[i], m, b)
    for i in range(m.slots + m.constant_count, m.registers):
        b.r[i].tag = TAG_ERROR
        for w in range(b.words):
            b.r[i].valid[w] = b.r[i].null[w] = b.r[i].error[w] = b.r[i].gone[w] = 0
    for w in range(b.words):
        b.reach[w] = b.all[w] & ~b.open[w]
    b.live[0] = 1

cdef void load_column(const Column* column, uint64_t* nulls, Block* b) noexcept nogil:
    """Which rows are null, of a column that has a value per row; a double that is none leaves its row open."""
    cdef int64_t w
    if column.parent == NOT_OF_ROWS:
        return
    if column.valid == NULL:
        memset(nulls, 0, b.words * 8)
    else:
        memset(nulls, 0, b.words * 8)
        read_bits(column.valid, column.shift + b.start, b.n, nulls)
        for w in range(b.words):
            nulls[w] = ~nulls[w] & b.all[w]
    if column.checks and column.form == FORM_DOUBLES:
        finite(<const double*>column.data + b.start, b.n, b.bits)
        for w in range((b.n + 63) >> 6):
            b.open[w] |= ~b.bits[w] & ~nulls[w] & b.all[w]

cdef void load_slot(Columns columns, int number, Register* r, BlockCode m, Block* b) noexcept nogil:
    cdef const Column* column = &columns.columns[number]
    cdef const uint64_t* nulls = b.nulls + number * b.words
    cdef int above = column.parent
    cdef int64_t w, i
    memset(r.error, 0, b.words * 8)
    while above >= 0:                   # below a record that is null there is an error value
        if columns.columns[above].gone:
            or_into(r.error, b.nulls + above * b.words, b.words)
        above = columns.columns[above].parent
    for w in range(b.words):
        r.gone[w] = r.error[w]
        r.null[w] = nulls[w] & ~r.error[w]
        r.valid[w] = b.all[w] & ~nulls[w] & ~r.error[w]
    r.tag = column.tag
    r.column = number
    r.width = 0
    if column.form == FORM_NONE:        # there is something, whatever it is
        memset(r.valid, 0, b.words * 8)
        r.width = -1
    elif column.form == FORM_BITS:
        memset(r.truth, 0, b.words * 8)
        read_bits(<const uint8_t*>column.data, column.shift + b.start, b.n, r.truth)
    elif column.form == FORM_INTS or column.form == FORM_DOUBLES:
        r.lanes = <int64_t*>(column.data + 8 * b.start)
    elif FORM_INDEX8 <= column.form <= FORM_INDEX64:
        r.width = WIDTHS[column.form]
        r.data = column.data + r.width * b.start
        r.lanes = <int64_t*>r.data

cdef void store_block(BlockCode m, Block* b, uint8_t[:, ::1] outcomes, int8_t* states, uint8_t* ok) noexcept nogil:
    cdef int clause
    cdef int64_t w, i
    memset(b.bits, 0, b.words * 8)
    for clause in range(m.clauses):
        for w in range(b.words):
            b.bits[w] |= b.violated[clause * b.words + w] | b.unknown[clause * b.words + w]
        if any_bit(b.outside, b.words):
            for w in range(b.words):
                b.violated[clause * b.words + w] &= ~b.outside[w]
                b.skipped[clause * b.words + w] &= ~b.outside[w]
                b.unknown[clause * b.words + w] |= b.outside[w]
        write_codes(
            b.violated + clause * b.words, b.unknown + clause * b.words, b.skipped + clause * b.words, b.n,
            &outcomes[clause, b.start],
        )
    for w in range(b.words):
        b.bits[w] = ~(b.bits[w] & ~b.outside[w])
    memset(b.none, 0, b.words * 8)
    write_codes(b.bits, b.none, b.none, b.n, ok + b.start)
    for w in range(b.words):            # 1 judged, 2 open, and 0 outside
        b.good[w] = b.all[w] & ~b.outside[w] & ~b.open[w]
    write_codes(b.good, b.none, b.open, b.n, <uint8_t*>states + b.start)
