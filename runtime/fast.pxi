# The fast form: what a program says of plain values, as bits, without a jump.
#
# Owns:  Fast owns all arrays; texts are the machine's.  Made by plan.pxi when a program is first used.
# Needs: vocabulary.pxi, record.pxi.        Gives: Fast, decide().
# Trust: plan.pxi has put every cell, lane and number in range.  Tags are looked at here.
#
# A *path* is one way through a clause's code: it is taken if all its tests come out as it asks.  Each path
# has a lane, one of the 64 bits of its block.  A test's outcome strikes out, with one OR, the lanes of all
# paths that it contradicts; a lane that is left says what its clause comes to.  A test that cannot be answered
# here, for a value of another type, strikes out both.  A clause with no lane left is undecided, and its
# generic code runs: so the fast form says only what that code would say.
# Every call takes the same steps in the same order, so that their jumps are foreseen.

cdef enum:
    LANES = 64              # of a block
    MAX_ELEMENT = 16         # cells of an element that a block reads

cdef enum StepKind:
    STEP_LE_DOUBLE          # a with the constant k
    STEP_LT_DOUBLE
    STEP_GE_DOUBLE
    STEP_GT_DOUBLE
    STEP_EQ_DOUBLE
    STEP_LE_INT
    STEP_LT_INT
    STEP_GE_INT
    STEP_GT_INT
    STEP_EQ_INT
    STEP_PAIR_DOUBLE        # a with b; bits of k: 1 if less is true, 2 equal, 4 greater
    STEP_PAIR_INT
    STEP_PAIR_TIME
    STEP_TRUE
    STEP_PRESENT
    STEP_WORD               # all comparisons of a cell with texts
    STEP_LOOP               # all quantifiers over a list of records
    STEP_SIZE               # c = size of a, or a op b
    STEP_COMPUTE

cdef union Given:
    int64_t i
    double d
    Word* word
    Loop* loop

cdef struct Step:
    int32_t kind
    int32_t a
    int32_t b
    int32_t c
    Given k
    uint64_t strikes[2]     # if it is false, if it is true

cdef struct Word:
    int32_t vocabulary
    int32_t cell
    uint32_t* rows          # number -> which of strikes
    uint64_t* strikes
    uint64_t strange        # those of a value of another type

cdef struct Loop:
    int32_t cell
    int32_t layout
    int32_t field_count
    int32_t count           # quantifiers
    int32_t fields[16]
    Block* block            # over one element
    uint64_t* stops         # per quantifier: the lanes on which the loop is left
    uint64_t* goes_on
    uint64_t* strikes       # two per quantifier: no element stops, one does

cdef struct Block:
    int32_t step_count
    int32_t count           # clauses
    Step* steps
    uint64_t lanes          # those that are in use; the first path to `violated` of clause n has lane n
    uint64_t whole          # a bit per clause
    uint64_t hard           # clauses of which some way is no path
    int32_t first_more      # lanes from here on: further paths to `violated`,
    int32_t first_skipped   # to `skipped`,
    int32_t first_satisfied # to `satisfied`
    int32_t end
    uint8_t local[64]       # lane -> the clause within the block
    int32_t* clauses        # and their numbers
    int32_t first           # they are first, first + 1, ...; or -1

cdef struct Guarded:        # clauses that wait for one value of one field
    int32_t block_count
    int32_t word_count
    Block* blocks
    int32_t* words          # words of the masks in which the clauses are, and their bits there
    uint64_t* bits

cdef struct Guard:          # one field that clauses are guarded by
    int32_t vocabulary
    int32_t first_word
    int32_t word_count
    int32_t clause_count
    int32_t* clauses        # all of them
    uint64_t* bits          # their bits in the words from first_word on
    int32_t* starts         # number -> where its list of Guarded begins; one more at the end
    int32_t* lists


cdef class Fast:
    """The fast form of one program."""

    cdef void** rooms
    cdef Py_ssize_t room_count
    cdef Py_ssize_t room_size
    cdef Vocabulary* vocabularies       # of slots; those of element fields lie behind them
    cdef int vocabulary_count
    cdef int top_vocabularies
    cdef Block* blocks
    cdef int block_count
    cdef Block* applies                 # NULL: to every call
    cdef Guard* guards
    cdef int guard_count
    cdef Guarded* guarded
    cdef int derived_cells              # what a block computes, behind the registers
    cdef Ins* alone                     # the code, in which every clause ends the run
    cdef int32_t* starts                # per clause
    cdef readonly dict counts

    def __dealloc__(self):
        cdef Py_ssize_t i
        for i in range(self.room_count):
            PyMem_Free(self.rooms[i])
        PyMem_Free(self.rooms)

    cdef void* room(self, Py_ssize_t size) except NULL:
        """Zeroed memory that lives as long as this."""
        cdef void** grown
        if self.room_count == self.room_size:
            self.room_size = self.room_size * 2 + 16
            grown = <void**>PyMem_Realloc(self.rooms, self.room_size * sizeof(void*))
            if grown == NULL:
                self.room_size = self.room_count
                raise MemoryError()
            self.rooms = grown
        self.rooms[self.room_count] = allocate(size)
        self.room_count += 1
        return self.rooms[self.room_count - 1]


