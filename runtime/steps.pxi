# Steps: what fast.h does, for Cython.
#
# Needs: fast.h, value.pxi.        Gives: PactLoad, PactStep, PactVocabulary and what runs them.
# A vocabulary numbers the texts (ints, bools) that a program compares one field with: one look-up says of all
# comparisons of the field at once how they come out.  0 is a value that the program does not name.

cdef extern from "fast.h":
    pass

cdef extern from "logic.h":
    int pact_answer(const PactCell* x) noexcept nogil
    void pact_say(PactCell* c, int answer) noexcept nogil
    int pact_not(int answer) noexcept nogil
    void pact_combine(PactCell* c, const PactCell* a, const PactCell* b, int kind) noexcept nogil
    void pact_judge(const PactCell* promise, const PactCell* when, bint never, uint64_t bit, uint64_t* violated, uint64_t* unknown, uint64_t* skipped) noexcept nogil

cdef extern from "fast.h":
    enum:
        LOAD_END
        LOAD_DOUBLE
        LOAD_INT
        LOAD_TEXT
        LOAD_TEXT_CHECKED
        LOAD_BOOL
        LOAD_LIST
        LOAD_RECORDS
        LOAD_STOP
        PACT_MANY
        PACT_STRANGE
        PACT_NOT_YET
        STEP_END
        STEP_LE_DOUBLE
        STEP_LT_DOUBLE
        STEP_GE_DOUBLE
        STEP_GT_DOUBLE
        STEP_EQ_DOUBLE
        STEP_LE_INT
        STEP_LT_INT
        STEP_GE_INT
        STEP_GT_INT
        STEP_EQ_INT
        STEP_PAIR_DOUBLE
        STEP_PAIR_INT
        STEP_PAIR_TIME
        STEP_TRUE
        STEP_PRESENT
        STEP_WORD
        STEP_SIZE
        STEP_ADD_INT
        STEP_SUBTRACT_INT
        STEP_ADD_DOUBLE
        STEP_SUBTRACT_DOUBLE
        STEP_MULTIPLY_DOUBLE
    ctypedef struct PactCell:
        pass
    ctypedef struct PactLoad:
        int32_t kind
        int32_t is_null
        int64_t offset
        int64_t cell
        const PactLoad* loads
        PyObject* type
    bint pact_load(const PactLoad* loads, PyObject* record, PactCell* cells) noexcept
    ctypedef struct PactWord:
        uint64_t head
        uint64_t tail
        uint64_t size
        PyObject* text
        int64_t number
    ctypedef struct PactVocabulary:
        int32_t cell
        uint32_t tag
        int32_t count
        uint32_t mask
        PactWord* table
        uint64_t seed
        int64_t probes
    bint pact_word(PyObject* o, PactWord* word) noexcept
    uint64_t pact_mix(const PactWord* word, uint64_t seed) noexcept
    int32_t pact_numbered(const PactVocabulary* words, const PactCell* x) noexcept
    ctypedef struct PactChoice:
        int32_t vocabulary
        uint32_t* rows
        uint64_t* strikes
        uint64_t strange
    ctypedef struct PactStep:
        int64_t kind
        int64_t a
        int64_t b
        int64_t c
        int64_t constant "k.i"
        PactChoice* choice "k.choice"
        uint64_t strikes[2]
    uint64_t pact_weigh(
        const PactStep* s, void* cells, const PactVocabulary* vocabularies, int32_t* known, int* odd
    ) noexcept


cdef int take_words(PactVocabulary* words, dict numbers) except -1:
    """Enter values under their numbers into a table with room; a factor is sought that scatters them well."""
    cdef uint64_t seed = 0x9E3779B97F4A7C15ULL
    cdef int64_t longest
    cdef int i
    words.probes = INT64_MAX
    for i in range(SEEDS if len(numbers) <= MANY_WORDS else 1):
        seed = seed * 6364136223846793005ULL + 1442695040888963406ULL | 1ULL
        longest = scatter(words, numbers, seed, words.probes)
        if longest < words.probes:
            words.probes = longest
            words.seed = seed
        if longest == 1:
            return 0
    scatter(words, numbers, words.seed, INT64_MAX)
    return 0

cdef enum:
    SEEDS = 40              # factors that are tried
    MANY_WORDS = 100        # for more, one is as good as another

cdef int64_t scatter(PactVocabulary* words, dict numbers, uint64_t seed, int64_t least) except -1:
    """Fill the table; how many places a value is at most looked for in.  Gives up where that is no less than
    `least`."""
    cdef PactWord word
    cdef int64_t at, first
    cdef int64_t longest = 1
    memset(words.table, 0, (<Py_ssize_t>words.mask + 1) * sizeof(PactWord))
    for value, number in numbers.items():
        if not isinstance(value, str):
            word.head = word.tail = <uint64_t><int64_t>value
            word.size = 1
            word.text = NULL
        elif not pact_word(<PyObject*>value, &word):
            raise ValueError("a text of another form")
        word.number = number
        first = at = <uint32_t>pact_mix(&word, seed)
        while words.table[at & words.mask].size:
            at += 1
        words.table[at & words.mask] = word
        longest = max(longest, at - first + 1)
        if longest >= least:
            break
    return longest
