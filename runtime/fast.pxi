# The fast form: what a program says of plain values, as bits, without a jump.
#
# Owns:  Fast owns all arrays; texts are the machine's.  Made by plan.pxi when a program is first used.
# Needs: steps.pxi, record.pxi.        Gives: Fast, decide().
# Trust: plan.pxi has put every cell, lane and number in range.  Tags are looked at here.
#
# A *path* is one way through a clause's code: it is taken if all its tests come out as it asks.  Each path
# has a lane, one of the 64 bits of its bank.  A test's outcome strikes out, with one OR, the lanes of all
# paths that it contradicts; a lane that is left says what its clause comes to.  A test that cannot be answered
# here, for a value of another type, strikes out both.  A clause with no lane left is undecided, and its
# generic code runs: so the fast form says only what that code would say.
# Every call takes the same steps in the same order, so that their jumps are foreseen.

cdef enum:
    LANES = 64              # of a bank
    MAX_ELEMENT = 16         # cells of an element that a bank reads

cdef struct Quantifier:
    int32_t cell
    int32_t layout
    int32_t count           # quantifiers
    Bank* bank            # over one element
    uint64_t* stops         # per quantifier: the lanes on which the loop is left
    uint64_t* goes_on
    uint64_t* strikes       # two per quantifier: no element stops, one does
    uint64_t quiet          # all strikes if no element stops any

cdef struct Bank:
    PactStep* steps
    Quantifier* loops
    int32_t loop_count
    int32_t count           # clauses
    uint64_t lanes          # those that are in use; the first path to `violated` of clause n has lane n
    uint64_t whole          # a bit per clause
    uint64_t hard           # clauses of which some way is no path
    uint64_t more           # lanes of further paths to `violated`
    int32_t first_skipped   # lanes from here on: further paths to `skipped`,
    int32_t first_satisfied # to `satisfied`
    int32_t end
    uint8_t local[64]       # lane -> the clause within the bank
    int32_t* clauses        # and their numbers
    int32_t first           # they are first, first + 1, ...; or -1

cdef struct Guarded:        # clauses that wait for one value of one field
    int32_t block_count
    int32_t word_count
    Bank* banks
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
    cdef PactVocabulary* vocabularies       # of slots; those of element fields lie behind them
    cdef int vocabulary_count
    cdef int top_vocabularies
    cdef bint remembers                 # a text may be looked up twice on a call
    cdef Bank* banks
    cdef int block_count
    cdef Bank* applies                 # NULL: to every call
    cdef Guard* guards
    cdef int guard_count
    cdef Guarded* guarded
    cdef int derived_cells              # what a bank computes, behind the registers
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


# One bank -----------------------------------------------------------------------------------------

cdef inline bint load_element(Cell* x, PyObject* o, const Quantifier* loop, Frame frame) noexcept:
    """The fields of a list's record; false if it is none, or some field is not plain."""
    cdef Layout* layout = &frame.binding.layouts[loop.layout]
    return <PyObject*>o.ob_type == layout.type and pact_load(layout.loads, o, <PactCell*>x)

cdef uint64_t go_round(
    const Quantifier* loop, const Cell* source, const PactVocabulary* vocabularies, Frame frame, int* odd
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
    if size < 0 or frame.steps < (size + 1) * loop.count or frame.binding.layouts[loop.layout].count > MAX_ELEMENT:
        unsure = ~<uint64_t>0
        size = 0
    frame.steps -= (size + 1) * loop.count
    for i in range(size):
        left = 0
        if load_element(x, list_item(source.v.o, i), loop, frame):
            left = loop.bank.lanes & ~pact_weigh(loop.bank.steps, x, vocabularies, NULL, odd)
        for q in range(loop.count):
            if not left & loop.goes_on[q]:
                if left & loop.stops[q]:
                    stopped |= <uint64_t>1 << q
                else:
                    unsure |= <uint64_t>1 << q
    if not (stopped | unsure):              # by far the most frequent
        return loop.quiet
    for q in range(loop.count):
        if unsure >> q & 1:
            odd[0] = 1
            dead |= loop.strikes[2 * q] | loop.strikes[2 * q + 1]
        else:
            dead |= loop.strikes[2 * q + (stopped >> q & 1)]
    return dead


cdef extern from "fast.h":
    int pact_lowest(uint64_t x) noexcept nogil

cdef inline void mark(uint64_t* mask, const Bank* b, uint64_t bits) noexcept:
    """Set the bits of a bank's clauses in a mask of all."""
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

cdef inline uint64_t judge_bank(const Bank* b, Fast fast, Frame frame, uint64_t* violated, uint64_t* skipped) noexcept:
    """What a bank comes to, a bit per clause of it; returned are those that are undecided."""
    cdef int odd = 0
    cdef int i
    cdef uint64_t left = b.lanes & ~pact_weigh(
        b.steps, frame.cells, fast.vocabularies, frame.known if fast.remembers else NULL, &odd)
    cdef uint64_t decided, more
    for i in range(b.loop_count):
        left &= ~go_round(&b.loops[i], &frame.cells[b.loops[i].cell], fast.vocabularies, frame, &odd)
    violated[0] = left & b.whole
    more = left & b.more
    while more:                 # mostly none
        violated[0] |= <uint64_t>1 << b.local[pact_lowest(more)]
        more &= more - 1
    for i in range(b.first_skipped, b.first_satisfied):
        skipped[0] |= (left >> i & 1) << b.local[i]
    if not (odd or b.hard):
        return 0
    decided = violated[0] | skipped[0]
    for i in range(b.first_satisfied, b.end):
        decided |= (left >> i & 1) << b.local[i]
    return b.whole & ~decided


# A whole program -----------------------------------------------------------------------------------

cdef inline void run_bank(const Bank* b, Fast fast, Frame frame) noexcept:
    cdef uint64_t violated = 0
    cdef uint64_t skipped = 0
    cdef uint64_t undecided = judge_bank(b, fast, frame, &violated, &skipped)
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
    cdef const PactVocabulary* words = &fast.vocabularies[guard.vocabulary]
    cdef int32_t number = pact_numbered(words, <PactCell*>&frame.cells[words.cell])
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
            run_bank(&chosen.banks[j], fast, frame)

cdef int decide(Fast fast, Frame frame) noexcept:
    """Judge loaded cells as far as that is plain.  Clauses that are left are in `frame.todo`; their number
    is returned, or -1 if it is not even clear whether the pact is about this call."""
    cdef uint64_t violated = 0
    cdef uint64_t skipped = 0
    cdef int i
    frame.todo_count = 0
    if fast.remembers:
        for i in range(fast.top_vocabularies):
            frame.known[i] = PACT_NOT_YET
    if fast.applies != NULL:
        if judge_bank(fast.applies, fast, frame, &violated, &skipped):
            return -1
        if violated:
            frame.outside = True
            return 0
    for i in range(fast.block_count):
        run_bank(&fast.banks[i], fast, frame)
    for i in range(fast.guard_count):
        run_guard(&fast.guards[i], fast, frame)
    return frame.todo_count