# One block -----------------------------------------------------------------------------------------

cdef inline void derive(const Step* s, Cell* x) noexcept:
    """c = a op b of numbers; an error value for anything else."""
    cdef const Cell* a = &x[s.a]
    cdef const Cell* b = &x[s.b]
    cdef Cell* c = &x[s.c]
    if a.tag == TAG_INT and b.tag == TAG_INT and (s.k.i == OP_ADD_INT or s.k.i == OP_SUBTRACT_INT):
        arithmetic_int(FN_ADD if s.k.i == OP_ADD_INT else FN_SUBTRACT, c, a.v.i, b.v.i)
    elif a.tag == TAG_DOUBLE and b.tag == TAG_DOUBLE and s.k.i == OP_ADD_DOUBLE:
        set_double(c, a.v.d + b.v.d)
    elif a.tag == TAG_DOUBLE and b.tag == TAG_DOUBLE and s.k.i == OP_SUBTRACT_DOUBLE:
        set_double(c, a.v.d - b.v.d)
    elif a.tag == TAG_DOUBLE and b.tag == TAG_DOUBLE and s.k.i == OP_MULTIPLY_DOUBLE:
        set_double(c, a.v.d * b.v.d)
    else:
        fail(c, ERR_LIMIT)

cdef inline void measure(const Step* s, Cell* x) noexcept:
    """c = size(a)"""
    cdef const Cell* a = &x[s.a]
    if a.tag == TAG_LIST:
        set_int(&x[s.c], list_size(a.v.o))
    elif a.tag == TAG_STRING:
        set_int(&x[s.c], PyUnicode_GET_LENGTH(a.v.o))
    else:
        fail(&x[s.c], ERR_LIMIT)

cdef inline bint accepted_int(int64_t accepts, int64_t a, int64_t b) noexcept:
    return (((a < b) | (a == b) << 1 | (a > b) << 2) & accepts) != 0

cdef inline bint accepted_double(int64_t accepts, double a, double b) noexcept:
    """A NaN is neither less nor equal nor greater."""
    return (((a < b) | (a == b) << 1 | (a > b) << 2) & accepts) != 0

cdef inline int compare_times(int64_t accepts, const Cell* a, const Cell* b) noexcept:
    """1, 0, or -1 for what is left to the generic code."""
    if a.tag != b.tag or not (a.tag == TAG_TIMESTAMP or a.tag == TAG_DURATION):
        return -1
    if a.v.i == b.v.i:
        return accepted_int(accepts, a.aux, b.aux)
    return accepted_int(accepts, a.v.i, b.v.i)

cdef inline int without_answer(const Step* s, const Cell* a) noexcept:
    """A comparison of a value of another type: null differs from every number, the rest is left."""
    return 0 if (s.kind == STEP_EQ_INT or s.kind == STEP_EQ_DOUBLE) and a.tag == TAG_NULL else -1


