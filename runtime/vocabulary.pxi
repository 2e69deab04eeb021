# Vocabularies: the texts (ints, bools) that a program compares one field with, numbered.
#
# Owns:  a Vocabulary owns its table; the texts are borrowed from the machine's constants and sets.
# Gives: Vocabulary, number_of().
# One look-up says of all comparisons of a field at once how they come out: a clause then asks for the
# number, never for the text.  0 is a value that the program does not name.

cdef extern from *:
    """
    typedef struct {
        uint64_t head, tail;    /* the first and the last 8 bytes; of a shorter text all of it, twice */
        uint64_t size;          /* bytes times 8, plus the width of a character; 0: an empty place */
        PyObject *text;         /* borrowed */
        int32_t number;
    } PactWord;

    static inline uint64_t pact_load8(const char *data) {
        uint64_t word;
        memcpy(&word, data, 8);
        return word;
    }
    /* A compact text stands right behind its header of more than 8 bytes, so that the 8 bytes that end
       with it may always be read. */
    static inline int pact_word(PyObject *o, PactWord *word) {
        const char *data;
        uint64_t size, kind = 1;
        if (PyUnicode_IS_COMPACT_ASCII(o)) {
            data = (const char *)((PyASCIIObject *)o + 1);
            size = (uint64_t)PyUnicode_GET_LENGTH(o);
        } else {
            if (!PyUnicode_IS_COMPACT(o)) return 0;
            data = (const char *)PyUnicode_DATA(o);
            kind = PyUnicode_KIND(o);
            size = (uint64_t)PyUnicode_GET_LENGTH(o) * kind;
        }
        int less = size < 8;
        const char *last = data + size - 8;
        word->size = size * 8 + kind;
        word->text = o;
        if (size == 0) {
            word->head = word->tail = 0;
            return 1;
        }
    #if PY_BIG_ENDIAN
        uint64_t mask = less ? ~(uint64_t)0 >> (64 - 8 * size) : ~(uint64_t)0;
        word->head = pact_load8(less ? last : data) & mask;
        word->tail = pact_load8(last) & mask;
    #else
        int shift = less ? (int)(64 - 8 * size) : 0;
        word->head = pact_load8(less ? last : data) >> shift;
        word->tail = pact_load8(last) >> shift;
    #endif
        return 1;
    }
    static inline uint64_t pact_mix(const PactWord *word) {
        uint64_t x = (word->head ^ (word->tail << 21 | word->tail >> 43)) + word->size;
        x *= 0x9E3779B97F4A7C15u;
        return x ^ x >> 29;
    }
    static inline int pact_same_word(const PactWord *a, const PactWord *b) {
        if (((a->head ^ b->head) | (a->tail ^ b->tail) | (a->size ^ b->size)) != 0) return 0;
        if (a->size < 17 * 8) return 1;
        return memcmp((const char *)PyUnicode_DATA(a->text) + 8, (const char *)PyUnicode_DATA(b->text) + 8,
                      (a->size >> 3) - 16) == 0;
    }
    """
    ctypedef struct PactWord:
        uint64_t head
        uint64_t tail
        uint64_t size
        PyObject* text
        int32_t number
    bint pact_word(PyObject* o, PactWord* word) noexcept
    uint64_t pact_mix(const PactWord* word) noexcept
    bint pact_same_word(const PactWord* a, const PactWord* b) noexcept

cdef enum:
    STRANGE = -1            # a value of a type that was not foreseen: the generic code must look
    NOT_YET = -2            # not looked up in this call

cdef struct Vocabulary:
    int32_t cell            # where the value is
    uint32_t tag            # STRING, INT or BOOL
    int32_t count           # numbers go from 0 to this
    uint32_t mask           # places of the table, less one
    PactWord* table


cdef inline int32_t number_of(const Vocabulary* words, const Cell* x) noexcept:
    """The number of a cell's value; 0 for null, which equals none of the texts."""
    cdef PactWord word
    if x.tag == words.tag:
        if x.tag == TAG_STRING:
            if not pact_word(x.v.o, &word):
                return number_of_copy(words, x)
        else:
            word.head = word.tail = <uint64_t>x.v.i
            word.size = 1
        return find_word(words, &word)
    return 0 if x.tag == TAG_NULL and words.tag != TAG_BOOL else STRANGE

cdef inline int32_t find_word(const Vocabulary* words, const PactWord* word) noexcept:
    cdef uint32_t at = <uint32_t>pact_mix(word) & words.mask
    cdef const PactWord* place
    while True:
        place = &words.table[at]
        if place.size == 0:
            return 0
        if pact_same_word(place, word):
            return place.number
        at = (at + 1) & words.mask

cdef int32_t number_of_copy(const Vocabulary* words, const Cell* x) noexcept:
    """The same for an instance of a subclass of str, whose characters stand elsewhere."""
    cdef PactWord word
    cdef int32_t i
    for i in range(<int32_t>words.mask + 1):
        if words.table[i].size and pact_same_text(words.table[i].text, x.v.o):
            return words.table[i].number
    return 0

cdef int put_word(Vocabulary* words, object value, int32_t number) except -1:
    """Enter a value under a number; the table has room."""
    cdef PactWord word
    cdef uint32_t at
    if isinstance(value, str):
        if not pact_word(<PyObject*>value, &word):
            raise ValueError("a text of another form")
    else:
        word.head = word.tail = <uint64_t><int64_t>value
        word.size = 1
        word.text = NULL
    word.number = number
    at = <uint32_t>pact_mix(&word) & words.mask
    while words.table[at].size:
        at = (at + 1) & words.mask
    words.table[at] = word
    return 0