cdef uint64_t weigh(
    const Block* block, Cell* x, const Vocabulary* vocabularies, int32_t* known, Frame frame, int* odd
) noexcept:
    """The lanes that the cells contradict; odd becomes 1 if some test had no answer.

    known: the numbers of this call's texts, per vocabulary; NULL where nothing is remembered.
    """
    cdef const Step* s = block.steps
    cdef const Step* end = s + block.step_count
    cdef uint64_t dead = 0
    cdef const Cell* a
    cdef const Cell* b
    cdef int said
    while s != end:
        a = &x[s.a]
        if s.kind == STEP_LE_DOUBLE:
            said = a.v.d <= s.k.d if a.tag == TAG_DOUBLE else -1
        elif s.kind == STEP_LT_DOUBLE:
            said = a.v.d < s.k.d if a.tag == TAG_DOUBLE else -1
        elif s.kind == STEP_GE_DOUBLE:
            said = a.v.d >= s.k.d if a.tag == TAG_DOUBLE else -1
        elif s.kind == STEP_GT_DOUBLE:
            said = a.v.d > s.k.d if a.tag == TAG_DOUBLE else -1
        elif s.kind == STEP_EQ_DOUBLE:
            said = a.v.d == s.k.d if a.tag == TAG_DOUBLE else without_answer(s, a)
        elif s.kind == STEP_LE_INT:
            said = a.v.i <= s.k.i if a.tag == TAG_INT else -1
        elif s.kind == STEP_LT_INT:
            said = a.v.i < s.k.i if a.tag == TAG_INT else -1
        elif s.kind == STEP_GE_INT:
            said = a.v.i >= s.k.i if a.tag == TAG_INT else -1
        elif s.kind == STEP_GT_INT:
            said = a.v.i > s.k.i if a.tag == TAG_INT else -1
        elif s.kind == STEP_EQ_INT:
            said = a.v.i == s.k.i if a.tag == TAG_INT else without_answer(s, a)
        elif s.kind == STEP_WORD:
            dead |= look_up_word(s.k.word, x, vocabularies, known, odd)
            s += 1
            continue
        elif s.kind == STEP_PAIR_DOUBLE:
            b = &x[s.b]
            said = accepted_double(s.k.i, a.v.d, b.v.d) if a.tag == TAG_DOUBLE and b.tag == TAG_DOUBLE else -1
        elif s.kind == STEP_PAIR_INT:
            b = &x[s.b]
            said = accepted_int(s.k.i, a.v.i, b.v.i) if a.tag == TAG_INT and b.tag == TAG_INT else -1
        elif s.kind == STEP_TRUE:
            said = a.v.i != 0 if a.tag == TAG_BOOL else -1
        elif s.kind == STEP_PRESENT:
            said = not absent(a)
        elif s.kind == STEP_LOOP:
            dead |= go_round(s.k.loop, a, vocabularies, frame, odd)
            s += 1
            continue
        elif s.kind == STEP_SIZE:
            measure(s, x)
            s += 1
            continue
        elif s.kind == STEP_COMPUTE:
            derive(s, x)
            s += 1
            continue
        else:
            said = compare_times(s.k.i, a, &x[s.b])
        if said < 0:
            odd[0] = 1
            dead |= s.strikes[0] | s.strikes[1]
        else:
            dead |= s.strikes[said]
        s += 1
    return dead


cdef inline uint64_t look_up_word(
    const Word* w, const Cell* x, const Vocabulary* vocabularies, int32_t* known, int* odd
) noexcept:
    """The lanes that a text contradicts: one look-up for all comparisons with it."""
    cdef int32_t number = NOT_YET if known == NULL else known[w.vocabulary]
    if number == NOT_YET:
        number = number_of(&vocabularies[w.vocabulary], &x[w.cell])
        if known != NULL:
            known[w.vocabulary] = number
    if number >= 0:
        return w.strikes[w.rows[number]]
    odd[0] = 1
    return w.strange


cdef inline bint load_element(Cell* x, PyObject* o, const Loop* loop, Frame frame) noexcept:
    """The fields of a list's record that are read; false if it is none, or some field is not plain."""
    cdef Layout* layout = &frame.binding.layouts[loop.layout]
    cdef FieldSlot* slot
    cdef PyObject* held
    cdef int i
    if <PyObject*>o.ob_type != layout.type:
        return False
    for i in range(loop.field_count):
        slot = &layout.fields[loop.fields[i]]
        if not load_plain(&x[i], o, slot, frame.binding.trusted):
            if slot.offset < 0 or slot.has_default or not slot.nullable:
                return False
            held = (<PyObject**>(<char*>o + slot.offset))[0]
            if held != NULL and held != Py_None:
                return False
            x[i].tag = TAG_NULL
            x[i].aux = 0
    return True

cdef uint64_t go_round(
    const Loop* loop, const Cell* source, const Vocabulary* vocabularies, Frame frame, int* odd
) noexcept:
    """The lanes that all quantifiers over one list contradict."""
    cdef Cell x[MAX_ELEMENT]
    cdef uint64_t left
    cdef uint64_t dead = 0
    cdef uint64_t stopped = 0
    cdef uint64_t unsure = 0
    cdef Py_ssize_t i
    cdef int q
    cdef Py_ssize_t size = list_size(source.v.o) if source.tag == TAG_LIST else -1
    if size < 0 or frame.steps < (size + 1) * loop.count:
        unsure = ~<uint64_t>0
        size = 0
    frame.steps -= (size + 1) * loop.count
    for i in range(size):
        left = 0
        if load_element(x, list_item(source.v.o, i), loop, frame):
            left = loop.block.lanes & ~weigh(loop.block, x, vocabularies, NULL, frame, odd)
        for q in range(loop.count):
            if left & loop.stops[q]:
                stopped |= <uint64_t>1 << q
            elif not left & loop.goes_on[q]:
                unsure |= <uint64_t>1 << q
    for q in range(loop.count):
        if unsure >> q & 1:
            odd[0] = 1
            dead |= loop.strikes[2 * q] | loop.strikes[2 * q + 1]
        else:
            dead |= loop.strikes[2 * q + (stopped >> q & 1)]
    return dead


cdef extern from *:
    """
    #if defined(_MSC_VER)
    #include <intrin.h>
    static inline int pact_lowest(uint64_t x) { unsigned long i; _BitScanForward64(&i, x); return (int)i; }
    #else
    #define pact_lowest(x) __builtin_ctzll(x)
    #endif
    """
    int pact_lowest(uint64_t x) noexcept nogil

cdef inline void mark(uint64_t* mask, const Block* b, uint64_t bits) noexcept:
    """Set the bits of a block's clauses in a mask of all."""
    cdef int32_t clause
    cdef int shift
    if b.first >= 0:
        shift = b.first & 63
        mask[b.first >> 6] |= bits << shift
        if shift and bits >> (64 - shift):
            mask[(b.first >> 6) + 1] |= bits >> (64 - shift)
        return
    while bits:
        clause = b.clauses[pact_lowest(bits)]
        mask[clause >> 6] |= <uint64_t>1 << (clause & 63)
        bits &= bits - 1

cdef inline uint64_t judge_block(const Block* b, Fast fast, Frame frame, uint64_t* violated, uint64_t* skipped) noexcept:
    """What a block comes to, a bit per clause of it; returned are those that are undecided."""
    cdef int odd = 0
    cdef int i
    cdef uint64_t left = b.lanes & ~weigh(b, frame.cells, fast.vocabularies, frame.known, frame, &odd)
    cdef uint64_t decided
    violated[0] = left & b.whole
    for i in range(b.first_more, b.first_skipped):
        violated[0] |= (left >> i & 1) << b.local[i]
    for i in range(b.first_skipped, b.first_satisfied):
        skipped[0] |= (left >> i & 1) << b.local[i]
    if not (odd or b.hard):
        return 0
    decided = violated[0] | skipped[0]
    for i in range(b.first_satisfied, b.end):
        decided |= (left >> i & 1) << b.local[i]
    return b.whole & ~decided


# A whole program -----------------------------------------------------------------------------------

cdef inline void run_block(const Block* b, Fast fast, Frame frame) noexcept:
    cdef uint64_t violated = 0
    cdef uint64_t skipped = 0
    cdef uint64_t undecided = judge_block(b, fast, frame, &violated, &skipped)
    if violated:
        mark(frame.violated, b, violated)
    if skipped:
        mark(frame.skipped, b, skipped)
    while undecided:
        frame.todo[frame.todo_count] = b.clauses[pact_lowest(undecided)]
        frame.todo_count += 1
        undecided &= undecided - 1

cdef void run_guard(const Guard* guard, Fast fast, Frame frame) noexcept:
    """Skip the clauses whose guard does not hold, run those whose guard does."""
    cdef const Vocabulary* words = &fast.vocabularies[guard.vocabulary]
    cdef int32_t number = number_of(words, &frame.cells[words.cell])
    cdef const Guarded* chosen
    cdef int i, j
    if guard.vocabulary < fast.top_vocabularies:
        frame.known[guard.vocabulary] = number
    if number < 0:
        for i in range(guard.clause_count):
            frame.todo[frame.todo_count] = guard.clauses[i]
            frame.todo_count += 1
        return
    for i in range(guard.word_count):
        frame.skipped[guard.first_word + i] |= guard.bits[i]
    for i in range(guard.starts[number], guard.starts[number + 1]):
        chosen = &fast.guarded[guard.lists[i]]
        for j in range(chosen.word_count):
            frame.skipped[chosen.words[j]] &= ~chosen.bits[j]
        for j in range(chosen.block_count):
            run_block(&chosen.blocks[j], fast, frame)

cdef int decide(Fast fast, Frame frame) noexcept:
    """Judge loaded cells as far as that is plain.  Clauses that are left are in `frame.todo`; their number
    is returned, or -1 if it is not even clear whether the pact is about this call."""
    cdef uint64_t violated = 0
    cdef uint64_t skipped = 0
    cdef int i
    frame.todo_count = 0
    for i in range(fast.top_vocabularies):
        frame.known[i] = NOT_YET
    if fast.applies != NULL:
        if judge_block(fast.applies, fast, frame, &violated, &skipped):
            return -1
        if violated:
            frame.outside = True
            return 0
    for i in range(fast.block_count):
        run_block(&fast.blocks[i], fast, frame)
    for i in range(fast.guard_count):
        run_guard(&fast.guards[i], fast, frame)
    return frame.todo_count
